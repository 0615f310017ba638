"""What the network does not know of its room, learned from the room itself: small, online, without torch.

Beside the network's outlook stand simple ones, judged on this room at every horizon as time goes on:

| name | what it expects of a horizon |
|---|---|
| lstm | what the network says |
| held | the room as it is now |
| yesterday | the room as it was a day before then |
| rc | what the two-node physics says, where there is one |
| ridge, ridge_strong | a linear model of the room's last day and of all of the above, shrunk a little or much |
| few, few_strong | the same of a few values: what network and yesterday say, now, and the hour |
| own, own_strong | the same without the network, and without what outdoors and sun were before now |
| lstm_ridge | as ridge, shrunk very much towards what the network says |

The corrected temperature is their mean, weighted by 1 / (recent mean absolute error)^SHARPNESS; the network is believed
until the others have shown better. What is added to the network's temperature (``shift_k``) does not depend on the
plan: a question "what if" is answered by the network's own difference. Spreads are scaled until 90 % of what comes lies
within 1.645 of them (multiplicative quantile tracking, as in I. Gibbs and E. Candes, "Adaptive conformal inference
under distribution shift", NeurIPS 2021).

Rooms lie side by side in arrays, so that a step of many takes as many calls as a step of one.
Time runs in slots of a quarter of an hour. A step costs the same however old the room is: one update of second
moments a slot, and now and then a small linear system. Constants were chosen on the first 70 % of the recorded homes
and on simulated rooms, never on what the benchmark scores.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from models.readings import SLOT_S, Readings, readings_of
from models.words import HORIZONS_S, Outlook, RoomMoment

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

DAY = 96  # slots
AHEAD = np.array(HORIZONS_S) // SLOT_S  # slots
LAGS = (1, 2, 4, 8, 16, 32, 64, 96)  # slots; between two of them a mean is taken
FITS = {  # of the linear models: regressors, shrinkage in units of their variance, towards the network or not
    "ridge": ("all", 0.1, False),
    "ridge_strong": ("all", 1.0, False),
    "few": ("few", 0.1, False),
    "few_strong": ("few", 1.0, False),
    "own": ("own", 0.1, False),
    "own_strong": ("own", 1.0, False),
    "lstm_ridge": ("all", 10.0, True),
}
EXPERTS = ("lstm", "held", "yesterday", "rc", *FITS)
SHARPNESS = 8.0
MEMORY_H = 48.0 + 4.0 * np.array(HORIZONS_S) / 3600.0  # over which errors are remembered
LEAST_ERROR_K = 0.005  # finer than readings are
PRIOR_SLOTS = 8.0 + AHEAD  # of judgements that the belief at the beginning is worth; it fades with the memory
PRIOR_RATIO = np.where(np.array(EXPERTS) == "lstm", 1.0, 2.0)  # errors believed at first, over the spread
SLOTS_OF_A_READING = 4  # at most: what a reading after a longer pause counts for
HALF_LIFE_SLOTS = 60 * DAY  # of samples: seasons pass
REFIT_SLOTS = (4, 48)  # at first and at last between two fits; in between an eighth of the room's age
RING = DAY + REFIT_SLOTS[1] + 1  # slots that are remembered: what a fit takes in may be waiting for its day's end
LEAST_SAMPLES = 8
LARGEST_CHANGE_K = 15.0  # of a linear model: an input that never came before must not carry a room away
NINETY = 1.645  # spreads within which 90 % of a normal error lie
MISSED_RATIO = 0.1
QUANTILE_RATE = 0.05 / np.cbrt(AHEAD)  # a judgement; errors a day ahead resemble each other for a day
FACTOR_LIMITS = (0.05 * NINETY, 8.0 * NINETY)
LEAST_SCALE = 1e-3  # of a regressor that hardly moves
NEVER = np.iinfo(np.int64).min  # slot of a room without a reading
FITTED_AT_ONCE = 16  # rooms: their matrices stay in the processor's cache

_TEMPERATURE, _OUTDOOR, _SUN, _HEAT = range(4)
_CHANNELS = 4
_PARTS = {  # of a sample, in this order: how many values each has
    "one": 1,
    "lstm": len(HORIZONS_S),
    "yesterday": len(HORIZONS_S),
    "now": 3,
    "room_before": len(LAGS),
    "outdoor_before": len(LAGS),
    "sun_before": len(LAGS),
    "heat_before": len(LAGS),
    "hour": 4,
    "outdoor_ahead": len(HORIZONS_S) - 1,
    "sun_ahead": len(HORIZONS_S) - 1,
    "heat_yesterday": len(HORIZONS_S) - 1,
}
_PART_OF = np.repeat(list(_PARTS), list(_PARTS.values()))  # which part a column belongs to
_SAMPLE = _PART_OF.size
_OF_LSTM = int(np.argmax(_PART_OF == "lstm"))
_REGRESSORS = {  # columns behind the constant one
    "all": np.arange(_SAMPLE - 1),
    "few": np.flatnonzero(np.isin(_PART_OF[1:], ("lstm", "yesterday", "now", "hour"))),
    "own": np.flatnonzero(~np.isin(_PART_OF[1:], ("lstm", "outdoor_before", "sun_before"))),
}
_HOUR_TURNS = 2.0 * np.pi / 24.0 * np.array([1.0, 2.0])


class Corrections:
    """What many rooms taught, side by side: each has a place, which its ``Correction`` holds."""

    # the first axis is the room's place
    shift_k: Array  # (rooms, horizons): to be added to the network's temperatures
    factor: Array  # (rooms, horizons): of the network's spreads, times NINETY
    _slot: Integers  # newest; NEVER
    _age: Integers  # slots since the first reading
    _whole: Integers  # slots since a hole of more than a day
    _waiting: Integers  # slots since samples were last taken in
    _signals: Array  # (rooms, channels, slots): of the last day, oldest first
    _known: NDArray[np.bool_]  # (rooms, channels)
    # by slot modulo RING; NaN where there was no reading or nothing was expected
    _room_c: Array
    _samples: Floats  # (rooms, RING, _SAMPLE)
    _expected_c: Array  # (rooms, RING, horizons, experts + 1): by experts, and corrected
    _spread_k: Array  # (rooms, RING, horizons)
    _gram: Array  # (rooms, horizons, _SAMPLE, _SAMPLE): sum of x x'
    _moment: Array  # (rooms, horizons, _SAMPLE): sum of x y
    _weights: Array  # (rooms, _SAMPLE, horizons times FITS)
    _judged: Array  # (rooms, horizons, experts): discounted slots in which an expert was judged; 0: not begun
    _error_k: Array  # (rooms, horizons, experts): discounted sum of absolute errors in them

    def __init__(self) -> None:
        vars(self).update(_blank(0))
        self._free: list[int] = []

    def take_place(self) -> int:
        """A place for a room that has taught nothing yet."""
        if not self._free:
            known = len(self._slot)
            more = max(1, known)
            for name, values in _blank(more).items():
                setattr(self, name, np.concatenate([getattr(self, name), values]))
            self._free = list(range(known + more - 1, known - 1, -1))
        return self._free.pop()

    def leave_place(self, place: int) -> None:
        """Forget a room; another may take its place."""
        for name, values in _blank(1).items():
            getattr(self, name)[place] = values[0]
        self._free.append(place)

    # --- one step ---

    def due(self, places: Integers, slot: Integers) -> NDArray[np.bool_]:
        """Whether a new quarter of an hour has begun in some rooms."""
        return np.asarray(slot > self._slot[places])

    def step(self, places: Integers, now: Readings, learned_c: Array, spread_k: Array, physical_c: Array) -> None:
        """Judge what was expected for now, learn from it, and correct the network's outlook from here on.

        Parameters
        ----------
        places : integers, shape (n,)
            Of rooms in which a new quarter of an hour has begun; without a reading of a room only time passes in it.
        learned_c, spread_k, physical_c : Array, shape (n, horizons)
            What the network and the two-node model say now; NaN where there is no such model.
        """
        read = np.isfinite(now.room_c)
        if not read.all():
            places, now = places[read], now.of(read)
            learned_c, spread_k, physical_c = learned_c[read], spread_k[read], physical_c[read]
        if not places.size:
            return
        passed = np.where(self._slot[places] == NEVER, RING, now.slot - self._slot[places])
        self._fit(places[self._waiting[places] + passed > np.clip(self._age[places] // 8, *REFIT_SLOTS)])
        for slots in np.unique(passed):
            same = passed == slots
            self._advance(places[same], now.of(same), int(slots))
        self._judge(places, now.room_c, passed)
        room_c = now.room_c[:, np.newaxis]
        learned_k = learned_c - room_c
        signals = self._signals[places]
        yesterday_k = signals[:, _TEMPERATURE, AHEAD] - room_c
        samples = _samples(now, signals, learned_k, yesterday_k)
        begins = places[~self._judged[places].any(axis=(1, 2))]
        self._judged[begins] = PRIOR_SLOTS[:, np.newaxis]
        fresh = np.isin(places, begins)
        self._error_k[begins] = self._judged[begins] * spread_k[fresh][:, :, np.newaxis] * PRIOR_RATIO
        expected_k = np.empty((places.size, len(HORIZONS_S), len(EXPERTS) + 1))
        expected_k[..., 0], expected_k[..., 1], expected_k[..., 2] = learned_k, 0.0, yesterday_k
        expected_k[..., 3] = physical_c - room_c
        fitted_k = (samples[:, np.newaxis].astype(np.float64) @ self._weights[places])[:, 0]
        fitted_k = fitted_k.reshape(places.size, len(HORIZONS_S), len(FITS))
        expected_k[..., -1 - len(FITS) : -1] = np.clip(fitted_k, -LARGEST_CHANGE_K, LARGEST_CHANGE_K)
        shares = self._shares(places, expected_k[..., :-1])
        corrected_k = np.sum(shares * np.where(shares > 0.0, expected_k[..., :-1], 0.0), axis=2)
        expected_k[..., -1] = corrected_k
        self.shift_k[places] = corrected_k - learned_k
        here = now.slot % RING
        self._expected_c[places, here] = room_c[:, np.newaxis] + expected_k
        self._spread_k[places, here] = spread_k
        # after a gap yesterday is not known, at first it never is
        whole = (self._whole[places] >= DAY) | (self._whole[places] == self._age[places])
        self._samples[places[whole], here[whole]] = samples[whole]

    # --- time ---

    def _advance(self, places: Integers, now: Readings, passed: int) -> None:
        """Bring the last day up to the moment's slot, ``passed`` slots after the newest, in all of some rooms."""
        newest = np.stack([now.room_c, now.outdoor_c, now.solar_w_m2, now.heat_kw], axis=1)
        known = np.isfinite(newest)
        signals = self._signals[places]
        values = np.where(known, newest, signals[:, :, -1])
        first = known & ~self._known[places]
        self._known[places] |= known
        dry = ~self._known[places, _OUTDOOR]
        values[dry, _OUTDOOR] = values[dry, _TEMPERATURE]
        if passed > DAY:  # nothing is left of the last day
            self._signals[places] = values[:, :, np.newaxis]
            self._whole[places] = 0
        else:  # what lies between two readings is taken as a straight line
            share = np.arange(1, passed + 1) / passed
            last = signals[:, :, -1:]
            between = last + share * (values[:, :, np.newaxis] - last)
            signals = np.concatenate([signals[:, :, passed:], between], axis=2)
            signals[first] = values[first][:, np.newaxis]
            self._signals[places] = signals
            self._whole[places] += passed
            self._age[places] += passed
        skipped = (now.slot[:, np.newaxis] - np.arange(min(passed, RING))) % RING
        for kept in (self._room_c, self._samples, self._expected_c, self._spread_k):
            kept[places[:, np.newaxis], skipped] = np.nan
        self._room_c[places, now.slot % RING] = values[:, _TEMPERATURE]
        self._waiting[places] = np.minimum(self._waiting[places] + passed, RING - DAY)
        self._slot[places] = now.slot

    # --- learning ---

    def _judge(self, places: Integers, room_c: Array, passed: Integers) -> None:
        """Hold the experts and the spread to what they said of now."""
        then = (self._slot[places][:, np.newaxis] - AHEAD) % RING
        rows, horizons = places[:, np.newaxis], np.arange(len(HORIZONS_S))
        above_k = room_c[:, np.newaxis, np.newaxis] - self._expected_c[rows, then, horizons]
        known = np.isfinite(above_k)
        slots = np.minimum(passed, SLOTS_OF_A_READING)[:, np.newaxis, np.newaxis]
        keep = np.exp(-passed[:, np.newaxis] * SLOT_S / 3600.0 / MEMORY_H)[:, :, np.newaxis]
        keep = np.where(known, keep, 1.0)[..., :-1]
        self._judged[places] = keep * self._judged[places] + slots * known[..., :-1]
        missed_k = np.abs(np.where(known, above_k, 0.0))[..., :-1]
        self._error_k[places] = keep * self._error_k[places] + slots * missed_k
        factor = self.factor[places]
        beyond = np.abs(above_k[..., -1]) > factor * self._spread_k[rows, then, horizons]
        rate = np.where(known[..., -1], slots[..., 0] * QUANTILE_RATE, 0.0)
        self.factor[places] = np.clip(factor * np.exp(rate * (beyond - MISSED_RATIO)), *FACTOR_LIMITS)

    def _take_in(self, place: int) -> None:
        """Add the samples of a room whose target came since the last time."""
        if self._slot[place] == NEVER:
            return
        waiting = int(self._waiting[place])
        faded = 0.5 ** (waiting / HALF_LIFE_SLOTS)
        self._gram[place] *= faded
        self._moment[place] *= faded
        came = self._slot[place] - np.arange(waiting)
        self._waiting[place] = 0
        made = (came - AHEAD[:, np.newaxis]) % RING
        change_k = self._room_c[place, came % RING] - self._room_c[place, made]
        usable = np.isfinite(change_k) & np.isfinite(self._samples[place, made, 0])
        for horizon in np.flatnonzero(usable.any(axis=1)):
            some = usable[horizon]
            samples = self._samples[place, made[horizon, some]].astype(np.float64)
            self._gram[place, horizon] += samples.T @ samples
            self._moment[place, horizon] += samples.T @ change_k[horizon, some]

    def _fit(self, places: Integers) -> None:
        """Solve the ridges of all horizons of some rooms."""
        for first in range(0, places.size, FITTED_AT_ONCE):
            self._fit_some(places[first : first + FITTED_AT_ONCE])

    def _fit_some(self, places: Integers) -> None:
        for place in places:
            self._take_in(int(place))
        weights = np.zeros((places.size, _SAMPLE, len(HORIZONS_S), len(FITS)))
        horizons = np.arange(len(HORIZONS_S))
        weights[:, _OF_LSTM + horizons, horizons] = 1.0  # what cannot be fitted yet says what the network says
        room, able = np.nonzero(self._gram[places, :, 0, 0] >= LEAST_SAMPLES)
        if room.size:
            intercepts, slopes = _ridges(self._gram[places[room], able], self._moment[places[room], able], able)
            weights[room, 0, able] = intercepts
            weights[room, 1:, able] = slopes
        self._weights[places] = weights.reshape(places.size, _SAMPLE, -1)

    def _shares(self, places: Integers, expected_k: Array) -> Array:
        """How much each expert counts at each horizon; rows sum to 1."""
        error_k = self._error_k[places] / self._judged[places] + LEAST_ERROR_K
        weight = np.where(np.isfinite(expected_k), (error_k / error_k.min(axis=2, keepdims=True)) ** -SHARPNESS, 0.0)
        return np.asarray(weight / weight.sum(axis=2, keepdims=True))

    # --- keeping ---

    def to_json(self, place: int) -> dict[str, object]:
        """What a room taught, as JSON can hold it; about 70 kB. The last day is not kept."""
        self._take_in(place)
        half = np.triu_indices(_SAMPLE)
        return {
            "version": 1,
            "samples": _SAMPLE,
            "age": int(self._age[place]),
            "gram": _packed(self._gram[place][:, half[0], half[1]]),
            "moment": _packed(self._moment[place]),
            "error_k": np.round(self._error_k[place], 4).tolist(),
            "judged": np.round(self._judged[place], 3).tolist(),
            "factor": np.round(self.factor[place], 4).tolist(),
        }

    def restore(self, place: int, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` kept of a room.

        Raises
        ------
        ValueError
            The values are not such a correction, or one of other samples.
        """
        try:
            if (values["version"], values["samples"]) != (1, _SAMPLE):
                raise ValueError("a correction of another version")
            half = np.triu_indices(_SAMPLE)
            upper = _unpacked(values["gram"], (len(HORIZONS_S), half[0].size))
            self._gram[place][:, half[0], half[1]] = upper
            self._gram[place][:, half[1], half[0]] = upper
            self._moment[place] = _unpacked(values["moment"], self._moment.shape[1:])
            for name, kept in (("error_k", self._error_k), ("judged", self._judged), ("factor", self.factor)):
                kept[place] = np.array(values[name], dtype=np.float64).reshape(kept.shape[1:])
            self._age[place] = int(values["age"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"not what a room taught: {error!r}") from error


class Correction:
    """What one room taught: its place among ``Corrections``, by default one of its own."""

    def __init__(self, among: Corrections | None = None) -> None:
        self.among = Corrections() if among is None else among
        self.place = self.among.take_place()
        finalize(self, self.among.leave_place, self.place).atexit = False

    @classmethod
    def from_json(cls, values: Mapping[str, Any], among: Corrections | None = None) -> "Correction":
        """The correction of ``to_json``; see ``Corrections.restore``."""
        found = cls(among)
        found.among.restore(found.place, values)
        return found

    def to_json(self) -> dict[str, object]:
        """See ``Corrections.to_json``."""
        return self.among.to_json(self.place)

    @property
    def shift_k(self) -> Array:
        """To be added to the network's temperatures, shape (horizons,)."""
        return np.asarray(self.among.shift_k[self.place])

    def due(self, moment: RoomMoment) -> bool:
        """Whether a new quarter of an hour has begun."""
        return bool(self.among.due(np.array([self.place]), readings_of([moment]).slot)[0])

    def step(self, moment: RoomMoment, learned: Outlook, physical: Outlook | None = None) -> None:
        """``Corrections.step`` of this room alone."""
        none = (np.nan,) * len(HORIZONS_S)
        outlooks = learned.temperature_c, learned.spread_k, none if physical is None else physical.temperature_c
        values = (np.array([one], dtype=np.float64) for one in outlooks)
        self.among.step(np.array([self.place]), readings_of([moment]), *values)

    def apply(self, outlook: Outlook) -> Outlook:
        """An outlook of the network as this room corrects it; for any plan."""
        temperature_c = np.array(outlook.temperature_c) + self.shift_k
        spread_k = np.array(outlook.spread_k) * (self.among.factor[self.place] / NINETY)
        return replace(outlook, temperature_c=tuple(temperature_c.tolist()), spread_k=tuple(spread_k.tolist()))


def _blank(rooms: int) -> dict[str, NDArray[Any]]:
    """The values of ``Corrections`` for rooms that have taught nothing."""
    horizons, experts = len(HORIZONS_S), len(EXPERTS)
    return {
        "shift_k": np.zeros((rooms, horizons)),
        "factor": np.full((rooms, horizons), NINETY),
        "_slot": np.full(rooms, NEVER),
        **{name: np.zeros(rooms, dtype=np.int64) for name in ("_age", "_whole", "_waiting")},
        "_signals": np.zeros((rooms, _CHANNELS, DAY + 1)),
        "_known": np.zeros((rooms, _CHANNELS), dtype=np.bool_),
        "_room_c": np.full((rooms, RING), np.nan),
        "_samples": np.full((rooms, RING, _SAMPLE), np.nan, dtype=np.float32),
        "_expected_c": np.full((rooms, RING, horizons, experts + 1), np.nan),
        "_spread_k": np.full((rooms, RING, horizons), np.nan),
        "_gram": np.zeros((rooms, horizons, _SAMPLE, _SAMPLE)),
        "_moment": np.zeros((rooms, horizons, _SAMPLE)),
        "_weights": np.zeros((rooms, _SAMPLE, horizons * len(FITS))),
        "_judged": np.zeros((rooms, horizons, experts)),
        "_error_k": np.zeros((rooms, horizons, experts)),
    }


def _samples(now: Readings, signals: Array, learned_k: Array, yesterday_k: Array) -> Floats:
    """What the ridges read, shape (n, _SAMPLE); differences in K, sun in kW/m2, unit and heat in kW."""
    newest = signals[:, :, -1]
    room_c, outdoor_c, sun, heat_kw = (newest[:, channel, np.newaxis] for channel in range(_CHANNELS))
    sums = np.zeros((*signals.shape[:2], signals.shape[2] + 1))
    np.cumsum(signals, axis=2, out=sums[:, :, 1:])
    ends = DAY - np.array((0, *LAGS))  # sums up to these
    lagged = -np.diff(sums[:, :, ends], axis=2) / -np.diff(ends)
    lagged[:, _TEMPERATURE] -= room_c
    lagged[:, _OUTDOOR] -= outdoor_c
    lagged[:, _SUN] *= 1e-3
    angle = now.local_hour[:, np.newaxis] * _HOUR_TURNS
    outdoor_ahead_c = np.where(np.isfinite(now.outdoor_ahead_c), now.outdoor_ahead_c, outdoor_c)
    sun_ahead = np.where(np.isfinite(now.solar_ahead_w_m2), now.solar_ahead_w_m2, sun)
    slices = 1 + np.array((0, *AHEAD))  # of yesterday, from this time of day on
    heat_ahead_kw = np.diff(sums[:, _HEAT, slices], axis=1) / np.diff(slices)
    return np.concatenate(
        [
            np.ones_like(room_c),
            learned_k,
            yesterday_k,
            outdoor_c - room_c,
            1e-3 * sun,
            heat_kw,
            lagged.reshape(len(lagged), -1),
            np.sin(angle),
            np.cos(angle),
            (outdoor_ahead_c - outdoor_c)[:, 1:],
            1e-3 * sun_ahead[:, 1:],
            heat_ahead_kw[:, 1:],
        ],
        axis=1,
        dtype=np.float32,
    )


def _ridges(gram: Array, moment: Array, horizon: Integers) -> tuple[Array, Array]:
    """Intercepts (n, FITS) and slopes (n, _SAMPLE - 1, FITS) of n pairs of a room and a horizon, from their sums."""
    count = gram[:, 0, :1]
    mean = gram[:, 0, 1:] / count
    covariance = gram[:, 1:, 1:] / count[:, :, np.newaxis] - mean[:, :, np.newaxis] * mean[:, np.newaxis]
    scale = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0)) + LEAST_SCALE
    mean_y = moment[:, :1] / count
    with_y = moment[:, 1:] / count - mean * mean_y
    rows, lstm = np.arange(len(gram)), _OF_LSTM - 1 + horizon
    without_network = with_y - covariance[rows, :, lstm]
    normal = covariance / (scale[:, :, np.newaxis] * scale[:, np.newaxis])
    slopes = np.zeros((*mean.shape, len(FITS)))
    for regressors, used in _REGRESSORS.items():
        some = normal if used.size == _SAMPLE - 1 else normal[:, used[:, np.newaxis], used]
        diagonal = np.arange(used.size)
        for place, (read, shrinkage, to_network) in enumerate(FITS.values()):
            if read != regressors:
                continue
            shrunk = some.copy()
            shrunk[:, diagonal, diagonal] += shrinkage
            target = without_network if to_network else with_y
            solved = np.linalg.solve(shrunk, (target / scale)[:, used, np.newaxis])[..., 0]
            slopes[:, used, place] = solved / scale[:, used]
            slopes[rows, lstm, place] += float(to_network)
    return mean_y - np.einsum("nc,ncr->nr", mean, slopes), slopes


def _packed(values: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")


def _unpacked(text: str, shape: tuple[int, ...]) -> Floats:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(shape).astype(np.float32)
