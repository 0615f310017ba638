"""Tasmota plugs and sensors, from messages as the firmware writes them."""

from typing import Any

import pytest

from core.errors import InvalidCommand, PayloadError
from core.words import Command, Kind, Mode
from devices.base import Reply
from devices.tasmota_topics import MAX_DEVICES
from devices.vendors.tasmota import Tasmota
from tests.devices.said import announcement, announcements, heard, known, plug, replies, report, said, sent, values

MAC = "C45BBE0A1F77"
CONFIG = f"tasmota/discovery/{MAC}/config"
ENERGY = {
    "TotalStartTime": "2025-11-02T08:00:00", "Total": 214.387, "Yesterday": 1.02, "Today": 0.44, "Period": 2,
    "Power": 63, "ApparentPower": 71, "ReactivePower": 33, "Factor": 0.89, "Voltage": 233, "Current": 0.305,
}  # fmt: skip


def config(**more: object) -> dict[str, Any]:
    return {
        "ip": "192.0.2.7", "dn": "Desk", "fn": ["Desk lamp", None], "hn": "desk", "mac": MAC, "md": "Plug v3", "ty": 0,
        "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "15.0.1", "t": "desk",
        "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0], "so": {"4": 0}, **more,
    }  # fmt: skip


def discovered(**more: object) -> Tasmota:
    dialect = Tasmota()
    heard(dialect, CONFIG, config(**more), retained=True)
    return dialect


def test_discovery_names_the_plug_by_its_hardware() -> None:
    told = announcement(heard(Tasmota(), CONFIG, config(), retained=True))
    assert (told.native_id, told.kind, told.name, told.manufacturer, told.model, told.firmware) == (
        MAC, Kind.PLUG, "Desk", "Tasmota", "Plug v3", "15.0.1"
    )  # fmt: skip


def test_telemetry_reports_in_our_units_at_the_time_of_receipt() -> None:
    told = report(heard(discovered(), "tele/desk/SENSOR", {"Time": "2026-07-01T18:00:00", "ENERGY": ENERGY}))
    assert told.measured_at is None
    assert told.native_id == MAC
    assert values(told) == {"power_w": 63.0, "energy_total_kwh": 214.387, "voltage_v": 233.0, "current_a": 0.305}


@pytest.mark.parametrize(
    ("power", "power_w"), [([10, 20.5, 3], 33.5), ({"L1": 10, "L2": 5}, 15.0), ("17", 17.0), ([None, 4], 4.0)]
)
def test_phases_are_summed_in_whatever_form_they_come(power: object, power_w: float) -> None:
    body = {"ENERGY": {"Power": power, "Voltage": [231, 229, 230], "Total": [1.5, 0.5]}}
    told = values(report(heard(discovered(), "tele/desk/SENSOR", body)))
    assert told == {"power_w": power_w, "voltage_v": 231.0, "energy_total_kwh": 2.0}


def test_what_is_unknown_overwrites_nothing() -> None:
    body: dict[str, object] = {"ENERGY": {"Power": None, "Voltage": 0, "Total": "nan", "Current": []}}
    assert heard(discovered(), "tele/desk/SENSOR", body) == []


def test_a_state_tells_the_relay_and_never_the_signal() -> None:
    body = {"Time": "2026-07-01T18:00:00", "Uptime": "0T01:02:03", "POWER": "ON", "Wifi": {"RSSI": 70, "Signal": -65}}
    assert values(report(heard(discovered(), "tele/desk/STATE", body))) == {"on": True}


def test_an_answer_is_a_reply_and_the_state_that_it_shows() -> None:
    events = heard(discovered(), "stat/desk/RESULT", {"POWER": "OFF"})
    assert replies(events) == [Reply(MAC, accepted=True)]
    assert values(report(events)) == {"on": False}
    assert values(report(heard(discovered(), "stat/desk/POWER", "ON"))) == {"on": True}
    assert values(report(heard(discovered(), "stat/desk/POWER", {"POWER": "OFF"}))) == {"on": False}


def test_a_command_that_the_device_does_not_know_was_refused() -> None:
    (answer,) = heard(discovered(), "stat/desk/RESULT", {"Command": "Unknown"})
    assert isinstance(answer, Reply)
    assert not answer.accepted


def test_an_answer_to_something_else_holds_nothing() -> None:
    assert heard(discovered(), "stat/desk/RESULT", {"TelePeriod": 30}) == []


