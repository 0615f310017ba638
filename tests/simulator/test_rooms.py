"""Drawn rooms and courses: repeatable by their seed, within their ranges, with forecasts that mean what they say."""

from dataclasses import fields

import numpy as np
import pytest

from simulator import rooms as ranges
from simulator.course import (
    STEPS_PER_DAY,
    SUMMER,
    UTC_OFFSET_S,
    WINTER,
    Course,
    draw_course,
    forecast_spread_k,
)
from simulator.rooms import PeopleParameters, draw_people, draw_rooms, draw_units


def drawn(seed: int = 3, n: int = 200, days: int = 7) -> tuple[PeopleParameters, Course]:
    rng = np.random.default_rng(seed)
    people = draw_people(rng, n)
    return people, draw_course(rng, people, days, SUMMER)


def test_the_same_seed_gives_the_same_rooms_and_course() -> None:
    (people, course), (same_people, same_course) = drawn(n=8), drawn(n=8)
    for field in fields(people):
        assert np.array_equal(getattr(people, field.name), getattr(same_people, field.name)), field.name
    for field in fields(course):
        assert np.array_equal(getattr(course, field.name), getattr(same_course, field.name)), field.name


def test_another_seed_gives_another_course() -> None:
    assert not np.array_equal(drawn(3, n=8)[1].outdoor_c, drawn(4, n=8)[1].outdoor_c)


def test_every_constant_of_rooms_and_units_is_positive_and_finite() -> None:
    rng = np.random.default_rng(0)
    rooms, floor_m2 = draw_rooms(rng, 500)
    units = draw_units(rng, floor_m2)
    for drawn_values in (rooms, units):
        for field in fields(drawn_values):
            values = getattr(drawn_values, field.name)
            assert values.shape == (500,)
            assert (values > 0.0).all()
            assert np.isfinite(values).all()
    assert (units.minimum_load < units.maximum_load).all()


def test_air_nodes_are_slow_enough_for_steps_of_a_minute() -> None:
    """Explicit Euler is stable and smooth while dt is well below C_a / (1/R_ao + 1/R_am)."""
    rooms, _ = draw_rooms(np.random.default_rng(0), 5000)
    conductance = 1.0 / rooms.air_outdoor_k_per_w + 1.0 / rooms.air_mass_k_per_w
    assert (rooms.air_capacity_j_per_k / conductance).min() > 4 * 60.0


def test_a_range_is_kept_to_and_says_its_basis() -> None:
    for name in dir(ranges):
        value = getattr(ranges, name)
        if isinstance(value, ranges.Range):
            some = value.draw(np.random.default_rng(0), 100)
            assert (some >= value.low).all()
            assert (some <= value.high).all()
            assert value.basis


def test_presence_forecasts_are_right_on_average() -> None:
    """Where the forecast says p, people are there in a share p of the cases, within 5 %."""
    _, course = drawn(n=400, days=14)
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        chosen = (course.presence_ratio >= low) & (course.presence_ratio <= high)
        assert course.present[chosen].mean() == pytest.approx(course.presence_ratio[chosen].mean(), abs=0.05)


def test_commuters_are_away_at_noon_on_weekdays_and_night_people_sleep_in_their_room() -> None:
    people, course = drawn()
    noon = [day * STEPS_PER_DAY + STEPS_PER_DAY // 2 for day in range(7)]
    night = [day * STEPS_PER_DAY + 3 * 12 for day in range(7)]
    weekday = np.stack([course.weekday(row) < 5 for row in noon])
    commuters, sleepers = people.habit == 1, people.habit == 2
    assert course.present[noon][:, commuters][weekday[:, commuters]].mean() < 0.05
    assert course.present[night][:, sleepers].mean() > 0.98
    assert course.asleep[night][:, sleepers].mean() > 0.98
    assert not (course.asleep & ~course.present).any()


def test_a_course_starts_at_local_midnight() -> None:
    _, course = drawn(n=8)
    assert ((course.start_epoch_s + UTC_OFFSET_S) % 86_400.0 == 0.0).all()
    assert course.local_hour(0) == 0.0
    assert course.local_hour(STEPS_PER_DAY * 2 + 18) == 1.5


def test_weekdays_are_those_of_the_calendar() -> None:
    from datetime import UTC, datetime, timedelta

    _, course = drawn(n=8)
    local = datetime.fromtimestamp(course.start_epoch_s[0], UTC) + timedelta(hours=8)
    assert course.weekday(0)[0] == local.weekday()
    assert course.weekday(STEPS_PER_DAY - 1)[0] == local.weekday()
    assert course.weekday(STEPS_PER_DAY)[0] == (local.weekday() + 1) % 7


def test_people_like_it_warmer_in_summer_than_in_winter() -> None:
    rng = np.random.default_rng(0)
    people = draw_people(rng, 64)
    summer, winter = draw_course(rng, people, 3, SUMMER), draw_course(rng, people, 3, WINTER)
    assert summer.high_c.mean() > winter.high_c.mean() + 2.0
    assert (summer.high_c > summer.low_c).all()


def test_forecast_errors_are_standard_normal_and_grow_with_the_lead() -> None:
    _, course = drawn(n=300)
    assert course.forecast_error.std() == pytest.approx(0.9, abs=0.12)
    assert course.forecast_error.mean() == pytest.approx(0.0, abs=0.05)
    assert forecast_spread_k(1) < forecast_spread_k(24)
