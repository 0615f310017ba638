"""Savings and comfort of controllers, by one definition that every table uses.

- **Discomfort**: K.h over and under the true band of the person while home or asleep, by the true air of the occupied
  zone. Hours with a PMV more than 0.5 away from that person's own neutral stand beside it, and are not scored.
- **J** = cost + 0.5 kWh at the mean price for each K.h (over + under). Homes pay in different currencies, so J is given
  in kWh at the home's own mean price: cost / mean price + 0.5 kWh for each K.h. The same ranking within a home, and a
  sum over homes in which no currency weighs more than another.
- **Gap closed** = sum over homes (J precool - J lingyun) / sum (J precool - J mpc_true). Bootstrap over homes.
- **No more discomfort** = the other's K.h + the larger of 5 K.h a year and 2 %.
- **Energy at equal K.h**: the rule ``precool`` with a wider or narrower margin traces a curve of kWh against K.h
  (``Frontier``); a controller is compared with the point of that curve that leaves people as much discomfort.
- Everything is scored from day 29 and given for a home and year.

Percentages by home (median, lower percentiles, worst) leave out homes whose reference is below ``LEAST_KWH``, where a
ratio says nothing; pooled figures leave out none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from benchmarks.savings.words import Array, BoolArray

WARM_UP_DAYS = 28  # scored from day 29
DAYS_PER_YEAR = 365.0
PRICE_OF_DISCOMFORT_KWH = 0.5  # for each K.h, at the mean price
SLACK_KH, SLACK_RATIO = 5.0, 0.02  # of "no more discomfort", a year
LEAST_KWH = 10.0  # a year, below which a home's own percentage is not counted
DRAWS = 2000  # of the bootstrap
LIMITS_PCT = (2.5, 97.5)
LEAST_GAP = 0.002  # of J: below it there is no gap that could be closed
MOVING_TARIFFS = ("peak_valley", "dynamic")

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Homes:
    """What groups homes in the tables; one value a home."""

    climate: tuple[str, ...]
    household: tuple[str, ...]  # class: all_day, part_time, forgotten
    tariff: tuple[str, ...]  # kind: flat, peak_valley, dynamic, tiered
    mean_price: Array  # per kWh, of the home's own currency
    co2_kg_per_kwh: Array

    @property
    def n(self) -> int:
        """How many."""
        return len(self.climate)

    def where(self, some: BoolArray) -> "Homes":
        """Some of them."""
        keep = np.flatnonzero(some)
        return Homes(
            climate=tuple(self.climate[i] for i in keep),
            household=tuple(self.household[i] for i in keep),
            tariff=tuple(self.tariff[i] for i in keep),
            mean_price=self.mean_price[keep],
            co2_kg_per_kwh=self.co2_kg_per_kwh[keep],
        )

    def only(self, home: int) -> "Homes":
        """One of them."""
        return self.where(np.arange(self.n) == home)


def join_homes(blocks: Sequence[Homes]) -> Homes:
    """The homes of several blocks, in order."""
    return Homes(
        climate=sum((one.climate for one in blocks), ()),
        household=sum((one.household for one in blocks), ()),
        tariff=sum((one.tariff for one in blocks), ()),
        mean_price=np.concatenate([one.mean_price for one in blocks]),
        co2_kg_per_kwh=np.concatenate([one.co2_kg_per_kwh for one in blocks]),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What one controller came to in each home, for a year, scored from day 29; shape (n,)."""

    energy_kwh: Array
    cost: Array  # in the home's currency
    over_kh: Array
    under_kh: Array
    pmv_out_h: Array
    worst_k: Array  # furthest outside the band, mean of 5 minutes
    starts_per_day: Array
    writes_per_day: Array
    overrides: Array

    @property
    def discomfort_kh(self) -> Array:
        """Over and under."""
        return self.over_kh + self.under_kh

    def where(self, some: BoolArray) -> "Figures":
        """Of some homes."""
        return Figures(**{item.name: getattr(self, item.name)[some] for item in fields(self)})

    def j_kwh(self, homes: Homes) -> Array:
        """Cost and discomfort as one number. [kWh at the mean price, a year]"""
        return self.cost / homes.mean_price + PRICE_OF_DISCOMFORT_KWH * self.discomfort_kh

    def means(self, homes: Homes) -> Json:
        """Means over homes; the worst deviation is that of the worst home."""
        figures = {item.name: float(np.mean(getattr(self, item.name))) for item in fields(self)}
        figures["co2_kg"] = float(np.mean(self.energy_kwh * homes.co2_kg_per_kwh))
        figures["worst_k"] = float(np.max(self.worst_k))
        figures["discomfort_kh"] = float(np.mean(self.discomfort_kh))
        figures["cost_kwh"] = float(np.mean(self.cost / homes.mean_price))
        figures["j_kwh"] = float(np.mean(self.j_kwh(homes)))
        return figures


