from datetime import UTC, datetime
from typing import Any

import pytest

from db.crypto import SecretBox
from db.lane_failures import LaneFailure, pause_lane
from db.lanes import LaneKey
from db.rotation import reseal_batch
from db.sealed_tables import SEALED_TABLES
from domain.lanes import LaneKind
from tests.api.fake_gateway import FACTS
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, store_body, stored_config
from workflows.models import CheckStoreInput, CheckStoreResult


async def ciphertext(hub: Hub, caller: Caller, store_id: int) -> list[Any]:
    return await hub.execute(
        caller.tenant,
        "select name, code, store_url, facts, encrypted_data, iv, tag from stores where id = :id",
        id=store_id,
    )


async def pause(hub: Hub, caller: Caller, store_id: int, kind: LaneKind) -> None:
    """As after a 401."""
    failure = LaneFailure("401", failures=1, at=datetime.now(UTC), next_attempt_at=None)
    async with hub.database.tenant(caller.tenant.id) as connection:
        await pause_lane(connection, LaneKey(caller.tenant.id, kind, store_id), failure)


async def paused(hub: Hub, caller: Caller) -> list[Any]:
    """Which lanes stand still: kind and store."""
    return await hub.execute(
        caller.tenant, "select kind, key from lanes where paused_reason is not null"
    )


async def checks_left(hub: Hub, caller: Caller) -> int:
    ((left,),) = await hub.execute(caller.tenant, "select count(*) from store_checks")
    return int(left)


async def link_something(hub: Hub, caller: Caller, store_id: int) -> None:
    await hub.execute(
        caller.tenant,
        "insert into links (tenant_id, store_id, entity, external_id, record_id) "
        "values (:tenant_id, :store, 'products', '1', 1)",
        tenant_id=caller.tenant.id,
        store=store_id,
    )


async def test_name_and_code_change_without_a_check(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    answer = await caller.patch(f"/api/stores/{store_id}", json={"name": "New", "code": "new"})
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["name"], changed["code"], changed["webhookSecret"]) == ("New", "new", None)
    assert len(hub.gateway.checks) == 1


async def test_an_empty_change_changes_nothing(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    before = (await caller.get(f"/api/stores/{store_id}")).json()
    assert (await caller.patch(f"/api/stores/{store_id}", json={})).status_code == 200
    assert (await caller.get(f"/api/stores/{store_id}")).json() == before


@pytest.mark.parametrize("with_config", [False, True])
async def test_a_taken_code_is_refused(hub: Hub, caller: Caller, with_config: bool) -> None:
    await connect(caller, "taken")
    store_id = await connect(caller, "mine")
    before = await ciphertext(hub, caller, store_id)
    config = {"config": {"consumerKey": "ck_new"}} if with_config else {}
    answer = await caller.patch(f"/api/stores/{store_id}", json={"code": "taken", **config})
    assert answer.status_code == 409
    assert await ciphertext(hub, caller, store_id) == before


async def test_part_of_a_config_is_laid_over_the_stored_one(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body())).json()
    hub.gateway.find({**FACTS, "version": "2.0.0"})
    answer = await caller.patch(
        f"/api/stores/{made['id']}", json={"name": "New", "config": {"consumerKey": "ck_new"}}
    )
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["name"], changed["facts"]["version"]) == ("New", "2.0.0")
    assert changed["webhookSecret"] is None
    assert await stored_config(hub, caller, made["id"]) == {
        "storeUrl": "https://shop.example",
        "consumerKey": "ck_new",
        "consumerSecret": SECRET,
        "webhookSecret": made["webhookSecret"],
    }
    assert await checks_left(hub, caller) == 0


async def test_webhooks_are_outdated_with_the_connection_whoever_looks_next(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await hub.execute(
        caller.tenant,
        "insert into webhook_subscriptions (tenant_id, store_id, topic, external_id, status)"
        " values (:own, :store, 'order.created', '7', 'active')",
        own=caller.tenant.id,
        store=store_id,
    )
    for body, status in ({"name": "Other"}, "active"), ({"config": {}}, "outdated"):
        assert (await caller.patch(f"/api/stores/{store_id}", json=body)).status_code == 200
        found = await hub.execute(caller.tenant, "select status from webhook_subscriptions")
        assert found == [(status,)]


async def test_a_field_set_to_null_is_taken_away(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body())).json()
    answer = await caller.patch(
        f"/api/stores/{made['id']}", json={"config": {"webhookSecret": None}}
    )
    renewed = answer.json()["webhookSecret"]
    assert renewed not in {None, made["webhookSecret"]}
    assert (await stored_config(hub, caller, made["id"]))["webhookSecret"] == renewed
    lacking = await caller.patch(
        f"/api/stores/{made['id']}", json={"config": {"consumerKey": None}}
    )
    assert [one["pointer"] for one in lacking.json()["errors"]] == ["/config/consumerKey"]


async def test_a_refused_config_changes_nothing_at_all(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    before = await ciphertext(hub, caller, store_id)
    hub.gateway.refuse("CredentialsError", "The shop does not accept the keys")
    answer = await caller.patch(
        f"/api/stores/{store_id}", json={"name": "New", "config": {"consumerKey": "ck_new"}}
    )
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "The shop does not accept the keys",
    )
    assert await ciphertext(hub, caller, store_id) == before
    assert await checks_left(hub, caller) == 0


