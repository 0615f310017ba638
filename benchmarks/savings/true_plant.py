"""Planning in the true plant, for the two controllers that may look into it.

For one home at a time: the room is made linear around what it would do, ``planning.solve`` finds the cheapest heat, and
the orders that should bring that heat about are tried in the plant itself, beside simple rules, the orders of an hour
ago, and random changes of the best so far. The cheapest course wins. A plan that the unit's own controller, its least
frequency or its starts would spoil loses against a rule here, and not in the benchmark (D. Bertsekas, "Rollout
algorithms for discrete optimization: a survey", Handbook of Combinatorial Optimization, 2013 [from memory]).

Costs are in kWh at the mean price. Quarters of an hour are 15 steps of 60 s of the plant itself, with what is prepared
once per 5 minutes prepared once.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.savings import planning
from benchmarks.savings.planning import LIKELY
from benchmarks.savings.scoring import PRICE_OF_DISCOMFORT_KWH
from benchmarks.savings.words import DECISION_S
from simulator import residents
from simulator.jit import njit
from simulator.physics import split_unit, zone
from simulator.physics.moist_air import AIR_HEAT_J_PER_KG_K
from simulator.records import Table

Array = NDArray[np.float64]

STEP_S = 60.0
SUB = int(DECISION_S / STEP_S)
NODES = zone.NODES
LOADS = 8  # frequencies at which the unit's curve is taken
POINTS = 14  # of the grid of heat
W_PER_KW = 1000.0
J_PER_KWH = 3.6e6
LEAST_HALF_WIDTH_K = 1.0  # of a band of comfort that overrides have narrowed; assumed
LEAST_HEAT_RATIO = 0.03  # of the most heat: below it a plan means off
COOLEST_C, WARMEST_C, SETPOINT_STEP_K = 16.0, 30.0, 0.5
PATIENCE = 3  # quarters without planned heat for which a unit is left on, as it rests by itself
NOTHING_YET = 1e11  # kWh: no course was tried
CLEARLY_KWH = 0.3  # by which a course on its way may be dearer than the best
SETTLES = 4  # quarters after which two courses with the same orders differ only in what the room holds
LEADS = (0, 2, 4, 6, 8)  # quarters before somebody is likely to be home, of rules


class Linear(NamedTuple):
    """Rooms in modal form over a quarter of an hour, heat positive in the season's direction."""

    decay: Array  # (n, 8)
    gain: Array  # (n, 8) per kW
    reach: Array  # (n, 8): mean over the quarter of the occupied zone, from the modes at its beginning
    direct: Array  # (n,) K per kW
    to_modes: Array  # (n, 8, 8)


def no_rooms(n: int) -> Linear:
    """Room for ``n`` linear rooms."""
    shapes = (n, NODES), (n, NODES), (n, NODES), (n,), (n, NODES, NODES)
    return Linear(*(np.zeros(shape) for shape in shapes))


def make_linear(rooms: Linear, i: int, room: Any, air_kg_s: float, heating: bool) -> None:
    """Write the linear form of a ``zone.Room`` under a given flow of air from outside."""
    step = np.asarray(room["state_matrix"]).reshape(NODES, NODES).T.copy()
    heat = np.asarray(room["input_matrix"]).reshape(zone.INPUTS, NODES).T[:, 6].copy()
    flow_w_k = air_kg_s * AIR_HEAT_J_PER_KG_K
    lost = flow_w_k / (1.0 + heat[0] * flow_w_k)
    step, heat = step - lost * np.outer(heat, step[0]), heat - lost * heat * heat[0]
    sign_w = W_PER_KW if heating else -W_PER_KW
    whole, gain = np.eye(NODES), np.zeros(NODES)
    reach, direct = np.zeros(NODES), 0.0
    for _ in range(SUB):
        gain, whole = step @ gain + heat * sign_w, step @ whole
        reach += whole[0] / SUB
        direct += gain[0] / SUB
    layer = room["occupied_heating_k_m2_w"] if heating else room["occupied_cooling_k_m2_w"]
    modes = planning.modal(whole, gain, reach)
    rooms.decay[i], rooms.gain[i], rooms.reach[i] = modes.decay, modes.gain, modes.reach
    rooms.direct[i] = direct + float(layer) * sign_w / float(room["floor_m2"])
    rooms.to_modes[i] = modes.to_modes


