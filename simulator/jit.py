"""Compiles the plant's functions where numba is installed; elsewhere they run as they are, on plain objects.

A home's simulated demo has three rooms and no numba; training and benchmarks have thousands of rooms and need it. Both
run the same source (ADR 5). ``NUMBA_DISABLE_JIT=1`` leaves everything uncompiled, as where numba is missing.
"""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_numba: Any
try:
    import numba

    _numba = numba
    COMPILED = not _numba.config.DISABLE_JIT
except ImportError:  # the core install
    _numba = None
    COMPILED = False


def njit(function: F) -> F:
    """The function, compiled at its first call and kept on disk for the next process."""
    compiled: F = _numba.njit(cache=True, error_model="numpy")(function) if COMPILED else function
    return compiled
