"""Train the setpoint policy by DDPG on randomised simulated rooms and export it.    python -m training.train_ddpg

Stable-Baselines3's DDPG on the vectorised simulator. One action says how much: from off, over a setpoint beyond the
comfort edge, to one well inside the band (``models.features.choose``). The reward is minus J (``simulator/env.py``).
Beside the learned policy, plain rules run on the same held-out rooms.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DDPG
from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise
from torch import Tensor, nn

from models.features import ACTION, POLICY, choose, columns, encode, heats, policy_raw
from models.loading import WEIGHTS
from models.words import AHEAD_H
from simulator.env import Rooms, RoomVecEnv, Situation
from simulator.episodes import SUMMER, WINTER, YEAR, Pool, Season
from training.pools import HELD_OUT, TRAIN, draw_pool
from training.runs import Run, save_model, start_run

Array = NDArray[np.floating[Any]]
Controller = Callable[[Situation], tuple[NDArray[np.bool_], NDArray[np.bool_], Array]]
SEASONS = {"summer": SUMMER, "winter": WINTER, "year": YEAR}
HELD_OUT_SEASONS = {"summer": SUMMER, "winter": WINTER}
PRECOOL_MARGINS_K = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5)
DECISIONS_PER_DAY = 96
SETTLE_DECISIONS = DECISIONS_PER_DAY  # the first day is not scored


@dataclass(frozen=True)
class Config:
    """Everything that decides the outcome of a run; saved next to its curves."""

    seed: int = 0
    minutes: float = 15.0  # of one core, for training; evaluation comes on top
    rooms: int = 64
    days: int = 6
    homes_of_a_climate: int = 24  # in the pool that rooms are drawn from
    season: str = "year"
    held_out_rooms: int = 192
    layers: tuple[int, ...] = (128, 128)
    learning_rate: float = 3e-4
    batch: int = 256
    gradient_steps: int = 12  # for each step of all rooms
    replay: int = 400_000
    discount: float = 0.97  # of 15 minutes: looks about 8 h ahead
    target_rate: float = 0.005
    noise: tuple[float, float] = (0.35, 0.08)  # first, last
    switch_kwh: float = 0.02  # taken from the reward for each switch on or off, about 1 % of a day's energy; assumed
    warm_steps: int = 8_000  # room-steps before the first gradient
    checkpoint_every_s: float = 120.0
    output: Path = WEIGHTS / "policy.onnx"


def main(config: Config) -> Path:
    """Train, measure beside plain rules on held-out rooms and weather, export; the path of the network."""
    run = start_run("policy", config, config.seed)
    source = draw_pool(config.seed, TRAIN, config.homes_of_a_climate)
    rooms = Rooms(source, config.rooms, config.days, AHEAD_H, config.seed, SEASONS[config.season])
    model, trained_s, decisions = train(config, run, RoomVecEnv(rooms, observe, choose, config.switch_kwh))
    scores = evaluate(config, model, draw_pool(config.seed, HELD_OUT, config.homes_of_a_climate))
    report(scores)
    return export(config, run, model, scores, trained_s, decisions)


def observe(situation: Situation) -> NDArray[np.float32]:
    """What the actor reads of each room."""
    return encode(POLICY, policy_raw(situation))


def train(config: Config, run: Run, env: RoomVecEnv) -> tuple[DDPG, float, int]:
    """Learn for the time that the configuration gives; a checkpoint of the same run is taken up.

    The checkpoint holds the networks; decisions to learn from are gathered anew.
    """
    model, spent_s, decisions = _build(config, env), 0.0, 0
    if run.checkpoint.exists():
        saved = torch.load(run.checkpoint)
        model.policy.load_state_dict(saved["policy"])
        spent_s, decisions = saved["spent_s"], saved["decisions"]
    budget_s = 60.0 * config.minutes
    slice_steps = 200 * config.rooms
    first = True
    while spent_s < budget_s:
        began = time.process_time()
        progress = spent_s / budget_s
        sigma = config.noise[0] + (config.noise[1] - config.noise[0]) * min(1.5 * progress, 1.0)
        single = NormalActionNoise(np.zeros(1, np.float32), np.full(1, sigma, np.float32), dtype=np.float32)
        model.action_noise = VectorizedActionNoise(single, config.rooms)
        model.learn(slice_steps, reset_num_timesteps=first)
        first = False
        decisions += slice_steps
        spent_s += time.process_time() - began
        replay = model.replay_buffer
        assert replay is not None
        recent = slice(max(replay.pos - 200, 0), max(replay.pos, 1))
        run.log(
            spent_s=spent_s,
            decisions=decisions,
            reward=float(replay.rewards[recent].mean()),
            noise=sigma,
        )
        torch.save({"policy": model.policy.state_dict(), "spent_s": spent_s, "decisions": decisions}, run.checkpoint)
    return model, spent_s, decisions


def _build(config: Config, env: RoomVecEnv) -> DDPG:
    return DDPG(
        "MlpPolicy",
        env,
        learning_rate=config.learning_rate,
        buffer_size=config.replay,
        learning_starts=config.warm_steps,
        batch_size=config.batch,
        tau=config.target_rate,
        gamma=config.discount,
        train_freq=1,
        gradient_steps=config.gradient_steps,
        policy_kwargs={"net_arch": list(config.layers)},
        seed=config.seed,
        device="cpu",
    )


def fixed(cooling_c: float, heating_c: float) -> Controller:
    """One setpoint for ever."""

    def control(situation: Situation) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array]:
        heating = heats(situation)
        return np.ones_like(heating), heating, np.where(heating, heating_c, cooling_c)

    return control


def precool(margin_k: float, lead: bool) -> Controller:
    """Hold the edge while somebody is there, off when not, on again in the hour before the forecast return."""

    def control(situation: Situation) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array]:
        heating = heats(situation)
        soon = situation["occupied_ahead"][:, 0] > 0.5 if lead else np.zeros_like(heating)
        edge_c = np.where(heating, situation["comfort_low_c"] - margin_k, situation["comfort_high_c"] + margin_k)
        return (situation["occupied"] > 0.5) | soon, heating, edge_c

    return control


def learned(model: DDPG) -> Controller:
    """The actor without noise."""

    def control(situation: Situation) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array]:
        action, _ = model.predict(observe(situation), deterministic=True)
        return choose(action[:, 0].astype(np.float64), situation)

    return control


def evaluate(config: Config, model: DDPG, held_out: Pool) -> dict[str, dict[str, dict[str, float]]]:
    """Daily means per room on rooms and weather never seen, by season and controller.

    ``precool_own`` takes for each room the margin that turns out best for it: hindsight, in the rule's favour.
    """
    controllers: dict[str, Controller] = {
        "ddpg": learned(model),
        "fixed_26_20": fixed(26.0, 20.0),
        "when_home": precool(0.0, lead=False),
        **{f"precool_{margin_k:+.1f}": precool(margin_k, lead=True) for margin_k in PRECOOL_MARGINS_K},
    }
    result = {}
    for name, season in HELD_OUT_SEASONS.items():
        scores = {label: score(config, held_out, season, controller) for label, controller in controllers.items()}
        rules = [scores[label] for label in scores if label.startswith("precool")]
        best = np.argmin([rule["j_kwh"] for rule in rules], axis=0)
        scores["precool_own"] = {key: np.choose(best, [rule[key] for rule in rules]) for key in rules[0]}
        result[name] = {
            label: {key: float(values.mean()) for key, values in rooms.items()} for label, rooms in scores.items()
        }
    return result


def score(config: Config, held_out: Pool, season: Season, controller: Controller) -> dict[str, Array]:
    """J, energy, discomfort and starts a day of each room; every controller meets the same rooms and weather."""
    rooms = Rooms(held_out, config.held_out_rooms, config.days, AHEAD_H, config.seed, season)
    names = ("j_kwh", "energy_kwh", "discomfort_k_h", "starts", "switches")
    totals: dict[str, Array] = {name: np.zeros(rooms.n) for name in names}
    decisions = 0
    while not rooms.done:
        terms = rooms.step(*controller(rooms.situation()))
        decisions += 1
        if decisions > SETTLE_DECISIONS:
            for name in names:
                totals[name] += getattr(terms, name)
    days = (decisions - SETTLE_DECISIONS) / DECISIONS_PER_DAY
    return {name: total / days for name, total in totals.items()}


def report(scores: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print the held-out scores as a table."""
    for season, controllers in scores.items():
        for label, values in controllers.items():
            print(f"{season:>7} {label:>13}   " + "  ".join(f"{k} {v:.3f}" for k, v in values.items()), flush=True)


