"""What passes between the parts of the intake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from devices.base import Event, Message


class Received(NamedTuple):
    """A message with the instant of its receipt, decoded; exactly one of events, reason and neither."""

    at_us: int
    message: Message
    dialect: str = ""
    events: Sequence[Event] = ()
    reason: str | None = None  # why it cannot be read


class Refused(Exception):
    """A message that can be read and may not be stored; the text says why."""


@dataclass(slots=True)
class Tally:
    """What became of messages: each is stored, ignored or quarantined."""

    stored: int = 0
    ignored: int = 0  # nobody's, or with nothing in it worth keeping
    quarantined: int = 0
    reports: int = 0  # new rows
    repeats: int = 0  # reports that were there already

    def add(self, other: "Tally") -> None:
        """Count on."""
        self.stored += other.stored
        self.ignored += other.ignored
        self.quarantined += other.quarantined
        self.reports += other.reports
        self.repeats += other.repeats

    def minus(self, other: "Tally") -> "Tally":
        """What was counted since ``other``."""
        return Tally(
            self.stored - other.stored,
            self.ignored - other.ignored,
            self.quarantined - other.quarantined,
            self.reports - other.reports,
            self.repeats - other.repeats,
        )

    def counters(self) -> dict[str, int]:
        """Under the names that the database keeps."""
        return {
            "messages_stored": self.stored,
            "messages_ignored": self.ignored,
            "messages_quarantined": self.quarantined,
            "reports_stored": self.reports,
            "reports_repeated": self.repeats,
        }


@dataclass(slots=True)
class Buffered:
    """A raw message as it waits for the writer."""

    at_us: int
    message: Message
    mid: int = 0
    generation: int = 0
