"""What stored reports say of the past, in quarters of an hour: where presence, habits and weather are learned from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, cast, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from core.units import to_epoch_us
from core.words import Fan, Mode
from storage.tables import ReportRow

QUARTER_S = 900
_QUARTER_US = QUARTER_S * 1_000_000


@dataclass(frozen=True, slots=True)
class Quarter:
    """Means of one device over 15 minutes; None where it said nothing of it."""

    start_s: int  # since 1970
    power_w: float | None
    room_temperature_c: float | None
    outdoor_temperature_c: float | None
    solar_w_m2: float | None
    occupied: float | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a unit was set to from an instant on."""

    at_s: float  # since 1970
    on: bool
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan | None


def read_quarters(
    session: Session, device_ids: Iterable[int], start: datetime, end: datetime
) -> dict[int, list[Quarter]]:
    """Quarters of some devices in [start, end), in order; empty quarters are left out."""
    quarter = (type_coerce(ReportRow.measured_at, BigInteger) // _QUARTER_US).label("quarter")
    query = (
        select(
            ReportRow.device_id,
            quarter,
            func.avg(ReportRow.power_w),
            func.avg(ReportRow.room_temperature_c),
            func.avg(ReportRow.outdoor_temperature_c),
            func.avg(ReportRow.solar_w_m2),
            func.avg(cast(ReportRow.occupied, Integer)),
        )
        .where(
            ReportRow.measured_at >= start,
            ReportRow.measured_at < end,
            ReportRow.device_id.in_(list(device_ids)),
        )
        .group_by(ReportRow.device_id, quarter)
        .order_by(ReportRow.device_id, quarter)
    )
    found: dict[int, list[Quarter]] = {}
    for device_id, number, *means in session.execute(query):
        values = [None if mean is None else float(mean) for mean in means]
        found.setdefault(device_id, []).append(Quarter(int(number) * QUARTER_S, *values))
    return found


def read_settings(session: Session, unit_id: int, start: datetime, end: datetime) -> list[Setting]:
    """Every change of what a unit was set to in [start, end), in order; a report that changes nothing is left out."""
    at = type_coerce(ReportRow.measured_at, BigInteger)
    query = (
        select(at, ReportRow.on, ReportRow.mode, ReportRow.setpoint_c, ReportRow.fan)
        .where(
            ReportRow.measured_at >= start,
            ReportRow.measured_at < end,
            ReportRow.device_id == unit_id,
            or_(ReportRow.on.is_not(None), ReportRow.setpoint_c.is_not(None), ReportRow.mode.is_not(None)),
        )
        .order_by(ReportRow.measured_at)
        .execution_options(yield_per=2000)
    )
    changes: list[Setting] = []
    last: tuple[object, ...] | None = None
    on = mode = setpoint_c = fan = None
    for at_us, new_on, new_mode, new_setpoint_c, new_fan in session.execute(query):
        on, mode = on if new_on is None else new_on, mode if new_mode is None else new_mode
        setpoint_c = setpoint_c if new_setpoint_c is None else new_setpoint_c
        fan = fan if new_fan is None else new_fan
        present = (on, mode, setpoint_c, fan)
        if on is None or present == last:
            continue
        last = present
        changes.append(
            Setting(at_us / 1e6, bool(on), Mode(mode) if mode else None, setpoint_c, Fan(fan) if fan else None)
        )
    return changes


def settings_by_quarter(settings: list[Setting], end: datetime) -> Iterator[tuple[int, Setting]]:
    """The setting that held at the middle of each quarter, from the first change to ``end``; [s since 1970]."""
    if not settings:
        return
    end_s = to_epoch_us(end) / 1e6
    index = 0
    start_s = int(settings[0].at_s // QUARTER_S) * QUARTER_S
    while start_s + QUARTER_S <= end_s:
        middle_s = start_s + QUARTER_S / 2
        while index + 1 < len(settings) and settings[index + 1].at_s <= middle_s:
            index += 1
        if settings[index].at_s <= middle_s:
            yield start_s, settings[index]
        start_s += QUARTER_S
