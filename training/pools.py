"""The homes that models learn from: a year of each, with the presence forecast that control would make of it.

Homes and weather are of the splits "train" and "validation" (``simulator.homes``); "test" is left to benchmarks.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from control.presence import QUARTER_S, Habits
from simulator.episodes import AHEAD_DAYS, DAY_S, Pool, pool
from simulator.homes import build
from simulator.residents import ASLEEP
from simulator.weather import Climate
from simulator.weather.climates import CITIES
from simulator.world import STEPS_PER_DAY

START = datetime(2031, 1, 1, tzinfo=UTC)
DAYS = 365
TRAIN, HELD_OUT = "train", "validation"
WEEK_QUARTERS = 7 * 96
MONDAY_S = 4 * 86_400.0  # 1970-01-05
HOUR_S = 3600.0
QUARTERS_PER_DAY = 96
USUAL_SLEEP_MIN = (23 * 60, 7 * 60)  # of homes in which nobody ever sleeps


def draw_pool(
    seed: int,
    split: str,
    homes_of_a_climate: int,
    *,
    climates: Sequence[Climate] = CITIES,
    weathers_of_a_climate: int = 1,
    start: datetime = START,
    days: int = DAYS,
) -> Pool:
    """Homes of some climates, and a day more than ``days`` of what happens to them."""
    rows = (days + AHEAD_DAYS) * STEPS_PER_DAY
    world = build(
        seed,
        climates,
        homes_of_a_climate,
        start.timestamp(),
        rows,
        split=split,
        weathers_per_climate=weathers_of_a_climate,
    )
    return pool(world, usual_by_week)


def usual_by_week(seen: NDArray[np.bool_], local_start_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """``Pool.usual``: what control knows of each home at the beginning of each week."""
    quarters, n = seen.shape
    habits = Habits(n)
    hours_s = MONDAY_S + HOUR_S * np.arange(7 * 24)
    weeks = []
    for quarter in range(quarters):
        if quarter > 0:
            habits.learn(local_start_s + (quarter - 0.5) * QUARTER_S, seen[quarter])
        if quarter % WEEK_QUARTERS == 0:
            weeks.append(habits.usual(np.tile(hours_s, (n, 1))).reshape(n, 7, 24))
    return np.array(weeks, dtype=np.float32)


def usual_sleep(source: Pool) -> NDArray[np.int64]:
    """When people of each home usually go to bed and get up, by the quarter of an hour; shape (n, 2). [min]"""
    world = source.world
    asleep = world.presence[: source.days * STEPS_PER_DAY : 3] == ASLEEP
    by_quarter = asleep.reshape(-1, QUARTERS_PER_DAY, world.n).mean(axis=0) >= 0.5  # of UTC days
    before = np.roll(by_quarter, 1, axis=0)
    first = np.floor((world.start_epoch_s + world.utc_offset_s) % DAY_S / 60.0)
    found = np.tile(np.array(USUAL_SLEEP_MIN), (world.n, 1))
    for home in np.flatnonzero(by_quarter.any(axis=0)):
        for column, turns in enumerate((by_quarter & ~before, ~by_quarter & before)):
            found[home, column] = (first[home] + 15 * np.argmax(turns[:, home])) % 1440
    return found
