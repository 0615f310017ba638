"""What has been learned of the comfort of n homes: the same for every controller that uses an edge of comfort.

It is the engine's own curve (``control.comfort``), from the engine's own prior, moved by what people did by hand and
by nothing else. What people are is not known here.
"""

from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.words import QUARTERS_AHEAD, Array, BoolArray
from control.comfort import SEASON_CHANGE_C, after_days, after_override, heats, person_state
from control.presence import LIKELY
from storage.repositories.learned import ComfortCurve, PersonState, Season

DAY_S = 86_400.0
SEASONS = (Season.COOLING, Season.HEATING)
STATES = (PersonState.HOME, PersonState.ASLEEP)
AHEAD_H = np.arange(QUARTERS_AHEAD) / 4.0


@dataclass(frozen=True, slots=True)
class Edges:
    """Learned edges of comfort, as ``words.Seen`` has them."""

    heats: BoolArray
    asleep: BoolArray  # by the household's usual hours
    low_c: Array  # now, or at the next return where nobody is home
    high_c: Array
    low_ahead_c: Array  # (n, 96)
    high_ahead_c: Array


class LearnedComfort:
    """The comfort curves of n homes.

    Parameters
    ----------
    asleep_minutes : integers, shape (n, 2)
        When the household usually goes to bed and gets up, in minutes after local midnight.
    """

    def __init__(self, asleep_minutes: NDArray[np.int64]) -> None:
        n = asleep_minutes.shape[0]
        self._minutes = asleep_minutes
        self._curves = [ComfortCurve() for _ in range(n)]
        self._learned_at_s = [np.nan] * n
        self._low_c, self._high_c = np.empty((n, 2, 2)), np.empty((n, 2, 2))  # by season and state
        for home in range(n):
            self._lay_out(home)

    def curve(self, home: int) -> ComfortCurve:
        """What is believed of a home."""
        return self._curves[home]

    def override(
        self,
        home: int,
        *,
        at_epoch_s: float,
        local_hour: float,
        heating: bool,
        chosen_c: float,
        before_c: float,
        room_c: float,
    ) -> None:
        """Learn from a setpoint that somebody chose by hand; switching off says nothing of a temperature.

        Parameters
        ----------
        before_c, room_c : float
            Setpoint before (NaN: the unit was off) and air of the room (NaN: not known). [°C]
        """
        season = Season.HEATING if heating else Season.COOLING
        minute = int(local_hour * 60.0) % 1440
        start, end = (int(value) for value in self._minutes[home])
        state = person_state(1.0, time(minute // 60, minute % 60), (start, end))
        curve = self._curves[home]
        if np.isfinite(self._learned_at_s[home]):
            curve = after_days(curve, (at_epoch_s - self._learned_at_s[home]) / DAY_S)
        point = after_override(
            curve.at(season, state), chosen_c, room_c=_if_known(room_c), before_c=_if_known(before_c)
        )
        self._curves[home] = curve.with_point(season, state, point)
        self._learned_at_s[home] = at_epoch_s
        self._lay_out(home)

    def asleep(self, local_hour: Array) -> BoolArray:
        """Whether it is the time at which the household is usually asleep; hours of shape (n, ...)."""
        minute = np.floor(local_hour * 60.0) % 1440
        start, end = (self._minutes[:, i].reshape(-1, *[1] * (local_hour.ndim - 1)) for i in range(2))
        after, before = minute >= start, minute < end
        return np.where(start <= end, after & before, after | before)

    def edges(
        self,
        *,
        local_hour: Array,
        on: BoolArray,
        heating: BoolArray,
        room_c: Array,
        outdoor_next_day_c: Array,
        occupied: Array,
        presence_ahead: Array,
    ) -> Edges:
        """Season and edges now and for a day ahead, by the engine's rules.

        Parameters
        ----------
        on, heating : BoolArray
            Of the unit: one that runs keeps its direction until the room says otherwise.
        outdoor_next_day_c : Array
            Mean of the forecast for 24 hours. [°C]
        """
        homes = np.arange(local_hour.size)
        asleep = self.asleep(local_hour[:, np.newaxis] + AHEAD_H)
        usual = np.where(on, heating, outdoor_next_day_c < SEASON_CHANGE_C)
        now, season = asleep[:, 0].astype(np.int64), usual.astype(np.int64)
        low_c, high_c = self._low_c[homes, season, now], self._high_c[homes, season, now]
        heated = heats(usual, room_c, outdoor_next_day_c, low_c, high_c)
        season = heated.astype(np.int64)[:, np.newaxis]
        low_ahead_c = self._low_c[homes[:, np.newaxis], season, asleep.astype(np.int64)]
        high_ahead_c = self._high_c[homes[:, np.newaxis], season, asleep.astype(np.int64)]
        back = np.where(occupied > 0.5, 0, np.argmax(presence_ahead >= LIKELY, axis=1))  # 0 too where nobody will be
        return Edges(
            heats=heated,
            asleep=asleep[:, 0],
            low_c=low_ahead_c[homes, back],
            high_c=high_ahead_c[homes, back],
            low_ahead_c=low_ahead_c,
            high_ahead_c=high_ahead_c,
        )

    def _lay_out(self, home: int) -> None:
        for i, season in enumerate(SEASONS):
            for j, state in enumerate(STATES):
                point = self._curves[home].at(season, state)
                self._low_c[home, i, j], self._high_c[home, i, j] = point.low_c, point.high_c


def _if_known(value_c: float) -> float | None:
    return float(value_c) if np.isfinite(value_c) else None
