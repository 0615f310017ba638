"""The engine over looks that the test takes, on a real database; the unit obeys when the test says so."""

from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from control.conventional import SLOTS, Program, Slot
from control.engine import Engine
from control.minds import RoomMind
from control.presence import Evidence
from control.viewing import Look, Seen
from core.sentences import LANGUAGES, sentence
from core.settings import Settings
from core.words import Command, CommandState, Fan, Mode
from storage.repositories.commands import BY_PERSON, CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.kept import set_comfort
from storage.repositories.learned import ComfortCurve, LearnedRepository, PersonState, Season
from storage.repositories.overrides import OverrideRepository
from storage.tables import DeviceRow
from tests.control.household import Household, eager, look, make_engine, make_up, restless

NO_BEEPS_MATTER = {"quiet_hours": None}


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """A hot room with somebody in it and the unit off."""
    home = Household(sqlite_database).build(NO_BEEPS_MATTER)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(29.0)
    home.tv(90.0)
    return home


def teach_presence(engine: Engine, home: Household, hours: range) -> None:
    """Habits of a working household: in during ``hours``, local, on every day."""
    presence = engine._homes[home.home_id].presence
    presence.rooms.clear()
    start = home.at - timedelta(hours=16)  # local midnight
    for quarter in range(7 * 96):
        at = start + timedelta(minutes=15 * quarter)
        local_hour = (quarter // 4) % 24
        for _ in range(4):
            presence.learn(home.room_id, at, Evidence(sensor=local_hour in hours))


def test_a_hot_room_with_somebody_in_it_is_cooled_at_the_first_look(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    assert engine.ready.is_set()
    (command,), (decision,) = home.commands(), home.decisions()
    assert command.body["on"] is True
    assert command.body["mode"] == "cool"
    assert decision.command_id == command.id
    assert decision.saw["room_temperature_c"] == 29.0
    assert decision.outlook["temperature_c"]
    assert decision.reason["code"] == "comfort"


def test_every_decision_has_its_sentence_in_every_language(home: Household) -> None:
    engine = make_engine(home)
    for step in range(8):
        look(engine, home, later_s=900.0)
        home.obey()
        home.air(29.0 - 0.5 * step)
        home.tv(90.0 if step < 5 else 1.0)
    decisions = home.decisions()
    assert len(decisions) >= 8
    for decision in decisions:
        for language in LANGUAGES:
            assert sentence(decision.reason["code"], decision.reason["values"], language)


def test_a_room_without_any_data_is_not_decided_for(sqlite_database: Database) -> None:
    home = Household(sqlite_database).build()
    engine = make_engine(home)
    look(engine, home)
    assert home.decisions() == []
    home.unit(on=False, mode="cool", setpoint_c=26.0)
    home.air(29.0)
    look(engine, home, later_s=1.0)
    assert len(home.decisions()) == 1


def test_decisions_come_each_control_period_and_not_in_bursts(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    look(engine, home, later_s=60.0)
    assert len(home.decisions()) == 1
    look(engine, home, later_s=900.0)
    assert len(home.decisions()) == 2
    home.air(28.0)
    look(engine, home, later_s=6 * 900.0)  # the machine slept
    look(engine, home, later_s=1.0)
    assert len(home.decisions()) == 3


def test_a_change_at_the_unit_wins_at_once_and_holds(home: Household) -> None:
    engine = make_engine(home, Settings(override_hold_s=7200.0))
    look(engine, home)
    home.obey()
    look(engine, home, later_s=300.0)
    home.unit(setpoint_c=22.0)
    look(engine, home, later_s=1.0)
    (override,) = home.overrides()
    assert override.origin == "device"
    assert override.target["setpoint_c"] == 22.0
    assert override.until - override.started_at == timedelta(hours=2)
    assert home.decisions()[-1].controller == "override"
    before = len(home.commands())
    for _ in range(7):
        home.air(27.0)
        look(engine, home, later_s=900.0)
    assert len(home.commands()) == before
    home.air(24.0)
    home.tv(90.0)
    look(engine, home, later_s=900.0)
    assert home.overrides()[0].ended_at is not None
    assert home.decisions()[-1].controller == "policy"
    assert home.decisions()[-1].saw["trigger"] == "override"


def test_what_our_own_command_did_is_not_taken_for_a_person(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(home)
    make_up(monkeypatch, restless)
    for _ in range(12):
        look(engine, home, later_s=300.0)
        home.obey()
        home.air(26.0)
        home.tv(90.0)
    assert len(home.commands()) > 2
    assert home.overrides() == []


def test_an_override_over_rest_is_commanded_at_the_next_look(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.ask(Command(setpoint_c=23.0))
    look(engine, home, later_s=1.0)
    command = home.commands()[-1]
    assert command.body == {"on": True, "mode": "cool", "setpoint_c": 23.0, "fan": "auto"}
    assert home.decisions()[-1].reason["code"] == "override_rest"
    home.obey()
    look(engine, home, later_s=900.0)
    assert home.commands()[-1].id == command.id
    assert len(home.overrides()) == 1


def test_taking_an_override_back_returns_the_room_to_its_plan(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.ask(Command(on=False))
    look(engine, home, later_s=1.0)
    home.obey()
    with home.session() as session:
        repository = OverrideRepository(session)
        for row in repository.open():
            repository.end(row, home.at)
    home.tv(90.0)
    look(engine, home, later_s=1.0)
    assert home.decisions()[-1].controller == "policy"
    assert home.decisions()[-1].guard == ["minimum_rest"]


def test_a_persons_command_becomes_an_override(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    with home.session() as session:
        CommandRepository(session).queue(
            home_id=home.home_id,
            device_id=home.unit_id,
            body=Command(on=True, mode=Mode.COOL, setpoint_c=21.0),
            requested_by=BY_PERSON,
            queued_at=home.at,
            expires_at=home.at + timedelta(minutes=5),
        )
    home.obey()
    look(engine, home, later_s=1.0)
    look(engine, home, later_s=1.0)
    (override,) = home.overrides()
    assert override.origin == "rest"
    assert override.target == {"on": True, "mode": "cool", "setpoint_c": 21.0}
    assert [row.requested_by for row in home.commands()].count("engine") == 1


def ask_for(home: Household, setpoint_c: float) -> None:
    """Somebody commands the unit itself over REST."""
    with home.session() as session:
        CommandRepository(session).queue(
            home_id=home.home_id,
            device_id=home.unit_id,
            body=Command(on=True, mode=Mode.COOL, setpoint_c=setpoint_c),
            requested_by=BY_PERSON,
            queued_at=home.at,
            expires_at=home.at + timedelta(minutes=5),
        )


def test_a_persons_command_of_while_the_engine_was_down_holds_until_its_time_is_over(home: Household) -> None:
    engine = make_engine(home, Settings(override_hold_s=7200.0))
    look(engine, home)
    home.obey()
    engine._save_all()
    home.at += timedelta(minutes=1)
    ask_for(home, 21.0)
    home.obey()
    asked_at = home.at
    for _ in range(2):  # the second start finds it taken already
        look(make_engine(home, Settings(override_hold_s=7200.0)), home, later_s=600.0)
        (override,) = home.overrides()
    assert override.target["setpoint_c"] == 21.0
    assert (override.started_at, override.until) == (asked_at, asked_at + timedelta(hours=2))
    home.at += timedelta(hours=3)
    look(make_engine(home, Settings(override_hold_s=7200.0)), home)
    (override,) = home.overrides()
    assert override.ended_at is not None


def test_a_persons_command_whose_override_could_not_be_kept_is_heeded_at_the_next_look(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.at += timedelta(seconds=1)
    ask_for(home, 21.0)
    with monkeypatch.context() as patch:
        patch.setattr(OverrideRepository, "_tell", locked)
        with pytest.raises((OperationalError, RuntimeError)):
            look(engine, home, later_s=1.0)
    assert home.overrides() == []
    look(engine, home, later_s=1.0)
    assert [row.target["setpoint_c"] for row in home.overrides()] == [21.0]


def test_an_override_moves_the_comfort_curve(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.ask(Command(setpoint_c=23.0))
    look(engine, home, later_s=1.0)
    with home.session() as session:
        point = LearnedRepository(session).comfort(home.room_id).at(Season.COOLING, PersonState.HOME)
    prior = ComfortCurve().at(Season.COOLING, PersonState.HOME)
    assert point.high_c < prior.high_c
    assert point.observations == 1


def test_a_warm_room_that_people_leave_alone_moves_the_comfort_curve_but_not_while_nobody_is_in(
    home: Household,
) -> None:
    def high_after(hours: float, tv_w: float) -> float:
        engine = make_engine(home)
        for _ in range(round(4 * hours)):
            look(engine, home, later_s=900.0)
            home.obey()
            home.air(28.5)
            home.tv(tv_w)
        with home.session() as session:
            return LearnedRepository(session).comfort(home.room_id).at(Season.COOLING, PersonState.HOME).high_c

    prior_c = ComfortCurve().at(Season.COOLING, PersonState.HOME).high_c
    assert high_after(2.0, tv_w=1.0) == prior_c
    assert high_after(1.0, tv_w=90.0) == prior_c
    assert prior_c + 0.2 < high_after(3.0, tv_w=90.0) < 29.0


def test_a_pinned_comfort_curve_is_followed_and_not_learned_over(home: Household) -> None:
    with home.session() as session:
        set_comfort(
            session,
            home.room_id,
            Season.COOLING,
            PersonState.HOME,
            home.at,
            neutral_c=23.5,
            half_width_k=0.5,
            pinned=True,
        )
    engine = make_engine(home)
    look(engine, home)
    assert home.decisions()[-1].saw["comfort_high_c"] == 24.0
    home.obey()
    home.ask(Command(setpoint_c=28.0))
    look(engine, home, later_s=1.0)
    with home.session() as session:
        point = LearnedRepository(session).comfort(home.room_id).at(Season.COOLING, PersonState.HOME)
    assert (point.neutral_c, point.pinned) == (23.5, True)


def test_a_pinned_band_holds_in_any_weather_of_its_season(home: Household) -> None:
    """At 18.5 °C outdoors a band that was not pinned lies between those of cold and of warm days."""
    engine = make_engine(home)
    for _ in range(26):  # a day of such weather
        home.air(26.0, outdoors_c=18.5)
        look(engine, home, later_s=3600.0)
    prior = ComfortCurve().at(Season.COOLING, PersonState.HOME)
    assert home.decisions()[-1].saw["comfort_high_c"] < prior.high_c
    with home.session() as session:
        set_curve = set_comfort(
            session, home.room_id, Season.COOLING, PersonState.HOME, home.at, neutral_c=24.0, pinned=True
        )
    home.air(26.0, outdoors_c=18.5)
    look(engine, home, later_s=900.0)
    saw = home.decisions()[-1].saw
    width_k = set_curve.at(Season.COOLING, PersonState.HOME).used_half_width_k
    assert (saw["comfort_low_c"], saw["comfort_high_c"]) == pytest.approx((24.0 - width_k, 24.0 + width_k))


def test_an_empty_room_stays_off_until_people_are_about_to_return(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back at 22:00: nothing may start at 16:00, and the unit runs before 22:00."""
    home.tv(1.0)
    engine = make_engine(home)
    look(engine, home, later_s=0.0)
    make_up(monkeypatch, eager)
    home.obey()
    teach_presence(engine, home, range(22, 24))
    home.unit(on=False)
    engine._rooms[home.room_id].unit.expected["on"] = False
    for _ in range(12):
        home.air(31.0)
        look(engine, home, later_s=900.0)
        home.obey()
    away = home.decisions()[1:]
    assert all(not row.action["on"] for row in away)
    assert {row.reason["code"] for row in away} == {"kept"}
    for _ in range(12):
        home.air(31.0)
        look(engine, home, later_s=900.0)
        home.obey()
    first = next(row for row in home.decisions()[1:] if row.action["on"])
    assert first.reason["code"] == "return"
    assert first.reason["values"]["from_time"] == "22:00"
    assert home.at - timedelta(hours=2, minutes=15) <= first.decided_at


def test_somebody_coming_in_is_answered_at_once(home: Household) -> None:
    home.tv(1.0)
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    teach_presence(engine, home, range(0))
    look(engine, home, later_s=900.0)
    home.obey()
    assert engine._rooms[home.room_id].likely is False
    home.tv(90.0)
    home.air(30.0)
    look(engine, home, later_s=60.0)
    assert home.decisions()[-1].saw["trigger"] == "presence"


def test_the_kill_switch_returns_the_unit_to_the_household_once_and_then_leaves_it_alone(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    mind = engine._rooms[home.room_id]
    mind.program = program(on_setpoint_c=24.0)
    home.control("off")
    look(engine, home, later_s=60.0)
    command = home.commands()[-1]
    assert command.body == {"on": True, "mode": "cool", "setpoint_c": 24.0, "fan": "auto"}
    decision = home.decisions()[-1]
    assert decision.controller == "off"
    assert decision.reason["code"] == "released"
    home.obey()
    home.unit(setpoint_c=20.0)
    for _ in range(8):
        home.air(30.0)
        look(engine, home, later_s=900.0)
    assert home.commands()[-1].id == command.id
    assert home.overrides() == []
    home.control("auto")
    home.tv(90.0)
    look(engine, home, later_s=1.0)
    assert home.decisions()[-1].saw["trigger"] == "control"
    assert home.decisions()[-1].controller == "policy"


def program(on_setpoint_c: float) -> Program:
    return Program(30.0, (Slot(1.0, Mode.COOL, on_setpoint_c, Fan.AUTO),) * SLOTS)


def test_the_kill_switch_works_although_the_engine_was_not_running(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._save_all()
    home.control("off")
    later = make_engine(home)
    later._rooms.clear()
    look(later, home, later_s=60.0)
    assert home.decisions()[-1].controller == "off"


def test_a_kill_switch_and_an_override_outlive_a_commit_that_fails(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    changes: list[Callable[[], None]] = [lambda: home.ask(Command(setpoint_c=22.0)), lambda: home.control("off")]
    for change in changes:
        change()
        before = len(home.decisions())
        with monkeypatch.context() as patch:
            patch.setattr(DecisionRepository, "add", locked)
            with pytest.raises((OperationalError, RuntimeError)):
                look(engine, home, later_s=1.0)
        assert len(home.decisions()) == before
        look(engine, home, later_s=1.0)
        home.obey()
        assert len(home.decisions()) == before + 1


def test_a_room_that_fails_does_not_stop_the_others(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Household(home.database).build(NO_BEEPS_MATTER, name="other")
    other.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    other.air(29.0)
    other.tv(90.0)
    see = Engine._see

    def fail_first(engine: Engine, mind: RoomMind, seen: Look) -> Seen | None:
        if mind.layout.id == home.room_id:
            raise ValueError("what is stored of the room makes no sense")
        return see(engine, mind, seen)

    engine = make_engine(home)
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "_see", fail_first)
        look(engine, home)
        assert {row.room_id for row in home.decisions()} == {other.room_id}
        assert engine.ready.is_set()
    look(engine, home, later_s=1.0)
    assert {row.room_id for row in home.decisions()} == {home.room_id, other.room_id}


def locked(*_: object, **__: object) -> NoReturn:
    raise OperationalError("INSERT", {}, Exception("database is locked"))


def test_a_room_that_never_was_controlled_gets_no_command_when_it_is_off(home: Household) -> None:
    home.control("off")
    engine = make_engine(home)
    look(engine, home)
    look(engine, home, later_s=900.0)
    assert home.commands() == []
    assert home.decisions() == []


def test_a_watched_room_is_decided_for_and_not_commanded(home: Household) -> None:
    home.control("shadow")
    engine = make_engine(home)
    look(engine, home)
    (decision,) = home.decisions()
    assert decision.action["on"] is True
    assert decision.guard[-1] == "shadow"
    assert home.commands() == []


def test_stale_data_hand_the_room_to_the_households_own_program(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = program(on_setpoint_c=24.0)
    look(engine, home, later_s=2 * 3600.0)
    decision = home.decisions()[-1]
    assert decision.controller == "conventional"
    assert decision.guard[0] == "stale_data"
    assert decision.action["setpoint_c"] == 24.0
    assert "no fresh room temperature" in sentence(decision.reason["code"], decision.reason["values"], "en")


def test_two_sensors_that_contradict_each_other_are_not_believed(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.unit(room_temperature_c=15.0)
    home.air(29.0)
    look(engine, home, later_s=900.0)
    assert home.decisions()[-1].guard == ["implausible_sensor"]


def test_an_engine_that_starts_again_goes_on_where_it_stopped(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    look(engine, home, later_s=300.0)
    engine._save_all()
    home.unit(setpoint_c=20.0)  # while the engine was down
    later = make_engine(home)
    look(later, home, later_s=600.0)
    assert home.overrides()[0].target["setpoint_c"] == 20.0
    state = later._rooms[home.room_id].forecast.state
    assert state is not None
    assert state.steps >= 3


def test_a_command_of_before_a_long_stop_still_explains_what_the_unit_shows(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    engine._save_all()
    home.obey()  # while the engine was down
    home.at += timedelta(hours=5)
    home.unit(room_temperature_c=27.0)
    look(make_engine(home), home)
    assert home.overrides() == []


def test_a_change_by_hand_that_could_not_be_kept_is_seen_again(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    look(engine, home, later_s=60.0)
    home.unit(setpoint_c=22.0)
    with monkeypatch.context() as patch:
        patch.setattr(OverrideRepository, "_tell", locked)
        with pytest.raises((OperationalError, RuntimeError)):
            look(engine, home, later_s=1.0)
    assert home.overrides() == []
    look(engine, home, later_s=1.0)
    assert home.overrides()[0].target["setpoint_c"] == 22.0


def test_the_predictor_is_held_to_what_it_said(home: Household) -> None:
    engine = make_engine(home)
    for _ in range(8):
        home.air(27.0)
        home.tv(90.0)
        look(engine, home, later_s=300.0)
        home.obey()
    error = engine._rooms[home.room_id].forecast.error
    assert error.count[900] >= 4
    assert 0.0 <= error.mae_k[900] < 3.0
    assert home.decisions()[-1].outlook["mae_k"]["900"] == pytest.approx(error.mae_k[900], abs=1.0)


def test_a_failed_command_is_tried_again_at_the_next_decision(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    with home.session() as session:
        (row,) = CommandRepository(session).queued()
        CommandRepository(session).mark_sent(row, home.at)
        CommandRepository(session).end(row, CommandState.FAILED, home.at, "not observed after 2 attempts")
    home.air(30.0)
    home.tv(90.0)
    look(engine, home, later_s=900.0)
    assert len(home.commands()) == 2


def test_a_home_whose_rooms_are_gone_is_let_go(home: Household) -> None:
    other = Household(home.database).build(NO_BEEPS_MATTER, name="other")
    engine = make_engine(home)
    look(engine, home)
    assert engine._homes.keys() == {home.home_id, other.home_id}
    with home.session() as session:
        session.get_one(DeviceRow, other.unit_id).removed_at = home.at
    look(engine, home, later_s=1.0)
    assert engine._homes.keys() == {home.home_id}
    assert engine._rooms.keys() == {home.room_id}