class Actor(nn.Module):
    """The actor alone, for export."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, observation: Tensor) -> Tensor:
        """Action in [-1, 1]."""
        action: Tensor = self.layers(observation)
        return action


def export(config: Config, run: Run, model: DDPG, scores: dict[str, Any], trained_s: float, decisions: int) -> Path:
    """Write the actor and its card in both forms."""
    actor = Actor(model.policy.actor.mu)
    settings = {**asdict(config), "output": config.output.name}
    card: dict[str, object] = {
        "name": "policy",
        **run.origin,
        "config": settings,
        "trained_s": round(trained_s, 1),
        "decisions": decisions,
        "action": ACTION,
        "held_out": scores,
    }
    example = {"observation": torch.zeros(2, len(columns(POLICY)))}
    save_model(actor, example, ("action",), config.output, {"observation": POLICY}, card)
    config.output.with_suffix(".md").write_text(card_text(config, scores, card))
    return config.output


def card_text(config: Config, scores: dict[str, dict[str, dict[str, float]]], card: dict[str, object]) -> str:
    """The card for people."""
    table = "\n".join(
        f"| {season} | {label} | {v['j_kwh']:.3f} | {v['energy_kwh']:.3f} | {v['discomfort_k_h']:.3f} "
        f"| {v['starts']:.1f} | {v['switches']:.1f} |"
        for season, controllers in scores.items()
        for label, v in controllers.items()
    )
    return f"""# Setpoint policy

