"""Pushing stock: read what the store shows, count what moved there, write, and read back.

Between the reading and the writing a sale in the store may be overwritten: the store takes absolute
numbers only. The number read back tells, and what is not the hub's then is pushed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import Turn, Waker, wake_pushes
from activities.push_alarm import raise_for_dead
from db import pushes, stock
from db.publishing import publish
from db.push_logs import PushReport, log_push, run_of
from db.pushes import FAILED, PENDING, UNSUPPORTED, Push, Setback
from db.session import Database
from db.stock import LevelTarget
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.pushing import Outcome, StockPushed, StockShown
from providers._kit.protocols import WritesStock

_GONE = "The store does not have this variant any more: it is found out when its product is read."
_UNKNOWN = "The store does not have this variant, or nobody counts its stock."
_MOVED = "The store shows another number than was written: it is counted and written again."


class StockPush:
    """One batch of stock for one store."""

    def __init__(self, database: Database, turn: Turn, waker: Waker, client: WritesStock) -> None:
        self._database = database
        self._turn = turn
        self._waker = waker
        self._client = client
        self._tenant_id, self._store_id = turn.lane.tenant_id, turn.lane.key

    async def push(self, limit: int) -> int:
        """Bring the rows that are due to the store; how many are settled or moved on.

        Raises:
            StoreError: the store is away or refuses the keys.
        """
        async with self._database.tenant(self._tenant_id) as connection:
            batch = await pushes.claim_due(
                connection,
                self._store_id,
                Entity.INVENTORY,
                now=self._turn.now,
                limit=limit,
            )
            ids = [one.record_id for one in batch]
            targets = await stock.load_targets(connection, self._store_id, ids)
        if not batch:
            return 0
        told: Mapping[str, StockShown] = {}
        if targets:
            told = await self._client.read_stock([one.target for one in targets])
            self._turn.hear()
        shown = {
            one.variant_id: told[one.target.variant_external_id]
            for one in targets
            if one.target.variant_external_id in told
        }
        gone = {one.variant_id for one in targets} - shown.keys()
        written = await self._prepare(batch, shown, gone)
        if written:
            await self._confirm()
            answers = await self._client.push_stock([one.target for one in written])
            await self._record(batch, list(zip(written, answers, strict=True)))
        return len(batch)

    async def _confirm(self) -> None:
        async with self._database.tenant(self._tenant_id) as connection:
            await self._turn.confirm(connection)

    async def _prepare(
        self, batch: Sequence[Push], shown: dict[int, StockShown], gone: set[int]
    ) -> Sequence[LevelTarget]:
        """Count what moved in the store; what has to be written. The other rows are settled."""

        async def work(
            connection: AsyncConnection,
        ) -> tuple[Sequence[LevelTarget], bool, frozenset[int]]:
            await self._turn.confirm(connection)
            forced = {one.record_id for one in batch if one.is_forced}
            todo = await stock.prepare_levels(
                connection,
                self._store_id,
                {key: one.available for key, one in shown.items()},
                versions={key: one.version for key, one in shown.items()},
                forced=forced,
            )
            # Its deletion may have come in since it was asked for.
            missing = await stock.load_targets(connection, self._store_id, gone) if gone else ()
            lost = {one.variant_id for one in missing}
            open_ = {one.variant_id for one in todo} | lost
            idle = [one for one in batch if one.record_id not in open_]
            unknown = [one for one in idle if one.run_id and one.record_id not in shown]
            settled = [one for one in idle if one not in unknown]
            setbacks = [self._failed(one, _GONE) for one in batch if one.record_id in lost]
            setbacks += [Setback(one, UNSUPPORTED, _UNKNOWN, one.attempts) for one in unknown]
            await pushes.settle(connection, self._store_id, settled)
            await pushes.set_back(connection, self._store_id, setbacks)
            alarmed = await raise_for_dead(connection, self._turn.lane, setbacks)
            return todo, alarmed, await self._publish(connection)

        todo, alarmed, stores = await self._database.transact(self._tenant_id, work)
        await self._wake(stores, alarmed=alarmed)
        return todo

    async def _record(
        self, batch: Sequence[Push], answers: Sequence[tuple[LevelTarget, StockPushed]]
    ) -> None:
        rows = {one.record_id: one for one in batch}

        async def work(connection: AsyncConnection) -> tuple[bool, frozenset[int]]:
            await self._turn.confirm(connection)
            again = await stock.record_pushed_levels(connection, self._store_id, answers)
            setbacks = [
                setback
                for target, pushed in answers
                if (setback := self._setback(rows[target.variant_id], pushed, again)) is not None
            ]
            held = {one.push.id for one in setbacks}
            settled = [
                push for target, _ in answers if (push := rows[target.variant_id]).id not in held
            ]
            await pushes.settle(connection, self._store_id, settled)
            await pushes.set_back(connection, self._store_id, setbacks)
            report = replace(_report(answers, setbacks), run_id=run_of(batch))
            await log_push(connection, self._tenant_id, self._store_id, report)
            alarmed = await raise_for_dead(connection, self._turn.lane, setbacks)
            return alarmed, await self._publish(connection)

        alarmed, stores = await self._database.transact(self._tenant_id, work)
        await self._wake(stores, alarmed=alarmed)

    def _setback(self, push: Push, pushed: StockPushed, again: frozenset[int]) -> Setback | None:
        match pushed.outcome:
            case Outcome.UNSUPPORTED:
                return Setback(push, UNSUPPORTED, pushed.reason, push.attempts)
            case Outcome.MISSING:
                return self._failed(push, pushed.reason or _GONE)
            case Outcome.REFUSED:
                return self._failed(push, pushed.reason)
        if push.record_id not in again:
            return None
        if push.attempts == 0:
            return Setback(push, PENDING, _MOVED, 1)
        return self._failed(push, _MOVED)

    def _failed(self, push: Push, reason: str) -> Setback:
        attempts = push.attempts + 1
        due = self._turn.next_attempt(attempts)
        return Setback(push, PENDING if due is not None else FAILED, reason, attempts, due)

    async def _publish(self, connection: AsyncConnection) -> frozenset[int]:
        return await publish(connection, self._tenant_id, (), store_id=self._store_id)

    async def _wake(self, stores: frozenset[int], *, alarmed: bool) -> None:
        await wake_pushes(self._waker, self._tenant_id, stores - {self._store_id})
        if alarmed:
            await self._waker.wake(self._tenant_id, LaneKind.ALERT, self._tenant_id)


def _report(
    answers: Sequence[tuple[LevelTarget, StockPushed]], setbacks: Sequence[Setback]
) -> PushReport:
    counts: dict[str, int] = {"sent": len(answers)}
    for _, pushed in answers:
        word = "updated" if pushed.outcome is Outcome.DONE else pushed.outcome.value
        counts[word] = counts.get(word, 0) + 1
    return PushReport(
        Entity.INVENTORY,
        counts,
        errors={one.push.record_id: one.error for one in setbacks},
        tries=1 + max((one.push.attempts for one in setbacks), default=0),
    )
