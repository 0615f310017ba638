"""A bound: the true plant and the true future.

It sees what ``mpc_true`` sees, and besides the weather, presence and prices that will be, and the person's true band.
No controller can know these; what it costs is what control could at best cost, and is reported, never compared with.
"""

import numpy as np

from benchmarks.savings.mpc_true import Planner
from benchmarks.savings.true_plant import Ahead, Effort
from benchmarks.savings.words import ROWS_PER_DECISION, Array, Known, Seen
from simulator import residents
from simulator.records import Table

DEEP = Effort(iterations=20, rounds=1, changes=128, quarters=32)


class Optimum(Planner):
    """Planning with the future known, 36 h ahead."""

    name = "optimum"
    quarters = 144

    def __init__(self, effort: Effort = DEEP) -> None:
        super().__init__(effort)

    def start(self, known: Known) -> None:
        """Lay out presence, prices and true bands by quarters of an hour."""
        super().start(known)
        if not self.future:
            raise ValueError("optimum is a bound: it must be shown the future")
        world = self.world
        whole = len(world.presence) // ROWS_PER_DECISION * ROWS_PER_DECISION
        by_quarter = whole // ROWS_PER_DECISION, ROWS_PER_DECISION, known.n
        presence = world.presence[:whole].reshape(by_quarter)
        self._here = presence[:, 1].astype(np.float64)
        self._weight = (presence != residents.AWAY).mean(axis=1)
        self._price = world.price[:whole].reshape(by_quarter).mean(axis=1, dtype=np.float64) / known.mean_price
        self._skies = world.skies[1:whole:ROWS_PER_DECISION]
        daily_mean_c = self._skies["daily_mean_c"][:, world.rooms["weather"].astype(np.int64)]
        self._low_c, self._high_c = true_band(world.persons, daily_mean_c, self._here)

    def ahead(self, seen: Seen) -> Ahead:
        """The truth; beyond the last row its last day comes again."""
        first = seen.row // ROWS_PER_DECISION
        rows = first + np.arange(self.quarters)
        over = np.maximum(rows - len(self._weight) + 1, 0)
        rows -= -(-over // 96) * 96
        weather = self.world.rooms["weather"].astype(np.int64)
        nothing = np.full((self.known.n, self.quarters), np.nan)
        return Ahead(
            skies=np.ascontiguousarray(self._skies[rows][:, weather].T),
            here=np.ascontiguousarray(self._here[rows].T),
            middle_c=nothing,
            price=np.ascontiguousarray(self._price[rows].T),
            weight=np.ascontiguousarray(self._weight[rows].T),
            low_c=np.ascontiguousarray(self._low_c[rows].T),
            high_c=np.ascontiguousarray(self._high_c[rows].T),
            at_s=seen.at_epoch_s,
        )


def true_band(persons: Table, daily_mean_c: Array, here: Array) -> tuple[Array, Array]:
    """Edges of the true band, as ``residents`` has them; shapes (quarters, n). [°C]"""
    span_k = residents.SUMMER_C - residents.WINTER_C
    season = np.clip((daily_mean_c - residents.WINTER_C) / span_k, 0.0, 1.0)
    asleep = here == residents.ASLEEP
    winter = persons["winter_neutral_c"] + np.where(asleep, persons["winter_asleep_shift_k"], 0.0)
    summer = persons["summer_neutral_c"] + np.where(asleep, persons["summer_asleep_shift_k"], 0.0)
    middle = winter + season * (summer - winter)
    widening = persons["summer_half_width_k"] - persons["winter_half_width_k"]
    half = persons["winter_half_width_k"] + season * widening + np.where(asleep, persons["asleep_wider_k"], 0.0)
    return middle - half, middle + half
