"""What people and simple rules do, and the rule that a learned policy has to beat.

| controller | what it does |
|---|---|
| conventional | the household itself (``runner.Conventional``) |
| fixed | 26 C when it is warm, 20 C when it is cold, for ever |
| when_home | the same, off while nobody is home |
| clock | the same by a program of the week, made from who was home in the first four weeks |
| precool | the learned edge while somebody is home, off when not, on a while before the forecast return |
| pid | as precool, but the setpoint follows the room thermometer until the room is at the edge |

``precool`` and ``pid`` switch the unit off while the room is well inside the edge by itself, as in mild weather: a unit
that idles in heating on a warm day keeps windows shut, and people press its remote control in vain.

``precool`` holds the edge in the room, not at the unit's own sensor: a household that sees its room colder than it
asked for sets the unit accordingly. Without that it would hold a temperature that nobody asked for.

26 and 20 C are the State Council's bounds for public buildings, which homes are advised to keep to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.runner import Conventional
from benchmarks.savings.scoring import PRICE_OF_DISCOMFORT_KWH
from benchmarks.savings.words import DECISION_S, ROWS_PER_DECISION, Array, BoolArray, Known, Orders, Seen
from control.presence import LIKELY

__all__ = ["Clock", "Conventional", "Fixed", "Pid", "Precool", "WhenHome", "choose"]

COOLING_C, HEATING_C = 26.0, 20.0
QUARTER_H = DECISION_S / 3600.0
QUARTERS_PER_DAY = 96
PERIOD_QUARTERS = 28 * QUARTERS_PER_DAY  # a "month" of the rule: four weeks, chosen on the four before
LEADS_H = (0.5, 1.0, 1.5, 2.0)
MARGINS_K = (0.0, 0.25, 0.5)
FIRST_LEAD_H, FIRST_MARGIN_K = 1.0, 0.25  # until there are four weeks to choose on
REST_K, WAKE_K = 1.5, 0.5  # inside what is aimed at
STEADY_K = 1.5  # of what is aimed at: a room further away is on its way
OFFSET_SHARE = 0.05  # of what the room lacks, each quarter
GREATEST_OFFSET_K = 3.0
FRONTIER = tuple((1.0, margin_k) for margin_k in (-4.0, -2.5, -1.5, -0.75, 1.0))  # for energy at equal discomfort only
PAIRS = (*((lead_h, margin_k) for lead_h in LEADS_H for margin_k in MARGINS_K), *FRONTIER)
CHOICES, VARIANTS = len(LEADS_H) * len(MARGINS_K), len(PAIRS)


def orders(on: BoolArray, heating: BoolArray, setpoint_c: Array) -> Orders:
    """Orders with the fan left to the unit."""
    return Orders(on=on, heating=heating, setpoint_c=setpoint_c, fan=np.zeros(on.size, dtype=np.int64))


def comfort_setpoint_c(heats: BoolArray) -> Array:
    """What homes are advised to set."""
    return np.where(heats, HEATING_C, COOLING_C)


class Fixed:
    """One setpoint for each season, for ever."""

    name = "fixed"

    def start(self, known: Known) -> None:
        """Nothing is learned."""

    def decide(self, seen: Seen) -> Orders:
        """On."""
        return orders(np.ones(seen.on.size, dtype=bool), seen.heats, comfort_setpoint_c(seen.heats))


class WhenHome:
    """The same while somebody is home."""

    name = "when_home"

    def start(self, known: Known) -> None:
        """Nothing is learned."""

    def decide(self, seen: Seen) -> Orders:
        """On while somebody is home."""
        return orders(seen.occupied > 0.5, seen.heats, comfort_setpoint_c(seen.heats))


class Clock:
    """A weekly program, made once by the household from its usual hours."""

    name = "clock"

    def start(self, known: Known) -> None:
        """Forget."""
        self._seen = np.zeros((known.n, 7, 24))
        self._home = np.zeros((known.n, 7, 24))
        self._homes = np.arange(known.n)
        self._quarter = 0

    def decide(self, seen: Seen) -> Orders:
        """On in hours of the week in which somebody was mostly home; in the first four weeks while somebody is."""
        hour = seen.local_hour.astype(np.int64)
        slot = (self._homes, seen.weekday, hour)
        on = seen.occupied > 0.5
        if self._quarter < PERIOD_QUARTERS:
            self._seen[slot] += 1.0
            self._home[slot] += on
        else:
            on = self._home[slot] >= LIKELY * self._seen[slot]
        self._quarter += 1
        return orders(on, seen.heats, comfort_setpoint_c(seen.heats))


def wanted(seen: Seen, lead_h: Array) -> BoolArray:
    """Whether somebody is home, or will be within the lead by the forecast; shape (n,)."""
    ahead = np.arange(seen.presence_ahead.shape[1]) * QUARTER_H
    soon = (seen.presence_ahead >= LIKELY) & (ahead > 0.0) & (ahead <= lead_h[:, np.newaxis])
    return np.asarray((seen.occupied > 0.5) | soon.any(axis=1))


class Need:
    """Whether a room needs its unit to stay at an edge: not while it is well inside by itself."""

    def __init__(self, n: int) -> None:
        self._rests = np.zeros(n, dtype=bool)

    def unit(self, seen: Seen, aim_c: Array) -> BoolArray:
        """Off once the room is ``REST_K`` inside what is aimed at, on again at ``WAKE_K``; shape (n,)."""
        inside_k = np.where(seen.heats, seen.room_temperature_c - aim_c, aim_c - seen.room_temperature_c)
        self._rests = np.where(self._rests, inside_k > WAKE_K, inside_k > REST_K)  # never by an unknown temperature
        return ~self._rests


def edge_c(seen: Seen, margin_k: Array) -> Array:
    """The learned edge on the season's side, with a margin towards the middle. [C]"""
    return np.where(seen.heats, seen.low_c + margin_k, seen.high_c - margin_k)


