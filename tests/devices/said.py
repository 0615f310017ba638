"""Short ways to say a message by hand and to read what a dialect made of it."""

import json
from collections.abc import Sequence
from typing import Any

from core.words import Kind
from devices.base import Announcement, Dialect, Event, KnownDevice, Message, Reply, Report
from devices.limits import QUANTITIES, check_events


def said(topic: str, payload: object, *, retained: bool = False, duplicate: bool = False) -> Message:
    """A message; a payload that is neither text nor bytes is sent as JSON."""
    if not isinstance(payload, bytes):
        payload = (payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)).encode()
    return Message(topic, payload, retained=retained, duplicate=duplicate)


def heard(dialect: Dialect, topic: str, payload: object, **flags: bool) -> list[Event]:
    """Checked events of a message that is the dialect's."""
    events = dialect.decode(said(topic, payload, **flags))
    assert events is not None, f"{topic} is not of {dialect.name}"
    return check_events(events)


def values(event: Event) -> dict[str, Any]:
    """What a report names."""
    assert isinstance(event, Report)
    return {name: value for name in QUANTITIES if (value := getattr(event, name)) is not None}


def reports(events: Sequence[Event]) -> list[Report]:
    """The reports among events."""
    return [event for event in events if isinstance(event, Report)]


def report(events: Sequence[Event]) -> Report:
    """The only report among events."""
    (only,) = reports(events)
    return only


def announcements(events: Sequence[Event]) -> list[Announcement]:
    """The announcements among events."""
    return [event for event in events if isinstance(event, Announcement)]


def announcement(events: Sequence[Event]) -> Announcement:
    """The only announcement among events."""
    (only,) = announcements(events)
    return only


def replies(events: Sequence[Event]) -> list[Reply]:
    """The replies among events."""
    return [event for event in events if isinstance(event, Reply)]


def known(told: Announcement, **state: Any) -> KnownDevice:
    """The announced device as the rest of the project hands it back, with a last state."""
    return KnownDevice(
        told.native_id, told.kind, told.home or "home", details=told.details, capabilities=told.capabilities, **state
    )


def plug(native_id: str, **details: object) -> KnownDevice:
    """A plug as somebody registered it."""
    return KnownDevice(native_id, Kind.PLUG, "home", details=details)


def sent(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Topics and payloads of commands, none of them retained."""
    assert not any(message.retained for message in messages)
    return [(message.topic, message.payload.decode()) for message in messages]
