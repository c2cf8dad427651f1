import csv
import io
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from db.export import ExportFormat, ExportReader, ExportRequest
from db.export_columns import FORMULA_STARTS
from db.export_records import WALKS, ExportKind
from db.session import Database
from domain.entities import Entity
from tests.db import factories
from tests.db.room import Room, new_room, new_store
from tests.servers import TestDatabase

PEOPLE = """
insert into customers (tenant_id, email, phone, first_name, last_name, is_guest, is_paying, extra)
select :tenant, 'c' || i || '@example.test', '', '', '', false, true,
  jsonb_build_object('note', repeat('x', :size))
from generate_series(1, :count) i
"""


@pytest.fixture
async def room(database: TestDatabase) -> AsyncIterator[Room]:
    app, owner = Database(database.app_url, pool_size=4), Database(database.owner_url, pool_size=1)
    yield await new_room(app, owner)
    await app.close()
    await owner.close()


def reader(room: Room, kind: ExportKind, form: ExportFormat, **options: Any) -> ExportReader:
    wanted = ExportRequest(kind, form, **{"store_ids": [room.store_id], **options})
    return ExportReader(room.database, room.tenant_id, wanted)


async def whole(one: ExportReader) -> bytes:
    parts = []
    while (batch := await one.read()) is not None:
        parts.append(batch)
    return b"".join(parts)


async def objects(room: Room, kind: ExportKind, **options: Any) -> list[dict[str, Any]]:
    lines = await whole(reader(room, kind, ExportFormat.NDJSON, **options))
    assert lines == b"" or lines.endswith(b"\n")
    return [json.loads(line) for line in lines.splitlines()]


