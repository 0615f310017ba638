"""The comfort curve, as belief and choice."""

from dataclasses import replace
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
    belief_of,
    learned,
    person_state,
    point_today,
    presses_per_h,
    season_by_weather,
    season_of,
    used,
)
from storage.repositories.learned import MARGIN_K, ComfortCurve, ComfortPoint, PersonState, Season


def test_belief_and_choice_are_weighed_by_how_sure_they_are() -> None:
    """Edges 26 +- 1.6, each +- 0.8; choice 24, +- 0.9: 1/v' = 1/0.64 + 1/0.81; both move alike."""
    point = after_choice(ComfortPoint(26.0, 1.6, 0.8, 0.8), 24.0)
    assert point.neutral_c == pytest.approx(26.0 - 2.0 * (1 / 0.81) / (1 / 0.64 + 1 / 0.81))
    assert point.half_width_k == pytest.approx(1.6)
    assert point.high_deviation_k == pytest.approx((1 / 0.64 + 1 / 0.81) ** -0.5)
    assert point.observations == 1


def test_the_band_that_is_used_lies_a_little_inside_the_believed_one() -> None:
    point = ComfortPoint(26.0, 1.6)
    assert [point.low_c, point.high_c] == pytest.approx([25.1, 26.9])
    assert [float(edge_c) for edge_c in used(belief_of(point))] == pytest.approx([point.low_c, point.high_c])
    narrow = ComfortPoint(26.0, 0.5)
    assert [narrow.low_c, narrow.high_c] == pytest.approx([25.7, 26.3])


def test_a_change_is_multiplied_with_the_belief() -> None:
    """Held against a sum over a fine grid: belief 27.6 +- 0.8, pressed at 26.5, so the edge is below that or near."""
    edge_c = np.linspace(20.0, 35.0, 20_001)
    weight = np.exp(-0.5 * ((edge_c - 27.6) / 0.8) ** 2) * presses_per_h(26.5 - edge_c)
    mean_c = float((weight * edge_c).sum() / weight.sum())
    point = after_override(ComfortPoint(26.0, 1.6), 25.0, room_c=26.5, before_c=26.0, heating=False)
    assert point.believed_high_c == pytest.approx(mean_c, abs=0.02)
    assert point.believed_low_c == pytest.approx(24.4)


def test_a_few_overrides_suffice() -> None:
    """People whose band ends at 24 °C press each time the room is a little above."""
    point = ComfortPoint(26.0, 1.6)
    for _ in range(5):
        point = after_override(point, 25.0, room_c=24.3, before_c=26.0, heating=False)
    assert 22.0 < point.high_c < 24.0
    assert point.observations == 5


def test_a_change_moves_the_edge_that_the_room_was_beyond() -> None:
    point = ComfortPoint(26.0, 1.6)
    warm = after_override(point, 25.5, room_c=27.2, before_c=26.5, heating=False)
    assert warm.believed_low_c == pytest.approx(24.4)
    assert warm.high_c < point.high_c
    cold = after_override(point, 26.0, room_c=24.8, before_c=25.0, heating=False)
    assert cold.low_c > point.low_c
    assert cold.believed_high_c == pytest.approx(27.6)


def test_a_band_does_not_get_narrower_than_people_s() -> None:
    point = ComfortPoint(26.0, 0.8, 0.3, 0.3)
    after = after_override(point, 24.0, room_c=25.0, before_c=26.0, heating=False)
    assert after.half_width_k == pytest.approx(0.75)
    assert after.believed_high_c < 26.0


def test_a_change_far_inside_a_sure_belief_is_believed_at_last() -> None:
    """People who liked 27.6 °C for a year and from now on do not."""
    point = ComfortPoint(26.0, 1.6, 0.3, 0.3)
    for _ in range(6):
        point = after_override(point, 24.0, room_c=25.5, before_c=26.0, heating=False)
    assert point.high_c < 25.6


