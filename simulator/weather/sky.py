"""What the sky does to a building, one row a step; and where the sun stands.

A row holds for the step that begins at ``start_epoch_s + row * step_s`` and is taken at its middle.

References
----------
Sun: J. Spencer, "Fourier series representation of the position of the sun", Search 2(5), 1971.
Diffuse share: D. Erbs, S. Klein and J. Duffie, "Estimation of the diffuse radiation fraction for hourly, daily and
monthly-average global radiation", Solar Energy 28(4), 1982, doi:10.1016/0038-092X(82)90302-4.
Sky temperature: EnergyPlus Engineering Reference, "Sky radiation modeling": G. Clark and C. Allen, 1978, clouds after
G. Walton, 1983.
Ground: T. Kusuda and P. Achenbach, "Earth temperature and thermal diffusivity at selected stations in the United
States", ASHRAE Transactions 71(1), 1965.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from simulator.physics.moist_air import ZERO_C_K, Array
from simulator.records import Table, record, table

DAY_S = 86_400.0
YEAR_DAYS = 365.2425
NEW_YEAR_2000_DAY = 10_957  # days from 1970-01-01 to 2000-01-01
SOLAR_CONSTANT_W_M2 = 1361.0  # G. Kopp and J. Lean, 2011, doi:10.1029/2010GL045777
STEFAN_BOLTZMANN_W_M2_K4 = 5.670374e-8
LOWEST_SUN = 0.05  # sine of 2.9 degrees; assumed: below it all sun counts as diffuse, as direct = beam / sine explodes


@record
class Sky:
    """Weather during one step."""

    outdoor_c: float
    humidity_kg_kg: float  # water in the air, per kg of dry air
    wind_m_s: float  # at 10 m
    direct_normal_w_m2: float
    diffuse_w_m2: float  # on the horizontal
    global_w_m2: float  # on the horizontal: direct_normal * sun_up + diffuse
    sun_east: float  # unit vector to the sun
    sun_north: float
    sun_up: float  # not above zero: night
    sky_c: float  # effective temperature of the sky for long waves
    ground_c: float  # undisturbed ground at about 1 m
    daily_mean_c: float  # mean outdoor temperature of the last 24 h


class HasSky(Protocol):
    """A weather that can be laid out in rows."""

    def sky_rows(self, start_epoch_s: float, rows: int, step_s: float = 300.0) -> Table: ...


def fill(rows: int, **columns: Array) -> Table:
    """A table of ``Sky`` from its columns, each of shape (rows,)."""
    skies = table(Sky, rows)
    for name, values in columns.items():
        skies[name] = values
    return skies


class Sun(NamedTuple):
    """Unit vector to the sun, and sun on a plane facing it above the air, arrays of one shape."""

    east: Array
    north: Array
    up: Array
    beam_above_air_w_m2: Array


def sun(epoch_s: ArrayLike, latitude: float, longitude: float) -> Sun:
    """Where the sun stands (Spencer), within 0.01 of the true vector.

    Parameters
    ----------
    epoch_s : ArrayLike
        Seconds since 1970-01-01T00:00Z. [s]
    latitude, longitude : float
        Degrees north and east.
    """
    day = np.asarray(epoch_s, dtype=np.float64) / DAY_S
    angle = 2.0 * np.pi * year_ratio(day)
    sine, cosine, sine2, cosine2 = np.sin(angle), np.cos(angle), np.sin(2.0 * angle), np.cos(2.0 * angle)
    declination = (
        0.006918
        - 0.399912 * cosine
        + 0.070257 * sine
        - 0.006758 * cosine2
        + 0.000907 * sine2
        - 0.002697 * np.cos(3.0 * angle)
        + 0.00148 * np.sin(3.0 * angle)
    )
    minutes = 229.18 * (0.000075 + 0.001868 * cosine - 0.032077 * sine - 0.014615 * cosine2 - 0.040849 * sine2)
    nearness = 1.000110 + 0.034221 * cosine + 0.001280 * sine + 0.000719 * cosine2 + 0.000077 * sine2
    hour_angle = 2.0 * np.pi * (day + longitude / 360.0 + minutes / 1440.0 - 0.5)
    place = np.radians(latitude)
    to_pole, to_equator, to_noon = np.sin(declination), np.cos(declination), np.cos(hour_angle)
    return Sun(
        east=np.asarray(-to_equator * np.sin(hour_angle)),
        north=np.asarray(np.cos(place) * to_pole - np.sin(place) * to_equator * to_noon),
        up=np.asarray(np.sin(place) * to_pole + np.cos(place) * to_equator * to_noon),
        beam_above_air_w_m2=np.asarray(SOLAR_CONSTANT_W_M2 * nearness),
    )


def sun_height_sine(epoch_s: ArrayLike, latitude: float, longitude: float) -> Array:
    """Sine of the sun's height over the horizon (the cosine of its zenith angle), negative at night."""
    return sun(epoch_s, latitude, longitude).up


