"""Weather: generated from monthly normals or read from EPW files, at instants or in rows of ``Sky``."""

from simulator.weather.climates import (
    BEIJING,
    CHICAGO,
    CHONGQING,
    CITIES,
    GUANGZHOU,
    HARBIN,
    KUNMING,
    LONDON,
    MADRID,
    PHOENIX,
    SHANGHAI,
    SINGAPORE,
    TAMPA,
    TOKYO,
    Climate,
)
from simulator.weather.epw import EpwError, EpwYear, read_epw
from simulator.weather.forecast import Forecasts
from simulator.weather.generator import GeneratedWeather, Outdoor, clear_sky_w_m2, daily_course
from simulator.weather.sky import DAY_S, HasSky, Sky, sun_height_sine

__all__ = [
    "BEIJING",
    "CHICAGO",
    "CHONGQING",
    "CITIES",
    "DAY_S",
    "GUANGZHOU",
    "HARBIN",
    "KUNMING",
    "LONDON",
    "MADRID",
    "PHOENIX",
    "SHANGHAI",
    "SINGAPORE",
    "TAMPA",
    "TOKYO",
    "Climate",
    "EpwError",
    "EpwYear",
    "Forecasts",
    "GeneratedWeather",
    "HasSky",
    "Outdoor",
    "Sky",
    "clear_sky_w_m2",
    "daily_course",
    "read_epw",
    "sun_height_sine",
]
