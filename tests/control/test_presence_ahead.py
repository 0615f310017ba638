"""The forecast that is asked often gives the answers of the plain one, whatever was learned in between."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from control.presence import Evidence, Presence
from control.presence_ahead import HomePresence

BEGIN = datetime(2026, 10, 22, tzinfo=UTC)  # clocks in New York change on 1 November
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Asia/Kolkata")]
STEPS = st.lists(
    st.tuples(st.sampled_from(["learn", "forget", "take"]), st.integers(0, 14 * 96), st.booleans()), max_size=30
)


@given(zone=st.sampled_from(ZONES), steps=STEPS, asked=st.integers(0, 14 * 96))
def test_answers_are_those_of_the_plain_forecast(
    zone: ZoneInfo, steps: list[tuple[str, int, bool]], asked: int
) -> None:
    plain, quick = Presence(zone), HomePresence(zone)
    now = BEGIN + asked * timedelta(minutes=15)
    for what, quarter, seen in steps:
        at = BEGIN + quarter * timedelta(minutes=15)
        for presence in (plain, quick):
            if what == "learn":
                presence.learn(1, at, Evidence(sensor=seen))
            elif what == "forget":
                presence.forget(quarter * 900.0)
            else:
                other = Presence(zone)
                other.learn(1, at, Evidence(sensor=seen))
                presence.take_over(other)
        assert abs(quick.usual(1, now) - plain.usual(1, now)) < 1e-9
    assert quick.next_return(1, now) == plain.next_return(1, now)
    for start_s, end_s in ((0.0, 900.0), (3600.0, 21_600.0), (43_200.0, 86_400.0)):
        assert abs(quick.mean_between(1, now, start_s, end_s) - plain.mean_between(1, now, start_s, end_s)) < 1e-9
    ahead = quick.usual_ahead(1, now, 96)
    assert all(abs(ahead[i] - plain.usual(1, now + i * timedelta(minutes=15))) < 1e-9 for i in range(96))
    assert quick.to_json() == plain.to_json()
