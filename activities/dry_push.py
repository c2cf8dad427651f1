"""Dry runs of pushes: what would be sent to a store, noted instead of sent."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from temporalio import activity

from activities.demand_models import PushCounts, PushDemand
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.models import RunRef
from activities.push_foresight import Foretold, PushForesight
from activities.stores import OpensStores
from db import ranges
from db.demanded_pushes import (
    Demanded,
    PushProgress,
    count_skipped,
    list_meant,
    note_foreseen,
)
from db.ranges import RangeCounts, RangeKey, RangeMovedError, RangeState
from db.run_diffs import note_differences
from db.session import Database
from domain.differences import Difference, capped
from domain.entities import Entity

_PAGE: Final = 100
_PIECE: Final = "push"
_NOT_SENT: Final = frozenset(("taken", "unsupported"))
_HELD: Final = "held"


class NotePushInput(RunRef):
    """What would be sent."""

    demand: PushDemand


class DryRunActivities:
    """The step of a dry run that would send."""

    def __init__(self, database: Database, opener: OpensStores) -> None:
        self._database = database
        self._opener = opener

    @activity.defn
    async def note_push(self, args: NotePushInput) -> PushCounts:
        """Note what a push would do; the store is only read. A second call goes on where the first
        was killed.

        Counts as the real push would end: `sent` are those it would not be kept from sending, also
        where nothing is left to say.
        """
        with translated():
            async with heartbeating():
                return await self._note(args)

    async def _note(self, args: NotePushInput) -> PushCounts:
        asked = args.demand
        demanded = Demanded(
            entity=asked.entity,
            record_ids=asked.record_ids,
            modified_since=asked.modified_since,
            all_records=asked.all_records,
            limit=asked.limit,
            force=asked.force,
        )
        key = RangeKey(args.tenant_id, args.run_id, asked.entity, _PIECE)
        async with self._database.tenant(args.tenant_id) as connection:
            skipped = await count_skipped(connection, args.store_id, demanded)
        state = await self._load(key)
        while not state.is_done:
            with suppress(RangeMovedError):
                await self._step(args, demanded, key, state.resume, skipped)
            state = await self._load(key)
        _, counts = _read(state.resume)
        foreseen = _progress(counts, skipped)
        return PushCounts(
            queued=foreseen.queued,
            sent=foreseen.sent,
            held=foreseen.held,
            failed=foreseen.queued - foreseen.sent - foreseen.held,
            skipped=skipped,
        )

    async def _load(self, key: RangeKey) -> RangeState:
        async with self._database.tenant(key.tenant_id) as connection:
            return await ranges.load_range(connection, key)

    async def _step(
        self,
        args: NotePushInput,
        demanded: Demanded,
        key: RangeKey,
        behind: str,
        skipped: int,
    ) -> None:
        """Look at the next records, and note what was seen with where to go on from there.

        Raises:
            RangeMovedError: another try is further; nothing was noted.
        """
        last, counts = _read(behind)
        size = _PAGE if demanded.limit is None else min(_PAGE, demanded.limit - counts.total())
        async with self._database.tenant(args.tenant_id) as connection:
            ids = await list_meant(connection, args.store_id, demanded, after=last, limit=size)
        told = await self._look(args, ids) if ids else []
        counts.update(map(_counted_as, told))
        found = [_difference(demanded.entity, one) for one in told if one.action != "unchanged"]
        async with self._database.tenant(args.tenant_id) as connection:
            place = f"push/{last}"
            await note_differences(connection, args.tenant_id, args.run_id, place, found)
            await ranges.advance_range(
                connection,
                key,
                resume=json.dumps([ids[-1] if ids else last, counts]),
                is_done=not ids,
                step=RangeCounts(),
                behind=behind,
            )
            await note_foreseen(
                connection, args.tenant_id, args.run_id, demanded, _progress(counts, skipped)
            )

    async def _look(self, args: NotePushInput, ids: Sequence[int]) -> Sequence[Foretold]:
        # Anew each time: the store may have been deactivated, or its keys changed.
        store = await self._opener.open(args.tenant_id, args.store_id)
        foresight = PushForesight(
            self._database,
            store,
            args,
            args.demand.entity,
            run_id=args.run_id,
            is_forced=args.demand.force,
        )
        return await foresight.look(ids)


def _read(resume: str) -> tuple[int, Counter[str]]:
    """The last record that was looked at, and how often what was counted."""
    last, counts = json.loads(resume) if resume else (0, {})
    return last, Counter(counts)


def _progress(counts: Counter[str], skipped: int) -> PushProgress:
    """As the real push would end."""
    total = counts.total()
    failed, held = sum(counts[action] for action in _NOT_SENT), counts[_HELD]
    return PushProgress(queued=total, sent=total - failed - held, held=held, skipped=skipped)


def _counted_as(told: Foretold) -> str:
    if told.waits:
        return _HELD
    # A conflict that is no field's: the store's record belongs to another of the hub's.
    return "taken" if told.action == "conflict" else told.action


def _difference(entity: Entity, told: Foretold) -> Difference:
    why = {"reason": {"from": None, "to": told.reason}} if told.reason else {}
    return Difference(
        "push",
        entity.value,
        str(told.record_id),
        told.action,
        told.external_id,
        told.record_id,
        capped({**told.fields, **why}),
    )
