"""Prices by clock and by tier: nothing is lost or paid twice, however time is cut."""

import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.words import Source, Span
from insights.calendar import buckets, day_start, days_of
from insights.tariff import Tariff, day_prices, day_shares, exact, load_document, read_tariff, shipped
from insights.usage import Amount, Total, segments, totals

ZONE = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")
PEAK_VALLEY = read_tariff(load_document("zhejiang_time_of_use"))
FLAT_TIERED = read_tariff(load_document("zhejiang"))
ONE = (Decimal(1), Decimal(0), Decimal(0))


def cost(tariff: Tariff, zone: ZoneInfo, span: Span, interval: str, kwh_by_quarter: dict[datetime, float]) -> Decimal:
    """What a span costs when it is asked for in buckets of an interval."""
    cut = buckets(span, interval, zone)
    days = days_of(span, zone)
    period = day_start(tariff.period_start(days[0]), zone)
    by_day: dict[date, float] = {}
    for at, kwh in kwh_by_quarter.items():
        if at >= period:
            day = at.astimezone(zone).date()
            by_day[day] = by_day.get(day, 0.0) + kwh
    pieces = segments(cut, zone, dict.fromkeys(days, tariff), day_shares(tariff, days, by_day))
    amounts = [
        Amount(piece.bucket, piece.price, 1, Source.COUNTER, kwh, 900.0)
        for piece in pieces
        for at, kwh in kwh_by_quarter.items()
        if piece.start <= at < piece.end
    ]
    return sum((total.cost or Decimal(0) for total in totals(amounts, {1: None}).values()), Decimal(0))


QUARTERS = st.dictionaries(
    st.integers(0, 4 * 24 * 6 - 1),
    st.floats(0.001, 30, allow_nan=False).map(lambda kwh: round(kwh, 3)),
    min_size=1,
    max_size=20,
)


@given(
    quarters=QUARTERS,
    tariff=st.sampled_from([PEAK_VALLEY, FLAT_TIERED]),
    split=st.integers(1, 4 * 24 * 6 - 1),
    interval=st.sampled_from(["15m", "hour", "day", "week", "month"]),
    zone_and_start=st.sampled_from(
        [
            (ZONE, datetime(2026, 7, 13, 16, tzinfo=UTC)),
            (LONDON, datetime(2026, 3, 27, tzinfo=UTC)),
            (LONDON, datetime(2026, 10, 22, 23, tzinfo=UTC)),
        ]
    ),
)
def test_split_and_joined_spans_cost_the_same(
    quarters: dict[int, float], tariff: Tariff, split: int, interval: str, zone_and_start: tuple[ZoneInfo, datetime]
) -> None:
    zone, start = zone_and_start
    kwh = {start + timedelta(minutes=15 * number): energy for number, energy in quarters.items()}
    # a heavy day before, so that tiers are crossed within the span
    kwh[start - timedelta(days=3)] = 2740.0
    whole = Span(start, start + timedelta(days=6))
    middle = start + timedelta(minutes=15 * split)
    parts = [Span(whole.start, middle), Span(middle, whole.end)]
    joined = cost(tariff, zone, whole, interval, kwh)
    assert abs(sum(cost(tariff, zone, part, interval, kwh) for part in parts) - joined) < Decimal("1e-15")
    assert abs(cost(tariff, zone, whole, "15m", kwh) - joined) < Decimal("1e-15")


