"""Split units: rating points, curves, water, frost, the unit's own controller, and what planners are told."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.catalogue.air_conditioners import MODELS, unit
from simulator.jit import COMPILED, njit
from simulator.physics import split_unit
from simulator.physics.moist_air import (
    EVAPORATION_J_PER_KG,
    enthalpy_j_kg,
    humidity_kg_kg,
    saturation_kg_kg,
    wet_bulb_c,
)
from simulator.physics.split_unit import Panel, Unit, UnitState
from simulator.records import as_table, plain, rows_of, table

RATED_KG_KG = 0.010439  # 27 °C, 19 °C wet bulb
UNITS = {name: unit(name) for name in MODELS}
GRADE_1 = UNITS["grade_1"]


@njit
def live(units: Any, states: Any, panels: Any, air: Any, sums: Any, minutes: int) -> None:
    """Rooms of one node: air is (n, 6) of return, humidity, outdoor, outdoor humidity, gain [W] and capacity [J/K].

    sums (n, 5) are those of sensible heat, power, water, starts and return temperature of the second half.
    """
    for i in range(len(units)):
        for minute in range(minutes):
            if minute % 5 == 0:
                split_unit.prepare(units[i], states[i], panels[i], air[i, 2], air[i, 3], air[i, 0], air[i, 1])
            starts = states[i].starts
            split_unit.step(units[i], states[i], panels[i], air[i, 0], air[i, 1], 60.0)
            air[i, 0] += 60.0 * (states[i].heat_w + air[i, 4]) / air[i, 5]
            if 2 * minute >= minutes:
                sums[i, 0] += states[i].heat_w
                sums[i, 1] += states[i].power_w
                sums[i, 2] += states[i].moisture_kg_s * 60.0
                sums[i, 3] += states[i].starts - starts
                sums[i, 4] += air[i, 0]


class Lived:
    """What one unit did in the second half of some minutes, in a room as steady as wanted."""

    def __init__(
        self,
        machine: Unit = GRADE_1,
        *,
        minutes: int = 120,
        heating: bool = False,
        setpoint_c: float = 26.0,
        room_c: float = 27.0,
        humidity: float = RATED_KG_KG,
        outdoor_c: float = 35.0,
        outdoor_humidity: float = 0.014,
        gain_w: float = 0.0,
        room_j_k: float = 1e15,
        **panel: Any,
    ) -> None:
        panels, states = table(Panel, 1), table(UnitState, 1)
        panels["on"], panels["heating"], panels["setpoint_c"] = True, heating, setpoint_c
        for name, value in panel.items():
            panels[name] = value
        air = np.array([[room_c, humidity, outdoor_c, outdoor_humidity, gain_w, room_j_k]])
        sums = np.zeros((1, 5))
        state = rows_of(states, UnitState)
        live(rows_of(as_table([machine]), Unit), state, rows_of(panels, Panel), air, sums, minutes)
        half = (minutes + 1) // 2
        self.state = plain(states, UnitState)[0] if COMPILED else state[0]
        self.heat_w, self.power_w, self.room_c = sums[0, [0, 1, 4]] / half
        self.water_kg, self.starts = float(sums[0, 2]), int(sums[0, 3])
        self.hours = half / 60.0


def at_speed(machine: Unit, ratio: float, **more: Any) -> Lived:
    """A unit held at one frequency, far from its setpoint."""
    held = replace(machine, maximum_cooling_ratio=ratio, maximum_heating_ratio=ratio, minimum_ratio=ratio)
    setpoint_c = 30.0 if more.get("heating") else 16.0
    return Lived(held, setpoint_c=setpoint_c, **more)


@pytest.mark.parametrize("name", MODELS)
def test_at_the_rating_points_a_unit_is_as_its_nameplate_says(name: str) -> None:
    machine = UNITS[name]
    cooling = at_speed(machine, 1.0)
    total_w = -cooling.heat_w + cooling.state.moisture_kg_s * EVAPORATION_J_PER_KG
    assert total_w == pytest.approx(machine.rated_cooling_w, rel=0.003)
    assert cooling.power_w == pytest.approx(machine.cooling_power_w, rel=0.003)
    heating = at_speed(machine, 1.0, heating=True, room_c=20.0, outdoor_c=7.0, outdoor_humidity=0.0)
    assert heating.heat_w == pytest.approx(machine.rated_heating_w, rel=0.003)
    assert heating.power_w == pytest.approx(machine.heating_power_w, rel=0.003)


@pytest.mark.parametrize("name", [name for name, plate in MODELS.items() if plate.inverter])
def test_half_capacity_is_as_much_more_efficient_as_the_nameplate_says(name: str) -> None:
    machine, plate = UNITS[name], MODELS[name]
    half = 0.4641  # 0.4641 (1 + 0.15 * 0.5359) = 0.5014
    cooling = at_speed(machine, half)
    total_w = -cooling.heat_w + cooling.state.moisture_kg_s * EVAPORATION_J_PER_KG
    full_eer = machine.rated_cooling_w / machine.cooling_power_w
    assert total_w / cooling.power_w / full_eer == pytest.approx(plate.half_cooling_gain, rel=0.01)


def test_the_best_efficiency_lies_between_the_lowest_and_the_rated_frequency() -> None:
    ratios = np.linspace(GRADE_1.minimum_ratio, 1.2, 21)
    found = [at_speed(GRADE_1, float(ratio), minutes=60) for ratio in ratios]
    efficiency = [-one.heat_w / one.power_w for one in found]
    assert 0.2 < ratios[int(np.argmax(efficiency))] < 0.5


def test_curves_at_the_rating_points_of_this_standard() -> None:
    """The curves are nearly 1 at the American rating points, and the nameplates here are of GB/T 7725's."""
    wet_c = wet_bulb_c(27.0, RATED_KG_KG)
    assert wet_c == pytest.approx(19.0, abs=0.01)
    assert split_unit.cooling_capacity_factor(19.0, 35.0) == pytest.approx(split_unit.COOLING_RATED_CAPACITY, abs=1e-5)
    assert split_unit.cooling_input_factor(19.0, 35.0) == pytest.approx(split_unit.COOLING_RATED_INPUT, abs=1e-5)
    assert split_unit.heating_capacity_factor(20.0, 7.0) == pytest.approx(split_unit.HEATING_RATED_CAPACITY, abs=1e-5)
    assert split_unit.heating_input_factor(20.0, 7.0) == pytest.approx(split_unit.HEATING_RATED_INPUT, abs=1e-5)
    assert split_unit.cooling_capacity_factor(19.4, 35.0) == pytest.approx(1.0, abs=0.015)
    assert split_unit.heating_capacity_factor(21.1, 8.3) == pytest.approx(1.0, abs=0.015)


