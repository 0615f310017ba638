"""Rooms of Chinese, Japanese and tropical flats, European and American houses, drawn from documented ranges.

Each kind of dwelling is a table of vintages with the ranges of its U-values, leakage and glass. The building codes set
the borders; what they leave open is assumed and says so. From a drawn U-value follows the thickness of insulation on
the outer side of a given structure, so that mass and loss belong together.

Sources of the vintages, all [from memory] and rounded:
China: JGJ 26-95, JGJ 26-2010 and JGJ 26-2018 (severe cold and cold zones), JGJ 134-2001 and JGJ 134-2010 (hot summer,
cold winter: walls 1.0-1.5, windows 2.3-4.7), JGJ 75-2003 and JGJ 75-2012 (hot summer, warm winter), GB 55015-2021, and
for what is older than the codes GB 50176's solid brick of 240 and 370 mm (about 2.0 and 1.5 W/m2K) and single glazing;
air change 1.0 /h where JGJ 134 and JGJ 75 design with it, 0.5 /h in JGJ 26. Mild zone: JGJ 475-2019, before it as the
older homes of the Yangtze; its ranges are assumed between those of the neighbouring zones.
Japan, zone 6 of its energy standard (Tokyo, Osaka): shares of the stock without insulation and built by the standards
of 1980, 1992 and 1999 as the ministry (MLIT) estimates them for 2019, 30, 36, 22 and 12 %; the last asks for walls of
0.75 in concrete (mean loss 0.87) and windows of 4.65; an aluminium frame with one pane has 6.5. Ventilation of 0.5 /h
is demanded since 2003. The walls of 1980 and 1992, roofs and leaks are assumed, and that flats are as old as all homes.
Europe: typologies of TABULA/EPISCOPE for Great Britain and Spain. America: IECC 2006-2021 by climate zone, and older
walls without insulation as in ResStock. Singapore: concrete flats of the housing board, single glazing.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf, log

import numpy as np

from simulator.physics.envelope import (
    Box,
    Element,
    Glazing,
    Layer,
    Layers,
    Leaks,
    Mass,
    NextDoor,
    Window,
    glazing,
)

Range = tuple[float, float]

FILMS_M2_K_W = 0.17  # inside and outside, ISO 6946
FLAT_TOP_RATIO = 0.12  # of flats under the roof, and as many on the ground; assumed
HOUSE_TOP_RATIO, HOUSE_GROUND_RATIO = 0.6, 0.5  # of rooms in houses; assumed
TYPICAL_K, TYPICAL_WIND_M_S = 8.0, 2.5  # at which a leaky room has its stated air change; assumed
U_STEP = 1.07  # U-values go by steps of 7 %, so that a thousand homes share some hundred walls
NEXT_DOOR_WALL_RATIO = 0.4  # of the inner walls, to rooms of another temperature; assumed
FURNITURE_M2_M2 = 1.0  # surface of furniture that stores heat, per floor; assumed
TRANSMITTED_RATIO = 0.9  # of the solar factor, the rest is absorbed and given inside; clear glass, rounded
OPENABLE_RATIO = 0.3  # of the glass; assumed
CONSTANT_LEAK_RATIO = 0.3  # kitchens' and bathrooms' fans, doors; assumed
WIND_LEAK_RATIO = 0.6  # of the rest; assumed

PLASTER = Layer(0.015, 0.70, 1400.0, 1000.0)  # materials: ISO 10456, rounded
BRICK = Layer(0.24, 0.80, 1800.0, 880.0)
CONCRETE = Layer(0.20, 1.74, 2400.0, 920.0)
HOLLOW_BLOCK = Layer(0.19, 0.70, 1200.0, 1000.0)
GYPSUM = Layer(0.013, 0.25, 900.0, 1000.0)
WOOD_SIDING = Layer(0.015, 0.13, 500.0, 1600.0)
SLAB = Layer(0.12, 1.74, 2400.0, 920.0)
WOOD_FLOOR = Layer(0.025, 0.13, 500.0, 1600.0)
SOIL = Layer(1.0, 1.4)  # resistance of the ground to 1 m; ISO 13370's sand, without its storage
UPWARD = (0.0, 0.0, 0.0, 0.0, 1.0)
PARTITION = Layer(0.05, 0.40, 1000.0, 1000.0)  # half of a light block wall


class Structure(Enum):
    """What carries the house."""

    BRICK = "brick"
    CONCRETE = "concrete"
    BLOCK = "block"
    FRAME = "frame"


WALLS: dict[Structure, Layers] = {  # outside to inside, without insulation
    Structure.BRICK: (BRICK, PLASTER),
    Structure.CONCRETE: (CONCRETE, PLASTER),
    Structure.BLOCK: (HOLLOW_BLOCK, PLASTER),
    Structure.FRAME: (WOOD_SIDING, GYPSUM),
}


@dataclass(frozen=True, slots=True)
class Vintage:
    """Dwellings of one age: share of the stock, and ranges from which theirs are drawn evenly."""

    share: float
    wall_w_m2_k: Range
    roof_w_m2_k: Range
    window_w_m2_k: Range
    solar_factor: Range  # g, SHGC of the glass
    air_changes_h: Range
    structures: tuple[Structure, ...]
    oldest_years: float = inf  # in 2026, since its code came into force; nothing bought for it is older


@dataclass(frozen=True, slots=True)
class Style:
    """How people build in one place."""

    vintages: tuple[Vintage, ...]
    floor_m2: Range
    height_m: Range
    window_to_floor: Range
    house: bool  # roof and ground more often, heavier exposure
    next_door: NextDoor
    clear: Range  # 1 less what houses and trees before the window shade; assumed
    overhang_m: Range = (0.0, 0.6)


BRICK_OR_CONCRETE = (Structure.BRICK, Structure.CONCRETE)
NEW_CHINESE = (Structure.CONCRETE, Structure.BLOCK)
CODE_OF_2019_YEARS, CODE_OF_2022_YEARS = 7.0, 4.0  # JGJ 26-2018 and JGJ 475-2019; GB 55015-2021
OPEN_SOUTH = NextDoor(outdoor_ratio=0.5, gain_k=2.0, low_c=5.0, high_c=33.0)  # rooms run part time, part space
DISTRICT_HEATED = NextDoor(outdoor_ratio=0.3, gain_k=2.0, low_c=19.5, high_c=31.0)
CENTRAL = NextDoor(outdoor_ratio=0.3, gain_k=2.0, low_c=18.0, high_c=29.0)
AMERICAN = NextDoor(outdoor_ratio=0.3, gain_k=1.5, low_c=18.5, high_c=26.5)
TROPICAL = NextDoor(outdoor_ratio=0.6, gain_k=1.5, low_c=22.0, high_c=33.0)

CHINA_SEVERE_COLD = Style(
    vintages=(
        Vintage(0.25, (0.9, 1.3), (0.7, 1.0), (3.0, 4.0), (0.60, 0.75), (0.5, 1.0), (Structure.BRICK,)),
        Vintage(0.30, (0.50, 0.70), (0.40, 0.60), (2.4, 3.0), (0.55, 0.70), (0.4, 0.7), BRICK_OR_CONCRETE),
        Vintage(0.30, (0.40, 0.55), (0.25, 0.35), (1.8, 2.5), (0.50, 0.65), (0.3, 0.6), NEW_CHINESE),
        Vintage(
            0.15, (0.25, 0.40), (0.15, 0.25), (1.4, 2.0), (0.45, 0.60), (0.2, 0.5), NEW_CHINESE, CODE_OF_2019_YEARS
        ),
    ),
    floor_m2=(11.0, 26.0),
    height_m=(2.6, 2.8),
    window_to_floor=(0.12, 0.22),
    house=False,
    next_door=DISTRICT_HEATED,
    clear=(0.55, 0.95),
)
CHINA_COLD = Style(
    vintages=(
        Vintage(0.25, (1.3, 1.6), (0.9, 1.3), (4.5, 6.2), (0.65, 0.82), (0.6, 1.2), (Structure.BRICK,)),
        Vintage(0.30, (0.8, 1.16), (0.6, 0.8), (3.0, 4.7), (0.60, 0.75), (0.5, 0.9), BRICK_OR_CONCRETE),
        Vintage(0.30, (0.5, 0.7), (0.40, 0.50), (2.3, 3.1), (0.45, 0.65), (0.4, 0.7), NEW_CHINESE),
        Vintage(
            0.15, (0.35, 0.45), (0.20, 0.30), (1.5, 2.2), (0.35, 0.55), (0.3, 0.5), NEW_CHINESE, CODE_OF_2019_YEARS
        ),
    ),
    floor_m2=(11.0, 28.0),
    height_m=(2.6, 2.8),
    window_to_floor=(0.14, 0.26),
    house=False,
    next_door=DISTRICT_HEATED,
    clear=(0.55, 0.95),
)
CHINA_HOT_SUMMER_COLD_WINTER = Style(
    vintages=(
        Vintage(0.25, (1.7, 2.1), (1.2, 1.9), (5.5, 6.2), (0.70, 0.85), (0.8, 1.6), (Structure.BRICK,)),
        Vintage(0.30, (1.0, 1.5), (0.8, 1.0), (3.4, 4.7), (0.55, 0.75), (0.7, 1.3), BRICK_OR_CONCRETE),
        Vintage(0.30, (0.8, 1.2), (0.5, 0.8), (2.4, 3.4), (0.40, 0.60), (0.5, 1.0), NEW_CHINESE),
        Vintage(
            0.15, (0.55, 0.85), (0.30, 0.45), (1.8, 2.4), (0.30, 0.45), (0.4, 0.8), NEW_CHINESE, CODE_OF_2022_YEARS
        ),
    ),
    floor_m2=(11.0, 28.0),
    height_m=(2.6, 2.9),
    window_to_floor=(0.14, 0.30),
    house=False,
    next_door=OPEN_SOUTH,
    clear=(0.45, 0.95),
)
CHINA_HOT_SUMMER_WARM_WINTER = Style(
    vintages=(
        Vintage(0.30, (1.9, 2.4), (1.2, 2.0), (5.5, 6.2), (0.70, 0.85), (0.9, 1.8), (Structure.BRICK,)),
        Vintage(0.40, (1.5, 2.0), (0.8, 1.0), (4.0, 6.0), (0.45, 0.75), (0.7, 1.4), BRICK_OR_CONCRETE),
        Vintage(0.30, (0.8, 1.6), (0.4, 0.9), (3.0, 4.5), (0.30, 0.50), (0.5, 1.1), NEW_CHINESE),
    ),
    floor_m2=(11.0, 28.0),
    height_m=(2.7, 3.0),
    window_to_floor=(0.14, 0.28),
    house=False,
    next_door=OPEN_SOUTH,
    clear=(0.40, 0.90),
    overhang_m=(0.2, 0.9),
)
CHINA_MILD = Style(
    vintages=(
        Vintage(0.35, (1.7, 2.1), (1.2, 1.9), (5.5, 6.2), (0.70, 0.85), (0.8, 1.6), (Structure.BRICK,)),
        Vintage(0.45, (1.0, 1.8), (0.8, 1.2), (4.0, 6.0), (0.55, 0.80), (0.7, 1.3), BRICK_OR_CONCRETE),
        Vintage(0.20, (0.6, 1.0), (0.4, 0.8), (2.4, 3.2), (0.40, 0.65), (0.5, 1.0), NEW_CHINESE, CODE_OF_2019_YEARS),
    ),
    floor_m2=(11.0, 28.0),
    height_m=(2.6, 2.9),
    window_to_floor=(0.14, 0.30),
    house=False,
    next_door=OPEN_SOUTH,
    clear=(0.50, 0.95),
)
JAPAN = Style(
    vintages=(
        Vintage(0.30, (2.4, 3.2), (1.5, 2.5), (5.8, 6.5), (0.70, 0.88), (0.7, 1.4), (Structure.CONCRETE,)),
        Vintage(0.36, (1.2, 1.8), (0.8, 1.2), (5.8, 6.5), (0.70, 0.85), (0.5, 1.0), (Structure.CONCRETE,)),
        Vintage(0.22, (0.8, 1.2), (0.5, 0.8), (4.6, 6.5), (0.65, 0.80), (0.5, 0.8), (Structure.CONCRETE,)),
        Vintage(0.12, (0.5, 0.75), (0.30, 0.45), (2.3, 4.65), (0.45, 0.75), (0.4, 0.7), (Structure.CONCRETE,)),
    ),
    floor_m2=(9.0, 24.0),  # from six mats
    height_m=(2.4, 2.6),
    window_to_floor=(0.15, 0.28),  # the building act asks for a seventh
    house=False,
    next_door=OPEN_SOUTH,
    clear=(0.45, 0.95),
    overhang_m=(0.3, 1.5),  # the balcony above
)
BRITAIN = Style(
    vintages=(
        Vintage(0.25, (1.6, 2.1), (0.3, 1.5), (2.7, 4.8), (0.65, 0.80), (0.6, 1.2), (Structure.BRICK,)),
        Vintage(
            0.40, (0.5, 1.6), (0.25, 0.6), (2.0, 3.1), (0.60, 0.76), (0.5, 0.9), (Structure.BRICK, Structure.BLOCK)
        ),
        Vintage(0.35, (0.20, 0.45), (0.12, 0.25), (1.3, 2.0), (0.50, 0.65), (0.3, 0.6), (Structure.BLOCK,)),
    ),
    floor_m2=(11.0, 28.0),
    height_m=(2.3, 2.6),
    window_to_floor=(0.12, 0.25),
    house=True,
    next_door=CENTRAL,
    clear=(0.5, 0.95),
    overhang_m=(0.0, 0.2),
)
SPAIN = Style(
    vintages=(
        Vintage(0.40, (1.3, 2.2), (1.2, 2.2), (4.2, 5.7), (0.70, 0.82), (0.6, 1.3), (Structure.BRICK,)),
        Vintage(0.35, (0.8, 1.4), (0.6, 1.2), (3.1, 4.5), (0.60, 0.76), (0.5, 1.0), (Structure.BRICK, Structure.BLOCK)),
        Vintage(
            0.25, (0.3, 0.75), (0.25, 0.5), (1.6, 3.1), (0.45, 0.65), (0.3, 0.7), (Structure.BRICK, Structure.BLOCK)
        ),
    ),
    floor_m2=(11.0, 30.0),
    height_m=(2.5, 2.7),
    window_to_floor=(0.12, 0.24),
    house=True,
    next_door=NextDoor(outdoor_ratio=0.4, gain_k=2.0, low_c=15.0, high_c=31.0),
    clear=(0.5, 0.95),
    overhang_m=(0.0, 0.5),
)
AMERICA_HOT = Style(
    vintages=(
        Vintage(
            0.30, (0.9, 1.6), (0.30, 0.60), (5.0, 6.5), (0.65, 0.78), (0.6, 1.2), (Structure.FRAME, Structure.BLOCK)
        ),
        Vintage(
            0.40, (0.45, 0.65), (0.20, 0.30), (3.0, 4.5), (0.40, 0.65), (0.4, 0.9), (Structure.FRAME, Structure.BLOCK)
        ),
        Vintage(0.30, (0.35, 0.50), (0.15, 0.20), (1.9, 2.8), (0.22, 0.35), (0.2, 0.5), (Structure.FRAME,)),
    ),
    floor_m2=(14.0, 36.0),
    height_m=(2.4, 2.75),
    window_to_floor=(0.12, 0.22),
    house=True,
    next_door=AMERICAN,
    clear=(0.5, 0.95),
    overhang_m=(0.2, 0.8),
)
AMERICA_COLD = Style(
    vintages=(
        Vintage(
            0.35, (0.6, 1.5), (0.25, 0.50), (2.8, 4.8), (0.55, 0.72), (0.6, 1.2), (Structure.FRAME, Structure.BRICK)
        ),
        Vintage(0.40, (0.40, 0.55), (0.15, 0.25), (2.4, 3.2), (0.40, 0.65), (0.4, 0.8), (Structure.FRAME,)),
        Vintage(0.25, (0.28, 0.36), (0.12, 0.16), (1.6, 2.0), (0.27, 0.45), (0.2, 0.4), (Structure.FRAME,)),
    ),
    floor_m2=(14.0, 34.0),
    height_m=(2.4, 2.75),
    window_to_floor=(0.12, 0.22),
    house=True,
    next_door=AMERICAN,
    clear=(0.5, 0.95),
    overhang_m=(0.1, 0.5),
)
TROPICS = Style(
    vintages=(Vintage(1.0, (2.0, 3.2), (0.6, 1.5), (5.3, 5.8), (0.55, 0.80), (0.8, 1.8), (Structure.CONCRETE,)),),
    floor_m2=(10.0, 24.0),
    height_m=(2.6, 2.8),
    window_to_floor=(0.14, 0.26),
    house=False,
    next_door=TROPICAL,
    clear=(0.4, 0.9),
    overhang_m=(0.3, 0.9),
)


def draw_vintage(rng: np.random.Generator, style: Style) -> Vintage:
    """The age of a dwelling, by the shares of the stock."""
    return style.vintages[int(rng.choice(len(style.vintages), p=[one.share for one in style.vintages]))]


def draw_box(rng: np.random.Generator, style: Style, vintage: Vintage) -> Box:
    """One room in words; ``weather`` is left at 0."""
    structure = vintage.structures[int(rng.integers(len(vintage.structures)))]
    floor_m2 = float(rng.uniform(*style.floor_m2))
    height_m = float(rng.uniform(*style.height_m))
    wide_m = float(np.sqrt(floor_m2 * rng.uniform(0.65, 1.1)))  # the front; assumed
    deep_m = floor_m2 / wide_m
    corner = bool(rng.random() < (0.6 if style.house else 0.3))  # a second outer wall; assumed
    top = bool(rng.random() < (HOUSE_TOP_RATIO if style.house else FLAT_TOP_RATIO))
    bottom = bool(rng.random() < (HOUSE_GROUND_RATIO if style.house else FLAT_TOP_RATIO)) and (style.house or not top)
    angle = float(rng.uniform(0.0, 2.0 * np.pi))
    front = (float(np.sin(angle)), float(np.cos(angle)))

    glass_m2 = min(float(rng.uniform(*style.window_to_floor)) * floor_m2, 0.6 * wide_m * height_m)
    windows = _windows(rng, style, glass_m2, front, corner)
    front_m2 = wide_m * height_m - windows[0].area_m2
    side_m2 = deep_m * height_m - sum(window.area_m2 for window in windows[1:]) if corner else 0.0
    wall_m2 = front_m2 + side_m2
    wall = insulated(WALLS[structure], float(rng.uniform(*vintage.wall_w_m2_k)))
    light = structure is Structure.FRAME
    between: Layers = (WOOD_FLOOR, Layer(0.2, 1.0), GYPSUM) if light else (PLASTER, SLAB, PLASTER)
    roof = insulated((WOOD_FLOOR, GYPSUM) if light else (SLAB, PLASTER), float(rng.uniform(*vintage.roof_w_m2_k)))
    inner_m2 = (wide_m + deep_m * (1.0 if corner else 2.0)) * height_m  # walls to other rooms
    absorptance = float(rng.uniform(0.4, 0.75))  # light to dark; assumed
    ceiling = (
        Element(floor_m2, roof, facing=UPWARD, absorptance=absorptance)
        if top
        else Element(floor_m2, between, adjoining=1.0)
    )
    if bottom:
        floor = Element(floor_m2, (SOIL, SLAB, WOOD_FLOOR), ground=1.0)
    else:  # with one wall to rooms that may be cooler or warmer
        floor = Element(floor_m2 + NEXT_DOOR_WALL_RATIO * inner_m2, between, adjoining=1.0)
    facing = (front_m2 / wall_m2, side_m2 / wall_m2, 0.0, 0.0, 0.0)
    walls = Element(wall_m2, wall, facing=facing, absorptance=absorptance)
    return Box(
        floor_m2=floor_m2,
        volume_m3=floor_m2 * height_m,
        elements=(walls, ceiling, floor),
        mass=Mass((1.0 - NEXT_DOOR_WALL_RATIO) * inner_m2 + FURNITURE_M2_M2 * floor_m2, (PARTITION,)),
        windows=windows,
        glazing=_draw_glazing(rng, vintage),
        front=front,
        leaks=leaks(float(rng.uniform(*vintage.air_changes_h)), floor_m2 * height_m, OPENABLE_RATIO * glass_m2),
        next_door=style.next_door,
        furniture_j_m2_k=float(rng.uniform(8_000.0, 25_000.0)),  # assumed
        blinds_stop_ratio=float(rng.uniform(0.35, 0.65)),  # curtains and inner blinds; assumed
    )


def insulated(layers: Layers, u_w_m2_k: float) -> Layers:
    """The layers with as much insulation outside as the U-value needs; none where they already reach it."""
    u_w_m2_k = U_STEP ** round(log(u_w_m2_k, U_STEP))
    missing_m2_k_w = 1.0 / u_w_m2_k - FILMS_M2_K_W - sum(layer.resistance_m2_k_w for layer in layers)
    return (Layer(missing_m2_k_w, 1.0), *layers) if missing_m2_k_w > 0.0 else layers


def leaks(air_changes_h: float, volume_m3: float, opening_m2: float) -> Leaks:
    """Leaks that give the stated air change at ``TYPICAL_K`` and ``TYPICAL_WIND_M_S``."""
    flow_m3_s = (1.0 - CONSTANT_LEAK_RATIO) * air_changes_h * volume_m3 / 3600.0
    return Leaks(
        constant_ach=CONSTANT_LEAK_RATIO * air_changes_h,
        stack_m6_s2_k=(1.0 - WIND_LEAK_RATIO) * flow_m3_s**2 / TYPICAL_K,
        wind_m4=WIND_LEAK_RATIO * flow_m3_s**2 / TYPICAL_WIND_M_S**2,
        opening_m2=opening_m2,
    )


def _draw_glazing(rng: np.random.Generator, vintage: Vintage) -> Glazing:
    u_w_m2_k, solar_factor = float(rng.uniform(*vintage.window_w_m2_k)), float(rng.uniform(*vintage.solar_factor))
    return glazing(u_w_m2_k, solar_factor, TRANSMITTED_RATIO * solar_factor)


def _windows(
    rng: np.random.Generator, style: Style, glass_m2: float, front: tuple[float, float], corner: bool
) -> tuple[Window, ...]:
    """One in front, and in some corner rooms a smaller one in the right facade."""
    side_ratio = 0.3 if corner and rng.random() < 0.6 else 0.0  # assumed
    shade = {
        "clear_ratio": float(rng.uniform(*style.clear)),
        "overhang_m": float(rng.uniform(*style.overhang_m)),
        "overhang_gap_m": 0.3,
        "high_m": 1.5,
    }
    windows = [Window((1.0 - side_ratio) * glass_m2, front[0], front[1], **shade)]
    if side_ratio > 0.0:
        windows.append(Window(side_ratio * glass_m2, front[1], -front[0], **shade))
    return tuple(windows)
