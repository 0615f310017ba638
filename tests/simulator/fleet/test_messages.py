"""What each simulated device says, byte by byte, against the vendors' documents; read with json alone."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import Fan, Kind, Mode
from simulator.fleet.device import Outgoing
from simulator.fleet.home import DemoFleet, fleet_of
from simulator.fleet.manifest import DEMO_HOME
from simulator.household import BED, LIVING, Household

START = datetime(2026, 7, 20, 15, 50, tzinfo=UTC)  # 23:50 in Shanghai
SHELLY = "shellyplusplugs-b8d61a8c2f10"


@pytest.fixture
def home() -> DemoFleet:
    """A demo home that has run for a moment."""
    fleet = fleet_of(Household(0, START))
    fleet.announce()
    fleet.step()
    return fleet


def by_topic(messages: list[Outgoing]) -> dict[str, Any]:
    """The last payload of each topic, as JSON where it is JSON."""
    told: dict[str, Any] = {}
    for message in messages:
        text = message.payload.decode()
        told[message.topic] = json.loads(text) if text[:1] in "{[" else text
    return told


def test_what_is_retained_is_what_the_vendors_retain(home: DemoFleet) -> None:
    retained = {message.topic for message in home.announce() if message.retain}
    macs = [device.native_id for device in DEMO_HOME.devices if device.dialect.startswith("tasmota")]
    topics = [device.topic for device in DEMO_HOME.devices if device.dialect.startswith("tasmota")]
    assert retained == {
        "homeassistant/device/qinglu_7c2f80a1b3d4/config",
        "qinglu/living_room_ac/availability",
        *[f"tasmota/discovery/{mac}/{part}" for mac in macs for part in ("config", "sensors")],
        *[f"tele/{topic}/LWT" for topic in topics],
        *[f"zigbee2mqtt/bridge/{part}" for part in ("state", "info", "devices")],
    }
    assert not any(message.retain for message in home.step())


def test_every_device_of_the_manifest_speaks_and_every_payload_can_be_read(home: DemoFleet) -> None:
    messages = [*home.announce(), *home.step()]
    told = by_topic(messages)
    for device in DEMO_HOME.devices:
        assert any(device.topic in topic.split("/") for topic in told), device.topic
    assert len({device.native_id for device in DEMO_HOME.devices}) == len(DEMO_HOME.devices)


def test_home_assistant_discovery_is_of_the_device_form_and_its_topics_are_those_that_are_used(home: DemoFleet) -> None:
    told = by_topic(home.announce())
    config = told["homeassistant/device/qinglu_7c2f80a1b3d4/config"]
    assert config["dev"]["ids"] == ["qinglu_7c2f80a1b3d4"]
    assert config["o"]["name"]
    climate, power, energy = (config["cmps"][name] for name in ("climate", "power", "energy"))
    assert (climate["p"], power["p"], energy["p"]) == ("climate", "sensor", "sensor")
    assert climate["modes"] == ["off", "auto", "cool", "heat", "dry", "fan_only"]
    assert (power["unit_of_meas"], energy["unit_of_meas"]) == ("W", "kWh")
    assert energy["stat_cla"] == "total_increasing"
    assert told[config["avty_t"]] == "online"
    state = told[climate["mode_state_topic"]]
    assert {"mode", "temperature", "current_temperature", "fan", "power", "energy"} <= set(state)
    subscribed = home.devices[0].subscriptions[0].replace("+", "{}")
    for key in ("mode", "temperature", "fan_mode"):
        assert climate[f"{key}_command_topic"] in {subscribed.format(word) for word in ("mode", "temperature", "fan")}


@pytest.mark.parametrize(
    ("command", "payload", "expected"),
    [
        ("mode", "cool", {"mode": "cool"}),
        ("mode", "off", {"mode": "off"}),
        ("temperature", "24.5", {"temperature": 24.5}),
        ("temperature", "24.6", {"temperature": 24.5}),
        ("temperature", "5", {"temperature": 16.0}),
        ("temperature", "99", {"temperature": 31.0}),
        ("fan", "high", {"fan": "high"}),
    ],
)
def test_a_climate_command_is_echoed_in_the_state(
    home: DemoFleet, command: str, payload: str, expected: dict[str, object]
) -> None:
    told = by_topic(home.receive(f"qinglu/living_room_ac/{command}/set", payload.encode()))
    state = told["qinglu/living_room_ac/state"]
    assert {key: state[key] for key in expected} == expected


def test_a_climate_command_moves_the_unit(home: DemoFleet) -> None:
    home.receive("qinglu/living_room_ac/temperature/set", b"22")
    home.receive("qinglu/living_room_ac/mode/set", b"cool")
    home.receive("qinglu/living_room_ac/fan/set", b"low")
    panel = home.household.panels[LIVING]
    assert (panel.on, panel.mode, panel.setpoint_c, panel.fan) == (True, Mode.COOL, 22.0, Fan.LOW)
    for _ in range(8):
        told = by_topic(home.step())
    assert told["qinglu/living_room_ac/state"]["power"] > 150.0
    assert told["qinglu/living_room_ac/state"]["action"] == "cooling"


@pytest.mark.parametrize("payload", [b"", b"None", b"nan", b"\xff\xfe", b"tropical", b'{"a":1}'])
def test_a_word_that_the_unit_does_not_know_changes_nothing(home: DemoFleet, payload: bytes) -> None:
    before = home.household.panels[LIVING].changes
    for command in ("mode", "temperature", "fan", "swing"):
        home.receive(f"qinglu/living_room_ac/{command}/set", payload)
    assert home.household.panels[LIVING].changes == before


def test_discovery_goes_out_again_when_home_assistant_comes_up(home: DemoFleet) -> None:
    assert "homeassistant/device/qinglu_7c2f80a1b3d4/config" in by_topic(
        home.receive("homeassistant/status", b"online")
    )
    assert home.receive("homeassistant/status", b"offline") == []


def test_the_units_own_sensor_reads_warm_in_half_degrees_while_it_cools(home: DemoFleet) -> None:
    home.receive("qinglu/living_room_ac/mode/set", b"cool")
    told = by_topic(home.step())["qinglu/living_room_ac/state"]
    truth = home.household.units[LIVING].sensor_c
    assert told["current_temperature"] == pytest.approx(truth, abs=0.26)
    assert told["current_temperature"] % 0.5 == 0.0


def test_tasmota_telemetry_has_the_fields_of_its_documents(home: DemoFleet) -> None:
    told = by_topic(home.step())
    sensor = told["tele/router_plug/SENSOR"]
    assert set(sensor) == {"Time", "ENERGY"}
    assert set(sensor["ENERGY"]) >= {
        *("TotalStartTime", "Total", "Yesterday", "Today", "Period", "Power", "ApparentPower", "ReactivePower"),
        *("Factor", "Voltage", "Current"),
    }
    assert sensor["ENERGY"]["Power"] in (11, 12)
    assert sensor["ENERGY"]["Total"] == round(sensor["ENERGY"]["Total"], 3)
    state = told["tele/router_plug/STATE"]
    assert state["POWER"] == "ON"
    assert set(state["Wifi"]) >= {"RSSI", "Signal"}
    assert sensor["Time"] == state["Time"] == "2026-07-20T23:52:00"
    assert told["tele/tv_plug/SENSOR"]["Time"] == "2026-07-20T16:52:00"  # its owner never set the zone


def test_tasmota_announces_topic_prefixes_and_relays(home: DemoFleet) -> None:
    told = by_topic(home.announce())
    plug, blaster = (told[f"tasmota/discovery/DC4F22A1B00{index}/config"] for index in (3, 1))
    assert (plug["t"], plug["ft"], plug["tp"]) == ("tv_plug", "%prefix%/%topic%/", ["cmnd", "stat", "tele"])
    assert (plug["mac"], plug["onln"], plug["ofln"]) == ("DC4F22A1B003", "Online", "Offline")
    assert (plug["rl"][0], blaster["rl"][0]) == (1, 0)
    assert "ENERGY" in told["tasmota/discovery/DC4F22A1B003/sensors"]["sn"]
    assert told["tele/tv_plug/LWT"] == "Online"


def test_tasmota_does_not_see_power_below_three_watts(home: DemoFleet) -> None:
    home.household.panels[BED].automate(home.household.at_s, on=False)
    home.household.units[BED].running = False
    home.step()
    assert 0.5 < home.household.loads.bedroom_ac.power_w < 3.0
    before = by_topic(home.step())["tele/bedroom_ac_plug/SENSOR"]["ENERGY"]
    for _ in range(9):
        after = by_topic(home.step())["tele/bedroom_ac_plug/SENSOR"]["ENERGY"]
    assert (after["Power"], after["Total"]) == (0, before["Total"])


def test_tasmotas_today_starts_anew_at_its_own_midnight(home: DemoFleet) -> None:
    energy = [by_topic(home.step())["tele/router_plug/SENSOR"]["ENERGY"] for _ in range(20)]
    assert energy[-1]["Yesterday"] > 0.0
    assert energy[-1]["Today"] < energy[-1]["Total"]
    assert energy[-1]["Total"] == pytest.approx(energy[-1]["Today"] + energy[-1]["Yesterday"], abs=0.0011)


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [("OFF", True, "OFF"), ("0", True, "OFF"), ("TOGGLE", True, "OFF"), ("ON", False, "ON")],
)
def test_a_tasmota_relay_answers_with_result_and_power(home: DemoFleet, word: str, before: bool, after: str) -> None:
    home.household.loads.router.powered = before
    told = home.receive("cmnd/router_plug/POWER", word.encode())
    assert by_topic(told) == {"stat/router_plug/RESULT": {"POWER": after}, "stat/router_plug/POWER": after}
    energy = by_topic(home.step())["tele/router_plug/SENSOR"]["ENERGY"]
    assert (energy["Power"] > 0) is (after == "ON")


def test_a_tasmota_device_answers_what_it_is_asked(home: DemoFleet) -> None:
    assert by_topic(home.receive("cmnd/tv_plug/POWER", b"")) == {
        "stat/tv_plug/RESULT": {"POWER": "ON"},
        "stat/tv_plug/POWER": "ON",
    }
    assert "ENERGY" in by_topic(home.receive("cmnd/tv_plug/Status", b"10"))["stat/tv_plug/STATUS10"]["StatusSNS"]
    assert set(by_topic(home.receive("cmnd/tv_plug/TelePeriod", b""))) == {
        "stat/tv_plug/RESULT",
        "tele/tv_plug/STATE",
        "tele/tv_plug/SENSOR",
    }
    assert by_topic(home.receive("cmnd/tv_plug/Dance", b"1"))["stat/tv_plug/RESULT"]["Command"] == "Unknown"
    several = home.receive("cmnd/tv_plug/Backlog", b"POWER OFF; TelePeriod 60")
    assert [message.topic for message in several] == [
        "stat/tv_plug/RESULT",
        "stat/tv_plug/POWER",
        "stat/tv_plug/RESULT",
    ]


def test_an_infrared_command_is_answered_with_the_whole_state_and_the_unit_obeys(home: DemoFleet) -> None:
    order = {"Vendor": "MIDEA", "Power": "On", "Mode": "Cool", "Temp": 25, "FanSpeed": "Medium"}
    told = by_topic(home.receive("cmnd/bedroom_ir/IRHVAC", json.dumps(order).encode()))
    sent = told["stat/bedroom_ir/RESULT"]["IRHVAC"]
    assert {key: sent[key] for key in order} == order
    assert set(sent) >= {"Model", "Celsius", "SwingV", "SwingH", "Quiet", "Turbo", "Econo", "Light", "Beep", "Sleep"}
    panel = home.household.panels[BED]
    assert (panel.on, panel.mode, panel.setpoint_c, panel.fan) == (True, Mode.COOL, 25.0, Fan.MEDIUM)
    assert "tele/bedroom_ir/RESULT" not in by_topic(home.step())  # what it sent itself it does not report as heard


def test_a_persons_remote_shows_as_a_received_code_in_lower_case(home: DemoFleet) -> None:
    home.household.panels[BED].press(on=True, mode=Mode.COOL, setpoint_c=27.0)
    told = by_topic(home.step())["tele/bedroom_ir/RESULT"]["IrReceived"]
    assert told["Protocol"] == told["IRHVAC"]["Vendor"] == "MIDEA"
    words = {key: told["IRHVAC"][key] for key in ("Power", "Mode", "Temp", "FanSpeed", "Celsius")}
    assert words == {"Power": "on", "Mode": "cool", "Temp": 27, "FanSpeed": "auto", "Celsius": "on"}
    assert "tele/bedroom_ir/RESULT" not in by_topic(home.step())


@pytest.mark.parametrize("payload", [b"", b"[1]", b"{", b'{"Vendor":"GREE","Power":"On"}', b"\xff"])
def test_an_infrared_order_that_cannot_be_sent_changes_nothing(home: DemoFleet, payload: bytes) -> None:
    before = home.household.panels[BED].changes
    assert set(by_topic(home.receive("cmnd/bedroom_ir/IRHVAC", payload))) == {"stat/bedroom_ir/RESULT"}
    assert home.household.panels[BED].changes == before


def test_shelly_tells_all_on_joining_and_then_what_changed_with_its_own_time(home: DemoFleet) -> None:
    told = by_topic(home.announce())
    assert told[f"{SHELLY}/online"] == "true"
    full = told[f"{SHELLY}/events/rpc"]
    assert (full["src"], full["method"]) == (SHELLY, "NotifyFullStatus")
    assert set(full["params"]["switch:0"]) >= {"id", "output", "apower", "voltage", "current", "aenergy", "temperature"}
    news = by_topic(home.step())
    notified = news[f"{SHELLY}/events/rpc"]
    assert (notified["method"], notified["params"]["ts"]) == ("NotifyStatus", home.household.at_s)
    energy = notified["params"]["switch:0"]["aenergy"]
    assert len(energy["by_minute"]) == 3
    assert "output" not in notified["params"]["switch:0"]
    assert news[f"{SHELLY}/status/switch:0"]["aenergy"] == energy
    assert all(message.qos == 1 for message in home.devices[3].announce(home.household.at_s))


def test_shellys_minutes_add_up_to_its_total_even_where_power_reads_nothing(home: DemoFleet) -> None:
    statuses = [by_topic(home.step())[f"{SHELLY}/status/switch:0"] for _ in range(120)]
    for before, after in pairwise(statuses):
        rise_wh = after["aenergy"]["total"] - before["aenergy"]["total"]
        assert rise_wh == pytest.approx(after["aenergy"]["by_minute"][0] / 1000.0, abs=0.0021)
    idle = [status for status in statuses if status["apower"] == 0.0]
    assert idle
    assert all(status["aenergy"]["by_minute"][0] > 0.0 for status in idle)


def test_a_shelly_request_is_answered_and_its_news_follow(home: DemoFleet) -> None:
    request = {"id": 7, "src": "svc", "method": "Switch.Set", "params": {"id": 0, "on": False}}
    told = home.receive(f"{SHELLY}/rpc", json.dumps(request).encode(), home.household.at_s + 12.5)
    assert told[0].topic == "svc/rpc"
    assert json.loads(told[0].payload) == {"id": 7, "src": SHELLY, "dst": "svc", "result": {"was_on": True}}
    news = by_topic(told)[f"{SHELLY}/events/rpc"]["params"]
    assert (news["switch:0"]["output"], news["ts"]) == (False, home.household.at_s + 12.5)
    assert home.household.loads.fridge.powered is False
    home.step()
    assert home.household.loads.fridge.power_w == 0.0


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("Switch.Dance", {"id": 0}, 404),
        ("Switch.Set", {"id": 3, "on": True}, -103),
        ("Switch.Set", {"id": 0}, -103),
        (None, None, 404),
    ],
)
def test_a_shelly_request_that_is_wrong_gets_an_error(
    home: DemoFleet, method: object, params: object, code: int
) -> None:
    request = {"id": "x", "src": "svc", "method": method, "params": params}
    reply = by_topic(home.receive(f"{SHELLY}/rpc", json.dumps(request).encode()))["svc/rpc"]
    assert (reply["id"], reply["error"]["code"]) == ("x", code)


def test_shelly_obeys_its_control_topics(home: DemoFleet) -> None:
    assert f"{SHELLY}/status/switch:0" in by_topic(home.receive(f"{SHELLY}/command", b"status_update"))
    told = by_topic(home.receive(f"{SHELLY}/command/switch:0", b"off"))
    assert told[f"{SHELLY}/status/switch:0"]["output"] is False
    assert (
        by_topic(home.receive(f"{SHELLY}/command/switch:0", b"toggle"))[f"{SHELLY}/status/switch:0"]["output"] is True
    )


def test_zigbee2mqtt_lists_its_devices_with_what_they_expose(home: DemoFleet) -> None:
    told = by_topic(home.announce())
    assert told["zigbee2mqtt/bridge/state"] == {"state": "online"}
    coordinator, *devices = told["zigbee2mqtt/bridge/devices"]
    assert (coordinator["type"], coordinator["definition"]) == ("Coordinator", None)
    listed = {device["ieee_address"]: device for device in devices}
    assert set(listed) == {device.native_id for device in DEMO_HOME.devices if device.dialect == "zigbee2mqtt"}
    plug = listed["0xa4c1380b5e91d2f7"]["definition"]["exposes"]
    switch = next(item for item in plug if item["type"] == "switch")["features"][0]
    assert (switch["property"], switch["access"], switch["value_on"]) == ("state", 7, "ON")
    units = {item["property"]: item.get("unit") for item in plug if item["type"] == "numeric"}
    assert (units["power"], units["energy"]) == ("W", "kWh")
    thermometer = listed["0x00158d0008a1c001"]["definition"]["exposes"]
    assert {item["property"]: item["unit"] for item in thermometer}["voltage"] == "mV"
    assert all(" " not in device["friendly_name"] for device in devices)


def test_zigbee2mqtt_state_follows_what_is_exposed(home: DemoFleet) -> None:
    told = by_topic(home.announce())
    plug, air = told["zigbee2mqtt/washing_machine"], told["zigbee2mqtt/outdoor_thermometer"]
    assert {"state", "power", "current", "voltage", "energy", "linkquality", "last_seen"} <= set(plug)
    assert {"temperature", "humidity", "battery", "voltage", "linkquality", "last_seen"} <= set(air)
    assert air["last_seen"] == "2026-07-20T15:51:00.000Z"
    assert air["temperature"] == pytest.approx(home.household.outdoor_c, abs=0.5)


def test_a_thermometer_is_heard_on_change_or_about_every_ten_minutes(home: DemoFleet) -> None:
    seen: dict[str, list[float]] = {}
    for _ in range(180):
        for message in home.step():
            if message.topic.endswith("thermometer"):
                seen.setdefault(message.topic, []).append(home.household.at_s)
    assert len(seen) == 3
    for times in seen.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps) <= 600.0
        assert len(times) < 120


def test_the_washing_machines_energy_moves_in_steps_of_ten_watt_hours(home: DemoFleet) -> None:
    household = home.household
    household.meter("washer").shown_total_kwh = 1.2349
    told = by_topic(home.receive("zigbee2mqtt/washing_machine/get", b'{"power":""}'))
    assert told["zigbee2mqtt/washing_machine"]["energy"] == 1.23


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/washing_machine/set", b'{"state":"OFF"}'),
        ("zigbee2mqtt/washing_machine/set/state", b"off"),
        ("zigbee2mqtt/washing_machine/set", b'{"state":"TOGGLE"}'),
    ],
)
def test_a_zigbee_plug_publishes_its_new_state(home: DemoFleet, topic: str, payload: bytes) -> None:
    assert by_topic(home.receive(topic, payload))["zigbee2mqtt/washing_machine"]["state"] == "OFF"
    assert home.household.loads.washer.powered is False


def test_a_zigbee_command_that_cannot_be_carried_out_shows_in_the_log_only(home: DemoFleet) -> None:
    for topic, payload in (
        ("washing_machine", b"{"),
        ("washing_machine", b'{"state":"MAYBE"}'),
        ("outdoor_thermometer", b'{"state":"ON"}'),
    ):
        assert set(by_topic(home.receive(f"zigbee2mqtt/{topic}/set", payload))) == {"zigbee2mqtt/bridge/logging"}


_TOPICS: list[Callable[[str], str]] = [
    lambda _: "qinglu/living_room_ac/mode/set",
    lambda _: "qinglu/living_room_ac/temperature/set",
    lambda word: f"cmnd/bedroom_ir/{word}",
    lambda _: "cmnd/bedroom_ir/IRHVAC",
    lambda word: f"cmnd/tv_plug/{word}",
    lambda _: "cmnd/tv_plug/Backlog",
    lambda _: f"{SHELLY}/rpc",
    lambda _: f"{SHELLY}/command/switch:0",
    lambda word: f"zigbee2mqtt/washing_machine/{word}",
    lambda _: "zigbee2mqtt/washing_machine/set",
    lambda word: f"zigbee2mqtt/bridge/request/{word}",
]
_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "src", "method", "params", "state", "Vendor", "Temp", "Mode"]), inner)
    ),
    max_leaves=8,
)


@given(
    topic=st.sampled_from(_TOPICS),
    word=st.text(max_size=8),
    payload=st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode()),
)
def test_no_bytes_can_break_a_device(topic: Callable[[str], str], word: str, payload: bytes) -> None:
    for message in FUZZED.receive(topic(word), payload):
        assert isinstance(message.payload, bytes)
    json.dumps(FUZZED.save(), allow_nan=False)


FUZZED = fleet_of(Household(0, START))


def test_what_was_last_told_survives_a_restart(home: DemoFleet) -> None:
    for _ in range(45):
        home.step()
    again = fleet_of(Household(0, START + timedelta(days=2)))
    again.restore(json.loads(json.dumps(home.save())))
    assert again.save() == home.save()
    for fleet in (again, home):
        fleet.announce()  # as after a restart, and as after a lost connection
    assert again.step() == home.step()


def test_the_bedrooms_blaster_and_plug_share_one_appliance() -> None:
    shared = [device for device in DEMO_HOME.devices if device.appliance == "Bedroom air conditioner"]
    assert {device.kind for device in shared} == {Kind.AIR_CONDITIONER, Kind.PLUG}
    assert all(device.room in (*DEMO_HOME.rooms, None) for device in DEMO_HOME.devices)
