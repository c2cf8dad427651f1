"""A field that a store's own rules fill is the store's alone."""

from collections.abc import Sequence

from activities.push_batch import Item, outgoing
from db.field_mappings import save_mapping
from db.local_records import load_local
from db.pushes import Push
from domain.entities import Entity
from domain.field_mapping import MappingRule
from domain.pages import Pulled
from domain.records import Product
from domain.sync_settings import StoreSettings
from tests.activities.push_room import PushRoom
from tests.db.factories import product

PRODUCTS = Entity.PRODUCTS
TITLE = MappingRule(entity=PRODUCTS, target="title", expression="name")
SKU = MappingRule(entity=Entity.VARIANTS, target="sku", expression="code")


async def save(room: PushRoom, *rules: MappingRule) -> None:
    async with room.away.database.tenant(room.away.tenant_id) as connection:
        await save_mapping(connection, room.away.tenant_id, room.away.store_id, rules)


async def linked(room: PushRoom, *rules: MappingRule) -> str:
    """A product that the away store has, under rules from then on; its id there."""
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await save(room, *rules)
    [key] = room.shop.table(PRODUCTS)
    return key


def sent(room: PushRoom) -> Sequence[frozenset[str]]:
    """The paths that were held back of each item of the last request."""
    return [one.held for one in room.shop.requests[-1]]


async def test_a_mapped_field_is_held_back_when_another_one_is_pushed(room: PushRoom) -> None:
    key = await linked(room, TITLE, SKU)
    changed = product("1", version=1, title="Hub's title", description="New words")
    await room.come_in(PRODUCTS, changed)
    assert await room.drain() == 1
    stock = room.shop.table(PRODUCTS)[key]
    assert isinstance(stock, Product)
    [variant] = stock.variants
    assert sent(room) == [frozenset(("title", f"variants.{variant.external_id}.sku"))]


async def test_an_edit_of_a_mapped_field_alone_is_not_sent_at_all(room: PushRoom) -> None:
    await linked(room, TITLE)
    before = len(room.shop.requests)
    await room.come_in(PRODUCTS, product("1", version=1, title="Hub's title"))
    assert await room.drain() == 1
    assert len(room.shop.requests) == before
    assert await room.rows() == []


async def test_the_hubs_edit_stays_until_the_store_changes_the_field(room: PushRoom) -> None:
    key = await linked(room, TITLE)
    await room.come_in(PRODUCTS, product("1", version=1, title="Hub's title"))
    await room.drain()
    table = room.shop.table(PRODUCTS)

    async def say(**values: str) -> list[tuple[object, ...]]:
        table[key] = table[key].model_copy(update=values)
        await room.away.take(PRODUCTS, room.shop.pulled(PRODUCTS, key))
        return await room.home.rows("select title, description from products")

    assert await say(description="Words of the store") == [("Hub's title", "Words of the store")]
    assert await say(title="Title of the store") == [("Title of the store", "Words of the store")]


async def test_even_a_forced_push_leaves_a_mapped_field_alone(room: PushRoom) -> None:
    await linked(room, TITLE)
    record_id = await room.home.record_id("products", "1")
    async with room.away.database.tenant(room.away.tenant_id) as connection:
        local = (await load_local(connection, room.away.store_id, PRODUCTS, [record_id]))[record_id]
    push = Push(1, PRODUCTS, record_id, 0, is_forced=True)
    item = Item(push, "mark", local)
    assert "title" in outgoing(item, StoreSettings()).held


async def test_a_product_that_the_store_lacks_is_created_with_its_title(room: PushRoom) -> None:
    await save(room, TITLE)
    await room.come_in(PRODUCTS, product("1", title="Hub's title"))
    await room.drain()
    assert room.titles() == ["Hub's title"]


async def test_rules_of_one_store_do_not_hold_back_what_another_is_told(room: PushRoom) -> None:
    await linked(room, TITLE)
    record_id = await room.home.record_id("products", "1")
    async with room.home.database.tenant(room.home.tenant_id) as connection:
        home = await load_local(connection, room.home.store_id, PRODUCTS, [record_id])
    assert home[record_id].held == frozenset()


async def test_the_answer_to_a_push_with_a_mapped_value_is_no_change(room: PushRoom) -> None:
    """The shop answers with what its rule finds: nothing comes of it, here or there."""
    key = await linked(room, TITLE)
    table = room.shop.table(PRODUCTS)
    table[key] = table[key].model_copy(update={"title": "By the rule"})
    said: Pulled[Product] = room.shop.pulled(PRODUCTS, key)  # type: ignore[assignment]
    await room.away.take(PRODUCTS, said)
    await room.drain()
    changes = await room.home.changes()
    applied = await room.away.take(PRODUCTS, room.shop.pulled(PRODUCTS, key))
    assert (applied.updated, applied.unchanged) == (0, 1)
    assert await room.home.changes() == changes
