"""Promise 1: kill -9 at any moment loses no report and changes no figure.

The intake is the very command ``lingyun intake``, killed while a publisher has many messages in flight.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.mqtt import Broker, new_client
from core.units import to_epoch_us
from devices.base import Message
from intake import session as sessions
from storage.database import migrate, open_database
from storage.tables import DeviceRow, ReportRow, UsageDayRow, UsageHourRow, UsageQuarterRow
from tests.intake.conftest import NOON, check_sums, intake_of, make_home, received, usage
from tests.intake.test_session import broker, publishing, wait_until

__all__ = ["broker"]

START = NOON - timedelta(days=200)
Rows = dict[tuple[str, int], tuple[float | None, float | None]]


def household(home: str, devices: int, reports: int, per_message: int, seed: int) -> list[Message]:
    """Plugs that report every 5 to 9 s with their own time: power, and a counter that resets now and then."""
    chance = random.Random(seed)
    messages: list[tuple[int, Message]] = []
    for device in range(devices):
        at_s, total_kwh = 0.0, 10.0
        body: list[dict[str, object]] = []
        for number in range(reports):
            at_s += chance.choice((5, 5, 7, 9, 9, 400)) if chance.random() < 0.02 else chance.choice((5, 7, 9))
            power_w = chance.choice((0.0, 90.0, 130.0))
            total_kwh = 0.0 if chance.random() < 0.001 else total_kwh + power_w * 7 / 3.6e6
            body.append(
                {
                    "time": (START + timedelta(seconds=at_s)).isoformat(),
                    "power_w": power_w,
                    "energy_total_kwh": round(total_kwh, 5),
                }
            )
            if len(body) == per_message or number == reports - 1:
                payload = json.dumps({"reports": body} if per_message > 1 else body[0]).encode()
                messages.append((number, Message(f"lingyun/{home}/plug{device}/report", payload, 1)))
                body = []
    messages.sort(key=lambda pair: pair[0])
    return [message for _, message in messages]


@contextmanager
def intake_process(database: Engine, broker: Broker, home: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "LINGYUN_MQTT_URL": f"mqtt://{broker.host}:{broker.port}",
        "LINGYUN_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "LINGYUN_HOME": home,
        "LINGYUN_MQTT_FILTERS": json.dumps([f"lingyun/{home}/#"]),
    }
    with (folder / "intake.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lingyun.cli", "intake", "--data-dir", str(folder)],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def rows(database: Engine) -> Rows:
    with Session(database) as session:
        found = session.execute(
            select(DeviceRow.native_id, ReportRow.measured_at, ReportRow.power_w, ReportRow.energy_total_kwh).join(
                DeviceRow, DeviceRow.id == ReportRow.device_id
            )
        )
        return {(row[0], to_epoch_us(row[1])): (row[2], row[3]) for row in found}


def named(database: Engine, table: type, place: int) -> dict[tuple[object, ...], tuple[float, float]]:
    """Usage with the devices' names, which two databases share, in place of their ids."""
    with Session(database) as session:
        names = {row.id: row.native_id for row in session.scalars(select(DeviceRow))}
    return {(*key[:place], names[key[place]], *key[place + 1 :]): cell for key, cell in usage(database, table).items()}


def stream_and_kill(
    database: Engine, broker: Broker, home: str, messages: Sequence[Message], kills: int, folder: Path
) -> None:
    """Publish at the pace of the intake while it is killed at random moments; return once every message is stored."""
    published = threading.Event()

    def send() -> None:
        with publishing(broker) as client:
            infos = [client.publish(message.topic, message.payload, 1) for message in messages]
            for info in infos:
                info.wait_for_publish(120.0)
        published.set()

    chance = random.Random(7)
    sender = threading.Thread(target=send)
    expected = expected_count(messages)
    with intake_process(database, broker, home, folder) as process:
        wait_until(lambda: subscribed(folder, process), "the session exists")
    sender.start()
    for number in range(kills):
        before = len_rows(database)
        goal = before + chance.randint(0, max(1, expected // (kills + 2)))
        with intake_process(database, broker, home, folder) as process:
            wait_until(lambda goal=goal: len_rows(database) >= min(goal, expected), f"progress before kill {number}")  # type: ignore[misc]
            time.sleep(
                chance.uniform(0.0, 0.1)
            )  # any moment: within a transaction, or between commit and acknowledgement
            process.send_signal(signal.SIGKILL)
            process.wait()
    with intake_process(database, broker, home, folder):
        wait_until(lambda: len_rows(database) >= expected, "every report is there")
        wait_until(published.is_set, "everything was published")
    sender.join()


def expected_count(messages: Sequence[Message]) -> int:
    return sum(message.payload.count(b'"time"') for message in messages)


def len_rows(database: Engine) -> int:
    with database.execution_options(read_only=True).connect() as connection:
        return int(connection.exec_driver_sql("SELECT coalesce(sum(report_count), 0) FROM device_state").scalar() or 0)


def subscribed(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    log = (folder / "intake.log").read_text()
    assert process.poll() is None, log
    return "broker_joined" in log


def check_against_undisturbed(database: Engine, home: str, messages: Sequence[Message], folder: Path) -> None:
    quiet = open_database(f"sqlite:///{folder / 'quiet.db'}")
    migrate(quiet)
    make_home(quiet, home)
    intake_of(quiet).take_in(received(messages))
    assert rows(database) == rows(quiet)
    check_sums(database)
    for table, place in ((UsageQuarterRow, 1), (UsageHourRow, 0), (UsageDayRow, 0)):
        found, expected = named(database, table, place), named(quiet, table, place)
        assert found.keys() == expected.keys()
        for key, cell in found.items():
            assert cell == pytest.approx(expected[key], rel=1e-9, abs=1e-9), key
    quiet.dispose()


def forget_session(broker: Broker) -> None:
    """End the persistent session on a broker that other tests share."""
    client = new_client(broker, sessions.CLIENT_ID)
    client.connect(broker.host, broker.port)
    client.loop_start()
    wait_until(client.is_connected, "the session is taken over")
    client.disconnect()
    client.loop_stop()


def kill(database: Engine, broker: Broker, tmp_path: Path, *, kills: int, reports: int, per_message: int) -> None:
    home = f"home{os.urandom(3).hex()}"
    make_home(database, home)
    messages = household(home, 4, reports, per_message, seed=kills)
    stream_and_kill(database, broker, home, messages, kills, tmp_path)
    check_against_undisturbed(database, home, messages, tmp_path)
    forget_session(broker)


@pytest.mark.parametrize(("database_url", "broker"), [("sqlite", "nats"), ("postgresql", "mosquitto")], indirect=True)
def test_four_kills_lose_nothing_and_change_no_figure(database: Engine, broker: Broker, tmp_path: Path) -> None:
    kill(database, broker, tmp_path, kills=4, reports=3000, per_message=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("per_message", [1, 20])
@pytest.mark.parametrize("broker", ["nats", "mosquitto"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_twenty_kills_lose_nothing_and_change_no_figure(
    database: Engine, broker: Broker, tmp_path: Path, per_message: int
) -> None:
    kill(database, broker, tmp_path, kills=20, reports=15_000 * (1 if per_message == 1 else 4), per_message=per_message)
