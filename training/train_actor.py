"""Train the actor that corrects plans, by DDPG on simulated rooms, and export it.    python -m training.train_actor

Stable-Baselines3's DDPG. The plan is the base and runs in the loop; the agent's two numbers move its air and the heat
from which on a unit runs (``control/correcting.py``), within bounds and once an hour. The actor's last layer starts at
zero, so that it begins as no correction at all. Corrections are tried for hours on end (noise of Ornstein and
Uhlenbeck, as in the paper of DDPG): a room is slow, and the guard passes no change of less than its dead band. The
smaller word of two critics counts, as one alone takes its own errors for gains and drives corrections to their bounds.
"""

import argparse
import time
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import DDPG
from stable_baselines3.common.noise import OrnsteinUhlenbeckActionNoise, VectorizedActionNoise
from torch import nn

from models.features import ACTOR, columns
from models.loading import WEIGHTS
from simulator.env import AHEAD_H, Rooms
from simulator.episodes import SUMMER, WINTER
from training.planned import ACTIONS, SUMMED, PlannedRooms, PlannedVecEnv, Prices, reward_terms
from training.pools import HELD_OUT, TRAIN, draw_pool
from training.runs import Actor, Run, save_model, start_run

HELD_OUT_SEASONS = {"summer": SUMMER, "winter": WINTER}
NEVER = 10**9  # updates
SETTLE_HOURS = 24  # the first day is not scored


@dataclass(frozen=True)
class Config:
    """Everything that decides the outcome of a run; saved next to its curves."""

    seed: int = 0
    minutes: float = 5.0  # of one core, for training; fitting and evaluation come on top
    rooms: int = 64
    days: int = 10
    homes_of_a_climate: int = 6  # in the pool that rooms are drawn from
    fit_episodes: int = 2  # before training, in which nothing is corrected and the homes' models are fitted
    held_out_rooms: int = 48
    held_out_homes_of_a_climate: int = 4
    critics: int = 2
    layers: tuple[int, ...] = (64, 64)  # of each critic
    actor_layers: tuple[int, ...] = (16,)  # few weights, as what they learn from is noise for the most part
    learning_rate: float = 3e-4
    batch: int = 256
    gradient_steps: int = 8  # of the critic, for each hour of all rooms
    actor_every: int = 4  # of them, one of the actor: corrections are small beside what weather and people do
    judged_first_ratio: float = 0.3  # of the time, in which only the critic learns
    replay: int = 400_000
    discount: float = 0.9  # of an hour
    target_rate: float = 0.005
    noise: tuple[float, float] = (0.4, 0.2)  # standard deviation, first and last
    noise_pull: float = 0.2  # towards none in an hour
    warm_steps: int = 3_000  # room-hours before the first gradient
    prices: Prices = field(default_factory=Prices)
    output: Path = WEIGHTS / "actor.onnx"


def main(config: Config) -> Path:
    """Train, measure beside no correction on held-out rooms and weather, export; the path of the network."""
    run = start_run("actor", config, config.seed)
    planned = PlannedRooms(
        Rooms(draw_pool(config.seed, TRAIN, config.homes_of_a_climate), config.rooms, config.days, AHEAD_H, config.seed)
    )
    fit_models(planned, config.fit_episodes)
    model, trained_s, decisions = train(config, run, PlannedVecEnv(planned, twin(planned), config.prices))
    scores = evaluate(config, model)
    return export(config, run, model, scores, trained_s, decisions)


def twin(planned: PlannedRooms) -> PlannedRooms:
    """The same rooms again, with the same luck to come; what nobody changes is shared."""
    source = planned.rooms.source
    return deepcopy(planned, {id(source): source})


def fit_models(planned: PlannedRooms, episodes: int) -> None:
    """Let rooms follow their plans without correction, so that their homes' models get fitted."""
    for _ in range(episodes):
        while not planned.rooms.done:
            planned.hour(np.zeros((planned.rooms.n, ACTIONS)))
        planned.reset()


