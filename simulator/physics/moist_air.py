"""Moist air at any pressure: scalar functions for compiled code, and some of arrays.

Humidity is the humidity ratio, kg of water per kg of dry air. Saturation is over water at all temperatures: the Magnus
form with the coefficients of O. Alduchov and R. Eskridge, J. Appl. Meteorology 35, 1996,
doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2, within 0.4 % of the measured from -40 to 50 °C. Gas laws and
enthalpies as in ASHRAE Handbook Fundamentals 2017, chapter 1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit

Array = NDArray[np.float64]

PRESSURE_PA = 101_325.0  # standard atmosphere at sea level
WATER_DENSITY_RATIO = 0.621945  # of the molar masses of water and dry air
DRY_AIR_J_PER_KG_K = 287.042  # gas constant
AIR_HEAT_J_PER_KG_K = 1006.0  # specific heats at constant pressure
VAPOUR_HEAT_J_PER_KG_K = 1860.0
WATER_HEAT_J_PER_KG_K = 4186.0
EVAPORATION_J_PER_KG = 2_501_000.0  # at 0 °C
ZERO_C_K = 273.15


@njit
def saturation_pressure_pa(temperature_c: float) -> float:
    """Pressure of saturated vapour over water. [Pa]"""
    return 610.94 * math.exp(17.625 * temperature_c / (temperature_c + 243.04))


def saturation_pressures_pa(temperature_c: Array) -> Array:
    """``saturation_pressure_pa`` of an array. [Pa]"""
    return np.asarray(610.94 * np.exp(17.625 * temperature_c / (temperature_c + 243.04)))


def dew_points_c(vapour_pa: Array) -> Array:
    """Temperatures at which vapour of these pressures condenses. [°C]"""
    logarithm = np.log(np.maximum(vapour_pa, 1e-3) / 610.94)
    return np.asarray(243.04 * logarithm / (17.625 - logarithm))


@njit
def saturation_kg_kg(temperature_c: float, pressure_pa: float = PRESSURE_PA) -> float:
    """Humidity ratio of saturated air. [kg/kg]"""
    vapour_pa = saturation_pressure_pa(temperature_c)
    return WATER_DENSITY_RATIO * vapour_pa / (pressure_pa - vapour_pa)


@njit
def humidity_kg_kg(temperature_c: float, relative_pct: float, pressure_pa: float = PRESSURE_PA) -> float:
    """Humidity ratio from relative humidity, 0..100. [kg/kg]"""
    vapour_pa = relative_pct / 100.0 * saturation_pressure_pa(temperature_c)
    return WATER_DENSITY_RATIO * vapour_pa / (pressure_pa - vapour_pa)


@njit
def relative_pct(temperature_c: float, humidity_kg_kg: float, pressure_pa: float = PRESSURE_PA) -> float:
    """Relative humidity; above 100 the air is fog. [%]"""
    vapour_pa = pressure_pa * humidity_kg_kg / (WATER_DENSITY_RATIO + humidity_kg_kg)
    return 100.0 * vapour_pa / saturation_pressure_pa(temperature_c)


def relative_pcts(temperature_c: Array, humidity_kg_kg: Array, pressure_pa: float | Array = PRESSURE_PA) -> Array:
    """``relative_pct`` of arrays. [%]"""
    vapour_pa = pressure_pa * humidity_kg_kg / (WATER_DENSITY_RATIO + humidity_kg_kg)
    return np.asarray(100.0 * vapour_pa / saturation_pressures_pa(temperature_c))


@njit
def enthalpy_j_kg(temperature_c: float, humidity_kg_kg: float) -> float:
    """Of moist air per kg of dry air, zero for dry air at 0 °C. [J/kg]"""
    vapour_j_kg = EVAPORATION_J_PER_KG + VAPOUR_HEAT_J_PER_KG_K * temperature_c
    return AIR_HEAT_J_PER_KG_K * temperature_c + humidity_kg_kg * vapour_j_kg


@njit
def density_kg_m3(temperature_c: float, humidity_kg_kg: float = 0.0, pressure_pa: float = PRESSURE_PA) -> float:
    """Dry air in a cubic metre of moist air. [kg/m3]"""
    absolute_k = temperature_c + ZERO_C_K
    return pressure_pa / (DRY_AIR_J_PER_KG_K * absolute_k * (1.0 + humidity_kg_kg / WATER_DENSITY_RATIO))


@njit
def wet_bulb_c(temperature_c: float, humidity_kg_kg: float, pressure_pa: float = PRESSURE_PA) -> float:
    """Thermodynamic wet bulb temperature over water, by Newton steps from the dry bulb. [°C]"""
    wet_c = temperature_c
    for _ in range(6):
        saturated = saturation_kg_kg(wet_c, pressure_pa)
        evaporation = EVAPORATION_J_PER_KG + VAPOUR_HEAT_J_PER_KG_K * temperature_c - WATER_HEAT_J_PER_KG_K * wet_c
        heat = AIR_HEAT_J_PER_KG_K + humidity_kg_kg * VAPOUR_HEAT_J_PER_KG_K
        # zero where the heat that the air gives up evaporates what it takes up
        excess = (saturated - humidity_kg_kg) * evaporation - heat * (temperature_c - wet_c)
        scale_k = wet_c + 243.04
        slope = evaporation * saturated * 17.625 * 243.04 / (scale_k * scale_k) + heat
        wet_c -= excess / slope
    return wet_c


@njit
def pressure_at_pa(altitude_m: float) -> float:
    """Of the standard atmosphere (ISO 2533). [Pa]"""
    return PRESSURE_PA * math.pow(1.0 - 2.25577e-5 * altitude_m, 5.2559)
