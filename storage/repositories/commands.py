"""The command ledger: queued > sent > acknowledged > observed, or failed, or expired.

Whoever wants something done queues a row; ``control.commands.CommandSender`` alone sends it; the intake alone marks it
acknowledged or observed. Every change of state puts an event of type ``command`` on the live bus.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core.words import Command, CommandState
from storage.tables import CommandRow, EventRow

ON_THE_WAY = (CommandState.SENT, CommandState.ACKNOWLEDGED)
OPEN = (CommandState.QUEUED, *ON_THE_WAY)
BY_ENGINE, BY_PERSON = "engine", "person"


class CommandRepository:
    """Commands within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def queue(
        self,
        *,
        home_id: int,
        device_id: int,
        body: Command,
        requested_by: str,
        queued_at: datetime,
        expires_at: datetime,
        idempotency_key: str | None = None,
    ) -> CommandRow:
        """A new command, to be sent at once; it supersedes what the engine still had queued for this device.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            The home already has a command with this key (see ``by_key``).
        """
        row = _new(home_id, device_id, body, requested_by, queued_at, expires_at)
        row.idempotency_key = idempotency_key
        self._queue([row], queued_at)
        return row

    def queue_of_engine(
        self, commands: Sequence[tuple[int, int, Command]], queued_at: datetime, expires_at: datetime
    ) -> list[int]:
        """Commands of the engine, one for each of some devices: home, device and what it shall do; their ids."""
        rows = [
            _new(home_id, device_id, body, BY_ENGINE, queued_at, expires_at) for home_id, device_id, body in commands
        ]
        self._queue(rows, queued_at)
        return [row.id for row in rows]

    def _queue(self, rows: Sequence[CommandRow], at: datetime) -> None:
        self._session.add_all(rows)
        self._session.flush()
        newest = {row.device_id: row.id for row in rows}
        waiting = select(CommandRow).where(
            CommandRow.state == CommandState.QUEUED,
            CommandRow.requested_by == BY_ENGINE,
            CommandRow.device_id.in_(newest),
        )
        for older in self._session.scalars(waiting).all():
            if older.id < newest[older.device_id]:
                self.end(older, CommandState.EXPIRED, at, f"superseded by command {newest[older.device_id]}")
        for row in rows:
            self._tell(row, at)

    def get(self, command_id: int) -> CommandRow | None:
        """The command of an id."""
        return self._session.get(CommandRow, command_id)

    def by_key(self, home_id: int, idempotency_key: str) -> CommandRow | None:
        """The command that was queued with this key."""
        return self._session.scalar(
            select(CommandRow).where(CommandRow.home_id == home_id, CommandRow.idempotency_key == idempotency_key)
        )

    def queued(self, limit: int = 200) -> list[CommandRow]:
        """Commands to be sent, oldest first."""
        return self._list(select(CommandRow).where(CommandRow.state == CommandState.QUEUED).limit(limit))

    def on_the_way(self) -> list[CommandRow]:
        """Commands that were sent and are neither observed nor ended, oldest first."""
        return self._list(select(CommandRow).where(CommandRow.state.in_(ON_THE_WAY), CommandRow.ended_at.is_(None)))

    def by_people_after(self, command_id: int) -> list[CommandRow]:
        """Commands that people requested, with ids above ``command_id``, oldest first."""
        return self._list(
            select(CommandRow).where(CommandRow.id > command_id, CommandRow.requested_by == BY_PERSON).limit(200)
        )

    def newest_id(self, *, before: datetime) -> int:
        """The highest id of the commands queued before an instant; 0 without any."""
        query = select(CommandRow.id).where(CommandRow.queued_at < before).order_by(CommandRow.id.desc()).limit(1)
        return self._session.scalar(query) or 0

    def mark_sent(self, row: CommandRow, at: datetime) -> bool:
        """Note a first or further attempt; ``sent_at`` stays that of the first. False if the command has moved on.

        Call and commit it before publishing: a device may answer before the publisher returns.
        """
        before = (CommandState.QUEUED, *ON_THE_WAY)
        state = CommandState.SENT if row.state == CommandState.QUEUED else row.state
        return self._change(row, before, at, state=state, attempts=row.attempts + 1, sent_at=row.sent_at or at)

    def end(self, row: CommandRow, state: CommandState, at: datetime, detail: str | None) -> bool:
        """End a command as failed or expired (or leave it as it stands, with ``state`` its own). False if it had."""
        return self._change(row, OPEN, at, state=state, ended_at=at, detail=None if detail is None else detail[:500])

    def _change(self, row: CommandRow, before: tuple[CommandState, ...], at: datetime, **values: object) -> bool:
        changed = self._session.execute(
            update(CommandRow)
            .where(CommandRow.id == row.id, CommandRow.state.in_(before), CommandRow.ended_at.is_(None))
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        self._session.refresh(row)
        if changed.rowcount == 0:  # type: ignore[attr-defined]
            return False
        self._tell(row, at)
        return True

    def _list(self, query: Select[Any]) -> list[CommandRow]:
        return list(self._session.scalars(query.order_by(CommandRow.id)))

    def _tell(self, row: CommandRow, at: datetime) -> None:
        data = {"id": row.id, "device_id": row.device_id, "state": str(row.state), "body": row.body}
        self._session.add(EventRow(home_id=row.home_id, at=at, type="command", data=data))


def _new(
    home_id: int, device_id: int, body: Command, requested_by: str, queued_at: datetime, expires_at: datetime
) -> CommandRow:
    return CommandRow(
        home_id=home_id,
        device_id=device_id,
        requested_by=requested_by,
        body=body.as_dict(),
        state=CommandState.QUEUED,
        attempts=0,
        queued_at=queued_at,
        expires_at=expires_at,
    )
