"""What ``mpc_true`` and ``optimum`` came to, computed once and committed.

They plan in the plant itself and take hours. A table belongs to one plant, one set of homes and one course of weather:
its key is a hash of the sources that decide and of everything that was laid out. A table with another key is not used.
Every use recomputes some homes by chance, at least 2 % of them, and fails on a difference.

    {"suite", "seed", "blocks": [{"key", "homes", "figures": {"mpc_true": {"energy_kwh": [...], ...}, ...}}],
     "doubled": {"homes", "mpc_true": relative change of pooled J, ...}}
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.savings.checks import Finding
from benchmarks.savings.runner import run
from benchmarks.savings.scoring import Figures, Json
from benchmarks.savings.sensing import Outlook
from benchmarks.savings.words import Informed
from simulator.world import BY_HOME, World

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "references"
SOURCES = ("simulator", "benchmarks/savings", "control/comfort.py", "control/presence.py")
NOT_PART_OF_IT = (
    "validation",
    "fleet",
    "charts.py",
    "report.py",
    "command.py",
    "results.py",
    "checks.py",
    "scoring.py",
)
REFERENCES = ("mpc_true", "optimum")
RECOMPUTED_RATIO = 0.02
SAME_RATIO = 1e-6
DIGITS = 9


@cache
def code_digest() -> str:
    """Hash of the sources on which a course of a home depends."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if not any(part in NOT_PART_OF_IT for part in file.relative_to(ROOT).parts):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def key_of(world: World, outlook: Outlook) -> str:
    """Hash of plant, homes and weather."""
    digest = hashlib.sha256(code_digest().encode())
    for name in (*BY_HOME, "skies", "presence", "price", "chance"):
        digest.update(np.ascontiguousarray(getattr(world, name)).tobytes())
    digest.update(np.ascontiguousarray(outlook.noise_k).tobytes())
    return digest.hexdigest()[:32]


def only(world: World, outlook: Outlook, home: int) -> tuple[World, Outlook]:
    """One home by itself. References are always run so: a home's course hangs on no other's."""
    one = np.array([home])
    columns = {name: getattr(world, name)[one] for name in BY_HOME}
    wide = {name: getattr(world, name)[:, one] for name in ("presence", "price", "chance")}
    return replace(world, **columns, **wide), outlook.only(home)


def compute(name: str, world: World, outlook: Outlook, home: int, *, doubled: bool = False) -> Figures:
    """What a reference comes to in one home; with ``doubled``, with twice the search."""
    alone, seen = only(world, outlook, home)
    return run(alone, make(name, doubled=doubled), seen, future=name == "optimum").figures


def make(name: str, *, doubled: bool = False) -> Informed:
    """A reference by its name."""
    from benchmarks.savings.mpc_true import MpcTrue
    from benchmarks.savings.optimum import Optimum

    kind = {"mpc_true": MpcTrue, "optimum": Optimum}[name]
    effort = kind().effort
    if doubled:
        effort = effort._replace(**{part: 2 * getattr(effort, part) for part in ("iterations", "rounds", "changes")})
    return kind(effort)


@dataclass(frozen=True, slots=True)
class Table:
    """The committed figures of a suite, and how far they moved when the search was doubled."""

    blocks: list[Json]
    moved_ratio: dict[str, float]

    def figures(self, block: int, key: str) -> dict[str, Figures] | None:
        """Figures of a block's homes by reference; None where they belong to another plant, homes or weather."""
        if block >= len(self.blocks) or self.blocks[block]["key"] != key:
            return None
        return {
            name: Figures(**{item.name: np.array(columns[item.name]) for item in fields(Figures)})
            for name, columns in self.blocks[block]["figures"].items()
        }


def read(suite: str, seed: int, folder: Path | None = None) -> Table | None:
    """The table of a suite and seed, or None where there is none."""
    path = (folder or FOLDER) / f"{suite}-{seed}.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return Table(content["blocks"], content["moved_ratio"])


def write(
    suite: str, seed: int, blocks: Sequence[Json], moved_ratio: dict[str, float], folder: Path | None = None
) -> Path:
    """Keep a table."""
    folder = folder or FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{suite}-{seed}.json"
    content = {"suite": suite, "seed": seed, "moved_ratio": moved_ratio, "blocks": list(blocks)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def as_json(key: str, figures: Mapping[str, Sequence[Figures]]) -> Json:
    """A block of the table, from the figures of its homes by reference."""
    return {
        "key": key,
        "figures": {
            name: {
                item.name: [float(f"{getattr(one, item.name)[0]:.{DIGITS}g}") for one in homes]
                for item in fields(Figures)
            }
            for name, homes in figures.items()
        },
    }


def drawn_by_chance(homes: int) -> list[int]:
    """Homes to recompute: another choice each time, whatever the seed of the suite."""
    return sorted(np.random.default_rng().choice(homes, math.ceil(RECOMPUTED_RATIO * homes), replace=False).tolist())


def differs(name: str, home: int, kept: dict[str, Figures] | None, again: Figures) -> list[Finding]:
    """Whether what was recomputed for a home is what is kept of its block."""
    if kept is None:
        return []
    for item in fields(Figures):
        mine, theirs = float(getattr(again, item.name)[0]), float(getattr(kept[name], item.name)[home])
        if not math.isclose(mine, theirs, rel_tol=SAME_RATIO, abs_tol=SAME_RATIO):
            words = f"{item.name} of home {home} is {mine:.6g} recomputed and {theirs:.6g} in the table"
            return [Finding("reference differs from its table", name, words, fails=True)]
    return []
