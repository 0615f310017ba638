"""Usage over REST: buckets of the home's days, the better source, cost at the price of the moment, coverage."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from core.settings import Settings
from core.units import to_epoch_us
from core.words import Source
from insights.calendar import day_start
from insights.tariff import load_document
from storage.repositories.ledger import book
from storage.repositories.tariffs import set_tariff
from storage.tables import DeviceRow, HomeRow
from tests.api.conftest import World, fill, still_clock

ZONE = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")
DAY = date(2026, 7, 14)


def measure(
    database: Engine,
    device_id: int,
    source: Source,
    start: datetime,
    quarters: int,
    kwh: float,
    *,
    covered_s: float = 900.0,
    zone: ZoneInfo = ZONE,
) -> None:
    """Book so much energy in each of so many quarters, with their hours and days."""
    first_us = to_epoch_us(start)
    cells = {first_us + number * 900_000_000: (kwh, covered_s * 1e6) for number in range(quarters)}

    def local_day(at_us: int) -> str:
        return datetime.fromtimestamp(at_us / 1e6, zone).date().isoformat()

    with database.begin() as connection:
        book(connection, [(device_id, source, cells, local_day)])


@pytest.fixture
def filled(database: Engine) -> World:
    """Both kinds of database, filled."""
    with Session(database) as session, session.begin():
        return fill(session)


def ask(database: Engine, world: World, start: datetime, end: datetime, **more: Any) -> Any:
    """Usage of the first home."""
    app = create_app(database, still_clock(), Settings(), None)
    with TestClient(app, headers=world.headers()) as client:
        params = {"start": start.isoformat(), "end": end.isoformat(), **more}
        answer = client.get("/api/v1/homes/demo/usage", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_a_day_of_hours_sums_to_the_day(database: Engine, filled: World) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 96, 0.1)
    measure(database, filled.fridge_plug, Source.INTEGRATED, start, 96, 0.01)
    end = start + timedelta(days=1)
    [day] = ask(database, filled, start, end, interval="day")["items"]
    assert day == {
        "start": "2026-07-13T16:00:00Z",
        "end": "2026-07-14T16:00:00Z",
        "key": None,
        "energy_kwh": pytest.approx(10.56),
        "cost": None,
        "currency": "CNY",
        "co2_kg": pytest.approx(10.56 * 0.5306),
        "coverage": 1.0,
        "source": "mixed",
    }
    hours = ask(database, filled, start, end, interval="hour")["items"]
    assert len(hours) == 24
    assert sum(hour["energy_kwh"] for hour in hours) == pytest.approx(day["energy_kwh"])
    quarters = ask(database, filled, start, end, interval="15m", group_by="device")["items"]
    assert sum(quarter["energy_kwh"] for quarter in quarters) == pytest.approx(day["energy_kwh"])


def test_keys_are_devices_rooms_and_kinds(database: Engine, filled: World) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 4, 0.1)
    measure(database, filled.fridge_plug, Source.COUNTER, start, 4, 0.01)
    shown = {}
    for group_by in ("device", "room", "kind"):
        items = ask(database, filled, start, start + timedelta(hours=1), interval="hour", group_by=group_by)["items"]
        shown[group_by] = {item["key"]: item["energy_kwh"] for item in items}
    unit, plug = pytest.approx(0.4), pytest.approx(0.04)
    assert shown["device"] == {str(filled.air_conditioner): unit, str(filled.fridge_plug): plug}
    assert shown["room"] == {str(filled.living_room): unit, str(filled.kitchen): plug}
    assert shown["kind"] == {"air_conditioner": unit, "refrigerator": plug}, "the fridge, not its plug"


def test_of_two_sources_the_one_that_covers_more_is_taken_and_the_counter_in_doubt(
    database: Engine, filled: World
) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 96, 0.1)
    measure(database, filled.air_conditioner, Source.INTEGRATED, start, 96, 0.11)
    next_day = start + timedelta(days=1)
    measure(database, filled.air_conditioner, Source.COUNTER, next_day, 10, 0.1)
    measure(database, filled.air_conditioner, Source.INTEGRATED, next_day, 20, 0.11)
    days = ask(database, filled, start, start + timedelta(days=2))["items"]
    assert [(one["source"], round(one["energy_kwh"], 6)) for one in days] == [("counter", 9.6), ("integrated", 2.2)]
    hours = ask(database, filled, start, start + timedelta(days=2), interval="hour")["items"]
    assert sum(hour["energy_kwh"] for hour in hours) == pytest.approx(11.8), "no hour takes another source than its day"


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25)])
def test_days_of_23_and_25_hours(database: Engine, filled: World, day: date, hours: int) -> None:
    with Session(database) as session, session.begin():
        home = session.get(HomeRow, filled.home)
        assert home is not None
        home.time_zone = "Europe/London"
    start, end = day_start(day, LONDON), day_start(day + timedelta(days=1), LONDON)
    measure(database, filled.air_conditioner, Source.COUNTER, start, hours * 4, 0.25, zone=LONDON)
    measure(database, filled.air_conditioner, Source.COUNTER, end, 96, 7.0, zone=LONDON)
    [item] = ask(database, filled, start, end)["items"]
    assert item["energy_kwh"] == pytest.approx(hours)
    assert item["coverage"] == 1.0
    assert len(ask(database, filled, start, end, interval="hour")["items"]) == hours


def test_a_home_without_a_carbon_factor_claims_no_co2(database: Engine, filled: World) -> None:
    with Session(database) as session, session.begin():
        home = session.get(HomeRow, filled.home)
        assert home is not None
        home.time_zone = "Europe/London"
    page = ask(database, filled, datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC))
    assert page["carbon_source"] is None
    assert all(item["co2_kg"] is None for item in page["items"])


def test_each_quarter_costs_what_its_moment_costs(database: Engine, filled: World) -> None:
    """Zhejiang's first tier: 14 h of peak at 0.568, 10 h of valley at 0.288; 0.1 kWh a quarter."""
    with Session(database) as session, session.begin():
        set_tariff(session, filled.home, day_start(date(2026, 1, 1), ZONE), load_document("zhejiang_time_of_use"))
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 96, 0.1)
    page = ask(database, filled, start, start + timedelta(days=1))
    [day] = page["items"]
    assert Decimal(day["cost"]) == Decimal("0.1") * (56 * Decimal("0.568") + 40 * Decimal("0.288"))
    assert page["tariff"].startswith("Zhejiang")
    hours = ask(database, filled, start, start + timedelta(days=1), interval="hour")["items"]
    assert sum(Decimal(hour["cost"]) for hour in hours) == Decimal(day["cost"])
    assert {hour["cost"] for hour in hours} == {"0.227200", "0.115200"}


