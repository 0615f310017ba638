"""The comfort curve learns from what people choose, what they change, and what they leave as it is.

Of each edge of the band of a season and state there is a belief: normal, with a mean and a deviation. The engine uses
edges a little inside the believed ones (``MARGIN_K``), as rooms wander about a setpoint.

Before the engine runs a unit, a choice is one measurement of both edges, with the deviation that people's choices have;
belief and measurement are both normal, so the new belief is (A. Gelman et al., Bayesian Data Analysis, 2.5)::

    1/v' = 1/v + 1/c        m' = v' (m/v + x/c)

Once it runs the unit, people say by their remote control where the edges are. They press it at a rate that rises where
the room gets past an edge ``e`` (a smooth step, as thermometers err and patience differs)::

    rate(x, e) = PRESS_PER_H (1 + max(x - e, 0)) / (1 + exp(-(x - e) / SOFT_K))

A change by hand with the room at ``x`` has that likelihood, a time ``t`` without one the likelihood exp(-rate t). The
belief after either is again taken to be normal, with the mean and deviation of the product of both (assumed-density
filtering; T. Minka, "Expectation propagation for approximate Bayesian inference", UAI 2001, section 2). So a room that
is left alone beyond an edge moves that edge out, one left alone well inside says nothing, and a change brings it in and
is remembered: the edge is not tried again until doubt has grown, which it does slowly, up to that of the prior.

People dress for the weather, so their band moves with it. The curve has a point for warm days and one for cold days;
between them the band of a day lies in between, by the mean outdoors of the day to come (the range over which EN 16798-1
and ASHRAE 55 let comfort follow the weather begins at 10 °C). What is learned on a day moves each of both points by its
share in the doubt about that day's edge, as a Kalman filter would.

``storage.repositories.learned`` holds the curve's shape, its prior and how a person edits it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import time

import numpy as np
from numpy.typing import NDArray

from storage.repositories.learned import (
    GREATEST_HALF_WIDTH_K,
    HIGHEST_NEUTRAL_C,
    LEAST_HALF_WIDTH_K,
    LOWEST_NEUTRAL_C,
    MARGIN_K,
    ComfortCurve,
    ComfortPoint,
    PersonState,
    Season,
)

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHOICE_DEVIATION_K = 0.9  # of one choice about an edge: of the choice itself 0.8, of the band's width 0.5; assumed
LEAST_DEVIATION_K, GREATEST_DEVIATION_K = 0.1, 0.8  # of beliefs; the greatest is the prior's
FORGETTING_K2_PER_DAY = 0.003  # 200 days without a sign bring the prior's doubt back; chosen on validation homes
PRESS_PER_H = 0.8  # past an edge; people bear it for 25 min awake and longer asleep, and are not always there; assumed
SOFT_K = 0.15  # over which that rate rises; chosen on validation homes
WIDTH_K = 1.5  # a band so narrow does not get narrower by a change: its other edge moves along; assumed
SURPRISE = 2.0  # a change so many deviations inside the believed edge widens the doubt; assumed
KNOWN_K = 0.5  # inside of an edge by this and three deviations, a quiet room says nothing about it
QUIET_AFTER_S = {PersonState.HOME: 3600.0, PersonState.ASLEEP: 7200.0}  # without a change, before quiet counts
DAY_S = 86_400.0
COLD_DAY_C, WARM_DAY_C = 10.0, 25.0  # mean outdoors; below and above, the band does not move any more
SEASON_CHANGE_C = 17.0  # mean outdoors of the next day above which a home cools, as the policy sees it
NO_COOLING_BELOW_C, NO_HEATING_ABOVE_C = 14.0, 20.0  # mean outdoors of the next day
TOO_MUCH_K = 0.8  # beyond the other edge, the season's direction is wrong
GRID = np.linspace(-4.0, 4.0, 25)  # deviations at which beliefs are multiplied


@dataclass(frozen=True, slots=True)
class Belief:
    """Where the edges of bands are thought to lie; arrays of one shape."""

    low_c: Array
    high_c: Array
    low_deviation_k: Array
    high_deviation_k: Array

    def at(self, index: object) -> "Belief":
        """Some of them."""
        return Belief(*(getattr(self, name)[index] for name in self.__slots__))

    def put(self, index: object, other: "Belief") -> None:
        """Overwrite some of them, in place."""
        for name in self.__slots__:
            getattr(self, name)[index] = getattr(other, name)


def after_choice(point: ComfortPoint, chosen_c: float, *, weight: float = 1.0) -> ComfortPoint:
    """The belief after people chose a temperature; a pinned point stays as it is. [°C]"""
    if point.pinned:
        return point
    chosen_c = min(max(chosen_c, LOWEST_NEUTRAL_C), HIGHEST_NEUTRAL_C)

    def measured(edge_c: float, deviation_k: float) -> tuple[float, float]:
        chosen_edge_c = chosen_c + edge_c - point.neutral_c
        precision = 1.0 / deviation_k**2 + weight / CHOICE_DEVIATION_K**2
        mean_c = (edge_c / deviation_k**2 + weight * chosen_edge_c / CHOICE_DEVIATION_K**2) / precision
        return mean_c, precision**-0.5

    low_c, low_k = measured(point.believed_low_c, point.low_deviation_k)
    high_c, high_k = measured(point.believed_high_c, point.high_deviation_k)
    belief = Belief(*(np.array(value) for value in (low_c, high_c, low_k, high_k)))
    return replace(with_belief(point, belief), observations=point.observations + 1)


def after_override(
    point: ComfortPoint, chosen_c: float, *, room_c: float | None, before_c: float | None, heating: bool
) -> ComfortPoint:
    """The belief after people overrode the engine: they were not content with the room as it was.

    It says on which side of their band the room lay, and no more: the unit's own sensor follows the setpoint, and
    people press once or twice whatever they want.

    Parameters
    ----------
    chosen_c, before_c : float
        Setpoint after and before; None before where the unit was off. [°C]
    room_c : float or None
        Air of the room before the change; without it the choice is all that is known. [°C]
    heating : bool
        Whether the unit heats now: who switches it on to heat was cold.
    """
    if point.pinned or chosen_c == before_c:
        return point
    if room_c is None:
        return after_choice(point, chosen_c)
    too_warm = not heating if before_c is None else chosen_c < before_c
    belief = complained(belief_of(point), np.array(room_c), np.array(too_warm))
    return replace(with_belief(point, belief), observations=point.observations + 1)


def after_quiet(point: ComfortPoint, room_c: float, hours: float) -> ComfortPoint:
    """The belief after people left their room as it was for some time, having done so for ``QUIET_AFTER_S`` before."""
    belief, air_c = belief_of(point), np.array(room_c)
    if point.pinned or not says_something(belief, air_c):
        return point
    return with_belief(point, contented(belief, air_c, hours))


def complained(belief: Belief, room_c: Array, too_warm: BoolArray) -> Belief:
    """After people found a room too warm, or else too cold; see ``after_override``."""
    sign = np.where(too_warm, 1.0, -1.0)  # a lower edge is an upper one upside down
    mean_c = np.where(too_warm, belief.high_c, -belief.low_c)
    deviation_k = np.where(too_warm, belief.high_deviation_k, belief.low_deviation_k)
    air_c = sign * np.clip(room_c, LOWEST_NEUTRAL_C, HIGHEST_NEUTRAL_C)
    deviation_k = np.maximum(deviation_k, (mean_c - air_c) / SURPRISE)
    mean_c, deviation_k = _multiplied(
        mean_c, deviation_k, lambda edge_c: np.log(presses_per_h(air_c[..., np.newaxis] - edge_c))
    )
    edge_c = sign * mean_c
    width_k = np.minimum(belief.high_c - belief.low_c, WIDTH_K)
    return Belief(
        low_c=np.where(too_warm, np.minimum(belief.low_c, edge_c - width_k), edge_c),
        high_c=np.where(too_warm, edge_c, np.maximum(belief.high_c, edge_c + width_k)),
        low_deviation_k=np.where(too_warm, belief.low_deviation_k, deviation_k),
        high_deviation_k=np.where(too_warm, deviation_k, belief.high_deviation_k),
    )


def contented(belief: Belief, room_c: Array, hours: float) -> Belief:
    """After people left a room alone for some time; see ``after_quiet``."""

    def left_alone(edge_c: Array, air_c: Array) -> Array:
        return -hours * presses_per_h(air_c[..., np.newaxis] - edge_c)

    low_c, low_k = _multiplied(-belief.low_c, belief.low_deviation_k, lambda edge_c: left_alone(edge_c, -room_c))
    high_c, high_k = _multiplied(belief.high_c, belief.high_deviation_k, lambda edge_c: left_alone(edge_c, room_c))
    return Belief(-low_c, high_c, low_k, high_k)


def says_something(belief: Belief, room_c: Array) -> BoolArray:
    """Whether a room that is left alone tells anything of either edge."""
    low = room_c < belief.low_c + KNOWN_K + 3.0 * belief.low_deviation_k
    high = room_c > belief.high_c - KNOWN_K - 3.0 * belief.high_deviation_k
    return np.asarray(low | high)


def presses_per_h(beyond_k: Array) -> Array:
    """How often people change something by hand, by how far the room is past their edge. [1/h]"""
    return PRESS_PER_H * (1.0 + np.maximum(beyond_k, 0.0)) / (1.0 + np.exp(np.minimum(-beyond_k / SOFT_K, 60.0)))


def _multiplied(mean_c: Array, deviation_k: Array, log_likelihood: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Mean and deviation of a normal belief times a likelihood."""
    edge_c = mean_c[..., np.newaxis] + deviation_k[..., np.newaxis] * GRID
    log_weight = log_likelihood(edge_c) - 0.5 * GRID**2
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    mean_c = (weight * edge_c).sum(axis=-1)
    variance_k2 = (weight * (edge_c - mean_c[..., np.newaxis]) ** 2).sum(axis=-1)
    return mean_c, np.clip(np.sqrt(variance_k2), LEAST_DEVIATION_K, GREATEST_DEVIATION_K)


