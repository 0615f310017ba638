"""The engine as it ships, on n homes at once: room predictor, plan, the actor that corrects it, and guard.

The networks, the plan, the guard and the rules around them are those of ``models`` and ``control``; here stands only
what ``control.engine`` takes from its database, taken from arrays instead. As at home, the predictor's outlook is
shown and, as yet, read by nobody.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.presence import mean_between as presence_between
from benchmarks.savings.presence import until_return_s
from benchmarks.savings.words import DECISION_S, QUARTERS_AHEAD, Array, BoolArray, Known, Orders, Seen
from control import correcting, planner
from control.guard import OCCUPIED_RATIO, Action, GuardState, History, Limits, WishSource, check
from control.prediction import slices_s
from control.room_state import GREATEST_DISAGREEMENT_K, PLAUSIBLE_C
from control.situations import AHEAD_S
from control.two_nodes import Past
from control.weather import mean_between
from core.words import Fan, Mode
from models import features
from models.actor import PlanActor
from models.features import UNKNOWN_TEMPERATURE_C
from models.predictor import Memory, RoomPredictor
from models.words import HORIZONS_S, Wish
from storage.repositories.learned import Season

QUARTER_S = 900.0
QUARTERS_PER_DAY = 96
MEMORY_QUARTERS = planner.MEMORY_QUARTERS
LONG_AGO_S = 86_400.0
LIMITS = Limits(step_k=0.5)  # units of the benchmark take half kelvins; the household asks for nothing else
FAN_STEPS = {Fan.AUTO: 0}  # the engine leaves the fan to the unit
OFF = Wish(False, None, None, Fan.AUTO)


class Lingyun:
    """The shipped engine as a controller of the benchmark."""

    name = "lingyun"

    def __init__(self) -> None:
        self._predictor, self._actor = RoomPredictor.load(), PlanActor.load()

    def start(self, known: Known) -> None:
        """Forget everything and begin."""
        n = known.n
        zeros = np.zeros((n, self._predictor.hidden), dtype=np.float32)
        self._memory: Memory = (zeros, zeros)
        self._last_c = np.full(n, UNKNOWN_TEMPERATURE_C)
        self.outlook_c = np.full((n, len(HORIZONS_S)), np.nan, dtype=np.float32)
        self._rooms = [_RoomHistory() for _ in range(n)]
        self._planned = _Planned(known, self._actor)

    def decide(self, seen: Seen) -> Orders:
        """Predict, wish, and let the guard have the last word."""
        room_c = trusted_c(seen)
        known = np.isfinite(room_c)
        self._last_c = np.where(known, room_c, self._last_c)
        (self.outlook_c, _, _), self._memory = self._predictor.step_arrays(
            self._memory, past_arrays(seen, room_c, self._last_c), ahead_arrays(seen, self._last_c)
        )
        now = datetime.fromtimestamp(seen.at_epoch_s, tz=UTC)
        for room, on in zip(self._rooms, seen.on.tolist(), strict=True):
            room.look(on, now)
        targets = self._planned.decide(seen, room_c)
        actions = self._check(seen, room_c, targets, now)
        on = np.array([action.target.on for action in actions])
        heating = np.array([action.target.mode is Mode.HEAT for action in actions])
        setpoint_c = [action.target.setpoint_c for action in actions]
        return Orders(
            on=on,
            heating=np.where(on, heating, seen.heating),
            setpoint_c=np.where(on, np.array(setpoint_c, dtype=np.float64), seen.setpoint_c),
            fan=np.array([FAN_STEPS[action.target.fan] for action in actions]),
        )

    def _check(self, seen: Seen, room_c: Array, targets: planner.Targets, now: datetime) -> list[Action]:
        """The guard's word on every room."""
        returning = np.isfinite(until_return_s(seen.presence_ahead))  # within the day that is planned
        minute = minute_of(seen)
        columns = (
            *(values.tolist() for values in (targets.on, targets.setpoint_c, targets.offset_k)),
            *(values.tolist() for values in (room_c, seen.on, seen.heating, seen.setpoint_c, minute, seen.occupied)),
            *(values.tolist() for values in (returning, seen.heats, seen.low_c, seen.high_c, seen.held)),
        )
        actions = []
        for room, (
            runs,
            wanted_c,
            offset_k,
            air_c,
            on,
            heating,
            setpoint_c,
            local_minute,
            occupied,
            soon,
            winter,
            low_c,
            high_c,
            held,
        ) in zip(self._rooms, zip(*columns, strict=True), strict=True):
            state = GuardState(
                source=WishSource.POLICY,
                local_minute=local_minute,
                on=on,
                mode=Mode.HEAT if heating else Mode.COOL,
                setpoint_c=setpoint_c if setpoint_c == setpoint_c else None,
                room_temperature_c=air_c if air_c == air_c else None,
                occupied=occupied,
                returning=soon,
                season=Season.HEATING if winter else Season.COOLING,
                comfort_low_c=low_c,
                comfort_high_c=high_c,
                sensor_offset_k=offset_k,
                override=held,
            )
            wish = Wish(True, Mode.HEAT if winter else Mode.COOL, wanted_c, Fan.AUTO) if runs else OFF
            action, _ = check(wish, LIMITS, state, room.history(now), now)
            if action.write:
                room.write(action.target.on, now)
            actions.append(action)
        return actions


