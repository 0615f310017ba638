"""The planner against dynamic programming, against itself with more iterations, and its own invariants."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("numba")

from benchmarks.savings import planning
from simulator.jit import njit

Array = NDArray[np.float64]

QUARTER_H = 0.25
GRID_KW = 0.25
MOST_KW = 3.5
LEAST_KW = 0.7  # below it the compressor switches on and off
AIR_KWH_PER_K, MASS_KWH_PER_K = 0.15, 2.5  # a heavy room of about 20 m2
AIR_OUT_KW_PER_K, AIR_MASS_KW_PER_K = 0.06, 0.4
HIGH_C = 26.0


def two_nodes() -> tuple[Array, Array, Array]:
    """Transition over a quarter of an hour, effect of 1 kW of cooling, and of 1 C outdoors, by many small steps."""
    small = 3600
    step = np.eye(2)
    step[0, 0] -= (AIR_OUT_KW_PER_K + AIR_MASS_KW_PER_K) / AIR_KWH_PER_K * QUARTER_H / small
    step[0, 1] += AIR_MASS_KW_PER_K / AIR_KWH_PER_K * QUARTER_H / small
    step[1, 0] += AIR_MASS_KW_PER_K / MASS_KWH_PER_K * QUARTER_H / small
    step[1, 1] -= AIR_MASS_KW_PER_K / MASS_KWH_PER_K * QUARTER_H / small
    whole, unit = np.eye(2), np.zeros(2)
    for _ in range(small):
        unit = step @ unit + np.array([QUARTER_H / small / AIR_KWH_PER_K, 0.0])
        whole = step @ whole
    return whole, -unit, unit * AIR_OUT_KW_PER_K


@njit
def inverter_kw(heat_kw: float) -> float:
    """Electric power of an inverter unit: best at part load; below its least load it cycles, losing up to 10 %."""
    load = max(heat_kw, LEAST_KW)
    power = 0.05 + 0.16 * load + 0.035 * load * load
    if heat_kw >= LEAST_KW:
        return power
    share = heat_kw / LEAST_KW
    return power * share / (1.0 - 0.1 * (1.0 - share))


def day(steps: int, heavy_price: bool) -> tuple[Array, Array, Array]:
    """Outdoor temperature, price of a kW over the step, and weight of discomfort, from midnight."""
    hour = np.arange(steps) * QUARTER_H % 24.0
    outdoor = 30.0 + 5.0 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi)
    price = np.where((hour >= 8) & (hour < 22), 1.25, 0.65) if heavy_price else np.ones(steps)
    home = (hour < 8.0) | (hour >= 18.0)
    return outdoor, price * QUARTER_H, np.where(home, 0.5 * QUARTER_H, 0.0)


@njit
def _ahead(value: Array, air: float, mass: float, coldest: float, spacing: float) -> float:
    u = min(max((air - coldest) / spacing, 0.0), value.shape[0] - 1.001)
    v = min(max((mass - coldest) / spacing, 0.0), value.shape[1] - 1.001)
    i, j = int(u), int(v)
    u, v = u - i, v - j
    near = (1.0 - v) * value[i, j] + v * value[i, j + 1]
    far = (1.0 - v) * value[i + 1, j] + v * value[i + 1, j + 1]
    return float((1.0 - u) * near + u * far)


@njit
def _best(
    value: Array, air: float, mass: float, step: Array, unit: Array, out: Array, outdoor: float, price: float,
    weight: float, choices: int, coldest: float, spacing: float,
) -> tuple[float, float]:  # fmt: skip
    best, chosen = 1e9, 0.0
    for c in range(choices):
        heat = MOST_KW * c / (choices - 1)
        after = step[0, 0] * air + step[0, 1] * mass + unit[0] * heat + out[0] * outdoor
        deep = step[1, 0] * air + step[1, 1] * mass + unit[1] * heat + out[1] * outdoor
        total = price * inverter_kw(heat) + weight * max(0.0, after - HIGH_C)
        total += _ahead(value, after, deep, coldest, spacing)
        if total < best:
            best, chosen = total, heat
    return best, chosen


@njit
def dynamic_programming(
    step: Array, unit: Array, out: Array, outdoor: Array, price: Array, weight: Array, start: float, coldest: float,
    spacing: float, size: int, choices: int,
) -> tuple[float, float]:  # fmt: skip
    """Cost of following the policy of a table of ``size`` x ``size`` states, and the table's own promise."""
    steps = outdoor.shape[0]
    values = np.zeros((steps + 1, size, size))
    for back in range(steps):
        k = steps - 1 - back
        for i in range(size):
            for j in range(size):
                values[k, i, j], _ = _best(
                    values[k + 1], coldest + i * spacing, coldest + j * spacing, step, unit, out,
                    outdoor[k], price[k], weight[k], choices, coldest, spacing,
                )  # fmt: skip
    air, mass = start, start
    total = 0.0
    for k in range(steps):
        _, heat = _best(
            values[k + 1], air, mass, step, unit, out, outdoor[k], price[k], weight[k], 281, coldest, spacing
        )
        after = step[0, 0] * air + step[0, 1] * mass + unit[0] * heat + out[0] * outdoor[k]
        mass = step[1, 0] * air + step[1, 1] * mass + unit[1] * heat + out[1] * outdoor[k]
        air = after
        total += price[k] * inverter_kw(heat) + weight[k] * max(0.0, air - HIGH_C)
    return total, _ahead(values[0], start, start, coldest, spacing)


