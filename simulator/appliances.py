"""Power of plugged appliances minute by minute, as typical profiles: the shapes of recordings, not one product.

Powers are of the appliance while its plug gives current. Randomness enters as a Generator.
"""

import numpy as np

from simulator.physics.moist_air import Array

TV_ON_W = 92.0
TV_STANDBY_W = 8.5  # with the set-top box that nobody switches off
ROUTER_W = 11.0
WASHER_STANDBY_W = 0.6
PC_ON_W = 68.0
PC_STANDBY_W = 1.4
KETTLE_W = 1850.0
WATER_HEATER_W = 2000.0
WATER_J_PER_L_K = 4186.0


def television_w(minutes: int, watched: Array, rng: np.random.Generator) -> Array:
    """Power of a TV and its set-top box, shape (minutes,); ``watched`` is 0 or 1 for each minute. [W]"""
    picture = TV_ON_W * (1.0 + 0.09 * rng.standard_normal(minutes))  # brightness of the scene
    return np.where(watched > 0.0, np.maximum(picture, 40.0), TV_STANDBY_W)


def router_w(minutes: int, rng: np.random.Generator) -> Array:
    """Power of a router, flat but for its traffic, shape (minutes,). [W]"""
    return ROUTER_W + np.abs(0.35 * rng.standard_normal(minutes))


def computer_w(minutes: int, used: Array, rng: np.random.Generator) -> Array:
    """Power of a desktop PC with its screen, shape (minutes,); ``used`` is 0 or 1 for each minute. [W]"""
    busy = 1.0 + 0.25 * np.abs(rng.standard_normal(minutes))
    return np.where(used > 0.0, PC_ON_W * busy, PC_STANDBY_W)


def boil_w(litres: float, cold_c: float = 18.0) -> Array:
    """Power of a kettle that boils once, shape (minutes,), the last minute in part; 90 % of it heats the water. [W]"""
    minutes = litres * WATER_J_PER_L_K * (100.0 - cold_c) / (0.9 * KETTLE_W) / 60.0
    whole = int(minutes)
    return np.append(np.full(whole, KETTLE_W), KETTLE_W * (minutes - whole))


def water_heater_w(
    drawn_l: Array, *, volume_l: float = 60.0, set_c: float = 60.0, band_k: float = 5.0, cold_c: float = 18.0
) -> Array:
    """Power of an electric storage heater, shape (minutes,), for hot water drawn in each minute. [W]

    One mixed tank that loses 1.6 W/K to a bathroom of 22 °C: about 1.5 kWh a day at 60 °C, as labels of such tanks say
    (assumed). The thermostat heats from ``band_k`` below its setting up to it.
    """
    tank_c, heats = set_c, False
    power_w = np.zeros(drawn_l.size)
    capacity_j_per_k = volume_l * WATER_J_PER_L_K
    for minute, drawn in enumerate(drawn_l.tolist()):
        heats = tank_c < set_c if heats else tank_c < set_c - band_k
        power_w[minute] = WATER_HEATER_W if heats else 0.0
        lost_j = 60.0 * 1.6 * (tank_c - 22.0) + drawn * WATER_J_PER_L_K * (tank_c - cold_c)
        tank_c += (60.0 * power_w[minute] - lost_j) / capacity_j_per_k
    return power_w


def wash_w(rng: np.random.Generator) -> Array:
    """Power of one wash, shape (minutes,): fill, sometimes heat, wash, rinse twice, spin. [W]"""
    heat_min = int(rng.integers(9, 16)) if rng.random() < 0.35 else 0
    wash_min, rinse_min, spin_min = int(rng.integers(22, 34)), int(rng.integers(7, 11)), int(rng.integers(6, 10))
    drum = _drum_w(wash_min, 180.0, rng)
    rinses = [np.concatenate([np.full(2, 12.0), _drum_w(rinse_min, 140.0, rng)]) for _ in range(2)]
    spin = np.linspace(180.0, 520.0, spin_min) * (1.0 + 0.05 * rng.standard_normal(spin_min))
    heating = 1950.0 + 20.0 * rng.standard_normal(heat_min)
    return np.concatenate([np.full(3, 14.0), heating, drum, *rinses, spin, np.full(2, 4.0)])


def _drum_w(minutes: int, mean_w: float, rng: np.random.Generator) -> Array:
    """A drum that turns to and fro: minutes differ, and in every third it mostly rests. [W]"""
    turning = np.where(np.arange(minutes) % 3 == 2, 0.35, 1.25)
    return np.asarray(mean_w * turning * (1.0 + 0.15 * rng.standard_normal(minutes)))
