"""What the engine may do in a room: automatic, watching, compared by days, off; and the kill switches above them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine as Database

from control.conventional import SLOTS, Program, Slot
from control.engine import Engine
from control.situations import RoomView
from control.trial import Arm, pair_at
from core.words import Command, CommandState, Fan, Mode
from models.words import Wish
from storage.repositories.kill_switches import CANCELLED, KillSwitchRepository
from storage.repositories.trials import TrialRepository
from storage.tables import TrialDayRow
from tests.control.household import Household, look, make_engine, make_up, restless
from tests.control.test_engine import NO_BEEPS_MATTER, program

OFF_BY_DAY = Program(30.0, (Slot(0.0, None, None, None),) * SLOTS)


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    """A hot room with somebody in it and the unit off; it is 16:00 on a Wednesday."""
    home = Household(sqlite_database).build(NO_BEEPS_MATTER)
    speak(home)
    home.unit(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    return home


def speak(home: Household, room_c: float = 29.0) -> None:
    home.air(room_c)
    home.tv(90.0)


def pull(home: Household, *, every_home: bool = False) -> None:
    with home.session() as session:
        KillSwitchRepository(session).engage(None if every_home else home.home_id, "lin", home.at)


def release(home: Household, *, every_home: bool = False) -> None:
    with home.session() as session:
        KillSwitchRepository(session).release(None if every_home else home.home_id, home.at)


def compare(home: Household, seed: int) -> int:
    home.control("ab")
    with home.session() as session:
        return TrialRepository(session).start(home.room_id, seed, home.at).id


def days_of(home: Household, trial_id: int) -> list[TrialDayRow]:
    with home.session() as session:
        return TrialRepository(session).days(trial_id)[::-1]


# --- watching ---


def test_a_watched_room_decides_all_day_and_is_told_nothing(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    home.control("shadow")
    engine = make_engine(home)
    make_up(monkeypatch, restless)
    for _ in range(8):
        look(engine, home, later_s=900.0)
        speak(home)
    decisions = home.decisions()
    assert len(decisions) >= 8
    assert {row.control for row in decisions} == {"shadow"}
    assert all(row.reason["values"]["watched"] for row in decisions)
    assert home.commands() == []


def test_a_room_that_is_watched_from_now_on_keeps_what_the_unit_does(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = OFF_BY_DAY
    home.control("shadow")
    look(engine, home, later_s=1.0)
    assert home.decisions()[-1].saw["trigger"] == "control"
    assert len(home.commands()) == 1


# --- kill switches ---


@pytest.mark.parametrize("every_home", [False, True])
def test_a_kill_switch_takes_back_what_is_queued_and_returns_the_unit_to_its_program_once(
    home: Household, every_home: bool
) -> None:
    engine = make_engine(home)
    look(engine, home)
    engine._rooms[home.room_id].program = program(on_setpoint_c=24.0)
    pull(home, every_home=every_home)
    (queued,) = home.commands()
    assert (queued.state, queued.detail) == (CommandState.EXPIRED, CANCELLED)
    look(engine, home, later_s=1.0)
    decision, command = home.decisions()[-1], home.commands()[-1]
    assert (decision.controller, decision.control, decision.command_id) == ("off", "off", command.id)
    assert command.body == {"on": True, "mode": "cool", "setpoint_c": 24.0, "fan": "auto"}
    home.obey()
    home.unit(on=False)  # somebody switches it off: their unit again
    for _ in range(20):
        speak(home, 33.0)
        look(engine, home, later_s=900.0)
    assert home.commands()[-1].id == command.id
    assert home.overrides() == []
    release(home, every_home=every_home)
    speak(home)
    look(engine, home, later_s=1.0)
    assert (home.decisions()[-1].control, home.decisions()[-1].controller) == ("auto", "policy")
    assert home.commands()[-1].id > command.id


def test_a_command_that_was_taken_back_and_arrives_all_the_same_is_answered_by_the_program(home: Household) -> None:
    """The unit is off as its program wants, but what was sent a moment ago may still switch it on: it is told."""
    engine = make_engine(home)
    look(engine, home)
    with home.session() as session:
        from storage.repositories.commands import CommandRepository

        CommandRepository(session).mark_sent(CommandRepository(session).queued()[0], home.at)
    engine._rooms[home.room_id].program = OFF_BY_DAY
    pull(home)
    home.at += timedelta(seconds=1)
    look(engine, home)
    assert home.commands()[-1].body == {"on": False}


def test_a_kill_switch_leaves_a_unit_whose_program_is_not_known_as_it_is(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    pull(home)
    look(engine, home, later_s=1.0)
    assert home.decisions()[-1].reason["code"] == "released_unknown"
    assert len(home.commands()) == 1


def test_a_unit_is_returned_to_its_program_also_by_way_of_watching(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.control("shadow")
    look(engine, home, later_s=1.0)
    engine._save_all()
    engine = make_engine(home)
    look(engine, home, later_s=900.0)
    engine._rooms[home.room_id].program = program(on_setpoint_c=24.0)
    home.control("off")
    look(engine, home, later_s=1.0)
    assert home.commands()[-1].body["setpoint_c"] == 24.0
    count = len(home.commands())
    for control in ("shadow", "off"):
        home.control(control)
        look(engine, home, later_s=1.0)
    assert len(home.commands()) == count, "it is the household's already"


def test_a_unit_that_the_engine_never_commanded_is_not_written_to(home: Household) -> None:
    home.control("shadow")
    engine = make_engine(home)
    look(engine, home)
    engine._rooms[home.room_id].program = program(on_setpoint_c=24.0)
    pull(home)
    look(engine, home, later_s=1.0)
    assert home.commands() == []


def test_a_kill_switch_while_the_engine_is_down_is_heeded_at_its_start(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    mind = engine._rooms[home.room_id]
    mind.program = program(on_setpoint_c=24.0)
    engine._save_all()
    pull(home)
    later = make_engine(home)
    look(later, home, later_s=3600.0)
    assert home.decisions()[-1].control == "off"
    before = len(home.commands())
    speak(home)
    look(later, home, later_s=3600.0)
    look(make_engine(home), home, later_s=3600.0)
    assert len(home.commands()) == before


def test_a_decision_that_a_kill_switch_overtakes_is_not_kept(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch is used between the look and the writing of what follows from it."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    at = home.at

    def pull_then_wish(view: RoomView) -> Wish:
        home.at = at
        pull(home)
        return restless(view)

    make_up(monkeypatch, pull_then_wish)
    before = len(home.decisions())
    speak(home)
    engine._rooms[home.room_id].decide_at = home.at
    engine.look()
    assert len(home.decisions()) == before
    assert len(home.commands()) == 1
    look(engine, home, later_s=1.0)
    assert [row.control for row in home.decisions()[before:]] == ["off"]


def test_a_persons_override_under_a_kill_switch_is_their_own_and_is_done(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    pull(home)
    look(engine, home, later_s=1.0)
    home.ask(Command(setpoint_c=22.0), hours=1.0)
    look(engine, home, later_s=1.0)
    assert home.commands()[-1].body["setpoint_c"] == 22.0
    home.obey()
    count = len(home.commands())
    for _ in range(8):
        speak(home)
        look(engine, home, later_s=900.0)
    assert len(home.commands()) == count


def test_an_override_in_a_room_that_is_off_is_not_done_again_after_a_restart(home: Household) -> None:
    """It was done once; what people have done at their unit since is theirs."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    home.control("off")
    look(engine, home, later_s=1.0)
    home.ask(Command(setpoint_c=22.0), hours=3.0)
    look(engine, home, later_s=1.0)
    home.obey()
    home.unit(on=True, mode="cool", setpoint_c=25.0)
    count = len(home.commands())
    look(make_engine(home), home, later_s=60.0)
    assert len(home.commands()) == count
    home.ask(Command(setpoint_c=21.0), hours=3.0)
    look(make_engine(home), home, later_s=60.0)
    assert home.commands()[-1].body["setpoint_c"] == 21.0, "one that nobody has done yet is done"


