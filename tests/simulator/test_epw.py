"""EPW files: the sums of each hour are kept, the calendar is followed, and what is wrong with a file is said."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pvlib
import pytest

from simulator.weather.epw import EpwError, read_epw
from simulator.weather.sky import sun

HOURS = 8760
LOCATION = "LOCATION,Nowhere,-,XXX,made by hand,000000,30.0,120.0,8.0,10.0"
HEADER = [LOCATION, *(f"HEADER {index}" for index in range(7))]
PEKING_OFFSET_S = 8 * 3600.0


def hourly_lines(hours: int = HOURS, **changed: tuple[int, str]) -> list[str]:
    """A year in which the temperature counts the hours of the day, the sun of an hour being 1 W/m2 an hour of the day.

    ``changed`` puts a text into one field of one line: ``changed(dry=(5, "x"))``.
    """
    first = np.datetime64("2000" if hours == 8784 else "2001", "h")
    lines = []
    for index in range(hours):
        at = (first + index).astype(datetime)
        hour = at.hour + 1
        sunny = 8 <= hour <= 17
        cells = [
            str(at.year),
            str(at.month),
            str(at.day),
            str(hour),
            "0",
            "?",
            f"{float(hour):.1f}",
            "0.0",
            "50",
            "101325",
        ]
        cells += ["0", "0", "300", "0", str(10 * hour if sunny else 0), str(hour if sunny else 0), *["0"] * 5]
        cells += [f"{at.month:.1f}", "5", "5", "10.0", "777", "9", "0", "0", "0", "0", "0"]
        lines.append(cells)
    for field, (line, text) in changed.items():
        lines[line][{"dry": 6, "humidity": 8, "hour": 3, "direct": 14, "infrared": 12}[field]] = text
    return [",".join(cells) for cells in lines]


def written(folder: Path, lines: list[str], header: list[str] = HEADER) -> Path:
    path = folder / "made.epw"
    path.write_text("\n".join([*header, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("epw"), hourly_lines())


def test_a_reading_stands_at_its_hour_and_goes_straight_to_the_next(made: Path) -> None:
    year = read_epw(made)
    skies = year.sky_rows(rows=288)
    # Line 5 of a day is read at 5 o'clock: the row of 5:00-5:05 is taken at 5:02:30.
    assert skies["outdoor_c"][60] == pytest.approx(5.0 + 2.5 / 60.0)
    assert skies["outdoor_c"][66] == pytest.approx(5.0 + 32.5 / 60.0)


def test_the_sun_of_each_hour_before_its_stamp_is_kept(made: Path) -> None:
    year = read_epw(made)
    for step_s in (60.0, 300.0, 900.0):
        skies = year.sky_rows(rows=round(30 * 86_400 / step_s), step_s=step_s)
        hourly = skies.reshape(30 * 24, -1)
        hour = np.arange(30 * 24) % 24
        expected = np.where((hour >= 7) & (hour < 17), hour + 1.0, 0.0)  # the line "hour 8" is the sun of 7 to 8
        assert hourly["diffuse_w_m2"].mean(axis=1) == pytest.approx(expected)
        assert hourly["direct_normal_w_m2"].mean(axis=1) == pytest.approx(10.0 * expected)


def test_no_direct_sun_comes_from_below_the_horizon(made: Path) -> None:
    skies = read_epw(made).sky_rows()
    night = skies["sun_up"] <= 0.0
    assert night.any()
    assert (skies["direct_normal_w_m2"][night] == 0.0).all()


def test_gzipped_and_plain_read_the_same(made: Path, tmp_path: Path) -> None:
    packed = tmp_path / "made.epw.gz"
    packed.write_bytes(gzip.compress(made.read_bytes()))
    assert np.array_equal(read_epw(packed).sky_rows(rows=500), read_epw(made).sky_rows(rows=500))


def test_the_header_places_the_file(made: Path) -> None:
    year = read_epw(made)
    assert (year.latitude, year.longitude, year.utc_offset_s, year.elevation_m) == (30.0, 120.0, PEKING_OFFSET_S, 10.0)
    assert year.start_epoch_s == datetime(2001, 1, 1, tzinfo=UTC).timestamp() - PEKING_OFFSET_S


def test_a_leap_day_repeats_the_day_before_where_the_file_has_none(made: Path) -> None:
    year = read_epw(made)  # its wind is the number of the month
    midnight_s = datetime(2024, 2, 28, tzinfo=UTC).timestamp() - PEKING_OFFSET_S
    noons = year.sky_rows(midnight_s, rows=4 * 288)["wind_m_s"][144::288]
    assert noons.tolist() == [2.0, 2.0, 3.0, 3.0]
    midnight_s = datetime(2024, 12, 31, tzinfo=UTC).timestamp() - PEKING_OFFSET_S
    assert year.sky_rows(midnight_s, rows=2 * 288)["wind_m_s"][144::288].tolist() == [12.0, 1.0]


def test_a_leap_day_of_the_file_is_left_out_where_the_year_has_none(tmp_path: Path) -> None:
    year = read_epw(written(tmp_path, hourly_lines(8784)))
    midnight_s = datetime(2023, 2, 28, tzinfo=UTC).timestamp() - PEKING_OFFSET_S
    assert year.sky_rows(midnight_s, rows=2 * 288)["wind_m_s"][144::288].tolist() == [2.0, 3.0]
    assert year.sky_rows().size == 366 * 288


def test_missing_values_are_bridged_or_made_up(tmp_path: Path) -> None:
    lines = hourly_lines(dry=(29, "99.9"), infrared=(29, "9999"))
    year = read_epw(written(tmp_path, lines))
    assert year.outdoor_c[29] == pytest.approx(6.0)  # between 5 and 7 o'clock
    assert -40.0 < year.sky_c[29] < 6.0


@pytest.mark.parametrize(
    ("lines", "header", "says"),
    [
        (hourly_lines()[:-1], HEADER, "expected 8760 hourly lines.*got 8759"),
        (hourly_lines(), HEADER[1:], "expected a first line LOCATION"),
        (hourly_lines(), [LOCATION.replace("120.0", "east"), *HEADER[1:]], "expected latitude.*'east'"),
        (hourly_lines(), [LOCATION.replace("30.0", "130.0"), *HEADER[1:]], "expected latitude within 90"),
        (hourly_lines(dry=(7, "warm")), HEADER, "expected numbers.*warm"),
        (hourly_lines(hour=(7, "9")), HEADER, "expected hours 1..24.*hour 9 in hourly line 8"),
        ([line.replace(",50,", ",999,", 1) for line in hourly_lines()], HEADER, "without humidity_pct, got 8760 h"),
        ([*hourly_lines()[:-1], "2001,12,31,24"], HEADER, "expected 28 fields or more in hourly line 8760"),
    ],
    ids=["short", "no location", "words", "off the globe", "no number", "order", "gap", "fields"],
)
def test_an_error_says_what_was_expected_and_what_came(
    tmp_path: Path, lines: list[str], header: list[str], says: str
) -> None:
    with pytest.raises(EpwError, match=says):
        read_epw(written(tmp_path, lines, header))


DATA = os.environ.get("LINGYUN_DATA")
needs_files = pytest.mark.skipif(DATA is None, reason="LINGYUN_DATA names no folder with weather files")


@needs_files
@pytest.mark.parametrize("station", ["Phoenix", "Chicago", "Tampa", "Denver.Intl", "Beijing", "Singapore"])
def test_sums_of_real_files_are_kept_and_the_global_agrees_with_the_files_own(station: str) -> None:
    """The third check is not of our making: direct times the sun's height plus diffuse gives the file's global."""
    path = next(Path(DATA or "").glob(f"weather/*{station}*.epw.gz"))
    year = read_epw(path)
    hourly = year.sky_rows().reshape(-1, 12)
    assert hourly["direct_normal_w_m2"].mean() == pytest.approx(year.direct_w_m2.mean(), rel=1e-4)
    assert hourly["diffuse_w_m2"].mean() == pytest.approx(year.diffuse_w_m2.mean(), rel=1e-6)
    lines = gzip.decompress(path.read_bytes()).decode("latin-1").splitlines()[8:]
    file_global_w_m2 = np.array([float(line.split(",")[13]) for line in lines])
    assert hourly["global_w_m2"].mean() == pytest.approx(file_global_w_m2.mean(), rel=0.01)
    assert np.corrcoef(hourly["global_w_m2"].mean(axis=1), file_global_w_m2)[0, 1] > 0.995
    assert hourly["direct_normal_w_m2"].max() < 1361.0


def test_the_vector_to_the_sun_is_where_pvlib_sees_it() -> None:
    at_s = datetime(2026, 1, 1, tzinfo=UTC).timestamp() + 3600.0 * np.arange(HOURS)
    ours = sun(at_s, 31.2, 121.4)
    seen = pvlib.solarposition.get_solarposition(pd.DatetimeIndex(at_s.astype("datetime64[s]"), tz="UTC"), 31.2, 121.4)
    height, azimuth = np.radians(seen["elevation"].to_numpy()), np.radians(seen["azimuth"].to_numpy())
    assert np.abs(ours.up - np.sin(height)).max() < 0.01
    assert np.abs(ours.east - np.cos(height) * np.sin(azimuth)).max() < 0.01
    assert np.abs(ours.north - np.cos(height) * np.cos(azimuth)).max() < 0.01
