"""Errors as the API tells them: problem details (RFC 9457), for all that is not a success."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem. Its `slug` is in the type URI and never changes."""

    slug: str
    title: str
    status: int

    @property
    def uri(self) -> str:
        """Identifies the kind; not meant to be opened."""
        return f"urn:entrepot:problem:{self.slug}"


BAD_REQUEST = ProblemKind("bad-request", "The request is malformed", 400)
BAD_CURSOR = ProblemKind("bad-cursor", "The cursor is not one of ours", 400)
UNAUTHENTICATED = ProblemKind("unauthenticated", "The credentials are missing or not accepted", 401)
BAD_SIGNATURE = ProblemKind("bad-signature", "The webhook is not signed as it should be", 401)
FORBIDDEN = ProblemKind("forbidden", "The caller may not do this", 403)
ADDRESS_NOT_ALLOWED = ProblemKind(
    "address-not-allowed", "The API key may not be used from this address", 403
)
NOT_FOUND = ProblemKind("not-found", "There is no such thing", 404)
METHOD_NOT_ALLOWED = ProblemKind("method-not-allowed", "This path has no such method", 405)
REQUEST_TIMEOUT = ProblemKind("request-timeout", "The request took too long to arrive", 408)
CONFLICT = ProblemKind("conflict", "The request contradicts what is there", 409)
BUSY = ProblemKind("still-in-progress", "The first request with this key is not done", 409)
TOO_LARGE = ProblemKind("too-large", "The request is too large", 413)
UNSUPPORTED_MEDIA = ProblemKind("unsupported-media-type", "The body must be JSON", 415)
INVALID = ProblemKind("invalid", "The request is not valid", 422)
KEY_REUSED = ProblemKind("idempotency-key-reused", "The key belongs to another request", 422)
CREDENTIALS_REFUSED = ProblemKind(
    "store-credentials-refused", "The store does not accept the credentials", 422
)
PERMISSION_DENIED = ProblemKind("store-permission-denied", "The store forbids the access", 422)
NOT_A_STORE = ProblemKind("not-a-store", "There is no such store at the address", 422)
STORE_REJECTED = ProblemKind("store-rejected-request", "The store refuses our request", 422)
ADDRESS_REFUSED = ProblemKind("store-address-refused", "The address may not be called", 422)
TOO_MANY_REQUESTS = ProblemKind("too-many-requests", "Too many requests", 429)
INTERNAL = ProblemKind("internal", "Something went wrong on our side", 500)
STORE_UNREACHABLE = ProblemKind("store-unreachable", "The store could not be reached", 502)
STORE_UNAVAILABLE = ProblemKind("store-unavailable", "The store cannot serve now", 502)
UNAVAILABLE = ProblemKind("unavailable", "A part of the hub is down", 503)
STORE_TIMEOUT = ProblemKind("store-timeout", "The store did not answer in time", 504)

BY_STATUS: Mapping[int, ProblemKind] = {
    kind.status: kind
    for kind in (
        *(BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED),
        *(REQUEST_TIMEOUT, CONFLICT, TOO_LARGE, UNSUPPORTED_MEDIA, INVALID),
        *(TOO_MANY_REQUESTS, INTERNAL, UNAVAILABLE),
    )
}


class FieldProblem(BaseModel):
    """What is wrong with one part of the request. `pointer` is a JSON pointer (RFC 6901)."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem as it goes over the wire."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "type": NOT_FOUND.uri,
                "title": NOT_FOUND.title,
                "status": 404,
                "detail": "There is no store 12. GET /api/stores lists those there are.",
                "instance": "/api/stores/12",
            }
        },
    )

    type: str = Field(description="Stable name of the kind of problem")
    title: str
    status: int
    detail: str = Field(description="What happened here, and what to do")
    instance: str = Field(description="The path that was asked for")
    errors: tuple[FieldProblem, ...] | None = Field(
        default=None, description="The parts of the request that are wrong"
    )


class ProblemError(Exception):
    """Raised anywhere in a request to answer it with a problem."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def render(error: ProblemError, *, instance: str) -> Response:
    """The answer. ASCII JSON, so that text which is no valid Unicode can be told too."""
    problem = Problem(
        type=error.kind.uri,
        title=error.kind.title,
        status=error.kind.status,
        detail=error.detail,
        instance=instance[:500],
        errors=error.errors or None,
    )
    return Response(
        json.dumps(problem.model_dump(exclude_none=True)).encode(),
        status_code=error.kind.status,
        media_type=MEDIA_TYPE,
        headers=error.headers,
    )


def not_found(what: str, where: str) -> ProblemError:
    """A problem for something that this tenant does not have."""
    return ProblemError(NOT_FOUND, f"There is no {what}. GET {where} lists those there are.")


def invalid(pointer: str, detail: str) -> ProblemError:
    """A problem with one field."""
    return ProblemError(
        INVALID, f"{pointer}: {detail}", errors=[FieldProblem(pointer=pointer, detail=detail)]
    )
