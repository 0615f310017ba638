"""The order and scaling of features are a contract between training and serving."""

import numpy as np
import pytest

from core.words import Mode
from models.features import (
    AHEAD,
    LIMIT,
    OFF_LEVEL,
    PAST,
    POLICY,
    Feature,
    ahead_raw,
    choose,
    columns,
    encode,
    heats,
    past_raw,
    policy_raw,
    situation_arrays,
)
from tests.models.moments import summer_moment, summer_situation, winter_situation

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


def test_columns_of_the_policy_are_these_in_this_order() -> None:
    now = columns(POLICY)[:20]
    assert now == [
        *("direction", "excess_k", "band_k", "outdoor_load_k", "solar_w_m2", "solar_w_m2 known", "on"),
        *("setpoint_ease_k", "setpoint_ease_k known", "power_w", "power_w known", "since_switch_h", "occupied"),
        *("price_ratio", "time_constant_h", "time_constant_h known", "rated_cooling_w", "rated_cooling_w known"),
        *("hour_sine", "hour_cosine"),
    ]
    assert columns(POLICY)[20:24] == ["occupied_1h", "outdoor_load_k_1h", "solar_w_m2_1h", "price_ratio_1h"]
    assert len(columns(POLICY)) == 20 + 7 * 4


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


def test_heating_is_the_mirror_image_of_cooling() -> None:
    """2 K above the upper edge looks like 2 K below the lower edge."""
    hot = policy_raw(situation_arrays([summer_situation(room_temperature_c=29.0)]))
    cold = policy_raw(situation_arrays([winter_situation(room_temperature_c=17.0)]))
    assert (hot["direction"][0], cold["direction"][0]) == (1.0, -1.0)
    assert hot["excess_k"][0] == cold["excess_k"][0] == pytest.approx(2.0)
    assert cold["outdoor_load_k"][0] == pytest.approx(17.0)


def test_prices_are_seen_relative_to_their_mean() -> None:
    cheap_now = summer_situation(price_now=0.3, price_ahead=(0.6,) * 7)
    raw = policy_raw(situation_arrays([cheap_now, summer_situation(price_now=0.0, price_ahead=(0.0,) * 7)]))
    assert raw["price_ratio"][0] < 1.0 < raw["price_ratio_1h"][0]
    assert raw["price_ratio"][1] == raw["price_ratio_24h"][1] == 1.0


def test_a_unit_keeps_its_direction_until_the_other_edge_is_well_passed() -> None:
    mild = {"outdoor_ahead_c": (18.0,) * 7, "on": True, "mode": Mode.HEAT, "setpoint_c": 20.0}
    rooms = [summer_situation(room_temperature_c=celsius, **mild) for celsius in (24.0, 27.5, 28.0)]
    assert heats(situation_arrays(rooms)).tolist() == [True, True, False]


def test_nothing_is_heated_in_summer_nor_cooled_in_winter() -> None:
    """A room cooled too far in July, and one that the sun has heated in January."""
    rooms = [summer_situation(room_temperature_c=21.0), winter_situation(room_temperature_c=26.0)]
    assert heats(situation_arrays(rooms)).tolist() == [False, True]


def test_an_action_asks_for_more_the_larger_it_is() -> None:
    arrays = situation_arrays([summer_situation()] * 3)
    on, heating, setpoint_c = choose(np.array([OFF_LEVEL - 0.01, OFF_LEVEL, 1.0]), arrays)
    assert on.tolist() == [False, True, True]
    assert not heating.any()
    assert setpoint_c[1:] == pytest.approx([28.5, 24.5])  # 27 + 1.5, then 4 K deeper


def test_in_heating_more_is_warmer() -> None:
    arrays = situation_arrays([winter_situation()] * 2)
    _, heating, setpoint_c = choose(np.array([OFF_LEVEL, 1.0]), arrays)
    assert heating.all()
    assert setpoint_c == pytest.approx([17.5, 21.5])