def train(config: Config, run: Run, env: PlannedVecEnv) -> tuple[DDPG, float, int]:
    """Learn for the time that the configuration gives; a checkpoint of the same run is taken up.

    The checkpoint holds the networks; decisions to learn from are gathered anew.
    """
    model, spent_s, decisions, slice_steps = _build(config, env), 0.0, 0, 100 * config.rooms
    if run.checkpoint.exists():
        saved = torch.load(run.checkpoint)
        model.policy.load_state_dict(saved["policy"])
        spent_s, decisions = saved["spent_s"], saved["decisions"]
    first = True
    while spent_s < 60.0 * config.minutes:
        began, progress = time.process_time(), spent_s / (60.0 * config.minutes)
        model.action_noise = noise(config, progress)
        model.policy_delay = NEVER if progress < config.judged_first_ratio else config.actor_every
        model.learn(slice_steps, reset_num_timesteps=first)
        first = False
        decisions += slice_steps
        spent_s += time.process_time() - began
        replay = model.replay_buffer
        assert replay is not None
        size = np.abs(replay.actions[max(replay.pos - 100, 0) : max(replay.pos, 1)]).mean()
        saved_kwh = 24.0 * float(np.mean(env.saved_kwh[-100:]))
        run.log(spent_s=spent_s, decisions=decisions, saved_kwh_per_day=saved_kwh, action=float(size))
        torch.save({"policy": model.policy.state_dict(), "spent_s": spent_s, "decisions": decisions}, run.checkpoint)
    return model, spent_s, decisions


def _build(config: Config, env: PlannedVecEnv) -> DDPG:
    model = DDPG(
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
        policy_kwargs={
            "net_arch": {"pi": list(config.actor_layers), "qf": list(config.layers)},
            "n_critics": config.critics,
        },
        seed=config.seed,
        device="cpu",
    )
    begin_at_zero(model)
    return model


def noise(config: Config, progress: float) -> VectorizedActionNoise:
    """What is tried beside the actor's word, by the share of the training that has passed."""
    deviation = config.noise[0] + (config.noise[1] - config.noise[0]) * progress
    sigma = np.full(ACTIONS, deviation * np.sqrt(1.0 - (1.0 - config.noise_pull) ** 2), np.float32)
    drift = OrnsteinUhlenbeckActionNoise(np.zeros(ACTIONS, np.float32), sigma, config.noise_pull, dt=1.0)
    return VectorizedActionNoise(drift, config.rooms)


def begin_at_zero(model: DDPG) -> None:
    """Make the actor's last layer zero: no correction until one is learned."""
    for actor in (model.policy.actor, model.policy.actor_target):
        last = [layer for layer in actor.mu if isinstance(layer, nn.Linear)][-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)


def evaluate(config: Config, model: DDPG) -> dict[str, dict[str, dict[str, float]]]:
    """Means a room and day with and without the actor, on the same held-out rooms, weather and people's luck."""
    pool = draw_pool(config.seed, HELD_OUT, config.held_out_homes_of_a_climate)
    return {
        name: {
            label: score(config, Rooms(pool, config.held_out_rooms, config.days, AHEAD_H, config.seed, season), actor)
            for label, actor in (("plan", None), ("plan_and_actor", model))
        }
        for name, season in HELD_OUT_SEASONS.items()
    }


def score(config: Config, rooms: Rooms, model: DDPG | None) -> dict[str, float]:
    """What rooms came to a day, from the second day of an episode on whose models were fitted in another one."""
    planned = PlannedRooms(rooms)
    fit_models(planned, 1)
    totals, hours = dict.fromkeys((*SUMMED, "reward_kwh"), 0.0), 0
    while not planned.rooms.done:
        action = np.zeros((rooms.n, ACTIONS)) if model is None else model.predict(planned.observation())[0]
        total = planned.hour(np.asarray(action, dtype=np.float64))
        hours += 1
        if hours > SETTLE_HOURS:
            for name in SUMMED:
                totals[name] += float(total[name].mean())
            totals["reward_kwh"] -= float(reward_terms(total, config.prices).mean())
    days = (hours - SETTLE_HOURS) / 24.0
    found = {name: value / days for name, value in totals.items()}
    return {"j_kwh": found["priced_kwh"] + 0.5 * found["discomfort_k_h"], **found}


