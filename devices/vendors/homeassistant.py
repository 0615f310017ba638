"""Home Assistant MQTT discovery: whatever announces itself as climate, sensor, binary sensor or switch, in the form of
one message per entity or one per device. Docs: docs/devices/homeassistant.md.

A device is the first of its ``identifiers`` (else its first connection, else ``unique_id``); its entities together
make one device of ours: an air conditioner if one is a climate entity, a plug if one is a switch, a meter if one
measures power or energy, a thermometer otherwise. Announcements of Zigbee2MQTT, Tasmota and Shelly are left alone:
their own dialects read these devices. An entity with a template that is not supported is skipped and noted.

``details``: ``entities`` {key: ``Entity``}, ``skipped`` [why], by hand ``placed`` ("indoors", "outdoors").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from core.errors import InvalidCommand, PayloadError
from core.units import fahrenheit_to_celsius
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices import orders
from devices.base import Announcement, Event, KnownDevice, Message, Report
from devices.discovery import Entry, discovery_topic, entries
from devices.templates import UnsupportedTemplate, compile_template
from devices.values import (
    decode_object,
    decode_text,
    fan_step,
    is_outdoors,
    items,
    members,
    number,
    operating,
    printable,
    word,
)

DISCOVERY_PREFIX = "homeassistant"
MAX_DEVICES = 500
MAX_ENTITIES = 60  # of a device
MAX_ENTITIES_BYTES = 65_536  # what is remembered of a device
MAX_WAITING = 500
MAX_REASON_CHARACTERS = 400
MAX_WAITING_BYTES = 1000
MAX_SOURCES_OF_TOPIC = 64
MAX_TOPIC_CHARACTERS = 400
MAX_WORD_CHARACTERS = 100
MAX_IDENTIFIER_CHARACTERS = 200

# device class -> (quantity, {unit: factor}); the first unit stands where none is named
SENSORS: dict[str, tuple[str, dict[str, float]]] = {
    "power": ("power_w", {"W": 1.0, "kW": 1e3, "mW": 1e-3}),
    "energy": ("energy_total_kwh", {"kWh": 1.0, "Wh": 1e-3, "MWh": 1e3}),
    "temperature": ("room_temperature_c", {"°C": 1.0, "C": 1.0, "°F": 1.0, "F": 1.0}),
    "humidity": ("humidity_pct", {"%": 1.0}),
    "voltage": ("voltage_v", {"V": 1.0, "mV": 1e-3}),
    "current": ("current_a", {"A": 1.0, "mA": 1e-3}),
    "carbon_dioxide": ("co2_ppm", {"ppm": 1.0}),
    "illuminance": ("illuminance_lx", {"lx": 1.0}),
    "irradiance": ("solar_w_m2", {"W/m²": 1.0}),
    "wind_speed": ("wind_m_s", {"m/s": 1.0, "km/h": 1 / 3.6}),
}
ABOUT = ("name", "manufacturer", "model", "sw_version", "suggested_area")
PRESENCE_CLASSES = ("occupancy", "presence", "motion")
ROOM_QUANTITIES = {"room_temperature_c", "humidity_pct", "co2_ppm", "illuminance_lx", "occupied"}
WEATHER_QUANTITIES = {"outdoor_temperature_c", "solar_w_m2", "wind_m_s"}
# of an air conditioner's inside, not of the room
_NOT_THE_ROOM = re.compile(
    r"coil|discharge|evaporat|condens|compress|pipe|supply|exhaust|target|setpoint|board|chip|cpu"
)
_PART_OF_TOTAL = re.compile(r"today|yesterday|daily|week|month|year|session|last|hour", re.I)
_NOT_AN_OUTLET = re.compile(
    r"lock|led|light|beep|buzzer|eco|turbo|display|sound|ioni|sleep|swing|quiet|clean|restart", re.I
)
_ELSEWHERE = re.compile(
    r"(^|/)(cmnd|tele|stat)/(.+/)?(LWT|STATE|SENSOR|RESULT|POWER\d*)$|/events/rpc$|/status/switch:\d+$"
)


class Source(msgspec.Struct, omit_defaults=True):
    """Where one quantity comes from."""

    topic: str
    quantity: str
    template: str | None = None
    factor: float = 1.0
    fahrenheit: bool = False
    words: dict[str, bool] | None = None  # of on/off quantities
    rank: int = 0  # the lowest of a device's sources of one quantity is read


class Sink(msgspec.Struct, omit_defaults=True):
    """Where one kind of command goes."""

    topic: str
    template: str | None = None
    words: dict[str, str] | None = None  # ours: theirs


class Entity(msgspec.Struct, omit_defaults=True):
    """What is remembered of one entity."""

    component: str
    sources: list[Source] = []
    sinks: dict[str, Sink] = {}  # switch, power, mode, setpoint, fan
    availability: list[Source] = []
    availability_mode: str = "latest"
    capabilities: Capabilities | None = None
    fahrenheit: bool = False
    rank: int = 0


@dataclass(slots=True)
class _Device:
    """A device and its entities."""

    about: dict[str, str] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    reachable: dict[str, bool] = field(default_factory=dict)  # last word on each availability topic
    placed: str | None = None


class HomeAssistant:
    """Everything that announces itself for Home Assistant."""

    name = "homeassistant"

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}
        self._owner: dict[str, set[str]] = {}  # config topic: native ids
        self._sources: dict[str, list[tuple[str, Source]]] = {}  # state topic: (native id, source)
        self._topics_of: dict[str, set[str]] = {}
        self._waiting: dict[str, Message] = {}  # retained messages that came before anybody named their topic

    def recall(self, device: KnownDevice) -> None:
        """Take up the entities of ``details``; what was announced since is newer and stands."""
        try:
            told = msgspec.convert(device.details.get("entities", {}), dict[str, Entity])
        except ValueError:  # of another version; the retained announcement comes again
            return
        known = self._devices.get(device.native_id)
        if known is None:
            if not told or len(self._devices) >= MAX_DEVICES:
                return
            known = self._devices[device.native_id] = _Device(entities=told)
            for key in told:
                self._owner.setdefault(_config_topic(key), set()).add(device.native_id)
            self._index(device.native_id)
        placed = device.details.get("placed")
        known.placed = str(placed) if placed in ("indoors", "outdoors") else None

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of an announcement or of a topic that one named; see ``Dialect.decode``."""
        sources = self._sources.get(message.topic)
        if sources is not None:
            return self._state(message, sources)
        if discovery_topic(message.topic, DISCOVERY_PREFIX) is not None:
            return self._discovery(message)
        if message.topic == f"{DISCOVERY_PREFIX}/status":
            return []
        if message.retained and len(message.payload) <= MAX_WAITING_BYTES:
            self._keep_waiting(message)
        return None

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """Messages to the command topics that the device named; see ``Dialect.encode``."""
        try:
            told = msgspec.convert(device.details.get("entities", {}), dict[str, Entity])
        except ValueError as error:
            raise InvalidCommand("what the device listens to is not known") from error
        if device.kind is Kind.AIR_CONDITIONER:
            unit = next((entity for _, entity in sorted(told.items()) if entity.component == "climate"), None)
            if unit is None:
                raise InvalidCommand("the unit has not said on which topics it listens")
            return list(_climate_orders(device, unit, command))
        return _switch_orders(device, told, command)

    def _keep_waiting(self, message: Message) -> None:
        """A broker hands out retained messages in any order: a state may come before what explains it."""
        self._waiting.pop(message.topic, None)
        if len(self._waiting) >= MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[message.topic] = message

    def _caught_up(self, native_id: str) -> list[Event]:
        """What the retained messages say that waited for a device to explain them."""
        events: list[Event] = []
        for topic in sorted(self._topics_of.get(native_id, set()) & self._waiting.keys()):
            try:
                events.extend(self._state(self._waiting.pop(topic), self._sources[topic]))
            except PayloadError:  # stale and unreadable
                continue
        return events

    def _discovery(self, message: Message) -> list[Event]:
        told = self._told(message)  # all of it is read before anything changes
        before = self._owner.pop(message.topic, set())
        for native_id in before:
            self._drop(native_id, message.topic)
        for native_id, news in told.items():
            self._add(native_id, message.topic, news)
        events: list[Event] = []
        for native_id in sorted(before | set(told)):
            self._index(native_id)
            if native_id in self._devices and not self._devices[native_id].entities:
                del self._devices[native_id]
            if native_id in self._devices:
                events.append(self._announcement(native_id, self._devices[native_id]))
            elif native_id in before:
                events.append(Announcement(native_id, Kind.PLUG, removed=True))
        skipped = [why for news in told.values() for why in news.skipped.values()]
        if skipped and not events:
            raise PayloadError("; ".join(skipped)[:MAX_REASON_CHARACTERS])
        if message.retained:
            events.extend(event for native_id in sorted(told) for event in self._caught_up(native_id))
        return events

    def _told(self, message: Message) -> dict[str, _Device]:
        """What a discovery message says, by device.

        Raises
        ------
        PayloadError
            It cannot be read or says more than is remembered.
        """
        found = discovery_topic(message.topic, DISCOVERY_PREFIX)
        body = decode_object(message.payload) if message.payload else {}
        told: dict[str, _Device] = {}
        if found is None or not body or body.get("migrate_discovery") is True:
            return told
        for entry in entries(message.topic, found, body):
            if not _read_elsewhere(entry):
                _read_entry(told.setdefault(_identity(entry), _Device()), entry)
        for native_id, news in told.items():
            known = self._devices.get(native_id)
            kept = {} if known is None else known.entities
            whole = {key: one for key, one in kept.items() if _config_topic(key) != message.topic} | news.entities
            if known is None and len(self._devices) + len(told) > MAX_DEVICES:
                raise PayloadError(f"expected at most {MAX_DEVICES} devices, {native_id!r:.80} is one more")
            if len(whole) > MAX_ENTITIES or len(msgspec.json.encode(whole)) > MAX_ENTITIES_BYTES:
                raise PayloadError(
                    f"expected at most {MAX_ENTITIES} entities in {MAX_ENTITIES_BYTES} bytes of {native_id!r:.80}"
                )
        return told

    def _add(self, native_id: str, config_topic: str, news: _Device) -> None:
        known = self._devices.get(native_id)
        if known is None and not news.entities:
            return  # nothing of it can be read
        device = self._devices.setdefault(native_id, _Device())
        device.about |= news.about
        device.entities |= news.entities
        device.skipped |= dict(list(news.skipped.items())[:MAX_ENTITIES])
        self._owner.setdefault(config_topic, set()).add(native_id)

    def _drop(self, native_id: str, config_topic: str) -> None:
        """Forget what one configuration said of a device."""
        device = self._devices.get(native_id)
        if device is None:
            return
        device.entities = {key: one for key, one in device.entities.items() if _config_topic(key) != config_topic}
        device.skipped = {key: why for key, why in device.skipped.items() if _config_topic(key) != config_topic}

    def _index(self, native_id: str) -> None:
        """Bring the map from topics to sources in line with the device's entities."""
        for topic in self._topics_of.pop(native_id, set()):
            self._sources[topic] = [pair for pair in self._sources[topic] if pair[0] != native_id]
            if not self._sources[topic]:
                del self._sources[topic]
        device = self._devices.get(native_id)
        if device is None:
            return
        main = _main_entity(device.entities)
        for source in [*_winners(device.entities), *(main.availability if main else [])]:
            bound = self._sources.setdefault(source.topic, [])
            if len(bound) < MAX_SOURCES_OF_TOPIC:
                bound.append((native_id, source))
                self._topics_of.setdefault(native_id, set()).add(source.topic)

    def _announcement(self, native_id: str, device: _Device) -> Announcement:
        main = _main_entity(device.entities)
        unit = main.capabilities if main is not None else None
        details: dict[str, object] = {"entities": msgspec.to_builtins(device.entities)}
        if device.skipped:
            details["skipped"] = sorted(device.skipped.values())
        if device.placed is not None:
            details["placed"] = device.placed
        about = device.about
        return Announcement(
            native_id,
            _kind(device.entities),
            about.get("name"),
            about.get("manufacturer"),
            about.get("model"),
            about.get("sw_version"),
            about.get("suggested_area"),
            capabilities=unit,
            details=details,
        )

    def _state(self, message: Message, sources: list[tuple[str, Source]]) -> list[Event]:
        """One report per device of what a topic's sources say."""
        if not message.payload:
            return []
        text = decode_text(message.payload)
        body: object = None
        if any(source.template is not None and compile_template(source.template).needs_json for _, source in sources):
            body = _json_or_none(message.payload, sources)
        found: dict[str, dict[str, object]] = {}
        for native_id, source in sources:
            value = text if source.template is None else compile_template(source.template).render(text, body)
            if value is None:
                continue
            device = self._devices[native_id]
            values = found.setdefault(native_id, {})
            if source.quantity == "online":
                values.update(_online(device, source, value))
            else:
                values.update(_quantity(source, value, device.placed))
        return [
            msgspec.convert({"native_id": native_id, **values}, Report) for native_id, values in found.items() if values
        ]


