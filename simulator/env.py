"""The simulator for learning: n rooms stepped together, as a Stable-Baselines3 VecEnv or a Gymnasium env.

``Rooms`` holds the rooms and their course and knows neither library. What a policy sees of them is a mapping of arrays
(``situation``); how that becomes an observation, and an action an order, is handed in, so that training and serving
share one definition. A decision holds for 15 minutes; plants step by 60 s.

The reward is minus J of 15 minutes, in kWh: energy at the relative price of the hour, plus 0.5 kWh for each K·h that
people spend outside their true band (control facts, "Price of discomfort"). Its terms are in ``Terms``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from core.units import JOULES_PER_KWH
from simulator import plant
from simulator.course import STEP_S, STEPS_PER_H, YEAR, Season, draw_course, forecast_spread_k
from simulator.physics.air_conditioner import BoolArray
from simulator.physics.room import relative_humidity_pct
from simulator.plant import Orders
from simulator.rooms import draw_people, draw_rooms, draw_units

DECISION_S = 900.0
ROWS_PER_DECISION = round(DECISION_S / STEP_S)
KWH_PER_K_H = 0.5
SETPOINT_LIMITS_C = (16.0, 30.0)
EDGE_ERROR_K = 0.25  # standard deviation of learned edges about the true ones; assumed
SENSOR_ERROR_K = 0.2  # of a thermometer that stays where it is; assumed
NOISE_K = 0.04

Array = NDArray[np.floating[Any]]
Situation = Mapping[str, Array]
Observe = Callable[[Situation], NDArray[np.float32]]
Decide = Callable[[Array, Situation], tuple[BoolArray, BoolArray, Array]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What 15 minutes cost, each of shape (n,)."""

    energy_kwh: Array
    discomfort_k_h: Array
    price_ratio: Array  # of this hour's price to the mean price
    starts: Array  # of the compressor
    switches: Array  # by orders, on or off

    @property
    def j_kwh(self) -> Array:
        """Energy at its relative price, plus discomfort at its price."""
        return self.energy_kwh * self.price_ratio + KWH_PER_K_H * self.discomfort_k_h


