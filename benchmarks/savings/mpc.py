"""Model-predictive control with a room model learned on the way: two nodes, fitted every day to what the sensors show.

    C_a dT_a/dt = K_ao (T_o - T_a) + K_am (T_m - T_a) + g_1 + g_2 occupied + s q
    C_m dT_m/dt = K_mo (T_o - T_m) + K_am (T_a - T_m) + A_s sun

(model TiTe of P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings", Energy and
Buildings 43(7), 2011, doi:10.1016/j.enbuild.2011.02.005, with sun and a path from the mass to outdoors.) The heat q of
the unit is not measured; it follows from its power by the curve of an ordinary inverter unit, whose scale is absorbed
by the other parameters. The fit minimises the error of an observer with fixed small gains, so of predictions over
hours, by Levenberg-Marquardt with a prior of a middling room. Offsets between what the unit is told and what the room
does are learned apart, one in cooling and one in heating.

It sees ``words.Seen`` and nothing else, and plans anew each hour, and when somebody comes or goes.
"""

import math

import numpy as np

from benchmarks.savings import planning
from benchmarks.savings.planning import Array, chance_ahead, weight_ahead
from benchmarks.savings.scoring import PRICE_OF_DISCOMFORT_KWH
from benchmarks.savings.words import DECISION_S, QUARTERS_AHEAD, ROWS_PER_DECISION, BoolArray, Known, Orders, Seen
from simulator.jit import njit

QUARTERS_PER_H = 4
QUARTERS_PER_DAY = 96
HOURS = DECISION_S / 3600.0
MEMORY = 21 * QUARTERS_PER_DAY  # quarters of an hour that are fitted
YOUNG = 2 * QUARTERS_PER_DAY  # quarters before the first fit
POINTS = 14  # of the grid of heat
LEAST_HEAT_RATIO = 0.03  # of the most heat: below it a plan means off
PATIENCE = 4  # quarters without planned heat for which a unit is left on, as it rests by itself
ITERATIONS = 20

# Parameters: logarithms but for GAIN
C_AIR, C_MASS, K_AIR_OUT, K_AIR_MASS, K_MASS_OUT, SUN_M2, GAIN, OCCUPANTS, HEATING = range(9)
PARAMETERS = 9
# A middling room per m2 of floor: kWh/K, kWh/K, kW/K, kW/K, kW/K, m2, kW, kW; assumed. Then the scale in heating.
PRIOR_PER_M2 = (0.006, 0.06, 0.0015, 0.012, 0.0015, 0.05, 0.0, 0.006, 1.0)
PRIOR_WIDTH = (0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.1, 0.7, 0.3)
ERROR_K = 0.25  # of the observer's prediction, the scale at which errors count linearly (Huber)
OBSERVER_AIR, OBSERVER_MASS = 0.25, 0.05  # of the fit
FILTER_AIR, FILTER_MASS, FILTER_HEAT_KW = 0.6, 0.08, 0.02  # of the state that is planned from
HEAT_ERROR_KEPT = 0.96  # of the heat that the model does not explain, per quarter

# An ordinary inverter unit: power over rated power at a load, and what a degree outdoors does; assumed
CURVE_0, CURVE_1, CURVE_2 = 0.06, 0.44, 0.50
COOLING_COP, HEATING_COP = 3.5, 3.6
COOLING_PER_K, HEATING_PER_K = 0.025, 0.015  # away from 35 and 7 C
MOST_LOAD = 1.2
LEAST_LOAD = 0.2
STANDBY_KW = 0.015

BIAS_FAST, BIAS_SLOW = 0.2, 0.05  # share of what the room lacks by which the setpoint's offset moves; assumed
BIAS_MOST_K = 3.0
PUSH = 0.5  # of what the room lacks, on the setpoint at once; assumed
STEADY_K = 0.25  # change of the room in a quarter


@njit
def rated_kw(rated_cooling_kw: float, heating: bool, outdoor_c: float) -> float:
    """Power at rated capacity. [kW]"""
    if heating:
        return rated_cooling_kw / HEATING_COP * max(1.0 - HEATING_PER_K * (outdoor_c - 7.0), 0.5)
    return rated_cooling_kw / COOLING_COP * max(1.0 + COOLING_PER_K * (outdoor_c - 35.0), 0.4)


