"""A home in the database whose unit obeys when it is told to, and an engine whose clock the test sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from control.engine import Engine
from control.prediction import Predictor
from control.situations import RoomView
from core.clock import Clock
from core.mqtt import Broker
from core.settings import Settings
from core.units import to_epoch_us
from core.words import Command, CommandState, Fan, Mode
from models.words import Wish
from storage.repositories.commands import CommandRepository
from storage.repositories.overrides import FROM_REST, OverrideRepository
from storage.tables import (
    ApplianceRow,
    CommandRow,
    DecisionRow,
    DeviceRow,
    DeviceStateRow,
    HomeRow,
    OverrideRow,
    ReportRow,
    RoomRow,
)

AFTERNOON = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)  # a Wednesday, 16:00 in Shanghai
UNIT = {
    "setpoint_min_c": 16.0,
    "setpoint_max_c": 30.0,
    "setpoint_step_k": 0.5,
    "modes": ["auto", "cool", "heat", "dry"],
    "fans": ["auto", "low", "medium", "high"],
}


def frozen(at: datetime) -> Clock:
    """A clock that stands still."""
    return Clock(at, 1e-9, datetime.now(UTC))


@dataclass
class Household:
    """One home with one room, one unit, a thermometer indoors and one outdoors, and a television."""

    database: Database
    at: datetime = AFTERNOON
    home_id: int = 0
    room_id: int = 0
    unit_id: int = 0
    thermometer_id: int = 0
    outdoor_id: int = 0
    tv_id: int = 0

    @contextmanager
    def session(self) -> Iterator[Session]:
        with Session(self.database, expire_on_commit=False) as session, session.begin():
            yield session

    def build(self, settings: dict[str, Any] | None = None, *, name: str = "h") -> "Household":
        with self.session() as session:
            home = HomeRow(name=name, time_zone="Asia/Shanghai", settings=settings or {}, created_at=self.at)
            session.add(home)
            session.flush()
            room = RoomRow(home_id=home.id, name="Living room", control="auto")
            session.add(room)
            session.flush()
            self.home_id, self.room_id = home.id, room.id
            self.unit_id = self._device(session, "air_conditioner", "unit", room.id, UNIT)
            self.thermometer_id = self._device(session, "thermometer", "indoors", room.id)
            self.outdoor_id = self._device(session, "thermometer", "outdoor", None)
            self.tv_id = self._device(session, "plug", "tv", room.id)
        return self

    def _device(
        self, session: Session, kind: str, name: str, room_id: int | None, unit: dict[str, Any] | None = None
    ) -> int:
        appliance = ApplianceRow(home_id=self.home_id, room_id=room_id, kind=kind, name=name)
        session.add(appliance)
        session.flush()
        device = DeviceRow(
            home_id=self.home_id,
            dialect="native",
            native_id=name,
            kind=kind,
            name=name,
            room_id=room_id,
            appliance_id=appliance.id,
            capabilities=unit,
            details={},
            created_at=self.at,
        )
        session.add(device)
        session.flush()
        session.add(DeviceStateRow(device_id=device.id, online=True, values={}, ledger={}, report_count=0))
        session.flush()
        return device.id

    def says(self, device_id: int, **values: Any) -> None:
        """A device reports now."""
        with self.session() as session:
            row = session.get_one(DeviceStateRow, device_id)
            row.values = {**row.values, **{name: [value, to_epoch_us(self.at)] for name, value in values.items()}}
            row.last_report_at = self.at

    def unit(self, **values: Any) -> None:
        self.says(self.unit_id, **values)

    def air(self, indoors_c: float, outdoors_c: float = 33.0) -> None:
        self.says(self.thermometer_id, room_temperature_c=indoors_c)
        self.says(self.outdoor_id, room_temperature_c=outdoors_c)

    def tv(self, power_w: float) -> None:
        self.says(self.tv_id, power_w=power_w)

    def obey(self) -> list[CommandRow]:
        """The unit does what is queued, and its report shows it."""
        with self.session() as session:
            rows = CommandRepository(session).queued()
            for row in rows:
                CommandRepository(session).mark_sent(row, self.at)
                row.state, row.observed_at, row.ended_at = CommandState.OBSERVED, self.at, self.at
            session.flush()
        for row in rows:
            self.says(row.device_id, **row.body)
        return rows

    def commands(self) -> list[CommandRow]:
        with self.session() as session:
            return list(session.scalars(select(CommandRow).order_by(CommandRow.id)))

    def decisions(self) -> list[DecisionRow]:
        with self.session() as session:
            return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))

    def overrides(self) -> list[OverrideRow]:
        with self.session() as session:
            return list(session.scalars(select(OverrideRow).order_by(OverrideRow.id)))

    def ask(self, target: Command, hours: float = 2.0) -> None:
        """Somebody overrides over REST."""
        with self.session() as session:
            OverrideRepository(session).start(
                room_id=self.room_id,
                origin=FROM_REST,
                target=target,
                started_at=self.at,
                until=self.at + timedelta(hours=hours),
            )

    def control(self, word: str) -> None:
        with self.session() as session:
            session.get_one(RoomRow, self.room_id).control = word

    def record(self, reports: list[ReportRow]) -> None:
        with self.session() as session:
            session.add_all(reports)


def make_engine(home: Household, settings: Settings | None = None) -> Engine:
    """An engine that sends nothing: its looks are taken by the test. Networks are loaded once for all tests."""
    engine = Engine(home.database, Broker("127.0.0.1", 1), frozen(home.at), settings or Settings())
    engine._predictor = PREDICTOR
    engine._rng = NEVER  # type: ignore[assignment]
    return engine


class Dice:
    """Draws the same number for ever: what an engine does by chance it then does always, or never."""

    def __init__(self, drawn: float) -> None:
        self._drawn = drawn

    def random(self) -> float:
        return self._drawn


def make_up(patch: pytest.MonkeyPatch, wish: Callable[[RoomView], Wish]) -> None:
    """Let rooms follow wishes that a test makes up, in the rule's place, as if none had a plan."""
    patch.setattr("control.engine._targets", lambda seen: {})
    patch.setattr("control.deciding.by_rule", lambda view, room_c, *, expected: wish(view))


def eager(view: RoomView) -> Wish:
    """Always to cool."""
    return Wish(True, Mode.COOL, view.high_c, Fan.AUTO)


def restless(view: RoomView) -> Wish:
    """Something else each time."""
    return Wish(True, Mode.COOL, 24.5 if view.setpoint_c != 24.5 else 27.0, Fan.AUTO)


ALWAYS, NEVER = Dice(0.0), Dice(1.0)
PREDICTOR = Predictor()


def look(engine: Engine, home: Household, *, later_s: float = 0.0) -> None:
    """Move the clock on, and take a look at everything."""
    home.at += timedelta(seconds=later_s)
    engine.clock = frozen(home.at)
    engine._layout_at = 0.0
    for mind in engine._rooms.values():
        mind.retry_at = 0.0  # no pause after an error
    engine.look()
    if any(mind.decide_at is None for mind in engine._rooms.values()):
        for mind in engine._rooms.values():
            mind.first_seen = 0.0  # no patience with a thermometer that has not spoken
        engine.look()  # the first look at a room only reads its history
