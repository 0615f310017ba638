"""Home Assistant MQTT discovery in both of its forms."""

from typing import Any

import pytest

from core.errors import InvalidCommand, PayloadError
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices.base import Announcement, KnownDevice
from devices.vendors.homeassistant import MAX_DEVICES, MAX_ENTITIES, HomeAssistant
from tests.devices.said import announcement, announcements, heard, known, report, reports, said, sent, values

ID = "split_9f31"
DEVICE = f"homeassistant/device/{ID}/config"
ABOUT = {"ids": [ID], "name": "Study AC", "mf": "Maker", "mdl": "M9", "sw": "2.1", "sa": "Study"}
CLIMATE: dict[str, Any] = {
    "p": "climate", "uniq_id": f"{ID}_hvac", "modes": ["off", "cool", "heat", "dry", "fan_only", "heat_cool"],
    "mode_cmd_t": "~/mode/set", "mode_stat_t": "~/mode", "temp_cmd_t": "~/target/set", "temp_stat_t": "~/target",
    "curr_temp_t": "~/room", "curr_hum_t": "~/humidity", "fan_mode_cmd_t": "~/fan/set", "fan_mode_stat_t": "~/fan",
    "fan_modes": ["auto", "silent", "low", "middle", "high", "focus"], "min_temp": 17, "max_temp": 30, "temp_step": 0.5,
}  # fmt: skip


def device_form(**components: dict[str, Any]) -> dict[str, Any]:
    return {"~": "acme/9f31", "dev": ABOUT, "o": {"name": "acme"}, "avty_t": "~/online", "cmps": components}


def sensor(quantity: str, unit: str | None, topic: str = "~/meter", **more: object) -> dict[str, Any]:
    told = {"p": "sensor", "dev_cla": quantity, "unit_of_meas": unit, "stat_t": topic, "uniq_id": f"{ID}_{quantity}"}
    return {name: value for name, value in told.items() if value is not None} | more


def metered(**more: dict[str, Any]) -> tuple[HomeAssistant, Announcement]:
    dialect = HomeAssistant()
    body = device_form(
        hvac=CLIMATE,
        power=sensor("power", "W", val_tpl="{{ value_json.p }}"),
        energy=sensor("energy", "Wh", val_tpl="{{ value_json['e'] | float }}", stat_cla="total_increasing"),
        **more,
    )
    return dialect, announcement(heard(dialect, DEVICE, body, retained=True))


def single(dialect: HomeAssistant, component: str, object_id: str, body: dict[str, Any]) -> Announcement:
    whole = {"device": {"identifiers": [ID], "name": "Thing"}, "unique_id": f"{ID}_{object_id}", **body}
    return announcement(heard(dialect, f"homeassistant/{component}/node/{object_id}/config", whole))


def test_the_device_form_makes_one_air_conditioner_of_all_its_entities() -> None:
    _, told = metered()
    assert (told.native_id, told.kind, told.name, told.manufacturer, told.model, told.firmware, told.area) == (
        ID, Kind.AIR_CONDITIONER, "Study AC", "Maker", "M9", "2.1", "Study"
    )  # fmt: skip
    assert told.capabilities == Capabilities(
        17.0, 30.0, 0.5,
        (Mode.AUTO, Mode.COOL, Mode.HEAT, Mode.DRY, Mode.FAN_ONLY),
        (Fan.AUTO, Fan.QUIET, Fan.LOW, Fan.MEDIUM, Fan.HIGH),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("mode", "cool", {"on": True, "mode": Mode.COOL}),
        ("mode", "off", {"on": False}),
        ("mode", "heat_cool", {"on": True, "mode": Mode.AUTO}),
        ("target", "24.5", {"setpoint_c": 24.5}),
        ("room", " 27 ", {"room_temperature_c": 27.0}),
        ("humidity", "61", {"humidity_pct": 61.0}),
        ("fan", "silent", {"fan": Fan.QUIET}),
        ("meter", {"p": 612.5, "e": "2500"}, {"power_w": 612.5, "energy_total_kwh": 2.5}),
        ("meter", {"p": 612.5}, {"power_w": 612.5}),
        ("online", "offline", {"online": False}),
        ("online", "online", {"online": True}),
    ],
)
def test_each_topic_says_its_part(topic: str, payload: object, expected: dict[str, object]) -> None:
    dialect, _ = metered()
    told = report(heard(dialect, f"acme/9f31/{topic}", payload))
    assert (told.native_id, told.measured_at, values(told)) == (ID, None, expected)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("mode", "None"), ("mode", "blow"), ("mode", ""), ("target", "None"), ("target", "unavailable"), ("room", "nan"),
     ("room", "inf"), ("fan", "focus"), ("meter", {"p": None, "e": "unknown"}), ("meter", {}), ("online", "maybe")],
)  # fmt: skip
def test_words_for_unknown_overwrite_nothing(topic: str, payload: object) -> None:
    dialect, _ = metered()
    assert heard(dialect, f"acme/9f31/{topic}", payload) == []


