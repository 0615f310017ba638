"""Small pools of homes, for tests."""

from datetime import UTC, datetime
from functools import cache

from simulator.episodes import Pool
from simulator.weather.climates import HARBIN, SHANGHAI
from training.pools import TRAIN, draw_pool

SUMMER_START, WINTER_START = datetime(2031, 7, 1, tzinfo=UTC), datetime(2031, 1, 6, tzinfo=UTC)


@cache
def summer_pool(days: int = 8) -> Pool:
    """Some days of July in Shanghai and Harbin, eight homes each."""
    return draw_pool(1, TRAIN, 8, climates=(SHANGHAI, HARBIN), weathers_of_a_climate=2, start=SUMMER_START, days=days)


@cache
def winter_pool(days: int = 8) -> Pool:
    """Some days of January in the same homes."""
    return draw_pool(1, TRAIN, 8, climates=(SHANGHAI, HARBIN), weathers_of_a_climate=2, start=WINTER_START, days=days)