class _Planned:
    """The rooms' plans, as ``control.planner`` makes them."""

    def __init__(self, known: Known, actor: PlanActor) -> None:
        self._actor = actor
        self._mean_price = known.mean_price
        self._rooms = planner.new(known.rated_cooling_w, known.floor_m2)
        self._past = np.full((len(Past._fields), known.n, MEMORY_QUARTERS), np.nan)
        self._count = 0
        self._before: Seen | None = None
        self._before_c = np.full(known.n, np.nan)

    def decide(self, seen: Seen, room_c: Array) -> planner.Targets:
        """Learn from the last quarter of an hour, plan what is due, and say what is to be told."""
        rooms, before = self._rooms, self._before
        due = ~planner.is_planned(rooms)
        if before is not None:
            self._learn(before, seen, room_c)
            due = ~planner.is_planned(rooms) | (rooms["passed"] >= planner.PERIOD_QUARTERS)
            due |= (seen.occupied != before.occupied) | (seen.heats != before.heats) | (before.held & ~seen.held)
        else:
            planner.start(rooms, room_c)
        self._before, self._before_c = seen, room_c
        if due.any():
            some = rooms[due]
            heats, ahead = seen.heats[due], _ahead(seen, self._mean_price, due)
            planner.plan(some, heats, ahead)
            correcting.correct(some, self._actor, heats, ahead, seen.on[due], seen.local_hour[due])
            rooms[due] = some
        minute = minute_of(seen)
        return planner.targets(rooms, seen.heats, planner.silent_quarters(LIMITS.quiet, minute))

    def _learn(self, before: Seen, seen: Seen, room_c: Array) -> None:
        rooms = self._rooms
        quarter = planner.Quarter(
            room_c=room_c,
            outdoor_c=0.5 * (before.outdoor_temperature_c + seen.outdoor_temperature_c),
            solar_w_m2=0.5 * (before.solar_w_m2 + seen.solar_w_m2),
            power_w=seen.power_w,
            heating=seen.heating,
            occupied=before.occupied,
            ran=seen.on & before.on & ~seen.held & ~before.held & (seen.heating == seen.heats),
        )
        heat_kw = planner.heat_kw(rooms, quarter)
        columns = Past(self._before_c, quarter.outdoor_c, quarter.solar_w_m2 / 1e3, heat_kw, quarter.occupied)
        self._past[:, :, self._count % MEMORY_QUARTERS] = columns
        self._count += 1
        planner.learn(rooms, quarter)
        if self._count % QUARTERS_PER_DAY == 0 and self._count >= planner.YOUNG_QUARTERS:
            size = min(self._count, MEMORY_QUARTERS)
            order = np.arange(self._count - size, self._count) % MEMORY_QUARTERS
            planner.refit(rooms, Past(*self._past[:, :, order]), planner.fit_iterations(self._count))


def _ahead(seen: Seen, mean_price: Array, some: BoolArray) -> planner.Ahead:
    """What the plan reads of the day ahead."""
    by_quarter = np.arange(QUARTERS_AHEAD) * QUARTER_S // 3600.0
    hours = by_quarter.astype(np.int64)
    return planner.Ahead(
        chance=planner.chance_ahead(seen.occupied[some], seen.presence_ahead[some]),
        outdoor_c=seen.outdoor_ahead_c[some][:, hours],
        solar_w_m2=seen.solar_ahead_w_m2[some][:, hours],
        price_ratio=seen.price_ahead[some] / mean_price[some, np.newaxis],
        low_c=seen.low_ahead_c[some],
        high_c=seen.high_ahead_c[some],
    )


@dataclass(slots=True)
class _RoomHistory:
    """What was done to a unit, as far as the guard asks."""

    on: bool | None = None  # as last seen
    switched_at: datetime | None = None
    written_at: datetime | None = None
    written_on: bool | None = None
    writes: tuple[datetime, ...] = ()

    def look(self, on: bool, now: datetime) -> None:
        """Note a switch: of our own when it was told, of others when it is seen."""
        if self.on is not None and on != self.on:
            self.switched_at = self.written_at if self.written_on == on else now
        self.on, self.written_on = on, None

    def write(self, on: bool, now: datetime) -> None:
        """Note a command."""
        self.written_at, self.written_on = now, on
        self.writes = (*self.writes[1 - LIMITS.writes_per_hour :], now)

    def history(self, now: datetime) -> History:
        """As the guard reads it."""
        return History(self.switched_at, self.writes, known=self.written_at is not None)

    def since_switch_s(self, now: datetime) -> float:
        """Time since the unit last went on or off. [s]"""
        return LONG_AGO_S if self.switched_at is None else (now - self.switched_at).total_seconds()


