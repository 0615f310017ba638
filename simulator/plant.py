"""Rooms with their units as one thing: the inner step of 60 s, pure, for n rooms at once."""

from dataclasses import dataclass

import numpy as np

from simulator.physics import air_conditioner, room
from simulator.physics.air_conditioner import BoolArray, UnitOutput, UnitParameters, UnitState
from simulator.physics.room import Array, RoomParameters, RoomState

INNER_STEP_S = 60.0


@dataclass(frozen=True, slots=True)
class PlantState:
    """Rooms and units at an instant."""

    room: RoomState
    unit: UnitState


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What acts on n rooms from outside and from their people, each of shape (n,)."""

    outdoor_c: Array
    outdoor_humidity_kg_kg: Array
    solar_w_m2: Array
    gains_w: Array  # heat of people and appliances
    moisture_kg_s: Array  # water given off by people


@dataclass(frozen=True, slots=True)
class Orders:
    """What n units are told, each of shape (n,)."""

    on: BoolArray
    heating: BoolArray
    setpoint_c: Array  # of no meaning while off


def at_rest(air_c: Array, mass_c: Array, humidity_kg_kg: Array) -> PlantState:
    """Rooms at given temperatures whose units have been off for an hour."""
    n = air_c.size
    unit = UnitState(np.zeros(n, dtype=np.bool_), np.full(n, 3600.0), np.zeros(n))
    return PlantState(RoomState(air_c, mass_c, humidity_kg_kg), unit)


def step(
    state: PlantState,
    rooms: RoomParameters,
    units: UnitParameters,
    around: Surroundings,
    orders: Orders,
    dt_s: float = INNER_STEP_S,
) -> tuple[PlantState, UnitOutput]:
    """Advance every unit by its own controller, then every room by the unit's heat; the input is not changed."""
    unit, output = air_conditioner.step(
        state.unit,
        units,
        on=orders.on,
        heating=orders.heating,
        setpoint_c=orders.setpoint_c,
        indoor_c=state.room.air_c,
        indoor_humidity_kg_kg=state.room.humidity_kg_kg,
        outdoor_c=around.outdoor_c,
        dt_s=dt_s,
    )
    after = room.step(
        state.room,
        rooms,
        outdoor_c=around.outdoor_c,
        outdoor_humidity_kg_kg=around.outdoor_humidity_kg_kg,
        solar_w_m2=around.solar_w_m2,
        heat_w=output.heat_w + around.gains_w,
        moisture_kg_s=around.moisture_kg_s - output.moisture_kg_s,
        dt_s=dt_s,
    )
    return PlantState(after, unit), output
