"""The intake: from broker to storage, nothing acknowledged before it is committed.

One writer takes the whole buffer, decodes by dialect, writes one transaction, then acknowledges. While the database
fails, it tries again and acknowledges nothing; a message that cannot be stored for a reason of its own goes to
the quarantine and holds nobody up.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError, StatementError

from core.clock import Clock
from core.errors import ConfigurationError, PayloadError
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from core.units import to_epoch_us
from devices.base import Event, KnownDevice, Message
from intake.alone import FileLock, StillTaken, lock_session
from intake.known import as_known_device
from intake.session import Buffer, Session
from intake.words import Received, Tally
from intake.writer import Writer
from storage.repositories.events import prune_events
from storage.repositories.filters import remember_filters, remembered_filters
from storage.repositories.ledger import prune_checkpoints
from storage.repositories.reports import prune_reports

log = get_logger(__name__)

WAIT_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
TAKE_IN_MESSAGES = 2_500  # a transaction; small enough for a pipe to hold the next ones meanwhile
REFRESH_S = 5.0
PRUNE_S = 60.0
PRUNED_ROWS = 5000


class Decoder(Protocol):
    """``devices.registry.Registry``, or a part of it."""

    def decode(self, message: Message) -> tuple[str, Sequence[Event]] | None:
        """Dialect and events of a message, None where it is nobody's; PayloadError where it cannot be read."""

    def recall(self, dialect: str, device: KnownDevice) -> None:
        """Take up what an earlier announcement said."""


