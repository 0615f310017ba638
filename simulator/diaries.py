"""When a household is home and when it sleeps, laid out for as many rows as wanted before anything else happens.

Each day is drawn from the household's routine: work or school away from home, short outings, evenings out, sleep that
shifts at weekends, journeys of some days, public holidays. A longer diary begins as a shorter one does.

One room is laid out. In part-time, part-space use (Hu et al., Energy and Buildings 214, 2020) that is a bedroom or a
living room more often than all that a home lives in; the shares are assumed.

Hours follow time-use surveys, rounded [from memory]: about 9 h of sleep and rest in China (National Bureau of
Statistics, 2018), 8.8 h in the United States (ATUS); up about 7, to bed between 22 and 24 h. The rest is assumed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.residents import ASLEEP, AWAKE, AWAY

Array = NDArray[np.float64]

DAY_S = 86_400.0
FRIDAY, SATURDAY = 4, 5
LUCKS = 24  # random numbers a day
WHOLE, BEDROOM, LIVING_ROOM = 0, 1, 2  # what the room is to the household
LUNCH_DAYS_RATIO = 0.7  # of the working days of who comes home at noon
OUTINGS = 2  # on a free day, at most


@dataclass(frozen=True, slots=True)
class Routine:
    """A household's days as one; hours are local and means of what each day draws."""

    wakes_h: float
    sleeps_h: float  # may pass 24
    weekend_late_h: float  # to bed, and up, later on free nights
    spread_h: float  # standard deviation of each hour
    works: bool  # nobody is home in working hours
    leaves_h: float
    returns_h: float
    saturday_ratio: float  # of Saturdays that are worked
    lunch_ratio: float  # of working days with a midday break at home
    home_office_ratio: float  # of working days spent at home
    outing_ratio: float  # chance of each of two outings on a free day
    evening_out_ratio: float
    journeys_per_year: float
    journey_days: float  # mean
    room: int  # WHOLE: they live and sleep in it
    evening_h: float  # in the bedroom before sleep
    siesta_ratio: float  # of noons at home, in the bedroom


def draw_routine(
    rng: np.random.Generator, home_all_day: bool, room_shares: tuple[float, float, float], lunch_ratio: float
) -> Routine:
    """A routine; somebody is home most of the time, or nobody during work.

    Parameters
    ----------
    room_shares : (WHOLE, BEDROOM, LIVING_ROOM)
        How often the room is all of the home's life, its bedroom or its living room.
    lunch_ratio : float
        How often working people come home at noon on most days.
    """
    return Routine(
        wakes_h=float(np.clip(rng.normal(6.9, 0.6), 5.5, 8.5)),
        sleeps_h=float(np.clip(rng.normal(22.9, 0.7), 21.3, 25.0)),
        weekend_late_h=float(rng.uniform(0.2, 1.3)),
        spread_h=float(rng.uniform(0.2, 0.6)),
        works=not home_all_day,
        leaves_h=float(np.clip(rng.normal(8.0, 0.6), 6.7, 9.5)),
        returns_h=float(np.clip(rng.normal(18.2, 0.9), 16.0, 20.5)),
        saturday_ratio=float(rng.choice([0.0, 0.5, 1.0], p=[0.7, 0.15, 0.15])),
        lunch_ratio=LUNCH_DAYS_RATIO if rng.random() < lunch_ratio else 0.0,
        home_office_ratio=float(rng.choice([0.0, 0.2], p=[0.8, 0.2])),
        outing_ratio=float(rng.uniform(0.3, 0.7)),
        evening_out_ratio=float(rng.uniform(0.03, 0.15)),
        journeys_per_year=float(rng.uniform(0.5, 4.0)),
        journey_days=float(rng.uniform(2.0, 7.0)),
        room=int(rng.choice(3, p=room_shares)),
        evening_h=float(rng.uniform(0.7, 2.5)),
        siesta_ratio=float(rng.uniform(0.0, 0.7)),
    )


