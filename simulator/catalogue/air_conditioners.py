"""Named air conditioners: nameplate facts, and the record that behaves like them.

No nameplate here is one product's. Capacities and efficiencies at full load are typical of what is sold in each grade,
the ratio of efficiencies at half and full load is that of ductless splits measured for NREL (1.56 in cooling, 1.24 in
heating, from ResStock's tables of speeds) moved up or down with the grade, and one scalar, ``efficiency``, brings the
annual performance factor of ``apf`` to the nameplate's; it had to move them by -6 to +1 %. So the computed APF says
that machine and label agree, not that the label is right. One data sheet needs no scalar: ``DATA_SHEET``.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from simulator.physics.split_unit import Unit
from simulator.physics.unit_start import COOLING, HEATING, Conditions, Machine, losses

CAPACITY_BEND = 0.15  # assumed: coils grow relative to the flow of refrigerant, so half speed gives 54 %
BEST_RATIO = 0.35  # assumed: frequency ratio of the best efficiency; 25-45 % by makers' part-load charts [from memory]
AIRFLOW_KG_S_PER_W = 0.2 / 3500.0  # 600 m3/h for 3.5 kW [typical of data sheets, from memory]
OUTDOOR_AIRFLOW_KG_S_PER_W = 0.6 / 3500.0  # 1,800 m3/h for 3.5 kW [from memory]
FAN_W_PER_W = 30.0 / 3500.0  # indoor fan at full speed, assumed
BYPASS_RATIO = 0.2  # assumed; gives a sensible share near 0.75 at the rating point

# The unit's own controller. Inverters slow down towards the setpoint and let the room drift past it. Service manuals:
# Midea-built Carrier 42QHP stops 2 K past it, after at least ten minutes; Panasonic CS-E7NKR 1.5 K (cooling) and 2 K
# (heating) past it, with a rest of 3 minutes; Gree GWH09MA-K3NNA3F heats from 2 K to 4 K over the setpoint by a sensor
# under the ceiling: a band of 2 K and a compensation of 2 K. Haier HSU-07HV03 (fixed speed): +-1 K, 2 min on, 3 off.
STOP_K, RESTART_K = 2.0, 0.0  # past the setpoint
FIXED_STOP_K, FIXED_RESTART_K = 1.0, -1.0
MINIMUM_RUN_S, FIXED_MINIMUM_RUN_S, MINIMUM_REST_S = 600.0, 120.0, 180.0
HEATING_COMPENSATION_K = 2.0
# Assumed: gently in cooling, and fast in heating, to warm the coil before the fan may blow
START_COOLING, START_HEATING = 0.6, 0.9  # frequency ratio of the start plateau
GAIN_PER_K, INTEGRAL_S = 0.25, 560.0  # assumed: quick enough for a room, no swings in our rooms
SENSOR_LAG_S, SENSOR_STEP_K = 120.0, 0.25  # assumed: a coated thermistor behind the grille, 8 bits
STANDBY_W = 2.0  # with a radio; 0.5-3 W are seen
CRANKCASE_W, FIXED_CRANKCASE_W = 15.0, 25.0  # windings kept warm; assumed


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What a label and a data sheet say."""

    rated_cooling_w: float
    rated_heating_w: float
    cooling_eer: float  # at full capacity, before ``efficiency``
    heating_cop: float
    half_cooling_gain: float  # efficiency at half over that at full capacity, 35 °C
    half_heating_gain: float  # at 7 °C
    minimum_ratio: float  # of frequency; 10-15 Hz of 70, labels of 3.5 kW say 200 to 1000 W at least [from memory]
    maximum_cooling_ratio: float
    maximum_heating_ratio: float
    apf: float  # Wh/Wh
    efficiency: float = 1.0  # fitted by ``apf.fitted_efficiency``, the one free scalar
    inverter: bool = True


MODELS = {
    # the best that GB 21455-2019 labels of 3.5 kW show
    "apf_5_65": Nameplate(3500.0, 5000.0, 4.2, 4.1, 1.60, 1.30, 0.13, 1.25, 1.35, apf=5.65, efficiency=0.999),
    # the limits of grades 1 and 3 up to 4500 W, energy-efficiency classes of GB 21455-2019
    "grade_1": Nameplate(3500.0, 4800.0, 3.9, 3.8, 1.56, 1.24, 0.16, 1.20, 1.30, apf=5.00, efficiency=0.964),
    "grade_3": Nameplate(3500.0, 4000.0, 3.43, 3.39, 1.40, 1.18, 0.20, 1.15, 1.25, apf=4.00, efficiency=0.937),
    # just inside grade 1 of 7100..14000 W (4.20)
    "floor_7_2kw": Nameplate(7200.0, 9600.0, 3.4, 3.4, 1.50, 1.22, 0.18, 1.15, 1.25, apf=4.25, efficiency=0.946),
    # just inside grade 5 up to 4500 W (3.30), which is as far as fixed speed gets
    "fixed_speed": Nameplate(
        3500.0, 3800.0, 3.5, 3.8, 1.0, 1.0, 1.0, 1.0, 1.0, apf=3.35, efficiency=1.005, inverter=False
    ),
}

# KFR-35W/FNB01-A3, grade 3, as a shop lists it (sh-tongbei.com/post/852.html): 3500 W for 1020 W, 4000 W for 1180 W,
# APF about 4.10. Half loads are not listed: those of ``grade_3``.
DATA_SHEET = replace(MODELS["grade_3"], apf=4.10, efficiency=1.0)


