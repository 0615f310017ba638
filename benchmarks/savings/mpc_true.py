"""Control with the plant's true parameters and everybody's forecasts: what is left when the model has no error.

It sees the true state and parameters of room and unit and the household's heat and windows; of people and weather it
sees what all see: the learned edges, the chance of presence, the forecast. It plans for a day, anew each hour and at
once when somebody comes or goes, in steps of a quarter of an hour (``true_plant``).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings import true_plant
from benchmarks.savings.planning import chance_ahead, weight_ahead
from benchmarks.savings.true_plant import Ahead, Course, Effort
from benchmarks.savings.words import (
    DECISION_S,
    QUARTERS_AHEAD,
    ROWS_PER_DECISION,
    Array,
    BoolArray,
    Known,
    Orders,
    Seen,
)
from simulator import residents
from simulator.physics import split_unit, zone
from simulator.records import Table, table
from simulator.weather.sky import SOLAR_CONSTANT_W_M2, Sun, split_global
from simulator.world import World

QUARTERS_PER_H = 4


class Planner:
    """What ``mpc_true`` and ``optimum`` share: planning each home in its true plant and following the plan."""

    name = "planner"
    quarters = QUARTERS_AHEAD

    def __init__(self, effort: Effort = Effort()) -> None:
        self.effort = effort

    def inform(self, world: Any, future: bool) -> None:
        """Take the true world; ``future`` says whether its weather and presence ahead may be read."""
        self.world: World = world
        self.future = future

    def start(self, known: Known) -> None:
        """Forget everything and begin."""
        n, quarters = known.n, self.quarters
        self.known = known
        self.course = Course(*(np.zeros((n, quarters)) for _ in range(3)))
        self.course.setpoint_c[:] = 26.0
        self.course.heat_kw[:] = 0.3
        self.passed = np.zeros(n, dtype=np.int64)  # quarters of the course
        self.cost = np.zeros(n)
        self.winner = np.zeros(n, dtype=np.int64)
        self.wins = np.zeros(4, dtype=np.int64)
        self._linear = true_plant.no_rooms(n)
        self._linear_day = np.full(n, -1)
        self._linear_heats = np.zeros(n, dtype=np.bool_)
        self._was_home = np.full(n, np.nan)
        self._was_held = np.zeros(n, dtype=np.bool_)
        self._seed = np.floor(1e6 * known.floor_m2).astype(np.int64) % 2147483648  # the home's own
        kinds = zone.RoomState, split_unit.UnitState, residents.Person, residents.Hand, split_unit.Panel
        self._scratch = [table(kind, 2 * self.effort.quarters + 3) for kind in kinds]

    def decide(self, seen: Seen) -> Orders:
        """Orders until the next decision."""
        quarter = seen.row // ROWS_PER_DECISION
        self.passed += 1
        came_or_went = seen.occupied != self._was_home
        due = ((quarter % QUARTERS_PER_H == 0) | came_or_went | self._was_held) & ~seen.held
        due |= seen.heats != self._linear_heats
        self._was_home, self._was_held = seen.occupied.copy(), seen.held.copy()
        if due.any():
            self._plan(seen, due)
        at = np.minimum(self.passed, self.quarters - 1)
        homes = np.arange(self.known.n)
        return Orders(
            on=self.course.on[homes, at] > 0.5,
            heating=seen.heats.copy(),
            setpoint_c=self.course.setpoint_c[homes, at],
            fan=np.zeros(self.known.n, dtype=np.int64),
        )

    def ahead(self, seen: Seen) -> Ahead:
        """What is thought to come."""
        raise NotImplementedError

    def _plan(self, seen: Seen, due: BoolArray) -> None:
        self._follow_rooms(seen, due)
        for home in np.flatnonzero(due):
            by = min(int(self.passed[home]), self.quarters - 1)
            for rows in self.course:  # what is past goes; the last day's end is taken once more
                rows[home, : self.quarters - by] = rows[home, by:].copy()
        self.passed[due] = 0
        world, ahead, linear = self.world, self.ahead(seen), self._linear
        states, runnings, person_, hands_, panels_ = self._scratch
        true_plant.search(
            due.astype(np.float64), world.rooms, world.room_states, world.units, world.unit_states, world.persons,
            world.habits, world.hands, world.panels, ahead.skies, ahead.here, ahead.middle_c, ahead.price, ahead.weight,
            ahead.low_c, ahead.high_c, ahead.at_s, seen.heats.astype(np.float64), *linear, *self.course, self.cost,
            self.winner, self._seed, states, runnings, person_, hands_, panels_, np.array(self.effort, dtype=np.int64),
        )  # fmt: skip
        self.wins += np.bincount(self.winner[due], minlength=4)

    def _follow_rooms(self, seen: Seen, due: BoolArray) -> None:
        """Make the rooms linear anew each day, and when the season turns."""
        day = int(seen.at_epoch_s // 86_400.0)
        for home in np.flatnonzero(due & ((self._linear_day != day) | (self._linear_heats != seen.heats))):
            heating = bool(seen.heats[home])
            room, air_kg_s = self.world.rooms[home], float(self.world.room_states["air_kg_s"][home])
            true_plant.make_linear(self._linear, int(home), room, air_kg_s, heating)
            self._linear_day[home], self._linear_heats[home] = day, heating


class MpcTrue(Planner):
    """Model-predictive control on the true plant with everybody's forecasts."""

    name = "mpc_true"

    def ahead(self, seen: Seen) -> Ahead:
        """The forecasts, by quarters of an hour."""
        world = self.world
        weather = world.rooms["weather"].astype(np.int64)
        chance = chance_ahead(seen.occupied, seen.presence_ahead)
        asleep = asleep_ahead(seen.local_hour)
        here = np.where(chance < 0.5, 0.0, np.where(asleep, 2.0, 1.0))
        return Ahead(
            skies=forecast_skies(world, seen, weather),
            here=here,
            middle_c=(seen.low_ahead_c + seen.high_ahead_c) / 2.0,
            price=seen.price_ahead / self.known.mean_price[:, np.newaxis],
            weight=weight_ahead(chance),
            low_c=seen.low_ahead_c,
            high_c=seen.high_ahead_c,
            at_s=seen.at_epoch_s,
        )


