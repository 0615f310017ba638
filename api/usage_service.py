"""Usage, money and advice of a home: what the ledger holds, priced."""

from collections.abc import Sequence
from datetime import datetime

from api import schemas
from api.dependencies import Access
from storage.repositories.homes import DeviceNow
from storage.tables import HomeRow


def usage(
    access: Access,
    home: HomeRow,
    start: datetime,
    end: datetime,
    interval: schemas.Interval,
    group_by: schemas.GroupBy,
) -> schemas.UsagePage:
    """Usage of a home in buckets."""
    return schemas.UsagePage(
        items=[], time_zone=home.time_zone, interval=interval, group_by=group_by, tariff=None, carbon_source=None
    )


def today(access: Access, home: HomeRow, found: Sequence[DeviceNow]) -> schemas.Today:
    """Usage since midnight."""
    return schemas.Today(start=access.now, energy_kwh=0.0, cost=None, currency=home.currency, co2_kg=None, coverage=0.0)


def advice(access: Access, home: HomeRow) -> schemas.AdvicePage:
    """What would save."""
    return schemas.AdvicePage(items=[])
