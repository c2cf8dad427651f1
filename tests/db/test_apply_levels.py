from decimal import Decimal

from db.apply import Applied
from domain.entities import Entity
from tests.db.factories import product, variant
from tests.db.room import Room

PRODUCTS = Entity.PRODUCTS

LEDGER = (
    "select l.external_id, m.kind, m.quantity, m.balance from inventory_movements m"
    " join links l on l.record_id = m.variant_id and l.entity = 'variants' order by m.id"
)
LEVELS = (
    "select l.external_id, v.on_hand from inventory_levels v"
    " join links l on l.record_id = v.variant_id and l.entity = 'variants' order by 1"
)
UNEXPLAINED = (
    "select variant_id, warehouse_id, v.on_hand, m.moved from inventory_levels v"
    " full join (select variant_id, warehouse_id, sum(quantity) as moved"
    "   from inventory_movements group by 1, 2) m using (variant_id, warehouse_id)"
    " where coalesce(v.on_hand, 0) <> coalesce(m.moved, 0)"
)


async def test_an_opening_balance_is_a_movement(room: Room) -> None:
    await room.take(PRODUCTS, product("1", stock={"1": "12.5"}), product("2"))
    assert await room.rows(LEVELS) == [("1", Decimal("12.5"))]
    assert await room.rows(LEDGER) == [("1", "opening", Decimal("12.5"), Decimal("12.5"))]
    assert [change[1:] for change in await room.changes()] == [
        ("inventory", "1", "updated"),
        ("products", "1", "created"),
        ("products", "2", "created"),
    ]


async def test_nothing_in_stock_is_a_level_too(room: Room) -> None:
    await room.take(PRODUCTS, product("1", stock={"1": 0}))
    assert await room.rows(LEVELS) == [("1", Decimal(0))]
    assert await room.rows(LEDGER) == [("1", "opening", Decimal(0), Decimal(0))]


async def test_stock_that_moved_is_corrected_even_where_the_product_is_unchanged(
    room: Room,
) -> None:
    await room.take(PRODUCTS, product("1", stock={"1": 5}))
    assert await room.take(PRODUCTS, product("1", stock={"1": 3})) == Applied(unchanged=1)
    assert await room.rows(LEVELS) == [("1", Decimal(3))]
    assert await room.rows(LEDGER) == [
        ("1", "opening", Decimal(5), Decimal(5)),
        ("1", "correction", Decimal(-2), Decimal(3)),
    ]
    assert (await room.changes())[2:] == [(3, "inventory", "1", "updated")]


async def test_the_same_level_again_is_no_movement(room: Room) -> None:
    await room.take(PRODUCTS, product("1", stock={"1": 5}))
    await room.take(PRODUCTS, product("1", stock={"1": 5}))
    assert len(await room.rows(LEDGER)) == 1
    assert len(await room.changes()) == 2


async def test_a_level_of_an_older_version_is_ignored(room: Room) -> None:
    await room.take(PRODUCTS, product("1", version=9, stock={"1": 5}))
    await room.take(PRODUCTS, product("1", version=3, stock={"1": 8}))
    assert await room.rows(LEVELS) == [("1", Decimal(5))]


async def test_stock_that_is_no_longer_tracked_is_withdrawn(room: Room) -> None:
    await room.take(PRODUCTS, product("1", version=1, stock={"1": 5}))
    await room.take(PRODUCTS, product("1", variant("1", tracks_stock=False), version=2))
    assert await room.rows(LEVELS) == []
    assert (await room.rows(LEDGER))[1:] == [("1", "withdrawal", Decimal(-5), Decimal(0))]
    assert await room.rows(UNEXPLAINED) == []
    assert (await room.changes())[2:] == [
        (3, "inventory", "1", "deleted"),
        (4, "products", "1", "updated"),
    ]


async def test_stock_of_a_product_that_is_gone_is_withdrawn_and_opened_anew_on_its_return(
    room: Room,
) -> None:
    both = product("1", variant("11", tracks_stock=True), variant("12"), stock={"11": 5})
    await room.take(PRODUCTS, both)
    await room.take(PRODUCTS, gone=["1"])
    assert await room.rows(LEVELS) == []
    await room.take(PRODUCTS, both)
    assert await room.rows(LEDGER) == [
        ("11", "opening", Decimal(5), Decimal(5)),
        ("11", "withdrawal", Decimal(-5), Decimal(0)),
        ("11", "opening", Decimal(5), Decimal(5)),
    ]
    assert await room.rows(UNEXPLAINED) == []


async def test_stock_of_a_variant_that_left_its_product_is_withdrawn(room: Room) -> None:
    red, blue = (variant(key, tracks_stock=True) for key in ("11", "12"))
    await room.take(PRODUCTS, product("1", red, blue, version=1, stock={"11": 1, "12": 2}))
    await room.take(PRODUCTS, product("1", blue, version=2, stock={"12": 2}))
    assert await room.rows(LEVELS) == [("12", Decimal(2))]
    assert await room.rows(UNEXPLAINED) == []


async def test_movements_explain_every_level_after_many_pages(room: Room) -> None:
    for step in range(12):
        await room.take(
            PRODUCTS,
            *(
                product(str(key), version=step, stock={str(key): (key * 7 + step * 3) % 11 - 2})
                for key in range(8)
                if (key + step) % 3
            ),
            *(product(str(key), version=step) for key in range(8) if (key + step) % 9 == 0),
            gone=[str(key) for key in range(8) if (key + step) % 9 == 3],
        )
    assert len(await room.rows(LEVELS)) > 3
    assert len(await room.rows(LEDGER)) > 40
    assert await room.rows(UNEXPLAINED) == []
    misbalanced = (
        "select variant_id from inventory_levels v where on_hand <> (select balance from"
        " inventory_movements m where m.variant_id = v.variant_id order by id desc limit 1)"
    )
    assert await room.rows(misbalanced) == []
