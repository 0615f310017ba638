"""The engine for any plant: no broker, no database; measurements in, two setpoints out.

    controller = StandaloneController("America/Phoenix", 33.4, -112.0, rated_cooling_w=3500.0)
    target = controller.step(measured_at, 27.1, 40.0, 38.0, 650.0, True, 0.12, outdoor_forecast_c, solar_forecast_w_m2)

Predictor, policy, presence and guard are those of the service (``control.engine``). What comes on top is a plan on the
room's own learned answer (``control.plan``): once three days have been watched, the policy's wish stands unless the
plan expects another setpoint to cost less; until then, and while the room's temperature is not known, it stands alone.
The guard has the last word. See docs/standalone.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from control import plan
from control.comfort import season_by_weather, season_of
from control.guard import OCCUPIED_RATIO, Action, GuardState, History, Limits, WishSource, check
from control.plan import Coming, Plan
from control.presence import PRIOR, Evidence, Presence, slot_of
from control.response import QUARTER_S, QuarterHour, Response
from control.room_state import RoomState
from control.situations import RoomView
from control.weather import WeatherAhead, WeatherMemory
from control.wishes import by_rule
from core.words import Fan, Mode
from models.words import Wish
from storage.repositories.learned import ComfortPoint, Season

Array = NDArray[np.float64]

HOURS_AHEAD = 24
QUARTERS_AHEAD = 96
DECISION_PERIOD, SLACK = timedelta(seconds=QUARTER_S), timedelta(minutes=2)
LONGEST_STEP_S = 3600.0  # beyond it something was missed, and the time between is not learned from
# of a K.h outside the band: its price is 0.5 kWh, and a plan errs a little to its own advantage: 30 % more, assumed
WEIGHT_KWH = {"save": 0.65, "comfort": 2.0, "green": 0.65}
PLAUSIBLE_C = (-30.0, 70.0)  # of a room: an empty light house in a desert passes 50 °C
EXPECTED_RATIO = 0.1  # chance of presence from which a unit may start in an empty room
EXPECTED_QUARTERS = 16  # within which somebody is expected
STAY_KWH = 5e-4  # what another setpoint has to save within the plan's horizon
EVEN_KWH = 1e-6  # costs that differ by less are the same
ROOM = 0  # there is only one
OFF = Wish(False, None, None, Fan.AUTO)
# a thermostat, not a remote control: it takes tenths at any time and does not beep
THERMOSTAT = Limits(
    unit_low_c=5.0,
    unit_high_c=45.0,
    household_low_c=5.0,
    household_high_c=45.0,
    step_k=0.05,
    dead_band_k=0.1,
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
class _Wished:
    """A decision."""

    at: datetime
    home: bool
    wish: Wish


@dataclass(slots=True)
class _Quarter:
    """A quarter of an hour in the making."""

    start: datetime
    room_c: float
    seconds: float = 0.0
    sums: Array = field(default_factory=lambda: np.zeros(3))  # outdoors, sun, presence; times seconds
    energy_kwh: float = 0.0
    whole: bool = True  # nothing was missing


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
        How dear discomfort is; without a tariff and a carbon signal "green" is "save".

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
        if setting not in WEIGHT_KWH:
            raise ValueError(f"expected one of {', '.join(WEIGHT_KWH)}, got {setting!r}")
        try:
            self._zone = ZoneInfo(time_zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"expected an IANA time zone such as Europe/Berlin, got {time_zone!r}") from error
        _keep_standard_output_clean()
        self._place = (latitude, longitude)
        self._high_c, self._low_c = cooling_limit_c, heating_limit_c
        self._weight_kwh = WEIGHT_KWH[setting]
        half_k = (cooling_limit_c - heating_limit_c) / 2.0
        self._band = ComfortPoint(heating_limit_c + half_k, half_k, pinned=True)
        self._presence = _Habits(self._zone)
        self._coming = Coming()
        self._was_home: bool | None = None  # at the last quarter of an hour, by a sensor
        self._weather = WeatherMemory()
        self._response = Response(latitude, longitude, rated_cooling_w)
        self._plan: Plan | None = None
        self._planned_at: datetime | None = None
        self._season = Season.COOLING
        self._at: datetime | None = None
        self._quarter: _Quarter | None = None
        self._evidence_quarter: int | None = None
        self._wish: _Wished | None = None
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
        elapsed_s = None if self._at is None else (now - self._at).total_seconds()
        presence, used_kwh = _known(occupied), _known(energy_kwh)
        state = self._state(
            now,
            _known(room_temperature_c),
            _known(relative_humidity_pct),
            _known(outdoor_temperature_c),
            _known(solar_w_m2),
            None if presence is None else presence >= OCCUPIED_RATIO,
            None if used_kwh is None or not elapsed_s else max(used_kwh, 0.0) * 3.6e6 / elapsed_s,
        )
        evidence = Evidence(sensor=state.occupied)
        self._learn_presence(now, evidence)
        here = self._presence.now(ROOM, now, evidence)
        self._learn_room(state, here, elapsed_s)
        weather = self._weather_ahead(state, outdoor_forecast_c, solar_forecast_w_m2)
        self._make_plan(state, weather)
        view = self._view(state, here, weather)
        home = here >= OCCUPIED_RATIO
        # what was planned for a quarter of an hour is given that time, unless somebody comes or goes
        if self._wish is None or home != self._wish.home or now - self._wish.at >= DECISION_PERIOD - SLACK:
            self._wish = _Wished(now, home, self._choose(view))
        self._act(view, self._wish.wish)
        self._at = now
        return self._target

    def presence_ahead(self) -> tuple[float, ...]:
        """Chance, 0..1, by habit, that somebody is home at the last step and at each quarter of an hour after; 96.

        Before the first step, what is believed of anybody.
        """
        return (PRIOR,) * QUARTERS_AHEAD if self._at is None else self._chances(self._at, QUARTERS_AHEAD)

    # --- taking in ---

    def _check(self, measured_at: datetime, *forecasts: Sequence[float] | None) -> datetime:
        """The instant in UTC; before anything is learned, so that what is refused changes nothing."""
        if measured_at.tzinfo is None:
            raise ValueError(f"expected an aware instant, got {measured_at.isoformat()}")
        if self._at is not None and measured_at <= self._at:
            raise ValueError(f"expected an instant after {self._at.isoformat()}, got {measured_at.isoformat()}")
        for forecast in forecasts:
            if forecast is not None and len(forecast) != HOURS_AHEAD:
                raise ValueError(f"expected a forecast of {HOURS_AHEAD} hours, got {len(forecast)}")
        return measured_at.astimezone(UTC)

    def _state(
        self,
        now: datetime,
        room_c: float | None,
        humidity_pct: float | None,
        outdoor_c: float | None,
        solar_w_m2: float | None,
        occupied: bool | None,
        power_w: float | None,
    ) -> RoomState:
        wish = self._action.target
        return RoomState(
            at=now,
            online=True,
            heard=True,
            on=wish.on,
            mode=wish.mode,
            setpoint_c=wish.setpoint_c,
            fan=Fan.AUTO,
            power_w=power_w,
            room_temperature_c=room_c,
            room_temperature_from=None if room_c is None else "thermometer",
            plausible=room_c is None or PLAUSIBLE_C[0] <= room_c <= PLAUSIBLE_C[1],
            humidity_pct=humidity_pct,
            outdoor_temperature_c=outdoor_c,
            solar_w_m2=solar_w_m2,
            occupied=occupied,
            active_signs=(),
        )

    def _learn_presence(self, now: datetime, evidence: Evidence) -> None:
        quarter = int(now.timestamp() // QUARTER_S)
        if self._evidence_quarter is not None and quarter > self._evidence_quarter:
            self._presence.learn(ROOM, now - timedelta(seconds=QUARTER_S / 2.0), evidence)
            self._presence.forget(QUARTER_S * (quarter - self._evidence_quarter))
            if self._was_home is not None and evidence.sensor is not None:
                before, after = self._smooth_chances(now - DECISION_PERIOD, 2)
                self._coming.learn(before, after, self._was_home, evidence.sensor)
        if quarter != self._evidence_quarter:
            self._was_home = evidence.sensor
        self._evidence_quarter = quarter

    def _learn_room(self, state: RoomState, here: float, elapsed_s: float | None) -> None:
        """Add the step that has passed to its quarter of an hour, and learn from it when it is whole."""
        now, room_c = state.at, state.room_temperature_c
        if room_c is None or not state.plausible:
            self._quarter = None
            return
        if self._quarter is not None and elapsed_s is not None:
            quarter = self._quarter
            parts = (state.outdoor_temperature_c, state.solar_w_m2, state.power_w)
            if elapsed_s > LONGEST_STEP_S or any(part is None for part in parts):
                self._quarter = None
            else:
                outdoor_c, solar_w_m2, power_w = (part or 0.0 for part in parts)
                quarter.sums += elapsed_s * np.array([outdoor_c, solar_w_m2, here])
                quarter.energy_kwh += power_w * elapsed_s / 3.6e6
                quarter.seconds += elapsed_s
                if quarter.seconds >= QUARTER_S - 1.0:
                    self._response.learn(self._finished(quarter, room_c))
                    self._quarter = None
        if self._quarter is None:
            self._quarter = _Quarter(now, room_c)

    def _finished(self, quarter: _Quarter, room_c: float) -> QuarterHour:
        outdoor_c, solar_w_m2, here = (quarter.sums / quarter.seconds).tolist()
        per_quarter = QUARTER_S / quarter.seconds
        return QuarterHour(
            start_s=quarter.start.timestamp(),
            room_c=quarter.room_c,
            room_after_c=quarter.room_c + (room_c - quarter.room_c) * per_quarter,
            outdoor_c=outdoor_c,
            solar_w_m2=solar_w_m2,
            occupied=here,
            power_kw=quarter.energy_kwh * 3600.0 / quarter.seconds,
            heating=self._heats_now(quarter.room_c),
        )

    def _heats_now(self, room_c: float) -> bool:
        """What the plant used the unit for, if it used it."""
        target = self._target
        if target.cooling_setpoint_c is None or target.heating_setpoint_c is None:
            return target.heating_setpoint_c is not None
        return room_c < (target.cooling_setpoint_c + target.heating_setpoint_c) / 2.0

    def _weather_ahead(
        self, state: RoomState, outdoor_c: Sequence[float] | None, solar_w_m2: Sequence[float] | None
    ) -> WeatherAhead:
        if state.outdoor_temperature_c is not None:
            self._weather.add(state.at, state.outdoor_temperature_c, state.solar_w_m2)
        own = self._weather.ahead(state.at, *self._place, hours=HOURS_AHEAD)
        return WeatherAhead(
            _forecast(outdoor_c, own.outdoor_c), _forecast(solar_w_m2, own.solar_w_m2), own.source, own.age_s
        )

    # --- deciding ---

    def _quarters_passed(self, now: datetime) -> int:
        """Of the hour by the home's clock, 0..3; some zones are half an hour or a quarter off."""
        return now.astimezone(self._zone).minute // 15

    def _chances(self, now: datetime, quarters: int) -> tuple[float, ...]:
        passed = self._quarters_passed(now)
        hours = [
            self._presence.usual(ROOM, now + timedelta(hours=lead)) for lead in range((passed + quarters - 1) // 4 + 1)
        ]
        return tuple(hours[(passed + quarter) // 4] for quarter in range(quarters))

    def _smooth_chances(self, now: datetime, quarters: int) -> Array:
        """Chances that go straight from the middle of an hour of the clock to the middle of the next.

        Habits are kept by hours of the clock; people do not come on the stroke of them.
        """
        passed = self._quarters_passed(now)
        hours = -((-quarters - passed) // 4) + 1
        first = now - timedelta(seconds=QUARTER_S * passed)
        middles = np.arange(-2, 4 * hours, 4) - passed  # in quarters from now, the one of the hour before first
        chances = [self._presence.usual(ROOM, first + timedelta(hours=lead)) for lead in range(-1, hours)]
        return np.asarray(np.interp(np.arange(quarters), middles, chances))

    def _make_plan(self, state: RoomState, weather: WeatherAhead) -> None:
        """Plan anew where that is due and the room is known."""
        fitted, room_c = self._response.coefficients, state.room_temperature_c
        due = self._planned_at is None or state.at - self._planned_at >= plan.PERIOD
        if fitted is None or room_c is None or not state.plausible or not due:
            return
        hours = (np.arange(plan.HORIZON) + 0.5) / 4.0
        middles = np.arange(HOURS_AHEAD) + 0.5
        outdoor_c = np.interp(hours, middles, weather.outdoor_c)
        solar_w_m2 = np.interp(hours, middles, weather.solar_w_m2)
        chance = self._smooth_chances(state.at, plan.HORIZON + 1)
        ahead = self._response.ahead(state.at.timestamp(), room_c, outdoor_c, solar_w_m2, chance[:-1])
        self._season = self._season_of(plan.free_c(fitted, ahead), room_c)
        heating = self._season == Season.HEATING
        flows = self._coming.flows(chance)
        self._plan = plan.make(
            self._response, ahead, flows, float(chance[-1]), self._edge_c(), heating, self._weight_kwh
        )
        self._planned_at = state.at

    def _season_of(self, free_c: Array, room_c: float) -> Season:
        """Which edge the room would pass without its unit; where neither, as before."""
        path = np.concatenate([[room_c], free_c])
        over_k = float(np.maximum(path - self._high_c, 0.0).sum())
        under_k = float(np.maximum(self._low_c - path, 0.0).sum())
        if over_k == under_k:
            return self._season
        return Season.COOLING if over_k > under_k else Season.HEATING

    def _edge_c(self) -> float:
        return self._high_c if self._season == Season.COOLING else self._low_c

    def _view(self, state: RoomState, here: float, weather: WeatherAhead) -> RoomView:
        wish = self._action.target
        if self._plan is None:
            day_c = weather.outdoor_between_c(0.0, 86_400.0)
            self._season = season_of(state.room_temperature_c, day_c, self._band, season_by_weather(day_c))
        return RoomView(
            room_id=ROOM,
            state=state,
            local=state.at.astimezone(self._zone),
            presence=self._presence,
            occupied=here,
            seen=state.occupied is not None,
            weather=weather,
            band=self._band,
            season=self._season,
            price=lambda at: 1.0,
            switched_at=self._switched_at,
            on=wish.on,
            mode=wish.mode,
            setpoint_c=wish.setpoint_c,
            fan=Fan.AUTO,
        )

    def _choose(self, view: RoomView) -> Wish:
        """The policy's wish, or what the plan expects to cost less."""
        room_c = view.state.room_temperature_c
        if room_c is None or not view.state.plausible:
            return OFF  # the guard puts the fallback in its place
        returning = max(self._chances(view.state.at, 5)) >= OCCUPIED_RATIO
        wish = by_rule(view, room_c, expected=returning)
        if self._plan is None or self._planned_at is None:
            return wish
        quarter = int((view.state.at - self._planned_at).total_seconds() // QUARTER_S)
        heating = self._season == Season.HEATING
        mode, sign = (Mode.HEAT, -1.0) if heating else (Mode.COOL, 1.0)
        off_c = sign * math.inf
        named_c = [
            one.setpoint_c if one.on and one.mode == mode and one.setpoint_c is not None else off_c
            for one in (self._action.target, wish)
        ]
        options_c = np.concatenate([named_c, [off_c], self._edge_c() + sign * plan.SETPOINT_K])
        home = view.occupied >= OCCUPIED_RATIO
        cost = self._plan.cost(quarter, room_c, self._response.mass_c, home, options_c)
        cost[0] -= STAY_KWH
        best_c = float(
            options_c[int(np.argmax(cost <= cost.min() + EVEN_KWH))]
        )  # the first of those that cost the same
        return OFF if math.isinf(best_c) else Wish(True, mode, best_c, Fan.AUTO)

    def _act(self, view: RoomView, wish: Wish) -> None:
        """The guard's word on a wish becomes the target."""
        now, present = view.state.at, self._action.target
        home = view.occupied >= OCCUPIED_RATIO
        mode = Mode.COOL if self._season == Season.COOLING else Mode.HEAT
        guarded = GuardState(
            source=WishSource.POLICY,
            local_minute=view.local.hour * 60 + view.local.minute,
            on=present.on,
            mode=present.mode,
            setpoint_c=present.setpoint_c,
            fan=Fan.AUTO,
            room_temperature_c=view.state.room_temperature_c,
            plausible=view.state.plausible,
            occupied=view.occupied,
            returning=max(self._chances(now, EXPECTED_QUARTERS)) >= EXPECTED_RATIO,
            season=self._season,
            comfort_low_c=self._low_c,
            comfort_high_c=self._high_c,
            fallback=Wish(True, mode, self._edge_c(), Fan.AUTO) if home else OFF,
        )
        history = History(self._switched_at, self._writes, known=self._at is not None)
        self._action, _ = check(wish, THERMOSTAT, guarded, history, now)
        if self._action.write:
            self._writes = (*self._writes[1 - THERMOSTAT.writes_per_hour :], now)
        if self._action.target.on != present.on:
            self._switched_at = now
        self._target = self._with_other_edge(self._action.target, home)

    def _with_other_edge(self, wish: Wish, home: bool) -> Target:
        """While somebody is home, the thermostat also keeps the edge that the room is not expected to pass."""
        cooling_c = wish.setpoint_c if wish.on and wish.mode == Mode.COOL else None
        heating_c = wish.setpoint_c if wish.on and wish.mode == Mode.HEAT else None
        if home and self._season == Season.COOLING:
            heating_c = self._low_c if cooling_c is None else min(self._low_c, cooling_c - 1.0)
        elif home:
            cooling_c = self._high_c if heating_c is None else max(self._high_c, heating_c + 1.0)
        return Target(cooling_c, heating_c)


def _keep_standard_output_clean() -> None:
    """In a script that has not set up structlog, log lines go where the standard library's go, not to its output."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, structlog.processors.KeyValueRenderer(key_order=["event"])],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _forecast(given: Sequence[float] | None, own: Sequence[float]) -> tuple[float, ...]:
    """A forecast as given, with the home's own where it is not known."""
    if given is None:
        return tuple(own)
    known = (_known(value) for value in given)
    return tuple(fallback if value is None else value for value, fallback in zip(known, own, strict=True))
