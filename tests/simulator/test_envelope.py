"""From layers to a room: walls against fine slices, glass against the standard's table, networks that are passive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.physics import envelope
from simulator.physics.envelope import Box, Element, Glazing, Layer, Layers, Mass, Window
from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K, density_kg_m3

BRICK = (Layer(0.02, 0.7, 1400.0, 1000.0), Layer(0.24, 0.8, 1700.0, 840.0), Layer(0.02, 0.7, 1400.0, 1000.0))
INSULATED = (Layer(0.009, 0.14, 530.0, 900.0), Layer(0.06, 0.04, 10.0, 1400.0), Layer(0.1, 0.51, 1400.0, 1000.0))
TIMBER = (Layer(0.009, 0.14, 530.0, 900.0), Layer(0.066, 0.04, 12.0, 840.0), Layer(0.012, 0.16, 950.0, 840.0))
SLAB = (Layer(1.0, 0.04), Layer(0.08, 1.13, 1400.0, 1000.0))
FILM, INSIDE = 20.0, 8.0


def in_slices(layers: Layers, pulsation: float, slices: int = 60) -> tuple[complex, complex]:
    """Inner surface's swing, by nodes: per W of heat on it (times 8) and per K of outdoor swing."""
    count = slices * len(layers) + 1
    y = np.zeros((count, count), dtype=complex)
    node = 0
    for layer in layers:
        for _ in range(slices):
            conductance = slices / layer.resistance_m2_k_w
            y[node, node] += conductance
            y[node + 1, node + 1] += conductance
            y[node, node + 1] -= conductance
            y[node + 1, node] -= conductance
            half = 0.5j * pulsation * layer.capacity_j_m2_k / slices
            y[node, node] += half
            y[node + 1, node + 1] += half
            node += 1
    y[0, 0] += FILM
    y[-1, -1] += INSIDE
    heat, outside = np.zeros(count), np.zeros(count)
    heat[-1], outside[0] = INSIDE, FILM
    return complex(np.linalg.solve(y, heat)[-1]), complex(np.linalg.solve(y, outside)[-1])


@pytest.mark.parametrize("layers", [BRICK, INSULATED, TIMBER, SLAB], ids=["brick", "insulated", "timber", "slab"])
@pytest.mark.parametrize("period_h", [2.0, 24.0, 168.0])
def test_two_capacities_swing_as_a_wall_in_60_slices(layers: Layers, period_h: float) -> None:
    pulsation = 2.0 * np.pi / (3600.0 * period_h)
    r1, c1, r2, c2, r3 = envelope.two_capacities(layers, FILM)
    y = np.array(
        [[1 / r1 + 1 / r2 + 1j * pulsation * c1, -1 / r2, 0], [-1 / r2, 1 / r2 + 1 / r3, -1 / r3], [0, -1 / r3, 0]]
    )
    y[1, 1] += 1j * pulsation * c2
    y[2, 2] = 1 / r3 + INSIDE
    heat = complex(np.linalg.solve(y, [0, 0, INSIDE])[2])
    outside = complex(np.linalg.solve(y, [1 / r1, 0, 0])[2])
    by_heat, by_outside = in_slices(layers, pulsation)
    assert abs(heat - by_heat) < 0.04
    assert abs(outside - by_outside) < 0.055  # a solid brick wall's lag of 9 h is more than two capacities can have


@pytest.mark.parametrize("layers", [BRICK, INSULATED, TIMBER, SLAB])
def test_steady_heat_through_two_capacities_is_that_of_the_layers(layers: Layers) -> None:
    r1, _, r2, _, r3 = envelope.two_capacities(layers, FILM)
    assert r1 + r2 + r3 == pytest.approx(1.0 / FILM + sum(layer.resistance_m2_k_w for layer in layers))


def test_inner_mass_answers_to_the_day_as_its_slices() -> None:
    resistance, capacity = envelope.one_capacity(BRICK[1:2])
    pulsation = 2.0 * np.pi / 86_400.0
    by_node = 1.0 / (INSIDE + 1.0 / (resistance + 1.0 / (1j * pulsation * capacity)))
    count = 201
    y = np.zeros((count, count), dtype=complex)
    layer = BRICK[1]
    for node in range(count - 1):
        conductance = (count - 1) / layer.resistance_m2_k_w
        half = 0.5j * pulsation * layer.capacity_j_m2_k / (count - 1)
        y[node : node + 2, node : node + 2] += np.array(
            [[conductance + half, -conductance], [-conductance, conductance + half]]
        )
    y[-1, -1] += INSIDE
    assert abs(by_node - np.linalg.solve(y, np.eye(count)[-1])[-1]) < 1e-4


# ASHRAE 140-2020, section 5.2.1: two clear panes of 3.048 mm, by angle
TABLE = {0: 0.703, 20: 0.699, 40: 0.678, 50: 0.646, 60: 0.577, 70: 0.438, 80: 0.208}


def transmitted(glass: Glazing, degrees: float) -> float:
    c = np.cos(np.radians(degrees))
    return float(sum(factor * c ** (power + 1) for power, factor in enumerate(glass.transmitted)))


