"""Weather of a home: temperature, humidity and sun at any instant, the same for the same seed.

Nothing is stored and nothing is stepped: each day's disturbance is a hash of (key, day), so an instant of any year can
be asked for, in any order, in arrays. Persistence comes from weighing the disturbances of the days before.

    T(t) = normal(t) + sigma(t) a(day) + range(t) s(cloud) d(solar hour)
    Td(t) = dew point of the monthly humidity + its own persistent disturbance
    G(t) = 1098 cos(z) exp(-0.059 / cos(z)) (1 - 0.75 n^3.4)

d is the mean daily course of D. Erbs, S. Klein and W. Beckman, "Estimation of degree-days and ambient temperature bin
data from monthly-average temperatures", ASHRAE Journal 25(6), 1983. The clear sky is that of B. Haurwitz, "Insolation
in relation to cloudiness and cloud density", Journal of Meteorology 2, 1945; n, the share of the sky in cloud, acts
after F. Kasten and G. Czeplak, "Solar and terrestrial radiation dependent on the amount and type of cloud", Solar
Energy 24, 1980, doi:10.1016/0038-092X(80)90391-6.

Usage::

    weather = Weather(np.random.default_rng(3), SHANGHAI)  # one home: answers have the shape of the question
    outdoor_c, humidity_pct, solar_w_m2 = weather.at(epoch_s)

    weather = Weather(np.random.default_rng(3), SHANGHAI, homes=1000)  # a weather of its own for each home
    weather.at(epoch_s[:, np.newaxis])  # (t, 1) -> (t, 1000), fast: each day is computed once
    weather.at(own_epoch_s)  # (1000,) -> (1000,), each home at its own instant
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.physics.room import Array, humidity_ratio, saturation_pressure_pa
from simulator.records import Table
from simulator.weather import sky
from simulator.weather.sky import DAY_S, sun_height_sine, year_ratio

MONTHS = 12

MEMORY_DAYS = 20  # disturbances older than this have faded below 1 %
PERSISTENCE = 0.7  # of the temperature's disturbance from day to day
CLOUD_PERSISTENCE = 0.35
SLOW_DAYS = 9.0  # spacing of the nodes of heat waves and cold spells

_TEMPERATURE, _SLOW, _CLOUD, _DEW, _CLOUD_3H, _CLOUD_15MIN, _GUST = range(7)  # streams of the hash


@dataclass(frozen=True, slots=True)
class Climate:
    """Monthly normals of a place, January first; an empty source says that the figures are from memory, rounded."""

    name: str
    latitude: float  # degrees north
    longitude: float  # degrees east
    mean_c: tuple[float, ...]
    daily_range_k: tuple[float, ...]  # mean of daily maximum less minimum
    day_to_day_k: tuple[float, ...]  # standard deviation of the daily mean
    humidity_pct: tuple[float, ...]
    sunshine_ratio: tuple[float, ...]  # of the possible hours, 0..1
    source: str = ""


SHANGHAI = Climate(
    name="Shanghai",
    latitude=31.2,
    longitude=121.4,
    mean_c=(4.9, 6.7, 10.9, 16.2, 21.3, 24.9, 28.9, 28.7, 24.9, 19.7, 13.9, 7.4),
    daily_range_k=(6.6, 7.0, 7.8, 8.4, 8.3, 6.8, 7.0, 6.6, 6.5, 7.0, 7.2, 7.0),
    day_to_day_k=(3.2, 3.6, 3.7, 3.4, 2.8, 2.4, 2.2, 1.9, 2.4, 2.6, 3.3, 3.3),
    humidity_pct=(71, 71, 70, 68, 69, 78, 74, 75, 73, 70, 71, 69),
    sunshine_ratio=(0.37, 0.38, 0.39, 0.42, 0.42, 0.32, 0.48, 0.50, 0.43, 0.46, 0.42, 0.42),
)
GUANGZHOU = Climate(
    name="Guangzhou",
    latitude=23.1,
    longitude=113.3,
    mean_c=(13.8, 15.6, 18.6, 22.7, 26.2, 28.0, 28.9, 28.8, 27.6, 24.8, 20.2, 15.3),
    daily_range_k=(8.0, 7.2, 6.8, 7.0, 7.2, 7.0, 7.6, 7.7, 7.8, 8.4, 8.8, 8.8),
    day_to_day_k=(3.5, 3.8, 3.6, 2.8, 2.1, 1.5, 1.3, 1.3, 1.6, 2.0, 2.9, 3.4),
    humidity_pct=(72, 77, 81, 82, 81, 82, 79, 80, 77, 71, 69, 67),
    sunshine_ratio=(0.35, 0.23, 0.17, 0.21, 0.32, 0.38, 0.50, 0.49, 0.49, 0.52, 0.49, 0.47),
)
BEIJING = Climate(
    name="Beijing",
    latitude=39.9,
    longitude=116.4,
    mean_c=(-2.7, 0.6, 7.5, 15.1, 21.3, 25.3, 27.2, 26.1, 21.2, 13.8, 5.2, -0.9),
    daily_range_k=(9.8, 10.2, 11.2, 11.8, 11.9, 10.6, 8.8, 8.6, 9.9, 10.2, 9.4, 9.2),
    day_to_day_k=(2.7, 3.0, 3.6, 3.4, 3.0, 2.7, 2.2, 1.9, 2.3, 2.9, 3.2, 2.7),
    humidity_pct=(43, 42, 40, 43, 47, 58, 69, 71, 64, 58, 54, 46),
    sunshine_ratio=(0.61, 0.62, 0.63, 0.62, 0.61, 0.53, 0.45, 0.51, 0.56, 0.60, 0.57, 0.59),
)
HARBIN = Climate(
    name="Harbin",
    latitude=45.8,
    longitude=126.6,
    mean_c=(-17.6, -12.4, -2.6, 8.1, 15.7, 21.3, 23.5, 21.7, 15.5, 6.5, -5.1, -14.8),
    daily_range_k=(10.4, 11.0, 10.6, 11.6, 11.8, 10.8, 9.0, 9.2, 10.8, 10.2, 9.0, 9.2),
    day_to_day_k=(4.2, 4.3, 4.2, 3.9, 3.4, 2.8, 2.1, 2.1, 2.7, 3.5, 4.6, 4.4),
    humidity_pct=(71, 66, 54, 46, 50, 62, 75, 77, 69, 61, 64, 70),
    sunshine_ratio=(0.56, 0.62, 0.62, 0.57, 0.57, 0.57, 0.52, 0.55, 0.60, 0.58, 0.54, 0.51),
)
CLIMATES = (SHANGHAI, GUANGZHOU, BEIJING, HARBIN)


class Outdoor(NamedTuple):
    """Weather at some instants, arrays of one shape."""

    outdoor_c: Array
    humidity_pct: Array
    solar_w_m2: Array  # on the horizontal


class _Day(NamedTuple):
    """Disturbances that last about a day, standard normal."""

    temperature: Array
    cloud: Array
    dew: Array


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

    def at(self, epoch_s: ArrayLike) -> Outdoor:
        """Weather at instants.

        Parameters
        ----------
        epoch_s : ArrayLike
            Seconds since 1970-01-01T00:00Z; broadcast against (homes,). With a last axis of one, or with a single
            home, each day is computed once, which is fast for long series. [s]
        """
        epoch_s = np.asarray(epoch_s, dtype=np.float64)
        climate = self.climate
        day = epoch_s / DAY_S
        solar_day = day + climate.longitude / 360.0
        year = year_ratio(day)
        disturbance = self._disturbance(solar_day)

        sun_height = sun_height_sine(epoch_s, climate.latitude, climate.longitude)
        sunshine = _monthly(climate.sunshine_ratio, year)
        day_cloud = _cloud_cover(disturbance.cloud, sunshine)
        passing = 0.7 * self._between(_CLOUD_3H, day * 8.0) + 0.5 * self._between(_CLOUD_15MIN, day * 96.0)
        cloud = _cloud_cover(0.8 * disturbance.cloud + 0.6 * passing, sunshine)
        solar_w_m2 = clear_sky_w_m2(sun_height) * (1.0 - 0.75 * cloud**3.4)

        normal_c = _monthly(climate.mean_c, year)
        # In summer a clear day is a hot one; in winter, a frosty night.
        clear_is_hot = np.clip((normal_c - 12.0) / 15.0, -0.5, 1.0)
        slow = self._between(_SLOW, solar_day / SLOW_DAYS)
        anomaly = 0.75 * disturbance.temperature + 0.6 * slow - 0.4 * clear_is_hot * disturbance.cloud
        swing_k = _monthly(climate.daily_range_k, year) * (0.6 + 1.0 * (1.0 - day_cloud))
        outdoor_c = (
            normal_c
            + _monthly(climate.day_to_day_k, year) * anomaly
            + swing_k * daily_course(24.0 * (solar_day - np.floor(solar_day)))
            + 0.25 * self._between(_GUST, day * 48.0)
        )

        dew_c = _dew_point_c(normal_c, _monthly(climate.humidity_pct, year))
        dew_c = dew_c + 0.6 * _monthly(climate.day_to_day_k, year) * anomaly + 1.3 * disturbance.dew
        dew_c = np.minimum(dew_c + 0.5 * (day_cloud - 0.5), outdoor_c - 0.2)
        humidity_pct = 100.0 * saturation_pressure_pa(dew_c) / saturation_pressure_pa(outdoor_c)
        return Outdoor(outdoor_c, np.clip(humidity_pct, 5.0, 100.0), solar_w_m2)

    def sky_rows(self, start_epoch_s: float, rows: int, step_s: float = 300.0) -> Table:
        """Rows of ``Sky`` from an instant on, of one weather; shape (rows,)."""
        day_rows = round(DAY_S / step_s)
        at_s = np.asarray(start_epoch_s + step_s * (np.arange(-day_rows, rows) + 0.5))
        outdoor = self.at(at_s)
        daily_mean_c = sky.last_day_mean(outdoor.outdoor_c, step_s)
        at_s = at_s[day_rows:]
        outdoor_c, humidity_pct, solar_w_m2 = (values[day_rows:] for values in outdoor)
        ratio = year_ratio(at_s / DAY_S)
        sun = sky.sun(at_s, self.climate.latitude, self.climate.longitude)
        direct_w_m2, diffuse_w_m2 = sky.split_global(solar_w_m2, sun)
        sunshine = _monthly(self.climate.sunshine_ratio, ratio)
        return sky.fill(
            rows,
            outdoor_c=outdoor_c,
            humidity_kg_kg=humidity_ratio(outdoor_c, humidity_pct),
            wind_m_s=np.full(rows, 3.0),
            direct_normal_w_m2=direct_w_m2,
            diffuse_w_m2=diffuse_w_m2,
            global_w_m2=solar_w_m2,
            sun_east=sun.east,
            sun_north=sun.north,
            sun_up=sun.up,
            sky_c=sky.sky_temperature_c(outdoor_c, _dew_point_c(outdoor_c, humidity_pct), 1.0 - sunshine),
            ground_c=sky.ground_temperature_c(self.climate.mean_c, ratio),
            daily_mean_c=daily_mean_c,
        )

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
            self._persistent(_TEMPERATURE, day, PERSISTENCE),
            self._persistent(_CLOUD, day, CLOUD_PERSISTENCE),
            self._persistent(_DEW, day, PERSISTENCE),
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


Weather = GeneratedWeather


def clear_sky_w_m2(sun_height_sine: Array) -> Array:
    """Sun and sky on the horizontal without a cloud (Haurwitz). [W/m2]"""
    up = np.maximum(sun_height_sine, 1e-4)
    return np.where(sun_height_sine > 0.0, 1098.0 * up * np.exp(-0.059 / up), 0.0)


def daily_course(solar_hour: Array) -> Array:
    """Temperature less the day's mean, of a range of one kelvin (Erbs). [K per K]"""
    angle = 2.0 * np.pi * (solar_hour - 1.0) / 24.0
    return np.asarray(
        0.4632 * np.cos(angle - 3.805)
        + 0.0984 * np.cos(2.0 * angle - 0.360)
        + 0.0168 * np.cos(3.0 * angle - 0.822)
        + 0.0138 * np.cos(4.0 * angle - 3.513)
    )


