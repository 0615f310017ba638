"""One home as a whole: rooms, air conditioners, fridge, plugged appliances, people and weather, in steps of 60 s.

The plant is that of ``simulator.physics``; this file only wires it. Whatever is random is drawn a day at a time from
(seed, subject, date), so a household that is stopped, saved and started again goes on as if nothing had happened.
Units are wired to the first rooms: room i has unit i, and the rooms after the last unit have none.
"""

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from core.words import Fan, Mode
from simulator import appliances
from simulator.people import (
    DAY_MIN,
    MINUTE_S,
    Company,
    Habit,
    Hand,
    Panel,
    Person,
    Presence,
    draw_people,
    handle,
    presence_of_day,
    season_shift_k,
)
from simulator.physics import air_conditioner, fridge, room
from simulator.physics.room import Array
from simulator.weather import SHANGHAI, Climate, Weather

STEP_S = MINUTE_S
LIVING, BED, KITCHEN = range(3)
UNITS = 2

PERSON_AWAKE_W = 75.0  # sensible heat
PERSON_ASLEEP_W = 55.0
PERSON_MOISTURE_KG_S = 1.4e-5  # about 50 g an hour
LIGHTS_W = 45.0
COOKING_W = 450.0  # that stays in the kitchen, the hood running
ALWAYS_ON_W = 25.0  # chargers, aquarium, water dispenser
DOOR_W = 170.0  # during a minute in which the fridge is opened


@dataclass(slots=True)
class Load:
    """An appliance behind a plug, as the plug sees it."""

    powered: bool = True  # the relay
    power_w: float = 0.0
    energy_j: float = 0.0  # since the plug was new


@dataclass(slots=True)
class Loads:
    """Everything that is metered; the living room's unit meters itself."""

    living_ac: Load = field(default_factory=Load)
    bedroom_ac: Load = field(default_factory=Load)
    fridge: Load = field(default_factory=Load)
    tv: Load = field(default_factory=Load)
    router: Load = field(default_factory=Load)
    washer: Load = field(default_factory=Load)