@njit
def heat_of_power(power_kw: float, rated_cooling_kw: float, heating: bool, outdoor_c: float) -> float:
    """Heat of an ordinary unit that takes this power, positive, in line below its least load. [kW]"""
    at = max(power_kw - STANDBY_KW, 0.0) / rated_kw(rated_cooling_kw, heating, outdoor_c)
    least = CURVE_0 + LEAST_LOAD * (CURVE_1 + LEAST_LOAD * CURVE_2)
    if at < least:
        return rated_cooling_kw * LEAST_LOAD * at / least
    root = math.sqrt(CURVE_1 * CURVE_1 + 4.0 * CURVE_2 * (at - CURVE_0))
    return rated_cooling_kw * min((root - CURVE_1) / (2.0 * CURVE_2), 1.5)


@njit
def two_nodes(theta: Array, step: Array, inputs: Array) -> None:
    """The room over a quarter of an hour.

    Parameters
    ----------
    theta : Array, shape (9,)
        Parameters.
    step : Array, shape (2, 2)
        Written: air and mass after, from air and mass before.
    inputs : Array, shape (2, 4)
        Written: effect of 1 C outdoors, 1 kW/m2 of sun, 1 kW to the air, somebody at home.
    """
    c_air, c_mass = math.exp(theta[C_AIR]), math.exp(theta[C_MASS])
    k_ao, k_am, k_mo = math.exp(theta[K_AIR_OUT]), math.exp(theta[K_AIR_MASS]), math.exp(theta[K_MASS_OUT])
    halvings = 7
    h = HOURS / 2**halvings
    a00, a01 = 1.0 - h * (k_ao + k_am) / c_air, h * k_am / c_air
    a10, a11 = h * k_am / c_mass, 1.0 - h * (k_mo + k_am) / c_mass
    u_air, u_mass, v_air, v_mass, w_air, w_mass = h * k_ao / c_air, h * k_mo / c_mass, 0.0, 0.0, h / c_air, 0.0
    v_mass = h * math.exp(theta[SUN_M2]) / c_mass
    for _ in range(halvings):
        u_air, u_mass = u_air + a00 * u_air + a01 * u_mass, u_mass + a10 * u_air + a11 * u_mass
        v_air, v_mass = v_air + a00 * v_air + a01 * v_mass, v_mass + a10 * v_air + a11 * v_mass
        w_air, w_mass = w_air + a00 * w_air + a01 * w_mass, w_mass + a10 * w_air + a11 * w_mass
        a00, a01, a10, a11 = (
            a00 * a00 + a01 * a10,
            a00 * a01 + a01 * a11,
            a10 * a00 + a11 * a10,
            a10 * a01 + a11 * a11,
        )
    step[0, 0], step[0, 1], step[1, 0], step[1, 1] = a00, a01, a10, a11
    inputs[0, 0], inputs[1, 0], inputs[0, 1], inputs[1, 1] = u_air, u_mass, v_air, v_mass
    inputs[0, 2], inputs[1, 2] = w_air, w_mass
    people_kw = math.exp(theta[OCCUPANTS])
    inputs[0, 3], inputs[1, 3] = w_air * people_kw, w_mass * people_kw


@njit
def errors(
    theta: Array, room_c: Array, outdoor_c: Array, sun_kw_m2: Array, heat_kw: Array, occupied: Array, step: Array,
    inputs: Array, out: Array,
) -> None:  # fmt: skip
    """Errors of the observer's prediction at each quarter. [K]  NaN of the thermometer: no error."""
    two_nodes(theta, step, inputs)
    scale = math.exp(theta[HEATING])
    air, mass = room_c[0], room_c[0]
    out[0] = 0.0
    for k in range(room_c.shape[0] - 1):
        q = theta[GAIN] + (scale * heat_kw[k] if heat_kw[k] > 0.0 else heat_kw[k])
        o, s, n = outdoor_c[k], sun_kw_m2[k], occupied[k]
        after = step[0, 0] * air + step[0, 1] * mass
        after += inputs[0, 0] * o + inputs[0, 1] * s + inputs[0, 2] * q + inputs[0, 3] * n
        mass = step[1, 0] * air + step[1, 1] * mass
        mass += inputs[1, 0] * o + inputs[1, 1] * s + inputs[1, 2] * q + inputs[1, 3] * n
        air = after
        error = room_c[k + 1] - air
        if error != error:
            error = 0.0
        out[k + 1] = error
        air += OBSERVER_AIR * error
        mass += OBSERVER_MASS * error


