"""The trained actor as it serves: what a plan was made for goes in, how the plan is corrected comes out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.features import ACTOR, Raw, encode
from models.loading import WEIGHTS, open_network


class PlanActor:
    """The actor and its card."""

    def __init__(self, path: Path) -> None:
        """Open a network.

        Raises
        ------
        ConfigurationError
            The file is missing, unreadable, or was trained on features that differ.
        """
        self._session, self.card = open_network(path, {"observation": ACTOR})

    @classmethod
    def load(cls) -> "PlanActor":
        """The network that ships with the project."""
        return cls(WEIGHTS / "actor.onnx")

    def act(self, raw: Raw) -> NDArray[np.float32]:
        """Corrections of n plans, shape (n, 2), -1..1; see ``control.correcting.apply``."""
        action: NDArray[np.float32] = self._session.run(None, {"observation": encode(ACTOR, raw)})[0]
        return action
