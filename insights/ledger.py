"""The ledger of energy: a pure fold over one device's readings, sorted by their time.

The result depends on nothing but the sorted set of readings. How they arrived (batches, order, twice) leaves no trace,
so a crash and the redelivery after it change no figure. Two sources are kept apart.

**Integrated power.** A power reading holds until the device's next one, but at most

    min(300 s, 3 x median of the device's own intervals)

after it; what lies beyond is not covered. An interval is the time between two successive power readings. The median
known *at* a reading decides for how long that reading holds; it is taken over the intervals that ended in the reading's
UTC hour up to the reading, or in the 24 hours before that hour (so over 24 to 25 hours). It is the lower of the two
middle ones where their number is even, and right to half a percent: intervals are counted in logarithmic bins. A device
without an interval yet holds 300 s. Negative power (feeding in) uses nothing: it counts as 0 W.

**Counter.** ``d`` is the step from the last accepted value, ``dt`` the time since then, ``rated`` the largest power
that is believed of the device:

- ``0 <= d <= 1.5 rated dt + RESOLUTION_KWH``: accepted, spread over the span in proportion to time;
- a fall or a bigger step is held until the next reading. If that one follows from the last accepted value, the held one
  was a slip and is forgotten. If it follows from the held one, the counter has started again: after a fall to a small
  value (``<= rated dt``) that value was used since the last accepted one; else the span between is a gap;
- after a silence of more than 92 days the counter starts again: nobody knows any more when it was used;
- a reading marked as repeated (a redelivered message without a time of its own) neither is held nor confirms anything,
  so that a stale value is never taken for a reset.

Times are microseconds since 1970 (UTC), powers W, energies kWh.
"""

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

QUARTER_US = 900 * 1_000_000
HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US
HOLD_LIMIT_US = 300 * 1_000_000
HOLD_MEDIANS = 3.0
COUNTER_MARGIN = 1.5  # a counter may run this much faster than the rated power, see dialects' notes on counters
LONGEST_SPAN_US = 92 * DAY_US  # of two readings; one wrong time must not fill years of quarters
RESOLUTION_KWH = 0.011  # one step of a counter that shows 0.01 kWh
POWER_MARGIN = 1.5  # a power reading above this much of the rated one is no reading
W_US_PER_KWH = 3.6e12

BIN_RATIO = 1.01
SHORTEST_S = 1e-3
BINS = 1 + math.ceil(math.log(HOLD_LIMIT_US / 1e6 / SHORTEST_S) / math.log(BIN_RATIO))
_BINS_PER_LOG = 1.0 / math.log(BIN_RATIO)
_SHORTEST_US = SHORTEST_S * 1e6
HOLD_US: tuple[int, ...] = tuple(
    min(HOLD_LIMIT_US, round(HOLD_MEDIANS * SHORTEST_S * BIN_RATIO ** (number + 0.5) * 1e6)) for number in range(BINS)
)

State = dict[str, Any]


class Reading(NamedTuple):
    """What the ledger takes from one report."""

    at_us: int
    power_w: float | None
    energy_total_kwh: float | None
    repeated: bool = False  # see the module: proves nothing about a counter


Cell = list[float]  # energy_kwh, covered time in microseconds (a whole number)


@dataclass(slots=True)
class Usage:
    """Energy and covered time by quarter of an hour (its start, in microseconds), for each source."""

    integrated: dict[int, Cell] = field(default_factory=dict)
    counter: dict[int, Cell] = field(default_factory=dict)

    def minus(self, other: "Usage") -> "Usage":
        """Cell by cell difference; cells that do not differ are left out."""
        return Usage(_minus(self.integrated, other.integrated), _minus(self.counter, other.counter))


def _minus(left: dict[int, Cell], right: dict[int, Cell]) -> dict[int, Cell]:
    nothing = [0.0, 0]
    pairs = ((start, left.get(start, nothing), right.get(start, nothing)) for start in left.keys() | right.keys())
    return {start: [a[0] - b[0], a[1] - b[1]] for start, a, b in pairs if a != b}


def spread(cells: dict[int, Cell], start_us: int, end_us: int, energy_kwh: float) -> None:
    """Add an energy to the quarters of [start, end) in proportion to time."""
    quarter_us = start_us - start_us % QUARTER_US
    if end_us - quarter_us <= QUARTER_US:
        cell = cells.get(quarter_us)
        if cell is None:
            cells[quarter_us] = [energy_kwh, end_us - start_us]
        else:
            cell[0] += energy_kwh
            cell[1] += end_us - start_us
        return
    per_us = energy_kwh / (end_us - start_us)
    while start_us < end_us:
        part_us = min(end_us, quarter_us + QUARTER_US) - start_us
        cell = cells.setdefault(quarter_us, [0.0, 0])
        cell[0] += per_us * part_us
        cell[1] += part_us
        quarter_us += QUARTER_US
        start_us = quarter_us


