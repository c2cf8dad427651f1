"""Writes reach nothing of another tenant, and each is described with a valid example."""

from typing import Any

import pytest

from tests.api.hub import Caller, Hub
from tests.api.owned import operations
from tests.api.samples import only, stock
from tests.api.test_inventory import main_warehouse
from tests.api.test_record_writes import made

WRITES = {
    "POST /api/categories",
    "PATCH /api/categories/{record_id}",
    "DELETE /api/categories/{record_id}",
    "POST /api/products",
    "PATCH /api/products/{record_id}",
    "DELETE /api/products/{record_id}",
    "POST /api/customers",
    "PATCH /api/customers/{record_id}",
    "DELETE /api/customers/{record_id}",
    "PATCH /api/orders/{record_id}",
    "POST /api/warehouses",
    "PATCH /api/warehouses/{record_id}",
    "POST /api/inventory/movements",
    "POST /api/invoices",
}


async def test_records_of_another_are_not_there(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    stranger = await hub.new_caller()
    bodies: dict[str, dict[str, Any]] = {
        "categories": {"name": "Mine"},
        "products": {"title": "Mine"},
        "customers": {"phone": "1"},
        "orders": {"status": "cancelled"},
    }
    for entity, body in bodies.items():
        record = await only(caller, entity)
        path = f"/api/{entity}/{record['id']}"
        assert (await stranger.patch(path, json=body)).status_code == 404
        if entity != "orders":
            assert (await stranger.delete(path)).status_code == 404
        assert (await caller.get(path)).json() == record
    place = f"/api/warehouses/{await main_warehouse(caller)}"
    assert (await stranger.patch(place, json={"name": "Mine"})).status_code == 404


async def test_what_is_anothers_cannot_be_referred_to(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    tea = (await only(caller, "products"))["variants"][0]["id"]
    category = (await only(caller, "categories"))["id"]
    place = await main_warehouse(caller)
    stranger = await hub.new_caller()
    own = (await made(stranger, "products", variants=[{"quantity": 5}]))["variants"][0]["id"]
    requests: list[tuple[str, dict[str, Any], int]] = [
        ("categories", {"name": "x", "parentId": category}, 422),
        ("products", {"title": "x", "currency": "LKR", "categoryIds": [category]}, 422),
        ("inventory/movements", {"variantId": tea, "quantity": 1, "kind": "receipt"}, 404),
        (
            "inventory/movements",
            {"variantId": own, "quantity": 1, "kind": "receipt", "warehouseId": place},
            404,
        ),
        ("invoices", {"number": "1", "lines": [{"variantId": tea, "quantity": 1}]}, 404),
        (
            "invoices",
            {"number": "1", "lines": [{"variantId": own, "quantity": 1}], "warehouseId": place},
            404,
        ),
    ]
    for path, body, status in requests:
        answer = await stranger.post(f"/api/{path}", json=body)
        assert (path, answer.status_code) == (path, status)
    assert (await caller.get("/api/invoices")).json()["data"] == []


async def test_lists_hold_only_ones_own(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    tea = (await only(caller, "products"))["variants"][0]["id"]
    booked = await caller.post(
        "/api/invoices", json={"number": "1", "lines": [{"variantId": tea, "quantity": 1}]}
    )
    stranger = await hub.new_caller()
    for path in ("inventory/levels", "inventory/movements", "invoices"):
        assert (await caller.get(f"/api/{path}")).json()["data"] != []
        answer = await stranger.get(f"/api/{path}")
        assert (answer.status_code, answer.json()) == (200, {"data": [], "nextCursor": None})
    assert (await stranger.get(booked.headers["location"])).status_code == 404
    (own,) = (await stranger.get("/api/warehouses")).json()["data"]
    assert own["id"] != await main_warehouse(caller)


async def test_a_sku_and_an_invoice_number_are_ones_own(hub: Hub, caller: Caller) -> None:
    for tenant in (caller, await hub.new_caller()):
        product = await made(tenant, "products", variants=[{"sku": "TEA-1", "quantity": 5}])
        line = {"variantId": product["variants"][0]["id"], "quantity": 1}
        answer = await tenant.post("/api/invoices", json={"number": "1", "lines": [line]})
        assert answer.status_code == 201


async def test_every_write_needs_its_permission(hub: Hub, caller: Caller) -> None:
    reader = await hub.new_caller(permissions=("records:read",), tenant=caller.tenant)
    for route in sorted(WRITES):
        method, path = route.split()
        body: dict[str, Any] = {} if method == "DELETE" else {"json": {}}
        answer = await reader.send(method, path.replace("{record_id}", "1"), **body)
        assert (route, answer.status_code) == (route, 403)


@pytest.mark.parametrize("route", sorted(WRITES))
def test_every_write_is_described(route: str) -> None:
    method = route.partition(" ")[0]
    operation = operations()[route]
    assert operation["summary"]
    assert operation["description"]
    has_key = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))
    assert has_key is (method == "POST")