@njit
def _loss(out: Array, theta: Array, prior: Array, width: Array) -> float:
    total = 0.0
    for k in range(out.shape[0]):
        e = abs(out[k]) / ERROR_K
        total += 0.5 * e * e if e < 1.0 else e - 0.5
    total *= 0.1  # neighbouring errors are one another's: a tenth of them count; assumed
    for p in range(PARAMETERS):
        total += 0.5 * ((theta[p] - prior[p]) / width[p]) ** 2
    return total


@njit
def fit(
    theta: Array, prior: Array, width: Array, room_c: Array, outdoor_c: Array, sun_kw_m2: Array, heat_kw: Array,
    occupied: Array, iterations: int,
) -> float:  # fmt: skip
    """Improve ``theta`` in place by Levenberg-Marquardt; the loss reached."""
    n = room_c.shape[0]
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    base, other = np.empty(n), np.empty(n)
    slopes = np.empty((PARAMETERS, n))
    trial = np.empty(PARAMETERS)
    damping = 0.1
    errors(theta, room_c, outdoor_c, sun_kw_m2, heat_kw, occupied, step, inputs, base)
    best = _loss(base, theta, prior, width)
    for _ in range(iterations):
        for p in range(PARAMETERS):
            for q in range(PARAMETERS):
                trial[q] = theta[q]
            trial[p] += 1e-4
            errors(trial, room_c, outdoor_c, sun_kw_m2, heat_kw, occupied, step, inputs, other)
            for k in range(n):
                slopes[p, k] = (other[k] - base[k]) / 1e-4
        normal = np.zeros((PARAMETERS, PARAMETERS))
        right = np.zeros(PARAMETERS)
        for k in range(n):
            weight = 0.1 / (ERROR_K * max(abs(base[k]), ERROR_K))
            for p in range(PARAMETERS):
                right[p] -= weight * slopes[p, k] * base[k]
                for q in range(p + 1):
                    normal[p, q] += weight * slopes[p, k] * slopes[q, k]
        for p in range(PARAMETERS):
            for q in range(p):
                normal[q, p] = normal[p, q]
            normal[p, p] += 1.0 / (width[p] * width[p])
            right[p] -= (theta[p] - prior[p]) / (width[p] * width[p])
        for _try in range(3):
            damped = normal.copy()
            for p in range(PARAMETERS):
                damped[p, p] *= 1.0 + damping
            move = np.linalg.solve(damped, right)
            for p in range(PARAMETERS):
                trial[p] = theta[p] + min(max(move[p], -0.7), 0.7)
            errors(trial, room_c, outdoor_c, sun_kw_m2, heat_kw, occupied, step, inputs, other)
            loss = _loss(other, trial, prior, width)
            if loss < best:
                best = loss
                for p in range(PARAMETERS):
                    theta[p] = trial[p]
                for k in range(n):
                    base[k] = other[k]
                damping = max(damping * 0.2, 1e-4)
                break
            damping *= 5.0
    return best


