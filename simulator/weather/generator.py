"""Weather of a home, generated: at any instant of any year, the same for the same seed.

Nothing is stored and nothing is stepped: each day's disturbance is a hash of (key, day), so an instant of any year can
be asked for, in any order, in arrays. Persistence comes from weighing the disturbances of the days before.

    T(t) = normal(t) + sigma(t) a(day) + range(t) s(cloud) d(solar hour)
    Td(t) = normal(t) + sigma(t) a(day) - depression(t) exp(0.45 b(day) - 0.45^2 / 2)
    G(t) = 1098 cos(z) exp(-0.059 / cos(z)) (1 - 0.75 n^3.4)
    n(t) = 1 / (1 + exp(-m(t) - 2.8 c(t)))
    v(t) = normal(t) (1 + 0.32 cos(2 pi (h - 15) / 24)) exp(0.53 w(t) - 0.53^2 / 2)

a, b, c and w are standard normal disturbances; a has the climate's persistence from day to day and a slow part that
makes heat waves and cold spells; in summer a clear day is a hot one, and on any day a clear sky goes with dry air. The
depression of the dew point and m are solved for each month, so that mean humidity and mean sun are the normals'.

d is the mean daily course of D. Erbs, S. Klein and W. Beckman, "Estimation of degree-days and ambient temperature bin
data from monthly-average temperatures", ASHRAE Journal 25(6), 1983. The clear sky is that of B. Haurwitz, "Insolation
in relation to cloudiness and cloud density", Journal of Meteorology 2, 1945; n, the share of the sky in cloud, acts
after F. Kasten and G. Czeplak, "Solar and terrestrial radiation dependent on the amount and type of cloud", Solar
Energy 24, 1980, doi:10.1016/0038-092X(80)90391-6. The sizes of the disturbances are ours, chosen so that statistics of
days agree with those of eleven weather files (``tests/simulator/test_generated_weather.py``).

Usage::

    weather = GeneratedWeather(np.random.default_rng(3), SHANGHAI)  # one home: answers have the shape of the question
    outdoor_c, humidity_pct, solar_w_m2 = weather.at(epoch_s)
    skies = weather.sky_rows(start_epoch_s, rows=365 * 288)  # all that acts on a building, every 5 minutes

    weather = GeneratedWeather(np.random.default_rng(3), SHANGHAI, homes=1000)  # a weather of its own for each home
    weather.at(epoch_s[:, np.newaxis])  # (t, 1) -> (t, 1000), fast: each day is computed once
    weather.at(own_epoch_s)  # (1000,) -> (1000,), each home at its own instant
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.physics.moist_air import WATER_DENSITY_RATIO, Array, pressure_at_pa, saturation_pressures_pa
from simulator.records import Table
from simulator.weather import sky
from simulator.weather.climates import MIDDLE_DAY, MONTHS, SHANGHAI, Climate, Monthly
from simulator.weather.sky import DAY_S, sun_height_sine, year_ratio

MEMORY_DAYS = 20  # disturbances older than this have faded below 1 %
CLOUD_PERSISTENCE = 0.25  # of the disturbance at noon; straight lines between noons add to it
DRY_PERSISTENCE = 0.5
WIND_PERSISTENCE = 0.3
SLOW_DAYS = 9.0  # spacing of the nodes of heat waves and cold spells
SLOW_SHARE = 0.35  # of their disturbance, beside the daily one
CLOUD_STEEPNESS = 2.8  # how far a disturbance moves the sky from overcast to clear
DRY_SPREAD = 0.45  # of the logarithm of the dew point's depression,
DRY_SPREAD_K = 6.0  # or, where the air is very dry, of the depression itself
SWING_SPREAD = 0.22  # of the day's range, beside what clouds do to it
WIND_SPREAD = 0.53  # of the logarithm of the wind
WIND_SWING = 0.32  # of the day, about its mean

_TEMPERATURE, _SLOW, _CLOUD, _DRY, _CLOUD_3H, _CLOUD_15MIN, _GUST, _WIND, _WIND_3H, _SWING = range(
    10
)  # streams of the hash


class Outdoor(NamedTuple):
    """Weather at some instants, arrays of one shape."""

    outdoor_c: Array
    humidity_pct: Array
    solar_w_m2: Array  # on the horizontal


class _Air(NamedTuple):
    """All there is at some instants, arrays of one shape."""

    outdoor_c: Array
    dew_c: Array
    solar_w_m2: Array
    cloud_ratio: Array
    wind_m_s: Array


class _Day(NamedTuple):
    """Disturbances that last about a day, standard normal."""

    temperature: Array
    cloud: Array
    dry: Array
    wind: Array
    swing: Array


class GeneratedWeather:
    """Weather of one home, or of ``homes`` homes with a weather each, in one climate.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides everything that is random, at the start; equal generators give equal weather for ever.
    climate : Climate
        Monthly normals and the place.
    homes : int, optional
        Number of weathers. Without it there is one, and answers have the shape of the question.
    """

    def __init__(self, rng: np.random.Generator, climate: Climate = SHANGHAI, homes: int | None = None) -> None:
        self.climate = climate
        self._keys = np.asarray(rng.integers(0, 2**63, size=homes, dtype=np.uint64))
        self._solved = _solve(climate)

    def at(self, epoch_s: ArrayLike) -> Outdoor:
        """Weather at instants.

        Parameters
        ----------
        epoch_s : ArrayLike
            Seconds since 1970-01-01T00:00Z; broadcast against (homes,). With a last axis of one, or with a single
            home, each day is computed once, which is fast for long series. [s]
        """
        air = self._air(np.asarray(epoch_s, dtype=np.float64))
        humidity_pct = 100.0 * saturation_pressures_pa(air.dew_c) / saturation_pressures_pa(air.outdoor_c)
        return Outdoor(air.outdoor_c, np.clip(humidity_pct, 5.0, 100.0), air.solar_w_m2)

    def sky_rows(self, start_epoch_s: float, rows: int, step_s: float = 300.0) -> Table:
        """Rows of ``Sky`` from an instant on, of one weather; shape (rows,)."""
        day_rows = round(DAY_S / step_s)
        at_s = np.asarray(start_epoch_s + step_s * (np.arange(-day_rows, rows) + 0.5))
        air = self._air(at_s)
        daily_mean_c = sky.last_day_mean(air.outdoor_c, step_s)
        at_s = at_s[day_rows:]
        air = _Air(*(values[day_rows:] for values in air))
        sun = sky.sun(at_s, self.climate.latitude, self.climate.longitude)
        direct_w_m2, diffuse_w_m2 = sky.split_global(air.solar_w_m2, sun)
        vapour_pa = saturation_pressures_pa(air.dew_c)
        return sky.fill(
            rows,
            outdoor_c=air.outdoor_c,
            humidity_kg_kg=WATER_DENSITY_RATIO * vapour_pa / (pressure_at_pa(self.climate.elevation_m) - vapour_pa),
            wind_m_s=air.wind_m_s,
            direct_normal_w_m2=direct_w_m2,
            diffuse_w_m2=diffuse_w_m2,
            global_w_m2=air.solar_w_m2,
            sun_east=sun.east,
            sun_north=sun.north,
            sun_up=sun.up,
            sky_c=sky.sky_temperature_c(air.outdoor_c, air.dew_c, air.cloud_ratio**2),  # opaque part: assumed
            ground_c=sky.ground_temperature_c(self.climate.mean_c, year_ratio(at_s / DAY_S)),
            daily_mean_c=daily_mean_c,
        )

    def _air(self, epoch_s: Array) -> _Air:
        climate, solved = self.climate, self._solved
        day = epoch_s / DAY_S
        solar_day = day + climate.longitude / 360.0
        solar_hour = 24.0 * (solar_day - np.floor(solar_day))
        year = year_ratio(day)
        disturbance = self._disturbance(solar_day)

        cloud_middle = _between_months(solved.cloud_middle, year)
        passing = 0.7 * self._between(_CLOUD_3H, day * 8.0) + 0.5 * self._between(_CLOUD_15MIN, day * 96.0)
        cloud_ratio = cloud_cover(cloud_middle, 0.8 * disturbance.cloud + 0.6 * passing)
        sun_height = sun_height_sine(epoch_s, climate.latitude, climate.longitude)
        solar_w_m2 = clear_sky_w_m2(sun_height) * _let_through(cloud_ratio)

        normal_c = _monthly(climate.mean_c, year)
        # In summer a clear day is a hot one; in winter, a frosty night.
        clear_is_hot = 0.5 * np.clip((normal_c - 8.0) / 12.0, -0.3, 1.0)
        slow = self._between(_SLOW, solar_day / SLOW_DAYS)
        own = np.sqrt(1.0 - SLOW_SHARE**2) * disturbance.temperature + SLOW_SHARE * slow
        anomaly = np.sqrt(1.0 - clear_is_hot**2) * own - clear_is_hot * disturbance.cloud
        day_c = normal_c + solved.swell * _monthly(climate.day_to_day_k, year) * anomaly
        clearness = _between_months(solved.cloud_mean, year) - cloud_cover(cloud_middle, disturbance.cloud)
        swing_ratio = np.maximum(0.92 + 0.9 * clearness + SWING_SPREAD * disturbance.swing, 0.1)
        swing_k = _monthly(climate.daily_range_k, year) * swing_ratio
        outdoor_c = day_c + swing_k * daily_course(solar_hour) + 0.25 * self._between(_GUST, day * 48.0)

        dry = 0.8 * disturbance.dry - 0.6 * disturbance.cloud
        depression_k = _depression_k(_between_months(solved.depression_k, year), dry)
        dew_c = np.minimum(day_c - depression_k, outdoor_c - 0.1)

        windy = 0.7 * disturbance.wind + 0.71 * self._between(_WIND_3H, day * 8.0)
        wind_m_s = _monthly(climate.wind_m_s, year) * np.exp(WIND_SPREAD * windy - 0.5 * WIND_SPREAD**2)
        wind_m_s *= 1.0 + WIND_SWING * np.cos(2.0 * np.pi * (solar_hour - 15.0) / 24.0)
        return _Air(outdoor_c, dew_c, solar_w_m2, cloud_ratio, wind_m_s)

    def _disturbance(self, solar_day: Array) -> _Day:
        """Disturbances between the noons of two days, linear in between."""
        since_noon = solar_day - 0.5
        day = np.floor(since_noon).astype(np.int64)
        share = since_noon - day
        if self._keys.ndim and day.shape[-1:] != (1,):
            before, after = self._days(day), self._days(day + 1)
        else:
            flat = day[..., 0] if self._keys.ndim else day
            some_days, where = np.unique(flat, return_inverse=True)
            rows = some_days[:, np.newaxis] if self._keys.ndim else some_days
            where = where.reshape(flat.shape)
            before = _Day(*(table[where] for table in self._days(rows)))
            after = _Day(*(table[where] for table in self._days(rows + 1)))
        return _Day(*(x + share * (y - x) for x, y in zip(before, after, strict=True)))

    def _days(self, day: NDArray[np.int64]) -> _Day:
        return _Day(
            self._persistent(_TEMPERATURE, day, self._solved.persistence),
            self._persistent(_CLOUD, day, CLOUD_PERSISTENCE),
            self._persistent(_DRY, day, DRY_PERSISTENCE),
            self._persistent(_WIND, day, WIND_PERSISTENCE),
            self._normal(_SWING, day),
        )

    def _persistent(self, stream: int, day: NDArray[np.int64], persistence: float) -> Array:
        """A first-order autoregression of unit variance, written as a sum so that any day can be asked for."""
        total = self._normal(stream, day)
        weight = 1.0
        for back in range(1, MEMORY_DAYS):
            weight *= persistence
            if weight < 0.01:
                break
            total = total + weight * self._normal(stream, day - back)
        return np.asarray(total * np.sqrt(1.0 - persistence**2))

    def _between(self, stream: int, position: Array) -> Array:
        """Noise with one value at each whole number and a straight line between, of about unit variance."""
        node = np.floor(position).astype(np.int64)
        share = position - node
        left, right = self._normal(stream, node), self._normal(stream, node + 1)
        return np.asarray(1.22 * (left + share * (right - left)))

    def _normal(self, stream: int, index: NDArray[np.int64]) -> Array:
        """A standard normal number that belongs to (key, stream, index)."""
        with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
            bits = _mix(self._keys + np.uint64(stream) + _mix(index.view(np.uint64)))
        first = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) / 2.0**32
        second = (bits & np.uint64(0xFFFF_FFFF)).astype(np.float64) / 2.0**32
        return np.asarray(np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second))


def clear_sky_w_m2(sun_height_sine: Array) -> Array:
    """Sun and sky on the horizontal without a cloud (Haurwitz). [W/m2]"""
    up = np.maximum(sun_height_sine, 1e-4)
    return np.where(sun_height_sine > 0.0, 1098.0 * up * np.exp(-0.059 / up), 0.0)


def cloud_cover(middle: Array, disturbance: Array) -> Array:
    """Share of the sky in cloud, 0..1."""
    return np.asarray(1.0 / (1.0 + np.exp(-middle - CLOUD_STEEPNESS * disturbance)))


def _let_through(cloud_ratio: Array) -> Array:
    """Share of the clear sky's radiation that clouds let through (Kasten and Czeplak)."""
    return np.asarray(1.0 - 0.75 * cloud_ratio**3.4)


