"""Whether the process answers, whether what stands behind it works, and what it counts."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api import metrics, schemas
from api.dependencies import context
from api.readiness import reasons_against

router = APIRouter(tags=["health"])
PUBLIC: dict[str, Any] = {"security": []}


@router.get("/healthz", operation_id="getHealth", openapi_extra=PUBLIC)
async def get_health() -> schemas.Health:
    """Whether the process answers; asks nothing else."""
    return schemas.Health()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    openapi_extra=PUBLIC,
    responses={503: {"model": schemas.Readiness, "description": "Not ready; `reasons` says why."}},
)
def get_readiness(request: Request, response: Response) -> schemas.Readiness:
    """Whether the database is reachable and migrated, and the other parts live."""
    reasons = reasons_against(context(request).database)
    response.status_code = 503 if reasons else 200
    return schemas.Readiness(ready=not reasons, reasons=reasons)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    openapi_extra=PUBLIC,
    response_class=Response,
    responses={
        200: {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def get_metrics(request: Request) -> Response:
    """Counts and latencies for Prometheus."""
    return Response(request.app.state.metrics.text(), media_type=metrics.CONTENT_TYPE)