def test_polled_sensors_and_state_are_read() -> None:
    dialect = discovered()
    assert values(report(heard(dialect, "stat/desk/STATUS10", {"StatusSNS": {"ENERGY": {"Power": 5}}}))) == {
        "power_w": 5.0
    }
    assert values(report(heard(dialect, "stat/desk/STATUS11", {"StatusSTS": {"POWER": "ON"}}))) == {"on": True}


def test_a_will_says_whether_the_device_is_there_in_its_own_words() -> None:
    dialect = discovered(onln="here", ofln="gone")
    assert values(report(heard(dialect, "tele/desk/LWT", "gone"))) == {"online": False}
    assert values(report(heard(dialect, "tele/desk/LWT", "here"))) == {"online": True}
    assert heard(dialect, "tele/desk/LWT", "Online") == []


def test_a_will_that_came_before_discovery_is_told_with_it() -> None:
    dialect = Tasmota()
    assert heard(dialect, "tele/desk/LWT", "Offline", retained=True) == []
    assert report(heard(dialect, CONFIG, config(), retained=True)).online is False


@pytest.mark.parametrize(
    ("full_topic", "topic"),
    [
        ("%topic%/%prefix%/", "desk/tele/SENSOR"),
        ("flat/%prefix%/%topic%/", "flat/tele/desk/SENSOR"),
        ("%topic%/%prefix%", "desk/tele/SENSOR"),
    ],
)
def test_the_order_of_the_full_topic_is_learnt(full_topic: str, topic: str) -> None:
    told = announcement(heard(dialect := Tasmota(), CONFIG, config(ft=full_topic)))
    assert values(report(heard(dialect, topic, {"ENERGY": {"Power": 8}}))) == {"power_w": 8.0}
    command_topic = topic.replace("tele", "cmnd").replace("SENSOR", "POWER")
    assert sent(dialect.encode(known(told), Command(on=True))) == [(command_topic, "ON")]
    again = Tasmota()
    again.recall(known(told))
    assert values(report(heard(again, topic, {"ENERGY": {"Power": 8}}))) == {"power_w": 8.0}


def test_prefixes_of_its_owner_are_learnt() -> None:
    dialect = discovered(tp=["do", "is", "says"])
    assert values(report(heard(dialect, "says/desk/STATE", {"POWER": "ON"}))) == {"on": True}


def test_a_device_that_moved_to_another_topic_stays_the_same() -> None:
    dialect = discovered()
    told = announcement(heard(dialect, CONFIG, config(t="shelf")))
    assert told.native_id == MAC
    assert report(heard(dialect, "tele/shelf/STATE", {"POWER": "ON"})).native_id == MAC
    assert heard(dialect, "tele/desk/STATE", {"POWER": "ON"}) == []


def test_an_empty_discovery_removes_the_device() -> None:
    dialect = discovered()
    told = announcement(heard(dialect, CONFIG, b""))
    assert (told.native_id, told.removed) == (MAC, True)
    assert heard(dialect, "tele/desk/STATE", {"POWER": "ON"}) == []


def test_a_plug_without_discovery_is_its_topic_and_stays_that() -> None:
    dialect = Tasmota()
    assert heard(dialect, "tele/old_plug/STATE", {"POWER": "ON"}) == []
    events = heard(dialect, "tele/old_plug/SENSOR", {"ENERGY": {"Power": 40, "Total": 3}})
    assert (announcement(events).native_id, announcement(events).kind) == ("old_plug", Kind.PLUG)
    assert values(report(events)) == {"power_w": 40.0, "energy_total_kwh": 3.0}
    assert announcements(heard(dialect, "tele/old_plug/SENSOR", {"ENERGY": {"Power": 41}})) == []
    told = announcement(heard(dialect, CONFIG, config(t="old_plug")))
    assert told.native_id == "old_plug"
    again = Tasmota()
    again.recall(known(told))
    assert announcement(heard(again, CONFIG, config(t="moved"))).native_id == "old_plug"
    assert report(heard(again, "tele/moved/STATE", {"POWER": "ON"})).native_id == "old_plug"


def test_a_swapped_plug_on_the_same_topic_is_another_device() -> None:
    dialect = discovered()
    told = announcement(heard(dialect, "tasmota/discovery/C45BBE0A1F99/config", config(mac="C45BBE0A1F99")))
    assert told.native_id == "C45BBE0A1F99"
    assert report(heard(dialect, "tele/desk/STATE", {"POWER": "ON"})).native_id == "C45BBE0A1F99"