async def cells(room: Room, kind: ExportKind, **options: Any) -> list[dict[str, str]]:
    one = reader(room, kind, ExportFormat.CSV, **options)
    text = (one.header() + await whole(one)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("kind", list(ExportKind))
async def test_the_walks_of_a_kind_have_the_same_columns(room: Room, kind: ExportKind) -> None:
    names = {tuple(one.name for one in walk.columns) for walk in WALKS[kind]}
    assert len(names) == 1
    assert await objects(room, kind) == []
    assert await cells(room, kind) == []


async def test_every_record_is_there_once_whatever_the_batches(room: Room) -> None:
    await room.rows(PEOPLE, tenant=room.tenant_id, size=10, count=9_000)
    # A long gap of deleted ones, and nothing at the end of the ids.
    await room.rows("update customers set deleted_at = now() where id % 9000 between 700 and 6000")
    expected = await room.rows("select id from customers where deleted_at is null order by id")
    found = await objects(room, ExportKind.CUSTOMERS)
    assert [one["id"] for one in found] == [row[0] for row in expected]
    assert len(found) == 3_699
    linked = reader(room, ExportKind.CUSTOMERS, ExportFormat.NDJSON, is_linked_only=True)
    assert await whole(linked) == b""


async def test_memory_does_not_grow_with_the_export(room: Room) -> None:
    await room.rows(PEOPLE, tenant=room.tenant_id, size=1_500, count=20_000)
    one = reader(room, ExportKind.CUSTOMERS, ExportFormat.NDJSON)
    await one.read()
    tracemalloc.start()
    try:
        total = 0
        while (batch := await one.read()) is not None:
            total += len(batch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 30_000_000
    assert peak < 6_000_000


async def test_records_that_weigh_much_come_in_small_batches(room: Room) -> None:
    await room.rows(PEOPLE, tenant=room.tenant_id, size=400_000, count=90)
    one = reader(room, ExportKind.CUSTOMERS, ExportFormat.NDJSON)
    sizes = []
    while (batch := await one.read()) is not None:
        sizes.append(len(batch))
    assert max(sizes) <= 16_000_000
    assert sizes[-2] <= 2_000_000
    assert sum(sizes) > 90 * 400_000
    assert one.rows == 90


@pytest.mark.parametrize("start", FORMULA_STARTS)
async def test_no_text_is_a_formula_in_a_spreadsheet(room: Room, start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    email = f'{start}HYPERLINK("http://evil.example","x")'
    await room.take(
        Entity.CUSTOMERS,
        factories.customer("7", email, first_name=name, billing={"company": f"{start}1+1"}),
    )
    (row,) = await cells(room, ExportKind.CUSTOMERS, is_linked_only=True)
    assert row["firstName"] == f"'{name}"
    assert row["email"] == f"'{email}"
    assert row["billingCompany"] == f"'{start}1+1"
    (one,) = await objects(room, ExportKind.CUSTOMERS, is_linked_only=True)
    assert (one["firstName"], one["email"]) == (name, email)


async def test_cells_hold_whatever_text_there_is(room: Room) -> None:
    texts = ['say "شاي"', "two\nlines", "two\r\nlines, and a comma", "'", "\\.", " = 1", "\x01\x02"]
    for number, text in enumerate(texts):
        await room.take(Entity.CUSTOMERS, factories.customer(str(number), "", first_name=text))
    rows = await cells(room, ExportKind.CUSTOMERS)
    assert [row["firstName"] for row in rows] == texts
    found = await objects(room, ExportKind.CUSTOMERS)
    assert [one["firstName"] for one in found] == texts
    one = reader(room, ExportKind.CUSTOMERS, ExportFormat.CSV)
    table = one.header() + await whole(one)
    assert table.count(b"\r\n") == 1 + len(texts) + 1
    assert table.replace(b"\r\n", b"").count(b"\n") == 1


async def test_numbers_stay_numbers(room: Room) -> None:
    await room.take(
        Entity.PRODUCTS,
        factories.product("5", factories.variant("5", "10", tracks_stock=True), stock={"5": 3}),
    )
    await room.rows("update inventory_levels set on_hand = -4.5, reserved = 0")
    await room.rows("update product_variants set price = -5.5, compare_at_price = 1.2345")
    for kind in (ExportKind.PRODUCTS, ExportKind.INVENTORY):
        (row,) = await cells(room, kind)
        assert (row["onHand"], row["available"], row["tracksStock"]) == ("-4.5", "-4.5", "true")
    (row,) = await cells(room, ExportKind.PRODUCTS)
    assert (row["price"], row["compareAtPrice"], row["currency"]) == ("-5.50", "1.2345", "EUR")


async def test_a_row_for_each_variant_and_for_a_product_without_any(room: Room) -> None:
    await room.take(
        Entity.PRODUCTS,
        factories.product("5", factories.variant("5-1"), factories.variant("5-2")),
        factories.product("6"),
    )
    bare = await room.record_id("products", "6")
    await room.rows("update product_variants set deleted_at = now() where product_id = :p", p=bare)
    rows = await objects(room, ExportKind.PRODUCTS)
    assert [(one["externalId"], one["variantExternalId"]) for one in rows] == [
        ("5", "5-1"),
        ("5", "5-2"),
        ("6", None),
    ]
    assert [one["storeId"] for one in rows] == [room.store_id] * 3
    assert (rows[2]["productId"], rows[2]["variantId"], rows[2]["price"]) == (bare, None, None)


async def test_a_record_is_told_as_the_asked_stores_have_it(room: Room) -> None:
    second = Room(room.database, room.tenant_id, await new_store(room.database, room.tenant_id))
    other = Room(
        room.database,
        room.tenant_id,
        await new_store(room.database, room.tenant_id, provider="easyorder"),
    )
    await room.take(Entity.CUSTOMERS, factories.customer("1", "one@example.test"))
    await second.take(Entity.CUSTOMERS, factories.customer("2", "two@example.test"))
    await other.take(Entity.CUSTOMERS, factories.customer("3", "three@example.test"))
    both = [room.store_id, second.store_id]

    async def told(stores: list[int], *, only: bool) -> list[tuple[Any, Any]]:
        found = await objects(room, ExportKind.CUSTOMERS, store_ids=stores, is_linked_only=only)
        return [(one["storeId"], one["externalId"]) for one in found]

    assert await told(both, only=False) == [(both[0], "1"), (both[1], "2"), (None, None)]
    assert await told(both, only=True) == [(both[0], "1"), (both[1], "2")]
    assert await told(both[1:], only=True) == [(both[1], "2")]
    assert await told([], only=True) == []


async def test_nothing_of_another_tenant_is_told(room: Room, database: TestDatabase) -> None:
    owner = Database(database.owner_url, pool_size=1)
    stranger = await new_room(room.database, owner)
    await owner.close()
    await room.take(Entity.CUSTOMERS, factories.customer("1"))
    await room.take(Entity.PRODUCTS, factories.product("1", stock={"1": 1}))
    await room.take(Entity.ORDERS, factories.order("1"))
    for kind in ExportKind:
        assert await objects(room, kind) != []
        assert await objects(stranger, kind, store_ids=[room.store_id]) == []
