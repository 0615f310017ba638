"""Split air conditioners: what the compressor, coils and fans do, and the unit's own controller on its own sensor.

With s the frequency over that at the rating point, at which the nameplate's full capacity and power are reached:

    Q(s) = Q_rated f_Q(T_wet, T_out) f_fan s (1 + b (1 - s))
    P(s) = P_rated f_Q f_E(T_wet, T_out) (a_0 + a_1 s + a_2 s^2) + P_fan

``a_0`` is what the compressor's drive and oil take at any speed: because of it the best efficiency is not at the lowest
frequency. Below the lowest frequency the unit cycles, and each start loses heat. In cooling part of Q is latent:
the air that touches the coil leaves saturated at the apparatus dew point, the rest passes by (bypass factor).

Rating points of ISO 5151 and GB/T 7725: 35 C outdoors, 27 C dry and 19 C wet indoors; 7 C and 20 C in heating.
``prepare`` holds whatever follows outdoor air and lasts 5 minutes, ``step`` the 60-s step.
"""

import math

from simulator.jit import njit
from simulator.records import record

AIR_J_PER_KG_K = 1006.0
VAPOUR_J_PER_KG_K = 1860.0
LATENT_J_PER_KG = 2.501e6  # at 0 C
ICE_J_PER_KG = 334_000.0  # of fusion


@record
class Unit:
    """Constants of one unit. Rated heat and power are of the nameplate, net of the indoor fan's heat."""

    rated_cooling_w: float
    rated_heating_w: float
    cooling_power_w: float  # all electricity at the rating point
    heating_power_w: float
    fixed_speed: bool
    minimum_frequency_ratio: float  # over the frequency of rated cooling or heating
    maximum_cooling_ratio: float
    maximum_heating_ratio: float
    capacity_bend: float  # b
    cooling_power_0: float  # a_0
    cooling_power_1: float
    cooling_power_2: float
    heating_power_0: float
    heating_power_1: float
    heating_power_2: float
    airflow_kg_s: float  # of the indoor fan at full speed
    bypass_ratio: float  # of the air that passes the wet coil untouched, at full speed
    fan_w: float  # indoor fan at full speed
    outdoor_airflow_kg_s: float
    standby_w: float
    crankcase_w: float
    sensor_offset_k: float
    sensor_drift_k: float
    sensor_lag_s: float
    sensor_step_k: float
    heating_compensation_k: float  # subtracted from the sensor in heating, where air is warmer under the ceiling
    stop_k: float  # past the setpoint
    restart_k: float  # short of the setpoint
    gain_per_k: float  # of frequency ratio, on a change of the error
    integral_per_k_s: float
    minimum_run_s: float
    minimum_rest_s: float
    start_frequency_ratio: float
    start_cooling_loss_j: float
    start_heating_loss_j: float
    capacity_factor: float  # faults; 1 is healthy
    power_factor: float
    airflow_factor: float
    outdoor_excess_k: float  # air at the outdoor coil against the weather: warmer in cooling, colder in heating


@record
class UnitState:
    """What changes from minute to minute; a state of zeros is a unit that has just been plugged in."""

    running: bool
    frequency_ratio: float
    in_state_s: float  # since the compressor last started or stopped
    frost_kg: float
    defrosting: bool
    heat_w: float  # sensible, to the room air; cooling is negative
    power_w: float
    moisture_kg_s: float  # taken out of the air, at least 0
    starts: int
    sensor_c: float  # what its own thermistor reads
    # written by prepare
    prepared: bool
    probe_c: float  # the thermistor itself, before offset and steps
    capacity_w: float  # at s = 1
    compressor_w: float
    capacity_airflow: float
    frost_kg_s: float  # at s = 1
    idle_w: float
    owed_j: float  # heat still to be lost to the last start
    last_error_k: float


@record
class Panel:
    """What the remote control has set."""

    on: bool
    heating: bool
    dry: bool
    fan_only: bool
    setpoint_c: float
    fan: int  # 0 automatic, 1..3