def test_who_switches_a_unit_on_says_so_by_its_mode() -> None:
    """People who find 23.5 °C too warm may well set 26: it is where their remote control stands."""
    point = ComfortPoint(23.0, 1.5)
    assert after_override(point, 26.0, room_c=23.5, before_c=None, heating=False).believed_high_c < 24.0
    assert after_override(point, 20.0, room_c=22.5, before_c=None, heating=True).believed_low_c > 22.0


def test_without_a_thermometer_the_choice_is_all_there_is() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 24.0, room_c=None, before_c=26.0, heating=False) == after_choice(point, 24.0)


def test_a_room_left_alone_beyond_an_edge_moves_the_edge_there() -> None:
    point = ComfortPoint(26.0, 1.6)
    for _ in range(24):
        point = after_quiet(point, 28.5, 1.0)
    assert 28.5 < point.believed_high_c < 29.5
    assert point.believed_low_c == pytest.approx(24.4, abs=1e-3)


def test_a_room_left_alone_in_the_middle_says_nothing() -> None:
    point = ComfortPoint(26.0, 3.0, 0.3, 0.3)
    assert after_quiet(point, 26.1, 5.0) == point


@given(st.floats(0.05, 0.8), st.floats(18.0, 34.0), st.floats(0.25, 8.0))
def test_quiet_never_makes_a_band_narrower(deviation_k: float, room_c: float, hours: float) -> None:
    point = ComfortPoint(26.0, 1.6, deviation_k, deviation_k)
    after = after_quiet(point, room_c, hours)
    assert after.believed_high_c >= point.believed_high_c - 1e-9
    assert after.believed_low_c <= point.believed_low_c + 1e-9


@pytest.mark.parametrize(("low_c", "high_c"), [(24.0, 27.4), (25.2, 29.0), (21.0, 24.5)])
def test_the_edges_of_people_are_found_within_a_week_and_then_left_alone(low_c: float, high_c: float) -> None:
    """The room is held at the upper edge that is used, and wanders by 0.3 K; people press past theirs twice an hour."""
    rng = np.random.default_rng(4)
    point, changes = ComfortPoint(26.0, 1.6), []
    for quarter in range(28 * 96):
        room_c = point.high_c + rng.normal(0.0, 0.3)
        if quarter % 96 >= 40:  # nobody is home
            continue
        if room_c > high_c and rng.random() < 0.5:
            changes.append(quarter)
            point = after_override(point, 24.0, room_c=room_c, before_c=26.0, heating=False)
        else:
            point = after_quiet(point, room_c, 0.25)
        if quarter >= 7 * 96:
            assert high_c - MARGIN_K - 0.5 < point.high_c < high_c + 0.3
    assert high_c - MARGIN_K - 0.2 < point.high_c < high_c
    assert len([quarter for quarter in changes if quarter >= 14 * 96]) <= 28  # two a day from such hasty people


def test_a_day_lies_between_cold_and_warm_ones() -> None:
    """17.5 °C lies half way from 10 to 25: the band of that day too, and its doubt is that of a mean of two."""
    curve = ComfortCurve()
    cold, warm = (curve.at(season, PersonState.HOME) for season in (Season.HEATING, Season.COOLING))
    today = point_today(curve, PersonState.HOME, 17.5)
    assert today.believed_high_c == pytest.approx(0.5 * (cold.believed_high_c + warm.believed_high_c))
    assert today.high_deviation_k == pytest.approx(0.8 * 0.5**0.5)
    for outdoor_c, point in ((-5.0, cold), (10.0, cold), (25.0, warm), (35.0, warm)):
        assert point_today(curve, PersonState.HOME, outdoor_c).low_c == pytest.approx(point.low_c)


@given(st.floats(10.0, 25.0), st.floats(24.0, 28.0))
def test_what_is_learned_of_a_day_is_then_believed_of_it(outdoor_c: float, room_c: float) -> None:
    def press(point: ComfortPoint) -> ComfortPoint:
        return after_override(point, 23.0, room_c=room_c, before_c=25.0, heating=False)

    curve = ComfortCurve()
    wanted = press(point_today(curve, PersonState.HOME, outdoor_c))
    today = point_today(learned(curve, PersonState.HOME, outdoor_c, press), PersonState.HOME, outdoor_c)
    assert today.believed_high_c == pytest.approx(wanted.believed_high_c, abs=0.02)
    assert today.observations == 1
    assert learned(curve, PersonState.HOME, outdoor_c, lambda point: point) is curve


