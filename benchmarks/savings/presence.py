"""Who will be home: the one forecast that every controller is given.

It is learned from what a presence sensor has shown so far, as ``control.presence`` learns it at home (hours of the
week, evidence that fades), for n homes at once. No controller has a part in it, so it is laid out once for a year.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.words import QUARTERS_AHEAD, Array, BoolArray
from control.presence import LIKELY, QUARTER_S, Habits, points_s

QUARTERS_PER_H = 4
HOURS_AHEAD = QUARTERS_AHEAD // QUARTERS_PER_H + 1  # hours of the clock that a day ahead may touch
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class PresenceForecast:
    """Chances of n homes for the day ahead of each quarter of an hour."""

    by_hour: NDArray[np.float32]  # (quarters, n, 25): hours of the home's clock, the one that runs first
    _phase: NDArray[np.int64]  # (n,): quarters of the clock's hour that have passed at quarter 0

    def ahead(self, quarter: int) -> Array:
        """Chance that somebody is home now and at each quarter of an hour after, by habit alone; shape (n, 96)."""
        passed = (self._phase + quarter) % QUARTERS_PER_H
        hour = (passed[:, np.newaxis] + np.arange(QUARTERS_AHEAD)) // QUARTERS_PER_H
        return np.take_along_axis(self.by_hour[quarter], hour, axis=1).astype(np.float64)


def forecast(seen: BoolArray, start_epoch_s: float, utc_offset_s: Array) -> PresenceForecast:
    """The forecast at every quarter of an hour, each from what was seen until then.

    Parameters
    ----------
    seen : BoolArray, shape (quarters, n)
        What the sensor shows at the start of each quarter; as at home, it tells of the quarter that has just ended.
    start_epoch_s : float
        Of the first quarter. [s]
    utc_offset_s : Array, shape (n,)
        Of the homes' clocks, in whole quarters of an hour. [s]
    """
    quarters, n = seen.shape
    habits = Habits(n)
    by_hour = np.empty((quarters, n, HOURS_AHEAD), dtype=np.float32)
    local_s = start_epoch_s + utc_offset_s
    for quarter in range(quarters):
        now_s = local_s + quarter * QUARTER_S
        if quarter > 0:
            habits.learn(now_s - QUARTER_S / 2.0, seen[quarter])
        by_hour[quarter] = habits.usual(now_s[:, np.newaxis] + HOUR_S * np.arange(HOURS_AHEAD))
    return PresenceForecast(by_hour, (local_s // QUARTER_S).astype(np.int64) % QUARTERS_PER_H)


def until_return_s(presence_ahead: Array) -> Array:
    """Time until somebody is usually in again after a time when nobody is, infinite without such a return. [s]

    An instant at which somebody is usually in begins with the time after that (``control.presence.next_return``).
    """
    likely = presence_ahead >= LIKELY
    returns = likely[:, 1:] & ~likely[:, :-1]
    return np.where(returns.any(axis=1), (np.argmax(returns, axis=1) + 1) * QUARTER_S, np.inf)


def mean_between(presence_ahead: Array, start_s: float, end_s: float) -> Array:
    """Mean chance between two times from now, over the points that the engine takes; shape (n,)."""
    quarters = [int(point_s // QUARTER_S) for point_s in points_s(start_s, end_s)]
    return np.asarray(presence_ahead[:, quarters].mean(axis=1))
