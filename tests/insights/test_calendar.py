"""Buckets of local time, on ordinary days and where clocks change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import Span
from insights.calendar import INTERVALS, buckets, day_start, days_of, local_day, whole_quarters

ZONES = st.sampled_from(
    ["Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"]
).map(ZoneInfo)
INSTANTS = st.integers(946_684_800, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC))
LENGTHS = st.timedeltas(timedelta(minutes=1), timedelta(days=40))


@given(zone=ZONES, start=INSTANTS, length=LENGTHS, interval=st.sampled_from(INTERVALS))
def test_buckets_cover_the_span_once_and_in_order(
    zone: ZoneInfo, start: datetime, length: timedelta, interval: str
) -> None:
    span = whole_quarters(Span(start, start + length))
    cut = buckets(span, interval, zone)
    assert cut[0].start == span.start
    assert cut[-1].end == span.end
    assert all(before.end == after.start for before, after in pairwise(cut))
    assert all(one.seconds > 0 for one in cut)


@given(zone=ZONES, start=INSTANTS, length=LENGTHS)
def test_a_bucket_of_a_day_is_one_local_day(zone: ZoneInfo, start: datetime, length: timedelta) -> None:
    span = Span(start, start + length)
    cut = buckets(span, "day", zone)
    assert [days_of(one, zone) for one in cut] == [[day] for day in days_of(span, zone)]
    assert all(one.start == day_start(local_day(one.start, zone), zone) for one in cut[1:])


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), "Europe/London", 23),
        (date(2026, 10, 25), "Europe/London", 25),
        (date(2026, 7, 15), "Europe/London", 24),
        (date(2026, 4, 24), "Africa/Cairo", 23),  # the clock skips midnight itself
        (date(2026, 7, 15), "Asia/Shanghai", 24),
    ],
)
def test_days_have_the_hours_that_the_clock_gives_them(day: date, zone: str, hours: int) -> None:
    home = ZoneInfo(zone)
    span = Span(day_start(day, home), day_start(day + timedelta(days=1), home))
    assert span.seconds == hours * 3600
    assert len(buckets(span, "hour", home)) == hours
    assert len(buckets(span, "15m", home)) == hours * 4


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    span = Span(datetime(2026, 1, 1, tzinfo=zone), datetime(2027, 1, 1, tzinfo=zone))
    months = buckets(span, "month", zone)
    assert [one.start.astimezone(zone).date() for one in months] == [date(2026, month, 1) for month in range(1, 13)]
    weeks = buckets(span, "week", zone)[1:]
    assert {one.start.astimezone(zone).weekday() for one in weeks} == {0}
    assert len(buckets(span, "year", zone)) == 1


def test_hours_begin_on_the_local_hour() -> None:
    """India is five and a half hours ahead of UTC."""
    zone = ZoneInfo("Asia/Kolkata")
    start = datetime(2026, 7, 15, tzinfo=zone)
    hours = buckets(Span(start, start + timedelta(hours=3)), "hour", zone)
    assert [one.start.astimezone(zone).minute for one in hours] == [0, 0, 0]
