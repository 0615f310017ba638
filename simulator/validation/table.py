"""All rows of validation, and the page that shows them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from simulator.validation import bestest, energyplus, fridges, units
from simulator.validation.rows import Row

Say = Callable[[str], None]


def collect(data_dir: Path | None, say: Say = lambda _: None) -> list[Row]:
    """Every row; a part whose data or extra is missing gives rows that are not ok and say what is missing.

    Parameters
    ----------
    data_dir : Path or None
        Folder of recorded data, with ``weather/`` in it.
    say : callable
        Told what is being computed.
    """
    say("rooms against ASHRAE 140")
    rows = list(bestest.rows(data_dir))
    say("air conditioners: APF and starts")
    rows += units.rows()
    say("refrigerators")
    rows += fridges.rows()
    say("rooms and units against EnergyPlus")
    rows += energyplus.rows(say)
    return rows


def as_text(row: Row) -> str:
    """One line for a terminal."""
    mark = "ok  " if row.ok else "FAIL"
    return f"{mark} {row.name:58s} {row.value:9.3f}  [{row.low:.3f} .. {row.high:.3f}]"


def as_markdown(rows: Iterable[Row]) -> str:
    """The table of docs/validation.md."""
    lines = ["| row | value | from | to | ok | source |", "|---|---|---|---|---|---|"]
    for row in rows:
        mark = "yes" if row.ok else "**no**"
        lines.append(f"| {row.name} | {row.value:.3f} | {row.low:.3f} | {row.high:.3f} | {mark} | {row.source} |")
    return "\n".join(lines) + "\n"


MARKS = ("<!-- table: lingyun validate --page docs/validation.md -->", "<!-- end of table -->")


def rewrite(page: Path, rows: Iterable[Row]) -> None:
    """Put the table between its two marks in a page.

    Raises
    ------
    ValueError
        The page lacks the marks.
    """
    text = page.read_text()
    before, found, rest = text.partition(MARKS[0])
    _, ended, after = rest.partition(MARKS[1])
    if not found or not ended:
        raise ValueError(f"expected the marks {MARKS[0]!r} and {MARKS[1]!r} in {page}")
    page.write_text(f"{before}{MARKS[0]}\n{as_markdown(rows)}{MARKS[1]}{after}")
