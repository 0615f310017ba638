"""What would save, from what was measured: pure rules, each of which stays silent without evidence.

A finding says kWh a month, so that its money can be reckoned at the price that these kWh had.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import quantiles
from typing import Any

from insights.tariff import exact

DAYS_PER_MONTH = 30.4
MODE_COOL, MODE_HEAT = "cool", "heat"

# Of its energy, what one kelvin of setpoint is worth: the low end of 14-22 % that simulated rooms gave in hot climates.
SAVED_PER_KELVIN = 0.14
GREATEST_STEP_K = 2.0  # nobody changes more at once
LEAST_STEP_K = 0.5
LEAST_RUNNING_H = 10
LEAST_DAYS = 3

LEAST_EMPTY_H = 2  # hours of a unit in an empty home that are worth a word
LEAST_STANDBY_W = 0.5  # below it, no switch is worth its trouble
LEAST_QUARTERS = 5 * 96
LEAST_IDLE_SHARE = 0.3
IN_USE_W, IN_USE_TIMES = 15.0, 3.0  # a thing is in use well above its own standby
LEAST_KWH_PER_MONTH = 0.3


@dataclass(frozen=True, slots=True)
class Used:
    """Energy of one hour or quarter, and its price then."""

    energy_kwh: float
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class UnitHour:
    """An hour of an air conditioner."""

    day: date  # local
    used: Used
    on_share: float  # 0..1
    mode: str | None  # of most of the hour
    setpoint_c: float | None  # mean while on
    nobody_home: bool | None  # by sensors, the whole hour; None: no sensor told


@dataclass(frozen=True, slots=True)
class Band:
    """What people of a room are content with, and how many choices of theirs that rests on."""

    low_c: float
    high_c: float
    choices: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that would save."""

    code: str
    energy_kwh_per_month: float
    price: Decimal | None  # mean price of these kWh
    values: dict[str, Any]  # for its sentence, and as evidence


def cooler_than_needed(hours: Sequence[UnitHour], band: Band, days: float) -> Finding | None:
    """A setpoint below (cooling) or above (heating) what the household's own choices say is comfortable.

    Parameters
    ----------
    days : float
        Length of the time that the hours were taken from. [d]
    """
    if band.choices < 1:
        return None
    findings = (_setpoint(hours, mode, edge_c, band, days) for mode, edge_c in _edges(band))
    return max((one for one in findings if one is not None), key=lambda one: one.energy_kwh_per_month, default=None)


def runs_while_nobody_is_home(hours: Sequence[UnitHour], days: float) -> Finding | None:
    """A unit that runs in an empty home; only sensors count as evidence, never habit."""
    told = [hour for hour in hours if hour.nobody_home is not None]
    empty = [hour for hour in told if hour.nobody_home and hour.on_share > 0.5]
    if len(empty) < LEAST_EMPTY_H:
        return None
    energy_kwh = sum(hour.used.energy_kwh for hour in empty)
    values = {
        "hours": len(empty),
        "days": len({hour.day for hour in empty}),
        "observed_days": round(days),
        "hours_with_sensor": len(told),
    }
    return _finding("forgotten", energy_kwh, days, [hour.used for hour in empty], values)


def draws_while_idle(quarters: Sequence[Used], days: float) -> Finding | None:
    """A thing that people switch on and off and that draws power in between.

    Parameters
    ----------
    quarters : sequence
        Whole quarters of an hour that were covered, in any order.
    """
    if len(quarters) < LEAST_QUARTERS:
        return None
    powers_w = [one.energy_kwh * 4000.0 for one in quarters]
    standby_w = quantiles(powers_w, n=10)[0]
    in_use_above_w = max(IN_USE_W, IN_USE_TIMES * standby_w)
    idle = [one for one, power_w in zip(quarters, powers_w, strict=True) if power_w <= in_use_above_w]
    was_used = len(idle) < len(quarters)
    if not was_used or standby_w <= LEAST_STANDBY_W or len(idle) / len(quarters) < LEAST_IDLE_SHARE:
        return None
    energy_kwh = standby_w * len(idle) / 4000.0
    values = {
        "standby_w": round(standby_w, 1),
        "idle_hours_per_day": round(24 * len(idle) / len(quarters), 1),
        "observed_days": round(days),
    }
    return _finding("standby", energy_kwh, days, idle, values)


def _edges(band: Band) -> tuple[tuple[str, float], ...]:
    return (MODE_COOL, band.high_c), (MODE_HEAT, band.low_c)


def _setpoint(hours: Sequence[UnitHour], mode: str, edge_c: float, band: Band, days: float) -> Finding | None:
    running = [hour for hour in hours if hour.on_share > 0.5 and hour.mode == mode and hour.setpoint_c is not None]
    if len(running) < LEAST_RUNNING_H or len({hour.day for hour in running}) < LEAST_DAYS:
        return None
    energy_kwh = sum(hour.used.energy_kwh for hour in running)
    mean_c = sum(hour.setpoint_c or 0.0 for hour in running) / len(running)
    step_k = min(GREATEST_STEP_K, edge_c - mean_c if mode == MODE_COOL else mean_c - edge_c)
    if step_k < LEAST_STEP_K:
        return None
    better_c = round(2 * (mean_c + step_k if mode == MODE_COOL else mean_c - step_k)) / 2
    saved_kwh = energy_kwh * (1 - (1 - SAVED_PER_KELVIN) ** step_k)
    values = {
        "mode": mode,
        "setpoint_c": round(mean_c, 1),
        "better_c": better_c,
        "comfortable_c": round(edge_c, 1),
        "running_hours": len(running),
        "observed_days": round(days),
        "choices": band.choices,
        "saved_per_kelvin": SAVED_PER_KELVIN,
    }
    return _finding("setpoint", saved_kwh, days, [hour.used for hour in running], values)


def _finding(
    code: str, energy_kwh: float, days: float, priced: Iterable[Used], values: dict[str, Any]
) -> Finding | None:
    per_month_kwh = energy_kwh / days * DAYS_PER_MONTH
    if per_month_kwh < LEAST_KWH_PER_MONTH:
        return None
    return Finding(code, per_month_kwh, mean_price(priced), values)


def mean_price(used: Iterable[Used]) -> Decimal | None:
    """What a kWh of these cost on average; None where any of it has no price."""
    known = list(used)
    total = sum((exact(one.energy_kwh) for one in known), Decimal(0))
    if total <= 0 or any(one.price is None for one in known):
        return None
    return sum((exact(one.energy_kwh) * (one.price or Decimal(0)) for one in known), Decimal(0)) / total
