"""What the steps of recurring syncs are told and answer: ids and counts."""

from enum import StrEnum

from activities.models import Message, StoreRef
from domain.entities import Entity


class SyncKind(StrEnum):
    """What a recurring sync does.

    `PULL` takes in what changed, `RECONCILE` compares everything both ways, `STOCK_SWEEP` reads
    again what may have changed without a newer modification date, `SUBSCRIPTIONS` looks after the
    store's webhooks.
    """

    PULL = "pull"
    RECONCILE = "reconcile"
    STOCK_SWEEP = "stockSweep"
    SUBSCRIPTIONS = "subscriptions"


class BeginSyncInput(StoreRef):
    """A sync to begin. No entities: all the store syncs, each when it is due."""

    kind: SyncKind
    entities: tuple[Entity, ...] = ()
    force: bool = False
    workflow_id: str
    workflow_run_id: str


class EntityPlan(Message):
    """How one entity is pulled: round 0 reads it whole for the first time."""

    entity: Entity
    round: int
    tracks_changes: bool
    sweeps: bool


class BeginSyncResult(Message):
    """The run and what there is to do. No run: the store is deleted or not active.

    `scans_orders`: orders are looked for by number, as the store lists none.
    """

    run_id: int | None = None
    scans_orders: bool = False
    provider: str = ""
    page_size: int = 0
    plans: tuple[EntityPlan, ...] = ()


class SendMissingResult(Message):
    """How many records of the hub the store lacks and will be sent."""

    queued: int = 0


class CheckSubscriptionsInput(StoreRef):
    """Whose webhooks to look after. `renew`: their secret has changed."""

    renew: bool = False


class CheckSubscriptionsResult(Message):
    """What became of the store's webhooks. `missed`: some were off, so events may be missing, of
    any of the `entities`. `reason`: why nothing was done."""

    created: int = 0
    reactivated: int = 0
    healthy: int = 0
    missed: bool = False
    entities: tuple[Entity, ...] = ()
    reason: str = ""
