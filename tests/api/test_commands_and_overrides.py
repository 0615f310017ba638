"""Commands that are safe to repeat, manual changes, comfort and the kill switch."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from core.settings import Settings
from core.words import Scope
from storage.repositories.learned import ROOM, LearnedRepository
from storage.tables import CommandRow, EventRow, OverrideRow, RoomRow
from tests.api.conftest import NOW, World, fill, still_clock


def commands_url(world: World) -> str:
    """Where the air conditioner is told."""
    return f"/api/v1/devices/{world.air_conditioner}/commands"


def test_a_command_is_queued_and_can_be_followed(controller: TestClient, world: World, sqlite_database: Engine) -> None:
    answer = controller.post(commands_url(world), json={"setpoint_c": 25.5, "mode": "cool"})
    assert answer.status_code == 202
    command = answer.json()
    assert (command["state"], command["requested_by"]) == ("queued", "person")
    assert command["body"] == {"on": None, "mode": "cool", "setpoint_c": 25.5, "fan": None}
    assert controller.get(f"/api/v1/commands/{command['id']}").json() == command
    with Session(sqlite_database) as session:
        row = session.get(CommandRow, command["id"])
        assert row is not None
        assert row.body == {"mode": "cool", "setpoint_c": 25.5}
        assert row.expires_at > row.queued_at
        assert session.scalars(select(EventRow.type)).all() == ["command"]


def test_the_same_key_and_body_give_the_same_command(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    headers = {"Idempotency-Key": "one"}
    first = controller.post(commands_url(world), json={"setpoint_c": 25.5}, headers=headers)
    second = controller.post(commands_url(world), json={"setpoint_c": 25.5}, headers=headers)
    assert (second.status_code, second.json()) == (202, first.json())
    other = controller.post(commands_url(world), json={"setpoint_c": 24.0}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert controller.post(commands_url(world), json={"setpoint_c": 25.5}).json()["id"] != first.json()["id"]
    with Session(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(CommandRow)) == 2


def test_one_key_sent_many_times_at_once_makes_one_command(database: Engine) -> None:
    with Session(database) as session, session.begin():
        world = fill(session)
    app = create_app(database, still_clock(), Settings(), None)
    headers = {**world.headers(Scope.CONTROL), "Idempotency-Key": "race"}

    def send(_: int) -> Any:
        return client.post(commands_url(world), json={"on": False}, headers=headers)

    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"setpoint_c": 15.0}, "setpoint 15.0 °C is below the 16.0 °C of this unit"),
        ({"setpoint_c": 31.0}, "above the 30.0 °C"),
        ({"mode": "dry"}, "mode dry is none of this unit's: auto, cool, heat"),
        ({"fan": "quiet"}, "fan quiet"),
        ({}, "at least one"),
    ],
)
def test_what_the_unit_cannot_do_is_refused_and_changes_nothing(
    controller: TestClient, world: World, sqlite_database: Engine, body: dict[str, object], word: str
) -> None:
    answer = controller.post(commands_url(world), json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_command")
    assert word in answer.json()["detail"]
    override = controller.put(f"/api/v1/rooms/{world.living_room}/override", json={"target": body})
    assert override.status_code == 422
    with Session(sqlite_database) as session:
        for table in (CommandRow, OverrideRow, EventRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_plug_can_be_switched_and_a_thermometer_told_nothing(controller: TestClient, world: World) -> None:
    on = controller.post(f"/api/v1/devices/{world.thermometer}/commands", json={"on": True})
    assert on.status_code == 422
    setpoint = controller.post(f"/api/v1/devices/{world.fridge_plug}/commands", json={"setpoint_c": 20.0})
    assert setpoint.status_code == 422


def test_a_fridge_is_never_switched_off(controller: TestClient, world: World) -> None:
    answer = controller.post(f"/api/v1/devices/{world.fridge_plug}/commands", json={"on": False})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_command")
    assert "food" in answer.json()["detail"]


def test_a_plug_of_which_nobody_has_said_what_is_behind_is_not_switched_off(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    """The household's fridge may be behind it; once its appliance is named, what it is decides."""
    device, admin = f"/api/v1/devices/{world.fridge_plug}", world.headers(Scope.ADMIN)
    assert controller.put(device, json={"appliance": None}, headers=admin).status_code == 200
    refused = controller.post(f"{device}/commands", json={"on": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "appliance_unknown")
    assert "name its appliance first" in refused.json()["detail"]
    assert controller.post(f"{device}/commands", json={"on": True}).status_code == 202
    for kind, status in (("refrigerator", 422), ("plug", 202)):
        named = {"appliance": {"name": "Behind it", "kind": kind}}
        assert controller.put(device, json=named, headers=admin).status_code == 200
        assert controller.post(f"{device}/commands", json={"on": False}).status_code == status
    with Session(sqlite_database) as session:
        assert session.scalars(select(CommandRow.body).order_by(CommandRow.id)).all() == [{"on": True}, {"on": False}]


def test_an_override_ends_the_one_before_and_tells_the_live_bus(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    url = f"/api/v1/rooms/{world.living_room}/override"
    first = controller.put(url, json={"target": {"setpoint_c": 24.0}})
    assert first.status_code == 200
    assert first.json()["origin"] == "rest"
    assert first.json()["until"].startswith("2026-07-15T10:30:0"), "two hours, where nothing is said"
    until = (NOW + timedelta(hours=5)).isoformat()
    second = controller.put(url, json={"target": {"on": False}, "until": until})
    assert second.json()["until"] == "2026-07-15T13:30:00Z"
    assert controller.get(f"/api/v1/rooms/{world.living_room}").json()["override"]["id"] == second.json()["id"]
    with Session(sqlite_database) as session:
        rows = session.scalars(select(OverrideRow).order_by(OverrideRow.id)).all()
        assert [row.ended_at is None for row in rows] == [False, True]
        assert session.scalars(select(EventRow.type)).all() == ["override"] * 3
    assert controller.delete(url).status_code == 204
    assert controller.get(f"/api/v1/rooms/{world.living_room}").json()["override"] is None
    assert controller.delete(url).status_code == 204


@pytest.mark.parametrize("until", ["2026-07-15T08:00:00Z", "2026-07-30T08:00:00Z", "2026-07-15T12:00:00"])
def test_an_override_holds_for_a_time_that_lies_ahead(controller: TestClient, world: World, until: str) -> None:
    body = {"target": {"setpoint_c": 24.0}, "until": until}
    assert controller.put(f"/api/v1/rooms/{world.living_room}/override", json=body).status_code == 422


def test_a_room_without_an_air_conditioner_has_nothing_to_override(controller: TestClient, world: World) -> None:
    answer = controller.put(f"/api/v1/rooms/{world.kitchen}/override", json={"target": {"on": True}})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_air_conditioner")


def test_comfort_that_is_damaged_is_corrected_as_if_nothing_had_been_learned(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    url = f"/api/v1/rooms/{world.living_room}/comfort"
    with Session(sqlite_database) as session, session.begin():
        damaged: dict[str, Any] = {"cooling": {"home": {"neutral_c": "warm"}}}
        LearnedRepository(session).put(ROOM, world.living_room, "comfort", damaged, NOW)
    answer = controller.put(url, json={"season": "cooling", "state": "home", "neutral_c": 25.0})
    assert answer.status_code == 200, answer.text
    assert controller.get(url).json() == answer.json()


def test_comfort_is_shown_and_corrected(controller: TestClient, world: World) -> None:
    url = f"/api/v1/rooms/{world.living_room}/comfort"
    assert len(controller.get(url).json()["points"]) == 6
    body = {"season": "cooling", "state": "asleep", "neutral_c": 27.5, "pinned": True}
    assert controller.put(url, json=body).status_code == 200
    points = {(one["season"], one["state"]): one for one in controller.get(url).json()["points"]}
    asleep = points["cooling", "asleep"]
    assert (asleep["neutral_c"], asleep["pinned"]) == (27.5, True)
    assert not points["cooling", "home"]["pinned"]
    assert controller.put(url, json={"season": "cooling", "neutral_c": 60}).status_code == 422


def test_the_kill_switch_takes_hold(controller: TestClient, world: World, sqlite_database: Engine) -> None:
    answer = controller.put(f"/api/v1/rooms/{world.living_room}/control", json={"control": "off"})
    assert (answer.status_code, answer.json()["control"]) == (200, "off")
    with Session(sqlite_database) as session:
        room = session.get(RoomRow, world.living_room)
        assert room is not None
        assert room.control == "off"
        assert session.scalars(select(EventRow.type)).all() == ["home"]


def test_an_answer_leaves_after_its_commit(app: FastAPI, world: World, sqlite_database: Engine) -> None:
    """Whoever reads the answer and then the database finds what the answer says."""
    from sqlalchemy import event

    seen: list[str] = []
    event.listen(sqlite_database, "commit", lambda _: seen.append("commit"))

    async def recording(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append("answer")
            await send(message)

        await app(scope, receive, sending)

    with TestClient(recording) as client:
        client.put(
            f"/api/v1/rooms/{world.living_room}/control", json={"control": "off"}, headers=world.headers(Scope.CONTROL)
        )
    assert seen[-1] == "answer"
    assert "commit" in seen
