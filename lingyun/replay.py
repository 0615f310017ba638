"""`lingyun replay`: send a recorded household over the broker, as its devices would have, with the record's own times.

Readings travel in the native dialect, many to a message, at QoS 1. A message counts as done when its rows are seen in
the database; at most ``WINDOW`` messages are on their way, so memory stays small here, in the broker and in the intake,
and a broker that drops what exceeds its queue (Mosquitto: 1000) has nothing to drop.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import ConfigurationError
from core.mqtt import Broker, find_broker, new_client
from core.recording import RecordedDevice, Recording, Value, read_map
from core.settings import Settings
from devices.limits import LIMITS
from lingyun.setup import ensure_home
from storage.database import open_database, read_only
from storage.tables import DeviceRow, HomeRow, ReportRow

READINGS_PER_MESSAGE = 200
WINDOW = 1_000  # messages that are sent and not yet seen in the database
CONNECT_TIMEOUT_S = 15.0
PATIENCE_S = 60.0  # without a single reading stored; long enough for an intake to restart
NOTICE_S = 5.0  # then say what is being waited for
POLL_S = 0.1
ANNOUNCE_EVERY_S = 2.0
SETTLE_EVERY_S = 0.25  # between two looks at the database while sending
PACE_TICK_S = 0.05  # readings due this soon are sent now
LINE_EVERY_S = 5.0


class Stalled(Exception):
    """Nothing has been stored for ``PATIENCE_S``."""


def replay(file: Path, map_file: Path, home: str, speed: float | None, settings: Settings) -> int:
    """Send a recorded household through the broker and wait until the database has it all.

    Parameters
    ----------
    file : Path
        CSV file, ``.gz`` welcome.
    home : str
        Home that the devices belong to; made if it is missing.
    speed : float or None
        Times the record's own pace; None for as fast as it is stored.

    Returns
    -------
    int
        Exit status: 0 when every reading is stored, 1 when nobody stores them, 130 after Ctrl-C.

    Raises
    ------
    ConfigurationError
        The file, the map, the broker or the database is not as it must be.
    """
    if not home or any(letter in home for letter in "/+#$ \t\n\0"):
        raise ConfigurationError(f"--home: {home!r} must fit in an MQTT topic: no spaces, no '/', '+', '#', '$'")
    recording = Recording.open(file, read_map(map_file), LIMITS)
    broker = find_broker(settings, "service")
    database = _existing_database(settings)
    try:
        with _connected(broker) as client, _reporter(recording) as report:
            home_id = _prepare_home(database, home, recording)
            sender = _Sender(client, home, _Stored(read_only(database), home_id), report, recording)
            return sender.run(speed)
    finally:
        database.dispose()


# --- the database ---


def _existing_database(settings: Settings) -> Engine:
    """The database in force, never an empty new one."""
    hint = "Start `lingyun serve` (or `lingyun intake`) first, with this --data-dir or LINGYUN_DATABASE_URL."
    if settings.database_url is None and not (settings.data_dir / "lingyun.db").exists():
        raise ConfigurationError(f"no database in {settings.data_dir.absolute()}. {hint}")
    database = open_database(settings.database())
    try:
        with Session(read_only(database)) as session:
            session.scalar(select(func.count()).select_from(HomeRow))
    except (OperationalError, ProgrammingError) as error:
        database.dispose()
        raise ConfigurationError(f"the database cannot be used: {str(error.orig).strip()}. {hint}") from error
    return database


def _prepare_home(database: Engine, name: str, recording: Recording) -> int:
    wanted = recording.map.home
    with Session(database) as session, session.begin():
        is_new = session.scalar(select(HomeRow.id).where(HomeRow.name == name)) is None
        home = ensure_home(session, name, Clock.real(), time_zone=wanted.time_zone)
        if is_new:
            home.currency = wanted.currency or home.currency
            home.latitude, home.longitude = wanted.latitude, wanted.longitude
        elif home.time_zone != wanted.time_zone:
            print(f"note: home {name} keeps its zone {home.time_zone} (the map says {wanted.time_zone})")
        session.flush()
        return home.id


@dataclass(slots=True)
class _Stored:
    """What the database has of this home."""

    database: Engine  # for reading
    home_id: int

    def device_ids(self, native_ids: Sequence[str]) -> dict[str, int]:
        """Database identifiers of those devices that are known by now."""
        with Session(self.database) as session:
            found = session.execute(
                select(DeviceRow.native_id, DeviceRow.id).where(
                    DeviceRow.home_id == self.home_id, DeviceRow.native_id.in_(native_ids)
                )
            )
            return {row.native_id: row.id for row in found}

    def among(self, device_id: int, instants: Sequence[datetime]) -> list[datetime]:
        """Those of ``instants`` of which the device's report is stored."""
        query = select(ReportRow.measured_at).where(
            ReportRow.device_id == device_id, ReportRow.measured_at.in_(instants)
        )
        with Session(self.database) as session:
            return list(session.scalars(query))

    def count(self, device_id: int, first: datetime, last: datetime) -> int:
        """Reports of a device in ``[first, last]``."""
        query = select(func.count()).where(ReportRow.device_id == device_id, ReportRow.measured_at.between(first, last))
        with Session(self.database) as session:
            return session.scalar(query) or 0


