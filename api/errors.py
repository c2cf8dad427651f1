"""Turns whatever a request raises into a problem. No input, stack trace or SQL is ever told."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

import psycopg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from api import problems
from api.middleware import masked
from api.problems import FieldProblem, ProblemError, ProblemKind
from api.temporal import TemporalUnavailableError
from domain.errors import ConflictError, NotFoundError, SecretError

_log = structlog.get_logger(__name__)

_SHOWN_ERRORS = 50
DATABASE_GONE: Final = (
    *(OperationalError, InterfaceError, PoolTimeoutError),
    *(psycopg.OperationalError, psycopg.InterfaceError),
)
"""What a database that does not answer raises, and one that gives a statement up."""

_ADVICE = {
    400: "The body could not be read: send JSON in UTF-8, not nested more than a few levels.",
    404: "There is no such path. /openapi.json describes those there are.",
    405: "Use one of the methods in the Allow header.",
}


def pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) of a validation error's location."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)


def field_problems(found: Sequence[Any], *, prefix: Sequence[str] = ()) -> tuple[FieldProblem, ...]:
    """pydantic's errors without the input that caused them."""
    return tuple(
        FieldProblem(
            pointer=pointer((*prefix, *one["loc"]))[:200],
            detail=str(one["msg"]).removeprefix("Value error, ")[:300],
        )
        for one in found[:_SHOWN_ERRORS]
    )


def install(app: FastAPI, routes: Sequence[Route]) -> None:
    """Register the handlers. `routes` are the application's own, for what a path may be asked."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(HTTPException, partial(_on_http, routes))
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(NotFoundError, _on_not_found)
    app.add_exception_handler(ConflictError, _on_conflict)
    app.add_exception_handler(TemporalUnavailableError, _on_temporal)
    app.add_exception_handler(SecretError, _on_secret)
    for gone in DATABASE_GONE:
        app.add_exception_handler(gone, _on_database)
    app.add_exception_handler(DBAPIError, _on_statement)


def _answer(request: Request, kind: ProblemKind, detail: str, **options: Any) -> Response:
    return problems.render(ProblemError(kind, detail, **options), instance=request.url.path)


async def _on_problem(request: Request, error: Exception) -> Response:
    return problems.render(cast("ProblemError", error), instance=request.url.path)


async def _on_http(routes: Sequence[Route], request: Request, error: Exception) -> Response:
    failure = cast("HTTPException", error)
    kind = problems.BY_STATUS.get(failure.status_code, problems.INTERNAL)
    detail = _ADVICE.get(failure.status_code, kind.title + ".")
    headers = failure.headers
    if kind is problems.METHOD_NOT_ALLOWED and (methods := _methods(request, routes)):
        headers = {"Allow": ", ".join(methods)}
    return _answer(request, kind, detail, headers=headers)


def _methods(request: Request, routes: Sequence[Route]) -> Sequence[str]:
    """What the path takes (RFC 9110, 10.2.1): a route knows of its own methods alone."""
    return sorted(
        {
            method
            for route in routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
    )


async def _on_validation(request: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _answer(request, problems.BAD_REQUEST, "The body is not JSON.")
    located = [{**one, "loc": _without_body(one["loc"])} for one in found]
    errors = field_problems(located)
    summary = "; ".join(f"{one.pointer}: {one.detail}" for one in errors[:3])
    return _answer(request, problems.INVALID, summary, errors=errors)


def _without_body(location: Sequence[str | int]) -> Sequence[str | int]:
    """Pointers point into the body; other parts keep their name, as in `/query/limit`."""
    return location[1:] if location and location[0] == "body" else location


async def _on_not_found(request: Request, error: Exception) -> Response:
    return _answer(request, problems.NOT_FOUND, _sentence(error))


async def _on_conflict(request: Request, error: Exception) -> Response:
    return _answer(request, problems.CONFLICT, _sentence(error))


async def _on_temporal(request: Request, error: Exception) -> Response:
    failure = cast("TemporalUnavailableError", error)
    _log.warning("temporal_unavailable", reason=str(failure))
    known = "nothing was done" if failure.did_nothing else "nobody knows whether it was done"
    return _answer(
        request,
        problems.UNAVAILABLE,
        f"The workflow service does not answer, so {known}. Try again in a moment; if it goes on, "
        "see GET /api/health and whether Temporal runs.",
        headers={"Retry-After": "5"},
    )


async def _on_secret(request: Request, error: Exception) -> Response:
    _log.error("secret_unreadable", reason=str(error))
    return _answer(
        request,
        problems.INTERNAL,
        "The stored secrets cannot be read with the encryption keys of this server. "
        "Its operator has to configure the key they were encrypted with.",
    )


async def _on_database(request: Request, error: Exception) -> Response:
    _log.error("database_unavailable", error_type=type(error).__name__)
    return _answer(
        request,
        problems.UNAVAILABLE,
        "The database does not answer. Try again in a moment.",
        headers={"Retry-After": "5"},
    )


async def _on_statement(request: Request, error: Exception) -> Response:
    """The driver's own words may quote values, so only the kind of error is logged."""
    cause = cast("DBAPIError", error).orig
    _log.error("statement_failed", error_type=type(cause).__name__, path=masked(request.url.path))
    return _answer(request, problems.INTERNAL, "The failure was logged. Try again later.")


def _sentence(error: Exception) -> str:
    text = str(error).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
