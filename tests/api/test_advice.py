"""Advice over REST: from reports and the ledger to a sentence with kWh and money."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from core.settings import Settings
from core.words import Source
from insights.calendar import day_start
from insights.tariff import load_document
from storage.repositories.kept import set_comfort
from storage.repositories.learned import PersonState, Season
from storage.repositories.tariffs import set_tariff
from storage.tables import ReportRow
from tests.api.conftest import NOW, World, fill, still_clock
from tests.api.test_usage import ZONE, measure


@pytest.fixture
def filled(database: Engine) -> World:
    """Both kinds of database, filled."""
    with Session(database) as session, session.begin():
        return fill(session)


def report(device_id: int, hours_ago: int, **values: object) -> ReportRow:
    """A report of a device."""
    at = NOW - timedelta(hours=hours_ago)
    return ReportRow(measured_at=at, device_id=device_id, received_at=at, own_time=True, repeated=False, **values)


def test_a_home_without_evidence_gets_no_advice(reader: TestClient) -> None:
    assert reader.get("/api/v1/homes/demo/advice").json() == {"items": [], "next": None}


def test_cold_setpoints_and_empty_rooms_become_advice(database: Engine, filled: World) -> None:
    with Session(database) as session, session.begin():
        set_tariff(session, filled.home, day_start(date(2026, 1, 1), ZONE), load_document("shanghai_time_of_use"))
        set_comfort(session, filled.living_room, Season.COOLING, PersonState.HOME, NOW, neutral_c=26.0, pinned=True)
        for hour in range(1, 14 * 24):
            cold = hour % 24 < 6
            session.add(report(filled.air_conditioner, hour, on=cold, mode="cool", setpoint_c=24.0))
            session.add(report(filled.thermometer, hour, room_temperature_c=26.0, occupied=not cold))
    start = NOW.replace(minute=0) - timedelta(days=14)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 14 * 96, 0.1)
    app = create_app(database, still_clock(), Settings(), None)
    with TestClient(app, headers=filled.headers()) as client:
        items = client.get("/api/v1/homes/demo/advice").json()["items"]
        assert {item["code"] for item in items} == {"setpoint", "forgotten"}
        assert [float(item["cost_per_month"]) for item in items] == sorted(
            (float(item["cost_per_month"]) for item in items), reverse=True
        )
        forgotten = next(item for item in items if item["code"] == "forgotten")
        # 0.4 kWh in each of 6 hours a day
        assert forgotten["energy_kwh_per_month"] == pytest.approx(0.4 * 6 * 30.4, rel=0.02)
        assert 0.3 < float(forgotten["cost_per_month"]) / forgotten["energy_kwh_per_month"] < 0.62
        assert forgotten["co2_kg_per_month"] == pytest.approx(forgotten["energy_kwh_per_month"] * 0.5306, rel=1e-3)
        assert "Living room" in forgotten["sentence"]
        chinese = client.get("/api/v1/homes/demo/advice", headers={"Accept-Language": "zh-TW"}).json()["items"]
        assert any("每月約可少用" in item["sentence"] for item in chinese)


def test_a_thing_on_standby_becomes_advice(database: Engine, filled: World) -> None:
    from storage.tables import DeviceRow

    with Session(database) as session, session.begin():
        television = DeviceRow(
            home_id=filled.home,
            dialect="native",
            native_id="tv",
            kind="plug",
            name="TV plug",
            room_id=filled.living_room,
            details={},
            created_at=NOW,
        )
        session.add(television)
        session.flush()
        device_id = television.id
    start = NOW.replace(minute=0) - timedelta(days=7)
    measure(database, device_id, Source.INTEGRATED, start, 600, 8.0 / 4000)
    measure(database, device_id, Source.INTEGRATED, start + timedelta(minutes=15 * 600), 72, 120.0 / 4000)
    app = create_app(database, still_clock(), Settings(), None)
    with TestClient(app, headers=filled.headers()) as client:
        [item] = client.get("/api/v1/homes/demo/advice").json()["items"]
    assert (item["code"], item["device_id"], item["cost_per_month"]) == ("standby", device_id, None)
    assert item["evidence"]["standby_w"] == 8.0