@dataclass(frozen=True, slots=True)
class _Day:
    """What is known of a local day before it begins; lists hold one value a minute (a list is read faster)."""

    start_s: int
    outdoor_c: list[float]
    outdoor_humidity_pct: list[float]
    outdoor_humidity_kg_kg: list[float]
    solar_w_m2: list[float]
    season_shift_k: float
    presence: list[list[int]]  # by person
    tv_w: list[float]
    tv_watched: list[float]
    router_w: list[float]
    washer_w: list[float]
    door_w: list[float]
    room_gain_w: Array  # shape (1440, rooms): people, lights, cooking and what is always on
    room_moisture_kg_s: Array  # shape (1440, rooms)
    chance: list[list[float]]  # by room
    sensor_noise: Array  # shape (1440, 8), standard normal: for devices that measure


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
    """

    def __init__(
        self, seed: int, start: datetime, time_zone: str = "Asia/Shanghai", climate: Climate = SHANGHAI
    ) -> None:
        self.seed = seed
        self.zone = ZoneInfo(time_zone)
        self.weather = home_weather(seed, climate)
        self.people: tuple[Person, ...] = draw_people(seed)
        self.room_params = _room_parameters(seed)
        self.unit_params = _unit_parameters(seed)
        self.fridge_params = _fridge_parameters(seed)
        self.habits = _habits(seed)
        self.at_s = int(start.timestamp()) // STEP_S * STEP_S  # end of the last step
        self._day = self._draw_day(self._local_date())
        self._humidity_at_s: int | None = None  # the time that the humidity below belongs to
        self._humidity_pct: Array
        self.panels = [Panel(setpoint_c=habit.setpoint_c) for habit in self.habits]
        self.hands = [Hand() for _ in self.habits]
        self.loads = Loads()
        air_c = self._day.outdoor_c[0] + 1.5
        self.rooms = room.RoomState(
            np.full(3, air_c), np.full(3, air_c), np.full(3, self._day.outdoor_humidity_kg_kg[0])
        )
        rested_s = np.full(UNITS, 3600.0)
        self.units = air_conditioner.UnitState(np.zeros(UNITS, dtype=np.bool_), rested_s, np.zeros(UNITS))
        self.fridge = fridge.FridgeState(np.array([4.5]), np.array([4.2]), np.array([False]))

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

    def room_humidity_pct(self) -> Array:
        """Relative humidity of the rooms, shape (rooms,). [%]"""
        if self._humidity_at_s != self.at_s:
            self._humidity_pct = room.relative_humidity_pct(self.rooms.air_c, self.rooms.humidity_kg_kg)
            self._humidity_at_s = self.at_s
        return self._humidity_pct

    def presence(self) -> list[Presence]:
        """Where each person is now."""
        minute = self._minute()
        return [Presence(states[minute]) for states in self._day.presence]

    def company(self, room_index: int) -> Company | None:
        """Those in a room now, seen as one: people awake at home are in the living room, asleep in the bedroom."""
        wanted = Presence.ASLEEP if room_index == BED else Presence.HOME
        here = [person for person, state in zip(self.people, self.presence(), strict=True) if state == wanted]
        if not here:
            return None
        asleep = room_index == BED
        shift_k = self._day.season_shift_k
        neutrals = [person.neutral_c + shift_k + (person.asleep_shift_k if asleep else 0.0) for person in here]
        return Company(
            neutral_c=sum(neutrals) / len(here),
            half_width_k=min(person.half_width_k for person in here),
            patience_s=min(person.patience_s for person in here),
            asleep=asleep,
        )

    def step(self) -> None:
        """Advance everything by 60 s."""
        self.at_s += STEP_S
        if self.at_s >= self._day.start_s + DAY_MIN * MINUTE_S:
            self._day = self._draw_day(self._local_date())
        minute = self._minute()
        self._act(minute)
        output = self._step_units(minute)
        self._meter(minute, output.power_w)
        self._step_rooms(minute, output)

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
        for index, (hand, habit, panel) in enumerate(zip(self.hands, self.habits, self.panels, strict=True)):
            handle(
                hand,
                habit,
                panel,
                self.company(index),
                air_c=float(self.rooms.air_c[index]),
                at_s=self.at_s,
                chance=self._day.chance[index][minute],
            )
        if self._day.tv_watched[minute] and not self.loads.tv.powered:
            self.loads.tv.powered = True

    def _step_units(self, minute: int) -> air_conditioner.UnitOutput:
        bedroom, living = self.panels[BED], self.panels[LIVING]
        if not self.loads.bedroom_ac.powered:
            bedroom.on = False  # no current, no memory: the unit stays off when the plug comes back
        on = np.array([_conditions(living), _conditions(bedroom)])
        if not (on.any() or self.units.running.any()):
            # Exactly what the plant's step gives for units at rest, at a third of its time.
            self.units = air_conditioner.UnitState(self.units.running, self.units.in_state_s + STEP_S, self.units.load)
            nothing = np.zeros(UNITS)
            output = air_conditioner.UnitOutput(nothing, self.unit_params.standby_w, nothing)
        else:
            air_c = self.rooms.air_c[:UNITS]
            self.units, output = air_conditioner.step(
                self.units,
                self.unit_params,
                on=on,
                heating=np.array([_heats(living, air_c[LIVING]), _heats(bedroom, air_c[BED])]),
                setpoint_c=np.array([living.setpoint_c, bedroom.setpoint_c]),
                indoor_c=air_c,
                indoor_humidity_kg_kg=self.rooms.humidity_kg_kg[:UNITS],
                outdoor_c=np.full(UNITS, self._day.outdoor_c[minute]),
                dt_s=float(STEP_S),
            )
        fan_only = [panel.on and panel.mode == Mode.FAN_ONLY for panel in self.panels]
        if any(fan_only):
            output = air_conditioner.UnitOutput(
                output.heat_w, output.power_w + np.where(fan_only, self.unit_params.fan_w, 0.0), output.moisture_kg_s
            )
        return output

    def _meter(self, minute: int, unit_power_w: Array) -> None:
        day, loads = self._day, self.loads
        loads.living_ac.power_w = float(unit_power_w[LIVING])
        loads.bedroom_ac.power_w = float(unit_power_w[BED]) if loads.bedroom_ac.powered else 0.0
        loads.tv.power_w = day.tv_w[minute] if loads.tv.powered else 0.0
        loads.router.power_w = day.router_w[minute] if loads.router.powered else 0.0
        loads.washer.power_w = day.washer_w[minute] if loads.washer.powered else 0.0
        self.fridge, cooling = fridge.step(
            self.fridge,
            self.fridge_params,
            powered=np.array([loads.fridge.powered]),
            room_c=self.rooms.air_c[KITCHEN:],
            door_w=np.array([day.door_w[minute]]),
            dt_s=float(STEP_S),
        )
        loads.fridge.power_w = float(cooling.power_w[0])
        self._fridge_heat_w = float(cooling.heat_w[0])
        for load in (loads.living_ac, loads.bedroom_ac, loads.fridge, loads.tv, loads.router, loads.washer):
            load.energy_j += load.power_w * STEP_S

    def _step_rooms(self, minute: int, output: air_conditioner.UnitOutput) -> None:
        day, loads = self._day, self.loads
        heat_w = day.room_gain_w[minute].copy()
        heat_w[:UNITS] += output.heat_w
        heat_w[LIVING] += loads.tv.power_w + loads.router.power_w
        heat_w[KITCHEN] += self._fridge_heat_w + 0.3 * loads.washer.power_w  # most of it leaves with the water
        moisture_kg_s = day.room_moisture_kg_s[minute].copy()
        moisture_kg_s[:UNITS] -= output.moisture_kg_s
        outdoor = np.full(3, day.outdoor_c[minute])
        self.rooms = room.step(
            self.rooms,
            self.room_params,
            outdoor_c=outdoor,
            outdoor_humidity_kg_kg=np.full(3, day.outdoor_humidity_kg_kg[minute]),
            solar_w_m2=np.full(3, day.solar_w_m2[minute]),
            heat_w=heat_w,
            moisture_kg_s=moisture_kg_s,
            dt_s=float(STEP_S),
        )

    def _minute(self) -> int:
        return (self.at_s - self._day.start_s) // MINUTE_S

    def _local_date(self) -> date:
        return datetime.fromtimestamp(self.at_s, self.zone).date()

    def _draw_day(self, day: date) -> _Day:
        start_s = int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())
        rng = np.random.default_rng([self.seed, 62, day.toordinal()])
        outdoor = self.weather.at(start_s + MINUTE_S * np.arange(DAY_MIN))
        presence = np.stack(
            [presence_of_day(self.seed, index, person, day) for index, person in enumerate(self.people)]
        )
        home = (presence == Presence.HOME).sum(axis=0).astype(np.float64)
        asleep = (presence == Presence.ASLEEP).sum(axis=0).astype(np.float64)
        hour = np.arange(DAY_MIN) / 60.0
        watched = _watched(home, hour, rng)
        cooking = (home > 0) * (_around(hour, 11.8, 0.4) + _around(hour, 18.9, 0.5))
        lights = (home > 0) * (outdoor.solar_w_m2 < 15.0)
        living_w = home * PERSON_AWAKE_W + LIGHTS_W * lights + ALWAYS_ON_W
        gain_w = np.stack([living_w, asleep * PERSON_ASLEEP_W, COOKING_W * cooking], axis=1)
        moisture = np.stack([home, 0.7 * asleep, 8.0 * cooking], axis=1) * PERSON_MOISTURE_KG_S
        doors = rng.random(DAY_MIN) < np.minimum(0.004 * home + 0.10 * cooking, 0.5)
        return _Day(
            start_s=start_s,
            outdoor_c=outdoor.outdoor_c.tolist(),
            outdoor_humidity_pct=outdoor.humidity_pct.tolist(),
            outdoor_humidity_kg_kg=room.humidity_ratio(outdoor.outdoor_c, outdoor.humidity_pct).tolist(),
            solar_w_m2=outdoor.solar_w_m2.tolist(),
            season_shift_k=season_shift_k(float(outdoor.outdoor_c.mean())),
            presence=presence.tolist(),
            tv_w=appliances.television_w(DAY_MIN, watched, rng).tolist(),
            tv_watched=watched.tolist(),
            router_w=appliances.router_w(DAY_MIN, rng).tolist(),
            washer_w=_washing(day, home, rng).tolist(),
            door_w=(DOOR_W * doors).tolist(),
            room_gain_w=gain_w,
            room_moisture_kg_s=moisture,
            chance=rng.random((UNITS, DAY_MIN)).tolist(),
            sensor_noise=rng.standard_normal((DAY_MIN, 8)),
        )

    def save(self) -> dict[str, Any]:
        """Everything that the next step depends on, as JSON can hold it; ``restore`` takes it back."""
        return {
            "seed": self.seed,
            "at_s": self.at_s,
            "rooms": _arrays(self.rooms),
            "units": _arrays(self.units),
            "fridge": _arrays(self.fridge),
            "panels": [{**asdict(panel), "automated_at_s": _finite(panel.automated_at_s)} for panel in self.panels],
            "hands": [{**asdict(hand), "last_press_s": _finite(hand.last_press_s)} for hand in self.hands],
            "loads": asdict(self.loads),
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
        self._humidity_at_s = None
        self._day = self._draw_day(self._local_date())
        self.rooms = room.RoomState(**{name: np.array(values) for name, values in saved["rooms"].items()})
        self.units = air_conditioner.UnitState(**{name: np.array(v) for name, v in saved["units"].items()})
        self.fridge = fridge.FridgeState(**{name: np.array(values) for name, values in saved["fridge"].items()})
        self.panels = [_panel(values) for values in saved["panels"]]
        self.hands = [
            Hand(**{**values, "last_press_s": _or_never(values["last_press_s"])}) for values in saved["hands"]
        ]
        self.loads = Loads(**{name: Load(**values) for name, values in saved["loads"].items()})


def _conditions(panel: Panel) -> bool:
    """Whether the compressor may run."""
    return panel.on and panel.mode != Mode.FAN_ONLY


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


def _room_parameters(seed: int) -> room.RoomParameters:
    """Living room of 24 m2, bedroom of 14 m2, kitchen of 8 m2 in a concrete building of about 2005."""
    rng = np.random.default_rng([seed, 63])

    def near(*values: float) -> Array:
        return np.array(values) * rng.uniform(0.9, 1.1, size=len(values))

    return room.RoomParameters(
        air_capacity_j_per_k=near(4.2e5, 2.6e5, 1.5e5),
        mass_capacity_j_per_k=near(1.1e7, 7.0e6, 4.0e6),
        air_outdoor_k_per_w=near(0.031, 0.050, 0.040),
        air_mass_k_per_w=near(0.0030, 0.0048, 0.0085),
        mass_outdoor_k_per_w=near(0.042, 0.060, 0.060),
        solar_aperture_m2=near(1.15, 0.65, 0.25),
        solar_to_mass_ratio=np.array([0.6, 0.6, 0.6]),
        volume_m3=np.array([64.0, 38.0, 21.0]),
        air_changes_per_h=near(0.6, 0.5, 0.8),
    )


def _unit_parameters(seed: int) -> air_conditioner.UnitParameters:
    """Inverter splits of 3.5 and 2.6 kW; the second is some years older."""
    offset_k = np.random.default_rng([seed, 64]).uniform([0.8, 0.5], [1.6, 1.2])
    return air_conditioner.UnitParameters(
        rated_cooling_w=np.array([3500.0, 2600.0]),
        rated_heating_w=np.array([4300.0, 3000.0]),
        cop_cooling=np.array([3.6, 3.3]),
        cop_heating=np.array([3.8, 3.5]),
        minimum_load=np.array([0.15, 0.2]),
        maximum_load=np.array([1.2, 1.15]),
        gain_per_k=np.array([0.35, 0.4]),
        sensor_offset_k=offset_k,
        fan_w=np.array([32.0, 22.0]),
        standby_w=np.array([2.0, 1.6]),
        minimum_run_s=np.array([240.0, 240.0]),
        minimum_rest_s=np.array([180.0, 180.0]),
    )


def _fridge_parameters(seed: int) -> fridge.FridgeParameters:
    """A fridge of about 250 L and ten years."""
    power_w = np.random.default_rng([seed, 65]).uniform(82.0, 108.0, size=1)
    return fridge.FridgeParameters(
        air_capacity_j_per_k=np.array([34_000.0]),
        food_capacity_j_per_k=np.array([60_000.0]),
        leak_w_per_k=np.array([1.45]),
        food_air_w_per_k=np.array([4.0]),
        power_w=power_w,
        cop=np.array([1.5]),
        cut_in_c=np.array([5.4]),
        cut_out_c=np.array([2.9]),
        idle_w=np.array([0.8]),
    )


def _habits(seed: int) -> tuple[Habit, ...]:
    rng = np.random.default_rng([seed, 66])
    liked_c = sum(person.neutral_c for person in draw_people(seed)) / 2.0
    living_c, bedroom_c = np.round(liked_c - rng.uniform([0.3, 0.0], [2.2, 1.4]))  # many set it colder than they like
    starts_c = rng.normal([28.4, 28.0], 0.3)
    return (
        Habit(float(living_c), 21.0, float(starts_c[LIVING]), 14.5, 0.15, 16.0, 31.0),
        Habit(float(bedroom_c), 20.0, float(starts_c[BED]), 12.0, 0.2, 17.0, 30.0),
    )


def _arrays(state: Any) -> dict[str, list[Any]]:
    return {item.name: getattr(state, item.name).tolist() for item in fields(state)}


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


def home_weather(seed: int, climate: Climate = SHANGHAI) -> Weather:
    """The weather of the household of a seed."""
    return Weather(np.random.default_rng([seed, 61]), climate)


def settled(seed: int, at: datetime, days: float = 3.0) -> Household:
    """A household that has lived for some days until ``at``, so that walls and food have their temperatures."""
    household = Household(seed, at - timedelta(days=days))
    household.run_until(at)
    return household
