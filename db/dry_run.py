"""What taking in a page would do: `db.apply` for real, compared, and rolled back.

Everything happens in one transaction that never commits. The page's records are locked for that
moment, and ids of sequences are lost; nothing else remains. What another transaction changes in
the instant between the rollback and the second look shows as it is then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.apply import Applied, apply
from db.record_looks import Look, Touched, difference_of, look, references
from db.run_diffs import created_keys
from db.session import Database
from db.staging import Origin
from db.unkeepable import transact_with_care
from domain.differences import Difference, capped
from domain.entities import Entity
from domain.pages import Page, Rejected
from domain.records import Record

_SEQ: Final = text("select coalesce(max(seq), 0) from tenant_counters")

# `now()` is when the transaction began, which is what its rows bear.
_TOUCHED: Final = text("""
select entity, record_id, action from changes where seq > :seq and created_at = now()
""")

_HELD: Final = text("""
select entity, record_id from conflicts
where store_id = :store and status = 'open' and updated_at = now()
""")

_LINKS: Final = text("""
select external_id, record_id from links
where store_id = :store and entity = :entity and external_id = any(:keys) and deleted_at is null
""")

_QUEUED: Final = text("""
select count(*)
from stores s
cross join unnest(cast(:entities as text[]), cast(:ids as bigint[])) as x(entity, id)
cross join lateral (
  select from pushes p
  where p.tenant_id = s.tenant_id and p.store_id = s.id and p.entity = x.entity
    and p.record_id = x.id and p.updated_at = now() offset 0) p
""")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a page would do.

    Attributes:
        applied: the counts, as the real thing would give them.
        differences: what would be written, the records set aside included.
        queued: how many records would have to be pushed because of it, to any store.
    """

    applied: Applied
    differences: tuple[Difference, ...]
    queued: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A page to be tried.

    Attributes:
        run_id: a dry run whose earlier pages count as taken in, where records refer to them.
        strict: see `db.apply.apply`.
    """

    origin: Origin
    entity: Entity
    page: Page[Record]
    run_id: int | None = None
    strict: bool = False


async def foresee(database: Database, trial: Trial) -> Foreseen:
    """Take in a page and undo it."""

    async def work(connection: AsyncConnection, careful: bool) -> Foreseen:
        seen = await _try(connection, trial, careful=careful)
        # Nothing is left to commit; that nothing can be is said here.
        await connection.rollback()
        return seen

    return await transact_with_care(database, trial.origin.tenant_id, work)


async def _try(connection: AsyncConnection, trial: Trial, *, careful: bool) -> Foreseen:
    store_id, entity, page = trial.origin.store_id, trial.entity, trial.page
    seq = (await connection.execute(_SEQ)).scalar_one()
    attempt = await connection.begin_nested()
    applied = await apply(
        connection, trial.origin, entity, page, careful=careful, strict=trial.strict
    )
    touched = await _touched(connection, store_id, seq)
    kept = await _links(connection, trial)
    queued = await _queued(connection, {*touched, *((entity.value, one) for one in kept.values())})
    after = await look(connection, store_id, touched)
    await attempt.rollback()
    before = await look(connection, store_id, touched)
    lost = (await _links(connection, trial)).items() - kept.items()
    created = await _created(connection, trial, after)
    found = [
        one
        for about, action in sorted(touched.items())
        if (one := difference_of(about, action, before, after, created)) is not None
    ]
    found += [
        _unlinked(entity, key, one) for key, one in lost if (entity.value, one) not in touched
    ]
    found += [_rejected(entity, one) for one in applied.rejected]
    return Foreseen(applied, tuple(found), queued)


def _unlinked(entity: Entity, key: str, record_id: int) -> Difference:
    """The store does not have it any more, and the hub's record stays."""
    fields = {"isLinked": {"from": True, "to": False}}
    return Difference("pull", entity.value, key, "deleted", key, record_id, fields)


def _rejected(entity: Entity, one: Rejected) -> Difference:
    return Difference(
        "pull",
        entity.value,
        one.external_id or f"#{one.position}",
        "rejected",
        one.external_id,
        fields=capped({"reason": {"from": None, "to": one.reason}}),
    )


async def _created(connection: AsyncConnection, trial: Trial, after: Look) -> frozenset[str]:
    """The categories that the dry run would have brought in, as far as the page names them."""
    if trial.run_id is None or trial.entity not in (Entity.PRODUCTS, Entity.CATEGORIES):
        return frozenset()
    keys = references(after.records.values())
    return await created_keys(connection, trial.run_id, Entity.CATEGORIES, keys)


async def _touched(connection: AsyncConnection, store_id: int, seq: int) -> Touched:
    touched: dict[tuple[str, int], str] = {}
    for row in await connection.execute(_HELD, {"store": store_id}):
        touched[row.entity, row.record_id] = ""
    for row in await connection.execute(_TOUCHED, {"seq": seq}):
        key = (row.entity, row.record_id)
        # What is new stays new, whatever else becomes of it.
        if touched.get(key) != "created":
            touched[key] = row.action
    return touched


async def _links(connection: AsyncConnection, trial: Trial) -> dict[str, int]:
    """The hub's ids of the page's records that the store has, by its own."""
    keys = sorted({one.external_id for one in trial.page.records} | set(trial.page.tombstones))
    about = {"store": trial.origin.store_id, "entity": trial.entity.value, "keys": keys}
    rows = await connection.execute(_LINKS, about)
    return {row.external_id: row.record_id for row in rows}


async def _queued(connection: AsyncConnection, about: Collection[tuple[str, int]]) -> int:
    ordered = sorted(about)
    found = await connection.execute(
        _QUEUED, {"entities": [one[0] for one in ordered], "ids": [one[1] for one in ordered]}
    )
    return int(found.scalar_one())
