"""People of a household: when they are home and asleep, what they like, and what they do to an air conditioner by hand.

A day of a person is a function of (seed, person, date), so that any day can be asked for and a restart changes nothing.
What a person likes is hidden from every controller; only presses on the remote control and presence show it.

Shares and hours follow what surveys say of southern Chinese homes: part-time use, one room at a time, switched on near
29 °C indoors (Du et al., HV&AC 2022; Hu et al., Energy and Buildings 214, 2020); neutral temperatures spread about
26 °C in summer. A unit that automation has steered in the last day is left to it, but for a person who is
uncomfortable for longer than their patience.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.words import Fan, Mode

MINUTE_S = 60
DAY_MIN = 1440
TRUST_S = 24 * 3600  # a unit counts as automated for this long after automation last spoke to it


class Presence(IntEnum):
    """Where a person is."""

    AWAY = 0
    HOME = 1
    ASLEEP = 2


@dataclass(frozen=True, slots=True)
class Person:
    """One member of a household; hours are local and means of a draw for each day."""

    name: str
    wakes_h: float
    sleeps_h: float  # may pass 24
    leaves_h: float
    returns_h: float
    workdays: tuple[int, ...]  # away from leaves_h to returns_h; Monday is 0
    spread_h: float  # standard deviation of each hour
    outings_per_free_day: float
    neutral_c: float  # in summer, awake at home
    asleep_shift_k: float  # neutral asleep less awake
    half_width_k: float
    patience_s: float  # out of the band for so long before a press


def draw_people(seed: int) -> tuple[Person, ...]:
    """Two people: one works away from home, one mostly at home."""
    rng = np.random.default_rng([seed, 71])
    tastes = np.array([26.2, 26.4]) + np.clip(rng.normal(0.0, 0.4, size=2), -0.6, 0.6)
    return (
        Person("A", 6.9, 23.3, 8.2, 18.4, (0, 1, 2, 3, 4), 0.35, 0.9, float(tastes[0]), 0.3, 1.3, 1500.0),
        Person("B", 7.4, 22.9, 8.9, 12.1, (1, 3), 0.4, 0.8, float(tastes[1]), 0.4, 1.4, 2100.0),
    )


def presence_of_day(seed: int, index: int, person: Person, day: date) -> NDArray[np.int8]:
    """Presence in each minute of a local day of 24 h, shape (1440,)."""
    minute = np.arange(DAY_MIN)
    rng, sleeps_min, wakes_min = _night(seed, index, person, day)
    _, slept_min, _ = _night(seed, index, person, date.fromordinal(day.toordinal() - 1))
    state = np.full(DAY_MIN, Presence.HOME, dtype=np.int8)
    for start_min, end_min in _outings(person, day, rng, wakes_min, sleeps_min):
        state[(minute >= start_min) & (minute < end_min)] = Presence.AWAY
    state[(minute >= slept_min - DAY_MIN) & (minute < wakes_min) | (minute >= sleeps_min)] = Presence.ASLEEP
    return state


def _night(seed: int, index: int, person: Person, day: date) -> tuple[np.random.Generator, float, float]:
    """The day's generator, and when in it the person goes to sleep and has woken. [min]"""
    rng = np.random.default_rng([seed, 72, index, day.toordinal()])
    late_h = 0.8 if day.weekday() in (4, 5) else 0.0
    long_h = 1.1 if day.weekday() >= 5 else 0.0
    sleeps_h = person.sleeps_h + late_h + person.spread_h * rng.standard_normal()
    wakes_h = person.wakes_h + long_h + person.spread_h * rng.standard_normal()
    return rng, 60.0 * sleeps_h, 60.0 * wakes_h


def _outings(
    person: Person, day: date, rng: np.random.Generator, wakes_min: float, sleeps_min: float
) -> list[tuple[float, float]]:
    """Spans away from home. [min]"""
    first, second = 60.0 * person.spread_h * rng.standard_normal(2)
    if day.weekday() in person.workdays:
        return [(max(60.0 * person.leaves_h + first, wakes_min + 20.0), 60.0 * person.returns_h + second)]
    outings = []
    for _ in range(int(rng.poisson(person.outings_per_free_day))):
        start_min = float(rng.uniform(wakes_min + 60.0, 19.5 * 60.0))
        outings.append((start_min, min(start_min + float(rng.uniform(40.0, 180.0)), sleeps_min - 45.0)))
    return outings


@dataclass(slots=True)
class Panel:
    """What an air conditioner is set to, and who set it; its own buttons, its remote and automation all act here."""

    on: bool = False
    mode: Mode = Mode.COOL
    setpoint_c: float = 26.0
    fan: Fan = Fan.AUTO
    changes: int = 0  # settings so far, by whomever
    presses: int = 0  # of them, by a person
    automated_at_s: float = float("-inf")  # when automation last spoke to the unit, even if it changed nothing

    def press(
        self,
        *,
        on: bool | None = None,
        mode: Mode | None = None,
        setpoint_c: float | None = None,
        fan: Fan | None = None,
    ) -> None:
        """A person sets the unit by its remote control."""
        if self._set(on, mode, setpoint_c, fan):
            self.presses += 1

    def automate(
        self,
        at_s: float,
        *,
        on: bool | None = None,
        mode: Mode | None = None,
        setpoint_c: float | None = None,
        fan: Fan | None = None,
    ) -> None:
        """Automation sets the unit over the network or by infrared."""
        self.automated_at_s = at_s
        self._set(on, mode, setpoint_c, fan)

    def _set(self, on: bool | None, mode: Mode | None, setpoint_c: float | None, fan: Fan | None) -> bool:
        before = (self.on, self.mode, self.setpoint_c, self.fan)
        self.on = self.on if on is None else on
        self.mode = self.mode if mode is None else mode
        self.setpoint_c = self.setpoint_c if setpoint_c is None else setpoint_c
        self.fan = self.fan if fan is None else fan
        changed = before != (self.on, self.mode, self.setpoint_c, self.fan)
        self.changes += changed
        return changed


