import httpx

from domain.entities import Entity
from domain.pushing import Wanted
from tests.providers.easyorder.pushes import NEW, push
from tests.providers.easyorder.stores import faked, visiting
from tests.providers.fake_store import json_answer


async def test_record_is_found_by_our_key_its_sku_and_its_slug() -> None:
    async with visiting() as visit:
        client, row = visit.client(), visit.simple()
        ours = await push(client, Entity.PRODUCTS, record=NEW)
        category = visit.rows("categories")[0]

        found = await client.find(
            [
                Wanted("products-1", Entity.PRODUCTS),
                Wanted("products-2", Entity.PRODUCTS, skus=(row["sku"],)),
                Wanted("products-3", Entity.PRODUCTS, slug=row["slug"]),
                Wanted("products-4", Entity.PRODUCTS, skus=("OTHER",), slug=row["slug"]),
                Wanted("products-5", Entity.PRODUCTS, skus=("NOT-THERE",)),
            ]
        )
        categories = await client.find(
            [
                Wanted("categories-1", Entity.CATEGORIES, slug=category["slug"]),
                Wanted(
                    "categories-2",
                    Entity.CATEGORIES,
                    slug=category["slug"],
                    parent_external_id="another",
                ),
            ]
        )

        assert {key: one.external_id for key, one in found.items()} == {
            "products-1": ours.external_id,
            "products-2": row["id"],
            "products-3": row["id"],
        }
        assert {key: one.external_id for key, one in categories.items()} == {
            "categories-1": category["id"]
        }


async def test_store_that_ignores_filters_gives_no_wrong_match() -> None:
    async with visiting() as visit:
        rows = visit.rows("products")

        def answering(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rpartition("/")[2]
            one = visit.store.tables["products"].get(name)
            return json_answer(one or rows)

        client, _ = faked(answering)

        assert await client.find([Wanted("products-9", Entity.PRODUCTS, skus=("NO",))]) == {}
