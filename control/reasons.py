"""Why a decision was made, as a code and values that ``core.sentences`` turns into a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from control.guard import OCCUPIED_RATIO, Action, WishSource
from control.objective import Objective
from models.words import Outlook, Wish
from storage.repositories.learned import Season

DISTRUST = ("stale_data", "implausible_sensor")
HOUR_S = 3600
PRICES_AHEAD = timedelta(hours=4)  # in which a change of prices is worth a word
SURE_RATIO = 0.5  # belief above which a room is held because that is cheaper, and not to learn whether it is


@dataclass(frozen=True, slots=True)
class PriceChange:
    """When a kWh next costs more, or else less."""

    at: datetime
    dearer: bool


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a decision rested on."""

    zone: ZoneInfo
    source: WishSource
    control: str  # in force in the room: auto, shadow, ab
    room_temperature_c: float | None
    low_c: float
    high_c: float
    season: Season
    occupied: float
    seen: bool  # somebody is in by evidence, not by habit
    next_return: datetime | None
    lead_s: float  # that the room takes to become comfortable
    outlook: Outlook | None
    had_fallback: bool
    now: datetime
    earliest_s: float = 7200.0  # before a return that the unit may start
    held_is_cheaper: float | None = None  # 0..1, that holding the empty room takes less; None: it is not held
    objective: Objective = Objective.SAVE
    price_source: str = "tariff"  # tariff, carbon, carbon_unknown
    price_change: PriceChange | None = None  # within ``PRICES_AHEAD``


def reason(wish: Wish, action: Action, rules: Sequence[str], grounds: Grounds) -> dict[str, Any]:
    """The reason of a decision of plan, rule or conventional program."""
    code, values = _code(wish, action, rules, grounds)
    values = {"unit": unit_values(action.target), **values}
    expected_c = _expected_c(grounds.outlook)
    if expected_c is not None and action.write:
        values["expected_1h_c"] = expected_c
    if grounds.price_change is not None and action.write:
        name = "dearer_at" if grounds.price_change.dearer else "cheaper_at"
        values[name] = local_time(grounds.price_change.at, grounds.zone)
    if grounds.source == WishSource.RULE:
        values["by_rule"] = True
    if grounds.price_source == "carbon_unknown":
        values["carbon_unknown"] = True
    if grounds.control == "shadow":
        values["watched"] = True
    return {"code": code, "values": values}


def unit_values(target: Wish) -> dict[str, Any]:
    """What a unit shall be, as a sentence needs it."""
    mode = None if target.mode is None else str(target.mode)
    return {"on": target.on, "mode": mode, "setpoint_c": target.setpoint_c}


def local_time(at: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes in the home's zone."""
    return at.astimezone(zone).strftime("%H:%M")


def _code(wish: Wish, action: Action, rules: Sequence[str], grounds: Grounds) -> tuple[str, dict[str, Any]]:
    distrust = [rule for rule in rules if rule in DISTRUST]
    if distrust:
        return ("conventional" if grounds.had_fallback and action.write else "kept"), {"rules": distrust}
    if grounds.source == WishSource.TRIAL and _agree(wish, action.target):
        return "trial", {}
    rules = [rule for rule in rules if rule != "shadow"]  # it changes nothing of what would be done
    if rules and not _agree(wish, action.target):
        code = "guarded" if action.write else "kept"
        return code, {"rules": list(rules), "wish": unit_values(wish)}
    return _by_situation(action, grounds)


def _by_situation(action: Action, grounds: Grounds) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"room": grounds.room_temperature_c, "low": grounds.low_c, "high": grounds.high_c}
    if grounds.occupied >= OCCUPIED_RATIO:
        if action.target.on:
            return ("comfort" if grounds.seen else "comfort_usual"), values
        return _while_off(grounds), values
    if grounds.held_is_cheaper is not None and action.target.on and grounds.objective is Objective.COMFORT:
        return "held_for_comfort", values
    if grounds.held_is_cheaper is not None and action.target.on:
        return ("held" if grounds.held_is_cheaper > SURE_RATIO else "held_to_learn"), {}
    if grounds.next_return is None:
        return "away", {}
    values = {"from_time": local_time(grounds.next_return, grounds.zone)}
    soon = grounds.next_return - grounds.now <= timedelta(seconds=max(grounds.lead_s, grounds.earliest_s))
    if action.target.on and soon:
        return "return", {**values, "minutes": max(5, round(grounds.lead_s / 300.0) * 5)}
    return "away_until", values


def _while_off(grounds: Grounds) -> str:
    """Why a unit is off although somebody is in."""
    room_c, cooling = grounds.room_temperature_c, grounds.season == Season.COOLING
    if room_c is None:
        return "coasting"
    if grounds.low_c <= room_c <= grounds.high_c:
        return "comfortable"
    if cooling and room_c < grounds.low_c:
        return "cool_enough"
    return "warm_enough" if not cooling and room_c > grounds.high_c else "coasting"


def _agree(wish: Wish, target: Wish) -> bool:
    """Whether the unit becomes what was wished, but for the unit's own steps."""
    if wish.on != target.on:
        return False
    if not wish.on:
        return True
    near = wish.setpoint_c is None or target.setpoint_c is None or abs(wish.setpoint_c - target.setpoint_c) <= 0.5
    return wish.mode == target.mode and near


def _expected_c(outlook: Outlook | None) -> float | None:
    if outlook is None or HOUR_S not in outlook.horizons_s:
        return None
    return round(outlook.temperature_c[outlook.horizons_s.index(HOUR_S)], 1)
