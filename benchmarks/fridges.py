"""What control of refrigerators saves: seven models, three kitchens, two tariffs, at equal food temperature and in all.

Each model runs in the plant itself (``simulator.physics.refrigerator``) by its factory program, by ``control.fridges``,
and by the factory program moved to the food temperatures that control left. So the saving falls in two: what warmer
food saved, which anybody could have had by turning the knob, and what control saved at the same food. Beside them stand
what physics allows (``least_w``) and what two freely chosen thermostats reach with perfect knowledge (``search``).

The plant starts compressors for nothing. Here each start costs ``START_LOSS_S`` of the compressor's power, for whoever
starts it, so that nobody saves by switching more often. Kitchens, food and that loss are assumed.
"""

import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.fridges import AIR_GRACE_S, FOOD_LAG_S, FRESH_LIMIT_C, FROZEN_LIMIT_C, Memory, Program, Seen, decide
from core.errors import ConfigurationError
from simulator.catalogue.fridges import MODELS, fridges
from simulator.jit import COMPILED
from simulator.physics.moist_air import ZERO_C_K
from simulator.physics.refrigerator import (
    FREEZER_HUMIDITY_KG_KG,
    FRESH_HUMIDITY_KG_KG,
    SUBLIMATION_J_PER_KG,
    Refrigerator,
    add_food,
)
from simulator.prices import PEAK_VALLEYS
from simulator.records import Table
from simulator.validation.fridges import DAY_MIN, DOOR_KG_S, ROOM_HUMIDITY_KG_KG, door_openings, run

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Json = dict[str, Any]

