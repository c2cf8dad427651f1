from decimal import Decimal
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.pages import Page, Rejected
from domain.records import Order, Product, Record, snapshot
from domain.statuses import OrderStatus, ProductStatus
from tests.providers.fake_store import json_answer
from tests.providers.woocommerce.shops import client, golden, order, product, route


async def _read(entity: Entity, *rows: Any, variations: Any = ()) -> Page[Record]:
    def answer(request: httpx.Request) -> httpx.Response:
        wanted = list(variations) if "variations" in route(request) else list(rows)
        return json_answer(wanted, total=len(wanted), pages=1)

    reader, _ = client(answer, flat_variations=True)
    return await reader.fetch_page(entity, 1)


async def _read_order(**fields: Any) -> Order:
    page = await _read(Entity.ORDERS, order(1, **fields))
    record = page.records[0].record
    assert isinstance(record, Order)
    return record


async def _read_product(**fields: Any) -> Product:
    page = await _read(Entity.PRODUCTS, product(1, **fields))
    record = page.records[0].record
    assert isinstance(record, Product)
    return record


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**product(7), "id": None}, Rejected(None, 1, "id: Field required")),
        ({**product(7), "id": 0}, Rejected(None, 1, "id: Input should be greater than 0")),
        (
            {key: value for key, value in product(7).items() if key != "id"},
            Rejected(None, 1, "id: Field required"),
        ),
        (product(7, price="free"), Rejected("7", 1, "price: not an amount of money")),
        (product(7, price=[1]), Rejected("7", 1, "price: Input should be a valid string")),
        (
            product(7, regular_price="9" * 20),
            Rejected("7", 1, "regular_price: not an amount of money"),
        ),
        (
            product(7, categories=[{"name": "x"}]),
            Rejected("7", 1, "categories.0.id: Field required"),
        ),
        (
            product(7, date_created_gmt="soon"),
            Rejected("7", 1, "date_created_gmt is not a time: 'soon'"),
        ),
        ("text", Rejected(None, 1, "row: Input should be a valid dictionary")),
        (None, Rejected(None, 1, "row: Input should be a valid dictionary")),
    ],
)
async def test_bad_row_is_set_aside_and_the_others_go_on(row: Any, reason: Rejected) -> None:
    page = await _read(Entity.PRODUCTS, product(1), row, product(2))

    assert [pulled.external_id for pulled in page.records] == ["1", "2"]
    assert page.rejected == (reason,)
    assert page.size == 3


async def test_bad_variation_sets_its_product_aside() -> None:
    bad = {**golden("variations")[0], "id": 31, "price": "x"}
    page = await _read(
        Entity.PRODUCTS,
        product(1),
        product(3, type="variable", variations=[31]),
        variations=[bad],
    )

    assert [pulled.external_id for pulled in page.records] == ["1"]
    assert page.rejected == (Rejected("3", 1, "variation 31: price: not an amount of money"),)


async def test_order_without_a_total_is_set_aside() -> None:
    page = await _read(Entity.ORDERS, order(1, total=""), order(2))

    assert page.rejected == (Rejected("1", 0, "total: Field required"),)
    assert [pulled.external_id for pulled in page.records] == ["2"]


@pytest.mark.parametrize("empty", [None, "", False, [], {}])
async def test_what_php_writes_for_nothing_is_nothing(empty: Any) -> None:
    plain = await _read_product(
        tags=[], images=[], description="", stock_quantity=None, manage_stock=False, price=""
    )
    odd = await _read_product(
        tags=empty,
        images=empty,
        description=empty,
        stock_quantity=empty,
        manage_stock=empty,
        price=empty,
    )

    assert odd == plain


