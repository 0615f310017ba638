"""Messages that could not be read: the newest are kept for a person to look at, all are counted for ever."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from sqlalchemy import Connection, Table

from storage.bulk import change, insert_rows, query
from storage.tables import CounterRow

KEPT = 1000
PAYLOAD_BYTES = 1024  # of the beginning of a payload
TOPIC_CHARACTERS, PAYLOAD_CHARACTERS, REASON_CHARACTERS = 512, 2048, 512
COUNTERS = cast(Table, CounterRow.__table__)

Refused = tuple[int, str, bytes, str]  # received_at in microseconds, topic, payload, reason


def quarantine(connection: Connection, refused: Sequence[Refused]) -> None:
    """Keep messages that could not be read, escaped so that any bytes may be shown; older ones make room."""
    rows = [
        (
            received_us,
            printable(topic, TOPIC_CHARACTERS),
            printable(payload[:PAYLOAD_BYTES].decode("utf-8", "backslashreplace"), PAYLOAD_CHARACTERS),
            printable(reason, REASON_CHARACTERS),
        )
        for received_us, topic, payload, reason in refused[-KEPT:]
    ]
    if not rows:
        return
    change(connection, "INSERT INTO quarantine (received_at, topic, payload, reason) VALUES (?, ?, ?, ?)", list(rows))
    [(newest,)] = query(connection, "SELECT max(id) FROM quarantine")
    change(connection, "DELETE FROM quarantine WHERE id <= ?", (newest - KEPT,))


def printable(text: str, limit: int) -> str:
    """Text that every database and page can show: what is not printable is escaped."""
    if not text.isprintable():
        text = "".join(
            sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text[:limit]
        )
    return text[:limit]


def count(connection: Connection, amounts: Mapping[str, int]) -> None:
    """Add to counters that are kept for ever."""
    rows = [(name, amount) for name, amount in sorted(amounts.items()) if amount]
    insert_rows(connection, COUNTERS, rows, "(name) DO UPDATE SET value = counter.value + excluded.value")


def counts(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Values of counters; 0 where nothing was counted yet."""
    found = dict(tuple(row) for row in query(connection, "SELECT name, value FROM counter"))
    return {name: found.get(name, 0) for name in names}
