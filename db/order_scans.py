"""How far a store's orders are known by their running numbers."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Longer numbers are no counts of a store's orders: they may be parts of ids.
_HIGHEST: Final = text("""
select max(cast(o.number as bigint))
from links l join orders o on o.tenant_id = l.tenant_id and o.id = l.record_id
where l.store_id = :store and l.entity = 'orders' and o.number ~ '^[0-9]{1,7}$'
""")


async def find_highest_number(connection: AsyncConnection, store_id: int) -> str | None:
    """The highest running number among a store's orders; None: none is known."""
    found = (await connection.execute(_HIGHEST, {"store": store_id})).scalar_one()
    return None if found is None else str(found)
