"""What the engine keeps in memory of homes and rooms between two looks, and how it survives a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from control.conventional import LEAST_DAYS, Program
from control.learning import USUAL_PULL_DOWN_K_PER_H
from control.overrides import UnitMemory
from control.prediction import Predictor, RollingError, RoomForecast
from control.presence import Presence
from control.room_state import Place, RoomLayout
from control.trial import Arm
from control.weather import WeatherMemory
from insights.tariff import Tariff, read_tariff
from storage.repositories.learned import HOME, ROOM, LearnedRepository


@dataclass(slots=True)
class HomeMind:
    """A home: who is there when, and its weather."""

    place: Place
    presence: Presence
    weather: WeatherMemory
    tariff: Tariff | None = None
    saved_at: datetime | None = None
    quarter: int | None = None  # the last quarter of an hour in which habits faded
    _document: Mapping[str, Any] | None = None

    def take_tariff(self, document: Mapping[str, Any] | None) -> None:
        """Read a tariff's document, if it is not the one already known."""
        if document != self._document:
            self._document = document
            self.tariff = None if document is None else read_tariff(document)

    def price(self, at: datetime) -> float:
        """Price of a kWh at an instant, in the first tier; 1 without a tariff (the policy reads ratios)."""
        if self.tariff is None:
            return 1.0
        return float(self.tariff.marginal_price(at.astimezone(self.place.zone), 0.0))


@dataclass(slots=True)
class RoomMind:
    """A room: its unit, its habits, its prediction, and what is due."""

    layout: RoomLayout
    unit: UnitMemory
    program: Program | None = None
    pull_down_k_per_h: float = USUAL_PULL_DOWN_K_PER_H
    forecast: RoomForecast = field(default_factory=RoomForecast)
    first_seen: float | None = None  # wall time at which this process first knew the unit's state [s]
    patience_s: float = 0.0  # pause after an error, in wall time [s]; 0: the last look at this room succeeded
    retry_at: float = 0.0  # wall time before which a room that failed is left alone [s]
    learn_at: datetime | None = None  # when to look at the history (again); None: at once
    written: bool = False  # the engine has sent something to this unit before
    predicted_at: datetime | None = None
    decide_at: datetime | None = None
    quarter: int | None = None  # the quarter of an hour whose evidence was last learned
    likely: bool | None = None  # somebody was in at the last look
    override_id: int | None = None  # the one in force at the last look
    arm: Arm | None = None  # who steers today, in a room that is compared by days
    decided_arm: Arm | None = None  # the same at the last decision
    quiet_since: datetime | None = None  # somebody has been in since then, and changed nothing
    held_setpoint_c: float | None = None  # before a person changed it; None: the unit was off

    @property
    def knows_program(self) -> bool:
        """Whether the household's own program is known well enough to follow."""
        return self.program is not None and self.program.days >= LEAST_DAYS


def load_home(session: Session, place: Place) -> HomeMind:
    """A home as it was kept."""
    kept = LearnedRepository(session).all_of(HOME, place.id)
    presence = Presence.from_json(place.zone, kept.get("presence"))
    return HomeMind(place, presence, WeatherMemory.from_json(kept.get("weather")))


def load_room(session: Session, layout: RoomLayout, predictor: Predictor) -> RoomMind:
    """A room as it was kept."""
    kept = LearnedRepository(session).all_of(ROOM, layout.id)
    mind = RoomMind(layout, UnitMemory.from_json(kept.get("unit")))
    mind.program = Program.from_json(kept.get("conventional"))
    mind.pull_down_k_per_h = (kept.get("response") or {}).get("pull_down_k_per_h", USUAL_PULL_DOWN_K_PER_H)
    errors = kept.get("predictor_error") or {}
    mind.forecast.error = RollingError.from_json(errors.get("lstm"))
    mind.forecast.physics_error = RollingError.from_json(errors.get("rc"))
    mind.forecast.state = predictor.restore(kept.get("predictor"))
    return mind


def save_home(session: Session, mind: HomeMind, now: datetime) -> None:
    """Keep a home."""
    repository = LearnedRepository(session)
    repository.put(HOME, mind.place.id, "presence", mind.presence.to_json(), now)
    repository.put(HOME, mind.place.id, "weather", mind.weather.to_json(), now)


def keep_unit(session: Session, room_id: int, memory: UnitMemory, now: datetime) -> None:
    """Keep what is known of a room's unit."""
    LearnedRepository(session).put(ROOM, room_id, "unit", memory.to_json(), now)


def save_room(session: Session, mind: RoomMind, now: datetime) -> None:
    """Keep what changes all the time of a room."""
    repository, room_id = LearnedRepository(session), mind.layout.id
    keep_unit(session, room_id, mind.unit, now)
    repository.put(ROOM, room_id, "predictor_error", mind.forecast.to_json(), now)
    if mind.forecast.state is not None:
        repository.put(ROOM, room_id, "predictor", mind.forecast.state.to_json(), now)


def save_habits(session: Session, mind: RoomMind, now: datetime) -> None:
    """Keep what was learned of a room's history."""
    repository, room_id = LearnedRepository(session), mind.layout.id
    if mind.program is not None:
        repository.put(ROOM, room_id, "conventional", mind.program.to_json(), now)
    repository.put(ROOM, room_id, "response", {"version": 1, "pull_down_k_per_h": mind.pull_down_k_per_h}, now)
