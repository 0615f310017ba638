"""The comfort curve, as belief and choice."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.comfort import after_choice, after_days, after_override, person_state, season_by_weather, season_of
from storage.repositories.learned import ComfortCurve, ComfortPoint, PersonState, Season


def test_belief_and_choice_are_weighed_by_how_sure_they_are() -> None:
    """Prior 26 +- 1, choice 24 +- 0.8: 1/v' = 1 + 1/0.64 = 2.5625, m' = (26 + 24/0.64) / 2.5625 = 24.780."""
    point = after_choice(ComfortPoint(26.0, 1.0, 1.0), 24.0)
    assert point.neutral_c == pytest.approx(24.7805, abs=1e-4)
    assert point.deviation_k == pytest.approx(2.5625**-0.5)
    assert point.observations == 1


def test_a_few_overrides_suffice() -> None:
    point = ComfortPoint(26.0, 1.0)
    for _ in range(4):
        point = after_override(point, 23.5, room_c=26.5, before_c=26.0)
    assert abs(point.neutral_c - 23.5) < 0.5


def test_a_room_left_although_it_was_inside_the_band_narrows_the_band() -> None:
    point = ComfortPoint(26.0, 1.5)
    assert after_override(point, 25.5, room_c=26.2, before_c=26.5).half_width_k < 1.5
    assert after_override(point, 25.5, room_c=29.0, before_c=26.5).half_width_k == 1.5


def test_whoever_asks_for_warmer_is_never_believed_to_like_it_cooler() -> None:
    """A room cooled to 21 °C is set to 22: a person who likes 26 says so by a small step."""
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 22.0, room_c=21.0, before_c=20.0).neutral_c == 26.0
    assert after_override(point, 27.0, room_c=27.5, before_c=25.0).neutral_c > 26.5
    assert after_override(point, 27.0, room_c=28.5, before_c=29.0).neutral_c == 26.0


def test_a_change_of_something_else_is_no_choice_of_a_temperature() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 24.0, room_c=26.0, before_c=24.0) == point


def test_a_pinned_point_does_not_move() -> None:
    point = ComfortPoint(24.0, 0.5, pinned=True)
    assert after_override(point, 30.0, room_c=24.1, before_c=24.0) == point


def test_old_choices_are_forgotten_slowly_and_never_below_the_prior() -> None:
    point = ComfortPoint(24.0, 1.0, 0.3, 9)
    curve = ComfortCurve().with_point(Season.COOLING, PersonState.HOME, point)
    after_month = after_days(curve, 30.0).at(Season.COOLING, PersonState.HOME)
    assert 0.3 < after_month.deviation_k < 1.0
    assert after_month.neutral_c == 24.0
    assert after_days(curve, 1e4).at(Season.COOLING, PersonState.HOME).deviation_k == 1.0


maybe_c = st.one_of(st.none(), st.floats(10.0, 40.0))


@given(st.lists(st.tuples(st.floats(-20.0, 60.0), maybe_c, maybe_c), max_size=30))
def test_no_choices_make_a_band_in_which_nobody_can_live(
    choices: list[tuple[float, float | None, float | None]],
) -> None:
    point = ComfortPoint(26.0, 1.0)
    for chosen_c, room_c, before_c in choices:
        point = after_override(point, chosen_c, room_c=room_c, before_c=before_c)
    assert 14.0 <= point.neutral_c <= 32.0
    assert 0.3 <= point.half_width_k <= 6.0
    assert 0.0 < point.deviation_k <= 1.0


def test_a_curve_survives_json_and_what_is_missing_is_the_priors() -> None:
    curve = ComfortCurve().with_point(Season.HEATING, PersonState.ASLEEP, ComfortPoint(17.0, 1.0, 0.4, 3, True))
    assert ComfortCurve.from_json(curve.to_json()) == curve
    assert ComfortCurve.from_json({"version": 1}) == ComfortCurve()


def test_weather_names_the_season_unless_the_room_is_far_beyond() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert season_by_weather(28.0) == Season.COOLING
    assert season_by_weather(5.0) == Season.HEATING
    assert season_of(27.0, 18.0, point, Season.COOLING) == Season.COOLING
    assert season_of(22.0, 18.0, point, Season.COOLING) == Season.HEATING
    assert season_of(29.0, 18.0, point, Season.HEATING) == Season.COOLING
    assert season_of(None, 18.0, point, Season.HEATING) == Season.HEATING


def test_a_room_that_got_too_cold_on_a_hot_day_is_not_heated() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert season_of(20.0, 31.0, point, Season.COOLING) == Season.COOLING
    assert season_of(30.0, -5.0, point, Season.HEATING) == Season.HEATING


@pytest.mark.parametrize(
    ("occupied", "clock", "state"),
    [
        (0.2, time(12), PersonState.AWAY),
        (1.0, time(12), PersonState.HOME),
        (1.0, time(2), PersonState.ASLEEP),
        (1.0, time(23, 30), PersonState.ASLEEP),
    ],
)
def test_people_are_away_asleep_or_home(occupied: float, clock: time, state: PersonState) -> None:
    assert person_state(occupied, clock, (23 * 60, 7 * 60)) == state
