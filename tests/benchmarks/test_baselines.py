"""The rule that a learned policy has to beat: what it tells a unit, one quarter of an hour after another."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.savings.baselines import FIRST_MARGIN_K, Precool
from benchmarks.savings.words import Orders

EDGE_C = 26.0
AIM_C = EDGE_C - FIRST_MARGIN_K


def home(room_c: float, **changes: Any) -> Any:
    """A home that cools, with somebody in it and the unit running."""
    values: dict[str, Any] = {
        "room_temperature_c": room_c,
        "unit_temperature_c": room_c,
        "on": True,
        "heating": False,
        "held": False,
        "heats": False,
        "occupied": 1.0,
        "low_c": 20.0,
        "high_c": EDGE_C,
        "energy_kwh": 0.0,
        "price_now": 1.0,
    }
    columns = {name: np.array([value]) for name, value in (values | changes).items()}
    return SimpleNamespace(**columns, presence_ahead=np.ones((1, 96)))


@pytest.fixture
def rule() -> Precool:
    started = Precool()
    started.start(SimpleNamespace(n=1, rows=288, mean_price=np.ones(1)))  # type: ignore[arg-type]
    return started


def runs(orders: Orders) -> bool:
    return bool(orders.on[0])


def test_unit_rests_while_the_room_is_well_inside_by_itself(rule: Precool) -> None:
    assert runs(rule.decide(home(AIM_C - 1.4)))
    assert not runs(rule.decide(home(AIM_C - 1.6)))
    assert not runs(rule.decide(home(AIM_C - 0.6)))
    assert runs(rule.decide(home(AIM_C - 0.4)))
    assert runs(rule.decide(home(float("nan"))))


def test_setpoint_moves_until_the_steady_room_is_at_its_edge(rule: Precool) -> None:
    """The unit's sensor makes of each setpoint a room 0.8 K colder."""
    setpoint_c = AIM_C
    for _ in range(200):
        setpoint_c = float(rule.decide(home(setpoint_c - 0.8)).setpoint_c[0])
    assert setpoint_c == pytest.approx(AIM_C + 0.8, abs=0.02)


@pytest.mark.parametrize("changes", [{"held": True}, {"on": False}])
def test_what_the_rule_did_not_do_teaches_it_nothing(rule: Precool, changes: dict[str, bool]) -> None:
    for _ in range(50):
        orders = rule.decide(home(AIM_C + 1.0, **changes))
    assert orders.setpoint_c[0] == pytest.approx(AIM_C)


def test_room_on_its_way_teaches_it_nothing(rule: Precool) -> None:
    for _ in range(50):
        orders = rule.decide(home(AIM_C + 3.0))
    assert orders.setpoint_c[0] == pytest.approx(AIM_C)
