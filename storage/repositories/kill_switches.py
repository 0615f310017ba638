"""Kill switches: while one holds, the engine commands nothing in its home, or in any where it names none."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.words import CommandState
from storage.repositories.commands import BY_ENGINE, OPEN, CommandRepository
from storage.tables import CommandRow, EventRow, HomeRow, KillSwitchRow, RoomRow

CANCELLED = "the kill switch was used"


class KillSwitchRepository:
    """Kill switches within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def holding(self, home_id: int | None) -> KillSwitchRow | None:
        """The one that holds for a home alone, or, of None, for every home."""
        of_home = KillSwitchRow.home_id.is_(None) if home_id is None else KillSwitchRow.home_id == home_id
        return self._session.scalar(
            select(KillSwitchRow).where(of_home, KillSwitchRow.released_at.is_(None)).order_by(KillSwitchRow.id)
        )

    def held_homes(self) -> set[int | None]:
        """Homes for which one holds; None among them: every home."""
        return set(self._session.scalars(select(KillSwitchRow.home_id).where(KillSwitchRow.released_at.is_(None))))

    def engage(self, home_id: int | None, by: str | None, at: datetime) -> KillSwitchRow:
        """Keep the engine away from now on, and take back what it still had on its way; one that holds stays."""
        held = self.holding(home_id)
        if held is not None:
            return held
        row = KillSwitchRow(home_id=home_id, engaged_at=at, engaged_by=by)
        self._session.add(row)
        self._session.flush()
        self._await_engine(home_id)
        cancel_engine_commands(self._session, at, home_id=home_id)
        self._tell(home_id, at, engaged=True)
        return row

    def release(self, home_id: int | None, at: datetime) -> None:
        """Let the engine steer again, each room as it is set; nothing where none holds.

        Of two that were used at the same instant both are released.
        """
        if self.holding(home_id) is None:
            return
        while (row := self.holding(home_id)) is not None:
            row.released_at = at
            self._session.flush()
        self._tell(home_id, at, engaged=False)

    def _await_engine(self, home_id: int | None) -> None:
        """Let decisions that are being kept in any of the rooms end first, so that their commands are seen.

        On PostgreSQL each holds its room's row (see ``controls_in_force``); SQLite has one writer at a time.
        """
        rooms = select(RoomRow.id).order_by(RoomRow.id).with_for_update()
        if home_id is not None:
            rooms = rooms.where(RoomRow.home_id == home_id)
        self._session.execute(rooms).all()

    def _tell(self, home_id: int | None, at: datetime, *, engaged: bool) -> None:
        homes: Collection[int] = [home_id] if home_id is not None else self._session.scalars(select(HomeRow.id)).all()
        data = {"changed": "kill_switch", "engaged": engaged, "every_home": home_id is None}
        self._session.add_all(EventRow(home_id=home, at=at, type="home", data=data) for home in homes)


def controls_in_force(session: Session, room_ids: Collection[int], *, lock: bool = False) -> dict[int, str]:
    """What the engine may do in rooms now: as each is set, or ``off`` under a kill switch; without rooms that are gone.

    Parameters
    ----------
    lock : bool
        Keep it so until the transaction ends; on SQLite a transaction that writes does so by itself.
    """
    query = select(RoomRow.id, RoomRow.control, RoomRow.home_id).where(RoomRow.id.in_(list(room_ids)))
    if lock:
        query = query.order_by(RoomRow.id).with_for_update()
    rooms = session.execute(query).all()
    held = KillSwitchRepository(session).held_homes()
    return {room_id: in_force(control, home_id, held) for room_id, control, home_id in rooms}


def in_force(control: str, home_id: int, held: Collection[int | None]) -> str:
    """What a room's setting comes to under the kill switches that hold."""
    return "off" if None in held or home_id in held else control


def cancel_engine_commands(
    session: Session,
    at: datetime,
    *,
    home_id: int | None = None,
    device_ids: Collection[int] | None = None,
    states: Collection[CommandState] = OPEN,
) -> int:
    """End every command of the engine that is queued or on its way: of a home, of devices, or all; how many."""
    query = select(CommandRow).where(
        CommandRow.requested_by == BY_ENGINE, CommandRow.state.in_(states), CommandRow.ended_at.is_(None)
    )
    if home_id is not None:
        query = query.where(CommandRow.home_id == home_id)
    if device_ids is not None:
        query = query.where(CommandRow.device_id.in_(list(device_ids)))
    repository = CommandRepository(session)
    return sum(repository.end(row, CommandState.EXPIRED, at, CANCELLED) for row in session.scalars(query).all())
