"""One home as a whole: rooms, air conditioners, fridge, plugged appliances, people and weather, in steps of 60 s.

The plant is that of ``simulator.physics``, the one that training and benchmarks step; this file only wires it. Whatever
is random is drawn a day at a time from (seed, subject, date), so a household that is stopped, saved and started again
goes on as if nothing had happened. Units are wired to the first rooms: room i has unit i, and the rooms after the last
unit have none.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.words import Fan, Mode
from simulator import appliances, customs, residents
from simulator.catalogue.air_conditioners import unit as unit_model
from simulator.catalogue.fridges import fridges
from simulator.faults import (
    AIR_CONDITIONER_FAULTS,
    METER_FAULTS,
    REFRIGERATOR_FAULTS,
    Fault,
    aged,
    with_faults,
)
from simulator.instruments import EnergyMeter, Thermometer, read_meter, read_temperature
from simulator.jit import COMPILED, njit
from simulator.people import DAY_MIN, MINUTE_S, TRUST_S, Panel, Person, Presence, draw_people, presence_of_day
from simulator.physics import envelope, refrigerator, split_unit, zone
from simulator.physics.envelope import Box, Element, Layer, Leaks, Mass, NextDoor, Window
from simulator.physics.moist_air import PRESSURE_PA, relative_pct
from simulator.records import as_table, plain, readable, rows_of, table, to_json
from simulator.weather import SHANGHAI, Climate, GeneratedWeather
from simulator.weather.sky import Sky

Array = NDArray[np.float64]

STEP_S = MINUTE_S
LIVING, BED, KITCHEN = range(3)
OUTDOORS = 2  # of the thermometers, after that of the living room and that of the bedroom
UNITS, ROOMS = 2, 3

LIGHTS_W = 45.0
COOKING_W = 450.0  # that stays in the kitchen, the hood running
COOKING_KG_S = 1.1e-4  # of water, likewise: 0.4 kg an hour; assumed
ALWAYS_ON_W = 25.0  # chargers, aquarium, water dispenser
DOOR_KG_S = 0.0012  # of room air, during a minute in which the fridge is opened
UTC_OFFSET_S = 8 * 3600.0
FRIDGE = "bottom_freezer_280l"
BEDROOM_UNIT_YEARS = 6.0
THERMOMETER_LAG_S = (400.0, 900.0)  # battery thermometers in a small case; assumed
THERMOMETER_OFFSET_K = 0.3  # at most, as makers of such thermometers say; spread evenly, assumed
THERMOMETER_NOISE_K, THERMOMETER_STEP_K = 0.03, 0.01  # assumed; two decimals are what they send
METER_SCALE_ERROR = 0.01  # at most; plugs of class 1, spread evenly, assumed
FANS = (Fan.AUTO, Fan.LOW, Fan.MEDIUM, Fan.HIGH)
FAN_SPEEDS = {fan: speed for speed, fan in enumerate(FANS)}


@dataclass(slots=True)
class Load:
    """An appliance behind a plug, as the plug sees it."""

    powered: bool = True  # the relay
    power_w: float = 0.0
    energy_j: float = 0.0  # since the plug was new


@dataclass(slots=True)
class Loads:
    """Everything that is metered; the living room's unit meters itself. Meters are in this order."""

    living_ac: Load = field(default_factory=Load)
    bedroom_ac: Load = field(default_factory=Load)
    fridge: Load = field(default_factory=Load)
    tv: Load = field(default_factory=Load)
    router: Load = field(default_factory=Load)
    washer: Load = field(default_factory=Load)


LOADS = tuple(item.name for item in fields(Loads))


@dataclass(frozen=True, slots=True)
class _Day:
    """What is known of a local day before it begins; lists hold one value a minute (a list is read faster)."""

    start_s: int
    skies: Any  # 288 rows of ``Sky``
    outdoor_c: list[float]
    outdoor_humidity_pct: list[float]
    presence: list[list[int]]  # by person
    tv_w: list[float]
    tv_watched: list[float]
    router_w: list[float]
    washer_w: list[float]
    door_kg_s: list[float]
    room_gain_w: list[list[float]]  # by minute and room: people, lights, cooking and what is always on
    room_moisture_kg_s: list[list[float]]
    chance: list[list[float]]  # by room
    sensor_noise: Array  # shape (1440, 8), standard normal: for devices that measure
    meter_luck: list[list[float]]  # by minute and load, within 0..1