def test_tiers_count_from_the_first_of_the_year(database: Engine, filled: World) -> None:
    with Session(database) as session, session.begin():
        set_tariff(session, filled.home, day_start(date(2026, 1, 1), ZONE), load_document("zhejiang"))
    measure(database, filled.air_conditioner, Source.COUNTER, day_start(date(2026, 2, 1), ZONE), 96, 2755 / 96)
    measure(database, filled.air_conditioner, Source.COUNTER, day_start(DAY, ZONE), 96, 10 / 96)
    start = day_start(DAY, ZONE)
    [day] = ask(database, filled, start, start + timedelta(days=1))["items"]
    assert float(day["cost"]) == pytest.approx(5 * 0.538 + 5 * 0.588)
    year = day_start(date(2026, 1, 1), ZONE)
    months = ask(database, filled, year, start + timedelta(days=1), interval="month")["items"]
    assert sum(float(month["cost"]) for month in months) == pytest.approx(2760 * 0.538 + 5 * 0.588)


def test_a_new_contract_changes_the_price_from_its_day_on(database: Engine, filled: World) -> None:
    flat = {"name": "old", "currency": "CNY", "rates": [{"name": "all", "price_per_kwh": ["0.5"]}]}
    with Session(database) as session, session.begin():
        set_tariff(session, filled.home, day_start(DAY, ZONE), flat)
        dear = {**flat, "name": "new", "rates": [{"name": "all", "price_per_kwh": ["1"]}]}
        set_tariff(session, filled.home, day_start(DAY + timedelta(days=1), ZONE), dear)
    start = day_start(DAY - timedelta(days=1), ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 96 * 3, 1 / 96)
    page = ask(database, filled, start, start + timedelta(days=3))
    costs = [item["cost"] and float(item["cost"]) for item in page["items"]]
    assert costs == [None, pytest.approx(0.5), pytest.approx(1.0)]
    assert page["tariff"] == "new"


