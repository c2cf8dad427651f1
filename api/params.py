"""Parameters that several routes share."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Path
from pydantic import BeforeValidator, Field
from starlette.requests import Request

from api.auth import Principal, authenticate
from api.problems import INVALID, UNSUPPORTED_MEDIA, FieldProblem, ProblemError
from api.schemas.base import MAX_ID


def _digits(value: object) -> object:
    """pydantic alone takes `1.0` for 1."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("a whole number is wanted, in digits alone")
    return value


# The bounds stand inside: JSON schema shows those of an integer, and none of a function's result.
Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(_digits)]
"""An id of the hub in a path or a query."""
ExternalId = Annotated[int, Field(ge=1, lt=10**15), BeforeValidator(_digits)]
"""An id of a store that numbers its records."""

StoreId = Annotated[Id, Path(description="The store's id")]
RecordId = Annotated[Id, Path(description="The record's id")]
WorkflowId = Annotated[
    str, Path(max_length=80, description="As the API gave it, such as `import/12`")
]


def _each_once(request: Request) -> None:
    """Refuse a query that names a parameter twice (422): the last would count, silently."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    doubled = sorted(name for name, times in counted.items() if times > 1)
    if doubled:
        errors = [
            FieldProblem(pointer=f"/query/{one}"[:200], detail="sent more than once")
            for one in doubled
        ]
        names = ", ".join(doubled)[:300]
        raise ProblemError(
            INVALID, f"Sent more than once: {names}. Name one of each.", errors=errors[:50]
        )


EACH_ONCE = Depends(_each_once)
"""A dependency of routers none of whose parameters is a list."""


async def require_json(
    request: Request, _principal: Annotated[Principal, Depends(authenticate)]
) -> None:
    """Refuse a body that does not say it is JSON (415), once it is known who asks."""
    says_json(request)


def says_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON (415), where nobody has to be known."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise ProblemError(
            UNSUPPORTED_MEDIA, "Send the body as JSON, with Content-Type: application/json."
        )


JSON_BODY = [Depends(require_json)]
"""The dependencies of a route with a JSON body."""
