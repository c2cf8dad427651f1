"""The same thing made in the hub and in a store at once is one thing."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from api.record_bodies import new_product, new_variant
from api.schemas.product_writes import CreateProductBody
from db.hub_writes_products import create_product
from db.publishing import Touch, publish
from domain.errors import ConflictError
from tests.db.room import Room
from tests.db.two_way import PRODUCTS, second, take, tea


async def make(connection: AsyncConnection, room: Room, sku: str) -> Touch:
    """What POST /api/products does."""
    body = CreateProductBody.model_validate({"title": "Tea", "variants": [{"sku": sku}]})
    variants = [new_variant(one) for one in body.variants]
    return await create_product(connection, room.tenant_id, new_product(body, "EUR"), variants)


async def test_a_store_waits_for_what_the_hub_is_making_and_meets_it(room: Room) -> None:
    store = await second(room)
    async with room.database.tenant(room.tenant_id) as connection:
        made = await make(connection, room, "TEA")
        coming = asyncio.create_task(take(store, PRODUCTS, tea("9", "TEA")))
        await asyncio.wait({coming}, timeout=0.3)
        assert not coming.done()
        await publish(connection, room.tenant_id, [made])
    await coming
    assert await room.rows("select count(*) from products") == [(1,)]
    links = "select record_id from links where entity = 'products' and external_id = '9'"
    assert await room.rows(links) == [(made.record_id,)]


async def test_the_hub_refuses_what_a_store_has_just_brought(room: Room) -> None:
    store = await second(room)
    await take(store, PRODUCTS, tea("9", "TEA"))
    async with room.database.tenant(room.tenant_id) as connection:
        with pytest.raises(ConflictError):
            await make(connection, room, "TEA")
