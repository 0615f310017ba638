"""Shelly Gen2 and later (Plus, Pro, Gen3, Gen4) over MQTT: JSON-RPC notifications, status topics, commands by RPC.

A device is its id (``shellyplusplugs-<mac>``), which is also its topic prefix unless somebody changed that; the id is
then learnt from ``src``. Outlet 0 is the device itself, outlet n is ``<id>:<n>``. Energy is in Wh. Own time is ``ts``
of a notification; a clock that was never set counts as none. Docs: docs/devices/shelly.md.

``details``: ``topic`` (prefix), ``component`` ("switch:0", "pm1:0", "temperature:0"), by hand ``placed``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from core.errors import InvalidCommand
from core.units import watt_hours_to_kwh
from core.words import Command, Kind
from devices import orders
from devices.base import Announcement, Event, KnownDevice, Message, Reply, Report
from devices.values import (
    decode_object,
    decode_text,
    instant_of_epoch,
    is_outdoors,
    items,
    members,
    number,
    switch,
    word,
)

SOURCE = "lingyun-shelly"  # whom a device answers: on the topic lingyun-shelly/rpc
REPLY_TOPIC = f"{SOURCE}/rpc"
MAX_DEVICES = 2000
DEAD_BAND_W = 5.0  # below about this, apower may say 0.0 while by_minute counts on
MWH_PER_MINUTE_TO_W = 0.06

_DEVICE_ID = re.compile(r"shelly[a-z0-9]{1,30}-[0-9a-f]{6,16}")
_METERED = ("switch", "pm1")
_THERMOMETER = ("temperature", "humidity")
_STATUS_TOPIC = re.compile(r"(.+)/status/((switch|pm1|temperature|humidity):(\d{1,2}))")


@dataclass(frozen=True, slots=True)
class _Part:
    """One outlet, meter or sensor of a device."""

    kind: str
    index: int

    @classmethod
    def of(cls, key: str) -> "_Part | None":
        """The part that a status key such as ``switch:0`` names."""
        kind, _, index = key.partition(":")
        if kind not in (*_METERED, *_THERMOMETER) or not index.isascii() or not index.isdigit() or len(index) > 2:
            return None
        return cls(kind, int(index))

    def native_id(self, device_id: str) -> str:
        """Identity of this part of a device."""
        return device_id if self.index == 0 else f"{device_id}:{self.index}"


class Shelly:
    """Devices of this make; prefixes are learnt from what they say."""

    name = "shelly"

    def __init__(self) -> None:
        self._id_of_prefix: dict[str, str] = {}
        self._parts: dict[str, dict[str, Kind]] = {}  # device id: native ids
        self._placed: dict[str, str] = {}
        self._online: dict[str, bool] = {}  # device id: what its will said last

    def recall(self, device: KnownDevice) -> None:
        """Take up prefix and part of ``details``."""
        prefix = device.details.get("topic")
        device_id = device.native_id.partition(":")[0]
        if not isinstance(prefix, str) or not self._learn(prefix, device_id):
            return
        self._parts[device_id][device.native_id] = device.kind
        placed = device.details.get("placed")
        if placed in ("indoors", "outdoors"):
            self._placed[device.native_id] = str(placed)

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of a notification, a status, a will or a reply; see ``Dialect.decode``."""
        topic = message.topic
        if topic.endswith("/events/rpc"):
            return self._notification(topic[: -len("/events/rpc")], message)
        if topic == REPLY_TOPIC:
            return self._reply(message.payload)
        if topic.endswith("/online"):
            return self._will(topic[: -len("/online")], message.payload)
        if "/status/" in topic:
            found = _STATUS_TOPIC.fullmatch(topic)
            return None if found is None else self._status(found[1], found[2], message)
        return None

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """``Switch.Set`` on ``<prefix>/rpc``, to be answered on ``lingyun-shelly/rpc``; see ``Dialect.encode``."""
        on = orders.only_switch(device, command)
        component = device.details.get("component", "switch:0")
        part = _Part.of(str(component))
        if part is None or part.kind != "switch":
            raise InvalidCommand(f"this {device.kind.value} cannot be switched")
        prefix = device.details.get("topic", device.native_id.partition(":")[0])
        body = {
            "id": part.index + 1,
            "src": SOURCE,
            "method": "Switch.Set",
            "params": {"id": part.index, "on": on},
        }
        return [orders.message(f"{prefix}/rpc", msgspec.json.encode(body))]

    def _learn(self, prefix: str, device_id: str) -> bool:
        if prefix not in self._id_of_prefix and len(self._id_of_prefix) >= MAX_DEVICES:
            return False
        self._id_of_prefix[prefix] = device_id
        self._parts.setdefault(device_id, {})
        return True

    def _device_id(self, prefix: str, source: object = None) -> str | None:
        """Who speaks under a prefix: as known, else as it says itself, else as the prefix says."""
        known = self._id_of_prefix.get(prefix)
        if known is not None:
            return known
        for candidate in (source, prefix.rpartition("/")[2]):
            if isinstance(candidate, str) and _DEVICE_ID.fullmatch(candidate):
                return candidate if self._learn(prefix, candidate) else None
        return None

    def _notification(self, prefix: str, message: Message) -> list[Event] | None:
        body = decode_object(message.payload) if prefix in self._id_of_prefix or b'"method"' in message.payload else {}
        if not body:
            return None
        device_id = self._device_id(prefix, body.get("src"))
        if device_id is None:
            return None
        if body.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
            return []
        params = members(body.get("params"))
        fresh = message.duplicate or body["method"] == "NotifyFullStatus"
        return self._events(prefix, device_id, params, instant_of_epoch(params.get("ts")), fresh, _firmware(params))

    def _status(self, prefix: str, key: str, message: Message) -> list[Event] | None:
        device_id = self._device_id(prefix)
        if device_id is None:
            return None
        fresh = message.duplicate or message.retained
        return self._events(prefix, device_id, {key: decode_object(message.payload)}, None, fresh, None)

    def _events(
        self,
        prefix: str,
        device_id: str,
        status: Mapping[str, object],
        at: datetime | None,
        fresh: bool,
        firmware: str | None,
    ) -> list[Event]:
        """An announcement of each part not heard of before (or whenever ``fresh``), and what all parts measured."""
        events: list[Event] = []
        merged: dict[str, dict[str, object]] = {}
        for key, value in status.items():
            part = _Part.of(key)
            if part is None or not isinstance(value, dict):
                continue
            native_id = part.native_id(device_id)
            kind = _kind(part, value)
            known = self._parts[device_id]
            if native_id not in known or (fresh and part.kind != "humidity"):
                kind = _better(known.get(native_id), kind)
                known[native_id] = kind
                events.append(self._announcement(native_id, kind, prefix, key, firmware))
                if device_id in self._online:
                    events.append(Report(native_id=native_id, online=self._online[device_id]))
            merged.setdefault(native_id, {}).update(self._quantities(native_id, prefix, part, value))
        for native_id, quantities in merged.items():
            if quantities:
                values: dict[str, object] = {"native_id": native_id, "measured_at": at, **quantities}
                events.append(msgspec.convert(values, Report))
        return events

    def _announcement(
        self, native_id: str, kind: Kind, prefix: str, component: str, firmware: str | None
    ) -> Announcement:
        details: dict[str, object] = {"topic": prefix, "component": component}
        if native_id in self._placed:
            details["placed"] = self._placed[native_id]
        model = native_id.partition("-")[0]
        return Announcement(native_id, kind, None, "Shelly", model, firmware, details=details)

    def _quantities(self, native_id: str, prefix: str, part: _Part, status: Mapping[str, object]) -> dict[str, object]:
        if part.kind in _METERED:
            return _metered(status)
        if part.kind == "humidity":
            return _known(humidity_pct=number(status.get("rh")))
        placed = self._placed.get(native_id)
        outdoors = placed == "outdoors" or (placed is None and is_outdoors(prefix))
        value = number(status.get("tC"))
        return _known(outdoor_temperature_c=value) if outdoors else _known(room_temperature_c=value)

    def _will(self, prefix: str, payload: bytes) -> list[Event] | None:
        device_id = self._device_id(prefix)
        if device_id is None:
            return None
        online = {"true": True, "false": False}.get(decode_text(payload).lower())
        if online is None:
            return []
        self._online[device_id] = online
        return [Report(native_id=native_id, online=online) for native_id in self._parts[device_id]]

    def _reply(self, payload: bytes) -> list[Event]:
        body = decode_object(payload)
        device_id = body.get("src")
        if not isinstance(device_id, str) or not _DEVICE_ID.fullmatch(device_id):
            return []
        outlet = number(body.get("id"))
        index = 0 if outlet is None or not 1 <= outlet <= 100 else int(outlet) - 1
        error = members(body.get("error"))
        if "error" in body:
            detail = f"{error.get('code', '?')}: {error.get('message', 'refused')}"
            return [Reply(_Part("switch", index).native_id(device_id), accepted=False, detail=detail[:200])]
        return [Reply(_Part("switch", index).native_id(device_id), accepted=True)] if "result" in body else []


