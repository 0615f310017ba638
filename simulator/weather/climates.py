"""Monthly normals of cities, from which weather is generated.

Where the figures come from, and how far they were checked:

- Temperature, daily range (mean maximum less mean minimum), relative humidity and sunshine are the normals of weather
  services, 1991-2020 unless a climate says otherwise, as widely reprinted. They were written down from memory and are
  marked so. Checked since (``tests/simulator/test_climates.py``): the temperatures of the six Chinese cities against
  the yearbook's of 2008 and 2009 (means of the year within 0.6 K), and six cities against weather files (Shanghai TMYx,
  Beijing and Singapore IWEC, Phoenix, Tampa and Chicago TMY3: 0.3-1.1 K warmer, as newer years are; sun within 4 %
  but for Shanghai).
  Not checked: humidity and sunshine of Guangzhou, Harbin, Chongqing and Kunming; Madrid, London and Tokyo.
- Wind and ``day_to_day_k`` come from those files where there is one (a file mixes months of many years, so the spread
  between years is not in them), elsewhere they are assumed by likeness.
- ``angstrom`` turns sunshine into radiation: 0.25 and 0.50 after R. Allen et al., "Crop evapotranspiration", FAO
  Irrigation and drainage paper 56, 1998, eq. 35, unless the file shows a duller or clearer air. In China both figures
  fall from the north-west to the south: Huang et al., Advances in Climate Change Research 17(2), 2021,
  doi:10.12006/j.issn.1673-1719.2020.054.
"""

from dataclasses import dataclass

import numpy as np

MONTHS = 12
SEASONS_AT = np.array([0.5, 3.5, 6.5, 9.5])  # January, April, July and October, in months
MIDDLE_DAY = np.array(
    [17, 47, 75, 105, 135, 162, 198, 228, 258, 288, 318, 344]
)  # S. Klein, 1977: like the month's mean

Monthly = tuple[float, ...]

FAO_ANGSTROM = (0.25, 0.50)
PERSISTENCE = 0.65  # median of eleven weather files: 0.64


@dataclass(frozen=True, slots=True)
class Climate:
    """Monthly normals of a place, January first."""

    name: str
    latitude: float  # degrees north
    longitude: float  # degrees east
    mean_c: Monthly
    daily_range_k: Monthly  # mean of daily maximum less minimum
    day_to_day_k: Monthly  # standard deviation of the daily mean about the season's course
    humidity_pct: Monthly
    sunshine_ratio: Monthly  # of the possible hours, 0..1
    wind_m_s: Monthly = (3.0,) * MONTHS  # at 10 m
    utc_offset_s: float = 0.0  # standard time
    elevation_m: float = 0.0
    persistence: float = PERSISTENCE  # correlation of the daily mean's deviation with that of the day before
    angstrom: tuple[float, float] = FAO_ANGSTROM  # global over what reaches the air: first + second * sunshine
    source: str = ""


def _by_season(winter: float, spring: float, summer: float, autumn: float) -> Monthly:
    """Monthly values between those of January, April, July and October."""
    months = np.arange(MONTHS) + 0.5
    return tuple(np.interp(months, SEASONS_AT, (winter, spring, summer, autumn), period=MONTHS).round(2).tolist())


def sunshine_ratio(hours_of_month: Monthly, latitude: float) -> Monthly:
    """Share of the possible sunshine: hours of a month over the time the sun is up on its middle day."""
    declination = 0.409 * np.sin(2.0 * np.pi * MIDDLE_DAY / 365.0 - 1.39)  # FAO 56, eq. 24
    sunset = np.arccos(-np.tan(np.radians(latitude)) * np.tan(declination))
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return tuple((np.asarray(hours_of_month) / (days * 24.0 * sunset / np.pi)).round(3).tolist())


