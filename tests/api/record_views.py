"""The bodies of records, made in Python: what those that PostgreSQL writes are compared with."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.catalogue import CategoryAnswer, ProductAnswer
from api.schemas.sales import CustomerAnswer, OrderAnswer
from domain.entities import Entity
from domain.money import format_amount
from tests.api.record_rows import (
    ExternalReference,
    Row,
    load_lines,
    load_references,
    load_suppliers,
    load_variants,
)

References = Mapping[int, Sequence[ExternalReference]]

_ORDER_AMOUNTS = (
    *("subtotal", "discount_total", "shipping_total", "tax_total", "total", "refunded_total"),
)
_LINE_AMOUNTS = ("unit_price", "subtotal", "discount", "tax", "total")
_CHARGE_AMOUNTS = ("total", "tax")


async def category_views(connection: AsyncConnection, rows: Sequence[Row]) -> list[CategoryAnswer]:
    """Categories with their references: one statement."""
    references = await load_references(connection, Entity.CATEGORIES, _ids(rows))
    return [CategoryAnswer.model_validate(_record(row, references)) for row in rows]


async def customer_views(connection: AsyncConnection, rows: Sequence[Row]) -> list[CustomerAnswer]:
    """Customers with their references: one statement."""
    references = await load_references(connection, Entity.CUSTOMERS, _ids(rows))
    return [CustomerAnswer.model_validate(_record(row, references)) for row in rows]


async def product_views(connection: AsyncConnection, rows: Sequence[Row]) -> list[ProductAnswer]:
    """Products with their variants, stock, references and suppliers: five statements."""
    references = await load_references(connection, Entity.PRODUCTS, _ids(rows))
    suppliers = await load_suppliers(connection, _ids(rows))
    variants = await load_variants(connection, _ids(rows))
    variant_ids = [variant["id"] for group in variants.values() for variant in group]
    variant_references = await load_references(connection, Entity.VARIANTS, variant_ids)
    return [
        ProductAnswer.model_validate(
            {
                **_record(row, references),
                "supplier": suppliers.get(row["id"]),
                "variants": [
                    _variant(variant, variant_references) for variant in variants.get(row["id"], ())
                ],
            }
        )
        for row in rows
    ]


async def order_views(connection: AsyncConnection, rows: Sequence[Row]) -> list[OrderAnswer]:
    """Orders with their lines and references: two statements."""
    references = await load_references(connection, Entity.ORDERS, _ids(rows))
    lines = await load_lines(connection, _ids(rows))
    return [
        OrderAnswer.model_validate(
            {
                **_priced(_record(row, references), _ORDER_AMOUNTS, row["currency"]),
                "lines": [
                    _priced(line, _LINE_AMOUNTS, row["currency"])
                    for line in lines.get(row["id"], ())
                ],
                "charges": [
                    _priced({"total": 0, "tax": 0, **charge}, _CHARGE_AMOUNTS, row["currency"])
                    for charge in row["charges"]
                ],
                "refunds": [
                    _priced(refund, ("amount",), row["currency"]) for refund in row["refunds"]
                ],
            }
        )
        for row in rows
    ]


def _ids(rows: Sequence[Row]) -> list[int]:
    return [row["id"] for row in rows]


def _record(row: Row, references: References) -> dict[str, Any]:
    return {**row, "external_references": references.get(row["id"], ())}


def _variant(row: Row, references: References) -> dict[str, Any]:
    return _priced(_record(row, references), ("price", "compare_at_price"), row["currency"])


def _priced(row: Row, amounts: Sequence[str], currency: str) -> dict[str, Any]:
    told = {
        name: None if row[name] is None else format_amount(Decimal(row[name]), currency)
        for name in amounts
    }
    return {**row, **told}
