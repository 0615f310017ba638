"""The predictor on simulated rooms that nobody trained on, beside the two-node model fitted to each.

Rooms and weather are of the split "test" of ``simulator.homes``. Each room is lived through from its first reading in
steps of 15 minutes by ``control.prediction.RoomForecast``, as in the engine: network, correction, fallback, hand-over.
The plan ahead is known and kept to (``free_float``: the unit stays off), the weather ahead is a forecast that errs and
that some rooms do not have. Scored once the two-node model has been fitted, at the same moments for all.
"""

import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recorded.score import LABELS, block_bootstrap
from control.prediction import Predictor, RoomForecast
from core.logging import configure_logging
from models.correction import NINETY
from models.words import HORIZONS_S, Outlook, RoomMoment
from simulator.episodes import BoolArray, Episode
from training.pools import draw_pool
from training.programs import varied_plans
from training.rooms import HORIZON_ROWS, QUARTER_ROWS, Plans, moments_of, record_rooms

Array = NDArray[np.float64]
Json = dict[str, Any]

SPLIT = "test"


@dataclass(frozen=True)
class Size:
    """How much is simulated."""

    homes_of_a_climate: int = 3
    rooms: int = 39  # of each program
    days: int = 14


SIZE = Size()


def never_on(rng: np.random.Generator, episode: Episode) -> tuple[BoolArray, Array]:
    """A program under which the unit stays off."""
    on, setpoint_c = varied_plans(rng, episode)
    return np.zeros_like(on), setpoint_c


PROGRAMS: dict[str, Plans] = {"free_float": never_on, "controlled": varied_plans}


def measure(seed: int, size: Size = SIZE, *, workers: int = 1, tell: Callable[[str], None] = lambda _: None) -> Json:
    """Errors and coverage by program and horizon."""
    pool = draw_pool(seed, SPLIT, size.homes_of_a_climate)
    rng = np.random.default_rng(seed)
    results: Json = {}
    processes = multiprocessing.get_context("spawn")  # threads of onnxruntime do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=processes, initializer=quiet) as executor:
        for name, plans in PROGRAMS.items():
            recording = record_rooms(rng, pool, size.rooms, size.days, plans)
            rooms = []
            for misses in executor.map(live, moments_of(recording), recording.measured["reading_c"].T):
                rooms.append(misses)
                tell(f"{name}, room {len(rooms)} of {size.rooms}")
            results[name] = as_json(rooms, seed)
    return results


def quiet() -> None:
    """Leave out of the log that rooms are too young to be fitted."""
    configure_logging(json_lines=False, level=logging.WARNING)


def live(moments: list[RoomMoment], reading_c: NDArray[np.float32]) -> Array:
    """Misses of one room, (moments, 4, horizons): lingyun, network alone, two-node model [K], and whether the 90 %
    interval held (1 or 0); moments at which one of them had nothing to say are left out."""
    predictor = Predictor()
    forecast = RoomForecast(predictor.restore(None))
    misses = []
    for i, moment in enumerate(moments):
        forecast.step(predictor, moment)
        if moment.room_temperature_c is None or forecast.physical is None:
            continue
        came_c = reading_c[QUARTER_ROWS * (i + 1) - 1 + np.array(HORIZON_ROWS)]
        shown, alone, physical = (
            _miss_k(outlook, came_c) for outlook in (forecast.outlook, forecast.alone, forecast.physical)
        )
        assert forecast.outlook is not None
        held = shown <= NINETY * np.array(forecast.outlook.spread_k)
        misses.append((shown, alone, physical, held))
    return np.array(misses, dtype=np.float64).reshape(-1, 4, len(HORIZONS_S))


def as_json(rooms: list[Array], seed: int) -> Json:
    """The figures of one program; whole rooms are drawn in the bootstrap."""
    misses = np.concatenate(rooms)
    room = np.repeat(np.arange(len(rooms)), [len(one) for one in rooms])
    horizons: Json = {}
    for i, label in enumerate(LABELS):
        lingyun_k, alone_k, physical_k, held = misses[:, :, i].T
        ratio, lower95, upper95 = block_bootstrap(lingyun_k, physical_k[:, np.newaxis], room, seed)
        horizons[label] = {
            "lingyun_mae_c": float(lingyun_k.mean()),
            "lstm_mae_c": float(alone_k.mean()),
            "rc_mae_c": float(physical_k.mean()),
            "ratio_to_rc": ratio,
            "ratio_lower95": lower95,
            "ratio_upper95": upper95,
            "held_90_ratio": float(held.mean()),
        }
    return {"rooms": int(np.unique(room).size), "moments": len(misses), "horizons": horizons}


def _miss_k(outlook: Outlook | None, came_c: NDArray[np.float32]) -> Array:
    assert outlook is not None
    return np.abs(np.array(outlook.temperature_c) - came_c)
