"""A Shelly Gen2 plug in front of one appliance, with RPC, notifications, status and control topics all enabled.

QoS 1. Each change goes out twice, whole on ``P/status/switch:0`` and, only what changed, as ``NotifyStatus`` with its
own time on ``P/events/rpc``; without ``every_status`` the whole one comes every ten minutes only. Quirks: power below
1 W reads 0.0 while ``by_minute`` and ``total`` still count; energy is in Wh, by the minute in mWh; ``online`` is not
retained.
"""

from typing import Any

import msgspec

from simulator.fleet.device import Outgoing, encode_json, text_of
from simulator.fleet.manifest import DemoDevice
from simulator.household import STEP_S, Household, Load

STATUS_PERIOD_S = 600
DEAD_BAND_W = 1.0
MAINS_V = 229.0
POWER_FACTOR = 0.82
INVALID_ARGUMENT, NO_HANDLER = -103, 404
SWITCH = "switch:0"


class ShellyPlug:
    """The fridge's plug."""

    def __init__(self, household: Household, facts: DemoDevice, *, every_status: bool = True) -> None:
        self._household = household
        self._every_status = every_status
        self._prefix = facts.topic
        self.client_id = facts.topic
        self.will = Outgoing(f"{self._prefix}/online", b"false", qos=1)
        self.subscriptions: tuple[str, ...] = (
            f"{self._prefix}/rpc",
            f"{self._prefix}/command",
            f"{self._prefix}/command/{SWITCH}",
        )
        self._by_minute_mwh = [0.0, 0.0, 0.0]
        self._seen_wh = self._total_wh
        self._seen_at_s = household.at_s
        self._source = "init"
        self._told: dict[str, Any] = {}

    @property
    def _load(self) -> Load:
        return self._household.loads.fridge

    @property
    def _total_wh(self) -> float:
        return float(self._household.meter("fridge").shown_total_kwh) * 1000.0

    def announce(self, at_s: float) -> list[Outgoing]:
        """Birth, the whole state with its time, and the whole switch."""
        self._look()
        self._told = self._status()
        full = {"ts": round(at_s, 2), SWITCH: self._told, "sys": {"mac": self._prefix[-12:].upper(), "fw": "1.7.1"}}
        return [
            Outgoing(f"{self._prefix}/online", b"true", qos=1),
            self._event("NotifyFullStatus", full),
            self._whole(self._told),
        ]

    def report(self, at_s: float) -> list[Outgoing]:
        """What changed in a minute: the energy always, the rest where it did."""
        self._look()
        messages = self._changes(at_s)
        if self._every_status or at_s % STATUS_PERIOD_S < STEP_S:
            messages.append(self._whole(self._told))
        return messages

    def receive(self, topic: str, payload: bytes, at_s: float) -> list[Outgoing]:
        """Answer a request on ``P/rpc`` or obey ``P/command``; the news of the switch follows the answer."""
        if topic == f"{self._prefix}/rpc":
            return self._answer(payload, at_s)
        word = text_of(payload)
        if word == "status_update":
            self._look()
            return [self._whole(self._status())]
        if topic != f"{self._prefix}/command/{SWITCH}":
            return []
        wanted = {"on": True, "off": False, "toggle": not self._load.powered}.get(word.partition(",")[0])
        return [] if wanted is None else self._switch(wanted, "MQTT", at_s)

    def save(self) -> dict[str, Any]:
        """The meter's last minutes; its register is the household's."""
        self._look()
        return {"by_minute_mwh": self._by_minute_mwh, "seen_wh": self._seen_wh, "seen_at_s": self._seen_at_s}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""
        self._by_minute_mwh = list(saved["by_minute_mwh"])
        self._seen_wh, self._seen_at_s = saved["seen_wh"], saved["seen_at_s"]

    def _answer(self, payload: bytes, at_s: float) -> list[Outgoing]:
        try:
            request = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []
        if (
            not isinstance(request, dict)
            or not isinstance(request.get("src"), str)
            or not _can_be_topic(request["src"])
        ):
            return []  # nobody to answer to
        method, given = request.get("method"), request.get("params")
        params: dict[str, Any] = given if isinstance(given, dict) else {}
        was_on, news = self._load.powered, []
        result: dict[str, Any] | None = None
        error = {"code": NO_HANDLER, "message": f"No handler for {method}"}
        self._look()
        match method:
            case "Switch.Set" | "Switch.Toggle" | "Switch.GetStatus" if params.get("id") != 0:
                error = {"code": INVALID_ARGUMENT, "message": "Invalid argument 'id': value is missing or wrong!"}
            case "Switch.Set" if not isinstance(params.get("on"), bool):
                error = {"code": INVALID_ARGUMENT, "message": "Missing required argument 'on'!"}
            case "Switch.Set":
                news, result = self._switch(params["on"], "MQTT", at_s), {"was_on": was_on}
            case "Switch.Toggle":
                news, result = self._switch(not was_on, "MQTT", at_s), {"was_on": was_on}
            case "Switch.GetStatus":
                result = self._status()
            case "Shelly.GetStatus":
                result = {SWITCH: self._status(), "sys": {"unixtime": int(at_s)}}
            case "Shelly.GetDeviceInfo":
                result = {
                    "id": self._prefix,
                    "mac": self._prefix[-12:].upper(),
                    "gen": 2,
                    "app": "PlusPlugS",
                    "ver": "1.7.1",
                }
        outcome = {"error": error} if result is None else {"result": result}
        reply = {"id": request.get("id"), "src": self._prefix, "dst": request["src"], **outcome}
        return [Outgoing(f"{request['src']}/rpc", encode_json(reply), qos=1), *news]

    def _switch(self, on: bool, source: str, at_s: float) -> list[Outgoing]:
        self._load.powered, self._source = on, source
        if not on:
            self._load.power_w = 0.0
        changes = self._changes(at_s)
        return [*changes, self._whole(self._told)] if changes else []

    def _look(self) -> None:
        """Take up the minute that has passed; a longer silence leaves its mean."""
        household, total_wh = self._household, self._total_wh
        passed_s = household.at_s - self._seen_at_s
        if passed_s > 0:
            flowed_wh = total_wh - self._seen_wh if total_wh >= self._seen_wh else total_wh  # the register was reset
            minute_mwh = round(1000.0 * flowed_wh * STEP_S / passed_s, 3)
            self._by_minute_mwh = [minute_mwh, *self._by_minute_mwh[:2]]
        self._seen_at_s, self._seen_wh = household.at_s, total_wh

    def _status(self) -> dict[str, Any]:
        """The whole status object of the switch."""
        load, household = self._load, self._household
        shown_w = household.shown_power_w("fridge")
        power_w = shown_w if shown_w >= DEAD_BAND_W else 0.0
        voltage_v = MAINS_V + 1.5 * household.noise(5)
        temperature_c = float(household.rooms[2].occupied_c) + 9.0 + 0.03 * power_w
        return {
            "id": 0,
            "source": self._source,
            "output": load.powered,
            "apower": round(power_w, 1),
            "voltage": round(voltage_v, 1),
            "freq": 50.0,
            "current": round(power_w / POWER_FACTOR / voltage_v, 3),
            "aenergy": {
                "total": round(self._total_wh, 3),
                "by_minute": self._by_minute_mwh,
                "minute_ts": household.at_s,
            },
            "temperature": {"tC": round(temperature_c, 1), "tF": round(temperature_c * 1.8 + 32.0, 1)},
        }

    def _changes(self, at_s: float) -> list[Outgoing]:
        now = self._status()
        changed = {key: value for key, value in now.items() if self._told.get(key) != value}
        self._told = now
        if not changed:
            return []
        return [self._event("NotifyStatus", {"ts": round(at_s, 2), SWITCH: {"id": 0, **changed}})]

    def _whole(self, status: dict[str, Any]) -> Outgoing:
        return Outgoing(f"{self._prefix}/status/{SWITCH}", encode_json(status), qos=1)

    def _event(self, method: str, params: dict[str, Any]) -> Outgoing:
        body = {"src": self._prefix, "dst": f"{self._prefix}/events", "method": method, "params": params}
        return Outgoing(f"{self._prefix}/events/rpc", encode_json(body), qos=1)


def _can_be_topic(text: str) -> bool:
    """Whether an answer can be published under it."""
    return 0 < len(text) <= 200 and not set(text) & set("#+\0")
