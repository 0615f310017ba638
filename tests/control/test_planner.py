"""The planning core: rooms that it fits, plans that it makes, and what units are told."""

import json

import numpy as np
import pytest

from control import cheapest, planner, two_nodes
from control.planner import QUARTERS, Ahead, Quarter, Rooms
from control.two_nodes import CURVE, Array, Past

RNG_SEED = 3
NOBODY_HEATS = np.array([False])


def a_room(air_c: float = 29.0) -> Rooms:
    rooms = planner.new(np.array([3500.0]))
    planner.start(rooms, np.array([air_c]))
    return rooms


def a_day(chance: Array, *, price_ratio: Array | None = None, outdoor_c: float = 32.0) -> Ahead:
    """A hot day with comfort from 23 to 26 °C."""
    even = np.ones((1, QUARTERS))
    price = even if price_ratio is None else price_ratio[np.newaxis]
    return Ahead(chance[np.newaxis], outdoor_c * even, 200.0 * even, price, 23.0 * even, 26.0 * even)


def a_past(theta: Array, quarters: int, rng: np.random.Generator) -> Past:
    """What a true room of these parameters does under a unit that switches at random."""
    hours = np.arange(quarters) / 4.0
    outdoor_c = 30.0 + 5.0 * np.sin(hours / 24.0 * 2.0 * np.pi)
    sun = np.maximum(0.0, 0.8 * np.sin(hours / 24.0 * 2.0 * np.pi))
    heat = -np.repeat(rng.choice([0.0, 0.6, 1.5], quarters // 8 + 1), 8)[:quarters]
    occupied = np.repeat(rng.choice([0.0, 1.0], quarters // 16 + 1), 16)[:quarters]
    step, inputs = two_nodes.steps(theta[np.newaxis])
    nodes_c, room_c = np.array([28.0, 28.0]), []
    for k in range(quarters):
        room_c.append(nodes_c[0])
        given = heat[k] + theta[two_nodes.GAIN]
        nodes_c = step[0] @ nodes_c + inputs[0] @ np.array([outdoor_c[k], sun[k], given, occupied[k]])
    measured_c = np.array(room_c) + rng.normal(0.0, 0.05, quarters)
    return Past(*(column[np.newaxis] for column in (measured_c, outdoor_c, sun, heat, occupied)))


def test_a_step_agrees_with_the_equations_of_the_two_nodes() -> None:
    """Euler's method in steps of a second, and the quarter of an hour at once."""
    theta = two_nodes.prior(np.array([20.0]))
    step, inputs = two_nodes.steps(theta)
    c_air, c_mass, k_ao, k_am, k_mo, sun_m2, _, people_kw, _ = np.exp(theta[0])
    air_c, mass_c = 25.0, 27.0
    for _ in range(900):
        air = k_ao * (33.0 - air_c) + k_am * (mass_c - air_c) - 1.2 + people_kw
        mass = k_mo * (33.0 - mass_c) + k_am * (air_c - mass_c) + sun_m2 * 0.5
        air_c, mass_c = air_c + air / c_air / 3600.0, mass_c + mass / c_mass / 3600.0
    after = step[0] @ np.array([25.0, 27.0]) + inputs[0] @ np.array([33.0, 0.5, -1.2, 1.0])
    assert after == pytest.approx([air_c, mass_c], abs=0.01)


def test_what_is_summed_by_doubling_is_the_recursion() -> None:
    rng = np.random.default_rng(RNG_SEED)
    step, pushes = 0.4 * rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2, 37))
    state, expected = np.zeros((3, 2)), []
    for k in range(37):
        state = (step @ state[:, :, np.newaxis])[:, :, 0] + pushes[:, :, k]
        expected.append(state)
    assert two_nodes.summed(step, pushes.copy()) == pytest.approx(np.stack(expected, axis=-1))


def test_power_gives_back_the_heat_that_took_it() -> None:
    load = np.array([0.3, 0.7, 1.1])
    full_kw = two_nodes.rated_kw(np.full(3, 3.5), np.zeros(3, dtype=bool), np.full(3, 31.0))
    power_kw = two_nodes.STANDBY_KW + full_kw * (CURVE[0] + CURVE[1] * load + CURVE[2] * load**2)
    heat_kw = two_nodes.heat_kw(power_kw, np.full(3, 3.5), np.zeros(3, dtype=bool), np.full(3, 31.0))
    assert heat_kw == pytest.approx(-3.5 * load)


def test_a_fit_predicts_a_room_that_is_unlike_the_prior() -> None:
    middle = two_nodes.prior(np.array([20.0]))
    theta = middle[0] + np.array([0.4, -0.5, 0.5, -0.4, 0.3, 0.5, 0.05, -0.3, 0.0])
    past = a_past(theta, 6 * QUARTERS, np.random.default_rng(RNG_SEED))
    fitted = two_nodes.fit(middle, middle, past, 10)
    before_k, after_k = (np.abs(two_nodes.errors(one, past)).mean() for one in (middle, fitted))
    assert after_k < 0.06 < 0.15 < before_k


def test_a_fit_bridges_hours_without_a_thermometer() -> None:
    middle = two_nodes.prior(np.array([20.0]))
    past = a_past(middle[0] + 0.3, 6 * QUARTERS, np.random.default_rng(RNG_SEED))
    past.room_c[0, 50:80] = np.nan
    errors_k = two_nodes.errors(two_nodes.fit(middle, middle, past, 6), past)
    assert (errors_k[0, 50:80] == 0.0).all()
    assert np.abs(errors_k).mean() < 0.1


def test_the_cheapest_plan_cannot_be_improved_by_moving_heat() -> None:
    """Small random changes of the plan within its bounds never cost less."""
    chance = np.where(np.arange(QUARTERS) > 24, 1.0, 0.0)
    asked = planner.problem(a_room(), NOBODY_HEATS, a_day(chance))
    heat, _ = cheapest.cheapest(asked)
    least = cheapest.cost(asked, heat)[0]
    rng = np.random.default_rng(RNG_SEED)
    others = np.clip(heat + rng.normal(0.0, 0.05, (300, heat.shape[1])), 0.0, asked.most_kw[0])
    assert min(cheapest.cost(asked, other[np.newaxis])[0] for other in others) > least - 1e-3


def test_rooms_that_need_no_heat_are_planned_none_beside_one_that_does() -> None:
    mild = a_room(25.0)
    rooms = np.concatenate([mild, a_room(31.0)])
    day, cool = a_day(np.ones(QUARTERS)), a_day(np.ones(QUARTERS), outdoor_c=22.0)
    ahead = Ahead(*(np.concatenate([one, other]) for one, other in zip(cool, day, strict=True)))
    ahead = ahead._replace(solar_w_m2=np.zeros_like(ahead.solar_w_m2))
    asked = planner.problem(rooms, np.array([False, False]), ahead)
    heat, felt_c = cheapest.cheapest(asked)
    assert (heat[0] == 0.0).all()
    assert np.array_equal(felt_c[0], asked.free_c[0])
    assert heat[1].max() > 1.0


def test_money_for_taking_electricity_is_taken() -> None:
    """A negative price moves heat into its hours, though nothing is missing."""
    price = np.where(np.arange(QUARTERS) < 8, -3.0, 1.0)
    ahead = a_day(np.zeros(QUARTERS), price_ratio=price)
    heat, _ = cheapest.cheapest(planner.problem(a_room(25.0), NOBODY_HEATS, ahead))
    assert heat[0, :8].min() > 1.0


def test_rooms_that_are_done_wait_for_the_others() -> None:
    """A search that goes on for long ends where one of ordinary length does."""
    asked = planner.problem(a_room(31.0), NOBODY_HEATS, a_day(np.ones(QUARTERS)))
    twice = cheapest.Problem(*(np.repeat(one, 2, axis=0) for one in asked))
    twice.price[1] = 0.0  # takes longer
    least = cheapest.cost(asked, cheapest.cheapest(asked)[0])[0]
    assert cheapest.cost(twice, cheapest.cheapest(twice, 200)[0])[0] == pytest.approx(least, abs=1e-3)


def test_a_room_is_cooled_in_time_for_a_return_and_not_long_before() -> None:
    chance = np.where((np.arange(QUARTERS) >= 5), 1.0, 0.0)
    rooms = a_room()
    planner.plan(rooms, NOBODY_HEATS, a_day(chance))
    assert rooms["heat_kw"][0, 0] < 0.05
    assert rooms["heat_kw"][0, 2:5].max() > 1.0
    assert rooms["aim_c"][0, 5] == pytest.approx(26.0, abs=0.6)


def test_nothing_is_planned_for_an_empty_room() -> None:
    rooms = a_room()
    planner.plan(rooms, NOBODY_HEATS, a_day(np.zeros(QUARTERS)))
    assert not planner.targets(rooms, NOBODY_HEATS).on[0]


def test_a_cheap_hour_is_used_to_cool_before_a_dear_one() -> None:
    price = np.where(np.arange(QUARTERS) < 4, 0.2, np.where(np.arange(QUARTERS) < 16, 3.0, 1.0))
    plain, priced = a_room(26.0), a_room(26.0)
    planner.plan(plain, NOBODY_HEATS, a_day(np.ones(QUARTERS)))
    planner.plan(priced, NOBODY_HEATS, a_day(np.ones(QUARTERS), price_ratio=price))
    assert priced["aim_c"][0, 3] < plain["aim_c"][0, 3] - 0.5


def test_rooms_planned_together_are_planned_as_each_alone() -> None:
    alone, warm = a_room(28.0), a_room(31.0)
    together = np.concatenate([alone, warm])
    day = a_day(np.ones(QUARTERS))
    planner.plan(together, np.array([False, False]), Ahead(*(np.repeat(one, 2, axis=0) for one in day)))
    planner.plan(alone, NOBODY_HEATS, day)
    planner.plan(warm, NOBODY_HEATS, day)
    assert together["aim_c"] == pytest.approx(np.concatenate([alone["aim_c"], warm["aim_c"]]), abs=0.02)


def test_a_setpoint_moves_until_the_room_is_where_the_plan_wants_it() -> None:
    """A unit whose sensor reads 1 K too warm, and so keeps the room 1 K below its setpoint."""
    rooms, room_c = a_room(26.0), 26.0
    day = a_day(np.ones(QUARTERS))
    for _ in range(120):
        planner.plan(rooms, NOBODY_HEATS, day)
        room_c = float(planner.targets(rooms, NOBODY_HEATS).setpoint_c[0]) - 1.0
        quarter = Quarter(*(np.array([value]) for value in (room_c, 32.0, 200.0, 400.0, False, 1.0, True)))
        planner.learn(rooms, quarter)
    assert rooms["bias_k"][0, 0] == pytest.approx(1.0, abs=0.15)
    assert room_c == pytest.approx(26.0, abs=0.15)


@pytest.mark.parametrize(("heats", "room_c"), [(False, 26.6), (True, 22.4)])
def test_an_offset_that_hurts_moves_faster_than_one_that_wastes(heats: bool, room_c: float) -> None:
    """The plan wants 26 °C (23 °C in heating): the room is 0.6 K past it, then 0.6 K short of it."""
    direction, day = np.array([heats]), a_day(np.ones(QUARTERS), outdoor_c=5.0 if heats else 32.0)
    aim_c = 23.0 if heats else 26.0
    moved_k = []
    for air_c in (room_c, 2.0 * aim_c - room_c):
        rooms = a_room(air_c)
        planner.plan(rooms, direction, day)
        rooms["aim_c"] = aim_c
        planner.learn(rooms, Quarter(*(np.array([v]) for v in (air_c, 32.0, 200.0, 400.0, heats, 1.0, True))))
        moved_k.append(abs(float(rooms["bias_k"][0, int(heats)])))
    assert moved_k == pytest.approx([0.2 * 0.6, 0.05 * 0.6])


def test_a_setpoint_for_the_night_is_the_middle_of_what_the_night_wants() -> None:
    """Comfort from 27 °C on after an hour, where it is 26 °C now."""
    rooms, day = a_room(26.0), a_day(np.ones(QUARTERS))
    later = np.where(np.arange(QUARTERS) < 4, 26.0, 27.0)[np.newaxis]
    planner.plan(rooms, NOBODY_HEATS, day._replace(high_c=later))
    now, night = (planner.targets(rooms, NOBODY_HEATS, np.array([n])) for n in (1, 32))
    assert now.on[0]
    assert now.aim_c[0] == pytest.approx(26.0, abs=0.2)
    assert night.on[0]
    assert night.aim_c[0] == pytest.approx(27.0, abs=0.2)


def test_a_unit_that_is_needed_for_little_of_the_night_is_left_off() -> None:
    rooms = a_room(26.0)
    planner.plan(rooms, NOBODY_HEATS, a_day(np.where(np.arange(QUARTERS) < 3, 1.0, 0.0)))
    assert planner.targets(rooms, NOBODY_HEATS, np.array([1])).on[0]
    assert not planner.targets(rooms, NOBODY_HEATS, np.array([32])).on[0]


@pytest.mark.parametrize(
    ("minute", "quarters"),
    [(22 * 60 + 30, 1), (22 * 60 + 45, 33), (23 * 60, 32), (3 * 60, 16), (6 * 60 + 30, 2), (6 * 60 + 45, 1), (720, 1)],
)
def test_what_is_told_has_to_do_until_the_quiet_hours_end(minute: int, quarters: int) -> None:
    assert planner.silent_quarters((23 * 60, 7 * 60), np.array([minute])) == quarters
    assert planner.silent_quarters(None, np.array([minute])) == 1


def test_a_room_that_nobody_measures_has_no_plan() -> None:
    rooms = planner.new(np.array([3500.0]))
    planner.start(rooms, np.array([np.nan]))
    planner.plan(rooms, NOBODY_HEATS, a_day(np.ones(QUARTERS)))
    assert not planner.is_planned(rooms)[0]
    assert not planner.targets(rooms, NOBODY_HEATS).on[0]


def test_a_plan_is_too_old_after_two_hours_without_a_new_one() -> None:
    rooms = a_room()
    planner.plan(rooms, NOBODY_HEATS, a_day(np.ones(QUARTERS)))
    quarter = Quarter(*(np.array([value]) for value in (29.0, 32.0, 200.0, 0.0, False, 1.0, False)))
    for _ in range(planner.FOLLOWED):
        assert planner.is_planned(rooms)[0]
        planner.learn(rooms, quarter)
    assert not planner.is_planned(rooms)[0]


def test_a_room_survives_a_restart() -> None:
    rooms = a_room()
    planner.plan(rooms, NOBODY_HEATS, a_day(np.ones(QUARTERS)))
    assert planner.from_json(json.loads(json.dumps(planner.to_json(rooms[0])))) == rooms[0]


@pytest.mark.parametrize("change", [{"theta": [0.0]}, {"nodes": [0.0, float("nan"), 0.0]}, {"passed": 99}])
def test_a_damaged_room_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"theta|nodes|planned room"):
        planner.from_json({**planner.to_json(a_room()[0]), **change})
    with pytest.raises(ValueError, match="planned room"):
        planner.from_json({})
