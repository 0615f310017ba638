"""Which homes, climates, days and controllers a suite has, and one job of it: one controller in one block of homes.

Homes come in fixed blocks, whatever the number of processes, and a home's luck hangs on the home alone: the same seed
gives the same figures in one process and in four. Homes are of the split ``test``, which no training draws from, and
every block has a weather year of its own in each climate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from zlib import crc32

import numpy as np

from benchmarks.savings import baselines, troubles
from benchmarks.savings.runner import Outcome, Trouble, run
from benchmarks.savings.scoring import WARM_UP_DAYS, Figures, Homes
from benchmarks.savings.sensing import Outlook, look_ahead, presence_sensor
from benchmarks.savings.troubles import CALM
from benchmarks.savings.words import Controller
from simulator import homes, prices, residents
from simulator.weather.climates import CITIES, Climate
from simulator.weather.forecast import Forecasts
from simulator.weather.generator import GeneratedWeather
from simulator.world import STEP_S, STEPS_PER_DAY, World

DECEMBER_2025_S = 1_764_777_600.0  # 2025-12-03T16:00Z, a midnight in China: day 29 is New Year's Day
JUNE_2026_S = 1_781_625_600.0  # 2026-06-16T16:00Z: day 29 is 15 July
CO2_KG_PER_KWH = 0.5306  # China's grid, 2023, published by its ministry of ecology in January 2026; for all climates
RULES = ("conventional", "fixed", "when_home", "clock", "precool", "pid")
REFERENCES = ("mpc_true", "optimum")
WATCHED = ("conventional", "precool", "lingyun")
HOT_DAY_PERCENTILE = 90.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Suite:
    """A plan of homes and days."""

    name: str
    climates: tuple[str, ...]
    homes_per_climate: int
    homes_per_block: int  # of each climate
    start_epoch_s: float
    scored_days: int
    controllers: tuple[str, ...]
    scenarios: tuple[str, ...] = (CALM,)

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.homes_per_climate // self.homes_per_block)

    @property
    def rows(self) -> int:
        """Steps of 5 minutes, the four weeks before scoring included."""
        return (WARM_UP_DAYS + self.scored_days) * STEPS_PER_DAY


CHINA_AND_BEYOND = ("Guangzhou", "Shanghai", "Beijing", "Harbin", "Madrid", "Tampa")
ALL_CLIMATES = tuple(climate.name for climate in CITIES)
FULL = (*RULES, "mpc", "lingyun", "no_thermometer", "grade3", "apf_conventional", "apf_lingyun")
SUITES = {
    "smoke": Suite("smoke", ("Guangzhou", "Shanghai", "Madrid"), 4, 2, JUNE_2026_S, 14, FULL),
    "headline": Suite("headline", CHINA_AND_BEYOND, 12, 3, DECEMBER_2025_S, 365, FULL),
    "year": Suite("year", ALL_CLIMATES, 4, 2, DECEMBER_2025_S, 365, FULL),
    "stress": Suite(
        "stress",
        ("Guangzhou", "Shanghai", "Madrid"),
        3,
        3,
        JUNE_2026_S,
        56,
        ("conventional", "precool", "mpc", "lingyun"),
        troubles.SCENARIOS,
    ),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of homes as laid out."""

    drawn: homes.Homes
    world: World
    outlook: Outlook
    facts: Homes
    trouble: Trouble


@lru_cache(maxsize=1)
def block_of(suite: Suite, seed: int, block: int, scenario: str = CALM) -> Block:
    """Draw the homes of a block, let befall them what the scenario says, and lay out what is seen of them."""
    drawn = draw(suite, seed, block)
    world = troubles.befall(scenario, drawn.world)
    names = [drawn.climates[climate].name for climate in drawn.climate_of]
    numbers = [crc32(f"{name}/{number}".encode()) for name, number in zip(names, drawn.number_of, strict=True)]
    occupied = troubles.presence_shown(scenario, presence_sensor(world.presence), numbers)
    luck = [np.random.default_rng([seed, block, crc32(climate.name.encode()), 5]) for climate in drawn.climates]
    outlook = look_ahead(world, Forecasts(world.skies, luck), occupied, numbers, seed)
    facts = Homes(
        climate=tuple(names),
        household=tuple(residents.CLASSES[kind] for kind in drawn.kind_of),
        tariff=tuple(prices.KINDS[kind] for kind in drawn.tariff_of),
        mean_price=outlook.known.mean_price,
        co2_kg_per_kwh=np.full(world.n, CO2_KG_PER_KWH),
    )
    return Block(drawn, world, outlook, facts, troubles.on_the_way(scenario, world, numbers))


