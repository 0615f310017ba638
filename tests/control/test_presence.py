"""Who is home when, as learned from what they do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from control.presence import LIKELY, Evidence, Presence, slot_of, standby_power_w

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 7, 13, 0, 0, tzinfo=SHANGHAI)
ROOM = 7


def taught(weeks: int = 4) -> Presence:
    """Television from 18 to 23 on working days in most weeks, all day at weekends."""
    presence = Presence(SHANGHAI)
    for quarter in range(weeks * 7 * 96):
        at = MONDAY + timedelta(minutes=15 * quarter)
        watching = at.weekday() >= 5 or (18 <= at.hour < 23 and (quarter // 96) % 5 != 1)
        presence.learn(ROOM, at.astimezone(UTC), Evidence(in_use=watching))
    return presence


def test_habits_are_learned_for_each_hour_of_the_week() -> None:
    presence = taught()
    assert presence.usual(ROOM, MONDAY + timedelta(hours=19)) > 0.7
    assert presence.usual(ROOM, MONDAY + timedelta(hours=11)) < 0.3
    assert presence.usual(ROOM, MONDAY + timedelta(days=5, hours=11)) > 0.7


def test_the_next_return_is_the_hour_after_which_somebody_is_usually_in() -> None:
    presence = taught()
    assert presence.next_return(ROOM, MONDAY + timedelta(hours=11, minutes=20)) == MONDAY + timedelta(hours=18)
    evening = MONDAY + timedelta(hours=20)
    assert presence.next_return(ROOM, evening) == MONDAY + timedelta(days=1, hours=18)


def test_before_anything_is_known_somebody_is_rather_in() -> None:
    presence = Presence(SHANGHAI)
    assert presence.usual(ROOM, MONDAY) > LIKELY
    assert presence.next_return(ROOM, MONDAY) is None


def test_silence_of_a_unit_that_the_engine_runs_says_nothing() -> None:
    presence = Presence(SHANGHAI)
    before = presence.usual(ROOM, MONDAY)
    for _ in range(50):
        presence.learn(ROOM, MONDAY, Evidence())
    assert presence.usual(ROOM, MONDAY) == before


def test_what_is_seen_now_beats_what_is_usual() -> None:
    presence, noon = taught(), MONDAY + timedelta(hours=11)
    assert presence.now(ROOM, noon, Evidence(in_use=True)) == 1.0
    assert presence.now(ROOM, noon + timedelta(hours=8), Evidence(sensor=False)) == 0.0


def test_switching_off_by_hand_says_that_people_left_until_the_next_usual_return() -> None:
    presence, left = taught(), MONDAY + timedelta(days=5, hours=10)
    assert presence.now(ROOM, left + timedelta(hours=1), Evidence(), left) < LIKELY
    assert presence.now(ROOM, left + timedelta(hours=5), Evidence(), left) > LIKELY


def test_habits_fade() -> None:
    presence = taught()
    firm = presence.usual(ROOM, MONDAY + timedelta(hours=19))
    presence.forget(400 * 86_400.0)
    assert abs(presence.usual(ROOM, MONDAY + timedelta(hours=19)) - 0.7) < abs(firm - 0.7)


def test_a_week_of_other_hours_changes_the_forecast() -> None:
    presence = taught(weeks=1)
    for day in range(14):
        for quarter in range(8):
            presence.learn(ROOM, MONDAY + timedelta(days=day, hours=9, minutes=15 * quarter), Evidence(sensor=True))
    assert presence.usual(ROOM, MONDAY + timedelta(hours=9)) > LIKELY


def test_the_forecast_survives_a_restart() -> None:
    presence = taught(weeks=1)
    presence.standby_w[3] = 1.25
    again = Presence.from_json(SHANGHAI, presence.to_json())
    for hour in range(168):
        at = MONDAY + timedelta(hours=hour)
        assert abs(again.usual(ROOM, at) - presence.usual(ROOM, at)) < 1e-3
    assert again.standby_w == presence.standby_w


def test_an_hour_of_the_week_is_local() -> None:
    assert slot_of(datetime(2026, 7, 12, 16, 30, tzinfo=UTC), SHANGHAI) == 0


def test_standby_is_what_a_thing_draws_when_nobody_uses_it() -> None:
    assert standby_power_w([1.0] * 80 + [120.0] * 40) == 1.0
    assert standby_power_w([1.0] * 10) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 700), st.sampled_from([None, True, False]), st.sampled_from([None, True, False])),
        max_size=60,
    )
)
def test_a_forecast_is_always_a_probability(evidence: list[tuple[int, bool | None, bool | None]]) -> None:
    presence = Presence(SHANGHAI)
    for hour, sensor, in_use in evidence:
        presence.learn(ROOM, MONDAY + timedelta(hours=hour), Evidence(sensor=sensor, in_use=in_use))
    for hour in range(0, 168, 5):
        at = MONDAY + timedelta(hours=hour)
        assert 0.0 < presence.usual(ROOM, at) < 1.0
        assert 0.0 <= presence.mean_between(ROOM, at, 0.0, 7200.0) <= 1.0
