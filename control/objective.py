"""One setting that people understand, "save / comfort / green", and what it comes to for plan and guard.

save
    The price that the plan sees is the tariff's.
comfort
    The same price, but the band is kept with a margin inside its edges, and a room to which somebody is expected back
    within a day is held instead of being left to drift.
green
    The price is CO2 of a kWh. What is known of grids here is an annual factor, which knows no hours: all hours are
    alike, and fewer kWh are what counts. Where no factor is known, it is as save, and every decision says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from insights.carbon import CarbonFactor

COMFORT_MARGIN_K = 0.5  # inside each edge of the band
LEAST_BAND_K = 1.0  # that a margin leaves

Prices = Callable[[datetime], float]


class Objective(StrEnum):
    """What the engine is after within comfort."""

    SAVE = "save"
    COMFORT = "comfort"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a kWh is worth to the plan, and where that comes from."""

    price: Prices
    source: str  # tariff, carbon, carbon_unknown


def objective_of(room: str | None, home: object) -> Objective:
    """The room's word, or else the home's, or else save; a word that nobody knows counts for nothing."""
    for word in (room, home):
        if isinstance(word, str) and word in set(Objective):
            return Objective(word)
    return Objective.SAVE


def signal_of(objective: Objective, tariff: Prices, carbon: CarbonFactor | None) -> Signal:
    """What the plan is to weigh hours by."""
    if objective is not Objective.GREEN:
        return Signal(tariff, "tariff")
    if carbon is None:
        return Signal(tariff, "carbon_unknown")
    kg_per_kwh = carbon.kg_per_kwh
    return Signal(lambda _: kg_per_kwh, "carbon")


def kept_band_c(low_c: float, high_c: float, margin_k: float) -> tuple[float, float]:
    """Edges of a band with a margin inside them, as far as that leaves a band. [°C]"""
    margin_k = min(margin_k, max(0.0, 0.5 * (high_c - low_c - LEAST_BAND_K)))
    return low_c + margin_k, high_c - margin_k
