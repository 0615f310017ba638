"""Learned comfort of many homes is the engine's, home by home."""

from datetime import time
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.savings.comfort import Edges, LearnedComfort
from control.comfort import (
    after_days,
    after_override,
    after_quiet,
    learned,
    person_state,
    point_today,
    season_by_weather,
    season_of,
)
from storage.repositories.learned import ComfortCurve, ComfortPoint, PersonState, Season

NIGHT = np.array([[23 * 60, 7 * 60], [60, 9 * 60]])
DAY_S = 86_400.0
OUTDOOR_C = 18.0


def edges(
    homes: LearnedComfort,
    *,
    at_epoch_s: float = 0.0,
    hour: float = 14.0,
    on: bool = False,
    heating: bool = False,
    room_c: float = 26.0,
    outdoor_c: float = 30.0,
    occupied: float = 1.0,
    presence_ahead: np.ndarray | None = None,
) -> Edges:
    def both(value: float) -> np.ndarray:
        return np.full(2, value)

    return homes.edges(
        at_epoch_s=at_epoch_s,
        local_hour=both(hour),
        on=np.full(2, on),
        heating=np.full(2, heating),
        room_c=both(room_c),
        outdoor_c=both(outdoor_c),
        outdoor_next_day_c=both(outdoor_c),
        occupied=both(occupied),
        presence_ahead=np.ones((2, 96)) if presence_ahead is None else np.tile(presence_ahead, (2, 1)),
    )


def test_it_begins_with_the_engine_s_prior() -> None:
    prior, seen = ComfortCurve(), edges(LearnedComfort(NIGHT))
    point = prior.at(Season.COOLING, PersonState.HOME)
    assert not seen.heats.any()
    assert seen.low_c == pytest.approx(np.full(2, point.low_c))
    assert seen.high_c == pytest.approx(np.full(2, point.high_c))


def test_the_night_ahead_is_that_of_the_household() -> None:
    prior, seen = ComfortCurve(), edges(LearnedComfort(NIGHT), hour=22.5)
    home, asleep = (prior.at(Season.COOLING, state).high_c for state in (PersonState.HOME, PersonState.ASLEEP))
    assert seen.high_ahead_c[0, :2] == pytest.approx([home, home])
    assert seen.high_ahead_c[0, 2:34] == pytest.approx(np.full(32, asleep))
    assert seen.high_ahead_c[0, 34] == pytest.approx(home)
    assert seen.high_ahead_c[1, 9] == pytest.approx(home)
    assert seen.high_ahead_c[1, 10] == pytest.approx(asleep)


def test_where_nobody_is_home_the_edges_are_those_of_the_return() -> None:
    back_at_night = np.concatenate([np.full(40, 0.1), np.full(56, 0.9)])
    seen = edges(LearnedComfort(NIGHT), hour=14.0, occupied=0.0, presence_ahead=back_at_night)
    assert seen.high_c[0] == pytest.approx(ComfortCurve().at(Season.COOLING, PersonState.ASLEEP).high_c)
    assert seen.high_c[1] == pytest.approx(ComfortCurve().at(Season.COOLING, PersonState.HOME).high_c)
    assert not seen.asleep.any()


def test_an_override_moves_its_home_season_and_state_alone() -> None:
    homes = LearnedComfort(NIGHT)
    homes.override(1, local_hour=15.0, heating=False, chosen_c=24.0, before_c=27.0, room_c=26.0)
    before, after = edges(LearnedComfort(NIGHT)), edges(homes)
    assert after.high_c[0] == before.high_c[0]
    assert after.high_c[1] < before.high_c[1] - 0.3
    assert np.array_equal(edges(homes, hour=3.0).high_c, edges(LearnedComfort(NIGHT), hour=3.0).high_c)
    cold_c = edges(LearnedComfort(NIGHT), outdoor_c=0.0).high_c
    assert edges(homes, outdoor_c=0.0).high_c == pytest.approx(cold_c)


choice = st.tuples(
    st.floats(0.0, 23.99), st.booleans(), st.floats(16.0, 30.0), st.floats(16.0, 30.0), st.floats(10.0, 40.0)
)


