import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.api.fake_gateway import FACTS
from tests.api.hub import Caller, Hub, connect, store_body
from workflows.models import CheckStoreInput, CheckStoreResult

KEY = {"Idempotency-Key": "2f1c9a52-3b7e-4d63-9a51-0f2d1f0e7c11"}


async def age(hub: Hub, caller: Caller, by: timedelta) -> None:
    await hub.execute(
        caller.tenant, "update idempotency_keys set created_at = created_at - :by", by=by
    )


async def test_the_same_request_is_done_once_and_answered_the_same(
    hub: Hub, caller: Caller
) -> None:
    first = await caller.post("/api/stores", json=store_body(sync=True), headers=KEY)
    second = await caller.post("/api/stores", json=store_body(sync=True), headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert (len(hub.gateway.checks), len(hub.gateway.imports)) == (1, 1)


async def test_spacing_and_order_do_not_make_another_request(caller: Caller) -> None:
    first = await caller.post("/api/stores", json=store_body(), headers=KEY)
    body = dict(reversed(store_body().items()))
    second = await caller.post("/api/stores", json=body, headers=KEY)
    assert (second.status_code, second.json()) == (201, first.json())


async def test_the_remembered_answer_is_encrypted(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body(), headers=KEY)).json()
    ((row,),) = await hub.execute(caller.tenant, "select k::text from idempotency_keys k")
    assert "POST /api/stores" in row
    for secret in (made["webhookSecret"], made["webhookCode"], made["name"]):
        assert secret not in row


async def test_another_body_with_the_same_key_is_refused(hub: Hub, caller: Caller) -> None:
    await caller.post("/api/stores", json=store_body(), headers=KEY)
    answer = await caller.post("/api/stores", json=store_body("other"), headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:entrepot:problem:idempotency-key-reused",
    )
    assert len(hub.gateway.checks) == 1


async def test_another_store_with_the_same_key_is_refused(caller: Caller) -> None:
    one, two = await connect(caller, "one"), await connect(caller, "two")
    assert (await caller.post(f"/api/stores/{one}/import", headers=KEY)).status_code == 202
    assert (await caller.post(f"/api/stores/{two}/import", headers=KEY)).status_code == 422


async def test_routes_and_tenants_have_keys_of_their_own(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body(), headers=KEY)).json()
    other = await hub.new_caller()
    theirs = (await other.post("/api/stores", json=store_body(), headers=KEY)).json()
    assert theirs["id"] != made["id"]
    started = await caller.post(f"/api/stores/{made['id']}/import", headers=KEY)
    assert started.status_code == 202


async def test_while_the_first_is_worked_on_the_second_is_told_to_wait(
    hub: Hub, caller: Caller
) -> None:
    tried, released = asyncio.Event(), asyncio.Event()

    async def wait(_check: CheckStoreInput) -> CheckStoreResult:
        tried.set()
        await released.wait()
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = wait
    first = asyncio.create_task(caller.post("/api/stores", json=store_body(), headers=KEY))
    await tried.wait()
    second = await caller.post("/api/stores", json=store_body(), headers=KEY)
    different = await caller.post("/api/stores", json=store_body("other"), headers=KEY)
    released.set()
    assert (second.status_code, second.json()["type"], second.headers["retry-after"]) == (
        409,
        "urn:entrepot:problem:still-in-progress",
        "2",
    )
    assert different.status_code == 422
    assert (await first).status_code == 201
    assert len(hub.gateway.checks) == 1


