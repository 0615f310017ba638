"""Every table. An instant is stored as microseconds since 1970 (UTC) in both databases: exact, ordered, small."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, Index, Integer, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from core.units import from_epoch_us, to_epoch_us

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only INTEGER keys


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant as BIGINT microseconds; refuses naive values, returns UTC ones."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Microseconds of an aware instant."""
        return None if value is None else to_epoch_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The UTC instant of microseconds."""
        return None if value is None else from_epoch_us(value)


Json = dict[str, Any]


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)  # so that Alembic can drop what it made
    type_annotation_map = {datetime: UtcDateTime, Json: JSON, list[Any]: JSON}  # noqa: RUF012 SQLAlchemy's own form


# --- who and where ---


class HomeRow(Base):
    """A household."""

    __tablename__ = "home"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")  # IANA
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    currency: Mapped[str] = mapped_column(String(3), default="CNY")  # ISO 4217
    carbon_kg_per_kwh: Mapped[float | None]
    settings: Mapped[Json] = mapped_column(default=dict)  # quiet hours, limits, objective
    created_at: Mapped[datetime]


class AccountRow(Base):
    """A person who can log in."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))  # argon2; null until the setup link is used
    created_at: Mapped[datetime]


class MembershipRow(Base):
    """What an account may do in a home."""

    __tablename__ = "membership"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))  # owner, member, guest, installer, operator


class TokenRow(Base):
    """A bearer token; only its SHA-256 is kept (it is long and random, so no slow hash is needed)."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))  # api, session, setup
    home_id: Mapped[int | None] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(20))
    label: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]  # wall time, as all of this table
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class RoomRow(Base):
    """A room of a home."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("home_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    control: Mapped[str] = mapped_column(String(20), default="auto")  # auto, shadow, ab, off
    objective: Mapped[str | None] = mapped_column(String(20))  # save, comfort, green; null: the home's


class ApplianceRow(Base):
    """What the history belongs to: it survives a swapped plug."""

    __tablename__ = "appliance"
    __table_args__ = (Index(None, "home_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    rated_power_w: Mapped[float | None]


class DeviceRow(Base):
    """A thing that speaks MQTT, keyed by its own hardware identity, never by a name that a person can change."""

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("home_id", "dialect", "native_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    dialect: Mapped[str] = mapped_column(String(32))
    native_id: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    manufacturer: Mapped[str | None] = mapped_column(String(100))
    model: Mapped[str | None] = mapped_column(String(100))
    firmware: Mapped[str | None] = mapped_column(String(100))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id", ondelete="SET NULL"))
    appliance_id: Mapped[int | None] = mapped_column(ForeignKey("appliance.id", ondelete="SET NULL"))
    capabilities: Mapped[Json | None]
    details: Mapped[Json] = mapped_column(default=dict)  # the dialect's memory, see devices.base.Announcement
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


# --- what was said ---


class ReportRow(Base):
    """One report of one device; a quantity that it did not name is null."""

    __tablename__ = "report"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 SQLAlchemy's own form

    measured_at: Mapped[datetime] = mapped_column(primary_key=True)  # first: rows append; 15 times the ingest speed
    device_id: Mapped[int] = mapped_column(
        BigId, primary_key=True
    )  # no foreign key: checked once per device, not per row
    received_at: Mapped[datetime]
    own_time: Mapped[bool]  # measured_at is the device's own, not the receipt's
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)  # of topic and payload, where own_time is false
    repeated: Mapped[bool]  # without own time, and redelivered or seen before: proves nothing about a counter
    power_w: Mapped[float | None]
    energy_total_kwh: Mapped[float | None]
    voltage_v: Mapped[float | None]
    current_a: Mapped[float | None]
    room_temperature_c: Mapped[float | None]
    humidity_pct: Mapped[float | None]
    outdoor_temperature_c: Mapped[float | None]
    solar_w_m2: Mapped[float | None]
    wind_m_s: Mapped[float | None]
    co2_ppm: Mapped[float | None]
    illuminance_lx: Mapped[float | None]
    heat_w: Mapped[float | None]
    supply_temperature_c: Mapped[float | None]
    setpoint_c: Mapped[float | None]
    occupied: Mapped[bool | None]
    on: Mapped[bool | None]
    mode: Mapped[str | None] = mapped_column(String(10))
    fan: Mapped[str | None] = mapped_column(String(10))


class DeviceStateRow(Base):
    """The newest of every quantity of a device, and where its energy ledger stands."""

    __tablename__ = "device_state"

    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    online: Mapped[bool | None]
    last_report_at: Mapped[datetime | None]  # newest measured_at
    values: Mapped[Json] = mapped_column(default=dict)  # {quantity: [value, measured_at in microseconds]}
    ledger: Mapped[Json] = mapped_column(default=dict)  # state of insights.ledger's fold
    report_count: Mapped[int] = mapped_column(BigInteger, default=0)  # stored rows, each counted once


class LedgerCheckpointRow(Base):
    """The ledger of a device before its first reading of a UTC day: a late reading is folded in from there."""

    __tablename__ = "ledger_checkpoint"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    device_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)  # start of the day
    state: Mapped[Json]


class UsageQuarterRow(Base):
    """The ledger of energy: 15 minutes of one device by one source; hours and days derive from it."""

    __tablename__ = "usage_quarter"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    start_at: Mapped[datetime] = mapped_column(primary_key=True)  # a quarter of an hour, UTC
    device_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(10), primary_key=True)  # counter, integrated
    energy_kwh: Mapped[float]
    covered_s: Mapped[float]


