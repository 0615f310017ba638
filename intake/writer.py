"""Decoded messages into the database: everything that one batch means, in one transaction.

Rows without a time of their own stand at their receipt, a microsecond later than the device's newest where that is not
newer. Such a message counts once: with the DUP flag and known contents it is a redelivery and passed over; without the
flag, known contents are stored but prove nothing about a counter (``repeated``, see ``insights.ledger``). Brokers set
DUP on what they deliver again: nats-server 2.15.1 and Mosquitto 2.0.11 were both seen to do so.

A retained message is old news: without a time of its own it fills in what is not known, or differs, with the age of
what it replaces, and gives no energy.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from core.units import to_epoch_us
from devices.base import Announcement, Event, Message, Reply, Report
from intake.booking import Books, settle
from intake.known import Entry, Known
from intake.observing import Evidence, observe
from intake.words import Received, Refused, Tally
from storage.bulk import Row
from storage.repositories import quarantine as quarantines
from storage.repositories.devices import save_states
from storage.repositories.events import Event as LiveEvent
from storage.repositories.events import add_events
from storage.repositories.reports import MEASURED, QUANTITIES, recent_fingerprints

FUTURE_US = timedelta(days=1) // timedelta(microseconds=1)  # a clock may be this much ahead of ours
REMEMBERED_FINGERPRINTS = 50_000  # more than any broker redelivers
FINGERPRINT_SPAN_US = timedelta(hours=1) // timedelta(microseconds=1)
FIRST_QUANTITY = 6  # place in a row
NOTHING = (None,) * len(QUANTITIES)
_quantities = attrgetter(*QUANTITIES)
_MODE, _FAN = QUANTITIES.index("mode"), QUANTITIES.index("fan")


@dataclass(slots=True)
class _Heard:
    """What a batch holds of one device."""

    entry: Entry
    rows: list[Row] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)
    old_values: list[Report] = field(default_factory=list)  # retained, without a time of their own
    running_us: int | None = None  # newest time so far
    changed: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Stores batches; keeps in memory what it stored last. One per database.

    After any error call ``load`` before the next ``write``: memory may be ahead of the database.
    """

    def __init__(self, home: str) -> None:
        self.known = Known(home)
        self._fingerprints: dict[int, None] = {}  # of the newest reports without a time of their own, oldest first

    def load(self, connection: Connection, now_us: int) -> None:
        """Read what the database knows."""
        self.known.load(connection)
        recent = recent_fingerprints(connection, now_us, FINGERPRINT_SPAN_US, REMEMBERED_FINGERPRINTS)
        self._fingerprints = dict.fromkeys(recent)

    def write(self, connection: Connection, batch: Iterable[Received], now_us: int) -> Tally:
        """Store a batch within the caller's transaction.

        Parameters
        ----------
        now_us : int
            The project's time.
        """
        tally, books = Tally(), Books()
        heard: dict[int, _Heard] = {}
        refused: list[quarantines.Refused] = []
        for received in batch:
            reason = received.reason
            if reason is None:
                if not received.events:
                    tally.ignored += 1
                    continue
                try:
                    self._take(connection, received, heard, tally)
                    tally.stored += 1
                    continue
                except Refused as error:
                    reason = str(error)
            refused.append((received.at_us, received.message.topic, received.message.payload, reason))
        tally.quarantined = len(refused)
        for device in heard.values():
            self._settle(connection, device, books)
        books.write(connection)
        save_states(connection, [(device.entry.id, device.entry.state()) for device in heard.values()])
        tally.reports += len(books.new_rows)
        tally.repeats += books.repeats
        events = [_device_event(device, now_us) for device in heard.values() if device.changed]
        events += observe(
            connection, self.known, {device.entry.id: device.evidence for device in heard.values()}, now_us
        )
        add_events(connection, events)
        quarantines.quarantine(connection, refused)
        quarantines.count(connection, tally.counters())
        return tally

    # --- one message ---

    def _take(self, connection: Connection, received: Received, heard: dict[int, _Heard], tally: Tally) -> None:
        """Note what a message says; nothing of it where any part is refused."""
        parts = [(self._device_of(connection, received, event), event) for event in received.events]
        fingerprint: int | None = None
        repeated = False
        if any(isinstance(event, Report) and event.measured_at is None for event in received.events):
            fingerprint = fingerprint_of(received.message)
            repeated = fingerprint in self._fingerprints
            if repeated and received.message.duplicate:
                tally.repeats += 1
                return
            repeated = repeated or received.message.duplicate
        for entry, event in parts:
            if entry is None:
                continue
            device = heard.get(entry.id)
            if device is None:
                device = heard[entry.id] = _Heard(entry, running_us=entry.last_us)
            if isinstance(event, Report):
                self._take_report(received, event, device, fingerprint, repeated)
            elif isinstance(event, Reply):
                device.evidence.replies.append((received.at_us, event))

    def _device_of(self, connection: Connection, received: Received, event: Event) -> Entry | None:
        if isinstance(event, Report):
            if event.measured_at is not None and to_epoch_us(event.measured_at) > received.at_us + FUTURE_US:
                raise Refused(f"its time {event.measured_at.isoformat()} is more than a day ahead of ours")
            return self.known.reported(connection, received.dialect, event, received.at_us)
        if isinstance(event, Announcement):
            return self.known.announced(connection, received.dialect, event, received.at_us, received.message.retained)
        entry = self.known.find(received.dialect, event.native_id, event.home)
        if entry is None:
            raise Refused(f"nobody knows the device {event.native_id!r} that answers")
        return entry

    def _take_report(
        self, received: Received, report: Report, device: _Heard, fingerprint: int | None, repeated: bool
    ) -> None:
        if report.online is not None and report.online != device.entry.online:
            device.entry.online = device.changed["online"] = report.online
        own_time = report.measured_at is not None
        if report.measured_at is not None:
            at_us = to_epoch_us(report.measured_at)
        elif received.message.retained:
            device.old_values.append(report)
            return
        else:
            at_us = received.at_us
            if device.running_us is not None and at_us <= device.running_us:
                at_us = device.running_us + 1
        quantities = _quantities(report)
        if quantities == NOTHING:
            return
        if report.mode is not None or report.fan is not None:
            quantities = _plain_words(quantities)
        if device.running_us is None or at_us > device.running_us:
            device.running_us = at_us
        if not own_time and fingerprint is not None:
            self._remember(fingerprint)
        device.rows.append(
            (
                at_us,
                device.entry.id,
                received.at_us,
                own_time,
                None if own_time else fingerprint,
                repeated and not own_time,
                *quantities,
            )
        )
        if report.by_hand:
            _newer(device, "by_hand", True, at_us)
        if not report.assumed and not received.message.retained:
            device.evidence.shown.append((at_us, own_time, quantities))

    def _remember(self, fingerprint: int) -> None:
        self._fingerprints.pop(fingerprint, None)
        self._fingerprints[fingerprint] = None
        if len(self._fingerprints) > REMEMBERED_FINGERPRINTS * 2:
            excess = len(self._fingerprints) - REMEMBERED_FINGERPRINTS
            for old in list(islice(self._fingerprints, excess)):
                del self._fingerprints[old]

    # --- one device ---

    def _settle(self, connection: Connection, device: _Heard, books: Books) -> None:
        if device.rows:
            settle(connection, device.entry, device.rows, books)
            _merge(device)
        for report in device.old_values:
            _fill_in(device, report)


