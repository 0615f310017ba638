"""A home with two rooms in a real database, and clients of each scope."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from core.clock import Clock
from core.settings import Settings
from core.units import to_epoch_us
from core.words import Kind, Scope
from storage.repositories.tokens import create_api_token
from storage.tables import AccountRow, ApplianceRow, DeviceRow, DeviceStateRow, HomeRow, MembershipRow, RoomRow

NOW = datetime(2026, 7, 15, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai
CAPABILITIES = {
    "setpoint_min_c": 16.0,
    "setpoint_max_c": 30.0,
    "setpoint_step_k": 0.5,
    "modes": ["auto", "cool", "heat"],
    "fans": ["auto", "low", "high"],
    "one_way": False,
}


@dataclass
class World:
    """Ids of what the database holds, and a token of each scope."""

    home: int
    other_home: int
    living_room: int
    kitchen: int
    other_room: int
    air_conditioner: int
    thermometer: int
    fridge_plug: int
    outdoor: int
    other_device: int
    owner: int
    tokens: dict[Scope, str]
    other_token: str

    def headers(self, scope: Scope = Scope.READ) -> dict[str, str]:
        """Credentials of a scope in the home."""
        return {"Authorization": f"Bearer {self.tokens[scope]}"}


def still_clock() -> Clock:
    """A clock that shows NOW, for ever as far as a test can tell."""
    return Clock(NOW, 1e-9, datetime.now(UTC))


def said(at: datetime = NOW - timedelta(seconds=30), **values: Any) -> dict[str, Any]:
    """What a device said, as the state of a device keeps it."""
    return {name: [value, to_epoch_us(at)] for name, value in values.items()}


def fill(session: Session) -> World:
    """Two homes; the first has an air conditioner, a thermometer, a fridge behind a plug and a thermometer outdoors."""
    home = HomeRow(name="demo", time_zone="Asia/Shanghai", currency="CNY", settings={}, created_at=NOW)
    other = HomeRow(name="uk", time_zone="Europe/London", currency="GBP", settings={}, created_at=NOW)
    owner = AccountRow(name="owner-of-demo", created_at=NOW)
    session.add_all([home, other, owner])
    session.flush()
    session.add(MembershipRow(account_id=owner.id, home_id=home.id, role="owner"))
    living_room, kitchen = RoomRow(home_id=home.id, name="Living room"), RoomRow(home_id=home.id, name="Kitchen")
    other_room = RoomRow(home_id=other.id, name="Lounge")
    fridge = ApplianceRow(home_id=home.id, kind=Kind.REFRIGERATOR, name="Fridge")
    session.add_all([living_room, kitchen, other_room, fridge])
    session.flush()

    def device(where: HomeRow, name: str, kind: Kind, room: RoomRow | None, **more: Any) -> DeviceRow:
        row = DeviceRow(
            home_id=where.id,
            dialect="native",
            native_id=name.lower().replace(" ", "_"),
            kind=kind.value,
            name=name,
            room_id=None if room is None else room.id,
            details={},
            created_at=NOW,
            **more,
        )
        session.add(row)
        session.flush()
        return row

    unit = device(home, "Unit", Kind.AIR_CONDITIONER, living_room, capabilities=CAPABILITIES, firmware="1.2")
    thermometer = device(home, "Thermometer", Kind.THERMOMETER, living_room)
    plug = device(home, "Fridge plug", Kind.PLUG, kitchen, appliance_id=fridge.id)
    outdoor = device(home, "Outdoor thermometer", Kind.THERMOMETER, None)
    other_device = device(other, "Heater", Kind.PLUG, other_room)
    states = {
        unit: said(on=True, mode="cool", setpoint_c=26.0, fan="auto", power_w=650.0, room_temperature_c=28.0),
        thermometer: said(room_temperature_c=27.4, humidity_pct=61.0),
        plug: said(power_w=90.0),
        outdoor: said(room_temperature_c=34.5),
        other_device: said(power_w=5.0),
    }
    for row, values in states.items():
        session.add(
            DeviceStateRow(
                device_id=row.id, online=True, last_report_at=NOW - timedelta(seconds=30), values=values, ledger={}
            )
        )
    tokens = {scope: create_api_token(session, home, scope) for scope in Scope}
    return World(
        home=home.id,
        other_home=other.id,
        living_room=living_room.id,
        kitchen=kitchen.id,
        other_room=other_room.id,
        air_conditioner=unit.id,
        thermometer=thermometer.id,
        fridge_plug=plug.id,
        outdoor=outdoor.id,
        other_device=other_device.id,
        owner=owner.id,
        tokens=tokens,
        other_token=create_api_token(session, other, Scope.ADMIN),
    )


@pytest.fixture
def world(sqlite_database: Engine) -> World:
    """A filled database."""
    with Session(sqlite_database) as session, session.begin():
        return fill(session)


@pytest.fixture
def app(sqlite_database: Engine, world: World) -> FastAPI:
    """The API on that database."""
    return create_app(sqlite_database, still_clock(), Settings(), None)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Without a credential."""
    with TestClient(app, base_url="http://lingyun.test") as one:
        yield one


@pytest.fixture
def reader(client: TestClient, world: World) -> TestClient:
    """With a token that reads."""
    client.headers.update(world.headers(Scope.READ))
    return client


@pytest.fixture
def controller(client: TestClient, world: World) -> TestClient:
    """With a token that controls."""
    client.headers.update(world.headers(Scope.CONTROL))
    return client