def split_global(global_w_m2: Array, where: Sun) -> tuple[Array, Array]:
    """Direct on a plane facing the sun, and diffuse on the horizontal (Erbs). [W/m2]"""
    up = np.maximum(where.up, LOWEST_SUN)
    clearness = np.minimum(global_w_m2 / (where.beam_above_air_w_m2 * up), 1.0)
    cloudy = 1.0 - 0.09 * clearness
    between = 0.9511 - 0.1604 * clearness + 4.388 * clearness**2 - 16.638 * clearness**3 + 12.336 * clearness**4
    share = np.where(clearness <= 0.22, cloudy, np.where(clearness <= 0.80, between, 0.165))
    share = np.where(where.up <= LOWEST_SUN, 1.0, share)
    diffuse_w_m2 = share * global_w_m2
    return np.asarray((global_w_m2 - diffuse_w_m2) / up), np.asarray(diffuse_w_m2)


def sky_temperature_c(outdoor_c: Array, dew_c: Array, cloud_ratio: Array) -> Array:
    """Temperature of a black sky that sends as much long-wave radiation. [°C]"""
    tenths = 10.0 * cloud_ratio
    clouds = 1.0 + 0.0224 * tenths - 0.0035 * tenths**2 + 0.00028 * tenths**3
    emissivity = (0.787 + 0.764 * np.log((dew_c + ZERO_C_K) / 273.0)) * clouds
    return np.asarray((outdoor_c + ZERO_C_K) * np.minimum(emissivity, 1.0) ** 0.25 - ZERO_C_K)


GROUND_DEPTH_M = 1.0
GROUND_DIFFUSIVITY_M2_S = 6.45e-7  # 0.025 ft2/h, the "standard soil" of EnergyPlus weather files


def ground_temperature_c(monthly_mean_c: ArrayLike, ratio: Array) -> Array:
    """Undisturbed ground: the year's wave of the air, damped and late (Kusuda and Achenbach). [°C]

    Parameters
    ----------
    monthly_mean_c : ArrayLike, shape (12,)
        Mean outdoor temperature of the months, taken as that of the surface. [°C]
    ratio : Array
        Share of the year that has passed, 0..1.
    """
    months = np.asarray(monthly_mean_c, dtype=np.float64)
    wave = 2.0 / 12.0 * np.sum(months * np.exp(-2j * np.pi * (np.arange(12) + 0.5) / 12.0))
    damping = GROUND_DEPTH_M * np.sqrt(np.pi / (GROUND_DIFFUSIVITY_M2_S * YEAR_DAYS * DAY_S))
    return np.asarray(months.mean() + np.exp(-damping) * np.real(wave * np.exp(1j * (2.0 * np.pi * ratio - damping))))


def last_day_mean(values: Array, step_s: float) -> Array:
    """Mean over the last 24 h at each row; a day of rows must stand before the first wanted, and is left out."""
    day = round(DAY_S / step_s)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((sums[day + 1 :] - sums[1:-day]) / day)


def year_ratio(day: Array) -> Array:
    """Share of the year that has passed, 0..1, from days since 1970."""
    return np.asarray(((day - NEW_YEAR_2000_DAY) / YEAR_DAYS) % 1.0)
