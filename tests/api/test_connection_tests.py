from typing import Any

from tests.api.fake_gateway import FACTS
from tests.api.hub import Caller, Hub, connect
from workflows.models import CheckStoreInput, CheckStoreResult


async def ciphertext(hub: Hub, caller: Caller, store_id: int) -> list[Any]:
    return await hub.execute(
        caller.tenant,
        "select name, code, store_url, facts, encrypted_data, iv, tag from stores where id = :id",
        id=store_id,
    )


async def checks_left(hub: Hub, caller: Caller) -> int:
    ((left,),) = await hub.execute(caller.tenant, "select count(*) from store_checks")
    return int(left)


async def test_stored_credentials_are_tried_and_what_was_learned_is_kept(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    ((name, code, store_url, _, *sealed),) = await ciphertext(hub, caller, store_id)
    learned: dict[str, object] = {**FACTS, "version": "2.0.0"}
    hub.gateway.find(learned)
    answer = await caller.post(f"/api/stores/{store_id}/test-connection")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "connected": True,
            "message": "The store answered and accepts the credentials.",
            "facts": {
                "storeName": "Test shop",
                "storeUrl": "https://shop.example",
                "version": "2.0.0",
                "currency": "LKR",
                "timezone": "Asia/Colombo",
            },
        },
    )
    after = (name, code, store_url, learned, *sealed)
    assert await ciphertext(hub, caller, store_id) == [after]
    assert await checks_left(hub, caller) == 0


async def test_the_row_on_trial_holds_the_stores_own_ciphertext(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    seen: list[Any] = []

    async def look(check: CheckStoreInput) -> CheckStoreResult:
        seen.extend(
            await hub.execute(
                caller.tenant,
                "select c.store_id, c.encrypted_data = s.encrypted_data, c.iv = s.iv, c.tag = s.tag"
                " from store_checks c join stores s on s.id = c.store_id where c.id = :id",
                id=check.store_check_id,
            )
        )
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = look
    await caller.post(f"/api/stores/{store_id}/test-connection")
    assert seen == [(store_id, True, True, True)]


async def test_a_test_that_fails_says_why(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    hub.gateway.refuse("CredentialsError", "The shop does not accept the keys")
    answer = await caller.post(f"/api/stores/{store_id}/test-connection")
    assert (answer.status_code, answer.json()) == (
        200,
        {"connected": False, "message": "The shop does not accept the keys", "facts": None},
    )
    assert await checks_left(hub, caller) == 0
