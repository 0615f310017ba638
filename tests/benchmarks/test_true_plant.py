"""The two controllers that look into the plant: their linear room, their search, and what they may know."""

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("numba")

from benchmarks.savings import baselines, references, runner, suites, true_plant
from benchmarks.savings.mpc import Mpc
from benchmarks.savings.mpc_true import MpcTrue
from benchmarks.savings.optimum import Optimum, true_band
from benchmarks.savings.planning import chance_ahead, power_kw, weight_ahead
from benchmarks.savings.sensing import Sensors
from benchmarks.savings.suites import Block, Suite, block_of
from benchmarks.savings.true_plant import Effort
from benchmarks.savings.words import Controller
from simulator.jit import COMPILED
from simulator.physics import split_unit, zone
from simulator.records import table
from simulator.residents import Hand, Person, half_width_k, neutral_c, season_of
from simulator.world import STEPS_PER_DAY

pytestmark = pytest.mark.skipif(not COMPILED, reason="the extra `science` (numba) is not installed")
TINY = Suite("tiny", ("Guangzhou",), 2, 2, suites.JUNE_2026_S, 2, ())
SMALL = Effort(changes=6, quarters=24)


@pytest.fixture(scope="module")
def block() -> Block:
    return block_of(TINY, 1, 0)


def j_kwh(block: Block, controller: Controller, days: float, first: int = 0, n: int = 2) -> NDArray[np.float64]:
    """J of each home from the first row on; people are as they are, scoring begins after six hours."""
    world, outlook = (block.world, block.outlook) if n == 2 else references.only(block.world, block.outlook, first)
    world = runner.fresh(world)
    if isinstance(controller, MpcTrue | Optimum):
        controller.inform(world, controller.name == "optimum")
    sensors = Sensors(world, outlook)
    controller.start(sensors.known)
    total = np.zeros(n)
    for row in range(int(days * STEPS_PER_DAY)):
        if row % 3 == 0:
            seen = sensors.look(row)
            runner.carry_out(world.panels, controller.decide(seen), ~seen.held)
            sensors.told(on=world.panels["on"], setpoint_c=world.panels["setpoint_c"])
        world.advance(row, follows_program=False)
        sensors.follow()
        if row >= STEPS_PER_DAY // 4:
            meters = world.meters
            total += meters["energy_j"] / 3.6e6 * world.price[row] / sensors.known.mean_price
            total += 0.5 * (meters["over_k_s"] + meters["under_k_s"]) / 3600.0
    return total


def test_a_linear_room_answers_as_the_plant_does(block: Block) -> None:
    """Half a kilowatt more for three hours: the air that people feel differs from the plant's by under 0.1 K."""
    world = runner.fresh(block.world)
    for row in range(12):
        world.advance(row, follows_program=False)
    rooms = true_plant.no_rooms(1)
    true_plant.make_linear(rooms, 0, world.rooms[0], float(world.room_states["air_kg_s"][0]), heating=False)
    quarters = 24
    skies = np.ascontiguousarray(world.skies[13 : 13 + 3 * quarters : 3, 0])
    here, middle_c = np.zeros(quarters), np.full(quarters, 26.0)
    felt = []
    plans = np.zeros((2, quarters))
    plans[1, 4:16] = 0.5
    for heat_kw in plans:
        scratch = table(zone.RoomState, 1), table(Person, 1), table(Hand, 1), table(split_unit.Panel, 1)
        state, person, hand, panel = scratch
        state[0], person[0] = world.room_states[0], world.persons[0]
        air_c, nodes = np.empty(quarters), np.empty((quarters + 1, zone.NODES))
        true_plant.nominal(
            world.rooms[0], state[0], person[0], world.habits[0], hand[0], panel[0], skies, here, middle_c, 0.0, -1.0,
            heat_kw, nodes, air_c,
        )  # fmt: skip
        felt.append(air_c)
    modes, expected = np.zeros(zone.NODES), np.empty(quarters)
    for k in range(quarters):
        expected[k] = rooms.reach[0] @ modes + rooms.direct[0] * plans[1, k]
        modes = rooms.decay[0] * modes + rooms.gain[0] * plans[1, k]
    assert expected.min() < -0.5
    assert felt[1] - felt[0] == pytest.approx(expected, abs=0.1)


