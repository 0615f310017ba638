"""What a simulated device is: a client of the broker that turns the household's state into its own bytes and back."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec

encode_json = msgspec.json.encode


class Outgoing(NamedTuple):
    """A message that a device publishes."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Device(Protocol):
    """One client of the broker. Times are seconds since 1970 of the project's clock."""

    client_id: str
    will: Outgoing  # what the broker says for it when it is lost, and it itself when it stops
    subscriptions: tuple[str, ...]

    def announce(self, at_s: float) -> list[Outgoing]:
        """What it says right after it has joined the broker."""

    def report(self, at_s: float) -> list[Outgoing]:
        """What it says after a step of the household."""

    def receive(self, topic: str, payload: bytes, at_s: float) -> list[Outgoing]:
        """Act on a message; what cannot be read is answered or passed over, as the real device does."""

    def save(self) -> dict[str, Any]:
        """What it must not forget when the power goes, as JSON can hold it."""

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what ``save`` gave."""


@lru_cache(maxsize=4)  # all devices of a minute ask for the same few
def local_text(at_s: float, offset_h: float) -> str:
    """A device's local time without its zone: 2026-07-15T16:00:00."""
    zone = timezone(timedelta(hours=offset_h))
    return datetime.fromtimestamp(int(at_s), zone).isoformat()[:19]


def utc_text(at_s: float) -> str:
    """An instant with milliseconds and Z, as JavaScript prints it: 2026-07-15T08:00:00.000Z."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text_of(payload: bytes) -> str:
    """A payload as a person would have typed it; bytes that are no text become marks that no command matches."""
    return payload.decode("utf-8", errors="replace").strip()


def is_home_assistant_birth(topic: str, payload: bytes) -> bool:
    """Whether Home Assistant has just come up, and wants discovery again."""
    return topic == HOME_ASSISTANT_STATUS and payload == b"online"


HOME_ASSISTANT_STATUS = "homeassistant/status"
