"""How fast the simulator is: room-steps of 5 minutes in a second of the processor's time."""

import time
from dataclasses import dataclass
from typing import Any

from simulator.homes import build
from simulator.weather.climates import CITIES
from simulator.world import STEPS_PER_DAY, World

START_EPOCH_S = 1_782_835_200.0  # 2026-06-30T16:00Z: a midnight in China
HOMES_OF_A_CLIMATE = 250  # at most, so that a thousand rooms meet four climates


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured; drawing the homes and compiling are left out."""

    room_steps: int
    cpu_s: float
    energy_kwh: float  # of all units: the steps were real

    @property
    def room_steps_per_cpu_s(self) -> float:
        """Steps of 5 minutes of one room."""
        return self.room_steps / self.cpu_s

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "room_steps": self.room_steps,
            "cpu_s": round(self.cpu_s, 4),
            "room_steps_per_cpu_s": round(self.room_steps_per_cpu_s),
            "unit_energy_kwh": round(self.energy_kwh, 1),
        }


def measure(rooms: int, days: int, seed: int = 1) -> Speed:
    """Step ``rooms`` homes for ``days`` days in July, people running their own units, and take the time."""
    world = _world(rooms, days, seed)
    world.advance(0, follows_program=True)  # compiles
    joules = 0.0
    start_s = time.process_time()
    for row in range(1, days * STEPS_PER_DAY):
        world.advance(row, follows_program=True)
        joules += float(world.meters["energy_j"].sum())
    cpu_s = time.process_time() - start_s
    return Speed(rooms * (days * STEPS_PER_DAY - 1), cpu_s, joules / 3.6e6)


def _world(rooms: int, days: int, seed: int) -> World:
    climates = list(CITIES)[: max(1, -(-rooms // HOMES_OF_A_CLIMATE))]
    each = -(-rooms // len(climates))
    return build(seed, climates, each, START_EPOCH_S, days * STEPS_PER_DAY).first(rooms)
