"""The benchmark of refrigerators: its bounds bound, its parts add up, and it calls what is unsafe."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import fridges
from benchmarks.fridges import (
    VARIANTS,
    Kitchen,
    Plan,
    as_markdown,
    examine,
    failures,
    least_w,
    row,
    watch,
)
from control.fridge_proposals import EXTRA_RATIO, MOVED_RATIO, SAVED_PER_KELVIN
from lingyun.cli import app
from simulator.catalogue.fridges import MODELS
from simulator.catalogue.fridges import fridges as plants
from simulator.jit import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="the benchmark needs numba (extra science)")
NAMES = ["no_frost_320l", "overcooled_260l"]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """A short run of two models in one kitchen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fridges, "WARM_UP_DAYS", 3)
        patch.setattr(fridges, "SCORED_DAYS", 5)
        found = examine("mild", 1, NAMES)
        rows = [row(NAMES, i, [found]) for i in range(len(NAMES))]
        return {"models": rows, "kitchens": {"mild": rows}, "failures": failures(rows), "found": found}


def test_what_warmer_food_and_control_saved_add_up(results: dict[str, Any]) -> None:
    """(1 - a)(1 - b) = 1 - s, for savings one after the other."""
    for one in results["models"]:
        energy = one["energy"]
        left = (1 - energy["by_warmer_food_pct"] / 100) * (1 - energy["at_equal_food_pct"] / 100)
        assert left == pytest.approx(1 - energy["saving_pct"] / 100)


def test_no_program_uses_less_than_the_bound(results: dict[str, Any]) -> None:
    for one in results["models"]:
        assert one["energy"]["at_equal_food_pct"] < one["energy"]["at_equal_food_bound_pct"]
        assert one["energy"]["saving_pct"] < one["energy"]["bound_pct"]
        assert one["energy"]["search_pct"] < one["energy"]["bound_pct"]


def test_the_moved_factory_program_has_the_same_food(results: dict[str, Any]) -> None:
    found = results["found"]
    assert found.moved.fresh_c == pytest.approx(found.ours.fresh_c, abs=0.15)
    assert found.moved.frozen_c == pytest.approx(found.ours.frozen_c, abs=0.2)


def test_the_overcooled_one_is_called_so_and_saves(results: dict[str, Any]) -> None:
    usual, overcooled = results["models"]
    assert (usual["factory"]["overcools"], overcooled["factory"]["overcools"]) == (False, True)
    assert overcooled["energy"]["saving_pct"] > 5.0
    assert failures([overcooled]) == []


def test_unsafe_food_and_too_little_saved_are_called(results: dict[str, Any]) -> None:
    wrong = copy.deepcopy(results["models"][1])
    wrong["energy"]["warmest_fresh_c"] = 5.1
    wrong["peak_valley"]["air_over_min"] = 3.0
    wrong["energy"]["saving_pct"] = wrong["peak_valley"]["cost_saving_pct"] = 4.0
    assert len(failures([wrong])) == 4


def test_proposals_promise_no_more_than_the_plant_gives(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kelvin, over all seven; what storing moves and costs, where the freezer has its own thermostat."""
    monkeypatch.setattr(fridges, "WARM_UP_DAYS", 2)
    monkeypatch.setattr(fridges, "SCORED_DAYS", 6)
    kitchen, names = Kitchen.draw(25.0, 1), list(MODELS)
    usual = watch(kitchen, *plants(names)).kwh
    constants, states = plants(names)
    states["setback_k"] = 1.0
    assert (1.0 - watch(kitchen, constants, states).kwh / usual >= SAVED_PER_KELVIN).all()
    store = results["models"][0]["peak_valley"]
    assert store["moved_ratio"] >= MOVED_RATIO
    assert -store["energy_saving_pct"] <= 100.0 * EXTRA_RATIO


def test_defrosts_leave_the_dear_hours(results: dict[str, Any]) -> None:
    before, after = (
        sum(one[part]["defrosts_in_peak_pct"] for one in results["models"]) for part in ("factory", "peak_valley")
    )
    assert after < before


def test_a_closed_box_without_doors_needs_what_its_walls_let_in() -> None:
    """Walls of 0.82 and 0.40 W/K around 4 and -18 °C in 25 °C: 34.4 W of heat; COP 0.45 x 247.15 / 65, and 1.5 W."""
    still = Kitchen(np.full(1440, 25.0), np.zeros(1440))
    cop = 0.45 * 247.15 / (25.0 + 14.0 + 18.0 + 8.0)
    expected = (0.82 * 21.0 + 0.40 * 43.0) / cop + 1.5
    assert least_w(MODELS["no_frost_320l"], still, 4.0, -18.0) == pytest.approx(expected)


def test_a_start_costs_and_switching_more_often_never_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fridges, "WARM_UP_DAYS", 1)
    monkeypatch.setattr(fridges, "SCORED_DAYS", 2)
    kitchen = Kitchen.draw(25.0, 0)
    dear = watch(kitchen, *plants(NAMES))
    monkeypatch.setattr(fridges, "START_LOSS_S", 0.0)
    free = watch(kitchen, *plants(NAMES))
    lost_kwh = free.starts * 30.0 * np.array([MODELS[name].power_w for name in NAMES]) / 3.6e6
    assert (free.starts > 10).all()
    assert dear.kwh - free.kwh == pytest.approx(lost_kwh)


def test_a_plan_stores_until_the_peak_begins() -> None:
    plan = Plan((4.9, 3.7), (-15.4, -18.0), store_from_h=4.0)
    assert plan.bands(3 * 60)[0] == plan.bands(8 * 60)[0] == 4.9
    assert plan.bands(5 * 60) == (2.2, 0.4, -18.0, -21.0)


def test_tables_name_every_model(results: dict[str, Any]) -> None:
    words = as_markdown(results)
    assert all(words.count(f"| {name} |") == 2 for name in NAMES)
    plain = {key: value for key, value in results.items() if key != "found"}
    assert json.loads(json.dumps(fridges._plain(plain)))
    assert len(VARIANTS) == 4


def test_the_command_prints_the_results_and_ends_with_one_where_something_is_wrong(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = {key: value for key, value in results.items() if key != "found"}
    for wrong, status in (([], 0), (["food left its limits"], 1)):
        monkeypatch.setattr(fridges, "run_suite", lambda seed, workers, wrong=wrong: {**plain, "failures": wrong})
        ended = CliRunner().invoke(app, ["benchmark", "--suite", "fridges", "--json", "--report", str(tmp_path)])
        assert ended.exit_code == status
        assert json.loads(ended.stdout)["failures"] == wrong
    assert "**food left its limits**" in (tmp_path / "fridges.md").read_text(encoding="utf-8")
