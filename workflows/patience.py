"""Waiting for a store that is down: the ladder of the product.

An activity has tried three times by itself when its failure arrives here. The store is then shown
as failing, with the time of the next try, and the workflow sleeps. Steps that run side by side
share one wait. A store that will not recover by itself, or the end of the ladder, is given up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from activities.models import RecordFailureInput, RunRef
from activities.runs import RunActivities
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import policies

T = TypeVar("T")

RETRIED = frozenset({"StoreUnreachableError", "StoreUnavailableError", "RateLimitedError"})
"""The names of the errors of a store that may recover (`domain.errors.RetryableStoreError`)."""

LONGEST_TOLD = timedelta(hours=6)
"""The longest pause we take because a store asked for it."""


def stop_if_cancelled() -> None:
    """What ends although it was told to stop takes the cancellation with it: say it again.

    Raises:
        asyncio.CancelledError: this workflow was told to stop.
    """
    if workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError


class Patience:
    """One run's patience with its store. `tell` is called when a wait begins and when it ends."""

    def __init__(
        self,
        run: RunRef,
        ladder_s: tuple[float, ...],
        *,
        failures: int = 0,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self._run = RunRef(tenant_id=run.tenant_id, store_id=run.store_id, run_id=run.run_id)
        self._ladder_s = ladder_s
        self.failures = failures
        self.waiting_for = ""
        self._tell = tell

    async def attempt(self, step: Callable[[], Awaitable[T]]) -> T:
        """The result of `step`, however long the store makes us wait for it.

        Raises:
            ActivityError: the store will not recover, or the ladder is at its end.
        """
        while True:
            await workflow.wait_condition(lambda: not self.waiting_for)
            try:
                result = await step()
            except ActivityError as error:
                if not self.waiting_for:
                    await self._wait(error)
                continue
            stop_if_cancelled()
            if self.failures and not self.waiting_for:
                self.failures = 0
                await workflow.execute_activity_method(
                    RunActivities.clear_failure, self._run, **policies.BOOKKEEPING
                )
            return result

    async def _wait(self, error: ActivityError) -> None:
        cause = error.cause
        if not isinstance(cause, ApplicationError) or cause.type not in RETRIED:
            raise error
        self.failures += 1
        if self.failures >= len(self._ladder_s):
            raise error
        told = next(iter(cause.details), None)
        delay = timedelta(seconds=self._ladder_s[self.failures])
        if isinstance(told, int | float) and told > 0:
            delay = min(timedelta(seconds=told), LONGEST_TOLD)
        self.waiting_for = cause.message
        self._tell()
        try:
            await workflow.execute_activity_method(
                RunActivities.record_failure,
                RecordFailureInput(
                    **self._run.model_dump(),
                    message=cause.message,
                    retry_count=self.failures,
                    next_retry_at=workflow.now() + delay,
                ),
                **policies.BOOKKEEPING,
            )
            await workflow.sleep(delay, summary="waiting for the store")
        finally:
            self.waiting_for = ""
            self._tell()