@njit
def typical(person: Any, half_width_k: float) -> None:
    """Somebody of whom only the learned edges are known: middling in everything else (``customs.draw_person``)."""
    person.summer_asleep_shift_k = 0.0
    person.winter_asleep_shift_k = 0.0
    person.summer_half_width_k = max(half_width_k, LEAST_HALF_WIDTH_K)
    person.winter_half_width_k = person.summer_half_width_k
    person.asleep_wider_k = 0.0
    person.patience_s = 1500.0
    person.asleep_patience_ratio = 2.7
    person.step_k = 1.0
    person.sting = 0.3


@njit
def _people(
    person: Any, habit: Any, hand: Any, panel: Any, state: Any, sky: Any, here: float, middle_c: float, at_s: float
) -> None:
    """What the household does with window, blinds and panel, and its heat; ``middle_c`` NaN: the person is true."""
    if middle_c == middle_c:
        person.summer_neutral_c = middle_c
        person.winter_neutral_c = middle_c
    season = residents.season_of(sky.daily_mean_c)
    residents.react(person, habit, hand, panel, state, int(here + 0.5), season, at_s, 0.999, False)


@njit
def nominal(
    room: Any, state: Any, person: Any, habit: Any, hand: Any, panel: Any, ahead: Any, here: Array, middle_c: Array,
    at_s: float, sign: float, heat_kw: Array, nodes: Array, felt_c: Array,
) -> None:  # fmt: skip
    """The room under given heat: its nodes at the beginning of each quarter and the end, and the air people feel."""
    quarters = heat_kw.shape[0]
    for k in range(quarters):
        for i in range(NODES):
            nodes[k, i] = state.node_c[i]
        panel.on = heat_kw[k] > 0.0
        sky = ahead[k]
        _people(person, habit, hand, panel, state, sky, here[k], middle_c[k], at_s + DECISION_S * k)
        zone.prepare(room, state, sky)
        heat_w = sign * W_PER_KW * heat_kw[k]
        total = 0.0
        for _ in range(SUB):
            zone.step(room, state, hand.convective_w + heat_w, hand.radiant_w, 0.0, heat_w)
            total += state.occupied_c
        felt_c[k] = total / SUB
    for i in range(NODES):
        nodes[quarters, i] = state.node_c[i]


@njit
def curve(
    unit: Any, heating: bool, outdoor_c: float, indoor_c: float, humidity_kg_kg: float, grid_kw: float, slopes: Array,
    heat_kw: Array, power_kw: Array,
) -> tuple[float, float]:  # fmt: skip
    """The unit's held sensible heat and power over frequency, as slopes of its hull; its least and most heat. [kW]

    Power is that beyond a unit that is off. ``humidity_kg_kg`` as in ``split_unit.held``.
    """
    off_w = unit.standby_w + (unit.crankcase_w if outdoor_c < split_unit.CRANKCASE_BELOW_C else 0.0)
    least = unit.minimum_ratio
    most = unit.maximum_heating_ratio if heating else unit.maximum_cooling_ratio
    heat_kw[0] = 0.0
    power_kw[0] = 0.0
    for j in range(LOADS):
        ratio = 1.0 if unit.fixed_speed else least + (most - least) * j / (LOADS - 1)
        heat_w, power_w = split_unit.held(unit, ratio, outdoor_c, indoor_c, humidity_kg_kg, heating)
        heat_kw[j + 1] = heat_w / W_PER_KW
        power_kw[j + 1] = (power_w - off_w) / W_PER_KW
    least_kw, most_kw = heat_kw[1], heat_kw[LOADS]
    planning.convex_slopes(heat_kw, power_kw, grid_kw, slopes)
    return least_kw, most_kw


