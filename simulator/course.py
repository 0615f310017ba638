"""What happens to n rooms from outside over some days: weather, people, comfort, prices; and what is known ahead.

All of it is laid out beforehand on a grid of 5 minutes, one row a step and one column a room, because none of it
depends on what the air conditioners do. Overrides, which do, are not simulated here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.physics.air_conditioner import BoolArray
from simulator.physics.room import Array, humidity_ratio
from simulator.plant import Surroundings
from simulator.rooms import PeopleParameters
from simulator.weather import CLIMATES, Weather

STEP_S = 300.0
STEPS_PER_H = 12
STEPS_PER_DAY = 24 * STEPS_PER_H
DAY_S = 86_400.0
AHEAD_DAYS = 1  # laid out beyond the end, for what is known ahead
UTC_OFFSET_S = 8 * 3600.0  # all climates keep China's time

SENSIBLE_W_PER_PERSON = 70.0  # seated, ISO 7730 order of magnitude
WATER_KG_S_PER_PERSON = 50e-3 / 3600.0  # about 50 g/h, seated
IDLE_APPLIANCES_W = 15.0
ASLEEP_H = (23.0, 7.0)
SEASON_C = (12.0, 22.0)  # daily mean outdoors at which people feel winter and summer

FLAT_PRICE = 0.538
PEAK_VALLEY = ((8.0, 22.0, 0.568, 0.288), (6.0, 22.0, 0.617, 0.307))  # Zhejiang, Shanghai: energy facts


@dataclass(frozen=True, slots=True)
class Season:
    """Which part of the year a course may start in: day of the year, half-open."""

    first_day: int = 0
    last_day: int = 365


SUMMER = Season(135, 275)
WINTER = Season(305, 425)
YEAR = Season()


@dataclass(frozen=True, slots=True)
class Course:
    """Arrays of shape (steps + one day, n); row i holds for the step that starts at ``start_epoch_s + i * STEP_S``."""

    start_epoch_s: Array  # (n,), a local midnight
    steps: int
    outdoor_c: Array
    outdoor_humidity_kg_kg: Array
    outdoor_humidity_pct: Array
    solar_w_m2: Array
    present: BoolArray
    asleep: BoolArray  # only while present
    presence_ratio: Array  # what a good forecast would say, 0..1
    low_c: Array  # true edges of comfort now; while nobody is there, of the band at return
    high_c: Array
    gains_w: Array
    moisture_kg_s: Array
    price: Array  # per kWh
    forecast_error: Array  # of outdoor temperature, standard normal, to be scaled by the lead
    solar_error: Array

    def surroundings(self, row: int) -> Surroundings:
        """What acts on the rooms during a step."""
        return Surroundings(
            self.outdoor_c[row],
            self.outdoor_humidity_kg_kg[row],
            self.solar_w_m2[row],
            self.gains_w[row],
            self.moisture_kg_s[row],
        )

    def local_hour(self, row: int) -> float:
        """Hour of the day at the start of a step, 0..24."""
        return (row % STEPS_PER_DAY) / STEPS_PER_H

    def weekday(self, row: int) -> NDArray[np.int64]:
        """Day of the week at the start of a step, Monday is 0; shape (n,)."""
        local_day = np.floor((self.start_epoch_s + UTC_OFFSET_S + row * STEP_S) / DAY_S).astype(np.int64)
        return np.asarray((local_day + 3) % 7)  # 1970-01-01 was a Thursday


def forecast_spread_k(lead_h: float) -> float:
    """Standard deviation of the error of a temperature forecast. [K]  Assumed: 0.3 K now, 1.7 K a day ahead."""
    return 0.3 + 0.06 * lead_h


def draw_course(
    rng: np.random.Generator, people: PeopleParameters, days: int, season: Season = YEAR, groups: int = 8
) -> Course:
    """A course of ``days`` days for each room; rooms in one of ``groups`` share climate and dates, not weather."""
    n = people.leave_h.size
    rows = (days + AHEAD_DAYS) * STEPS_PER_DAY
    start_epoch_s, outdoor_c, humidity_pct, solar_w_m2 = _weather(rng, n, rows, season, groups)
    weekend = _weekend(start_epoch_s, rows)
    present, presence_ratio = _presence(rng, people, weekend)
    hour = (np.arange(rows) % STEPS_PER_DAY / STEPS_PER_H)[:, np.newaxis]
    asleep = present & ((hour >= ASLEEP_H[0]) | (hour < ASLEEP_H[1]))
    low_c, high_c = _comfort(people, outdoor_c, asleep)
    awake = present & ~asleep
    return Course(
        start_epoch_s=start_epoch_s,
        steps=days * STEPS_PER_DAY,
        outdoor_c=outdoor_c,
        outdoor_humidity_kg_kg=humidity_ratio(outdoor_c, humidity_pct),
        outdoor_humidity_pct=humidity_pct,
        solar_w_m2=solar_w_m2,
        present=present,
        asleep=asleep,
        presence_ratio=presence_ratio,
        low_c=low_c,
        high_c=high_c,
        gains_w=IDLE_APPLIANCES_W + present * people.persons * SENSIBLE_W_PER_PERSON + awake * people.appliances_w,
        moisture_kg_s=present * people.persons * WATER_KG_S_PER_PERSON,
        price=_prices(rng, n, rows),
        forecast_error=_slow_noise(rng, rows, n),
        solar_error=_slow_noise(rng, rows, n),
    )


def _weather(
    rng: np.random.Generator, n: int, rows: int, season: Season, groups: int
) -> tuple[Array, Array, Array, Array]:
    start_epoch_s = np.empty(n)
    outdoor_c, humidity_pct, solar_w_m2 = np.empty((rows, n)), np.empty((rows, n)), np.empty((rows, n))
    for group, members in enumerate(np.array_split(np.arange(n), min(groups, n))):
        year_day = int(rng.integers(2015, 2035)) * 365.2425 - 1970 * 365.2425
        midnight = np.floor(year_day + rng.integers(season.first_day, season.last_day)) * DAY_S - UTC_OFFSET_S
        weather = Weather(rng, CLIMATES[group % len(CLIMATES)], homes=members.size)
        outdoor = weather.at(midnight + np.arange(rows)[:, np.newaxis] * STEP_S)
        start_epoch_s[members] = midnight
        outdoor_c[:, members], humidity_pct[:, members], solar_w_m2[:, members] = outdoor
    return start_epoch_s, outdoor_c, humidity_pct, solar_w_m2


def _weekend(start_epoch_s: Array, rows: int) -> BoolArray:
    """Whether each row falls on a Saturday or Sunday, shape (rows, n)."""
    first_day = np.floor((start_epoch_s + UTC_OFFSET_S) / DAY_S).astype(np.int64)
    day = first_day + (np.arange(rows) // STEPS_PER_DAY)[:, np.newaxis]
    return np.asarray((day + 3) % 7 >= 5)


def _presence(rng: np.random.Generator, people: PeopleParameters, weekend: BoolArray) -> tuple[BoolArray, Array]:
    """Who is there, and what a forecast that knows the habit but not the day's jitter says.

    Each day has one absence; of free days only a share, and then a short one.
    """
    rows, n = weekend.shape
    days = rows // STEPS_PER_DAY
    hour = (np.arange(rows) % STEPS_PER_DAY / STEPS_PER_H)[:, np.newaxis]
    regular = (people.habit == 2) | ((people.habit == 1) & ~weekend)
    leave_h = np.where(regular, people.leave_h, 14.0)
    return_h = np.where(regular, people.return_h, 16.5)
    leave_h = np.where(people.habit == 0, people.leave_h, leave_h)
    return_h = np.where(people.habit == 0, people.return_h, return_h)
    goes_ratio = np.where(regular, 1.0, people.outing_ratio)

    def per_row(daily: Array) -> Array:
        return np.repeat(daily, STEPS_PER_DAY, axis=0)

    goes = per_row(rng.random((days, n))) < goes_ratio
    leaves_h = leave_h + per_row(rng.normal(size=(days, n))) * people.jitter_h
    returns_h = return_h + per_row(rng.normal(size=(days, n))) * people.jitter_h
    absent = goes & (hour >= leaves_h) & (hour < returns_h)
    absent_ratio = (
        goes_ratio
        * _normal_share((hour - leave_h) / people.jitter_h)
        * _normal_share((return_h - hour) / people.jitter_h)
    )
    return ~absent, 1.0 - absent_ratio


def _normal_share(deviation: Array) -> Array:
    """Share of a normal distribution below a deviation, by the logistic approximation (within 0.01)."""
    return np.asarray(1.0 / (1.0 + np.exp(-1.702 * np.clip(deviation, -30.0, 30.0))))


def _comfort(people: PeopleParameters, outdoor_c: Array, asleep: BoolArray) -> tuple[Array, Array]:
    """Edges of the hidden band: between winter's and summer's by the mean of the last day outdoors."""
    sums = np.cumsum(np.vstack([np.zeros((1, outdoor_c.shape[1])), outdoor_c]), axis=0)
    row = np.arange(outdoor_c.shape[0])
    first = np.maximum(row + 1 - STEPS_PER_DAY, 0)
    mean_c = (sums[row + 1] - sums[first]) / (row + 1 - first)[:, np.newaxis]
    summer = np.clip((mean_c - SEASON_C[0]) / (SEASON_C[1] - SEASON_C[0]), 0.0, 1.0)
    neutral_c = people.winter_neutral_c + summer * (people.summer_neutral_c - people.winter_neutral_c)
    neutral_c = neutral_c + np.where(asleep, people.asleep_shift_k, 0.0)
    return neutral_c - people.half_width_k, neutral_c + people.half_width_k


def _prices(rng: np.random.Generator, n: int, rows: int) -> Array:
    """Half of the rooms pay one price, the others a peak and a valley."""
    hour = (np.arange(rows) % STEPS_PER_DAY / STEPS_PER_H)[:, np.newaxis]
    kind = rng.choice(3, size=n, p=(0.5, 0.25, 0.25))
    price = np.full((rows, n), FLAT_PRICE)
    for index, (start_h, end_h, peak, valley) in enumerate(PEAK_VALLEY, start=1):
        two_part = np.where((hour >= start_h) & (hour < end_h), peak, valley)
        price = np.where(kind == index, two_part, price)
    return price


def _slow_noise(rng: np.random.Generator, rows: int, n: int, memory_h: float = 6.0) -> Array:
    """Standard normal noise that forgets over ``memory_h`` hours, straight between whole hours."""
    hours = rows // STEPS_PER_H + 1
    keep = float(np.exp(-1.0 / memory_h))
    nodes = rng.normal(size=(hours, n))
    for i in range(1, hours):
        nodes[i] = keep * nodes[i - 1] + np.sqrt(1.0 - keep**2) * nodes[i]
    share = (np.arange(STEPS_PER_H) / STEPS_PER_H)[np.newaxis, :, np.newaxis]
    between = nodes[:-1, np.newaxis] * (1.0 - share) + nodes[1:, np.newaxis] * share
    return np.asarray(between.reshape(-1, n)[:rows])