async def test_numbers_and_objects_where_text_and_lists_are_due() -> None:
    found = await _read_order(
        number=12,
        total=24.5,
        shipping_total="4.900000",
        transaction_id=7,
        refunds={"0": {"id": 5, "reason": None, "total": -3.1}},
        billing=[],
    )
    plain = await _read_order(
        number="12",
        total="24.5",
        shipping_total="4.9",
        transaction_id="7",
        refunds=[{"id": 5, "reason": "", "total": "-3.10"}],
        billing={},
    )

    assert snapshot(found) == snapshot(plain)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("pending", OrderStatus.PENDING),
        ("processing", OrderStatus.PROCESSING),
        ("on-hold", OrderStatus.ON_HOLD),
        ("completed", OrderStatus.COMPLETED),
        ("cancelled", OrderStatus.CANCELLED),
        ("refunded", OrderStatus.REFUNDED),
        ("failed", OrderStatus.FAILED),
        ("awaiting-shipment", OrderStatus.PROCESSING),
    ],
)
async def test_order_statuses(raw: str, status: OrderStatus) -> None:
    found = await _read_order(status=raw)

    assert (found.status, found.raw_status) == (status, raw)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("publish", ProductStatus.ACTIVE),
        ("draft", ProductStatus.DRAFT),
        ("pending", ProductStatus.DRAFT),
        ("future", ProductStatus.DRAFT),
        ("private", ProductStatus.HIDDEN),
        ("archived", ProductStatus.UNKNOWN),
    ],
)
async def test_product_statuses(raw: str, status: ProductStatus) -> None:
    found = await _read_product(status=raw)

    assert (found.status, found.raw_status) == (status, raw)


async def test_drafts_are_skipped_and_trash_is_gone() -> None:
    orders = await _read(
        Entity.ORDERS,
        order(1, status="checkout-draft"),
        order(2, status="auto-draft"),
        order(3, status="trash"),
    )
    products = await _read(
        Entity.PRODUCTS, product(4, status="trash"), product(5, status="auto-draft")
    )

    assert (orders.records, orders.skipped, orders.tombstones) == ((), ("1", "2"), ("3",))
    assert (products.records, products.skipped, products.tombstones) == ((), ("5",), ("4",))


async def test_guest_order_has_no_customer() -> None:
    assert (await _read_order(customer_id=0)).customer_external_id is None
    assert (await _read_order(customer_id=12)).customer_external_id == "12"


async def test_line_of_a_deleted_product_keeps_its_words() -> None:
    line = {**golden("orders")[0]["line_items"][0], "product_id": 0, "variation_id": 0}

    found = (await _read_order(line_items=[line])).lines[0]

    assert (found.product_external_id, found.variant_external_id) == (None, None)
    assert (found.title, found.sku) == (line["name"], line["sku"])


async def test_variation_of_parents_stock_shows_the_parents_quantity() -> None:
    variation = {**golden("variations")[0], "id": 31, "manage_stock": "parent"}
    variation["date_modified_gmt"] = "2020-01-01T00:00:00"
    page = await _read(
        Entity.PRODUCTS,
        product(3, type="variable", variations=[31], manage_stock=True, stock_quantity=9),
        variations=[{**variation, "stock_quantity": 8}],
    )

    [pulled] = page.records
    [level] = pulled.levels
    # The number is the product's, and so is its date, which is the newer one.
    assert (level.variant_external_id, level.available) == ("31", Decimal(9))
    assert level.version == pulled.version
    assert isinstance(pulled.record, Product)
    assert pulled.record.variants[0].tracks_stock is True
    assert pulled.record.variants[0].extra == {"manage_stock": "parent"}


async def test_same_content_in_another_order_is_the_same_record() -> None:
    row = product(1, plugin_b=2, plugin_a=[1], categories=[{"id": 9}, {"id": 10}])
    turned = dict(reversed(row.items()))
    turned["categories"] = [{"id": 10}, {"id": 9}]

    first = await _read(Entity.PRODUCTS, row)
    second = await _read(Entity.PRODUCTS, turned)

    assert snapshot(first.records[0].record) == snapshot(second.records[0].record)


async def test_volatile_fields_do_not_make_another_record() -> None:
    before = await _read_product()
    after = await _read_product(
        total_sales=99,
        rating_count=3,
        average_rating="4.00",
        price_html="<b>new</b>",
        related_ids=[1],
        _links={"self": []},
        stock_quantity=1,
    )

    assert snapshot(before) == snapshot(after)


async def test_order_key_and_payment_address_are_not_kept() -> None:
    kept = snapshot(await _read_order()).decode()

    assert "wc_order_" not in kept
    assert "order-pay" not in kept


async def test_fields_of_plugins_are_kept() -> None:
    found = await _read_product(yoast_head="<title>x</title>", empty_plugin="", brands=[{"id": 1}])

    assert found.extra["yoast_head"] == "<title>x</title>"
    assert found.extra["brands"] == [{"id": 1}]
    assert "empty_plugin" not in found.extra
