"""Open a saved network for serving, and refuse one that was trained on other features."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from core.errors import ConfigurationError
from models.features import Feature, describe

METADATA_KEY = "lingyun"
WEIGHTS = Path(__file__).resolve().parent / "weights"


def open_network(path: Path, features: Mapping[str, Sequence[Feature]]) -> tuple[Any, dict[str, Any]]:
    """A session of one thread, and the card inside the file.

    Raises
    ------
    ConfigurationError
        There is no such file, it is none of ours, or it was trained on features that differ from this code's.
    """
    if not path.is_file():
        raise ConfigurationError(f"no network at {path}: `lingyun train` makes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False  # small networks: memory matters more than allocation
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ConfigurationError(f"{path} is not a network that onnxruntime can read: {error}") from error
    card = json.loads(session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "{}"))
    _check_features(path, card.get("features", {}), features)
    return session, card


def _check_features(path: Path, trained: Mapping[str, Any], served: Mapping[str, Sequence[Feature]]) -> None:
    for group, features in served.items():
        ours, theirs = describe(features), trained.get(group, [])
        for position in range(max(len(ours), len(theirs))):
            expected = ours[position] if position < len(ours) else None
            got = theirs[position] if position < len(theirs) else None
            if expected != got:
                raise ConfigurationError(
                    f"{path.name} was trained on other features: {group}[{position}] is {expected} here, {got} there"
                )