def test_a_hand_at_the_unit_under_a_kill_switch_wins_over_an_override_from_before(home: Household) -> None:
    """The override was done once; what people do at their unit after that is not looked at, and not undone."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    pull(home)
    look(engine, home, later_s=1.0)
    home.ask(Command(setpoint_c=22.0), hours=4.0)
    look(engine, home, later_s=1.0)
    home.obey()
    look(engine, home, later_s=1.0)
    home.unit(setpoint_c=27.0)
    count = len(home.commands())
    for in_use in (True, False, True):
        home.air(29.0)
        home.tv(90.0 if in_use else 1.0)
        look(engine, home, later_s=900.0)
    assert len(home.commands()) == count


# --- comparison by days ---


def steered_days(engine: Engine, home: Household, hours: int) -> None:
    for _ in range(hours):
        speak(home)
        look(engine, home, later_s=3600.0)
        home.obey()


def test_days_are_drawn_recorded_and_steered_as_drawn(home: Household) -> None:
    """From 16:00 on Wednesday over three local midnights: the first evening belongs to nobody."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = program(on_setpoint_c=22.0)
    started_at = home.at
    trial_id = compare(home, seed=5)
    steered_days(engine, home, 7)
    assert days_of(home, trial_id) == []
    assert all(row.saw["arm"] is None for row in home.decisions())
    steered_days(engine, home, 60)
    days = days_of(home, trial_id)
    assert [row.day for row in days] == ["2026-07-16", "2026-07-17", "2026-07-18", "2026-07-19"]
    zone = engine._rooms[home.room_id].layout.home.zone
    expected = pair_at(5, started_at, home.at - timedelta(days=2), zone) + pair_at(5, started_at, home.at, zone)
    assert [(row.arm, row.start_at, row.end_at) for row in days] == [(one.arm, one.start, one.end) for one in expected]
    assert {row.arm for row in days[:2]} == set(Arm)
    assert days[0].start_at == datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
    assert all(row.assigned_at - row.start_at <= timedelta(hours=1) for row in days[::2])
    for row in home.decisions():
        if row.control != "ab":
            continue
        day = next((one for one in days if one.start_at <= row.decided_at < one.end_at), None)
        assert row.saw["arm"] == (None if day is None else day.arm)
        if day is not None and day.arm == Arm.CONVENTIONAL:
            assert row.controller == "conventional"
            assert row.proposed["setpoint_c"] == 22.0
        else:
            assert row.controller == "policy"


