"""A room as control knows it, and its words for the predictor."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from control.guard import OCCUPIED_RATIO
from control.objective import COMFORT_MARGIN_K, Objective, Prices, kept_band_c
from control.prediction import slices_s
from control.presence import Presence
from control.room_state import RoomState
from control.weather import WeatherAhead, means_between
from core.words import Fan, Mode
from models.words import RoomMoment
from storage.repositories.learned import ComfortPoint, Season

HOUR_S = 3600.0
EARLIEST_START_S = 7200.0  # before a forecast return that a unit may start


@dataclass(frozen=True)
class RoomView:
    """A room at an instant, with everything that is believed about what comes."""

    room_id: int
    state: RoomState
    local: datetime  # the instant in the home's zone
    presence: Presence
    occupied: float  # now, 0..1
    seen: bool  # somebody is in by evidence, not by habit
    weather: WeatherAhead
    band: ComfortPoint  # now; while nobody is in, at return
    season: Season
    price: Prices
    switched_at: datetime | None
    on: bool  # what the unit will be once commands under way have arrived; the same below
    mode: Mode | None
    setpoint_c: float | None
    fan: Fan | None
    objective: Objective = Objective.SAVE
    price_source: str = "tariff"  # see control.objective.Signal

    @property
    def low_c(self) -> float:
        """Lower edge of the band that is kept, under what the household is after. [°C]"""
        return self._kept_c[0]

    @property
    def high_c(self) -> float:
        """Upper edge of the band that is kept. [°C]"""
        return self._kept_c[1]

    @property
    def outdoor_c(self) -> float:
        """Outdoors now, as measured or else as expected. [°C]"""
        measured_c = self.state.outdoor_temperature_c
        return self.weather.outdoor_c[0] if measured_c is None else measured_c

    @property
    def solar_w_m2(self) -> float:
        """Sun now, as measured or else as expected. [W/m2]"""
        measured = self.state.solar_w_m2
        return self.weather.solar_w_m2[0] if measured is None else measured

    def edge_c(self) -> float:
        """The edge of the band that the unit defends. [°C]"""
        return self.high_c if self.season == Season.COOLING else self.low_c

    @cached_property
    def _kept_c(self) -> tuple[float, float]:
        margin_k = COMFORT_MARGIN_K if self.objective is Objective.COMFORT else 0.0
        return kept_band_c(self.band.low_c, self.band.high_c, margin_k)


def moment(view: RoomView, step_s: float) -> RoomMoment:
    """One step of the predictor. The plan ahead: as it is for 15 minutes, then the edge while somebody is in."""
    state = view.state
    return RoomMoment(
        at=state.at,
        local_hour=_hour(view.local),
        weekday=view.local.weekday(),
        step_s=step_s,
        room_temperature_c=state.room_temperature_c if state.plausible else None,
        outdoor_temperature_c=view.outdoor_c,
        humidity_pct=state.humidity_pct,
        solar_w_m2=view.solar_w_m2,
        on=view.on,
        mode=view.mode if view.on else _mode(view.season),
        setpoint_c=view.setpoint_c,
        power_w=state.power_w,
        fan=view.fan,
        occupied=view.occupied,
        planned_setpoint_c=_planned_c(view),
        outdoor_forecast_c=means_between(view.weather.outdoor_c, slices_s()),
        solar_forecast_w_m2=means_between(view.weather.solar_w_m2, slices_s()),
    )


def lead_s(view: RoomView, pull_down_k_per_h: float) -> float:
    """How long the room would take to the edge of the band if the unit started now. [s]"""
    room_c = view.state.room_temperature_c
    if room_c is None:
        return HOUR_S
    beyond_k = room_c - view.edge_c() if view.season == Season.COOLING else view.edge_c() - room_c
    return max(0.0, beyond_k) / pull_down_k_per_h * HOUR_S


def _planned_c(view: RoomView) -> tuple[float | None, ...]:
    """The setpoint as it is for the first slice, then the edge while somebody is in."""
    edge_c, mean_between = view.edge_c(), view.presence.mean_between
    likely = [mean_between(view.room_id, view.state.at, *span) >= OCCUPIED_RATIO for span in slices_s()[1:]]
    return (view.setpoint_c if view.on else None, *[edge_c if one else None for one in likely])


def _mode(season: Season) -> Mode:
    return Mode.COOL if season == Season.COOLING else Mode.HEAT


def _hour(local: datetime) -> float:
    return local.hour + local.minute / 60.0 + local.second / 3600.0