class UsageHourRow(Base):
    """Sums of quarters by UTC hour."""

    __tablename__ = "usage_hour"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    device_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    start_at: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(10), primary_key=True)
    energy_kwh: Mapped[float]
    covered_s: Mapped[float]


class UsageDayRow(Base):
    """Sums of quarters by day of the home's zone."""

    __tablename__ = "usage_day"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    device_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # YYYY-MM-DD, local
    source: Mapped[str] = mapped_column(String(10), primary_key=True)
    energy_kwh: Mapped[float]
    covered_s: Mapped[float]


class QuarantineRow(Base):
    """A message that could not be read; the newest are kept, all are counted."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    received_at: Mapped[datetime]
    topic: Mapped[str] = mapped_column(String(512))
    payload: Mapped[str] = mapped_column(String(2048))  # beginning, escaped
    reason: Mapped[str] = mapped_column(String(512))


class CounterRow(Base):
    """Things counted for ever: messages stored, ignored, quarantined."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


# --- control ---


class CommandRow(Base):
    """The command ledger: queued > sent > acknowledged > observed, or failed, or expired."""

    __tablename__ = "command"
    __table_args__ = (
        UniqueConstraint("home_id", "idempotency_key"),
        Index(None, "state"),
        Index(None, "device_id", "queued_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"))
    requested_by: Mapped[str] = mapped_column(String(20))  # engine, person
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[Json]  # core.words.Command.as_dict
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    observed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(String(500))


class DecisionRow(Base):
    """What the engine saw, expected, chose, and why."""

    __tablename__ = "decision"
    __table_args__ = (Index(None, "room_id", "decided_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime]
    controller: Mapped[str] = mapped_column(String(20))  # policy (a plan), rule, conventional, override, off
    control: Mapped[str | None] = mapped_column(String(20))  # in force in the room then: auto, shadow, ab, off
    saw: Mapped[Json]
    outlook: Mapped[Json]
    proposed: Mapped[Json]  # what was wished before the guard
    action: Mapped[Json]  # after the guard
    guard: Mapped[list[Any]]  # rules that changed the wish, in order
    reason: Mapped[Json]  # {"code", "values"}: a sentence in any language
    command_id: Mapped[int | None] = mapped_column(ForeignKey("command.id", ondelete="SET NULL"))


class OverrideRow(Base):
    """A manual change, wherever made; it wins until ``until``."""

    __tablename__ = "override"
    __table_args__ = (Index(None, "room_id", "started_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    origin: Mapped[str] = mapped_column(String(20))  # device, rest
    target: Mapped[Json]  # core.words.Command.as_dict
    started_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class KillSwitchRow(Base):
    """A time in which the engine was kept away from a home, or from every home."""

    __tablename__ = "kill_switch"
    __table_args__ = (Index(None, "released_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int | None] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))  # null: every home
    engaged_at: Mapped[datetime]
    engaged_by: Mapped[str | None] = mapped_column(String(200))  # name of the account; null: a program
    released_at: Mapped[datetime | None]  # null: it holds


class TrialRow(Base):
    """A comparison in one room: on some days the engine steers, on the others the household's own program."""

    __tablename__ = "trial"
    __table_args__ = (Index(None, "room_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    seed: Mapped[int] = mapped_column(BigInteger)  # of the schedule
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class TrialDayRow(Base):
    """Who steers a room on a local day of a trial; written before the day is steered, and never changed."""

    __tablename__ = "trial_day"

    trial_id: Mapped[int] = mapped_column(ForeignKey("trial.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # YYYY-MM-DD, local
    arm: Mapped[str] = mapped_column(String(20))  # engine, conventional
    start_at: Mapped[datetime]  # local midnights
    end_at: Mapped[datetime]
    assigned_at: Mapped[datetime]


class LearnedRow(Base):
    """What the engine has learned of a home or a room: comfort, presence, predictor state."""

    __tablename__ = "learned"

    scope: Mapped[str] = mapped_column(String(10), primary_key=True)  # home, room
    scope_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[Json]
    updated_at: Mapped[datetime]


class TariffRow(Base):
    """Prices of a home from a day on."""

    __tablename__ = "tariff"
    __table_args__ = (UniqueConstraint("home_id", "valid_from"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(ForeignKey("home.id", ondelete="CASCADE"))
    valid_from: Mapped[datetime]
    document: Mapped[Json]  # insights.tariff.Tariff
    source: Mapped[str | None] = mapped_column(String(500))


# --- between processes ---


class EventRow(Base):
    """The live event bus: whoever streams reads on from the last id it sent. Old rows are pruned."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "home_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    home_id: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(20))  # device, command, decision, override, home
    data: Mapped[Json]


class SettingRow(Base):
    """Facts of this installation, such as its clock."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Json]
