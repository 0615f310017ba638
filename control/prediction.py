"""The room predictor at work: loaded once, stepped every five minutes, and held to what it said.

What the network says is corrected by what the room itself taught (``models.correction``). Beside it runs a two-node
physical model of the room, fitted to its last week once a day; where that one has been better over the last day or two,
its outlook is the one that counts.

Kept in ``learned`` (scope ``room``): ``predictor``, the network's memory of the room; ``correction``, what the room
taught; ``predictor_error``::

    {"version": 1, "by": "lstm" or "rc", "lstm": ERROR, "rc": ERROR}

    ERROR = {"mae_k": {horizon in s: rolling mean absolute error}, "count": {horizon in s: predictions judged}}

where ``lstm`` is the network with its correction.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ConfigurationError
from core.logging import get_logger
from models.words import HORIZONS_S, Outlook, RoomMoment

if TYPE_CHECKING:
    from models.correction import Correction, Corrections
    from models.predictor import Expected, PredictorState, RoomPredictor
    from models.rc import RcModel

log = get_logger(__name__)

ROLLING = 200  # predictions over which the rolling error is taken
QUARTER_S = 900
PAST_STEP_S = 890.0  # a little less than a quarter of an hour, so that a late step is not missed
PAST_MOMENTS = 7 * 96
LEAST_PAST_MOMENTS = 96  # which cannot span the day that a fit takes
REFIT_EVERY, RETRY_AFTER = timedelta(days=1), timedelta(hours=1)
JUDGED_HORIZONS_S = (3600, 7200, 21_600)
_NOTHING = (float("nan"),) * len(HORIZONS_S)
JUDGED_OFTEN = 48  # predictions, before one model may take over from the other


@dataclass(slots=True)
class RollingError:
    """How far the predictions of a room were off, by horizon."""

    mae_k: dict[int, float] = field(default_factory=dict)
    count: dict[int, int] = field(default_factory=dict)
    _due: dict[int, deque[tuple[float, float]]] = field(default_factory=dict)  # by horizon: when [s since 1970], what

    def expect(self, at: datetime, outlook: Outlook) -> None:
        """Note a prediction, to be judged when its time comes."""
        at_s = at.timestamp()
        for horizon_s, temperature_c in zip(outlook.horizons_s, outlook.temperature_c, strict=True):
            due = self._due.get(horizon_s)
            if due is None:
                due = self._due[horizon_s] = deque()
            due.append((at_s + horizon_s, temperature_c))

    def judge(self, now: datetime, room_temperature_c: float | None, tolerance_s: float) -> None:
        """Compare what was expected for now with what is; an expectation whose time passed unseen is dropped."""
        now_s = now.timestamp()
        for horizon_s, due in self._due.items():
            while due and due[0][0] <= now_s:
                at_s, expected_c = due.popleft()
                if room_temperature_c is None or now_s - at_s > tolerance_s:
                    continue
                count = self.count.get(horizon_s, 0) + 1
                before = self.mae_k.get(horizon_s, 0.0)
                self.mae_k[horizon_s] = before + (abs(expected_c - room_temperature_c) - before) / min(count, ROLLING)
                self.count[horizon_s] = count

    def to_json(self) -> dict[str, Any]:
        """ERROR of this module's docstring."""
        mae_k = {str(horizon): round(value, 3) for horizon, value in self.mae_k.items()}
        return {"mae_k": mae_k, "count": {str(horizon): n for horizon, n in self.count.items()}}

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
        self._corrections: Corrections | None = None

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

    def restore_correction(self, value: Mapping[str, Any] | None) -> "Correction | None":
        """What a room taught, as it was kept, or nothing yet where it does not fit; None without a network."""
        if self.network is None:
            return None
        from models.correction import Correction

        if value is not None:
            try:
                return Correction.from_json(value, self.corrections)
            except ValueError as error:
                log.warning("correction_unreadable", reason=str(error))
        return Correction(self.corrections)

    @property
    def corrections(self) -> "Corrections":
        """What the rooms of this predictor taught; only where there is a network."""
        if self._corrections is None:
            from models.correction import Corrections

            self._corrections = Corrections()
        return self._corrections

    def step_many(
        self, states: Sequence["PredictorState"], moments: Sequence[RoomMoment]
    ) -> tuple[list["PredictorState"], list[Outlook]]:
        """Take in one step of each of some rooms and look ahead."""
        assert self.network is not None
        return self.network.step_many(states, moments)

    def look_ahead(
        self, states: Sequence["PredictorState"], moments: Sequence[RoomMoment]
    ) -> tuple[list["PredictorState"], "Expected"]:
        """``step_many`` whose outlooks stay arrays."""
        assert self.network is not None
        return self.network.look_ahead(states, moments)


