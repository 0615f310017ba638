"""The demo home's people: when each is home and asleep; and the panel of a unit, on which they and automation act.

A day of a person is a function of (seed, person, date), so that any day can be asked for and a restart changes nothing.
What people like and do with their remote controls is ``residents``, the same as in training and benchmarks. A unit that
automation has steered in the last day is left to it, but for people who are uncomfortable.
"""

from dataclasses import dataclass
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


def draw_people(seed: int) -> tuple[Person, ...]:
    """Two people: one works away from home, one mostly at home."""
    shift_h = np.random.default_rng([seed, 71]).uniform(-0.3, 0.3, size=2)
    return (
        Person("A", 6.9 + shift_h[0], 23.3, 8.2, 18.4, (0, 1, 2, 3, 4), 0.35, 0.9),
        Person("B", 7.4 + shift_h[1], 22.9, 8.9, 12.1, (1, 3), 0.4, 0.8),
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
