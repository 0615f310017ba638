"""Two-node rooms: indoor air and building mass, with a moisture balance of the air.

    C_a dT_a/dt = (T_o - T_a)/R_ao + (T_m - T_a)/R_am + Q_a
    C_m dT_m/dt = (T_a - T_m)/R_am + (T_o - T_m)/R_mo + Q_m
    V rho dw/dt = m_inf (w_o - w) + G - M

Q_a is heat given to the air [W] (cooling is negative), Q_m heat given to the mass (sun that falls on floor and walls).
Model TiTe of P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings", Energy and
Buildings 43(7), 2011, doi:10.1016/j.enbuild.2011.02.005, with a direct air-to-outdoor path for leakage and glass.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AIR_DENSITY_KG_M3 = 1.2
WATER_DENSITY_RATIO = 0.622  # of the molar masses of water and dry air
PRESSURE_PA = 101_325.0


@dataclass(frozen=True, slots=True)
class RoomParameters:
    """Constants of n rooms, each of shape (n,)."""

    air_capacity_j_per_k: Array  # C_a, with furniture
    mass_capacity_j_per_k: Array  # C_m
    air_outdoor_k_per_w: Array  # R_ao: windows and leakage
    air_mass_k_per_w: Array  # R_am
    mass_outdoor_k_per_w: Array  # R_mo: through the walls
    solar_aperture_m2: Array  # horizontal solar to heat in the room
    solar_to_mass_ratio: Array  # 0..1, the rest heats the air at once
    volume_m3: Array
    air_changes_per_h: Array


@dataclass(frozen=True, slots=True)
class RoomState:
    """Temperatures and humidity of n rooms, each of shape (n,)."""

    air_c: Array  # T_a
    mass_c: Array  # T_m
    humidity_kg_kg: Array  # w


def saturation_pressure_pa(temperature_c: Array) -> Array:
    """Pressure of saturated water vapour over water. [Pa]

    Magnus form with the coefficients of O. Alduchov and R. Eskridge, Journal of Applied Meteorology 35, 1996.
    """
    return np.asarray(610.94 * np.exp(17.625 * temperature_c / (temperature_c + 243.04)))


def humidity_ratio(temperature_c: Array, humidity_pct: Array) -> Array:
    """Water in air, from relative humidity. [kg per kg of dry air]"""
    vapour_pa = humidity_pct / 100.0 * saturation_pressure_pa(temperature_c)
    return np.asarray(WATER_DENSITY_RATIO * vapour_pa / (PRESSURE_PA - vapour_pa))


def relative_humidity_pct(temperature_c: Array, humidity_kg_kg: Array) -> Array:
    """Relative humidity, 0..100. [%]"""
    vapour_pa = PRESSURE_PA * humidity_kg_kg / (WATER_DENSITY_RATIO + humidity_kg_kg)
    return np.asarray(np.clip(100.0 * vapour_pa / saturation_pressure_pa(temperature_c), 0.0, 100.0))


def step(
    state: RoomState,
    params: RoomParameters,
    *,
    outdoor_c: Array,
    outdoor_humidity_kg_kg: Array,
    solar_w_m2: Array,
    heat_w: Array,
    moisture_kg_s: Array,
    dt_s: float,
) -> RoomState:
    """Advance every room by one explicit Euler step of ``dt_s`` seconds; the input is not changed.

    Parameters
    ----------
    heat_w : Array, shape (n,)
        Heat of people, appliances and the air conditioner to the air; cooling is negative. [W]
    moisture_kg_s : Array, shape (n,)
        Water given to the air by people, less what the air conditioner takes out. [kg/s]
    """
    solar_w = params.solar_aperture_m2 * solar_w_m2
    from_outdoor_w = (outdoor_c - state.air_c) / params.air_outdoor_k_per_w
    from_mass_w = (state.mass_c - state.air_c) / params.air_mass_k_per_w
    mass_from_outdoor_w = (outdoor_c - state.mass_c) / params.mass_outdoor_k_per_w
    air_w = from_outdoor_w + from_mass_w + heat_w + (1.0 - params.solar_to_mass_ratio) * solar_w
    mass_w = -from_mass_w + mass_from_outdoor_w + params.solar_to_mass_ratio * solar_w
    exchange_per_s = params.air_changes_per_h / 3600.0
    humidity_rate = exchange_per_s * (outdoor_humidity_kg_kg - state.humidity_kg_kg) + moisture_kg_s / (
        params.volume_m3 * AIR_DENSITY_KG_M3
    )
    return RoomState(
        air_c=state.air_c + dt_s * air_w / params.air_capacity_j_per_k,
        mass_c=state.mass_c + dt_s * mass_w / params.mass_capacity_j_per_k,
        humidity_kg_kg=np.maximum(state.humidity_kg_kg + dt_s * humidity_rate, 1e-5),
    )
