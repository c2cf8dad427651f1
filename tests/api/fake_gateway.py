"""Temporal as the API sees it, without Temporal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from api.temporal import Started, TemporalUnavailableError
from workflows.ids import import_id
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    ImportProgress,
    ImportStoreInput,
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


@dataclass
class FakeGateway:
    """Remembers what it was asked; `verdict` answers checks, `is_down` fails every call."""

    verdict: Callable[[CheckStoreInput], Awaitable[CheckStoreResult]] = _succeed
    progress: dict[str, ImportProgress] = field(default_factory=dict)
    is_down: bool = False
    checks: list[CheckStoreInput] = field(default_factory=list)
    waits: list[tuple[int, float]] = field(default_factory=list)
    imports: list[ImportStoreInput] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)

    async def check_store(
        self, check: CheckStoreInput, *, store_id: int, timeout_s: float
    ) -> CheckStoreResult:
        self._answer()
        self.checks.append(check)
        self.waits.append((store_id, timeout_s))
        return await self.verdict(check)

    async def start_import(self, args: ImportStoreInput) -> Started:
        self._answer()
        workflow_id = import_id(args.store_id)
        if workflow_id in self.running:
            return Started(workflow_id, self.running[workflow_id], already_running=True)
        self.imports.append(args)
        self.running[workflow_id] = f"run-{len(self.imports)}"
        return Started(workflow_id, self.running[workflow_id], already_running=False)

    async def query_progress(self, workflow_id: str) -> ImportProgress | None:
        return None if self.is_down else self.progress.get(workflow_id)

    async def is_running(self, workflow_id: str) -> bool:
        self._answer()
        return workflow_id in self.running

    async def cancel(self, workflow_id: str) -> bool:
        self._answer()
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
