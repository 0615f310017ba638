"""The trained actor's word on a plan: how far its air is moved, and from how much heat on it means on.

A plan stands on a fitted room of two nodes, an ordinary power curve and edges of comfort that are beliefs. What these
leave out systematically, an actor learns (``training/train_actor.py``): when a plan is made it reads the plan and what
the plan was made for, and corrects it within bounds until the next plan. An actor that says nothing leaves the plan.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from control import two_nodes
from control.planner import ENDS, LEAST_HEAT_RATIO, MOST_LOAD, QUARTER_H, STARTS, Ahead, Array, BoolArray, Rooms
from models.features import ACTOR_SPANS_H

if TYPE_CHECKING:
    from models.actor import PlanActor

SHIFT_K = 1.0  # the furthest that a plan's air is moved
LEAST_FACTOR = 6.0  # the most by which the least heat of a running unit is multiplied or divided


def situation(rooms: Rooms, heats: BoolArray, ahead: Ahead, on: BoolArray, local_hour: Array) -> dict[str, Array]:
    """Raw values of ``models.features.ACTOR`` for rooms whose plan begins now."""
    sign = np.where(heats, -1.0, 1.0)
    theta, nodes = rooms["theta"], rooms["nodes"]
    edges_c = np.where(heats[:, np.newaxis], ahead.low_c, ahead.high_c)
    edge_c, angle = edges_c[:, 0], 2.0 * np.pi * local_hour / 24.0
    loss = np.logaddexp(theta[:, two_nodes.K_AIR_OUT], theta[:, two_nodes.K_MASS_OUT])
    raw = {
        "direction": sign,
        "excess_k": sign * (nodes[:, 0] - edge_c),
        "mass_excess_k": sign * (nodes[:, 1] - edge_c),
        "band_k": ahead.high_c[:, 0] - ahead.low_c[:, 0],
        "on": on.astype(np.float64),
        "offset_k": sign * np.where(heats, rooms["bias_k"][:, 1], rooms["bias_k"][:, 0]),
        "lacks_k": sign * rooms["lacks_k"],
        "unexplained_ratio": sign * nodes[:, 2] / rooms["rated_kw"],
        "air_constant_h": theta[:, two_nodes.C_AIR] - theta[:, two_nodes.K_AIR_MASS],
        "mass_constant_h": theta[:, two_nodes.C_MASS] - loss,
        "rated_per_k_ratio": np.log(rooms["rated_kw"]) - loss,
        "hour_sine": np.sin(angle),
        "hour_cosine": np.cos(angle),
    }
    most_kw = MOST_LOAD * rooms["rated_kw"][:, np.newaxis]
    for start_h, end_h in ACTOR_SPANS_H:
        span = slice(round(start_h / QUARTER_H), round(end_h / QUARTER_H))
        steps = (span.start <= STARTS) & (span.stop >= ENDS)
        label = f"{start_h}_{end_h}h"
        edge_then_c = edges_c[:, span].mean(axis=1)
        raw[f"plan_heat_ratio_{label}"] = (rooms["heat_kw"][:, steps] / most_kw).mean(axis=1)
        raw[f"plan_excess_k_{label}"] = sign * (rooms["aim_c"][:, steps].mean(axis=1) - edge_then_c)
        raw[f"chance_{label}"] = ahead.chance[:, span].mean(axis=1)
        raw[f"price_ratio_{label}"] = ahead.price_ratio[:, span].mean(axis=1)
        raw[f"outdoor_load_k_{label}"] = sign * (ahead.outdoor_c[:, span].mean(axis=1) - edge_then_c)
        raw[f"solar_w_m2_{label}"] = ahead.solar_w_m2[:, span].mean(axis=1)
    return raw


def apply(rooms: Rooms, heats: BoolArray, action: NDArray[np.floating]) -> None:
    """Correct plans that begin now, in place.

    Parameters
    ----------
    action : Array, shape (n, 2), -1..1
        More effort where positive: the plan's air is moved towards more cooling (or heating), and a unit runs from less
        heat on.
    """
    sign = np.where(heats, 1.0, -1.0)
    rooms["shift_k"] = SHIFT_K * sign * action[:, 0]
    rooms["least_ratio"] = LEAST_HEAT_RATIO * LEAST_FACTOR ** -action[:, 1].astype(np.float64)


def correct(rooms: Rooms, actor: "PlanActor", heats: BoolArray, ahead: Ahead, on: BoolArray, local_hour: Array) -> None:
    """Let the trained actor correct plans that begin now and heat, in place.

    Plans that cool stay as they are: on 24 validation homes of the benchmark the actor that ships took 15 % off J in a
    month of winter and added 11 % in a month of summer, where people changed twice as much by hand. One that was
    trained against twins added nothing to J in summer and took nothing off it, at a third more changes (docs/actor.md).

    Parameters
    ----------
    on : BoolArray, shape (n,)
        Whether the units run.
    local_hour : Array, shape (n,)
        Of the day, 0..24.
    """
    action = actor.act(situation(rooms, heats, ahead, on, local_hour))
    apply(rooms, heats, np.where(heats[:, np.newaxis], action, 0.0))
