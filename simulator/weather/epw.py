"""EnergyPlus weather files (EPW): one typical year by the hour, laid out in rows of ``Sky`` for any year.

A line of hour h holds what was read *at* h o'clock, local standard time, and the mean radiation of the hour *before*:
between the lines, temperatures, humidity and wind go straight, while the radiation of each hour is spread over its
steps by where the sun stands in them, so that the hour's direct and diffuse sums stay what they are.

A calendar year with a 29 February repeats the file's 28th where the file has none, and leaves the file's 29th out
where the calendar has none.

References
----------
Format and missing codes: EnergyPlus "Auxiliary Programs", chapter "EnergyPlus weather file (EPW) data dictionary".
Direct sun over the hour: A. Meinel and M. Meinel, "Applied solar energy", 1976 (I = I0 0.7^(m^0.678)), as a shape only.

Usage::

    year = read_epw("USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw.gz")
    skies = year.sky_rows()  # from 1 January of its typical year
    skies = year.sky_rows(start_epoch_s, rows=288)
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.physics.moist_air import (
    WATER_DENSITY_RATIO,
    ZERO_C_K,
    Array,
    dew_points_c,
    pressure_at_pa,
    saturation_pressures_pa,
)
from simulator.records import Table
from simulator.weather import sky
from simulator.weather.sky import DAY_S, STEFAN_BOLTZMANN_W_M2_K4, year_ratio

HOUR_S = 3600.0
HEADER_LINES = 8
FIELDS = 28  # up to the opaque sky cover at least 24 are needed; files end at 32 to 35
LEAP_DAY = 59  # days before 29 February
LONGEST_GAP_H = 6  # of missing values that is bridged
HOURS_OF_YEAR = (8760, 8784)


class EpwError(ValueError):
    """A weather file is not what was expected."""


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    missing: float  # this and above mean "not measured"


_COLUMNS = {
    "outdoor_c": _Column(6, 99.9),
    "dew_c": _Column(7, 99.9),
    "humidity_pct": _Column(8, 999.0),
    "pressure_pa": _Column(9, 999_999.0),
    "infrared_w_m2": _Column(12, 9999.0),
    "global_w_m2": _Column(13, 9999.0),
    "direct_w_m2": _Column(14, 9999.0),
    "diffuse_w_m2": _Column(15, 9999.0),
    "wind_m_s": _Column(21, 999.0),
    "cloud_tenths": _Column(22, 99.0),
}


@dataclass(frozen=True, slots=True)
class EpwYear:
    """One typical year; arrays have one value an hour, shape (8760,) or (8784,)."""

    name: str
    latitude: float  # degrees north
    longitude: float  # degrees east
    utc_offset_s: float
    elevation_m: float
    outdoor_c: Array  # at the end of the hour, as all but radiation
    humidity_kg_kg: Array
    wind_m_s: Array
    sky_c: Array
    direct_w_m2: Array  # normal to the sun, mean of the hour
    diffuse_w_m2: Array  # on the horizontal, mean of the hour

    @property
    def start_epoch_s(self) -> float:
        """Midnight of 1 January, local standard time, of a year as long as the file: 2000 or 2001. [s]"""
        year = "2000" if self.outdoor_c.size == HOURS_OF_YEAR[1] else "2001"
        return float(np.datetime64(year, "s").astype(np.int64)) - self.utc_offset_s

    @property
    def monthly_mean_c(self) -> Array:
        """Mean outdoor temperature of the months, shape (12,). [°C]"""
        month = _month_of_hours(self.outdoor_c.size)
        return np.array([self.outdoor_c[month == index].mean() for index in range(12)])

    def sky_rows(self, start_epoch_s: float | None = None, rows: int | None = None, step_s: float = 300.0) -> Table:
        """Rows of ``Sky`` from an instant on, without both the file's own year; shape (rows,).

        The sums of an hour are kept where rows begin on the hour and steps divide it.
        """
        start_epoch_s = self.start_epoch_s if start_epoch_s is None else start_epoch_s
        rows = round(self.outdoor_c.size * HOUR_S / step_s) if rows is None else rows
        day_rows = round(DAY_S / step_s)
        at_s = np.asarray(start_epoch_s + step_s * (np.arange(-day_rows, rows) + 0.5))
        hour, share, line = self._lines(at_s)
        outdoor_c = _between(self.outdoor_c, line, hour, share)
        at_s, hour, share = at_s[day_rows:], hour[day_rows:], share[day_rows:]
        sun = sky.sun(at_s, self.latitude, self.longitude)
        direct_w_m2, diffuse_w_m2 = self._radiation(at_s, hour, line, sun.up, step_s)
        return sky.fill(
            rows,
            outdoor_c=outdoor_c[day_rows:],
            humidity_kg_kg=_between(self.humidity_kg_kg, line, hour, share),
            wind_m_s=_between(self.wind_m_s, line, hour, share),
            direct_normal_w_m2=direct_w_m2,
            diffuse_w_m2=diffuse_w_m2,
            global_w_m2=direct_w_m2 * np.maximum(sun.up, 0.0) + diffuse_w_m2,
            sun_east=sun.east,
            sun_north=sun.north,
            sun_up=sun.up,
            sky_c=_between(self.sky_c, line, hour, share),
            ground_c=sky.ground_temperature_c(self.monthly_mean_c, year_ratio(at_s / DAY_S)),
            daily_mean_c=sky.last_day_mean(outdoor_c, step_s),
        )

    def _lines(self, at_s: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        """For each instant its hour, counted from the first, and the share of it that has passed; and for each hour
        the line that ends with it. The first of the lines ends where the first instant's hour begins."""
        position = (at_s + self.utc_offset_s) / HOUR_S
        first = int(np.floor(position[0]))
        hour = np.floor(position).astype(np.int64)
        count = int(hour[-1]) - first + 2
        line = _line_of_hour(first - 1 + np.arange(count), self.outdoor_c.size)
        return hour - first + 1, np.asarray(position - hour), line

    def _radiation(
        self, at_s: Array, hour: NDArray[np.int64], line: NDArray[np.int64], sun_up: Array, step_s: float
    ) -> tuple[Array, Array]:
        """Direct normal and diffuse of the steps: the hour's mean times the step's shape over the hour's mean shape."""
        part_s = step_s if HOUR_S % step_s == 0.0 else 300.0
        parts = round(HOUR_S / part_s)
        first_s = np.floor((at_s[0] + self.utc_offset_s) / HOUR_S) * HOUR_S - self.utc_offset_s
        hours = int(hour[-1] - hour[0]) + 1
        within_s = first_s + part_s * (np.arange(hours * parts) + 0.5)
        up = sky.sun(within_s, self.latitude, self.longitude).up.reshape(hours, parts)
        index = hour - hour[0]
        direct_shape = _beam_shape(up).mean(axis=1)
        diffuse_shape = np.maximum(up, 0.0).mean(axis=1)
        some_sun = diffuse_shape > 0.0
        direct = np.where(some_sun, self.direct_w_m2[line[hour[0] :]][:hours] / np.maximum(direct_shape, 1e-9), 0.0)
        diffuse_hour = self.diffuse_w_m2[line[hour[0] :]][:hours]
        diffuse = diffuse_hour / np.where(some_sun, diffuse_shape, 1.0)
        twilight = np.where(some_sun[index], np.maximum(sun_up, 0.0), 1.0)
        return np.asarray(direct[index] * _beam_shape(sun_up)), np.asarray(diffuse[index] * twilight)


