"""Moments and situations of one room, for tests."""

from datetime import UTC, datetime
from typing import Any

from core.words import Fan, Mode
from models.words import RoomMoment, RoomSituation

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


def summer_situation(**changes: Any) -> RoomSituation:
    """Somebody at home on a hot afternoon, the unit off, a band of 24.5 to 27 °C."""
    values: dict[str, Any] = {
        "at": AFTERNOON,
        "local_hour": 16.0,
        "weekday": 2,
        "room_temperature_c": 27.5,
        "outdoor_temperature_c": 33.0,
        "humidity_pct": 60.0,
        "solar_w_m2": 450.0,
        "on": False,
        "mode": None,
        "setpoint_c": None,
        "power_w": None,
        "since_switch_s": 7200.0,
        "outlook": None,
        "comfort_low_c": 24.5,
        "comfort_high_c": 27.0,
        "occupied": 1.0,
        "occupied_ahead": (1.0,) * 7,
        "outdoor_ahead_c": (33.0, 32.0, 31.0, 29.0, 28.0, 27.0, 32.0),
        "solar_ahead_w_m2": (400.0, 300.0, 50.0, 0.0, 0.0, 0.0, 400.0),
        "price_now": 0.538,
        "price_ahead": (0.538,) * 7,
    }
    return RoomSituation(**(values | changes))


def winter_situation(**changes: Any) -> RoomSituation:
    """Somebody at home on a cold evening, the unit off, a band of 19 to 22 °C."""
    values: dict[str, Any] = {
        "local_hour": 19.0,
        "room_temperature_c": 15.0,
        "outdoor_temperature_c": 2.0,
        "solar_w_m2": 0.0,
        "comfort_low_c": 19.0,
        "comfort_high_c": 22.0,
        "outdoor_ahead_c": (2.0, 1.0, 0.0, 0.0, 0.0, 3.0, 2.0),
        "solar_ahead_w_m2": (0.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.0),
    }
    return summer_situation(**(values | changes))
