"""The OpenAPI 3.1 document, from which clients are generated: ``python -m api.openapi > openapi.json``."""

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE
from api.security import COOKIE

TITLE, VERSION = "Lingyun", "1.0.0"
DESCRIPTION = """A household's energy: what every device uses and costs, what its air conditioners do and why.

Instants are RFC 3339 in UTC, days are those of the home's `time_zone`, money is a decimal string with its ISO 4217
`currency`, every other quantity names its unit. Lists are `{"items": [...], "next": cursor}`. Errors are
`application/problem+json` (RFC 9457) with a stable `code`.
"""
PROBLEMS = {
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


def _say_problems(made: dict[str, Any]) -> None:
    for path, operations in made["paths"].items():
        for operation in operations.values():
            public = operation.get("security") == []
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
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
