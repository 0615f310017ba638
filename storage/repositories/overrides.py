"""Manual changes: one that is open wins over the engine until its ``until``.

REST inserts a row here (origin ``rest``); the engine acts on it and queues the command. A change seen at the device is
inserted by the engine (origin ``device``). Both put an event of type ``override`` on the live bus.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.words import Command
from storage.tables import EventRow, OverrideRow, RoomRow

FROM_DEVICE, FROM_REST = "device", "rest"


class OverrideRepository:
    """Overrides within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self, *, room_id: int, origin: str, target: Command, started_at: datetime, until: datetime
    ) -> OverrideRow:
        """A new override of a room; it ends the one before."""
        for older in self.open([room_id]):
            self.end(older, started_at)
        row = OverrideRow(room_id=room_id, origin=origin, target=target.as_dict(), started_at=started_at, until=until)
        self._session.add(row)
        self._session.flush()
        self._tell(row, started_at)
        return row

    def end(self, row: OverrideRow, at: datetime) -> None:
        """End an override, because its time is over, it was taken back, or a newer one came."""
        row.ended_at = at
        self._session.flush()
        self._tell(row, at)

    def open(self, room_ids: Iterable[int] | None = None) -> list[OverrideRow]:
        """Overrides that nobody ended, oldest first; the time of one may be over already."""
        query = select(OverrideRow).where(OverrideRow.ended_at.is_(None)).order_by(OverrideRow.id)
        if room_ids is not None:
            query = query.where(OverrideRow.room_id.in_(list(room_ids)))
        return list(self._session.scalars(query))

    def current(self, room_id: int, now: datetime) -> OverrideRow | None:
        """The override that holds now."""
        rows = [row for row in self.open([room_id]) if row.started_at <= now < row.until]
        return rows[-1] if rows else None

    def newest(self, room_id: int) -> OverrideRow | None:
        """The override of a room that started last, whether or not it is over."""
        query = select(OverrideRow).where(OverrideRow.room_id == room_id)
        return self._session.scalar(query.order_by(OverrideRow.started_at.desc(), OverrideRow.id.desc()).limit(1))

    def after(self, override_id: int) -> list[OverrideRow]:
        """Overrides with ids above ``override_id``, oldest first."""
        return list(
            self._session.scalars(select(OverrideRow).where(OverrideRow.id > override_id).order_by(OverrideRow.id))
        )

    def newest_id(self) -> int:
        """The highest id so far; 0 without any override."""
        return self._session.scalar(select(OverrideRow.id).order_by(OverrideRow.id.desc()).limit(1)) or 0

    def _tell(self, row: OverrideRow, at: datetime) -> None:
        home_id = self._session.scalars(select(RoomRow.home_id).where(RoomRow.id == row.room_id)).one()
        data = {
            "id": row.id,
            "room_id": row.room_id,
            "origin": row.origin,
            "target": row.target,
            "until": row.until.isoformat(),
            "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
        }
        self._session.add(EventRow(home_id=home_id, at=at, type="override", data=data))
