"""Fills the tables of a new shop with rows; bodies are rendered later, on first use."""

from collections.abc import Iterator

from sandbox.woocommerce import words
from sandbox.woocommerce.catalogue import FIRST_TERM
from sandbox.woocommerce.people import category_rows
from sandbox.woocommerce.refunds import refund_parts
from sandbox.woocommerce.sales import FIRST_CUSTOMER, GONE_CUSTOMER
from sandbox.woocommerce.seed import (
    HISTORY_START,
    ShopSeed,
    history,
    order_status,
    product_facts,
    role,
    scatter,
)
from sandbox.woocommerce.table import Row

FIRST_POST = 17
COUPONS = ("ten", "fiveoff", "gratis-versand")


def product_rows(seed: ShopSeed) -> tuple[list[Row], list[Row], list[int], int]:
    """(products, variations, product id by index, next free post id)."""
    products: list[Row] = []
    variations: list[Row] = []
    ids: list[int] = []
    next_id = FIRST_POST
    for index in range(seed.products):
        facts = product_facts(seed.seed, index)
        # Attachments and revisions take ids too, so the sequence has gaps.
        next_id += index % 7 == 3
        created, modified = history(facts.bits)
        product = Row(
            next_id,
            created,
            modified,
            facts.status,
            facts.kind,
            sku=facts.sku,
            name=facts.name,
            index=index,
        )
        products.append(product)
        ids.append(next_id)
        variations += [_variation(product, next_id + 1 + n, n) for n in range(facts.variations)]
        next_id += 1 + facts.variations
    return products, variations, ids, next_id


def _variation(parent: Row, record_id: int, ordinal: int) -> Row:
    status = "private" if ordinal == 1 and parent.index % 40 == 3 else "publish"
    if parent.status == "trash":
        status = "trash"
    sku = f"{parent.sku}-{ordinal + 1}" if parent.sku else ""
    return Row(
        record_id,
        parent.created,
        max(parent.created, parent.modified - ordinal),
        status,
        "variation",
        parent=parent.id,
        sku=sku,
        index=parent.index,
    )


def order_rows(seed: ShopSeed, first_id: int) -> tuple[list[Row], list[Row], int]:
    """(orders, refunds, next free post id)."""
    orders: list[Row] = []
    refunds: list[Row] = []
    next_id = first_id
    for index in range(seed.orders):
        bits = scatter(seed.seed, 6, index)
        created, modified = history(bits)
        customer = _customer_of(seed, index, bits)
        orders.append(
            Row(
                next_id,
                created,
                modified,
                order_status(index),
                "shop_order",
                customer=customer,
                index=index,
            )
        )
        parts = refund_parts(next_id, index, 0)
        refunds += [Row(part, modified, modified, parent=next_id, index=index) for part, _ in parts]
        next_id += 1 + len(parts)
    return orders, refunds, next_id


def _customer_of(seed: ShopSeed, index: int, bits: int) -> int:
    if index % 4 == 3 or seed.customer_count < 2:
        return 0
    if index % 30 == 9:
        return GONE_CUSTOMER + index
    return FIRST_CUSTOMER + (bits >> 7) % (seed.customer_count - 1)


def customer_rows(seed: ShopSeed) -> Iterator[Row]:
    """Users, the administrator first."""
    for index in range(seed.customer_count):
        created, modified = history(scatter(seed.seed, 7, index))
        name = "admin" if index == 0 else f"customer{index}"
        yield Row(1 + index, created, modified, kind=role(index), name=name, index=index)


def term_rows(seed: ShopSeed) -> tuple[list[Row], list[Row], list[Row]]:
    """(categories, tags, attributes)."""
    start = HISTORY_START
    first = FIRST_TERM + seed.categories
    tags = [Row(first + n, start, start, name=tag, index=n) for n, tag in enumerate(words.TAGS)]
    names = ("Color", "Size")
    attributes = [Row(1 + n, start, start, name=name, index=n) for n, name in enumerate(names)]
    return category_rows(seed), tags, attributes


def coupon_rows(first_id: int) -> list[Row]:
    """Three coupons."""
    return [
        Row(first_id + n, HISTORY_START + n, HISTORY_START + n, name=code, index=n)
        for n, code in enumerate(COUPONS)
    ]


def tax_rows() -> list[Row]:
    """Three tax rates."""
    names = ("MwSt.", "MwSt. ermäßigt", "TVA")
    return [
        Row(1 + n, HISTORY_START, HISTORY_START, name=name, index=n) for n, name in enumerate(names)
    ]
