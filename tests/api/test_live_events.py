"""Live events over a real server: they arrive, they resume, they say when something was lost."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from api.live import GAP_S, Tail
from api.main import create_app
from core.settings import Settings
from core.words import Scope
from storage.repositories.tokens import find_token, revoke_token
from storage.tables import EventRow
from tests.api.conftest import NOW, World, fill, still_clock
from tests.conftest import free_port

WAIT_S = 20.0


def add_events(database: Engine, home_id: int, *numbers: int) -> list[int]:
    """Put events on the bus; their ids."""
    with Session(database) as session, session.begin():
        rows = [EventRow(home_id=home_id, at=NOW, type="device", data={"number": number}) for number in numbers]
        for row in rows:
            session.add(row)
            session.flush()
        return [row.id for row in rows]


@contextmanager
def serving(database: Engine) -> Iterator[str]:
    """The API behind a real uvicorn on a free port; its address."""
    port = free_port()
    app = create_app(database, still_clock(), Settings(), None)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until(lambda: server.started)
            assert client.get("/healthz").status_code == 200
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise TimeoutError(f"not after {WAIT_S} s")


@contextmanager
def listening(url: str, headers: dict[str, str], after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """A client of the stream: its messages as they come."""
    params = {} if after is None else {"after": after}
    with (
        httpx2.Client(timeout=WAIT_S) as client,
        client.stream("GET", f"{url}/api/v1/homes/demo/events", headers=headers, params=params) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Server-sent events of a stream's lines."""
    fields: dict[str, Any] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields:
            yield {**fields, "data": json.loads(fields["data"])}
            fields = {}


@pytest.fixture
def filled(database: Engine) -> World:
    """Both kinds of database, filled."""
    with Session(database) as session, session.begin():
        return fill(session)


def test_events_arrive_and_resume_behind_the_last_one_seen(database: Engine, filled: World) -> None:
    old = add_events(database, filled.home, 0)
    with serving(database) as url:
        with listening(url, filled.headers(), after=old[-1]) as stream:
            sent = add_events(database, filled.home, 1, 2, 3)
            add_events(database, filled.other_home, 99)
            got = [next(stream) for _ in range(3)]
        assert [int(one["id"]) for one in got] == sent
        assert [one["data"]["data"]["number"] for one in got] == [1, 2, 3]
        assert got[0]["event"] == got[0]["data"]["type"] == "device"
        assert got[0]["data"]["at"] == "2026-07-15T08:30:00Z"
        more = add_events(database, filled.home, 4, 5)
        with listening(url, {**filled.headers(), "Last-Event-ID": str(sent[0])}) as stream:
            resumed = [next(stream) for _ in range(4)]
        assert [int(one["id"]) for one in resumed] == [*sent[1:], *more]


def test_a_client_that_was_away_too_long_is_told_to_read_afresh(database: Engine, filled: World) -> None:
    ids = add_events(database, filled.home, *range(10))
    with Session(database) as session, session.begin():
        session.execute(delete(EventRow).where(EventRow.id < ids[6]))
    with serving(database) as url:
        with listening(url, {**filled.headers(), "Last-Event-ID": str(ids[2])}) as stream:
            first = next(stream)
            assert (first["event"], int(first["id"])) == ("resync", ids[-1])
            [newest] = add_events(database, filled.home, 11)
            assert int(next(stream)["id"]) == newest
        with listening(url, {**filled.headers(), "Last-Event-ID": "999999999"}) as stream:
            assert next(stream)["event"] == "resync"


def test_a_stream_ends_when_its_token_is_revoked(
    sqlite_database: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.CHECK_S", 0.2)
    with (
        serving(sqlite_database) as url,
        listening(url, world.headers(Scope.READ), after=0) as stream,
    ):
        with Session(sqlite_database) as session, session.begin():
            row = find_token(session, world.tokens[Scope.READ], ("api",))
            assert row is not None
            revoke_token(row)
        assert list(stream) == []


def test_no_thread_asks_the_database_while_nobody_listens(sqlite_database: Engine, world: World) -> None:
    with serving(sqlite_database) as url:
        [event_id] = add_events(sqlite_database, world.home, 1)
        with listening(url, world.headers(), after=event_id - 1) as stream:
            next(stream)
        asked: list[object] = []
        from sqlalchemy import event

        def note(*_: object) -> None:
            asked.append(None)

        wait_until(lambda: not _asks_within(sqlite_database, event, note, asked, 0.6))


def _asks_within(database: Engine, event: Any, note: Any, asked: list[object], seconds: float) -> bool:
    asked.clear()
    event.listen(database, "begin", note)
    threading.Event().wait(seconds)
    event.remove(database, "begin", note)
    return bool(asked)


def test_the_tail_waits_for_a_lower_id_that_is_not_committed_yet(sqlite_database: Engine, world: World) -> None:
    ids = add_events(sqlite_database, world.home, *range(3))
    tail = Tail(sqlite_database)
    tail.start()
    assert tail.safe_id == ids[-1]
    with Session(sqlite_database) as session, session.begin():
        session.add(EventRow(id=ids[-1] + 2, home_id=world.home, at=NOW + timedelta(seconds=1), type="home", data={}))
    assert not tail.advance(100.0)
    with Session(sqlite_database) as session, session.begin():
        session.add(EventRow(id=ids[-1] + 1, home_id=world.home, at=NOW, type="home", data={}))
    assert tail.advance(100.5)
    assert tail.safe_id == ids[-1] + 2
    with Session(sqlite_database) as session, session.begin():
        session.add(EventRow(id=ids[-1] + 9, home_id=world.home, at=NOW, type="home", data={}))
    assert not tail.advance(101.0)
    assert tail.advance(101.0 + GAP_S), "an id that never comes holds nobody up for long"
    assert tail.safe_id == ids[-1] + 9


def test_a_stranger_hears_nothing(sqlite_database: Engine, world: World) -> None:
    with serving(sqlite_database) as url, httpx2.Client(base_url=url) as client:
        assert client.get("/api/v1/homes/demo/events").status_code == 401
        other = {"Authorization": f"Bearer {world.other_token}"}
        assert client.get("/api/v1/homes/demo/events", headers=other).status_code == 404
