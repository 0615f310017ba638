"""What the engine keeps in memory of homes and rooms between two looks, and how it survives a restart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from control import conventional, planner
from control.absences import Span
from control.conventional import LEAST_DAYS, Program
from control.learning import USUAL_PULL_DOWN_K_PER_H
from control.overrides import UnitMemory
from control.planning import RoomPlan, new_plan, restored
from control.prediction import Predictor, RollingError, RoomForecast
from control.presence import SLOTS
from control.presence_ahead import HomePresence
from control.room_state import Place, RoomLayout
from control.setback import Setback
from control.trial import Arm
from control.weather import WeatherAhead, WeatherMemory
from core.logging import get_logger
from insights.tariff import Tariff, read_tariff
from storage.repositories.kept import UNREADABLE, Kept, all_of, check_number, readable
from storage.repositories.learned import HOME, ROOM, ComfortCurve, ComfortPoint, PersonState

log = get_logger(__name__)
Array = NDArray[np.float64]

FADE_EVERY = timedelta(hours=1)
Value = TypeVar("Value")


Answered = tuple[str | None, bool, int | None, bool | None, int | None, float | None, datetime | None, Arm | None]


@dataclass(slots=True)
class HomeMind:
    """A home: who is there when, and its weather."""

    place: Place
    presence: HomePresence
    weather: WeatherMemory
    tariff: Tariff | None = None
    saved_at: datetime | None = None
    faded_at: datetime | None = None  # when habits last faded
    _prices: tuple[datetime, Array] | None = None
    _ahead: tuple[datetime, WeatherAhead] | None = None
    _document: Mapping[str, Any] | None = None

    def take_tariff(self, document: Mapping[str, Any] | None) -> None:
        """Read a tariff's document, if it is not the one already known."""
        if document != self._document:
            self._document, self.tariff = document, None
            try:
                self.tariff = None if document is None else read_tariff(document)
            except UNREADABLE as error:
                log.error("tariff_unreadable", home_id=self.place.id, reason=str(error))

    def fade(self, now: datetime) -> None:
        """Let habits fade, once an hour."""
        if self.faded_at is not None and now - self.faded_at < FADE_EVERY:
            return
        if self.faded_at is not None:
            self.presence.forget((now - self.faded_at).total_seconds())
        self.faded_at = now

    def weather_ahead(self, now: datetime) -> WeatherAhead:
        """What is expected outdoors, worked out once for all rooms of the home."""
        if self._ahead is None or self._ahead[0] != now:
            self._ahead = now, self.weather.ahead(now, self.place.latitude, self.place.longitude)
        return self._ahead[1]

    def price_ratio_ahead(self, now: datetime) -> Array:
        """Price of a kWh in each quarter of an hour ahead over the mean of a day, shape (planner.QUARTERS,)."""
        if self._prices is None or self._prices[0] != now:
            ratio = np.ones(planner.QUARTERS)
            if self.tariff is not None:
                step = timedelta(seconds=planner.QUARTER_S)
                prices = np.array([self.price(now + i * step) for i in range(planner.QUARTERS)])
                ratio = prices / prices.mean() if prices.mean() > 0.0 else ratio
            self._prices = now, ratio
        return self._prices[1]

    def price(self, at: datetime) -> float:
        """Price of a kWh at an instant, in the first tier; 1 without a tariff (plans read ratios)."""
        if self.tariff is None:
            return 1.0
        return float(self.tariff.marginal_price(at.astimezone(self.place.zone), 0.0))


@dataclass(slots=True)
class RoomMind:
    """A room: its unit, its habits, its prediction, and what is due."""

    layout: RoomLayout
    unit: UnitMemory
    saved_at: datetime | None = None
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
    plan: RoomPlan = field(default_factory=partial(new_plan, None))
    band: tuple[tuple[ComfortCurve, PersonState, float], ComfortPoint] | None = None  # of the last look, and its basis
    setback: Setback = field(default_factory=Setback)  # whether leaving the room alone saves
    absence: Span | None = None  # the one under way, or whose recovery is
    kept_absence: Span | None = None  # as the database has it
    quiet_since: datetime | None = None  # somebody has been in since then, and changed nothing
    held_setpoint_c: float | None = None  # before a person changed it; None: the unit was off

    def answered(self) -> Answered:
        """What was answered by the last decision."""
        unit = self.unit
        last = (self.likely, self.override_id, self.held_setpoint_c, self.decide_at, self.decided_arm)
        return unit.control, unit.steered, unit.override_done, *last

    def take_back(self, before: Answered) -> None:
        """Forget a decision that could not be kept."""
        self.unit.control, self.unit.steered, self.unit.override_done = before[:3]
        self.likely, self.override_id, self.held_setpoint_c, self.decide_at, self.decided_arm = before[3:]

    @property
    def knows_program(self) -> bool:
        """Whether the household's own program is known well enough to follow."""
        return self.program is not None and self.program.days >= LEAST_DAYS


def load_home(session: Session, place: Place) -> HomeMind:
    """A home as it was kept; what cannot be read is as if it had never been learned."""
    kept = all_of(session, HOME, place.id)
    presence = _read(HOME, place.id, kept, "presence", partial(_presence, place.zone))
    return HomeMind(place, presence, _read(HOME, place.id, kept, "weather", _weather))


def load_room(session: Session, layout: RoomLayout, predictor: Predictor) -> RoomMind:
    """A room as it was kept; what cannot be read is as if it had never been learned."""
    kept = all_of(session, ROOM, layout.id)
    read = partial(_read, ROOM, layout.id, kept)
    mind = RoomMind(layout, read("unit", _unit))
    mind.program = read("conventional", _program)
    mind.pull_down_k_per_h = read("response", _pull_down)
    mind.forecast.error, mind.forecast.physics_error = read("predictor_error", _errors)
    mind.forecast.state = read("predictor", predictor.restore)
    mind.plan = read("plan", partial(_plan, layout, kept.get("plan_past")))
    mind.setback = read("setback", Setback.from_json)
    mind.absence = mind.kept_absence = read("absence", Span.from_json)
    mind.forecast.correction = read("correction", predictor.restore_correction)
    return mind


