"""The comfort curve learns from what people choose.

A choice is one measurement of the neutral temperature, with the deviation that people's choices have; belief and
measurement are both normal, so the new belief is (A. Gelman et al., Bayesian Data Analysis, 2.5)::

    1/v' = 1/v + 1/c        m' = v' (m/v + x/c)

Between choices the belief's variance grows, up to that of the prior: old choices are forgotten slowly.
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
NARROWING = 0.3  # how far one override moves the half-width
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
    point: ComfortPoint, chosen_c: float, *, room_c: float | None, before_c: float | None
) -> ComfortPoint:
    """The belief after people overrode the engine: they were not content with the room as it was.

    Whoever asks for warmer wants it at least as warm as it is, whatever number they choose, and the other way round; a
    choice that only repeats what is believed moves nothing. A room that people did not like although it lay inside the
    band says that the band is too wide.

    Parameters
    ----------
    chosen_c, before_c : float
        Setpoint after and before; None before where the unit was off. [°C]
    room_c : float or None
        Air of the room at that moment. [°C]
    """
    if point.pinned or chosen_c == before_c:
        return point
    wanted_c = chosen_c
    if before_c is not None:
        warmer = chosen_c > before_c
        if room_c is not None:
            wanted_c = max(chosen_c, room_c) if warmer else min(chosen_c, room_c)
        already = wanted_c < point.neutral_c if warmer else wanted_c > point.neutral_c
        if already:
            return _narrowed(point, room_c)
    return _narrowed(after_choice(point, wanted_c), room_c, inside=point)


def _narrowed(point: ComfortPoint, room_c: float | None, inside: ComfortPoint | None = None) -> ComfortPoint:
    """A narrower band where the room lay inside the one that held (``inside``, or the point's own)."""
    held = inside or point
    if room_c is None or not held.low_c < room_c < held.high_c:
        return point
    endured_k = min(abs(room_c - point.neutral_c), point.half_width_k)
    half_width_k = point.half_width_k + NARROWING * (endured_k - point.half_width_k)
    return replace(point, half_width_k=min(max(half_width_k, LEAST_HALF_WIDTH_K), GREATEST_HALF_WIDTH_K))


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
