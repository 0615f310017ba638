"""Homes: the same whatever else is drawn, inside their ranges, and used as surveys found."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator import customs, dwellings, faults, homes, prices, residents
from simulator.homes import Homes
from simulator.jit import COMPILED
from simulator.physics import envelope
from simulator.weather import Climate
from simulator.weather.climates import CHONGQING, CITIES, HARBIN, KUNMING, SHANGHAI, SINGAPORE, TOKYO

NEW_YEAR_S = 1_767_196_800.0  # 2026-01-01 at midnight in China
JULY_S = 1_782_835_200.0
DAY = 288
BY_HOME = ("rooms", "room_states", "units", "panels", "persons", "habits")
IN_ROWS = ("presence", "price", "chance")


def small(n: int = 6, rows: int = DAY, climates: tuple[Climate, ...] = (SHANGHAI,), **more: object) -> Homes:
    return homes.draw(1, climates, n, JULY_S, rows, **more)  # type: ignore[arg-type]


def same(one: Homes, others: NDArray[np.int64], other: Homes, columns: NDArray[np.int64]) -> bool:
    tables = all((getattr(one.world, name)[others] == getattr(other.world, name)[columns]).all() for name in BY_HOME)
    rows = all(
        (getattr(one.world, name)[:, others] == getattr(other.world, name)[:, columns]).all() for name in IN_ROWS
    )
    return tables and rows


def test_a_home_is_the_same_in_any_block_and_beside_any_climate() -> None:
    whole = small(5, climates=(HARBIN, SHANGHAI))
    block = small(2, first_home=2)  # Shanghai's homes 2 and 3, which stand behind Harbin's five
    block.world.rooms["weather"] += 1
    assert same(whole, np.array([7, 8]), block, np.array([0, 1]))
    assert (whole.world.skies[:, 1] == block.world.skies[:, 0]).all()
    assert block.number_of.tolist() == [2, 3]


def test_splits_and_seeds_share_no_draw() -> None:
    drawn = [small(4, split=split) for split in homes.SPLITS]
    drawn.append(homes.draw(2, [SHANGHAI], 4, JULY_S, DAY))
    for values in ("floor_m2", "volume_m3"):
        assert len({float(one) for some in drawn for one in some.world.rooms[values]}) == 16
    outdoor = [some.world.skies["outdoor_c"][0, 0] for some in drawn]
    assert len(set(outdoor)) == 4
    with pytest.raises(ValueError, match="holdout"):
        small(split="holdout")


def test_a_longer_world_begins_as_a_shorter_one() -> None:
    short, long = small(rows=DAY), small(rows=3 * DAY)
    for name in IN_ROWS:
        assert (getattr(short.world, name) == getattr(long.world, name)[:DAY]).all()
    assert (short.world.skies == long.world.skies[:DAY]).all()


def test_a_model_for_all_units_changes_nothing_else() -> None:
    drawn, set_ = small(), small(model="grade_3")
    assert set(set_.model_of) == {"grade_3"}
    assert (drawn.world.units["rated_cooling_w"] == set_.world.units["rated_cooling_w"]).all()
    assert (drawn.world.rooms == set_.world.rooms).all()
    assert (drawn.world.habits == set_.world.habits).all()


def test_air_is_thinner_in_a_high_city() -> None:
    """Kunming lies at 1,890 m: 80.6 kPa by the standard atmosphere, 80.6e3 / (287 * 293) kg/m3."""
    drawn = small(2, climates=(SHANGHAI, KUNMING)).world
    assert drawn.rooms["pressure_pa"] == pytest.approx([101_280.0] * 2 + [80_600.0] * 2, rel=0.005)
    assert drawn.rooms["air_kg"][2:] / drawn.rooms["volume_m3"][2:] == pytest.approx(0.958, rel=0.01)


def test_units_have_aged_each_for_itself() -> None:
    units = small(40, rows=12).world.units
    for name, least in (("airflow_factor", 0.84), ("capacity_factor", 0.9), ("power_factor", 0.96)):
        assert least <= units[name].min() < units[name].max() < 1.0
    assert 0.0 < units["outdoor_excess_k"].min() < units["outdoor_excess_k"].max() <= 3.6


def test_classes_and_tariffs_come_in_their_shares_in_any_run_of_homes() -> None:
    offset = 0.37
    for first in (0, 17, 400):
        kinds = [customs.spread(i, offset, (0.2, 0.5, 0.3)) for i in range(first, first + 50)]
        assert np.bincount(kinds, minlength=3) / 50 == pytest.approx([0.2, 0.5, 0.3], abs=0.05)
    many = small(60, rows=12)
    shares = np.array(homes.place_of(SHANGHAI).customs.class_shares)
    assert np.bincount(many.kind_of, minlength=3) / 60 == pytest.approx(shares, abs=0.06)
    assert np.bincount(many.tariff_of, minlength=3) / 60 == pytest.approx(np.array(homes.TARIFF_SHARES), abs=0.06)
    crossed = {(int(kind), int(tariff)) for kind, tariff in zip(many.kind_of, many.tariff_of, strict=True)}
    assert len(crossed) >= 8
    equal = small(60, rows=12, class_shares=(1.0, 1.0, 1.0))
    assert np.bincount(equal.kind_of) / 60 == pytest.approx([1 / 3] * 3, abs=0.06)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), place=st.sampled_from(CITIES))
def test_rooms_stay_inside_the_ranges_of_their_place(seed: int, place: Climate) -> None:
    style = homes.place_of(place).style
    rng = np.random.default_rng(seed)
    box = dwellings.draw_box(rng, style, dwellings.draw_vintage(rng, style))
    glass_m2 = sum(window.area_m2 for window in box.windows)
    walls = box.elements[0]
    assert style.floor_m2[0] <= box.floor_m2 <= style.floor_m2[1]
    assert style.height_m[0] <= box.volume_m3 / box.floor_m2 <= style.height_m[1]
    assert 0.5 * style.window_to_floor[0] <= glass_m2 / box.floor_m2 <= style.window_to_floor[1] + 1e-9
    assert walls.area_m2 > 0.0
    for element in box.elements:
        assert sum(element.facing) + element.adjoining + element.ground == pytest.approx(1.0)
    for window in box.windows:
        assert window.east**2 + window.north**2 == pytest.approx(1.0)
    resistance = dwellings.FILMS_M2_K_W + sum(layer.resistance_m2_k_w for layer in walls.layers)
    least = min(vintage.wall_w_m2_k[0] for vintage in style.vintages)
    most = max(vintage.wall_w_m2_k[1] for vintage in style.vintages)
    assert 0.96 * least <= 1.0 / resistance <= 1.05 * most


def test_leaks_give_their_air_change_at_typical_weather() -> None:
    """0.3 of 0.9 /h always, the rest from 8 K and 2.5 m/s together."""
    leaks = dwellings.leaks(0.9, 50.0, 0.5)
    moved = leaks.stack_m6_s2_k * dwellings.TYPICAL_K + leaks.wind_m4 * dwellings.TYPICAL_WIND_M_S**2
    assert leaks.constant_ach + np.sqrt(moved) * 3600.0 / 50.0 == pytest.approx(0.9)


def test_units_are_of_a_size_on_sale_and_fit_their_room() -> None:
    drawn = small(80, rows=12, climates=(SHANGHAI, HARBIN))
    rated_w = drawn.world.units["rated_cooling_w"]
    assert set(np.unique(rated_w)) <= set(homes.CAPACITIES_W)
    assert 100.0 < float(np.median(rated_w / drawn.world.rooms["floor_m2"])) < 240.0
    assert {"apf_5_65", "grade_1", "grade_3", "fixed_speed"} <= set(drawn.model_of)
    assert float(np.std(drawn.world.units["sensor_offset_k"])) > 0.3


def test_every_city_has_homes_that_live_through_a_day() -> None:
    drawn = small(1, climates=CITIES)
    world = drawn.world
    for row in range(24):
        world.advance(row, follows_program=True)
    assert np.isfinite(world.room_states["occupied_c"]).all()
    assert ((world.room_states["occupied_c"] > 5.0) & (world.room_states["occupied_c"] < 45.0)).all()
    assert world.price.min() > -3.0
    assert set(np.unique(world.presence)) <= {residents.AWAY, residents.AWAKE, residents.ASLEEP}


def test_flat_homes_pay_one_price_or_rising_ones() -> None:
    drawn = small(12, rows=DAY)
    for i in np.flatnonzero(drawn.tariff_of == prices.PEAK_VALLEY):
        assert len(np.unique(drawn.world.price[:, i])) == 2
    for i in np.flatnonzero(drawn.tariff_of == prices.FLAT):
        assert len(np.unique(drawn.world.price[:, i])) == 1


def test_zones_follow_the_months_where_a_place_is_not_known() -> None:
    styles = {climate.name: homes.place_of(climate).style for climate in CITIES}
    assert styles["Harbin"] is dwellings.CHINA_SEVERE_COLD
    assert styles["Beijing"] is dwellings.CHINA_COLD
    assert styles["Shanghai"] is dwellings.CHINA_HOT_SUMMER_COLD_WINTER
    assert styles["Guangzhou"] is dwellings.CHINA_HOT_SUMMER_WARM_WINTER
    assert styles["Singapore"] is dwellings.TROPICS
    assert styles["Tokyo"] is dwellings.JAPAN
    assert styles["Kunming"] is dwellings.CHINA_MILD
    assert styles["Chongqing"] is dwellings.CHINA_HOT_SUMMER_COLD_WINTER


def test_nobody_heats_in_kunming_and_everybody_does_with_the_unit_in_tokyo() -> None:
    habits = small(20, rows=12, climates=(KUNMING, SINGAPORE, TOKYO)).world.habits
    assert not habits["heats"][:40].any()
    assert habits["heats"][40:].all()
    assert (habits["radiator_w"] == 0.0).all()


@pytest.mark.parametrize(
    ("model", "home_years", "least", "most"),
    [
        ("grade_1", np.inf, 0.0, 6.0),
        ("grade_3", np.inf, 0.0, 12.0),
        ("fixed_speed", np.inf, 6.0, 12.0),
        ("grade_3", 4.0, 0.0, 4.0),
        ("fixed_speed", 7.0, 6.0, 7.0),
        ("fixed_speed", 4.0, 6.0, 6.0),  # it moved in with the people
    ],
)
def test_a_unit_is_no_older_than_its_model_and_its_home(
    model: str, home_years: float, least: float, most: float
) -> None:
    """Dirt of the condenser tells the years."""
    years = []
    for seed in range(60):
        _, unit = homes._draw_unit(np.random.default_rng(seed), 18.0, home_years, (150.0, 220.0), model)
        years.append(unit.outdoor_excess_k / (faults.CONDENSER_PER_YEAR * faults.DIRTY_CONDENSER_K))
    assert least - 1e-9 <= min(years) <= least + 0.1 * (most - least) + 1e-9
    assert most - 0.1 * (most - least) - 1e-9 <= max(years) <= most + 1e-9


def test_drawn_units_have_the_age_of_their_model() -> None:
    drawn = small(60, rows=12, climates=(SHANGHAI, HARBIN))
    years = drawn.world.units["outdoor_excess_k"] / (faults.CONDENSER_PER_YEAR * faults.DIRTY_CONDENSER_K)
    models = np.array(drawn.model_of)
    assert years[(models == "apf_5_65") | (models == "grade_1")].max() <= 6.0
    assert years[models == "fixed_speed"].min() >= 6.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Use:
    """What a month of the household's own program came to."""

    kwh_per_day: NDArray[np.float64]  # (days, n)
    turned_on_at_c: list[float]  # room air
    run_h: list[float]
    by_hour: NDArray[np.float64]  # share of the running time, (24,)
    overrides: NDArray[np.int64]


