import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from db.apply import Applied, apply
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.records import Address
from tests.db.factories import at, customer, order, product, variant
from tests.db.room import Room, Rows

PRODUCTS, CUSTOMERS, ORDERS = Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS


async def write(room: Room, entity: Entity, pages: Sequence[Sequence[Pulled[Any]]]) -> Applied:
    """Apply pages one after the other, each in a transaction that is run again when it loses."""
    total = Applied()
    for records in pages:

        async def work(
            connection: AsyncConnection, records: Sequence[Pulled[Any]] = records
        ) -> Applied:
            return await apply(connection, room.origin, entity, Page(records=tuple(records)))

        total += await room.database.transact(room.tenant_id, work)
    return total


def shuffled_pages(records: Sequence[Pulled[Any]], seed: int, size: int) -> list[list[Pulled[Any]]]:
    mixed = random.Random(seed).sample(records, len(records))
    return [mixed[start : start + size] for start in range(0, len(mixed), size)]


def count_deadlocks(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        found = connection.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        ).fetchone()
        assert found is not None
        return int(found[0])


async def test_writers_that_create_the_same_records_create_each_once(room: Room) -> None:
    records = [product(str(key), variant(f"{key}v", tracks_stock=True)) for key in range(150)]
    done = await asyncio.gather(
        *(write(room, PRODUCTS, shuffled_pages(records, seed, 30)) for seed in range(4))
    )
    total = sum(done, Applied())
    assert (total.created, total.unchanged, total.updated) == (150, 450, 0)
    assert await room.rows("select count(*), count(distinct id) from products") == [(150, 150)]
    assert await room.rows("select count(*) from product_variants") == [(150,)]
    assert await room.rows("select entity, count(*) from links group by 1 order by 1") == [
        ("products", 150),
        ("variants", 150),
    ]
    assert Counter(change[1:] for change in await room.changes()) == {
        ("products", str(key), "created"): 1 for key in range(150)
    }


async def test_writers_that_update_the_same_records_do_not_deadlock(
    room: Room, owner_url: str
) -> None:
    before = count_deadlocks(owner_url)
    keys = range(120)
    await write(room, CUSTOMERS, [[customer(str(key), version=0) for key in keys]])

    def edits(version: int) -> list[Pulled[Any]]:
        email = f"v{version}@example.test"
        return [customer(str(key), email, version=version) for key in keys]

    await asyncio.gather(
        *(
            write(room, CUSTOMERS, shuffled_pages(edits(version), version, 40))
            for version in range(1, 9)
        )
    )
    assert await room.rows("select distinct email from customers") == [("v8@example.test",)]
    assert await room.rows("select distinct version from links") == [(at(8),)]
    assert count_deadlocks(owner_url) == before


async def test_writers_of_orders_by_the_same_guests_do_not_deadlock(
    room: Room, owner_url: str
) -> None:
    before = count_deadlocks(owner_url)

    def orders(version: int) -> list[Pulled[Any]]:
        return [
            order(
                str(key),
                version=version,
                placed_at=at(version),
                billing=Address(first_name=f"V{version}", email=f"guest{key % 7}@example.test"),
                customer_note=str(version),
            )
            for key in range(60)
        ]

    await asyncio.gather(
        *(write(room, ORDERS, shuffled_pages(orders(version), version, 15)) for version in range(6))
    )
    assert await room.rows("select distinct customer_note from orders") == [("5",)]
    assert await room.rows("select first_name, count(*) from customers group by 1") == [("V5", 7)]
    assert await room.rows("select count(*) from orders where customer_id is null") == [(0,)]
    assert count_deadlocks(owner_url) == before


async def test_a_reader_that_asks_for_later_changes_misses_none_and_sees_none_twice(
    room: Room,
) -> None:
    def pages(writer: int) -> list[list[Pulled[Any]]]:
        ids = [[f"{writer}-{page}-{n}" for n in range(writer + 1)] for page in range(25)]
        return [[customer(key) for key in page] for page in ids]

    writing = asyncio.gather(*(write(room, CUSTOMERS, pages(writer)) for writer in range(4)))
    seen: Rows = []
    is_over = False
    while not is_over:
        is_over = writing.done()
        cursor = seen[-1][0] if seen else 0
        seen += await room.rows(
            "select seq, record_id from changes where seq > :cursor order by seq", cursor=cursor
        )
    await writing
    assert [seq for seq, _ in seen] == list(range(1, 251))
    assert len({record_id for _, record_id in seen}) == 250


async def test_the_numbers_of_changes_have_no_gap_where_a_transaction_was_rolled_back(
    room: Room,
) -> None:
    async def fail(number: int) -> None:
        async with room.database.tenant(room.tenant_id) as connection:
            page: Page[Any] = Page(records=(customer(f"lost-{number}"),))
            await apply(connection, room.origin, CUSTOMERS, page)
            raise KeyError(number)

    await asyncio.gather(
        *(fail(number) for number in range(5)),
        *(room.take(CUSTOMERS, customer(str(number))) for number in range(5)),
        return_exceptions=True,
    )
    assert [change[0] for change in await room.changes()] == [1, 2, 3, 4, 5]
