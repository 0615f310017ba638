"""Commands to devices, safe to repeat, with a state to follow."""

from typing import Annotated

from fastapi import APIRouter, Header

from api import allowance_service, schemas, services
from api.allowance_schemas import Allowance, AllowanceEdit
from api.dependencies import Id, Reading, Writing
from core.words import Scope

router = APIRouter(tags=["devices"])
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body gives the same command, however often it is sent.",
    ),
]


@router.put("/devices/{device_id}", operation_id="setDevice")
def set_device(device_id: Id, body: schemas.DeviceEdit, access: Writing) -> schemas.Device:
    """Name a device, say in which room it is and what appliance it measures."""
    return services.set_device(access, access.device(device_id, Scope.ADMIN), body)


@router.get("/devices/{device_id}/allowance", operation_id="getAllowance")
def get_allowance(device_id: Id, access: Reading) -> Allowance:
    """What the engine may do with a plug by itself."""
    return allowance_service.allowance(access, access.device(device_id, Scope.READ))


@router.put("/devices/{device_id}/allowance", operation_id="setAllowance")
def set_allowance(device_id: Id, body: AllowanceEdit, access: Writing) -> Allowance:
    """Allow the engine something of a plug, or take it back: what it had cut off is then switched on again."""
    return allowance_service.set_allowance(access, access.device(device_id, Scope.CONTROL), body)


@router.post("/devices/{device_id}/commands", operation_id="sendCommand", status_code=202)
def send_command(
    device_id: Id, body: schemas.CommandRequest, access: Writing, key: IdempotencyKey = None
) -> schemas.Command:
    """Queue a command; follow its state at /commands/{id} or in the live events."""
    return services.send_command(access, access.device(device_id, Scope.CONTROL), body, key)


@router.get("/commands/{command_id}", operation_id="getCommand")
def get_command(command_id: Id, access: Reading) -> schemas.Command:
    """A command and what became of it."""
    return services.command(access.command(command_id, Scope.READ))
