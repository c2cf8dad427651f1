"""The push lane's take: telling a store what changed elsewhere, one batch a call."""

from datetime import timedelta
from typing import Final

from activities.lanes import Turn, Waker
from activities.push_batch import Errand
from activities.push_records import push_records
from activities.push_stock import StockPush
from activities.stores import OpensStores
from db import pushes
from db.pushes import UNSUPPORTED, Setback
from db.session import Database
from db.stores import find_store
from db.tenants import get_tenant
from domain.entities import Entity
from domain.pushing import mark_of
from domain.sync_settings import Direction
from providers._kit.protocols import WritesRecords, WritesStock

DOUBT_S: Final = 30.0
"""How long a create without an answer may still be under way in the store."""

_MANY: Final = 500


class PushTake:
    """Claims what is due of a store's pushes, sends it and records what came of it.

    Args:
        doubt_s: how long a create whose outcome is unknown is left alone before it is looked up.
    """

    def __init__(
        self, database: Database, opener: OpensStores, waker: Waker, *, doubt_s: float = DOUBT_S
    ) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker
        self._doubt = timedelta(seconds=doubt_s)

    async def __call__(self, turn: Turn) -> int:
        """One batch of one entity; how many rows are settled or moved on. 0: nothing is due.

        Raises:
            StoreError: the store is away or refuses the keys; no row has spent an attempt.
            StoreGoneError: the store is deleted or not active.
            TurnLostError: another attempt took over.
        """
        lane = turn.lane
        async with self._database.tenant(lane.tenant_id) as connection:
            entity = await pushes.first_due(connection, lane.key, now=turn.now)
            row = await find_store(connection, lane.key)
            tenant = await get_tenant(connection)
        if entity is None or row is None:
            return 0
        store = await self._opener.open(lane.tenant_id, lane.key)
        direction = store.settings.sync_directions.of(entity)
        # What is left then was asked for by a person, and goes unless nothing at all should.
        if not direction.pushes and (dropped := await self._drop(turn, entity)):
            return dropped
        if direction is Direction.OFF:
            return await self._cannot(turn, entity, _switched_off(entity))
        limit = store.manifest.push_sizes.get(entity, 0)
        supported = store.manifest.supports.of(entity).pushes and limit > 0
        client = store.client
        if entity is Entity.INVENTORY:
            if supported and isinstance(client, WritesStock):
                return await StockPush(self._database, turn, self._waker, client).push(limit)
        elif supported and isinstance(client, WritesRecords):
            errand = Errand(
                self._database,
                turn,
                self._waker,
                client,
                store.settings,
                str(row.facts.get("currency") or ""),
                entity,
                self._doubt,
                mark_of(tenant.public_id),
                store.writes_sent,
            )
            async with self._database.tenant(lane.tenant_id) as connection:
                batch = await pushes.claim_due(
                    connection, lane.key, entity, now=turn.now, limit=limit
                )
            return await push_records(errand, batch)
        reason = f"{store.manifest.title} offers no way to write {entity.value}"
        return await self._cannot(turn, entity, reason)

    async def _drop(self, turn: Turn, entity: Entity) -> int:
        """The store's settings have changed since: it does not want these any more."""
        store_id = turn.lane.key
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            await turn.confirm(connection)
            batch = await pushes.claim_due(
                connection, store_id, entity, now=turn.now, limit=_MANY, unasked=True
            )
            await pushes.settle(connection, store_id, batch)
        return len(batch)

    async def _cannot(self, turn: Turn, entity: Entity, reason: str) -> int:
        store_id = turn.lane.key
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            await turn.confirm(connection)
            batch = await pushes.claim_due(connection, store_id, entity, now=turn.now, limit=_MANY)
            held = [Setback(one, UNSUPPORTED, reason, one.attempts) for one in batch]
            await pushes.set_back(connection, store_id, held)
        return len(batch)


def _switched_off(entity: Entity) -> str:
    name = "orderStatus" if entity is Entity.ORDERS else entity.value
    return (
        f"The store's settings have {name} switched off: set syncDirections.{name} to push, pull "
        "or both, then ask again."
    )
