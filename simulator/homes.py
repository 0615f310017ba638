"""Homes of a climate: a room, a unit, people, a tariff and a diary each, all laid out for as many rows as wanted.

Everything about a home follows from (split, seed, climate, number of the home), so that a block of homes is the same
whatever else is drawn, and homes for training, validation and test never share a draw. Each home has one class
(``residents.CLASSES``) and one tariff (``prices.KINDS``), spread evenly over any run of homes.

    world = homes.build(seed=1, climates=[SHANGHAI, HARBIN], homes_per_climate=12, start_epoch_s=..., rows=105_120)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from simulator import customs, diaries, dwellings, faults, prices
from simulator.catalogue import air_conditioners
from simulator.customs import Customs
from simulator.dwellings import Style
from simulator.physics import envelope, zone
from simulator.physics.moist_air import pressure_at_pa
from simulator.physics.split_unit import Panel, Unit, UnitState
from simulator.records import Table, as_table, plain, table
from simulator.residents import ALL_DAY, Habit, Hand, Person
from simulator.weather import Climate, GeneratedWeather
from simulator.weather.sky import HasSky
from simulator.world import STEP_S, Meter, World

SPLITS = ("train", "validation", "test")
DAY_S = 86_400.0
_ROOM, _PERSON, _HABIT, _UNIT, _DIARY, _PRICE, _CHANCE, _WEATHER, _CLASS = range(9)  # what a generator decides

WeatherOf = Callable[[np.random.Generator, Climate], HasSky]


@dataclass(frozen=True, slots=True)
class Place:
    """How people of a climate build, live and buy units."""

    style: Style
    customs: Customs
    cooling_w_m2: tuple[float, float]  # rated, per floor


# Sizing: Chinese sellers' rule of 150-220 W/m2 (2.6 kW for 10-15 m2, 3.5 kW for 15-23 m2, [from memory]); elsewhere
# assumed, between a load calculation and the next larger unit.
SEVERE_COLD = Place(dwellings.CHINA_SEVERE_COLD, customs.NORTHERN_CHINA, (130.0, 190.0))
COLD = Place(dwellings.CHINA_COLD, customs.NORTHERN_CHINA, (140.0, 200.0))
HOT_SUMMER_COLD_WINTER = Place(dwellings.CHINA_HOT_SUMMER_COLD_WINTER, customs.SOUTHERN_CHINA, (150.0, 220.0))
HOT_SUMMER_WARM_WINTER = Place(dwellings.CHINA_HOT_SUMMER_WARM_WINTER, customs.SOUTHERN_CHINA, (150.0, 220.0))
MILD = Place(dwellings.CHINA_MILD, customs.MILD_CHINA, (150.0, 220.0))
BRITAIN = Place(dwellings.BRITAIN, customs.BRITISH, (90.0, 150.0))
SPAIN = Place(dwellings.SPAIN, customs.SPANISH, (120.0, 180.0))
AMERICA_HOT = Place(dwellings.AMERICA_HOT, customs.AMERICAN, (110.0, 180.0))
AMERICA_COLD = Place(
    dwellings.AMERICA_COLD, replace(customs.AMERICAN, heats_ratio=0.25, radiators_ratio=1.0), (90.0, 150.0)
)
JAPAN = Place(dwellings.JAPAN, customs.JAPANESE, (150.0, 220.0))
TROPICS = Place(dwellings.TROPICS, customs.TROPICAL, (140.0, 200.0))

PLACES = {
    "Phoenix": AMERICA_HOT,
    "Tampa": AMERICA_HOT,
    "Chicago": AMERICA_COLD,
    "Madrid": SPAIN,
    "Granada": SPAIN,
    "London": BRITAIN,
    "Singapore": TROPICS,
    "Tokyo": JAPAN,
}

MILD_SUMMER_C = 25.0  # of the warmest month, at most, in GB 50176-2016's mild zone

CAPACITIES_W = (2600.0, 3500.0, 5000.0, 7200.0)  # sizes on sale; 1 to 3 "horsepower"
FLOOR_STANDING_W = 7200.0
# Shares of the stock of wall units: assumed; since 2020 hardly any fixed-speed unit has been sold in China.
MODEL_SHARES = {"apf_5_65": 0.15, "grade_1": 0.30, "grade_3": 0.40, "fixed_speed": 0.15}
# Years since a unit was bought, in 2026, drawn evenly within these and not beyond the age of a new home: grade 1 and
# better are of GB 21455-2019 (in force July 2020), the last fixed-speed units were sold before it, inverters of today's
# grade 3 all the time. 12 years at most are assumed, and the same elsewhere: surveys give no distribution.
AGE_YEARS = {
    "apf_5_65": (0.0, 6.0),
    "grade_1": (0.0, 6.0),
    "grade_3": (0.0, 12.0),
    "floor_7_2kw": (0.0, 6.0),
    "fixed_speed": (6.0, 12.0),
}
SENSOR_OFFSET_K = (0.3, 0.6)  # of each unit's own sensor, beside what the layers of air do; assumed
TARIFF_SHARES = (0.4, 0.35, 0.25)  # flat, peak_valley, dynamic; assumed
TIERED_RATIO = 0.5  # of flat tariffs
HOME_KWH_PER_YEAR = (2600.0, 900.0)  # the whole home, for its tier; China's urban mean is of this size [from memory]


@dataclass(frozen=True, slots=True)
class Homes:
    """A world and what is known of its homes; arrays and lists have one element a home."""

    world: World
    climates: tuple[Climate, ...]
    climate_of: NDArray[np.int64]  # index into ``climates``
    number_of: NDArray[np.int64]  # of the home within its climate
    kind_of: NDArray[np.int64]  # index into ``residents.CLASSES``
    tariff_of: NDArray[np.int64]  # index into ``prices.KINDS``
    model_of: tuple[str, ...]  # of ``catalogue.air_conditioners.MODELS``
    weathers: tuple[HasSky, ...]  # columns of ``world.skies``


def build(
    seed: int,
    climates: Sequence[Climate],
    homes_per_climate: int,
    start_epoch_s: float,
    rows: int,
    weather: WeatherOf = GeneratedWeather,
    **more: Any,
) -> World:
    """The world of ``draw``."""
    return draw(seed, climates, homes_per_climate, start_epoch_s, rows, weather, **more).world


def draw(
    seed: int,
    climates: Sequence[Climate],
    homes_per_climate: int,
    start_epoch_s: float,
    rows: int,
    weather: WeatherOf = GeneratedWeather,
    *,
    split: str = "train",
    first_home: int = 0,
    weathers_per_climate: int = 1,
    model: str | None = None,
    class_shares: tuple[float, float, float] | None = None,
) -> Homes:
    """Draw homes, climate by climate.

    Parameters
    ----------
    seed : int
        At least 0.
    rows : int
        Steps of 5 minutes to be laid out from ``start_epoch_s`` on.
    weather : Callable
        Makes a weather from a generator and a climate; an EPW file is ``lambda rng, climate: file``.
    split : str
        "train", "validation" or "test": no draw is shared between them.
    first_home : int
        Number of the first home of each climate: blocks of homes add up to the whole.
    weathers_per_climate : int
        Homes take them in turn.
    model : str, optional
        Of all units; by ``MODEL_SHARES`` otherwise. Nothing else about the homes changes with it.
    class_shares : (all_day, part_time, forgotten), optional
        Of the place otherwise.

    Raises
    ------
    ValueError
        For an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is none of {', '.join(SPLITS)}")
    homes: list[_Home] = []
    weathers: list[HasSky] = []
    for index, climate in enumerate(climates):
        key = (SPLITS.index(split), seed, crc32(climate.name.encode()))
        first_weather = len(weathers)
        weathers += [weather(np.random.default_rng([*key, _WEATHER, i]), climate) for i in range(weathers_per_climate)]
        for number in range(first_home, first_home + homes_per_climate):
            column = first_weather + number % weathers_per_climate
            homes.append(_draw_home(key, index, climate, number, column, start_epoch_s, rows, model, class_shares))
    skies = np.stack([one.sky_rows(start_epoch_s, rows, STEP_S) for one in weathers], axis=1)
    rooms = as_table([home.room for home in homes])
    n = len(homes)
    panels = table(Panel, n)
    panels["setpoint_c"] = [home.habit.cooling_setpoint_c for home in homes]
    world = World(
        start_epoch_s=start_epoch_s,
        utc_offset_s=np.array([climates[home.climate].utc_offset_s for home in homes]),
        latitude=np.array([climates[home.climate].latitude for home in homes]),
        longitude=np.array([climates[home.climate].longitude for home in homes]),
        skies=skies,
        presence=np.stack([home.presence for home in homes], axis=1),
        price=np.stack([home.price for home in homes], axis=1),
        chance=np.stack([home.chance for home in homes], axis=1),
        rooms=rooms,
        room_states=_at_rest(homes, skies[0]),
        units=as_table([home.unit for home in homes]),
        unit_states=table(UnitState, n),
        panels=panels,
        persons=as_table([home.person for home in homes]),
        habits=as_table([home.habit for home in homes]),
        hands=table(Hand, n),
        meters=table(Meter, n),
    )
    return Homes(
        world=world,
        climates=tuple(climates),
        climate_of=np.array([home.climate for home in homes]),
        number_of=np.array([home.number for home in homes]),
        kind_of=np.array([home.habit.kind for home in homes]),
        tariff_of=np.array([home.tariff for home in homes]),
        model_of=tuple(home.model for home in homes),
        weathers=tuple(weathers),
    )


