"""The setpoint policy as it serves: a situation in, a wish out; the guard has the last word."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigurationError
from core.words import Fan, Mode
from models.features import ACTION, POLICY, Raw, choose, encode, policy_raw, situation_arrays
from models.loading import WEIGHTS, open_network
from models.words import RoomSituation, Wish


class SetpointPolicy:
    """The trained actor and its card."""

    def __init__(self, path: Path) -> None:
        """Open a network.

        Raises
        ------
        ConfigurationError
            The file is missing, unreadable, or was trained on features or actions that differ.
        """
        self._session, self.card = open_network(path, {"observation": POLICY})
        if self.card.get("action") != ACTION:
            raise ConfigurationError(
                f"{path.name} was trained on other actions: {ACTION} here, {self.card.get('action')} there"
            )

    @classmethod
    def load(cls) -> "SetpointPolicy":
        """The network that ships with the project."""
        return cls(WEIGHTS / "policy.onnx")

    def act(self, situation: RoomSituation) -> Wish:
        """What the policy wants for the next 15 minutes."""
        return self.act_many([situation])[0]

    def act_many(self, situations: Sequence[RoomSituation]) -> list[Wish]:
        """``act`` of several rooms in one call of the network."""
        if not situations:
            return []
        on, heating, setpoint_c = self.act_arrays(situation_arrays(situations))
        return [
            Wish(True, Mode.HEAT if heats else Mode.COOL, float(wanted_c), Fan.AUTO)
            if runs
            else Wish(False, None, None, Fan.AUTO)
            for runs, heats, wanted_c in zip(on, heating, setpoint_c, strict=True)
        ]

    def act_arrays(self, arrays: Raw) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """What the policy wants of many rooms, as ``situation_arrays`` has them: on, heating, and setpoints. [°C]"""
        (action,) = self._session.run(None, {"observation": encode(POLICY, policy_raw(arrays))})
        on, heating, setpoint_c = choose(action[:, 0].astype(np.float64), arrays)
        return on, heating, np.round(setpoint_c, 2)