def presence(
    rng: np.random.Generator,
    routine: Routine,
    local_start_s: float,
    rows: int,
    step_s: float,
    holidays: tuple[tuple[int, int], ...] = (),
) -> NDArray[np.int8]:
    """AWAY, AWAKE or ASLEEP in each row, shape (rows,); who is in another room of the home counts as away.

    Parameters
    ----------
    local_start_s : float
        Beginning of row 0 by the home's clock, since 1970-01-01. [s]
    holidays : tuple of (first, last)
        Days of the year, 0..365, on which nobody works, last day included.
    """
    first_day = int(np.floor(local_start_s / DAY_S)) - 1  # the night before the first day belongs to yesterday
    last_day = int(np.floor((local_start_s + rows * step_s) / DAY_S))
    days = np.arange(first_day, last_day + 1)
    luck = rng.random((days.size, LUCKS))
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
    free = _free(routine, days, weekday, luck, holidays)
    late_h = np.where((weekday == FRIDAY) | (weekday == SATURDAY), routine.weekend_late_h, 0.0)
    sleeps_h = routine.sleeps_h + late_h + routine.spread_h * _normal(luck[:, 0])
    wakes_h = routine.wakes_h + np.where(free, routine.weekend_late_h, 0.0) + routine.spread_h * _normal(luck[:, 1])

    local_s = local_start_s + step_s * np.arange(rows)
    day = np.floor(local_s / DAY_S).astype(np.int64) - first_day
    hour = local_s / 3600.0 - 24.0 * (day + first_day)
    state = np.full(rows, AWAKE, dtype=np.int8)
    for starts_h, ends_h in _outings(routine, free, wakes_h, sleeps_h, luck):
        state[(hour >= starts_h[day]) & (hour < ends_h[day])] = AWAY
    asleep = (hour < wakes_h[day]) & (hour >= sleeps_h[day - 1] - 24.0) | (hour >= sleeps_h[day])
    if routine.room == BEDROOM:
        siesta = luck[:, 20] < routine.siesta_ratio
        in_bed = np.abs(hour - 13.2) < np.where(siesta, 0.4 + 0.5 * luck[:, 21], 0.0)[day]
        state[(hour >= wakes_h[day] + 0.4) & (hour < sleeps_h[day] - routine.evening_h) & ~in_bed] = AWAY
    state[asleep] = AWAY if routine.room == LIVING_ROOM else ASLEEP
    state[_travelling(routine, luck)[day]] = AWAY
    return state


def _free(
    routine: Routine,
    days: NDArray[np.int64],
    weekday: NDArray[np.int64],
    luck: Array,
    holidays: tuple[tuple[int, int], ...],
) -> NDArray[np.bool_]:
    """Days without work."""
    if not routine.works:
        return np.ones(days.size, dtype=np.bool_)
    date = days.astype("datetime64[D]")
    day_of_year = (date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    free = (weekday == 6) | ((weekday == SATURDAY) & (luck[:, 2] >= routine.saturday_ratio))
    for first, last in holidays:
        free |= (day_of_year >= first) & (day_of_year <= last)
    return np.asarray(free | (luck[:, 3] < routine.home_office_ratio))


def _outings(
    routine: Routine, free: NDArray[np.bool_], wakes_h: Array, sleeps_h: Array, luck: Array
) -> list[tuple[Array, Array]]:
    """Beginnings and ends of absences, each of shape (days,); none ends before it begins."""
    leaves_h = np.maximum(routine.leaves_h + routine.spread_h * _normal(luck[:, 4]), wakes_h + 0.4)
    returns_h = routine.returns_h + routine.spread_h * _normal(luck[:, 5])
    lunch = luck[:, 6] < routine.lunch_ratio
    never = np.full(free.size, np.inf)
    spans = [
        (np.where(free, never, leaves_h), np.where(lunch, 12.0 + 0.3 * luck[:, 7], returns_h)),
        (np.where(free | ~lunch, never, 13.3 + 0.4 * luck[:, 8]), returns_h),
    ]
    for i in range(OUTINGS):
        goes = free & (luck[:, 9 + i] < routine.outing_ratio)
        starts_h = wakes_h + 1.0 + luck[:, 11 + i] * np.maximum(18.5 - wakes_h - 1.0, 0.5)
        spans.append((np.where(goes, starts_h, never), starts_h + 0.6 + 2.9 * luck[:, 13 + i] ** 2))
    out = luck[:, 15] < routine.evening_out_ratio
    starts_h = np.maximum(18.5 + luck[:, 16], returns_h * ~free)
    spans.append((np.where(out, starts_h, never), np.minimum(starts_h + 1.5 + 2.0 * luck[:, 17], sleeps_h - 0.4)))
    return spans


def _travelling(routine: Routine, luck: Array) -> NDArray[np.bool_]:
    """Days spent elsewhere, nights included."""
    away = np.zeros(len(luck), dtype=np.bool_)
    for i in np.flatnonzero(luck[:, 18] < routine.journeys_per_year / 365.0):
        away[i : i + 1 + round(2.0 * (routine.journey_days - 1.0) * luck[i, 19])] = True
    return away


def _normal(luck: Array) -> Array:
    """Standard normal numbers from even ones, by the logistic approximation; never beyond 2.5."""
    even = np.clip(luck, 0.014, 0.986)
    return np.asarray(np.log(even / (1.0 - even)) / 1.702)