@dataclass(frozen=True, slots=True)
class _Home:
    climate: int
    number: int
    room: zone.Room
    unit: Unit
    model: str
    person: Person
    habit: Habit
    tariff: int
    presence: NDArray[np.int8]
    price: NDArray[np.float32]
    chance: NDArray[np.float32]


def place_of(climate: Climate) -> Place:
    """How people live in a climate: by its name, otherwise by the zones of GB 50176-2016, which go by mean months."""
    if climate.name in PLACES:
        return PLACES[climate.name]
    coldest_c = min(climate.mean_c)
    if coldest_c <= -10.0:
        return SEVERE_COLD
    if coldest_c <= 0.0:
        return COLD
    if max(climate.mean_c) <= MILD_SUMMER_C:
        return MILD
    return HOT_SUMMER_COLD_WINTER if coldest_c <= 10.0 else HOT_SUMMER_WARM_WINTER


def _draw_home(
    key: tuple[int, int, int],
    index: int,
    climate: Climate,
    number: int,
    column: int,
    start_epoch_s: float,
    rows: int,
    model: str | None,
    class_shares: tuple[float, float, float] | None,
) -> _Home:
    def luck(subject: int) -> np.random.Generator:
        return np.random.default_rng([*key, subject, number])

    place = place_of(climate)
    offsets = np.random.default_rng([*key, _CLASS]).random(2)
    kind = customs.spread(number, offsets[0], class_shares or place.customs.class_shares)
    # its own irrational stride, so that classes and tariffs cross
    tariff = customs.spread(number, offsets[1], TARIFF_SHARES, stride=0.414_213_562_37)
    room_luck = luck(_ROOM)
    vintage = dwellings.draw_vintage(room_luck, place.style)
    box = dwellings.draw_box(room_luck, place.style, vintage)
    person = customs.draw_person(luck(_PERSON), place.customs)
    habit = customs.draw_habit(luck(_HABIT), place.customs, kind, person, box.floor_m2, climate.utc_offset_s)
    drawn_model, unit = _draw_unit(luck(_UNIT), box.floor_m2, vintage.oldest_years, place.cooling_w_m2, model)
    local_start_s = start_epoch_s + climate.utc_offset_s
    diary = luck(_DIARY)
    room_shares = (1.0, 0.0, 0.0) if kind == ALL_DAY else place.customs.room_shares
    routine = diaries.draw_routine(diary, kind == ALL_DAY, room_shares, place.customs.lunch_ratio)
    return _Home(
        climate=index,
        number=number,
        room=envelope.room(replace(box, weather=column, pressure_pa=pressure_at_pa(climate.elevation_m))),
        unit=unit,
        model=drawn_model,
        person=person,
        habit=habit,
        tariff=tariff,
        presence=diaries.presence(diary, routine, local_start_s, rows, STEP_S, place.customs.holidays),
        price=_price(luck(_PRICE), tariff, local_start_s, rows).astype(np.float32),
        chance=luck(_CHANCE).random(rows, dtype=np.float32),
    )


