"""The one place where errors leave: ``application/problem+json`` (RFC 9457), never with a stack."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.errors import AppError, TooManyRequests, Unauthenticated

MEDIA_TYPE = "application/problem+json"
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 500: "internal"}


class LimitReached(TooManyRequests):
    """Too many requests; says when to come back."""

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says what went wrong."""
    body = {
        "type": f"urn:lingyun:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": errors or [],
    }
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of the application into a problem."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


def of_app_error(error: AppError) -> Response:
    """The answer to an error that the project raised."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="lingyun"'
    if isinstance(error, LimitReached):
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(error.status, error.code, error.detail, headers=headers)


def internal_error() -> Response:
    """The answer where we failed; the log has the cause."""
    return problem(500, CODES[500], "something failed here; the log of the server says what")


async def _app_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return of_app_error(error)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"))
    return problem(error.status_code, code, str(error.detail), headers=error.headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"location": list(one["loc"]), "code": one["type"], "detail": one["msg"]} for one in error.errors()]
    said = [f"{'.'.join(str(part) for part in one['location'])}: {one['detail']}" for one in errors]
    return problem(422, "invalid_request", "; ".join(said[:3]) or "the request is not as it must be", errors=errors)
