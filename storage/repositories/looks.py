"""What the engine reads again at every look, of all homes at once: one query each, in plain values.

Texts are handed out as they are stored: whoever looks often parses only those that differ from the last time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.units import from_epoch_us
from storage.bulk import query
from storage.repositories.learned import COMFORT, ROOM
from storage.tables import CommandRow, LearnedRow

AT_ONCE = 500  # ids in one query


def device_states(session: Session) -> Sequence[tuple[int, bool | None, str]]:
    """Every device: its id, whether it is online, and the text of what it said last."""
    rows = query(session.connection(), 'SELECT device_id, online, CAST("values" AS TEXT) FROM device_state')
    return [(device_id, None if online is None else bool(online), text) for device_id, online, text in rows]


def comfort_curves(session: Session) -> Sequence[tuple[int, str, datetime]]:
    """Every room with a comfort curve: its id, the curve's text, and when it was written."""
    rows = query(
        session.connection(),
        "SELECT scope_id, CAST(value AS TEXT), updated_at FROM learned WHERE scope = ? AND name = ?",
        (ROOM, COMFORT),
    )
    return [(room_id, text, from_epoch_us(updated_us)) for room_id, text, updated_us in rows]


def comfort_written_at(session: Session, room_ids: Iterable[int]) -> dict[int, datetime]:
    """When the comfort curves of some rooms were written."""
    query = select(LearnedRow.scope_id, LearnedRow.updated_at).where(
        LearnedRow.scope == ROOM, LearnedRow.name == COMFORT, LearnedRow.scope_id.in_(list(room_ids))
    )
    return {room_id: updated_at for room_id, updated_at in session.execute(query)}  # noqa: C416 rows are no pairs to mypy


def commands_of_devices(session: Session, device_ids: Iterable[int], since: datetime) -> list[CommandRow]:
    """Commands of some devices queued since an instant, oldest first."""
    ids = list(device_ids)
    found: list[CommandRow] = []
    for first in range(0, len(ids), AT_ONCE):
        of_some = CommandRow.device_id.in_(ids[first : first + AT_ONCE])
        found += session.scalars(select(CommandRow).where(of_some, CommandRow.queued_at >= since)).all()
    return sorted(found, key=lambda row: row.id)


def commands_after(session: Session, command_id: int, also: Iterable[int]) -> list[CommandRow]:
    """Commands with ids above ``command_id``, and those of some ids, oldest first."""
    ids = list(also)
    found: dict[int, CommandRow] = {}
    for first in range(0, max(1, len(ids)), AT_ONCE):
        some = CommandRow.id.in_(ids[first : first + AT_ONCE])
        wanted = some if first else or_(CommandRow.id > command_id, some)
        found.update((row.id, row) for row in session.scalars(select(CommandRow).where(wanted)))
    return [found[command_id] for command_id in sorted(found)]


def newest_command_id(session: Session) -> int:
    """The highest id of all commands; 0 without any."""
    return session.scalar(select(func.max(CommandRow.id))) or 0
