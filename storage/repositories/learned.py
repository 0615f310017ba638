"""What the engine has learned of a home or a room, as JSON; here stands the shape of what others read or write too.

Comfort (scope ``room``, name ``comfort``), read by whoever shows it and written by ``kept.set_comfort``::

    {"version": 2,
     "cooling": {"home": POINT, "asleep": POINT, "away": POINT},
     "heating": {"home": POINT, "asleep": POINT, "away": POINT}}

    POINT = {"neutral_c": 26.0,        room air at which people of this room are content [°C]
             "half_width_k": 1.6,      how far on either side nobody is thought to mind [K]
             "low_deviation_k": 0.8,   standard deviation of the lower edge: how sure we are [K]
             "high_deviation_k": 0.8,  of the upper edge [K]
             "observations": 0,        choices of people that it rests on
             "pinned": false}          a person set it; learning leaves it alone

Other names: ``presence`` and ``weather`` (scope ``home``), ``conventional``, ``unit``, ``response``, ``predictor``,
``predictor_error`` (scope ``room``); each is described in the module of ``control`` that writes it.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables import Json, LearnedRow

HOME, ROOM = "home", "room"
COMFORT = "comfort"

LOWEST_NEUTRAL_C, HIGHEST_NEUTRAL_C = 14.0, 32.0
LEAST_HALF_WIDTH_K, GREATEST_HALF_WIDTH_K = 0.3, 6.0
# by which used edges lie inside believed ones, as rooms wander about a setpoint; chosen on validation homes, where J is
# flat from 0.6 to 0.8 K and changes by hand still fall
MARGIN_K = 0.7
STATED_DEVIATION_K = 0.1  # of an edge that a person has set


class Season(StrEnum):
    """What the unit is needed for."""

    COOLING = "cooling"
    HEATING = "heating"


class PersonState(StrEnum):
    """What the people of a room do."""

    HOME = "home"
    ASLEEP = "asleep"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class ComfortPoint:
    """What people of a room like in one season and state."""

    neutral_c: float
    half_width_k: float  # between the middle and the believed edges
    low_deviation_k: float = 0.8
    high_deviation_k: float = 0.8
    observations: int = 0
    pinned: bool = False

    @property
    def believed_low_c(self) -> float:
        """Where the lower edge is thought to be. [°C]"""
        return self.neutral_c - self.half_width_k

    @property
    def believed_high_c(self) -> float:
        """Where the upper edge is thought to be. [°C]"""
        return self.neutral_c + self.half_width_k

    @property
    def low_c(self) -> float:
        """Lower edge of the band as it is used: a little inside the believed one. [°C]"""
        return self.neutral_c - self.used_half_width_k

    @property
    def high_c(self) -> float:
        """Upper edge of the band as it is used. [°C]"""
        return self.neutral_c + self.used_half_width_k

    @property
    def used_half_width_k(self) -> float:
        """Half of the band as it is used. [K]"""
        return max(self.half_width_k - MARGIN_K, LEAST_HALF_WIDTH_K)

    @property
    def deviation_k(self) -> float:
        """How sure the edges are: the larger of their standard deviations. [K]"""
        return max(self.low_deviation_k, self.high_deviation_k)


_POINT = tuple(one.name for one in fields(ComfortPoint))


def _prior() -> dict[Season, dict[PersonState, ComfortPoint]]:
    """What is believed before anybody has chosen anything.

    Neutral 26 °C in summer and 20 °C in winter clothing are the middles of the comfort zones of ISO 7730 category B
    for seated people (24.5 +- 1.5 and 22 +- 2 °C), moved by the wider habits of homes; asleep people in bedding like
    winter rooms cooler. Away, the band says how far a room may drift while nobody is in it.
    """
    return {
        Season.COOLING: {
            PersonState.HOME: ComfortPoint(26.0, 1.6),
            PersonState.ASLEEP: ComfortPoint(26.5, 1.8),
            PersonState.AWAY: ComfortPoint(26.0, 5.0, STATED_DEVIATION_K, STATED_DEVIATION_K),
        },
        Season.HEATING: {
            PersonState.HOME: ComfortPoint(20.5, 1.8),
            PersonState.ASLEEP: ComfortPoint(18.5, 2.4),
            PersonState.AWAY: ComfortPoint(17.0, 5.0, STATED_DEVIATION_K, STATED_DEVIATION_K),
        },
    }


@dataclass(frozen=True, slots=True)
class ComfortCurve:
    """Comfort of a room in every season and state."""

    points: dict[Season, dict[PersonState, ComfortPoint]] = field(default_factory=_prior)

    def at(self, season: Season, state: PersonState) -> ComfortPoint:
        """The point of a season and a state."""
        return self.points[season][state]

    def with_point(self, season: Season, state: PersonState, point: ComfortPoint) -> "ComfortCurve":
        """The same curve with one point changed."""
        return ComfortCurve({**self.points, season: {**self.points[season], state: point}})

    def to_json(self) -> Json:
        """The shape of this module's docstring."""
        seasons = {
            str(season): {
                str(state): {name: getattr(point, name) for name in _POINT} for state, point in states.items()
            }
            for season, states in self.points.items()
        }
        return {"version": 2, **seasons}

    @classmethod
    def from_json(cls, value: Json | None) -> "ComfortCurve":
        """The curve of ``to_json``; what is missing is the prior's. Version 1 knew one deviation, of the middle."""
        curve = cls()
        for season in Season:
            for state, point in ((value or {}).get(season) or {}).items():
                values = dict(point)
                if "deviation_k" in values:
                    values["low_deviation_k"] = values["high_deviation_k"] = values.pop("deviation_k")
                curve = curve.with_point(season, PersonState(state), ComfortPoint(**values))
        return curve


class LearnedRepository:
    """Learned values within one session; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, scope: str, scope_id: int, name: str) -> Json | None:
        """A value, or None before anything was learned."""
        row = self._row(scope, scope_id, name)
        return None if row is None else row.value

    def updated_at(self, scope: str, scope_id: int, name: str) -> datetime | None:
        """When a value was last written."""
        row = self._row(scope, scope_id, name)
        return None if row is None else row.updated_at

    def put(self, scope: str, scope_id: int, name: str, value: Json, now: datetime) -> None:
        """Write a value."""
        row = self._row(scope, scope_id, name)
        if row is None:
            self._session.add(LearnedRow(scope=scope, scope_id=scope_id, name=name, value=value, updated_at=now))
        else:
            row.value, row.updated_at = value, now
        self._session.flush()

    def all_of(self, scope: str, scope_id: int) -> dict[str, Any]:
        """Every value of a home or a room by name."""
        query = select(LearnedRow).where(LearnedRow.scope == scope, LearnedRow.scope_id == scope_id)
        return {row.name: row.value for row in self._session.scalars(query)}

    def comfort(self, room_id: int) -> ComfortCurve:
        """The comfort curve of a room; the prior before anything was learned."""
        return ComfortCurve.from_json(self.get(ROOM, room_id, COMFORT))

    def put_comfort(self, room_id: int, curve: ComfortCurve, now: datetime) -> None:
        """Write the comfort curve of a room."""
        self.put(ROOM, room_id, COMFORT, curve.to_json(), now)

    def _row(self, scope: str, scope_id: int, name: str) -> LearnedRow | None:
        return self._session.get(LearnedRow, (scope, scope_id, name))
