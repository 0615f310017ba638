"""The session with real brokers: acknowledged after commit, delivered again otherwise, refusals are errors."""

import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as Orm

from core.clock import Clock
from core.errors import ConfigurationError
from core.mqtt import Broker, new_client
from core.settings import Settings
from devices.base import Message, Report
from devices.registry import Registry
from intake import session as sessions
from intake.service import Intake
from intake.session import Buffer
from intake.words import Buffered
from storage.tables import ReportRow
from tests.conftest import free_port, nats_server_binary, wait_for_port
from tests.intake.conftest import HOME, NOON, Told, native

TIMEOUT_S = 30.0
POLL_S = 0.02


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end_s, f"timed out: {what}"
        time.sleep(POLL_S)


@pytest.fixture(params=["nats", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each of the brokers that a home may run."""
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found


@pytest.fixture
def client_id(monkeypatch: pytest.MonkeyPatch) -> str:
    """A session of this test's own."""
    name = f"intake-{os.urandom(4).hex()}"
    monkeypatch.setattr(sessions, "CLIENT_ID", name)
    return name


@pytest.fixture
def prefix() -> str:
    """A topic prefix of this test's own, of the native dialect: a device's name."""
    return f"d{os.urandom(4).hex()}"


@contextmanager
def running(intake: Intake) -> Iterator[None]:
    """The intake in a thread, joined and its error raised at the end."""
    stop, errors = threading.Event(), []

    def run() -> None:
        try:
            intake.run(stop)
        except ConfigurationError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_until(lambda: intake.ready.is_set() or bool(errors), "the intake is ready")
        if errors:
            raise errors[0]
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


@contextmanager
def publishing(broker: Broker) -> Iterator[mqtt.Client]:
    client = new_client(broker, f"publisher-{os.urandom(4).hex()}")
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(2000)
    client.connect(broker.host, broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def publish(client: mqtt.Client, messages: Sequence[Message]) -> None:
    infos = [client.publish(message.topic, message.payload, message.qos, message.retained) for message in messages]
    for info in infos:
        info.wait_for_publish(TIMEOUT_S)


def live(database: Engine, broker: Broker, filters: Sequence[str], registry: object = None) -> Intake:
    settings = Settings(home=HOME, mqtt_filters=tuple(filters))
    return Intake(database, broker, Clock.starting_at(NOON + timedelta(days=1), 1.0), settings, registry or Registry())  # type: ignore[arg-type]


def stored(database: Engine) -> int:
    with Orm(database) as session:
        return session.scalar(select(func.count()).select_from(ReportRow)) or 0


def reports(device: str, count: int, start: int = 0) -> list[Message]:
    return [native(device, NOON + timedelta(seconds=n), power_w=float(n)) for n in range(start, start + count)]


def test_what_a_broker_delivers_is_stored(sqlite_home: Engine, broker: Broker, client_id: str, prefix: str) -> None:
    intake = live(sqlite_home, broker, [f"lingyun/{HOME}/{prefix}/#"])
    with running(intake), publishing(broker) as client:
        publish(client, reports(prefix, 3000))
        wait_until(lambda: intake.tally.stored == 3000, "all are stored")
    assert stored(sqlite_home) == 3000
    assert intake.buffered == 0


def test_messages_of_an_absent_intake_wait_for_it(
    sqlite_home: Engine, broker: Broker, client_id: str, prefix: str
) -> None:
    filters = [f"lingyun/{HOME}/{prefix}/#"]
    with running(live(sqlite_home, broker, filters)):
        pass
    with publishing(broker) as client:
        publish(client, reports(prefix, 500))
    with running(live(sqlite_home, broker, filters)):
        wait_until(lambda: stored(sqlite_home) == 500, "what was sent meanwhile is stored")


def test_filters_that_are_not_wanted_any_more_are_taken_back(
    sqlite_home: Engine, broker: Broker, client_id: str, prefix: str
) -> None:
    """The session outlives the process: without care it would go on delivering what nobody asks for now."""
    wanted, former = f"lingyun/{HOME}/{prefix}/#", f"lingyun/{HOME}/{prefix}x/#"
    with running(live(sqlite_home, broker, [former])):
        pass
    intake = live(sqlite_home, broker, [wanted])
    with running(intake), publishing(broker) as client:
        publish(client, [*reports(f"{prefix}x", 20), *reports(prefix, 20)])
        wait_until(lambda: stored(sqlite_home) == 20, "what is wanted is stored")
    assert intake.messages == 20


def test_nothing_is_acknowledged_while_the_database_fails(
    sqlite_home: Engine, broker: Broker, client_id: str, prefix: str
) -> None:
    """The first intake can never commit; everything is there for the second."""
    filters = [f"lingyun/{HOME}/{prefix}/#"]
    tried = threading.Event()

    def fail(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith('INSERT INTO "report"'):
            tried.set()
            raise OperationalError(statement, {}, Exception("disk full"))

    event.listen(sqlite_home, "before_cursor_execute", fail)
    with running(live(sqlite_home, broker, filters)), publishing(broker) as client:
        publish(client, reports(prefix, 200))
        assert tried.wait(TIMEOUT_S)
    event.remove(sqlite_home, "before_cursor_execute", fail)
    assert stored(sqlite_home) == 0
    with running(live(sqlite_home, broker, filters)):
        wait_until(lambda: stored(sqlite_home) == 200, "the broker delivers again")


def test_a_database_that_comes_back_gets_all(sqlite_home: Engine, broker: Broker, client_id: str, prefix: str) -> None:
    failures = itertools.count(1)

    def fail_twice(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith('INSERT INTO "report"') and next(failures) <= 2:
            raise OperationalError(statement, {}, Exception("locked"))

    event.listen(sqlite_home, "before_cursor_execute", fail_twice)
    with running(live(sqlite_home, broker, [f"lingyun/{HOME}/{prefix}/#"])), publishing(broker) as client:
        publish(client, reports(prefix, 200))
        wait_until(lambda: stored(sqlite_home) == 200, "all are stored after the failures")
    assert next(failures) > 3


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_postgresql_that_ends_the_session_loses_nothing(
    home: Engine, mosquitto_broker: Broker, client_id: str, prefix: str
) -> None:
    filters = [f"lingyun/{HOME}/{prefix}/#"]
    intake = live(home, mosquitto_broker, filters)
    with running(intake), publishing(mosquitto_broker) as client:
        for start in range(0, 900, 300):
            publish(client, reports(prefix, 300, start))
            with home.connect() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
                )
        wait_until(lambda: stored(home) == 900, "all are stored over three sessions")


def test_messages_without_their_own_time_count_once_however_often_they_are_delivered(
    sqlite_home: Engine, broker: Broker, client_id: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intake stores, and dies before it acknowledges: no acknowledgement of the first session goes out."""
    count = 50
    meanings = {
        f"{prefix}/{n}": [Report(native_id="plug", energy_total_kwh=1 + n / 1000, power_w=100.0)] for n in range(count)
    }
    filters = [f"{prefix}/#"]
    with monkeypatch.context() as patch:
        patch.setattr(sessions.Session, "acknowledge", lambda *_: None)
        with running(live(sqlite_home, broker, filters, Told(dict(meanings)))), publishing(broker) as client:
            publish(client, [Message(topic, b"x", 1) for topic in meanings])
            wait_until(lambda: stored(sqlite_home) >= count, "all are stored")
    assert stored(sqlite_home) == count
    intake = live(sqlite_home, broker, filters, Told(dict(meanings)))
    with running(intake):
        wait_until(lambda: intake.tally.repeats == count, "all come again and are passed over")
    assert stored(sqlite_home) == count


@contextmanager
def nats_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A nats-server of the test's own, that may be killed."""
    configuration = folder / "nats.conf"
    configuration.write_text(
        f'server_name: own\nlisten: "127.0.0.1:{free_port()}"\njetstream {{ store_dir: "{folder}/store" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "2s", max_ack_pending: 10000 }}\n'
    )
    process = subprocess.Popen([nats_server_binary(), "-c", str(configuration), "-l", str(folder / "log")])
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_intake_outlives_its_broker(sqlite_home: Engine, tmp_path: Path, client_id: str, prefix: str) -> None:
    """The broker starts after the intake, is killed, and comes back with what it had accepted."""
    broker = Broker("127.0.0.1", free_port())
    stop = threading.Event()
    intake = live(sqlite_home, broker, [f"lingyun/{HOME}/{prefix}/#"])
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    try:
        for start in (0, 300):
            with nats_server(tmp_path, broker.port), publishing(broker) as client:
                wait_until(intake.ready.is_set, "the intake has joined")
                publish(client, reports(prefix, 300, start))
        with nats_server(tmp_path, broker.port):
            wait_until(lambda: stored(sqlite_home) == 600, "all are stored over three lives of the broker")
    finally:
        stop.set()
        thread.join(TIMEOUT_S)
    assert not thread.is_alive()


def test_a_refused_subscription_is_an_error(sqlite_home: Engine, nats_broker: Broker, client_id: str) -> None:
    """A filter with a space gets SUBACK 0x80 from nats-server."""
    intake = live(sqlite_home, nats_broker, ["ok/#", "a b/#"])
    with pytest.raises(ConfigurationError, match="refuses to subscribe the intake to 'a b/#'"), running(intake):
        pass


# --- without a broker ---


def put_all(buffer: Buffer, count: int, size: int) -> None:
    for number in range(count):
        buffer.put(Buffered(number, Message("t", b"x" * size)))


def test_a_full_buffer_makes_the_sender_wait_and_drops_nothing() -> None:
    buffer = Buffer(max_messages=10)
    sender = threading.Thread(target=put_all, args=(buffer, 100, 10))
    sender.start()
    wait_until(lambda: len(buffer) == 10, "the buffer is full")
    seen: list[int] = []
    while len(seen) < 100:
        assert len(buffer) <= 10
        seen += [each.at_us for each in buffer.take(TIMEOUT_S)]
    sender.join(TIMEOUT_S)
    assert seen == list(range(100))


def test_a_buffer_is_bounded_in_bytes_and_lets_go_when_closed() -> None:
    buffer = Buffer(max_bytes=1000)
    sender = threading.Thread(target=put_all, args=(buffer, 3, 600))
    sender.start()
    wait_until(lambda: len(buffer) == 2, "there is no room for the third")
    buffer.close()
    sender.join(TIMEOUT_S)
    assert not sender.is_alive()
    assert len(buffer.take(0.0)) == 2
