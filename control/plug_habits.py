"""When a plug's appliance is used, what it draws in between, and what could be allowed of it."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

from control.plugs import (
    IN_USE_TIMES,
    IN_USE_W,
    QUARTER_MIN,
    QUARTERS,
    USED_RATIO,
    Plug,
    Proposal,
    Window,
    clock,
    cut_off_proposal,
    window_proposal,
)
from core.words import Kind
from insights.tariff import Tariff

LEAST_QUARTERS = 5 * QUARTERS  # five days, all covered
OFF_W = 0.05  # below it nothing is connected, or the plug is off: that is no standby
# What heats a store draws power around the clock, and much: a water heater. Anything else would be late, not cheaper.
STORE_HOURS, STORE_KWH_PER_DAY = 20, 1.0
STORE_SPARE_RATIO, STORE_LONGEST_H = 1.25, 12.0  # of the hours that it ran
READY_BY_MIN = 7 * 60


@dataclass(frozen=True, slots=True)
class Quarter:
    """What was used in a quarter of an hour that was covered."""

    start: datetime
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class Habits:
    """How an appliance is used."""

    standby_w: float
    use_by_hour: tuple[float, ...]  # share of days on which it is in use at each local hour, 0..1
    kwh_by_quarter: tuple[float, ...]  # of a mean local day
    greatest_w: float  # mean of a quarter of an hour

    def plug(self) -> Plug:
        """The plug as ``control.plugs`` knows it, with nothing allowed."""
        return Plug(Kind.PLUG, self.standby_w, self.use_by_hour)

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> "Habits":
        """The habits of ``to_json``.

        Raises
        ------
        ValueError, TypeError, LookupError
            The values are not such habits.
        """
        by_hour = tuple(map(float, values["use_by_hour"]))
        by_quarter = tuple(map(float, values["kwh_by_quarter"]))
        if len(by_hour) != 24 or len(by_quarter) != QUARTERS:
            raise ValueError("expected 24 hours and 96 quarters")
        return cls(float(values["standby_w"]), by_hour, by_quarter, float(values["greatest_w"]))


def habits(quarters: Sequence[Quarter], zone: ZoneInfo) -> Habits | None:
    """How an appliance is used, by covered quarters of an hour of the last weeks; None before they are enough."""
    if len(quarters) < LEAST_QUARTERS:
        return None
    powers_w = [one.energy_kwh * 4000.0 for one in quarters]
    drawing_w = [power_w for power_w in powers_w if power_w > OFF_W]
    standby_w = quantiles(drawing_w, n=10)[0] if len(drawing_w) > 1 else 0.0
    above_w = max(IN_USE_W, IN_USE_TIMES * standby_w)
    days: dict[int, set[date]] = defaultdict(set)
    used: dict[int, set[date]] = defaultdict(set)
    energies_kwh: dict[int, list[float]] = defaultdict(list)
    for one, power_w in zip(quarters, powers_w, strict=True):
        local = one.start.astimezone(zone)
        days[local.hour].add(local.date())
        energies_kwh[(60 * local.hour + local.minute) // QUARTER_MIN].append(one.energy_kwh)
        if power_w > above_w:
            used[local.hour].add(local.date())
    return Habits(
        standby_w,
        tuple(len(used[hour]) / len(days[hour]) if days[hour] else 1.0 for hour in range(24)),
        tuple(sum(some) / len(some) if (some := energies_kwh[number]) else 0.0 for number in range(QUARTERS)),
        max(powers_w),
    )


def prices_of_day(tariff: Tariff | None, day: date) -> tuple[Decimal, ...]:
    """Price of a kWh in each quarter of a local day, in the first tier; empty without a tariff."""
    if tariff is None:
        return ()
    return tuple(
        rate.prices[0] for first, last, rate in tariff.day_rates(day) for _ in range((last - first) // QUARTER_MIN)
    )


def proposals(known: Habits, tariff: Tariff | None, day: date) -> list[dict[str, Any]]:
    """What may be allowed of a plug, as ``storage.repositories.allowances`` says; empty where nothing is worth it."""
    prices = prices_of_day(tariff, day)
    price = sum(prices, Decimal(0)) / len(prices) if prices else None
    currency = None if tariff is None else tariff.currency
    found = []
    cut_off = cut_off_proposal(known.plug(), price)
    if cut_off is not None:
        found.append(_item(cut_off, currency, {"cut_off": True, "window": None}))
    window = _window(known)
    if window is not None and prices:
        moved = window_proposal(known.plug(), window, known.kwh_by_quarter, prices)
        allow = {"cut_off": False, "window": {"hours": window.hours, "ready_by": clock(window.ready_by_min)}}
        if moved is not None:
            found.append(_item(moved, currency, allow))
    return found


def _window(known: Habits) -> Window | None:
    """Hours enough to heat a store, where the appliance looks like one."""
    energy_kwh = sum(known.kwh_by_quarter)
    around_the_clock = sum(share >= USED_RATIO for share in known.use_by_hour) >= STORE_HOURS
    if not around_the_clock or energy_kwh < STORE_KWH_PER_DAY:
        return None
    ran_h = energy_kwh / (known.greatest_w / 1000.0)
    hours = max(math.ceil(4 * STORE_SPARE_RATIO * ran_h) / 4, 1.0)
    return Window(hours, READY_BY_MIN) if hours <= STORE_LONGEST_H else None


def _item(proposal: Proposal, currency: str | None, allow: dict[str, Any]) -> dict[str, Any]:
    cost = proposal.cost_per_year
    return {
        "code": proposal.code,
        "energy_kwh_per_year": str(proposal.energy_kwh_per_year),
        "cost_per_year": None if cost is None else str(cost),
        "currency": currency,
        "values": proposal.values,
        "allow": allow,
    }