def test_coverage_is_the_covered_share_of_what_has_passed(database: Engine, filled: World) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.INTEGRATED, start, 48, 0.1)
    [day] = ask(database, filled, start, start + timedelta(days=1))["items"]
    assert day["coverage"] == pytest.approx(0.5)
    today = day_start(date(2026, 7, 15), ZONE)
    measure(database, filled.air_conditioner, Source.INTEGRATED, today, 66, 0.1)  # up to now, 16:30
    running = ask(database, filled, today, today + timedelta(days=1))["items"]
    assert [item["coverage"] for item in running] == [pytest.approx(1.0, abs=1e-4)]


def test_what_never_measured_does_not_dilute_coverage_and_what_came_later_counts_from_then(
    database: Engine, filled: World
) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start - timedelta(days=1), 192, 0.1)
    measure(database, filled.fridge_plug, Source.COUNTER, start, 48, 0.1)
    before, after = ask(database, filled, start - timedelta(days=1), start + timedelta(days=1))["items"]
    assert before["coverage"] == 1.0
    assert after["coverage"] == pytest.approx(0.75)


def test_a_bucket_without_data_says_so(database: Engine, filled: World) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start - timedelta(days=2), 96, 0.1)
    [day] = ask(database, filled, start, start + timedelta(days=1))["items"]
    assert (day["energy_kwh"], day["coverage"], day["source"]) == (0.0, 0.0, None)
    ahead = ask(database, filled, start + timedelta(days=5), start + timedelta(days=6))["items"]
    assert ahead == []


def test_a_span_is_cut_to_what_was_asked(database: Engine, filled: World) -> None:
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 96, 0.1)
    page = ask(database, filled, start + timedelta(hours=6, minutes=7), start + timedelta(hours=12))
    [item] = page["items"]
    assert item["start"] == "2026-07-13T22:00:00Z"
    assert item["energy_kwh"] == pytest.approx(2.4)
    assert item["coverage"] == 1.0


def test_a_meter_of_the_house_stands_for_the_whole(database: Engine, filled: World) -> None:
    with Session(database) as session, session.begin():
        meter = DeviceRow(
            home_id=filled.home,
            dialect="native",
            native_id="meter",
            kind="meter",
            name="Meter",
            details={},
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        session.add(meter)
        session.flush()
        meter_id = meter.id
    start = day_start(DAY, ZONE)
    measure(database, filled.air_conditioner, Source.COUNTER, start, 4, 0.1)
    measure(database, meter_id, Source.COUNTER, start, 4, 0.3)
    span = (start, start + timedelta(hours=1))
    assert [one["energy_kwh"] for one in ask(database, filled, *span)["items"]] == [pytest.approx(1.2)]
    rooms = ask(database, filled, *span, group_by="room")["items"]
    assert [(one["key"], one["energy_kwh"]) for one in rooms] == [(str(filled.living_room), pytest.approx(0.4))]


@pytest.mark.parametrize(
    ("start", "end", "interval", "code"),
    [
        ("2026-07-02T00:00:00Z", "2026-07-01T00:00:00Z", "day", "invalid_range"),
        ("2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", "day", "invalid_range"),
        ("2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z", "15m", "range_too_long"),
        ("2020-01-01T00:00:00Z", "2026-07-01T00:00:00Z", "hour", "range_too_long"),
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "day", "invalid_range"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    reader: TestClient, start: str, end: str, interval: str, code: str
) -> None:
    answer = reader.get("/api/v1/homes/demo/usage", params={"start": start, "end": end, "interval": interval})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_summary_tells_energy_and_money_since_midnight(
    app: FastAPI, reader: TestClient, world: World, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        set_tariff(session, world.home, day_start(date(2026, 1, 1), ZONE), load_document("zhejiang_time_of_use"))
    today = day_start(date(2026, 7, 15), ZONE)
    measure(sqlite_database, world.air_conditioner, Source.COUNTER, today - timedelta(hours=5), 20 + 64, 0.1)
    shown = reader.get("/api/v1/homes/demo/summary").json()["today"]
    assert shown["start"] == "2026-07-14T16:00:00Z"
    assert shown["energy_kwh"] == pytest.approx(6.4)
    assert float(shown["cost"]) == pytest.approx(3.2 * 0.288 + 3.2 * 0.568)
    assert shown["coverage"] == pytest.approx(64 / 66, abs=1e-4)