@njit
def quarter(
    room: Any, state: Any, unit: Any, running: Any, person: Any, habit: Any, hand: Any, panel: Any, sky: Any,
    here: float, middle_c: float, at_s: float, price: float, weight: float, low_c: float, high_c: float, on: float,
    setpoint_c: float, heating: bool,
) -> float:  # fmt: skip
    """What an order costs in the plant itself over its quarter of an hour. [kWh at the mean price]"""
    if hand.override_until_s <= at_s:  # otherwise what somebody set holds
        panel.on = on > 0.5
        panel.heating = heating
        panel.setpoint_c = setpoint_c
        panel.fan = 0
    _people(person, habit, hand, panel, state, sky, here, middle_c, at_s)
    zone.prepare(room, state, sky)
    split_unit.prepare(unit, running, panel, sky.outdoor_c, sky.humidity_kg_kg, state.return_c, state.humidity_kg_kg)
    energy_j, outside_k_s = 0.0, 0.0
    for _ in range(SUB):
        split_unit.step(unit, running, panel, state.return_c, state.humidity_kg_kg, STEP_S)
        zone.step(
            room, state, hand.convective_w + running.heat_w, hand.radiant_w,
            hand.moisture_kg_s - running.moisture_kg_s, running.heat_w,
        )  # fmt: skip
        energy_j += running.power_w * STEP_S
        outside_k_s += (max(state.occupied_c - high_c, 0.0) + max(low_c - state.occupied_c, 0.0)) * STEP_S
    return float(price * energy_j / J_PER_KWH + weight * PRICE_OF_DISCOMFORT_KWH * outside_k_s / 3600.0)


@njit
def try_course(
    room: Any, unit: Any, person: Any, habit: Any, states: Any, runnings: Any, hands: Any, panels: Any, ahead: Any,
    here: Array, middle_c: Array, at_s: float, price: Array, weight: Array, low_c: Array, high_c: Array, on: Array,
    setpoint_c: Array, heating: bool, first: int, last: int, best_kwh: Array, kwh: Array, worth: Array, to_modes: Array,
    end: Array,
) -> float:  # fmt: skip
    """What a course costs that parts from the best one at ``first`` and orders as it does from ``last`` on. [kWh]

    It is taken up where it parts, and given up, as infinite, once it is clearly dearer than the best course to the same
    instant, what the room holds being weighed by what the plan says it is worth. ``kwh`` are costs before each quarter.

    The records' tables hold one to try on, then those of the best course at each quarter, then those of this one.
    """
    quarters = kwh.shape[0] - 1
    mine = quarters + 2  # of the tables
    states[0], runnings[0], hands[0], panels[0] = (
        states[1 + first],
        runnings[1 + first],
        hands[1 + first],
        panels[1 + first],
    )
    kwh[first] = best_kwh[first]
    state, running, hand, panel = states[0], runnings[0], hands[0], panels[0]
    for k in range(first, quarters):
        kwh[k + 1] = kwh[k] + quarter(
            room, state, unit, running, person, habit, hand, panel, ahead[k], here[k], middle_c[k],
            at_s + DECISION_S * k, price[k], weight[k], low_c[k], high_c[k], on[k], setpoint_c[k], heating,
        )  # fmt: skip
        at = mine + k + 1
        states[at], runnings[at], hands[at], panels[at] = states[0], runnings[0], hands[0], panels[0]
        if best_kwh[quarters] < NOTHING_YET and k + 1 < quarters:
            dearer_kwh = kwh[k + 1] - best_kwh[k + 1]
            best = states[2 + k]
            for b in range(NODES):
                differs_k = state.node_c[b] - best.node_c[b]
                for a in range(NODES):
                    dearer_kwh += worth[k + 1, a] * to_modes[a, b] * differs_k
            if dearer_kwh > (CLEARLY_KWH if k + 1 < last + SETTLES else 0.0):
                return np.inf
    total = kwh[quarters]
    for a in range(NODES):
        total += end[a] * state.node_c[a]
    return float(total)


@njit
def _luck(seed: NDArray[np.int64], i: int) -> float:
    """A number in 0..1 for a home (a linear congruential generator of 2^31, enough to choose what to try)."""
    seed[i] = (seed[i] * 1103515245 + 12345) % 2147483648
    return float(seed[i] / 2147483648.0)


