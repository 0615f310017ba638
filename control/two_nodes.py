"""A room of two nodes, fitted to what its thermometer shows: what a plan of heat stands on. All on n rooms at once.

    C_a dT_a/dt = K_ao (T_o - T_a) + K_am (T_m - T_a) + g_1 + g_2 occupied + s q
    C_m dT_m/dt = K_mo (T_o - T_m) + K_am (T_a - T_m) + A_s sun

(model TiTe of P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings", Energy and
Buildings 43(7), 2011, doi:10.1016/j.enbuild.2011.02.005, with sun and a path from the mass to outdoors.) The heat q of
the unit [kW, negative while it cools] follows from its electricity by the curve of an ordinary inverter unit::

    P = P_rated(T_o) (c_0 + c_1 l + c_2 l^2),   l = q / q_rated

whose scale the other parameters absorb. The fit minimises the error of an observer with fixed small gains, so of
predictions over hours, by Levenberg and Marquardt's method with a prior of a middling room. The observer is a linear
recursion with constant coefficients, which is summed by doubling: log2 of the quarters passes over whole arrays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

QUARTER_H = 0.25
# Parameters: logarithms but for GAIN
C_AIR, C_MASS, K_AIR_OUT, K_AIR_MASS, K_MASS_OUT, SUN_M2, GAIN, OCCUPANTS, HEATING = range(9)
PARAMETERS = 9
# A middling room per m2 of floor: kWh/K, kWh/K, kW/K, kW/K, kW/K, m2, kW, kW; assumed. Then the scale in heating.
PRIOR_PER_M2 = (0.006, 0.06, 0.0015, 0.012, 0.0015, 0.05, 0.0, 0.006, 1.0)
PRIOR_WIDTH = np.array([0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.1, 0.7, 0.3])
ERROR_K = 0.25  # of the observer's prediction, the scale at which errors count linearly (Huber)
COUNTED = 0.1  # of the errors: neighbouring ones are one another's; assumed
OBSERVER = np.array([0.25, 0.05])  # of the fit: share of an error that moves air and mass
FILTER_AIR, FILTER_MASS, FILTER_HEAT_KW = 0.6, 0.08, 0.02  # of the state that is planned from
HEAT_ERROR_KEPT = 0.96  # of the heat that the model does not explain, per quarter
MOST_ERROR_K, MOST_HEAT_ERROR_KW = 2.0, 1.0
GREATEST_MOVE = 0.7  # of a parameter in one iteration
SLOPE_STEP = 1e-4
ROOMS_AT_ONCE = 32  # of a fit: bounds its memory
HALVINGS = 7  # of a quarter of an hour, for the exponential of the step

# An ordinary inverter unit: shape of power over load, and what a degree outdoors does; assumed
CURVE = (0.06, 0.44, 0.50)
COOLING_COP, HEATING_COP = 3.5, 3.6
COOLING_PER_K, HEATING_PER_K = 0.025, 0.015  # away from 35 and 7 °C
LEAST_LOAD, GREATEST_LOAD = 0.2, 1.5
STANDBY_KW = 0.015


class Past(NamedTuple):
    """Quarters of an hour of n rooms in order of time, shape (n, quarters) each; see ``heat_kw`` for the unit's."""

    room_c: Array  # at the beginning; NaN: nobody knows
    outdoor_c: Array
    sun_kw_m2: Array
    heat_kw: Array
    occupied: Array


def prior(floor_m2: Array) -> Array:
    """Parameters of middling rooms, shape (n, PARAMETERS)."""
    rooms: Array = np.outer(floor_m2, PRIOR_PER_M2)
    rooms[:, HEATING] = 1.0
    logarithms: Array = np.log(np.maximum(rooms, 1e-9))
    logarithms[:, GAIN] = 0.0
    return logarithms


def rated_kw(rated_cooling_kw: Array, heating: BoolArray, outdoor_c: Array) -> Array:
    """Power of an ordinary unit at rated capacity. [kW]"""
    warm = np.maximum(1.0 - HEATING_PER_K * (outdoor_c - 7.0), 0.5) / HEATING_COP
    cool = np.maximum(1.0 + COOLING_PER_K * (outdoor_c - 35.0), 0.4) / COOLING_COP
    return np.asarray(rated_cooling_kw * np.where(heating, warm, cool))


