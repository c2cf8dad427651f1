"""What `entrepot alerts`, `entrepot retry` and `entrepot conflicts` do."""

import json
from collections.abc import Sequence
from typing import Any, Final

from runtime.cli.access import pick_store, with_api
from runtime.cli.api_client import ApiClient
from runtime.cli.errors import CliError
from runtime.cli.options import Asked
from runtime.cli.screen import say, show_json, show_table

_SHOWN: Final = 200
_ALERTS: Final = ("alert", "store", "what", "count", "since", "to try again")
_CONFLICTS: Final = ("conflict", "store", "entity", "record", "fields", "since")


def show_alerts(asked: Asked, *, everything: bool, is_json: bool) -> None:
    """List alerts. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        status = None if everything else "open"
        return await api.get("/api/alerts", status=status, limit=_SHOWN)

    found = with_api(asked, work)["data"]
    if is_json:
        show_json(found)
        return
    rows = [
        (one["id"], one["storeId"], one["title"], one["count"], one["createdAt"], one["command"])
        for one in found
    ]
    show_table(_ALERTS, rows, numbers=("alert", "store", "count"))


def retry(
    asked: Asked,
    wanted: str | None,
    *,
    push_ids: Sequence[int] | None,
    event_ids: Sequence[int] | None,
    is_json: bool,
) -> None:
    """Make what failed due again. Raises CliError: also when none of the ids given has failed."""
    body: dict[str, Any] | None = None
    if push_ids or event_ids:
        body = {"pushIds": list(push_ids or ()), "webhookEventIds": list(event_ids or ())}

    async def work(api: ApiClient) -> Any:
        store = await pick_store(api, wanted)
        return await api.post(f"/api/stores/{store['id']}/retry-failed-sync", body)

    done = with_api(asked, work)
    if is_json:
        show_json(done)
    resumed = f"; resumed: {', '.join(done['resumedLanes'])}" if done["resumedLanes"] else ""
    if body is not None and not done["pushes"] and not done["webhookEvents"]:
        raise CliError(
            f"this store has given up nothing of these ids{resumed}: they are unknown, or tried "
            "again already"
        )
    if is_json:
        return
    say(f"Due again: {done['pushes']} pushes, {done['webhookEvents']} webhook events{resumed}.")
    if done["importWorkflowId"] is not None:
        say(f"The import goes on as {done['importWorkflowId']}: see `entrepot syncs watch`.")


def show_conflicts(asked: Asked, *, is_json: bool) -> None:
    """List open conflicts. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.get("/api/conflicts", status="open", limit=_SHOWN)

    found = with_api(asked, work)["data"]
    if is_json:
        show_json(found)
        return
    rows = [
        (
            *(one["id"], one["storeId"], one["entity"], one["recordId"]),
            *(", ".join(one["paths"]), one["createdAt"]),
        )
        for one in found
    ]
    show_table(_CONFLICTS, rows, numbers=("conflict", "store", "record"))


def show_conflict(asked: Asked, conflict_id: int, *, is_json: bool) -> None:
    """Show one conflict. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.get(f"/api/conflicts/{conflict_id}")

    found = with_api(asked, work)
    if is_json:
        show_json(found)
        return
    rows = [
        (
            one["path"],
            _written(one["base"]) if one["hasBase"] else "never agreed",
            *(_written(one[side]) for side in ("local", "remote")),
            f"{one['suggestion']['resolution']}: {one['suggestion']['reason']}",
        )
        for one in found["fields"]
    ]
    show_table(("field", "before", "hub (local)", "store (remote)", "suggested"), rows)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def resolve(asked: Asked, conflict_id: int, *, take: str) -> None:
    """Decide one conflict. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.post(f"/api/conflicts/{conflict_id}/resolve", {"resolution": take})

    with_api(asked, work)
    say(f"Conflict {conflict_id} is resolved: {take}.")