def _draw_unit(
    rng: np.random.Generator,
    floor_m2: float,
    home_years: float,
    cooling_w_m2: tuple[float, float],
    model: str | None,
) -> tuple[str, Unit]:
    """The unit that a seller proposed years ago: the size on sale nearest to what the floor asks for.

    ``home_years`` is the greatest age that the home can have. A model sold no more when the home was built came with
    the people from their last one, at its least age.
    """
    wanted_w = floor_m2 * float(rng.uniform(*cooling_w_m2))
    capacity_w = min(CAPACITIES_W, key=lambda size_w: abs(np.log(size_w / wanted_w)))
    drawn = str(rng.choice(list(MODEL_SHARES), p=list(MODEL_SHARES.values())))
    if capacity_w >= FLOOR_STANDING_W:
        drawn = "floor_7_2kw"
    chosen = model or drawn
    offset_k = float(rng.normal(*SENSOR_OFFSET_K))
    youngest_years, oldest_years = AGE_YEARS[chosen]
    years = float(rng.uniform(youngest_years, max(min(oldest_years, home_years), youngest_years)))
    unit = faults.aged(air_conditioners.unit(chosen, capacity_w), years)
    unit = faults.clogged_filter(unit, float(rng.uniform(*faults.FILTER_SEVERITY)))
    return chosen, replace(unit, sensor_offset_k=unit.sensor_offset_k + offset_k)


