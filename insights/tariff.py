"""What a kWh costs, when: flat, by local clock, in tiers over a month or a year, and these together. Money is Decimal.

A tariff is a document (TOML in ``insights/tariffs``, JSON in the database)::

    name = "Zhejiang residential, peak and valley"
    currency = "CNY"
    as_of = "2024-01"                      month whose prices these are

    [sources]                              where each part was read; empty: from memory, unchecked
    prices = "..."

    [[rates]]                              the first that applies holds; the last one always applies
    name = "peak"
    hours = [["08:00", "22:00"]]           local clock, quarters of an hour; may pass midnight
    months = [7, 8]                        optional
    weekdays = [1, 2, 3, 4, 5]             optional, Monday is 1
    price_per_kwh = ["0.568", "0.618"]     one a tier

    [tiers]
    period = "year"                        or "month", of the home's zone
    limits_kwh = [2760]                    upper end of every tier but the last

**Tiers.** The kWh of a period are counted day by day. The kWh of a day lie in the tiers that the home's total passed
through on that day, in the same shares for every hour and every device of it. So the days of a period sum to the bill
exactly, and a day's parts sum to the day.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from insights.calendar import day_start

DAY_MINUTES = 24 * 60
QUARTER_MINUTES = 15
Shares = tuple[Decimal, ...]  # of a day's kWh by tier, summing to 1
Windows = tuple[tuple[int, int], ...]  # minutes of the local day, [from, to)


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices that hold at certain times."""

    name: str
    prices: tuple[Decimal, ...]  # per kWh, by tier
    windows: Windows = ((0, DAY_MINUTES),)
    months: frozenset[int] = frozenset()  # empty: all
    weekdays: frozenset[int] = frozenset()  # Monday is 1; empty: all

    def applies(self, month: int, weekday: int, minute: int) -> bool:
        """Whether it holds at a minute of the local day."""
        return (
            (not self.months or month in self.months)
            and (not self.weekdays or weekday in self.weekdays)
            and any(start <= minute < end for start, end in self.windows)
        )


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices of one contract."""

    name: str
    currency: str
    rates: tuple[Rate, ...]
    period: str | None = None  # of tiers: month, year
    limits_kwh: tuple[Decimal, ...] = ()

    @property
    def by_clock(self) -> bool:
        """Whether the price changes within a day."""
        return len(self.rates) > 1

    def rate_at(self, local: datetime) -> Rate:
        """The rate that holds at a local time."""
        return self._rate(local.month, local.isoweekday(), local.hour * 60 + local.minute)

    def price(self, rate: Rate, shares: Shares) -> Decimal:
        """Price of a kWh at a rate, where a day's kWh lie in tiers by ``shares``."""
        return sum((price * share for price, share in zip(rate.prices, shares, strict=True)), Decimal(0))

    def marginal_price(self, local: datetime, used_kwh: float) -> Decimal:
        """What one more kWh costs, or one saved is worth, after ``used_kwh`` of the period."""
        tier = sum(used_kwh >= limit for limit in self.limits_kwh)
        return self.rate_at(local).prices[tier]

    def shares(self, before_kwh: Decimal, day_kwh: Decimal) -> Shares:
        """How a day's kWh lie in the tiers, after ``before_kwh`` of the period."""
        edges = [Decimal(0), *self.limits_kwh]
        if day_kwh <= 0:
            tier = sum(before_kwh >= limit for limit in self.limits_kwh)
            return tuple(Decimal(number == tier) for number in range(len(edges)))
        uppers = [*self.limits_kwh, None]
        after_kwh = before_kwh + day_kwh
        in_tier = [
            max(Decimal(0), (after_kwh if upper is None else min(after_kwh, upper)) - max(before_kwh, lower))
            for lower, upper in zip(edges, uppers, strict=True)
        ]
        return tuple(kwh / day_kwh for kwh in in_tier)

    def period_start(self, day: date) -> date:
        """First day of the period in which tiers are counted."""
        return day.replace(month=1, day=1) if self.period == "year" else day.replace(day=1)

    def day_rates(self, day: date) -> tuple[tuple[int, int, Rate], ...]:
        """The rates of a day in order: from minute, to minute of the local clock, rate."""
        return _day_rates(self, day.month, day.isoweekday())

    def _rate(self, month: int, weekday: int, minute: int) -> Rate:
        return next(rate for rate in self.rates if rate.applies(month, weekday, minute))


@dataclass(frozen=True, slots=True)
class Priced:
    """A span with one price, within one local day; None: no tariff."""

    start: datetime
    end: datetime
    day: date
    price: Decimal | None


def read_tariff(document: Mapping[str, Any]) -> Tariff:
    """The tariff of a document.

    Raises
    ------
    ValueError
        Says what is not as it must be.
    """
    try:
        tiers = document.get("tiers") or {}
        period = tiers.get("period")
        limits = tuple(Decimal(str(limit)) for limit in tiers.get("limits_kwh", ()))
        rates = tuple(_read_rate(rate) for rate in document["rates"])
        tariff = Tariff(str(document["name"]), str(document["currency"]), rates, period, limits)
    except (KeyError, TypeError, InvalidOperation) as error:
        raise ValueError(f"tariff: {type(error).__name__}: {error}") from error
    _check(tariff)
    return tariff


