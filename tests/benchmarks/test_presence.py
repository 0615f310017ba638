"""The forecast that all controllers share is the one that the engine would make at home."""

from datetime import UTC, datetime, timedelta, timezone
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks.savings.presence import forecast
from control.presence import QUARTER_S, Evidence, Presence

START = datetime(2026, 3, 5, 21, 0, tzinfo=UTC)
OFFSETS_S = np.array([8 * 3600.0, -7 * 3600.0, 5.5 * 3600.0])


def seen_by_a_sensor(quarters: int) -> np.ndarray:
    """Homes that are left at nine, at random, and never."""
    rng = np.random.default_rng(5)
    hour = (START.timestamp() + np.arange(quarters)[:, np.newaxis] * QUARTER_S + OFFSETS_S) / 3600.0 % 24.0
    regular = (hour[:, 0] < 9.0) | (hour[:, 0] > 17.5)
    return np.stack([regular, rng.random(quarters) < 0.4, np.ones(quarters, np.bool_)], axis=1)


def test_it_is_the_engine_s_forecast_quarter_by_quarter() -> None:
    quarters = 16 * 96
    seen = seen_by_a_sensor(quarters)
    ours = forecast(seen, START.timestamp(), OFFSETS_S)
    for home, offset_s in enumerate(OFFSETS_S):
        zone = cast(ZoneInfo, timezone(timedelta(seconds=offset_s)))  # the homes' clocks do not change
        engine = Presence(zone)
        for quarter in range(quarters):
            at = START + timedelta(seconds=quarter * QUARTER_S)
            if quarter > 0:
                evidence = Evidence(sensor=bool(seen[quarter, home]))
                engine.learn(0, at - timedelta(seconds=QUARTER_S / 2), evidence)
                engine.forget(QUARTER_S)
            if quarter % 97 == 0 or quarter == quarters - 1:
                expected = [engine.usual(0, at + timedelta(seconds=k * QUARTER_S)) for k in range(96)]
                assert ours.ahead(quarter)[home] == pytest.approx(expected, abs=1e-6)


def test_nothing_of_the_future_is_in_it() -> None:
    seen = seen_by_a_sensor(6 * 96)
    before = forecast(seen, START.timestamp(), OFFSETS_S)
    seen[300:] = ~seen[300:]
    after = forecast(seen, START.timestamp(), OFFSETS_S)
    assert np.array_equal(before.by_hour[:300], after.by_hour[:300])
    assert not np.array_equal(before.by_hour[300:], after.by_hour[300:])


def test_a_habit_is_known_after_some_weeks() -> None:
    ours = forecast(seen_by_a_sensor(28 * 96), START.timestamp(), OFFSETS_S)
    monday_noon = next(
        quarter
        for quarter in range(26 * 96, 28 * 96)
        if (datetime.fromtimestamp(START.timestamp() + quarter * QUARTER_S, UTC) + timedelta(hours=8)).hour == 12
    )
    ahead = ours.ahead(monday_noon)[0]
    assert ahead[0] < 0.3
    assert ahead[4 * 7] > 0.8
