from decimal import Decimal

import pytest

from domain.entities import Entity
from domain.errors import PermissionDeniedError
from domain.pushing import Outcome, Outgoing
from domain.statuses import ProductStatus
from providers._kit.protocols import WritesRecords
from tests.providers.woocommerce.goods import again, create, make, simple
from tests.providers.woocommerce.visits import product_of, visit


async def test_a_new_simple_product_says_all_we_know_and_reads_back_the_same() -> None:
    async with visit() as shop:
        assert isinstance(shop.client, WritesRecords)
        wanted = simple(description="Hart\n\nWeich")
        made = await make(shop, wanted)
        document = shop.document("products", made.external_id)
        pulled = await shop.read(Entity.PRODUCTS, made.external_id or "")

    got = product_of(made)
    assert (document["name"], document["slug"], document["status"]) == (
        "Löwe & Bär",
        "loewe",
        "publish",
    )
    assert (document["regular_price"], document["sale_price"], document["price"]) == (
        "10",
        "8.5",
        "8.5",
    )
    assert (document["sku"], document["global_unique_id"], document["weight"]) == (
        "HUB-1",
        "4006381333931",
        "1.5",
    )
    assert (document["manage_stock"], document["stock_quantity"], document["backorders"]) == (
        True,
        0,
        "yes",
    )
    assert (
        got.variants[0].model_copy(update={"external_id": "", "in_stock": True})
        == (wanted.variants[0])
    )
    assert got.extra["hub_ref"] == "products-1"
    assert "meta_data" not in got.extra
    # What a webhook or a pull says later is what was answered, paragraphs and all.
    assert pulled == made.pulled
    assert got.description == "<p>Hart</p>\n<p>Weich</p>\n"


async def test_only_what_changed_is_sent() -> None:
    async with visit() as shop:
        made = await make(shop, simple())
        got = product_of(made)
        shop.box.journal.clear()
        same = (await shop.push(Entity.PRODUCTS, again(made, got)))[0]
        assert (same.outcome, same.pulled and same.pulled.record) == (Outcome.DONE, got)
        assert shop.writes() == []
        # Somebody in the shop renames it; a new price of ours must not undo that.
        shop.box.shop.edit("products", int(made.external_id or 0), {"name": "In the shop"})
        variant = got.variants[0].model_copy(update={"price": Decimal(9)})
        priced = (
            await shop.push(
                Entity.PRODUCTS, again(made, got.model_copy(update={"variants": (variant,)}))
            )
        )[0]
        document = shop.document("products", made.external_id)

    assert priced.outcome is Outcome.DONE
    assert (document["name"], document["sale_price"]) == ("In the shop", "9")
    # The new name is the shop's change: the answer leaves it out, or nobody would notice it.
    assert product_of(priced).title == "Löwe & Bär"
    assert product_of(priced).variants[0].price == 9


async def test_what_waits_for_a_person_is_not_sent() -> None:
    async with visit() as shop:
        made = await make(shop, simple())
        got = product_of(made)
        variant = got.variants[0].model_copy(update={"price": Decimal(7), "sku": "HUB-2"})
        changed = got.model_copy(update={"title": "New", "slug": "new", "variants": (variant,)})
        held = frozenset(("title", f"variants.{made.external_id}.price"))
        item = Outgoing(made.key, made.external_id, changed, base=got, held=held)
        await shop.push(Entity.PRODUCTS, item)
        document = shop.document("products", made.external_id)

    assert (document["name"], document["slug"]) == ("Löwe & Bär", "new")
    assert (document["price"], document["sku"]) == ("8.5", "HUB-2")


async def test_a_sale_ends_and_a_planned_one_is_left_alone() -> None:
    async with visit() as shop:
        made = await make(shop, simple())
        got = product_of(made)
        full = got.variants[0].model_copy(update={"price": Decimal(10), "compare_at_price": None})
        over = (
            await shop.push(
                Entity.PRODUCTS, again(made, got.model_copy(update={"variants": (full,)}))
            )
        )[0]
        assert shop.document("products", made.external_id)["sale_price"] == ""
        dearer = full.model_copy(update={"price": Decimal(12)})
        body = product_of(over).model_copy(update={"variants": (dearer,)})
        await shop.push(Entity.PRODUCTS, again(over, body))
        assert shop.document("products", made.external_id)["regular_price"] == "12"


async def test_deleted_here_is_a_draft_there() -> None:
    async with visit() as shop:
        made = await make(shop, simple())
        gone = Outgoing(made.key, made.external_id, None, base=product_of(made))
        (told,) = await shop.push(Entity.PRODUCTS, gone)
        assert shop.document("products", made.external_id)["status"] == "draft"
        assert product_of(told).status is ProductStatus.DRAFT
        (never,) = await shop.push(Entity.PRODUCTS, Outgoing("products-9", None, None))
        assert never.outcome is Outcome.DONE


async def test_items_fail_one_by_one() -> None:
    async with visit() as shop:
        holder = shop.first("simple")
        taken = shop.document("products", holder)["sku"]
        dead = Outgoing("products-8", "999999", simple("X"), base=None)
        told = await shop.push(
            Entity.PRODUCTS,
            create(simple("A-1"), "products-1"),
            create(simple(taken), "products-2"),
            dead,
            create(simple("A-2"), "products-3"),
        )

    assert [one.key for one in told] == ["products-1", "products-2", "products-8", "products-3"]
    assert [one.outcome for one in told] == [
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.MISSING,
        Outcome.DONE,
    ]
    # It is looked up before the next try, so it may pass then.
    assert not told[1].is_permanent
    assert told[1].external_id is None
    assert str(holder) in told[1].reason


async def test_a_sku_held_by_the_trash_is_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    async with visit() as shop:
        holder = shop.first("simple")
        sku = shop.document("products", holder)["sku"]
        shop.box.shop.trash("products", holder)
        # The look-up table of a shop may still know SKUs of the trash: issue reports say so.
        row = shop.box.shop.tables["products"].rows[holder]
        monkeypatch.setattr(type(row), "hidden", property(lambda self: self.status == "auto-draft"))
        (told,) = await shop.push(Entity.PRODUCTS, create(simple(sku)))

    assert (told.outcome, told.is_permanent) == (Outcome.REFUSED, True)
    assert "trash" in told.reason


async def test_a_product_in_the_trash_is_missing() -> None:
    async with visit() as shop:
        number = shop.first("simple")
        pulled = await shop.read(Entity.PRODUCTS, number)
        shop.box.shop.trash("products", number)
        changed = pulled.record.model_copy(update={"title": "New"})
        item = Outgoing("products-1", str(number), changed, base=pulled.record)
        (told,) = await shop.push(Entity.PRODUCTS, item)

    assert told.outcome is Outcome.MISSING


async def test_a_read_key_says_that_it_may_not_write() -> None:
    async with visit(kind="read") as shop:
        with pytest.raises(PermissionDeniedError, match="Read/Write"):
            await shop.push(Entity.PRODUCTS, create(simple()))