def hull(grid_kw: float) -> Array:
    loads, slopes = np.linspace(0.0, MOST_KW, 51), np.empty(int(np.ceil(MOST_KW / grid_kw)) + 1)
    planning.convex_slopes(loads, np.array([inverter_kw(q) for q in loads]), grid_kw, slopes)
    return slopes


def planned(outdoor: Array, price: Array, weight: Array, start_c: float, iterations: int) -> tuple[float, Array, float]:
    """Cost of the plan on the same room with the inverter's true curve, the plan, and what a warmer start costs."""
    step, unit, out = two_nodes()
    steps = outdoor.size
    room = planning.modal(step, unit, step[0])
    push = (room.to_modes @ np.outer(out, outdoor)).T.copy()
    slopes = np.tile(hull(GRID_KW), (steps, 1))
    start = room.to_modes @ np.array([start_c, start_c])
    heat, felt, worth = np.full(steps, 1.0), np.zeros(steps), np.zeros((steps, 2))
    low, high, most = np.full(steps, 10.0), np.full(steps, HIGH_C), np.full(steps, MOST_KW)
    planning.solve(
        room.decay, room.gain, room.reach, float(unit[0]), start, push, out[0] * outdoor, price, slopes, GRID_KW, most,
        weight, low, high, heat, felt, worth, iterations,
    )  # fmt: skip
    nodes, total = np.array([start_c, start_c]), 0.0
    for k in range(steps):
        nodes = step @ nodes + unit * heat[k] + out * outdoor[k]
        total += price[k] * inverter_kw(heat[k]) + weight[k] * max(0.0, nodes[0] - HIGH_C)
        assert felt[k] == pytest.approx(nodes[0], abs=1e-6)
    both = room.to_modes @ np.ones(2)
    return total, heat, float(worth[0] @ both)


@pytest.mark.parametrize("heavy_price", [False, True])
def test_plan_is_within_one_percent_of_dynamic_programming(heavy_price: bool) -> None:
    step, unit, out = two_nodes()
    outdoor, price, weight = day(144, heavy_price)
    total, _, _ = planned(outdoor, price, weight, 29.0, 30)
    table, promise = dynamic_programming(step, unit, out, outdoor, price, weight, 29.0, 22.0, 0.1, 111, 71)
    best = min(table, promise)
    assert table == pytest.approx(promise, rel=0.02)  # the table itself is fine enough
    assert best > 0.5
    assert total <= 1.01 * best


def test_twice_the_iterations_move_the_cost_by_less_than_half_a_percent() -> None:
    outdoor, price, weight = day(96, True)
    once, twice = (planned(outdoor, price, weight, 29.0, iterations)[0] for iterations in (15, 30))
    assert once == pytest.approx(twice, rel=0.005)


