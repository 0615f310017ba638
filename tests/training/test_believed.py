"""Comfort curves of rooms in training: the same as the benchmark's, and as the engine's where they are asked alike."""

import numpy as np
import pytest

from benchmarks.savings.comfort import LearnedComfort
from control import comfort
from control.planner import QUARTERS
from training.believed import Believed, prior

ASLEEP = np.array([[1380, 420], [0, 480], [1410, 390]])
N = len(ASLEEP)


def look(believed: Believed, **other: object) -> object:
    values = {
        "local_hour": np.full(N, 14.0),
        "room_c": np.full(N, 25.0),
        "occupied": np.ones(N),
        "usual_ahead": np.ones((N, QUARTERS)),
        "runs": np.ones(N, dtype=bool),
        "heating": np.zeros(N, dtype=bool),
        "outdoor_c": np.full(N, 30.0),
        "heats_with_unit": np.ones(N, dtype=bool),
        **other,
    }
    return believed.look(**values)  # type: ignore[arg-type]


def test_learns_the_same_edges_as_the_benchmark_does_in_weeks_of_changes_and_quiet() -> None:
    rng = np.random.default_rng(3)
    mine, theirs = Believed(ASLEEP), LearnedComfort(ASLEEP)
    for quarter in range(5 * QUARTERS):
        hour = np.full(N, (quarter / 4.0) % 24.0)
        room_c = rng.normal(25.5, 1.5, N)
        by_hand, heating = rng.random(N) < 0.03, rng.random(N) < 0.3
        before_c = np.where(rng.random(N) < 0.3, np.nan, rng.integers(20, 28, N).astype(float))
        chosen_c = np.nan_to_num(before_c, nan=24.0) + rng.choice([-1.0, 1.0], N)
        occupied, outdoor_c = (rng.random(N) < 0.8).astype(float), np.array([4.0, 17.0, 30.0])
        usual_ahead = rng.random((N, QUARTERS))
        for home in np.flatnonzero(by_hand):
            theirs.override(
                int(home),
                local_hour=float(hour[home]),
                heating=bool(heating[home]),
                chosen_c=float(chosen_c[home]),
                before_c=float(before_c[home]),
                room_c=float("nan") if quarter == 0 else float(room_c[home]),
            )
        if quarter > 0:
            mine.changed(by_hand, np.where(np.isnan(before_c), ~heating, chosen_c < before_c), hour)
        expected = theirs.edges(
            at_epoch_s=900.0 * quarter,
            local_hour=hour,
            on=np.ones(N, dtype=bool),
            heating=heating,
            room_c=room_c,
            outdoor_c=outdoor_c,
            outdoor_next_day_c=outdoor_c,
            occupied=occupied,
            presence_ahead=usual_ahead,
        )
        found = look(
            mine,
            local_hour=hour,
            room_c=room_c,
            occupied=occupied,
            usual_ahead=usual_ahead,
            heating=heating,
            outdoor_c=outdoor_c,
        )
        for name in ("heats", "low_c", "high_c", "low_ahead_c", "high_ahead_c"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=0.02), (quarter, name)


def test_a_change_by_hand_of_who_is_too_warm_brings_the_upper_edge_in_and_no_other_room_learns() -> None:
    believed = Believed(ASLEEP)
    before = look(believed, room_c=np.full(N, 27.5))
    believed.changed(np.array([True, False, False]), np.ones(N, dtype=bool), np.full(N, 14.0))
    after = look(believed, room_c=np.full(N, 27.5))
    moved_k = after.high_c - before.high_c  # type: ignore[attr-defined]
    assert moved_k[0] < -0.3
    assert moved_k[1:] == pytest.approx(0.0, abs=0.05)


def test_homes_that_do_not_heat_with_the_unit_never_heat() -> None:
    winter = {"outdoor_c": np.full(N, 2.0), "room_c": np.full(N, 15.0), "runs": np.zeros(N, dtype=bool)}
    heats = look(Believed(ASLEEP), **winter, heats_with_unit=np.array([True, False, True])).heats  # type: ignore[attr-defined]
    assert heats.tolist() == [True, False, True]


def test_nothing_known_is_the_prior_of_the_curve() -> None:
    low_c, high_c = comfort.used(prior(2))
    assert low_c.shape == (2, 2, 2)
    assert (high_c > low_c).all()
    assert look(Believed(ASLEEP)).high_c == pytest.approx(high_c[0, 0, 0], abs=1e-6)  # type: ignore[attr-defined]
