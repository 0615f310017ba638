"""Zigbee2MQTT 1.x and 2.x: ``<base>/bridge/devices`` says what there is, ``<base>/<friendly name>`` what it measures.

A device is its ``ieee_address``; its friendly name is only the topic of today and may hold slashes. Own time is
``last_seen`` where the bridge is set to send it (ISO, local ISO or epoch in ms). Docs: docs/devices/zigbee2mqtt.md.

``details``: ``topic`` (base and friendly name), ``base``, ``fields`` {property: [quantity, factor]},
``switches`` [properties with ON/OFF], ``outdoors``, by hand ``placed`` ("indoors", "outdoors"), for a climate device
``setpoints`` [settable setpoint properties], ``words`` {our mode or fan: theirs}, ``capabilities``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from core.errors import InvalidCommand, PayloadError
from core.words import Capabilities, Command, Kind
from devices import orders
from devices.base import Announcement, Event, KnownDevice, Message, Report
from devices.limits import check_capabilities
from devices.values import (
    decode_json,
    decode_object,
    decode_text,
    fan_step,
    instant_of_epoch,
    instant_of_text,
    is_outdoors,
    items,
    members,
    number,
    operating,
    printable,
    switch,
    word,
)

DEFAULT_BASE = "zigbee2mqtt"
MAX_DEVICES = 2000
MAX_BASES = 16
MAX_EXPOSES = 500
MAX_SWITCHES = 16
MAX_NAME_CHARACTERS = 200
MAX_WORD_CHARACTERS = 40
_IEEE = re.compile(r"0x[0-9a-f]{16}")
_SETTABLE = 2

# (property, unit) -> (quantity, factor). A voltage in mV is that of a battery, not of the mains.
QUANTITIES: dict[tuple[str, str], tuple[str, float]] = {
    ("power", "W"): ("power_w", 1.0),
    ("power", "kW"): ("power_w", 1e3),
    ("energy", "kWh"): ("energy_total_kwh", 1.0),
    ("energy", "Wh"): ("energy_total_kwh", 1e-3),
    ("voltage", "V"): ("voltage_v", 1.0),
    ("current", "A"): ("current_a", 1.0),
    ("current", "mA"): ("current_a", 1e-3),
    ("temperature", "°C"): ("room_temperature_c", 1.0),
    ("local_temperature", "°C"): ("room_temperature_c", 1.0),
    ("humidity", "%"): ("humidity_pct", 1.0),
    ("co2", "ppm"): ("co2_ppm", 1.0),
    ("illuminance", "lx"): ("illuminance_lx", 1.0),
    ("illuminance_lux", "lx"): ("illuminance_lx", 1.0),
}
PRESENCE = ("occupancy", "presence")
SETPOINTS = ("occupied_cooling_setpoint", "current_heating_setpoint", "occupied_heating_setpoint")
UNKNOWN_DEVICE_FIELDS = {name: pair for (name, unit), pair in QUANTITIES.items() if unit in ("W", "kWh", "°C", "%")}


@dataclass(slots=True)
class _Device:
    """What a friendly name stands for."""

    native_id: str
    fields: dict[str, tuple[str, float]]
    switches: tuple[str, ...]
    setpoints: tuple[str, ...] = ()
    presence: str | None = None
    outdoors: bool = False
    climate: bool = False
    tells_availability: bool = False


@dataclass(slots=True)
class _Exposes:
    """What a definition's ``exposes`` offer, flattened."""

    units: dict[str, str] = field(default_factory=dict)  # numeric property: unit
    switches: list[str] = field(default_factory=list)  # settable on and off
    names: set[str] = field(default_factory=set)
    climate: dict[str, dict[str, object]] = field(default_factory=dict)  # features of a climate group by property