def test_commands_go_to_the_topics_that_the_unit_named() -> None:
    dialect, told = metered()
    command = Command(on=True, mode=Mode.AUTO, setpoint_c=25.3, fan=Fan.MEDIUM)
    assert sent(dialect.encode(known(told, on=False), command)) == [
        ("acme/9f31/mode/set", "heat_cool"),
        ("acme/9f31/target/set", "25.5"),
        ("acme/9f31/fan/set", "middle"),
    ]
    assert sent(dialect.encode(known(told, on=True), Command(on=False))) == [("acme/9f31/mode/set", "off")]
    assert sent(dialect.encode(known(told), Command(setpoint_c=26.0))) == [("acme/9f31/target/set", "26")]


def test_switching_on_takes_the_last_mode_and_else_cools() -> None:
    dialect, told = metered()
    for mode, word in ((Mode.HEAT, "heat"), (None, "cool")):
        ordered = sent(dialect.encode(known(told, on=False, mode=mode), Command(on=True)))
        assert ordered == [("acme/9f31/mode/set", word)]


def test_a_mode_for_a_unit_that_is_off_would_start_it_and_is_refused() -> None:
    dialect, told = metered()
    with pytest.raises(InvalidCommand, match="off and starts"):
        dialect.encode(known(told, on=False), Command(mode=Mode.COOL))
    assert sent(dialect.encode(known(told, on=True), Command(mode=Mode.DRY))) == [("acme/9f31/mode/set", "dry")]


@pytest.mark.parametrize(
    "command", [Command(setpoint_c=16.5), Command(setpoint_c=30.5), Command(setpoint_c=float("nan")), Command()]
)
def test_what_the_unit_cannot_do_is_refused(command: Command) -> None:
    dialect, told = metered()
    with pytest.raises(InvalidCommand):
        dialect.encode(known(told, on=True), command)


def test_a_unit_with_a_power_topic_is_switched_by_it() -> None:
    own = CLIMATE | {"pow_cmd_t": "~/power/set", "pl_on": "1", "pl_off": "0"}
    told = announcement(heard(dialect := HomeAssistant(), DEVICE, device_form(hvac=own)))
    assert sent(dialect.encode(known(told), Command(on=False, mode=Mode.COOL))) == [("acme/9f31/power/set", "0")]
    assert sent(dialect.encode(known(told), Command(on=True, mode=Mode.COOL))) == [
        ("acme/9f31/power/set", "1"),
        ("acme/9f31/mode/set", "cool"),
    ]


def test_a_unit_without_fan_or_target_topic_says_so() -> None:
    bare = {"p": "climate", "modes": ["cool"], "mode_cmd_t": "a/set", "mode_stat_t": "a"}
    told = announcement(heard(dialect := HomeAssistant(), DEVICE, device_form(hvac=bare)))
    for command in (Command(setpoint_c=20.0), Command(fan=Fan.LOW), Command(on=False)):
        with pytest.raises(InvalidCommand):
            dialect.encode(known(told, on=True), command)