class Rooms:
    """``n`` homes' rooms, drawn anew at each ``reset``.

    Parameters
    ----------
    ahead_h : sequence of int
        Hours ahead at which forecasts are shown, each the mean of the hour that ends there.
    """

    def __init__(self, n: int, days: int, ahead_h: Sequence[int], seed: int, season: Season = YEAR) -> None:
        self.n, self.days, self.ahead_h, self.season = n, days, tuple(ahead_h), season
        self.rng = np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """New rooms, people, weather and prices; units off."""
        rng, n = self.rng, self.n
        self.rooms, floor_m2 = draw_rooms(rng, n)
        self.units, self.people = draw_units(rng, floor_m2), draw_people(rng, n)
        self.course = draw_course(rng, self.people, self.days, self.season, groups=max(n // 4, 1))
        course = self.course
        neutral_c = 0.5 * (course.low_c[0] + course.high_c[0])
        start_c = 0.6 * neutral_c + 0.4 * course.outdoor_c[0] + rng.normal(1.0, 1.5, n)
        self.state = plant.at_rest(start_c, start_c, course.outdoor_humidity_kg_kg[0])
        self.row = 0
        self.orders = Orders(np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.full(n, 26.0))
        self.since_switch_s = np.full(n, 3600.0)
        self.power_w = self.units.standby_w.copy()
        self._edge_error_k = rng.normal(0.0, EDGE_ERROR_K, n)
        self._sensor_error_k = rng.normal(0.0, SENSOR_ERROR_K, n)
        self._setpoint_step_k = rng.choice([0.5, 1.0], n)
        self._mean_price = course.price.mean(axis=0)
        self._hourly = {
            name: _hourly_means(getattr(course, name))
            for name in ("outdoor_c", "solar_w_m2", "presence_ratio", "price")
        }
        tau_h = self.rooms.mass_capacity_j_per_k * self.rooms.mass_outdoor_k_per_w / 3600.0
        self._known = {
            "time_constant_h": self._some(0.6, tau_h * np.exp(rng.normal(0.0, 0.2, n))),
            "rated_cooling_w": self._some(0.6, self.units.rated_cooling_w),
        }
        self._has_solar, self._has_power = rng.random(n) < 0.7, rng.random(n) < 0.8
        self._sees_people = rng.random(n) < 0.6  # the others know only the habit

    @property
    def done(self) -> bool:
        """Whether the course has come to its end."""
        return self.row >= self.course.steps

    def situation(self) -> dict[str, Array]:
        """What a policy sees now, by the names of ``models.words.RoomSituation``; NaN is unknown."""
        course, row, n = self.course, self.row, self.n
        air_c = self.state.room.air_c
        humidity_pct = relative_humidity_pct(air_c, self.state.room.humidity_kg_kg)
        leads = np.array(self.ahead_h)
        rows = row + (leads - 1) * STEPS_PER_H
        spread_k = np.array([forecast_spread_k(lead_h) for lead_h in self.ahead_h])
        outdoor_ahead_c = self._hourly["outdoor_c"][rows] + np.outer(spread_k, course.forecast_error[row])
        solar_ahead = self._hourly["solar_w_m2"][rows] * np.maximum(1.0 + 0.25 * course.solar_error[row], 0.0)
        return {
            "local_hour": np.full(n, course.local_hour(row)),
            "room_temperature_c": air_c + self._sensor_error_k + self.rng.normal(0.0, NOISE_K, n),
            "outdoor_temperature_c": course.outdoor_c[row],
            "humidity_pct": humidity_pct,
            "solar_w_m2": np.where(self._has_solar, course.solar_w_m2[row], np.nan),
            "on": self.orders.on.astype(np.float64),
            "heating": self.orders.heating.astype(np.float64),
            "setpoint_c": self.orders.setpoint_c,
            "power_w": np.where(self._has_power, self.power_w, np.nan),
            "since_switch_s": self.since_switch_s,
            "comfort_low_c": course.low_c[row] + self._edge_error_k,
            "comfort_high_c": course.high_c[row] + self._edge_error_k,
            "occupied": np.where(self._sees_people, course.present[row], course.presence_ratio[row]),
            "occupied_ahead": self._hourly["presence_ratio"][rows].T,
            "outdoor_ahead_c": outdoor_ahead_c.T,
            "solar_ahead_w_m2": solar_ahead.T,
            "price_now": course.price[row],
            "price_ahead": self._hourly["price"][rows].T,
            **self._known,
        }

    def step(self, on: BoolArray, heating: BoolArray, setpoint_c: Array) -> Terms:
        """Let 15 minutes pass under these orders; setpoints are rounded and bounded as units do."""
        step_k = self._setpoint_step_k
        rounded_c = np.asarray(np.clip(np.round(setpoint_c / step_k) * step_k, *SETPOINT_LIMITS_C), dtype=np.float64)
        switched = on != self.orders.on
        self.orders = Orders(on, heating, rounded_c)
        self.since_switch_s = np.where(switched, 0.0, self.since_switch_s) + DECISION_S
        energy_j, discomfort_k_s, starts = np.zeros(self.n), np.zeros(self.n), np.zeros(self.n)
        price = self.course.price[self.row]
        for row in range(self.row, self.row + ROWS_PER_DECISION):
            around = self.course.surroundings(row)
            for _ in range(round(STEP_S / plant.INNER_STEP_S)):
                running = self.state.unit.running
                self.state, output = plant.step(self.state, self.rooms, self.units, around, self.orders)
                energy_j += output.power_w * plant.INNER_STEP_S
                outside_k = _outside_k(self.state.room.air_c, self.course.low_c[row], self.course.high_c[row])
                discomfort_k_s += self.course.present[row] * outside_k * plant.INNER_STEP_S
                starts += self.state.unit.running & ~running
        self.power_w = energy_j / DECISION_S
        self.row += ROWS_PER_DECISION
        return Terms(
            energy_j / JOULES_PER_KWH, discomfort_k_s / 3600.0, price / self._mean_price, starts, switched * 1.0
        )

    def _some(self, share: float, values: Array) -> Array:
        return np.where(self.rng.random(self.n) < share, values, np.nan)


def _outside_k(air_c: Array, low_c: Array, high_c: Array) -> Array:
    return np.maximum(air_c - high_c, 0.0) + np.maximum(low_c - air_c, 0.0)


def _hourly_means(values: Array) -> Array:
    """Mean of each row and the 11 after it; shorter at the very end."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    first = np.arange(values.shape[0])
    last = np.minimum(first + STEPS_PER_H, values.shape[0])
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, np.newaxis])


def spaces(columns: int) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    """Observations of ``columns`` values and one action in [-1, 1]."""
    observation = gymnasium.spaces.Box(-np.inf, np.inf, (columns,), np.float32)
    return observation, gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)


class RoomVecEnv(VecEnv):
    """All rooms as one Stable-Baselines3 environment; all courses end together, by time and never by themselves.

    Beside J the reward takes ``switch_kwh`` for each switch on or off: wear and beeps, which J does not know.
    """

    def __init__(self, rooms: Rooms, observe: Observe, decide: Decide, switch_kwh: float = 0.0) -> None:
        self.switch_kwh = switch_kwh
        self.rooms, self.observe, self.decide = rooms, observe, decide
        self._situation = rooms.situation()
        self.render_mode = None
        super().__init__(rooms.n, *spaces(observe(self._situation).shape[1]))

    def reset(self) -> NDArray[np.float32]:
        """Draw new rooms and give their first observations."""
        seed = self._seeds[0]
        if seed is not None:
            self.rooms.rng = np.random.default_rng(seed)
            self._reset_seeds()
        self.rooms.reset()
        return self._look()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions until ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], BoolArray, list[dict[str, Any]]]:
        """Observations, rewards, ends and named terms after 15 minutes."""
        terms = self.rooms.step(*self.decide(self._actions[:, 0].astype(np.float64), self._situation))
        done = self.rooms.done
        observation = self._look()
        infos: list[dict[str, Any]] = [
            {"energy_kwh": energy_kwh, "discomfort_k_h": discomfort_k_h, "TimeLimit.truncated": done}
            for energy_kwh, discomfort_k_h in zip(terms.energy_kwh, terms.discomfort_k_h, strict=True)
        ]
        if done:
            for info, last in zip(infos, observation, strict=True):
                info["terminal_observation"] = last
            observation = self.reset()
        reward = -(terms.j_kwh + self.switch_kwh * terms.switches)
        return observation, reward.astype(np.float32), np.full(self.num_envs, done), infos

    def _look(self) -> NDArray[np.float32]:
        self._situation = self.rooms.situation()
        return self.observe(self._situation)

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute once for each room asked for."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all rooms."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method once; all rooms share it."""
        result = getattr(self, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Never wrapped."""
        return [False for _ in self._get_indices(indices)]


class RoomEnv(gymnasium.Env[Any, Any]):
    """One room, for whatever speaks Gymnasium."""

    def __init__(self, rooms: Rooms, observe: Observe, decide: Decide) -> None:
        if rooms.n != 1:
            raise ValueError(f"expected one room, got {rooms.n}")
        self.rooms, self.observe, self.decide = rooms, observe, decide
        self._situation = rooms.situation()
        self.observation_space, self.action_space = spaces(observe(self._situation).shape[1])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a new room and give its first observation."""
        super().reset(seed=seed)
        if seed is not None:
            self.rooms.rng = np.random.default_rng(seed)
        self.rooms.reset()
        self._situation = self.rooms.situation()
        return self.observe(self._situation)[0], {}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated (never), truncated and named terms after 15 minutes."""
        terms = self.rooms.step(*self.decide(np.asarray(action, dtype=np.float64), self._situation))
        self._situation = self.rooms.situation()
        info = {"energy_kwh": float(terms.energy_kwh[0]), "discomfort_k_h": float(terms.discomfort_k_h[0])}
        return self.observe(self._situation)[0], -float(terms.j_kwh[0]), False, self.rooms.done, info
