"""Room physics against closed forms, and the balance of energy and water."""

import numpy as np
import pytest

from simulator.physics.room import (
    AIR_DENSITY_KG_M3,
    Array,
    RoomParameters,
    RoomState,
    humidity_ratio,
    relative_humidity_pct,
    saturation_pressure_pa,
    step,
)


def one(value: float) -> Array:
    return np.array([value])


ROOM = RoomParameters(
    air_capacity_j_per_k=one(3e5),
    mass_capacity_j_per_k=one(4e6),
    air_outdoor_k_per_w=one(0.03),
    air_mass_k_per_w=one(0.005),
    mass_outdoor_k_per_w=one(0.06),
    solar_aperture_m2=one(1.0),
    solar_to_mass_ratio=one(0.6),
    volume_m3=one(45.0),
    air_changes_per_h=one(0.6),
)


def advance(
    state: RoomState,
    steps: int = 1,
    *,
    outdoor_c: float = 30.0,
    solar: float = 0.0,
    heat_w: float = 0.0,
    moisture_kg_s: float = 0.0,
) -> RoomState:
    for _ in range(steps):
        state = step(
            state,
            ROOM,
            outdoor_c=one(outdoor_c),
            outdoor_humidity_kg_kg=one(0.015),
            solar_w_m2=one(solar),
            heat_w=one(heat_w),
            moisture_kg_s=one(moisture_kg_s),
            dt_s=60.0,
        )
    return state


def at(air_c: float, mass_c: float, humidity: float = 0.01) -> RoomState:
    return RoomState(one(air_c), one(mass_c), one(humidity))


def test_a_room_as_warm_as_outdoors_does_not_move() -> None:
    after = advance(at(30.0, 30.0))
    assert after.air_c == pytest.approx(30.0)
    assert after.mass_c == pytest.approx(30.0)


def test_steady_state_is_that_of_the_resistances() -> None:
    """Heat leaves through R_ao beside R_am + R_mo: R = 1 / (1/0.03 + 1/0.065) = 0.02053; 30 + 500 R = 40.26 °C.

    The mass divides the way between air and outdoors: T_m = T_o + (T_a - T_o) 0.06 / 0.065.
    """
    after = advance(at(30.0, 30.0), 20 * 1440, heat_w=500.0)
    total_k_per_w = 1.0 / (1.0 / 0.03 + 1.0 / 0.065)
    assert after.air_c == pytest.approx(30.0 + 500.0 * total_k_per_w, abs=0.01)
    assert after.mass_c == pytest.approx(30.0 + 500.0 * total_k_per_w * 0.06 / 0.065, abs=0.01)


def test_a_free_room_decays_with_the_slow_time_constant() -> None:
    """The slow eigenvalue of the two-node matrix, computed by NumPy, is the rate after the fast mode has died."""
    a, m = 3e5, 4e6
    matrix = np.array([[-(1 / 0.03 + 1 / 0.005) / a, 1 / 0.005 / a], [1 / 0.005 / m, -(1 / 0.005 + 1 / 0.06) / m]])
    slow_per_s = float(np.max(np.linalg.eigvals(matrix).real))
    early = advance(at(20.0, 20.0), 300)
    late = advance(early, 300)
    ratio = float((late.air_c[0] - 30.0) / (early.air_c[0] - 30.0))
    assert ratio == pytest.approx(np.exp(slow_per_s * 300 * 60.0), rel=0.003)


def test_energy_is_kept() -> None:
    """What the nodes gain in a step is what sun, heat and the two ways outdoors bring."""
    before = at(24.0, 27.0)
    after = advance(before, solar=600.0, heat_w=-1500.0)
    gained_j = 3e5 * (after.air_c - before.air_c) + 4e6 * (after.mass_c - before.mass_c)
    brought_w = 600.0 * 1.0 - 1500.0 + (30.0 - 24.0) / 0.03 + (30.0 - 27.0) / 0.06
    assert gained_j == pytest.approx(60.0 * brought_w)


def test_sun_is_shared_between_air_and_mass() -> None:
    """0.4 of 600 W warm 300 kJ/K of air for 60 s: 0.048 K; 0.6 of it 4 MJ/K of mass: 0.0054 K."""
    after = advance(at(30.0, 30.0), solar=600.0)
    assert after.air_c == pytest.approx(30.048)
    assert after.mass_c == pytest.approx(30.0054)


def test_water_is_kept() -> None:
    before = at(25.0, 25.0, humidity=0.010)
    after = advance(before, moisture_kg_s=2e-5)
    air_kg = 45.0 * AIR_DENSITY_KG_M3
    gained_kg = air_kg * (after.humidity_kg_kg - before.humidity_kg_kg)
    assert gained_kg == pytest.approx(60.0 * (air_kg * 0.6 / 3600.0 * (0.015 - 0.010) + 2e-5))


def test_the_input_is_not_changed() -> None:
    before = at(24.0, 27.0)
    advance(before, heat_w=1000.0)
    assert (before.air_c[0], before.mass_c[0], before.humidity_kg_kg[0]) == (24.0, 27.0, 0.01)


def test_saturation_pressure_is_that_of_steam_tables() -> None:
    """2339 Pa at 20 °C and 4247 Pa at 30 °C (ASHRAE Handbook of Fundamentals), within the 0.4 % of its authors."""
    assert saturation_pressure_pa(np.array([20.0, 30.0])) == pytest.approx([2339.0, 4247.0], rel=4e-3)


def test_humidity_goes_there_and_back() -> None:
    temperature_c, humidity_pct = np.array([5.0, 26.0, 38.0]), np.array([80.0, 55.0, 30.0])
    back = relative_humidity_pct(temperature_c, humidity_ratio(temperature_c, humidity_pct))
    assert back == pytest.approx(humidity_pct)