@given(temperature_c=st.floats(0.0, 32.0))
def test_saturated_air_of_an_enthalpy_is_found_within_a_sixth_of_a_kelvin(temperature_c: float) -> None:
    enthalpy = enthalpy_j_kg(temperature_c, saturation_kg_kg(temperature_c))
    assert split_unit.saturated_c(enthalpy) == pytest.approx(temperature_c, abs=0.17)


@given(room_c=st.floats(20.0, 32.0), relative=st.floats(25.0, 85.0), ratio=st.floats(0.2, 1.2))
def test_a_coil_dries_humid_air_and_leaves_dry_air_alone(room_c: float, relative: float, ratio: float) -> None:
    humidity = humidity_kg_kg(room_c, relative)
    found = at_speed(GRADE_1, ratio, room_c=room_c, humidity=humidity, minutes=2)
    latent_w = found.state.moisture_kg_s * EVAPORATION_J_PER_KG
    assert found.state.heat_w < 0.0 <= latent_w
    # what leaves is never drier than the dew point allows: the mixed supply stays on the near side of saturation
    drier = at_speed(GRADE_1, ratio, room_c=room_c, humidity=0.9 * humidity, minutes=2)
    assert drier.state.moisture_kg_s <= found.state.moisture_kg_s + 1e-12


def test_the_sensible_share_falls_with_humidity_and_with_speed() -> None:
    def share(found: Lived) -> float:
        latent_w = found.state.moisture_kg_s * EVAPORATION_J_PER_KG
        return found.state.heat_w / (found.state.heat_w - latent_w)

    assert share(at_speed(GRADE_1, 1.0)) == pytest.approx(0.75, abs=0.04)
    assert share(at_speed(GRADE_1, 1.0, humidity=0.014)) < share(at_speed(GRADE_1, 1.0)) - 0.1
    assert share(at_speed(GRADE_1, 0.5)) > share(at_speed(GRADE_1, 1.0)) + 0.05
    assert share(at_speed(GRADE_1, 1.0, humidity=0.005)) == 1.0


def test_warmer_weather_costs_capacity_and_power_in_cooling_and_colder_in_heating() -> None:
    mild, hot = (at_speed(GRADE_1, 1.0, outdoor_c=t) for t in (25.0, 43.0))
    assert -mild.heat_w > -hot.heat_w
    assert mild.power_w / mild.heat_w > hot.power_w / hot.heat_w  # both negative
    cool, cold = (
        at_speed(GRADE_1, 1.0, heating=True, room_c=20.0, outdoor_c=t, outdoor_humidity=0.0) for t in (10.0, -15.0)
    )
    assert cool.heat_w > 1.5 * cold.heat_w
    assert cold.heat_w / cold.power_w > 1.2  # still worth more than an electric heater


