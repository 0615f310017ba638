"""The first minutes of a compressor, second by second: what a start costs.

Two lumps of metal and refrigerant, one in each coil, and the charge between them:

    C_e dT_e/dt = U_e (T_air_e - T_e) - Q_e          evaporator
    C_c dT_c/dt = Q_e + W - U_c (T_c - T_air_c)      condenser
    dM/dt       = m_v - m                            liquid in the evaporator
    m   = m_r f/f_r rho(T_e)/rho_r min(M/M_full, 1)
    m_v = o sqrt(p_c - p_e)
    Q_e = m L (1 - max(M/M_full - 1, 0))
    W   = W_r (a f/f_r + (1 - a) m/m_r (b + (1 - b) ln(p_c/p_e) / ln(p_c/p_e)_r))

The frequency f rises by 10 Hz each second to its start plateau. A calibrated expansion valve opens as f and the
difference of pressures ask and trims the liquid in the evaporator; a fixed one stays as wide as the rating point needs:
with little difference of pressures it starves the evaporator, with a slow compressor it floods it, and liquid that
reaches the compressor cools nothing. What the evaporator hoards the condenser lacks, and a valve that gets vapour
passes less. After a rest the liquid lies in the evaporator, and coils are as warm as the air around them. The 60-s
model takes from here what each start loses (``losses``).

The form follows lumped start-up models such as J. Chi and D. Didion, International Journal of Refrigeration 5(3), 1982
[from memory]; the constants below are assumed from the size of coils, as said at each.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

RAMP_HZ_PER_S = 10.0  # of an inverter; a motor on the mains is there within a second
RATED_HZ = 70.0  # assumed: a rotary compressor of a 3.5 kW unit at its rating point
COIL_J_PER_K_PER_W = 1.7  # assumed: 6 kJ/K of aluminium, copper and refrigerant for 3.5 kW; so each coil
CHARGE_KG_PER_W = 0.2 / 3500.0  # assumed: liquid that fills an evaporator of 3.5 kW
CHARGE_RATIO = 1.5  # assumed: all liquid over what fills the evaporator
SEAL_RATIO = 0.3  # assumed: liquid in the condenser, below which the valve gets vapour
COIL_CONTACT = 0.75  # assumed: share of its difference to the coil that the air loses on its way
LATENT_J_PER_KG = 240_000.0  # R32 between evaporator and suction, less what flashes in the valve [from memory]
FAN_WAITS_BELOW_C = 32.0  # assumed: in heating the indoor fan waits until the coil has been that warm
STILL_AIR = 0.1  # assumed: heat that a coil gives without fan
FRICTION = 0.15  # a, assumed: of the compressor's power
OVERPRESSURE = 0.2  # b, assumed: work per kg that remains without any lift
VALVE_TRIM = 3.0  # assumed: opening per share of liquid that lacks
WIDEST_VALVE = 3.0  # assumed: fully open, over the rating point's opening
LOSS_S = 600  # by then a start is over
COOL_AIR_K = 5.0  # supply below return that people call cool
WARM_AIR_C = 30.0  # supply that people call warm


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where a unit starts."""

    indoor_c: float
    outdoor_c: float
    heating: bool
    coil_cold_c: float  # evaporator at the rating point
    coil_hot_c: float  # condenser at the rating point


COOLING = Conditions(27.0, 35.0, heating=False, coil_cold_c=11.0, coil_hot_c=46.0)  # coils assumed
HEATING = Conditions(20.0, 7.0, heating=True, coil_cold_c=0.0, coil_hot_c=43.0)


