from domain.entities import Entity
from domain.pushing import Outcome, Outgoing
from domain.records import Category, Image
from tests.providers.woocommerce.goods import again, create, make, simple
from tests.providers.woocommerce.visits import product_of, visit


async def test_pictures_are_fetched_once_and_known_again() -> None:
    async with visit() as shop:
        first = Image(src="https://other.example/a/lamp.jpg", alt="Lamp")
        made = await make(shop, simple(images=(first,)))
        got = product_of(made)
        assert [(one.src, one.alt) for one in got.images] == [(first.src, "Lamp")]
        kept = shop.document("products", made.external_id)["images"]
        assert kept[0]["src"].startswith(shop.ready.url)
        # A second picture, before the first one: the first is not fetched again.
        second = Image(src="https://other.example/b/lamp.jpg")
        changed = got.model_copy(update={"images": (second, first)})
        (told,) = await shop.push(Entity.PRODUCTS, again(made, changed))
        rows = shop.document("products", made.external_id)["images"]
        assert [row["id"] for row in rows][1] == kept[0]["id"]
        assert [one.src for one in product_of(told).images] == [second.src, first.src]
        assert len(shop.box.shop.attachments) == 2
        # Meta data is changed in place, never doubled.
        keys = [m["key"] for m in shop.document("products", made.external_id)["meta_data"]]
        assert sorted(keys) == ["_hub_images", "_hub_ref"]
        (same,) = await shop.push(Entity.PRODUCTS, again(told, product_of(told)))
        assert same.outcome is Outcome.DONE
        assert len(shop.box.shop.attachments) == 2


async def test_a_picture_that_cannot_be_fetched_is_tried_again() -> None:
    async with visit() as shop:
        lost = Image(src="https://gone.invalid/lamp.jpg")
        (told,) = await shop.push(Entity.PRODUCTS, create(simple(images=(lost,))))

    assert (told.outcome, told.is_permanent) == (Outcome.REFUSED, False)
    assert "image_upload_error" in told.reason


async def test_many_products_go_in_batches_with_few_pictures_each() -> None:
    async with visit() as shop:
        image = Image(src="https://other.example/a.jpg")
        items = [create(simple(f"S-{n}"), f"products-{n}") for n in range(13)]
        items += [
            create(simple(f"P-{n}", images=(image,)), f"products-{100 + n}") for n in range(12)
        ]
        told = await shop.push(Entity.PRODUCTS, *items)
        assert {one.outcome for one in told} == {Outcome.DONE}
        assert [one.key for one in told] == [one.key for one in items]
        # 13 without pictures, 10 and 2 with, and once more to note where the pictures came from.
        assert shop.writes() == ["products/batch"] * 4


async def test_tags_are_made_once_and_known_by_name() -> None:
    async with visit() as shop:
        before = len(shop.box.shop.tables["tags"])
        made = await make(shop, simple(tags=("Neu & gut", "sale")))
        assert sorted(product_of(made).tags) == ["Neu & gut", "sale"]
        await make(shop, simple("B", tags=("Neu & gut",)), "products-2")
        names = [row.name for row in shop.box.shop.tables["tags"].rows.values()]
        assert names.count("Neu & gut") == 1
        assert len(names) - before <= 2


async def test_a_grouped_product_is_unsupported_and_an_external_one_is_not() -> None:
    async with visit() as shop:
        (told,) = await shop.push(Entity.PRODUCTS, create(simple(kind="grouped")))
        assert told.outcome is Outcome.UNSUPPORTED
        assert told.reason
        link = {"external_url": "https://other.example/x", "button_text": "There"}
        made = await make(shop, simple("E", kind="external", extra=link))
        document = shop.document("products", made.external_id)
        assert (document["type"], document["external_url"]) == ("external", link["external_url"])


async def test_categories_go_with_their_product() -> None:
    async with visit() as shop:
        (parent,) = await shop.push(
            Entity.CATEGORIES, Outgoing("categories-1", None, Category(name="Möbel"))
        )
        made = await make(shop, simple(category_external_ids=(parent.external_id or "",)))
        assert product_of(made).category_external_ids == (parent.external_id,)
        emptied = await shop.change(
            Entity.PRODUCTS, made.external_id or "", category_external_ids=()
        )
        assert product_of(emptied).category_external_ids == ()
