"""Comparisons by days: which room is compared since when, and who steers it on which day."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables import TrialDayRow, TrialRow


class TrialRepository:
    """Trials within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def running(self) -> dict[int, TrialRow]:
        """Trials that nobody ended, by room."""
        query = select(TrialRow).where(TrialRow.ended_at.is_(None)).order_by(TrialRow.id)
        return {row.room_id: row for row in self._session.scalars(query)}

    def newest(self, room_id: int) -> TrialRow | None:
        """The latest trial of a room, running or not."""
        return self._session.scalar(
            select(TrialRow).where(TrialRow.room_id == room_id).order_by(TrialRow.id.desc()).limit(1)
        )

    def start(self, room_id: int, seed: int, at: datetime) -> TrialRow:
        """A new trial of a room; it ends the one before."""
        self.end(room_id, at)
        row = TrialRow(room_id=room_id, seed=seed, started_at=at)
        self._session.add(row)
        self._session.flush()
        return row

    def end(self, room_id: int, at: datetime) -> None:
        """End the running trial of a room, if there is one."""
        running = select(TrialRow).where(TrialRow.room_id == room_id, TrialRow.ended_at.is_(None))
        for row in self._session.scalars(running).all():
            row.ended_at = at
        self._session.flush()

    def assign(self, days: Iterable[TrialDayRow]) -> None:
        """Write who steers on some days; a day that was assigned before keeps its arm."""
        for day in days:
            if self._session.get(TrialDayRow, (day.trial_id, day.day)) is None:
                self._session.add(day)
        self._session.flush()

    def on(self, instant: datetime) -> dict[int, TrialDayRow]:
        """The days of running trials that hold at an instant, by room."""
        query = (
            select(TrialRow.room_id, TrialDayRow)
            .join(TrialDayRow, TrialDayRow.trial_id == TrialRow.id)
            .where(TrialRow.ended_at.is_(None), TrialDayRow.start_at <= instant, TrialDayRow.end_at > instant)
        )
        return {room_id: day for room_id, day in self._session.execute(query)}  # noqa: C416 rows are no pairs to mypy

    def days(self, trial_id: int, *, before: str | None = None, limit: int = 400) -> list[TrialDayRow]:
        """Days of a trial, newest first, those before ``before``."""
        query = select(TrialDayRow).where(TrialDayRow.trial_id == trial_id)
        if before is not None:
            query = query.where(TrialDayRow.day < before)
        return list(self._session.scalars(query.order_by(TrialDayRow.day.desc()).limit(limit)))
