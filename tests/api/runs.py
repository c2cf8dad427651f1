"""Runs as a worker writes them."""

from db.ranges import RangeCounts, RangeKey, advance_range, begin_entity
from db.run_diffs import note_differences
from db.runs import RunKey, begin_run, close_logs, end_run, open_logs
from db.sync_runs import begin_sync_run
from domain.differences import Difference
from domain.entities import Entity
from domain.statuses import SyncStatus
from tests.api.hub import Caller, Hub


async def begin(hub: Hub, caller: Caller, store_id: int, run: str = "run-1") -> int:
    key = RunKey(caller.tenant.id, store_id, "import", f"import/{store_id}", run)
    async with hub.database.tenant(caller.tenant.id) as connection:
        run_id, _ = await begin_run(connection, key)
        await open_logs(connection, key, run_id, [Entity.PRODUCTS, Entity.ORDERS])
        for entity in (Entity.ORDERS, Entity.PRODUCTS):
            await begin_entity(
                connection,
                RangeKey(caller.tenant.id, run_id, entity, ""),
                total=250,
                store_clock=None,
            )
    return run_id


async def advance(hub: Hub, caller: Caller, run_id: int, name: str, **counts: int) -> None:
    key = RangeKey(caller.tenant.id, run_id, Entity.PRODUCTS, name)
    async with hub.database.tenant(caller.tenant.id) as connection:
        await advance_range(
            connection, key, resume="x", is_done=False, step=RangeCounts(pages=1, **counts)
        )


async def end(
    hub: Hub, caller: Caller, store_id: int, run_id: int, status: SyncStatus = SyncStatus.SUCCESS
) -> None:
    error = "The shop refuses the keys" if status is SyncStatus.FAILED else None
    async with hub.database.tenant(caller.tenant.id) as connection:
        await close_logs(connection, run_id, status=status, error=error)
        await end_run(connection, run_id, store_id, status=status, error=error)


async def begin_dry(
    hub: Hub, caller: Caller, store_id: int, *found: Difference, digest: str = "0123456789abcdef"
) -> str:
    """A dry run that found something; its workflow id."""
    workflow_id = f"demand/{store_id}/{digest}"
    key = RunKey(caller.tenant.id, store_id, "demand", workflow_id, f"run-of-{digest}")
    async with hub.database.tenant(caller.tenant.id) as connection:
        run_id = await begin_sync_run(connection, key, is_dry=True)
        await note_differences(connection, caller.tenant.id, run_id, "1", found)
    return workflow_id
