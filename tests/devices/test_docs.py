"""The examples of the pages under docs/devices say what the code really does."""

import re
from pathlib import Path

import pytest

from devices.explain import explain
from devices.limits import LIMITS
from devices.registry import Registry

DOCS = Path(__file__).parents[2] / "docs" / "devices"
EXAMPLE = re.compile(r"```jsonl\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("dialect", Registry().names())
def test_the_example_of_a_page_is_read_as_the_page_says(dialect: str) -> None:
    (example,) = EXAMPLE.findall((DOCS / f"{dialect}.md").read_text())
    assert list(explain(example[0].splitlines())) == example[1].splitlines()


def test_the_table_of_limits_is_that_of_the_code() -> None:
    rows = re.findall(r"\| `(\w+)` \| (-?[\d,]+) \| ([\d,^]+) \|", (DOCS / "README.md").read_text())
    told = {name: (number(low), number(high)) for name, low, high in rows}
    assert told == LIMITS


def number(text: str) -> float:
    base, _, exponent = text.replace(",", "").partition("^")
    power: float = float(base) ** float(exponent or 1)
    return power
