"""How a batch of incoming records gets into the database: one COPY, then set-based statements.

COPY into a table with row-level security is refused by PostgreSQL, so a batch is copied into a
temporary table (`stage`) and written from there. `touched` collects what the batch did to which
record and becomes the batch's rows of `changes`. Both empty themselves at the end of the
transaction. `db.session` creates them with every connection.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

from psycopg import AsyncConnection as Driver
from psycopg import AsyncCursor
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import LostRaceError
from domain.entities import Entity
from domain.reconcile import Incoming, LinkState

# A batch is small, and everything it joins with is indexed by what it joins on: the right plan is
# always the written one, a loop from `stage` outwards. It is said aloud because statistics lag
# behind an import: left alone, the planner scanned whole tables (2.2 s for a page of products).
# What is the only plan need not be made again for other parameters.
_PLANNER = """
select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true), set_config('join_collapse_limit', '1', true),
       set_config('from_collapse_limit', '1', true),
       set_config('plan_cache_mode', 'force_generic_plan', true)
"""

_SEQUENCES = {
    Entity.CATEGORIES: "categories_id_seq",
    Entity.PRODUCTS: "products_id_seq",
    Entity.VARIANTS: "product_variants_id_seq",
    Entity.CUSTOMERS: "customers_id_seq",
    Entity.ORDERS: "orders_id_seq",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch comes from.

    Attributes:
        bulk: marks the changes of an initial import.
        force: the store wins everything, also over what only the hub changed.
        read_at: with `force`, see `domain.reconcile.decide`.
    """

    tenant_id: int
    store_id: int
    bulk: bool = False
    force: bool = False
    read_at: datetime | None = None


class Statements:
    """SQL to run one behind the other with shared parameters, in the order it was added."""

    def __init__(self, *texts: str, **params: Any) -> None:
        self.texts = list(texts)
        self.params = params

    def add(self, *texts: str, **params: Any) -> None:
        """Add statements, and the parameters that only they use."""
        self.texts += texts
        self.params |= params