The actor of a DDPG agent (Stable-Baselines3): off, or a setpoint relative to the edge of the comfort band, every 15
minutes. Heating is the mirror image of cooling; which of the two is a rule (`models.features.heats`), not learned.

- **Trained on** {card["decisions"]} decisions in randomised simulated rooms, {config.days} days an episode, season
  "{config.season}" (`simulator/homes.py`, `simulator/episodes.py`, `simulator/env.py`).
- **By** `python -m training.train_ddpg --seed {config.seed}`, {float(str(card["trained_s"])) / 60:.1f} minutes of one
  core, commit `{card["commit"]}`, on {card["trained_on"]}. One seed: no spread is claimed.
- **Reward** minus J: energy at the relative price of the hour, plus 0.5 kWh for each K·h outside the true band, plus
  {config.switch_kwh} kWh for each switch (in training only).
- **Inputs** `models/features.py`, `POLICY`; the same definition is inside the file, and serving refuses another.

Means a room and day on {config.held_out_rooms} rooms and weather never trained on, first day left out. `precool_x`
holds the learned edge, x K outside it, while somebody is there and in the hour before a forecast return; all
controllers see the same learned edges and forecasts.

| season | controller | J [kWh] | energy [kWh] | discomfort [K·h] | starts | switches |
|---|---|---|---|---|---|---|
{table}

## Known limits
- `precool_x` has one margin for all homes, and heating units whose sensor sits in warm air need about -2.5 K.
  `precool_own` takes for each room the margin that is best in hindsight: the row to measure against.
- Simulated rooms and people only. Savings in a home are not what this table says.
- Fan steps are not learned (always automatic), the predictor's outlook and humidity are not read yet.
- No guard in training: minimum run and rest, rate and quiet hours come on top at home.
"""


def _argument_config() -> Config:
    parser = argparse.ArgumentParser(description="Train the setpoint policy. Example: --seed 3 --minutes 15")
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--minutes", type=float, default=Config.minutes)
    parser.add_argument("--output", type=Path, default=Config.output)
    chosen = parser.parse_args()
    return replace(Config(), seed=chosen.seed, minutes=chosen.minutes, output=chosen.output)


if __name__ == "__main__":
    main(_argument_config())
