"""The engine for any plant: no broker, no database; measurements in, two setpoints out.

    controller = StandaloneController("America/Phoenix", 33.4, -112.0, rated_cooling_w=3500.0)
    target = controller.step(measured_at, 27.1, 40.0, 38.0, 650.0, True, 0.12, outdoor_forecast_c, solar_forecast_w_m2)

Presence, plan and guard are those of the service (``control.engine``): what the room does is gathered into quarters of
an hour and learned from, the room is fitted anew once a day, the day ahead is planned once an hour and when somebody
comes or goes, and the guard has the last word. The actor that corrects the service's plans is left out: it has learned
what beliefs about edges of comfort get wrong, and the edges here are stated. See docs/standalone.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from control import planner
from control.comfort import season_by_weather, season_of
from control.coming import Coming
from control.guard import OCCUPIED_RATIO, Action, GuardState, History, Limits, WishSource, check
from control.objective import COMFORT_MARGIN_K, Objective, kept_band_c
from control.presence import LIKELY, PRIOR, Evidence, Presence, slot_of
from control.two_nodes import Past
from control.weather import WeatherAhead, WeatherMemory
from core.words import Fan, Mode
from models.words import Wish
from storage.repositories.learned import ComfortPoint, Season

Array = NDArray[np.float64]

QUARTER_S = 900.0
QUARTER = timedelta(seconds=QUARTER_S)
HOURS_AHEAD = 24
QUARTERS_AHEAD = planner.QUARTERS
LONGEST_STEP_S = 3600.0  # beyond it something was missed, and the time between is not learned from
LONGEST_GAP_S = 4 * 3600.0  # after which nothing is known of where the room stands
REFIT_QUARTERS = 96
LEAST_METERED_RATIO = 0.5  # of the quarters, for the room to be fitted
PLAUSIBLE_C = (-30.0, 70.0)  # of a room: an empty light house in a desert passes 50 °C
EXPECTED_RATIO = 0.1  # chance of presence within a day from which a unit may start in an empty room
ROOM = 0  # there is only one
OFF = Wish(False, None, None, Fan.AUTO)
# a thermostat, not a remote control: it takes tenths at any time and does not beep
THERMOSTAT = Limits(
    unit_low_c=5.0,
    unit_high_c=45.0,
    household_low_c=5.0,
    household_high_c=45.0,
    step_k=0.05,
    dead_band_k=0.05,
    rate_k=40.0,
    writes_per_hour=12,
    quiet=None,
)


@dataclass(frozen=True, slots=True)
class Target:
    """What the plant's thermostat shall hold until the next step; None is off."""

    cooling_setpoint_c: float | None
    heating_setpoint_c: float | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A step as it was measured; NaN is unknown."""

    at: datetime
    room_c: float
    outdoor_c: float
    solar_w_m2: float
    here: float  # chance that somebody is home
    power_w: float  # since the step before


@dataclass(slots=True)
class _Quarter:
    """A quarter of an hour in the making."""

    start: datetime
    room_c: float
    sums: Array = field(default_factory=lambda: np.zeros(4))  # outdoors, sun, presence, power; times seconds
    steady: bool = True  # the unit was on all the time, in the season's direction


class _Habits(Presence):
    """The presence forecast of one room, which is asked many times between two lessons."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._known: dict[int, float] = {}

    def learn(self, room_id: int, at: datetime, evidence: Evidence) -> None:
        """Take in the evidence of a quarter of an hour."""
        self._known.clear()
        super().learn(room_id, at, evidence)

    def usual(self, room_id: int, at: datetime) -> float:
        """How likely somebody is in at an instant, by habit alone; 0..1."""
        slot = slot_of(at, self.zone)
        if slot not in self._known:
            self._known[slot] = super().usual(room_id, at)
        return self._known[slot]

    def _slots(self, room_id: int) -> list[list[float]]:
        found = self.rooms.get(room_id)
        return super()._slots(room_id) if found is None else found


