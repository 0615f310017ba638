"""How Tasmota devices lay out their topics: shared by the plug dialect and the infrared one.

``%prefix%`` and ``%topic%`` of FullTopic stand in an order that its owner chose; discovery tells which.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import PayloadError
from devices.base import KnownDevice
from devices.values import decode_object, items, members, number, printable, word

DISCOVERY_PREFIX = "tasmota/discovery/"
DEFAULT_FULL_TOPIC = "%prefix%/%topic%/"
DEFAULT_PREFIXES = ("cmnd", "stat", "tele")
DEFAULT_STATE_TOPIC = re.compile(r"(stat|tele)/([^/]+)/([A-Z0-9_]+)")
MAX_DEVICES = 2000
MAX_TOPIC_CHARACTERS = 200
_MAC = re.compile(r"[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one device speaks and listens."""

    topic: str
    full_topic: str = DEFAULT_FULL_TOPIC
    prefixes: tuple[str, str, str] = DEFAULT_PREFIXES  # command, state, telemetry

    def command(self, leaf: str) -> str:
        """Topic of a command."""
        return self._fill(0) + leaf

    def state(self, leaf: str) -> str:
        """Topic of an answer."""
        return self._fill(1) + leaf

    def telemetry(self, leaf: str) -> str:
        """Topic of what comes by itself."""
        return self._fill(2) + leaf

    def _fill(self, prefix: int) -> str:
        filled = self.full_topic.replace("%prefix%", self.prefixes[prefix]).replace("%topic%", self.topic)
        return filled if filled.endswith("/") else f"{filled}/"

    def as_details(self) -> dict[str, object]:
        """What ``layout_of`` reads; only what is not the default."""
        details: dict[str, object] = {"topic": self.topic}
        if self.full_topic != DEFAULT_FULL_TOPIC:
            details["full_topic"] = self.full_topic
        if self.prefixes != DEFAULT_PREFIXES:
            details["prefixes"] = list(self.prefixes)
        return details


@dataclass(frozen=True, slots=True)
class Discovery:
    """What ``tasmota/discovery/<MAC>/config`` says."""

    mac: str
    layout: Layout
    name: str | None
    model: str | None
    firmware: str | None
    relays: int
    online_word: str
    offline_word: str


@dataclass(slots=True)
class Memory:
    """Devices by their topics; an identity once given stays, so that a topic never becomes a second device."""

    layout_of: dict[str, Layout] = field(default_factory=dict)  # by native id
    by_topic: dict[str, tuple[str, str]] = field(default_factory=dict)  # (native id, leaf such as "tele SENSOR")
    id_of_mac: dict[str, str] = field(default_factory=dict)
    _topics_of: dict[str, list[str]] = field(default_factory=dict)

    def learn(self, native_id: str, layout: Layout, leaves: tuple[str, ...]) -> bool:
        """Remember a device's topics in place of its old ones; False where there are too many devices."""
        if native_id not in self.layout_of and len(self.layout_of) >= MAX_DEVICES:
            return False
        self.forget(native_id)
        self.layout_of[native_id] = layout
        topics = {topic_of(layout, leaf): (native_id, leaf) for leaf in leaves}
        self.by_topic.update(topics)
        self._topics_of[native_id] = list(topics)
        return True

    def forget(self, native_id: str) -> None:
        """Drop a device's topics."""
        self.layout_of.pop(native_id, None)
        for topic in self._topics_of.pop(native_id, []):
            if self.by_topic.get(topic, ("", ""))[0] == native_id:  # else another device took it
                del self.by_topic[topic]

    def native_id(self, mac: str, layout: Layout) -> str:
        """Identity of a discovered device: the one already given to its hardware or its topic, else the hardware's."""
        known = self.id_of_mac.get(mac)
        if known is None:
            owner = self.by_topic.get(topic_of(layout, "tele LWT"))
            taken = set(self.id_of_mac.values())
            known = owner[0] if owner is not None and owner[0] not in taken else mac
            if len(self.id_of_mac) < MAX_DEVICES:
                self.id_of_mac[mac] = known
        return known


