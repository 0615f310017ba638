"""The composition: what a first start makes, and that nothing ends unnoticed."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.settings import Settings
from devices.base import Message
from devices.registry import Registry
from intake.service import Intake
from lingyun.demo import HISTORY_SETTING, prepare_demo
from lingyun.doctor import examine
from lingyun.serve import Parts, address, first_start, make_home
from lingyun.setup import ensure_owner, find_clock, is_demo
from simulator.fleet.manifest import start_instant
from storage.repositories import fleet
from storage.tables import AccountRow, DeviceRow, DeviceStateRow, HomeRow, SettingRow, TokenRow

NEVER = threading.Event()


def wait(stop: threading.Event) -> None:
    """A part with nothing to do."""
    stop.wait(30)


def test_a_part_that_fails_stops_the_whole(sqlite_database: Engine) -> None:
    noticed = threading.Event()
    parts = Parts(sqlite_database)
    parts.on_failure = noticed.set

    def fail(_stop: threading.Event) -> None:
        raise RuntimeError("broken on purpose")

    parts.start("intake", fail, NEVER)
    assert noticed.wait(10)
    assert parts.failed == "intake"
    parts.end()


def test_a_part_that_is_told_to_stop_has_not_failed(sqlite_database: Engine) -> None:
    parts = Parts(sqlite_database)
    parts.start("engine", wait, NEVER)
    parts.end()
    assert parts.failed is None


def test_a_child_that_dies_stops_the_whole(sqlite_database: Engine) -> None:
    noticed = threading.Event()
    parts = Parts(sqlite_database)
    parts.on_failure = noticed.set
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    parts.watch("broker", child)
    os.kill(child.pid, signal.SIGKILL)
    assert noticed.wait(10)
    assert parts.failed == "broker"


def test_a_heart_beats_only_when_its_part_is_ready(sqlite_database: Engine) -> None:
    ready, began = threading.Event(), datetime.now(UTC)
    parts = Parts(sqlite_database)
    parts.start("intake", wait, ready)

    def beat() -> datetime | None:
        with Session(sqlite_database) as session:
            return fleet.heartbeat(session, "intake")

    before = beat()
    assert before is not None
    assert before < began
    ready.set()
    probe = threading.Event()
    for _ in range(100):
        if (beat() or before) > began:
            break
        probe.wait(0.1)
    else:
        pytest.fail("no beat within 10 s")
    parts.end()


def test_parts_that_start_at_once_make_one_home(database: Engine) -> None:
    settings = Settings(home="villa", time_zone="Europe/Berlin")
    starters = [threading.Thread(target=make_home, args=(settings, database, Clock.real())) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(30)
    with Session(database) as session:
        assert session.scalars(select(HomeRow.name)).all() == ["villa"]


def test_the_setup_link_is_printed_until_it_was_used(
    sqlite_database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home="villa", time_zone="Europe/Berlin", host="0.0.0.0")
    links = []
    for _ in range(2):
        first_start(settings, sqlite_database, Clock.real(), port=8000)
        links.append(capsys.readouterr().out.split()[-1])
    assert links[0] != links[1]
    assert all(link.startswith("http://127.0.0.1:8000/setup?token=") for link in links)
    with Session(sqlite_database) as session, session.begin():
        assert session.scalar(select(func.count()).select_from(TokenRow)) == 1
        session.scalars(select(AccountRow)).one().password_hash = "set"
    first_start(settings, sqlite_database, Clock.real(), port=8000)
    assert capsys.readouterr().out == ""
    with Session(sqlite_database) as session:
        assert ensure_owner(session, session.scalars(select(HomeRow)).one()) is None


def test_an_address_for_all_is_shown_as_this_machine() -> None:
    assert address("0.0.0.0", 8000) == "http://127.0.0.1:8000"
    assert address("127.0.0.1", 8000) == "http://127.0.0.1:8000"


def test_a_demo_whose_history_was_interrupted_begins_again(
    sqlite_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month is cut to minutes here; what it holds is tested end to end."""
    taken: list[datetime] = []

    def interrupted(*_: object, until: datetime, **__: object) -> None:
        taken.append(until)
        with Session(sqlite_database) as session, session.begin():
            device_id = session.scalars(select(DeviceRow.id)).first()
            session.add(DeviceStateRow(device_id=device_id, last_report_at=until, values={}, ledger={}))
        if len(taken) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("lingyun.demo.take_in_history", interrupted)
    settings = Settings(home="demo", data_dir=tmp_path)
    broker = None

    def prepare() -> Clock:
        return prepare_demo(settings, sqlite_database, broker, speed=60.0, seed=1)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        prepare()
    clock = prepare()
    assert taken == [start_instant(1)] * 2
    assert abs((clock.now() - start_instant(1)).total_seconds()) < 3600
    prepare()
    assert len(taken) == 2
    with Session(sqlite_database) as session:
        assert is_demo(session)
        assert session.get(SettingRow, HISTORY_SETTING) is not None
    assert find_clock(settings, sqlite_database).factor == 60.0


def test_doctor_counts_what_the_intake_counted(sqlite_database: Engine, tmp_path: Path) -> None:
    settings = Settings(home="villa", data_dir=tmp_path, mqtt_url=SecretStr("mqtt://127.0.0.1:1"))
    make_home(settings, sqlite_database, Clock.real())
    messages = [
        Message("lingyun/villa/plug/report", b'{"time": "2026-07-01T12:00:00Z", "power_w": 40}'),
        Message("lingyun/villa/plug/report", b"no JSON"),
    ]
    intake = Intake(sqlite_database, None, Clock.real(), settings, Registry())
    intake.take_in((datetime(2026, 7, 1, 12, tzinfo=UTC), message) for message in messages)
    found = {finding.subject: finding for finding in examine(settings)}
    assert "1 reports stored, 1 messages could not be read" in found["messages"].detail
    assert not found["broker"].ok
