"""The page at the root, and what Prometheus and a supervisor read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from core.settings import Settings
from core.words import Scope
from storage.database import migrate, open_database
from storage.repositories.fleet import beat, expect_beat
from storage.tables import CounterRow, SettingRow
from tests.api.conftest import World, still_clock


@pytest.fixture
def page(tmp_path: Path, sqlite_database: Engine) -> Iterator[TestClient]:
    """The API with a small built page."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Lingyun</title>")
    (folder / "assets" / "index-abc123.js").write_text("1")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / ".stamp").write_text("hidden")
    (tmp_path / "secret.txt").write_text("outside")
    with TestClient(create_app(sqlite_database, still_clock(), Settings(), folder)) as client:
        yield client


def test_the_page_is_served_and_its_own_paths_lead_to_it(page: TestClient) -> None:
    for path in ("/", "/index.html", "/fleet", "/setup?token=x", "/rooms/3"):
        answer = page.get(path)
        assert answer.status_code == 200
        assert "<title>Lingyun</title>" in answer.text
        assert answer.headers["cache-control"] == "no-cache"


def test_hashed_files_are_kept_for_ever_and_the_page_is_asked_for_anew(page: TestClient) -> None:
    script = page.get("/assets/index-abc123.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert page.get("/manifest.webmanifest").headers["content-type"] == "application/manifest+json"
    first = page.get("/")
    again = page.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/.stamp", "/api/v2/homes"]
)
def test_what_is_not_the_pages_is_not_there(page: TestClient, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 404
    assert "outside" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_is_only_read(page: TestClient) -> None:
    answer = page.post("/fleet")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_page_that_is_not_built_says_how_to_build_it(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "make page" in answer.text


def test_metrics_count_requests_by_route_and_what_the_database_counts(
    client: TestClient, world: World, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        session.add(CounterRow(name="messages_stored", value=12))
    client.get(f"/api/v1/rooms/{world.living_room}", headers=world.headers())
    client.get("/api/v1/rooms/999", headers=world.headers())
    client.post(
        f"/api/v1/devices/{world.air_conditioner}/commands", json={"on": True}, headers=world.headers(Scope.CONTROL)
    )
    lines = client.get("/metrics").text.splitlines()
    room = 'lingyun_http_requests_total{method="GET",route="/api/v1/rooms/{room_id}",status="%d"} 1.0'
    assert room % 200 in lines
    assert room % 404 in lines
    assert "lingyun_messages_stored_total 12.0" in lines
    assert 'lingyun_commands{state="queued"} 1.0' in lines
    assert "lingyun_devices 5.0" in lines
    assert any(line.startswith("lingyun_http_request_seconds_bucket") for line in lines)


def live(database: Engine, *parts: str) -> None:
    with Session(database) as session, session.begin():
        for part in parts:
            beat(session, part)


def test_ready_once_the_database_is_migrated_and_the_parts_live(client: TestClient, sqlite_database: Engine) -> None:
    live(sqlite_database, "intake", "engine")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})
    with Session(sqlite_database) as session, session.begin():
        long_ago = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
        session.merge(SettingRow(key="heartbeat.intake", value={"at": long_ago}))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "intake was last alive 1" in answer.json()["reasons"][0]


def test_not_ready_where_a_part_never_ran_or_is_starting(client: TestClient, sqlite_database: Engine) -> None:
    live(sqlite_database, "intake")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    [reason] = answer.json()["reasons"]
    assert "the engine has never run" in reason
    with Session(sqlite_database) as session, session.begin():
        expect_beat(session, "engine")
    assert client.get("/readyz").json() == {"ready": False, "reasons": ["the engine is starting"]}


def test_a_database_of_an_older_schema_is_not_ready(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/old.db")
    with TestClient(create_app(database, still_clock(), Settings(), None)) as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"][0].startswith("the database ")
        migrate(database)
        live(database, "intake", "engine")
        assert client.get("/readyz").status_code == 200
    database.dispose()
