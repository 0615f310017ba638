"""Who gets in: logins, tokens, scopes, homes, cookies, and the demo's open door."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.main import create_app
from api.security import COOKIE
from core.settings import Settings
from core.words import Scope
from storage.repositories.tokens import create_setup_token, find_token, revoke_token
from storage.tables import AccountRow, HomeRow
from tests.api.conftest import World, still_clock

PASSWORD = "a long sentence is a good password"
OWN = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.test"}


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the document: method, path, what it says."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def needed_scope(method: str, path: str) -> Scope | None:
    """What the operation needs in the home, by what it does; None: a credential alone."""
    if path.endswith(("/me", "/logout", "/homes", "/fleet/devices")):
        return None
    if path.endswith(("/quarantine", "/fleet/kill-switch", "/tariff", "/devices/{device_id}")):
        return Scope.ADMIN
    return Scope.READ if method == "get" else Scope.CONTROL


BODIES: dict[str, Any] = {
    "setOverride": {"target": {"setpoint_c": 25.0}},
    "setComfort": {"season": "cooling", "neutral_c": 26.0},
    "setControl": {"control": "auto"},
    "setRoomObjective": {"objective": "green"},
    "setHomeObjective": {"objective": "comfort"},
    "setKillSwitch": {"engaged": False},
    "setFleetKillSwitch": {"engaged": False},
    "sendCommand": {"setpoint_c": 25.0},
    "setAllowance": {"cut_off": False},
    "setDevice": {"name": "Unit"},
    "setTariff": {"name": "shanghai"},
}
OF_EVERY_HOME = ("listQuarantine", "getFleetKillSwitch", "setFleetKillSwitch")
QUERIES = {"getUsage": {"start": "2026-07-01T00:00:00Z", "end": "2026-07-02T00:00:00Z"}}


def request(client: TestClient, app: FastAPI, world: World, operation_id: str, **more: Any) -> Any:
    """Do an operation on the first home's own things."""
    method, path, _ = next(one for one in operations(app) if one[2]["operationId"] == operation_id)
    url = path.format(home_id="demo", room_id=world.living_room, device_id=world.air_conditioner, command_id=1)
    return client.request(method, url, params=QUERIES.get(operation_id), json=BODIES.get(operation_id), **more)


def test_every_operation_reaches_exactly_those_who_may(app: FastAPI, client: TestClient, world: World) -> None:
    client.post(
        f"/api/v1/devices/{world.air_conditioner}/commands", json={"on": True}, headers=world.headers(Scope.ADMIN)
    )
    for method, path, operation in operations(app):
        operation_id = operation["operationId"]
        if operation.get("security") == [] or operation_id == "streamEvents":
            continue
        scope = needed_scope(method, path)
        assert request(client, app, world, operation_id).status_code == 401, operation_id
        wrong = {"Authorization": "Bearer ly_no_such_token"}
        assert request(client, app, world, operation_id, headers=wrong).status_code == 401, operation_id
        foreign = request(
            client, app, world, operation_id, headers={"Authorization": f"Bearer {world.other_token}"}
        ).status_code
        assert foreign in ((200, 204) if scope is None else (403,) if operation_id in OF_EVERY_HOME else (404,))
        for held in Scope:
            status = request(client, app, world, operation_id, headers=world.headers(held)).status_code
            ranks = list(Scope)
            enough = scope is None or ranks.index(held) >= ranks.index(scope)
            if operation_id in OF_EVERY_HOME:
                enough = False  # another home is on this installation
            assert (status < 300) == enough, (operation_id, held, status)
            assert enough or status == 403, (operation_id, held, status)


