"""Named units: labels, the APF's method by hand, faults, and what people see in their rooms."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import faults, homes
from simulator.catalogue import apf
from simulator.catalogue.air_conditioners import MODELS, from_nameplate, power_curve, unit
from simulator.physics.moist_air import relative_pct, wet_bulb_c
from simulator.physics.split_unit import Unit, held, steady_power_w, total_heat_w
from simulator.records import as_table, rows_of
from simulator.validation import units as validation
from simulator.weather.climates import GUANGZHOU, SHANGHAI
from simulator.world import STEPS_PER_DAY

JULY_S, JANUARY_S = 1_782_835_200.0, 1_798_732_800.0
RATED_KG_KG = 0.010439


def row(machine: Unit) -> Unit:
    """A unit as compiled functions take it."""
    taken: Unit = rows_of(as_table([machine]), Unit)[0]
    return taken


def test_every_row_of_validation_is_ok() -> None:
    found = validation.rows()
    assert [one.name for one in found if not one.ok] == []
    assert {f"apf_{name}" for name in MODELS} <= {one.name for one in found}


def test_the_scalar_of_each_nameplate_is_the_fitted_one() -> None:
    for plate in MODELS.values():
        assert plate.efficiency == pytest.approx(apf.fitted_efficiency(plate), abs=0.001)


def test_air_of_the_standards_tests() -> None:
    assert wet_bulb_c(27.0, apf.INDOOR_COOLING_KG_KG) == pytest.approx(19.0, abs=0.01)
    for outdoor_c, wet_c in ((7.0, 6.0), (2.0, 1.0), (-7.0, -8.0)):
        found = next(h for h in np.linspace(0.0, 0.007, 7001) if wet_bulb_c(outdoor_c, float(h)) >= wet_c)
        assert relative_pct(outdoor_c, float(found)) == pytest.approx(apf.OUTDOOR_RELATIVE_PCT[outdoor_c], abs=1.0)


def test_bins_have_the_hours_and_shares_that_are_published() -> None:
    cooling, heating = apf.COOLING_BINS, apf.HEATING_BINS
    assert sum(cooling.values()) == pytest.approx(1136.0)
    assert sum(heating.values()) == pytest.approx(433.0)
    assert 0.52 < sum(cooling[t] for t in range(27, 31)) / 1136.0 < 0.56
    assert 0.75 < sum(heating[t] for t in range(9)) / 433.0 < 0.80
    assert sum(apf.ISO_COOLING_BINS.values()) == 1817


def test_the_season_of_one_hour_at_35_degrees_is_the_test_at_full_capacity() -> None:
    machine = unit("grade_1")
    season = apf.cooling_season(machine, {35: 1.0})
    assert season.heat_wh == pytest.approx(machine.rated_cooling_w, rel=0.003)
    assert season.energy_wh == pytest.approx(machine.cooling_power_w, rel=0.003)


def test_a_fixed_speed_cycles_with_the_degradation_of_the_standard() -> None:
    """At 29 °C the load is half the rated capacity; X = load / capacity; P / (1 - 0.25 (1 - X))."""
    machine = unit("fixed_speed")
    season = apf.cooling_season(machine, {29: 1.0})
    capacity_w = total_heat_w(row(machine), 1.0, 29.0, 27.0, apf.INDOOR_COOLING_KG_KG)
    power_w = held(row(machine), 1.0, 29.0, 27.0, apf.INDOOR_COOLING_KG_KG, False)[1]
    x = 1750.0 / capacity_w
    assert season.heat_wh == pytest.approx(1750.0)
    assert season.energy_wh == pytest.approx(x * power_w / (1.0 - 0.25 * (1.0 - x)))


def test_other_hours_move_the_apf_by_little() -> None:
    """How much the doubt about bins is worth: a few percent."""
    for plate in MODELS.values():
        machine = from_nameplate(plate)
        shifted = {t + 1: hours for t, hours in apf.HEATING_BINS.items()}
        colder = {t - 1: hours for t, hours in apf.HEATING_BINS.items()}
        found = [apf.apf(machine, apf.ISO_COOLING_BINS), apf.apf(machine, heating_bins=shifted)]
        found.append(apf.apf(machine, heating_bins=colder))
        assert found == pytest.approx([plate.apf] * 3, rel=0.06)


def test_a_power_curve_fits_its_three_facts() -> None:
    plate = MODELS["apf_5_65"]
    a = power_curve(plate, 833.0, 30.0, 1.6)
    assert sum(a) == pytest.approx(1.0)
    ratios = np.linspace(0.1, 1.2, 2201)
    efficiency = ratios * (1.15 - 0.15 * ratios) / (a[0] + a[1] * ratios + a[2] * ratios**2)
    assert ratios[int(np.argmax(efficiency))] == pytest.approx(0.35, abs=0.001)


def test_a_line_of_models_scales_with_its_capacity() -> None:
    small, large = unit("grade_3", 2600.0), unit("grade_3", 5200.0)
    assert large.rated_heating_w == pytest.approx(2.0 * small.rated_heating_w)
    assert apf.apf(large) == pytest.approx(apf.apf(small), rel=1e-6)
    with pytest.raises(KeyError):
        unit("grade_9")


@pytest.mark.parametrize("name", faults.AIR_CONDITIONER_FAULTS)
@given(severity=st.floats(0.05, 1.0))
def test_a_fault_costs_more_the_worse_it_is(name: str, severity: float) -> None:
    fault, healthy = faults.AIR_CONDITIONER_FAULTS[name], unit("grade_1")
    assert fault(healthy, 0.0) == replace(healthy, valve_ratio=fault(healthy, 0.0).valve_ratio)
    if name == "sensor_drift":
        assert fault(healthy, severity).sensor_drift_k > fault(healthy, 0.5 * severity).sensor_drift_k > 0.0
        return
    bad, half = row(fault(healthy, severity)), row(fault(healthy, 0.5 * severity))
    at = (-1500.0, 35.0, 27.0, RATED_KG_KG, False)
    assert steady_power_w(bad, *at) > steady_power_w(half, *at) > steady_power_w(row(healthy), *at)


def test_faults_cost_what_is_measured_of_them() -> None:
    """At severity 1 and half load more electricity by some tens of percent, not by a few or by several times."""
    healthy = unit("grade_1")
    base_w = steady_power_w(row(healthy), -1500.0, 35.0, 27.0, RATED_KG_KG, False)
    for name, fault in faults.AIR_CONDITIONER_FAULTS.items():
        if name != "sensor_drift":
            more = steady_power_w(row(fault(healthy, 1.0)), -1500.0, 35.0, 27.0, RATED_KG_KG, False) / base_w
            assert 1.05 < more < 2.0, name


def test_ten_years_without_service_cost_some_percent() -> None:
    at = (-1500.0, 35.0, 27.0, RATED_KG_KG, False)
    young, old = (row(faults.aged(unit("grade_3"), years)) for years in (0.0, 10.0))
    assert 1.05 < steady_power_w(old, *at) / steady_power_w(young, *at) < 1.3


@given(severity=st.one_of(st.floats(max_value=-0.01), st.floats(min_value=1.01)))
def test_a_severity_beyond_its_scale_is_refused(severity: float) -> None:
    for fault in faults.AIR_CONDITIONER_FAULTS.values():
        with pytest.raises(ValueError, match="severity"):
            fault(unit("grade_1"), severity)


@pytest.mark.parametrize(("climate", "start_s", "heating"), [(GUANGZHOU, JULY_S, False), (SHANGHAI, JANUARY_S, True)])
def test_a_unit_that_is_left_alone_starts_a_few_times_a_day(climate: object, start_s: float, heating: bool) -> None:
    """Drawn homes with inverters, on day and night at one setpoint, nobody touching the remote control."""
    days, n = 4, 24
    world = homes.build(3, [climate], n, start_s, (days + 1) * STEPS_PER_DAY, model="grade_1")  # type: ignore[list-item]
    world.persons["summer_half_width_k"] = world.persons["winter_half_width_k"] = 50.0
    world.panels["on"], world.panels["heating"] = True, heating
    world.panels["setpoint_c"] = 20.0 if heating else 26.0
    starts = np.zeros(n)
    for index in range((days + 1) * STEPS_PER_DAY):
        world.advance(index, follows_program=False)
        if index >= STEPS_PER_DAY:
            starts += world.meters["starts"]
    assert 0.0 < starts.mean() / days <= 6.0
