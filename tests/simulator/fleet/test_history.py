"""The demo home's past as a stream: repeatable, in order, counters that only rise, an end from which life goes on."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.fleet.history import Record, read, write
from simulator.fleet.home import demo_fleet, read_state, state_file
from simulator.fleet.manifest import DEMO_HOME, start_instant

UNTIL = start_instant(2)
COUNTERS: dict[str, Callable[[Any], Any]] = {
    "qinglu/living_room_ac/state": lambda body: body["energy"],
    "tele/bedroom_ac_plug/SENSOR": lambda body: body["ENERGY"]["Total"],
    "tele/tv_plug/SENSOR": lambda body: body["ENERGY"]["Total"],
    "tele/router_plug/SENSOR": lambda body: body["ENERGY"]["Total"],
    "shellyplusplugs-b8d61a8c2f10/events/rpc": lambda body: body["params"]["switch:0"].get("aenergy", {}).get("total"),
    "zigbee2mqtt/washing_machine": lambda body: body["energy"],
}


def stream(seed: int = 2, days: float = 0.5, data_dir: Path | None = None) -> bytes:
    """The bytes of a short history."""
    buffer = io.BytesIO()
    write(buffer, seed=seed, until=UNTIL, days=days, data_dir=data_dir)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def written() -> bytes:
    """A day and a half."""
    return stream(days=1.5)


@pytest.fixture(scope="module")
def records(written: bytes) -> list[Record]:
    """The same, read."""
    return list(read(io.BytesIO(written)))


def test_one_seed_gives_one_history_to_the_byte_and_another_another() -> None:
    first = stream(days=0.1)
    assert stream(days=0.1) == first
    assert stream(seed=3, days=0.1) != first


def test_records_are_in_order_of_receipt_and_cover_the_span(records: list[Record]) -> None:
    times = [received_at for received_at, *_ in records]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert times[0] - (UNTIL - timedelta(days=1.5)) < timedelta(seconds=1)
    assert timedelta(0) < times[-1] - UNTIL < timedelta(seconds=1)
    assert not any(retained for *_, retained in records)  # the reader was there when each was published


def test_discovery_comes_first_and_each_minute_is_there(records: list[Record]) -> None:
    topics = [topic for _, topic, _, _ in records]
    first = topics.index("tele/router_plug/SENSOR", len(set(topics)))
    for topic in ("homeassistant/device/qinglu_7c2f80a1b3d4/config", "zigbee2mqtt/bridge/devices"):
        assert topics.index(topic) < first
    for topic in list(COUNTERS)[:5]:
        assert topics.count(topic) == 1.5 * 1440 + 1


def test_counters_never_fall(records: list[Record]) -> None:
    told: dict[str, list[float]] = {}
    for _, topic, payload, _ in records:
        if topic in COUNTERS:
            value = COUNTERS[topic](json.loads(payload))
            if value is not None:
                told.setdefault(topic, []).append(value)
    assert set(told) == set(COUNTERS)
    for values in told.values():
        assert all(earlier <= later for earlier, later in pairwise(values))


def test_a_device_with_a_clock_tells_its_own_time_before_its_receipt(records: list[Record]) -> None:
    for received_at, topic, payload, _ in records:
        if topic.endswith("/events/rpc"):
            measured_s = json.loads(payload)["params"]["ts"]
            assert 0.0 <= received_at.timestamp() - measured_s < 1.0


def test_the_household_runs_its_conventional_program_and_uses_its_units(records: list[Record]) -> None:
    states = [json.loads(payload) for _, topic, payload, _ in records if topic == "qinglu/living_room_ac/state"]
    assert {"cool", "off"} <= {state["mode"] for state in states}


def test_a_stream_that_ends_within_a_record_is_an_error(written: bytes) -> None:
    with pytest.raises(ValueError, match="ends within a record"):
        list(read(io.BytesIO(written[:-3])))
    with pytest.raises(ValueError, match="expected a record"):
        list(read(io.BytesIO(b"\x00\x00")))
    assert list(read(io.BytesIO())) == []


@given(noise=st.binary(min_size=1, max_size=64))
def test_what_is_no_history_is_an_error_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(ValueError):
        for _ in read(io.BytesIO(noise)):
            pass


def test_life_goes_on_where_history_ended(tmp_path: Path) -> None:
    told = list(read(io.BytesIO(stream(data_dir=tmp_path))))
    fleet = read_state(state_file(tmp_path), seed=2)
    assert fleet is not None
    assert fleet.household.now == UNTIL
    last = {topic: json.loads(payload) for _, topic, payload, _ in told if topic in COUNTERS}
    following = {message.topic: json.loads(message.payload) for message in fleet.step() if message.topic in COUNTERS}
    for topic in set(following):
        before, after = COUNTERS[topic](last[topic]), COUNTERS[topic](following[topic])
        assert before <= after < before + 60.0  # kWh, of the Shelly Wh
    undisturbed = demo_fleet(2, UNTIL - timedelta(days=0.5))
    undisturbed.household.run_until(fleet.household.now)
    assert undisturbed.household.save() == fleet.household.save()


def test_a_state_of_another_seed_or_version_or_none_is_told_apart(tmp_path: Path) -> None:
    path = state_file(tmp_path)
    assert read_state(path, seed=2) is None
    stream(days=0.01, data_dir=tmp_path)
    with pytest.raises(ValueError, match="seed 3"):
        read_state(path, seed=3)
    for broken in ("{", "[]", '{"format": 1}', '{"format": 99, "household": {"at_s": 1}}'):
        path.write_text(broken)
        with pytest.raises(ValueError):
            read_state(path, seed=2)


def test_the_command_writes_the_stream_and_its_end_state(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator.fleet", "demo-home", "--seed", "2", "--history-days", "0.02"]
    done = subprocess.run(
        [*command, "--until", UNTIL.isoformat(), "--data-dir", str(tmp_path)],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == stream(days=0.02)
    assert state_file(tmp_path).is_file()


@pytest.mark.parametrize("seed", range(6))
def test_the_demo_starts_at_four_in_the_afternoon_of_a_weekday_in_july(seed: int) -> None:
    start = start_instant(seed)
    assert (start.hour, start.minute, start.month) == (8, 0, 7)  # 16:00 in Shanghai
    assert start.weekday() < 5
    assert start == start_instant(seed)


def test_every_room_of_a_device_is_one_of_the_home() -> None:
    assert {device.room for device in DEMO_HOME.devices} == {*DEMO_HOME.rooms, None}
    assert DEMO_HOME.device("tv_plug").dialect == "tasmota"


def test_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "simulator.fleet",
        "demo-home",
        "--history-days",
        "1",
        "--until",
        "2026-07-01T00:00",
    ]
    done = subprocess.run([*command, "--data-dir", str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"zone" in done.stderr