class _Models(NamedTuple):
    """What never changes."""

    rooms: Any
    units: Any
    fridges: Any


class _People(NamedTuple):
    """What those in a room like, and their habits with its unit."""

    persons: Any
    habits: Any


class _States(NamedTuple):
    """What does."""

    rooms: Any
    units: Any
    fridges: Any


@njit
def _plant_minute(
    rooms: Any,
    units: Any,
    fridges: Any,
    room_states: Any,
    unit_states: Any,
    fridge_states: Any,
    remotes: Any,
    sky: Any,
    gain_w: Any,
    moisture_kg_s: Any,
    door_kg_s: float,
    fridge_powered: bool,
    anew: bool,
) -> None:
    """One step of 60 s of the whole home, after ``prepare`` where ``anew``; the fridge stands in the last room."""
    for i in range(len(rooms)):
        room, state = rooms[i], room_states[i]
        if anew:
            zone.prepare(room, state, sky)
        heat_w, dried_kg_s = 0.0, 0.0
        if i < len(units):
            unit, running, remote = units[i], unit_states[i], remotes[i]
            if anew:
                split_unit.prepare(
                    unit, running, remote, sky.outdoor_c, sky.humidity_kg_kg, state.return_c, state.humidity_kg_kg
                )
            split_unit.step(unit, running, remote, state.return_c, state.humidity_kg_kg, 60.0)
            heat_w, dried_kg_s = running.heat_w, running.moisture_kg_s
        zone.step(
            room,
            state,
            0.6 * gain_w[i] + heat_w,
            0.4 * gain_w[i],
            moisture_kg_s[i] - dried_kg_s,
            heat_w,
        )
    kitchen = room_states[len(rooms) - 1]
    refrigerator.step(
        fridges[0], fridge_states[0], fridge_powered, kitchen.occupied_c, kitchen.humidity_kg_kg, door_kg_s, 60.0
    )


