"""Lists come in pages, and the fleet table shows all that the token may see and nothing else."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.words import Scope
from storage.repositories.tokens import create_api_token
from storage.tables import DecisionRow, HomeRow, QuarantineRow
from tests.api.conftest import NOW, World


def test_pages_follow_each_other_without_a_gap_or_a_repeat(reader: TestClient, world: World) -> None:
    ids: list[int] = []
    cursor = None
    for _ in range(10):
        params = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        page = reader.get("/api/v1/fleet/devices", params=params).json()
        ids += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert ids == [world.air_conditioner, world.thermometer, world.fridge_plug, world.outdoor]


def test_the_fleet_table_tells_health(reader: TestClient, world: World) -> None:
    items = {item["id"]: item for item in reader.get("/api/v1/fleet/devices").json()["items"]}
    assert world.other_device not in items
    unit = items[world.air_conditioner]
    assert (unit["home"], unit["room"], unit["firmware"], unit["online"]) == ("demo", "Living room", "1.2", True)
    assert unit["last_seen"] == "2026-07-15T08:29:30Z"
    assert unit["power_w"] == 650.0
    assert not unit["stale"]
    assert items[world.fridge_plug]["appliance"] == "Fridge"


def test_a_home_lists_its_own_devices(reader: TestClient, world: World) -> None:
    by_name = reader.get("/api/v1/homes/demo/devices").json()
    assert by_name == reader.get(f"/api/v1/homes/{world.home}/devices").json()
    assert len(by_name["items"]) == 4


def test_decisions_are_paged_newest_first(reader: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        for number in range(5):
            session.add(
                DecisionRow(
                    room_id=world.living_room,
                    decided_at=NOW,
                    controller="policy",
                    saw={"number": number},
                    outlook={},
                    proposed={},
                    action={},
                    guard=[],
                    reason={"code": "of_another_version", "values": {}},
                )
            )
    url = f"/api/v1/rooms/{world.living_room}/decisions"
    first = reader.get(url, params={"limit": 3}).json()
    rest = reader.get(url, params={"limit": 3, "cursor": first["next"]}).json()
    assert [one["saw"]["number"] for one in [*first["items"], *rest["items"]]] == [4, 3, 2, 1, 0]
    assert rest["next"] is None
    assert first["items"][0]["reason"] == "of_another_version"
    assert first["items"][0]["command"] is None


def test_quarantine_is_for_who_administers_every_home(
    client: TestClient, world: World, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        for number in range(3):
            session.add(QuarantineRow(received_at=NOW, topic=f"t/{number}", payload="?", reason="no JSON"))
    url = "/api/v1/fleet/quarantine"
    assert client.get(url, headers=world.headers(Scope.ADMIN)).status_code == 403, "there is another home"
    with Session(sqlite_database) as session, session.begin():
        session.delete(session.get(HomeRow, world.other_home))
    page = client.get(url, headers=world.headers(Scope.ADMIN), params={"limit": 2}).json()
    assert [item["topic"] for item in page["items"]] == ["t/2", "t/1"]
    rest = client.get(url, headers=world.headers(Scope.ADMIN), params={"cursor": page["next"]}).json()
    assert [item["topic"] for item in rest["items"]] == ["t/0"]
    assert client.get(url, headers=world.headers(Scope.CONTROL)).status_code == 403


def test_a_token_reaches_its_home_alone(client: TestClient, world: World, sqlite_database: Engine) -> None:
    with Session(sqlite_database) as session, session.begin():
        home = session.get(HomeRow, world.other_home)
        assert home is not None
        token = create_api_token(session, home, Scope.READ)
    homes = client.get("/api/v1/homes", headers={"Authorization": f"Bearer {token}"}).json()["items"]
    assert [home["name"] for home in homes] == ["uk"]
