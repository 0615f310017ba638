"""Presence as the engine asks for it: many times between two lessons, for many rooms at the same instant.

The answers are those of ``control.presence``. How likely somebody is in is worked out once for every hour of the week
after something was learned; which hours of the week an instant's questions fall into, once for all homes of a zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from control.presence import (
    LIKELY,
    LOOK_AHEAD_H,
    QUARTER_S,
    SLOT_DAYS,
    Evidence,
    Presence,
    chance,
    points_s,
    slot_of,
)

HOUR = timedelta(hours=1)


@dataclass(slots=True)
class HomePresence(Presence):
    """The forecast of a home, with its answers kept until something is learned."""

    _week: dict[int, list[float]] = field(default_factory=dict)  # by room, of every slot

    def learn(self, room_id: int, at: datetime, evidence: Evidence) -> None:
        """Take in the evidence of a quarter of an hour."""
        Presence.learn(self, room_id, at, evidence)
        week = self._week.get(room_id)
        if week is None:
            return
        # what was learned of an hour tells of that hour on days alike, and of no other
        weekday, hour = divmod(slot_of(at, self.zone), SLOT_DAYS)
        alike = [day * SLOT_DAYS + hour for day in (range(5) if weekday < 5 else range(5, 7))]
        slots = self._slots(room_id)
        present, absent = sum(slots[slot][0] for slot in alike), sum(slots[slot][1] for slot in alike)
        for slot in alike:
            week[slot] = chance(slots[slot][0], slots[slot][1], present, absent)

    def take_over(self, other: Presence) -> None:
        """Replace what is known of some rooms and things by what another forecast knows of them."""
        self._week.clear()
        Presence.take_over(self, other)

    def forget(self, seconds: float) -> None:
        """Let what was learned fade."""
        self._week.clear()
        Presence.forget(self, seconds)

    def to_json(self) -> dict[str, Any]:
        """As ``Presence.to_json``, whose thousands of numbers are rounded together."""
        others = replace(self, rooms={}, _week={})
        rooms = {str(room_id): np.array(slots).round(3).tolist() for room_id, slots in self.rooms.items()}
        return {**Presence.to_json(others), "rooms": rooms}

    def usual(self, room_id: int, at: datetime) -> float:
        """How likely somebody is in a room at an instant, by habit alone; 0..1."""
        return self._of_week(room_id)[slot_of(at, self.zone)]

    def next_return(self, room_id: int, at: datetime) -> datetime | None:
        """The next full hour, local, from which somebody is usually in after a time when nobody is."""
        week = self._of_week(room_id)
        slot, hours = _hours_ahead(self.zone, at)
        likely = week[slot] >= LIKELY
        for instant, slot in hours:
            likely_then = week[slot] >= LIKELY
            if likely_then and not likely:
                return instant
            likely = likely_then
        return None

    def mean_between(self, room_id: int, at: datetime, start_s: float, end_s: float) -> float:
        """Mean of the usual presence between two times from an instant; 0..1."""
        week = self._of_week(room_id)
        slots = _slots_between(self.zone, at, start_s, end_s)
        return sum([week[slot] for slot in slots]) / len(slots)

    def usual_ahead(self, room_id: int, at: datetime, quarters: int) -> NDArray[np.float64]:
        """``usual`` at an instant and every quarter of an hour after it, shape (quarters,)."""
        return np.array(self._of_week(room_id))[_slots_ahead(self.zone, at, quarters)]

    def _slots(self, room_id: int) -> list[list[float]]:
        known = self.rooms.get(room_id)
        return Presence._slots(self, room_id) if known is None else known

    def _of_week(self, room_id: int) -> list[float]:
        week = self._week.get(room_id)
        if week is None:
            self._week[room_id] = week = _week(self._slots(room_id))
        return week


def _week(slots: Sequence[Sequence[float]]) -> list[float]:
    """How likely somebody is in, by hour of the week."""
    evidence = np.array(slots).reshape(7, SLOT_DAYS, 2)
    alike = np.empty_like(evidence)
    alike[:5], alike[5:] = evidence[:5].sum(axis=0), evidence[5:].sum(axis=0)
    likely: list[float] = chance(evidence[..., 0], evidence[..., 1], alike[..., 0], alike[..., 1]).ravel().tolist()
    return likely


@lru_cache(maxsize=64)
def _hours_ahead(zone: ZoneInfo, at: datetime) -> tuple[int, tuple[tuple[datetime, int], ...]]:
    """The slot of an instant, and the full hours after it with theirs."""
    first = at.replace(minute=0, second=0, microsecond=0) + HOUR
    hours = [first + i * HOUR for i in range(LOOK_AHEAD_H)]
    return slot_of(at, zone), tuple((hour, slot_of(hour, zone)) for hour in hours)


@lru_cache(maxsize=64)
def _slots_ahead(zone: ZoneInfo, at: datetime, quarters: int) -> NDArray[np.int64]:
    return np.array([slot_of(at + timedelta(seconds=QUARTER_S * i), zone) for i in range(quarters)])


@lru_cache(maxsize=1024)
def _slots_between(zone: ZoneInfo, at: datetime, start_s: float, end_s: float) -> tuple[int, ...]:
    return tuple(slot_of(at + timedelta(seconds=point_s), zone) for point_s in points_s(start_s, end_s))
