"""Reading the live event bus: which ids may be read by now, and a home's events behind an id."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.tables import EventRow

RECENT_IDS = 100  # looked through for gaps


def newest_event_id(session: Session) -> int:
    """Id of the newest live event, 0 where there is none."""
    return session.scalar(select(func.max(EventRow.id))) or 0


def settled_event_id(session: Session) -> int:
    """The newest id below which nothing is missing: a lower one that is missing may still be committed."""
    newest = newest_event_id(session)
    recent = event_ids(session, newest - RECENT_IDS, RECENT_IDS)
    settled = recent[0] if recent else newest
    for event_id in recent[1:]:
        if event_id != settled + 1:
            break
        settled = event_id
    return settled


def oldest_event_id(session: Session) -> int | None:
    """Id of the oldest live event that is kept."""
    return session.scalar(select(func.min(EventRow.id)))


def event_ids(session: Session, after: int, limit: int) -> Sequence[int]:
    """Ids of all homes' events behind ``after``, in order."""
    return session.scalars(select(EventRow.id).where(EventRow.id > after).order_by(EventRow.id).limit(limit)).all()


def events_of_home(session: Session, home_id: int, after: int, until: int, limit: int) -> Sequence[EventRow]:
    """Events of a home with ids in (after, until], in order."""
    return session.scalars(
        select(EventRow)
        .where(EventRow.home_id == home_id, EventRow.id > after, EventRow.id <= until)
        .order_by(EventRow.id)
        .limit(limit)
    ).all()
