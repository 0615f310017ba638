"""Recorded rooms on an even grid of time, read by the same maps as ``lingyun replay``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigurationError
from core.recording import Recording, RecordingMap, RoomSpec, read_map, zone_of
from devices.limits import LIMITS

Array = NDArray[np.float64]

DAY_S = 86_400
STEPS_S = (900, 1800, 3600)  # the least that is no shorter than the record's own
FITTED_RATIO = 0.7  # of the readings; the rest is scored
LEAST_DAYS = 7.0
KINDS = {  # of a room in the map: quantities that its column may hold
    "temperature": ("room_temperature_c",),
    "outdoor_temperature": ("outdoor_temperature_c",),
    "solar": ("solar_w_m2",),
    "heat": ("heat_w", "power_w"),
}


@dataclass(frozen=True)
class Source:
    """Where a set comes from."""

    name: str
    files: tuple[Path, ...]  # in the order of time
    map_file: Path
    room: str | None = None  # None: the map's first


@dataclass(frozen=True)
class Record:
    """One recorded room; arrays of shape (steps,), NaN where nothing was recorded. Values are means up to ``at_s``."""

    name: str
    zone: str
    step_s: int
    at_s: Array  # since 1970
    room_c: Array
    outdoor_c: Array
    solar_w_m2: Array | None
    heat_w: Array | None
    split: int  # the first step that is scored

    @property
    def steps(self) -> int:
        """Steps of the grid, gaps included."""
        return self.room_c.size

    @property
    def day(self) -> int:
        """Steps of a day."""
        return DAY_S // self.step_s


def known_sources(data: Path, maps: Path) -> list[Source]:
    """The sets of the project's data folder that have a recorded room, as far as they are there.

    ``nist_ashp`` is not among them: its rooms are simulated, and each of its tests lasts a day.
    """
    found = [
        Source(
            "sml2010",
            (data / "sml2010" / "house_1.csv.gz", data / "sml2010" / "house_2.csv.gz"),
            maps / "sml2010.toml",
            "Dining room",
        ),
        Source("uk_house_heating", (data / "uk_house_heating" / "house.csv",), maps / "uk_house_heating.toml"),
    ]
    return [source for source in found if all(file.exists() for file in source.files)]


def own_sources(file: Path, map_file: Path) -> list[Source]:
    """A set for each room of somebody's own map, under the file's name; further rooms with theirs behind it.

    Raises
    ------
    ConfigurationError
        The map cannot be read or names no room.
    """
    stem = file.name.removesuffix(".gz").removesuffix(".csv")
    rooms = _rooms(read_map(map_file), map_file)
    return [
        Source(stem if place == 0 else f"{stem}, {room.name}", (file,), map_file, room.name)
        for place, room in enumerate(rooms)
    ]


def read_record(source: Source) -> Record:
    """The room of a source.

    Raises
    ------
    ConfigurationError
        A file cannot be read, a column does not hold what the map says, or there is too little to score.
    """
    mapping = read_map(source.map_file)
    rooms = _rooms(mapping, source.map_file)
    room = next((room for room in rooms if source.room in (None, room.name)), None)
    if room is None:
        names = ", ".join(room.name for room in rooms)
        raise ConfigurationError(f"{source.map_file}: no room {source.room!r}; there are {names}")
    channels = _channels(mapping, room, source.map_file)
    readings: dict[str, list[tuple[float, float]]] = {kind: [] for kind in channels}
    for file in source.files:
        for instant, device, values in Recording.open(file, mapping, LIMITS):
            for kind, (place, quantity) in channels.items():
                if place == device and quantity in values:
                    readings[kind].append((instant.timestamp(), float(values[quantity])))
    where = ", ".join(file.name for file in source.files)
    for kind, rows in readings.items():
        if not rows:
            raise ConfigurationError(f"{where}: no reading of {kind} ({getattr(room, kind)}) can be used")
    return _on_grid(
        source.name, mapping.home.time_zone, {kind: np.array(rows) for kind, rows in readings.items()}, where
    )


def _rooms(mapping: RecordingMap, map_file: Path) -> Sequence[RoomSpec]:
    if not mapping.room:
        raise ConfigurationError(
            f"{map_file}: no [[room]]; the benchmark needs one with name, temperature and outdoor_temperature, and"
            " solar and heat where they are recorded, each the name of a column"
        )
    names = [room.name for room in mapping.room]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{map_file}: two [[room]] have the same name")
    return mapping.room


def _channels(mapping: RecordingMap, room: RoomSpec, map_file: Path) -> dict[str, tuple[int, str]]:
    """Place of the device and quantity by the kinds of ``KINDS`` that the room has."""
    found = {}
    for kind, allowed in KINDS.items():
        column = getattr(room, kind)
        if column is None:
            continue
        places = [
            (place, device.columns[column].quantity)
            for place, device in enumerate(mapping.device)
            if column in device.columns
        ]
        if not places:
            known = sorted({name for device in mapping.device for name in device.columns})
            raise ConfigurationError(
                f"{map_file}: room {room.name!r}: {kind} = {column!r} is not a column of any [[device]];"
                f" those are {', '.join(known)}"
            )
        place, quantity = places[0]
        if quantity not in allowed:
            raise ConfigurationError(
                f"{map_file}: room {room.name!r}: {kind} must be a column of {' or '.join(allowed)},"
                f" {column!r} is one of {quantity}"
            )
        found[kind] = (place, quantity)
    return found


def _on_grid(name: str, zone: str, readings: dict[str, Array], where: str) -> Record:
    times_s = np.unique(readings["temperature"][:, 0])
    usual_s = float(np.median(np.diff(times_s))) if times_s.size > 1 else np.inf
    step_s = next((step_s for step_s in STEPS_S if usual_s <= step_s), None)
    if step_s is None:
        raise ConfigurationError(f"{where}: expected readings at least every hour, got one every {usual_s:.0f} s")
    first = int(np.ceil(times_s[0] / step_s))
    steps = int(np.ceil(times_s[-1] / step_s)) - first + 1

    def means(rows: Array) -> Array:
        place = np.ceil(rows[:, 0] / step_s).astype(np.int64) - first
        inside = (place >= 0) & (place < steps)
        count = np.bincount(place[inside], minlength=steps)
        total = np.bincount(place[inside], weights=rows[inside, 1], minlength=steps)
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))

    values = {kind: means(rows) for kind, rows in readings.items()}
    known = np.flatnonzero(np.isfinite(values["temperature"]))
    days = known.size * step_s / DAY_S
    if days < LEAST_DAYS:
        raise ConfigurationError(f"{where}: expected readings of {LEAST_DAYS:.0f} days, got {days:.1f}")
    return Record(
        name=name,
        zone=zone,
        step_s=step_s,
        at_s=np.asarray((first + np.arange(steps)) * float(step_s)),
        room_c=values["temperature"],
        outdoor_c=values["outdoor_temperature"],
        solar_w_m2=values.get("solar"),
        heat_w=values.get("heat"),
        split=int(known[int(FITTED_RATIO * known.size)]),
    )


def local_hours(record: Record) -> tuple[Array, NDArray[np.int64]]:
    """Hour of the day 0..24 and days since 1970 by the home's clock, one value a step."""
    zone = zone_of(record.zone)
    offsets_s = np.empty(record.steps)
    for i, at_s in enumerate(record.at_s.tolist()):
        offset = datetime.fromtimestamp(at_s, tz=UTC).astimezone(zone).utcoffset()
        assert offset is not None
        offsets_s[i] = offset.total_seconds()
    local_s = record.at_s + offsets_s
    return np.asarray(local_s % DAY_S / 3600.0), np.floor(local_s / DAY_S).astype(np.int64)
