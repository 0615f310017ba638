"""The application: routers, errors, the page, and what surrounds every request."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine

from api import advice_service, live, openapi, problems, schemas, security
from api.dependencies import Context
from api.metrics import Metrics
from api.page import PageFiles
from api.routers import devices, events, fleet, homes, rooms, root, session
from api.surroundings import Surroundings
from core.clock import Clock
from core.settings import Settings

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Problem, "description": text} for status, text in openapi.PROBLEMS.items()
}


def create_app(
    database: Engine, clock: Clock, settings: Settings, page_dir: Path | None, *, demo: bool = False
) -> FastAPI:
    """The API, with the built page at ``/`` where ``page_dir`` holds one.

    Parameters
    ----------
    demo : bool
        Let browsers and programs on this machine read and control the home ``demo`` without a login.
    """
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = Context(database, clock, settings, demo, security.LoginLimiter())
    app.state.tail = live.Tail(database)
    app.state.notebook = advice_service.Notebook()
    app.state.metrics = Metrics(database)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    v1 = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    for module in (session, homes, rooms, devices, events, fleet):
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(root.router)
    app.router.default = PageFiles(page_dir)
    problems.install(app)
    app.add_middleware(Surroundings, metrics=app.state.metrics)
    return app