def join_figures(blocks: Sequence[Figures]) -> Figures:
    """The figures of several blocks, in order."""
    return Figures(
        **{item.name: np.concatenate([getattr(one, item.name) for one in blocks]) for item in fields(Figures)}
    )


class Bootstrap:
    """Draws of homes with replacement; every figure of a suite uses the same draws."""

    def __init__(self, n: int, seed: int, draws: int = DRAWS) -> None:
        rng = np.random.default_rng([seed, n, 29])
        self._counts = rng.multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64)

    def sums(self, values: Array) -> Array:
        """The sum over the homes of each draw."""
        return np.asarray(self._counts @ values)

    def of_ratio(self, above: Array, below: Array) -> Array:
        """sum(above) / sum(below) of each draw; a draw without anything below says the least there is."""
        top, bottom = self.sums(above), self.sums(below)
        sound = bottom > LEAST_GAP * np.abs(np.sum(below))
        return np.where(sound, top / np.where(sound, bottom, 1.0), -np.inf)


def saving(mine: Figures, other: Figures, homes: Homes, *, in_j: bool, seed: int) -> Json:
    """What ``mine`` saves against ``other``, in kWh or in J. [%]"""
    ours, theirs = (mine.j_kwh(homes), other.j_kwh(homes)) if in_j else (mine.energy_kwh, other.energy_kwh)
    if not np.sum(theirs) > 0.0:
        return {"unit": "J" if in_j else "kWh", "pooled_pct": None, "reason": "the reference used nothing"}
    draws = 100.0 * Bootstrap(homes.n, seed).of_ratio(theirs - ours, theirs)
    lower, upper = (float(limit) for limit in np.percentile(draws, LIMITS_PCT, method="nearest"))
    counted = theirs > LEAST_KWH
    by_home = 100.0 * (1.0 - ours[counted] / theirs[counted]) if counted.any() else np.array([np.nan])
    our_price, their_price = float(np.sum(mine.cost / homes.mean_price)), float(np.sum(other.cost / homes.mean_price))
    more_kh = float(np.mean(mine.discomfort_kh) - np.mean(other.discomfort_kh))
    return {
        "unit": "J" if in_j else "kWh",
        "pooled_pct": float(100.0 * (1.0 - np.sum(ours) / np.sum(theirs))),
        "lower95_pct": lower,
        "upper95_pct": upper,
        "median_pct": _finite(np.median(by_home)),
        "p20_pct": _finite(np.percentile(by_home, 20)),
        "p5_pct": _finite(np.percentile(by_home, 5)),
        "worst_pct": _finite(np.min(by_home)),
        "cost_pooled_pct": 100.0 * (1.0 - our_price / their_price) if their_price > 0.0 else None,
        "discomfort_kh_difference": more_kh,
        "no_more_discomfort": no_more_discomfort(mine, other),
        "homes": homes.n,
        "homes_left_out_of_percentiles": int(np.sum(~counted)),
    }


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def no_more_discomfort(mine: Figures, other: Figures) -> bool:
    """Whether people are as comfortable as with the other, on the mean over homes."""
    theirs = float(np.mean(other.discomfort_kh))
    return float(np.mean(mine.discomfort_kh)) <= theirs + max(SLACK_KH, SLACK_RATIO * theirs)


