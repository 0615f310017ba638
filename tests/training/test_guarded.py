"""Units in training stand behind the guard of the engine."""

from datetime import UTC, datetime, timedelta

import numpy as np

from control.planner import Targets
from training.believed import Edges
from training.guarded import Orders, Units

NOON = datetime(2031, 7, 1, 12, tzinfo=UTC)
COMFORTABLE_C = 25.0


def check(
    units: Units,
    at: datetime,
    *,
    wants_on: bool,
    is_on: bool,
    room_c: float = COMFORTABLE_C,
    setpoint_c: float = 25.0,
    held: bool = False,
) -> Orders:
    """One room that cools between 23 and 26 °C."""
    one = np.ones(1)
    seen = {
        "on": one * is_on,
        "heating": 0.0 * one,
        "setpoint_c": 25.0 * one,
        "room_temperature_c": room_c * one,
        "occupied": one,
        "local_hour": one * (at.hour + at.minute / 60.0),
    }
    targets = Targets(np.array([wants_on]), 25.0 * one, 0.0 * one, setpoint_c * one)
    edges = Edges(np.array([False]), 23.0 * one, 26.0 * one, np.full((1, 96), 23.0), np.full((1, 96), 26.0))
    return units.check(at.timestamp(), seen, targets, edges, np.array([held]), np.array([False]))


def test_a_unit_that_was_just_switched_on_stays_on() -> None:
    units = Units(1)
    assert check(units, NOON, wants_on=True, is_on=False).on.all()
    assert check(units, NOON + timedelta(minutes=15), wants_on=False, is_on=True).on.all()
    assert not check(units, NOON + timedelta(minutes=30), wants_on=False, is_on=True).on.any()


def test_nothing_is_told_in_quiet_hours_unless_the_room_has_left_the_band() -> None:
    night = NOON + timedelta(hours=14)
    units = Units(1)
    check(units, NOON, wants_on=False, is_on=False)
    assert not check(units, night, wants_on=True, is_on=False).on.any()
    assert check(units, night + timedelta(minutes=15), wants_on=True, is_on=False, room_c=27.5).on.all()


def test_less_than_the_dead_band_is_not_told() -> None:
    units = Units(1)
    check(units, NOON, wants_on=True, is_on=False)
    later = NOON + timedelta(hours=2)
    assert check(units, later, wants_on=True, is_on=True, setpoint_c=25.5).setpoint_c == 25.0
    assert check(units, later, wants_on=True, is_on=True, setpoint_c=26.0).setpoint_c == 26.0


def test_a_change_by_hand_is_left_alone() -> None:
    units = Units(1)
    check(units, NOON, wants_on=True, is_on=False)
    orders = check(units, NOON + timedelta(hours=2), wants_on=False, is_on=True, setpoint_c=20.0, held=True)
    assert orders.on.all()
    assert orders.setpoint_c == 25.0
