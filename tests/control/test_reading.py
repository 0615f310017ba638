"""What a look sees: only what has changed is read and parsed again."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from sqlalchemy.orm import Session

from control.minds import RoomMind
from control.overrides import UnitMemory
from control.reading import Reader
from control.room_state import layouts_of, read_facts
from control.viewing import Look
from core.words import Command, CommandState
from storage.repositories.commands import BY_ENGINE, CommandRepository
from storage.repositories.learned import ComfortCurve
from tests.control.household import Household


@pytest.fixture
def home(sqlite_database: Database) -> Household:
    home = Household(sqlite_database).build()
    home.unit(on=False)
    home.air(26.0)
    return home


def look(reader: Reader, home: Household) -> Look:
    with Session(home.database, expire_on_commit=False) as session:
        minds = [RoomMind(layout, UnitMemory(looked_at=home.at)) for layout in layouts_of(read_facts(session))]
        return reader.look(session, home.at, minds, 0, 0)


def order(home: Household, at: timedelta = timedelta(0)) -> int:
    with home.session() as session:
        row = CommandRepository(session).queue(
            home_id=home.home_id,
            device_id=home.unit_id,
            body=Command(on=True),
            requested_by=BY_ENGINE,
            queued_at=home.at + at,
            expires_at=home.at + timedelta(hours=1),
        )
    return row.id


def test_what_a_device_said_is_parsed_again_only_when_it_said_something(home: Household) -> None:
    reader = Reader()
    before = look(reader, home)
    home.air(27.0)
    after = look(reader, home)
    assert after.live[home.thermometer_id].values["room_temperature_c"][0] == 27.0
    assert after.live[home.unit_id].values is before.live[home.unit_id].values
    assert after.curves == {home.room_id: ComfortCurve()}


def test_a_device_whose_state_is_damaged_has_said_nothing(home: Household) -> None:
    with home.session() as session:
        session.execute(text(f"UPDATE device_state SET \"values\" = '[3' WHERE device_id = {home.tv_id}"))
        session.execute(text(f'UPDATE device_state SET "values" = \'{{"on": 1}}\' WHERE device_id = {home.unit_id}'))
    seen = look(Reader(), home)
    assert seen.live[home.tv_id].values == seen.live[home.unit_id].values == {}
    assert seen.live[home.thermometer_id].values["room_temperature_c"][0] == 26.0


def test_a_command_is_followed_to_its_end_and_then_remembered(home: Household) -> None:
    reader = Reader()
    assert look(reader, home).commands == {home.unit_id: []}
    command_id = order(home)
    (queued,) = look(reader, home).commands[home.unit_id]
    assert (queued.id, queued.state) == (command_id, CommandState.QUEUED)
    home.obey()
    (done,) = look(reader, home).commands[home.unit_id]
    assert done.state == CommandState.OBSERVED
    later = order(home)
    assert [row.id for row in look(reader, home).commands[home.unit_id]] == [command_id, later]


def test_a_new_reader_goes_back_as_far_as_guard_and_explanations_ask(home: Household) -> None:
    order(home, at=timedelta(hours=-3))
    recent = order(home, at=timedelta(hours=-1))
    assert [row.id for row in look(Reader(), home).commands[home.unit_id]] == [recent]