def draw(suite: Suite, seed: int, block: int, model: str | None = None) -> homes.Homes:
    """The homes of a block; with ``model``, all with that unit and nothing else changed."""

    def weather(_: np.random.Generator, climate: Climate) -> GeneratedWeather:
        return GeneratedWeather(np.random.default_rng([seed, block, crc32(climate.name.encode())]), climate)

    each = min(suite.homes_per_block, suite.homes_per_climate - block * suite.homes_per_block)
    return homes.draw(
        seed,
        [climate for climate in CITIES if climate.name in suite.climates],
        each,
        suite.start_epoch_s,
        suite.rows,
        weather,
        split="test",
        first_home=block * suite.homes_per_block,
        model=model,
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One controller in one block."""

    suite: Suite
    seed: int
    block: int
    controller: str
    scenario: str = CALM


@dataclass(frozen=True, slots=True)
class Done:
    """What a job came to."""

    job: Job
    outcome: Outcome
    frontier: dict[tuple[float, float], Figures]  # of precool's variants


def jobs_of(suite: Suite, seed: int, controllers: Iterable[str]) -> list[Job]:
    """All jobs, block by block."""
    return [
        Job(suite, seed, block, name, scenario)
        for scenario in suite.scenarios
        for block in range(suite.blocks)
        for name in controllers
    ]


def do(job: Job) -> Done:
    """Run one job."""
    block = block_of(job.suite, job.seed, job.block, job.scenario)
    watch = watched_day(block) if job.block == 0 and job.controller in WATCHED else None
    if job.controller == "precool":
        return _precool(job, block, watch)
    what, model, thermometer = SPECIAL.get(job.controller, (job.controller, None, True))
    world = block.world
    if model is not None:
        world = replace(world, units=draw(job.suite, job.seed, job.block, model).world.units)
    outcome = run(
        world,
        make(what),
        block.outlook,
        thermometer=thermometer,
        trouble=block.trouble,
        watch=watch,
    )
    return Done(job, outcome, {})


SPECIAL: dict[str, tuple[str, str | None, bool]] = {  # controller, model of all units, room thermometer
    "no_thermometer": ("lingyun", None, False),
    "grade3": ("conventional", "grade_3", True),
    "apf_conventional": ("conventional", "apf_5_65", True),
    "apf_lingyun": ("lingyun", "apf_5_65", True),
}


def make(name: str) -> Controller:
    """A controller by its name; ``ImportError`` where an extra is missing."""
    simple: dict[str, Callable[[], Controller]] = {
        "conventional": baselines.Conventional,
        "fixed": baselines.Fixed,
        "when_home": baselines.WhenHome,
        "clock": baselines.Clock,
        "pid": baselines.Pid,
    }
    if name in simple:
        return simple[name]()
    if name == "mpc":
        from benchmarks.savings.mpc import Mpc

        return Mpc()
    if name == "lingyun":
        from benchmarks.savings.lingyun_controller import Lingyun

        return Lingyun()
    raise KeyError(name)


def _precool(job: Job, block: Block, watch: tuple[int, int, int] | None) -> Done:
    """All variants side by side, then the rule as it is chosen by them month by month."""
    n = block.world.n
    every = baselines.Precool(*baselines.variants(n))
    tried = run(block.world, every, block.outlook, copies=baselines.VARIANTS, trouble=block.trouble)
    chosen = baselines.Precool(*baselines.choose_monthly(every.observed_j, n))
    outcome = run(block.world, chosen, block.outlook, trouble=block.trouble, watch=watch)
    frontier = {
        pair: tried.figures.where(np.arange(n * baselines.VARIANTS) // n == i) for i, pair in enumerate(baselines.PAIRS)
    }
    return Done(job, outcome, frontier)


def watched_day(block: Block) -> tuple[int, int, int]:
    """Home, first row and rows of the day that the report draws.

    A home whose people go out, on a hot day (or a cold one, where the suite has none) with some hours away and some at
    home: the nearest to the 90th percentile of daily means.
    """
    world = block.world
    order = sorted(range(world.n), key=lambda home: (block.facts.household[home] != "part_time", home))
    home = order[0]
    first = WARM_UP_DAYS * STEPS_PER_DAY - int((world.start_epoch_s + world.utc_offset_s[home]) % DAY_S / STEP_S)
    first += STEPS_PER_DAY if first < WARM_UP_DAYS * STEPS_PER_DAY else 0
    days = (len(world.presence) - first) // STEPS_PER_DAY
    span = slice(first, first + days * STEPS_PER_DAY)
    there = (world.presence[span, home] != residents.AWAY).reshape(days, STEPS_PER_DAY).mean(axis=1)
    outdoor_c = world.skies["outdoor_c"][span, world.rooms["weather"][home]].reshape(days, STEPS_PER_DAY).mean(axis=1)
    wanted_c = np.percentile(outdoor_c, HOT_DAY_PERCENTILE)
    far_k = np.abs(outdoor_c - wanted_c) + np.where((there > 0.3) & (there < 0.9), 0.0, 100.0)
    return home, first + int(np.argmin(far_k)) * STEPS_PER_DAY, STEPS_PER_DAY
