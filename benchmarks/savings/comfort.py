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
    WARM_DAY_C,
    Belief,
    after_override,
    belief_of,
    between,
    bounded,
    contented,
    faded,
    heats,
    learned,
    person_state,
    says_something,
    shared,
    used,
    warmth,
    with_belief,
)
from control.presence import LIKELY
from storage.repositories.learned import ComfortCurve, PersonState, Season

DAY_S = 86_400.0
SEASONS = (Season.COOLING, Season.HEATING)  # points of warm and of cold days
STATES = (PersonState.HOME, PersonState.ASLEEP)
QUIET_S = [QUIET_AFTER_S[state] for state in STATES]
AHEAD_MIN = 15 * np.arange(QUARTERS_AHEAD)


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
        prior = [[ComfortCurve().at(season, state) for state in STATES] for season in SEASONS]
        names = ("believed_low_c", "believed_high_c", "low_deviation_k", "high_deviation_k")
        columns = ([[getattr(point, name) for point in points] for points in prior] for name in names)
        self._belief = Belief(*(np.tile(column, (n, 1, 1)) for column in columns))  # (n, season, state)
        self._faded_at_s: float | None = None
        self._outdoor_c = np.full(n, WARM_DAY_C)  # mean of the day to come, at the last look
        self._quiet_s = np.zeros(n)  # since when somebody has been home and changed nothing
        self._before_c = np.full(n, np.nan)  # room air at the last look

    def curve(self, home: int) -> ComfortCurve:
        """What is believed of a home."""
        curve = self._curves[home]
        for i, season in enumerate(SEASONS):
            for j, state in enumerate(STATES):
                point = with_belief(curve.at(season, state), self._belief.at((home, i, j)))
                curve = curve.with_point(season, state, point)
        return curve

    def override(
        self,
        home: int,
        *,
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
        minute = int(local_hour * 60.0) % 1440
        start, end = (int(value) for value in self._minutes[home])
        state = person_state(1.0, time(minute // 60, minute % 60), (start, end))
        room_c = self._before_c[home] if np.isfinite(self._before_c[home]) else room_c
        curve = learned(
            self.curve(home),
            state,
            float(self._outdoor_c[home]),
            lambda point: after_override(
                point, chosen_c, room_c=_if_known(room_c), before_c=_if_known(before_c), heating=heating
            ),
        )
        self._curves[home] = curve
        self._quiet_s[home] = 0.0
        for i, season in enumerate(SEASONS):
            self._belief.put((home, i, STATES.index(state)), belief_of(curve.at(season, state)))

    def asleep_ahead(self, local_hour: Array) -> BoolArray:
        """Whether it is the time at which the household is usually asleep, by quarters of an hour; shape (n, 96)."""
        minute = np.floor(local_hour * 60.0).astype(np.int64)[:, np.newaxis] + AHEAD_MIN
        minute -= 1440 * (minute >= 1440)
        start, end = self._minutes[:, :1], self._minutes[:, 1:]
        after, before = minute >= start, minute < end
        return np.where(start <= end, after & before, after | before)

    def edges(
        self,
        *,
        at_epoch_s: float,
        local_hour: Array,
        on: BoolArray,
        heating: BoolArray,
        room_c: Array,
        outdoor_c: Array,
        outdoor_next_day_c: Array,
        occupied: Array,
        presence_ahead: Array,
    ) -> Edges:
        """Season and edges now and for a day ahead, by the engine's rules; asked once at each decision.

        Parameters
        ----------
        on, heating : BoolArray
            Of the unit: one that runs keeps its direction until the room says otherwise.
        outdoor_c : Array
            Mean of the forecast for 24 hours, for which people dress. [°C]
        outdoor_next_day_c : Array
            The same as the season's rules are told it. [°C]
        """
        homes = np.arange(local_hour.size)
        asleep = self.asleep_ahead(local_hour)
        usual = np.where(on, heating, outdoor_next_day_c < SEASON_CHANGE_C)
        now = asleep[:, 0].astype(np.int64)
        self._fade(at_epoch_s)
        self._outdoor_c = outdoor_c.copy()
        today = self._today()
        heated = heats(usual, room_c, outdoor_next_day_c, today.low_c[homes, now], today.high_c[homes, now])
        self._learn_quiet(now, room_c, occupied)
        low_c, high_c = used(self._today())  # (n, state)
        low_ahead_c, high_ahead_c = (np.where(asleep, edge_c[:, 1:], edge_c[:, :1]) for edge_c in (low_c, high_c))
        back = np.where(occupied > 0.5, 0, np.argmax(presence_ahead >= LIKELY, axis=1))  # 0 too where nobody will be
        return Edges(
            heats=heated,
            asleep=asleep[:, 0],
            low_c=low_ahead_c[homes, back],
            high_c=high_ahead_c[homes, back],
            low_ahead_c=low_ahead_c,
            high_ahead_c=high_ahead_c,
        )

    def _today(self) -> Belief:
        """Of the day's weather; shape (n, state)."""
        warm, cold = (self._belief.at((slice(None), season)) for season in range(len(SEASONS)))
        return between(cold, warm, warmth(self._outdoor_c)[:, np.newaxis])

    def _learn_quiet(self, state: NDArray[np.int64], room_c: Array, occupied: Array) -> None:
        """Learn from the quarter of an hour in which nobody changed anything."""
        self._quiet_s = np.where(occupied > 0.5, self._quiet_s + DECISION_S, 0.0)
        self._before_c = room_c.copy()
        quiet = (self._quiet_s > np.array(QUIET_S)[state]) & np.isfinite(room_c)
        before = self._today().at((np.arange(state.size), state))
        quiet &= says_something(before, room_c)
        if not quiet.any():
            return
        before = before.at(quiet)
        after = bounded(contented(before, room_c[quiet], DECISION_S / 3600.0))
        warm_ratio = warmth(self._outdoor_c[quiet])
        for season, ratio in enumerate((warm_ratio, 1.0 - warm_ratio)):
            at = np.flatnonzero(quiet), np.full(ratio.size, season), state[quiet]
            self._belief.put(at, bounded(shared(self._belief.at(at), ratio, before, after)))

    def _fade(self, at_epoch_s: float) -> None:
        """Let time pass."""
        if self._faded_at_s is not None:
            self._belief = faded(self._belief, (at_epoch_s - self._faded_at_s) / DAY_S)
        self._faded_at_s = at_epoch_s


def _if_known(value_c: float) -> float | None:
    return float(value_c) if np.isfinite(value_c) else None
