"""What EnergyPlus and our plant share: the room, the unit's tables; the callback; and the comparison."""

import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.jit import COMPILED
from simulator.physics import split_unit
from simulator.physics.envelope import DOUBLE_CLEAR
from simulator.physics.moist_air import wet_bulb_c
from simulator.physics.split_unit import Unit
from simulator.records import as_table, rows_of
from simulator.validation import energyplus
from simulator.validation.energyplus import HOUSES, LEAKY, LIGHT
from simulator.validation.energyplus_model import (
    RATED_COOLING_C,
    RATED_DRY_C,
    Course,
    House,
    Mode,
    Seen,
    UnitMap,
    document,
    run,
)
from simulator.weather.epw import EpwYear, read_epw

GROUND_C = (12.0,) * 12
needs_energyplus = pytest.mark.skipif(
    find_spec("pyenergyplus") is None and os.environ.get("CI") != "true",
    reason="pyenergyplus not installed (the extra `energyplus`)",
)


@pytest.fixture(scope="module")
def epw() -> Path:
    return energyplus.weather_file("chicago")


@pytest.fixture(scope="module")
def tables() -> UnitMap:
    return energyplus.unit_map(energyplus.unit_for(LIGHT, calm_to_windy_year()))


@pytest.fixture(scope="module")
def winter(epw: Path, tables: UnitMap) -> tuple[Course, list[Seen]]:
    """Four cold days at 22 °C, and what the controller saw."""
    seen: list[Seen] = []

    def hold(now: Seen) -> tuple[float, float]:
        seen.append(now)
        return 28.0, 22.0

    return run(LIGHT, tables, epw, GROUND_C, hold, days=4), seen


@needs_energyplus
def test_a_controller_is_asked_every_quarter_of_an_hour_and_obeyed(winter: tuple[Course, list[Seen]]) -> None:
    course, seen = winter
    assert [now.at_s for now in seen] == list(range(0, 4 * 86_400, 900))
    assert np.array(course.air_c[24:30]) == pytest.approx(22.0, abs=0.05)  # night
    assert 21.9 < min(course.air_c[1:]) < max(course.air_c[1:]) < 28.1
    assert min(course.heat_w[24:30]) > 0.0


@needs_energyplus
def test_powers_that_a_controller_sees_add_up_to_the_hours(winter: tuple[Course, list[Seen]]) -> None:
    course, seen = winter
    hour = [now.power_w for now in seen if 10 * 3600 < now.at_s <= 11 * 3600]
    assert np.mean(hour) == pytest.approx(course.power_w[10], rel=1e-6)


@needs_energyplus
def test_energyplus_coil_takes_what_our_unit_takes_in_the_long_run(epw: Path) -> None:
    """Hours in which the compressor never rests, above the frost: the sums agree within the curves' grid and 2 %."""
    unit = energyplus.unit_for(LEAKY, read_epw(energyplus.weather_file("tampa")))
    warm = energyplus.weather_file("tampa")
    course = run(LEAKY, energyplus.unit_map(unit), warm, GROUND_C, lambda seen: (40.0, 29.0), days=5)
    one = rows_of(as_table([unit]), Unit)[0]
    ours, theirs = 0.0, 0.0
    for air_c, outdoor_c, heat_w, power_w in zip(
        course.air_c, course.outdoor_c, course.heat_w, course.power_w, strict=True
    ):
        least_w, _ = split_unit.heat_range_w(one, outdoor_c, air_c, 0.0, True)
        if heat_w > 1.1 * least_w and outdoor_c > 6.0 and abs(air_c - 29.0) < 0.01:
            ours += split_unit.steady_power_w(one, heat_w, outdoor_c, air_c, 0.0, True)
            theirs += power_w
    assert theirs > 2000.0
    assert ours == pytest.approx(theirs, rel=0.02)


@needs_energyplus
def test_an_error_of_the_controller_ends_the_run_and_is_raised(epw: Path, tables: UnitMap) -> None:
    def fail(seen: Seen) -> tuple[float, float]:
        raise ValueError(f"no idea at {seen.at_s} s")

    with pytest.raises(ValueError, match="no idea at 0 s"):
        run(LIGHT, tables, epw, GROUND_C, fail, days=1)


@needs_energyplus
@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.name)
def test_every_house_runs_without_a_unit(house: House, epw: Path) -> None:
    course = run(house, None, epw, GROUND_C, days=2)
    assert len(course.air_c) == 48
    assert sum(course.power_w) == 0.0
    assert min(course.outdoor_c) < min(course.air_c) < max(course.air_c) < 60.0


@needs_energyplus
@pytest.mark.slow
@pytest.mark.skipif(not COMPILED, reason="18 years by the minute need numba")
def test_all_27_rows_are_ok() -> None:
    rows = energyplus.rows()
    assert len(rows) == 27
    assert not [row for row in rows if not row.ok]


