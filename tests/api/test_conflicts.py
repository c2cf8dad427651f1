from typing import Any

import pytest
from sqlalchemy import text

from db.apply import apply
from db.publishing import Touch, publish
from db.staging import Origin
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.pages import Page
from domain.records import Record
from domain.sync_settings import ConflictPolicy, StoreSettings
from tests.api.hub import Caller, Hub, connect
from tests.db.factories import product


async def take(hub: Hub, caller: Caller, store_id: int, version: int, **values: Any) -> int:
    page: Page[Record] = Page(records=(product("1001", version=version, **values),))
    origin = Origin(caller.tenant.id, store_id)
    async with hub.database.tenant(caller.tenant.id) as connection:
        applied = await apply(connection, origin, Entity.PRODUCTS, page)
    return applied.conflicts


async def dispute(hub: Hub, caller: Caller, store_id: int | None = None) -> tuple[int, int]:
    """A store under `manual`, and the conflict it has about a title and tags."""
    store_id = store_id or await connect(caller)
    settings = StoreSettings(conflict_policy=ConflictPolicy.MANUAL)
    async with hub.database.tenant(caller.tenant.id) as connection:
        await connection.execute(
            text("update stores set settings = cast(:settings as jsonb) where id = :id"),
            {"settings": settings.model_dump_json(by_alias=True), "id": store_id},
        )
    await take(hub, caller, store_id, 1, title="Tea", tags=("a",))
    async with hub.database.tenant(caller.tenant.id) as connection:
        edited = await connection.execute(
            text(
                "update products set title = 'Local', tags = '{a,b}', updated_at = now()"
                " returning id"
            )
        )
        touch = Touch(Entity.PRODUCTS, edited.scalar_one(), "updated")
        await publish(connection, caller.tenant.id, [touch])
        await connection.execute(text("delete from pushes"))
    assert await take(hub, caller, store_id, 2, title="Remote", tags=("a", "c")) == 1
    listed = (await caller.get("/api/conflicts", params={"storeId": store_id})).json()["data"]
    return store_id, listed[0]["id"]


async def state(hub: Hub, caller: Caller) -> tuple[Any, ...]:
    """The product, whether its link differs, and how many pushes are due."""
    async with hub.database.tenant(caller.tenant.id) as connection:
        found = await connection.execute(
            text(
                "select p.title, p.tags, l.differs, (select count(*) from pushes)"
                " from products p join links l on l.record_id = p.id and l.entity = 'products'"
            )
        )
        return tuple(found.one())


async def test_a_conflict_shows_both_sides_and_a_suggestion_with_its_reason(
    hub: Hub, caller: Caller
) -> None:
    store_id, number = await dispute(hub, caller)
    [summary] = (await caller.get("/api/conflicts", params={"status": "open"})).json()["data"]
    assert (summary["entity"], summary["paths"]) == ("products", ["tags", "title"])
    shown = (await caller.get(f"/api/conflicts/{number}")).json()
    tags, title = shown["fields"]
    assert (title["base"], title["local"], title["remote"]) == ("Tea", "Local", "Remote")
    assert title["suggestion"]["resolution"] == "local"
    assert tags["suggestion"] == {
        "resolution": "merge",
        "value": ["a", "b", "c"],
        "reason": "one side only added to it, so both changes fit together",
    }
    assert shown["suggestion"]["resolution"] == "merge"
    for wanted in ({"status": "resolved"}, {"entity": "orders"}, {"storeId": store_id + 1}):
        assert (await caller.get("/api/conflicts", params=wanted)).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"resolution": "local"}, ("Local", ["a", "b"], True, 1)),
        ({"resolution": "remote"}, ("Remote", ["a", "c"], False, 0)),
        ({"resolution": "merge"}, ("Local", ["a", "b", "c"], True, 1)),
        (
            {"resolution": "manual", "data": {"title": "Both", "tags": ["z"]}},
            ("Both", ["z"], True, 1),
        ),
    ],
)
async def test_a_decision_is_written_and_the_store_is_told_what_it_lacks(
    hub: Hub, caller: Caller, body: dict[str, Any], after: tuple[Any, ...]
) -> None:
    store_id, number = await dispute(hub, caller)
    path = f"/api/conflicts/{number}/resolve"
    answer = await caller.post(path, json=body)
    assert (answer.status_code, answer.json()["resolution"]) == (200, body["resolution"])
    assert await state(hub, caller) == after
    lane = (caller.tenant.id, LaneKind.PUSH, store_id)
    assert (lane in hub.waker.woken) == bool(after[3])
    again = await caller.post(path, json=body)
    assert (again.status_code, await state(hub, caller)) == (200, after)
    other = {"resolution": "remote" if body["resolution"] == "local" else "local"}
    assert (await caller.post(path, json=other)).status_code == 409
    assert await take(hub, caller, store_id, 2, title="Remote", tags=("a", "c")) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"resolution": "manual"},
        {"resolution": "manual", "data": {"title": "Both"}},
        {"resolution": "manual", "data": {"title": "Both", "tags": [], "slug": "x"}},
        {"resolution": "manual", "data": {"title": 5, "tags": []}},
        {"resolution": "local", "data": {"title": "Both", "tags": []}},
        {"resolution": "newest"},
    ],
)
async def test_a_decision_that_does_not_fit_is_refused(
    hub: Hub, caller: Caller, body: dict[str, Any]
) -> None:
    _, number = await dispute(hub, caller)
    before = await state(hub, caller)
    assert (await caller.post(f"/api/conflicts/{number}/resolve", json=body)).status_code == 422
    assert await state(hub, caller) == before


async def test_a_conflict_that_is_not_there_is_said_so(hub: Hub, caller: Caller) -> None:
    await dispute(hub, caller)
    assert (await caller.get("/api/conflicts/999999")).status_code == 404
    body = {"resolution": "local"}
    assert (await caller.post("/api/conflicts/999999/resolve", json=body)).status_code == 404
