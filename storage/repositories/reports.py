"""Reports: raw rows by (measured_at, device_id). All times here are microseconds since 1970, rows are tuples."""

from collections.abc import Iterator, Sequence
from typing import cast

import msgspec
from sqlalchemy import Connection, Table

from storage.bulk import Row, change, insert_rows, query, to_json
from storage.tables import ReportRow

TABLE = cast(Table, ReportRow.__table__)
COLUMNS: tuple[str, ...] = tuple(column.name for column in TABLE.columns)
MEASURED, DEVICE, RECEIVED, OWN_TIME, FINGERPRINT, REPEATED = range(6)  # places in a row
QUANTITIES = COLUMNS[6:]  # the same names as in devices.base.Report
POWER, ENERGY_TOTAL = COLUMNS.index("power_w"), COLUMNS.index("energy_total_kwh")
PAGE_ROWS = 20_000
PRUNED = "pruned_until"  # key of the setting
DAY_US = 86_400_000_000

LedgerPart = tuple[int, float | None, float | None, bool]  # measured_at, power_w, energy_total_kwh, repeated


def insert_reports(connection: Connection, rows: Sequence[Row]) -> None:
    """Store new reports; one whose (measured_at, device_id) is there already changes nothing."""
    insert_rows(connection, TABLE, rows, "DO NOTHING")


def replace_reports(connection: Connection, rows: Sequence[Row]) -> None:
    """Store reports in place of those of the same (measured_at, device_id)."""
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS[2:])
    insert_rows(connection, TABLE, rows, f"(measured_at, device_id) DO UPDATE SET {changed}")


def reports_between(connection: Connection, device_id: int, first_us: int, last_us: int) -> dict[int, Row]:
    """Rows of a device by their measured_at, both ends included."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    found = query(
        connection,
        f"SELECT {names} FROM report WHERE measured_at BETWEEN ? AND ? AND device_id = ?",  # noqa: S608 names of ours
        (first_us, last_us, device_id),
    )
    return {row[MEASURED]: tuple(row) for row in found}


def readings_since(connection: Connection, device_id: int, start_us: int | None) -> Iterator[LedgerPart]:
    """What the ledger needs of a device's rows from an instant on (None: all), in order, read page by page."""
    after_us = -(2**62) if start_us is None else start_us - 1
    while True:
        page = query(
            connection,
            "SELECT measured_at, power_w, energy_total_kwh, repeated FROM report "
            "WHERE measured_at > ? AND device_id = ? AND (power_w IS NOT NULL OR energy_total_kwh IS NOT NULL) "
            "ORDER BY measured_at LIMIT ?",
            (after_us, device_id, PAGE_ROWS),
        )
        for at_us, power_w, total_kwh, repeated in page:
            yield at_us, power_w, total_kwh, bool(repeated)
        if len(page) < PAGE_ROWS:
            return
        after_us = page[-1][0]


def recent_fingerprints(connection: Connection, now_us: int, span_us: int, limit: int) -> list[int]:
    """Fingerprints of the newest reports without a time of their own, oldest first.

    ``span_us`` before the newest report are looked through. That is the newest up to now, so that a device whose
    clock is ahead hides nothing, or the newest of all where our own clock was set back.
    """
    newest_us = None
    for limit_us in (now_us, now_us + DAY_US):
        if newest_us is None:
            [(newest_us,)] = query(
                connection, "SELECT max(last_report_at) FROM device_state WHERE last_report_at <= ?", (limit_us,)
            )
    if newest_us is None:
        return []
    found = query(
        connection,
        "SELECT fingerprint FROM report WHERE measured_at >= ? AND fingerprint IS NOT NULL "
        "ORDER BY measured_at DESC LIMIT ?",
        (newest_us - span_us, limit),
    )
    return [row[0] for row in reversed(found)]


def prune_reports(connection: Connection, before_us: int, limit: int) -> int:
    """Drop at most ``limit`` of the oldest reports that were both measured and received before an instant.

    A record of years ago that was taken in lately stays. How far each device's were dropped is kept, see
    ``pruned_until``.
    """
    doomed = query(
        connection,
        "SELECT measured_at, device_id FROM report WHERE measured_at < ? AND received_at < ? "
        "ORDER BY measured_at LIMIT ?",
        (before_us, before_us, limit),
    )
    if not doomed:
        return 0
    change(connection, "DELETE FROM report WHERE measured_at = ? AND device_id = ?", [tuple(row) for row in doomed])
    until = pruned_until(connection)
    for at_us, device_id in doomed:
        until[device_id] = max(at_us, until.get(device_id, at_us))
    change(connection, "DELETE FROM setting WHERE key = ?", (PRUNED,))
    kept = to_json({str(device_id): at_us for device_id, at_us in until.items()})
    change(connection, "INSERT INTO setting (key, value) VALUES (?, ?)", (PRUNED, kept))
    return len(doomed)


def pruned_until(connection: Connection) -> dict[int, int]:
    """The newest ``measured_at`` that was ever dropped, by device; devices of which nothing was are left out."""
    found = query(connection, "SELECT CAST(value AS TEXT) FROM setting WHERE key = ?", (PRUNED,))
    return {int(device_id): at_us for device_id, at_us in msgspec.json.decode(found[0][0]).items()} if found else {}
