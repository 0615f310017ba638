"""One controller in one world, from the first row to the last: people, sensors, orders, and what it all came to.

A change by hand holds for 2 h or until everybody has left (``residents.HOLD_S``), whoever runs the unit; orders for
that home are dropped meanwhile. Under ``conventional`` the household's own program runs the unit and there are none.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings.nearness import Near, Nearness
from benchmarks.savings.scoring import DAYS_PER_YEAR, WARM_UP_DAYS, Figures, Json
from benchmarks.savings.sensing import Outlook, Sensors
from benchmarks.savings.words import ROWS_PER_DECISION, Array, BoolArray, Controller, Orders, Seen
from simulator import residents
from simulator.jit import njit
from simulator.physics.moist_air import PRESSURE_PA, saturation_pressure_pa
from simulator.physics.pmv import pmv, vapour_pressure_pa
from simulator.records import Table, record, table
from simulator.world import STEP_S, STEPS_PER_DAY, World

SETPOINT_STEP_K = 0.5  # of what a unit can be told; assumed
LOWEST_SETPOINT_C, HIGHEST_SETPOINT_C = 16.0, 30.0
H_S = 3600.0
WARM_UP_ROWS = WARM_UP_DAYS * STEPS_PER_DAY
MUTABLE = ("room_states", "unit_states", "panels", "hands", "meters")

# For PMV hours. Still air, ISO 7730 annex A; summer and winter clothing of its annex C; seated people 1.2 met.
# People asleep: bedding instead of clothing, least metabolic rate of the standard's range; assumed.
AIR_M_S = 0.1
SUMMER_CLO, WINTER_CLO, AWAKE_MET = 0.5, 1.0, 1.2
SUMMER_BED_CLO, WINTER_BED_CLO, ASLEEP_MET = 1.0, 2.0, 0.8
NEUTRAL_HUMIDITY_RATIO = 0.5  # of saturation, at a person's neutral temperature
COMFORTABLE_PMV = 0.5


@record
class Tally:
    """What a home came to since scoring began."""

    energy_j: float
    cost: float
    over_k_s: float
    under_k_s: float
    pmv_out_s: float
    worst_k: float
    starts: int
    writes: int
    overrides: int  # up to now, those before scoring included
    overrides_before: int
    trace: float  # sum of the room's temperatures: two runs that differ at all differ here


@dataclass(frozen=True, slots=True)
class Watched:
    """A home's days in rows of 5 minutes, for the report."""

    home: int
    first_row: int
    presence: NDArray[np.int8]
    outdoor_c: Array
    room_c: Array  # true air of the occupied zone
    low_c: Array  # true band
    high_c: Array
    setpoint_c: Array  # NaN while off
    power_w: Array
    price: Array

    def as_json(self) -> Json:
        """Lists, as ``from_json`` reads them."""
        return {
            "home": self.home,
            "first_row": self.first_row,
            **{name: getattr(self, name).tolist() for name in _COURSES},
        }

    @classmethod
    def from_json(cls, value: Json) -> "Watched":
        """The same again; what is null is NaN."""
        courses = {name: np.array(value[name], dtype=np.float64) for name in _COURSES[1:]}
        return cls(value["home"], value["first_row"], np.array(value["presence"], dtype=np.int8), **courses)


_COURSES = ("presence", "outdoor_c", "room_c", "low_c", "high_c", "setpoint_c", "power_w", "price")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one controller came to in one world."""

    figures: Figures
    trace: Array  # fingerprint of each home's course
    informed: bool  # it looked into the plant
    foresaw: bool  # it was shown the future
    near: Near  # nothing where the household's own program ran
    watched: Watched | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong on the way between home and controller; none of it by default."""

    stale_thermometer: BoolArray | None = None  # (quarters, n): still shows what it showed before
    missed_commands: BoolArray | None = None  # (quarters, n)

    def copied(self, copies: int) -> "Trouble":
        """The same for copies of the homes, one after the other."""
        both = (self.stale_thermometer, self.missed_commands)
        return Trouble(*(None if one is None else np.tile(one, (1, copies)) for one in both))


NO_TROUBLE = Trouble()


class Conventional:
    """The household before: its own setpoints, hours and forgotten units, on the unit's own program."""

    name = "conventional"

    def start(self, known: Any) -> None:
        """Nothing is learned."""

    def decide(self, seen: Any) -> Orders:
        """Never asked."""
        raise NotImplementedError("the household runs its unit itself")


def fresh(world: World, *, copies: int = 1) -> World:
    """The same world at its first row, for one run to change; or copies of its homes, one after the other."""
    if copies == 1:
        mine: dict[str, Any] = {name: getattr(world, name).copy() for name in MUTABLE}
        return replace(world, **mine)
    by_home = [item.name for item in fields(world) if item.name not in ("start_epoch_s", "skies")]
    wide = ("presence", "price", "chance")
    tiled: dict[str, Any] = {
        name: np.tile(getattr(world, name), (1, copies) if name in wide else copies) for name in by_home
    }
    return replace(world, **tiled)


