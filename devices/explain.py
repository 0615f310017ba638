"""What would be stored of recorded messages, and why: for whoever wonders where a device or a reading went.

A line of input is a JSON object: ``topic``, ``payload`` (a string, or JSON as it is), and where it matters
``retained``. Messages are read in their order, since a device's state means something only after its announcement.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from core.errors import PayloadError
from devices.base import Announcement, Event, Message, Reply, Report
from devices.limits import QUANTITIES
from devices.registry import Registry


class Line(msgspec.Struct):
    """One recorded message."""

    topic: str
    payload: msgspec.Raw = msgspec.Raw(b'""')
    retained: bool = False


def explain(lines: Iterable[str]) -> Iterator[str]:
    """One line of text for each thing that would be stored, and for each message of which nothing would be."""
    registry = Registry()
    for index, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            message = _message(line)
        except (ValueError, RecursionError) as error:
            yield f"{index}: not read: expected a JSON object with topic and payload: {error}"
            continue
        for text in _explained(registry, message):
            yield f"{index}: {message.topic}: {text}"


def _message(line: str) -> Message:
    told = msgspec.json.decode(line, type=Line)
    payload = bytes(told.payload)
    if payload.startswith(b'"'):
        payload = msgspec.json.decode(payload, type=str).encode()
    return Message(told.topic, payload, retained=told.retained)


def _explained(registry: Registry, message: Message) -> Iterator[str]:
    notes: list[str] = []
    try:
        found = registry.decode(message, notes)
    except PayloadError as error:
        yield f"quarantined: {error}"
        return
    if found is None:
        yield "ignored: no dialect knows this topic, and no announcement before it named it"
        return
    dialect, events = found
    if not events:
        yield f"ignored: {dialect} knows the topic, but nothing is to be kept, or the device is not announced yet"
    for event in events:
        yield f"{dialect}: {_told(event, message)}"
    for note in notes:
        yield f"{dialect}: left out: {note}"


def _told(event: Event, message: Message) -> str:
    if isinstance(event, Report):
        return _report(event, message)
    if isinstance(event, Reply):
        answer = "accepted" if event.accepted else "refused"
        return f"reply of {event.native_id}: the command was {answer}{f' ({event.detail})' if event.detail else ''}"
    return _announcement(event)


def _report(report: Report, message: Message) -> str:
    values = {name: value for name in QUANTITIES if (value := getattr(report, name)) is not None}
    shown = ", ".join(f"{name} {_shown(value)}" for name, value in values.items())
    source = " by hand" if report.by_hand else " assumed, as it was sent" if report.assumed else ""
    return f"report of {report.native_id}{source}: {shown}; {_when(report.measured_at, message)}"


def _when(measured_at: datetime | None, message: Message) -> str:
    if measured_at is not None:
        return f"measured at {measured_at.isoformat()} by the device's clock"
    if message.retained:
        return "retained and without a time, so of unknown age: no energy is counted from it"
    return "without a time of its own: the time of receipt stands"


def _announcement(told: Announcement) -> str:
    if told.removed:
        return f"removal of {told.native_id}"
    about = [part for part in (told.name, told.manufacturer, told.model, told.area) if part]
    unit = told.capabilities
    able = "" if unit is None else f", {unit.setpoint_min_c:g} to {unit.setpoint_max_c:g} °C, {len(unit.modes)} modes"
    skipped = told.details.get("skipped")
    noted = f"; {'; '.join(map(str, skipped))}" if isinstance(skipped, list) and skipped else ""
    return f"{told.kind.value} {told.native_id} ({', '.join(about)}){able}{noted}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
