"""An air conditioner behind an infrared blaster."""

import json
from typing import Any

import pytest

from core.errors import InvalidCommand, PayloadError
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices.base import KnownDevice
from devices.vendors.tasmota_irhvac import DEFAULT_CAPABILITIES, TasmotaIrhvac
from tests.devices.said import announcement, heard, known, replies, report, said, values

MAC = "8CAAB5123456"
CONFIG = f"tasmota/discovery/{MAC}/config"
REMOTE = {
    "IrReceived": {
        "Protocol": "GREE", "Bits": 64, "Data": "0x0908205002000040", "Repeat": 0,
        "IRHVAC": {
            "Vendor": "GREE", "Model": 1, "Mode": "cool", "Power": "on", "Celsius": "on", "Temp": 25,
            "FanSpeed": "medium", "SwingV": "auto", "SwingH": "off", "Quiet": "off",
            "Turbo": "off", "Econo": "off", "Light": "on",
            "Filter": "off", "Clean": "off", "Beep": "off", "Sleep": -1,
        },
    }
}  # fmt: skip
ECHO = {
    "IRHVAC": {
        "Vendor": "GREE",
        "Model": 1,
        "Power": "On",
        "Mode": "Heat",
        "Celsius": "On",
        "Temp": 21,
        "FanSpeed": "Auto",
        "SwingV": "Auto",
    }
}


def config(**more: object) -> dict[str, Any]:
    return {"dn": "Blaster", "mac": MAC, "md": "IR hub", "sw": "15.0.1", "t": "ir", "ft": "%prefix%/%topic%/",
            "tp": ["cmnd", "stat", "tele"], "rl": [0, 0], "onln": "Online", "ofln": "Offline", **more}  # fmt: skip


def unit(**details: object) -> KnownDevice:
    return KnownDevice(MAC, Kind.AIR_CONDITIONER, "home", {"topic": "ir", "vendor": "GREE", **details})


def registered(**details: object) -> TasmotaIrhvac:
    dialect = TasmotaIrhvac()
    dialect.recall(unit(**details))
    return dialect


def ordered(device: KnownDevice, command: Command) -> dict[str, Any]:
    (message,) = TasmotaIrhvac().encode(device, command)
    assert (message.topic, message.retained) == ("cmnd/ir/IRHVAC", False)
    frame: dict[str, Any] = json.loads(message.payload)
    return frame


def test_discovery_alone_does_not_make_a_blaster() -> None:
    dialect = TasmotaIrhvac()
    for topic, payload in ((CONFIG, config()), ("tele/ir/LWT", "Online"), ("tele/ir/STATE", {"Uptime": "1"})):
        assert dialect.decode(said(topic, payload)) is None


def test_the_first_infrared_code_proves_the_blaster_and_is_a_persons_doing() -> None:
    dialect = TasmotaIrhvac()
    dialect.decode(said(CONFIG, config()))
    events = heard(dialect, "tele/ir/RESULT", REMOTE)
    told, seen = announcement(events), report(events)
    assert (told.native_id, told.kind, told.name, told.manufacturer) == (MAC, Kind.AIR_CONDITIONER, "Blaster", "GREE")
    assert told.capabilities is not None
    assert told.capabilities.one_way
    assert (seen.by_hand, seen.assumed) == (True, False)
    assert values(seen) == {"on": True, "mode": Mode.COOL, "setpoint_c": 25.0, "fan": Fan.MEDIUM}
    assert values(report(heard(dialect, "tele/ir/LWT", "Offline"))) == {"online": False}


def test_without_discovery_the_topic_is_the_identity() -> None:
    assert announcement(heard(TasmotaIrhvac(), "tele/ir/RESULT", REMOTE)).native_id == "ir"