KITCHENS = {"cool": 21.0, "mild": 25.0, "warm": 29.0}  # mean temperature; a follower holds no -15 °C below about 19
SWING_K, WARMEST_H = 2.0, 17.0  # of a day
WARM_UP_DAYS, SCORED_DAYS = 6, 14
LOOK_MIN = 5
START_LOSS_S = 30.0
PEAK_VALLEY = PEAK_VALLEYS[0]  # Zhejiang
WEEK_MIN = 7 * DAY_MIN
SHOPPING_RATIO, SHOPPING_C = 0.06, 20.0  # of the fresh food; assumed
SHOPPING_MIN, SHOPPING_DOOR_MIN = 5 * DAY_MIN + 600, 6  # Saturday at ten, the door stands open
GOAL_PCT = 5.0
MEAL_H = 19  # when a day's share of it is taken out
OVERCOOLED_K = 1.0  # mean of the fresh food below what is usual: the factory program overcools
USUAL_FRESH_C = 4.0  # the mean that standards ask for (IEC 62552)
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
# Told prices or not; a refrigerator that forgets a setback when nobody renews it, or keeps it for ever.
VARIANTS = ((False, True), (True, True), (False, False), (True, False))
Control = Callable[[int, Table], None]


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Air and people of one kitchen, minute by minute."""

    room_c: Array
    doors_kg_s: Array

    @classmethod
    def draw(cls, mean_c: float, seed: int) -> "Kitchen":
        """A kitchen with a daily swing and a household that opens doors."""
        days = WARM_UP_DAYS + SCORED_DAYS
        hour = np.arange(days * DAY_MIN) / 60.0 % 24.0
        room_c = mean_c + SWING_K * np.cos(2.0 * np.pi * (hour - WARMEST_H) / 24.0)
        doors_kg_s = door_openings(np.random.default_rng(seed), days)
        shopping = (np.arange(days * DAY_MIN) - SHOPPING_MIN) % WEEK_MIN < SHOPPING_DOOR_MIN
        return cls(room_c, np.where(shopping, DOOR_KG_S, doors_kg_s))


@dataclass(slots=True)
class Score:
    """What the rows of a table did in the scored days of one kitchen; each of shape (rows,)."""

    peak_kwh: Array
    valley_kwh: Array
    fresh_c: Array  # mean of food, air through the stated lag
    frozen_c: Array
    warmest_fresh_c: Array
    warmest_frozen_c: Array
    coldest_fresh_c: Array  # air
    air_over_min: Array  # minutes of air above its limit and outside the grace
    true_over_h: Array  # hours of the plant's own fresh food, warm shopping included, above the limit
    starts: Array
    defrosts_peak_ratio: Array

    @classmethod
    def zero(cls, rows: int) -> "Score":
        """Before the first minute."""
        score = cls(**{one.name: np.zeros(rows) for one in fields(cls)})
        score.warmest_fresh_c, score.warmest_frozen_c = np.full(rows, -np.inf), np.full(rows, -np.inf)
        score.coldest_fresh_c = np.full(rows, np.inf)
        return score

    @property
    def kwh(self) -> Array:
        """Energy a day. [kWh]"""
        return (self.peak_kwh + self.valley_kwh) / SCORED_DAYS

    @property
    def cost(self) -> Array:
        """Cost a day under the peak-valley tariff."""
        return (PEAK_VALLEY.peak * self.peak_kwh + PEAK_VALLEY.valley * self.valley_kwh) / SCORED_DAYS

    @property
    def safe(self) -> Flags:
        """Whether food stayed safe."""
        return np.asarray((self.warmest_fresh_c <= FRESH_LIMIT_C) & (self.warmest_frozen_c <= FROZEN_LIMIT_C))


def watch(kitchen: Kitchen, constants: Table, states: Table, control: Control | None = None) -> Score:
    """Let a kitchen pass; ``control`` is called every five minutes and may change the states' setbacks."""
    rows, minutes = len(constants), kitchen.room_c.size
    start_kwh = START_LOSS_S * constants["power_w"] / 3.6e6
    food_j_per_k = states["fresh_food_j_per_k"].copy()
    lag = 1.0 - math.exp(-60.0 / FOOD_LAG_S)
    fresh_c, frozen_c = states["fresh_air_c"].copy(), states["freezer_air_c"].copy()
    starts, defrosting = states["starts"].copy(), states["defrosting"].copy()
    power_w = np.zeros((1, rows))
    grace_min = np.zeros(rows)
    score = Score.zero(rows)
    begun = np.zeros(rows)
    for minute in range(minutes):
        if control is not None and minute % LOOK_MIN == 0:
            control(minute, states)
        eat(minute, states, food_j_per_k)
        run(constants, states, kitchen.doors_kg_s[minute : minute + 1], float(kitchen.room_c[minute]), power_w)
        fresh_air_c = states["fresh_air_c"]
        fresh_c += lag * (fresh_air_c - fresh_c)
        frozen_c += lag * (states["freezer_air_c"] - frozen_c)
        defrosts, begins = states["defrosting"] & ~defrosting, states["starts"] - starts
        opened = kitchen.doors_kg_s[minute] > 0.0
        grace_min = np.where(states["defrosting"] | opened, AIR_GRACE_S / 60.0, grace_min - 1.0)
        starts, defrosting = states["starts"].copy(), states["defrosting"].copy()
        if minute < WARM_UP_DAYS * DAY_MIN:
            continue
        kwh = power_w[0] / 60_000.0 + begins * start_kwh
        if dear(minute):
            score.peak_kwh += kwh
            score.defrosts_peak_ratio += defrosts
        else:
            score.valley_kwh += kwh
        begun += defrosts
        score.starts += begins
        score.fresh_c += fresh_c
        score.frozen_c += frozen_c
        np.maximum(score.warmest_fresh_c, fresh_c, out=score.warmest_fresh_c)
        np.maximum(score.warmest_frozen_c, frozen_c, out=score.warmest_frozen_c)
        np.minimum(score.coldest_fresh_c, fresh_air_c, out=score.coldest_fresh_c)
        score.air_over_min += (fresh_air_c > FRESH_LIMIT_C) & (grace_min < 0.0)
        score.true_over_h += (states["fresh_food_c"] > FRESH_LIMIT_C) / 60.0
    scored = SCORED_DAYS * DAY_MIN
    score.fresh_c /= scored
    score.frozen_c /= scored
    score.starts /= SCORED_DAYS
    score.defrosts_peak_ratio = np.where(begun > 0.0, score.defrosts_peak_ratio / np.maximum(begun, 1.0), np.nan)
    return score


