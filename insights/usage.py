"""Usage of a home: cut its buckets into pieces of one price, and sum what the ledger holds by bucket and key.

**Coverage** of an item is the covered time of its devices over the time of the bucket that has passed, the mean over
these devices. A device counts in every bucket that ends behind the local day on which it first measured energy; one
that never did (a thermometer, a plug without a meter) does not dilute the coverage of the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.words import Source, Span
from insights.calendar import day_start, days_of
from insights.tariff import Priced, Shares, Tariff, day_prices, exact

METER = "meter"
METERING = ("plug", METER)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bucket, within one local day and with one price."""

    bucket: int
    start: datetime
    end: datetime
    day: date
    price: Decimal | None
    whole_day: bool


@dataclass(frozen=True, slots=True)
class Amount:
    """What a device used in a bucket at one price, by one source; price None: no tariff."""

    bucket: int
    price: Decimal | None
    device_id: int
    source: Source
    energy_kwh: float
    covered_s: float


@dataclass(slots=True)
class Total:
    """Usage of one key in one bucket."""

    energy_kwh: float = 0.0
    covered_s: float = 0.0
    cost: Decimal | None = Decimal(0)  # None: some of it has no price
    sources: set[Source] = field(default_factory=set)

    def add(self, amount: Amount) -> None:
        """Count an amount in."""
        self.energy_kwh += amount.energy_kwh
        self.covered_s += amount.covered_s
        self.sources.add(amount.source)
        if amount.price is None or self.cost is None:
            self.cost = None
        else:
            self.cost += exact(amount.energy_kwh) * amount.price

    @property
    def source(self) -> str | None:
        """counter, integrated or mixed; None of nothing."""
        if not self.sources:
            return None
        return next(iter(self.sources)).value if len(self.sources) == 1 else "mixed"


def segments(
    cut: Sequence[Span], zone: ZoneInfo, tariffs: Mapping[date, Tariff], shares: Mapping[date, Shares]
) -> list[Segment]:
    """Pieces of buckets that follow each other, each within one local day and with one price.

    Parameters
    ----------
    tariffs : mapping
        The tariff of each local day that has one; contracts change at midnight.
    shares : mapping
        How each of these days lies in the tariff's tiers, see ``insights.tariff.day_shares``.
    """
    result: list[Segment] = []
    first = 0
    for day in days_of(Span(cut[0].start, cut[-1].end), zone) if cut else ():
        for piece in _prices(day, zone, tariffs.get(day), shares):
            while first < len(cut) and cut[first].end <= piece.start:
                first += 1
            for number in range(first, len(cut)):
                bucket = cut[number]
                if bucket.start >= piece.end:
                    break
                start, end = max(piece.start, bucket.start), min(piece.end, bucket.end)
                whole_day = start == day_start(day, zone) and end == day_start(day + timedelta(days=1), zone)
                result.append(Segment(number, start, end, day, piece.price, whole_day))
    return result


@dataclass(frozen=True, slots=True)
class Measuring:
    """A device that measures energy."""

    device_id: int
    kind: str  # of the device itself
    appliance_id: int | None


def without_doubles(devices: Iterable[Measuring]) -> list[Measuring]:
    """Leave out what tells of its own power where a plug or meter before it measures the same appliance."""
    known = list(devices)
    metered = {one.appliance_id for one in known if one.kind in METERING and one.appliance_id is not None}
    return [one for one in known if one.kind in METERING or one.appliance_id not in metered]


def whole_home(devices: Iterable[Measuring]) -> list[Measuring]:
    """Devices that make up the home's total: its meter where it has one, else all others that measure."""
    known = without_doubles(devices)
    return [one for one in known if one.kind == METER] or known


def totals(amounts: Iterable[Amount], keys: Mapping[int, str | None]) -> dict[tuple[int, str | None], Total]:
    """Sums by bucket and key; devices without a key in ``keys`` are left out."""
    result: dict[tuple[int, str | None], Total] = {}
    for amount in amounts:
        if amount.device_id in keys:
            result.setdefault((amount.bucket, keys[amount.device_id]), Total()).add(amount)
    return result


def coverage(covered_s: float, devices: int, bucket: Span, now: datetime) -> float:
    """Share of the passed part of a bucket that is covered, the mean over its devices."""
    passed_s = (min(bucket.end, max(now, bucket.start)) - bucket.start).total_seconds()
    if passed_s <= 0 or devices == 0:
        return 1.0 if covered_s > 0 else 0.0
    return min(1.0, covered_s / (devices * passed_s))


def _prices(day: date, zone: ZoneInfo, tariff: Tariff | None, shares: Mapping[date, Shares]) -> Iterable[Priced]:
    if tariff is None:
        return (Priced(day_start(day, zone), day_start(day + timedelta(days=1), zone), day, None),)
    return day_prices(tariff, day, shares[day], zone)
