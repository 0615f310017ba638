"""Usage and money of a home: what the ledger holds, cut into local buckets and priced."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from api import schemas
from api.dependencies import Access
from core.errors import InvalidRequest
from core.words import Kind, Span
from insights import calendar
from insights import usage as rules
from insights.carbon import CarbonFactor, carbon_factor
from insights.tariff import Shares, Tariff, day_shares, read_tariff
from storage.repositories import homes, tariffs
from storage.repositories import usage as ledger
from storage.tables import HomeRow

MONEY_STEP = Decimal("0.000001")
MOST_ITEMS = 50_000
LONGEST = {
    schemas.Interval.QUARTER: timedelta(days=31),
    schemas.Interval.HOUR: timedelta(days=400),
    schemas.Interval.DAY: timedelta(days=3_660),
    schemas.Interval.WEEK: timedelta(days=7_320),
    schemas.Interval.MONTH: timedelta(days=18_300),
    schemas.Interval.YEAR: timedelta(days=18_300),
}


@dataclass(frozen=True, slots=True)
class Books:
    """What a home's usage is reckoned with."""

    zone: ZoneInfo
    currency: str
    carbon: CarbonFactor | None
    things: Sequence[homes.MeasuredThing]
    first_days: Mapping[int, date]  # of devices that ever measured

    def measuring(self) -> list[rules.Measuring]:
        """Devices that ever measured energy."""
        return [
            rules.Measuring(one.device_id, one.device_kind, one.appliance_id)
            for one in self.things
            if one.device_id in self.first_days
        ]


def open_books(access: Access, home: HomeRow) -> Books:
    """What a home's usage is reckoned with."""
    things = homes.measured_things(access.session, home.id)
    first = ledger.first_days(access.session, [one.device_id for one in things])
    carbon = carbon_factor(home.carbon_kg_per_kwh, home.time_zone)
    return Books(ZoneInfo(home.time_zone), home.currency, carbon, things, first)


def usage(
    access: Access,
    home: HomeRow,
    start: datetime,
    end: datetime,
    interval: schemas.Interval,
    group_by: schemas.GroupBy,
) -> schemas.UsagePage:
    """Usage of a home in buckets of its local time.

    Raises
    ------
    InvalidRequest
        The range is empty, or too long for the interval.
    """
    span = checked_span(start, end, interval)
    books = open_books(access, home)
    cut = calendar.buckets(span, interval.value, books.zone)
    keys = keys_of(books, group_by)
    names = sorted(set(keys.values()), key=lambda key: (key is None, key)) or [None]
    if len(cut) * len(names) > MOST_ITEMS:
        raise InvalidRequest(
            f"{len(cut)} buckets of {len(names)} keys are more than {MOST_ITEMS} items: ask for less time at once",
            code="range_too_long",
        )
    prices = tariffs_by_day(access, home, books, cut)
    sums = rules.totals(amounts(access, books, cut, prices, keys), keys)
    nothing = rules.Total(cost=Decimal(0) if prices else None)
    starts = {key: sorted(books.first_days[one] for one, its in keys.items() if its == key) for key in names}
    items = [
        item(books, bucket, key, sums.get((number, key), nothing), starts[key], access.now)
        for number, bucket in enumerate(cut)
        for key in names
        if bucket.start < access.now or (number, key) in sums
    ]
    newest = max(prices, default=None)
    return schemas.UsagePage(
        items=items,
        time_zone=home.time_zone,
        interval=interval,
        group_by=group_by,
        tariff=None if newest is None else prices[newest].name,
        carbon_source=None if books.carbon is None else books.carbon.source,
    )


def today(access: Access, home: HomeRow) -> schemas.Today:
    """Usage since the home's midnight."""
    books = open_books(access, home)
    day = calendar.local_day(access.now, books.zone)
    bucket = Span(calendar.day_start(day, books.zone), calendar.day_start(day + timedelta(days=1), books.zone))
    keys = keys_of(books, schemas.GroupBy.NONE)
    prices = tariffs_by_day(access, home, books, [bucket])
    nothing = rules.Total(cost=Decimal(0) if prices else None)
    total = rules.totals(amounts(access, books, [bucket], prices, keys), keys).get((0, None), nothing)
    shown = item(books, bucket, None, total, sorted(books.first_days[one] for one in keys), access.now)
    return schemas.Today(
        start=bucket.start,
        energy_kwh=shown.energy_kwh,
        cost=shown.cost,
        currency=home.currency,
        co2_kg=shown.co2_kg,
        coverage=shown.coverage,
    )