def test_too_few_iterations_are_seen_as_such() -> None:
    outdoor, price, weight = day(96, True)
    assert planned(outdoor, price, weight, 29.0, 2)[0] > 1.02 * planned(outdoor, price, weight, 29.0, 30)[0]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_no_small_change_of_a_plan_is_cheaper(seed: int) -> None:
    """The programme is convex: what no coordinate and no random direction improves is the best."""
    rng = np.random.default_rng(seed)
    n, steps = int(rng.integers(1, 9)), 60
    decay = rng.uniform(0.2, 0.999, n)
    gain, reach = rng.uniform(0.05, 0.5, n), rng.uniform(0.1, 1.0, n)
    push, level = rng.normal(0.0, 0.3, (steps, n)), rng.normal(0.0, 1.0, steps)
    price, weight = rng.uniform(0.05, 0.5, steps), rng.uniform(0.0, 0.3, steps) * (rng.random(steps) < 0.6)
    slopes = np.cumsum(rng.uniform(0.0, 0.1, (steps, 9)), axis=1) + 0.05
    low = rng.uniform(18.0, 22.0, steps)
    high, most = low + rng.uniform(0.5, 5.0, steps), rng.uniform(0.5, 4.0, steps)
    start = rng.uniform(0.0, 30.0, n)
    heat, felt, worth = np.zeros(steps), np.zeros(steps), np.zeros((steps, n))
    room = (decay, gain, reach, 0.1, start, push, level, price, slopes, 0.5)
    planning.solve(*room, most, weight, low, high, heat, felt, worth, 60)
    assert np.all((heat >= 0.0) & (heat <= most))
    best = planning.cost(*room, weight, low, high, heat)
    for _ in range(60):
        change = rng.normal(0.0, 0.1, steps) * (rng.random(steps) < rng.uniform(0.0, 1.0))
        other = np.clip(heat + change, 0.0, most)
        assert planning.cost(*room, weight, low, high, other) > best - 1e-3 - 1e-4 * best


def test_worth_is_the_derivative_of_the_cost_by_the_state() -> None:
    outdoor, price, weight = day(96, True)
    dearer, _, worth = planned(outdoor, price, weight, 29.01, 40)
    cheaper, _, _ = planned(outdoor, price, weight, 28.99, 40)
    assert (dearer - cheaper) / 0.02 == pytest.approx(worth, rel=0.05)


def test_hull_of_a_curve_is_convex_and_ends_where_the_curve_ends() -> None:
    slopes = hull(0.1)
    assert np.all(np.diff(slopes) >= -1e-9)
    assert planning.power_kw(slopes, 0.1, 3.5) == pytest.approx(inverter_kw(3.5), rel=0.01)
    assert planning.power_kw(slopes, 0.1, 0.3) < inverter_kw(0.3)
    assert planning.power_kw(slopes, 0.1, 1.5) == pytest.approx(inverter_kw(1.5), rel=0.02)


def test_a_day_on_eight_nodes_takes_under_two_milliseconds() -> None:
    rng = np.random.default_rng(1)
    steps, n = 96, 8
    heat, felt, worth = np.ones(steps), np.zeros(steps), np.zeros((steps, n))
    problem = (
        rng.uniform(0.2, 0.999, n), rng.uniform(-0.2, 0.0, n), np.full(n, 0.125), -0.1, np.full(n, 28.0),
        rng.uniform(0.0, 0.1, (steps, n)), np.zeros(steps), np.full(steps, 0.25),
        np.tile(np.linspace(0.2, 0.4, 9), (steps, 1)), 0.5,
        np.full(steps, 4.0), np.full(steps, 0.125), np.full(steps, 20.0), np.full(steps, 26.0),
    )  # fmt: skip
    planning.solve(*problem, heat, felt, worth, 20)
    began = time.process_time()
    for _ in range(20):
        planning.solve(*problem, heat, felt, worth, 20)
    assert (time.process_time() - began) / 20 < 0.002