def test_the_schedule_goes_on_after_a_restart_as_it_was_recorded(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    mind = engine._rooms[home.room_id]
    mind.program = program(on_setpoint_c=22.0)
    trial_id = compare(home, seed=11)
    steered_days(engine, home, 10)
    before = [(row.day, row.arm, row.assigned_at) for row in days_of(home, trial_id)]
    later = make_engine(home)
    look(later, home)
    later._rooms[home.room_id].program = mind.program
    steered_days(later, home, 3)
    assert [(row.day, row.arm, row.assigned_at) for row in days_of(home, trial_id)] == before
    assert home.decisions()[-1].saw["arm"] is not None


def test_a_day_of_a_program_that_was_lost_belongs_to_nobody(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = program(on_setpoint_c=22.0)
    compare(home, seed=5)
    while home.decisions()[-1].saw["arm"] != Arm.CONVENTIONAL:
        steered_days(engine, home, 1)
    engine._rooms[home.room_id].program = None
    steered_days(engine, home, 1)
    decision = home.decisions()[-1]
    assert (decision.controller, decision.saw["arm"]) == ("policy", None)


def test_a_room_whose_program_is_not_known_yet_waits_with_the_comparison(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    trial_id = compare(home, seed=1)
    steered_days(engine, home, 30)
    assert days_of(home, trial_id) == []
    assert home.decisions()[-1].controller == "policy"


@pytest.mark.parametrize("hours", [20, 40])
def test_a_pair_of_which_some_was_already_steered_is_not_drawn(home: Household, hours: int) -> None:
    """The program becomes known at noon of its first day, or at 8:00 of the second: the room waits for the next."""
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    trial_id = compare(home, seed=5)
    steered_days(engine, home, hours)
    engine._rooms[home.room_id].program = program(on_setpoint_c=22.0)
    steered_days(engine, home, 2)
    assert days_of(home, trial_id) == []
    assert home.decisions()[-1].saw["arm"] is None
    steered_days(engine, home, 56 - hours)
    days = days_of(home, trial_id)
    assert [row.day for row in days] == ["2026-07-18", "2026-07-19"]
    assert home.decisions()[-1].saw["arm"] == days[0].arm


def test_the_arm_changes_at_midnight_and_not_with_the_next_period(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = program(on_setpoint_c=22.0)
    compare(home, seed=5)
    look(engine, home, later_s=8 * 3600.0 - 1.0)
    assert engine._rooms[home.room_id].arm is None
    speak(home)
    look(engine, home, later_s=1.5)
    assert home.decisions()[-1].saw["trigger"] == "arm"


def test_a_kill_switch_stops_a_comparison_as_any_other_steering(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = program(on_setpoint_c=22.0)
    trial_id = compare(home, seed=5)
    steered_days(engine, home, 12)
    pull(home)
    look(engine, home, later_s=1.0)
    assert home.decisions()[-1].controller == "off"
    home.obey()
    count, days = len(home.commands()), len(days_of(home, trial_id))
    steered_days(engine, home, 72)
    assert len(home.commands()) == count
    assert len(days_of(home, trial_id)) == days, "days that nobody steers are not drawn"


def test_an_override_on_a_day_of_the_program_holds_as_on_any_other(home: Household) -> None:
    engine = make_engine(home)
    look(engine, home)
    home.obey()
    engine._rooms[home.room_id].program = Program(30.0, (Slot(1.0, Mode.COOL, 22.0, Fan.AUTO),) * SLOTS)
    compare(home, seed=5)
    while engine._rooms[home.room_id].arm != Arm.CONVENTIONAL:
        steered_days(engine, home, 1)
    home.ask(Command(on=False), hours=2.0)
    look(engine, home, later_s=1.0)
    assert home.commands()[-1].body == {"on": False}
    home.obey()
    look(engine, home, later_s=900.0)
    assert home.decisions()[-1].controller == "override"
