"""Plans of heat for many rooms at once, and what their units are told to follow them.

Each room is a record of ``ROOM``: the two nodes as fitted (``control.two_nodes``), where they stand, the plan that it
follows, and how far the unit's setpoint has to lie from the air that is wanted. The round of a quarter of an hour::

    learn(rooms, quarter)               what the last quarter did: where the nodes stand, what the setpoint came to
    plan(rooms[due], heats, ahead)      once an hour, and when people come or go (``control.cheapest``)
    targets(rooms, heats)               what the unit is to be told

and once a day ``refit`` from the last weeks. A plan is made for a day in steps that grow; it is followed by its first
two hours. Discomfort costs what it costs in every table of savings, 0.5 kWh at the mean price for each K h.

The unit holds its own sensor and not the room, and rests or runs at its least within a band around its setpoint. So
the setpoint is moved by what the room lacks of the plan: at once by a share of it, and for good by the sum of what it
lacked, apart in cooling and in heating.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from control import two_nodes
from control.cheapest import Problem, cheapest
from control.two_nodes import PARAMETERS, Past

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Rooms = NDArray[Any]  # of ROOM

QUARTER_S, QUARTER_H = 900.0, 0.25
QUARTERS = 96  # ahead
# steps of a plan, in quarters of an hour: what is near is done, what is far is only weighed
STEP_QUARTERS = np.array([1] * 8 + [2] * 8 + [4] * 18)
FOLLOWED = 8  # steps of a quarter that are followed, at most
PERIOD_QUARTERS = 4  # until the next plan
ENDS = np.cumsum(STEP_QUARTERS)
STARTS = ENDS - STEP_QUARTERS
PRICE_OF_DISCOMFORT_KWH = 0.5  # for each K h, at the mean price
MOST_LOAD = 1.2
LEAST_HEAT_RATIO = 0.03  # of the most heat: below it a plan means off, where nothing corrects that
PATIENCE = 4  # quarters without planned heat for which a unit is left on, as it rests by itself
SILENT_SHARE = 0.25  # of a time in which nothing can be told: a unit that a plan needs for less of it is left off
QUARTER_MIN, DAY_MIN = 15, 1440
USUAL_FLOOR_M2 = 20.0  # of a room of which nobody knows

MEMORY_QUARTERS = 21 * QUARTERS  # that are fitted
YOUNG_QUARTERS = 2 * QUARTERS  # before the first fit
SETTLED_QUARTERS = 10 * QUARTERS  # from which a day's fit goes on from the last
FIRST_ITERATIONS, LATER_ITERATIONS = 12, 1

BIAS_FAST, BIAS_SLOW = 0.2, 0.05  # share of what the room lacks by which the setpoint's offset moves; assumed
BIAS_MOST_K = 3.0
PUSH = 0.5  # of what the room lacks, on the setpoint at once; assumed
LACKS_MOST_K = 1.0
STEADY_K = 0.25  # change of the plan in a quarter

STAY_QUARTERS = 24.0  # in which a surprise about presence fades to 37 %; 8 and 24 were tried on validation homes
RECOVERY_QUARTERS = 3  # from a return that was not expected to a comfortable room; assumed
LIKELY = 0.5  # chance of presence from which a return is prepared for

ROOM = np.dtype(
    [
        ("rated_kw", np.float64),
        ("prior", np.float64, (PARAMETERS,)),
        ("theta", np.float64, (PARAMETERS,)),
        ("nodes", np.float64, (3,)),  # air, mass [°C], unexplained heat [kW]
        ("bias_k", np.float64, (2,)),  # of the setpoint against the room, in cooling and in heating
        ("lacks_k", np.float64),  # the room of the plan, now
        ("aim_c", np.float64, (ENDS.size,)),  # the room in each step of the plan
        ("heat_kw", np.float64, (ENDS.size,)),  # of each step of the plan
        ("shift_k", np.float64),  # by which the plan's air is corrected until the next plan (``control.correcting``)
        ("least_ratio", np.float64),  # of the most heat: below it the plan means off
        ("passed", np.int64),  # quarters since the plan was made; FOLLOWED: there is none
        ("known", np.bool_),  # the room's temperature has been seen
    ]
)


class Quarter(NamedTuple):
    """What n rooms did in the quarter of an hour that has passed, shape (n,) each; NaN is unknown."""

    room_c: Array  # at its end
    outdoor_c: Array
    solar_w_m2: Array
    power_w: Array  # of the unit
    heating: BoolArray
    occupied: Array  # 0..1
    ran: BoolArray  # the unit was on all the time, as we told it: what the room lacks teaches the offset


class Ahead(NamedTuple):
    """What is believed of the day ahead of n rooms, by quarters of an hour from now, shape (n, QUARTERS) each."""

    chance: Array  # that somebody is in
    outdoor_c: Array
    solar_w_m2: Array
    price_ratio: Array  # over the mean price
    low_c: Array  # edges of comfort
    high_c: Array


class Targets(NamedTuple):
    """What units are to be told, shape (n,) each."""

    on: BoolArray
    aim_c: Array  # the room as planned
    offset_k: Array  # of the setpoint against the room, as learned
    setpoint_c: Array


def new(rated_cooling_w: Array, floor_m2: Array | None = None) -> Rooms:
    """Rooms of which nothing is known yet but the unit's rating, and perhaps their size."""
    rooms = np.zeros(rated_cooling_w.size, dtype=ROOM)
    floors = np.full(rated_cooling_w.size, USUAL_FLOOR_M2) if floor_m2 is None else floor_m2
    rooms["rated_kw"] = rated_cooling_w / 1e3
    rooms["prior"] = rooms["theta"] = two_nodes.prior(floors)
    rooms["passed"] = FOLLOWED
    return rooms


