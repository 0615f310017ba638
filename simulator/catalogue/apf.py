"""Annual performance factor of a unit: virtual tests, then bins of outdoor temperature.

Method of ISO 16358-1, -2 and -3:2013, which GB 21455-2019 follows: capacity and power are measured at full, half and
minimum capacity, at 35 and 29 °C in cooling and at 7, 2 (frosting) and -7 °C in heating. Between those temperatures
both are lines. Where the load lies between two levels of capacity, efficiency is a line in temperature between the
points at which the load is just the one and just the other; below the minimum the unit cycles with a degradation of
0.25; beyond the full capacity an electric heater helps in heating.

What is not certain: the standards' text was not at hand. Loads are zero at 23 and 12 °C, and the rated cooling at
35 °C [from memory]; how steep the line of heating is, is assumed: as in JIS C 9612, where 0.82 x 1.25 of the rated
cooling belong to 17 K [from memory]. The seasons have 1136 and 433 h (GB/T 7725
[from memory]). How they fall into bins is not even that: J. Wu et al., "Residential air-conditioner usage in China and
efficiency standardization", Energy 119, 2017, doi:10.1016/j.energy.2016.11.038, whose survey made the standard's
curves, say that over 52 % of cooling hours lie at 27..30 °C and over 75 % of heating hours at 0..8 °C; bell curves with
about these shares stand here. Other hours can be handed in: ISO's reference cooling season is there to compare.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from simulator.catalogue.air_conditioners import Nameplate, from_nameplate
from simulator.physics.moist_air import humidity_kg_kg
from simulator.physics.split_unit import Unit, held, total_heat_w
from simulator.records import as_table, rows_of

COOLING_NONE_C, COOLING_FULL_C = 23.0, 35.0
HEATING_NONE_C, HEATING_RATIO_PER_K = 12.0, 0.82 * 1.25 / 17.0
DEGRADATION = 0.25
FROST_FREE_FROM_C, FROST_FREE_BELOW_C = 5.5, -7.0
INDOOR_COOLING_C, INDOOR_HEATING_C = 27.0, 20.0
INDOOR_COOLING_KG_KG = 0.010439  # at 27 °C and 19 °C wet bulb; a test recomputes it
OUTDOOR_RELATIVE_PCT = {7.0: 87.0, 2.0: 84.0, -7.0: 75.0}  # of wet bulbs 6, 1 and -8 °C, rounded

Bins = Mapping[int, float]


def bell(hours: float, low_c: int, high_c: int, mean_c: float, spread_k: float) -> Bins:
    """Hours in whole degrees from ``low_c`` to ``high_c``, in the shape of a bell."""
    weights = {t: math.exp(-0.5 * ((t - mean_c) / spread_k) ** 2) for t in range(low_c, high_c + 1)}
    return {t: hours * weight / sum(weights.values()) for t, weight in weights.items()}


COOLING_BINS = bell(1136.0, 24, 38, 28.7, 2.85)  # 54 % at 27..30 °C
HEATING_BINS = bell(433.0, -7, 11, 4.0, 4.0)  # 77 % at 0..8 °C
# ISO 16358-1:2013, reference outdoor temperature bins, 1817 h [from memory]
ISO_COOLING_BINS = dict(
    zip(range(21, 36), (100, 139, 165, 196, 210, 215, 210, 181, 150, 120, 75, 35, 11, 6, 4), strict=True)
)


@dataclass(frozen=True, slots=True)
class Season:
    """Heat moved and electricity taken in a season. [Wh]"""

    heat_wh: float
    energy_wh: float

    @property
    def factor(self) -> float:
        """Seasonal efficiency. [Wh/Wh]"""
        return self.heat_wh / self.energy_wh


@dataclass(frozen=True, slots=True)
class Level:
    """One level of capacity: heat and power as lines of outdoor temperature through tests."""

    heat_w: Callable[[float], float]
    power_w: Callable[[float], float]


def apf(unit: Unit, cooling_bins: Bins = COOLING_BINS, heating_bins: Bins = HEATING_BINS) -> float:
    """Annual performance factor. [Wh/Wh]"""
    cooling, heating = cooling_season(unit, cooling_bins), heating_season(unit, heating_bins)
    return (cooling.heat_wh + heating.heat_wh) / (cooling.energy_wh + heating.energy_wh)


def fitted_efficiency(plate: Nameplate) -> float:
    """The scalar on both rated efficiencies that brings the computed APF to the nameplate's."""
    efficiency = plate.efficiency
    for _ in range(20):
        ratio = plate.apf / apf(from_nameplate(replace(plate, efficiency=efficiency)))
        efficiency *= ratio  # the APF is nearly proportional to it
        if abs(ratio - 1.0) < 1e-6:
            break
    return efficiency


