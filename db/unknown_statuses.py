"""Orders whose status no mapping knows: kept, and told to a person once per word."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.alerts import AlertKind, NewAlert, raise_alert
from domain.statuses import OrderStatus

_UNKNOWN: Final = text("""
select store_id, raw_status, min(id) as order_id from orders
where id = any(:orders) and status = :unknown
group by store_id, raw_status order by store_id, raw_status
""")


async def tell_of_unknown_statuses(
    connection: AsyncConnection, tenant_id: int, order_ids: Collection[int]
) -> None:
    """Raise an alert for each status of these orders that stands in no table."""
    named = {"orders": sorted(set(order_ids)), "unknown": OrderStatus.UNKNOWN.value}
    for store_id, raw_status, order_id in await connection.execute(_UNKNOWN, named):
        await raise_alert(
            connection,
            NewAlert(
                tenant_id=tenant_id,
                store_id=store_id,
                kind=AlertKind.UNKNOWN_STATUS,
                subject=f"status/{store_id}/{raw_status[:60]}",
                title="An order has a status that is not known",
                message=(
                    f"Store {store_id} calls the status of an order {raw_status[:60]!r}, which "
                    "stands for none of ours: the order is kept as `unknown`, its stock as it was. "
                    "Give it another status in the shop or here."
                ),
                details={"orderId": order_id, "storeId": store_id},
            ),
        )
