"""Rows as the API shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api import schemas
from core.appliance_sentences import appliance_reason, reason_codes
from core.clock import Clock
from core.sentences import sentence
from core.units import from_epoch_us
from core.words import CommandState, Kind, Scope
from storage.repositories.homes import DeviceNow
from storage.repositories.learned import ComfortCurve
from storage.tables import (
    CommandRow,
    DecisionRow,
    HomeRow,
    KillSwitchRow,
    OverrideRow,
    QuarantineRow,
    TrialDayRow,
)

MINUTE = timedelta(minutes=1)
STALE_AFTER = 15 * MINUTE
# how long a value holds that nobody has repeated; a battery thermometer speaks once an hour if nothing moves
FRESH = {
    "room_temperature_c": 65 * MINUTE,
    "humidity_pct": 180 * MINUTE,
    "outdoor_temperature_c": 120 * MINUTE,
    "occupied": 30 * MINUTE,
}
WALL_SLACK_S = 20.0  # under a fast clock a message on its way is minutes old
OUTDOOR_WORDS = ("outdoor", "outside", "balcony", "室外", "户外", "戶外", "阳台", "陽台")


@dataclass(frozen=True, slots=True)
class Present:
    """The home's now, and what is still part of it."""

    now: datetime
    slack: timedelta

    @classmethod
    def of(cls, clock: Clock) -> "Present":
        """The present of a clock."""
        return cls(clock.now(), timedelta(seconds=WALL_SLACK_S * clock.factor))

    def is_fresh(self, at: datetime | None, limit: timedelta = STALE_AFTER) -> bool:
        """Whether something heard at ``at`` still holds."""
        return at is not None and self.now - at <= max(limit, self.slack)


class Values:
    """Newest quantities of a device, with the time of each."""

    def __init__(self, values: dict[str, Any] | None) -> None:
        self._values = values or {}

    def get(self, quantity: str) -> Any:
        """The newest value, or None."""
        pair = self._values.get(quantity)
        return None if pair is None else pair[0]

    def at(self, quantity: str) -> datetime | None:
        """When it was measured."""
        pair = self._values.get(quantity)
        return None if pair is None else from_epoch_us(int(pair[1]))

    def fresh(self, quantity: str, present: Present) -> Any:
        """The newest value if it still holds."""
        return self.get(quantity) if present.is_fresh(self.at(quantity), FRESH.get(quantity, STALE_AFTER)) else None

    def newest_at(self) -> datetime | None:
        """When the newest of them was measured."""
        return max((from_epoch_us(int(pair[1])) for pair in self._values.values()), default=None)

    def plain(self) -> dict[str, Any]:
        """Values without their times."""
        return {name: pair[0] for name, pair in self._values.items()}


def values_of(found: DeviceNow) -> Values:
    """What a device said last."""
    return Values(None if found.state is None else found.state.values)


def hangs_outdoors(found: DeviceNow) -> bool:
    """Whether a thermometer belongs to no room and is named so."""
    name = found.device.name.lower()
    named = any(word in name for word in OUTDOOR_WORDS)
    return found.device.room_id is None and found.device.kind == Kind.THERMOMETER and named


def device(found: DeviceNow, present: Present) -> schemas.Device:
    """A device and what it said last."""
    row, state, values = found.device, found.state, values_of(found)
    last_seen = None if state is None else state.last_report_at
    silence = FRESH["room_temperature_c"] if row.kind == Kind.THERMOMETER else STALE_AFTER
    return schemas.Device(
        id=row.id,
        home_id=row.home_id,
        home=found.home,
        room_id=row.room_id,
        room=found.room,
        appliance_id=row.appliance_id,
        appliance=found.appliance,
        kind=Kind(row.kind),
        name=row.name,
        dialect=row.dialect,
        native_id=row.native_id,
        manufacturer=row.manufacturer,
        model=row.model,
        firmware=row.firmware,
        online=None if state is None else state.online,
        last_seen=last_seen,
        stale=not present.is_fresh(last_seen, silence),
        power_w=values.fresh("power_w", present),
        values=values.plain(),
        capabilities=row.capabilities,
    )


