"""Is what a store shows for the first time one of our records already?

By our own key, where the store kept it (`extra["hub_ref"]`), or by a natural one: all SKUs that the
hub knows belong to one product; a category's slug below the same parent; a customer's e-mail
address. A record that this store has linked already is never matched. Two stores that bring the
same thing at once are taken one after the other, so that the second meets the first one's record.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from db.staging import Batch
from domain.entities import Entity
from domain.guests import GUEST_PREFIX
from domain.pages import Pulled
from domain.pushing import mark_of, read_own_key
from domain.records import Category, Customer, Product, Record

HUB_REF: Final = "hub_ref"
"""Where a provider's mapper puts our own key (`domain.pushing.own_key`), in `extra`."""

_ONE_AT_A_TIME: Final = """
select pg_advisory_xact_lock(hashtextextended('match/' || %(tenant)s || '/' || %(entity)s, 0))
"""

_PUBLIC_ID: Final = "select public_id from tenants where id = %(tenant)s"

_FREE: Final = """
and not exists (
  select from links l
  where l.record_id = r.id and l.entity = %(entity)s and l.tenant_id = %(tenant)s
    and l.store_id = %(store)s and l.deleted_at is null)
"""

_BY_REFERENCE: Final = """
select x.key, r.id
from unnest(%(keys)s::text[], %(ids)s::bigint[]) as x(key, id)
join {table} r on r.tenant_id = %(tenant)s and r.id = x.id
where r.deleted_at is null
"""

_BY_SKU: Final = """
select x.key, v.product_id
from unnest(%(keys)s::text[], %(words)s::text[]) as x(key, sku)
join product_variants v on v.sku = x.sku and v.tenant_id = %(tenant)s
join products r on r.tenant_id = %(tenant)s and r.id = v.product_id
where v.sku <> '' and v.deleted_at is null and r.deleted_at is null
"""

_BY_SLUG: Final = """
select x.key, r.id, r.parent_id
from unnest(%(keys)s::text[], %(words)s::text[]) as x(key, slug)
join categories r on r.tenant_id = %(tenant)s and r.slug = x.slug
where r.deleted_at is null
"""

_KNOWN_PARENTS: Final = """
select l.external_id, l.record_id from links l
where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'categories'
  and l.external_id = any(%(parents)s::text[]) and l.deleted_at is null
"""

_BY_EMAIL: Final = """
select x.key, r.id
from unnest(%(keys)s::text[], %(words)s::text[]) as x(key, email)
join customers r on r.tenant_id = %(tenant)s and lower(r.email) = x.email
where r.deleted_at is null and not r.is_guest and r.email <> ''
"""

_TABLES: Final = {
    Entity.CATEGORIES: "categories",
    Entity.PRODUCTS: "products",
    Entity.CUSTOMERS: "customers",
}


async def match(batch: Batch, entity: Entity, new: Sequence[Pulled[Record]]) -> dict[str, int]:
    """Which of these a store's records are ours: the hub's ids by external id."""
    wanted = [one for one in new if not one.external_id.startswith(GUEST_PREFIX)]
    if entity not in _TABLES or not wanted:
        return {}
    await batch.ask(_ONE_AT_A_TIME)
    found = await _by_reference(batch, entity, wanted)
    rest = [one for one in wanted if one.external_id not in found]
    for key, ids in (await _by_nature(batch, entity, rest, dict(found))).items():
        if len(ids) == 1:
            found[key] = next(iter(ids))
    return _one_to_one(found)


async def _by_reference(
    batch: Batch, entity: Entity, wanted: Sequence[Pulled[Record]]
) -> dict[str, int]:
    told = {
        one.external_id: str(key)
        for one in wanted
        if (key := getattr(one.record, "extra", {}).get(HUB_REF))
    }
    if not told:
        return {}
    [(public_id,)] = await batch.ask(_PUBLIC_ID)
    mark = mark_of(public_id)
    ids = {
        external_id: number
        for external_id, key in told.items()
        if (number := read_own_key(key, entity, mark)) is not None
    }
    if not ids:
        return {}
    statement = _BY_REFERENCE.format(table=_TABLES[entity]) + _FREE
    return dict(await batch.ask(statement, keys=list(ids), ids=list(ids.values())))


async def _by_nature(
    batch: Batch,
    entity: Entity,
    wanted: Sequence[Pulled[Record]],
    matched: Mapping[str, int],
) -> dict[str, set[int]]:
    words = [(one, word) for one in wanted for word in _words(one.record)]
    if not words:
        return {}
    params: dict[str, list[Any]] = {
        "keys": [one.external_id for one, _ in words],
        "words": [word for _, word in words],
    }
    if entity is Entity.CATEGORIES:
        return await _by_place(batch, [one for one, _ in words], params, matched)
    statement = _BY_SKU if entity is Entity.PRODUCTS else _BY_EMAIL
    found: dict[str, set[int]] = {}
    for key, record_id in await batch.ask(statement + _FREE, **params):
        found.setdefault(key, set()).add(record_id)
    return found


async def _by_place(
    batch: Batch,
    wanted: Sequence[Pulled[Record]],
    params: Mapping[str, list[Any]],
    matched: Mapping[str, int],
) -> dict[str, set[int]]:
    """Categories by their slug below the same parent, from the top of the tree downwards.

    A parent may stand on the same page. One that nobody has heard of yet says nothing: then the
    slug decides alone, if only one category of the hub has it.
    """
    places = {
        one.external_id: one.record.parent_external_id
        for one in wanted
        if isinstance(one.record, Category)
    }
    parents = {parent for parent in places.values() if parent is not None}
    above = {**matched, **dict(await batch.ask(_KNOWN_PARENTS, parents=sorted(parents)))}
    alike: dict[str, list[tuple[int, int | None]]] = {}
    for key, record_id, parent_id in await batch.ask(_BY_SLUG + _FREE, **params):
        alike.setdefault(key, []).append((record_id, parent_id))
    found: dict[str, set[int]] = {}
    waiting = dict(places)
    while waiting:
        ready = {key: up for key, up in waiting.items() if up not in waiting or up == key}
        for key, up in (ready or dict(waiting)).items():
            del waiting[key]
            found[key] = _at_place(alike.get(key, ()), up, above, is_new=up in places)
            if len(found[key]) == 1:
                above[key] = next(iter(found[key]))
    return found


def _at_place(
    alike: Sequence[tuple[int, int | None]],
    up: str | None,
    above: Mapping[str, int],
    *,
    is_new: bool,
) -> set[int]:
    """Which of the categories with this slug stand in the same place."""
    if up is None or up in above:
        wanted = None if up is None else above[up]
        return {record_id for record_id, parent_id in alike if parent_id == wanted}
    return set() if is_new else {record_id for record_id, _ in alike}


def _words(record: Record) -> tuple[str, ...]:
    if isinstance(record, Product):
        return tuple({one.sku for one in record.variants if one.sku})
    if isinstance(record, Category):
        return (record.slug,) if record.slug else ()
    if isinstance(record, Customer):
        address = record.email.strip().lower()
        return (address,) if address and not record.is_guest else ()
    return ()


def _one_to_one(found: Mapping[str, int]) -> dict[str, int]:
    """Of several records of a page that look like one of ours, the first is taken for it."""
    taken: set[int] = set()
    matched: dict[str, int] = {}
    for key in sorted(found):
        if found[key] not in taken:
            taken.add(found[key])
            matched[key] = found[key]
    return matched