def test_fahrenheit_ends_at_this_dialect() -> None:
    own = CLIMATE | {"temp_unit": "F", "min_temp": 60, "max_temp": 86, "temp_step": 1}
    told = announcement(heard(dialect := HomeAssistant(), DEVICE, device_form(hvac=own)))
    assert told.capabilities is not None
    assert told.capabilities.setpoint_max_c == pytest.approx(30.0)
    assert values(report(heard(dialect, "acme/9f31/target", "77"))) == {"setpoint_c": pytest.approx(25.0)}
    assert sent(dialect.encode(known(told), Command(setpoint_c=25.1))) == [("acme/9f31/target/set", "77")]


def test_command_templates_are_filled_in() -> None:
    own = CLIMATE | {"temp_cmd_tpl": '{"t": {{ value }}}', "mode_cmd_tpl": "{{ {'cool': 1, 'off': 0}.get(value, 9) }}"}
    told = announcement(heard(dialect := HomeAssistant(), DEVICE, device_form(hvac=own)))
    ordered = sent(dialect.encode(known(told), Command(on=True, mode=Mode.COOL, setpoint_c=25.0)))
    assert ordered == [("acme/9f31/mode/set", "1"), ("acme/9f31/target/set", '{"t": 25}')]


def test_single_entities_come_together_as_one_device_in_any_order() -> None:
    dialect = HomeAssistant()
    assert single(dialect, "sensor", "power", sensor("power", "kW", "x/p")).kind is Kind.METER
    relay = {"command_topic": "x/relay/set", "state_topic": "x/relay", "device_class": "outlet"}
    told = single(dialect, "switch", "relay", relay)
    assert (told.native_id, told.kind, told.name) == (ID, Kind.PLUG, "Thing")
    assert values(report(heard(dialect, "x/p", "1.2"))) == {"power_w": 1200.0}
    assert values(report(heard(dialect, "x/relay", "OFF"))) == {"on": False}
    assert sent(dialect.encode(known(told), Command(on=True))) == [("x/relay/set", "ON")]


def test_a_switch_has_words_of_its_own() -> None:
    dialect = HomeAssistant()
    body = {
        "cmd_t": "r/set",
        "stat_t": "r",
        "pl_on": "go",
        "pl_off": "stop",
        "stat_on": "running",
        "stat_off": "stopped",
    }
    told = single(dialect, "switch", "relay", body)
    assert sent(dialect.encode(known(told), Command(on=False))) == [("r/set", "stop")]
    assert values(report(heard(dialect, "r", "running"))) == {"on": True}
    assert heard(dialect, "r", "go") == []


def test_the_child_lock_of_a_plug_is_not_its_relay() -> None:
    dialect = HomeAssistant()
    single(dialect, "switch", "child_lock", {"cmd_t": "lock/set", "stat_t": "lock"})
    told = single(dialect, "switch", "relay", {"cmd_t": "relay/set", "stat_t": "relay"})
    assert sent(dialect.encode(known(told), Command(on=True))) == [("relay/set", "ON")]
    assert dialect.decode(said("lock", "ON")) is None


def test_the_running_total_is_preferred_to_the_energy_of_the_day() -> None:
    dialect = HomeAssistant()
    single(dialect, "sensor", "energy_today", sensor("energy", "kWh", "e/today", state_class="total_increasing"))
    single(dialect, "sensor", "energy_total", sensor("energy", "kWh", "e/total", state_class="total_increasing"))
    assert dialect.decode(said("e/today", "1")) is None
    assert values(report(heard(dialect, "e/total", "812.5"))) == {"energy_total_kwh": 812.5}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Room temperature", "room_temperature_c"),
        ("Outdoor temperature", "outdoor_temperature_c"),
        ("Coil temperature", None),
        ("Discharge temp", None),
    ],
)
def test_only_some_thermometers_of_a_unit_measure_the_room(name: str, expected: str | None) -> None:
    dialect = HomeAssistant()
    body = sensor("temperature", "°C", "x/t", name=name) | {"device": {"identifiers": [ID]}, "origin": {"name": "x"}}
    events = heard(dialect, "homeassistant/sensor/t/config", body)
    if expected is None:
        assert events == []
    else:
        assert values(report(heard(dialect, "x/t", "30"))) == {expected: 30.0}


