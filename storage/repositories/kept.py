"""Learned values read back with suspicion: what makes no sense is logged once and counts as never learned.

A value may be of an older version, edited by hand, or damaged on disk. It must cost its own room what it had learned,
and nobody anything else. The next time something is learned, it is written over.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from core.errors import InvalidRequest
from core.logging import get_logger
from core.units import to_epoch_us
from storage.bulk import insert_rows, to_json
from storage.repositories.learned import (
    COMFORT,
    GREATEST_HALF_WIDTH_K,
    HIGHEST_NEUTRAL_C,
    LEAST_HALF_WIDTH_K,
    LOWEST_NEUTRAL_C,
    MARGIN_K,
    ROOM,
    STATED_DEVIATION_K,
    ComfortCurve,
    ComfortPoint,
    LearnedRepository,
    PersonState,
    Season,
)
from storage.tables import Json, LearnedRow

log = get_logger(__name__)

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)  # of readers that met nonsense
Value = TypeVar("Value")
Kept = tuple[str, int, str, Json]  # scope, id, name and value


def readable(scope: str, scope_id: int, name: str, read: Callable[[], Value], prior: Callable[[], Value]) -> Value:
    """What ``read`` makes of a value, or the prior where it cannot."""
    try:
        return read()
    except UNREADABLE as error:
        _say(scope, scope_id, name, repr(error)[:200])
        return prior()


def all_of(session: Session, scope: str, scope_id: int) -> dict[str, Any]:
    """Every value of a home or a room by name; one that is no JSON counts as missing."""
    try:
        return LearnedRepository(session).all_of(scope, scope_id)
    except ValueError:
        names = session.scalars(
            select(LearnedRow.name).where(LearnedRow.scope == scope, LearnedRow.scope_id == scope_id)
        ).all()
    return {name: _one(session, scope, scope_id, name) for name in names}


def put(session: Session, scope: str, scope_id: int, name: str, value: Json, now: datetime) -> None:
    """Write a value, over whatever is there."""
    try:
        LearnedRepository(session).put(scope, scope_id, name, value, now)
    except ValueError:  # what is there cannot even be loaded
        session.execute(
            update(LearnedRow)
            .where(LearnedRow.scope == scope, LearnedRow.scope_id == scope_id, LearnedRow.name == name)
            .values(value=value, updated_at=now)
            .execution_options(synchronize_session=False)
        )


def put_many(session: Session, values: Sequence[Kept], now: datetime) -> None:
    """Write values in one statement, over whatever is there."""
    at_us = to_epoch_us(now)
    rows = [(scope, scope_id, name, to_json(value), at_us) for scope, scope_id, name, value in values]
    over = "(scope, scope_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
    insert_rows(session.connection(), cast(Table, LearnedRow.__table__), rows, over)


def comfort_of(session: Session, room_id: int) -> ComfortCurve:
    """The comfort curve of a room; the prior where nothing sensible was learned."""

    def read() -> ComfortCurve:
        return _checked(LearnedRepository(session).comfort(room_id))

    return readable(ROOM, room_id, COMFORT, read, ComfortCurve)


def comfort_from(room_id: int, text: str) -> ComfortCurve:
    """The comfort curve of a room from its text; the prior where that makes no sense."""

    def read() -> ComfortCurve:
        return _checked(ComfortCurve.from_json(json.loads(text)))

    return readable(ROOM, room_id, COMFORT, read, ComfortCurve)


def put_comfort(session: Session, room_id: int, curve: ComfortCurve, now: datetime) -> None:
    """Write the comfort curve of a room, over whatever is there."""
    put(session, ROOM, room_id, COMFORT, curve.to_json(), now)


def set_comfort(
    session: Session,
    room_id: int,
    season: Season,
    state: PersonState,
    now: datetime,
    *,
    neutral_c: float | None = None,
    half_width_k: float | None = None,
    pinned: bool | None = None,
) -> ComfortCurve:
    """A person's own setting of the band that is used in one point of a room's curve; None leaves a value as it is.

    The engine uses it from its next decision on. A point that is not pinned goes on learning from there.

    Raises
    ------
    InvalidRequest
        A value outside what people can be content with.
    """
    _check_within("neutral_c", neutral_c, LOWEST_NEUTRAL_C, HIGHEST_NEUTRAL_C, "°C")
    _check_within("half_width_k", half_width_k, LEAST_HALF_WIDTH_K, GREATEST_HALF_WIDTH_K, "K")
    curve = comfort_of(session, room_id)
    point = curve.at(season, state)
    if neutral_c is not None or half_width_k is not None:
        point = replace(
            point,
            neutral_c=point.neutral_c if neutral_c is None else neutral_c,
            half_width_k=(point.used_half_width_k if half_width_k is None else half_width_k) + MARGIN_K,
            low_deviation_k=STATED_DEVIATION_K,
            high_deviation_k=STATED_DEVIATION_K,
        )
    if pinned is not None:
        point = replace(point, pinned=pinned)
    curve = curve.with_point(season, state, point)
    put_comfort(session, room_id, curve, now)
    return curve


def check_number(value: object) -> float:
    """The value, if it is a finite number.

    Raises
    ------
    ValueError
        It is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"expected a number, got {value!r}")
    return float(value)


def _checked(curve: ComfortCurve) -> ComfortCurve:
    for states in curve.points.values():
        for point in states.values():
            _check(point)
    return curve


def _check(point: ComfortPoint) -> None:
    for one in fields(point):
        value = getattr(point, one.name)
        if one.name == "pinned":
            if not isinstance(value, bool):
                raise ValueError(f"pinned: expected true or false, got {value!r}")
        else:
            check_number(value)
    if not point.low_c <= point.high_c:
        raise ValueError(f"expected a band, got {point.low_c} to {point.high_c} °C")


def _one(session: Session, scope: str, scope_id: int, name: str) -> Json | None:
    def read() -> Json | None:
        return LearnedRepository(session).get(scope, scope_id, name)

    return readable(scope, scope_id, name, read, lambda: None)


@lru_cache(maxsize=1024)  # an engine looks four times a second
def _say(scope: str, scope_id: int, name: str, why: str) -> None:
    log.error("learned_unreadable", scope=scope, scope_id=scope_id, name=name, reason=why)


def _check_within(name: str, value: float | None, low: float, high: float, unit: str) -> None:
    if value is not None and not low <= value <= high:
        raise InvalidRequest(f"{name}: expected {low} to {high} {unit}, got {value}")
