"""Who steers the rooms that are compared by days: see ``control.trial``."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from control.minds import RoomMind
from control.trial import DRAWN_WITHIN, Arm, pair_at
from storage.repositories.trials import TrialRepository
from storage.tables import TrialDayRow


def take_arms(session: Session, database: Database, rooms: Mapping[int, RoomMind], now: datetime) -> None:
    """Who steers today in the rooms that are compared; a pair of days is drawn when its first day comes.

    A room whose household's own program is not known yet has nothing to be compared with: it waits. So does one
    that comes to a pair too late, until the next: what it was steered by before would count for the drawn arm.
    """
    trials = TrialRepository(session)
    days, running = trials.on(now), trials.running()
    drawn: list[TrialDayRow] = []
    for room_id, mind in rooms.items():
        compared = mind.layout.control == "ab" and room_id in running
        mind.arm = Arm(days[room_id].arm) if compared and room_id in days else None
        if mind.arm == Arm.CONVENTIONAL and not mind.knows_program:
            mind.arm = None  # the engine steers, as there is nothing to follow: the day belongs to nobody
            continue
        if not compared or mind.arm is not None or not mind.knows_program:
            continue
        trial = running[room_id]
        pair = pair_at(trial.seed, trial.started_at, now, mind.layout.home.zone)
        if not pair or now - pair[0].start > DRAWN_WITHIN:
            continue
        for one in pair:
            row = TrialDayRow(trial_id=trial.id, day=one.day.isoformat(), arm=str(one.arm), assigned_at=now)
            row.start_at, row.end_at = one.start, one.end
            drawn.append(row)
            if one.start <= now < one.end:
                mind.arm = one.arm
    if drawn:
        with Session(database) as writing, writing.begin():
            TrialRepository(writing).assign(drawn)
