"""What is wished for a room: by the trained policy, or, where there is none, by a plain rule that says so.

The rule is the one that any learned policy has to beat: hold the edge of comfort while somebody is in, off when away,
start in time before the forecast return.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from control.guard import OCCUPIED_RATIO, WishSource
from core.errors import ConfigurationError
from core.logging import get_logger
from core.words import Fan, Mode
from models.words import RoomSituation, Wish
from storage.repositories.learned import Season

if TYPE_CHECKING:
    from models.policy import SetpointPolicy

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A situation in which policy or rule are asked."""

    situation: RoomSituation
    season: Season
    returning_now: bool  # somebody is expected back within the time that the room takes to become comfortable


class Wishes:
    """The policy that ships with the project, or the rule; both only where a room has no plan yet.

    Attributes
    ----------
    plans : bool
        Whether rooms are planned.
    """

    plans: bool = True

    def __init__(self) -> None:
        self._policy: SetpointPolicy | None = None
        self._tried = False

    @property
    def policy(self) -> "SetpointPolicy | None":
        """The trained policy; None without one, which is logged once."""
        if not self._tried:
            self._tried = True
            try:
                from models.policy import SetpointPolicy

                self._policy = SetpointPolicy.load()
            except (ImportError, ConfigurationError) as error:
                log.warning("no_policy", reason=str(error))
        return self._policy

    def choose(self, situation: RoomSituation, season: Season, *, returning_now: bool) -> tuple[Wish, WishSource]:
        """What to do in a situation, and by whom."""
        return self.choose_many([Asked(situation, season, returning_now)])[0]

    def choose_many(self, asked: Sequence[Asked]) -> list[tuple[Wish, WishSource]]:
        """What to do in some situations, and by whom."""
        if self.policy is not None:
            wishes = self.policy.act_many([one.situation for one in asked])
            return [(wish, WishSource.POLICY) for wish in wishes]
        return [(by_rule(one.situation, one.season, returning_now=one.returning_now), WishSource.RULE) for one in asked]


def by_rule(situation: RoomSituation, season: Season, *, returning_now: bool) -> Wish:
    """Hold the edge of comfort while somebody is in or about to return; otherwise off."""
    cooling = season == Season.COOLING
    edge_c = situation.comfort_high_c if cooling else situation.comfort_low_c
    needed = situation.occupied >= OCCUPIED_RATIO or returning_now
    beyond_k = situation.room_temperature_c - edge_c if cooling else edge_c - situation.room_temperature_c
    # a unit that runs holds its edge by itself; one that is off starts only when the room has passed it
    if not needed or (not situation.on and beyond_k <= 0.0):
        return Wish(False, None, None, Fan.AUTO)
    return Wish(True, Mode.COOL if cooling else Mode.HEAT, edge_c, Fan.AUTO)