def to_json(room: Any) -> dict[str, Any]:
    """One room as JSON can hold it."""
    return {"version": 1, **{name: room[name].tolist() for name in ROOM.names or ()}}


def from_json(value: Mapping[str, Any]) -> Any:
    """What ``to_json`` kept: one record.

    Raises
    ------
    ValueError
        The values are no such room.
    """
    room = np.zeros((), dtype=ROOM)
    try:
        for name in ROOM.names or ():
            read = np.array(value[name], dtype=room[name].dtype)
            if read.shape != room[name].shape or not np.isfinite(read).all():
                raise ValueError(f"{name}: expected {room[name].shape} finite numbers, got {value[name]!r}")
            room[name] = read
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a planned room: {error}") from error
    if not 0 <= room["passed"] <= FOLLOWED or not room["rated_kw"] > 0.0:
        raise ValueError(f"not a planned room: {value!r}")
    return room


def start(rooms: Rooms, room_c: Array) -> None:
    """Take both nodes of rooms that are seen for the first time to be as warm as the room, in place."""
    fresh = ~rooms["known"] & np.isfinite(room_c)
    rooms["nodes"][fresh, :2] = room_c[fresh, np.newaxis]
    rooms["known"] |= fresh


def learn(rooms: Rooms, quarter: Quarter) -> None:
    """Take in the quarter of an hour that has passed, in place."""
    start(rooms, quarter.room_c)
    heat = heat_kw(rooms, quarter)
    rooms["nodes"] = two_nodes.follow(
        rooms["theta"],
        rooms["nodes"],
        quarter.room_c,
        quarter.outdoor_c,
        np.nan_to_num(quarter.solar_w_m2) / 1e3,
        heat,
        quarter.occupied,
    )
    rooms["passed"] = np.minimum(rooms["passed"] + 1, FOLLOWED)
    _correct(rooms, quarter)


def heat_kw(rooms: Rooms, quarter: Quarter) -> Array:
    """Heat of the units in a quarter, by their electricity; of one that nobody measures, as planned while it ran."""
    sign = np.where(quarter.heating, 1.0, -1.0)
    planned = np.where(quarter.ran, sign * _now(rooms["heat_kw"], rooms["passed"]), 0.0)
    by_power = two_nodes.heat_kw(quarter.power_w / 1e3, rooms["rated_kw"], quarter.heating, quarter.outdoor_c)
    return np.where(np.isfinite(quarter.power_w), by_power, planned)


def fit_iterations(quarters: int) -> int:
    """How long a fit to so many quarters of an hour is to take."""
    return FIRST_ITERATIONS if quarters < SETTLED_QUARTERS else LATER_ITERATIONS


def refit(rooms: Rooms, past: Past, iterations: int) -> None:
    """Fit the rooms anew to what they did, in place; see ``two_nodes.fit``."""
    rooms["theta"] = two_nodes.fit(rooms["theta"], rooms["prior"], past, iterations)


