"""Read a recorded household: a CSV file and the map that says what its columns mean.

The map (TOML, see docs/replay.md) names the time column and the clock it was written by, for every column the device,
quantity and unit, and for every room the columns that describe it. `lingyun replay` sends the readings; the recorded
benchmark reads the rooms.
"""

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import msgspec

from core.errors import ConfigurationError
from core.units import from_epoch_us
from core.words import Fan, Kind, Mode

Value = float | bool | str

# --- quantities and units ---

POWER = {"W": (1.0, 0.0), "kW": (1e3, 0.0)}
ENERGY = {"kWh": (1.0, 0.0), "Wh": (1e-3, 0.0), "J": (1 / 3.6e6, 0.0), "MJ": (1 / 3.6, 0.0)}
TEMPERATURE = {"C": (1.0, 0.0), "F": (1 / 1.8, -32 / 1.8), "K": (1.0, -273.15)}

QUANTITIES: dict[str, dict[str, tuple[float, float]]] = {
    # quantity of devices.base.Report: {unit of the file: (factor, offset) to the unit in the quantity's name}
    "power_w": POWER,
    "energy_total_kwh": ENERGY,
    "voltage_v": {"V": (1.0, 0.0)},
    "current_a": {"A": (1.0, 0.0), "mA": (1e-3, 0.0)},
    "room_temperature_c": TEMPERATURE,
    "humidity_pct": {"%": (1.0, 0.0), "ratio": (100.0, 0.0)},
    "outdoor_temperature_c": TEMPERATURE,
    "solar_w_m2": {"W/m2": (1.0, 0.0), "kW/m2": (1e3, 0.0)},
    "wind_m_s": {"m/s": (1.0, 0.0), "km/h": (1 / 3.6, 0.0), "mph": (0.44704, 0.0)},
    "co2_ppm": {"ppm": (1.0, 0.0)},
    "illuminance_lx": {"lx": (1.0, 0.0), "klx": (1e3, 0.0)},
    "heat_w": POWER,
    "supply_temperature_c": TEMPERATURE,
    "setpoint_c": TEMPERATURE,
    # no unit: yes or no, or a word
    "occupied": {},
    "on": {},
    "mode": {},
    "fan": {},
}
WORDS: dict[str, dict[str, Value]] = {
    "occupied": {"1": True, "0": False, "true": True, "false": False, "on": True, "off": False},
    "on": {"1": True, "0": False, "true": True, "false": False, "on": True, "off": False},
    "mode": {mode.value: mode.value for mode in Mode},
    "fan": {fan.value: fan.value for fan in Fan},
}
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100  # of times that a clock can have been set to
BLANK = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})


# --- the map ---


class ColumnSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one column of the file measures. ``min`` and ``max`` are in the file's own unit."""

    quantity: str
    unit: str | None = None
    scale: float = 1.0  # a cell times this is in ``unit``
    min: float | None = None  # a cell outside is left out
    max: float | None = None


class DeviceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device of the household; ``{file}`` in ``id`` and ``name`` stands for the file's name without its ending."""

    id: str
    columns: dict[str, ColumnSpec]
    kind: Kind | dict[str, Kind] = Kind.METER  # or by pattern of the file's name, the first that fits
    name: str | None = None
    room: str | None = None


class RoomSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns describe a room, for the recorded benchmark."""

    name: str
    temperature: str
    outdoor_temperature: str
    solar: str | None = None
    heat: str | None = None


class TimeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time column. ``clock`` is the zone of times that name none: IANA, ``UTC`` or ``+HH:MM``."""

    column: str
    clock: str | None = None  # None: the home's zone
    format: str = "iso"  # iso, unix, unix_ms, or strptime's letters


class HomeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The household itself; its zone (IANA) decides where its days begin."""

    time_zone: str
    currency: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class RecordingMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the columns of a recorded household mean."""

    home: HomeSpec
    time: TimeSpec
    device: list[DeviceSpec]
    room: list[RoomSpec] = []
    title: str | None = None
    source: str | None = None


