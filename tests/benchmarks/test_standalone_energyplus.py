"""The engine for any plant on EnergyPlus, and the rule that it is compared with."""

import os
from datetime import UTC, datetime
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.savings.baselines import FIRST_LEAD_H, FIRST_MARGIN_K, PERIOD_QUARTERS
from benchmarks.standalone import (
    COOLING_LIMIT_C,
    HEATING_LIMIT_C,
    QUARTERS_AHEAD,
    VARIANTS,
    Course,
    Moment,
    build,
    compare,
    compose,
    precool,
    table,
)
from control.standalone import Target
from simulator.validation import energyplus

needs_energyplus = pytest.mark.skipif(
    find_spec("pyenergyplus") is None and os.environ.get("CI") != "true",
    reason="pyenergyplus not installed (the extra `energyplus`)",
)


def at(quarter: int, occupied: bool) -> Moment:
    return Moment(quarter, datetime(2001, 1, 1, tzinfo=UTC), 30.0, 40.0, 35.0, 0.0, occupied, 0.0)


def test_the_rule_starts_its_lead_before_a_likely_return_and_holds_its_margin() -> None:
    ahead = np.zeros((1, QUARTERS_AHEAD))
    ahead[0, 5:] = 0.6  # from 75 minutes on
    on = Target(COOLING_LIMIT_C - 0.25, HEATING_LIMIT_C + 0.25)
    assert precool(ahead, 1.0, 0.25)(at(0, False)) == Target(None, None)
    assert precool(ahead, 1.5, 0.25)(at(0, False)) == on
    assert precool(np.zeros((1, QUARTERS_AHEAD)), 0.5, 0.25)(at(0, True)) == on


def test_the_rule_takes_in_each_four_weeks_what_was_best_in_the_four_before() -> None:
    """The first choice by default, then the variant that was cheapest: here each is so in a turn of its own."""
    periods = 4
    courses = {}
    for i, variant in enumerate(VARIANTS):
        energy_kwh = np.full(periods * PERIOD_QUARTERS, 2.0)
        if i < periods:
            energy_kwh[i * PERIOD_QUARTERS : (i + 1) * PERIOD_QUARTERS] = 1.0
        courses[variant] = Course(energy_kwh, np.zeros_like(energy_kwh))
    composed = compose(courses).energy_kwh.reshape(periods, PERIOD_QUARTERS)[:, 0]
    # the default is variant (1.0, 0.25); in period k the one is taken that was best in k - 1, which by then is dear
    assert VARIANTS.index((FIRST_LEAD_H, FIRST_MARGIN_K)) >= periods
    assert composed.tolist() == [2.0, 2.0, 2.0, 2.0]
    for course in courses.values():  # where the same is always best, it is taken from the second period on
        course.energy_kwh[:] = 2.0
    courses[VARIANTS[0]].energy_kwh[:] = 1.0
    assert compose(courses).energy_kwh.reshape(periods, PERIOD_QUARTERS)[:, 0].tolist() == [2.0, 1.0, 1.0, 1.0]


def test_discomfort_is_priced_at_half_a_kilowatt_hour_for_each_kelvin_hour() -> None:
    assert Course(np.full(4, 1.0), np.full(4, 3.0)).j(first=0) == pytest.approx(4.0 + 0.5 * 12.0)


def test_the_table_pools_over_cases() -> None:
    row = {
        "lingyun_energy_kwh": 90.0, "lingyun_outside_kh": 2.0, "lingyun_j_kwh": 91.0, "precool_energy_kwh": 100.0,
        "precool_outside_kh": 4.0, "precool_j_kwh": 102.0, "j_difference_pct": -10.78, "writes_per_day": 9.0,
    }  # fmt: skip
    other = {**row, "lingyun_j_kwh": 111.0, "precool_j_kwh": 100.0, "j_difference_pct": 11.0}
    assert "Pooled J 202.0 against 202.0 kWh: +0.00 %" in table({"a": row, "b": other})


@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs_energyplus
@pytest.mark.parametrize("name", ["tampa_light", "chicago_masonry"])
def test_from_day_29_it_costs_less_than_the_rule_at_no_more_discomfort(name: str) -> None:
    """The first hundred days; the whole year of all nine is what the command measures."""
    row = compare(name, "part_time", days=100)
    assert row["j_difference_pct"] < 0.0
    assert row["lingyun_outside_kh"] <= row["outside_allowed_kh"]
    assert row["precool_energy_kwh"] > 20.0


@needs_energyplus
@pytest.mark.slow
def test_people_keep_the_civil_clock_of_their_city() -> None:
    """Who works is away at noon on most working days, in winter and in summer time alike."""
    case = build("chicago", energyplus.LIGHT, "part_time")
    assert case.occupied.shape == (35_040,)
    home = case.occupied.reshape(365, 96)
    assert home[:, 12 * 4].mean() < 0.5
    assert case.outdoor_forecast_c.shape == (35_040, 24)