def _firmware(status: Mapping[str, object]) -> str | None:
    """Firmware version of a full status, where it is told."""
    about = members(status.get("sys"))
    return word(about.get("fw")) or word(about.get("ver"))


def _kind(part: _Part, status: Mapping[str, object]) -> Kind:
    if part.kind == "switch":
        return Kind.PLUG
    return Kind.METER if part.kind == "pm1" else Kind.THERMOMETER


def _better(known: Kind | None, told: Kind) -> Kind:
    """A plug that also has a thermometer stays a plug."""
    return told if known is None or known is Kind.THERMOMETER else known


def _metered(status: Mapping[str, object]) -> dict[str, object]:
    on = switch(status.get("output"))
    counter = members(status.get("aenergy"))
    power_w = number(status.get("apower"))
    total_wh = number(counter.get("total"))
    minutes_mwh = [number(value) for value in items(counter.get("by_minute"))[:1]]
    if power_w == 0.0 and on is not False and minutes_mwh and minutes_mwh[0] is not None:
        standby_w = minutes_mwh[0] * MWH_PER_MINUTE_TO_W
        power_w = standby_w if 0.0 < standby_w < DEAD_BAND_W else 0.0
    return _known(
        on=on,
        power_w=power_w,
        energy_total_kwh=None if total_wh is None else watt_hours_to_kwh(total_wh),
        voltage_v=number(status.get("voltage")),
        current_a=number(status.get("current")),
    )


def _known(**quantities: object) -> dict[str, object]:
    return {name: value for name, value in quantities.items() if value is not None}