@pytest.mark.parametrize("quantity", ["battery", "signal_strength", "power_factor", None])
def test_entities_that_do_not_concern_us_are_passed_over(quantity: str | None) -> None:
    body = {"device_class": quantity, "unit_of_measurement": "%", "state_topic": "b", "unique_id": "b"}
    assert heard(HomeAssistant(), "homeassistant/sensor/b/config", body) == []
    assert heard(HomeAssistant(), "homeassistant/light/b/config", {"command_topic": "b/set"}) == []


def test_a_diagnostic_temperature_is_that_of_the_device() -> None:
    body = sensor("temperature", "°C", "x/t", entity_category="diagnostic")
    assert heard(HomeAssistant(), "homeassistant/sensor/t/config", body) == []


@pytest.mark.parametrize(
    "more",
    [
        {"origin": {"name": "Zigbee2MQTT"}},
        {"o": {"name": "Tasmota"}},
        {"device": {"identifiers": ["zigbee2mqtt_0x00158d00045a6b7c"]}},
        {"dev": {"ids": ["A1B2C3"], "mf": "Tasmota"}},
        {"dev": {"ids": ["A1B2C3"], "sw": "9.1.0(tasmota)"}},
        {"stat_t": "tele/desk/SENSOR"},
        {"~": "desk/", "stat_t": "~tele/SENSOR"},
        {"stat_t": "shellyplusplugs-a0dd6c4b1e20/status/switch:0"},
        {"stat_t": "lingyun/home/meter/report"},
    ],
)
def test_devices_that_have_a_dialect_of_their_own_are_left_to_it(more: dict[str, object]) -> None:
    body = sensor("power", "W", "x/p", device={"identifiers": ["x"]}) | more
    assert heard(HomeAssistant(), "homeassistant/sensor/p/config", body) == []


def test_an_empty_configuration_takes_an_entity_or_the_device_away() -> None:
    dialect = HomeAssistant()
    single(dialect, "sensor", "power", sensor("power", "W", "x/p"))
    single(dialect, "sensor", "energy", sensor("energy", "kWh", "x/e"))
    assert not announcement(heard(dialect, "homeassistant/sensor/node/power/config", b"")).removed
    assert dialect.decode(said("x/p", "5")) is None
    told = announcement(heard(dialect, "homeassistant/sensor/node/energy/config", b""))
    assert (told.native_id, told.removed) == (ID, True)


def test_a_component_with_nothing_but_its_platform_is_taken_away() -> None:
    dialect, told = metered()
    assert values(report(heard(dialect, "acme/9f31/meter", {"p": 1}))) == {"power_w": 1.0}
    heard(dialect, DEVICE, device_form(hvac=CLIMATE, power={"p": "sensor"}))
    assert dialect.decode(said("acme/9f31/meter", {"p": 1})) is None
    assert told.native_id == ID


def test_an_entity_that_moves_to_the_device_form_is_not_two() -> None:
    dialect = HomeAssistant()
    single(dialect, "sensor", "power", sensor("power", "W", "x/p"))
    assert announcements(heard(dialect, "homeassistant/sensor/node/power/config", {"migrate_discovery": True}))[
        0
    ].removed
    body = {"dev": {"ids": [ID]}, "o": {"name": "x"}, "cmps": {"p": sensor("power", "W", "x/p")}}
    assert announcement(heard(dialect, DEVICE, body)).native_id == ID
    assert len(reports(heard(dialect, "x/p", "4"))) == 1


