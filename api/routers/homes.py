"""A home: its first screen, devices, usage and advice."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from api import advice_service, allowance_service, modes_service, schemas, services, usage_service
from api.allowance_schemas import ProposalPage
from api.dependencies import Cursor, HomeRef, Limit, Reading, Writing
from core.words import Scope

router = APIRouter(prefix="/homes", tags=["homes"])


@router.get("", operation_id="listHomes")
def list_homes(access: Reading, limit: Limit = 50, cursor: Cursor = None) -> schemas.HomePage:
    """Homes that the caller may see."""
    return services.list_homes(access, limit, cursor)


@router.get("/{home_id}/summary", operation_id="getSummary")
def get_summary(home_id: HomeRef, access: Reading) -> schemas.Summary:
    """The first screen in one call: power, energy and money today, and for each room what happens and why."""
    return services.summary(access, access.home(home_id, Scope.READ))


@router.get("/{home_id}/devices", operation_id="listDevices")
def list_devices(home_id: HomeRef, access: Reading, limit: Limit = 100, cursor: Cursor = None) -> schemas.DevicePage:
    """Devices of a home with what each said last."""
    return services.list_devices(access, [access.home(home_id, Scope.READ).id], limit, cursor)


@router.get("/{home_id}/usage", operation_id="getUsage")
def get_usage(
    home_id: HomeRef,
    access: Reading,
    start: Annotated[AwareDatetime, Query(description="Inclusive; cut down to a quarter of an hour.")],
    end: Annotated[AwareDatetime, Query(description="Exclusive; rounded up to a quarter of an hour.")],
    interval: Annotated[schemas.Interval, Query(description="Length of a bucket.")] = schemas.Interval.DAY,
    group_by: Annotated[schemas.GroupBy, Query(description="What an item's key is.")] = schemas.GroupBy.NONE,
) -> schemas.UsagePage:
    """Energy, cost and CO2 in [start, end), in buckets of the home's local time."""
    return usage_service.usage(access, access.home(home_id, Scope.READ), start, end, interval, group_by)


@router.get("/{home_id}/advice", operation_id="listAdvice")
def list_advice(home_id: HomeRef, access: Reading, request: Request) -> schemas.AdvicePage:
    """What would save, with its evidence, the most money first; empty without evidence."""
    return advice_service.advice(access, access.home(home_id, Scope.READ), request.app.state.notebook)


@router.get("/{home_id}/proposals", operation_id="listProposals")
def list_proposals(home_id: HomeRef, access: Reading) -> ProposalPage:
    """What the engine could do with plugs once it is allowed, and what that would save in a year."""
    return allowance_service.proposals(access, access.home(home_id, Scope.READ))


@router.put("/{home_id}/tariff", operation_id="setTariff")
def set_tariff(home_id: HomeRef, body: schemas.TariffEdit, access: Writing) -> schemas.Tariff:
    """Prices of a home from a local midnight on; those before it keep theirs."""
    return services.set_tariff(access, access.home(home_id, Scope.ADMIN), body)


@router.put("/{home_id}/objective", operation_id="setHomeObjective")
def set_home_objective(home_id: HomeRef, body: schemas.HomeObjectiveEdit, access: Writing) -> schemas.Summary:
    """What the engine is after in this home: save, comfort or green; a room may say otherwise."""
    return services.set_home_objective(access, access.home(home_id, Scope.CONTROL), body)


@router.get("/{home_id}/kill-switch", operation_id="getKillSwitch")
def get_kill_switch(home_id: HomeRef, access: Reading) -> schemas.KillSwitch:
    """Whether the engine is kept away from this home."""
    return modes_service.kill_switch(access, access.home(home_id, Scope.READ).id)


@router.put("/{home_id}/kill-switch", operation_id="setKillSwitch")
def set_kill_switch(home_id: HomeRef, body: schemas.KillSwitchEdit, access: Writing) -> schemas.KillSwitch:
    """Keep the engine away from every room of this home: each unit goes back to the household's program, once."""
    return modes_service.set_kill_switch(access, access.home(home_id, Scope.CONTROL).id, body)