def run(
    world: World,
    controller: Controller,
    outlook: Outlook,
    *,
    copies: int = 1,
    future: bool = False,
    thermometer: bool | BoolArray = True,
    units: Table | None = None,
    trouble: Trouble = NO_TROUBLE,
    watch: tuple[int, int, int] | None = None,
    passed: Callable[[float], None] = lambda ratio: None,
) -> Outcome:
    """Run a controller through a world, which is not changed.

    Parameters
    ----------
    future : bool
        Show the future to a controller that asks for the plant (``words.Informed``).
    thermometer : bool or BoolArray, shape (copies * n,)
        Whether the rooms have one.
    units : Table, shape (copies * n,), optional
        Other units than the world's.
    watch : (home, first row, rows)
        What to record for the report.
    passed : Callable
        Told now and then which share of the rows has passed.
    """
    world = fresh(world, copies=copies)
    if units is not None:
        world.units = units
    rows, program = len(world.presence), isinstance(controller, Conventional)
    sensors = Sensors(world, outlook, copies=copies, thermometer=thermometer)
    informed = hasattr(controller, "inform")
    if informed:
        controller.inform(world, future)  # type: ignore[attr-defined]
    controller.start(sensors.known)
    post = _Post(world, sensors, controller, trouble)
    tallies = table(Tally, world.n)
    recorder = _Recorder(world, *watch) if watch else None
    for row in range(rows):
        if row == WARM_UP_ROWS:
            tallies = _from_now_on(world.hands)
        if row % STEPS_PER_DAY == 0:
            passed(row / rows)
        decides = row % ROWS_PER_DECISION == 0
        if decides and not program:
            tallies["writes"] += post.deliver(row)
        before = (world.panels.copy(), world.hands["presses"].copy()) if program else None
        world.advance(row, follows_program=program)
        if before:
            tallies["writes"] += differ(world.panels, before[0]) & (world.hands["presses"] == before[1])
        sensors.follow()
        count(
            tallies,
            world.meters,
            world.hands,
            world.room_states,
            world.persons,
            world.rooms,
            world.skies[row],
            world.presence[row],
            world.price[row],
            decides,
        )
        if recorder:
            recorder.follow(row)
    passed(1.0)
    return Outcome(
        figures=_figures(tallies, rows),
        trace=tallies["trace"].copy(),
        informed=informed,
        foresaw=informed and future,
        near=post.nearness.near(),
        watched=recorder.watched() if recorder else None,
    )


class _Post:
    """Carries what is seen to a controller and its orders to the units, as far as they arrive."""

    def __init__(self, world: World, sensors: Sensors, controller: Controller, trouble: Trouble) -> None:
        self._world, self._sensors, self._controller, self._trouble = world, sensors, controller, trouble
        self._shown_c: Array | None = None  # by the thermometers, last time
        self.nearness = Nearness(world)

    def deliver(self, row: int) -> BoolArray:
        """One decision; whether anything was written to each unit."""
        quarter = row // ROWS_PER_DECISION
        seen = self._stale(self._sensors.look(row), quarter)
        self.nearness.follow(row, seen, scored=row >= WARM_UP_ROWS)
        arrives = ~seen.held
        if self._trouble.missed_commands is not None:
            arrives &= ~self._trouble.missed_commands[quarter]
        panels = self._world.panels
        written = carry_out(panels, self._controller.decide(seen), arrives)
        self._sensors.told(on=panels["on"], setpoint_c=panels["setpoint_c"])
        return written

    def _stale(self, seen: Seen, quarter: int) -> Seen:
        stale = self._trouble.stale_thermometer
        if stale is None:
            return seen
        if self._shown_c is not None:
            shown_c = np.where(stale[quarter], self._shown_c, seen.room_temperature_c)
            seen = replace(seen, room_temperature_c=shown_c)
        self._shown_c = seen.room_temperature_c
        return seen


def carry_out(panels: Table, orders: Orders, arrives: BoolArray) -> BoolArray:
    """Set the panels of units that orders reach; whether each was changed."""
    before = panels.copy()
    known = np.where(np.isfinite(orders.setpoint_c), orders.setpoint_c, panels["setpoint_c"])
    setpoint_c = np.clip(np.round(known / SETPOINT_STEP_K) * SETPOINT_STEP_K, LOWEST_SETPOINT_C, HIGHEST_SETPOINT_C)
    goes_on = arrives & orders.on
    panels["on"] = np.where(arrives, orders.on, panels["on"])
    panels["heating"] = np.where(goes_on, orders.heating, panels["heating"])
    panels["setpoint_c"] = np.where(goes_on, setpoint_c, panels["setpoint_c"])
    panels["fan"] = np.where(goes_on, orders.fan, panels["fan"])
    for mode in ("dry", "fan_only"):
        panels[mode] &= ~goes_on
    return differ(panels, before)


