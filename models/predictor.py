"""The room predictor as it serves: one small step a room every five minutes, memory handed in and out.

Usage::

    predictor = RoomPredictor.load()
    state = predictor.initial_state()
    state, outlook = predictor.step(state, moment)  # every 5 minutes
    _, colder = predictor.step(state_before, replace(moment, planned_setpoint_c=(24.0,) * 6))  # what if

The plan does not enter the memory, so any number of what-ifs may be asked of one state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.features import AHEAD, PAST, UNKNOWN_TEMPERATURE_C, Raw, ahead_raw, encode, past_raw
from models.loading import WEIGHTS, open_network
from models.words import HORIZONS_S, Outlook, RoomMoment

STATE_DIGITS = 5

Floats = NDArray[np.float32]
Memory = tuple[Floats, Floats]


class Expected(NamedTuple):
    """What the network expects of n rooms; shape (n, horizons) each."""

    temperature_c: Floats
    spread_k: Floats
    energy_kwh: Floats

    def outlooks(self) -> list[Outlook]:
        """The same, room by room."""
        return [
            Outlook(HORIZONS_S, tuple(mean), tuple(spread), tuple(energy))
            for mean, spread, energy in zip(*(part.tolist() for part in self), strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class PredictorState:
    """What the predictor remembers of one room."""

    hidden: Floats  # shape (hidden,); the same below
    cell: Floats
    last_temperature_c: float | None  # the newest reading; None until there was one
    steps: int  # taken so far

    def to_json(self) -> dict[str, object]:
        """As JSON can hold it, about 1 kB."""
        return {
            "hidden": self.hidden.astype(np.float64).round(STATE_DIGITS).tolist(),
            "cell": self.cell.astype(np.float64).round(STATE_DIGITS).tolist(),
            "last_temperature_c": self.last_temperature_c,
            "steps": self.steps,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PredictorState":
        """The state of ``to_json``.

        Raises
        ------
        ValueError
            The values are not such a state.
        """
        try:
            hidden, cell = (np.array(values[name], dtype=np.float32) for name in ("hidden", "cell"))
            last_c = values["last_temperature_c"]
            state = cls(hidden, cell, None if last_c is None else float(last_c), int(values["steps"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the state of a room predictor: {error!r}") from error
        if hidden.ndim != 1 or hidden.shape != cell.shape:
            raise ValueError(f"expected as many hidden values as cells, got {hidden.shape} and {cell.shape}")
        return state


class RoomPredictor:
    """The trained network and its card."""

    def __init__(self, path: Path) -> None:
        """Open a network.

        Raises
        ------
        ConfigurationError
            The file is missing, unreadable, or was trained on features that differ.
        """
        self._session, self.card = open_network(path, {"past": PAST, "ahead": AHEAD})
        self.hidden = int(self.card["hidden"])

    @classmethod
    def load(cls) -> "RoomPredictor":
        """The network that ships with the project."""
        return cls(WEIGHTS / "predictor.onnx")

    def initial_state(self) -> PredictorState:
        """Nothing known of the room."""
        zeros = np.zeros(self.hidden, dtype=np.float32)
        return PredictorState(zeros, zeros, None, 0)

    def accepts(self, state: PredictorState) -> bool:
        """Whether a stored state is of this network's size; otherwise start from ``initial_state``."""
        return len(state.hidden) == self.hidden

    def step(self, state: PredictorState, moment: RoomMoment) -> tuple[PredictorState, Outlook]:
        """Take in one step of one room and look ahead; the state is not changed."""
        states, outlooks = self.step_many([state], [moment])
        return states[0], outlooks[0]

    def step_many(
        self, states: Sequence[PredictorState], moments: Sequence[RoomMoment]
    ) -> tuple[list[PredictorState], list[Outlook]]:
        """``step`` of several rooms in one call of the network; raises as ``look_ahead``."""
        after, expected = self.look_ahead(states, moments)
        return after, expected.outlooks()

    def look_ahead(
        self, states: Sequence[PredictorState], moments: Sequence[RoomMoment]
    ) -> tuple[list[PredictorState], Expected]:
        """``step_many`` whose outlooks stay arrays.

        Raises
        ------
        ValueError
            Not one state for each moment, or a state of another network.
        """
        if len(states) != len(moments):
            raise ValueError(f"expected a state for each moment, got {len(states)} and {len(moments)}")
        if not moments:
            nothing = np.zeros((0, len(HORIZONS_S)), dtype=np.float32)
            return [], Expected(nothing, nothing, nothing)
        if not all(self.accepts(state) for state in states):
            raise ValueError(f"expected states of {self.hidden} values")
        last_c = np.array([_newest(state, moment) for state, moment in zip(states, moments, strict=True)])
        hidden, cell = np.stack([state.hidden for state in states]), np.stack([state.cell for state in states])
        expected, (hidden, cell) = self.step_arrays(
            (hidden, cell), past_raw(moments, last_c), ahead_raw(moments, last_c)
        )
        after = [
            PredictorState(
                hidden[i],
                cell[i],
                state.last_temperature_c if moment.room_temperature_c is None else moment.room_temperature_c,
                state.steps + 1,
            )
            for i, (state, moment) in enumerate(zip(states, moments, strict=True))
        ]
        return after, Expected(*expected)

    def step_arrays(self, memory: Memory, past: Raw, ahead: Raw) -> tuple[tuple[Floats, Floats, Floats], Memory]:
        """``step`` of many rooms whose values are at hand as arrays, by the names of ``models.features``.

        Parameters
        ----------
        memory : pair of arrays, shape (n, hidden)
            Hidden and cell; zeros at first.

        Returns
        -------
        tuple of (temperature [°C], its spread [K], energy [kWh]; each (n, horizons)) and the memory after the step
        """
        last_c = np.asarray(past["last_temperature_c"], dtype=np.float32)[:, np.newaxis]
        return self.step_encoded(memory, encode(PAST, past), encode(AHEAD, ahead), last_c)

    def step_encoded(
        self, memory: Memory, past: Floats, ahead: Floats, last_c: Floats
    ) -> tuple[tuple[Floats, Floats, Floats], Memory]:
        """``step_arrays`` of values that ``models.features.encode`` has been through; ``last_c`` has shape (n, 1)."""
        inputs = {
            "past": past,
            "ahead": ahead,
            "last_temperature_c": last_c,
            "hidden": memory[0],
            "cell": memory[1],
        }
        temperature_c, spread_k, energy_kwh, hidden, cell = self._session.run(None, inputs)
        return (temperature_c, spread_k, energy_kwh), (hidden, cell)


def _newest(state: PredictorState, moment: RoomMoment) -> float:
    for value_c in (moment.room_temperature_c, state.last_temperature_c):
        if value_c is not None:
            return value_c
    return UNKNOWN_TEMPERATURE_C