@given(st.lists(choice, max_size=8))
def test_it_learns_what_the_engine_would_have_learned(choices: list[tuple[float, bool, float, float, float]]) -> None:
    homes, curve = LearnedComfort(NIGHT), ComfortCurve()
    edges(homes, outdoor_c=OUTDOOR_C, occupied=0.0, room_c=np.nan)
    for hour, heating, chosen_c, before_c, room_c in choices:
        homes.override(
            0,
            local_hour=hour,
            heating=heating,
            chosen_c=chosen_c,
            before_c=before_c,
            room_c=room_c,
        )
        state = person_state(1.0, time(int(hour), int(hour * 60) % 60), (int(NIGHT[0, 0]), int(NIGHT[0, 1])))
        change = partial(after_override, chosen_c=chosen_c, room_c=room_c, before_c=before_c, heating=heating)
        curve = learned(curve, state, OUTDOOR_C, change)
    for season in Season:
        for state in (PersonState.HOME, PersonState.ASLEEP):
            ours, theirs = homes.curve(0).at(season, state), curve.at(season, state)
            assert (ours.low_c, ours.high_c) == pytest.approx((theirs.low_c, theirs.high_c))
            assert ours.deviation_k == pytest.approx(theirs.deviation_k)
            assert ours.observations == theirs.observations


def test_doubt_grows_with_time_as_the_engine_s() -> None:
    homes, curve = LearnedComfort(NIGHT), ComfortCurve()
    homes.override(0, local_hour=15.0, heating=False, chosen_c=24.0, before_c=27.0, room_c=26.0)
    point = after_override(curve.at(Season.COOLING, PersonState.HOME), 24.0, room_c=26.0, before_c=27.0, heating=False)
    edges(homes, occupied=0.0)
    edges(homes, occupied=0.0, at_epoch_s=40.0 * DAY_S)
    theirs = after_days(curve.with_point(Season.COOLING, PersonState.HOME, point), 40.0)
    ours = homes.curve(0).at(Season.COOLING, PersonState.HOME)
    assert ours.high_deviation_k == pytest.approx(theirs.at(Season.COOLING, PersonState.HOME).high_deviation_k)
    assert ours.high_deviation_k > point.high_deviation_k


def test_what_people_leave_alone_is_learned_as_by_the_engine() -> None:
    """28.5 °C in a band that is believed to end below; an hour must pass first, and nobody learns while away."""
    homes, point = LearnedComfort(NIGHT), ComfortCurve().at(Season.COOLING, PersonState.HOME)
    for _ in range(4):
        assert edges(homes, room_c=28.5).high_c[0] == pytest.approx(point.high_c)
    for _ in range(8):
        point = after_quiet(point, 28.5, 0.25)
        assert edges(homes, room_c=28.5).high_c[0] == pytest.approx(point.high_c)
    away = LearnedComfort(NIGHT)
    for _ in range(12):
        edges(away, room_c=28.5, occupied=0.0)
    prior = ComfortCurve().at(Season.COOLING, PersonState.HOME)
    assert edges(away, room_c=26.0).high_c[0] == pytest.approx(prior.high_c)


def test_what_moved_people_is_the_air_before_their_change() -> None:
    """The unit has cooled the room from 27.2 to 24 °C by the time that the change is seen."""
    homes = LearnedComfort(NIGHT)
    edges(homes, room_c=27.2)
    homes.override(0, local_hour=15.0, heating=False, chosen_c=24.0, before_c=26.0, room_c=24.0)
    seen, prior = homes.curve(0).at(Season.COOLING, PersonState.HOME), ComfortPoint(26.0, 1.6)
    assert seen == after_override(prior, 24.0, room_c=27.2, before_c=26.0, heating=False)


@given(
    st.floats(0.0, 23.99),
    st.booleans(),
    st.booleans(),
    st.one_of(st.just(np.nan), st.floats(10.0, 38.0)),
    st.floats(-10.0, 35.0),
)
def test_the_season_is_the_engine_s(hour: float, on: bool, heating: bool, room_c: float, outdoor_c: float) -> None:
    seen = edges(LearnedComfort(NIGHT), hour=hour, on=on, heating=heating, room_c=room_c, outdoor_c=outdoor_c)
    clock = time(int(hour), int(hour * 60) % 60)
    for home in range(2):
        state = person_state(1.0, clock, (int(NIGHT[home, 0]), int(NIGHT[home, 1])))
        running = Season.HEATING if heating else Season.COOLING
        usual = running if on else season_by_weather(outdoor_c)
        point = point_today(ComfortCurve(), state, outdoor_c)
        season = season_of(None if np.isnan(room_c) else room_c, outdoor_c, point, usual)
        assert seen.heats[home] == (season == Season.HEATING)
        assert seen.asleep[home] == (state == PersonState.ASLEEP)
