"""One line of a validation table: what we computed and between which published values it has to be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A computed value and the range it is held against; the unit ends the name."""

    name: str
    value: float
    low: float
    high: float
    ok: bool
    source: str


def row(name: str, value: float, low: float, high: float, source: str) -> Row:
    """A row that is ok where ``low <= value <= high``; a nan is never ok."""
    return Row(name, value, low, high, low <= value <= high, source)