def heat_kw(power_kw: Array, rated_cooling_kw: Array, heating: BoolArray, outdoor_c: Array) -> Array:
    """Heat of an ordinary unit that takes this power, negative while it cools, in line below its least load. [kW]"""
    ratio = np.maximum(power_kw - STANDBY_KW, 0.0) / rated_kw(rated_cooling_kw, heating, outdoor_c)
    least = CURVE[0] + LEAST_LOAD * (CURVE[1] + LEAST_LOAD * CURVE[2])
    root = np.sqrt(CURVE[1] ** 2 + 4.0 * CURVE[2] * np.maximum(ratio - CURVE[0], 0.0))
    above = np.minimum((root - CURVE[1]) / (2.0 * CURVE[2]), GREATEST_LOAD)
    load = np.where(ratio < least, LEAST_LOAD * ratio / least, above)
    return np.asarray(np.where(heating, load, -load) * rated_cooling_kw)


def steps(theta: Array) -> tuple[Array, Array]:
    """Rooms over a quarter of an hour.

    Parameters
    ----------
    theta : Array, shape (n, PARAMETERS)

    Returns
    -------
    step : Array, shape (n, 2, 2)
        Air and mass after, from air and mass before.
    inputs : Array, shape (n, 2, 4)
        Effect on both of 1 °C outdoors, 1 kW/m2 of sun, 1 kW to the air, and somebody at home.
    """
    c_air, c_mass = np.exp(theta[:, C_AIR]), np.exp(theta[:, C_MASS])
    k_ao, k_am, k_mo = (np.exp(theta[:, name]) for name in (K_AIR_OUT, K_AIR_MASS, K_MASS_OUT))
    h = QUARTER_H / 2**HALVINGS
    step = np.empty((len(theta), 2, 2))
    step[:, 0, 0], step[:, 0, 1] = 1.0 - h * (k_ao + k_am) / c_air, h * k_am / c_air
    step[:, 1, 0], step[:, 1, 1] = h * k_am / c_mass, 1.0 - h * (k_mo + k_am) / c_mass
    inputs = np.zeros((len(theta), 2, 4))
    inputs[:, 0, 0], inputs[:, 1, 0] = h * k_ao / c_air, h * k_mo / c_mass
    inputs[:, 1, 1] = h * np.exp(theta[:, SUN_M2]) / c_mass
    inputs[:, 0, 2] = h / c_air
    for _ in range(HALVINGS):
        inputs += step @ inputs
        step = step @ step
    inputs[:, :, 3] = inputs[:, :, 2] * np.exp(theta[:, OCCUPANTS])[:, np.newaxis]
    return step, inputs


def summed(step: Array, pushes: Array) -> Array:
    """``x[k] = step x[k-1] + pushes[k]`` with nothing before, by doubling.

    Parameters
    ----------
    step : Array, shape (n, 2, 2)
    pushes : Array, shape (n, 2, k)
        Overwritten by the result.
    """
    span = 1
    while span < pushes.shape[2]:
        pushes[:, :, span:] += step @ pushes[:, :, :-span]
        step, span = step @ step, 2 * span
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    return pushes


def unit_scale(theta: Array, heating: BoolArray) -> Array:
    """How much heat a room sees for a kW of its unit."""
    return np.where(heating, np.exp(theta[..., HEATING]), 1.0)


def errors(theta: Array, past: Past) -> Array:
    """Errors of the observer's prediction at each quarter, 0 where the room is not known; shape (n, quarters). [K]"""
    step, inputs = steps(theta)
    known = np.isfinite(past.room_c)
    room_c = _filled(past.room_c)
    heat = past.heat_kw * np.where(past.heat_kw > 0.0, np.exp(theta[:, HEATING])[:, np.newaxis], 1.0)
    drives = np.stack([past.outdoor_c, past.sun_kw_m2, heat + theta[:, GAIN, np.newaxis], past.occupied], axis=1)
    gains = step @ OBSERVER
    pushes = np.empty((len(theta), 2, room_c.shape[1]))
    pushes[:, :, 0] = room_c[:, :1]
    pushes[:, :, 1:] = inputs @ drives[:, :, :-1] + gains[:, :, np.newaxis] * room_c[:, np.newaxis, :-1]
    observer = step.copy()
    observer[:, :, 0] -= gains
    return np.asarray(np.where(known, room_c - summed(observer, pushes)[:, 0], 0.0))


def fit(theta: Array, middle: Array, past: Past, iterations: int) -> Array:
    """Better parameters of n rooms, from ``theta`` on.

    Parameters
    ----------
    theta, middle : Array, shape (n, PARAMETERS)
        Where to begin, and the prior.
    """
    parts = [slice(start, start + ROOMS_AT_ONCE) for start in range(0, len(theta), ROOMS_AT_ONCE)]
    fitted = [_fit(theta[some], middle[some], Past(*(one[some] for one in past)), iterations) for some in parts]
    return np.concatenate(fitted) if fitted else theta.copy()