class Zigbee2Mqtt:
    """Devices of any number of bridges on one broker."""

    name = "zigbee2mqtt"

    def __init__(self) -> None:
        self._by_topic: dict[str, _Device] = {}
        self._topic_of: dict[str, str] = {}
        self._placed: dict[str, str] = {}
        self._bases: dict[str, set[str]] = {DEFAULT_BASE: set()}

    def recall(self, device: KnownDevice) -> None:
        """Take up topic and fields of ``details``."""
        topic, details = device.details.get("topic"), device.details
        if not isinstance(topic, str) or len(self._topic_of) >= MAX_DEVICES:
            return
        placed = details.get("placed")
        if placed in ("indoors", "outdoors"):
            self._placed[device.native_id] = str(placed)
        base = details.get("base")
        if isinstance(base, str) and len(self._bases) < MAX_BASES:
            self._bases.setdefault(base, set()).add(device.native_id)
        self._learn(topic, _from_details(device.native_id, device.kind, details))

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of a bridge or one of its devices; see ``Dialect.decode``."""
        topic = message.topic
        device = self._by_topic.get(topic)
        if device is not None:
            return _state(device, message.payload)
        if topic.endswith("/availability"):
            device = self._by_topic.get(topic[: -len("/availability")])
            if device is not None:
                device.tells_availability = True
                return [Report(native_id=device.native_id, online=_online(message.payload))]
        parent, _, attribute = topic.rpartition("/")
        device = self._by_topic.get(parent)
        if device is not None and (attribute in device.fields or attribute in device.switches):
            return _values(device, {attribute: decode_text(message.payload)})  # `output: attribute` of the bridge
        base, found, leaf = topic.partition("/bridge/")
        if found and leaf == "devices":
            return self._devices(base, message.payload)
        if found and leaf == "state" and base in self._bases:
            return self._bridge_state(base, message.payload)
        if any(topic.startswith(f"{base}/") for base in self._bases):
            return self._unannounced(topic, message.payload)
        return None

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """One JSON message on ``<topic>/set``; see ``Dialect.encode``."""
        topic = device.details.get("topic")
        if not isinstance(topic, str):
            raise InvalidCommand("the bridge has not said under which name this device is")
        body = _climate_body(device, command) if device.kind is Kind.AIR_CONDITIONER else _switch_body(device, command)
        return [orders.message(f"{topic}/set", msgspec.json.encode(body))]

    def _learn(self, topic: str, device: _Device) -> None:
        old = self._topic_of.get(device.native_id)
        if old is not None and old != topic:
            self._forget(device.native_id)
        before = self._by_topic.get(topic)
        if before is not None and before.native_id == device.native_id:
            device.tells_availability = before.tells_availability
        self._by_topic[topic] = device
        self._topic_of[device.native_id] = topic

    def _forget(self, native_id: str) -> None:
        topic = self._topic_of.pop(native_id, None)
        if topic is not None and self._by_topic[topic].native_id == native_id:
            del self._by_topic[topic]

    def _devices(self, base: str, payload: bytes) -> list[Event]:
        told = items(decode_json(payload or b"[]"))
        if base not in self._bases and len(self._bases) >= MAX_BASES:
            return []
        before = self._bases.get(base, set())
        now: set[str] = set()
        events: list[Event] = []
        for entry in told:
            announcement = self._announced(base, members(entry))
            if announcement is not None and announcement.native_id not in now:
                now.add(announcement.native_id)
                events.append(announcement)
        for gone in sorted(before - now):
            self._forget(gone)
            events.append(Announcement(gone, Kind.PLUG, removed=True))
        self._bases[base] = now
        return events

    def _announced(self, base: str, entry: "dict[str, object] | object") -> Announcement | None:
        about = members(entry)
        native_id, name = about.get("ieee_address"), about.get("friendly_name")
        definition = members(about.get("definition"))
        if not isinstance(native_id, str) or not _IEEE.fullmatch(native_id) or not definition:
            return None
        if not isinstance(name, str) or not _is_name(name):
            return None
        if about.get("disabled") is True or about.get("type") == "Coordinator":
            return None
        if native_id not in self._topic_of and len(self._topic_of) >= MAX_DEVICES:
            return None
        exposes = _flatten(definition.get("exposes"))
        outdoors = is_outdoors(name, about.get("description"))
        announcement = _announcement(native_id, f"{base}/{name}", base, name, about, exposes, outdoors)
        if announcement is None:
            return None
        if native_id in self._placed:
            announcement.details["placed"] = self._placed[native_id]
        self._learn(f"{base}/{name}", _from_details(native_id, announcement.kind, announcement.details))
        return announcement

    def _bridge_state(self, base: str, payload: bytes) -> list[Event]:
        """Nobody hears of the devices of a bridge that went away; once it is back, those are there that do not tell
        themselves whether they are.
        """
        online = _online(payload)
        devices = [self._by_topic[self._topic_of[one]] for one in sorted(self._bases[base]) if one in self._topic_of]
        if online is None:
            return []
        return [
            Report(native_id=device.native_id, online=online)
            for device in devices
            if not (online and device.tells_availability)
        ]

    def _unannounced(self, topic: str, payload: bytes) -> list[Event]:
        """A name that no list explained counts only where it or the message tells the hardware address."""
        base, _, name = topic.rpartition("/")
        if base not in self._bases:
            return []
        native_id: object = name
        if not _IEEE.fullmatch(name):
            if b'"ieeeAddr"' not in payload:
                return []
            native_id = members(decode_object(payload).get("device")).get("ieeeAddr")
        if not isinstance(native_id, str) or not _IEEE.fullmatch(native_id):
            return []
        if native_id not in self._topic_of and len(self._topic_of) >= MAX_DEVICES:
            return []
        about = decode_object(payload)
        switches = ("state",) if switch(about.get("state")) is not None else ()
        device = _Device(native_id, UNKNOWN_DEVICE_FIELDS, switches, outdoors=is_outdoors(name))
        kind = Kind.PLUG if switches else Kind.METER if "power" in about else Kind.THERMOMETER
        reports = _state(device, payload)
        return (
            [Announcement(native_id, kind, name, details={"topic": topic, "base": base}), *reports] if reports else []
        )


def _is_name(name: str) -> bool:
    """Whether a friendly name can be a topic."""
    return 0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable() and not set(name) & {"+", "#"}


def _from_details(native_id: str, kind: Kind, details: dict[str, object]) -> _Device:
    fields: dict[str, tuple[str, float]] = {}
    for name, pair in members(details.get("fields")).items():
        match pair:
            case [str(quantity), int() | float() as factor]:
                fields[name] = (quantity, float(factor))
    known = set(QUANTITIES.values())
    fields = {name: pair for name, pair in fields.items() if pair in known} or UNKNOWN_DEVICE_FIELDS
    placed = details.get("placed")
    return _Device(
        native_id,
        fields,
        tuple(name for name in items(details.get("switches")) if isinstance(name, str)),
        tuple(name for name in items(details.get("setpoints")) if name in SETPOINTS and isinstance(name, str)),
        next((name for name in PRESENCE if name == details.get("presence")), None),
        placed == "outdoors" or (placed != "indoors" and details.get("outdoors") is True),
        kind is Kind.AIR_CONDITIONER,
    )


def _state(device: _Device, payload: bytes) -> list[Event]:
    if not payload:  # the name was given up
        return []
    return _values(device, decode_object(payload))


def _values(device: _Device, body: dict[str, object]) -> list[Event]:
    values: dict[str, Any] = {}
    for name, (quantity, factor) in device.fields.items():
        value = number(body.get(name))
        if value is not None:
            values[quantity] = value * factor
    if device.outdoors and "room_temperature_c" in values:
        values["outdoor_temperature_c"] = values.pop("room_temperature_c")
    on, mode, fan = _any_on(body, device.switches), None, None
    if device.climate:
        on, mode = operating(body.get("system_mode"))
        fan = fan_step(body.get("fan_mode"))
        setpoints = [number(body.get(name)) for name in device.setpoints]
        setpoint_c = next((value for value in setpoints if value is not None), None)
        if setpoint_c is not None:
            values["setpoint_c"] = setpoint_c
    occupied = switch(body.get(device.presence)) if device.presence else None
    at = _last_seen(body.get("last_seen"))
    report = Report(native_id=device.native_id, measured_at=at, occupied=occupied, on=on, mode=mode, fan=fan, **values)
    return [report]


def _any_on(body: dict[str, object], switches: tuple[str, ...]) -> bool | None:
    """Whether any outlet is on; unknown while one that might be is not told."""
    states = [switch(body.get(name)) for name in switches]
    if True in states:
        return True
    return False if states and None not in states else None


def _last_seen(value: object) -> datetime | None:
    if isinstance(value, str):
        return instant_of_text(value)
    milliseconds = number(value)
    return None if milliseconds is None else instant_of_epoch(milliseconds / 1e3)


def _online(payload: bytes) -> bool | None:
    """Version 2 says {"state": "online"}, version 1 just online."""
    text = decode_text(payload)
    if text.startswith("{"):
        text = str(decode_object(payload).get("state"))
    return {"online": True, "offline": False}.get(text)


def _flatten(exposes: object) -> _Exposes:
    """Properties of all entries and of the features of groups."""
    found = _Exposes()
    for entry in items(exposes)[:MAX_EXPOSES]:
        group = members(entry)
        features = items(group.get("features"))[:MAX_EXPOSES]
        if group.get("type") == "climate":
            found.climate = {str(members(one).get("property")): dict(members(one)) for one in features}
        for one in [entry, *features]:
            about = members(one)
            name = about.get("property")
            if not isinstance(name, str):
                continue
            found.names.add(name)
            unit = about.get("unit")
            if about.get("type") == "numeric" and isinstance(unit, str):
                found.units[name] = unit
            if group.get("type") == "switch" and about.get("type") == "binary" and _is_settable(about):
                found.switches.append(name[:MAX_NAME_CHARACTERS])
    return found


def _is_settable(about: object) -> bool:
    access = members(about).get("access")
    return isinstance(access, int) and bool(access & _SETTABLE)


def _announcement(
    native_id: str,
    topic: str,
    base: str,
    name: str,
    about: "dict[str, object] | object",
    exposes: _Exposes,
    outdoors: bool,
) -> Announcement | None:
    """What a device is by what it exposes; None where nothing of it concerns us."""
    fields = {name: QUANTITIES[name, unit] for name, unit in exposes.units.items() if (name, unit) in QUANTITIES}
    quantities = {quantity for quantity, _ in fields.values()}
    presence = next((name for name in PRESENCE if name in exposes.names), None)
    unit = _capabilities(exposes.climate)
    if unit is not None:
        kind = Kind.AIR_CONDITIONER
    elif exposes.switches:
        kind = Kind.PLUG
    elif quantities & {"power_w", "energy_total_kwh"}:
        kind = Kind.METER
    elif presence or quantities & {"room_temperature_c", "humidity_pct", "co2_ppm", "illuminance_lx"}:
        kind = Kind.THERMOMETER
    else:
        return None
    details: dict[str, object] = {
        "topic": topic,
        "base": base,
        "fields": {name: list(pair) for name, pair in fields.items()},
        "switches": exposes.switches[:MAX_SWITCHES],
    }
    if outdoors:
        details["outdoors"] = True
    if presence:
        details["presence"] = presence
    if unit is not None:
        details["setpoints"] = [name for name in SETPOINTS if _is_settable(exposes.climate.get(name))]
        details["words"] = _words(exposes.climate)
        details["capabilities"] = msgspec.to_builtins(unit)
    definition = members(members(about).get("definition"))
    return Announcement(
        native_id,
        kind,
        printable(name),
        word(definition.get("vendor")),
        word(definition.get("model")),
        word(members(about).get("software_build_id")),
        capabilities=unit,
        details=details,
    )


def _capabilities(climate: dict[str, dict[str, object]]) -> Capabilities | None:
    """Of a climate device that can cool; a radiator valve is no air conditioner."""
    words = items(climate.get("system_mode", {}).get("values"))
    if "cool" not in words:
        return None
    setpoint = next((climate[name] for name in SETPOINTS if _is_settable(climate.get(name))), {})
    modes = dict.fromkeys(mode for mode in (operating(one)[1] for one in words) if mode is not None)
    fan_words = items(climate.get("fan_mode", {}).get("values"))
    fans = dict.fromkeys(fan for fan in (fan_step(one) for one in fan_words) if fan is not None)
    low, high = number(setpoint.get("value_min")), number(setpoint.get("value_max"))
    unit = Capabilities(
        16.0 if low is None else low,
        30.0 if high is None else high,
        number(setpoint.get("value_step")) or 1.0,
        tuple(modes),
        tuple(fans),
    )
    try:
        check_capabilities(unit)
    except PayloadError:  # one odd device must not hide the others of the list
        return None
    return unit


def _words(climate: dict[str, dict[str, object]]) -> dict[str, str]:
    """The bridge's words for our modes and fan steps."""
    words: dict[str, str] = {}
    for theirs in items(climate.get("system_mode", {}).get("values")):
        mode = operating(theirs)[1]
        if mode is not None and len(str(theirs)) <= MAX_WORD_CHARACTERS:
            words.setdefault(f"mode {mode.value}", str(theirs))
    for theirs in items(climate.get("fan_mode", {}).get("values")):
        fan = fan_step(theirs)
        if fan is not None and len(str(theirs)) <= MAX_WORD_CHARACTERS:
            words.setdefault(f"fan {fan.value}", str(theirs))
    return words


def _switch_body(device: KnownDevice, command: Command) -> dict[str, str]:
    switches = [name for name in items(device.details.get("switches")) if isinstance(name, str)]
    on = orders.only_switch(device, command)
    if not switches:
        raise InvalidCommand(f"this {device.kind.value} cannot be switched")
    return dict.fromkeys(switches, "ON" if on else "OFF")


def _climate_body(device: KnownDevice, command: Command) -> dict[str, object]:
    command = orders.checked(command, orders.capabilities(device))
    words = members(device.details.get("words"))
    body: dict[str, object] = {}
    mode = orders.mode_to_send(device, command, orders.capabilities(device))
    if mode is not None:
        body["system_mode"] = "off" if mode == "off" else words.get(f"mode {mode}", mode)
    if command.setpoint_c is not None:
        names = [name for name in items(device.details.get("setpoints")) if name in SETPOINTS]
        if not names:
            raise InvalidCommand("this unit has no setpoint that can be set")
        body |= dict.fromkeys([str(name) for name in names], command.setpoint_c)
    if command.fan is not None:
        body["fan_mode"] = words.get(f"fan {command.fan.value}", command.fan.value)
    return body
