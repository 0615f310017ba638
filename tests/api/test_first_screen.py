"""The first screen in one call."""

from datetime import timedelta

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.sentences import sentence
from core.words import Command, CommandState
from storage.repositories.overrides import FROM_REST, OverrideRepository
from storage.tables import CommandRow, DecisionRow, DeviceStateRow, RoomRow
from tests.api.conftest import NOW, World, said


def test_summary_shows_power_temperature_and_what_the_unit_does(reader: TestClient, world: World) -> None:
    body = reader.get("/api/v1/homes/demo/summary").json()
    assert body["power_w"] == 740.0
    assert body["outdoor_temperature_c"] == 34.5
    assert body["as_of"].startswith("2026-07-15T08:30:0")
    assert body["as_of"].endswith("Z")
    assert body["devices"] == {"total": 4, "online": 4}
    assert body["savings"]["state"] == "learning"
    assert not body["stale"]
    living_room = next(room for room in body["rooms"] if room["id"] == world.living_room)
    assert living_room["name"] == "Living room"
    assert living_room["room_temperature_c"] == 27.4, "the thermometer goes before the unit's own sensor"
    assert living_room["humidity_pct"] == 61.0
    unit = living_room["air_conditioner"]
    assert (unit["on"], unit["mode"], unit["setpoint_c"], unit["power_w"]) == (True, "cool", 26.0, 650.0)
    assert living_room["comfort"]["low_c"] < living_room["comfort"]["high_c"]


def test_summary_tells_the_newest_decision_with_its_reason_and_command(
    reader: TestClient, world: World, sqlite_database: Engine
) -> None:
    values = {"unit": {"on": True, "mode": "cool", "setpoint_c": 26.5}, "room": 27.4, "low": 25.0, "high": 27.0}
    with Session(sqlite_database) as session, session.begin():
        command = CommandRow(
            home_id=world.home,
            device_id=world.air_conditioner,
            requested_by="engine",
            body={"setpoint_c": 26.5},
            state=CommandState.OBSERVED,
            queued_at=NOW,
            expires_at=NOW + timedelta(minutes=5),
        )
        session.add(command)
        session.flush()
        session.add(
            DecisionRow(
                room_id=world.living_room,
                device_id=world.air_conditioner,
                decided_at=NOW - timedelta(minutes=5),
                controller="policy",
                saw={"season": "cooling", "comfort_low_c": 24.1, "comfort_high_c": 26.9},
                outlook={},
                proposed={"setpoint_c": 26.0},
                action={"on": True, "mode": "cool", "setpoint_c": 26.5},
                guard=["rate"],
                reason={"code": "comfort", "values": values},
                command_id=command.id,
            )
        )
        command_id = command.id
    headers = {"Accept-Language": "zh-CN,en;q=0.5"}
    rooms = reader.get("/api/v1/homes/demo/summary", headers=headers).json()["rooms"]
    room = next(room for room in rooms if room["id"] == world.living_room)
    assert (room["comfort"]["low_c"], room["comfort"]["high_c"]) == (24.1, 26.9)  # as the engine used it
    decision = room["decision"]
    assert decision["command"] == {"id": command_id, "state": "observed"}
    assert decision["reason"] == sentence("comfort", values, "zh-Hans")
    english = reader.get(f"/api/v1/rooms/{world.living_room}").json()["decision"]["reason"]
    assert english == sentence("comfort", values, "en")


def test_an_override_is_shown_until_its_time_is_over(reader: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        repository = OverrideRepository(session)
        for room, until in ((world.living_room, NOW + timedelta(hours=1)), (world.kitchen, NOW - timedelta(hours=1))):
            repository.start(
                room_id=room,
                origin=FROM_REST,
                target=Command(setpoint_c=24.0),
                started_at=NOW - timedelta(hours=2),
                until=until,
            )
    shown = reader.get(f"/api/v1/rooms/{world.living_room}").json()["override"]
    assert shown["target"]["setpoint_c"] == 24.0
    assert shown["until"] == "2026-07-15T09:30:00Z"
    assert reader.get(f"/api/v1/rooms/{world.kitchen}").json()["override"] is None


def test_old_values_are_not_shown_as_present(reader: TestClient, world: World, sqlite_database: Engine) -> None:
    long_ago = NOW - timedelta(hours=5)
    with Session(sqlite_database) as session, session.begin():
        for state in session.query(DeviceStateRow):
            state.values = said(long_ago, room_temperature_c=21.0, power_w=50.0)
            state.last_report_at = long_ago
    body = reader.get("/api/v1/homes/demo/summary").json()
    assert body["stale"]
    assert body["power_w"] is None
    living_room = next(room for room in body["rooms"] if room["id"] == world.living_room)
    assert living_room["stale"]
    assert living_room["room_temperature_c"] is None
    assert living_room["as_of"] == "2026-07-15T03:30:00Z"


def test_what_holds_for_all_rooms_is_read_once(reader: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        session.add_all([RoomRow(home_id=world.home, name=f"room {i}", control="ab") for i in range(5)])
    statements: list[str] = []
    event.listen(sqlite_database, "before_cursor_execute", lambda *what: statements.append(what[2]))
    assert len(reader.get("/api/v1/homes/demo/summary").json()["rooms"]) >= 5
    assert sum("FROM trial" in one for one in statements) == 1
    assert sum("FROM kill_switch" in one for one in statements) <= 3  # one for the rooms, two for the home
