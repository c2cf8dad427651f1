"""The hub's records in the terms of one store: what is compared with what the store says, and what
is sent to it.

References are the store's ids. What is not linked there is left out, and a variant that the store
does not have yet has the external id "". Locks are taken in the order links, records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.field_mappings import load_mapped
from domain.entities import Entity
from domain.field_mapping import mapped_paths
from domain.fields import MODELS
from domain.merge import Sides, differs
from domain.pages import Pulled
from domain.records import Product, Record
from domain.spelling import Spelling, read_base, render, spell, write_base

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Local:
    """One of the hub's records as one store would have it.

    Attributes:
        record_id: the hub's id.
        record: what the store should have, spelled as the store does; None: deleted in the hub.
        hub: the same as the hub spells it; None: deleted in the hub.
        changed_at: when the hub's record was last changed.
        external_id: the store's id, also that of a tombstone; None: not linked there.
        base: what the store said last; None: nothing was agreed yet.
        spelling: which of the hub's values the store spells its own way (`domain.spelling`).
        version: the store's time of the base.
        is_home: whether the record came from this store.
        is_gone: whether the store deleted it; nothing is to be sent then.
        held_sides: the fields that wait for a person.
        variant_ids: the hub's ids of `record.variants`, in their order.
        category_ids: the hub's ids of a product's categories, those unknown to the store included.
        pushing: what the store is being sent, or was when a process died.
        mapped: the shared fields that the store's own rules fill (`domain.field_mapping`).
    """

    record_id: int
    record: Record | None
    hub: Record | None
    changed_at: datetime
    external_id: str | None = None
    base: Record | None = None
    spelling: Spelling = field(default_factory=dict)
    version: datetime | None = None
    is_home: bool = False
    is_gone: bool = False
    held_sides: Mapping[str, Sides] = field(default_factory=dict)
    variant_ids: tuple[int, ...] = ()
    category_ids: tuple[int, ...] = ()
    parent_id: int | None = None
    pushing: Record | None = None
    mapped: frozenset[str] = frozenset()

    @property
    def unsent(self) -> frozenset[str]:
        """The paths that the store's own rules fill: they are never sent to it."""
        return mapped_paths(self.record, self.mapped)

    @property
    def held(self) -> frozenset[str]:
        """What must not be sent: the fields that wait for a person, and those never sent."""
        return frozenset(self.held_sides) | self.unsent

    def named(self, variants: Mapping[int, str]) -> "Local":
        """The same once the store's ids of these variants are known."""
        if not variants or self.hub is None or self.record is None:
            return self
        return replace(
            self,
            hub=_named(self.hub, self.variant_ids, variants),
            record=_named(self.record, self.variant_ids, variants),
        )

    def agrees(self, entity: Entity) -> bool:
        """Whether the hub's record says what the store said last, field by field."""
        if self.hub is None or self.base is None:
            return False
        return not differs(entity, self.hub, self.base)

    def agreed(
        self, entity: Entity, said: Pulled[Record], variants: Mapping[int, str] | None = None
    ) -> bytes:
        """The base to keep after the store was sent this and answered so (canonical JSON).

        Its digest is that of the answer alone: `fingerprint(snapshot(said.record))`.

        Args:
            variants: the store's ids by the hub's, where they were not known when it was sent.
        """
        sent = self.named(variants or {}).hub
        if sent is None:
            return write_base(said.record, {})
        spelling = spell(entity, sent, said.record)
        return write_base(
            said.record, {path: one for path, one in spelling.items() if path not in self.held}
        )


_LINKS: Final = text("""
select distinct on (l.record_id) l.record_id, l.external_id, l.base, l.version, l.is_home,
       l.deleted_at is not null as is_gone, l.pushing from links l
where l.record_id = any(:ids) and l.entity = :entity and l.store_id = :store
order by l.record_id, l.deleted_at is not null, l.updated_at desc, l.external_id
""")

