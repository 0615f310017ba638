"""A start second by second: quick, in balance, and dearer where it should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.physics.unit_start import COOLING, HEATING, RAMP_HZ_PER_S, Conditions, Machine, balance, course, losses
from simulator.physics.unit_start import seconds_until_felt as felt_s

COOLER, HEATER = Machine(3500.0, 850.0, 0.6, True), Machine(4800.0, 1200.0, 0.9, True)


def test_the_frequency_rises_by_10_hz_a_second_to_its_plateau() -> None:
    hertz = [second.frequency_hz for second in course(COOLER, COOLING, 10)]
    assert hertz[:4] == pytest.approx([RAMP_HZ_PER_S * second for second in (1, 2, 3, 4)])
    assert hertz[-1] == pytest.approx(42.0)


@pytest.mark.parametrize("calibrated", [True, False])
def test_cool_air_comes_within_30_s_and_warm_air_within_60_s(calibrated: bool) -> None:
    assert felt_s(Machine(3500.0, 850.0, 0.6, calibrated), COOLING) <= 30.0
    assert felt_s(Machine(4800.0, 1200.0, 0.9, calibrated), HEATING) <= 60.0


def test_a_calibrated_valve_ends_in_more_cooling_than_a_fixed_one_at_low_frequency() -> None:
    calibrated, fixed = (course(Machine(3500.0, 850.0, 0.5, valve), COOLING)[-1] for valve in (True, False))
    assert calibrated.room_w > 1.1 * fixed.room_w


def test_no_cold_air_blows_before_the_coil_is_warm() -> None:
    for second in course(HEATER, HEATING, 120):
        assert second.supply_c == HEATING.indoor_c or second.supply_c > 28.0


def test_at_its_rating_point_it_ends_near_its_nameplate() -> None:
    end = course(Machine(3500.0, 900.0, 1.0, True), COOLING, 1200)[-1]
    assert end.room_w == pytest.approx(3500.0, rel=0.03)
    assert end.power_w == pytest.approx(900.0, rel=0.05)
    assert (end.evaporator_c, end.condenser_c) == pytest.approx((COOLING.coil_cold_c, COOLING.coil_hot_c), abs=1.0)


@given(
    indoor_c=st.floats(22.0, 32.0),
    outdoor_c=st.floats(20.0, 42.0),
    ratio=st.floats(0.2, 1.2),
    calibrated=st.booleans(),
)
def test_no_heat_comes_from_nowhere(indoor_c: float, outdoor_c: float, ratio: float, calibrated: bool) -> None:
    at = Conditions(indoor_c, outdoor_c, heating=False, coil_cold_c=11.0, coil_hot_c=max(46.0, outdoor_c + 5.0))
    assert abs(balance(Machine(3500.0, 850.0, ratio, calibrated), at)) < 1e-9


def test_a_start_costs_heat_in_proportion_to_size_and_more_in_heating() -> None:
    small, large = losses(COOLER, COOLING), losses(Machine(7000.0, 1700.0, 0.6, True), COOLING)
    assert large.heat_j == pytest.approx(2.0 * small.heat_j)
    assert 10.0 < small.heat_j / COOLER.rated_heat_w < 60.0  # seconds of full capacity
    assert losses(HEATER, HEATING).heat_j > 1.5 * small.heat_j
