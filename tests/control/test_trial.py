"""The schedule of a comparison: balanced in every pair of days, seeded, by local days."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from control.trial import Arm, arm_of, pair_at

BERLIN = ZoneInfo("Europe/Berlin")


@given(seed=st.integers(0, 2**53), pairs=st.integers(1, 60))
def test_every_pair_of_days_has_each_arm_once(seed: int, pairs: int) -> None:
    arms = [arm_of(seed, number) for number in range(2 * pairs)]
    assert all(set(arms[i : i + 2]) == set(Arm) for i in range(0, len(arms), 2))
    counts = Counter(arms[:-1])
    assert abs(counts[Arm.ENGINE] - counts[Arm.CONVENTIONAL]) == 1


def test_which_arm_comes_first_is_drawn_like_a_coin_and_the_same_again_for_the_same_seed() -> None:
    """Of 4000 fair coins 2000 +- 5 x 31.6 fall on one side."""
    firsts = [arm_of(7, 2 * pair) for pair in range(4000)]
    assert abs(firsts.count(Arm.ENGINE) - 2000) < 158
    changes = sum(a != b for a, b in pairwise(firsts))
    assert abs(changes - 2000) < 158
    assert firsts == [arm_of(7, 2 * pair) for pair in range(4000)]
    assert firsts != [arm_of(8, 2 * pair) for pair in range(4000)]


def test_days_are_local_and_may_have_23_hours() -> None:
    """Begun on Friday evening in Berlin; clocks go forward in the night to Sunday, 29 March 2026."""
    started_at = datetime(2026, 3, 27, 18, 0, tzinfo=UTC)
    assert pair_at(3, started_at, datetime(2026, 3, 27, 22, 59, tzinfo=UTC), BERLIN) == []
    saturday, sunday = pair_at(3, started_at, datetime(2026, 3, 27, 23, 0, tzinfo=UTC), BERLIN)
    assert saturday.start == datetime(2026, 3, 27, 23, 0, tzinfo=UTC)
    assert saturday.end == sunday.start
    assert sunday.end - sunday.start == timedelta(hours=23)
    assert {saturday.arm, sunday.arm} == set(Arm)
    assert pair_at(3, started_at, datetime(2026, 3, 29, 12, 0, tzinfo=UTC), BERLIN) == [saturday, sunday]
    assert pair_at(3, started_at, sunday.end, BERLIN)[0].start == sunday.end
