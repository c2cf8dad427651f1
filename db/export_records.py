"""What is exported of each kind of record: its columns, and the walks that find the rows.

Names are those of the API's answers. `link` is the record at the store that is asked for, or at
the oldest of those that has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic.alias_generators import to_camel

from db.export_columns import (
    SUPPLIED,
    SUPPLIER,
    Column,
    address,
    document,
    exact,
    flag,
    moment,
    money,
    nested,
    quantity,
    references,
    words,
)


class ExportKind(StrEnum):
    """What can be exported."""

    CUSTOMERS = "customers"
    PRODUCTS = "products"
    ORDERS = "orders"
    INVENTORY = "inventory"


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows found along the ids of one table.

    Attributes:
        table: whose ids are walked, ascending.
        source: the FROM clause, with `{join}` where `link` is joined; the table is named `r`.
        where: what holds besides.
        order: of the rows, the table's ids first.
    """

    table: str
    source: str
    where: str
    columns: Sequence[Column]
    order: str = "r.id"


def _link(entity: str, record: str = "r.id", store: str = "l.store_id = any(%(stores)s)") -> str:
    return f"""{{join}} lateral (
      select l.store_id, l.external_id from links l
      where l.record_id = {record} and l.entity = '{entity}' and l.deleted_at is null and {store}
      order by l.store_id, l.external_id limit 1) link on true"""  # noqa: S608 - constants


_EXTERNAL: Final = (words("externalId", "link.external_id"), exact("storeId", "link.store_id"))
_TIMES: Final = (
    exact("createdAt", moment("r.created_at")),
    exact("updatedAt", moment("r.updated_at")),
)

_CUSTOMERS: Final = Walk(
    "customers",
    f"customers r {_link('customers')}",
    "r.deleted_at is null",
    (
        exact("id", "r.id"),
        *_EXTERNAL,
        words("email", "r.email"),
        words("phone", "r.phone"),
        words("firstName", "r.first_name"),
        words("lastName", "r.last_name"),
        flag("isGuest", "r.is_guest"),
        flag("isPaying", "r.is_paying"),
        *address("billing", "r.billing"),
        *address("shipping", "r.shipping"),
        exact("registeredAt", moment("r.registered_at")),
        nested("extra", "r.extra"),
        references("customers", "r.id"),
        *_TIMES,
    ),
)

_PRODUCT: Final = (
    words("title", "p.title"),
    words("slug", "p.slug"),
    exact("status", "p.status"),
    words("rawStatus", "p.raw_status"),
    words("kind", "p.kind"),
)
_PRODUCT_DETAILS: Final = (
    document("categoryIds", "to_json(p.category_ids)"),
    document("tags", "to_json(p.tags)"),
    words("shortDescription", "p.short_description"),
    words("description", "p.description"),
    document(
        "images",
        """(select coalesce(json_agg(json_build_object(
          'src', i.doc ->> 'src', 'externalId', coalesce(i.doc ->> 'external_id', ''),
          'name', coalesce(i.doc ->> 'name', ''), 'alt', coalesce(i.doc ->> 'alt', ''))
          order by i.place), '[]')
          from jsonb_array_elements(p.images) with ordinality as i(doc, place))""",
    ),
    document("options", "p.options"),
    exact("listedAt", moment("p.listed_at")),
    *SUPPLIED,
    nested("extra", "p.extra"),
    references("products", "p.id"),
)
_VARIANT_LINK: Final = """left join lateral (
      select l.external_id from links l
      where l.record_id = r.id and l.entity = 'variants' and l.deleted_at is null
        and l.store_id = link.store_id
      order by l.external_id limit 1) outside on true"""
_HELD: Final = """left join lateral (
      select sum(h.on_hand) as on_hand, sum(h.on_hand - h.reserved) as available
      from inventory_levels h where h.variant_id = r.id) held on true"""

_VARIANTS: Final = Walk(
    "product_variants",
    f"""product_variants r
    join products p on p.tenant_id = r.tenant_id and p.id = r.product_id and p.deleted_at is null
    {_link("products", "p.id")} {_VARIANT_LINK} {_HELD} {SUPPLIER}""",
    "r.deleted_at is null",
    (
        exact("productId", "p.id"),
        exact("variantId", "r.id"),
        words("externalId", "link.external_id"),
        words("variantExternalId", "outside.external_id"),
        exact("storeId", "link.store_id"),
        *_PRODUCT,
        words("variantTitle", "r.title"),
        words("sku", "r.sku"),
        words("barcode", "r.barcode"),
        exact("price", money("r.price", "r.currency")),
        exact("compareAtPrice", money("r.compare_at_price", "r.currency")),
        exact("currency", "r.currency"),
        document("optionValues", "r.option_values"),
        flag("tracksStock", "r.tracks_stock"),
        flag("inStock", "r.in_stock"),
        flag("allowsBackorder", "r.allows_backorder"),
        exact("onHand", quantity("held.on_hand")),
        exact("available", quantity("held.available")),
        exact("weight", quantity("r.weight")),
        flag("isActive", "r.is_active"),
        *_PRODUCT_DETAILS,
        *_TIMES,
    ),
)

# A product that nobody can buy yet has a row all the same, with nothing in the variant's columns.
_OF_VARIANTS: Final = {
    "variantId",
    "variantExternalId",
    "variantTitle",
    "sku",
    "barcode",
    "price",
} | {
    *("compareAtPrice", "optionValues", "tracksStock", "inStock", "allowsBackorder", "onHand"),
    *("available", "weight", "isActive"),
}
_WITHOUT_VARIANTS: Final = Walk(
    "products",
    f"""products r cross join lateral (select r.*) p {_link("products")} {SUPPLIER}""",
    """r.deleted_at is null and not exists (
      select from product_variants v
      where v.product_id = r.id and v.tenant_id = r.tenant_id and v.deleted_at is null)""",
    tuple(
        Column(one.name, "null", "null")
        if one.name in _OF_VARIANTS
        else exact("currency", "r.currency")
        if one.name == "currency"
        else one
        for one in _VARIANTS.columns
    ),
)

