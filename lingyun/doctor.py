"""``lingyun doctor``: look at an installation as a friend who knows would, and say what is wrong in plain words."""

import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import ConfigurationError
from core.mqtt import broker_file, find_broker
from core.settings import Settings
from lingyun.broker import check_login
from lingyun.setup import find_clock
from storage.database import open_database, read_only
from storage.tables import CounterRow, DeviceRow, DeviceStateRow, HomeRow, QuarantineRow

LOW_DISK_BYTES = 500_000_000
SILENT_AFTER = timedelta(hours=26)  # battery sensors speak about hourly, a forgotten one at least daily
LOG_TAIL_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    ok: bool
    detail: str

    def as_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'BAD '} {self.subject}: {self.detail}"


def examine(settings: Settings) -> list[Finding]:
    """Every finding of one installation, good and bad; what cannot be looked at is a bad one."""
    return [*_data_dir(settings.data_dir), *_broker(settings), *_database(settings)]


def _data_dir(data_dir: Path) -> Iterator[Finding]:
    if not data_dir.is_dir():
        yield Finding("data directory", False, f"{data_dir} does not exist: nothing was ever started with it")
        return
    free = shutil.disk_usage(data_dir).free
    yield Finding(
        "disk",
        free > LOW_DISK_BYTES,
        f"{free / 1e9:.1f} GB free" + ("" if free > LOW_DISK_BYTES else ": make room, or storing will stop soon"),
    )
    secret = broker_file(data_dir)
    if secret.exists():
        closed = not secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        yield Finding("passwords", closed, "readable by their owner alone" if closed else f"run: chmod 600 {secret}")


def _broker(settings: Settings) -> Iterator[Finding]:
    try:
        broker = find_broker(settings, "service")
    except ConfigurationError as error:
        yield Finding("broker", False, str(error))
        return
    problem = check_login(broker)
    if problem is not None and settings.mqtt_url is None:
        problem += "; `lingyun serve` does not seem to run"
    yield Finding("broker", problem is None, problem or f"{broker.host}:{broker.port} lets us in")
    if settings.mqtt_url is None:
        yield Finding("durability", True, "the embedded broker writes each message to disk before it is acknowledged")
        yield from _broker_log(settings.data_dir / "broker" / "nats.log")


def _broker_log(path: Path) -> Iterator[Finding]:
    """Signs that only the server's log shows: a denied publish is acknowledged and dropped without a word."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    denied = [line for line in lines if "Publish Violation" in line]
    if denied:
        yield Finding(
            "permissions", False, f"{len(denied)} messages were refused by the broker, the last: {denied[-1]}"
        )
    spaced = [line for line in lines if re.search(r"invalid character|spaces? not (allowed|supported)", line, re.I)]
    if spaced:
        yield Finding(
            "topics",
            False,
            "a device publishes on a topic with a space, which this broker cannot carry; it is cut off each time. "
            "Rename the device (in Zigbee2MQTT: its friendly name), or use your own Mosquitto with LINGYUN_MQTT_URL.",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        database = open_database(settings.database())
        with Session(read_only(database)) as session:
            homes = session.scalar(select(func.count()).select_from(HomeRow))
    except (SQLAlchemyError, OSError) as error:
        yield Finding("database", False, f"cannot be read: {str(error).splitlines()[0]}")
        return
    yield Finding("database", True, f"{database.dialect.name}, {homes} home(s)")
    yield from _devices(settings, database)


def _devices(settings: Settings, database: Engine) -> Iterator[Finding]:
    now = find_clock(settings, database).now()
    with Session(read_only(database)) as session:
        rows = session.execute(
            select(DeviceRow.name, DeviceStateRow.last_report_at)
            .outerjoin(DeviceStateRow, DeviceStateRow.device_id == DeviceRow.id)
            .where(DeviceRow.removed_at.is_(None))
        ).all()
        stored = session.scalar(select(CounterRow.value).where(CounterRow.name == "reports_stored")) or 0
        quarantined = session.scalar(select(CounterRow.value).where(CounterRow.name == "messages_quarantined")) or 0
        newest = session.scalar(select(QuarantineRow).order_by(QuarantineRow.id.desc()).limit(1))
        detail = "" if newest is None else f"; the newest on {newest.topic!r}: {newest.reason}"
    silent = sorted(name for name, at in rows if at is None or now - at > SILENT_AFTER)
    yield Finding("devices", bool(rows), f"{len(rows)} known" if rows else "none has spoken yet")
    if silent:
        yield Finding("silent devices", False, f"not heard for over a day: {', '.join(silent[:10])}")
    yield Finding("messages", True, f"{stored} reports stored, {quarantined} messages could not be read{detail}")
