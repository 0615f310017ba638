"""The engine under load: every room is decided for at every cycle, and the command says what that took."""

import json

import pytest
from typer.testing import CliRunner

from lingyun.cli import app


def test_every_room_is_decided_for_at_every_cycle_and_the_stages_add_up() -> None:
    result = CliRunner().invoke(app, ["load", "engine", "--rooms", "3", "--cycles", "2", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["rooms"], found["cycles"], found["decisions"]) == (3, 2, 6)
    assert found["rooms_per_cpu_s"] == pytest.approx(6.0 / found["cpu_s"], rel=0.05)
    stages = found["us_per_room_by_stage"]
    assert {"read", "see", "predict", "plan", "wish", "keep"} <= stages.keys()
    assert 0.5 * found["cpu_s"] <= 6e-6 * sum(stages.values()) <= 1.1 * found["cpu_s"]
    assert "measuring: cycle 2 of 2" in result.stderr
