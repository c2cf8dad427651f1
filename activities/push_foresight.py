"""What a push of records would do, told before anything is sent: the store is only read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.models import StoreRef
from activities.push_batch import Item, is_foreign, is_idle, outgoing, wanted, why_not
from activities.stores import OpenStore
from db import push_links, stock
from db.dry_run import Trial, foresee
from db.local_records import load_local
from db.pushes import Push
from db.session import Database
from db.staging import Origin
from db.stores import find_store
from db.tenants import get_tenant
from domain.differences import Shown, number, to_send, with_held
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.pushing import mark_of
from domain.records import Product, Record
from domain.sync_settings import ConflictPolicy
from domain.variant_pairs import pair_variants
from providers._kit.protocols import ReadsPages, WritesRecords, WritesStock
from providers._kit.sparing import SparesFields

_CURRENCY = "Its prices are in a currency that the store does not sell in."
_CANNOT = "The store's provider cannot be told of this."
_TAKEN = "The store has it already, as the one that belongs to record {holder} of the hub."


@dataclass(frozen=True, slots=True)
class Foretold:
    """One record, and what a push would do.

    Attributes:
        action: `create`, `match` (link what the store has already and update it), `update`,
            `unpublish`, `conflict` (a person has to decide first), `unsupported` or `unchanged`.
        holder: the record of the hub that the store's belongs to.
        fields: what would be sent, over what the store has.
        reason: why it would not be sent.
        waits: whether a field of it waits for a person, or would.
    """

    record_id: int
    action: str
    external_id: str | None = None
    holder: int | None = None
    reason: str = ""
    waits: bool = False
    fields: Shown = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look-up in the store found, by our key, and whose it is, by the store's id."""

    there: Mapping[str, Pulled[Record]]
    owners: Mapping[str, int]
    currency: str


