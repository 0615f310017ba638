"""Predicted mean vote of ISO 7730:2005, equation (1) with (2) to (4); the computer program of its annex D.

Steady state, for 0.8 to 4 met, 0 to 2 clo, 10 to 30 C, and a PMV within 2. People who sleep lie outside of what it was
made for; a figure for them says where a room lies against what they like, and no more.
"""

import math

from simulator.jit import njit
from simulator.physics.moist_air import PRESSURE_PA, WATER_DENSITY_RATIO

W_PER_MET = 58.15  # per m2 of skin; ISO 7730, 3
M2_K_PER_W_PER_CLO = 0.155
ZERO_C_K = 273.0  # as the standard rounds it
GREATEST_ITERATIONS = 150
CLOSE_ENOUGH = 1.5e-4  # hundreds of kelvin, of the clothing's surface


@njit
def vapour_pressure_pa(humidity_kg_kg: float, pressure_pa: float = PRESSURE_PA) -> float:
    """Partial pressure of water in air; ASHRAE Fundamentals 2017, chapter 1, equation (20) solved for it. [Pa]"""
    return pressure_pa * humidity_kg_kg / (WATER_DENSITY_RATIO + humidity_kg_kg)


@njit
def pmv(air_c: float, radiant_c: float, vapour_pa: float, air_m_s: float, met: float, clo: float) -> float:
    """Vote from -3 (cold) to 3 (hot) of people in steady air.

    Parameters
    ----------
    air_m_s : float
        Air against the body, that of its own movement included. [m/s]
    met, clo : float
        Metabolic rate and insulation of clothing; no work is done to the outside.
    """
    metabolic_w_m2 = met * W_PER_MET
    clothing_m2_k_w = clo * M2_K_PER_W_PER_CLO
    thin = clothing_m2_k_w <= 0.078  # f_cl, equation (4)
    area_ratio = 1.0 + 1.29 * clothing_m2_k_w if thin else 1.05 + 0.645 * clothing_m2_k_w
    air_k, radiant_k = air_c + ZERO_C_K, radiant_c + ZERO_C_K
    forced = 12.1 * math.sqrt(air_m_s)  # h_c of equation (3), the larger of the two holds
    # equation (2) for the clothing's surface, in hundreds of kelvin, solved as in annex D
    p1 = clothing_m2_k_w * area_ratio
    p2 = p1 * 3.96
    p3 = p1 * 100.0
    p4 = p1 * air_k
    p5 = 308.7 - 0.028 * metabolic_w_m2 + p2 * (radiant_k / 100.0) ** 4
    surface = (air_k + (35.5 - air_c) / (3.5 * (6.45 * clothing_m2_k_w + 0.1))) / 100.0
    last = surface / 2.0
    convection_w_m2_k = forced
    for _ in range(GREATEST_ITERATIONS):
        if abs(surface - last) <= CLOSE_ENOUGH:
            break
        last = (last + surface) / 2.0
        free = 2.38 * math.sqrt(math.sqrt(abs(100.0 * last - air_k)))
        convection_w_m2_k = max(forced, free)
        surface = (p5 + p4 * convection_w_m2_k - p2 * last**4) / (100.0 + p3 * convection_w_m2_k)
    surface_c = 100.0 * surface - ZERO_C_K
    skin_w_m2 = 3.05e-3 * (5733.0 - 6.99 * metabolic_w_m2 - vapour_pa)
    sweat_w_m2 = max(0.0, 0.42 * (metabolic_w_m2 - W_PER_MET))
    breath_latent_w_m2 = 1.7e-5 * metabolic_w_m2 * (5867.0 - vapour_pa)
    breath_dry_w_m2 = 0.0014 * metabolic_w_m2 * (34.0 - air_c)
    radiation_w_m2 = 3.96 * area_ratio * (surface**4 - (radiant_k / 100.0) ** 4)
    convection_w_m2 = area_ratio * convection_w_m2_k * (surface_c - air_c)
    load_w_m2 = (
        metabolic_w_m2
        - skin_w_m2
        - sweat_w_m2
        - breath_latent_w_m2
        - breath_dry_w_m2
        - radiation_w_m2
        - convection_w_m2
    )
    return (0.303 * math.exp(-0.036 * metabolic_w_m2) + 0.028) * load_w_m2
