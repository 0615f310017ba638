"""What instruments show of the truth: thermometers that lag, err and round; meters that reset, freeze or lie."""

from simulator.jit import njit
from simulator.records import record

KWH_J = 3.6e6


@record
class Thermometer:
    """A room thermometer and what it shows.

    Battery thermometers of home automation follow the air within 5 to 20 minutes and are specified to 0.2 to 0.5 K; the
    values of one device are assumed.
    """

    lag_s: float
    offset_k: float
    noise_k: float  # standard deviation
    step_k: float  # of its display; 0: none
    body_c: float  # state: of its own body
    shown_c: float


@njit
def read_temperature(thermometer: Thermometer, true_c: float, luck: float, dt_s: float) -> float:
    """Let ``dt_s`` pass in air of ``true_c`` and read it; ``luck`` is a standard normal number. [°C]"""
    thermometer.body_c += (true_c - thermometer.body_c) * dt_s / (thermometer.lag_s + dt_s)
    shown_c = thermometer.body_c + thermometer.offset_k + thermometer.noise_k * luck
    if thermometer.step_k > 0.0:
        shown_c = round(shown_c / thermometer.step_k) * thermometer.step_k
    thermometer.shown_c = shown_c
    return shown_c


@record
class EnergyMeter:
    """A meter's register with its faults, all off at zero, and what it shows."""

    scale_error: float  # it lies: shows (1 + this) times the truth
    frozen_ratio: float  # of the time, in which it repeats its last values
    resets_per_day: float  # its register falls to zero
    total_kwh: float  # state: its register
    shown_total_kwh: float
    shown_power_w: float


@njit
def read_meter(meter: EnergyMeter, power_w: float, luck: float, dt_s: float) -> None:
    """Let ``dt_s`` pass at ``power_w``; ``luck``, evenly distributed in 0..1, decides over faults of this reading."""
    meter.total_kwh += (1.0 + meter.scale_error) * power_w * dt_s / KWH_J
    if luck < meter.resets_per_day * dt_s / 86_400.0:
        meter.total_kwh = 0.0
    if luck > 1.0 - meter.frozen_ratio:
        return
    meter.shown_total_kwh = meter.total_kwh
    meter.shown_power_w = (1.0 + meter.scale_error) * power_w
