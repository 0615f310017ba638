"""Plans in the service: what a room has done in each quarter of an hour goes in, what its unit is to be told comes out.

The plans themselves are ``control.planner``'s. Here stands what the service keeps for them of each room, and how what
is believed of a room ahead (presence, weather, prices, comfort) comes to be read by a plan.

Kept in ``learned`` (scope ``room``): ``plan``, where the room stands::

    {"version": 1, "quarter": of 1970 up to which it has learned, "room": see control.planner.to_json}

and ``plan_past``, the quarters that it is fitted to, one float32 for each quarter and column of ``two_nodes.Past``::

    {"version": 1, "columns": base64}
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from control import comfort, correcting, planner
from control.objective import COMFORT_MARGIN_K, Objective, kept_band_c
from control.presence import LIKELY
from control.presence_ahead import HomePresence
from control.room_state import RoomLayout, limits_of
from control.situations import RoomView
from control.two_nodes import COOLING_COP, Past, heat_kw
from core.errors import ConfigurationError
from core.logging import get_logger
from core.words import Mode
from models.words import RoomMoment
from storage.repositories.learned import ComfortCurve, PersonState, Season

if TYPE_CHECKING:
    from models.actor import PlanActor

log = get_logger(__name__)
Array = NDArray[np.float64]

QUARTER_S = 900
USUAL_RATED_COOLING_W = 3500.0
LONGEST_GAP_QUARTERS = 16  # after which nothing is known of where a room stands
REFIT_QUARTERS = 96
UNKNOWN_OCCUPIED = 0.5
LEAST_METERED_RATIO = 0.5  # of the quarters, for a room to be fitted


@dataclass(slots=True)
class Before:
    """A room at the beginning of the quarter of an hour that passes now."""

    room_c: float
    outdoor_c: float
    solar_w_m2: float
    occupied: float
    steady: bool  # the unit runs as the engine told it, in the season's direction, and no override holds


@dataclass(slots=True)
class RoomPlan:
    """What is kept of a room for its plans."""

    room: Any  # a record of ``planner.ROOM``
    quarter: int | None = None  # since 1970: up to its beginning the room was learned from
    before: Before | None = None  # None: nothing is known of the quarter that passes
    past: Array = field(default_factory=lambda: np.zeros((len(Past._fields), 0)))  # oldest first
    metered: int = 0  # quarters in which the unit's power was known
    fitted_quarter: int | None = None
    season: Season | None = None  # of the newest plan; the same below
    likely: bool | None = None
    held: bool = False
    overridden: bool = False
    power_ws: float = 0.0  # energy and time of the quarter that passes, as far as power was known
    power_s: float = 0.0
    power_at: datetime | None = None

    @property
    def is_planned(self) -> bool:
        """Whether there is a plan to follow."""
        return bool(self.room["known"]) and bool(self.room["passed"] < planner.FOLLOWED)

    def see_power(self, now: datetime, power_w: float | None) -> None:
        """Take in the unit's power since the last look."""
        if self.power_at is not None and power_w is not None:
            seconds = (now - self.power_at).total_seconds()
            self.power_ws, self.power_s = self.power_ws + seconds * power_w, self.power_s + seconds
        self.power_at = now

    def to_json(self) -> dict[str, Any]:
        """``plan`` of this module's docstring."""
        return {"version": 1, "quarter": self.quarter, "room": planner.to_json(self.room)}

    def past_json(self) -> dict[str, Any]:
        """``plan_past`` of this module's docstring."""
        columns = np.ascontiguousarray(self.past, dtype="<f4").tobytes()
        return {"version": 1, "columns": base64.b64encode(columns).decode("ascii")}


@dataclass(frozen=True, slots=True)
class Target:
    """What a unit is to be told by its room's plan."""

    on: bool
    aim_c: float  # the room as planned
    setpoint_c: float
    offset_k: float  # of the setpoint against the room, as learned


@dataclass(frozen=True, slots=True)
class Planned:
    """A room whose plan is looked after."""

    plan: RoomPlan
    layout: RoomLayout
    view: RoomView
    curve: ComfortCurve
    presence: HomePresence
    price_ratio: Callable[[datetime], Array]  # over the day's mean, of the quarters ahead
    overridden: bool
    steered: bool  # what the unit is set to is the engine's
    held: bool  # the room is kept as if somebody were in


