"""How a run ends: well, cancelled or failed, and always written down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from domain.statuses import SyncStatus
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from workflows.patience import stop_if_cancelled
from workflows.reasons import reason_of

End = Callable[[SyncStatus, ApplicationError | None], Awaitable[None]]
"""Writes down how a run ended, and why if it failed."""


@asynccontextmanager
async def ending(end: End) -> AsyncIterator[None]:
    """The work of a run. Nothing of it is done when the run was cancelled before.

    Raises:
        ApplicationError: it failed; the reason as a person should read it.
        asyncio.CancelledError, FailureError: it was cancelled.
    """
    try:
        stop_if_cancelled()
        yield
    except (FailureError, asyncio.CancelledError) as failure:
        if is_cancelled_exception(failure):
            await end(SyncStatus.CANCELLED, None)
            raise
        reason = reason_of(failure)
        await end(SyncStatus.FAILED, reason)
        raise reason from failure
    await end(SyncStatus.SUCCESS, None)
