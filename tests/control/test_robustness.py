"""What is damaged costs its own room what it had learned; what people did while the engine was down is learned."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from control.people import People
from core.words import Command
from storage.repositories import kept
from storage.repositories.kept import all_of, comfort_of
from storage.repositories.learned import HOME, ROOM, ComfortCurve, LearnedRepository, PersonState, Season
from storage.tables import ReportRow, TariffRow
from tests.control.household import Household, look, make_engine
from tests.control.test_engine import NO_BEEPS_MATTER

NONSENSE: list[Any] = [[], "text", 7, {"version": 99, "cooling": {"home": {"neutral_c": "warm"}}}, {"rooms": {"1": 3}}]
NAMES = ("comfort", "unit", "conventional", "response", "predictor", "predictor_error")
DAMAGED = {
    "comfort": {"cooling": {"home": {"neutral_c": 26.0, "half_width_k": "wide"}}},
    "unit": {"expected": {"setpoint_c": "cold"}, "looked_at": "now"},
    "conventional": {"days": 30.0, "slots": [[1.0, "freeze", 24.0, "auto"]]},
    "response": {"pull_down_k_per_h": -3.0},
    "predictor": {"hidden": ["x"]},
    "predictor_error": {"lstm": {"mae_k": {"soon": None}}},
}


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    return hot(Household(sqlite_database).build(NO_BEEPS_MATTER))


def hot(home: Household) -> Household:
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    home.air(29.0)
    home.tv(90.0)
    return home


def keep(home: Household, scope: str, name: str, value: Any) -> None:
    with home.session() as session:
        LearnedRepository(session).put(scope, home.room_id if scope == ROOM else home.home_id, name, value, home.at)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", range(len(NONSENSE) + 1))
def test_a_learned_value_that_makes_no_sense_is_the_prior_and_the_room_is_steered(
    home: Household, name: str, number: int
) -> None:
    other = hot(Household(home.database).build(NO_BEEPS_MATTER, name="other"))
    keep(home, ROOM, name, [*NONSENSE, DAMAGED[name]][number])
    engine = make_engine(home)
    look(engine, home)
    assert engine.ready.is_set()
    assert {row.room_id for row in home.decisions()} == {home.room_id, other.room_id}
    first, second = home.decisions()
    assert first.saw["comfort_high_c"] == second.saw["comfort_high_c"]
    assert first.action == second.action
    home.obey()
    look(engine, home, later_s=900.0)
    assert home.overrides() == [], "nobody changed anything by hand"


@pytest.mark.parametrize("name", ["presence", "weather"])
@pytest.mark.parametrize("value", [*NONSENSE, {"rooms": {"1": [[1.0, "x"]] * 168}}, {"hours": {"1": ["a", 1, 2]}}])
def test_what_a_home_had_learned_and_makes_no_sense_does_not_stop_it(home: Household, name: str, value: Any) -> None:
    keep(home, HOME, name, value)
    engine = make_engine(home)
    look(engine, home)
    assert len(home.decisions()) == 1


def test_damaged_text_is_read_as_nothing_and_written_over(home: Household) -> None:
    for name in NAMES:
        keep(home, ROOM, name, {})
    with home.session() as session:
        session.execute(text("UPDATE learned SET value = '{\"half' WHERE scope = 'room'"))
    engine = make_engine(home)
    look(engine, home)
    assert len(home.decisions()) == 1
    engine._save_all()
    with home.session() as session:
        values = all_of(session, ROOM, home.room_id)
        assert values["unit"]["version"] == 1
        assert values["comfort"] is None, "nothing was learned of it yet"
        assert comfort_of(session, home.room_id) == ComfortCurve()


def test_an_unreadable_curve_is_logged_once_and_learned_over(
    home: Household, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    kept._say.cache_clear()  # what other tests have said
    keep(home, ROOM, "comfort", {"cooling": {"home": {"neutral_c": "26.125"}}})
    engine = make_engine(home)
    for _ in range(3):
        look(engine, home, later_s=1.0)
    said = capsys.readouterr().out + caplog.text
    assert said.count("learned_unreadable") == 1
    home.obey()
    home.ask(Command(setpoint_c=23.0))
    look(engine, home, later_s=1.0)
    with home.session() as session:
        assert LearnedRepository(session).comfort(home.room_id).at(Season.COOLING, PersonState.HOME).observations == 1


def test_prices_that_make_no_sense_do_not_stop_the_engine(home: Household) -> None:
    with home.session() as session:
        session.add(TariffRow(home_id=home.home_id, valid_from=home.at - timedelta(days=1), document={"rates": 3}))
    look(make_engine(home), home)
    assert home.decisions()[-1].saw["price"] == 1.0


# --- while the engine is down ---


def told(home: Household, at: datetime, **values: Any) -> ReportRow:
    return ReportRow(measured_at=at, received_at=at, own_time=True, repeated=False, **values)


def curve_of(home: Household) -> ComfortCurve:
    with Session(home.database) as session:
        return comfort_of(session, home.room_id)


def test_an_override_of_while_the_engine_was_down_is_learned_at_its_start_and_once(home: Household) -> None:
    """The room was at 27.0 °C, which the engine held, when somebody asked for 24: they were too warm."""
    first = make_engine(home)
    look(first, home)
    home.obey()
    first._save_all()
    before = curve_of(home)
    home.at += timedelta(hours=1)
    home.record(
        [
            told(home, home.at - timedelta(minutes=20), device_id=home.thermometer_id, room_temperature_c=27.0),
            told(home, home.at - timedelta(hours=1), device_id=home.unit_id, on=True, mode="cool", setpoint_c=27.0),
        ]
    )
    home.ask(Command(setpoint_c=24.0), hours=3.0)
    assert curve_of(home) == before
    home.air(31.0)  # long after, when the engine starts, the room is another
    look(make_engine(home), home, later_s=5400.0)
    learned = curve_of(home).at(Season.COOLING, PersonState.HOME)
    assert learned.observations == 1
    assert learned.high_c < before.at(Season.COOLING, PersonState.HOME).high_c
    after = curve_of(home)
    look(make_engine(home), home, later_s=60.0)
    assert after == curve_of(home)


def test_overrides_of_before_the_very_first_start_are_left_to_the_habits(home: Household) -> None:
    home.ask(Command(setpoint_c=20.0))
    look(make_engine(home), home, later_s=60.0)
    assert curve_of(home).at(Season.COOLING, PersonState.HOME).observations == 0


def test_a_choice_that_fails_to_be_learned_is_not_learned_twice_or_for_ever(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.ask(Command(setpoint_c=23.0))
    calls = []

    def fail(*what: object) -> None:
        calls.append(what)
        raise ValueError("no such season")

    with monkeypatch.context() as patch:
        patch.setattr(People, "_learn_choice", fail)
        for _ in range(3):
            look(engine, home, later_s=1.0)
    assert len(calls) == 1
    assert curve_of(home).at(Season.COOLING, PersonState.HOME).observations == 0
