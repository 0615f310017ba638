"""What a kilowatt-hour costs a home, row by row; published a day ahead, so every controller may know it.

Three kinds: ``flat`` (one price, or tiers that rise with the year's use), ``peak_valley`` and ``dynamic``. The currency
is of no importance to a comparison; all three lie near 0.55 a kWh, so that homes can be pooled.

Sources: Zhejiang's tiers, prices and hours and Shanghai's hours are in provincial tables (2024); the figures of
Shanghai and the summer peaks of Guangdong's kind are [from memory]. The dynamic tariff has the two daily peaks and the
solar noon dip of European day-ahead markets; its sizes are assumed, chosen so that the spot price is negative in about
as many hours as in Germany in 2023 and 2024 (301 and 457, [from memory]), and the price paid, fees included, in fewer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLAT, PEAK_VALLEY, DYNAMIC = 0, 1, 2
KINDS = ("flat", "peak_valley", "dynamic")

H_S = 3600.0
DAY_S = 86_400.0
NEW_YEAR_2000_DAY = 10_957.0
YEAR_DAYS = 365.2425

FLAT_PRICE = 0.538  # Zhejiang


@dataclass(frozen=True, slots=True)
class Tiers:
    """Prices that rise with what the home has used since the local new year."""

    limits_kwh: tuple[float, float]
    prices: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PeakValley:
    """Two prices by the local clock."""

    start_h: float
    end_h: float
    peak: float
    valley: float


ZHEJIANG_TIERS = Tiers((2760.0, 4800.0), (0.538, 0.588, 0.838))
SHANGHAI_TIERS = Tiers((3120.0, 4800.0), (0.617, 0.667, 0.917))
TIERS = (ZHEJIANG_TIERS, SHANGHAI_TIERS)
PEAK_VALLEYS = (
    PeakValley(8.0, 22.0, 0.568, 0.288),  # Zhejiang
    PeakValley(6.0, 22.0, 0.617, 0.307),  # Shanghai
    PeakValley(8.0, 21.0, 0.5583, 0.3583),  # Jiangsu
)

DYNAMIC_LEVEL = 0.59  # which makes the mean about 0.55
DYNAMIC_FEES_RATIO = 0.3  # of the level, fixed: grid, levies and the seller's part; assumed
# Spot price over its mean by local hour of a working day, before the sun; assumed, the form of a European market.
DYNAMIC_SHAPE = np.array(
    [
        [0.88, 0.82, 0.79, 0.78, 0.82, 0.96, 1.18, 1.40, 1.40, 1.26, 1.16, 1.12],
        [1.08, 1.06, 1.08, 1.14, 1.24, 1.40, 1.56, 1.62, 1.48, 1.28, 1.12, 0.98],
    ]
).ravel()
WEEKEND_RATIO = 0.82  # assumed
SUNNY_DIP = (0.1, 2.0)  # of a day's noon price: from a dull winter's day to the sunniest summer's; assumed
NOON_H, NOON_SPREAD_H = 13.0, 2.3
FRONTS = (0.38, 30.0)  # noise as a share of the spot mean, and its memory [h]: wind over days; assumed
HOURS = (0.12, 3.0)


def local_clock(start_epoch_s: float, rows: int, step_s: float, utc_offset_s: float) -> tuple[Array, Array]:
    """Local day since 1970 and hour 0..24 of each row's beginning."""
    local_s = start_epoch_s + utc_offset_s + step_s * np.arange(rows)
    day = np.floor(local_s / DAY_S)
    return day, (local_s - day * DAY_S) / H_S


def flat(rows: int, price: float = FLAT_PRICE) -> Array:
    """One price for ever."""
    return np.full(rows, price)


def tiered(local_start_s: float, rows: int, step_s: float, tiers: Tiers, home_kwh_per_year: float) -> Array:
    """The price of one kWh more, by what the home has used since the new year.

    ``home_kwh_per_year`` is the use of the whole home, taken as even over the year: with the air conditioner's own use
    counted as measured, a controller could not be told prices ahead.
    """
    local_s = local_start_s + step_s * np.arange(rows)
    new_year = local_s.astype("datetime64[s]").astype("datetime64[Y]")
    since_s = local_s - new_year.astype("datetime64[s]").astype(np.float64)
    used_kwh = home_kwh_per_year * since_s / (YEAR_DAYS * DAY_S)
    return np.asarray(np.array(tiers.prices)[np.searchsorted(np.array(tiers.limits_kwh), used_kwh, side="right")])


def peak_valley(hour: Array, two: PeakValley) -> Array:
    """Two prices by the local hour of each row, 0..24."""
    return np.where((hour >= two.start_h) & (hour < two.end_h), two.peak, two.valley)


def dynamic(rng: np.random.Generator, day: Array, hour: Array) -> Array:
    """Prices that change every local hour, negative now and then.

    The noise knows nothing of the weather of the home's place. A longer run begins as a shorter one.

    Parameters
    ----------
    day, hour : Array, shape (rows,)
        Local day since 1970 and hour 0..24 of each row.
    """
    hour = np.floor(hour)
    which = ((day - day[0]) * 24.0 + hour - hour[0]).astype(np.int64)
    noise_rng, sun_rng = rng.spawn(2)
    noise = _slow_noise(noise_rng, int(which[-1]) + 1)[which]
    sunny = sun_rng.random(int(day[-1] - day[0]) + 1)[(day - day[0]).astype(np.int64)]
    summer = 0.5 - 0.5 * np.cos(2.0 * np.pi * (((day - NEW_YEAR_2000_DAY) / YEAR_DAYS) % 1.0))
    dip = SUNNY_DIP[0] + (SUNNY_DIP[1] - SUNNY_DIP[0]) * sunny * (0.2 + 0.8 * summer)
    noon = np.exp(-0.5 * ((hour - NOON_H) / NOON_SPREAD_H) ** 2)
    weekend = (day + 3.0) % 7.0 >= 5.0  # 1970-01-01 was a Thursday
    shape = DYNAMIC_SHAPE[hour.astype(np.int64)] * np.where(weekend, WEEKEND_RATIO, 1.0)
    spot = shape - dip * noon + noise
    return np.asarray(DYNAMIC_LEVEL * (DYNAMIC_FEES_RATIO + (1.0 - DYNAMIC_FEES_RATIO) * spot))


def _slow_noise(rng: np.random.Generator, hours: int) -> Array:
    """Normal noise of two memories, one value an hour."""
    total = np.zeros(hours)
    fresh = rng.normal(size=(hours, 2))
    for column, (size, memory_h) in enumerate((FRONTS, HOURS)):
        keep = float(np.exp(-1.0 / memory_h))
        value = fresh[0, column]
        gain = float(np.sqrt(1.0 - keep**2))
        for i in range(hours):
            value = keep * value + gain * fresh[i, column]
            total[i] += size * value
    return total
