"""What the engine saw, expected, chose, and why: one row a decision."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.tables import DecisionRow, EventRow, RoomRow


class DecisionRepository:
    """Decisions within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: DecisionRow) -> DecisionRow:
        """Keep a decision and tell the live bus."""
        self._session.add(row)
        self._session.flush()
        home_id = self._session.scalars(select(RoomRow.home_id).where(RoomRow.id == row.room_id)).one()
        data = {"id": row.id, "room_id": row.room_id, "controller": row.controller, "reason": row.reason}
        self._session.add(EventRow(home_id=home_id, at=row.decided_at, type="decision", data=data))
        return row

    def newest(self, room_id: int) -> DecisionRow | None:
        """The latest decision of a room."""
        return self._session.scalar(
            select(DecisionRow)
            .where(DecisionRow.room_id == room_id)
            .order_by(DecisionRow.decided_at.desc(), DecisionRow.id.desc())
            .limit(1)
        )

    def page(
        self, room_id: int, *, limit: int, before_id: int | None = None, since: datetime | None = None
    ) -> list[DecisionRow]:
        """Decisions of a room, newest first, with ids below ``before_id``."""
        query = select(DecisionRow).where(DecisionRow.room_id == room_id)
        if before_id is not None:
            query = query.where(DecisionRow.id < before_id)
        if since is not None:
            query = query.where(DecisionRow.decided_at >= since)
        return list(self._session.scalars(query.order_by(DecisionRow.id.desc()).limit(limit)))

    def first_at(self, room_id: int) -> datetime | None:
        """When the engine first decided for a room; what happened before was people's own doing."""
        return self._session.scalar(select(func.min(DecisionRow.decided_at)).where(DecisionRow.room_id == room_id))
