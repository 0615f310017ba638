"""The units of n simulated rooms behind the guard of ``control.guard``, while an actor is trained."""

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from control.guard import GuardState, History, Limits, WishSource, check
from control.planner import Array, BoolArray, Targets
from core.words import Fan, Mode
from models.words import Wish
from storage.repositories.learned import Season
from training.believed import Edges

LIMITS = Limits(step_k=0.5)
OFF = Wish(False, None, None, Fan.AUTO)


class Orders(NamedTuple):
    """What units are told, shape (n,) each."""

    on: BoolArray
    heating: BoolArray
    setpoint_c: Array


class Units:
    """What the guard remembers of n units."""

    def __init__(self, n: int) -> None:
        self.set_c = np.full(n, np.nan)  # setpoints after the last orders, NaN while off
        self._on = np.zeros(n, dtype=bool)  # as it was left
        self._switched_at: list[datetime | None] = [None] * n
        self._writes: list[tuple[datetime, ...]] = [()] * n

    def check(
        self,
        at_s: float,
        seen: dict[str, NDArray[np.float64]],
        targets: Targets,
        edges: Edges,
        held: BoolArray,
        returning: BoolArray,
    ) -> Orders:
        """What is left of plans for the next quarter of an hour."""
        now = datetime.fromtimestamp(at_s, tz=UTC)
        on, heating = seen["on"] > 0.5, seen["heating"] > 0.5
        for i in np.flatnonzero(on != self._on):  # by hand
            self._switched_at[i] = now
        told, warms, set_c = on.copy(), heating.copy(), seen["setpoint_c"].copy()
        minute = np.floor(60.0 * seen["local_hour"]).astype(np.int64)
        for i in np.flatnonzero(~held):
            mode = Mode.HEAT if edges.heats[i] else Mode.COOL
            wish = Wish(True, mode, float(targets.setpoint_c[i]), Fan.AUTO) if targets.on[i] else OFF
            state = GuardState(
                source=WishSource.POLICY,
                local_minute=int(minute[i]),
                on=bool(on[i]),
                mode=Mode.HEAT if heating[i] else Mode.COOL,
                setpoint_c=float(set_c[i]),
                room_temperature_c=float(seen["room_temperature_c"][i]),
                occupied=float(seen["occupied"][i]),
                returning=bool(returning[i]),
                season=Season.HEATING if edges.heats[i] else Season.COOLING,
                comfort_low_c=float(edges.low_c[i]),
                comfort_high_c=float(edges.high_c[i]),
                sensor_offset_k=float(targets.offset_k[i]),
            )
            history = History(self._switched_at[i], self._writes[i], known=bool(self._writes[i]))
            action, _ = check(wish, LIMITS, state, history, now)
            if not action.write:
                continue
            self._writes[i] = (*self._writes[i][1 - LIMITS.writes_per_hour :], now)
            if action.target.on != on[i]:
                self._switched_at[i] = now
            told[i] = action.target.on
            if action.target.on and action.target.setpoint_c is not None:
                warms[i], set_c[i] = action.target.mode is Mode.HEAT, action.target.setpoint_c
        self._on = told.copy()
        self.set_c = np.where(told, set_c, np.nan)
        return Orders(told, warms, set_c)
