"""The simulator as Stable-Baselines3 and Gymnasium meet it."""
# ruff: noqa: E402 - what is imported below may be missing

import os
from importlib.util import find_spec

import numpy as np
import pytest

MISSING = [name for name in ("stable_baselines3", "gymnasium") if find_spec(name) is None]
if MISSING and os.environ.get("CI") != "true":
    pytest.skip(f"{MISSING} not installed (the extra `train`)", allow_module_level=True)

from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.vec_env import VecMonitor

from simulator.env import (
    AHEAD_H,
    KWH_PER_K_H,
    LIMIT,
    OFF_LEVEL,
    RoomEnv,
    Rooms,
    RoomVecEnv,
    Situation,
    decide,
    heats,
    observe,
)
from simulator.episodes import Pool
from tests.training.pools import summer_pool, winter_pool


def rooms(n: int = 6, seed: int = 5, days: int = 1, pool: Pool | None = None) -> Rooms:
    return Rooms(pool or summer_pool(), n, days, seed=seed)


def vector(**changes: int) -> RoomVecEnv:
    return RoomVecEnv(rooms(**changes))  # type: ignore[arg-type]


def look(env: RoomVecEnv) -> np.ndarray:
    """First observations of new rooms."""
    observation = env.reset()
    assert isinstance(observation, np.ndarray)
    return observation


