"""Zigbee2MQTT 2.x with one plug and three thermometers behind it, on one connection as the real bridge has.

The bridge's own topics are retained, those of its devices are not. A device is heard when something changed, and about
every ten minutes otherwise; ``last_seen`` is ISO in UTC. Quirks: the plug's power is whole watts and its energy moves
in steps of 0.01 kWh; a thermometer's ``voltage`` is its battery in mV; attributes never seen are null; ``update`` is an
object.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulator.fleet.device import Outgoing, encode_json, text_of, utc_text
from simulator.fleet.manifest import DemoDevice
from simulator.household import BED, LIVING, OUTDOORS, Household

BASE = "zigbee2mqtt"
VERSION = "2.14.1"
HEARTBEAT_S = 600.0
THERMOMETER_MOVES_K = 0.15
THERMOMETER_MOVES_PCT = 2.0
MAINS_V = 227
PUBLISHED, SETTABLE, GETTABLE = 1, 2, 4


@dataclass(slots=True)
class _Heard:
    """What was last said of a device."""

    at_s: float = float("-inf")
    values: dict[str, Any] = field(default_factory=dict)


class Zigbee2Mqtt:
    """The bridge and its devices."""

    def __init__(self, household: Household, plug: DemoDevice, thermometers: dict[str, DemoDevice]) -> None:
        self._household = household
        self._plug = plug
        self._thermometers = thermometers  # by place: living, bedroom, outdoor
        self._facts = {facts.topic: facts for facts in (plug, *thermometers.values())}
        self._heard = {topic: _Heard() for topic in self._facts}
        self.client_id = f"mqttjs_{plug.native_id[-8:]}"
        self.will = Outgoing(f"{BASE}/bridge/state", encode_json({"state": "offline"}), qos=1, retain=True)
        self.subscriptions: tuple[str, ...] = (
            f"{BASE}/+/set",
            f"{BASE}/+/set/+",
            f"{BASE}/+/get",
            f"{BASE}/bridge/request/#",
        )

    def announce(self, at_s: float) -> list[Outgoing]:
        """The bridge's state, itself and its devices; then what it last knew of each of them."""
        info = {
            "version": VERSION,
            "commit": "b7a1c0d",
            "coordinator": {"ieee_address": "0x00124b002a9f1b3c", "type": "ZStack3x0"},
            "network": {"channel": 15, "pan_id": 6754},
            "log_level": "info",
            "permit_join": False,
            "config": {"advanced": {"last_seen": "ISO_8601"}, "mqtt": {"base_topic": BASE}},
        }
        return [
            Outgoing(f"{BASE}/bridge/state", encode_json({"state": "online"}), qos=1, retain=True),
            Outgoing(f"{BASE}/bridge/info", encode_json(info), qos=1, retain=True),
            Outgoing(f"{BASE}/bridge/devices", encode_json(self._devices()), qos=1, retain=True),
            *[self._say(topic, at_s) for topic in self._facts],
        ]

    def report(self, at_s: float) -> list[Outgoing]:
        """Those devices that have news or were not heard for long."""
        return [self._say(topic, at_s) for topic in self._facts if self._has_news(topic, at_s)]

    def receive(self, topic: str, payload: bytes, at_s: float) -> list[Outgoing]:
        """``NAME/set``, ``NAME/set/state``, ``NAME/get`` and requests to the bridge."""
        parts = topic.split("/")
        if parts[:2] == [BASE, "bridge"]:
            return self._answer("/".join(parts[3:]), payload)
        if len(parts) < 3 or parts[0] != BASE or parts[1] not in self._facts:
            return []
        name, verb = parts[1], parts[2:]
        if verb == ["get"]:
            return [self._say(name, at_s)] if name == self._plug.topic else []
        try:
            body = {verb[1]: text_of(payload)} if len(verb) == 2 else msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return [_log("error", f"Invalid JSON '{text_of(payload)[:80]}', skipping...")]
        return self._set(name, body, at_s)

    def save(self) -> dict[str, Any]:
        """What was last said, so that a restart does not repeat it at once."""
        return {
            topic: {"at_s": heard.at_s, "values": heard.values} for topic, heard in self._heard.items() if heard.values
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""
        self._heard.update({topic: _Heard(**heard) for topic, heard in saved.items() if topic in self._facts})

    def _set(self, name: str, body: Any, at_s: float) -> list[Outgoing]:
        asked = body.get("state") if isinstance(body, dict) else None
        word = str(asked).upper()
        if name != self._plug.topic or word not in ("ON", "OFF", "TOGGLE"):
            return [_log("error", f"Publish 'set' to '{name}' failed: 'No converter available for {str(body)[:80]}'")]
        load = self._household.loads.washer
        load.powered = not load.powered if word == "TOGGLE" else word == "ON"
        if not load.powered:
            load.power_w = 0.0
        return [self._say(name, at_s)]

    def _answer(self, request: str, payload: bytes) -> list[Outgoing]:
        try:
            body = msgspec.json.decode(payload or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = {}
        transaction = {"transaction": body["transaction"]} if isinstance(body, dict) and "transaction" in body else {}
        if request == "health_check":
            answer: dict[str, Any] = {"status": "ok", "data": {"healthy": True}}
        else:
            answer = {"status": "error", "data": {}, "error": f"Request '{request}' is not supported"}
        return [Outgoing(f"{BASE}/bridge/response/{request}", encode_json({**answer, **transaction}))]

    def _has_news(self, topic: str, at_s: float) -> bool:
        heard = self._heard[topic]
        if at_s - heard.at_s >= HEARTBEAT_S or not heard.values:
            return True
        now = self._values(topic)
        if topic == self._plug.topic:
            return any(now[key] != heard.values[key] for key in ("state", "power", "energy"))
        moved_k = abs(now["temperature"] - heard.values["temperature"])
        moved_pct = abs(now["humidity"] - heard.values["humidity"])
        return bool(moved_k >= THERMOMETER_MOVES_K or moved_pct >= THERMOMETER_MOVES_PCT)

    def _say(self, topic: str, at_s: float) -> Outgoing:
        values = self._values(topic)
        self._heard[topic] = _Heard(at_s, values)
        return Outgoing(f"{BASE}/{topic}", encode_json({**values, "last_seen": utc_text(at_s)}))

    def _values(self, topic: str) -> dict[str, Any]:
        if topic == self._plug.topic:
            return self._plug_values()
        return next(self._air(place) for place, facts in self._thermometers.items() if facts.topic == topic)

    def _plug_values(self) -> dict[str, Any]:
        power_w = self._household.shown_power_w("washer")
        return {
            "state": "ON" if self._household.loads.washer.powered else "OFF",
            "power": round(power_w),
            "current": round(power_w / 0.9 / MAINS_V, 2),
            "voltage": MAINS_V + round(1.5 * self._household.noise(4)),
            "energy": math.floor(100.0 * float(self._household.meter("washer").shown_total_kwh)) / 100.0,
            "power_outage_memory": "restore",
            "child_lock": None,
            "linkquality": 118,
            "update": {"installed_version": 192, "latest_version": 192, "state": "idle"},
        }

    def _air(self, place: str) -> dict[str, Any]:
        household = self._household
        channel = {"living": LIVING, "bedroom": BED, "outdoor": OUTDOORS}[place]
        humidity_pct = household.outdoor_humidity_pct if place == "outdoor" else household.room_humidity_pct(channel)
        return {
            "temperature": round(household.shown_c(channel), 2),
            "humidity": round(humidity_pct + 0.4 * household.noise(channel), 2),
            "battery": 97 - 8 * channel,
            "voltage": 3005 - 40 * channel,
            "linkquality": 140 - 20 * channel,
        }

    def _devices(self) -> list[dict[str, Any]]:
        """The list of ``bridge/devices``."""
        coordinator = {
            "ieee_address": "0x00124b002a9f1b3c",
            "type": "Coordinator",
            "network_address": 0,
            "supported": True,
            "friendly_name": "Coordinator",
            "disabled": False,
            "definition": None,
            "interview_completed": True,
        }
        thermometers = [self._entry(facts, THERMOMETER, "Battery") for facts in self._thermometers.values()]
        return [coordinator, self._entry(self._plug, PLUG, "Mains (single phase)"), *thermometers]

    def _entry(self, facts: DemoDevice, model: "_Model", power_source: str) -> dict[str, Any]:
        return {
            "ieee_address": facts.native_id,
            "type": "Router" if power_source.startswith("Mains") else "EndDevice",
            "network_address": int(facts.native_id[-4:], 16),
            "supported": True,
            "friendly_name": facts.topic,
            "disabled": False,
            "description": facts.name,
            "definition": {
                "model": facts.model,
                "vendor": facts.manufacturer,
                "description": model.description,
                "exposes": model.exposes(),
                "options": [],
            },
            "power_source": power_source,
            "model_id": model.model_id,
            "manufacturer": model.maker_id,
            "interview_completed": True,
            "interview_state": "SUCCESSFUL",
        }


@dataclass(frozen=True, slots=True)
class _Model:
    description: str
    model_id: str
    maker_id: str
    exposes: Callable[[], list[dict[str, Any]]]


def _numeric(name: str, unit: str, access: int = PUBLISHED, **more: Any) -> dict[str, Any]:
    return {
        "type": "numeric",
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "property": name,
        "access": access,
        "unit": unit,
        **more,
    }


def _binary(name: str, access: int, on: Any, off: Any) -> dict[str, Any]:
    return {"type": "binary", "name": name, "property": name, "access": access, "value_on": on, "value_off": off}


def _plug_exposes() -> list[dict[str, Any]]:
    state = {**_binary("state", PUBLISHED | SETTABLE | GETTABLE, "ON", "OFF"), "value_toggle": "TOGGLE"}
    memory = {"type": "enum", "name": "power_outage_memory", "property": "power_outage_memory"}
    return [
        {"type": "switch", "features": [state]},
        {**memory, "access": PUBLISHED | SETTABLE | GETTABLE, "values": ["on", "off", "restore"]},
        _numeric("power", "W", PUBLISHED | GETTABLE),
        _numeric("current", "A", PUBLISHED | GETTABLE),
        _numeric("voltage", "V", PUBLISHED | GETTABLE),
        _numeric("energy", "kWh"),
        _binary("child_lock", PUBLISHED | SETTABLE, "LOCK", "UNLOCK"),
        _numeric("linkquality", "lqi", value_min=0, value_max=255),
    ]


def _thermometer_exposes() -> list[dict[str, Any]]:
    return [
        _numeric("battery", "%", value_min=0, value_max=100),
        _numeric("temperature", "°C"),
        _numeric("humidity", "%"),
        _numeric("voltage", "mV"),
        _numeric("linkquality", "lqi", value_min=0, value_max=255),
    ]


PLUG = _Model("Smart plug (with power monitoring)", "TS011F", "_TZ3000_demo1", _plug_exposes)
THERMOMETER = _Model("Temperature and humidity sensor", "lumi.weather", "LUMI", _thermometer_exposes)


def _log(level: str, message: str) -> Outgoing:
    return Outgoing(f"{BASE}/bridge/logging", encode_json({"level": level, "message": f"z2m: {message}"}))
