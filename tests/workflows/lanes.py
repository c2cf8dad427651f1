"""A store's push lane with a take that only counts, over the real protocol."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.draining import DrainInput, DrainResult, LaneActivities, Pace
from activities.lanes import Take, Turn
from db.alerts import Alert, AlertFilter, list_alerts
from db.lanes import LaneKey
from db.session import Database
from domain.lanes import LaneKind
from tests.db.room import Room
from workflows.ids import lane_id
from workflows.registration import WORKFLOWS, sandboxed_runner
from workflows.task_queues import TaskQueue

QUICK = Pace(linger_s=0.02, look_s=0.005, most_s=5, alive_s=0.5)
LADDER_S = (0.0, 300.0, 900.0)

_CLAIM = text("""
select id, record_id, version, attempts from pushes
where store_id = :store and status = 'pending'
  and (next_attempt_at is null or next_attempt_at <= :now)
order by id limit :size
""")


@dataclass
class Sending:
    """Takes a store's pushes: what was sent stands in `sent`, once per time it was.

    `before_send` runs between the claim and the sending, and may raise as a store does; records in
    `poison` are refused one by one. Not `hears`: the store is not asked at all.
    """

    database: Database
    size: int = 100
    before_send: Callable[[Turn], Awaitable[None]] | None = None
    poison: frozenset[int] = frozenset()
    hears: bool = True
    sent: Counter[int] = field(default_factory=Counter)
    turns: list[Turn] = field(default_factory=list)
    tried: list[datetime] = field(default_factory=list)

    async def __call__(self, turn: Turn) -> int:
        tenant_id = turn.lane.tenant_id
        self.turns.append(turn)
        async with self.database.tenant(tenant_id) as connection:
            claimed = await connection.execute(
                _CLAIM, {"store": turn.lane.key, "now": turn.now, "size": self.size}
            )
            rows = list(claimed)
        if not rows:
            return 0
        self.tried.append(turn.now)
        if self.before_send:
            await self.before_send(turn)
        if self.hears:
            turn.hear()
        async with self.database.tenant(tenant_id) as connection:
            await turn.confirm(connection)
        self.sent.update(row.record_id for row in rows if row.record_id not in self.poison)
        async with self.database.tenant(tenant_id) as connection:
            await turn.confirm(connection)
            for row in rows:
                await self._record(connection, turn, row)
        return len(rows)

    async def _record(self, connection: Any, turn: Turn, row: Any) -> None:
        if row.record_id not in self.poison:
            await connection.execute(
                text("delete from pushes where id = :id and version = :version"),
                {"id": row.id, "version": row.version},
            )
            return
        again = turn.next_attempt(row.attempts + 1)
        await connection.execute(
            text(
                "update pushes set attempts = attempts + 1, next_attempt_at = :next,"
                " status = case when cast(:next as timestamptz) is null then 'failed'"
                " else 'pending' end where id = :id"
            ),
            {"id": row.id, "next": again},
        )


@dataclass
class Remembering:
    """A waker that wakes nobody."""

    woken: list[tuple[LaneKind, int]] = field(default_factory=list)

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        assert kind is not LaneKind.ALERT or key == tenant_id
        self.woken.append((kind, key))


@dataclass
class Street:
    """One store's push lane, its take, and whoever wakes it."""

    room: Room
    take: Sending
    waker: Remembering = field(default_factory=Remembering)
    pace: Pace = QUICK

    @property
    def lane(self) -> LaneKey:
        return LaneKey(self.room.tenant_id, LaneKind.PUSH, self.room.store_id)

    @property
    def workflow_id(self) -> str:
        return lane_id(LaneKind.PUSH, self.room.store_id)

    def activities(self) -> LaneActivities:
        takes: dict[LaneKind, Take] = {
            LaneKind.PUSH: self.take,
            LaneKind.ALERT: self._tell,
            LaneKind.INBOX: self._nothing,
        }
        return LaneActivities(self.room.database, takes, self.waker, pace=self.pace)

    async def _tell(self, turn: Turn) -> int:
        async with self.room.database.tenant(turn.lane.tenant_id) as connection:
            told = await connection.execute(
                text("update alert_messages set status = 'sent' where status = 'pending'")
            )
            return told.rowcount

    async def _nothing(self, _turn: Turn) -> int:
        return 0

    async def drain(self, now: datetime | None = None, *, attempt: int = 3) -> DrainResult:
        """One turn, without a workflow; as the last quick try if not said otherwise."""
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        args = DrainInput(
            tenant_id=self.room.tenant_id,
            kind=LaneKind.PUSH,
            key=self.room.store_id,
            now=now or datetime.now(UTC),
            ladder_s=LADDER_S,
        )
        return await environment.run(self.activities().drain_lane, args)

    @asynccontextmanager
    async def working(self, client: Client, **options: Any) -> AsyncIterator[None]:
        """A worker for lanes alone."""
        async with Worker(
            client,
            task_queue=TaskQueue.EVENTS,
            workflows=WORKFLOWS,
            activities=[self.activities().drain_lane],
            workflow_runner=sandboxed_runner(),
            **options,
        ):
            yield

    async def add(self, *records: int) -> None:
        """Rows to push, in one commit."""
        await self.room.rows(
            "insert into pushes (tenant_id, store_id, entity, record_id)"
            " select :tenant, :store, 'products', r from unnest(cast(:records as bigint[])) r",
            tenant=self.room.tenant_id,
            records=list(records),
            store=self.room.store_id,
        )

    async def left(self) -> list[tuple[Any, ...]]:
        """(record, status, attempts) of the rows that are there."""
        return await self.room.rows(
            "select record_id, status, attempts from pushes where store_id = :store order by id"
        )

    async def emptied(self, *, within_s: float = 5) -> bool:
        """Whether no row is left after so long at most."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if not await self.left():
                        return True
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False

    async def once(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is."""
        async with asyncio.timeout(10):
            while True:
                if is_so():
                    return
                await asyncio.sleep(0.005)

    async def once_row(self, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the lane's row is so."""
        async with asyncio.timeout(10):
            while True:
                if is_so(await self.row()):
                    return
                await asyncio.sleep(0.05)

    async def row(self) -> dict[str, Any]:
        """The lane's row."""
        columns = "awake, epoch, failures, next_attempt_at, last_error, paused_reason"
        found = await self.room.rows(
            f"select {columns} from lanes where kind = 'push' and key = :store"
        )
        return dict(zip(columns.split(", "), found[0], strict=True))

    async def shown(self) -> tuple[Any, ...]:
        """What the store shows."""
        found = await self.room.rows(
            "select last_sync_error, sync_retry_count, next_retry_at from stores where id = :store"
        )
        return found[0]

    async def sync_status(self) -> str:
        """The word for how the store is."""
        found = await self.room.rows("select sync_status from stores where id = :store")
        return str(found[0][0])

    async def paused(self) -> set[str]:
        """Which lanes of the store stand still."""
        found = await self.room.rows(
            "select kind from lanes where key = :store and paused_reason is not null"
        )
        return {row[0] for row in found}

    async def alerts(self) -> Sequence[Alert]:
        """The tenant's open alerts."""
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            return await list_alerts(
                connection, AlertFilter(status="open"), before=2**62, limit=100
            )


def raising(*errors: Exception) -> Callable[[Turn], Awaitable[None]]:
    """A store that fails so, one time each, and then recovers."""
    left = list(errors)

    async def fail(_turn: Turn) -> None:
        if left:
            raise left.pop(0)

    return fail


def always(error: Exception) -> Callable[[Turn], Awaitable[None]]:
    """A store that stays so."""

    async def fail(_turn: Turn) -> None:
        raise error

    return fail


def rounded(moments: Sequence[datetime]) -> list[timedelta]:
    """The pauses between them, to the ten seconds."""
    pauses = [later - one for one, later in pairwise(moments)]
    return [timedelta(seconds=round(pause.total_seconds(), -1)) for pause in pauses]