def test_fresnel_panes_follow_the_table_of_the_standard() -> None:
    """Index and extinction such that one pane lets 0.834 through and reflects 0.075, as the standard says."""
    glass = envelope.panes(2, 0.003048, 5.208, extinction_1_m=31.44, index=1.5207)
    for degrees, wanted in TABLE.items():
        assert transmitted(glass, degrees) == pytest.approx(wanted, abs=0.03)
    assert glass.diffuse[0] == pytest.approx(0.601, abs=0.02)


def test_labelled_glazing_has_its_u_value_and_gain() -> None:
    glass = envelope.glazing(u_w_m2_k=1.4, shgc=0.60, transmittance=0.52)
    film_out, film_in = 1.0 / 25.0, 1.0 / 7.7
    assert 1.0 / (film_out + glass.resistance_m2_k_w + film_in) == pytest.approx(1.4)
    assert sum(glass.transmitted) == pytest.approx(0.52)
    inward = sum(glass.absorbed_inner) * (film_out + glass.resistance_m2_k_w) * 1.4
    assert 0.52 + inward == pytest.approx(0.60)


@pytest.mark.parametrize("u_w_m2_k", [1.4, 3.0, 5.5, 6.5])
def test_glass_that_leaks_more_than_a_pane_gains_no_more_than_its_label(u_w_m2_k: float) -> None:
    glass = envelope.glazing(u_w_m2_k, shgc=0.75, transmittance=0.675)
    outer = 1.0 / 25.0 + glass.resistance_m2_k_w
    inward = sum(glass.absorbed_inner) * outer / (outer + 1.0 / 7.7)
    assert 0.675 + inward == pytest.approx(0.75)
    assert sum(glass.transmitted) + sum(glass.absorbed_inner) < 1.0


layer_strategy = st.builds(
    Layer,
    st.floats(0.005, 0.3),
    st.floats(0.03, 2.0),
    st.floats(10.0, 2500.0),
    st.floats(500.0, 2000.0),
)
wall_strategy = st.lists(layer_strategy, min_size=1, max_size=4).map(tuple)


@settings(max_examples=40, deadline=None)
@given(
    walls=st.lists(wall_strategy, min_size=1, max_size=3),
    area_m2=st.floats(2.0, 100.0),
    window_m2=st.floats(0.0, 10.0),
    furniture_j_m2_k=st.floats(0.0, 50_000.0),
)
def test_any_room_is_passive(walls: list[Layers], area_m2: float, window_m2: float, furniture_j_m2_k: float) -> None:
    """No temperature leaves the range of what is around and of what was, and nothing grows: M and N never negative,
    each row sums to 1. At rest everything has the temperature of outdoors."""
    box = Box(
        floor_m2=20.0,
        volume_m3=54.0,
        elements=tuple(Element(area_m2, wall, facing=(1.0, 0.0, 0.0, 0.0, 0.0)) for wall in walls),
        mass=Mass(10.0, TIMBER[2:]),
        windows=(Window(window_m2, 0.0, -1.0),) if window_m2 > 0.1 else (),
        furniture_j_m2_k=furniture_j_m2_k,
    )
    net = envelope.network(box, 54.0 * 1.2 * 1006.0 + 20.0 * furniture_j_m2_k)
    m, n = envelope.discretise(net)
    assert m.min() > -1e-9
    assert n.min() > -1e-12
    assert m.sum(axis=1) + n[:, :4].sum(axis=1) == pytest.approx(1.0, abs=1e-7)
    assert np.abs(np.linalg.eigvals(m)).max() < 1.0
    assert net.star_node.sum() + net.star_input[:4].sum() == pytest.approx(1.0, abs=1e-7)


def test_discrete_step_is_the_matrix_exponential() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    box = Box(20.0, 54.0, (Element(30.0, BRICK, facing=(1.0, 0.0, 0.0, 0.0, 0.0)),), windows=(Window(3.0, 0.0, -1.0),))
    net = envelope.network(box, 54.0 * density_kg_m3(20.0) * AIR_HEAT_J_PER_KG_K)
    whole = np.zeros((15, 15))
    whole[:8, :8] = -net.conductance_w_k / net.capacity_j_k[:, None]
    whole[:8, 8:] = net.gain / net.capacity_j_k[:, None]
    exact = linalg.expm(60.0 * whole)
    m, n = envelope.discretise(net)
    assert m == pytest.approx(exact[:8, :8], abs=1e-9)
    assert n == pytest.approx(exact[:8, 8:], abs=1e-9)


def test_a_wall_with_nothing_behind_and_a_fourth_wall_are_refused() -> None:
    with pytest.raises(ValueError, match="shares of 1"):
        Element(10.0, BRICK, adjoining=0.5)
    with pytest.raises(ValueError, match="got 4"):
        Box(20.0, 54.0, (Element(10.0, BRICK, adjoining=1.0),) * 4)


def test_sherman_and_grimsrud_by_hand() -> None:
    """500 cm2, one storey, shelter 3, 4 m/s and 25 K: 500 sqrt(0.000145 25 + 0.000174 16) = 40.03 L/s."""
    some = envelope.leaks(0.05, storeys=1, shelter=3)
    assert np.sqrt(some.stack_m6_s2_k * 25.0 + some.wind_m4 * 16.0) == pytest.approx(0.04003, abs=1e-5)