@njit
def follow(
    theta: Array, state: Array, room_c: Array, outdoor_c: Array, sun_kw_m2: Array, heat_kw: Array, occupied: Array
) -> None:
    """Bring air, mass and unexplained heat of each home from a quarter ago to now; ``state`` has the shape (n, 3)."""
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    for i in range(room_c.shape[0]):
        two_nodes(theta[i], step, inputs)
        q = heat_kw[i] if heat_kw[i] <= 0.0 else math.exp(theta[i, HEATING]) * heat_kw[i]
        q += theta[i, GAIN] + state[i, 2]
        air, mass = state[i, 0], state[i, 1]
        u = inputs[:, 0] * outdoor_c[i] + inputs[:, 1] * sun_kw_m2[i] + inputs[:, 2] * q + inputs[:, 3] * occupied[i]
        state[i, 0] = step[0, 0] * air + step[0, 1] * mass + u[0]
        state[i, 1] = step[1, 0] * air + step[1, 1] * mass + u[1]
        state[i, 2] *= HEAT_ERROR_KEPT
        error = room_c[i] - state[i, 0]
        if error == error:
            error = min(max(error, -2.0), 2.0)
            state[i, 0] += FILTER_AIR * error
            state[i, 1] += FILTER_MASS * error
            state[i, 2] = min(max(state[i, 2] + FILTER_HEAT_KW * error, -1.0), 1.0)


@njit
def plan(
    due: Array, theta: Array, state: Array, rated_cooling_kw: Array, heats: Array, outdoor_c: Array, sun_kw_m2: Array,
    chance: Array, price: Array, weight: Array, low_c: Array, high_c: Array, heat_kw: Array, felt_c: Array,
    most_kw: Array, iterations: int,
) -> None:  # fmt: skip
    """The cheapest heat for each home that is due, and the air at the end of each quarter under it."""
    quarters = price.shape[1]
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    decay, gain, reach, start = np.empty(2), np.empty(2), np.empty(2), np.empty(2)
    push, worth = np.empty((quarters, 2)), np.empty((quarters, 2))
    level, price_kw, weight_k, most = np.empty(quarters), np.empty(quarters), np.empty(quarters), np.empty(quarters)
    slopes = np.empty((quarters, POINTS))
    loads, powers = np.empty(9), np.empty(9)
    for i in range(due.shape[0]):
        if due[i] < 0.5:
            continue
        two_nodes(theta[i], step, inputs)
        # modes of a matrix of two: eigenvalues by its trace and determinant, vectors (step01, value - step00)
        half = 0.5 * (step[0, 0] + step[1, 1])
        root = math.sqrt(max(half * half - step[0, 0] * step[1, 1] + step[0, 1] * step[1, 0], 1e-12))
        decay[0], decay[1] = half + root, half - root
        v0, v1 = decay[0] - step[0, 0], decay[1] - step[0, 0]
        first = step[0, 1]
        det = first * (v1 - v0)
        # to modes: inverse of [[first, first], [v0, v1]]
        t00, t01, t10, t11 = v1 / det, -first / det, -v0 / det, first / det
        heating = heats[i] > 0.5
        scale = math.exp(theta[i, HEATING]) if heating else 1.0
        sign = scale if heating else -1.0
        gain[0] = sign * (t00 * inputs[0, 2] + t01 * inputs[1, 2])
        gain[1] = sign * (t10 * inputs[0, 2] + t11 * inputs[1, 2])
        reach[0], reach[1] = decay[0] * first, decay[1] * first  # the air at the end of the quarter
        start[0] = t00 * state[i, 0] + t01 * state[i, 1]
        start[1] = t10 * state[i, 0] + t11 * state[i, 1]
        rated = rated_cooling_kw[i]
        grid_kw = MOST_LOAD * rated / (POINTS - 1)
        extra = state[i, 2]
        for k in range(quarters):
            base = theta[i, GAIN] + extra
            extra *= HEAT_ERROR_KEPT
            air = inputs[0, 0] * outdoor_c[i, k] + inputs[0, 1] * sun_kw_m2[i, k] + inputs[0, 2] * base
            air += inputs[0, 3] * chance[i, k]
            mass = inputs[1, 0] * outdoor_c[i, k] + inputs[1, 1] * sun_kw_m2[i, k] + inputs[1, 2] * base
            mass += inputs[1, 3] * chance[i, k]
            push[k, 0], push[k, 1] = t00 * air + t01 * mass, t10 * air + t11 * mass
            level[k] = air
            price_kw[k] = price[i, k] * HOURS
            weight_k[k] = weight[i, k] * PRICE_OF_DISCOMFORT_KWH * HOURS
            most[k] = most_kw[i]
            if k % QUARTERS_PER_H == 0:
                full = rated_kw(rated, heating, outdoor_c[i, k])
                loads[0], powers[0] = 0.0, 0.0
                for j in range(8):
                    load = LEAST_LOAD + (MOST_LOAD - LEAST_LOAD) * j / 7.0
                    loads[j + 1] = rated * load
                    powers[j + 1] = full * (CURVE_0 + load * (CURVE_1 + load * CURVE_2))
                planning.convex_slopes(loads, powers, grid_kw, slopes[k])
            else:
                for j in range(POINTS):
                    slopes[k, j] = slopes[k - 1, j]
        planning.solve(
            decay, gain, reach, sign * inputs[0, 2], start, push, level, price_kw, slopes, grid_kw, most, weight_k,
            low_c[i], high_c[i], heat_kw[i], felt_c[i], worth, iterations,
        )  # fmt: skip


