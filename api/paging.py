"""Opaque cursors: where a list goes on, in a form that nobody should take apart."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query

from api.problems import BAD_CURSOR, ProblemError
from api.schemas.base import MAX_ID

T = TypeVar("T")

MAX_LIMIT = 500

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most")]
Cursor = Annotated[
    str | None,
    Query(max_length=300, description="`nextCursor` of the page before; leave out for the first"),
]


class HasId(Protocol):
    """A row of a listing that is sorted by id."""

    @property
    def id(self) -> int: ...


def encode_cursor(listing: str, *position: int | str) -> str:
    """A cursor for one listing: what was last shown of it."""
    text = json.dumps([listing, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(
    listing: str, cursor: str | None, read: Callable[[Sequence[object]], T]
) -> T | None:
    """The position in a cursor; None for the first page.

    Args:
        listing: the listing it must belong to.
        read: makes the position of the parts; raises ValueError or TypeError for wrong ones.

    Raises:
        ProblemError: 400, it is not a cursor of this listing.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(parts, list) or parts[:1] != [listing]:
            raise ValueError("another listing's")
        return read(parts[1:])
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise ProblemError(
            BAD_CURSOR,
            "Use `nextCursor` of the page before as it was given, on the same path; leave `cursor` "
            "out to begin anew.",
        ) from None


def read_id(parts: Sequence[object]) -> int:
    """The position of a listing that is sorted by id."""
    (only,) = parts
    if type(only) is not int or not 0 <= only <= MAX_ID:
        raise ValueError("not an id")
    return only


def after_id(listing: str, cursor: str | None) -> int:
    """Where an ascending listing goes on: 0 for its beginning."""
    return decode_cursor(listing, cursor, read_id) or 0


def next_cursor(listing: str, rows: Sequence[HasId], limit: int) -> str | None:
    """The cursor behind a page by id that was asked for with one row more than `limit`."""
    return encode_cursor(listing, rows[limit - 1].id) if len(rows) > limit else None
