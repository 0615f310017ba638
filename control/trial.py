"""Comparison by days: who steers a room on which day, the engine or the household's own program.

Days come in pairs. In each pair one day is the engine's and the other the program's; which comes first is drawn anew
for each pair. So neither arm can gather the hot days or the first ones, and after any number of days the arms differ by
at most one. A pair is decided by its number and the trial's seed alone, so that anybody can draw the schedule again::

    first arm of pair p = lowest bit of BLAKE2b("seed:p")

A day is a local day of the home. The day on which a trial is begun belongs to nobody: the engine goes on until the next
midnight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from zoneinfo import ZoneInfo

from insights.calendar import day_start, local_day

PAIR_DAYS = 2
DRAWN_WITHIN = timedelta(hours=1)  # of its first midnight; a pair that nobody drew by then belongs to nobody


class Arm(StrEnum):
    """Who steers."""

    ENGINE = "engine"
    CONVENTIONAL = "conventional"


@dataclass(frozen=True, slots=True)
class TrialDay:
    """A local day of a trial, [start, end)."""

    day: date
    arm: Arm
    start: datetime
    end: datetime


def arm_of(seed: int, number: int) -> Arm:
    """Who steers on a day of a trial, counted from 0."""
    pair, second = divmod(number, PAIR_DAYS)
    drawn = blake2b(f"{seed}:{pair}".encode(), digest_size=8).digest()[-1] & 1
    return Arm.ENGINE if drawn == second else Arm.CONVENTIONAL


def pair_at(seed: int, started_at: datetime, now: datetime, zone: ZoneInfo) -> list[TrialDay]:
    """Both days of the pair that holds now, drawn or not; empty before the trial's first midnight."""
    first = local_day(started_at, zone) + timedelta(days=1)
    number = (local_day(now, zone) - first).days
    return [] if number < 0 else list(_days(seed, first, number - number % PAIR_DAYS, zone))


def _days(seed: int, first: date, number: int, zone: ZoneInfo) -> Iterator[TrialDay]:
    for later in range(number, number + PAIR_DAYS):
        day = first + timedelta(days=later)
        yield TrialDay(day, arm_of(seed, later), day_start(day, zone), day_start(day + timedelta(days=1), zone))