class Intervals:
    """A running median of the intervals of the last 24 hours: bins of one percent, counted by UTC hour."""

    __slots__ = ("_below", "_bins", "_counts", "_hour", "_median", "_past", "_total")

    def __init__(self) -> None:
        self._past: list[list[int]] = []  # hours that are over, oldest first: the hour, then bin, count, bin, count
        self._hour = -1
        self._bins: dict[int, int] = {}  # of the hour that runs
        self._counts = array("I", bytes(4 * BINS))  # of all hours
        self._total = 0
        self._median = 0  # the bin that holds it
        self._below = 0  # intervals in smaller bins

    def add(self, at_us: int, interval_us: int) -> None:
        """Count an interval that ends at ``at_us``, and forget what ended more than 24 whole hours before."""
        hour = at_us // HOUR_US
        if hour != self._hour:
            self._begin(hour)
        number = int(math.log(interval_us / _SHORTEST_US) * _BINS_PER_LOG) if interval_us > _SHORTEST_US else 0
        if number >= BINS:
            number = BINS - 1
        self._bins[number] = self._bins.get(number, 0) + 1
        self._count(number, 1)

    def _begin(self, hour: int) -> None:
        if self._bins:
            self._past.append(self._flat())
        self._hour, self._bins = hour, {}
        while self._past and self._past[0][0] < hour - 24:
            _, *flat = self._past.pop(0)
            for number, count in zip(flat[::2], flat[1::2], strict=True):
                self._count(number, -count)

    def _flat(self) -> list[int]:
        return [self._hour, *(value for pair in sorted(self._bins.items()) for value in pair)]

    def _count(self, number: int, count: int) -> None:
        self._counts[number] += count
        self._total += count
        if number < self._median:
            self._below += count

    def hold_us(self) -> int:
        """min(300 s, 3 x median); 300 s where there is no interval."""
        if not self._total:
            return HOLD_LIMIT_US
        rank = (self._total - 1) // 2  # the lower of two middle ones, counted from 0
        counts, median, below = self._counts, self._median, self._below
        while below > rank:
            median -= 1
            below -= counts[median]
        while below + counts[median] <= rank:
            below += counts[median]
            median += 1
        self._median, self._below = median, below
        return HOLD_US[median]

    def state(self) -> list[list[int]]:
        """One flat list an hour, oldest first: the hour, then bin, count, bin, count in order of bins."""
        return [*self._past, self._flat()] if self._bins else list(self._past)

    @classmethod
    def of(cls, state: list[list[int]]) -> "Intervals":
        """The intervals of ``state``."""
        intervals = cls()
        for hour, *flat in state:
            bins = dict(zip(flat[::2], flat[1::2], strict=True))
            intervals._begin(hour)
            intervals._bins = bins
            for number, count in bins.items():
                intervals._count(number, count)
        return intervals


class Ledger:
    """The fold of one device: feed it readings in order of time, each time once.

    Parameters
    ----------
    rated_power_w : float
        The largest power that is believed of the device. [W]
    """

    __slots__ = ("_base", "_held", "_hold_us", "_intervals", "_power_at_us", "_power_w", "rated_power_w")

    def __init__(self, rated_power_w: float) -> None:
        self.rated_power_w = rated_power_w
        self._power_at_us: int | None = None
        self._power_w = 0.0
        self._hold_us = HOLD_LIMIT_US
        self._intervals = Intervals()
        self._base: tuple[int, float] | None = None  # last accepted value of the counter
        self._held: tuple[int, float] | None = None  # a fall or a jump that waits for the next reading

    @property
    def newest_us(self) -> int | None:
        """Time of the newest reading that left a trace."""
        times = [self._power_at_us, self._base and self._base[0], self._held and self._held[0]]
        return max((at_us for at_us in times if at_us is not None), default=None)

    def add(self, reading: Reading, usage: Usage) -> None:
        """Take one reading, later than all before, and add what it settles to ``usage``."""
        at_us, power_w, total_kwh, repeated = reading
        if power_w is not None and power_w <= self.rated_power_w * POWER_MARGIN:
            self._add_power(at_us, power_w if power_w > 0.0 else 0.0, usage.integrated)
        if total_kwh is not None:
            self._add_total(at_us, total_kwh, repeated, usage.counter)

    def _add_power(self, at_us: int, power_w: float, cells: dict[int, Cell]) -> None:
        before_us = self._power_at_us
        if before_us is not None:
            interval_us = at_us - before_us
            held_us = interval_us if interval_us < self._hold_us else self._hold_us
            spread(cells, before_us, before_us + held_us, self._power_w * held_us / W_US_PER_KWH)
            self._intervals.add(at_us, interval_us)
            self._hold_us = self._intervals.hold_us()
        self._power_at_us = at_us
        self._power_w = power_w

    def _add_total(self, at_us: int, total_kwh: float, repeated: bool, cells: dict[int, Cell]) -> None:
        base, held = self._base, self._held
        now = (at_us, total_kwh)
        if base is None or at_us - base[0] > LONGEST_SPAN_US:
            self._base, self._held = now, None
        elif self._follows(base, now):
            spread(cells, base[0], at_us, total_kwh - base[1])
            self._base, self._held = now, None
        elif repeated:
            return
        elif held is not None and self._follows(held, now):
            if held[1] < base[1] and held[1] <= self._largest_kwh(base[0], held[0]):
                spread(cells, base[0], held[0], held[1])
            spread(cells, held[0], at_us, total_kwh - held[1])
            self._base, self._held = now, None
        else:
            self._held = now

    def _follows(self, before: tuple[int, float], after: tuple[int, float]) -> bool:
        step_kwh = after[1] - before[1]
        return 0.0 <= step_kwh <= COUNTER_MARGIN * self._largest_kwh(before[0], after[0]) + RESOLUTION_KWH

    def _largest_kwh(self, start_us: int, end_us: int) -> float:
        return self.rated_power_w * (end_us - start_us) / W_US_PER_KWH

    def state(self) -> State:
        """All that the fold remembers, as JSON can hold it; a few hundred bytes."""
        return {
            "power": None if self._power_at_us is None else [self._power_at_us, self._power_w, self._hold_us],
            "intervals": self._intervals.state(),
            "base": self._base and list(self._base),
            "held": self._held and list(self._held),
        }

    @classmethod
    def of(cls, state: State, rated_power_w: float) -> "Ledger":
        """The fold that ``state`` was taken of; an empty dict is a device that has said nothing yet."""
        ledger = cls(rated_power_w)
        if state:
            if state["power"]:
                ledger._power_at_us, ledger._power_w, ledger._hold_us = state["power"]
            ledger._intervals = Intervals.of(state["intervals"])
            ledger._base = tuple(state["base"]) if state["base"] else None
            ledger._held = tuple(state["held"]) if state["held"] else None
        return ledger


