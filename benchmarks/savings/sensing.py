"""What the sensors, forecasts and price lists of a home show.

Nothing here knows a controller. ``Outlook`` is laid out once for a world and is the same for all controllers;
``Sensors`` follows the rooms of one run.

- Thermometer in the occupied zone: first-order lag of 10 min (small plastic case in still air; assumed), an offset of
  its own of up to 0.2 K (typical tolerance in the data sheet of Sensirion's SHT3x [from memory]), noise of 0.05 K
  (assumed), steps of 0.1 K. Its humidity is off by up to 3 %. A home without one shows NaN.
- Presence: a radar sensor, which also sees who lies still; it reports an empty room 10 min late (assumed).
- A change by hand is seen at the next decision and left alone for 2 h from then, or until the sensor shows nobody.
- Power and energy: the meter of the unit, exact.
- The unit's own thermistor is the plant's.
- Whether a household heats with its unit at all is told when the unit is set up: where radiators do it, or nobody
  does, no controller is asked to.

A home's luck is drawn from the home's own number, not from its block: a home run by itself shows the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.comfort import LearnedComfort
from benchmarks.savings.presence import PresenceForecast, forecast
from benchmarks.savings.words import (
    DECISION_S,
    QUARTERS_AHEAD,
    ROWS_PER_DECISION,
    Array,
    BoolArray,
    Known,
    Seen,
)
from simulator.physics.moist_air import relative_pcts
from simulator.residents import ASLEEP, AWAY, HOLD_S
from simulator.world import STEP_S, STEPS_PER_DAY, World

THERMOMETER_LAG_S = 600.0
OFFSET_K, NOISE_K, RESOLUTION_K = 0.2, 0.05, 0.1
HUMIDITY_OFFSET_PCT = 3.0
PRESENCE_HOLD_ROWS = 2  # of 5 minutes
HABIT_ROWS = 28 * STEPS_PER_DAY  # from which the household's usual hours of sleep are told
USUAL_SLEEP_MIN = (23 * 60, 7 * 60)  # of homes in which nobody ever sleeps
DAY_MIN, DAY_S = 1440, 86_400.0
NEVER_HEATED_C = 30.0  # outdoors, as the season's rules are told where nobody heats with the unit


class WeatherAhead(Protocol):
    """A weather forecast."""

    def at(self, row: int) -> tuple[Array, Array]:
        """Outdoor temperature [C] and sun on the horizontal [W/m2]: means of the next 24 hours; (weathers, 24) each."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is shown of a world without regard to what its units do; one for all controllers."""

    known: Known
    weather_of: NDArray[np.int64]  # (n,): column of the weather
    weather_ahead: WeatherAhead
    occupied: BoolArray  # (quarters, n), by the sensor
    presence: PresenceForecast
    sleep_minutes: NDArray[np.int64]  # (n, 2)
    price: NDArray[np.float32]  # (quarters + 96, n)
    offset_k: Array  # of each thermometer
    humidity_offset_pct: Array
    noise_k: NDArray[np.float32]  # (quarters, n)

    def only(self, home: int) -> "Outlook":
        """Of one home."""
        one = np.array([home])
        return replace(
            self,
            known=_each(self.known, lambda column: column[one]),
            weather_of=self.weather_of[one],
            occupied=self.occupied[:, one],
            presence=replace(self.presence, by_hour=self.presence.by_hour[:, one], _phase=self.presence._phase[one]),
            sleep_minutes=self.sleep_minutes[one],
            price=self.price[:, one],
            offset_k=self.offset_k[one],
            humidity_offset_pct=self.humidity_offset_pct[one],
            noise_k=self.noise_k[:, one],
        )


def look_ahead(
    world: World, weather_ahead: WeatherAhead, shown: BoolArray, numbers: Sequence[int], seed: int
) -> Outlook:
    """Lay out what a world shows.

    Parameters
    ----------
    shown : BoolArray, shape (rows, n)
        By the presence sensors.
    numbers : sequence of int
        Of each home; decide the luck of its sensors.
    """
    rows = len(world.presence)
    quarters = rows // ROWS_PER_DECISION
    occupied = shown[: quarters * ROWS_PER_DECISION : ROWS_PER_DECISION]
    price = world.price[: quarters * ROWS_PER_DECISION : ROWS_PER_DECISION]
    price = np.concatenate([price, np.resize(price[-QUARTERS_AHEAD:], (QUARTERS_AHEAD, world.n))])  # beyond the end
    luck = [np.random.default_rng([seed, number, 3]) for number in numbers]
    return Outlook(
        known=Known(
            n=world.n,
            utc_offset_s=world.utc_offset_s,
            latitude=world.latitude,
            longitude=world.longitude,
            rated_cooling_w=world.units["rated_cooling_w"].copy(),
            floor_m2=world.rooms["floor_m2"].copy(),
            mean_price=world.price.mean(axis=0, dtype=np.float64),
            start_epoch_s=world.start_epoch_s,
            rows=rows,
        ),
        weather_of=world.rooms["weather"].astype(np.int64),
        weather_ahead=weather_ahead,
        occupied=occupied,
        presence=forecast(occupied, world.start_epoch_s, world.utc_offset_s),
        sleep_minutes=usual_sleep(world),
        price=price,
        offset_k=np.array([rng.uniform(-OFFSET_K, OFFSET_K) for rng in luck]),
        humidity_offset_pct=np.array([rng.uniform(-HUMIDITY_OFFSET_PCT, HUMIDITY_OFFSET_PCT) for rng in luck]),
        noise_k=np.stack([NOISE_K * rng.standard_normal(quarters, dtype=np.float32) for rng in luck], axis=1),
    )


