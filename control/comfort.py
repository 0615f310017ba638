"""The comfort curve learns from what people choose.

A choice is one measurement of the neutral temperature, with the deviation that people's choices have; belief and
measurement are both normal, so the new belief is (A. Gelman et al., Bayesian Data Analysis, 2.5)::

    1/v' = 1/v + 1/c        m' = v' (m/v + x/c)

Between choices the belief's variance grows, up to that of the prior: old choices are forgotten slowly.
``storage.repositories.learned`` holds the curve's shape, its prior and how a person edits it.
"""

from dataclasses import replace
from datetime import time

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

CHOICE_DEVIATION_K = 0.8  # of one choice about what somebody really likes
GREATEST_DEVIATION_K = 1.0  # the prior's
FORGETTING_K2_PER_DAY = 0.01  # a hundred days without a choice bring the prior's doubt back
NARROWING = 0.3  # how far one override moves the half-width
SEASON_CHANGE_C = 17.0  # mean outdoors of the next day above which a home cools, as the policy sees it
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


def after_override(point: ComfortPoint, chosen_c: float, room_c: float | None) -> ComfortPoint:
    """The belief after people overrode the engine: they were not content with the room as it was.

    A room that they left although it lay inside the band says that the band is too wide.
    """
    after = after_choice(point, chosen_c)
    if point.pinned or room_c is None or not point.low_c < room_c < point.high_c:
        return after
    endured_k = abs(room_c - after.neutral_c)
    half_width_k = point.half_width_k + NARROWING * (min(endured_k, point.half_width_k) - point.half_width_k)
    return replace(after, half_width_k=min(max(half_width_k, LEAST_HALF_WIDTH_K), GREATEST_HALF_WIDTH_K))


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


def season_of(room_c: float | None, point: ComfortPoint, usual: Season) -> Season:
    """Whether a room is to be cooled or heated: as usual, unless it is far beyond the other edge.

    Parameters
    ----------
    point : ComfortPoint
        Of the usual season.
    usual : Season
        The direction in which the unit runs, or else what the weather says.
    """
    if room_c is None:
        return usual
    if usual == Season.HEATING and room_c > point.high_c + TOO_MUCH_K:
        return Season.COOLING
    if usual == Season.COOLING and room_c < point.low_c - TOO_MUCH_K:
        return Season.HEATING
    return usual


def person_state(occupied: float, local: time, asleep: tuple[int, int] | None) -> PersonState:
    """What people do: away by presence, asleep by the hours in which the home is quiet."""
    if occupied < 0.5:
        return PersonState.AWAY
    if asleep is None:
        return PersonState.HOME
    minute, (start, end) = local.hour * 60 + local.minute, asleep
    sleeping = start <= minute < end if start <= end else minute >= start or minute < end
    return PersonState.ASLEEP if sleeping else PersonState.HOME
