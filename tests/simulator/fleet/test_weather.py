"""The weather of a home: the same for a seed whatever is asked in which order, and like its place over many years."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pvlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.weather import (
    CLIMATES,
    DAY_S,
    SHANGHAI,
    Climate,
    Weather,
    clear_sky_w_m2,
    daily_course,
    sun_height_sine,
)

YEAR_2026_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
instants = st.floats(0.0, 4e9)


def hours(days: float) -> np.ndarray:
    """Instants an hour apart from the start of 2026."""
    return YEAR_2026_S + 3600.0 * np.arange(24.0 * days)


@given(seed=st.integers(0, 99), asked=st.lists(instants, min_size=1, max_size=8))
def test_an_instant_has_the_same_weather_alone_and_among_others(seed: int, asked: list[float]) -> None:
    together = Weather(np.random.default_rng(seed)).at(np.array(asked))
    for index, epoch_s in enumerate(asked):
        alone = Weather(np.random.default_rng(seed)).at(epoch_s)
        assert [float(values) for values in alone] == [values[index] for values in together]


def test_homes_have_weathers_of_their_own_and_each_the_same_by_both_ways_of_asking() -> None:
    weather = Weather(np.random.default_rng(5), homes=4)
    table = weather.at(hours(3)[:, np.newaxis])
    assert table.outdoor_c.shape == (72, 4)
    assert np.unique(table.outdoor_c[40]).size == 4
    row = weather.at(np.full(4, hours(3)[40]))
    for several, one in zip(table, row, strict=True):
        assert np.array_equal(several[40], one)


def test_two_seeds_give_two_weathers() -> None:
    first, second = (Weather(np.random.default_rng(seed)).at(hours(30)).outdoor_c for seed in (1, 2))
    assert np.abs(first - second).mean() > 0.5


@pytest.mark.parametrize("climate", CLIMATES, ids=lambda climate: climate.name)
def test_the_means_of_many_years_are_the_normals(climate: Climate) -> None:
    at_s = YEAR_2026_S + 3 * 3600.0 * np.arange(8 * 365.2425 * 30)
    outdoor = Weather(np.random.default_rng(11), climate).at(at_s)
    month = at_s.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    for index in range(12):
        here = month == index
        assert outdoor.outdoor_c[here].mean() == pytest.approx(climate.mean_c[index], abs=1.3)
        assert outdoor.humidity_pct[here].mean() == pytest.approx(climate.humidity_pct[index], abs=5.0)
    july_days = outdoor.outdoor_c[: at_s.size // 8 * 8].reshape(-1, 8)[month[: at_s.size // 8 * 8 : 8] == 6]
    assert july_days.mean(axis=1).std() == pytest.approx(climate.day_to_day_k[6], rel=0.25)


@pytest.mark.parametrize("climate", CLIMATES, ids=lambda climate: climate.name)
def test_the_sun_of_a_month_follows_its_sunshine(climate: Climate) -> None:
    """Angstrom: sun on the ground over sun on top of the air is about 0.25 + 0.50 times the share of sunshine."""
    at_s = YEAR_2026_S + 1800.0 * np.arange(48 * 365.2425 * 12)
    outdoor = Weather(np.random.default_rng(12), climate).at(at_s)
    above_w_m2 = 1361.0 * np.maximum(sun_height_sine(at_s, climate.latitude, climate.longitude), 0.0)
    month = at_s.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    for index in range(12):
        here = month == index
        ratio = outdoor.solar_w_m2[here].mean() / above_w_m2[here].mean()
        assert ratio == pytest.approx(0.25 + 0.5 * climate.sunshine_ratio[index], abs=0.08)


def test_a_warm_day_is_mostly_followed_by_a_warm_day() -> None:
    days = Weather(np.random.default_rng(3)).at(hours(365 * 20)).outdoor_c.reshape(-1, 24).mean(axis=1)
    year = np.arange(days.size) / 365.0
    season = np.stack([np.ones_like(year), np.sin(2 * np.pi * year), np.cos(2 * np.pi * year)], axis=1)
    anomaly = days - season @ np.linalg.lstsq(season, days, rcond=None)[0]
    assert 0.5 < np.corrcoef(anomaly[1:], anomaly[:-1])[0, 1] < 0.9


@given(seed=st.integers(0, 1000), day=st.integers(0, 20_000))
def test_no_sun_at_night_none_above_a_clear_sky_and_humidity_within_its_bounds(seed: int, day: int) -> None:
    at_s = DAY_S * day + 600.0 * np.arange(144)
    outdoor = Weather(np.random.default_rng(seed)).at(at_s)
    height = sun_height_sine(at_s, SHANGHAI.latitude, SHANGHAI.longitude)
    assert (outdoor.solar_w_m2[height <= 0.0] == 0.0).all()
    assert (outdoor.solar_w_m2 <= clear_sky_w_m2(height)).all()
    assert ((outdoor.humidity_pct > 0.0) & (outdoor.humidity_pct <= 100.0)).all()


def test_the_sun_stands_where_pvlib_sees_it() -> None:
    at_s = hours(365)
    times = pd.DatetimeIndex(at_s.astype("datetime64[s]"), tz="UTC")

    seen = pvlib.solarposition.get_solarposition(times, 31.2, 121.4)
    expected = np.sin(np.radians(seen["elevation"].to_numpy()))
    assert np.abs(sun_height_sine(at_s, 31.2, 121.4) - expected).max() < 0.01


def test_the_clear_sky_is_that_of_haurwitz() -> None:
    zenith_deg = np.arange(0.0, 89.0, 4.0)
    expected = pvlib.clearsky.haurwitz(pd.Series(zenith_deg))["ghi"].to_numpy()
    assert clear_sky_w_m2(np.cos(np.radians(zenith_deg))) == pytest.approx(expected, rel=1e-6)


def test_the_daily_course_has_no_mean_a_range_of_one_and_its_top_in_the_afternoon() -> None:
    hour = np.arange(0.0, 24.0, 0.05)
    course = daily_course(hour)
    assert course.mean() == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(course) == pytest.approx(1.0, abs=0.06)
    assert 13.0 < hour[course.argmax()] < 16.5
