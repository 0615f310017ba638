"""Recorded households: maps, clocks, units, gaps."""

import gzip
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigurationError
from core.recording import QUANTITIES, LocalClock, Recording, read_map, zone_of
from core.words import Kind
from devices.base import Report
from devices.limits import LIMITS

MAPS = Path(__file__).parents[2] / "lingyun" / "maps"
MADRID = ZoneInfo("Europe/Madrid")

PLUG = """
[home]
time_zone = "Europe/Madrid"
[time]
column = "when"
[[device]]
id = "plug"
kind = "plug"
[device.columns]
power = { quantity = "power_w", unit = "kW", min = 0, max = 4 }
room = { quantity = "room_temperature_c", unit = "F" }
"""


def recording(folder: Path, csv: str, toml: str = PLUG, name: str = "house.csv") -> Recording:
    """A recording of these texts."""
    path, map_path = folder / name, folder / "map.toml"
    path.write_bytes(gzip.compress(csv.encode()) if name.endswith(".gz") else csv.encode())
    map_path.write_text(toml)
    return Recording.open(path, read_map(map_path), LIMITS)


def readings(found: Recording) -> list[tuple[str, Any]]:
    """Instants in UTC and quantities."""
    return [(instant.strftime("%m-%dT%H:%M:%S"), values) for instant, _, values in found]


def test_cells_become_the_projects_units_and_local_times_instants(tmp_path: Path) -> None:
    """68 °F is 20 °C, 1.5 kW is 1500 W; Madrid is one hour ahead in winter and two in summer."""
    found = recording(tmp_path, "when,power,room,other\n2012-01-01T12:00,1.5,68,x\n2012-07-01 12:00:30,0.25,50,y\n")
    assert readings(found) == [
        ("01-01T11:00:00", {"power_w": 1500.0, "room_temperature_c": pytest.approx(20.0)}),
        ("07-01T10:00:30", {"power_w": 250.0, "room_temperature_c": pytest.approx(10.0)}),
    ]


def test_an_offset_in_a_time_wins_over_the_clock_of_the_map(tmp_path: Path) -> None:
    found = recording(tmp_path, "when,power,room\n2012-01-01T12:00Z,1,68\n2012-01-01T12:00-05:00,1,68\n")
    assert [instant for instant, _ in readings(found)] == ["01-01T12:00:00", "01-01T17:00:00"]


def test_blank_and_nan_cells_are_left_out_and_a_row_of_blanks_is_no_reading(tmp_path: Path) -> None:
    found = recording(tmp_path, "when,power,room\n2012-01-01T12:00,,68\n2012-01-01T12:01,NaN,\n2012-01-01T12:05,1,-\n")
    assert readings(found) == [
        ("01-01T11:00:00", {"room_temperature_c": pytest.approx(20.0)}),
        ("01-01T11:05:00", {"power_w": 1000.0}),
    ]
    assert (found.counts.rows, found.counts.readings, found.counts.blank) == (3, 2, 4)


def test_cells_outside_the_maps_range_or_physics_are_left_out_and_counted(tmp_path: Path) -> None:
    found = recording(tmp_path, "when,power,room\n2012-01-01T12:00,4.5,68\n2012-01-01T12:01,-0.1,9999\n")
    assert readings(found) == [("01-01T11:00:00", {"room_temperature_c": pytest.approx(20.0)})]
    assert found.counts.out_of_range == 3


def test_of_doubled_times_the_first_is_kept(tmp_path: Path) -> None:
    found = recording(tmp_path, "when,power,room\n2012-01-01T12:00,1,\n2012-01-01T12:00,2,\n2012-01-01T12:01,3,\n")
    assert [values["power_w"] for _, values in readings(found)] == [1000.0, 3000.0]
    assert found.counts.doubled == 1


def test_unreadable_cells_and_times_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    found = recording(
        tmp_path, "when,power,room\n2012-01-01T12:00,1,68\nlater,1,68\n2012-01-01T12:02,much,68\n0012-01-01,1,\n"
    )
    assert len(readings(found)) == 2
    assert found.counts.unreadable == 3
    assert "row 2" in (found.counts.first_unreadable or "")


def test_a_time_in_another_format_than_the_map_says_is_an_error_at_once(tmp_path: Path) -> None:
    found = recording(tmp_path, "when,power,room\n13/03/2012 11:45,1,68\n")
    with pytest.raises(ConfigurationError, match=r"first time cannot be read.*'iso'"):
        list(found)


