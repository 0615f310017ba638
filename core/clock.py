"""The one clock of all parts: simulated time runs ``factor`` times as fast as wall time.

Commands, staleness, "today" and history follow it; HTTP, tokens and sockets live on wall time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as every part of one installation sees it.

    Parameters
    ----------
    epoch : datetime
        The project's time at the wall time ``anchor``. Aware.
    factor : float
        Project seconds per wall second, above 0.
    anchor : datetime
        Wall time that belongs to ``epoch``. Aware.
    """

    epoch: datetime
    factor: float
    anchor: datetime

    @classmethod
    def real(cls) -> "Clock":
        """Wall time itself."""
        now = datetime.now(UTC)
        return cls(now, 1.0, now)

    @classmethod
    def starting_at(cls, epoch: datetime, factor: float) -> "Clock":
        """A clock that shows ``epoch`` now and runs ``factor`` times as fast as the wall's."""
        return cls(epoch.astimezone(UTC), factor, datetime.now(UTC))

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.epoch + (datetime.now(UTC) - self.anchor) * self.factor

    def to_text(self) -> str:
        """One word that ``from_text`` reads, for a child process's command line."""
        return f"{self.epoch.isoformat()}|{self.factor!r}|{self.anchor.isoformat()}"

    @classmethod
    def from_text(cls, text: str) -> "Clock":
        """The clock of ``to_text``.

        Raises
        ------
        ValueError
            The text is not such a word.
        """
        try:
            epoch, factor, anchor = text.split("|")
            return cls(datetime.fromisoformat(epoch), float(factor), datetime.fromisoformat(anchor))
        except ValueError as error:
            raise ValueError(f"expected EPOCH|FACTOR|ANCHOR of a clock, got {text!r}") from error