def read_map(path: Path) -> RecordingMap:
    """The map in a TOML file.

    Raises
    ------
    ConfigurationError
        It cannot be read, or it names a quantity, unit, kind or zone that does not exist; the message lists those
        that do.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=RecordingMap)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:  # a ValueError is tomllib's
        raise ConfigurationError(f"{path}: {error}") from error
    try:
        _check(found)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    return found


def _check(found: RecordingMap) -> None:
    zone_of(found.home.time_zone)
    zone_of(found.time.clock or found.home.time_zone)
    if not found.device:
        raise ValueError("expected at least one [[device]]")
    for device in found.device:
        if not re.fullmatch(r"(\{file\}|[\w.-])+", device.id):
            raise ValueError(f"device id {device.id!r}: expected letters, digits, '-', '_', '.' or {{file}}")
        if not device.columns:
            raise ValueError(f"device {device.id!r}: expected at least one column")
        for column, spec in device.columns.items():
            try:
                converter(spec)
            except ValueError as error:
                raise ValueError(f"device {device.id!r}, column {column!r}: {error}") from error
        quantities = [spec.quantity for spec in device.columns.values()]
        if len(set(quantities)) < len(quantities):
            raise ValueError(f"device {device.id!r}: two columns give the same quantity; make it two devices")
    ids = [device.id for device in found.device]
    if len(set(ids)) < len(ids):
        raise ValueError("two devices have the same id")


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name, ``UTC`` or ``+HH:MM``.

    Raises
    ------
    ValueError
        There is no such zone.
    """
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", name)
    if offset is not None:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(span if offset[1] == "+" else -span)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"zone {name!r}: expected an IANA name such as Europe/Madrid, UTC or +HH:MM") from error


Limits = Mapping[str, tuple[float, float]]  # {quantity: (lowest, highest)} in the project's unit


def converter(spec: ColumnSpec, limits: Limits | None = None) -> Callable[[str], Value | None]:
    """A function from a cell's text to the quantity in the project's unit.

    It gives None where the cell lies outside the map's range or the quantity outside ``limits``.

    Raises
    ------
    ValueError
        The quantity or unit does not exist. (The function itself raises it for a cell that cannot be read.)
    """
    units = QUANTITIES.get(spec.quantity)
    if units is None:
        raise ValueError(f"unknown quantity {spec.quantity!r}; known are {', '.join(QUANTITIES)}")
    words = WORDS.get(spec.quantity)
    if words is not None:
        return _word_converter(words)
    if spec.unit not in units:
        raise ValueError(f"{spec.quantity} in unit {spec.unit!r}; known are {', '.join(units)}")
    factor, offset = units[spec.unit]
    allowed = (limits or {}).get(spec.quantity, (-math.inf, math.inf))
    return _number_converter(spec, spec.scale * factor, offset, allowed)


def _word_converter(words: dict[str, Value]) -> Callable[[str], Value | None]:
    def convert(cell: str) -> Value:
        try:
            return words[cell.strip().lower()]
        except KeyError as error:
            raise ValueError(f"expected one of {', '.join(words)}, got {cell!r}") from error

    return convert


def _number_converter(
    spec: ColumnSpec, factor: float, offset: float, allowed: tuple[float, float]
) -> Callable[[str], Value | None]:
    low = -math.inf if spec.min is None else spec.min
    high = math.inf if spec.max is None else spec.max
    lowest, highest = allowed

    def convert(cell: str) -> float | None:
        number = float(cell)
        value = number * factor + offset
        if low <= number <= high and lowest <= value <= highest and math.isfinite(value):
            return value
        return None

    return convert


# --- times ---


