"""What thirty days of stored reports say before the engine's first decision: habits, comfort, presence, response."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from control import comfort, conventional
from control.comfort import person_state
from control.history import QUARTER_S, Quarter, Setting, read_quarters, read_settings, settings_by_quarter
from control.presence import Evidence, Presence, standby_power_w
from control.room_state import RoomLayout, Thing, in_use
from control.weather import CLOUDY_SHARE, WeatherMemory, clear_sky_w_m2
from core.words import Mode
from models.words import HORIZONS_S, RoomMoment
from storage.repositories.learned import ComfortCurve, PersonState, Season

HISTORY = timedelta(days=30)
PAST = timedelta(days=7)  # for the predictor's memory and the physical model
BEFORE = timedelta(minutes=30)  # a change: what the room was like then
UNKNOWN_AHEAD = (None,) * len(HORIZONS_S)
SETTLED_S = 2 * QUARTER_S  # after a start, before the room is what people chose
DAY_WEIGHT = 0.25  # of one day's habit as a choice: a household repeats itself, it does not decide anew
USUAL_PULL_DOWN_K_PER_H = 3.0
PULL_DOWN_K_PER_H = (0.5, 12.0)

ByQuarter = Mapping[int, Setting]


@dataclass(frozen=True, slots=True)
class Habits:
    """What was learned of one room."""

    program: conventional.Program
    curve: ComfortCurve
    pull_down_k_per_h: float
    switched_at: datetime | None
    presence: Presence  # of this room alone


def learn_weather(session: Session, layout: RoomLayout, now: datetime) -> WeatherMemory:
    """The last two days outdoors."""
    memory = WeatherMemory()
    quarters = read_quarters(session, [thing.id for thing in layout.outdoor], now - timedelta(days=2), now)
    for thing in layout.outdoor[:1]:
        memory.add_quarters(quarters.get(thing.id, []))
    return memory


def learn_room(
    session: Session,
    layout: RoomLayout,
    curve: ComfortCurve,
    end: datetime,
    asleep: tuple[int, int] | None,
) -> Habits:
    """Habits of a room from the thirty days before ``end``; ``curve`` is what was believed before."""
    zone = layout.home.zone
    presence = Presence(zone)
    settings = read_settings(session, layout.unit.id, end - HISTORY, end)
    things = (*layout.thermometers, *layout.signs, layout.unit)
    quarters = read_quarters(session, {thing.id for thing in things}, end - HISTORY, end)
    held = dict(settings_by_quarter(settings, end))
    for thing in layout.signs:
        standby_w = standby_power_w(_known(quarter.power_w for quarter in quarters.get(thing.id, [])))
        if standby_w is not None:
            presence.standby_w[thing.id] = standby_w
    _learn_presence(presence, layout, held, quarters)
    air_c = _air(quarters, layout)
    return Habits(
        conventional.learn(held.items(), zone),
        _learn_comfort(curve, held, air_c, zone, asleep),
        _pull_down(held, air_c),
        _last_switch(settings),
        presence,
    )


def before_change(session: Session, layout: RoomLayout, at: datetime) -> tuple[float | None, float | None]:
    """What stored reports say of a room just before somebody changed something.

    Returns
    -------
    tuple of (float or None) and (float or None)
        Room air, None where nobody measured it or nothing is known of the unit; setpoint, None while off. [°C]
    """
    settings = read_settings(session, layout.unit.id, at - timedelta(days=1), at)
    if not settings:
        return None, None
    things = (*layout.thermometers, *layout.meters)
    air_c = _air(read_quarters(session, {thing.id for thing in things}, at - BEFORE, at), layout)
    return air_c[max(air_c)] if air_c else None, settings[-1].setpoint_c if settings[-1].on else None


def past_moments(session: Session, layout: RoomLayout, end: datetime) -> list[RoomMoment]:
    """The room's last week in quarters of an hour, as the predictor reads it; what lay ahead is left unknown."""
    start = end - PAST
    held = dict(settings_by_quarter(read_settings(session, layout.unit.id, start, end), end))
    things = (*layout.thermometers, *layout.outdoor, *layout.meters)
    quarters = read_quarters(session, {thing.id for thing in things}, start, end)
    inside_c = _air(quarters, layout)
    outdoor_c, power_w = _outdoor(quarters, layout), _power(quarters, layout)
    place = layout.home
    moments = []
    for start_s in sorted({*inside_c, *held}):
        at = datetime.fromtimestamp(start_s + QUARTER_S, tz=UTC)
        local, setting = at.astimezone(place.zone), held.get(start_s)
        sun = CLOUDY_SHARE * clear_sky_w_m2(at - timedelta(seconds=QUARTER_S / 2), place.latitude, place.longitude)
        moments.append(
            RoomMoment(
                at=at,
                local_hour=local.hour + local.minute / 60.0,
                weekday=local.weekday(),
                step_s=float(QUARTER_S),
                room_temperature_c=inside_c.get(start_s),
                outdoor_temperature_c=outdoor_c.get(start_s),
                humidity_pct=None,
                solar_w_m2=sun,
                on=setting is not None and setting.on,
                mode=None if setting is None else setting.mode,
                setpoint_c=None if setting is None else setting.setpoint_c,
                power_w=power_w.get(start_s),
                fan=None if setting is None else setting.fan,
                occupied=None,
                planned_setpoint_c=UNKNOWN_AHEAD,
                outdoor_forecast_c=UNKNOWN_AHEAD,
                solar_forecast_w_m2=UNKNOWN_AHEAD,
            )
        )
    return moments


