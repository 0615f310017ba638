"""The refrigerator: closed energy balance, food safety in health, and what faults and doors do."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.catalogue.fridges import MODELS, fridges
from simulator.faults import REFRIGERATOR_FAULTS
from simulator.physics.refrigerator import (
    SUBLIMATION_J_PER_KG,
    Refrigerator,
    RefrigeratorState,
    add_food,
    step,
)
from simulator.records import Table, as_table, plain
from simulator.validation.fridges import door_openings, rows, run

DAY_MIN = 1440


def stored_j(constants: Table, states: Table) -> float:
    """Heat in air and food of the first fridge, and the frost's, which is below vapour by its sublimation."""
    fridge, state = plain(constants, Refrigerator)[0], plain(states, RefrigeratorState)[0]
    return (
        fridge.fresh_air_j_per_k * state.fresh_air_c
        + fridge.freezer_air_j_per_k * state.freezer_air_c
        + state.fresh_food_j_per_k * state.fresh_food_c
        + state.freezer_food_j_per_k * state.freezer_food_c
        - SUBLIMATION_J_PER_KG * state.frost_kg
    )


@pytest.mark.parametrize("name", MODELS)
@given(
    fresh_c=st.floats(-2.0, 30.0),
    freezer_c=st.floats(-26.0, 30.0),
    room_c=st.floats(5.0, 40.0),
    humidity=st.floats(0.001, 0.025),
    door_kg_s=st.floats(0.0, 0.003),
    frost_kg=st.floats(0.0, 1.0),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_all_current_ends_as_heat_in_the_room_or_in_the_cabinet(
    name: str,
    fresh_c: float,
    freezer_c: float,
    room_c: float,
    humidity: float,
    door_kg_s: float,
    frost_kg: float,
    flags: tuple[bool, bool, bool],
) -> None:
    constants, states = fridges([name])
    states["fresh_air_c"], states["freezer_air_c"], states["frost_kg"] = fresh_c, freezer_c, frost_kg
    states["running"], states["damper_open"], states["run_since_defrost_s"] = flags[0], flags[1], 1e6 * flags[2]
    before_j = stored_j(constants, states)
    step(constants[0], states[0], True, room_c, humidity, door_kg_s, 60.0)
    gained_j = stored_j(constants, states) - before_j
    assert gained_j == pytest.approx(60.0 * float(states["power_w"][0] - states["heat_w"][0]), abs=2e-3)


def test_every_model_lies_within_what_was_measured_of_healthy_ones() -> None:
    found = rows()
    assert len(found) >= len(MODELS)
    assert [one for one in found if not one.ok] == []


def test_healthy_food_stays_safe_in_a_warm_kitchen() -> None:
    names = [name for name, model in MODELS.items() if model.has_damper]
    constants, states = fridges(names)
    doors_kg_s = door_openings(np.random.default_rng(1), 6)
    for _ in range(2):
        run(constants, states, doors_kg_s, 31.0, np.zeros((doors_kg_s.size, len(names))))
        assert (states["fresh_food_c"] <= 5.0).all()
        assert (states["freezer_food_c"] <= -15.0).all()


def test_frost_is_melted_again_and_the_wish_to_wait_is_obeyed_for_a_while_only() -> None:
    constants, states = fridges(["no_frost_320l"])
    states["hold_defrost"] = True
    hours = []
    for minute in range(6 * DAY_MIN):
        step(constants[0], states[0], True, 25.0, 0.012, 0.0001, 60.0)
        if states["defrosting"][0]:
            hours.append(float(states["run_since_defrost_s"][0]) / 3600.0)
        if minute == 3 * DAY_MIN:
            states["hold_defrost"] = False
    assert max(hours) >= 1.24 * 9.0  # put off to the end of the grace
    assert min(hours) < 1.1 * 9.0
    assert states["frost_kg"][0] < 0.5


def test_a_relay_that_sticks_never_lets_the_compressor_stop() -> None:
    constants, states = fridges(["top_freezer_210l"])
    constants["never_stops"] = True
    power_w = np.zeros((DAY_MIN, 1))
    run(constants, states, np.zeros(DAY_MIN), 25.0, power_w)
    assert (power_w > 20.0).all()
    assert 1.5 < power_w.sum() / 60e3 < 3.0  # two such units used 1.9 and 2.5 kWh a day


def test_warm_food_warms_the_food_and_costs_current() -> None:
    states = fridges(["inverter_350l"])[1]
    before_c, before_j = float(states["fresh_food_c"][0]), float(states["fresh_food_j_per_k"][0])
    add_food(states[0], False, 10_000.0, 25.0)
    mixed_c = (before_j * before_c + 10_000.0 * 25.0) / (before_j + 10_000.0)
    assert states["fresh_food_c"][0] == pytest.approx(mixed_c)
    add_food(states[0], False, -1e9, 0.0)
    assert states["fresh_food_j_per_k"][0] == 400.0
    assert states["fresh_food_c"][0] == pytest.approx(mixed_c)


@pytest.mark.parametrize("fault", REFRIGERATOR_FAULTS)
def test_a_fault_costs_current_and_none_of_it_costs_nothing(fault: str) -> None:
    """Two days in a warm kitchen; a cabinet that no longer keeps its temperatures has lost what current cannot buy."""
    used_kwh, food_c = [], []
    for severity in (0.0, 0.5, 1.0):
        healthy, states = fridges(["bottom_freezer_280l"])
        sick = REFRIGERATOR_FAULTS[fault](plain(healthy, Refrigerator)[0], severity)
        if severity == 0.0:
            assert sick == plain(healthy, Refrigerator)[0]
        power_w = np.zeros((4 * DAY_MIN, 1))
        run(as_table([sick]), states, door_openings(np.random.default_rng(2), 4), 28.0, power_w)
        used_kwh.append(float(power_w.sum()) / 60e3)
        food_c.append(float(states["freezer_food_c"][0]))
    assert used_kwh[2] > 1.1 * used_kwh[0] or food_c[2] > food_c[0] + 2.0
    assert used_kwh[1] >= 0.98 * used_kwh[0]


def test_a_severity_beyond_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"severity 1\.5"):
        REFRIGERATOR_FAULTS["worn_seal"](MODELS["compact_95l"], 1.5)


SCRIPT = """
from simulator.catalogue.fridges import fridges
from simulator.physics.refrigerator import Refrigerator, RefrigeratorState, step
from simulator.jit import COMPILED
from simulator.records import plain, rows_of
constants, states = fridges(["no_frost_320l"])
fridge, state = rows_of(constants, Refrigerator)[0], rows_of(states, RefrigeratorState)[0]
for _ in range(900):
    step(fridge, state, True, 25.0, 0.010, 0.0002, 60.0)
state = state if type(state) is RefrigeratorState else plain(states, RefrigeratorState)[0]
print(COMPILED, state.fresh_air_c, state.frost_kg, state.power_w)
"""


def test_without_a_compiler_the_same_comes_out() -> None:
    compiled, plain = (
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for disabled in ("0", "1")
    )
    assert (compiled[0], plain[0]) == ("True", "False")
    assert [float(one) for one in plain[1:]] == pytest.approx([float(one) for one in compiled[1:]], abs=1e-9)