def new_plan(rated_power_w: float | None) -> RoomPlan:
    """A room of which nothing is known yet.

    Parameters
    ----------
    rated_power_w : float or None
        Electricity of the unit at its rating; None: nobody said. [W]
    """
    rated_w = USUAL_RATED_COOLING_W if rated_power_w is None else COOLING_COP * rated_power_w
    return RoomPlan(planner.new(np.array([rated_w]))[0])


def restored(value: Mapping[str, Any], past: Mapping[str, Any] | None) -> RoomPlan:
    """A room as it was kept.

    Raises
    ------
    ValueError
        The values are no such room.
    """
    try:
        plan = RoomPlan(planner.from_json(value["room"]), int(value["quarter"]))
        plan.room["passed"] = planner.FOLLOWED  # planned anew
        if past is not None:
            columns = np.frombuffer(base64.b64decode(past["columns"]), dtype="<f4").astype(np.float64)
            plan.past = columns.reshape(len(Past._fields), -1)
            plan.metered = plan.past.shape[1]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not what is kept of a plan: {error!r}") from error
    return plan


def recall(plan: RoomPlan, moments: Sequence[RoomMoment]) -> None:
    """Fill the past of a room of which none is kept from what was stored of it, oldest first."""
    if not moments or plan.past.shape[1]:
        return
    first = _quarter(moments[0].at)
    past = np.full((len(Past._fields), _quarter(moments[-1].at) - first + 1), np.nan)
    power_kw = np.full(past.shape[1], np.nan)
    heating = np.zeros(past.shape[1], dtype=np.bool_)
    for moment in moments:
        here = _quarter(moment.at) - first
        known = (moment.room_temperature_c, moment.outdoor_temperature_c, moment.solar_w_m2)
        past[:3, here] = [np.nan if value is None else value for value in known]
        heating[here] = moment.mode is Mode.HEAT
        power_kw[here] = 0.0 if not moment.on else np.nan if moment.power_w is None else moment.power_w / 1e3
    if not np.isfinite(past[1]).any():
        return
    past[1], past[2] = _held(past[1]), _held(past[2]) / 1e3 if np.isfinite(past[2]).any() else 0.0
    metered = np.isfinite(power_kw)
    past[3] = heat_kw(np.where(metered, power_kw, 0.0), plan.room["rated_kw"], heating, past[1])
    past[4] = UNKNOWN_OCCUPIED
    plan.past, plan.metered = past[:, -planner.MEMORY_QUARTERS :], int(metered.sum())


def _held(values: Array) -> Array:
    """Gaps take the value before them, or the first that is known."""
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(values[known[np.maximum(np.searchsorted(known, np.arange(values.size), side="right") - 1, 0)]])


# --- each quarter of an hour ---


def learn(rooms: Sequence[Planned]) -> None:
    """Take in the quarter of an hour that has passed in each of some rooms; call it once in each quarter."""
    going = [one for one in rooms if _goes_on(one)]
    if going:
        _learn(going)
    for one in rooms:
        _begin_quarter(one)


def _goes_on(one: Planned) -> bool:
    """Whether the quarter before was seen from its beginning; otherwise the room is looked at afresh."""
    plan, quarter = one.plan, _quarter(one.view.state.at)
    gap = None if plan.quarter is None else quarter - plan.quarter
    if gap == 1 and plan.before is not None:
        return True
    room = plan.room
    room["passed"] = planner.FOLLOWED
    room_c = _room_c(one.view)
    if gap is None or gap > LONGEST_GAP_QUARTERS:
        room["known"] = False
    elif room_c == room_c:
        room["nodes"][0] = room_c
    if gap is not None and plan.past.shape[1]:
        hole = np.repeat(plan.past[:, -1:], min(gap, planner.MEMORY_QUARTERS), axis=1)
        hole[0], hole[3] = np.nan, 0.0  # nobody knows what the room did
        plan.past = np.concatenate([plan.past, hole], axis=1)[:, -planner.MEMORY_QUARTERS :]
    rooms = room.reshape(1)
    planner.start(rooms, np.array([room_c]))
    plan.room = rooms[0].copy()
    return False


