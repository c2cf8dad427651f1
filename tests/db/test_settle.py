from db.settle import REFERENCES, settle_guests, settle_references
from db.staging import Origin
from domain.entities import Entity
from domain.guests import guest_key
from domain.records import Address
from tests.db.dumps import physical_dump
from tests.db.factories import at, category, customer, line, order, product, variant
from tests.db.room import Room

CATEGORIES, PRODUCTS, CUSTOMERS, ORDERS = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)
GUESTS = "select first_name, deleted_at is null from customers where is_guest order by email"


async def settle(room: Room) -> None:
    """What the end of a run does."""
    for statement in REFERENCES:
        async with room.database.tenant(room.tenant_id) as connection:
            await settle_references(connection, room.origin, statement)


async def guests_settled(room: Room) -> int:
    async with room.database.tenant(room.tenant_id) as connection:
        return await settle_guests(connection, room.origin)


async def test_references_to_what_came_later_are_filled_in(room: Room) -> None:
    sold = [line("1", "10"), line("2", "20", variant_external_id="21"), line("3", "404")]
    await room.take(ORDERS, order("100", *sold, customer="5"))
    await room.take(PRODUCTS, product("10", category_external_ids=("2", "1")))
    await room.take(PRODUCTS, product("20", variant("21")))
    await room.take(CATEGORIES, category("2", "Green", parent="1"))
    await room.take(CATEGORIES, category("1"))
    await room.take(CUSTOMERS, customer("5"))
    await settle(room)
    ids = {
        (entity, key): await room.record_id(entity, key)
        for entity, key in (
            *(("categories", "1"), ("categories", "2"), ("customers", "5")),
            *(("products", "10"), ("products", "20"), ("variants", "10"), ("variants", "21")),
        )
    }
    parents = "select parent_id from categories where parent_id is not null"
    assert await room.rows(parents) == [(ids["categories", "1"],)]
    assert await room.rows("select category_ids from products order by id") == [
        ([ids["categories", "2"], ids["categories", "1"]],),
        ([],),
    ]
    assert await room.rows("select customer_id from orders") == [(ids["customers", "5"],)]
    assert await room.rows("select product_id, variant_id from order_lines order by position") == [
        (ids["products", "10"], ids["variants", "10"]),
        (ids["products", "20"], ids["variants", "21"]),
        (None, None),
    ]


async def test_settling_what_is_settled_writes_no_row(room: Room) -> None:
    await room.take(PRODUCTS, product("10", category_external_ids=("2", "404")))
    await room.take(CATEGORIES, category("2", parent="404"))
    await room.take(ORDERS, order("1", line("1", "10"), email="a@example.test", customer=None))
    await room.take(ORDERS, order("2", line("1", "404"), customer="404"))
    await settle(room)
    assert await guests_settled(room) == 0
    async with room.database.tenant(room.tenant_id) as connection:
        before = await physical_dump(connection)
    await settle(room)
    assert await guests_settled(room) == 0
    async with room.database.tenant(room.tenant_id) as connection:
        assert await physical_dump(connection) == before


async def test_references_of_another_store_are_left_alone(room: Room) -> None:
    await room.take(ORDERS, order("100", customer="5"))
    await room.take(CUSTOMERS, customer("5"))
    elsewhere = Origin(room.tenant_id, room.store_id + 1_000)
    for statement in REFERENCES:
        async with room.database.tenant(room.tenant_id) as connection:
            await settle_references(connection, elsewhere, statement)
    assert await room.rows("select customer_id from orders") == [(None,)]


async def test_a_guest_falls_back_to_the_order_before_when_the_newest_is_gone(room: Room) -> None:
    def bought(key: str, second: int, name: str) -> None:
        billing = Address(first_name=name, email="a@example.test")
        orders.append(order(key, placed_at=at(second), billing=billing))

    orders: list = []  # type: ignore[type-arg]
    bought("1", 10, "Anna")
    bought("2", 20, "Annie")
    bought("3", 30, "Ann")
    await room.take(ORDERS, *orders)
    assert await room.rows(GUESTS) == [("Ann", True)]
    await room.take(ORDERS, gone=["3"])
    assert await guests_settled(room) == 1
    assert await room.rows(GUESTS) == [("Annie", True)]
    assert await guests_settled(room) == 0


async def test_a_guest_whose_orders_are_all_gone_goes_too_and_returns_with_the_next(
    room: Room,
) -> None:
    one, other = (order(key, email=f"g{key}@example.test") for key in ("1", "2"))
    await room.take(ORDERS, one, other)
    await room.take(ORDERS, gone=["1"])
    assert await guests_settled(room) == 1
    assert await room.rows(GUESTS) == [("Ann", False), ("Ann", True)]
    assert (await room.changes())[-1][1:] == ("customers", guest_key(one.record), "deleted")
    assert await guests_settled(room) == 0
    await room.take(ORDERS, one)
    assert await guests_settled(room) == 0
    assert await room.rows(GUESTS) == [("Ann", True), ("Ann", True)]


async def test_guests_of_whom_many_are_out_of_date_are_settled_in_portions(room: Room) -> None:
    keys = [str(number) for number in range(700)]
    await room.take(ORDERS, *(order(key, email=f"g{key}@example.test") for key in keys))
    await room.take(ORDERS, gone=keys)
    assert [await guests_settled(room) for _ in range(3)] == [500, 200, 0]
    assert await room.rows("select count(*) from customers where deleted_at is null") == [(0,)]
