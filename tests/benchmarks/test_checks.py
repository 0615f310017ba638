"""Every offence is planted here and has to be called."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.savings import baselines, checks, command, runner, suites
from benchmarks.savings.checks import Doubled, Finding
from benchmarks.savings.references import as_json, differs, fingerprint, read, statements, write
from benchmarks.savings.runner import Outcome
from benchmarks.savings.suites import Block, Suite, block_of
from benchmarks.savings.words import Known, Orders, Seen
from simulator.jit import COMPILED
from simulator.world import STEPS_PER_DAY, World
from tests.benchmarks.synthetic import figures, homes

needs_numba = pytest.mark.skipif(not COMPILED, reason="the extra `science` (numba) is not installed")
TINY = Suite("tiny", ("Guangzhou",), 2, 2, suites.JUNE_2026_S, 3, ("conventional", "when_home"))

WINTER = Suite("winter", ("Chicago",), 2, 2, suites.DECEMBER_2025_S, 3, ())


@pytest.fixture(scope="module")
def block() -> Block:
    return block_of(TINY, 3, 0)


def fails(findings: list[Finding], check: str) -> bool:
    return any(finding.fails and finding.check == check for finding in findings)


def judged(names: dict[str, Any]) -> list[Finding]:
    """What the command finds of some figures."""
    done = [
        suites.Done(suites.Job(TINY, 1, 0, name), homes(3), "key", one, trace=np.full(3, float(i)))
        for i, (name, one) in enumerate(names.items())
    ]
    return command.find(done, command.gather(done, "calm", {}), None, 1)


def test_honest_results_are_left_alone() -> None:
    assert (
        judged(
            {
                "conventional": figures([100.0, 220.0, 280.0], 50.0),
                "precool": figures([90.0, 190.0, 250.0], 20.0),
                "lingyun": figures([85.0, 188.0, 240.0], 18.0),
                "mpc": figures([86.0, 189.0, 239.0], 20.0),
                "mpc_true": figures([82.0, 180.0, 230.0], 15.0),
                "optimum": figures([80.0, 175.0, 222.0], 10.0),
            }
        )
        == []
    )


@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_baseline_made_from_the_observed_cost_is_called(factor: float) -> None:
    mine = figures([80.0, 190.0, 240.0])
    baseline = figures(factor * mine.energy_kwh)
    assert fails(judged({"conventional": baseline, "lingyun": mine}), "dishonest baseline")


def test_baseline_that_took_the_very_course_of_the_controller_is_called() -> None:
    trace = np.array([7.0, 8.0])
    theirs, ours = np.array([100.0, 230.0]), np.array([80.0, 190.0])
    assert fails(
        checks.independent_baseline("conventional", theirs, trace, "lingyun", ours, trace.copy()), "dishonest baseline"
    )


@needs_numba
@pytest.mark.parametrize("policy", ["boils", "freezes"])
def test_policy_that_saves_by_freezing_or_boiling_people_is_called(block: Block, policy: str) -> None:
    """Off for ever; people who may not even override, and have no other heating."""

    class Off:
        name = "lingyun"

        def start(self, known: Known) -> None: ...

        def decide(self, seen: Seen) -> Orders:
            return baselines.orders(np.zeros(seen.on.size, dtype=bool), seen.heats, seen.setpoint_c)

    if policy == "freezes":
        block = block_of(WINTER, 3, 0)
    world = replace(block.world, persons=block.world.persons.copy(), habits=block.world.habits.copy())
    world.persons["patience_s"] = 1e12
    world.habits["radiator_w"] = 0.0
    before = runner.run(world, baselines.Fixed(), block.outlook).figures
    mine = runner.run(world, Off(), block.outlook).figures
    one_sided_kh = mine.over_kh if policy == "boils" else mine.under_kh
    assert one_sided_kh.mean() > 1000.0
    assert fails(checks.honest_comfort("lingyun", mine, "conventional", before, block.facts), "saves by discomfort")


class Peeks:
    """Cools where the outdoor air will be warm in three hours, by the truth and not by the forecast."""

    name = "peeks"

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, known: Known) -> None: ...

    def decide(self, seen: Seen) -> Orders:
        later = self._world.skies["outdoor_c"][min(seen.row + 36, len(self._world.skies) - 1)]
        warm = later[self._world.rooms["weather"]] > 29.0
        return baselines.orders(warm, np.zeros(seen.on.size, dtype=bool), np.full(seen.on.size, 26.0))


class PeeksAtPeople(Peeks):
    """Is on where somebody will be home in an hour."""

    def decide(self, seen: Seen) -> Orders:
        soon = self._world.presence[min(seen.row + 12, len(self._world.presence) - 1)] > 0
        return baselines.orders(soon, np.zeros(seen.on.size, dtype=bool), np.full(seen.on.size, 26.0))


@needs_numba
@pytest.mark.parametrize("cheat", [Peeks, PeeksAtPeople])
def test_controller_that_reads_the_future_is_called(block: Block, cheat: type[Peeks]) -> None:
    found = checks.reads_the_future("peeks", cheat, block.world, block.outlook, 2 * STEPS_PER_DAY)
    assert fails(found, "reads the future")


@needs_numba
@pytest.mark.parametrize("make", [baselines.WhenHome, baselines.Clock, baselines.Precool, baselines.Pid])
def test_honest_rules_do_not_read_the_future(block: Block, make: Any) -> None:
    assert not checks.reads_the_future("rule", lambda _: make(), block.world, block.outlook, 2 * STEPS_PER_DAY)


@needs_numba
def test_controller_that_asks_for_the_plant_without_leave_is_called(block: Block) -> None:
    class Asks(baselines.WhenHome):
        name = "asks"

        def inform(self, world: Any, future: bool) -> None: ...

    outcome: Outcome = runner.run(block.world, Asks(), block.outlook)
    assert fails(checks.licensed("asks", outcome.informed, outcome.foresaw), "reads the plant")
    assert not checks.licensed("mpc_true", informed=True, foresaw=False)
    assert fails(checks.licensed("mpc_true", informed=True, foresaw=True), "reads the future")
    assert not checks.licensed("optimum", informed=True, foresaw=True)


def test_better_than_the_bound_is_called() -> None:
    """Whoever beats perfect foresight has seen the future, or the bound is weak."""
    bound = figures([100.0, 200.0, 300.0], 10.0)
    better = figures([99.0, 198.0, 297.0], 10.0)
    assert fails(
        judged({"conventional": figures([150.0, 310.0, 390.0], 10.0), "lingyun": better, "optimum": bound}),
        "weak reference",
    )


def test_true_model_behind_a_fitted_one_is_called_beyond_noise_only() -> None:
    rng = np.random.default_rng(1)
    fitted = rng.uniform(300.0, 600.0, size=30)
    noise = rng.normal(0.0, 10.0, size=30)
    many = homes(30)
    behind = {"mpc": figures(fitted), "mpc_true": figures(fitted + 8.0 + noise)}
    within = {"mpc": figures(fitted), "mpc_true": figures(fitted + noise - noise.mean())}
    assert fails(checks.sound_references(behind, many, 1, {}), "weak reference")
    assert not checks.sound_references(within, many, 1, {})


def test_reference_that_has_not_converged_is_called() -> None:
    """Beyond 0.5 % and two standard errors it fails, within them it warns with both, below 0.5 % all is well."""
    j_kwh = np.full(4, 200.0)
    for moved, spread, found in [
        (-0.010, 0.001, ["weak reference"]),
        (0.010, 0.001, ["weak reference"]),
        (-0.010, 0.030, ["convergence not shown"]),
        (0.0008, 0.030, ["convergence not shown"]),  # small by luck
        (-0.004, 0.001, []),
    ]:
        doubled = Doubled(j_kwh, moved + spread * np.array([1.0, -1.0, 1.0, -1.0]))
        findings = checks.sound_references({}, homes(4), 1, {"optimum": doubled})
        assert [finding.check for finding in findings] == found
        assert [finding.fails for finding in findings] == [name == "weak reference" for name in found]
    (warning,) = checks.converged("optimum", Doubled(j_kwh, -0.010 + 0.030 * np.array([1.0, -1.0, 1.0, -1.0])))
    assert "-1.00 %, standard error 1.73 % over 4 homes" in warning.words


def test_standard_error_of_a_pooled_move_is_calculated_by_hand() -> None:
    """Moves of 2 and -1 kWh of 100 and 300: 1 / 400; left are 2 - 0.25 and -1 - 0.75, so sqrt(2 * 2 * 1.75^2) / 400."""
    moved, error = Doubled(np.array([100.0, 300.0]), np.array([0.02, -1.0 / 300.0])).pooled()
    assert (moved, error) == pytest.approx((1.0 / 400.0, 3.5 / 400.0))
    assert Doubled(np.array([100.0]), np.array([0.02])).pooled() == (0.02, 0.0)


def test_what_decides_is_hashed_and_what_explains_is_not() -> None:
    source = '"""A module."""\nX = 1  # one\n\n\ndef f(x):\n    """Docs."""\n    return x + 1\n'
    same = "X = 1\n\n\ndef f(x):\n    return x + 1  # plus\n"
    assert statements(source) == statements(same)
    assert statements(source) != statements(same.replace("x + 1", "x + 2"))


def test_the_last_digit_of_a_sine_does_not_change_a_key_and_an_exchange_of_homes_does() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    assert fingerprint(values) == fingerprint(values * (1.0 + 1e-14))
    assert fingerprint(values) != fingerprint(np.roll(values, 1))


def test_table_of_other_homes_is_not_used_and_a_changed_figure_is_called(tmp_path: Any) -> None:
    kept = {"mpc_true": [figures([100.0]), figures([200.0])], "optimum": [figures([90.0]), figures([180.0])]}
    write("tiny", 1, [as_json("key", kept)], {"optimum": Doubled(np.array([90.0]), np.array([-0.001]))}, tmp_path)
    table = read("tiny", 1, tmp_path)
    assert table is not None
    assert table.doubled["optimum"].pooled() == pytest.approx((-0.001, 0.0))
    assert table.figures(0, "another key") is None
    assert table.figures(1, "key") is None
    found = table.figures(0, "key")
    assert found is not None
    assert found["optimum"].energy_kwh == pytest.approx([90.0, 180.0])
    assert not differs("optimum", 1, found, figures([181.0]), homes(1))
    assert fails(differs("optimum", 1, found, figures([182.0]), homes(1)), "reference differs from its table")
    assert read("tiny", 2, tmp_path) is None


def test_findings_leave_in_the_results_as_plain_words() -> None:
    line = Finding("weak reference", "optimum", "it moves", fails=True).as_text()
    assert json.loads(json.dumps(line)) == "failure: weak reference: optimum: it moves"
