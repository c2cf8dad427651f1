"""A second shop that does not answer, beside the first one that does."""

import asyncio
from typing import Any, Final

from tests.e2e.merchant import curls
from tests.e2e.merchant.witness import SYNC, Witness
from tests.e2e.shop import Shop

SCHEDULE: Final = {"pull": {"interval": "PT15M"}, "reconcile": {"cron": "30 3 * * *"}}
_RULE: Final = {"entity": "products", "target": "extra.kind", "expression": "type"}
_PREVIEW: Final = {"entity": "products", "rules": [_RULE]}
_BROKEN: Final = {"kind": "error", "status": 503, "path": "/wc/v3/orders"}
_SLOW: Final = {"kind": "slow", "path": "/wc/v3/customers", "count": 1}
PATIENCE_S: Final = 3
"""How long the hub is told to wait for an answer."""


async def fail_beside(one: Witness, branch: Shop) -> None:
    """All of it."""
    await one.ask("unnamed before", "POST", f"{SYNC}/sync/orders/pull", json={"limit": 1})
    await _refuse_wrong_keys(one, branch)
    store_id = await _connect(one, branch)
    await _break(one, branch, store_id)
    await one.run_curl("history failed", curls.FAILED)
    await one.run_curl("status", curls.STATUS)
    alerts = await one.get("/api/alerts", storeId=store_id)
    one.seen.answers["alerts"] = alerts["data"]


async def _refuse_wrong_keys(one: Witness, branch: Shop) -> None:
    wrong = {**branch.form, "consumerSecret": "cs_" + "0" * 40}
    body = {"name": "Branch", "code": "branch", "provider": "woocommerce", "config": wrong}
    await one.call("wrong keys", "POST", "/api/stores", json=body)


async def _connect(one: Witness, branch: Shop) -> int:
    body = {"name": "Branch", "code": "branch", "provider": "woocommerce", "config": branch.form}
    made = await one.ask("branch", "POST", "/api/stores", json=body)
    store_id: int = made["id"]
    await one.ask("schedule", "PUT", f"/api/stores/{store_id}/schedule", json=SCHEDULE)
    await one.ask("own schedule", "GET", f"{one.store_path}/schedule")
    await one.ask("warehouse", "POST", "/api/warehouses", json={"name": "Kandy", "code": "KDY"})
    outlet = {"settings": {"stockWarehouse": "KDY", "stockSource": "warehouse"}}
    await one.ask("outlet", "PATCH", f"/api/stores/{store_id}", json=outlet)
    mapping = f"/api/stores/{store_id}/mapping"
    await one.ask("mapping preview", "POST", f"{mapping}/preview", json=_PREVIEW)
    await one.ask("mapping", "PUT", mapping, json={"rules": [_RULE]})
    await one.call("unnamed", "POST", f"{SYNC}/sync/orders/pull", json={"limit": 1})
    return store_id


async def _break(one: Witness, branch: Shop, store_id: int) -> None:
    await branch.set_faults(_BROKEN)
    await branch.control.delete("log")
    path = f"{SYNC}/sync/orders/pull?storeId={store_id}"
    started = await one.ask("named", "POST", path, json={"limit": 5})
    again = await one.ask("named again", "POST", path, json={"limit": 5})
    assert again["workflowId"] == started["workflowId"]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_wait_for_the_end(one, branch, store_id, started["statusUrl"]))
        tasks.create_task(_go_on(one))
        tasks.create_task(_ask_slowly(one))


async def _wait_for_the_end(one: Witness, branch: Shop, store_id: int, status_url: str) -> None:
    async def look() -> Any:
        return await one.get(status_url)

    async def running() -> Any:
        return await one.get(f"{SYNC}/history", event_type="started")

    async def show() -> Any:
        return await one.get(f"/api/stores/{store_id}")

    await one.until("history running", running, lambda history: history["data"])
    await one.until("failing", show, lambda store: store["syncRetryCount"] > 0)
    await one.until("failed run", look, lambda run: run["status"] == "failed")
    log = (await branch.control.get("log")).raise_for_status().json()
    one.seen.asked["failed"] = [
        {"at": entry["started"], "status": entry["status"]}
        for entry in log
        if entry["path"].endswith("/orders")
    ]


async def _go_on(one: Witness) -> None:
    """Meanwhile the first shop is synced as ever; once it answers too late."""
    await one.action("beside", f"orders/pull?storeId={one.store_id}", {"limit": 3, "force": True})
    await one.shop.set_faults({**_SLOW, "delay_s": PATIENCE_S + 0.5})
    await one.action("too late", f"customers/pull?storeId={one.store_id}", {"limit": 1})
    await one.shop.set_faults()


async def _ask_slowly(one: Witness) -> None:
    """A statement that the database finds slow."""
    await one.hub.query("select pg_sleep(1.1) as a_slow_statement")
