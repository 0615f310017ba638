"""What a controller in the benchmark sees and says. Nothing of the plant, the people or the future is in here.

Arrays have one value a home, shape (n,), unless they say otherwise; NaN is unknown.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DECISION_S = 900.0
ROWS_PER_DECISION = 3  # rows of 5 minutes
QUARTERS_AHEAD = 96  # presence and price are known ahead for a day, by the quarter of an hour
HOURS_AHEAD = 24  # weather is forecast ahead for a day, by the hour


@dataclass(frozen=True, slots=True)
class Known:
    """What everybody knows of the homes before the first day."""

    n: int
    utc_offset_s: Array  # fixed over the year
    latitude: Array
    longitude: Array
    rated_cooling_w: Array  # of the nameplate
    floor_m2: Array
    mean_price: Array  # over the year, per kWh
    start_epoch_s: float  # of row 0
    rows: int  # steps of 5 minutes in the whole run


@dataclass(frozen=True, slots=True)
class Seen:
    """What a home's sensors, forecasts and price lists show at a decision."""

    row: int  # step of 5 minutes
    at_epoch_s: float
    local_hour: Array  # 0..24
    weekday: NDArray[np.int64]  # Monday is 0
    room_temperature_c: Array  # of a thermometer in the occupied zone, with its lag and noise
    humidity_pct: Array
    unit_temperature_c: Array  # what the unit's own sensor reads
    outdoor_temperature_c: Array
    outdoor_mean_day_c: Array  # of the last 24 h
    solar_w_m2: Array  # on the horizontal
    power_w: Array  # of the unit, mean since the last decision
    energy_kwh: Array  # of the unit, since the last decision
    on: BoolArray  # what the unit is set to, by whomever
    heating: BoolArray
    setpoint_c: Array
    occupied: Array  # 0 or 1, of a presence sensor
    asleep: Array  # 0 or 1, of the household's usual hours
    held: BoolArray  # a manual change holds: orders for this home are not carried out now
    overridden: BoolArray  # a manual change came since the last decision
    low_c: Array  # learned edges of comfort now, or at the next return where nobody is home
    high_c: Array
    heats: BoolArray  # the season's direction, the same for all controllers
    presence_ahead: Array  # (n, 96): chance that somebody is home, by quarters from now
    low_ahead_c: Array  # (n, 96): learned edges by quarters from now (asleep and awake differ)
    high_ahead_c: Array
    outdoor_ahead_c: Array  # (n, 24): forecast, mean of each hour from now
    solar_ahead_w_m2: Array  # (n, 24)
    price_now: Array  # per kWh
    price_ahead: Array  # (n, 96)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the units are told until the next decision."""

    on: BoolArray
    heating: BoolArray
    setpoint_c: Array  # of no meaning while off
    fan: NDArray[np.int64]  # 0 automatic, 1..3


class Controller(Protocol):
    """Chooses for all homes of a block at once, every 15 minutes."""

    name: str

    def start(self, known: Known) -> None:
        """Forget everything and begin."""

    def decide(self, seen: Seen) -> Orders:
        """Orders until the next decision; called in order, once for each quarter of an hour."""


class Informed(Controller, Protocol):
    """A controller that may look into the plant: ``mpc_true`` and ``optimum`` only."""

    def inform(self, world: Any, future: bool) -> None:
        """Hand over the true world; with ``future``, its weather and presence ahead may be read too."""