class Precool:
    """The rule: the edge while home, off when away, on a lead before the forecast return.

    Lead and margin are chosen anew every four weeks, for each home, on the four weeks before: by a run of ``every``
    variant side by side (``copies=VARIANTS`` of the homes, a variant's homes together), after which ``chosen`` is
    the rule. ``observed_j`` is what a home itself can say of a variant: cost, and K.h of the room thermometer outside
    the learned band while somebody was home; shape (periods, VARIANTS * n).
    """

    name = "precool"

    def __init__(self, chosen: tuple[Array, Array] | None = None, *, every: bool = False) -> None:
        self._chosen, self._every = chosen, every  # lead and margin, (periods, n) each; whether to run all variants

    def start(self, known: Known) -> None:
        """Forget."""
        periods = known.rows // (PERIOD_QUARTERS * ROWS_PER_DECISION) + 1
        self._lead_h, self._margin_k = np.full((1, known.n), FIRST_LEAD_H), np.full((1, known.n), FIRST_MARGIN_K)
        if self._every:
            pairs = np.repeat(np.array(PAIRS), known.n // VARIANTS, axis=0)
            self._lead_h, self._margin_k = pairs.T[:, np.newaxis]
        elif self._chosen is not None:
            self._lead_h, self._margin_k = self._chosen
        self.observed_j = np.zeros((periods, known.n))
        self._price_kh = PRICE_OF_DISCOMFORT_KWH * known.mean_price
        self._price = np.zeros(known.n)
        self._offset_k = np.zeros((2, known.n))  # of the setpoint against the room, cooling and heating
        self._ran = np.zeros(known.n, dtype=bool)
        self._need = Need(known.n)
        self._quarter = 0

    def decide(self, seen: Seen) -> Orders:
        """Follow the rule."""
        self._observe(seen)
        line = min(self._quarter // PERIOD_QUARTERS, len(self._lead_h) - 1)
        self._quarter += 1
        aim_c = edge_c(seen, self._margin_k[line])
        on = wanted(seen, self._lead_h[line]) & self._need.unit(seen, aim_c)
        self._correct(seen, on, aim_c)
        return orders(on, seen.heats, aim_c + np.where(seen.heats, self._offset_k[1], self._offset_k[0]))

    def _correct(self, seen: Seen, on: BoolArray, aim_c: Array) -> None:
        """Set the unit a little further where the steady room lacks something of what is aimed at."""
        lacks_k = aim_c - seen.room_temperature_c
        steady = on & self._ran & seen.on & ~seen.held & (np.abs(lacks_k) < STEADY_K)
        self._ran = on
        step_k = OFFSET_SHARE * np.where(steady, lacks_k, 0.0)
        for mode, heating in enumerate((False, True)):
            moved_k = np.clip(self._offset_k[mode] + step_k, -GREATEST_OFFSET_K, GREATEST_OFFSET_K)
            self._offset_k[mode] = np.where(seen.heats == heating, moved_k, self._offset_k[mode])

    def _observe(self, seen: Seen) -> None:
        room_c = np.where(np.isfinite(seen.room_temperature_c), seen.room_temperature_c, seen.unit_temperature_c)
        outside_k = np.maximum(room_c - seen.high_c, 0.0) + np.maximum(seen.low_c - room_c, 0.0)
        line = self._quarter // PERIOD_QUARTERS
        self.observed_j[line] += seen.energy_kwh * self._price
        self.observed_j[line] += self._price_kh * outside_k * QUARTER_H * (seen.occupied > 0.5)
        self._price = seen.price_now

    def chosen(self) -> "Precool":
        """The rule with the variant of each four weeks that was best in the four before, after a run of all."""
        return Precool(choose(self.observed_j))


def choose(observed_j: Array) -> tuple[Array, Array]:
    """Lead and margin of each four weeks and home, by what each variant came to; shapes (periods, n)."""
    by_variant = observed_j.reshape(len(observed_j), VARIANTS, -1)[:, :CHOICES]
    best = by_variant.argmin(axis=1)
    lead_h, margin_k = np.array(PAIRS)[best].transpose(2, 0, 1)
    lead_h, margin_k = np.roll(lead_h, 1, axis=0), np.roll(margin_k, 1, axis=0)
    lead_h[0], margin_k[0] = FIRST_LEAD_H, FIRST_MARGIN_K
    return lead_h, margin_k


@dataclass(frozen=True, slots=True)
class Gains:
    """Of the loop around the unit's own."""

    proportional: float = 0.5
    integral_per_h: float = 0.6
    greatest_k: float = 3.0


TUNED = Gains()


class Pid:
    """Holds the edge by a loop on the room thermometer, around the loop of the unit on its own sensor."""

    name = "pid"

    def __init__(self, gains: Gains = TUNED) -> None:
        self._gains = gains

    def start(self, known: Known) -> None:
        """Forget."""
        self._correction_k = np.zeros(known.n)
        self._lead_h = np.full(known.n, FIRST_LEAD_H)
        self._need = Need(known.n)
        self._heats: NDArray[np.bool_] | None = None

    def decide(self, seen: Seen) -> Orders:
        """Move the setpoint by what the room lacks."""
        gains = self._gains
        aim_c = edge_c(seen, np.zeros(seen.on.size))
        on = wanted(seen, self._lead_h) & self._need.unit(seen, aim_c)
        lacks_k = np.where(np.isfinite(seen.room_temperature_c), aim_c - seen.room_temperature_c, 0.0)
        if self._heats is not None:  # the unit's sensor errs otherwise in the other season
            self._correction_k[self._heats != seen.heats] = 0.0
        self._heats = seen.heats
        working = on & seen.on & ~seen.held
        step_k = gains.integral_per_h * QUARTER_H * np.clip(lacks_k, -1.0, 1.0)
        moved_k = np.clip(self._correction_k + step_k, -gains.greatest_k, gains.greatest_k)
        self._correction_k = np.where(working, moved_k, self._correction_k)
        push_k = np.clip(gains.proportional * lacks_k, -gains.greatest_k, gains.greatest_k)
        return orders(on, seen.heats, aim_c + push_k + self._correction_k)
