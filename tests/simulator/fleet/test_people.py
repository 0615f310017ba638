"""The demo home's people: their days join without a seam."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.people import DAY_MIN, Panel, Presence, draw_people, presence_of_day

NOON_S = 1_785_000_000.0


@given(seed=st.integers(0, 200), offset=st.integers(0, 700), index=st.integers(0, 1))
def test_a_person_is_at_midnight_where_the_day_before_left_them(seed: int, offset: int, index: int) -> None:
    person, day = draw_people(seed)[index], date(2026, 1, 1) + timedelta(days=offset)
    today = presence_of_day(seed, index, person, day)
    tomorrow = presence_of_day(seed, index, person, day + timedelta(days=1))
    assert today.shape == (DAY_MIN,)
    falls_asleep_at_midnight = (today[-1], tomorrow[0]) == (Presence.HOME, Presence.ASLEEP)
    assert today[-1] == tomorrow[0] or falls_asleep_at_midnight
    assert tomorrow[4 * 60] == Presence.ASLEEP


def test_one_works_away_from_home_and_one_is_mostly_there() -> None:
    first, second = draw_people(0)
    days = [date(2026, 7, 6) + timedelta(days=offset) for offset in range(28)]
    workdays = [day for day in days if day.weekday() < 5]
    noon = 12 * 60 + 30
    assert all(presence_of_day(0, 0, first, day)[noon] == Presence.AWAY for day in workdays)
    assert np.mean([presence_of_day(0, 1, second, day)[noon] == Presence.HOME for day in workdays]) > 0.7


def test_a_command_that_changes_nothing_counts_as_automation_and_as_no_change() -> None:
    panel = Panel(setpoint_c=26.0)
    panel.automate(NOON_S, setpoint_c=26.0)
    assert (panel.changes, panel.automated_at_s) == (0, NOON_S)
