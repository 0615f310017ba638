"""What goes into the learned models and what comes out. Control fills these in, models read them."""

from dataclasses import dataclass
from datetime import datetime

from core.words import Fan, Mode

HORIZONS_S = (900, 3600, 7200, 21_600, 43_200, 86_400)  # 15 min, 1, 2, 6, 12, 24 h


@dataclass(frozen=True, slots=True)
class RoomMoment:
    """One step of a room as the predictor sees it; None is unknown.

    Tuples ahead are one value per ``HORIZONS_S``: the mean from the horizon before it (or from now) to that horizon.
    """

    at: datetime  # end of the step, aware
    local_hour: float  # 0..24, in the home's zone
    weekday: int  # Monday is 0
    step_s: float
    room_temperature_c: float | None
    outdoor_temperature_c: float | None
    humidity_pct: float | None
    solar_w_m2: float | None
    on: bool
    mode: Mode | None  # of the plan too: while off, the mode in which the unit would start
    setpoint_c: float | None
    power_w: float | None  # of the unit, mean over the step
    fan: Fan | None
    occupied: float | None  # 0..1
    planned_setpoint_c: tuple[float | None, ...]  # None: off for most of that time
    outdoor_forecast_c: tuple[float | None, ...]
    solar_forecast_w_m2: tuple[float | None, ...]
    heat_w: float | None = None  # that the room is known to get from elsewhere, a radiator, say; mean over the step


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the predictor expects, one value per ``HORIZONS_S``."""

    horizons_s: tuple[int, ...]
    temperature_c: tuple[float, ...]
    spread_k: tuple[float, ...]  # standard deviation of the temperature
    energy_kwh: tuple[float, ...]  # of the air conditioner, from now to the horizon


@dataclass(frozen=True, slots=True)
class Wish:
    """What plan, rule or person wants of a unit; the guard has the last word."""

    on: bool
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan
