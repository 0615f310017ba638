"""Commands over real brokers: what is published, and what becomes of a command that nobody answers."""

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from control.commands import CONFIRM_S, CommandSender
from core.clock import Clock
from core.mqtt import Broker, new_client
from core.words import Command, CommandState, Mode
from storage.repositories.commands import BY_ENGINE, BY_PERSON, CommandRepository
from storage.tables import CommandRow, DeviceRow, DeviceStateRow, HomeRow
from tests.control.household import AFTERNOON, Household

WAIT_S = 20.0


class Device:
    """Hears what is published to one home's unit."""

    def __init__(self, broker: Broker, home: str) -> None:
        self.messages: list[tuple[str, dict[str, object], int, bool]] = []
        self._heard = threading.Condition()
        self._ready = threading.Event()
        self.client = new_client(broker, f"device-{home}")
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        self.client.subscribe(f"lingyun/{home}/unit/command", qos=1)
        assert self._ready.wait(WAIT_S)

    def _on_message(self, _client: object, _data: object, message: object) -> None:
        with self._heard:
            body = json.loads(message.payload)  # type: ignore[attr-defined]
            self.messages.append((message.topic, body, message.qos, message.retain))  # type: ignore[attr-defined]
            self._heard.notify_all()

    def wait_for(self, count: int) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.messages) >= count, WAIT_S), self.messages

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(params=["nats_broker", "mosquitto_broker"])
def any_broker(request: pytest.FixtureRequest) -> Broker:
    broker: Broker = request.getfixturevalue(request.param)
    return broker


@contextmanager
def sending(database: Database, broker: Broker, clock: Clock) -> Iterator[CommandSender]:
    sender = CommandSender(database, broker, clock, client_id=f"sender-{uuid.uuid4().hex[:8]}")
    stop = threading.Event()
    thread = threading.Thread(target=sender.run, args=(stop,))
    thread.start()
    try:
        yield sender
    finally:
        stop.set()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def home_named(database: Database) -> tuple[Household, str]:
    """A home with a name of its own, because all tests share a broker."""
    home = Household(database).build()
    name = f"h{uuid.uuid4().hex[:8]}"
    with home.session() as session:
        session.get_one(HomeRow, home.home_id).name = name
    home.unit(on=True, mode="cool", setpoint_c=26.0)
    return home, name


def queue(
    home: Household,
    at: datetime,
    body: Command,
    *,
    by: str = BY_ENGINE,
    life_s: float = 900.0,
    device_id: int | None = None,
) -> int:
    with home.session() as session:
        return (
            CommandRepository(session)
            .queue(
                home_id=home.home_id,
                device_id=device_id or home.unit_id,
                body=body,
                requested_by=by,
                queued_at=at,
                expires_at=at + timedelta(seconds=life_s),
            )
            .id
        )


