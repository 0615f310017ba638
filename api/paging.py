"""Cursors of lists: opaque to clients, an id within."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from api.schemas import LARGEST_ID
from core.errors import InvalidRequest


def cursor_of(last_id: int) -> str:
    """The cursor of the page that begins behind this id."""
    return urlsafe_b64encode(b"i%d" % last_id).decode().rstrip("=")


def id_of(cursor: str | None) -> int | None:
    """The id within a cursor; None for the first page.

    Raises
    ------
    InvalidRequest
        It is no cursor that we gave out.
    """
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        last_id = int(text.removeprefix("i"))
        if cursor != cursor_of(last_id) or not 0 <= last_id <= LARGEST_ID:
            raise ValueError(cursor)
    except ValueError as error:
        raise InvalidRequest("query.cursor: expected the `next` of a page before", code="invalid_cursor") from error
    return last_id


def next_of(ids: Sequence[int], limit: int) -> str | None:
    """The cursor behind a page, or None where it is the last."""
    return cursor_of(ids[-1]) if len(ids) == limit else None
