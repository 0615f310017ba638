"""ASHRAE 140 (BESTEST): the standard's small building, light and heavy, through a year in Denver.

Geometry, layers, glass and the constant surface coefficients that the standard allows: ANSI/ASHRAE 140-2020, sections
5.2.1 and 5.2.2 (case 600: light; 900: heavy; 640, 940: night setback; FF: without heating and cooling). Reference
ranges: results of BSIMAC, CSE, DeST, EnergyPlus, ESP-r and TRNSYS, ASHRAE 140-2023, tables B8-1, B8-2 and B8-5.
Nothing is adjusted: the room is ``zone`` as it is, with the ideal unit of the standard.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simulator.jit import njit
from simulator.physics import zone
from simulator.physics.envelope import (
    Box,
    Element,
    Film,
    Layer,
    Layering,
    Layers,
    Leaks,
    Window,
    glazing_by_angle,
    room,
)
from simulator.records import as_table, rows_of, table
from simulator.validation.rows import Row, row
from simulator.weather.epw import read_epw
from simulator.weather.sky import Sky

WEATHER = "weather/USA_CO_Denver.Intl.AP.725650_TMY3.epw.gz"
SOURCE = "ASHRAE 140-2023, tables B8-1, B8-2, B8-5: six programs"
WIDER_RATIO = 0.15  # of the programs' mean, beyond their range
WIDER_K = 1.5
HEATED_C, COOLED_C, NIGHT_C = 20.0, 27.0, 10.0
GAIN_CONVECTIVE_W, GAIN_RADIANT_W = 80.0, 120.0  # 200 W, 60 % by radiation
J_PER_MWH = 3.6e9
ROWS_PER_DAY = 288
WARM_UP_DAYS = 60

WOOD = Layer(0.009, 0.140, 530.0, 900.0)
LIGHT_WALL: Layers = (WOOD, Layer(0.066, 0.040, 12.0, 840.0), Layer(0.012, 0.160, 950.0, 840.0))
LIGHT_FLOOR: Layers = (Layer(1.003, 0.040), Layer(0.025, 0.140, 650.0, 1200.0))
HEAVY_WALL: Layers = (WOOD, Layer(0.0615, 0.040, 10.0, 1400.0), Layer(0.100, 0.510, 1400.0, 1000.0))
HEAVY_FLOOR: Layers = (Layer(1.007, 0.040), Layer(0.080, 1.130, 1400.0, 1000.0))
ROOF: Layers = (
    Layer(0.019, 0.140, 530.0, 900.0),
    Layer(0.1118, 0.040, 12.0, 840.0),
    Layer(0.010, 0.160, 950.0, 840.0),
)
GLASS = glazing_by_angle(  # two clear panes of 3.048 mm, 1 W/(m K); 5.208 W/(m2 K) between them
    2 * 0.003048 / 1.0 + 1.0 / 5.208,
    degrees=(0, 10, 20, 30, 40, 50, 60, 70, 80, 90),
    transmitted=(0.703, 0.702, 0.699, 0.692, 0.678, 0.646, 0.577, 0.438, 0.208, 0.0),
    absorbed_outer=(0.096, 0.097, 0.099, 0.102, 0.106, 0.112, 0.119, 0.127, 0.130, 0.0),
    absorbed_inner=(0.072, 0.073, 0.074, 0.075, 0.077, 0.078, 0.077, 0.070, 0.050, 0.0),
)

# Lowest, highest and mean of the six programs, annual. [MWh]
HEATING_MWH = {600: (3.993, 4.504), 640: (2.403, 2.682), 900: (1.379, 1.814), 940: (0.863, 1.389)}
HEATING_MEAN_MWH = {600: 4.213, 640: 2.612, 900: 1.627, 940: 1.109}
COOLING_MWH = {600: (5.432, 6.162), 640: (5.237, 5.893), 900: (2.267, 2.714), 940: (2.203, 2.613)}
COOLING_MEAN_MWH = {600: 5.856, 640: 5.636, 900: 2.468, 940: 2.401}
# Hourly extremes. [°C]
HOTTEST_C = {600: (62.4, 68.4), 900: (43.3, 46.0)}
COLDEST_C = {600: (-13.8, -9.9), 900: (0.6, 2.2)}


class Year(NamedTuple):
    """What a year came to; temperatures are means of an hour."""

    heating_mwh: float
    cooling_mwh: float
    hottest_c: float
    coldest_c: float
    mean_c: float


MISSING = Year(math.nan, math.nan, math.nan, math.nan, math.nan)


def building(heavy: bool) -> Box:
    """Case 600 or 900: 8 m x 6 m x 2.7 m with 12 m2 of window to the south."""
    wall_m2 = (21.6 - 12.0, 16.2, 21.6, 16.2)  # south, west, north, east
    total_m2 = sum(wall_m2)
    return Box(
        floor_m2=48.0,
        volume_m3=129.6,
        elements=(
            Element(
                total_m2,
                HEAVY_WALL if heavy else LIGHT_WALL,
                facing=(*(area / total_m2 for area in wall_m2), 0.0),
                outside=Film(11.9),
                convection_w_m2_k=2.2,
                sun_ratio=0.156 / 0.965,  # of what stays in the room
            ),
            Element(
                48.0,
                HEAVY_FLOOR if heavy else LIGHT_FLOOR,
                air=1.0,
                outside=Film(0.8),
                convection_w_m2_k=2.2,
                sun_ratio=0.642 / 0.965,
            ),
            Element(
                48.0,
                ROOF,
                facing=(0.0, 0.0, 0.0, 0.0, 1.0),
                outside=Film(14.4),
                convection_w_m2_k=1.8,
                sun_ratio=0.167 / 0.965,
            ),
        ),
        windows=(Window(12.0, 0.0, -1.0),),
        glazing=GLASS,
        glass_outside=Film(8.0),
        glass_convection_w_m2_k=2.4,
        leaks=Leaks(constant_ach=0.5),
        layering=Layering(0.0, 0.0, 0.0, 0.0),
        pressure_pa=83_000.0,
        furniture_j_m2_k=0.0,
        sun_lost_ratio=0.035,
    )


@njit
def _year(one: Any, state: Any, skies: Any, first_row: int, conditioned: bool, setback: bool) -> Any:
    """Heat and cold of the year from ``first_row`` on, what comes before being warm-up; and extremes of the hours."""
    heating_j = cooling_j = hour_c = total_c = 0.0
    hottest_c, coldest_c = -1e9, 1e9
    for at in range(len(skies)):
        zone.prepare(one, state, skies[at])
        for minute in range(5):
            heat_w = 0.0
            if conditioned:
                low_c = HEATED_C
                if setback:
                    hour = ((300 * at + 60 * (minute + 1)) % 86_400) / 3600.0
                    if hour <= 7.0 or hour > 23.0:
                        low_c = NIGHT_C
                    elif hour < 8.0:
                        low_c = NIGHT_C + (hour - 7.0) * (HEATED_C - NIGHT_C)
                heat_w = zone.heat_to_hold_w(one, state, GAIN_CONVECTIVE_W, GAIN_RADIANT_W, low_c, COOLED_C)
            zone.step(one, state, GAIN_CONVECTIVE_W + heat_w, GAIN_RADIANT_W, 0.0, heat_w)
            if at >= first_row:
                heating_j += max(heat_w, 0.0) * zone.STEP_S
                cooling_j += max(-heat_w, 0.0) * zone.STEP_S
                total_c += state.node_c[0]
                hour_c += state.node_c[0] / 60.0
        if at % 12 == 11:
            if at >= first_row:
                hottest_c = max(hottest_c, hour_c)
                coldest_c = min(coldest_c, hour_c)
            hour_c = 0.0
    return heating_j, cooling_j, hottest_c, coldest_c, total_c / (5.0 * (len(skies) - first_row))


def year(box: Box, skies: Any, conditioned: bool, setback: bool = False) -> Year:
    """A year of a box after 60 days of warm-up; ``skies`` begin 60 days before it, at midnight."""
    rooms = rows_of(as_table([room(box)]), zone.Room)
    states = rows_of(table(zone.RoomState, 1), zone.RoomState)
    zone.start(rooms[0], states[0], HEATED_C, 0.005)
    result = _year(rooms[0], states[0], skies, WARM_UP_DAYS * ROWS_PER_DAY, conditioned, setback)
    heating_j, cooling_j, hottest_c, coldest_c, mean_c = result
    return Year(heating_j / J_PER_MWH, cooling_j / J_PER_MWH, hottest_c, coldest_c, mean_c)


def rows(data: Path | None) -> list[Row]:
    """Rows of the table, from the weather file below ``data``; without it they are there and not ok.

    Those of 640 and 940 are told, not required.
    """
    sky = None
    if data is not None and (data / WEATHER).is_file():
        weather = read_epw(data / WEATHER)
        days = WARM_UP_DAYS + 365
        sky = rows_of(weather.sky_rows(weather.start_epoch_s - WARM_UP_DAYS * 86_400.0, days * ROWS_PER_DAY), Sky)
    return list(_rows(sky))


def _rows(sky: Any) -> Iterator[Row]:
    source = SOURCE if sky is not None else f"{WEATHER} is missing"
    for case in (600, 900, 640, 940):
        found = MISSING
        if sky is not None:
            found = year(building(heavy=case >= 900), sky, conditioned=True, setback=case in (640, 940))
        for word, value, ranges, means in (
            ("heating", found.heating_mwh, HEATING_MWH, HEATING_MEAN_MWH),
            ("cooling", found.cooling_mwh, COOLING_MWH, COOLING_MEAN_MWH),
        ):
            wider_mwh = WIDER_RATIO * means[case]
            low, high = ranges[case]
            yield row(f"case_{case}_{word}_mwh", value, low - wider_mwh, high + wider_mwh, source)
    for case in (600, 900):
        found = MISSING if sky is None else year(building(heavy=case == 900), sky, conditioned=False)
        for word, value, bounds in (
            ("max", found.hottest_c, HOTTEST_C[case]),
            ("min", found.coldest_c, COLDEST_C[case]),
        ):
            yield row(f"case_{case}ff_{word}_c", value, bounds[0] - WIDER_K, bounds[1] + WIDER_K, source)
