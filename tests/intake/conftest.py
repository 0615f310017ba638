"""Parts of the intake's tests: a home to store into, messages of the native dialect, an intake without a broker."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.settings import Settings
from devices.base import Event, KnownDevice, Message
from devices.registry import Registry
from intake.service import Intake
from intake.words import Tally
from storage.database import open_database
from storage.tables import HomeRow, UsageDayRow, UsageHourRow, UsageQuarterRow

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOME = "home"


def make_home(database: Engine, name: str = HOME, time_zone: str = "Asia/Shanghai") -> None:
    """A home that devices may belong to."""
    with Session(database) as session, session.begin():
        session.add(HomeRow(name=name, time_zone=time_zone, created_at=NOON))


def native(device: str, at: datetime, home: str = HOME, *, duplicate: bool = False, **quantities: Any) -> Message:
    """A report of the native dialect with its own time."""
    body = {"time": at.isoformat(), **quantities}
    return Message(f"lingyun/{home}/{device}/report", json.dumps(body).encode(), 1, False, duplicate)


@dataclass
class Told:
    """A dialect of the tests: topics are looked up in a table, so that a test says itself what a message means."""

    meanings: dict[str, Sequence[Event]] = field(default_factory=dict)
    recalled: list[tuple[str, KnownDevice]] = field(default_factory=list)

    def decode(self, message: Message) -> tuple[str, Sequence[Event]] | None:
        """The events that the test has put under this topic."""
        events = self.meanings.get(message.topic)
        return None if events is None else ("told", events)

    def recall(self, dialect: str, device: KnownDevice) -> None:
        """Note it."""
        self.recalled.append((dialect, device))


Take = Callable[..., Tally]


@pytest.fixture
def home(database: Engine) -> Engine:
    """A database of each kind with one home."""
    make_home(database)
    return database


@pytest.fixture
def sqlite_home(sqlite_url: str) -> Iterator[Engine]:
    """A SQLite database with one home."""
    engine = open_database(sqlite_url)
    make_home(engine)
    yield engine
    engine.dispose()


def intake_of(database: Engine, registry: Any = None, now: datetime = NOON) -> Intake:
    """An intake without a broker."""
    return Intake(database, None, Clock.starting_at(now, 1.0), Settings(home=HOME), registry or Registry())


def received(messages: Sequence[Message], at: datetime = NOON, step: timedelta = timedelta(0)) -> Any:
    """Messages with the instants of their receipt."""
    return [(at + step * number, message) for number, message in enumerate(messages)]


def usage(database: Engine, table: Any = UsageHourRow) -> dict[tuple[Any, ...], tuple[float, float]]:
    """Rows of a usage table: key to energy and covered seconds; empty cells left out."""
    columns = list(table.__table__.primary_key)
    with Session(database) as session:
        rows = session.execute(select(*columns, table.energy_kwh, table.covered_s)).all()
    return {tuple(row[:-2]): (row[-2], row[-1]) for row in rows if row[-1] > 0}


def check_sums(database: Engine) -> None:
    """Quarters, hours and days of every device and source hold the same energy."""
    sums: list[dict[tuple[int, str], list[float]]] = []
    for table in (UsageQuarterRow, UsageHourRow, UsageDayRow):
        found: dict[tuple[int, str], list[float]] = {}
        with Session(database) as session:
            for row in session.execute(select(table.device_id, table.source, table.energy_kwh, table.covered_s)):
                assert row.energy_kwh >= 0.0
                assert row.covered_s >= 0.0
                cell = found.setdefault((row.device_id, row.source), [0.0, 0.0])
                cell[0] += row.energy_kwh
                cell[1] += row.covered_s
        sums.append(found)
    for other in sums[1:]:
        assert other.keys() == sums[0].keys()
        for key, cell in other.items():
            assert cell == pytest.approx(sums[0][key], rel=1e-9, abs=1e-9)
