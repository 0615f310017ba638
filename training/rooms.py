"""What simulated rooms show of themselves: what the predictor learns from, and is measured on.

One row is 5 minutes. The plan ahead is known and kept to, the weather ahead is a forecast that errs, who comes home
when is not known.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.prediction import slices_s
from control.weather import mean_between
from core.words import Mode
from models import features
from models.features import AHEAD, PAST
from models.words import HORIZONS_S, RoomMoment
from simulator.episodes import BoolArray, Episode, Pool, cut
from simulator.physics.moist_air import relative_pcts
from simulator.weather.forecast import Forecasts
from simulator.world import STEP_S
from training.programs import season_heats, varied_plans

Array = NDArray[np.float64]
Batch = NDArray[np.float32]
Plans = Callable[[np.random.Generator, Episode], tuple[BoolArray, NDArray[np.float64]]]
QUARTER_ROWS = 3
START = datetime(2031, 1, 1, tzinfo=UTC)  # of moments; only differences matter
HORIZON_ROWS = tuple(round(horizon_s / STEP_S) for horizon_s in HORIZONS_S)
LABELS = tuple(map(features.horizon_label, HORIZONS_S))


@dataclass(frozen=True)
class Recording:
    """What n rooms showed, one row a step of 5 minutes; (rows, n) float32, NaN where a room does not measure it."""

    measured: dict[str, Batch]  # sensors and orders, by the names of the features
    forecasts: Forecasts
    weather_of: NDArray[np.int64]  # (n,): which of the forecasts
    planned_on: Batch
    planned_setpoint_c: Batch
    knows_forecast: BoolArray  # (n,)

    @property
    def rows(self) -> int:
        """Rows that have a day of future behind them."""
        return int(self.measured["reading_c"].shape[0]) - HORIZON_ROWS[-1]


def record_rooms(rng: np.random.Generator, source: Pool, n: int, days: int, plans: Plans = varied_plans) -> Recording:
    """Simulate ``n`` rooms under programs, as their own sensors would show them."""
    episode = cut(rng, source, n, days, rooms_per_group=8)
    world = episode.world
    world.persons["patience_s"] = np.inf  # people leave the program alone: the plan is known and kept to
    on, setpoint_c = plans(rng, episode)
    heating = season_heats(episode)
    names = ("air_c", "sensor_c", "humidity_pct", "power_w")
    shown = {name: np.empty((episode.steps, n), dtype=np.float32) for name in names}
    panels, states = world.panels, world.room_states
    for row in range(episode.steps):
        panels["on"], panels["heating"], panels["setpoint_c"] = on[row], heating[row], setpoint_c[row]
        world.advance(row, follows_program=False)
        shown["air_c"][row] = states["occupied_c"]
        shown["sensor_c"][row] = world.unit_states["sensor_c"]
        shown["humidity_pct"][row] = relative_pcts(states["occupied_c"], states["humidity_kg_kg"])
        shown["power_w"][row] = world.meters["energy_j"] / STEP_S
    return _as_measured(rng, episode, shown, on, setpoint_c, heating)


def _as_measured(
    rng: np.random.Generator,
    episode: Episode,
    shown: dict[str, Batch],
    on: NDArray[np.bool_],
    setpoint_c: NDArray[np.float64],
    heating: NDArray[np.bool_],
) -> Recording:
    """Sensors as homes have them: some rooms measure little, some read the unit's own sensor, all round."""
    rows, n = shown["air_c"].shape
    own_sensor = rng.random(n) < 0.3
    resolution_k = np.where(own_sensor, rng.choice([0.5, 1.0], n), 0.1)
    reading_c = np.where(own_sensor, shown["sensor_c"], shown["air_c"]) + rng.normal(0.0, 0.04, (rows, n))
    outdoor_c, solar_w_m2 = episode.sky("outdoor_c"), episode.sky("global_w_m2")

    def if_known(share: float, values: NDArray[np.floating]) -> Batch:
        return np.where(rng.random(n) < share, values[:rows], np.nan).astype(np.float32)

    sometimes_missing = rng.random((rows, n)) < 0.02
    mode_known = on[:rows] | (rng.random(n) < 0.6)
    measured = {
        "reading_c": (np.round(reading_c / resolution_k) * resolution_k).astype(np.float32),
        "missing": sometimes_missing.astype(np.float32),
        "outdoor_temperature_c": if_known(0.8, outdoor_c),
        "humidity_pct": if_known(0.5, shown["humidity_pct"]),
        "solar_w_m2": if_known(0.6, solar_w_m2),
        "on": on[:rows].astype(np.float32),
        "cooling": (mode_known & ~heating[:rows]).astype(np.float32),
        "heating": (mode_known & heating[:rows]).astype(np.float32),
        "setpoint_c": setpoint_c[:rows].astype(np.float32),
        "power_w": if_known(0.7, shown["power_w"]),
        "true_power_w": shown["power_w"],
        "occupied": if_known(0.6, episode.present.astype(np.float64)),
        "local_hour": np.stack([episode.local_hour(row + 1) for row in range(rows)]).astype(np.float32),
        "weekday": np.stack([episode.weekday(row + 1) for row in range(rows)]).astype(np.float32),
    }
    return Recording(
        measured=measured,
        forecasts=Forecasts(episode.world.skies, rng.spawn(episode.world.skies.shape[1])),
        weather_of=episode.world.rooms["weather"].astype(np.int64),
        planned_on=on.astype(np.float32),
        planned_setpoint_c=setpoint_c.astype(np.float32),
        knows_forecast=np.asarray(rng.random(n) < 0.85),
    )


