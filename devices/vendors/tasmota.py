"""Tasmota plugs, meters and thermometers. Docs: docs/devices/tasmota.md.

A device is its MAC, told by discovery (``tasmota/discovery/<MAC>/config``, SetOption19 0). Without discovery a device
on the default topics that measures something is its topic, and stays that when discovery comes later. Times are
local to the device without a zone, so the receipt time stands. Energy is ``ENERGY.Total`` in kWh.

``details``: ``topic``; where not the default ``full_topic``, ``prefixes`` [command, state, telemetry], ``relays``
(how many, default 1), ``online_word``, ``offline_word``; ``mac``, ``outdoors``, by hand ``placed``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import InvalidCommand
from core.words import Command, Kind
from devices import orders, tasmota_topics
from devices.base import Announcement, Event, KnownDevice, Message, Reply, Report
from devices.tasmota_topics import Discovery, Layout, Memory
from devices.values import decode_object, decode_text, is_outdoors, items, members, number, switch

LEAVES = ("tele LWT", "tele STATE", "tele SENSOR", "stat RESULT", "stat STATUS8", "stat STATUS10", "stat STATUS11")
MAX_RELAYS = 16
MAX_WORD_CHARACTERS = 40
_REFUSED = ("Unknown", "Error")


@dataclass(slots=True)
class _Known:
    """What is known of a device besides its topics."""

    kind: Kind | None = None  # None: nothing of it concerns us so far
    relays: int = 1
    online_word: str = "Online"
    offline_word: str = "Offline"
    name: str | None = None
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    placed: str | None = None
    outdoors: bool = False


class Tasmota:
    """Devices with this firmware that are switched or measure."""

    name = "tasmota"

    def __init__(self) -> None:
        self._memory = Memory()
        self._known: dict[str, _Known] = {}
        self._wills: dict[str, str] = {}  # topic: what it said before its device was discovered

    def recall(self, device: KnownDevice) -> None:
        """Take up topics and words of ``details``."""
        layout = tasmota_topics.layout_of(device)
        if layout is None:
            return
        details = device.details
        relays = number(details.get("relays", 1))
        known = _Known(device.kind, 1 if relays is None else max(0, min(int(relays), MAX_RELAYS)))
        known.online_word = str(details.get("online_word", known.online_word))
        known.offline_word = str(details.get("offline_word", known.offline_word))
        known.outdoors = details.get("outdoors") is True
        placed, mac = details.get("placed"), details.get("mac")
        known.placed = str(placed) if placed in ("indoors", "outdoors") else None
        if isinstance(mac, str):
            known.mac = mac
            self._memory.id_of_mac[mac] = device.native_id
        self._learn(device.native_id, layout, known)

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of discovery, telemetry, answers and wills; see ``Dialect.decode``."""
        topic = message.topic
        found = self._memory.by_topic.get(topic)
        if found is not None:
            return self._of_device(*found, message)
        discovered = tasmota_topics.discovery_mac(topic)
        if discovered is not None:
            return self._discovery(*discovered, message.payload)
        default = tasmota_topics.DEFAULT_STATE_TOPIC.fullmatch(topic)
        if default is None:
            return None
        if default[1] == "tele" and default[3] == "SENSOR":
            return self._undiscovered(default[2], message)
        if default[3] == "LWT" and (topic in self._wills or len(self._wills) < tasmota_topics.MAX_DEVICES):
            self._wills[topic] = decode_text(message.payload)[:MAX_WORD_CHARACTERS]
        return []

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """``POWER``, or ``POWER0`` for all outlets of a strip; see ``Dialect.encode``."""
        on = orders.only_switch(device, command)
        layout = tasmota_topics.layout_of(device)
        if layout is None:
            raise InvalidCommand("the device has not said on which topic it listens")
        relays = number(device.details.get("relays", 1)) or 0
        if relays < 1:
            raise InvalidCommand(f"this {device.kind.value} has no relay")
        return [orders.message(layout.command("POWER" if relays == 1 else "POWER0"), "ON" if on else "OFF")]

    def _learn(self, native_id: str, layout: Layout, known: _Known) -> bool:
        powers = tuple(f"stat {name}" for name in _power_names(known.relays))
        if not self._memory.learn(native_id, layout, LEAVES + powers):
            return False
        self._known[native_id] = known
        return True

    def _discovery(self, mac: str, leaf: str, payload: bytes) -> list[Event]:
        if leaf == "config":
            return self._config(mac, payload)
        if leaf == "sensors" and payload:
            native_id = self._memory.id_of_mac.get(mac)
            if native_id in self._known:
                return self._sensors_told(native_id, members(decode_object(payload).get("sn")))
        return []

    def _config(self, mac: str, payload: bytes) -> list[Event]:
        if not payload:
            native_id = self._memory.id_of_mac.pop(mac, mac)
            self._memory.forget(native_id)
            known = self._known.pop(native_id, None)
            return [] if known is None or known.kind is None else [Announcement(native_id, known.kind, removed=True)]
        told = tasmota_topics.read_discovery(mac, payload)
        native_id = self._memory.native_id(mac, told.layout)
        known = self._known.get(native_id, _Known())
        self._take(known, told)
        if not self._learn(native_id, told.layout, known):
            return []
        return self._introduce(native_id) if known.kind is not None else []

    def _introduce(self, native_id: str) -> list[Event]:
        """The announcement of a device, and what its last will said before."""
        known, layout = self._known[native_id], self._memory.layout_of[native_id]
        events: list[Event] = [self._announcement(native_id)]
        said = self._wills.pop(tasmota_topics.topic_of(layout, "tele LWT"), None)
        online = None if said is None else tasmota_topics.online(said, known.online_word, known.offline_word)
        return events if online is None else [*events, Report(native_id=native_id, online=online)]

    def _take(self, known: _Known, told: Discovery) -> None:
        known.relays, known.name, known.model, known.firmware = told.relays, told.name, told.model, told.firmware
        known.online_word, known.offline_word, known.mac = told.online_word, told.offline_word, told.mac
        known.outdoors = is_outdoors(told.name, told.layout.topic)
        if known.kind is None and told.relays:
            known.kind = Kind.PLUG

    def _sensors_told(self, native_id: str, sensors: Mapping[str, object]) -> list[Event]:
        """Whether a device without a relay is a meter or a thermometer shows in the sample of its sensors."""
        known = self._known[native_id]
        if known.kind is None:
            known.kind = _kind_of(sensors)
            return [] if known.kind is None else self._introduce(native_id)
        return []

    def _announcement(self, native_id: str) -> Announcement:
        known, layout = self._known[native_id], self._memory.layout_of[native_id]
        details = layout.as_details() | {"relays": known.relays}
        for key, value, default in (
            ("mac", known.mac, None),
            ("online_word", known.online_word, "Online"),
            ("offline_word", known.offline_word, "Offline"),
            ("outdoors", known.outdoors, False),
            ("placed", known.placed, None),
        ):
            if value != default:
                details[key] = value
        return Announcement(
            native_id,
            known.kind or Kind.PLUG,
            known.name or layout.topic,
            "Tasmota",
            known.model,
            known.firmware,
            details=details,
        )

    def _undiscovered(self, topic: str, message: Message) -> list[Event]:
        """A device that measures makes itself known even where discovery is switched off."""
        sensors = decode_object(message.payload)
        kind = _kind_of(sensors)
        if kind is None:
            return []
        kind = Kind.PLUG if kind is Kind.METER else kind  # most that meter can switch
        known = _Known(kind, 1 if kind is Kind.PLUG else 0, outdoors=is_outdoors(topic))
        if not self._learn(topic, Layout(topic), known):
            return []
        return [*self._introduce(topic), *self._measured(topic, sensors)]

    def _of_device(self, native_id: str, leaf: str, message: Message) -> list[Event]:
        known = self._known[native_id]
        name = leaf.partition(" ")[2]
        if name == "LWT":
            online = tasmota_topics.online(decode_text(message.payload), known.online_word, known.offline_word)
            return [] if online is None or known.kind is None else [Report(native_id=native_id, online=online)]
        if not message.payload:  # a retained state that was cleared
            return []
        if name.startswith("POWER"):
            text = decode_text(message.payload)  # with SetOption4 the JSON answer comes here too
            return self._switched(native_id, decode_object(message.payload) if text.startswith("{") else {name: text})
        body = decode_object(message.payload)
        if name == "SENSOR":
            return self._measured(native_id, body)
        if name.startswith("STATUS"):
            return self._polled(native_id, body)
        if name == "STATE":
            return self._switched(native_id, body)
        return self._answered(native_id, body)

    def _measured(self, native_id: str, sensors: Mapping[str, object]) -> list[Event]:
        known = self._known[native_id]
        events: list[Event] = []
        if known.kind is None:
            known.kind = _kind_of(sensors)
            if known.kind is None:
                return []
            events.append(self._announcement(native_id))
        energy = members(sensors.get("ENERGY"))
        temperature_c, humidity_pct = tasmota_topics.room_climate(sensors)
        outdoors = known.placed == "outdoors" or (known.placed is None and known.outdoors)
        report = Report(
            native_id=native_id,
            power_w=_sum(energy.get("Power")),
            energy_total_kwh=_sum(energy.get("Total")),
            voltage_v=_mains_voltage(energy.get("Voltage")),
            current_a=_sum(energy.get("Current")),
            room_temperature_c=None if outdoors else temperature_c,
            outdoor_temperature_c=temperature_c if outdoors else None,
            humidity_pct=humidity_pct,
        )
        return [*events, report]

    def _polled(self, native_id: str, body: Mapping[str, object]) -> list[Event]:
        sensors = members(body.get("StatusSNS"))
        return (
            self._measured(native_id, sensors) if sensors else self._switched(native_id, members(body.get("StatusSTS")))
        )

    def _switched(self, native_id: str, body: Mapping[str, object]) -> list[Event]:
        known = self._known[native_id]
        on = _any_on(body, known.relays)
        return [] if on is None or known.kind is None else [Report(native_id=native_id, on=on)]

    def _answered(self, native_id: str, body: Mapping[str, object]) -> list[Event]:
        if self._known[native_id].kind is None:
            return []
        if body.get("Command") in _REFUSED:
            return [Reply(native_id, accepted=False, detail="the device does not know this command")]
        switched = self._switched(native_id, body)
        powers = any(name in body for name in _power_names(self._known[native_id].relays))
        return [Reply(native_id, accepted=True), *switched] if powers else switched