_HELD: Final = text("""
select record_id, fields from conflicts
where store_id = :store and entity = :entity and record_id = any(:ids) and status = 'open'
""")

_RECORDS: Final = {
    Entity.CATEGORIES: """
select r.id, r.updated_at, r.deleted_at, r.parent_id, r.name, r.slug, r.description, r.position,
       r.extra from categories r where r.id = any(:ids) order by r.id""",
    Entity.PRODUCTS: """
select r.id, r.updated_at, r.deleted_at, r.category_ids, r.title, r.slug, r.status, r.raw_status,
       r.kind, r.description, r.short_description, r.currency, r.tags, r.images, r.options,
       r.listed_at as created_at, r.extra
from products r where r.id = any(:ids) order by r.id""",
    Entity.CUSTOMERS: """
select r.id, r.updated_at, r.deleted_at, r.email, r.phone, r.first_name, r.last_name, r.is_guest,
       r.is_paying, r.billing, r.shipping, r.registered_at as created_at, r.extra
from customers r where r.id = any(:ids) order by r.id""",
    Entity.ORDERS: """
select r.id, r.updated_at, r.deleted_at, r.number, r.status, r.raw_status, r.currency, r.subtotal,
       r.discount_total, r.shipping_total, r.tax_total, r.total, r.customer_external_id, r.billing,
       r.shipping, r.payment_method, r.payment_title, r.transaction_id, r.customer_note,
       r.placed_at, r.paid_at, r.completed_at, r.charges, r.refunds, r.extra
from orders r where r.id = any(:ids) order by r.id""",
}

_VARIANTS: Final = text("""
select v.product_id, v.id, coalesce(l.external_id, '') as external_id, v.title, v.sku, v.barcode,
       v.price, v.compare_at_price, v.option_values, v.tracks_stock, v.in_stock,
       v.allows_backorder, v.weight, v.is_active, v.extra
from product_variants v left join lateral (
  select k.external_id from links k
  where k.record_id = v.id and k.entity = 'variants' and k.store_id = :store
    and k.deleted_at is null order by k.external_id limit 1) l on true
where v.product_id = any(:ids) and v.deleted_at is null order by v.product_id, v.position, v.id
""")

_CATEGORY_KEYS: Final = text("""
select distinct on (l.record_id) l.record_id, l.external_id from links l
where l.record_id = any(:ids) and l.entity = 'categories' and l.store_id = :store
  and l.deleted_at is null order by l.record_id, l.external_id
""")

_NO_LINK: Final[Row] = {}
_NOT_CONTENT: Final = frozenset(
    ("id", "updated_at", "deleted_at", "category_ids", "parent_id", "product_id")
)


async def load_local(
    connection: AsyncConnection,
    store_id: int,
    entity: Entity,
    record_ids: Sequence[int],
    *,
    lock: bool = False,
) -> dict[int, Local]:
    """The hub's records in a store's terms, by hub id; of an order its lines are left out.

    Args:
        lock: keep others from changing the records until the transaction ends.
    """
    scope = {"store": store_id, "ids": sorted(set(record_ids))}
    statement = _RECORDS[entity] + (" for no key update" if lock else "")
    rows = await _rows(connection, text(statement), {"ids": scope["ids"]})
    named = {**scope, "entity": entity.value}
    links = {row["record_id"]: row for row in await _rows(connection, _LINKS, named)}
    held = {row.record_id: row.fields for row in await connection.execute(_HELD, named)}
    sold = await _load_variants(connection, scope) if entity is Entity.PRODUCTS else {}
    keys = await _category_keys(connection, store_id, rows)
    mapped = await load_mapped(connection, store_id, entity)
    found = (
        _local(
            entity,
            row,
            links.get(row["id"], _NO_LINK),
            {path: read_sides(one) for path, one in held.get(row["id"], {}).items()},
            sold.get(row["id"], ()),
            keys,
        )
        for row in rows
    )
    return {one.record_id: replace(one, mapped=mapped) for one in found}


