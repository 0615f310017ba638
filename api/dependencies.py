"""What a handler is given: one transaction, the caller, the home's present; and how far the caller reaches."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api import security
from api.openapi import operation_of
from api.schemas import LARGEST_ID
from api.views import Present
from core.clock import Clock
from core.errors import AppError, Forbidden, NotFound, Unauthenticated
from core.settings import Settings
from core.words import Scope
from storage.database import read_only
from storage.repositories import accounts, fleet, homes, tokens
from storage.tables import AccountRow, CommandRow, DeviceRow, HomeRow, RoomRow

DEMO_HOME = "demo"
RANK = {Scope.READ: 0, Scope.CONTROL: 1, Scope.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Context:
    """What the application was made with."""

    database: Engine
    clock: Clock
    settings: Settings
    demo: bool
    limiter: security.LoginLimiter


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody without a credential, at an address."""

    database: Engine
    limiter: security.LoginLimiter
    address: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do by home."""

    name: str | None
    homes: dict[int, Scope]
    demo: bool = False
    token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One request's transaction, its caller and the present of the home's clock."""

    session: Session
    caller: Caller
    present: Present
    settings: Settings
    language: str = "en"

    @property
    def now(self) -> datetime:
        """The present instant of the home's clock."""
        return self.present.now

    def home(self, reference: str, scope: Scope) -> HomeRow:
        """A home that the caller reaches so far.

        Raises
        ------
        NotFound
            There is none, or the caller may not know of it.
        Forbidden
            The caller may see it and not do this.
        """
        home = homes.find_home(self.session, reference)
        self._check(None if home is None else home.id, scope, f"home {reference!r}")
        assert home is not None
        return home

    def room(self, room_id: int, scope: Scope) -> RoomRow:
        """A room; errors as ``home``."""
        room = self.session.get(RoomRow, room_id)
        self._check(None if room is None else room.home_id, scope, f"room {room_id}")
        assert room is not None
        return room

    def device(self, device_id: int, scope: Scope) -> DeviceRow:
        """A device that is not removed; errors as ``home``."""
        device = self.session.get(DeviceRow, device_id)
        known = device is not None and device.removed_at is None
        self._check(device.home_id if device is not None and known else None, scope, f"device {device_id}")
        assert device is not None
        return device

    def command(self, command_id: int, scope: Scope) -> CommandRow:
        """A command; errors as ``home``."""
        command = self.session.get(CommandRow, command_id)
        self._check(None if command is None else command.home_id, scope, f"command {command_id}")
        assert command is not None
        return command

    def administers_everything(self) -> None:
        """Let through only who may administer every home of this installation.

        Raises
        ------
        Forbidden
            The caller's reach is smaller.
        """
        admin_of = sum(scope is Scope.ADMIN for scope in self.caller.homes.values())
        if admin_of == 0 or admin_of < fleet.count_homes(self.session):
            raise Forbidden("this needs scope admin in every home of this installation")

    def _check(self, home_id: int | None, scope: Scope, what: str) -> None:
        held = None if home_id is None else self.caller.homes.get(home_id)
        if held is None:
            raise NotFound(f"there is no {what}, or it is not yours to see")
        if RANK[held] < RANK[scope]:
            raise Forbidden(f"this needs scope {scope.value} in the home; the credential has {held.value}")


def context(request: Request) -> Context:
    """What the application was made with."""
    made_with: Context = request.app.state.context
    return made_with


def authenticate(request: Request, session: Session) -> Caller:
    """Who asks: by bearer token, by the page's cookie, or by standing before the demo's own machine.

    Raises
    ------
    Unauthenticated
        No credential, or one that is not valid.
    Forbidden
        A browser asks on behalf of another site.
    """
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            raise Unauthenticated("expected Authorization: Bearer TOKEN")
        return caller_of_token(session, token.strip())
    cookie = request.cookies.get(security.COOKIE)
    own_page = security.same_origin(request)
    if cookie is not None and request.method not in security.SAFE_METHODS and not own_page:
        raise Forbidden("a request of another site is not believed", code="cross_site")
    if cookie is not None:
        try:
            return caller_of_token(session, cookie)
        except Unauthenticated:
            if not context(request).demo:
                raise
    if context(request).demo and own_page and security.is_local(request):
        return demo_caller(session)
    raise Unauthenticated("this needs a token: Authorization: Bearer TOKEN, or a login")


