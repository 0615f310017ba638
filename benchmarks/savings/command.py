"""``lingyun benchmark``: runs a suite, checks it, and writes what came of it.

Work is cut into jobs of one controller and one block of homes. ``workers`` processes take them in turn; which process
does what changes no figure.
"""

import json
import math
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.savings import checks, references, suites
from benchmarks.savings.baselines import PAIRS
from benchmarks.savings.checks import Doubled, Finding
from benchmarks.savings.nearness import Near
from benchmarks.savings.references import REFERENCES, Table
from benchmarks.savings.results import Run, as_markdown, tables
from benchmarks.savings.scoring import Figures, Homes, Json, join_figures, join_homes
from benchmarks.savings.suites import SUITES, Done, Job, Suite, do, jobs_of, make
from benchmarks.savings.troubles import CALM
from core.errors import ConfigurationError
from simulator.jit import COMPILED

OTHER_TABLE = "the committed table belongs to another plant, other homes or weather; --remake computes it anew"
UNFINISHED_TABLE = "the committed table ends before it; --remake goes on"
NO_TABLE = "no table is committed for this suite and seed; --remake computes one"
DOUBLED_HOMES = 12  # on which convergence is shown, at least, where a suite has as many


def run(
    name: str, *, seed: int = 2, workers: int | None = None, report: Path | None = None, remake: bool = False
) -> Json:
    """Run a suite and return its results; with ``report``, write them there too.

    Parameters
    ----------
    remake : bool
        Compute the suite's table of ``mpc_true`` and ``optimum`` anew first, which takes long; what an earlier call
        computed before it was stopped is taken from there.

    Raises
    ------
    ConfigurationError
        There is no such suite, or an extra is missing.
    """
    if name not in SUITES:
        raise ConfigurationError(f"--suite: expected one of {', '.join(SUITES)}, got {name!r}")
    if not COMPILED:
        raise ConfigurationError("the benchmark needs numba: pip install 'lingyun[science]'")
    began_s = time.monotonic()
    workers = workers or os.cpu_count() or 1
    results = run_suite(SUITES[name], seed, workers, remake=remake)
    results["run"] = {"wall_s": round(time.monotonic() - began_s, 1), "workers": workers}
    if report is not None:
        write_report(results, report)
    return results


def run_suite(suite: Suite, seed: int, workers: int, *, remake: bool = False) -> Json:
    """All jobs of a suite, and their results."""
    if remake:
        remake_references(suite, seed, workers)
    table = references.read(suite.name, seed)
    controllers, missing = available(suite.controllers)
    jobs = jobs_of(suite, seed, controllers)
    if table is not None:
        for reference in table.doubled:
            jobs += reference_jobs(suite, seed, reference, references.drawn_by_chance(homes_of(suite)))
    done = everything(jobs, workers, f"benchmark {suite.name}")
    runs = {scenario: gather(done, scenario, missing) for scenario in suite.scenarios}
    calm = runs[CALM]
    findings = use_references(calm, done, table) + find(done, calm, table, seed)
    results = {
        "suite": suite.name,
        "climates": list(suite.climates),
        "seed": seed,
        "scored_days": suite.scored_days,
        **tables(calm, seed),
        "failures": [finding.as_text() for finding in findings if finding.fails],
        "warnings": [finding.as_text() for finding in findings if not finding.fails],
        "not_run": calm.missing,
        "day": day_of(done),
    }
    if len(runs) > 1:
        results["scenarios"] = {scenario: tables(one, seed) for scenario, one in runs.items()}
    return results