def read_epw(path: str | Path) -> EpwYear:
    """Read an EPW file, plain or gzipped.

    Raises
    ------
    EpwError
        The file is not a year of hourly lines, or lacks what cannot be made up. The message says what was expected.
    """
    path = Path(path)
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("latin-1").splitlines()
    name, latitude, longitude, utc_offset_s, elevation_m = _location(path, lines)
    columns = _columns(path, [line for line in lines[HEADER_LINES:] if line.strip()])
    gappy = {key: _bridge(path, key, columns[key]) for key in ("outdoor_c", "humidity_pct", "wind_m_s")}
    outdoor_c, wind_m_s = gappy["outdoor_c"], gappy["wind_m_s"]
    pressure_pa = np.where(np.isnan(columns["pressure_pa"]), pressure_at_pa(elevation_m), columns["pressure_pa"])
    vapour_pa = gappy["humidity_pct"] / 100.0 * saturation_pressures_pa(outdoor_c)
    dew_c = np.where(np.isnan(columns["dew_c"]), dew_points_c(vapour_pa), columns["dew_c"])
    direct_w_m2, diffuse_w_m2 = _sun_columns(path, columns, latitude, longitude, utc_offset_s)
    return EpwYear(
        name=name,
        latitude=latitude,
        longitude=longitude,
        utc_offset_s=utc_offset_s,
        elevation_m=elevation_m,
        outdoor_c=outdoor_c,
        humidity_kg_kg=WATER_DENSITY_RATIO * vapour_pa / (pressure_pa - vapour_pa),
        wind_m_s=wind_m_s,
        sky_c=_sky_c(columns, outdoor_c, dew_c),
        direct_w_m2=direct_w_m2,
        diffuse_w_m2=diffuse_w_m2,
    )