def read_sides(kept: Mapping[str, Any]) -> Sides:
    """A held field as `conflicts.fields` keeps it."""
    return Sides(kept.get("base"), kept.get("local"), kept.get("remote"), "base" in kept)


async def _rows(
    connection: AsyncConnection, statement: TextClause, params: Mapping[str, Any]
) -> list[Row]:
    return cast("list[Row]", (await connection.execute(statement, params)).mappings().all())


async def _load_variants(
    connection: AsyncConnection, scope: Mapping[str, Any]
) -> Mapping[int, list[Row]]:
    sold: dict[int, list[Row]] = {}
    for row in await _rows(connection, _VARIANTS, scope):
        sold.setdefault(row["product_id"], []).append(row)
    return sold


async def _category_keys(
    connection: AsyncConnection, store_id: int, rows: Sequence[Row]
) -> Mapping[int, str]:
    wanted = {one for row in rows for one in row.get("category_ids", ())}
    wanted |= {row["parent_id"] for row in rows if row.get("parent_id") is not None}
    if not wanted:
        return {}
    found = await connection.execute(_CATEGORY_KEYS, {"store": store_id, "ids": sorted(wanted)})
    return {row.record_id: row.external_id for row in found}


def _local(
    entity: Entity,
    row: Row,
    link: Row,
    held: Mapping[str, Sides],
    variants: Sequence[Row],
    keys: Mapping[int, str],
) -> Local:
    base, spelling = read_base(entity, link["base"]) if link.get("base") else (None, {})
    is_home = bool(link.get("is_home"))
    hub = None if row["deleted_at"] is not None else _hub(entity, row, variants, keys)
    return Local(
        record_id=row["id"],
        record=None if hub is None else _rendered(entity, hub, base, spelling, is_home),
        hub=hub,
        changed_at=row["deleted_at"] or row["updated_at"],
        external_id=link.get("external_id"),
        base=base,
        spelling=spelling,
        version=link.get("version"),
        is_home=is_home,
        is_gone=bool(link.get("is_gone")),
        held_sides=held,
        variant_ids=tuple(one["id"] for one in variants) if hub is not None else (),
        category_ids=tuple(row.get("category_ids", ())),
        parent_id=row.get("parent_id"),
        pushing=read_base(entity, link["pushing"])[0] if link.get("pushing") else None,
    )


def _hub(entity: Entity, row: Row, variants: Sequence[Row], keys: Mapping[int, str]) -> Record:
    content = {name: value for name, value in row.items() if name not in _NOT_CONTENT}
    if entity is Entity.CATEGORIES:
        content["parent_external_id"] = keys.get(row["parent_id"])
    if entity is Entity.PRODUCTS:
        ids = row["category_ids"]
        content["category_external_ids"] = tuple(keys[one] for one in ids if one in keys)
        content["variants"] = tuple(
            {name: value for name, value in one.items() if name not in _NOT_CONTENT}
            for one in variants
        )
    return MODELS[entity].model_validate(content)


def _rendered(
    entity: Entity, hub: Record, base: Record | None, spelling: Spelling, is_home: bool
) -> Record:
    record = render(entity, hub, base, spelling)
    if is_home:
        return record
    # What the home store keeps for itself means nothing to another.
    update: dict[str, Any] = {"extra": {}}
    if isinstance(record, Product):
        update["raw_status"] = ""
        update["variants"] = tuple(one.model_copy(update={"extra": {}}) for one in record.variants)
    return record.model_copy(update=update)


def _named(hub: Record, ids: Sequence[int], keys: Mapping[int, str]) -> Record:
    if not isinstance(hub, Product) or not keys:
        return hub
    variants = tuple(
        one if one.external_id else one.model_copy(update={"external_id": keys.get(own, "")})
        for own, one in zip(ids, hub.variants, strict=True)
    )
    return hub.model_copy(update={"variants": variants})
