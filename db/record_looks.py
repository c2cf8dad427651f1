"""The hub's records at one moment, and what lies between two such moments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.local_records import Local, load_local
from domain.differences import Difference, between, capped, number, values_of, with_held
from domain.fields import MODELS
from domain.records import Category, Order, Product, Record

_INVENTORY: Final = "inventory"
_REFERENCES: Final = ("category_external_ids", "parent_external_id")

_STOCK: Final = text("""
select v.id, l.external_id, i.on_hand, i.reserved
from product_variants v
left join lateral (
  select k.external_id from links k
  where k.record_id = v.id and k.entity = 'variants' and k.store_id = :store
    and k.deleted_at is null
  order by k.external_id limit 1) l on true
left join lateral (
  select sum(h.on_hand) as on_hand, sum(h.reserved) as reserved from inventory_levels h
  where h.variant_id = v.id and h.tenant_id = v.tenant_id) i on true
where v.id = any(:ids)
""")


@dataclass(frozen=True, slots=True)
class _Stock:
    external_id: str | None
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """The hub's records and stock, by entity and id, at one moment."""

    records: Mapping[tuple[str, int], Local]
    stock: Mapping[int, _Stock]


Touched = Mapping[tuple[str, int], str]
"""What is done to which record, by entity and id: the words of `changes`; empty: only held."""


async def look(connection: AsyncConnection, store_id: int, touched: Touched) -> Look:
    """Look at these records and variants."""
    records: dict[tuple[str, int], Local] = {}
    for entity in MODELS:
        ids = [record_id for kind, record_id in touched if kind == entity.value]
        if ids:
            found = await load_local(connection, store_id, entity, ids)
            records |= {(entity.value, key): one for key, one in found.items()}
    variants = [record_id for kind, record_id in touched if kind == _INVENTORY]
    stock = await _load_stock(connection, store_id, variants) if variants else {}
    return Look(records, stock)


async def _load_stock(
    connection: AsyncConnection, store_id: int, variants: Sequence[int]
) -> dict[int, _Stock]:
    rows = await connection.execute(_STOCK, {"store": store_id, "ids": sorted(variants)})
    return {
        row.id: _Stock(
            row.external_id,
            {
                name: shown
                for name, value in (("on_hand", row.on_hand), ("reserved", row.reserved))
                if (shown := number(value)) is not None
            },
        )
        for row in rows
    }


def difference_of(
    about: tuple[str, int], action: str, before: Look, after: Look, created: frozenset[str]
) -> Difference | None:
    """What became of one record between two looks; None: nothing to tell.

    Args:
        about: its entity and id.
        action: see `Touched`.
        created: categories that are as good as there, see `_values_after`.
    """
    kind, record_id = about
    if kind == _INVENTORY:
        return _stock_difference(record_id, before, after)
    old, new = before.records.get((kind, record_id)), after.records.get((kind, record_id))
    if new is None:
        return None
    if old is not None:
        # What the store had without our knowing is called as it is once it is linked.
        old = old.named(_variant_keys(new))
    fields = between(values_of(_whole(old)), _values_after(old, new, created))
    held = {
        path: sides
        for path, sides in new.held_sides.items()
        if old is None or old.held_sides.get(path) != sides
    }
    if not action and not held:
        return None
    return Difference(
        "pull",
        kind,
        new.external_id or f"hub-{record_id}",
        "conflict" if held else action,
        new.external_id,
        # What is new has no id yet: the one of the attempt is lost with it.
        record_id if old is not None else None,
        capped(with_held(fields, held)),
    )


def _stock_difference(variant_id: int, before: Look, after: Look) -> Difference | None:
    old, new = before.stock.get(variant_id), after.stock.get(variant_id)
    known = new or old
    if known is None:
        return None
    fields = between(old.values if old else {}, new.values if new else {})
    if not fields:
        return None
    action = "updated" if old and old.values else "created"
    external_id = known.external_id or (old.external_id if old else None)
    return Difference(
        "pull",
        _INVENTORY,
        external_id or f"hub-{variant_id}",
        action if new and new.values else "deleted",
        external_id,
        variant_id if old is not None else None,
        capped(fields),
    )


def _whole(local: Local | None) -> Record | None:
    """The hub's record; of an order with its lines, which are its store's own."""
    if local is None or local.hub is None:
        return None
    if isinstance(local.hub, Order) and isinstance(local.base, Order):
        return local.hub.model_copy(update={"lines": local.base.lines})
    return local.hub


def _variant_keys(local: Local) -> dict[int, str]:
    if not isinstance(local.hub, Product):
        return {}
    pairs = zip(local.variant_ids, local.hub.variants, strict=True)
    return {own: one.external_id for own, one in pairs if one.external_id}


def _values_after(old: Local | None, new: Local, created: frozenset[str]) -> dict[str, Any]:
    """The record's values once it is taken in.

    A category of an earlier page of the dry run is not there to be found: what the store newly says
    of it is added.
    """
    values = values_of(_whole(new))
    said = values_of(new.base)
    agreed = values_of(old.base) if old is not None else {}
    for name in _REFERENCES:
        if name not in values or said.get(name) == agreed.get(name):
            continue
        told = said.get(name)
        if isinstance(told, list):
            kept = values[name]
            joined = [one for one in told if one in kept or one in created]
            values[name] = joined + [one for one in kept if one not in told]
        elif told in created:
            values[name] = told
    return values


def references(records: Iterable[Local]) -> list[str]:
    """The categories that the stores name in these records, by their external ids."""
    keys: set[str] = set()
    for one in records:
        if isinstance(one.base, Product):
            keys |= set(one.base.category_external_ids)
        elif isinstance(one.base, Category) and one.base.parent_external_id:
            keys.add(one.base.parent_external_id)
    return sorted(keys)
