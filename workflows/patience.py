"""Waiting for a store that is down: the ladder of the product.

An activity has tried three times by itself when its failure arrives here. The store is then shown
as failing, with the time of the next try, and the workflow sleeps. Steps that run side by side
share one wait. A store that will not recover by itself, or the end of the ladder, is given up.
A person who asks for the same again ends the wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
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


async def sleep_until(is_over: Callable[[], bool], delay: timedelta, *, summary: str) -> None:
    """Sleep, unless it is over before. Commands what `workflow.sleep` does."""
    if not delay:  # a condition is not waited for then, and the timer would be missing
        await workflow.sleep(delay, summary=summary)
        return
    with suppress(TimeoutError):
        await workflow.wait_condition(is_over, timeout=delay, timeout_summary=summary)


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
        self._is_shown_failing = False
        self._is_ended = False

    def end_wait(self) -> None:
        """Try at once, and from the first rung of the ladder on. Not waiting, nothing changes."""
        self._is_ended = bool(self.waiting_for)

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
            if (self.failures or self._is_shown_failing) and not self.waiting_for:
                self.failures, self._is_shown_failing = 0, False
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
        self.waiting_for, self._is_shown_failing, self._is_ended = cause.message, True, False
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
            await sleep_until(lambda: self._is_ended, delay, summary="waiting for the store")
            if self._is_ended:
                self.failures = 0
        finally:
            self.waiting_for = ""
            self._tell()
