"""Weather: generated from monthly normals or read from EPW files, at instants or in rows of ``Sky``."""

from simulator.weather.generator import (
    BEIJING,
    CLIMATES,
    GUANGZHOU,
    HARBIN,
    SHANGHAI,
    Climate,
    GeneratedWeather,
    Outdoor,
    Weather,
    clear_sky_w_m2,
    daily_course,
)
from simulator.weather.sky import DAY_S, Sky, sky_rows, sun_height_sine

__all__ = [
    "BEIJING",
    "CLIMATES",
    "DAY_S",
    "GUANGZHOU",
    "HARBIN",
    "SHANGHAI",
    "Climate",
    "GeneratedWeather",
    "Outdoor",
    "Sky",
    "Weather",
    "clear_sky_w_m2",
    "daily_course",
    "sky_rows",
    "sun_height_sine",
]
