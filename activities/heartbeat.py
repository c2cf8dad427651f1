"""Telling Temporal that an activity is alive while it works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

BEAT_S = 2.0


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Beat in the background for as long as the block runs.

    A worker that is killed stops beating, and its activity goes to another one after the heartbeat
    timeout instead of the much longer start-to-close timeout.
    """
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()
        with suppress(asyncio.CancelledError):
            await beats


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_S)
