"""What the engine saw, expected, chose, and why: one row a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from core.units import to_epoch_us
from storage.bulk import insert_rows, new_ids, to_json
from storage.tables import DecisionRow, EventRow

DECISIONS, EVENTS = cast(Table, DecisionRow.__table__), cast(Table, EventRow.__table__)
JSON_COLUMNS = ("saw", "outlook", "proposed", "action", "guard", "reason")
EVENT_COLUMNS = ("home_id", "at", "type", "data")  # the id counts up by itself
OF_PLUG = "plug"  # controller of decisions on plugs: they are no word on the room's unit
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
        connection = self._session.connection()
        ids = new_ids(connection, DECISIONS, len(decisions))
        rows, events = [], []
        for decision_id, decision in zip(ids, decisions, strict=True):
            values = decision.values
            at_us = to_epoch_us(values["decided_at"])
            texts = (to_json(values[name]) for name in JSON_COLUMNS)
            whose = decision_id, values["room_id"], values["device_id"], at_us, values["controller"], values["control"]
            rows.append((*whose, *texts, values["command_id"]))
            data = to_json({"id": decision_id, **{name: values[name] for name in TOLD}})
            events.append((decision.home_id, at_us, "decision", data))
        insert_rows(connection, DECISIONS, rows)
        insert_rows(connection, EVENTS, events, columns=EVENT_COLUMNS)

    def newest(self, room_id: int) -> DecisionRow | None:
        """The latest decision of a room on its unit."""
        return self._session.scalar(
            select(DecisionRow)
            .where(DecisionRow.room_id == room_id, DecisionRow.controller != OF_PLUG)
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
        of_unit = DecisionRow.room_id == room_id, DecisionRow.controller != OF_PLUG
        return self._session.scalar(select(func.min(DecisionRow.decided_at)).where(*of_unit))
