"""Faults of air conditioners, from not there (severity 0) to as bad as a unit that still runs can have (1).

A fault changes what a unit can do, or what its sensor reads; never its controller. Each function gives a new record;
faults of one unit add up. Sizes are of the order of what V. Payne, P. Domanski and others measured for single faults of
10 to 30 % ("Sensitivity Analysis of Installation Faults on Heat Pump Performance", NIST Technical Note 1848, 2014
[from memory]); what lies beyond is extrapolated.

    worn = clogged_filter(undercharge(unit("grade_3"), 0.4), 0.8)
"""

from collections.abc import Callable
from dataclasses import replace

from simulator.physics.split_unit import Unit

CLOGGED_AIRFLOW = 0.5  # of the indoor air, lost; assumed
UNDERCHARGE_CAPACITY = 0.35  # lost with some 40 % of the charge missing
UNDERCHARGE_POWER = 0.12  # saved at the same time: less vapour to compress
DIRTY_CONDENSER_K = 10.0  # by which the outdoor air seems worse to a clogged coil; assumed
STUCK_RATIO = 0.8  # frequency ratio for which a failed expansion valve stands open; assumed
DRIFT_K = 3.0  # of the unit's own sensor; assumed


def clogged_filter(unit: Unit, severity: float) -> Unit:
    """Less air over the indoor coil: less capacity, more power for it, and more of it goes into water."""
    return replace(unit, airflow_factor=unit.airflow_factor * (1.0 - CLOGGED_AIRFLOW * _checked(severity)))


def undercharge(unit: Unit, severity: float) -> Unit:
    """Refrigerant is missing: capacity falls faster than power."""
    return replace(
        unit,
        capacity_factor=unit.capacity_factor * (1.0 - UNDERCHARGE_CAPACITY * _checked(severity)),
        power_factor=unit.power_factor * (1.0 - UNDERCHARGE_POWER * severity),
    )


def dirty_condenser(unit: Unit, severity: float) -> Unit:
    """The outdoor coil exchanges heat as if the air were warmer in cooling and colder in heating."""
    return replace(unit, outdoor_excess_k=unit.outdoor_excess_k + DIRTY_CONDENSER_K * _checked(severity))


def failed_expansion_valve(unit: Unit, severity: float) -> Unit:
    """The valve stays where it is, and starves or floods the evaporator at every other frequency."""
    stuck = 1.0 - (1.0 - unit.valve_stuck) * (1.0 - _checked(severity))
    return replace(unit, valve_stuck=stuck, valve_ratio=STUCK_RATIO)


def sensor_drift(unit: Unit, severity: float) -> Unit:
    """The unit's own sensor reads too warm: rooms get too cold in both seasons."""
    return replace(unit, sensor_drift_k=unit.sensor_drift_k + DRIFT_K * _checked(severity))


AIR_CONDITIONER_FAULTS: dict[str, Callable[[Unit, float], Unit]] = {
    "clogged_filter": clogged_filter,
    "undercharge": undercharge,
    "dirty_condenser": dirty_condenser,
    "failed_expansion_valve": failed_expansion_valve,
    "sensor_drift": sensor_drift,
}


def _checked(severity: float) -> float:
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity {severity} of a fault is not within 0 and 1")
    return severity