def test_a_pinned_point_of_warm_days_stays_whatever_is_learned_in_between() -> None:
    pinned = ComfortPoint(25.0, 1.0, 0.1, 0.1, pinned=True)
    curve = ComfortCurve().with_point(Season.COOLING, PersonState.HOME, pinned)
    after = learned(
        curve, PersonState.HOME, 16.0, lambda point: replace(point, neutral_c=point.neutral_c - 1.0, pinned=False)
    )
    assert after.at(Season.COOLING, PersonState.HOME) == pinned
    assert after.at(Season.HEATING, PersonState.HOME) != curve.at(Season.HEATING, PersonState.HOME)


def test_a_change_of_something_else_is_no_choice_of_a_temperature() -> None:
    point = ComfortPoint(26.0, 1.0)
    assert after_override(point, 24.0, room_c=26.0, before_c=24.0, heating=False) == point


def test_a_pinned_point_does_not_move() -> None:
    point = ComfortPoint(24.0, 0.5, pinned=True)
    assert after_override(point, 30.0, room_c=24.1, before_c=24.0, heating=True) == point
    assert after_quiet(point, 27.0, 9.0) == point


def test_doubt_grows_slowly_and_never_past_the_prior_s() -> None:
    point = ComfortPoint(24.0, 1.0, 0.3, 0.4, 9)
    curve = ComfortCurve().with_point(Season.COOLING, PersonState.HOME, point)
    after_month = after_days(curve, 30.0).at(Season.COOLING, PersonState.HOME)
    assert after_month.low_deviation_k == pytest.approx((0.09 + 0.09) ** 0.5)
    assert after_month.neutral_c == 24.0
    assert after_days(curve, 1e4).at(Season.COOLING, PersonState.HOME).high_deviation_k == 0.8
    away = ComfortCurve().at(Season.COOLING, PersonState.AWAY)
    assert after_days(curve, 1e4).at(Season.COOLING, PersonState.AWAY) == away


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
    assert 0.0 < point.deviation_k <= 0.8
    assert point.high_c - point.low_c >= 0.6 - 1e-9


def test_a_curve_survives_json_and_what_is_missing_is_the_priors() -> None:
    curve = ComfortCurve().with_point(Season.HEATING, PersonState.ASLEEP, ComfortPoint(17.0, 1.0, 0.4, 0.5, 3, True))
    assert ComfortCurve.from_json(curve.to_json()) == curve
    assert ComfortCurve.from_json({"version": 1}) == ComfortCurve()
    of_old = {"neutral_c": 24.0, "half_width_k": 1.0, "deviation_k": 0.5, "observations": 2, "pinned": False}
    point = ComfortCurve.from_json({"version": 1, "cooling": {"home": of_old}}).at(Season.COOLING, PersonState.HOME)
    assert point == ComfortPoint(24.0, 1.0, 0.5, 0.5, 2)


def test_weather_names_the_season_unless_the_room_is_far_beyond() -> None:
    point = ComfortPoint(26.0, 1.8)
    assert season_by_weather(28.0) == Season.COOLING
    assert season_by_weather(5.0) == Season.HEATING
    assert season_of(27.0, 18.0, point, Season.COOLING) == Season.COOLING
    assert season_of(22.0, 18.0, point, Season.COOLING) == Season.HEATING
    assert season_of(29.0, 18.0, point, Season.HEATING) == Season.COOLING
    assert season_of(None, 18.0, point, Season.HEATING) == Season.HEATING


def test_a_room_that_got_too_cold_on_a_hot_day_is_not_heated() -> None:
    point = ComfortPoint(26.0, 1.8)
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
