"""Homes, their rooms, and their devices with what these said last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Conflict
from core.words import Kind
from storage.tables import (
    ApplianceRow,
    CommandRow,
    DeviceRow,
    DeviceStateRow,
    HomeRow,
    RoomRow,
)

MAX_ROOMS_PER_HOME = 200
MAX_APPLIANCES_PER_HOME = 1000


@dataclass(frozen=True, slots=True)
class DeviceNow:
    """A device with its state and the names around it."""

    device: DeviceRow
    state: DeviceStateRow | None
    home: str
    room: str | None
    appliance: str | None


@dataclass(frozen=True, slots=True)
class MeasuredThing:
    """A device as usage sees it."""

    device_id: int
    name: str
    device_kind: str
    appliance_kind: str | None
    room_id: int | None
    appliance_id: int | None
    appliance: str | None

    @property
    def kind(self) -> str:
        """What it measures: the fridge behind the plug, where that is known."""
        return self.appliance_kind or self.device_kind


def find_home(session: Session, reference: str) -> HomeRow | None:
    """The home of that id, or else of that name."""
    if reference.isascii() and reference.isdigit() and len(reference) < 16:
        home = session.get(HomeRow, int(reference))
        if home is not None:
            return home
    return session.scalar(select(HomeRow).where(HomeRow.name == reference))


def set_setting(session: Session, home: HomeRow, name: str, value: object) -> None:
    """Change one setting of a home; whoever changes another at the same time waits, and neither is lost."""
    session.refresh(home, with_for_update=True)
    home.settings = {**(home.settings or {}), name: value}
    session.flush()


def homes_after(session: Session, ids: Iterable[int], after: int, limit: int) -> Sequence[HomeRow]:
    """Homes of these ids in order, beginning behind ``after``."""
    wanted = sorted(home_id for home_id in ids if home_id > after)[:limit]
    return session.scalars(select(HomeRow).where(HomeRow.id.in_(wanted)).order_by(HomeRow.id)).all()


def rooms_of_home(session: Session, home_id: int) -> Sequence[RoomRow]:
    """Rooms in the order they were made."""
    return session.scalars(select(RoomRow).where(RoomRow.home_id == home_id).order_by(RoomRow.id)).all()


def devices_now(session: Session, home_ids: Iterable[int], after: int = 0, limit: int | None = None) -> list[DeviceNow]:
    """Devices of homes that are not removed, by id, beginning behind ``after``."""
    query = (
        select(DeviceRow, DeviceStateRow, HomeRow.name, RoomRow.name, ApplianceRow.name)
        .join(HomeRow, HomeRow.id == DeviceRow.home_id)
        .outerjoin(DeviceStateRow, DeviceStateRow.device_id == DeviceRow.id)
        .outerjoin(RoomRow, RoomRow.id == DeviceRow.room_id)
        .outerjoin(ApplianceRow, ApplianceRow.id == DeviceRow.appliance_id)
        .where(DeviceRow.home_id.in_(list(home_ids)), DeviceRow.removed_at.is_(None), DeviceRow.id > after)
        .order_by(DeviceRow.id)
        .limit(limit)
    )
    return [DeviceNow(*row) for row in session.execute(query)]


def measured_things(session: Session, home_id: int) -> list[MeasuredThing]:
    """Every device that a home has or had, with what it measures."""
    rows = session.execute(
        select(
            DeviceRow.id,
            DeviceRow.name,
            DeviceRow.kind,
            ApplianceRow.kind,
            DeviceRow.room_id,
            ApplianceRow.id,
            ApplianceRow.name,
        )
        .outerjoin(ApplianceRow, ApplianceRow.id == DeviceRow.appliance_id)
        .where(DeviceRow.home_id == home_id)
        .order_by(DeviceRow.id)
    )
    return [MeasuredThing(*row) for row in rows]


def air_conditioner_of_room(session: Session, room_id: int) -> DeviceRow | None:
    """The unit of a room; the first, where it has several."""
    return session.scalar(
        select(DeviceRow)
        .where(
            DeviceRow.room_id == room_id, DeviceRow.kind == Kind.AIR_CONDITIONER.value, DeviceRow.removed_at.is_(None)
        )
        .order_by(DeviceRow.id)
        .limit(1)
    )


def air_conditioners_of_room(session: Session, room_id: int) -> Sequence[int]:
    """Ids of every unit of a room."""
    return session.scalars(
        select(DeviceRow.id).where(DeviceRow.room_id == room_id, DeviceRow.kind == Kind.AIR_CONDITIONER.value)
    ).all()


def appliance_kind(session: Session, device: DeviceRow) -> str | None:
    """What is behind a plug, where that is known."""
    appliance = None if device.appliance_id is None else session.get(ApplianceRow, device.appliance_id)
    return None if appliance is None else appliance.kind


def room_named(session: Session, home_id: int, name: str) -> RoomRow:
    """The room of that name, in whatever case, made where there is none.

    Raises
    ------
    Conflict
        The home has as many as it may have.
    """
    rooms = rooms_of_home(session, home_id)
    found = next((row for row in rooms if row.name.casefold() == name.casefold()), None)
    if found is not None:
        return found
    if len(rooms) >= MAX_ROOMS_PER_HOME:
        raise Conflict(f"the home has {len(rooms)} rooms, which is the most it may have", code="home_full")
    made = RoomRow(home_id=home_id, name=name)
    session.add(made)
    session.flush()
    return made


def appliance_named(session: Session, home_id: int, name: str, kind: Kind) -> ApplianceRow:
    """The appliance of that name, in whatever case, made where there is none; it is of that kind from now on.

    Raises
    ------
    Conflict
        The home has as many as it may have.
    """
    known = session.scalars(select(ApplianceRow).where(ApplianceRow.home_id == home_id).order_by(ApplianceRow.id)).all()
    found = next((row for row in known if row.name.casefold() == name.casefold()), None)
    if found is None:
        if len(known) >= MAX_APPLIANCES_PER_HOME:
            raise Conflict(f"the home has {len(known)} appliances, which is the most it may have", code="home_full")
        found = ApplianceRow(home_id=home_id, name=name)
        session.add(found)
    found.kind = kind.value
    session.flush()
    return found


def place_appliance(session: Session, appliance_id: int, room_id: int | None) -> None:
    """An appliance stands where its device is."""
    appliance = session.get(ApplianceRow, appliance_id)
    if appliance is not None:
        appliance.room_id = room_id


def newest_command(session: Session, device_id: int) -> CommandRow | None:
    """The newest command to a device."""
    return session.scalar(
        select(CommandRow)
        .where(CommandRow.device_id == device_id)
        .order_by(CommandRow.queued_at.desc(), CommandRow.id.desc())
        .limit(1)
    )


def commands_by_id(session: Session, ids: Sequence[int]) -> dict[int, CommandRow]:
    """Commands of these ids."""
    rows = session.scalars(select(CommandRow).where(CommandRow.id.in_(list(ids)))).all() if ids else []
    return {row.id: row for row in rows}
