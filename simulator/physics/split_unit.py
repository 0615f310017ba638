"""Split air conditioners: what compressor, coils and fans do, and the unit's own controller on its own sensor.

With s the frequency over that at the rating point, where the nameplate's full capacity and power are reached:

    Q(s) = Q_rated f_Q(T_wet, T_out) g_Q s (1 + b (1 - s))
    P(s) = P_rated f_Q f_P(T_wet, T_out) g_P (a_0 + a_1 s + a_2 s^2) + P_fan

f are curves of temperature, g of the indoor air flow. ``a_0`` is what drive, oil and outdoor fan take at any speed:
because of it the best efficiency is not at the lowest frequency. Below the lowest frequency the unit cycles, and each
start costs what the 1-s model (``unit_start``) says. In cooling, the air that touches the coil leaves saturated at the
apparatus dew point and the rest passes by (bypass factor): what is condensed is the latent part of Q. In heating, frost
grows by the humidity outdoors, takes capacity, and is melted by reversing the cycle.

Rating points of ISO 5151 and GB/T 7725: 35 °C outdoors, 27 °C dry and 19 °C wet indoors; in heating 7 °C and 20 °C.
``prepare`` follows the weather once per 5 minutes, ``step`` does the 60 s. Heat to the room is positive.
"""

import math

from simulator.jit import njit
from simulator.physics.moist_air import (
    AIR_HEAT_J_PER_KG_K,
    EVAPORATION_J_PER_KG,
    VAPOUR_HEAT_J_PER_KG_K,
    enthalpy_j_kg,
    saturation_kg_kg,
)
from simulator.records import record

ICE_J_PER_KG = 334_000.0  # of fusion

CRANKCASE_BELOW_C = 5.0  # assumed: outdoors; then oil is kept warm while the compressor rests
READY_W = 6.0  # assumed: electronics and louvres of a unit that is on, beyond its standby
DRY_MAXIMUM_RATIO = 0.5  # assumed: highest frequency while drying
DRY_FAN = 0.45  # assumed: air flow while drying
STILL_SENSOR_RATIO = 4.0  # assumed: lag of the sensor without the fan's draught, when it follows the casing
AT_SETPOINT_RATIO = 0.35  # assumed: frequency ratio after the start plateau where there is no error
STARVED_LOSS = 0.6  # assumed: capacity lost per unit of frequency that a stuck valve is away from its own
# Frost: sized so that at 2 °C and 1 °C wet bulb capacity and power fall by about the 1/1.12 and 1/1.06 that
# ISO 16358-2 takes where nobody measured [from memory]; the rest assumed
OUTDOOR_APPROACH_K = 6.0  # coil's surface below the air at s = 1
OUTDOOR_CONTACT = 0.3  # share of the outdoor air that meets the coil's surface
FROST_KG_PER_W = 0.8 / 4500.0  # on the coil when it is defrosted, per watt of rated heating
FROST_CAPACITY_LOSS = 0.12  # just before a defrost
FROST_POWER_LOSS = 0.06  # likewise: less vapour to compress
DEFROST_POWER_RATIO = 0.6  # of rated heating power
DEFROST_MELT_RATIO = 0.3  # of rated heating capacity, that reaches the ice
DEFROST_ROOM_RATIO = 0.03  # of rated heating capacity, drawn from the room while its fan rests
THAW_KG_S_K = 2e-5  # of frost while the air is above 0 °C and the compressor rests