def checked_span(start: datetime, end: datetime, interval: schemas.Interval) -> Span:
    """The span, widened to quarters of an hour.

    Raises
    ------
    InvalidRequest
        It is empty, outside the calendar, or too long for the interval.
    """
    if not 1970 <= start.year <= end.year < 2200:
        raise InvalidRequest("start, end: expected years 1970 to 2199 in order", code="invalid_range")
    if end <= start:
        raise InvalidRequest("end: expected a time after start", code="invalid_range")
    if end - start > LONGEST[interval]:
        raise InvalidRequest(
            f"{interval.value} buckets reach over at most {LONGEST[interval].days} days, "
            f"got {(end - start).total_seconds() / 86_400:.1f}",
            code="range_too_long",
        )
    return calendar.whole_quarters(Span(start, end))


def keys_of(books: Books, group_by: schemas.GroupBy) -> dict[int, str | None]:
    """The key of every device that counts under this grouping."""
    measuring = books.measuring()
    things = {one.device_id: one for one in books.things}
    if group_by is schemas.GroupBy.DEVICE:
        return {one.device_id: str(one.device_id) for one in measuring}
    if group_by is schemas.GroupBy.KIND:
        return {one.device_id: things[one.device_id].kind for one in rules.without_doubles(measuring)}
    if group_by is schemas.GroupBy.ROOM:
        inside = [one for one in rules.without_doubles(measuring) if one.kind != Kind.METER]
        rooms = {one.device_id: things[one.device_id].room_id for one in inside}
        return {device_id: None if room_id is None else str(room_id) for device_id, room_id in rooms.items()}
    return dict.fromkeys((one.device_id for one in rules.whole_home(measuring)), None)


def tariffs_by_day(access: Access, home: HomeRow, books: Books, cut: Sequence[Span]) -> dict[date, Tariff]:
    """The tariff of each local day of these buckets that has one; a contract changes at midnight."""
    versions = [(row.valid_from, read_tariff(row.document)) for row in tariffs.tariffs_of_home(access.session, home.id)]
    result: dict[date, Tariff] = {}
    if not versions:
        return result
    for day in calendar.days_of(Span(cut[0].start, cut[-1].end), books.zone):
        start = calendar.day_start(day, books.zone)
        in_force = [tariff for valid_from, tariff in versions if valid_from <= start]
        if in_force:
            result[day] = in_force[-1]
    return result


def amounts(
    access: Access,
    books: Books,
    cut: Sequence[Span],
    prices: Mapping[date, Tariff],
    keys: Mapping[int, str | None],
) -> list[rules.Amount]:
    """What each device used in each bucket, by price and source."""
    pieces = rules.segments(cut, books.zone, prices, tier_shares(access, books, prices))
    groups: dict[tuple[int, Decimal | None], int] = {}
    asked = [
        ledger.Piece(
            groups.setdefault((one.bucket, one.price), len(groups)), one.start, one.end, one.day, one.whole_day
        )
        for one in pieces
    ]
    what = list(groups)
    return [
        rules.Amount(*what[one.group], one.device_id, one.source, one.energy_kwh, one.covered_s)
        for one in ledger.sums(access.session, keys, asked)
    ]


def tier_shares(access: Access, books: Books, prices: Mapping[date, Tariff]) -> dict[date, Shares]:
    """How the home's kWh of each day lie in the tiers of that day's tariff."""
    result: dict[date, Shares] = {}
    home_ids = [one.device_id for one in rules.whole_home(books.measuring())]
    for tariff in dict.fromkeys(prices.values()):
        days = sorted(day for day, one in prices.items() if one == tariff)
        kwh: Mapping[date, float] = {}
        if tariff.limits_kwh:
            kwh = ledger.kwh_by_day(access.session, home_ids, tariff.period_start(days[0]), days[-1])
        result |= day_shares(tariff, days, kwh)
    return result


def item(
    books: Books,
    bucket: Span,
    key: str | None,
    total: rules.Total,
    starts: Sequence[date],
    now: datetime,
) -> schemas.UsageItem:
    """One item of usage; ``starts`` are the days on which the key's devices first measured, in order."""
    last_day = calendar.local_day(bucket.end - timedelta(microseconds=1), books.zone)
    devices = bisect_right(starts, last_day)
    return schemas.UsageItem(
        start=bucket.start,
        end=bucket.end,
        key=key,
        energy_kwh=round(total.energy_kwh, 6),
        cost=money(total.cost),
        currency=books.currency,
        co2_kg=None if books.carbon is None else round(total.energy_kwh * books.carbon.kg_per_kwh, 6),
        coverage=round(rules.coverage(total.covered_s, devices, bucket, now), 6),
        source=total.source,
    )


def money(amount: Decimal | None) -> str | None:
    """Money as it is sent: a decimal string with six places."""
    return None if amount is None else f"{amount.quantize(MONEY_STEP):f}"