def available(controllers: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Those that can run here, and why the others cannot."""
    able, missing = [], {}
    for name in controllers:
        try:
            make(name)
            able.append(name)
        except ImportError as error:
            missing[name] = str(error)
    return able, missing


def gather(done: Sequence[Done], scenario: str, missing: dict[str, str]) -> Run:
    """The figures of all blocks, joined."""
    by_controller: dict[str, list[Done]] = {}
    for one in done:
        if one.job.scenario == scenario and one.job.home is None:
            by_controller.setdefault(one.job.controller, []).append(one)
    for blocks in by_controller.values():
        blocks.sort(key=lambda one: one.job.block)
    joined = {
        name: join_figures([one.figures for one in by_controller[name]])
        for name in sorted(by_controller, key=suites.ORDER.index)
    }
    rule = [one for one in by_controller.get("precool", []) if one.variants]
    some = next(iter(by_controller.values()))
    varied = [np.full(one.facts.n, one.job.block < one.job.suite.varied_blocks) for one in some]
    return Run(
        homes=join_homes([one.facts for one in some]),
        figures=joined,
        frontier={pair: join_figures([one.variants[i] for one in rule]) for i, pair in enumerate(PAIRS) if rule},
        variations=varied_figures(by_controller),
        varied=np.concatenate(varied),
        near=near_of(by_controller),
        missing=dict(missing),
    )


def varied_figures(by_controller: Mapping[str, Sequence[Done]]) -> dict[str, Figures]:
    """The same controllers in homes that are otherwise equipped, of the blocks that were run so."""
    return {
        variation: join_figures([one.variations[variation] for one in blocks if one.variations])
        for blocks in by_controller.values()
        for variation in blocks[0].variations
    }


def near_of(by_controller: Mapping[str, Sequence[Done]]) -> dict[str, Near]:
    """How near the controllers keep the rooms, and the engine without a thermometer."""
    near = {name: [one.near for one in blocks if one.near] for name, blocks in by_controller.items()}
    engine = by_controller.get("lingyun", ())
    near["no_thermometer"] = [one.variations_near["no_thermometer"] for one in engine if one.variations_near]
    return {name: Near.joined(blocks) for name, blocks in near.items() if blocks}


def use_references(run: Run, done: Sequence[Done], table: Table | None) -> list[Finding]:
    """Put the table's figures beside the others if it belongs to these homes; hold it against what was recomputed."""
    keys = {one.job.block: one.key for one in done if one.job.scenario == CALM}
    kept = [table.figures(block, keys[block]) for block in sorted(keys)] if table else []
    if not kept or any(block is None for block in kept):
        reason = NO_TABLE if table is None else OTHER_TABLE
        run.missing.update(dict.fromkeys(REFERENCES, reason))
        return [Finding("no reference", " and ".join(REFERENCES), reason, fails=False)]
    for name in REFERENCES:
        if table and name in table.doubled:
            run.figures[name] = join_figures([block[name] for block in kept if block])
        else:
            run.missing[name] = UNFINISHED_TABLE
    return [
        finding
        for one in done
        if one.job.home is not None
        for finding in references.differs(
            one.job.controller, one.job.home, kept[one.job.block], one.figures, one.facts.only(one.job.home)
        )
    ]


def find(done: Sequence[Done], run: Run, table: Table | None, seed: int) -> list[Finding]:
    """All checks of ``checks``."""
    figures, findings = run.figures, [finding for one in done for finding in one.findings]
    findings += [finding for one in done for finding in checks.licensed(one.job.controller, one.informed, one.foresaw)]
    by_name = {
        (one.job.controller, one.job.block): one for one in done if one.job.scenario == CALM and one.job.home is None
    }
    for (name, block), one in by_name.items():
        other = by_name.get(("lingyun", block))
        if other is not None and name != "lingyun":
            findings += checks.independent_baseline(
                name, one.figures.energy_kwh, one.trace, "lingyun", other.figures.energy_kwh, other.trace
            )
    for other_name in ("conventional", "precool"):
        if {"lingyun", other_name} <= figures.keys():
            findings += checks.honest_comfort(
                "lingyun",
                figures["lingyun"],
                other_name,
                figures[other_name],
                run.homes,
                in_j=other_name != "conventional",
            )
    doubled = {name: one for name, one in table.doubled.items() if name in figures} if table else {}  # that are used
    return findings + checks.sound_references(figures, run.homes, seed, doubled)


def day_of(done: Sequence[Done]) -> Json | None:
    """The day that the report draws."""
    watched = {one.job.controller: one for one in done if one.watched is not None}
    if not watched:
        return None
    first = next(iter(watched.values()))
    home = first.watched.home if first.watched else 0
    return {
        "climate": first.facts.climate[home],
        "household": first.facts.household[home],
        "tariff": first.facts.tariff[home],
        "controllers": {name: one.watched.as_json() for name, one in watched.items() if one.watched},
    }


def homes_of(suite: Suite) -> int:
    """How many homes a suite has."""
    return suite.homes_per_climate * len(suite.climates)


def reference_jobs(suite: Suite, seed: int, name: str, homes: Sequence[int], *, doubled: bool = False) -> list[Job]:
    """Jobs of a reference for some homes of a suite, by their number over all blocks."""
    sizes = [suite.in_block(block) for block in range(suite.blocks)]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    jobs = []
    for home in homes:
        block = int(np.searchsorted(starts, home, side="right")) - 1
        jobs.append(Job(suite, seed, block, name, home=home - int(starts[block]), doubled=doubled))
    return jobs


def doubled_homes(suite: Suite) -> list[int]:
    """Homes on which convergence is shown, by their number over all blocks: evenly of all climates and blocks."""
    climates, of_climate = len(suite.climates), suite.homes_per_climate
    each = min(-(-DOUBLED_HOMES // climates), of_climate)
    homes = []
    for climate in range(climates):
        for one in range(each):
            number = (one * climates + climate) * of_climate // (climates * each)  # each climate a little further on
            block, place = divmod(number, suite.homes_per_block)
            homes.append(block * suite.in_block(0) + climate * suite.in_block(block) // climates + place)
    return sorted(homes)


def remaking_jobs(suite: Suite, seed: int, name: str) -> list[Job]:
    """Jobs of a reference. The homes that show convergence come first, as what they tell may make the rest vain."""
    jobs = reference_jobs(suite, seed, name, doubled_homes(suite), doubled=True)
    first = {(job.block, job.home) for job in jobs}
    jobs += reference_jobs(suite, seed, name, range(homes_of(suite)))
    return sorted(jobs, key=lambda job: ((job.block, job.home) not in first, job.block, job.home or 0))


def remake_references(suite: Suite, seed: int, workers: int) -> None:
    """Compute the table of the references and how far it moves when their search is doubled.

    Each home is kept as soon as it is done, and the table is written after each reference: a call after one that was
    stopped computes what is missing.
    """
    keys, facts = [], []
    for block in range(suite.blocks):
        laid_out = suites.block_of(suite, seed, block)
        keys.append(references.key_of(laid_out.world, laid_out.outlook))
        facts.append(laid_out.facts)
    folder = references.UNFINISHED / f"{suite.name}-{seed}"

    def keep(done: Done) -> None:
        if done.key != keys[done.job.block]:
            raise ConfigurationError("the plant changed while the references were computed: --remake once more")
        references.write_part(folder, part_of(done.job, done.key), done.figures)

    by_block: list[dict[str, list[Figures]]] = [{} for _ in keys]
    doubled = {}
    for name in REFERENCES:
        jobs = remaking_jobs(suite, seed, name)
        found = {job: kept for job in jobs if (kept := references.read_part(folder, part_of(job, keys[job.block])))}
        title = f"{name} of {suite.name}" + (f", {len(found)} kept from before" if found else "")
        missing = [job for job in jobs if job not in found]
        found |= {done.job: done.figures for done in everything(missing, workers, title, keep)}
        for block, mine in enumerate(by_block):
            homes = range(suite.in_block(block))
            mine[name] = [found[Job(suite, seed, block, name, home=home)] for home in homes]
        doubled[name] = moved([job for job in jobs if job.doubled], found, facts)
        blocks = [references.as_json(key, mine) for key, mine in zip(keys, by_block, strict=True)]
        references.write(suite.name, seed, blocks, doubled)
    shutil.rmtree(folder)


def part_of(job: Job, key: str) -> str:
    """The name under which a home of an unfinished table is kept; ``key`` of its block."""
    return f"{key}-{job.home}-{job.controller}{'-doubled' if job.doubled else ''}"


def moved(twice: Sequence[Job], found: Mapping[Job, Figures], facts: Sequence[Homes]) -> Doubled:
    """How far J moved in the homes whose search was doubled."""

    def j_kwh(job: Job) -> float:
        return float(found[job].j_kwh(facts[job.block].only(job.home or 0))[0])

    once_kwh = np.array([j_kwh(replace(job, doubled=False)) for job in twice])
    return Doubled(once_kwh, np.array([j_kwh(job) for job in twice]) / once_kwh - 1.0)


def everything(
    jobs: Sequence[Job], workers: int, title: str, keep: Callable[[Done], None] = lambda done: None
) -> list[Done]:
    """Do all jobs, in this process or in several; the order of the answers is that of the jobs.

    ``keep`` is told of each as soon as it is done. What ends this early, an error or Ctrl-C, ends what has not begun.
    """

    def told(done: Done) -> Done:
        keep(done)
        _tell(done, tell)
        return done

    with shown(title, len(jobs)) as tell:
        if workers == 1:
            return [told(do(job)) for job in jobs]
        processes = multiprocessing.get_context("spawn")  # threads of onnxruntime do not survive a fork
        with ProcessPoolExecutor(workers, mp_context=processes) as pool:
            futures = [pool.submit(do, job) for job in jobs]
            try:
                for future in as_completed(futures):
                    told(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            return [future.result() for future in futures]


def _tell(done: Done, tell: Callable[[str], None]) -> None:
    job = done.job
    where = f"block {job.block + 1}" if job.home is None else f"home {job.home + 1} of block {job.block + 1}"
    twice = ", doubled" if job.doubled else ""
    tell(f"{job.controller}, {where}{twice}" + ("" if job.scenario == CALM else f", {job.scenario}"))


@contextmanager
def shown(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar on a terminal, plain lines in a pipe; on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        began_s, count = time.monotonic(), 0

        def line(words: str) -> None:
            nonlocal count
            count += 1
            print(f"{title}: {count} of {total} after {time.monotonic() - began_s:.0f} s: {words}", file=sys.stderr)

        yield line
        return
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, transient=True) as progress:
        task = progress.add_task(title, total=total, words="")
        yield lambda words: progress.update(task, advance=1, words=words)


def write_report(results: Json, folder: Path) -> None:
    """JSON, the Markdown table and the HTML page."""
    from benchmarks.savings.report import page

    folder.mkdir(parents=True, exist_ok=True)
    name = results["suite"]
    (folder / f"{name}.json").write_text(as_text(results) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(as_markdown(results), encoding="utf-8")
    (folder / f"{name}.html").write_text(page(results), encoding="utf-8")


def as_text(results: Json) -> str:
    """One JSON object; what is not a number is null."""
    return json.dumps(_plain(results), ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