def _location(path: Path, lines: list[str]) -> tuple[str, float, float, float, float]:
    """Name, latitude, longitude, offset from UTC and elevation from the first line."""
    cells = lines[0].split(",") if lines else [""]
    if cells[0].strip().upper() != "LOCATION" or len(cells) < 10:
        raise EpwError(f"{path.name}: expected a first line LOCATION with 10 fields, got {lines[:1]!r}")
    try:
        latitude, longitude, offset_h, elevation_m = (float(cell) for cell in cells[6:10])
    except ValueError as error:
        raise EpwError(
            f"{path.name}: expected latitude, longitude, hours from UTC and elevation as numbers, got {cells[6:10]!r}"
        ) from error
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0 and -12.0 <= offset_h <= 14.0):
        raise EpwError(
            f"{path.name}: expected latitude within 90, longitude within 180 and -12..14 h from UTC, got {cells[6:9]!r}"
        )
    return cells[1].strip(), latitude, longitude, offset_h * HOUR_S, elevation_m


def _columns(path: Path, lines: list[str]) -> dict[str, Array]:
    """What is used of the hourly lines; missing values are NaN."""
    if len(lines) not in HOURS_OF_YEAR:
        raise EpwError(f"{path.name}: expected 8760 hourly lines, or 8784 with a leap day, got {len(lines)}")
    cells = [line.split(",") for line in lines]
    short = next((index for index, row in enumerate(cells) if len(row) < FIELDS), None)
    if short is not None:
        raise EpwError(
            f"{path.name}: expected {FIELDS} fields or more in hourly line {short + 1}, got {lines[short]!r}"
        )
    try:
        hours = np.array([int(row[3]) for row in cells])
        months = np.array([int(row[1]) for row in cells])
        table = {key: np.array([float(row[column.index]) for row in cells]) for key, column in _COLUMNS.items()}
    except ValueError as error:
        raise EpwError(f"{path.name}: expected numbers in the hourly lines: {error}") from error
    wrong = np.flatnonzero((hours != np.arange(len(lines)) % 24 + 1) | (months != _month_of_hours(len(lines)) + 1))
    if wrong.size:
        row = cells[int(wrong[0])]
        raise EpwError(
            f"{path.name}: expected hours 1..24 of each day from 1 January on, got month {row[1]} day {row[2]} "
            f"hour {row[3]} in hourly line {int(wrong[0]) + 1}"
        )
    return {key: np.where(table[key] >= column.missing, np.nan, table[key]) for key, column in _COLUMNS.items()}


