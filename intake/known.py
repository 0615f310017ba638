"""The devices in memory: one writer serves a database, so what it wrote last need not be read again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from core.units import from_epoch_us
from core.words import Capabilities, Fan, Kind, Mode
from devices.base import Announcement, KnownDevice, Report
from insights.ledger import Ledger
from intake.words import Refused
from storage.bulk import to_json
from storage.repositories import devices as repository
from storage.repositories.devices import StoredDevice, StoredHome, StoredState, Values
from storage.repositories.reports import pruned_until

MAX_DEVICES_PER_HOME = 1000
MAX_ROOMS_PER_HOME = 200
BELIEVED_POWER_W = {  # the largest power that is believed of a kind
    Kind.AIR_CONDITIONER: 6000.0,
    Kind.REFRIGERATOR: 4000.0,  # 16 A at 230 V, rounded up
    Kind.PLUG: 4000.0,
    Kind.THERMOMETER: 4000.0,
    Kind.METER: 50_000.0,  # a home: 3 x 63 A at 230 V, rounded up
}


@dataclass(slots=True)
class Entry:
    """A device with where it stands."""

    device: StoredDevice
    ledger: Ledger
    online: bool | None = None
    last_us: int | None = None  # newest measured_at
    values: Values = field(default_factory=dict)
    report_count: int = 0
    pruned_us: int | None = None  # its reports up to then are booked and no longer kept

    @property
    def id(self) -> int:
        """The device's id."""
        return self.device.id

    def state(self) -> StoredState:
        """As it is stored."""
        return StoredState(self.online, self.last_us, self.values, self.ledger.state(), self.report_count)


class Known:
    """All devices by identity and by id; forget it whole when a transaction has failed."""

    def __init__(self, default_home: str) -> None:
        self._default_home = default_home
        self._by_identity: dict[tuple[str, str, str], Entry] = {}
        self._by_id: dict[int, Entry] = {}
        self._homes: dict[str, StoredHome] = {}
        self._pruned: dict[int, int] = {}

    def load(self, connection: Connection) -> None:
        """Read every device and state, in place of what was known."""
        self._by_identity, self._by_id, self._homes = {}, {}, {}
        self._pruned = pruned_until(connection)
        states = repository.all_states(connection)
        for device in repository.all_devices(connection):
            self._keep(device, states.get(device.id))

    def refresh(self, connection: Connection) -> None:
        """Take up what people changed: rooms, appliances, rated powers, zones, devices that are gone."""
        found = {device.id: device for device in repository.all_devices(connection)}
        for entry in list(self._by_id.values()):
            device = found.get(entry.id)
            if device is None:
                del self._by_id[entry.id]
            else:
                self._take(entry, device)
        self._by_identity = {_identity(entry.device): entry for entry in self._by_id.values()}
        self._homes = {}

    def take_pruned(self, connection: Connection) -> None:
        """Take up how far reports have been dropped, in the transaction that dropped them."""
        self._pruned = pruned_until(connection)
        for entry in self._by_id.values():
            entry.pruned_us = self._pruned.get(entry.id)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_id.values())

    def metering(self, entry: Entry) -> list[Entry]:
        """Other devices of the same appliance that report power."""
        appliance_id = entry.device.appliance_id
        if appliance_id is None:
            return []
        return [
            other
            for other in self._by_id.values()
            if other.device.appliance_id == appliance_id and other is not entry and "power_w" in other.values
        ]

    def by_id(self, device_id: int) -> Entry | None:
        """The device of an id."""
        return self._by_id.get(device_id)

    def find(self, dialect: str, native_id: str, home: str | None) -> Entry | None:
        """The device of an identity, if it is in memory."""
        return self._by_identity.get((home or self._default_home, dialect, native_id))

    def reported(self, connection: Connection, dialect: str, report: Report, at_us: int) -> Entry:
        """The device of a report; one that nobody has heard of is made.

        Raises
        ------
        Refused
            Its home does not exist or is full.
        """
        entry = self.find(dialect, report.native_id, report.home)
        return entry or self._find_or_make(
            connection, dialect, report.native_id, report.home, lambda: (kind_of(report), report.native_id), at_us
        )

    def announced(
        self, connection: Connection, dialect: str, told: Announcement, at_us: int, retained: bool
    ) -> Entry | None:
        """The device of an announcement, made or described anew; None where it removes what nobody knew.

        A name is taken over where the device had none: people rename devices. Only a fresh announcement brings a
        removed device back; a retained one may be older than the removal.

        Raises
        ------
        Refused
            Its home does not exist or is full.
        """
        if told.removed and not self._exists(connection, dialect, told):
            return None
        name = told.name or told.native_id
        entry = self.find(dialect, told.native_id, told.home) or self._find_or_make(
            connection, dialect, told.native_id, told.home, lambda: (told.kind, name), at_us
        )
        device = entry.device
        removed_at_us = device.removed_at_us
        if told.removed:
            removed_at_us = removed_at_us or at_us
        elif not retained:
            removed_at_us = None
        described = replace(
            device,
            kind=str(told.kind),
            name=name if device.name == device.native_id else device.name,
            manufacturer=told.manufacturer or device.manufacturer,
            model=told.model or device.model,
            firmware=told.firmware or device.firmware,
            room_id=device.room_id or self._room(connection, device.home, told.area),
            capabilities=device.capabilities if told.capabilities is None else _plain(asdict(told.capabilities)),
            details=device.details if told.removed else _plain(told.details),
            removed_at_us=removed_at_us,
        )
        if described != device:
            repository.describe_device(connection, described)
            self._take(entry, described)
        return entry

    def _exists(self, connection: Connection, dialect: str, told: Announcement) -> bool:
        if self.find(dialect, told.native_id, told.home) is not None:
            return True
        home = self._home(connection, told.home or self._default_home)
        return repository.find_device(connection, home.id, dialect, told.native_id) is not None

    def _find_or_make(
        self,
        connection: Connection,
        dialect: str,
        native_id: str,
        home_name: str | None,
        describe: Callable[[], tuple[Kind, str]],
        at_us: int,
    ) -> Entry:
        home = self._home(connection, home_name or self._default_home)
        device = repository.find_device(connection, home.id, dialect, native_id)
        if device is None:
            if repository.count_devices(connection, home.id) >= MAX_DEVICES_PER_HOME:
                raise Refused(f"home {home.name!r} has {MAX_DEVICES_PER_HOME} devices, which is the most it may have")
            kind, name = describe()
            device = repository.insert_device(connection, home, dialect, native_id, str(kind), name, at_us)
        return self._keep(device, None)

    def _home(self, connection: Connection, name: str) -> StoredHome:
        home = self._homes.get(name) or repository.find_home(connection, name)
        if home is None:
            raise Refused(f"there is no home {name!r}")
        self._homes[name] = home
        return home

    def _room(self, connection: Connection, home: StoredHome, area: str | None) -> int | None:
        if not area:
            return None
        rooms = repository.rooms_of(connection, home.id)
        for name, room_id in rooms.items():
            if name.casefold() == area.casefold():
                return room_id
        return repository.insert_room(connection, home.id, area) if len(rooms) < MAX_ROOMS_PER_HOME else None

    def _keep(self, device: StoredDevice, state: StoredState | None) -> Entry:
        power_w = believed_power_w(device)
        if state is None:
            entry = Entry(device, Ledger(power_w))
        else:
            ledger = Ledger.of(dict(state.ledger), power_w)
            entry = Entry(device, ledger, state.online, state.last_report_at_us, dict(state.values), state.report_count)
        entry.pruned_us = self._pruned.get(device.id)
        self._by_id[device.id] = entry
        self._by_identity[_identity(device)] = entry
        return entry

    @staticmethod
    def _take(entry: Entry, device: StoredDevice) -> None:
        entry.device = device
        entry.ledger.rated_power_w = believed_power_w(device)


