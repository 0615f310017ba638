"""Commands to devices, safe to repeat, with a state to follow."""

from typing import Annotated

from fastapi import APIRouter, Header

from api import schemas, services
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
