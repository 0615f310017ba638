"""What makes a result of the benchmark worthless, or worth less; each check has a test that plants the offence.

A ``Finding`` that fails ends the command with a non-zero status; one that warns stands in the report.

- A baseline that was made from the observed cost: equal to it, or the same multiple of it in every home; or a run whose
  rooms took the very course of another controller's.
- A controller that saves by leaving people cold or hot: a saving in kWh with a worse J, in which discomfort has its
  price. More discomfort than the rule allows, with a better J, warns.
- A controller that reads the future: its orders change where nothing but the truth of later rows has changed
  (``reads_the_future``), it was shown the plant without leave, or its J beats the bound that perfect foresight sets.
- A weak reference: ``optimum`` behind any other, ``mpc_true`` ahead of ``optimum`` or behind ``mpc``, or a J that still
  moves by more than 0.5 % when the search is doubled. People who override make a home's course chaotic, so a move
  within two standard errors over homes only warns, as does a small one with a large error: neither is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.savings.runner import fresh
from benchmarks.savings.scoring import Bootstrap, Figures, Homes, no_more_discomfort
from benchmarks.savings.sensing import Outlook, Sensors
from benchmarks.savings.words import ROWS_PER_DECISION, Array, Controller, Orders
from simulator.world import World

INFORMED = {"mpc_true": False, "optimum": True}  # who may look into the plant, and whether the future is shown too
CONVERGED_RATIO = 0.005
NOISE = 2.0  # standard errors
SAME_RATIO = 1e-6  # spread of a ratio over homes below which it is one number
BOUND_RATIO = 0.001  # of J: what another may be better than the bound, by rounding and ties


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader of the results has to know."""

    check: str
    controller: str
    words: str
    fails: bool

    def as_text(self) -> str:
        """One line."""
        return f"{'failure' if self.fails else 'warning'}: {self.check}: {self.controller}: {self.words}"


def independent_baseline(
    name: str, theirs: Array, their_trace: Array, other_name: str, ours: Array, our_trace: Array
) -> list[Finding]:
    """Whether a baseline is a run of its own, and not the observed cost or a multiple of it.

    Parameters
    ----------
    theirs, ours : Array, shape (n,)
        Energy of the homes under the baseline, and under the controller that is held against it.
    their_trace, our_trace : Array, shape (n,)
        Fingerprints of the rooms' courses (``runner.Tally``).
    """
    used = (theirs > 0.0) & (ours > 0.0)
    if np.array_equal(their_trace, our_trace):
        words = f"its rooms took the very course of {other_name}'s: it is not a run of its own"
        return [Finding("dishonest baseline", name, words, fails=True)]
    if used.sum() < 2:
        return []
    ratio = theirs[used] / ours[used]
    if np.ptp(ratio) <= SAME_RATIO * np.mean(ratio):
        words = f"it is {np.mean(ratio):.4g} times {other_name} in every home: it was computed from the observed cost"
        return [Finding("dishonest baseline", name, words, fails=True)]
    return []


def honest_comfort(
    name: str, mine: Figures, other_name: str, other: Figures, homes: Homes, *, in_j: bool = False
) -> list[Finding]:
    """Whether what is saved is not taken from people's comfort.

    A saving ``in_j`` has discomfort in it: there, more of it only warns.
    """
    if no_more_discomfort(mine, other):
        return []
    more_kh = float(np.mean(mine.discomfort_kh) - np.mean(other.discomfort_kh))
    saves = float(np.sum(mine.energy_kwh)) < float(np.sum(other.energy_kwh))
    worse = float(np.sum(mine.j_kwh(homes))) > float(np.sum(other.j_kwh(homes)))
    words = f"{more_kh:.0f} K.h a year more discomfort than {other_name}"
    if saves and worse and not in_j:
        return [Finding("saves by discomfort", name, f"{words}, worth more than what it saves", fails=True)]
    return [Finding("more discomfort", name, words, fails=False)]


def licensed(name: str, informed: bool, foresaw: bool) -> list[Finding]:
    """Whether only those who may have looked into plant and future."""
    if informed and name not in INFORMED:
        return [Finding("reads the plant", name, "it asked for the plant, which only references may see", fails=True)]
    if foresaw and not INFORMED.get(name, False):
        return [Finding("reads the future", name, "it was shown the future, which only the bound may see", fails=True)]
    return []