@njit
def air_enthalpy_j_kg(dry_bulb_c: float, humidity_kg_kg: float) -> float:
    """Enthalpy of moist air per kg of dry air."""
    return AIR_J_PER_KG_K * dry_bulb_c + humidity_kg_kg * (LATENT_J_PER_KG + VAPOUR_J_PER_KG_K * dry_bulb_c)


@njit
def saturated_c(enthalpy_j_kg: float) -> float:
    """Temperature of saturated air of this enthalpy, within 0.15 K from 0 to 32 C: also the wet bulb, within 0.2 K."""
    root = math.sqrt(max(enthalpy_j_kg, 0.0) / 1000.0)
    return -9.58118868 + root * (1.97702501 + root * (0.42776959 - root * 0.02287965))


@njit
def saturated_kg_kg(temperature_c: float) -> float:
    """Humidity ratio of saturated air at sea level; over ice below 0 C (Magnus, WMO-No. 8)."""
    if temperature_c >= 0.0:
        pressure_pa = 611.2 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))
    else:
        pressure_pa = 611.2 * math.exp(22.46 * temperature_c / (272.62 + temperature_c))
    return 0.62198 * pressure_pa / (101_325.0 - pressure_pa)


# Curves of temperature. Cooling and the heating power: mini-splits measured for NREL, as in ResStock (BEopt default).
# Heating capacity at a fixed frequency: single-speed heat pump of Cutler et al., NREL/TP-5500-56354, 2013.


@njit
def cooling_capacity_factor(wet_bulb_c: float, outdoor_c: float) -> float:
    """Capacity over that at 19.4 C wet bulb and 35 C outdoors."""
    return (
        1.008993521905866
        + 0.006512749025457 * wet_bulb_c
        + outdoor_c * (0.003917565735935 - 0.000222646705889 * outdoor_c)
    )


@njit
def cooling_input_factor(wet_bulb_c: float, outdoor_c: float) -> float:
    """Power per cooling over that at 19.4 C wet bulb and 35 C outdoors."""
    return (
        0.429214441601141
        + wet_bulb_c * (-0.003604841598515 + 0.000045783162727 * wet_bulb_c)
        + outdoor_c * (0.026490875804937 - 0.000159212286878 * outdoor_c - 0.000159062656483 * wet_bulb_c)
    )


@njit
def heating_capacity_factor(indoor_c: float, outdoor_c: float) -> float:
    """Capacity over that at 21.1 C indoors and 8.3 C outdoors."""
    return (
        0.876825
        + indoor_c * (-0.002955 - 0.000058 * indoor_c)
        + outdoor_c * (0.025335 + 0.000196 * outdoor_c - 0.000043 * indoor_c)
    )


@njit
def heating_input_factor(indoor_c: float, outdoor_c: float) -> float:
    """Power per heating over that at 20 C indoors and 7 C outdoors."""
    return (
        0.966475472847719
        + indoor_c * (0.005914950101249 + 0.000191201688297 * indoor_c)
        + outdoor_c * (-0.012965668198361 + 0.000042253229429 * outdoor_c - 0.000524002558712 * indoor_c)
    )


@njit
def clip(value: float, low: float, high: float) -> float:
    """The value, or the border that it lies beyond."""
    return min(max(value, low), high)


