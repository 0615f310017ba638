"""How near rooms are kept to what their people are believed to like.

Looked at each quarter of an hour from day 29 while somebody has been home for an hour: the true air of the occupied
zone against the centre of the comfort in use, where the unit can do something about it. It cannot where the room is
past the centre on the side that the season's direction does not move it to while the compressor rests, nor where the
compressor already gives its most.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.savings.words import DECISION_S, Array, BoolArray, Seen
from simulator import residents
from simulator.world import World

NEAR_K = 1.3  # what the vendor of such an engine claims to keep within
HOME_FOR_S = 3600.0
MOST_RATIO = 0.98  # of the highest frequency: the unit gives its most


class Near(NamedTuple):
    """Hours of each home, shape (n,)."""

    hours: Array  # in which the unit could keep the room near the centre
    near_h: Array  # in which the room was within ``NEAR_K`` of it

    def where(self, some: BoolArray) -> "Near":
        """Of some homes."""
        return Near(self.hours[some], self.near_h[some])

    @classmethod
    def joined(cls, blocks: Sequence["Near"]) -> "Near":
        """Of the homes of several blocks, in order."""
        return cls(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))

    def pct(self) -> float | None:
        """Share over all homes."""
        return float(100.0 * self.near_h.sum() / self.hours.sum()) if self.hours.sum() > 0.0 else None


class Nearness:
    """Counts, for the homes of one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._home_s = np.zeros(world.n)
        self._near = Near(np.zeros(world.n), np.zeros(world.n))

    def follow(self, row: int, seen: Seen, *, scored: bool) -> None:
        """A quarter of an hour begins at ``row``; ``seen`` is what the controller was shown."""
        world = self._world
        self._home_s = np.where(world.presence[row] != residents.AWAY, self._home_s + DECISION_S, 0.0)
        if not scored:
            return
        excess_k = world.room_states["occupied_c"] - 0.5 * (seen.low_c + seen.high_c)
        counts = (self._home_s > HOME_FOR_S) & can_reach(world, seen.heats, excess_k)
        self._near.hours[counts] += DECISION_S / 3600.0
        self._near.near_h[counts & (np.abs(excess_k) <= NEAR_K)] += DECISION_S / 3600.0

    def near(self) -> Near:
        """All so far."""
        return self._near


def can_reach(world: World, heats: BoolArray, excess_k: Array) -> BoolArray:
    """Whether each unit could bring the room nearer, or keep it there."""
    units, states = world.units, world.unit_states
    towards = np.where(heats, excess_k < 0.0, excess_k > 0.0)  # the season's direction would help
    most_ratio = np.where(heats, units["maximum_heating_ratio"], units["maximum_cooling_ratio"])
    most_ratio = np.where(units["fixed_speed"], 1.0, most_ratio)
    runs = states["running"]
    gives_most = runs & (states["heating"] == heats) & (states["frequency_ratio"] >= MOST_RATIO * most_ratio)
    beyond = np.abs(excess_k) > NEAR_K
    return np.asarray(~beyond | np.where(towards, ~gives_most, runs))
