"""Dry runs of pushes: what would be sent to a store, noted instead of sent."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from temporalio import activity

from activities.demand_models import PushCounts, PushDemand
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.models import RunRef
from activities.push_foresight import Foretold, PushForesight
from activities.stores import OpensStores
from db.demanded_pushes import Demanded, count_skipped, list_meant
from db.run_diffs import note_differences
from db.session import Database
from domain.differences import Difference, capped
from domain.entities import Entity

_PAGE: Final = 100
_NOT_SENT: Final = frozenset(("conflict", "unsupported"))


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
        """Note what a push would do; the store is only read. A second call notes the same.

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
        store = await self._opener.open(args.tenant_id, args.store_id)
        foresight = PushForesight(
            self._database,
            store,
            args,
            asked.entity,
            run_id=args.run_id,
            is_forced=asked.force,
        )
        async with self._database.tenant(args.tenant_id) as connection:
            skipped = await count_skipped(connection, args.store_id, demanded)
        counts: Counter[str] = Counter()
        last, left = 0, asked.limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            async with self._database.tenant(args.tenant_id) as connection:
                ids = await list_meant(connection, args.store_id, demanded, after=last, limit=size)
            if not ids:
                break
            told = await foresight.look(ids)
            counts.update(one.action for one in told)
            await self._keep(args, told, place=f"push/{last}")
            last, left = ids[-1], None if left is None else left - len(ids)
        failed = sum(counts[action] for action in _NOT_SENT)
        total = counts.total()
        return PushCounts(queued=total, sent=total - failed, failed=failed, skipped=skipped)

    async def _keep(self, args: NotePushInput, told: Sequence[Foretold], place: str) -> None:
        found = [_difference(args.demand.entity, one) for one in told if one.action != "unchanged"]
        async with self._database.tenant(args.tenant_id) as connection:
            await note_differences(connection, args.tenant_id, args.run_id, place, found)


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
