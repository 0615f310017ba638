"""Short episodes cut from a pool of homes and weather years, so that training meets ever new ones at little cost.

Drawing a home and laying out a year of weather takes a while; cutting some days of some homes out of them does not.
Each room of an episode has one home of the pool; rooms come in groups that share a weather and a date.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit
from simulator.physics import zone
from simulator.records import table
from simulator.residents import ASLEEP, AWAY, SUMMER_C, WINTER_C, Hand
from simulator.world import STEP_S, STEPS_PER_DAY, Meter, World

DAY_S, HOUR_S = 86_400.0, 3600.0
DAYS_PER_WEEK = 7
AHEAD_DAYS = 1  # laid out beyond the end, for what is known ahead
QUARTER_ROWS = 3

Array = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
Habits = Callable[[BoolArray, NDArray[np.float64]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Season:
    """Which part of the year an episode may start in: days of the year, half-open; may pass its end."""

    first_day: int = 0
    last_day: int = 365


SUMMER = Season(135, 275)
WINTER = Season(305, 425)
YEAR = Season()


@dataclass(frozen=True, slots=True)
class Pool:
    """Homes with the same days of weather, presence and prices behind each.

    ``usual`` is the chance that somebody is home by weekday and hour, as a forecast knows it at the beginning of each
    week, shape (weeks, n, 7, 24).
    """

    world: World
    usual: NDArray[np.float32]
    mean_price: NDArray[np.float64]  # (n,)

    @property
    def days(self) -> int:
        """Whole days."""
        return len(self.world.presence) // STEPS_PER_DAY


def pool(world: World, habits: Habits) -> Pool:
    """A pool of a world's homes.

    Parameters
    ----------
    habits : Callable
        From what presence sensors show at each quarter of an hour, shape (quarters, n), and the homes' local time at
        the first of them [s]: ``Pool.usual``, each week from what was seen before.
    """
    seen = world.presence[::QUARTER_ROWS] != AWAY
    usual = habits(seen, world.start_epoch_s + world.utc_offset_s)
    return Pool(world, usual, world.price.mean(axis=0, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Episode:
    """Some days of n homes, units off. Arrays of shape (rows, n) reach a day beyond the steps that may be taken."""

    world: World
    homes: NDArray[np.int64]  # (n,): which of the pool's
    steps: int
    local_start_s: NDArray[np.float64]  # (n,): row 0 by the homes' clocks
    usual: NDArray[np.float32]  # (n, 7, 24)
    mean_price: NDArray[np.float64]  # (n,)
    low_c: NDArray[np.float32]  # true edges of comfort; while nobody is there, of people awake
    high_c: NDArray[np.float32]

    @property
    def present(self) -> BoolArray:
        """Whether somebody is there, shape (rows, n)."""
        return np.asarray(self.world.presence != AWAY)

    def sky(self, name: str) -> NDArray[np.float64]:
        """A quantity of the sky for each home, shape (rows, n)."""
        values: NDArray[np.float64] = self.world.skies[name][:, self.world.rooms["weather"]]
        return values

    def local_hour(self, row: int) -> NDArray[np.float64]:
        """Hour of the day at the start of a row, 0..24; shape (n,)."""
        return np.asarray((self.local_start_s + STEP_S * row) % DAY_S / HOUR_S)

    def weekday(self, row: int) -> NDArray[np.int64]:
        """Day of the week at the start of a row, Monday is 0; shape (n,)."""
        day = np.floor((self.local_start_s + STEP_S * row) / DAY_S).astype(np.int64)
        return np.asarray((day + 3) % DAYS_PER_WEEK)  # 1970-01-01 was a Thursday

    def presence_ahead(self, row: int, hours: Array) -> NDArray[np.float64]:
        """Usual presence some hours after the start of a row; shape (n, hours)."""
        clock = self.local_hour(row)[:, np.newaxis] + hours
        days = np.floor(clock / 24.0).astype(np.int64)
        weekday = (self.weekday(row)[:, np.newaxis] + days) % DAYS_PER_WEEK
        homes = np.arange(self.world.n)[:, np.newaxis]
        return np.asarray(self.usual[homes, weekday, np.floor(clock - 24.0 * days).astype(np.int64)], np.float64)


def cut(
    rng: np.random.Generator, source: Pool, n: int, days: int, season: Season = YEAR, rooms_per_group: int = 4
) -> Episode:
    """An episode of ``n`` rooms.

    Raises
    ------
    ValueError
        The pool has no days of that season.
    """
    world = source.world
    starts = _start_days(source, days, season)
    homes, weather, start_day = (np.empty(n, dtype=np.int64) for _ in range(3))
    groups = np.array_split(np.arange(n), max(n // rooms_per_group, 1))
    columns = np.unique(world.rooms["weather"])
    for number, members in enumerate(groups):
        start_day[members] = rng.choice(starts)
        column = columns[number % columns.size]
        homes[members] = rng.choice(np.flatnonzero(world.rooms["weather"] == column), members.size)
        weather[members] = number
    leaders = np.array([members[0] for members in groups])
    rows = np.arange((days + AHEAD_DAYS) * STEPS_PER_DAY)[:, np.newaxis] + STEPS_PER_DAY * start_day
    skies = world.skies[rows[:, leaders], world.rooms["weather"][homes[leaders]]]
    part = World(
        start_epoch_s=world.start_epoch_s,  # right in the hour of the day, which alone matters to people
        utc_offset_s=world.utc_offset_s[homes],
        latitude=world.latitude[homes],
        longitude=world.longitude[homes],
        skies=skies,
        presence=world.presence[rows, homes],
        price=world.price[rows, homes],
        chance=rng.random(rows.shape, dtype=np.float32),
        rooms=world.rooms[homes],
        room_states=table(zone.RoomState, n),
        units=world.units[homes],
        unit_states=np.zeros(n, world.unit_states.dtype),
        panels=np.zeros(n, world.panels.dtype),
        persons=world.persons[homes],
        habits=world.habits[homes],
        hands=table(Hand, n),
        meters=table(Meter, n),
    )
    part.rooms["weather"] = weather
    part.panels["setpoint_c"] = 26.0
    low_c, high_c = true_edges(part)
    neutral_c = 0.5 * (low_c[0] + high_c[0])
    air_c = 0.6 * neutral_c + 0.4 * part.skies["outdoor_c"][0][weather] + rng.normal(1.0, 1.5, n)  # assumed
    start_rooms(part.rooms, part.room_states, air_c, part.skies["humidity_kg_kg"][0][weather])
    return Episode(
        world=part,
        homes=homes,
        steps=days * STEPS_PER_DAY,
        local_start_s=world.start_epoch_s + DAY_S * start_day + part.utc_offset_s,
        usual=source.usual[start_day // DAYS_PER_WEEK, homes],
        mean_price=source.mean_price[homes],
        low_c=low_c,
        high_c=high_c,
    )


@njit
def start_rooms(rooms: Any, states: Any, air_c: Any, humidity_kg_kg: Any) -> None:
    """Rooms at rest, each at one temperature; arrays of shape (n,)."""
    for i in range(len(rooms)):
        zone.start(rooms[i], states[i], air_c[i], humidity_kg_kg[i])


def true_edges(world: World) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Edges of people's true bands (``residents``), shape (rows, n); of people awake while nobody is there. [°C]"""
    people = world.persons
    mean_c = world.skies["daily_mean_c"][:, world.rooms["weather"]]
    season = np.clip((mean_c - WINTER_C) / (SUMMER_C - WINTER_C), 0.0, 1.0)
    asleep = world.presence == ASLEEP

    def by_season(winter: str, summer: str) -> Array:
        return np.asarray(people[winter] + season * (people[summer] - people[winter]))

    neutral_c = by_season("winter_neutral_c", "summer_neutral_c")
    neutral_c = neutral_c + asleep * by_season("winter_asleep_shift_k", "summer_asleep_shift_k")
    half_k = by_season("winter_half_width_k", "summer_half_width_k") + asleep * people["asleep_wider_k"]
    return (neutral_c - half_k).astype(np.float32), (neutral_c + half_k).astype(np.float32)


def _start_days(source: Pool, days: int, season: Season) -> NDArray[np.int64]:
    first = datetime.fromtimestamp(source.world.start_epoch_s, tz=UTC)
    candidates = np.arange(source.days - days - AHEAD_DAYS + 1)
    day_of_year = first.timetuple().tm_yday - 1 + candidates
    inside = (day_of_year - season.first_day) % 365 < season.last_day - season.first_day
    if not inside.any():
        raise ValueError(f"no {days} days from day {season.first_day} to {season.last_day} in a pool of {source.days}")
    return candidates[inside]