@njit
def prepare(
    unit: Unit,
    state: UnitState,
    panel: Panel,
    outdoor_c: float,
    outdoor_humidity_kg_kg: float,
    return_c: float,
    return_humidity_kg_kg: float,
) -> None:
    """Follow the weather and the air at the unit; once before the five steps of 5 minutes."""
    if not state.prepared:
        state.prepared = True
        state.probe_c = return_c
        state.in_state_s = 1e6
    state.idle_w = unit.standby_w
    if outdoor_c < CRANKCASE_C and not state.running:
        state.idle_w += unit.crankcase_w
    if panel.heating:
        coil_c = clip(outdoor_c - unit.outdoor_excess_k, -25.0, 25.0)
        indoor_c = clip(return_c, 10.0, 30.0)
        factor = max(heating_capacity_factor(indoor_c, coil_c), 0.2)
        state.capacity_w = unit.rated_heating_w * factor * unit.capacity_factor
        input_factor = max(heating_input_factor(indoor_c, coil_c), 0.4)
        state.compressor_w = (unit.heating_power_w - unit.fan_w) * factor * input_factor * unit.power_factor
        surface_c = coil_c - OUTDOOR_APPROACH_K
        state.frost_kg_s = 0.0
        if surface_c < 0.0:
            wetter = outdoor_humidity_kg_kg - saturated_kg_kg(surface_c)
            state.frost_kg_s = max(wetter, 0.0) * unit.outdoor_airflow_kg_s * OUTDOOR_CONTACT
    else:
        coil_c = clip(outdoor_c + unit.outdoor_excess_k, 5.0, 55.0)
        wet_bulb_c = clip(saturated_c(air_enthalpy_j_kg(return_c, return_humidity_kg_kg)), 8.0, 28.0)
        factor = max(cooling_capacity_factor(wet_bulb_c, coil_c), 0.2)
        state.capacity_w = unit.rated_cooling_w * factor * unit.capacity_factor
        input_factor = max(cooling_input_factor(wet_bulb_c, coil_c), 0.3)
        state.compressor_w = (unit.cooling_power_w - unit.fan_w) * factor * input_factor * unit.power_factor
        state.frost_kg_s = 0.0


CRANKCASE_C = 5.0  # assumed; below it the crankcase is kept warm while the compressor rests
OUTDOOR_APPROACH_K = 6.0  # assumed: outdoor coil's surface below the air at s = 1
OUTDOOR_CONTACT = 0.3  # assumed: share of the outdoor air that meets the coil's surface
FROST_LIMIT_KG = 0.8  # assumed: a 3.5 kW coil is defrosted at the latest then
FROST_CAPACITY_LOSS = 0.25  # assumed: capacity lost just before a defrost
DEFROST_POWER_RATIO = 0.6  # assumed: of rated heating power
DEFROST_MELT_RATIO = 0.5  # assumed: of rated heating capacity, that melts ice
DEFROST_ROOM_RATIO = 0.03  # assumed: of rated heating capacity, drawn from the room while its fan rests


@njit
def air_ratio(panel_fan: int, frequency_ratio: float) -> float:
    """Indoor air flow over that of full speed; automatic follows the frequency (assumed levels)."""
    if panel_fan == 0:
        return clip(0.45 + 0.55 * frequency_ratio, 0.5, 1.0)
    return 0.4 + 0.2 * panel_fan