def topic_of(layout: Layout, leaf: str) -> str:
    """The topic of a leaf such as ``tele SENSOR``."""
    prefix, _, name = leaf.partition(" ")
    return layout.telemetry(name) if prefix == "tele" else layout.state(name)


def layout_of(device: KnownDevice) -> Layout | None:
    """The layout that a device's ``details`` hold; None without a topic."""
    details = device.details
    topic, full_topic = details.get("topic"), details.get("full_topic", DEFAULT_FULL_TOPIC)
    if not isinstance(topic, str) or not isinstance(full_topic, str):
        return None
    return Layout(topic, full_topic, _prefixes(details.get("prefixes")))


def discovery_mac(topic: str) -> tuple[str, str] | None:
    """MAC and leaf (config, sensors) of a discovery topic."""
    if not topic.startswith(DISCOVERY_PREFIX):
        return None
    mac, _, leaf = topic[len(DISCOVERY_PREFIX) :].partition("/")
    return (mac, leaf) if _MAC.fullmatch(mac) else None


def read_discovery(mac: str, payload: bytes) -> Discovery:
    """What a discovery message says.

    Raises
    ------
    PayloadError
        It is no such message, or its topics cannot be topics.
    """
    body = decode_object(payload)
    topic, full_topic = body.get("t"), body.get("ft", DEFAULT_FULL_TOPIC)
    if not isinstance(topic, str) or not isinstance(full_topic, str) or "%prefix%" not in full_topic:
        raise PayloadError(f"expected a topic and a FullTopic with %prefix%, got {topic!r:.80} and {full_topic!r:.80}")
    layout = Layout(topic, full_topic, _prefixes(body.get("tp")))
    if not topic or not _is_topic(layout.telemetry("STATE")) or not _is_topic(layout.command("STATE")):
        raise PayloadError(f"expected a topic that can be used, got {topic!r:.80} in {full_topic!r:.80}")
    relays = [number(value) for value in items(body.get("rl"))[:64]]
    names = [word(value) for value in items(body.get("fn"))[:1]]
    return Discovery(
        mac,
        layout,
        word(body.get("dn")) or next(iter(names), None),
        word(body.get("md")),
        word(body.get("sw")),
        sum(1 for value in relays if value),
        str(body.get("onln", "Online"))[:40],
        str(body.get("ofln", "Offline"))[:40],
    )


def online(payload_text: str, online_word: str, offline_word: str) -> bool | None:
    """What a last will says."""
    return {offline_word: False, online_word: True}.get(payload_text)


def room_climate(sensors: Mapping[str, object]) -> tuple[float | None, float | None]:
    """Temperature [°C] and humidity [%] of the first sensor that has one, leaving out the device's own warmth."""
    fahrenheit = sensors.get("TempUnit") == "F"
    temperature_c = humidity_pct = None
    for name, value in sensors.items():
        about = members(value)
        if name.startswith(("ESP32", "ANALOG")):  # of the chip, of the relay
            continue
        told = number(about.get("Temperature"))
        if temperature_c is None and told is not None:
            temperature_c = (told - 32.0) / 1.8 if fahrenheit else told
        if humidity_pct is None:
            humidity_pct = number(about.get("Humidity"))
    return temperature_c, humidity_pct


def _prefixes(value: object) -> tuple[str, str, str]:
    match value:
        case [str(command), str(state), str(telemetry)]:
            return command, state, telemetry
    return DEFAULT_PREFIXES


def _is_topic(text: str) -> bool:
    return (
        len(text) <= MAX_TOPIC_CHARACTERS
        and printable(text) == text
        and not any(sign in text for sign in "+#%")
        and not text.startswith(("$", "lingyun/"))
    )
