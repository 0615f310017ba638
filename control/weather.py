"""Weather ahead from the home's own outdoor sensor, because it works without internet.

The next day is the last one again, moved by how much warmer or colder it is now than a day ago::

    T(t + h) = T(t + h - 24 h) + T(t) - T(t - 24 h)

and the sun is yesterday's, or, without a solar sensor, a usual share of a clear sky. What is not measured falls back
step by step: the last value held, then a usual value for place and season; ``source`` says which it was.

Kept in ``learned`` (scope ``home``, name ``weather``): ``{"version": 1, "hours": {hour since 1970: [temperature_c,
solar_w_m2 or null, share of a reading's weight]}}``, the last two days.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from control.history import Quarter

Value = TypeVar("Value", float, NDArray[np.float64])  # of one home, or of many
Hour = tuple[float, float | None, float]  # outdoors [°C], sun [W/m2], share of a reading's weight

HOUR_S = 3600
KEPT_H = 48
CLOUDY_SHARE = 0.6  # of a clear sky's sun that reaches the ground in the mean of many places and days
USUAL_LATITUDE = 32.0


@dataclass(frozen=True, slots=True)
class WeatherAhead:
    """Hourly means from now on: index 0 is the hour that begins now."""

    outdoor_c: tuple[float, ...]
    solar_w_m2: tuple[float, ...]
    source: str  # yesterday, held, usual
    age_s: float | None  # of the newest measurement; None without any

    def outdoor_between_c(self, start_s: float, end_s: float) -> float:
        """Mean between two times from now. [°C]"""
        return mean_between(self.outdoor_c, start_s, end_s)

    def solar_between_w_m2(self, start_s: float, end_s: float) -> float:
        """Mean between two times from now. [W/m2]"""
        return mean_between(self.solar_w_m2, start_s, end_s)


@dataclass(slots=True)
class WeatherMemory:
    """Hourly means of the last two days."""

    hours: dict[int, Hour] = field(default_factory=dict)
    last_at: datetime | None = None

    def add(self, at: datetime, outdoor_c: float, solar_w_m2: float | None, weight: float = 1.0) -> None:
        """Take in a measurement."""
        hour = int(at.timestamp()) // HOUR_S
        mean_c, mean_solar, before = self.hours.get(hour, (outdoor_c, solar_w_m2, 0.0))
        share = weight / (before + weight)
        if solar_w_m2 is not None and mean_solar is not None:
            solar_w_m2 = mean_solar + share * (solar_w_m2 - mean_solar)
        self.hours[hour] = (mean_c + share * (outdoor_c - mean_c), solar_w_m2, before + weight)
        self.last_at = at if self.last_at is None else max(at, self.last_at)
        newest = max(self.hours)
        for old in [kept for kept in self.hours if kept <= newest - KEPT_H]:
            del self.hours[old]

    def add_quarters(self, quarters: Sequence[Quarter]) -> None:
        """Take in what an outdoor sensor reported before."""
        for quarter in quarters:
            outdoor_c = quarter.outdoor_temperature_c
            outdoor_c = quarter.room_temperature_c if outdoor_c is None else outdoor_c
            if outdoor_c is not None:
                at = datetime.fromtimestamp(quarter.start_s, tz=UTC)
                self.add(at, outdoor_c, quarter.solar_w_m2)

    def ahead(self, now: datetime, latitude: float | None, longitude: float | None, hours: int = 25) -> WeatherAhead:
        """What to expect from now on."""
        this_hour = int(now.timestamp()) // HOUR_S
        day_before = [self.hours.get(hour) for hour in range(this_hour - 24, this_hour - 24 + hours)]
        solar = _solar_ahead(day_before, now, latitude, longitude)
        age_s = None if self.last_at is None else max(0.0, (now - self.last_at).total_seconds())
        known = self.hours.get(this_hour) or self.hours.get(this_hour - 1)
        if known is None:
            usual = tuple(usual_outdoor_c(now + timedelta(hours=lead), latitude, longitude) for lead in range(hours))
            return WeatherAhead(usual, solar, "usual", age_s)
        anchor = this_hour if this_hour in self.hours else this_hour - 1
        before = self.hours.get(anchor - 24)
        if before is None or len(day_before) - day_before.count(None) < hours // 2:
            return WeatherAhead((known[0],) * hours, solar, "held", age_s)
        shift_k = known[0] - before[0]
        filled = _filled([None if hour is None else hour[0] for hour in day_before])
        return WeatherAhead(tuple([value + shift_k for value in filled]), solar, "yesterday", age_s)

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        return {"version": 1, "hours": {str(hour): list(values) for hour, values in sorted(self.hours.items())}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "WeatherMemory":
        """The memory of ``to_json``."""
        memory = cls()
        for hour, (outdoor_c, solar_w_m2, weight) in ((value or {}).get("hours") or {}).items():
            memory.hours[int(hour)] = (outdoor_c, solar_w_m2, weight)
        if memory.hours:
            memory.last_at = datetime.fromtimestamp((max(memory.hours) + 1) * HOUR_S, tz=UTC)
        return memory


def _solar_ahead(
    day_before: Sequence[Hour | None], now: datetime, latitude: float | None, longitude: float | None
) -> tuple[float, ...]:
    measured = [None if hour is None else hour[1] for hour in day_before]
    if None not in measured:
        return tuple(value for value in measured if value is not None)
    usual = (CLOUDY_SHARE * _clear_sky_ahead_w_m2(now, len(measured), latitude, longitude)).tolist()
    return tuple([sky if value is None else value for value, sky in zip(measured, usual, strict=True)])


def sun_height_sine(at: datetime, latitude: float | None, longitude: float | None) -> float:
    """Sine of the sun's height, by the declination of P. Cooper (Solar Energy 12, 1969); within about a degree.

    Without a longitude, the zone of ``at`` stands in for it.
    """
    day = at.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2.0 * math.pi * (284 + day) / 365.0)
    phi = math.radians(USUAL_LATITUDE if latitude is None else latitude)
    offset = at.utcoffset() or timedelta(0)
    turn = offset.total_seconds() / 240.0 if longitude is None else longitude
    utc_s = (at - offset).replace(tzinfo=None)
    solar_h = utc_s.hour + utc_s.minute / 60.0 + turn / 15.0
    angle = math.radians(15.0 * (solar_h - 12.0))
    return math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(angle)


def clear_sky_w_m2(at: datetime, latitude: float | None, longitude: float | None) -> float:
    """Sun on the horizontal under a clear sky, after B. Haurwitz, Journal of Meteorology 2, 1945. [W/m2]"""
    height = sun_height_sine(at, latitude, longitude)
    return 1098.0 * height * math.exp(-0.059 / height) if height > 0.01 else 0.0


def _clear_sky_ahead_w_m2(
    now: datetime, hours: int, latitude: float | None, longitude: float | None
) -> NDArray[np.float64]:
    """``clear_sky_w_m2`` in the middle of each hour from now on, shape (hours,). [W/m2]"""
    declination_sine, declination_cosine, utc_h = _middles(now, hours)
    phi = math.radians(USUAL_LATITUDE if latitude is None else latitude)
    turn_h = (now.utcoffset() or timedelta(0)).total_seconds() / 3600.0 if longitude is None else longitude / 15.0
    angle = np.radians(15.0 * (utc_h + (turn_h - 12.0)))
    height = math.sin(phi) * declination_sine + math.cos(phi) * declination_cosine * np.cos(angle)
    up = np.maximum(height, 0.01)
    return np.where(height > 0.01, 1098.0 * up * np.exp(-0.059 / up), 0.0)


@lru_cache(maxsize=16)
def _middles(now: datetime, hours: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sine and cosine of the sun's declination in the middles of hours, and their hour of the day in UTC."""
    middles = [now + timedelta(hours=lead, minutes=30) for lead in range(hours)]
    day = np.array([at.timetuple().tm_yday for at in middles], dtype=np.float64)
    declination = math.radians(23.45) * np.sin(2.0 * math.pi * (284.0 + day) / 365.0)
    utc = [at.astimezone(UTC) for at in middles]
    return np.sin(declination), np.cos(declination), np.array([at.hour + at.minute / 60.0 for at in utc])


