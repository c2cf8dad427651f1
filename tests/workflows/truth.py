"""What a hub must hold of a shop, read from the shop's own documents, and what it does hold."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.entities import Entity
from sandbox.woocommerce.shop import Shop
from tests.workflows.scene import Scene

Facts = tuple[Any, ...]

_ENTITY = re.compile(r"&(?:#\w+|\w+);")


@dataclass(frozen=True)
class Verdict:
    """How a hub differs from the shop, in external ids."""

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()


def judge(expected: Mapping[str, Facts], held: Iterable[tuple[str | None, Facts]]) -> Verdict:
    """Compare what should be there with what is there, record by record and field by field."""
    rows = [(key or "(no link)", facts) for key, facts in held]
    counts = Counter(key for key, _ in rows)
    return Verdict(
        missing=tuple(sorted(expected.keys() - counts.keys())),
        extra=tuple(sorted(counts.keys() - expected.keys())),
        stale=tuple(
            sorted({key for key, facts in rows if key in expected and expected[key] != facts})
        ),
        doubled=tuple(sorted(key for key, count in counts.items() if count > 1)),
    )


async def compare(scene: Scene) -> dict[Entity, Verdict]:
    """The verdict on every entity that is pulled. `Verdict()` is a perfect copy."""
    return {
        entity: judge(
            {str(document["id"]): read(document, scene.shop.shop) for document in truth},
            [(row[0], row[1:]) for row in await scene.rows(statement)],
        )
        for entity, (truth, read, statement) in {
            Entity.CATEGORIES: (scene.shop.shop.truth("categories"), _category, _CATEGORIES),
            Entity.PRODUCTS: (scene.shop.shop.truth("products"), _product, _PRODUCTS),
            Entity.CUSTOMERS: (scene.shop.shop.truth("customers"), _customer, _CUSTOMERS),
            Entity.ORDERS: (scene.shop.shop.truth("orders"), _order, _ORDERS),
        }.items()
    }


RIGHT = dict.fromkeys(
    (Entity.CATEGORIES, Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS), Verdict()
)


def _name(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _amount(text: Any) -> str:
    return f"{Decimal(text or 0).normalize():f}"


def _category(document: Mapping[str, Any], _shop: Shop) -> Facts:
    parent = document["parent"]
    return (_name(document["name"]), document["slug"], str(parent) if parent else None)


def _product(document: Mapping[str, Any], shop: Shop) -> Facts:
    sold = [document]
    if document["type"] == "variable":
        own = {one["id"]: one for one in shop.truth("variations")}
        sold = [own[number] for number in document["variations"]]
    return (
        _name(document["name"]),
        document["status"],
        document["type"],
        sorted(str(one["id"]) for one in document["categories"]),
        _time(document["date_modified_gmt"]),
        [
            [
                str(one["id"]),
                one["sku"],
                _amount(one["price"]) if one["price"] else None,
                _amount(_stock(one, document)) if one["manage_stock"] else None,
            ]
            for one in sold
        ],
    )


def _stock(one: Mapping[str, Any], parent: Mapping[str, Any]) -> Any:
    shared = one["manage_stock"] == "parent" and parent["stock_quantity"] is not None
    return (parent if shared else one)["stock_quantity"]


def _customer(document: Mapping[str, Any], _shop: Shop) -> Facts:
    return (
        document["email"] or document["billing"]["email"],
        document["last_name"],
        document["billing"]["city"],
        _time(document["date_modified_gmt"]),
    )


def _order(document: Mapping[str, Any], shop: Shop) -> Facts:
    customer = document["customer_id"]
    return (
        document["number"],
        document["status"],
        document["currency"],
        *(_amount(document[name]) for name in ("total", "total_tax", "discount_total")),
        _amount(sum(-Decimal(one["total"]) for one in document["refunds"])),
        str(customer) if customer else None,
        str(customer) if customer in shop.tables["customers"].rows else None,
        document["billing"]["email"],
        document["customer_note"],
        _time(document["date_created_gmt"]),
        _time(document["date_modified_gmt"]),
        [
            [str(one["id"]), _name(one["name"]), _amount(one["quantity"]), _amount(one["total"])]
            for one in document["line_items"]
        ],
    )


_CATEGORIES = """
select l.external_id, c.name, c.slug,
  (select p.external_id from links p where p.entity = 'categories' and p.record_id = c.parent_id)
from categories c left join links l on l.record_id = c.id and l.entity = 'categories'
where c.deleted_at is null
"""

_PRODUCTS = """
select l.external_id, p.title, p.raw_status, p.kind,
  (select coalesce(json_agg(c.external_id order by c.external_id), '[]') from links c
   where c.entity = 'categories' and c.record_id = any(p.category_ids)),
  l.version,
  (select coalesce(json_agg(json_build_array(k.external_id, v.sku, trim_scale(v.price)::text,
      (select trim_scale(sum(i.on_hand))::text from inventory_levels i where i.variant_id = v.id))
      order by v.position), '[]')
   from product_variants v join links k on k.record_id = v.id and k.entity = 'variants'
   where v.product_id = p.id and v.deleted_at is null)
from products p left join links l on l.record_id = p.id and l.entity = 'products'
where p.deleted_at is null
"""

_CUSTOMERS = """
select l.external_id, c.email, c.last_name, coalesce(c.billing ->> 'city', ''), l.version
from customers c left join links l on l.record_id = c.id and l.entity = 'customers'
where c.deleted_at is null and not c.is_guest
"""

_ORDERS = """
select l.external_id, o.number, o.raw_status, o.currency, trim_scale(o.total)::text,
  trim_scale(o.tax_total)::text, trim_scale(o.discount_total)::text,
  trim_scale(o.refunded_total)::text,
  case when not starts_with(o.customer_external_id, 'guest:') then o.customer_external_id end,
  (select b.external_id from links b where b.entity = 'customers' and b.record_id = o.customer_id
   and b.deleted_at is null
   and not starts_with(b.external_id, 'guest:')),
  coalesce(o.billing ->> 'email', ''), o.customer_note, o.placed_at, l.version,
  (select coalesce(json_agg(json_build_array(i.external_id, i.title,
      trim_scale(i.quantity)::text, trim_scale(i.total)::text) order by i.position), '[]')
   from order_lines i where i.order_id = o.id)
from orders o left join links l on l.record_id = o.id and l.entity = 'orders'
where o.deleted_at is null
"""
