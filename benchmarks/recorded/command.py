"""``lingyun benchmark --suite recorded``: how well rooms are foretold, on recorded homes and on simulated ones.

The first 70 % of a record's readings are there to learn from, the moments of the rest are scored; all contenders at the
same moments. Whatever is constant in ours was chosen on the first 70 % and on simulated rooms of other splits.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recorded import simulated
from benchmarks.recorded.contenders import SCORED_S, foretell
from benchmarks.recorded.records import Record, known_sources, local_hours, own_sources, read_record
from benchmarks.recorded.score import block_bootstrap
from benchmarks.recorded.simulated import SIZE, Size
from benchmarks.savings.command import as_text, shown
from core.errors import ConfigurationError
from models.correction import NINETY
from models.features import horizon_label
from simulator.jit import COMPILED

Json = dict[str, Any]

OTHERS = ("persistence", "yesterday", "ridge", "rc")


def run(
    data: Path | None,
    own: tuple[Path, Path] | None,
    maps: Path,
    *,
    seed: int = 1,
    workers: int | None = None,
    size: Size = SIZE,
) -> Json:
    """Score every set, and simulated rooms.

    Parameters
    ----------
    data : Path or None
        Folder of recorded data.
    own : (Path, Path) or None
        A recording and its map.
    maps : Path
        Folder of the maps of the known sets.
    size : Size
        How much is simulated.

    Raises
    ------
    ConfigurationError
        There is nothing to score, or a recording or map is not as it must be.
    """
    began_s = time.monotonic()
    sources = [] if own is None else own_sources(*own)
    sources += [] if data is None else known_sources(data, maps)
    if not sources:
        raise ConfigurationError(
            "nothing to score: expected --data DIR (or LINGYUN_DATA) with sml2010 or uk_house_heating, or --recording"
            " FILE with --map MAP.toml"
        )
    records = [read_record(source) for source in sources]  # what is wrong shows before the long work
    sets: Json = {}
    rooms: Json = {}
    not_run = {} if COMPILED else {"simulated": "needs numba: pip install 'lingyun[science]'"}
    with shown("benchmark recorded", len(records) + (size.rooms * len(simulated.PROGRAMS) if COMPILED else 0)) as tell:
        for record in records:
            sets[record.name] = score(record, seed)
            tell(record.name)
        if COMPILED:
            rooms = simulated.measure(seed, size, workers=workers or os.cpu_count() or 1, tell=tell)
    return {
        "suite": "recorded",
        "seed": seed,
        "sets": sets,
        "simulated": rooms,
        "not_run": not_run,
        "run": {"wall_s": round(time.monotonic() - began_s, 1)},
    }


def command(
    data: Path | None,
    recording: Path | None,
    map_file: Path | None,
    maps: Path,
    *,
    seed: int,
    workers: int | None,
    report: Path | None,
    as_json: bool,
) -> int:
    """What ``lingyun benchmark --suite recorded`` does; its status.

    Raises
    ------
    ConfigurationError
        As ``run``, or a recording without a map.
    """
    if (recording is None) != (map_file is None):
        raise ConfigurationError("--recording FILE and --map MAP.toml go together")
    own = None if recording is None or map_file is None else (recording, map_file)
    simulated.quiet()
    results = run(data, own, maps, seed=seed, workers=workers)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "recorded.json").write_text(as_text(results) + "\n", encoding="utf-8")
        (report / "recorded.md").write_text(as_markdown(results), encoding="utf-8")
    print(as_text(results) if as_json else as_markdown(results), end="\n" if as_json else "")
    return 0


def score(record: Record, seed: int) -> Json:
    """Errors by horizon, at the moments for which every contender has an answer."""
    foretold = foretell(record)
    _, day = local_hours(record)
    result: Json = {}
    for place, horizon_s in enumerate(SCORED_S):
        ahead = horizon_s // record.step_s
        came_c = np.concatenate([record.room_c[ahead:], np.full(ahead, np.nan)])
        misses = {
            name: [np.abs(variant[:, place] - came_c) for variant in variants] for name, variants in foretold.by.items()
        }
        whole = np.all([np.isfinite(variant) for variants in misses.values() for variant in variants], axis=0)
        scored = np.flatnonzero(whole & (np.arange(record.steps) >= record.split))
        label = horizon_label(horizon_s)
        if scored.size == 0:
            raise ConfigurationError(f"{record.name}: no moment of the last 30 % can be scored {label} ahead")
        best = {name: min((variant[scored] for variant in variants), key=np.mean) for name, variants in misses.items()}
        ratio, lower95, upper95 = block_bootstrap(
            best["lingyun"], np.stack([best[name] for name in OTHERS], axis=1), day[scored], seed
        )
        held = best["lingyun"] <= NINETY * foretold.spread_k[scored, place]
        result[label] = {
            **{f"{name}_mae_c": float(miss_k.mean()) for name, miss_k in best.items()},
            "best": min(OTHERS, key=lambda name: float(best[name].mean())),
            "ratio_to_best": ratio,
            "ratio_lower95": lower95,
            "ratio_upper95": upper95,
            "held_90_ratio": float(held.mean()),
            "moments": int(scored.size),
            "days": int(np.unique(day[scored]).size),
        }
    return result


def as_markdown(results: Json) -> str:
    """The tables for people."""
    lines = [
        "| set | ahead | lingyun | lstm alone | correction alone | persistence | yesterday | ridge | rc | ratio to best"
        " | one-sided 95 % limits | 90 % interval holds |",
        "|---|" + "---|" * 11,
    ]
    names = ("lingyun", "lstm", "correction_alone", *OTHERS)
    for name, horizons in results["sets"].items():
        for label, row in horizons.items():
            errors = " | ".join(f"{row[f'{contender}_mae_c']:.3f}" for contender in names)
            lines.append(
                f"| {name} | {label} | {errors} | {row['ratio_to_best']:.2f}"
                f" | {row['ratio_lower95']:.2f} to {row['ratio_upper95']:.2f} | {100 * row['held_90_ratio']:.0f} % |"
            )
    lines += [
        "",
        "| simulated rooms | ahead | lingyun | lstm alone | rc | ratio to rc"
        " | one-sided 95 % limits | 90 % interval holds |",
        "|---|" + "---|" * 7,
    ]
    for program, figures in results["simulated"].items():
        for label, row in figures["horizons"].items():
            errors = " | ".join(f"{row[f'{contender}_mae_c']:.3f}" for contender in ("lingyun", "lstm", "rc"))
            lines.append(
                f"| {program}, {figures['rooms']} | {label} | {errors} | {row['ratio_to_rc']:.2f}"
                f" | {row['ratio_lower95']:.2f} to {row['ratio_upper95']:.2f} | {100 * row['held_90_ratio']:.1f} % |"
            )
    lines += [f"\nnot run: {name}: {why}" for name, why in results["not_run"].items()]
    return "\n".join(lines) + "\n"
