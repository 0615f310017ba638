"""A Tasmota infrared blaster in front of a split unit of no network, with a receiver that sees the unit's own remote.

A command sends a whole state by infrared and is answered on ``stat/T/RESULT`` with what was sent; whether the unit
obeyed nobody says. When a person presses the remote, the receiver publishes ``IrReceived`` with lower-case words.
"""

import math
from typing import Any

import msgspec

from core.words import Capabilities, Fan, Mode
from simulator.fleet.device import Outgoing, encode_json
from simulator.fleet.manifest import DemoDevice
from simulator.fleet.tasmota import TasmotaDevice
from simulator.household import BED, Household
from simulator.people import Panel

PROTOCOL = "MIDEA"
MODE_WORDS = {"Auto": Mode.AUTO, "Cool": Mode.COOL, "Heat": Mode.HEAT, "Dry": Mode.DRY, "Fan_Only": Mode.FAN_ONLY}
MODES = {mode: word for word, mode in MODE_WORDS.items()}
FAN_WORDS = {"Auto": Fan.AUTO, "Min": Fan.LOW, "Low": Fan.LOW, "Medium": Fan.MEDIUM, "High": Fan.HIGH, "Max": Fan.HIGH}
FANS = {Fan.AUTO: "Auto", Fan.QUIET: "Low", Fan.LOW: "Low", Fan.MEDIUM: "Medium", Fan.HIGH: "High"}


class TasmotaIr(TasmotaDevice):
    """The bedroom's blaster."""

    def __init__(self, household: Household, facts: DemoDevice, *, every_state: bool = True) -> None:
        super().__init__(household, facts, every_state=every_state)
        self._limits = facts.capabilities or Capabilities()
        self._seen_presses = self._panel.presses

    @property
    def _panel(self) -> Panel:
        return self._household.panels[BED]

    def report(self, at_s: float) -> list[Outgoing]:
        """What the receiver saw, then telemetry."""
        messages = super().report(at_s)
        if self._panel.presses != self._seen_presses:
            self._seen_presses = self._panel.presses
            messages.insert(0, self._received())
        return messages

    def save(self) -> dict[str, Any]:
        """What the receiver has told."""
        return {**super().save(), "seen_presses": self._seen_presses}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""
        super().restore(saved)
        self._seen_presses = saved["seen_presses"]

    def _carry_out(self, command: str, word: str, at_s: float) -> list[Outgoing]:
        if command.upper() != "IRHVAC":
            return super()._carry_out(command, word, at_s)
        try:
            asked = msgspec.json.decode(word)
        except msgspec.DecodeError:
            return [self._result({"IRHVAC": "Invalid JSON"})]
        if not isinstance(asked, dict) or str(asked.get("Vendor", "")).upper() != PROTOCOL:
            return [self._result({"IRHVAC": f"Wrong Vendor ({PROTOCOL})"})]
        self._send(asked, at_s)
        return [self._result({"IRHVAC": self._frame()})]

    def _send(self, asked: dict[str, Any], at_s: float) -> None:
        """The unit takes what it understands of the frame."""
        mode = MODE_WORDS.get(str(asked.get("Mode", "")).title())
        off = str(asked.get("Power", "")).lower() == "off" or str(asked.get("Mode", "")).lower() == "off"
        setpoint_c = self._clamped(asked.get("Temp"))
        fan = FAN_WORDS.get(str(asked.get("FanSpeed", "")).title())
        powered = self._household.loads.bedroom_ac.powered  # without current no unit hears anything
        self._panel.automate(at_s, on=not off and powered, mode=mode, setpoint_c=setpoint_c, fan=fan)

    def _clamped(self, asked: object) -> float | None:
        if isinstance(asked, bool) or not isinstance(asked, int | float) or not math.isfinite(asked):
            return None
        return float(round(min(max(asked, self._limits.setpoint_min_c), self._limits.setpoint_max_c)))

    def _received(self) -> Outgoing:
        frame = {key: value.lower() if isinstance(value, str) else value for key, value in self._frame().items()}
        body = {
            "IrReceived": {
                "Protocol": PROTOCOL,
                "Bits": 48,
                "Data": f"0xA1{self._panel.presses % 0xFFFF:04X}4FFF62",
                "Repeat": 0,
                "IRHVAC": {**frame, "Vendor": PROTOCOL},
            }
        }
        return Outgoing(self._tele("RESULT"), encode_json(body))

    def _frame(self) -> dict[str, Any]:
        panel = self._panel
        return {
            "Vendor": PROTOCOL,
            "Model": -1,
            "Command": "Control",
            "Mode": MODES[panel.mode] if panel.on else "Off",
            "Power": "On" if panel.on else "Off",
            "Celsius": "On",
            "Temp": round(panel.setpoint_c),
            "FanSpeed": FANS[panel.fan],
            "SwingV": "Off",
            "SwingH": "Off",
            "Quiet": "Off",
            "Turbo": "Off",
            "Econo": "Off",
            "Light": "Off",
            "Filter": "Off",
            "Clean": "Off",
            "Beep": "Off",
            "Sleep": -1,
        }
