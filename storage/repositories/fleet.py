"""Counts over all homes, what could not be read, and whether the other processes live."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from storage.tables import CommandRow, CounterRow, DeviceRow, DeviceStateRow, HomeRow, QuarantineRow, SettingRow

EXPECTED = datetime.fromtimestamp(0, UTC)  # in place of a beat: the part is starting


def newest_quarantined(session: Session, before: int | None, limit: int) -> Sequence[QuarantineRow]:
    """Messages that could not be read, newest first."""
    query = select(QuarantineRow).order_by(QuarantineRow.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(QuarantineRow.id < before)).all()


def counters(session: Session) -> dict[str, int]:
    """Things counted for ever, by name."""
    return {row.name: row.value for row in session.scalars(select(CounterRow))}


def commands_by_state(session: Session) -> dict[str, int]:
    """How many commands stand in each state."""
    rows = session.execute(select(CommandRow.state, func.count()).group_by(CommandRow.state))
    return {state: count for state, count in rows}  # noqa: C416 rows are no pairs to mypy


def device_counts(session: Session) -> tuple[int, int]:
    """How many devices there are, and how many of them are not known to be offline."""
    known = (
        select(func.count())
        .select_from(DeviceRow)
        .outerjoin(DeviceStateRow, DeviceStateRow.device_id == DeviceRow.id)
        .where(DeviceRow.removed_at.is_(None))
    )
    online = known.where(or_(DeviceStateRow.online.is_(None), DeviceStateRow.online.is_(True)))
    return session.scalar(known) or 0, session.scalar(online) or 0


def count_homes(session: Session) -> int:
    """How many homes this installation has."""
    return session.scalar(select(func.count()).select_from(HomeRow)) or 0


def schema_revision(session: Session) -> str | None:
    """The migration that the database stands at."""
    revision: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def head_revision() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory(str(Path(__file__).parents[1] / "migrations")).get_current_head()


def beat(session: Session, part: str) -> None:
    """Say that a part (intake, engine) lives, wall time; for ``/readyz``, which refuses after 30 s without."""
    session.merge(SettingRow(key=f"heartbeat.{part}", value={"at": datetime.now(UTC).isoformat()}))


def expect_beat(session: Session, part: str) -> None:
    """Say that a part is about to start: not ready before its first beat."""
    session.merge(SettingRow(key=f"heartbeat.{part}", value={"at": EXPECTED.isoformat()}))


def heartbeat(session: Session, part: str) -> datetime | None:
    """When a part last said that it lives, wall time; None where it never did."""
    row = session.get(SettingRow, f"heartbeat.{part}")
    return None if row is None else datetime.fromisoformat(row.value["at"])
