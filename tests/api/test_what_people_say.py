"""What people say of their home: rooms, appliances, names, prices."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.words import Scope
from insights.tariff import load_document
from storage.repositories import homes
from storage.tables import ApplianceRow, EventRow, HomeRow, RoomRow, TariffRow
from tests.api.conftest import World

FLAT: dict[str, Any] = {"name": "Flat", "currency": "CNY", "rates": [{"name": "all", "price_per_kwh": "0.6"}]}


@pytest.fixture
def admin(client: TestClient, world: World) -> TestClient:
    """With a token that administers."""
    client.headers.update(world.headers(Scope.ADMIN))
    return client


def test_a_device_gets_a_name_a_room_and_an_appliance(admin: TestClient, world: World, sqlite_database: Engine) -> None:
    body = {"name": "冰箱插座", "room": "Pantry", "appliance": {"name": "Freezer", "kind": "refrigerator"}}
    answer = admin.put(f"/api/v1/devices/{world.fridge_plug}", json=body)
    assert answer.status_code == 200
    device = answer.json()
    assert (device["name"], device["room"], device["appliance"]) == ("冰箱插座", "Pantry", "Freezer")
    listed = {one["id"]: one for one in admin.get("/api/v1/homes/demo/devices").json()["items"]}
    assert listed[world.fridge_plug] == device
    with Session(sqlite_database) as session:
        room = session.scalars(select(RoomRow).where(RoomRow.name == "Pantry")).one()
        freezer = session.scalars(select(ApplianceRow).where(ApplianceRow.name == "Freezer")).one()
        assert (freezer.home_id, freezer.kind, freezer.room_id) == (world.home, "refrigerator", room.id)
        told = session.scalars(select(EventRow)).one()
        assert (told.home_id, told.type) == (world.home, "home")
        assert told.data == {"device_id": world.fridge_plug, "room_id": room.id, "changed": "device"}


def test_what_is_not_named_stays_and_null_takes_away(admin: TestClient, world: World, sqlite_database: Engine) -> None:
    url = f"/api/v1/devices/{world.fridge_plug}"
    assert admin.put(url, json={"name": "Plug"}).json()["room"] == "Kitchen"
    moved = admin.put(url, json={"room": "living ROOM"}).json()
    assert (moved["room_id"], moved["appliance"]) == (world.living_room, "Fridge"), "the room of that name, no second"
    with Session(sqlite_database) as session:
        assert session.scalars(select(ApplianceRow.room_id)).one() == world.living_room, "the fridge went with its plug"
    gone = admin.put(url, json={"room": None, "appliance": None}).json()
    assert (gone["name"], gone["room_id"], gone["appliance_id"]) == ("Plug", None, None)


def test_two_devices_share_the_appliance_of_one_name(admin: TestClient, world: World, sqlite_database: Engine) -> None:
    unit = {"appliance": {"name": "Cooler", "kind": "air_conditioner"}}
    first = admin.put(f"/api/v1/devices/{world.air_conditioner}", json=unit).json()
    unit["appliance"]["name"] = "cooler"
    second = admin.put(f"/api/v1/devices/{world.fridge_plug}", json=unit).json()
    assert first["appliance_id"] == second["appliance_id"]
    with Session(sqlite_database) as session:
        assert sorted(session.scalars(select(ApplianceRow.name))) == ["Cooler", "Fridge"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " x"},
        {"room": "a\x00b"},
        {"room": "x" * 101},
        {"appliance": {"name": "Fridge"}},
        {"appliance": {"name": "Fridge", "kind": "toaster"}},
        {"native_id": "other"},
    ],
)
def test_what_makes_no_sense_of_a_device_is_refused(admin: TestClient, world: World, body: dict[str, Any]) -> None:
    answer = admin.put(f"/api/v1/devices/{world.fridge_plug}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_home_has_no_more_rooms_and_appliances_than_it_may(
    admin: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "MAX_ROOMS_PER_HOME", 2)
    monkeypatch.setattr(homes, "MAX_APPLIANCES_PER_HOME", 1)
    for body in ({"room": "Third"}, {"appliance": {"name": "Second", "kind": "plug"}}):
        answer = admin.put(f"/api/v1/devices/{world.fridge_plug}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "home_full")


def test_a_tariff_that_ships_holds_from_todays_local_midnight(
    admin: TestClient, world: World, sqlite_database: Engine
) -> None:
    answer = admin.put("/api/v1/homes/demo/tariff", json={"name": "zhejiang"})
    assert answer.status_code == 200
    assert answer.json()["valid_from"] == "2026-07-14T16:00:00Z"
    assert answer.json()["document"] == load_document("zhejiang")
    assert admin.put("/api/v1/homes/demo/tariff", json={"document": FLAT}).json()["name"] == "Flat"
    earlier = admin.put("/api/v1/homes/demo/tariff", json={"name": "zhejiang", "valid_from": "2026-07-01"})
    assert earlier.json()["valid_from"] == "2026-06-30T16:00:00Z"
    with Session(sqlite_database) as session:
        rows = session.scalars(select(TariffRow).order_by(TariffRow.valid_from)).all()
        assert [(row.valid_from, row.document["name"]) for row in rows] == [
            (datetime(2026, 6, 30, 16, tzinfo=UTC), load_document("zhejiang")["name"]),
            (datetime(2026, 7, 14, 16, tzinfo=UTC), "Flat"),
        ]
        assert {row.home_id for row in rows} == {world.home}
        assert session.scalars(select(EventRow.data)).all() == [{"changed": "tariff"}] * 3
    usage = admin.get(
        "/api/v1/homes/demo/usage", params={"start": "2026-07-14T16:00:00Z", "end": "2026-07-15T16:00:00Z"}
    ).json()
    assert usage["tariff"] == "Flat"


def test_costs_are_told_in_the_currency_of_the_tariff(admin: TestClient, world: World, sqlite_database: Engine) -> None:
    first = {"document": {**FLAT, "currency": "EUR"}, "valid_from": "2026-07-01"}
    assert admin.put("/api/v1/homes/demo/tariff", json=first).status_code == 200
    with Session(sqlite_database) as session:
        home = session.get(HomeRow, world.home)
        assert home is not None
        assert home.currency == "EUR"
    mixed = admin.put("/api/v1/homes/demo/tariff", json={"document": FLAT})
    assert (mixed.status_code, mixed.json()["code"]) == (409, "currency_differs")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "nowhere"},
        {"name": "zhejiang", "document": FLAT},
        {"name": "zhejiang", "valid_from": "2026-02-30"},
        {"name": "zhejiang", "valid_from": "0001-01-01"},
        {"document": {}},
        {"document": {**FLAT, "name": "a\x00b"}},
        {"document": {**FLAT, "name": "\ud800"}},
        {"document": {**FLAT, "rates": ["x"]}},
        {"document": {**FLAT, "rates": [{"price_per_kwh": "1e99"}]}},
        {"document": {**FLAT, "tiers": [1]}},
        {"document": {**FLAT, "tiers": {"period": ["month"]}}},
        {"document": {**FLAT, "tiers": {"period": "month", "limits_kwh": ["nan"]}}},
    ],
)
def test_a_tariff_that_is_none_is_refused(
    admin: TestClient, world: World, sqlite_database: Engine, body: dict[str, Any]
) -> None:
    answer = admin.put("/api/v1/homes/demo/tariff", content=json.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    with Session(sqlite_database) as session:
        assert session.scalars(select(TariffRow)).all() == []
