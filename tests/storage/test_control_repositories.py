"""Commands, overrides, decisions and learned values on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import InvalidRequest
from core.words import Command, CommandState
from storage.repositories.commands import BY_ENGINE, BY_PERSON, CommandRepository
from storage.repositories.decisions import DecisionRepository, NewDecision
from storage.repositories.homes import set_setting
from storage.repositories.kept import put_many, set_comfort
from storage.repositories.learned import ROOM, LearnedRepository, PersonState, Season
from storage.repositories.overrides import FROM_REST, OverrideRepository
from storage.tables import CommandRow, DecisionRow, DeviceRow, EventRow, HomeRow, RoomRow

NOW = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)


def seed(session: Session) -> tuple[int, int, int]:
    """A home, a room and a device."""
    home = HomeRow(name="h", created_at=NOW)
    session.add(home)
    session.flush()
    room = RoomRow(home_id=home.id, name="r")
    device = DeviceRow(
        home_id=home.id, dialect="native", native_id="u", kind="air_conditioner", name="u", created_at=NOW
    )
    session.add_all([room, device])
    session.flush()
    return home.id, room.id, device.id


def queue(session: Session, home_id: int, device_id: int, by: str, key: str | None = None) -> CommandRow:
    return CommandRepository(session).queue(
        home_id=home_id,
        device_id=device_id,
        body=Command(on=True, setpoint_c=25.0),
        requested_by=by,
        queued_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        idempotency_key=key,
    )


def test_a_newer_command_supersedes_what_the_engine_had_queued_and_nothing_of_a_person(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        engine, person = queue(session, home_id, device_id, BY_ENGINE), queue(session, home_id, device_id, BY_PERSON)
        newest = queue(session, home_id, device_id, BY_ENGINE)
        assert engine.state == CommandState.EXPIRED
        assert engine.detail == f"superseded by command {person.id}"
        assert [row.id for row in CommandRepository(session).queued()] == [person.id, newest.id]


def test_a_key_is_used_once_in_a_home(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        row = queue(session, home_id, device_id, BY_PERSON, "k")
        found = CommandRepository(session).by_key(home_id, "k")
        assert found is not None
        assert found.id == row.id
        with pytest.raises(IntegrityError), session.begin_nested():
            queue(session, home_id, device_id, BY_PERSON, "k")


def test_the_first_sending_is_remembered_and_every_attempt_counted(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        row, repository = queue(session, home_id, device_id, BY_ENGINE), CommandRepository(session)
        assert repository.mark_sent(row, NOW)
        assert repository.mark_sent(row, NOW + timedelta(seconds=9))
        assert (row.state, row.attempts, row.sent_at) == (CommandState.SENT, 2, NOW)
        assert [sent.id for sent in repository.on_the_way()] == [row.id]


def test_a_command_that_ended_cannot_be_ended_or_sent_again(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        row, repository = queue(session, home_id, device_id, BY_ENGINE), CommandRepository(session)
        assert repository.end(row, CommandState.FAILED, NOW, "why")
        assert not repository.end(row, CommandState.EXPIRED, NOW, "other")
        assert not repository.mark_sent(row, NOW)
        assert (row.state, row.detail) == (CommandState.FAILED, "why")


def test_every_change_of_a_command_is_told_on_the_live_bus(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        row, repository = queue(session, home_id, device_id, BY_ENGINE), CommandRepository(session)
        repository.mark_sent(row, NOW)
        repository.end(row, CommandState.FAILED, NOW, None)
        told = session.scalars(select(EventRow).order_by(EventRow.id)).all()
        assert [(event.type, event.data["state"]) for event in told] == [
            ("command", "queued"),
            ("command", "sent"),
            ("command", "failed"),
        ]


def test_a_new_override_ends_the_one_before(database: Engine) -> None:
    with Session(database) as session, session.begin():
        _, room_id, _ = seed(session)
        repository = OverrideRepository(session)
        for minutes, setpoint_c in ((0, 22.0), (10, 24.0)):
            started_at = NOW + timedelta(minutes=minutes)
            repository.start(
                room_id=room_id,
                origin=FROM_REST,
                target=Command(setpoint_c=setpoint_c),
                started_at=started_at,
                until=started_at + timedelta(hours=2),
            )
        (row,) = repository.open()
        assert row.target == {"setpoint_c": 24.0}
        current = repository.current(room_id, NOW + timedelta(hours=1))
        assert current is not None
        assert current.id == row.id
        assert repository.current(room_id, NOW + timedelta(hours=3)) is None
        assert len(repository.after(0)) == 2


def test_decisions_are_paged_newest_first(database: Engine) -> None:
    with Session(database) as session, session.begin():
        _, room_id, device_id = seed(session)
        repository = DecisionRepository(session)
        for minutes in range(5):
            session.add(
                DecisionRow(
                    room_id=room_id,
                    device_id=device_id,
                    decided_at=NOW + timedelta(minutes=minutes),
                    controller="policy",
                    saw={},
                    outlook={},
                    proposed={},
                    action={},
                    guard=[],
                    reason={"code": "away", "values": {}},
                )
            )
        newest = repository.newest(room_id)
        assert newest is not None
        assert newest.decided_at == NOW + timedelta(minutes=4)
        first = repository.page(room_id, limit=2)
        second = repository.page(room_id, limit=2, before_id=first[-1].id)
        assert [row.id for row in (*first, *second)] == sorted((row.id for row in (*first, *second)), reverse=True)
        assert repository.first_at(room_id) == NOW


def test_learned_values_are_written_over(database: Engine) -> None:
    with Session(database) as session, session.begin():
        repository = LearnedRepository(session)
        repository.put(ROOM, 1, "unit", {"a": 1}, NOW)
        repository.put(ROOM, 1, "unit", {"a": 2}, NOW + timedelta(hours=1))
    with Session(database) as session:
        assert LearnedRepository(session).all_of(ROOM, 1) == {"unit": {"a": 2}}
        assert LearnedRepository(session).updated_at(ROOM, 1, "unit") == NOW + timedelta(hours=1)


def test_a_person_edits_and_pins_a_point_of_the_curve(database: Engine) -> None:
    with Session(database) as session, session.begin():
        set_comfort(session, 1, Season.COOLING, PersonState.HOME, NOW, neutral_c=24.0, pinned=True)
    with Session(database) as session, session.begin():
        curve = LearnedRepository(session).comfort(1)
        assert curve.at(Season.COOLING, PersonState.HOME).neutral_c == 24.0
        assert curve.at(Season.COOLING, PersonState.HOME).pinned
        with pytest.raises(InvalidRequest, match=r"neutral_c: expected 14\.0 to 32\.0 °C, got 90"):
            set_comfort(session, 1, Season.COOLING, PersonState.HOME, NOW, neutral_c=90.0)
        assert session.scalars(select(CommandRow)).all() == []


def test_two_settings_of_a_home_that_change_at_once_are_both_kept(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id = seed(session)[0]
        session.get_one(HomeRow, home_id).settings = {"limits": {"low_c": 20.0}}
    with Session(database, expire_on_commit=False) as first:
        home = first.get_one(HomeRow, home_id)
        first.commit()
        with Session(database) as second, second.begin():
            set_setting(second, second.get_one(HomeRow, home_id), "quiet_hours", None)
        set_setting(first, home, "objective", "green")
        first.commit()
    with Session(database) as session:
        expected = {"limits": {"low_c": 20.0}, "quiet_hours": None, "objective": "green"}
        assert session.get_one(HomeRow, home_id).settings == expected


def test_commands_of_many_devices_are_queued_at_once_each_before_its_own(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _, device_id = seed(session)
        other = DeviceRow(
            home_id=home_id, dialect="native", native_id="v", kind="air_conditioner", name="v", created_at=NOW
        )
        session.add(other)
        session.flush()
        repository = CommandRepository(session)
        by_person = queue(session, home_id, device_id, BY_PERSON)
        waiting = queue(session, home_id, device_id, BY_ENGINE)
        commands = [(home_id, device_id, Command(on=False)), (home_id, other.id, Command(on=True))]
        first, second = repository.queue_of_engine(commands, NOW, NOW + timedelta(minutes=5))
        assert {row.id for row in repository.queued()} == {by_person.id, first, second}
        assert waiting.state == CommandState.EXPIRED
        assert (repository.get(first).device_id, repository.get(second).device_id) == (device_id, other.id)  # type: ignore[union-attr]
        events = session.scalars(select(EventRow).where(EventRow.type == "command")).all()
        assert {row.data["id"] for row in events} >= {first, second}


def test_decisions_are_kept_together_and_told_each_in_its_home(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, room_id, device_id = seed(session)
        empty: dict[str, object] = {"saw": {}, "outlook": {}, "proposed": {}, "action": {}, "guard": []}
        decisions = [
            NewDecision(
                home_id,
                {
                    "room_id": room_id,
                    "device_id": device_id,
                    "decided_at": NOW + timedelta(minutes=minutes),
                    "controller": "policy",
                    "control": "auto",
                    "command_id": None,
                    "reason": {"code": "away", "values": {}},
                    **empty,
                },
            )
            for minutes in range(3)
        ]
        DecisionRepository(session).add(decisions)
    with Session(database) as session:
        rows = session.scalars(select(DecisionRow).order_by(DecisionRow.id)).all()
        assert [row.decided_at for row in rows] == [NOW + timedelta(minutes=minutes) for minutes in range(3)]
        events = session.scalars(select(EventRow).order_by(EventRow.id)).all()
        assert [(row.home_id, row.data["id"], row.at) for row in events] == [
            (home_id, row.id, row.decided_at) for row in rows
        ]


def test_values_are_written_over_in_one_statement(database: Engine) -> None:
    with Session(database) as session, session.begin():
        put_many(session, [(ROOM, 1, "unit", {"a": 1}), (ROOM, 2, "unit", {"b": 2})], NOW)
        put_many(session, [(ROOM, 1, "unit", {"a": 3})], NOW + timedelta(hours=1))
    with Session(database) as session:
        repository = LearnedRepository(session)
        assert (repository.get(ROOM, 1, "unit"), repository.get(ROOM, 2, "unit")) == ({"a": 3}, {"b": 2})
        assert repository.updated_at(ROOM, 1, "unit") == NOW + timedelta(hours=1)
