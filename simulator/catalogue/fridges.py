"""Seven refrigerators as one finds them in kitchens: volumes and thermostats of their class, powers as measured.

Healthy refrigerators in the data set tracebase (A. Reinhardt et al., "On the accuracy of appliance identification based
on distributed load metering data", SustainIT 2012) use 0.23-0.85 kWh a day in 20-32 cycles at 62-130 W while on. Walls
are those of cabinets with 35 to 60 mm of polyurethane foam (0.022 W/(m K)) and their seals; powers lie within what was
measured, capacities of food are a half-filled cabinet of water-like food (3.4 kJ per litre and kelvin frozen or not:
1.9 frozen). Each model's share of Carnot is assumed. No model is one product.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from simulator.physics.refrigerator import Refrigerator, RefrigeratorState
from simulator.records import Table, table

HOUR_S = 3600.0


def _cabinet(
    *,
    fresh_l: float,
    freezer_l: float,
    leak_w_per_k: tuple[float, float],
    power_w: float,
    carnot_ratio: float,
    no_frost: bool,
    slowest_speed: float = 1.0,
    fresh_c: tuple[float, float] = (5.0, 2.6),
    freezer_c: tuple[float, float] = (-16.6, -19.6),
    fresh_share: float = 0.5,
    idle_w: float = 0.8,
) -> Refrigerator:
    return Refrigerator(
        fresh_air_j_per_k=5_000.0 + 80.0 * fresh_l,
        freezer_air_j_per_k=8_000.0 + 110.0 * freezer_l,
        fresh_leak_w_per_k=leak_w_per_k[0],
        freezer_leak_w_per_k=leak_w_per_k[1],
        between_w_per_k=0.18 + 0.0006 * (fresh_l + freezer_l),
        fresh_food_air_w_per_k=0.6 + 0.011 * fresh_l,
        freezer_food_air_w_per_k=0.4 + 0.014 * freezer_l,
        has_damper=no_frost,
        fresh_share=fresh_share,
        power_w=power_w,
        carnot_ratio=carnot_ratio,
        slowest_speed=slowest_speed,
        slow_gain=0.22 if slowest_speed < 1.0 else 0.0,
        evaporator_k=8.0,
        condenser_k=14.0,
        fresh_cut_in_c=fresh_c[0],
        fresh_cut_out_c=fresh_c[1],
        freezer_cut_in_c=freezer_c[0],
        freezer_cut_out_c=freezer_c[1],
        idle_w=idle_w,
        defrost_w=170.0 if no_frost else 0.0,
        never_stops=False,
        air_exchange_kg_s=0.0,
        defrost_every_run_s=9.0 * HOUR_S if slowest_speed >= 1.0 else 20.0 * HOUR_S,
    )


MODELS: Mapping[str, Refrigerator] = MappingProxyType(
    {
        "compact_95l": _cabinet(
            fresh_l=80,
            freezer_l=15,
            leak_w_per_k=(0.52, 0.13),
            power_w=66,
            carnot_ratio=0.34,
            no_frost=False,
            fresh_share=0.40,
            fresh_c=(4.8, 2.9),
        ),
        "top_freezer_210l": _cabinet(
            fresh_l=150,
            freezer_l=60,
            leak_w_per_k=(0.78, 0.34),
            power_w=92,
            carnot_ratio=0.38,
            no_frost=False,
            fresh_share=0.35,
            fresh_c=(4.8, 2.9),
        ),
        "bottom_freezer_280l": _cabinet(
            fresh_l=190,
            freezer_l=90,
            leak_w_per_k=(0.80, 0.40),
            power_w=96,
            carnot_ratio=0.42,
            no_frost=False,
            fresh_share=0.32,
            fresh_c=(4.7, 3.1),
        ),
        "no_frost_320l": _cabinet(
            fresh_l=220,
            freezer_l=100,
            leak_w_per_k=(0.82, 0.40),
            power_w=118,
            carnot_ratio=0.45,
            no_frost=True,
            idle_w=1.5,
        ),
        "inverter_350l": _cabinet(
            fresh_l=240,
            freezer_l=110,
            leak_w_per_k=(0.82, 0.40),
            power_w=108,
            carnot_ratio=0.46,
            no_frost=True,
            slowest_speed=0.38,
            idle_w=1.5,
        ),
        "side_by_side_500l": _cabinet(
            fresh_l=320,
            freezer_l=180,
            leak_w_per_k=(1.05, 0.62),
            power_w=128,
            carnot_ratio=0.48,
            no_frost=True,
            slowest_speed=0.36,
            idle_w=2.0,
        ),
        "overcooled_260l": _cabinet(
            fresh_l=180,
            freezer_l=80,
            leak_w_per_k=(0.80, 0.38),
            power_w=100,
            carnot_ratio=0.42,
            no_frost=True,
            fresh_c=(3.2, 0.8),
            freezer_c=(-20.0, -23.4),
            idle_w=1.2,
        ),
    }
)


def fridges(names: list[str]) -> tuple[Table, Table]:
    """Constants of the named models, and their states in a kitchen where they have run for long.

    Raises
    ------
    KeyError
        No such model.
    """
    constants, states = table(Refrigerator, len(names)), table(RefrigeratorState, len(names))
    for i, name in enumerate(names):
        model = MODELS[name]
        for field in constants.dtype.names or ():
            constants[field][i] = getattr(model, field)
    fresh_l = (constants["fresh_air_j_per_k"] - 5_000.0) / 80.0
    freezer_l = (constants["freezer_air_j_per_k"] - 8_000.0) / 110.0
    states["fresh_food_j_per_k"] = 0.35 * fresh_l * 3_400.0
    states["freezer_food_j_per_k"] = 0.45 * freezer_l * 1_900.0
    fresh_c = 0.5 * (constants["fresh_cut_in_c"] + constants["fresh_cut_out_c"])
    freezer_c = 0.5 * (constants["freezer_cut_in_c"] + constants["freezer_cut_out_c"])
    for part, middle_c in (("fresh", fresh_c), ("freezer", freezer_c)):
        states[f"{part}_air_c"] = states[f"{part}_food_c"] = middle_c
    states["since_defrost_s"] = np.linspace(0.0, 8.0, len(names)) * HOUR_S
    return constants, states