def _config_topic(key: str) -> str:
    return key.partition("#")[0]


def _identity(entry: Entry) -> str:
    identifiers = entry.device.get("identifiers")
    candidates: list[object] = [identifiers] if isinstance(identifiers, str | int) else items(identifiers)
    for connection in items(entry.device.get("connections")):
        candidates.extend(items(connection)[1:2])
    candidates.extend([entry.config.get("unique_id"), entry.key])
    found = next((str(one) for one in candidates if isinstance(one, str | int) and str(one)), entry.key)
    if len(found) > MAX_IDENTIFIER_CHARACTERS or not found.isprintable():
        raise PayloadError(
            f"expected an identifier of at most {MAX_IDENTIFIER_CHARACTERS} characters, got {found[:60]!r}"
        )
    return found


def _read_elsewhere(entry: Entry) -> bool:
    """Whether another dialect reads this device from its own messages, which say more."""
    origin, made_by = str(entry.origin.get("name", "")).lower(), str(entry.device.get("manufacturer", "")).lower()
    if origin in ("zigbee2mqtt", "tasmota") or made_by == "tasmota":
        return True
    if "tasmota" in str(entry.device.get("sw_version", "")).lower():
        return True
    identifiers = entry.device.get("identifiers")
    names = [identifiers] if isinstance(identifiers, str) else items(identifiers)
    if any(isinstance(name, str) and name.startswith("zigbee2mqtt_") for name in names):
        return True
    topics = [value for key, value in entry.config.items() if key.endswith("topic") and isinstance(value, str)]
    return any(_ELSEWHERE.search(topic) or topic.startswith("lingyun/") for topic in topics)