async def test_new_keys_let_paused_lanes_go_on_and_refused_ones_do_not(
    hub: Hub, caller: Caller
) -> None:
    store_id, other = await connect(caller), await connect(caller, "other")
    for one, kind in (
        (store_id, LaneKind.PUSH),
        (store_id, LaneKind.INBOX),
        (other, LaneKind.PUSH),
    ):
        await pause(hub, caller, one, kind)
    config = {"config": {"consumerKey": "ck_new"}}
    well = hub.gateway.verdict
    hub.gateway.refuse("CredentialsError", "The shop does not accept the keys")
    await caller.patch(f"/api/stores/{store_id}", json=config)
    assert len(await paused(hub, caller)) == 3
    assert hub.waker.woken == []
    hub.gateway.verdict = well
    assert (await caller.patch(f"/api/stores/{store_id}", json=config)).status_code == 200
    assert await paused(hub, caller) == [("push", other)]
    woken = {(kind, key) for _, kind, key in hub.waker.woken}
    assert woken == {(LaneKind.INBOX, store_id), (LaneKind.PUSH, store_id)}


async def test_stored_keys_are_not_sent_to_a_new_address(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    answer = await caller.patch(
        f"/api/stores/{store_id}",
        json={"config": {"storeUrl": "https://evil.example", "consumerKey": "ck_new"}},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "pointer": "/config/consumerSecret",
            "detail": "Enter it again: stored secrets are never sent to a new address.",
        }
    ]
    assert len(hub.gateway.checks) == 1


@pytest.mark.parametrize(
    "address", ["http://shop.example", "https://www.shop.example/", "https://SHOP.example:443"]
)
async def test_another_spelling_of_the_address_is_the_same_shop(
    hub: Hub, caller: Caller, address: str
) -> None:
    store_id = await connect(caller)
    await link_something(hub, caller, store_id)
    answer = await caller.patch(f"/api/stores/{store_id}", json={"config": {"storeUrl": address}})
    assert answer.status_code == 200


async def test_a_store_that_was_imported_cannot_become_another_shop(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await link_something(hub, caller, store_id)
    before = await ciphertext(hub, caller, store_id)
    config = {
        "storeUrl": "https://other.example",
        "consumerKey": KEY,
        "consumerSecret": SECRET,
    }
    answer = await caller.patch(f"/api/stores/{store_id}", json={"config": config})
    assert answer.status_code == 409
    assert '"storeMoved": true' in answer.json()["detail"]
    assert await ciphertext(hub, caller, store_id) == before
    hub.gateway.find({**FACTS, "store_url": "https://other.example"})
    moved = await caller.patch(
        f"/api/stores/{store_id}", json={"config": config, "storeMoved": True}
    )
    assert (moved.status_code, moved.json()["storeUrl"]) == (200, "https://other.example")


async def test_a_shop_that_sends_us_elsewhere_is_another_shop_too(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await link_something(hub, caller, store_id)
    hub.gateway.find({**FACTS, "store_url": "https://other.example"})
    answer = await caller.patch(
        f"/api/stores/{store_id}", json={"config": {"consumerKey": "ck_new"}}
    )
    assert answer.status_code == 409
    assert await checks_left(hub, caller) == 0


async def test_a_store_that_was_never_imported_may_become_another_shop(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    hub.gateway.find({**FACTS, "store_url": "https://other.example"})
    config = {**store_body()["config"], "storeUrl": "https://other.example"}
    answer = await caller.patch(f"/api/stores/{store_id}", json={"config": config})
    assert (answer.status_code, answer.json()["storeUrl"]) == (200, "https://other.example")


async def test_a_change_that_was_overtaken_is_refused(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)

    async def change_meanwhile(_check: CheckStoreInput) -> CheckStoreResult:
        hub.gateway.find(dict(FACTS))
        inner = await caller.patch(
            f"/api/stores/{store_id}", json={"config": {"consumerKey": "ck_inner"}}
        )
        assert inner.status_code == 200
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = change_meanwhile
    outer = await caller.patch(
        f"/api/stores/{store_id}", json={"config": {"consumerKey": "ck_outer"}}
    )
    assert outer.status_code == 409
    assert (await stored_config(hub, caller, store_id))["consumerKey"] == "ck_inner"
    assert await checks_left(hub, caller) == 0


async def test_a_change_goes_through_while_the_master_key_is_rotated(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)

    async def reseal_meanwhile(_check: CheckStoreInput) -> CheckStoreResult:
        newer = SecretBox([b"n" * 32, b"k" * 32])
        async with hub.database.tenant(caller.tenant.id) as connection:
            for table in SEALED_TABLES:
                await reseal_batch(connection, table, newer, after=None)
        object.__setattr__(hub.services, "secrets", newer)
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = reseal_meanwhile
    answer = await caller.patch(
        f"/api/stores/{store_id}", json={"config": {"consumerKey": "ck_changed"}}
    )
    assert answer.status_code == 200, answer.text
    assert (await stored_config(hub, caller, store_id))["consumerKey"] == "ck_changed"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"code": None}, {"/code"}),
        ({"name": ""}, {"/name"}),
        ({"provider": "testshop"}, {"/provider"}),
        ({"isActive": False}, {"/isActive"}),
        ({"config": {"storeUrl": []}}, {"/config/consumerKey", "/config/consumerSecret"}),
    ],
)
async def test_a_wrong_change_names_its_fields(
    caller: Caller, body: dict[str, Any], errors: set[str]
) -> None:
    store_id = await connect(caller)
    answer = await caller.patch(f"/api/stores/{store_id}", json=body)
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == errors
