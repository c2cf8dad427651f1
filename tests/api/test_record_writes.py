"""Categories, customers and orders that are written in the hub."""

from typing import Any

import pytest

from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub, connect
from tests.api.samples import only, stock

ENTITIES = ("categories", "products", "customers")
BODIES: dict[str, dict[str, Any]] = {
    "categories": {"name": "Tea"},
    "products": {"title": "Tea", "currency": "LKR"},
    "customers": {"email": "ann@example.com"},
}


async def wants_all(hub: Hub, caller: Caller) -> None:
    """Every store of the tenant is told everything."""
    await hub.execute(
        caller.tenant,
        "update stores set settings = jsonb_build_object('syncDirections', jsonb_build_object("
        "'products', 'both', 'categories', 'both', 'customers', 'both', 'inventory', 'both',"
        "'orderStatus', 'both'))",
    )


async def due(hub: Hub, caller: Caller) -> list[tuple[str, int]]:
    return [
        (entity, record_id)
        for entity, record_id in await hub.execute(
            caller.tenant, "select entity, record_id from pushes order by entity, record_id"
        )
    ]


async def changes(hub: Hub, caller: Caller) -> list[tuple[str, str]]:
    return [
        (entity, action)
        for entity, action in await hub.execute(
            caller.tenant, "select entity, action from changes order by seq"
        )
    ]


async def made(caller: Caller, entity: str, **changed: Any) -> dict[str, Any]:
    answer = await caller.post(f"/api/{entity}", json=BODIES[entity] | changed)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/{entity}/{answer.json()['id']}"
    return dict(answer.json())


@pytest.mark.parametrize("entity", ENTITIES)
async def test_what_is_written_is_shown_told_and_due(hub: Hub, caller: Caller, entity: str) -> None:
    store_id = await connect(caller)
    await wants_all(hub, caller)
    record = await made(caller, entity)
    assert (await caller.get(f"/api/{entity}/{record['id']}")).json() == record
    assert await changes(hub, caller) == [(entity, "created")]
    assert await due(hub, caller) == [(entity, record["id"])]
    assert hub.waker.woken == [(caller.tenant.id, LaneKind.PUSH, store_id)]


@pytest.mark.parametrize("entity", ENTITIES)
async def test_a_write_that_changes_nothing_tells_nobody(
    hub: Hub, caller: Caller, entity: str
) -> None:
    record = await made(caller, entity)
    for body in ({}, {name: record[name] for name in BODIES[entity]}):
        answer = await caller.patch(f"/api/{entity}/{record['id']}", json=body)
        assert (answer.status_code, answer.json()) == (200, record)
    assert await changes(hub, caller) == [(entity, "created")]


@pytest.mark.parametrize("entity", ENTITIES)
async def test_what_is_deleted_is_gone_and_told(hub: Hub, caller: Caller, entity: str) -> None:
    await connect(caller)
    await wants_all(hub, caller)
    record = await made(caller, entity)
    path = f"/api/{entity}/{record['id']}"
    answer = await caller.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for again in (caller.delete(path), caller.get(path), caller.patch(path, json={})):
        assert (await again).status_code == 404
    assert (entity, "deleted") in await changes(hub, caller)
    assert (entity, record["id"]) in await due(hub, caller)


