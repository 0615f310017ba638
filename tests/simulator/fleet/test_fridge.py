"""The fridge: closed energy balance, and the ranges that were measured of healthy ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.household import _fridge_parameters
from simulator.physics.fridge import FridgeState, step

DAY_MIN = 1440
temperatures = st.floats(-5.0, 40.0)


@given(
    air_c=temperatures,
    food_c=temperatures,
    room_c=temperatures,
    door_w=st.floats(0.0, 500.0),
    running=st.booleans(),
    powered=st.booleans(),
)
def test_all_current_ends_as_heat_in_the_room_or_in_the_fridge(
    air_c: float, food_c: float, room_c: float, door_w: float, running: bool, powered: bool
) -> None:
    """C_a dT_a + C_f dT_f + Q_room dt = P dt, in every state."""
    params, dt_s = _fridge_parameters(0), 60.0
    before = FridgeState(np.array([air_c]), np.array([food_c]), np.array([running]))
    after, out = step(
        before, params, powered=np.array([powered]), room_c=np.array([room_c]), door_w=np.array([door_w]), dt_s=dt_s
    )
    stored_j = params.air_capacity_j_per_k * (after.air_c - before.air_c)
    stored_j = stored_j + params.food_capacity_j_per_k * (after.food_c - before.food_c)
    assert float((stored_j + out.heat_w * dt_s - out.power_w * dt_s)[0]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("room_c", [25.0, 28.0, 31.0])
def test_a_day_lies_within_what_was_measured_of_healthy_fridges(seed: int, room_c: float) -> None:
    """20-32 cycles, 62-130 W while on, a duty of 0.14-0.44, 0.4-0.85 kWh (tracebase)."""
    power_w = np.array(_day(seed, room_c)[0])
    on = power_w > 20.0
    assert 20 <= int((np.diff(on.astype(int)) == 1).sum()) <= 32
    assert power_w[on].min() >= 62.0
    assert power_w[on].max() <= 130.0
    assert 0.14 <= on.mean() <= 0.44
    assert 0.4 <= power_w.sum() / 60.0 / 1000.0 <= 0.85


def test_the_air_stays_between_the_thermostats_limits_but_for_a_minutes_run() -> None:
    air_c = np.array(_day(0, 28.0)[1])
    params = _fridge_parameters(0)
    assert air_c.min() > params.cut_out_c[0] - 0.5
    assert air_c.max() < params.cut_in_c[0] + 0.5


def test_without_current_it_takes_none_and_warms_towards_the_room() -> None:
    params = _fridge_parameters(0)
    state = FridgeState(np.array([4.0]), np.array([4.0]), np.array([True]))
    for _ in range(6 * DAY_MIN):
        state, out = step(
            state, params, powered=np.array([False]), room_c=np.array([28.0]), door_w=np.zeros(1), dt_s=60.0
        )
        assert out.power_w[0] == 0.0
    assert state.food_c[0] == pytest.approx(28.0, abs=0.5)


def _day(seed: int, room_c: float) -> tuple[list[float], list[float]]:
    """Power and air of the second day in a room of one temperature, the door shut."""
    params = _fridge_parameters(seed)
    state = FridgeState(np.array([4.0]), np.array([4.0]), np.array([False]))
    power_w, air_c = [], []
    for _ in range(2 * DAY_MIN):
        state, out = step(
            state,
            params,
            powered=np.array([True]),
            room_c=np.array([room_c]),
            door_w=np.array([4.0]),
            dt_s=60.0,
        )
        power_w.append(float(out.power_w[0]))
        air_c.append(float(state.air_c[0]))
    return power_w[DAY_MIN:], air_c[DAY_MIN:]
