"""From which warehouse each store sells, and whether it shows that one's level alone.

`settings.stockWarehouse` is a warehouse's code, which is neither switched off nor renamed while a
store uses it (`db.warehouses`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_PULLS: Final = ("pull", "both")
_PUSHES: Final = ("push", "both")

WAREHOUSE_OF: Final = """coalesce(
    (select w.id from warehouses w where w.tenant_id = s.tenant_id
       and w.code = s.settings ->> 'stockWarehouse' limit 1),
    (select w.id from warehouses w where w.tenant_id = s.tenant_id and w.is_default))"""
"""SQL: the id of the warehouse that the store `s` sells from."""

IS_LOCAL: Final = "coalesce(s.settings ->> 'stockSource', 'sum') = 'warehouse'"
"""SQL: whether the store `s` shows the level of its warehouse alone."""

OUTLET: Final = f"""
select {WAREHOUSE_OF} as warehouse_id, {IS_LOCAL} as is_local from stores s where s.id = :store
"""  # noqa: S608 - constants
"""SQL: how the store `:store` sells, for `SHOWN`."""

SHOWN: Final = """(
  select case when v.allows_backorder then there.available else greatest(there.available, 0) end
  from (
    select coalesce(sum(i.on_hand - i.reserved) filter (
             where not outlet.is_local or i.warehouse_id = outlet.warehouse_id), 0) as available
    from inventory_levels i
    where i.tenant_id = v.tenant_id and i.variant_id = v.id having count(*) > 0) there)"""
"""SQL: what the store of `outlet` should show of the variant `v`; null: nobody counts it. Less than
nothing is shown only where backorders are taken."""

_OUTLETS = text(f"""
select s.id, coalesce(s.settings -> 'syncDirections' ->> 'inventory', 'pull') as direction,
       {WAREHOUSE_OF} as warehouse_id, {IS_LOCAL} as is_local
from stores s where s.tenant_id = :tenant and s.id = any(:stores)
""")  # noqa: S608 - constants

# A variant that is counted elsewhere has nothing here, which is a level too.
_OPEN = text("""
insert into inventory_levels (tenant_id, variant_id, warehouse_id, on_hand)
select :tenant, v.id, w.id, 0
from unnest(cast(:variants as bigint[])) as v(id)
cross join unnest(cast(:warehouses as bigint[])) as w(id)
where exists (select from inventory_levels i where i.tenant_id = :tenant and i.variant_id = v.id)
order by v.id, w.id
on conflict do nothing
""")

_HAS_LOCAL = text(f"""
select exists (select from stores s where s.tenant_id = :tenant and s.deleted_at is null
  and {IS_LOCAL})
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Outlet:
    """How a store takes part in stock.

    Attributes:
        direction: of its inventory.
        is_local: whether it shows the level of its warehouse, and not the sum of all.
    """

    direction: str
    warehouse_id: int
    is_local: bool = False

    @property
    def pulls(self) -> bool:
        """Whether its own movements move the shelf."""
        return self.direction in _PULLS

    @property
    def pushes(self) -> bool:
        """Whether it is told the hub's number."""
        return self.direction in _PUSHES


async def load_outlets(
    connection: AsyncConnection, tenant_id: int, store_ids: Collection[int]
) -> Mapping[int, Outlet]:
    """The outlets of these stores, by store."""
    rows = await connection.execute(
        _OUTLETS, {"tenant": tenant_id, "stores": sorted(set(store_ids))}
    )
    return {row.id: Outlet(row.direction, row.warehouse_id, row.is_local) for row in rows}


async def open_levels(
    connection: AsyncConnection,
    tenant_id: int,
    outlets: Mapping[int, Outlet],
    variant_ids: Collection[int],
) -> None:
    """Give variants that are counted a level in the warehouses that stores show alone: before the
    levels are locked, so that two who meet there do not both begin with nothing."""
    local = sorted({one.warehouse_id for one in outlets.values() if one.is_local})
    if local and variant_ids:
        await connection.execute(
            _OPEN,
            {"tenant": tenant_id, "variants": sorted(set(variant_ids)), "warehouses": local},
        )


async def has_local_outlet(connection: AsyncConnection, tenant_id: int) -> bool:
    """Whether any store shows one warehouse alone: then it matters where stock is."""
    return bool((await connection.execute(_HAS_LOCAL, {"tenant": tenant_id})).scalar_one())
