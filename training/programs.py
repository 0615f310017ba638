"""What units are told while the predictor learns: plain programs, and what no household does."""

import numpy as np
from numpy.typing import NDArray

from simulator.episodes import BoolArray, Episode
from simulator.world import STEPS_PER_DAY, STEPS_PER_H

RANDOM_SHARE = 0.5  # of the rooms, told things at random: what a model learns from them is cause, not habit
HEATING_BELOW_C = 17.0


def season_heats(episode: Episode) -> BoolArray:
    """Whether a home's units are in heating, by the mean outdoors of each day with some reluctance; (rows, n)."""
    outdoor_c = episode.sky("outdoor_c")
    rows, n = outdoor_c.shape
    daily_c = outdoor_c.reshape(rows // STEPS_PER_DAY, STEPS_PER_DAY, n).mean(axis=1)
    return np.repeat(daily_c < HEATING_BELOW_C, STEPS_PER_DAY, axis=0)


def varied_plans(rng: np.random.Generator, episode: Episode) -> tuple[BoolArray, NDArray[np.float64]]:
    """Whether each unit is on and at which setpoint, for every row: (rows, n) each.

    Some rooms hold one setpoint, some switch off when nobody is there (with or without a lead), and the others do what
    no household does: blocks of random length with random setpoints.
    """
    present, heating = episode.present, season_heats(episode)
    rows, n = present.shape
    edge_c = np.where(heating, episode.low_c, episode.high_c).astype(np.float64)
    lead_rows = rng.integers(2 * STEPS_PER_H, size=n)
    soon = (np.arange(rows)[:, np.newaxis] + lead_rows) % rows
    always = rng.random(n) < 0.3
    on = always | present | np.take_along_axis(present, soon, axis=0)
    setpoint_c = edge_c[::STEPS_PER_DAY].mean(axis=0) + rng.normal(0.0, 1.0, n) + np.zeros((rows, n))
    setpoint_c = np.where(heating, np.minimum(setpoint_c, 24.0), np.maximum(setpoint_c, 22.0))

    for room in map(int, np.flatnonzero(rng.random(n) < RANDOM_SHARE)):
        row = 0
        while row < rows:
            length = int(np.exp(rng.uniform(np.log(STEPS_PER_H / 2), np.log(72 * STEPS_PER_H))))
            on[row : row + length, room] = rng.random() < 0.65
            middle_c = np.where(heating[row, room], 20.5, 25.5)
            setpoint_c[row : row + length, room] = rng.uniform(middle_c - 4.0, middle_c + 4.0)
            row += length
    return on, np.round(2.0 * setpoint_c) / 2.0
