"""Who is home when: one forecast, used by everything that needs it.

Per room and hour of the week two sums are kept: weight of evidence that somebody was in, and that nobody was. Silence
counts as absence only from what would have spoken: a motion sensor fully, a television or a unit that people switch
themselves a little, a unit that the engine runs not at all. Both sums halve in ten weeks, so that habits may change.

Kept in ``learned`` (scope ``home``, name ``presence``)::

    {"version": 1, "rooms": {room id: [[present, absent] x 168]}, "standby_w": {device id: power},
     "learned_to": instant in seconds since 1970}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weight = TypeVar("Weight", float, Array)

SLOTS = 168
SLOT_DAYS = 24
QUARTER_S = 900.0
QUARTER_WEIGHT = 0.25  # evidence of a quarter of an hour; a whole hour weighs 1
SILENT_SHARE = 0.25  # weight of silence of a thing that people only sometimes use
HALVES_AFTER_S = 70 * 86_400.0
LIKELY = 0.5
POOLED = 1.5  # weight of the same hour on other days of the same kind
PRIOR, PRIOR_WEIGHT = 0.7, 2.0  # before anything is known, rather somebody than nobody: comfort comes first
LOOK_AHEAD_H = 24


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tells of presence in a room at a time; None says nothing."""

    sensor: bool | None = None  # motion or presence sensors
    in_use: bool | None = None  # something that people switch
    unit_by_hand: bool | None = None  # the air conditioner, as long as people switch it
    manual: bool = False  # somebody has just changed something by hand

    def weights(self) -> tuple[float, float]:
        """Weight for presence and for absence, each 0..1."""
        if self.sensor is not None:
            return (1.0, 0.0) if self.sensor else (0.0, 1.0)
        if self.manual or self.in_use or self.unit_by_hand:
            return 1.0, 0.0
        silent = self.in_use is not None or self.unit_by_hand is not None
        return 0.0, SILENT_SHARE if silent else 0.0


@dataclass(slots=True)
class Presence:
    """The forecast of a home, room by room."""

    zone: ZoneInfo
    rooms: dict[int, list[list[float]]] = field(default_factory=dict)
    standby_w: dict[int, float] = field(default_factory=dict)
    learned_to_s: float | None = None

    def learn(self, room_id: int, at: datetime, evidence: Evidence) -> None:
        """Take in the evidence of a quarter of an hour."""
        present, absent = evidence.weights()
        slot = self._slots(room_id)[slot_of(at, self.zone)]
        slot[0] += QUARTER_WEIGHT * present
        slot[1] += QUARTER_WEIGHT * absent

    def take_over(self, other: "Presence") -> None:
        """Replace what is known of some rooms and things by what another forecast knows of them."""
        self.rooms.update(other.rooms)
        self.standby_w.update(other.standby_w)

    def forget(self, seconds: float) -> None:
        """Let what was learned fade."""
        keep = kept_ratio(seconds)
        for slots in self.rooms.values():
            for slot in slots:
                slot[0] *= keep
                slot[1] *= keep

    def usual(self, room_id: int, at: datetime) -> float:
        """How likely somebody is in a room at an instant, by habit alone; 0..1."""
        slots = self._slots(room_id)
        index = slot_of(at, self.zone)
        weekday, hour = divmod(index, SLOT_DAYS)
        alike = range(5) if weekday < 5 else range(5, 7)
        present = sum(slots[day * SLOT_DAYS + hour][0] for day in alike)
        absent = sum(slots[day * SLOT_DAYS + hour][1] for day in alike)
        own_present, own_absent = slots[index]
        return chance(own_present, own_absent, present, absent)

    def now(self, room_id: int, at: datetime, evidence: Evidence, left_at: datetime | None = None) -> float:
        """How likely somebody is in a room now; what is seen beats what is usual.

        Parameters
        ----------
        left_at : datetime or None
            When somebody switched the unit off by hand; until the next usual return, that says that they left.
        """
        if evidence.sensor is not None:
            return 1.0 if evidence.sensor else 0.0
        if evidence.manual or evidence.in_use or evidence.unit_by_hand:
            return 1.0
        if left_at is not None and not self._returned_since(room_id, left_at, at):
            return min(0.2, self.usual(room_id, at))
        return self.usual(room_id, at)

    def next_return(self, room_id: int, at: datetime) -> datetime | None:
        """The next full hour, local, from which somebody is usually in after a time when nobody is; None within a day.

        An instant at which somebody is usually in begins with the time after that.
        """
        likely = self.usual(room_id, at) >= LIKELY
        for instant in _hours(at, LOOK_AHEAD_H):
            likely_then = self.usual(room_id, instant) >= LIKELY
            if likely_then and not likely:
                return instant
            likely = likely_then
        return None

    def mean_between(self, room_id: int, at: datetime, start_s: float, end_s: float) -> float:
        """Mean of the usual presence between two times from an instant; 0..1."""
        points = [at + timedelta(seconds=point_s) for point_s in points_s(start_s, end_s)]
        return sum(self.usual(room_id, point) for point in points) / len(points)

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        rooms = {str(room_id): [[round(a, 3), round(b, 3)] for a, b in slots] for room_id, slots in self.rooms.items()}
        standby_w = {str(device_id): round(power_w, 2) for device_id, power_w in self.standby_w.items()}
        return {"version": 1, "rooms": rooms, "standby_w": standby_w, "learned_to": self.learned_to_s}

    @classmethod
    def from_json(cls, zone: ZoneInfo, value: Mapping[str, Any] | None) -> "Presence":
        """The forecast of ``to_json``."""
        value = value or {}
        return cls(
            zone,
            {int(room_id): [list(slot) for slot in slots] for room_id, slots in value.get("rooms", {}).items()},
            {int(device_id): float(power_w) for device_id, power_w in value.get("standby_w", {}).items()},
            value.get("learned_to"),
        )

    def _slots(self, room_id: int) -> list[list[float]]:
        return self.rooms.setdefault(room_id, [[0.0, 0.0] for _ in range(SLOTS)])

    def _returned_since(self, room_id: int, left_at: datetime, at: datetime) -> bool:
        if at - left_at >= timedelta(hours=LOOK_AHEAD_H):
            return True
        back = self.next_return(room_id, left_at)
        # where somebody is usually in all day there is no return to wait for
        back = left_at + timedelta(hours=4) if back is None else back
        return at >= back


