"""Any plant: ``control.standalone`` on EnergyPlus against the rule that any plan has to beat.

    python -m benchmarks.standalone [--cases phoenix_light,...] [--household part_time|all_day] [--jobs 2] [--json]

Three cities, three envelopes (``simulator.validation.energyplus``), an inverter unit, a typical year (TMY3) in steps of
15 minutes; EnergyPlus gets the two setpoints and shows what a home could measure. Scored from day 29 on: kWh, K.h
outside the two limits while somebody is home, and J = kWh + 0.5 kWh for each K.h, at a flat price.

``precool`` holds the limits while somebody is home, is off when nobody is, and starts a lead before the forecast
return; lead and margin are chosen anew every four weeks on the four weeks before, by what each of the twelve variants
came to. Each variant runs once through the whole year and the rule's year is put together from their four weeks, so at
the seams it takes over a room that another variant left. Both controllers are given the presence forecast of
``StandaloneController.presence_ahead``. People come and go by ``simulator.diaries`` and the city's civil clock; weather
forecasts err as ``simulator.weather.forecast`` says.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.baselines import FIRST_LEAD_H, FIRST_MARGIN_K, LEADS_H, MARGINS_K, PERIOD_QUARTERS
from benchmarks.savings.scoring import PRICE_OF_DISCOMFORT_KWH
from control.presence import LIKELY
from control.standalone import StandaloneController, Target
from simulator.diaries import draw_routine, presence
from simulator.physics.moist_air import pressure_at_pa, relative_pct
from simulator.residents import AWAY
from simulator.validation import energyplus
from simulator.validation.energyplus_model import YEAR_DAYS, House, Seen, UnitMap, run
from simulator.weather.epw import read_epw
from simulator.weather.forecast import Forecasts

Array = NDArray[np.float64]

QUARTER_S, QUARTER_H = 900, 0.25
QUARTERS = 35_040
ROWS_PER_QUARTER = 3  # rows of weather
SCORED_FROM = 28 * 96
COOLING_LIMIT_C, HEATING_LIMIT_C = 26.5, 18.0
OFF_C = (90.0, -60.0)  # setpoints that no room reaches
ZONES = {"phoenix": "America/Phoenix", "tampa": "America/New_York", "chicago": "America/Chicago"}
QUARTERS_AHEAD = 96  # of the presence forecast
HOUSEHOLDS = ("part_time", "all_day")
ROOM_SHARES = (0.4, 0.3, 0.3)  # all of a home's life, its bedroom, its living room; assumed
VARIANTS = tuple((lead_h, margin_k) for lead_h in LEADS_H for margin_k in MARGINS_K)


@dataclass(frozen=True)
class Case:
    """One room, its weather and its people."""

    name: str
    house: House
    epw: Path
    unit: UnitMap
    rated_cooling_w: float
    ground_c: tuple[float, ...]
    pressure_pa: float
    time_zone: str
    latitude: float
    longitude: float
    start: datetime  # of the year, aware
    occupied: NDArray[np.bool_]  # (QUARTERS,)
    solar_w_m2: Array  # (QUARTERS,) mean of the quarter that has passed
    outdoor_forecast_c: Array  # (QUARTERS, 24)
    solar_forecast_w_m2: Array  # (QUARTERS, 24)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the home shows at a decision."""

    quarter: int
    at: datetime
    room_c: float
    humidity_pct: float
    outdoor_c: float
    solar_w_m2: float
    occupied: bool
    energy_kwh: float  # since the decision before


Decide = Callable[[Moment], Target]


@dataclass(frozen=True, slots=True)
class Course:
    """A year by quarters of an hour, shape (quarters,) each."""

    energy_kwh: Array
    outside_kh: Array  # outside the limits while somebody is home

    def j(self, first: int = SCORED_FROM, last: int | None = None) -> float:
        """Energy and discomfort in one sum. [kWh]"""
        part = slice(first, last)
        return float(self.energy_kwh[part].sum() + PRICE_OF_DISCOMFORT_KWH * self.outside_kh[part].sum())

    def scores(self) -> dict[str, float]:
        """What is reported."""
        return {
            "energy_kwh": float(self.energy_kwh[SCORED_FROM:].sum()),
            "outside_kh": float(self.outside_kh[SCORED_FROM:].sum()),
            "j_kwh": self.j(),
        }


