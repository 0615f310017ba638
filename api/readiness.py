"""Whether what stands behind the API works."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage.database import read_only
from storage.repositories import fleet

HEARTBEAT_LIMIT = timedelta(seconds=30)
PARTS = ("intake", "engine")


def reasons_against(database: Engine) -> list[str]:
    """Why this installation is not ready; empty where it is."""
    try:
        with Session(read_only(database)) as session:
            revision, head = fleet.schema_revision(session), fleet.head_revision()
            if revision != head:
                return [f"the database stands at schema {revision}, expected {head}: run `lingyun serve` once"]
            beats = {part: fleet.heartbeat(session, part) for part in PARTS}
    except SQLAlchemyError as error:
        return [f"the database does not answer ({type(error).__name__})"]
    now = datetime.now(UTC)
    return [reason for part, at in beats.items() if (reason := _reason_against(part, at, now)) is not None]


def _reason_against(part: str, at: datetime | None, now: datetime) -> str | None:
    if at is None:
        return f"the {part} has never run on this database: start `lingyun serve`, or `lingyun {part}` beside the API"
    if at == fleet.EXPECTED:
        return f"the {part} is starting"
    if now - at > HEARTBEAT_LIMIT:
        return f"the {part} was last alive {(now - at).total_seconds():.0f} s ago"
    return None
