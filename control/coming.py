"""How people come and go: as the forecast of presence says, and besides at a rate that is learned.

While presence is not as usual it becomes so again at that rate: those away return at ``churn * chance``, those home
leave at ``churn * (1 - chance)``. It is what returns and departures leave unexplained by the forecast's own rises and
falls, over the quarters of an hour in which they could have happened.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

USUAL_CHURN, CHURNS = 0.05, (0.01, 0.25)  # rate, per quarter, at which what is not as usual becomes so; and bounds
CHURN_WEIGHT = 20.0  # of the usual rate, in quarters of an hour that were not as usual; assumed
CHURN_KEPT = 0.5 ** (1.0 / (28 * 96))  # of what was counted, per quarter
SURE = 0.02  # presence is never surer than this


class Coming:
    """What one home's sensor has taught of it."""

    def __init__(self) -> None:
        self._unexplained = 0.0
        self._exposed = 0.0

    @property
    def churn(self) -> float:
        """The rate, per quarter of an hour."""
        rate = (self._unexplained + CHURN_WEIGHT * USUAL_CHURN) / (self._exposed + CHURN_WEIGHT)
        return min(max(rate, CHURNS[0]), CHURNS[1])

    def learn(self, before: float, after: float, was_home: bool, is_home: bool) -> None:
        """Take in a quarter of an hour: the chance of presence at its beginning and end, and who was home."""
        sure, change = min(max(before, SURE), 1.0 - SURE), after - before
        expected = max(-change, 0.0) / sure if was_home else max(change, 0.0) / (1.0 - sure)
        self._unexplained = CHURN_KEPT * self._unexplained + float(was_home != is_home) - min(expected, 1.0)
        self._exposed = CHURN_KEPT * self._exposed + ((1.0 - sure) if was_home else sure)

    def ahead(self, here: float, usual: Array) -> Array:
        """Chance that somebody is home at each quarter of an hour, from who is there now; shape (quarters,).

        Parameters
        ----------
        here : float
            Chance that somebody is home now.
        usual : Array, shape (quarters,)
            The same by habit, now and at each quarter of an hour after.
        """
        sure = np.clip(usual, SURE, 1.0 - SURE)
        before, change = sure[:-1], np.diff(sure)
        returns = np.minimum(np.maximum(change, 0.0) / (1.0 - before) + self.churn * before, 1.0)
        leaves = np.minimum(np.maximum(-change, 0.0) / before + self.churn * (1.0 - before), 1.0)
        chances = [here]
        for coming, leaving in zip(returns.tolist(), leaves.tolist(), strict=True):
            chances.append(chances[-1] * (1.0 - leaving) + (1.0 - chances[-1]) * coming)
        return np.array(chances)
