"""The policy as it ships: sensible where sense is beyond doubt."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.errors import ConfigurationError
from core.words import Mode
from models.features import POLICY, describe
from models.loading import WEIGHTS, open_network
from models.policy import SetpointPolicy
from models.words import Wish
from tests.models.moments import summer_situation, winter_situation

NOBODY = {"occupied": 0.0, "occupied_ahead": (0.0,) * 7}


@pytest.fixture(scope="module")
def policy() -> SetpointPolicy:
    return SetpointPolicy.load()


@pytest.mark.parametrize("room_c", [22.0, 25.0, 27.0, 29.0, 31.0])
@pytest.mark.parametrize("unit", [{}, {"on": True, "mode": Mode.COOL, "setpoint_c": 26.0, "power_w": 500.0}])
def test_nobody_home_and_none_expected_is_off(policy: SetpointPolicy, room_c: float, unit: dict[str, Any]) -> None:
    wish = policy.act(summer_situation(room_temperature_c=room_c, **NOBODY, **unit))
    assert not wish.on


@pytest.mark.parametrize("room_c", [28.0, 29.0, 31.0, 33.0])
def test_too_hot_while_home_cools(policy: SetpointPolicy, room_c: float) -> None:
    wish = policy.act(summer_situation(room_temperature_c=room_c))
    assert wish.on
    assert wish.mode is Mode.COOL
    assert wish.setpoint_c is not None
    assert wish.setpoint_c < room_c


@pytest.mark.parametrize("room_c", [12.0, 15.0, 17.0])
def test_too_cold_while_home_heats(policy: SetpointPolicy, room_c: float) -> None:
    wish = policy.act(winter_situation(room_temperature_c=room_c))
    assert wish.on
    assert wish.mode is Mode.HEAT
    assert wish.setpoint_c is not None
    assert wish.setpoint_c > room_c


def test_an_empty_room_in_winter_is_not_heated_to_comfort(policy: SetpointPolicy) -> None:
    wish = policy.act(winter_situation(room_temperature_c=17.0, **NOBODY))
    assert not wish.on


def test_it_never_heats_in_summer_nor_cools_in_winter(policy: SetpointPolicy) -> None:
    summer = [
        summer_situation(room_temperature_c=18.0 + 0.5 * i, occupied=p) for i in range(32) for p in (0.0, 0.5, 1.0)
    ]
    winter = [
        winter_situation(room_temperature_c=8.0 + 0.5 * i, occupied=p) for i in range(40) for p in (0.0, 0.5, 1.0)
    ]
    assert all(wish.mode is not Mode.HEAT for wish in policy.act_many(summer))
    assert all(wish.mode is not Mode.COOL for wish in policy.act_many(winter))


def test_many_rooms_at_once_equal_one_by_one(policy: SetpointPolicy) -> None:
    situations = [summer_situation(), winter_situation(), summer_situation(**NOBODY)]
    assert policy.act_many(situations) == [policy.act(situation) for situation in situations]
    assert policy.act_many([]) == []


def test_off_names_no_setpoint(policy: SetpointPolicy) -> None:
    wish = policy.act(summer_situation(room_temperature_c=24.0, **NOBODY))
    assert wish == replace(Wish(False, None, None, wish.fan))


def test_other_features_are_refused() -> None:
    changed = (replace(POLICY[0], unit="°"), *POLICY[1:])
    with pytest.raises(ConfigurationError, match=r"policy.onnx was trained on other features: observation\[0\]"):
        open_network(WEIGHTS / "policy.onnx", {"observation": changed})


def test_other_actions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.policy.ACTION", {"off_level": 0.0})
    with pytest.raises(ConfigurationError, match="trained on other actions"):
        SetpointPolicy.load()


def test_a_room_cooled_too_far_is_left_alone(policy: SetpointPolicy) -> None:
    for room_c in (19.0, 21.0, 23.0):
        assert not policy.act(summer_situation(room_temperature_c=room_c)).on


def test_the_card_says_what_made_the_network(policy: SetpointPolicy) -> None:
    card = json.loads((WEIGHTS / "policy.json").read_text())
    assert card == policy.card
    assert card["features"] == {"observation": describe(POLICY)}
    assert {"commit", "seed", "versions", "held_out", "config", "decisions"} <= card.keys()
    assert (WEIGHTS / "policy.onnx").stat().st_size < 2_000_000
    assert "precool" in (WEIGHTS / "policy.md").read_text()