@njit
def step(unit: Unit, state: UnitState, panel: Panel, return_c: float, humidity_kg_kg: float, dt_s: float) -> None:
    """Let ``dt_s`` seconds pass under the unit's own controller, with air of ``return_c`` at its inlet."""
    state.probe_c += (return_c - state.probe_c) * dt_s / (unit.sensor_lag_s + dt_s)
    reads_c = state.probe_c + unit.sensor_offset_k + unit.sensor_drift_k
    state.sensor_c = math.floor(reads_c / unit.sensor_step_k + 0.5) * unit.sensor_step_k
    if panel.heating:
        error_k = panel.setpoint_c - (state.sensor_c - unit.heating_compensation_k)
    else:
        error_k = state.sensor_c - panel.setpoint_c
    _switch(unit, state, panel, error_k, dt_s)
    state.last_error_k = error_k
    fan = air_ratio(panel.fan, state.frequency_ratio)
    fan_w = unit.fan_w * fan * fan * fan
    state.moisture_kg_s = 0.0
    state.heat_w = 0.0
    if not panel.on:
        state.power_w = state.idle_w
        return
    if not state.running:
        state.power_w = unit.standby_w + fan_w
        state.heat_w = fan_w
        return
    s = state.frequency_ratio
    thermal_w = state.capacity_w * s * (1.0 + unit.capacity_bend * (1.0 - s))
    if panel.heating:
        power = unit.heating_power_0 + s * (unit.heating_power_1 + s * unit.heating_power_2)
        if state.defrosting:
            state.frost_kg -= unit.rated_heating_w * DEFROST_MELT_RATIO / ICE_J_PER_KG * dt_s
            state.defrosting = state.frost_kg > 0.0
            state.frost_kg = max(state.frost_kg, 0.0)
            state.heat_w = -DEFROST_ROOM_RATIO * unit.rated_heating_w
            state.power_w = DEFROST_POWER_RATIO * unit.heating_power_w
            return
        thermal_w *= 1.0 - FROST_CAPACITY_LOSS * state.frost_kg / FROST_LIMIT_KG
        state.frost_kg += state.frost_kg_s * s * dt_s
        state.defrosting = state.frost_kg > FROST_LIMIT_KG
    else:
        power = unit.cooling_power_0 + s * (unit.cooling_power_1 + s * unit.cooling_power_2)
    lost_w = min(state.owed_j / dt_s, thermal_w)
    state.owed_j -= lost_w * dt_s
    thermal_w -= lost_w
    state.power_w = state.compressor_w * power + fan_w
    if panel.heating:
        state.heat_w = thermal_w
    else:
        latent_w = _latent_w(unit, thermal_w, unit.airflow_kg_s * unit.airflow_factor * fan, return_c, humidity_kg_kg)
        state.heat_w = latent_w - thermal_w
        state.moisture_kg_s = latent_w / LATENT_J_PER_KG


@njit
def _latent_w(unit: Unit, thermal_w: float, airflow_kg_s: float, return_c: float, humidity_kg_kg: float) -> float:
    """Latent part of a cooling capacity, by the apparatus dew point."""
    touching_kg_s = airflow_kg_s * (1.0 - unit.bypass_ratio)
    enthalpy = air_enthalpy_j_kg(return_c, humidity_kg_kg) - thermal_w / touching_kg_s
    coil_c = saturated_c(enthalpy)
    coil_kg_kg = (enthalpy - AIR_J_PER_KG_K * coil_c) / (LATENT_J_PER_KG + VAPOUR_J_PER_KG_K * coil_c)
    latent_w = touching_kg_s * (humidity_kg_kg - coil_kg_kg) * LATENT_J_PER_KG
    return clip(latent_w, 0.0, 0.7 * thermal_w)


@njit
def _switch(unit: Unit, state: UnitState, panel: Panel, error_k: float, dt_s: float) -> None:
    """Start, stop or change the frequency; ``error_k`` above zero asks for more."""
    asked = panel.on and not panel.fan_only
    state.in_state_s += dt_s
    if not state.running:
        if asked and error_k > unit.restart_k and state.in_state_s > unit.minimum_rest_s:
            state.running = True
            state.in_state_s = 0.0
            state.starts += 1
            state.frequency_ratio = 1.0 if unit.fixed_speed else unit.start_frequency_ratio
            state.owed_j = unit.start_heating_loss_j if panel.heating else unit.start_cooling_loss_j
        return
    if not asked or (error_k < -unit.stop_k and state.in_state_s > unit.minimum_run_s and not state.defrosting):
        state.running = False
        state.defrosting = False
        state.in_state_s = 0.0
        state.frequency_ratio = 0.0
        return
    if unit.fixed_speed:
        return
    change = unit.gain_per_k * (error_k - state.last_error_k) + unit.integral_per_k_s * error_k * dt_s
    highest = unit.maximum_heating_ratio if panel.heating else unit.maximum_cooling_ratio
    state.frequency_ratio = clip(state.frequency_ratio + change, unit.minimum_frequency_ratio, highest)
