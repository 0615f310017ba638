"""The ledger of energy: quarters, hours and days of use, and the checkpoints from which late readings are folded in.

All times are microseconds since 1970. Hours and days are changed in the same transaction as their quarters, by the same
amounts, so the parts always sum to the whole.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Table

from core.words import Source
from storage.bulk import change, insert_rows, query, to_json
from storage.tables import LedgerCheckpointRow, UsageDayRow, UsageHourRow, UsageQuarterRow

HOUR_US = 3600 * 1_000_000
NOTHING_S = 5e-7  # half of the smallest time that can be covered

QUARTERS = cast(Table, UsageQuarterRow.__table__)
HOURS = cast(Table, UsageHourRow.__table__)
DAYS = cast(Table, UsageDayRow.__table__)
CHECKPOINTS = cast(Table, LedgerCheckpointRow.__table__)

Cells = Mapping[int, Sequence[float]]  # by start of the quarter: energy_kwh, covered time in microseconds
Booking = tuple[int, Source, Cells, Callable[[int], str]]  # device, source, cells, local day of an instant


def book(connection: Connection, bookings: Iterable[Booking], *, correction: bool = False) -> None:
    """Add energy and covered time to quarters, hours and local days.

    Parameters
    ----------
    correction : bool
        The amounts may be negative, and a row of which nothing is left is dropped.
    """
    quarters: dict[tuple[int, int, str], list[float]] = {}
    hours: dict[tuple[int, int, str], list[float]] = {}
    days: dict[tuple[int, str, str], list[float]] = {}
    for device_id, source, cells, local_day in bookings:
        name = source.value
        for start_us, (energy_kwh, covered_us) in cells.items():
            covered_s = covered_us / 1e6
            quarters[start_us, device_id, name] = [energy_kwh, covered_s]
            hour = hours.setdefault((device_id, start_us - start_us % HOUR_US, name), [0.0, 0.0])
            hour[0] += energy_kwh
            hour[1] += covered_s
            day = days.setdefault((device_id, local_day(start_us), name), [0.0, 0.0])
            day[0] += energy_kwh
            day[1] += covered_s
    least = "max" if connection.dialect.name == "sqlite" else "greatest"
    for table, sums in ((QUARTERS, quarters), (HOURS, hours), (DAYS, days)):
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        added = ", ".join(
            f"{name} = {least}(0.0, {table.name}.{name} + excluded.{name})" for name in ("energy_kwh", "covered_s")
        )
        rows = [(*key, *amounts) for key, amounts in sums.items()]
        insert_rows(connection, table, rows, f"({keys}) DO UPDATE SET {added}")
        if correction:
            matches = " AND ".join(f'"{column.name}" = ?' for column in table.primary_key)
            change(
                connection,
                f'DELETE FROM "{table.name}" WHERE {matches} AND covered_s < {NOTHING_S}',  # noqa: S608 names of ours
                list(sums),
            )


def save_checkpoints(connection: Connection, checkpoints: Iterable[tuple[int, int, Mapping[str, Any]]]) -> None:
    """Keep states of the ledger: device, start of a UTC day, the state before its first reading."""
    rows = [(device_id, at_us, to_json(state)) for device_id, at_us, state in checkpoints]
    insert_rows(connection, CHECKPOINTS, rows, "(device_id, at) DO UPDATE SET state = excluded.state")


def checkpoint_before(connection: Connection, device_id: int, at_us: int) -> tuple[int, dict[str, Any]] | None:
    """The newest checkpoint of a device at or before an instant: its day, its state."""
    found = query(
        connection,
        "SELECT at, CAST(state AS TEXT) FROM ledger_checkpoint "
        "WHERE device_id = ? AND at <= ? ORDER BY at DESC LIMIT 1",
        (device_id, at_us),
    )
    return (found[0][0], msgspec.json.decode(found[0][1])) if found else None


def prune_checkpoints(connection: Connection, before_us: int) -> int:
    """Drop checkpoints of days before an instant; they are of no use without their reports."""
    return change(connection, "DELETE FROM ledger_checkpoint WHERE at < ?", (before_us,))