def differ(panels: Table, before: Table) -> BoolArray:
    """Whether a unit does something else than before: while off, its other settings do not matter."""
    switched = panels["on"] != before["on"]
    others = [panels[name] != before[name] for name in ("heating", "setpoint_c", "fan", "dry", "fan_only")]
    return np.asarray(switched | (panels["on"] & np.logical_or.reduce(others)))


@njit
def count(
    tallies: Any,
    meters: Any,
    hands: Any,
    room_states: Any,
    persons: Any,
    rooms: Any,
    skies: Any,
    presence: Any,
    price: Any,
    votes: bool,
) -> None:
    """Add a row to the tallies; with ``votes``, comfort by PMV for this quarter of an hour."""
    for i in range(len(tallies)):
        tally, meter, state = tallies[i], meters[i], room_states[i]
        tally.energy_j += meter.energy_j
        tally.cost += meter.energy_j / 3.6e6 * price[i]
        tally.over_k_s += meter.over_k_s
        tally.under_k_s += meter.under_k_s
        tally.worst_k = max(tally.worst_k, max(meter.over_k_s, meter.under_k_s) / STEP_S)
        tally.starts += meter.starts
        tally.overrides = hands[i].overrides
        tally.trace += state.occupied_c
        if votes and presence[i] != residents.AWAY:
            season = residents.season_of(skies[rooms[i].weather].daily_mean_c)
            vote = vote_from_neutral(persons[i], state, int(presence[i]), season, rooms[i].pressure_pa)
            if abs(vote) > COMFORTABLE_PMV:
                tally.pmv_out_s += ROWS_PER_DECISION * STEP_S


@njit
def vote_from_neutral(person: Any, state: Any, presence: int, season: float, pressure_pa: float = PRESSURE_PA) -> float:
    """PMV in a room less the PMV at the person's own neutral temperature, dressed as one is in that season."""
    asleep = presence == residents.ASLEEP
    winter_clo, summer_clo = (WINTER_BED_CLO, SUMMER_BED_CLO) if asleep else (WINTER_CLO, SUMMER_CLO)
    clo = winter_clo + season * (summer_clo - winter_clo)
    met = ASLEEP_MET if asleep else AWAKE_MET
    neutral_c = residents.neutral_c(person, presence, season)
    vapour_pa = vapour_pressure_pa(state.humidity_kg_kg, pressure_pa)
    neutral_pa = NEUTRAL_HUMIDITY_RATIO * saturation_pressure_pa(neutral_c)
    vote = pmv(state.occupied_c, state.mean_radiant_c, vapour_pa, AIR_M_S, met, clo)
    return vote - pmv(neutral_c, neutral_c, neutral_pa, AIR_M_S, met, clo)


def _from_now_on(hands: Table) -> Table:
    tallies = table(Tally, len(hands))
    tallies["overrides_before"] = hands["overrides"]
    tallies["overrides"] = hands["overrides"]
    return tallies


def _figures(tallies: Table, rows: int) -> Figures:
    days = (rows - WARM_UP_ROWS) / STEPS_PER_DAY
    to_year = DAYS_PER_YEAR / days
    return Figures(
        energy_kwh=tallies["energy_j"] / 3.6e6 * to_year,
        cost=tallies["cost"] * to_year,
        over_kh=tallies["over_k_s"] / H_S * to_year,
        under_kh=tallies["under_k_s"] / H_S * to_year,
        pmv_out_h=tallies["pmv_out_s"] / H_S * to_year,
        worst_k=tallies["worst_k"].copy(),
        starts_per_day=tallies["starts"] / days,
        writes_per_day=tallies["writes"] / days,
        overrides=(tallies["overrides"] - tallies["overrides_before"]) * to_year,
    )


class _Recorder:
    """Writes down a home's course."""

    def __init__(self, world: World, home: int, first_row: int, rows: int) -> None:
        self._world, self._home, self._first_row = world, home, first_row
        self._last_row = min(first_row + rows, len(world.presence))
        self._lines: list[tuple[float, ...]] = []

    def follow(self, row: int) -> None:
        """A row has passed."""
        if not self._first_row <= row < self._last_row:
            return
        world, home = self._world, self._home
        sky, person, panel = world.skies[row, world.rooms["weather"][home]], world.persons[home], world.panels[home]
        season = residents.season_of(float(sky["daily_mean_c"]))
        there = int(world.presence[row, home])
        neutral_c, half_k = residents.neutral_c(person, there, season), residents.half_width_k(person, there, season)
        self._lines.append(
            (
                float(sky["outdoor_c"]),
                float(world.room_states["occupied_c"][home]),
                neutral_c - half_k,
                neutral_c + half_k,
                float(panel["setpoint_c"]) if panel["on"] else np.nan,
                float(world.meters["energy_j"][home]) / STEP_S,
                float(world.price[row, home]),
            )
        )

    def watched(self) -> Watched:
        """All of it."""
        columns = [np.array(column) for column in zip(*self._lines, strict=True)]
        presence = self._world.presence[self._first_row : self._last_row, self._home]
        return Watched(self._home, self._first_row, presence, *columns)
