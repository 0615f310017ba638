"""How a room answers to weather and unit, learned on the way by least squares, for plans by quarters of an hour.

    T[k+1] - T[k] = a (T_o - T) + b (T_m - T) + d q + s . (sun, sun lagged) + h . (hour of the day) + e occupied + g
    T_m[k+1] - T_m[k] = (1 - exp(-15 min / tau)) (T - T_m)

T is the room's reading and T_m the mass behind it. The sun on the horizontal is given also by where it stands, as it
shines on walls to the south and to the east; it acts at once and through ``SUN_LAG_H``. The heat q of the unit [kW,
negative while it cools] follows from its electricity by the curve of an ordinary inverter unit, whose scale d absorbs::

    P = P_rated(T_o) (c_0 + c_1 s + c_2 s^2),   s = q / q_rated

Over a gap in the record mass and lagged sun go towards the mean of what was read before and after it.

The mass's tau is the one of a short list that predicts best. ``models.rc`` is the plainer sibling that the service
shows as its outlook; it takes heat as in line with electricity, which a plan of when to run must not.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

QUARTER_S, QUARTER_H = 900.0, 0.25
QUARTERS_PER_DAY = 96
MEMORY_DAYS = 21
LEAST_QUARTERS = 3 * QUARTERS_PER_DAY  # watched before a room's answer is believed
MASS_TIMES_H = (2.0, 4.0, 8.0, 16.0)
SUN_LAG_H = 2.0
LOWEST_SUN = 0.2  # added to the sine of the sun's height where it shines on walls
RIDGE = 1e-2
JUDGED_QUARTERS = 8  # ahead, for which the mass's time is chosen
SURPRISE_KEPT = 0.9  # of what the last quarters did against the model, per quarter
SURPRISE_SHARE = 0.3  # by which a quarter's error moves it
LEAST_GAIN = 0.02  # of d: K per quarter and kW
MOST_STANDBY_KW = 0.05  # of a unit that rests; what always takes more never stopped
REFIT_S = 86_400.0

# An ordinary inverter unit, as in ``benchmarks.savings.mpc``: shape of power over load, and what a degree outdoors does
CURVE = (0.06, 0.44, 0.50)
COOLING_COP, HEATING_COP = 3.5, 3.6
COOLING_PER_K, HEATING_PER_K = 0.025, 0.015  # away from 35 and 7 °C
LEAST_LOAD, USUAL_MOST_LOAD = 0.2, 1.15


@dataclass(frozen=True, slots=True)
class QuarterHour:
    """What a room did in a quarter of an hour."""

    start_s: float  # since 1970
    room_c: float  # at its beginning
    room_after_c: float  # at its end
    outdoor_c: float
    solar_w_m2: float
    occupied: float
    power_kw: float
    heating: bool  # what the unit was there for


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is believed of the quarters of an hour to come, shape (quarters,) each, and where the room stands."""

    outdoor_c: Array
    push_k: Array  # what everything but air, mass, outdoors and unit does to the room in each quarter
    room_c: float
    mass_c: float


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A fitted room, per quarter of an hour."""

    mass_time_h: float
    mass: float  # b
    outdoor: float  # a
    heat_k_per_kw: float  # d
    rest: Array  # of ``_drives``

    @property
    def mass_share(self) -> float:
        """How far the mass follows the air in a quarter."""
        return 1.0 - math.exp(-QUARTER_H / self.mass_time_h)


class Response:
    """Learns one room."""

    def __init__(self, latitude: float, longitude: float, rated_cooling_w: float) -> None:
        self._place = (latitude, longitude)
        self._rated_kw = rated_cooling_w / 1e3
        self._past: deque[QuarterHour] = deque(maxlen=MEMORY_DAYS * QUARTERS_PER_DAY)
        self.coefficients: Coefficients | None = None
        self.standby_kw = 0.0
        self.most_load = {False: USUAL_MOST_LOAD, True: USUAL_MOST_LOAD}  # by whether it heats
        self._mass_c = {tau_h: float("nan") for tau_h in MASS_TIMES_H}
        self._lagged = np.zeros(3)  # sun
        self._surprise_k = 0.0
        self._fitted_s = -math.inf  # since 1970: the quarter after which it was fitted last

    def learn(self, quarter: QuarterHour) -> None:
        """Take in a quarter of an hour, later than those before, and fit anew once a day."""
        if self._past:
            self._pass_gap(self._past[-1], quarter)
        if self.coefficients is not None:
            expected_k = self._step_k(self.coefficients, quarter)
            error_k = quarter.room_after_c - quarter.room_c - expected_k
            self._surprise_k = SURPRISE_KEPT * self._surprise_k + SURPRISE_SHARE * (error_k - self._surprise_k)
        for tau_h, mass_c in self._mass_c.items():
            before_c = quarter.room_c if math.isnan(mass_c) else mass_c
            self._mass_c[tau_h] = before_c + (1.0 - math.exp(-QUARTER_H / tau_h)) * (quarter.room_c - before_c)
        sun = _suns(np.array([quarter.solar_w_m2]), np.array([quarter.start_s]), *self._place)[:, 0]
        self._lagged += (1.0 - math.exp(-QUARTER_H / SUN_LAG_H)) * (sun - self._lagged)
        self._past.append(quarter)
        if len(self._past) >= LEAST_QUARTERS and quarter.start_s - self._fitted_s >= REFIT_S:
            self._fit()
            self._fitted_s = quarter.start_s

    def _pass_gap(self, before: QuarterHour, after: QuarterHour) -> None:
        """Let the time between two quarters pass that do not follow each other."""
        gap_h = float(_gaps_h(np.array([before.start_s, after.start_s]))[1])
        if gap_h == 0.0:
            return
        room_c = 0.5 * (before.room_c + after.room_c)
        self._mass_c = {tau_h: _towards(room_c, mass_c, gap_h, tau_h) for tau_h, mass_c in self._mass_c.items()}
        solar_w_m2 = np.array([before.solar_w_m2, after.solar_w_m2])
        sun = _suns(solar_w_m2, np.array([before.start_s, after.start_s]), *self._place).mean(axis=1)
        self._lagged = sun + (self._lagged - sun) * math.exp(-gap_h / SUN_LAG_H)
        self._surprise_k *= SURPRISE_KEPT ** (gap_h / QUARTER_H)

    def ahead(self, now_s: float, room_c: float, outdoor_c: Array, solar_w_m2: Array, occupied: Array) -> Ahead:
        """What comes, by the forecasts of as many quarters of an hour.

        Raises
        ------
        ValueError
            The room has not been watched long enough (``coefficients`` is None).
        """
        if self.coefficients is None:
            raise ValueError("the room has not been watched long enough")
        start_s = now_s + QUARTER_S * np.arange(outdoor_c.size, dtype=np.float64)
        drives = _drives(start_s, solar_w_m2, occupied, self._lagged, *self._place)
        surprise_k = self._surprise_k * SURPRISE_KEPT ** np.arange(outdoor_c.size)
        push_k = drives @ self.coefficients.rest + surprise_k
        return Ahead(outdoor_c, push_k, room_c, self.mass_c)

    def rated_power_kw(self, outdoor_c: Array, heating: bool) -> Array:
        """Electricity at rated capacity."""
        if heating:
            return self._rated_kw / HEATING_COP * np.maximum(1.0 - HEATING_PER_K * (outdoor_c - 7.0), 0.5)
        return self._rated_kw / COOLING_COP * np.maximum(1.0 + COOLING_PER_K * (outdoor_c - 35.0), 0.4)

    @property
    def mass_c(self) -> float:
        """Where the mass stands now."""
        assert self.coefficients is not None
        return self._mass_c[self.coefficients.mass_time_h]

    @property
    def rated_kw(self) -> float:
        """Heat at a load of 1."""
        return self._rated_kw

    def _step_k(self, fitted: Coefficients, quarter: QuarterHour) -> float:
        mass_c = self._mass_c[fitted.mass_time_h]
        drives = _drives(
            np.array([quarter.start_s]),
            np.array([quarter.solar_w_m2]),
            np.array([quarter.occupied]),
            self._lagged,
            *self._place,
        )[0]
        heat_kw = self._heat_kw([quarter])[0]
        return float(
            fitted.mass * (mass_c - quarter.room_c)
            + fitted.outdoor * (quarter.outdoor_c - quarter.room_c)
            + fitted.heat_k_per_kw * heat_kw
            + drives @ fitted.rest
        )

    def _heat_kw(self, quarters: list[QuarterHour]) -> Array:
        """Signed heat of the unit, by its electricity."""
        power_kw = np.array([quarter.power_kw for quarter in quarters])
        outdoor_c = np.array([quarter.outdoor_c for quarter in quarters])
        heating = np.array([quarter.heating for quarter in quarters])
        full_kw = np.where(heating, self.rated_power_kw(outdoor_c, True), self.rated_power_kw(outdoor_c, False))
        load = load_of(np.maximum(power_kw - self.standby_kw, 0.0) / full_kw)
        return np.asarray(np.where(heating, load, -load) * self._rated_kw)

    def _fit(self) -> None:
        past = list(self._past)
        power_kw = np.array([quarter.power_kw for quarter in past])
        least_kw = float(np.quantile(power_kw, 0.02))
        self.standby_kw = least_kw if least_kw <= MOST_STANDBY_KW else self.standby_kw
        heat_kw = self._heat_kw(past)
        self._learn_most_load(heat_kw)
        room_c = np.array([quarter.room_c for quarter in past])
        change_k = np.array([quarter.room_after_c for quarter in past]) - room_c
        columns = np.array([(q.start_s, q.solar_w_m2, q.occupied, q.outdoor_c) for q in past])
        start_s, solar_w_m2, occupied, outdoor_c = columns.T
        drives = _drives(start_s, solar_w_m2, occupied, np.zeros(3), *self._place)
        best: tuple[float, Coefficients] | None = None
        for tau_h in MASS_TIMES_H:
            mass_c = _lag(room_c, start_s, tau_h, float(room_c[0]))
            matrix = np.column_stack([mass_c - room_c, outdoor_c - room_c, heat_kw, drives])
            fitted = _least_squares(matrix, change_k)
            found = Coefficients(tau_h, float(fitted[0]), float(fitted[1]), float(fitted[2]), fitted[3:])
            error_k = _error_k(found, start_s, room_c, mass_c, outdoor_c, heat_kw, drives)
            if best is None or error_k < best[0]:
                best = error_k, found
        assert best is not None
        if best[1].heat_k_per_kw >= LEAST_GAIN:
            self.coefficients = best[1]

    def _learn_most_load(self, heat_kw: Array) -> None:
        for heating in (False, True):
            loads = np.abs(heat_kw[heat_kw > 0.0] if heating else heat_kw[heat_kw < 0.0]) / self._rated_kw
            if np.sum(loads > 0.8) > 8:
                self.most_load[heating] = float(np.clip(np.quantile(loads[loads > 0.8], 0.9), 0.8, 1.5))


def load_of(power_ratio: Array) -> Array:
    """Load of an ordinary unit by its power over that at rated capacity; in line below the least load."""
    least = CURVE[0] + LEAST_LOAD * (CURVE[1] + LEAST_LOAD * CURVE[2])
    root = np.sqrt(CURVE[1] ** 2 + 4.0 * CURVE[2] * np.maximum(power_ratio - CURVE[0], 0.0))
    above = np.minimum((root - CURVE[1]) / (2.0 * CURVE[2]), 1.5)
    return np.where(power_ratio < least, LEAST_LOAD * power_ratio / least, above)


def power_ratio(load: Array) -> Array:
    """The inverse of ``load_of``."""
    least = CURVE[0] + LEAST_LOAD * (CURVE[1] + LEAST_LOAD * CURVE[2])
    return np.where(load < LEAST_LOAD, least * load / LEAST_LOAD, CURVE[0] + load * (CURVE[1] + load * CURVE[2]))


def _least_squares(matrix: Array, change_k: Array) -> Array:
    """Coefficients with a little ridge; those of mass, outdoors and unit are left out where they come out negative."""
    kept = list(range(matrix.shape[1]))
    while True:
        some = matrix[:, kept]
        solution = np.linalg.solve(some.T @ some + RIDGE * np.eye(len(kept)), some.T @ change_k)
        negative = [(value, name) for value, name in zip(solution, kept, strict=True) if name < 3 and value < 0.0]
        if not negative:
            break
        kept.remove(min(negative)[1])
    full = np.zeros(matrix.shape[1])
    full[kept] = solution
    return full


def _error_k(
    fitted: Coefficients, start_s: Array, room_c: Array, mass_c: Array, outdoor_c: Array, heat_kw: Array, drives: Array
) -> float:
    """Root mean square error ``JUDGED_QUARTERS`` ahead without the readings between; infinite where none follow."""
    seams = np.cumsum(_gaps_h(start_s) > 0.0)
    starts = np.flatnonzero(seams[JUDGED_QUARTERS:] == seams[:-JUDGED_QUARTERS])
    if not starts.size:
        return math.inf
    push_k = fitted.heat_k_per_kw * heat_kw + drives @ fitted.rest
    air_c, behind_c = room_c[starts], mass_c[starts]
    for k in range(JUDGED_QUARTERS):
        at = starts + k
        change_k = fitted.mass * (behind_c - air_c) + fitted.outdoor * (outdoor_c[at] - air_c) + push_k[at]
        behind_c = behind_c + fitted.mass_share * (air_c - behind_c)
        air_c = air_c + change_k
    return float(np.sqrt(np.mean((air_c - room_c[starts + JUDGED_QUARTERS]) ** 2)))


def _drives(
    start_s: Array, solar_w_m2: Array, occupied: Array, lagged: Array, latitude: float, longitude: float
) -> Array:
    """What acts on a room from outside its own state, one column each; shape (quarters, 12)."""
    sun = _suns(solar_w_m2, start_s, latitude, longitude)
    angle = 2.0 * np.pi * (start_s / 86_400.0 + longitude / 360.0)
    behind = [_lag(one, start_s, SUN_LAG_H, before) for one, before in zip(sun, lagged, strict=True)]
    hours = [np.cos(angle), np.sin(angle), np.cos(2.0 * angle), np.sin(2.0 * angle)]
    return np.column_stack([*sun, *behind, *hours, occupied, np.ones(start_s.size)])


def _suns(solar_w_m2: Array, start_s: Array, latitude: float, longitude: float) -> Array:
    """Sun on the horizontal, and by how far south and east it stands; shape (3, quarters). [kW/m2]

    The sun's place by the declination of P. Cooper (Solar Energy 12, 1969); within about a degree and 16 minutes.
    """
    at_s = start_s + QUARTER_S / 2.0
    day = (at_s / 86_400.0) % 365.25 + 1.0  # of the year, within a day: 1970 began at midnight
    declination = np.radians(23.45) * np.sin(2.0 * np.pi * (284.0 + day) / 365.25)
    angle = 2.0 * np.pi * (at_s / 86_400.0 + longitude / 360.0 - 0.5)
    phi = np.radians(latitude)
    up = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    east = -np.cos(declination) * np.sin(angle)
    south = np.sin(phi) * np.cos(declination) * np.cos(angle) - np.cos(phi) * np.sin(declination)
    sun = solar_w_m2 / 1e3
    across = sun / (np.maximum(up, 0.0) + LOWEST_SUN)
    return np.array([sun, across * south, across * east])


def _lag(values: Array, start_s: Array, tau_h: float, start: float) -> Array:
    """What follows ``values`` with a time constant, at the beginning of each quarter."""
    share = 1.0 - math.exp(-QUARTER_H / tau_h)
    out = np.empty_like(values)
    level, before = start, start
    for k, (value, gap_h) in enumerate(zip(values.tolist(), _gaps_h(start_s).tolist(), strict=True)):
        if gap_h > 0.0:
            level = _towards(0.5 * (before + value), level, gap_h, tau_h)
        out[k] = level
        level += share * (value - level)
        before = value
    return out


def _gaps_h(start_s: Array) -> Array:
    """How long nothing was recorded before each quarter; 0 for less than another quarter."""
    gap_s = np.diff(start_s, prepend=start_s[0] - QUARTER_S) - QUARTER_S
    return np.where(gap_s >= QUARTER_S - 1.0, gap_s / 3600.0, 0.0)


def _towards(to: float, level: float, hours: float, tau_h: float) -> float:
    return to + (level - to) * math.exp(-hours / tau_h)
