"""Buckets of time as people count it: hours, days, weeks, months and years of a zone, with days of 23 and 25 h."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.words import Span

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
INTERVALS = ("15m", "hour", "day", "week", "month", "year")


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins, UTC; where the clock skips midnight, the instant of the skip."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local day that an instant lies in."""
    return instant.astimezone(zone).date()


def days_of(span: Span, zone: ZoneInfo) -> list[date]:
    """The local days that a span touches."""
    first, last = local_day(span.start, zone), local_day(span.end - timedelta(microseconds=1), zone)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def whole_quarters(span: Span) -> Span:
    """The span, widened to quarters of an hour (UTC)."""
    start = span.start.astimezone(UTC)
    end = span.end.astimezone(UTC)
    start -= (start - _EPOCH) % QUARTER
    return Span(start, end + (_EPOCH - end) % QUARTER)


def buckets(span: Span, interval: str, zone: ZoneInfo) -> list[Span]:
    """The buckets of an interval that a span touches, each cut to the span.

    Parameters
    ----------
    interval : str
        One of ``INTERVALS``.
    """
    cut: list[Span] = []
    edges = _edges(span.start, interval, zone)
    start = next(edges)
    for end in edges:
        cut.append(Span(max(start, span.start), min(end, span.end)))
        if end >= span.end:
            return cut
        start = end
    raise AssertionError("edges never end")


def _edges(instant: datetime, interval: str, zone: ZoneInfo) -> Iterator[datetime]:
    """Edges of buckets for ever, the first at or before the instant."""
    if interval == "15m":
        edge = instant.astimezone(UTC)
        edge -= (edge - _EPOCH) % QUARTER
        while True:
            yield edge
            edge += QUARTER
    if interval == "hour":
        edge = _hour_start(instant, zone)
        while True:
            yield edge
            after = _hour_start(edge + HOUR, zone)
            edge = after if after > edge else edge + HOUR
    day = _first_day(local_day(instant, zone), interval)
    while True:
        yield day_start(day, zone)
        day = _next_day(day, interval)


def _hour_start(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    return instant.astimezone(UTC) - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )


def _first_day(day: date, interval: str) -> date:
    if interval == "week":
        return day - timedelta(days=day.weekday())
    if interval == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if interval == "year" else day


def _next_day(day: date, interval: str) -> date:
    if interval == "week":
        return day + timedelta(days=7)
    if interval == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day.replace(year=day.year + 1) if interval == "year" else day + timedelta(days=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
