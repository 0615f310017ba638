"""The comfort curve, as belief and choice."""

from datetime import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.comfort import (
    after_choice,
    after_days,
    after_override,
    after_quiet,
    person_state,
    season_by_weather,
    season_of,
)
from storage.repositories.learned import ComfortCurve, ComfortPoint, PersonState, Season


def test_belief_and_choice_are_weighed_by_how_sure_they_are() -> None:
    """Prior 26 +- 1, choice 24 +- 0.8: 1/v' = 1 + 1/0.64 = 2.5625, m' = (26 + 24/0.64) / 2.5625 = 24.780."""
    point = after_choice(ComfortPoint(26.0, 1.0, 1.0), 24.0)
    assert point.neutral_c == pytest.approx(24.7805, abs=1e-4)
    assert point.deviation_k == pytest.approx(2.5625**-0.5)
    assert point.observations == 1


def test_a_few_overrides_suffice() -> None:
    """People whose band ends at 24 °C press each time the room is a little above."""
    point = ComfortPoint(26.0, 1.0)
    for _ in range(4):
        point = after_override(point, 25.0, room_c=24.3, before_c=26.0, heating=False)
    assert abs(point.high_c - 24.0) < 0.5
    assert point.observations == 4


def test_a_change_moves_the_edge_that_the_room_was_beyond() -> None:
    point = ComfortPoint(26.0, 1.5)
    warm = after_override(point, 25.5, room_c=27.2, before_c=26.5, heating=False)
    assert [warm.low_c, warm.high_c] == pytest.approx([24.5, 27.5 - 0.7 * 0.8])
    cold = after_override(point, 26.0, room_c=24.8, before_c=25.0, heating=False)
    assert [cold.low_c, cold.high_c] == pytest.approx([24.5 + 0.7 * 0.8, 27.5])
    assert after_override(point, 25.5, room_c=29.0, before_c=26.5, heating=False).high_c == 27.5  # known already


def test_a_narrow_band_moves_as_a_whole() -> None:
    point = ComfortPoint(26.0, 0.8)
    after = after_override(point, 24.0, room_c=25.0, before_c=26.0, heating=False)
    assert after.half_width_k == pytest.approx(0.8)
    assert after.high_c == pytest.approx(26.8 - 0.7 * 2.3)


def test_who_switches_a_unit_on_says_so_by_its_mode() -> None:
    """People who find 23.5 °C too warm may well set 26: it is where their remote control stands."""
    point = ComfortPoint(23.0, 1.5)
    assert after_override(point, 26.0, room_c=23.5, before_c=None, heating=False).high_c < 24.0
    assert after_override(point, 20.0, room_c=22.5, before_c=None, heating=True).low_c > 22.0


def test_a_leap_of_the_setpoint_is_a_choice() -> None:
    """The room is too warm for everybody; whoever then asks for 22 instead of 27 °C wants more than others."""
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 26.0, room_c=29.0, before_c=27.0, heating=False).neutral_c == 26.0
    assert after_override(point, 22.0, room_c=29.0, before_c=27.0, heating=False) == after_choice(point, 22.0)


def test_without_a_thermometer_the_choice_is_all_there_is() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 24.0, room_c=None, before_c=26.0, heating=False) == after_choice(point, 24.0)


def test_a_room_left_alone_beyond_an_edge_moves_the_edge_there() -> None:
    point = ComfortPoint(26.0, 1.0)
    for _ in range(12):
        point = after_quiet(point, 28.0, 1.0)
    assert 27.8 < point.high_c < 28.2
    assert point.low_c == pytest.approx(25.0)


def test_a_room_left_alone_in_the_middle_says_nothing() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_quiet(point, 26.1, 5.0) == point


def test_quiet_and_changes_find_the_edges_of_people() -> None:
    """Rooms wander over 22 to 30 °C; people with a band of 24 to 27.4 °C change something beyond it."""
    rng = np.random.default_rng(4)
    point = ComfortPoint(26.0, 1.0)
    for room_c in rng.uniform(22.0, 30.0, 400):
        if 24.0 <= room_c <= 27.4:
            point = after_quiet(point, room_c, 1.0)
        else:
            chosen_c = 25.0 if room_c > 27.4 else 27.0
            point = after_override(point, chosen_c, room_c=room_c, before_c=26.0, heating=False)
    assert point.low_c == pytest.approx(24.0, abs=0.5)
    assert point.high_c == pytest.approx(27.4, abs=0.5)


def test_a_change_of_something_else_is_no_choice_of_a_temperature() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 24.0, room_c=26.0, before_c=24.0, heating=False) == point


def test_a_pinned_point_does_not_move() -> None:
    point = ComfortPoint(24.0, 0.5, pinned=True)
    assert after_override(point, 30.0, room_c=24.1, before_c=24.0, heating=True) == point
    assert after_quiet(point, 27.0, 9.0) == point


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
        point = after_override(point, chosen_c, room_c=room_c, before_c=before_c, heating=False)
        if room_c is not None:
            point = after_quiet(point, room_c, 30.0)
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
