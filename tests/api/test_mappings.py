from typing import Any

import pytest

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from db.mapping_previews import answer_preview
from runtime.sweeper import sweep_once
from tests.api.hub import Caller, Hub, connect

RULE: dict[str, Any] = {
    "entity": "products",
    "target": "title",
    "expression": "meta_data[?key=='x'].value | [0]",
    "onMissing": "keep",
}


async def put(caller: Caller, store_id: int, *rules: dict[str, Any], **more: Any) -> Any:
    headers = more.pop("headers", {})
    return await caller.send(
        "PUT",
        f"/api/stores/{store_id}/mapping",
        json={"rules": list(rules), **more},
        headers=headers,
    )


async def test_a_store_without_rules_is_at_version_0(caller: Caller) -> None:
    store_id = await connect(caller)
    answer = await caller.get(f"/api/stores/{store_id}/mapping")
    nothing: dict[str, Any] = {"storeId": store_id, "version": 0, "updatedAt": None, "rules": []}
    assert (answer.status_code, answer.json()) == (200, nothing)
    assert answer.headers["ETag"] == '"0"'


async def test_rules_are_replaced_whole_and_written_down(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    other = {"entity": "orders", "target": "extra.agent", "expression": "customer_user_agent"}
    first = await put(caller, store_id, RULE, other)
    assert first.status_code == 200, first.text
    assert first.json()["rules"] == [RULE, {**other, "onMissing": "keep"}]
    second = await put(caller, store_id, other)
    assert (second.json()["version"], second.headers["ETag"]) == (2, '"2"')
    assert (await caller.get(f"/api/stores/{store_id}/mapping")).json() == second.json()
    audit = await hub.execute(
        caller.tenant,
        "select subject, actor_kind, details from audit_log where action = 'mapping.changed'"
        " order by id",
    )
    assert audit == [
        (
            f"store/{store_id}",
            "key",
            {"version": 1, "targets": ["products.title", "orders.extra.agent"]},
        ),
        (f"store/{store_id}", "key", {"version": 2, "targets": ["orders.extra.agent"]}),
    ]


async def test_who_saves_over_a_newer_version_is_told(caller: Caller) -> None:
    store_id = await connect(caller)
    assert (await put(caller, store_id, RULE, version=0)).status_code == 200
    assert (await put(caller, store_id, RULE, version=0)).status_code == 409
    matching = {"If-Match": '"1"'}
    assert (await put(caller, store_id, RULE, headers=matching)).status_code == 200
    late = await put(caller, store_id, RULE, headers=matching)
    assert (late.status_code, "read it again" in late.json()["detail"]) == (409, True)
    assert (await put(caller, store_id, RULE, headers={"If-Match": "*"})).status_code == 200
    for value in ("x", '"9999999999999999"'):
        assert (await put(caller, store_id, RULE, headers={"If-Match": value})).status_code == 400
    both = await put(caller, store_id, RULE, headers={"If-Match": '"3"'}, version=2)
    assert both.status_code == 400


async def test_every_bad_rule_is_named_by_its_pointer(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    answer = await put(
        caller,
        store_id,
        RULE,
        {**RULE, "target": "price"},
        {**RULE, "target": "slug", "expression": "name["},
        {**RULE, "entity": "prices"},
        {**RULE, "target": "tags", "onMissing": "ignore"},
        {**RULE, "target": "extra.a", "expression": "x" * 501},
        {**RULE, "target": "extra.b", "surprise": 1},
    )
    assert answer.status_code == 422
    pointers = [one["pointer"] for one in answer.json()["errors"]]
    assert pointers == [
        "/rules/1/target",
        "/rules/2/expression",
        "/rules/3/entity",
        "/rules/4/onMissing",
        "/rules/5/expression",
        "/rules/6/surprise",
    ]
    twice = await put(caller, store_id, RULE, RULE, {**RULE, "target": "title"})
    assert [one["pointer"] for one in twice.json()["errors"]] == [
        "/rules/1/target",
        "/rules/2/target",
    ]
    bare = await put(caller, store_id, {**RULE, "onMissing": "clear"})
    assert [one["pointer"] for one in bare.json()["errors"]] == ["/rules/0/onMissing"]
    many = await put(caller, store_id, *[{**RULE, "target": f"extra.a{n}"} for n in range(51)])
    assert [one["pointer"] for one in many.json()["errors"]] == ["/rules"]
    assert await hub.execute(caller.tenant, "select from field_mappings") == []


@pytest.mark.parametrize("expression", ["name\x00", "\ud800", "na\nme"])
async def test_what_the_database_cannot_keep_is_refused(caller: Caller, expression: str) -> None:
    store_id = await connect(caller)
    body = '{"rules": [{"entity": "products", "target": "title", "expression": "%s"}]}'
    escaped = "".join(f"\\u{ord(one):04x}" for one in expression)
    answer = await caller.send(
        "PUT",
        f"/api/stores/{store_id}/mapping",
        content=body % escaped,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text


TRACE = {
    "external_id": "",
    "raw": {"name": "Tea"},
    "before": {"title": "Tea"},
    "after": {"title": "Green tea"},
    "errors": {},
}


async def test_a_preview_shows_one_record_and_keeps_nothing_of_it(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    asked: list[Any] = []

    async def look(args: PreviewMappingInput) -> PreviewMappingResult:
        statement = "select store_id, entity, external_id, rules from mapping_previews"
        asked.extend(await hub.execute(caller.tenant, statement))
        async with hub.database.tenant(args.tenant_id) as connection:
            await answer_preview(
                connection,
                args.preview_id,
                {
                    "external_id": "55",
                    "record": TRACE,
                    "variants": [{**TRACE, "external_id": "7", "errors": {"1": "it is no text"}}],
                },
            )
        return PreviewMappingResult()

    hub.gateway.try_mapping = look
    answer = await caller.post(
        f"/api/stores/{store_id}/mapping/preview",
        json={"entity": "products", "externalId": "55", "rules": [RULE]},
    )
    plain = {"raw": {"name": "Tea"}, "before": {"title": "Tea"}, "after": {"title": "Green tea"}}
    assert answer.json() == {
        "storeId": store_id,
        "entity": "products",
        "externalId": "55",
        **plain,
        "errors": [],
        "variants": [
            {
                "externalId": "7",
                **plain,
                "errors": [{"pointer": "/rules/1", "detail": "it is no text"}],
            }
        ],
    }
    assert asked == [(store_id, "products", "55", [RULE])]
    assert await hub.execute(caller.tenant, "select from mapping_previews") == []


async def test_a_preview_without_rules_tries_those_that_are_saved(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await put(caller, store_id, RULE)
    asked: list[Any] = []

    async def look(_args: PreviewMappingInput) -> PreviewMappingResult:
        asked.extend(await hub.execute(caller.tenant, "select rules from mapping_previews"))
        return PreviewMappingResult(error_type="CredentialsError", message="keys are wrong")

    hub.gateway.try_mapping = look
    path = f"/api/stores/{store_id}/mapping/preview"
    refused = await caller.post(path, json={"entity": "products"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "keys are wrong")
    assert asked == [([RULE],)]
    assert await hub.execute(caller.tenant, "select from mapping_previews") == []


async def test_a_preview_that_found_no_record_says_why(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)

    async def look(args: PreviewMappingInput) -> PreviewMappingResult:
        async with hub.database.tenant(args.tenant_id) as connection:
            await answer_preview(connection, args.preview_id, {"reason": "The store has none."})
        return PreviewMappingResult()

    hub.gateway.try_mapping = look
    path = f"/api/stores/{store_id}/mapping/preview"
    answer = await caller.post(path, json={"entity": "orders"})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"pointer": "/externalId", "detail": "The store has none."}],
    )


async def test_a_preview_shows_no_record_to_who_may_read_none(hub: Hub) -> None:
    caller = await hub.new_caller(permissions=["stores:read", "stores:write"])
    store_id = await connect(caller)
    assert (await put(caller, store_id, RULE)).status_code == 200
    path = f"/api/stores/{store_id}/mapping/preview"
    answer = await caller.post(path, json={"entity": "products"})
    assert (answer.status_code, "records:read" in answer.json()["detail"]) == (403, True)


async def test_what_nobody_came_back_for_is_swept_away(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await hub.execute(
        caller.tenant,
        "insert into mapping_previews (tenant_id, store_id, entity, expires_at) values"
        " (:owner, :store, 'orders', now() - interval '1 second'),"
        " (:owner, :store, 'products', now() + interval '1 hour')",
        owner=caller.tenant.id,
        store=store_id,
    )
    assert await sweep_once(hub.database)
    assert await hub.execute(caller.tenant, "select entity from mapping_previews") == [
        ("products",)
    ]