# --- what an entity says ---


def _read_entry(device: _Device, entry: Entry) -> None:
    """Take up one entity, or why it is skipped."""
    device.about |= {name: text[:MAX_WORD_CHARACTERS] for name in ABOUT if (text := word(entry.device.get(name)))}
    try:
        entity = _entity(entry)
    except UnsupportedTemplate as error:
        device.skipped[entry.key] = f"{entry.component} {entry.key[-MAX_WORD_CHARACTERS:]!r} is skipped: {error}"
        return
    if entity is not None:
        device.entities[entry.key] = entity


def _entity(entry: Entry) -> Entity | None:
    """What to remember of an entity; None where nothing of it concerns us.

    Raises
    ------
    UnsupportedTemplate
        It uses a template that is not supported.
    PayloadError
        A topic cannot be a topic.
    """
    readers = {"sensor": _sensor, "binary_sensor": _presence, "switch": _switch, "climate": _climate}
    reader = readers.get(entry.component)
    entity = None if reader is None else reader(entry)
    if entity is None:
        return None
    entity.availability = list(_availability(entry.config))
    mode = entry.config.get("availability_mode")
    entity.availability_mode = str(mode) if mode in ("all", "any") else "latest"
    return entity


def _sensor(entry: Entry) -> Entity | None:
    config = entry.config
    known = SENSORS.get(str(config.get("device_class")))
    if known is None:
        return None
    quantity, units = known
    unit = str(config.get("unit_of_measurement") or next(iter(units)))
    name = f"{config.get('name') or ''} {config.get('object_id') or ''} {entry.key}".lower()
    if unit not in units or (quantity in ("room_temperature_c", "voltage_v") and config.get("entity_category")):
        return None
    rank = 1
    if quantity == "room_temperature_c":
        if is_outdoors(name):
            quantity = "outdoor_temperature_c"
        elif _NOT_THE_ROOM.search(name):
            return None
    if quantity == "energy_total_kwh":
        rank = 3 if _PART_OF_TOTAL.search(name) else 1 if config.get("state_class") == "total_increasing" else 2
    source = _source(config, "state_topic", "value_template", quantity)
    if source is None:
        return None
    source.factor, source.fahrenheit, source.rank = units[unit], unit.endswith("F"), rank
    return Entity("sensor", [source])