def usual_outdoor_c(at: datetime, latitude: float | None, longitude: float | None) -> float:
    """A usual temperature of a place and season, for a home without any outdoor sensor. [°C]

    A coarse fit to the climates of eastern Asia and Europe: the yearly mean falls with latitude, its swing grows.
    """
    phi = USUAL_LATITUDE if latitude is None else latitude
    mean_c = 27.0 - 0.55 * max(0.0, abs(phi) - 12.0)
    swing_k = 0.35 * abs(phi)
    season = math.cos(2.0 * math.pi * (at.timetuple().tm_yday - 200) / 365.0) * (1.0 if phi >= 0.0 else -1.0)
    daily_k = 4.0 * (sun_height_sine(at - timedelta(hours=2), latitude, longitude))
    return mean_c + swing_k * season + daily_k


def _filled(values: Sequence[float | None]) -> list[float]:
    """Gaps take the value before them, or the first known one."""
    last = next(value for value in values if value is not None)
    filled = []
    for value in values:
        last = last if value is None else value
        filled.append(last)
    return filled


def means_between(hourly: Sequence[float], spans_s: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """``mean_between`` of several spans of time within the hourly values."""
    parts = [hourly[first:last] for first, last in _hours_of(spans_s)]
    return tuple([sum(part) / len(part) for part in parts])


@lru_cache(maxsize=16)
def _hours_of(spans_s: tuple[tuple[float, float], ...]) -> tuple[tuple[int, int], ...]:
    return tuple(_touched(start_s, end_s) for start_s, end_s in spans_s)


def _touched(start_s: float, end_s: float) -> tuple[int, int]:
    """The first hour that a span touches, and the one behind the last."""
    first = int(start_s // HOUR_S)
    return first, max(first + 1, math.ceil(end_s / HOUR_S))


def mean_between(hourly: Sequence[Value], start_s: float, end_s: float) -> Value:
    """Mean of hourly values, the first for the hour that begins now, over the hours that two times from now touch."""
    first, last = _touched(start_s, end_s)
    part = hourly[first:last] if first < len(hourly) else hourly[-1:]
    return sum(part[1:], start=part[0]) / len(part)