_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finaliser of splitmix64: G. Steele, D. Lea and C. Flood, OOPSLA 2014, doi:10.1145/2660193.2660195."""
    bits = bits + _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return bits ^ (bits >> np.uint64(31))


def _monthly(normals: tuple[float, ...], year_ratio: Array) -> Array:
    """A monthly normal between the middles of the months."""
    position = year_ratio * MONTHS - 0.5
    month = np.floor(position).astype(np.int64)
    table = _nodes(normals)
    left, right = table[month % MONTHS], table[(month + 1) % MONTHS]
    return np.asarray(left + (position - month) * (right - left))


@lru_cache(maxsize=128)
def _nodes(normals: tuple[float, ...]) -> Array:
    """Values at the middles of the months, between which straight lines have the normals as their monthly means.

    A line through the normals themselves would cut the tops off summer and winter: over a month its mean is an eighth
    of each neighbour's value and six eighths of the month's own.
    """
    neighbours = np.roll(np.eye(MONTHS), 1, axis=1) + np.roll(np.eye(MONTHS), -1, axis=1)
    return np.asarray(np.linalg.solve(0.75 * np.eye(MONTHS) + 0.125 * neighbours, np.asarray(normals)))


def _cloud_cover(disturbance: Array, sunshine_ratio: Array) -> Array:
    """Share of the sky in cloud, 0..1.

    The two constants make the mean sun of a month agree with 0.25 + 0.50 times the share of sunshine of what falls on
    the top of the air, the common form of A. Angstrom (Quarterly Journal of the Royal Meteorological Society 50, 1924).
    """
    usual = np.log((1.0 - sunshine_ratio) / sunshine_ratio)
    return np.asarray(1.0 / (1.0 + np.exp(-0.75 - 1.6 * usual - 2.0 * disturbance)))


def _dew_point_c(temperature_c: Array, humidity_pct: Array) -> Array:
    """Dew point by the inverse of the Magnus form. [°C]"""
    gamma = np.log(humidity_pct / 100.0 * saturation_pressure_pa(temperature_c) / 610.94)
    return np.asarray(243.04 * gamma / (17.625 - gamma))
