"""Drift: where a store and the hub were not alike though they should have been.

What changed in the store after the moment its changes were last asked from is no drift but news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.push_links import forget
from db.tables.upkeep import DRIFT
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.guests import buyer_key
from domain.pages import Pulled
from domain.reconcile import Incoming, latest, prepare
from domain.records import Order, Record


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference as it was found. `repaired` is false where it was only noted.

    `kind`: `missing_here`, the store has it, the hub had not; `missing_there`, the other way round;
    `differs`, both have it, with other content than both sides agreed on.
    """

    id: int
    entity: str
    external_id: str | None
    record_id: int | None
    kind: str
    details: str | None
    repaired: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """What the store does not have any more, and what is done about it."""

    keys: Sequence[str]
    details: str
    is_repaired: bool = True


# A link without a base says nothing of what both sides agreed on. A link that waits for a person
# keeps parts of an older base on purpose.
_COMPARE = text("""
insert into drift (tenant_id, store_id, entity, external_id, record_id, kind, details, repaired)
select cast(:tenant as bigint), cast(:store as bigint), cast(:entity as text),
  x.external_id, l.record_id,
  case when l.record_id is null or l.deleted_at is not null then 'missing_here' else 'differs' end,
  case when l.record_id is null then 'the store has it, the hub did not'
       when l.deleted_at is not null then 'the hub took it for deleted'
       when x.version < l.version then 'the store has an older version than it had'
       when x.version > l.version then 'a change was missed'
       else 'the content differs at the same version' end,
  l.version is null or x.version is null or x.version >= l.version
from unnest(cast(:keys as text[]), cast(:versions as timestamptz[]), cast(:digests as bytea[]))
  as x(external_id, version, digest)
left join links l on l.store_id = cast(:store as bigint)
  and l.entity = cast(:entity as text) and l.external_id = x.external_id
left join store_cursors c on c.store_id = cast(:store as bigint)
  and c.entity = cast(:entity as text)
where (l.record_id is null or l.deleted_at is not null
       or (l.base_hash is not null and l.base_hash <> x.digest))
  and (x.version is null or c.changed_since is null or x.version < c.changed_since)
  and not exists (
    select from conflicts h where h.store_id = cast(:store as bigint)
      and h.entity = cast(:entity as text)
      and h.record_id = l.record_id and h.status = 'open')
""")

_GONE = text("""
insert into drift (tenant_id, store_id, entity, external_id, record_id, kind, details, repaired)
select cast(:tenant as bigint), cast(:store as bigint), cast(:entity as text),
  l.external_id, l.record_id, 'missing_there', cast(:details as text),
  cast(:repaired as boolean)
from links l
where l.store_id = cast(:store as bigint) and l.entity = cast(:entity as text)
  and l.external_id = any(cast(:keys as text[]))
""")

_ALIVE = text("""
select count(*) from links
where store_id = cast(:store as bigint) and entity = cast(:entity as text) and deleted_at is null
""")

_FROM_HUB = text("""
select external_id from links
where store_id = cast(:store as bigint) and entity = cast(:entity as text)
  and not is_home and deleted_at is null
  and external_id = any(cast(:keys as text[]))
""")

_LOST = text("""
select record_id from links
where store_id = cast(:store as bigint) and entity = cast(:entity as text)
  and deleted_at is null
  and external_id = any(cast(:keys as text[]))
order by external_id
for update
""")

_SEND = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select cast(:tenant as bigint), cast(:store as bigint), cast(:entity as text), x.id
from unnest(cast(:ids as bigint[])) as x(id) order by x.id
"""
    + DUE_AGAIN
)

_NEWEST_PUSH = text("select coalesce(max(id), 0) from pushes where store_id = :store")

_UNSENT = text("""
insert into drift (tenant_id, store_id, entity, record_id, kind, details, repaired)
select p.tenant_id, p.store_id, p.entity, p.record_id, 'missing_there',
  'the hub has it, the store does not: it is sent', true