# --- the broker ---


@contextmanager
def _connected(broker: Broker) -> Iterator[mqtt.Client]:
    """A client that is in, repeats what was not acknowledged after a broken connection, and leaves cleanly."""
    client = new_client(broker, client_id="")
    client.max_inflight_messages_set(0)  # the window is ours
    client.max_queued_messages_set(0)
    refused: list[str] = []

    def on_connect(_client: mqtt.Client, _data: object, _flags: object, reason: object, _properties: object) -> None:
        if getattr(reason, "is_failure", False):
            refused.append(str(reason))

    client.on_connect = on_connect
    where = f"{broker.host}:{broker.port}"
    try:
        client.connect(broker.host, broker.port, keepalive=30)
    except OSError as error:
        raise ConfigurationError(f"no broker answers on {where}: {error}. Is `lingyun serve` running?") from error
    client.loop_start()
    try:
        end = time.monotonic() + CONNECT_TIMEOUT_S
        while not client.is_connected():
            if refused:
                raise ConfigurationError(f"the broker on {where} refuses this user: {refused[0]}")
            if time.monotonic() > end:
                raise ConfigurationError(f"the broker on {where} does not answer after {CONNECT_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S / 5)
        yield client
        client.disconnect()
    finally:
        client.loop_stop()


# --- sending ---


@dataclass(slots=True)
class _Batch:
    """Readings of one device that wait to travel together."""

    device: RecordedDevice
    topic: str
    device_id: int = 0  # in the database
    reports: list[dict[str, Value | datetime]] = field(default_factory=list)
    latest: datetime | None = None
    first: datetime | None = None
    sent: int = 0
    in_order: bool = True  # no time lies before one that was sent earlier

    def add(self, instant: datetime, values: dict[str, Value]) -> None:
        if self.latest is None:
            self.first = instant
        elif instant < self.latest:
            self.in_order = False
        self.latest = instant
        self.reports.append({"time": instant, **values})


class _Sender:
    """Send a recording's readings within the window and watch them arrive in the database."""

    def __init__(
        self, client: mqtt.Client, home: str, stored: _Stored, report: "Callable[[_Sender], None]", recording: Recording
    ) -> None:
        self._client, self._home, self._stored, self._report = client, home, stored, report
        self.recording = recording
        self._batches = [
            _Batch(device, f"lingyun/{home}/{device.id}/report") for device in recording.devices
        ]  # by place in recording.devices
        self._on_the_way: dict[tuple[int, datetime], int] = {}  # (device, last time of a message): its readings
        self._last_progress_s = time.monotonic()
        self._looked_s = 0.0
        self._noticed = False
        self.sent = 0  # readings
        self.stored = 0

    def run(self, speed: float | None) -> int:
        """Send all; the exit status."""
        started_s = time.monotonic()
        try:
            self._announce()
            for instant, place, values in self._paced(speed):
                batch = self._batches[place]
                batch.add(instant, values)
                if len(batch.reports) >= READINGS_PER_MESSAGE:
                    self._send(batch)
                self._look()
            self._flush()
            self._wait_until(lambda: not self._on_the_way)
            self._wait_until(self._all_counted, look_every_s=1.0)
        except Stalled:
            print(self._stalled(), file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"stopped: {self.stored:,} of {self.sent:,} sent readings are stored. What is stored stays.")
            return 130
        print(summary(self.recording, self.stored, time.monotonic() - started_s))
        return 0

    def _announce(self) -> None:
        """Tell what the devices are, and wait until the intake has made them.

        Again and again: a broker may lose a retained message to a session that subscribes at that very moment.
        """
        self._publish_announcements()
        names = [batch.device.id for batch in self._batches]
        known: dict[str, int] = {}

        told_s = time.monotonic()

        def all_known() -> bool:
            nonlocal told_s
            if time.monotonic() - told_s > ANNOUNCE_EVERY_S:
                told_s = time.monotonic()
                self._publish_announcements()
            known.update(self._stored.device_ids(names))
            return len(known) == len(names)

        self._wait_until(all_known)
        for batch in self._batches:
            batch.device_id = known[batch.device.id]

    def _publish_announcements(self) -> None:
        for batch in self._batches:
            device = batch.device
            body = {"kind": device.kind.value, "name": device.name, "area": device.room}
            payload = msgspec.json.encode({key: value for key, value in body.items() if value is not None})
            self._client.publish(f"lingyun/{self._home}/{device.id}/announce", payload, qos=1, retain=True)

    def _paced(self, speed: float | None) -> Iterator[tuple[datetime, int, dict[str, Value]]]:
        """The readings, each no earlier than due."""
        if speed is None:
            yield from self.recording
            return
        start_s = time.monotonic()
        origin: datetime | None = None
        for reading in self.recording:
            origin = origin or reading[0]
            due_s = start_s + (reading[0] - origin).total_seconds() / speed
            if due_s - time.monotonic() > PACE_TICK_S:
                self._flush()
                self._rest_until(due_s)
            yield reading

    def _rest_until(self, due_s: float) -> None:
        while (wait_s := due_s - time.monotonic()) > 0:
            self._look()
            time.sleep(min(wait_s, POLL_S))

    def _flush(self) -> None:
        for batch in self._batches:
            if batch.reports:
                self._send(batch)

    def _send(self, batch: _Batch) -> None:
        """Publish a batch once the window has room for it."""
        assert batch.latest is not None
        if not self._on_the_way:
            self._last_progress_s = time.monotonic()  # nobody can be late before there is something to store
        self._wait_until(lambda: len(self._on_the_way) < WINDOW)
        self._client.publish(batch.topic, msgspec.json.encode({"reports": batch.reports}), qos=1)
        key = (batch.device_id, batch.latest)
        self._on_the_way[key] = self._on_the_way.get(key, 0) + len(batch.reports)
        self.sent += len(batch.reports)
        batch.sent += len(batch.reports)
        batch.reports = []

    # --- watching ---

    def _look(self) -> None:
        """Now and then: settle what is stored, and show how far it is."""
        now_s = time.monotonic()
        if now_s - self._looked_s < SETTLE_EVERY_S:
            return
        self._settle()
        self._report(self)
        self._looked_s = time.monotonic()

    def _settle(self) -> None:
        """Strike out messages whose last reading is stored (the rows of one message are committed together)."""
        by_device: dict[int, list[datetime]] = {}
        for device_id, instant in self._on_the_way:
            by_device.setdefault(device_id, []).append(instant)
        for device_id, instants in by_device.items():
            for instant in self._stored.among(device_id, instants):
                self.stored += self._on_the_way.pop((device_id, instant))
                self._last_progress_s, self._noticed = time.monotonic(), False

    def _wait_until(self, done: Callable[[], bool], look_every_s: float = POLL_S / 5) -> None:
        """Return once ``done``; patience is renewed with everything that is stored.

        Raises
        ------
        Stalled
            Nothing was stored for ``PATIENCE_S``.
        """
        waiting_s = time.monotonic()
        while not done():
            idle_s = time.monotonic() - max(self._last_progress_s, waiting_s)
            if idle_s > PATIENCE_S:
                raise Stalled
            if idle_s > NOTICE_S and not self._noticed:
                self._noticed = True
                print(f"waiting: nothing stored for {NOTICE_S:.0f} s; is an intake running?", file=sys.stderr)
            time.sleep(look_every_s)
            self._look()

    def _all_counted(self) -> bool:
        """Whether every reading has its row. It reads whole spans: for the end only."""
        for batch in self._batches:
            if not batch.in_order or batch.first is None or batch.latest is None:
                continue  # out of order, a time may have come twice and is stored once
            if self._stored.count(batch.device_id, batch.first, batch.latest) < batch.sent:
                return False
        return True

    def _stalled(self) -> str:
        if self.stored == 0:
            return (
                f"no intake is running: nothing was stored for {PATIENCE_S:.0f} s. Start `lingyun serve` "
                "(or `lingyun intake`) on this broker and database."
            )
        return (
            f"{self.sent - self.stored:,} of {self.sent:,} sent readings are not stored after {PATIENCE_S:.0f} s "
            "without progress. Is the intake still running, and does the quarantine hold messages of this home? "
            "Running the command again is safe: what is stored stays as it is."
        )


# --- telling ---


def summary(recording: Recording, stored: int, took_s: float) -> str:
    """What was stored and what was left out, for a person."""
    counts = recording.counts
    lines = [
        f"{stored:,} readings of {len(recording.devices)} device(s) stored from {counts.rows:,} rows in {took_s:.1f} s "
        f"({stored / max(took_s, 1e-3):,.0f} a second)"
    ]
    left_out = {
        "doubled times (the first is kept)": counts.doubled,
        "blank cells": counts.blank,
        "cells out of range": counts.out_of_range,
        f"unreadable, first: {counts.first_unreadable}": counts.unreadable,
        "times that the clock never showed (begin of summer time; if the recorder's clock was not put forward, name "
        'its fixed zone in the map: clock = "+01:00")': counts.skipped_by_clock,
    }
    lines += [f"left out: {number:,} {what}" for what, number in left_out.items() if number]
    if counts.ambiguous:
        lines.append(
            f"{counts.ambiguous:,} times lie in the hour that the clock showed twice; the second pass begins where "
            "the record steps back"
        )
    return "\n".join(lines)


@contextmanager
def _reporter(recording: Recording) -> Iterator[Callable[[_Sender], None]]:
    """A function that shows progress: a bar on a terminal, plain lines in a pipe."""
    console = Console()
    size = recording.path.stat().st_size
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(recording.path.name, total=size)
            yield lambda sender: progress.update(
                task, completed=recording.bytes_read, description=f"{sender.stored:,} readings stored"
            )
        return
    told_s = time.monotonic()

    def line(sender: _Sender) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= LINE_EVERY_S:
            told_s = time.monotonic()
            share = recording.bytes_read / max(size, 1)
            print(f"{share:4.0%} read, {sender.sent:,} readings sent, {sender.stored:,} stored", flush=True)

    yield line