def _presence(entry: Entry) -> Entity | None:
    if entry.config.get("device_class") not in PRESENCE_CLASSES:
        return None
    source = _source(entry.config, "state_topic", "value_template", "occupied")
    if source is None:
        return None
    source.words = _on_off_words(entry.config)
    return Entity("binary_sensor", [source])


def _switch(entry: Entry) -> Entity | None:
    config = entry.config
    sink = _sink(config, "command_topic", "command_template")
    if sink is None or config.get("entity_category"):
        return None
    told = config.get("payload_on", "ON"), config.get("payload_off", "OFF")
    sink.words = {"on": str(told[0])[:MAX_WORD_CHARACTERS], "off": str(told[1])[:MAX_WORD_CHARACTERS]}
    name = f"{config.get('name') or ''} {config.get('object_id') or ''} {_config_topic_tail(entry.key)}"
    rank = 0 if config.get("device_class") == "outlet" else 2 if _NOT_AN_OUTLET.search(name) else 1
    source = _source(config, "state_topic", "value_template", "on")
    if source is not None:
        source.words = _on_off_words(config)
        source.rank = rank
    return Entity("switch", [] if source is None else [source], {"switch": sink}, rank=rank)


def _climate(entry: Entry) -> Entity | None:
    config = entry.config
    fahrenheit = str(config.get("temperature_unit", "C")).upper().endswith("F")
    entity = Entity("climate", fahrenheit=fahrenheit)
    for quantity, name in (
        ("mode", "mode_state"),
        ("on", "power_state"),
        ("setpoint_c", "temperature_state"),
        ("room_temperature_c", "current_temperature"),
        ("humidity_pct", "current_humidity"),
        ("fan", "fan_mode_state"),
    ):
        source = _source(config, f"{name}_topic", f"{name}_template", quantity)
        if source is not None:
            source.fahrenheit = fahrenheit and quantity in ("setpoint_c", "room_temperature_c")
            source.words = _on_off_words(config) if quantity == "on" else None
            entity.sources.append(source)
    for use, name in (("power", "power"), ("mode", "mode"), ("setpoint", "temperature"), ("fan", "fan_mode")):
        sink = _sink(config, f"{name}_command_topic", f"{name}_command_template")
        if sink is not None:
            entity.sinks[use] = sink
    if not entity.sources and not entity.sinks:
        return None
    _give_words(entity, config)
    entity.capabilities = _capabilities(entity, config, fahrenheit)
    return entity


