"""Working off a store's inbox: received webhooks become records, in order per record.

A batch goes in three steps. What the bodies say for sure is applied first, without the network, so
that it comes in while the store is away. What has to be read again is fetched outside any
transaction, each id once. Every result is recorded in the transaction that made it, so whoever is
killed leaves events that are done or due, never in between.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.inbox_results import Results, record
from activities.inbox_sorting import Reader, Sorted, Task, in_order, sort_out
from activities.lanes import Turn, Waker
from activities.stores import OpenStore, StoreOpener
from db.apply import Applied, apply
from db.session import Database
from db.staging import Origin
from db.unkeepable import Work, transact_with_care
from db.webhook_events import InboxEvent, LinkMark, claim_events, look_at_links
from domain.entities import Entity
from domain.errors import PermissionDeniedError, RequestRejectedError, RouteMissingError
from domain.lanes import LaneKind
from domain.pages import Page, Pulled
from domain.records import Record

BATCH: Final = 200
_ONE_KIND_FAILS: Final = (PermissionDeniedError, RequestRejectedError, RouteMissingError)
"""What a store says of one kind of record: the others need not wait for a person."""

_Events = tuple[InboxEvent, ...]
_Keys = Mapping[str, _Events]
"""Events by the external id of the record they are about."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a transaction leaves to be done after its commit."""

    reread: Mapping[str, _Events] = field(default_factory=dict)
    pushes: frozenset[int] = frozenset()
    is_alerted: bool = False


_Work = Work[_Outcome]


