"""ASHRAE 140's cases: the building, the ranges, and the year in Denver where the weather file is there."""

from pathlib import Path

import pytest

from simulator.jit import COMPILED
from simulator.validation import bestest

REQUIRED = {
    *(f"case_{case}_{mode}_mwh" for case in (600, 900) for mode in ("heating", "cooling")),
    *(f"case_{case}ff_{end}_c" for case in (600, 900) for end in ("max", "min")),
}


@pytest.mark.skipif(not COMPILED, reason="six years by the minute need numba")
def test_required_cases_are_in_range(recorded_data: Path) -> None:
    rows = {row.name: row for row in bestest.rows(recorded_data)}
    assert set(rows) >= REQUIRED
    assert not [row for name, row in rows.items() if name in REQUIRED and not row.ok]


def test_without_weather_every_required_case_is_there_and_not_ok() -> None:
    rows = {row.name: row for row in bestest.rows(None)}
    assert set(rows) >= REQUIRED
    assert not any(row.ok for row in rows.values())


def programs(lines: list[str], heading: str) -> dict[str, list[float]]:
    """Results of the six programs by case, from one table of the standard's file."""
    start = next(at for at, line in enumerate(lines) if heading in line)
    found = {}
    for line in lines[start + 2 :]:
        if line.startswith(("-", "#")):
            break
        case, *cells = line.split(",")
        if "N/A" not in line:
            found[case.strip()] = [float(cell.split("(")[0]) for cell in cells[:6]]
    return found


def test_ranges_are_those_of_the_six_programs(recorded_data: Path) -> None:
    lines = (recorded_data / "bestest" / "ASHRAE140_2023_data.dat").read_text().splitlines()
    for heading, ranges, means in (
        ("Annual Heating Loads", bestest.HEATING_MWH, bestest.HEATING_MEAN_MWH),
        ("Annual Sensible Cooling Loads", bestest.COOLING_MWH, bestest.COOLING_MEAN_MWH),
    ):
        for case, (low, high) in ranges.items():
            six = programs(lines, heading)[str(case)]
            assert (low, high) == (min(six), max(six))
            assert means[case] == pytest.approx(sum(six) / 6.0, abs=6e-4)
    for heading, ranges in (("MAXIMUM", bestest.HOTTEST_C), ("MINIMUM", bestest.COLDEST_C)):
        for case, (low, high) in ranges.items():
            six = programs(lines, heading)[f"{case}FF"]
            assert (low, high) == (min(six), max(six))


def test_conductances_of_the_building_are_the_standards() -> None:
    """Walls 26.6 W/K, floor 1.87 W/K, roof 13.2 W/K, window 25.2 W/K with the standard's combined films."""
    box = bestest.building(heavy=False)
    for element, inside, outside, w_k in zip(
        box.elements, (1.8, 3.7, 1.7), (21.6, 5.2, 21.8), (26.598, 1.867, 13.237), strict=True
    ):
        layers = sum(layer.resistance_m2_k_w for layer in element.layers)
        assert element.area_m2 / (1.0 / inside + layers + 1.0 / outside) == pytest.approx(w_k, rel=0.005)
    assert 12.0 / (1.0 / 4.5 + box.glazing.resistance_m2_k_w + 1.0 / 17.8) == pytest.approx(25.184, rel=0.005)
