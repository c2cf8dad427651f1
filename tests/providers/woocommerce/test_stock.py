from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import PermissionDeniedError
from domain.pushing import Outcome, StockTarget
from providers._kit.protocols import WritesStock
from tests.providers.woocommerce.visits import Visit, visit


def target(variant: int, product: int, available: Any = 5) -> StockTarget:
    return StockTarget(str(variant), str(product), "", Decimal(available))


def a_variation(shop: Visit, manages: object) -> tuple[int, int]:
    """A variation and its product, by how its stock is managed."""
    table = shop.box.shop.tables["variations"]
    for row in table.rows.values():
        if table.document(row)["manage_stock"] == manages and not row.hidden:
            return row.id, row.parent
    raise AssertionError(f"no variation with manage_stock {manages}")


async def test_products_and_variations_are_set_and_read_back() -> None:
    async with visit() as shop:
        assert isinstance(shop.client, WritesStock)
        simple = shop.first("simple", manage_stock=True)
        variation, parent = a_variation(shop, True)
        targets = [target(simple, simple, 7), target(variation, parent, "3.9")]
        before = await shop.client.read_stock(targets)
        told = await shop.client.push_stock(targets)
        after = await shop.client.read_stock(targets)
        shown = shop.document("variations", variation)["stock_quantity"]

    assert [one.outcome for one in told] == [Outcome.DONE, Outcome.DONE]
    assert [one.before for one in told] == [one.available for one in before.values()]
    # WooCommerce counts whole pieces.
    assert [one.after for one in told] == [7, 3]
    numbers = {key: one.available for key, one in after.items()}
    assert numbers == {str(simple): Decimal(7), str(variation): Decimal(3)}
    # The write moves the date, and its answer has the new one.
    dates = [one.version for one in after.values()]
    assert [one.version for one in told] == dates
    assert all(
        one.version and date and one.version < date
        for one, date in zip(before.values(), dates, strict=True)
    )
    assert shown == 3


async def test_the_products_own_number_is_written_for_variations_that_share_it() -> None:
    async with visit() as shop:
        product = shop.first("variable")
        children = shop.document("products", product)["variations"][:2]
        shop.box.shop.edit("products", product, {"manage_stock": True, "stock_quantity": 9})
        for child in children:
            shop.box.shop.edit("variations", child, {"manage_stock": False})
            assert shop.document("variations", child)["manage_stock"] == "parent"
        targets = [target(children[0], product, 6), target(children[1], product, 4)]
        seen = list((await shop.client.read_stock(targets)).values())
        assert [one.available for one in seen] == [9, 9]
        # Dated as what was saved last: the product that counts, or the variation.
        held = shop.document("products", product)
        for child, one in zip(children, seen, strict=True):
            saved = [held, shop.document("variations", child)]
            date = max(row["date_modified_gmt"] for row in saved)
            assert one.version == datetime.fromisoformat(date + "+00:00")
        told = await shop.client.push_stock(targets)
        parent = shop.document("products", product)["stock_quantity"]
        child = shop.document("variations", children[0])["stock_quantity"]

    # Rather too few are offered than too many.
    assert [(one.before, one.after) for one in told] == [(Decimal(9), Decimal(4))] * 2
    assert (parent, child) == (4, 4)
    assert told[0].details == {"counted_by": str(product)}


async def test_what_is_not_counted_is_unsupported_and_what_is_gone_is_missing() -> None:
    async with visit() as shop:
        uncounted = shop.first("simple", manage_stock=False)
        counted = shop.first("simple", manage_stock=True)
        variable = shop.first("variable")
        targets = [
            target(uncounted, uncounted),
            target(999_999, 999_999),
            target(counted, counted, 2),
            target(888_888, variable),
            target(777_777, 999_998),
        ]
        seen = await shop.client.read_stock(targets)
        told = await shop.client.push_stock(targets)

    assert seen.keys() == {str(uncounted), str(counted)}
    assert seen[str(uncounted)].available is None
    assert [one.outcome for one in told] == [
        Outcome.UNSUPPORTED,
        Outcome.MISSING,
        Outcome.DONE,
        Outcome.MISSING,
        Outcome.MISSING,
    ]
    assert "stock management is off" in told[0].reason
    assert told[0].after is None


async def test_a_number_below_zero_is_written_as_it_is() -> None:
    async with visit() as shop:
        simple = shop.first("simple", manage_stock=True)
        (told,) = await shop.client.push_stock([target(simple, simple, -2)])
        shown = shop.document("products", simple)

    assert told.after == -2
    assert shown["stock_quantity"] == -2


async def test_a_read_key_may_look_but_not_write() -> None:
    async with visit(kind="read") as shop:
        simple = shop.first("simple", manage_stock=True)
        assert await shop.client.read_stock([target(simple, simple)])
        with pytest.raises(PermissionDeniedError, match="Read/Write"):
            await shop.client.push_stock([target(simple, simple)])


async def test_nothing_to_do_asks_nothing() -> None:
    async with visit() as shop:
        assert await shop.client.read_stock([]) == {}
        assert await shop.client.push_stock([]) == []
        assert shop.box.journal.log() == []
