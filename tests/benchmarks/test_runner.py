"""One controller in one real world: what is carried out, counted and remembered."""

from dataclasses import fields, replace

import numpy as np
import pytest

from benchmarks.savings import baselines, references, runner, suites
from benchmarks.savings.runner import Outcome, Trouble, carry_out, differ
from benchmarks.savings.scoring import Figures
from benchmarks.savings.sensing import Sensors, presence_sensor
from benchmarks.savings.suites import Block, Suite, block_of
from benchmarks.savings.words import Array, Known, Orders, Seen
from simulator.jit import COMPILED
from simulator.physics.split_unit import Panel
from simulator.records import table
from simulator.world import STEPS_PER_DAY

pytestmark = pytest.mark.skipif(not COMPILED, reason="the extra `science` (numba) is not installed")
TINY = Suite("tiny", ("Guangzhou", "Madrid"), 1, 1, suites.JUNE_2026_S, 2, ())


class Remembers(baselines.WhenHome):
    """Keeps what it saw."""

    def start(self, known: Known) -> None:
        self.seen: list[Seen] = []

    def decide(self, seen: Seen) -> Orders:
        self.seen.append(seen)
        return super().decide(seen)


@pytest.fixture(scope="module")
def block() -> Block:
    return block_of(TINY, 1, 0)


@pytest.fixture(scope="module")
def remembered(block: Block) -> tuple[Remembers, Outcome]:
    controller = Remembers()
    return controller, runner.run(block.world, controller, block.outlook)


def column(controller: Remembers, name: str) -> Array:
    return np.array([getattr(seen, name) for seen in controller.seen])


def orders(on: bool, setpoint_c: float) -> Orders:
    return baselines.orders(np.array([on]), np.array([False]), np.array([setpoint_c]))


def test_orders_are_rounded_bounded_and_written_once() -> None:
    panels = table(Panel, 1)
    arrives = np.array([True])
    assert carry_out(panels, orders(True, 24.3), arrives).tolist() == [True]
    assert panels["setpoint_c"] == pytest.approx([24.5])
    assert carry_out(panels, orders(True, 24.4), arrives).tolist() == [False]
    carry_out(panels, orders(True, 3.0), arrives)
    assert panels["setpoint_c"] == pytest.approx([16.0])


def test_order_that_does_not_arrive_changes_nothing() -> None:
    panels = table(Panel, 1)
    before = panels.copy()
    assert carry_out(panels, orders(True, 24.0), np.array([False])).tolist() == [False]
    assert panels == before


def test_setting_of_a_unit_that_stays_off_is_no_write() -> None:
    panels = table(Panel, 1)
    before = panels.copy()
    panels["setpoint_c"] = 20.0
    assert differ(panels, before).tolist() == [False]
    panels["on"] = True
    assert differ(panels, before).tolist() == [True]


def test_a_change_by_hand_holds_against_orders(block: Block) -> None:
    """Off for ever, in a heat that people do not bear: as long as a change of theirs holds, the unit stays on."""

    class Off(Remembers):
        def decide(self, seen: Seen) -> Orders:
            super().decide(seen)
            return baselines.orders(np.zeros(seen.on.size, dtype=bool), seen.heats, seen.setpoint_c)

    controller = Off()
    outcome = runner.run(block.world, controller, block.outlook)
    held, on, overridden = (column(controller, name) > 0.5 for name in ("held", "on", "overridden"))
    assert outcome.figures.overrides.max() > 0.0
    switched_on = overridden & on
    assert switched_on.any()
    assert held[switched_on].mean() > 0.9  # but for those who have left since
    longest = max(np.diff(np.flatnonzero(np.diff(np.r_[0, held[:, home], 0])))[::2].max() for home in range(2))
    assert longest * 900.0 >= 7200.0 - 900.0
    assert not on[1:][~held[1:] & ~held[:-1] & ~overridden[1:]].any()
    assert len(held) == (28 + 2) * 96


def test_energy_that_is_seen_is_energy_that_is_scored(block: Block, remembered: tuple[Remembers, Outcome]) -> None:
    controller, outcome = remembered
    scored = np.sum(column(controller, "energy_kwh")[28 * 96 + 1 :], axis=0)
    by_year = outcome.figures.energy_kwh * 2.0 / 365.0
    last_quarter_kwh = 3.0 * 900.0 / 3600.0  # not seen any more
    assert (by_year >= scored - 1e-9).all()
    assert (by_year <= scored + last_quarter_kwh).all()


def test_the_thermometer_follows_the_room_late_and_about_right(block: Block) -> None:
    """After an hour at one temperature, less than its offset, three times its noise and half a step remain."""
    world = runner.fresh(block.world)
    sensors = Sensors(world, block.outlook)
    world.room_states["occupied_c"] = 25.0
    for _ in range(12):
        sensors.follow()
    first = sensors.look(12).room_temperature_c
    world.room_states["occupied_c"] = 28.0
    sensors.follow()
    assert (sensors.look(15).room_temperature_c < 27.0).all()
    for _ in range(24):
        sensors.follow()
    assert np.abs(first - 25.0).max() < 0.2 + 0.15 + 0.05 + 3.0 * np.exp(-6.0)
    assert np.abs(sensors.look(18).room_temperature_c - 28.0).max() < 0.2 + 0.15 + 0.05 + 0.01