@pytest.mark.parametrize("entity", ENTITIES)
async def test_a_key_makes_a_record_once(caller: Caller, entity: str) -> None:
    key = {"Idempotency-Key": "one"}
    first = await caller.post(f"/api/{entity}", json=BODIES[entity], headers=key)
    second = await caller.post(f"/api/{entity}", json=BODIES[entity], headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() == await only(caller, entity)


async def test_who_only_reads_writes_nothing(hub: Hub, caller: Caller) -> None:
    reader = await hub.new_caller(permissions=("records:read",), tenant=caller.tenant)
    for entity in ENTITIES:
        answer = await reader.post(f"/api/{entity}", json=BODIES[entity])
        assert answer.status_code == 403
        assert "records:write" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("categories", {"name": " "}, "/name"),
        ("categories", {"name": "x" * 501}, "/name"),
        ("categories", {"name": "a\x00b"}, "/name"),
        ("categories", {"name": "Tea", "parentId": 999_999}, "/parentId"),
        ("customers", {"email": "nobody"}, "/email"),
        ("customers", {"firstName": ""}, ""),
        (
            "customers",
            {"email": "a@b.example", "billing": {"country": "Ceylon"}},
            "/billing/country",
        ),
        ("customers", {"email": "a@b.example", "billing": {"planet": "x"}}, "/billing/planet"),
    ],
)
async def test_a_bad_body_is_refused(
    caller: Caller, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await caller.post(f"/api/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_null_is_a_value_only_where_there_is_nothing_else(caller: Caller) -> None:
    above = await made(caller, "categories")
    below = await made(caller, "categories", name="Green", parentId=above["id"])
    path = f"/api/categories/{below['id']}"
    assert (await caller.patch(path, json={"name": None})).status_code == 422
    answer = await caller.patch(path, json={"parentId": None})
    assert (answer.status_code, answer.json()["parentId"]) == (200, None)


async def test_a_category_gets_its_slug_from_its_name(caller: Caller) -> None:
    assert (await made(caller, "categories", name="Fine Ceylon & more"))["slug"] == (
        "fine-ceylon-more"
    )
    assert (await made(caller, "categories", name="شاي سيلاني"))["slug"] == "شاي-سيلاني"
    assert (await made(caller, "categories", slug="own"))["slug"] == "own"


async def test_a_category_is_never_below_itself(caller: Caller) -> None:
    top = await made(caller, "categories")
    below = await made(caller, "categories", parentId=top["id"])
    for parent in (top["id"], below["id"]):
        answer = await caller.patch(f"/api/categories/{top['id']}", json={"parentId": parent})
        assert answer.status_code == 409


async def test_what_is_below_a_deleted_category_moves_up(caller: Caller) -> None:
    top = await made(caller, "categories")
    middle = await made(caller, "categories", parentId=top["id"])
    low = await made(caller, "categories", parentId=middle["id"])
    await caller.delete(f"/api/categories/{middle['id']}")
    shown = (await caller.get(f"/api/categories/{low['id']}")).json()
    assert shown["parentId"] == top["id"]


async def test_a_customer_is_changed_in_parts(caller: Caller) -> None:
    address = {"city": "Colombo", "country": "LK", "address1": "12 Galle Road"}
    customer = await made(caller, "customers", billing=address)
    answer = await caller.patch(
        f"/api/customers/{customer['id']}",
        json={"phone": "+94 1", "billing": {"city": "Kandy"}},
    )
    shown = answer.json()
    assert (shown["phone"], shown["email"]) == ("+94 1", "ann@example.com")
    assert (shown["billing"]["city"], shown["billing"]["address1"]) == ("Kandy", "12 Galle Road")


async def test_an_email_address_stands_for_one_customer(caller: Caller) -> None:
    ann = await made(caller, "customers")
    ben = await made(caller, "customers", email="ben@example.com")
    answer = await caller.post("/api/customers", json={"email": "Ann@Example.com"})
    assert answer.status_code == 409
    path = f"/api/customers/{ben['id']}"
    assert (await caller.patch(path, json={"email": ann["email"]})).status_code == 409
    await caller.delete(f"/api/customers/{ann['id']}")
    assert (await caller.patch(path, json={"email": ann["email"]})).status_code == 200


async def test_an_orders_status_goes_to_its_own_store(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    other = await connect(caller, "second")
    await wants_all(hub, caller)
    order = await only(caller, "orders")
    path = f"/api/orders/{order['id']}"
    answer = await caller.patch(path, json={"status": "completed"})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["rawStatus"]) == ("completed", "")
    told = await hub.execute(
        caller.tenant, "select store_id, entity from pushes where entity = 'orders'"
    )
    assert told == [(store_id, "orders")]
    assert other != store_id
    assert (await changes(hub, caller))[-1] == ("orders", "updated")
    before = await changes(hub, caller)
    assert (await caller.patch(path, json={"status": "completed"})).status_code == 200
    assert await changes(hub, caller) == before


@pytest.mark.parametrize("body", [{}, {"status": "unknown"}, {"status": "x"}, {"total": "1"}])
async def test_of_an_order_only_a_known_status_is_written(
    hub: Hub, caller: Caller, body: dict[str, Any]
) -> None:
    await stock(hub, caller)
    order = await only(caller, "orders")
    assert (await caller.patch(f"/api/orders/{order['id']}", json=body)).status_code == 422
