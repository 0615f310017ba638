"""What the engine learns beside deciding, and how it is kept: history at the start, quiet rooms, hourly notes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from control import comfort, learning, planning
from control.deciding import grid
from control.minds import (
    HomeMind,
    RoomMind,
    values_of_habits,
    values_of_home,
    values_of_lessons,
    values_of_room,
)
from control.prediction import Predictor
from control.room_state import RoomLayout, limits_of
from control.viewing import Look, Seen
from core.logging import get_logger
from models.words import RoomMoment
from storage.repositories.commands import BY_ENGINE
from storage.repositories.decisions import DecisionRepository
from storage.repositories.kept import Kept, put_comfort, put_many
from storage.repositories.learned import COMFORT, ROOM, ComfortCurve
from storage.repositories.looks import comfort_written_at
from storage.tables import CommandRow

log = get_logger(__name__)

SAVE_EVERY = timedelta(hours=1)
LESSONS_HOURS = 24  # between two times at which what a room has taught in weeks is kept
QUARTERS_PER_DAY = 96


@dataclass(frozen=True, slots=True)
class Memory:
    """Reads and keeps what the rooms of one engine learn."""

    database: Database
    readers: Database

    def learn_history(self, mind: RoomMind, home: HomeMind, look: Look, predictor: Predictor) -> None:
        """Take in what was stored before the engine's first decision; again each hour while that is too little."""
        mind.learn_at = look.now + SAVE_EVERY
        layout = mind.layout
        with Session(self.readers) as session:
            if not mind.forecast.past:
                _recall(predictor, mind, learning.past_moments(session, layout, look.now))
            first_at = DecisionRepository(session).first_at(layout.id)
            mind.written = mind.written or _was_written(session, layout)
            if not home.weather.hours:
                home.weather = learning.learn_weather(session, layout, look.now)
            if mind.knows_program or (first_at is not None and look.now - first_at > timedelta(days=1)):
                mind.learn_at = look.now + timedelta(days=1)
                return
            curve = look.curves[layout.id]
            end = look.now if first_at is None else first_at
            habits = learning.learn_room(session, layout, curve, end, limits_of(layout).quiet)
        if habits.program.days <= (0.0 if mind.program is None else mind.program.days):
            return
        home.presence.take_over(habits.presence)
        mind.program, mind.pull_down_k_per_h = habits.program, habits.pull_down_k_per_h
        mind.unit.switched_at = mind.unit.switched_at or habits.switched_at
        fresh = all(point.observations == 0 for states in curve.points.values() for point in states.values())
        with Session(self.database) as session, session.begin():
            put_many(session, [*values_of_habits(mind), *values_of_home(home)], look.now)
            if fresh:
                put_comfort(session, layout.id, habits.curve, look.now)
        if fresh:
            look.curves[layout.id] = habits.curve
        log.info("history_learned", room_id=layout.id, days=round(habits.program.days, 1))

    def learn_quiet(self, seen: Sequence[Seen], look: Look) -> None:
        """What people have left alone for long enough moves the comfort curve; asked once an hour."""
        learned = {one.mind.layout.id: curve for one in seen if (curve := _after_quiet(one, look)) is not None}
        if not learned:
            return
        with Session(self.database) as session, session.begin():
            written_at = comfort_written_at(session, learned)
            # of a curve that somebody has just written over, what was learned is let go
            still = [room_id for room_id in learned if written_at.get(room_id) == look.curves_at.get(room_id)]
            put_many(session, [(ROOM, room_id, COMFORT, learned[room_id].to_json()) for room_id in still], look.now)

    def save(self, seen: Sequence[Seen], now: datetime) -> None:
        """Keep what rooms and their homes have learned in the last hour, and of some of them all they ever have."""
        hour = int(now.timestamp() // SAVE_EVERY.total_seconds())
        values: list[Kept] = []
        for one in seen:
            values += values_of_room(one.mind)
            if (hour + one.mind.layout.id) % LESSONS_HOURS == 0:  # each room in an hour of its own: they are long
                values += values_of_lessons(one.mind)
        homes = {one.home.place.id: one.home for one in seen if is_over(one.home.saved_at, SAVE_EVERY, now)}
        for home in homes.values():
            values += values_of_home(home)
        with Session(self.database) as session, session.begin():
            put_many(session, values, now)
        for one in seen:
            one.mind.saved_at = now
        for home in homes.values():
            home.saved_at = now

    def save_all(self, homes: Iterable[HomeMind], rooms: Iterable[RoomMind], now: datetime) -> None:
        """Keep everything, at the end."""
        values = [values_of_home(home) for home in homes]
        values += [[*values_of_room(mind), *values_of_lessons(mind)] for mind in rooms]
        try:
            for some in values:
                with Session(self.database) as session, session.begin():
                    put_many(session, some, now)
        except Exception:
            log.exception("engine_state_not_saved")


def _recall(predictor: Predictor, mind: RoomMind, past: Sequence[RoomMoment]) -> None:
    """Let the predictor live through the room's last day, and keep its last week for the physical model."""
    forecast = mind.forecast
    for earlier in past:
        forecast.remember(earlier)
    planning.recall(mind.plan, past)
    if forecast.state is None or not past:
        return
    forecast.state = predictor.restore(None)
    for earlier in past[-QUARTERS_PER_DAY:]:
        assert forecast.state is not None
        (forecast.state,), _ = predictor.step_many([forecast.state], [earlier])


def is_over(since: datetime | None, period: timedelta, now: datetime) -> bool:
    """Whether a period of the grid has begun since an instant; so it has where there is none."""
    return since is None or now >= grid(since, period)


def _after_quiet(seen: Seen, look: Look) -> ComfortCurve | None:
    """The comfort curve of a room in which people have changed nothing for long; None where that says nothing."""
    mind, view, now = seen.mind, seen.view, look.now
    layout = mind.layout
    person = comfort.person_state(1.0, view.local.time(), limits_of(layout).quiet)
    quiet_s = 0.0 if mind.quiet_since is None else (now - mind.quiet_since).total_seconds()
    room_c = view.state.room_temperature_c if view.state.plausible else None
    if room_c is None or quiet_s < comfort.QUIET_AFTER_S[person]:
        return None
    if not comfort.says_something(comfort.belief_of(view.band), np.array(room_c)):
        return None
    updated_at = look.curves_at.get(layout.id)
    days = 0.0 if updated_at is None else max(0.0, (now - updated_at) / timedelta(days=1))
    return comfort.learned(
        comfort.after_days(look.curves[layout.id], days),
        person,
        view.weather.outdoor_between_c(0.0, comfort.DAY_S),
        lambda point: comfort.after_quiet(point, room_c, 1.0),
    )


def _was_written(session: Session, layout: RoomLayout) -> bool:
    query = select(CommandRow.id).where(
        CommandRow.device_id == layout.unit.id, CommandRow.requested_by == BY_ENGINE, CommandRow.attempts > 0
    )
    return session.execute(query.limit(1)).first() is not None
