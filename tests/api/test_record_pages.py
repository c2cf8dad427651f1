import pytest

from db.apply import apply
from db.staging import Origin
from domain.entities import Entity
from domain.pages import Page
from domain.records import (
    Record,
)
from tests.api.hub import Caller, Hub, connect
from tests.api.samples import only, same, stock


async def test_a_record_at_two_stores_has_two_references(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    second = await connect(caller, "second")
    record = await only(caller, "customers")
    await hub.execute(
        caller.tenant,
        "insert into links (tenant_id, store_id, entity, external_id, record_id) "
        "values (:tenant_id, :store, 'customers', '800', :record)",
        tenant_id=caller.tenant.id,
        store=second,
        record=record["id"],
    )
    assert (await only(caller, "customers"))["externalReferences"] == [
        {"storeId": store_id, "externalId": "8"},
        {"storeId": second, "externalId": "800"},
    ]


async def test_a_link_that_is_gone_is_no_reference(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    await hub.execute(
        caller.tenant, "update links set deleted_at = now() where entity = 'customers'"
    )
    assert (await only(caller, "customers"))["externalReferences"] == []


@pytest.mark.parametrize("entity", ["categories", "products", "customers", "orders"])
async def test_a_deleted_record_is_gone(hub: Hub, caller: Caller, entity: str) -> None:
    store_id = await stock(hub, caller)
    record = await only(caller, entity)
    tombstone: Page[Record] = Page(tombstones=(record["externalReferences"][0]["externalId"],))
    async with hub.database.tenant(caller.tenant.id) as connection:
        await apply(connection, Origin(caller.tenant.id, store_id), Entity(entity), tombstone)
    assert (await caller.get(f"/api/{entity}")).json() == {"data": [], "nextCursor": None}
    assert (await caller.get(f"/api/{entity}/{record['id']}")).status_code == 404


async def test_equal_records_are_paged_without_loss(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    equal = same(25)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *equal)
    seen: list[str] = []
    sizes: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await caller.get("/api/categories", params={"limit": 10, **cursor})).json()
        seen += [one["externalReferences"][0]["externalId"] for one in page["data"]]
        sizes.append(len(page["data"]))
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert sizes == [10, 10, 5]
    assert sorted(seen, key=int) == [str(number) for number in range(25)]


async def test_a_page_that_ends_the_list_has_no_cursor(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    ten = same(10)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *ten)
    page = (await caller.get("/api/categories", params={"limit": 10})).json()
    assert (len(page["data"]), page["nextCursor"]) == (10, None)


async def test_a_cursor_of_another_list_is_refused(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    two = same(2)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *two)
    cursor = (await caller.get("/api/categories", params={"limit": 1})).json()["nextCursor"]
    answer = await caller.get("/api/products", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:entrepot:problem:bad-cursor",
    )
