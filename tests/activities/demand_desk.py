"""Where pushes are asked for."""

from dataclasses import dataclass, field
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.demand_models import PushCounts, PushDemand
from activities.demand_pushes import DemandPushActivities, EnqueueDemandInput, WatchDemandInput
from domain.entities import Entity
from tests.activities.push_room import PushRoom


@dataclass
class Desk:
    """Where demands for the away store are made; each is a run of its own."""

    room: PushRoom
    runs: list[int] = field(default_factory=list)

    @property
    def activities(self) -> DemandPushActivities:
        return DemandPushActivities(self.room.home.database, self.room.lane, watch_s=0.2)

    async def ask(self, entity: Entity, run_id: int | None = None, **demand: Any) -> PushCounts:
        if run_id is None:
            [(run_id,)] = await self.room.away.rows(
                "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id,"
                " status) select tenant_id, id, 'demand', 'demand/1', 'r', 'in_progress'"
                " from stores where id = :store returning id"
            )
            self.runs.append(run_id)
        args = EnqueueDemandInput(**self.ref(run_id), demand=PushDemand(entity=entity, **demand))
        counts: PushCounts = await ActivityEnvironment().run(self.activities.enqueue_demand, args)
        return counts

    async def watch(self, entity: Entity, run_id: int | None = None) -> PushCounts:
        args = WatchDemandInput(**self.ref(run_id or self.runs[-1]), entity=entity)
        counts: PushCounts = await ActivityEnvironment().run(self.activities.watch_demand, args)
        return counts

    def ref(self, run_id: int) -> dict[str, int]:
        away = self.room.away
        return {"tenant_id": away.tenant_id, "store_id": away.store_id, "run_id": run_id}

    async def unasked(self) -> None:
        """What follows from changes is not what these tests are about."""
        await self.room.home.rows("delete from pushes")

    async def id_of(self, key: str, entity: str = "customers") -> int:
        return await self.room.home.record_id(entity, key)
