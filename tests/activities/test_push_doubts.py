import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from activities.lanes import TurnLostError
from db.drift import send_again
from db.publishing import Touch, publish
from domain.entities import Entity
from domain.errors import StoreUnreachableError
from domain.records import Product
from tests.activities.push_room import NOW, PushRoom
from tests.db.factories import product, variant

PRODUCTS, CATEGORIES, CUSTOMERS = Entity.PRODUCTS, Entity.CATEGORIES, Entity.CUSTOMERS


async def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    room.shop.trouble.append((StoreUnreachableError("cut short"), True))
    with pytest.raises(StoreUnreachableError):
        await room.drain()
    assert (await room.rows("attempts, creating_since is not null")) == [(0, True)]
    requests = len(room.shop.requests)
    [(began,)] = await room.rows("creating_since")
    since = (began - NOW).total_seconds()
    assert await room.drain(since + 29) == 0
    assert (len(room.shop.requests), len(room.shop.lookups)) == (requests, 1)
    assert await room.rows("next_attempt_at, attempts") == [(began + timedelta(seconds=30), 0)]
    await room.drain(since + 30)
    assert room.titles() == ["Product 1"]
    assert len(room.shop.requests) == requests
    assert await room.rows() == []
    assert await room.links("products") == [(key,) for key in room.shop.table(PRODUCTS)]


async def test_a_create_that_never_arrived_is_made_after_a_look(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    room.shop.trouble.append((StoreUnreachableError("refused"), False))
    with pytest.raises(StoreUnreachableError):
        await room.drain()
    [(began,)] = await room.rows("creating_since")
    await room.drain((began - NOW).total_seconds() + 30)
    assert (room.titles(), await room.rows()) == (["Product 1"], [])


async def test_a_kill_between_the_send_and_the_record_doubles_nothing(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, product("1", version=1, title="Edited"), product("2"))

    async def die() -> None:
        room.shop.meanwhile = None
        room.lane.is_lost = True

    room.shop.meanwhile = die
    with pytest.raises(TurnLostError):
        await room.drain()
    room.lane.is_lost = False
    assert room.titles() == ["Edited", "Product 2"]
    assert len(await room.rows()) == 2
    [(began,)] = await room.away.rows("select max(creating_since) from pushes")
    await room.drain((began - NOW).total_seconds() + 31)
    assert room.titles() == ["Edited", "Product 2"]
    assert await room.rows() == []
    assert len(await room.links("products")) == 2


async def test_what_was_sent_before_a_kill_comes_back_as_no_news(room: PushRoom) -> None:
    """The hub was changed again meanwhile: its own older word must not win as the store's newer."""
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, product("1", version=1, title="Sent"))

    async def die() -> None:
        room.shop.meanwhile = None
        room.lane.is_lost = True

    room.shop.meanwhile = die
    with pytest.raises(TurnLostError):
        await room.drain()
    room.lane.is_lost = False
    await room.come_in(PRODUCTS, product("1", version=2, title="Newer"))
    [key] = room.shop.table(PRODUCTS)
    echo = room.shop.pulled(PRODUCTS, key)
    late = datetime.now(UTC) + timedelta(minutes=1)
    await room.away.take(PRODUCTS, dataclasses.replace(echo, version=late))
    assert await room.home.rows("select title from products") == [("Newer",)]
    await room.drain()
    assert room.titles() == ["Newer"]
    assert await room.links("products", "pushing is null") == [(True,)]


async def test_a_turn_that_was_lost_sends_nothing(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    room.lane.is_lost = True
    with pytest.raises(TurnLostError):
        await room.drain()
    assert room.shop.requests == []


async def test_a_record_that_changes_in_flight_stays_due(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))

    async def edit() -> None:
        room.shop.meanwhile = None
        await room.come_in(PRODUCTS, product("1", version=1, title="Later"))

    room.shop.meanwhile = edit
    assert await room.take(room.turn()) == 1
    assert room.titles() == ["Product 1"]
    assert await room.rows("version, status, creating_since") == [(2, "pending", None)]
    assert await room.links("products", "differs") == [(True,)]
    await room.drain()
    assert room.titles() == ["Later"]
    assert await room.links("products", "differs") == [(False,)]


