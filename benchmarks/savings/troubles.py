"""What befalls homes in the suite ``stress``; sizes and shares are assumed.

| scenario | what happens |
|---|---|
| calm | nothing |
| stale_sensors | a fifth of the time, in spells of 6 h, the room thermometer repeats its last value |
| missed_commands | a seventh of all orders are lost, and every tenth day none arrives |
| heat_waves | twice six days, 6 K hotter than the weather would be |
| wrong_presence | every fourth day the presence sensor shows the same all day, whoever is there |
| clock_changes | from the middle of the span people do everything an hour earlier, by the old clock |
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.savings.runner import NO_TROUBLE, Trouble
from benchmarks.savings.words import ROWS_PER_DECISION, BoolArray
from simulator.world import STEPS_PER_DAY, STEPS_PER_H, World

CALM = "calm"
SCENARIOS = (CALM, "stale_sensors", "missed_commands", "heat_waves", "wrong_presence", "clock_changes")
STALE_RATIO, STALE_QUARTERS = 0.2, 24
MISSED_RATIO, OUTAGE_RATIO = 1.0 / 7.0, 0.1
WAVES_AT, WAVE_DAYS, WAVE_K = (0.6, 0.85), 6, 6.0  # where in the span, how long, how much
WRONG_DAYS_RATIO = 0.25
QUARTERS_PER_DAY = STEPS_PER_DAY // ROWS_PER_DECISION


def befall(scenario: str, world: World) -> World:
    """The world with other weather, or with people on another clock."""
    rows = len(world.presence)
    if scenario == "heat_waves":
        skies = world.skies.copy()
        for at in WAVES_AT:
            first = int(at * rows) // STEPS_PER_DAY * STEPS_PER_DAY
            wave = skies[first : first + WAVE_DAYS * STEPS_PER_DAY]
            for name in ("outdoor_c", "sky_c", "daily_mean_c"):
                wave[name] += WAVE_K
        return replace(world, skies=skies)
    if scenario == "clock_changes":
        presence, half = world.presence.copy(), rows // 2
        presence[half:-STEPS_PER_H] = presence[half + STEPS_PER_H :]
        return replace(world, presence=presence)
    return world


def presence_shown(scenario: str, shown: BoolArray, numbers: Sequence[int]) -> BoolArray:
    """What the presence sensors show instead; shape (rows, n)."""
    if scenario != "wrong_presence":
        return shown
    shown = shown.copy()
    for home, number in enumerate(numbers):
        rng = np.random.default_rng([number, 17])
        for first in range(0, len(shown), STEPS_PER_DAY):
            stuck, stuck_at = rng.random() < WRONG_DAYS_RATIO, rng.random() < 0.5
            if stuck:
                shown[first : first + STEPS_PER_DAY, home] = stuck_at
    return shown


def on_the_way(scenario: str, world: World, numbers: Sequence[int]) -> Trouble:
    """What goes wrong between home and controller."""
    quarters = len(world.presence) // ROWS_PER_DECISION
    if scenario == "stale_sensors":
        return Trouble(stale_thermometer=_spells(quarters, numbers, STALE_QUARTERS, STALE_RATIO))
    if scenario == "missed_commands":
        single = _spells(quarters, numbers, 1, MISSED_RATIO)
        return Trouble(missed_commands=single | _spells(quarters, numbers, QUARTERS_PER_DAY, OUTAGE_RATIO))
    return NO_TROUBLE


def _spells(quarters: int, numbers: Sequence[int], length: int, ratio: float) -> BoolArray:
    """Spells of a length that fill a share of the time, each home with its own; shape (quarters, n)."""
    spells = -(-quarters // length)
    columns = [
        np.repeat(np.random.default_rng([number, length]).random(spells) < ratio, length)[:quarters]
        for number in numbers
    ]
    return np.stack(columns, axis=1)
