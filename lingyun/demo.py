"""The demo: its home is seeded, its history taken in as any device's messages are, and its devices started."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.logging import get_logger
from core.mqtt import Broker
from core.settings import Settings
from lingyun.broker import start_child, stop_child
from lingyun.setup import ensure_home, ensure_owner, last_report_at, save_clock
from storage.tables import HomeRow

log = get_logger(__name__)

HISTORY_DAYS = 30


def prepare_demo(settings: Settings, database: Engine, broker: Broker, *, speed: float, seed: int) -> Clock:
    """Seed the demo home and take in its history at the first start; at later ones, go on where it stopped.

    Returns
    -------
    Clock
        The demo's clock, started now and kept in the database for other processes.
    """
    from simulator.fleet.manifest import start_instant

    with Session(database) as session:
        seeded = session.scalar(select(HomeRow).where(HomeRow.name == settings.home)) is not None
        newest = last_report_at(session)
    if not seeded:
        start = start_instant(seed)
        seed_home(settings, database, Clock.starting_at(start, speed), seed)
        take_in_history(settings, database, broker, start_s=start.timestamp(), seed=seed)
    elif newest is not None:
        start = newest + timedelta(seconds=1)
    else:
        start = start_instant(seed)
    clock = Clock.starting_at(start, speed)
    with Session(database) as session, session.begin():
        save_clock(session, clock)
    return clock
