"""How near rooms are kept: only what a unit could have done something about is counted."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.savings import runner, suites
from benchmarks.savings.baselines import WhenHome
from benchmarks.savings.nearness import Near, can_reach
from benchmarks.savings.suites import Block, Suite, block_of
from benchmarks.savings.words import Orders, Seen
from simulator.jit import COMPILED
from simulator.world import World

pytestmark = pytest.mark.skipif(not COMPILED, reason="the extra `science` (numba) is not installed")
TINY = Suite("tiny", ("Guangzhou", "Madrid"), 1, 1, suites.JUNE_2026_S, 4, ())
FURTHER = 2.0


@pytest.fixture(scope="module")
def block() -> Block:
    return block_of(TINY, 1, 0)


def reach(block: Block, *, excess_k: float, heats: bool, runs: bool, heating: bool = False, most: bool = False) -> bool:
    world: World = runner.fresh(block.world)
    world.unit_states["running"], world.unit_states["heating"] = runs, heating
    world.units["fixed_speed"] = False
    highest = world.units["maximum_heating_ratio" if heating else "maximum_cooling_ratio"]
    world.unit_states["frequency_ratio"] = highest if most else 0.5 * highest
    return bool(can_reach(world, np.full(world.n, heats), np.full(world.n, excess_k)).all())


@pytest.mark.parametrize("heats", [False, True])
def test_a_room_that_lacks_what_the_unit_gives_counts_unless_it_gives_its_most(block: Block, heats: bool) -> None:
    lacking = -FURTHER if heats else FURTHER
    assert reach(block, excess_k=lacking, heats=heats, runs=False)
    assert reach(block, excess_k=lacking, heats=heats, runs=True, heating=heats)
    assert not reach(block, excess_k=lacking, heats=heats, runs=True, heating=heats, most=True)
    assert reach(block, excess_k=lacking, heats=heats, runs=True, heating=not heats, most=True)


@pytest.mark.parametrize("heats", [False, True])
def test_too_much_counts_while_the_compressor_runs(block: Block, heats: bool) -> None:
    surplus = FURTHER if heats else -FURTHER
    assert reach(block, excess_k=surplus, heats=heats, runs=True, heating=heats)
    assert not reach(block, excess_k=surplus, heats=heats, runs=False)


def test_a_room_near_the_centre_always_counts(block: Block) -> None:
    assert reach(block, excess_k=0.5, heats=False, runs=True, most=True)
    assert reach(block, excess_k=-0.5, heats=False, runs=False)


class Frozen(WhenHome):
    """Cools to the lowest setpoint whatever anybody likes."""

    def decide(self, seen: Seen) -> Orders:
        orders = super().decide(seen)
        return replace(orders, on=np.ones_like(orders.on), setpoint_c=np.full_like(seen.setpoint_c, 16.0))


def test_a_rule_is_nearer_than_one_that_freezes_people(block: Block) -> None:
    kept = runner.run(block.world, WhenHome(), block.outlook).near
    frozen = runner.run(block.world, Frozen(), block.outlook).near
    assert 0.0 < kept.hours.sum() <= TINY.scored_days * 24 * block.world.n
    assert (kept.near_h <= kept.hours).all()
    assert kept.pct() > frozen.pct() + 20.0  # type: ignore[operator]


def test_nobody_is_asked_of_under_the_household_s_own_program(block: Block) -> None:
    assert runner.run(block.world, runner.Conventional(), block.outlook).near.pct() is None


def test_blocks_are_joined_in_order() -> None:
    one, other = Near(np.array([2.0]), np.array([1.0])), Near(np.array([6.0]), np.array([5.0]))
    assert Near.joined([one, other]).pct() == pytest.approx(75.0)
    assert Near.joined([one, other]).where(np.array([False, True])).pct() == pytest.approx(500.0 / 6.0)