def fingerprint_of(message: Message) -> int:
    """64 signed bits of topic and payload, the same in every process."""
    digest = hashlib.blake2b(message.payload, digest_size=8, key=hashlib.blake2b(message.topic.encode()).digest())
    return int.from_bytes(digest.digest(), "big", signed=True)


def _plain_words(quantities: Sequence[Any]) -> tuple[Any, ...]:
    """Mode and fan as the plain text that a database driver takes."""
    words = list(quantities)
    for place in (_MODE, _FAN):
        if words[place] is not None:
            words[place] = str(words[place])
    return tuple(words)


def _merge(device: _Heard) -> None:
    """Newest wins, quantity by quantity; nothing overwrites a value with nothing."""
    rows = sorted(device.rows, key=lambda row: row[MEASURED])
    columns = list(zip(*rows, strict=True))
    for name, column in zip(QUANTITIES, columns[FIRST_QUANTITY:], strict=True):
        if column.count(None) == len(column):
            continue
        place = next(place for place in range(len(column) - 1, -1, -1) if column[place] is not None)
        _newer(device, name, column[place], columns[MEASURED][place])


def _newer(device: _Heard, name: str, value: Any, at_us: int) -> None:
    known = device.entry.values.get(name)
    if known is None or known[1] <= at_us:
        device.entry.values[name] = [value, at_us]
        device.changed[name] = value


def _fill_in(device: _Heard, report: Report) -> None:
    """A retained state of unknown age: no newer than what it replaces, 0 where nothing was known."""
    for name, value in zip(QUANTITIES, _plain_words(_quantities(report)), strict=True):
        if value is None:
            continue
        known = device.entry.values.get(name)
        if known is None or known[0] != value:
            device.entry.values[name] = [value, 0 if known is None else known[1]]
            device.changed[name] = value


def _device_event(device: _Heard, now_us: int) -> LiveEvent:
    stored = device.entry.device
    values = {name: value for name, value in device.changed.items() if name != "online"}
    data = {"device_id": stored.id, "room_id": stored.room_id, "online": device.entry.online, "values": values}
    return stored.home.id, now_us, "device", data
