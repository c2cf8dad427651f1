"""What a push would do, told before anything is sent."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field
from temporalio import activity

from activities.errors import translated
from activities.models import Message, StoreRef
from activities.push_batch import Item, is_foreign, is_idle, wanted
from activities.stores import OpensStores, OpenStore
from db import push_links, stock
from db.local_records import load_local
from db.push_preview import find_candidates
from db.pushes import Push
from db.session import Database
from db.stores import find_store
from db.tenants import get_tenant
from domain.entities import Entity
from domain.errors import StoreError
from domain.pages import Pulled
from domain.pushing import mark_of
from domain.records import Record
from providers._kit.protocols import WritesRecords, WritesStock


class PreviewPushInput(StoreRef):
    """Which entity, and how many records to look at."""

    entity: Entity
    limit: int


class PreviewedPush(Message):
    """One record, and what a push would do: `create`, `match` (link what the store has already and
    update it), `update`, `unpublish`, `conflict` (the store's belongs to another record here),
    `unsupported` or `unchanged`. `holder` is that other record."""

    record_id: int
    action: str
    external_id: str | None = None
    holder: int | None = None


class PreviewPushResult(Message):
    """What was looked at, of how many; or why the store said no.

    `error_type` is the name of a `StoreError`; `message` is for people.
    """

    total: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    items: tuple[PreviewedPush, ...] = ()
    error_type: str | None = None
    message: str | None = None


class PreviewActivities:
    """The step of `PreviewPushWorkflow`."""

    def __init__(self, database: Database, opener: OpensStores) -> None:
        self._database = database
        self._opener = opener

    @activity.defn
    async def preview_push(self, args: PreviewPushInput) -> PreviewPushResult:
        """Look; also at a store that is not active. A no of the store is a result, no failure."""
        with translated():
            store = await self._opener.open(args.tenant_id, args.store_id, even_inactive=True)
            async with self._database.tenant(args.tenant_id) as connection:
                found = await find_candidates(
                    connection, args.store_id, args.entity, limit=args.limit
                )
            try:
                items = await self._look(store, args, found.record_ids)
            except StoreError as error:
                return PreviewPushResult(error_type=type(error).__name__, message=str(error))
            counts = Counter(one.action for one in items)
            return PreviewPushResult(total=found.total, counts=dict(counts), items=tuple(items))

    async def _look(
        self, store: OpenStore, args: PreviewPushInput, record_ids: Sequence[int]
    ) -> list[PreviewedPush]:
        manifest, client, entity = store.manifest, store.client, args.entity
        size = manifest.push_sizes.get(entity, 0)
        if size and manifest.supports.of(entity).pushes:
            if entity is Entity.INVENTORY and isinstance(client, WritesStock):
                return await self._look_at_stock(client, args, record_ids)
            if entity is not Entity.INVENTORY and isinstance(client, WritesRecords):
                return await self._look_at_records(client, args, record_ids, size)
        return [PreviewedPush(record_id=one, action="unsupported") for one in record_ids]

    async def _look_at_records(
        self, client: WritesRecords, args: PreviewPushInput, record_ids: Sequence[int], size: int
    ) -> list[PreviewedPush]:
        entity = args.entity
        async with self._database.tenant(args.tenant_id) as connection:
            held = await load_local(connection, args.store_id, entity, record_ids)
            row = await find_store(connection, args.store_id)
            mark = mark_of((await get_tenant(connection)).public_id)
        currency = str(row.facts.get("currency") or "") if row is not None else ""
        items = [Item(Push(0, entity, one, 0), mark, held.get(one)) for one in record_ids]
        strangers = [
            one
            for one in items
            if one.external_id is None and not is_idle(one) and not is_foreign(one, currency)
        ]
        found: dict[str, Pulled[Record]] = {}
        for start in range(0, len(strangers), size):
            asked = [wanted(one) for one in strangers[start : start + size]]
            found |= await client.find(asked)
        keys = [one.external_id for one in found.values()]
        async with self._database.tenant(args.tenant_id) as connection:
            owners = await push_links.find_owners(connection, args.store_id, entity, keys)
        return [_told(one, currency, found, owners) for one in items]

    async def _look_at_stock(
        self, client: WritesStock, args: PreviewPushInput, record_ids: Sequence[int]
    ) -> list[PreviewedPush]:
        async with self._database.tenant(args.tenant_id) as connection:
            targets = await stock.load_targets(connection, args.store_id, record_ids)
        shown = await client.read_stock([one.target for one in targets]) if targets else {}
        known = {one.variant_id: one.target for one in targets}
        told: list[PreviewedPush] = []
        for record_id in record_ids:
            target = known.get(record_id)
            key = target.variant_external_id if target is not None else None
            is_same = target is None or shown.get(target.variant_external_id) == target.available
            action = "unchanged" if is_same else "update"
            told.append(PreviewedPush(record_id=record_id, action=action, external_id=key))
        return told


def _told(
    item: Item, currency: str, found: Mapping[str, Pulled[Record]], owners: Mapping[str, int]
) -> PreviewedPush:
    record_id, there = item.push.record_id, found.get(item.key)
    if there is not None:
        holder = owners.get(there.external_id, record_id)
        is_free = holder == record_id
        return PreviewedPush(
            record_id=record_id,
            action="match" if is_free else "conflict",
            external_id=there.external_id,
            holder=None if is_free else holder,
        )
    if is_idle(item):
        action = "unchanged"
    elif item.external_id is not None:
        action = "update" if item.record is not None else "unpublish"
    else:
        action = "unsupported" if is_foreign(item, currency) else "create"
    return PreviewedPush(record_id=record_id, action=action, external_id=item.external_id)