@dataclass(frozen=True, slots=True)
class Machine:
    """What of a unit matters at its start."""

    rated_heat_w: float  # to or from the room
    rated_power_w: float  # of the compressor
    start_frequency_ratio: float
    calibrated_valve: bool
    inverter: bool = True


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a start."""

    frequency_hz: float
    evaporator_c: float
    condenser_c: float
    supply_c: float
    room_w: float  # between coil and room, at least 0 once the coil has turned
    evaporator_w: float
    condenser_w: float  # from the refrigerant
    power_w: float
    outdoor_w: float  # between coil and weather


def pressure_kpa(temperature_c: float) -> float:
    """Of saturated R32, through 813 kPa at 0 C and 3141 kPa at 50 C (NIST REFPROP [from memory])."""
    return math.exp(15.435 - 2385.8 / (temperature_c + 273.15))


def _density(temperature_c: float) -> float:
    return pressure_kpa(temperature_c) / (temperature_c + 273.15)  # of vapour, up to a factor


def course(machine: Machine, at: Conditions, seconds: int = LOSS_S) -> list[Second]:
    """The start, one entry a second, by explicit steps of 0.1 s."""
    dt_s = 0.1
    indoor_w = machine.rated_heat_w
    cold_w = indoor_w - machine.rated_power_w if at.heating else indoor_w
    cold_air_c, hot_air_c = (at.outdoor_c, at.indoor_c) if at.heating else (at.indoor_c, at.outdoor_c)
    cold_w_k = cold_w / (cold_air_c - at.coil_cold_c)
    hot_w_k = (cold_w + machine.rated_power_w) / (at.coil_hot_c - hot_air_c)
    capacity_j_k = COIL_J_PER_K_PER_W * indoor_w
    full_kg = CHARGE_KG_PER_W * indoor_w
    rated_kg_s = cold_w / LATENT_J_PER_KG
    rated_lift = math.log(pressure_kpa(at.coil_hot_c) / pressure_kpa(at.coil_cold_c))
    rated_difference = math.sqrt(pressure_kpa(at.coil_hot_c) - pressure_kpa(at.coil_cold_c))

    evaporator_c, condenser_c, liquid_kg, hz = cold_air_c, hot_air_c, full_kg, 0.0
    fan_runs = not at.heating
    ramp_hz_per_s = RAMP_HZ_PER_S if machine.inverter else RATED_HZ
    result: list[Second] = []
    for step in range(round(seconds / dt_s)):
        hz = min(hz + ramp_hz_per_s * dt_s, machine.start_frequency_ratio * RATED_HZ)
        fill = liquid_kg / full_kg
        boiling = min(fill, 1.0)  # a starved evaporator gives little vapour: its pressure falls
        carried = max(fill - 1.0, 0.0)  # liquid that leaves an overfull one unboiled
        density = _density(evaporator_c) / _density(at.coil_cold_c)
        flow_kg_s = rated_kg_s * hz / RATED_HZ * density * boiling
        cold_kpa, hot_kpa = pressure_kpa(evaporator_c), pressure_kpa(condenser_c)
        pushes = math.sqrt(max(hot_kpa - cold_kpa, 0.0)) / rated_difference
        opening = 1.0
        if machine.calibrated_valve:
            wanted = hz / RATED_HZ / max(pushes, 0.1) + VALVE_TRIM * (1.0 - fill)
            opening = min(max(wanted, 0.0), WIDEST_VALVE)
        sealed = min((CHARGE_RATIO - fill) / SEAL_RATIO, 1.0)
        valve_kg_s = rated_kg_s * opening * pushes * sealed
        cold_heat_w = flow_kg_s * LATENT_J_PER_KG * (1.0 - carried)
        lift = max(math.log(hot_kpa / cold_kpa), 0.0) / rated_lift
        pumping = flow_kg_s / rated_kg_s * (OVERPRESSURE + (1.0 - OVERPRESSURE) * lift)
        power_w = machine.rated_power_w * (FRICTION * hz / RATED_HZ + (1.0 - FRICTION) * pumping)
        hot_heat_w = cold_heat_w + power_w
        fan_runs = fan_runs or condenser_c > FAN_WAITS_BELOW_C
        fan = 1.0 if fan_runs else STILL_AIR
        cold_air_w = cold_w_k * (1.0 if at.heating else fan) * (cold_air_c - evaporator_c)
        hot_air_w = hot_w_k * (fan if at.heating else 1.0) * (condenser_c - hot_air_c)
        if step % round(1.0 / dt_s) == 0:
            coil_c = condenser_c if at.heating else evaporator_c
            supply_c = at.indoor_c + (COIL_CONTACT * (coil_c - at.indoor_c) if fan_runs else 0.0)
            result.append(
                Second(
                    frequency_hz=hz,
                    evaporator_c=evaporator_c,
                    condenser_c=condenser_c,
                    supply_c=supply_c,
                    room_w=hot_air_w if at.heating else cold_air_w,
                    evaporator_w=cold_heat_w,
                    condenser_w=hot_heat_w,
                    power_w=power_w,
                    outdoor_w=cold_air_w if at.heating else hot_air_w,
                )
            )
        evaporator_c += dt_s * (cold_air_w - cold_heat_w) / capacity_j_k
        condenser_c += dt_s * (hot_heat_w - hot_air_w) / capacity_j_k
        liquid_kg = max(liquid_kg + dt_s * (valve_kg_s - flow_kg_s), 0.0)
    return result


@dataclass(frozen=True, slots=True)
class Losses:
    """What a start costs against running on as at its end."""

    heat_j: float  # not delivered
    energy_j: float  # of electricity more than later (or less, below 0)


@lru_cache(maxsize=256)
def losses(machine: Machine, at: Conditions) -> Losses:
    """Of one start, within ``LOSS_S``."""
    start = course(machine, at)
    end = start[-1]
    return Losses(
        heat_j=sum(end.room_w - second.room_w for second in start),
        energy_j=sum(second.power_w - end.power_w for second in start),
    )


def seconds_until_felt(machine: Machine, at: Conditions) -> float:
    """Until the supply is ``COOL_AIR_K`` below the room, or ``WARM_AIR_C`` warm; nan if never. [s]"""
    for second, now in enumerate(course(machine, at)):
        felt = now.supply_c >= WARM_AIR_C if at.heating else now.supply_c <= at.indoor_c - COOL_AIR_K
        if felt:
            return float(second)
    return math.nan