def day_start_us(at_us: int) -> int:
    """Start of the UTC day of an instant."""
    return at_us - at_us % DAY_US


def by_day(readings: Iterable[Reading]) -> Iterator[tuple[int, list[Reading]]]:
    """Readings in order of time, cut at the ends of UTC days: start of the day, its readings."""
    day_us, part = -1, list[Reading]()
    for reading in readings:
        if reading[0] - day_us >= DAY_US or day_us < 0:
            if part:
                yield day_us, part
            day_us, part = day_start_us(reading[0]), []
        part.append(reading)
    if part:
        yield day_us, part


class Change(NamedTuple):
    """One instant of a device as it was booked, and as it is now known; None where it was not or is no more."""

    before: Reading | None
    after: Reading | None


@dataclass(slots=True)
class Correction:
    """What late readings change."""

    usage: Usage  # to be added to what is booked
    checkpoints: dict[int, State]  # by start of the day: the state before its first reading
    state: State | None  # at the end; None where the fold came back to what it was before the end


def correct(
    checkpoint: State,
    rated_power_w: float,
    timeline: Iterable[Change],
    last_change_us: int,
    checkpoint_us: int | None = None,
) -> Correction:
    """Fold late readings in: what was booked and what should be are folded side by side until they agree again.

    Parameters
    ----------
    checkpoint : dict
        State of the ledger before the timeline's first instant.
    timeline : iterable of Change
        Every instant of the device from there on, in order; it is read only as far as needed.
    last_change_us : int
        The last instant at which ``before`` and ``after`` differ.
    checkpoint_us : int or None
        Start of the day that ``checkpoint`` belongs to; it is not handed back.
    """
    was, now = Ledger.of(checkpoint, rated_power_w), Ledger.of(checkpoint, rated_power_w)
    was_usage, now_usage, nowhere = Usage(), Usage(), Usage()
    checkpoints: dict[int, State] = {}
    day_us = -1 if checkpoint_us is None else checkpoint_us
    hour_us = -1
    parted = False  # until the first change one fold does for both
    for before, after in timeline:
        reading = after or before
        assert reading is not None
        at_us = reading[0]
        if not parted and before is not after and before != after:
            parted = True
            was = Ledger.of(now.state(), rated_power_w)
        if at_us - hour_us >= HOUR_US or hour_us < 0:
            hour_us = at_us - at_us % HOUR_US
            if at_us > last_change_us and was.state() == now.state():
                return Correction(now_usage.minus(was_usage), checkpoints, None)
            if after is not None and (at_us - day_us >= DAY_US or day_us < 0):
                day_us = day_start_us(at_us)
                if parted:
                    checkpoints[day_us] = now.state()
        if after is not None:
            now.add(after, now_usage if parted else nowhere)
        if parted and before is not None:
            was.add(before, was_usage)
    return Correction(now_usage.minus(was_usage), checkpoints, now.state())
