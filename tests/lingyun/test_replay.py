"""Replay through a real broker and the real intake."""

import csv
import gzip
import io
import os
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import ConfigurationError
from core.mqtt import find_broker, new_client
from core.settings import Settings
from devices.registry import Registry
from intake.service import Intake
from lingyun import replay as module
from lingyun.broker import start_embedded_broker
from lingyun.replay import replay
from storage.database import open_database
from storage.tables import DeviceRow, HomeRow, ReportRow, RoomRow, UsageHourRow

MAPS = Path(module.__file__).parent / "maps"
START = datetime(2012, 1, 8, tzinfo=UTC)

MAP = """
[home]
time_zone = "Europe/Madrid"
currency = "EUR"
[time]
column = "when"
clock = "UTC"
[[device]]
id = "plug"
kind = "plug"
name = "Kettle"
room = "Kitchen"
columns = { watts = { quantity = "power_w", unit = "W" } }
[[device]]
id = "thermometer"
kind = "thermometer"
columns = { celsius = { quantity = "room_temperature_c", unit = "C" } }
"""


class House:
    """A broker, a database and a folder with a recording."""

    def __init__(self, data_dir: Path, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=data_dir, database_url=SecretStr(database_url))
        self.broker = find_broker(self.settings, "service")
        self.database: Engine = open_database(database_url)
        self.name = f"house-{os.urandom(4).hex()}"

    def record(self, rows: list[tuple[float, float | None, float | None]]) -> tuple[Path, Path]:
        """(recording, map) of rows of (seconds since START, W, °C)."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["when", "watts", "celsius"])
        writer.writerows([(START + timedelta(seconds=s)).isoformat()[:19], watts, c] for s, watts, c in rows)
        recording, map_file = self.folder / "house.csv.gz", self.folder / "house.toml"
        recording.write_bytes(gzip.compress(text.getvalue().encode()))
        map_file.write_text(MAP)
        return recording, map_file

    @contextmanager
    def intake(self) -> Iterator[None]:
        """The intake, running."""
        stop = threading.Event()
        intake = Intake(self.database, self.broker, Clock.real(), self.settings, Registry())
        thread = threading.Thread(target=intake.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def stored(self, native_id: str) -> list[tuple[datetime, float | None, float | None]]:
        """(own time, W, °C) of a device's reports."""
        with Session(self.database) as session:
            rows = session.execute(
                select(ReportRow.measured_at, ReportRow.power_w, ReportRow.room_temperature_c)
                .join(DeviceRow, DeviceRow.id == ReportRow.device_id)
                .where(DeviceRow.native_id == native_id, ReportRow.own_time)
                .order_by(ReportRow.measured_at)
            )
            return [(at, watts, c) for at, watts, c in rows]

    def hours(self) -> list[tuple[datetime, float, float]]:
        """(hour, kWh, covered seconds) of all devices."""
        with Session(self.database) as session:
            rows = session.scalars(select(UsageHourRow).order_by(UsageHourRow.device_id, UsageHourRow.start_at))
            return [(row.start_at, row.energy_kwh, row.covered_s) for row in rows]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory in which an embedded broker runs."""
    folder = tmp_path_factory.mktemp("data")
    embedded = start_embedded_broker(folder, 0, durable=False)
    yield folder
    embedded.stop()


@pytest.fixture
def house(data_dir: Path, sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    found = House(data_dir, sqlite_url, tmp_path)
    yield found
    found.database.dispose()


def at(seconds: float) -> datetime:
    """An instant of the recording."""
    return START + timedelta(seconds=seconds)


def test_a_recording_is_stored_with_its_own_times_and_its_gaps(house: House) -> None:
    recording, map_file = house.record([(0, 100.0, 20.0), (60, 200.0, None), (3600, None, 21.0), (3660, 50.0, 21.5)])
    with house.intake():
        assert replay(recording, map_file, house.name, None, house.settings) == 0
    assert house.stored("plug") == [(at(0), 100.0, None), (at(60), 200.0, None), (at(3660), 50.0, None)]
    assert house.stored("thermometer") == [(at(0), None, 20.0), (at(3600), None, 21.0), (at(3660), None, 21.5)]


def test_home_devices_and_rooms_are_made_as_the_map_says(house: House) -> None:
    recording, map_file = house.record([(0, 100.0, 20.0)])
    with house.intake():
        replay(recording, map_file, house.name, None, house.settings)
    with Session(house.database) as session:
        home = session.scalars(select(HomeRow).where(HomeRow.name == house.name)).one()
        assert (home.time_zone, home.currency) == ("Europe/Madrid", "EUR")
        plug = session.scalars(select(DeviceRow).where(DeviceRow.native_id == "plug")).one()
        assert (plug.home_id, plug.kind, plug.name) == (home.id, "plug", "Kettle")
        assert session.scalars(select(RoomRow.name).where(RoomRow.id == plug.room_id)).one() == "Kitchen"


def test_a_second_replay_changes_nothing(house: House) -> None:
    recording, map_file = house.record([(10 * n, 100.0 + n % 7, None) for n in range(1000)])
    with house.intake():
        assert replay(recording, map_file, house.name, None, house.settings) == 0
        before = house.stored("plug"), house.hours()
        assert len(before[0]) == 1000
        assert before[1]
        assert replay(recording, map_file, house.name, None, house.settings) == 0
        client = new_client(house.broker, "")  # what comes after the second replay is stored after it
        client.connect(house.broker.host, house.broker.port)
        client.loop_start()
        last = f'{{"time": "{at(99_999).isoformat()}", "room_temperature_c": 1.0}}'
        client.publish(f"lingyun/{house.name}/thermometer/report", last, qos=1).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()
        end = time.monotonic() + 30
        while not house.stored("thermometer") and time.monotonic() < end:
            time.sleep(0.02)
    assert (house.stored("plug"), house.hours()) == before


def test_an_intake_that_restarts_only_delays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty messages of ten readings; the intake goes away in the middle and comes back."""
    monkeypatch.setattr(module, "READINGS_PER_MESSAGE", 10)
    monkeypatch.setattr(module, "WINDOW", 20)
    recording, map_file = house.record([(10 * n, 100.0, None) for n in range(500)])
    status: list[int] = []
    run = threading.Thread(target=lambda: status.append(replay(recording, map_file, house.name, None, house.settings)))
    with house.intake():
        run.start()
        end = time.monotonic() + 30
        while not house.stored("plug") and time.monotonic() < end:
            time.sleep(0.005)
    with house.intake():
        run.join(60)
    assert status == [0]
    assert len(house.stored("plug")) == 500


