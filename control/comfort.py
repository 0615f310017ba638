"""The comfort curve learns from what people choose, what they change, and what they leave as it is.

Before the engine runs a unit, a choice is one measurement of the neutral temperature, with the deviation that people's
choices have; belief and measurement are both normal, so the new belief is (A. Gelman et al., Bayesian Data Analysis,
2.5)::

    1/v' = 1/v + 1/c        m' = v' (m/v + x/c)

Between choices the belief's variance grows, up to that of the prior: old choices are forgotten slowly.

Once it runs the unit, people say where the edges of their band are. A change by hand says that the room lay beyond one,
and the believed edge moves inside; a room left alone near an edge, or beyond it, says that the edge lies farther out,
and it moves there slowly.

``storage.repositories.learned`` holds the curve's shape, its prior and how a person edits it.
"""

from dataclasses import replace
from datetime import time

import numpy as np
from numpy.typing import NDArray

from storage.repositories.learned import (
    GREATEST_HALF_WIDTH_K,
    HIGHEST_NEUTRAL_C,
    LEAST_HALF_WIDTH_K,
    LOWEST_NEUTRAL_C,
    ComfortCurve,
    ComfortPoint,
    PersonState,
    Season,
)

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHOICE_DEVIATION_K = 0.8  # of one choice about what somebody really likes
GREATEST_DEVIATION_K = 1.0  # the prior's
FORGETTING_K2_PER_DAY = 0.01  # a hundred days without a choice bring the prior's doubt back
# Of edges; all assumed. People act some time after their room has left the band: the edge lies inside what they left.
BEYOND_K = 0.5
COMPLAINT_SHARE = 0.7  # of the way there that one change by hand moves an edge
YIELDING_K = 2.0  # a band this wide or narrower does not get narrower by a change: its other edge moves along
LEAP_K = 3.0  # a change of the setpoint by more is a choice of a temperature
NEAR_K = 0.5  # to an edge: a room that is left there says something
QUIET_K_PER_H = 0.01  # by which an edge then moves out
QUIET_SHARE_PER_H = 0.2  # of the way to a room that is left although it lies beyond the edge
QUIET_AFTER_S = {PersonState.HOME: 3600.0, PersonState.ASLEEP: 7200.0}  # without a change, before that counts
SEASON_CHANGE_C = 17.0  # mean outdoors of the next day above which a home cools, as the policy sees it
NO_COOLING_BELOW_C, NO_HEATING_ABOVE_C = 14.0, 20.0  # mean outdoors of the next day
TOO_MUCH_K = 0.8  # beyond the other edge, the season's direction is wrong


def after_choice(point: ComfortPoint, chosen_c: float, *, weight: float = 1.0) -> ComfortPoint:
    """The belief after people chose a temperature; a pinned point stays as it is. [°C]"""
    if point.pinned:
        return point
    chosen_c = min(max(chosen_c, LOWEST_NEUTRAL_C), HIGHEST_NEUTRAL_C)
    variance_k2 = point.deviation_k**2
    precision = 1.0 / variance_k2 + weight / CHOICE_DEVIATION_K**2
    neutral_c = (point.neutral_c / variance_k2 + weight * chosen_c / CHOICE_DEVIATION_K**2) / precision
    return replace(point, neutral_c=neutral_c, deviation_k=precision**-0.5, observations=point.observations + 1)


def after_override(
    point: ComfortPoint, chosen_c: float, *, room_c: float | None, before_c: float | None, heating: bool
) -> ComfortPoint:
    """The belief after people overrode the engine: they were not content with the room as it was.

    It says on which side of their band the room lay. A small step of the setpoint says no more than that: it is the
    unit's own sensor that follows it, and people press once or twice whatever they want. A leap is a choice.

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
    moved = with_edges(point, *complained(*_edges(point), np.array(room_c), np.array(too_warm)))
    if before_c is not None and abs(chosen_c - before_c) > LEAP_K:
        return after_choice(moved, chosen_c)
    return replace(moved, observations=point.observations + 1)


def after_quiet(point: ComfortPoint, room_c: float, hours: float) -> ComfortPoint:
    """The belief after people left their room as it was for some time, having done so for ``QUIET_AFTER_S`` before."""
    return point if point.pinned else with_edges(point, *contented(*_edges(point), np.array(room_c), hours))


def complained(low_c: Array, high_c: Array, room_c: Array, too_warm: BoolArray) -> tuple[Array, Array]:
    """Lower and upper edges of bands whose people found a room too warm or too cold; see ``after_override``."""
    edge_c = np.where(too_warm, high_c, low_c)
    inside_c = np.where(too_warm, np.minimum(high_c, room_c - BEYOND_K), np.maximum(low_c, room_c + BEYOND_K))
    edge_c = edge_c + COMPLAINT_SHARE * (inside_c - edge_c)
    width_k = np.minimum(high_c - low_c, YIELDING_K)
    other_c = np.where(too_warm, np.minimum(low_c, edge_c - width_k), np.maximum(high_c, edge_c + width_k))
    return np.where(too_warm, other_c, edge_c), np.where(too_warm, edge_c, other_c)


def contented(low_c: Array, high_c: Array, room_c: Array, hours: float) -> tuple[Array, Array]:
    """Lower and upper edges of bands whose people left a room alone for some time; see ``after_quiet``."""
    share = 1.0 - (1.0 - QUIET_SHARE_PER_H) ** hours

    def outward_k(beyond_k: Array) -> Array:
        return np.asarray(np.maximum(np.where(beyond_k > -NEAR_K, QUIET_K_PER_H * hours, 0.0), share * beyond_k))

    return low_c - outward_k(low_c - room_c), high_c + outward_k(room_c - high_c)


def with_edges(point: ComfortPoint, low_c: Array, high_c: Array) -> ComfortPoint:
    """The same point with other edges, as far as people can be content with them."""
    neutral_c, half_width_k = band(low_c, high_c)
    return replace(point, neutral_c=float(neutral_c), half_width_k=float(half_width_k))


def band(low_c: Array, high_c: Array) -> tuple[Array, Array]:
    """Middles [°C] and half-widths [K] of bands with these edges, as far as people can be content with them."""
    neutral_c = np.clip(0.5 * (low_c + high_c), LOWEST_NEUTRAL_C, HIGHEST_NEUTRAL_C)
    return neutral_c, np.clip(0.5 * (high_c - low_c), LEAST_HALF_WIDTH_K, GREATEST_HALF_WIDTH_K)


def _edges(point: ComfortPoint) -> tuple[Array, Array]:
    return np.array(point.low_c), np.array(point.high_c)


def after_days(curve: ComfortCurve, days: float) -> ComfortCurve:
    """The same curve, less sure of itself after days without a choice."""
    for season, states in curve.points.items():
        for state, point in states.items():
            variance_k2 = min(point.deviation_k**2 + FORGETTING_K2_PER_DAY * days, GREATEST_DEVIATION_K**2)
            curve = curve.with_point(season, state, replace(point, deviation_k=variance_k2**0.5))
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
        np.array(point.low_c),
        np.array(point.high_c),
    )
    return Season.HEATING if heating else Season.COOLING


def heats(usual: BoolArray, room_c: Array, outdoor_next_day_c: Array, low_c: Array, high_c: Array) -> BoolArray:
    """Whether rooms are to be heated: as usual, unless a room is far beyond the other edge of the usual season's band.

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
