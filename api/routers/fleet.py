"""Everything that the caller may see, whichever home it is in."""

from fastapi import APIRouter

from api import schemas, services
from api.dependencies import Cursor, Limit, Reading

router = APIRouter(prefix="/fleet", tags=["fleet"])


@router.get("/devices", operation_id="listFleetDevices")
def list_fleet_devices(access: Reading, limit: Limit = 100, cursor: Cursor = None) -> schemas.DevicePage:
    """Health of all devices of all homes of the caller."""
    return services.list_devices(access, access.caller.homes, limit, cursor)


@router.get("/quarantine", operation_id="listQuarantine")
def list_quarantine(access: Reading, limit: Limit = 50, cursor: Cursor = None) -> schemas.QuarantinePage:
    """Messages that could not be read, newest first; for who administers every home of this installation."""
    access.administers_everything()
    return services.quarantine(access, limit, cursor)