class StandaloneController:
    """One room and its unit.

    Parameters
    ----------
    time_zone : str
        IANA name of the home's civil clock.
    latitude, longitude : float
        Degrees north and east.
    rated_cooling_w : float
        Heat that the unit takes from the room at its rating.
    cooling_limit_c, heating_limit_c : float
        Edges of the comfort band while somebody is home. [°C]
    setting : {"save", "comfort", "green"}
        What it is after; without a tariff and a carbon signal "green" is "save".

    Raises
    ------
    ValueError
        Limits that leave no band, an unknown zone or setting, or a unit without capacity.
    """

    def __init__(
        self,
        time_zone: str,
        latitude: float,
        longitude: float,
        rated_cooling_w: float,
        cooling_limit_c: float = 26.5,
        heating_limit_c: float = 18.0,
        setting: str = "save",
    ) -> None:
        if not heating_limit_c + 1.0 <= cooling_limit_c:
            raise ValueError(
                f"expected a cooling limit at least 1 K above the heating limit, "
                f"got {cooling_limit_c} and {heating_limit_c} °C"
            )
        if not rated_cooling_w > 0.0:
            raise ValueError(f"expected a rated cooling capacity above 0 W, got {rated_cooling_w}")
        if setting not in set(Objective):
            raise ValueError(f"expected one of {', '.join(Objective)}, got {setting!r}")
        try:
            self._zone = ZoneInfo(time_zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"expected an IANA time zone such as Europe/Berlin, got {time_zone!r}") from error
        _keep_standard_output_clean()
        self._place = (latitude, longitude)
        self._objective = Objective(setting)
        margin_k = COMFORT_MARGIN_K if self._objective is Objective.COMFORT else 0.0
        self._low_c, self._high_c = kept_band_c(heating_limit_c, cooling_limit_c, margin_k)
        self._presence = _Habits(self._zone)
        self._chances = (PRIOR,) * QUARTERS_AHEAD  # of ``presence_ahead``
        self._coming = Coming()
        self._was_home: bool | None = None  # at the last quarter of an hour, by a sensor
        self._weather = WeatherMemory()
        self._rooms = planner.new(np.array([rated_cooling_w]))
        self._past = np.zeros((len(Past._fields), 0))  # oldest first
        self._metered = 0  # quarters in which the unit's power was known
        self._unfitted = REFIT_QUARTERS  # quarters since the last fit
        self._season = Season.COOLING
        self._basis: tuple[Season, bool] | None = None  # of the newest plan: season, and whether somebody was home
        self._before: _Seen | None = None
        self._quarter: _Quarter | None = None
        self._evidence_quarter: int | None = None
        self._action = Action(OFF, write=False)
        self._target = Target(None, None)
        self._switched_at: datetime | None = None
        self._writes: tuple[datetime, ...] = ()

    def step(
        self,
        measured_at: datetime,
        room_temperature_c: float | None,
        relative_humidity_pct: float | None,
        outdoor_temperature_c: float | None,
        solar_w_m2: float | None,
        occupied: bool | float | None,
        energy_kwh: float | None,
        outdoor_forecast_c: Sequence[float] | None,
        solar_forecast_w_m2: Sequence[float] | None,
    ) -> Target:
        """Take in what was measured, learn, and say what to hold until the next step.

        Parameters
        ----------
        measured_at : datetime
            Aware, and later than at the step before; 5 to 15 minutes later.
        solar_w_m2 : float or None
            On the horizontal.
        occupied : bool, 0..1 or None
            Whether somebody is home.
        energy_kwh : float or None
            What the unit has used since the step before.
        outdoor_forecast_c, solar_forecast_w_m2 : 24 values or None
            Means of the hours from now on.

        Raises
        ------
        ValueError
            A naive or repeated instant, or a forecast of other than 24 values.
        """
        now = self._check(measured_at, outdoor_forecast_c, solar_forecast_w_m2)
        given_c, given_w_m2 = _number(outdoor_temperature_c), _number(solar_w_m2)
        if math.isfinite(given_c):
            self._weather.add(now, given_c, given_w_m2 if math.isfinite(given_w_m2) else None)
        weather = self._weather_ahead(now, outdoor_forecast_c, solar_forecast_w_m2)
        presence = _number(occupied)
        evidence = Evidence(sensor=presence >= OCCUPIED_RATIO if math.isfinite(presence) else None)
        self._learn_presence(now, evidence)
        self._chances = self._chances_from(now)
        elapsed_s = math.inf if self._before is None else (now - self._before.at).total_seconds()
        seen = _Seen(
            at=now,
            room_c=_plausible(_number(room_temperature_c)),
            outdoor_c=given_c if math.isfinite(given_c) else weather.outdoor_c[0],
            solar_w_m2=given_w_m2 if math.isfinite(given_w_m2) else weather.solar_w_m2[0],
            here=self._presence.now(ROOM, now, evidence),
            power_w=max(_number(energy_kwh), 0.0) * 3.6e6 / elapsed_s,
        )
        self._learn_room(seen)
        self._make_plan(seen, weather)
        self._act(seen)
        self._before = seen
        return self._target

    def presence_ahead(self) -> tuple[float, ...]:
        """Chance, 0..1, by habit, that somebody is home at the last step and at each quarter of an hour after; 96.

        Before the first step, what is believed of anybody.
        """
        return self._chances

    # --- taking in ---

    def _check(self, measured_at: datetime, *forecasts: Sequence[float] | None) -> datetime:
        """The instant in UTC; before anything is learned, so that what is refused changes nothing."""
        if measured_at.tzinfo is None:
            raise ValueError(f"expected an aware instant, got {measured_at.isoformat()}")
        if self._before is not None and measured_at <= self._before.at:
            raise ValueError(f"expected an instant after {self._before.at.isoformat()}, got {measured_at.isoformat()}")
        for forecast in forecasts:
            if forecast is not None and len(forecast) != HOURS_AHEAD:
                raise ValueError(f"expected a forecast of {HOURS_AHEAD} hours, got {len(forecast)}")
        return measured_at.astimezone(UTC)

    def _weather_ahead(
        self, now: datetime, outdoor_c: Sequence[float] | None, solar_w_m2: Sequence[float] | None
    ) -> WeatherAhead:
        own = self._weather.ahead(now, *self._place, hours=HOURS_AHEAD)
        return WeatherAhead(
            _forecast(outdoor_c, own.outdoor_c), _forecast(solar_w_m2, own.solar_w_m2), own.source, own.age_s
        )

    def _learn_presence(self, now: datetime, evidence: Evidence) -> None:
        quarter = int(now.timestamp() // QUARTER_S)
        if self._evidence_quarter is not None and quarter > self._evidence_quarter:
            self._presence.learn(ROOM, now - QUARTER / 2, evidence)
            self._presence.forget(QUARTER_S * (quarter - self._evidence_quarter))
            if self._was_home is not None and evidence.sensor is not None:
                before, after = (self._presence.usual(ROOM, at) for at in (now - QUARTER, now))
                self._coming.learn(before, after, self._was_home, evidence.sensor)
        if quarter != self._evidence_quarter:
            self._was_home = evidence.sensor
        self._evidence_quarter = quarter

    def _learn_room(self, seen: _Seen) -> None:
        """Share the time since the step before among quarters of an hour, and learn from those that are whole."""
        before = self._before
        if before is None or (seen.at - before.at).total_seconds() > LONGEST_STEP_S:
            self._begin_anew(seen)
            return
        assert self._quarter is not None
        values = np.array([seen.outdoor_c + before.outdoor_c, seen.solar_w_m2 + before.solar_w_m2, 0.0, 0.0]) / 2.0
        values[2:] = before.here, seen.power_w
        self._quarter.steady &= self._is_steady()
        at = before.at
        while (end := self._quarter.start + QUARTER) <= seen.at:
            self._quarter.sums += (end - at).total_seconds() * values
            share = (end - before.at) / (seen.at - before.at)
            room_c = seen.room_c if share == 1.0 else before.room_c + share * (seen.room_c - before.room_c)
            self._learn_quarter(self._quarter, room_c)
            self._quarter, at = _Quarter(end, room_c, steady=self._is_steady()), end
        self._quarter.sums += (seen.at - at).total_seconds() * values

    def _learn_quarter(self, quarter: _Quarter, room_c: float) -> None:
        outdoor_c, solar_w_m2, occupied, power_w = (quarter.sums / QUARTER_S)[:, np.newaxis]
        whole = planner.Quarter(
            room_c=np.array([room_c]),
            outdoor_c=outdoor_c,
            solar_w_m2=solar_w_m2,
            power_w=power_w,
            heating=np.array([self._heats_now(quarter.room_c)]),
            occupied=occupied,
            ran=np.array([quarter.steady]),
        )
        heat_kw = planner.heat_kw(self._rooms, whole)
        self._keep(Past(np.array([quarter.room_c]), outdoor_c, solar_w_m2 / 1e3, heat_kw, occupied))
        self._metered = min(self._metered + bool(np.isfinite(power_w[0])), self._past.shape[1])
        planner.learn(self._rooms, whole)
        self._unfitted += 1
        quarters = self._past.shape[1]
        metered = self._metered >= LEAST_METERED_RATIO * quarters
        if quarters >= planner.YOUNG_QUARTERS and self._unfitted >= REFIT_QUARTERS and metered:
            planner.refit(self._rooms, Past(*self._past[:, np.newaxis]), planner.fit_iterations(quarters))
            self._unfitted = 0

    def _begin_anew(self, seen: _Seen) -> None:
        """After a time that nobody watched: what the room did is not known, and it stands where it is now."""
        self._rooms["passed"] = planner.FOLLOWED
        gap_s = math.inf if self._before is None else (seen.at - self._before.at).total_seconds()
        if gap_s > LONGEST_GAP_S:
            self._rooms["known"] = False
        elif math.isfinite(seen.room_c):
            self._rooms["nodes"][:, 0] = seen.room_c
        if self._past.shape[1]:
            missed = min(round(gap_s / QUARTER_S), planner.MEMORY_QUARTERS)
            self._keep(Past(*np.array([[math.nan], [seen.outdoor_c], [0.0], [0.0], [seen.here]])), missed)
        planner.start(self._rooms, np.array([seen.room_c]))
        self._quarter = _Quarter(seen.at, seen.room_c, steady=self._is_steady())

    def _keep(self, quarter: Past, times: int = 1) -> None:
        columns = np.repeat(np.stack(quarter), times, axis=1)
        self._past = np.concatenate([self._past, columns], axis=1)[:, -planner.MEMORY_QUARTERS :]

    def _is_steady(self) -> bool:
        return self._action.target.on and self._action.target.mode == self._mode

    def _heats_now(self, room_c: float) -> bool:
        """What the plant used the unit for, if it used it."""
        target = self._target
        if target.cooling_setpoint_c is None or target.heating_setpoint_c is None:
            return target.heating_setpoint_c is not None
        return room_c < (target.cooling_setpoint_c + target.heating_setpoint_c) / 2.0

    # --- deciding ---

    @property
    def _mode(self) -> Mode:
        return Mode.COOL if self._season == Season.COOLING else Mode.HEAT

    def _edge_c(self) -> float:
        return self._high_c if self._season == Season.COOLING else self._low_c

    def _chances_from(self, now: datetime) -> tuple[float, ...]:
        """By hours of the home's clock; some zones are half an hour or a quarter off."""
        passed = now.astimezone(self._zone).minute // 15
        leads = range((passed + QUARTERS_AHEAD - 1) // 4 + 1)
        hours = [self._presence.usual(ROOM, now + timedelta(hours=lead)) for lead in leads]
        return tuple(hours[(passed + quarter) // 4] for quarter in range(QUARTERS_AHEAD))

    def _season_now(self, seen: _Seen, weather: WeatherAhead) -> Season:
        """As the service decides it: by weather, or as the unit runs, unless the room is far beyond the other edge."""
        next_day_c = weather.outdoor_between_c(0.0, 86_400.0)
        running = self._season if self._action.target.on else season_by_weather(next_day_c)
        half_k = (self._high_c - self._low_c) / 2.0
        room_c = seen.room_c if math.isfinite(seen.room_c) else None
        return season_of(room_c, next_day_c, ComfortPoint(self._low_c + half_k, half_k, pinned=True), running)

    def _make_plan(self, seen: _Seen, weather: WeatherAhead) -> None:
        """Plan anew where that is due."""
        rooms, home = self._rooms, seen.here >= LIKELY
        self._season = self._season_now(seen, weather)
        due = rooms["passed"][0] >= planner.PERIOD_QUARTERS or self._basis != (self._season, home)
        if not due or not rooms["known"][0]:
            return
        hours = np.arange(QUARTERS_AHEAD) // 4
        chance = self._coming.ahead(seen.here, np.array(self._chances))[np.newaxis]
        if home:  # until the next plan this one is followed only while they stay: who leaves is met by a new one
            chance[:, : planner.PERIOD_QUARTERS] = 1.0
        if self._objective is Objective.COMFORT and self._presence.next_return(ROOM, seen.at) is not None:
            chance = np.ones_like(chance)  # held for those who come back
        ahead = planner.Ahead(
            chance=chance,
            outdoor_c=np.array([weather.outdoor_c])[:, hours],
            solar_w_m2=np.array([weather.solar_w_m2])[:, hours],
            price_ratio=np.ones_like(chance),
            low_c=np.full_like(chance, self._low_c),
            high_c=np.full_like(chance, self._high_c),
        )
        planner.plan(rooms, np.array([self._season == Season.HEATING]), ahead)
        self._basis = self._season, home

    def _act(self, seen: _Seen) -> None:
        """The guard's word on what the plan wants becomes the target."""
        now, present, home = seen.at, self._action.target, seen.here >= OCCUPIED_RATIO
        wanted = planner.targets(self._rooms, np.array([self._season == Season.HEATING]))
        planned = bool(planner.is_planned(self._rooms)[0])
        wish = Wish(True, self._mode, float(wanted.setpoint_c[0]), Fan.AUTO) if planned and wanted.on[0] else OFF
        local = now.astimezone(self._zone)
        guarded = GuardState(
            source=WishSource.POLICY,
            local_minute=local.hour * 60 + local.minute,
            on=present.on,
            mode=present.mode,
            setpoint_c=present.setpoint_c,
            fan=Fan.AUTO,
            room_temperature_c=seen.room_c if math.isfinite(seen.room_c) else None,
            occupied=seen.here,
            returning=max(self._chances) >= EXPECTED_RATIO,
            season=self._season,
            comfort_low_c=self._low_c,
            comfort_high_c=self._high_c,
            fallback=Wish(True, self._mode, self._edge_c(), Fan.AUTO) if home else OFF,
            sensor_offset_k=float(wanted.offset_k[0]),
        )
        history = History(self._switched_at, self._writes, known=self._before is not None)
        self._action, _ = check(wish, THERMOSTAT, guarded, history, now)
        if self._action.write:
            self._writes = (*self._writes[1 - THERMOSTAT.writes_per_hour :], now)
        if self._action.target.on != present.on:
            self._switched_at = now
        self._target = self._with_edges(self._action.target, home)

    def _with_edges(self, wish: Wish, home: bool) -> Target:
        """While somebody is home, the thermostat also keeps the edges that the room is not expected to pass."""
        cooling_c = wish.setpoint_c if wish.on and wish.mode == Mode.COOL else None
        heating_c = wish.setpoint_c if wish.on and wish.mode == Mode.HEAT else None
        if not home:
            return Target(cooling_c, heating_c)
        if cooling_c is None:
            cooling_c = self._high_c if heating_c is None else max(self._high_c, heating_c + 1.0)
        if heating_c is None:
            heating_c = min(self._low_c, cooling_c - 1.0)
        return Target(cooling_c, heating_c)


def _keep_standard_output_clean() -> None:
    """In a script that has not set up structlog, log lines go where the standard library's go, not to its output."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, structlog.processors.KeyValueRenderer(key_order=["event"])],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )


def _number(value: float | None) -> float:
    """NaN for what is missing or no number."""
    return math.nan if value is None or not math.isfinite(value) else float(value)


def _plausible(room_c: float) -> float:
    return room_c if PLAUSIBLE_C[0] <= room_c <= PLAUSIBLE_C[1] else math.nan


def _forecast(given: Sequence[float] | None, own: Sequence[float]) -> tuple[float, ...]:
    """A forecast as given, with the home's own where it is not known."""
    if given is None:
        return tuple(own)
    known = (_number(value) for value in given)
    return tuple(value if math.isfinite(value) else fallback for value, fallback in zip(known, own, strict=True))