def _depression_k(mean_k: Array, dry: Array) -> Array:
    """Depression of the dew point on a day that is drier than most by ``dry`` standard deviations. [K]"""
    spread = np.minimum(DRY_SPREAD, DRY_SPREAD_K / mean_k)
    return np.asarray(mean_k * np.exp(spread * dry - 0.5 * spread**2))


def daily_course(solar_hour: Array) -> Array:
    """Temperature less the day's mean, of a range of one kelvin (Erbs). [K per K]"""
    angle = 2.0 * np.pi * (solar_hour - 1.0) / 24.0
    return np.asarray(
        0.4632 * np.cos(angle - 3.805)
        + 0.0984 * np.cos(2.0 * angle - 0.360)
        + 0.0168 * np.cos(3.0 * angle - 0.822)
        + 0.0138 * np.cos(4.0 * angle - 3.513)
    )


@dataclass(frozen=True, slots=True)
class _Solved:
    """What makes a climate's means come out."""

    persistence: float  # of the temperature's disturbance from noon to noon
    swell: float  # of that disturbance, as the straight lines between noons shrink a day's mean
    cloud_middle: Array  # (12,)
    cloud_mean: Array
    depression_k: Array


# Equal shares of a normal distribution, for means over it.
_QUANTILES = np.array([NormalDist().inv_cdf((index + 0.5) / 20.0) for index in range(20)])
_QUANTILES /= _QUANTILES.std()


