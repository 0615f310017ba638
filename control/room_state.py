"""The room as control sees it, assembled from the database: what stands in it, and what is known of it now.

A quantity that is older than its limit is unknown. The limits are project time; because a message also takes wall time
to arrive, none is shorter than ``LEAST_WALL_S`` of wall time (which matters when the clock runs fast).
"""

import itertools
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from control.guard import Limits
from core.clock import Clock
from core.words import Capabilities, Fan, Kind, Mode
from storage.bulk import Row, query
from storage.repositories.kill_switches import KillSwitchRepository, in_force

FRESH_S: Mapping[str, float] = {
    "room_temperature_c": 65 * 60.0,  # a Zigbee thermometer speaks at least once an hour, whether it moved or not
    "humidity_pct": 3 * 3600.0,
    "outdoor_temperature_c": 2 * 3600.0,
    "solar_w_m2": 3600.0,
    "power_w": 15 * 60.0,
    "occupied": 30 * 60.0,
}
SETTING_FRESH_S = math.inf  # what a unit was set to holds until it says otherwise; ``online`` says whether it lives
LEAST_WALL_S = 20.0
PLAUSIBLE_C = (-5.0, 50.0)
GREATEST_DISAGREEMENT_K = 8.0  # of a room thermometer and the unit's own sensor
OUTDOOR_WORDS = ("outdoor", "outside", "balcony", "室外", "户外", "戶外", "阳台", "陽台")

Value = tuple[Any, datetime]


@dataclass(frozen=True, slots=True)
class Place:
    """A home, as far as control cares."""

    id: int
    name: str
    zone: ZoneInfo
    latitude: float | None
    longitude: float | None
    settings: Mapping[str, Any]
    carbon_kg_per_kwh: float | None = None  # as set for the home


@dataclass(frozen=True, slots=True)
class Thing:
    """A device that control knows of."""

    id: int
    dialect: str
    native_id: str
    kind: str
    name: str
    room_id: int | None
    appliance_id: int | None
    appliance_kind: str | None
    rated_power_w: float | None
    capabilities: Mapping[str, Any] | None


@dataclass(frozen=True)
class RoomLayout:
    """A room with an air conditioner, and the devices that tell of it."""

    id: int
    name: str
    control: str  # in force: auto, shadow, ab, off
    home: Place
    unit: Thing
    meters: tuple[Thing, ...]  # of the unit's electricity; the unit itself may be one
    thermometers: tuple[Thing, ...]
    signs: tuple[Thing, ...]  # what people in the room switch
    outdoor: tuple[Thing, ...]  # thermometers of the home that hang outdoors
    objective: str | None = None  # the room's own; None: as the home

    @cached_property
    def limits(self) -> Limits:
        """See ``limits_of``."""
        return _limits(self)


@dataclass(frozen=True, slots=True)
class Live:
    """The newest of what a device said."""

    online: bool | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RoomState:
    """What is known of a room at an instant; None is unknown or too old."""

    at: datetime
    online: bool
    heard: bool  # the unit has reported at least once
    on: bool | None
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan | None
    power_w: float | None
    room_temperature_c: float | None
    room_temperature_from: str | None  # thermometer, unit
    plausible: bool
    humidity_pct: float | None
    outdoor_temperature_c: float | None
    solar_w_m2: float | None
    occupied: bool | None  # by sensors alone
    active_signs: tuple[int, ...]  # devices of people that run now

    def as_json(self) -> dict[str, Any]:
        """What a decision keeps of it."""
        names = ("online", "on", "setpoint_c", "power_w", "room_temperature_c", "room_temperature_from", "plausible")
        more = ("humidity_pct", "outdoor_temperature_c", "solar_w_m2")
        values = {name: getattr(self, name) for name in (*names, *more)}
        return {**values, "mode": _text(self.mode), "fan": _text(self.fan)}


class _Thing(NamedTuple):
    home_id: int
    id: int
    dialect: str
    native_id: str
    kind: str
    name: str
    room_id: int | None
    appliance_id: int | None
    capabilities: str | None  # JSON
    appliance_kind: str | None
    rated_power_w: float | None
    appliance_room_id: int | None


class _Home(NamedTuple):
    id: int
    name: str
    time_zone: str
    latitude: float | None
    longitude: float | None
    settings: str  # JSON
    carbon_kg_per_kwh: float | None


