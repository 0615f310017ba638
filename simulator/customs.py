"""What households of a place like and do: distributions from which persons and habits are drawn.

Neutral temperatures. Summer: people at home with air conditioning in China are neutral about 26 °C (GB 50736 level II:
26-28 °C; Liu et al., Journal of Civil and Environmental Engineering 41(5), 2019, on set temperatures in cities of the
Yangtze), in American houses about 24 °C (RECS 2020: most homes set 70-76 °F in summer, [from memory]). Winter: where
homes have no heating system people dress for the cold (GB/T 18883-2022 asks for 16-24 °C; Han et al., "A comparative
analysis of urban and rural residential thermal comfort under natural ventilation environment", Energy and Buildings 41,
2009, found neutral 14 °C in towns, [from memory]), yet set 20 °C once they heat: their winter band is wide, from where
they are measured to switch on to what they then set. Where the whole house is heated they are neutral at 21-22 °C.
People differ by a standard deviation of about 1 K or more (Wang et al., "Individual difference in thermal comfort: a
literature review", Building and Environment 138, 2018; the figure is assumed). Half-widths: ASHRAE 55's adaptive limits
are 2.5 K (90 % content) and 3.5 K (80 %), PMV of 0.5 is about 1.8 K. The wide ones belong to homes that run room by
room and hour by hour: there the edges must lie where people are measured to act.

Classes. ``all_day``: somebody is home most of the day and the unit runs while they are. ``part_time``: away at work, on
when hot or cold, off at leaving: the Chinese pattern (Hu et al., "Exploring key factors impacting cooling usage
patterns of Chinese urban household", Energy and Buildings 214, 2020). ``forgotten``: as ``part_time``, but the unit
often runs on in an empty room. The surveys rank the patterns; the shares below are assumed and can be given to
``homes.draw``.

Switching on. The threshold of the hazard lies just inside the edge of the band, so that what people say they like and
what they do agree; how soon they act is fitted so that the mean indoor air at turning on comes near the 29.4 °C of July
and 12.6 °C of January measured by Du et al. (HV&AC, 2022) in the Yangtze basin. Elsewhere assumed.

Japan. Rooms are heated and cooled one by one and while somebody is in them; the government asks for 28 °C in summer and
20 °C in winter ("Cool Biz", "Warm Biz"), homes are known to set 1-2 K more comfortable [from memory]. All other figures
assumed, between those of southern China and Spain. The mild zone of China (GB 50176: Kunming) has no heating; its
winter band is assumed to be that of southern China.
"""

from dataclasses import dataclass, replace
from math import exp

import numpy as np

from simulator.residents import ALL_DAY, Habit, Person

Normal = tuple[float, float]  # mean and standard deviation

HIGHEST_COOLING_C, LOWEST_COOLING_C = 29.0, 18.0  # that households set by habit; assumed
HIGHEST_HEATING_C, LOWEST_HEATING_C = 30.0, 16.0
RADIATOR_W_M2 = 90.0  # of floor, at most; assumed
LEAST_HALF_WIDTH_K = 1.0  # nobody notices less: PMV of 0.3; assumed
EDGE_K = 0.5  # inside the band's edge, where people begin to think of their unit; assumed
CLIP = 2.3  # standard deviations


@dataclass(frozen=True, slots=True)
class Customs:
    """Distributions of a place."""

    class_shares: tuple[float, float, float]  # in the order of ``residents.CLASSES``
    lunch_ratio: float  # of working households that come home at noon on most days; assumed
    room_shares: tuple[float, float, float]  # whole, bedroom, living room; of part_time and forgotten; assumed
    summer_neutral_c: Normal
    winter_neutral_c: Normal
    winter_asleep_shift_k: Normal
    summer_half_width_k: Normal
    winter_half_width_k: Normal
    cooling_scale_k: float  # how far past the edge part_time reaches for the remote control within an hour; median
    heating_scale_k: float
    cooling_setpoint_c: Normal
    heating_setpoint_c: Normal
    heats_ratio: float  # of homes that heat with the unit; the others have radiators, unless ``unheated``
    radiators_ratio: float  # of the homes that heat with the unit, those which have radiators too
    cooling_run_h: float  # median until part_time switches off, awake
    heating_run_h: float
    holidays: tuple[tuple[int, int], ...]  # days of the year; moving feasts at their middle
    unheated: bool = False  # homes that do not heat with the unit have no radiators either


