"""All dialects together: who is asked first, and that no bytes on no topic do harm."""

import json
import time
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import InvalidCommand, PayloadError
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices.base import Announcement, Event, KnownDevice, Message, Reply, Report
from devices.limits import MAX_IDENTIFIER_CHARACTERS, says_something, unphysical
from devices.registry import Registry
from tests.devices import test_homeassistant, test_shelly, test_tasmota, test_tasmota_irhvac, test_zigbee2mqtt
from tests.devices.said import said

NAMES = ("native", "zigbee2mqtt", "shelly", "tasmota_irhvac", "tasmota", "homeassistant")
IRHVAC_MAC = test_tasmota_irhvac.MAC


def home() -> list[Message]:
    """Valid messages of each dialect, announcements first."""
    zigbee = [
        test_zigbee2mqtt.device(test_zigbee2mqtt.PLUG, "washer", test_zigbee2mqtt.PLUG_EXPOSES),
        test_zigbee2mqtt.device(test_zigbee2mqtt.THERMOMETER, "study/shelf", test_zigbee2mqtt.THERMOMETER_EXPOSES),
        test_zigbee2mqtt.device("0x0000000000000009", "ac", [test_zigbee2mqtt.CLIMATE]),
    ]
    climate = test_homeassistant.device_form(
        hvac=test_homeassistant.CLIMATE,
        power=test_homeassistant.sensor("power", "W", val_tpl="{{ value_json.p }}"),
        energy=test_homeassistant.sensor("energy", "kWh", val_tpl="{{ value_json.e | float / 10 }}"),
    )
    sensor = {"device": {"identifiers": ["x"]}} | test_homeassistant.sensor("power", "W", "x/p")
    shelly = test_shelly.ID
    return [
        said("zigbee2mqtt/bridge/devices", zigbee),
        said("tasmota/discovery/C45BBE0A1F77/config", test_tasmota.config()),
        said(f"tasmota/discovery/{IRHVAC_MAC}/config", test_tasmota_irhvac.config()),
        said(test_homeassistant.DEVICE, climate),
        said("homeassistant/sensor/x/config", sensor),
        said("lingyun/home/meter/announce", {"kind": "meter", "name": "Main"}),
        said("lingyun/home/meter/report", {"time": "2026-07-01T10:00:00Z", "power_w": 5, "mode": "cool"}),
        said("lingyun/home/meter/report", {"reports": [{"time": "2026-07-01T10:00:00+08:00", "power_w": 5}]}),
        said("lingyun/home/meter/reply", {"accepted": True}),
        said("zigbee2mqtt/washer", {"state": "ON", "power": 5, "energy": 1.2, "last_seen": 1782900000000}),
        said("zigbee2mqtt/study/shelf", {"temperature": 21.5, "humidity": 40, "last_seen": "2026-07-01T10:00:00Z"}),
        said("zigbee2mqtt/ac", {"system_mode": "cool", "occupied_cooling_setpoint": 24, "fan_mode": "low"}),
        said("zigbee2mqtt/washer/availability", {"state": "online"}),
        said("zigbee2mqtt/bridge/state", {"state": "offline"}),
        said(test_shelly.EVENTS, test_shelly.notify({"switch:0": test_shelly.FULL, "temperature:1": {"tC": 20}})),
        said(f"{shelly}/status/switch:0", test_shelly.FULL),
        said(f"{shelly}/online", "true"),
        said("lingyun-shelly/rpc", {"id": 1, "src": shelly, "result": {"was_on": False}}),
        said("tele/desk/SENSOR", {"ENERGY": test_tasmota.ENERGY, "AM2301": {"Temperature": 20}, "TempUnit": "C"}),
        said("tele/desk/STATE", {"POWER": "ON"}),
        said("stat/desk/RESULT", {"POWER": "OFF"}),
        said("stat/desk/POWER", "ON"),
        said("tele/desk/LWT", "Online"),
        said("tele/undiscovered/SENSOR", {"ENERGY": {"Power": 3, "Total": 1}}),
        said("tele/ir/RESULT", test_tasmota_irhvac.REMOTE),
        said("stat/ir/RESULT", test_tasmota_irhvac.ECHO),
        said("acme/9f31/mode", "cool"),
        said("acme/9f31/target", "24.5"),
        said("acme/9f31/meter", {"p": 7, "e": "12"}),
        said("x/p", "5"),
    ]