def faded(belief: Belief, days: float) -> Belief:
    """The same edges, less sure after days."""

    def wider_k(deviation_k: Array) -> Array:
        return np.minimum(np.sqrt(deviation_k**2 + FORGETTING_K2_PER_DAY * days), GREATEST_DEVIATION_K)

    return Belief(belief.low_c, belief.high_c, wider_k(belief.low_deviation_k), wider_k(belief.high_deviation_k))


def bounded(belief: Belief) -> Belief:
    """The same, with edges between which people can live."""
    neutral_c = np.clip(0.5 * (belief.low_c + belief.high_c), LOWEST_NEUTRAL_C, HIGHEST_NEUTRAL_C)
    half_k = np.clip(0.5 * (belief.high_c - belief.low_c), LEAST_HALF_WIDTH_K, GREATEST_HALF_WIDTH_K)
    return replace(belief, low_c=neutral_c - half_k, high_c=neutral_c + half_k)


def used(belief: Belief) -> tuple[Array, Array]:
    """Lower and upper edges as the engine uses them, inside the believed ones. [°C]"""
    middle_c = 0.5 * (belief.low_c + belief.high_c)
    half_k = np.maximum(0.5 * (belief.high_c - belief.low_c) - MARGIN_K, LEAST_HALF_WIDTH_K)
    return middle_c - half_k, middle_c + half_k