def month_of(start_s: float, n: int = 25, days: int = 28) -> Use:
    drawn = homes.draw(4, [SHANGHAI, CHONGQING], n, start_s, days * DAY, split="validation")
    world = drawn.world
    kwh, by_hour = np.zeros((days, world.n)), np.zeros(24)
    was_on, began = np.zeros(world.n, dtype=np.bool_), np.zeros(world.n)
    turned_on_at_c, run_h = [], []
    for row in range(days * DAY):
        before_c = world.room_states["occupied_c"].copy()
        world.advance(row, follows_program=True)
        on = world.panels["on"].copy()
        kwh[row // DAY] += world.meters["energy_j"] / 3.6e6
        by_hour[row % DAY // 12] += on.sum()
        turned_on_at_c += before_c[on & ~was_on].tolist()
        run_h += ((row - began[~on & was_on]) / 12.0).tolist()
        began[on & ~was_on] = row
        was_on = on
    return Use(kwh, turned_on_at_c, run_h, by_hour / by_hour.sum(), world.hands["overrides"])


@pytest.mark.skipif(not COMPILED, reason="two months of fifty homes need the compiler")
def test_july_in_the_yangtze_basin_is_as_measured() -> None:
    """Du et al., HV&AC, 2022: on at 29.4 °C, 2-4 kWh a day of cooling, mostly at night; here within a kelvin."""
    use = month_of(JULY_S)
    cooling = use.kwh_per_day[use.kwh_per_day > 0.2]
    night = [*range(19, 24), 0, 1, 2]
    assert np.mean(use.turned_on_at_c) == pytest.approx(29.4, abs=1.0)
    assert 2.0 < cooling.mean() < 4.0
    assert use.by_hour[night].sum() > 1.2 * 8 / 24
    assert use.overrides.mean() < 28.0  # a month; less than one a day


@pytest.mark.skipif(not COMPILED, reason="two months of fifty homes need the compiler")
def test_january_in_the_yangtze_basin_is_as_measured() -> None:
    """Du et al., HV&AC, 2022: on at 12.6 °C, 61.8 % of runs under 2 h; less a day than 3 kWh, cooling's middle."""
    use = month_of(NEW_YEAR_S)
    heating = use.kwh_per_day[use.kwh_per_day > 0.2]
    assert np.mean(use.turned_on_at_c) == pytest.approx(12.6, abs=2.5)
    assert 0.5 < np.mean(np.array(use.run_h) < 2.0) < 0.8
    assert heating.mean() < 3.0


def test_insulation_brings_a_wall_to_its_u_value_within_a_step() -> None:
    for u in (0.25, 0.6, 1.0, 1.5):
        for layers in dwellings.WALLS.values():
            wall = dwellings.insulated(layers, u)
            resistance = dwellings.FILMS_M2_K_W + sum(layer.resistance_m2_k_w for layer in wall)
            assert 1.0 / resistance == pytest.approx(u, rel=0.035)


def test_a_drawn_room_can_be_built() -> None:
    for seed, style in enumerate((dwellings.BRITAIN, dwellings.AMERICA_HOT, dwellings.TROPICS, dwellings.JAPAN)):
        box = dwellings.draw_box(np.random.default_rng(seed), style, style.vintages[0])
        assert envelope.room(box).floor_m2 == box.floor_m2
