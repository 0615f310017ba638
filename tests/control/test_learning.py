"""What is learned from stored reports before the first decision."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.orm import Session

from control.history import read_quarters, read_settings, settings_by_quarter
from control.learning import learn_room, learn_weather, past_moments
from control.room_state import RoomLayout, layouts_of, read_facts
from core.words import Fan, Mode
from storage.repositories.learned import ComfortCurve, PersonState, Season
from storage.tables import ReportRow
from tests.control.household import AFTERNOON, Household, look, make_engine

DAYS = 14
QUIET = (23 * 60, 7 * 60)


def report(at: datetime, device_id: int, **values: object) -> ReportRow:
    return ReportRow(measured_at=at, device_id=device_id, received_at=at, own_time=True, repeated=False, **values)


def lived_in(database: Database) -> Household:
    """Two weeks: home from 18 to 23, the unit at 25 °C, which gives 25.4 °C of air after half an hour."""
    home = Household(database).build()
    reports = []
    for minutes in range(0, DAYS * 1440, 5):
        at = AFTERNOON - timedelta(days=DAYS) + timedelta(minutes=minutes)
        hour = (at.hour + 8) % 24
        on = 18 <= hour < 23
        since_h = hour - 18 + at.minute / 60.0
        air_c = (max(25.4, 29.0 - 4.0 * since_h) if on else 29.0) + 0.0
        reports.append(report(at, home.thermometer_id, room_temperature_c=air_c))
        reports.append(report(at, home.outdoor_id, room_temperature_c=30.0 + hour / 10.0))
        reports.append(report(at, home.tv_id, power_w=90.0 if on else 1.0))
        if minutes % 60 == 0:
            reports.append(
                report(at, home.unit_id, on=on, mode="cool", setpoint_c=25.0, fan="low", power_w=600.0 if on else 2.0)
            )
    home.record(reports)
    return home


def layout_of(home: Household) -> RoomLayout:
    with Session(home.database) as session:
        (layout,) = layouts_of(read_facts(session))
    return layout


def test_a_layout_knows_what_each_device_is_for(sqlite_database: Database) -> None:
    layout = layout_of(Household(sqlite_database).build())
    assert [thing.name for thing in layout.thermometers] == ["indoors"]
    assert [thing.name for thing in layout.outdoor] == ["outdoor"]
    assert [thing.name for thing in layout.signs] == ["tv"]
    assert [thing.name for thing in layout.meters] == ["unit"]


def test_quarters_and_settings_are_read_alike_from_both_databases(database: Database) -> None:
    home = Household(database).build()
    start = AFTERNOON
    home.record(
        [
            report(start, home.tv_id, power_w=10.0),
            report(start + timedelta(minutes=10), home.tv_id, power_w=30.0, occupied=True),
            report(start + timedelta(minutes=20), home.tv_id, power_w=50.0),
            report(start, home.unit_id, on=True, mode="cool", setpoint_c=25.0),
            report(start + timedelta(minutes=16), home.unit_id, setpoint_c=25.0),
            report(start + timedelta(minutes=31), home.unit_id, setpoint_c=24.0),
            report(start + timedelta(minutes=32), home.unit_id, power_w=700.0),
        ]
    )
    end = start + timedelta(hours=1)
    with Session(database) as session:
        quarters = read_quarters(session, [home.tv_id], start, end)[home.tv_id]
        settings = read_settings(session, home.unit_id, start, end)
    assert [(quarter.start_s, quarter.power_w, quarter.occupied) for quarter in quarters] == [
        (int(start.timestamp()), 20.0, 1.0),
        (int(start.timestamp()) + 900, 50.0, None),
    ]
    assert [(setting.on, setting.mode, setting.setpoint_c) for setting in settings] == [
        (True, Mode.COOL, 25.0),
        (True, Mode.COOL, 24.0),
    ]
    held = [setting.setpoint_c for _, setting in settings_by_quarter(settings, end)]
    assert held == [25.0, 25.0, 24.0, 24.0]


def test_habits_of_two_weeks_are_found(sqlite_database: Database) -> None:
    home = lived_in(sqlite_database)
    layout = layout_of(home)
    with Session(sqlite_database) as session:
        habits = learn_room(session, layout, ComfortCurve(), AFTERNOON, QUIET)
    evening, morning = AFTERNOON + timedelta(hours=3), AFTERNOON - timedelta(hours=6)
    wish = habits.program.at(evening, layout.home.zone)
    assert wish is not None
    assert (wish.on, wish.mode, wish.setpoint_c, wish.fan) == (True, Mode.COOL, 25.0, Fan.LOW)
    off = habits.program.at(morning, layout.home.zone)
    assert off is not None
    assert not off.on
    assert habits.program.days == pytest.approx(DAYS, abs=0.1)
    assert habits.presence.usual(home.room_id, evening) > 0.7
    assert habits.presence.usual(home.room_id, morning) < 0.4
    assert habits.pull_down_k_per_h == pytest.approx(4.0, abs=1.5)
    point = habits.curve.at(Season.COOLING, PersonState.HOME)
    assert point.neutral_c == pytest.approx(25.4, abs=0.25)
    assert point.observations == DAYS


def test_the_weather_of_two_days_is_found(sqlite_database: Database) -> None:
    home = lived_in(sqlite_database)
    with Session(sqlite_database) as session:
        memory = learn_weather(session, layout_of(home), AFTERNOON)
    ahead = memory.ahead(AFTERNOON, 31.0, 121.0)
    assert ahead.source == "yesterday"
    assert ahead.outdoor_c[3] == pytest.approx(31.9, abs=0.3)


def test_the_past_is_lived_through_before_the_first_decision(sqlite_database: Database) -> None:
    home = lived_in(sqlite_database)
    with Session(sqlite_database) as session:
        past = past_moments(session, layout_of(home), AFTERNOON)
    assert len(past) >= 7 * 96 - 1
    assert past[-1].at <= AFTERNOON
    assert any(moment.on and moment.power_w == 600.0 for moment in past)
    home.unit(on=False, mode="cool", setpoint_c=25.0, fan="low")
    home.air(29.0)
    engine = make_engine(home)
    look(engine, home)
    forecast = engine._rooms[home.room_id].forecast
    assert forecast.state is not None
    assert forecast.state.steps >= 96
    assert forecast.physics is not None
    assert home.decisions()[0].outlook["by"] == "lstm"


def test_the_better_of_two_models_gives_the_outlook(sqlite_database: Database) -> None:
    home = lived_in(sqlite_database)
    home.unit(on=False, mode="cool", setpoint_c=25.0, fan="low")
    home.air(29.0)
    engine = make_engine(home)
    look(engine, home)
    forecast = engine._rooms[home.room_id].forecast
    for error, mae_k in ((forecast.error, 1.5), (forecast.physics_error, 0.4)):
        error.mae_k, error.count = {3600: mae_k}, {3600: 60}
    home.air(29.0)
    look(engine, home, later_s=900.0)
    assert home.decisions()[-1].outlook["by"] == "rc"
    forecast.physics_error.mae_k = {3600: 2.5}
    home.air(29.0)
    look(engine, home, later_s=900.0)
    assert home.decisions()[-1].outlook["by"] == "lstm"