@pytest.mark.parametrize(
    ("time_format", "cell"),
    [("unix", "1331635500"), ("unix_ms", "1331635500000"), ("%d/%m/%Y %H.%M", "13/03/2012 11.45")],
)
def test_other_time_formats(tmp_path: Path, time_format: str, cell: str) -> None:
    toml = PLUG.replace('column = "when"', f'column = "when"\nformat = "{time_format}"')
    found = recording(tmp_path, f"when,power,room\n{cell},1,68\n", toml)
    assert [instant for instant, _ in readings(found)] == ["03-13T10:45:00"]


# --- clocks that are put forward and back ---


def minutes(start: datetime, count: int, step: timedelta) -> list[datetime]:
    """Instants in UTC, ``step`` apart."""
    return [start + step * number for number in range(count)]


@given(
    first=st.datetimes(datetime(2011, 1, 1), datetime(2013, 12, 1)),  # noqa: DTZ001
    step_s=st.integers(min_value=1, max_value=3600),
    count=st.integers(min_value=1, max_value=400),
)
def test_every_instant_comes_back_from_its_local_time(first: datetime, step_s: int, count: int) -> None:
    """A record that runs into the doubled hour from before it: the second pass begins where it steps back."""
    clock = LocalClock(MADRID)
    before_any_doubled_hour = first.replace(tzinfo=UTC, hour=12, minute=0, second=0, microsecond=0)
    for instant in minutes(before_any_doubled_hour, count, timedelta(seconds=step_s)):
        assert clock.instant(instant.astimezone(MADRID).replace(tzinfo=None, fold=0)) == instant


@pytest.mark.parametrize("step_min", [1, 15, 60])
def test_the_doubled_hour_is_told_apart_by_the_step_back(step_min: int) -> None:
    """2012-10-28: Madrid shows 02:00 to 03:00 twice, from 00:00 and from 01:00 UTC."""
    instants = minutes(datetime(2012, 10, 27, 22, tzinfo=UTC), 5 * 60 // step_min, timedelta(minutes=step_min))
    clock = LocalClock(MADRID)
    assert [clock.instant(instant.astimezone(MADRID).replace(tzinfo=None, fold=0)) for instant in instants] == instants
    assert clock.ambiguous == 120 // step_min


def test_doubled_stamps_in_the_doubled_hour_do_not_begin_the_second_pass() -> None:
    clock = LocalClock(MADRID)
    local = [datetime(2012, 10, 28, 2, 0, second) for second in (0, 1, 1, 2)]  # noqa: DTZ001
    assert [clock.instant(time) for time in local] == [
        datetime(2012, 10, 28, 0, 0, second, tzinfo=UTC) for second in (0, 1, 1, 2)
    ]


def test_times_that_the_clock_skipped_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"2012-03-25T{hour:02}:30,1,\n" for hour in (1, 2, 3))
    found = recording(tmp_path, "when,power,room\n" + rows)
    assert [instant for instant, _ in readings(found)] == ["03-25T00:30:00", "03-25T01:30:00"]
    assert found.counts.skipped_by_clock == 1


def test_a_recorder_on_a_fixed_clock_skips_nothing(tmp_path: Path) -> None:
    toml = PLUG.replace('column = "when"', 'column = "when"\nclock = "+01:00"')
    rows = "".join(f"2012-03-25T{hour:02}:30,1,\n" for hour in (1, 2, 3))
    found = recording(tmp_path, "when,power,room\n" + rows, toml)
    assert [instant for instant, _ in readings(found)] == ["03-25T00:30:00", "03-25T01:30:00", "03-25T02:30:00"]


def test_zones_have_names_or_offsets() -> None:
    assert zone_of("-03:30").utcoffset(None) == timedelta(hours=-3, minutes=-30)
    with pytest.raises(ValueError, match="Europe/Atlantis"):
        zone_of("Europe/Atlantis")


