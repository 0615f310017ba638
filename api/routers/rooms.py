"""A room: what happens in it, why, and what a person wants instead."""

from fastapi import APIRouter

from api import modes_service, schemas, services
from api.dependencies import Cursor, Id, Limit, Reading, Writing
from core.words import Scope

router = APIRouter(prefix="/rooms", tags=["rooms"])


@router.get("/{room_id}", operation_id="getRoom")
def get_room(room_id: Id, access: Reading) -> schemas.Room:
    """A room now."""
    return services.room(access, access.room(room_id, Scope.READ))


@router.get("/{room_id}/decisions", operation_id="listDecisions")
def list_decisions(room_id: Id, access: Reading, limit: Limit = 50, cursor: Cursor = None) -> schemas.DecisionPage:
    """What the engine chose in this room and why, newest first."""
    return services.decisions(access, access.room(room_id, Scope.READ), limit, cursor)


@router.put("/{room_id}/override", operation_id="setOverride")
def set_override(room_id: Id, body: schemas.OverrideEdit, access: Writing) -> schemas.Override:
    """Take over by hand: it wins at once, and holds until then."""
    return services.set_override(access, access.room(room_id, Scope.CONTROL), body)


@router.delete("/{room_id}/override", operation_id="endOverride", status_code=204)
def end_override(room_id: Id, access: Writing) -> None:
    """Hand the room back to the engine now."""
    services.end_override(access, access.room(room_id, Scope.CONTROL))


@router.get("/{room_id}/comfort", operation_id="getComfort")
def get_comfort(room_id: Id, access: Reading) -> schemas.Comfort:
    """What people of this room like, as learned or set."""
    return services.comfort(access, access.room(room_id, Scope.READ))


@router.put("/{room_id}/comfort", operation_id="setComfort")
def set_comfort(room_id: Id, body: schemas.ComfortEdit, access: Writing) -> schemas.Comfort:
    """Correct one point of the comfort curve."""
    return services.set_comfort(access, access.room(room_id, Scope.CONTROL), body)


@router.put("/{room_id}/control", operation_id="setControl")
def set_control(room_id: Id, body: schemas.ControlEdit, access: Writing) -> schemas.Room:
    """What the engine may do here: `off` is the kill switch, `shadow` decides and sends nothing, `ab` compares."""
    return services.set_control(access, access.room(room_id, Scope.CONTROL), body)


@router.get("/{room_id}/trial-days", operation_id="listTrialDays")
def list_trial_days(room_id: Id, access: Reading, limit: Limit = 50, cursor: Cursor = None) -> schemas.TrialDayPage:
    """Who steers this room on which day of its newest comparison (`ab`), newest first."""
    return modes_service.trial_days(access, access.room(room_id, Scope.READ), limit, cursor)


@router.put("/{room_id}/objective", operation_id="setRoomObjective")
def set_room_objective(room_id: Id, body: schemas.RoomObjectiveEdit, access: Writing) -> schemas.Room:
    """What the engine is after in this room: save, comfort, green, or as the home."""
    return services.set_room_objective(access, access.room(room_id, Scope.CONTROL), body)
