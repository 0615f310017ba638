"""The cheapest heat for the hours ahead, on a linear room with a convex power curve.

The room is linear in the heat of its unit, in modal form (n modes, each with its own decay a step):

    x[k+1] = decay * x[k] + gain * q[k] + push[k]
    y[k]   = reach . x[k] + direct * q[k] + level[k]          the air that people feel in step k

and the plan minimises, over 0 <= q[k] <= most[k],

    sum  price[k] * P_k(q[k]) + weight[k] * (max(0, y[k] - high[k]) + max(0, low[k] - y[k]))

with P_k convex: its slope is a polygon over a grid of heat. That is a convex programme; it is solved by a primal-dual
interior-point method whose Newton step is one Riccati sweep back and one forward (C. V. Rao, S. J. Wright and J. B.
Rawlings, "Application of interior-point methods to model predictive control", J. Optim. Theory Appl. 99(3), 1998,
doi:10.1023/A:1021711402723). In modal form a sweep takes n^2 and not n^3 operations a step, so that eight nodes and a
day of quarters take about 0.2 ms (measured by ``tests/benchmarks/test_planning.py`` as a bound).

Heat is in kW and counted positive in the season's direction (the sign is in ``gain`` and ``direct``); costs are in kWh
at the mean price.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit

Array = NDArray[np.float64]

STAY_QUARTERS = 8.0  # in which a surprise about presence fades to 37 %; assumed
RECOVERY_QUARTERS = 3  # from a return that was not expected to a comfortable room; assumed
LIKELY = 0.5  # chance of presence from which a return is prepared for
LEAST_SLOPE = 1e-3  # kW per kW: heat is never free
_LEAST = 1e-9
_BACK_OFF = 0.99  # how far a step may go towards the nearest bound
_CURVE_RIDGE = 1e-5  # kWh per kW^2: breaks ties between equal plans


class Modal(NamedTuple):
    """A linear room in modal form; ``to_modes`` turns node temperatures into modes."""

    decay: Array  # (n,)
    gain: Array  # (n,) modes per kW
    reach: Array  # (n,)
    to_modes: Array  # (n, n)
    from_modes: Array  # (n, n)


def modal(step: Array, gain: Array, reach: Array) -> Modal:
    """Diagonalise ``x' = step x + gain q, y = reach x``.

    An RC network is similar to a symmetric matrix, so its modes are real; imaginary parts are rounding and dropped.
    """
    decay, vectors = np.linalg.eig(step)
    inverse = np.linalg.inv(vectors)
    return Modal(
        np.ascontiguousarray(decay.real),
        np.ascontiguousarray((inverse @ gain).real),
        np.ascontiguousarray((reach @ vectors).real),
        np.ascontiguousarray(inverse.real),
        np.ascontiguousarray(vectors.real),
    )


@njit
def convex_slopes(heat_kw: Array, power_kw: Array, grid_kw: float, slopes: Array) -> None:
    """Slopes of the lower convex hull of a power curve, on an even grid of heat from 0.

    The hull is what a unit reaches on average over a quarter of an hour by switching between two loads: below its
    least frequency, between off and its best load. The slope between two points of the grid is laid on both by halves,
    so that its integral is the hull to second order; beyond the last heat the hull goes on as it was.

    Parameters
    ----------
    heat_kw, power_kw : Array, shape (loads,)
        The curve, heat ascending from 0; both are overwritten. [kW]
    slopes : Array, shape (points,)
        Where the slopes are written. [kW per kW]
    """
    kept = 0
    for j in range(heat_kw.shape[0]):
        if kept > 0 and heat_kw[j] <= heat_kw[kept - 1]:
            continue
        while kept > 1 and (power_kw[j] - power_kw[kept - 2]) * (heat_kw[kept - 1] - heat_kw[kept - 2]) <= (
            power_kw[kept - 1] - power_kw[kept - 2]
        ) * (heat_kw[j] - heat_kw[kept - 2]):
            kept -= 1
        heat_kw[kept] = heat_kw[j]
        power_kw[kept] = power_kw[j]
        kept += 1
    points = slopes.shape[0]
    before, piece, last = 0.0, 0, 0.0
    for j in range(1, points):
        x = j * grid_kw
        while piece < kept - 2 and heat_kw[piece + 1] < x:
            piece += 1
        rise = (power_kw[piece + 1] - power_kw[piece]) / (heat_kw[piece + 1] - heat_kw[piece])
        here = power_kw[piece] + rise * (x - heat_kw[piece])
        slope = max((here - before) / grid_kw, LEAST_SLOPE)
        slopes[j - 1] = slope if j == 1 else 0.5 * (slope + last)
        before, last = here, slope
    slopes[points - 1] = last


@njit
def power_kw(slopes: Array, grid_kw: float, heat_kw: float) -> float:
    """Integral of the polygon of slopes from 0 to ``heat_kw``; beyond the grid the last slope goes on."""
    total = 0.0
    last = slopes.shape[0] - 1
    for j in range(last):
        part = min(heat_kw - j * grid_kw, grid_kw)
        if part <= 0.0:
            return total
        total += part * (slopes[j] + 0.5 * part / grid_kw * (slopes[j + 1] - slopes[j]))
    return float(total + max(0.0, heat_kw - last * grid_kw) * slopes[last])


@njit
def cost(
    decay: Array,
    gain: Array,
    reach: Array,
    direct: float,
    start: Array,
    push: Array,
    level: Array,
    price: Array,
    slopes: Array,
    grid_kw: float,
    weight: Array,
    low: Array,
    high: Array,
    heat: Array,
) -> float:
    """What a plan costs on the linear room. [kWh at the mean price]"""
    n = decay.shape[0]
    x = start.copy()
    total = 0.0
    for k in range(heat.shape[0]):
        y = direct * heat[k] + level[k]
        for i in range(n):
            y += reach[i] * x[i]
            x[i] = decay[i] * x[i] + gain[i] * heat[k] + push[k, i]
        total += price[k] * power_kw(slopes[k], grid_kw, heat[k])
        total += weight[k] * (max(0.0, y - high[k]) + max(0.0, low[k] - y))
    return total


@njit
def solve(
    decay: Array,
    gain: Array,
    reach: Array,
    direct: float,
    start: Array,  # (n,) modes now
    push: Array,  # (steps, n)
    level: Array,  # (steps,)
    price: Array,  # (steps,) kWh at the mean price for each kW over the step
    slopes: Array,  # (steps, points) kW per kW
    grid_kw: float,
    most: Array,  # (steps,) kW
    weight: Array,  # (steps,) kWh at the mean price for each K over the step
    low: Array,
    high: Array,
    heat: Array,  # (steps,) in: a guess; out: the plan
    felt: Array,  # (steps,) out: y under the plan
    worth: Array,  # (steps, n) out: what one unit of each mode costs at the beginning of each step
    iterations: int,
) -> float:
    """The cheapest plan, written into ``heat``; returns the mean complementarity left (its error, per bound)."""
    n = decay.shape[0]
    steps = heat.shape[0]
    points = slopes.shape[1]
    low_z = np.empty(steps)
    top_z = np.empty(steps)
    over_s = np.empty(steps)
    over_z = np.empty(steps)
    under_s = np.empty(steps)
    under_z = np.empty(steps)
    feed = np.empty((steps, n))
    forth = np.empty(steps)
    d_heat = np.empty(steps)
    d_felt = np.empty(steps)
    values = np.empty((n, n))
    slope = np.empty(n)
    cross = np.empty(n)
    x = np.empty(n)

    for k in range(steps):
        heat[k] = min(max(heat[k], 0.1 * most[k]), 0.9 * most[k])
    for i in range(n):
        x[i] = start[i]
    for k in range(steps):
        felt[k] = direct * heat[k] + level[k]
        for i in range(n):
            felt[k] += reach[i] * x[i]
            x[i] = decay[i] * x[i] + gain[i] * heat[k] + push[k, i]
        low_z[k] = 0.05 / heat[k]
        top_z[k] = 0.05 / (most[k] - heat[k])
        over_s[k] = max(felt[k] - high[k], 0.0) + 0.3
        under_s[k] = max(low[k] - felt[k], 0.0) + 0.3
        over_z[k] = 0.5 * weight[k]
        under_z[k] = 0.5 * weight[k]

    gap = 1.0
    reached = 0.0
    for _ in range(iterations):
        total = 0.0
        bounds = 0
        for k in range(steps):
            total += low_z[k] * heat[k] + top_z[k] * (most[k] - heat[k])
            bounds += 2
            if weight[k] > _LEAST:
                total += (weight[k] - over_z[k]) * over_s[k] + over_z[k] * (over_s[k] - felt[k] + high[k])
                total += (weight[k] - under_z[k]) * under_s[k] + under_z[k] * (under_s[k] - low[k] + felt[k])
                bounds += 4
        gap = total / bounds
        if gap < 1e-6 and reached > 0.9:
            break
        aim = gap * (0.1 if reached > 0.9 else (0.3 if reached > 0.5 else 0.7))

        for i in range(n):
            slope[i] = 0.0
            for j in range(n):
                values[i, j] = 0.0
        for back in range(steps):
            k = steps - 1 - back
            first, second = 0.0, 0.0  # derivatives of the price of discomfort by felt
            if weight[k] > _LEAST:
                one, two = _pair(felt[k] - high[k], over_s[k], over_z[k], weight[k], aim)
                first += one
                second += two
                one, two = _pair(low[k] - felt[k], under_s[k], under_z[k], weight[k], aim)
                first -= one
                second += two
            at = heat[k] / grid_kw
            j = min(int(at), points - 2)
            rise = slopes[k, j + 1] - slopes[k, j]
            marginal = price[k] * (slopes[k, j] + min(at - j, 1.0) * rise) + 2.0 * _CURVE_RIDGE * heat[k]
            curve = max(price[k], 0.0) * rise / grid_kw + 2.0 * _CURVE_RIDGE
            room = most[k] - heat[k]
            q1 = marginal - aim / heat[k] + aim / room + first * direct
            q2 = curve + low_z[k] / heat[k] + top_z[k] / room + second * direct * direct
            for i in range(n):
                back_i = 0.0
                for m in range(n):
                    back_i += values[i, m] * gain[m]
                q1 += gain[i] * slope[i]
                q2 += gain[i] * back_i
                cross[i] = decay[i] * back_i + second * direct * reach[i]
            forth[k] = -q1 / q2
            for i in range(n):
                feed[k, i] = -cross[i] / q2
                slope[i] = first * reach[i] + decay[i] * slope[i] + cross[i] * forth[k]
                worth[k, i] = slope[i]
                for m in range(i + 1):
                    new = second * reach[i] * reach[m] + decay[i] * decay[m] * values[i, m] + cross[i] * feed[k, m]
                    values[i, m] = new
                    values[m, i] = new

        for i in range(n):
            x[i] = 0.0
        far = 1.0
        for k in range(steps):
            d_heat[k] = forth[k]
            for i in range(n):
                d_heat[k] += feed[k, i] * x[i]
            d_felt[k] = direct * d_heat[k]
            for i in range(n):
                d_felt[k] += reach[i] * x[i]
                x[i] = decay[i] * x[i] + gain[i] * d_heat[k]
            room = most[k] - heat[k]
            far = _limit(far, heat[k], d_heat[k])
            far = _limit(far, room, -d_heat[k])
            far = _limit(far, low_z[k], (aim - low_z[k] * (heat[k] + d_heat[k])) / heat[k])
            far = _limit(far, top_z[k], (aim - top_z[k] * (room - d_heat[k])) / room)
            if weight[k] > _LEAST:
                excess = felt[k] - high[k]
                ds, dz = _pair_step(excess, over_s[k], over_z[k], weight[k], aim, d_felt[k])
                far = _limit_pair(far, excess, over_s[k], over_z[k], weight[k], d_felt[k], ds, dz)
                excess = low[k] - felt[k]
                ds, dz = _pair_step(excess, under_s[k], under_z[k], weight[k], aim, -d_felt[k])
                far = _limit_pair(far, excess, under_s[k], under_z[k], weight[k], -d_felt[k], ds, dz)
        reached = far
        for k in range(steps):
            room = most[k] - heat[k]
            low_z[k] += far * (aim - low_z[k] * (heat[k] + d_heat[k])) / heat[k]
            top_z[k] += far * (aim - top_z[k] * (room - d_heat[k])) / room
            if weight[k] > _LEAST:
                ds, dz = _pair_step(felt[k] - high[k], over_s[k], over_z[k], weight[k], aim, d_felt[k])
                over_s[k] += far * ds
                over_z[k] += far * dz
                ds, dz = _pair_step(low[k] - felt[k], under_s[k], under_z[k], weight[k], aim, -d_felt[k])
                under_s[k] += far * ds
                under_z[k] += far * dz
            heat[k] += far * d_heat[k]
            felt[k] += far * d_felt[k]
    return gap


@njit
def _pair(excess: float, s: float, z: float, weight: float, aim: float) -> tuple[float, float]:
    """First and second derivative, by the excess, of the price of max(0, excess) in the Newton system.

    The excess is bounded by a slack s >= 0, s >= excess that costs ``weight``; z belongs to the second bound.
    """
    below = s * z / (weight - z) + s - excess
    second = z / below
    return z + (aim - z * (s - excess) - z * aim / (weight - z) + z * s) / below, second


@njit
def _pair_step(excess: float, s: float, z: float, weight: float, aim: float, d: float) -> tuple[float, float]:
    below = s * z / (weight - z) + s - excess
    dz = (z * d + aim - z * (s - excess) - z * aim / (weight - z) + z * s) / below
    return (aim - (weight - z) * s + s * dz) / (weight - z), dz


@njit
def _limit(far: float, value: float, change: float) -> float:
    return min(far, _BACK_OFF * value / -change) if change < 0.0 else far


@njit
def _limit_pair(far: float, excess: float, s: float, z: float, weight: float, d: float, ds: float, dz: float) -> float:
    far = _limit(far, s, ds)
    far = _limit(far, s - excess, ds - d)
    far = _limit(far, z, dz)
    return _limit(far, weight - z, -dz)


def chance_ahead(occupied: Array, presence_ahead: Array) -> Array:
    """Chance that somebody is home, shape (n, quarters): what is seen now fades into habit."""
    faded = np.exp(-np.arange(presence_ahead.shape[1]) / STAY_QUARTERS)
    surprise = occupied - presence_ahead[:, 0]
    return np.clip(presence_ahead + surprise[:, np.newaxis] * faded, 0.0, 1.0)


def weight_ahead(chance: Array) -> Array:
    """Share of each quarter in which discomfort counts, shape (n, quarters).

    While a return is not likely, only those count who come within the time that the room would take to be made
    comfortable: who came before has been met by a new plan.
    """
    before = np.concatenate(
        (np.repeat(chance[:, :1], RECOVERY_QUARTERS, axis=1), chance[:, :-RECOVERY_QUARTERS]), axis=1
    )
    return np.where(chance >= LIKELY, chance, np.maximum(chance - before, 0.0))
