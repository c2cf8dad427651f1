"""Pulling one entity of one store: all of its pages, or one round of catching up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from activities.models import (
    Counts,
    EntityRef,
    PullChangesInput,
    PullMode,
    PullRangeInput,
    PullRangeResult,
    SettleSweepInput,
    SweepInput,
)
from activities.pull import PullActivities
from activities.sweep import SweepActivities
from temporalio import workflow

from workflows import policies
from workflows.models import PullInput, PullResult
from workflows.patience import Patience

SWEEPS_PER_ROUND = 2
ID_PAGES_PER_ACTIVITY = 50

Step = Callable[[], Coroutine[Any, Any, None]]


@workflow.defn
class PullWorkflow:
    """Round 0 reads every page; a later round reads what changed and compares the ids.

    Its id is the mutex of the entity. What it read is in the database, page by page, so it only
    carries counts, and goes on where it was whatever is killed.
    """

    @workflow.init
    def __init__(self, args: PullInput) -> None:
        self._args = args
        self._counts = args.carried
        self._total_pages: int | None = None
        self._next_page = args.next_page
        self._ref = EntityRef(
            tenant_id=args.tenant_id,
            store_id=args.store_id,
            run_id=args.run_id,
            entity=args.entity,
            mode=args.mode,
            force=args.force,
            page_size=args.page_size,
        )
        self._held_back = 0
        self._where = "starting"
        self._patience = Patience(self._ref, args.ladder_s, failures=args.failures, tell=self._tell)
        # A second attempt at one run must not take the rounds of the first for its own.
        self._attempt = workflow.info().first_execution_run_id[:8]

    @workflow.run
    async def run(self, args: PullInput) -> PullResult:
        """What was pulled."""
        is_settled = True
        if args.round == 0:
            await self._pull_pages()
        else:
            is_settled = await self._catch_up()
        self._tell("done")
        return PullResult(
            entity=args.entity,
            counts=self._counts,
            is_settled=is_settled,
            held_back=self._held_back,
        )

    @workflow.query
    def progress(self) -> Counts:
        """What was pulled so far."""
        return self._counts

    @workflow.signal
    def try_now(self) -> None:
        """A person asks for the same again: do not wait for the store any longer."""
        self._patience.end_wait()

    async def _pull_pages(self) -> None:
        plan = await self._patience.attempt(
            lambda: workflow.execute_activity_method(
                PullActivities.plan_pull, self._ref, **policies.READ
            )
        )
        self._total_pages = plan.total_pages
        await self._in_parallel(self._next_range)
        if self._next_page <= self._total_pages:
            workflow.continue_as_new(
                self._args.model_copy(
                    update={
                        "carried": self._counts,
                        "next_page": self._next_page,
                        "failures": self._patience.failures,
                    }
                )
            )

    def _next_range(self) -> Step | None:
        """The next pages to read, up to the end of the list, which may move meanwhile."""
        end = self._total_pages or 0
        if self._next_page > end or workflow.info().is_continue_as_new_suggested():
            return None
        first, last = self._next_page, min(self._next_page + self._args.pages_per_activity - 1, end)
        self._next_page = last + 1
        return self._range_step(first, last, name=f"p{first}-{last}", collect=False)

    def _range_step(
        self, first: int, last: int, *, name: str, collect: bool, is_again: bool = False
    ) -> Step:
        async def step() -> None:
            result: PullRangeResult = await workflow.execute_activity_method(
                PullActivities.pull_range,
                PullRangeInput(
                    **self._ref.model_dump(),
                    name=name,
                    first=first,
                    last=last,
                    collect=collect,
                    is_again=is_again,
                ),
                **policies.described(policies.READ_MANY, f"pages {first}-{last}"),
            )
            self._counts += result.counts
            if not collect:
                self._total_pages = max(self._total_pages or 0, result.total_pages)
            self._tell(f"page {last} of {self._total_pages}")

        return step

    async def _catch_up(self) -> bool:
        """One round. False when the list moved under every sweep."""
        if self._args.tracks_changes:
            changes = PullChangesInput(
                **self._ref.model_dump(),
                name=f"changes-{self._attempt}-{self._args.round}",
                round=self._args.round,
            )
            self._counts += await self._patience.attempt(
                lambda: workflow.execute_activity_method(
                    PullActivities.pull_changes, changes, **policies.READ_MANY
                )
            )
        if not self._args.sweeps:
            return True
        for number in range(1, SWEEPS_PER_ROUND + 1):
            self._tell(f"round {self._args.round}, sweep {number}")
            if await self._sweep(number):
                return True
        return False

    async def _sweep(self, number: int) -> bool:
        before = await self._patience.attempt(
            lambda: workflow.execute_activity_method(
                SweepActivities.start_sweep, self._ref, **policies.READ
            )
        )
        self._total_pages = before.total_pages
        ranges = self._sweep_ranges(number)
        await self._in_parallel(lambda: next(ranges, None))
        settle = SettleSweepInput(
            **self._ref.model_dump(),
            name=f"sweep-{self._attempt}-{self._args.round}.{number}",
            round=self._args.round,
            before=before,
        )
        settled = await self._patience.attempt(
            lambda: workflow.execute_activity_method(
                SweepActivities.settle_sweep, settle, **policies.READ_MANY
            )
        )
        self._counts += settled.counts
        self._held_back = settled.held_back
        return settled.is_trusted

    def _sweep_ranges(self, number: int) -> Iterator[Step]:
        """Ids alone where changes are told; whole pages again where they are not."""
        only_ids = self._args.tracks_changes
        size = ID_PAGES_PER_ACTIVITY if only_ids else self._args.pages_per_activity
        pages = self._total_pages or 0
        for first in range(1, pages + 1, size):
            last = min(first + size - 1, pages)
            if only_ids:
                yield self._id_step(first, last)
            else:
                name = f"r{self._args.round}.{number}-{self._attempt}-p{first}-{last}"
                is_again = self._args.mode is PullMode.IMPORT or self._args.round > 1 or number > 1
                yield self._range_step(first, last, name=name, collect=True, is_again=is_again)

    def _id_step(self, first: int, last: int) -> Step:
        args = SweepInput(**self._ref.model_dump(), first=first, last=last)

        async def step() -> None:
            await workflow.execute_activity_method(
                SweepActivities.collect_sweep,
                args,
                **policies.described(policies.READ_MANY, f"ids of pages {first}-{last}"),
            )

        return step

    async def _in_parallel(self, next_step: Callable[[], Step | None]) -> None:
        """Run steps, a few at once, until there is none left; the first failure ends all."""
        running: list[asyncio.Task[None]] = []
        try:
            while True:
                while len(running) < self._args.in_flight and (step := next_step()):
                    running.append(asyncio.create_task(self._patience.attempt(step)))
                if not running:
                    return
                done, running = await workflow.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _tell(self, where: str | None = None) -> None:
        """Keep the details in the Temporal UI true."""
        self._where = where or self._where
        counts, waiting = self._counts, self._patience.waiting_for
        lines = [
            f"**{self._args.entity.value}**, {self._where}",
            " · ".join(
                f"{name} {getattr(counts, name)}"
                for name in ("seen", "created", "updated", "unchanged", "deleted", "rejected")
            ),
        ]
        if waiting:
            lines.append(f"waiting for the store: {waiting[:200]}")
        workflow.set_current_details("\n\n".join(lines))
