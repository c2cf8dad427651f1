"""Nobody is shown, and nobody changes, what is another tenant's."""

from copy import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.api.audited_routes import FOLLOWS, ON_RECORD
from tests.api.hub import Caller, Hub, connect
from tests.api.owned import BODIES, DIGEST, WITHOUT_IDS, call, operations, routes, stock

# These name nothing, and are no lists of a tenant's own; of /api/woocommerce-sync see its own test.
NO_LISTS = {"/api/providers", "/api/health", "/api/auth/me"}
WOOCOMMERCE = "/api/woocommerce-sync/"
# A tenant has these from the start.
HELD_BY_ALL = ("/api/warehouses", "/api/keys")


async def shown(hub: Hub, caller: Caller, ids: dict[str, int]) -> dict[str, Any]:
    """Everything the owner can be shown."""
    return {
        route: (await call(caller, route, ids)).json()
        for route in routes()
        if route.startswith("GET")
    }


def asked_of(hub: Hub) -> dict[str, Any]:
    """What Temporal was asked so far."""
    held = vars(hub.gateway)
    return {name: copy(value) for name, value in held.items() if not callable(value)}


def test_every_route_that_takes_a_body_is_sent_one() -> None:
    known = operations()
    assert {one for one in routes() if "requestBody" in known[one]} == set(BODIES)
    assert {route for route in known if "{" in route} - set(routes()) == {
        route for route in known if any(name in route for name in WITHOUT_IDS)
    }


async def test_every_route_answers_404_for_anothers_ids(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    await connect(stranger)
    before = await shown(hub, caller, ids)
    hub.waker.woken.clear()
    asked = asked_of(hub)
    for route in routes():
        answer = await call(stranger, route, ids)
        assert (route, answer.status_code) == (route, 404)
    listed = await stranger.get("/api/syncs", params={"storeId": ids["store_id"]})
    assert listed.status_code == 404
    assert asked_of(hub) == asked
    assert hub.waker.woken == []
    assert await shown(hub, caller, ids) == before


@dataclass
class Deeds:
    """Sees that no route has Temporal do anything before it has written an entry."""

    hub: Hub
    caller: Caller
    route: str = ""
    since: int = 0
    acted: set[str] = field(default_factory=set)

    async def begin(self, route: str) -> None:
        self.route, self.since = route, await self._newest()

    async def check(self) -> None:
        self.acted.add(self.route)
        is_repeated = self.route.endswith("/activate")  # the store is active: this has its entry
        assert (self.route, is_repeated or await self._newest() > self.since) == (self.route, True)

    async def _newest(self) -> int:
        statement = "select coalesce(max(id), 0) from audit_log"
        ((newest,),) = await self.hub.execute(self.caller.tenant, statement)
        return int(newest)


async def test_the_owner_of_the_ids_is_answered(hub: Hub, caller: Caller) -> None:
    """And another is not answered as the owner was, though the Idempotency-Key is the same.

    Whatever is asked of Temporal meanwhile is on record before.
    """
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    deeds = Deeds(hub, caller)
    hub.gateway.before_acting = deeds.check
    for number, route in enumerate(routes()):
        await deeds.begin(route)
        key = {"Idempotency-Key": f"intent-{number}"}
        answer = await call(caller, route, ids, key)
        assert (route, answer.status_code in {200, 201, 202, 204}) == (route, True), answer.text
        again = await call(stranger, route, ids, key)
        assert (route, again.status_code, again.headers.get("idempotency-replayed")) == (
            *(route, 404),
            None,
        )
    known = {one.replace(":path", "") for one in (*ON_RECORD, *FOLLOWS)}
    assert deeds.acted <= known
    assert len(deeds.acted) > 8


async def test_no_workflow_of_another_is_shown_or_stopped(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    store_id = ids["store_id"]
    stranger = await hub.new_caller()
    await connect(stranger)
    known = (f"import/{store_id}", f"sync/{store_id}/pull", f"demand/{store_id}/{DIGEST}")
    inner = (
        *(f"pull/{store_id}/products", f"reconcile/{store_id}/products"),
        *(f"preview/{store_id}/products", f"subscriptions/{store_id}", f"unsubscribe/{store_id}"),
        *("check/1", "mapping-preview/1", f"push/{store_id}", f"inbound/{store_id}"),
        *(f"alert/{caller.tenant.id}", f"schedule/{store_id}/pull"),
    )
    for workflow_id in (*known, *inner):
        hub.gateway.running[workflow_id] = "run-1"
        path = f"/api/syncs/{workflow_id}"
        for answer in (
            await stranger.get(path),
            await stranger.get(f"{path}/diff"),
            await stranger.post(f"{path}/cancel"),
        ):
            assert (answer.url, answer.status_code) == (answer.url, 404)
    assert hub.gateway.cancelled == []
    for workflow_id in known:
        assert (await caller.post(f"/api/syncs/{workflow_id}/cancel")).status_code == 202
    assert hub.gateway.cancelled == list(known)


async def test_lists_hold_only_ones_own(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    stranger = await hub.new_caller()
    lists = [
        path
        for route in operations()
        for method, path in [route.split()]
        if method == "GET" and "{" not in path and path not in NO_LISTS
        if not path.startswith(WOOCOMMERCE)
    ]
    assert len(lists) == 15
    for path in lists:
        own = (await caller.get(path)).json()["data"]
        theirs = (await stranger.get(path)).json()["data"]
        assert (path, bool(own)) == (path, True)
        assert (path, [row for row in theirs if row in own]) == (path, [])
        assert (path, len(theirs)) == (path, 1 if path in HELD_BY_ALL else 0)
    for path in ("/api/alerts", "/api/conflicts"):
        mine = await caller.get("/api/stores")
        found = await stranger.get(path, params={"storeId": mine.json()["data"][0]["id"]})
        assert found.json()["data"] == []


async def test_a_cursor_of_another_tenant_opens_nothing(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    await connect(caller, "second")
    cursor = (await caller.get("/api/stores?limit=1")).json()["nextCursor"]
    stranger = await hub.new_caller()
    page = (await stranger.get("/api/stores", params={"cursor": cursor})).json()
    assert page == {"data": [], "nextCursor": None}


# Of tables in parts, the whole.
TABLES = """
select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and not c.relispartition
  and c.relnamespace = 'public'::regnamespace
"""


async def test_sql_without_a_tenant_sees_no_row(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    async with hub.database.lookup() as connection:
        tables = (await connection.execute(text(TABLES))).scalars().all()
        seen = {
            table: (await connection.execute(text(f"select count(*) from {table}"))).scalar()
            for table in (*tables, "tenants")
        }
    assert len(seen) > 40
    assert seen == dict.fromkeys(seen, 0)


async def test_a_tenants_sql_cannot_write_for_another(hub: Hub, caller: Caller) -> None:
    stranger = await hub.new_caller()
    with pytest.raises(ProgrammingError, match="row-level security"):
        await hub.execute(
            stranger.tenant,
            "insert into warehouses (tenant_id, name) values (:theirs, 'Mine')",
            theirs=caller.tenant.id,
        )


@pytest.mark.parametrize("function", ["create_tenant('x', 'y')", "list_tenants()"])
async def test_the_application_makes_and_lists_no_tenants(hub: Hub, function: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with hub.database.lookup() as connection:
            await connection.execute(text(f"select {function}"))
