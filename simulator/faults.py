"""Faults of devices, from not there (severity 0) to as bad as a device that still runs can have (1).

A fault changes what a device can do, or what its sensor reads; never its controller. Each function gives a new record;
faults of one device add up. Sizes for air conditioners are of the order of what V. Payne, P. Domanski and others
measured for single faults of 10 to 30 % ("Sensitivity Analysis of Installation Faults on Heat Pump Performance", NIST
Technical Note 1848, 2014 [from memory]); what lies beyond is extrapolated.

    worn = clogged_filter(undercharge(unit("grade_3"), 0.4), 0.8)
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from simulator.instruments import EnergyMeter
from simulator.physics.refrigerator import Refrigerator
from simulator.physics.split_unit import Unit

T = TypeVar("T")

CLOGGED_AIRFLOW = 0.4  # of the indoor air, lost; assumed
UNDERCHARGE_CAPACITY = 0.35  # lost with some 40 % of the charge missing
UNDERCHARGE_POWER = 0.12  # saved at the same time: less vapour to compress
DIRTY_CONDENSER_K = 10.0  # by which the outdoor air seems worse to a clogged coil; assumed
STUCK_RATIO = 0.8  # frequency ratio for which a failed expansion valve stands open; assumed
DRIFT_K = 3.0  # of the unit's own sensor; assumed
AJAR_KG_S = 0.0006  # of room air through a door that stands a finger's breadth open; assumed
SEAL_LEAK = 0.6  # more heat through a cabinet whose seals gape all round; assumed
ICE_FLOW = 0.7  # of the heat exchange, lost to an evaporator that is one block of ice; assumed
LIE = 0.3  # by which a meter shows too much; assumed

# For draws of ordinary units, all assumed: surveys of room units in homes give no distribution
FILTER_SEVERITY = (0.0, 0.4)
CONDENSER_PER_YEAR, UNDERCHARGE_PER_YEAR = 0.03, 0.02  # severity


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


def aged(unit: Unit, years: float) -> Unit:
    """A unit after some years without service: dust in the outdoor coil and a little refrigerant gone."""
    return undercharge(
        dirty_condenser(unit, min(CONDENSER_PER_YEAR * years, 1.0)), min(UNDERCHARGE_PER_YEAR * years, 1.0)
    )


AIR_CONDITIONER_FAULTS: dict[str, Callable[[Unit, float], Unit]] = {
    "clogged_filter": clogged_filter,
    "undercharge": undercharge,
    "dirty_condenser": dirty_condenser,
    "failed_expansion_valve": failed_expansion_valve,
    "sensor_drift": sensor_drift,
}


def door_ajar(fridge: Refrigerator, severity: float) -> Refrigerator:
    """Room air streams in all day, with its moisture."""
    return replace(fridge, air_exchange_kg_s=fridge.air_exchange_kg_s + AJAR_KG_S * _checked(severity))


def worn_seal(fridge: Refrigerator, severity: float) -> Refrigerator:
    """More heat comes in around the doors."""
    worse = 1.0 + SEAL_LEAK * _checked(severity)
    return replace(
        fridge,
        fresh_leak_w_per_k=worse * fridge.fresh_leak_w_per_k,
        freezer_leak_w_per_k=worse * fridge.freezer_leak_w_per_k,
    )


def iced_evaporator(fridge: Refrigerator, severity: float) -> Refrigerator:
    """Ice that no defrost melts: the evaporator works colder for less."""
    return replace(
        fridge,
        carnot_ratio=fridge.carnot_ratio * (1.0 - ICE_FLOW * _checked(severity)),
        evaporator_k=fridge.evaporator_k + 10.0 * severity,
    )


def never_stops(fridge: Refrigerator, severity: float) -> Refrigerator:
    """The relay or the thermostat sticks; this fault is there or not, from a severity of a half."""
    return replace(fridge, never_stops=fridge.never_stops or _checked(severity) >= 0.5)


REFRIGERATOR_FAULTS: dict[str, Callable[[Refrigerator, float], Refrigerator]] = {
    "door_ajar": door_ajar,
    "worn_seal": worn_seal,
    "iced_evaporator": iced_evaporator,
    "never_stops": never_stops,
}


def resets(meter: EnergyMeter, severity: float) -> EnergyMeter:
    """The register falls to zero, up to once a day."""
    return replace(meter, resets_per_day=_checked(severity))


def freezes(meter: EnergyMeter, severity: float) -> EnergyMeter:
    """The meter repeats its last values, up to half of the time."""
    return replace(meter, frozen_ratio=0.5 * _checked(severity))


def lies(meter: EnergyMeter, severity: float) -> EnergyMeter:
    """The meter shows too much."""
    return replace(meter, scale_error=LIE * _checked(severity))


METER_FAULTS: dict[str, Callable[[EnergyMeter, float], EnergyMeter]] = {
    "resets": resets,
    "freezes": freezes,
    "lies": lies,
}


class Fault(NamedTuple):
    """A fault that a thing of a home has; ``thing`` is what its meter measures."""

    thing: str
    name: str
    severity: float

    @classmethod
    def from_text(cls, text: str) -> "Fault":
        """A fault written as fridge=door_ajar:0.5.

        Raises
        ------
        ValueError
            The text has another form, or the severity is not within 0 and 1.
        """
        thing, _, rest = text.partition("=")
        name, _, severity = rest.partition(":")
        try:
            return cls(thing, name, _checked(float(severity)))
        except ValueError as error:
            raise ValueError(f"expected a fault like fridge=door_ajar:0.5, got {text!r}: {error}") from error


def with_faults(healthy: T, thing: str, kinds: dict[str, Callable[[T, float], T]], faults: Iterable[Fault]) -> T:
    """The thing with those of the faults that are its own and of these kinds."""
    for fault in faults:
        if fault.thing == thing and fault.name in kinds:
            healthy = kinds[fault.name](healthy, fault.severity)
    return healthy


def _checked(severity: float) -> float:
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity {severity} of a fault is not within 0 and 1")
    return severity
