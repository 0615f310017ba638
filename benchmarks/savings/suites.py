"""Which homes, climates, days and controllers a suite has, and one job of it: one controller in one block of homes.

Homes come in fixed blocks, whatever the number of processes, and a home's luck hangs on the home alone: the same seed
gives the same figures in one process and in four. Homes are of the split ``test``, which no training draws from, and
every block has a weather year of its own in each climate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar
from zlib import crc32

import numpy as np

from benchmarks.savings import baselines, checks, references, troubles
from benchmarks.savings.checks import Finding
from benchmarks.savings.nearness import Near
from benchmarks.savings.runner import Trouble, Watched, run
from benchmarks.savings.scoring import WARM_UP_DAYS, Figures, Homes
from benchmarks.savings.sensing import Outlook, look_ahead, presence_sensor
from benchmarks.savings.troubles import CALM
from benchmarks.savings.words import Array, Controller
from simulator import homes, prices, residents
from simulator.records import Table
from simulator.weather.climates import CITIES, Climate
from simulator.weather.forecast import Forecasts
from simulator.weather.generator import GeneratedWeather
from simulator.world import STEP_S, STEPS_PER_DAY, World

DECEMBER_2025_S = 1_764_777_600.0  # 2025-12-03T16:00Z, a midnight in China: day 29 is New Year's Day
JUNE_2026_S = 1_781_625_600.0  # 2026-06-16T16:00Z: day 29 is 15 July
CO2_KG_PER_KWH = 0.5306  # China's grid, 2023, published by its ministry of ecology in January 2026; for all climates
RULES = ("conventional", "fixed", "when_home", "clock", "precool", "pid")
WATCHED = ("conventional", "precool", "lingyun")
HOT_DAY_PERCENTILE = 90.0
CHECKED_ROWS = 5 * STEPS_PER_DAY  # of the check whether a controller reads the future
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
    varied_blocks: int = 1  # the first ones, run with other units and without a thermometer as well
    split: str = "test"  # of homes and weather; another one to choose constants on

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.homes_per_climate // self.homes_per_block)

    def in_block(self, block: int) -> int:
        """Homes of a block."""
        each = min(self.homes_per_block, self.homes_per_climate - block * self.homes_per_block)
        return each * len(self.climates)

    @property
    def rows(self) -> int:
        """Steps of 5 minutes, the four weeks before scoring included."""
        return (WARM_UP_DAYS + self.scored_days) * STEPS_PER_DAY


CHINA_AND_BEYOND = ("Guangzhou", "Shanghai", "Beijing", "Harbin", "Madrid", "Tampa")
ALL_CLIMATES = tuple(climate.name for climate in CITIES)
FULL = (*RULES, "mpc", "lingyun")
ORDER = (*FULL, *references.REFERENCES)  # in tables
LONG = ("lingyun", "precool", "mpc")
SUITES = {
    "smoke": Suite("smoke", ("Guangzhou", "Shanghai", "Madrid"), 4, 4, JUNE_2026_S, 14, FULL),
    "headline": Suite("headline", CHINA_AND_BEYOND, 12, 3, DECEMBER_2025_S, 365, FULL, varied_blocks=2),
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
        varied_blocks=0,
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

    return homes.draw(
        seed,
        [climate for climate in CITIES if climate.name in suite.climates],
        suite.in_block(block) // len(suite.climates),
        suite.start_epoch_s,
        suite.rows,
        weather,
        split=suite.split,
        first_home=block * suite.homes_per_block,
        model=model,
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One controller in one block, or a reference in one home of it."""

    suite: Suite
    seed: int
    block: int
    controller: str
    scenario: str = CALM
    home: int | None = None  # of the block, for references
    doubled: bool = False  # with twice the search


@dataclass(frozen=True, slots=True)
class Done:
    """What a job came to."""

    job: Job
    facts: Homes  # of the block
    key: str  # of what the block was laid out from
    figures: Figures
    trace: Array
    informed: bool = False
    foresaw: bool = False
    near: Near | None = None
    watched: Watched | None = None
    variations: dict[str, Figures] = field(default_factory=dict)  # the same controller, ``VARIATIONS``
    variations_near: dict[str, Near] = field(default_factory=dict)
    variants: tuple[Figures, ...] = ()  # of precool
    findings: tuple[Finding, ...] = ()


def jobs_of(suite: Suite, seed: int, controllers: Iterable[str]) -> list[Job]:
    """All jobs but those of references, block by block; those that take long first, so that none is left at the end."""
    return [
        Job(suite, seed, block, name, scenario)
        for scenario in suite.scenarios
        for block in range(suite.blocks)
        for name in sorted(controllers, key=lambda name: name not in LONG)
    ]


