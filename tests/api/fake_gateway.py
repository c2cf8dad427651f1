"""Temporal as the API sees it, without Temporal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from activities.models import StoreRef
from activities.push_preview import PreviewPushInput, PreviewPushResult
from activities.sync_models import SyncKind
from api.temporal import Started, TemporalUnavailableError
from api.temporal_demands import DemandFailedError, demand_workflow_id
from domain.lanes import LaneKind
from domain.schedules import ScheduleSpec
from workflows.ids import import_id, sync_id
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    DemandInput,
    DemandResult,
    ImportProgress,
    ImportStoreInput,
    SubscriptionsInput,
    SyncStoreInput,
)

FACTS = {
    "store_name": "Test shop",
    "store_url": "https://shop.example",
    "version": "1.2.3",
    "currency": "LKR",
    "timezone": "Asia/Colombo",
    "details": {"api": "v3"},
}


async def _succeed(_check: CheckStoreInput) -> CheckStoreResult:
    return CheckStoreResult(facts=dict(FACTS))


async def _found_nothing(_args: PreviewMappingInput) -> PreviewMappingResult:
    return PreviewMappingResult()


async def _go_on() -> None:
    return


@dataclass
class FakeGateway:
    """Remembers what it was asked; `verdict` answers checks, `is_down` fails every call,
    `before_acting` is awaited by what would do something, and `demanded` is what a demand did that
    is waited for (None: it still runs)."""

    verdict: Callable[[CheckStoreInput], Awaitable[CheckStoreResult]] = _succeed
    progress: dict[str, ImportProgress] = field(default_factory=dict)
    is_down: bool = False
    before_acting: Callable[[], Awaitable[None]] = _go_on
    checks: list[CheckStoreInput] = field(default_factory=list)
    waits: list[tuple[int, float]] = field(default_factory=list)
    imports: list[ImportStoreInput] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    syncs: list[SyncStoreInput] = field(default_factory=list)
    subscription_checks: list[SubscriptionsInput] = field(default_factory=list)
    unsubscribed: list[int] = field(default_factory=list)
    schedules: dict[tuple[int, SyncKind], tuple[ScheduleSpec, bool]] = field(default_factory=dict)
    triggered: list[tuple[int, SyncKind]] = field(default_factory=list)
    try_mapping: Callable[[PreviewMappingInput], Awaitable[PreviewMappingResult]] = _found_nothing
    previews: list[PreviewPushInput] = field(default_factory=list)
    preview: PreviewPushResult | None = field(default_factory=PreviewPushResult)
    demands: list[DemandInput] = field(default_factory=list)
    hurried: list[str] = field(default_factory=list)
    demanded: DemandResult | DemandFailedError | None = None

    async def check_store(
        self, check: CheckStoreInput, *, store_id: int, timeout_s: float
    ) -> CheckStoreResult:
        self._answer()
        self.checks.append(check)
        self.waits.append((store_id, timeout_s))
        return await self.verdict(check)

    async def preview_push(
        self, args: PreviewPushInput, *, provider: str, timeout_s: float
    ) -> PreviewPushResult:
        self._answer()
        self.previews.append(args)
        self.waits.append((args.store_id, timeout_s))
        assert provider
        if self.preview is None:
            raise TimeoutError
        return self.preview

    async def preview_mapping(
        self, args: PreviewMappingInput, *, provider: str, timeout_s: float
    ) -> PreviewMappingResult:
        self._answer()
        self.waits.append((args.store_id, timeout_s))
        assert provider
        return await self.try_mapping(args)

    async def start_import(self, args: ImportStoreInput) -> Started:
        await self._act()
        workflow_id = import_id(args.store_id)
        if workflow_id in self.running:
            return Started(workflow_id, self.running[workflow_id], already_running=True)
        self.imports.append(args)
        self.running[workflow_id] = f"run-{len(self.imports)}"
        return Started(workflow_id, self.running[workflow_id], already_running=False)

    async def start_sync(self, args: SyncStoreInput) -> Started:
        await self._act()
        workflow_id = sync_id(args.store_id, args.kind.value)
        is_running = workflow_id in self.running
        if not is_running:
            self.syncs.append(args)
            self.running[workflow_id] = f"sync-run-{len(self.syncs)}"
        return Started(workflow_id, self.running[workflow_id], already_running=is_running)

    async def check_subscriptions(self, args: SubscriptionsInput) -> Started:
        await self._act()
        self.subscription_checks.append(args)
        return Started(f"subscriptions/{args.store_id}", "run", already_running=False)

    async def unsubscribe(self, ref: StoreRef, *, provider: str, timeout_s: float) -> bool:
        await self._act()
        assert provider
        assert timeout_s > 0
        self.unsubscribed.append(ref.store_id)
        return True

    async def put_schedule(
        self,
        kind: SyncKind,
        args: SyncStoreInput | SubscriptionsInput,
        spec: ScheduleSpec,
        *,
        paused: bool,
    ) -> None:
        await self._act()
        self.schedules[args.store_id, kind] = (spec, paused)

    async def delete_schedule(self, store_id: int, kind: SyncKind) -> None:
        await self._act()
        self.schedules.pop((store_id, kind), None)

    async def trigger_schedule(self, store_id: int, kind: SyncKind) -> None:
        await self._act()
        self.triggered.append((store_id, kind))

    async def pause_schedule(self, store_id: int, kind: SyncKind, *, paused: bool) -> None:
        await self._act()
        if (held := self.schedules.get((store_id, kind))) is not None:
            self.schedules[store_id, kind] = (held[0], paused)

    async def start_demand(self, args: DemandInput) -> Started:
        await self._act()
        workflow_id = demand_workflow_id(args)
        is_running = workflow_id in self.running
        if not is_running:
            self.demands.append(args)
            self.running[workflow_id] = f"demand-run-{len(self.demands)}"
        return Started(workflow_id, self.running[workflow_id], already_running=is_running)

    async def hurry_demand(self, started: Started) -> None:
        self._answer()
        self.hurried.append(started.workflow_id)

    async def await_demand(self, started: Started, *, timeout_s: float) -> DemandResult | None:
        self._answer()
        self.waits.append((0, timeout_s))
        if isinstance(self.demanded, DemandFailedError):
            raise self.demanded
        if self.demanded is not None:
            self.running.pop(started.workflow_id, None)
        return self.demanded

    async def running_run(self, workflow_id: str) -> str | None:
        self._answer()
        return self.running.get(workflow_id)

    async def query_progress(self, workflow_id: str) -> ImportProgress | None:
        return None if self.is_down else self.progress.get(workflow_id)

    async def is_running(self, workflow_id: str) -> bool:
        self._answer()
        return workflow_id in self.running

    async def cancel(self, workflow_id: str) -> bool:
        await self._act()
        self.cancelled.append(workflow_id)
        return self.running.pop(workflow_id, None) is not None

    async def is_healthy(self) -> bool:
        return not self.is_down

    def refuse(self, error_type: str, message: str) -> None:
        """From here on the store says no."""

        async def verdict(_check: CheckStoreInput) -> CheckStoreResult:
            return CheckStoreResult(error_type=error_type, message=message)

        self.verdict = verdict

    def find(self, facts: dict[str, object]) -> None:
        """From here on the store says yes, with these facts."""

        async def verdict(_check: CheckStoreInput) -> CheckStoreResult:
            return CheckStoreResult(facts=facts)

        self.verdict = verdict

    def _answer(self) -> None:
        if self.is_down:
            raise TemporalUnavailableError("no answer within 2 s")

    async def _act(self) -> None:
        self._answer()
        await self.before_acting()


@dataclass
class FakeWaker:
    """Remembers which lanes it was to wake, as (tenant, kind, key)."""

    woken: list[tuple[int, LaneKind, int]] = field(default_factory=list)

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        self.woken.append((tenant_id, kind, key))
