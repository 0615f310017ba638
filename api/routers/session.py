"""Log in and out, and the first start's one-time setup."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api import schemas, security, services
from api.dependencies import Knocking, Reading, Writing

router = APIRouter(tags=["session"])
PUBLIC: dict[str, Any] = {"security": []}


@router.post("/setup", operation_id="setUp", openapi_extra=PUBLIC)
def set_up(body: schemas.Setup, knock: Knocking, request: Request, response: Response) -> schemas.SessionToken:
    """Set name and password of the owner with the token of the one-time setup link, and log in."""
    return answer_with_cookie(request, response, services.set_up(knock, body))


@router.post("/login", operation_id="logIn", openapi_extra=PUBLIC)
def log_in(body: schemas.Login, knock: Knocking, request: Request, response: Response) -> schemas.SessionToken:
    """Exchange name and password for a session token; it is also set as a cookie for the page."""
    return answer_with_cookie(request, response, services.log_in(knock, body))


@router.post("/logout", operation_id="logOut", status_code=204)
def log_out(access: Writing, response: Response) -> None:
    """Revoke the session token that this request carries."""
    services.log_out(access)
    response.delete_cookie(security.COOKIE, path="/", httponly=True, samesite="strict")


@router.get("/me", operation_id="getMe")
def get_me(access: Reading) -> schemas.Me:
    """Who the caller is and how far they reach."""
    return services.me(access)


def answer_with_cookie(request: Request, response: Response, token: schemas.SessionToken) -> schemas.SessionToken:
    """Hand the token to programs in the body and to the page in a cookie that no script can read."""
    response.set_cookie(
        security.COOKIE,
        token.token,
        expires=token.expires_at,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return token
