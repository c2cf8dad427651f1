from dataclasses import replace

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from db.crypto import store_context
from tests.workflows.conftest import OpenStore
from tests.workflows.histories import histories, shown
from tests.workflows.scene import Scene
from tests.workflows.trials import check, keep, put_on_trial

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def left(scene: Scene) -> int:
    """How many checks there are."""
    return len(await scene.rows("select from store_checks"))


async def test_credentials_that_are_right_give_the_facts_and_stay_for_promotion(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5)
    check_id = await put_on_trial(scene)
    result = await check(scene, check_id)
    assert (result.error_type, result.message) == (None, None)
    assert result.facts is not None
    assert (result.facts["store_url"], result.facts["currency"]) == (scene.ready.url, "EUR")
    assert await left(scene) == 1
    described = await scene.client.get_workflow_handle(f"check/{check_id}").describe()
    assert shown(described) == {
        "TenantId": str(scene.tenant_id),
        "StoreId": str(scene.store_id),
        "Provider": "woocommerce",
    }
    everything = "".join([history.to_json() async for history in histories(scene)])
    assert scene.ready.consumer_secret not in everything
    assert scene.ready.consumer_key not in everything


async def test_credentials_that_are_refused_are_discarded_after_one_try(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5)
    check_id = await put_on_trial(scene, consumerSecret="cs_" + "0" * 40)
    result = await check(scene, check_id)
    assert (result.facts, result.error_type) == (None, "CredentialsError")
    assert "cs_000" not in (result.message or "")
    assert await left(scene) == 0
    refused = [entry for entry in scene.requests() if entry["status"] == 401]
    assert 1 <= len(refused) <= 4


async def test_a_shop_that_is_down_is_tried_twice_and_said_to_be_down(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5)
    scene.fail("error", status=502)
    result = await check(scene, await put_on_trial(scene))
    assert (result.facts, result.error_type) == (None, "StoreUnavailableError")
    assert await left(scene) == 0


async def test_a_shop_that_hiccups_once_is_connected_all_the_same(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5)
    scene.fail("error", status=502, count=1)
    result = await check(scene, await put_on_trial(scene))
    assert result.facts is not None


async def test_a_check_that_expired_or_is_not_there_fails(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5)
    for check_id in (await put_on_trial(scene, minutes=-1), 999_999):
        result = await check(scene, check_id)
        assert (result.error_type, result.message) == (
            "StoreGoneError",
            "the check expired before it was made: try again",
        )
    assert scene.requests() == []
    assert await left(scene) == 0


async def test_credentials_that_cannot_be_opened_are_named_and_not_shown(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5)
    elsewhere = scene.hub.box.seal(b"{}", context="store/0")
    garbled = scene.hub.box.seal(b'{"storeUrl": 5}', context=store_context(scene.store_id))
    unknown = replace(garbled, key_id="0" * 16)
    messages = []
    for sealed in (elsewhere, garbled, unknown):
        result = await check(scene, await keep(scene, sealed))
        assert (result.facts, result.error_type) == (None, "SecretError")
        messages.append(result.message)
    assert messages == [
        f"the secret of store/{scene.store_id} was altered, or belongs elsewhere",
        (
            "the stored credentials do not fit the provider any more "
            "(consumerKey, consumerSecret, storeUrl): enter them again"
        ),
        (
            "a secret was encrypted with key 0000000000000000, which is not configured: "
            "add it to ENTREPOT_ENCRYPTION_KEYS_OLD"
        ),
    ]


async def test_the_failure_of_a_check_is_an_application_error_for_whoever_waits(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5)
    scene.fail("error", status=502)
    check_id = await put_on_trial(scene)
    await check(scene, check_id)
    with pytest.raises(WorkflowFailureError) as failure:
        await scene.client.get_workflow_handle(f"check/{check_id}").result()
    cause = failure.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert cause.type == "StoreUnavailableError"
