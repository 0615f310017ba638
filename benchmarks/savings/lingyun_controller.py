"""The engine as it ships, on n homes at once: plan, the actor that corrects it, and guard.

They and the rules around them are those of ``models`` and ``control``; here stands only what ``control.engine`` takes
from its database, taken from arrays instead. The room predictor has no part in it: at home its outlook is shown, and
no decision reads it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.presence import until_return_s
from benchmarks.savings.words import QUARTERS_AHEAD, Array, BoolArray, Known, Orders, Seen
from control import correcting, planner
from control.guard import Action, GuardState, History, Limits, WishSource, check
from control.room_state import GREATEST_DISAGREEMENT_K, PLAUSIBLE_C
from control.two_nodes import Past
from core.words import Fan, Mode
from models.actor import PlanActor
from models.words import Wish
from storage.repositories.learned import Season

QUARTER_S = 900.0
QUARTERS_PER_DAY = 96
MEMORY_QUARTERS = planner.MEMORY_QUARTERS
LIMITS = Limits(step_k=0.5)  # units of the benchmark take half kelvins; the household asks for nothing else
FAN_STEPS = {Fan.AUTO: 0}  # the engine leaves the fan to the unit
OFF = Wish(False, None, None, Fan.AUTO)


class Lingyun:
    """The shipped engine as a controller of the benchmark."""

    name = "lingyun"

    def __init__(self) -> None:
        self._actor = PlanActor.load()

    def start(self, known: Known) -> None:
        """Forget everything and begin."""
        self._rooms = [_RoomHistory() for _ in range(known.n)]
        self._planned = _Planned(known, self._actor)

    def decide(self, seen: Seen) -> Orders:
        """Plan, and let the guard have the last word."""
        room_c = trusted_c(seen)
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
