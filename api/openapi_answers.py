"""Which problems each operation may answer: what follows from its shape, and what it declares."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.auth import Require
from api.problems import BY_STATUS as KINDS
from api.problems import MEDIA_TYPE, STORE_TIMEOUT, STORE_UNAVAILABLE, Problem, ProblemKind

ASKS_STORE: Final[dict[int | str, dict[str, Any]]] = {502: {}, 504: {}}
"""The `responses` of a route that waits for what a store says."""

_PATH_KIND: Final = re.compile(r":[a-z]+}")
_NAMES_A_STORE: Final = "storeId"
_INVALID: Final = 422
_EVERYWHERE: Final = {429, 500, 503}
_AUTHENTICATED: Final = {400, 401, 403}
_WITH_BODY: Final = {400, 408, 413, 415, 422}
_NAMES: Final[Mapping[int, ProblemKind]] = {**KINDS, 502: STORE_UNAVAILABLE, 504: STORE_TIMEOUT}


def components() -> dict[str, Any]:
    """One answer per status that a problem can have."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        _name(status): {
            "description": f"{kind.title} (RFC 9457)",
            "content": {MEDIA_TYPE: {"schema": schema, "example": _example(kind)}},
        }
        for status, kind in sorted(_NAMES.items())
    }


def declare(method: str, operation: dict[str, Any], permission: str | None) -> None:
    """Put the problems of an operation into its description, and the permission it needs."""
    answers = operation["responses"]
    told = {int(status) for status in answers if status.isdigit() and status >= "400"}
    # FastAPI lists 422 wherever there is a parameter; below it is so where one can be wrong.
    told -= {422}
    refused = {
        status: answers.pop(status) for status in [*answers] if not status.startswith(("2", "3"))
    }
    for status in sorted(told | _that_follow(method, operation)):
        answers[str(status)] = _told(status, refused.get(str(status), {}))
    if permission is not None:
        operation["x-permission"] = permission


def _told(status: int, own: dict[str, Any]) -> dict[str, Any]:
    """The answer: a problem, or what the route says of its own with this status beside one."""
    name = _name(status)
    if status == _INVALID or "content" not in own:
        return {"$ref": f"#/components/responses/{name}"}
    return {**own, "content": {**own["content"], **components()[name]["content"]}}


def permissions(routes: Iterable[APIRoute]) -> dict[tuple[str, str], str]:
    """The permission that each (method, path) needs; those that need none are left out."""
    return {
        (method, _PATH_KIND.sub("}", route.path)): needed
        for route in routes
        for needed in _required(route.dependant)
        for method in route.methods or ()
    }


def _required(dependant: Dependant) -> Iterator[str]:
    if isinstance(dependant.call, Require):
        yield dependant.call.permission.value
    for one in dependant.dependencies:
        yield from _required(one)


def _that_follow(method: str, operation: Mapping[str, Any]) -> set[int]:
    statuses = set(_EVERYWHERE)
    if any(operation["security"]):
        statuses |= _AUTHENTICATED
    if "requestBody" in operation:
        statuses |= _WITH_BODY
    parameters = operation.get("parameters", ())
    places = {parameter["in"] for parameter in parameters}
    if "path" in places or any(one["name"] == _NAMES_A_STORE for one in parameters):
        statuses.add(404)
    if places & {"path", "query"}:
        statuses.add(422)
    if method != "get":
        statuses.add(409)
    return statuses


def _example(kind: ProblemKind) -> dict[str, Any]:
    problem = Problem(
        type=kind.uri, title=kind.title, status=kind.status, detail="…", instance="/api/…"
    )
    return problem.model_dump(exclude_none=True)


def _name(status: int) -> str:
    kind = _NAMES[status]
    return "".join(word.capitalize() for word in kind.slug.split("-"))
