"""Learning a room of two nodes, and planning on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("numba")

from benchmarks.savings import mpc

Array = NDArray[np.float64]

WIDTH = np.array(mpc.PRIOR_WIDTH)


def middling(floor_m2: float = 20.0) -> Array:
    theta = np.array(mpc.PRIOR_PER_M2) * floor_m2
    theta[mpc.HEATING] = 1.0
    theta = np.log(np.maximum(theta, 1e-9))
    theta[mpc.GAIN] = 0.0
    return theta


def month(truth: Array, rng: np.random.Generator, noise_k: float = 0.05) -> tuple[Array, Array, Array, Array, Array]:
    """Two weeks of a room of two nodes with a unit that goes on and off: room, outdoor, sun, heat, occupied."""
    quarters = 14 * 96
    hour = np.arange(quarters) / 4.0 % 24.0
    outdoor_c = 30.0 + 5.0 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi) + np.repeat(rng.normal(0.0, 2.0, 14), 96)
    sun_kw_m2 = np.maximum(0.0, np.sin((hour - 6.0) / 12.0 * np.pi)) * np.repeat(rng.uniform(0.2, 0.9, 14), 96)
    occupied = ((hour < 8.0) | (hour >= 18.0)).astype(np.float64)
    heat_kw = -np.repeat(rng.uniform(0.0, 1.2, quarters // 4) * (rng.random(quarters // 4) < 0.5), 4)
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    mpc.two_nodes(truth, step, inputs)
    nodes, room_c = np.array([28.0, 28.0]), np.empty(quarters)
    for k in range(quarters):
        room_c[k] = nodes[0]
        q = heat_kw[k] + truth[mpc.GAIN]
        nodes = step @ nodes + inputs @ np.array([outdoor_c[k], sun_kw_m2[k], q, occupied[k]])
    return room_c + rng.normal(0.0, noise_k, quarters), outdoor_c, sun_kw_m2, heat_kw, occupied


def a_day_ahead(theta: Array, past: tuple[Array, ...]) -> Array:
    """Air of the last day, simulated from its beginning without looking."""
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    mpc.two_nodes(theta, step, inputs)
    room_c, outdoor_c, sun_kw_m2, heat_kw, occupied = past
    nodes, air_c = np.array([room_c[0], room_c[0]]), np.empty(room_c.size)
    for k in range(room_c.size):
        air_c[k] = nodes[0]
        nodes = step @ nodes + inputs @ np.array(
            [outdoor_c[k], sun_kw_m2[k], heat_kw[k] + theta[mpc.GAIN], occupied[k]]
        )
    return air_c[-96:]


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_room_as_warm_as_outdoors_stays_so(seed: int) -> None:
    """At T_a = T_m = T_o nothing flows: each row of the step and the effect of outdoors add to one."""
    theta = middling() + np.random.default_rng(seed).normal(0.0, 0.5, mpc.PARAMETERS) * WIDTH
    step, inputs = np.empty((2, 2)), np.empty((2, 4))
    mpc.two_nodes(theta, step, inputs)
    assert step.sum(axis=1) + inputs[:, 0] == pytest.approx(np.ones(2), abs=1e-9)
    assert np.all(step >= 0.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fit_finds_how_a_room_answers(seed: int) -> None:
    """A day of 24 h simulated with the fitted room stays within 0.3 K; with the prior it does not."""
    rng = np.random.default_rng(seed)
    prior = middling()
    truth = prior + np.sign(rng.normal(size=mpc.PARAMETERS)) * 0.6 * WIDTH
    past = month(truth, rng)
    theta = prior.copy()
    mpc.fit(theta, prior, WIDTH, *past, 12)
    actual_c = a_day_ahead(truth, past)
    fitted_k, prior_k = (float(np.mean(np.abs(a_day_ahead(one, past) - actual_c))) for one in (theta, prior))
    assert fitted_k < 0.3
    assert prior_k > 2.0 * fitted_k


def test_fit_survives_a_thermometer_that_is_missing_at_times() -> None:
    rng = np.random.default_rng(1)
    room_c, outdoor_c, sun_kw_m2, heat_kw, occupied = month(middling(), rng)
    room_c[100:130] = np.nan
    theta = middling()
    mpc.fit(theta, middling(), WIDTH, room_c, outdoor_c, sun_kw_m2, heat_kw, occupied, 3)
    assert np.all(np.isfinite(theta))


@given(load=st.floats(0.0, 1.2), outdoor_c=st.floats(-10.0, 42.0), heating=st.booleans(), rated_kw=st.floats(2.0, 8.0))
def test_heat_of_power_is_the_inverse_of_the_curve(
    load: float, outdoor_c: float, heating: bool, rated_kw: float
) -> None:
    full = mpc.rated_kw(rated_kw, heating, outdoor_c)
    least = mpc.CURVE_0 + mpc.LEAST_LOAD * (mpc.CURVE_1 + mpc.LEAST_LOAD * mpc.CURVE_2)
    at = mpc.CURVE_0 + load * (mpc.CURVE_1 + load * mpc.CURVE_2)
    power_kw = full * (at if load >= mpc.LEAST_LOAD else least * load / mpc.LEAST_LOAD) + mpc.STANDBY_KW
    assert mpc.heat_of_power(power_kw, rated_kw, heating, outdoor_c) == pytest.approx(load * rated_kw, abs=1e-6)