class Mpc:
    """Plans on a two-node room that it learns."""

    name = "mpc"

    def __init__(self, iterations: int = ITERATIONS) -> None:
        self.iterations = iterations

    def start(self, known: Known) -> None:
        """Forget everything and begin."""
        n = known.n
        self._known = known
        self._rated_kw = known.rated_cooling_w / 1e3
        per_m2 = np.array(PRIOR_PER_M2)
        rooms = np.outer(known.floor_m2, per_m2)
        rooms[:, HEATING] = 1.0
        self._prior = np.log(np.maximum(rooms, 1e-9))
        self._prior[:, GAIN] = 0.0
        self._width = np.array(PRIOR_WIDTH)
        self.theta = self._prior.copy()
        self._past = np.full((5, n, MEMORY), np.nan)  # room, outdoor, sun, heat, occupied
        self._count = 0
        self._state = np.zeros((n, 3))
        self._bias_k = np.zeros((2, n))  # of the setpoint against the room, in cooling and heating
        self._lacks_k = np.zeros(n)  # of the plan, now
        self._before: Seen | None = None
        self._heat_kw = np.full((n, QUARTERS_AHEAD), 0.3)
        self._felt_c = np.full((n, QUARTERS_AHEAD), 26.0)
        self._passed = np.zeros(n, dtype=np.int64)
        self._most_kw = MOST_LOAD * self._rated_kw

    def decide(self, seen: Seen) -> Orders:
        """Orders until the next decision."""
        n, quarter = self._known.n, seen.row // ROWS_PER_DECISION
        room_c = np.where(np.isfinite(seen.room_temperature_c), seen.room_temperature_c, seen.unit_temperature_c)
        before = self._before
        if before is None:
            self._state[:, 0] = self._state[:, 1] = room_c
            due = np.ones(n, dtype=np.bool_)
        else:
            self._learn(before, seen, room_c)
            due = (quarter % QUARTERS_PER_H == 0) | (seen.occupied != before.occupied)
            due |= (seen.heats != before.heats) | (before.held & ~seen.held)
            if quarter % QUARTERS_PER_DAY == 0 and self._count >= YOUNG:
                self._fit()
        self._before = seen
        self._passed = np.minimum(self._passed + 1, QUARTERS_AHEAD - 1)
        if due.any():
            self._plan(seen, due)
        homes = np.arange(n)
        felt_c = self._felt_c[homes, self._passed]
        soon = np.minimum(self._passed[:, np.newaxis] + np.arange(PATIENCE), QUARTERS_AHEAD - 1)
        heat_kw = self._heat_kw[homes[:, np.newaxis], soon].max(axis=1)
        bias_k = np.where(seen.heats, self._bias_k[1], self._bias_k[0])
        return Orders(
            on=heat_kw > LEAST_HEAT_RATIO * self._most_kw,
            heating=seen.heats.copy(),
            setpoint_c=felt_c + bias_k + PUSH * self._lacks_k,
            fan=np.zeros(n, dtype=np.int64),
        )

    def _learn(self, before: Seen, seen: Seen, room_c: Array) -> None:
        """Store the quarter that has passed, follow the state, and what the unit's setpoint came to."""
        outdoor_c = 0.5 * (before.outdoor_temperature_c + seen.outdoor_temperature_c)
        sun_kw_m2 = 0.5 * (before.solar_w_m2 + seen.solar_w_m2) / 1e3
        heat_kw = np.array(
            [
                heat_of_power(power_w / 1e3, rated, bool(heating), at_c) * (1.0 if heating else -1.0)
                for power_w, rated, heating, at_c in zip(
                    seen.power_w, self._rated_kw, seen.heating, outdoor_c, strict=True
                )
            ]
        )
        was_c = np.where(np.isfinite(before.room_temperature_c), before.room_temperature_c, before.unit_temperature_c)
        at = self._count % MEMORY
        for row, values in zip(self._past, (was_c, outdoor_c, sun_kw_m2, heat_kw, before.occupied), strict=True):
            row[:, at] = values
        self._count += 1
        follow(self.theta, self._state, room_c, outdoor_c, sun_kw_m2, heat_kw, before.occupied)
        self._correct(before, seen, room_c)

    def _correct(self, before: Seen, seen: Seen, room_c: Array) -> None:
        """Move the setpoint's offset by what the room lacks of the plan, faster where that is uncomfortable.

        The unit holds its own sensor, not the room, and rests or runs at its least within a band around the setpoint,
        so the offset cannot be read off one observation.
        """
        at = np.minimum(self._passed, QUARTERS_AHEAD - 1)
        homes = np.arange(self._known.n)
        aimed_c, next_c = self._felt_c[homes, at], self._felt_c[homes, np.minimum(at + 1, QUARTERS_AHEAD - 1)]
        self._lacks_k = np.clip(aimed_c - room_c, -1.0, 1.0)
        working = seen.on & before.on & ~seen.held & ~before.held & (np.abs(next_c - aimed_c) < STEADY_K)
        hurts = np.where(seen.heats, self._lacks_k > 0.0, self._lacks_k < 0.0)
        step_k = np.where(hurts, BIAS_FAST, BIAS_SLOW) * self._lacks_k
        for mode, heating in enumerate((False, True)):
            moved = np.clip(self._bias_k[mode] + step_k, -BIAS_MOST_K, BIAS_MOST_K)
            self._bias_k[mode] = np.where(working & (seen.heats == heating), moved, self._bias_k[mode])

    def _fit(self) -> None:
        """Fit every home to the last weeks, in order of time."""
        size = min(self._count, MEMORY)
        order = (np.arange(self._count - size, self._count)) % MEMORY
        iterations = 12 if self._count < YOUNG + 8 * QUARTERS_PER_DAY else 3
        for home in range(self._known.n):
            past = [np.ascontiguousarray(row[home, order]) for row in self._past]
            room_c, outdoor_c, sun_kw_m2, heat_kw, occupied = past
            fit(
                self.theta[home], self._prior[home], self._width, room_c, outdoor_c, sun_kw_m2, heat_kw, occupied,
                iterations,
            )  # fmt: skip

    def _plan(self, seen: Seen, due: BoolArray) -> None:
        for home in np.flatnonzero(due):
            by = int(self._passed[home])
            self._heat_kw[home, : QUARTERS_AHEAD - by] = self._heat_kw[home, by:].copy()
        self._passed[due] = 0
        by_quarter = np.repeat(np.arange(24), QUARTERS_PER_H)
        chance = chance_ahead(seen.occupied, seen.presence_ahead)
        plan(
            due.astype(np.float64), self.theta, self._state, self._rated_kw, seen.heats.astype(np.float64),
            seen.outdoor_ahead_c[:, by_quarter], seen.solar_ahead_w_m2[:, by_quarter] / 1e3, chance,
            seen.price_ahead / self._known.mean_price[:, np.newaxis], weight_ahead(chance),
            seen.low_ahead_c, seen.high_ahead_c,
            self._heat_kw, self._felt_c, self._most_kw, self.iterations,
        )  # fmt: skip