SHANGHAI = Climate(
    name="Shanghai",
    latitude=31.2,
    longitude=121.4,
    utc_offset_s=8 * 3600.0,
    elevation_m=4.0,
    mean_c=(4.9, 6.7, 10.9, 16.2, 21.3, 24.9, 28.9, 28.7, 24.9, 19.7, 13.9, 7.4),
    daily_range_k=(6.6, 7.0, 7.8, 8.4, 8.3, 6.8, 7.0, 6.6, 6.5, 7.0, 7.2, 7.0),
    day_to_day_k=_by_season(3.1, 2.9, 2.2, 2.5),
    humidity_pct=(71, 71, 70, 68, 69, 78, 74, 75, 73, 70, 71, 69),
    sunshine_ratio=(0.37, 0.38, 0.39, 0.42, 0.42, 0.32, 0.48, 0.50, 0.43, 0.46, 0.42, 0.42),
    wind_m_s=(3.4, 3.5, 3.7, 3.6, 3.5, 3.4, 3.3, 3.4, 3.4, 3.2, 3.2, 3.2),
    angstrom=(0.19, 0.50),
    source="CMA 1991-2020 [from memory]; spread and wind: TMYx Shanghai-Hongqiao; angstrom assumed: measured sun is "
    "some 4600 MJ/m2 a year [from memory], that of the file, out of a reanalysis, 5270",
)
GUANGZHOU = Climate(
    name="Guangzhou",
    latitude=23.1,
    longitude=113.3,
    utc_offset_s=8 * 3600.0,
    elevation_m=41.0,
    mean_c=(13.8, 15.6, 18.6, 22.7, 26.2, 28.0, 28.9, 28.8, 27.6, 24.8, 20.2, 15.3),
    daily_range_k=(8.0, 7.2, 6.8, 7.0, 7.2, 7.0, 7.6, 7.7, 7.8, 8.4, 8.8, 8.8),
    day_to_day_k=_by_season(3.4, 2.7, 1.3, 2.0),
    humidity_pct=(72, 77, 81, 82, 81, 82, 79, 80, 77, 71, 69, 67),
    sunshine_ratio=(0.35, 0.23, 0.17, 0.21, 0.32, 0.38, 0.50, 0.49, 0.49, 0.52, 0.49, 0.47),
    wind_m_s=(2.0, 1.9, 1.8, 1.8, 1.8, 1.8, 1.9, 1.7, 1.8, 1.9, 2.0, 2.0),
    persistence=0.70,
    angstrom=(0.16, 0.50),
    source="CMA 1991-2020 [from memory]; spread, persistence and wind assumed; angstrom: 4370-4600 MJ/m2 a "
    "year with 41-44 % of the sunshine, as the city's climate is described in print",
)
BEIJING = Climate(
    name="Beijing",
    latitude=39.9,
    longitude=116.4,
    utc_offset_s=8 * 3600.0,
    elevation_m=32.0,
    mean_c=(-2.7, 0.6, 7.5, 15.1, 21.3, 25.3, 27.2, 26.1, 21.2, 13.8, 5.2, -0.9),
    daily_range_k=(9.8, 10.2, 11.2, 11.8, 11.9, 10.6, 8.8, 8.6, 9.9, 10.2, 9.4, 9.2),
    day_to_day_k=_by_season(2.6, 2.8, 2.1, 2.6),
    humidity_pct=(43, 42, 40, 43, 47, 58, 69, 71, 64, 58, 54, 46),
    sunshine_ratio=(0.61, 0.62, 0.63, 0.62, 0.61, 0.53, 0.45, 0.51, 0.56, 0.60, 0.57, 0.59),
    wind_m_s=(2.4, 2.6, 2.9, 2.9, 2.6, 2.3, 2.0, 1.8, 1.9, 2.0, 2.2, 2.3),
    persistence=0.60,
    angstrom=(0.19, 0.51),
    source="CMA 1991-2020 [from memory]; spread, persistence, wind and angstrom: IWEC Beijing",
)
HARBIN = Climate(
    name="Harbin",
    latitude=45.8,
    longitude=126.6,
    utc_offset_s=8 * 3600.0,
    elevation_m=142.0,
    mean_c=(-17.3, -12.1, -2.3, 8.3, 15.8, 21.6, 23.7, 22.0, 15.8, 6.7, -5.0, -14.8),
    daily_range_k=(10.4, 11.0, 10.6, 11.6, 11.8, 10.8, 9.0, 9.2, 10.8, 10.2, 9.0, 9.2),
    day_to_day_k=_by_season(4.1, 3.7, 2.2, 3.7),
    humidity_pct=(71, 66, 54, 46, 50, 62, 75, 77, 69, 61, 64, 70),
    sunshine_ratio=(0.51, 0.58, 0.58, 0.53, 0.53, 0.53, 0.49, 0.52, 0.60, 0.56, 0.50, 0.45),
    wind_m_s=(2.4, 2.7, 3.2, 3.6, 3.3, 2.8, 2.5, 2.4, 2.7, 3.0, 2.9, 2.5),
    angstrom=(0.22, 0.50),
    source="CMA 1991-2020 [from memory], January, July and annual mean and the sunshine of September, December and the "
    "year as the Harbin article of Wikipedia has them; spread, wind and angstrom assumed",
)
CHONGQING = Climate(
    name="Chongqing",
    latitude=29.6,
    longitude=106.5,
    utc_offset_s=8 * 3600.0,
    elevation_m=259.0,
    mean_c=(8.2, 10.6, 14.7, 19.4, 22.8, 25.6, 29.0, 28.9, 24.6, 19.0, 14.5, 9.4),
    daily_range_k=(4.6, 5.8, 7.5, 8.3, 8.0, 7.3, 8.3, 8.8, 7.2, 5.4, 5.0, 4.4),
    day_to_day_k=_by_season(1.9, 3.1, 2.9, 2.3),
    humidity_pct=(82, 78, 75, 76, 77, 80, 75, 73, 77, 84, 83, 84),
    sunshine_ratio=(0.06, 0.12, 0.20, 0.26, 0.27, 0.25, 0.41, 0.43, 0.27, 0.15, 0.13, 0.06),
    wind_m_s=(1.2, 1.3, 1.5, 1.5, 1.5, 1.4, 1.5, 1.5, 1.4, 1.2, 1.2, 1.1),
    persistence=0.72,
    angstrom=(0.15, 0.50),
    source="CMA 1981-2020 [from memory, rounded]; spread, persistence, wind and angstrom assumed",
)
KUNMING = Climate(
    name="Kunming",
    latitude=25.0,
    longitude=102.7,
    utc_offset_s=8 * 3600.0,
    elevation_m=1892.0,
    mean_c=(9.4, 11.5, 14.8, 17.7, 19.6, 20.8, 20.6, 20.4, 18.8, 16.3, 12.6, 9.6),
    daily_range_k=(12.4, 12.9, 13.4, 12.8, 10.6, 8.3, 7.5, 8.3, 8.2, 8.6, 10.6, 11.5),
    day_to_day_k=_by_season(2.6, 2.3, 1.4, 1.9),
    humidity_pct=(66, 57, 54, 56, 65, 75, 79, 79, 77, 77, 73, 71),
    sunshine_ratio=(0.67, 0.69, 0.68, 0.64, 0.52, 0.36, 0.31, 0.37, 0.35, 0.42, 0.54, 0.60),
    wind_m_s=(2.2, 2.6, 2.9, 2.8, 2.5, 2.1, 1.8, 1.6, 1.7, 1.8, 1.8, 1.9),
    angstrom=(0.22, 0.50),
    source="CMA 1981-2020 [from memory, rounded]; spread, wind and angstrom assumed",
)
PHOENIX = Climate(
    name="Phoenix",
    latitude=33.45,
    longitude=-111.98,
    utc_offset_s=-7 * 3600.0,
    elevation_m=337.0,
    mean_c=(13.8, 15.5, 19.1, 22.9, 27.8, 33.0, 35.3, 34.7, 31.8, 24.9, 18.3, 13.1),
    daily_range_k=(11.9, 12.1, 13.1, 13.7, 13.9, 14.2, 12.2, 11.9, 12.4, 13.2, 12.6, 11.7),
    day_to_day_k=_by_season(3.0, 3.6, 1.9, 2.8),
    humidity_pct=(51, 44, 39, 28, 22, 19, 32, 36, 36, 37, 44, 52),
    sunshine_ratio=(0.78, 0.80, 0.83, 0.88, 0.93, 0.94, 0.86, 0.87, 0.89, 0.88, 0.83, 0.77),
    wind_m_s=(2.3, 2.5, 2.8, 3.2, 3.2, 3.1, 3.1, 2.8, 2.6, 2.5, 2.3, 2.2),
    persistence=0.75,
    source="NOAA 1991-2020, humidity and sunshine 1961-1990 [from memory]; spread, persistence and wind: TMY3",
)
TAMPA = Climate(
    name="Tampa",
    latitude=27.97,
    longitude=-82.53,
    utc_offset_s=-5 * 3600.0,
    elevation_m=6.0,
    mean_c=(16.3, 17.9, 20.0, 22.9, 26.0, 28.1, 28.7, 28.8, 28.0, 25.0, 20.8, 17.9),
    daily_range_k=(10.5, 10.4, 10.4, 10.4, 10.1, 8.6, 8.0, 8.1, 8.3, 9.5, 10.2, 10.2),
    day_to_day_k=_by_season(4.0, 2.5, 1.2, 2.5),
    humidity_pct=(75, 73, 72, 69, 70, 74, 77, 78, 77, 75, 75, 75),
    sunshine_ratio=(0.63, 0.65, 0.71, 0.75, 0.75, 0.67, 0.61, 0.60, 0.61, 0.65, 0.64, 0.61),
    wind_m_s=(3.5, 3.6, 3.7, 3.6, 3.4, 3.0, 2.7, 2.7, 2.9, 3.2, 3.3, 3.3),
    angstrom=(0.22, 0.50),
    source="NOAA 1991-2020, humidity and sunshine 1961-1990 [from memory]; spread, wind and angstrom: TMY3",
)
CHICAGO = Climate(
    name="Chicago",
    latitude=41.98,
    longitude=-87.92,
    utc_offset_s=-6 * 3600.0,
    elevation_m=201.0,
    mean_c=(-3.8, -1.9, 3.9, 9.8, 15.9, 21.4, 24.1, 23.2, 19.1, 12.2, 5.2, -0.8),
    daily_range_k=(7.6, 8.0, 9.1, 10.5, 11.2, 11.2, 10.6, 10.2, 10.9, 10.2, 8.4, 7.4),
    day_to_day_k=_by_season(5.4, 4.9, 3.1, 4.4),
    humidity_pct=(72, 72, 70, 65, 64, 66, 69, 71, 71, 69, 73, 76),
    sunshine_ratio=(0.46, 0.48, 0.51, 0.54, 0.62, 0.68, 0.69, 0.66, 0.60, 0.56, 0.38, 0.37),
    wind_m_s=(5.0, 4.9, 5.1, 5.1, 4.6, 4.2, 3.9, 3.7, 3.9, 4.4, 4.9, 4.7),
    persistence=0.68,
    angstrom=(0.23, 0.48),
    source="NOAA 1991-2020, humidity and sunshine 1961-1990 [from memory]; spread, persistence, wind, angstrom: TMY3",
)
MADRID = Climate(
    name="Madrid",
    latitude=40.41,
    longitude=-3.68,
    utc_offset_s=3600.0,
    elevation_m=667.0,
    mean_c=(6.3, 7.9, 11.2, 12.9, 16.7, 22.2, 25.6, 25.1, 20.9, 15.1, 9.9, 6.9),
    daily_range_k=(7.1, 8.3, 10.1, 10.5, 10.9, 12.1, 13.1, 12.5, 11.0, 8.7, 7.2, 6.4),
    day_to_day_k=_by_season(2.5, 3.0, 2.8, 2.7),
    humidity_pct=(71, 65, 55, 56, 53, 44, 38, 41, 50, 64, 71, 74),
    sunshine_ratio=sunshine_ratio((149, 158, 211, 230, 268, 315, 355, 332, 259, 199, 144, 124), 40.41),
    wind_m_s=(2.1, 2.4, 2.7, 2.8, 2.6, 2.6, 2.6, 2.5, 2.2, 2.1, 2.0, 2.1),
    persistence=0.75,
    source="AEMET 1981-2010, Retiro [from memory]; spread and persistence like Seville's file, wind assumed",
)
LONDON = Climate(
    name="London",
    latitude=51.48,
    longitude=-0.45,
    utc_offset_s=0.0,
    elevation_m=25.0,
    mean_c=(5.6, 5.9, 7.9, 10.5, 13.8, 16.9, 19.1, 18.8, 15.9, 12.3, 8.4, 6.0),
    daily_range_k=(5.7, 6.3, 7.6, 9.0, 9.3, 9.4, 9.7, 9.3, 8.6, 7.0, 6.2, 5.7),
    day_to_day_k=_by_season(3.2, 2.5, 2.2, 2.6),
    humidity_pct=(82, 79, 75, 70, 69, 68, 67, 70, 75, 80, 84, 84),
    sunshine_ratio=sunshine_ratio(
        (61.1, 78.8, 124.5, 176.7, 207.5, 208.4, 217.8, 202.1, 157.1, 115.2, 70.7, 55.0), 51.48
    ),
    wind_m_s=(4.6, 4.5, 4.4, 4.1, 4.0, 3.7, 3.7, 3.6, 3.6, 3.8, 4.0, 4.2),
    persistence=0.68,
    angstrom=(0.18, 0.55),
    source="Met Office 1991-2020, Heathrow; humidity assumed [from memory]; summer maxima seen in print; spread, "
    "persistence and angstrom: IWEC Gatwick, wind assumed",
)
SINGAPORE = Climate(
    name="Singapore",
    latitude=1.37,
    longitude=103.98,
    utc_offset_s=8 * 3600.0,
    elevation_m=16.0,
    mean_c=(26.8, 27.3, 27.9, 28.2, 28.6, 28.5, 28.2, 28.1, 28.0, 27.9, 27.2, 26.8),
    daily_range_k=(6.3, 6.9, 7.3, 7.1, 6.6, 6.2, 6.0, 6.1, 6.4, 6.8, 6.6, 6.2),
    day_to_day_k=_by_season(0.85, 0.80, 0.95, 0.90),
    humidity_pct=(84, 82, 82, 83, 83, 81, 81, 81, 81, 82, 85, 86),
    sunshine_ratio=sunshine_ratio(
        (174.8, 183.2, 192.7, 173.6, 179.8, 177.7, 187.9, 180.6, 156.2, 155.2, 129.6, 133.5), 1.37
    ),
    wind_m_s=(2.8, 2.9, 2.1, 1.6, 1.7, 2.1, 2.3, 2.4, 2.1, 1.6, 1.5, 2.1),
    persistence=0.50,
    angstrom=(0.22, 0.50),
    source="MSS 1991-2020, Changi [from memory]; spread, persistence, wind and angstrom: IWEC",
)
TOKYO = Climate(
    name="Tokyo",
    latitude=35.69,
    longitude=139.75,
    utc_offset_s=9 * 3600.0,
    elevation_m=25.0,
    mean_c=(5.4, 6.1, 9.4, 14.3, 18.8, 21.9, 25.7, 26.9, 23.3, 18.0, 12.5, 7.7),
    daily_range_k=(8.6, 8.8, 9.2, 9.6, 9.0, 7.6, 7.5, 7.8, 7.2, 7.2, 7.9, 8.2),
    day_to_day_k=_by_season(2.1, 2.8, 2.4, 2.3),
    humidity_pct=(51, 52, 57, 62, 68, 75, 76, 74, 75, 71, 64, 56),
    sunshine_ratio=sunshine_ratio(
        (192.6, 170.4, 175.3, 178.8, 179.6, 124.2, 151.4, 174.2, 126.7, 129.4, 149.8, 174.4), 35.69
    ),
    wind_m_s=(2.8, 2.9, 3.1, 3.0, 2.9, 2.7, 2.7, 2.9, 2.8, 2.7, 2.6, 2.7),
    angstrom=(0.22, 0.50),
    source="JMA 1991-2020 [from memory]; spread, wind and angstrom assumed",
)
CITIES = (
    SHANGHAI,
    GUANGZHOU,
    BEIJING,
    HARBIN,
    CHONGQING,
    KUNMING,
    PHOENIX,
    TAMPA,
    CHICAGO,
    MADRID,
    LONDON,
    SINGAPORE,
    TOKYO,
)
