"""Records: one room, unit or person as named numbers, and tables of them.

A record is written as a class with annotations. A ``table`` of n records is a numpy structured array that compiled
functions read and write in place, ``rooms[i].volume_m3``; ``plain`` turns it into a list of objects of the class, on
which the same functions run without a compiler.

    @record
    class Tank:
        volume_m3: float
        level_m: Floats = floats(3)

    tanks = table(Tank, 1000)
    tanks["volume_m3"] = 2.5
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from simulator.jit import COMPILED

Table: TypeAlias = NDArray[np.void]
Floats: TypeAlias = list[float]  # in a table: an array
T = TypeVar("T")

_DTYPES: dict[str, Any] = {"float": np.float64, "int": np.int64, "bool": np.bool_}
_LENGTH = "length"


def floats(length: int) -> Any:
    """A field of several numbers."""
    return field(default_factory=lambda: [0.0] * length, metadata={_LENGTH: length})


@dataclass_transform(field_specifiers=(floats,))
def record(cls: type[T]) -> type[T]:
    """Make a class of annotated ``float``, ``int``, ``bool`` and ``Floats`` fields a record; all start at zero."""
    for name, kind in cls.__annotations__.items():
        if not hasattr(cls, name):
            setattr(cls, name, {"float": 0.0, "int": 0, "bool": False}[_word(kind)])
    return dataclass(slots=True)(cls)


def _word(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.__name__)


def dtype_of(cls: type[Any]) -> np.dtype[np.void]:
    """The layout of a record in a table."""
    columns: list[Any] = []
    for item in fields(cls):
        length = item.metadata.get(_LENGTH)
        if length is None:
            columns.append((item.name, _DTYPES[_word(item.type)]))
        else:
            columns.append((item.name, np.float64, (length,)))
    return np.dtype(columns, align=True)


def table(cls: type[Any], n: int) -> Table:
    """``n`` records, all zero."""
    return np.zeros(n, dtype=dtype_of(cls))


def plain(rows: Table, cls: type[T]) -> list[T]:
    """The records of a table as objects; they no longer share memory with it."""
    names = [item.name for item in fields(cls)]  # type: ignore[arg-type]
    return [cls(**{name: row[name].tolist() for name in names}) for row in rows]


def readable(rows: Any) -> Any:
    """Rows whose elements are read and set by name, ``readable(rows)[i].volume_m3``, whether compiled or plain."""
    return rows.view(np.recarray) if isinstance(rows, np.ndarray) else rows


def to_json(rows: Any) -> list[dict[str, Any]]:
    """Rows of either kind as JSON can hold them."""
    if isinstance(rows, np.ndarray):
        return [{name: row[name].tolist() for name in rows.dtype.names or ()} for row in rows]
    return [{item.name: getattr(row, item.name) for item in fields(row)} for row in rows]


def as_table(objects: Sequence[Any]) -> Table:
    """A table from objects of one record class, at least one."""
    rows = table(type(objects[0]), len(objects))
    for name in rows.dtype.names or ():
        rows[name] = [getattr(one, name) for one in objects]
    return rows


def rows_of(some: Table, cls: type[T]) -> Any:
    """What compiled or uncompiled functions take: the table itself, or its records as objects."""
    return some if COMPILED else plain(some, cls)