def _give_words(entity: Entity, config: Mapping[str, object]) -> None:
    """The unit's own words for our modes, fan steps and on and off."""
    if "power" in entity.sinks:
        told = config.get("payload_on", "ON"), config.get("payload_off", "OFF")
        entity.sinks["power"].words = {"on": str(told[0])[:100], "off": str(told[1])[:100]}
    if "mode" in entity.sinks:
        words: dict[str, str] = {}
        for theirs in _words(config, "modes", ("auto", "off", "cool", "heat", "dry", "fan_only")):
            on, mode = operating(theirs)
            if mode is not None and (theirs == mode.value or mode.value not in words):
                words[mode.value] = theirs
            elif on is False:
                words["off"] = theirs
        entity.sinks["mode"].words = words
    if "fan" in entity.sinks:
        words = {}
        for theirs in _words(config, "fan_modes", ("auto", "low", "medium", "high")):
            fan = fan_step(theirs)
            if fan is not None:
                words.setdefault(fan.value, theirs)
        entity.sinks["fan"].words = words


def _words(config: Mapping[str, object], key: str, default: tuple[str, ...]) -> list[str]:
    told = config.get(key)
    listed = list(default) if told is None else [one for one in items(told) if isinstance(one, str)]
    return [one for one in listed[:30] if 0 < len(one) <= MAX_WORD_CHARACTERS]


