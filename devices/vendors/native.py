"""Our own dialect, for replayed homes and self-made devices: JSON that carries its own time.

Topics are ``lingyun/<home>/<device>/`` and one of ``announce`` (retained), ``report``, ``reply``; commands come on
``command``. Described in ``docs/devices/native.md``; ``docs/devices/native.schema.json`` is ``schema()``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from core.errors import PayloadError
from core.words import Capabilities, Command, Fan, Kind, Mode
from devices import orders
from devices.base import Announcement, Event, KnownDevice, Message, Reply, Report
from devices.values import MAX_JSON_BYTES

PREFIX = "lingyun/"
MAX_REPORTS = 5000
MAX_HOME_CHARACTERS = 100
LEAVES = ("report", "announce", "reply", "command")

AwareTime = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with a zone, of the years 1990 to 2100.")]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Reading(msgspec.Struct, gc=False, omit_defaults=True):
    """What a device measured; a quantity that is left out or null is not known. Units end the names."""

    time: AwareTime | None = None
    online: bool | None = None
    power_w: float | None = None
    energy_total_kwh: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    room_temperature_c: float | None = None
    humidity_pct: float | None = None
    outdoor_temperature_c: float | None = None
    solar_w_m2: float | None = None
    wind_m_s: float | None = None
    co2_ppm: float | None = None
    illuminance_lx: float | None = None
    heat_w: float | None = None
    supply_temperature_c: float | None = None
    occupied: bool | None = None
    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None
    by_hand: bool = False


class ReportMessage(Reading, gc=False, omit_defaults=True):
    """One reading, or many in ``reports``, each with its own time."""

    reports: Annotated[list[Reading], msgspec.Meta(min_length=1, max_length=MAX_REPORTS)] | None = None


class AnnounceMessage(msgspec.Struct, omit_defaults=True):
    """What a device is; retained. An empty payload takes it back."""

    kind: Kind
    name: Name | None = None
    manufacturer: Name | None = None
    model: Name | None = None
    firmware: Name | None = None
    area: Name | None = None
    capabilities: Capabilities | None = None


class ReplyMessage(msgspec.Struct, omit_defaults=True):
    """A device's answer to a command."""

    accepted: bool
    detail: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class CommandMessage(msgspec.Struct, omit_defaults=True):
    """What a device shall do; what is left out stays as it is."""

    on: bool | None = None
    mode: Mode | None = None
    setpoint_c: float | None = None
    fan: Fan | None = None


Wire = TypeVar("Wire", ReportMessage, AnnounceMessage, ReplyMessage)
_REPORT = msgspec.json.Decoder(ReportMessage)
_ANNOUNCE = msgspec.json.Decoder(AnnounceMessage)
_REPLY = msgspec.json.Decoder(ReplyMessage)


class Native:
    """The dialect of this project; it needs no memory, as every topic says what it is."""

    name = "native"

    def recall(self, device: KnownDevice) -> None:
        """Nothing to take up."""

    def decode(self, message: Message) -> Sequence[Event] | None:
        """Events of a message under ``lingyun/``; see ``Dialect.decode``."""
        topic = message.topic
        if not topic.startswith(PREFIX):
            return None
        levels = topic.split("/")
        if len(levels) != 4:
            return None
        _, home, device, leaf = levels
        if leaf not in LEAVES:
            return None
        if not device or not 0 < len(home) <= MAX_HOME_CHARACTERS or not home.isprintable():
            raise PayloadError(f"expected lingyun/<home>/<device>/{leaf}, got {topic!r:.200}")
        if leaf == "report":
            return _reports(home, device, message.payload)
        if leaf == "announce":
            return [_announcement(home, device, message.payload)]
        if leaf == "reply":
            reply = _read(_REPLY, message.payload)
            return [Reply(device, reply.accepted, reply.detail, home)]
        return []  # a command: our own

    def encode(self, device: KnownDevice, command: Command) -> list[Message]:
        """One JSON message; see ``Dialect.encode``."""
        if device.kind is Kind.AIR_CONDITIONER:
            command = orders.checked(command, orders.capabilities(device))
        else:
            orders.only_switch(device, command)
        body = CommandMessage(command.on, command.mode, command.setpoint_c, command.fan)
        return [orders.message(f"{PREFIX}{device.home}/{device.native_id}/command", msgspec.json.encode(body))]


def schema() -> dict[str, Any]:
    """JSON Schema of the messages, by the last level of their topic."""
    parts = {"report": ReportMessage, "announce": AnnounceMessage, "reply": ReplyMessage, "command": CommandMessage}
    references, components = msgspec.json.schema_components(parts.values(), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lingyun native dialect: payloads by the last level of their topic",
        "properties": dict(zip(parts, references, strict=True)),
        "$defs": components,
    }


def _read(decoder: "msgspec.json.Decoder[Wire]", payload: bytes) -> Wire:
    if len(payload) > MAX_JSON_BYTES:
        raise PayloadError(f"expected at most {MAX_JSON_BYTES} bytes, got {len(payload)}")
    try:
        return decoder.decode(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"native dialect: {error}") from error


def _reports(home: str, device: str, payload: bytes) -> list[Event]:
    body = _read(_REPORT, payload)
    if body.reports is None:
        return [_report(home, device, body)]
    if any(reading.time is None for reading in body.reports):
        raise PayloadError("expected a time in each of several reports")
    return [_report(home, device, reading) for reading in body.reports]


def _report(home: str, device: str, reading: Reading) -> Report:
    at = reading.time
    if at is not None and at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError as error:  # year 1 or 9999 and a zone
            raise PayloadError(f"time: {at.isoformat()} has no UTC year") from error
    return Report(
        native_id=device,
        measured_at=at,
        home=home,
        online=reading.online,
        power_w=reading.power_w,
        energy_total_kwh=reading.energy_total_kwh,
        voltage_v=reading.voltage_v,
        current_a=reading.current_a,
        room_temperature_c=reading.room_temperature_c,
        humidity_pct=reading.humidity_pct,
        outdoor_temperature_c=reading.outdoor_temperature_c,
        solar_w_m2=reading.solar_w_m2,
        wind_m_s=reading.wind_m_s,
        co2_ppm=reading.co2_ppm,
        illuminance_lx=reading.illuminance_lx,
        heat_w=reading.heat_w,
        supply_temperature_c=reading.supply_temperature_c,
        occupied=reading.occupied,
        on=reading.on,
        mode=reading.mode,
        setpoint_c=reading.setpoint_c,
        fan=reading.fan,
        by_hand=reading.by_hand,
    )


def _announcement(home: str, device: str, payload: bytes) -> Announcement:
    if not payload:
        return Announcement(device, Kind.PLUG, home=home, removed=True)
    body = _read(_ANNOUNCE, payload)
    unit = body.capabilities
    return Announcement(
        device,
        body.kind,
        body.name,
        body.manufacturer,
        body.model,
        body.firmware,
        body.area,
        home,
        unit,
        {} if unit is None else {"capabilities": msgspec.to_builtins(unit)},
    )


if __name__ == "__main__":
    print(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