def test_a_blaster_on_topics_of_its_owner_is_proven_too() -> None:
    dialect = TasmotaIrhvac()
    dialect.decode(said(CONFIG, config(ft="%topic%/%prefix%/")))
    told = announcement(heard(dialect, "ir/tele/RESULT", REMOTE))
    assert told.native_id == MAC
    assert dialect.encode(known(told), Command(on=False))[0].topic == "ir/cmnd/IRHVAC"


def test_the_echo_accepts_the_command_and_is_only_an_assumed_state() -> None:
    events = heard(registered(), "stat/ir/RESULT", ECHO)
    assert [(one.native_id, one.accepted) for one in replies(events)] == [(MAC, True)]
    told = report(events)
    assert (told.assumed, told.by_hand) == (True, False)
    assert values(told) == {"on": True, "mode": Mode.HEAT, "setpoint_c": 21.0, "fan": Fan.AUTO}


@pytest.mark.parametrize("body", [{"IRHVAC": "Wrong Vendor (COOLIX|GREE)"}, {"Command": "Unknown"}])
def test_a_frame_that_was_not_sent_is_a_refusal(body: dict[str, str]) -> None:
    (answer,) = heard(registered(), "stat/ir/RESULT", body)
    assert replies([answer])[0].accepted is False


def test_other_infrared_codes_are_passed_over() -> None:
    television = {"IrReceived": {"Protocol": "NEC", "Bits": 32, "Data": "0x20DF10EF", "Repeat": 0}}
    assert TasmotaIrhvac().decode(said("tele/ir/RESULT", television)) is None
    assert heard(registered(), "tele/ir/RESULT", television) == []
    neighbour = {"IrReceived": {"IRHVAC": {**REMOTE["IrReceived"]["IRHVAC"], "Vendor": "DAIKIN"}}}  # type: ignore[dict-item]
    assert heard(registered(), "tele/ir/RESULT", neighbour) == []


def test_a_midea_unit_may_speak_coolix() -> None:
    coolix = {"IrReceived": {"IRHVAC": {"Vendor": "COOLIX", "Power": "off", "Mode": "cool", "Temp": 24}}}
    told = heard(registered(vendor="MIDEA"), "tele/ir/RESULT", coolix)
    assert values(report(told)) == {"on": False, "mode": Mode.COOL, "setpoint_c": 24.0}
    assert announcement(told).details["vendor"] == "MIDEA"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"Power": "off", "Mode": "off"}, {"on": False}),
        ({"Power": "on", "Mode": "fan_only", "FanSpeed": "max"}, {"on": True, "mode": Mode.FAN_ONLY, "fan": Fan.HIGH}),
        ({"Mode": "dry", "FanSpeed": 2}, {"on": True, "mode": Mode.DRY, "fan": Fan.LOW}),
        ({"Power": "on", "Celsius": "off", "Temp": 77}, {"on": True, "setpoint_c": pytest.approx(25.0)}),
        ({"Power": None, "Mode": "warp", "Temp": "hot", "FanSpeed": [1]}, {}),
    ],
)
def test_frames_are_read_in_their_many_forms(frame: dict[str, object], expected: dict[str, object]) -> None:
    events = heard(registered(), "tele/ir/RESULT", {"IrReceived": {"IRHVAC": {"Vendor": "GREE", **frame}}})
    found = [values(one) for one in events if one is not announcement(events)]
    assert found == ([expected] if expected else [])


def test_a_command_is_a_whole_frame_with_the_last_state_merged() -> None:
    told = announcement(heard(registered(), "tele/ir/RESULT", REMOTE))
    frame = ordered(known(told, on=True, mode=Mode.COOL, setpoint_c=25.0, fan=Fan.MEDIUM), Command(setpoint_c=26.4))
    assert frame == {
        "Vendor": "GREE", "Model": 1, "Power": "On", "Mode": "Cool", "Celsius": "On", "Temp": 26, "FanSpeed": "Medium",
        "SwingV": "auto", "SwingH": "off", "Quiet": "off", "Turbo": "off", "Econo": "off", "Light": "on",
        "Filter": "off", "Clean": "off", "Beep": "off", "Sleep": -1,
    }  # fmt: skip


