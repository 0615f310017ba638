"""The ledger is a function of the sorted set of readings, never invents energy, and says what it does not cover."""

import csv
import gzip
import json
import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.ledger import (
    COUNTER_MARGIN,
    DAY_US,
    HOUR_US,
    QUARTER_US,
    RESOLUTION_KWH,
    W_US_PER_KWH,
    Cell,
    Change,
    Intervals,
    Ledger,
    Reading,
    State,
    Usage,
    by_day,
    correct,
    day_start_us,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_700_006_400 * SECOND  # an hour and a quarter begin here
RATED_W = 2000.0


def fold(readings: Iterable[Reading], rated_power_w: float = RATED_W) -> Usage:
    ledger, usage = Ledger(rated_power_w), Usage()
    for reading in readings:
        ledger.add(reading, usage)
    return usage


def power(*pairs: tuple[float, float]) -> list[Reading]:
    """Readings of power from (seconds after the start, W)."""
    return [Reading(START + round(at_s * SECOND), power_w, None) for at_s, power_w in pairs]


def counter(*triples: tuple[float, float] | tuple[float, float, bool]) -> list[Reading]:
    """Readings of a counter from (seconds after the start, kWh[, repeated])."""
    return [
        Reading(START + round(part[0] * SECOND), None, part[1], len(part) > 2 and bool(part[2])) for part in triples
    ]


def total(cells: dict[int, Cell]) -> tuple[float, float]:
    """Energy [kWh] and covered time [s] of all quarters."""
    return math.fsum(cell[0] for cell in cells.values()), sum(cell[1] for cell in cells.values()) / 1e6


# --- integrated power ---


def test_power_holds_until_the_next_reading() -> None:
    """1000 W for 60 s, then 500 W for 60 s: (60 000 + 30 000) Ws = 0.025 kWh."""
    usage = fold(power((0, 1000.0), (60, 500.0), (120, 0.0)))
    assert total(usage.integrated) == pytest.approx((0.025, 120.0))


def test_power_holds_no_longer_than_three_medians_of_the_own_intervals() -> None:
    """Ten intervals of 10 s: after the last reading 1000 W hold 30 s of the next 100 s."""
    usage = fold(power(*((10.0 * n, 1000.0) for n in range(11)), (200.0, 0.0)))
    kwh, covered_s = total(usage.integrated)
    assert covered_s == pytest.approx(130.0, rel=0.005)
    assert kwh == pytest.approx(1000.0 * 130.0 / 3.6e6, rel=0.005)


def test_power_holds_no_longer_than_five_minutes() -> None:
    usage = fold(power(*((600.0 * n, 900.0) for n in range(5))))
    assert total(usage.integrated) == pytest.approx((4 * 300 * 900.0 / 3.6e6, 4 * 300.0))


def test_a_device_without_any_interval_holds_five_minutes() -> None:
    assert total(fold(power((0, 100.0), (4000, 0.0))).integrated)[1] == 300.0


def test_negative_power_uses_nothing_and_absurd_power_is_no_reading() -> None:
    assert total(fold(power((0, -500.0), (60, 0.0))).integrated) == (0.0, 60.0)
    assert total(fold(power((0, 100.0), (60, 1e9), (120, 100.0))).integrated) == pytest.approx((100 * 120 / 3.6e6, 120))


def test_energy_is_split_between_quarters_in_proportion_to_time() -> None:
    usage = fold(power((890, 3600.0 / 2), (910, 0.0)))
    first, second = usage.integrated[START], usage.integrated[START + QUARTER_US]
    assert first == second == pytest.approx([0.005, 10 * SECOND])


@given(st.lists(st.integers(1, 400_000_000), min_size=1, max_size=200), st.integers(0, 10**15))
def test_the_running_median_is_right_to_a_percent(intervals_us: list[int], start_us: int) -> None:
    intervals, ends, at_us = Intervals(), [], start_us
    for interval_us in intervals_us:
        at_us += interval_us
        intervals.add(at_us, interval_us)
        ends.append((at_us, interval_us))
        kept = sorted(length for end, length in ends if end // HOUR_US >= at_us // HOUR_US - 24)
        median_us = kept[(len(kept) - 1) // 2]
        expected = min(300 * SECOND, 3 * max(median_us, 1000))
        assert intervals.hold_us() == pytest.approx(expected, rel=0.0051)


def test_the_median_forgets_what_is_older_than_a_day() -> None:
    readings = power(*((10.0 * n, 1.0) for n in range(100)))
    later_s = 26 * 3600.0
    readings += power((later_s, 1.0), (later_s + 60, 1.0), (later_s + 120, 1.0), (later_s + 1000, 1.0))
    covered_s = total(fold(readings).integrated)[1]
    before_s = 99 * 10 + 30
    assert covered_s == pytest.approx(before_s + 60 + 60 + 180, rel=0.005)


# --- counters ---


def test_a_counter_is_spread_over_the_span_between_two_readings() -> None:
    usage = fold(counter((0, 10.0), (1800, 10.5)))
    assert usage.counter == {START: [0.25, 900 * SECOND], START + QUARTER_US: [0.25, 900 * SECOND]}


def test_a_reset_that_a_second_reading_confirms_adds_the_small_new_value() -> None:
    usage = fold(counter((0, 10.0), (60, 10.01), (120, 0.004), (180, 0.01)))
    kwh, covered_s = total(usage.counter)
    assert kwh == pytest.approx(0.01 + 0.004 + 0.006)
    assert covered_s == 180.0


def test_a_fall_to_a_large_value_starts_again_with_a_gap() -> None:
    usage = fold(counter((0, 10.0), (60, 10.01), (120, 7.0), (180, 7.01)))
    assert total(usage.counter) == pytest.approx((0.02, 120.0))


def test_one_stale_value_is_no_reset() -> None:
    usage = fold(counter((0, 10.0), (60, 10.02), (61, 10.0), (120, 10.03)))
    assert total(usage.counter) == pytest.approx((0.03, 120.0))


def test_repeated_values_never_confirm_a_reset() -> None:
    usage = fold(counter((0, 10.0), (60, 10.02), (61, 9.9, True), (62, 9.905, True), (63, 9.91), (120, 10.03)))
    assert total(usage.counter) == pytest.approx((0.03, 120.0))


def test_a_jump_is_held_and_a_slip_is_forgotten() -> None:
    usage = fold(counter((0, 10.0), (60, 9999.0), (120, 10.02)))
    assert total(usage.counter) == pytest.approx((0.02, 120.0))


def test_a_confirmed_jump_starts_again_with_a_gap() -> None:
    usage = fold(counter((0, 10.0), (60, 9999.0), (120, 9999.02), (180, 9999.03)))
    assert total(usage.counter) == pytest.approx((0.03, 120.0))


def test_a_counter_that_wraps_gives_no_spike() -> None:
    """A 16-bit counter of Wh: 65.53 kWh, then 0.01."""
    usage = fold(counter((0, 65.52), (60, 65.53), (120, 0.01), (180, 0.02)))
    assert total(usage.counter) == pytest.approx((0.03, 180.0))


def test_a_counter_that_was_silent_for_months_starts_again_with_a_gap() -> None:
    day_s = 86_400.0
    usage = fold(counter((0, 10.0), (93 * day_s, 400.0), (93 * day_s + 60, 400.01), (185 * day_s, 500.01)))
    kwh, covered_s = total(usage.counter)
    assert kwh == pytest.approx(100.01)
    assert covered_s == pytest.approx(92 * day_s)


# --- properties ---

steps = st.one_of(
    st.integers(1, 3 * SECOND),
    st.integers(SECOND, 10 * MINUTE),
    st.sampled_from([HOUR_US, 20 * HOUR_US, 26 * HOUR_US, 100 * DAY_US]),
)
powers = st.one_of(st.none(), st.floats(0, 1500), st.sampled_from([-50.0, 1e7]))
moves = st.one_of(
    st.none(),
    st.floats(0, 0.03),
    st.sampled_from(["same", "reset", "jump", "fall", "stale"]),
)


@st.composite
def days(draw: st.DrawFn, max_size: int = 60) -> list[Reading]:
    """A device's readings, in order: gaps, resets, jumps, repeats."""
    at_us, value, before = START + draw(st.integers(0, DAY_US)), 5.0, 5.0
    readings = []
    for step_us, power_w, move, repeated in draw(
        st.lists(st.tuples(steps, powers, moves, st.booleans()), min_size=1, max_size=max_size)
    ):
        at_us += step_us
        before, shown = value, None
        if move == "reset":
            value = shown = 0.001
        elif move == "jump":
            value = shown = value + 500.0
        elif move == "fall":
            value = shown = value / 2
        elif move == "stale":
            shown = max(0.0, before - 0.02)
        elif isinstance(move, float):
            value = shown = value + move
        elif move == "same":
            shown = value
        readings.append(Reading(at_us, power_w, shown, repeated and shown is not None))
    return readings


def same(left: Usage, right: Usage) -> None:
    for a, b in ((left.integrated, right.integrated), (left.counter, right.counter)):
        assert {at for at, cell in a.items() if cell[1] > 0} == {at for at, cell in b.items() if cell[1] > 0}
        for at in a.keys() & b.keys():
            assert a[at][0] == pytest.approx(b[at][0], abs=1e-9)
            assert a[at][1] == b[at][1]


@given(days(), st.data())
def test_a_fold_goes_on_from_its_saved_state_as_if_it_had_never_stopped(
    readings: list[Reading], data: st.DataObject
) -> None:
    ledger, usage = Ledger(RATED_W), Usage()
    for reading in readings:
        ledger.add(reading, usage)
        if data.draw(st.booleans()):
            ledger = Ledger.of(json.loads(json.dumps(ledger.state())), RATED_W)
    same(usage, fold(readings))


@given(days())
def test_no_quarter_is_negative_or_covers_more_than_itself(readings: list[Reading]) -> None:
    usage = fold(readings)
    for cells in (usage.integrated, usage.counter):
        for energy_kwh, covered_us in cells.values():
            assert energy_kwh >= 0.0
            assert 0 <= covered_us <= QUARTER_US


@given(days())
def test_energy_is_never_more_than_the_device_can_draw(readings: list[Reading]) -> None:
    usage = fold(readings)
    most_kw = RATED_W * COUNTER_MARGIN / 1e3
    for cells, allowance in ((usage.integrated, 0.0), (usage.counter, RESOLUTION_KWH * len(readings))):
        kwh, covered_s = total(cells)
        assert kwh <= most_kw * covered_s / 3600 + allowance + 1e-9
        assert covered_s <= (readings[-1].at_us - readings[0].at_us) / 1e6 + 1e-6


@given(days())
def test_days_are_cut_at_utc_midnight(readings: list[Reading]) -> None:
    parts = list(by_day(readings))
    assert [reading for _, part in parts for reading in part] == readings
    for day_us, part in parts:
        assert all(day_start_us(reading.at_us) == day_us for reading in part)


def book_in_arrival_order(readings: Sequence[Reading], batches: Iterable[set[int]], rated_power_w: float) -> Usage:
    """Fold as an intake does: batches of readings (by place) that may be late, from daily checkpoints."""
    booked, known, ledger = Usage(), set[int](), Ledger(rated_power_w)
    checkpoints: dict[int, State] = {}

    def add(usage: Usage) -> None:
        for target, cells in ((booked.integrated, usage.integrated), (booked.counter, usage.counter)):
            for at_us, (kwh, covered_us) in cells.items():
                cell = target.setdefault(at_us, [0.0, 0])
                cell[0] += kwh
                cell[1] += covered_us

    for batch in batches:
        arrived = batch - known
        newest = max(known, default=-1)
        late = sorted(place for place in arrived if place < newest)
        if late:
            first_us = readings[late[0]].at_us
            day_us = max((at for at in checkpoints if at <= first_us), default=None)
            places = sorted(known | set(late))
            timeline = (
                Change(readings[place] if place in known else None, readings[place])
                for place in places
                if day_us is None or readings[place].at_us >= day_us
            )
            last_us = readings[late[-1]].at_us
            state = {} if day_us is None else checkpoints[day_us]
            correction = correct(state, rated_power_w, timeline, last_us, day_us)
            add(correction.usage)
            checkpoints.update(correction.checkpoints)
            if correction.state is not None:
                ledger = Ledger.of(correction.state, rated_power_w)
        usage = Usage()
        for day_us, part in by_day(readings[place] for place in sorted(arrived) if place > newest):
            if ledger.newest_us is not None and ledger.newest_us < day_us:
                checkpoints[day_us] = ledger.state()
            for reading in part:
                ledger.add(reading, usage)
        add(usage)
        known |= arrived
    return booked


@given(days(max_size=40), st.randoms(use_true_random=False))
def test_any_order_batching_and_repetition_gives_the_same_ledger(
    readings: list[Reading], chance: random.Random
) -> None:
    places = list(range(len(readings)))
    arrivals = places + chance.choices(places, k=len(places) // 3)
    for at in range(len(arrivals)):  # disorder of every reach
        other = min(len(arrivals) - 1, at + chance.choice((0, 0, 1, 2, 5, 20)))
        arrivals[at], arrivals[other] = arrivals[other], arrivals[at]
    batches = []
    while arrivals:
        size = chance.randint(1, 8)
        batches.append(set(arrivals[:size]))
        arrivals = arrivals[size:]
    same(book_in_arrival_order(readings, batches, RATED_W), fold(readings))


def test_a_late_reading_among_days_of_seconds_is_folded_in_quickly_and_exactly() -> None:
    """30 h at 1 Hz, one minute of it late by a day: found again exactly, and the fold stops where it agrees again."""
    readings = power(*((float(n), 100.0 + n % 7) for n in range(30 * 3600)))
    late = set(range(3600, 3660))
    order = [set(range(len(readings))) - late, late]
    same(book_in_arrival_order(readings, order, RATED_W), fold(readings))


# --- a recorded fridge ---


def exact_rule(at_us: np.ndarray, power_w: np.ndarray) -> tuple[float, float]:
    """Promise 2 of the design with an exact median over exactly 24 hours: kWh and covered seconds."""
    intervals_us = np.diff(at_us)
    kwh = covered_us = 0.0
    counts = np.zeros(int(min(intervals_us.max(), 400 * SECOND)) // SECOND + 2, dtype=int)
    places = np.minimum(intervals_us // SECOND, len(counts) - 1)
    oldest = 0
    for at in range(len(intervals_us)):
        hold_us = 300 * SECOND
        if at:
            counts[places[at - 1]] += 1
            while at_us[oldest + 1] <= at_us[at] - DAY_US:
                counts[places[oldest]] -= 1
                oldest += 1
            rank, below, median_s = (at - oldest - 1) // 2, 0, 0
            while below + counts[median_s] <= rank:
                below += counts[median_s]
                median_s += 1
            hold_us = min(hold_us, 3 * median_s * SECOND)
        held_us = min(int(intervals_us[at]), hold_us)
        kwh += power_w[at] * held_us / W_US_PER_KWH
        covered_us += held_us
    return kwh, covered_us / 1e6


def test_a_recorded_fridge_has_the_energy_and_coverage_of_the_rule(recorded_data: Path) -> None:
    """Fourteen days at 1 to 2 s, doubled time stamps, a day missing; the median by bins against the exact one."""
    watts: dict[int, float] = {}
    with gzip.open(recorded_data / "tracebase" / "fridge_599393.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            at_us = int(datetime.fromisoformat(row["ts"]).replace(tzinfo=UTC).timestamp()) * SECOND
            watts[at_us] = min(float(row["power_1s_w"]), watts.get(at_us, math.inf))
    times = sorted(watts)
    expected_kwh, expected_s = exact_rule(np.array(times), np.array([watts[at_us] for at_us in times]))
    usage = fold((Reading(at_us, watts[at_us], None) for at_us in times), 4000.0)
    kwh, covered_s = total(usage.integrated)
    assert kwh == pytest.approx(expected_kwh, rel=5e-4)
    assert covered_s == pytest.approx(expected_s, rel=5e-4)
    assert covered_s * 1e6 / (times[-1] - times[0]) == pytest.approx(0.93, abs=0.005)
