"""What every training script needs: a run's folder with its configuration, and a model saved with its card."""

import json
import logging
import platform
import random
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from models.features import Feature, describe
from models.loading import METADATA_KEY

REPOSITORY = Path(__file__).resolve().parent.parent
RUNS = REPOSITORY / "runs"
CODE = ("models/*.py", "training", "simulator")  # what a trained model depends on
LIBRARIES = ("torch", "stable-baselines3", "gymnasium", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Run:
    """A folder that holds all that one training leaves behind."""

    folder: Path
    origin: dict[str, object]  # of the code as it was when the training began

    @property
    def checkpoint(self) -> Path:
        """Where the newest state lies from which the same training goes on."""
        return self.folder / "checkpoint.pt"

    def log(self, **values: float) -> None:
        """Append one line to the curves, and print it."""
        line = {name: round(float(value), 5) for name, value in values.items()}
        with (self.folder / "curves.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print("  ".join(f"{name} {value:g}" for name, value in line.items()), flush=True)


def start_run(name: str, config: Any, seed: int, threads: int = 1) -> Run:
    """Seed Python, NumPy and torch; write configuration, commit and versions into ``runs/NAME-SEED``."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    folder = RUNS / f"{name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / "config.json"
    run = Run(folder, origin(seed))
    if run.checkpoint.exists() and about.exists():  # the run goes on
        return Run(folder, json.loads(about.read_text())["origin"])
    written = {"config": asdict(config), "origin": run.origin}
    about.write_text(json.dumps(written, indent=2, default=str) + "\n")
    return run


def origin(seed: int) -> dict[str, object]:
    """Where a model comes from: commit, seed, versions, day."""
    return {
        "commit": commit(),
        "seed": seed,
        "trained_on": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {library: version(library) for library in LIBRARIES},
    }


def commit() -> str:
    """The commit of the code in use, with ``+`` where files differ from it; ``unknown`` outside a checkout."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--", *CODE) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Actor(torch.nn.Module):
    """The actor of an agent alone, for export."""

    def __init__(self, layers: torch.nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Action in [-1, 1]."""
        action: torch.Tensor = self.layers(observation)
        return action


def save_model(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    path: Path,
    features: Mapping[str, Sequence[Feature]],
    card: Mapping[str, object],
) -> None:
    """Export a module to ONNX with its definition inside, and its card as JSON beside it.

    Parameters
    ----------
    inputs : Mapping of str to torch.Tensor
        Example inputs by name; the first axis is the batch and may have any size.
    features : Mapping of str to sequence of Feature
        Features of each encoded input.
    card : Mapping
        Everything else that the model says of itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    module.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of torchvision, which nobody needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter trips over deprecations of its own library
        program = torch.onnx.export(
            module,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: "batch"} for _ in inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    written = {**card, "features": {name: describe(group) for name, group in features.items()}}
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]  # traces of the exporting machine
        node.doc_string = ""
    model.metadata_props.add(key=METADATA_KEY, value=json.dumps(written))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
