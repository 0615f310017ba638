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
STEPS_PER_S = 10
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
    """One second of a start: temperatures and frequency at its end, heat and power as means."""

    frequency_hz: float
    evaporator_c: float
    condenser_c: float
    supply_c: float
    room_w: float  # between indoor coil and room
    outdoor_w: float  # between outdoor coil and weather
    power_w: float


def pressure_kpa(temperature_c: float) -> float:
    """Of saturated R32, through 813 kPa at 0 C and 3141 kPa at 50 C (NIST REFPROP [from memory])."""
    return math.exp(15.435 - 2385.8 / (temperature_c + 273.15))


def _density(temperature_c: float) -> float:
    return pressure_kpa(temperature_c) / (temperature_c + 273.15)  # of vapour, up to a factor


@dataclass(frozen=True, slots=True)
class _Rating:
    """A machine at its rating point."""

    cold_air_c: float
    hot_air_c: float
    cold_w_k: float  # U_e
    hot_w_k: float  # U_c
    capacity_j_k: float  # of each coil
    full_kg: float
    flow_kg_s: float
    density: float
    lift: float
    push: float  # root of the difference of pressures


def _rating(machine: Machine, at: Conditions) -> _Rating:
    cold_w = machine.rated_heat_w - (machine.rated_power_w if at.heating else 0.0)
    cold_air_c, hot_air_c = (at.outdoor_c, at.indoor_c) if at.heating else (at.indoor_c, at.outdoor_c)
    cold_kpa, hot_kpa = pressure_kpa(at.coil_cold_c), pressure_kpa(at.coil_hot_c)
    return _Rating(
        cold_air_c=cold_air_c,
        hot_air_c=hot_air_c,
        cold_w_k=cold_w / (cold_air_c - at.coil_cold_c),
        hot_w_k=(cold_w + machine.rated_power_w) / (at.coil_hot_c - hot_air_c),
        capacity_j_k=COIL_J_PER_K_PER_W * machine.rated_heat_w,
        full_kg=CHARGE_KG_PER_W * machine.rated_heat_w,
        flow_kg_s=cold_w / LATENT_J_PER_KG,
        density=_density(at.coil_cold_c),
        lift=math.log(hot_kpa / cold_kpa),
        push=math.sqrt(hot_kpa - cold_kpa),
    )


@dataclass(slots=True)
class _Cycle:
    """The machine's state, and what its refrigerant does."""

    machine: Machine
    rating: _Rating
    evaporator_c: float
    condenser_c: float
    liquid_kg: float
    frequency_ratio: float = 0.0

    def refrigerate(self, dt_s: float) -> tuple[float, float]:
        """Move refrigerant for ``dt_s``: heat taken up in the evaporator and power of the compressor. [W, W]"""
        rating, machine = self.rating, self.machine
        fill = self.liquid_kg / rating.full_kg
        vapour = _density(self.evaporator_c) / rating.density * min(fill, 1.0)  # starved: its pressure falls
        flow = self.frequency_ratio * vapour  # over that of the rating point
        cold_kpa, hot_kpa = pressure_kpa(self.evaporator_c), pressure_kpa(self.condenser_c)
        push = math.sqrt(max(hot_kpa - cold_kpa, 0.0)) / rating.push
        opening = 1.0
        if machine.calibrated_valve:
            wanted = self.frequency_ratio / max(push, 0.1) + VALVE_TRIM * (1.0 - fill)
            opening = min(max(wanted, 0.0), WIDEST_VALVE)
        sealed = min(max((CHARGE_RATIO - fill) / SEAL_RATIO, 0.0), 1.0)
        self.liquid_kg += dt_s * rating.flow_kg_s * (opening * push * sealed - flow)
        unboiled = max(fill - 1.0, 0.0)  # liquid that leaves an overfull evaporator
        lift = max(math.log(hot_kpa / cold_kpa), 0.0) / rating.lift
        pumping = flow * (OVERPRESSURE + (1.0 - OVERPRESSURE) * lift)
        power_w = machine.rated_power_w * (FRICTION * self.frequency_ratio + (1.0 - FRICTION) * pumping)
        return flow * rating.flow_kg_s * LATENT_J_PER_KG * (1.0 - unboiled), power_w


def course(machine: Machine, at: Conditions, seconds: int = LOSS_S) -> list[Second]:
    """The start, one entry a second, by explicit steps of 0.1 s."""
    rating = _rating(machine, at)
    cycle = _Cycle(machine, rating, rating.cold_air_c, rating.hot_air_c, rating.full_kg)
    ramp_per_s = RAMP_HZ_PER_S / RATED_HZ if machine.inverter else 1.0
    fan_runs = not at.heating
    result: list[Second] = []
    for _ in range(seconds):
        cold_j = hot_j = power_j = 0.0
        for _ in range(STEPS_PER_S):
            dt_s = 1.0 / STEPS_PER_S
            ratio = cycle.frequency_ratio + ramp_per_s * dt_s
            cycle.frequency_ratio = min(ratio, machine.start_frequency_ratio)
            boiled_w, power_w = cycle.refrigerate(dt_s)
            fan_runs = fan_runs or cycle.condenser_c > FAN_WAITS_BELOW_C
            indoors = 1.0 if fan_runs else STILL_AIR
            cold_w = rating.cold_w_k * (rating.cold_air_c - cycle.evaporator_c)
            hot_w = rating.hot_w_k * (cycle.condenser_c - rating.hot_air_c) * (indoors if at.heating else 1.0)
            cycle.evaporator_c += dt_s * (cold_w - boiled_w) / rating.capacity_j_k
            cycle.condenser_c += dt_s * (boiled_w + power_w - hot_w) / rating.capacity_j_k
            cold_j += cold_w * dt_s
            hot_j += hot_w * dt_s
            power_j += power_w * dt_s
        coil_c = cycle.condenser_c if at.heating else cycle.evaporator_c
        result.append(
            Second(
                frequency_hz=cycle.frequency_ratio * RATED_HZ,
                evaporator_c=cycle.evaporator_c,
                condenser_c=cycle.condenser_c,
                supply_c=at.indoor_c + (COIL_CONTACT * (coil_c - at.indoor_c) if fan_runs else 0.0),
                room_w=hot_j if at.heating else cold_j,
                outdoor_w=cold_j if at.heating else hot_j,
                power_w=power_j,
            )
        )
    return result


def balance(machine: Machine, at: Conditions) -> float:
    """Heat that a start makes or loses out of nothing, over the electricity it takes: 0 but for rounding."""
    seconds = course(machine, at)
    rating = _rating(machine, at)
    last = seconds[-1]
    stored_k = last.evaporator_c - rating.cold_air_c + last.condenser_c - rating.hot_air_c
    brought_j = sum(s.power_w + (s.outdoor_w - s.room_w if at.heating else s.room_w - s.outdoor_w) for s in seconds)
    return (brought_j - rating.capacity_j_k * stored_k) / sum(s.power_w for s in seconds)


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
            return float(second + 1)
    return math.nan
