"""An air conditioner behind a Tasmota infrared blaster (IRHVAC). Docs: docs/devices/tasmota_irhvac.md.

The blaster sends a full state each time and hears nothing back from the unit: its RESULT says that the frame went
out (a ``Reply``, and a ``Report`` of the assumed state), not that the unit obeyed. A remote control that a fitted
receiver sees is a person's doing (``by_hand``). Discovery does not tell that a device is a blaster: an IRHVAC answer
or an infrared code with IRHVAC is the proof, or somebody registers the device beforehand.

``details``: ``topic``, ``vendor`` (such as "MIDEA"); where known ``frame`` {the other fields of the last frame},
``model``, ``capabilities``; where not the default ``full_topic``, ``prefixes``, ``online_word``, ``offline_word``.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from core.errors import InvalidCommand
from core.units import fahrenheit_to_celsius
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices import orders, tasmota_topics
from devices.base import Announcement, Event, KnownDevice, Message, Reply, Report
from devices.tasmota_topics import Layout, Memory
from devices.values import decode_object, decode_text, fan_step, members, number, operating, switch, word

LEAVES = ("tele LWT", "tele RESULT", "stat RESULT", "stat IRHVAC", "tele SENSOR", "tele STATE")
DEFAULT_CAPABILITIES = Capabilities(16.0, 30.0, 1.0, tuple(Mode), tuple(Fan), one_way=True)
DEFAULT_SETPOINT_C = 26.0
MAX_WORD_CHARACTERS = 20
MAX_FRAME_NUMBER = 10_000
MODE_WORDS = {Mode.AUTO: "Auto", Mode.COOL: "Cool", Mode.HEAT: "Heat", Mode.DRY: "Dry", Mode.FAN_ONLY: "Fan_Only"}
FAN_WORDS = {Fan.AUTO: "Auto", Fan.QUIET: "Min", Fan.LOW: "Low", Fan.MEDIUM: "Medium", Fan.HIGH: "High"}
FAN_NUMBERS = {0: Fan.AUTO, 1: Fan.QUIET, 2: Fan.LOW, 3: Fan.MEDIUM, 4: Fan.HIGH, 5: Fan.HIGH}

# Fields that a frame carries besides what we command, with what is sent while nobody has said otherwise.
FRAME_DEFAULTS: dict[str, object] = {
    "Model": -1,
    "SwingV": "Off",
    "SwingH": "Off",
    "Quiet": "Off",
    "Turbo": "Off",
    "Econo": "Off",
    "Light": "On",
    "Filter": "Off",
    "Clean": "Off",
    "Beep": "Off",
    "Sleep": -1,
}


@dataclass(slots=True)
class _Unit:
    """An air conditioner behind a blaster."""

    vendor: str
    frame: dict[str, object] = field(default_factory=dict)
    capabilities: Capabilities = DEFAULT_CAPABILITIES
    name: str | None = None
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    online_word: str = "Online"
    offline_word: str = "Offline"


class TasmotaIrhvac:
    """Air conditioners that are told by infrared and answer nothing."""

    name = "tasmota_irhvac"

    def __init__(self) -> None:
        self._memory = Memory()  # of units
        self._discovered: dict[str, tasmota_topics.Discovery] = {}  # blasters or anything else, by MAC
        self._mac_of: dict[str, str] = {}  # by topics on which proof would come
        self._units: dict[str, _Unit] = {}

    def recall(self, device: KnownDevice) -> None:
        """Take up topics, vendor and last frame of ``details``."""
        layout = tasmota_topics.layout_of(device)
        if layout is None or device.kind is not Kind.AIR_CONDITIONER:
            return
        details = device.details
        unit = _Unit(str(details.get("vendor", "")), _extras(members(details.get("frame"))))
        with suppress(InvalidCommand):  # of another version; the defaults stand
            unit.capabilities = _capabilities(device)
        unit.online_word = str(details.get("online_word", unit.online_word))
        unit.offline_word = str(details.get("offline_word", unit.offline_word))
        mac = details.get("mac")
        if isinstance(mac, str):
            unit.mac = mac
            self._memory.id_of_mac[mac] = device.native_id
        self._learn(device.native_id, layout, unit)

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of a blaster that is known as one, or proves to be one; see ``Dialect.decode``."""
        topic = message.topic
        found = self._memory.by_topic.get(topic)
        if found is not None:
            return self._of_unit(*found, message)
        discovered = tasmota_topics.discovery_mac(topic)
        if discovered is not None:
            return self._discovery(*discovered, message.payload)
        if not topic.endswith(("RESULT", "IRHVAC")) or b'"IRHVAC"' not in message.payload:
            return None
        return self._proof(message)

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """One whole frame: the last state with the command merged in; see ``Dialect.encode``."""
        layout, vendor = tasmota_topics.layout_of(device), device.details.get("vendor")
        if layout is None or not isinstance(vendor, str) or not vendor:
            raise InvalidCommand("expected a topic and the make of the air conditioner, which nobody has told yet")
        unit = _capabilities(device)
        command = orders.checked(command, unit)
        on = device.on if command.on is None else command.on
        if on is None:
            raise InvalidCommand("infrared always says on or off too, and nobody knows which it is; ask for on as well")
        mode = (
            command.mode or device.mode or next(iter(m for m in (Mode.COOL, *unit.modes) if m in unit.modes), Mode.COOL)
        )
        setpoint_c = command.setpoint_c
        if setpoint_c is None:
            last_c = DEFAULT_SETPOINT_C if device.setpoint_c is None else device.setpoint_c
            setpoint_c = orders.snapped(min(max(last_c, unit.setpoint_min_c), unit.setpoint_max_c), unit)
        fan = command.fan or device.fan or Fan.AUTO
        frame = {
            "Vendor": vendor,
            "Power": "On" if on else "Off",
            "Mode": MODE_WORDS[mode],
            "Celsius": "On",
            "Temp": int(setpoint_c) if setpoint_c == int(setpoint_c) else setpoint_c,
            "FanSpeed": FAN_WORDS[fan],
        }
        extras = FRAME_DEFAULTS | _extras(members(device.details.get("frame")))
        return [orders.message(layout.command("IRHVAC"), msgspec.json.encode(frame | extras))]

    def _learn(self, native_id: str, layout: Layout, unit: _Unit) -> bool:
        if not self._memory.learn(native_id, layout, LEAVES):
            return False
        self._units[native_id] = unit
        return True

    def _discovery(self, mac: str, leaf: str, payload: bytes) -> list[Event] | None:
        """Listen to discovery; it is this dialect's only where it speaks of a known unit."""
        if leaf != "config":
            return [] if self._memory.id_of_mac.get(mac, mac) in self._units else None
        if not payload:
            native_id = self._memory.id_of_mac.pop(mac, mac)
            self._discovered.pop(mac, None)
            self._memory.forget(native_id)
            gone = self._units.pop(native_id, None)
            return None if gone is None else [Announcement(native_id, Kind.AIR_CONDITIONER, removed=True)]
        told = tasmota_topics.read_discovery(mac, payload)
        native_id = mac if mac in self._units else self._memory.native_id(mac, told.layout)
        unit = self._units.get(native_id)
        if unit is not None:
            self._describe(unit, told)
            return [self._announcement(native_id)] if self._learn(native_id, told.layout, unit) else []
        if len(self._discovered) < tasmota_topics.MAX_DEVICES or mac in self._discovered:
            self._discovered[mac] = told
            for leaf in LEAVES[1:4]:
                self._mac_of[tasmota_topics.topic_of(told.layout, leaf)] = mac
        return None

    def _describe(self, unit: _Unit, told: tasmota_topics.Discovery) -> None:
        unit.name, unit.model, unit.firmware, unit.mac = told.name, told.model, told.firmware, told.mac
        unit.online_word, unit.offline_word = told.online_word, told.offline_word

    def _proof(self, message: Message) -> list[Event] | None:
        """An IRHVAC frame under a topic of which we knew at most a discovery."""
        frame = _frame(decode_object(message.payload))
        vendor = word(frame.get("Vendor"))
        if vendor is None:
            return None
        unit = _Unit(vendor)
        mac = self._mac_of.get(message.topic)
        default = tasmota_topics.DEFAULT_STATE_TOPIC.fullmatch(message.topic)
        if mac is not None:
            told = self._discovered.pop(mac)
            self._describe(unit, told)
            native_id, layout = mac, told.layout
        elif default is not None:
            native_id, layout = default[2], Layout(default[2])
        else:
            return None
        if not self._learn(native_id, layout, unit):
            return []
        return self._of_unit(*self._memory.by_topic[message.topic], message)

    def _of_unit(self, native_id: str, leaf: str, message: Message) -> list[Event]:
        unit = self._units[native_id]
        if leaf == "tele LWT":
            online = tasmota_topics.online(decode_text(message.payload), unit.online_word, unit.offline_word)
            return [] if online is None else [Report(native_id=native_id, online=online)]
        if leaf == "tele STATE" or not message.payload:
            return []
        body = decode_object(message.payload)
        if leaf == "tele SENSOR":
            temperature_c, humidity_pct = tasmota_topics.room_climate(body)
            return [Report(native_id=native_id, room_temperature_c=temperature_c, humidity_pct=humidity_pct)]
        frame = _frame(body)
        if frame:
            return self._framed(native_id, frame, message.topic, by_hand="IrReceived" in body)
        if body.get("IRHVAC") is not None or body.get("Command") in ("Unknown", "Error"):
            return [
                Reply(native_id, accepted=False, detail=str(body.get("IRHVAC", "the blaster does not know IRHVAC")))
            ]
        return []

    def _framed(self, native_id: str, frame: Mapping[str, object], topic: str, *, by_hand: bool) -> list[Event]:
        """A frame that was seen or sent: the state of the unit, and its other fields for the next frame."""
        unit = self._units[native_id]
        vendor = word(frame.get("Vendor"))
        events: list[Event] = []
        if not by_hand:
            events.append(Reply(native_id, accepted=True, detail="the infrared frame was sent"))
        if by_hand and not _same_make(unit.vendor, vendor):
            return []  # the remote control of something else in the room
        unit.vendor = unit.vendor or vendor or ""
        unit.frame = unit.frame | _extras(frame)
        events.append(self._announcement(native_id))
        on, mode, setpoint_c, fan = _state(frame)
        events.append(
            Report(
                native_id=native_id,
                on=on,
                mode=mode,
                setpoint_c=setpoint_c,
                fan=fan,
                by_hand=by_hand,
                assumed=not by_hand,
            )
        )
        return events

    def _announcement(self, native_id: str) -> Announcement:
        unit, layout = self._units[native_id], self._memory.layout_of[native_id]
        details = layout.as_details() | {
            "vendor": unit.vendor,
            "frame": unit.frame,
            "capabilities": msgspec.to_builtins(unit.capabilities),
        }
        for key, value, default in (
            ("mac", unit.mac, None),
            ("online_word", unit.online_word, "Online"),
            ("offline_word", unit.offline_word, "Offline"),
        ):
            if value != default:
                details[key] = value
        return Announcement(
            native_id,
            Kind.AIR_CONDITIONER,
            unit.name,
            unit.vendor or None,
            unit.model,
            unit.firmware,
            capabilities=unit.capabilities,
            details=details,
        )