def test_home_without_a_thermometer_shows_none(block: Block) -> None:
    sensors = Sensors(runner.fresh(block.world), block.outlook, thermometer=False)
    assert np.isnan(sensors.look(0).room_temperature_c).all()
    assert np.isfinite(sensors.look(0).low_c).all()


def test_presence_is_seen_at_once_and_absence_ten_minutes_late() -> None:
    presence = np.array([[0], [1], [0], [0], [0]], dtype=np.int8)
    assert presence_sensor(presence)[:, 0].tolist() == [False, True, True, True, False]


def test_sensor_that_is_stuck_repeats_itself(block: Block) -> None:
    quarters = len(block.outlook.occupied)
    controller = Remembers()
    stale = np.zeros((quarters, 2), dtype=bool)
    stale[100:200] = True
    runner.run(block.world, controller, block.outlook, trouble=Trouble(stale_thermometer=stale))
    shown = column(controller, "room_temperature_c")
    assert np.ptp(shown[99:200], axis=0).max() == 0.0
    assert np.ptp(shown[200:300], axis=0).min() > 0.0


def test_lost_orders_are_not_carried_out(block: Block) -> None:
    nothing_arrives = np.ones((len(block.outlook.occupied), 2), dtype=bool)
    outcome = runner.run(
        block.world, baselines.Fixed(), block.outlook, trouble=Trouble(missed_commands=nothing_arrives)
    )
    assert outcome.figures.writes_per_day.tolist() == [0.0, 0.0]


def same(one: Figures, other: Figures) -> bool:
    return all(np.array_equal(getattr(one, item.name), getattr(other, item.name)) for item in fields(Figures))


def test_a_home_by_itself_comes_to_what_it_comes_to_in_its_block(
    block: Block, remembered: tuple[Remembers, Outcome]
) -> None:
    alone, outlook = references.only(block.world, block.outlook, 1)
    outcome = runner.run(alone, baselines.WhenHome(), outlook)
    assert same(outcome.figures, remembered[1].figures.where(np.array([False, True])))


def test_copies_of_homes_come_to_the_same(block: Block, remembered: tuple[Remembers, Outcome]) -> None:
    outcome = runner.run(block.world, baselines.WhenHome(), block.outlook, copies=2)
    for half in (slice(0, 2), slice(2, 4)):
        some = np.zeros(4, dtype=bool)
        some[half] = True
        assert same(outcome.figures.where(some), remembered[1].figures)


def test_world_is_left_as_it_was(block: Block) -> None:
    before = replace(block.world, room_states=block.world.room_states.copy(), panels=block.world.panels.copy())
    runner.run(block.world, baselines.Fixed(), block.outlook)
    assert (block.world.room_states == before.room_states).all()
    assert (block.world.panels == before.panels).all()


def test_hours_by_pmv_are_counted_from_the_persons_own_neutral(block: Block) -> None:
    """At the neutral temperature, with radiation and humidity to match, the vote differs by nothing."""
    person, state = block.world.persons[:1].copy(), block.world.room_states[:1].copy()
    neutral_c = float(person["summer_neutral_c"][0])
    state["occupied_c"] = state["mean_radiant_c"] = neutral_c
    vapour_pa = 0.5 * 610.94 * np.exp(17.625 * neutral_c / (neutral_c + 243.04))
    state["humidity_kg_kg"] = 0.621945 * vapour_pa / (101_325.0 - vapour_pa)
    assert runner.vote_from_neutral(person[0], state[0], 1, 1.0) == pytest.approx(0.0, abs=1e-9)
    state["occupied_c"] = neutral_c + 2.0
    assert 0.2 < runner.vote_from_neutral(person[0], state[0], 1, 1.0) < 1.0


def test_scoring_begins_on_day_29(block: Block) -> None:
    """A unit that runs in the first four weeks only has nothing scored but its standby."""

    class Early(baselines.Fixed):
        def decide(self, seen: Seen) -> Orders:
            on = np.full(seen.on.size, seen.row < 28 * STEPS_PER_DAY)
            return baselines.orders(on, np.zeros(on.size, dtype=bool), np.full(on.size, 18.0))

    world = replace(block.world, persons=block.world.persons.copy())
    world.persons["patience_s"] = 1e12
    outcome = runner.run(world, Early(), block.outlook)
    assert (outcome.figures.energy_kwh < 0.03 * 8760.0).all()
    assert (outcome.figures.energy_kwh >= 0.0).all()


def test_nobody_heats_a_home_that_does_not_heat_with_its_unit() -> None:
    """In January, the season's direction is heating where the household heats with the unit, and only there."""
    winter = block_of(Suite("winter", ("Beijing", "Guangzhou"), 2, 2, suites.DECEMBER_2025_S, 1, ()), 1, 0)
    world = replace(winter.world, habits=winter.world.habits.copy())
    world.habits["heats"] = [True, False, True, False]
    controller = Remembers()
    runner.run(world, controller, winter.outlook)
    assert not column(controller, "heats")[:, [1, 3]].any()
    assert column(controller, "heats")[:, [0, 2]].mean() > 0.5
