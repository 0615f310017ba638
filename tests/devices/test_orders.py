"""What is asked of every command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidCommand
from core.words import Capabilities, Command, Kind, Mode
from devices import orders
from devices.base import KnownDevice

UNIT = Capabilities(16.0, 31.0, 0.5, (Mode.COOL,))


@pytest.mark.parametrize(
    ("wanted", "step", "expected"),
    [
        (24.2, 0.5, 24.0),
        (24.25, 0.5, 24.5),
        (24.6, 1.0, 25.0),
        (16.0, 1.0, 16.0),
        (30.96, 0.1, 31.0),
        (25.5, 1.0, 26.0),
    ],
)
def test_a_setpoint_snaps_to_the_step_of_the_unit(wanted: float, step: float, expected: float) -> None:
    assert orders.snapped(wanted, Capabilities(16.0, 31.0, step)) == pytest.approx(expected)


@given(
    wanted=st.floats(),
    step=st.sampled_from([0.1, 0.5, 5 / 9, 1.0, 2.0]),
    low=st.integers(5, 20),
    span=st.integers(1, 25),
)
def test_a_snapped_setpoint_is_one_that_the_unit_holds_and_near_the_wish(
    wanted: float, step: float, low: int, span: int
) -> None:
    unit = Capabilities(low, low + span, step)
    try:
        held = orders.snapped(wanted, unit)
    except InvalidCommand:
        assert not low <= wanted <= low + span
        return
    assert low <= held <= low + span
    assert abs(held - wanted) <= step / 2 + 1e-3 or held in (low, low + span)


def test_a_refusal_says_what_was_expected_and_what_came() -> None:
    with pytest.raises(InvalidCommand, match=r"setpoint 15\.0 °C is below the 16\.0 °C of this unit"):
        orders.checked(Command(setpoint_c=15.0), UNIT)
    with pytest.raises(InvalidCommand, match="mode heat: this unit has cool"):
        orders.checked(Command(mode=Mode.HEAT), UNIT)


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "$SYS/x", "a\0", "a\n", "x" * 2000, None, 5])
def test_no_command_goes_to_what_is_no_topic(topic: object) -> None:
    with pytest.raises(InvalidCommand):
        orders.message(topic, "ON")


def test_a_command_is_sent_at_least_once_and_never_retained() -> None:
    message = orders.message("a/b", "ON")
    assert (message.qos, message.retained) == (1, False)


@pytest.mark.parametrize("kind", [Kind.THERMOMETER, Kind.METER, Kind.PLUG, Kind.REFRIGERATOR])
def test_what_is_no_air_conditioner_has_no_setpoint(kind: Kind) -> None:
    with pytest.raises(InvalidCommand, match=kind.value):
        orders.capabilities(KnownDevice("d", kind, "h"), UNIT)


def test_capabilities_are_those_of_the_device_before_those_it_once_announced() -> None:
    told: dict[str, object] = {"capabilities": {"setpoint_min_c": 18.0}}
    device = KnownDevice("d", Kind.AIR_CONDITIONER, "h", told)
    assert orders.capabilities(device, UNIT).setpoint_min_c == 18.0
    assert orders.capabilities(KnownDevice("d", Kind.AIR_CONDITIONER, "h", told, UNIT)) == UNIT
    assert orders.capabilities(KnownDevice("d", Kind.AIR_CONDITIONER, "h"), UNIT) == UNIT
    for details in ({}, {"capabilities": {"setpoint_min_c": "warm"}}):
        with pytest.raises(InvalidCommand):
            orders.capabilities(KnownDevice("d", Kind.AIR_CONDITIONER, "h", dict(details)))
