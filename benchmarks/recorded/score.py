"""Mean absolute errors side by side, and how sure their ratio is."""

import numpy as np
from numpy.typing import NDArray

from models.features import horizon_label
from models.words import HORIZONS_S

Array = NDArray[np.float64]

LABELS = tuple(map(horizon_label, HORIZONS_S))
DRAWS = 2000
LIMITS_PCT = (5.0, 95.0)


def block_bootstrap(miss_k: Array, others_k: Array, block: NDArray[np.int64], seed: int) -> tuple[float, float, float]:
    """Ratio of an error to the least of others, and its one-sided 95 % limits by a paired block bootstrap.

    Blocks (a day of a record, a room) are drawn with replacement, the same for all; in each draw the best of the others
    is chosen anew, since which of them is best is as unsure as by how much.

    Parameters
    ----------
    miss_k : Array, shape (moments,)
        Absolute errors. [K]
    others_k : Array, shape (moments, others)
        Absolute errors of the others at the same moments. [K]
    block : Array, shape (moments,)
        To which block each moment belongs.
    """
    _, place = np.unique(block, return_inverse=True)
    blocks = int(place.max()) + 1
    sums = np.zeros((blocks, 1 + others_k.shape[1]))
    np.add.at(sums, place, np.column_stack([miss_k, others_k]))
    total = sums.sum(axis=0)
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=DRAWS) @ sums
    ratios = drawn[:, 0] / drawn[:, 1:].min(axis=1)
    lower, upper = np.percentile(ratios, LIMITS_PCT)
    return float(total[0] / total[1:].min()), float(lower), float(upper)
