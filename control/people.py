"""What people want of the engine: their commands become overrides, overrides end, and new ones are learned from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from control import comfort, learning
from control.minds import HomeMind, RoomMind
from control.room_state import assemble, limits_of
from control.viewing import Look
from core.clock import Clock
from core.logging import get_logger
from core.words import Command, Mode
from storage.repositories.commands import CommandRepository
from storage.repositories.kept import comfort_of, put_comfort
from storage.repositories.learned import COMFORT, ROOM, ComfortCurve
from storage.repositories.overrides import FROM_REST, OverrideRepository
from storage.tables import CommandRow, LearnedRow, OverrideRow, SettingRow

log = get_logger(__name__)

JUST_NOW = timedelta(minutes=10)  # of a choice, the room is still as it was
LEARNED_OVERRIDE = "engine.learned_override"  # setting: {"id": the newest override that was learned from}


@dataclass(slots=True)
class People:
    """Heeds people for one engine, whose rooms and homes it sees."""

    database: Database
    rooms: Mapping[int, RoomMind]
    homes: Mapping[int, HomeMind]
    hold: timedelta  # for which a manual change holds where nobody says how long
    override_id: int | None = None  # the newest that was learned from; None before ``begin``
    command_id: int = 0  # the newest of a person that was taken

    def begin(self, session: Session, now: datetime) -> None:
        """Find out what was heeded before the start; once."""
        if self.override_id is not None:
            return
        kept = session.get(SettingRow, LEARNED_OVERRIDE)
        if kept is None:  # the first start: what people did before is learned as their habits
            self.override_id = OverrideRepository(session).newest_id()
            with Session(self.database) as writing, writing.begin():
                _keep_learned_to(writing, self.override_id)
        else:
            self.override_id = int(kept.value["id"])
        # People's commands of before the start still hold if they are no older than an override may be.
        self.command_id = CommandRepository(session).newest_id(before=now - self.hold)

    def heed(self, look: Look, clock: Clock) -> None:
        """Turn people's commands into overrides, end those whose time is over, learn from new ones."""
        over = [row for row in look.overrides.values() if row.until <= look.now]
        if not (over or look.new_overrides or look.new_person_commands):
            return
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            repository = OverrideRepository(session)
            for row in repository.open():
                if row.until <= look.now:
                    repository.end(row, look.now)
        for override in look.new_overrides:
            chosen_c = self._heed(self._learn_override, override, look, clock)
            if chosen_c is not None:
                self.rooms[override.room_id].held_setpoint_c = chosen_c
            self.override_id = override.id
        for command in look.new_person_commands:
            self._heed(self._take_command, command, look, clock)
            self.command_id = command.id

    def start_override(
        self, session: Session, mind: RoomMind, origin: str, target: Command, at: datetime
    ) -> OverrideRow:
        """A manual change holds from an instant on."""
        until = at + self.hold
        log.info("override", room_id=mind.layout.id, origin=origin, target=target.as_dict(), until=until.isoformat())
        return OverrideRepository(session).start(
            room_id=mind.layout.id, origin=origin, target=target, started_at=at, until=until
        )

    def _heed(
        self, what: Callable[[Session, Any, Look, Clock], float | None], row: object, look: Look, clock: Clock
    ) -> float | None:
        """Do one thing in a transaction of its own; what fails for another reason than the database fails for good."""
        try:
            with Session(self.database, expire_on_commit=False) as session, session.begin():
                return what(session, row, look, clock)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("person_not_heeded")
            return None

    def _take_command(self, session: Session, row: CommandRow, look: Look, _: Clock) -> None:
        """A person's command holds as an override, from when it was given, unless something newer holds."""
        mind = next((mind for mind in self.rooms.values() if mind.layout.unit.id == row.device_id), None)
        if mind is None or mind.layout.control == "off" or row.queued_at + self.hold <= look.now:
            return
        newest = OverrideRepository(session).newest(mind.layout.id)
        if newest is not None and (newest.started_at, newest.target) == (row.queued_at, row.body):
            return  # taken before the engine was started
        if newest is not None and newest.started_at > row.queued_at:
            return
        self.start_override(session, mind, FROM_REST, Command.from_dict(row.body), row.queued_at)

    def _learn_override(self, session: Session, row: OverrideRow, look: Look, clock: Clock) -> float | None:
        """Learn from an override, and note it: those of while the engine is down are learned from at its start."""
        _keep_learned_to(session, row.id)
        return self._learn_choice(session, row, look, clock)

    def _learn_choice(self, session: Session, row: OverrideRow, look: Look, clock: Clock) -> float | None:
        """What somebody chose by hand moves the comfort curve; the setpoint, where one was chosen. [°C]"""
        mind, target = self.rooms.get(row.room_id), Command.from_dict(row.target)
        if mind is None or target.on is False or target.setpoint_c is None:
            return None
        home = self.homes[mind.layout.home.id]
        state = assemble(mind.layout, look.live, clock, look.now, home.presence.standby_w)
        room_c, before_c = state.room_temperature_c if state.plausible else None, mind.held_setpoint_c
        if mind.decide_at is None or look.now - row.started_at > JUST_NOW:  # chosen while nobody was looking
            room_c, before_c = learning.before_change(session, mind.layout, row.started_at)
        mode = target.mode or state.mode
        if mode not in (Mode.COOL, Mode.HEAT):
            return None
        local = row.started_at.astimezone(mind.layout.home.zone)
        person = comfort.person_state(1.0, local.time(), limits_of(mind.layout).quiet)
        curve = _faded(session, mind.layout.id, look.now)
        setpoint_c, heating = target.setpoint_c, mode == Mode.HEAT
        curve = comfort.learned(
            curve,
            person,
            home.weather_ahead(look.now).outdoor_between_c(0.0, comfort.DAY_S),
            lambda point: comfort.after_override(point, setpoint_c, room_c=room_c, before_c=before_c, heating=heating),
        )
        put_comfort(session, mind.layout.id, curve, look.now)
        return target.setpoint_c


def _keep_learned_to(session: Session, override_id: int) -> None:
    session.merge(SettingRow(key=LEARNED_OVERRIDE, value={"id": override_id}))


def _faded(session: Session, room_id: int, now: datetime) -> ComfortCurve:
    """The comfort curve of a room, less sure of itself by the time since it was last written."""
    updated_at = session.scalar(
        select(LearnedRow.updated_at).where(
            LearnedRow.scope == ROOM, LearnedRow.scope_id == room_id, LearnedRow.name == COMFORT
        )
    )
    days = 0.0 if updated_at is None else max(0.0, (now - updated_at) / timedelta(days=1))
    return comfort.after_days(comfort_of(session, room_id), days)