class LocalClock:
    """Local times of a record, in the order of the file, as instants.

    In the hour that a clock shows twice (end of summer time) the second pass begins where the record steps back, or
    where a record with steps of that length repeats a time. A time that a clock skips has no instant.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._previous: datetime | None = None
        self._step = timedelta(0)
        self._second_pass = False
        self.ambiguous = 0  # times of the hour that the clock shows twice

    def instant(self, local: datetime) -> datetime | None:
        """The UTC instant of a naive local time; None where the clock never showed it."""
        first = local.replace(tzinfo=self._zone, fold=0)
        offset, later = first.utcoffset(), first.replace(fold=1).utcoffset()
        assert offset is not None
        assert later is not None
        if offset != later:
            if later > offset:
                return None  # summer time begins: the clock jumped over this time
            self.ambiguous += 1
            self._second_pass = self._second_pass or self._stepped_back(local, offset - later)
            if self._second_pass:
                offset = later
        else:
            self._second_pass = False
        if self._previous is not None and local > self._previous:
            self._step = local - self._previous
        self._previous = local
        return (local - offset).replace(tzinfo=UTC)

    def _stepped_back(self, local: datetime, overlap: timedelta) -> bool:
        previous = self._previous
        return previous is not None and (local < previous or (local == previous and self._step >= overlap))


def time_parser(spec: TimeSpec) -> Callable[[str], datetime]:
    """A function from a cell to a time, aware where the cell says its zone; it raises ValueError."""
    if spec.format == "iso":
        return datetime.fromisoformat
    if spec.format in ("unix", "unix_ms"):
        per_unit_us = 1_000_000 if spec.format == "unix" else 1_000
        return lambda cell: from_epoch_us(round(float(cell) * per_unit_us))
    return lambda cell: datetime.strptime(cell, spec.format)  # noqa: DTZ007 the caller knows the zone


# --- the recording ---


@dataclass(frozen=True, slots=True)
class RecordedDevice:
    """A device of one recording: the map's, with the file's name filled in."""

    id: str
    kind: Kind
    name: str
    room: str | None
    columns: tuple[tuple[int, str, Callable[[str], Value | None]], ...]  # place in the row, quantity, converter


@dataclass(slots=True)
class Counts:
    """What became of the rows and cells of a recording so far."""

    rows: int = 0
    readings: int = 0
    doubled: int = 0  # the device's time before said the same; the first is kept
    blank: int = 0
    out_of_range: int = 0
    unreadable: int = 0  # cells and times
    skipped_by_clock: int = 0  # local times that the clock never showed
    ambiguous: int = 0  # local times that the clock showed twice
    first_unreadable: str | None = None


@dataclass(slots=True)
class Recording:
    """A recorded household, read as a stream.

    Iterating gives (instant, place of the device in ``devices``, quantities) in the order of the file; ``counts``
    and ``bytes_read`` tell how far it came.
    """

    path: Path
    map: RecordingMap
    devices: tuple[RecordedDevice, ...]
    counts: Counts = field(default_factory=Counts)
    bytes_read: int = 0  # of the file as it lies on disk
    _header: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, mapping: RecordingMap, limits: Limits | None = None) -> "Recording":
        """The recording in a CSV file (.gz welcome), its header checked against the map.

        Quantities outside ``limits`` are left out, as are those outside the map's own ranges.

        Raises
        ------
        ConfigurationError
            The file cannot be read, or a column of the map is not in it.
        """
        with _opened(path) as (_, rows):
            header = next(rows, [])
        try:
            devices = tuple(_device(spec, path, header, limits) for spec in mapping.device)
            _place(mapping.time.column, header)
        except ValueError as error:
            raise ConfigurationError(f"{path}: {error}") from error
        return cls(path, mapping, devices, _header=header)

    def __iter__(self) -> Iterator[tuple[datetime, int, dict[str, Value]]]:
        """Readings in the order of the file.

        Raises
        ------
        ConfigurationError
            The file ends early or is damaged, or its first time cannot be read.
        """
        latest: list[datetime | None] = [None] * len(self.devices)
        with _opened(self.path) as (raw, rows):
            next(rows, None)
            for instant, row in self._timed(rows):
                if self.counts.rows % 256 == 0:
                    self.bytes_read = raw.tell()
                for place, device in enumerate(self.devices):
                    values = self._values(device, row)
                    if not values:
                        continue
                    if latest[place] == instant:
                        self.counts.doubled += 1
                        continue
                    latest[place] = instant
                    self.counts.readings += 1
                    yield instant, place, values
            self.bytes_read = self.path.stat().st_size

    def _timed(self, rows: Iterator[list[str]]) -> Iterator[tuple[datetime, list[str]]]:
        place = _place(self.map.time.column, self._header)
        parse = time_parser(self.map.time)
        clock = LocalClock(zone_of(self.map.time.clock or self.map.home.time_zone))
        counts = self.counts
        for row in rows:
            if not row:
                continue
            counts.rows += 1
            try:
                time = parse(row[place])
                if not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
                    raise ValueError(f"expected a year from {EARLIEST_YEAR} to {LATEST_YEAR}, got {time}")
            except (ValueError, IndexError, OverflowError) as error:
                if counts.rows == 1:
                    raise ConfigurationError(
                        f"{self.path}: the first time cannot be read ({error}); the map's time.format is "
                        f"{self.map.time.format!r}"
                    ) from error
                self._unreadable(f"row {counts.rows}: {error}")
                continue
            if time.tzinfo is not None:
                yield time.astimezone(UTC), row
                continue
            instant = clock.instant(time)
            counts.ambiguous = clock.ambiguous
            if instant is None:
                counts.skipped_by_clock += 1
            else:
                yield instant, row

    def _values(self, device: RecordedDevice, row: list[str]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for place, quantity, convert in device.columns:
            cell = row[place] if place < len(row) else ""
            try:
                value = convert(cell)
            except (ValueError, OverflowError) as error:
                if cell.strip().lower() in BLANK:
                    self.counts.blank += 1
                else:
                    self._unreadable(f"row {self.counts.rows}: {error}")
                continue
            if value is not None:
                values[quantity] = value
            elif cell.strip().lower() in BLANK:  # float() reads "nan"
                self.counts.blank += 1
            else:
                self.counts.out_of_range += 1
        return values

    def _unreadable(self, what: str) -> None:
        self.counts.unreadable += 1
        self.counts.first_unreadable = self.counts.first_unreadable or what


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], Iterator[list[str]]]]:
    """A CSV file, plain or gzip, as (the file on disk, rows); what is wrong with it becomes a ConfigurationError."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    with raw, gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw as content:
        text = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        try:
            yield raw, _rows(path, text)
        finally:
            text.detach()  # what it reads from is closed by `with`


def _rows(path: Path, text: io.TextIOWrapper) -> Iterator[list[str]]:
    try:
        yield from csv.reader(text)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: damaged or not a CSV file: {error}") from error


def _device(spec: DeviceSpec, path: Path, header: list[str], limits: Limits | None) -> RecordedDevice:
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    return RecordedDevice(
        id=re.sub(r"[^\w.-]", "-", spec.id.replace("{file}", stem)),
        kind=_kind(spec.kind, stem),
        name=(spec.name or spec.id).replace("{file}", stem),
        room=spec.room,
        columns=tuple(
            (_place(name, header), column.quantity, converter(column, limits)) for name, column in spec.columns.items()
        ),
    )


def _kind(kind: Kind | dict[str, Kind], stem: str) -> Kind:
    if isinstance(kind, Kind):
        return kind
    for pattern, found in kind.items():
        if fnmatchcase(stem, pattern):
            return found
    raise ValueError(f"no kind fits the file's name {stem!r}; the map has {', '.join(kind)}")


def _place(column: str, header: list[str]) -> int:
    try:
        return header.index(column)
    except ValueError:
        raise ValueError(f"no column {column!r}; the file has {', '.join(header) or 'none'}") from None
