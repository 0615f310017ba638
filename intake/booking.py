"""From a device's new reports to its ledger: which are new, which are late, and what each changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from core.words import Source
from insights.ledger import Change, Correction, Ledger, Reading, Usage, by_day, correct
from intake.known import Entry, believed_power_w, local_day
from storage.bulk import Row
from storage.repositories import ledger as ledgers
from storage.repositories import reports
from storage.repositories.reports import ENERGY_TOTAL, MEASURED, POWER, REPEATED


@dataclass(slots=True)
class Books:
    """What one transaction writes, gathered over all devices."""

    new_rows: list[Row] = field(default_factory=list)
    changed_rows: list[Row] = field(default_factory=list)
    bookings: list[ledgers.Booking] = field(default_factory=list)
    corrections: list[ledgers.Booking] = field(default_factory=list)
    checkpoints: list[tuple[int, int, Mapping[str, object]]] = field(default_factory=list)
    repeats: int = 0

    def write(self, connection: Connection) -> None:
        """Store it all; rows in the order of the table's key, so that they append."""
        reports.insert_reports(connection, sorted(self.new_rows, key=lambda row: row[:2]))
        reports.replace_reports(connection, self.changed_rows)
        ledgers.book(connection, self.bookings)
        ledgers.book(connection, self.corrections, correction=True)
        ledgers.save_checkpoints(connection, self.checkpoints)


def settle(connection: Connection, entry: Entry, rows: Sequence[Row], books: Books) -> int:
    """Book a device's rows; the device's ledger and newest time move on. Returns how many rows are new.

    What is no newer than the newest of this device's reports that were dropped for their age counts as known: nobody
    can tell any more whether it was booked. A device of which nothing was dropped may bring a past of any age.

    Parameters
    ----------
    rows : sequence of tuple
        As ``storage.repositories.reports`` holds them, in any order, any of them twice.
    """
    by_time: dict[int, Row] = {}
    for row in rows:
        at_us = row[MEASURED]
        if entry.pruned_us is not None and at_us <= entry.pruned_us:
            continue
        by_time[at_us] = row if at_us not in by_time else merged(by_time[at_us], row)
    newest_us = entry.last_us
    times = sorted(by_time)
    late = [] if newest_us is None else [at_us for at_us in times if at_us <= newest_us]
    fresh = [by_time[at_us] for at_us in times[len(late) :]]
    new = len(fresh)
    if late:
        new += _settle_late(connection, entry, [by_time[at_us] for at_us in late], books)
    books.repeats += len(rows) - new
    if fresh:
        books.new_rows += fresh
        entry.last_us = fresh[-1][MEASURED]
        _fold(entry, [reading for row in fresh if (reading := _reading(row))], books)
    entry.report_count += new
    return new


def merged(known: Row, other: Row) -> Row:
    """Two reports of one device for one instant, as one: what either names; of two values the smaller.

    So the result does not depend on which came first, and energy is never invented.
    """
    quantities = (
        b if a is None else a if b is None or a <= b else b for a, b in zip(known[6:], other[6:], strict=True)
    )
    return (*known[:6], *quantities)


def _reading(row: Row) -> Reading | None:
    if row[POWER] is None and row[ENERGY_TOTAL] is None:
        return None
    return Reading(row[MEASURED], row[POWER], row[ENERGY_TOTAL], bool(row[REPEATED]))


def _fold(entry: Entry, readings: Sequence[Reading], books: Books) -> None:
    """Readings newer than all before."""
    usage = Usage()
    ledger = entry.ledger
    for day_us, part in by_day(readings):
        if ledger.newest_us is not None and ledger.newest_us < day_us:
            books.checkpoints.append((entry.id, day_us, ledger.state()))
        for reading in part:
            ledger.add(reading, usage)
    books.bookings += _bookings(entry, usage)


def _bookings(entry: Entry, usage: Usage) -> Iterator[ledgers.Booking]:
    zone = entry.device.home.time_zone
    for source, cells in ((Source.INTEGRATED, usage.integrated), (Source.COUNTER, usage.counter)):
        if cells:
            yield entry.id, source, cells, lambda quarter_us: local_day(zone, quarter_us)


def _settle_late(connection: Connection, entry: Entry, rows: Sequence[Row], books: Books) -> int:
    """Rows at or before the newest: some are known, some fill gaps. Returns how many are new."""
    known = reports.reports_between(connection, entry.id, rows[0][MEASURED], rows[-1][MEASURED])
    changes: dict[int, Change] = {}
    new = 0
    for row in rows:
        at_us = row[MEASURED]
        before = known.get(at_us)
        after = row if before is None else merged(before, row)
        if after == before:
            continue
        if before is None:
            new += 1
            books.new_rows.append(after)
        else:
            books.changed_rows.append(after)
        change = Change(None if before is None else _reading(before), _reading(after))
        if change.before != change.after:
            changes[at_us] = change
    if changes:
        _correct(connection, entry, changes, books)
    return new


def _correct(connection: Connection, entry: Entry, changes: Mapping[int, Change], books: Books) -> None:
    found = ledgers.checkpoint_before(connection, entry.id, min(changes))
    day_us, state = found if found else (None, {})
    power_w = believed_power_w(entry.device)
    stored = reports.readings_since(connection, entry.id, day_us)
    correction: Correction = correct(state, power_w, timeline(stored, changes), max(changes), day_us)
    books.corrections += _bookings(entry, correction.usage)
    books.checkpoints += [(entry.id, at_us, saved) for at_us, saved in correction.checkpoints.items()]
    if correction.state is not None:
        entry.ledger = Ledger.of(correction.state, power_w)


def timeline(stored: Iterable[reports.LedgerPart], changes: Mapping[int, Change]) -> Iterator[Change]:
    """Stored readings in order, with the changes in their places."""
    waiting = sorted(changes)[::-1]
    for part in stored:
        while waiting and waiting[-1] < part[0]:
            yield changes[waiting.pop()]
        if waiting and waiting[-1] == part[0]:
            yield changes[waiting.pop()]
        else:
            reading = Reading(*part)
            yield Change(reading, reading)
    while waiting:
        yield changes[waiting.pop()]