def chance(present: Weight, absent: Weight, alike_present: Weight, alike_absent: Weight) -> Weight:
    """How likely somebody is in, 0..1, by the evidence of an hour of the week and of that hour on all days alike."""
    pooled = (alike_present + PRIOR_WEIGHT * PRIOR) / (alike_present + alike_absent + PRIOR_WEIGHT)
    return (present + POOLED * pooled) / (present + absent + POOLED)


def kept_ratio(seconds: float) -> float:
    """What remains of evidence after a time."""
    return float(0.5 ** (seconds / HALVES_AFTER_S))


def points_s(start_s: float, end_s: float) -> list[float]:
    """Times from now at which presence is asked for a mean between two of them: one for each half hour. [s]"""
    count = max(1, round((end_s - start_s) / 1800.0))
    step_s = (end_s - start_s) / count
    return [start_s + (i + 0.5) * step_s for i in range(count)]


class Habits:
    """What a presence sensor has taught of n homes: the evidence of ``Presence``, all homes at once.

    Clocks do not change here: an instant is a home's local time in seconds since 1970-01-01, shape (n,).
    """

    def __init__(self, n: int) -> None:
        self._homes = np.arange(n)
        self._evidence = np.zeros((2, n, 7, SLOT_DAYS))  # for presence, for absence; by weekday and hour

    def learn(self, quarter_local_s: Array, seen: NDArray[np.bool_]) -> None:
        """Take in the evidence of a quarter of an hour that has passed, and let what is older fade."""
        weekday, hour = weekday_and_hour(quarter_local_s)
        weights = [Evidence(sensor=sensor).weights() for sensor in (False, True)]
        self._evidence[:, self._homes, weekday, hour] += QUARTER_WEIGHT * np.array(weights)[seen.astype(np.int64)].T
        self._evidence *= kept_ratio(QUARTER_S)

    def usual(self, local_s: Array) -> Array:
        """How likely somebody is home at some instants of each home, by habit alone; shapes (n, instants)."""
        weekdays, weekends = self._evidence[:, :, :5].sum(axis=2), self._evidence[:, :, 5:].sum(axis=2)
        weekday, hour = weekday_and_hour(local_s)
        homes = self._homes[:, np.newaxis]
        present, absent = self._evidence[:, homes, weekday, hour]
        alike = np.where(weekday < 5, weekdays[:, homes, hour], weekends[:, homes, hour])
        return chance(present, absent, alike[0], alike[1])


def weekday_and_hour(local_s: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weekday (Monday is 0) and hour of instants of a home's clock, in seconds since 1970-01-01, a Thursday."""
    hours = np.floor(local_s / 3600.0).astype(np.int64)
    return (hours // SLOT_DAYS + 3) % 7, hours % SLOT_DAYS


def slot_of(at: datetime, zone: ZoneInfo) -> int:
    """Hour of the week in the home's zone: 0 is Monday from midnight to one."""
    local = at.astimezone(zone)
    return local.weekday() * SLOT_DAYS + local.hour


def standby_power_w(powers_w: Sequence[float]) -> float | None:
    """What a thing draws when nobody uses it: the first decile of its quarters; None with less than a day. [W]"""
    if len(powers_w) < 96:
        return None
    return sorted(powers_w)[len(powers_w) // 10]


def _hours(at: datetime, count: int) -> list[datetime]:
    """Full hours after an instant."""
    first = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return [first + timedelta(hours=i) for i in range(count)]
