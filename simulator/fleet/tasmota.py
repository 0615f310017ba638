"""Tasmota firmware: what every such device says and answers, and the metering plug.

Telemetry every 60 s (TelePeriod 60). Quirks kept from the real ones: times are local and name no zone, and a device
whose owner never set it runs on +01:00; power is whole watts, and reads 0 below about 3 W, which the counter then
misses; ``Today`` starts anew at the device's own midnight; an unknown command is answered by {"Command":"Unknown"}.
Without ``every_state`` the STATE message goes out every ten minutes only: it repeats what is known, and a month of
history is smaller without it.
"""

import math
from typing import Any

from core.units import JOULES_PER_KWH
from simulator.fleet.device import Outgoing, encode_json, local_text, text_of
from simulator.fleet.manifest import DemoDevice
from simulator.household import STEP_S, Household, Load

FIRMWARE = "15.0.1(release-tasmota)"
TELE_PERIOD_S = 60
STATE_PERIOD_S = 600
DAY_S = 86_400
BLIND_BELOW_W = 3.0
MAINS_V = 228.0
POWER_WORDS = {"ON": True, "1": True, "TRUE": True, "OFF": False, "0": False, "FALSE": False}


class TasmotaDevice:
    """What all Tasmota devices share; a subclass says what it measures and what else it obeys."""

    relays = 0

    def __init__(
        self, household: Household, facts: DemoDevice, *, offset_h: float = 8.0, every_state: bool = True
    ) -> None:
        self._household = household
        self._facts = facts
        self._offset_h = offset_h
        self._every_state = every_state
        self._booted_at_s = household.at_s
        self.client_id = f"DVES_{facts.native_id[-6:]}"
        self.will = Outgoing(self._tele("LWT"), b"Offline", retain=True)
        self.subscriptions: tuple[str, ...] = (f"cmnd/{facts.topic}/#",)

    def announce(self, at_s: float) -> list[Outgoing]:
        """Birth, native discovery, telemetry."""
        discovery = f"tasmota/discovery/{self._facts.native_id}"
        return [
            Outgoing(self._tele("LWT"), b"Online", retain=True),
            Outgoing(f"{discovery}/config", encode_json(self._configuration()), retain=True),
            Outgoing(f"{discovery}/sensors", encode_json({"sn": self._sensors(at_s), "ver": 1}), retain=True),
            *self._telemetry(at_s),
        ]

    def report(self, at_s: float) -> list[Outgoing]:
        """Telemetry of a period; a sensor-less device says only STATE."""
        messages = [self._state(at_s)] if self._every_state or at_s % STATE_PERIOD_S < STEP_S else []
        return [*messages, *self._sensor_messages(at_s)]

    def receive(self, topic: str, payload: bytes, at_s: float) -> list[Outgoing]:
        """Carry out ``cmnd/T/COMMAND``."""
        prefix = f"cmnd/{self._facts.topic}/"
        if not topic.startswith(prefix):
            return []
        command, word = topic.removeprefix(prefix), text_of(payload)
        if command.upper() == "BACKLOG":
            answers = []
            for part in word.split(";"):
                name, _, argument = part.strip().partition(" ")
                answers += self._carry_out(name, argument.strip(), at_s) if name else []
            return answers
        return self._carry_out(command, word, at_s)

    def save(self) -> dict[str, Any]:
        """When it was switched on."""
        return {"booted_at_s": self._booted_at_s}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""
        self._booted_at_s = saved["booted_at_s"]

    def _carry_out(self, command: str, word: str, at_s: float) -> list[Outgoing]:
        match command.upper():
            case "TELEPERIOD":
                answer = self._result({"TelePeriod": TELE_PERIOD_S})
                return [answer, *self._telemetry(at_s)] if not word else [answer]
            case "STATUS" if word in ("8", "10"):
                body = {"StatusSNS": self._sensors(at_s)}
                return [Outgoing(f"stat/{self._facts.topic}/STATUS{word}", encode_json(body))]
            case "STATUS" if word == "11":
                body = {"StatusSTS": self._state_body(at_s)}
                return [Outgoing(f"stat/{self._facts.topic}/STATUS11", encode_json(body))]
            case "STATE":
                return [self._result(self._state_body(at_s))]
        return [self._result({"Command": "Unknown", "Input": command.upper()})]

    def _telemetry(self, at_s: float) -> list[Outgoing]:
        return [self._state(at_s), *self._sensor_messages(at_s)]

    def _state(self, at_s: float) -> Outgoing:
        return Outgoing(self._tele("STATE"), encode_json(self._state_body(at_s)))

    def _state_body(self, at_s: float) -> dict[str, Any]:
        up_s = max(int(at_s) - self._booted_at_s, 0)
        days, rest = divmod(up_s, DAY_S)
        strength = 70 + round(4 * self._household.noise(7))
        return {
            "Time": local_text(at_s, self._offset_h),
            "Uptime": f"{days}T{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}",
            "UptimeSec": up_s,
            "Heap": 24,
            "SleepMode": "Dynamic",
            "Sleep": 50,
            "LoadAvg": 19,
            "MqttCount": 1,
            **self._power_state(),
            "Wifi": {
                "AP": 1,
                "SSId": "home",
                "Channel": 6,
                "Mode": "HT20",
                "RSSI": strength,
                "Signal": strength // 2 - 100,
            },
        }

    def _power_state(self) -> dict[str, str]:
        return {}

    def _sensors(self, at_s: float) -> dict[str, Any]:
        return {"Time": local_text(at_s, self._offset_h)}

    def _sensor_messages(self, at_s: float) -> list[Outgoing]:
        return []

    def _tele(self, name: str) -> str:
        return f"tele/{self._facts.topic}/{name}"

    def _result(self, body: dict[str, Any]) -> Outgoing:
        return Outgoing(f"stat/{self._facts.topic}/RESULT", encode_json(body))

    def _configuration(self) -> dict[str, Any]:
        """What goes to ``tasmota/discovery/MAC/config``."""
        facts = self._facts
        return {
            "ip": f"192.168.1.{20 + int(facts.native_id[-2:], 16)}",
            "dn": facts.name,
            "fn": [facts.name, *[None] * 7],
            "hn": f"{facts.topic.replace('_', '-')}-{int(facts.native_id[-4:], 16):04d}",
            "mac": facts.native_id,
            "md": facts.model,
            "ty": 0,
            "if": 0,
            "ofln": "Offline",
            "onln": "Online",
            "state": ["OFF", "ON", "TOGGLE", "HOLD"],
            "sw": FIRMWARE.partition("(")[0],
            "t": facts.topic,
            "ft": "%prefix%/%topic%/",
            "tp": ["cmnd", "stat", "tele"],
            "rl": [1] * self.relays + [0] * (8 - self.relays),
            "swc": [-1] * 8,
            "swn": [None] * 8,
            "btn": [0] * 8,
            "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0},
            "lk": 0,
            "lt_st": 0,
            "sho": [0] * 4,
            "ver": 1,
        }


