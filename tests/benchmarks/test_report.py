"""The results as the command line promises them, and the page that is made of them."""

import json
import re

import numpy as np
import pytest

from benchmarks.savings import charts
from benchmarks.savings.command import as_text
from benchmarks.savings.nearness import Near
from benchmarks.savings.report import page
from benchmarks.savings.results import Run, as_markdown, tables
from benchmarks.savings.runner import Watched
from benchmarks.savings.scoring import Json
from tests.benchmarks.synthetic import figures, homes

PROMISED = {"energy_kwh", "cost", "co2_kg", "over_kh", "under_kh", "pmv_out_h", "worst_k", "starts_per_day"}
PROMISED |= {"writes_per_day", "overrides"}
SAVING = {"pooled_pct", "median_pct", "p20_pct", "p5_pct", "worst_pct", "lower95_pct", "upper95_pct"}
SAVING |= {"cost_pooled_pct", "discomfort_kh_difference"}
GAPS = {f"{cost}gap_closed{end}" for cost in ("", "cost_") for end in ("_pct", "_lower95_pct")}


def watched(seed: int) -> Watched:
    rng, rows = np.random.default_rng(seed), 288
    hours = np.arange(rows) / 12.0
    presence = np.where(hours < 7.0, 2, np.where((hours > 8.5) & (hours < 18.0), 0, 1)).astype(np.int8)
    return Watched(
        home=0,
        first_row=0,
        presence=presence,
        outdoor_c=28.0 + 5.0 * np.sin((hours - 9.0) / 12.0 * np.pi),
        room_c=26.0 + rng.normal(0.0, 0.5, size=rows),
        low_c=np.full(rows, 25.0),
        high_c=np.full(rows, 27.5),
        setpoint_c=np.where(presence > 0, 26.0, np.nan),
        power_w=np.where(presence > 0, 400.0, 3.0),
        price=np.full(rows, 0.55),
    )


def some_results(*, references: bool = True) -> Json:
    n = 30
    base = np.random.default_rng(1).uniform(400.0, 900.0, size=n)
    shares = {"conventional": 1.2, "fixed": 1.4, "precool": 1.0, "pid": 1.02, "mpc": 0.97, "lingyun": 0.95}
    if references:
        shares |= {"mpc_true": 0.92, "optimum": 0.88}
    run = Run(
        homes=homes(n),
        figures={name: figures(share * base, 40.0 * share) for name, share in shares.items()},
        frontier={
            (1.0, margin): figures(base * (1.0 - 0.1 * margin), 60.0 + 30.0 * margin) for margin in (-1.0, 0.0, 1.0)
        },
        variations={
            "grade3": figures(1.6 * base),
            "apf_conventional": figures(1.2 * base),
            "apf_lingyun": figures(base),
        },
        varied=np.ones(n, np.bool_),
        missing={} if references else dict.fromkeys(("mpc_true", "optimum"), "no table <b>is</b> committed"),
    )
    return {
        "suite": "smoke",
        "climates": ["Here", "There"],
        "seed": 1,
        "scored_days": 14,
        **tables(run, 1),
        "failures": [],
        "warnings": ["warning: something & nothing"],
        "not_run": run.missing,
        "day": {
            "climate": "Here",
            "household": "part_time",
            "tariff": "peak_valley",
            "controllers": {
                name: watched(i).as_json() for i, name in enumerate(("conventional", "precool", "lingyun"))
            },
        },
    }


def test_results_have_what_the_command_line_promises() -> None:
    found = json.loads(as_text(some_results()))
    assert {"suite", "homes", "climates", "seed", "by_class", "thermometer", "grade3"} <= found.keys()
    for controller in found["controllers"].values():
        assert controller.keys() >= PROMISED
    assert set(found["savings"]) == {"lingyun_vs_conventional", "lingyun_vs_precool", "lingyun_vs_mpc"}
    for saving in found["savings"].values():
        assert saving.keys() >= SAVING
    assert found.keys() >= GAPS | {"mpc_true_share_of_optimum_pct"}
    assert set(found["by_class"]) == {"all_day", "part_time", "forgotten"}
    assert {"machine_pct", "control_pct", "together_pct"} <= found["grade3"].keys()
    assert found["grade3"]["together_pct"] == pytest.approx(37.5)


def test_moving_tariffs_alone_make_the_gap_in_cost() -> None:
    """Of 30 homes, 10 have a flat price: where only they close the gap, nothing of the gap in cost is closed."""
    n = 30
    base = np.full(n, 500.0)
    mine = np.where([kind == "flat" for kind in homes(n).tariff], 400.0, 500.0)
    run = Run(homes(n), {"precool": figures(base), "lingyun": figures(mine), "mpc_true": figures(base - 100.0)})
    found = tables(run, 1)
    assert found["gap_closed_pct"] == pytest.approx(100.0 / 3.0)
    assert found["cost_gap_closed_pct"] == pytest.approx(0.0)


