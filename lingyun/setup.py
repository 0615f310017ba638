"""What a first start makes: the home, its owner with a one-time setup link, and in demo mode the demo home."""

from datetime import UTC, datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import ConfigurationError
from core.settings import Settings
from storage.tables import AccountRow, DeviceStateRow, HomeRow, MembershipRow, SettingRow

CLOCK_SETTING = "clock"  # of a demo: {"text": Clock.to_text()}; a household's clock is the wall's


def ensure_home(session: Session, name: str, clock: Clock, *, time_zone: str = "UTC") -> HomeRow:
    """The home of that name, made if it is missing."""
    home = session.scalar(select(HomeRow).where(HomeRow.name == name))
    if home is None:
        home = HomeRow(name=name, time_zone=time_zone, settings={}, created_at=clock.now())
        session.add(home)
        session.flush()
    return home


def ensure_owner(session: Session, home: HomeRow) -> AccountRow | None:
    """The owner of a home, made where it has none; None where the owner has a password: nothing is left to set up."""
    owner = session.scalar(
        select(AccountRow)
        .join(MembershipRow, MembershipRow.account_id == AccountRow.id)
        .where(MembershipRow.home_id == home.id, MembershipRow.role == "owner")
    )
    if owner is None:
        owner = AccountRow(name=f"owner-of-{home.name}", password_hash=None, created_at=datetime.now(UTC))
        session.add(owner)
        session.flush()
        session.add(MembershipRow(account_id=owner.id, home_id=home.id, role="owner"))
        session.flush()
    return None if owner.password_hash is not None else owner


def local_time_zone() -> str:
    """IANA name of this machine's zone, or UTC where the machine does not say."""
    from pathlib import Path

    target = Path("/etc/localtime").resolve().as_posix()
    return target.split("/zoneinfo/", 1)[1] if "/zoneinfo/" in target else "UTC"


def save_clock(session: Session, clock: Clock) -> None:
    """Remember a demo's clock, so that other processes on this database share it."""
    session.merge(SettingRow(key=CLOCK_SETTING, value={"text": clock.to_text()}))


def find_clock(settings: Settings, database: Engine) -> Clock:
    """The clock in force: handed down by `serve`, the demo's that this database keeps, or the wall's."""
    if settings.clock is not None:
        return Clock.from_text(settings.clock)
    with Session(database) as session:
        saved = session.get(SettingRow, CLOCK_SETTING)
        return Clock.from_text(saved.value["text"]) if saved is not None else Clock.real()


def is_demo(session: Session) -> bool:
    """Whether this database holds the demo home, whose clock is not the wall's."""
    return session.get(SettingRow, CLOCK_SETTING) is not None


def refuse_mixing(session: Session, *, demo: bool) -> None:
    """Keep a demo and a household apart: they live at different times.

    Raises
    ------
    ConfigurationError
        The database holds the other of the two.
    """
    if is_demo(session) and not demo:
        raise ConfigurationError("this data directory holds a demo: add --demo, or name another one with --data-dir")
    if demo and not is_demo(session) and session.scalar(select(func.count()).select_from(HomeRow)):
        raise ConfigurationError("this data directory holds a household: a demo needs another one (--data-dir)")


def last_report_at(session: Session) -> datetime | None:
    """When the newest report of any device was measured."""
    newest: datetime | None = session.scalar(
        select(DeviceStateRow.last_report_at)
        .where(DeviceStateRow.last_report_at.is_not(None))
        .order_by(DeviceStateRow.last_report_at.desc())
        .limit(1)
    )
    return newest
