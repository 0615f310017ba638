"""Zigbee2MQTT, from payloads as its bridge writes them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import InvalidCommand, PayloadError
from core.words import Command, Fan, Kind, Mode
from devices.base import Report
from devices.vendors.zigbee2mqtt import MAX_DEVICES, Zigbee2Mqtt
from tests.devices.said import announcement, announcements, heard, known, report, reports, said, sent, values

PLUG, THERMOMETER = "0x54ef441000a1b2c3", "0x00158d00045a6b7c"
LIST = "zigbee2mqtt/bridge/devices"


def numeric(name: str, unit: str, **more: object) -> dict[str, Any]:
    return {"type": "numeric", "name": name, "property": name, "access": 1, "unit": unit, **more}


def state(name: str = "state") -> dict[str, Any]:
    binary = {"type": "binary", "name": "state", "property": name, "access": 7, "value_on": "ON", "value_off": "OFF"}
    return {"type": "switch", "features": [binary]}


PLUG_EXPOSES = [
    state(),
    numeric("power", "W"),
    numeric("energy", "kWh"),
    numeric("voltage", "V"),
    numeric("current", "A"),
]
THERMOMETER_EXPOSES = [
    numeric("temperature", "°C"),
    numeric("humidity", "%"),
    numeric("voltage", "mV"),
    numeric("battery", "%"),
]


def device(address: str, name: str, exposes: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    definition = {"model": "M1", "vendor": "Maker", "description": "thing", "exposes": exposes, "options": []}
    return {"ieee_address": address, "friendly_name": name, "type": "Router", "definition": definition, **more}


def bridge(*listed: dict[str, Any]) -> Zigbee2Mqtt:
    dialect = Zigbee2Mqtt()
    heard(dialect, LIST, list(listed), retained=True)
    return dialect


def test_the_list_of_devices_says_what_each_is() -> None:
    coordinator = {
        "ieee_address": "0x00124b0001020304",
        "friendly_name": "Coordinator",
        "type": "Coordinator",
        "definition": None,
    }
    told = announcements(
        heard(
            Zigbee2Mqtt(),
            LIST,
            [
                coordinator,
                device(PLUG, "washer", PLUG_EXPOSES, software_build_id="1.0.4"),
                device(THERMOMETER, "study/shelf", THERMOMETER_EXPOSES),
                device("0x0000000000000001", "meter", [numeric("power", "W")]),
                device("0x0000000000000002", "remote", [{"type": "enum", "property": "action", "access": 1}]),
                device("0x0000000000000003", "off", PLUG_EXPOSES, disabled=True),
                device("0x0000000000000004", "strange", PLUG_EXPOSES) | {"definition": None},
            ],
        )
    )
    assert [(one.native_id, one.kind, one.name) for one in told] == [
        (PLUG, Kind.PLUG, "washer"),
        (THERMOMETER, Kind.THERMOMETER, "study/shelf"),
        ("0x0000000000000001", Kind.METER, "meter"),
    ]
    assert (told[0].manufacturer, told[0].model, told[0].firmware) == ("Maker", "M1", "1.0.4")


def test_a_plug_reports_in_our_units() -> None:
    body = {
        "state": "ON",
        "power": 41.5,
        "energy": 7.29,
        "voltage": 231,
        "current": 0.22,
        "linkquality": 120,
        "update": {"state": None},
    }
    told = report(heard(bridge(device(PLUG, "washer", PLUG_EXPOSES)), "zigbee2mqtt/washer", body))
    assert told.native_id == PLUG
    assert values(told) == {
        "on": True,
        "power_w": 41.5,
        "energy_total_kwh": 7.29,
        "voltage_v": 231.0,
        "current_a": 0.22,
    }


def test_the_voltage_of_a_battery_is_not_that_of_the_mains() -> None:
    body = {"temperature": 21.37, "humidity": 48.1, "voltage": 3005, "battery": 97}
    told = report(heard(bridge(device(THERMOMETER, "shelf", THERMOMETER_EXPOSES)), "zigbee2mqtt/shelf", body))
    assert values(told) == {"room_temperature_c": 21.37, "humidity_pct": 48.1}


def test_attributes_never_seen_are_null_and_name_nothing() -> None:
    dialect = bridge(device(PLUG, "washer", PLUG_EXPOSES))
    body = {"state": None, "power": None, "energy": "unknown", "voltage": "", "current": "nan"}
    assert heard(dialect, "zigbee2mqtt/washer", body) == []
    assert values(report(heard(dialect, "zigbee2mqtt/washer", body | {"power": "17.5"}))) == {"power_w": 17.5}


@pytest.mark.parametrize(
    ("last_seen", "measured_at"),
    [
        ("2026-07-01T10:00:00.250Z", datetime(2026, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-07-01T18:00:00+08:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (1_782_900_000_000, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00", None),
        ("just now", None),
        (None, None),
        (-1, None),
        (10**300, None),
        ({"at": 3}, None),
    ],
)
def test_last_seen_is_the_own_time_in_each_of_its_forms(last_seen: object, measured_at: datetime | None) -> None:
    dialect = bridge(device(PLUG, "washer", PLUG_EXPOSES))
    told = report(heard(dialect, "zigbee2mqtt/washer", {"power": 1, "last_seen": last_seen}))
    assert told.measured_at == measured_at


def test_a_name_may_hold_slashes_and_words_of_other_topics() -> None:
    dialect = bridge(
        device(PLUG, "kitchen/left/availability", PLUG_EXPOSES), device(THERMOMETER, "厨房", THERMOMETER_EXPOSES)
    )
    assert report(heard(dialect, "zigbee2mqtt/kitchen/left/availability", {"power": 2})).native_id == PLUG
    assert report(heard(dialect, "zigbee2mqtt/kitchen/left/availability/availability", "online")).online is True
    assert report(heard(dialect, "zigbee2mqtt/厨房", {"temperature": 30})).native_id == THERMOMETER


def test_a_renamed_device_stays_the_same_device() -> None:
    dialect = bridge(device(PLUG, "old name", PLUG_EXPOSES))
    told = announcement(heard(dialect, LIST, [device(PLUG, "new name", PLUG_EXPOSES)]))
    assert (told.native_id, told.removed, told.details["topic"]) == (PLUG, False, "zigbee2mqtt/new name")
    assert heard(dialect, "zigbee2mqtt/old name", b"") == []
    assert heard(dialect, "zigbee2mqtt/old name", {"power": 5}) == []
    assert report(heard(dialect, "zigbee2mqtt/new name", {"power": 5})).native_id == PLUG


def test_two_devices_that_swap_names_swap_topics() -> None:
    dialect = bridge(device(PLUG, "a", PLUG_EXPOSES), device(THERMOMETER, "b", THERMOMETER_EXPOSES))
    heard(dialect, LIST, [device(PLUG, "b", PLUG_EXPOSES), device(THERMOMETER, "a", THERMOMETER_EXPOSES)])
    assert report(heard(dialect, "zigbee2mqtt/b", {"power": 5})).native_id == PLUG
    assert report(heard(dialect, "zigbee2mqtt/a", {"temperature": 5})).native_id == THERMOMETER


def test_a_device_that_left_the_list_is_removed_and_no_longer_heard() -> None:
    dialect = bridge(device(PLUG, "washer", PLUG_EXPOSES), device(THERMOMETER, "shelf", THERMOMETER_EXPOSES))
    told = announcements(heard(dialect, LIST, [device(THERMOMETER, "shelf", THERMOMETER_EXPOSES)]))
    assert [(one.native_id, one.removed) for one in told] == [(THERMOMETER, False), (PLUG, True)]
    assert heard(dialect, "zigbee2mqtt/washer", {"power": 5}) == []


@pytest.mark.parametrize("form", ['{"state":"%s"}', "%s"])
def test_availability_is_read_in_the_form_of_version_1_and_2(form: str) -> None:
    dialect = bridge(device(PLUG, "washer", PLUG_EXPOSES))
    for word, online in (("online", True), ("offline", False)):
        assert values(report(heard(dialect, "zigbee2mqtt/washer/availability", form % word))) == {"online": online}
    assert heard(dialect, "zigbee2mqtt/washer/availability", form % "asleep") == []


def test_a_bridge_that_goes_away_takes_its_devices_along_and_brings_back_those_that_cannot_tell() -> None:
    dialect = bridge(device(PLUG, "washer", PLUG_EXPOSES), device(THERMOMETER, "shelf", THERMOMETER_EXPOSES))
    heard(dialect, "zigbee2mqtt/shelf/availability", '{"state":"offline"}')
    gone = reports(heard(dialect, "zigbee2mqtt/bridge/state", '{"state":"offline"}'))
    assert {(one.native_id, one.online) for one in gone} == {(PLUG, False), (THERMOMETER, False)}
    back = reports(heard(dialect, "zigbee2mqtt/bridge/state", "online"))
    assert [(one.native_id, one.online) for one in back] == [(PLUG, True)]


@pytest.mark.parametrize(
    ("name", "description"), [("outdoor_north", None), ("shelf", "Balcony, in the shade"), ("阳台", None)]
)
def test_a_thermometer_placed_outdoors_measures_the_weather(name: str, description: str | None) -> None:
    dialect = bridge(device(THERMOMETER, name, THERMOMETER_EXPOSES, description=description))
    assert values(report(heard(dialect, f"zigbee2mqtt/{name}", {"temperature": 33.1}))) == {
        "outdoor_temperature_c": 33.1
    }


def test_a_placement_by_hand_wins_over_the_name_and_survives_the_next_list() -> None:
    dialect = bridge()
    listed = device(THERMOMETER, "balcony door, inside", THERMOMETER_EXPOSES)
    told = announcement(heard(dialect, LIST, [listed]))
    told.details["placed"] = "indoors"
    dialect.recall(known(told))
    again = announcement(heard(dialect, LIST, [listed]))
    assert again.details["placed"] == "indoors"
    assert values(report(heard(dialect, "zigbee2mqtt/balcony door, inside", {"temperature": 25}))) == {
        "room_temperature_c": 25.0
    }


def test_a_recalled_device_is_heard_before_the_bridge_lists_it_again() -> None:
    told = announcement(heard(Zigbee2Mqtt(), "home/zb/bridge/devices", [device(PLUG, "washer", PLUG_EXPOSES)]))
    dialect = Zigbee2Mqtt()
    dialect.recall(known(told))
    assert values(report(heard(dialect, "home/zb/washer", {"power": 9, "state": "OFF"}))) == {
        "power_w": 9.0,
        "on": False,
    }


def test_a_name_that_nothing_explains_is_passed_over_unless_it_is_an_address() -> None:
    dialect = Zigbee2Mqtt()
    assert heard(dialect, "zigbee2mqtt/washer", {"power": 5}) == []
    events = heard(dialect, f"zigbee2mqtt/{PLUG}", {"power": 5, "state": "ON"})
    assert announcement(events).native_id == report(events).native_id == PLUG
    old = {"temperature": 20, "device": {"ieeeAddr": THERMOMETER, "friendlyName": "shelf"}}
    assert report(heard(dialect, "zigbee2mqtt/shelf", old)).native_id == THERMOMETER


def test_other_topics_of_the_bridge_are_known_and_hold_nothing() -> None:
    for topic in ("bridge/info", "bridge/logging", "bridge/response/device/rename", "washer/set"):
        assert heard(bridge(), f"zigbee2mqtt/{topic}", {"a": 1}) == []
    assert Zigbee2Mqtt().decode(said("frigate/events", {"a": 1})) is None


def test_200_devices_in_one_list_are_announced_and_heard() -> None:
    listed = [device(f"0x{index:016x}", f"plug {index}", PLUG_EXPOSES) for index in range(200)]
    dialect = Zigbee2Mqtt()
    assert len(announcements(heard(dialect, LIST, listed))) == 200
    assert report(heard(dialect, "zigbee2mqtt/plug 199", {"power": 1})).native_id == f"0x{199:016x}"


def test_an_odd_entry_does_not_hide_the_others() -> None:
    odd: list[Any] = [
        None,
        3,
        [],
        {},
        {"ieee_address": 5},
        device("nope", "x", PLUG_EXPOSES),
        device(PLUG, "a/+/b", PLUG_EXPOSES),
    ]
    odd += [device(PLUG, "x" * 500, PLUG_EXPOSES), device(PLUG, "nul\0", PLUG_EXPOSES)]
    told = heard(Zigbee2Mqtt(), LIST, [*odd, device(THERMOMETER, "shelf", THERMOMETER_EXPOSES)])
    assert announcement(told).native_id == THERMOMETER


def test_memory_for_devices_has_an_end() -> None:
    dialect = Zigbee2Mqtt()
    listed = [device(f"0x{index:016x}", f"p{index}", PLUG_EXPOSES) for index in range(MAX_DEVICES + 50)]
    assert len(announcements(heard(dialect, LIST, listed))) == MAX_DEVICES


def test_a_plug_with_two_outlets_is_on_while_any_is() -> None:
    exposes = [state("state_l1"), state("state_l2")]
    told = announcement(heard(dialect := Zigbee2Mqtt(), LIST, [device(PLUG, "strip", exposes)]))
    for body, on in (({"state_l1": "OFF", "state_l2": "ON"}, True), ({"state_l1": "OFF", "state_l2": "OFF"}, False)):
        assert values(report(heard(dialect, "zigbee2mqtt/strip", body))) == {"on": on}
    assert heard(dialect, "zigbee2mqtt/strip", {"state_l1": "OFF"}) == []
    assert sent(dialect.encode(known(told), Command(on=False))) == [
        ("zigbee2mqtt/strip/set", '{"state_l1":"OFF","state_l2":"OFF"}')
    ]


def test_a_plug_is_switched_by_its_present_name() -> None:
    told = announcement(heard(dialect := Zigbee2Mqtt(), LIST, [device(PLUG, "kitchen/washer", PLUG_EXPOSES)]))
    assert sent(dialect.encode(known(told), Command(on=True))) == [("zigbee2mqtt/kitchen/washer/set", '{"state":"ON"}')]


def test_what_cannot_be_switched_says_so() -> None:
    told = announcement(heard(dialect := Zigbee2Mqtt(), LIST, [device(THERMOMETER, "shelf", THERMOMETER_EXPOSES)]))
    for command in (Command(on=True), Command(setpoint_c=20.0), Command()):
        with pytest.raises(InvalidCommand):
            dialect.encode(known(told), command)


CLIMATE = {
    "type": "climate",
    "features": [
        {"type": "enum", "property": "system_mode", "access": 7, "values": ["off", "cool", "heat", "fan_only"]},
        numeric("occupied_cooling_setpoint", "°C", access=7, value_min=17, value_max=30, value_step=0.5),
        numeric("local_temperature", "°C", access=5),
        {"type": "enum", "property": "fan_mode", "access": 7, "values": ["auto", "low", "high"]},
    ],
}


def test_a_climate_device_that_cools_is_an_air_conditioner() -> None:
    told = announcement(heard(dialect := Zigbee2Mqtt(), LIST, [device(PLUG, "ac", [CLIMATE])]))
    assert told.kind is Kind.AIR_CONDITIONER
    assert told.capabilities is not None
    assert told.capabilities.modes == (Mode.COOL, Mode.HEAT, Mode.FAN_ONLY)
    body = {"system_mode": "cool", "occupied_cooling_setpoint": 24.5, "local_temperature": 27, "fan_mode": "low"}
    assert values(report(heard(dialect, "zigbee2mqtt/ac", body))) == {
        "on": True, "mode": Mode.COOL, "setpoint_c": 24.5, "room_temperature_c": 27.0, "fan": Fan.LOW
    }  # fmt: skip
    assert values(report(heard(dialect, "zigbee2mqtt/ac", {"system_mode": "off"}))) == {"on": False}
    ordered = sent(
        dialect.encode(known(told, on=False), Command(on=True, mode=Mode.COOL, setpoint_c=25.2, fan=Fan.HIGH))
    )
    assert ordered == [
        ("zigbee2mqtt/ac/set", '{"system_mode":"cool","occupied_cooling_setpoint":25.0,"fan_mode":"high"}')
    ]
    assert sent(dialect.encode(known(told), Command(on=False))) == [("zigbee2mqtt/ac/set", '{"system_mode":"off"}')]
    with pytest.raises(InvalidCommand, match="mode dry"):
        dialect.encode(known(told), Command(mode=Mode.DRY))


def test_a_radiator_valve_is_no_air_conditioner() -> None:
    valve = {
        "type": "climate",
        "features": [
            {"type": "enum", "property": "system_mode", "access": 7, "values": ["off", "heat"]},
            numeric("local_temperature", "°C"),
        ],
    }
    assert announcement(heard(Zigbee2Mqtt(), LIST, [device(PLUG, "valve", [valve])])).kind is Kind.THERMOMETER


def test_a_presence_sensor_says_whether_somebody_is_there() -> None:
    dialect = bridge(device(PLUG, "hall", [{"type": "binary", "property": "occupancy", "access": 1}]))
    assert values(report(heard(dialect, "zigbee2mqtt/hall", {"occupancy": True, "battery": 80}))) == {"occupied": True}


def test_a_device_of_old_versions_that_lists_no_exposes_is_passed_over() -> None:
    listed = device(PLUG, "x", []) | {"definition": {"model": "M", "vendor": "V"}}
    assert heard(Zigbee2Mqtt(), LIST, [listed]) == []


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"{", b"[1]", b"1e999", b"null", b'"ON"'])
def test_a_state_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        heard(bridge(device(PLUG, "washer", PLUG_EXPOSES)), "zigbee2mqtt/washer", payload)


def test_a_bridge_that_sends_each_attribute_alone_is_read_too() -> None:
    dialect = bridge(device(PLUG, "hall/washer", PLUG_EXPOSES))
    assert values(report(heard(dialect, "zigbee2mqtt/hall/washer/power", "12.5"))) == {"power_w": 12.5}
    assert values(report(heard(dialect, "zigbee2mqtt/hall/washer/state", "OFF"))) == {"on": False}
    assert heard(dialect, "zigbee2mqtt/hall/washer/power", "null") == []
    assert heard(dialect, "zigbee2mqtt/hall/washer/linkquality", "80") == []


def test_the_same_message_twice_gives_the_same_report() -> None:
    dialect, body = bridge(device(PLUG, "washer", PLUG_EXPOSES)), {"power": 3, "last_seen": "2026-07-01T10:00:00Z"}
    first, again = (heard(dialect, "zigbee2mqtt/washer", body, duplicate=flag) for flag in (False, True))
    assert first == again == [Report(native_id=PLUG, measured_at=datetime(2026, 7, 1, 10, tzinfo=UTC), power_w=3.0)]