# --- maps ---


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"power_w"', '"watts"', r"unknown quantity 'watts'; known are power_w, energy_total_kwh"),
        ('unit = "kW"', 'unit = "BTU"', r"power_w in unit 'BTU'; known are W, kW"),
        (', unit = "kW"', "", r"power_w in unit None; known are W, kW"),
        ('"room_temperature_c", unit = "F"', '"power_w", unit = "W"', "two columns give the same quantity"),
        ('"Europe/Madrid"', '"Europe/Atlantis"', "Europe/Atlantis"),
        ('kind = "plug"', 'kind = "toaster"', "toaster"),
        ('column = "when"', 'colum = "when"', "colum"),
        ('id = "plug"', 'id = "my plug/1"', "my plug/1"),
        ("[home]", "[home", "map.toml"),
    ],
)
def test_a_wrong_map_is_refused_and_the_message_names_what_would_do(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "map.toml"
    assert old in PLUG
    path.write_text(PLUG.replace(old, new))
    with pytest.raises(ConfigurationError, match=said):
        read_map(path)


def test_a_column_that_is_not_in_the_file_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no column 'power'; the file has when, watts"):
        recording(tmp_path, "when,watts\n")


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08 no gzip", gzip.compress(b"when,power,room\n" * 9999)[:-40], b""])
def test_a_damaged_file_is_a_plain_error(tmp_path: Path, content: bytes) -> None:
    path, map_path = tmp_path / "house.csv.gz", tmp_path / "map.toml"
    path.write_bytes(content)
    map_path.write_text(PLUG)
    with pytest.raises(ConfigurationError, match=r"house\.csv\.gz"):
        list(Recording.open(path, read_map(map_path)))


def test_every_quantity_of_a_map_is_one_of_a_report() -> None:
    fields = {field.name for field in msgspec.structs.fields(Report)}
    assert set(QUANTITIES) <= fields
    assert set(LIMITS) <= set(QUANTITIES)


def test_words_for_yes_and_no_and_modes_are_read(tmp_path: Path) -> None:
    toml = """
        home = { time_zone = "UTC" }
        time = { column = "t" }
        [[device]]
        id = "ac"
        kind = "air_conditioner"
        columns = { on = { quantity = "on" }, mode = { quantity = "mode" } }
    """
    found = recording(tmp_path, "t,on,mode\n2020-01-01,1,Cool\n2020-01-02,off,\n2020-01-03,,turbo\n", toml)
    assert [values for _, values in readings(found)] == [{"on": True, "mode": "cool"}, {"on": False}]
    assert (found.counts.blank, found.counts.unreadable) == (2, 1)


def test_the_device_takes_name_and_kind_from_the_file(tmp_path: Path) -> None:
    csv = "ts,power_1s_w,power_8s_w\n2012-01-08T00:00:02,136,134\n"
    for name, kind in (("fridge_1.csv", Kind.REFRIGERATOR), ("tv_B8.csv.gz", Kind.PLUG), ("a b.csv", Kind.PLUG)):
        found = recording(tmp_path, csv, (MAPS / "tracebase.toml").read_text(), name)
        assert found.devices[0].kind == kind
        assert found.devices[0].id == name.partition(".")[0].replace(" ", "-")
        assert readings(found) == [("01-07T23:00:02", {"power_w": 136.0})]


@pytest.mark.parametrize("path", sorted(MAPS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_maps_are_valid(path: Path) -> None:
    found = read_map(path)
    assert found.source
    columns = {column for device in found.device for column in device.columns}
    for room in tomllib.loads(path.read_text()).get("room", []):
        assert {column for key, column in room.items() if key != "name"} <= columns


@pytest.mark.parametrize(
    ("file", "rows", "readings_kept", "doubled"),
    [
        ("sml2010/house_1.csv.gz", 2764, 3 * 2764, 0),
        ("sml2010/house_2.csv.gz", 1373, 3 * 1373, 0),
        ("uk_house_heating/house.csv", 792, 3 * 792, 0),
        ("tracebase/router_B7DF9D.csv.gz", 100_298, 100_269, 29),
    ],
)
def test_recorded_homes_are_read_whole(
    recorded_data: Path, file: str, rows: int, readings_kept: int, doubled: int
) -> None:
    path = recorded_data / file
    found = Recording.open(path, read_map(MAPS / f"{path.parent.name}.toml"), LIMITS)
    assert sum(1 for _ in found) == readings_kept
    counts = found.counts
    assert (counts.rows, counts.doubled) == (rows, doubled)
    assert counts.blank == counts.unreadable == counts.out_of_range == counts.skipped_by_clock == 0