HOME = home()


def registry_of_home() -> Registry:
    registry = Registry()
    for message in HOME:
        registry.decode(message)
    return registry


def is_sound(text: object) -> bool:
    """Whether PostgreSQL stores a text as it is."""
    return text is None or (isinstance(text, str) and text.isprintable())


def check(events: list[Event]) -> None:
    """What may be stored of any message at all."""
    for event in events:
        assert event.native_id.isprintable()
        assert 0 < len(event.native_id) <= MAX_IDENTIFIER_CHARACTERS
        if isinstance(event, Report):
            assert unphysical(event) == []
            assert says_something(event)
            assert event.measured_at is None or 1990 <= event.measured_at.year <= 2100
        elif isinstance(event, Reply):
            assert is_sound(event.detail)
        else:
            words = (event.name, event.manufacturer, event.model, event.firmware, event.area, event.home)
            assert all(is_sound(word) for word in words)
            assert json.loads(json.dumps(event.details)) == event.details


def check_reason(error: Exception) -> None:
    """A reason is kept in the database too: no NUL, no half of a surrogate pair."""
    assert "\0" not in str(error)
    str(error).encode()


def survives(registry: Registry, message: Message) -> None:
    """Events that may be stored, None, or a PayloadError with a reason that may be stored: nothing else."""
    try:
        found = registry.decode(message)
    except PayloadError as error:
        check_reason(error)
        return
    if found is not None:
        assert found[0] in NAMES
        check(found[1])


def test_each_dialect_is_asked_in_its_order_and_finds_its_own() -> None:
    registry = Registry()
    assert registry.names() == NAMES
    found = [registry.decode(message) for message in HOME]
    assert {one[0] for one in found if one} == set(NAMES)
    assert all(one is not None for one in found)
    assert registry.decode(Message("frigate/front/person", b"1")) is None


def test_no_announcement_can_take_over_a_topic_of_another_dialect() -> None:
    registry = registry_of_home()
    for topic in ("zigbee2mqtt/washer", "lingyun/home/meter/report", "stat/desk/POWER"):
        body = {"device": {"identifiers": ["thief"]}} | test_homeassistant.sensor("power", "W", topic)
        registry.decode(said("homeassistant/sensor/thief/config", body))
    found = registry.decode(said("zigbee2mqtt/washer", {"power": 3}))
    assert found is not None
    assert found[1] == [Report(native_id=test_zigbee2mqtt.PLUG, power_w=3.0)]


def test_a_restart_forgets_nothing_that_announcements_said() -> None:
    """What ``recall`` gives back decodes and encodes as the registry did that heard the announcements."""
    first, second = Registry(), Registry()
    announced: dict[str, KnownDevice] = {}
    for message in HOME:
        found = first.decode(message)
        for told in found[1] if found else []:
            if isinstance(told, Announcement):
                stored = msgspec.json.decode(msgspec.json.encode(told.details))
                device = KnownDevice(told.native_id, told.kind, told.home or "home", stored, told.capabilities, on=True)
                announced[f"{found[0] if found else ''} {told.native_id}"] = device
    for key, device in announced.items():
        second.recall(key.partition(" ")[0], device)
    for message in HOME:
        if message.topic.startswith(("homeassistant/", "tasmota/discovery/", "zigbee2mqtt/bridge/devices")):
            continue
        again, before = second.decode(message), first.decode(message)
        assert [e for e in (again or ("", []))[1] if isinstance(e, Report)] == [
            e for e in (before or ("", []))[1] if isinstance(e, Report)
        ], message.topic
    for key, device in announced.items():
        dialect = key.partition(" ")[0]
        try:
            expected = first.encode(dialect, device, Command(on=False))
        except InvalidCommand:
            continue
        assert second.encode(dialect, device, Command(on=False)) == expected


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(InvalidCommand, match="no dialect is called 'zwave'"):
        Registry().encode("zwave", KnownDevice("d", Kind.PLUG, "h"), Command(on=True))
    Registry().recall("zwave", KnownDevice("d", Kind.PLUG, "h"))


