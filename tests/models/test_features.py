"""The order and scaling of features are a contract between training and serving."""

import numpy as np
import pytest

from models.features import (
    AHEAD,
    LIMIT,
    PAST,
    Feature,
    ahead_raw,
    columns,
    encode,
    past_raw,
)
from tests.models.moments import summer_moment

ROOM_C = np.array([27.5])


def test_columns_of_the_past_are_these_in_this_order() -> None:
    assert columns(PAST) == [
        "step_log",
        *("room_temperature_c", "room_temperature_c known"),
        "last_temperature_c",
        *("outdoor_temperature_c", "outdoor_temperature_c known"),
        *("humidity_pct", "humidity_pct known"),
        *("solar_w_m2", "solar_w_m2 known"),
        *("on", "cooling", "heating"),
        *("setpoint_above_room_k", "setpoint_above_room_k known"),
        *("power_w", "power_w known"),
        *("occupied", "occupied known"),
        *("hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine"),
    ]


def test_columns_ahead_are_one_group_for_each_horizon() -> None:
    groups = [
        column
        for label in ("15min", "1h", "2h", "6h", "12h", "24h")
        for name in (f"planned_setpoint_above_room_k_{label}", f"outdoor_above_room_k_{label}", f"solar_w_m2_{label}")
        for column in (name, f"{name} known")
    ]
    first = ["last_temperature_c", "cooling", "heating", "hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine"]
    assert columns(AHEAD) == first + groups


def test_scaling_is_by_hand() -> None:
    """(27.5 - 24) / 6, (33 - 18) / 12, (26 - 27.5) / 4, (600 - 300) / 500."""
    row = dict(zip(columns(PAST), encode(PAST, past_raw([summer_moment()], ROOM_C))[0].tolist(), strict=True))
    assert row["room_temperature_c"] == pytest.approx(3.5 / 6.0)
    assert row["outdoor_temperature_c"] == pytest.approx(1.25)
    assert row["setpoint_above_room_k"] == pytest.approx(-0.375)
    assert row["power_w"] == pytest.approx(0.6)
    assert (row["on"], row["cooling"], row["heating"]) == (1.0, 1.0, 0.0)
    assert row["step_log"] == 0.0


def test_unknown_is_zero_with_its_flag_down() -> None:
    moment = summer_moment(humidity_pct=None, power_w=None, room_temperature_c=None, on=False)
    row = dict(zip(columns(PAST), encode(PAST, past_raw([moment], ROOM_C))[0].tolist(), strict=True))
    for name in ("humidity_pct", "power_w", "room_temperature_c", "setpoint_above_room_k"):
        assert (row[name], row[f"{name} known"]) == (0.0, 0.0)
    assert row["outdoor_temperature_c known"] == 1.0


def test_a_plan_to_be_off_differs_from_a_plan_at_room_temperature() -> None:
    off = encode(AHEAD, ahead_raw([summer_moment(planned_setpoint_c=(None,) * 6)], ROOM_C))
    held = encode(AHEAD, ahead_raw([summer_moment(planned_setpoint_c=(27.5,) * 6)], ROOM_C))
    assert not np.array_equal(off, held)


def test_wild_values_are_bounded() -> None:
    row = encode(PAST, past_raw([summer_moment(power_w=1e9)], ROOM_C))
    assert row.max() == LIMIT


def test_what_must_be_known_and_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="'x' \\[K\\] must be known"):
        encode((Feature("x", "K"),), {"x": np.array([np.nan])})