@record
class Unit:
    """Constants of one unit. Rated heat and power are of the nameplate: all electricity, net of the fan's heat."""

    rated_cooling_w: float
    rated_heating_w: float
    cooling_power_w: float
    heating_power_w: float
    fixed_speed: bool
    minimum_ratio: float  # of frequency, over that of rated cooling (or heating)
    maximum_cooling_ratio: float
    maximum_heating_ratio: float
    capacity_bend: float  # b
    cooling_power_0: float  # a_0, a_1, a_2
    cooling_power_1: float
    cooling_power_2: float
    heating_power_0: float
    heating_power_1: float
    heating_power_2: float
    airflow_kg_s: float  # of the indoor fan at full speed
    bypass_ratio: float  # of the air that passes the wet coil untouched
    fan_w: float  # indoor fan at full speed
    outdoor_airflow_kg_s: float
    standby_w: float
    crankcase_w: float
    # the unit's own sensor and controller
    sensor_offset_k: float
    sensor_lag_s: float
    sensor_step_k: float
    heating_compensation_k: float  # taken from the sensor in heating, as air is warmer under the ceiling
    stop_k: float  # past the setpoint
    restart_k: float  # past the setpoint, less than ``stop_k``
    gain_per_k: float  # frequency ratio per kelvin of error
    integral_per_k_s: float
    minimum_run_s: float
    minimum_rest_s: float
    start_cooling_ratio: float  # frequency of the start plateau
    start_heating_ratio: float
    start_cooling_loss_j: float  # heat that a start fails to deliver
    start_heating_loss_j: float
    start_cooling_energy_j: float  # electricity of a start beyond that of running on; may be negative
    start_heating_energy_j: float
    # faults: 1 or 0 is healthy
    capacity_factor: float
    power_factor: float
    airflow_factor: float
    outdoor_excess_k: float  # air at the outdoor coil: warmer than the weather in cooling, colder in heating
    valve_stuck: float  # 0..1, how much of the flow a stuck expansion valve decides
    valve_ratio: float  # frequency ratio for which it is open
    sensor_drift_k: float


@record
class UnitState:
    """What changes; a state of zeros is a unit that was just plugged in."""

    running: bool
    frequency_ratio: float
    in_state_s: float  # since the compressor last started or stopped
    frost_kg: float
    defrosting: bool
    heat_w: float  # sensible, to the room air; cooling is negative
    power_w: float
    moisture_kg_s: float  # taken out of the air, at least 0
    starts: int
    sensor_c: float  # what its own thermistor reads, and a panel would show
    probe_c: float  # the thermistor itself, before offset and steps
    last_error_k: float
    heating: bool  # the mode in which the compressor runs
    fan_runs: bool
    owed_j: float  # heat of the last start not yet made up for
    excess_j: float  # electricity of the last start not yet counted
    # from ``prepare`` to ``step``
    prepared: bool
    capacity_w: float  # at s = 1
    compressor_w: float  # at s = 1
    frost_kg_s: float  # at s = 1
    resting_w: float  # beside fans, while the compressor rests


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
def saturated_c(air_j_kg: float) -> float:
    """Temperature of saturated air of this enthalpy: the apparatus dew point, or the wet bulb. [°C]

    A cubic in the root of the enthalpy at 101,325 Pa, within 0.15 K from 0 to 32 °C (fitted here); ``moist_air`` has
    the exact one, which takes fifty times as long.
    """
    root = math.sqrt(max(air_j_kg, 0.0) / 1000.0)
    return -9.58118868 + root * (1.97702501 + root * (0.42776959 - root * 0.02287965))


@njit
def saturated_kg_kg(air_j_kg: float) -> float:
    """Humidity ratio of saturated air of this enthalpy. [kg/kg]"""
    coil_c = saturated_c(air_j_kg)
    return (air_j_kg - AIR_HEAT_J_PER_KG_K * coil_c) / (EVAPORATION_J_PER_KG + VAPOUR_HEAT_J_PER_KG_K * coil_c)


@njit
def clip(value: float, low: float, high: float) -> float:
    """The value, or the border that it lies beyond."""
    return min(max(value, low), high)


# Curves of temperature at a held frequency: the single-speed heat pump of D. Cutler et al., "Improved Modeling of
# Residential Air Conditioners and Heat Pumps for Energy Calculations", NREL/TP-5500-56354, 2013, as in EnergyPlus'
# ResidentialACsAndHPsPerfCurves.idf; but power in heating is of ductless splits measured for NREL, as in its ResStock.
# The ductless splits' curve of cooling was left: its power rises by 1.4 % a kelvin outdoors, where ISO 16358-1 takes
# 2.7, Cutler et al. 2.9, and a real machine of NIST's (Z. Chen et al., hardware in the loop,
# DOE EE-0009153, 2024) does 3: there the makers' controllers changed the frequency.
WET_BULB_LOW_C, WET_BULB_HIGH_C = 15.0, 22.0  # Cutler et al. measured 14..22; their parabolas turn beyond
COOLING_LOW_C, COOLING_HIGH_C = 10.0, 52.0
HEATING_LOW_C, HEATING_HIGH_C = -25.0, 20.0


