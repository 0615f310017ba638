"""The command: blocks and processes, the table of references, progress, and what it says at the end."""

import io
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks.savings import command, references, runner, suites
from benchmarks.savings.suites import Done, Job, Suite, block_of, do, watched_day
from benchmarks.savings.troubles import SCENARIOS
from benchmarks.savings.words import Known, Orders, Seen
from core.errors import ConfigurationError
from lingyun.cli import app
from simulator.jit import COMPILED
from tests.benchmarks.synthetic import figures

needs_numba = pytest.mark.skipif(not COMPILED, reason="the extra `science` (numba) is not installed")
TINY = Suite("tiny", ("Guangzhou", "Madrid"), 2, 1, suites.JUNE_2026_S, 1, ("conventional", "when_home"))


@pytest.fixture(autouse=True)
def _no_committed_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    monkeypatch.setattr(references, "UNFINISHED", tmp_path / "unfinished")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Homes that are scored from their third day, as long as nothing else counts the days."""
    monkeypatch.setattr(suites, "WARM_UP_DAYS", 2)
    monkeypatch.setattr(runner, "WARM_UP_ROWS", 2 * 288)
    return replace(TINY, name="short", homes_per_climate=1, scored_days=4)


@pytest.mark.slow
@needs_numba
def test_one_process_and_four_come_to_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    alone, together = (command.run_suite(TINY, 3, workers) for workers in (1, 4))
    assert json.loads(command.as_text(alone)) == json.loads(command.as_text(together))
    assert alone["homes"] == 4
    assert alone["controllers"]["conventional"]["energy_kwh"] > 0.0
    lines = capsys.readouterr().err.splitlines()
    assert sum("4 of 4 after" in line for line in lines) == 2  # plain lines, as this is no terminal


@needs_numba
def test_another_seed_is_other_homes_and_other_weather() -> None:
    one, other = (block_of(TINY, seed, 0) for seed in (1, 2))
    assert not np.array_equal(one.world.rooms["floor_m2"], other.world.rooms["floor_m2"])
    assert not np.array_equal(one.world.skies["outdoor_c"], other.world.skies["outdoor_c"])


def test_blocks_have_homes_and_weather_of_their_own() -> None:
    one, other = (block_of(TINY, 1, block) for block in (0, 1))
    assert not np.array_equal(one.world.rooms["floor_m2"], other.world.rooms["floor_m2"])
    assert not np.array_equal(one.world.skies["outdoor_c"], other.world.skies["outdoor_c"])
    whole = block_of(replace(TINY, homes_per_block=2), 1, 0)
    assert set(one.world.rooms["floor_m2"]) | set(other.world.rooms["floor_m2"]) == set(whole.world.rooms["floor_m2"])


def test_all_units_of_another_model_change_nothing_else() -> None:
    drawn, again = suites.draw(TINY, 1, 0), suites.draw(TINY, 1, 0, "grade_3")
    assert set(again.model_of) == {"grade_3"}
    for name in ("rooms", "persons", "habits", "presence", "skies"):
        assert (getattr(drawn.world, name) == getattr(again.world, name)).all()


@needs_numba
@pytest.mark.parametrize("scenario", SCENARIOS[1:])
def test_trouble_changes_what_a_controller_comes_to(short: Suite, scenario: str) -> None:
    calm = do(Job(short, 1, 0, "pid"))
    stressed = do(Job(short, 1, 0, "pid", scenario))
    assert not np.array_equal(calm.figures.energy_kwh, stressed.figures.energy_kwh)


def test_the_day_that_is_drawn_is_a_scored_one_with_people_in_and_out() -> None:
    block = block_of(replace(TINY, scored_days=14), 1, 0)
    day = watched_day(block)
    assert day is not None
    home, first, rows = day
    there = block.world.presence[first : first + rows, home] > 0
    assert 0.3 < there.mean() < 0.9
    assert first >= 28 * 288
    assert (block.world.start_epoch_s + 300.0 * first + block.world.utc_offset_s[home]) % 86_400.0 == 0.0


class Never:
    """Stands in for a reference that takes hours: off for ever, whoever asks for the plant."""

    name = "optimum"

    def inform(self, world: Any, future: bool) -> None: ...

    def start(self, known: Known) -> None: ...

    def decide(self, seen: Seen) -> Orders:
        return Orders(
            np.zeros(seen.on.size, dtype=bool), seen.heats, seen.setpoint_c, np.zeros(seen.on.size, dtype=np.int64)
        )


@needs_numba
def test_table_is_used_and_a_recomputed_home_that_differs_fails(
    short: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(references, "make", lambda name, doubled: Never())
    tiny = replace(short, controllers=("when_home",))
    command.remake_references(tiny, 3, 1)
    found = command.run_suite(tiny, 3, 1)
    assert {"mpc_true", "optimum"} <= found["controllers"].keys()
    assert not [line for line in found["failures"] if "table" in line]
    path = tmp_path / "short-3.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for block in content["blocks"]:
        block["figures"]["optimum"]["over_kh"] = [kh + 1000.0 for kh in block["figures"]["optimum"]["over_kh"]]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert any("differs from its table" in line for line in command.run_suite(tiny, 3, 1)["failures"])
    del content["doubled"]["optimum"]
    content["doubled"]["mpc_true"]["moved_ratio"] = [0.02] * len(content["doubled"]["mpc_true"]["moved_ratio"])
    for block in content["blocks"]:
        del block["figures"]["optimum"]
    path.write_text(json.dumps(content), encoding="utf-8")
    found = command.run_suite(tiny, 3, 1)
    assert "mpc_true" in found["controllers"]
    assert "ends before it" in found["not_run"]["optimum"]
    assert any("mpc_true" in line and "has not converged" in line for line in found["failures"])
    content["blocks"][0]["key"] = "of other homes"
    path.write_text(json.dumps(content), encoding="utf-8")
    found = command.run_suite(tiny, 3, 1)
    assert "optimum" not in found["controllers"]
    assert any("belongs to another plant" in line for line in found["warnings"])


@dataclass
class Counted:
    """Stands in for the work itself: counts it, and stops where it is told to."""

    stop_after: int | None = None
    done: list[Job] = field(default_factory=list)

    def __call__(self, job: Job) -> Done:
        if len(self.done) == self.stop_after:
            raise KeyboardInterrupt
        self.done.append(job)
        block = block_of(job.suite, job.seed, job.block)
        j_kwh = 100.0 * (1 + job.block) + 10.0 * (job.home or 0) + (1.0 / 3.0 if job.doubled else 0.0)
        key = references.key_of(block.world, block.outlook)
        return Done(job, block.facts, key, figures([j_kwh]), trace=np.empty(0))


def test_a_table_that_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = Counted()
    monkeypatch.setattr(command, "do", whole)
    command.remake_references(TINY, 3, 1)
    table = (tmp_path / "tiny-3.json").read_text(encoding="utf-8")
    assert len(whole.done) == 2 * 4 * 2  # two references, four homes, once and doubled
    assert not any((tmp_path / "unfinished").iterdir())

    (tmp_path / "tiny-3.json").unlink()
    stopped, rest = Counted(stop_after=11), Counted()
    monkeypatch.setattr(command, "do", stopped)
    with pytest.raises(KeyboardInterrupt):
        command.remake_references(TINY, 3, 1)
    assert references.read("tiny", 3).doubled.keys() == {"mpc_true"}  # type: ignore[union-attr]  # done after eight
    monkeypatch.setattr(command, "do", rest)
    command.remake_references(TINY, 3, 1)
    assert stopped.done + rest.done == whole.done
    assert (tmp_path / "tiny-3.json").read_text(encoding="utf-8") == table


def test_nothing_of_another_plant_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, anew = Counted(stop_after=5), Counted()
    monkeypatch.setattr(command, "do", stopped)
    with pytest.raises(KeyboardInterrupt):
        command.remake_references(TINY, 3, 1)
    monkeypatch.setattr(references, "code_digest", lambda: "of other statements")
    monkeypatch.setattr(command, "do", anew)
    command.remake_references(TINY, 3, 1)
    assert anew.done[:5] == stopped.done
    assert len(anew.done) == 16


def test_what_was_computed_while_the_plant_changed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    honest = Counted()
    monkeypatch.setattr(command, "do", lambda job: replace(honest(job), key="of another plant"))
    with pytest.raises(ConfigurationError, match="plant changed"):
        command.remake_references(TINY, 3, 1)
    assert not (tmp_path / "unfinished").exists()


def test_convergence_is_shown_early_and_evenly() -> None:
    headline = suites.SUITES["headline"]
    jobs = command.remaking_jobs(headline, 1, "optimum")
    doubled = [job for job in jobs if job.doubled]
    assert [sum(job.block == block for job in doubled) for block in range(4)] == [3, 3, 3, 3]
    per_climate = headline.homes_per_block
    assert [sum((job.home or 0) // per_climate == climate for job in doubled) for climate in range(6)] == [2] * 6
    assert len(jobs) == len(set(jobs)) == 72 + 12
    assert {(job.block, job.home) for job in jobs[:24]} == {(job.block, job.home) for job in doubled}
    assert command.doubled_homes(suites.SUITES["smoke"]) == list(range(12))
    for suite in suites.SUITES.values():
        homes = command.doubled_homes(suite)
        assert len(set(homes)) == len(homes) >= min(12, command.homes_of(suite))
        assert max(homes) < command.homes_of(suite)


def test_at_least_two_percent_are_recomputed_and_not_always_the_same() -> None:
    assert {len(references.drawn_by_chance(homes)) for homes in (72, 100)} == {2}
    assert len({tuple(references.drawn_by_chance(72)) for _ in range(20)}) > 1


def test_terminal_gets_a_bar_and_a_pipe_gets_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with command.shown("some work", 2) as tell:
        tell("first")
    assert capsys.readouterr().err == "some work: 1 of 2 after 0 s: first\n"
    screen = io.StringIO()
    monkeypatch.setattr(command, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100))
    with command.shown("some work", 2) as tell:
        tell("first")
    assert "1/2" in screen.getvalue()


def test_report_is_three_files(tmp_path: Path) -> None:
    from tests.benchmarks.test_report import some_results

    command.write_report(some_results(), tmp_path / "deep" / "report")
    assert sorted(path.name for path in (tmp_path / "deep" / "report").iterdir()) == [
        "smoke.html",
        "smoke.json",
        "smoke.md",
    ]


def test_command_ends_with_one_where_results_are_not_to_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.benchmarks.test_report import some_results

    for failures, status in (([], 0), (["failure: reads the future: lingyun: it does"], 1)):
        made = some_results() | {"failures": failures}
        monkeypatch.setattr(command, "run", lambda *_, made=made, **__: made)
        ended = CliRunner().invoke(app, ["benchmark", "--suite", "smoke", "--json"])
        assert ended.exit_code == status
        assert json.loads(ended.stdout)["suite"] == "smoke"


def test_unknown_suite_is_refused() -> None:
    assert CliRunner().invoke(app, ["benchmark", "--suite", "everything"]).exit_code == 2
    with pytest.raises(ConfigurationError, match="expected one of smoke"):
        command.run("everything")


def test_help_has_an_example() -> None:
    assert "lingyun benchmark --suite smoke" in CliRunner().invoke(app, ["benchmark", "--help"]).stdout
