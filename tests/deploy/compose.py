"""Read docker-compose.yml the way compose does: anchors, merges and ``${VARIABLE}``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class MissingVariable(Exception):
    """A variable that must be set is not, or is empty; compose refuses to start."""


def read_compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in.

    Raises
    ------
    MissingVariable
        A variable with ``:?`` is not set.
    """
    document: dict[str, Any] = _filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()), environment)
    return document


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment) for item in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        found = environment.get(name, "")
        if not found and operator == "?":
            raise MissingVariable(f"{name}: {rest}")
        return found or (rest if operator == "-" else "")

    return _VARIABLE.sub(fill, value)
