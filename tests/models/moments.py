"""Moments of one room, for tests."""

from datetime import UTC, datetime
from typing import Any

from core.words import Fan, Mode
from models.words import RoomMoment

AFTERNOON = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)  # a Wednesday, 16:00 in China


def summer_moment(**changes: Any) -> RoomMoment:
    """A warm room on a hot afternoon, its unit on."""
    values: dict[str, Any] = {
        "at": AFTERNOON,
        "local_hour": 16.0,
        "weekday": 2,
        "step_s": 300.0,
        "room_temperature_c": 27.5,
        "outdoor_temperature_c": 33.0,
        "humidity_pct": 60.0,
        "solar_w_m2": 450.0,
        "on": True,
        "mode": Mode.COOL,
        "setpoint_c": 26.0,
        "power_w": 600.0,
        "fan": Fan.AUTO,
        "occupied": 1.0,
        "planned_setpoint_c": (26.0,) * 6,
        "outdoor_forecast_c": (33.0, 33.0, 32.0, 29.0, 27.0, 30.0),
        "solar_forecast_w_m2": (450.0, 400.0, 300.0, 50.0, 0.0, 300.0),
    }
    return RoomMoment(**(values | changes))