def gap_closed(mine: Figures, rule: Figures, best: Figures, homes: Homes, seed: int) -> tuple[float | None, Json]:
    """Share of the way from the rule to the best that was gone, with its limits. [%]

    None where the best is not better than the rule by ``LEAST_GAP``: then there is nothing to close.
    """
    if homes.n == 0:
        return None, {"lower95_pct": None, "upper95_pct": None, "reason": "no such homes in this suite"}
    mine_j, rule_j, best_j = (one.j_kwh(homes) for one in (mine, rule, best))
    gap = float(np.sum(rule_j - best_j))
    if gap <= LEAST_GAP * float(np.sum(rule_j)):
        return None, {"lower95_pct": None, "upper95_pct": None, "reason": "no gap between the rule and the reference"}
    draws = 100.0 * Bootstrap(homes.n, seed).of_ratio(rule_j - mine_j, rule_j - best_j)
    lower, upper = np.percentile(draws, LIMITS_PCT, method="nearest")
    closed = 100.0 * float(np.sum(rule_j - mine_j)) / gap
    return closed, {"lower95_pct": _finite(lower), "upper95_pct": _finite(upper)}


@dataclass(frozen=True, slots=True)
class Frontier:
    """kWh against K.h of the rule with other margins, pooled over the same homes; shape (variants,)."""

    energy_kwh: Array  # means over homes
    discomfort_kh: Array

    def energy_at(self, discomfort_kh: float) -> float | None:
        """What the rule takes at that discomfort, on the lower edge of its variants. [kWh]  None outside of them."""
        order = np.argsort(self.discomfort_kh)
        kh, kwh = self.discomfort_kh[order], self.energy_kwh[order]
        if not kh[0] <= discomfort_kh <= kh[-1]:
            return None
        edge = lower_hull(kh, kwh)
        return float(np.interp(discomfort_kh, kh[edge], kwh[edge]))


def lower_hull(x: Array, y: Array) -> list[int]:
    """Indices of the points that no line between two others passes below; ``x`` ascends."""
    hull: list[int] = []
    for i in range(x.size):
        while len(hull) >= 2:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(i)
    return hull


def energy_at_equal_discomfort(figures: Figures, frontier: Frontier) -> Json:
    """A controller beside the rule that leaves as many K.h."""
    kwh, kh = float(np.mean(figures.energy_kwh)), float(np.mean(figures.discomfort_kh))
    rule_kwh = frontier.energy_at(kh)
    if rule_kwh is None:
        low, high = float(np.min(frontier.discomfort_kh)), float(np.max(frontier.discomfort_kh))
        reason = f"{kh:.0f} K.h lies outside of what the rule's variants reach, {low:.0f} to {high:.0f} K.h"
        return {"discomfort_kh": kh, "energy_kwh": kwh, "precool_kwh": None, "saving_pct": None, "reason": reason}
    return {
        "discomfort_kh": kh,
        "energy_kwh": kwh,
        "precool_kwh": rule_kwh,
        "saving_pct": 100.0 * (1.0 - kwh / rule_kwh),
    }


def machine_and_control(mine: Figures, conventional: Figures, grade3: Figures) -> Json:
    """What the better unit saves, what control saves on it, and both; the two do not add, they multiply. [%]"""
    ours, own, old = (float(np.sum(one.energy_kwh)) for one in (mine, conventional, grade3))
    if not min(own, old) > 0.0:
        return {"machine_pct": None, "control_pct": None, "together_pct": None, "reason": "the reference used nothing"}
    return {
        "machine_pct": 100.0 * (1.0 - own / old),
        "control_pct": 100.0 * (1.0 - ours / own),
        "together_pct": 100.0 * (1.0 - ours / old),
        "saved_kwh": (old - ours) / mine.energy_kwh.size,
    }
