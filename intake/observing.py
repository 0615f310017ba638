"""When a command is acknowledged and when it is observed: only a device's own word counts.

*Acknowledged*: the device replied that it accepts. A reply that refuses ends the command as failed.

*Observed*: the device's newest state equals every quantity of the command's body (setpoints within half a step), and a
report measured after the command was sent shows at least one of them. Not all need be in that report: many devices
report only what changed. A device's own time may be cut to the second, so it is compared with the second of sending.

*One-way units* (infrared) never report what they do. A metering plug of the same appliance is the evidence: power above
``RUNNING_W`` measured after sending where the body says on, below it where it says off. A body that says neither, or an
appliance that nobody meters, stays acknowledged: nothing shows more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from core.words import CommandState
from devices.base import Reply
from intake.known import Entry, Known
from storage.repositories.events import Event as LiveEvent
from storage.repositories.open_commands import OpenCommand, open_commands, save_progress
from storage.repositories.reports import QUANTITIES

RUNNING_W = 25.0  # an air conditioner that is on draws more, at least its fan; one that is off less
SECOND_US = 1_000_000
DEFAULT_STEP_K = 1.0
PLACES = {name: QUANTITIES.index(name) for name in ("on", "mode", "setpoint_c", "fan", "power_w")}


@dataclass(slots=True)
class Evidence:
    """What a batch says of one device that a command may wait for."""

    replies: list[tuple[int, Reply]] = field(default_factory=list)  # received_at, reply
    shown: list[tuple[int, bool, tuple[Any, ...]]] = field(default_factory=list)  # measured_at, own time, quantities


def observe(connection: Connection, known: Known, heard: Mapping[int, Evidence], now_us: int) -> list[LiveEvent]:
    """Move the open commands on that this batch says something about; the events that tell of it."""
    if not any(evidence.replies or evidence.shown for evidence in heard.values()):
        return []
    moved: list[OpenCommand] = []
    for command in open_commands(connection):
        entry = known.by_id(command.device_id)
        if entry is not None and _advance(command, entry, known, heard, now_us):
            moved.append(command)
    save_progress(connection, moved)
    return [
        (
            command.home_id,
            now_us,
            "command",
            {"id": command.id, "device_id": command.device_id, "state": command.state, "body": command.body},
        )
        for command in moved
    ]


def _advance(command: OpenCommand, entry: Entry, known: Known, heard: Mapping[int, Evidence], now_us: int) -> bool:
    before = command.state
    evidence = heard.get(entry.id)
    if evidence is not None and command.state == CommandState.SENT:
        for at_us, reply in evidence.replies:
            if at_us >= command.sent_at_us:
                _answer(command, reply, at_us)
                break
    if command.state in (CommandState.SENT, CommandState.ACKNOWLEDGED):
        if (entry.device.capabilities or {}).get("one_way"):
            seen = command.state == CommandState.ACKNOWLEDGED and _is_metered_so(command, entry, known, heard)
        else:
            seen = evidence is not None and _is_shown(command, entry, evidence)
        if seen:
            command.state = CommandState.OBSERVED
            command.observed_at_us = command.ended_at_us = now_us
    return command.state != before


def _answer(command: OpenCommand, reply: Reply, at_us: int) -> None:
    if reply.accepted:
        command.state, command.acknowledged_at_us = CommandState.ACKNOWLEDGED, at_us
    else:
        command.state, command.ended_at_us = CommandState.FAILED, at_us
        command.detail = reply.detail or "the device refused"


def _is_shown(command: OpenCommand, entry: Entry, evidence: Evidence) -> bool:
    shown = any(
        _since(at_us, own_time, command) and any(quantities[PLACES[name]] is not None for name in command.body)
        for at_us, own_time, quantities in evidence.shown
    )
    return shown and all(_equals(name, wanted, entry) for name, wanted in command.body.items())


def _since(at_us: int, own_time: bool, command: OpenCommand) -> bool:
    sent_us = command.sent_at_us
    return at_us >= (sent_us - sent_us % SECOND_US if own_time else sent_us)


def _equals(name: str, wanted: Any, entry: Entry) -> bool:
    known = entry.values.get(name)
    if known is None:
        return False
    if name == "setpoint_c":
        step_k = (entry.device.capabilities or {}).get("setpoint_step_k") or DEFAULT_STEP_K
        return abs(float(known[0]) - float(wanted)) <= step_k / 2 + 1e-9
    return bool(known[0] == wanted)


def _is_metered_so(command: OpenCommand, entry: Entry, known: Known, heard: Mapping[int, Evidence]) -> bool:
    wanted = command.body.get("on")
    if wanted is None:
        return False
    for meter in known.metering(entry):
        evidence = heard.get(meter.id)
        for at_us, own_time, quantities in evidence.shown if evidence else ():
            power_w = quantities[PLACES["power_w"]]
            if power_w is not None and _since(at_us, own_time, command) and (power_w > RUNNING_W) == wanted:
                return True
    return False