def test_unit_curve_is_the_plants_own(block: Block) -> None:
    unit, points = block.world.units[0], true_plant.POINTS
    slopes, heat, power = np.empty(points), np.empty(true_plant.LOADS + 1), np.empty(true_plant.LOADS + 1)
    least, most = true_plant.curve(unit, False, 33.0, 26.0, 0.012, 0.3, slopes, heat, power)
    assert 0.0 < least <= most
    assert np.all(np.diff(slopes) >= -1e-9)
    asked_w, _ = split_unit.held(unit, 0.8, 33.0, 26.0, 0.012, False)
    plain_w = split_unit.steady_power_w(unit, -asked_w, 33.0, 26.0, 0.012, False) - unit["standby_w"]
    if not unit["fixed_speed"]:
        assert 1e3 * power_kw(slopes, 0.3, asked_w / 1e3) == pytest.approx(plain_w, rel=0.05)


def test_optimum_refuses_to_go_without_the_future_and_others_are_not_given_it(block: Block) -> None:
    optimum = Optimum(SMALL)
    optimum.inform(block.world, False)
    with pytest.raises(ValueError, match="future"):
        optimum.start(block.outlook.known)
    assert not hasattr(Mpc(), "inform")


def test_mpc_true_reads_neither_the_person_nor_the_future(block: Block) -> None:
    """Its first order is the same whatever people like, and whatever weather and presence come later."""

    def first_orders(change: bool) -> tuple[list[bool], list[float]]:
        world = runner.fresh(block.world)
        if change:
            world.persons = world.persons.copy()
            world.persons["summer_neutral_c"] += 3.0
            world.presence = world.presence.copy()
            world.presence[3:] = 1
            world.skies = world.skies.copy()
            for name in ("outdoor_c", "global_w_m2", "humidity_kg_kg", "wind_m_s"):
                world.skies[name][3:] *= 1.3
        controller, sensors = MpcTrue(SMALL), Sensors(runner.fresh(block.world), block.outlook)
        controller.inform(world, False)
        controller.start(sensors.known)
        orders = controller.decide(sensors.look(0))
        return orders.on.tolist(), orders.setpoint_c.tolist()

    assert first_orders(change=True) == first_orders(change=False)


def test_knowing_everything_is_cheaper_than_a_rule(block: Block) -> None:
    rule = j_kwh(block, baselines.Precool(), 3.0).sum()
    assert j_kwh(block, Optimum(SMALL), 3.0).sum() < rule


def test_a_home_by_itself_fares_as_in_its_block(block: Block) -> None:
    together = j_kwh(block, MpcTrue(SMALL), 0.5)
    assert j_kwh(block, MpcTrue(SMALL), 0.5, first=1, n=1)[0] == pytest.approx(together[1], rel=1e-9)


def test_true_band_is_the_residents_own(block: Block) -> None:
    persons = block.world.persons
    for here in (1, 2):
        daily_mean_c = np.array([[18.0, 30.0]])
        low_c, high_c = true_band(persons, daily_mean_c, np.full((1, 2), float(here)))
        for home in range(2):
            season = season_of(float(daily_mean_c[0, home]))
            middle_c = neutral_c(persons[home], here, season)
            half_k = half_width_k(persons[home], here, season)
            assert (low_c[0, home], high_c[0, home]) == pytest.approx((middle_c - half_k, middle_c + half_k))


def test_what_is_seen_now_fades_into_habit() -> None:
    habit = np.full((2, 96), 0.3)
    chance = chance_ahead(np.array([1.0, 0.0]), habit)
    assert chance[:, 0].tolist() == [1.0, 0.0]
    assert chance[:, -1] == pytest.approx([0.3, 0.3], abs=1e-3)
    weight = weight_ahead(chance)
    assert weight[0, :4] == pytest.approx(chance[0, :4])  # people who are home count
    assert np.all(weight[1] < 0.15)  # a return that is not likely counts only as long as the room would take
