"""Simulated rooms that follow plans, as a Stable-Baselines3 VecEnv in which an agent corrects each plan once an hour.

A room's plan is ``control.planner``'s, on a model that was fitted to what the same home did in earlier episodes, for
edges of comfort that are learned from what its people change and leave (``training.believed``), and the guard has the
last word (``training.guarded``). People change by hand what they do not like, and the unit is then theirs for two
hours. The reward is what the hour cost less than in the same room without corrections: J (``simulator/env.py``),
``press_kwh`` for each change by hand and ``switch_kwh`` for each switch; less a little for every correction, so that
one that gains nothing is not made.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from control import correcting, planner
from control.planner import Ahead, Array, BoolArray, Quarter, Rooms
from control.two_nodes import Past
from models.features import ACTOR, columns, encode
from simulator.env import Rooms as SimulatedRooms
from simulator.env import Situation, Terms
from simulator.residents import HOLD_S
from simulator.world import STEP_S
from training.believed import Believed, prior
from training.guarded import LIMITS, Units
from training.pools import usual_sleep

HOUR_QUARTERS = 4
ACTIONS = 2
PER_KWH = 10.0  # of the reward, so that it is of the order of 1
SUMMED = ("energy_kwh", "priced_kwh", "discomfort_k_h", "starts", "switches", "presses")


@dataclass(frozen=True)
class Prices:
    """What the reward takes beside J. [kWh]  All assumed."""

    press_kwh: float = 0.3  # a change by hand: who makes it was disturbed, and may do without the engine next
    switch_kwh: float = 0.01
    correction_kwh: float = 0.01  # of a full correction


class PlannedRooms:
    """Rooms of the simulator that follow plans as at home; ``action`` corrects the plan of the hour."""

    def __init__(self, rooms: SimulatedRooms) -> None:
        self.rooms = rooms
        self._asleep_minutes = usual_sleep(rooms.source)
        self._fitted: dict[int, Any] = {}  # by home of the pool: the record of its last episode
        self._believed = prior(len(self._asleep_minutes))  # by home of the pool
        self.reset()

    def reset(self) -> None:
        """Other rooms; what was learned of their homes before is known."""
        self.rooms.reset()
        world, homes = self.rooms.world, self.rooms.episode.homes
        self.plans: Rooms = planner.new(world.units["rated_cooling_w"], world.rooms["floor_m2"].astype(np.float64))
        for i, home in enumerate(homes.tolist()):
            if home in self._fitted:
                for name in ("theta", "bias_k"):
                    self.plans[name][i] = self._fitted[home][name]
        self._comfort = Believed(self._asleep_minutes[homes])
        self._comfort.belief = self._believed.at(homes)
        self._units = Units(self.rooms.n)
        self._presses = world.hands["presses"].copy()
        self._set_c = np.full(self.rooms.n, np.nan)  # setpoints after the last orders, NaN while off
        self._held_until_s = np.zeros(self.rooms.n)
        self._held = np.zeros(self.rooms.n, dtype=bool)
        self._past: list[Past] = []
        self._look()
        self._plan()

    def hour(self, action: Array) -> dict[str, Array]:
        """Let an hour pass under corrections of shape (n, 2); the sum of each of ``SUMMED``."""
        correcting.apply(self.plans, self._heats, action)
        total = {name: np.zeros(self.rooms.n) for name in SUMMED}
        for quarter in range(HOUR_QUARTERS):
            if quarter > 0:
                self._plan_again(self._came | self._turned | self._released)
            terms = self._order()
            for name in SUMMED:
                total[name] += getattr(terms, name)
            self._learn()
        if self.rooms.done:
            self._keep()
        else:
            self._plan()
        return total

    def observation(self) -> NDArray[np.float32]:
        """What the actor reads of plans that begin now."""
        on = self._seen["on"] > 0.5
        raw = correcting.situation(self.plans, self._heats, self._ahead, on, self._seen["local_hour"])
        return encode(ACTOR, raw)

    def _order(self) -> Terms:
        """Tell the units what the plans want and the guard lets pass, and let a quarter of an hour go by."""
        seen = self._seen
        silent = planner.silent_quarters(LIMITS.quiet, np.floor(60.0 * seen["local_hour"]).astype(np.int64))
        returning = np.asarray((self._day["presence"] >= planner.LIKELY).any(axis=1))
        orders = self._units.check(
            self._at_s, seen, planner.targets(self.plans, self._heats, silent), self._edges, self._held, returning
        )
        return self.rooms.step(*orders)

    def _look(self) -> None:
        """Read the sensors, and learn from what people changed and left."""
        self._seen, self._day = _floats(self.rooms.situation()), _floats(self.rooms.day_ahead())
        seen, world = self._seen, self.rooms.world
        self._at_s = world.start_epoch_s + STEP_S * self.rooms.row
        on, heating = seen["on"] > 0.5, seen["heating"] > 0.5
        by_hand = world.hands["presses"] > self._presses
        self._presses = world.hands["presses"].copy()
        too_warm = np.where(np.isnan(self._set_c), ~heating, seen["setpoint_c"] < self._set_c)
        differs = seen["setpoint_c"] != self._set_c
        self._comfort.changed(by_hand & on & differs, too_warm, seen["local_hour"])
        self._held_until_s = np.where(by_hand, self._at_s + HOLD_S, self._held_until_s)
        self._held_until_s[seen["occupied"] < 0.5] = 0.0
        self._held = np.asarray(self._held_until_s > self._at_s)
        self._edges = self._comfort.look(
            local_hour=seen["local_hour"],
            room_c=seen["room_temperature_c"],
            occupied=seen["occupied"],
            usual_ahead=self._day["presence"],
            runs=on,
            heating=heating,
            outdoor_c=self._day["outdoor_c"].mean(axis=1),
            heats_with_unit=world.habits["heats"],
        )
        self._heats: BoolArray = self._edges.heats

    def _plan(self) -> None:
        self._believe()
        planner.start(self.plans, self._seen["room_temperature_c"])
        planner.plan(self.plans, self._heats, self._ahead)

    def _plan_again(self, due: BoolArray) -> None:
        """Plan some rooms within the hour; their corrections hold."""
        if not due.any():
            return
        self._believe()
        some, corrections = self.plans[due], ("shift_k", "least_ratio")
        planner.plan(some, self._heats[due], Ahead(*(one[due] for one in self._ahead)))
        for name in corrections:
            some[name] = self.plans[name][due]
        self.plans[due] = some

    def _believe(self) -> None:
        day, hours = self._day, np.arange(planner.QUARTERS) // HOUR_QUARTERS
        self._ahead = Ahead(
            chance=planner.chance_ahead(self._seen["occupied"], day["presence"]),
            outdoor_c=day["outdoor_c"][:, hours],
            solar_w_m2=day["solar_w_m2"][:, hours],
            price_ratio=day["price"] / self.rooms.episode.mean_price[:, np.newaxis],
            low_c=self._edges.low_ahead_c,
            high_c=self._edges.high_ahead_c,
        )

    def _learn(self) -> None:
        """Look at the rooms after a quarter of an hour, and let the plans learn from it."""
        before, direction, held = self._seen, self._heats, self._held
        self._set_c = self._units.set_c
        self._look()
        now = self._seen
        quarter = Quarter(
            room_c=now["room_temperature_c"],
            outdoor_c=0.5 * (before["outdoor_temperature_c"] + now["outdoor_temperature_c"]),
            solar_w_m2=0.5 * (before["solar_w_m2"] + now["solar_w_m2"]),
            power_w=now["power_w"],
            heating=now["heating"] > 0.5,
            occupied=before["occupied"],
            ran=(before["on"] > 0.5) & (now["on"] > 0.5) & ~held & ~self._held & (direction == self._heats),
        )
        heat_kw = planner.heat_kw(self.plans, quarter)
        sun_kw_m2 = np.nan_to_num(quarter.solar_w_m2) / 1e3
        self._past.append(Past(before["room_temperature_c"], quarter.outdoor_c, sun_kw_m2, heat_kw, quarter.occupied))
        planner.learn(self.plans, quarter)
        self._came = np.asarray(before["occupied"] != now["occupied"])
        self._turned = np.asarray(direction != self._heats)
        self._released = held & ~self._held

    def _keep(self) -> None:
        """Fit the rooms to the episode that has ended, and remember what was learned of their people."""
        past = Past(*(np.stack(column, axis=1) for column in zip(*self._past, strict=True)))
        planner.refit(self.plans, past, planner.FIRST_ITERATIONS)
        homes = self.rooms.episode.homes
        self._believed.put(homes, self._comfort.belief)
        for i, home in enumerate(homes.tolist()):
            self._fitted[home] = self.plans[i].copy()


def _floats(arrays: Situation) -> dict[str, Array]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}


class PlannedVecEnv(VecEnv):
    """``PlannedRooms`` as one environment; all episodes end together, by time and never by themselves.

    Beside each room stands its twin, the same room with the same people and luck whose plans nobody corrects. The
    reward is what the correction saved against it, so that weather and homes, which decide most of what an hour costs,
    are not taken for what the agent did.

    Parameters
    ----------
    planned, plain : PlannedRooms
        Of equal rooms, drawn by equal seeds.
    """

    def __init__(self, planned: PlannedRooms, plain: PlannedRooms, prices: Prices) -> None:
        self.planned, self.plain, self.prices = planned, plain, prices
        self.saved_kwh: list[float] = []  # mean of all rooms, by hours
        self.render_mode = None
        observation = gymnasium.spaces.Box(-np.inf, np.inf, (len(columns(ACTOR)),), np.float32)
        super().__init__(planned.rooms.n, observation, gymnasium.spaces.Box(-1.0, 1.0, (ACTIONS,), np.float32))

    def reset(self) -> NDArray[np.float32]:
        """Draw new rooms and give their first observations."""
        self.planned.reset()
        self.plain.reset()
        return self.planned.observation()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions until ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], BoolArray, list[dict[str, Any]]]:
        """Observations, rewards and ends after an hour."""
        total = self.planned.hour(self._actions.astype(np.float64))
        plain = self.plain.hour(np.zeros((self.num_envs, ACTIONS)))
        saved_kwh = reward_terms(plain, self.prices) - reward_terms(total, self.prices)
        reward = PER_KWH * (saved_kwh - self.prices.correction_kwh * (self._actions**2).sum(axis=1))
        self.saved_kwh.append(float(saved_kwh.mean()))
        done = self.planned.rooms.done
        observation = self.planned.observation()
        infos: list[dict[str, Any]] = [{"TimeLimit.truncated": done} for _ in range(self.num_envs)]
        if done:
            for info, last in zip(infos, observation, strict=True):
                info["terminal_observation"] = last
            observation = self.reset()
        return observation, reward.astype(np.float32), np.full(self.num_envs, done), infos

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


def reward_terms(total: dict[str, Array], prices: Prices) -> Array:
    """What an hour cost: J, and what is disliked beside it. [kWh]"""
    j_kwh = total["priced_kwh"] + planner.PRICE_OF_DISCOMFORT_KWH * total["discomfort_k_h"]
    return np.asarray(j_kwh + prices.press_kwh * total["presses"] + prices.switch_kwh * total["switches"])