async def test_a_webhook_that_overtakes_the_answer_makes_no_second_record(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1", variant("1", sku="TEA")))

    async def tell() -> None:
        room.shop.overtaking = None
        [key] = room.shop.table(PRODUCTS)
        await room.away.take(PRODUCTS, room.shop.pulled(PRODUCTS, key))

    room.shop.overtaking = tell
    await room.drain()
    assert len(await room.home.rows("select from products")) == 1
    assert len(await room.home.rows("select from product_variants")) == 1
    assert await room.links("products", "differs") == [(False,)]
    assert await room.home.rows("select from pushes") == []
    assert len(room.shop.requests) == 1


async def test_an_edit_that_is_being_written_is_not_taken_for_told(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, product("1", version=1, title="First"))
    editing: list[asyncio.Task[None]] = []
    is_written = asyncio.Event()

    async def edit() -> None:
        touch = Touch(PRODUCTS, await room.home.record_id("products", "1"), "updated")
        async with room.home.database.tenant(room.home.tenant_id) as connection:
            await connection.execute(text("update products set title = 'Second'"))
            await publish(connection, room.home.tenant_id, [touch])
            is_written.set()
            # The results of the first edit are recorded meanwhile, as far as that is possible.
            await asyncio.sleep(0.3)

    async def begin() -> None:
        room.shop.meanwhile = None
        editing.append(asyncio.create_task(edit()))
        await is_written.wait()

    room.shop.meanwhile = begin
    await room.take(room.turn())
    await editing[0]
    assert await room.links("products", "differs") == [(True,)]
    assert await room.rows() == [("products", "pending", 0)]
    await room.drain()
    assert room.titles() == ["Second"]
    assert await room.links("products", "differs") == [(False,)]


async def test_what_the_store_has_under_the_same_sku_is_linked_and_updated(room: PushRoom) -> None:
    theirs = product("77", variant("78", sku="TEA"), title="Their title")
    room.shop.table(PRODUCTS)["77"] = theirs.record
    await room.come_in(PRODUCTS, product("1", variant("1", sku="TEA")))
    await room.drain()
    assert room.titles() == ["Product 1"]
    [[sent]] = room.shop.requests
    assert (sent.external_id, sent.base) == ("77", theirs.record)
    assert await room.links("products", "external_id, is_home, differs") == [("77", False, False)]
    assert await room.links("variants") == [("78",)]


async def test_what_is_linked_to_another_record_is_not_taken_from_it(room: PushRoom) -> None:
    theirs = product("77", variant("78", sku="TEA"))
    room.shop.table(PRODUCTS)["77"] = theirs.record
    await room.away.take(PRODUCTS, product("77", variant("78", sku="OTHER")))
    await room.home.rows("delete from pushes")
    await room.come_in(PRODUCTS, product("1", variant("1", sku="TEA")))
    await room.drain()
    owner = await room.away.record_id("products", "77")
    mine = await room.home.record_id("products", "1")
    [(status, error)] = await room.rows("status, last_error")
    assert status == "failed"
    assert f"products {mine} but is linked to products {owner}" in error
    assert room.shop.requests == []


async def test_what_was_deleted_while_its_create_was_in_doubt_is_taken_off(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1", variant("1", sku="TEA")))
    room.shop.trouble.append((StoreUnreachableError("cut short"), True))
    with pytest.raises(StoreUnreachableError):
        await room.drain()
    room.shop.keys.clear()
    await room.come_in(PRODUCTS, gone=["1"])
    [(began,)] = await room.rows("creating_since")
    await room.drain((began - NOW).total_seconds() + 30)
    [made] = room.shop.table(PRODUCTS).values()
    assert isinstance(made, Product)
    assert made.status == "hidden"
    assert await room.rows() == []


async def test_what_is_gone_there_is_created_again(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    room.shop.table(PRODUCTS).clear()
    await room.come_in(PRODUCTS, product("1", version=1, title="Again"))
    await room.drain()
    assert room.titles() == ["Again"]
    assert await room.links("products") == [(key,) for key in room.shop.table(PRODUCTS)]


async def test_what_a_reconcile_found_lost_is_created_again(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1", variant("1", sku="TEA")))
    await room.drain()
    [(key,)] = await room.links("products")
    room.shop.table(PRODUCTS).clear()
    async with room.home.database.tenant(room.home.tenant_id) as connection:
        await send_again(connection, room.home.tenant_id, room.away.store_id, PRODUCTS, [key])
    await room.drain()
    assert room.titles() == ["Product 1"]
    assert await room.links("products") == [(one,) for one in room.shop.table(PRODUCTS)]
    assert len(await room.links("variants")) == 1
    assert await room.rows() == []
