"""Weather ahead without internet."""

from datetime import UTC, datetime, timedelta
from math import asin, degrees, pi, sin

import pytest

from control.weather import WeatherMemory, clear_sky_w_m2, means_between, sun_height_sine, usual_outdoor_c

NOON = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)
SHANGHAI = (31.23, 121.47)


def daily_c(at: datetime) -> float:
    return 28.0 + 4.0 * sin(2.0 * pi * (at.hour - 9) / 24.0)


def remembered(shift_k: float = 0.0) -> WeatherMemory:
    """A day and more of a daily course; the newest hour is ``shift_k`` warmer than a day ago."""
    memory = WeatherMemory()
    for hour in range(-30, 1):
        at = NOON + timedelta(hours=hour)
        memory.add(at, daily_c(at) + (shift_k if hour == 0 else 0.0), None)
    return memory


def test_tomorrow_is_yesterday_moved_by_the_difference_of_now() -> None:
    ahead = remembered(shift_k=3.0).ahead(NOON, *SHANGHAI)
    assert ahead.source == "yesterday"
    for lead in (1, 5, 12, 20):
        assert ahead.outdoor_c[lead] == pytest.approx(daily_c(NOON + timedelta(hours=lead)) + 3.0)
    assert ahead.age_s == 0.0


def test_a_sensor_that_just_started_is_held() -> None:
    memory = WeatherMemory()
    memory.add(NOON, 31.0, None)
    ahead = memory.ahead(NOON + timedelta(minutes=20), *SHANGHAI)
    assert (ahead.source, set(ahead.outdoor_c)) == ("held", {31.0})
    assert ahead.age_s == 1200.0


def test_without_any_sensor_the_season_of_the_place_stands_in() -> None:
    ahead = WeatherMemory().ahead(NOON, *SHANGHAI)
    assert (ahead.source, ahead.age_s) == ("usual", None)
    assert 22.0 < min(ahead.outdoor_c) < max(ahead.outdoor_c) < 38.0
    assert usual_outdoor_c(datetime(2026, 1, 15, 4, tzinfo=UTC), *SHANGHAI) < 12.0
    assert usual_outdoor_c(datetime(2026, 1, 15, 4, tzinfo=UTC), -34.0, 151.0) > 15.0


def test_a_mean_between_two_times_is_of_the_hours_in_between() -> None:
    ahead = remembered().ahead(NOON, *SHANGHAI)
    assert ahead.outdoor_between_c(0.0, 7200.0) == pytest.approx(sum(ahead.outdoor_c[:2]) / 2)
    assert ahead.outdoor_between_c(0.0, 900.0) == ahead.outdoor_c[0]


def test_measured_sun_comes_back_a_day_later_and_the_clear_sky_stands_in_for_it() -> None:
    memory = WeatherMemory()
    for hour in range(-24, 1):
        memory.add(NOON + timedelta(hours=hour), 30.0, 123.0 if hour < 0 else None)
    assert memory.ahead(NOON, *SHANGHAI).solar_w_m2[3] == 123.0
    night = WeatherMemory().ahead(NOON + timedelta(hours=12), *SHANGHAI)
    assert night.solar_w_m2[0] == 0.0
    assert 300.0 < WeatherMemory().ahead(NOON, *SHANGHAI).solar_w_m2[0] < 700.0


def test_only_two_days_are_kept() -> None:
    memory = WeatherMemory()
    for hour in range(200):
        memory.add(NOON + timedelta(hours=hour), 20.0, None)
    assert len(memory.hours) == 48


def test_the_memory_survives_a_restart() -> None:
    memory = remembered()
    again = WeatherMemory.from_json(memory.to_json())
    assert again.hours == memory.hours
    assert again.ahead(NOON, *SHANGHAI).outdoor_c == memory.ahead(NOON, *SHANGHAI).outdoor_c


@pytest.mark.parametrize("month", range(1, 13))
def test_the_suns_height_agrees_with_pvlib(month: int) -> None:
    pvlib = pytest.importorskip("pvlib")
    pandas = pytest.importorskip("pandas")
    for hour in (0, 3, 5, 8):
        at = datetime(2026, month, 15, hour, tzinfo=UTC)
        times = pandas.DatetimeIndex([at])
        reference = pvlib.solarposition.get_solarposition(times, *SHANGHAI)["elevation"].iloc[0]
        # Cooper's declination and no equation of time: up to four degrees of the hour angle
        assert degrees(asin(sun_height_sine(at, *SHANGHAI))) == pytest.approx(reference, abs=5.0)


def test_no_sun_falls_at_night() -> None:
    assert clear_sky_w_m2(NOON + timedelta(hours=12), *SHANGHAI) == 0.0
    assert 900.0 < clear_sky_w_m2(NOON, *SHANGHAI) < 1098.0


def test_means_of_several_spans_are_those_of_each() -> None:
    ahead = remembered(shift_k=3.0).ahead(NOON, *SHANGHAI)
    spans_s = ((0.0, 900.0), (900.0, 3600.0), (3600.0, 7200.0), (7200.0, 21_600.0), (43_200.0, 86_400.0))
    assert means_between(ahead.outdoor_c, spans_s) == pytest.approx([ahead.outdoor_between_c(*one) for one in spans_s])