def build(city: str, house: House, household: str, seed: int = 0) -> Case:
    """A case; its people and the errors of its forecasts follow from the seed."""
    epw = energyplus.weather_file(city)
    year = read_epw(epw)
    unit = energyplus.unit_for(house, year)
    index = (list(energyplus.CITIES).index(city), energyplus.HOUSES.index(house), HOUSEHOLDS.index(household))
    people, errors = np.random.default_rng((seed, *index)).spawn(2)
    start = datetime.fromtimestamp(year.start_epoch_s, tz=UTC)
    zone = ZoneInfo(ZONES[city])
    routine = draw_routine(people, household == "all_day", ROOM_SHARES, 0.0)
    civil_s = (start.astimezone(zone).replace(tzinfo=UTC)).timestamp()
    rows = presence(people, routine, civil_s, QUARTERS + 8, QUARTER_S)
    at = [start + timedelta(seconds=QUARTER_S * k) for k in range(QUARTERS)]
    shifted = [round((one.astimezone(zone).replace(tzinfo=UTC).timestamp() - civil_s) / QUARTER_S) for one in at]
    skies = year.sky_rows(rows=ROWS_PER_QUARTER * QUARTERS)
    forecasts = Forecasts(skies[:, np.newaxis], [errors])
    ahead = [forecasts.at(ROWS_PER_QUARTER * k) for k in range(QUARTERS)]
    solar = skies["global_w_m2"].reshape(QUARTERS, ROWS_PER_QUARTER).mean(axis=1)
    return Case(
        name=f"{city}_{house.name}",
        house=house,
        epw=epw,
        unit=energyplus.unit_map(unit),
        rated_cooling_w=unit.rated_cooling_w,
        ground_c=energyplus.ground_by_month_c(year),
        pressure_pa=pressure_at_pa(year.elevation_m),
        time_zone=ZONES[city],
        latitude=year.latitude,
        longitude=year.longitude,
        start=start,
        occupied=rows[np.array(shifted)] != AWAY,
        solar_w_m2=np.concatenate([solar[-1:], solar[:-1]]),
        outdoor_forecast_c=np.concatenate([outdoor for outdoor, _ in ahead]),
        solar_forecast_w_m2=np.concatenate([sun for _, sun in ahead]),
    )


def play(case: Case, decide: Decide, days: int = YEAR_DAYS) -> Course:
    """Days of EnergyPlus under a controller, from 1 January on; the last quarter of an hour is left out."""
    quarters = days * 96 - 1
    energy_kwh, air_c = np.zeros(quarters), np.zeros(quarters)

    def ask(seen: Seen) -> tuple[float, float]:
        quarter = seen.at_s // QUARTER_S
        used_kwh = seen.power_w * QUARTER_H / 1e3
        if quarter > 0:
            energy_kwh[quarter - 1], air_c[quarter - 1] = used_kwh, seen.air_c
        moment = Moment(
            quarter=quarter,
            at=case.start + timedelta(seconds=seen.at_s),
            room_c=seen.air_c,
            humidity_pct=relative_pct(seen.air_c, seen.humidity_kg_kg, case.pressure_pa),
            outdoor_c=seen.outdoor_c,
            solar_w_m2=float(case.solar_w_m2[quarter]),
            occupied=bool(case.occupied[quarter]),
            energy_kwh=used_kwh,
        )
        target = decide(moment)
        cooling_c, heating_c = target.cooling_setpoint_c, target.heating_setpoint_c
        return OFF_C[0] if cooling_c is None else cooling_c, OFF_C[1] if heating_c is None else heating_c

    run(case.house, case.unit, case.epw, case.ground_c, ask, days=days)
    outside_k = np.maximum(air_c - COOLING_LIMIT_C, 0.0) + np.maximum(HEATING_LIMIT_C - air_c, 0.0)
    return Course(energy_kwh, np.where(case.occupied[:quarters], outside_k * QUARTER_H, 0.0))