def orders(
    n: int, *, on: bool, setpoint_c: float = 25.0, heating: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.full(n, on), np.full(n, heating), np.full(n, setpoint_c)


def test_the_same_seed_and_actions_give_the_same_course() -> None:
    first, second = vector(seed=5), vector(seed=5)
    assert np.array_equal(look(first), look(second))
    for i in range(10):
        action = np.full((6, 1), np.sin(i), dtype=np.float32)
        one, other = first.step(action), second.step(action)
        assert np.array_equal(np.asarray(one[0]), np.asarray(other[0]))
        assert np.array_equal(one[1], other[1])
    assert not np.array_equal(look(vector(seed=6)), look(vector(seed=5)))


def test_a_seed_set_through_the_library_decides_the_next_course() -> None:
    first, second = vector(seed=1), vector(seed=2)
    first.seed(9)
    second.seed(9)
    assert np.array_equal(look(first), look(second))


def test_the_vector_env_keeps_the_library_s_contract() -> None:
    env = vector()
    observation = look(env)
    assert observation.shape == (6, 2 + 14 + 4 * len(AHEAD_H))
    assert observation.dtype == np.float32
    assert env.observation_space.contains(observation[0])
    monitored = VecMonitor(env)
    monitored.reset()
    for i in range(96):
        after, reward, done, infos = monitored.step(np.zeros((6, 1), dtype=np.float32))
        assert reward.shape == done.shape == (6,)
        assert done.all() == (i == 95)
    assert all(info["TimeLimit.truncated"] for info in infos)
    assert all(info["terminal_observation"].shape == observation[0].shape for info in infos)
    assert isinstance(after, np.ndarray)
    assert not np.array_equal(infos[0]["terminal_observation"], after[0])  # a new room has begun
    assert [info["episode"]["l"] for info in infos] == [96] * 6


def test_one_room_passes_gymnasium_s_checks() -> None:
    with pytest.warns(UserWarning, match="infinity"):  # observations are bounded by clipping, not by the space
        check_env(RoomEnv(rooms(n=1)), skip_render_check=True)


def test_one_room_is_truncated_at_the_end_and_never_terminated() -> None:
    env = RoomEnv(rooms(n=1))
    env.reset(seed=3)
    ends = [env.step(np.zeros(1, dtype=np.float32))[2:4] for _ in range(96)]
    assert ends == [(False, False)] * 95 + [(False, True)]


def test_a_gymnasium_face_of_several_rooms_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one room, got 6"):
        RoomEnv(rooms())


def test_the_reward_is_minus_energy_and_priced_discomfort() -> None:
    env, plain = vector(seed=8), rooms(seed=8)
    plain.situation()  # sensor noise is drawn at each look
    env.reset()
    plain.reset()
    action = np.full((6, 1), 0.2, dtype=np.float32)
    terms = plain.step(*decide(action[:, 0].astype(np.float64), plain.situation()))
    _, reward, _, infos = env.step(action)
    expected = terms.priced_kwh + KWH_PER_K_H * terms.discomfort_k_h
    assert reward == pytest.approx(-expected, rel=1e-5)
    assert [info["energy_kwh"] for info in infos] == pytest.approx(terms.energy_kwh)


def test_switching_costs_only_where_it_is_asked_for() -> None:
    free, priced = RoomVecEnv(rooms()), RoomVecEnv(rooms(), switch_kwh=0.5)
    free.reset()
    priced.reset()
    on = np.ones((6, 1), dtype=np.float32)
    assert free.step(on)[1] - priced.step(on)[1] == pytest.approx(0.5)
    assert free.step(on)[1] - priced.step(on)[1] == pytest.approx(0.0)


def test_energy_is_priced_by_the_hour_over_the_home_s_mean() -> None:
    some = rooms()
    world = some.episode.world
    world.price[:] = 0.2
    world.price[:3] = 0.8
    some.episode.mean_price[:] = 0.4
    first, second = (some.step(*orders(6, on=True, setpoint_c=16.0)) for _ in range(2))
    assert first.priced_kwh == pytest.approx(2.0 * first.energy_kwh, rel=1e-5)
    assert second.priced_kwh == pytest.approx(0.5 * second.energy_kwh, rel=1e-5)


def test_a_unit_that_is_off_uses_its_standby_alone() -> None:
    some = rooms()
    some.world.persons["patience_s"] = np.inf
    terms = some.step(*orders(6, on=False))
    assert terms.energy_kwh == pytest.approx(some.world.units["standby_w"] * 0.25 / 1e3)
    assert (terms.starts == 0.0).all()


def test_cooling_makes_rooms_colder_and_heating_warmer_than_off() -> None:
    def after(pool: Pool, on: bool, heating: bool, setpoint_c: float) -> np.ndarray:
        some = rooms(pool=pool)
        some.world.persons["patience_s"] = np.inf
        for _ in range(48):
            some.step(*orders(6, on=on, heating=heating, setpoint_c=setpoint_c))
        return some.world.room_states["occupied_c"].copy()

    assert (after(summer_pool(), True, False, 18.0) < after(summer_pool(), False, False, 18.0)).all()
    assert (after(winter_pool(), True, True, 28.0) > after(winter_pool(), False, True, 28.0)).all()


def test_setpoints_are_rounded_and_bounded_as_units_do() -> None:
    some = rooms()
    some.world.persons["patience_s"] = np.inf
    some.step(*orders(6, on=True, setpoint_c=3.3))
    assert (some.situation()["setpoint_c"] == 16.0).all()
    some.step(*orders(6, on=True, setpoint_c=25.3))
    assert set(some.situation()["setpoint_c"].tolist()) <= {25.0, 25.5}


def test_what_people_change_by_hand_holds_against_orders() -> None:
    """Left without cooling on summer days, some switch their unit on; orders to be off do not reach it then."""
    some = rooms(n=32, days=3)
    changed = np.zeros(32, np.bool_)
    for _ in range(3 * 96):
        some.step(*orders(32, on=False))
        changed |= some.situation()["on"] > 0.5
    assert changed.any()
    assert np.array_equal(changed, some.world.hands["overrides"] > 0)


def seen(**changes: object) -> Situation:
    """A room at 27.5 °C on a hot afternoon, its unit off, a band of 24.5 to 27 °C; only what a direction depends on."""
    usual: dict[str, object] = {
        "room_temperature_c": [27.5], "on": [0.0], "heating": [0.0], "comfort_low_c": [24.5], "comfort_high_c": [27.0],
        "outdoor_ahead_c": [[33.0] * len(AHEAD_H)],
    }  # fmt: skip
    return {name: np.asarray(value, dtype=np.float64) for name, value in {**usual, **changes}.items()}


WINTER = {"outdoor_ahead_c": [[2.0] * len(AHEAD_H)], "comfort_low_c": [19.0], "comfort_high_c": [22.0]}


def test_what_is_observed_is_bounded_and_unknown_values_are_zero() -> None:
    some = rooms()
    situation = {**some.situation(), "power_w": np.full(6, np.nan), "humidity_pct": np.full(6, 1e9)}
    table = observe(situation)
    assert np.isfinite(table).all()
    assert np.abs(table).max() == LIMIT
    assert (table == 0.0).all(axis=0).any()


def test_a_unit_keeps_its_direction_until_the_other_edge_is_well_passed() -> None:
    mild = {"outdoor_ahead_c": [[18.0] * len(AHEAD_H)], "on": [1.0], "heating": [1.0]}
    assert [bool(heats(seen(room_temperature_c=[c], **mild))[0]) for c in (24.0, 27.5, 28.0)] == [True, True, False]


def test_nothing_is_heated_in_summer_nor_cooled_in_winter() -> None:
    """A room cooled too far in July, and one that the sun has heated in January."""
    assert not heats(seen(room_temperature_c=[21.0]))[0]
    assert heats(seen(room_temperature_c=[26.0], **WINTER))[0]


@pytest.mark.parametrize(("season", "deepest_c", "easiest_c"), [({}, 24.5, 28.5), (WINTER, 21.5, 17.5)])
def test_an_action_asks_for_more_the_larger_it_is(
    season: dict[str, object], deepest_c: float, easiest_c: float
) -> None:
    """From 1.5 K beyond the defended edge to 4 K deeper; heating is the mirror image."""
    situation = seen(room_temperature_c=[20.0 if season else 27.5], **season)
    answers = [decide(np.array([action]), situation) for action in (OFF_LEVEL - 0.01, OFF_LEVEL, 1.0)]
    assert [bool(on[0]) for on, _, _ in answers] == [False, True, True]
    assert [setpoint_c[0] for _, _, setpoint_c in answers[1:]] == pytest.approx([easiest_c, deepest_c])


def test_nobody_there_is_no_discomfort() -> None:
    some = rooms()
    some.world.presence[:] = 0
    terms = some.step(*orders(6, on=True, setpoint_c=16.0))
    assert (terms.discomfort_k_h == 0.0).all()


def test_the_day_ahead_begins_with_what_is_seen_now() -> None:
    some = rooms()
    now, day = some.situation(), some.day_ahead()
    for name, shape in (("presence", 96), ("price", 96), ("low_c", 96), ("outdoor_c", 24), ("solar_w_m2", 24)):
        assert day[name].shape == (6, shape)
    assert day["low_c"][:, 0] == pytest.approx(now["comfort_low_c"])
    assert day["high_c"][:, 0] == pytest.approx(now["comfort_high_c"])
    assert day["price"][:, 0] == pytest.approx(now["price_now"])
    assert day["outdoor_c"][:, 0] == pytest.approx(now["outdoor_ahead_c"][:, 0])
    assert ((day["presence"] >= 0.0) & (day["presence"] <= 1.0)).all()


def test_changes_by_hand_are_counted() -> None:
    some = rooms()
    some.world.persons["patience_s"] = 60.0
    presses = sum(some.step(*orders(6, on=True, setpoint_c=16.0)).presses.sum() for _ in range(48))
    assert presses == some.world.hands["presses"].sum() > 0.0
