"""From the command ledger to the broker: the one component that publishes to devices.

Two clocks. A command's life follows the project's clock: it is queued, sent and expired in project time. How long an
answer may take is partly the device's pace (project time: a unit that reports once a minute) and partly transport
(wall time: sockets, commits), so every limit here is the longer of both: at 60 times the speed, 120 s of project time
are 2 s of wall time, and 10 s of wall time count instead.

``sent`` is committed before publishing, because a device may answer before the publisher returns; should the process
die in between, the second attempt carries the command.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paho.mqtt.client import Client
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from control.room_state import capabilities_from
from core.clock import Clock
from core.errors import InvalidCommand
from core.logging import get_logger
from core.mqtt import KEEP_ALIVE_S, Broker, new_client
from core.words import Command, CommandState, Fan, Kind, Mode
from devices.base import KnownDevice, Message
from devices.registry import Registry
from storage.database import read_only
from storage.repositories.commands import CommandRepository
from storage.tables import CommandRow, DeviceRow, DeviceStateRow, HomeRow

log = get_logger(__name__)

CLIENT_ID = "lingyun-engine"
POLL_WALL_S = 0.05
RETRY_WALL_S = 0.5  # between two looks at commands that wait for their device or its answer
PATIENCE_WALL_S = 1.0  # after an error
CONFIRM_S, CONFIRM_WALL_S = 120.0, 10.0  # to be observed after an attempt
LEAST_LIFE_WALL_S = 10.0  # a queued command is kept for this long, whatever its expiry says
ATTEMPTS = 2

Handler = Callable[[Session, CommandRow, bool], Sequence[Message]]


@dataclass(slots=True)
class CommandSender:
    """Takes queued commands, publishes them, and follows them until they are observed or given up."""

    database: Engine
    broker: Broker
    clock: Clock
    client_id: str = CLIENT_ID
    registry: Registry = field(default_factory=Registry)
    _wake: threading.Event = field(default_factory=threading.Event)
    _lost: threading.Event = field(default_factory=threading.Event)  # the connection to the broker
    _readers: Engine = field(init=False)

    def __post_init__(self) -> None:
        self._readers = read_only(self.database)

    def wake(self) -> None:
        """Look at the ledger at once instead of at the next poll."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop."""
        client = self._join()
        retry_at = 0.0
        try:
            while not stop.is_set():
                self._wake.wait(POLL_WALL_S)
                self._wake.clear()
                look_again = time.monotonic() >= retry_at
                if look_again:
                    retry_at = time.monotonic() + RETRY_WALL_S
                    if self._lost.is_set():
                        client = self._join()
                try:
                    if look_again or self._has_fresh():
                        self._cycle(client)
                except Exception:
                    log.exception("command_cycle_failed")
                    stop.wait(PATIENCE_WALL_S)
        finally:
            client.disconnect()
            client.loop_stop()

    def _join(self) -> Client:
        """A client for one connection.

        paho keeps QoS 1 messages that the broker did not acknowledge and would publish them again on the next
        connection, however long their command has ended by then. What is sent again is for the ledger alone to say, so
        a client ends with its connection and takes its messages along.
        """

        def end(client: Client, *_: object) -> None:
            client.loop_stop()  # in its own thread this only says that it must not connect again
            self._lost.set()

        self._lost.clear()
        client = new_client(self.broker, self.client_id)
        client.on_disconnect = end
        client.connect_async(self.broker.host, self.broker.port, KEEP_ALIVE_S)
        client.loop_start()
        return client

    def _has_fresh(self) -> bool:
        """Whether a command waits that was queued since the last full look; cheap, because it runs all the time."""
        since = self.clock.now() - timedelta(seconds=RETRY_WALL_S * self.clock.factor)
        query = (
            select(CommandRow.id).where(CommandRow.state == CommandState.QUEUED, CommandRow.queued_at >= since).limit(1)
        )
        with self._readers.connect() as connection:
            return connection.execute(query).first() is not None

    def _cycle(self, client: Client) -> None:
        with Session(self._readers) as session:
            repository = CommandRepository(session)
            queued = [row.id for row in repository.queued()]
            on_the_way = [row.id for row in repository.on_the_way() if self._is_late(row)]
        todo = [(command_id, self._handle_queued) for command_id in queued]
        todo += [(command_id, self._handle_late) for command_id in on_the_way]
        for command_id, handle in todo:
            try:
                self._advance(client, command_id, handle)
            except Exception:  # of one command: the others go on
                log.exception("command_cycle_failed", command_id=command_id)

    def _advance(self, client: Client, command_id: int, handle: Handler) -> None:
        """Decide about one command in a transaction of its own, then publish what it takes."""
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            row = CommandRepository(session).get(command_id)
            messages = [] if row is None else handle(session, row, client.is_connected())
        for message in messages:
            client.publish(message.topic, message.payload, qos=1, retain=False)

    def _handle_queued(self, session: Session, row: CommandRow, connected: bool) -> Sequence[Message]:
        repository, now = CommandRepository(session), self.clock.now()
        if row.state != CommandState.QUEUED:
            return []
        device = session.get(DeviceRow, row.device_id)
        state = session.get(DeviceStateRow, row.device_id)
        offline = state is not None and state.online is False
        if now >= max(row.expires_at, row.queued_at + self._wall(LEAST_LIFE_WALL_S)):
            why = "the device stayed offline" if offline else "it could not be sent in time"
            repository.end(row, CommandState.EXPIRED, now, why)
            return []
        if offline or not connected or device is None:
            return []
        messages = self._encode(repository, row, device, state, session)
        if messages and repository.mark_sent(row, now):
            self._supersede(repository, row, now)
            log.info("command_sent", command_id=row.id, device_id=row.device_id, body=row.body)
            return messages
        return []

    def _handle_late(self, session: Session, row: CommandRow, connected: bool) -> Sequence[Message]:
        repository, now = CommandRepository(session), self.clock.now()
        if row.ended_at is not None or row.state not in (CommandState.SENT, CommandState.ACKNOWLEDGED):
            return []
        device = session.get(DeviceRow, row.device_id)
        if device is None:
            return []
        if (device.capabilities or {}).get("one_way") and row.state == CommandState.ACKNOWLEDGED:
            repository.end(row, CommandState.ACKNOWLEDGED, now, "a one-way device cannot show that it obeyed")
            return []
        if row.attempts >= ATTEMPTS:
            repository.end(row, CommandState.FAILED, now, f"not observed after {row.attempts} attempts")
            log.warning("command_failed", command_id=row.id, device_id=row.device_id, body=row.body)
            return []
        if not connected:
            return []
        messages = self._encode(repository, row, device, session.get(DeviceStateRow, row.device_id), session)
        return messages if messages and repository.mark_sent(row, now) else []

    def _encode(
        self,
        repository: CommandRepository,
        row: CommandRow,
        device: DeviceRow,
        state: DeviceStateRow | None,
        session: Session,
    ) -> Sequence[Message]:
        home = session.get(HomeRow, device.home_id)
        assert home is not None
        try:
            known = known_device(device, state, home.name)
            self.registry.recall(device.dialect, known)
            return self.registry.encode(device.dialect, known, Command.from_dict(row.body))
        except (InvalidCommand, ValueError) as error:
            repository.end(row, CommandState.FAILED, self.clock.now(), str(error))
            log.warning("command_refused", command_id=row.id, device_id=row.device_id, reason=str(error))
            return []
        except (LookupError, TypeError) as error:  # what is stored of the device is not what its dialect stores
            repository.end(row, CommandState.FAILED, self.clock.now(), f"the device cannot be told: {error!r}")
            log.exception("command_not_encoded", command_id=row.id, device_id=row.device_id)
            return []

    def _supersede(self, repository: CommandRepository, row: CommandRow, now: datetime) -> None:
        """An older command that this one contradicts can no longer be observed."""
        for older in repository.on_the_way():
            contradicts = any(row.body.get(name, value) != value for name, value in older.body.items())
            if older.device_id == row.device_id and older.id < row.id and contradicts:
                repository.end(older, CommandState.EXPIRED, now, f"superseded by command {row.id}")

    def _is_late(self, row: CommandRow) -> bool:
        assert row.sent_at is not None
        limit = max(timedelta(seconds=CONFIRM_S), self._wall(CONFIRM_WALL_S))
        return self.clock.now() >= row.sent_at + limit * max(1, row.attempts)

    def _wall(self, seconds: float) -> timedelta:
        """Project time that passes in so many wall seconds."""
        return timedelta(seconds=seconds * self.clock.factor)


def known_device(device: DeviceRow, state: DeviceStateRow | None, home: str) -> KnownDevice:
    """What a dialect needs to know of a device to speak to it."""
    values = {} if state is None else {name: pair[0] for name, pair in state.values.items()}
    mode, fan = values.get("mode"), values.get("fan")
    return KnownDevice(
        native_id=device.native_id,
        kind=Kind(device.kind),
        home=home,
        details=device.details or {},
        capabilities=None if device.capabilities is None else capabilities_from(device.capabilities),
        on=values.get("on"),
        mode=None if mode is None else Mode(mode),
        setpoint_c=values.get("setpoint_c"),
        fan=None if fan is None else Fan(fan),
    )
