"""The simulator for learning: n rooms stepped together, as a Stable-Baselines3 VecEnv or a Gymnasium env.

``Rooms`` holds the rooms of an episode and knows neither library. What a policy sees of them is a mapping of arrays
(``situation``); how that becomes an observation, and an action an order, may be handed in, and is ``observe`` and
``decide`` otherwise. A decision holds for 15 minutes, unless people change it by hand: then theirs holds.

The reward is minus J of 15 minutes, in kWh: energy at its price over the home's mean price, plus 0.5 kWh for each K·h
that people spend outside their true band (control facts, "Price of discomfort"). Its terms are in ``Terms``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from core.units import JOULES_PER_KWH
from simulator.episodes import YEAR, Pool, Season, cut
from simulator.physics.moist_air import relative_pcts
from simulator.weather.forecast import Forecasts
from simulator.world import STEP_S, STEPS_PER_H

DECISION_S = 900.0
ROWS_PER_DECISION = round(DECISION_S / STEP_S)
KWH_PER_K_H = 0.5
AHEAD_H = (1, 2, 4, 6, 8, 12, 24)  # hours ahead of which forecasts are shown
SETPOINT_LIMITS_C = (16.0, 30.0)
# Of learned bands against true ones: what the engine's curves showed after four weeks in 48 homes.
NEUTRAL_ERROR_K = 1.0  # standard deviation
WIDTH_RATIO = (0.5, 0.9)
SENSOR_ERROR_K = 0.2  # of a thermometer that stays where it is; assumed
NOISE_K = 0.04
DAY_H = 24
POINTS_H = np.array([-0.75, -0.25])  # before an hour's end, at which presence is asked for its mean
TOO_MUCH_K = 0.8  # beyond the other edge: the season's direction is wrong
SEASON_CHANGE_C = 17.0  # outdoors, mean of two hours half a day apart, above which a home cools
NO_HEATING_C = 20.0  # outdoors, the same mean: a cold room was cooled too far and warms by itself
NO_COOLING_C = 8.0  # the same for a hot room in winter
OFF_LEVEL = -0.5  # action below which a unit is off
SETPOINT_SPAN_K = 4.0  # from the least to the most that an action asks for
SETPOINT_EASE_K = 1.5  # the least, beyond the edge
LIMIT = 6.0  # of an observed value
SCALES = {  # of what is observed: centre and size
    "room_temperature_c": (24.0, 6.0),
    "outdoor_temperature_c": (18.0, 12.0),
    "humidity_pct": (55.0, 20.0),
    "solar_w_m2": (150.0, 250.0),
    "on": (0.0, 1.0),
    "heating": (0.0, 1.0),
    "setpoint_c": (24.0, 6.0),
    "power_w": (300.0, 500.0),
    "since_switch_s": (0.0, 3600.0),
    "comfort_low_c": (24.0, 6.0),
    "comfort_high_c": (24.0, 6.0),
    "occupied": (0.5, 0.5),
    "rated_cooling_w": (3500.0, 1500.0),
    "price_now": (0.5, 0.5),
    "occupied_ahead": (0.5, 0.5),
    "outdoor_ahead_c": (18.0, 12.0),
    "solar_ahead_w_m2": (150.0, 250.0),
    "price_ahead": (0.5, 0.5),
}

Array = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
Situation = Mapping[str, Array]
Observe = Callable[[Situation], NDArray[np.float32]]
Decide = Callable[[Array, Situation], tuple[BoolArray, BoolArray, Array]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What 15 minutes cost, each of shape (n,)."""

    energy_kwh: Array
    priced_kwh: Array  # energy at its price over the mean price
    discomfort_k_h: Array
    starts: Array  # of the compressor
    switches: Array  # by orders, on or off
    presses: Array  # changes by hand

    @property
    def j_kwh(self) -> Array:
        """Energy at its relative price, plus discomfort at its price."""
        return self.priced_kwh + KWH_PER_K_H * self.discomfort_k_h


