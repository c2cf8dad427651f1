from copy import deepcopy
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.app import create_app
from db.mapping_previews import answer_preview
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Category, Customer, Order, Record
from domain.statuses import OrderStatus
from tests.api.hub import Caller, Hub, connect
from tests.api.runs import begin, begin_dry
from tests.api.test_alerts import WEBHOOK, alarm
from tests.api.test_conflicts import dispute
from tests.api.test_record_writes import made
from tests.api.webhook_shop import new_shop

RECORDS: dict[Entity, Record] = {
    Entity.CATEGORIES: Category(name="Tea"),
    Entity.CUSTOMERS: Customer(email="n@example.com"),
    Entity.ORDERS: Order(number="1", status=OrderStatus.PENDING, currency="LKR", total=1),
}
RULE = {"entity": "products", "target": "extra.kind", "expression": "type"}
# What the routes that take a body are sent, by those who own what the path names and by others.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/stores/{store_id}": {"name": "Mine now"},
    "POST /api/stores/{store_id}/import": {"dryRun": False},
    "POST /api/stores/{store_id}/sync": {"kind": "reconcile"},
    "PUT /api/stores/{store_id}/mapping": {"rules": [RULE]},
    "POST /api/stores/{store_id}/mapping/preview": {"entity": "products", "rules": [RULE]},
    "PUT /api/stores/{store_id}/schedule": {"pull": {"interval": "PT15M"}},
    "POST /api/stores/{store_id}/schedule/trigger": {"kind": "pull"},
    "POST /api/stores/{store_id}/retry-failed-sync": {"pushIds": [1]},
    "PATCH /api/categories/{record_id}": {"name": "Mine now"},
    "PATCH /api/products/{record_id}": {"title": "Mine now"},
    "PATCH /api/customers/{record_id}": {"phone": "1"},
    "PATCH /api/orders/{record_id}": {"status": "cancelled"},
    "PATCH /api/warehouses/{record_id}": {"name": "Mine now"},
    "POST /api/conflicts/{record_id}/resolve": {"resolution": "local"},
    "PATCH /api/keys/{record_id}": {"name": "Mine now"},
    "POST /api/keys/{record_id}/rotate": {"overlapHours": 1},
}
# What ends the work of what it names: the owner's last requests, in this order.
LAST = (
    "POST /api/syncs/{workflow_id}/cancel",
    "PATCH /api/stores/{store_id}/deactivate",
    "DELETE /api/stores/{store_id}",
)
NAMED = ("warehouses", "invoices", "conflicts", "alerts")
# These name nothing, and are no lists of a tenant's own.
NO_LISTS = {"/api/providers", "/api/health", "/api/woocommerce-sync/connection/test"}
# A tenant has these from the start.
HELD_BY_ALL = ("/api/warehouses", "/api/keys")
# These name no record: a provider, a kind of record, or a store by the code that its webhooks
# carry.
WITHOUT_IDS = ("{store_code}", "{provider}", "{entity}", "{productId}")


async def stock(hub: Hub, caller: Caller) -> dict[str, int]:
    """A store with one of everything that has an id; the ids to put into paths."""
    shop = await new_shop(hub, caller)
    hub.gateway.try_mapping = partial(found_a_record, hub)
    await dispute(hub, caller, shop.store_id)
    for entity, record in RECORDS.items():
        await hub.take_in(caller.tenant, shop.store_id, entity, Pulled("1", record))
    await alarm(hub, caller, shop.store_id)
    await shop.send()
    await hub.execute(caller.tenant, "update webhook_events set status = 'failed'")
    cup = await made(caller, "products", variants=[{"quantity": 5}])
    line = {"variantId": cup["variants"][0]["id"], "quantity": 1}
    for path, body in (
        (f"stores/{shop.store_id}/import", None),
        ("inventory/movements", {**line, "kind": "receipt"}),
        ("invoices", {"number": "1", "lines": [line]}),
    ):
        answer = await caller.post(f"/api/{path}", **({"json": body} if body else {}))
        assert answer.status_code in {201, 202}, answer.text
    channels = {"channels": [{"name": "On call", "config": WEBHOOK}]}
    assert (await caller.send("PUT", "/api/alert-channels", json=channels)).status_code == 200
    await begin(hub, caller, shop.store_id)
    await begin_dry(hub, caller, shop.store_id)
    ids = {"store_id": shop.store_id}
    for listing in (*(entity.value for entity in RECORDS), "products", *NAMED):
        ids[listing] = (await caller.get(f"/api/{listing}")).json()["data"][0]["id"]
    ids["webhook-events"] = (await shop.events())[0]["id"]
    key = await caller.post("/api/keys", json={"name": "Till", "permissions": ["stores:read"]})
    ids["keys"] = key.json()["id"]
    return ids


