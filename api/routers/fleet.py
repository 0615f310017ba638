"""Everything that the caller may see, whichever home it is in."""

from fastapi import APIRouter

from api import modes_service, schemas, services
from api.dependencies import Cursor, Limit, Reading, Writing

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


@router.get("/kill-switch", operation_id="getFleetKillSwitch")
def get_fleet_kill_switch(access: Reading) -> schemas.KillSwitch:
    """Whether the engine is kept away from every home of this installation; for who administers all of them."""
    access.administers_everything()
    return modes_service.kill_switch(access, None)


@router.put("/kill-switch", operation_id="setFleetKillSwitch")
def set_fleet_kill_switch(body: schemas.KillSwitchEdit, access: Writing) -> schemas.KillSwitch:
    """Keep the engine away from every home of this installation, or let it steer again; those of homes stay."""
    access.administers_everything()
    return modes_service.set_kill_switch(access, None, body)