def _learn(going: Sequence[Planned]) -> None:
    rooms = _together([one.plan for one in going])
    before = [one.plan.before for one in going if one.plan.before is not None]
    views = [one.view for one in going]
    quarter = planner.Quarter(
        room_c=np.array([_room_c(view) for view in views]),
        outdoor_c=np.array([0.5 * (was.outdoor_c + view.outdoor_c) for was, view in zip(before, views, strict=True)]),
        solar_w_m2=np.array(
            [0.5 * (was.solar_w_m2 + view.solar_w_m2) for was, view in zip(before, views, strict=True)]
        ),
        power_w=np.array([one.plan.power_ws / one.plan.power_s if one.plan.power_s else np.nan for one in going]),
        heating=np.array([view.season == Season.HEATING for view in views]),
        occupied=np.array([was.occupied for was in before]),
        ran=np.array([was.steady and _is_steady(one) for was, one in zip(before, going, strict=True)]),
    )
    heat = planner.heat_kw(rooms, quarter)
    room_c = np.array([was.room_c for was in before])
    columns = np.stack([room_c, quarter.outdoor_c, quarter.solar_w_m2 / 1e3, heat, quarter.occupied], axis=1)
    planner.learn(rooms, quarter)
    for i, one in enumerate(going):
        plan = one.plan
        plan.room = rooms[i].copy()
        plan.past = np.concatenate([plan.past, columns[i, :, np.newaxis]], axis=1)[:, -planner.MEMORY_QUARTERS :]
        plan.metered = min(plan.metered + (plan.power_s > 0.0), plan.past.shape[1])


def _begin_quarter(one: Planned) -> None:
    plan, view = one.plan, one.view
    plan.quarter = _quarter(view.state.at)
    plan.before = Before(_room_c(view), view.outdoor_c, view.solar_w_m2, view.occupied, _is_steady(one))
    plan.power_ws = plan.power_s = 0.0


def _is_steady(one: Planned) -> bool:
    view = one.view
    heats = view.season == Season.HEATING
    mode = None if view.state.mode is None else str(view.state.mode)
    runs = bool(view.state.on) and mode == ("heat" if heats else "cool")
    return runs and one.steered and not one.overridden


def is_fit_due(plan: RoomPlan) -> bool:
    """Whether a room is to be fitted anew: once a day, if its unit is metered."""
    quarters = plan.past.shape[1]
    old = plan.fitted_quarter is None or (plan.quarter or 0) - plan.fitted_quarter >= REFIT_QUARTERS
    return old and quarters >= planner.YOUNG_QUARTERS and plan.metered >= LEAST_METERED_RATIO * quarters


def fit(plan: RoomPlan) -> None:
    """Fit a room to its past."""
    plan.fitted_quarter = plan.quarter
    rooms = plan.room.reshape(1)
    planner.refit(rooms, Past(*plan.past[:, np.newaxis]), planner.fit_iterations(plan.past.shape[1]))
    plan.room = rooms[0].copy()


# --- planning ---


def is_due(one: Planned) -> bool:
    """Whether a room is to be planned anew."""
    plan, view = one.plan, one.view
    if not plan.room["known"]:
        return False
    old = plan.room["passed"] >= planner.PERIOD_QUARTERS
    basis = (view.season, view.occupied >= LIKELY, one.held)
    return bool(old) or basis != (plan.season, plan.likely, plan.held) or (plan.overridden and not one.overridden)


def make(rooms: Sequence[Planned]) -> None:
    """Plan some rooms anew from now on."""
    some = _together([one.plan for one in rooms])
    heats = np.array([one.view.season == Season.HEATING for one in rooms])
    ahead, actor = _ahead(rooms), shipped_actor()
    planner.plan(some, heats, ahead)
    if actor is not None:
        on = np.array([one.view.on for one in rooms])
        local_hour = np.array([one.view.local.hour + one.view.local.minute / 60.0 for one in rooms])
        correcting.correct(some, actor, heats, ahead, on, local_hour)
    for i, one in enumerate(rooms):
        plan, view = one.plan, one.view
        plan.room = some[i].copy()
        plan.season, plan.likely, plan.held = view.season, view.occupied >= LIKELY, one.held
        plan.overridden = one.overridden