def power_curve(plate: Nameplate, full_w: float, fan_w: float, half_gain: float) -> tuple[float, float, float]:
    """Coefficients a of the compressor's power, p(s) = a_0 + a_1 s + a_2 s^2, from three facts.

    p(1) = 1; at half capacity the unit is ``half_gain`` times as efficient as at full; and Q/p is best at
    ``BEST_RATIO``. ``full_w`` is all electricity at full capacity.
    """
    if not plate.inverter:
        return 0.0, 1.0, 0.0
    b, best = CAPACITY_BEND, BEST_RATIO
    half = ((1.0 + b) - math.sqrt((1.0 + b) ** 2 - 2.0 * b)) / (2.0 * b)  # s (1 + b (1 - s)) = 1/2
    half_fan_w = fan_w * (0.45 + 0.55 * half) ** 3
    half_power = (0.5 * full_w / half_gain - half_fan_w) / (full_w - fan_w)
    capacity, slope = best * (1.0 + b * (1.0 - best)), 1.0 + b - 2.0 * b * best
    equations = [
        [1.0, 1.0, 1.0],
        [1.0, half, half * half],
        [slope, slope * best - capacity, slope * best * best - 2.0 * capacity * best],
    ]
    a = np.linalg.solve(equations, [1.0, half_power, 0.0])
    return float(a[0]), float(a[1]), float(a[2])


def unit(model: str, rated_cooling_w: float | None = None) -> Unit:
    """A healthy unit of a named model, or one of its line with another rated capacity; ``KeyError`` if unknown."""
    plate = MODELS[model]
    if rated_cooling_w is not None:
        scale = rated_cooling_w / plate.rated_cooling_w
        plate = replace(plate, rated_cooling_w=rated_cooling_w, rated_heating_w=plate.rated_heating_w * scale)
    return from_nameplate(plate)


def machine(plate: Nameplate, at: Conditions, *, calibrated_valve: bool | None = None) -> Machine:
    """What of a nameplate matters at a start; inverters have a calibrated expansion valve, others a fixed one."""
    heat_w = plate.rated_heating_w if at.heating else plate.rated_cooling_w
    efficiency = (plate.heating_cop if at.heating else plate.cooling_eer) * plate.efficiency
    return Machine(
        rated_heat_w=heat_w,
        rated_power_w=heat_w / efficiency - FAN_W_PER_W * plate.rated_cooling_w,
        start_frequency_ratio=(START_HEATING if at.heating else START_COOLING) if plate.inverter else 1.0,
        calibrated_valve=plate.inverter if calibrated_valve is None else calibrated_valve,
        inverter=plate.inverter,
    )


def from_nameplate(plate: Nameplate) -> Unit:
    """The record that behaves as a nameplate says."""
    cooling_w, heating_w = plate.rated_cooling_w, plate.rated_heating_w
    cooling_power_w = cooling_w / (plate.cooling_eer * plate.efficiency)
    heating_power_w = heating_w / (plate.heating_cop * plate.efficiency)
    fan_w = FAN_W_PER_W * cooling_w
    cooling = power_curve(plate, cooling_power_w, fan_w, plate.half_cooling_gain)
    heating = power_curve(plate, heating_power_w, fan_w, plate.half_heating_gain)
    cooling_start, heating_start = machine(plate, COOLING), machine(plate, HEATING)
    in_cooling, in_heating = losses(cooling_start, COOLING), losses(heating_start, HEATING)
    return Unit(
        rated_cooling_w=cooling_w,
        rated_heating_w=heating_w,
        cooling_power_w=cooling_power_w,
        heating_power_w=heating_power_w,
        fixed_speed=not plate.inverter,
        minimum_ratio=plate.minimum_ratio,
        maximum_cooling_ratio=plate.maximum_cooling_ratio,
        maximum_heating_ratio=plate.maximum_heating_ratio,
        capacity_bend=CAPACITY_BEND,
        cooling_power_0=cooling[0],
        cooling_power_1=cooling[1],
        cooling_power_2=cooling[2],
        heating_power_0=heating[0],
        heating_power_1=heating[1],
        heating_power_2=heating[2],
        airflow_kg_s=AIRFLOW_KG_S_PER_W * cooling_w,
        bypass_ratio=BYPASS_RATIO,
        fan_w=fan_w,
        outdoor_airflow_kg_s=OUTDOOR_AIRFLOW_KG_S_PER_W * cooling_w,
        standby_w=STANDBY_W,
        crankcase_w=CRANKCASE_W if plate.inverter else FIXED_CRANKCASE_W,
        sensor_offset_k=0.0,
        sensor_lag_s=SENSOR_LAG_S,
        sensor_step_k=SENSOR_STEP_K,
        heating_compensation_k=HEATING_COMPENSATION_K,
        stop_k=STOP_K if plate.inverter else FIXED_STOP_K,
        restart_k=RESTART_K if plate.inverter else FIXED_RESTART_K,
        gain_per_k=GAIN_PER_K,
        integral_per_k_s=GAIN_PER_K / INTEGRAL_S,
        minimum_run_s=MINIMUM_RUN_S if plate.inverter else FIXED_MINIMUM_RUN_S,
        minimum_rest_s=MINIMUM_REST_S,
        start_cooling_ratio=cooling_start.start_frequency_ratio,
        start_heating_ratio=heating_start.start_frequency_ratio,
        start_cooling_loss_j=in_cooling.heat_j,
        start_heating_loss_j=in_heating.heat_j,
        start_cooling_energy_j=in_cooling.energy_j,
        start_heating_energy_j=in_heating.energy_j,
        capacity_factor=1.0,
        power_factor=1.0,
        airflow_factor=1.0,
        outdoor_excess_k=0.0,
        valve_stuck=0.0,
        valve_ratio=0.0,
        sensor_drift_k=0.0,
    )