def _capabilities(device: KnownDevice) -> Capabilities:
    """As known of the device; whatever is told, infrared is one-way."""
    known = orders.capabilities(device, DEFAULT_CAPABILITIES)
    return msgspec.convert(msgspec.to_builtins(known) | {"one_way": True}, Capabilities)


def _frame(body: Mapping[str, object]) -> Mapping[str, object]:
    """The IRHVAC frame of a RESULT, of an answer or of a received code."""
    return members(body.get("IRHVAC")) or members(members(body.get("IrReceived")).get("IRHVAC"))


def _extras(frame: Mapping[str, object]) -> dict[str, object]:
    """Fields to repeat in the next frame, as they are: short words and numbers."""
    return {name: frame[name] for name in FRAME_DEFAULTS if name in frame and _can_repeat(frame[name])}


def _same_make(known: str, seen: str | None) -> bool:
    """Whether a frame can be of the unit; many a Midea speaks COOLIX."""
    if not known or seen is None:
        return True
    pair = {known.upper(), seen.upper()}
    return len(pair) == 1 or pair == {"MIDEA", "COOLIX"}


def _can_repeat(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= MAX_WORD_CHARACTERS and value.isprintable()
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= MAX_FRAME_NUMBER


def _state(frame: Mapping[str, object]) -> tuple[bool | None, Mode | None, float | None, Fan | None]:
    on, mode = operating(frame.get("Mode"))
    power = switch(frame.get("Power"))
    if power is not None:
        on = power and on is not False
    setpoint_c = number(frame.get("Temp"))
    if setpoint_c is not None and switch(frame.get("Celsius")) is False:
        setpoint_c = fahrenheit_to_celsius(setpoint_c)
    return on, mode, setpoint_c, _fan(frame.get("FanSpeed"))


def _fan(value: object) -> Fan | None:
    step = number(value)
    return FAN_NUMBERS.get(int(step)) if step is not None and 0 <= step <= 5 else fan_step(value)