def test_without_energyplus_every_row_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyenergyplus", None)
    rows = energyplus.rows()
    assert {row.name for row in rows} == {
        f"energyplus_{city}_{house}_{what}"
        for city in ("phoenix", "tampa", "chicago")
        for house in ("light", "masonry", "leaky")
        for what in ("electricity_ratio", "free_float_rmse_k", "controlled_rmse_k")
    }
    assert not any(row.ok for row in rows)
    assert all("energyplus" in row.source for row in rows)


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.name)
def test_both_descriptions_have_the_same_surfaces(house: House) -> None:
    """Areas of EnergyPlus' polygons, by the cross product, against those of our elements, masses and windows."""
    year = calm_to_windy_year()
    model, ours = document(house, None, 4, GROUND_C), energyplus.box(house, year)
    surfaces = {
        name: _area_m2([tuple(point.values()) for point in one["vertices"]])
        for name, one in model["BuildingSurface:Detailed"].items()
    }
    windows = [
        _area_m2([tuple(one[f"vertex_{i}_{axis}_coordinate"] for axis in "xyz") for i in range(1, 5)])
        for one in model["FenestrationSurface:Detailed"].values()
    ]
    assert ours.mass is not None
    assert sum(windows) == pytest.approx(sum(window.area_m2 for window in ours.windows))
    outer_m2 = sum(element.area_m2 for element in ours.elements)
    party_m2 = sum(area for name, area in surfaces.items() if house.sides[name].behind == "adiabatic")
    assert outer_m2 == pytest.approx(sum(surfaces.values()) - sum(windows) - party_m2)
    assert ours.mass.area_m2 == pytest.approx(party_m2 + house.partition_m2)


def calm_to_windy_year() -> EpwYear:
    flat = [np.full(8760, value) for value in (10.0, 0.005, 0.0, 0.0, 0.0)]
    return EpwYear("here", 40.0, -90.0, 0.0, 0.0, flat[0], flat[1], np.linspace(0.0, 9.0, 8760), *flat[2:])


def _area_m2(points: list[tuple[float, ...]]) -> float:
    a, b, _, d = (np.array(point) for point in points)
    return float(np.linalg.norm(np.cross(b - a, d - a)))


def test_tables_say_what_the_unit_does(tables: UnitMap) -> None:
    unit = rows_of(as_table([energyplus.unit_for(LIGHT, calm_to_windy_year())]), Unit)[0]
    i, j = tables.cooling.inside_c.index(19.0), tables.cooling.outside_c.index(35.0)
    humidity = energyplus._humidity(RATED_DRY_C, 19.0)
    top = unit["maximum_cooling_ratio"] if COMPILED else unit.maximum_cooling_ratio
    heat_w, power_w = split_unit.held(unit, top, 35.0, RATED_DRY_C, humidity, False)
    assert tables.cooling.power_w[-1][i][j] == pytest.approx(power_w)
    assert tables.cooling.capacity_w[-1][i][j] > heat_w  # some of it is latent


@pytest.mark.parametrize("mode", ["cooling", "heating"])
def test_capacity_and_air_rise_with_speed(tables: UnitMap, mode: str) -> None:
    table: Mode = getattr(tables, mode)
    assert np.all(np.diff(np.array(table.capacity_w), axis=0) > 0.0)
    assert np.all(np.diff(table.air_m3_s) > 0.0)
    assert 0.0 <= table.cycling_loss < 0.5


@given(dry_c=st.floats(15.0, 35.0), depression_k=st.floats(0.0, 8.0))
def test_humidity_is_the_inverse_of_the_wet_bulb(dry_c: float, depression_k: float) -> None:
    humidity = energyplus._humidity(dry_c, dry_c - depression_k)
    if humidity > 0.0:
        assert wet_bulb_c(dry_c, humidity) == pytest.approx(dry_c - depression_k, abs=1e-3)


@given(cosine=st.floats(0.05, 1.0))
def test_glass_passes_less_than_falls_on_it_and_no_more_than_by_fresnel(cosine: float) -> None:
    powers = cosine ** np.arange(1, 6)
    two = energyplus.glass(2)
    passed, outer, inner = (
        float(powers @ np.array(x)) for x in (two.transmitted, two.absorbed_outer, two.absorbed_inner)
    )
    assert 0.0 < passed < 1.0 - outer - inner
    assert passed < float(powers @ np.array(DOUBLE_CLEAR.transmitted)) + 0.005


def test_rated_point_lies_on_the_grid() -> None:
    assert energyplus.WET_C[0] < RATED_COOLING_C[0] < energyplus.WET_C[-1]
    assert RATED_COOLING_C[1] in energyplus.HOT_C


def test_units_are_sized_for_the_coldest_hours() -> None:
    """Leaky: walls, roof, single glass and cracks lose 150 W/K or so: 3.5 kW at 5 °C, 7.2 kW at -20 °C."""
    assert 100.0 < energyplus.loss_w_k(LEAKY) < 200.0
    mild = replace(calm_to_windy_year(), outdoor_c=np.full(8760, 5.0))
    harsh = replace(mild, outdoor_c=np.full(8760, -20.0))
    assert energyplus.unit_for(LEAKY, mild).rated_cooling_w == 3500.0
    assert energyplus.unit_for(LEAKY, harsh).rated_cooling_w == 7200.0