def test_frost_takes_what_the_standard_takes_where_nobody_measured() -> None:
    """ISO 16358-2: at 2 °C and 1 °C wet bulb 1/1.12 of the dry capacity and 1/1.06 of the power."""
    weather: dict[str, Any] = {"heating": True, "room_c": 20.0, "outdoor_c": 2.0, "minutes": 2880}
    frosty = at_speed(GRADE_1, 1.0, outdoor_humidity=0.003652, **weather)
    dry = at_speed(GRADE_1, 1.0, outdoor_humidity=0.0, **weather)
    assert dry.heat_w / frosty.heat_w == pytest.approx(1.12, abs=0.03)
    assert dry.power_w / frosty.power_w == pytest.approx(1.06, abs=0.03)
    assert frosty.state.frost_kg >= 0.0


def test_a_defrost_melts_ice_with_heat_of_the_room_and_warms_up_again() -> None:
    found: list[Lived] = [
        at_speed(GRADE_1, 1.0, heating=True, room_c=20.0, outdoor_c=2.0, outdoor_humidity=0.0037, minutes=minutes)
        for minutes in range(40, 120)
    ]
    defrosting = [one.state for one in found if one.state.heat_w < 0.0]
    assert 2 <= len(defrosting) <= 8  # minutes
    assert all(state.running and state.power_w > 500.0 for state in defrosting)
    assert found[-1].state.starts == 1  # a defrost is no start


def test_off_takes_standby_and_in_the_cold_keeps_its_oil_warm() -> None:
    off = Lived(on=False)
    assert (off.heat_w, off.power_w, off.water_kg) == (0.0, GRADE_1.standby_w, 0.0)
    assert Lived(on=False, outdoor_c=0.0).power_w == GRADE_1.standby_w + GRADE_1.crankcase_w


def test_blowing_only_moves_air() -> None:
    found = Lived(fan_only=True, fan=3)
    assert found.heat_w == pytest.approx(GRADE_1.fan_w)
    assert found.power_w < GRADE_1.fan_w + 10.0
    assert found.state.starts == 0


def test_drying_takes_more_water_for_the_same_cooling() -> None:
    humid: dict[str, Any] = {"humidity": 0.014, "setpoint_c": 20.0}
    dry, cool = Lived(dry=True, **humid), at_speed(GRADE_1, 0.5, humidity=0.014)
    assert dry.water_kg / -dry.heat_w > 1.1 * cool.water_kg / -cool.heat_w


def test_little_air_costs_efficiency() -> None:
    slow, automatic = at_speed(GRADE_1, 1.0, fan=1), at_speed(GRADE_1, 1.0)
    assert -slow.heat_w < -automatic.heat_w
    assert slow.heat_w / slow.power_w > automatic.heat_w / automatic.power_w


def test_an_inverter_holds_its_setpoint_by_its_own_sensor() -> None:
    for offset_k in (-1.0, 0.0, 1.0):
        machine = replace(GRADE_1, sensor_offset_k=offset_k)
        found = Lived(machine, gain_w=1500.0, room_j_k=800e3, minutes=2880)
        assert found.room_c == pytest.approx(26.0 - offset_k, abs=0.3)
        assert found.starts == 0


def test_under_its_lowest_output_it_lets_the_room_drift_before_it_stops() -> None:
    found = Lived(gain_w=300.0, room_j_k=800e3, minutes=7 * 2880)
    assert 24.0 < found.room_c < 26.0
    assert 3 <= found.starts / (found.hours / 24.0) <= 15


def test_rest_and_run_have_their_least_lengths() -> None:
    machine = replace(GRADE_1, minimum_ratio=0.6)
    runs: list[tuple[bool, int]] = []
    units, states, panels = as_table([machine]), table(UnitState, 1), table(Panel, 1)
    panels["on"], panels["setpoint_c"] = True, 26.0
    unit_rows, state_rows, panel_rows = rows_of(units, Unit), rows_of(states, UnitState), rows_of(panels, Panel)
    air, sums = np.array([[28.0, 0.01, 30.0, 0.012, 300.0, 100e3]]), np.zeros((1, 5))
    for _ in range(1000):
        live(unit_rows, state_rows, panel_rows, air, sums, 1)
        running = bool(plain(states, UnitState)[0].running if COMPILED else state_rows[0].running)
        if runs and runs[-1][0] == running:
            runs[-1] = (running, runs[-1][1] + 1)
        else:
            runs.append((running, 1))
    whole = runs[1:-1]
    assert len(whole) > 10
    assert min(minutes for running, minutes in whole if running) >= 10
    assert min(minutes for running, minutes in whole if not running) >= 3


