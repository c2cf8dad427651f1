import json
from typing import Any

import pytest

from domain.deliveries import Gone, Hint, Ignored, Told
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.records import Customer, Order, Product
from tests.providers.woocommerce.received import (
    GONE_ERROR,
    RIGHTS_ERROR,
    WEBHOOKS,
    captured,
    delivery,
    read,
)
from tests.providers.woocommerce.shops import golden, product


def test_captured_orders_are_told_whole() -> None:
    for name, number in (
        ("order.created", "620"),
        ("order.updated", "620"),
        ("same_delivery_id_77", "622"),
    ):
        told = read(captured(name))
        assert isinstance(told, Told)
        assert isinstance(told.pulled.record, Order)
        assert (told.entity, told.pulled.external_id) == (Entity.ORDERS, number)
        assert told.pulled.record.raw_status == "processing"
        assert told.pulled.record.lines
        assert told.pulled.version is not None


def test_a_captured_simple_product_is_told_with_its_level() -> None:
    told = read(captured("product.updated"))

    assert isinstance(told, Told)
    assert isinstance(told.pulled.record, Product)
    assert told.pulled.record.variants[0].sku == "SKU-00017"
    assert [level.available for level in told.pulled.levels] == [23]


def test_a_captured_customer_is_told() -> None:
    told = read(captured("customer.created"))

    assert isinstance(told, Told)
    assert isinstance(told.pulled.record, Customer)
    assert told.pulled.record.email == "cap1795222498@example.test"


def test_captured_deletions_are_hints_and_coupons_are_nothing() -> None:
    assert read(captured("order.deleted")) == Hint(Entity.ORDERS, "620")
    assert read(captured("product.deleted")) == Hint(Entity.PRODUCTS, "201")
    coupon = read(captured("coupon.created"))
    assert isinstance(coupon, Ignored)
    assert not coupon.is_warning


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (GONE_ERROR, "gone before the shop told of it"),
        (RIGHTS_ERROR, "lacks the right"),
        ({"code": "rest_forbidden", "message": "<b>no</b>"}, "lacks the right"),
        ({"code": "internal_server_error", "message": "x"}, "internal_server_error"),
        ({"code": "a b <script>"}, "names no record"),
        ({"id": 0}, "names no record"),
        ({"id": "12"}, "names no record"),
        ({"id": True, "code": ""}, "names no record"),
        ([1], "not a JSON object"),
        ("x", "not a JSON object"),
    ],
)
def test_a_body_that_is_no_record_is_ignored_with_its_cause(body: object, says: str) -> None:
    meaning = read(delivery(body, header="order.updated"))

    assert isinstance(meaning, Ignored)
    assert meaning.is_warning
    assert says in meaning.reason
    assert "<" not in meaning.reason


def test_a_plugins_shortened_body_is_a_hint() -> None:
    body = {
        "topic": "product.updated",
        "data": {"id": 123, "name": "Product Name", "price": "29.99", "stock_quantity": 10},
    }

    assert read(delivery(body, route="event")) == Hint(Entity.PRODUCTS, "123")


def test_a_plugins_whole_body_is_told() -> None:
    told = read(delivery({"topic": "product.updated", "data": product(9)}, route="event"))

    assert isinstance(told, Told)
    assert told.pulled.external_id == "9"


def test_a_body_under_another_topic_is_never_taken_for_that_record() -> None:
    order = json.loads(captured("order.created").body)

    assert read(delivery(order, header="product.updated")) == Hint(Entity.PRODUCTS, "620")
    assert read(delivery(order, header="customer.updated")) == Hint(Entity.CUSTOMERS, "620")
    assert read(delivery(product(9), header="order.updated")) == Hint(Entity.ORDERS, "9")


def test_variable_products_and_variations_are_hints_on_the_product() -> None:
    variable = golden("products_variable")[0]
    variation = {**golden("variations")[0], "parent_id": variable["id"], "type": "variation"}
    hint = Hint(Entity.PRODUCTS, str(variable["id"]))

    assert read(delivery(variable, header="product.updated")) == hint
    assert read(delivery(variation, header="product.updated")) == hint
    notice = WEBHOOKS.describe(delivery(variation, header="product.updated"))
    assert notice.external_id == str(variable["id"])


def test_a_variation_without_a_product_is_ignored() -> None:
    meaning = read(delivery({"id": 5, "type": "variation"}, header="product.created"))

    assert isinstance(meaning, Ignored)
    assert meaning.is_warning


@pytest.mark.parametrize("fields", [{"status": "trash"}, {"slug": "lamp__trashed"}])
def test_a_trashed_product_is_gone(fields: dict[str, Any]) -> None:
    meaning = read(delivery(product(9, **fields), header="product.created"))

    assert isinstance(meaning, Gone)
    assert meaning.external_id == "9"
    assert meaning.version is not None


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_an_order_still_being_written_is_ignored_silently(status: str) -> None:
    order = {**json.loads(captured("order.created").body), "status": status}

    meaning = read(delivery(order, header="order.updated"))

    assert isinstance(meaning, Ignored)
    assert not meaning.is_warning


def test_a_restored_order_is_told_and_a_bare_id_is_a_hint() -> None:
    order = json.loads(captured("order.created").body)

    assert isinstance(read(delivery(order, header="order.restored")), Told)
    assert read(delivery({"id": 620}, header="order.restored")) == Hint(Entity.ORDERS, "620")


def test_a_whole_record_that_cannot_be_understood_says_why() -> None:
    order = {**json.loads(captured("order.created").body), "total": "a lot"}

    with pytest.raises(InvalidRecordError, match="total"):
        read(delivery(order, header="order.updated"))
