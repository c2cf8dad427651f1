"""The alert for rows that are dead: one for each store and kind of record, however many die."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import LaneRef
from db.alerts import AlertKind, NewAlert, raise_alert
from db.pushes import FAILED, Setback


async def raise_for_dead(
    connection: AsyncConnection, lane: LaneRef, setbacks: Sequence[Setback]
) -> bool:
    """Raise the alert, if a row is dead now. Whether the tenant's alert lane wants waking."""
    dead = [one for one in setbacks if one.status == FAILED]
    if not dead:
        return False
    first, entity, store_id = dead[0], dead[0].push.entity.value, lane.key
    more = f" ({len(dead)} records in this request)" if len(dead) > 1 else ""
    raised = await raise_alert(
        connection,
        NewAlert(
            tenant_id=lane.tenant_id,
            store_id=store_id,
            kind=AlertKind.ROW_FAILED,
            subject=f"push/{store_id}/{entity}",
            title=f"Store {store_id} does not take {entity}",
            message=f"{entity} {first.push.record_id}: {first.error}{more} "
            f"GET /api/stores/{store_id}/pushes?status=failed lists them all.",
            command=f"POST /api/stores/{store_id}/retry-failed-sync",
            details={
                "entity": entity,
                "pushIds": [one.push.id for one in dead],
                "recordIds": [one.push.record_id for one in dead],
            },
        ),
    )
    return raised is not None
