"""Who foretells a recorded room, each from what lay before the moment alone.

| name | what it is |
|---|---|
| persistence | the room stays as it is |
| yesterday | the room does what it did a day before |
| ridge | a linear model of the last 24 steps of room, outdoors, sun and heat, and of the hour, for each horizon |
| rc | the two-node model of ``models.rc`` |
| lstm | the network as it ships, alone |
| lingyun | ``control.prediction.RoomForecast``: network, correction, fallback and hand-over, as in the engine |

Power ahead is unknown to all. Weather ahead: what ``control.weather`` makes of the home's own sensors for the engine;
ridge and rc are run with weather held and with yesterday's, rc of a heated room with its heat and without, and each
counts by its better variant on what is scored, which favours them. Ridge, rc and lingyun learn on from everything
before each moment; the ridge's penalty is chosen on the first 70 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.recorded.records import FITTED_RATIO, Record, local_hours
from control.prediction import Predictor, RoomForecast, slices_s
from control.weather import WeatherMemory
from core.words import Mode
from models.correction import Correction
from models.rc import NotEnoughHistory, RcModel, fit
from models.words import HORIZONS_S, Outlook, RoomMoment

Array = NDArray[np.float64]

SCORED_S = (3600, 21_600, 86_400)
LAGS = 24
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # times the samples
REFIT_S = 86_400
BRIDGED_S = 7200  # a gap up to which the ridge reads the value before it
USUAL_HEAT_W = 1500.0  # of a recorded heating at its most; its unit is often unknown, its shape is what counts
SPREAD_K = 0.5  # claimed where the correction runs without the network
HARMONICS = (1, 2)


@dataclass(frozen=True)
class Foretold:
    """What was expected at each step of a record, (steps, horizons of ``SCORED_S``); NaN: nothing."""

    by: dict[str, list[Array]]  # variants of each contender
    spread_k: Array  # of lingyun


def foretell(record: Record) -> Foretold:
    """Run every contender over a record; only steps from the split on need to be foretold."""
    moments = list(moments_of(record))
    lingyun = run_lingyun(record, moments)
    by = {
        "lingyun": [lingyun["lingyun"]],
        "lstm": [lingyun["lstm"]],
        "correction_alone": [lingyun["correction_alone"]],
        "persistence": [np.repeat(record.room_c[:, np.newaxis], len(SCORED_S), axis=1)],
        "yesterday": [yesterday(record)],
        "ridge": [ridge(record, weather) for weather in ("held", "yesterday")],
        "rc": two_nodes(record, moments),
    }
    return Foretold(by, lingyun["spread"])


# --- lingyun ---


def moments_of(record: Record) -> Iterator[RoomMoment]:
    """The record as the engine would see it; what is recorded as heat is given to the room by no unit of ours."""
    hour, day = local_hours(record)
    weather = WeatherMemory()
    largest_w = np.nanpercentile(record.heat_w[: record.split], 98) if record.heat_w is not None else 0.0
    per_unit = USUAL_HEAT_W / largest_w if largest_w > 0.0 else 1.0
    for i in range(record.steps):
        at = datetime.fromtimestamp(record.at_s[i], tz=UTC)
        outdoor_c, solar_w_m2 = _at(record.outdoor_c, i), _at(record.solar_w_m2, i)
        heat_w = _at(record.heat_w, i)
        if outdoor_c is not None:
            weather.add(at, outdoor_c, solar_w_m2)
        ahead = weather.ahead(at, None, None)
        knows_outdoor = ahead.source in ("yesterday", "held")
        yield RoomMoment(
            at=at,
            local_hour=float(hour[i]),
            weekday=int((day[i] + 3) % 7),  # 1970-01-01 was a Thursday
            step_s=float(record.step_s),
            room_temperature_c=_at(record.room_c, i),
            outdoor_temperature_c=outdoor_c,
            humidity_pct=None,
            solar_w_m2=solar_w_m2,
            on=False,
            mode=None,
            setpoint_c=None,
            power_w=None,
            fan=None,
            occupied=None,
            planned_setpoint_c=(None,) * len(HORIZONS_S),
            outdoor_forecast_c=tuple(ahead.outdoor_between_c(*span) if knows_outdoor else None for span in slices_s()),
            solar_forecast_w_m2=tuple(
                None if record.solar_w_m2 is None else ahead.solar_between_w_m2(*span) for span in slices_s()
            ),
            heat_w=None if heat_w is None else heat_w * per_unit,
        )


def run_lingyun(record: Record, moments: list[RoomMoment]) -> dict[str, Array]:
    """What the engine's predictor says: all of it, the network alone, the correction without the network."""
    predictor = Predictor()
    forecast = RoomForecast(predictor.restore(None))
    without = Correction()
    shape = (record.steps, len(SCORED_S))
    found = {name: np.full(shape, np.nan) for name in ("lingyun", "lstm", "correction_alone", "spread")}
    places = [HORIZONS_S.index(horizon_s) for horizon_s in SCORED_S]
    for i, moment in enumerate(moments):
        forecast.step(predictor, moment)
        if moment.room_temperature_c is None:
            continue
        assert forecast.outlook is not None
        assert forecast.alone is not None
        still = Outlook(
            HORIZONS_S, (moment.room_temperature_c,) * len(HORIZONS_S), (SPREAD_K,) * len(HORIZONS_S), (0.0,) * 6
        )
        without.step(moment, still, forecast.physical)
        for name, values in (
            ("lingyun", forecast.outlook.temperature_c),
            ("lstm", forecast.alone.temperature_c),
            ("correction_alone", without.apply(still).temperature_c),
            ("spread", forecast.outlook.spread_k),
        ):
            found[name][i] = [values[place] for place in places]
    return found


