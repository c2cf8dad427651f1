from datetime import UTC, datetime

import pytest

from domain.entities import Entity
from domain.errors import StoreUnreachableError
from domain.pushing import Wanted
from sandbox.faults import Rule
from tests.providers.woocommerce.goods import create, make, simple, variable
from tests.providers.woocommerce.visits import visit


async def test_a_create_without_an_answer_is_found_by_sku_or_by_our_key() -> None:
    async with visit() as shop:
        # The shop does the work, then the connection breaks.
        shop.box.faults.rules.append(Rule.read({"kind": "drop", "method": "POST", "count": 2}))
        before = datetime.now(UTC)
        named = simple("HUB-1")
        bare = simple("")
        for key, record in (("products-1", named), ("products-2", bare)):
            with pytest.raises(StoreUnreachableError):
                await shop.push(Entity.PRODUCTS, create(record, key))
        found = await shop.client.find(
            [
                Wanted("products-1", Entity.PRODUCTS, skus=("HUB-1",), since=before),
                Wanted("products-2", Entity.PRODUCTS, since=before),
                Wanted("products-3", Entity.PRODUCTS, skus=("NONE",), since=before),
            ]
        )
        live = shop.box.shop.tables["products"]
        newest = sorted(live.ids())[-2:]

    assert set(found) == {"products-1", "products-2"}
    assert sorted(int(one.external_id) for one in found.values()) == newest


async def test_our_key_is_found_behind_a_page_of_newer_products() -> None:
    async with visit() as shop:
        made = await make(shop, simple(""))
        began = datetime.now(UTC)
        for n in range(105):
            shop.box.shop.create("products", {"name": f"Later {n}"})
        wanted = Wanted("products-1", Entity.PRODUCTS)
        assert await shop.client.find([wanted]) == {}
        tried = Wanted("products-1", Entity.PRODUCTS, since=began)
        assert (await shop.client.find([tried]))["products-1"].external_id == made.external_id


async def test_a_variable_product_is_found_by_the_skus_of_its_variations() -> None:
    async with visit() as shop:
        made = await make(shop, variable("Rot", "Blau"))
        other = shop.document("products", shop.first("simple"))["sku"]
        found = await shop.client.find(
            [
                Wanted("products-7", Entity.PRODUCTS, skus=("VAR-Rot", "VAR-Blau")),
                # SKUs of two products are no sign.
                Wanted("products-8", Entity.PRODUCTS, skus=("VAR-Rot", other)),
                Wanted("products-9", Entity.PRODUCTS, skus=("with,comma",)),
            ]
        )

    assert {key: one.external_id for key, one in found.items()} == {"products-7": made.external_id}


async def test_a_copy_made_in_the_shop_is_not_taken_for_the_original() -> None:
    async with visit() as shop:
        made = await make(shop, simple(""))
        meta = [{"key": "_hub_ref", "value": "products-1"}]
        shop.box.shop.create("products", {"name": "Copy", "meta_data": meta})
        found = await shop.client.find([Wanted("products-1", Entity.PRODUCTS)])

    assert found["products-1"].external_id == made.external_id
