"""How many rooms the engine can look after with one CPU second.

A fleet of homes in a database on disk, each with one room, an air conditioner, a thermometer indoors and one outdoors,
and a television. The engine is the one of the service; only its clock is moved by hand, a quarter of an hour at a time,
and the units do what they are told. A cycle is one look at which every room is due: its reports are read, the predictor
takes its step and looks ahead, the policy wishes, the guard checks, and decision, reason and command are committed.
"""

import logging
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine as Database
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from control.engine import Engine
from core.clock import Clock
from core.logging import configure_logging
from core.mqtt import Broker
from core.settings import Settings
from core.units import to_epoch_us
from core.words import CommandState
from storage.database import migrate, open_database
from storage.tables import ApplianceRow, CommandRow, DecisionRow, DeviceRow, DeviceStateRow, HomeRow, RoomRow

BEGIN = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)  # noon in Shanghai, a working day
QUARTER = timedelta(minutes=15)
STILL = 1e-9  # pace of a clock that the benchmark moves by hand
UNIT = {
    "setpoint_min_c": 16.0,
    "setpoint_max_c": 30.0,
    "setpoint_step_k": 0.5,
    "modes": ["cool", "heat", "dry"],
    "fans": ["auto", "low", "high"],
}
KINDS = ("air_conditioner", "thermometer", "outdoor", "plug")  # of the devices of a home, in the order of their ids
WARM_UP = 8  # cycles before the measured ones
TIME_CONSTANT_H, COOLED_K_PER_H, POWER_W = 6.0, 2.5, 700.0  # of the rooms, and what a running unit does


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """What the cycles took."""

    rooms: int
    cycles: int
    decisions: int
    cpu_s: float
    wall_s: float
    rooms_per_cpu_s: int
    us_per_room_by_stage: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        stages = ", ".join(f"{stage} {us}" for stage, us in self.us_per_room_by_stage.items())
        return (
            f"{self.rooms_per_cpu_s:,} rooms a CPU second: {self.rooms:,} rooms, {self.cycles} cycles in "
            f"{self.cpu_s:.1f} s of CPU, {self.wall_s:.1f} s of wall\nus of CPU a room and cycle: {stages}"
        )


