"""What a household lets the engine do with a plug by itself, and what it might let it do.

Of a device (scope ``device``), as JSON: ``allowance``, written for people; ``proposals`` and ``plug``, written by the
engine (``control.plug_habits``, ``control.appliances``)::

    allowance = {"cut_off": false, "window": {"hours": 3.0, "ready_by": "07:00"}}   window: null where not allowed
    proposals = {"items": [{"code", "energy_kwh_per_year", "cost_per_year", "currency", "values", "allow"}], ...}

``allow`` is the allowance that does what is proposed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.words import Kind
from storage.repositories.kept import put
from storage.tables import ApplianceRow, DeviceRow, Json, LearnedRow

DEVICE = "device"
ALLOWANCE, PROPOSALS, MEMORY = "allowance", "proposals", "plug"


@dataclass(frozen=True, slots=True)
class DeviceLearned:
    """A plug that is not removed, with what is kept of it by name."""

    device: DeviceRow
    appliance: ApplianceRow | None
    values: dict[str, Any]


def allowance_of(session: Session, device_id: int) -> Json | None:
    """What is allowed of a device; None where nobody ever said."""
    row = session.get(LearnedRow, (DEVICE, device_id, ALLOWANCE))
    return None if row is None else row.value


def set_allowance(session: Session, device_id: int, value: Json, now: datetime) -> None:
    """Write what is allowed of a device."""
    put(session, DEVICE, device_id, ALLOWANCE, value, now)
    session.flush()


def plugs_of_home(session: Session, home_id: int) -> list[DeviceLearned]:
    """Plugs of a home, in order of their ids."""
    query = _PLUGS.where(DeviceRow.home_id == home_id).order_by(DeviceRow.id)
    return _with_values(session, [(row[0], row[1]) for row in session.execute(query)])


def plugs_spoken_of(session: Session) -> list[DeviceLearned]:
    """Every plug of which somebody ever allowed something."""
    told = LearnedRow.scope_id == DeviceRow.id, LearnedRow.scope == DEVICE, LearnedRow.name == ALLOWANCE
    query = _PLUGS.join(LearnedRow, and_(*told)).order_by(DeviceRow.id)
    return _with_values(session, [(row[0], row[1]) for row in session.execute(query)])


def plugs_to_study(session: Session, now: datetime, every: timedelta, limit: int) -> list[DeviceLearned]:
    """Some plugs with something idle behind them whose proposals are older than ``every``, or not made yet."""
    told = LearnedRow.scope_id == DeviceRow.id, LearnedRow.scope == DEVICE, LearnedRow.name == PROPOSALS
    query = (
        _PLUGS.outerjoin(LearnedRow, and_(*told))
        .where(
            ApplianceRow.kind == Kind.PLUG,
            or_(LearnedRow.updated_at.is_(None), LearnedRow.updated_at <= now - every),
        )
        .order_by(DeviceRow.id)
        .limit(limit)
    )
    return _with_values(session, [(row[0], row[1]) for row in session.execute(query)])


_PLUGS = (
    select(DeviceRow, ApplianceRow)
    .outerjoin(ApplianceRow, ApplianceRow.id == DeviceRow.appliance_id)
    .where(DeviceRow.kind == Kind.PLUG, DeviceRow.removed_at.is_(None))
)


def _with_values(session: Session, found: list[tuple[DeviceRow, ApplianceRow | None]]) -> list[DeviceLearned]:
    ids = [device.id for device, _ in found]
    learned = select(LearnedRow).where(LearnedRow.scope == DEVICE, LearnedRow.scope_id.in_(ids))
    values: dict[int, dict[str, Any]] = {device_id: {} for device_id in ids}
    for row in session.scalars(learned):
        values[row.scope_id][row.name] = row.value
    return [DeviceLearned(device, appliance, values[device.id]) for device, appliance in found]
