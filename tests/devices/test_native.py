"""The project's own dialect."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidCommand, PayloadError
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices.base import KnownDevice, Report
from devices.limits import LIMITS
from devices.vendors.native import MAX_REPORTS, Native, schema
from tests.devices.said import announcement, heard, known, replies, report, reports, said, sent, values

NATIVE = Native()
REPORT = "lingyun/flat 3/meter-1/report"
SCHEMA = Path(__file__).parents[2] / "docs" / "devices" / "native.schema.json"


def test_a_reading_keeps_its_own_time_home_and_device() -> None:
    body = {"time": "2012-03-13T11:45:00+01:00", "room_temperature_c": 18.5, "humidity_pct": 46, "occupied": False}
    told = report(heard(NATIVE, REPORT, body))
    assert (told.home, told.native_id) == ("flat 3", "meter-1")
    assert told.measured_at == datetime(2012, 3, 13, 10, 45, tzinfo=UTC)
    assert values(told) == {"room_temperature_c": 18.5, "humidity_pct": 46.0, "occupied": False}


def test_several_readings_in_one_message_keep_their_times_in_order() -> None:
    body = {"reports": [{"time": f"2011-01-02T03:04:{second:02d}Z", "power_w": second} for second in range(60)]}
    told = reports(heard(NATIVE, REPORT, body))
    assert [(one.measured_at.second, one.power_w) for one in told if one.measured_at] == [(s, s) for s in range(60)]


def test_a_message_holds_at_most_5000_readings() -> None:
    reading = {"time": "2020-01-01T00:00:00Z", "power_w": 1}
    assert len(heard(NATIVE, REPORT, {"reports": [reading] * MAX_REPORTS})) == MAX_REPORTS
    with pytest.raises(PayloadError, match="length <= 5000"):
        heard(NATIVE, REPORT, {"reports": [reading] * (MAX_REPORTS + 1)})


@pytest.mark.parametrize(
    "time",
    ["2020-01-01T00:00:00", "2020-01-01", "yesterday", "", 1577836800, "1989-12-31T00:00:00Z", "2101-01-01T00:00:00Z",
     "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-12:00", "2020-02-30T00:00:00Z"],
)  # fmt: skip
def test_a_time_without_zone_or_of_another_age_is_refused(time: object) -> None:
    with pytest.raises(PayloadError):
        heard(NATIVE, REPORT, {"time": time, "power_w": 1})


def test_times_of_1990_and_2100_are_welcome() -> None:
    for time in ("1990-01-01T00:00:00Z", "2100-12-31T23:59:59Z"):
        assert reports(heard(NATIVE, REPORT, {"time": time, "power_w": 1}))


def test_one_of_many_readings_without_a_time_refuses_the_message() -> None:
    with pytest.raises(PayloadError, match="time in each"):
        heard(NATIVE, REPORT, {"reports": [{"time": "2020-01-01T00:00:00Z", "power_w": 1}, {"power_w": 2}]})


def test_a_single_reading_without_a_time_leaves_it_to_the_receipt() -> None:
    assert report(heard(NATIVE, REPORT, {"power_w": 3})).measured_at is None


def test_unknown_fields_are_passed_over_and_null_names_nothing() -> None:
    told = report(heard(NATIVE, REPORT, {"power_w": 3, "on": None, "colour": "red", "nested": {"a": [1]}}))
    assert values(told) == {"power_w": 3.0}
    assert heard(NATIVE, REPORT, {"on": None, "colour": "red"}) == []


@pytest.mark.parametrize(
    "body", [{"power_w": "3"}, {"power_w": True}, {"on": 1}, {"mode": "turbo"}, {"fan": "gale"}, [], 3, {"reports": []}]
)
def test_a_value_of_the_wrong_type_is_refused(body: object) -> None:
    with pytest.raises(PayloadError):
        heard(NATIVE, REPORT, body)


def test_the_topic_decides_who_speaks_whatever_the_payload_claims() -> None:
    body = {"power_w": 1, "native_id": "other", "home": "theirs", "measured_at": "2020-01-01T00:00:00Z"}
    told = report(heard(NATIVE, REPORT, body))
    assert (told.native_id, told.home, told.measured_at) == ("meter-1", "flat 3", None)


@pytest.mark.parametrize("topic", ["lingyun//d/report", "lingyun/h//report", f"lingyun/{'h' * 101}/d/report"])
def test_a_topic_without_home_or_device_is_refused(topic: str) -> None:
    with pytest.raises(PayloadError):
        NATIVE.decode(said(topic, {"power_w": 1}))


@pytest.mark.parametrize("topic", ["lingyun/h/d", "lingyun/h/d/e/report", "other/h/d/report", "lingyun/h/d/weather"])
def test_other_topics_are_not_of_this_dialect(topic: str) -> None:
    assert NATIVE.decode(said(topic, {"power_w": 1})) is None


def test_an_air_conditioner_announces_what_it_can_and_is_told_so() -> None:
    body = {
        "kind": "air_conditioner",
        "name": "Study",
        "capabilities": {"setpoint_min_c": 17, "setpoint_step_k": 0.5, "modes": ["cool", "heat"], "fans": ["auto"]},
    }
    told = announcement(heard(NATIVE, "lingyun/h/ac/announce", body, retained=True))
    assert told.capabilities == Capabilities(17.0, 30.0, 0.5, (Mode.COOL, Mode.HEAT), (Fan.AUTO,))
    command = Command(on=True, mode=Mode.COOL, setpoint_c=25.3, fan=Fan.AUTO)
    (order,) = NATIVE.encode(known(told), command)
    assert (order.topic, order.retained) == ("lingyun/h/ac/command", False)
    assert json.loads(order.payload) == {"on": True, "mode": "cool", "setpoint_c": 25.5, "fan": "auto"}
    with pytest.raises(InvalidCommand, match="below the 17"):
        NATIVE.encode(known(told), Command(setpoint_c=16.0))


def test_an_empty_announcement_takes_the_device_back() -> None:
    assert announcement(heard(NATIVE, "lingyun/h/ac/announce", b"", retained=True)).removed


def test_a_reply_says_whether_a_command_was_accepted() -> None:
    (answer,) = replies(heard(NATIVE, "lingyun/h/ac/reply", {"accepted": False, "detail": "child lock"}))
    assert (answer.native_id, answer.home, answer.accepted, answer.detail) == ("ac", "h", False, "child lock")


def test_a_plug_is_only_switched() -> None:
    device = KnownDevice("p", Kind.PLUG, "h")
    assert sent(NATIVE.encode(device, Command(on=False))) == [("lingyun/h/p/command", '{"on":false}')]
    for command in (Command(), Command(setpoint_c=20.0), Command(on=True, mode=Mode.COOL)):
        with pytest.raises(InvalidCommand):
            NATIVE.encode(device, command)


def test_the_written_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(msgspec.json.encode(schema())), (
        "run: python -m devices.vendors.native > docs/devices/native.schema.json"
    )


def whole_reports() -> st.SearchStrategy[Report]:
    """Any report that may be stored."""
    zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
    times = st.datetimes(datetime(1990, 1, 2), datetime(2100, 12, 30), timezones=zones)  # noqa: DTZ001 zones are drawn
    numbers = {
        name: st.none() | st.floats(low, high, allow_nan=False).map(lambda value: value + 0.0)
        for name, (low, high) in LIMITS.items()
    }
    words = {
        "online": st.none() | st.booleans(),
        "occupied": st.none() | st.booleans(),
        "on": st.booleans(),
        "mode": st.none() | st.sampled_from(Mode),
        "fan": st.none() | st.sampled_from(Fan),
        "by_hand": st.booleans(),
    }
    return st.builds(
        Report, native_id=st.just("meter-1"), home=st.just("flat 3"), measured_at=times, **numbers, **words
    )


@given(told=whole_reports())
def test_a_report_written_as_documented_comes_back_exactly(told: Report) -> None:
    body = {"time": told.measured_at.isoformat() if told.measured_at else None}
    body |= {
        name: value
        for name in Report.__struct_fields__
        if name not in ("native_id", "home", "measured_at", "assumed") and (value := getattr(told, name)) is not None
    }
    assert heard(NATIVE, REPORT, json.dumps(body)) == [told]
