"""The live event bus: rows that the API streams on. Whoever changes what a page shows adds one; old ones are pruned."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from storage.bulk import change, query, to_json

KEPT = 20_000

Event = tuple[int, int, str, Mapping[str, Any]]  # home_id, instant in microseconds, type, data


def add_events(connection: Connection, events: Sequence[Event]) -> None:
    """Put events on the bus, in order."""
    rows = [(home_id, at_us, kind, to_json(data)) for home_id, at_us, kind, data in events]
    change(connection, "INSERT INTO event (home_id, at, type, data) VALUES (?, ?, ?, ?)", rows)


def prune_events(connection: Connection) -> int:
    """Keep the newest rows alone; the number of those dropped."""
    [(newest,)] = query(connection, "SELECT max(id) FROM event")
    return 0 if newest is None else change(connection, "DELETE FROM event WHERE id <= ?", (newest - KEPT,))