def _capabilities(entity: Entity, config: Mapping[str, object], fahrenheit: bool) -> Capabilities:
    low, high = (number(config.get(name)) for name in ("min_temp", "max_temp"))
    step = number(config.get("temp_step")) or 1.0
    if fahrenheit:
        low_c = fahrenheit_to_celsius(45.0 if low is None else low)
        high_c = fahrenheit_to_celsius(95.0 if high is None else high)
        step /= 1.8
    else:
        low_c, high_c = 7.0 if low is None else low, 35.0 if high is None else high
    modes = entity.sinks["mode"].words or {} if "mode" in entity.sinks else {}
    fans = entity.sinks["fan"].words or {} if "fan" in entity.sinks else {}
    return Capabilities(
        low_c, high_c, step, tuple(mode for mode in Mode if mode in modes), tuple(fan for fan in Fan if fan in fans)
    )


def _availability(config: Mapping[str, object]) -> Iterator[Source]:
    told = [members(one) for one in items(config.get("availability"))[:10]]
    if isinstance(config.get("availability_topic"), str):
        told.append(
            {**config, "topic": config["availability_topic"], "value_template": config.get("availability_template")}
        )
    for one in told:
        source = _source(one, "topic", "value_template", "online")
        if source is not None:
            yes, no = one.get("payload_available", "online"), one.get("payload_not_available", "offline")
            source.words = {str(no)[:MAX_WORD_CHARACTERS]: False, str(yes)[:MAX_WORD_CHARACTERS]: True}
            yield source


def _source(config: Mapping[str, object], topic_key: str, template_key: str, quantity: str) -> Source | None:
    topic = _topic(config.get(topic_key))
    return None if topic is None else Source(topic, quantity, _template(config.get(template_key)))


def _sink(config: Mapping[str, object], topic_key: str, template_key: str) -> Sink | None:
    topic = _topic(config.get(topic_key))
    return None if topic is None else Sink(topic, _template(config.get(template_key)))


