"""Devices as the intake knows them: found, made, described anew, and their newest state. Times are microseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Table

from storage.bulk import change, insert_rows, query, to_json
from storage.tables import DeviceStateRow

STATES = cast(Table, DeviceStateRow.__table__)
Values = dict[str, list[Any]]  # {quantity: [value, measured_at in microseconds]}


@dataclass(frozen=True, slots=True)
class StoredHome:
    """A household's identity and clock."""

    id: int
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device with what its home and appliance say about it."""

    id: int
    home: StoredHome
    dialect: str
    native_id: str
    kind: str
    name: str
    manufacturer: str | None
    model: str | None
    firmware: str | None
    room_id: int | None
    appliance_id: int | None
    capabilities: Mapping[str, Any] | None
    details: Mapping[str, Any]
    removed_at_us: int | None
    rated_power_w: float | None  # of its appliance


@dataclass(frozen=True, slots=True)
class StoredState:
    """Where a device stands."""

    online: bool | None
    last_report_at_us: int | None
    values: Values
    ledger: Mapping[str, Any]
    report_count: int


_DEVICES = """
SELECT device.id, device.home_id, home.name, home.time_zone, device.dialect, device.native_id, device.kind, device.name,
       device.manufacturer, device.model, device.firmware, device.room_id, device.appliance_id,
       CAST(device.capabilities AS TEXT), CAST(device.details AS TEXT), device.removed_at, appliance.rated_power_w
FROM device JOIN home ON home.id = device.home_id LEFT JOIN appliance ON appliance.id = device.appliance_id
"""


def _device(row: tuple[Any, ...]) -> StoredDevice:
    return StoredDevice(
        id=row[0],
        home=StoredHome(row[1], row[2], row[3]),
        dialect=row[4],
        native_id=row[5],
        kind=row[6],
        name=row[7],
        manufacturer=row[8],
        model=row[9],
        firmware=row[10],
        room_id=row[11],
        appliance_id=row[12],
        capabilities=None if row[13] is None else msgspec.json.decode(row[13]),
        details=msgspec.json.decode(row[14]),
        removed_at_us=row[15],
        rated_power_w=row[16],
    )


def all_devices(connection: Connection) -> list[StoredDevice]:
    """Every device, removed ones too."""
    return [_device(row) for row in query(connection, _DEVICES)]


def find_device(connection: Connection, home_id: int, dialect: str, native_id: str) -> StoredDevice | None:
    """The device of an identity."""
    where = "WHERE device.home_id = ? AND device.dialect = ? AND device.native_id = ?"
    found = query(connection, _DEVICES + where, (home_id, dialect, native_id))
    return _device(found[0]) if found else None


def all_states(connection: Connection) -> dict[int, StoredState]:
    """States of all devices that have one."""
    found = query(
        connection,
        'SELECT device_id, online, last_report_at, CAST("values" AS TEXT), CAST(ledger AS TEXT), report_count '
        "FROM device_state",
    )
    decode = msgspec.json.decode
    return {
        row[0]: StoredState(None if row[1] is None else bool(row[1]), row[2], decode(row[3]), decode(row[4]), row[5])
        for row in found
    }


def save_states(connection: Connection, states: Sequence[tuple[int, StoredState]]) -> None:
    """Keep where devices stand now."""
    rows = [
        (
            device_id,
            state.online,
            state.last_report_at_us,
            to_json(state.values),
            to_json(state.ledger),
            state.report_count,
        )
        for device_id, state in states
    ]
    changed = ", ".join(f'"{column.name}" = excluded."{column.name}"' for column in list(STATES.columns)[1:])
    insert_rows(connection, STATES, rows, f"(device_id) DO UPDATE SET {changed}")


def find_home(connection: Connection, name: str) -> StoredHome | None:
    """The home of a name."""
    found = query(connection, "SELECT id, name, time_zone FROM home WHERE name = ?", (name,))
    return StoredHome(*found[0]) if found else None


def count_devices(connection: Connection, home_id: int) -> int:
    """Devices of a home, removed ones too."""
    [(number,)] = query(connection, "SELECT count(*) FROM device WHERE home_id = ?", (home_id,))
    return int(number)


def insert_device(
    connection: Connection, home: StoredHome, dialect: str, native_id: str, kind: str, name: str, created_at_us: int
) -> StoredDevice:
    """A new device of a home; what describes it further comes by ``describe_device``."""
    change(
        connection,
        "INSERT INTO device (home_id, dialect, native_id, kind, name, details, created_at) "
        "VALUES (?, ?, ?, ?, ?, '{}', ?)",
        (home.id, dialect, native_id, kind, name, created_at_us),
    )
    made = find_device(connection, home.id, dialect, native_id)
    assert made is not None
    return made


def describe_device(connection: Connection, device: StoredDevice) -> None:
    """Write what a device is: all but its identity, its appliance, and a name and room that it already has.

    People may have given it these since it was read.
    """
    change(
        connection,
        "UPDATE device SET kind = ?, name = CASE WHEN name = native_id THEN ? ELSE name END, manufacturer = ?, "
        "model = ?, firmware = ?, room_id = COALESCE(room_id, ?), "
        "capabilities = ?, details = ?, removed_at = ? WHERE id = ?",
        (
            device.kind,
            device.name,
            device.manufacturer,
            device.model,
            device.firmware,
            device.room_id,
            None if device.capabilities is None else to_json(device.capabilities),
            to_json(device.details),
            device.removed_at_us,
            device.id,
        ),
    )


def rooms_of(connection: Connection, home_id: int) -> dict[str, int]:
    """Ids of a home's rooms by name."""
    return dict(tuple(row) for row in query(connection, "SELECT name, id FROM room WHERE home_id = ?", (home_id,)))


def insert_room(connection: Connection, home_id: int, name: str) -> int:
    """A new room; its id."""
    change(connection, "INSERT INTO room (home_id, name, control) VALUES (?, ?, 'auto')", (home_id, name))
    return rooms_of(connection, home_id)[name]
