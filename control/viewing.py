"""One room at one look: from what the database says and what is remembered to what control believes of it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from control import comfort, overrides
from control.minds import HomeMind, RoomMind
from control.objective import objective_of, signal_of
from control.presence import Evidence
from control.room_state import Live, RoomLayout, RoomState, limits_of
from control.situations import RoomView
from core.words import Fan, Mode
from insights.carbon import carbon_factor
from storage.repositories.learned import ComfortCurve, ComfortPoint, PersonState, Season
from storage.tables import CommandRow, OverrideRow

JUST_NOW = timedelta(hours=1)  # a manual change says that somebody is in


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the database saw."""

    now: datetime
    live: Mapping[int, Live]
    overrides: Mapping[int, OverrideRow]  # newest open one by room
    left_at: Mapping[int, datetime]
    commands: Mapping[int, Sequence[CommandRow]]  # by device
    curves: dict[int, ComfortCurve]  # by room
    curves_at: Mapping[int, datetime]  # when each was written
    new_overrides: Sequence[OverrideRow]
    new_person_commands: Sequence[CommandRow]


@dataclass(frozen=True, slots=True)
class Seen:
    """A room at a look."""

    mind: RoomMind
    home: HomeMind
    view: RoomView
    override: OverrideRow | None
    hour_passed: bool


def evidence_of(layout: RoomLayout, state: RoomState, override: OverrideRow | None, now: datetime) -> Evidence:
    """What tells that somebody is in a room now."""
    manual = override is not None and override.target.get("on") is not False and now - override.started_at < JUST_NOW
    return Evidence(
        sensor=state.occupied,
        in_use=bool(state.active_signs) if layout.signs else None,
        unit_by_hand=state.on if layout.control == "off" else None,
        manual=manual,
    )


def view_of(mind: RoomMind, home: HomeMind, look: Look, state: RoomState, evidence: Evidence) -> RoomView:
    """A room now, with everything that is believed about what comes."""
    layout, place = mind.layout, home.place
    values = {name: pair[0] for name, pair in look.live[layout.unit.id].values.items()}
    believed = overrides.with_commands(values, look.commands[layout.unit.id])
    mode, fan = believed.get("mode"), believed.get("fan")
    local = look.now.astimezone(place.zone)
    weather = home.weather_ahead(look.now)
    occupied = home.presence.now(layout.id, look.now, evidence, look.left_at.get(layout.id))
    asleep = comfort.person_state(1.0, local.time(), limits_of(layout).quiet)
    running = None
    if believed.get("on") and mode in (Mode.COOL, Mode.DRY, Mode.HEAT):
        running = Season.HEATING if mode == Mode.HEAT else Season.COOLING
    next_day_c = weather.outdoor_between_c(0.0, 86_400.0)
    by_weather = running or comfort.season_by_weather(next_day_c)
    room_c = state.room_temperature_c if state.plausible else None
    band = _band(mind, look.curves[layout.id], asleep, next_day_c)
    season = comfort.season_of(room_c, next_day_c, band, by_weather)
    own = look.curves[layout.id].at(season, asleep)
    if own.pinned:  # what a person has set holds in any weather of its season
        band = own
    objective = objective_of(layout.objective, place.settings.get("objective"))
    signal = signal_of(objective, home.price, carbon_factor(place.carbon_kg_per_kwh, place.zone.key))
    return RoomView(
        room_id=layout.id,
        state=state,
        local=local,
        presence=home.presence,
        occupied=occupied,
        seen=evidence.weights()[0] > 0.0,
        weather=weather,
        band=band,
        season=season,
        price=signal.price,
        switched_at=_switched_at(mind, state, look.commands[layout.unit.id]),
        on=bool(believed.get("on")),
        mode=None if mode is None else Mode(mode),
        setpoint_c=believed.get("setpoint_c"),
        fan=None if fan is None else Fan(fan),
        objective=objective,
        price_source=signal.source,
    )


def _band(mind: RoomMind, curve: ComfortCurve, person: PersonState, next_day_c: float) -> ComfortPoint:
    """``comfort.point_today``, worked out where something has changed; beyond mild days the weather moves nothing."""
    basis = curve, person, min(max(next_day_c, comfort.COLD_DAY_C), comfort.WARM_DAY_C)
    if mind.band is None or mind.band[0] != basis:
        mind.band = basis, comfort.point_today(curve, person, next_day_c)
    return mind.band[1]


def left_at(session: Session, now: datetime) -> dict[int, datetime]:
    """When somebody last switched a room's unit off by hand, unless they switched it on again since."""
    query = select(OverrideRow).where(OverrideRow.started_at > now - timedelta(days=1)).order_by(OverrideRow.id)
    left: dict[int, datetime] = {}
    for row in session.scalars(query):
        if row.target.get("on") is False:
            left[row.room_id] = row.started_at
        else:
            left.pop(row.room_id, None)
    return left


def _switched_at(mind: RoomMind, state: RoomState, commands: Sequence[CommandRow]) -> datetime | None:
    """When the unit last went on or off, or will by a command that is under way."""
    for row in reversed(commands):
        if row.ended_at is None and row.observed_at is None and row.body.get("on") not in (None, state.on):
            return row.queued_at
    return mind.unit.switched_at