def cooling_season(unit: Unit, bins: Bins = COOLING_BINS) -> Season:
    """Of the load line through nothing at 23 °C and the rated capacity at 35 °C."""
    levels = [_cooling_level(unit, ratio) for ratio in _levels(unit)]

    def load_w(outdoor_c: float) -> float:
        return unit.rated_cooling_w * (outdoor_c - COOLING_NONE_C) / (COOLING_FULL_C - COOLING_NONE_C)

    return _season(levels, load_w, bins, helped=False)


def heating_season(unit: Unit, bins: Bins = HEATING_BINS) -> Season:
    """Of the load line through nothing at 12 °C, as steep as JIS C 9612's."""
    levels = [_heating_level(unit, ratio) for ratio in _levels(unit)]

    def load_w(outdoor_c: float) -> float:
        return unit.rated_cooling_w * HEATING_RATIO_PER_K * (HEATING_NONE_C - outdoor_c)

    return _season(levels, load_w, bins, helped=True)


def _levels(unit: Unit) -> list[float]:
    """Frequencies of minimum, half and full capacity; a fixed speed has only the last."""
    if unit.fixed_speed:
        return [1.0]
    b = unit.capacity_bend
    half = ((1.0 + b) - math.sqrt((1.0 + b) ** 2 - 2.0 * b)) / (2.0 * b)  # s (1 + b (1 - s)) = 1/2
    return [unit.minimum_ratio, half, 1.0]


def _cooling_level(unit: Unit, ratio: float) -> Level:
    row = rows_of(as_table([unit]), Unit)[0]
    at = (35.0, 29.0)
    heat, power = [], []
    for outdoor_c in at:
        heat.append(total_heat_w(row, ratio, outdoor_c, INDOOR_COOLING_C, INDOOR_COOLING_KG_KG))
        power.append(held(row, ratio, outdoor_c, INDOOR_COOLING_C, INDOOR_COOLING_KG_KG, False)[1])
    return Level(_line(at, heat), _line(at, power))


def _heating_level(unit: Unit, ratio: float) -> Level:
    row = rows_of(as_table([unit]), Unit)[0]
    tests = {}
    for outdoor_c, relative in OUTDOOR_RELATIVE_PCT.items():
        humidity = humidity_kg_kg(outdoor_c, relative) if outdoor_c == 2.0 else 0.0  # only the 2 °C test frosts
        tests[outdoor_c] = held(row, ratio, outdoor_c, INDOOR_HEATING_C, humidity, True)

    def by_frost(index: int) -> Callable[[float], float]:
        clear = _line((7.0, -7.0), (tests[7.0][index], tests[-7.0][index]))
        frosting = _line((2.0, -7.0), (tests[2.0][index], tests[-7.0][index]))
        return lambda t: frosting(t) if FROST_FREE_BELOW_C < t < FROST_FREE_FROM_C else clear(t)

    return Level(by_frost(0), by_frost(1))


def _line(at: tuple[float, float], values: list[float] | tuple[float, float]) -> Callable[[float], float]:
    slope = (values[1] - values[0]) / (at[1] - at[0])
    return lambda t: values[0] + slope * (t - at[0])


def _season(levels: list[Level], load_w: Callable[[float], float], bins: Bins, *, helped: bool) -> Season:
    heat_wh = energy_wh = 0.0
    for outdoor_c, hours in bins.items():
        load = load_w(outdoor_c)
        if load <= 0.0:
            continue
        given_w, power_w = _at_load(levels, load, load_w, outdoor_c)
        if helped and given_w < load:
            power_w += load - given_w  # electric heater
            given_w = load
        heat_wh += given_w * hours
        energy_wh += power_w * hours
    return Season(heat_wh, energy_wh)


def _at_load(
    levels: list[Level], load: float, load_w: Callable[[float], float], outdoor_c: float
) -> tuple[float, float]:
    """Heat given and power taken at one temperature. [W, W]"""
    least, most = levels[0], levels[-1]
    if load <= least.heat_w(outdoor_c):
        ratio = load / least.heat_w(outdoor_c)
        return load, ratio * least.power_w(outdoor_c) / (1.0 - DEGRADATION * (1.0 - ratio))
    for lower, upper in pairwise(levels):
        if load <= upper.heat_w(outdoor_c):
            low_c, high_c = _crossing(lower, load_w), _crossing(upper, load_w)
            low = lower.heat_w(low_c) / lower.power_w(low_c)
            high = upper.heat_w(high_c) / upper.power_w(high_c)
            return load, load / (low + (high - low) * (outdoor_c - low_c) / (high_c - low_c))
    return most.heat_w(outdoor_c), most.power_w(outdoor_c)


def _crossing(level: Level, load_w: Callable[[float], float]) -> float:
    """Outdoor temperature at which a level just carries the load, by bisection. [°C]"""
    low_c, high_c = -60.0, 80.0
    rises = load_w(high_c) - level.heat_w(high_c) > 0.0
    for _ in range(50):
        middle_c = 0.5 * (low_c + high_c)
        if (load_w(middle_c) > level.heat_w(middle_c)) == rises:
            high_c = middle_c
        else:
            low_c = middle_c
    return high_c