class TasmotaPlug(TasmotaDevice):
    """A metering plug in front of one appliance."""

    relays = 1

    def __init__(
        self,
        household: Household,
        facts: DemoDevice,
        load_name: str,
        *,
        power_factor: float,
        offset_h: float = 8.0,
        every_state: bool = True,
    ) -> None:
        super().__init__(household, facts, offset_h=offset_h, every_state=every_state)
        self._load_name = load_name
        self._power_factor = power_factor
        self._counted_j = 0.0  # of what the chip measured, as far as the firmware sees it
        self._seen_j = self._total_j  # of the chip, up to the last look
        self._seen_at_s = household.at_s
        self._period_j = 0.0  # since the last telemetry
        self._today_from_j = 0.0
        self._yesterday_j = 0.0
        self._today = self._local_day(household.at_s)
        self._reported_powered = self._load.powered

    @property
    def _load(self) -> Load:
        load: Load = getattr(self._household.loads, self._load_name)
        return load

    @property
    def _total_j(self) -> float:
        return float(self._household.meter(self._load_name).shown_total_kwh) * JOULES_PER_KWH

    def report(self, at_s: float) -> list[Outgoing]:
        """Telemetry, after the relay's news if somebody pressed the plug's button."""
        pressed = [] if self._load.powered == self._reported_powered else self._power_news()
        return [*pressed, *super().report(at_s)]

    def save(self) -> dict[str, Any]:
        """The counters."""
        self._look()
        return {
            **super().save(),
            "counted_j": self._counted_j,
            "seen_j": self._seen_j,
            "seen_at_s": self._seen_at_s,
            "period_j": self._period_j,
            "today_from_j": self._today_from_j,
            "yesterday_j": self._yesterday_j,
            "today": self._today,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""
        super().restore(saved)
        self._counted_j, self._seen_j, self._seen_at_s = saved["counted_j"], saved["seen_j"], saved["seen_at_s"]
        self._period_j, self._today_from_j = saved["period_j"], saved["today_from_j"]
        self._yesterday_j, self._today = saved["yesterday_j"], saved["today"]
        self._reported_powered = self._load.powered

    def _carry_out(self, command: str, word: str, at_s: float) -> list[Outgoing]:
        if command.upper() not in ("POWER", "POWER1"):
            return super()._carry_out(command, word, at_s)
        word = word.upper()
        if word in ("TOGGLE", "2"):
            self._load.powered = not self._load.powered
        elif word in POWER_WORDS:
            self._load.powered = POWER_WORDS[word]
        if not self._load.powered:
            self._load.power_w = 0.0
        return self._power_news()

    def _power_news(self) -> list[Outgoing]:
        self._reported_powered = self._load.powered
        word = "ON" if self._load.powered else "OFF"
        return [self._result({"POWER": word}), Outgoing(f"stat/{self._facts.topic}/POWER", word.encode())]

    def _power_state(self) -> dict[str, str]:
        return {"POWER": "ON" if self._load.powered else "OFF"}

    def _sensor_messages(self, at_s: float) -> list[Outgoing]:
        message = Outgoing(self._tele("SENSOR"), encode_json(self._sensors(at_s)))
        self._period_j = 0.0
        return [message]

    def _look(self) -> None:
        """Count what flowed since the last look, as far as the meter's chip can see it."""
        household, total_j = self._household, self._total_j
        passed_s, flowed_j = household.at_s - self._seen_at_s, total_j - self._seen_j
        self._seen_at_s, self._seen_j = household.at_s, total_j
        if flowed_j < 0.0:  # the register was reset, and the day's with it
            self._counted_j = self._today_from_j = self._period_j = 0.0
            flowed_j = total_j
        today = self._local_day(household.at_s)
        if today != self._today:
            self._yesterday_j = self._counted_j - self._today_from_j
            self._today_from_j, self._today = self._counted_j, today
        if passed_s > 0 and flowed_j >= BLIND_BELOW_W * passed_s:
            self._counted_j += flowed_j
            self._period_j += flowed_j

    def _local_day(self, at_s: float) -> int:
        return int((at_s + 3600.0 * self._offset_h) // DAY_S)

    def _sensors(self, at_s: float) -> dict[str, Any]:
        self._look()
        load = self._load
        voltage_v = round(MAINS_V + 2.0 * self._household.noise(6)) if load.powered else 0
        shown_w = self._household.shown_power_w(self._load_name)
        power_w = shown_w if shown_w >= BLIND_BELOW_W else 0.0
        apparent_va = power_w / self._power_factor
        energy = {
            "TotalStartTime": "2026-02-11T19:42:05",
            "Total": round(self._counted_j / JOULES_PER_KWH, 3),
            "Yesterday": round(self._yesterday_j / JOULES_PER_KWH, 3),
            "Today": round((self._counted_j - self._today_from_j) / JOULES_PER_KWH, 3),
            "Period": round(self._period_j / 3600.0),
            "Power": round(power_w),
            "ApparentPower": round(apparent_va),
            "ReactivePower": round(math.sqrt(max(apparent_va**2 - power_w**2, 0.0))),
            "Factor": round(self._power_factor, 2) if power_w > 0.0 else 0.0,
            "Voltage": voltage_v,
            "Current": round(apparent_va / MAINS_V, 3),
        }
        return {"Time": local_text(at_s, self._offset_h), "ENERGY": energy}