def test_the_setup_link_works_once_and_makes_a_login(client: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        home, owner = session.get(HomeRow, world.home), session.get(AccountRow, world.owner)
        assert home is not None
        assert owner is not None
        link = create_setup_token(session, home, owner)
    body = {"token": link, "name": "林", "password": PASSWORD}
    first = client.post("/api/v1/setup", json=body)
    assert first.status_code == 200
    token = first.json()["token"]
    client.cookies.clear()
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me["name"] == "林"
    assert {home["name"]: home["scope"] for home in me["homes"]} == {"demo": "admin", "uk": "admin"}, (
        "the owner administers the own home, and one that nobody else belongs to"
    )
    again = client.post("/api/v1/setup", json=body)
    assert (again.status_code, again.json()["code"]) == (401, "setup_link_invalid")
    login = client.post("/api/v1/login", json={"name": "林", "password": PASSWORD})
    assert login.status_code == 200
    assert login.json()["token"] != token


@pytest.fixture
def account(world: World, sqlite_database: Engine) -> str:
    """The owner has set a password; their name."""
    from api.security import hash_password

    with Session(sqlite_database) as session, session.begin():
        owner = session.get(AccountRow, world.owner)
        assert owner is not None
        owner.password_hash = hash_password(PASSWORD)
        return owner.name


def test_logout_ends_the_session_and_not_a_programs_token(client: TestClient, account: str, world: World) -> None:
    token = client.post("/api/v1/login", json={"name": account, "password": PASSWORD}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    client.cookies.clear()
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    assert client.post("/api/v1/logout", headers=headers).status_code == 204
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    assert client.post("/api/v1/logout", headers=world.headers()).status_code == 204
    assert client.get("/api/v1/me", headers=world.headers()).status_code == 200


def test_a_revoked_token_is_refused(client: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        row = find_token(session, world.tokens[Scope.READ], ("api",))
        assert row is not None
        revoke_token(row)
    assert client.get("/api/v1/me", headers=world.headers(Scope.READ)).status_code == 401


@pytest.mark.parametrize(("name", "password"), [("owner-of-demo", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_login_does_not_say_what_was_wrong(client: TestClient, account: str, name: str, password: str) -> None:
    answer = client.post("/api/v1/login", json={"name": name, "password": password})
    assert answer.status_code == 401
    assert (answer.json()["code"], answer.json()["detail"]) == ("wrong_login", "name or password is wrong")


def test_an_account_without_a_password_cannot_log_in(client: TestClient, world: World) -> None:
    assert client.post("/api/v1/login", json={"name": "owner-of-demo", "password": PASSWORD}).status_code == 401


def test_five_wrong_logins_close_the_door_for_a_while(client: TestClient, account: str) -> None:
    for _ in range(5):
        assert client.post("/api/v1/login", json={"name": account, "password": "wrong"}).status_code == 401
    answer = client.post("/api/v1/login", json={"name": account, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 301


def test_the_pages_cookie_is_hidden_from_scripts_and_believed_only_from_our_own_page(
    client: TestClient, account: str, world: World
) -> None:
    login = client.post("/api/v1/login", json={"name": account, "password": PASSWORD})
    cookie = login.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    url = f"/api/v1/rooms/{world.living_room}/control"
    assert client.get("/api/v1/me").status_code == 200
    assert client.put(url, json={"control": "shadow"}, headers=OWN).status_code == 200
    foreign = client.put(url, json={"control": "off"}, headers=FOREIGN)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "cross_site")
    old_browser = client.put(url, json={"control": "off"}, headers={"Origin": "https://elsewhere.test"})
    assert old_browser.status_code == 403
    same = client.put(url, json={"control": "auto"}, headers={"Origin": "http://lingyun.test"})
    assert same.status_code == 200


def demo_client(database: Engine, *, address: str, host: str, demo: bool = True) -> TestClient:
    """A client of the demo from an address, asking for a host."""
    app = create_app(database, still_clock(), Settings(), None, demo=demo)
    return TestClient(app, base_url=f"http://{host}", client=(address, 5000))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
def test_the_demo_opens_without_a_login_on_its_own_machine(sqlite_database: Engine, world: World, host: str) -> None:
    with demo_client(sqlite_database, address="127.0.0.1", host=host) as client:
        me = client.get("/api/v1/me").json()
        assert (me["demo"], [home["name"] for home in me["homes"]]) == (True, ["demo"])
        assert me["homes"][0]["scope"] == "control"
        url = f"/api/v1/rooms/{world.living_room}/control"
        assert client.put(url, json={"control": "shadow"}, headers=OWN).status_code == 200
        assert client.get("/api/v1/homes/uk/summary").status_code == 404, "the demo's visitor sees the demo alone"


@pytest.mark.parametrize(
    ("address", "host", "headers", "demo"),
    [
        ("192.168.1.7", "localhost:8000", {}, True),  # from another machine
        ("127.0.0.1", "evil.test:8000", {}, True),  # a name that was made to point here
        ("127.0.0.1", "localhost:8000", {"X-Forwarded-For": "1.2.3.4"}, True),  # through a proxy
        ("127.0.0.1", "localhost:8000", FOREIGN, True),  # another site's script
        ("127.0.0.1", "localhost:8000", {"Origin": "http://localhost:9999"}, True),  # another local page
        ("127.0.0.1", "localhost:8000", {}, False),  # no demo
    ],
)
def test_the_demo_stays_shut_to_everyone_else(
    sqlite_database: Engine, world: World, address: str, host: str, headers: dict[str, str], demo: bool
) -> None:
    with demo_client(sqlite_database, address=address, host=host, demo=demo) as client:
        assert client.get("/api/v1/homes", headers=headers).status_code == 401
        url = f"/api/v1/rooms/{world.living_room}/control"
        assert client.put(url, json={"control": "off"}, headers=headers).status_code == 401
