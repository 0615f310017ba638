"""The project's words for what a device is, does and says. One unit per quantity: °C, W, kWh, s, %."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a device or an appliance is."""

    AIR_CONDITIONER = "air_conditioner"
    REFRIGERATOR = "refrigerator"
    PLUG = "plug"
    THERMOMETER = "thermometer"
    METER = "meter"


class Mode(StrEnum):
    """Operating mode of an air conditioner; whether it runs at all is ``on``."""

    AUTO = "auto"
    COOL = "cool"
    HEAT = "heat"
    DRY = "dry"
    FAN_ONLY = "fan_only"


class Fan(StrEnum):
    """Fan step of an air conditioner."""

    AUTO = "auto"
    QUIET = "quiet"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Scope(StrEnum):
    """What a token may do: each includes those before it."""

    READ = "read"
    CONTROL = "control"
    ADMIN = "admin"


class CommandState(StrEnum):
    """Where a command stands; ``failed`` and ``expired`` are ends, as is ``observed``."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    OBSERVED = "observed"
    FAILED = "failed"
    EXPIRED = "expired"


class Source(StrEnum):
    """Where an energy figure comes from."""

    COUNTER = "counter"  # the device's own counter
    INTEGRATED = "integrated"  # power times time, by us


@dataclass(frozen=True, slots=True)
class Command:
    """What a device shall do; None leaves a quantity as it is."""

    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None

    def as_dict(self) -> dict[str, object]:
        """The quantities that are set, as JSON can hold them."""
        pairs = {"on": self.on, "mode": self.mode, "setpoint_c": self.setpoint_c, "fan": self.fan}
        return {name: value for name, value in pairs.items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "Command":
        """The command of ``as_dict``."""
        on, setpoint_c = values.get("on"), values.get("setpoint_c")
        mode, fan = values.get("mode"), values.get("fan")
        return cls(
            on=None if on is None else bool(on),
            mode=None if mode is None else Mode(str(mode)),
            setpoint_c=None if setpoint_c is None else float(str(setpoint_c)),
            fan=None if fan is None else Fan(str(fan)),
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an air conditioner can be told. An empty tuple: not settable."""

    setpoint_min_c: float = 16.0
    setpoint_max_c: float = 30.0
    setpoint_step_k: float = 1.0
    modes: tuple[Mode, ...] = ()
    fans: tuple[Fan, ...] = ()
    one_way: bool = False  # commands are never confirmed by the unit itself (infrared)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of time ``[start, end)``, aware."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Length. [s]"""
        return (self.end - self.start).total_seconds()
