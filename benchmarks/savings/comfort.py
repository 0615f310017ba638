"""What has been learned of the comfort of n homes: the same for every controller that uses an edge of comfort.

It is the engine's own curve (``control.comfort``), from the engine's own prior, moved by what people changed by hand
and what they left as it was. What people are is not known here.
"""

from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.words import DECISION_S, QUARTERS_AHEAD, Array, BoolArray
from control.comfort import (
    QUIET_AFTER_S,
    SEASON_CHANGE_C,
    after_days,
    after_override,
    band,
    contented,
    heats,
    person_state,
    with_edges,
)
from control.presence import LIKELY
from storage.repositories.learned import ComfortCurve, PersonState, Season

DAY_S = 86_400.0
SEASONS = (Season.COOLING, Season.HEATING)
STATES = (PersonState.HOME, PersonState.ASLEEP)
QUIET_S = [QUIET_AFTER_S[state] for state in STATES]
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
        self._curves = [ComfortCurve() for _ in range(n)]  # but for the edges, which move all the time
        self._learned_at_s = [np.nan] * n
        prior = [[ComfortCurve().at(season, state) for state in STATES] for season in SEASONS]
        self._low_c = np.tile([[point.low_c for point in points] for points in prior], (n, 1, 1))
        self._high_c = np.tile([[point.high_c for point in points] for points in prior], (n, 1, 1))
        self._quiet_s = np.zeros(n)  # since when somebody has been home and changed nothing
        self._before_c = np.full(n, np.nan)  # room air at the last look

    def curve(self, home: int) -> ComfortCurve:
        """What is believed of a home."""
        curve = self._curves[home]
        for i, season in enumerate(SEASONS):
            for j, state in enumerate(STATES):
                point = with_edges(curve.at(season, state), self._low_c[home, i, j], self._high_c[home, i, j])
                curve = curve.with_point(season, state, point)
        return curve

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
            Setpoint before (NaN: the unit was off) and air of the room now (NaN: not known). What moved people is the
            air at the last look, where that is known: since the change the unit may have moved it by degrees. [°C]
        """
        season = Season.HEATING if heating else Season.COOLING
        minute = int(local_hour * 60.0) % 1440
        start, end = (int(value) for value in self._minutes[home])
        state = person_state(1.0, time(minute // 60, minute % 60), (start, end))
        curve = self.curve(home)
        room_c = self._before_c[home] if np.isfinite(self._before_c[home]) else room_c
        if np.isfinite(self._learned_at_s[home]):
            curve = after_days(curve, (at_epoch_s - self._learned_at_s[home]) / DAY_S)
        point = after_override(
            curve.at(season, state),
            chosen_c,
            room_c=_if_known(room_c),
            before_c=_if_known(before_c),
            heating=heating,
        )
        self._curves[home] = curve.with_point(season, state, point)
        self._learned_at_s[home] = at_epoch_s
        self._quiet_s[home] = 0.0
        at = home, SEASONS.index(season), STATES.index(state)
        self._low_c[at], self._high_c[at] = point.low_c, point.high_c

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
        """Season and edges now and for a day ahead, by the engine's rules; asked once at each decision.

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
        self._learn_quiet(heated.astype(np.int64), now, room_c, occupied)
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

    def _learn_quiet(self, season: NDArray[np.int64], state: NDArray[np.int64], room_c: Array, occupied: Array) -> None:
        """Learn from the quarter of an hour in which nobody changed anything."""
        self._quiet_s = np.where(occupied > 0.5, self._quiet_s + DECISION_S, 0.0)
        self._before_c = room_c.copy()
        quiet = (self._quiet_s > np.array(QUIET_S)[state]) & np.isfinite(room_c)
        at = np.flatnonzero(quiet), season[quiet], state[quiet]
        edges_c = contented(self._low_c[at], self._high_c[at], room_c[quiet], DECISION_S / 3600.0)
        neutral_c, half_k = band(*edges_c)
        self._low_c[at], self._high_c[at] = neutral_c - half_k, neutral_c + half_k


def _if_known(value_c: float) -> float | None:
    return float(value_c) if np.isfinite(value_c) else None
