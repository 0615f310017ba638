"""The engine in the benchmark is the engine at home: what its parts read is the same, and so is the guard."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks.savings.lingyun_controller import Lingyun, trusted_c
from benchmarks.savings.presence import forecast, until_return_s
from benchmarks.savings.words import Known, Seen
from control.presence import Evidence, Presence

MONDAY_S = datetime(2026, 7, 13, tzinfo=UTC).timestamp()
OFFSET_S = 8 * 3600.0
ZONE = cast(ZoneInfo, timezone(timedelta(seconds=OFFSET_S)))
QUARTER_S = 900.0
TAUGHT = 15 * 96 + 37  # quarters


def sensed(n: int) -> np.ndarray:
    """Homes that are empty over the day, each a little longer than the one before."""
    hour = (np.arange(TAUGHT + 1) * QUARTER_S + OFFSET_S) / 3600.0 % 24.0
    return (hour[:, np.newaxis] < 8.0) | (hour[:, np.newaxis] > 16.0 + np.arange(n))


def look(n: int = 4, **changes: Any) -> Seen:
    """A summer's morning after some weeks: rooms of 24 °C and more, a band of 24.5 to 27 °C."""
    rng = np.random.default_rng(3)
    at_s = MONDAY_S + TAUGHT * QUARTER_S
    local = datetime.fromtimestamp(at_s, tz=ZONE)
    seen = sensed(n)
    values: dict[str, Any] = {
        "row": 3 * TAUGHT,
        "at_epoch_s": at_s,
        "local_hour": np.full(n, local.hour + local.minute / 60.0),
        "weekday": np.full(n, local.weekday()),
        "room_temperature_c": 24.0 + 1.4 * np.arange(n),
        "humidity_pct": np.full(n, 60.0),
        "unit_temperature_c": 25.0 + 1.4 * np.arange(n),
        "outdoor_temperature_c": np.full(n, 31.0),
        "outdoor_mean_day_c": np.full(n, 28.0),
        "solar_w_m2": np.full(n, 400.0),
        "power_w": np.full(n, 300.0),
        "energy_kwh": np.full(n, 0.075),
        "on": np.arange(n) % 2 == 1,
        "heating": np.zeros(n, np.bool_),
        "setpoint_c": np.full(n, 26.0),
        "occupied": seen[TAUGHT].astype(np.float64),
        "asleep": np.zeros(n),
        "held": np.zeros(n, np.bool_),
        "overridden": np.zeros(n, np.bool_),
        "low_c": np.full(n, 24.5),
        "high_c": np.full(n, 27.0),
        "heats": np.zeros(n, np.bool_),
        "presence_ahead": forecast(seen, MONDAY_S, np.full(n, OFFSET_S)).ahead(TAUGHT),
        "low_ahead_c": np.full((n, 96), 24.5),
        "high_ahead_c": np.full((n, 96), 27.0),
        "outdoor_ahead_c": 28.0 + rng.normal(size=(n, 24)),
        "solar_ahead_w_m2": 300.0 * rng.random((n, 24)),
        "price_now": np.full(n, 0.5),
        "price_ahead": rng.random((n, 96)),
    }
    return Seen(**(values | changes))


def known(n: int = 4) -> Known:
    values = np.full(n, 1.0)
    return Known(n, OFFSET_S * values, 31.0 * values, 121.0 * values, 3500.0 * values, values, values, MONDAY_S, 9)


def taught(home: int) -> Presence:
    """The engine's own forecast after the same weeks."""
    presence = Presence(ZONE)
    for quarter, occupied in enumerate(sensed(home + 1)[:, home]):
        if quarter > 0:
            at = datetime.fromtimestamp(MONDAY_S + quarter * QUARTER_S, tz=UTC)
            presence.learn(0, at - timedelta(seconds=QUARTER_S / 2), Evidence(sensor=bool(occupied)))
            presence.forget(QUARTER_S)
    return presence


@pytest.mark.parametrize("home", range(4))
def test_the_next_return_is_the_engine_s(home: int) -> None:
    seen = look()
    at = datetime.fromtimestamp(seen.at_epoch_s, tz=ZONE)
    back = taught(home).next_return(0, at)
    expected_s = np.inf if back is None else (back - at).total_seconds()
    assert until_return_s(seen.presence_ahead)[home] == expected_s


def test_a_hot_room_with_somebody_in_it_is_cooled_towards_the_band() -> None:
    engine, seen = Lingyun(), look(occupied=np.ones(4), on=np.zeros(4, np.bool_))
    engine.start(known())
    orders = engine.decide(replace(seen, room_temperature_c=np.full(4, 29.0)))
    assert orders.on.all()
    assert not orders.heating.any()
    assert (orders.setpoint_c >= 24.5 - 1.5).all()
    assert (orders.setpoint_c <= 27.0).all()


def test_a_unit_in_an_empty_room_stays_off() -> None:
    engine = Lingyun()
    engine.start(known())
    nobody = np.full((4, 96), 0.1)
    seen = look(occupied=np.zeros(4), presence_ahead=nobody, on=np.zeros(4, np.bool_))
    assert not engine.decide(replace(seen, room_temperature_c=np.full(4, 31.0))).on.any()


def test_a_person_s_change_is_left_alone() -> None:
    engine = Lingyun()
    engine.start(known())
    seen = look(held=np.ones(4, np.bool_), setpoint_c=np.array([20.0, 21.0, 22.0, 23.0]))
    orders = engine.decide(seen)
    assert np.array_equal(orders.on, seen.on)
    assert np.array_equal(orders.setpoint_c, seen.setpoint_c)


def test_without_a_thermometer_it_reads_the_unit_and_without_either_it_holds() -> None:
    nothing = np.full(4, np.nan)
    seen = look(room_temperature_c=nothing)
    assert np.array_equal(trusted_c(seen), seen.unit_temperature_c)
    blind = replace(seen, unit_temperature_c=nothing)
    assert np.isnan(trusted_c(blind)).all()
    assert np.isnan(trusted_c(look(unit_temperature_c=np.full(4, 60.0)))).all()
    engine = Lingyun()
    engine.start(known())
    orders = engine.decide(blind)
    assert np.array_equal(orders.on, blind.on)


def test_a_unit_that_has_just_been_switched_rests_and_runs_as_long_as_the_guard_says() -> None:
    """On for a hot room; fifteen minutes later the room is cold, but 25 minutes must pass."""
    engine, seen = Lingyun(), look(occupied=np.ones(4), on=np.zeros(4, np.bool_))
    engine.start(known())
    first = engine.decide(replace(seen, room_temperature_c=np.full(4, 29.0)))

    def later(quarters: int) -> Seen:
        return replace(
            seen,
            at_epoch_s=seen.at_epoch_s + quarters * QUARTER_S,
            room_temperature_c=np.full(4, 22.0),
            on=first.on,
            setpoint_c=first.setpoint_c,
        )

    assert engine.decide(later(1)).on.all()
    assert not engine.decide(later(2)).on.any()
