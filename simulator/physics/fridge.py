"""Refrigerators with two nodes, compartment air (with liner and evaporator) and food, and an on-off compressor.

    C_a dT_a/dt = UA (T_r - T_a) + G (T_f - T_a) + Q_door - u Q_c
    C_f dT_f/dt = G (T_a - T_f)
    Q_c = COP P,    P = P_25 (1 + 0.008 (T_r - 25)),    COP = COP_25 (1 - 0.015 (T_r - 25))

u is 1 from where the air passes the thermostat's cut-in until it reaches the cut-out; T_r is the air of the room.
Typical values of household fridges: 20-32 cycles a day at 62-130 W, 0.23-0.85 kWh a day (A. Reinhardt et al., "On the
accuracy of appliance identification based on distributed load metering data", SustainIT 2012: the data set tracebase).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.physics.room import Array

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FridgeParameters:
    """Constants of n fridges, each of shape (n,)."""

    air_capacity_j_per_k: Array  # C_a
    food_capacity_j_per_k: Array  # C_f
    leak_w_per_k: Array  # UA
    food_air_w_per_k: Array  # G
    power_w: Array  # P_25: of the compressor in a room of 25 °C
    cop: Array  # COP_25
    cut_in_c: Array
    cut_out_c: Array
    idle_w: Array  # of the controller


@dataclass(frozen=True, slots=True)
class FridgeState:
    """Temperatures and compressors of n fridges, each of shape (n,)."""

    air_c: Array  # T_a
    food_c: Array  # T_f
    running: BoolArray  # u


@dataclass(frozen=True, slots=True)
class FridgeOutput:
    """What n fridges did in a step, each of shape (n,)."""

    power_w: Array
    heat_w: Array  # to the room: what the condenser gives off less what leaks in


def step(
    state: FridgeState,
    params: FridgeParameters,
    *,
    powered: BoolArray,
    room_c: Array,
    door_w: Array,
    dt_s: float,
) -> tuple[FridgeState, FridgeOutput]:
    """Advance every fridge by one explicit Euler step of ``dt_s`` seconds; the input is not changed.

    Parameters
    ----------
    powered : BoolArray, shape (n,)
        Whether the plug gives current.
    door_w : Array, shape (n,)
        Heat that opened doors and warm food bring to the compartment. [W]
    """
    running = powered & np.where(state.running, state.air_c > params.cut_out_c, state.air_c > params.cut_in_c)
    compressor_w = np.where(running, params.power_w * (1.0 + 0.008 * (room_c - 25.0)), 0.0)
    removed_w = compressor_w * params.cop * (1.0 - 0.015 * (room_c - 25.0))
    leak_w = params.leak_w_per_k * (room_c - state.air_c)
    from_food_w = params.food_air_w_per_k * (state.food_c - state.air_c)
    power_w = compressor_w + np.where(powered, params.idle_w, 0.0)
    after = FridgeState(
        air_c=state.air_c + dt_s * (leak_w + from_food_w + door_w - removed_w) / params.air_capacity_j_per_k,
        food_c=state.food_c - dt_s * from_food_w / params.food_capacity_j_per_k,
        running=running,
    )
    return after, FridgeOutput(power_w, power_w + removed_w - leak_w - door_w)
