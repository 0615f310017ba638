"""Refrigerators with two compartments, each of air and food, one evaporator, and a compressor of fixed or varied speed.

For the fresh and the freezing compartment alike (letters f and z)::

    C_a dT_a/dt = UA (T_room - T_a) + K (T_a' - T_a) + G (T_food - T_a) + Q_door - s Q
    C_food dT_food/dt = G (T_a - T_food)
    Q = eta(n) P T_e / (T_c - T_e) (1 - frost loss)          P = P_rated n f(T_room)

Q is the cooling of the evaporator, s the share that a compartment gets of it, n the speed of the compressor, T_e and
T_c the temperatures of evaporator and condenser in kelvin, a fixed difference from the freezing air and the room. The
share of Carnot's efficiency, eta, is assumed per model so that its use in a day meets the label; that it lies near 0.3
to 0.5 for small hermetic compressors is textbook knowledge (Granryd et al., Refrigerating Engineering, KTH, 2009).

Two ways of control: a thermostat in the fresh compartment runs the compressor and both compartments cool in fixed
shares (direct cooling); or a thermostat in the freezing compartment runs it, and a damper lets the fresh one take its
share (no-frost). Frost grows with the moisture that doors let in and is melted by a heater after so many hours of
running. All temperatures in °C, all heats in W.
"""

from simulator.jit import njit
from simulator.physics.moist_air import ZERO_C_K
from simulator.records import record

FUSION_J_PER_KG = 334_000.0
SUBLIMATION_J_PER_KG = 2_834_000.0
FRESH_HUMIDITY_KG_KG = 0.0035  # air of 4 °C at 70 %
FREEZER_HUMIDITY_KG_KG = 0.0006  # air of -18 °C at 80 %
HEATER_TO_FROST = 0.6  # of a defrost heater's warmth, the rest warms the compartment; assumed
DRIP_KG_S = 3e-6  # assumed
FROST_LOSS_PER_KG = 0.35  # of the cooling; assumed: half a kilogram of frost costs about a sixth
SLOWEST_AT_K = 0.1  # error of the thermostat at which a varied speed is at its least
SPEED_PER_K = 0.45  # more speed for each kelvin of error; assumed


@record
class Refrigerator:
    """Constants of one refrigerator. Share and ratio fields are 0..1."""

    fresh_air_j_per_k: float  # with liner and shelves
    freezer_air_j_per_k: float
    fresh_leak_w_per_k: float  # UA to the room, through walls and seal
    freezer_leak_w_per_k: float
    between_w_per_k: float  # K, through the wall between the compartments
    fresh_food_air_w_per_k: float  # G
    freezer_food_air_w_per_k: float
    has_damper: bool  # no-frost: the freezing thermostat runs the compressor
    fresh_share: float  # s of the fresh compartment; with a damper, while it is open
    power_w: float  # P_rated: at full speed in a room of 25 °C
    carnot_ratio: float  # eta
    slowest_speed: float  # 1 for a compressor of fixed speed
    slow_gain: float  # more efficiency at the slowest speed than at full speed, ratio
    evaporator_k: float  # colder than the freezing air
    condenser_k: float  # warmer than the room
    fresh_cut_in_c: float
    fresh_cut_out_c: float
    freezer_cut_in_c: float
    freezer_cut_out_c: float
    idle_w: float  # of the electronics
    defrost_w: float  # of the heater; 0: none, the evaporator defrosts by itself at every stop
    defrost_every_run_s: float
    never_stops: bool  # a fault: the relay sticks
    air_exchange_kg_s: float  # of room air through the seal or an ajar door, besides opened doors


@record
class RefrigeratorState:
    """What changes; ``power_w`` and ``heat_w`` are of the last step, ``heat_w`` goes to the room."""

    fresh_air_c: float
    fresh_food_c: float
    freezer_air_c: float
    freezer_food_c: float
    fresh_food_j_per_k: float  # of what lies in it now
    freezer_food_j_per_k: float
    running: bool
    damper_open: bool
    speed: float
    run_since_defrost_s: float
    defrosting: bool
    since_defrost_s: float  # since the last one ended
    frost_kg: float
    setback_k: float  # added to all limits of the thermostats, by whoever controls it
    hold_defrost: bool  # asked to put the next defrost off; obeyed for a quarter of its interval at most
    power_w: float
    heat_w: float
    sensible_w: float  # cooling of the air, without the frost's share
    starts: int


