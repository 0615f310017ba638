"""The very commands of docker-compose.yml, as processes, against a real nats-server and a real PostgreSQL."""

import json
import os
import signal
import subprocess
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.mqtt import Broker, new_client
from storage.database import migrate, open_database
from tests.conftest import free_port, wait_for_port
from tests.deploy.compose import ROOT, read_compose

SECRETS = {
    "LINGYUN_MQTT_PASSWORD": "12345",  # digits alone, which nats.conf would read as a number
    "LINGYUN_MQTT_DEVICES_PASSWORD": "device0secret",
    "LINGYUN_POSTGRES_PASSWORD": "c3",
}
SCRIPTS = sysconfig.get_path("scripts")
TIMEOUT_S = 60.0


class Container:
    """One service's command, run as compose would run it, but on free ports of this machine."""

    def __init__(self, service: dict[str, Any], changes: dict[str, str], log: Path) -> None:
        environment = {key: str(value) for key, value in service["environment"].items()}
        assert set(changes) <= set(environment), "only what the service has is moved to this machine's ports"
        self.log = log
        command = [word.replace("/etc/lingyun/", f"{ROOT}/deploy/") for word in service["command"]]
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env={"PATH": f"{SCRIPTS}:/usr/bin:/bin", "HOME": "/nonexistent", **environment, **changes},
                cwd=log.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> int:
        """SIGTERM, as `docker stop` sends; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def started(service: dict[str, Any], changes: dict[str, str], log: Path) -> Iterator[Container]:
    """A running container; its log is shown when the test fails."""
    container = Container(service, changes, log)
    try:
        yield container
    finally:
        if container.process.poll() is None:
            container.process.kill()
            container.process.wait()
        print(f"--- {log.name}\n{log.read_text()[-3000:]}")


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """A new database without any table."""
    name = f"compose_{os.urandom(4).hex()}"
    admin = open_database(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def wait_for(found: Callable[[], Any], what: str, containers: list[Container]) -> Any:
    """What ``found`` returns once it is true; fails when a container ended or time is over."""
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        ended = [container.log.name for container in containers if container.process.poll() is not None]
        assert not ended, f"{ended} ended while waiting for {what}"
        result = found()
        if result:
            return result
        time.sleep(0.1)
    pytest.fail(f"no {what} within {TIMEOUT_S:.0f} s")


def get(url: str, token: str | None = None) -> dict[str, Any] | None:
    """The JSON of a 200, else None."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except (OSError, ValueError):
        return None


def publish(broker: Broker, topic: str, body: dict[str, object]) -> None:
    """One message at QoS 1, acknowledged."""
    client = new_client(broker, "")
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.publish(topic, json.dumps(body), qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def refusal(broker: Broker) -> str:
    """What the broker says to a login."""
    said: list[str] = []
    done = threading.Event()

    def on_connect(_client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        said.append(str(reason))
        done.set()

    client = new_client(broker, "")
    client.on_connect = on_connect
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert done.wait(10)
    client.disconnect()
    client.loop_stop()
    return said[0]


def test_the_containers_commands_together_are_a_working_home(tmp_path: Path, empty_postgres_url: str) -> None:
    """They start at once on an empty database; a device's message is visible over REST; SIGTERM ends them cleanly."""
    services = read_compose(SECRETS)["services"]
    mqtt_port, api_port = free_port(), free_port()
    broker_changes = {
        "BROKER_MQTT_LISTEN": f'"127.0.0.1:{mqtt_port}"',
        "BROKER_MONITOR_LISTEN": f'"127.0.0.1:{free_port()}"',
        "BROKER_STORE": f'"{tmp_path}/store"',
    }
    url = services["intake"]["environment"]["LINGYUN_MQTT_URL"].replace("@broker:1883", f"@127.0.0.1:{mqtt_port}")
    changes = {
        "LINGYUN_MQTT_URL": url,
        "LINGYUN_DATABASE_URL": empty_postgres_url,
        "LINGYUN_DATA_DIR": str(tmp_path / "data"),
    }
    api_changes = {**changes, "LINGYUN_HOST": "127.0.0.1", "LINGYUN_PORT": str(api_port)}
    logs = tmp_path / "logs"
    page = f"http://127.0.0.1:{api_port}"
    with started(services["broker"], broker_changes, logs / "broker") as broker:
        wait_for_port(mqtt_port, broker.process)
        health = broker_changes["BROKER_MONITOR_LISTEN"].strip('"')
        assert wait_for(lambda: get(f"http://{health}/healthz"), "healthy broker", [broker]) == {"status": "ok"}
        with (
            started(services["intake"], changes, logs / "intake") as intake,
            started(services["engine"], changes, logs / "engine") as engine,
            started(services["api"], api_changes, logs / "api") as api,
        ):
            all_of_them = [broker, intake, engine, api]
            wait_for(lambda: get(f"{page}/readyz"), "readyz", all_of_them)
            assert "/setup?token=" in api.log.read_text()

            devices = Broker("127.0.0.1", mqtt_port, "devices", SECRETS["LINGYUN_MQTT_DEVICES_PASSWORD"])
            now = datetime.now(UTC).isoformat()
            publish(devices, "lingyun/home/kettle/announce", {"kind": "plug", "name": "Kettle"})
            publish(devices, "lingyun/home/kettle/report", {"time": now, "power_w": 1234.5})
            token = subprocess.run(
                ["lingyun", "token", "create", "--home", "home", "--scope", "read"],
                env={"PATH": f"{SCRIPTS}:/usr/bin:/bin", **changes},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()[-1]
            homes = get(f"{page}/api/v1/homes", token)
            assert homes is not None
            home = homes["items"][0]["id"]

            def kettle() -> dict[str, Any] | None:
                found = get(f"{page}/api/v1/homes/{home}/devices", token) or {"items": []}
                said = [item for item in found["items"] if item["name"] == "Kettle" and "1234.5" in json.dumps(item)]
                return said[0] if said else None

            wait_for(kettle, "device over REST", all_of_them)
            assert [container.stop() for container in (api, engine, intake, broker)] == [0, 0, 0, 0]
    assert {entry.name for entry in logs.iterdir()} == {"broker", "intake", "engine", "api"}, (
        "their folder is read-only"
    )


def test_the_broker_lets_nobody_in_without_the_right_password(tmp_path: Path) -> None:
    service = read_compose(SECRETS)["services"]["broker"]
    port = free_port()
    changes = {
        "BROKER_MQTT_LISTEN": f'"127.0.0.1:{port}"',
        "BROKER_MONITOR_LISTEN": f'"127.0.0.1:{free_port()}"',
        "BROKER_STORE": f'"{tmp_path}/store"',
    }
    with started(service, changes, tmp_path / "logs" / "broker") as broker:
        wait_for_port(port, broker.process)
        said = {
            (user, password): refusal(Broker("127.0.0.1", port, user, password))
            for user, password in (
                ("service", "12345"),
                ("devices", "device0secret"),
                ("devices", "12345"),
                ("service", ""),
                (None, None),
            )
        }
        assert [word == "Success" for word in said.values()] == [True, True, False, False, False], said
        assert broker.stop() == 0


def test_processes_that_start_at_once_migrate_once(empty_postgres_url: str) -> None:
    together = threading.Barrier(4)
    failed: list[BaseException] = []

    def start() -> None:
        database = open_database(empty_postgres_url)
        try:
            together.wait(10)
            migrate(database)
        except BaseException as error:
            failed.append(error)
        finally:
            database.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
