"""The predictor on simulated rooms that nobody trained on, beside the two-node model fitted to each.

Rooms and weather are of the split "test" of ``simulator.homes``. Each room is lived through from its first reading in
steps of 15 minutes by ``control.prediction.RoomForecast``, as in the engine: network, correction, fallback, hand-over.
The plan ahead is known and kept to (``free_float``: the unit stays off), the weather ahead is a forecast that errs and
that some rooms do not have. Scored once the two-node model has been fitted, at the same moments for all.
"""

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recorded.score import LABELS, block_bootstrap
from control.prediction import Predictor, RoomForecast
from core.logging import configure_logging
from core.words import Mode
from models.correction import NINETY
from models.words import HORIZONS_S, Outlook, RoomMoment
from simulator.episodes import BoolArray, Episode
from simulator.world import STEP_S
from training.pools import draw_pool
from training.programs import varied_plans
from training.rooms import HORIZON_ROWS, Plans, Recording, record_rooms, what_is_ahead

Array = NDArray[np.float64]
Json = dict[str, Any]

SPLIT = "test"
STRIDE = 3  # rows of 5 minutes
START = datetime(2031, 1, 1, tzinfo=UTC)  # only differences matter


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


def moments_of(recording: Recording) -> Iterator[list[RoomMoment]]:
    """Each room's moments as the engine would see them, every 15 minutes."""
    rows = np.arange(STRIDE - 1, recording.rows, STRIDE)
    n = recording.measured["on"].shape[1]
    ahead = what_is_ahead(recording, rows, np.arange(n))
    shown = {name: values[rows] for name, values in recording.measured.items()}
    shown["power_w"] = recording.measured["power_w"][rows[:, np.newaxis] - np.arange(STRIDE)].mean(axis=1)
    for room in range(n):
        mine = {name: values[:, room].tolist() for name, values in shown.items()}
        planned = _tuples(ahead.planned_setpoint_c[:, room])
        outdoor, solar = _tuples(ahead.outdoor_c[:, room]), _tuples(ahead.solar_w_m2[:, room])
        yield [
            RoomMoment(
                at=START + timedelta(seconds=STEP_S * (int(row) + 1)),
                local_hour=mine["local_hour"][i],
                weekday=int(mine["weekday"][i]),
                step_s=STEP_S * STRIDE,
                room_temperature_c=None if mine["missing"][i] > 0.5 else mine["reading_c"][i],
                outdoor_temperature_c=_known(mine["outdoor_temperature_c"][i]),
                humidity_pct=_known(mine["humidity_pct"][i]),
                solar_w_m2=_known(mine["solar_w_m2"][i]),
                on=mine["on"][i] > 0.5,
                mode=Mode.HEAT if mine["heating"][i] > 0.5 else Mode.COOL if mine["cooling"][i] > 0.5 else None,
                setpoint_c=mine["setpoint_c"][i] if mine["on"][i] > 0.5 else None,
                power_w=_known(mine["power_w"][i]),
                fan=None,
                occupied=_known(mine["occupied"][i]),
                planned_setpoint_c=planned[i],
                outdoor_forecast_c=outdoor[i],
                solar_forecast_w_m2=solar[i],
            )
            for i, row in enumerate(rows)
        ]


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
        came_c = reading_c[STRIDE * (i + 1) - 1 + np.array(HORIZON_ROWS)]
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
        ratio, upper95 = block_bootstrap(lingyun_k, physical_k[:, np.newaxis], room, seed)
        horizons[label] = {
            "lingyun_mae_c": float(lingyun_k.mean()),
            "lstm_mae_c": float(alone_k.mean()),
            "rc_mae_c": float(physical_k.mean()),
            "ratio_to_rc": ratio,
            "ratio_upper95": upper95,
            "held_90_ratio": float(held.mean()),
        }
    return {"rooms": int(np.unique(room).size), "moments": len(misses), "horizons": horizons}


def _miss_k(outlook: Outlook | None, came_c: NDArray[np.float32]) -> Array:
    assert outlook is not None
    return np.abs(np.array(outlook.temperature_c) - came_c)


def _known(value: float) -> float | None:
    return None if value != value else value


def _tuples(values: Array) -> list[tuple[float | None, ...]]:
    return [tuple(map(_known, row)) for row in values.tolist()]