def _kind_of(sensors: Mapping[str, object]) -> Kind | None:
    if isinstance(sensors.get("ENERGY"), dict):
        return Kind.METER
    return Kind.THERMOMETER if tasmota_topics.room_climate(sensors) != (None, None) else None


def _power_names(relays: int) -> tuple[str, ...]:
    """Names under which relays report; a single one may be POWER or POWER1 (SetOption26)."""
    return ("POWER", *(f"POWER{index}" for index in range(1, max(relays, 1) + 1)))


def _any_on(body: Mapping[str, object], relays: int) -> bool | None:
    """Whether any relay is on; unknown while one that might be is not told."""
    states = [state for name in _power_names(relays) if (state := switch(body.get(name))) is not None]
    if True in states:
        return True
    return False if len(states) >= max(relays, 1) else None


def _sum(value: object) -> float | None:
    """A number, or the sum over phases that come as a list or an object."""
    if isinstance(value, dict):
        value = list(value.values())
    numbers = [number(one) for one in items(value)[:MAX_RELAYS]] if isinstance(value, list) else [number(value)]
    known = [one for one in numbers if one is not None]
    return sum(known) if known else None


def _mains_voltage(value: object) -> float | None:
    """Of the first phase; 0 V is what some say while the relay is off and nothing is measured."""
    if isinstance(value, dict):
        value = list(value.values())
    voltage_v = number(next(iter(value), None)) if isinstance(value, list) else number(value)
    return voltage_v or None
