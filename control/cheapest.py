"""The cheapest heat for the steps ahead, on linear rooms with a convex power curve; n rooms at once.

With y = free + answer q, the air that people feel in each step, the plan minimises over 0 <= q[k] <= most

    sum  price[k] P(q[k]) + weight[k] (max(0, y[k] - high[k]) + max(0, low[k] - y[k]))

where P is the lower convex hull of a unit's power curve c_0 + c_1 l + c_2 l^2 over its load l = q / rated: what a unit
reaches on average by switching between off and its best load. That is a convex programme, solved by a primal-dual
interior-point method (S. Boyd and L. Vandenberghe, Convex Optimization, 11.7); each max(0, excess) is a slack s >= 0,
s >= excess with a multiplier z between 0 and its weight. Steps are few, so a Newton step is one dense system a room.

Heat is in kW and counted positive in the season's direction; costs are in kWh at the mean price.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from control.two_nodes import CURVE

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BEST_LOAD = math.sqrt(CURVE[0] / CURVE[2])  # where power over load is least: below it the hull is a line from off
LEAST_SLOPE = 1e-3  # kW per kW: heat is never free
RIDGE = 1e-4  # kWh per kW^2: breaks ties between equal plans
LEAST_WEIGHT = 1e-5  # kWh per K: discomfort never weighs nothing, so that every multiplier has its range
LEAST_GAIN = 1e-4  # kWh at the mean price: no heat is planned to win less
BACK_OFF = 0.995  # how far a step may go towards the nearest bound
ITERATIONS = 11
FIRST_HEAT, FIRST_Z, FIRST_SLACK_K = 0.05, 0.05, 1.0  # where the search begins: found on plans of validation homes
CLOSE = 1e-5  # mean complementarity at which a plan is done


class Problem(NamedTuple):
    """What a plan is made for; shape (n, steps) unless it says otherwise."""

    answer: Array  # (n, steps, steps): K per kW
    free_c: Array  # y without heat
    price: Array  # kWh at the mean price for each kW over the step
    full_kw: Array  # power at rated capacity
    rated_kw: Array  # (n,) heat at a load of 1
    most_kw: Array  # (n,)
    weight: Array  # kWh at the mean price for each K over the step
    low_c: Array
    high_c: Array


class _Pair(NamedTuple):
    """A priced bound: its slack and multiplier."""

    s: Array
    z: Array


def cheapest(problem: Problem, iterations: int = ITERATIONS) -> tuple[Array, Array]:
    """Heat of each step [kW] and the air under it [°C], shape (n, steps) each."""
    heat, felt = np.zeros_like(problem.free_c), problem.free_c.copy()
    some = _gains(problem)
    if some.any():
        heat[some], felt[some] = _interior(Problem(*(one[some] for one in problem)), iterations)
    return heat, felt


def _gains(problem: Problem) -> BoolArray:
    """Whether heat can pay: some is missing while it counts, or there is money for taking it. Half of all need none."""
    warms = problem.answer.sum(axis=(1, 2)) > 0.0
    missing_k = np.where(warms[:, np.newaxis], problem.low_c - problem.free_c, problem.free_c - problem.high_c)
    worth = (np.maximum(missing_k, 0.0) * problem.weight).sum(axis=1)
    return np.asarray((worth > LEAST_GAIN) | (problem.price < 0.0).any(axis=1))


def _interior(problem: Problem, iterations: int) -> tuple[Array, Array]:
    most = np.broadcast_to(problem.most_kw[:, np.newaxis], problem.free_c.shape)
    weight = np.maximum(problem.weight, LEAST_WEIGHT)
    heat = FIRST_HEAT * most
    felt = _felt(problem, heat)
    low_z, top_z = FIRST_Z / heat, FIRST_Z / (most - heat)
    over = _Pair(np.maximum(felt - problem.high_c, 0.0) + FIRST_SLACK_K, 0.5 * weight)
    under = _Pair(np.maximum(problem.low_c - felt, 0.0) + FIRST_SLACK_K, 0.5 * weight)
    reached = np.zeros(len(heat))
    for _ in range(iterations):
        room = most - heat
        above, below = felt - problem.high_c, problem.low_c - felt
        gap = _gap(low_z * heat + top_z * room, over, above, under, below, weight)
        if (gap < CLOSE).all():
            break
        aim = gap * np.where(reached > 0.9, 0.03, np.where(reached > 0.5, 0.2, 0.6))
        aim = np.maximum(aim, 0.1 * CLOSE)[:, np.newaxis]  # rooms that are done wait for the others
        first_over, second_over = _slopes(over, above, weight, aim)
        first_under, second_under = _slopes(under, below, weight, aim)
        marginal, curve = _power(problem, heat)
        slope = marginal - aim / heat + aim / room
        slope += ((first_over - first_under)[:, np.newaxis] @ problem.answer)[:, 0]
        bent = problem.answer.transpose(0, 2, 1) @ ((second_over + second_under)[:, :, np.newaxis] * problem.answer)
        steps = np.arange(heat.shape[1])
        bent[:, steps, steps] += curve + low_z / heat + top_z / room
        d_heat = -np.linalg.solve(bent, slope[:, :, np.newaxis])[:, :, 0]
        d_felt = (problem.answer @ d_heat[:, :, np.newaxis])[:, :, 0]
        d_low = (aim - low_z * (heat + d_heat)) / heat
        d_top = (aim - top_z * (room - d_heat)) / room
        d_over, d_under = _move(over, above, weight, aim, d_felt), _move(under, below, weight, aim, -d_felt)
        bounds = (
            (heat, d_heat),
            (room, -d_heat),
            (low_z, d_low),
            (top_z, d_top),
            *_bounds(over, d_over, above, d_felt, weight),
            *_bounds(under, d_under, below, -d_felt, weight),
        )
        values, changes = (np.concatenate(group, axis=1) for group in zip(*bounds, strict=True))
        reached = np.minimum(1.0, BACK_OFF / np.maximum((-changes / values).max(axis=1), BACK_OFF))
        far = reached[:, np.newaxis]
        heat, felt = heat + far * d_heat, felt + far * d_felt
        low_z, top_z = low_z + far * d_low, top_z + far * d_top
        over = _Pair(over.s + far * d_over.s, over.z + far * d_over.z)
        under = _Pair(under.s + far * d_under.s, under.z + far * d_under.z)
    return heat, felt


def cost(problem: Problem, heat: Array) -> Array:
    """What a plan costs in each room, shape (n,). [kWh at the mean price]"""
    load = heat / problem.rated_kw[:, np.newaxis]
    line = load * (CURVE[1] + 2.0 * CURVE[2] * BEST_LOAD)
    power = problem.full_kw * np.where(load < BEST_LOAD, line, CURVE[0] + load * (CURVE[1] + load * CURVE[2]))
    felt = _felt(problem, heat)
    outside = np.maximum(felt - problem.high_c, 0.0) + np.maximum(problem.low_c - felt, 0.0)
    return np.asarray((problem.price * power + problem.weight * outside).sum(axis=1))


def _felt(problem: Problem, heat: Array) -> Array:
    return np.asarray(problem.free_c + (problem.answer @ heat[:, :, np.newaxis])[:, :, 0])


def _power(problem: Problem, heat: Array) -> tuple[Array, Array]:
    """First and second derivative of the priced power by the heat."""
    rated_kw = problem.rated_kw[:, np.newaxis]
    load, per_kw = heat / rated_kw, problem.full_kw / rated_kw
    slope = np.maximum(per_kw * (CURVE[1] + 2.0 * CURVE[2] * np.maximum(load, BEST_LOAD)), LEAST_SLOPE)
    bend = np.where(load > BEST_LOAD, 2.0 * CURVE[2] * per_kw / rated_kw, 0.0)
    return problem.price * slope + 2.0 * RIDGE * heat, np.maximum(problem.price, 0.0) * bend + 2.0 * RIDGE


def _gap(bounds: Array, over: _Pair, above: Array, under: _Pair, below: Array, weight: Array) -> Array:
    """Mean complementarity of each room."""
    total = bounds.sum(axis=1)
    for pair, excess in ((over, above), (under, below)):
        total = total + ((weight - pair.z) * pair.s + pair.z * (pair.s - excess)).sum(axis=1)
    return np.asarray(total / (6.0 * bounds.shape[1]))


def _slopes(pair: _Pair, excess: Array, weight: Array, aim: Array) -> tuple[Array, Array]:
    """First and second derivative, by the excess, of the price of max(0, excess) in the Newton system."""
    s, z = pair
    below = s * z / (weight - z) + s - excess
    return z + (aim - z * (s - excess) - z * aim / (weight - z) + z * s) / below, z / below


def _move(pair: _Pair, excess: Array, weight: Array, aim: Array, d: Array) -> _Pair:
    """Newton's step of slack and multiplier where the excess moves by ``d``."""
    s, z = pair
    below = s * z / (weight - z) + s - excess
    d_z = (z * d + aim - z * (s - excess) - z * aim / (weight - z) + z * s) / below
    return _Pair((aim - (weight - z) * s + s * d_z) / (weight - z), d_z)


def _bounds(
    pair: _Pair, d_pair: _Pair, excess: Array, d_excess: Array, weight: Array
) -> tuple[tuple[Array, Array], ...]:
    """What has to stay positive, and how it changes."""
    return (
        (pair.s, d_pair.s),
        (pair.s - excess, d_pair.s - d_excess),
        (pair.z, d_pair.z),
        (weight - pair.z, -d_pair.z),
    )
