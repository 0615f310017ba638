"""The demo: its home is seeded, its history taken in as any device's messages are, and its devices started."""

import contextlib
import fcntl
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import ConfigurationError
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from devices.base import Message
from lingyun.broker import start_child, stop_child
from lingyun.setup import ensure_home, ensure_owner, last_report_at, save_clock
from simulator.fleet.manifest import DEMO_HOME, DemoDevice, start_instant
from storage.database import migrate
from storage.tables import ApplianceRow, DeviceRow, RoomRow, SettingRow

log = get_logger(__name__)

HISTORY_DAYS = 30
PIPE_BYTES = 1 << 20  # the most that Linux gives without privileges
HISTORY_SETTING = "demo_history"  # there once it is taken in whole
CARBON_KG_PER_KWH = 0.5306  # China's average grid factor of 2023, published 2026-01 by MEE and NBS
PLAIN = {"NUMBA_DISABLE_JIT": "1"}  # three rooms are stepped long before anything is compiled
TARIFF = "shanghai_time_of_use"


def prepare_demo(settings: Settings, database: Engine, broker: Broker, *, speed: float, seed: int) -> Clock:
    """Seed the demo home and take in its history at the first start; at later ones, go on where it stopped.

    Returns
    -------
    Clock
        The demo's clock, started now and kept in the database for other processes.
    """
    start = start_instant(seed)
    with Session(database) as session:
        complete = session.get(SettingRow, HISTORY_SETTING) is not None
        newest = last_report_at(session)
    if complete and newest is not None:
        start = newest + timedelta(seconds=1)
    else:
        migrate(database, "base")  # what an interrupted first start left behind; the database is the demo's alone
        migrate(database)
        seed_home(database, start)
        take_in_history(settings, database, broker, until=start, seed=seed)
        with Session(database) as session, session.begin():
            session.add(SettingRow(key=HISTORY_SETTING, value={"days": HISTORY_DAYS}))
    clock = Clock.starting_at(start, speed)
    with Session(database) as session, session.begin():
        save_clock(session, clock)
    return clock


def seed_home(database: Engine, start: datetime) -> None:
    """What a household would have set up: rooms, which device stands where, the tariff."""
    from insights.tariff import load_document
    from storage.repositories.tariffs import set_tariff

    began_at = start - timedelta(days=HISTORY_DAYS + 1)
    clock = Clock.starting_at(began_at, 1.0)
    with Session(database) as session, session.begin():
        home = ensure_home(session, DEMO_HOME.name, clock, time_zone=DEMO_HOME.time_zone)
        home.latitude, home.longitude, home.currency = DEMO_HOME.latitude, DEMO_HOME.longitude, DEMO_HOME.currency
        home.carbon_kg_per_kwh = CARBON_KG_PER_KWH
        ensure_owner(session, home)
        rooms = {name: RoomRow(home_id=home.id, name=name) for name in DEMO_HOME.rooms}
        session.add_all(rooms.values())
        session.flush()
        appliances: dict[str, ApplianceRow] = {}
        for device in DEMO_HOME.devices:
            room_id = rooms[device.room].id if device.room else None
            appliance = appliances.get(device.appliance)
            if appliance is None:
                appliance = appliances[device.appliance] = appliance_row(device, home.id, room_id)
                session.add(appliance)
                session.flush()
            session.add(device_row(device, home.id, room_id, appliance.id, began_at))
        document = load_document(TARIFF)
        set_tariff(session, home.id, began_at, document, document.get("source"))
        save_clock(session, clock)


def appliance_row(device: DemoDevice, home_id: int, room_id: int | None) -> ApplianceRow:
    """The appliance of a device."""
    return ApplianceRow(
        home_id=home_id,
        room_id=room_id,
        kind=device.appliance_kind,
        name=device.appliance,
        rated_power_w=device.rated_power_w,
    )


def device_row(device: DemoDevice, home_id: int, room_id: int | None, appliance_id: int, at: datetime) -> DeviceRow:
    """A device as its first announcement would have made it, put in its room."""
    return DeviceRow(
        home_id=home_id,
        dialect=device.dialect,
        native_id=device.native_id,
        kind=device.kind,
        name=device.name,
        manufacturer=device.manufacturer,
        model=device.model,
        room_id=room_id,
        appliance_id=appliance_id,
        capabilities=None if device.capabilities is None else asdict(device.capabilities),
        details={"topic": device.topic, **device.details},
        created_at=at,
    )


def take_in_history(settings: Settings, database: Engine, broker: Broker, *, until: datetime, seed: int) -> None:
    """Let the simulated household live its last month, and store what its devices say by the intake's own code.

    Raises
    ------
    ConfigurationError
        The simulator failed; its own words are on standard error.
    """
    from devices.registry import Registry
    from intake.service import Intake
    from simulator.fleet.history import read

    intake = Intake(database, broker, Clock.starting_at(until, 1.0), settings, Registry())
    simulator = start_child(
        [
            *demo_home_command(settings.data_dir, seed),
            "--history-days",
            str(HISTORY_DAYS),
            "--until",
            until.isoformat(),
        ],
        PLAIN,
        stdout=subprocess.PIPE,
    )
    try:
        with cast(BinaryIO, simulator.stdout) as stream:
            if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux: room for what is simulated while the last part is stored
                fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            intake.take_in(shown(read(stream), until))
        if simulator.wait() != 0:
            raise ConfigurationError(f"the demo home's history failed with status {simulator.returncode}")
    finally:
        stop_child(simulator)


@contextlib.contextmanager
def start_demo_home(settings: Settings, clock: Clock, *, seed: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the demo home beside us; it speaks over the broker only."""
    command = [*demo_home_command(settings.data_dir, seed), "--clock", clock.to_text()]
    process = start_child(command, PLAIN)
    try:
        yield process
    finally:
        stop_child(process)


def demo_home_command(data_dir: Path, seed: int) -> list[str]:
    """The demo home's command line; it reads its password from the data directory."""
    return [sys.executable, "-m", "simulator.fleet", "demo-home", "--seed", str(seed), "--data-dir", str(data_dir)]


def shown(records: Iterable[tuple[datetime, str, bytes, bool]], until: datetime) -> Iterator[tuple[datetime, Message]]:
    """The messages, with a progress bar on a terminal and a line every ten days in a pipe."""
    began_at = until - timedelta(days=HISTORY_DAYS)
    day = -1
    console = Console(stderr=True)
    columns = (TextColumn("Thirty days of history"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("history", total=HISTORY_DAYS)
        for received_at, topic, payload, retained in records:
            passed = (received_at - began_at).days
            if passed != day:
                day = passed
                progress.update(task, completed=day)
                if day % 10 == 0 and not console.is_terminal:
                    log.info("history", day=day, of=HISTORY_DAYS)
            yield received_at, Message(topic, payload, retained=retained)