def _topic(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    bad = len(value) > MAX_TOPIC_CHARACTERS or printable(value) != value or any(sign in value for sign in "+#")
    if bad or value.startswith("$"):
        raise PayloadError(f"expected a topic, got {value[:80]!r}")
    return value


def _template(value: object) -> str | None:
    """The text of a template that is supported; None for none."""
    if not isinstance(value, str) or not value.strip():
        return None
    compile_template(value)
    return value


def _on_off_words(config: Mapping[str, object]) -> dict[str, bool]:
    on = config.get("state_on") or config.get("payload_on") or "ON"
    off = config.get("state_off") or config.get("payload_off") or "OFF"
    return {str(off)[:MAX_WORD_CHARACTERS]: False, str(on)[:MAX_WORD_CHARACTERS]: True}


def _config_topic_tail(key: str) -> str:
    """The part of a key that names the entity: the component's id, or the object id."""
    return key.rpartition("#")[2] if "#" in key else key.split("/")[-2]


# --- what a device is ---


def _main_entity(told: Mapping[str, Entity]) -> Entity | None:
    """The entity that stands for the device: its climate, its outlet, else any."""
    order = {"climate": 0, "switch": 1, "sensor": 2, "binary_sensor": 3}
    ranked = sorted(told.items(), key=lambda pair: (order[pair[1].component], pair[1].rank, pair[0]))
    return ranked[0][1] if ranked else None


def _winners(told: Mapping[str, Entity]) -> Iterator[Source]:
    """One source for each quantity of a device."""
    main = _main_entity(told)
    best: dict[str, tuple[int, str, Source]] = {}
    for key, entity in sorted(told.items()):
        if entity.component in ("climate", "switch") and entity is not main:
            continue  # a second head, or the child lock of a plug
        for source in entity.sources:
            if source.quantity not in best or source.rank < best[source.quantity][0]:
                best[source.quantity] = (source.rank, key, source)
    for _, _, source in best.values():
        yield source


def _kind(told: Mapping[str, Entity]) -> Kind:
    components = {entity.component for entity in told.values()}
    quantities = {source.quantity for entity in told.values() for source in entity.sources}
    if "climate" in components:
        return Kind.AIR_CONDITIONER
    if "switch" in components:
        return Kind.PLUG
    return Kind.METER if quantities & {"power_w", "energy_total_kwh"} else Kind.THERMOMETER


# --- what a state says ---


def _json_or_none(payload: bytes, sources: list[tuple[str, Source]]) -> object:
    """The JSON of a payload; where some source reads it as text, a payload may also be none."""
    try:
        return msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        if all(source.template is not None and "value_json" in source.template for _, source in sources):
            raise PayloadError(f"not JSON: {error}") from error
        return None


def _quantity(source: Source, text: str, placed: str | None) -> dict[str, object]:
    """What one source says, by the name of our quantity; nothing where it says nothing."""
    quantity: str = source.quantity
    if source.words is not None:
        state = source.words.get(text)
        return {} if state is None else {quantity: state}
    if quantity == "mode":
        on, mode = operating(text)
        return {name: value for name, value in (("on", on), ("mode", mode)) if value is not None}
    if quantity == "fan":
        fan = fan_step(text)
        return {} if fan is None else {"fan": fan}
    value = number(text)
    if value is None:
        return {}
    if quantity == "room_temperature_c" and placed == "outdoors":
        quantity = "outdoor_temperature_c"
    return {quantity: fahrenheit_to_celsius(value) if source.fahrenheit else value * source.factor}


def _online(device: _Device, source: Source, text: str) -> dict[str, object]:
    state = (source.words or {}).get(text)
    main = _main_entity(device.entities)
    if state is None or main is None:
        return {}
    device.reachable[source.topic] = state
    topics = [one.topic for one in main.availability]
    states = [device.reachable.get(topic) for topic in topics]
    if main.availability_mode == "all":
        return {"online": False} if False in states else {} if None in states else {"online": True}
    if main.availability_mode == "any":
        return {"online": True} if True in states else {} if None in states else {"online": False}
    return {"online": state}


# --- commands ---


def _climate_orders(device: KnownDevice, unit: Entity, command: Command) -> Iterator[Message]:
    able = device.capabilities or unit.capabilities or orders.capabilities(device)
    command = orders.checked(command, able)
    if command.on is not None and "power" in unit.sinks:
        yield _order(unit.sinks["power"], "on" if command.on else "off")
        mode = command.mode.value if command.on and command.mode is not None else None  # a mode may start the unit
    else:
        mode = orders.mode_to_send(device, command, able)
    if mode is not None:
        sink = _sink_for(unit, "mode")
        if mode == "off" and "off" not in (sink.words or {}):
            raise InvalidCommand("this unit has no way to be switched off")
        yield _order(sink, mode)
    if command.setpoint_c is not None:
        value = command.setpoint_c * 1.8 + 32.0 if unit.fahrenheit else command.setpoint_c
        yield _order(_sink_for(unit, "setpoint"), orders.number_text(value))
    if command.fan is not None:
        yield _order(_sink_for(unit, "fan"), command.fan.value)


def _sink_for(unit: Entity, use: str) -> Sink:
    if use not in unit.sinks:
        raise InvalidCommand(f"the {use} of this unit cannot be set")
    return unit.sinks[use]


def _switch_orders(device: KnownDevice, told: Mapping[str, Entity], command: Command) -> list[Message]:
    on = orders.only_switch(device, command)
    main = _main_entity(told)
    if main is None or "switch" not in main.sinks:
        raise InvalidCommand(f"this {device.kind.value} cannot be switched")
    return [_order(main.sinks["switch"], "on" if on else "off")]


def _order(sink: Sink, our_word: str) -> Message:
    payload: str | None = (sink.words or {}).get(our_word, our_word)
    if sink.template is not None:
        try:
            told = number(payload)
            value = payload if told is None else int(told) if told == int(told) else told
            payload = compile_template(sink.template).render(value)
        except UnsupportedTemplate as error:
            raise InvalidCommand(str(error)) from error
    if payload is None:
        raise InvalidCommand("the command template of this device makes nothing of this command")
    return orders.message(sink.topic, payload)
