"""Compiles the plant's functions where numba is installed; elsewhere they run as they are, on plain objects.

A home's simulated demo has three rooms and no numba; training and benchmarks have thousands of rooms and need it. Both
run the same source (ADR 5). ``NUMBA_DISABLE_JIT=1`` leaves everything uncompiled, as where numba is missing, and does
not load numba at all: three rooms are stepped long before it is.

Compiled code is kept on disk, in a folder named by a hash of all compiled sources: numba itself looks only at the file
of the outermost function, and would go on using an old ``zone.step`` inside ``world.advance``.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

ROOT = Path(__file__).parents[1]
COMPILED_FOLDERS = ("simulator", "benchmarks")
KEPT = 3  # folders of earlier sources

_numba: Any = None
if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
    with contextlib.suppress(ImportError):  # the core install
        import numba as _numba
COMPILED = _numba is not None


def source_digest() -> str:
    """Hash of every source file with compiled functions: of the plant, its people and the planners."""
    digest = hashlib.sha256()
    for folder in COMPILED_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_bytes()
            if b"njit" in text:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def _keep_compiled_code() -> None:
    home = Path(__file__).parent / "__pycache__"
    folder = home / f"compiled-{source_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = sorted(home.glob("compiled-*"), key=lambda path: path.stat().st_mtime)
    except OSError:  # installed where nobody may write: numba finds a place of its own
        return
    for path in [path for path in earlier if path != folder][:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
    _numba.config.CACHE_DIR = str(folder)


if COMPILED:
    _keep_compiled_code()


def njit(function: F) -> F:
    """The function, compiled at its first call and kept on disk for the next process."""
    compiled: F = _numba.njit(cache=True, error_model="numpy")(function) if COMPILED else function
    return compiled