_INVENTORY: Final = Walk(
    "product_variants",
    f"""product_variants r
    join products p on p.tenant_id = r.tenant_id and p.id = r.product_id and p.deleted_at is null
    {_link("variants")}
    left join inventory_levels h on h.tenant_id = r.tenant_id and h.variant_id = r.id
    left join warehouses w on w.tenant_id = h.tenant_id and w.id = h.warehouse_id""",
    "r.deleted_at is null",
    (
        exact("variantId", "r.id"),
        exact("productId", "p.id"),
        *_EXTERNAL,
        words("title", "p.title"),
        words("variantTitle", "r.title"),
        words("sku", "r.sku"),
        words("barcode", "r.barcode"),
        flag("tracksStock", "r.tracks_stock"),
        flag("inStock", "r.in_stock"),
        exact("warehouseId", "h.warehouse_id"),
        words("warehouseCode", "w.code"),
        words("warehouseName", "w.name"),
        exact("onHand", quantity("h.on_hand")),
        exact("reserved", quantity("h.reserved")),
        exact("available", quantity("h.on_hand - h.reserved")),
        exact("updatedAt", moment("coalesce(h.updated_at, r.updated_at)")),
    ),
    order="r.id, h.warehouse_id",
)


def _amounts(*names: str) -> list[Column]:
    return [exact(to_camel(name), money(f"r.{name}", "r.currency")) for name in names]


_LINES: Final = f"""left join lateral (
      select count(*) as number, coalesce(json_agg(json_build_object(
        'id', y.id, 'externalId', y.external_id, 'productId', y.product_id,
        'variantId', y.variant_id, 'productExternalId', y.product_external_id,
        'variantExternalId', y.variant_external_id, 'sku', y.sku, 'title', y.title,
        'quantity', {quantity("y.quantity")},
        'unitPrice', {money("y.unit_price", "r.currency")},
        'subtotal', {money("y.subtotal", "r.currency")},
        'discount', {money("y.discount", "r.currency")},
        'tax', {money("y.tax", "r.currency")}, 'total', {money("y.total", "r.currency")},
        'extra', y.extra) order by y.position, y.id), '[]') as docs
      from order_lines y where y.order_id = r.id) bought on true"""  # noqa: S608 - constants

_CHARGES: Final = f"""(select coalesce(json_agg(json_build_object(
          'kind', c.doc ->> 'kind', 'externalId', coalesce(c.doc ->> 'external_id', ''),
          'code', coalesce(c.doc ->> 'code', ''), 'title', coalesce(c.doc ->> 'title', ''),
          'total', {money("coalesce((c.doc ->> 'total')::numeric, 0)", "r.currency")},
          'tax', {money("coalesce((c.doc ->> 'tax')::numeric, 0)", "r.currency")})
          order by c.place), '[]')
          from jsonb_array_elements(r.charges) with ordinality as c(doc, place))"""  # noqa: S608

_REFUNDS: Final = f"""(select coalesce(json_agg(json_build_object(
          'externalId', c.doc ->> 'external_id',
          'amount', {money("(c.doc ->> 'amount')::numeric", "r.currency")},
          'reason', coalesce(c.doc ->> 'reason', '')) order by c.place), '[]')
          from jsonb_array_elements(r.refunds) with ordinality as c(doc, place))"""  # noqa: S608

_ORDERS: Final = Walk(
    "orders",
    f"""orders r
    {_link("orders", store="l.store_id = r.store_id and l.store_id = any(%(stores)s)")}
    {_LINES}""",
    "r.deleted_at is null",
    (
        exact("id", "r.id"),
        words("externalId", "link.external_id"),
        exact("storeId", "r.store_id"),
        words("number", "r.number"),
        exact("status", "r.status"),
        words("rawStatus", "r.raw_status"),
        flag("oversold", "r.oversold"),
        exact("currency", "r.currency"),
        *_amounts("subtotal", "discount_total", "shipping_total", "tax_total", "total"),
        *_amounts("refunded_total"),
        exact("customerId", "r.customer_id"),
        words("customerExternalId", "r.customer_external_id"),
        *address("billing", "r.billing"),
        *address("shipping", "r.shipping"),
        words("paymentMethod", "r.payment_method"),
        words("paymentTitle", "r.payment_title"),
        words("transactionId", "r.transaction_id"),
        words("customerNote", "r.customer_note"),
        exact("placedAt", moment("r.placed_at")),
        exact("paidAt", moment("r.paid_at")),
        exact("completedAt", moment("r.completed_at")),
        Column("lineCount", None, "bought.number"),
        document("lines", "bought.docs"),
        document("charges", _CHARGES),
        document("refunds", _REFUNDS),
        nested("extra", "r.extra"),
        references("orders", "r.id"),
        *_TIMES,
    ),
)

WALKS: Final[Mapping[ExportKind, Sequence[Walk]]] = {
    ExportKind.CUSTOMERS: (_CUSTOMERS,),
    ExportKind.PRODUCTS: (_VARIANTS, _WITHOUT_VARIANTS),
    ExportKind.ORDERS: (_ORDERS,),
    ExportKind.INVENTORY: (_INVENTORY,),
}
"""The walks of each kind, one after the other; all have the same columns."""