class InboxTake:
    """What an inbox lane does with its rows."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker

    async def __call__(self, turn: Turn) -> int:
        """Work off one batch of due events; how many. See `activities.lanes.Take`.

        Raises:
            StoreError: the store has to be asked and cannot be; what did not need it is done.
            StoreGoneError: the store was deleted or deactivated: its events wait.
            TurnLostError: another attempt has taken over.
        """
        tenant_id, store_id = turn.lane.tenant_id, turn.lane.key
        async with self._database.tenant(tenant_id) as connection:
            await turn.confirm(connection)
            events = await claim_events(connection, tenant_id, store_id, now=turn.now, limit=BATCH)
        if not events:
            return 0
        held = await self._opener.open_config(tenant_id, store_id)
        batch = sort_out(Reader(held.provider.webhooks, held.config, held.facts), events)
        work = _Batch(self._database, turn)
        try:
            await work.write(batch)
            if work.has_rereads:
                await work.read_again(await self._opener.open(tenant_id, store_id))
        finally:
            # Also when the store could not be asked: what was applied before is committed.
            await self._wake(turn, work)
        return len(events)

    async def _wake(self, turn: Turn, work: "_Batch") -> None:
        tenant_id = turn.lane.tenant_id
        wakes = [self._waker.wake(tenant_id, LaneKind.PUSH, store) for store in work.pushes]
        if work.is_alerted:
            wakes.append(self._waker.wake(tenant_id, LaneKind.ALERT, tenant_id))
        await asyncio.gather(*wakes)


class _Batch:
    """One batch on its way into the database: a transaction for each kind of record and step."""

    def __init__(self, database: Database, turn: Turn) -> None:
        self._database = database
        self._turn = turn
        self._origin = Origin(turn.lane.tenant_id, turn.lane.key)
        self._reread: dict[Entity, dict[str, _Events]] = {}
        self.pushes: set[int] = set()
        self.is_alerted = False

    @property
    def has_rereads(self) -> bool:
        """Whether the store has to be asked."""
        return any(self._reread.values())

    async def write(self, batch: Sorted) -> None:
        """Record what needs no record, then apply what the bodies say for sure."""
        if batch.settled or batch.failed:
            await self._run(None, self._noting(None, Results(batch.settled, batch.failed)))
        for entity, task in in_order(batch.tasks):
            self._reread[entity] = dict(task.reread)
            events = {key: one.events for key, one in (task.told | task.gone).items()}
            await self._divide(entity, events, partial(self._telling, entity, task))

    async def read_again(self, store: OpenStore) -> None:
        """Ask the store for the records that have to be read again. Raises StoreError."""
        most = store.manifest.page_size
        for entity, wanted in self._reread.items():
            ids = sorted(wanted)
            for start in range(0, len(ids), most):
                part = {key: wanted[key] for key in ids[start : start + most]}
                try:
                    page = await store.client.fetch_by_ids(entity, tuple(part))
                except _ONE_KIND_FAILS as error:
                    self._turn.hear()
                    results = Results()
                    for events in part.values():
                        results.fail(events, str(error))
                    await self._run(entity, self._noting(entity, results))
                else:
                    self._turn.hear()
                    await self._divide(entity, part, partial(self._reading, entity, page))

    def _noting(self, entity: Entity | None, results: Results) -> _Work:
        """The transaction that records what needs nothing else."""

        async def work(connection: AsyncConnection, _careful: bool) -> _Outcome:
            await self._turn.confirm(connection)
            return _Outcome(is_alerted=await record(connection, self._turn, entity, results))

        return work

    async def _divide(
        self, entity: Entity, events: Mapping[str, _Events], make: Callable[[_Keys], _Work]
    ) -> None:
        """Run the transaction of these records; if one of them breaks it, without that one."""
        if not events:
            return
        try:
            await self._run(entity, make(events))
        except ValueError as error:
            if len(events) > 1:
                middle, every = len(events) // 2, list(events.items())
                for half in (every[:middle], every[middle:]):
                    await self._divide(entity, dict(half), make)
                return
            # Neither trace nor words: both may quote the record.
            _log.error(
                "webhook_record_not_written",
                entity=entity.value,
                error_type=type(error).__name__,
                event_ids=[event.id for one in events.values() for event in one],
            )
            results = Results()
            for alone in events.values():
                results.fail(alone, f"it cannot be written ({type(error).__name__})")
            await self._run(entity, self._noting(entity, results))

    def _telling(self, entity: Entity, task: Task, wanted: _Keys) -> _Work:
        """The transaction that applies what was told.

        What was deleted here is not taken back on the word of an event, which may be older than
        the deletion: the store is asked.
        """

        async def work(connection: AsyncConnection, careful: bool) -> _Outcome:
            await self._turn.confirm(connection)
            told = {key: task.told[key] for key in wanted if key in task.told}
            gone = {key: task.gone[key] for key in wanted if key in task.gone}
            before = await self._look(connection, entity, tuple(wanted))
            again = {key for key in told if key in before and before[key].is_deleted}
            stale = {key for key in gone if _is_older(gone[key].version, before.get(key))}
            page: Page[Record] = Page(
                records=tuple(one.pulled for key, one in told.items() if key not in again),
                tombstones=tuple(key for key in gone if key not in stale),
            )
            applied = await apply(
                connection, self._origin, entity, page, careful=careful, strict=True
            )
            again |= set(applied.ambiguous)
            after = await self._look(connection, entity, tuple(told.keys() - again))
            results, rejected = Results(applied=applied), _reasons(applied)
            for key, one in told.items():
                if key in rejected:
                    results.fail(one.events, rejected[key])
                elif key not in again:
                    results.settle([one.event], _fate(one.pulled, after.get(key)))
                    results.settled += one.others
            for key, removed in gone.items():
                results.settle(removed.events, "stale" if key in stale else "deleted")
            return _Outcome(
                {key: told[key].events for key in again},
                applied.pushes,
                await record(connection, self._turn, entity, results),
            )

        return work

    def _reading(self, entity: Entity, answer: Page[Record], wanted: _Keys) -> _Work:
        """The transaction that applies what was read again."""

        async def work(connection: AsyncConnection, careful: bool) -> _Outcome:
            await self._turn.confirm(connection)
            page = _part_of(answer, wanted)
            applied = await apply(connection, self._origin, entity, page, careful=careful)
            results, rejected = Results(applied=applied), _reasons(applied)
            read = {one.external_id for one in page.records}
            for key, events in wanted.items():
                if key in rejected:
                    results.fail(events, rejected[key])
                elif key in read:
                    results.settle(events, "reread")
                elif key in page.tombstones:
                    results.settle(events, "deleted")
                elif key in page.skipped:
                    results.settle(events, "ignored", "it is no whole record in the store yet")
                else:
                    results.fail(events, "the store did not answer for it")
            is_alerted = await record(connection, self._turn, entity, results)
            return _Outcome(pushes=applied.pushes, is_alerted=is_alerted)

        return work

    async def _run(self, entity: Entity | None, work: _Work) -> None:
        """Run a transaction, with care if PostgreSQL cannot keep one of its records."""
        tenant_id = self._turn.lane.tenant_id
        done = await transact_with_care(self._database, tenant_id, work)
        if entity is not None:
            for key, events in done.reread.items():
                self._reread.setdefault(entity, {})[key] = events
        self.pushes |= done.pushes
        self.is_alerted = self.is_alerted or done.is_alerted

    async def _look(
        self, connection: AsyncConnection, entity: Entity, keys: tuple[str, ...]
    ) -> Mapping[str, LinkMark]:
        lane = self._turn.lane
        return await look_at_links(connection, lane.tenant_id, lane.key, entity, keys)


def _part_of(page: Page[Record], wanted: _Keys) -> Page[Record]:
    return replace(
        page,
        records=tuple(one for one in page.records if one.external_id in wanted),
        tombstones=tuple(key for key in page.tombstones if key in wanted),
        rejected=tuple(one for one in page.rejected if one.external_id in wanted),
    )


def _reasons(applied: Applied) -> dict[str, str]:
    return {one.external_id: one.reason for one in applied.rejected if one.external_id is not None}


def _is_older(version: datetime, link: LinkMark | None) -> bool:
    return link is not None and link.version is not None and version < link.version


def _fate(pulled: Pulled[Record], link: LinkMark | None) -> str:
    """What became of a record that was told, as its link shows afterwards."""
    if link is None:
        return "ignored"
    if link.is_touched:
        return "applied"
    if pulled.version is not None and _is_older(pulled.version, link):
        return "stale"
    return "unchanged"