CHINESE_HOLIDAYS = ((0, 0), (30, 36), (94, 94), (120, 122), (170, 170), (263, 263), (273, 279))
EUROPEAN_HOLIDAYS = ((0, 0), (97, 100), (120, 120), (226, 226), (304, 304), (358, 359))
JAPANESE_HOLIDAYS = ((0, 2), (118, 118), (122, 124), (224, 226), (264, 265), (363, 364))
AMERICAN_HOLIDAYS = ((0, 0), (148, 148), (184, 184), (246, 246), (327, 328), (358, 358))

SOUTHERN_CHINA = Customs(
    class_shares=(0.15, 0.7, 0.15),
    lunch_ratio=0.3,
    room_shares=(0.3, 0.4, 0.3),
    summer_neutral_c=(26.0, 1.0),
    winter_neutral_c=(18.0, 1.2),
    winter_asleep_shift_k=(-3.0, 1.0),  # under quilts in cold bedrooms
    summer_half_width_k=(2.8, 0.5),
    winter_half_width_k=(4.8, 0.6),  # from where they switch the heating on to what they then set
    cooling_scale_k=1.3,
    heating_scale_k=6.0,
    cooling_setpoint_c=(25.6, 1.6),
    heating_setpoint_c=(20.5, 2.3),
    heats_ratio=1.0,
    radiators_ratio=0.0,
    cooling_run_h=2.0,
    heating_run_h=1.7,
    holidays=CHINESE_HOLIDAYS,
)
NORTHERN_CHINA = Customs(
    class_shares=(0.15, 0.7, 0.15),
    lunch_ratio=0.3,
    room_shares=(0.3, 0.4, 0.3),
    summer_neutral_c=(25.8, 1.0),
    winter_neutral_c=(21.3, 1.1),
    winter_asleep_shift_k=(-1.0, 0.6),
    summer_half_width_k=(2.4, 0.5),
    winter_half_width_k=(2.4, 0.5),
    cooling_scale_k=1.3,
    heating_scale_k=4.0,
    cooling_setpoint_c=(25.6, 1.6),
    heating_setpoint_c=(23.0, 2.5),
    heats_ratio=0.15,
    radiators_ratio=1.0,
    cooling_run_h=3.0,
    heating_run_h=1.4,
    holidays=CHINESE_HOLIDAYS,
)
MILD_CHINA = replace(SOUTHERN_CHINA, heats_ratio=0.0, unheated=True)
JAPANESE = Customs(
    class_shares=(0.2, 0.65, 0.15),
    lunch_ratio=0.05,
    room_shares=(0.2, 0.3, 0.5),
    summer_neutral_c=(26.0, 1.0),
    winter_neutral_c=(19.0, 1.2),
    winter_asleep_shift_k=(-3.0, 1.0),  # under quilts in cold bedrooms
    summer_half_width_k=(2.5, 0.5),
    winter_half_width_k=(3.6, 0.6),  # as in southern China: rooms are heated one by one
    cooling_scale_k=1.3,
    heating_scale_k=3.0,
    cooling_setpoint_c=(26.5, 1.4),
    heating_setpoint_c=(21.5, 2.0),
    heats_ratio=1.0,
    radiators_ratio=0.0,
    cooling_run_h=3.0,
    heating_run_h=2.5,
    holidays=JAPANESE_HOLIDAYS,
)
BRITISH = Customs(
    class_shares=(0.25, 0.55, 0.2),
    lunch_ratio=0.05,
    room_shares=(0.4, 0.3, 0.3),
    summer_neutral_c=(24.5, 1.1),
    winter_neutral_c=(19.8, 1.1),
    winter_asleep_shift_k=(-1.0, 0.6),
    summer_half_width_k=(2.1, 0.45),
    winter_half_width_k=(2.1, 0.45),
    cooling_scale_k=1.3,
    heating_scale_k=1.5,
    cooling_setpoint_c=(23.5, 1.6),
    heating_setpoint_c=(21.5, 1.5),
    heats_ratio=0.2,
    radiators_ratio=1.0,
    cooling_run_h=3.0,
    heating_run_h=3.0,
    holidays=EUROPEAN_HOLIDAYS,
)
SPANISH = Customs(
    class_shares=(0.25, 0.55, 0.2),
    lunch_ratio=0.15,
    room_shares=(0.4, 0.3, 0.3),
    summer_neutral_c=(25.4, 1.1),
    winter_neutral_c=(19.5, 1.2),
    winter_asleep_shift_k=(-1.5, 0.8),
    summer_half_width_k=(2.4, 0.5),
    winter_half_width_k=(2.4, 0.5),
    cooling_scale_k=1.3,
    heating_scale_k=1.5,
    cooling_setpoint_c=(24.8, 1.6),
    heating_setpoint_c=(22.0, 1.8),
    heats_ratio=0.6,
    radiators_ratio=0.2,
    cooling_run_h=3.0,
    heating_run_h=2.5,
    holidays=EUROPEAN_HOLIDAYS,
)
AMERICAN = Customs(
    class_shares=(0.5, 0.25, 0.25),
    lunch_ratio=0.05,
    room_shares=(0.6, 0.2, 0.2),
    summer_neutral_c=(24.2, 1.1),
    winter_neutral_c=(21.0, 1.1),
    winter_asleep_shift_k=(-1.0, 0.6),
    summer_half_width_k=(1.8, 0.4),
    winter_half_width_k=(1.8, 0.4),
    cooling_scale_k=1.0,
    heating_scale_k=1.0,
    cooling_setpoint_c=(23.4, 1.5),
    heating_setpoint_c=(21.0, 1.4),
    heats_ratio=0.8,
    radiators_ratio=0.0,
    cooling_run_h=5.0,
    heating_run_h=4.0,
    holidays=AMERICAN_HOLIDAYS,
)
TROPICAL = Customs(
    class_shares=(0.2, 0.6, 0.2),
    lunch_ratio=0.05,
    room_shares=(0.2, 0.6, 0.2),
    summer_neutral_c=(26.2, 1.0),
    winter_neutral_c=(24.0, 1.0),
    winter_asleep_shift_k=(-0.5, 0.5),
    summer_half_width_k=(2.5, 0.5),
    winter_half_width_k=(2.5, 0.5),
    cooling_scale_k=1.3,
    heating_scale_k=4.0,
    cooling_setpoint_c=(24.8, 1.5),
    heating_setpoint_c=(22.0, 1.0),
    heats_ratio=0.0,
    radiators_ratio=0.0,
    cooling_run_h=4.0,
    heating_run_h=1.0,
    holidays=((0, 0), (30, 31), (120, 120), (220, 220), (358, 358)),
    unheated=True,
)


