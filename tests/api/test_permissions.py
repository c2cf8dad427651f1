"""Every route, asked by everybody: who gets past its door, and who does not."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS, create_app
from api.config import ApiConfig, PeopleConfig
from api.openapi import api_routes
from db.keys import Permission
from domain.roles import Role
from tests.api.hub import Hub
from tests.api.owned import operations
from tests.api.people import add_person
from tests.api.permission_table import (
    ALSO_NEEDED,
    ANY_CALLER,
    EVERYTHING,
    HIDDEN,
    MAY,
    NEEDED,
    NOBODY_OR_CALLER,
    OPEN,
    STALE_TOKENS_PASS,
    UNSIGNED,
)

TABLE = {*NEEDED, *ANY_CALLER, *NOBODY_OR_CALLER, *OPEN, *HIDDEN}
# FastAPI's own pages.
PAGES = {"/docs", "/docs/oauth2-redirect", "/openapi.json"}
NOWHERE = "987654321"
PLACES = {
    "provider": "testshop",
    "entity": "products",
    "event": "order.created",
    "workflow_id": f"import/{NOWHERE}",
    "store_code": "c" * 24,
    "organization_id": "o" * 24,
    "token": "t" * 40,
}
LOGOUT = "POST /api/auth/logout"
# What the caller has to be is seen after these; all others are sent an empty one.
BODIES = {
    "POST /api/stores/{store_id}/mapping/preview": {"entity": "products"},
    LOGOUT: {"refreshToken": "r" * 43},
}


@dataclass(frozen=True)
class Asking:
    """A caller; `may` is None for one whose credentials are no good, or who sends none."""

    name: str
    may: frozenset[str] | None
    headers: dict[str, str] = field(repr=False)

    def has(self, permission: str | None) -> bool:
        return self.may is not None and (permission is None or bool({permission, "*"} & self.may))


@pytest.fixture
def config() -> ApiConfig:
    """Nobody is slowed down: what is tested is not how often one may ask."""
    return ApiConfig(
        requests_per_minute=1_000_000,
        people=PeopleConfig(failed_keys=1_000_000),
        check_timeout_s=3,
    )


@pytest.fixture
async def callers(hub: Hub) -> list[Asking]:
    """One of each kind, all of one tenant that has nothing."""
    tenant = await hub.new_tenant()
    found = [Asking("nobody", None, {})]
    for role in Role:
        person = await (await add_person(hub, role, tenant=tenant)).log_in()
        found.append(Asking(role.value, MAY[role.value], person.headers))
    for permission in (None, *Permission):
        held = () if permission is None else (permission.value,)
        key = await hub.new_caller(permissions=held, tenant=tenant)
        found.append(Asking(f"a key with {permission}", frozenset(held), key.headers))
    wrong = {**key.headers, "X-API-Secret": "s" * 43}
    found.append(Asking("a wrong secret", None, wrong))
    for column in ("revoked_at", "expires_at"):
        key = await hub.new_caller(tenant=tenant)
        await hub.execute(
            tenant,
            f"update api_keys set {column} = now() - interval '1 s' where key = :key",
            key=key.headers["X-API-Key"],
        )
        found.append(Asking(f"a key past its {column}", None, key.headers))
    found.append(Asking("a made-up token", None, {"Authorization": "Bearer e30.e30.e30"}))
    return found


def known_routes() -> dict[str, APIRoute]:
    return {
        f"{method} {route.path_format}": route
        for route in api_routes(ROUTERS)
        for method in route.methods or ()
    }


def expected(route: str, caller: Asking) -> int | None:
    """401 or 403; None: the caller gets in."""
    if route in OPEN | HIDDEN or (route in NOBODY_OR_CALLER and not caller.headers):
        return UNSIGNED.get(route)
    if caller.may is None:
        is_token = "Authorization" in caller.headers
        return None if is_token and route in STALE_TOKENS_PASS else 401
    needed = NEEDED.get(route) or NOBODY_OR_CALLER.get(route)
    return None if caller.has(needed) and caller.has(ALSO_NEEDED.get(route)) else 403


async def ask(hub: Hub, route: str, caller: Asking, *, has_body: bool) -> int:
    method, path = route.split()
    places = {name: PLACES.get(name, NOWHERE) for name in known_routes()[route].param_convertors}
    body: dict[str, Any] = {"json": BODIES.get(route, {})} if has_body else {}
    answer = await hub.http.request(method, path.format(**places), headers=caller.headers, **body)
    return answer.status_code


def test_every_route_is_in_the_table(hub: Hub) -> None:
    """A new route belongs into it."""
    parts = (NEEDED.keys(), ANY_CALLER, NOBODY_OR_CALLER.keys(), OPEN, HIDDEN)
    assert set(known_routes()) == TABLE
    assert [one for one, times in Counter(r for p in parts for r in p).items() if times > 1] == []
    assert NEEDED.items() >= {one: NEEDED[one] for one in ALSO_NEEDED}.items()
    served, ours = create_app(hub.services).routes, list(api_routes(ROUTERS))
    assert [route for route in served if route in ours] == ours
    others = [getattr(route, "path", None) for route in served if route not in ours]
    assert Counter(others) == dict.fromkeys(PAGES, 1)


def test_the_table_is_what_the_description_says() -> None:
    told = {
        route: (operation.get("x-permission"), {} in operation["security"])
        for route, operation in operations().items()
    }
    assert told == {
        route: (NEEDED.get(route), route in OPEN or route in NOBODY_OR_CALLER)
        for route in TABLE - HIDDEN
    }


def test_every_permission_is_a_word_of_the_keys() -> None:
    used = {*NEEDED.values(), *ALSO_NEEDED.values(), *NOBODY_OR_CALLER.values()} - {None}
    partners = {
        "shared_data",
        "product_management",
        "platform_management",
        "core_transaction_1_export",
    }
    assert used == set(Permission) - {EVERYTHING} - partners
    assert MAY.keys() == set(Role)


async def test_every_route_asked_by_everybody(hub: Hub, callers: list[Asking]) -> None:
    """Who may not is told 401 or 403, and all who may are answered alike, with a status that the
    description has."""
    wrong: dict[str, list[str]] = {}
    asked = 0
    # Last what ends the sessions.
    for route in sorted(TABLE, key=lambda one: (one == LOGOUT, one)):
        described = operations()[route] if route not in HIDDEN else {"requestBody": {}}
        has_body = "requestBody" in described
        answers = await asyncio.gather(
            *(ask(hub, route, caller, has_body=has_body) for caller in callers)
        )
        asked += len(answers)
        inside = set()
        for caller, status in zip(callers, answers, strict=True):
            refusal = expected(route, caller)
            if refusal is None:
                inside.add(status)
            if status != refusal and (refusal or status in {401, 403} or status >= 500):
                wrong.setdefault(route, []).append(f"{caller.name}: {status}, not {refusal}")
            if str(status) not in described.get("responses", {str(status)}):
                wrong.setdefault(route, []).append(f"{caller.name}: {status} is not described")
        if len(inside) > 1:
            wrong.setdefault(route, []).append(f"answers {inside}")
    assert wrong == {}
    assert asked == len(TABLE) * len(callers)
    assert len(callers) == 1 + len(Role) + 1 + len(Permission) + 4


async def test_nobody_learns_of_a_body_before_being_known(hub: Hub) -> None:
    """Whoever may not call a route is told so, whatever it was sent."""
    viewer = await hub.new_caller(permissions=("stores:read",))
    sent_as = (b"", None), (b"[1]", "application/json"), (b"x", "a/b")
    for body, kind in sent_as:
        headers = {"Content-Type": kind} if kind else {}
        for sent, status in (({}, 401), (viewer.headers, 403)):
            answer = await hub.http.post(
                "/api/woocommerce-sync/sync/full", content=body, headers={**headers, **sent}
            )
            assert (body, answer.status_code) == (body, status)
