"""Prices of homes, each version from an instant on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables import Json, TariffRow


def set_tariff(
    session: Session, home_id: int, valid_from: datetime, document: Json, source: str | None = None
) -> TariffRow:
    """The home's prices from ``valid_from`` (a local midnight) until the next version; replaces one of that instant.

    Parameters
    ----------
    document : dict
        As ``insights.tariff.read_tariff`` reads it; the caller has checked it.
    """
    row = session.scalar(
        select(TariffRow).where(TariffRow.home_id == home_id, TariffRow.valid_from == valid_from.astimezone(UTC))
    )
    if row is None:
        row = TariffRow(home_id=home_id, valid_from=valid_from.astimezone(UTC), document=document, source=source)
        session.add(row)
    row.document, row.source = document, source
    session.flush()
    return row


def tariffs_of_home(session: Session, home_id: int) -> Sequence[TariffRow]:
    """Every version, oldest first."""
    return session.scalars(select(TariffRow).where(TariffRow.home_id == home_id).order_by(TariffRow.valid_from)).all()