def _outdoor(quarters: Mapping[int, Sequence[Quarter]], layout: RoomLayout) -> dict[int, float]:
    for thing in layout.outdoor:
        pairs = (
            (row.start_s, row.room_temperature_c if row.outdoor_temperature_c is None else row.outdoor_temperature_c)
            for row in quarters.get(thing.id, [])
        )
        known = {start_s: value for start_s, value in pairs if value is not None}
        if known:
            return known
    return {}


def _power(quarters: Mapping[int, Sequence[Quarter]], layout: RoomLayout) -> dict[int, float]:
    for thing in layout.meters:
        known = {row.start_s: row.power_w for row in quarters.get(thing.id, []) if row.power_w is not None}
        if known:
            return known
    return {}


def _learn_presence(
    presence: Presence, layout: RoomLayout, held: ByQuarter, quarters: Mapping[int, Sequence[Quarter]]
) -> None:
    used = {thing.id: {quarter.start_s: quarter for quarter in quarters.get(thing.id, [])} for thing in layout.signs}
    sensed: dict[int, bool] = {}
    for rows in quarters.values():
        for row in rows:
            if row.occupied is not None:
                sensed[row.start_s] = sensed.get(row.start_s, False) or row.occupied > 0.0
    starts = {*held, *sensed, *(start_s for rows in used.values() for start_s in rows)}
    for start_s in starts:
        setting = held.get(start_s)
        presence.learn(
            layout.id,
            datetime.fromtimestamp(start_s, tz=UTC),
            Evidence(
                sensor=sensed.get(start_s),
                in_use=_any_in_use(layout.signs, used, start_s, presence.standby_w),
                unit_by_hand=None if setting is None else setting.on,
            ),
        )


def _any_in_use(
    signs: Sequence[Thing], used: Mapping[int, Mapping[int, Quarter]], start_s: int, standby_w: Mapping[int, float]
) -> bool | None:
    found = None
    for thing in signs:
        quarter = used[thing.id].get(start_s)
        if quarter is not None and quarter.power_w is not None:
            found = bool(found) or in_use(quarter.power_w, standby_w.get(thing.id))
    return found


def _air(quarters: Mapping[int, Sequence[Quarter]], layout: RoomLayout) -> dict[int, float]:
    """Room air by quarter, of a room thermometer or else of the unit's own sensor. [°C]"""
    for thing in (*layout.thermometers, *layout.meters):
        air_c = {row.start_s: row.room_temperature_c for row in quarters.get(thing.id, [])}
        known = {start_s: value for start_s, value in air_c.items() if value is not None}
        if known:
            return known
    return {}


def _learn_comfort(
    curve: ComfortCurve,
    held: ByQuarter,
    air_c: Mapping[int, float],
    zone: ZoneInfo,
    asleep: tuple[int, int] | None,
) -> ComfortCurve:
    """One choice a day, season and state: the air that people had while the unit ran as they set it."""
    chosen: dict[tuple[Season, PersonState, str], list[float]] = {}
    running_s = 0
    for start_s in sorted(held):
        setting = held[start_s]
        running_s = running_s + QUARTER_S if setting.on else 0
        if running_s <= SETTLED_S or setting.setpoint_c is None or setting.mode not in (Mode.COOL, Mode.HEAT):
            continue
        local = datetime.fromtimestamp(start_s, tz=UTC).astimezone(zone)
        season = Season.COOLING if setting.mode == Mode.COOL else Season.HEATING
        state = person_state(1.0, local.time(), asleep)
        # a night belongs to the day on which it began
        day = (local - timedelta(hours=12)).date().isoformat()
        chosen.setdefault((season, state, day), []).append(air_c.get(start_s, setting.setpoint_c))
    for (season, state, _), temperatures_c in sorted(chosen.items(), key=lambda item: item[0][2]):
        point = curve.at(season, state)
        curve = curve.with_point(season, state, comfort.after_choice(point, fmean(temperatures_c), weight=DAY_WEIGHT))
    return curve


def _pull_down(held: ByQuarter, air_c: Mapping[int, float]) -> float:
    """How fast the unit changes the room in the first half hour after a start, the median of all starts. [K/h]"""
    rates = []
    for start_s, setting in held.items():
        before = held.get(start_s - QUARTER_S)
        if before is None or before.on or not setting.on or not held.get(start_s + QUARTER_S, before).on:
            continue
        first_c, later_c = air_c.get(start_s - QUARTER_S), air_c.get(start_s + QUARTER_S)
        if first_c is not None and later_c is not None:
            rates.append(abs(later_c - first_c) * 3600.0 / (2 * QUARTER_S))
    if not rates:
        return USUAL_PULL_DOWN_K_PER_H
    return min(max(median(rates), PULL_DOWN_K_PER_H[0]), PULL_DOWN_K_PER_H[1])


def _last_switch(settings: Sequence[Setting]) -> datetime | None:
    for later, earlier in zip(reversed(settings), reversed(settings[:-1]), strict=False):
        if later.on != earlier.on:
            return datetime.fromtimestamp(later.at_s, tz=UTC)
    return None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