def values_of_home(mind: HomeMind) -> list[Kept]:
    """What is kept of a home."""
    home_id = mind.place.id
    return [(HOME, home_id, "presence", mind.presence.to_json()), (HOME, home_id, "weather", mind.weather.to_json())]


def values_of_unit(mind: RoomMind) -> list[Kept]:
    """What is kept of a room with every decision: it says what was done."""
    values: list[Kept] = [(ROOM, mind.layout.id, "unit", mind.unit.to_json())]
    if mind.absence != mind.kept_absence:
        values.append((ROOM, mind.layout.id, "absence", {} if mind.absence is None else mind.absence.to_json()))
    return values


def values_of_room(mind: RoomMind) -> list[Kept]:
    """What changes all the time of a room, and may be an hour old after a crash."""
    room_id, forecast = mind.layout.id, mind.forecast
    values = [*values_of_unit(mind), (ROOM, room_id, "predictor_error", forecast.to_json())]
    values.append((ROOM, room_id, "plan", mind.plan.to_json()))
    if forecast.state is not None:
        values.append((ROOM, room_id, "predictor", forecast.state.to_json()))
    return values


def values_of_lessons(mind: RoomMind) -> list[Kept]:
    """What a room has taught in the course of weeks; long, so kept once a day."""
    room_id, correction = mind.layout.id, mind.forecast.correction
    values: list[Kept] = [(ROOM, room_id, "plan_past", mind.plan.past_json())]
    if correction is not None:
        values.append((ROOM, room_id, "correction", correction.to_json()))
    return values


def values_of_habits(mind: RoomMind) -> list[Kept]:
    """What was learned of a room's history."""
    room_id = mind.layout.id
    values: list[Kept] = [(ROOM, room_id, "response", {"version": 1, "pull_down_k_per_h": mind.pull_down_k_per_h})]
    if mind.program is not None:
        values.append((ROOM, room_id, "conventional", mind.program.to_json()))
    return values


# --- reading back; each raises one of kept.UNREADABLE where a value makes no sense ---


def _read(
    scope: str, scope_id: int, kept: Mapping[str, Any], name: str, reader: Callable[[Mapping[str, Any] | None], Value]
) -> Value:
    """One value, or what its reader makes of nothing."""
    return readable(scope, scope_id, name, partial(reader, kept.get(name)), partial(reader, None))


def _presence(zone: ZoneInfo, value: Mapping[str, Any] | None) -> HomePresence:
    """Presence, room by room: one that cannot be read does not take the others along."""
    rooms = {
        room_id: slots
        for room_id, slots in dict((value or {}).get("rooms") or {}).items()
        if readable(ROOM, int(room_id), "presence", partial(_are_slots, slots), lambda: False)
    }
    presence = HomePresence.from_json(zone, None if value is None else {**value, "rooms": rooms})
    assert isinstance(presence, HomePresence)
    for power_w in presence.standby_w.values():
        check_number(power_w)
    return presence


def _plan(layout: RoomLayout, past: Mapping[str, Any] | None, value: Mapping[str, Any] | None) -> RoomPlan:
    return new_plan(layout.unit.rated_power_w) if value is None else restored(value, past)


def _are_slots(slots: Sequence[Sequence[float]]) -> bool:
    if len(slots) != SLOTS or any(len(slot) != 2 or min(map(check_number, slot)) < 0.0 for slot in slots):
        raise ValueError(f"expected {SLOTS} pairs of weights")
    return True


def _weather(value: Mapping[str, Any] | None) -> WeatherMemory:
    memory = WeatherMemory.from_json(value)
    for outdoor_c, solar_w_m2, weight in memory.hours.values():
        for number in (outdoor_c, 0.0 if solar_w_m2 is None else solar_w_m2, weight):
            check_number(number)
    return memory


def _unit(value: Mapping[str, Any] | None) -> UnitMemory:
    memory = UnitMemory.from_json(value)
    for name, expected in memory.expected.items():
        if name == "setpoint_c" and expected is not None:
            check_number(expected)
        elif expected is not None and not isinstance(expected, bool if name == "on" else str):
            raise ValueError(f"{name}: unexpected {expected!r}")
    if not isinstance(memory.control, str | None):
        raise ValueError(f"control: unexpected {memory.control!r}")
    return memory


def _program(value: Mapping[str, Any] | None) -> Program | None:
    program = Program.from_json(value)
    if program is None:
        return None
    if len(program.slots) != conventional.SLOTS:
        raise ValueError(f"expected {conventional.SLOTS} hours, got {len(program.slots)}")
    for slot in program.slots:
        check_number(slot.on_share)
        if slot.setpoint_c is not None:
            check_number(slot.setpoint_c)
    check_number(program.days)
    return program


def _pull_down(value: Mapping[str, Any] | None) -> float:
    rate = check_number((value or {}).get("pull_down_k_per_h", USUAL_PULL_DOWN_K_PER_H))
    if rate <= 0.0:
        raise ValueError(f"expected a rate above 0 K/h, got {rate}")
    return rate


def _errors(value: Mapping[str, Any] | None) -> tuple[RollingError, RollingError]:
    errors = value or {}
    both = RollingError.from_json(errors.get("lstm")), RollingError.from_json(errors.get("rc"))
    for error in both:
        for number in (*error.mae_k.values(), *error.count.values()):
            check_number(number)
    return both
