"""What a household may allow of its refrigerator, once, with what that is expected to save in a year."""

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from control.fridges import DEAR_RATIO, FROZEN_LIMIT_C, FROZEN_TARGET_C, Program, Seen, greatest_lasting_k

# What the seven simulated refrigerators gave, the cautious end of each (benchmarks/fridges.py, docs/fridges.md).
SAVED_PER_KELVIN = 0.04
MOVED_RATIO, MOVED_RATIO_FOLLOWING = 0.09, 0.05  # of all kWh, from dear to cheap hours; where the freezer follows
EXTRA_RATIO, EXTRA_RATIO_FOLLOWING = 0.025, 0.035  # of all kWh, that storing costs
SPENT_PER_KELVIN = 0.09  # of all kWh, where the freezer follows, at the dear end
FOLLOWS_K_PER_K = 1.9  # a freezer that follows gets colder by so much for each kelvin of the fresh compartment
LEAST_WARMER_K = 0.5  # that is worth a word
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something to allow once; ``core.appliance_sentences`` has its sentence."""

    code: str
    energy_kwh_per_year: Decimal  # less; below zero where money is saved with more energy
    cost_per_year: Decimal | None  # less, in the tariff's currency; None without a price
    values: dict[str, Any]


def proposals(
    program: Program,
    kwh_per_year: float,
    dear_price: Decimal | None,
    cheap_price: Decimal | None,
    *,
    frozen_day_c: float | None = None,
    openings_per_day: float = 45.0,
) -> list[Proposal]:
    """What to allow, each with what it is expected to save in a year; nothing where it is not worth a word.

    Parameters
    ----------
    kwh_per_year : float
        What the refrigerator uses now.
    dear_price, cheap_price : Decimal or None
        Price of a kWh in dear and cheap hours, equal where the price does not change by the hour; None: unknown.
    frozen_day_c : float or None
        Mean of the frozen food by its own program; where that is too warm, only what mends it is proposed. [°C]
    """
    if not kwh_per_year > 0.0 or not math.isfinite(kwh_per_year):
        return []
    mean_price = None if dear_price is None or cheap_price is None else (dear_price + cheap_price) / 2
    if frozen_day_c is not None and program.freezer_follows and frozen_day_c > FROZEN_LIMIT_C:
        colder_k = (frozen_day_c - FROZEN_TARGET_C) / FOLLOWS_K_PER_K
        more_kwh = _exact(kwh_per_year * ((1.0 + SPENT_PER_KELVIN) ** colder_k - 1.0))
        more_cost = None if mean_price is None else -more_kwh * mean_price
        return [_proposal("fridge_colder", -more_kwh, more_cost, {"frozen_c": round(frozen_day_c, 1)})]
    found = []
    seen = Seen(None, None, openings_per_day=openings_per_day)
    warmer_k = greatest_lasting_k(replace(program, expires=False), seen)
    if warmer_k >= LEAST_WARMER_K:
        saved_kwh = _exact(kwh_per_year * (1.0 - (1.0 - SAVED_PER_KELVIN) ** warmer_k))
        cost = None if mean_price is None else saved_kwh * mean_price
        found.append(_proposal("fridge_warmer", saved_kwh, cost, {"warmer_k": round(warmer_k, 1)}))
    if dear_price is not None and cheap_price is not None and dear_price > cheap_price * _exact(DEAR_RATIO):
        follows = program.freezer_follows
        moved_kwh = _exact(kwh_per_year * (MOVED_RATIO_FOLLOWING if follows else MOVED_RATIO))
        extra_kwh = _exact(kwh_per_year * (EXTRA_RATIO_FOLLOWING if follows else EXTRA_RATIO))
        cost = moved_kwh * dear_price - (moved_kwh + extra_kwh) * cheap_price
        if cost > 0:
            found.append(_proposal("fridge_shift", -extra_kwh, cost, {"moved_kwh": _cents(moved_kwh)}))
    return found


def _proposal(code: str, energy_kwh: Decimal, cost: Decimal | None, values: dict[str, Any]) -> Proposal:
    return Proposal(code, _cents(energy_kwh), None if cost is None else _cents(cost), values)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT)


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
