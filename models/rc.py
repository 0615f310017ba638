"""The physics that stands in where the learned predictor does worse: two nodes, fitted to one room by least squares.

    dT/dt   = a (T_o - T) + b (T_m - T) + c S + d u + e p + g
    dT_m/dt = (T - T_m) / tau

T is the room's reading, T_m the mass behind it, S the sun on the horizontal [kW/m2], u the unit's electric power
[kW], negative while it cools, p presence 0..1. For each tau of a short list the rest is a linear problem with
coefficients that cannot be negative; the tau that predicts best without seeing the readings in between wins. The plan
ahead is met by a unit that holds its setpoint as far as its largest power goes.

Usage::

    model = fit(moments)  # some days of one room, oldest first
    outlook = model.follow(moment).outlook(moment)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.words import Mode
from models.words import HORIZONS_S, Outlook, RoomMoment

Array = NDArray[np.float64]

NODE_S = 900.0  # readings are rounded: rates over shorter times are mostly noise
LONGEST_GAP_S = 3600.0
LEAST_HISTORY_S = 86_400.0
MASS_TIMES_H = (3.0, 6.0, 12.0, 24.0, 48.0)
JUDGED_S = (3600, 21_600)
UNMETERED_KW = 0.7  # of a running unit whose power nobody reports; assumed
LEAST_SPREAD_K = 0.15
FITTED_TO_MISSED = 1.3  # errors on the data of the fit are smaller than those to come; assumed
RIDGE = 1e-3


class NotEnoughHistory(ValueError):
    """The room has not been watched long enough, or not what matters."""


@dataclass(frozen=True, slots=True)
class RcModel:
    """A fitted room and where its mass stands now. Rates are per hour."""

    outdoor_per_h: float  # a
    mass_per_h: float  # b
    sun_k_per_h: float  # c, per kW/m2
    unit_k_per_h: float  # d, per kW
    presence_k_per_h: float  # e
    drift_k_per_h: float  # g
    mass_time_h: float  # tau
    offset_k: float  # reading less setpoint while the unit holds it
    largest_kw: float
    spread_k: tuple[float, ...]  # one value per ``HORIZONS_S``
    room_c: float  # last reading followed
    mass_c: float

    def follow(self, moment: RoomMoment) -> "RcModel":
        """The model after one more step of its room."""
        room_c = self.room_c if moment.room_temperature_c is None else moment.room_temperature_c
        share = 1.0 - float(np.exp(-moment.step_s / 3600.0 / self.mass_time_h))
        return replace(self, room_c=room_c, mass_c=self.mass_c + share * (room_c - self.mass_c))

    def outlook(self, moment: RoomMoment, unit_kw: Sequence[float] | None = None) -> Outlook:
        """What the room does under the plan and forecast of ``moment``, in steps of 15 minutes.

        A forecast that is missing is taken as it is now, outdoors that nobody knows as the room itself.

        Parameters
        ----------
        unit_kw : sequence of float, optional
            Signed power of the unit up to each horizon from the one before, where it follows no setpoint. [kW]
        """
        dt_h = NODE_S / 3600.0
        sign = 1.0 if moment.mode is Mode.HEAT else -1.0
        room_c, mass_c, energy_kwh, elapsed_s = self.room_c, self.mass_c, 0.0, 0.0
        temperatures, energies = [], []
        for i, horizon_s in enumerate(HORIZONS_S):
            outdoor_c = _first(moment.outdoor_forecast_c[i], moment.outdoor_temperature_c, room_c)
            sun = _first(moment.solar_forecast_w_m2[i], moment.solar_w_m2, 0.0) / 1e3
            presence = _first(moment.occupied, 0.5)
            planned_c = moment.planned_setpoint_c[i]
            while elapsed_s < horizon_s:
                rate = self._free_rate(room_c, mass_c, outdoor_c, sun, presence)
                power_kw = 0.0 if unit_kw is None else sign * unit_kw[i]
                if unit_kw is None and planned_c is not None and self.unit_k_per_h > 0.0:
                    missing_k = planned_c + self.offset_k - room_c - dt_h * rate
                    power_kw = min(max(sign * missing_k / (dt_h * self.unit_k_per_h), 0.0), self.largest_kw)
                mass_c += dt_h / self.mass_time_h * (room_c - mass_c)
                room_c += dt_h * (rate + self.unit_k_per_h * sign * power_kw)
                energy_kwh += power_kw * dt_h
                elapsed_s += NODE_S
            temperatures.append(room_c)
            energies.append(energy_kwh)
        return Outlook(HORIZONS_S, tuple(temperatures), self.spread_k, tuple(energies))

    def to_json(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {**asdict(self), "spread_k": list(self.spread_k)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RcModel":
        """The model of ``to_json``.

        Raises
        ------
        ValueError
            The values are not such a model.
        """
        try:
            return cls(**{**values, "spread_k": tuple(values["spread_k"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a fitted room: {error}") from error

    def _free_rate(self, room_c: float, mass_c: float, outdoor_c: float, sun: float, presence: float) -> float:
        return (
            self.outdoor_per_h * (outdoor_c - room_c)
            + self.mass_per_h * (mass_c - room_c)
            + self.sun_k_per_h * sun
            + self.presence_k_per_h * presence
            + self.drift_k_per_h
        )


@dataclass(frozen=True, slots=True)
class _Series:
    """A room at nodes about 15 minutes apart; inputs are means of the time up to the next node, shape (nodes - 1,)."""

    room_c: Array  # (nodes,)
    dt_h: Array
    outdoor_c: Array
    sun: Array
    unit_kw: Array  # signed
    presence: Array
    joined: NDArray[np.bool_]  # no gap in between


def fit(history: Sequence[RoomMoment]) -> RcModel:
    """Fit a room to what it did, oldest moment first.

    Raises
    ------
    NotEnoughHistory
        Less than a day of joined readings, or no outdoor temperature at all.
    """
    series = _series(history)
    watched_s = 3600.0 * float(series.dt_h[series.joined].sum())
    if watched_s < LEAST_HISTORY_S:
        raise NotEnoughHistory(f"expected {LEAST_HISTORY_S / 3600:.0f} h of readings, got {watched_s / 3600:.1f} h")
    node_s = 3600.0 * float(np.median(series.dt_h[series.joined]))
    candidates = []

    def error_k(mass_c: Array, coefficients: Array, mass_time_h: float, horizon_s: float) -> float:
        nodes = max(1, round(horizon_s / node_s))
        return _open_loop_error_k(series, mass_c, coefficients, mass_time_h, nodes)

    for mass_time_h in MASS_TIMES_H:
        mass_c = _mass(series, mass_time_h)
        coefficients = _coefficients(series, mass_c)
        errors_k = [error_k(mass_c, coefficients, mass_time_h, horizon_s) for horizon_s in JUDGED_S]
        candidates.append((float(np.mean(errors_k)), mass_time_h, coefficients, mass_c))
    _, mass_time_h, coefficients, mass_c = min(candidates, key=lambda candidate: candidate[0])
    spread_k = tuple(
        max(LEAST_SPREAD_K, FITTED_TO_MISSED * error_k(mass_c, coefficients, mass_time_h, horizon_s))
        for horizon_s in HORIZONS_S
    )
    a, b, c, d, e, g = (float(value) for value in coefficients)
    powers = np.abs(series.unit_kw[series.unit_kw != 0.0])
    return RcModel(
        outdoor_per_h=a,
        mass_per_h=b,
        sun_k_per_h=c,
        unit_k_per_h=d,
        presence_k_per_h=e,
        drift_k_per_h=g,
        mass_time_h=mass_time_h,
        offset_k=_offset_k(history),
        largest_kw=float(np.percentile(powers, 98)) if powers.size else UNMETERED_KW,
        spread_k=spread_k,
        room_c=float(series.room_c[-1]),
        mass_c=float(mass_c[-1]),
    )


def _series(history: Sequence[RoomMoment]) -> _Series:
    outdoor_known = [moment.outdoor_temperature_c for moment in history if moment.outdoor_temperature_c is not None]
    nodes = [moment for moment in history if moment.room_temperature_c is not None]
    if len(nodes) < 2 or not outdoor_known:
        raise NotEnoughHistory("expected readings of the room and of outdoors, got none")
    metered = any(moment.power_w is not None for moment in history)
    room_c = [_first(nodes[0].room_temperature_c)]
    rows: list[tuple[float, ...]] = []
    outdoor_c, since_s = outdoor_known[0], 0.0
    sums = np.zeros(4)
    widest_s, before = 0.0, history[0].at
    for moment in history[1:]:
        passed_s = (moment.at - before).total_seconds()
        before = moment.at
        outdoor_c = _first(moment.outdoor_temperature_c, outdoor_c)
        sun = _first(moment.solar_w_m2, 0.0) / 1e3
        inputs = (outdoor_c, sun, _signed_kw(moment, metered), _first(moment.occupied, 0.5))
        sums += passed_s * np.array(inputs)
        since_s, widest_s = since_s + passed_s, max(widest_s, passed_s)
        if since_s >= NODE_S and moment.room_temperature_c is not None:
            rows.append((since_s / 3600.0, *(sums / since_s), float(widest_s <= LONGEST_GAP_S)))
            room_c.append(moment.room_temperature_c)
            sums, since_s, widest_s = np.zeros(4), 0.0, 0.0
    table = np.array(rows).reshape(-1, 6)
    dt_h, outdoor, sun_kw, unit_kw, presence, joined = table.T
    return _Series(np.array(room_c), dt_h, outdoor, sun_kw, unit_kw, presence, joined > 0.5)


def _signed_kw(moment: RoomMoment, metered: bool) -> float:
    if not moment.on or moment.mode not in (Mode.COOL, Mode.DRY, Mode.HEAT):
        return 0.0
    size_kw = _first(moment.power_w, 0.0) / 1e3 if metered else UNMETERED_KW
    return size_kw if moment.mode is Mode.HEAT else -size_kw


def _mass(series: _Series, mass_time_h: float) -> Array:
    """The mass behind the readings, at each node."""
    shares = 1.0 - np.exp(-series.dt_h / mass_time_h)
    mass_c = np.empty_like(series.room_c)
    mass_c[0] = series.room_c[0]
    for k, share in enumerate(shares):
        mass_c[k + 1] = mass_c[k] + share * (series.room_c[k] - mass_c[k])
    return mass_c


def _coefficients(series: _Series, mass_c: Array) -> Array:
    """a, b, c, d, e, g by least squares; those of the first five that come out negative are left out."""
    room_c = series.room_c[:-1]
    regressors = np.stack(
        [
            series.outdoor_c - room_c,
            mass_c[:-1] - room_c,
            series.sun,
            series.unit_kw,
            series.presence,
            np.ones_like(room_c),
        ],
        axis=1,
    )[series.joined]
    rates = (np.diff(series.room_c) / series.dt_h)[series.joined]
    kept = list(range(6))
    while True:
        some = regressors[:, kept]
        solution = np.linalg.solve(some.T @ some + RIDGE * np.eye(len(kept)), some.T @ rates)
        negative = [(value, name) for value, name in zip(solution, kept, strict=True) if value < 0.0 and name != 5]
        if not negative:
            break
        kept.remove(min(negative)[1])
    coefficients = np.zeros(6)
    coefficients[kept] = solution
    return coefficients


def _open_loop_error_k(series: _Series, mass_c: Array, coefficients: Array, mass_time_h: float, nodes: int) -> float:
    """Root mean square error ``nodes`` steps ahead, with the inputs that came and none of the readings between."""
    a, b, c, d, e, g = coefficients
    starts = np.arange(series.dt_h.size - nodes + 1)
    breaks = np.concatenate([[0], np.cumsum(~series.joined)])
    starts = starts[breaks[starts + nodes] == breaks[starts]]
    if starts.size == 0:
        return float(np.std(series.room_c))
    room_c, mass = series.room_c[starts], mass_c[starts]
    for k in range(nodes):
        at = starts + k
        rate = a * (series.outdoor_c[at] - room_c) + b * (mass - room_c) + c * series.sun[at]
        rate = rate + d * series.unit_kw[at] + e * series.presence[at] + g
        mass = mass + series.dt_h[at] / mass_time_h * (room_c - mass)
        room_c = room_c + series.dt_h[at] * rate
    return float(np.sqrt(np.mean((room_c - series.room_c[starts + nodes]) ** 2)))


def _offset_k(history: Sequence[RoomMoment]) -> float:
    """Median of reading less setpoint while the unit is at its setpoint, more or less."""
    gaps_k = [
        moment.room_temperature_c - moment.setpoint_c
        for moment in history
        if moment.on and moment.room_temperature_c is not None and moment.setpoint_c is not None
    ]
    near_k = [gap_k for gap_k in gaps_k if abs(gap_k) < 3.0]
    return float(np.median(near_k)) if near_k else 0.0


def _first(*values: float | None) -> float:
    """The first that is known."""
    return next(value for value in values if value is not None)
