"""What a push would do, told before anything is sent."""

from collections import Counter

from pydantic import Field
from temporalio import activity

from activities.errors import translated
from activities.models import Message, StoreRef
from activities.push_foresight import PushForesight
from activities.stores import OpensStores
from db.push_preview import find_candidates
from db.session import Database
from domain.entities import Entity
from domain.errors import StoreError


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
            foresight = PushForesight(self._database, store, args, args.entity)
            try:
                told = await foresight.look(found.record_ids)
            except StoreError as error:
                return PreviewPushResult(error_type=type(error).__name__, message=str(error))
            counts = Counter(one.action for one in told)
            items = tuple(
                PreviewedPush(
                    record_id=one.record_id,
                    action=one.action,
                    external_id=one.external_id,
                    holder=one.holder,
                )
                for one in told
            )
            return PreviewPushResult(total=found.total, counts=dict(counts), items=items)
