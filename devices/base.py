"""What a dialect is: bytes to the project's words and back, with no socket, no clock and no database.

A message decodes to events: a ``Report`` (what a device measured), an ``Announcement`` (what a device is and how to
speak to it) or a ``Reply`` (its answer to a command). ``None`` says that the message is not this dialect's; an empty
list that it is, and holds nothing worth keeping.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from core.words import Capabilities, Command, Fan, Kind, Mode

__all__ = ["Announcement", "Dialect", "Event", "KnownDevice", "Message", "Reply", "Report"]


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message."""

    topic: str
    payload: bytes
    qos: int = 0
    retained: bool = False
    duplicate: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of one device, decoded; a quantity that it did not name is None.

    ``measured_at`` is the device's own time, aware, or None where it sends none (the receipt time then stands in).
    ``home`` is set only by the native dialect, whose topics name their home.
    """

    native_id: str
    measured_at: datetime | None = None
    home: str | None = None
    online: bool | None = None
    power_w: float | None = None
    energy_total_kwh: float | None = None  # grows, and may reset
    voltage_v: float | None = None
    current_a: float | None = None
    room_temperature_c: float | None = None  # air of the room, by a thermometer or by the unit's own sensor
    humidity_pct: float | None = None
    outdoor_temperature_c: float | None = None
    solar_w_m2: float | None = None  # on the horizontal
    wind_m_s: float | None = None
    co2_ppm: float | None = None
    illuminance_lx: float | None = None
    heat_w: float | None = None  # heat given to the room by a heating circuit
    supply_temperature_c: float | None = None  # of a heating circuit
    occupied: bool | None = None
    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None
    by_hand: bool = False  # the device says that a person did it (a remote control that an infrared receiver saw)
    assumed: bool = False  # what was sent to a one-way device: its likely state, no proof that it obeyed


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device is. ``details`` is the dialect's own memory as JSON can hold it; ``KnownDevice`` hands it back."""

    native_id: str
    kind: Kind
    name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    area: str | None = None  # room that the device suggests
    home: str | None = None
    capabilities: Capabilities | None = None  # of an air conditioner
    details: dict[str, object] = field(default_factory=dict)
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A device's answer to a command, before its state shows it."""

    native_id: str
    accepted: bool
    detail: str | None = None
    home: str | None = None


Event = Report | Announcement | Reply


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What ``encode`` needs to know of a device: its identity, the dialect's memory and the last state."""

    native_id: str
    kind: Kind
    home: str
    details: dict[str, object] = field(default_factory=dict)
    capabilities: Capabilities | None = None  # of an air conditioner; None: as ``details`` or the dialect say
    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None


class Dialect(Protocol):
    """Translate between one vendor's MQTT messages and the project's own words.

    It keeps only what announcements told it (names, topics, templates); ``recall`` gives that back after a restart.
    """

    name: str

    def recall(self, device: KnownDevice) -> None:
        """Take up what an earlier announcement of this device said."""

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of a message; None where it is not this dialect's.

        Raises
        ------
        PayloadError
            The topic is this dialect's and the payload cannot be read.
        """

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """Messages that carry a command, never retained.

        Raises
        ------
        InvalidCommand
            The device cannot be told this.
        """
