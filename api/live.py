"""Live events over SSE: one tail of the ``event`` table for all clients, each of which reads on from its own id.

The table is looked at every quarter of a second, in a thread, and only while somebody listens. PostgreSQL may commit a
lower id after a higher one, so the tail waits at a gap in the ids until it closes or ``GAP_S`` have passed.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.logging import get_logger
from storage.database import read_only
from storage.repositories import live
from storage.tables import EventRow

POLL_S = 0.25
GAP_S = 3.0
BATCH = 500
CHECK_S = 15.0
RESYNC = "resync"
Result = TypeVar("Result")
log = get_logger(__name__)


class Tail:
    """Knows up to which id the table may be read: each one there is committed or never will be."""

    def __init__(self, database: Engine) -> None:
        self._database = read_only(database)
        self._safe_id = 0
        self._gap: tuple[int, float] | None = None  # the id before it, and since when
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    @property
    def safe_id(self) -> int:
        """Ids up to here may be read."""
        return self._safe_id

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Keep the tail running for one client."""
        self._listeners += 1
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._follow(), name="event-tail")
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0 and self._task is not None:
                self._task.cancel()
                self._task = None

    async def wait_beyond(self, event_id: int, timeout_s: float) -> None:
        """Return once ids behind ``event_id`` may be read, or after the timeout."""
        moved = self._moved
        if self._safe_id <= event_id:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), timeout_s)

    def advance(self, now_s: float) -> bool:
        """Look at the table; whether more may be read than before."""
        before = self._safe_id
        with Session(self._database) as session:
            ids = live.event_ids(session, self._safe_id, BATCH)
        for event_id in ids:
            if event_id != self._safe_id + 1 and not self._gap_is_old(now_s):
                break
            self._safe_id, self._gap = event_id, None
        return self._safe_id > before

    def start(self) -> None:
        """Begin at the end of the table; a gap among the newest ids may still close."""
        with Session(self._database) as session:
            self._safe_id = live.settled_event_id(session)
        self._gap = None

    def _gap_is_old(self, now_s: float) -> bool:
        if self._gap is None or self._gap[0] != self._safe_id:
            self._gap = (self._safe_id, now_s)
        return now_s - self._gap[1] >= GAP_S

    async def _follow(self) -> None:
        started = False
        while True:
            try:
                if not started:
                    await anyio.to_thread.run_sync(self.start)
                    started = True
                    self._wake()
                if await anyio.to_thread.run_sync(self.advance, time.monotonic()):
                    self._wake()
            except SQLAlchemyError:
                log.exception("event_tail_failed")
                await asyncio.sleep(GAP_S)
            await asyncio.sleep(POLL_S)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


async def stream(
    tail: Tail, database: Engine, home_id: int, after: int | None, still_allowed: Callable[[], bool]
) -> AsyncIterator[dict[str, str]]:
    """A home's events behind ``after`` (None: from now on), for ever, as long as the caller may see them.

    Begins with ``resync`` where what came behind ``after`` is not kept any more: the client then reads afresh.
    """
    async with tail.listening():
        at, lost = await _in_thread(partial(_resume, database, after))
        if lost:
            yield {"id": str(at), "event": RESYNC, "data": json.dumps({"type": RESYNC, "home_id": home_id})}
        checked_s = time.monotonic()
        while True:
            until = tail.safe_id
            rows = await _in_thread(partial(_read, database, home_id, at, until)) if until > at else []
            for message in rows:
                at = int(message["id"])
                yield message
            if len(rows) < BATCH:
                at = max(at, until)
                await tail.wait_beyond(at, CHECK_S)
            if time.monotonic() - checked_s >= CHECK_S:
                checked_s = time.monotonic()
                if not await _in_thread(still_allowed):
                    return


def _in_thread(work: Callable[[], Result]) -> Awaitable[Result]:
    return anyio.to_thread.run_sync(work)


def _read(database: Engine, home_id: int, after: int, until: int) -> list[dict[str, str]]:
    with Session(read_only(database)) as session:
        return [_message(row) for row in live.events_of_home(session, home_id, after, until, BATCH)]


def _message(row: EventRow) -> dict[str, str]:
    at = row.at.isoformat().replace("+00:00", "Z")
    data = {"type": row.type, "at": at, "home_id": row.home_id, "data": row.data}
    return {"id": str(row.id), "event": row.type, "data": json.dumps(data, ensure_ascii=False)}


def _resume(database: Engine, after: int | None) -> tuple[int, bool]:
    """Where to read on, and whether something between is lost: pruned, or of another database."""
    with Session(read_only(database)) as session:
        settled = live.settled_event_id(session)
        if after is None:
            return settled, False
        oldest, newest = live.oldest_event_id(session), live.newest_event_id(session)
    lost = after > newest or (oldest is not None and after + 1 < oldest)
    return (settled if lost else after), lost
