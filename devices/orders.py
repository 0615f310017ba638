"""What every dialect asks of a command before it writes bytes."""

import math
import re

import msgspec

from core.errors import InvalidCommand
from core.words import Capabilities, Command, Kind, Mode
from devices.base import KnownDevice, Message

COMMAND_QOS = 1
MAX_TOPIC_BYTES = 1024
_NO_TOPIC = re.compile(r"[+#\x00-\x1f\x7f]|^\$|^$")
_SETPOINT_TOLERANCE_K = 1e-6


def message(topic: object, payload: str | bytes) -> Message:
    """A command on its way: at least once, never retained (it would switch the device again at each reconnect).

    Raises
    ------
    InvalidCommand
        Nothing can be published on this topic; it may come from an untrusted announcement.
    """
    if not isinstance(topic, str) or _NO_TOPIC.search(topic) or len(topic.encode(errors="replace")) > MAX_TOPIC_BYTES:
        raise InvalidCommand(f"the device named a topic that cannot be published to: {str(topic)[:80]!r}")
    return Message(topic, payload.encode() if isinstance(payload, str) else payload, COMMAND_QOS)


def refuse_empty(command: Command) -> None:
    """Refuse a command that asks for nothing.

    Raises
    ------
    InvalidCommand
        No quantity is set.
    """
    if command == Command():
        raise InvalidCommand("expected at least one of on, mode, setpoint_c, fan")


def only_switch(device: KnownDevice, command: Command) -> bool:
    """Whether to switch on or off, of a device that can do nothing else.

    Raises
    ------
    InvalidCommand
        The command asks for more, or for nothing.
    """
    refuse_empty(command)
    if command.on is None or command != Command(on=command.on):
        raise InvalidCommand(f"this {device.kind.value} can only be switched on or off")
    return command.on


def capabilities(device: KnownDevice, default: Capabilities | None = None) -> Capabilities:
    """What an air conditioner can be told: as known of the device, else as its announcement said, else ``default``.

    Raises
    ------
    InvalidCommand
        The device is no air conditioner or nobody knows what it can do.
    """
    if device.kind is not Kind.AIR_CONDITIONER:
        raise InvalidCommand(f"a {device.kind.value} takes no such command")
    if device.capabilities is not None:
        return device.capabilities
    told = device.details.get("capabilities")
    if told is not None:
        try:
            return msgspec.convert(told, Capabilities)
        except ValueError as error:
            raise InvalidCommand(f"what the device can do is not known: {error}") from error
    if default is None:
        raise InvalidCommand("what the device can do is not known")
    return default


def checked(command: Command, unit: Capabilities) -> Command:
    """The command with its setpoint on a step of the unit.

    Raises
    ------
    InvalidCommand
        The unit has no such setpoint, mode or fan step.
    """
    refuse_empty(command)
    if command.mode is not None and command.mode not in unit.modes:
        raise InvalidCommand(f"mode {command.mode.value}: this unit has {_list(unit.modes)}")
    if command.fan is not None and command.fan not in unit.fans:
        raise InvalidCommand(f"fan {command.fan.value}: this unit has {_list(unit.fans)}")
    if command.setpoint_c is None:
        return command
    return Command(command.on, command.mode, snapped(command.setpoint_c, unit), command.fan)


def snapped(setpoint_c: float, unit: Capabilities) -> float:
    """The setpoint that the unit can hold nearest to the wanted one. [°C]

    Raises
    ------
    InvalidCommand
        It is outside what the unit holds.
    """
    if not math.isfinite(setpoint_c):
        raise InvalidCommand(f"setpoint {setpoint_c!r} is no temperature")
    if setpoint_c < unit.setpoint_min_c - _SETPOINT_TOLERANCE_K:
        raise InvalidCommand(f"setpoint {setpoint_c:.1f} °C is below the {unit.setpoint_min_c:.1f} °C of this unit")
    if setpoint_c > unit.setpoint_max_c + _SETPOINT_TOLERANCE_K:
        raise InvalidCommand(f"setpoint {setpoint_c:.1f} °C is above the {unit.setpoint_max_c:.1f} °C of this unit")
    steps = math.floor(setpoint_c / unit.setpoint_step_k + 0.5)
    nearest = round(steps * unit.setpoint_step_k, 3)
    return min(max(nearest, unit.setpoint_min_c), unit.setpoint_max_c)


def number_text(value: float) -> str:
    """A number as devices like it: without a needless ``.0``."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _list(words: tuple[object, ...]) -> str:
    return ", ".join(str(word) for word in words) or "none that can be set"


def mode_to_send(device: KnownDevice, command: Command, unit: Capabilities) -> str | None:
    """The mode word for a unit that is switched by its mode: ``off``, one of ours, or None to leave it.

    Raises
    ------
    InvalidCommand
        The mode of a unit that is off would be changed, which would start it unasked.
    """
    if command.on is False:
        return "off"
    if command.mode is not None:
        if command.on is None and device.on is False:
            raise InvalidCommand("this unit is off and starts when its mode is set; ask for on as well")
        return command.mode.value
    if command.on is None:
        return None
    if device.mode is not None:
        return device.mode.value
    usual = (Mode.COOL, Mode.AUTO, *unit.modes)
    return next((mode.value for mode in usual if mode in unit.modes), Mode.COOL.value)
