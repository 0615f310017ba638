"""Whether switching off while nobody is in saves energy in this room: learned from its own absences, never assumed.

A room that was left alone has to be brought back, and there are units that do that so badly that holding the room
would have been cheaper. So a few absences are held instead, and what each used, from the leaving until the room has
recovered, is compared. With E the metered energy of that span, D its degree hours outdoors beyond the edge that the
unit defends, h the hours of absence and s = 1 where the room was held::

    ln(E + E_0) = a + b ln(D + D_0) + s (c + d ln(h / 8)) + noise

c is the logarithm of the ratio of a held absence of eight hours to one that was not; d lets a short absence differ from
a long one. The four are believed with a normal-inverse-gamma distribution (A. Gelman et al., Bayesian Data Analysis,
3.2 and 14): the prior leans a little towards leaving the room alone. Older absences fade, because rooms and units
change.

An absence is held with the probability that this is the cheaper way (W. Thompson, Biometrika 25, 1933), and two in
five while only one or two were (as held ones fade, one is tried again from time to time): belief alone cannot know what
was never tried. So a room that is cheaper to leave alone
is soon hardly ever held, and a room with the wrong sign is held nearly always.

Kept in ``learned`` (scope ``room``, name ``setback``)::

    {"version": 1, "xx": [[4 x 4]], "xy": [4], "yy": ..., "count": ..., "held": ...}        sums over absences
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_H, LONGEST_H = 1.0, 24.0  # absences that tell something, and for which a room may be held
USUAL_H = 8.0
RECOVERY_H = 3.0  # after the return, in which the room is still paid for
LEAST_RECOVERY_H = 1.5  # if people leave again
E_0_KWH, D_0_KH = 0.1, 5.0  # an absence that took nothing has no logarithm
KEPT = 0.99  # of the weight of an absence when the next one is learned: half in 69
LEAST_HELD, EXPLORED = 2.5, 0.4  # weight of held absences below which this share of absences is held at least
# of a, b, c, d; all assumed: c is nearly even, because a unit decides its sign, and wide
PRIOR_MEAN = np.array([math.log(0.05), 0.8, 0.05, 0.1])
PRIOR_DEVIATION = np.array([1.5, 0.4, 0.3, 0.1])
NOISE_DEVIATION, NOISE_WEIGHT = 0.1, 4.0  # of one absence, and how many absences that belief weighs


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence and the recovery after it."""

    held: bool
    hours: float  # nobody was in
    degree_hours: float  # of the whole span, beyond the edge that the unit defends [K h]
    energy_kwh: float  # of the whole span


@dataclass(frozen=True, slots=True)
class Setback:
    """What a room's absences have taught; a new value for each."""

    xx: Array = field(default_factory=lambda: np.zeros((4, 4)))
    xy: Array = field(default_factory=lambda: np.zeros(4))
    yy: float = 0.0
    count: float = 0.0
    held: float = 0.0

    def learn(self, absence: Absence) -> "Setback":
        """Take in an absence; one that is too short or too long to tell anything is left out."""
        if not LEAST_H <= absence.hours <= LONGEST_H or absence.energy_kwh < 0.0 or absence.degree_hours < 0.0:
            return self
        x = _features(absence.held, absence.hours, absence.degree_hours)
        y = math.log(absence.energy_kwh + E_0_KWH)
        return Setback(
            KEPT * self.xx + np.outer(x, x),
            KEPT * self.xy + x * y,
            KEPT * self.yy + y * y,
            KEPT * self.count + 1.0,
            KEPT * self.held + float(absence.held),
        )

    def ratio(self, hours: float) -> tuple[float, float]:
        """Logarithm of what a held absence takes over what one takes that is not: mean and deviation."""
        prior = np.diag(PRIOR_DEVIATION**-2.0)
        # the noise scales the regression's precision; the prior's is of the parameters themselves
        precision = prior * NOISE_DEVIATION**2 + self.xx
        mean = np.linalg.solve(precision, prior @ PRIOR_MEAN * NOISE_DEVIATION**2 + self.xy)
        squares = (
            NOISE_WEIGHT * NOISE_DEVIATION**2
            + self.yy
            + float(PRIOR_MEAN @ prior @ PRIOR_MEAN) * NOISE_DEVIATION**2
            - float(mean @ precision @ mean)
        )
        noise2 = max(squares, 1e-9) / (NOISE_WEIGHT + self.count)
        effect = np.array([0.0, 0.0, 1.0, _length(hours)])
        return float(effect @ mean), math.sqrt(noise2 * float(effect @ np.linalg.solve(precision, effect)))

    def held_is_cheaper(self, hours: float) -> float:
        """How likely it is that holding an absence of some hours takes less than leaving the room alone; 0..1."""
        mean, deviation = self.ratio(hours)
        return 0.5 * math.erfc(mean / (deviation * math.sqrt(2.0)))

    def choose(self, hours: float | None, rng: np.random.Generator) -> bool:
        """Whether to hold the room through an absence that begins; never one of which no end is in sight."""
        if hours is None or not LEAST_H <= hours <= LONGEST_H:
            return False
        chance = self.held_is_cheaper(hours)
        if self.held < LEAST_HELD:
            chance = max(chance, EXPLORED)
        return bool(rng.random() < chance)

    def to_json(self) -> dict[str, Any]:
        """The shape of this module's docstring."""
        return {
            "version": 1,
            "xx": self.xx.tolist(),
            "xy": self.xy.tolist(),
            "yy": self.yy,
            "count": self.count,
            "held": self.held,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Setback":
        """What ``to_json`` kept.

        Raises
        ------
        ValueError
            The values are no such sums.
        """
        if value is None:
            return cls()
        xx, xy = np.array(value["xx"], dtype=np.float64), np.array(value["xy"], dtype=np.float64)
        rest = [float(value[name]) for name in ("yy", "count", "held")]
        if xx.shape != (4, 4) or xy.shape != (4,) or not np.isfinite([*xx.ravel(), *xy, *rest]).all():
            raise ValueError(f"expected sums of four features, got shapes {xx.shape} and {xy.shape}")
        return cls(xx, xy, *rest)


def _features(held: bool, hours: float, degree_hours: float) -> Array:
    return np.array([1.0, math.log(degree_hours + D_0_KH), float(held), held * _length(hours)])


def _length(hours: float) -> float:
    return math.log(hours / USUAL_H)