async def found_a_record(hub: Hub, args: PreviewMappingInput) -> PreviewMappingResult:
    """A worker that tried a field mapping."""
    trace = {"external_id": "", "raw": {}, "before": {}, "after": {}, "errors": {}}
    found = {"external_id": "1", "record": trace, "variants": []}
    async with hub.database.tenant(args.tenant_id) as connection:
        await answer_preview(connection, args.preview_id, found)
    return PreviewMappingResult()


def fill_in(path: str, ids: dict[str, int]) -> str:
    """The path with ids; a record's is that of the listing before it."""
    listing = path.partition("/{record_id}")[0].rpartition("/")[2]
    return (
        path.replace("{store_id}", str(ids["store_id"]))
        .replace("{workflow_id}/diff", f"demand/{ids['store_id']}/0123456789abcdef/diff")
        .replace("{workflow_id}", f"import/{ids['store_id']}")
        .replace("{record_id}", str(ids.get(listing)))
    )


def operations(hub: Hub) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = create_app(hub.services).openapi()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def routes(hub: Hub) -> list[str]:
    """Every route that names something, in an order in which its owner may call all of them."""
    named = [
        route
        for route in operations(hub)
        if "{" in route and not any(name in route for name in WITHOUT_IDS)
    ]
    order = {"GET": 0, "PUT": 1, "PATCH": 2, "POST": 3, "DELETE": 4}
    return sorted(
        named,
        key=lambda route: (
            LAST.index(route) if route in LAST else -1,
            order[route.split()[0]],
            route,
        ),
    )


async def call(caller: Caller, route: str, ids: dict[str, int]) -> httpx.Response:
    method, path = route.split()
    body = {"json": BODIES[route]} if route in BODIES else {}
    return await caller.send(method, fill_in(path, ids), **body)


async def shown(hub: Hub, caller: Caller, ids: dict[str, int]) -> dict[str, Any]:
    """Everything the owner can be shown."""
    return {
        route: (await call(caller, route, ids)).json()
        for route in routes(hub)
        if route.startswith("GET")
    }


def test_every_route_that_takes_a_body_is_sent_one(hub: Hub) -> None:
    known = operations(hub)
    assert {one for one in routes(hub) if "requestBody" in known[one]} == set(BODIES)
    assert {route for route in known if "{" in route} - set(routes(hub)) == {
        route for route in known if any(name in route for name in WITHOUT_IDS)
    }


async def test_every_route_answers_404_for_anothers_ids(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    await connect(stranger)
    before = await shown(hub, caller, ids)
    hub.waker.woken.clear()
    asked = deepcopy(vars(hub.gateway))
    for route in routes(hub):
        answer = await call(stranger, route, ids)
        assert (route, answer.status_code) == (route, 404)
    listed = await stranger.get("/api/syncs", params={"storeId": ids["store_id"]})
    assert listed.status_code == 404
    assert vars(hub.gateway) == asked
    assert hub.waker.woken == []
    assert await shown(hub, caller, ids) == before


async def test_the_owner_of_the_ids_is_answered(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    for route in routes(hub):
        answer = await call(caller, route, ids)
        assert (route, answer.status_code in {200, 202, 204}) == (route, True), answer.text


async def test_lists_hold_only_ones_own(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    stranger = await hub.new_caller()
    lists = [
        path
        for route in operations(hub)
        for method, path in [route.split()]
        if method == "GET" and "{" not in path and path not in NO_LISTS
    ]
    assert len(lists) == 13
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