@njit
def change(
    seed: NDArray[np.int64], i: int, on: Array, setpoint_c: Array, edge_c: Array, quarters: int, new_on: Array,
    new_setpoint_c: Array,
) -> None:  # fmt: skip
    """A random change of some quarters, near ones more often."""
    for k in range(on.shape[0]):
        new_on[k] = on[k]
        new_setpoint_c[k] = setpoint_c[k]
    luck = _luck(seed, i)
    first = int(luck * luck * quarters)
    luck = _luck(seed, i)
    last = min(first + 1 + int(luck * luck * 24.0), quarters)
    kind = _luck(seed, i)
    if kind < 0.5:  # warmer or cooler, by steps of the unit
        by_k = SETPOINT_STEP_K * (1.0 + int(_luck(seed, i) ** 2 * 4.0)) * (1.0 if kind < 0.25 else -1.0)
        for k in range(first, last):
            new_setpoint_c[k] += by_k
    elif kind < 0.65:
        for k in range(first, last):
            new_on[k] = 0.0
    elif kind < 0.8:
        by_k = 3.0 * (_luck(seed, i) - 0.5)
        for k in range(first, last):
            new_on[k] = 1.0
            new_setpoint_c[k] = edge_c[k] + by_k
    else:  # earlier or later
        by = 1 + int(_luck(seed, i) * 3.0)
        if kind < 0.9:
            for k in range(first, quarters - by):
                new_on[k] = on[k + by]
                new_setpoint_c[k] = setpoint_c[k + by]
        else:
            for k in range(first + by, quarters):
                new_on[k] = on[k - by]
                new_setpoint_c[k] = setpoint_c[k - by]
    for k in range(first, quarters):
        new_setpoint_c[k] = min(max(new_setpoint_c[k], COOLEST_C), WARMEST_C)


class Ahead(NamedTuple):
    """What is thought to come, by quarters of an hour; shape (n, quarters) where not said otherwise."""

    skies: Table
    here: Array  # 0 away, 1 awake, 2 asleep
    middle_c: Array  # of the band of comfort, which decides on windows; NaN: the true person decides
    price: Array  # over the mean price
    weight: Array  # share of the quarter in which discomfort counts
    low_c: Array
    high_c: Array
    at_s: float  # of the first quarter


class Course(NamedTuple):
    """Orders by quarters of an hour from ``first`` on, and the heat that was meant; shape (n, quarters)."""

    on: Array
    setpoint_c: Array
    heat_kw: Array


class Effort(NamedTuple):
    """How hard to look; doubling any of it should change nothing that matters.

    Chosen on six homes of the validation split in summer: with trials of 8 h, which are planned anew each hour, J is
    lower than with trials of 12 h and as many changes. A change is tried from where it parts from the best course, so
    that 96 of them take about as long as 24 whole trials.
    """

    iterations: int = 25  # of the interior-point method
    rounds: int = 1  # of making the room linear around the plan
    changes: int = 128  # random changes of the best course tried in the plant
    quarters: int = 32  # of the trials; beyond them the plan says what their end is worth


@njit
def as_now(
    i: int, room_states: Any, unit_states: Any, persons: Any, hands: Any, panels: Any, half_k: float, state_: Any,
    running_: Any, person_: Any, hand_: Any, panel_: Any,
) -> None:  # fmt: skip
    """Write a home as it is now on the tables of one record; ``half_k`` of a learned band, -1: the person is true."""
    state_[0] = room_states[i]
    running_[0] = unit_states[i]
    person_[0] = persons[i]
    hand_[0] = hands[i]
    panel_[0] = panels[i]
    if half_k >= 0.0:
        typical(person_[0], half_k)


