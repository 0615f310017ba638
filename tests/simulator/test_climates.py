"""Normals of cities: complete, with a source, and near what was published and what weather files hold.

Normals of 1991-2020 cannot equal a typical year put together from other years, nor two single years: the bounds say how
far such years stray, and would catch a wrong sign, a shifted month or another city's figures.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from simulator.physics.moist_air import saturation_pressures_pa
from simulator.weather import (
    BEIJING,
    CHICAGO,
    CHONGQING,
    CITIES,
    GUANGZHOU,
    HARBIN,
    KUNMING,
    PHOENIX,
    SHANGHAI,
    SINGAPORE,
    TAMPA,
    Climate,
    GeneratedWeather,
    read_epw,
)
from simulator.weather.climates import sunshine_ratio

MONTHLY = ("mean_c", "daily_range_k", "day_to_day_k", "humidity_pct", "sunshine_ratio", "wind_m_s")

# Monthly mean temperature of 2008 and of 2009: National Bureau of Statistics of China, China Statistical Yearbook 2009,
# table 11-13, and 2010, table 12-13, "Monthly average temperature of major cities".
YEARBOOK_C = {
    BEIJING: (
        (-3.0, 0.6, 9.1, 15.8, 20.3, 23.4, 27.2, 26.0, 21.0, 14.5, 6.3, -1.0),
        (-3.0, 1.0, 7.0, 15.9, 22.9, 26.2, 27.0, 25.7, 21.1, 15.3, 2.2, -2.3),
    ),
    HARBIN: (
        (-17.6, -10.5, 2.7, 11.3, 14.4, 22.5, 24.4, 23.2, 16.4, 8.3, -4.4, -11.6),
        (-16.0, -11.5, -3.9, 9.7, 18.4, 18.9, 22.6, 22.2, 15.6, 7.1, -7.0, -16.7),
    ),
    SHANGHAI: (
        (4.2, 4.0, 11.4, 15.9, 21.6, 24.0, 30.2, 28.4, 25.6, 20.7, 13.1, 7.5),
        (3.8, 8.9, 10.6, 16.3, 21.9, 26.2, 28.8, 27.9, 25.0, 21.3, 12.1, 6.4),
    ),
    GUANGZHOU: (
        (12.8, 11.6, 20.1, 23.2, 25.6, 27.0, 29.1, 29.3, 28.6, 26.1, 19.9, 15.6),
        (12.4, 21.0, 18.2, 22.2, 25.9, 27.9, 29.6, 29.9, 29.5, 26.0, 17.9, 15.3),
    ),
    CHONGQING: (
        (6.2, 7.3, 15.5, 19.0, 23.8, 25.8, 29.1, 26.3, 25.6, 19.6, 14.2, 9.4),
        (7.7, 13.0, 14.8, 18.8, 21.9, 25.4, 28.9, 28.4, 26.9, 19.6, 12.9, 9.9),
    ),
    KUNMING: ((8.3, 13.9, 15.8, 17.7, 19.8, 20.6, 21.3, 20.6, 20.1, 18.5, 11.8, 10.5),),  # of 2009 alone
}


@pytest.mark.parametrize("climate", CITIES, ids=lambda climate: climate.name)
def test_a_climate_is_complete_and_says_where_it_is_from(climate: Climate) -> None:
    assert all(len(getattr(climate, name)) == 12 for name in MONTHLY)
    assert climate.source
    assert abs(climate.utc_offset_s / 3600.0 - climate.longitude / 15.0) < 1.6  # Madrid keeps the time of Berlin
    assert all(0.0 < ratio < 1.0 for ratio in climate.sunshine_ratio)
    assert all(10.0 < humidity < 95.0 for humidity in climate.humidity_pct)


def test_there_are_ten_cities_and_five_of_china() -> None:
    assert len({climate.name for climate in CITIES}) >= 10
    assert {BEIJING, GUANGZHOU, HARBIN, SHANGHAI, CHONGQING, KUNMING} <= set(CITIES)


def test_hours_of_sunshine_over_the_length_of_the_days() -> None:
    """At the equator the sun is up 12 h a day: 186 of 372 h in January are a half."""
    assert sunshine_ratio((186.0,) * 12, 0.0)[0] == pytest.approx(0.5)
    north, south = sunshine_ratio((150.0,) * 12, 45.0), sunshine_ratio((150.0,) * 12, -45.0)
    assert north[11] > north[5]  # the same hours are a larger share of a short day
    assert north[11] == pytest.approx(south[5], rel=0.05)


@pytest.mark.parametrize("climate", YEARBOOK_C, ids=lambda climate: climate.name)
def test_chinese_temperatures_are_near_those_of_the_yearbook(climate: Climate) -> None:
    years = np.array(YEARBOOK_C[climate])
    difference_k = np.array(climate.mean_c) - years.mean(axis=0)
    assert abs(difference_k.mean()) < 0.7  # a year's mean strays by 0.6 K
    assert np.sqrt(np.mean(difference_k**2)) < 1.8


def test_the_sun_of_guangzhou_is_that_described_in_print() -> None:
    """4367-4597 MJ/m2 a year in the parts of the city, with 1820-1960 h of sunshine; the normals have 1700 h."""
    years = [GeneratedWeather(np.random.default_rng(seed), GUANGZHOU).sky_rows(0.0, 365 * 288) for seed in range(3)]
    yearly_mj_m2 = np.mean([year["global_w_m2"].mean() for year in years]) * 365.0 * 0.0864
    assert 4200.0 < yearly_mj_m2 < 4700.0


DATA = os.environ.get("LINGYUN_DATA")
FILES = {
    SHANGHAI: "Shanghai",
    BEIJING: "Beijing",
    SINGAPORE: "Singapore",
    PHOENIX: "Phoenix",
    TAMPA: "Tampa",
    CHICAGO: "Chicago",
}


@pytest.mark.skipif(DATA is None, reason="LINGYUN_DATA names no folder with weather files")
@pytest.mark.parametrize("climate", FILES, ids=lambda climate: climate.name)
def test_normals_are_near_the_typical_year_of_a_weather_file(climate: Climate) -> None:
    year = read_epw(next(Path(DATA or "").glob(f"weather/*{FILES[climate]}*.epw.gz")))
    skies = year.sky_rows()
    start_s = year.start_epoch_s
    month = (start_s + climate.utc_offset_s + 300.0 * np.arange(skies.size)).astype("datetime64[s]")
    month = month.astype("datetime64[M]").astype(int) % 12
    pressure_pa = 101_325.0 * (1.0 - 2.25577e-5 * year.elevation_m) ** 5.25588
    vapour_pa = pressure_pa * skies["humidity_kg_kg"] / (0.622 + skies["humidity_kg_kg"])
    humidity_pct = 100.0 * vapour_pa / saturation_pressures_pa(skies["outdoor_c"])
    made = np.mean(
        [
            GeneratedWeather(np.random.default_rng(s), climate).sky_rows(start_s, skies.size)["global_w_m2"].mean()
            for s in range(3)
        ]
    )

    def by_month(values: np.ndarray) -> np.ndarray:
        return np.array([values[month == index].mean() for index in range(12)])

    warmer_k = np.array(climate.mean_c) - by_month(skies["outdoor_c"])
    moister_pct = np.array(climate.humidity_pct) - by_month(humidity_pct)
    assert abs(warmer_k.mean()) < 1.2, warmer_k.round(1)
    assert np.abs(warmer_k).max() < 3.0, warmer_k.round(1)
    assert abs(moister_pct.mean()) < 6.0, moister_pct.round()
    assert np.abs(moister_pct).max() < 16.0, moister_pct.round()
    # Shanghai's file has its sun from a reanalysis, which is too bright for the air of eastern China.
    assert made == pytest.approx(skies["global_w_m2"].mean(), rel=0.15 if climate is SHANGHAI else 0.04)
    assert np.array(climate.wind_m_s).mean() == pytest.approx(skies["wind_m_s"].mean(), rel=0.1)