def plan(rooms: Rooms, heats: BoolArray, ahead: Ahead) -> None:
    """Plan anew from now on, in place; rooms whose temperature was never seen get no heat.

    Parameters
    ----------
    heats : BoolArray
        The season's direction: whether units heat or cool.
    """
    heat, felt = cheapest(problem(rooms, heats, ahead))
    rooms["heat_kw"] = np.where(rooms["known"][:, np.newaxis], heat, 0.0)
    rooms["aim_c"] = felt
    rooms["shift_k"], rooms["least_ratio"] = 0.0, LEAST_HEAT_RATIO
    rooms["passed"] = 0


def targets(rooms: Rooms, heats: BoolArray, silent: NDArray[np.int64] | None = None) -> Targets:
    """What the units are to be told now.

    Parameters
    ----------
    silent : integers, shape (n,), optional
        Quarters of an hour for which what is told now has to do, as nothing else may be told before; by default one.
    """
    passed = rooms["passed"]
    soon = np.minimum(passed[:, np.newaxis] + np.arange(PATIENCE), FOLLOWED - 1)
    least_kw = rooms["least_ratio"] * MOST_LOAD * rooms["rated_kw"]
    on = np.take_along_axis(rooms["heat_kw"], soon, axis=1).max(axis=1) > least_kw
    aim_c = _now(rooms["aim_c"], passed)
    if silent is not None:
        on, aim_c = _over(silent, rooms, least_kw, on, aim_c)
    aim_c = aim_c + rooms["shift_k"]
    bias_k = np.where(heats, rooms["bias_k"][:, 1], rooms["bias_k"][:, 0])
    return Targets(on, aim_c, bias_k, aim_c + bias_k + PUSH * rooms["lacks_k"])