class _Room(NamedTuple):
    id: int
    name: str
    home_id: int
    control: str
    objective: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What homes, rooms and devices there are, as the database has it; equal while nothing is changed."""

    homes: Sequence[Row]  # the columns of ``_Home``
    things: Sequence[Row]  # of ``_Thing``
    rooms: Sequence[Row]  # of ``_Room``
    held: Collection[int | None]  # homes with a kill switch; None among them: every home


HOMES = (
    "SELECT id, name, time_zone, latitude, longitude, CAST(settings AS TEXT), carbon_kg_per_kwh FROM home ORDER BY id"
)
THINGS = """
    SELECT device.home_id, device.id, device.dialect, device.native_id, device.kind, device.name, device.room_id,
        device.appliance_id, CAST(device.capabilities AS TEXT), appliance.kind, appliance.rated_power_w,
        appliance.room_id
    FROM device LEFT JOIN appliance ON device.appliance_id = appliance.id
    WHERE device.removed_at IS NULL ORDER BY device.id"""
ROOMS = "SELECT id, name, home_id, control, objective FROM room ORDER BY id"


def read_facts(session: Session) -> Facts:
    """What homes, rooms and devices there are; read often, and made sense of where something has changed."""
    connection = session.connection()
    homes, things, rooms = ([*map(tuple, query(connection, sql))] for sql in (HOMES, THINGS, ROOMS))
    return Facts(homes, things, rooms, KillSwitchRepository(session).held_homes())


def layouts_of(facts: Facts) -> list[RoomLayout]:
    """Every room that has an air conditioner; of several in one room, the one known longest."""
    homes = {row[0]: _place(_Home(*row)) for row in facts.homes}
    things: dict[int, list[Thing]] = {}
    for row in facts.things:
        things.setdefault(row[0], []).append(_thing(_Thing(*row)))
    layouts = []
    for room in itertools.starmap(_Room, facts.rooms):
        control = in_force(room.control, room.home_id, facts.held)
        layout = _layout(room, control, homes[room.home_id], things.get(room.home_id, []))
        if layout is not None:
            layouts.append(layout)
    return layouts


def device_ids(layout: RoomLayout) -> set[int]:
    """Every device that tells of a room."""
    groups = (layout.meters, layout.thermometers, layout.signs, layout.outdoor, (layout.unit,))
    return {thing.id for group in groups for thing in group}


def assemble(
    layout: RoomLayout, live: Mapping[int, Live], clock: Clock, now: datetime, standby_w: Mapping[int, float]
) -> RoomState:
    """The state of a room now.

    Parameters
    ----------
    standby_w : Mapping of device id to power
        What the things that people switch draw when nobody uses them. [W]
    """
    unit = live.get(layout.unit.id)
    look = _Look(live, clock, now)
    inside_c, source = look.first(layout.thermometers, "room_temperature_c"), "thermometer"
    own_c = look.of(layout.unit, "room_temperature_c")
    plausible = inside_c is None or own_c is None or abs(inside_c - own_c) <= GREATEST_DISAGREEMENT_K
    if inside_c is None:
        inside_c, source = own_c, "unit"
    plausible = plausible and (inside_c is None or PLAUSIBLE_C[0] <= inside_c <= PLAUSIBLE_C[1])
    own_power_w = look.first(layout.meters, "power_w")
    mode, fan = look.of(layout.unit, "mode"), look.of(layout.unit, "fan")
    occupied = [look.of(thing, "occupied") for thing in (*layout.thermometers, *layout.signs, layout.unit)]
    return RoomState(
        at=now,
        online=unit is not None and unit.online is not False,
        heard=unit is not None and any(name in unit.values for name in ("on", "mode", "setpoint_c")),
        on=look.of(layout.unit, "on"),
        mode=None if mode is None else Mode(mode),
        setpoint_c=look.of(layout.unit, "setpoint_c"),
        fan=None if fan is None else Fan(fan),
        power_w=own_power_w,
        room_temperature_c=inside_c,
        room_temperature_from=None if inside_c is None else source,
        plausible=plausible,
        humidity_pct=look.first((*layout.thermometers, layout.unit), "humidity_pct"),
        outdoor_temperature_c=look.outdoor_c(layout),
        solar_w_m2=look.first(layout.outdoor, "solar_w_m2"),
        occupied=_any_known(occupied),
        active_signs=tuple(
            thing.id
            for thing in layout.signs
            if (power_w := look.of(thing, "power_w")) is not None and in_use(power_w, standby_w.get(thing.id))
        ),
    )


def in_use(power_w: float, standby_w: float | None) -> bool:
    """Whether a thing that people switch is in use: well above its own standby, or, before that is known, 25 W."""
    return power_w > (25.0 if standby_w is None else max(15.0, 3.0 * standby_w))


def limits_of(layout: RoomLayout) -> Limits:
    """What the unit and the household allow.

    Household settings that count: ``limits: {low_c, high_c}`` and ``quiet_hours: {start, end}`` ("23:00"; null: none).
    """
    return layout.limits


def _limits(layout: RoomLayout) -> Limits:
    settings = layout.home.settings
    unit = capabilities_from(layout.unit.capabilities)
    household = settings.get("limits") or {}
    quiet = settings.get("quiet_hours", {"start": "23:00", "end": "07:00"})
    return Limits(
        unit_low_c=unit.setpoint_min_c,
        unit_high_c=unit.setpoint_max_c,
        step_k=unit.setpoint_step_k,
        modes=unit.modes or (Mode.COOL, Mode.HEAT),
        fans=unit.fans,
        household_low_c=float(household.get("low_c", unit.setpoint_min_c)),
        household_high_c=float(household.get("high_c", unit.setpoint_max_c)),
        dead_band_k=max(1.0, unit.setpoint_step_k),
        quiet=None if not quiet else (_minutes(quiet["start"]), _minutes(quiet["end"])),
    )


def capabilities_from(value: Mapping[str, Any] | None) -> Capabilities:
    """What a unit can be told, from what the database keeps of its announcement."""
    known = dict(value or {})
    modes = tuple(Mode(mode) for mode in known.pop("modes", ()) or ())
    fans = tuple(Fan(fan) for fan in known.pop("fans", ()) or ())
    names = ("setpoint_min_c", "setpoint_max_c", "setpoint_step_k", "one_way")
    return Capabilities(modes=modes, fans=fans, **{name: known[name] for name in names if name in known})


@dataclass(frozen=True, slots=True)
class _Look:
    """Reads quantities that are fresh enough."""

    live: Mapping[int, Live]
    clock: Clock
    now: datetime

    def of(self, thing: Thing, quantity: str) -> Any:
        pair = self.live[thing.id].values.get(quantity) if thing.id in self.live else None
        if pair is None or pair[0] is None:
            return None
        limit_s = FRESH_S.get(quantity, SETTING_FRESH_S)
        if math.isinf(limit_s):
            return pair[0]
        limit_s = max(limit_s, LEAST_WALL_S * self.clock.factor)
        return pair[0] if self.now - pair[1] <= timedelta(seconds=limit_s) else None

    def first(self, things: Iterable[Thing], quantity: str) -> Any:
        found = (self.of(thing, quantity) for thing in things)
        return next((value for value in found if value is not None), None)

    def outdoor_c(self, layout: RoomLayout) -> float | None:
        for quantity in ("outdoor_temperature_c", "room_temperature_c"):
            value = self.first(layout.outdoor, quantity)
            if value is not None:
                return float(value)
        value = self.of(layout.unit, "outdoor_temperature_c")
        return None if value is None else float(value)


def _place(row: _Home) -> Place:
    zone, settings = ZoneInfo(row.time_zone), json.loads(row.settings) or {}
    return Place(row.id, row.name, zone, row.latitude, row.longitude, settings, row.carbon_kg_per_kwh)


def _thing(row: _Thing) -> Thing:
    return Thing(
        id=row.id,
        dialect=row.dialect,
        native_id=row.native_id,
        kind=row.kind,
        name=row.name,
        room_id=row.appliance_room_id if row.room_id is None else row.room_id,
        appliance_id=row.appliance_id,
        appliance_kind=row.appliance_kind,
        rated_power_w=row.rated_power_w,
        capabilities=None if row.capabilities is None else json.loads(row.capabilities),
    )


def _layout(room: _Room, control: str, home: Place, things: list[Thing]) -> RoomLayout | None:
    units = [thing for thing in things if thing.room_id == room.id and thing.kind == Kind.AIR_CONDITIONER]
    if not units:
        return None
    unit = units[0]
    here = [thing for thing in things if thing.room_id == room.id and thing.id != unit.id]
    meters = [
        thing
        for thing in things
        if thing.id == unit.id or (thing.appliance_id is not None and thing.appliance_id == unit.appliance_id)
    ]
    meters.sort(key=lambda thing: thing.id == unit.id)  # a plug of its own is the better meter
    return RoomLayout(
        id=room.id,
        name=room.name,
        control=control,
        home=home,
        unit=unit,
        meters=tuple(meters),
        thermometers=tuple(thing for thing in here if thing.kind == Kind.THERMOMETER),
        signs=tuple(thing for thing in here if thing.kind == Kind.PLUG and thing.appliance_kind in (None, Kind.PLUG)),
        outdoor=tuple(thing for thing in things if _is_outdoors(thing)),
        objective=room.objective,
    )


def _is_outdoors(thing: Thing) -> bool:
    name = thing.name.lower()
    named = thing.kind == Kind.THERMOMETER and any(word in name for word in OUTDOOR_WORDS)
    return thing.room_id is None and (named or thing.kind == Kind.METER)


def _any_known(flags: Iterable[bool | None]) -> bool | None:
    known = [flag for flag in flags if flag is not None]
    return any(known) if known else None


def _minutes(clock_time: str) -> int:
    hour, minute = clock_time.split(":")
    return int(hour) * 60 + int(minute)


def _text(word: Mode | Fan | None) -> str | None:
    return None if word is None else str(word)
