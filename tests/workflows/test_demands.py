import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowFailureError

from activities.demand_models import PullDemand
from api.temporal_demands import DemandFailedError, TemporalDemandGateway
from domain.entities import Entity
from runtime.settings import Settings
from tests.workflows.asking import Asker, asking
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from workflows.models import DemandInput, DemandResult

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUSTOMERS, ORDERS = Entity.CUSTOMERS, Entity.ORDERS

OpenAsker = Callable[..., Awaitable[Asker]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_asker(open_store: OpenStore, settings: Settings) -> AsyncIterator[OpenAsker]:
    """A new store that was not imported yet, and a tool that asks things of it."""
    async with AsyncExitStack() as stack:

        async def open_one(**seed: Any) -> Asker:
            scene = await open_store(**{"products": 5, "orders": 5, "categories": 1} | seed)
            return await stack.enter_async_context(asking(scene, settings))

        yield open_one


def demand(scene: Scene, *pulls: PullDemand, **more: Any) -> DemandInput:
    """What the API starts, with quick rungs."""
    return DemandInput.model_validate(
        {**scene.input().model_dump(), "name": "test", "pulls": pulls, **more}
    )


async def done(scene: Scene, args: DemandInput) -> DemandResult:
    """Start it and wait for the end."""
    gateway = TemporalDemandGateway(scene.client)
    result = await gateway.await_demand(await gateway.start_demand(args), timeout_s=20)
    assert result is not None
    return result


async def test_the_same_asked_again_while_it_runs_is_found_and_anything_else_runs_beside_it(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(customers=6)
    asker.scene.fail("slow", path="/wc/v3/customers", delay_s=0.4)
    first = (await asker.post("customers/pull", {"limit": 5})).json()
    again = (await asker.post("customers/pull", {"limit": 5, "page": 1})).json()
    other = (await asker.post("customers/pull", {"limit": 4})).json()
    assert (first["alreadyRunning"], again["alreadyRunning"]) == (False, True)
    assert first["workflowId"] == again["workflowId"] != other["workflowId"]
    assert other["alreadyRunning"] is False
    assert first["storeId"] == asker.scene.store_id
    for one in (first, other):
        assert (await asker.finished(one["statusUrl"]))["status"] == "success"
    assert len(await asker.scene.rows("select from sync_runs")) == 2
    audited = (
        "select action, subject, details ->> 'name' from audit_log where action = 'sync.started'"
    )
    started = ("sync.started", f"store/{asker.scene.store_id}", "customers-pull")
    assert await asker.scene.rows(audited) == [started, started]


async def test_what_is_asked_again_does_not_show_the_success_of_the_time_before(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(customers=6)
    before = await asker.demand("customers/pull", {"limit": 5})
    asker.scene.fail("slow", path="/wc/v3/customers", delay_s=0.4)
    again = (await asker.post("customers/pull", {"limit": 5})).json()
    shown = (await asker.http.get(again["statusUrl"])).json()
    assert shown["status"] in {"pending", "in_progress"}
    after = await asker.finished(again["statusUrl"])
    assert after["run"]["id"] != before["run"]["id"]
    assert after["entities"]["customers"]["unchanged"] == 5


async def test_a_part_that_is_pulled_moves_no_cursor_and_tells_its_counts(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(customers=6)
    shown = await asker.demand("orders/pull", {"limit": 3})
    assert shown["run"]["kind"] == "demand"
    orders = shown["entities"]["orders"]
    assert (orders["seen"], orders["created"], orders["pages"]) == (3, 3, 1)
    assert await asker.scene.rows("select from store_cursors") == []
    logs = "select action, status, details::json ->> 'created' from store_sync_logs"
    assert await asker.scene.rows(logs) == [("sync_orders", "success", "3")]
    assert await asker.scene.rows("select distinct bulk from changes") == [(False,)]


async def test_everything_that_is_pulled_is_kept_up_with_from_there(open_asker: OpenAsker) -> None:
    asker = await open_asker(customers=6)
    first = await asker.demand("full", {"direction": "pull"})
    assert first["status"] == "success"
    cursors = "select count(*) from store_cursors where store_id = :store"
    assert await asker.scene.rows(cursors) == [(4,)]
    shop = asker.scene.shop.shop
    shop.edit("orders", shop.tables["orders"].ids()[0], {"customer_note": "changed"})
    second = await asker.demand("full", {"direction": "pull"})
    assert second["entities"]["orders"]["updated"] == 1
    forced = await asker.demand("full", {"direction": "pull", "force": True})
    customers = forced["entities"]["customers"]
    assert (customers["seen"], customers["unchanged"]) == (6, 6)


async def test_an_entity_that_is_being_imported_is_left_to_the_import(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(customers=6, orders=20)
    asker.scene.fail("slow", path="/wc/v3/products", delay_s=0.5)
    importing = await asker.scene.start()
    await asker.scene.store_row_once(lambda row: row["sync_status"] == "in_progress")
    result = await done(asker.scene, demand(asker.scene, PullDemand(entity=ORDERS)))
    assert (result.busy, result.counts.pulled) == ((ORDERS,), {})
    left = "select phase, total from sync_run_entities where run_id = :run"
    assert await asker.scene.rows(left, run=result.run_id) == [("left", None)]
    await importing.cancel()
    with pytest.raises(WorkflowFailureError):
        await importing.result()


async def test_one_record_is_told_what_became_of_it(open_asker: OpenAsker) -> None:
    asker = await open_asker(products=5)
    shop = asker.scene.shop.shop
    number = shop.tables["products"].ids()[0]

    async def outcome(body: dict[str, Any] | None = None) -> tuple[str, bool]:
        answer = await asker.post(f"products/{number}", body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["externalId"] == str(number)
        assert told["workflowId"].startswith(f"demand/{asker.scene.store_id}/")
        return told["outcome"], told["recordId"] is not None

    assert await outcome({"dryRun": True}) == ("created", False)
    assert await outcome() == ("created", True)
    assert await outcome() == ("unchanged", True)
    shop.edit("products", number, {"name": "Another name"})
    assert await outcome({"dryRun": True}) == ("updated", True)
    assert await outcome() == ("updated", True)
    shop.delete("products", number)
    assert await outcome() == ("deleted", True)
    assert await outcome() == ("deleted", True)
    assert await asker.scene.rows("select count(*) from products where deleted_at is null") == [
        (0,)
    ]


async def test_one_record_that_cannot_be_read_is_told_why_and_an_unknown_one_is_404(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(products=5, bad_records=3)
    answers = [
        (await asker.post(f"products/{number}")).json()
        for number in asker.scene.shop.shop.tables["products"].ids()
    ]
    rejected = [one for one in answers if one.get("outcome") == "rejected"]
    assert rejected
    assert all(one["reason"] and one["recordId"] is None for one in rejected)
    unknown = await asker.post("orders/987654321")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"
    assert "987654321" in unknown.json()["detail"]


async def test_a_shop_that_is_down_is_waited_for_on_the_ladder(open_asker: OpenAsker) -> None:
    scene = (await open_asker(customers=6)).scene
    scene.fail("error", status=503, path="/wc/v3/customers", count=3)
    args = demand(scene, PullDemand(entity=CUSTOMERS, limit=5), ladder_s=(0, 1.5, 1))
    gateway = TemporalDemandGateway(scene.client)
    started = await gateway.start_demand(args)
    failing = await scene.store_row_once(lambda row: row["sync_retry_count"] == 1)
    assert failing["next_retry_at"] is not None
    told = await gateway.query_progress(started.workflow_id)
    assert told is not None
    assert told.phase.startswith("pulling customers, waiting for the store: ")
    result = await gateway.await_demand(started, timeout_s=20)
    assert result is not None
    assert result.counts.pulled[CUSTOMERS].created == 5
    well = {"sync_status": "success", "last_sync_error": None, "sync_retry_count": 0}
    assert await scene.store_row() == {**well, "next_retry_at": None}


async def test_a_shop_that_refuses_the_keys_is_an_alert_until_the_same_succeeds(
    open_asker: OpenAsker,
) -> None:
    scene = (await open_asker(customers=6)).scene
    scene.fail("error", status=401, path="/wc/v3/customers")
    args = demand(scene, PullDemand(entity=CUSTOMERS, limit=5))
    with pytest.raises(DemandFailedError) as failure:
        await done(scene, args)
    assert failure.value.error_type == "CredentialsError"
    shown = await scene.store_row()
    assert (shown["sync_status"], shown["last_sync_error"]) == ("failed", str(failure.value))
    alerts = "select subject, status from alerts"
    subject = f"demand/{scene.store_id}/test"
    assert await scene.rows(alerts) == [(subject, "open")]
    scene.shop.faults.rules.clear()
    await done(scene, args)
    assert (await scene.store_row())["sync_status"] == "success"
    assert await scene.rows(alerts) == [(subject, "resolved")]


async def test_a_dry_run_of_a_shop_that_is_down_ends_at_once_and_shows_nothing_on_the_store(
    open_asker: OpenAsker,
) -> None:
    scene = (await open_asker(customers=6)).scene
    # What asks to be left alone for so long is not tried again quickly.
    scene.fail("error", status=503, path="/wc/v3/customers", retry_after=60)
    before = await scene.store_row()
    args = demand(scene, PullDemand(entity=CUSTOMERS), is_dry=True, ladder_s=(0, 600))
    with pytest.raises(DemandFailedError, match="503"):
        await done(scene, args)
    assert await scene.store_row() == before
    assert await scene.rows("select from alerts") == []
    assert await scene.rows("select status, is_dry from sync_runs") == [("failed", True)]


async def test_a_store_that_is_not_active_is_left_alone(open_asker: OpenAsker) -> None:
    asker = await open_asker(customers=6)
    scene = asker.scene
    await scene.rows("update stores set is_active = false where id = :store")
    refused = await asker.post("customers/pull", {"limit": 5})
    assert refused.status_code == 409
    assert f"/api/stores/{scene.store_id}/activate" in refused.json()["detail"]
    result = await done(scene, demand(scene, PullDemand(entity=CUSTOMERS, limit=5)))
    assert result == DemandResult()
    assert asker.asked() == []
    assert await scene.rows("select from sync_runs") == []


async def test_a_store_that_is_deactivated_meanwhile_ends_it_clearly(
    open_asker: OpenAsker,
) -> None:
    scene = (await open_asker(customers=30)).scene
    scene.fail("slow", path="/wc/v3/customers", delay_s=0.05)
    gateway = TemporalDemandGateway(scene.client)
    started = await gateway.start_demand(
        demand(scene, PullDemand(entity=CUSTOMERS, limit=30, page_size=1))
    )
    await scene.pages_of(CUSTOMERS, at_least=1)
    await scene.rows("update stores set is_active = false where id = :store")
    with pytest.raises(DemandFailedError, match="deactivated") as failure:
        await gateway.await_demand(started, timeout_s=20)
    assert failure.value.error_type == "StoreGoneError"
    assert len(scene.requests()) < 20
    assert await scene.rows("select status from sync_runs") == [("failed",)]
    assert await scene.rows("select from alerts") == []


@pytest.mark.parametrize(
    ("path", "body"),
    [("customers/pull", {"limit": 30}), ("full", {"direction": "pull", "batchSize": 5})],
)
async def test_it_can_be_cancelled_and_asked_for_again(
    open_asker: OpenAsker, path: str, body: dict[str, Any]
) -> None:
    asker = await open_asker(customers=30)
    asker.scene.fail("slow", path="/wc/v3/customers", delay_s=0.3)
    started = (await asker.post(path, body)).json()
    while not any(path == "customers" for _, path, _ in asker.asked()):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    cancel = await asker.http.post(f"{started['statusUrl']}/cancel")
    assert cancel.status_code == 202
    assert (await asker.finished(started["statusUrl"]))["status"] == "cancelled"
    asker.scene.shop.faults.rules.clear()
    assert (await asker.demand(path, body))["status"] == "success"
    numbers = "select count(*), count(distinct external_id) from links where entity = 'customers'"
    ((links, distinct),) = await asker.scene.rows(f"{numbers} and external_id ~ '^[0-9]+$'")
    assert links == distinct == 30


async def test_pushes_that_are_paused_end_it_with_the_reason(open_asker: OpenAsker) -> None:
    asker = await open_asker(customers=6)
    created = await asker.http.post(
        "/api/customers", json={"email": "new@example.com", "firstName": "New"}
    )
    assert created.status_code == 201, created.text
    asker.scene.fail("error", status=401)
    shown = await asker.demand("customers/push", {"syncAll": True})
    assert shown["status"] == "failed"
    assert "paused" in shown["run"]["error"]
    assert shown["pushed"]["customers"]["waiting"] == 1