def _price(rng: np.random.Generator, tariff: int, local_start_s: float, rows: int) -> NDArray[np.float64]:
    day, hour = prices.local_clock(local_start_s, rows, STEP_S, 0.0)
    if tariff == prices.PEAK_VALLEY:
        return prices.peak_valley(hour, prices.PEAK_VALLEYS[int(rng.integers(len(prices.PEAK_VALLEYS)))])
    if tariff == prices.DYNAMIC:
        return prices.dynamic(rng, day, hour)
    if rng.random() >= TIERED_RATIO:
        return prices.flat(rows)
    home_kwh = max(float(rng.normal(*HOME_KWH_PER_YEAR)), 800.0)
    return prices.tiered(local_start_s, rows, STEP_S, prices.TIERS[int(rng.integers(len(prices.TIERS)))], home_kwh)


def _at_rest(homes: Sequence[_Home], first: Table) -> Table:
    """Rooms that have followed the weather without their unit, but for other heating."""
    states = plain(table(zone.RoomState, len(homes)), zone.RoomState)
    start = getattr(zone.start, "py_func", zone.start)  # on plain objects in either mode
    for home, state in zip(homes, states, strict=True):
        sky = first[home.room.weather]
        least_c = home.habit.radiator_target_c if home.habit.radiator_w > 0.0 else 8.0
        air_c = float(np.clip(sky["daily_mean_c"] + 2.0, least_c, 31.0))
        start(home.room, state, air_c, float(sky["humidity_kg_kg"]))
        state.outdoor_c = float(sky["outdoor_c"])
    return as_table(states)
