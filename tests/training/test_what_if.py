"""The shipped predictor is asked "what if" of simulated rooms that it was not trained on, and the rooms answer too.

The same rooms live through the same days twice; from one hour on one thing differs. What differs in the readings is
held against what differs in the outlook of that hour.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from models.predictor import RoomPredictor
from models.words import HORIZONS_S
from simulator.episodes import BoolArray, Episode, Pool
from simulator.weather.climates import CITIES
from simulator.world import STEPS_PER_DAY
from training.pools import HELD_OUT, draw_pool
from training.rooms import Plans, record_rooms, targets, window

Array = NDArray[np.float64]
Change = Callable[[BoolArray, Array, Episode], None]

ROOMS, DAYS = 96, 5
SINCE = 3 * STEPS_PER_DAY + 120  # rows; ten hours into the fourth day
ONE_H, SIX_H, TWELVE_H, DAY = (HORIZONS_S.index(h * 3600) for h in (1, 6, 12, 24))
SEEN_K = 0.2  # readings are rounded and noisy


@cache
def july() -> Pool:
    return draw_pool(5, HELD_OUT, 8, climates=CITIES, start=datetime(2031, 7, 1, tzinfo=UTC), days=10)


def program(change: Change, *, running: bool = True) -> Plans:
    """Units at the edge of comfort day and night, or off, until ``change``."""

    def plans(_: np.random.Generator, episode: Episode) -> tuple[BoolArray, Array]:
        edge_c = np.broadcast_to(episode.high_c[::STEPS_PER_DAY].mean(axis=0), episode.present.shape)
        on, setpoint_c = np.full(episode.present.shape, running), np.round(2.0 * edge_c.astype(np.float64)) / 2.0
        change(on, setpoint_c, episode)
        return on, setpoint_c

    return plans


def nothing(on: BoolArray, setpoint_c: Array, episode: Episode) -> None:
    """All goes on."""


def one_kelvin_lower(on: BoolArray, setpoint_c: Array, episode: Episode) -> None:
    setpoint_c[SINCE:] -= 1.0


def unit_off(on: BoolArray, setpoint_c: Array, episode: Episode) -> None:
    on[SINCE:] = False


def sun_gone(on: BoolArray, setpoint_c: Array, episode: Episode) -> None:
    for name in ("direct_normal_w_m2", "diffuse_w_m2", "global_w_m2"):
        episode.world.skies[name][SINCE:] = 0.0


def foretold_and_true(change: Change, *, running: bool = True) -> tuple[Array, Array, Array, Array, BoolArray]:
    """Differences that ``change`` makes: temperature foretold and read [K], energy foretold and metered [kWh], each
    (rooms, horizons); and which rooms have a weather forecast."""
    predictor, rooms = RoomPredictor.load(), np.arange(ROOMS)
    answers = []
    for one in (nothing, change):
        recording = record_rooms(np.random.default_rng(9), july(), ROOMS, DAYS, program(one, running=running))
        past = window(recording, np.arange(SINCE), rooms, 1, None)
        ahead, last_c, came_c, came_kw = targets(recording, past, np.arange(SINCE), rooms, np.array([SINCE - 1]))
        memory = (np.zeros((ROOMS, predictor.hidden), dtype=np.float32),) * 2
        for row in range(SINCE):
            (temperature_c, _, energy_kwh), memory = predictor.step_encoded(
                memory, past.past[:, row], ahead[:, 0], last_c[:, 0]
            )
        came_kwh = np.cumsum(came_kw[:, 0] * np.diff([0, *HORIZONS_S]) / 3600.0, axis=-1)
        answers.append((temperature_c, came_c[:, 0], energy_kwh, came_kwh))
    differences = (np.asarray(then - before, dtype=np.float64) for before, then in zip(*answers, strict=True))
    foretold_k, true_k, foretold_kwh, true_kwh = differences
    return foretold_k, true_k, foretold_kwh, true_kwh, recording.knows_forecast


def right_signs(foretold_k: Array, true_k: Array) -> float:
    """Share of rooms whose difference can be seen that has the right sign."""
    seen = np.abs(true_k) > SEEN_K
    return float(np.mean(np.sign(foretold_k[seen]) == np.sign(true_k[seen])))


@pytest.mark.parametrize("change", [one_kelvin_lower, unit_off])
def test_another_plan_has_the_right_sign_and_size(change: Change) -> None:
    foretold_k, true_k, foretold_kwh, true_kwh, _ = foretold_and_true(change)
    for horizon in (ONE_H, SIX_H, TWELVE_H):
        assert right_signs(foretold_k[:, horizon], true_k[:, horizon]) > 0.75
        assert 0.5 < foretold_k[:, horizon].mean() / true_k[:, horizon].mean() < 1.5
        assert 0.5 < foretold_kwh[:, horizon].mean() / true_kwh[:, horizon].mean() < 2.0


def test_a_room_without_sun_stays_cooler_by_about_as_much_as_it_is_told() -> None:
    foretold_k, true_k, _, _, knows = foretold_and_true(sun_gone, running=False)
    for horizon, least in ((TWELVE_H, 0.3), (DAY, 0.6)):
        assert right_signs(foretold_k[knows, horizon], true_k[knows, horizon]) > 0.85
        assert true_k[knows, horizon].mean() < -0.1
        # the network knows the sun's part too little, the less the sooner: 0.4 of it within half a day
        assert least < foretold_k[knows, horizon].mean() / true_k[knows, horizon].mean() < 1.5
