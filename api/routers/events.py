"""Live events of a home."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse

from api import live
from api.dependencies import HomeRef, Reading, context, may_still_read
from api.schemas import LARGEST_ID
from core.words import Scope

router = APIRouter(tags=["live"])
PING_S = 15
EVENT_STREAM = {
    "description": "Server-sent events: `id`, `event` (the type) and `data`, a JSON LiveEvent.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/homes/{home_id}/events",
    operation_id="streamEvents",
    response_class=EventSourceResponse,
    responses={200: EVENT_STREAM},
)
def stream_events(
    home_id: HomeRef,
    access: Reading,
    request: Request,
    after: Annotated[int | None, Query(ge=0, le=LARGEST_ID, description="`event_id` of a summary.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LARGEST_ID, alias="Last-Event-ID")] = None,
) -> EventSourceResponse:
    """What changes, as it changes; resumes behind Last-Event-ID, or else behind `after`, or else begins now."""
    home = access.home(home_id, Scope.READ)
    made_with, tail = context(request), request.app.state.tail
    resume_after = last_event_id if last_event_id is not None else after
    messages = live.stream(tail, made_with.database, home.id, resume_after, lambda: may_still_read(request, home.id))
    return EventSourceResponse(messages, ping=PING_S)
