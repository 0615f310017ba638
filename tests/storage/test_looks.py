"""What the engine reads at every look, on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.words import Command
from storage.repositories.commands import BY_ENGINE, CommandRepository
from storage.repositories.kept import comfort_from, comfort_of, set_comfort
from storage.repositories.learned import LearnedRepository, PersonState, Season
from storage.repositories.looks import (
    comfort_curves,
    comfort_written_at,
    commands_after,
    commands_of_devices,
    device_states,
    newest_command_id,
)
from storage.tables import DeviceRow, DeviceStateRow, HomeRow, RoomRow

NOW = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)


def home_with(session: Session, devices: int) -> tuple[int, list[int]]:
    home = HomeRow(name="h", created_at=NOW)
    session.add(home)
    session.flush()
    rows = [
        DeviceRow(home_id=home.id, dialect="native", native_id=f"u{i}", kind="plug", name="u", created_at=NOW)
        for i in range(devices)
    ]
    session.add_all(rows)
    session.flush()
    return home.id, [row.id for row in rows]


def queue(session: Session, home_id: int, device_id: int, at: datetime) -> int:
    row = CommandRepository(session).queue(
        home_id=home_id,
        device_id=device_id,
        body=Command(on=True),
        requested_by=BY_ENGINE,
        queued_at=at,
        expires_at=at + timedelta(minutes=5),
    )
    return row.id


def test_the_newest_of_every_device_is_read_as_text(database: Engine) -> None:
    with Session(database) as session, session.begin():
        _, (first, second) = home_with(session, 2)
        state = {"online": True, "values": {"power_w": [1.5, 7]}, "ledger": {}, "report_count": 1}
        session.add(DeviceStateRow(device_id=first, **state))
        session.add(DeviceStateRow(device_id=second, **{**state, "online": None, "values": {}}))
    with Session(database) as session:
        found = {device_id: (online, text) for device_id, online, text in device_states(session)}
    assert found[first][0] is True
    assert '"power_w"' in found[first][1]
    assert found[second] == (None, "{}")


def test_comfort_is_read_of_all_rooms_at_once_and_as_it_is_kept(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, _ = home_with(session, 0)
        rooms = [RoomRow(home_id=home_id, name=name) for name in "ab"]
        session.add_all(rooms)
        session.flush()
        ids = [room.id for room in rooms]
        set_comfort(session, ids[0], Season.COOLING, PersonState.HOME, NOW, neutral_c=24.0)
        LearnedRepository(session).put("room", ids[1], "unit", {}, NOW)
    with Session(database) as session:
        ((room_id, text, written_at),) = comfort_curves(session)
        assert (room_id, written_at) == (ids[0], NOW)
        assert comfort_from(room_id, text) == comfort_of(session, room_id)
        assert comfort_written_at(session, ids) == {ids[0]: NOW}


def test_of_commands_only_what_is_new_or_asked_for_is_read(database: Engine) -> None:
    with Session(database) as session, session.begin():
        home_id, (first, second) = home_with(session, 2)
        assert newest_command_id(session) == 0
        old = queue(session, home_id, first, NOW - timedelta(hours=3))
        late = queue(session, home_id, first, NOW - timedelta(hours=1))
        other = queue(session, home_id, second, NOW)
        assert newest_command_id(session) == other
        since = NOW - timedelta(hours=2)
        assert [row.id for row in commands_of_devices(session, [first], since)] == [late]
        assert [row.id for row in commands_of_devices(session, [first, second], since)] == [late, other]
        assert [row.id for row in commands_after(session, late, [])] == [other]
        assert [row.id for row in commands_after(session, other, [old])] == [old]
        assert [row.id for row in commands_after(session, late, range(old, old + 1200))] == [old, late, other]
