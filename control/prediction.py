"""The room predictor at work: loaded once, stepped every five minutes, and held to what it said.

Kept in ``learned`` (scope ``room``): ``predictor``, the network's memory of the room; ``predictor_error``::

    {"version": 1, "mae_k": {horizon in s: rolling mean absolute error}, "count": {horizon in s: predictions judged}}
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.errors import ConfigurationError
from core.logging import get_logger
from models.words import HORIZONS_S, Outlook, RoomMoment

if TYPE_CHECKING:
    from models.predictor import PredictorState, RoomPredictor

log = get_logger(__name__)

ROLLING = 200  # predictions over which the rolling error is taken


@dataclass(slots=True)
class RollingError:
    """How far the predictions of a room were off, by horizon."""

    mae_k: dict[int, float] = field(default_factory=dict)
    count: dict[int, int] = field(default_factory=dict)
    _due: dict[int, deque[tuple[datetime, float]]] = field(default_factory=dict)

    def expect(self, at: datetime, outlook: Outlook) -> None:
        """Note a prediction, to be judged when its time comes."""
        for horizon_s, temperature_c in zip(outlook.horizons_s, outlook.temperature_c, strict=True):
            self._due.setdefault(horizon_s, deque()).append((at + timedelta(seconds=horizon_s), temperature_c))

    def judge(self, now: datetime, room_temperature_c: float | None, tolerance_s: float) -> None:
        """Compare what was expected for now with what is; an expectation whose time passed unseen is dropped."""
        for horizon_s, due in self._due.items():
            while due and due[0][0] <= now:
                at, expected_c = due.popleft()
                if room_temperature_c is None or (now - at).total_seconds() > tolerance_s:
                    continue
                count = self.count.get(horizon_s, 0) + 1
                before = self.mae_k.get(horizon_s, 0.0)
                self.mae_k[horizon_s] = before + (abs(expected_c - room_temperature_c) - before) / min(count, ROLLING)
                self.count[horizon_s] = count

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        mae_k = {str(horizon): round(value, 3) for horizon, value in self.mae_k.items()}
        return {"version": 1, "mae_k": mae_k, "count": {str(horizon): n for horizon, n in self.count.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "RollingError":
        """The error of ``to_json``; what was expected before a restart is not judged."""
        value = value or {}
        return cls(
            {int(horizon): mae for horizon, mae in value.get("mae_k", {}).items()},
            {int(horizon): n for horizon, n in value.get("count", {}).items()},
        )


class Predictor:
    """The network that ships with the project, or nothing where there is none."""

    def __init__(self) -> None:
        self._network: RoomPredictor | None = None
        self._tried = False

    @property
    def network(self) -> "RoomPredictor | None":
        """The network; None without one, which is logged once."""
        if not self._tried:
            self._tried = True
            try:
                from models.predictor import RoomPredictor

                self._network = RoomPredictor.load()
            except (ImportError, ConfigurationError) as error:
                log.warning("no_room_predictor", reason=str(error))
        return self._network

    def restore(self, value: Mapping[str, Any] | None) -> "PredictorState | None":
        """A room's memory as it was kept, or a fresh one where it does not fit; None without a network."""
        if self.network is None:
            return None
        if value is not None:
            from models.predictor import PredictorState

            try:
                state = PredictorState.from_json(value)
            except ValueError as error:
                log.warning("predictor_state_unreadable", reason=str(error))
            else:
                if self.network.accepts(state):
                    return state
        return self.network.initial_state()

    def step(self, state: "PredictorState", moment: RoomMoment) -> tuple["PredictorState", Outlook]:
        """Take in one step of a room and look ahead."""
        assert self.network is not None
        return self.network.step(state, moment)


def slices_s() -> tuple[tuple[float, float], ...]:
    """From which to which time from now each horizon's mean runs: from the horizon before it. [s]"""
    return tuple(zip((0, *HORIZONS_S[:-1]), HORIZONS_S, strict=True))