def presence_sensor(presence: NDArray[np.int8]) -> BoolArray:
    """What the sensor shows at the start of each row; shape (rows, n)."""
    there: BoolArray = np.asarray(presence != AWAY)
    shown = there.copy()
    for late in range(1, PRESENCE_HOLD_ROWS + 1):
        shown[late:] |= there[:-late]
    return shown


def usual_sleep(world: World) -> NDArray[np.int64]:
    """When each household usually goes to bed and gets up: medians of its first four weeks; shape (n, 2). [min]"""
    asleep = world.presence[:HABIT_ROWS] == ASLEEP
    turns = np.diff(asleep.astype(np.int8), axis=0)
    minutes = np.empty((world.n, 2), dtype=np.int64)
    for home in range(world.n):
        for column, turn in enumerate((1, -1)):
            rows = np.flatnonzero(turns[:, home] == turn) + 1
            local_s = world.start_epoch_s + STEP_S * rows + world.utc_offset_s[home]
            minutes[home, column] = _median_minute(local_s, USUAL_SLEEP_MIN[column])
    return minutes


def _median_minute(local_s: Array, otherwise: int) -> int:
    """Median time of day, around the middle that ``otherwise`` says. [min]"""
    if local_s.size == 0:
        return otherwise
    past = (local_s / 60.0 - otherwise + DAY_MIN / 2) % DAY_MIN - DAY_MIN / 2
    return int(round(float(np.median(past))) + otherwise) % DAY_MIN


