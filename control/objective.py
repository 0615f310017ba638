"""One setting that people understand, "save / comfort / green", and what it comes to for policy and guard.

save
    The price that the policy sees is the tariff's.
comfort
    The same price, but the band is kept with a margin inside its edges, and a room to which somebody is expected back
    within a day is held instead of being left to drift.
green
    The price is CO2 of a kWh. What is known of grids here is an annual factor, which knows no hours: all hours are
    alike, and fewer kWh are what counts. Where no factor is known, it is as save, and every decision says so.

**Pre-cooling into cheap hours** is worth something only in a room that holds it. What an hour ahead costs more than now
is therefore weighed by the share of a pre-cooling that is left by then, of the room as fitted (``models.rc``)::

    seen(t) = p(0) + (p(t) - p(0)) r(t)    where p(t) > p(0), else p(t)

r(t) is the free answer of the room's air to having been kept one kelvin cooler for ``STORED_H``. A room that nobody has
fitted yet holds nothing: no pre-cooling. Waiting for a cheaper hour needs no store and is not weighed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from insights.carbon import CarbonFactor

if TYPE_CHECKING:
    from models.rc import RcModel

COMFORT_MARGIN_K = 0.5  # inside each edge of the band
LEAST_BAND_K = 1.0  # that a margin leaves
STORED_H = 2.0

Prices = Callable[[datetime], float]
Retained = Callable[[float], float]  # share of a pre-cooling that is left after some hours; 0..1


class Objective(StrEnum):
    """What the engine is after within comfort."""

    SAVE = "save"
    COMFORT = "comfort"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a kWh is worth to the policy, and where that comes from."""

    price: Prices
    source: str  # tariff, carbon, carbon_unknown


def whole(_: float) -> float:
    """Of a room that holds everything: prices ahead are seen as they are."""
    return 1.0


def objective_of(room: str | None, home: object) -> Objective:
    """The room's word, or else the home's, or else save; a word that nobody knows counts for nothing."""
    for word in (room, home):
        if isinstance(word, str) and word in set(Objective):
            return Objective(word)
    return Objective.SAVE


def signal_of(objective: Objective, tariff: Prices, carbon: CarbonFactor | None) -> Signal:
    """What the policy is to weigh hours by."""
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


def seen_price(now: float, ahead: float, retained: float) -> float:
    """The price of an hour ahead as a room sees it that holds a share of what is stored."""
    return now + (ahead - now) * retained if ahead > now else ahead


def retained_by(room: "RcModel | None") -> Retained:
    """Share of a pre-cooling that is left in a room's air after some hours.

    With x the air's and y the mass's distance from where they would be: x' = -(a + b) x + b y, y' = (x - y) / tau, and
    x(0) = 1, y(0) = 1 - exp(-``STORED_H`` / tau). Both eigenvalues are real and negative, for a, b, tau > 0.
    """
    if room is None:
        return lambda _: 0.0
    a, b, tau = room.outdoor_per_h, room.mass_per_h, room.mass_time_h
    mean, root = 0.5 * (a + b + 1.0 / tau), math.sqrt(max(0.0, 0.25 * (a + b - 1.0 / tau) ** 2 + b / tau))
    slow, fast = -mean + root, -mean - root
    start = -(a + b) + b * (1.0 - math.exp(-STORED_H / tau))  # x'(0)
    share = (start - fast) / (slow - fast) if slow > fast else 1.0

    def retained(hours: float) -> float:
        left = share * math.exp(slow * hours) + (1.0 - share) * math.exp(fast * hours)
        return min(1.0, max(0.0, left))

    return retained