def test_child_devices_are_devices_of_their_own() -> None:
    child = {
        "device": {"identifiers": ["room-2"], "name": "Second head"},
        "components": {"hvac": CLIMATE | {"~": "acme/2"}},
    }
    body = device_form(power=sensor("power", "W")) | {"child_devices": [child]}
    dialect = HomeAssistant()
    told = {one.native_id: one.kind for one in announcements(heard(dialect, DEVICE, body))}
    assert told == {ID: Kind.METER, "room-2": Kind.AIR_CONDITIONER}
    assert report(heard(dialect, "acme/2/mode", "cool")).native_id == "room-2"


@pytest.mark.parametrize(
    ("mode", "payloads", "online"),
    [("all", ("online", "offline"), False), ("all", ("online", "online"), True), ("any", ("online", "offline"), True),
     ("any", ("offline", "offline"), False), ("latest", ("offline", "online"), True), ("all", ("online",), None)],
)  # fmt: skip
def test_availability_is_joined_as_the_device_asks(mode: str, payloads: tuple[str, ...], online: bool | None) -> None:
    dialect = HomeAssistant()
    availability = [{"topic": "bridge"}, {"t": "node", "val_tpl": "{{ value_json.state }}", "pl_avail": "online"}]
    single(dialect, "sensor", "p", sensor("power", "W", "x/p", avty=availability, avty_mode=mode))
    said_last = [
        one.online
        for topic, word in zip(("bridge", "node"), payloads, strict=False)
        for one in reports(heard(dialect, topic, word if topic == "bridge" else {"state": word}))
    ]
    assert (said_last[-1] if said_last else None) is online


def test_availability_written_by_hand_as_an_object_is_read() -> None:
    dialect = HomeAssistant()
    single(dialect, "sensor", "p", sensor("power", "W", "x/p", availability={"topic": "a", "payload_available": "1"}))
    assert values(report(heard(dialect, "a", "1"))) == {"online": True}


def test_a_template_that_is_not_supported_skips_the_entity_and_is_noted() -> None:
    bad = sensor("energy", "kWh", val_tpl="{% for x in value_json %}{{ x }}{% endfor %}")
    _, told = metered(daily=bad)
    note = str(told.details["skipped"])
    assert "daily" in note
    assert "uses for" in note
    with pytest.raises(PayloadError, match="uses for"):
        heard(HomeAssistant(), "homeassistant/sensor/e/config", bad)


def test_a_state_that_came_before_its_configuration_is_told_with_it() -> None:
    dialect = HomeAssistant()
    assert dialect.decode(said("acme/9f31/online", "offline", retained=True)) is None
    assert dialect.decode(said("acme/9f31/mode", "heat", retained=True)) is None
    assert dialect.decode(said("acme/9f31/room", "28")) is None
    events = heard(dialect, DEVICE, device_form(hvac=CLIMATE), retained=True)
    assert [values(one) for one in reports(events)] == [{"on": True, "mode": Mode.HEAT}, {"online": False}]


def test_a_device_is_recalled_after_a_restart() -> None:
    _, told = metered()
    dialect = HomeAssistant()
    dialect.recall(known(told))
    assert values(report(heard(dialect, "acme/9f31/meter", {"p": 7, "e": 1000}))) == {
        "power_w": 7.0,
        "energy_total_kwh": 1.0,
    }
    assert announcement(heard(dialect, DEVICE, b"")).removed
    dialect.recall(KnownDevice("odd", Kind.PLUG, "home", {"entities": {"a": 3}}))
    dialect.recall(KnownDevice("bare", Kind.PLUG, "home"))


def test_a_placement_by_hand_survives_announcements() -> None:
    dialect = HomeAssistant()
    told = single(dialect, "sensor", "t", sensor("temperature", "°C", "x/t"))
    told.details["placed"] = "outdoors"
    dialect.recall(known(told))
    again = single(dialect, "sensor", "t", sensor("temperature", "°C", "x/t"))
    assert again.details["placed"] == "outdoors"
    assert values(report(heard(dialect, "x/t", "31"))) == {"outdoor_temperature_c": 31.0}


