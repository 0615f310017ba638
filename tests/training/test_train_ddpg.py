"""A policy trained for seconds goes through everything that a real one does."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from stable_baselines3 import DDPG

from models.features import POLICY, choose, encode, policy_raw, situation_arrays
from models.policy import SetpointPolicy
from models.words import AHEAD_H
from simulator.env import Array, Rooms, RoomVecEnv, Situation
from simulator.episodes import YEAR
from tests.models.moments import summer_situation, winter_situation
from tests.training.pools import summer_pool
from training import train_ddpg
from training.runs import start_run
from training.train_ddpg import Config, evaluate, export, fixed, observe, precool, score, train

TINY = replace(
    Config(minutes=0.02, rooms=4, days=1, held_out_rooms=4),
    layers=(16, 16),
    batch=32,
    gradient_steps=1,
    replay=4000,
    warm_steps=64,
)


@dataclass(frozen=True)
class Trained:
    """What a tiny training left behind."""

    model: DDPG
    path: Path
    folder: Path


@pytest.fixture(scope="module")
def trained(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config = replace(TINY, output=tmp_path_factory.mktemp("weights") / "policy.onnx")
    run = start_run("policy", config, config.seed)
    model, trained_s, decisions = train(
        config, run, RoomVecEnv(Rooms(summer_pool(), 4, 1, AHEAD_H, 0), observe, choose)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_ddpg, "SETTLE_DECISIONS", 0)
        patch.setattr(train_ddpg, "PRECOOL_MARGINS_K", (-1.0, 0.0))
        patch.setattr(train_ddpg, "HELD_OUT_SEASONS", {"summer": YEAR})
        scores = evaluate(config, model, summer_pool())
    return Trained(model, export(config, run, model, scores, trained_s, decisions), run.folder)


def test_the_exported_policy_serves_and_says_where_it_comes_from(trained: Trained) -> None:
    policy = SetpointPolicy(trained.path)
    assert policy.act(summer_situation()).fan is not None
    assert policy.card == json.loads(trained.path.with_suffix(".json").read_text())
    assert policy.card["decisions"] >= 800
    assert set(policy.card["held_out"]["summer"]) == {
        "ddpg",
        "fixed_26_20",
        "when_home",
        "precool_-1.0",
        "precool_+0.0",
        "precool_own",
    }
    assert "Known limits" in trained.path.with_suffix(".md").read_text()


def test_the_exported_policy_equals_the_trained_one(trained: Trained) -> None:
    policy = SetpointPolicy(trained.path)
    situation = Rooms(summer_pool(), 64, 1, AHEAD_H, 5).situation()
    action, _ = trained.model.predict(observe(situation), deterministic=True)
    (served,) = policy._session.run(None, {"observation": observe(situation)})
    assert served == pytest.approx(action, abs=1e-5)


def test_serving_turns_actions_into_the_orders_that_training_gave(trained: Trained) -> None:
    situations = [summer_situation(room_temperature_c=25.0 + i) for i in range(4)] + [winter_situation()]
    arrays = situation_arrays(situations)
    action, _ = trained.model.predict(encode(POLICY, policy_raw(arrays)), deterministic=True)
    on, _, setpoint_c = choose(action[:, 0].astype(np.float64), arrays)
    for wish, runs, wanted_c in zip(SetpointPolicy(trained.path).act_many(situations), on, setpoint_c, strict=True):
        assert wish.on == runs
        assert wish.setpoint_c == (pytest.approx(wanted_c, abs=0.01) if runs else None)


def test_a_run_goes_on_from_its_checkpoint(trained: Trained, runs: Path) -> None:
    run = start_run("policy", TINY, TINY.seed)
    model, _, _ = train(TINY, run, RoomVecEnv(Rooms(summer_pool(), 4, 1, AHEAD_H, 0), observe, choose))
    situation = Rooms(summer_pool(), 8, 1, AHEAD_H, 5).situation()
    before, _ = trained.model.predict(observe(situation), deterministic=True)
    after, _ = model.predict(observe(situation), deterministic=True)
    assert np.array_equal(before, after)


def test_every_controller_meets_the_same_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring twice gives the same; a rule that leaves out the unit uses less, at the cost of comfort."""
    monkeypatch.setattr(train_ddpg, "SETTLE_DECISIONS", 0)

    def never(situation: Situation) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array]:
        on, heating, setpoint_c = fixed(26.0, 20.0)(situation)
        return np.zeros_like(on), heating, setpoint_c

    first, second = (score(TINY, summer_pool(), YEAR, precool(0.0, lead=True)) for _ in range(2))
    without = score(TINY, summer_pool(), YEAR, never)
    for name, values in first.items():
        assert np.array_equal(values, second[name])
    assert without["energy_kwh"].mean() < first["energy_kwh"].mean()
    assert without["discomfort_k_h"].mean() > first["discomfort_k_h"].mean()


def test_the_rule_s_own_margin_is_never_worse_than_any_one_margin(trained: Trained) -> None:
    for scores in SetpointPolicy(trained.path).card["held_out"].values():
        own = scores["precool_own"]["j_kwh"]
        assert all(own <= values["j_kwh"] + 1e-9 for name, values in scores.items() if name.startswith("precool"))
