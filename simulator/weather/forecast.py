"""Weather forecasts whose error grows with the horizon and persists.

A forecast of hour v issued at hour k is the truth plus everything that happens to the error on the way:

    error(k, v) = start(k) + sum over i in k..v of keep^(v - i) shock(i)

so the next forecast of the same hour has lost just one shock of many, errors of neighbouring hours resemble each other,
and no forecast tells which way the next will move. Shocks know nothing of the weather: forecasts are unbiased.

Outdoor temperature: 0.6 K for the hour that begins, 1.0 K six hours ahead, 1.5 K a day ahead. Assumed: a global model
alone is about 2 K off at stations in its first days (figures of Z. Ben Bouallegue et al., "Statistical modeling of 2-m
temperature and 10-m wind speed forecast errors", Monthly Weather Review 151(4), 2023, doi:10.1175/MWR-D-22-0107.1,
[from memory]), a forecast that is corrected by nearby stations less.

Sun: an error of the clear-sky index (sun over the sun of a clear sky) that cannot leave 0..1.08, so that a clear or
overcast hour is hardly missed and a broken sky is. It makes 20-35 % of the mean by day a day ahead where skies are
mixed, as R. Perez et al. found for single sites, "Comparison of numerical weather prediction solar irradiance forecasts
in the US, Canada and Europe", Solar Energy 94, 2013, doi:10.1016/j.solener.2013.05.005 [figures from memory].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.physics.moist_air import Array
from simulator.records import Table
from simulator.weather.generator import clear_sky_w_m2

HOURS_AHEAD = 24
ROWS_PER_HOUR = 12
HIGHEST_CLEARNESS = 1.08  # sun of an hour over that of Haurwitz's clear sky, seen beside bright clouds


@dataclass(frozen=True, slots=True)
class Spread:
    """Sizes of a forecast's error."""

    start: float  # standard deviation when it is issued
    start_memory_h: float
    shock: float  # standard deviation of what an hour adds
    shock_memory_h: float

    def after(self, hours: float) -> float:
        """Standard deviation for the hour that begins ``hours`` after the issue."""
        keep = np.exp(-2.0 / self.shock_memory_h)
        return float(np.sqrt(self.start**2 + self.shock**2 * (1.0 - keep ** (hours + 1.0)) / (1.0 - keep)))


OUTDOOR_K = Spread(start=0.40, start_memory_h=24.0, shock=0.44, shock_memory_h=24.0)
CLEARNESS = Spread(start=0.08, start_memory_h=6.0, shock=0.12, shock_memory_h=6.0)


class Forecasts:
    """Forecasts for some weathers at any row, issued every hour.

    Parameters
    ----------
    skies : Table, shape (rows, weathers)
        Of ``Sky``, every 5 minutes from a full hour on. Beyond its end the last day comes again.
    rngs : sequence of numpy.random.Generator
        One for each weather: its errors do not depend on who else is forecast.
    """

    def __init__(self, skies: Table, rngs: Sequence[np.random.Generator]) -> None:
        if skies.ndim != 2 or skies.shape[1] != len(rngs):
            raise ValueError(f"expected rows of skies for {len(rngs)} weathers, got the shape {skies.shape}")
        outdoor_c, solar_w_m2, clear_w_m2 = (
            _hours(values) for values in (skies["outdoor_c"], skies["global_w_m2"], clear_sky_w_m2(skies["sun_up"]))
        )
        issues = len(outdoor_c) - HOURS_AHEAD
        index = np.arange(issues)[:, np.newaxis] + np.arange(HOURS_AHEAD + 1)
        self._outdoor_c = np.empty((issues, len(rngs), HOURS_AHEAD + 1), dtype=np.float32)
        self._solar_w_m2 = np.empty_like(self._outdoor_c)
        for weather, rng in enumerate(rngs):
            self._outdoor_c[:, weather] = outdoor_c[index, weather] + _errors(rng, issues, OUTDOOR_K)
            clear = np.maximum(clear_w_m2[index, weather], 1e-9)
            clearness = solar_w_m2[index, weather] / clear
            room = np.maximum(np.minimum(clearness, HIGHEST_CLEARNESS - clearness), 0.0)
            error = room * np.tanh(_errors(rng, issues, CLEARNESS) / np.maximum(room, 1e-9))
            self._solar_w_m2[:, weather] = clear * (clearness + error)

    def at(self, row: int) -> tuple[Array, Array]:
        """Outdoor temperature [°C] and sun on the horizontal [W/m2] as forecast: means of the next 24 hours from the
        beginning of a row, by the last forecast that was issued; shape (weathers, 24) each."""
        return self._from(self._outdoor_c, row), self._from(self._solar_w_m2, row)

    def _from(self, values: NDArray[np.float32], row: int) -> Array:
        """What the last issue says from a row on, which may begin within an hour."""
        issue, rows = divmod(row, ROWS_PER_HOUR)
        share = rows / ROWS_PER_HOUR
        hours = values[issue].astype(np.float64)
        return np.asarray((1.0 - share) * hours[:, :-1] + share * hours[:, 1:])


def _hours(values: NDArray[np.float64]) -> Array:
    """Means of hours, and a day more in which the last comes again; shape (hours + 25, weathers)."""
    hours = -(-len(values) // ROWS_PER_HOUR)
    padded = np.concatenate([values, np.repeat(values[-1:], hours * ROWS_PER_HOUR - len(values), axis=0)])
    means = padded.reshape(hours, ROWS_PER_HOUR, -1).mean(axis=1)
    return np.concatenate([means, np.resize(means[-HOURS_AHEAD:], (HOURS_AHEAD + 1, means.shape[1]))])


def _errors(rng: np.random.Generator, issues: int, spread: Spread) -> Array:
    """Errors by issue and hour ahead; shape (issues, 25)."""
    start = spread.start * _remembering(rng, issues, spread.start_memory_h)
    shocks = spread.shock * rng.standard_normal(issues + HOURS_AHEAD)
    keep = np.exp(-1.0 / spread.shock_memory_h)
    grown = np.zeros(issues)
    errors = np.empty((issues, HOURS_AHEAD + 1))
    for ahead in range(HOURS_AHEAD + 1):
        grown = keep * grown + shocks[ahead : ahead + issues]
        errors[:, ahead] = start + grown
    return errors


def _remembering(rng: np.random.Generator, hours: int, memory_h: float) -> Array:
    """Standard normal noise that forgets over ``memory_h`` hours."""
    keep = float(np.exp(-1.0 / memory_h))
    shocks = np.sqrt(1.0 - keep**2) * rng.standard_normal(hours)
    level, levels = float(rng.standard_normal()), np.empty(hours)
    for hour, shock in enumerate(shocks.tolist()):
        level = keep * level + shock
        levels[hour] = level
    return levels