def _bridge(path: Path, key: str, values: Array) -> Array:
    """Fill short gaps with a straight line, around the turn of the year too."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    known = np.flatnonzero(~missing)
    gaps = np.diff(np.append(known, known[:1] + values.size)) - 1
    if not known.size or gaps.max() > LONGEST_GAP_H:
        longest = int(gaps.max()) if known.size else values.size
        raise EpwError(f"{path.name}: expected no more than {LONGEST_GAP_H} h without {key}, got {longest} h")
    return np.interp(np.arange(values.size), known, values[known], period=values.size)


def _sun_columns(
    path: Path, columns: dict[str, Array], latitude: float, longitude: float, utc_offset_s: float
) -> tuple[Array, Array]:
    """Direct and diffuse; where a line has the global alone, split by Erbs with the sun of mid-hour."""
    direct, diffuse, total = columns["direct_w_m2"], columns["diffuse_w_m2"], columns["global_w_m2"]
    lacking = np.isnan(direct) | np.isnan(diffuse)
    if np.any(lacking & np.isnan(total)):
        count = int(np.sum(lacking & np.isnan(total)))
        raise EpwError(
            f"{path.name}: expected direct and diffuse radiation or the global one, got neither in {count} h"
        )
    year_s = float(np.datetime64("2001", "s").astype(np.int64)) - utc_offset_s
    middle_s = year_s + HOUR_S * (np.arange(direct.size) + 0.5)
    split = sky.split_global(np.where(np.isnan(total), 0.0, total), sky.sun(middle_s, latitude, longitude))
    return np.where(lacking, split[0], direct), np.where(lacking, split[1], diffuse)


def _sky_c(columns: dict[str, Array], outdoor_c: Array, dew_c: Array) -> Array:
    """From the infrared of the sky; where it is missing or nought, from dew point and clouds (half, if unknown)."""
    infrared = columns["infrared_w_m2"]
    cloud_ratio = np.where(np.isnan(columns["cloud_tenths"]), 0.5, columns["cloud_tenths"] / 10.0)
    made_up = sky.sky_temperature_c(outdoor_c, dew_c, cloud_ratio)
    known = ~np.isnan(infrared) & (infrared > 0.0)
    measured = (np.where(known, infrared, 1.0) / STEFAN_BOLTZMANN_W_M2_K4) ** 0.25 - ZERO_C_K
    return np.where(known, measured, made_up)


def _beam_shape(sun_up: Array) -> Array:
    """How direct sun through clear air goes with the sun's height (Meinel); nought at night."""
    air_mass = 1.0 / np.maximum(sun_up, 0.02)
    return np.where(sun_up > 0.0, 0.7 ** (air_mass**0.678), 0.0)


def _between(values: Array, line: NDArray[np.int64], hour: NDArray[np.int64], share: Array) -> Array:
    """Straight between the line at which an instant's hour begins and the one at which it ends."""
    before, after = values[line[hour - 1]], values[line[hour]]
    return np.asarray(before + share * (after - before))


def _line_of_hour(local_hour: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The file's line for hours since 1970 in local standard time."""
    day = (local_hour // 24).astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    day_of_year = (day - year.astype("datetime64[D]")).astype(np.int64)
    leap = ((year + 1).astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.int64) == 366
    shift = -1 * leap if size == HOURS_OF_YEAR[0] else 1 * ~leap
    return np.asarray((day_of_year + shift * (day_of_year >= LEAP_DAY)) * 24 + local_hour % 24)


def _month_of_hours(size: int) -> NDArray[np.int64]:
    """Month 0..11 of each hour of a year."""
    year = np.datetime64("2000" if size == HOURS_OF_YEAR[1] else "2001", "h")
    return np.asarray((year + np.arange(size)).astype("datetime64[M]").astype(np.int64) % 12)
