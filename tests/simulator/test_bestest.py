"""ASHRAE 140's cases, from the weather file where ``LINGYUN_DATA`` names the folder that has it."""

import os
from pathlib import Path

import pytest

from simulator.jit import COMPILED
from simulator.validation import bestest

DATA = os.environ.get("LINGYUN_DATA")
REQUIRED = {
    *(f"case_{case}_{mode}_mwh" for case in (600, 900) for mode in ("heating", "cooling")),
    *(f"case_{case}ff_{end}_c" for case in (600, 900) for end in ("max", "min")),
}


@pytest.mark.skipif(DATA is None, reason="LINGYUN_DATA does not say where the weather files are")
@pytest.mark.skipif(not COMPILED, reason="six years by the minute need numba")
def test_required_cases_are_in_range() -> None:
    rows = {row.name: row for row in bestest.rows(Path(str(DATA)))}
    assert set(rows) >= REQUIRED
    assert not [row for name, row in rows.items() if name in REQUIRED and not row.ok]


def test_ranges_are_those_of_six_programs() -> None:
    """Mean between the ends, setback saves heat, the heavy building needs less."""
    for ranges, means in (
        (bestest.HEATING_MWH, bestest.HEATING_MEAN_MWH),
        (bestest.COOLING_MWH, bestest.COOLING_MEAN_MWH),
    ):
        assert all(ranges[case][0] < means[case] < ranges[case][1] for case in ranges)
        assert means[640] < means[600]
        assert means[940] < means[900] < means[600]


def test_conductances_of_the_building_are_the_standards() -> None:
    """Walls 26.6 W/K, floor 1.87 W/K, roof 13.2 W/K, window 25.2 W/K with the standard's combined films."""
    box = bestest.building(heavy=False)
    for element, inside, outside, w_k in zip(
        box.elements, (1.8, 3.7, 1.7), (21.6, 5.2, 21.8), (26.598, 1.867, 13.237), strict=True
    ):
        layers = sum(layer.resistance_m2_k_w for layer in element.layers)
        assert element.area_m2 / (1.0 / inside + layers + 1.0 / outside) == pytest.approx(w_k, rel=0.005)
    assert 12.0 / (1.0 / 4.5 + box.glazing.resistance_m2_k_w + 1.0 / 17.8) == pytest.approx(25.184, rel=0.005)