@given(
    quarters=QUARTERS,
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_devices_sum_to_their_home(quarters: dict[int, float], shares: list[float]) -> None:
    start = day_start(date(2026, 7, 14), ZONE)
    span = Span(start, start + timedelta(days=6))
    days = days_of(span, ZONE)
    pieces = segments(buckets(span, "day", ZONE), ZONE, dict.fromkeys(days, PEAK_VALLEY), dict.fromkeys(days, ONE))
    total_share = sum(shares) or 1.0
    amounts = []
    for number, kwh in quarters.items():
        at = start + timedelta(minutes=15 * number)
        [piece] = [one for one in pieces if one.start <= at < one.end]
        amounts += [
            Amount(piece.bucket, piece.price, device, Source.COUNTER, kwh * share / total_share, 900.0)
            for device, share in enumerate(shares)
        ]
    devices = totals(amounts, {device: str(device) for device in range(len(shares))})
    home = totals(amounts, dict.fromkeys(range(len(shares)), None))
    for bucket, _ in home:
        parts = [total for (number, _), total in devices.items() if number == bucket]
        whole = home[bucket, None].cost or Decimal(0)
        assert abs(sum((one.cost or Decimal(0) for one in parts), Decimal(0)) - whole) < Decimal("1e-12")
        assert sum(one.energy_kwh for one in parts) == pytest.approx(home[bucket, None].energy_kwh)


@given(used=st.floats(0, 6000), day=st.floats(0, 3000))
def test_a_days_kwh_lie_in_the_tiers_that_it_passed_through(used: float, day: float) -> None:
    """The bill after the day less the bill before it, by the definition of tiers."""
    price = FLAT_TIERED.price(FLAT_TIERED.rates[0], FLAT_TIERED.shares(exact(used), exact(day)))
    before, after = bill(exact(used)), bill(exact(used) + exact(day))
    assert abs(price * exact(day) - (after - before)) < Decimal("1e-9")


def bill(kwh: Decimal) -> Decimal:
    """Zhejiang by hand: 0.538 up to 2760 kWh, 0.588 up to 4800 kWh, 0.838 above."""
    first, second = min(kwh, Decimal(2760)), min(max(kwh - 2760, Decimal(0)), Decimal(2040))
    third = max(kwh - 4800, Decimal(0))
    return first * Decimal("0.538") + second * Decimal("0.588") + third * Decimal("0.838")


def test_peak_and_valley_follow_the_local_clock() -> None:
    noon, night = datetime(2026, 7, 15, 12, tzinfo=ZONE), datetime(2026, 7, 15, 23, tzinfo=ZONE)
    assert PEAK_VALLEY.marginal_price(noon, 0.0) == Decimal("0.568")
    assert PEAK_VALLEY.marginal_price(night, 0.0) == Decimal("0.288")
    assert PEAK_VALLEY.marginal_price(noon, 4800.0) == Decimal("0.868"), "a kWh saved is worth that of its tier"
    edges = [(piece.start.astimezone(ZONE).hour, piece.price) for piece in prices_of(date(2026, 7, 15), ZONE)]
    assert edges == [(0, Decimal("0.288")), (8, Decimal("0.568")), (22, Decimal("0.288"))]


@pytest.mark.parametrize(
    ("day", "valley_h"), [(date(2026, 3, 29), 9), (date(2026, 10, 25), 11), (date(2026, 7, 1), 10)]
)
def test_a_day_whose_clock_changes_has_the_valley_that_the_clock_shows(day: date, valley_h: int) -> None:
    """22:00 to 08:00 lasts 10 h; the hour that is skipped or repeated at night belongs to it."""
    pieces = prices_of(day, LONDON)
    valley = [piece for piece in pieces if piece.price == Decimal("0.288")]
    assert sum((piece.end - piece.start).total_seconds() for piece in valley) == valley_h * 3600
    assert pieces[0].start == day_start(day, LONDON)
    assert pieces[-1].end == day_start(day + timedelta(days=1), LONDON)


def prices_of(day: date, zone: ZoneInfo) -> list[Any]:
    """The prices of a day in the lowest tier."""
    return list(day_prices(PEAK_VALLEY, day, ONE, zone))


def test_tiers_are_counted_anew_in_every_period() -> None:
    document = {
        "name": "monthly",
        "currency": "CNY",
        "rates": [{"name": "all", "price_per_kwh": ["1", "2"]}],
        "tiers": {"period": "month", "limits_kwh": [100]},
    }
    tariff = read_tariff(document)
    days = [date(2026, 7, 30), date(2026, 7, 31), date(2026, 8, 1)]
    kwh = {date(2026, 7, 1): 70.0, date(2026, 7, 30): 40.0, date(2026, 7, 31): 5.0, date(2026, 8, 1): 5.0}
    shares = day_shares(tariff, days, kwh)
    assert shares[days[0]] == (Decimal("0.75"), Decimal("0.25"))
    assert shares[days[1]] == (Decimal(0), Decimal(1))
    assert shares[days[2]] == (Decimal(1), Decimal(0))


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_tariff_is_whole_and_says_where_it_was_read(name: str) -> None:
    document = load_document(name)
    tariff = read_tariff(document)
    assert tariff.currency == "CNY"
    assert {"prices", "tiers"} <= set(document["sources"])
    assert all(isinstance(source, str) for source in document["sources"].values())
    assert document["as_of"]


def broken(**changes: Any) -> dict[str, Any]:
    """A tariff with something wrong."""
    document = copy.deepcopy(load_document("zhejiang_time_of_use"))
    document.update(changes)
    return document


@pytest.mark.parametrize(
    ("document", "word"),
    [
        (broken(rates=[]), "at least one rate"),
        (broken(rates=[{"name": "x", "price_per_kwh": ["1"]}]), "1 prices for 3 tiers"),
        (broken(tiers={}), "3 prices for 1 tiers"),
        (broken(rates=[{"hours": [["08:00", "22:00"]], "price_per_kwh": ["1", "1", "1"]}]), "last rate"),
        (broken(tiers={"period": "week", "limits_kwh": [1, 2]}), "month or a year"),
        (broken(tiers={"period": "year", "limits_kwh": [2, 1]}), "grow"),
        (broken(rates=[{"price_per_kwh": ["1", "1", "NaN"]}]), "no number"),
        (broken(rates=[{"hours": [["08:05", "22:00"]], "price_per_kwh": ["1", "1", "1"]}]), "quarter of an hour"),
        (broken(currency="yuan"), "ISO 4217"),
        ({"name": "x"}, "KeyError"),
    ],
)
def test_a_tariff_with_a_hole_is_refused(document: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_tariff(document)


def test_energy_without_a_price_makes_the_cost_unknown() -> None:
    total = Total()
    total.add(Amount(0, Decimal(1), 1, Source.COUNTER, 1.0, 900.0))
    assert total.cost == Decimal("1.0")
    total.add(Amount(0, None, 2, Source.INTEGRATED, 1.0, 900.0))
    assert total.cost is None
    assert total.source == "mixed"