class Household:
    """The demo home's truth, which no controller sees.

    Parameters
    ----------
    seed : int
        Decides people, weather and chance.
    start : datetime
        First instant, aware; cut to a whole minute.
    time_zone : str
        IANA name; its days must have 24 h (people's minutes are counted from local midnight).
    faults : sequence of Fault, optional
        Of the units, the fridge and the meters of all ``LOADS``; they are not saved.

    Raises
    ------
    ValueError
        A fault that nothing here can have.
    """

    def __init__(
        self,
        seed: int,
        start: datetime,
        time_zone: str = "Asia/Shanghai",
        climate: Climate = SHANGHAI,
        faults: Sequence[Fault] = (),
    ) -> None:
        check_faults(faults)
        self.seed = seed
        self.zone = ZoneInfo(time_zone)
        self.weather = home_weather(seed, climate)
        self.people: tuple[Person, ...] = draw_people(seed)
        self.at_s = int(start.timestamp()) // STEP_S * STEP_S  # end of the last step
        self._day = self._draw_day(self._local_date())
        people, habits = _manners(seed)
        self._people = _People(
            rows_of(as_table(people), residents.Person),
            rows_of(as_table(habits), residents.Habit),
        )
        self._hands = rows_of(table(residents.Hand, UNITS), residents.Hand)
        self.panels = [Panel(setpoint_c=habit.cooling_setpoint_c) for habit in habits]
        self.loads = Loads()
        models, fridge_start = fridges([FRIDGE])
        [fridge] = plain(models, refrigerator.Refrigerator)
        fridge = with_faults(fridge, "fridge", REFRIGERATOR_FAULTS, faults)
        self._models = _Models(
            rows_of(as_table(_boxes(seed)), zone.Room),
            rows_of(as_table(_units(seed, faults)), split_unit.Unit),
            rows_of(as_table([fridge]), refrigerator.Refrigerator),
        )
        self._prepared_for: list[list[bool]] | None = None  # what the units were set to
        self._remotes = rows_of(table(split_unit.Panel, UNITS), split_unit.Panel)
        self._rows = _States(
            rows_of(table(zone.RoomState, ROOMS), zone.RoomState),
            rows_of(table(split_unit.UnitState, UNITS), split_unit.UnitState),
            rows_of(fridge_start, refrigerator.RefrigeratorState),
        )
        sky = readable(self._day.skies)[0]
        for room, state in zip(self._models.rooms, self._rows.rooms, strict=True):
            zone.start(room, state, sky.outdoor_c + 1.5, sky.humidity_kg_kg)
        self._meters = rows_of(as_table(_energy_meters(seed, faults)), EnergyMeter)
        self._thermometers = rows_of(as_table(_air_thermometers(seed, self._true_air_c())), Thermometer)

    @property
    def rooms(self) -> Any:
        """States of the rooms, ``rooms[LIVING].occupied_c``."""
        return readable(self._rows.rooms)

    @property
    def units(self) -> Any:
        """States of the air conditioners."""
        return readable(self._rows.units)

    @property
    def fridge(self) -> Any:
        """State of the refrigerator."""
        return readable(self._rows.fridges)[0]

    @property
    def now(self) -> datetime:
        """End of the last step, UTC."""
        return datetime.fromtimestamp(self.at_s, UTC)

    @property
    def outdoor_c(self) -> float:
        """Outdoor air now. [°C]"""
        return self._day.outdoor_c[self._minute()]

    @property
    def outdoor_humidity_pct(self) -> float:
        """Relative humidity outdoors now. [%]"""
        return self._day.outdoor_humidity_pct[self._minute()]

    def noise(self, channel: int) -> float:
        """A standard normal number of this minute, for a sensor; channels 0..7."""
        return float(self._day.sensor_noise[self._minute(), channel])

    def meter(self, load: str) -> Any:
        """What the meter of one of ``LOADS`` shows."""
        return readable(self._meters)[LOADS.index(load)]

    def shown_power_w(self, load: str) -> float:
        """Power that the meter of one of ``LOADS`` shows; without current nothing flows, whatever it showed. [W]"""
        powered: bool = getattr(self.loads, load).powered
        return float(self.meter(load).shown_power_w) if powered else 0.0

    def shown_c(self, thermometer: int) -> float:
        """What the thermometer in LIVING, in BED or OUTDOORS shows. [°C]"""
        return float(readable(self._thermometers)[thermometer].shown_c)

    def _true_air_c(self) -> tuple[float, float, float]:
        rooms = self.rooms
        return float(rooms[LIVING].occupied_c), float(rooms[BED].occupied_c), self.outdoor_c

    def room_humidity_pct(self, room_index: int) -> float:
        """Relative humidity of a room, 0..100. [%]"""
        room = self.rooms[room_index]
        return min(relative_pct(room.occupied_c, room.humidity_kg_kg, PRESSURE_PA), 100.0)

    def presence(self) -> list[Presence]:
        """Where each person is now."""
        minute = self._minute()
        return [Presence(states[minute]) for states in self._day.presence]

    def presence_in(self, room_index: int) -> Presence:
        """Who is in a room, seen as one: people awake at home are in the living room, asleep in the bedroom."""
        wanted = Presence.ASLEEP if room_index == BED else Presence.HOME
        return wanted if wanted in self.presence() else Presence.AWAY

    def step(self) -> None:
        """Advance everything by 60 s."""
        self.at_s += STEP_S
        if self.at_s >= self._day.start_s + DAY_MIN * MINUTE_S:
            self._day = self._draw_day(self._local_date())
        minute = self._minute()
        self._act(minute)
        self._step_plant(minute)
        self._meter(minute)

    def run_until(self, instant: datetime) -> None:
        """Step until ``instant``, in silence."""
        end_s = instant.timestamp()
        while self.at_s + STEP_S <= end_s:
            self.step()

    def jump(self, at_s: int) -> None:
        """Be at another time with everything as it is: for a home that nobody ran for long."""
        self.at_s = at_s // STEP_S * STEP_S
        self._day = self._draw_day(self._local_date())

    def _act(self, minute: int) -> None:
        """Let people use their remotes, and the button of a plug that somebody switched off under their eyes."""
        if minute % 5 == 0:
            season = residents.season_of(float(readable(self._day.skies)[minute // 5].daily_mean_c))
            for index, panel in enumerate(self.panels):
                self._use_remote(index, panel, season, self._day.chance[index][minute])
        if self._day.tv_watched[minute] and not self.loads.tv.powered:
            self.loads.tv.powered = True

    def _use_remote(self, index: int, panel: Panel, season: float, chance: float) -> None:
        self._set_remotes()
        remote = readable(self._remotes)[index]
        residents.react(
            self._people.persons[index],
            self._people.habits[index],
            self._hands[index],
            self._remotes[index],
            self._rows.rooms[index],
            int(self.presence_in(index)),
            season,
            float(self.at_s),
            chance,
            self.at_s - panel.automated_at_s >= TRUST_S,
        )
        mode = panel.mode if bool(remote.heating) == (panel.mode == Mode.HEAT) else _direction(remote)
        fan = panel.fan if remote.fan == FAN_SPEEDS[panel.fan] else FANS[int(remote.fan)]
        panel.press(on=bool(remote.on), mode=mode, setpoint_c=float(remote.setpoint_c), fan=fan)

    def _set_remotes(self) -> None:
        for remote, panel, room in zip(readable(self._remotes), self.panels, self.rooms, strict=False):
            remote.on, remote.setpoint_c, remote.fan = panel.on, panel.setpoint_c, FAN_SPEEDS[panel.fan]
            remote.heating = _heats(panel, float(room.return_c))
            remote.dry, remote.fan_only = panel.mode == Mode.DRY, panel.mode == Mode.FAN_ONLY

    def _step_plant(self, minute: int) -> None:
        """A minute of rooms, units and fridge."""
        day, loads = self._day, self.loads
        if not loads.bedroom_ac.powered:
            self.panels[BED].on = False  # no current, no memory: the unit stays off when the plug comes back
        self._set_remotes()
        settings = [[bool(remote.on), bool(remote.heating)] for remote in readable(self._remotes)]
        anew = minute % 5 == 0 or settings != self._prepared_for  # who presses in between need not wait
        gain_w = list(day.room_gain_w[minute])
        gain_w[LIVING] += loads.tv.power_w + loads.router.power_w
        gain_w[KITCHEN] += float(self.fridge.heat_w) + 0.3 * loads.washer.power_w  # most of it leaves with the water
        _plant_minute(
            *self._models,
            *self._rows,
            self._remotes,
            day.skies[minute // 5],
            np.array(gain_w) if COMPILED else gain_w,
            np.array(day.room_moisture_kg_s[minute]) if COMPILED else day.room_moisture_kg_s[minute],
            day.door_kg_s[minute],
            loads.fridge.powered,
            anew,
        )
        self._prepared_for = settings

    def _meter(self, minute: int) -> None:
        day, loads = self._day, self.loads
        living, bedroom = self.units
        loads.living_ac.power_w = float(living.power_w)
        loads.bedroom_ac.power_w = float(bedroom.power_w) if loads.bedroom_ac.powered else 0.0
        loads.tv.power_w = day.tv_w[minute] if loads.tv.powered else 0.0
        loads.router.power_w = day.router_w[minute] if loads.router.powered else 0.0
        loads.washer.power_w = day.washer_w[minute] if loads.washer.powered else 0.0
        loads.fridge.power_w = float(self.fridge.power_w)
        for load in (getattr(loads, name) for name in LOADS):
            load.energy_j += load.power_w * STEP_S
        self._read_instruments(minute)

    def _read_instruments(self, minute: int) -> None:
        """A minute of the meters and thermometers that devices speak of."""
        for index, name in enumerate(LOADS):
            power_w: float = getattr(self.loads, name).power_w
            read_meter(self._meters[index], power_w, self._day.meter_luck[minute][index], float(STEP_S))
        for index, true_c in enumerate(self._true_air_c()):
            read_temperature(self._thermometers[index], true_c, self.noise(index), float(STEP_S))

    def _minute(self) -> int:
        return (self.at_s - self._day.start_s) // MINUTE_S

    def _local_date(self) -> date:
        return datetime.fromtimestamp(self.at_s, self.zone).date()

    def _draw_day(self, day: date) -> _Day:
        start_s = int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())
        rng = np.random.default_rng([self.seed, 62, day.toordinal()])
        outdoor = self.weather.at(start_s + MINUTE_S * np.arange(DAY_MIN))
        skies = self.weather.sky_rows(start_s, DAY_MIN // 5)
        presence = np.stack(
            [presence_of_day(self.seed, index, person, day) for index, person in enumerate(self.people)]
        )
        home = (presence == Presence.HOME).sum(axis=0).astype(np.float64)
        asleep = (presence == Presence.ASLEEP).sum(axis=0).astype(np.float64)
        hour = np.arange(DAY_MIN) / 60.0
        watched = _watched(home, hour, rng)
        cooking = (home > 0) * (_around(hour, 11.8, 0.4) + _around(hour, 18.9, 0.5))
        lights = (home > 0) * (np.repeat(skies["global_w_m2"], 5) < 15.0)
        living_w = home * residents.SENSIBLE_AWAKE_W + LIGHTS_W * lights + ALWAYS_ON_W
        gain_w = np.stack([living_w, asleep * residents.SENSIBLE_ASLEEP_W, COOKING_W * cooking], axis=1)
        awake_kg_s, asleep_kg_s = residents.WATER_AWAKE_KG_S, residents.WATER_ASLEEP_KG_S
        moisture_kg_s = np.stack([awake_kg_s * home, asleep_kg_s * asleep, COOKING_KG_S * cooking], axis=1)
        doors = rng.random(DAY_MIN) < np.minimum(0.004 * home + 0.10 * cooking, 0.5)
        return _Day(
            start_s=start_s,
            skies=rows_of(skies, Sky),
            outdoor_c=outdoor.outdoor_c.tolist(),
            outdoor_humidity_pct=outdoor.humidity_pct.tolist(),
            presence=presence.tolist(),
            tv_w=appliances.television_w(DAY_MIN, watched, rng).tolist(),
            tv_watched=watched.tolist(),
            router_w=appliances.router_w(DAY_MIN, rng).tolist(),
            washer_w=_washing(day, home, rng).tolist(),
            door_kg_s=(DOOR_KG_S * doors).tolist(),
            room_gain_w=gain_w.tolist(),
            room_moisture_kg_s=moisture_kg_s.tolist(),
            chance=rng.random((UNITS, DAY_MIN)).tolist(),
            sensor_noise=rng.standard_normal((DAY_MIN, 8)),
            meter_luck=rng.random((DAY_MIN, len(LOADS))).tolist(),
        )

    def save(self) -> dict[str, Any]:
        """Everything that the next step depends on, as JSON can hold it; ``restore`` takes it back."""
        return {
            "seed": self.seed,
            "at_s": self.at_s,
            "rooms": to_json(self._rows.rooms),
            "units": to_json(self._rows.units),
            "fridges": to_json(self._rows.fridges),
            "panels": [{**asdict(panel), "automated_at_s": _finite(panel.automated_at_s)} for panel in self.panels],
            "hands": to_json(self._hands),
            "loads": asdict(self.loads),
            "meters": to_json(self._meters),
            "thermometers": to_json(self._thermometers),
            "prepared_for": self._prepared_for,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on where ``save`` was called.

        Raises
        ------
        ValueError
            The state is of another seed.
        """
        if saved["seed"] != self.seed:
            raise ValueError(f"expected the state of seed {self.seed}, got that of seed {saved['seed']}")
        self.at_s = int(saved["at_s"])
        self._day = self._draw_day(self._local_date())
        self._rows = _States(
            rows_of(as_table([zone.RoomState(**values) for values in saved["rooms"]]), zone.RoomState),
            rows_of(as_table([split_unit.UnitState(**values) for values in saved["units"]]), split_unit.UnitState),
            rows_of(
                as_table([refrigerator.RefrigeratorState(**values) for values in saved["fridges"]]),
                refrigerator.RefrigeratorState,
            ),
        )
        self._prepared_for = saved.get("prepared_for")
        self.panels = [_panel(values) for values in saved["panels"]]
        self._hands = rows_of(as_table([residents.Hand(**values) for values in saved["hands"]]), residents.Hand)
        self.loads = Loads(**{name: Load(**values) for name, values in saved["loads"].items()})
        for meter, values in zip(readable(self._meters), saved["meters"], strict=True):
            meter.total_kwh = values["total_kwh"]  # its faults are those of today
            meter.shown_total_kwh, meter.shown_power_w = values["shown_total_kwh"], values["shown_power_w"]
        self._thermometers = rows_of(as_table([Thermometer(**one) for one in saved["thermometers"]]), Thermometer)


def _direction(remote: split_unit.Panel) -> Mode:
    return Mode.HEAT if remote.heating else Mode.COOL


def _heats(panel: Panel, air_c: float) -> bool:
    return panel.mode == Mode.HEAT or (panel.mode == Mode.AUTO and air_c < panel.setpoint_c - 1.5)


def _watched(home: Array, hour: Array, rng: np.random.Generator) -> Array:
    """Minutes with the TV on: an evening, sometimes a noon, while somebody is awake at home."""
    start_h, length_h = 19.4 + 0.6 * rng.standard_normal(), max(2.3 + 0.8 * rng.standard_normal(), 0.5)
    watched = (hour >= start_h) & (hour < start_h + length_h)
    if rng.random() < 0.4:
        noon_h = 12.4 + 0.4 * rng.standard_normal()
        watched |= (hour >= noon_h) & (hour < noon_h + 0.9)
    return np.asarray((watched & (home > 0)).astype(np.float64))


def _washing(day: date, home: Array, rng: np.random.Generator) -> Array:
    """Power of the washing machine in each minute of a day: about four washes a week, started by somebody. [W]"""
    power_w = np.full(DAY_MIN, appliances.WASHER_STANDBY_W)
    minutes = np.flatnonzero(home[7 * 60 : 20 * 60]) + 7 * 60
    if rng.random() < (0.75 if day.weekday() >= 5 else 0.5) and minutes.size:
        start = int(minutes[int(rng.integers(minutes.size))])
        wash_w = appliances.wash_w(rng)[: DAY_MIN - start]
        power_w[start : start + wash_w.size] = wash_w
    return power_w


def _around(hour: Array, centre_h: float, width_h: float) -> Array:
    return np.asarray((np.abs(hour - centre_h) < width_h).astype(np.float64))


CONCRETE = Layer(0.20, 1.74, 2500.0, 920.0)
SLAB = Layer(0.06, 1.74, 2500.0, 920.0)  # half of a floor: the other half is the neighbours'
INSULATION = Layer(0.03, 0.042, 30.0, 1380.0)
PLASTER = Layer(0.02, 0.87, 1700.0, 1050.0)
BRICK = Layer(0.06, 0.58, 1400.0, 1050.0)  # half of an inner wall
OUTER_WALL = (INSULATION, CONCRETE, PLASTER)  # about 1.0 W/(m2 K), a building of about 2005
INNER_WALL = (BRICK, PLASTER)
FLOOR = (SLAB, PLASTER)
HEIGHT_M = 2.65


def _boxes(seed: int) -> list[zone.Room]:
    """Living room of 24 m2 and bedroom of 14 m2 to the south, kitchen of 8 m2 to the north, in a concrete building."""
    rng = np.random.default_rng([seed, 63])
    return [
        _box(24.0 * rng.uniform(0.95, 1.05), 9.5, 4.2, rng.uniform(0.5, 0.8), south=True),
        _box(14.0 * rng.uniform(0.95, 1.05), 8.0, 2.2, rng.uniform(0.4, 0.7), south=True),
        _box(8.0, 6.0, 1.2, 1.0, south=False),
    ]


def _box(floor_m2: float, wall_m2: float, glass_m2: float, leaks_ach: float, *, south: bool) -> zone.Room:
    """One room between neighbours above, below and beside."""
    north = -1.0 if south else 1.0
    return envelope.room(
        Box(
            floor_m2=floor_m2,
            volume_m3=floor_m2 * HEIGHT_M,
            elements=(
                Element(wall_m2, OUTER_WALL, facing=(1.0, 0.0, 0.0, 0.0, 0.0)),
                Element(2.0 * floor_m2, FLOOR, adjoining=1.0),
                Element(2.2 * floor_m2, INNER_WALL, adjoining=1.0),
            ),
            mass=Mass(1.2 * floor_m2, (Layer(0.02, 0.15, 600.0, 1600.0),)),
            windows=(Window(glass_m2, east=0.0, north=north, clear_ratio=0.7, overhang_m=0.5, overhang_gap_m=0.3),),
            front=(0.0, north),
            leaks=Leaks(constant_ach=leaks_ach, opening_m2=0.3 * glass_m2),
            next_door=NextDoor(),
        )
    )


def check_faults(faults: Sequence[Fault]) -> None:
    """Whether the home's things can have these faults.

    Raises
    ------
    ValueError
        One of them cannot.
    """
    kinds = {name: set(METER_FAULTS) for name in LOADS}
    kinds["living_ac"] |= set(AIR_CONDITIONER_FAULTS)
    kinds["bedroom_ac"] |= set(AIR_CONDITIONER_FAULTS)
    kinds["fridge"] |= set(REFRIGERATOR_FAULTS)
    for fault in faults:
        if fault.thing not in kinds:
            raise ValueError(f"{fault.thing!r} has no faults; expected one of {', '.join(kinds)}")
        if fault.name not in kinds[fault.thing]:
            raise ValueError(
                f"{fault.thing} has no fault {fault.name!r}; expected one of {', '.join(sorted(kinds[fault.thing]))}"
            )


def _energy_meters(seed: int, faults: Sequence[Fault]) -> list[EnergyMeter]:
    """New meters of all loads, each off by its own scale."""
    scales = np.random.default_rng([seed, 67]).uniform(-METER_SCALE_ERROR, METER_SCALE_ERROR, len(LOADS))
    meters = [EnergyMeter(float(scale), 0.0, 0.0, 0.0, 0.0, 0.0) for scale in scales]
    return [with_faults(meter, name, METER_FAULTS, faults) for name, meter in zip(LOADS, meters, strict=True)]


def _air_thermometers(seed: int, air_c: Sequence[float]) -> list[Thermometer]:
    """Thermometers in the living room, in the bedroom and outdoors that have long been there."""
    rng = np.random.default_rng([seed, 68])
    return [
        Thermometer(
            lag_s=float(rng.uniform(*THERMOMETER_LAG_S)),
            offset_k=float(rng.uniform(-THERMOMETER_OFFSET_K, THERMOMETER_OFFSET_K)),
            noise_k=THERMOMETER_NOISE_K,
            step_k=THERMOMETER_STEP_K,
            body_c=true_c,
            shown_c=true_c,
        )
        for true_c in air_c
    ]


def _units(seed: int, faults: Sequence[Fault]) -> list[split_unit.Unit]:
    """Inverter splits of 3.5 and 2.6 kW; the second is older."""
    rng = np.random.default_rng([seed, 64])
    living, bedroom = unit_model("grade_1"), aged(unit_model("grade_3", 2600.0), BEDROOM_UNIT_YEARS)
    living.sensor_offset_k, bedroom.sensor_offset_k = float(rng.uniform(0.8, 1.6)), float(rng.uniform(0.5, 1.2))
    return [
        with_faults(living, "living_ac", AIR_CONDITIONER_FAULTS, faults),
        with_faults(bedroom, "bedroom_ac", AIR_CONDITIONER_FAULTS, faults),
    ]


def _manners(seed: int) -> tuple[list[residents.Person], list[residents.Habit]]:
    """What a household of Shanghai likes, and how it uses its two units; the heat it brings is laid out by the day."""
    rng = np.random.default_rng([seed, 66])
    liked = customs.draw_person(rng, customs.SOUTHERN_CHINA)
    habits = []
    for floor_m2 in (24.0, 14.0):
        habit = customs.draw_habit(rng, customs.SOUTHERN_CHINA, residents.PART_TIME, liked, floor_m2, UTC_OFFSET_S)
        habit.persons = habit.appliances_w = habit.idle_w = habit.radiator_w = habit.guest_ratio = 0.0
        habits.append(habit)
    return [liked, liked], habits


def _finite(at_s: float) -> float | None:
    """A time as JSON can hold it; never is None."""
    return at_s if at_s > float("-inf") else None


def _or_never(at_s: float | None) -> float:
    return float("-inf") if at_s is None else at_s


def _panel(values: dict[str, Any]) -> Panel:
    return Panel(
        **{
            **values,
            "mode": Mode(values["mode"]),
            "fan": Fan(values["fan"]),
            "automated_at_s": _or_never(values["automated_at_s"]),
        }
    )


def home_weather(seed: int, climate: Climate = SHANGHAI) -> GeneratedWeather:
    """The weather of the household of a seed."""
    return GeneratedWeather(np.random.default_rng([seed, 61]), climate)


def settled(seed: int, at: datetime, days: float = 3.0, faults: Sequence[Fault] = ()) -> Household:
    """A household that has lived for some days until ``at``, so that walls and food have their temperatures."""
    household = Household(seed, at - timedelta(days=days), faults=faults)
    household.run_until(at)
    return household
