"""An actor trained for seconds goes through everything that a real one does, on rooms that follow plans."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import DDPG
from typer.testing import CliRunner

from control import planner
from lingyun.cli import app
from models.actor import PlanActor
from models.features import ACTOR, columns
from simulator.env import AHEAD_H, Rooms
from simulator.episodes import YEAR
from tests.training.pools import summer_pool
from training import train_actor
from training.planned import ACTIONS, PER_KWH, PlannedRooms, PlannedVecEnv, Prices, reward_terms
from training.runs import start_run
from training.train_actor import Config, begin_at_zero, evaluate, export, fit_models, noise, score, train, twin

TINY = replace(
    Config(minutes=0.02, rooms=4, days=1, held_out_rooms=4),
    layers=(16, 16),
    batch=32,
    gradient_steps=1,
    replay=4000,
    warm_steps=64,
)


def planned(seed: int = 0) -> PlannedRooms:
    return PlannedRooms(Rooms(summer_pool(), 4, 1, AHEAD_H, seed))


@dataclass(frozen=True)
class Trained:
    """What a tiny training left behind."""

    model: DDPG
    path: Path


@pytest.fixture(scope="module")
def trained(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config = replace(TINY, output=tmp_path_factory.mktemp("weights") / "actor.onnx")
    run = start_run("actor", config, config.seed)
    model, trained_s, decisions = train(config, run, PlannedVecEnv(planned(), planned(), config.prices))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_actor, "SETTLE_HOURS", 0)
        patch.setattr(train_actor, "draw_pool", lambda *_: summer_pool())
        patch.setattr(train_actor, "HELD_OUT_SEASONS", {"summer": YEAR})
        scores = evaluate(config, model)
    return Trained(model, export(config, run, model, scores, trained_s, decisions))


def test_the_exported_actor_serves_what_was_trained_and_says_where_it_comes_from(trained: Trained) -> None:
    actor, rooms = PlanActor(trained.path), planned(5)
    expected, _ = trained.model.predict(rooms.observation(), deterministic=True)
    (served,) = actor._session.run(None, {"observation": rooms.observation()})
    assert served == pytest.approx(expected, abs=1e-5)
    assert actor.card == json.loads(trained.path.with_suffix(".json").read_text())
    assert set(actor.card["held_out"]["summer"]) == {"plan", "plan_and_actor"}
    assert "Known limits" in trained.path.with_suffix(".md").read_text()


def test_a_run_goes_on_from_its_checkpoint(trained: Trained) -> None:
    """Its time is spent, so it is as it was, and knows how much it has learned from."""
    run = start_run("actor", TINY, TINY.seed)
    model, spent_s, decisions = train(TINY, run, PlannedVecEnv(planned(), planned(), TINY.prices))
    observation = planned(5).observation()
    assert np.array_equal(model.predict(observation)[0], trained.model.predict(observation)[0])
    assert spent_s >= 60.0 * TINY.minutes
    assert decisions >= 100 * TINY.rooms


def test_the_command_line_trains_the_actor(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Config] = []
    monkeypatch.setattr(train_actor, "main", trained.append)
    assert CliRunner().invoke(app, ["train", "policy", "--seed", "3"]).exit_code == 0
    assert trained == [Config(seed=3)]


def test_an_actor_begins_as_no_correction() -> None:
    env = PlannedVecEnv(planned(), planned(), Prices())
    model = DDPG("MlpPolicy", env, policy_kwargs={"net_arch": [16, 16]}, device="cpu")
    begin_at_zero(model)
    action, _ = model.predict(env.reset(), deterministic=True)
    assert action == pytest.approx(np.zeros((4, ACTIONS)), abs=1e-7)


def test_the_reward_is_what_a_correction_saved_against_the_twin() -> None:
    prices = Prices(press_kwh=0.2, switch_kwh=0.0, correction_kwh=0.5)
    env = PlannedVecEnv(planned(2), planned(2), prices)
    env.reset()
    for _ in range(6):
        _, reward, _, _ = env.step(np.zeros((4, ACTIONS), dtype=np.float32))
        assert reward == pytest.approx(np.zeros(4), abs=1e-6)
    assert np.array_equal(env.planned.plans, env.plain.plans)
    corrected, plain = twin(env.planned), twin(env.planned)
    action = np.full((4, ACTIONS), 0.5, dtype=np.float32)
    saved_kwh = reward_terms(plain.hour(np.zeros((4, ACTIONS))), prices) - reward_terms(
        corrected.hour(action.astype(np.float64)), prices
    )
    observation, reward, done, _ = env.step(action)
    assert reward == pytest.approx(PER_KWH * (saved_kwh - 0.5 * 2 * 0.25), rel=1e-4)
    assert np.asarray(observation).shape == (4, len(columns(ACTOR)))
    assert not done.any()


def test_an_hour_costs_j_and_changes_by_hand_and_switches() -> None:
    total = {"priced_kwh": np.ones(1), "discomfort_k_h": np.full(1, 2.0), "presses": np.ones(1), "switches": np.ones(1)}
    assert reward_terms(total, Prices(press_kwh=0.2, switch_kwh=0.05)) == pytest.approx([2.25])


def test_rooms_learn_edges_from_what_their_people_change_and_keep_them_from_one_episode_to_the_next() -> None:
    rooms = planned(3)
    warm = np.full((4, ACTIONS), -1.0)
    before = rooms._believed.high_c.copy()
    pressed = 0.0
    while not rooms.rooms.done:
        pressed += rooms.hour(warm)["presses"].sum()
    homes = rooms.rooms.episode.homes
    moved_k = np.abs(rooms._believed.high_c - before).max(axis=(1, 2))
    assert pressed > 0
    assert moved_k[homes].max() > 0.2
    assert np.delete(moved_k, homes) == pytest.approx(0.0)


def test_rooms_whose_unit_was_changed_by_hand_are_left_alone() -> None:
    rooms = planned(4)
    for _ in range(24):
        rooms.hour(np.full((4, ACTIONS), -1.0))
        until_s = rooms.rooms.world.hands["override_until_s"]
        held_now = (until_s > rooms._at_s) & (rooms._seen["occupied"] > 0.5)
        assert not (held_now & ~rooms._held).any()
        if rooms.rooms.done:
            break


def test_an_episode_ends_for_all_rooms_by_time_and_is_bootstrapped_through() -> None:
    env = PlannedVecEnv(planned(), planned(), Prices())
    env.reset()
    for hour in range(24):
        _, _, done, infos = env.step(np.zeros((4, ACTIONS), dtype=np.float32))
        assert done.all() == (hour == 23)
    assert all(info["TimeLimit.truncated"] and "terminal_observation" in info for info in infos)


def test_homes_of_earlier_episodes_are_known_as_they_were_fitted() -> None:
    rooms = planned()
    fit_models(rooms, 3)
    known = [home for home in rooms.rooms.episode.homes.tolist() if home in rooms._fitted]
    assert known
    moved = rooms.plans["theta"] - rooms.plans["prior"]
    for i, home in enumerate(rooms.rooms.episode.homes.tolist()):
        assert (np.abs(moved[i]).max() > 0.01) == (home in rooms._fitted)


def test_plans_keep_people_more_comfortable_than_the_guard_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_actor, "SETTLE_HOURS", 0)
    with_plans = score(TINY, Rooms(summer_pool(), 16, 2, AHEAD_H, 4), None)
    monkeypatch.setattr(
        planner,
        "targets",
        lambda rooms, *_: planner.Targets(np.zeros(len(rooms), dtype=bool), *np.full((3, len(rooms)), 26.0)),
    )
    without = score(TINY, Rooms(summer_pool(), 16, 2, AHEAD_H, 4), None)
    assert with_plans["discomfort_k_h"] < 0.9 * without["discomfort_k_h"]
    assert with_plans["presses"] < without["presses"]


def test_what_is_tried_lasts_for_hours_and_has_the_deviation_that_was_asked_for() -> None:
    np.random.seed(1)
    tried = noise(replace(TINY, rooms=50), 0.0)
    course = np.array([tried() for _ in range(400)])[50:]
    assert course.std() == pytest.approx(TINY.noise[0], rel=0.1)
    together = np.mean(course[1:] * course[:-1]) / course.var()
    assert together == pytest.approx(1.0 - TINY.noise_pull, abs=0.05)
