"""Rooms, units and people of n homes as one thing, and what happens to them from outside.

``World`` holds the tables; ``advance`` lets 5 minutes pass for all of them, in five inner steps of 60 s. People act on
their units' panels by themselves; a controller acts on ``world.panels`` between two steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.records import Table, record

STEP_S = 300.0
INNER_STEPS = 5
INNER_STEP_S = 60.0
STEPS_PER_H = 12
STEPS_PER_DAY = 288


@record
class Meter:
    """What a step cost; ``advance`` writes it anew each time."""

    energy_j: float  # of the unit
    over_k_s: float  # above the true band while somebody is home
    under_k_s: float
    starts: int  # of the compressor


@dataclass(slots=True)
class World:
    """Tables of n homes with one room and one unit each; row i begins at ``start_epoch_s + 300 i``."""

    start_epoch_s: float
    utc_offset_s: NDArray[np.float64]  # (n,)
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    skies: Table  # (rows, weathers) of weather.sky.Sky; rooms["weather"] says which
    presence: NDArray[np.int8]  # (rows, n): 0 away, 1 home and awake, 2 asleep
    price: NDArray[np.float32]  # (rows, n), per kWh, everything included
    chance: NDArray[np.float32]  # (rows, n), 0..1: luck of people
    rooms: Table  # (n,) of physics.zone.Room
    room_states: Table
    units: Table  # of physics.split_unit.Unit
    unit_states: Table
    panels: Table  # of physics.split_unit.Panel
    persons: Table  # of residents.Person, hidden from every controller
    habits: Table  # of residents.Habit
    hands: Table  # of residents.Hand
    meters: Table  # of Meter