def test_a_broker_that_is_killed_and_restarts_only_delays(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READINGS_PER_MESSAGE", 10)
    monkeypatch.setattr(module, "WINDOW", 20)
    embedded = start_embedded_broker(tmp_path / "data", 0)
    house = House(tmp_path / "data", sqlite_url, tmp_path)
    recording, map_file = house.record([(10 * n, 100.0, None) for n in range(1000)])
    status: list[int] = []
    run = threading.Thread(target=lambda: status.append(replay(recording, map_file, house.name, None, house.settings)))
    with house.intake():
        run.start()
        end = time.monotonic() + 30
        while not house.stored("plug") and time.monotonic() < end:
            time.sleep(0.005)
        embedded.process.kill()
        embedded.process.wait()
        embedded = start_embedded_broker(tmp_path / "data", house.broker.port)
        run.join(60)
        stored = len(house.stored("plug"))
    house.database.dispose()
    embedded.stop()
    assert status == [0]
    assert stored == 1000


def test_without_an_intake_it_says_so_and_fails(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    recording, map_file = house.record([(0, 100.0, 20.0)])
    assert replay(recording, map_file, house.name, None, house.settings) == 1
    assert "no intake is running" in capsys.readouterr().err


def test_a_thousand_messages_are_on_their_way_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stores what is sent: the window fills, and sending stops."""
    monkeypatch.setattr(module, "PATIENCE_S", 1.0)
    monkeypatch.setattr(module, "READINGS_PER_MESSAGE", 1)
    recording, map_file = house.record([(n, 100.0, None) for n in range(1500)])
    with Session(house.database) as session, session.begin():
        home = HomeRow(name=house.name, time_zone="UTC", settings={}, created_at=START)
        session.add(home)
        session.flush()
        for name in ("plug", "thermometer"):
            session.add(
                DeviceRow(
                    home_id=home.id,
                    dialect="native",
                    native_id=name,
                    kind="plug",
                    name=name,
                    details={},
                    created_at=START,
                )
            )
    seen: list[str] = []
    listener = new_client(house.broker, "")
    subscribed = threading.Event()
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.on_message = lambda _client, _data, message: seen.append(message.topic)
    listener.connect(house.broker.host, house.broker.port)
    listener.loop_start()
    listener.subscribe(f"lingyun/{house.name}/+/report", qos=0)
    assert subscribed.wait(10)
    assert replay(recording, map_file, house.name, None, house.settings) == 1
    end = time.monotonic() + 10
    while len(seen) < 1000 and time.monotonic() < end:
        time.sleep(0.02)
    listener.disconnect()
    listener.loop_stop()
    assert len(seen) == 1000


def test_at_its_own_pace_a_reading_is_sent_when_it_is_due(house: House) -> None:
    """40 s at 20 times their pace take 2 s; what is due is stored before the end."""
    recording, map_file = house.record([(n, float(n), None) for n in range(41)])
    with house.intake():
        started_s = time.monotonic()
        run = threading.Thread(target=replay, args=(recording, map_file, house.name, 20.0, house.settings))
        run.start()
        while not house.stored("plug") and run.is_alive():
            time.sleep(0.01)
        early = len(house.stored("plug"))
        run.join(30)
        took_s = time.monotonic() - started_s
    assert took_s >= 2.0
    assert 0 < early < 41
    assert len(house.stored("plug")) == 41


def test_ctrl_c_stops_cleanly_and_keeps_what_is_stored(house: House) -> None:
    recording, map_file = house.record([(n, float(n), None) for n in range(1000)])
    with house.intake():
        process = subprocess.Popen(
            [
                f"{sysconfig.get_path('scripts')}/lingyun",
                *("replay", str(recording), "--map", str(map_file), "--home", house.name, "--speed", "10"),
                *("--data-dir", str(house.settings.data_dir)),
            ],
            env={**os.environ, "LINGYUN_DATABASE_URL": house.settings.database()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + 30
        while not house.stored("plug") and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "stopped:" in out
    assert "Traceback" not in err
    assert 0 < len(house.stored("plug")) < 1000


@pytest.mark.parametrize("name", ["my house", "a/b", "#", ""])
def test_a_home_that_no_topic_can_name_is_refused(house: House, name: str) -> None:
    recording, map_file = house.record([(0, 1.0, None)])
    with pytest.raises(ConfigurationError, match="--home"):
        replay(recording, map_file, name, None, house.settings)


def test_no_broker_and_no_database_are_plain_errors(house: House, tmp_path: Path) -> None:
    recording, map_file = house.record([(0, 1.0, None)])
    nowhere = Settings(data_dir=tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match="Start `lingyun serve`"):
        replay(recording, map_file, "h", None, nowhere)
    closed = nowhere.model_copy(update={"mqtt_url": SecretStr("mqtt://127.0.0.1:1")})
    with pytest.raises(ConfigurationError, match="no database"):
        replay(recording, map_file, "h", None, closed)
    assert not (tmp_path / "nothing").exists()
    unmigrated = closed.model_copy(update={"database_url": SecretStr(f"sqlite:///{tmp_path}/empty.db")})
    with pytest.raises(ConfigurationError, match="the database cannot be used"):
        replay(recording, map_file, "h", None, unmigrated)
    migrated = closed.model_copy(update={"database_url": house.settings.database_url})
    with pytest.raises(ConfigurationError, match=r"no broker answers on 127\.0\.0\.1:1"):
        replay(recording, map_file, "h", None, migrated)
    stranger = f"mqtt://service:wrong@{house.broker.host}:{house.broker.port}"
    with pytest.raises(ConfigurationError, match="refuses this user"):
        replay(recording, map_file, "h", None, migrated.model_copy(update={"mqtt_url": SecretStr(stranger)}))
    with Session(house.database) as session:
        assert session.scalars(select(HomeRow.name)).all() == []


# --- a recorded fridge ---


def coverage_rule(times_s: list[float], watts: list[float]) -> dict[int, tuple[float, float]]:
    """(kWh, covered seconds) by hour since 1970: each reading holds until the next, at most
    min(5 minutes, 3 x the median of the intervals of the 24 h before it)."""
    hours: dict[int, tuple[float, float]] = {}
    intervals: list[tuple[float, float]] = []
    typical_s, computed_s = 0.0, float("-inf")
    for now, later, power in zip(times_s, times_s[1:], watts, strict=False):
        if now - computed_s > 3600:  # the median of a day's 60,000 intervals moves slowly
            intervals = [(t, d) for t, d in intervals if t > now - 86_400]
            typical_s, computed_s = (median(d for _, d in intervals) if intervals else 100.0), now
        end = min(later, now + min(300.0, 3 * typical_s))
        intervals.append((later, later - now))
        start = now
        while start < end:
            hour = int(start // 3600)
            stop = min(end, (hour + 1) * 3600.0)
            kwh, covered_s = hours.get(hour, (0.0, 0.0))
            hours[hour] = (kwh + power * (stop - start) / 3.6e6, covered_s + stop - start)
            start = stop
    return hours


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_recorded_fridge_uses_what_its_file_shows(house: House, recorded_data: Path) -> None:
    path = recorded_data / "tracebase" / "fridge_599393.csv.gz"
    times_s: list[float] = []
    watts: list[float] = []
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            time_s = datetime.fromisoformat(row["ts"] + "+01:00").timestamp()
            if not times_s or time_s > times_s[-1]:
                times_s.append(time_s)
                watts.append(float(row["power_1s_w"]))
    expected = coverage_rule(times_s, watts)
    with house.intake():
        started_s = time.monotonic()
        assert replay(path, MAPS / "tracebase.toml", house.name, None, house.settings) == 0
        assert time.monotonic() - started_s < 300
        hours = {int(start.timestamp()) // 3600: (kwh, covered_s) for start, kwh, covered_s in house.hours()}
        with Session(house.database) as session:
            assert session.scalar(select(func.count()).select_from(ReportRow)) == len(times_s)
        assert replay(path, MAPS / "tracebase.toml", house.name, None, house.settings) == 0
        assert {int(start.timestamp()) // 3600: (kwh, covered_s) for start, kwh, covered_s in house.hours()} == hours
    total = sum(kwh for kwh, _ in hours.values())
    assert total == pytest.approx(sum(kwh for kwh, _ in expected.values()), rel=0.005)
    coverage = sum(covered_s for _, covered_s in hours.values()) / (times_s[-1] - times_s[0])
    assert coverage == pytest.approx(0.93, abs=0.01)
    most: dict[int, float] = {}
    for time_s, power in zip(times_s, watts, strict=True):
        most[int(time_s // 3600)] = max(most.get(int(time_s // 3600), 0.0), power)
    for hour, (kwh, covered_s) in hours.items():
        assert covered_s <= 3600.0
        peak = max(most.get(hour, 0.0), most.get(hour - 1, 0.0))  # a reading holds over the full hour
        assert kwh <= peak * covered_s / 3.6e6 + 1e-9
        assert kwh == pytest.approx(expected.get(hour, (0.0, 0.0))[0], rel=0.02, abs=2e-4)
