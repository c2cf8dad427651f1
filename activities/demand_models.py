"""What somebody asks for once: pulls of a part of a store, and pushes to it. Ids and counts."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from activities.models import Counts, Message, PullMode
from domain.entities import Entity

MOST_IDS = 500
"""How many records one demand names at most."""

Ids = Annotated[tuple[int, ...], Field(max_length=MOST_IDS)]


class PullDemand(Message):
    """Records to read from a store.

    Without `limit`, `status`, `after`, `first_page` and `external_ids` it is the whole entity, as
    a sync reads it: without `force` what changed since the last one.

    Attributes:
        external_ids: these records and no others.
        status, after: see `domain.selection.Selection`.
        first_page: where to start (1-based), in pages of `page_size`.
        page_size: records a page; None: the provider's own.
        limit: how many records at most; None: all.
        force: the store wins, whatever the hub has, and all is read, changed or not.
        mode: what a dry run stands for, an import or a reconcile: all is read, changed or not;
            None: a sync.
    """

    entity: Entity
    external_ids: Annotated[tuple[str, ...], Field(max_length=MOST_IDS)] = ()
    status: str | None = None
    after: datetime | None = None
    first_page: int = 1
    page_size: int | None = None
    limit: int | None = None
    force: bool = False
    mode: PullMode | None = None


class PushDemand(Message):
    """Records of the hub to send to a store: those named, or all, or those changed since.

    Attributes:
        record_ids: of the hub. For `INVENTORY` they are products', whose variants are meant.
        all_records: everything the store may have of this entity.
        modified_since: changed in the hub at or after (aware).
        limit: how many records at most; None: all. Of stock, unless forced, those whose number the
            store is not known to show.
        force: the hub wins, whatever the store has, and what is alike is written too.
    """

    entity: Entity
    record_ids: Ids = ()
    all_records: bool = False
    modified_since: datetime | None = None
    limit: int | None = None
    force: bool = False


class PushCounts(Message):
    """What became of the records of a push.

    Attributes:
        queued: how many were to be sent: the sum of `sent`, `held`, `waiting`, `failed` and
            `passed_on`.
        held: those of which at least a field waits for a person; what else differs was sent.
        failed: those the store did not take, and those it cannot be sent.
        passed_on: what a later demand asked for as well: it goes on under that one.
        skipped: what was meant, and is none of the records the store can have.
        paused: why nothing is sent until a person acts; None while the lane works.
        idle_s: for how long nothing of what waits will be tried; 0: it is being sent.
    """

    queued: int = 0
    sent: int = 0
    waiting: int = 0
    failed: int = 0
    passed_on: int = 0
    held: int = 0
    skipped: int = 0
    paused: str | None = None
    idle_s: float = 0


class DemandCounts(Message):
    """What a demand did so far, per entity."""

    pulled: dict[Entity, Counts] = Field(default_factory=dict)
    pushed: dict[Entity, PushCounts] = Field(default_factory=dict)