def do(job: Job) -> Done:
    """Run one job."""
    block = block_of(job.suite, job.seed, job.block, job.scenario)
    key = references.key_of(block.world, block.outlook)
    if job.home is not None:
        figures = references.compute(job.controller, block.world, block.outlook, job.home, doubled=job.doubled)
        return Done(job, block.facts, key, figures, trace=np.empty(0))
    first = job.block == 0 and job.scenario == CALM
    watch = watched_day(block) if first and job.controller in WATCHED else None
    controller = make(job.controller)
    variants: tuple[Figures, ...] = ()
    if job.controller == "precool":
        every = baselines.Precool(every=True)
        tried = run(
            block.world,
            every,
            block.outlook,
            copies=baselines.VARIANTS,
            trouble=block.trouble.copied(baselines.VARIANTS),
        )
        variants = tuple(parts(tried.figures, block.world.n, baselines.VARIANTS))
        controller = every.chosen()
    variations = VARIATIONS.get(job.controller, ()) if job.block < job.suite.varied_blocks else ()
    outcome = run(
        block.world,
        controller,
        block.outlook,
        copies=1 + len(variations),
        units=np.concatenate([block.world.units, *(_units(job, block, one) for one in variations)]),
        thermometer=np.repeat([True, *(one.thermometer for one in variations)], block.world.n),
        trouble=block.trouble.copied(1 + len(variations)),
        watch=watch,
    )
    own, *others = parts(outcome.figures, block.world.n, 1 + len(variations))
    own_near, *others_near = parts(outcome.near, block.world.n, 1 + len(variations))
    findings: list[Finding] = []
    if first and job.controller != "conventional":
        findings = checks.reads_the_future(
            job.controller, lambda _: make(job.controller), block.world, block.outlook, CHECKED_ROWS
        )
    return Done(
        job,
        block.facts,
        key,
        own,
        outcome.trace[: block.world.n],
        outcome.informed,
        outcome.foresaw,
        own_near,
        outcome.watched,
        {one.name: figures for one, figures in zip(variations, others, strict=True)},
        {one.name: near for one, near in zip(variations, others_near, strict=True)},
        variants,
        tuple(findings),
    )


Part = TypeVar("Part", Figures, Near)


def parts(values: Part, n: int, copies: int) -> list[Part]:
    """What copies of n homes came to, copy by copy."""
    copy = np.arange(n * copies) // n
    return [values.where(copy == i) for i in range(copies)]


@dataclass(frozen=True, slots=True)
class Variation:
    """The same homes, otherwise equipped, as copies in the same run."""

    name: str
    model: str | None = None  # of all units
    thermometer: bool = True


VARIATIONS = {
    "conventional": (Variation("grade3", "grade_3"), Variation("apf_conventional", "apf_5_65")),
    "lingyun": (Variation("no_thermometer", thermometer=False), Variation("apf_lingyun", "apf_5_65")),
}


def _units(job: Job, block: Block, variation: Variation) -> Table:
    if variation.model is None:
        return block.world.units
    return draw(job.suite, job.seed, job.block, variation.model).world.units


def make(name: str) -> Controller:
    """A controller by its name; ``ImportError`` where an extra is missing."""
    simple: dict[str, Callable[[], Controller]] = {
        "conventional": baselines.Conventional,
        "fixed": baselines.Fixed,
        "when_home": baselines.WhenHome,
        "clock": baselines.Clock,
        "precool": baselines.Precool,
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


def watched_day(block: Block) -> tuple[int, int, int] | None:
    """Home, first row and rows of the day that the report draws; None where no whole day is scored.

    A home whose people go out, on a hot day (or a cold one, where the suite has none) with some hours away and some at
    home: the nearest to the 90th percentile of daily means.
    """
    world = block.world
    order = sorted(range(world.n), key=lambda home: (block.facts.household[home] != "part_time", home))
    home = order[0]
    first = WARM_UP_DAYS * STEPS_PER_DAY - int((world.start_epoch_s + world.utc_offset_s[home]) % DAY_S / STEP_S)
    first += STEPS_PER_DAY if first < WARM_UP_DAYS * STEPS_PER_DAY else 0
    days = (len(world.presence) - first) // STEPS_PER_DAY
    if days < 1:
        return None
    span = slice(first, first + days * STEPS_PER_DAY)
    there = (world.presence[span, home] != residents.AWAY).reshape(days, STEPS_PER_DAY).mean(axis=1)
    outdoor_c = world.skies["outdoor_c"][span, world.rooms["weather"][home]].reshape(days, STEPS_PER_DAY).mean(axis=1)
    wanted_c = np.percentile(outdoor_c, HOT_DAY_PERCENTILE)
    far_k = np.abs(outdoor_c - wanted_c) + np.where((there > 0.3) & (there < 0.9), 0.0, 100.0)
    return home, first + int(np.argmin(far_k)) * STEPS_PER_DAY, STEPS_PER_DAY
