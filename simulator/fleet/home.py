"""The demo home: its household, its devices, and the file in which both survive a restart."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.faults import Fault
from simulator.fleet.device import Device, Outgoing
from simulator.fleet.ha_climate import HaClimate
from simulator.fleet.manifest import DEMO_HOME
from simulator.fleet.shelly import ShellyPlug
from simulator.fleet.tasmota import TasmotaPlug
from simulator.fleet.tasmota_ir import TasmotaIr
from simulator.fleet.zigbee2mqtt import Zigbee2Mqtt
from simulator.household import Household, settled

FORMAT = 3
FACTORY_OFFSET_H = 1.0  # of a Tasmota device whose owner never set its time zone


@dataclass(frozen=True, slots=True)
class DemoFleet:
    """Everything of the demo home that moves."""

    household: Household
    devices: tuple[Device, ...]

    def step(self) -> list[Outgoing]:
        """Advance the household by a step; what its devices say then."""
        self.household.step()
        at_s = float(self.household.at_s)
        return [message for device in self.devices for message in device.report(at_s)]

    def announce(self) -> list[Outgoing]:
        """What all devices say when they join the broker."""
        at_s = float(self.household.at_s)
        return [message for device in self.devices for message in device.announce(at_s)]

    def receive(self, topic: str, payload: bytes, at_s: float | None = None) -> list[Outgoing]:
        """Hand a message to every device; what they say to it."""
        at_s = float(self.household.at_s) if at_s is None else at_s
        return [message for device in self.devices for message in device.receive(topic, payload, at_s)]

    def save(self) -> dict[str, Any]:
        """All that a restart needs, as JSON can hold it."""
        devices = {device.client_id: device.save() for device in self.devices}
        return {"format": FORMAT, "household": self.household.save(), "devices": devices}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on where ``save`` was called.

        Raises
        ------
        ValueError
            The state is of another seed or another version of this program.
        """
        if saved.get("format") != FORMAT:
            raise ValueError(f"expected a saved home of format {FORMAT}, got {saved.get('format')!r}")
        self.household.restore(saved["household"])
        for device in self.devices:
            if device.client_id in saved["devices"]:
                device.restore(saved["devices"][device.client_id])


def demo_fleet(seed: int, at: datetime, *, talkative: bool = True, faults: Sequence[Fault] = ()) -> DemoFleet:
    """The demo home of a seed, lived in for some days until ``at``; without ``talkative`` devices repeat less."""
    return fleet_of(settled(seed, at, faults=faults), talkative=talkative)


def fleet_of(household: Household, *, talkative: bool = True) -> DemoFleet:
    """The demo home's devices around a household."""
    facts = DEMO_HOME.device

    def plug(topic: str, load: str, power_factor: float, offset_h: float = 8.0) -> TasmotaPlug:
        return TasmotaPlug(
            household, facts(topic), load, power_factor=power_factor, offset_h=offset_h, every_state=talkative
        )

    thermometers = {place: f"{name}_thermometer" for place, name in THERMOMETER_PLACES.items()}
    return DemoFleet(
        household,
        (
            HaClimate(household, facts("living_room_ac")),
            TasmotaIr(household, facts("bedroom_ir"), every_state=talkative),
            plug("bedroom_ac_plug", "bedroom_ac", 0.96),
            ShellyPlug(household, facts("shellyplusplugs-b8d61a8c2f10"), every_status=talkative),
            plug("tv_plug", "tv", 0.62, FACTORY_OFFSET_H),
            plug("router_plug", "router", 0.52),
            Zigbee2Mqtt(
                household,
                facts("washing_machine"),
                {place: facts(topic) for place, topic in thermometers.items()},
            ),
        ),
    )


THERMOMETER_PLACES = {"living": "living_room", "bedroom": "bedroom", "outdoor": "outdoor"}


def state_file(data_dir: Path) -> Path:
    """Where the demo home keeps its state between runs."""
    return data_dir / "demo-home" / "state.json"


def write_state(path: Path, fleet: DemoFleet) -> None:
    """Keep the home's state; a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(fleet.save(), separators=(",", ":")))
    os.replace(fresh, path)


def read_state(path: Path, seed: int, faults: Sequence[Fault] = ()) -> DemoFleet | None:
    """The home that ``write_state`` kept; None where there is none.

    Raises
    ------
    ValueError
        The file is of another seed or another version, or cannot be read.
    """
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    try:
        start = datetime.fromtimestamp(saved["household"]["at_s"]).astimezone()
        fleet = fleet_of(Household(seed, start, faults=faults))
        fleet.restore(saved)
    except (KeyError, TypeError) as error:
        raise ValueError(f"expected a saved demo home in {path}, something is missing: {error!r}") from error
    return fleet
