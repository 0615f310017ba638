"""The ledger of energy, summed for whoever asks.

Where a device has two sources on a local day, the one that covers more of that day is taken for all of it, and the
device's own counter unless the other covers clearly more (``TIE_S``). So hours sum to their day, days to their month.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from core.units import to_epoch_us
from core.words import Source
from storage.tables import DeviceRow, UsageDayRow, UsageQuarterRow

TIE_S = 900.0  # integrated power covers up to 5 minutes behind a last reading; a counter does not
WHOLE_QUARTER_S = 890.0
_HOUR, _QUARTER = timedelta(hours=1), timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span within one local day; pieces of one group are summed together."""

    group: int
    start: datetime
    end: datetime
    day: date
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """What a device used in a group's pieces, by one source."""

    group: int
    device_id: int
    source: Source
    energy_kwh: float
    covered_s: float


def sums(session: Session, device_ids: Collection[int], pieces: Sequence[Piece]) -> list[Sum]:
    """Usage by group, device and source, from the coarsest table that holds the pieces exactly."""
    if not device_ids or not pieces:
        return []
    by_table: dict[str, list[Piece]] = {}
    for piece in pieces:
        for table, part in _parts(piece):
            by_table.setdefault(table, []).append(part)
    found: dict[tuple[int, int, Source], list[float]] = {}
    for table, parts in by_table.items():
        for group, device_id, source, energy_kwh, covered_s in _rows(session, device_ids, table, parts):
            total = found.setdefault((group, device_id, Source(source)), [0.0, 0.0])
            total[0] += energy_kwh
            total[1] += covered_s
    return [Sum(*key, *total) for key, total in found.items()]


def metered_kwh(session: Session, device_id: int, start: datetime, end: datetime) -> tuple[float, float]:
    """What a device used in [start, end), whole quarters, by the source that covers more; and the share it covers."""
    quarters = (
        select(func.sum(UsageQuarterRow.energy_kwh), func.sum(UsageQuarterRow.covered_s))
        .where(
            UsageQuarterRow.device_id == device_id, UsageQuarterRow.start_at >= start, UsageQuarterRow.start_at < end
        )
        .group_by(UsageQuarterRow.source)
    )
    found = [(float(energy_kwh), float(covered_s)) for energy_kwh, covered_s in session.execute(quarters)]
    energy_kwh, covered_s = max(found, key=lambda one: one[1], default=(0.0, 0.0))
    return energy_kwh, covered_s / (end - start).total_seconds()