def test_what_is_not_known_is_null_with_a_reason() -> None:
    found = json.loads(as_text(some_results(references=False)))
    assert found["gap_closed_pct"] is None
    assert "no table" in found["gap_closed_reason"]
    assert found["thermometer"] == {"saving_pct": None, "reason": "not run in this suite"}


def test_homes_that_were_run_without_a_thermometer_are_held_against_themselves() -> None:
    """Of 30 homes the first 10 were: what the others came to has no part in it."""
    n = 30
    some = np.arange(n) < 10
    mine = np.where(some, 400.0, 4000.0)
    run = Run(
        homes(n),
        {"lingyun": figures(mine), "conventional": figures(np.where(some, 500.0, 1.0))},
        variations={"no_thermometer": figures(np.full(10, 440.0))},
        varied=some,
        near={"lingyun": Near(np.full(n, 100.0), np.full(n, 40.0))},
    )
    found = tables(run, 1)
    assert found["thermometer"]["homes"] == 10
    assert found["thermometer"]["saving_pct"] == pytest.approx(100.0 * 40.0 / 440.0)
    assert found["thermometer"]["with"]["vs_conventional"]["pooled_pct"] == pytest.approx(20.0)
    assert found["near_centre"] == {"within_k": 1.3, "pct": {"lingyun": pytest.approx(40.0)}}


def test_not_a_number_leaves_as_null() -> None:
    assert json.loads(as_text({"a": [float("nan"), 1.0], "b": float("inf")})) == {"a": [None, 1.0], "b": None}


@pytest.mark.parametrize("references", [True, False])
def test_page_needs_nothing_from_outside(references: bool) -> None:
    made = page(json.loads(as_text(some_results(references=references))))
    assert not re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?(?!#)", made.replace("url(#plane)", ""))
    outside = set(re.findall(r"https?://[^\s\"'<]+", made))
    assert outside <= {"http://www.w3.org/2000/svg"}
    assert made.count("<svg") == made.count("</svg>") >= 6
    assert "nan" not in made.lower()
    assert "something &amp; nothing" in made
    assert "<b>is</b>" not in made


def test_stress_has_a_line_for_each_scenario() -> None:
    results = some_results()
    results["scenarios"] = {name: {"controllers": results["controllers"]} for name in ("calm", "heat_waves")}
    assert "<td>heat waves</td>" in page(json.loads(as_text(results)))
    assert "| heat waves | " in as_markdown(results)


def test_page_says_first_that_results_are_not_to_be_used() -> None:
    results = some_results() | {"failures": ["failure: reads the future: lingyun: it does"]}
    made = page(json.loads(as_text(results)))
    assert made.index("not to be used") < made.index("A day of one room")


def test_markdown_has_a_line_for_each_controller_and_saving() -> None:
    table = as_markdown(some_results())
    assert "| lingyun | " in table
    assert "| lingyun_vs_precool | J | " in table
    assert "Gap closed" in table


def test_texts_in_drawings_are_escaped() -> None:
    drawn = charts.intervals("<script>", [charts.Interval("a<b", 1.0, 0.0, 2.0)], " %", "lingyun")
    assert "<script>" not in drawn
    assert "a&lt;b" in drawn


def test_names_on_the_plane_do_not_cover_each_other() -> None:
    """Ten controllers within a few K.h: no two names are nearer than a line where they overlap."""
    points = [charts.Point(f"controller {i}", 50.0 + 3.0 * i, 500.0 + 2.0 * i, "rule") for i in range(6)]
    points += [charts.Point("far", 400.0, 900.0, "rule")]
    x, y = charts.Axis(0.0, 430.0, 62.0, 740.0), charts.Axis(460.0, 940.0, 380.0, 14.0)
    places = charts.place_labels(points, x, y)
    spans = [
        (px if anchor == "start" else px - 7.2 * len(point.name), 7.2 * len(point.name), py)
        for point, (px, py, anchor) in zip(points, places, strict=True)
    ]
    for i, (a, wide, up) in enumerate(spans):
        for b, width, down in spans[:i]:
            assert a + wide <= b or b + width <= a or abs(up - down) >= 12.5


def test_ticks_are_round_and_inside() -> None:
    assert charts.Axis(0.3, 9.7, 0.0, 1.0).ticks(5) == pytest.approx([2.0, 4.0, 6.0, 8.0])
    assert charts.Axis(-0.1, 0.1, 0.0, 1.0).ticks(4) == pytest.approx([-0.1, -0.05, 0.0, 0.05, 0.1])