# --- the others ---


def yesterday(record: Record) -> Array:
    """The reading a day before each horizon."""
    steps = np.arange(record.steps)[:, np.newaxis] + _ahead(record) - record.day
    return np.asarray(np.where(steps >= 0, record.room_c[np.clip(steps, 0, record.steps - 1)], np.nan))


def ridge(record: Record, weather: str) -> Array:
    """A linear model for each horizon, fitted anew every day on everything before."""
    found = np.full((record.steps, len(SCORED_S)), np.nan)
    for place, ahead in enumerate(_ahead(record)):
        regressors = _regressors(record, int(ahead), weather)
        change_k = np.full(record.steps, np.nan)
        change_k[:-ahead] = record.room_c[ahead:] - record.room_c[:-ahead]
        first = int(FITTED_RATIO * record.split)
        tried = [
            _expanding_ridge(record, regressors, change_k, int(ahead), penalty, (first, record.split))
            for penalty in PENALTIES
        ]
        errors_k = [np.nanmean(np.abs(expected_k - change_k)[: record.split - ahead]) for expected_k in tried]
        best = PENALTIES[int(np.argmin(errors_k))]
        expected_k = _expanding_ridge(record, regressors, change_k, int(ahead), best, (record.split, record.steps))
        found[:, place] = record.room_c + expected_k
    return found


def _regressors(record: Record, ahead: int, weather: str) -> Array:
    """Lags, hour of the day and, with yesterday's weather, its means over both halves of the time ahead."""
    room_c, outdoor_c = _bridged(record.room_c, record), _bridged(record.outdoor_c, record)
    hour, _ = local_hours(record)
    columns = [_lag(room_c, lag) - room_c for lag in range(1, LAGS)]
    columns += [room_c, *(_lag(outdoor_c, lag) - room_c for lag in range(LAGS))]
    for series in (record.solar_w_m2, record.heat_w):
        if series is not None:
            columns += [_lag(_bridged(series, record), lag) for lag in range(LAGS)]
    for harmonic in HARMONICS:
        columns += [np.sin(2.0 * np.pi * harmonic * hour / 24.0), np.cos(2.0 * np.pi * harmonic * hour / 24.0)]
    if weather == "yesterday":
        half = (ahead + 1) // 2
        for series, offset in ((outdoor_c, room_c), (record.solar_w_m2, 0.0)):
            if series is not None:
                filled = _bridged(series, record)
                columns += [
                    _mean_of_yesterday(record, filled, start, end) - offset
                    for start, end in ((0, half), (half, ahead))
                    if end > start
                ]
    return np.stack(columns, axis=1)


