"""Kill switches and comparisons by days, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.words import CommandState
from storage.repositories.commands import BY_ENGINE, BY_PERSON, CommandRepository
from storage.repositories.kill_switches import (
    CANCELLED,
    KillSwitchRepository,
    cancel_engine_commands,
    controls_in_force,
)
from storage.repositories.trials import TrialRepository
from storage.tables import CommandRow, EventRow, HomeRow, KillSwitchRow, RoomRow, TrialDayRow
from tests.storage.test_control_repositories import NOW, queue, seed


def test_a_kill_switch_holds_once_and_until_it_is_released(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, room_id, _ = seed(session)
        repository = KillSwitchRepository(session)
        first = repository.engage(home_id, "lin", NOW)
        assert repository.engage(home_id, "lin", NOW + timedelta(hours=1)).id == first.id
        assert controls_in_force(session, [room_id], lock=True).get(room_id) == "off"
        repository.release(home_id, NOW + timedelta(hours=2))
        repository.release(home_id, NOW + timedelta(hours=3))
        assert controls_in_force(session, [room_id]).get(room_id) == "auto"
        (row,) = session.scalars(select(KillSwitchRow)).all()
        assert (row.engaged_at, row.released_at) == (NOW, NOW + timedelta(hours=2))
        told = session.scalars(select(EventRow.data).order_by(EventRow.id)).all()
        assert [event["engaged"] for event in told] == [True, False]


def test_a_kill_switch_of_every_home_does_not_release_the_one_of_a_home(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, room_id, _ = seed(session)
        other = HomeRow(name="other", created_at=NOW)
        session.add(other)
        session.flush()
        elsewhere = RoomRow(home_id=other.id, name="r", control="shadow")
        session.add(elsewhere)
        session.flush()
        repository = KillSwitchRepository(session)
        repository.engage(home_id, None, NOW)
        assert controls_in_force(session, [elsewhere.id]).get(elsewhere.id) == "shadow"
        repository.engage(None, None, NOW)
        assert repository.held_homes() == {None, home_id}
        assert controls_in_force(session, [elsewhere.id]).get(elsewhere.id) == "off"
        repository.release(None, NOW)
        assert controls_in_force(session, [elsewhere.id]).get(elsewhere.id) == "shadow"
        assert controls_in_force(session, [room_id]).get(room_id) == "off"
        assert controls_in_force(session, [9999]).get(9999) is None


def test_a_kill_switch_takes_back_what_the_engine_had_on_its_way_and_nothing_of_a_person(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        sent = queue(session, home_id, device_id, BY_ENGINE)
        CommandRepository(session).mark_sent(sent, NOW)
        person = queue(session, home_id, device_id, BY_PERSON)
        queued = queue(session, home_id, device_id, BY_ENGINE)
        KillSwitchRepository(session).engage(home_id, None, NOW)
        assert [(row.state, row.detail) for row in (sent, queued)] == [(CommandState.EXPIRED, CANCELLED)] * 2
        assert person.state == CommandState.QUEUED
        assert cancel_engine_commands(session, NOW, device_ids=[device_id]) == 0


def test_a_room_has_one_running_trial_and_a_day_keeps_its_arm(database: Engine) -> None:
    midnight = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)

    def day(trial_id: int, arm: str) -> TrialDayRow:
        return TrialDayRow(
            trial_id=trial_id,
            day="2026-07-16",
            arm=arm,
            start_at=midnight,
            end_at=midnight + timedelta(days=1),
            assigned_at=NOW,
        )

    with Session(database) as session, session.begin():
        _, room_id, _ = seed(session)
        repository = TrialRepository(session)
        first = repository.start(room_id, 1, NOW)
        repository.assign([day(first.id, "engine")])
        repository.assign([day(first.id, "conventional")])
        assert repository.on(midnight)[room_id].arm == "engine"
        assert repository.on(midnight - timedelta(seconds=1)) == {}
        second = repository.start(room_id, 2, NOW + timedelta(days=1))
        assert repository.running() == {room_id: second}
        assert first.ended_at == NOW + timedelta(days=1)
        assert repository.on(midnight) == {}
        assert [row.arm for row in repository.days(first.id)] == ["engine"]
        assert repository.days(first.id, before="2026-07-16") == []
        repository.end(room_id, NOW + timedelta(days=2))
        assert repository.running() == {}
        newest = repository.newest(room_id)
        assert newest is not None
        assert newest.id == second.id


def test_a_kill_switch_waits_for_a_command_that_is_being_queued_and_takes_it_back(database: Engine) -> None:
    """The engine has seen that it may command the unit, and its transaction is still open when the switch is used."""
    with Session(database) as session, session.begin():
        home_id, room_id, device_id = seed(session)

    def pull() -> None:
        with Session(database) as session, session.begin():
            KillSwitchRepository(session).engage(home_id, "lin", NOW)

    pulling = threading.Thread(target=pull)
    with Session(database) as session, session.begin():
        assert controls_in_force(session, [room_id], lock=True).get(room_id) == "auto"
        command_id = queue(session, home_id, device_id, BY_ENGINE).id
        pulling.start()
        pulling.join(0.5)
        assert pulling.is_alive()
    pulling.join(10.0)
    with Session(database) as session:
        assert session.get_one(CommandRow, command_id).state == CommandState.EXPIRED


def test_switches_that_were_used_twice_at_once_are_released_together(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, room_id, _ = seed(session)
        session.add_all(KillSwitchRow(home_id=home_id, engaged_at=NOW) for _ in range(2))
        session.flush()
        KillSwitchRepository(session).release(home_id, NOW)
        assert controls_in_force(session, [room_id]).get(room_id) == "auto"