def reads_the_future(
    name: str,
    make: Callable[[World], Controller],
    world: World,
    outlook: Outlook,
    from_row: int,
) -> list[Finding]:
    """Run a controller where the truth after a row is another; until then its orders must be the same.

    What is forecast is the same in both: the outlook was laid out before. Weather and presence after ``from_row`` are
    taken from elsewhere in the run.
    """
    honest = _orders(make, world, outlook, from_row)
    later = slice(from_row, None)
    skies, presence = world.skies.copy(), world.presence.copy()
    skies[later], presence[later] = skies[later][::-1], presence[later][::-1]
    changed = _orders(make, replace(world, skies=skies, presence=presence), outlook, from_row)
    for quarter, (one, other) in enumerate(zip(honest, changed, strict=True)):
        if not _same(one, other):
            words = f"its orders of quarter {quarter} depend on what happens {len(honest) - quarter} quarters later"
            return [Finding("reads the future", name, words, fails=True)]
    return []


def _orders(make: Callable[[World], Controller], world: World, outlook: Outlook, rows: int) -> list[Orders]:
    world = fresh(world)
    controller, sensors = make(world), Sensors(world, outlook)
    controller.start(sensors.known)
    given = []
    for row in range(rows):
        if row % ROWS_PER_DECISION == 0:
            given.append(controller.decide(sensors.look(row)))
        world.advance(row, follows_program=True)  # the household runs its unit: rooms are the same in both
        sensors.follow()
    return given


def _same(one: Orders, other: Orders) -> bool:
    pairs = [(one.on, other.on), (one.heating, other.heating), (one.setpoint_c, other.setpoint_c), (one.fan, other.fan)]
    return all(np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f") for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Doubled:
    """How far a reference's J moved in some homes when its search was doubled; shape (homes,)."""

    j_kwh: Array  # with the search as it is
    moved_ratio: Array  # of a home's own J; negative: the doubled search is better

    def pooled(self) -> tuple[float, float]:
        """Change of the pooled J and its standard error, both as ratios of it.

        The error is that of a ratio of sums over homes (W. Cochran, "Sampling Techniques", 3rd ed., 1977, section 2.11
        [from memory]). One home tells nothing of noise; there it is 0, and every change counts.
        """
        n, whole = self.j_kwh.size, float(np.sum(self.j_kwh))
        moved_kwh = self.moved_ratio * self.j_kwh
        ratio = float(np.sum(moved_kwh)) / whole
        if n < 2:
            return ratio, 0.0
        left_kwh = moved_kwh - ratio * self.j_kwh
        return ratio, float(np.sqrt(n / (n - 1) * np.sum(left_kwh**2))) / abs(whole)


def converged(name: str, doubled: Doubled) -> list[Finding]:
    """Whether a reference's J stays where it is when its search is doubled."""
    moved, error = doubled.pooled()
    if max(abs(moved), NOISE * error) <= CONVERGED_RATIO:
        return []
    words = (
        f"with a doubled search its J moves by {100 * moved:+.2f} %, standard error {100 * error:.2f} %"
        f" over {doubled.j_kwh.size} homes"
    )
    if abs(moved) > max(CONVERGED_RATIO, NOISE * error):
        return [Finding("weak reference", name, f"{words}: it has not converged", fails=True)]
    return [Finding("convergence not shown", name, f"{words}: too noisy for a limit of 0.5 %", fails=False)]


def sound_references(
    outcomes: Mapping[str, Figures], homes: Homes, seed: int, doubled: Mapping[str, Doubled]
) -> list[Finding]:
    """Whether ``mpc_true`` and ``optimum`` are as good as they should be."""
    findings = [finding for name, one in doubled.items() for finding in converged(name, one)]
    j_kwh = {name: figures.j_kwh(homes) for name, figures in outcomes.items()}
    if "optimum" in j_kwh:
        bound = float(np.sum(j_kwh["optimum"]))
        for name, j in j_kwh.items():
            ahead = bound - float(np.sum(j))
            if name != "optimum" and ahead > BOUND_RATIO * abs(bound):
                words = f"{name} is {100 * ahead / abs(bound):.2f} % better: it reads the future, or the bound is weak"
                findings.append(Finding("weak reference", "optimum", words, fails=True))
    if {"mpc_true", "mpc"} <= j_kwh.keys():
        behind = j_kwh["mpc_true"] - j_kwh["mpc"]
        if _beyond_noise(behind, seed):
            words = f"mpc is {np.mean(behind):.1f} kWh a year better, beyond noise"
            findings.append(Finding("weak reference", "mpc_true", words, fails=True))
    return findings


def _beyond_noise(difference: Array, seed: int) -> bool:
    """Whether a mean over homes lies above zero in 97.5 % of the draws."""
    return bool(np.percentile(Bootstrap(difference.size, seed).sums(difference), 2.5) > 0.0)