@njit
def search(
    due: Array, world_rooms: Any, room_states: Any, units: Any, unit_states: Any, persons: Any, habits: Any, hands: Any,
    panels: Any, skies: Any, here: Array, middle_c: Array, price: Array, weight: Array, low_c: Array, high_c: Array,
    at_s: float, heats: Array, decay: Array, gain: Array, reach: Array, direct: Array, to_modes: Array, on: Array,
    setpoint_c: Array, heat_kw: Array, cost: Array, winner: NDArray[np.int64], seed: NDArray[np.int64],
    states: Any, runnings: Any, person_: Any, hands_: Any, panels_: Any, effort: NDArray[np.int64],
) -> None:  # fmt: skip
    """The best course of orders found for each home that is due, written over the course it has.

    ``states`` to ``panels_`` are tables to try things on (``try_course``). ``cost`` and ``winner`` tell what the best
    course is thought to cost and where it came from: 0 what was meant before, 1 a plan, 2 a rule, 3 a change.
    """
    quarters = price.shape[1]
    iterations, rounds, changes, tried = effort[0], effort[1], effort[2], min(effort[3], quarters)
    nodes = np.empty((quarters + 1, NODES))
    modes = np.empty(NODES)
    push = np.empty((quarters, NODES))
    level = np.empty(quarters)
    felt_c = np.empty(quarters)
    worth = np.empty((quarters, NODES))
    slopes = np.empty((quarters, POINTS))
    most = np.empty(quarters)
    price_kw = np.empty(quarters)
    weight_k = np.empty(quarters)
    plan_kw = np.empty(quarters)
    edge_c = np.empty(quarters)
    end = np.zeros(NODES)
    best_kwh, kwh = np.zeros(tried + 1), np.zeros(tried + 1)
    loads_kw, powers_kw = np.empty(LOADS + 1), np.empty(LOADS + 1)
    try_on, try_c = np.empty(quarters), np.empty(quarters)
    best_on, best_c = np.empty(quarters), np.empty(quarters)
    hours = DECISION_S / 3600.0
    for i in range(due.shape[0]):
        if due[i] < 0.5:
            continue
        room, unit, habit = world_rooms[i], units[i], habits[i]
        heating = heats[i] > 0.5
        sign = 1.0 if heating else -1.0
        grid_kw = 1.6 * (unit.rated_heating_w if heating else unit.rated_cooling_w) / W_PER_KW / (POINTS - 1)
        for k in range(quarters):
            price_kw[k] = price[i, k] * hours
            weight_k[k] = weight[i, k] * PRICE_OF_DISCOMFORT_KWH * hours
            plan_kw[k] = heat_kw[i, k]
        half_k = -1.0  # of the true person
        if middle_c[i, 0] == middle_c[i, 0]:
            half_k = 0.5 * (high_c[i, 0] - low_c[i, 0])

        # where nobody will feel anything with the unit off, nothing is better
        as_now(i, room_states, unit_states, persons, hands, panels, half_k, states, runnings, person_, hands_, panels_)
        felt = 0.0
        for k in range(quarters):
            felt += quarter(
                room, states[0], unit, runnings[0], person_[0], habit, hands_[0], panels_[0], skies[i, k], here[i, k],
                middle_c[i, k], at_s + DECISION_S * k, 0.0, weight[i, k], low_c[i, k], high_c[i, k], 0.0,
                setpoint_c[i, k], heating,
            )  # fmt: skip
        if felt <= 0.0:
            cost[i], winner[i] = 0.0, 2
            for k in range(quarters):
                on[i, k], heat_kw[i, k] = 0.0, 0.0
            continue
        humid = room_states[i].humidity_kg_kg
        least_kw, most_kw = 0.0, 0.0
        for k in range(quarters):
            if k % 4 == 0:
                middle = 0.5 * (low_c[i, k] + high_c[i, k])
                water = skies[i, k].humidity_kg_kg if heating else humid
                least_kw, most_kw = curve(
                    unit, heating, skies[i, k].outdoor_c, middle, water, grid_kw, slopes[k], loads_kw, powers_kw
                )
            else:
                for j in range(POINTS):
                    slopes[k, j] = slopes[k - 1, j]
            most[k] = max(most_kw, 0.1)

        # the plan, on the room made linear around itself
        for _ in range(rounds):
            as_now(
                i, room_states, unit_states, persons, hands, panels, half_k, states, runnings, person_, hands_, panels_
            )
            nominal(
                room, states[0], person_[0], habit, hands_[0], panels_[0], skies[i], here[i], middle_c[i], at_s, sign,
                plan_kw, nodes, felt_c,
            )  # fmt: skip
            for k in range(quarters):
                level[k] = felt_c[k] - direct[i] * plan_kw[k]
                for a in range(NODES):
                    now, then = 0.0, 0.0
                    for b in range(NODES):
                        now += to_modes[i, a, b] * nodes[k, b]
                        then += to_modes[i, a, b] * nodes[k + 1, b]
                    if k == 0:
                        modes[a] = now
                    level[k] -= reach[i, a] * now
                    push[k, a] = then - decay[i, a] * now - gain[i, a] * plan_kw[k]
            planning.solve(
                decay[i], gain[i], reach[i], direct[i], modes, push, level, price_kw, slopes, grid_kw, most, weight_k,
                low_c[i], high_c[i], plan_kw, felt_c, worth, iterations,
            )  # fmt: skip
        for a in range(NODES):
            end[a] = 0.0
            if tried < quarters:
                for b in range(NODES):
                    end[a] += worth[tried, b] * to_modes[i, b, a]

        # setpoints that hold an edge, and those that hold the plan: the sensor sees another air than people feel
        floor = room.floor_m2
        if heating:
            layer = (room.return_heating_k_m2_w - room.occupied_heating_k_m2_w) * W_PER_KW / floor
            sensor_k = unit.sensor_offset_k + unit.sensor_drift_k - unit.heating_compensation_k
        else:
            layer = -(room.return_cooling_k_m2_w - room.occupied_cooling_k_m2_w) * W_PER_KW / floor
            sensor_k = unit.sensor_offset_k + unit.sensor_drift_k
        for k in range(quarters):
            edge = low_c[i, k] if heating else high_c[i, k]
            edge_c[k] = edge + sensor_k + layer * max(plan_kw[k], 0.5 * least_kw)

        as_now(i, room_states, unit_states, persons, hands, panels, half_k, states, runnings, person_, hands_, panels_)
        states[1], runnings[1], hands_[1], panels_[1] = states[0], runnings[0], hands_[0], panels_[0]
        best, source = 1e12, 0
        best_kwh[tried] = NOTHING_YET
        for trial in range(1 + 5 + 1 + 2 * len(LEADS) + 2 + changes):
            kind = 3
            if trial == 0:  # what was meant before
                kind = 0
                for k in range(quarters):
                    try_on[k], try_c[k] = on[i, k], setpoint_c[i, k]
            elif trial <= 5:  # the plan, a little warmer or cooler
                kind = 1
                by_k = 0.25 * (trial - 3)
                for k in range(quarters):
                    try_on[k] = 0.0
                    for near in range(max(k - PATIENCE, 0), min(k + PATIENCE + 1, quarters)):
                        if plan_kw[near] > LEAST_HEAT_RATIO * most[near] and (near >= k or weight[i, k] >= LIKELY):
                            try_on[k] = 1.0
                    try_c[k] = felt_c[k] + sensor_k + layer * plan_kw[k] + by_k
            elif trial < 1 + 5 + 1 + 2 * len(LEADS) + 2:  # rules
                kind = 2
                rule = trial - 6
                lead = LEADS[(rule - 1) // 2] if 0 < rule <= 2 * len(LEADS) else 0
                by_k = -0.25 * sign if rule % 2 == 0 else 0.25 * sign
                for k in range(quarters):
                    try_on[k] = 0.0
                    if rule > 2 * len(LEADS):
                        try_on[k] = 1.0
                    elif rule > 0:
                        for near in range(k, min(k + lead + 1, quarters)):
                            if weight[i, near] >= LIKELY:
                                try_on[k] = 1.0
                    try_c[k] = edge_c[k] + by_k
            else:
                change(seed, i, best_on, best_c, edge_c, tried, try_on, try_c)
            for k in range(quarters):
                try_c[k] = min(max(round(try_c[k] / SETPOINT_STEP_K) * SETPOINT_STEP_K, COOLEST_C), WARMEST_C)
            first, last = tried, 0  # where it parts from the best course, and where it joins it again
            for k in range(tried):
                both_off = try_on[k] < 0.5 and best_on[k] < 0.5
                if trial == 0 or (not both_off and (try_on[k] != best_on[k] or try_c[k] != best_c[k])):
                    first, last = min(first, k), k + 1
            if first == tried:
                continue
            total = try_course(
                room, unit, person_[0], habit, states, runnings, hands_, panels_, skies[i], here[i], middle_c[i], at_s,
                price[i], weight[i], low_c[i], high_c[i], try_on, try_c, heating, first, last, best_kwh, kwh, worth,
                to_modes[i], end,
            )  # fmt: skip
            if total < best - 1e-9:
                best, source = total, kind
                for k in range(quarters):
                    best_on[k], best_c[k] = try_on[k], try_c[k]
                for k in range(first, tried):
                    best_kwh[k + 1] = kwh[k + 1]
                    at = tried + 3 + k
                    states[2 + k], runnings[2 + k] = states[at], runnings[at]
                    hands_[2 + k], panels_[2 + k] = hands_[at], panels_[at]
        cost[i] = best
        winner[i] = source
        for k in range(quarters):
            on[i, k], setpoint_c[i, k], heat_kw[i, k] = best_on[k], best_c[k], plan_kw[k]
