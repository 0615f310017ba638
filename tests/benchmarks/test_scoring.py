"""Scoring against arithmetic done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.savings.scoring import (
    Bootstrap,
    Frontier,
    energy_at_equal_discomfort,
    gap_closed,
    lower_hull,
    machine_and_control,
    no_more_discomfort,
    saving,
)
from tests.benchmarks.synthetic import figures, homes


def test_j_counts_half_a_kilowatt_hour_at_the_mean_price_for_each_kelvin_hour() -> None:
    """100 kWh at 0.25, where the mean price is 0.5, are worth 50 kWh; 20 K.h are worth 10."""
    some = figures([100.0], 20.0, price=0.25)
    assert some.j_kwh(homes(1)) == pytest.approx([60.0])


def test_pooled_saving_is_of_sums_and_the_median_is_of_homes() -> None:
    """80 of 100 and 990 of 1000 kWh: pooled 1 - 1070/1100, by home 20 % and 1 %."""
    found = saving(figures([80.0, 990.0]), figures([100.0, 1000.0]), homes(2), in_j=False, seed=1)
    assert found["pooled_pct"] == pytest.approx(100.0 * 30.0 / 1100.0)
    assert found["median_pct"] == pytest.approx(10.5)
    assert found["worst_pct"] == pytest.approx(1.0)
    assert found["lower95_pct"] == pytest.approx(1.0)
    assert found["upper95_pct"] == pytest.approx(20.0)


def test_saving_in_j_sees_what_a_saving_in_kilowatt_hours_does_not() -> None:
    cold, warm = figures([90.0], 40.0), figures([100.0])
    assert saving(cold, warm, homes(1), in_j=False, seed=1)["pooled_pct"] == pytest.approx(10.0)
    assert saving(cold, warm, homes(1), in_j=True, seed=1)["pooled_pct"] == pytest.approx(-10.0)


def test_homes_that_use_next_to_nothing_are_left_out_of_percentiles_but_not_of_the_pool() -> None:
    found = saving(figures([5.0, 90.0]), figures([1.0, 100.0]), homes(2), in_j=False, seed=1)
    assert found["homes_left_out_of_percentiles"] == 1
    assert found["worst_pct"] == pytest.approx(10.0)
    assert found["pooled_pct"] == pytest.approx(100.0 * (1.0 - 95.0 / 101.0))


def test_limits_cover_the_truth_about_as_often_as_they_say() -> None:
    """60 suites of 40 homes whose saving varies about 10 %: at least 51 limits of 95 % hold 10 %, as 54 would by luck
    of one in a hundred."""
    rng, covered = np.random.default_rng(5), 0
    for _ in range(60):
        theirs = rng.uniform(300.0, 900.0, size=40)
        ours = theirs * (1.0 - rng.normal(0.10, 0.10, size=40))
        found = saving(figures(ours), figures(theirs), homes(40), in_j=False, seed=2)
        covered += found["lower95_pct"] <= 10.0 <= found["upper95_pct"]
    assert covered >= 51


def test_gap_closed_is_a_share_of_sums() -> None:
    """The rule 110 and 210, the best 100 and 190, mine 106 and 198: 16 of 30."""
    closed, limits = gap_closed(
        figures([106.0, 198.0]), figures([110.0, 210.0]), figures([100.0, 190.0]), homes(2), seed=1
    )
    assert closed == pytest.approx(100.0 * 16.0 / 30.0)
    assert limits["lower95_pct"] == pytest.approx(40.0)
    assert limits["upper95_pct"] == pytest.approx(60.0)


def test_no_gap_is_no_number() -> None:
    closed, limits = gap_closed(figures([90.0]), figures([100.0]), figures([100.0]), homes(1), seed=1)
    assert closed is None
    assert "no gap" in limits["reason"]


@pytest.mark.parametrize(
    ("theirs_kh", "mine_kh", "allowed"),
    [(0.0, 5.0, True), (0.0, 5.1, False), (1000.0, 1020.0, True), (1000.0, 1021.0, False)],
)
def test_no_more_discomfort_allows_five_kelvin_hours_or_two_percent(
    theirs_kh: float, mine_kh: float, allowed: bool
) -> None:
    assert no_more_discomfort(figures([1.0], mine_kh), figures([1.0], theirs_kh)) is allowed


def test_machine_and_control_multiply() -> None:
    """1000 kWh, 800 with the better unit, 600 with control on it: 20 % and 25 % come to 40 %."""
    found = machine_and_control(figures([600.0]), figures([800.0]), figures([1000.0]))
    assert (found["machine_pct"], found["control_pct"], found["together_pct"]) == pytest.approx((20.0, 25.0, 40.0))


def test_energy_at_equal_discomfort_lies_on_the_lower_edge_of_the_variants() -> None:
    """Between (0, 200) and (100, 100) the rule takes 150 at 50 K.h, whatever a bad variant takes there."""
    frontier = Frontier(energy_kwh=np.array([200.0, 300.0, 100.0]), discomfort_kh=np.array([0.0, 50.0, 100.0]))
    found = energy_at_equal_discomfort(figures([120.0], 50.0), frontier)
    assert found["precool_kwh"] == pytest.approx(150.0)
    assert found["saving_pct"] == pytest.approx(20.0)
    assert energy_at_equal_discomfort(figures([120.0], 150.0), frontier)["saving_pct"] is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20, unique_by=lambda p: p[0]))
def test_no_point_lies_below_the_lower_hull(points: list[tuple[int, int]]) -> None:
    x, y = np.array(sorted(points), dtype=np.float64).T
    edge = lower_hull(x, y)
    assert (np.interp(x, x[edge], y[edge]) <= y + 1e-9).all()


@given(st.integers(1, 40), st.integers(0, 5))
def test_every_draw_of_the_bootstrap_has_as_many_homes(n: int, seed: int) -> None:
    assert Bootstrap(n, seed, draws=50).sums(np.ones(n)) == pytest.approx(np.full(50, n))
