"""Links after a push: what the store has now, and whether the hub's record says more than that.

Locks are taken in the order link, record. Whoever writes a record marks its links afterwards: so a
change is either seen by who writes a link and then looks at the record, or marks that link.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity
from domain.pushing import Wanted


@dataclass(frozen=True, slots=True)
class Held:
    """What the store has of a record, as it said itself.

    Attributes:
        base: the snapshot to agree on (canonical JSON); None: nothing is known of it.
        variants: (hub id, the store's id) of a product's variants.
        pushed: whether it was sent by us just now, and not merely found.
    """

    record_id: int
    external_id: str
    base: bytes | None = None
    digest: bytes | None = None
    version: datetime | None = None
    variants: tuple[tuple[int, str], ...] = ()
    pushed: bool = True


# What the store said later than this answer, and was taken in meanwhile, stays.
_LINK = text("""
insert into links as l (tenant_id, store_id, entity, external_id, record_id, base, base_hash,
  version, is_home, differs, pushed_at)
select :tenant, :store, :entity, x.external_id, x.record_id, cast(x.base as jsonb), x.digest,
  x.version, false, true, case when x.pushed then now() end
from unnest(cast(:external_ids as text[]), cast(:record_ids as bigint[]), cast(:bases as text[]),
            cast(:digests as bytea[]), cast(:versions as timestamptz[]),
            cast(:pushed as boolean[]))
  as x(external_id, record_id, base, digest, version, pushed)
order by x.external_id
on conflict (tenant_id, store_id, entity, external_id) do update
set record_id = excluded.record_id, deleted_at = null, updated_at = now(), differs = true,
    pushed_at = coalesce(excluded.pushed_at, l.pushed_at),
    pushing = case when excluded.pushed_at is null then l.pushing end,
    base = case when l.deleted_at is null and l.version > excluded.version
                then l.base else coalesce(excluded.base, l.base) end,
    base_hash = case when l.deleted_at is null and l.version > excluded.version
                     then l.base_hash else coalesce(excluded.base_hash, l.base_hash) end,
    version = greatest(l.version, excluded.version)
where l.record_id = excluded.record_id or l.deleted_at is not null
returning l.record_id
""")

_ANNOUNCE = text("""
update links l set pushing = cast(x.content as jsonb)
from unnest(cast(:external_ids as text[]), cast(:contents as text[])) as x(external_id, content)
where l.store_id = :store and l.entity = :entity and l.external_id = x.external_id
""")

_LINK_VARIANTS = text("""
insert into links as l (tenant_id, store_id, entity, external_id, record_id, is_home)
select :tenant, :store, 'variants', x.external_id, x.record_id, false
from unnest(cast(:external_ids as text[]), cast(:record_ids as bigint[]))
  as x(external_id, record_id)
order by x.external_id
on conflict (tenant_id, store_id, entity, external_id) do update
set record_id = excluded.record_id, deleted_at = null, updated_at = now()
where l.record_id <> excluded.record_id or l.deleted_at is not null
""")

# A product may be linked again under another id: its variants' old ids mean nothing any more.
_DROP_LOST_VARIANTS = text("""
update links l set deleted_at = now(), updated_at = now()
from product_variants v
where v.product_id = any(:product_ids) and v.tenant_id = l.tenant_id and l.record_id = v.id
  and l.entity = 'variants' and l.store_id = :store and l.deleted_at is null
  and l.external_id <> all(:external_ids)
""")

_BURY = text("""
update links l set deleted_at = now(), updated_at = now(), differs = true
where l.store_id = :store and l.deleted_at is null
  and (l.entity = :entity and l.record_id = any(:record_ids)
    or :entity = 'products' and l.entity = 'variants' and l.record_id in (
      select v.id from product_variants v where v.product_id = any(:record_ids)))
""")

_FORGET = text("""
delete from links l
where l.store_id = :store
  and (l.entity = :entity and l.record_id = any(:record_ids)
    or :entity = 'products' and l.entity = 'variants' and l.record_id in (
      select v.id from product_variants v where v.product_id = any(:record_ids)))
""")

_OWNERS = text("""
select external_id, record_id from links
where store_id = :store and entity = :entity and external_id = any(:external_ids)
  and deleted_at is null
""")

_AGREE = text("""
update links set differs = false
where store_id = :store and entity = :entity and record_id = any(:record_ids)
  and deleted_at is null and differs
""")

_NAMES: Final = {
    Entity.CATEGORIES: """
select c.id, c.name, c.slug, '' as email, cast('{}' as text[]) as skus
from categories c where c.id = any(:ids)""",
    Entity.PRODUCTS: """
select p.id, p.title as name, p.slug, '' as email, coalesce((
  select array_agg(v.sku order by v.position) from product_variants v
  where v.product_id = p.id and v.tenant_id = p.tenant_id and v.sku <> ''), '{}') as skus
from products p where p.id = any(:ids)""",
    Entity.CUSTOMERS: """
select c.id, '' as name, '' as slug, c.email, cast('{}' as text[]) as skus
from customers c where c.id = any(:ids)""",
}


async def announce(
    connection: AsyncConnection, store_id: int, entity: Entity, sent: Mapping[str, bytes]
) -> None:
    """Remember, before it is sent, what linked records will be in the store (snapshots by the
    store's ids): who is killed before the answer is recorded will hear it as news otherwise."""
    if sent:
        await connection.execute(
            _ANNOUNCE,
            {
                "store": store_id,
                "entity": entity.value,
                "external_ids": sorted(sent),
                "contents": [sent[one].decode() for one in sorted(sent)],
            },
        )


async def link(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    entity: Entity,
    held: Sequence[Held],
) -> frozenset[int]:
    """Link records to what the store has of them; the links differ until `agree` says otherwise.

    Returns:
        The records that are linked now. One that is missing met a living link of another record.
    """
    if not held:
        return frozenset()
    scope = {"tenant": tenant_id, "store": store_id}
    linked = await connection.execute(
        _LINK,
        {
            **scope,
            "entity": entity.value,
            "external_ids": [one.external_id for one in held],
            "record_ids": [one.record_id for one in held],
            "bases": [None if one.base is None else one.base.decode() for one in held],
            "digests": [one.digest for one in held],
            "versions": [one.version for one in held],
            "pushed": [one.pushed for one in held],
        },
    )
    done = frozenset(linked.scalars())
    if entity is Entity.PRODUCTS:
        known = [one for one in held if one.record_id in done and one.base is not None]
        pairs = {key: variant for one in known for variant, key in one.variants}
        await connection.execute(
            _LINK_VARIANTS,
            {**scope, "external_ids": list(pairs), "record_ids": list(pairs.values())},
        )
        await connection.execute(
            _DROP_LOST_VARIANTS,
            {
                "store": store_id,
                "product_ids": [one.record_id for one in known],
                "external_ids": list(pairs),
            },
        )
    return done


async def bury(
    connection: AsyncConnection, store_id: int, entity: Entity, record_ids: Sequence[int]
) -> None:
    """These records are deleted in the store, as they should be: their links are tombstones."""
    if record_ids:
        await connection.execute(
            _BURY, {"store": store_id, "entity": entity.value, "record_ids": list(record_ids)}
        )


async def forget(
    connection: AsyncConnection, store_id: int, entity: Entity, record_ids: Sequence[int]
) -> None:
    """The store has lost these records, and is to get them again: they were never linked."""
    if record_ids:
        await connection.execute(
            _FORGET, {"store": store_id, "entity": entity.value, "record_ids": list(record_ids)}
        )


async def agree(
    connection: AsyncConnection, store_id: int, entity: Entity, record_ids: Sequence[int]
) -> None:
    """The hub's records say what the store has, all of it."""
    if record_ids:
        await connection.execute(
            _AGREE, {"store": store_id, "entity": entity.value, "record_ids": list(record_ids)}
        )


async def find_owners(
    connection: AsyncConnection, store_id: int, entity: Entity, external_ids: Sequence[str]
) -> Mapping[str, int]:
    """Which records of ours these ids of the store are linked to; living links only."""
    if not external_ids:
        return {}
    rows = await connection.execute(
        _OWNERS, {"store": store_id, "entity": entity.value, "external_ids": list(external_ids)}
    )
    return {row.external_id: row.record_id for row in rows}


async def load_wanted(
    connection: AsyncConnection, entity: Entity, record_ids: Sequence[int]
) -> Mapping[int, Wanted]:
    """How to recognise records in a store, also those deleted here; `key` is the bare id."""
    statement = _NAMES.get(entity)
    if statement is None or not record_ids:
        return {}
    rows = await connection.execute(text(statement), {"ids": list(record_ids)})
    return {
        row.id: Wanted(
            key=str(row.id),
            entity=entity,
            skus=tuple(row.skus),
            slug=row.slug,
            email=row.email,
            name=row.name,
        )
        for row in rows
    }
