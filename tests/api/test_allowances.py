"""What the engine proposes for plugs, and what a household allows of it, over REST."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.words import Command, CommandState, Kind, Scope
from storage.repositories.allowances import ALLOWANCE, DEVICE, PROPOSALS
from storage.repositories.commands import BY_ENGINE, CommandRepository
from storage.repositories.learned import LearnedRepository
from storage.tables import ApplianceRow, CommandRow, DeviceRow, EventRow
from tests.api.conftest import NOW, World

CUT_OFF = {"cut_off": True, "window": None}
WINDOW = {"cut_off": False, "window": {"hours": 3.0, "ready_by": "07:00"}}
ITEMS: list[dict[str, Any]] = [
    {
        "code": "plug_cut_off",
        "energy_kwh_per_year": "58.40",
        "cost_per_year": "31.54",
        "currency": "CNY",
        "values": {"standby_w": 8.0, "off_hours": 20},
        "allow": CUT_OFF,
    },
    {
        "code": "plug_window",
        "energy_kwh_per_year": "0.00",
        "cost_per_year": "120.00",
        "currency": "CNY",
        "values": {"from_time": "04:00", "until_time": "07:00"},
        "allow": WINDOW,
    },
]


@pytest.fixture
def tv(world: World, sqlite_database: Engine) -> int:
    """A television behind a plug, of which the engine has something to propose."""
    with Session(sqlite_database) as session, session.begin():
        appliance = ApplianceRow(home_id=world.home, room_id=world.living_room, kind=Kind.PLUG, name="TV")
        session.add(appliance)
        session.flush()
        device = DeviceRow(
            home_id=world.home,
            dialect="native",
            native_id="tv",
            kind=Kind.PLUG,
            name="TV plug",
            room_id=world.living_room,
            appliance_id=appliance.id,
            details={},
            created_at=NOW,
        )
        session.add(device)
        session.flush()
        LearnedRepository(session).put(DEVICE, device.id, PROPOSALS, {"habits": None, "items": ITEMS}, NOW)
        return device.id


def proposals(client: TestClient, language: str = "en") -> list[Any]:
    answer = client.get("/api/v1/homes/demo/proposals", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


def allow(client: TestClient, device_id: int, body: Any) -> Any:
    return client.put(f"/api/v1/devices/{device_id}/allowance", json=body)


def test_proposals_say_what_they_would_save_the_most_money_first(reader: TestClient, tv: int) -> None:
    window, cut_off = proposals(reader)
    assert (window["code"], cut_off["code"]) == ("plug_window", "plug_cut_off")
    assert cut_off["id"] == f"plug_cut_off-{tv}"
    assert cut_off["energy_kwh_per_year"] == 58.4
    assert (cut_off["cost_per_year"], cut_off["currency"]) == ("31.54", "CNY")
    assert "8.0 W" in cut_off["sentence"]
    assert "31.54 CNY" in cut_off["sentence"]
    assert (cut_off["allow"], cut_off["allowed"]) == (CUT_OFF, False)


def test_proposals_speak_the_readers_language(reader: TestClient, tv: int) -> None:
    assert "每年" in proposals(reader, "zh-CN")[0]["sentence"]


def test_what_is_proposed_is_allowed_by_putting_it_back_and_taken_back(controller: TestClient, tv: int) -> None:
    assert controller.get(f"/api/v1/devices/{tv}/allowance").json() == {
        "device_id": tv,
        **{**CUT_OFF, "cut_off": False},
    }
    for item in proposals(controller):
        assert allow(controller, tv, item["allow"]).json() == {"device_id": tv, **item["allow"]}
        assert [one["code"] for one in proposals(controller) if one["allowed"]] == [item["code"]]
    assert allow(controller, tv, {}).json()["cut_off"] is False
    assert not any(one["allowed"] for one in proposals(controller))


def test_the_live_events_tell_of_it(controller: TestClient, tv: int, sqlite_database: Engine) -> None:
    allow(controller, tv, CUT_OFF)
    with Session(sqlite_database) as session:
        event = session.scalars(select(EventRow).order_by(EventRow.id.desc())).first()
        assert event is not None
        assert event.data["device_id"] == tv
        assert event.data["changed"] == "allowance"


def test_who_only_reads_allows_nothing(reader: TestClient, tv: int) -> None:
    assert allow(reader, tv, CUT_OFF).status_code == 403


def test_another_homes_plug_is_not_there(client: TestClient, world: World, tv: int) -> None:
    client.headers["Authorization"] = f"Bearer {world.other_token}"
    assert allow(client, tv, CUT_OFF).status_code == 404
    assert client.get(f"/api/v1/devices/{tv}/allowance").status_code == 404
    assert client.get("/api/v1/homes/demo/proposals").status_code == 404


def test_what_may_not_be_without_power_is_never_allowed(
    controller: TestClient, world: World, sqlite_database: Engine, tv: int
) -> None:
    for device_id in (world.fridge_plug, world.air_conditioner, world.thermometer):
        answer = allow(controller, device_id, CUT_OFF)
        assert (answer.status_code, answer.json()["code"]) == (409, "never_cut")
    with Session(sqlite_database) as session, session.begin():
        session.get_one(DeviceRow, tv).room_id = None
    assert allow(controller, tv, CUT_OFF).json()["code"] == "no_room"
    with Session(sqlite_database) as session, session.begin():
        session.get_one(DeviceRow, tv).appliance_id = None
    assert allow(controller, tv, CUT_OFF).json()["code"] == "appliance_unknown"
    assert allow(controller, tv, {}).status_code == 200  # taking back is always possible


@pytest.mark.parametrize(
    "window",
    [{"hours": 0, "ready_by": "07:00"}, {"hours": 3.0, "ready_by": "24:00"}, {"hours": 25.0, "ready_by": "07:00"}],
)
def test_a_window_that_no_day_has_is_refused(controller: TestClient, tv: int, window: dict[str, Any]) -> None:
    assert allow(controller, tv, {"window": window}).status_code == 422


def test_taking_back_calls_back_what_was_not_sent_yet(
    controller: TestClient, world: World, tv: int, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        CommandRepository(session).queue(
            home_id=world.home,
            device_id=tv,
            body=Command(on=False),
            requested_by=BY_ENGINE,
            queued_at=NOW,
            expires_at=NOW + timedelta(minutes=5),
        )
    allow(controller, tv, {})
    with Session(sqlite_database) as session:
        assert [row.state for row in session.scalars(select(CommandRow))] == [CommandState.EXPIRED]


def test_damaged_values_propose_and_allow_nothing(reader: TestClient, tv: int, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        learned = LearnedRepository(session)
        learned.put(DEVICE, tv, PROPOSALS, {"items": [{"code": "plug_cut_off"}]}, NOW)
        learned.put(DEVICE, tv, ALLOWANCE, {"window": 3}, NOW)
    assert proposals(reader) == []
    assert reader.get(f"/api/v1/devices/{tv}/allowance").json()["window"] is None


def test_the_scope_of_a_program_is_enough(client: TestClient, world: World, tv: int) -> None:
    client.headers.update(world.headers(Scope.ADMIN))
    assert allow(client, tv, WINDOW).status_code == 200