def covered_quarters(session: Session, device_id: int, start: datetime, end: datetime) -> list[tuple[datetime, float]]:
    """Starts of the quarters in [start, end) that were covered whole, with what was used in each, oldest first. [kWh]

    Of two sources the device's own counter is taken.
    """
    first = start + (_EPOCH - start) % _QUARTER
    starts = [first + number * _QUARTER for number in range(max((end - first) // _QUARTER, 0))]
    query = select(UsageQuarterRow.start_at, UsageQuarterRow.source, UsageQuarterRow.energy_kwh).where(
        UsageQuarterRow.start_at.in_(starts),  # points of the primary key, which begins with the instant
        UsageQuarterRow.device_id == device_id,
        UsageQuarterRow.covered_s >= WHOLE_QUARTER_S,
    )
    counter_last = sorted(session.execute(query), key=lambda row: row.source == Source.COUNTER)
    return sorted({row.start_at: row.energy_kwh for row in counter_last}.items())


def kwh_by_day(session: Session, device_ids: Collection[int], first: date, last: date) -> Mapping[date, float]:
    """The devices' total by local day. [kWh]"""
    if not device_ids:
        return {}
    sqlite = session.get_bind().dialect.name == "sqlite"
    rows = session.execute(
        _DAY_TOTALS[sqlite],
        {
            "devices": json.dumps(sorted(device_ids)),
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "tie_s": TIE_S,
        },
    )
    return {date.fromisoformat(day): energy_kwh for day, energy_kwh in rows}


def first_days(session: Session, device_ids: Collection[int]) -> dict[int, date]:
    """The local day on which each device first measured energy; devices that never did are left out."""
    first = select(func.min(UsageDayRow.day)).where(UsageDayRow.device_id == DeviceRow.id).scalar_subquery()
    rows = session.execute(select(DeviceRow.id, first).where(DeviceRow.id.in_(list(device_ids))))
    return {device_id: date.fromisoformat(day) for device_id, day in rows if day is not None}


def _parts(piece: Piece) -> Iterator[tuple[str, Piece]]:
    """The coarsest table for each part of a piece: whole days, whole hours, and quarters at its edges."""
    if piece.whole_day:
        yield "usage_day", piece
        return
    first, last = piece.start + (_EPOCH - piece.start) % _HOUR, piece.end - (piece.end - _EPOCH) % _HOUR
    if first >= last:
        yield "usage_quarter", piece
        return
    if piece.start < first:
        yield "usage_quarter", replace(piece, end=first)
    yield "usage_hour", replace(piece, start=first, end=last)
    if last < piece.end:
        yield "usage_quarter", replace(piece, start=last)


def _rows(session: Session, device_ids: Collection[int], table: str, pieces: Sequence[Piece]) -> Sequence[Any]:
    return session.execute(
        _QUERIES[table, session.get_bind().dialect.name == "sqlite"],
        {
            "pieces": json.dumps(
                [[one.group, to_epoch_us(one.start), to_epoch_us(one.end), one.day.isoformat()] for one in pieces]
            ),
            "devices": json.dumps(sorted(device_ids)),
            "first_day": min(one.day for one in pieces).isoformat(),
            "last_day": max(one.day for one in pieces).isoformat(),
            "tie_s": TIE_S,
        },
    ).all()


# Lists come in as one JSON text each: a statement of a thousand parameters takes longer to build than to run.
_LISTS = {
    True: """
        piece AS (
            SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS start_at,
                   json_extract(value, '$[2]') AS end_at, json_extract(value, '$[3]') AS day
            FROM json_each(:pieces)
        ),
        chosen_device AS (SELECT value AS id FROM json_each(:devices))
    """,
    False: """
        piece AS (
            SELECT (value ->> 0)::int AS number, (value ->> 1)::bigint AS start_at,
                   (value ->> 2)::bigint AS end_at, value ->> 3 AS day
            FROM jsonb_array_elements(CAST(:pieces AS jsonb))
        ),
        chosen_device AS (SELECT value::bigint AS id FROM jsonb_array_elements_text(CAST(:devices AS jsonb)))
    """,
}
# CROSS JOIN keeps SQLite's planner to this order: few devices and pieces, each a range of the primary key
_PICKED = """
        picked AS (
            SELECT usage_day.device_id, usage_day.day,
                CASE WHEN sum(CASE WHEN source = 'counter' THEN covered_s + :tie_s ELSE 0 END)
                       >= sum(CASE WHEN source = 'integrated' THEN covered_s ELSE 0 END)
                     AND max(CASE WHEN source = 'counter' THEN 1 ELSE 0 END) = 1
                THEN 'counter' ELSE 'integrated' END AS source
            FROM chosen_device CROSS JOIN usage_day
            WHERE usage_day.device_id = chosen_device.id AND usage_day.day BETWEEN :first_day AND :last_day
            GROUP BY usage_day.device_id, usage_day.day
        )
"""
_FROM_TIMES = """
        FROM piece CROSS JOIN chosen_device CROSS JOIN {table} AS used CROSS JOIN picked
        WHERE used.device_id = chosen_device.id AND used.start_at >= piece.start_at AND used.start_at < piece.end_at
          AND picked.device_id = used.device_id AND picked.day = piece.day AND picked.source = used.source
"""
_FROM_DAYS = """
        FROM piece CROSS JOIN chosen_device CROSS JOIN usage_day AS used CROSS JOIN picked
        WHERE used.device_id = chosen_device.id AND used.day = piece.day
          AND picked.device_id = used.device_id AND picked.day = used.day AND picked.source = used.source
"""


def _sum_query(table: str, sqlite: bool) -> TextClause:
    source = _FROM_DAYS if table == "usage_day" else _FROM_TIMES.format(table=table)
    return text(
        f"""WITH {_LISTS[sqlite]}, {_PICKED}
        SELECT piece.number, used.device_id, used.source, sum(used.energy_kwh), sum(used.covered_s)
        {source}
        GROUP BY piece.number, used.device_id, used.source
        ORDER BY piece.number, used.device_id"""
    )


_QUERIES = {
    (table, sqlite): _sum_query(table, sqlite)
    for table in ("usage_quarter", "usage_hour", "usage_day")
    for sqlite in (True, False)
}
_DAY_TOTALS = {
    sqlite: text(
        f"""WITH {_LISTS[sqlite].split("),", 1)[1]}, {_PICKED}
        SELECT used.day, sum(used.energy_kwh)
        FROM picked CROSS JOIN usage_day AS used
        WHERE used.device_id = picked.device_id AND used.day = picked.day AND used.source = picked.source
        GROUP BY used.day"""  # noqa: S608 names of ours
    )
    for sqlite in (True, False)
}
