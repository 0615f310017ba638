"""What the engine may do and what it is after, over REST."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.words import Command, CommandState, Scope
from storage.repositories.accounts import find_account
from storage.repositories.commands import BY_ENGINE, BY_PERSON, CommandRepository
from storage.repositories.tokens import create_session_token
from storage.repositories.trials import TrialRepository
from storage.tables import CommandRow, EventRow, HomeRow, KillSwitchRow, MembershipRow, TrialDayRow, TrialRow
from tests.api.conftest import NOW, World


def queued(database: Engine, world: World) -> None:
    """A command of the engine and one of a person wait to be sent; another of the engine is on its way."""
    with Session(database) as session, session.begin():
        repository = CommandRepository(session)
        for number, by in enumerate((BY_ENGINE, BY_PERSON, BY_ENGINE)):
            row = repository.queue(
                home_id=world.home,
                device_id=world.air_conditioner,
                body=Command(on=True, setpoint_c=25.0 + number),
                requested_by=by,
                queued_at=NOW,
                expires_at=NOW + timedelta(minutes=5),
            )
            if number == 0:
                repository.mark_sent(row, NOW)


def states(database: Engine) -> list[tuple[str, str]]:
    with Session(database) as session:
        rows = session.scalars(select(CommandRow).order_by(CommandRow.id)).all()
        return [(row.requested_by, row.state) for row in rows]


def room(client: TestClient, world: World) -> Any:
    return client.get(f"/api/v1/rooms/{world.living_room}").json()


@pytest.mark.parametrize(
    ("control", "sent", "waiting"),
    [
        ("off", CommandState.EXPIRED, CommandState.EXPIRED),
        ("shadow", CommandState.SENT, CommandState.EXPIRED),
        ("ab", CommandState.SENT, CommandState.QUEUED),
    ],
)
def test_what_the_engine_had_queued_is_taken_back_where_it_may_not_command_any_more(
    controller: TestClient,
    world: World,
    sqlite_database: Engine,
    control: str,
    sent: CommandState,
    waiting: CommandState,
) -> None:
    queued(sqlite_database, world)
    answer = controller.put(f"/api/v1/rooms/{world.living_room}/control", json={"control": control})
    assert (answer.status_code, answer.json()["control"]) == (200, control)
    assert states(sqlite_database) == [
        (BY_ENGINE, sent),
        (BY_PERSON, CommandState.QUEUED),
        (BY_ENGINE, waiting),
    ]


def test_the_kill_switch_of_a_home_overrules_its_rooms_until_it_is_released(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    queued(sqlite_database, world)
    url = "/api/v1/homes/demo/kill-switch"
    assert controller.get(url).json() == {
        "engaged": False,
        "engaged_at": None,
        "engaged_by": None,
        "every_home": False,
    }
    for _ in range(2):  # the same twice is once
        held = controller.put(url, json={"engaged": True})
        assert (held.status_code, held.json()["engaged"]) == (200, True)
        assert held.json()["engaged_at"].startswith("2026-07-15T08:30:00")
    assert [state for _, state in states(sqlite_database)] == ["expired", "queued", "expired"]
    shown = room(controller, world)
    assert (shown["control"], shown["control_in_force"]) == ("auto", "off")
    summary = controller.get("/api/v1/homes/demo/summary").json()
    assert summary["kill_switch"]["engaged"]
    assert {one["control_in_force"] for one in summary["rooms"]} == {"off"}
    for _ in range(2):
        assert controller.put(url, json={"engaged": False}).json()["engaged"] is False
    assert room(controller, world)["control_in_force"] == "auto"
    with Session(sqlite_database) as session:
        assert len(session.scalars(select(KillSwitchRow)).all()) == 1
        told = [row.data["engaged"] for row in session.scalars(select(EventRow).where(EventRow.type == "home"))]
        assert told == [True, False]


def test_the_kill_switch_of_every_home_is_for_who_administers_every_home(
    client: TestClient, world: World, sqlite_database: Engine
) -> None:
    url = "/api/v1/fleet/kill-switch"
    for headers in (world.headers(Scope.ADMIN), {"Authorization": f"Bearer {world.other_token}"}):
        assert client.put(url, json={"engaged": True}, headers=headers).status_code == 403
    with Session(sqlite_database) as session, session.begin():
        session.add(MembershipRow(account_id=world.owner, home_id=world.other_home, role="operator"))
        owner = find_account(session, "owner-of-demo")
        assert owner is not None
        operator = {"Authorization": f"Bearer {create_session_token(session, owner)}"}
    queued(sqlite_database, world)
    held = client.put(url, json={"engaged": True}, headers=operator).json()
    assert (held["engaged"], held["every_home"], held["engaged_by"]) == (True, True, "owner-of-demo")
    assert [state for _, state in states(sqlite_database)] == ["expired", "queued", "expired"]
    headers = world.headers(Scope.CONTROL)
    mine = client.put("/api/v1/homes/demo/kill-switch", json={"engaged": False}, headers=headers).json()
    assert (mine["engaged"], mine["every_home"]) == (True, True), "a home does not release what holds for all"
    elsewhere = client.get(
        f"/api/v1/rooms/{world.other_room}", headers={"Authorization": f"Bearer {world.other_token}"}
    )
    assert elsewhere.json()["control_in_force"] == "off"
    assert client.put(url, json={"engaged": False}, headers=operator).json()["engaged"] is False
    assert client.get(f"/api/v1/rooms/{world.living_room}", headers=headers).json()["control_in_force"] == "auto"


def test_a_comparison_has_a_seed_that_is_drawn_or_given_and_goes_on_when_asked_again(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    url = f"/api/v1/rooms/{world.living_room}/control"
    trials = f"/api/v1/rooms/{world.living_room}/trial-days"
    assert controller.get(trials).json() == {"items": [], "next": None}
    for _ in range(2):
        assert controller.put(url, json={"control": "ab"}).json()["arm"] is None, "not before the next midnight"
    assert controller.put(url, json={"control": "ab", "seed": 42}).status_code == 200
    assert controller.put(url, json={"control": "ab"}).status_code == 200
    with Session(sqlite_database) as session, session.begin():
        first, second = session.scalars(select(TrialRow).order_by(TrialRow.id)).all()
        assert first.ended_at == second.started_at
        assert (second.seed, second.ended_at) == (42, None)
        midnight = NOW - timedelta(hours=16, minutes=30)
        TrialRepository(session).assign(
            TrialDayRow(
                trial_id=second.id,
                day=(date(2026, 7, 15) + timedelta(days=number)).isoformat(),
                arm="conventional" if number % 2 == 0 else "engine",
                start_at=midnight + timedelta(days=number),
                end_at=midnight + timedelta(days=number + 1),
                assigned_at=NOW,
            )
            for number in range(4)
        )
    assert room(controller, world)["arm"] == "conventional"
    page = controller.get(trials, params={"limit": 3}).json()
    assert [one["day"] for one in page["items"]] == ["2026-07-18", "2026-07-17", "2026-07-16"]
    assert {one["seed"] for one in page["items"]} == {42}
    (last,) = controller.get(trials, params={"limit": 3, "cursor": page["next"]}).json()["items"]
    assert (last["day"], last["arm"]) == ("2026-07-15", "conventional")
    assert controller.put(url, json={"control": "auto", "seed": 1}).status_code == 422
    assert controller.put(url, json={"control": "auto"}).json()["arm"] is None
    assert len(controller.get(trials).json()["items"]) == 4, "what was compared can still be read"
    with Session(sqlite_database) as session:
        assert TrialRepository(session).running() == {}


def test_a_room_is_after_what_its_home_is_after_unless_it_says_otherwise(
    controller: TestClient, world: World, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        session.get_one(HomeRow, world.home).settings = {"quiet_hours": None}
    assert room(controller, world)["objective"] == "save"
    summary = controller.put("/api/v1/homes/demo/objective", json={"objective": "green"}).json()
    assert summary["objective"] == "green"
    assert {one["objective"] for one in summary["rooms"]} == {"green"}
    own = f"/api/v1/rooms/{world.living_room}/objective"
    assert controller.put(own, json={"objective": "comfort"}).json()["objective"] == "comfort"
    assert controller.get(f"/api/v1/rooms/{world.kitchen}").json()["objective"] == "green"
    assert controller.put(own, json={"objective": None}).json()["objective"] == "green"
    assert controller.put(own, json={}).status_code == 422
    assert controller.put(own, json={"objective": "cheap"}).status_code == 422
    with Session(sqlite_database) as session:
        settings = session.get_one(HomeRow, world.home).settings
        assert settings == {"quiet_hours": None, "objective": "green"}, "other settings stay"