@dataclass(frozen=True, slots=True)
class Habit:
    """What a household does with one room's unit when nothing steers it."""

    setpoint_c: float  # what they start it with
    heating_setpoint_c: float
    starts_above_c: float  # room air that makes them reach for the remote
    starts_below_c: float
    forget_ratio: float  # of the times when the room empties, 0..1
    setpoint_min_c: float
    setpoint_max_c: float


@dataclass(slots=True)
class Hand:
    """The hand on one room's remote control: what it waits for. Times in seconds since 1970."""

    occupied: bool = False
    outside_since_s: float | None = None  # since when the room is outside the band of those in it
    warm_since_s: float | None = None
    last_press_s: float = float("-inf")
    presses: dict[str, int] = field(default_factory=dict)  # by reason, for statistics


@dataclass(frozen=True, slots=True)
class Company:
    """Those who are in a room now, seen as one."""

    neutral_c: float
    half_width_k: float
    patience_s: float
    asleep: bool


START_DELAY_S = 360.0  # from noticing the warmth to the remote
AFTER_PRESS_S = 2400.0  # a person waits for the effect of a press
AS_IT_WAS_RATIO = 0.6  # of the starts, at which the remote is left as it was
ASLEEP_PATIENCE = 1.8  # times as long as awake


def season_shift_k(outdoor_day_c: float) -> float:
    """Neutral temperature less that of summer: people dress for the season. [K]"""
    return -4.5 * min(max((24.0 - outdoor_day_c) / 19.0, 0.0), 1.0)


def handle(
    hand: Hand, habit: Habit, panel: Panel, company: Company | None, *, air_c: float, at_s: float, chance: float
) -> None:
    """Let the people of a room do to its unit what they would do now.

    Parameters
    ----------
    company : Company or None
        Those in the room; None where it is empty.
    air_c : float
        True air of the occupied zone. [°C]
    chance : float
        A random number 0..1, which decides whether a unit is forgotten.
    """
    automated = at_s - panel.automated_at_s < TRUST_S
    leaving, hand.occupied = hand.occupied and company is None, company is not None
    if company is None:
        hand.outside_since_s = hand.warm_since_s = None
        if leaving and panel.on and not automated and chance >= habit.forget_ratio:
            _press(hand, panel, at_s, "leave", on=False)
        return
    if not panel.on and not automated:
        _start_by_habit(hand, habit, panel, air_c, at_s, chance)
        return
    _mend_discomfort(hand, habit, panel, company, air_c, at_s)


def _start_by_habit(hand: Hand, habit: Habit, panel: Panel, air_c: float, at_s: float, chance: float) -> None:
    wanted = habit.starts_below_c <= air_c <= habit.starts_above_c
    if wanted:
        hand.warm_since_s = None
        return
    if hand.warm_since_s is None:
        hand.warm_since_s = at_s
    if at_s - hand.warm_since_s >= START_DELAY_S and at_s - hand.last_press_s >= AFTER_PRESS_S:
        cooling = air_c > habit.starts_above_c
        as_it_was = panel.mode == Mode.COOL and cooling and chance < AS_IT_WAS_RATIO
        _start(hand, habit, panel, cooling, at_s, "habit", panel.setpoint_c if as_it_was else None)


def _mend_discomfort(hand: Hand, habit: Habit, panel: Panel, company: Company, air_c: float, at_s: float) -> None:
    error_k = air_c - company.neutral_c
    if abs(error_k) <= company.half_width_k:
        hand.outside_since_s = None
        return
    if hand.outside_since_s is None:
        hand.outside_since_s = at_s
    patience_s = company.patience_s * (ASLEEP_PATIENCE if company.asleep else 1.0)
    if at_s - hand.outside_since_s < patience_s or at_s - hand.last_press_s < AFTER_PRESS_S:
        return
    hand.outside_since_s = None
    if not panel.on:
        if error_k > 0.0 or air_c < habit.starts_below_c:  # too cool in summer: nobody starts the heating for that
            _start(hand, habit, panel, error_k > 0.0, at_s, "discomfort")
        return
    step_k = 2.0 if abs(error_k) > company.half_width_k + 1.5 else 1.0
    setpoint_c = round(panel.setpoint_c) - step_k * (1.0 if error_k > 0.0 else -1.0)
    if panel.mode == Mode.COOL and error_k < 0.0 and setpoint_c > habit.setpoint_c + 3.0:
        _press(hand, panel, at_s, "discomfort", on=False)
        return
    _press(hand, panel, at_s, "discomfort", setpoint_c=min(max(setpoint_c, habit.setpoint_min_c), habit.setpoint_max_c))


def _start(
    hand: Hand, habit: Habit, panel: Panel, cooling: bool, at_s: float, reason: str, setpoint_c: float | None = None
) -> None:
    mode, habitual_c = (Mode.COOL, habit.setpoint_c) if cooling else (Mode.HEAT, habit.heating_setpoint_c)
    _press(hand, panel, at_s, reason, on=True, mode=mode, setpoint_c=habitual_c if setpoint_c is None else setpoint_c)


def _press(
    hand: Hand,
    panel: Panel,
    at_s: float,
    reason: str,
    *,
    on: bool | None = None,
    mode: Mode | None = None,
    setpoint_c: float | None = None,
) -> None:
    panel.press(on=on, mode=mode, setpoint_c=setpoint_c)
    hand.last_press_s = at_s
    hand.warm_since_s = None
    hand.presses[reason] = hand.presses.get(reason, 0) + 1
