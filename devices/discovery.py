"""Home Assistant's discovery messages brought into one long form: abbreviations, base topic, the device form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.errors import PayloadError
from devices.values import items, members

MAX_COMPONENTS = 100

# Facts of Home Assistant's MQTT documentation; only what an adapter of ours reads.
ABBREVIATIONS = {
    "act_t": "action_topic",
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cdevs": "child_devices",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "curr_hum_t": "current_humidity_topic",
    "curr_hum_tpl": "current_humidity_template",
    "curr_temp_t": "current_temperature_topic",
    "curr_temp_tpl": "current_temperature_template",
    "dev": "device",
    "dev_cla": "device_class",
    "ent_cat": "entity_category",
    "fan_mode_cmd_t": "fan_mode_command_topic",
    "fan_mode_cmd_tpl": "fan_mode_command_template",
    "fan_mode_stat_t": "fan_mode_state_topic",
    "fan_mode_stat_tpl": "fan_mode_state_template",
    "mode_cmd_t": "mode_command_topic",
    "mode_cmd_tpl": "mode_command_template",
    "mode_stat_t": "mode_state_topic",
    "mode_stat_tpl": "mode_state_template",
    "o": "origin",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pow_cmd_t": "power_command_topic",
    "pow_cmd_tpl": "power_command_template",
    "pow_stat_t": "power_state_topic",
    "pow_stat_tpl": "power_state_template",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "t": "topic",
    "temp_cmd_t": "temperature_command_topic",
    "temp_cmd_tpl": "temperature_command_template",
    "temp_stat_t": "temperature_state_topic",
    "temp_stat_tpl": "temperature_state_template",
    "temp_unit": "temperature_unit",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
DEVICE_ABBREVIATIONS = {
    "cns": "connections",
    "ids": "identifiers",
    "mf": "manufacturer",
    "mdl": "model",
    "mdl_id": "model_id",
    "sa": "suggested_area",
    "sn": "serial_number",
    "sw": "sw_version",
}
ORIGIN_ABBREVIATIONS = {"sw": "sw_version", "url": "support_url"}
SHARED = ("availability", "availability_topic", "availability_template", "availability_mode", "payload_available",
          "payload_not_available", "state_topic", "command_topic", "encoding", "qos", "~")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entity of a discovery message in its long form."""

    key: str  # stable: the config topic, with the component's id in the device form
    component: str  # sensor, switch, climate, ...
    config: Mapping[str, object]
    device: Mapping[str, object]
    origin: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DiscoveryTopic:
    """What a discovery topic says."""

    component: str  # ``device`` for the device form
    object_id: str


def discovery_topic(topic: str, prefix: str) -> DiscoveryTopic | None:
    """The parts of ``<prefix>/<component>/[<node_id>/]<object_id>/config``; None of any other topic."""
    levels = topic.split("/")
    if len(levels) not in (4, 5) or levels[0] != prefix or levels[-1] != "config":
        return None
    return DiscoveryTopic(levels[1], "/".join(levels[2:-1]))


def entries(topic: str, found: DiscoveryTopic, body: Mapping[str, object]) -> Iterator[Entry]:
    """The entities of a discovery message.

    Raises
    ------
    PayloadError
        The device form lacks its parts.
    """
    config = expand(body)
    device, origin = _device(config.get("device")), _expand(members(config.get("origin")), ORIGIN_ABBREVIATIONS)
    if found.component != "device":
        yield Entry(topic, found.component, _with_base(config, {}), device, origin)
        return
    components = members(config.get("components"))
    children = items(config.get("child_devices"))
    if not device or not (components or children):
        raise PayloadError("expected device and components in the device form of a discovery message")
    shared = {name: config[name] for name in SHARED if name in config}
    yield from _components(topic, components, shared, device, origin)
    for index, child in enumerate(children[:MAX_COMPONENTS]):
        about = expand(members(child))
        child_device = _device(about.get("device")) or _device(about)
        child_shared = shared | {name: about[name] for name in SHARED if name in about}
        yield from _components(f"{topic}#{index}", members(about.get("components")), child_shared, child_device, origin)


def expand(config: Mapping[str, object]) -> dict[str, object]:
    """A configuration with its keys, and those of its availability, in full."""
    long = _expand(config, ABBREVIATIONS)
    availability = long.get("availability")
    if isinstance(availability, dict):  # hand-written configurations have it so
        availability = [availability]
    if availability is not None:
        long["availability"] = [_expand(members(one), ABBREVIATIONS) for one in items(availability)[:20]]
    return long


def _components(
    topic: str,
    components: Mapping[str, object],
    shared: Mapping[str, object],
    device: Mapping[str, object],
    origin: Mapping[str, object],
) -> Iterator[Entry]:
    for name, value in list(components.items())[:MAX_COMPONENTS]:
        own = expand(members(value))
        platform = own.get("platform")
        if isinstance(platform, str) and len(own) > 1:  # with nothing but a platform the component is gone
            yield Entry(f"{topic}#{name}", platform, _with_base({**shared, **own}, shared), device, origin)


def _with_base(config: Mapping[str, object], shared: Mapping[str, object]) -> dict[str, object]:
    """The configuration with ``~`` at the start or end of its topics replaced by the base topic."""
    base = config.get("~", shared.get("~"))
    if not isinstance(base, str):
        return dict(config)
    whole = {name: _replaced(name, value, base) for name, value in config.items()}
    whole["availability"] = [
        {name: _replaced(name, value, base) for name, value in members(one).items()}
        for one in items(config.get("availability"))
    ] or None
    return {name: value for name, value in whole.items() if value is not None}


def _replaced(name: str, value: object, base: str) -> object:
    if not name.endswith("topic") or not isinstance(value, str):
        return value
    if value.startswith("~"):
        value = base + value[1:]
    return value[:-1] + base if value.endswith("~") else value


def _device(value: object) -> dict[str, object]:
    return _expand(members(value), DEVICE_ABBREVIATIONS)


def _expand(config: Mapping[str, object], abbreviations: Mapping[str, str]) -> dict[str, object]:
    return {abbreviations.get(name, name): value for name, value in config.items()}
