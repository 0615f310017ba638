"""Weather forecasts: right on the mean, worse with the horizon, and much the same an hour later."""

from functools import cache

import numpy as np
import pytest

from simulator.records import Table
from simulator.weather import CHICAGO, CITIES, PHOENIX, SHANGHAI, Climate, Forecasts, GeneratedWeather
from simulator.weather.forecast import HOURS_AHEAD, OUTDOOR_K
from simulator.weather.generator import clear_sky_w_m2

YEAR_2026_S = 1_767_225_600.0
DAYS = 365


@cache
def year_of(climate: Climate) -> Table:
    return GeneratedWeather(np.random.default_rng(1), climate).sky_rows(YEAR_2026_S, DAYS * 288)[:, np.newaxis]


@cache
def errors_of(climate: Climate, name: str, seeds: int = 12) -> np.ndarray:
    """Error by luck, hour of issue and hour ahead."""
    skies = year_of(climate)
    hourly = skies[name].reshape(-1, 12).mean(axis=1)
    issues = hourly.size - HOURS_AHEAD
    truth = hourly[np.arange(issues)[:, np.newaxis] + np.arange(HOURS_AHEAD)]
    errors = []
    for seed in range(seeds):
        forecasts = Forecasts(skies, [np.random.default_rng(seed)])
        said = np.stack([forecasts.at(12 * issue)[name == "global_w_m2"][0] for issue in range(issues)])
        errors.append(said - truth)
    return np.array(errors)


def test_the_error_of_the_temperature_grows_from_half_a_kelvin_to_one_and_a_half() -> None:
    spread_k = errors_of(SHANGHAI, "outdoor_c").std(axis=(0, 1))
    assert (np.diff(spread_k) > 0.0).all()
    expected = [OUTDOOR_K.after(hour) for hour in range(HOURS_AHEAD)]
    assert spread_k == pytest.approx(expected, rel=0.06)
    assert 0.5 < spread_k[0] < 0.7
    assert 1.3 < spread_k[-1] < 1.7


@pytest.mark.parametrize(
    ("climate", "low", "high"), [(SHANGHAI, 0.20, 0.35), (CHICAGO, 0.20, 0.35), (PHOENIX, 0.05, 0.20)]
)
def test_the_sun_of_tomorrow_is_missed_by_a_fifth_to_a_third_where_skies_are_mixed(
    climate: Climate, low: float, high: float
) -> None:
    """Perez et al. 2013: 20-35 % of the mean by day at single sites; in a desert less."""
    hourly = year_of(climate)["global_w_m2"].reshape(-1, 12).mean(axis=1)
    errors = errors_of(climate, "global_w_m2")
    issues = errors.shape[1]
    day = hourly[np.arange(issues) + HOURS_AHEAD - 1] > 20.0
    nearest = hourly[:issues] > 20.0
    tomorrow = np.sqrt(np.mean(errors[:, day, -1] ** 2)) / hourly[hourly > 20.0].mean()
    now = np.sqrt(np.mean(errors[:, nearest, 0] ** 2)) / hourly[hourly > 20.0].mean()
    assert low < tomorrow < high
    assert now < 0.85 * tomorrow


@pytest.mark.parametrize("name", ["outdoor_c", "global_w_m2"])
def test_forecasts_are_right_on_the_mean(name: str) -> None:
    errors = errors_of(SHANGHAI, name)
    years = errors.mean(axis=(1, 2))  # one mean error a luck
    assert abs(years.mean()) < 3.5 * years.std(ddof=1) / np.sqrt(years.size)
    size = 1.5 if name == "outdoor_c" else 140.0  # K, W/m2
    assert abs(years.mean()) < 0.03 * size


def test_an_hour_later_the_same_hour_is_forecast_much_the_same() -> None:
    errors = errors_of(SHANGHAI, "outdoor_c")
    before, later = errors[:, :-1, 12], errors[:, 1:, 11]
    assert np.corrcoef(before.ravel(), later.ravel())[0, 1] > 0.95
    change = later - before
    assert 0.2 < change.std() < 0.6
    assert abs(np.corrcoef(change[:, 1:].ravel(), change[:, :-1].ravel())[0, 1]) < 0.06  # no forecast of the forecast


def test_an_error_tells_nothing_of_the_weather() -> None:
    hourly_c = year_of(SHANGHAI)["outdoor_c"].reshape(-1, 12).mean(axis=1)
    errors = errors_of(SHANGHAI, "outdoor_c")[:, :, 12]
    truth = np.tile(hourly_c[12 : 12 + errors.shape[1]], (len(errors), 1))
    # An error remembers some 30 h: a year of 12 lucks holds about 3500 of them, one standard deviation is 0.017.
    assert abs(np.corrcoef(errors.ravel(), truth.ravel())[0, 1]) < 0.06


def test_no_sun_is_forecast_at_night_nor_more_than_a_bright_sky() -> None:
    skies = year_of(CHICAGO)
    clear = clear_sky_w_m2(skies["sun_up"]).reshape(-1, 12).mean(axis=1)
    forecasts = Forecasts(skies, [np.random.default_rng(0)])
    for hour in range(0, 8000, 37):
        _, solar_w_m2 = forecasts.at(12 * hour)
        assert (solar_w_m2 >= 0.0).all()
        assert (solar_w_m2[0] <= 1.09 * clear[hour : hour + 24] + 1e-3).all()


def test_within_an_hour_the_last_forecast_moves_on() -> None:
    forecasts = Forecasts(year_of(SHANGHAI)[: 288 * 4], [np.random.default_rng(0)])
    at_six, at_half_past = forecasts.at(72)[0], forecasts.at(78)[0]
    assert at_half_past[0, :23] == pytest.approx((at_six[0, :23] + at_six[0, 1:]) / 2.0, abs=1e-5)


def test_a_weather_is_forecast_the_same_alone_and_among_others_up_to_the_last_row() -> None:
    rows = 5 * 288
    skies = np.stack(
        [GeneratedWeather(np.random.default_rng(7), city).sky_rows(0.0, rows) for city in CITIES[:3]], axis=1
    )
    together = Forecasts(skies, [np.random.default_rng(seed) for seed in range(3)])
    alone = Forecasts(skies[:, 1:2], [np.random.default_rng(1)])
    for row in (0, 500, rows - 1):
        for several, one in zip(together.at(row), alone.at(row), strict=True):
            assert several.shape == (3, HOURS_AHEAD)
            assert np.isfinite(several).all()
            assert np.array_equal(several[1:2], one)


def test_as_many_lucks_as_weathers_are_expected() -> None:
    with pytest.raises(ValueError, match="expected rows of skies for 2 weathers, got the shape"):
        Forecasts(year_of(SHANGHAI), [np.random.default_rng(0), np.random.default_rng(1)])