class Fleet:
    """The homes: their rooms warm up, and their units do what is queued."""

    def __init__(self, database: Database, rooms: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.database, self.rooms, self.at = database, rooms, BEGIN
        self._room_c = rng.normal(28.0, 1.5, rooms)
        self._home_from = rng.integers(0, 24, rooms)  # hour from which the television runs, for twelve hours
        self._unit: list[dict[str, Any]] = [
            {"on": False, "mode": "cool", "setpoint_c": 26.0, "fan": "auto"} for _ in range(rooms)
        ]
        self._build()
        self.report()

    def _build(self) -> None:
        ids = range(1, self.rooms + 1)
        things = [(home, 4 * (home - 1) + 1 + place, kind) for home in ids for place, kind in enumerate(KINDS)]
        with Session(self.database) as session, session.begin():
            session.execute(
                insert(HomeRow),
                [
                    {"id": i, "name": f"home {i}", "time_zone": "Asia/Shanghai", "settings": {}, "created_at": BEGIN}
                    for i in ids
                ],
            )
            session.execute(insert(RoomRow), [{"id": i, "home_id": i, "name": "room", "control": "auto"} for i in ids])
            session.execute(insert(ApplianceRow), [_appliance(*thing) for thing in things])
            session.execute(insert(DeviceRow), [_device(*thing) for thing in things])
            session.execute(insert(DecisionRow), [_old_decision(i) for i in ids])
            session.execute(
                insert(DeviceStateRow),
                [
                    {"device_id": device_id, "online": True, "values": {}, "ledger": {}, "report_count": 0}
                    for _, device_id, _ in things
                ],
            )

    def pass_quarter(self) -> None:
        """Units obey, rooms follow, and everything is reported."""
        self.at += QUARTER
        self._obey()
        on = np.array([unit["on"] for unit in self._unit])
        setpoint_c = np.array([unit["setpoint_c"] or 26.0 for unit in self._unit])
        self._room_c += 0.25 * (self._outdoor_c() - self._room_c) / TIME_CONSTANT_H
        cooled_c = np.maximum(np.minimum(self._room_c, setpoint_c), self._room_c - 0.25 * COOLED_K_PER_H)
        self._room_c = np.where(on, cooled_c, self._room_c)
        self.report()

    def report(self) -> None:
        """Every device says what it measures."""
        at_us = to_epoch_us(self.at)
        hour = self.at.hour + 8
        outdoor_c = self._outdoor_c()
        values: list[dict[str, Any]] = []
        for unit, room_c, since in zip(self._unit, self._room_c, self._home_from, strict=True):
            watching = (hour - since) % 24 < 12
            values.append({**unit, "power_w": POWER_W if unit["on"] else 5.0, "room_temperature_c": float(room_c)})
            values.append({"room_temperature_c": round(float(room_c), 1), "humidity_pct": 60.0})
            values.append({"room_temperature_c": outdoor_c})
            values.append({"power_w": 90.0 if watching else 1.0})
        rows = [
            {
                "device_id": device_id,
                "values": {name: [value, at_us] for name, value in said.items()},
                "last_report_at": self.at,
                "report_count": at_us // 1_000_000,
            }
            for device_id, said in enumerate(values, start=1)
        ]
        with Session(self.database) as session, session.begin():
            session.execute(update(DeviceStateRow), rows)

    def _obey(self) -> None:
        with Session(self.database) as session, session.begin():
            queued = select(CommandRow).where(CommandRow.state == CommandState.QUEUED)
            for row in session.scalars(queued):
                self._unit[(row.device_id - 1) // len(KINDS)].update(row.body)
                row.state, row.attempts = CommandState.OBSERVED, 1
                row.sent_at = row.observed_at = row.ended_at = self.at

    def _outdoor_c(self) -> float:
        return 31.0 + 4.0 * math.cos(2.0 * math.pi * (self.at.hour + self.at.minute / 60.0 - 7.0) / 24.0)


def measure(rooms: int, cycles: int, seed: int, tell: Callable[[str], None]) -> EngineLoad:
    """Let the engine look after a fleet for some cycles, all rooms at each; its log goes to a file."""
    with _database() as (database, folder), _logging_to(folder / "log"):
        tell(f"{rooms} homes are built")
        fleet = Fleet(database, rooms, seed)
        engine = Engine(database, Broker("127.0.0.1", 1), _clock(fleet.at), Settings())
        engine.look()  # reads the history of every room
        for number in range(WARM_UP):
            tell(f"warming up: cycle {number + 1} of {WARM_UP}")
            _cycle(engine, fleet)
        engine.cpu_s.clear()
        before, cpu_s, wall_s = _decisions(database), 0.0, 0.0
        for number in range(cycles):
            tell(f"measuring: cycle {number + 1} of {cycles}")
            more_cpu_s, more_wall_s = _cycle(engine, fleet)
            cpu_s, wall_s = cpu_s + more_cpu_s, wall_s + more_wall_s
        decisions = _decisions(database) - before
    done = rooms * cycles
    by_stage = {stage: round(1e6 * stage_s / done) for stage, stage_s in engine.cpu_s.items()}
    return EngineLoad(rooms, cycles, decisions, round(cpu_s, 3), round(wall_s, 3), round(done / cpu_s), by_stage)


def _cycle(engine: Engine, fleet: Fleet) -> tuple[float, float]:
    """A quarter of an hour of the fleet, and the engine's look at its end; what that took of CPU and wall. [s]"""
    fleet.pass_quarter()
    engine.clock = _clock(fleet.at)
    cpu_s, wall_s = time.process_time(), time.monotonic()
    engine.look()
    return time.process_time() - cpu_s, time.monotonic() - wall_s


@contextmanager
def _database() -> Iterator[tuple[Database, Path]]:
    with tempfile.TemporaryDirectory(prefix="lingyun-load-") as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'lingyun.db'}")
        migrate(database)
        yield database, Path(folder)
        database.dispose()


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging(json_lines=True)
    with path.open("w", encoding="utf-8") as file:
        for handler in root.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(file)
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)


def _clock(at: datetime) -> Clock:
    return Clock(at, STILL, datetime.now(UTC))


def _decisions(database: Database) -> int:
    with Session(database) as session:
        return session.scalar(select(func.count()).select_from(DecisionRow)) or 0


def _appliance(home_id: int, device_id: int, kind: str) -> dict[str, Any]:
    indoors = kind != "outdoor"
    name, kind = kind, "thermometer" if kind == "outdoor" else kind
    return {"id": device_id, "home_id": home_id, "room_id": home_id if indoors else None, "kind": kind, "name": name}


def _old_decision(room_id: int) -> dict[str, Any]:
    """The engine has steered the room for some days: its history from before is not read again every hour."""
    empty: dict[str, Any] = {"saw": {}, "outlook": {}, "proposed": {}, "action": {}, "guard": [], "reason": {}}
    return {"room_id": room_id, "decided_at": BEGIN - timedelta(days=3), "controller": "policy", **empty}


def _device(home_id: int, device_id: int, kind: str) -> dict[str, Any]:
    return {
        **_appliance(home_id, device_id, kind),
        "dialect": "native",
        "native_id": f"{kind} {home_id}",
        "appliance_id": device_id,
        "capabilities": UNIT if kind == "air_conditioner" else None,
        "details": {},
        "created_at": BEGIN,
    }
