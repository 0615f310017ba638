"""An air conditioner with its own network module that announces itself by Home Assistant MQTT discovery.

Device form: one retained configuration for all entities, some keys abbreviated as vendors do to save memory. The state
is one JSON object a minute, which the configuration takes apart by templates; it is not retained. Quirks: setpoints
outside the unit's range are clamped without a word, setpoints snap to half degrees, and ``current_temperature`` is that
of the unit's own sensor in the return air, which reads warm while it cools, in steps of half a degree.
"""

from typing import Any

from core.words import Capabilities, Fan, Mode
from simulator.fleet.device import (
    HOME_ASSISTANT_STATUS,
    Outgoing,
    encode_json,
    is_home_assistant_birth,
    text_of,
)
from simulator.fleet.manifest import DemoDevice
from simulator.household import LIVING, Household

FIRMWARE = "1.4.2"
MODE_WORDS = {"auto": Mode.AUTO, "cool": Mode.COOL, "heat": Mode.HEAT, "dry": Mode.DRY, "fan_only": Mode.FAN_ONLY}
FAN_WORDS = {"auto": Fan.AUTO, "low": Fan.LOW, "medium": Fan.MEDIUM, "high": Fan.HIGH}
MODES = {mode: word for word, mode in MODE_WORDS.items()}
FANS = {fan: word for word, fan in FAN_WORDS.items()}


class HaClimate:
    """The living room's unit."""

    def __init__(self, household: Household, facts: DemoDevice) -> None:
        self._household = household
        self._facts = facts
        self._limits = facts.capabilities or Capabilities()
        self._base = f"qinglu/{facts.topic}"
        self.client_id = facts.native_id
        self.will = Outgoing(f"{self._base}/availability", b"offline", qos=1, retain=True)
        self.subscriptions: tuple[str, ...] = (f"{self._base}/+/set", HOME_ASSISTANT_STATUS)
        self._seen_changes = household.panels[LIVING].changes

    def announce(self, at_s: float) -> list[Outgoing]:
        """Discovery, birth, state."""
        discovery = f"homeassistant/device/{self._facts.native_id}/config"
        return [
            Outgoing(discovery, encode_json(self._configuration()), qos=1, retain=True),
            Outgoing(f"{self._base}/availability", b"online", qos=1, retain=True),
            self._state(),
        ]

    def report(self, at_s: float) -> list[Outgoing]:
        """The state, each step."""
        return [self._state()]

    def receive(self, topic: str, payload: bytes, at_s: float) -> list[Outgoing]:
        """Take a command and echo the state; words that it does not know change nothing."""
        if topic == HOME_ASSISTANT_STATUS:
            return self.announce(at_s) if is_home_assistant_birth(topic, payload) else []
        if not topic.startswith(f"{self._base}/"):
            return []
        panel, word = self._household.panels[LIVING], text_of(payload)
        match topic.removeprefix(f"{self._base}/"):
            case "mode/set" if word == "off":
                panel.automate(at_s, on=False)
            case "mode/set" if word in MODE_WORDS:
                panel.automate(at_s, on=True, mode=MODE_WORDS[word])
            case "temperature/set":
                panel.automate(at_s, setpoint_c=self._snapped(word))
            case "fan/set" if word in FAN_WORDS:
                panel.automate(at_s, fan=FAN_WORDS[word])
        return [self._state()]

    def save(self) -> dict[str, Any]:
        """Nothing: the household knows what the panel shows."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Nothing to take up."""

    def _snapped(self, word: str) -> float | None:
        try:
            asked_c = float(word)
        except ValueError:
            return None
        low_c, high_c = self._limits.setpoint_min_c, self._limits.setpoint_max_c
        return round(2.0 * min(max(asked_c, low_c), high_c)) / 2.0 if asked_c == asked_c else None

    def _state(self) -> Outgoing:
        household = self._household
        panel = household.panels[LIVING]
        body = {
            "mode": MODES[panel.mode] if panel.on else "off",
            "temperature": panel.setpoint_c,
            "current_temperature": round(2.0 * float(household.units[LIVING].sensor_c)) / 2.0,
            "fan": FANS.get(panel.fan, "auto"),
            "action": self._action(),
            "power": round(household.shown_power_w("living_ac"), 1),
            "energy": round(float(household.meter("living_ac").shown_total_kwh), 3),
        }
        return Outgoing(f"{self._base}/state", encode_json(body), qos=1)

    def _action(self) -> str:
        panel = self._household.panels[LIVING]
        if not panel.on:
            return "off"
        if panel.mode == Mode.FAN_ONLY:
            return "fan"
        if not self._household.units[LIVING].running:
            return "idle"
        return {Mode.HEAT: "heating", Mode.DRY: "drying"}.get(panel.mode, "cooling")

    def _configuration(self) -> dict[str, Any]:
        facts, state = self._facts, f"{self._base}/state"
        return {
            "dev": {
                "ids": [facts.native_id],
                "name": facts.name,
                "mf": facts.manufacturer,
                "mdl": facts.model,
                "sw": FIRMWARE,
                "sa": facts.room,
            },
            "o": {"name": "qinglu", "sw": FIRMWARE},
            "avty_t": f"{self._base}/availability",
            "qos": 1,
            "cmps": {
                "climate": {
                    "p": "climate",
                    "uniq_id": f"{facts.native_id}_climate",
                    "name": None,
                    "modes": ["off", *MODE_WORDS],
                    "mode_command_topic": f"{self._base}/mode/set",
                    "mode_state_topic": state,
                    "mode_state_template": "{{ value_json.mode }}",
                    "temperature_command_topic": f"{self._base}/temperature/set",
                    "temperature_state_topic": state,
                    "temperature_state_template": "{{ value_json.temperature }}",
                    "current_temperature_topic": state,
                    "current_temperature_template": "{{ value_json.current_temperature }}",
                    "fan_modes": list(FAN_WORDS),
                    "fan_mode_command_topic": f"{self._base}/fan/set",
                    "fan_mode_state_topic": state,
                    "fan_mode_state_template": "{{ value_json.fan }}",
                    "action_topic": state,
                    "action_template": "{{ value_json.action }}",
                    "min_temp": self._limits.setpoint_min_c,
                    "max_temp": self._limits.setpoint_max_c,
                    "temp_step": self._limits.setpoint_step_k,
                    "temperature_unit": "C",
                },
                "power": self._sensor("power", "W", "measurement"),
                "energy": self._sensor("energy", "kWh", "total_increasing"),
            },
        }

    def _sensor(self, quantity: str, unit: str, state_class: str) -> dict[str, Any]:
        return {
            "p": "sensor",
            "uniq_id": f"{self._facts.native_id}_{quantity}",
            "dev_cla": quantity,
            "unit_of_meas": unit,
            "stat_cla": state_class,
            "stat_t": f"{self._base}/state",
            "val_tpl": f"{{{{ value_json.{quantity} }}}}",
        }