def export(config: Config, run: Run, model: DDPG, scores: dict[str, Any], trained_s: float, decisions: int) -> Path:
    """Write the actor and its card in both forms."""
    settings = {**asdict(config), "output": config.output.name}
    card: dict[str, object] = {
        "name": "actor",
        **run.origin,
        "config": settings,
        "trained_s": round(trained_s, 1),
        "decisions": decisions,
        "held_out": scores,
    }
    example = {"observation": torch.zeros(2, len(columns(ACTOR)))}
    save_model(Actor(model.policy.actor.mu), example, ("action",), config.output, {"observation": ACTOR}, card)
    config.output.with_suffix(".md").write_text(card_text(config, scores, card))
    return config.output


def card_text(config: Config, scores: dict[str, dict[str, dict[str, float]]], card: dict[str, object]) -> str:
    """The card for people."""
    table = "\n".join(
        f"| {season} | {label} | {v['j_kwh']:.3f} | {v['energy_kwh']:.3f} | {v['discomfort_k_h']:.3f} "
        f"| {v['presses']:.3f} | {v['starts']:.1f} | {v['switches']:.1f} |"
        for season, rows in scores.items()
        for label, v in rows.items()
    )
    return f"""# The actor that corrects plans

The actor of a DDPG agent (Stable-Baselines3). Once an hour a plan of heat is made (`control/planner.py`); the actor
moves its air by up to 1 K and the heat from which on a unit runs by up to a factor of 6 (`control/correcting.py`).

- **Trained on** {card["decisions"]} room-hours of randomised simulated rooms in which the plan runs, on models fitted
  in earlier episodes of {config.days} days, in which people change by hand what they dislike and the
  engine learns its edges of comfort from that, behind the guard.
- **By** `python -m training.train_actor --seed {config.seed} --minutes {config.minutes:g}`,
  {float(str(card["trained_s"])) / 60:.1f} minutes of one core, commit `{card["commit"]}`, on {card["trained_on"]}.
- **Reward** what an hour cost less than in the same room, with the same weather, people and luck, whose plans nobody
  corrected: J (energy at the relative price of the hour, plus 0.5 kWh for each K·h outside the true band), plus
  {config.prices.press_kwh} kWh for each change by hand and {config.prices.switch_kwh} kWh for each switch;
  less {config.prices.correction_kwh} kWh for a full correction.
- **Inputs** `models/features.py`, `ACTOR`; the same definition is inside the file, and serving refuses another.

Means a room and day on {config.held_out_rooms} rooms and weather never trained on, first day left out; both rows meet
the same rooms, weather and people.

| season | controller | J [kWh] | energy [kWh] | discomfort [K·h] | changes by hand | starts | switches |
|---|---|---|---|---|---|---|---|
{table}

## Known limits
- The engine applies it where a home heats and not where it cools (`control/correcting.py`).
- Simulated rooms and people only. Savings in a home are not what this table says.
- Fan steps, humidity and the predictor's outlook are not read.
"""


def _argument_config() -> Config:
    parser = argparse.ArgumentParser(description="Train the actor that corrects plans. Example: --seed 3 --minutes 8")
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--minutes", type=float, default=Config.minutes)
    parser.add_argument("--output", type=Path, default=Config.output)
    chosen = parser.parse_args()
    return replace(Config(), seed=chosen.seed, minutes=chosen.minutes, output=chosen.output)


if __name__ == "__main__":
    main(_argument_config())
