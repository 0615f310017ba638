"""People who can log in, and which homes they reach."""

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.words import Scope
from storage.tables import AccountRow, HomeRow, MembershipRow

SCOPE_OF_ROLE = {
    "owner": Scope.ADMIN,
    "operator": Scope.ADMIN,
    "installer": Scope.ADMIN,
    "member": Scope.CONTROL,
    "guest": Scope.READ,
}


def find_account(session: Session, name: str) -> AccountRow | None:
    """The account of that name."""
    return session.scalar(select(AccountRow).where(AccountRow.name == name))


def homes_of_account(session: Session, account_id: int) -> dict[int, Scope]:
    """What an account may do, by home.

    A home that nobody belongs to (a replayed one, say) is its to administer who came first to this installation.
    """
    rows = session.execute(
        select(MembershipRow.home_id, MembershipRow.role).where(MembershipRow.account_id == account_id)
    )
    homes = {home_id: SCOPE_OF_ROLE.get(role, Scope.READ) for home_id, role in rows}
    if session.scalar(select(func.min(AccountRow.id))) == account_id:
        nobodys = select(HomeRow.id).where(~exists().where(MembershipRow.home_id == HomeRow.id))
        homes |= dict.fromkeys(session.scalars(nobodys), Scope.ADMIN)
    return homes