def belief_of(point: ComfortPoint) -> Belief:
    """The belief of one point, as arrays of no dimension."""
    values = point.believed_low_c, point.believed_high_c, point.low_deviation_k, point.high_deviation_k
    return Belief(*(np.array(value) for value in values))


def with_belief(point: ComfortPoint, belief: Belief) -> ComfortPoint:
    """The same point with another belief, as far as people can live with it."""
    within = bounded(belief)
    return replace(
        point,
        neutral_c=float(0.5 * (within.low_c + within.high_c)),
        half_width_k=float(0.5 * (within.high_c - within.low_c)),
        low_deviation_k=float(within.low_deviation_k),
        high_deviation_k=float(within.high_deviation_k),
    )


def warmth(outdoor_c: Array) -> Array:
    """Where a day lies between cold and warm ones, 0..1, by its mean outdoors. [°C]"""
    return np.clip((np.asarray(outdoor_c) - COLD_DAY_C) / (WARM_DAY_C - COLD_DAY_C), 0.0, 1.0)


def between(cold: Belief, warm: Belief, warm_ratio: Array) -> Belief:
    """The belief about a day between cold and warm ones."""
    cold_ratio = 1.0 - warm_ratio

    def deviation_k(of_cold_k: Array, of_warm_k: Array) -> Array:
        return np.sqrt((cold_ratio * of_cold_k) ** 2 + (warm_ratio * of_warm_k) ** 2)

    return Belief(
        cold_ratio * cold.low_c + warm_ratio * warm.low_c,
        cold_ratio * cold.high_c + warm_ratio * warm.high_c,
        deviation_k(cold.low_deviation_k, warm.low_deviation_k),
        deviation_k(cold.high_deviation_k, warm.high_deviation_k),
    )


