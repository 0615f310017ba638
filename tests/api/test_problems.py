"""Every error is a problem, RFC 9457, and says what was expected."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine
from starlette.testclient import TestClient

from api.main import create_app
from core.settings import Settings
from tests.api.conftest import World, still_clock


def is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a problem, checked."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:lingyun:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return body


def test_what_does_not_exist_is_a_problem(reader: TestClient) -> None:
    for path in ("/api/v1/nothing", "/api/v1/homes/nowhere/summary", "/api/v1/rooms/999", "/api/v1/commands/999"):
        is_problem(reader.get(path), 404, "not_found")


def test_a_method_that_does_not_exist_is_a_problem_and_names_those_that_do(reader: TestClient) -> None:
    answer = reader.post("/api/v1/homes")
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    assert reader.get("/api/v1/login").status_code == 405


def test_an_invalid_value_is_named(reader: TestClient, world: World) -> None:
    body = is_problem(
        reader.get("/api/v1/homes/demo/usage", params={"start": "2026-07-01T00:00:00", "end": "soon"}),
        422,
        "invalid_request",
    )
    assert [error["location"] for error in body["errors"]] == [["query", "start"], ["query", "end"]]


def test_an_unknown_parameter_is_refused(reader: TestClient) -> None:
    body = is_problem(reader.get("/api/v1/homes", params={"limt": 5}), 422, "invalid_request")
    assert body["errors"] == [
        {"location": ["query", "limt"], "code": "unknown_parameter", "detail": "is not a parameter of this"}
    ]
    assert reader.get("/api/v1/homes/demo/summary", params={"x": 1}).status_code == 422


def test_an_unknown_name_in_a_body_is_refused(controller: TestClient, world: World) -> None:
    body = {"control": "off", "because": "x"}
    answer = controller.put(f"/api/v1/rooms/{world.living_room}/control", json=body)
    assert is_problem(answer, 422, "invalid_request")["errors"][0]["location"] == ["body", "because"]


def test_broken_json_is_a_problem(controller: TestClient, world: World) -> None:
    url = f"/api/v1/rooms/{world.living_room}/control"
    headers = {"Content-Type": "application/json"}
    is_problem(controller.put(url, content=b'{"control":', headers=headers), 422, "invalid_request")
    is_problem(controller.put(url, content=b"\xff\xfe", headers=headers), 422, "invalid_request")


def test_a_body_that_is_too_long_is_refused_however_it_comes(client: TestClient) -> None:
    is_problem(client.post("/api/v1/login", content=b"x" * 70_000), 413, "body_too_large")
    pieces = (b"x" * 1000 for _ in range(70))
    is_problem(client.post("/api/v1/login", content=pieces), 413, "body_too_large")


@pytest.mark.parametrize("cursor", ["x", "aTE", "aTE=", "aS0x", "%00"])
def test_a_cursor_that_we_did_not_give_out_is_refused(reader: TestClient, cursor: str) -> None:
    answer = reader.get("/api/v1/homes", params={"cursor": cursor})
    assert answer.status_code == (200 if cursor == "aTE" else 422)


def test_no_credential_names_the_way_in(client: TestClient) -> None:
    answer = client.get("/api/v1/homes")
    is_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_failure_of_ours_tells_nothing_of_its_cause(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/broken")
    def broken() -> None:
        raise RuntimeError("the secret is 4711")

    with TestClient(app) as client:
        answer = client.get("/api/v1/broken")
    is_problem(answer, 500, "internal")
    assert "4711" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_not_ready_and_the_process_still_answers(tmp_path: Path) -> None:
    database = create_engine(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with TestClient(create_app(database, still_clock(), Settings(), None)) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "does not answer" in ready.json()["reasons"][0]


def test_headers_protect_every_answer(client: TestClient) -> None:
    for path in ("/", "/healthz", "/api/v1/homes", "/api/v1/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert client.get("/api/v1/homes").headers["cache-control"] == "no-store"


def test_readers_never_wait_for_a_writer(reader: TestClient, world: World, sqlite_database: Engine) -> None:
    """On SQLite a transaction that writes holds the lock from its start; reading answers all the same."""
    with sqlite_database.begin() as connection:
        connection.exec_driver_sql("UPDATE home SET currency = 'EUR'")
        assert reader.get("/api/v1/homes/demo/summary").json()["currency"] == "CNY"


def test_a_stranger_who_writes_never_takes_the_write_lock(
    client: TestClient, world: World, sqlite_database: Engine
) -> None:
    with sqlite_database.begin():
        url = f"/api/v1/rooms/{world.living_room}/control"
        assert client.put(url, json={"control": "off"}).status_code == 401
        answer = client.put(url, json={"control": "off"}, headers={"Authorization": "Bearer x"})
        assert answer.status_code == 401