@njit
def cooling_capacity_factor(wet_bulb_c: float, outdoor_c: float) -> float:
    """Capacity over that at 19.4 °C wet bulb and 35 °C outdoors."""
    return (
        1.55736
        + wet_bulb_c * (-0.074448 + 0.003099 * wet_bulb_c)
        + outdoor_c * (0.00146 - 0.000041 * outdoor_c - 0.000427 * wet_bulb_c)
    )


@njit
def cooling_input_factor(wet_bulb_c: float, outdoor_c: float) -> float:
    """Power per cooling over that at 19.4 °C wet bulb and 35 °C outdoors."""
    return (
        -0.350448
        + wet_bulb_c * (0.11681 - 0.0034 * wet_bulb_c)
        + outdoor_c * (-0.001226 + 0.000601 * outdoor_c - 0.000467 * wet_bulb_c)
    )


@njit
def heating_capacity_factor(indoor_c: float, outdoor_c: float) -> float:
    """Capacity over that at 21.1 °C indoors and 8.3 °C outdoors, without frost."""
    return (
        0.876825
        + indoor_c * (-0.002955 - 0.000058 * indoor_c)
        + outdoor_c * (0.025335 + 0.000196 * outdoor_c - 0.000043 * indoor_c)
    )


@njit
def heating_input_factor(indoor_c: float, outdoor_c: float) -> float:
    """Power per heating over that at 20 °C indoors and 7 °C outdoors, without frost."""
    return (
        0.966475472847719
        + indoor_c * (0.005914950101249 + 0.000191201688297 * indoor_c)
        + outdoor_c * (-0.012965668198361 + 0.000042253229429 * outdoor_c - 0.000524002558712 * indoor_c)
    )


# The same curves at the rating points of GB/T 7725; a test recomputes them
COOLING_RATED_CAPACITY, COOLING_RATED_INPUT = 0.978507, 1.024302
HEATING_RATED_CAPACITY, HEATING_RATED_INPUT = 0.975454, 0.999206


@njit
def automatic_fan(frequency_ratio: float) -> float:
    """Indoor air flow over that of full speed, on automatic; assumed levels."""
    return clip(0.45 + 0.55 * frequency_ratio, 0.5, 1.0)


@njit
def fan_ratio(panel: Panel, frequency_ratio: float) -> float:
    """Indoor air flow over that of full speed; the three manual speeds are assumed."""
    if panel.dry:
        return DRY_FAN
    if panel.fan == 0:
        return automatic_fan(frequency_ratio)
    return 0.4 + 0.2 * panel.fan


@njit
def cooling_at_1(
    unit: Unit, outdoor_c: float, return_c: float, humidity_kg_kg: float, frequency_ratio: float, flow: float
) -> tuple[float, float]:
    """Capacity and compressor's power at s = 1, were it as now at ``frequency_ratio``. [W, W]"""
    air_c = clip(outdoor_c + unit.outdoor_excess_k, COOLING_LOW_C, COOLING_HIGH_C)
    # A dry coil does not care how dry the air is, the curve does: it gets the driest air that would still condense
    drop_j_kg = unit.rated_cooling_w * frequency_ratio / _touching_kg_s(unit, flow)
    air_j_kg = enthalpy_j_kg(return_c, humidity_kg_kg)
    for _ in range(2):
        coil_kg_kg = saturated_kg_kg(air_j_kg - drop_j_kg)
        if coil_kg_kg > humidity_kg_kg:
            air_j_kg = enthalpy_j_kg(return_c, coil_kg_kg)
    wet_bulb_c = clip(saturated_c(air_j_kg), WET_BULB_LOW_C, WET_BULB_HIGH_C)
    capacity = max(cooling_capacity_factor(wet_bulb_c, air_c), 0.2) / COOLING_RATED_CAPACITY
    input_ratio = max(cooling_input_factor(wet_bulb_c, air_c), 0.3) / COOLING_RATED_INPUT
    against_auto = unit.airflow_factor * flow / automatic_fan(frequency_ratio)
    capacity_w = unit.rated_cooling_w * capacity * unit.capacity_factor * airflow_capacity(against_auto)
    power_w = (unit.cooling_power_w - unit.fan_w) * capacity * input_ratio * unit.power_factor
    return capacity_w, power_w * airflow_capacity(against_auto) * airflow_input(against_auto)


