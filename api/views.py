"""Rows as the API shows them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from api import schemas
from core.sentences import sentence
from core.units import from_epoch_us
from storage.repositories.homes import DeviceNow
from storage.repositories.learned import ComfortCurve
from storage.tables import CommandRow, DecisionRow, HomeRow, OverrideRow, QuarantineRow

STALE_AFTER = timedelta(minutes=15)


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

    def fresh(self, quantity: str, now: datetime) -> Any:
        """The newest value if it is not stale."""
        at = self.at(quantity)
        return self.get(quantity) if at is not None and now - at <= STALE_AFTER else None

    def newest_at(self) -> datetime | None:
        """When the newest of them was measured."""
        return max((from_epoch_us(int(pair[1])) for pair in self._values.values()), default=None)

    def plain(self) -> dict[str, Any]:
        """Values without their times."""
        return {name: pair[0] for name, pair in self._values.items()}


def values_of(found: DeviceNow) -> Values:
    """What a device said last."""
    return Values(None if found.state is None else found.state.values)


def is_stale(at: datetime | None, now: datetime) -> bool:
    """Whether something last heard at ``at`` is too old to act on."""
    return at is None or now - at > STALE_AFTER


def device(found: DeviceNow, now: datetime) -> schemas.Device:
    """A device and what it said last."""
    row, state, values = found.device, found.state, values_of(found)
    last_seen = None if state is None else state.last_report_at
    return schemas.Device(
        id=row.id,
        home_id=row.home_id,
        home=found.home,
        room_id=row.room_id,
        room=found.room,
        appliance_id=row.appliance_id,
        appliance=found.appliance,
        kind=schemas.Kind(row.kind),
        name=row.name,
        dialect=row.dialect,
        native_id=row.native_id,
        manufacturer=row.manufacturer,
        model=row.model,
        firmware=row.firmware,
        online=None if state is None else state.online,
        last_seen=last_seen,
        stale=is_stale(last_seen, now),
        power_w=values.fresh("power_w", now),
        values=values.plain(),
        capabilities=row.capabilities,
    )


def body(values: dict[str, Any] | None) -> schemas.CommandBody:
    """What a device is told."""
    names = schemas.CommandBody.model_fields
    return schemas.CommandBody(**{name: value for name, value in (values or {}).items() if name in names})


def command_summary(row: CommandRow | None) -> schemas.CommandSummary | None:
    """Where a command stands."""
    return None if row is None else schemas.CommandSummary(id=row.id, state=schemas.CommandState(row.state))


def command(row: CommandRow) -> schemas.Command:
    """A command and what became of it."""
    return schemas.Command(
        id=row.id,
        state=schemas.CommandState(row.state),
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


def comfort(room_id: int, curve: ComfortCurve) -> schemas.Comfort:
    """The comfort curve of a room."""
    points = [
        schemas.ComfortPoint(
            season=season,
            state=state,
            neutral_c=point.neutral_c,
            half_width_k=point.half_width_k,
            deviation_k=point.deviation_k,
            observations=point.observations,
            pinned=point.pinned,
        )
        for season, states in curve.points.items()
        for state, point in states.items()
    ]
    return schemas.Comfort(room_id=room_id, points=points)


def home(row: HomeRow, scope: schemas.Scope) -> schemas.Home:
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
