"""Diaries: who is in the room when."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator import diaries
from simulator.diaries import BEDROOM, LIVING_ROOM, WHOLE
from simulator.residents import ASLEEP, AWAKE, AWAY

START_S = 1_767_571_200.0  # Monday 2026-01-05 at local midnight
STEP_S, DAY = 300.0, 288
WEEKS = 30
WORKER = diaries.Routine(
    wakes_h=7.0,
    sleeps_h=23.0,
    weekend_late_h=1.0,
    spread_h=0.2,
    works=True,
    leaves_h=8.0,
    returns_h=18.0,
    saturday_ratio=0.0,
    lunch_ratio=0.0,
    home_office_ratio=0.0,
    outing_ratio=0.5,
    evening_out_ratio=0.0,
    journeys_per_year=0.0,
    journey_days=3.0,
    room=WHOLE,
    evening_h=1.5,
    siesta_ratio=0.0,
)


def weeks(routine: diaries.Routine, seed: int = 1, holidays: tuple[tuple[int, int], ...] = ()) -> NDArray[np.int8]:
    """Presence by week, weekday and row of the day."""
    rng = np.random.default_rng(seed)
    return diaries.presence(rng, routine, START_S, WEEKS * 7 * DAY, STEP_S, holidays).reshape(WEEKS, 7, DAY)


def at(hour: float) -> int:
    return round(hour * 12)


def test_a_working_household_is_out_in_working_hours_and_asleep_at_night() -> None:
    state = weeks(WORKER)
    assert (state[:, :5, at(11)] == AWAY).all()
    assert (state[:, :5, at(21)] == AWAKE).all()
    assert (state[:, :, at(3)] == ASLEEP).all()
    assert (state[:, 5:, at(11)] == AWAY).mean() < 0.5


def test_leaving_and_coming_home_scatter_about_their_hours() -> None:
    """Normal with a spread of 0.2 h: the mean over 150 days within 0.05 h."""
    away = weeks(WORKER)[:, :5] == AWAY
    leaves_h = away.argmax(axis=2).mean() / 12.0
    returns_h = 24.0 - away[:, :, ::-1].argmax(axis=2).mean() / 12.0
    assert leaves_h == pytest.approx(8.0, abs=0.07)
    assert returns_h == pytest.approx(18.0, abs=0.07)


def test_public_holidays_are_spent_without_work() -> None:
    monday_and_tuesday = (4, 5)  # days of the year, counted from 0
    state = weeks(replace(WORKER, outing_ratio=0.0), holidays=(monday_and_tuesday,))
    assert (state[0, :2] != AWAY).all()
    assert (state[0, 2, at(11)] == AWAY).all()


def test_a_bedroom_is_empty_by_day_and_a_living_room_by_night() -> None:
    bedroom = weeks(replace(WORKER, room=BEDROOM))
    living = weeks(replace(WORKER, room=LIVING_ROOM))
    assert (bedroom[:, :, at(12) : at(20)] == AWAY).all()
    assert (bedroom[:, :4, at(22.5)] == AWAKE).mean() > 0.9
    assert not (living == ASLEEP).any()
    assert (living[:, :5, at(20)] == AWAKE).all()


def test_journeys_empty_the_home_for_whole_days() -> None:
    state = weeks(replace(WORKER, journeys_per_year=6.0))
    gone = (state.reshape(-1, DAY) == AWAY).all(axis=1)
    assert 0.01 < gone.mean() < 0.12
    assert not (weeks(WORKER).reshape(-1, DAY) == AWAY).all(axis=1).any()


def test_households_differ_and_those_at_home_all_day_mostly_are() -> None:
    shares = []
    for all_day in (True, False):
        rng = np.random.default_rng(3)
        routines = [diaries.draw_routine(rng, all_day, (1.0, 0.0, 0.0), 0.2) for _ in range(20)]
        assert len({one.wakes_h for one in routines}) == 20
        shares.append(np.mean([(weeks(one, seed) != AWAY).mean() for seed, one in enumerate(routines)]))
    assert shares[0] > 0.8 > shares[1] > 0.5


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 3000), offset_s=st.integers(0, 86_400 * 365))
def test_a_longer_diary_begins_as_a_shorter_one(seed: int, rows: int, offset_s: int) -> None:
    routine = diaries.draw_routine(np.random.default_rng(seed), bool(seed % 2), (0.4, 0.3, 0.3), 0.3)
    long, short = (
        diaries.presence(np.random.default_rng(seed), routine, START_S + offset_s, n, STEP_S) for n in (3000, rows)
    )
    assert (long[:rows] == short).all()
    assert set(np.unique(long)) <= {AWAY, AWAKE, ASLEEP}