@njit
def heating_at_1(
    unit: Unit, outdoor_c: float, return_c: float, frequency_ratio: float, flow: float
) -> tuple[float, float]:
    """Capacity without frost and compressor's power at s = 1. [W, W]"""
    air_c = clip(outdoor_c - unit.outdoor_excess_k, HEATING_LOW_C, HEATING_HIGH_C)
    indoor_c = clip(return_c, 10.0, 30.0)
    capacity = max(heating_capacity_factor(indoor_c, air_c), 0.2) / HEATING_RATED_CAPACITY
    input_ratio = max(heating_input_factor(indoor_c, air_c), 0.4) / HEATING_RATED_INPUT
    against_auto = unit.airflow_factor * flow / automatic_fan(frequency_ratio)
    capacity_w = unit.rated_heating_w * capacity * unit.capacity_factor * airflow_capacity(against_auto)
    power_w = (unit.heating_power_w - unit.fan_w) * capacity * input_ratio * unit.power_factor
    return capacity_w, power_w * airflow_capacity(against_auto) * airflow_input(against_auto)


# Curves of the indoor air flow over the automatic's: Cutler et al. 2013, single-speed heat pump, cooling


@njit
def airflow_capacity(ratio: float) -> float:
    """Capacity over that at the design's air flow."""
    r = clip(ratio, 0.3, 1.5)
    return 0.718664047 + r * (0.41797409 - 0.136638137 * r)


@njit
def airflow_input(ratio: float) -> float:
    """Power per capacity over that at the design's air flow."""
    r = clip(ratio, 0.3, 1.5)
    return 1.143487507 + r * (-0.13943972 - 0.004047787 * r)


@njit
def frost_at_1_kg_s(unit: Unit, outdoor_c: float, outdoor_humidity_kg_kg: float) -> float:
    """Frost that grows on the outdoor coil at s = 1. [kg/s]"""
    surface_c = outdoor_c - unit.outdoor_excess_k - OUTDOOR_APPROACH_K
    if surface_c >= 0.0:
        return 0.0
    lacking = outdoor_humidity_kg_kg - saturation_kg_kg(surface_c)
    return max(lacking, 0.0) * unit.outdoor_airflow_kg_s * OUTDOOR_CONTACT


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
        state.in_state_s = 86_400.0
    state.resting_w = unit.standby_w
    if outdoor_c < CRANKCASE_BELOW_C:
        state.resting_w += unit.crankcase_w
    if state.frost_kg > 0.0 and not state.running and outdoor_c > 0.0:
        state.frost_kg = max(state.frost_kg - THAW_KG_S_K * outdoor_c * 300.0, 0.0)
    if not panel.on:
        return
    s = state.frequency_ratio
    if panel.heating:
        if not state.running:
            s = unit.start_heating_ratio
        flow = fan_ratio(panel, s)
        state.capacity_w, state.compressor_w = heating_at_1(unit, outdoor_c, return_c, s, flow)
        state.frost_kg_s = frost_at_1_kg_s(unit, outdoor_c, outdoor_humidity_kg_kg)
    else:
        if not state.running:
            s = unit.start_cooling_ratio
        flow = fan_ratio(panel, s)
        state.capacity_w, state.compressor_w = cooling_at_1(unit, outdoor_c, return_c, return_humidity_kg_kg, s, flow)