def draw_person(rng: np.random.Generator, customs: Customs) -> Person:
    """What one household likes."""
    luck = np.clip(rng.normal(size=9), -CLIP, CLIP)
    both = luck[0]  # who likes it warm in summer likes it warm in winter, partly; assumed
    return Person(
        summer_neutral_c=_near(customs.summer_neutral_c, both),
        winter_neutral_c=_near(customs.winter_neutral_c, 0.6 * both + 0.8 * luck[1]),
        summer_asleep_shift_k=0.2 + 0.5 * luck[2],  # light bedding, less activity: about as awake; assumed
        winter_asleep_shift_k=_near(customs.winter_asleep_shift_k, luck[3]),
        summer_half_width_k=max(_near(customs.summer_half_width_k, luck[4]), LEAST_HALF_WIDTH_K),
        winter_half_width_k=max(_near(customs.winter_half_width_k, 0.7 * luck[4] + 0.7 * luck[5]), LEAST_HALF_WIDTH_K),
        asleep_wider_k=0.4,  # bedding is easily moved; assumed
        patience_s=1500.0 * exp(0.5 * luck[6]),
        asleep_patience_ratio=exp(1.0 + 0.35 * luck[7]),
        step_k=float(rng.choice([1.0, 2.0, 3.0], p=[0.65, 0.28, 0.07])),
        sting=0.3 * exp(0.5 * luck[8]),
    )


