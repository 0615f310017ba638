"""Which topic filters the intake's session on the broker holds: it outlives the process, so somebody must remember."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from storage.bulk import change, query, to_json

KEY = "intake_filters"


def remembered_filters(connection: Connection) -> list[str]:
    """Filters that the session was last given."""
    found = query(connection, "SELECT CAST(value AS TEXT) FROM setting WHERE key = ?", (KEY,))
    return list(msgspec.json.decode(found[0][0])["filters"]) if found else []


def remember_filters(connection: Connection, filters: Sequence[str]) -> None:
    """Keep them for the next start."""
    change(connection, "DELETE FROM setting WHERE key = ?", (KEY,))
    change(connection, "INSERT INTO setting (key, value) VALUES (?, ?)", (KEY, to_json({"filters": list(filters)})))
