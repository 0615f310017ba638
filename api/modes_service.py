"""What the engine may do and what it is after: controls of rooms, kill switches, comparisons by days, objectives."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from api import paging, schemas, views
from api.dependencies import Access
from core.errors import InvalidRequest
from core.words import CommandState
from storage.repositories.homes import air_conditioners_of_room
from storage.repositories.kill_switches import KillSwitchRepository, cancel_engine_commands, in_force
from storage.repositories.trials import TrialRepository
from storage.tables import EventRow, HomeRow, RoomRow, TrialDayRow

SEED_BITS = 31


@dataclass(frozen=True, slots=True)
class Modes:
    """What holds now in all rooms: read once for all that are shown."""

    held: Collection[int | None]  # homes with a kill switch; None among them: every home
    days: Mapping[int, TrialDayRow]  # of comparisons, by room


def modes_now(access: Access) -> Modes:
    """Kill switches and comparisons that hold now."""
    return Modes(KillSwitchRepository(access.session).held_homes(), TrialRepository(access.session).on(access.now))


def of_room(access: Access, row: RoomRow, modes: Modes) -> dict[str, Any]:
    """What a room shows of it."""
    home = access.session.get_one(HomeRow, row.home_id)
    control = schemas.Control(in_force(row.control, row.home_id, modes.held))
    today = modes.days.get(row.id) if control is schemas.Control.AB else None
    return {
        "control": schemas.Control(row.control),
        "control_in_force": control,
        "arm": None if today is None else schemas.Arm(today.arm),
        "objective": objective_of(home, row),
    }


def objective_of(home: HomeRow, room: RoomRow | None) -> schemas.Objective:
    """What the engine is after; the word of the room before that of the home."""
    own = None if room is None else room.objective
    word = own or (home.settings or {}).get("objective")
    return schemas.Objective(word) if word in set(schemas.Objective) else schemas.Objective.SAVE


def set_control(access: Access, row: RoomRow, body: schemas.ControlEdit) -> None:
    """Set what the engine may do in a room.

    A comparison that runs goes on where nothing changes. What the engine still had queued for the unit is taken back
    where it may not command it any more, and, where it may do nothing at all, also what was sent and not yet seen done.

    Raises
    ------
    InvalidRequest
        A seed is given for what has no schedule.
    """
    compares = body.control is schemas.Control.AB
    if body.seed is not None and not compares:
        raise InvalidRequest(f"seed: control {body.control.value} has no schedule that it could decide")
    session, trials = access.session, TrialRepository(access.session)
    running = trials.running().get(row.id)
    if not compares:
        trials.end(row.id, access.now)
    elif running is None or body.seed not in (None, running.seed):
        trials.start(row.id, secrets.randbits(SEED_BITS) if body.seed is None else body.seed, access.now)
    row.control = body.control.value
    session.flush()
    units = air_conditioners_of_room(session, row.id)
    if body.control is schemas.Control.OFF:
        cancel_engine_commands(session, access.now, device_ids=units)
    elif body.control is schemas.Control.SHADOW:
        cancel_engine_commands(session, access.now, device_ids=units, states=(CommandState.QUEUED,))
    session.add(
        EventRow(
            home_id=row.home_id, at=access.now, type="home", data={"room_id": row.id, "control": body.control.value}
        )
    )
    session.flush()


def trial_days(access: Access, row: RoomRow, limit: int, cursor: str | None) -> schemas.TrialDayPage:
    """Days of a room's newest comparison, newest first; none where it never was compared.

    Raises
    ------
    InvalidRequest
        The cursor is none of ours.
    """
    before = paging.id_of(cursor)
    try:
        before_day = None if before is None else date.fromordinal(before).isoformat()
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("query.cursor: expected the `next` of a page before", code="invalid_cursor") from error
    trials = TrialRepository(access.session)
    trial = trials.newest(row.id)
    if trial is None:
        return schemas.TrialDayPage(items=[])
    rows = trials.days(trial.id, before=before_day, limit=limit)
    ordinals = [date.fromisoformat(one.day).toordinal() for one in rows]
    return schemas.TrialDayPage(
        items=[views.trial_day(one, trial.seed) for one in rows], next=paging.next_of(ordinals, limit)
    )


def kill_switch(access: Access, home_id: int | None) -> schemas.KillSwitch:
    """Whether the engine is kept away from a home, or, of None, from every home."""
    switches = KillSwitchRepository(access.session)
    own = None if home_id is None else switches.holding(home_id)
    return views.kill_switch(own, switches.holding(None))


def set_kill_switch(access: Access, home_id: int | None, body: schemas.KillSwitchEdit) -> schemas.KillSwitch:
    """Keep the engine away from a home or every home, or let it steer again; the same twice changes nothing."""
    switches = KillSwitchRepository(access.session)
    if body.engaged:
        switches.engage(home_id, access.caller.name, access.now)
    else:
        switches.release(home_id, access.now)
    return kill_switch(access, home_id)