def load_document(name: str) -> dict[str, Any]:
    """The document of a tariff that ships with the project, such as ``zhejiang_time_of_use``.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    if name not in shipped():
        raise ValueError(f"no tariff is named {name!r}; there are: {', '.join(shipped())}")
    return tomllib.loads((resources.files("insights") / "tariffs" / f"{name}.toml").read_text(encoding="utf-8"))


def shipped() -> list[str]:
    """Names of the tariffs that ship with the project."""
    files = (resources.files("insights") / "tariffs").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def day_prices(tariff: Tariff, day: date, shares: Shares, zone: ZoneInfo) -> Iterator[Priced]:
    """The prices of one local day; on a day of 23 or 25 h the clock on the wall decides, hour by hour."""
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    if end - start == timedelta(days=1):
        for first, last, rate in tariff.day_rates(day):
            yield Priced(
                start + timedelta(minutes=first),
                start + timedelta(minutes=last),
                day,
                tariff.price(rate, shares),
            )
        return
    step = timedelta(minutes=QUARTER_MINUTES)
    run_start, run_rate = start, tariff.rate_at(start.astimezone(zone))
    at = start + step
    while at < end:
        rate = tariff.rate_at(at.astimezone(zone))
        if rate is not run_rate:
            yield Priced(run_start, at, day, tariff.price(run_rate, shares))
            run_start, run_rate = at, rate
        at += step
    yield Priced(run_start, end, day, tariff.price(run_rate, shares))


def day_shares(tariff: Tariff, days: Sequence[date], kwh_by_day: Mapping[date, float]) -> dict[date, Shares]:
    """How the kWh of each of these days lie in the tiers.

    Parameters
    ----------
    kwh_by_day : mapping
        The home's total by local day, from the start of the first day's period on. [kWh]
    """
    if not tariff.limits_kwh:
        return dict.fromkeys(days, (Decimal(1),))
    result: dict[date, Shares] = {}
    if not days:
        return result
    day, used, period = tariff.period_start(days[0]), Decimal(0), tariff.period_start(days[0])
    wanted = set(days)
    while day <= days[-1]:
        if tariff.period_start(day) != period:
            used, period = Decimal(0), tariff.period_start(day)
        kwh = exact(kwh_by_day.get(day, 0.0))
        if day in wanted:
            result[day] = tariff.shares(used, kwh)
        used += kwh
        day += timedelta(days=1)
    return result


def exact(energy_kwh: float) -> Decimal:
    """The decimal number that a figure of the ledger is written as. [kWh]"""
    return Decimal(repr(energy_kwh))


@lru_cache(maxsize=1024)
def _day_rates(tariff: Tariff, month: int, weekday: int) -> tuple[tuple[int, int, Rate], ...]:
    runs: list[tuple[int, int, Rate]] = []
    for minute in range(0, DAY_MINUTES, QUARTER_MINUTES):
        rate = tariff._rate(month, weekday, minute)
        if runs and runs[-1][2] is rate:
            runs[-1] = (runs[-1][0], minute + QUARTER_MINUTES, rate)
        else:
            runs.append((minute, minute + QUARTER_MINUTES, rate))
    return tuple(runs)


def _read_rate(document: Mapping[str, Any]) -> Rate:
    prices = document["price_per_kwh"]
    return Rate(
        name=str(document.get("name", "")),
        prices=tuple(Decimal(str(price)) for price in ([prices] if isinstance(prices, str) else prices)),
        windows=tuple(
            window for start, end in document.get("hours", (("00:00", "24:00"),)) for window in _windows(start, end)
        ),
        months=frozenset(int(month) for month in document.get("months", ())),
        weekdays=frozenset(int(weekday) for weekday in document.get("weekdays", ())),
    )


def _windows(start: str, end: str) -> Windows:
    first, last = _minute(start), _minute(end)
    return ((first, last),) if first < last else ((first, DAY_MINUTES), (0, last))


def _minute(text: str) -> int:
    if text == "24:00":
        return DAY_MINUTES
    at = time.fromisoformat(text)
    minute = at.hour * 60 + at.minute
    if minute % QUARTER_MINUTES:
        raise ValueError(f"tariff: expected a quarter of an hour, got {text!r}")
    return minute


def _check(tariff: Tariff) -> None:
    """Refuse a tariff that leaves a time or a tier without a price."""
    tiers = len(tariff.limits_kwh) + 1
    if not tariff.rates:
        raise ValueError("tariff: expected at least one rate")
    for rate in tariff.rates:
        if len(rate.prices) != tiers:
            raise ValueError(f"tariff: rate {rate.name!r} has {len(rate.prices)} prices for {tiers} tiers")
        if not all(price.is_finite() for price in rate.prices):
            raise ValueError(f"tariff: rate {rate.name!r} has a price that is no number")
    last = tariff.rates[-1]
    if last.months or last.weekdays or last.windows != ((0, DAY_MINUTES),):
        raise ValueError("tariff: the last rate must apply at all times: it has no hours, months or weekdays")
    if tariff.limits_kwh and tariff.period not in ("month", "year"):
        raise ValueError(f"tariff: expected tiers over a month or a year, got {tariff.period!r}")
    if list(tariff.limits_kwh) != sorted(set(tariff.limits_kwh)) or any(limit <= 0 for limit in tariff.limits_kwh):
        raise ValueError("tariff: expected limits of tiers that grow")
    if len(tariff.currency) != 3:
        raise ValueError(f"tariff: expected a currency by ISO 4217, got {tariff.currency!r}")