@dataclass(slots=True)
class RoomForecast:
    """Everything that expects something of one room."""

    state: "PredictorState | None" = None  # None: there is no network
    correction: "Correction | None" = None  # None: there is no network, or nothing was looked at yet
    error: RollingError = field(default_factory=RollingError)  # of the network with its correction
    physics: "RcModel | None" = None  # None: not enough history yet
    physics_error: RollingError = field(default_factory=RollingError)
    past: deque[RoomMoment] = field(default_factory=lambda: deque(maxlen=PAST_MOMENTS))
    fitted_at: datetime | None = None
    outlook: Outlook | None = None
    by: str | None = None  # whose outlook it is: lstm (corrected), rc
    alone: Outlook | None = None  # of the network without its correction
    physical: Outlook | None = None  # of the two-node model; once a quarter of an hour, because it steps through a day
    _quarter: int | None = None  # of ``physical``, since 1970

    def step(self, predictor: Predictor, moment: RoomMoment) -> None:
        """Judge what was expected for now, take in what is, and look ahead."""
        step_many(predictor, [self], [moment])

    def take_in(self, moment: RoomMoment) -> None:
        """Judge what was expected for now, and take in what is, all but the network's step."""
        tolerance_s = 2.0 * moment.step_s
        self.error.judge(moment.at, moment.room_temperature_c, tolerance_s)
        self.physics_error.judge(moment.at, moment.room_temperature_c, tolerance_s)
        self.remember(moment)
        if self.fitted_at is None or moment.at - self.fitted_at >= REFIT_EVERY:
            self._fit(moment.at)
        if self.physics is not None:
            self.physics = self.physics.follow(moment)

    def look_by_physics(self, moment: RoomMoment) -> Outlook | None:
        """What the two-node model expects, where a new quarter of an hour has begun."""
        quarter = int(moment.at.timestamp() // QUARTER_S)
        if quarter == self._quarter or self.physics is None:
            return None
        self._quarter = quarter
        self.physical = self.physics.outlook(moment)
        return self.physical

    def choose(self, moment: RoomMoment, learned: Outlook | None, physical: Outlook | None) -> None:
        """Note what both models expect, and take the outlook of the better one."""
        if moment.room_temperature_c is not None:
            for error, outlook in ((self.error, learned), (self.physics_error, physical)):
                if outlook is not None:
                    error.expect(moment.at, outlook)
        physics_leads = learned is None or (self.physical is not None and self._physics_is_better())
        self.outlook = self.physical if physics_leads else learned
        self.by = None if self.outlook is None else "rc" if physics_leads else "lstm"

    def remember(self, moment: RoomMoment) -> None:
        """Keep a moment for the physical model's next fit, one every quarter of an hour."""
        if not self.past or (moment.at - self.past[-1].at).total_seconds() >= PAST_STEP_S:
            self.past.append(moment)

    def to_json(self) -> dict[str, Any]:
        """The shape of ``predictor_error`` in this module's docstring."""
        return {"version": 1, "by": self.by, "lstm": self.error.to_json(), "rc": self.physics_error.to_json()}

    def _fit(self, now: datetime) -> None:
        from models.rc import NotEnoughHistory, fit

        self.fitted_at = now - REFIT_EVERY + RETRY_AFTER
        if len(self.past) <= LEAST_PAST_MOMENTS:
            return
        try:
            self.physics, self.fitted_at = fit(list(self.past)), now
        except NotEnoughHistory as why:
            log.info("room_not_fitted_yet", reason=str(why))

    def _physics_is_better(self) -> bool:
        """Over the horizons at which both were judged often enough."""
        both = [
            horizon_s
            for horizon_s in JUDGED_HORIZONS_S
            if min(self.error.count.get(horizon_s, 0), self.physics_error.count.get(horizon_s, 0)) >= JUDGED_OFTEN
        ]
        learned_k = sum(self.error.mae_k[horizon_s] for horizon_s in both)
        physical_k = sum(self.physics_error.mae_k[horizon_s] for horizon_s in both)
        return bool(both) and physical_k < learned_k


def step_many(predictor: Predictor, forecasts: Sequence[RoomForecast], moments: Sequence[RoomMoment]) -> None:
    """A step of several rooms, in one call of the network."""
    for forecast, moment in zip(forecasts, moments, strict=True):
        forecast.take_in(moment)
    physical = [forecast.look_by_physics(moment) for forecast, moment in zip(forecasts, moments, strict=True)]
    learned: list[Outlook | None] = [None] * len(forecasts)
    networked = [i for i, forecast in enumerate(forecasts) if forecast.state is not None]
    if networked:
        found = _learned(predictor, [forecasts[i] for i in networked], [moments[i] for i in networked])
        for i, outlook in zip(networked, found, strict=True):
            learned[i] = outlook
    for i, forecast in enumerate(forecasts):
        forecast.choose(moments[i], learned[i], physical[i])


def _learned(
    predictor: Predictor, forecasts: Sequence[RoomForecast], moments: Sequence[RoomMoment]
) -> Sequence[Outlook]:
    """What the network expects as its rooms correct it."""
    from models.correction import NINETY
    from models.predictor import Expected
    from models.readings import readings_of

    states, alone = predictor.look_ahead([one.state for one in forecasts if one.state is not None], moments)
    for forecast, state, outlook in zip(forecasts, states, alone.outlooks(), strict=True):
        forecast.state, forecast.alone = state, outlook
        forecast.correction = forecast.correction or predictor.restore_correction(None)
    corrections, now = predictor.corrections, readings_of(moments)
    places = np.array([one.correction.place for one in forecasts if one.correction is not None])
    due = corrections.due(places, now.slot)
    if due.any():
        physical_c = np.array([_NOTHING if one.physical is None else one.physical.temperature_c for one in forecasts])
        expected = (alone.temperature_c.astype(np.float64), alone.spread_k.astype(np.float64), physical_c)
        some = (values[due] for values in expected)
        corrections.step(places[due], now.of(due), *some)
    corrected_c = alone.temperature_c + corrections.shift_k[places]
    spread_k = alone.spread_k * (corrections.factor[places] / NINETY)
    return Expected(corrected_c, spread_k, alone.energy_kwh).outlooks()


@lru_cache(maxsize=1)
def slices_s() -> tuple[tuple[float, float], ...]:
    """From which to which time from now each horizon's mean runs: from the horizon before it. [s]"""
    return tuple(zip((0, *HORIZONS_S[:-1]), HORIZONS_S, strict=True))
