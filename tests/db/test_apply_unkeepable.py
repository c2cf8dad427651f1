import random
import string
from typing import Any

import pytest

from db.apply import Applied, apply
from db.unkeepable import UNKEEPABLE
from domain.entities import Entity
from domain.pages import Page, Pulled, Rejected
from tests.db.factories import category, line, order, product, variant
from tests.db.room import Room

PRODUCTS, ORDERS, CATEGORIES = Entity.PRODUCTS, Entity.ORDERS, Entity.CATEGORIES

# Longer than a B-tree entry may be, and not to be compressed.
ENDLESS_SKU = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
TOO_BIG = category("bad").record.model_copy(update={"position": 2**40})

UNKEEPABLES = [
    (PRODUCTS, product("bad", currency="EURO"), "value too long for type character varying(3)"),
    (PRODUCTS, product("bad", variant("v"), variant("v")), "ON CONFLICT DO UPDATE command cannot"),
    (PRODUCTS, product("bad", variant("v", sku=ENDLESS_SKU)), "index row requires"),
    (ORDERS, order("bad", line("1"), line("1")), "ON CONFLICT DO UPDATE command cannot"),
    (CATEGORIES, Pulled("bad", TOO_BIG), "out of range for type integer"),
]


def good(entity: Entity, key: str) -> Pulled[Any]:
    if entity is PRODUCTS:
        return product(key)
    return order(key) if entity is ORDERS else category(key)


@pytest.mark.parametrize(("entity", "bad", "reason"), UNKEEPABLES)
async def test_a_record_the_database_cannot_keep_is_set_aside_and_the_others_go_in(
    room: Room, entity: Entity, bad: Pulled[Any], reason: str
) -> None:
    await room.take(entity, good(entity, "gone"))
    page = [good(entity, str(number)) for number in range(7)]
    page.insert(3, bad)
    with pytest.raises(UNKEEPABLE):
        await room.take(entity, *page, gone=["gone"])
    outcome = await room.take(entity, *page, gone=["gone"], careful=True)
    set_aside = outcome.rejected[0]
    assert outcome == Applied(created=7, deleted=1, rejected=(set_aside,))
    assert (set_aside.external_id, set_aside.position) == ("bad", 0)
    assert set_aside.reason.startswith("the database cannot keep it: ")
    assert reason in set_aside.reason
    assert await room.rows(
        "select external_id from links where entity = :entity and deleted_at is null order by 1",
        entity=entity.value,
    ) == [(str(number),) for number in range(7)]
    actions = [change[3] for change in await room.changes() if change[1] == entity.value]
    assert sorted(actions) == ["created"] * 8 + ["deleted"]


async def test_several_bad_records_are_found_among_good_ones(room: Room) -> None:
    page = [
        product(str(number), currency="EURO" if number % 4 == 1 else "EUR") for number in range(12)
    ]
    outcome = await room.take(PRODUCTS, *page, careful=True)
    assert (outcome.created, [one.external_id for one in outcome.rejected]) == (9, ["1", "5", "9"])
    assert await room.rows("select count(*) from products") == [(9,)]


async def test_two_products_that_claim_one_variant_both_go_in(room: Room) -> None:
    rivals = (product("1", variant("v")), product("2", variant("v")))
    assert await room.take(PRODUCTS, *rivals, careful=True) == Applied(created=2)
    owner = await room.record_id("products", "2")
    assert await room.rows("select product_id from product_variants") == [(owner,)]


async def test_a_bad_record_does_not_harm_what_was_there_before(room: Room) -> None:
    await room.take(PRODUCTS, product("1", title="Kept", version=1))
    outcome = await room.take(
        PRODUCTS, product("1", title="New", currency="EURO", version=2), careful=True
    )
    assert [one.external_id for one in outcome.rejected] == ["1"]
    assert await room.rows("select title, currency from products") == [("Kept", "EUR")]


async def test_a_nul_character_sets_a_record_aside_with_or_without_care(room: Room) -> None:
    bad = product("1", title="a\x00b", stock={"1": 4})
    rejected = Rejected("1", 0, "the record holds a NUL character (U+0000), which cannot be stored")
    assert await room.take(PRODUCTS, bad, product("2")) == Applied(created=1, rejected=(rejected,))
    assert await room.rows("select count(*) from inventory_levels") == [(0,)]


async def test_what_the_provider_set_aside_is_passed_on(room: Room) -> None:
    unread = Rejected(None, 4, "price: not an amount of money")
    page: Page[Any] = Page(records=(product("1"),), rejected=(unread,))
    async with room.database.tenant(room.tenant_id) as connection:
        outcome = await apply(connection, room.origin, PRODUCTS, page)
    assert outcome == Applied(created=1, rejected=(unread,))


async def test_a_guest_that_cannot_be_kept_does_not_keep_the_order_out(room: Room) -> None:
    nul = order("1", email="a\x00@example.test")
    outcome = await room.take(ORDERS, nul, order("2", email="b@example.test"), careful=True)
    assert (outcome.created, [one.external_id for one in outcome.rejected]) == (1, ["1"])
    assert await room.rows("select email from customers") == [("b@example.test",)]
