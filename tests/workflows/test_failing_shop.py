from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError

from domain.entities import Entity
from tests.workflows.conftest import OpenStore
from tests.workflows.histories import current_details
from tests.workflows.truth import RIGHT, compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Entity.ORDERS


async def failure_of(running: WorkflowHandle[Any, Any]) -> ApplicationError:
    """Why an import failed."""
    with pytest.raises(WorkflowFailureError) as failure:
        await running.result()
    cause: BaseException | None = failure.value.cause
    if isinstance(cause, ActivityError):
        cause = cause.cause
    assert isinstance(cause, ApplicationError)
    return cause


async def test_keys_that_are_refused_stop_the_import_at_the_first_request(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    scene.fail("error", status=401)
    cause = await failure_of(await scene.start())
    assert (cause.type, cause.non_retryable) == ("CredentialsError", True)
    assert [entry["status"] for entry in scene.requests()] == [401]
    assert await scene.store_row() == {
        "sync_status": "failed",
        "last_sync_error": cause.message,
        "sync_retry_count": 0,
        "next_retry_at": None,
    }
    logs = "select distinct status, error_message from store_sync_logs"
    assert await scene.rows(logs) == [("failed", cause.message)]
    alert = "select kind, subject, command from alerts where status = 'open'"
    told = ("sync_failed", f"import/{scene.store_id}", f"entrepot retry {scene.store_id}")
    assert await scene.rows(alert) == [told]
    assert await scene.rows("select status, error from sync_runs") == [("failed", cause.message)]


async def test_credentials_that_cannot_be_read_are_said_to_be_so_on_the_store(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    await scene.rows("update stores set key_id = '0000000000000000' where id = :store")
    cause = await failure_of(await scene.start())
    message = (
        "a secret was encrypted with key 0000000000000000, which is not configured: "
        "add it to ENTREPOT_ENCRYPTION_KEYS_OLD"
    )
    assert (cause.type, cause.message) == ("SecretError", message)
    assert scene.requests() == []
    assert await scene.store_row() == {
        "sync_status": "failed",
        "last_sync_error": message,
        "sync_retry_count": 0,
        "next_retry_at": None,
    }
    assert await scene.rows("select status, error from sync_runs") == [("failed", message)]


async def test_keys_that_are_revoked_midway_stop_it_without_a_storm_of_retries(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=800)
    scene.fail("error", status=401, path="/wc/v3/orders", skip=4)
    cause = await failure_of(await scene.start(pages_per_activity=2))
    assert cause.type == "CredentialsError"
    refused = [entry for entry in scene.requests() if entry["status"] == 401]
    assert 1 <= len(refused) <= 8
    assert (await scene.store_row())["sync_status"] == "failed"
    assert len(await scene.rows("select from orders")) > 0


async def test_a_shop_that_counts_requests_is_waited_for_as_it_asks(open_store: OpenStore) -> None:
    scene = await open_store(products=10, orders=10)
    scene.fail("error", status=429, retry_after=1, path="/wc/v3/orders", count=2)
    await scene.import_store()
    orders = scene.requests("/wp-json/wc/v3/orders")
    assert [entry["status"] for entry in orders[:3]] == [429, 429, 200]
    waits = [later["started"] - one["ended"] for one, later in pairwise(orders[:3])]
    assert min(waits) >= 1.0
    assert await scene.rows("select last_sync_error, sync_retry_count from stores") == [(None, 0)]
    assert await compare(scene) == RIGHT


async def test_maintenance_is_shown_while_it_is_waited_for_and_forgotten_after(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    scene.fail("maintenance", retry_after=31, path="/wc/v3/orders", count=1)
    scene.fail("maintenance", retry_after=1, path="/wc/v3/customers", count=3)
    begun = datetime.now(UTC)
    running = await scene.start()
    shown = await scene.store_row_once(lambda row: row["last_sync_error"] is not None)
    assert shown["sync_status"] == "in_progress"
    assert "503" in shown["last_sync_error"]
    assert shown["sync_retry_count"] == 1
    assert begun < shown["next_retry_at"] <= datetime.now(UTC) + timedelta(seconds=1)
    await scene.store_row_once(lambda row: row["last_sync_error"] is None)
    shown = await scene.store_row_once(lambda row: row["last_sync_error"] is not None)
    remaining = shown["next_retry_at"] - datetime.now(UTC)
    assert timedelta(seconds=15) < remaining < timedelta(seconds=31)
    details = await current_details(scene, f"pull/{scene.store_id}/orders")
    assert "waiting for the store: " in details
    assert len(scene.requests("/wp-json/wc/v3/orders")) == 1
    await running.cancel()


async def test_a_shop_that_stays_down_is_tried_on_every_rung_and_then_given_up(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    scene.fail("error", status=500)
    cause = await failure_of(await scene.start(ladder_s=(0, 0.3)))
    assert cause.type == "StoreUnavailableError"
    assert [entry["status"] for entry in scene.requests()] == [500] * 6
    assert await scene.store_row() == {
        "sync_status": "failed",
        "last_sync_error": cause.message,
        "sync_retry_count": 1,
        "next_retry_at": None,
    }
    scene.shop.faults.rules.clear()
    await scene.import_store()
    assert await compare(scene) == RIGHT
    assert await scene.store_row() == {
        "sync_status": "success",
        "last_sync_error": None,
        "sync_retry_count": 0,
        "next_retry_at": None,
    }


async def test_answers_that_are_cut_short_or_no_json_are_read_again(open_store: OpenStore) -> None:
    scene = await open_store(products=150, orders=150)
    for nth, (kind, path) in enumerate(
        [
            *(("drop", "products"), ("truncate", "products"), ("html", "orders")),
            *(("bom", "orders"), ("notice", "customers"), ("drop", "orders")),
        ],
        start=2,
    ):
        members = {"when": "after"} if kind == "drop" else {}
        scene.fail(kind, path=f"/wc/v3/{path}", nth=1 + nth % 3, **members)
    await scene.import_store()
    assert await compare(scene) == RIGHT
    struck = [rule.kind for rule in scene.shop.faults.rules if rule.struck]
    assert sorted(struck) == ["bom", "drop", "drop", "html", "notice", "truncate"]
