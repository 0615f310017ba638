"""The actor's word on plans: what it reads, and what its corrections do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from control import correcting, planner
from control.planner import QUARTERS, Ahead, Rooms
from models.features import ACTOR, columns, encode

DIRECTIONS = np.array([False, True])  # one room cools, the other heats
HOUR = np.array([14.0, 14.0])
RUNS = np.array([True, True])


def two_rooms() -> tuple[Rooms, Ahead]:
    """Mirror images around 24.5 °C: a hot room on a hot day and a cold one on a cold day."""
    rooms = planner.new(np.array([3500.0, 3500.0]))
    planner.start(rooms, np.array([28.5, 20.5]))
    even = np.ones((2, QUARTERS))
    outdoor_c = np.array([[32.5], [16.5]]) * even
    ahead = Ahead(even, outdoor_c, 0.0 * even, even, 23.0 * even, 26.0 * even)
    planner.plan(rooms, DIRECTIONS, ahead)
    return rooms, ahead


@dataclass
class FixedActor:
    """Always says the same."""

    says: tuple[float, float]

    def act(self, raw: dict[str, Any]) -> np.ndarray:
        assert np.isfinite(encode(ACTOR, raw)).all()
        return np.tile(np.array(self.says, dtype=np.float32), (2, 1))


def corrected(*says: float) -> tuple[Rooms, planner.Targets]:
    rooms, _ = two_rooms()
    correcting.apply(rooms, DIRECTIONS, np.tile(np.array(says), (2, 1)))
    return rooms, planner.targets(rooms, DIRECTIONS)


def test_every_feature_is_there_and_heating_is_the_mirror_image_of_cooling() -> None:
    rooms, ahead = two_rooms()
    raw = correcting.situation(rooms, DIRECTIONS, ahead, RUNS, HOUR)
    assert encode(ACTOR, raw).shape == (2, len(columns(ACTOR)))
    for name in ("excess_k", "mass_excess_k", "outdoor_load_k_0_1h", "chance_8_16h", "band_k"):
        assert raw[name][0] == pytest.approx(raw[name][1]), name
    assert raw["excess_k"][0] == pytest.approx(2.5)
    assert raw["direction"].tolist() == [1.0, -1.0]
    assert raw["plan_heat_ratio_0_1h"].min() > 0.1


def test_no_correction_leaves_the_plan() -> None:
    rooms, _ = two_rooms()
    plain = planner.targets(rooms, DIRECTIONS)
    _, same = corrected(0.0, 0.0)
    assert same.on.tolist() == plain.on.tolist()
    assert same.setpoint_c == pytest.approx(plain.setpoint_c)


def test_more_effort_is_colder_in_cooling_and_warmer_in_heating() -> None:
    _, plain = corrected(0.0, 0.0)
    _, more = corrected(0.5, 0.0)
    assert more.setpoint_c - plain.setpoint_c == pytest.approx([-0.5, 0.5])


def test_a_correction_is_bounded() -> None:
    _, plain = corrected(0.0, 0.0)
    _, most = corrected(-1.0, 0.0)
    assert np.abs(most.aim_c - plain.aim_c) == pytest.approx(correcting.SHIFT_K)


def test_the_least_heat_of_a_running_unit_is_moved() -> None:
    less, more = corrected(0.0, -1.0)[0], corrected(0.0, 1.0)[0]
    assert less["least_ratio"] == pytest.approx(planner.LEAST_HEAT_RATIO * correcting.LEAST_FACTOR)
    assert more["least_ratio"] == pytest.approx(planner.LEAST_HEAT_RATIO / correcting.LEAST_FACTOR)
    between_kw = 0.06 * planner.MOST_LOAD * 3.5
    less["heat_kw"] = more["heat_kw"] = between_kw
    assert not planner.targets(less, DIRECTIONS).on.any()
    assert planner.targets(more, DIRECTIONS).on.all()


def test_the_shipped_engine_corrects_plans_that_heat() -> None:
    rooms, ahead = two_rooms()
    correcting.correct(rooms, FixedActor((0.5, 1.0)), DIRECTIONS, ahead, RUNS, HOUR)  # type: ignore[arg-type]
    assert rooms["shift_k"] == pytest.approx([0.0, 0.5])
    assert rooms["least_ratio"][0] == pytest.approx(planner.LEAST_HEAT_RATIO)
    assert rooms["least_ratio"][1] < planner.LEAST_HEAT_RATIO


def test_a_new_plan_begins_without_a_correction() -> None:
    rooms, _ = corrected(1.0, 1.0)
    planner.plan(rooms, DIRECTIONS, two_rooms()[1])
    assert rooms["shift_k"].tolist() == [0.0, 0.0]
    assert rooms["least_ratio"] == pytest.approx(planner.LEAST_HEAT_RATIO)