def test_a_registered_unit_of_unknown_state_is_told_everything_by_default() -> None:
    frame = ordered(unit(), Command(on=True, mode=Mode.HEAT, fan=Fan.QUIET))
    assert (frame["Power"], frame["Mode"], frame["Temp"], frame["FanSpeed"], frame["Model"]) == (
        "On",
        "Heat",
        26,
        "Min",
        -1,
    )


def test_switching_off_keeps_the_rest_of_the_state() -> None:
    frame = ordered(
        KnownDevice(MAC, Kind.AIR_CONDITIONER, "home", unit().details, None, True, Mode.DRY, 24.0, Fan.LOW),
        Command(on=False),
    )
    assert (frame["Power"], frame["Mode"], frame["Temp"], frame["FanSpeed"]) == ("Off", "Dry", 24, "Low")


def test_a_setpoint_alone_needs_to_know_whether_the_unit_runs() -> None:
    with pytest.raises(InvalidCommand, match="ask for on"):
        ordered(unit(), Command(setpoint_c=25.0))


def test_without_a_make_no_frame_can_be_sent() -> None:
    with pytest.raises(InvalidCommand, match="make of the air conditioner"):
        TasmotaIrhvac().encode(KnownDevice(MAC, Kind.AIR_CONDITIONER, "home", {"topic": "ir"}), Command(on=True))


def test_limits_of_the_unit_hold_and_infrared_stays_one_way() -> None:
    able = Capabilities(18.0, 28.0, 1.0, (Mode.COOL,), (Fan.AUTO,))
    device = KnownDevice(MAC, Kind.AIR_CONDITIONER, "home", unit().details, able, on=True)
    for command in (
        Command(setpoint_c=17.0),
        Command(setpoint_c=29.0),
        Command(mode=Mode.HEAT),
        Command(fan=Fan.HIGH),
        Command(),
    ):
        with pytest.raises(InvalidCommand):
            ordered(device, command)
    dialect = TasmotaIrhvac()
    dialect.recall(device)
    told = announcement(heard(dialect, CONFIG, config()))
    assert told.capabilities == Capabilities(18.0, 28.0, 1.0, (Mode.COOL,), (Fan.AUTO,), one_way=True)


def test_a_registered_unit_takes_up_its_discovery_under_its_own_identity() -> None:
    dialect = TasmotaIrhvac()
    dialect.recall(KnownDevice("bedroom", Kind.AIR_CONDITIONER, "home", {"topic": "ir", "vendor": "GREE"}))
    told = announcement(heard(dialect, CONFIG, config()))
    assert (told.native_id, told.details["mac"], told.capabilities) == ("bedroom", MAC, DEFAULT_CAPABILITIES)
    assert announcement(heard(dialect, CONFIG, b"")).removed


def test_a_thermometer_on_the_blaster_measures_the_room() -> None:
    body = {"AM2301": {"Temperature": 26.5, "Humidity": 60.1}, "TempUnit": "C"}
    assert values(report(heard(registered(), "tele/ir/SENSOR", body))) == {
        "room_temperature_c": 26.5,
        "humidity_pct": 60.1,
    }


def test_what_a_frame_repeats_is_bounded() -> None:
    odd = {"SwingV": "x" * 500, "Light": {"a": 1}, "Sleep": 10**30, "Model": True, "Turbo": "on\0", "Extra": "kept?"}
    body = {"IRHVAC": {"Vendor": "GREE", "Power": "On", "Mode": "Cool", **odd}}
    assert announcement(heard(registered(), "stat/ir/RESULT", body)).details["frame"] == {}


@pytest.mark.parametrize("payload", [b"{", b'{"IRHVAC":{"Temp":1e999}}', b"\xff\xfe", b"7"])
def test_what_cannot_be_read_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        heard(registered(), "stat/ir/RESULT", payload)