class Sensors:
    """The sensors of one run, and what is learned of comfort while it lasts.

    Parameters
    ----------
    copies : int
        The world holds so many copies of the outlook's homes, one after the other.
    thermometer : bool or BoolArray
        Whether the rooms have one.
    """

    def __init__(
        self, world: World, outlook: Outlook, *, copies: int = 1, thermometer: bool | BoolArray = True
    ) -> None:
        self._world, self._outlook, self._copies = world, outlook, copies
        self._thermometer = np.broadcast_to(thermometer, world.n)
        self.comfort = LearnedComfort(np.tile(outlook.sleep_minutes, (copies, 1)))
        self._offset_k = np.tile(outlook.offset_k, copies)
        self._humidity_offset_pct = np.tile(outlook.humidity_offset_pct, copies)
        self._weather_of = np.tile(outlook.weather_of, copies)
        self._utc_offset_s = np.tile(outlook.known.utc_offset_s, copies)
        self._heats_with_unit = world.habits["heats"].copy()
        self._follow_ratio = 1.0 - np.exp(-STEP_S / THERMOMETER_LAG_S)
        self._lagged_c = world.room_states["occupied_c"].copy()
        self._energy_j = np.zeros(world.n)
        self._presses = world.hands["presses"].copy()
        self._held_until_s = np.zeros(world.n)
        self._before_c = np.full(world.n, np.nan)  # setpoints of before, NaN where the unit was off
        self.known = _each(outlook.known, lambda column: np.tile(column, copies))

    def follow(self) -> None:
        """A row has passed."""
        self._lagged_c += self._follow_ratio * (self._world.room_states["occupied_c"] - self._lagged_c)
        self._energy_j += self._world.meters["energy_j"]

    def told(self, *, on: BoolArray, setpoint_c: Array) -> None:
        """Remember what the units were set to, so that a change by hand can be compared with it."""
        self._before_c = np.where(on, setpoint_c, np.nan)

    def look(self, row: int) -> Seen:
        """Read everything at the start of a row, and learn from what people changed since the last look."""
        world, outlook = self._world, self._outlook
        quarter = row // ROWS_PER_DECISION
        at_s = world.start_epoch_s + STEP_S * row
        local_s = at_s + self._utc_offset_s
        day = np.floor(local_s / DAY_S)
        local_hour = (local_s - day * DAY_S) / 3600.0
        panels, sky = world.panels, world.skies[row]
        on, heating, setpoint_c = panels["on"].copy(), panels["heating"].copy(), panels["setpoint_c"].copy()
        shown_c = self._lagged_c + self._offset_k + self._tiled(outlook.noise_k[quarter])
        shown_c = np.round(shown_c / RESOLUTION_K) * RESOLUTION_K
        unit_c = world.unit_states["sensor_c"].copy()
        room_c = np.where(self._thermometer, shown_c, unit_c)
        overridden = self._learn(local_hour, on, heating, setpoint_c, room_c)
        outdoor_ahead_c, solar_ahead_w_m2 = (ahead[self._weather_of] for ahead in outlook.weather_ahead.at(row))
        presence_ahead = self._tiled(outlook.presence.ahead(quarter))
        occupied = self._tiled(outlook.occupied[quarter]).astype(np.float64)
        self._held_until_s = np.where(overridden, at_s + HOLD_S, self._held_until_s)
        self._held_until_s[occupied < 0.5] = 0.0
        edges = self.comfort.edges(
            at_epoch_s=at_s,
            local_hour=local_hour,
            on=on,
            heating=heating,
            room_c=room_c,
            outdoor_c=outdoor_ahead_c.mean(axis=1),
            outdoor_next_day_c=np.where(self._heats_with_unit, outdoor_ahead_c.mean(axis=1), NEVER_HEATED_C),
            occupied=occupied,
            presence_ahead=presence_ahead,
        )
        energy_kwh, self._energy_j = self._energy_j / 3.6e6, np.zeros(world.n)
        price_ahead = self._tiled(outlook.price[quarter : quarter + QUARTERS_AHEAD].T.astype(np.float64))
        return Seen(
            row=row,
            at_epoch_s=at_s,
            local_hour=local_hour,
            weekday=((day + 3) % 7).astype(np.int64),  # 1970-01-01 was a Thursday
            room_temperature_c=np.where(self._thermometer, shown_c, np.nan),
            humidity_pct=self._humidity_pct(),
            unit_temperature_c=unit_c,
            outdoor_temperature_c=sky["outdoor_c"][self._weather_of],
            outdoor_mean_day_c=sky["daily_mean_c"][self._weather_of],
            solar_w_m2=sky["global_w_m2"][self._weather_of],
            power_w=energy_kwh * 3.6e6 / DECISION_S,
            energy_kwh=energy_kwh,
            on=on,
            heating=heating,
            setpoint_c=setpoint_c,
            occupied=occupied,
            asleep=edges.asleep.astype(np.float64),
            held=self._held_until_s > at_s,
            overridden=overridden,
            low_c=edges.low_c,
            high_c=edges.high_c,
            heats=edges.heats,
            presence_ahead=presence_ahead,
            low_ahead_c=edges.low_ahead_c,
            high_ahead_c=edges.high_ahead_c,
            outdoor_ahead_c=outdoor_ahead_c,
            solar_ahead_w_m2=solar_ahead_w_m2,
            price_now=price_ahead[:, 0],
            price_ahead=price_ahead,
        )

    def _learn(
        self, local_hour: Array, on: BoolArray, heating: BoolArray, setpoint_c: Array, room_c: Array
    ) -> BoolArray:
        count = self._world.hands["presses"]
        overridden = np.asarray(count > self._presses)
        self._presses = count.copy()
        for home in np.flatnonzero(overridden & on):
            self.comfort.override(
                int(home),
                local_hour=float(local_hour[home]),
                heating=bool(heating[home]),
                chosen_c=float(setpoint_c[home]),
                before_c=float(self._before_c[home]),
                room_c=float(room_c[home]),
            )
        return overridden

    def _humidity_pct(self) -> Array:
        states = self._world.room_states
        true_pct = relative_pcts(self._lagged_c, states["humidity_kg_kg"], self._world.rooms["pressure_pa"])
        return np.clip(true_pct + self._humidity_offset_pct, 0.0, 100.0)

    def _tiled(self, values: NDArray[Any]) -> NDArray[Any]:
        if self._copies == 1:
            return values
        return np.tile(values, (self._copies,) + (1,) * (values.ndim - 1))


def _each(known: Known, change: Callable[[Array], Array]) -> Known:
    """The same of other homes."""
    names = ("utc_offset_s", "latitude", "longitude", "rated_cooling_w", "floor_m2", "mean_price")
    columns: dict[str, Any] = {name: change(getattr(known, name)) for name in names}
    return replace(known, n=columns["floor_m2"].size, **columns)