class Intake:
    """Stores what devices say. ``run`` for a live broker, ``take_in`` for messages from elsewhere.

    Attributes
    ----------
    ready : threading.Event
        Set while the broker is there and has granted the subscriptions.
    tally : Tally
        What became of the messages since the start.
    messages : int
        Messages taken from the broker or handed in since the start.
    committed_at_s : float or None
        ``time.monotonic()`` of the last commit.
    """

    def __init__(
        self, database: Engine, broker: Broker | None, clock: Clock, settings: Settings, registry: Decoder
    ) -> None:
        self._database, self._broker, self._clock = database, broker, clock
        self._settings, self._registry = settings, registry
        self._writer = Writer(settings.home)
        self._connection: Connection | None = None
        self._was_alone = False  # the lock of a PostgreSQL database was ours since this run began
        self._buffer = Buffer()
        self._refreshed_s = self._pruned_s = 0.0
        self.ready = threading.Event()
        self.tally = Tally()
        self.messages = 0
        self.committed_at_s: float | None = None

    @property
    def buffered(self) -> int:
        """Messages that wait for the writer."""
        return len(self._buffer)

    def run(self, stop: threading.Event) -> None:
        """Take in what the broker delivers until told to stop.

        Raises
        ------
        ConfigurationError
            Another intake runs on this database, or the broker refuses the intake or its subscriptions.
        """
        if self._broker is None:
            raise ConfigurationError("the intake was given no broker")
        self._buffer = Buffer()
        with self._alone():
            if not self._store([], stop):  # the dialects know their devices before the first message comes
                return
            filters = self._settings.mqtt_filters
            session = Session(self._broker, self._clock, filters, self._buffer, self._swap_filters(filters))
            session.start()
            try:
                while not stop.is_set():
                    self._follow(session)
                    self._drain(session, stop, WAIT_S)
                self._buffer.close()  # what comes from now on the broker keeps
                while self._buffer and self._drain(session, stop, 0.0):
                    pass
            finally:
                self.ready.clear()
                session.stop()

    def take_in(self, messages: Iterable[tuple[datetime, Message]]) -> Tally:
        """Store messages that came some other way, such as a simulated past, each with the instant of its receipt.

        Raises
        ------
        ConfigurationError
            Another intake runs on this database.
        """
        before = Tally()
        before.add(self.tally)
        never = threading.Event()
        with self._alone():
            self._store([], never)  # as in run: what the database recalls must not replace what announcements say later
            for part in _parts(messages, TAKE_IN_MESSAGES):
                received = [self._decode(to_epoch_us(received_at), message) for received_at, message in part]
                self.messages += len(received)
                self._store(received, never)
        return self.tally.minus(before)

    # --- the loop ---

    def _follow(self, session: Session) -> None:
        if session.failure is not None:
            raise session.failure
        if session.subscribed.is_set():
            self.ready.set()
        else:
            self.ready.clear()

    def _drain(self, session: Session, stop: threading.Event, wait_s: float) -> bool:
        """Store what waits and acknowledge it; False if it could not be stored before the stop."""
        batch = self._buffer.take(wait_s)
        if batch:
            received = [self._decode(item.at_us, item.message) for item in batch]
            self.messages += len(batch)
            if not self._store(received, stop):
                return False
            session.acknowledge(batch)
        self._keep_house(stop)
        return True

    def _decode(self, at_us: int, message: Message) -> Received:
        try:
            decoded = self._registry.decode(message)
        except PayloadError as error:
            return Received(at_us, message, reason=str(error) or "it cannot be read")
        except Exception as error:  # a dialect's own mistake must not stop the others
            log.exception("dialect_failed", topic=message.topic[:200])
            return Received(at_us, message, reason=f"the dialect failed: {error!r}")
        return Received(at_us, message) if decoded is None else Received(at_us, message, decoded[0], decoded[1])

    # --- the database ---

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self._database)
        try:
            yield
        finally:
            self._hang_up()
            self._was_alone = False
            lock.release()

    def _store(self, batch: Sequence[Received], stop: threading.Event) -> bool:
        """Store a batch, however long the database takes to work; False if told to stop before."""
        pause_s = FIRST_PAUSE_S
        refused = 0
        while True:
            try:
                tally = self._write(batch)
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 the top of a long-lived loop; every branch logs
                self._hang_up()
                if not _is_the_databases_fault(error):
                    refused += 1
                    if refused > 1:  # once it may be memory that was behind, such as a device that is gone
                        return self._store_apart(batch, error, stop)
                log.warning("database_failed", error=str(error)[:300], waiting_messages=len(batch))
                if stop.wait(pause_s * random.uniform(0.5, 1.0)):  # noqa: S311 jitter
                    return False
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                self.tally.add(tally)
                self.committed_at_s = time.monotonic()
                return True

    def _write(self, batch: Sequence[Received]) -> Tally:
        now_us = to_epoch_us(self._clock.now())
        connection = self._connected(now_us)
        if not batch:
            return Tally()
        with connection.begin():
            return self._writer.write(connection, batch, now_us)

    def _store_apart(self, batch: Sequence[Received], error: Exception, stop: threading.Event) -> bool:
        """A batch that fails for a reason of its own: halve it until the message is found that cannot be stored."""
        log.error("batch_refused", messages=len(batch), error=repr(error)[:300])
        if not batch:
            raise error
        if len(batch) == 1:
            [culprit] = batch
            if culprit.reason is not None:
                raise error
            reason = f"it cannot be stored: {str(error)[:300]}"
            return self._store([Received(culprit.at_us, culprit.message, reason=reason)], stop)
        middle = len(batch) // 2
        return self._store(batch[:middle], stop) and self._store(batch[middle:], stop)

    def _connected(self, now_us: int) -> Connection:
        """The one connection that writes; after a failure a new one, with memory read anew."""
        if self._connection is None:
            connection = self._database.connect()
            try:
                lock_session(connection, again=self._was_alone)
                self._was_alone = True
                with connection.begin():
                    self._writer.load(connection, now_us)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._connection = connection
            for entry in self._writer.known:
                self._registry.recall(entry.device.dialect, as_known_device(entry))
        return self._connection

    def _swap_filters(self, filters: Sequence[str]) -> list[str]:
        """Filters that the session may hold since earlier runs; from now on these are remembered as well."""
        former: list[str] = []

        def swap(connection: Connection) -> None:
            former.extend(remembered_filters(connection))
            remember_filters(connection, sorted({*former, *filters}))  # nobody knows when a session took them back

        self._quietly(swap)
        return former

    def _hang_up(self) -> None:
        """Close the connection for good, so that a lock that it holds is let go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    # --- now and then ---

    def _keep_house(self, stop: threading.Event) -> None:
        now_s = time.monotonic()
        if now_s - self._refreshed_s > REFRESH_S:
            self._refreshed_s = now_s
            self._quietly(lambda connection: self._writer.known.refresh(connection))
        if now_s - self._pruned_s > PRUNE_S:
            self._pruned_s = now_s
            self._quietly(self._prune)

    def _prune(self, connection: Connection) -> None:
        before_us = to_epoch_us(self._clock.now() - timedelta(days=self._settings.raw_report_days))
        prune_events(connection)
        if prune_reports(connection, before_us, PRUNED_ROWS):
            self._writer.known.take_pruned(connection)
        prune_checkpoints(connection, before_us)

    def _quietly(self, work: Callable[[Connection], object]) -> None:
        """Do what can wait; where it fails, the next batch finds out about the database."""
        if self._connection is None:
            return
        try:
            with self._connection.begin():
                work(self._connection)
        except Exception as error:  # noqa: BLE001 the top of a long-lived loop
            log.warning("housekeeping_failed", error=str(error)[:300])
            self._hang_up()


def _is_the_databases_fault(error: Exception) -> bool:
    """Whether the same batch may succeed later: no connection, no space, a lock held too long.

    A message's own fault is what the database or its driver says of values, and what our own code trips over; every
    other error says nothing of the message, and a message is not given up for it.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or not isinstance(error, DataError | IntegrityError | ProgrammingError)
    if isinstance(error, StatementError):  # a value that could not be bound
        return False
    return isinstance(error, SQLAlchemyError | OSError | MemoryError | StillTaken)


def _parts(messages: Iterable[tuple[datetime, Message]], size: int) -> Iterator[list[tuple[datetime, Message]]]:
    rest = iter(messages)
    while part := list(islice(rest, size)):
        yield part
