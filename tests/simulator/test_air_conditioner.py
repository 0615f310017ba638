"""The unit's own controller, its efficiency, and the balance of its heat."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.physics.air_conditioner import (
    LATENT_HEAT_J_PER_KG,
    UnitOutput,
    UnitParameters,
    UnitState,
    cooling_lift_factor,
    heating_lift_factor,
    part_load_factor,
    step,
)
from simulator.physics.room import Array


def one(value: float) -> Array:
    return np.array([value])


UNIT = UnitParameters(
    rated_cooling_w=one(3500.0),
    rated_heating_w=one(4200.0),
    cop_cooling=one(3.5),
    cop_heating=one(3.8),
    minimum_load=one(0.2),
    maximum_load=one(1.2),
    gain_per_k=one(0.5),
    sensor_offset_k=one(1.0),
    fan_w=one(30.0),
    standby_w=one(2.0),
    minimum_run_s=one(300.0),
    minimum_rest_s=one(180.0),
)
OFF = UnitState(np.array([False]), one(3600.0), one(0.0))


def run(
    state: UnitState,
    minutes: int = 1,
    *,
    indoor_c: float = 28.0,
    setpoint_c: float = 26.0,
    on: bool = True,
    heating: bool = False,
    outdoor_c: float = 35.0,
    humidity: float = 0.012,
    unit: UnitParameters = UNIT,
) -> tuple[UnitState, UnitOutput]:
    for _ in range(minutes):
        state, output = step(
            state,
            unit,
            on=np.array([on]),
            heating=np.array([heating]),
            setpoint_c=one(setpoint_c),
            indoor_c=one(indoor_c),
            indoor_humidity_kg_kg=one(humidity),
            outdoor_c=one(outdoor_c),
            dt_s=60.0,
        )
    return state, output


def test_off_draws_standby_and_moves_no_heat() -> None:
    state, output = run(OFF, on=False)
    assert not state.running[0]
    assert (output.power_w[0], output.heat_w[0], output.moisture_kg_s[0]) == (2.0, 0.0, 0.0)


def test_at_the_rating_point_it_is_as_rated() -> None:
    """Full load, 35 °C outdoors, 27 °C indoors: 3500 W of cooling for 3500 / 3.5 + 30 W."""
    full = replace(UNIT, maximum_load=one(1.0))
    _, output = run(OFF, 15, indoor_c=27.0, setpoint_c=16.0, unit=full)
    total_w = -output.heat_w + output.moisture_kg_s * LATENT_HEAT_J_PER_KG
    assert total_w == pytest.approx(3500.0)
    assert output.power_w == pytest.approx(1030.0)


def test_in_heating_at_its_rating_point_too() -> None:
    """7 °C outdoors, 20 °C indoors: 4200 W for 4200 / 3.8 + 30 W, all of it to the air and no water."""
    full = replace(UNIT, maximum_load=one(1.0))
    _, output = run(OFF, 15, indoor_c=20.0, setpoint_c=30.0, heating=True, outdoor_c=7.0, unit=full)
    assert output.heat_w == pytest.approx(4200.0)
    assert output.power_w == pytest.approx(4200.0 / 3.8 + 30.0)
    assert output.moisture_kg_s == pytest.approx(0.0)


def test_heat_of_cooling_is_air_and_water_together() -> None:
    state, output = run(OFF, 15, humidity=0.018)
    total_w = state.load * 3500.0
    assert -output.heat_w + output.moisture_kg_s * LATENT_HEAT_J_PER_KG == pytest.approx(total_w)
    assert output.moisture_kg_s[0] > 0.0


def test_dry_air_gives_no_water() -> None:
    _, output = run(OFF, 15, humidity=0.003)
    assert output.moisture_kg_s == pytest.approx(0.0)


def test_it_cools_what_its_own_warm_sensor_sees() -> None:
    """The sensor reads 1 K warm: at 25.5 °C in the zone and a setpoint of 26 °C it still starts."""
    state, _ = run(OFF, indoor_c=25.5)
    assert state.running[0]


def test_it_stops_below_the_setpoint_but_not_before_its_minimum_run() -> None:
    state, _ = run(OFF, 1)
    state, _ = run(state, 2, indoor_c=23.0)
    assert state.running[0]
    state, _ = run(state, 4, indoor_c=23.0)
    assert not state.running[0]


def test_it_rests_before_it_starts_again() -> None:
    state, _ = run(OFF, 5)
    state, _ = run(state, 1, on=False)
    state, _ = run(state, 2)
    assert not state.running[0]
    state, _ = run(state, 3)
    assert state.running[0]


def test_switched_off_by_hand_it_stops_at_once() -> None:
    state, _ = run(OFF, 1)
    state, output = run(state, 1, on=False)
    assert not state.running[0]
    assert output.heat_w == pytest.approx(0.0)


def test_load_rises_with_the_error_and_stays_in_its_limits() -> None:
    loads = [float(run(OFF, 20, indoor_c=celsius)[0].load[0]) for celsius in (25.6, 26.0, 27.0, 28.0, 35.0)]
    assert loads == sorted(loads)
    assert loads[0] >= 0.2
    assert loads[-1] == pytest.approx(1.2)


def test_part_load_is_better_than_full_and_best_near_a_third() -> None:
    loads = np.linspace(0.05, 1.0, 96)
    factor = part_load_factor(loads)
    assert part_load_factor(one(1.0)) == pytest.approx(1.0)
    assert loads[np.argmax(factor)] == pytest.approx(0.30, abs=0.02)
    assert factor.min() >= 1.0 - 1e-12


def test_efficiency_falls_with_the_lift() -> None:
    outdoor_c = np.array([25.0, 30.0, 35.0, 40.0])
    cooling = cooling_lift_factor(outdoor_c, np.full(4, 27.0))
    heating = heating_lift_factor(np.array([12.0, 7.0, 0.0, -7.0]), np.full(4, 20.0))
    assert (np.diff(cooling) < 0.0).all()
    assert (np.diff(heating) < 0.0).all()
    assert cooling[2] == heating[1] == 1.0


def test_a_lower_setpoint_costs_more_over_a_day() -> None:
    """A bare room under a constant load of 1.5 kW: what a kelvin costs is within the 4 to 30 % of control facts."""
    used = []
    for setpoint_c in (27.0, 25.0):
        state, air_c, energy_wh = OFF, 30.0, 0.0
        for _ in range(24 * 60):
            state, output = run(state, indoor_c=air_c, setpoint_c=setpoint_c)
            air_c += 60.0 / 1e6 * ((35.0 - air_c) * 60.0 + 1000.0 + output.heat_w[0])
            energy_wh += output.power_w[0] / 60.0
        used.append(energy_wh)
    per_kelvin = (used[1] / used[0] - 1.0) / 2.0
    assert 0.04 < per_kelvin < 0.30