def test_a_device_without_relay_is_what_its_sensors_say() -> None:
    dialect = Tasmota()
    assert heard(dialect, CONFIG, config(rl=[0, 0], dn="Balcony")) == []
    sample = {
        "sn": {"Time": "2026-07-01T18:00:00", "AM2301": {"Temperature": 30.1, "Humidity": 55}, "TempUnit": "C"},
        "ver": 1,
    }
    assert announcement(heard(dialect, f"tasmota/discovery/{MAC}/sensors", sample)).kind is Kind.THERMOMETER
    told = values(report(heard(dialect, "tele/desk/SENSOR", sample["sn"])))
    assert told == {"outdoor_temperature_c": 30.1, "humidity_pct": 55.0}


def test_fahrenheit_is_read_and_the_chip_is_no_room() -> None:
    dialect = discovered(rl=[0])
    body = {
        "ESP32": {"Temperature": 120},
        "ANALOG": {"Temperature1": 99},
        "DS18B20": {"Id": "01", "Temperature": 77.0},
        "TempUnit": "F",
    }
    assert values(report(heard(dialect, "tele/desk/SENSOR", body))) == {"room_temperature_c": pytest.approx(25.0)}
    assert heard(discovered(rl=[0]), "tele/desk/SENSOR", {"ESP32": {"Temperature": 50}}) == []


def test_a_strip_is_on_while_any_relay_is_and_all_are_switched() -> None:
    told = announcement(heard(dialect := Tasmota(), CONFIG, config(rl=[1, 1, 0])))
    assert values(report(heard(dialect, "tele/desk/STATE", {"POWER1": "OFF", "POWER2": "ON"}))) == {"on": True}
    assert values(report(heard(dialect, "tele/desk/STATE", {"POWER1": "OFF", "POWER2": "OFF"}))) == {"on": False}
    assert heard(dialect, "stat/desk/POWER2", "OFF") == []
    assert sent(dialect.encode(known(told), Command(on=False))) == [("cmnd/desk/POWER0", "OFF")]


def test_a_registered_plug_needs_only_its_topic() -> None:
    device = plug(MAC, topic="tv")
    dialect = Tasmota()
    dialect.recall(device)
    assert sent(dialect.encode(device, Command(on=True))) == [("cmnd/tv/POWER", "ON")]
    assert report(heard(dialect, "tele/tv/SENSOR", {"ENERGY": {"Power": 1}})).native_id == MAC
    assert announcement(heard(dialect, CONFIG, config(t="tv"))).native_id == MAC


def test_what_cannot_be_told_is_refused() -> None:
    for command in (Command(), Command(setpoint_c=20.0), Command(on=True, mode=Mode.COOL)):
        with pytest.raises(InvalidCommand):
            Tasmota().encode(plug(MAC, topic="tv"), command)
    with pytest.raises(InvalidCommand, match="no relay"):
        Tasmota().encode(plug(MAC, topic="tv", relays=0), Command(on=True))
    with pytest.raises(InvalidCommand, match="topic"):
        Tasmota().encode(plug(MAC), Command(on=True))


@pytest.mark.parametrize(
    "odd",
    [
        *({"t": topic} for topic in (None, "", "a/#", "x" * 300, "a\0b")),
        *({"ft": full_topic} for full_topic in ("%topic%/", 3, "$SYS/%prefix%/%topic%/", "lingyun/%prefix%/%topic%/")),
    ],
)
def test_a_discovery_whose_topics_cannot_be_topics_is_refused(odd: dict[str, object]) -> None:
    with pytest.raises(PayloadError):
        heard(Tasmota(), CONFIG, config(**odd))


def test_memory_for_devices_has_an_end() -> None:
    dialect = Tasmota()
    for index in range(MAX_DEVICES + 20):
        heard(dialect, f"tele/p{index}/SENSOR", {"ENERGY": {"Power": 1}})
    assert heard(dialect, f"tele/p{MAX_DEVICES + 5}/SENSOR", {"ENERGY": {"Power": 1}}) == []
    assert report(heard(dialect, "tele/p1/SENSOR", {"ENERGY": {"Power": 1}})).native_id == "p1"


@pytest.mark.parametrize("payload", [b"{", b"\xff\xff", b'{"ENERGY":{"Power":1e999}}', b"[]", b"null"])
def test_telemetry_that_cannot_be_read_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        heard(discovered(), "tele/desk/SENSOR", payload)


def test_topics_of_others_are_left_alone() -> None:
    for topic in ("tele/a/b/SENSOR", "tasmota/discovery/nope/config", "cmnd/desk/POWER", "telegraf/x/STATE"):
        assert Tasmota().decode(said(topic, {"POWER": "ON"})) is None
