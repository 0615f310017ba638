"""What a look sees, in a handful of queries however many rooms there are.

The engine looks four times a second, and little changes between two looks. So texts are parsed only where they differ
from the last time, and of the command ledger only what is new or was still open is read again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy.orm import Session

from control.minds import RoomMind
from control.room_state import Live
from control.viewing import Look, left_at
from core.logging import get_logger
from core.units import from_epoch_us
from storage.repositories.commands import CommandRepository
from storage.repositories.kept import UNREADABLE, comfort_from
from storage.repositories.learned import ComfortCurve
from storage.repositories.looks import (
    comfort_curves,
    commands_after,
    commands_of_devices,
    device_states,
    newest_command_id,
)
from storage.repositories.overrides import OverrideRepository
from storage.tables import CommandRow

log = get_logger(__name__)

COMMANDS_SINCE = timedelta(hours=2)  # before the last look: as far back as the guard and the explanation of changes go
LATE_IDS = 50  # below the newest of the command ledger: such a row may be committed after it, on PostgreSQL
Value = TypeVar("Value")


@dataclass(slots=True)
class _Parsed(Generic[Value]):
    """Values of texts, by id; a text that has not changed is not parsed again."""

    parse: Callable[[int, str], Value]
    _kept: dict[int, tuple[str, Value]] = field(default_factory=dict)

    def of(self, texts: Iterable[tuple[int, str]]) -> dict[int, Value]:
        before, self._kept = self._kept, {}
        for key, text in texts:
            known = before.get(key)
            self._kept[key] = known if known is not None and known[0] == text else (text, self.parse(key, text))
        return {key: value for key, (_, value) in self._kept.items()}


@dataclass(slots=True)
class Reader:
    """Reads the database for one engine."""

    _values: _Parsed[Mapping[str, Any]] = field(default_factory=lambda: _Parsed(_values_of))
    _curves: _Parsed[ComfortCurve] = field(default_factory=lambda: _Parsed(comfort_from))
    _commands: dict[int, list[CommandRow]] = field(default_factory=dict)  # by device, oldest first
    _newest_command_id: int = 0

    def look(
        self, session: Session, now: datetime, minds: Sequence[RoomMind], override_id: int, person_command_id: int
    ) -> Look:
        """What the database says now.

        Parameters
        ----------
        override_id, person_command_id : int
            The newest override and command of a person that were heeded.
        """
        states = device_states(session)
        values = self._values.of((device_id, text) for device_id, _, text in states)
        curves = comfort_curves(session)
        known = self._curves.of((room_id, text) for room_id, text, _ in curves)
        overrides = OverrideRepository(session)
        return Look(
            now=now,
            live={device_id: Live(online, values[device_id]) for device_id, online, _ in states},
            overrides={row.room_id: row for row in overrides.open()},
            left_at=left_at(session, now),
            commands=self._read_commands(session, now, minds),
            curves={mind.layout.id: known.get(mind.layout.id) or ComfortCurve() for mind in minds},
            curves_at={room_id: updated_at for room_id, _, updated_at in curves},
            new_overrides=overrides.after(override_id),
            new_person_commands=CommandRepository(session).by_people_after(person_command_id),
        )

    def _read_commands(
        self, session: Session, now: datetime, minds: Sequence[RoomMind]
    ) -> Mapping[int, Sequence[CommandRow]]:
        """Commands of each unit; those whose end was seen stay as they are."""
        since = {mind.layout.unit.id: (mind.unit.looked_at or now) - COMMANDS_SINCE for mind in minds}
        before = self._commands
        self._commands = {unit_id: before.get(unit_id, []) for unit_id in since}
        changed: list[CommandRow] = []
        if before:
            opened = [row.id for rows in self._commands.values() for row in rows if row.ended_at is None]
            changed += commands_after(session, self._newest_command_id - LATE_IDS, opened)
        unknown = since.keys() - before.keys()
        if unknown:
            changed += commands_of_devices(session, unknown, min(since[unit_id] for unit_id in unknown))
        by_unit: dict[int, dict[int, CommandRow]] = {}
        for row in changed:
            by_unit.setdefault(row.device_id, {})[row.id] = row
        for unit_id in by_unit.keys() & since.keys():
            rows = {**{row.id: row for row in self._commands[unit_id]}, **by_unit[unit_id]}
            self._commands[unit_id] = [rows[i] for i in sorted(rows) if rows[i].queued_at >= since[unit_id]]
        self._newest_command_id = newest_command_id(session)
        return self._commands


@lru_cache(maxsize=1024)  # what a device says of several quantities it mostly says at once
def _instant(at_us: int) -> datetime:
    return from_epoch_us(at_us)


def _values_of(device_id: int, text: str) -> Mapping[str, Any]:
    try:
        pairs = msgspec.json.decode(text)
        return {name: (pair[0], _instant(pair[1])) for name, pair in pairs.items()}
    except (*UNREADABLE, msgspec.MsgspecError) as error:
        log.error("device_state_unreadable", device_id=device_id, reason=repr(error)[:200])
        return {}
