import asyncio

import pytest

from tests.api.fake_gateway import FACTS
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, store_body, stored_config
from workflows.models import CheckStoreInput, CheckStoreResult


async def rows_left(hub: Hub, caller: Caller) -> tuple[int, int]:
    ((stores, checks),) = await hub.execute(
        caller.tenant,
        "select (select count(*) from stores), (select count(*) from store_checks)",
    )
    return stores, checks


async def test_a_store_is_connected(hub: Hub, caller: Caller) -> None:
    answer = await caller.post("/api/stores", json=store_body())
    made = answer.json()
    store_id, code, secret = made["id"], made["webhookCode"], made["webhookSecret"]
    address = f"https://hub.example/api/stores/webhooks/{code}"
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/stores/{store_id}"
    assert made == {
        "id": store_id,
        "name": "Main shop",
        "code": "main",
        "provider": "testshop",
        "storeUrl": "https://shop.example",
        "isActive": True,
        "syncStatus": "pending",
        "lastSyncError": None,
        "syncRetryCount": 0,
        "lastSyncAttemptAt": None,
        "nextRetryAt": None,
        "facts": {
            "storeName": "Test shop",
            "storeUrl": "https://shop.example",
            "version": "1.2.3",
            "currency": "LKR",
            "timezone": "Asia/Colombo",
        },
        "webhookCode": code,
        "webhookUrls": {
            "generic": address,
            "newOrder": f"{address}/newOrder",
            "orderStatus": f"{address}/orderStatus",
        },
        "webhookUrlsReachable": True,
        "webhookUrlsUnreachableReason": None,
        "instructions": f"All: {address}; orders: {address}/newOrder; {address}/orderStatus; "
        f"secret: {secret}; {{braces}} stay",
        "settings": {
            "syncDirections": {
                "products": "pull",
                "categories": "pull",
                "customers": "pull",
                "inventory": "pull",
                "orderStatus": "pull",
            },
            "conflictPolicy": "latest",
            "conflictPolicies": {},
            "pushImported": False,
            "reservePending": False,
            "restocksCancelled": True,
            "stockWarehouse": None,
            "stockSource": "sum",
            "ipAllowList": [],
            "maxDeleteShare": 0.2,
            "orderStatusMap": {},
        },
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
        "webhookSecret": secret,
        "returned": False,
        "workflowId": None,
        "temporalUiUrl": None,
        "warning": None,
    }
    assert await rows_left(hub, caller) == (1, 0)
    assert await stored_config(hub, caller, store_id) == {
        "storeUrl": "https://shop.example",
        "consumerKey": KEY,
        "consumerSecret": SECRET,
        "webhookSecret": secret,
    }
    assert hub.gateway.imports == []


async def test_the_check_gets_a_row_id_and_no_credentials(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    (check,) = hub.gateway.checks
    assert check == CheckStoreInput(
        tenant_id=caller.tenant.id, store_check_id=check.store_check_id, provider="testshop"
    )
    assert hub.gateway.waits == [(store_id, 3)]


async def test_generated_secrets_differ_and_hold_no_character_html_escapes(
    hub: Hub, caller: Caller
) -> None:
    first = (await caller.post("/api/stores", json=store_body("one"))).json()
    second = (await caller.post("/api/stores", json=store_body("two"))).json()
    assert len({first["webhookSecret"], second["webhookSecret"]}) == 2
    assert len({first["webhookCode"], second["webhookCode"]}) == 2
    assert not set("&<>\"'") & set(first["webhookSecret"] + second["webhookSecret"])
    assert min(len(first["webhookSecret"]), len(first["webhookCode"])) >= 32


async def test_a_given_webhook_secret_is_kept_and_not_told(hub: Hub, caller: Caller) -> None:
    given = "سرّ & <'مفتاح'> 🔑"
    body = store_body()
    body["config"]["webhookSecret"] = given
    answer = await caller.post("/api/stores", json=body)
    made = answer.json()
    assert made["webhookSecret"] is None
    assert given not in answer.text
    assert "secret: the webhook secret of this store" in made["instructions"]
    assert (await stored_config(hub, caller, made["id"]))["webhookSecret"] == given


async def test_sync_true_starts_the_import(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body(sync=True))).json()
    workflow_id = f"import/{made['id']}"
    assert (made["workflowId"], made["warning"]) == (workflow_id, None)
    assert made["temporalUiUrl"] == (
        f"http://127.0.0.1:8233/namespaces/default/workflows/import%2F{made['id']}"
    )
    (started,) = hub.gateway.imports
    assert started.model_dump(include={"tenant_id", "store_id", "provider", "ladder_s"}) == {
        "tenant_id": caller.tenant.id,
        "store_id": made["id"],
        "provider": "testshop",
        "ladder_s": (0, 1),
    }