@njit
def step(unit: Unit, state: UnitState, panel: Panel, return_c: float, humidity_kg_kg: float, dt_s: float) -> None:
    """Let ``dt_s`` seconds pass under the unit's own controller, with air of ``return_c`` at its inlet.

    Afterwards ``heat_w``, ``power_w`` and ``moisture_kg_s`` of the state are means of these seconds.
    """
    lag_s = unit.sensor_lag_s if state.fan_runs else unit.sensor_lag_s * STILL_SENSOR_RATIO
    state.probe_c += (return_c - state.probe_c) * dt_s / (lag_s + dt_s)
    reads_c = state.probe_c + unit.sensor_offset_k + unit.sensor_drift_k
    state.sensor_c = math.floor(reads_c / unit.sensor_step_k + 0.5) * unit.sensor_step_k
    _control(unit, state, panel, dt_s)
    state.moisture_kg_s = 0.0
    state.fan_runs = False
    if not panel.on:
        state.heat_w = 0.0
        state.power_w = state.resting_w
        return
    s = state.frequency_ratio
    if not state.running:
        # in heating the indoor fan rests with the compressor: it would blow cold
        state.fan_runs = panel.fan_only or not panel.heating
        flow = fan_ratio(panel, 0.0) if state.fan_runs else 0.0
        state.heat_w = unit.fan_w * flow * flow * flow
        state.power_w = state.resting_w + READY_W + state.heat_w
        return
    if state.defrosting:
        _defrost(unit, state, dt_s)
        return
    state.fan_runs = True
    capacity_w = state.capacity_w * _capacity_ratio(unit, s)
    flow = fan_ratio(panel, s)
    fan_w = unit.fan_w * flow * flow * flow
    made_up_w = 0.0
    if state.owed_j > 0.0:
        made_up_w = min(state.owed_j / dt_s, 0.9 * capacity_w)
        state.owed_j -= made_up_w * dt_s
    if state.heating:
        power = unit.heating_power_0 + s * (unit.heating_power_1 + s * unit.heating_power_2)
        if state.frost_kg > 0.0 or state.frost_kg_s > 0.0:
            iced = state.frost_kg / (FROST_KG_PER_W * unit.rated_heating_w)
            power *= 1.0 - FROST_POWER_LOSS * iced
            capacity_w *= 1.0 - FROST_CAPACITY_LOSS * iced
            state.frost_kg += state.frost_kg_s * s * dt_s
            state.defrosting = iced > 1.0
        state.heat_w = capacity_w - made_up_w
    else:
        power = unit.cooling_power_0 + s * (unit.cooling_power_1 + s * unit.cooling_power_2)
        capacity_w -= made_up_w
        taken_w = latent_w(unit, capacity_w, flow, return_c, humidity_kg_kg)
        state.heat_w = taken_w - capacity_w
        state.moisture_kg_s = taken_w / EVAPORATION_J_PER_KG
    state.power_w = state.compressor_w * power + fan_w
    if state.excess_j != 0.0:
        excess_w = clip(state.excess_j / dt_s, -0.7 * state.power_w, state.power_w)
        state.excess_j -= excess_w * dt_s
        state.power_w += excess_w


@njit
def latent_w(unit: Unit, capacity_w: float, flow: float, return_c: float, humidity_kg_kg: float) -> float:
    """What of a cooling capacity condenses water, by the apparatus dew point. [W]"""
    touching_kg_s = _touching_kg_s(unit, flow)
    coil_kg_kg = saturated_kg_kg(enthalpy_j_kg(return_c, humidity_kg_kg) - capacity_w / touching_kg_s)
    return clip(touching_kg_s * (humidity_kg_kg - coil_kg_kg) * EVAPORATION_J_PER_KG, 0.0, 0.7 * capacity_w)


@njit
def _touching_kg_s(unit: Unit, flow: float) -> float:
    """Air that touches the indoor coil."""
    return unit.airflow_kg_s * unit.airflow_factor * flow * (1.0 - unit.bypass_ratio)


@njit
def _defrost(unit: Unit, state: UnitState, dt_s: float) -> None:
    """Melt ice with heat of the reversed cycle; the indoor fan rests."""
    state.frost_kg -= unit.rated_heating_w * DEFROST_MELT_RATIO / ICE_J_PER_KG * dt_s
    state.heat_w = -DEFROST_ROOM_RATIO * unit.rated_heating_w
    state.power_w = DEFROST_POWER_RATIO * unit.heating_power_w
    if state.frost_kg <= 0.0:
        state.frost_kg = 0.0
        state.defrosting = False
        state.owed_j += unit.start_heating_loss_j  # the indoor coil has to warm up again