OTHER_TOPICS = [
    *("lingyun/h/d/report", "lingyun///report", "zigbee2mqtt/x", "zigbee2mqtt//availability", "/events/rpc", "/online"),
    *("tasmota/discovery/AABBCCDDEEFF/config", "tasmota/discovery/AABBCCDDEEFF/sensors", "a/status/switch:0"),
    *("homeassistant/climate/a/config", "homeassistant/device/a/config", "homeassistant/switch/n/o/config"),
    *("tele/t/SENSOR", "tele/t/RESULT", "stat/t/RESULT", "tele//LWT", "x/bridge/devices", "/bridge/devices", "/", "a"),
]
TOPICS = st.sampled_from(sorted({"", *OTHER_TOPICS, *(message.topic for message in HOME)}))
NASTY = st.sampled_from(
    [
        *(b"", b"\0", b"\xff\xfe", b"null", b"true", b"1e999", b"-1e999", b"NaN", b"[]", b"{}", b'""', b"[" * 100_000),
        *(b'{"a":' * 5000, b"9" * 5000, b'"\\u0000"', b'"\\ud800"', b'{"power_w":1e308}', b"x" * 1_000_000),
        *(b"[" + b"0," * 300_000 + b"0]", b'{"time":"2026-07-01T10:00:00Z","power_w":' + b"9" * 400 + b"}"),
    ]
)
WORDS = st.sampled_from(
    [
        *("", "None", "nan", "unknown", "unavailable", "inf", "1e999", "-0", "ON", "off", "\0", "~", "a/#", "$x"),
        *("{{ value }}", "{{ value_json.x }}", "{% for i in x %}", "9" * 500, "%prefix%", "\ud800"),
        *("2026-07-01T10:00:00", "0001-01-01T00:00:00+14:00"),
    ]
)
NUMBERS = st.integers() | st.floats() | st.integers(min_value=10**17, max_value=10**320)
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(
    topic=TOPICS | st.text(max_size=40),
    payload=st.binary(max_size=200) | NASTY,
    flags=st.tuples(st.booleans(), st.booleans()),
)
@settings(max_examples=400)
def test_any_bytes_on_any_topic_are_events_or_refused_or_nobodys(
    topic: str, payload: bytes, flags: tuple[bool, bool]
) -> None:
    survives(REGISTRY, Message(topic, payload, retained=flags[0], duplicate=flags[1]))


@given(data=st.data())
@settings(max_examples=600)
def test_mutated_messages_are_events_or_refused(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(HOME))
    mutate = data.draw(st.sampled_from([_with_other_bytes, _with_other_values]))
    survives(REGISTRY, Message(message.topic, mutate(data, message.payload), retained=data.draw(st.booleans())))


REGISTRY = registry_of_home()


def _with_other_bytes(data: st.DataObject, payload: bytes) -> bytes:
    at = data.draw(st.integers(0, len(payload)))
    cut = data.draw(st.integers(0, 4))
    return payload[:at] + data.draw(st.binary(max_size=4)) + payload[at + cut :]


def _with_other_values(data: st.DataObject, payload: bytes) -> bytes:
    """The payload with some of its JSON values replaced by others."""
    try:
        body = json.loads(payload)
    except ValueError:
        return data.draw(WORDS).encode(errors="replace")
    for _ in range(data.draw(st.integers(1, 3))):
        body = _replaced(data, body)
    return json.dumps(body).encode(errors="replace")


def _replaced(data: st.DataObject, body: Any) -> Any:
    if isinstance(body, dict) and body and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(body)))
        return {**body, key: _replaced(data, body[key])}
    if isinstance(body, list) and body and data.draw(st.integers(0, 3)):
        at = data.draw(st.integers(0, len(body) - 1))
        return [*body[:at], _replaced(data, body[at]), *body[at + 1 :]]
    return data.draw(VALUES)


DETAIL_NAMES = [
    *("topic", "vendor", "component", "entities", "fields", "switches", "full_topic", "prefixes", "relays", "frame"),
    *("capabilities", "setpoints", "words", "placed", "base", "mac", "online_word"),
]
DETAILS = st.dictionaries(st.sampled_from(DETAIL_NAMES), VALUES)
COMMANDS = st.builds(
    Command,
    on=st.none() | st.booleans(),
    mode=st.none() | st.sampled_from(Mode),
    setpoint_c=st.none() | st.floats() | st.integers(10, 35).map(float),
    fan=st.none() | st.sampled_from(Fan),
)


