"""Prices by row: hours, tiers, and what the dynamic tariff looks like over a year."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import prices

START_S = 1_767_225_600.0  # 2026-01-01T00:00Z, a Thursday
YEAR_ROWS, STEP_S = 105_120, 300.0


def test_peak_and_valley_follow_the_local_clock() -> None:
    _, hour = prices.local_clock(START_S, 288, STEP_S, 8 * 3600.0)
    price = prices.peak_valley(hour, prices.PEAK_VALLEYS[0])
    assert hour[0] == 8.0
    assert price[:168].tolist() == [0.568] * 168  # 8:00 to 22:00
    assert price[168:].tolist() == [0.288] * 120


def test_tiers_rise_when_the_years_use_passes_their_limits() -> None:
    """A home of 5520 kWh passes 2760 in the middle of the year and 4800 after 0.87 of it."""
    price = prices.tiered(START_S, YEAR_ROWS, STEP_S, prices.ZHEJIANG_TIERS, 5520.0)
    assert (np.diff(price) >= 0.0).all()
    shares = [float((price == one).mean()) for one in prices.ZHEJIANG_TIERS.prices]
    assert shares == pytest.approx([0.5, 4800 / 5520 - 0.5, 1.0 - 4800 / 5520], abs=0.005)


def test_a_dynamic_year_has_two_peaks_a_noon_dip_and_some_negative_hours() -> None:
    years = []
    for seed in range(4):
        day, hour = prices.local_clock(START_S, YEAR_ROWS, STEP_S, 0.0)
        years.append(prices.dynamic(np.random.default_rng(seed), day, hour))
    price = np.array(years)
    by_hour = price.reshape(4, -1, 24, 12).mean(axis=(0, 1, 3))
    assert price.mean() == pytest.approx(0.55, abs=0.02)
    assert by_hour[19] == by_hour.max()
    assert by_hour[7] > by_hour[13]
    assert by_hour[7] > by_hour[3]
    hours = 8760 * (price < prices.DYNAMIC_LEVEL * prices.DYNAMIC_FEES_RATIO).mean()  # spot below zero
    assert 300 < hours < 600
    assert 0 < (price < 0.0).mean() < 0.05


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 2000))
def test_a_longer_run_begins_as_a_shorter_one_and_prices_last_an_hour(seed: int, rows: int) -> None:
    day, hour = prices.local_clock(START_S + 1800.0, 2000, STEP_S, 0.0)
    long = prices.dynamic(np.random.default_rng(seed), day, hour)
    short = prices.dynamic(np.random.default_rng(seed), day[:rows], hour[:rows])
    assert (long[:rows] == short).all()
    changes = np.flatnonzero(np.diff(long)) + 1
    assert (hour[changes] % 1.0 == 0.0).all()
