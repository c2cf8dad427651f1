from typing import Any

import pytest

from activities.push_preview import PreviewedPush, PreviewPushInput, PreviewPushResult
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Category
from tests.api.hub import Caller, Hub, connect


async def enqueue(
    hub: Hub, caller: Caller, store_id: int, *rows: tuple[str, int, str]
) -> list[int]:
    ids = []
    for entity, record_id, status in rows:
        [(row_id,)] = await hub.execute(
            caller.tenant,
            "insert into pushes (tenant_id, store_id, entity, record_id, status, last_error)"
            " values (:owner, :store, :entity, :record, :status, 'why') returning id",
            owner=caller.tenant.id,
            store=store_id,
            entity=entity,
            record=record_id,
            status=status,
        )
        ids.append(row_id)
    return ids


async def test_pushes_are_listed_oldest_first_page_by_page(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    other = await connect(caller, "other")
    ids = await enqueue(
        hub,
        caller,
        store_id,
        ("products", 1, "pending"),
        ("products", 2, "failed"),
        ("orders", 3, "unsupported"),
    )
    await enqueue(hub, caller, other, ("products", 1, "pending"))
    path = f"/api/stores/{store_id}/pushes"
    first = (await caller.get(f"{path}?limit=2")).json()
    rest = (await caller.get(path, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [one["id"] for one in first["data"] + rest["data"]] == ids
    assert rest["nextCursor"] is None
    failed = (await caller.get(f"{path}?status=failed")).json()["data"]
    assert [(one["id"], one["recordId"], one["lastError"]) for one in failed] == [
        (ids[1], 2, "why")
    ]
    orders = (await caller.get(f"{path}?entity=orders")).json()["data"]
    assert [(one["id"], one["status"]) for one in orders] == [(ids[2], "unsupported")]


@pytest.mark.parametrize(
    "query", ["pushes?status=lost", "pushes?entity=variants", "push-preview?entity=variants"]
)
async def test_what_is_not_pushed_cannot_be_asked_for(hub: Hub, caller: Caller, query: str) -> None:
    store_id = await connect(caller)
    answer = await caller.get(f"/api/stores/{store_id}/{query}")
    assert (answer.status_code, hub.gateway.previews) == (422, [])


async def test_a_preview_names_what_would_be_done(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, Pulled("1", Category(name="Tea")))
    [(record_id,)] = await hub.execute(caller.tenant, "select id from categories")
    hub.gateway.preview = PreviewPushResult(
        total=9,
        counts={"match": 1, "conflict": 1},
        items=(
            PreviewedPush(record_id=record_id, action="match", external_id="77"),
            PreviewedPush(record_id=4_000_000, action="conflict", external_id="78", holder=2),
        ),
    )
    answer = await caller.get(f"/api/stores/{store_id}/push-preview?entity=categories&limit=2")
    assert answer.json() == {
        "storeId": store_id,
        "entity": "categories",
        "total": 9,
        "examined": 2,
        "counts": {"match": 1, "conflict": 1},
        "items": [
            item(record_id, "Tea", "match", "77", None),
            item(4_000_000, "", "conflict", "78", 2),
        ],
    }
    assert hub.gateway.previews == [
        PreviewPushInput(
            tenant_id=caller.tenant.id, store_id=store_id, entity=Entity.CATEGORIES, limit=2
        )
    ]
    assert hub.gateway.waits[-1] == (store_id, 3)


def item(record_id: int, name: str, action: str, key: str, linked_to: int | None) -> dict[str, Any]:
    return {
        "recordId": record_id,
        "name": name,
        "action": action,
        "externalId": key,
        "linkedTo": linked_to,
    }


async def test_a_store_that_says_no_to_a_preview_is_a_problem(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    hub.gateway.preview = PreviewPushResult(error_type="CredentialsError", message="keys are wrong")
    refused = await caller.get(f"/api/stores/{store_id}/push-preview")
    assert (refused.status_code, refused.json()["detail"]) == (422, "keys are wrong")
    hub.gateway.preview = PreviewPushResult(error_type="RateLimitedError", message="too many")
    busy = await caller.get(f"/api/stores/{store_id}/push-preview")
    assert (busy.status_code, busy.headers["Retry-After"]) == (502, "30")
    hub.gateway.preview = PreviewPushResult(error_type="KeyError", message="secret detail")
    broken = await caller.get(f"/api/stores/{store_id}/push-preview")
    assert (broken.status_code, "secret detail" in broken.text) == (500, False)


async def test_a_preview_that_takes_too_long_says_so(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    hub.gateway.preview = None
    answer = await caller.get(f"/api/stores/{store_id}/push-preview")
    assert (answer.status_code, "limit" in answer.json()["detail"]) == (504, True)