@cache
def shipped_actor() -> "PlanActor | None":
    """The actor that ships with the project; None without one, which is logged."""
    try:
        from models.actor import PlanActor

        return PlanActor.load()
    except (ImportError, ConfigurationError) as error:
        log.warning("no_actor", reason=str(error))
        return None


def targets(rooms: Sequence[tuple[RoomPlan, RoomLayout, RoomView]]) -> list[Target]:
    """What the units of some planned rooms are to be told now."""
    if not rooms:
        return []
    heats = np.array([view.season == Season.HEATING for _, _, view in rooms])
    quiet = [limits_of(layout).quiet for _, layout, _ in rooms]
    minutes = np.array([view.local.hour * 60 + view.local.minute for _, _, view in rooms])
    silent = np.ones(len(rooms), dtype=np.int64)
    for hours in set(quiet):
        same = np.array([one == hours for one in quiet])
        silent[same] = planner.silent_quarters(hours, minutes[same])
    found = planner.targets(_together([plan for plan, _, _ in rooms]), heats, silent)
    columns = (found.on, found.aim_c, found.setpoint_c, found.offset_k)
    return [Target(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _together(plans: Sequence[RoomPlan]) -> planner.Rooms:
    """Copies of the rooms' records; ``np.stack`` would work out their common type field by field."""
    rooms = np.empty(len(plans), dtype=planner.ROOM)
    for i, plan in enumerate(plans):
        rooms[i] = plan.room
    return rooms


def _ahead(rooms: Sequence[Planned]) -> planner.Ahead:
    hours = np.arange(planner.QUARTERS) * QUARTER_S // 3600
    bands = [_band_ahead_c(one) for one in rooms]
    usual = np.array([one.presence.usual_ahead(one.layout.id, one.view.state.at, planner.QUARTERS) for one in rooms])
    occupied = np.array([one.view.occupied for one in rooms])
    chance = planner.chance_ahead(occupied, usual)
    chance[np.array([one.held for one in rooms])] = 1.0
    return planner.Ahead(
        chance=chance,
        outdoor_c=np.array([one.view.weather.outdoor_c for one in rooms])[:, hours],
        solar_w_m2=np.array([one.view.weather.solar_w_m2 for one in rooms])[:, hours],
        price_ratio=np.array([_price_ratio(one) for one in rooms]),
        low_c=np.array([low_c for low_c, _ in bands]),
        high_c=np.array([high_c for _, high_c in bands]),
    )


def _price_ratio(one: Planned) -> Array:
    if one.view.price_source != "tariff":  # CO2 of a kWh is known as a mean of the year
        return np.ones(planner.QUARTERS)
    return one.price_ratio(one.view.state.at)


def _band_ahead_c(one: Planned) -> tuple[Array, Array]:
    """Edges of comfort in the quarters ahead: of people asleep while the home is quiet, of people at home otherwise."""
    view = one.view
    margin_k = COMFORT_MARGIN_K if view.objective is Objective.COMFORT else 0.0
    next_day_c = view.weather.outdoor_between_c(0.0, comfort.DAY_S)
    bands = []
    for person in (PersonState.HOME, PersonState.ASLEEP):
        point = comfort.point_today(one.curve, person, next_day_c)
        own = one.curve.at(view.season, person)
        point = own if own.pinned else point  # what a person has set holds in any weather of its season
        bands.append(kept_band_c(point.low_c, point.high_c, margin_k))
    asleep = _asleep_ahead(one.layout.home.zone, view.state.at, limits_of(one.layout).quiet)
    (home_low_c, home_high_c), (low_c, high_c) = bands
    return np.where(asleep, low_c, home_low_c), np.where(asleep, high_c, home_high_c)


@lru_cache(maxsize=64)
def _asleep_ahead(zone: ZoneInfo, at: datetime, quiet: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Whether the home is quiet in each quarter ahead."""
    times = [(at + timedelta(seconds=QUARTER_S * i)).astimezone(zone).time() for i in range(planner.QUARTERS)]
    return np.array([comfort.person_state(1.0, time, quiet) == PersonState.ASLEEP for time in times])


def _room_c(view: RoomView) -> float:
    room_c = view.state.room_temperature_c
    return float("nan") if room_c is None or not view.state.plausible else room_c


def _quarter(at: datetime) -> int:
    return int(at.timestamp()) // QUARTER_S