@given(
    setpoint_c=st.floats(16.0, 30.0),
    room_c=st.floats(10.0, 35.0),
    outdoor_c=st.floats(-20.0, 45.0),
    heating=st.booleans(),
    fan=st.integers(0, 3),
    name=st.sampled_from(list(MODELS)),
)
def test_heat_has_the_sign_of_the_mode_and_nothing_runs_away(
    setpoint_c: float, room_c: float, outdoor_c: float, heating: bool, fan: int, name: str
) -> None:
    found = Lived(
        UNITS[name], setpoint_c=setpoint_c, room_c=room_c, outdoor_c=outdoor_c, heating=heating, fan=fan,
        humidity=humidity_kg_kg(room_c, 60.0), outdoor_humidity=humidity_kg_kg(outdoor_c, 80.0),
    )  # fmt: skip
    machine, state = UNITS[name], found.state
    assert 0.0 < found.power_w < 3.0 * machine.cooling_power_w
    assert 0.0 <= state.frost_kg < 2.0 * split_unit.FROST_KG_PER_W * machine.rated_heating_w
    if state.running and not state.defrosting:
        assert machine.minimum_ratio <= state.frequency_ratio <= machine.maximum_heating_ratio
        melted = -split_unit.DEFROST_ROOM_RATIO * machine.rated_heating_w  # in the minute in which a defrost ended
        assert state.heat_w >= 0.0 or state.heat_w == melted if heating else state.heat_w <= 0.0
    assert state.moisture_kg_s == 0.0 if heating else state.moisture_kg_s >= 0.0


@pytest.mark.parametrize("name", ["apf_5_65", "grade_3", "fixed_speed"])
@pytest.mark.parametrize(("heating", "outdoor_c", "outdoor_kg_kg"), [(False, 33.0, 0.016), (True, 7.0, 0.005)])
@pytest.mark.parametrize(("gain_w", "within"), [(250.0, 0.08), (700.0, 0.03), (1400.0, 0.02), (2200.0, 0.02)])
def test_planners_are_told_what_the_unit_takes_in_the_long_run(
    name: str, heating: bool, outdoor_c: float, outdoor_kg_kg: float, gain_w: float, within: float
) -> None:
    """Least well where it cycles: there a start's first minutes, faster than the lowest frequency, are left out."""
    found = Lived(
        UNITS[name], heating=heating, outdoor_c=outdoor_c, outdoor_humidity=outdoor_kg_kg, room_j_k=800e3,
        gain_w=-gain_w if heating else gain_w, minutes=14 * 1440, room_c=24.0, setpoint_c=20.0 if heating else 26.0,
    )  # fmt: skip
    wet = outdoor_kg_kg if heating else RATED_KG_KG
    machine = rows_of(as_table([UNITS[name]]), Unit)[0]
    told_w = split_unit.steady_power_w(machine, found.heat_w, outdoor_c, found.room_c, wet, heating)
    assert told_w == pytest.approx(found.power_w, rel=within)


def test_planned_power_grows_with_heat_and_ends_at_the_most() -> None:
    machine = rows_of(as_table([GRADE_1]), Unit)[0]
    powers = [split_unit.steady_power_w(machine, -q, 33.0, 26.0, 0.0105, False) for q in range(0, 4000, 100)]
    assert all(later >= earlier for earlier, later in pairwise(powers))
    least_w, most_w = split_unit.heat_range_w(machine, 33.0, 26.0, 0.0105, False)
    assert 0.0 < least_w < most_w
    assert powers[-1] == split_unit.steady_power_w(machine, -1.01 * most_w, 33.0, 26.0, 0.0105, False)
    assert split_unit.steady_power_w(machine, 500.0, 33.0, 26.0, 0.0105, False) == powers[0]  # heat, while cooling


DIGEST = """
import json
from tests.simulator.test_split_unit import Lived
found = [Lived(gain_w=400.0, room_j_k=500e3, minutes=600),
         Lived(heating=True, setpoint_c=20.0, room_c=15.0, outdoor_c=1.0, outdoor_humidity=0.0035, gain_w=-900.0,
               room_j_k=500e3, minutes=600)]
print(json.dumps([[one.heat_w, one.power_w, one.water_kg, one.room_c, one.state.starts] for one in found]))
"""


@pytest.mark.skipif(not COMPILED, reason="already uncompiled")
def test_uncompiled_it_does_the_same() -> None:
    results = []
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        ran = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, check=True)
        results.append(np.array(json.loads(ran.stdout)))
    assert results[0] == pytest.approx(results[1], rel=1e-9)
