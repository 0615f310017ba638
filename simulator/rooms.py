"""Rooms, units and people drawn at random from stated ranges, for training and for load.

Every range says where it comes from. "assumed" means that nobody has measured it for us yet: a plausible span, wide
on purpose, so that a model trained on it meets more kinds of rooms than any one street holds.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.physics.air_conditioner import UnitParameters
from simulator.physics.room import AIR_DENSITY_KG_M3, Array, RoomParameters

AIR_HEAT_CAPACITY_J_PER_KG_K = 1005.0


class Range(NamedTuple):
    """Values between ``low`` and ``high``, evenly, or evenly in their logarithm."""

    low: float
    high: float
    basis: str
    logarithmic: bool = False

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """``n`` values."""
        if self.logarithmic:
            return np.asarray(np.exp(rng.uniform(np.log(self.low), np.log(self.high), n)))
        return rng.uniform(self.low, self.high, n)


FLOOR_M2 = Range(9.0, 30.0, "assumed: bedroom to living room of a flat")
HEIGHT_M = Range(2.55, 2.9, "assumed: storeys of flats")
AIR_CAPACITY_MULTIPLE = Range(3.0, 8.0, "assumed: furniture takes part in the air's temperature")
AIR_CHANGES_PER_H = Range(0.3, 1.2, "assumed: tight to leaky, windows shut")
WINDOW_TO_FLOOR = Range(0.12, 0.40, "assumed")
WINDOW_U_W_PER_M2_K = Range(2.0, 5.8, "double glazing with a coating to a single pane, EN ISO 10077-1, rounded")
WALL_TO_FLOOR = Range(0.4, 1.6, "assumed: one to three outer walls or a roof")
WALL_U_W_PER_M2_K = Range(0.4, 2.0, "insulated to bare brick; assumed", logarithmic=True)
INNER_SURFACE_TO_FLOOR = Range(2.6, 3.6, "floor, ceiling and walls of a box; assumed")
SURFACE_COEFFICIENT_W_PER_M2_K = Range(2.5, 5.0, "convection at inner surfaces, ISO 6946 annex, rounded")
MASS_J_PER_M2_K = Range(80e3, 370e3, "ISO 13790:2008 table 12, very light to very heavy", logarithmic=True)
GLAZING_G = Range(0.30, 0.75, "solar transmittance of glazing with and without blinds; assumed")
HORIZONTAL_TO_WINDOW = Range(0.15, 0.65, "sun on the window over sun on the horizontal, with shade; assumed")
SOLAR_TO_MASS = Range(0.4, 0.8, "assumed")

COOLING_W_PER_M2 = Range(130.0, 220.0, "sizing by sellers of split units; assumed")
RATED_COOLING_LIMITS_W = (2300.0, 7200.0)
HEATING_TO_COOLING = Range(1.1, 1.3, "nameplates of split heat pumps; assumed")
COP_COOLING = Range(3.0, 4.3, "EER at the rating point of inverter units; assumed")
COP_HEATING = Range(3.1, 4.3, "assumed")
MINIMUM_LOAD = Range(0.12, 0.30, "assumed")
MAXIMUM_LOAD = Range(1.05, 1.30, "assumed")
GAIN_PER_K = Range(0.3, 0.7, "assumed")
SENSOR_OFFSET_K = Range(0.2, 2.0, "return air under the ceiling; assumed")
FAN_W = Range(20.0, 45.0, "assumed")
STANDBY_W = Range(0.5, 3.0, "energy facts, from memory")
MINIMUM_RUN_S = Range(180.0, 420.0, "assumed")
MINIMUM_REST_S = Range(180.0, 240.0, "compressor protection of about 3 min")

SUMMER_NEUTRAL_C = Range(24.8, 27.4, "assumed, about GB 50736 level II in cooling, 26 to 28 °C")
WINTER_NEUTRAL_C = Range(19.0, 22.5, "assumed, about GB 50736 level II in heating, 18 to 22 °C")
HALF_WIDTH_K = Range(0.8, 1.8, "assumed")
ASLEEP_SHIFT_K = Range(-0.8, 0.6, "assumed")
PERSONS = Range(1.0, 2.6, "in one room; assumed")
APPLIANCES_W = Range(30.0, 200.0, "while people are awake in the room; assumed")
HABIT_SHARES = (0.3, 0.4, 0.3)  # all day, away at work, at night only; assumed


@dataclass(frozen=True, slots=True)
class PeopleParameters:
    """Habits and hidden comfort of the people of n rooms, each of shape (n,). Hours are local, 0..24."""

    habit: Array  # index into HABIT_SHARES
    leave_h: Array
    return_h: Array
    jitter_h: Array  # standard deviation from day to day
    outing_ratio: Array  # share of free days with an outing
    summer_neutral_c: Array
    winter_neutral_c: Array
    half_width_k: Array
    asleep_shift_k: Array
    persons: Array
    appliances_w: Array


def draw_rooms(rng: np.random.Generator, n: int) -> tuple[RoomParameters, Array]:
    """``n`` rooms, and their floors. [m2]"""
    floor_m2 = FLOOR_M2.draw(rng, n)
    volume_m3 = floor_m2 * HEIGHT_M.draw(rng, n)
    air_j_per_k = volume_m3 * AIR_DENSITY_KG_M3 * AIR_HEAT_CAPACITY_J_PER_KG_K
    changes_per_h = AIR_CHANGES_PER_H.draw(rng, n)
    window_m2 = floor_m2 * WINDOW_TO_FLOOR.draw(rng, n)
    direct_w_per_k = air_j_per_k * changes_per_h / 3600.0 + window_m2 * WINDOW_U_W_PER_M2_K.draw(rng, n)
    surface_m2 = floor_m2 * INNER_SURFACE_TO_FLOOR.draw(rng, n)
    rooms = RoomParameters(
        air_capacity_j_per_k=air_j_per_k * AIR_CAPACITY_MULTIPLE.draw(rng, n),
        mass_capacity_j_per_k=floor_m2 * MASS_J_PER_M2_K.draw(rng, n),
        air_outdoor_k_per_w=1.0 / direct_w_per_k,
        air_mass_k_per_w=1.0 / (surface_m2 * SURFACE_COEFFICIENT_W_PER_M2_K.draw(rng, n)),
        mass_outdoor_k_per_w=1.0 / (floor_m2 * WALL_TO_FLOOR.draw(rng, n) * WALL_U_W_PER_M2_K.draw(rng, n)),
        solar_aperture_m2=window_m2 * GLAZING_G.draw(rng, n) * HORIZONTAL_TO_WINDOW.draw(rng, n),
        solar_to_mass_ratio=SOLAR_TO_MASS.draw(rng, n),
        volume_m3=volume_m3,
        air_changes_per_h=changes_per_h,
    )
    return rooms, floor_m2


def draw_units(rng: np.random.Generator, floor_m2: Array) -> UnitParameters:
    """A unit for each room, sized by its floor."""
    n = floor_m2.size
    rated_w = np.clip(floor_m2 * COOLING_W_PER_M2.draw(rng, n), *RATED_COOLING_LIMITS_W)
    return UnitParameters(
        rated_cooling_w=rated_w,
        rated_heating_w=rated_w * HEATING_TO_COOLING.draw(rng, n),
        cop_cooling=COP_COOLING.draw(rng, n),
        cop_heating=COP_HEATING.draw(rng, n),
        minimum_load=MINIMUM_LOAD.draw(rng, n),
        maximum_load=MAXIMUM_LOAD.draw(rng, n),
        gain_per_k=GAIN_PER_K.draw(rng, n),
        sensor_offset_k=SENSOR_OFFSET_K.draw(rng, n),
        fan_w=FAN_W.draw(rng, n),
        standby_w=STANDBY_W.draw(rng, n),
        minimum_run_s=MINIMUM_RUN_S.draw(rng, n),
        minimum_rest_s=MINIMUM_REST_S.draw(rng, n),
    )


def draw_people(rng: np.random.Generator, n: int) -> PeopleParameters:
    """The people of ``n`` rooms. Hours of leaving and returning are assumed, like their spread."""
    habit = rng.choice(len(HABIT_SHARES), size=n, p=HABIT_SHARES)
    at_night = habit == 2
    leave_h = np.where(habit == 0, rng.normal(10.0, 1.0, n), rng.normal(7.5, 0.6, n))
    away_h = np.where(habit == 0, rng.uniform(1.0, 3.0, n), rng.normal(10.8, 0.9, n))
    return_h = np.where(at_night, rng.normal(21.7, 0.8, n), leave_h + away_h)
    return PeopleParameters(
        habit=habit.astype(np.float64),
        leave_h=leave_h,
        return_h=np.minimum(return_h, 23.7),
        jitter_h=rng.uniform(0.1, 0.8, n),
        outing_ratio=rng.uniform(0.2, 0.8, n),
        summer_neutral_c=SUMMER_NEUTRAL_C.draw(rng, n),
        winter_neutral_c=WINTER_NEUTRAL_C.draw(rng, n),
        half_width_k=HALF_WIDTH_K.draw(rng, n),
        asleep_shift_k=ASLEEP_SHIFT_K.draw(rng, n),
        persons=PERSONS.draw(rng, n),
        appliances_w=APPLIANCES_W.draw(rng, n),
    )