@pytest.mark.parametrize(
    "device", [{"connections": [["mac", "aa:bb:cc"]]}, {"identifiers": "aa:bb:cc"}, {"identifiers": ["aa:bb:cc", "b"]}]
)
def test_a_device_is_its_identifier_or_its_connection(device: dict[str, object]) -> None:
    body = {"device": device, **sensor("power", "W", "x/p")}
    assert announcement(heard(HomeAssistant(), "homeassistant/sensor/p/config", body)).native_id == "aa:bb:cc"


def test_two_devices_of_one_bridge_share_a_topic() -> None:
    dialect = HomeAssistant()
    for name in ("a", "b"):
        body = {"device": {"identifiers": [name]}} | sensor(
            "power", "W", "bridge", val_tpl=f"{{{{ value_json.{name} }}}}"
        )
        heard(dialect, f"homeassistant/sensor/{name}/config", body)
    told = reports(heard(dialect, "bridge", {"a": 1, "b": 2}))
    assert {one.native_id: one.power_w for one in told} == {"a": 1.0, "b": 2.0}


def test_a_presence_sensor_says_whether_somebody_is_there() -> None:
    dialect = HomeAssistant()
    single(dialect, "binary_sensor", "o", {"device_class": "occupancy", "state_topic": "x/o"})
    assert values(report(heard(dialect, "x/o", "ON"))) == {"occupied": True}


@pytest.mark.parametrize(
    "body",
    [
        {"dev": ABOUT},
        {"cmps": {"a": sensor("power", "W")}},
        {"dev": ABOUT, "cmps": {"a": {"p": "sensor", "dev_cla": "power", "stat_t": "a/#"}}},
    ],
)
def test_a_device_form_without_its_parts_is_refused_and_changes_nothing(body: dict[str, object]) -> None:
    dialect, _ = metered()
    with pytest.raises(PayloadError):
        heard(dialect, DEVICE, body)
    assert values(report(heard(dialect, "acme/9f31/meter", {"p": 7}))) == {"power_w": 7.0}


def test_memory_for_devices_and_entities_has_an_end() -> None:
    dialect = HomeAssistant()
    for index in range(MAX_DEVICES):
        body = {"device": {"identifiers": [f"d{index}"]}} | sensor("power", "W", f"x/{index}")
        heard(dialect, f"homeassistant/sensor/d{index}/config", body)
    with pytest.raises(PayloadError, match="at most"):
        heard(
            dialect,
            "homeassistant/sensor/more/config",
            {"device": {"identifiers": ["more"]}} | sensor("power", "W", "x/p"),
        )
    crowd = {f"e{index}": sensor("power", "W") for index in range(MAX_ENTITIES + 1)}
    with pytest.raises(PayloadError, match="entities"):
        heard(HomeAssistant(), DEVICE, device_form(**crowd))


@pytest.mark.parametrize("odd", [["W"], {"a": 1}, 5, True])
def test_words_of_the_wrong_type_are_passed_over(odd: object) -> None:
    for name in ("unit_of_measurement", "device_class", "name", "entity_category", "availability_mode", "val_tpl"):
        heard(HomeAssistant(), "homeassistant/sensor/p/config", sensor("power", "W", "x/p") | {name: odd})
        heard(
            HomeAssistant(),
            DEVICE,
            device_form(hvac=CLIMATE | {name: odd, "modes": odd, "temp_unit": odd, "pl_on": odd}),
        )


def test_home_assistants_own_birth_holds_nothing() -> None:
    assert heard(HomeAssistant(), "homeassistant/status", "online") == []


@pytest.mark.parametrize("payload", [b"\xff", b"[1, 2", b"x" * 100_000])
def test_a_state_that_cannot_be_read_is_refused(payload: bytes) -> None:
    dialect, _ = metered()
    with pytest.raises(PayloadError):
        heard(dialect, "acme/9f31/meter", payload)
