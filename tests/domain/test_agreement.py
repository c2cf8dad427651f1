from decimal import Decimal
from typing import Any

from domain.agreement import foreign_prices, says_same
from domain.entities import Entity
from domain.records import Product, Variant
from domain.statuses import ProductStatus

PRODUCTS = Entity.PRODUCTS


def tea(price: str = "10", key: str = "1", **changes: Any) -> Product:
    values = {
        "title": "Tea",
        "status": ProductStatus.ACTIVE,
        "currency": "EUR",
        "variants": (Variant(external_id=key, price=Decimal(price)),),
    }
    return Product.model_validate(values | changes)


def test_a_store_that_has_it_needs_not_be_told() -> None:
    assert says_same(PRODUCTS, tea(), tea(raw_status="publish", extra={"theirs": 1}))
    assert not says_same(PRODUCTS, tea(title="Green tea"), tea())


def test_a_variant_the_store_does_not_have_is_news() -> None:
    assert not says_same(PRODUCTS, tea(key=""), tea())
    assert not says_same(PRODUCTS, tea(), tea(variants=()))


def test_what_waits_for_a_person_is_no_news() -> None:
    changed = tea("12", title="Green tea")
    assert not says_same(PRODUCTS, changed, tea(), held=["title"])
    assert says_same(PRODUCTS, changed, tea(), held=["title", "variants.1.price"])
    assert says_same(PRODUCTS, changed, tea(), held=["title", "variants.1"])


def test_prices_of_another_currency_are_told_to_nobody() -> None:
    dollars = tea("12", currency="USD")
    assert foreign_prices(tea(), dollars) == {"variants.1.price", "variants.1.compare_at_price"}
    assert foreign_prices(tea(), tea()) == frozenset()
    assert says_same(PRODUCTS, tea(), dollars)
