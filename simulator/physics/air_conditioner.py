"""Inverter split units: capacity and power by load and temperature, with the unit's own controller and sensor.

The unit moves its load towards what its own sensor asks for, between a minimum (below which it cycles) and a maximum;
its coefficient of performance rises as load falls, and falls with the lift between outdoor and indoor air:

    q = clip(k (T_sensor - T_set), q_min, q_max)             in cooling; mirrored in heating
    COP = COP_rated * lift(T_o, T_i) * part_load(q / q_rated)
    P = q / COP + P_fan

Rating point: 35 °C outdoors, 27 °C indoors (ISO 5151, T1); in heating 7 °C and 20 °C.
The curves are a first, plain form; their coefficients are typical values and not those of one product.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.physics.room import Array, saturation_pressure_pa

BoolArray = NDArray[np.bool_]

LATENT_HEAT_J_PER_KG = 2.45e6
COIL_APPROACH_K = 14.0  # the coil is about this much colder than the air that it cools


@dataclass(frozen=True, slots=True)
class UnitParameters:
    """Constants of n units, each of shape (n,)."""

    rated_cooling_w: Array
    rated_heating_w: Array
    cop_cooling: Array  # at the rating point
    cop_heating: Array
    minimum_load: Array  # of the rated capacity, below which the compressor cycles
    maximum_load: Array
    gain_per_k: Array  # load asked for per kelvin of the unit's own error
    sensor_offset_k: Array  # the unit's sensor less the occupied zone, in cooling (warm air under the ceiling)
    fan_w: Array
    standby_w: Array
    minimum_run_s: Array
    minimum_rest_s: Array


@dataclass(frozen=True, slots=True)
class UnitState:
    """Compressors of n units, each of shape (n,)."""

    running: BoolArray
    in_state_s: Array  # since the compressor last started or stopped
    load: Array  # of the rated capacity


@dataclass(frozen=True, slots=True)
class UnitOutput:
    """What n units did in a step, each of shape (n,)."""

    heat_w: Array  # to the room air; cooling is negative
    power_w: Array
    moisture_kg_s: Array  # taken out of the air, at least 0


def part_load_factor(load: Array) -> Array:
    """COP at a load over COP at full load, of an inverter compressor: best near 30 % of the rated capacity."""
    return np.asarray(1.0 + 0.62 * (1.0 - load) - 0.48 * np.square(np.maximum(0.4 - load, 0.0)) / 0.16)


def cooling_lift_factor(outdoor_c: Array, indoor_c: Array) -> Array:
    """COP in cooling over that at 35 °C and 27 °C."""
    return np.asarray(np.clip(1.0 - 0.022 * (outdoor_c - 35.0) + 0.015 * (indoor_c - 27.0), 0.5, 1.9))


def heating_lift_factor(outdoor_c: Array, indoor_c: Array) -> Array:
    """COP in heating over that at 7 °C and 20 °C."""
    return np.asarray(np.clip(1.0 + 0.022 * (outdoor_c - 7.0) - 0.015 * (indoor_c - 20.0), 0.45, 1.5))


def step(
    state: UnitState,
    params: UnitParameters,
    *,
    on: BoolArray,
    heating: BoolArray,
    setpoint_c: Array,
    indoor_c: Array,
    indoor_humidity_kg_kg: Array,
    outdoor_c: Array,
    dt_s: float,
) -> tuple[UnitState, UnitOutput]:
    """Advance every unit by ``dt_s`` seconds under its own controller; the input is not changed."""
    offset_k = np.where(heating, 1.3, 1.0) * params.sensor_offset_k
    error_k = np.where(heating, setpoint_c - (indoor_c + offset_k), (indoor_c + offset_k) - setpoint_c)
    asked = np.clip(params.gain_per_k * error_k + 0.25, 0.0, params.maximum_load)
    may_stop = state.in_state_s >= params.minimum_run_s
    may_start = state.in_state_s >= params.minimum_rest_s
    wants_stop = ~on | (error_k < -0.7)
    wants_start = on & (error_k > 0.3)
    running = np.where(state.running, ~(wants_stop & (may_stop | ~on)), wants_start & may_start)
    load = np.where(running, np.maximum(asked, params.minimum_load), 0.0)
    load = np.where(running, state.load + np.clip(load - state.load, -0.25, 0.25) * min(dt_s / 60.0, 1.0), 0.0)
    load = np.where(running, np.maximum(load, params.minimum_load), 0.0)
    starting = running & ~state.running

    rated_w = np.where(heating, params.rated_heating_w, params.rated_cooling_w)
    lift = np.where(heating, heating_lift_factor(outdoor_c, indoor_c), cooling_lift_factor(outdoor_c, indoor_c))
    cop = np.where(heating, params.cop_heating, params.cop_cooling) * lift * part_load_factor(load)
    thermal_w = load * rated_w * np.where(starting, 0.5, 1.0)  # the first minute mostly fills the coil
    compressor_w = load * rated_w / cop
    power_w = np.where(on, compressor_w + params.fan_w, params.standby_w)

    coil_kg_kg = _saturated_kg_kg(indoor_c - COIL_APPROACH_K * np.sqrt(np.maximum(load, 0.0)))
    wetness = np.clip((indoor_humidity_kg_kg - coil_kg_kg) / 0.012, 0.0, 0.45)
    latent_share = np.where(heating, 0.0, wetness)
    moisture_kg_s = latent_share * thermal_w / LATENT_HEAT_J_PER_KG
    heat_w = np.where(heating, thermal_w, -(1.0 - latent_share) * thermal_w)
    in_state_s = np.where(running == state.running, state.in_state_s + dt_s, 0.0)
    return UnitState(running, in_state_s, load), UnitOutput(heat_w, power_w, moisture_kg_s)


def _saturated_kg_kg(temperature_c: Array) -> Array:
    pressure_pa = saturation_pressure_pa(temperature_c)
    return np.asarray(0.622 * pressure_pa / (101_325.0 - pressure_pa))
