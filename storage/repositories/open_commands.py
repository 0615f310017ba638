"""Commands that are on their way, as the intake moves them on. Times are microseconds since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from storage.bulk import change, query


@dataclass(slots=True)
class OpenCommand:
    """A command that was sent and is neither observed nor ended."""

    id: int
    home_id: int
    device_id: int
    body: Mapping[str, Any]
    state: str
    sent_at_us: int
    acknowledged_at_us: int | None
    observed_at_us: int | None = None
    ended_at_us: int | None = None
    detail: str | None = None


def open_commands(connection: Connection) -> list[OpenCommand]:
    """All of them, oldest first; there are few at any time."""
    found = query(
        connection,
        "SELECT id, home_id, device_id, CAST(body AS TEXT), state, sent_at, acknowledged_at FROM command "
        "WHERE state IN ('sent', 'acknowledged') AND sent_at IS NOT NULL AND ended_at IS NULL ORDER BY id",
    )
    return [OpenCommand(row[0], row[1], row[2], msgspec.json.decode(row[3]), *row[4:]) for row in found]


def save_progress(connection: Connection, commands: Sequence[OpenCommand]) -> None:
    """Write where commands stand; one that somebody ended meanwhile stays ended."""
    change(
        connection,
        "UPDATE command SET state = ?, acknowledged_at = ?, observed_at = ?, ended_at = ?, detail = ? "
        "WHERE id = ? AND state IN ('sent', 'acknowledged') AND ended_at IS NULL",
        [
            (
                str(command.state),
                command.acknowledged_at_us,
                command.observed_at_us,
                command.ended_at_us,
                command.detail,
                command.id,
            )
            for command in commands
        ],
    )