def _fit(theta: Array, middle: Array, past: Past, iterations: int) -> Array:
    n, width = len(theta), 1.0 / PRIOR_WIDTH**2
    theta, damping = theta.copy(), np.full(n, 0.1)
    wide = Past(*(np.repeat(one, PARAMETERS, axis=0) for one in past))
    base = errors(theta, past)
    best = _loss(base, theta, middle)
    for _ in range(iterations):
        moved = np.repeat(theta, PARAMETERS, axis=0)
        moved[np.arange(n * PARAMETERS), np.tile(np.arange(PARAMETERS), n)] += SLOPE_STEP
        slopes = (errors(moved, wide).reshape(n, PARAMETERS, -1) - base[:, np.newaxis]) / SLOPE_STEP
        weighed = slopes * (COUNTED / (ERROR_K * np.maximum(np.abs(base), ERROR_K)))[:, np.newaxis]
        normal = weighed @ slopes.transpose(0, 2, 1) + np.diag(width)
        right = -(weighed @ base[:, :, np.newaxis])[:, :, 0] - (theta - middle) * width
        for _ in range(3):
            damped = normal + damping[:, np.newaxis, np.newaxis] * normal * np.eye(PARAMETERS)
            move = np.linalg.solve(damped, right[:, :, np.newaxis])[:, :, 0]
            trial = theta + np.clip(move, -GREATEST_MOVE, GREATEST_MOVE)
            there = errors(trial, past)
            loss = _loss(there, trial, middle)
            better = loss < best
            theta, base = np.where(better[:, np.newaxis], trial, theta), np.where(better[:, np.newaxis], there, base)
            best, right = np.where(better, loss, best), np.where(better[:, np.newaxis], 0.0, right)
            damping = np.where(better, np.maximum(damping * 0.2, 1e-4), np.where(right.any(axis=1), 5.0, 1.0) * damping)
            if not right.any():
                break
    return theta


def follow(
    theta: Array, nodes: Array, room_c: Array, outdoor_c: Array, sun_kw_m2: Array, heat: Array, occupied: Array
) -> Array:
    """Air, mass and unexplained heat of each room now, from a quarter ago; shape (n, 3).

    Parameters
    ----------
    nodes : Array, shape (n, 3)
        The same a quarter ago. [°C, °C, kW]
    room_c : Array, shape (n,)
        The thermometer's now; NaN: nothing is corrected.
    outdoor_c, sun_kw_m2, heat, occupied : Array, shape (n,)
        Of the quarter that has passed; heat as of ``heat_kw``.
    """
    step, inputs = steps(theta)
    given = heat * unit_scale(theta, heat > 0.0) + theta[:, GAIN] + nodes[:, 2]
    drives = np.stack([outdoor_c, sun_kw_m2, given, occupied], axis=1)
    after = (step @ nodes[:, :2, np.newaxis] + inputs @ drives[:, :, np.newaxis])[:, :, 0]
    error = np.clip(np.nan_to_num(room_c - after[:, 0]), -MOST_ERROR_K, MOST_ERROR_K)
    rest = HEAT_ERROR_KEPT * nodes[:, 2] + FILTER_HEAT_KW * error
    return np.stack(
        [
            after[:, 0] + FILTER_AIR * error,
            after[:, 1] + FILTER_MASS * error,
            np.clip(rest, -MOST_HEAT_ERROR_KW, MOST_HEAT_ERROR_KW),
        ],
        axis=1,
    )


def _loss(out: Array, theta: Array, middle: Array) -> Array:
    e = np.abs(out) / ERROR_K
    huber = np.where(e < 1.0, 0.5 * e * e, e - 0.5).sum(axis=1)
    return np.asarray(COUNTED * huber + 0.5 * (((theta - middle) / PRIOR_WIDTH) ** 2).sum(axis=1))


def _filled(values: Array) -> Array:
    """The last known value where one is not known, the first known one before it; 20 where none is."""
    if np.isfinite(values).all():
        return values
    order = np.arange(values.shape[1])
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, order, 0), axis=1)
    first = np.argmax(known, axis=1)[:, np.newaxis]
    filled = np.take_along_axis(values, np.maximum(last, first), axis=1)
    return np.where(np.isfinite(filled), filled, 20.0)
