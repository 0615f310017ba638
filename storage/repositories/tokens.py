"""Bearer tokens: long and random, so their SHA-256 is what is kept and looked up. All times here are the wall's."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.words import Scope
from storage.tables import AccountRow, HomeRow, TokenRow

API, SESSION, SETUP = "api", "session", "setup"
SESSION_LIFETIME = timedelta(days=30)
SETUP_LIFETIME = timedelta(days=7)


def create_setup_token(session: Session, home: HomeRow, account: AccountRow) -> str:
    """A token that sets an account's name and password, once, within seven days; earlier ones end."""
    session.execute(delete(TokenRow).where(TokenRow.purpose == SETUP, TokenRow.account_id == account.id))
    return _create(session, SETUP, Scope.ADMIN, home_id=home.id, account_id=account.id, lifetime=SETUP_LIFETIME)


def create_api_token(session: Session, home: HomeRow, scope: Scope, label: str | None = None) -> str:
    """A program's token for one home; it holds until it is revoked and is not shown again."""
    return _create(session, API, scope, home_id=home.id, label=label)


def create_session_token(session: Session, account: AccountRow) -> str:
    """A person's token after a login; it reaches what the account reaches."""
    return _create(session, SESSION, Scope.ADMIN, account_id=account.id, lifetime=SESSION_LIFETIME)


def find_token(session: Session, token: str, purposes: tuple[str, ...], *, lock: bool = False) -> TokenRow | None:
    """The row of a token that is in force; ``lock`` keeps others from using it up at the same time."""
    now = datetime.now(UTC)
    query = select(TokenRow).where(TokenRow.sha256 == _sha256(token), TokenRow.purpose.in_(purposes))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return row


def revoke_token(row: TokenRow) -> None:
    """The token is refused from now on."""
    row.revoked_at = datetime.now(UTC)


def revoke_session(session: Session, token_id: int) -> None:
    """End a person's session; a program's token is not ended so."""
    row = session.get(TokenRow, token_id)
    if row is not None and row.purpose == SESSION:
        revoke_token(row)


def take_setup_token(session: Session, token: str) -> AccountRow | None:
    """The account of a setup token, which is used up by this; None where it is not valid."""
    row = find_token(session, token, (SETUP,), lock=True)
    if row is None or row.account_id is None:
        return None
    row.used_at = datetime.now(UTC)
    revoke_token(row)
    return session.get(AccountRow, row.account_id)


def _create(
    session: Session,
    purpose: str,
    scope: Scope,
    *,
    home_id: int | None = None,
    account_id: int | None = None,
    label: str | None = None,
    lifetime: timedelta | None = None,
) -> str:
    token = f"ly_{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC)
    session.add(
        TokenRow(
            sha256=_sha256(token),
            purpose=purpose,
            home_id=home_id,
            account_id=account_id,
            scope=scope.value,
            label=label,
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
    )
    session.flush()
    return token


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
