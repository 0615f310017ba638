"""The comfort curves of n rooms, as the engine learns them (``control.comfort``), while an actor is trained.

What an actor does decides what people change by hand, and that decides which edges its next plans are made for. With
edges that nothing moves it would learn that pressing its luck is free.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control import comfort
from control.comfort import DAY_S, QUIET_AFTER_S, Array, Belief, BoolArray
from control.planner import LIKELY, QUARTER_S, QUARTERS
from storage.repositories.learned import ComfortCurve, PersonState, Season

SEASONS = (Season.COOLING, Season.HEATING)  # points of warm and of cold days
STATES = (PersonState.HOME, PersonState.ASLEEP)
QUIET_S = np.array([QUIET_AFTER_S[state] for state in STATES])
AHEAD_MIN = 15.0 * np.arange(QUARTERS)
DAY_MIN = 1440.0


@dataclass(frozen=True, slots=True)
class Edges:
    """Which way rooms are taken and between which edges, now and by quarters ahead."""

    heats: BoolArray
    low_c: Array  # now, or at the next return where nobody is in
    high_c: Array
    low_ahead_c: Array  # (n, QUARTERS)
    high_ahead_c: Array


class Believed:
    """The curves of n rooms; one look every quarter of an hour.

    Parameters
    ----------
    asleep_minutes : integers, shape (n, 2)
        When the household usually goes to bed and gets up. [min after local midnight]
    """

    def __init__(self, asleep_minutes: NDArray[np.int64]) -> None:
        n = len(asleep_minutes)
        self.belief = prior(n)  # (n, season, state)
        self._minutes, self._rooms = asleep_minutes, np.arange(n)
        self._outdoor_c = np.full(n, comfort.WARM_DAY_C)  # mean of the day to come, at the last look
        self._state = np.zeros(n, dtype=np.int64)
        self._room_c = np.full(n, np.nan)  # at the last look
        self._quiet_s = np.zeros(n)  # since when somebody has been in and changed nothing

    def changed(self, by_hand: BoolArray, too_warm: BoolArray, local_hour: Array) -> None:
        """Learn from what people have changed by hand since the last look, as ``comfort.after_override`` does.

        What moved them is the air at that look: since the change the unit may have moved it by degrees.
        """
        self._quiet_s[by_hand] = 0.0
        self._state = self._asleep(60.0 * local_hour[:, np.newaxis])[:, 0].astype(np.int64)
        learns = by_hand & np.isfinite(self._room_c)
        if learns.any():
            today = self._today(learns)
            self._move(learns, today, comfort.complained(today, self._room_c[learns], too_warm[learns]))

    def look(
        self,
        *,
        local_hour: Array,
        room_c: Array,
        occupied: Array,
        usual_ahead: Array,
        runs: BoolArray,
        heating: BoolArray,
        outdoor_c: Array,
        heats_with_unit: BoolArray,
    ) -> Edges:
        """Learn from a quarter of an hour in which nobody changed anything, and give the edges.

        Parameters
        ----------
        outdoor_c : Array, shape (n,)
            Mean of the next day as forecast.
        heats_with_unit : BoolArray
            Others never heat.
        """
        asleep = self._asleep(60.0 * local_hour[:, np.newaxis] + AHEAD_MIN).astype(np.int64)
        self.belief = comfort.faded(self.belief, QUARTER_S / DAY_S)
        self._outdoor_c, self._state, self._room_c = outdoor_c, asleep[:, 0], room_c
        every = np.ones(len(room_c), dtype=bool)
        today = self._today(every)
        told_c = np.where(heats_with_unit, outdoor_c, np.inf)
        usual = np.where(runs, heating, told_c < comfort.SEASON_CHANGE_C)
        direction = comfort.heats(usual, room_c, told_c, today.low_c, today.high_c)
        self._quiet_s = np.where(occupied > 0.5, self._quiet_s + QUARTER_S, 0.0)
        quiet = (self._quiet_s > QUIET_S[self._state]) & comfort.says_something(today, room_c)
        if quiet.any():
            before = today.at(quiet)
            self._move(quiet, before, comfort.contented(before, room_c[quiet], QUARTER_S / 3600.0))
        warm, cold = (self.belief.at((slice(None), season)) for season in range(len(SEASONS)))
        ratio = comfort.warmth(outdoor_c)[:, np.newaxis]
        low_c, high_c = (
            np.take_along_axis(edge_c, asleep, axis=1) for edge_c in comfort.used(comfort.between(cold, warm, ratio))
        )
        back = np.where(occupied > 0.5, 0, np.argmax(usual_ahead >= LIKELY, axis=1))
        return Edges(direction, low_c[self._rooms, back], high_c[self._rooms, back], low_c, high_c)

    def _today(self, some: BoolArray) -> Belief:
        """Of the day's weather and the state of people, in some rooms."""
        rooms, state = self._rooms[some], self._state[some]
        warm, cold = (self.belief.at((rooms, season, state)) for season in range(len(SEASONS)))
        return comfort.between(cold, warm, comfort.warmth(self._outdoor_c[some]))

    def _move(self, some: BoolArray, before: Belief, after: Belief) -> None:
        warm_ratio = comfort.warmth(self._outdoor_c[some])
        after = comfort.bounded(after)
        for season, ratio in enumerate((warm_ratio, 1.0 - warm_ratio)):
            at = self._rooms[some], season, self._state[some]
            self.belief.put(at, comfort.bounded(comfort.shared(self.belief.at(at), ratio, before, after)))

    def _asleep(self, minute: Array) -> BoolArray:
        start, end = self._minutes[:, :1], self._minutes[:, 1:]
        after, before = minute % DAY_MIN >= start, minute % DAY_MIN < end
        return np.where(start <= end, after & before, after | before)


def prior(n: int) -> Belief:
    """What is believed of rooms of which nothing is known, shape (n, season, state)."""
    curve = ComfortCurve()
    points = [[curve.at(season, state) for state in STATES] for season in SEASONS]
    names = ("believed_low_c", "believed_high_c", "low_deviation_k", "high_deviation_k")
    return Belief(*(np.tile([[getattr(point, name) for point in row] for row in points], (n, 1, 1)) for name in names))
