"""What rooms read in a quarter of an hour, as arrays: the input of ``models.correction``."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.words import Mode
from models.words import RoomMoment

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SLOT_S = 900


class Readings(NamedTuple):
    """What n rooms read in a quarter of an hour, shape (n,), or (n, horizons) ahead; NaN is unknown."""

    slot: Integers  # since 1970
    room_c: Array
    outdoor_c: Array
    solar_w_m2: Array
    heat_kw: Array  # power of the unit, negative while it cools, and heat from elsewhere
    local_hour: Array
    outdoor_ahead_c: Array
    solar_ahead_w_m2: Array

    def of(self, rooms: NDArray[Any]) -> "Readings":
        """Of some of the rooms."""
        kept: list[Any] = [values[rooms] for values in self]
        return Readings(*kept)


def readings_of(moments: Sequence[RoomMoment]) -> Readings:
    """What the rooms of some moments read."""
    return Readings(
        slot=np.array([moment.at.timestamp() // SLOT_S for moment in moments], dtype=np.int64),
        room_c=np.array([moment.room_temperature_c for moment in moments], dtype=np.float64),
        outdoor_c=np.array([moment.outdoor_temperature_c for moment in moments], dtype=np.float64),
        solar_w_m2=np.array([moment.solar_w_m2 for moment in moments], dtype=np.float64),
        heat_kw=np.array([_heat_kw(moment) for moment in moments], dtype=np.float64),
        local_hour=np.array([moment.local_hour for moment in moments], dtype=np.float64),
        outdoor_ahead_c=np.array([moment.outdoor_forecast_c for moment in moments], dtype=np.float64),
        solar_ahead_w_m2=np.array([moment.solar_forecast_w_m2 for moment in moments], dtype=np.float64),
    )


def _heat_kw(moment: RoomMoment) -> float | None:
    if moment.power_w is None and moment.heat_w is None:
        return None
    unit_w = (moment.power_w or 0.0) * (1.0 if moment.mode is Mode.HEAT else -1.0)
    return 1e-3 * (unit_w + (moment.heat_w or 0.0))