async def test_a_store_stays_when_its_import_cannot_be_started(hub: Hub, caller: Caller) -> None:
    async def succeed_then_fall(_check: CheckStoreInput) -> CheckStoreResult:
        hub.gateway.is_down = True
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = succeed_then_fall
    answer = await caller.post("/api/stores", json=store_body(sync=True))
    made = answer.json()
    assert (answer.status_code, made["workflowId"]) == (201, None)
    assert made["warning"].endswith(f"Start it with POST /api/stores/{made['id']}/import.")
    assert await rows_left(hub, caller) == (1, 0)


@pytest.mark.parametrize(
    ("error_type", "status", "kind"),
    [
        ("CredentialsError", 422, "store-credentials-refused"),
        ("PermissionDeniedError", 422, "store-permission-denied"),
        ("RouteMissingError", 422, "not-a-store"),
        ("RequestRejectedError", 422, "store-rejected-request"),
        ("AddressRefusedError", 422, "store-address-refused"),
        ("StoreUnreachableError", 502, "store-unreachable"),
        ("StoreUnavailableError", 502, "store-unavailable"),
        ("RateLimitedError", 502, "store-unavailable"),
        ("SecretError", 500, "internal"),
    ],
)
async def test_a_store_that_says_no_leaves_nothing(
    hub: Hub, caller: Caller, error_type: str, status: int, kind: str
) -> None:
    hub.gateway.refuse(error_type, "The shop said no")
    answer = await caller.post("/api/stores", json=store_body(sync=True))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:entrepot:problem:{kind}")
    assert ("The shop said no" in problem["detail"]) is (status != 500)
    assert ("retry-after" in answer.headers) is (status == 502)
    assert await rows_left(hub, caller) == (0, 0)
    assert hub.gateway.imports == []


async def test_no_verdict_in_time_leaves_nothing(hub: Hub, caller: Caller) -> None:
    async def hang(_check: CheckStoreInput) -> CheckStoreResult:
        raise TimeoutError

    hub.gateway.verdict = hang
    answer = await caller.post("/api/stores", json=store_body())
    assert (answer.status_code, answer.json()["type"]) == (
        504,
        "urn:entrepot:problem:store-timeout",
    )
    assert await rows_left(hub, caller) == (0, 0)


async def test_credentials_on_trial_expire(hub: Hub, caller: Caller) -> None:
    left: list[tuple[bool]] = []

    async def look_and_expire(_check: CheckStoreInput) -> CheckStoreResult:
        left.extend(
            await hub.execute(
                caller.tenant,
                "select expires_at - created_at between '14 min 50 s' and '15 min 10 s' "
                "from store_checks",
            )
        )
        await hub.execute(caller.tenant, "update store_checks set expires_at = now()")
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = look_and_expire
    answer = await caller.post("/api/stores", json=store_body())
    assert (left, answer.status_code) == ([(True,)], 409)
    assert await rows_left(hub, caller) == (0, 0)


async def test_without_temporal_nothing_is_saved(hub: Hub, caller: Caller) -> None:
    hub.gateway.is_down = True
    answer = await caller.post("/api/stores", json=store_body())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await rows_left(hub, caller) == (0, 0)


async def test_a_taken_code_is_refused_before_anything_is_tried(hub: Hub, caller: Caller) -> None:
    await connect(caller)
    answer = await caller.post("/api/stores", json=store_body(name="Other"))
    assert (answer.status_code, answer.json()["errors"]) == (
        409,
        [{"pointer": "/code", "detail": "It is taken."}],
    )
    assert len(hub.gateway.checks) == 1


async def test_of_two_stores_with_one_code_connected_at_once_one_wins(
    hub: Hub, caller: Caller
) -> None:
    both_tried = asyncio.Barrier(2)

    async def wait_for_the_other(_check: CheckStoreInput) -> CheckStoreResult:
        await both_tried.wait()
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = wait_for_the_other
    answers = await asyncio.gather(
        *(caller.post("/api/stores", json=store_body()) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await rows_left(hub, caller) == (1, 0)


async def test_two_tenants_may_use_one_code(hub: Hub, caller: Caller) -> None:
    await connect(caller, "same")
    await connect(await hub.new_caller(), "same")


async def test_stores_are_listed_page_by_page(hub: Hub, caller: Caller) -> None:
    ids = [await connect(caller, f"shop-{number}") for number in range(5)]
    seen: list[int] = []
    cursor: str | None = None
    pages = 0
    while True:
        page = (
            await caller.get(
                "/api/stores", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        seen += [store["id"] for store in page["data"]]
        pages += 1
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert (seen, pages) == (ids, 3)


async def test_a_store_shown_has_no_secret(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body())).json()
    answer = await caller.get(f"/api/stores/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == {
        **{
            name: value
            for name, value in made.items()
            if name not in {"webhookSecret", "returned", "workflowId", "temporalUiUrl", "warning"}
        },
        "instructions": made["instructions"].replace(
            made["webhookSecret"], "the webhook secret of this store"
        ),
    }