def lingyun(case: Case, presence_ahead: Array, writes: Array) -> Decide:
    """``StandaloneController``; its forecast of presence and where its target changed are written down."""
    controller = StandaloneController(
        case.time_zone, case.latitude, case.longitude, case.rated_cooling_w, COOLING_LIMIT_C, HEATING_LIMIT_C
    )
    before = Target(None, None)

    def decide(moment: Moment) -> Target:
        nonlocal before
        target = controller.step(
            moment.at,
            moment.room_c,
            moment.humidity_pct,
            moment.outdoor_c,
            moment.solar_w_m2,
            moment.occupied,
            moment.energy_kwh,
            case.outdoor_forecast_c[moment.quarter].tolist(),
            case.solar_forecast_w_m2[moment.quarter].tolist(),
        )
        presence_ahead[moment.quarter] = controller.presence_ahead()
        writes[moment.quarter] = target != before
        before = target
        return target

    return decide


def precool(presence_ahead: Array, lead_h: float, margin_k: float) -> Decide:
    """The rule with one lead and margin for the whole year."""

    def decide(moment: Moment) -> Target:
        soon = presence_ahead[moment.quarter, 1 : 1 + round(lead_h / QUARTER_H)] >= LIKELY
        if moment.occupied or soon.any():
            return Target(COOLING_LIMIT_C - margin_k, HEATING_LIMIT_C + margin_k)
        return Target(None, None)

    return decide


def compose(courses: Mapping[tuple[float, float], Course]) -> Course:
    """The rule's year from its variants': in each four weeks the one that was best in the four before."""
    chosen = (FIRST_LEAD_H, FIRST_MARGIN_K)
    parts = []
    for first in range(0, courses[chosen].energy_kwh.size, PERIOD_QUARTERS):
        part = slice(first, first + PERIOD_QUARTERS)
        parts.append((courses[chosen].energy_kwh[part], courses[chosen].outside_kh[part]))
        chosen = min(courses, key=lambda variant: courses[variant].j(part.start, part.stop))
    energy_kwh, outside_kh = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Course(energy_kwh, outside_kh)


def compare(name: str, household: str, days: int = YEAR_DAYS) -> dict[str, float]:
    """Both controllers on one case: ``lingyun_...``, ``precool_...``, and the differences."""
    city, envelope = name.split("_")
    case = build(city, next(house for house in energyplus.HOUSES if house.name == envelope), household)
    presence_ahead, writes = np.zeros((days * 96, QUARTERS_AHEAD)), np.zeros(days * 96)
    ours = play(case, lingyun(case, presence_ahead, writes), days).scores()
    rule = compose({one: play(case, precool(presence_ahead, *one), days) for one in VARIANTS}).scores()
    return {
        **{f"lingyun_{key}": round(value, 2) for key, value in ours.items()},
        **{f"precool_{key}": round(value, 2) for key, value in rule.items()},
        "j_difference_pct": round(100.0 * (ours["j_kwh"] / rule["j_kwh"] - 1.0), 2),
        "outside_allowed_kh": round(rule["outside_kh"] + max(5.0, 0.02 * rule["outside_kh"]), 2),
        "writes_per_day": round(float(writes[SCORED_FROM:].sum()) / max(days - 28, 1), 1),
    }


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """The comparison as Markdown."""
    lines = [
        "| case | lingyun: kWh | K.h | J | precool: kWh | K.h | J | J | writes a day |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = [
            f"{row[f'{who}_{what}']:.1f}"
            for who in ("lingyun", "precool")
            for what in ("energy_kwh", "outside_kh", "j_kwh")
        ]
        share = f"{row['j_difference_pct']:+.2f} %"
        lines.append("| " + " | ".join([name, *cells, share, f"{row['writes_per_day']:.1f}"]) + " |")
    ours, rule = (sum(row[f"{who}_j_kwh"] for row in rows.values()) for who in ("lingyun", "precool"))
    return "\n".join([*lines, f"\nPooled J {ours:.1f} against {rule:.1f} kWh: {100.0 * (ours / rule - 1.0):+.2f} %"])


def main() -> None:
    """Compare, and print a table or one JSON object."""
    every = [f"{city}_{house.name}" for city in energyplus.CITIES for house in energyplus.HOUSES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(every), help="comma-separated, of " + ", ".join(every))
    parser.add_argument("--household", choices=HOUSEHOLDS, default=HOUSEHOLDS[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    names = arguments.cases.split(",")
    if unknown := set(names) - set(every):
        parser.error(f"expected cases of {', '.join(every)}, got {', '.join(sorted(unknown))}")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        rows = dict(zip(names, pool.map(partial(compare, household=arguments.household), names), strict=True))
    print(json.dumps({"household": arguments.household, "cases": rows}) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
