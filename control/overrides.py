"""A change that no command of ours explains was made by hand: on the unit, by its remote control, in Home Assistant.

What the unit shows is compared with what it was last known to be set to. A difference is explained by a command that
is on its way, or was observed since the last look; anything else is a person's doing, and wins. That is so too where a
person undoes a command before the next look: what the unit was seen to obey meanwhile is what it was set to.

Kept in ``learned`` (scope ``room``, name ``unit``)::

    {"version": 1, "expected": {quantity: value}, "looked_at": us, "switched_at": us or null, "hand_at": us or null,
     "control": "auto", "steered": true, "override_done": id or null}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from control.room_state import Value
from core.units import from_epoch_us, to_epoch_us
from core.words import Command, CommandState
from storage.tables import CommandRow

QUANTITIES = ("on", "mode", "setpoint_c", "fan")
_INSTANTS = ("looked_at", "switched_at", "hand_at")
SAME_K = 0.05


@dataclass(slots=True)
class UnitMemory:
    """What is known of a unit from one look to the next."""

    expected: dict[str, Any] = field(default_factory=dict)
    looked_at: datetime | None = None
    switched_at: datetime | None = None  # it last went on or off
    hand_at: datetime | None = None  # the unit itself last said that a person did it
    control: str | None = None  # of the room, at the last look
    steered: bool = False  # the engine has commanded the unit, and has not handed it back since
    override_done: int | None = None  # the newest override that the engine has answered

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        return {
            "version": 1,
            "expected": self.expected,
            **{name: _to_us(getattr(self, name)) for name in _INSTANTS},
            "control": self.control,
            "steered": self.steered,
            "override_done": self.override_done,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "UnitMemory":
        """The memory of ``to_json``."""
        value = value or {}
        instants = {name: None if value.get(name) is None else from_epoch_us(value[name]) for name in _INSTANTS}
        control = value.get("control")
        steered = bool(value.get("steered", control == "auto"))  # what was kept before this was noted
        done = value.get("override_done")
        return cls(dict(value.get("expected") or {}), **instants, control=control, steered=steered, override_done=done)


@dataclass(frozen=True, slots=True)
class Change:
    """A change by hand: what the unit is set to since, and when it was seen."""

    target: Command
    at: datetime


def look(
    memory: UnitMemory,
    values: Mapping[str, Value],
    commands: Iterable[CommandRow],
    now: datetime,
    *,
    slack: timedelta,
    step_k: float,
) -> tuple[UnitMemory, Change | None]:
    """Compare what a unit shows with what it should.

    Parameters
    ----------
    commands : Iterable of CommandRow
        Commands of this unit that were sent lately, by whomever.
    slack : timedelta
        How far the instants of different processes may be apart.
    step_k : float
        Of the unit's setpoints: it may round what it is told to the nearest.

    Returns
    -------
    tuple of UnitMemory and (Change or None)
        What is known after this look, to be taken over once the change is kept; what a person did since the last look.
    """
    memory = replace(memory, expected=dict(memory.expected))
    since = memory.looked_at or now
    explaining = [row for row in commands if _may_explain(row, since - slack)]
    _take_observed(memory, values, explaining, since)
    hand, hand_at = _says_by_hand(memory, values), since
    for name in QUANTITIES:
        if name not in values or values[name][0] is None:
            continue
        value, at = values[name]
        before = memory.expected.get(name)
        if before is None or not _same(value, before):
            if name == "on" and before is not None:
                memory.switched_at = at
            if before is not None and not _explained(name, value, explaining, step_k) and _matters(name, values):
                hand, hand_at = True, max(hand_at, at)
            memory.expected[name] = value
    memory.looked_at = now
    if not hand:
        return memory, None
    target = Command.from_dict({name: memory.expected.get(name) for name in QUANTITIES})
    return memory, Change(target, min(hand_at, now))


def with_commands(values: Mapping[str, Any], commands: Iterable[CommandRow]) -> dict[str, Any]:
    """What a unit will show once the commands that are under way have arrived."""
    after = dict(values)
    for row in commands:
        if row.ended_at is None and row.observed_at is None:
            after.update(row.body)
    return after


def _take_observed(
    memory: UnitMemory, values: Mapping[str, Value], commands: Iterable[CommandRow], since: datetime
) -> None:
    """What the unit obeyed since the last look and has said something newer of: no look has seen it."""
    for row in commands:
        if row.observed_at is None or row.observed_at < since:
            continue
        for name in row.body.keys() & values.keys():
            if values[name][1] <= row.observed_at:
                continue
            if name == "on" and memory.expected.get(name) not in (None, row.body[name]):
                memory.switched_at = row.observed_at
            memory.expected[name] = row.body[name]


def _may_explain(row: CommandRow, since: datetime) -> bool:
    """Sent, and not already seen to be done before the last look."""
    if row.sent_at is None or row.state == CommandState.QUEUED:
        return False
    done_at = row.observed_at or row.ended_at
    return done_at is None or done_at >= since


def _explained(name: str, value: object, commands: Iterable[CommandRow], step_k: float) -> bool:
    """By a command that says so, or that left the quantity to the unit (which may move it along with the others)."""
    return any(name not in row.body or _same(value, row.body[name], step_k / 2.0) for row in commands)


def _says_by_hand(memory: UnitMemory, values: Mapping[str, Value]) -> bool:
    """Whether the unit itself says, since the last look, that a person did it (an infrared receiver saw a remote)."""
    flag = values.get("by_hand")
    if flag is None or not flag[0] or flag[1] == memory.hand_at:
        return False
    first, memory.hand_at = memory.looked_at is None, flag[1]
    return not first


def _to_us(at: datetime | None) -> int | None:
    return None if at is None else to_epoch_us(at)


def _matters(name: str, values: Mapping[str, Value]) -> bool:
    """Mode, setpoint and fan of a unit that is off mean nothing: some forget or change them while off."""
    on = values.get("on")
    return name == "on" or on is None or bool(on[0])


def _same(a: object, b: object, tolerance_k: float = SAME_K) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return a == b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= tolerance_k + 1e-9
    return a == b
