"""The one definition of what the learned models read: names, order, units, scaling, and how "unknown" is written.

Raw values come as a mapping from name to an array of shape (n,), NaN where unknown. A feature becomes one column,
``(value - centre) / scale`` clipped to ``LIMIT``; an optional one is followed by a column that is 1 where the value is
known, and its own column is 0 where it is not. Training and serving both come through ``encode``; a saved model
carries ``describe`` of its features and is refused by code whose features differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.words import Mode
from models.words import HORIZONS_S, RoomMoment

Array = NDArray[np.floating[Any]]
Raw = Mapping[str, Array]

LIMIT = 6.0  # of a scaled value
UNKNOWN_TEMPERATURE_C = 24.0  # stands in until a room's first reading


@dataclass(frozen=True, slots=True)
class Feature:
    """One quantity that a model reads."""

    name: str
    unit: str
    centre: float = 0.0
    scale: float = 1.0
    optional: bool = False


def horizon_label(seconds: int) -> str:
    """``15min`` or ``6h``."""
    return f"{seconds // 60}min" if seconds < 3600 else f"{seconds // 3600}h"


_CYCLES = (
    Feature("hour_sine", "1"),
    Feature("hour_cosine", "1"),
    Feature("weekday_sine", "1"),
    Feature("weekday_cosine", "1"),
)

PAST: tuple[Feature, ...] = (
    Feature("step_log", "ln(s/300 s)", 0.0, 1.0),
    Feature("room_temperature_c", "°C", 24.0, 6.0, optional=True),
    Feature("last_temperature_c", "°C", 24.0, 6.0),  # the newest reading there was
    Feature("outdoor_temperature_c", "°C", 18.0, 12.0, optional=True),
    Feature("humidity_pct", "%", 55.0, 20.0, optional=True),
    Feature("solar_w_m2", "W/m2", 150.0, 250.0, optional=True),
    Feature("on", "1"),
    Feature("cooling", "1"),
    Feature("heating", "1"),
    Feature("setpoint_above_room_k", "K", 0.0, 4.0, optional=True),  # unknown while off
    Feature("power_w", "W", 300.0, 500.0, optional=True),
    Feature("occupied", "1", 0.5, 0.5, optional=True),
    *_CYCLES,
)

AHEAD: tuple[Feature, ...] = (
    Feature("last_temperature_c", "°C", 24.0, 6.0),
    Feature("cooling", "1"),
    Feature("heating", "1"),
    *_CYCLES,
    *(
        feature
        for label in map(horizon_label, HORIZONS_S)
        for feature in (
            Feature(f"planned_setpoint_above_room_k_{label}", "K", 0.0, 4.0, optional=True),  # unknown: off
            Feature(f"outdoor_above_room_k_{label}", "K", -5.0, 8.0, optional=True),
            Feature(f"solar_w_m2_{label}", "W/m2", 150.0, 250.0, optional=True),
        )
    ),
)

ACTOR_SPANS_H = ((0, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 24))
ACTOR: tuple[Feature, ...] = (
    Feature("direction", "1"),  # 1 cools, -1 heats; what follows is mirrored in heating
    Feature("excess_k", "K", 0.0, 2.0),  # beyond the edge that the unit defends now
    Feature("mass_excess_k", "K", 0.0, 2.0),
    Feature("band_k", "K", 2.5, 1.5),
    Feature("on", "1"),
    Feature("offset_k", "K", 0.0, 2.0),  # learned, of the setpoint against the room
    Feature("lacks_k", "K", 0.0, 0.5),
    Feature("unexplained_ratio", "1", 0.0, 0.1),  # heat over rated
    Feature("air_constant_h", "ln h", 0.0, 1.0),
    Feature("mass_constant_h", "ln h", 3.0, 1.0),
    Feature("rated_per_k_ratio", "ln K", 2.0, 1.0),  # rated heat over loss to outdoors
    Feature("hour_sine", "1"),
    Feature("hour_cosine", "1"),
    *(
        feature
        for start, end in ACTOR_SPANS_H
        for feature in (
            Feature(f"plan_heat_ratio_{start}_{end}h", "1", 0.3, 0.3),
            Feature(f"plan_excess_k_{start}_{end}h", "K", 0.0, 2.0),  # planned air beyond the edge
            Feature(f"chance_{start}_{end}h", "1", 0.5, 0.5),
            Feature(f"price_ratio_{start}_{end}h", "1", 1.0, 0.4),
            Feature(f"outdoor_load_k_{start}_{end}h", "K", 0.0, 8.0),
            Feature(f"solar_w_m2_{start}_{end}h", "W/m2", 150.0, 250.0),
        )
    ),
)


def describe(features: Sequence[Feature]) -> list[dict[str, object]]:
    """The definition as JSON can hold it."""
    return [asdict(feature) for feature in features]


def columns(features: Sequence[Feature]) -> list[str]:
    """Names of the columns of ``encode``, in order."""
    names = []
    for feature in features:
        names.append(feature.name)
        if feature.optional:
            names.append(f"{feature.name} known")
    return names


def encode(features: Sequence[Feature], raw: Raw) -> NDArray[np.float32]:
    """Columns of a model's input.

    Parameters
    ----------
    raw : Mapping of str to Array, shape (...)
        A value for every feature, NaN where unknown.

    Returns
    -------
    Array, shape (..., columns)

    Raises
    ------
    KeyError
        A feature is missing.
    ValueError
        A feature that is not optional is unknown.
    """
    values = np.stack([np.asarray(raw[feature.name], dtype=np.float64) for feature in features], axis=-1)
    known = np.isfinite(values)
    for i, feature in enumerate(features):
        if not feature.optional and not known[..., i].all():
            raise ValueError(f"feature {feature.name!r} [{feature.unit}] must be known, got {values[..., i]!r}")
    centres = np.array([feature.centre for feature in features])
    scaled = np.where(known, (values - centres) / np.array([feature.scale for feature in features]), 0.0)
    optional = np.array([feature.optional for feature in features])
    own = np.arange(len(features)) + np.cumsum(optional) - optional  # columns; those of "known" stand behind
    encoded = np.empty((*values.shape[:-1], len(features) + int(optional.sum())), dtype=np.float32)
    encoded[..., own] = np.clip(scaled, -LIMIT, LIMIT)
    encoded[..., own[optional] + 1] = known[..., optional]
    return encoded


def cycles(local_hour: Array, weekday: Array) -> dict[str, Array]:
    """Hour of the day and day of the week as sine and cosine."""
    hour = 2.0 * np.pi * local_hour / 24.0
    day = 2.0 * np.pi * (weekday + local_hour / 24.0) / 7.0
    return {
        "hour_sine": np.sin(hour),
        "hour_cosine": np.cos(hour),
        "weekday_sine": np.sin(day),
        "weekday_cosine": np.cos(day),
    }


def past_raw(moments: Sequence[RoomMoment], last_temperature_c: Array) -> dict[str, Array]:
    """Raw values of ``PAST`` for one step of each of n rooms."""
    on = np.array([moment.on for moment in moments], dtype=np.float64)
    setpoint_c = _values(moment.setpoint_c for moment in moments)
    return {
        "step_log": np.log(np.maximum([moment.step_s for moment in moments], 1.0) / np.float64(300.0)),
        "room_temperature_c": _values(moment.room_temperature_c for moment in moments),
        "last_temperature_c": last_temperature_c,
        "outdoor_temperature_c": _values(moment.outdoor_temperature_c for moment in moments),
        "humidity_pct": _values(moment.humidity_pct for moment in moments),
        "solar_w_m2": _values(moment.solar_w_m2 for moment in moments),
        "on": on,
        **_directions(moments),
        "setpoint_above_room_k": np.where(on > 0.0, setpoint_c - last_temperature_c, np.nan),
        "power_w": _values(moment.power_w for moment in moments),
        "occupied": _values(moment.occupied for moment in moments),
        **_moment_cycles(moments),
    }


def ahead_raw(moments: Sequence[RoomMoment], last_temperature_c: Array) -> dict[str, Array]:
    """Raw values of ``AHEAD`` for one step of each of n rooms."""
    raw = {"last_temperature_c": last_temperature_c, **_directions(moments), **_moment_cycles(moments)}
    planned_c = np.array([moment.planned_setpoint_c for moment in moments], dtype=np.float64)
    outdoor_c = np.array([moment.outdoor_forecast_c for moment in moments], dtype=np.float64)
    solar_w_m2 = np.array([moment.solar_forecast_w_m2 for moment in moments], dtype=np.float64)
    for i, label in enumerate(map(horizon_label, HORIZONS_S)):
        raw[f"planned_setpoint_above_room_k_{label}"] = planned_c[:, i] - last_temperature_c
        raw[f"outdoor_above_room_k_{label}"] = outdoor_c[:, i] - last_temperature_c
        raw[f"solar_w_m2_{label}"] = solar_w_m2[:, i]
    return raw


def _values(items: Iterable[float | None]) -> Array:
    return np.array(list(items), dtype=np.float64)  # None becomes NaN


def _directions(moments: Sequence[RoomMoment]) -> dict[str, Array]:
    return {
        "cooling": np.array([moment.mode is Mode.COOL for moment in moments], dtype=np.float64),
        "heating": np.array([moment.mode is Mode.HEAT for moment in moments], dtype=np.float64),
    }


def _moment_cycles(moments: Sequence[RoomMoment]) -> dict[str, Array]:
    return cycles(
        np.array([moment.local_hour for moment in moments], dtype=np.float64),
        np.array([moment.weekday for moment in moments], dtype=np.float64),
    )
