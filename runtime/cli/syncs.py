"""What `entrepot syncs` does."""

import re
from typing import Any

from runtime.cli.access import pick_store, with_api
from runtime.cli.api_client import ApiClient
from runtime.cli.errors import CliError
from runtime.cli.imports import Status, changed, follow, follow_run, rejected
from runtime.cli.options import Asked
from runtime.cli.progress import showing_import
from runtime.cli.screen import say, show_json, show_table
from runtime.failures import FAILED

_WORKFLOW = re.compile(r"[a-z]+/(\d+)[-:./\w]*")
_IMPORT = re.compile(r"import/(\d+)|pull/(\d+)/[a-z]+")
_COLUMNS = ("run", "store", "workflow", "status", "started", "finished", "trouble")


def show_all(
    asked: Asked, *, store: str | None, status: str | None, limit: int, is_json: bool
) -> None:
    """List runs, newest first. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        store_id = None if store is None else (await pick_store(api, store))["id"]
        return await api.get("/api/syncs", storeId=store_id, status=status, limit=limit)

    runs = with_api(asked, work)["data"]
    if is_json:
        show_json(runs)
        return
    rows = [
        (
            *(one["id"], one["storeId"], one["workflowId"], one["status"], one["startedAt"]),
            *(one["finishedAt"], one["error"]),
        )
        for one in runs
    ]
    show_table(_COLUMNS, rows, numbers=("run", "store"))


def watch(asked: Asked, wanted: str | None) -> int:
    """Show an import, or any run, to its end; returns the exit code. Raises CliError."""

    async def work(api: ApiClient) -> int:
        store = _store_of(wanted)
        if wanted is not None and store == wanted and _WORKFLOW.fullmatch(wanted):
            return await _watch_run(api, wanted)
        return await watch_store(api, await pick_store(api, store))

    return with_api(asked, work)


def cancel(asked: Asked, wanted: str) -> int:
    """Ask an import to stop; returns the exit code. Raises CliError."""

    async def work(api: ApiClient) -> str:
        workflow_id = wanted
        if not _WORKFLOW.fullmatch(wanted):
            store = await pick_store(api, wanted)
            status = await api.get(f"/api/stores/{store['id']}/sync-status")
            if status["workflowId"] is None:
                raise CliError(f"{store['name']} was never imported: there is nothing to cancel")
            workflow_id = status["workflowId"]
        await api.post(f"/api/syncs/{workflow_id}/cancel")
        return workflow_id

    workflow_id = with_api(asked, work)
    say(f"Asked {workflow_id} to stop. What it brought in stays; the next import goes on there.")
    return 0


async def watch_store(api: ApiClient, store: Any) -> int:
    """Show the import of a store to its end, and what it did; returns the exit code."""
    with showing_import() as show:
        status = await follow(api, store["id"], show)
    say(_outcome(store["name"], status))
    return 0 if status["syncStatus"] == "success" else FAILED


def _outcome(name: str, status: Status) -> str:
    if status["syncStatus"] == "failed":
        return f"The import of {name} failed: {status['lastSyncError']}"
    if status["syncStatus"] == "cancelled":
        return f"The import of {name} was cancelled; the next one goes on where it was."
    seen = sum(one["seen"] for one in status["entities"].values())
    what = f"{changed(status):,} changed" if changed(status) else "unchanged"
    aside = f", {rejected(status):,} set aside (see the sync log)" if rejected(status) else ""
    return f"The import of {name} is done: {seen:,} records read, {what}{aside}."


async def _watch_run(api: ApiClient, workflow_id: str) -> int:
    with showing_import() as show:
        status = await follow_run(api, workflow_id, show)
    for entity, one in status["pushed"].items():
        say(f"{entity}: {one['sent']:,} of {one['queued']:,} sent, {one['failed']:,} failed")
    trouble = f": {status['lastSyncError']}" if status["lastSyncError"] else ""
    say(f"{workflow_id} is over, {status['syncStatus']}{trouble}.")
    return 0 if status["syncStatus"] == "success" else FAILED


def _store_of(wanted: str | None) -> str | None:
    """A store's id or code, also where the id of an import names the store."""
    found = _IMPORT.fullmatch(wanted or "")
    return found[1] or found[2] if found else wanted