def body(values: dict[str, Any] | None) -> schemas.CommandBody:
    """What a device is told."""
    names = schemas.CommandBody.model_fields
    return schemas.CommandBody(**{name: value for name, value in (values or {}).items() if name in names})


def command_summary(row: CommandRow | None) -> schemas.CommandSummary | None:
    """Where a command stands."""
    return None if row is None else schemas.CommandSummary(id=row.id, state=CommandState(row.state))


def command(row: CommandRow) -> schemas.Command:
    """A command and what became of it."""
    return schemas.Command(
        id=row.id,
        state=CommandState(row.state),
        device_id=row.device_id,
        requested_by=row.requested_by,
        body=body(row.body),
        queued_at=row.queued_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        observed_at=row.observed_at,
        ended_at=row.ended_at,
        detail=row.detail,
    )


def decision(row: DecisionRow, sent: CommandRow | None, language: str) -> schemas.Decision:
    """What the engine chose, and why."""
    reason = schemas.Reason(code=str(row.reason.get("code", "")), values=row.reason.get("values") or {})
    return schemas.Decision(
        id=row.id,
        room_id=row.room_id,
        device_id=row.device_id,
        decided_at=row.decided_at,
        controller=row.controller,
        control=None if row.control is None else schemas.Control(row.control),
        arm=schemas.Arm(row.saw["arm"]) if row.saw.get("arm") in set(schemas.Arm) else None,
        action=body(row.action),
        proposed=body(row.proposed),
        guard=[str(rule) for rule in row.guard],
        reason=_sentence(reason, language),
        reason_code=reason,
        saw=row.saw,
        outlook=row.outlook,
        command=command_summary(sent),
    )


def _sentence(reason: schemas.Reason, language: str) -> str:
    try:
        if reason.code in reason_codes():
            return appliance_reason(reason.code, str(reason.values["place"]), reason.values, language)
        return sentence(reason.code, reason.values, language)
    except (KeyError, TypeError, ValueError):
        return reason.code  # of another version: its word is better than nothing


def override(row: OverrideRow | None) -> schemas.Override | None:
    """A manual change."""
    if row is None:
        return None
    return schemas.Override(
        id=row.id,
        room_id=row.room_id,
        origin=row.origin,
        target=body(row.target),
        started_at=row.started_at,
        until=row.until,
        ended_at=row.ended_at,
    )


def kill_switch(own: KillSwitchRow | None, of_all: KillSwitchRow | None) -> schemas.KillSwitch:
    """Whether the engine is kept away, and since when; the wider switch is told first."""
    held = of_all or own
    return schemas.KillSwitch(
        engaged=held is not None,
        engaged_at=None if held is None else held.engaged_at,
        engaged_by=None if held is None else held.engaged_by,
        every_home=of_all is not None,
    )


def trial_day(row: TrialDayRow, seed: int) -> schemas.TrialDay:
    """A local day of a comparison."""
    return schemas.TrialDay(
        trial_id=row.trial_id,
        seed=seed,
        day=row.day,
        arm=schemas.Arm(row.arm),
        start=row.start_at,
        end=row.end_at,
        assigned_at=row.assigned_at,
    )


def comfort(room_id: int, curve: ComfortCurve) -> schemas.Comfort:
    """The comfort curve of a room."""
    points = [
        schemas.ComfortPoint(
            season=season,
            state=state,
            neutral_c=point.neutral_c,
            half_width_k=point.used_half_width_k,
            deviation_k=point.deviation_k,
            observations=point.observations,
            pinned=point.pinned,
        )
        for season, states in curve.points.items()
        for state, point in states.items()
    ]
    return schemas.Comfort(room_id=room_id, points=points)


def home(row: HomeRow, scope: Scope) -> schemas.Home:
    """A household."""
    return schemas.Home(id=row.id, name=row.name, time_zone=row.time_zone, currency=row.currency, scope=scope)


def quarantined(rows: Sequence[QuarantineRow]) -> list[schemas.Quarantined]:
    """Messages that could not be read."""
    return [
        schemas.Quarantined(
            id=row.id, received_at=row.received_at, topic=row.topic, payload=row.payload, reason=row.reason
        )
        for row in rows
    ]