class Batch:
    """One batch, in the caller's transaction: look, decide, stage, write."""

    def __init__(self, driver: Driver[Any], origin: Origin, entity: Entity) -> None:
        self._driver = driver
        self._params = {
            "tenant": origin.tenant_id,
            "store": origin.store_id,
            "entity": entity.value,
            "bulk": origin.bulk,
        }
        self._sequence = _SEQUENCES[entity]
        self.has_unpublished = False
        self.is_two_way = False
        self.settings: Mapping[str, Any] = {}

    @classmethod
    async def open(cls, connection: AsyncConnection, origin: Origin, entity: Entity) -> Self:
        """A batch in the connection's transaction."""
        raw = await connection.get_raw_connection()
        return cls(cast("Driver[Any]", raw.driver_connection), origin, entity)

    async def look(self, keys: Iterable[str]) -> dict[str, LinkState]:
        """The links of these external ids. Also makes the transaction ready for the batch.

        From here on `has_unpublished` tells whether a batch before left changes to be published,
        `settings` how the store takes part in syncing, and `is_two_way` whether anybody but this
        store could have to do with the records.
        """
        async with self._driver.pipeline():
            await self._run(_PLANNER)
            used = await self._run(_ABOUT)
            links = await self._run(_LINKS, keys=sorted(set(keys)))
        [(has_staged, self.has_unpublished, self.settings, self.is_two_way)] = await used.fetchall()
        if has_staged:
            await self.write(Statements("delete from stage"))
        return _states(await links.fetchall())

    async def lock(self, links: Mapping[str, LinkState]) -> dict[str, LinkState]:
        """These links, locked for writing in an order that all writers keep.

        Where other stores may have the same records, their links are locked as well: two stores
        that change a record at once do not deadlock over each other's links.
        """
        if not self.is_two_way:
            held = await self._run(_LINKS + " for update", keys=sorted(links))
            return _states(await held.fetchall())
        record_ids = sorted({link.record_id for link in links.values()})
        rows = await self.ask(_LINKS_OF_RECORDS, record_ids=record_ids)
        return _states([row for is_ours, *row in rows if is_ours and row[0] in links])

    async def touched_ids(self) -> list[int]:
        """The records of the batch's entity that were written so far."""
        rows = await self.ask(
            "select distinct record_id from touched where entity = %(entity)s order by 1"
        )
        return [row[0] for row in rows]

    async def ask(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        """Run one statement of the batch and read its rows."""
        answer = await self._run(statement, **params)
        return await answer.fetchall() if answer.description is not None else []

    async def stage(self, records: Sequence[Incoming], links: Mapping[str, LinkState]) -> None:
        """Copy the records that will be written."""
        async with self._driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            for one in records:
                await copy.write_row(
                    (
                        one.external_id,
                        one.version,
                        one.digest,
                        one.snapshot.decode(),
                        one.buyer,
                        one.external_id not in links,
                    )
                )

    async def write(
        self,
        statements: Statements,
        *,
        created: int = 0,
        updated: int = 0,
        returning: str | None = None,
    ) -> list[tuple[Any, ...]]:
        """Write the links of what is staged, then run the statements, without waiting in between.

        What is new gets its id with its link. The changes are published last, because that takes
        the tenant's counter, which is held until the commit: so the order of `seq` is the order of
        commits, and a reader may ask for "later than" without missing a row.

        Returns:
            The rows of the statement named by `returning`.

        Raises:
            LostRaceError: a new record was created by somebody else since we looked.
        """
        params, claimed = statements.params, None
        async with self._driver.pipeline():
            if created:
                claim = _CLAIM.replace("{sequence}", self._sequence)
                claimed = await self._run(claim, **params)
            if updated:
                await self._run(_REBASE, **params)
            answers = [await self._run(one, **params) for one in statements.texts]
        if claimed is not None and claimed.rowcount != created:
            raise LostRaceError
        asked = [
            answer
            for one, answer in zip(statements.texts, answers, strict=True)
            if one == returning
        ]
        return [row for answer in asked for row in await answer.fetchall()]

    async def _run(self, statement: str, **params: Any) -> AsyncCursor[Any]:
        """Run a statement that is prepared at its first use: a connection writes page after page.

        Left to itself the driver prepares at the sixth, and forgets it all with each rollback.
        """
        return await self._driver.execute(statement, {**self._params, **params}, prepare=True)


def _states(links: Iterable[Sequence[Any]]) -> dict[str, LinkState]:
    return {
        key: LinkState(record_id, None if digest is None else bytes(digest), version, *flags)
        for key, record_id, digest, version, *flags in links
    }


_ABOUT = """
select exists (select from stage), exists (select from touched), s.settings,
       exists (select from stores o where o.tenant_id = %(tenant)s and o.id <> s.id)
       or exists (select from pushes p where p.tenant_id = %(tenant)s and p.store_id = s.id)
       or coalesce((select c.has_own_records from tenant_counters c
                    where c.tenant_id = %(tenant)s), false)
from stores s where s.tenant_id = %(tenant)s and s.id = %(store)s
"""
_COPY = "copy stage (key, version, digest, base, buyer, is_new) from stdin"

_STATE = """external_id, record_id, base_hash, version, deleted_at is not null,
       differs or not is_home or coalesce(pushed_at > now() - interval '10 minutes', false),
       greatest(updated_at, confirmed_at)"""

_LINKS = f"""
select {_STATE}
from links
where tenant_id = %(tenant)s and store_id = %(store)s and entity = %(entity)s
  and external_id = any(%(keys)s)
order by external_id
"""  # noqa: S608 - constants

_LINKS_OF_RECORDS = f"""
select store_id = %(store)s, {_STATE}
from links
where tenant_id = %(tenant)s and entity = %(entity)s and record_id = any(%(record_ids)s)
order by record_id, store_id, external_id
for update
"""  # noqa: S608 - constants

_CLAIM = """
with fresh as (
  insert into links
    (tenant_id, store_id, entity, external_id, record_id, base, base_hash, version)
  select %(tenant)s, %(store)s, %(entity)s, s.key, nextval('{sequence}'), s.base, s.digest,
         s.version
  from stage s where s.is_new order by s.key
  on conflict do nothing
  returning external_id, record_id)
insert into touched (entity, key, record_id, action)
select %(entity)s, external_id, record_id, 'created' from fresh
"""

_REBASE = """
with rebased as (
  update links l
  set base = s.base, base_hash = s.digest, version = s.version, deleted_at = null,
      updated_at = now()
  from stage s
  cross join lateral (
    select k.ctid as place from links k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = %(entity)s
      and k.external_id = s.key limit 1) held
  where not s.is_new and l.ctid = held.place
  returning l.external_id, l.record_id)
insert into touched (entity, key, record_id, action)
select %(entity)s, external_id, record_id, 'updated' from rebased
"""


def drop_touched(table: str) -> str:
    """Delete the records of a table, named as its entity is, that the batch touched as deleted."""
    return f"""
update {table} r set deleted_at = now(), updated_at = now()
from touched t
where t.entity = '{table}' and t.action = 'deleted' and r.tenant_id = %(tenant)s
  and r.id = t.record_id
"""  # noqa: S608 - constants


PUBLISH = """
with done as (
  delete from touched returning entity, record_id, action),
batch as (
  select entity, record_id, action, row_number() over (order by entity, record_id) as place
  from done),
counter as (
  update tenant_counters set seq = seq + (select count(*) from batch)
  where tenant_id = %(tenant)s and exists (select from batch)
  returning seq - (select count(*) from batch) as before)
insert into changes (tenant_id, seq, entity, record_id, action, store_id, bulk)
select %(tenant)s, counter.before + batch.place, batch.entity, batch.record_id, batch.action,
       %(store)s, %(bulk)s
from batch, counter
"""
