"""The correction of one room in its plain form: what ``models.correction`` does for many rooms at once."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.words import Mode
from models.correction import (
    _CHANNELS,
    _HEAT,
    _HOUR_TURNS,
    _OF_LSTM,
    _OUTDOOR,
    _REGRESSORS,
    _SAMPLE,
    _SUN,
    _TEMPERATURE,
    AHEAD,
    DAY,
    EXPERTS,
    FACTOR_LIMITS,
    FITS,
    HALF_LIFE_SLOTS,
    LAGS,
    LARGEST_CHANGE_K,
    LEAST_ERROR_K,
    LEAST_SAMPLES,
    LEAST_SCALE,
    MEMORY_H,
    MISSED_RATIO,
    NINETY,
    PRIOR_RATIO,
    PRIOR_SLOTS,
    QUANTILE_RATE,
    REFIT_SLOTS,
    RING,
    SHARPNESS,
    SLOTS_OF_A_READING,
)
from models.readings import SLOT_S
from models.words import HORIZONS_S, Outlook, RoomMoment

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


class OneRoom:
    """What one room taught."""

    def __init__(self) -> None:
        horizons, experts = len(HORIZONS_S), len(EXPERTS)
        self.shift_k: Array = np.zeros(horizons)  # to be added to the network's temperatures
        self._slot: int | None = None  # newest
        self._age = 0  # slots since the first reading
        self._whole = 0  # slots since a hole of more than a day
        self._signals = np.zeros((_CHANNELS, DAY + 1))  # of the slots of the last day, oldest first
        self._known = np.zeros(_CHANNELS, dtype=np.bool_)
        # by slot modulo RING; NaN where there was no reading or nothing was expected
        self._room_c = np.full(RING, np.nan)
        self._samples = np.full((RING, _SAMPLE), np.nan, dtype=np.float32)
        self._expected_c = np.full((RING, horizons, experts + 1), np.nan)  # by experts, and corrected
        self._spread_k = np.full((RING, horizons), np.nan)
        self._gram = np.zeros((horizons, _SAMPLE, _SAMPLE))  # sum of x x'
        self._moment = np.zeros((horizons, _SAMPLE))  # sum of x y
        self._weights: Array | None = None  # (_SAMPLE, horizons times FITS)
        self._waiting = 0  # slots since samples were last taken in
        self._judged = np.zeros((horizons, experts))  # discounted slots in which an expert was judged; 0: not begun
        self._error_k = np.zeros((horizons, experts))  # discounted sum of absolute errors in them
        self._factor = np.full(horizons, NINETY)

    # --- one step ---

    def due(self, moment: RoomMoment) -> bool:
        """Whether a new quarter of an hour has begun."""
        return self._slot is None or _slot_of(moment) > self._slot

    def step(self, moment: RoomMoment, learned: Outlook, physical: Outlook | None = None) -> None:
        """Judge what was expected for now, learn from it, and correct the network's outlook from here on.

        Parameters
        ----------
        moment : RoomMoment
            A moment of a new quarter of an hour; without a reading of the room only time passes.
        learned, physical : Outlook
            What the network and the two-node model say now.
        """
        if moment.room_temperature_c is None:
            return
        room_c, slot = moment.room_temperature_c, _slot_of(moment)
        passed = RING if self._slot is None else slot - self._slot
        if self._waiting + passed > min(max(self._age // 8, REFIT_SLOTS[0]), REFIT_SLOTS[1]):
            self._fit()
        self._advance(moment, passed)
        self._judge(room_c, passed)
        learned_k = np.array(learned.temperature_c) - room_c
        spread_k = np.array(learned.spread_k)
        yesterday_k = self._signals[_TEMPERATURE, AHEAD] - room_c
        sample = self._sample(moment, learned_k, yesterday_k)
        if not self._judged.any():
            self._judged[:] = PRIOR_SLOTS[:, np.newaxis]
            self._error_k = self._judged * spread_k[:, np.newaxis] * PRIOR_RATIO
        expected_k = np.empty((len(HORIZONS_S), len(EXPERTS) + 1))
        expected_k[:, 0], expected_k[:, 1], expected_k[:, 2] = learned_k, 0.0, yesterday_k
        expected_k[:, 3] = np.nan if physical is None else np.array(physical.temperature_c) - room_c
        expected_k[:, -1 - len(FITS) : -1] = learned_k[:, np.newaxis]
        if self._weights is not None:
            fitted_k = (sample @ self._weights).reshape(-1, len(FITS))
            expected_k[:, -1 - len(FITS) : -1] = np.clip(fitted_k, -LARGEST_CHANGE_K, LARGEST_CHANGE_K)
        shares = self._shares(expected_k[:, :-1])
        corrected_k = np.sum(shares * np.where(shares > 0.0, expected_k[:, :-1], 0.0), axis=1)
        expected_k[:, -1] = corrected_k
        self.shift_k = corrected_k - learned_k
        here = slot % RING
        self._expected_c[here] = room_c + expected_k
        self._spread_k[here] = spread_k
        if self._whole >= DAY or self._whole == self._age:  # after a gap yesterday is not known, at first it never is
            self._samples[here] = sample

    def apply(self, outlook: Outlook) -> Outlook:
        """An outlook of the network as this room corrects it; for any plan."""
        temperature_c = np.array(outlook.temperature_c) + self.shift_k
        spread_k = np.array(outlook.spread_k) * (self._factor / NINETY)
        return replace(outlook, temperature_c=tuple(temperature_c.tolist()), spread_k=tuple(spread_k.tolist()))

    # --- time ---

    def _advance(self, moment: RoomMoment, passed: int) -> None:
        """Bring the last day up to the moment's slot, ``passed`` slots after the newest."""
        newest = (moment.room_temperature_c, moment.outdoor_temperature_c, moment.solar_w_m2, _heat_kw(moment))
        known = np.array([value is not None for value in newest])
        values = np.where(known, [0.0 if value is None else value for value in newest], self._signals[:, -1])
        first = known & ~self._known
        self._known |= known
        if not self._known[_OUTDOOR]:
            values[_OUTDOOR] = values[_TEMPERATURE]
        if passed > DAY:  # nothing is left of the last day
            self._signals[:] = values[:, np.newaxis]
            self._whole = 0
        else:  # what lies between two readings is taken as a straight line
            share = np.arange(1, passed + 1) / passed
            between = self._signals[:, -1:] + share * (values - self._signals[:, -1])[:, np.newaxis]
            self._signals[:, :-passed] = self._signals[:, passed:].copy()
            self._signals[:, -passed:] = between
            self._signals[first] = values[first, np.newaxis]
            self._whole += passed
            self._age += passed
        slot = _slot_of(moment)
        skipped = (slot - np.arange(min(passed, RING))) % RING
        for kept in (self._room_c, self._samples, self._expected_c, self._spread_k):
            kept[skipped] = np.nan
        self._room_c[slot % RING] = values[_TEMPERATURE]
        self._waiting = min(self._waiting + passed, RING - DAY)
        self._slot = slot

    # --- learning ---

    def _judge(self, room_c: float, passed: int) -> None:
        """Hold the experts and the spread to what they said of now."""
        assert self._slot is not None
        then, horizons = (self._slot - AHEAD) % RING, np.arange(len(HORIZONS_S))
        above_k = room_c - self._expected_c[then, horizons]
        known = np.isfinite(above_k)
        slots = min(passed, SLOTS_OF_A_READING)
        keep = np.exp(-passed * SLOT_S / 3600.0 / MEMORY_H)[:, np.newaxis]
        keep = np.where(known, keep, 1.0)
        self._judged = keep[:, :-1] * self._judged + slots * known[:, :-1]
        self._error_k = keep[:, :-1] * self._error_k + slots * np.abs(np.where(known, above_k, 0.0))[:, :-1]
        beyond = np.abs(above_k[:, -1]) > self._factor * self._spread_k[then, horizons]
        rate = np.where(known[:, -1], slots * QUANTILE_RATE, 0.0)
        self._factor = np.clip(self._factor * np.exp(rate * (beyond - MISSED_RATIO)), *FACTOR_LIMITS)

    def _take_in(self) -> None:
        """Add the samples whose target came since the last time."""
        if self._slot is None:
            return
        faded = 0.5 ** (self._waiting / HALF_LIFE_SLOTS)
        self._gram *= faded
        self._moment *= faded
        came = self._slot - np.arange(self._waiting)
        self._waiting = 0
        for horizon, ahead in enumerate(AHEAD):
            made = (came - ahead) % RING
            change_k = self._room_c[came % RING] - self._room_c[made]
            usable = np.isfinite(change_k) & np.isfinite(self._samples[made, 0])
            samples, change_k = self._samples[made[usable]].astype(np.float64), change_k[usable]
            self._gram[horizon] += samples.T @ samples
            self._moment[horizon] += samples.T @ change_k

    def _fit(self) -> None:
        """Solve the ridges of all horizons."""
        self._take_in()
        count = self._gram[:, 0, 0]
        able = np.flatnonzero(count >= LEAST_SAMPLES)
        weights = np.zeros((_SAMPLE, len(HORIZONS_S), len(FITS)))
        horizons = np.arange(len(HORIZONS_S))
        weights[_OF_LSTM + horizons, horizons] = 1.0  # what cannot be fitted yet says what the network says
        self._weights = weights.reshape(_SAMPLE, -1)  # a view
        if not able.size:
            return
        count = count[able, np.newaxis]
        mean = self._gram[able, 0, 1:] / count
        covariance = self._gram[able, 1:, 1:] / count[:, :, np.newaxis] - mean[:, :, np.newaxis] * mean[:, np.newaxis]
        scale = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0)) + LEAST_SCALE
        mean_y = self._moment[able, :1] / count
        with_y = self._moment[able, 1:] / count - mean * mean_y
        rows, lstm = np.arange(able.size), _OF_LSTM - 1 + able
        normal = covariance / (scale[:, :, np.newaxis] * scale[:, np.newaxis])
        slopes = np.zeros((*mean.shape, len(FITS)))
        for place, (regressors, shrinkage, to_network) in enumerate(FITS.values()):
            used = _REGRESSORS[regressors]
            target = with_y - covariance[rows, :, lstm] if to_network else with_y
            shrunk = normal[:, used[:, np.newaxis], used] + shrinkage * np.eye(used.size)
            solved = np.linalg.solve(shrunk, (target / scale)[:, used, np.newaxis])[..., 0]
            slopes[:, used, place] = solved / scale[:, used]
            slopes[rows, lstm, place] += float(to_network)
        weights[:, able] = 0.0
        weights[1:, able] = slopes.transpose(1, 0, 2)
        weights[0, able] = mean_y - np.einsum("hc,hcr->hr", mean, slopes)

    def _shares(self, expected_k: Array) -> Array:
        """How much each expert counts at each horizon; rows sum to 1."""
        error_k = self._error_k / self._judged + LEAST_ERROR_K
        weight = np.where(np.isfinite(expected_k), (error_k / error_k.min(axis=1, keepdims=True)) ** -SHARPNESS, 0.0)
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def _sample(self, moment: RoomMoment, learned_k: Array, yesterday_k: Array) -> Floats:
        """What the ridges read; differences in K, sun in kW/m2, unit and heat in kW."""
        now = self._signals[:, -1]
        sums = np.concatenate([np.zeros((_CHANNELS, 1)), np.cumsum(self._signals, axis=1)], axis=1)
        ends = DAY - np.array((0, *LAGS))  # sums up to these
        lagged = -np.diff(sums[:, ends], axis=1) / -np.diff(ends)
        lagged -= np.array([now[0], now[1], 0.0, 0.0])[:, np.newaxis]
        lagged[_SUN] *= 1e-3
        angle = moment.local_hour * _HOUR_TURNS
        outdoor_k = _ahead(moment.outdoor_forecast_c, now[_OUTDOOR]) - now[_OUTDOOR]
        sun = 1e-3 * _ahead(moment.solar_forecast_w_m2, now[_SUN])
        slices = 1 + np.array((0, *AHEAD))  # of yesterday, from this time of day on
        heat_kw = np.diff(sums[_HEAT, slices]) / np.diff(slices)
        return np.concatenate(
            [
                [1.0],
                learned_k,
                yesterday_k,
                [now[_OUTDOOR] - now[_TEMPERATURE], 1e-3 * now[_SUN], now[_HEAT]],
                lagged.ravel(),
                np.sin(angle),
                np.cos(angle),
                outdoor_k[1:],
                sun[1:],
                heat_kw[1:],
            ],
            dtype=np.float32,
        )


def _slot_of(moment: RoomMoment) -> int:
    return int(moment.at.timestamp() // SLOT_S)


def _heat_kw(moment: RoomMoment) -> float | None:
    """Power of the unit, negative while it cools, and heat from elsewhere. [kW]"""
    if moment.power_w is None and moment.heat_w is None:
        return None
    unit_w = (moment.power_w or 0.0) * (1.0 if moment.mode is Mode.HEAT else -1.0)
    return 1e-3 * (unit_w + (moment.heat_w or 0.0))


def _ahead(values: tuple[float | None, ...], now: float) -> Array:
    return np.array([now if value is None else value for value in values], dtype=np.float64)
