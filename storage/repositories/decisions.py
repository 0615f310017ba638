"""What the engine saw, expected, chose, and why: one row a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from storage.tables import DecisionRow, EventRow

DECISIONS, EVENTS = cast(Table, DecisionRow.__table__), cast(Table, EventRow.__table__)
TOLD = ("room_id", "controller", "reason")  # of a decision, to the live bus


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision to be kept."""

    home_id: int
    values: Mapping[str, Any]  # by column of ``DecisionRow``


class DecisionRepository:
    """Decisions within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, decisions: Sequence[NewDecision]) -> None:
        """Keep decisions and tell the live bus."""
        if not decisions:
            return
        query = insert(DECISIONS).returning(DECISIONS.c.id, sort_by_parameter_order=True)
        connection = self._session.connection()
        ids = connection.scalars(query, [dict(decision.values) for decision in decisions]).all()
        events = [
            {
                "home_id": decision.home_id,
                "at": decision.values["decided_at"],
                "type": "decision",
                "data": {"id": decision_id, **{name: decision.values[name] for name in TOLD}},
            }
            for decision_id, decision in zip(ids, decisions, strict=True)
        ]
        connection.execute(insert(EVENTS), events)

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