def wait_for(home: Household, command_id: int, state: CommandState) -> CommandRow:
    """The command once it is in a state; polls the table, which is where processes meet."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.02)):
        with Session(home.database) as session:
            row = session.get_one(CommandRow, command_id)
            if row.state == state:
                return row
        pause.wait(0.02)
    raise TimeoutError(f"command {command_id} is {row.state} and not {state}")


def test_a_queued_command_is_published_once_and_never_retained(sqlite_database: Database, any_broker: Broker) -> None:
    home, name = home_named(sqlite_database)
    device = Device(any_broker, name)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    with sending(sqlite_database, any_broker, clock):
        command_id = queue(home, clock.now(), Command(on=True, mode=Mode.COOL, setpoint_c=24.5))
        row = wait_for(home, command_id, CommandState.SENT)
        device.wait_for(1)
    device.close()
    ((topic, body, qos, retained),) = device.messages
    assert topic == f"lingyun/{name}/unit/command"
    assert body["setpoint_c"] == 24.5
    assert (qos, retained) == (1, False)
    assert row.attempts == 1
    assert row.sent_at is not None


def test_a_command_that_is_not_observed_is_sent_once_more_and_then_fails(
    sqlite_database: Database, nats_broker: Broker
) -> None:
    """At 60 times the speed the 120 s of project time are 2 s, and the 10 s of wall time count; so go faster."""
    home, name = home_named(sqlite_database)
    device = Device(nats_broker, name)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    command_id = queue(home, clock.now(), Command(setpoint_c=24.0))
    with sending(sqlite_database, nats_broker, clock) as sender:
        wait_for(home, command_id, CommandState.SENT)
        sender.clock = Clock.starting_at(clock.now() + timedelta(seconds=CONFIRM_S + 1.0), 1.0)
        device.wait_for(2)
        sender.clock = Clock.starting_at(clock.now() + timedelta(seconds=2.0 * CONFIRM_S + 2.0), 1.0)
        row = wait_for(home, command_id, CommandState.FAILED)
    device.close()
    assert len(device.messages) == 2
    assert row.attempts == 2
    assert row.detail == "not observed after 2 attempts"


def test_a_command_waits_for_its_device_and_expires_if_it_stays_away(
    sqlite_database: Database, nats_broker: Broker
) -> None:
    home, name = home_named(sqlite_database)
    device = Device(nats_broker, name)
    with home.session() as session:
        session.get_one(DeviceStateRow, home.unit_id).online = False
    clock = Clock.starting_at(AFTERNOON, 1.0)
    waiting = queue(home, clock.now(), Command(setpoint_c=24.0), by=BY_PERSON, life_s=60.0)
    with sending(sqlite_database, nats_broker, clock) as sender:
        sender.clock = Clock.starting_at(clock.now() + timedelta(seconds=61.0), 1.0)
        row = wait_for(home, waiting, CommandState.EXPIRED)
        assert row.detail == "the device stayed offline"
        with home.session() as session:
            session.get_one(DeviceStateRow, home.unit_id).online = True
        later = queue(home, sender.clock.now(), Command(setpoint_c=25.0))
        wait_for(home, later, CommandState.SENT)
        device.wait_for(1)
    device.close()
    assert [body["setpoint_c"] for _, body, _, _ in device.messages] == [25.0]


def test_a_command_that_the_device_cannot_be_told_fails_with_the_reason(
    sqlite_database: Database, nats_broker: Broker
) -> None:
    home, _ = home_named(sqlite_database)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    command_id = queue(home, clock.now(), Command(setpoint_c=99.0))
    with sending(sqlite_database, nats_broker, clock):
        row = wait_for(home, command_id, CommandState.FAILED)
    assert row.detail is not None
    assert "99" in row.detail


def test_a_newer_command_ends_an_older_one_that_it_contradicts(sqlite_database: Database, nats_broker: Broker) -> None:
    home, name = home_named(sqlite_database)
    device = Device(nats_broker, name)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    with sending(sqlite_database, nats_broker, clock):
        first = queue(home, clock.now(), Command(setpoint_c=24.0))
        wait_for(home, first, CommandState.SENT)
        second = queue(home, clock.now(), Command(setpoint_c=25.0))
        wait_for(home, second, CommandState.SENT)
        row = wait_for(home, first, CommandState.EXPIRED)
    device.close()
    assert row.detail == f"superseded by command {second}"


def test_commands_outlive_a_broker_that_is_away_at_the_start(sqlite_database: Database, nats_broker: Broker) -> None:
    home, _ = home_named(sqlite_database)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    command_id = queue(home, clock.now(), Command(setpoint_c=24.0))
    nobody = Broker("127.0.0.1", 9)
    CommandSender(sqlite_database, nobody, clock)._cycle(new_client(nobody, "nobody"))
    with home.session() as session:
        assert session.get_one(CommandRow, command_id).state == CommandState.QUEUED
    with sending(sqlite_database, nats_broker, clock):
        wait_for(home, command_id, CommandState.SENT)


def test_a_poll_that_fails_does_not_end_the_sender(
    sqlite_database: Database, nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = home_named(sqlite_database)
    clock, failed = Clock.starting_at(AFTERNOON, 1.0), threading.Event()
    has_fresh = CommandSender._has_fresh

    def fail_once(sender: CommandSender) -> bool:
        if not failed.is_set():
            failed.set()
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        return has_fresh(sender)

    monkeypatch.setattr(CommandSender, "_has_fresh", fail_once)
    with sending(sqlite_database, nats_broker, clock):
        assert failed.wait(WAIT_S)
        wait_for(home, queue(home, clock.now(), Command(setpoint_c=24.0)), CommandState.SENT)


def test_a_command_that_cannot_be_handled_does_not_hold_up_the_others(
    sqlite_database: Database, nats_broker: Broker
) -> None:
    home, _ = home_named(sqlite_database)
    with home.session() as session:
        session.get_one(DeviceRow, home.tv_id).capabilities = {"modes": 5}
    clock = Clock.starting_at(AFTERNOON, 1.0)
    broken = queue(home, clock.now(), Command(on=True), device_id=home.tv_id)
    whole = queue(home, clock.now(), Command(setpoint_c=24.0))
    with sending(sqlite_database, nats_broker, clock):
        wait_for(home, whole, CommandState.SENT)
        wait_for(home, broken, CommandState.FAILED)


def read_packet(connection: socket.socket) -> tuple[int, bytes]:
    """Type and body of the next MQTT packet (all of them shorter than 16 KiB here)."""
    with connection.makefile("rb", buffering=0) as stream:
        kind, length = stream.read(2)
        if length > 127:
            length += 128 * (stream.read(1)[0] - 1)
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
    return kind >> 4, body


def next_publish(listener: socket.socket) -> bytes:
    """Take a connection, read the first message published on it, and hang up without acknowledging."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(WAIT_S)
        assert read_packet(connection)[0] == 1
        connection.sendall(b"\x20\x02\x00\x00")  # CONNACK: accepted
        kind, body = read_packet(connection)
        assert kind == 3
        return body


def test_what_a_lost_connection_left_unacknowledged_is_not_published_again_on_the_next(
    sqlite_database: Database,
) -> None:
    home, _ = home_named(sqlite_database)
    clock = Clock.starting_at(AFTERNOON, 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        with sending(sqlite_database, Broker(*listener.getsockname()), clock):
            queue(home, clock.now(), Command(setpoint_c=24.0))
            assert b"24.0" in next_publish(listener)
            newer = queue(home, clock.now(), Command(setpoint_c=25.0))
            assert b"25.0" in next_publish(listener)
            wait_for(home, newer, CommandState.SENT)


def test_the_ledger_works_the_same_on_both_databases(database: Database, nats_broker: Broker) -> None:
    home, name = home_named(database)
    device = Device(nats_broker, name)
    clock = Clock.starting_at(AFTERNOON, 60.0)
    with sending(database, nats_broker, clock):
        command_id = queue(home, clock.now(), Command(on=False))
        wait_for(home, command_id, CommandState.SENT)
        device.wait_for(1)
    device.close()