@lru_cache(maxsize=256)
def _solve(climate: Climate) -> _Solved:
    persistence, swell = _day_mean_of_noons(climate.persistence)
    ratio = MIDDLE_DAY / 365.0
    hour = np.arange(0.0, 24.0, 0.25)
    middle_s = DAY_S * (MIDDLE_DAY[:, np.newaxis] + hour / 24.0 - climate.longitude / 360.0)
    sun = sky.sun(DAY_S * sky.NEW_YEAR_2000_DAY + middle_s, climate.latitude, climate.longitude)
    clear = clear_sky_w_m2(sun.up).mean(axis=1) / (sun.beam_above_air_w_m2 * np.maximum(sun.up, 0.0)).mean(axis=1)
    first, second = climate.angstrom
    let_through = (first + second * _monthly(climate.sunshine_ratio, ratio)) / clear
    cloud_middle = _bisect(
        lambda middle: -_let_through(cloud_cover(middle[:, np.newaxis], 0.95 * _QUANTILES)).mean(axis=1),
        -np.clip(let_through, 0.26, 0.99),
        -8.0,
        8.0,
    )
    normal_c = _monthly(climate.mean_c, ratio)[:, np.newaxis, np.newaxis]
    own_k = _monthly(climate.daily_range_k, ratio)[:, np.newaxis] * daily_course(hour)
    outdoor_c = normal_c + own_k[:, np.newaxis, :]

    def dryness(mean_k: Array) -> Array:
        depression_k = _depression_k(mean_k[:, np.newaxis], _QUANTILES)
        dew_c = np.minimum(normal_c - depression_k[:, :, np.newaxis], outdoor_c - 0.1)
        humidity_ratio = saturation_pressures_pa(dew_c) / saturation_pressures_pa(outdoor_c)
        return np.asarray(-100.0 * humidity_ratio.mean(axis=(1, 2)))

    return _Solved(
        persistence=persistence,
        swell=swell,
        cloud_middle=cloud_middle,
        cloud_mean=cloud_cover(cloud_middle[:, np.newaxis], _QUANTILES).mean(axis=1),
        depression_k=_bisect(dryness, -_monthly(climate.humidity_pct, ratio), 0.1, 60.0),
    )