def dear(minute: int) -> bool:
    """Whether a minute lies in the peak hours."""
    return PEAK_VALLEY.start_h <= minute % DAY_MIN / 60.0 < PEAK_VALLEY.end_h


def eat(minute: int, states: Table, food_j_per_k: Array) -> None:
    """Warm shopping on Saturdays, and every evening a seventh of it is eaten."""
    if minute % WEEK_MIN == SHOPPING_MIN:
        for state, whole_j_per_k in zip(states, food_j_per_k, strict=True):
            add_food(state, False, SHOPPING_RATIO * whole_j_per_k, SHOPPING_C)
    elif minute % DAY_MIN == MEAL_H * 60:
        for state, whole_j_per_k in zip(states, food_j_per_k, strict=True):
            add_food(state, False, -SHOPPING_RATIO * whole_j_per_k / 7.0, 0.0)


class Engine:
    """``control.fridges`` over the rows of a table, each its own refrigerator."""

    def __init__(self, programs: Sequence[Program], priced: Sequence[bool]) -> None:
        self.programs, self.priced = programs, priced
        self.memories = [Memory() for _ in programs]
        self.writes = np.zeros(len(programs))
        day = [PEAK_VALLEY.peak if dear(15 * i) else PEAK_VALLEY.valley for i in range(96)]
        self.prices = [tuple(day[i:] + day[:i]) for i in range(96)]

    def __call__(self, minute: int, states: Table) -> None:
        """One look at every row."""
        now = BEGIN + timedelta(minutes=minute)
        prices = self.prices[minute % DAY_MIN // 15]
        for i, state in enumerate(states):
            seen = Seen(
                fresh_air_c=float(state["fresh_air_c"]),
                freezer_air_c=float(state["freezer_air_c"]),
                running=bool(state["running"]),
                setback_k=float(state["setback_k"]),
                hold_defrost=bool(state["hold_defrost"]),
                since_load_s=60.0 * ((minute - SHOPPING_MIN - SHOPPING_DOOR_MIN) % WEEK_MIN),
                prices=prices if self.priced[i] else (),
                control="auto",
            )
            decision, self.memories[i] = decide(self.programs[i], seen, self.memories[i], now)
            if decision.write:
                state["setback_k"], state["hold_defrost"] = decision.setback_k, decision.hold_defrost
                self.writes[i] += 1


def program_of(model: Refrigerator, *, expires: bool) -> Program:
    """What a refrigerator announces of itself."""
    return Program(
        fresh_in_c=model.fresh_cut_in_c,
        fresh_out_c=model.fresh_cut_out_c,
        freezer_in_c=model.freezer_cut_in_c,
        freezer_out_c=model.freezer_cut_out_c,
        freezer_follows=not model.has_damper,
        expires=expires,
    )


# --- what physics and perfect knowledge allow ---


def least_w(model: Refrigerator, kitchen: Kitchen, fresh_c: float, frozen_c: float) -> float:
    """A bound on the mean power that keeps food at these temperatures. [W]

    Heat that comes in by walls, doors, vapour and shopping, carried out by a compressor that always works at its best:
    at its slowest speed, in the coolest hour's air, without frost, defrosts, starts and swings of temperature.
    """
    room_c, coolest_c = float(kitchen.room_c.mean()), float(kitchen.room_c.min())
    air_kg_s = float(kitchen.doors_kg_s.mean()) + model.air_exchange_kg_s
    fresh_w = (1005.0 * air_kg_s + model.fresh_leak_w_per_k) * (room_c - fresh_c)
    freezer_w = (1005.0 * air_kg_s / 3.0 + model.freezer_leak_w_per_k) * (room_c - frozen_c)
    moist_kg_s = air_kg_s * (ROOM_HUMIDITY_KG_KG - FRESH_HUMIDITY_KG_KG)
    moist_kg_s += air_kg_s / 3.0 * (ROOM_HUMIDITY_KG_KG - FREEZER_HUMIDITY_KG_KG)
    evaporator_k = frozen_c - model.evaporator_k + ZERO_C_K
    lift_k = coolest_c + model.condenser_k + ZERO_C_K - evaporator_k
    cop = model.carnot_ratio * (1.0 + model.slow_gain) * evaporator_k / lift_k
    return (fresh_w + freezer_w + moist_kg_s * SUBLIMATION_J_PER_KG) / cop + model.idle_w


@dataclass(frozen=True, slots=True)
class Plan:
    """Bands of two freely chosen thermostats in the peak hours, and in the valley from an hour on. [°C]"""

    fresh_c: tuple[float, float]  # in, out
    freezer_c: tuple[float, float]
    store_from_h: float | None = None  # None: the same all day
    stored_fresh_c: tuple[float, float] = (2.2, 0.4)
    stored_freezer_c: tuple[float, float] = (-18.0, -21.0)

    def bands(self, minute: int) -> tuple[float, float, float, float]:
        """All four limits at a minute."""
        hour = minute % DAY_MIN / 60.0
        if self.store_from_h is not None and self.store_from_h <= hour < PEAK_VALLEY.start_h:
            return *self.stored_fresh_c, *self.stored_freezer_c
        return *self.fresh_c, *self.freezer_c


def plans(model: Refrigerator) -> list[Plan]:
    """The search: constant bands from the warmest down, and bands that store for the peak."""
    if model.has_damper:
        constant = [Plan((4.9, out_c), (-15.4, -15.4 - k)) for out_c in (4.2, 3.6, 2.8) for k in (2.0, 3.0)]
        return constant + [
            Plan((4.9, 3.7), (-15.4, -18.0), hour, stored_freezer_c=freezer_c)
            for hour in (0.0, 2.0, 4.0)
            for freezer_c in ((-18.0, -21.0), (-20.5, -23.0))
        ]
    colder_k = [0.4 * step for step in range(9)]
    constant = [Plan((4.9 - k, 4.9 - k - swing_k), (0.0, 0.0)) for k in colder_k for swing_k in (1.0, 1.9)]
    return constant + [
        Plan((4.9 - k, 3.5 - k), (0.0, 0.0), hour) for k in (0.0, 0.6, 1.2, 1.8) for hour in (0.0, 2.0, 4.0, 6.0)
    ]


def search(kitchen: Kitchen, names: Sequence[str]) -> tuple[list[int], list[Plan], Score]:
    """Every plan of every model: whose row it is, the plan, and what came of it."""
    whose = [i for i, name in enumerate(names) for _ in plans(MODELS[name])]
    tried = [plan for name in names for plan in plans(MODELS[name])]
    constants, states = fridges([names[i] for i in whose])
    columns = ("fresh_cut_in_c", "fresh_cut_out_c", "freezer_cut_in_c", "freezer_cut_out_c")

    def turn(minute: int, _: Table) -> None:
        if minute % 60 == 0:
            for column, limits_c in zip(
                columns, zip(*(plan.bands(minute) for plan in tried), strict=True), strict=True
            ):
                constants[column] = limits_c

    return whose, tried, watch(kitchen, constants, states, turn)


# --- the three programs ---


def controlled(kitchen: Kitchen, names: Sequence[str]) -> tuple[Score, Engine]:
    """``control.fridges``, as many rows as models for each of ``VARIANTS``."""
    constants, states = fridges([*names] * len(VARIANTS))
    programs = [program_of(MODELS[name], expires=expires) for _, expires in VARIANTS for name in names]
    engine = Engine(programs, [priced for priced, _ in VARIANTS for _ in names])
    return watch(kitchen, constants, states, engine), engine


def moved(kitchen: Kitchen, names: Sequence[str], factory: Score, ours: Score) -> Score:
    """The factory program with its limits moved so that food is on average what it was under control; rows as there.

    Both limits are moved where there are two thermostats. Where the freezer follows, one knob cannot meet both
    temperatures: its fresh food is met, and the table says what the frozen food differs.
    """
    fresh_k = ours.fresh_c - np.tile(factory.fresh_c, len(VARIANTS))
    frozen_k = ours.frozen_c - np.tile(factory.frozen_c, len(VARIANTS))
    for last in (False, True):
        constants, states = fridges([*names] * len(VARIANTS))
        for edge in ("in", "out"):
            constants[f"fresh_cut_{edge}_c"] += fresh_k
            constants[f"freezer_cut_{edge}_c"] += frozen_k
        score = watch(kitchen, constants, states)
        if not last:
            fresh_k += ours.fresh_c - score.fresh_c
            frozen_k += ours.frozen_c - score.frozen_c
    return score


@dataclass(frozen=True, slots=True)
class Found:
    """All that ran in one kitchen."""

    kitchen: Kitchen
    factory: Score
    ours: Score  # variant after variant
    moved: Score
    writes_per_day: Array
    whose: list[int]
    plans: list[Plan]
    searched: Score


def examine(name: str, seed: int, models: Sequence[str]) -> Found:
    """Run everything in one kitchen."""
    kitchen = Kitchen.draw(KITCHENS[name], seed)
    factory = watch(kitchen, *fridges(list(models)))
    ours, engine = controlled(kitchen, models)
    whose, tried, searched = search(kitchen, models)
    writes_per_day = engine.writes / (WARM_UP_DAYS + SCORED_DAYS)
    return Found(kitchen, factory, ours, moved(kitchen, models, factory, ours), writes_per_day, whose, tried, searched)


# --- tables ---


def row(models: Sequence[str], i: int, found: Sequence[Found]) -> Json:
    """One model over some kitchens, as means of their days."""
    n = len(models)
    flat, priced, flat_kept, priced_kept = (n * variant + i for variant in range(len(VARIANTS)))

    def mean(values: Callable[[Found], float]) -> float:
        return float(np.mean([values(one) for one in found]))

    def best(one: Found, *, by_cost: bool) -> float:
        values = one.searched.cost if by_cost else one.searched.kwh
        fit = [float(values[j]) for j, mine in enumerate(one.whose) if mine == i and one.searched.safe[j]]
        return min(fit, default=math.nan)

    def least_kwh(one: Found, ours: int) -> float:
        fresh_c, frozen_c = float(one.ours.fresh_c[ours]), float(one.ours.frozen_c[ours])
        return 0.024 * least_w(MODELS[models[i]], one.kitchen, fresh_c, frozen_c)

    factory_kwh, factory_cost = mean(lambda one: one.factory.kwh[i]), mean(lambda one: one.factory.cost[i])
    moved_kwh = mean(lambda one: one.moved.kwh[flat])
    moved_cost = mean(lambda one: one.moved.cost[priced])
    kwh = mean(lambda one: one.ours.kwh[flat])
    cost = mean(lambda one: one.ours.cost[priced])
    priced_kwh = mean(lambda one: one.ours.kwh[priced])
    limits_kwh = mean(lambda one: 0.024 * least_w(MODELS[models[i]], one.kitchen, FRESH_LIMIT_C, FROZEN_LIMIT_C))
    cost_search_pct = _pct(factory_cost, mean(lambda one: best(one, by_cost=True)))
    shifted = mean(lambda one: one.factory.peak_kwh[i] - one.ours.peak_kwh[priced]) / SCORED_DAYS
    return {
        "model": models[i],
        "factory": {
            "kwh_per_day": factory_kwh,
            "fresh_c": mean(lambda one: one.factory.fresh_c[i]),
            "frozen_c": mean(lambda one: one.factory.frozen_c[i]),
            "safe": all(bool(one.factory.safe[i]) for one in found),
            "overcools": mean(lambda one: one.factory.fresh_c[i]) < USUAL_FRESH_C - OVERCOOLED_K,
            "starts_per_day": mean(lambda one: one.factory.starts[i]),
            "air_over_min_per_day": mean(lambda one: one.factory.air_over_min[i]) / SCORED_DAYS,
            "defrosts_in_peak_pct": mean(lambda one: 100.0 * one.factory.defrosts_peak_ratio[i]),
        },
        "energy": {
            "kwh_per_day": kwh,
            "saving_pct": _pct(factory_kwh, kwh),
            "by_warmer_food_pct": _pct(factory_kwh, moved_kwh),
            "at_equal_food_pct": _pct(moved_kwh, kwh),
            "at_equal_food_bound_pct": _pct(moved_kwh, mean(lambda one: least_kwh(one, flat))),
            "search_pct": _pct(factory_kwh, mean(lambda one: best(one, by_cost=False))),
            "bound_pct": _pct(factory_kwh, limits_kwh),
            **_food(found, flat),
        },
        "energy_kept_setback": {
            "saving_pct": _pct(factory_kwh, mean(lambda one: one.ours.kwh[flat_kept])),
            **_food(found, flat_kept),
        },
        "peak_valley_kept_setback": {
            "cost_saving_pct": _pct(factory_cost, mean(lambda one: one.ours.cost[priced_kept])),
            **_food(found, priced_kept),
        },
        "peak_valley": {
            "cost_per_day": cost,
            "cost_saving_pct": _pct(factory_cost, cost),
            "cost_at_equal_food_pct": _pct(moved_cost, cost),
            "cost_search_pct": cost_search_pct,
            "can_store": cost_search_pct >= GOAL_PCT,
            "energy_saving_pct": _pct(factory_kwh, priced_kwh),
            "moved_ratio": shifted / factory_kwh,
            "defrosts_in_peak_pct": mean(lambda one: 100.0 * one.ours.defrosts_peak_ratio[priced]),
            **_food(found, priced),
        },
    }


def _food(found: Sequence[Found], ours: int) -> Json:
    """Food under control, and what the appliance had to do."""
    scores = [one.ours for one in found]
    frozen_k = [float(one.moved.frozen_c[ours] - one.ours.frozen_c[ours]) for one in found]
    return {
        "fresh_c": float(np.mean([one.fresh_c[ours] for one in scores])),
        "frozen_c": float(np.mean([one.frozen_c[ours] for one in scores])),
        "warmest_fresh_c": float(max(one.warmest_fresh_c[ours] for one in scores)),
        "warmest_frozen_c": float(max(one.warmest_frozen_c[ours] for one in scores)),
        "coldest_fresh_air_c": float(min(one.coldest_fresh_c[ours] for one in scores)),
        "air_over_min": float(sum(one.air_over_min[ours] for one in scores)),
        "after_shopping_over_h": float(sum(one.true_over_h[ours] for one in scores)),
        "starts_per_day": float(np.mean([one.starts[ours] for one in scores])),
        "writes_per_day": float(np.mean([one.writes_per_day[ours] for one in found])),
        "moved_frozen_differs_k": float(np.mean(frozen_k)),
    }


def _pct(before: float, after: float) -> float:
    return 100.0 * (before - after) / before


def failures(rows: Sequence[Json]) -> list[str]:
    """What must not be: unsafe food, or less saved than there is to save."""
    wrong = []
    for one in rows:
        for part in ("energy", "peak_valley", "energy_kept_setback", "peak_valley_kept_setback"):
            food = one[part]
            if not (food["warmest_fresh_c"] <= FRESH_LIMIT_C and food["warmest_frozen_c"] <= FROZEN_LIMIT_C):
                wrong.append(f"{one['model']}, {part}: food left its limits")
            if food["air_over_min"] > 0:
                wrong.append(f"{one['model']}, {part}: air above its limit for {food['air_over_min']:.0f} minutes")
        if one["factory"]["overcools"] and one["energy"]["saving_pct"] < GOAL_PCT:
            wrong.append(f"{one['model']}: overcools, but only {one['energy']['saving_pct']:.1f} % saved")
        if one["peak_valley"]["can_store"] and one["peak_valley"]["cost_saving_pct"] < GOAL_PCT:
            wrong.append(f"{one['model']}: can store, but only {one['peak_valley']['cost_saving_pct']:.1f} % of cost")
    return wrong


def run_suite(seed: int = 1, workers: int | None = None) -> Json:
    """All kitchens, in so many processes; ``models`` are means over kitchens, ``kitchens`` each by itself.

    Raises
    ------
    ConfigurationError
        The extra ``science`` is missing.
    """
    if not COMPILED:
        raise ConfigurationError("the benchmark needs numba: pip install 'lingyun[science]'")
    began_s = time.monotonic()
    models = list(MODELS)
    workers = min(workers or os.cpu_count() or 1, len(KITCHENS))
    jobs = [(name, seed, models) for name in KITCHENS]
    if workers == 1:
        found = [examine(*job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = list(pool.map(examine, *zip(*jobs, strict=True)))
    rows = [row(models, i, found) for i in range(len(models))]
    return {
        "suite": "fridges",
        "seed": seed,
        "tariff": {
            "peak": PEAK_VALLEY.peak,
            "valley": PEAK_VALLEY.valley,
            "peak_h": [PEAK_VALLEY.start_h, PEAK_VALLEY.end_h],
        },
        "models": rows,
        "kitchens": {
            name: [row(models, i, [one]) for i in range(len(models))] for name, one in zip(KITCHENS, found, strict=True)
        },
        "failures": failures(rows),
        "run": {"wall_s": round(time.monotonic() - began_s, 1), "workers": workers},
    }


def command(seed: int, workers: int | None, report: Path | None, *, as_json: bool) -> int:
    """Run, write and print; 1 where food was unsafe or less saved than there is."""
    results = run_suite(seed, workers)
    text = json.dumps(_plain(results), allow_nan=False)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "fridges.json").write_text(text + "\n", encoding="utf-8")
        (report / "fridges.md").write_text(as_markdown(results), encoding="utf-8")
    print(text if as_json else as_markdown(results))
    return 1 if results["failures"] else 0


def as_markdown(results: Json) -> str:
    """The tables that the documentation shows."""
    lines = [
        "| model | factory kWh/day | fresh, frozen °C | food safe | saved | if kept | by warmer food "
        "| at equal food (its bound) | search | bound | fresh, frozen °C | starts/day, before |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results["models"]:
        factory, energy = one["factory"], one["energy"]
        lines.append(
            f"| {one['model']} | {factory['kwh_per_day']:.3f} | {factory['fresh_c']:.1f}, {factory['frozen_c']:.1f} "
            f"| {'yes' if factory['safe'] else 'no'} | {energy['saving_pct']:.1f} % "
            f"| {one['energy_kept_setback']['saving_pct']:.1f} % "
            f"| {energy['by_warmer_food_pct']:.1f} % "
            f"| {energy['at_equal_food_pct']:.1f} % ({energy['at_equal_food_bound_pct']:.1f} %) "
            f"| {_or_dash(energy['search_pct'])} | {energy['bound_pct']:.1f} % "
            f"| {energy['fresh_c']:.1f}, {energy['frozen_c']:.1f} "
            f"| {energy['starts_per_day']:.0f}, {factory['starts_per_day']:.0f} |"
        )
    lines += [
        "",
        "| model | cost saved | if kept | at equal food | search | can store | kWh saved | moved off the peak "
        "| fresh, frozen °C | warmest food | starts/day | writes/day | cost saved, cool, mild, warm kitchen |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for i, one in enumerate(results["models"]):
        store = one["peak_valley"]
        kitchens = ", ".join(
            f"{some[i]['peak_valley']['cost_saving_pct']:.1f}" for some in results["kitchens"].values()
        )
        lines.append(
            f"| {one['model']} | {store['cost_saving_pct']:.1f} % "
            f"| {one['peak_valley_kept_setback']['cost_saving_pct']:.1f} % | {store['cost_at_equal_food_pct']:.1f} % "
            f"| {_or_dash(store['cost_search_pct'])} | {'yes' if store['can_store'] else 'no'} "
            f"| {store['energy_saving_pct']:.1f} % | {100.0 * store['moved_ratio']:.0f} % "
            f"| {store['fresh_c']:.1f}, {store['frozen_c']:.1f} "
            f"| {store['warmest_fresh_c']:.1f}, {store['warmest_frozen_c']:.1f} | {store['starts_per_day']:.0f} "
            f"| {store['writes_per_day']:.0f} | {kitchens} % |"
        )
    lines += ["", *(f"**{words}**" for words in results["failures"])]
    return "\n".join(lines).rstrip() + "\n"


def _or_dash(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f} %"


def _plain(value: object) -> object:
    """What JSON can hold: nothing that is not a number."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
