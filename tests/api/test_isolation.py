from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from api.app import create_app
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Category, Customer, Order, Product, Record, Variant
from domain.statuses import OrderStatus, ProductStatus
from tests.api.hub import Caller, Hub, connect

RECORDS: dict[Entity, Record] = {
    Entity.CATEGORIES: Category(name="Tea"),
    Entity.PRODUCTS: Product(
        title="Tea",
        status=ProductStatus.ACTIVE,
        currency="LKR",
        variants=(Variant(external_id="1"),),
    ),
    Entity.CUSTOMERS: Customer(email="n@example.com"),
    Entity.ORDERS: Order(number="1", status=OrderStatus.PENDING, currency="LKR", total=1),
}


async def stock(hub: Hub, caller: Caller) -> dict[str, int]:
    """A store with one record of each kind; the ids to put into paths."""
    store_id = await connect(caller, sync=True)
    for entity, record in RECORDS.items():
        await hub.take_in(caller.tenant, store_id, entity, Pulled("1", record))
    ids = {"store_id": store_id}
    for entity in RECORDS:
        page = (await caller.get(f"/api/{entity.value}")).json()
        ids[entity.value] = page["data"][0]["id"]
    return ids


def fill_in(path: str, ids: dict[str, int]) -> str:
    entity = path.split("/")[2]
    return (
        path.replace("{store_id}", str(ids["store_id"]))
        .replace("{workflow_id}", f"import/{ids['store_id']}")
        .replace("{record_id}", str(ids.get(entity)))
    )


def routes(hub: Hub) -> list[tuple[str, str, bool]]:
    """Every route that names something: method, path, whether it takes a body."""
    paths: dict[str, dict[str, Any]] = create_app(hub.services).openapi()["paths"]
    return [
        (method.upper(), path, "requestBody" in operation)
        for path, operations in paths.items()
        if "{" in path
        for method, operation in operations.items()
    ]


async def test_every_route_answers_404_for_anothers_ids(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    await connect(stranger)
    hub.gateway.cancelled.clear()
    started = len(hub.gateway.imports)
    found = routes(hub)
    assert len(found) == 13
    for method, path, has_body in found:
        body = {"json": {"name": "Mine now"}} if has_body else {}
        answer = await stranger.send(method, fill_in(path, ids), **body)
        assert (method, path, answer.status_code) == (method, path, 404)
    listed = await stranger.get("/api/syncs", params={"storeId": ids["store_id"]})
    assert listed.status_code == 404
    assert hub.gateway.cancelled == []
    assert len(hub.gateway.imports) == started
    shown = (await caller.get(f"/api/stores/{ids['store_id']}")).json()
    assert (shown["name"], shown["isActive"]) == ("Main shop", True)


async def test_the_owner_of_the_ids_is_answered(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    answers = {
        (method, path): (
            await caller.send(method, fill_in(path, ids), **({"json": {}} if has_body else {}))
        ).status_code
        for method, path, has_body in sorted(routes(hub), key=lambda route: "cancel" in route[1])
        if method != "DELETE"
    }
    assert set(answers.values()) == {200, 202}


async def test_lists_hold_only_ones_own(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    stranger = await hub.new_caller()
    for path in ("stores", "syncs", *(entity.value for entity in RECORDS)):
        answer = await stranger.get(f"/api/{path}")
        assert (answer.status_code, answer.json()) == (200, {"data": [], "nextCursor": None})


async def test_a_cursor_of_another_tenant_opens_nothing(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    await connect(caller, "second")
    cursor = (await caller.get("/api/stores?limit=1")).json()["nextCursor"]
    stranger = await hub.new_caller()
    page = (await stranger.get("/api/stores", params={"cursor": cursor})).json()
    assert page == {"data": [], "nextCursor": None}


TABLES = (
    *("tenants", "tenant_counters", "api_keys", "idempotency_keys", "stores", "store_checks"),
    *("store_sync_logs", "categories", "products", "product_variants", "customers", "orders"),
    *("order_lines", "warehouses", "inventory_levels", "inventory_movements", "links", "changes"),
    *("sync_runs", "sync_run_entities", "sync_ranges", "sync_rejections", "sweep_ids"),
)


async def test_sql_without_a_tenant_sees_no_row(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    async with hub.database.lookup() as connection:
        seen = {
            table: (await connection.execute(text(f"select count(*) from {table}"))).scalar()
            for table in TABLES
        }
    assert seen == dict.fromkeys(TABLES, 0)


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
