"""Two stores that sell the same variant from two warehouses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.movements import Movement, move_stock
from db.publishing import publish
from db.stock import load_targets, prepare_levels, record_pushed_levels
from domain.entities import Entity
from domain.pushing import Outcome, StockPushed
from domain.sync_settings import StockSource
from tests.db.factories import product
from tests.db.room import Room
from tests.db.test_stock import second_store, share, tell

LOCAL, SUM = StockSource.WAREHOUSE, StockSource.SUM
UNEXPLAINED = (
    "select i.variant_id from inventory_levels i where on_hand <> (select coalesce(sum(quantity),"
    " 0) from inventory_movements m where m.variant_id = i.variant_id"
    " and m.warehouse_id = i.warehouse_id)"
)
UNHELD = (
    "select i.variant_id from inventory_levels i where reserved <> (select coalesce(sum(reserved),"
    " 0) from reservations r where r.variant_id = i.variant_id"
    " and r.warehouse_id = i.warehouse_id and r.status = 'held')"
)


@dataclass
class Towns:
    """The first store sells from the default warehouse, the second from `CMB`."""

    first: Room
    second: Room
    colombo: int
    variant: int

    @property
    def keys(self) -> dict[int, str]:
        """The variant's id in each store."""
        return {self.first.store_id: "1", self.second.store_id: "b1"}

    async def levels(self) -> list[tuple[int, int]]:
        """(on hand, reserved) of the default warehouse, and of Colombo."""
        assert await self.first.rows(UNEXPLAINED) == []
        assert await self.first.rows(UNHELD) == []
        found = await self.first.rows(
            "select w.is_default, i.on_hand, i.reserved from inventory_levels i"
            " join warehouses w on w.id = i.warehouse_id order by w.is_default desc"
        )
        return [(int(on_hand), int(reserved)) for _, on_hand, reserved in found]

    async def settings(self, room: Room, source: StockSource, code: str | None) -> None:
        await room.rows(
            "update stores set settings = settings || jsonb_build_object("
            "'stockWarehouse', cast(:code as text), 'stockSource', cast(:source as text))"
            " where id = :store",
            code=code,
            source=source.value,
        )

    async def number(self, room: Room) -> int:
        """What the store should show."""
        async with room.database.tenant(room.tenant_id) as connection:
            (target,) = await load_targets(connection, room.store_id, [self.variant])
        return int(target.target.available)

    async def push(self, room: Room, shown: Decimal) -> Decimal:
        """Bring the hub's number to a store that shows this; what it shows then."""
        async with room.database.tenant(room.tenant_id) as connection:
            targets = await prepare_levels(connection, room.store_id, {self.variant: shown})
            await publish(connection, room.tenant_id, (), store_id=room.store_id)
        if not targets:
            return shown
        [one] = targets
        answer = StockPushed(
            one.target.variant_external_id, Outcome.DONE, shown, one.target.available
        )
        async with room.database.tenant(room.tenant_id) as connection:
            again = await record_pushed_levels(connection, room.store_id, [(one, answer)])
            await publish(connection, room.tenant_id, (), store_id=room.store_id)
        assert again == frozenset()
        return one.target.available

    async def move(self, *movements: tuple[int | None, int]) -> None:
        """Receipts, or a transfer, by warehouse (None: the default)."""
        moved = [
            Movement(self.variant, "adjustment", Decimal(count), place)
            for place, count in movements
        ]

        async def work(connection: Any) -> None:
            await move_stock(connection, self.first.tenant_id, moved)
            await publish(connection, self.first.tenant_id, ())

        await self.first.database.transact(self.first.tenant_id, work)


async def set_up(room: Room) -> Towns:
    """Ten in the default warehouse, four in Colombo; each store shows its own."""
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 10}))
    [(colombo,)] = await room.rows(
        "insert into warehouses (tenant_id, name, code, is_default)"
        " select tenant_id, 'Colombo', 'CMB', false from stores where id = :store returning id"
    )
    second = await second_store(room)
    towns = Towns(room, second, colombo, await room.record_id("variants", "1"))
    await towns.settings(room, LOCAL, None)
    await towns.settings(second, LOCAL, "CMB")
    await tell(second, b1=4)
    await room.rows("delete from pushes")
    return towns