def _expanding_ridge(
    record: Record,
    regressors: Array,
    change_k: Array,
    ahead: int,
    penalty: float,
    span: tuple[int, int],
) -> Array:
    """Expected change at the steps of a span, fitted every day on samples whose target was known by then. [K]"""
    found = np.full(record.steps, np.nan)
    whole = np.asarray(np.isfinite(regressors).all(axis=1))
    usable = whole & np.isfinite(change_k)
    every = REFIT_S // record.step_s
    for begin in range(*span, every):
        known = np.flatnonzero(usable[: max(begin - ahead + 1, 0)])
        part = slice(begin, min(begin + every, span[1]))
        if known.size < 2:
            continue
        mean, scale = regressors[known].mean(axis=0), regressors[known].std(axis=0) + 1e-9
        scaled, mean_k = (regressors[known] - mean) / scale, change_k[known].mean()
        normal = scaled.T @ scaled + penalty * known.size * np.eye(scaled.shape[1])
        slopes = np.linalg.solve(normal, scaled.T @ (change_k[known] - mean_k))
        found[part] = np.where(whole[part], (regressors[part] - mean) / scale @ slopes + mean_k, np.nan)
    return found


def two_nodes(record: Record, moments: list[RoomMoment]) -> list[Array]:
    """The two-node model, fitted anew every day on everything before: weather held or yesterday's, with heat as a unit
    that does what it did yesterday, or without."""
    histories = [(moments, False)]
    if record.heat_w is not None:
        histories.append(([_heated(moment) for moment in moments], True))
    return [
        _expanding_two_nodes(record, history, held=held, heated=heated)
        for history, heated in histories
        for held in (False, True)
    ]


def _expanding_two_nodes(record: Record, moments: list[RoomMoment], *, held: bool, heated: bool) -> Array:
    found = np.full((record.steps, len(SCORED_S)), np.nan)
    every = REFIT_S // record.step_s
    model: RcModel | None = None
    for i in range(record.split, record.steps):
        moment = moments[i]
        if model is None or (i - record.split) % every == 0:
            try:
                model = fit(moments[: i + 1])
            except NotEnoughHistory:
                continue
        else:
            model = model.follow(moment)
        if moment.room_temperature_c is None:
            continue
        if held:
            unknown = (None,) * len(HORIZONS_S)
            moment = replace(moment, outdoor_forecast_c=unknown, solar_forecast_w_m2=unknown)
        outlook = model.outlook(moment, _yesterdays_kw(record, moments, i) if heated else None)
        found[i] = [outlook.temperature_c[HORIZONS_S.index(horizon_s)] for horizon_s in SCORED_S]
    return found


def _heated(moment: RoomMoment) -> RoomMoment:
    return replace(moment, on=True, mode=Mode.HEAT, power_w=moment.heat_w)


def _yesterdays_kw(record: Record, moments: list[RoomMoment], here: int) -> list[float]:
    """Heat a day before each span between horizons. [kW]"""
    found = []
    for start_s, end_s in slices_s():
        first = here - record.day + 1 + int(start_s // record.step_s)
        last = max(first + 1, here - record.day + 1 + int(end_s // record.step_s))
        some = [moment.power_w for moment in moments[max(first, 0) : max(last, 1)] if moment.power_w is not None]
        found.append(sum(some) / len(some) / 1e3 if some else 0.0)
    return found


# --- series ---


def _ahead(record: Record) -> NDArray[np.int64]:
    return np.array(SCORED_S) // record.step_s


def _at(series: Array | None, i: int) -> float | None:
    return None if series is None or np.isnan(series[i]) else float(series[i])


def _lag(series: Array, lag: int) -> Array:
    return series if lag == 0 else np.concatenate([np.full(lag, np.nan), series[:-lag]])


def _bridged(series: Array, record: Record) -> Array:
    """Short gaps take the value before them."""
    place = np.arange(series.size)
    newest = np.maximum.accumulate(np.where(np.isfinite(series), place, 0))
    return np.asarray(np.where((place - newest) * record.step_s <= BRIDGED_S, series[newest], np.nan))


def _mean_of_yesterday(record: Record, series: Array, start: int, end: int) -> Array:
    """Mean a day before the steps after ``start`` up to ``end`` from each step; NaN where some of it is unknown."""
    known = np.isfinite(series)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, series, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    first = np.arange(record.steps) - record.day + 1 + start
    last = first + end - start
    inside = first >= 0
    first, last = np.maximum(first, 0), np.maximum(last, 0)
    whole = inside & (counts[last] - counts[first] == end - start)
    return np.asarray(np.where(whole, (sums[last] - sums[first]) / (end - start), np.nan))
