"""What devices said over the last weeks, hour by hour."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, cast, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from core.units import from_epoch_us
from storage.tables import ReportRow

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class HourSaid:
    """Means of an hour (UTC) of one device; None: it said nothing of the kind."""

    device_id: int
    start: datetime
    on_share: float | None
    cool_share: float | None
    heat_share: float | None
    setpoint_c: float | None
    occupied_share: float | None


def hours_said(session: Session, device_ids: Collection[int], start: datetime, end: datetime) -> list[HourSaid]:
    """What these devices said in each hour of [start, end)."""
    if not device_ids:
        return []
    # whole hours since 1970: both databases divide integers to an integer
    hour = type_coerce(ReportRow.measured_at, BigInteger).op("/")(literal_column(str(HOUR_US))).label("hour")
    rows = session.execute(
        select(
            ReportRow.device_id,
            hour,
            func.avg(cast(ReportRow.on, Integer)),
            func.avg(cast(ReportRow.mode == "cool", Integer)),
            func.avg(cast(ReportRow.mode == "heat", Integer)),
            func.avg(ReportRow.setpoint_c),
            func.avg(cast(ReportRow.occupied, Integer)),
        )
        .where(ReportRow.measured_at >= start, ReportRow.measured_at < end, ReportRow.device_id.in_(list(device_ids)))
        .group_by(ReportRow.device_id, hour)
    )
    return [HourSaid(row[0], from_epoch_us(row[1] * HOUR_US), *map(_number, row[2:])) for row in rows]


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
