"""Telling a person's hand from our own commands."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from control.overrides import Change, UnitMemory, look, with_commands
from core.words import CommandState
from storage.tables import CommandRow

NOON = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)
SLACK = timedelta(seconds=3)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def shows(seconds: float, **values: Any) -> dict[str, tuple[Any, datetime]]:
    return {name: (value, at(seconds)) for name, value in values.items()}


def command(sent_s: float, observed_s: float | None = None, ended_s: float | None = None, **body: Any) -> CommandRow:
    state = CommandState.SENT if observed_s is None else CommandState.OBSERVED
    return CommandRow(
        body=body,
        state=state,
        queued_at=at(sent_s),
        sent_at=at(sent_s),
        observed_at=None if observed_s is None else at(observed_s),
        ended_at=at(ended_s) if ended_s is not None else None if observed_s is None else at(observed_s),
    )


def see(memory: UnitMemory, seconds: float, commands: list[CommandRow], **values: Any) -> Change | None:
    after, change = look(memory, shows(seconds, **values), commands, at(seconds), slack=SLACK, step_k=1.0)
    for name in (known.name for known in fields(UnitMemory)):
        setattr(memory, name, getattr(after, name))
    return change


def watching(**values: Any) -> UnitMemory:
    memory = UnitMemory()
    assert see(memory, 0, [], **values) is None
    return memory


def test_the_first_look_explains_nothing_and_blames_nobody() -> None:
    assert watching(on=True, setpoint_c=25.0).expected == {"on": True, "setpoint_c": 25.0}


def test_a_look_leaves_the_memory_that_it_was_given_alone() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    before = memory.to_json()
    after, change = look(memory, shows(60, on=False, setpoint_c=24.0), [], at(60), slack=SLACK, step_k=1.0)
    assert change is not None
    assert memory.to_json() == before != after.to_json()


def test_a_setpoint_that_nobody_commanded_is_a_persons() -> None:
    memory = watching(on=True, mode="cool", setpoint_c=26.0, fan="auto")
    change = see(memory, 60, [], on=True, mode="cool", setpoint_c=24.0, fan="auto")
    assert change is not None
    assert change.target.setpoint_c == 24.0
    assert change.target.on is True
    assert change.at == at(60)
    assert see(memory, 61, [], on=True, mode="cool", setpoint_c=24.0, fan="auto") is None


def test_a_setpoint_that_was_commanded_is_ours() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    assert see(memory, 60, [command(30, setpoint_c=24.0)], on=True, setpoint_c=24.0) is None
    assert memory.expected["setpoint_c"] == 24.0


def test_a_unit_may_round_what_it_is_told() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    assert see(memory, 60, [command(30, setpoint_c=24.5)], on=True, setpoint_c=24.0) is None


def test_a_person_who_takes_back_what_we_did_long_ago_is_a_person() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    old, new = command(10, 12, setpoint_c=25.0), command(100, 102, setpoint_c=26.0)
    see(memory, 13, [old], on=True, setpoint_c=25.0)
    see(memory, 103, [old, new], on=True, setpoint_c=26.0)
    assert see(memory, 400, [old, new], on=True, setpoint_c=25.0) is not None


def test_a_person_who_is_faster_than_our_command_is_a_person() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    assert see(memory, 60, [command(59, setpoint_c=24.0)], on=True, setpoint_c=28.0) is not None


def test_switching_off_by_hand_is_seen_and_dated() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    change = see(memory, 60, [], on=False, setpoint_c=26.0)
    assert change is not None
    assert change.target.on is False
    assert memory.switched_at == at(60)


def test_undoing_a_command_before_the_next_look_is_a_person() -> None:
    memory = watching(on=False, setpoint_c=26.0)
    on = command(10, 12, on=True, setpoint_c=26.0)
    change = see(memory, 60, [on], on=False, setpoint_c=26.0)
    assert change is not None
    assert change.target.on is False
    assert memory.switched_at == at(60)
    assert see(memory, 61, [on], on=False, setpoint_c=26.0) is None


def test_an_observed_command_that_the_unit_has_said_nothing_newer_of_blames_nobody() -> None:
    memory, on = watching(on=False, setpoint_c=26.0), command(10, 12, on=True)
    after, change = look(memory, shows(11, on=False), [on], at(12), slack=SLACK, step_k=1.0)
    assert change is None
    assert after.expected["on"] is False


def test_what_a_unit_that_is_off_does_to_its_setpoint_means_nothing() -> None:
    memory = watching(on=False, setpoint_c=26.0)
    assert see(memory, 60, [], on=False, setpoint_c=24.0) is None


def test_what_switching_on_moves_along_is_not_a_person() -> None:
    memory = watching(on=False, mode="cool", setpoint_c=26.0, fan="auto")
    on = command(50, on=True)
    assert see(memory, 60, [on], on=True, mode="cool", setpoint_c=25.0, fan="low") is None


def test_a_remote_control_that_was_seen_is_a_person_even_if_nothing_differs() -> None:
    memory = watching(on=True, setpoint_c=26.0, by_hand=True)
    assert see(memory, 30, [], on=True, setpoint_c=26.0) is None
    change = see(memory, 60, [], on=True, setpoint_c=26.0, by_hand=True)
    assert change is not None
    assert see(memory, 60, [], on=True, setpoint_c=26.0, by_hand=True) is None


def test_a_command_that_was_given_up_long_ago_explains_nothing() -> None:
    memory = watching(on=True, setpoint_c=26.0)
    assert see(memory, 900, [], on=True, setpoint_c=26.0) is None
    lost = command(10, ended_s=250, setpoint_c=24.0)
    assert see(memory, 901, [lost], on=True, setpoint_c=24.0) is not None


def test_the_memory_survives_a_restart() -> None:
    memory = watching(on=True, setpoint_c=26.0, by_hand=True)
    memory.switched_at, memory.control = at(-100), "auto"
    assert UnitMemory.from_json(memory.to_json()) == memory


def test_commands_under_way_count_as_done() -> None:
    under_way, done = command(1, on=True, setpoint_c=24.0), command(0, 1, setpoint_c=22.0)
    assert with_commands({"on": False, "setpoint_c": 26.0}, [done, under_way]) == {"on": True, "setpoint_c": 24.0}