@njit
def step(
    fridge: Refrigerator,
    state: RefrigeratorState,
    powered: bool,
    room_c: float,
    room_humidity_kg_kg: float,
    door_kg_s: float,
    dt_s: float,
) -> None:
    """Let ``dt_s`` seconds pass (explicit Euler, at most 60 s).

    Parameters
    ----------
    door_kg_s : float
        Room air that an open door exchanges with the fresh compartment, and a third of it with the freezing one. [kg/s]
    """
    _defrost(fridge, state, powered)
    _thermostats(fridge, state, powered)
    cold_k = state.freezer_air_c - fridge.evaporator_k + ZERO_C_K
    lift_k = max(room_c + fridge.condenser_k + ZERO_C_K - cold_k, 5.0)
    compressor_w = fridge.power_w * state.speed * (1.0 + 0.006 * (room_c - 25.0))
    slow = (1.0 - state.speed) / (1.0 - fridge.slowest_speed) if fridge.slowest_speed < 1.0 else 0.0
    efficiency = fridge.carnot_ratio * (1.0 + fridge.slow_gain * slow)
    blocked = min(FROST_LOSS_PER_KG * state.frost_kg, 0.9)
    cooling_w = compressor_w * efficiency * cold_k / lift_k * (1.0 - blocked)
    fresh_share = fridge.fresh_share if state.damper_open or not fridge.has_damper else 0.0

    fresh_kg_s = door_kg_s + fridge.air_exchange_kg_s
    freezer_kg_s = (door_kg_s + fridge.air_exchange_kg_s) / 3.0
    fresh_in_w = (1005.0 * fresh_kg_s + fridge.fresh_leak_w_per_k) * (room_c - state.fresh_air_c)
    freezer_in_w = (1005.0 * freezer_kg_s + fridge.freezer_leak_w_per_k) * (room_c - state.freezer_air_c)
    moist_kg_s = fresh_kg_s * max(room_humidity_kg_kg - FRESH_HUMIDITY_KG_KG, 0.0)
    moist_kg_s += freezer_kg_s * max(room_humidity_kg_kg - FREEZER_HUMIDITY_KG_KG, 0.0)
    vapour_w = min(moist_kg_s * SUBLIMATION_J_PER_KG, cooling_w)  # only a cold evaporator takes it up
    across_w = fridge.between_w_per_k * (state.fresh_air_c - state.freezer_air_c)
    fresh_food_w = fridge.fresh_food_air_w_per_k * (state.fresh_food_c - state.fresh_air_c)
    freezer_food_w = fridge.freezer_food_air_w_per_k * (state.freezer_food_c - state.freezer_air_c)

    heater_w = fridge.defrost_w if state.defrosting else 0.0
    melted_kg = min(HEATER_TO_FROST * heater_w * dt_s / FUSION_J_PER_KG, state.frost_kg)
    dripped_kg = 0.0
    if fridge.defrost_w == 0.0 and not state.running:
        dripped_kg = min(DRIP_KG_S * dt_s, state.frost_kg)  # off the plate, which warms at every stop
    melting_w, dripping_w = melted_kg * FUSION_J_PER_KG / dt_s, dripped_kg * FUSION_J_PER_KG / dt_s
    state.frost_kg += vapour_w / SUBLIMATION_J_PER_KG * dt_s - melted_kg - dripped_kg
    sensible_w = cooling_w - vapour_w

    fresh_w = fresh_in_w - across_w + fresh_food_w - fresh_share * sensible_w - dripping_w
    freezer_w = freezer_in_w + across_w + freezer_food_w + heater_w - melting_w - (1.0 - fresh_share) * sensible_w
    state.fresh_air_c += dt_s * fresh_w / fridge.fresh_air_j_per_k
    state.freezer_air_c += dt_s * freezer_w / fridge.freezer_air_j_per_k
    state.fresh_food_c -= dt_s * fresh_food_w / state.fresh_food_j_per_k
    state.freezer_food_c -= dt_s * freezer_food_w / state.freezer_food_j_per_k

    state.sensible_w = sensible_w
    state.power_w = (compressor_w + heater_w + fridge.idle_w) if powered else 0.0
    # The water of the frost dries up on the condenser: room air gets its vapour back, at the cost of heat.
    drying_w = (melted_kg + dripped_kg) * (SUBLIMATION_J_PER_KG - FUSION_J_PER_KG) / dt_s
    state.heat_w = state.power_w - (heater_w if powered else 0.0) + cooling_w - fresh_in_w - freezer_in_w - drying_w
    state.since_defrost_s += dt_s
    if state.running:
        state.run_since_defrost_s += dt_s