def shared(point: Belief, ratio: Array, before: Belief, after: Belief) -> Belief:
    """A point of the curve after a day's belief was learned; ``ratio`` is the point's weight in that day."""

    def edge(edge_c: Array, own_k: Array, was: tuple[Array, Array], now: tuple[Array, Array]) -> tuple[Array, Array]:
        share = ratio * own_k**2 / was[1] ** 2
        variance_k2 = own_k**2 + share**2 * (now[1] ** 2 - was[1] ** 2)
        deviation_k = np.clip(np.sqrt(np.maximum(variance_k2, 0.0)), LEAST_DEVIATION_K, GREATEST_DEVIATION_K)
        return edge_c + share * (now[0] - was[0]), deviation_k

    low_before, low_after = (before.low_c, before.low_deviation_k), (after.low_c, after.low_deviation_k)
    high_before, high_after = (before.high_c, before.high_deviation_k), (after.high_c, after.high_deviation_k)
    low_c, low_k = edge(point.low_c, point.low_deviation_k, low_before, low_after)
    high_c, high_k = edge(point.high_c, point.high_deviation_k, high_before, high_after)
    return Belief(low_c, high_c, low_k, high_k)


def point_today(curve: ComfortCurve, state: PersonState, outdoor_c: float) -> ComfortPoint:
    """The point of a day by its mean outdoors; pinned where the nearer of both points is. [°C]"""
    cold, warm = curve.at(Season.HEATING, state), curve.at(Season.COOLING, state)
    ratio = warmth(np.array(outdoor_c))
    nearer = warm if ratio >= 0.5 else cold
    return with_belief(nearer, between(belief_of(cold), belief_of(warm), ratio))


def learned(
    curve: ComfortCurve, state: PersonState, outdoor_c: float, learn: Callable[[ComfortPoint], ComfortPoint]
) -> ComfortCurve:
    """The curve after its point of a day was learned, as by ``after_override`` or ``after_quiet``."""
    today = point_today(curve, state, outdoor_c)
    after = learn(today)
    if after == today:
        return curve
    warm_ratio = float(warmth(np.array(outdoor_c)))
    for season, ratio in ((Season.COOLING, warm_ratio), (Season.HEATING, 1.0 - warm_ratio)):
        point = curve.at(season, state)
        if ratio > 0.0 and not point.pinned:
            belief = shared(belief_of(point), np.array(ratio), belief_of(today), belief_of(after))
            observations = point.observations + (after.observations - today.observations if ratio >= 0.5 else 0)
            curve = curve.with_point(season, state, replace(with_belief(point, belief), observations=observations))
    return curve


def after_days(curve: ComfortCurve, days: float) -> ComfortCurve:
    """The same curve, less sure of itself after days without a sign; how far an empty room may drift is not learned."""
    for season, states in curve.points.items():
        for state, point in states.items():
            if state != PersonState.AWAY and not point.pinned:
                curve = curve.with_point(season, state, with_belief(point, faded(belief_of(point), days)))
    return curve


def season_by_weather(outdoor_next_day_c: float) -> Season:
    """Whether a home cools or heats, by the mean outdoors over the next day. [°C]"""
    return Season.COOLING if outdoor_next_day_c >= SEASON_CHANGE_C else Season.HEATING


def season_of(room_c: float | None, outdoor_next_day_c: float, point: ComfortPoint, usual: Season) -> Season:
    """Whether a room is to be cooled or heated; see ``heats``, which says it of many rooms.

    Parameters
    ----------
    point : ComfortPoint
        Of the usual season.
    usual : Season
        The direction in which the unit runs, or else what the weather says.
    """
    heating = heats(
        np.array(usual == Season.HEATING),
        np.array(np.nan if room_c is None else room_c),
        np.array(outdoor_next_day_c),
        np.array(point.believed_low_c),
        np.array(point.believed_high_c),
    )
    return Season.HEATING if heating else Season.COOLING


def heats(usual: BoolArray, room_c: Array, outdoor_next_day_c: Array, low_c: Array, high_c: Array) -> BoolArray:
    """Whether rooms are to be heated: as usual, unless a room is far beyond the other edge of the usual season's band.

    The edges are the believed ones: a band that is narrow because little is known is no reason to cool in winter.
    Even then not against the weather: a room that got too cold on a hot day is left to warm up by itself. A room that
    nobody measures (NaN) is as usual.
    """
    too_hot = (room_c > high_c + TOO_MUCH_K) & (outdoor_next_day_c > NO_COOLING_BELOW_C)
    too_cold = (room_c < low_c - TOO_MUCH_K) & (outdoor_next_day_c < NO_HEATING_ABOVE_C)
    return np.where(usual, ~too_hot, too_cold)


def person_state(occupied: float, local: time, asleep: tuple[int, int] | None) -> PersonState:
    """What people do: away by presence, asleep by the hours in which the home is quiet."""
    if occupied < 0.5:
        return PersonState.AWAY
    if asleep is None:
        return PersonState.HOME
    minute, (start, end) = local.hour * 60 + local.minute, asleep
    sleeping = start <= minute < end if start <= end else minute >= start or minute < end
    return PersonState.ASLEEP if sleeping else PersonState.HOME
