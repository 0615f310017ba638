"""What the hours ahead cost for every setpoint now: dynamic programming on a room's learned answer.

Where nobody knows when people come and go, a plan is a rule for every case: for each quarter of an hour, room
temperature, temperature of the mass and whether somebody is home, the setpoint with the least expected

    J = kWh + weight * K.h outside the edge while somebody is home

to the end of the horizon, by Bellman's recursion from its end. Temperatures are seen from the edge that is defended,
positive beyond it, so that heating is the mirror image of cooling; heat is counted positive towards comfort. Presence
is a chain of two states whose flows follow the forecast of presence: what raises it are returns, what lowers it are
departures, and besides those people go out and come back at any time.

A setpoint holds the room where the unit can: the air at the end of the quarter is the setpoint, but neither beyond
what the unit can do nor on the near side of where the room goes by itself.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from control.response import CURVE, QUARTER_H, QUARTER_S, Ahead, Coefficients, Response, power_ratio

Array = NDArray[np.float64]

HORIZON = 40  # quarters of an hour
KEPT = 4  # of them whose costs are kept: until the next plan
PERIOD = timedelta(seconds=KEPT * QUARTER_S)
# beyond the edge [K]: where the room may be, and where it may be sent; fine where it matters
ROOM_K = np.array([-4, -3, -2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20], float)
SETPOINT_K = np.array([0, -0.25, -0.5, -1, -2, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 11], float)
OFF_K = 1e3
MASS_K = np.array([-4.0, 3.0, 14.0])
USUAL_CHURN, CHURNS = 0.05, (0.01, 0.25)  # rate, per quarter, at which what is not as usual becomes so; and bounds
CHURN_WEIGHT = 20.0  # of the usual rate, in quarters of an hour that were not as usual; assumed
CHURN_KEPT = 0.5 ** (1.0 / (28 * 96))  # of what was counted, per quarter
SURE = 0.02  # presence is never surer than this


@dataclass(frozen=True, slots=True)
class Plan:
    """Expected costs of the first quarters of an hour; ``cost(...)`` reads them."""

    heating: bool
    edge_c: float
    _ahead: Ahead
    _fitted: Coefficients
    _response: Response
    _values: Array  # (KEPT + 1, 2, room, mass): expected cost from the beginning of each quarter on; away, home
    _flows: tuple[Array, Array]  # returns and departures of each quarter
    _weight: float

    def cost(self, quarter: int, room_c: float, mass_c: float, home: bool, setpoints_c: Array) -> Array:
        """Expected J from a quarter on under each setpoint; infinite heat or cold means off. [kWh]"""
        sign = -1.0 if self.heating else 1.0
        room_k, mass_k = sign * (room_c - self.edge_c), sign * (mass_c - self.edge_c)
        setpoints_k = np.clip(sign * (setpoints_c - self.edge_c), -OFF_K, OFF_K)
        step = _Step(self._fitted, self._response, self._ahead, self.heating, self.edge_c)
        after_k, used_kwh = step.move(quarter, np.array([room_k]), np.array([mass_k]), setpoints_k)
        mass_after_k = mass_k + self._fitted.mass_share * (room_k - mass_k)
        i, share = _place(MASS_K, np.array(mass_after_k))
        values = (1.0 - share) * self._values[quarter + 1, :, :, i] + share * self._values[quarter + 1, :, :, i + 1]
        away, present = (_read(values[state], after_k[0]) for state in (0, 1))
        returns, leaves = self._flows[0][quarter], self._flows[1][quarter]
        if not home:
            return np.asarray(used_kwh[0] + returns * present + (1.0 - returns) * away)
        felt_kh = 0.5 * QUARTER_H * (np.maximum(room_k, 0.0) + np.maximum(after_k[0], 0.0))
        return np.asarray(used_kwh[0] + self._weight * felt_kh + leaves * away + (1.0 - leaves) * present)


def make(
    response: Response,
    ahead: Ahead,
    flows: tuple[Array, Array],
    stays: float,
    edge_c: float,
    heating: bool,
    weight: float,
) -> Plan:
    """Plan the quarters of an hour of ``ahead``.

    Parameters
    ----------
    flows : pair of Array, shape (quarters,) each
        Of ``Coming.flows``.
    stays : float
        Chance that somebody is home at the end.
    weight : float
        Of a K.h. [kWh]
    """
    fitted = response.coefficients
    assert fitted is not None
    step = _Step(fitted, response, ahead, heating, edge_c)
    returns, leaves = flows
    rooms, masses = (cells.ravel() for cells in np.meshgrid(ROOM_K, MASS_K, indexing="ij"))
    mass, mass_share = _place(MASS_K, masses + fitted.mass_share * (rooms - masses))
    first = ROOM_K.size * np.arange(rooms.size)[:, np.newaxis]  # of each cell's line in the flat table of what follows
    setpoints_k = np.concatenate([SETPOINT_K, [OFF_K]])
    value = np.stack([stays * step.debt(rooms, masses)] * 2)  # (2, cells); away, home
    kept = np.empty((KEPT + 1, 2, ROOM_K.size, MASS_K.size))
    felt = 0.5 * QUARTER_H * weight
    for quarter in range(ahead.push_k.size - 1, -1, -1):
        by_mass = value.reshape(2, ROOM_K.size, MASS_K.size).swapaxes(1, 2)
        if quarter < KEPT:
            kept[quarter + 1] = by_mass.swapaxes(1, 2)
        low, high = by_mass[:, mass], by_mass[:, mass + 1]
        then = (low + mass_share[:, np.newaxis] * (high - low)).reshape(2, -1)  # by cell and room after
        after_k, used_kwh = step.move(quarter, rooms, masses, setpoints_k)
        place, share = _place_room(after_k)
        low, high = then.take(first + place, axis=1), then.take(first + place + 1, axis=1)
        away, home = low + share * (high - low)
        gain = home - away
        out = used_kwh + away + returns[quarter] * gain
        at_home = used_kwh + felt * np.maximum(after_k, 0.0) + home - leaves[quarter] * gain
        value = np.stack([out.min(axis=1), at_home.min(axis=1) + felt * np.maximum(rooms, 0.0)])
    return Plan(heating, edge_c, ahead, fitted, response, kept, flows, weight)


class Coming:
    """How people come and go: as the forecast of presence says, and besides at a rate that is learned.

    While presence is not as usual it becomes so again at that rate: those away return at ``churn * chance``, those home
    leave at ``churn * (1 - chance)``. It is what returns and departures leave unexplained by the forecast's own rises
    and falls, over the quarters of an hour in which they could have happened.
    """

    def __init__(self) -> None:
        self._unexplained = 0.0
        self._exposed = 0.0

    @property
    def churn(self) -> float:
        """The rate, per quarter of an hour."""
        rate = (self._unexplained + CHURN_WEIGHT * USUAL_CHURN) / (self._exposed + CHURN_WEIGHT)
        return min(max(rate, CHURNS[0]), CHURNS[1])

    def learn(self, before: float, after: float, was_home: bool, is_home: bool) -> None:
        """Take in a quarter of an hour: the chance of presence at its beginning and end, and who was home."""
        sure, change = min(max(before, SURE), 1.0 - SURE), after - before
        expected = max(-change, 0.0) / sure if was_home else max(change, 0.0) / (1.0 - sure)
        self._unexplained = CHURN_KEPT * self._unexplained + float(was_home != is_home) - min(expected, 1.0)
        self._exposed = CHURN_KEPT * self._exposed + ((1.0 - sure) if was_home else sure)

    def flows(self, chance: Array) -> tuple[Array, Array]:
        """Share of those away who return, and of those home who leave, in each quarter; shape (quarters,) each."""
        sure = np.clip(chance, SURE, 1.0 - SURE)
        before, change = sure[:-1], np.diff(sure)
        returns = np.maximum(change, 0.0) / (1.0 - before) + self.churn * before
        leaves = np.maximum(-change, 0.0) / before + self.churn * (1.0 - before)
        return np.minimum(returns, 1.0), np.minimum(leaves, 1.0)


def free_c(fitted: Coefficients, ahead: Ahead) -> Array:
    """Where the room goes without its unit, at the end of each quarter. [°C]"""
    air_c, mass_c = ahead.room_c, ahead.mass_c
    out = np.empty(ahead.push_k.size)
    for k, (outdoor_c, push_k) in enumerate(zip(ahead.outdoor_c.tolist(), ahead.push_k.tolist(), strict=True)):
        change_k = fitted.mass * (mass_c - air_c) + fitted.outdoor * (outdoor_c - air_c) + push_k
        mass_c += fitted.mass_share * (air_c - mass_c)
        air_c += change_k
        out[k] = air_c
    return out


class _Step:
    """One quarter of an hour on a grid of rooms, seen from the edge."""

    def __init__(self, fitted: Coefficients, response: Response, ahead: Ahead, heating: bool, edge_c: float) -> None:
        sign = -1.0 if heating else 1.0
        self._fitted = fitted
        self._push_k = sign * (ahead.push_k + fitted.outdoor * (ahead.outdoor_c - edge_c))
        self._full_kw = response.rated_power_kw(ahead.outdoor_c, heating)
        self._rated_kw = response.rated_kw
        self._most_k = fitted.heat_k_per_kw * response.most_load[heating] * self._rated_kw

    def move(self, quarter: int, room_k: Array, mass_k: Array, setpoints_k: Array) -> tuple[Array, Array]:
        """The room after the quarter, and the electricity of its unit; shapes (cells, setpoints)."""
        fitted = self._fitted
        free_k = room_k + fitted.mass * (mass_k - room_k) - fitted.outdoor * room_k + self._push_k[quarter]
        free_k = free_k[..., np.newaxis]
        after_k = np.minimum(np.maximum(setpoints_k, free_k - self._most_k), free_k)
        load = (free_k - after_k) / (fitted.heat_k_per_kw * self._rated_kw)
        return after_k, power_ratio(load) * (self._full_kw[quarter] * QUARTER_H)

    def debt(self, room_k: Array, mass_k: Array) -> Array:
        """What it takes, about, to bring a room back to its edge after the last quarter. [kWh]"""
        fitted = self._fitted
        stored = np.maximum(room_k + fitted.mass / fitted.mass_share * mass_k, 0.0) / fitted.heat_k_per_kw
        per_kw = float(self._full_kw[-1]) / self._rated_kw * (CURVE[1] + CURVE[2])
        return np.asarray(stored * QUARTER_H * per_kw)


def _place(grid: Array, values: Array) -> tuple[NDArray[np.int64], Array]:
    """Between which points of a grid values lie, and how far; beyond its ends, at them."""
    i = np.clip(np.searchsorted(grid, values, side="right") - 1, 0, grid.size - 2)
    return i, np.clip((values - grid[i]) / (grid[i + 1] - grid[i]), 0.0, 1.0)


_FINE_K = 0.25  # a common divisor of the grid of rooms
_FINE = np.searchsorted(ROOM_K, np.arange(ROOM_K[0], ROOM_K[-1], _FINE_K), side="right") - 1
_WIDTH_K = np.diff(ROOM_K)


def _place_room(room_k: Array) -> tuple[NDArray[np.int64], Array]:
    """``_place`` on the grid of rooms, faster."""
    fine = ((room_k - ROOM_K[0]) * (1.0 / _FINE_K)).astype(np.int64)
    i = _FINE[np.minimum(np.maximum(fine, 0), _FINE.size - 1)]
    return i, np.minimum(np.maximum((room_k - ROOM_K[i]) / _WIDTH_K[i], 0.0), 1.0)


def _read(values: Array, room_k: Array) -> Array:
    i, share = _place(ROOM_K, room_k)
    return np.asarray(values[i] + share * (values[i + 1] - values[i]))