def asleep_ahead(local_hour: Array) -> BoolArray:
    """The hours from 23 to 7, in which people are taken to be asleep; shape (n, 96)."""
    hour = (local_hour[:, np.newaxis] + np.arange(QUARTERS_AHEAD) * DECISION_S / 3600.0) % 24.0
    return np.asarray((hour >= 23.0) | (hour < 7.0))


def forecast_skies(world: World, seen: Seen, weather: NDArray[np.int64]) -> Table:
    """Rows of ``Sky`` by quarters from the forecast of outdoor temperature and sun; the rest stays as it is now."""
    n = weather.size
    now = world.skies[seen.row, weather]
    skies = np.repeat(now[:, np.newaxis], QUARTERS_AHEAD, axis=1)
    rows = np.minimum(seen.row + 1 + ROWS_PER_DECISION * np.arange(QUARTERS_AHEAD), len(world.skies) - 1)
    for name in ("sun_east", "sun_north", "sun_up"):
        skies[name] = world.skies[name][rows[np.newaxis, :], weather[:, np.newaxis]]
    hour = (np.arange(QUARTERS_AHEAD) + 0.5) / QUARTERS_PER_H
    for home in range(n):
        middles = np.concatenate(([0.0], np.arange(24) + 0.5))
        known_c = np.concatenate((now["outdoor_c"][home : home + 1], seen.outdoor_ahead_c[home]))
        skies["outdoor_c"][home] = np.interp(hour, middles, known_c)
    skies["sky_c"] = skies["outdoor_c"] + (now["sky_c"] - now["outdoor_c"])[:, np.newaxis]
    level_w_m2 = np.where(skies["sun_up"] > 0.0, np.repeat(seen.solar_ahead_w_m2, QUARTERS_PER_H, axis=1), 0.0)
    sun = Sun(skies["sun_east"], skies["sun_north"], skies["sun_up"], np.full((n, QUARTERS_AHEAD), SOLAR_CONSTANT_W_M2))
    skies["global_w_m2"] = level_w_m2
    skies["direct_normal_w_m2"], skies["diffuse_w_m2"] = split_global(level_w_m2, sun)
    return skies