@njit
def _thermostats(fridge: Refrigerator, state: RefrigeratorState, powered: bool) -> None:
    """Decide whether the compressor runs, how fast, and whether the damper is open."""
    fresh_in_c, fresh_out_c = fridge.fresh_cut_in_c + state.setback_k, fridge.fresh_cut_out_c + state.setback_k
    freezer_in_c, freezer_out_c = fridge.freezer_cut_in_c + state.setback_k, fridge.freezer_cut_out_c + state.setback_k
    if fridge.has_damper:
        if state.damper_open:
            state.damper_open = state.fresh_air_c > fresh_out_c
        else:
            state.damper_open = state.fresh_air_c > fresh_in_c
        air_c, in_c, out_c = state.freezer_air_c, freezer_in_c, freezer_out_c
        fresh_calls = state.damper_open
    else:
        state.damper_open = True
        air_c, in_c, out_c = state.fresh_air_c, fresh_in_c, fresh_out_c
        fresh_calls = False
    was_running = state.running
    wants = air_c > (out_c if was_running else in_c) or fresh_calls or fridge.never_stops
    state.running = powered and wants and not state.defrosting
    if state.running and not was_running:
        state.starts += 1
    if not state.running:
        state.speed = 0.0
    elif fridge.slowest_speed >= 1.0 or fridge.never_stops:
        state.speed = 1.0
    else:
        above_k = max(air_c - 0.5 * (in_c + out_c), state.fresh_air_c - fresh_in_c if fresh_calls else -9.0)
        state.speed = min(max(fridge.slowest_speed + SPEED_PER_K * (above_k - SLOWEST_AT_K), fridge.slowest_speed), 1.0)


@njit
def _defrost(fridge: Refrigerator, state: RefrigeratorState, powered: bool) -> None:
    if fridge.defrost_w == 0.0:
        return
    if state.defrosting:
        if state.frost_kg <= 0.0 or not powered:
            state.defrosting = False
            state.run_since_defrost_s = 0.0
            state.since_defrost_s = 0.0
        return
    due = state.run_since_defrost_s >= fridge.defrost_every_run_s
    overdue = state.run_since_defrost_s >= 1.25 * fridge.defrost_every_run_s
    state.defrosting = powered and due and state.frost_kg > 0.0 and (overdue or not state.hold_defrost)


@njit
def add_food(state: RefrigeratorState, freezer: bool, j_per_k: float, food_c: float) -> None:
    """Put food in, or take it out with a negative capacity; at least a tenth of a litre of water stays."""
    if freezer:
        before = state.freezer_food_j_per_k
        after = max(before + j_per_k, 400.0)
        if j_per_k > 0.0:
            state.freezer_food_c = (before * state.freezer_food_c + j_per_k * food_c) / after
        state.freezer_food_j_per_k = after
    else:
        before = state.fresh_food_j_per_k
        after = max(before + j_per_k, 400.0)
        if j_per_k > 0.0:
            state.fresh_food_c = (before * state.fresh_food_c + j_per_k * food_c) / after
        state.fresh_food_j_per_k = after
