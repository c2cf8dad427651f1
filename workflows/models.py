"""What goes into workflows, comes out of them, and what they answer when asked."""

from activities.demand_models import DemandCounts, PullDemand, PushCounts, PushDemand
from activities.draining import LaneState
from activities.lanes import LaneRef
from activities.models import Counts, Message, ProbeStoreResult, PullMode, StoreRef
from activities.sync_models import SyncKind
from domain.entities import Entity
from pydantic import Field

LADDER_S = (0, 300, 900, 3600, 10800)
"""The product's ladder: at once, 5 minutes, 15 minutes, 1 hour, 3 hours."""


class CheckStoreInput(Message):
    """Credentials to try."""

    tenant_id: int
    store_check_id: int
    provider: str


CheckStoreResult = ProbeStoreResult


class ImportStoreInput(StoreRef):
    """A store to import.

    Attributes:
        ladder_s: seconds to wait before each try of a store that is down.
        max_rounds: how often to catch up with a shop that goes on changing.
        in_flight: how many activities may read from the store at once.
        pages_per_activity: how many pages one activity takes.
    """

    provider: str
    ladder_s: tuple[float, ...] = LADDER_S
    max_rounds: int = 10
    in_flight: int = 4
    pages_per_activity: int = 8


class PullInput(ImportStoreInput):
    """One entity to pull. Round 0 reads all pages; later rounds catch up.

    Without `sweeps` a round only asks what changed, and compares no ids.
    """

    run_id: int
    entity: Entity
    round: int
    tracks_changes: bool
    page_size: int
    mode: PullMode = PullMode.IMPORT
    force: bool = False
    sweeps: bool = True
    carried: Counts = Counts()
    next_page: int = 1
    failures: int = 0


class PullResult(Message):
    """What a pull did. Not settled: the list moved under every sweep of the round.

    `held_back` records would have been deleted, and were too many to be.
    """

    entity: Entity
    counts: Counts
    is_settled: bool = True
    held_back: int = 0


class ImportStoreResult(Message):
    """What an import did, per entity. Not settled: the shop changed through every round."""

    run_id: int
    entities: dict[Entity, Counts]
    rounds: int
    is_settled: bool


class SyncStoreInput(ImportStoreInput):
    """A store to bring up to date. No entities: what is due. `force`: the store wins, whatever the
    hub has, everything is read again, and no brake holds."""

    kind: SyncKind = SyncKind.PULL
    entities: tuple[Entity, ...] = ()
    force: bool = False


class ReconcileInput(ImportStoreInput):
    """One entity to compare both ways, for a run that has begun."""

    run_id: int
    entity: Entity
    page_size: int
    force: bool = False


class ReconcileResult(Message):
    """What a reconcile found. Busy: another pull of the entity is running, so nothing was done."""

    entity: Entity
    counts: Counts = Counts()
    queued: int = 0
    held_back: int = 0
    is_busy: bool = False


class SubscriptionsInput(ImportStoreInput):
    """A store whose webhooks are looked after. `renew`: their secret has changed."""

    renew: bool = False


class SyncStoreResult(Message):
    """What a sync did, per entity. `busy` were being pulled by somebody else. No run: the store is
    deleted or not active."""

    run_id: int | None = None
    entities: dict[Entity, Counts] = Field(default_factory=dict)
    busy: tuple[Entity, ...] = ()
    held_back: int = 0


class DemandInput(ImportStoreInput):
    """What somebody asks of a store once: pulls first, then pushes, each in dependency order.

    Attributes:
        name: what it is called in the log and in the Temporal UI, such as `customers-pull`.
        is_dry: only tell what it would do.
    """

    name: str
    pulls: tuple[PullDemand, ...] = ()
    pushes: tuple[PushDemand, ...] = ()
    is_dry: bool = False


class DemandResult(Message):
    """What a demand did. `busy` were being pulled by somebody else. No run: the store is deleted
    or not active.

    `held_back` records would have been deleted, and were too many to be.
    """

    run_id: int | None = None
    counts: DemandCounts = DemandCounts()
    busy: tuple[Entity, ...] = ()
    held_back: int = 0


class ImportProgress(Message):
    """The answer to the query `progress`: what was pulled per entity, and what was pushed."""

    run_id: int | None = None
    phase: str = "starting"
    round: int = 0
    entities: dict[Entity, Counts] = Field(default_factory=dict)
    pushed: dict[Entity, PushCounts] = Field(default_factory=dict)


class LaneInput(LaneRef):
    """A lane to drain.

    Attributes:
        ladder_s: seconds to wait before each try of the lane, and of each of its rows.
        settled: rows that runs before this one settled.
    """

    ladder_s: tuple[float, ...] = LADDER_S
    settled: int = 0


class LaneResult(Message):
    """How a lane ended: quiet, paused, or with a store that is not active."""

    state: LaneState
    settled: int