@dataclass(frozen=True)
class Window:
    """Encoded past of some rooms, (rooms, steps, columns), and the newest reading at each step."""

    past: Batch
    last_c: Batch  # (steps, rooms)
    shown: dict[str, Batch]


def window(
    recording: Recording, rows: NDArray[np.intp], rooms: NDArray[np.intp], stride: int, rng: np.random.Generator | None
) -> Window:
    """The past as the network reads it. With ``rng`` some rooms lose sensors that the recording has."""
    grid = np.ix_(rows, rooms)
    shown = {name: values[grid] for name, values in recording.measured.items()}
    if stride > 1:  # power is the mean over the step
        spans = rows[:, np.newaxis] - np.arange(stride)
        shown["power_w"] = recording.measured["power_w"][spans][:, :, rooms].mean(axis=1)
    reading_c = np.where(shown["missing"] > 0.5, np.nan, shown["reading_c"])
    reading_c[0] = shown["reading_c"][0]
    if rng is not None:
        for name in ("power_w", "occupied", "outdoor_temperature_c", "humidity_pct", "solar_w_m2"):
            shown[name] = np.where(rng.random(rooms.size) < 0.1, np.nan, shown[name])
    last_c = _carried_forward(reading_c)
    raw = {
        "step_log": np.full(reading_c.shape, np.log(stride)),
        "room_temperature_c": reading_c,
        "last_temperature_c": last_c,
        "setpoint_above_room_k": np.where(shown["on"] > 0.5, shown["setpoint_c"] - last_c, np.nan),
        **{name: shown[name] for name in ("outdoor_temperature_c", "humidity_pct", "solar_w_m2", "power_w")},
        **{name: shown[name] for name in ("on", "cooling", "heating", "occupied")},
        **features.cycles(shown["local_hour"], shown["weekday"]),
    }
    return Window(np.ascontiguousarray(features.encode(PAST, raw).swapaxes(0, 1)), last_c, shown)


def _carried_forward(values: Batch) -> Batch:
    """Each unknown replaced by the newest known before it; the first row is known."""
    row = np.where(np.isnan(values), 0, np.arange(values.shape[0])[:, np.newaxis])
    newest = np.maximum.accumulate(row, axis=0)
    return np.take_along_axis(values, newest, axis=0)


def targets(
    recording: Recording, sample: Window, rows: NDArray[np.intp], rooms: NDArray[np.intp], heads: NDArray[np.intp]
) -> tuple[Batch, Batch, Batch, Batch]:
    """Encoded plan and forecast, newest reading, and what came: temperature and power; (rooms, heads, ...)."""
    at = rows[heads]
    last_c = sample.last_c[heads]
    ahead = what_is_ahead(recording, at, rooms)
    raw: dict[str, NDArray[Any]] = {
        "last_temperature_c": last_c,
        **{name: sample.shown[name][heads] for name in ("cooling", "heating")},
        **features.cycles(sample.shown["local_hour"][heads], sample.shown["weekday"][heads]),
    }
    for i, label in enumerate(LABELS):
        raw[f"planned_setpoint_above_room_k_{label}"] = ahead.planned_setpoint_c[..., i] - last_c
        raw[f"outdoor_above_room_k_{label}"] = ahead.outdoor_c[..., i] - last_c
        raw[f"solar_w_m2_{label}"] = ahead.solar_w_m2[..., i]
    target_c = recording.measured["reading_c"][at[:, np.newaxis, np.newaxis] + HORIZON_ROWS, rooms[:, np.newaxis]]
    power_w = recording.measured["true_power_w"]
    slices = zip((0, *HORIZON_ROWS[:-1]), HORIZON_ROWS, strict=True)
    target_kw = np.stack([_mean_ahead(power_w, at, rooms, *part) / 1e3 for part in slices], axis=-1)

    def by_room(values: NDArray[np.floating[Any]]) -> Batch:
        return np.ascontiguousarray(values.swapaxes(0, 1), dtype=np.float32)

    return (
        by_room(features.encode(AHEAD, raw)),
        by_room(last_c[..., np.newaxis]),
        by_room(target_c),
        by_room(target_kw),
    )