@njit
def _control(unit: Unit, state: UnitState, panel: Panel, dt_s: float) -> None:
    """Start, stop or change the frequency, as the unit's own board would."""
    if panel.heating:
        error_k = panel.setpoint_c - (state.sensor_c - unit.heating_compensation_k)
    else:
        error_k = state.sensor_c - panel.setpoint_c
    state.in_state_s += dt_s
    asked = panel.on and not panel.fan_only
    if state.running:
        satisfied = error_k < -unit.stop_k and state.in_state_s > unit.minimum_run_s and not state.defrosting
        if satisfied or not asked or state.heating != panel.heating:
            state.running = False
            state.defrosting = False
            state.in_state_s = 0.0
            state.frequency_ratio = 0.0
        elif not unit.fixed_speed:
            change = unit.gain_per_k * (error_k - state.last_error_k) + unit.integral_per_k_s * error_k * dt_s
            highest = unit.maximum_heating_ratio if panel.heating else unit.maximum_cooling_ratio
            if panel.dry:
                highest = DRY_MAXIMUM_RATIO
            state.frequency_ratio = clip(state.frequency_ratio + change, unit.minimum_ratio, highest)
            state.last_error_k = error_k
    elif asked and error_k > -unit.restart_k and state.in_state_s > unit.minimum_rest_s:
        state.running = True
        state.heating = panel.heating
        state.in_state_s = 0.0
        state.starts += 1
        if panel.heating:
            state.frequency_ratio = unit.start_heating_ratio
            state.owed_j = unit.start_heating_loss_j
            state.excess_j = unit.start_heating_energy_j
        else:
            state.frequency_ratio = unit.start_cooling_ratio
            state.owed_j = unit.start_cooling_loss_j
            state.excess_j = unit.start_cooling_energy_j
        # so that the next change leads from the plateau to AT_SETPOINT_RATIO + gain * error
        state.last_error_k = (state.frequency_ratio - AT_SETPOINT_RATIO) / unit.gain_per_k


# The long run, for those who plan ahead: what a held output takes on average, the fan on automatic

# Compressor starts an hour where it has to run half of the time: what ``step`` does in a room of 800 kJ/K, see its test
CYCLES_PER_H, FIXED_CYCLES_PER_H = 0.5, 1.0


@njit
def held(
    unit: Unit, frequency_ratio: float, outdoor_c: float, indoor_c: float, humidity_kg_kg: float, heating: bool
) -> tuple[float, float]:
    """Sensible heat (always positive) and power while the compressor holds a frequency, defrosts included. [W, W]

    ``humidity_kg_kg`` is that of the air whose water settles on a coil: indoors in cooling, outdoors in heating.
    """
    s = frequency_ratio
    flow = automatic_fan(s)
    fan_w = unit.fan_w * flow * flow * flow
    if not heating:
        capacity_w, compressor_w = cooling_at_1(unit, outdoor_c, indoor_c, humidity_kg_kg, s, flow)
        power = unit.cooling_power_0 + s * (unit.cooling_power_1 + s * unit.cooling_power_2)
        capacity_w *= _capacity_ratio(unit, s)
        return capacity_w - latent_w(unit, capacity_w, flow, indoor_c, humidity_kg_kg), compressor_w * power + fan_w
    capacity_w, compressor_w = heating_at_1(unit, outdoor_c, indoor_c, s, flow)
    power = unit.heating_power_0 + s * (unit.heating_power_1 + s * unit.heating_power_2)
    heat_w = capacity_w * _capacity_ratio(unit, s)
    power_w = compressor_w * power + fan_w
    frost_kg_s = frost_at_1_kg_s(unit, outdoor_c, humidity_kg_kg) * s
    if frost_kg_s <= 0.0:
        return heat_w, power_w
    frost_kg = FROST_KG_PER_W * unit.rated_heating_w
    growing_s = frost_kg / frost_kg_s
    melting_s = frost_kg * ICE_J_PER_KG / (DEFROST_MELT_RATIO * unit.rated_heating_w)
    heat_j = growing_s * heat_w * (1.0 - 0.5 * FROST_CAPACITY_LOSS) - unit.start_heating_loss_j
    heat_j -= melting_s * DEFROST_ROOM_RATIO * unit.rated_heating_w
    power_j = growing_s * power_w * (1.0 - 0.5 * FROST_POWER_LOSS)
    power_j += melting_s * DEFROST_POWER_RATIO * unit.heating_power_w
    return max(heat_j, 0.0) / (growing_s + melting_s), power_j / (growing_s + melting_s)