def caller_of_token(session: Session, token: str) -> Caller:
    """Whom a bearer token belongs to.

    Raises
    ------
    Unauthenticated
        It is unknown, expired or revoked.
    """
    row = tokens.find_token(session, token, (tokens.API, tokens.SESSION))
    if row is None:
        raise Unauthenticated("the token is unknown, expired or revoked")
    if row.account_id is None:
        assert row.home_id is not None
        return Caller(None, {row.home_id: Scope(row.scope)}, token_id=row.id)
    account = session.get(AccountRow, row.account_id)
    assert account is not None
    return Caller(account.name, accounts.homes_of_account(session, account.id), token_id=row.id)


def demo_caller(session: Session) -> Caller:
    """A visitor of the demo on this machine: reads and controls the demo home alone."""
    home_id = session.scalar(select(HomeRow.id).where(HomeRow.name == DEMO_HOME))
    return Caller(None, {} if home_id is None else {home_id: Scope.CONTROL}, demo=True)


def may_still_read(request: Request, home_id: int) -> bool:
    """Whether the credential of a request that lasts is still in force."""
    with Session(read_only(context(request).database)) as session:
        try:
            return home_id in authenticate(request, session).homes
        except AppError:
            return False


def refuse_unknown_parameters(request: Request) -> None:
    """A misspelt query parameter is an error, not silently another question.

    Raises
    ------
    RequestValidationError
        Names the parameter.
    """
    if not request.url.query:
        return
    operation = operation_of(request.scope)
    known = frozenset() if operation is None else operation.query
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise RequestValidationError(
            [
                {"loc": ("query", name), "type": "unknown_parameter", "msg": "is not a parameter of this"}
                for name in unknown
            ]
        )


def reading(request: Request) -> Iterator[Access]:
    """One transaction that only reads: on SQLite it never takes the write lock."""
    refuse_unknown_parameters(request)
    made_with = context(request)
    with Session(read_only(made_with.database)) as session:
        caller = authenticate(request, session)
        yield Access(session, caller, Present.of(made_with.clock), made_with.settings, language_of(request))


def writing(request: Request) -> Iterator[Access]:
    """One transaction that may write, begun only for a caller that is known; committed before the answer leaves."""
    refuse_unknown_parameters(request)
    made_with = context(request)
    with Session(read_only(made_with.database)) as session:
        caller = authenticate(request, session)
    with Session(made_with.database) as session, session.begin():
        yield Access(session, caller, Present.of(made_with.clock), made_with.settings, language_of(request))


def knocking(request: Request) -> Knock:
    """What is known of a caller who has no credential yet."""
    refuse_unknown_parameters(request)
    made_with = context(request)
    return Knock(made_with.database, made_with.limiter, request.client.host if request.client is not None else "?")


def language_of(request: Request) -> str:
    """The language of our sentences that the caller likes best."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(request.headers.get("accept-language", "").split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        with contextlib.suppress(ValueError):
            ranked.append((-float(quality or 1), place, tag.strip().lower()))
    for _, _, tag in sorted(ranked):
        if tag.startswith("en") or tag == "*":
            return "en"
        if tag.startswith("zh"):
            return "zh-Hant" if any(part in tag for part in ("hant", "-tw", "-hk", "-mo")) else "zh-Hans"
    return "en"


# scope="function": the transaction ends before the answer is sent, so that an answer never speaks of a lost commit
Reading = Annotated[Access, Depends(reading, scope="function")]
Writing = Annotated[Access, Depends(writing, scope="function")]
Knocking = Annotated[Knock, Depends(knocking)]

HomeRef = Annotated[str, Path(min_length=1, max_length=100, description="Id or name of a home.", examples=["demo"])]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
Limit = Annotated[int, Query(ge=1, le=200, description="Items of a page.")]
Cursor = Annotated[
    str | None, Query(min_length=1, max_length=40, description="The `next` of the page before.", examples=[None])
]