def _day_mean_of_noons(persistence: float) -> tuple[float, float]:
    """Persistence from noon to noon and a factor, such that means of days have a persistence and unit variance.

    A day's mean of straight lines between noons is an eighth of each neighbour's noon and six eighths of its own.
    """
    weights = np.array([0.125, 0.75, 0.125])
    lag = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    ahead = np.abs(np.subtract.outer(np.arange(3), np.arange(3) + 1))
    choices = np.linspace(0.0, 0.95, 96)
    variance = np.array([weights @ (choice**lag) @ weights for choice in choices])
    next_day = np.array([weights @ (choice**ahead) @ weights for choice in choices])
    noon = float(np.interp(persistence, next_day / variance, choices))
    return noon, float(1.0 / np.sqrt(np.interp(noon, choices, variance)))


def _bisect(rising: Callable[[Array], Array], target: Array, low: float, high: float) -> Array:
    """Where a function that rises in each month meets its target."""
    lows, highs = np.full(target.shape, low), np.full(target.shape, high)
    for _ in range(40):
        middles = 0.5 * (lows + highs)
        below = rising(middles) < target
        lows, highs = np.where(below, middles, lows), np.where(below, highs, middles)
    return np.asarray(0.5 * (lows + highs))


_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finaliser of splitmix64: G. Steele, D. Lea and C. Flood, OOPSLA 2014, doi:10.1145/2660193.2660195."""
    bits = bits + _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return bits ^ (bits >> np.uint64(31))


def _monthly(normals: Monthly, ratio: Array) -> Array:
    """A monthly normal between the middles of the months."""
    return _between_months(_nodes(normals), ratio)


def _between_months(nodes: Array, ratio: Array) -> Array:
    """A straight line between values at the middles of the months."""
    position = ratio * MONTHS - 0.5
    month = np.floor(position).astype(np.int64)
    left, right = nodes[month % MONTHS], nodes[(month + 1) % MONTHS]
    return np.asarray(left + (position - month) * (right - left))


@lru_cache(maxsize=512)
def _nodes(normals: Monthly) -> Array:
    """Values at the middles of the months, between which straight lines have the normals as their monthly means.

    A line through the normals themselves would cut the tops off summer and winter: over a month its mean is an eighth
    of each neighbour's value and six eighths of the month's own.
    """
    neighbours = np.roll(np.eye(MONTHS), 1, axis=1) + np.roll(np.eye(MONTHS), -1, axis=1)
    return np.asarray(np.linalg.solve(0.75 * np.eye(MONTHS) + 0.125 * neighbours, np.asarray(normals)))