def minute_of(seen: Seen) -> NDArray[np.int64]:
    """Minutes after local midnight."""
    return np.asarray(np.floor(seen.local_hour * 60.0).astype(np.int64) % 1440)


def trusted_c(seen: Seen) -> Array:
    """Room air as the engine believes it: the thermometer's, or else the unit's own; NaN where neither can be. [°C]"""
    inside_c, own_c = seen.room_temperature_c, seen.unit_temperature_c
    agree = ~(np.abs(inside_c - own_c) > GREATEST_DISAGREEMENT_K)
    room_c = np.where(np.isfinite(inside_c), inside_c, own_c)
    plausible = agree & (room_c >= PLAUSIBLE_C[0]) & (room_c <= PLAUSIBLE_C[1])
    return np.where(plausible, room_c, np.nan)


def situation_arrays(seen: Seen, room_c: Array, since_switch_s: Array) -> dict[str, Array]:
    """What the policy reads, as ``control.situations.situation`` makes it for one room."""
    outdoor_c, solar_w_m2 = _hours(seen.outdoor_ahead_c), _hours(seen.solar_ahead_w_m2)
    prices = [seen.price_ahead[:, int((start_s + end_s) / 2 // QUARTER_S)] for start_s, end_s in AHEAD_S]
    unknown = np.full(room_c.size, np.nan)
    return {
        "local_hour": seen.local_hour,
        "room_temperature_c": room_c,
        "outdoor_temperature_c": seen.outdoor_temperature_c,
        "solar_w_m2": seen.solar_w_m2,
        "on": seen.on.astype(np.float64),
        "heating": seen.heating.astype(np.float64),
        "setpoint_c": seen.setpoint_c,
        "power_w": seen.power_w,
        "since_switch_s": since_switch_s,
        "comfort_low_c": seen.low_c,
        "comfort_high_c": seen.high_c,
        "occupied": seen.occupied,
        "price_now": seen.price_now,
        "time_constant_h": unknown,
        "rated_cooling_w": unknown,
        "occupied_ahead": np.stack([presence_between(seen.presence_ahead, *span) for span in AHEAD_S], axis=-1),
        "outdoor_ahead_c": np.stack([mean_between(outdoor_c, *span) for span in AHEAD_S], axis=-1),
        "solar_ahead_w_m2": np.stack([mean_between(solar_w_m2, *span) for span in AHEAD_S], axis=-1),
        "price_ahead": np.stack(prices, axis=-1),
    }


def past_arrays(seen: Seen, room_c: Array, last_c: Array) -> dict[str, features.Array]:
    """What the predictor reads of the quarter of an hour that has passed."""
    return {
        "step_log": np.full(room_c.size, np.log(DECISION_S / 300.0)),
        "room_temperature_c": room_c,
        "last_temperature_c": last_c,
        "outdoor_temperature_c": seen.outdoor_temperature_c,
        "humidity_pct": seen.humidity_pct,
        "solar_w_m2": seen.solar_w_m2,
        "on": seen.on.astype(np.float64),
        **_directions(seen),
        "setpoint_above_room_k": np.where(seen.on, seen.setpoint_c - last_c, np.nan),
        "power_w": seen.power_w,
        "occupied": seen.occupied,
        **features.cycles(seen.local_hour, seen.weekday.astype(np.float64)),
    }


def ahead_arrays(seen: Seen, last_c: Array) -> dict[str, features.Array]:
    """What the predictor reads of the plan and the weather ahead, as ``control.situations.moment`` makes it."""
    outdoor_c, solar_w_m2 = _hours(seen.outdoor_ahead_c), _hours(seen.solar_ahead_w_m2)
    edge_c = np.where(seen.heats, seen.low_c, seen.high_c)
    raw: dict[str, features.Array] = {
        "last_temperature_c": last_c,
        **_directions(seen),
        **features.cycles(seen.local_hour, seen.weekday.astype(np.float64)),
    }
    for label, span in zip(map(features.horizon_label, HORIZONS_S), slices_s(), strict=True):
        likely = presence_between(seen.presence_ahead, *span) >= OCCUPIED_RATIO
        planned_c = np.where(likely, edge_c, np.nan)
        if span[0] == 0:  # as it is, for the first quarter of an hour
            planned_c = np.where(seen.on, seen.setpoint_c, np.nan)
        raw[f"planned_setpoint_above_room_k_{label}"] = planned_c - last_c
        raw[f"outdoor_above_room_k_{label}"] = mean_between(outdoor_c, *span) - last_c
        raw[f"solar_w_m2_{label}"] = mean_between(solar_w_m2, *span)
    return raw


def _directions(seen: Seen) -> dict[str, Array]:
    """Of the unit, or, while it is off, of the season."""
    heating = np.where(seen.on, seen.heating, seen.heats)
    return {"cooling": (~heating).astype(np.float64), "heating": heating.astype(np.float64)}


def _hours(ahead: Array) -> list[NDArray[np.float64]]:
    return list(ahead.T)