@dataclass(frozen=True)
class Ahead:
    """What is known of the time ahead at some rows: means between horizons, (rows, rooms, horizons), NaN unknown."""

    planned_setpoint_c: NDArray[np.float64]  # NaN: off for most of that time
    outdoor_c: NDArray[np.float64]
    solar_w_m2: NDArray[np.float64]


def what_is_ahead(recording: Recording, at: NDArray[np.intp], rooms: NDArray[np.intp]) -> Ahead:
    """Plan and forecast at the end of some rows."""
    knows = recording.knows_forecast[rooms]
    outdoor_hourly_c, solar_hourly_w_m2 = _forecasts(recording, at, rooms)
    planned_c, outdoor_c, solar_w_m2 = [], [], []
    before = 0
    for horizon_rows, span_s in zip(HORIZON_ROWS, slices_s(), strict=True):
        on_ratio = _mean_ahead(recording.planned_on, at, rooms, before, horizon_rows)
        setpoint_c = _mean_ahead(recording.planned_on * recording.planned_setpoint_c, at, rooms, before, horizon_rows)
        planned_c.append(np.where(on_ratio > 0.5, setpoint_c / np.maximum(on_ratio, 1e-3), np.nan))
        outdoor_c.append(np.where(knows, mean_between(outdoor_hourly_c, *span_s), np.nan))
        solar_w_m2.append(np.where(knows, mean_between(solar_hourly_w_m2, *span_s), np.nan))
        before = horizon_rows
    return Ahead(*(np.stack(values, axis=-1) for values in (planned_c, outdoor_c, solar_w_m2)))


def _forecasts(
    recording: Recording, at: NDArray[np.intp], rooms: NDArray[np.intp]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Outdoor temperature [°C] and sun [W/m2] as forecast for each of the 24 hours after some rows; (at, rooms)."""
    issued = [recording.forecasts.at(int(row) + 1) for row in at]
    weather = recording.weather_of[rooms]
    outdoor_c, solar_w_m2 = (np.stack(values)[:, weather] for values in zip(*issued, strict=True))
    return list(np.moveaxis(outdoor_c, -1, 0)), list(np.moveaxis(solar_w_m2, -1, 0))


def _mean_ahead(
    values: Batch, at: NDArray[np.intp], rooms: NDArray[np.intp], first: int, last: int
) -> NDArray[np.float64]:
    """Mean of the rows after ``at + first`` up to ``at + last``; (at, rooms)."""
    some = values[at[0] + 1 : at[-1] + last + 1][:, rooms].astype(np.float64)
    sums = np.concatenate([np.zeros((1, rooms.size)), np.cumsum(some, axis=0)])
    offset = at - at[0]
    return np.asarray((sums[offset + last] - sums[offset + first]) / (last - first))


def moments_of(recording: Recording) -> Iterator[list[RoomMoment]]:
    """Each room's moments as the engine would see them, every quarter of an hour."""
    rows = np.arange(QUARTER_ROWS - 1, recording.rows, QUARTER_ROWS)
    n = recording.measured["on"].shape[1]
    ahead = what_is_ahead(recording, rows, np.arange(n))
    shown = {name: values[rows] for name, values in recording.measured.items()}
    shown["power_w"] = recording.measured["power_w"][rows[:, np.newaxis] - np.arange(QUARTER_ROWS)].mean(axis=1)
    for room in range(n):
        mine = {name: values[:, room].tolist() for name, values in shown.items()}
        planned = _tuples(ahead.planned_setpoint_c[:, room])
        outdoor, solar = _tuples(ahead.outdoor_c[:, room]), _tuples(ahead.solar_w_m2[:, room])
        yield [
            RoomMoment(
                at=START + timedelta(seconds=STEP_S * (int(row) + 1)),
                local_hour=mine["local_hour"][i],
                weekday=int(mine["weekday"][i]),
                step_s=STEP_S * QUARTER_ROWS,
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


def _known(value: float) -> float | None:
    return None if value != value else value


def _tuples(values: Array) -> list[tuple[float | None, ...]]:
    return [tuple(map(_known, row)) for row in values.tolist()]
