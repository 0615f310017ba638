"""A room's absences as they happen: whether this one is held, what it takes, and what is learned of it.

An absence begins when nobody is likely in any more and ends when somebody is; its span goes on for the recovery after
it. What disturbs the comparison ends it unlearned: a manual change, a day or a control on which the engine does not
steer, a change of season.

Kept beside ``control.setback`` in ``learned`` (scope ``room``, name ``absence``)::

    {"version": 2, "held": ..., "left_at": us, "returned_at": us or null, "season": ..., "degree_hours": ...,
     "counted_to": us}
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from control.room_state import RoomLayout
from control.setback import LEAST_RECOVERY_H, LONGEST_H, RECOVERY_H, Absence, Setback
from control.situations import RoomView
from core.units import from_epoch_us, to_epoch_us
from storage.repositories.learned import Season
from storage.repositories.usage import metered_kwh

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
LONGEST_GAP = HOUR  # between two looks, after which nobody knows what happened
LEAST_COVERAGE = 0.9  # of a span that a meter must have seen


@dataclass(frozen=True, slots=True)
class Span:
    """An absence that has begun."""

    held: bool
    left_at: datetime
    season: Season
    counted_to: datetime  # the last look at the room, up to which degree hours are counted
    returned_at: datetime | None = None
    degree_hours: float = 0.0  # so far, beyond the edge that the unit defends [K h]

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        return {
            "version": 2,
            "held": self.held,
            "left_at": to_epoch_us(self.left_at),
            "returned_at": None if self.returned_at is None else to_epoch_us(self.returned_at),
            "season": str(self.season),
            "degree_hours": self.degree_hours,
            "counted_to": to_epoch_us(self.counted_to),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Span | None":
        """What ``to_json`` kept; None where no absence was under way."""
        if not value:
            return None
        returned = value["returned_at"]
        return cls(
            held=bool(value["held"]),
            left_at=from_epoch_us(value["left_at"]),
            season=Season(value["season"]),
            counted_to=from_epoch_us(value["counted_to"]),
            returned_at=None if returned is None else from_epoch_us(returned),
            degree_hours=float(value["degree_hours"]),
        )

    def holds(self, now: datetime) -> bool:
        """Whether the room is held now although nobody is in."""
        return self.held and self.returned_at is None and now - self.left_at <= LONGEST_H * HOUR


@dataclass(frozen=True, slots=True)
class Ended:
    """An absence whose span is over, to be metered."""

    span: Span
    end: datetime


def follow(
    span: Span | None,
    view: RoomView,
    setback: Setback,
    rng: np.random.Generator,
    *,
    away: bool,
    left: bool,
    undisturbed: bool,
) -> tuple[Span | None, Ended | None]:
    """The absence after one more look at the room, and the one that ended by it.

    Parameters
    ----------
    away : bool
        Nobody is likely in.
    left : bool
        Somebody was at the last look.
    undisturbed : bool
        The engine decides for the room today, and no manual change holds.
    """
    now = view.state.at
    if not undisturbed:
        return None, None
    if span is None:
        return (_begin(view, setback, rng) if left else None), None
    passed = now - span.counted_to
    if span.season != view.season or passed > LONGEST_GAP:
        return None, None
    span = replace(span, degree_hours=span.degree_hours + _beyond_k(view) * (passed / HOUR), counted_to=now)
    if span.returned_at is None:
        return (span if away else replace(span, returned_at=now)), None
    recovered = now - span.returned_at
    if recovered >= RECOVERY_H * HOUR:
        return (_begin(view, setback, rng) if away else None), Ended(span, now)
    if away:  # again, before the room has recovered
        return _begin(view, setback, rng), Ended(span, now) if recovered >= LEAST_RECOVERY_H * HOUR else None
    return span, None


def measure(session: Session, layout: RoomLayout, ended: Ended) -> Absence | None:
    """What an absence took by the unit's own meter; None where none saw enough of it."""
    span = ended.span
    start, end = _floor(span.left_at), _floor(ended.end)
    assert span.returned_at is not None
    for thing in layout.meters:
        energy_kwh, coverage = metered_kwh(session, thing.id, start, end)
        if coverage >= LEAST_COVERAGE:
            hours = (span.returned_at - span.left_at) / HOUR
            return Absence(span.held, hours, span.degree_hours, energy_kwh / coverage)
    return None


def _begin(view: RoomView, setback: Setback, rng: np.random.Generator) -> Span:
    now = view.state.at
    back = view.presence.next_return(view.room_id, now)
    hours = None if back is None else (back - now) / HOUR
    return Span(setback.choose(hours, rng), now, view.season, counted_to=now)


def _beyond_k(view: RoomView) -> float:
    """Outdoors beyond the edge that the unit defends. [K]"""
    beyond_k = view.outdoor_c - view.edge_c()
    return max(0.0, beyond_k if view.season == Season.COOLING else -beyond_k)


def _floor(at: datetime) -> datetime:
    quarter_us = QUARTER // timedelta(microseconds=1)
    return from_epoch_us(to_epoch_us(at) // quarter_us * quarter_us)