from pushes p
where p.store_id = cast(:store as bigint) and p.entity = cast(:entity as text)
  and p.id > cast(:after as bigint)
order by p.id
""")


async def note_differences(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    entity: Entity,
    records: Sequence[Pulled[Record]],
) -> int:
    """Write down which of these records the hub should have had like this, and had not.

    In the transaction that takes them in, and before. Returns how many.
    """
    incoming = latest(one for pulled in records if (one := _prepared(pulled)) is not None)
    if not incoming:
        return 0
    noted = await connection.execute(
        _COMPARE,
        {
            "tenant": tenant_id,
            "store": store_id,
            "entity": entity.value,
            "keys": list(incoming),
            "versions": [one.version for one in incoming.values()],
            "digests": [one.digest for one in incoming.values()],
        },
    )
    return noted.rowcount


async def note_gone(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    entity: Entity,
    gone: Gone,
) -> None:
    """Write down what the store does not have any more."""
    await connection.execute(
        _GONE,
        {
            "tenant": tenant_id,
            "store": store_id,
            "entity": entity.value,
            "keys": list(gone.keys),
            "details": gone.details,
            "repaired": gone.is_repaired,
        },
    )


async def count_linked(connection: AsyncConnection, store_id: int, entity: Entity) -> int:
    """How many records the store has as far as the hub knows."""
    found = await connection.execute(_ALIVE, {"store": store_id, "entity": entity.value})
    return int(found.scalar_one())


async def list_from_hub(
    connection: AsyncConnection, store_id: int, entity: Entity, keys: Sequence[str]
) -> list[str]:
    """Which of these the store was given by the hub."""
    rows = await connection.execute(
        _FROM_HUB, {"store": store_id, "entity": entity.value, "keys": list(keys)}
    )
    return [row[0] for row in rows]


async def send_again(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    entity: Entity,
    keys: Sequence[str],
) -> None:
    """What the store lost of the hub's records is made there anew by the next push.

    Their links go, with those of a product's variants: a tombstone would say that the store does
    not want them.
    """
    scope = {"store": store_id, "entity": entity.value}
    lost = await connection.execute(_LOST, {**scope, "keys": list(keys)})
    ids = sorted(set(lost.scalars()))
    await forget(connection, store_id, entity, ids)
    await connection.execute(_SEND, {**scope, "tenant": tenant_id, "ids": ids})


async def newest_push(connection: AsyncConnection, store_id: int) -> int:
    """The id of the store's newest push."""
    return int((await connection.execute(_NEWEST_PUSH, {"store": store_id})).scalar_one())


async def note_unsent(
    connection: AsyncConnection, store_id: int, entity: Entity, *, after: int
) -> int:
    """Write down what became due to be sent after a push; how many."""
    noted = await connection.execute(
        _UNSENT, {"store": store_id, "entity": entity.value, "after": after}
    )
    return noted.rowcount


async def list_drift(
    connection: AsyncConnection,
    store_id: int,
    *,
    before: int | None,
    limit: int,
    entity: Entity | None = None,
    since: datetime | None = None,
) -> Sequence[Drift]:
    """Drift of a store, newest first."""
    columns = DRIFT.c
    query: Any = select(*(columns[name] for name in Drift.__dataclass_fields__)).where(
        columns.store_id == store_id
    )
    if before is not None:
        query = query.where(columns.id < before)
    if entity is not None:
        query = query.where(columns.entity == entity.value)
    if since is not None:
        query = query.where(columns.created_at >= since)
    rows = await connection.execute(query.order_by(columns.id.desc()).limit(limit))
    return [Drift(**row) for row in rows.mappings()]


def _prepared(pulled: Pulled[Record]) -> Incoming | None:
    buyer = buyer_key(pulled.record) if isinstance(pulled.record, Order) else None
    try:
        return prepare(pulled, buyer=buyer)
    except InvalidRecordError:
        return None