@njit
def total_heat_w(unit: Unit, frequency_ratio: float, outdoor_c: float, indoor_c: float, humidity_kg_kg: float) -> float:
    """Cooling capacity at a held frequency, sensible and latent. [W]"""
    s = frequency_ratio
    capacity_w, _ = cooling_at_1(unit, outdoor_c, indoor_c, humidity_kg_kg, s, automatic_fan(s))
    return capacity_w * _capacity_ratio(unit, s)


@njit
def _capacity_ratio(unit: Unit, s: float) -> float:
    """Capacity over that at s = 1, with what a stuck valve costs."""
    starved = STARVED_LOSS * unit.valve_stuck * abs(s - unit.valve_ratio)
    return s * (1.0 + unit.capacity_bend * (1.0 - s)) * (1.0 - starved)


@njit
def heat_range_w(
    unit: Unit, outdoor_c: float, indoor_c: float, humidity_kg_kg: float, heating: bool
) -> tuple[float, float]:
    """Least and most sensible heat (positive) without cycling; ``humidity_kg_kg`` as in ``held``. [W, W]"""
    highest = unit.maximum_heating_ratio if heating else unit.maximum_cooling_ratio
    least_w, _ = held(unit, unit.minimum_ratio, outdoor_c, indoor_c, humidity_kg_kg, heating)
    most_w, _ = held(unit, highest, outdoor_c, indoor_c, humidity_kg_kg, heating)
    return least_w, most_w


@njit
def steady_power_w(
    unit: Unit, heat_w: float, outdoor_c: float, indoor_c: float, humidity_kg_kg: float, heating: bool
) -> float:
    """Mean power of a unit that is on and gives the room ``heat_w`` (cooling is negative) hour after hour. [W]

    Beyond the unit's most it takes what its most takes; heat of the wrong sign counts as none. Below the least it
    cycles. ``humidity_kg_kg`` as in ``held``.
    """
    wanted_w = max(heat_w, 0.0) if heating else max(-heat_w, 0.0)
    low = unit.minimum_ratio
    high = unit.maximum_heating_ratio if heating else unit.maximum_cooling_ratio
    low_w, low_power_w = held(unit, low, outdoor_c, indoor_c, humidity_kg_kg, heating)
    if wanted_w <= low_w:
        return _cycling_power_w(unit, wanted_w, low_w, low_power_w, outdoor_c, heating)
    high_w, high_power_w = held(unit, high, outdoor_c, indoor_c, humidity_kg_kg, heating)
    if wanted_w >= high_w:
        return high_power_w
    power_w = low_power_w
    for _ in range(4):  # regula falsi; heat is nearly linear in frequency
        middle = low + (high - low) * (wanted_w - low_w) / (high_w - low_w)
        heat, power_w = held(unit, middle, outdoor_c, indoor_c, humidity_kg_kg, heating)
        if abs(heat - wanted_w) < 1.0:
            break
        if heat < wanted_w:
            low, low_w = middle, heat
        else:
            high, high_w = middle, heat
    return power_w


@njit
def _cycling_power_w(
    unit: Unit, wanted_w: float, running_w: float, running_power_w: float, outdoor_c: float, heating: bool
) -> float:
    """Mean power where the compressor rests now and then; starts an hour are 4 N d (1 - d), d the duty."""
    resting_w = unit.standby_w + READY_W
    if outdoor_c < CRANKCASE_BELOW_C:
        resting_w += unit.crankcase_w
    if not heating:
        fan = automatic_fan(0.0)
        resting_w += unit.fan_w * fan * fan * fan
        wanted_w += unit.fan_w * fan * fan * fan
    loss_j = unit.start_heating_loss_j if heating else unit.start_cooling_loss_j
    energy_j = unit.start_heating_energy_j if heating else unit.start_cooling_energy_j
    duty = min(wanted_w / running_w, 1.0)
    cycles_per_h = FIXED_CYCLES_PER_H if unit.fixed_speed else CYCLES_PER_H
    for _ in range(2):
        starts_per_s = 4.0 * cycles_per_h / 3600.0 * duty * (1.0 - duty)
        duty = min((wanted_w + starts_per_s * loss_j) / running_w, 1.0)
    return duty * running_power_w + (1.0 - duty) * resting_w + starts_per_s * energy_j
