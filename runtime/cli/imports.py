"""Watching an import through the API until it is over."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from runtime.cli.api_client import ApiClient, UnreachableError
from runtime.cli.errors import CliError

OVER: Final = frozenset(("success", "failed", "cancelled"))

_LOOK_EVERY_S: Final = 0.2
_OUTAGE_S: Final = 60.0
_NO_IMPORT_S: Final = 3.0

Status = Mapping[str, Any]
"""An answer of `GET /api/stores/{id}/sync-status`."""


async def follow(api: ApiClient, store_id: int, show: Callable[[Status], None]) -> Status:
    """Show where the import is until it is over; the last answer.

    An API that is being restarted is waited for.

    Raises:
        UnreachableError: it stays away for a minute.
        CliError: there is no import to follow.
    """
    last_import = time.monotonic()

    async def look() -> Status:
        nonlocal last_import
        status = _with_end(await api.get(f"/api/stores/{store_id}/sync-status"))
        if status["workflowId"] is not None:
            last_import = time.monotonic()
        elif time.monotonic() - last_import > _NO_IMPORT_S:
            raise CliError("no import of this store was ever started: `entrepot stores import`")
        return status

    return await _until_over(look, show)


async def follow_run(api: ApiClient, workflow_id: str, show: Callable[[Status], None]) -> Status:
    """The same of any run, with what it pushed. Raises UnreachableError and CliError."""

    async def look() -> Status:
        run = await api.get(f"/api/syncs/{workflow_id}")
        error = run["run"]["error"] if run["run"] else None
        trouble = {"lastSyncError": error, "nextRetryAt": None}
        return {**run, **trouble, "syncStatus": run["status"]}

    return await _until_over(look, show)


async def _until_over(
    look: Callable[[], Awaitable[Status]], show: Callable[[Status], None]
) -> Status:
    last_answer = time.monotonic()
    while True:
        try:
            status = await look()
        except UnreachableError:
            if time.monotonic() - last_answer > _OUTAGE_S:
                raise
        else:
            last_answer = time.monotonic()
            show(status)
            if status["syncStatus"] in OVER:
                return status
        await asyncio.sleep(_LOOK_EVERY_S)


def _with_end(status: Status) -> Status:
    """A cancelled import leaves its store pending, which is also how a new one begins."""
    if status["syncStatus"] == "pending" and status["finishedAt"] is not None:
        return {**status, "syncStatus": "cancelled"}
    return status


def changed(status: Status) -> int:
    """How many records the import created, updated or deleted."""
    counts = status["entities"].values()
    return sum(one["created"] + one["updated"] + one["deleted"] for one in counts)


def rejected(status: Status) -> int:
    """How many records the import set aside."""
    return sum(one["rejected"] for one in status["entities"].values())
