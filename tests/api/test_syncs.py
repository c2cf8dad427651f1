from typing import Any

import pytest

from db.runs import record_failure
from domain.statuses import SyncStatus
from tests.api.hub import Caller, Hub, connect
from tests.api.runs import advance, begin, begin_dry, end
from workflows.models import ImportProgress

PAGE = "http://127.0.0.1:8233/namespaces/default/workflows/import%2F"


def entity(**counts: Any) -> dict[str, Any]:
    zeros = dict.fromkeys(
        ("seen", "created", "updated", "unchanged", "deleted", "rejected", "pages"), 0
    )
    return {"phase": "pages", "round": 0, "total": 250, **zeros, **counts}


async def test_an_import_is_started_once(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    first = await caller.post(f"/api/stores/{store_id}/import")
    second = await caller.post(f"/api/stores/{store_id}/import")
    started = {
        "workflowId": f"import/{store_id}",
        "runId": "run-1",
        "statusUrl": f"/api/syncs/import/{store_id}",
        "temporalUiUrl": f"{PAGE}{store_id}",
        "alreadyRunning": False,
        "warning": None,
    }
    assert (first.status_code, first.json()) == (202, started)
    assert (second.status_code, second.json()) == (202, {**started, "alreadyRunning": True})
    assert first.headers["location"] == f"/api/syncs/import/{store_id}"
    assert len(hub.gateway.imports) == 1


async def test_an_inactive_store_is_not_imported(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await hub.execute(caller.tenant, "update stores set is_active = false")
    answer = await caller.post(f"/api/stores/{store_id}/import")
    assert (answer.status_code, hub.gateway.imports) == (409, [])


async def test_without_temporal_no_import_starts_and_the_status_stands(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await end(hub, caller, store_id, await begin(hub, caller, store_id))
    hub.gateway.is_down = True
    answer = await caller.post(f"/api/stores/{store_id}/import")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:entrepot:problem:unavailable")
    status = (await caller.get(f"/api/stores/{store_id}/sync-status")).json()
    assert status["syncStatus"] == "success"


async def test_a_store_never_imported_has_no_run(caller: Caller) -> None:
    store_id = await connect(caller)
    assert (await caller.get(f"/api/stores/{store_id}/sync-status")).json() == {
        "storeId": store_id,
        "syncStatus": "pending",
        "lastSyncError": None,
        "syncRetryCount": 0,
        "lastSyncAttemptAt": None,
        "nextRetryAt": None,
        "workflowId": None,
        "temporalUiUrl": None,
        "startedAt": None,
        "finishedAt": None,
        "entities": {},
    }
    assert (await caller.get(f"/api/syncs/import/{store_id}")).status_code == 404


async def test_the_status_sums_what_the_pieces_of_the_run_did(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    await advance(hub, caller, run_id, "pages 1-8", seen=100, created=99, rejected=1)
    await advance(hub, caller, run_id, "pages 1-8", seen=100, created=100)
    await advance(hub, caller, run_id, "pages 9-9", seen=50, unchanged=50)
    status = (await caller.get(f"/api/stores/{store_id}/sync-status")).json()
    assert status["entities"] == {
        "products": entity(seen=250, created=199, unchanged=50, rejected=1, pages=3),
        "orders": entity(),
    }
    assert list(status["entities"]) == ["products", "orders"]
    assert (status["syncStatus"], status["workflowId"], status["temporalUiUrl"]) == (
        "in_progress",
        f"import/{store_id}",
        f"{PAGE}{store_id}",
    )


async def test_a_store_that_is_down_shows_why_and_when_it_is_tried_again(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    ((due,),) = await hub.execute(caller.tenant, "select timestamptz '2027-01-02 03:04:05Z'")
    async with hub.database.tenant(caller.tenant.id) as connection:
        await record_failure(
            connection, store_id, message="The shop is down", retry_count=2, next_retry_at=due
        )
    status = (await caller.get(f"/api/stores/{store_id}/sync-status")).json()
    shown = (await caller.get(f"/api/stores/{store_id}")).json()
    expected = ("in_progress", "The shop is down", 2, "2027-01-02T03:04:05Z")
    names = ("syncStatus", "lastSyncError", "syncRetryCount", "nextRetryAt")
    assert tuple(status[name] for name in names) == expected
    assert tuple(shown[name] for name in names) == expected
    assert run_id > 0


async def test_a_new_import_does_not_pass_for_the_one_before(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await end(hub, caller, store_id, await begin(hub, caller, store_id))
    await caller.post(f"/api/stores/{store_id}/import")
    status = (await caller.get(f"/api/stores/{store_id}/sync-status")).json()
    assert (status["syncStatus"], status["workflowId"], status["entities"]) == (
        "pending",
        f"import/{store_id}",
        {},
    )
    sync = (await caller.get(f"/api/syncs/import/{store_id}")).json()
    assert (sync["status"], sync["run"], sync["entities"]) == ("pending", None, {})


async def test_an_import_that_began_before_we_noted_its_start_keeps_its_status(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    start = hub.gateway.start_import

    async def start_and_begin(args: Any) -> Any:
        started = await start(args)
        await end(hub, caller, store_id, await begin(hub, caller, store_id))
        return started

    hub.gateway.start_import = start_and_begin  # type: ignore[method-assign]
    await caller.post(f"/api/stores/{store_id}/import")
    status = (await caller.get(f"/api/stores/{store_id}/sync-status")).json()
    assert status["syncStatus"] == "success"


async def test_a_cancelled_run_is_shown_as_that(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    await end(hub, caller, store_id, run_id, SyncStatus.CANCELLED)
    sync = (await caller.get(f"/api/syncs/import/{store_id}")).json()
    assert (sync["status"], sync["run"]["status"], sync["run"]["id"]) == (
        "cancelled",
        "cancelled",
        run_id,
    )


async def test_a_run_is_shown_with_what_its_workflow_says(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    hub.gateway.progress[f"import/{store_id}"] = ImportProgress.model_validate(
        {"run_id": run_id, "phase": "pages", "entities": {"products": {"seen": 7, "created": 7}}}
    )
    answer = await caller.get(f"/api/syncs/import/{store_id}")
    sync = answer.json()
    run = {
        "id": run_id,
        "storeId": store_id,
        "kind": "import",
        "workflowId": f"import/{store_id}",
        "runId": "run-1",
        "status": "in_progress",
        "error": None,
        "dryRun": False,
        "startedAt": sync["run"]["startedAt"],
        "finishedAt": None,
        "temporalUiUrl": f"{PAGE}{store_id}",
    }
    counts = {**dict.fromkeys(("updated", "unchanged", "deleted", "rejected", "pages"), 0)}
    assert sync == {
        "workflowId": f"import/{store_id}",
        "storeId": store_id,
        "status": "in_progress",
        "temporalUiUrl": f"{PAGE}{store_id}",
        "run": run,
        "entities": {"products": entity(), "orders": entity()},
        "progress": {
            "phase": "pages",
            "round": 0,
            "entities": {"products": {"seen": 7, "created": 7, **counts}},
        },
        "pushed": {},
    }
    assert (await caller.get(f"/api/syncs/import%2F{store_id}")).json() == sync
    assert (await caller.get("/api/syncs")).json() == {"data": [run], "nextCursor": None}


async def test_a_finished_run_is_shown_though_temporal_is_down(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    await end(hub, caller, store_id, run_id, SyncStatus.FAILED)
    hub.gateway.is_down = True
    sync = (await caller.get(f"/api/syncs/import/{store_id}")).json()
    assert (sync["status"], sync["run"]["error"], sync["progress"]) == (
        "failed",
        "The shop refuses the keys",
        None,
    )


async def test_runs_are_listed_newest_first_and_filtered(hub: Hub, caller: Caller) -> None:
    one, two = await connect(caller, "one"), await connect(caller, "two")
    runs: list[int] = []
    for number in range(3):
        for store_id in (one, two):
            run_id = await begin(hub, caller, store_id, f"run-{number}")
            await end(hub, caller, store_id, run_id)
            runs.append(run_id)
    last = await begin(hub, caller, one, "run-4")
    runs.append(last)

    async def listed(**params: Any) -> list[int]:
        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await caller.get("/api/syncs", params={"limit": 2, **params, **cursor})).json()
            seen += [run["id"] for run in page["data"]]
            if page["nextCursor"] is None:
                return seen
            cursor = {"cursor": page["nextCursor"]}

    assert await listed() == runs[::-1]
    assert await listed(storeId=two) == [runs[5], runs[3], runs[1]]
    assert await listed(status="in_progress") == [last]
    assert await listed(storeId=two, status="in_progress") == []
    assert (await caller.get("/api/syncs?status=odd")).status_code == 422
    assert (await caller.get("/api/syncs?storeId=999999")).status_code == 404


async def test_a_running_import_is_cancelled(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller, sync=True)
    answer = await caller.post(f"/api/syncs/import/{store_id}/cancel")
    assert (answer.status_code, answer.json()) == (
        202,
        {
            "workflowId": f"import/{store_id}",
            "cancelRequested": True,
            "statusUrl": f"/api/syncs/import/{store_id}",
            "pushesWaiting": 0,
        },
    )
    assert hub.gateway.cancelled == [f"import/{store_id}"]
    again = await caller.post(f"/api/syncs/import/{store_id}/cancel")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        f"Import/{store_id} is not running, so there is nothing to cancel.".replace("I", "i", 1),
    )


@pytest.mark.parametrize(
    "workflow_id",
    ["check/1", "import/999999", "import/x", "import", "import/1/products", "pull/1", "x" * 80],
)
async def test_what_is_no_sync_of_ours_is_not_found(
    hub: Hub, caller: Caller, workflow_id: str
) -> None:
    shown = await caller.get(f"/api/syncs/{workflow_id}")
    cancelled = await caller.post(f"/api/syncs/{workflow_id}/cancel")
    assert (shown.status_code, cancelled.status_code) == (404, 404)
    assert hub.gateway.cancelled == []


async def test_a_dry_run_is_told_from_a_real_one(hub: Hub, caller: Caller) -> None:
    workflow_id = await begin_dry(hub, caller, await connect(caller))
    shown = (await caller.get(f"/api/syncs/{workflow_id}")).json()
    listed = (await caller.get("/api/syncs")).json()["data"]
    assert [one["dryRun"] for one in (shown["run"], *listed)] == [True, True]


async def test_a_cancelled_push_says_how_much_is_sent_all_the_same(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller, sync=True)
    run_id = await begin(hub, caller, store_id)
    params = {"own": caller.tenant.id, "run": run_id, "store": store_id}
    asked = (
        "insert into run_pushes (tenant_id, run_id, entity, queued, sent, skipped, is_forced)"
        " values (:own, :run, 'customers', 4, 1, 0, false)"
    )
    left = (
        "insert into pushes (tenant_id, store_id, entity, record_id, run_id, status)"
        " select :own, :store, 'customers', one, :run,"
        " case when one > 2 then 'failed' else 'pending' end from generate_series(1, 3) one"
    )
    for statement in (asked, left):
        await hub.execute(caller.tenant, statement, **params)
    answer = await caller.post(f"/api/syncs/import/{store_id}/cancel")
    assert (answer.status_code, answer.json()["pushesWaiting"]) == (202, 2)