async def test_of_ten_at_once_one_is_done(hub: Hub, caller: Caller) -> None:
    answers = await asyncio.gather(
        *(caller.post("/api/stores", json=store_body(), headers=KEY) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(hub.gateway.checks) == 1


@pytest.mark.parametrize("error_type", ["StoreUnreachableError", "SecretError"])
async def test_a_failure_that_may_pass_is_not_remembered(
    hub: Hub, caller: Caller, error_type: str
) -> None:
    hub.gateway.refuse(error_type, "no")
    failed = await caller.post("/api/stores", json=store_body(), headers=KEY)
    hub.gateway.find(dict(FACTS))
    again = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (failed.status_code >= 500, again.status_code) == (True, 201)


async def test_an_unforeseen_failure_is_not_remembered(hub: Hub, caller: Caller) -> None:
    async def explode(_check: CheckStoreInput) -> CheckStoreResult:
        raise RuntimeError("boom")

    hub.gateway.verdict = explode
    with capture_logs():
        failed = await caller.post("/api/stores", json=store_body(), headers=KEY)
    hub.gateway.find(dict(FACTS))
    again = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (failed.status_code, again.status_code) == (500, 201)


async def test_a_conflict_is_not_remembered(caller: Caller) -> None:
    taken = await connect(caller)
    refused = await caller.post("/api/stores", json=store_body(), headers=KEY)
    await caller.delete(f"/api/stores/{taken}")
    again = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (refused.status_code, again.status_code) == (409, 201)


async def test_a_clear_no_is_remembered(hub: Hub, caller: Caller) -> None:
    hub.gateway.refuse("CredentialsError", "The shop does not accept the keys")
    first = await caller.post("/api/stores", json=store_body(), headers=KEY)
    second = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (second.status_code, second.json()) == (422, first.json())
    assert second.headers["content-type"] == "application/problem+json"
    assert len(hub.gateway.checks) == 1


async def test_a_body_that_was_not_valid_leaves_the_key_free(caller: Caller) -> None:
    invalid = await caller.post("/api/stores", json=store_body("no spaces"), headers=KEY)
    valid = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (invalid.status_code, valid.status_code) == (422, 201)


async def test_a_body_that_nobody_asked_for_breaks_nothing(caller: Caller) -> None:
    store = (await caller.post("/api/stores", json=store_body())).json()["id"]
    nested = {**KEY, "Content-Type": "application/json"}
    for _ in range(2):
        path = f"/api/stores/{store}/test-connection"
        answer = await caller.post(path, content=b"[" * 9_000, headers=nested)
        assert answer.status_code == 200, answer.text
    assert answer.headers["idempotency-replayed"] == "true"


async def test_a_key_is_forgotten_after_a_day(hub: Hub, caller: Caller) -> None:
    await caller.post("/api/stores", json=store_body("one"), headers=KEY)
    await age(hub, caller, timedelta(hours=23, minutes=59))
    kept = await caller.post("/api/stores", json=store_body("two"), headers=KEY)
    await age(hub, caller, timedelta(minutes=2))
    anew = await caller.post("/api/stores", json=store_body("two"), headers=KEY)
    assert (kept.status_code, anew.status_code) == (422, 201)


async def test_what_a_dead_process_left_can_be_taken_over(hub: Hub, caller: Caller) -> None:
    await caller.post("/api/stores", json=store_body(), headers=KEY)
    await hub.execute(
        caller.tenant,
        "update idempotency_keys set status_code = null, encrypted_data = null, iv = null, "
        "tag = null, key_id = null",
    )
    await hub.execute(caller.tenant, "update stores set deleted_at = now()")
    early = await caller.post("/api/stores", json=store_body(), headers=KEY)
    await age(hub, caller, timedelta(minutes=3))
    other = await caller.post("/api/stores", json=store_body("other"), headers=KEY)
    taken_over = await caller.post("/api/stores", json=store_body(), headers=KEY)
    assert (early.status_code, other.status_code, taken_over.status_code) == (409, 422, 201)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\tb", "é"])
async def test_a_key_of_another_form_is_refused(caller: Caller, key: str) -> None:
    raw = [(name.encode(), value.encode()) for name, value in caller.headers.items()]
    raw.append((b"Idempotency-Key", key.encode()))
    answer = await caller.http.post("/api/stores", json=store_body(), headers=raw)
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:entrepot:problem:bad-request",
    )