class Rooms:
    """``n`` rooms of a pool's homes, drawn anew at each ``reset``.

    Parameters
    ----------
    ahead_h : sequence of int
        Hours ahead at which forecasts are shown, each the mean of the hour that ends there.
    """

    def __init__(
        self, source: Pool, n: int, days: int, ahead_h: Sequence[int] = AHEAD_H, seed: int = 0, season: Season = YEAR
    ) -> None:
        self.source, self.n, self.days, self.ahead_h, self.season = source, n, days, tuple(ahead_h), season
        self.rng = np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """Other rooms, people, weather and prices; units off."""
        rng, n = self.rng, self.n
        self.episode = cut(rng, self.source, n, self.days, self.season)
        world = self.world = self.episode.world
        self.row = 0
        self.since_switch_s = np.full(n, 3600.0)
        self.power_w = world.units["standby_w"].copy()
        self._shown_on = np.zeros(n, np.bool_)
        self._weather = world.rooms["weather"]
        self._neutral_error_k = rng.normal(0.0, NEUTRAL_ERROR_K, n)
        self._width_ratio = rng.uniform(*WIDTH_RATIO, n)
        self._sensor_error_k = rng.normal(0.0, SENSOR_ERROR_K, n)
        self._setpoint_step_k = rng.choice([0.5, 1.0], n)
        self._forecasts = Forecasts(world.skies, rng.spawn(world.skies.shape[1]))
        self._rated_cooling_w = np.where(rng.random(n) < 0.6, world.units["rated_cooling_w"], np.nan)
        self._has_solar, self._has_power = rng.random(n) < 0.7, rng.random(n) < 0.8
        self._sees_people = rng.random(n) < 0.6  # the others know only the habit

    @property
    def done(self) -> bool:
        """Whether the episode has come to its end."""
        return self.row >= self.episode.steps

    def situation(self) -> dict[str, Array]:
        """What a policy sees now, shape (n,), or (n, hours) of what is ahead; NaN is unknown."""
        episode, world, row, n, weather = self.episode, self.world, self.row, self.n, self._weather
        air_c, panels, sky = world.room_states["occupied_c"], world.panels, world.skies[row]
        hours = np.array(self.ahead_h)
        outdoor_ahead_c, solar_ahead_w_m2 = self._forecasts.at(row)
        points_h = (hours[:, np.newaxis] + POINTS_H).ravel()
        neutral_c = 0.5 * (episode.low_c[row] + episode.high_c[row]) + self._neutral_error_k
        half_width_k = 0.5 * (episode.high_c[row] - episode.low_c[row]) * self._width_ratio
        usual = episode.presence_ahead(row, np.concatenate([[0.0], points_h]))
        return {
            "local_hour": episode.local_hour(row),
            "room_temperature_c": air_c + self._sensor_error_k + self.rng.normal(0.0, NOISE_K, n),
            "outdoor_temperature_c": sky["outdoor_c"][weather],
            "humidity_pct": relative_pcts(air_c, world.room_states["humidity_kg_kg"], world.rooms["pressure_pa"]),
            "solar_w_m2": np.where(self._has_solar, sky["global_w_m2"][weather], np.nan),
            "on": panels["on"].astype(np.float64),
            "heating": panels["heating"].astype(np.float64),
            "setpoint_c": panels["setpoint_c"].copy(),
            "power_w": np.where(self._has_power, self.power_w, np.nan),
            "since_switch_s": self.since_switch_s,
            "comfort_low_c": neutral_c - half_width_k,
            "comfort_high_c": neutral_c + half_width_k,
            "occupied": np.where(self._sees_people, world.presence[row] > 0, usual[:, 0]),
            "occupied_ahead": usual[:, 1:].reshape(n, hours.size, POINTS_H.size).mean(axis=2),
            "outdoor_ahead_c": outdoor_ahead_c[weather[:, np.newaxis], hours - 1],
            "solar_ahead_w_m2": solar_ahead_w_m2[weather[:, np.newaxis], hours - 1],
            "price_now": world.price[row].astype(np.float64),
            "price_ahead": world.price[row + hours * STEPS_PER_H - STEPS_PER_H // 2].T.astype(np.float64),
            "rated_cooling_w": self._rated_cooling_w,
        }

    def day_ahead(self) -> dict[str, Array]:
        """What is believed of the day from now on, as a plan reads it.

        Shapes: ``presence``, ``price``, ``low_c`` and ``high_c`` (n, 96), by quarters of an hour; ``outdoor_c`` and
        ``solar_w_m2`` (n, 24), forecasts by hours. Edges are learned ones, as of ``situation``; people are believed to
        go to bed when they will.
        """
        episode, row, weather = self.episode, self.row, self._weather
        outdoor_c, solar_w_m2 = self._forecasts.at(row)
        rows = row + ROWS_PER_DECISION * np.arange(DAY_H * 4)
        low_c, high_c = episode.low_c[rows].T, episode.high_c[rows].T
        neutral_c = 0.5 * (low_c + high_c) + self._neutral_error_k[:, np.newaxis]
        half_width_k = 0.5 * (high_c - low_c) * self._width_ratio[:, np.newaxis]
        return {
            "presence": episode.presence_ahead(row, np.arange(DAY_H * 4) / 4.0),
            "outdoor_c": outdoor_c[weather],
            "solar_w_m2": solar_w_m2[weather],
            "price": self.world.price[rows].T.astype(np.float64),
            "low_c": neutral_c - half_width_k,
            "high_c": neutral_c + half_width_k,
        }

    def step(self, on: BoolArray, heating: BoolArray, setpoint_c: Array) -> Terms:
        """Let 15 minutes pass under these orders, where no change by hand holds; setpoints are rounded as units do."""
        world, panels = self.world, self.world.panels
        step_k = self._setpoint_step_k
        rounded_c = np.clip(np.round(setpoint_c / step_k) * step_k, *SETPOINT_LIMITS_C)
        free = world.hands["override_until_s"] <= world.start_epoch_s + STEP_S * self.row
        switched = free & (on != panels["on"])
        for name, values in (("on", on), ("heating", heating), ("setpoint_c", rounded_c)):
            panels[name] = np.where(free, values, panels[name])
        presses = world.hands["presses"].copy()
        energy_j, priced_j, outside_k_s, starts = (np.zeros(self.n) for _ in range(4))
        for row in range(self.row, self.row + ROWS_PER_DECISION):
            world.advance(row, follows_program=False)
            meters = world.meters
            energy_j += meters["energy_j"]
            priced_j += meters["energy_j"] * world.price[row] / self.episode.mean_price
            outside_k_s += meters["over_k_s"] + meters["under_k_s"]
            starts += meters["starts"]
        self.power_w = energy_j / DECISION_S
        self.since_switch_s = np.where(panels["on"] != self._shown_on, 0.0, self.since_switch_s) + DECISION_S
        self._shown_on = panels["on"].copy()
        self.row += ROWS_PER_DECISION
        return Terms(
            energy_kwh=energy_j / JOULES_PER_KWH,
            priced_kwh=priced_j / JOULES_PER_KWH,
            discomfort_k_h=outside_k_s / 3600.0,
            starts=starts,
            switches=switched * 1.0,
            presses=(world.hands["presses"] - presses) * 1.0,
        )


def heats(situation: Situation) -> BoolArray:
    """Whether a home heats or cools: its weather says so, unless the room is well beyond the other edge.

    A unit that runs keeps its direction until then, so that heating and cooling do not take turns. In summer nothing
    is heated and in winter nothing cooled. The hours ahead are ``AHEAD_H``.
    """
    room_c, on = situation["room_temperature_c"], situation["on"] > 0.5
    ahead_c = situation["outdoor_ahead_c"]
    outdoor_c = 0.5 * (ahead_c[..., AHEAD_H.index(12)] + ahead_c[..., AHEAD_H.index(24)])
    usual = np.where(on, situation["heating"] > 0.5, outdoor_c < SEASON_CHANGE_C)
    too_hot = room_c > situation["comfort_high_c"] + TOO_MUCH_K
    too_cold = room_c < situation["comfort_low_c"] - TOO_MUCH_K
    by_room = np.where(too_hot, False, np.where(too_cold, True, usual))
    return np.asarray(np.where(outdoor_c > NO_HEATING_C, False, np.where(outdoor_c < NO_COOLING_C, True, by_room)))


def observe(situation: Situation) -> NDArray[np.float32]:
    """A situation as numbers of about one in size, shape (n, columns); what is not known is 0."""
    angle = 2.0 * np.pi * situation["local_hour"] / 24.0
    scaled = [(situation[name] - centre) / size for name, (centre, size) in SCALES.items()]
    table = np.column_stack([np.sin(angle), np.cos(angle), *scaled])
    return np.asarray(np.clip(np.nan_to_num(table), -LIMIT, LIMIT), dtype=np.float32)


def decide(action: Array, situation: Situation) -> tuple[BoolArray, BoolArray, Array]:
    """What an action in [-1, 1] means: whether the unit runs, whether it heats, and its setpoint. [°C]

    More is more cooling (or heating): below ``OFF_LEVEL`` the unit is off; from there to 1 the setpoint goes from
    ``SETPOINT_EASE_K`` beyond the edge that the unit defends, outside the band, to ``SETPOINT_SPAN_K`` deeper.
    """
    heating = heats(situation)
    edge_c = np.where(heating, situation["comfort_low_c"], situation["comfort_high_c"])
    depth_k = (action - OFF_LEVEL) / (1.0 - OFF_LEVEL) * SETPOINT_SPAN_K - SETPOINT_EASE_K
    return np.asarray(action >= OFF_LEVEL), heating, edge_c + np.where(heating, depth_k, -depth_k)


def spaces(columns: int) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    """Observations of ``columns`` values and one action in [-1, 1]."""
    observation = gymnasium.spaces.Box(-np.inf, np.inf, (columns,), np.float32)
    return observation, gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)


class RoomVecEnv(VecEnv):
    """All rooms as one Stable-Baselines3 environment; all episodes end together, by time and never by themselves.

    Beside J the reward takes ``switch_kwh`` for each switch on or off: wear and beeps, which J does not know.
    """

    def __init__(
        self, rooms: Rooms, observe: Observe = observe, decide: Decide = decide, switch_kwh: float = 0.0
    ) -> None:
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

    def __init__(self, rooms: Rooms, observe: Observe = observe, decide: Decide = decide) -> None:
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
