"""The conventional program: what the household did at each hour before the engine, on the unit's own thermostat.

Learned from the settings of the unit while people alone changed them; the fallback when data are stale, and what the
kill switch returns to. Kept in ``learned`` (scope ``room``, name ``conventional``)::

    {"version": 1, "days": days that it rests on, "slots": [[share of the time on, mode, setpoint_c, fan] x 48]}

with 24 hours of working days, then 24 of weekends; mode, setpoint and fan are those seen longest, null if never on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from control.history import Setting
from core.words import Fan, Mode
from models.words import Wish

SLOTS = 48
LEAST_DAYS = 3.0  # before this much is known there is no program
USUALLY = 0.5  # share of the time above which an hour counts as on


@dataclass(frozen=True, slots=True)
class Slot:
    """One hour of one kind of day."""

    on_share: float
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan | None


@dataclass(frozen=True, slots=True)
class Program:
    """The household's own program."""

    days: float
    slots: tuple[Slot, ...]

    def at(self, at: datetime, zone: ZoneInfo) -> Wish | None:
        """What the household usually has the unit do at an instant; None while too little is known."""
        if self.days < LEAST_DAYS:
            return None
        slot = self.slots[_slot(at, zone)]
        if slot.on_share < USUALLY or slot.mode is None:
            return Wish(False, None, None, slot.fan or Fan.AUTO)
        return Wish(True, slot.mode, slot.setpoint_c, slot.fan or Fan.AUTO)

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        slots = [
            [
                round(slot.on_share, 3),
                None if slot.mode is None else str(slot.mode),
                slot.setpoint_c,
                None if slot.fan is None else str(slot.fan),
            ]
            for slot in self.slots
        ]
        return {"version": 1, "days": self.days, "slots": slots}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Program | None":
        """The program of ``to_json``."""
        if value is None:
            return None
        slots = tuple(
            Slot(share, Mode(mode) if mode else None, setpoint_c, Fan(fan) if fan else None)
            for share, mode, setpoint_c, fan in value["slots"]
        )
        return cls(value["days"], slots)


def learn(quarters: Iterable[tuple[int, Setting]], zone: ZoneInfo) -> Program:
    """The program of quarters of an hour (start in s since 1970, and the setting that held)."""
    seen = [0] * SLOTS
    running = [0] * SLOTS
    choices: list[Counter[tuple[Mode | None, float | None, Fan | None]]] = [Counter() for _ in range(SLOTS)]
    for start_s, setting in quarters:
        index = _slot(datetime.fromtimestamp(start_s, tz=UTC), zone)
        seen[index] += 1
        if setting.on:
            running[index] += 1
            choices[index][(setting.mode, setting.setpoint_c, setting.fan)] += 1
    slots = []
    for index in range(SLOTS):
        mode, setpoint_c, fan = choices[index].most_common(1)[0][0] if choices[index] else (None, None, None)
        slots.append(Slot(running[index] / seen[index] if seen[index] else 0.0, mode, setpoint_c, fan))
    return Program(days=sum(seen) / 96.0, slots=tuple(slots))


def _slot(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.hour + (24 if local.weekday() >= 5 else 0)
