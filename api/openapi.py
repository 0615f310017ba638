"""The OpenAPI 3.1 document, from which clients are generated: ``python -m api.openapi > openapi.json``."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Scope

from api.problems import MEDIA_TYPE
from api.security import COOKIE

TITLE, VERSION = "Lingyun", "1.0.0"
DESCRIPTION = """A household's energy: what every device uses and costs, what its air conditioners do and why.

Instants are RFC 3339 in UTC, days are those of the home's `time_zone`, money is a decimal string with its ISO 4217
`currency`, every other quantity names its unit. Lists are `{"items": [...], "next": cursor}`. Errors are
`application/problem+json` (RFC 9457) with a stable `code`.
"""
PROBLEMS = {
    400: "The body is no text.",
    401: "No credential, or one that is not valid.",
    403: "The credential does not reach this far.",
    404: "There is none, or it is not the caller's to see.",
    409: "The request contradicts the present state.",
    413: "The body is longer than 64 KiB.",
    422: "The request is not as it must be; `errors` says where.",
    429: "Too many tries; `Retry-After` says when to come back.",
    500: "Something failed in the server.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an application: problems and credentials said of every operation."""
    if app.openapi_schema is None:
        made = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        made["security"] = [{"bearer": []}, {"session": []}]
        _say_problems(made)
        app.openapi_schema = made
    return app.openapi_schema


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of an operation."""

    path: str  # the template, so that ids do not multiply what is counted by it
    query: frozenset[str]


def operation_of(scope: Scope) -> Operation | None:
    """The operation that a request was routed to; None before that, or where it is not in the document."""
    found = getattr(scope.get("route"), "operation_id", None)
    if found is None:
        return None
    app: FastAPI = scope["app"]
    if not hasattr(app.state, "operations"):
        app.state.operations = {
            operation["operationId"]: Operation(
                path, frozenset(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
            )
            for path, methods in document(app)["paths"].items()
            for operation in methods.values()
        }
    known: dict[str, Operation] = app.state.operations
    return known.get(found)


def _say_problems(made: dict[str, Any]) -> None:
    for path, operations in made["paths"].items():
        for operation in operations.values():
            public = operation.get("security") == []
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and not (path == "/readyz" and status == "503"):  # its reasons, no problem
                    answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            if public and not path.endswith(("/login", "/setup")):
                for status in ("401", "403", "404", "409", "413", "422", "429"):
                    operation["responses"].pop(status, None)


def main() -> None:
    """Print the document; no database is needed."""
    from sqlalchemy import create_engine

    from api.main import create_app
    from core.clock import Clock
    from core.settings import Settings

    app = create_app(create_engine("sqlite://"), Clock.real(), Settings(), None)
    json.dump(document(app), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