class PushForesight:
    """Looks what pushes of one kind of record to one store would do.

    Args:
        run_id, is_forced: as of a push that a person asked for.
    """

    def __init__(
        self,
        database: Database,
        store: OpenStore,
        ref: StoreRef,
        entity: Entity,
        *,
        run_id: int | None = None,
        is_forced: bool = False,
    ) -> None:
        self._database = database
        self._store = store
        self._tenant_id, self._store_id = ref.tenant_id, ref.store_id
        self._entity = entity
        self._push = Push(0, entity, 0, 0, run_id=run_id, is_forced=is_forced)

    async def look(self, record_ids: Sequence[int]) -> list[Foretold]:
        """One answer for each record, in their order. Raises StoreError."""
        manifest, client, entity = self._store.manifest, self._store.client, self._entity
        size = manifest.push_sizes.get(entity, 0)
        if size and manifest.supports.of(entity).pushes:
            if entity is Entity.INVENTORY and isinstance(client, WritesStock):
                return await self._look_at_stock(client, record_ids)
            if entity is not Entity.INVENTORY and isinstance(client, WritesRecords):
                return await self._look_at_records(client, record_ids, size)
        return [Foretold(one, "unsupported", reason=_CANNOT) for one in record_ids]

    async def _look_at_records(
        self, client: WritesRecords, record_ids: Sequence[int], size: int
    ) -> list[Foretold]:
        entity = self._entity
        async with self._database.tenant(self._tenant_id) as connection:
            held = await load_local(connection, self._store_id, entity, record_ids)
            row = await find_store(connection, self._store_id)
            mark = mark_of((await get_tenant(connection)).public_id)
        currency = str(row.facts.get("currency") or "") if row is not None else ""
        items = [
            Item(replace(self._push, record_id=one), mark, held.get(one)) for one in record_ids
        ]
        strangers = [
            one
            for one in items
            if one.external_id is None and not is_idle(one) and not is_foreign(one, currency)
        ]
        there: dict[str, Pulled[Record]] = {}
        for start in range(0, len(strangers), size):
            asked = [wanted(one) for one in strangers[start : start + size]]
            there |= await client.find(asked)
        keys = [one.external_id for one in there.values()]
        async with self._database.tenant(self._tenant_id) as connection:
            owners = await push_links.find_owners(connection, self._store_id, entity, keys)
        found = _Found(there, owners, currency)
        told = [self._told(one, found) for one in items]
        return await self._with_conflicts(told)

    def _told(self, item: Item, found: _Found) -> Foretold:
        record_id, there = item.push.record_id, found.there.get(item.key)
        if item.push.run_id is not None and (reason := why_not(item)):
            return Foretold(record_id, "unsupported", reason=reason)
        if there is not None:
            return self._matched(item, there, found.owners.get(there.external_id, record_id))
        local = item.local
        held = {} if local is None or item.push.is_forced else local.held_sides
        if is_idle(item):
            action, fields = "conflict" if held else "unchanged", with_held({}, held)
            return Foretold(record_id, action, item.external_id, waits=item.waits, fields=fields)
        if item.external_id is not None:
            action = "update" if item.record is not None else "unpublish"
            fields = with_held(self._fields(item), held)
            return Foretold(record_id, action, item.external_id, waits=item.waits, fields=fields)
        if is_foreign(item, found.currency):
            return Foretold(record_id, "unsupported", reason=_CURRENCY)
        return Foretold(record_id, "create", fields=self._fields(item))

    def _matched(self, item: Item, there: Pulled[Record], holder: int) -> Foretold:
        record_id, key = item.push.record_id, there.external_id
        if holder != record_id:
            reason = _TAKEN.format(holder=holder)
            return Foretold(record_id, "conflict", key, holder, reason)
        local = item.local
        if local is not None and isinstance(there.record, Product):
            pairs = pair_variants(item.variants, there.record.variants)
            local = local.named(dict(pairs))
        item = replace(item, local=local)
        return Foretold(record_id, "match", key, fields=self._fields(item, there.record))

    def _fields(self, item: Item, said: Record | None = None) -> Shown:
        sent, client = outgoing(item, self._store.settings), self._store.client
        left_out = sent.held
        if sent.is_forced and sent.record is not None and isinstance(client, SparesFields):
            left_out |= client.spared(sent.record, sent.base)
        return to_send(
            self._entity,
            sent.record,
            said or sent.base,
            held=left_out,
            is_forced=sent.is_forced,
        )

    async def _with_conflicts(self, told: list[Foretold]) -> list[Foretold]:
        """Where a person decides conflicts, records are read right before their update."""
        settings, client = self._store.settings, self._store.client
        policies = {settings.conflict_policy, *settings.conflict_policies.values()}
        keys = [one.external_id for one in told if one.action == "update" and one.external_id]
        is_read = ConflictPolicy.MANUAL in policies and not self._push.is_forced
        if not is_read or not keys or not isinstance(client, ReadsPages):
            return told
        held: dict[int | None, Shown] = {}
        size = self._store.manifest.page_size
        for start in range(0, len(keys), size):
            page: Page[Record] = await client.fetch_by_ids(
                self._entity, tuple(keys[start : start + size])
            )
            origin = Origin(self._tenant_id, self._store_id)
            seen = await foresee(self._database, Trial(origin, self._entity, page))
            held |= {
                one.record_id: one.fields for one in seen.differences if one.action == "conflict"
            }
        return [
            replace(one, action="conflict", waits=True, fields=held[one.record_id])
            if one.record_id in held
            else one
            for one in told
        ]

    async def _look_at_stock(
        self, client: WritesStock, record_ids: Sequence[int]
    ) -> list[Foretold]:
        async with self._database.tenant(self._tenant_id) as connection:
            targets = await stock.load_targets(connection, self._store_id, record_ids)
        read = await client.read_stock([one.target for one in targets]) if targets else {}
        keys = {one.variant_id: one.target.variant_external_id for one in targets}
        shown = {one: read[key].available for one, key in keys.items() if key in read}
        forced = frozenset(record_ids) if self._push.is_forced else frozenset[int]()

        async def count(connection: AsyncConnection) -> Sequence[stock.LevelTarget]:
            # What moved in the store since is counted before anything is written; here for nothing.
            todo = await stock.prepare_levels(connection, self._store_id, shown, forced=forced)
            await connection.rollback()
            return todo

        todo = await self._database.transact(self._tenant_id, count)
        numbers = {one.variant_id: one.target.available for one in todo}
        told: list[Foretold] = []
        for one in record_ids:
            if one in numbers:
                change = {"from": number(shown[one]), "to": number(numbers[one])}
                told.append(Foretold(one, "update", keys[one], fields={"available": change}))
            else:
                told.append(Foretold(one, "unchanged", keys.get(one)))
        return told