def silent_quarters(quiet: tuple[int, int] | None, local_minute: NDArray[np.int64]) -> NDArray[np.int64]:
    """For how many quarters of an hour what is told now has to do, as the guard keeps quiet hours; shape (n,).

    Parameters
    ----------
    quiet : pair of int, optional
        Start and end of the quiet hours. [min after local midnight]
    """
    if quiet is None:
        return np.ones(local_minute.size, dtype=np.int64)
    start, end = quiet
    since = (local_minute + QUARTER_MIN - start) % DAY_MIN
    left = (end - local_minute) % DAY_MIN
    return np.where(since < (end - start) % DAY_MIN, np.maximum(left // QUARTER_MIN, 1), 1)


def _over(
    silent: NDArray[np.int64], rooms: Rooms, least_kw: Array, on: BoolArray, aim_c: Array
) -> tuple[BoolArray, Array]:
    """On and air where what is told has to do for longer: the middle of what the plan wants while it gives heat."""
    long, passed = silent > 1, rooms["passed"][:, np.newaxis]
    inside = ((passed + silent[:, np.newaxis] > STARTS) & (passed < ENDS)) * STEP_QUARTERS
    heated = inside * (rooms["heat_kw"] > least_kw[:, np.newaxis])
    runs = heated.sum(axis=1) >= SILENT_SHARE * inside.sum(axis=1)
    return np.where(long, runs, on), np.where(long & runs, _middle(rooms["aim_c"], heated), aim_c)


def is_planned(rooms: Rooms) -> BoolArray:
    """Whether a plan is there that is not too old to follow."""
    return np.asarray(rooms["known"] & (rooms["passed"] < FOLLOWED))


def chance_ahead(occupied: Array, usual: Array) -> Array:
    """Chance that somebody is in, shape (n, quarters): what is seen now fades into habit."""
    faded = np.exp(-np.arange(usual.shape[1]) / STAY_QUARTERS)
    return np.clip(usual + (occupied - usual[:, 0])[:, np.newaxis] * faded, 0.0, 1.0)


def weight_ahead(chance: Array) -> Array:
    """Share of each quarter in which discomfort counts, shape (n, quarters).

    While a return is not likely, only those count who come within the time that the room would take to be made
    comfortable: who came before has been met by a new plan.
    """
    first = np.repeat(chance[:, :1], RECOVERY_QUARTERS, axis=1)
    before = np.concatenate((first, chance[:, :-RECOVERY_QUARTERS]), axis=1)
    return np.where(chance >= LIKELY, chance, np.maximum(chance - before, 0.0))


def problem(rooms: Rooms, heats: BoolArray, ahead: Ahead) -> Problem:
    """What ``cheapest`` is asked."""
    theta, n = rooms["theta"], len(rooms)
    step, inputs = two_nodes.steps(theta)
    scale = two_nodes.unit_scale(theta, heats)
    rest = rooms["nodes"][:, 2:] * two_nodes.HEAT_ERROR_KEPT ** np.arange(QUARTERS)
    given = theta[:, two_nodes.GAIN, np.newaxis] + rest
    drives = np.stack([ahead.outdoor_c, ahead.solar_w_m2 / 1e3, given, ahead.chance], axis=1)
    pushes = inputs @ drives
    pushes[:, :, 0] += (step @ rooms["nodes"][:, :2, np.newaxis])[:, :, 0]
    free_c = two_nodes.summed(step, pushes)[:, 0]
    weight = weight_ahead(ahead.chance)
    full_kw = two_nodes.rated_kw(rooms["rated_kw"][:, np.newaxis], heats[:, np.newaxis], ahead.outdoor_c)
    pulse = np.zeros((n, 2, QUARTERS))
    pulse[:, :, 0] = inputs[:, :, 2] * (np.where(heats, 1.0, -1.0) * scale)[:, np.newaxis]
    return Problem(
        answer=_answer(two_nodes.summed(step, pulse)[:, 0]),
        free_c=_mean(free_c),
        price=_mean(ahead.price_ratio) * STEP_QUARTERS * QUARTER_H,
        full_kw=_mean(full_kw),
        rated_kw=rooms["rated_kw"],
        most_kw=MOST_LOAD * rooms["rated_kw"],
        weight=_mean(weight) * STEP_QUARTERS * QUARTER_H * PRICE_OF_DISCOMFORT_KWH,
        low_c=_mean(ahead.low_c),
        high_c=_mean(ahead.high_c),
    )


def _correct(rooms: Rooms, quarter: Quarter) -> None:
    """Move the setpoint's offset by what the room lacks of the plan, faster where that is uncomfortable."""
    before = rooms["passed"] - 1  # the quarter of the plan that has passed
    was_c, next_c = _now(rooms["aim_c"], before), _now(rooms["aim_c"], rooms["passed"])
    planned = is_planned(rooms) & np.isfinite(quarter.room_c)
    lacks_k = np.clip(was_c + rooms["shift_k"] - quarter.room_c, -LACKS_MOST_K, LACKS_MOST_K)
    rooms["lacks_k"] = np.where(planned, lacks_k, 0.0)
    working = planned & quarter.ran & (np.abs(next_c - was_c) < STEADY_K)
    hurts = np.where(quarter.heating, rooms["lacks_k"] > 0.0, rooms["lacks_k"] < 0.0)
    move_k = np.where(working, np.where(hurts, BIAS_FAST, BIAS_SLOW) * rooms["lacks_k"], 0.0)
    mode = quarter.heating.astype(np.int64)
    at = np.arange(len(rooms)), mode
    rooms["bias_k"][at] = np.clip(rooms["bias_k"][at] + move_k, -BIAS_MOST_K, BIAS_MOST_K)


def _now(values: Array, passed: NDArray[np.int64]) -> Array:
    at = np.clip(passed, 0, FOLLOWED - 1)[:, np.newaxis]
    return np.take_along_axis(values, at, axis=1)[:, 0]


def _middle(values: Array, weights: Array) -> Array:
    """Weighted median of each row."""
    order = np.argsort(values, axis=1)
    total = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    at = np.argmax(total >= 0.5 * total[:, -1:], axis=1)
    return np.take_along_axis(values, np.take_along_axis(order, at[:, np.newaxis], axis=1), axis=1)[:, 0]


def _mean(by_quarter: Array) -> Array:
    """By steps of the plan."""
    return np.asarray(np.add.reduceat(by_quarter, STARTS, axis=1) / STEP_QUARTERS)


def _answer(pulse_k: Array) -> Array:
    """Mean air of each step per kW in each step, from the air after a quarter of heat; shape (n, steps, steps)."""
    zeros = np.zeros((len(pulse_k), QUARTERS + 1))
    twice = np.concatenate([zeros, np.cumsum(np.cumsum(pulse_k, axis=1), axis=1)], axis=1)

    def at(ends: NDArray[np.int64], starts: NDArray[np.int64]) -> Array:
        return np.asarray(twice[:, ends[:, np.newaxis] - starts + QUARTERS])

    total = at(ENDS, STARTS) - at(STARTS, STARTS) - at(ENDS, ENDS) + at(STARTS, ENDS)
    return np.asarray(total / STEP_QUARTERS[:, np.newaxis])