def draw_habit(
    rng: np.random.Generator, customs: Customs, kind: int, person: Person, floor_m2: float, utc_offset_s: float
) -> Habit:
    """How a household of one class uses its unit, and what it brings into the room."""
    luck = np.clip(rng.normal(size=8), -CLIP, CLIP)
    even = rng.random(12)
    taste_k = person.summer_neutral_c - customs.summer_neutral_c[0]
    cooling_c = _near(customs.cooling_setpoint_c, luck[0]) + 0.5 * taste_k
    high_c = person.summer_neutral_c + person.summer_half_width_k
    low_c = person.winter_neutral_c - person.winter_half_width_k
    all_day = kind == ALL_DAY
    heats = bool(even[0] < customs.heats_ratio)
    radiators = bool(even[11] < customs.radiators_ratio) if heats else not customs.unheated
    return Habit(
        kind=kind,
        utc_offset_s=utc_offset_s,
        cooling_setpoint_c=float(np.clip(round(cooling_c), LOWEST_COOLING_C, HIGHEST_COOLING_C)),
        heating_setpoint_c=float(
            np.clip(round(_near(customs.heating_setpoint_c, luck[1])), LOWEST_HEATING_C, HIGHEST_HEATING_C)
        ),
        heats=heats,
        starts_above_c=high_c - EDGE_K + 0.4 * luck[2],
        starts_below_c=low_c + EDGE_K + 0.4 * luck[3],
        cooling_scale_k=(0.5 if all_day else 1.0) * customs.cooling_scale_k * exp(0.5 * luck[6]),
        heating_scale_k=(0.5 if all_day else 1.0) * customs.heating_scale_k * exp(0.6 * luck[7]),
        forget_ratio=(0.15, 0.04, 0.45 + 0.5 * even[1])[kind],
        wake_off_ratio=(0.25, 0.85, 0.3)[kind],
        cooling_run_s=0.0 if all_day else 3600.0 * customs.cooling_run_h * exp(0.4 * luck[4]),
        heating_run_s=3600.0 * (3.0 if all_day else 1.0) * customs.heating_run_h * exp(0.4 * luck[5]),
        sleep_timer_s=3600.0 * (1.0 + 4.0 * even[2]) if even[3] < (0.3, 0.6, 0.15)[kind] else 0.0,
        as_it_was_ratio=0.6,
        heats_asleep=bool(even[4] < (0.3, 0.1, 0.3)[kind]),
        window_ratio=0.2 + 0.8 * even[5],
        blinds_away_ratio=float(rng.choice([0.0, 0.5, 1.0])),
        blinds_sun_ratio=float(rng.choice([0.0, 0.5, 1.0])),
        guest_ratio=0.02 + 0.1 * even[6],
        persons=1.0 + 1.8 * even[7],
        appliances_w=floor_m2 * (2.0 + 6.0 * even[8]),  # JGJ 134 reckons with 4.3 W/m2 inside, people included
        idle_w=4.0 + 20.0 * even[9],
        radiator_w=RADIATOR_W_M2 * floor_m2 if radiators else 0.0,
        radiator_target_c=person.winter_neutral_c + 0.5 + 1.5 * even[10],  # the valve is half shut 1.5 K below
    )


def spread(index: int, offset: float, shares: tuple[float, ...], stride: float = 0.618_033_988_75) -> int:
    """A class by shares for home ``index``: any run of homes has about those shares, as the stride is irrational."""
    place = (offset + stride * index) % 1.0
    return min(int(np.searchsorted(np.cumsum(shares), place * sum(shares), side="right")), len(shares) - 1)


def _near(normal: Normal, luck: float) -> float:
    return normal[0] + normal[1] * luck
