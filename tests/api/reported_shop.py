"""A WooCommerce store, and things that happened to it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.call_stats import CallStats
from providers._kit.answers import Answer
from tests.api.hub import Caller, Hub
from tests.db.room import new_store

SYNC = "/api/woocommerce-sync"
LOG = """
insert into store_sync_logs
  (tenant_id, store_id, run_id, action, status, details, error_message, created_at, updated_at)
values (:owner, :store, :run, :action, :status, :details, :error, :at, :at)
"""
RUN = """
insert into sync_runs
  (tenant_id, store_id, kind, workflow_id, workflow_run_id, status, is_dry, started_at, finished_at)
values (:owner, :store, 'pull', :workflow, 'r', :status, :dry, :at, :at + interval '4 seconds')
returning id
"""
EVENT = """
insert into webhook_events
  (tenant_id, store_id, event_type, topic, entity, route, body, received_at, status, outcome,
   processed_at)
values (:owner, :store, 'order_created', 'order.created', 'orders', 'generic', '{}', :at, :status,
  :outcome, :at + interval '100 milliseconds')
"""


class Shop:
    """A WooCommerce store of a caller, and things that happened to it."""

    def __init__(self, hub: Hub, caller: Caller, store_id: int) -> None:
        self.hub, self.caller, self.id = hub, caller, store_id

    @classmethod
    async def new(cls, hub: Hub, caller: Caller, **values: Any) -> "Shop":
        return cls(hub, caller, await new_store(hub.database, caller.tenant.id, **values))

    async def execute(self, statement: str, **params: Any) -> list[Any]:
        own = {"owner": self.caller.tenant.id, "store": self.id}
        used = {name: value for name, value in own.items() if f":{name}" in statement}
        return await self.hub.execute(self.caller.tenant, statement, **used, **params)

    async def log(
        self,
        status: str = "success",
        details: Any = None,
        *,
        action: str = "sync_products",
        age: timedelta = timedelta(hours=1),
        run: int | None = None,
        error: str | None = None,
    ) -> None:
        await self.execute(
            LOG,
            run=run,
            action=action,
            status=status,
            details=json.dumps(details) if details else None,
            error=error,
            at=datetime.now(UTC) - age,
        )

    async def run(self, status: str = "success", *, dry: bool = False, days: float = 0) -> int:
        at = datetime.now(UTC) - timedelta(days=days)
        workflow = f"sync/{self.id}"
        ((run_id,),) = await self.execute(RUN, status=status, dry=dry, at=at, workflow=workflow)
        return int(run_id)

    async def asked(self, *statuses: int, took_s: float = 0.1, method: str = "GET") -> None:
        """Requests to the store, as the worker counts them."""
        stats = CallStats()
        for status in statuses:
            answer = Answer(status, {}, b"", 0.0)
            stats.answered(self.caller.tenant.id, self.id, method, answer, took_s)
        await stats.flush(self.hub.database)

    async def event(self, status: str, outcome: str | None = None) -> None:
        await self.execute(EVENT, status=status, outcome=outcome, at=datetime.now(UTC))

    async def shown(self) -> dict[str, Any]:
        return dict((await told(self.caller, "status", storeId=self.id))["stores"][0])


async def told(caller: Caller, report: str, **query: Any) -> dict[str, Any]:
    answer = await caller.get(f"{SYNC}/{report}", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