def _identity(device: StoredDevice) -> tuple[str, str, str]:
    return device.home.name, device.dialect, device.native_id


def believed_power_w(device: StoredDevice) -> float:
    """The largest power that is believed of a device: what its kind may draw, or its appliance's rating if more.

    A small rating bounds nothing: what is rated 130 W may start with 1 kW and defrost with 200 W.
    """
    return max(device.rated_power_w or 0.0, BELIEVED_POWER_W[Kind(device.kind)])


def kind_of(report: Report) -> Kind:
    """What a device that never announced itself is, by what it says first; an announcement may correct it."""
    if report.setpoint_c is not None or report.mode is not None:
        return Kind.AIR_CONDITIONER
    if report.on is not None:
        return Kind.PLUG
    if report.power_w is not None or report.energy_total_kwh is not None:
        return Kind.METER
    return Kind.THERMOMETER


def as_known_device(entry: Entry) -> KnownDevice:
    """What a dialect needs to take up again after a restart."""
    device = entry.device
    newest = {name: pair[0] for name, pair in entry.values.items()}
    mode, fan = newest.get("mode"), newest.get("fan")
    return KnownDevice(
        native_id=device.native_id,
        kind=Kind(device.kind),
        home=device.home.name,
        details=dict(device.details),
        capabilities=_capabilities(device.capabilities),
        on=newest.get("on"),
        mode=None if mode is None else Mode(mode),
        setpoint_c=newest.get("setpoint_c"),
        fan=None if fan is None else Fan(fan),
    )


def _plain(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """As it comes back from the database, so that what did not change compares equal."""
    plain: Mapping[str, Any] = msgspec.json.decode(to_json(value))
    return plain


def _capabilities(stored: Any) -> Capabilities | None:
    if stored is None:
        return None
    modes = tuple(Mode(name) for name in stored.get("modes", ()))
    fans = tuple(Fan(name) for name in stored.get("fans", ()))
    return Capabilities(**{**stored, "modes": modes, "fans": fans})


@lru_cache(maxsize=100_000)
def local_day(time_zone: str, quarter_us: int) -> str:
    """The day YYYY-MM-DD that a quarter of an hour belongs to in a zone."""
    return from_epoch_us(quarter_us).astimezone(ZoneInfo(time_zone)).date().isoformat()
