"""What is wished for a room that has no plan to follow, because it is too young or its plan is too old.

The rule is the one that every table of savings holds plans against: hold the edge of comfort while somebody is in, off
when away, start in time before the forecast return.
"""

from control.guard import OCCUPIED_RATIO
from control.situations import RoomView
from core.words import Fan, Mode
from models.words import Wish
from storage.repositories.learned import Season


def by_rule(view: RoomView, room_c: float, *, expected: bool) -> Wish:
    """Hold the edge of comfort while somebody is in or expected; otherwise off.

    Parameters
    ----------
    expected : bool
        Somebody is about to return, or the room is kept as if somebody were in.
    """
    cooling, edge_c = view.season == Season.COOLING, view.edge_c()
    beyond_k = room_c - edge_c if cooling else edge_c - room_c
    needed = expected or view.occupied >= OCCUPIED_RATIO
    # a unit that runs holds its edge by itself; one that is off starts only when the room has passed it
    if not needed or (not view.on and beyond_k <= 0.0):
        return Wish(False, None, None, Fan.AUTO)
    return Wish(True, Mode.COOL if cooling else Mode.HEAT, edge_c, Fan.AUTO)
