"""Episodes are what the pool holds, cut out at the right place."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.episodes import WINTER, cut
from simulator.residents import half_width_k, neutral_c, season_of
from simulator.world import STEP_S, STEPS_PER_DAY
from tests.training.pools import SUMMER_START, summer_pool


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 4))
def test_a_home_keeps_its_own_people_weather_and_calendar(seed: int, n: int, days: int) -> None:
    source = summer_pool()
    episode = cut(np.random.default_rng(seed), source, n, days)
    pool, world = source.world, episode.world
    assert episode.steps == days * STEPS_PER_DAY
    rows = np.arange((days + 1) * STEPS_PER_DAY)
    for room in range(n):
        utc_s = episode.local_start_s[room] - world.utc_offset_s[room]
        start = round((utc_s - pool.start_epoch_s) / STEP_S)
        assert start % STEPS_PER_DAY == 0
        (home,) = [
            index
            for index in range(pool.n)
            if pool.rooms["floor_m2"][index] == world.rooms["floor_m2"][room]
            and pool.persons["patience_s"][index] == world.persons["patience_s"][room]
        ]
        assert np.array_equal(world.presence[:, room], pool.presence[start + rows, home])
        assert np.array_equal(world.price[:, room], pool.price[start + rows, home])
        column = pool.rooms["weather"][home]
        assert np.array_equal(episode.sky("outdoor_c")[:, room], pool.skies["outdoor_c"][start + rows, column])
        at = datetime.fromtimestamp(utc_s, tz=UTC) + timedelta(seconds=float(world.utc_offset_s[room]), hours=5)
        assert episode.weekday(60)[room] == at.weekday()
        assert episode.local_hour(60)[room] == pytest.approx(at.hour + at.minute / 60.0)


def test_true_edges_are_those_by_which_people_are_measured() -> None:
    episode = cut(np.random.default_rng(2), summer_pool(), 6, 2)
    world, row = episode.world, 100
    for room in range(6):
        person = world.persons[room : room + 1].view(np.recarray)[0]
        season = season_of(float(episode.sky("daily_mean_c")[row, room]))
        presence = int(max(world.presence[row, room], 1))
        middle_c, half_k = neutral_c(person, presence, season), half_width_k(person, presence, season)
        assert episode.low_c[row, room] == pytest.approx(middle_c - half_k, abs=1e-4)
        assert episode.high_c[row, room] == pytest.approx(middle_c + half_k, abs=1e-4)


def test_presence_ahead_is_the_forecast_of_the_hour_of_the_week_asked_for() -> None:
    source = summer_pool()
    episode = cut(np.random.default_rng(2), source, 5, 2)
    ahead = episode.presence_ahead(30, np.array([0.0, 0.75, 13.25]))
    for room in range(5):
        for column, lead_h in enumerate((0.0, 0.75, 13.25)):
            local = datetime.fromtimestamp(episode.local_start_s[room] + 30 * STEP_S + lead_h * 3600.0, tz=UTC)
            assert ahead[room, column] == pytest.approx(episode.usual[room, local.weekday(), local.hour])


def test_a_season_that_the_pool_does_not_have_is_refused() -> None:
    assert SUMMER_START.month == 7
    with pytest.raises(ValueError, match="no 2 days from day 305 to 425 in a pool of 9"):
        cut(np.random.default_rng(0), summer_pool(), 4, 2, WINTER)


def test_the_same_seed_gives_the_same_episode() -> None:
    first, second, third = (cut(np.random.default_rng(seed), summer_pool(), 4, 1) for seed in (3, 3, 4))
    for name in ("skies", "presence", "price", "chance", "rooms", "room_states", "units", "persons", "habits"):
        assert np.array_equal(getattr(first.world, name), getattr(second.world, name)), name
    assert not np.array_equal(first.world.skies, third.world.skies)
