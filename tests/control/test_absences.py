"""Absences at work in the engine: held or not, metered, learned from, and what disturbs them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine as Database

from control.engine import Engine
from control.setback import Absence, Setback
from core.words import Command
from storage.repositories.kept import all_of
from storage.repositories.learned import ROOM
from storage.tables import UsageQuarterRow
from tests.control.household import ALWAYS, NEVER, Dice, Household, eager, look, make_engine, make_up
from tests.control.test_engine import NO_BEEPS_MATTER, teach_presence

QUARTER = timedelta(minutes=15)


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """16:00, somebody is in and leaves in a quarter of an hour; people are usually back at 22:00."""
    home = Household(sqlite_database).build(NO_BEEPS_MATTER)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    say(home, in_use=True)
    return home


def say(home: Household, *, in_use: bool, indoors_c: float = 28.5) -> None:
    home.air(indoors_c, 33.0)
    home.tv(90.0 if in_use else 1.0)


def start(home: Household, dice: Dice) -> Engine:
    engine = make_engine(home)
    engine._rng = dice  # type: ignore[assignment]
    look(engine, home)
    teach_presence(engine, home, range(22, 24))
    home.obey()
    look(engine, home, later_s=900.0)
    return engine


def meter(home: Household, start_at: datetime, hours: float, kwh_per_quarter: float) -> None:
    with home.session() as session:
        for number in range(round(hours * 4)):
            session.add(
                UsageQuarterRow(
                    start_at=start_at + number * QUARTER,
                    device_id=home.unit_id,
                    source="integrated",
                    energy_kwh=kwh_per_quarter,
                    covered_s=900.0,
                )
            )


def go_through(engine: Engine, home: Household, hours: float, *, in_use: bool) -> None:
    for _ in range(round(hours * 4)):
        say(home, in_use=in_use)
        look(engine, home, later_s=900.0)
        home.obey()


def test_a_held_absence_keeps_the_unit_running_in_an_empty_room_and_says_why(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start(home, ALWAYS)
    make_up(monkeypatch, eager)
    go_through(engine, home, 1.0, in_use=False)
    decision = home.decisions()[-1]
    assert decision.saw["held"] is True
    assert decision.saw["occupied"] < 0.5
    assert decision.action["on"] is True
    assert decision.reason["code"] == "held_to_learn"


def test_an_absence_that_is_not_held_is_left_to_the_plan(home: Household) -> None:
    engine = start(home, NEVER)
    go_through(engine, home, 1.0, in_use=False)
    assert home.decisions()[-1].saw["held"] is False
    assert engine._rooms[home.room_id].absence is not None


@pytest.mark.parametrize("dice", [ALWAYS, NEVER])
def test_an_absence_is_metered_until_the_room_has_recovered_and_learned(home: Household, dice: Dice) -> None:
    """Away 16:30 to 22:00 and three hours more: 34 quarters of 0.1 kWh, at 33 °C against an edge below 28."""
    engine = start(home, dice)
    meter(home, home.at, 12.0, 0.1)
    go_through(engine, home, 5.5, in_use=False)
    go_through(engine, home, 3.5, in_use=True)
    (expected,) = seen_by(engine, home)
    assert expected.held is (dice is ALWAYS)
    assert expected.hours == pytest.approx(5.5, abs=0.3)
    assert expected.energy_kwh == pytest.approx(3.4, abs=0.15)
    assert 5.0 * 8.0 < expected.degree_hours < 8.0 * 9.0
    with home.session() as session:
        kept = Setback.from_json(all_of(session, ROOM, home.room_id)["setback"])
    assert kept.count == 1.0
    assert kept.held == float(dice is ALWAYS)


def seen_by(engine: Engine, home: Household) -> list[Absence]:
    """The absences that a room has learned from, read back from sums of one."""
    setback = engine._rooms[home.room_id].setback
    if setback.count == 0.0:
        return []
    assert setback.count == 1.0
    x, y = setback.xx[0], setback.xy[0]
    held = bool(setback.held)
    hours = 8.0 * float(2.718281828459045 ** (x[3])) if held else spans[-1]
    return [Absence(held, hours, float(2.718281828459045 ** x[1]) - 5.0, float(2.718281828459045**y) - 0.1)]


spans: list[float] = []


@pytest.fixture(autouse=True)
def listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums do not keep the hours of an absence that was not held: note them as they are learned."""
    learn = Setback.learn

    def learn_and_note(self: Setback, absence: Absence) -> Setback:
        spans.append(absence.hours)
        return learn(self, absence)

    monkeypatch.setattr(Setback, "learn", learn_and_note)


def test_a_room_that_has_learned_that_setback_costs_is_held_and_says_so(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start(home, Dice(0.5))
    setback = Setback()
    for _ in range(6):
        setback = setback.learn(Absence(True, 6.0, 50.0, 2.0)).learn(Absence(False, 6.0, 50.0, 3.0))
    engine._rooms[home.room_id].setback = setback
    make_up(monkeypatch, eager)
    go_through(engine, home, 1.0, in_use=False)
    assert home.decisions()[-1].reason["code"] == "held"


@pytest.mark.parametrize("what", ["override", "shadow", "gap", "unmetered"])
def test_a_disturbed_absence_teaches_nothing(home: Household, what: str) -> None:
    engine = start(home, NEVER)
    if what != "unmetered":
        meter(home, home.at, 16.0, 0.1)
    go_through(engine, home, 2.0, in_use=False)
    if what == "override":
        home.ask(Command(on=True, setpoint_c=25.0), hours=6.0)
    elif what == "shadow":
        home.control("shadow")
    elif what == "gap":
        home.at += timedelta(hours=2)
    go_through(engine, home, 1.0, in_use=False)
    home.control("auto")
    go_through(engine, home, 2.5, in_use=False)
    go_through(engine, home, 4.0, in_use=True)
    assert engine._rooms[home.room_id].setback.count == 0.0


def test_an_absence_survives_a_restart(home: Household) -> None:
    first = start(home, ALWAYS)
    go_through(first, home, 2.0, in_use=False)
    before = first._rooms[home.room_id].absence
    assert before is not None
    first._save_all()
    later = make_engine(home)
    look(later, home, later_s=60.0)
    after = later._rooms[home.room_id].absence
    assert after is not None
    assert (after.held, after.left_at) == (before.held, before.left_at)
    assert after.degree_hours == pytest.approx(before.degree_hours, abs=0.2)


def test_an_absence_during_which_the_engine_was_down_for_long_teaches_nothing(home: Household) -> None:
    """Its degree hours were not counted meanwhile, and its energy was."""
    first = start(home, NEVER)
    meter(home, home.at, 16.0, 0.1)
    go_through(first, home, 1.0, in_use=False)
    first._save_all()
    home.at += timedelta(hours=3)
    later = make_engine(home)
    look(later, home)
    go_through(later, home, 1.5, in_use=False)
    go_through(later, home, 4.0, in_use=True)
    assert later._rooms[home.room_id].setback.count == 0.0


def test_a_room_is_not_held_for_longer_than_a_day(home: Household) -> None:
    engine = start(home, ALWAYS)
    go_through(engine, home, 1.0, in_use=False)
    absence = engine._rooms[home.room_id].absence
    assert absence is not None
    assert absence.holds(home.at)
    assert not absence.holds(absence.left_at + timedelta(hours=25))