@given(
    name=st.sampled_from(NAMES),
    kind=st.sampled_from(Kind),
    details=DETAILS,
    command=COMMANDS,
    on=st.none() | st.booleans(),
)
@example("tasmota_irhvac", Kind.AIR_CONDITIONER, {"topic": "t", "vendor": "GREE"}, Command(on=True), None)
@settings(max_examples=250)
def test_whatever_is_remembered_of_a_device_a_command_is_sent_or_refused(
    name: str, kind: Kind, details: dict[str, object], command: Command, on: bool | None
) -> None:
    device = KnownDevice("d", kind, "home", details, on=on)
    registry = Registry()
    registry.recall(name, device)
    try:
        messages = registry.encode(name, device, command)
    except InvalidCommand as error:
        check_reason(error)
        return
    assert messages
    for message in messages:
        assert (message.retained, message.qos) == (False, 1)
        assert not set(message.topic) & {"#", "+", "\0"}


def test_native_reports_and_plain_states_take_about_ten_microseconds() -> None:
    """Measured at 3 to 7 µs on one core of 2024; the limit leaves room for a machine that is busy otherwise."""
    registry = registry_of_home()
    for message in (
        said("lingyun/home/meter/report", {"time": "2026-07-01T10:00:00Z", "power_w": 5.5, "energy_total_kwh": 1.5}),
        said("stat/desk/POWER", "ON"),
        said("acme/9f31/mode", "cool"),
    ):
        best_s = min(_time_s(registry, message) for _ in range(5))
        assert best_s < 60e-6, f"{message.topic}: {best_s * 1e6:.1f} µs"


def _time_s(registry: Registry, message: Message, count: int = 300) -> float:
    start = time.process_time()
    for _ in range(count):
        registry.decode(message)
    return (time.process_time() - start) / count


def flood(count: int) -> Registry:
    """A registry that heard ``count`` announcements and states of invented devices of each dialect."""
    registry = Registry()
    exposes = test_zigbee2mqtt.PLUG_EXPOSES
    for index in range(count):
        body = {"device": {"identifiers": [f"d{index}"]}} | test_homeassistant.sensor("power", "W", f"x/{index}")
        for message in (
            said(f"homeassistant/sensor/d{index}/config", body, retained=True),
            said(f"foreign/{index}", "x" * 900, retained=True),
            said(f"tele/p{index}/SENSOR", {"ENERGY": {"Power": 1}}),
            said(f"tele/q{index}/LWT", "Online"),
            said(f"tasmota/discovery/{index:012X}/config", test_tasmota.config(t=f"t{index}")),
            said(f"tele/r{index}/RESULT", test_tasmota_irhvac.REMOTE),
            said(f"shelly1-{index:012x}/status/switch:0", {"apower": 1}),
            said(f"base{index}/bridge/devices", [test_zigbee2mqtt.device(f"0x{index:016x}", "p", exposes)]),
            said(f"zigbee2mqtt/0x{index:016x}", {"power": 1}),
        ):
            try:
                registry.decode(message)
            except PayloadError:
                continue
    return registry


@pytest.mark.slow
def test_memory_is_bounded_however_many_devices_announce_themselves() -> None:
    tracemalloc.start()
    registry = flood(2500)
    small = tracemalloc.get_traced_memory()[0]
    registry_2 = flood(6000)
    grown = tracemalloc.get_traced_memory()[0] - small
    tracemalloc.stop()
    assert registry.names() == registry_2.names()
    assert grown < 1.3 * small
    assert small < 60e6


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=5000)
def test_many_more_mutated_messages_are_events_or_refused(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(HOME))
    mutate = data.draw(st.sampled_from([_with_other_bytes, _with_other_values]))
    survives(REGISTRY, Message(message.topic, mutate(data, message.payload), retained=data.draw(st.booleans())))


def test_capabilities_of_the_database_come_first() -> None:
    """The seeded unit of a demo has its limits in its own column, not in ``details``."""
    unit = Capabilities(17.0, 30.0, 1.0, (Mode.COOL,))
    device = KnownDevice(IRHVAC_MAC, Kind.AIR_CONDITIONER, "home", {"topic": "ir", "vendor": "GREE"}, unit, on=True)
    with pytest.raises(InvalidCommand, match="below the 17"):
        Registry().encode("tasmota_irhvac", device, Command(setpoint_c=16.0))
