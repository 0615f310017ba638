"""People: their days join without a seam, and their hands do to a remote control what people do."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import Mode
from simulator.people import (
    AFTER_PRESS_S,
    DAY_MIN,
    START_DELAY_S,
    TRUST_S,
    Company,
    Habit,
    Hand,
    Panel,
    Presence,
    draw_people,
    handle,
    presence_of_day,
)

HABIT = Habit(25.0, 20.0, 28.5, 14.0, 0.2, 16.0, 31.0)
COUPLE = Company(neutral_c=26.0, half_width_k=1.3, patience_s=1800.0, asleep=False)
NOON_S = 1_785_000_000.0


def minutes(
    count: int,
    panel: Panel,
    air_c: float,
    *,
    company: Company | None = COUPLE,
    hand: Hand | None = None,
    chance: float = 0.9,
) -> Hand:
    """Let people be in a room of one temperature for some minutes."""
    hand = hand or Hand()
    for minute in range(count):
        handle(hand, HABIT, panel, company, air_c=air_c, at_s=NOON_S + 60.0 * minute, chance=chance)
    return hand


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


def test_a_warm_room_makes_them_start_the_unit_with_their_own_setpoint_after_a_while() -> None:
    panel = Panel(setpoint_c=22.0)
    hand = minutes(int(START_DELAY_S // 60), panel, 29.0)
    assert not panel.on
    minutes(2 + int(START_DELAY_S // 60), panel, 29.0, hand=hand)
    assert (panel.on, panel.mode, panel.setpoint_c, panel.presses) == (True, Mode.COOL, HABIT.setpoint_c, 1)


def test_a_cold_room_makes_them_start_the_heating() -> None:
    panel = Panel()
    minutes(30, panel, 12.0)
    assert (panel.on, panel.mode, panel.setpoint_c) == (True, Mode.HEAT, HABIT.heating_setpoint_c)


def test_nobody_touches_the_remote_within_the_band() -> None:
    panel = Panel(on=True, setpoint_c=26.0)
    minutes(600, panel, COUPLE.neutral_c + 0.9 * COUPLE.half_width_k)
    assert panel.presses == 0


@pytest.mark.parametrize(("air_c", "expected_c"), [(27.6, 25.0), (24.4, 27.0), (29.5, 24.0)])
def test_who_is_uncomfortable_for_longer_than_their_patience_moves_the_setpoint(
    air_c: float, expected_c: float
) -> None:
    panel = Panel(on=True, setpoint_c=26.0)
    hand = minutes(int(COUPLE.patience_s // 60), panel, air_c)
    assert panel.presses == 0
    handle(hand, HABIT, panel, COUPLE, air_c=air_c, at_s=NOON_S + COUPLE.patience_s, chance=0.9)
    assert (panel.presses, panel.setpoint_c) == (1, expected_c)


def test_people_wait_for_the_effect_of_a_press() -> None:
    panel = Panel(on=True, setpoint_c=26.0)
    minutes(int((2 * COUPLE.patience_s + AFTER_PRESS_S) // 60), panel, 28.0)
    assert panel.presses == 2


def test_the_last_to_leave_switches_off_unless_it_is_forgotten() -> None:
    for chance, stays_on in ((0.9, False), (0.1, True)):
        panel = Panel(on=True)
        hand = minutes(5, panel, 26.0)
        handle(hand, HABIT, panel, None, air_c=26.0, at_s=NOON_S + 600.0, chance=chance)
        assert panel.on is stays_on


def test_a_unit_that_automation_steers_is_left_alone_until_somebody_is_uncomfortable() -> None:
    panel = Panel(on=True, setpoint_c=26.0)
    panel.automate(NOON_S, on=True, setpoint_c=26.5)
    hand = minutes(60, panel, 26.5)
    handle(hand, HABIT, panel, None, air_c=26.5, at_s=NOON_S + 3700.0, chance=0.9)
    assert (panel.on, panel.presses) == (True, 0)
    minutes(60, panel, 29.0, hand=hand)
    assert (panel.presses, panel.setpoint_c) == (1, 24.0)


def test_old_habits_come_back_a_day_after_automation_fell_silent() -> None:
    panel = Panel(on=True)
    panel.automate(NOON_S - TRUST_S, setpoint_c=26.0)
    hand = minutes(2, panel, 26.0)
    handle(hand, HABIT, panel, None, air_c=26.0, at_s=NOON_S + 600.0, chance=0.9)
    assert not panel.on


def test_a_command_that_changes_nothing_counts_as_automation_and_as_no_change() -> None:
    panel = Panel(setpoint_c=26.0)
    panel.automate(NOON_S, setpoint_c=26.0)
    assert (panel.changes, panel.automated_at_s) == (0, NOON_S)
