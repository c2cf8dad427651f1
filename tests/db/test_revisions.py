"""The revision moves with every commit that changes what records show, and with no other."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from db.publishing import MARK_DIFFERING
from db.revisions import read_revision
from db.settle import REFERENCES, settle_references
from domain.entities import Entity
from tests.db.factories import category, line, order, product
from tests.db.room import Room

PRODUCT = product("10", stock={"10": 5}, category_external_ids=("2",))


async def revision(room: Room) -> str:
    async with room.database.tenant(room.tenant_id) as connection:
        return await read_revision(connection)


async def number(room: Room) -> int:
    return int((await revision(room)).rpartition(".")[2])


async def test_that_what_comes_in_moves_it(room: Room) -> None:
    before = await revision(room)
    await room.take(Entity.PRODUCTS, PRODUCT)
    after = await revision(room)

    assert after != before
    assert await revision(room) == after


@pytest.mark.parametrize(
    "statement",
    [
        "update inventory_levels set reserved = reserved + 1",
        "update products set title = title || '!'",
        "update product_variants set barcode = '4006381333931'",
        "delete from inventory_levels",
        """insert into links (tenant_id, store_id, entity, external_id, record_id)
        select tenant_id, store_id, entity, '77', record_id from links where entity = 'products'""",
        "update links set deleted_at = now() where entity = 'products'",
        "delete from links where entity = 'products'",
        """insert into categories (tenant_id, name, slug, description, position)
        select id, 'a', 'a', '', 0 from tenants""",
        """insert into customers (tenant_id, email, phone, first_name, last_name, is_guest,
        is_paying) select id, '', '', '', '', true, false from tenants""",
        "update orders set oversold = true",
        "update order_lines set product_id = null",
    ],
)
async def test_that_a_statement_which_is_in_no_feed_moves_it(room: Room, statement: str) -> None:
    await room.take(Entity.PRODUCTS, PRODUCT)
    await room.take(Entity.ORDERS, order("100", line("1", "10")))
    before, feed = await revision(room), await room.rows("select count(*) from changes")

    await room.rows(statement)

    assert await revision(room) != before
    assert await room.rows("select count(*) from changes") == feed


async def test_that_settled_references_move_it(room: Room) -> None:
    await room.take(Entity.PRODUCTS, PRODUCT)
    await room.take(Entity.CATEGORIES, category("2"))
    before = await revision(room)

    for statement in REFERENCES:
        async with room.database.tenant(room.tenant_id) as connection:
            await settle_references(connection, room.origin, statement)

    assert await revision(room) != before


async def test_that_a_transaction_moves_it_once_and_one_in_the_feed_not_at_all(room: Room) -> None:
    before = await number(room)
    await room.take(Entity.PRODUCTS, PRODUCT)
    assert await number(room) == before

    async with room.database.tenant(room.tenant_id) as connection:
        for _ in range(3):
            await connection.execute(text("update products set title = title || '!'"))
            await connection.execute(text("update inventory_levels set reserved = 0"))
    assert await number(room) == before + 1


async def test_that_what_records_do_not_show_leaves_it(room: Room) -> None:
    await room.take(Entity.PRODUCTS, PRODUCT)
    before = await revision(room)

    await room.rows("update links set pushed_at = now(), version = now()")
    await room.rows(MARK_DIFFERING.replace("%(tenant)s", "0").replace("%(store)s", "null"))
    await room.rows("update stores set name = 'Another'")

    assert await revision(room) == before


async def test_that_what_is_rolled_back_leaves_it(room: Room) -> None:
    await room.take(Entity.PRODUCTS, PRODUCT)
    before = await revision(room)

    async def fail() -> None:
        async with room.database.tenant(room.tenant_id) as connection:
            await connection.execute(text("update products set title = 'x'"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await revision(room) == before


async def test_that_writers_of_one_tenant_do_not_wait_for_each_other(room: Room) -> None:
    """The counter is moved at the commit: till then nobody else is held up."""
    await room.take(Entity.PRODUCTS, PRODUCT, product("20", stock={"20": 1}))
    first, second = await room.record_id("products", "10"), await room.record_id("products", "20")
    before = await number(room)

    rename = text("update products set title = 'x' where id = :id")
    async with asyncio.timeout(5), room.database.tenant(room.tenant_id) as one:
        await one.execute(rename, {"id": first})
        async with room.database.tenant(room.tenant_id) as other:
            await other.execute(rename, {"id": second})

    assert await number(room) == before + 2


async def test_that_a_superuser_s_change_moves_it_too(room: Room, superuser: str) -> None:
    await room.take(Entity.PRODUCTS, PRODUCT)
    before = await revision(room)

    with psycopg.connect(superuser) as connection:
        connection.execute(
            "update products set title = 'x' where tenant_id = %s", (room.tenant_id,)
        )

    assert await revision(room) != before
