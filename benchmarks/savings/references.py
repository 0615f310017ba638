"""What ``mpc_true`` and ``optimum`` came to, computed once and committed.

They plan in the plant itself and take hours. A table belongs to one plant, one set of homes and one course of weather:
its key is a hash of the statements that decide (docstrings and comments do not) and of everything that was laid out. A
table with another key is not used. Every use recomputes some homes by chance, at least 2 % of them, and fails on a
difference.

Processors do not agree in the last digit of a sine, and a year of thermostats makes of that a different minute here and
there. So the key takes sums of what was laid out, to six digits, and a home recomputed may differ by 1 % in J.

    {"suite", "seed", "blocks": [{"key", "figures": {"mpc_true": {"energy_kwh": [one a home, ...], ...}, ...}}, ...],
     "doubled": {"mpc_true": {"j_kwh": [one a doubled home, ...], "moved_ratio": [...]}, ...}}

Until a table is whole, each home that was computed lies in a file of its own under ``UNFINISHED``, named by the key of
its block: a later run goes on from there, and nothing of another plant, other homes or weather is ever taken.
"""

import ast
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.checks import Doubled, Finding
from benchmarks.savings.runner import run
from benchmarks.savings.scoring import Figures, Homes, Json
from benchmarks.savings.sensing import Outlook
from benchmarks.savings.words import Informed
from simulator.world import BY_HOME, World
from storage.repositories.learned import MARGIN_K, ComfortCurve

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "references"
UNFINISHED = ROOT / "runs" / "references"
SOURCES = (
    "simulator/physics",
    "simulator/residents.py",
    "simulator/world.py",
    "control/comfort.py",
    "control/presence.py",
    *(
        f"benchmarks/savings/{name}.py"
        for name in ("comfort", "mpc_true", "optimum", "planning", "presence", "runner", "sensing", "true_plant")
    ),
)
REFERENCES = ("mpc_true", "optimum")
RECOMPUTED_RATIO = 0.02
SAME_RATIO = 0.01  # of J
DIGITS = 9
FORECASTS_LOOKED_AT = 50  # for the key


@cache
def code_digest() -> str:
    """Hash of the statements on which a course of a home depends."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(statements(file.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def statements(text: str) -> str:
    """A source without its comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    return ast.dump(tree, annotate_fields=False)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def key_of(world: World, outlook: Outlook) -> str:
    """Hash of plant, homes and weather, and of what is believed of people before anything is learned."""
    digest = hashlib.sha256(code_digest().encode())
    digest.update(json.dumps([MARGIN_K, ComfortCurve().to_json()]).encode())
    for name in (*BY_HOME, "skies", "presence", "price", "chance"):
        digest.update(fingerprint(getattr(world, name)).encode())
    digest.update(fingerprint(outlook.noise_k).encode())
    for row in np.linspace(0, len(world.presence) - 1, FORECASTS_LOOKED_AT).astype(int):
        for ahead in outlook.weather_ahead.at(int(row)):
            digest.update(fingerprint(ahead).encode())
    return digest.hexdigest()[:32]


def fingerprint(values: NDArray[Any]) -> str:
    """Shape, sum and a weighted sum of each column, to six digits: the same on every processor."""
    words = [str(values.shape)]
    for name in values.dtype.names or (None,):
        column = np.asarray(values if name is None else values[name], dtype=np.float64)
        flat = np.nan_to_num(column).reshape(-1)
        weight = np.arange(flat.size) % 9973 + 1.0  # so that an exchange of two homes shows
        words.append(f"{name} {np.abs(flat).sum():.5e} {np.abs(flat * weight).sum():.5e}")
    return "\n".join(words)


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
    """The committed figures of a suite, and by reference how far they moved when the search was doubled."""

    blocks: list[Json]
    doubled: dict[str, Doubled]

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
    doubled = {
        name: Doubled(*(np.array(one[item.name]) for item in fields(Doubled)))
        for name, one in content["doubled"].items()
    }
    return Table(content["blocks"], doubled)


def write(
    suite: str, seed: int, blocks: Sequence[Json], doubled: Mapping[str, Doubled], folder: Path | None = None
) -> Path:
    """Keep a table."""
    folder = folder or FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{suite}-{seed}.json"
    moved = {
        name: {item.name: [_rounded(value) for value in getattr(one, item.name)] for item in fields(Doubled)}
        for name, one in doubled.items()
    }
    content = {"suite": suite, "seed": seed, "doubled": moved, "blocks": list(blocks)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def as_json(key: str, figures: Mapping[str, Sequence[Figures]]) -> Json:
    """A block of the table, from the figures of its homes by reference."""
    return {
        "key": key,
        "figures": {
            name: {item.name: [_rounded(getattr(one, item.name)[0]) for one in homes] for item in fields(Figures)}
            for name, homes in figures.items()
        },
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def write_part(folder: Path, name: str, figures: Figures) -> None:
    """Keep one home of an unfinished table. Its file is there in whole or not at all, whenever this is stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.part"
    unfinished.write_text(json.dumps({name: column.tolist() for name, column in asdict(figures).items()}))
    unfinished.rename(folder / f"{name}.json")


def read_part(folder: Path, name: str) -> Figures | None:
    """One home of an unfinished table, or None where it was not computed yet."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    return Figures(**{name: np.array(column) for name, column in json.loads(path.read_text()).items()})


def drawn_by_chance(homes: int) -> list[int]:
    """Homes to recompute: another choice each time, whatever the seed of the suite."""
    return sorted(np.random.default_rng().choice(homes, math.ceil(RECOMPUTED_RATIO * homes), replace=False).tolist())


def differs(name: str, home: int, kept: dict[str, Figures] | None, again: Figures, alone: Homes) -> list[Finding]:
    """Whether what was recomputed for a home is what is kept of its block."""
    if kept is None:
        return []
    only_it = np.arange(kept[name].energy_kwh.size) == home
    theirs = float(kept[name].where(only_it).j_kwh(alone)[0])
    mine = float(again.j_kwh(alone)[0])
    if math.isclose(mine, theirs, rel_tol=SAME_RATIO):
        return []
    words = f"J of home {home} is {mine:.6g} kWh recomputed and {theirs:.6g} in the table"
    return [Finding("reference differs from its table", name, words, fails=True)]
