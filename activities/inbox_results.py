"""Recording what became of received webhooks: statuses, the ladder, counters, the log, alerts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import Turn
from db.alerts import AlertKind, NewAlert, raise_alert
from db.apply import Applied
from db.lanes import LaneKey, has_due
from db.webhook_events import (
    BatchLog,
    InboxEvent,
    Setback,
    Settled,
    add_counts,
    log_batches,
    set_back_events,
    settle_events,
)
from domain.entities import Entity
from domain.lanes import LaneKind

_ACTIONS: Final[Mapping[Entity | None, str]] = {
    Entity.CATEGORIES: "sync_categories",
    Entity.PRODUCTS: "sync_products",
    Entity.CUSTOMERS: "sync_customers",
    Entity.INVENTORY: "update_inventory",
    Entity.ORDERS: "receive_order",
}
_STATUS_CHANGED: Final = "order_status_changed"


@dataclass(slots=True)
class Results:
    """What became of events, to be recorded in one transaction."""

    settled: list[Settled] = field(default_factory=list)
    failed: list[tuple[InboxEvent, str]] = field(default_factory=list)
    applied: Applied = field(default_factory=Applied)

    def settle(self, events: Iterable[InboxEvent], outcome: str, reason: str | None = None) -> None:
        """They are done."""
        self.settled += [Settled(event, outcome, reason) for event in events]

    def fail(self, events: Iterable[InboxEvent], reason: str) -> None:
        """They failed, each for itself."""
        self.failed += [(event, reason) for event in events]


async def record(
    connection: AsyncConnection, turn: Turn, entity: Entity | None, results: Results
) -> bool:
    """Record results in the caller's transaction, which did what they tell of.

    Args:
        entity: what was worked on; None for events that came to no record.

    Returns:
        Whether people have to be told of an alert: the tenant's alert lane wants waking.
    """
    tenant_id, store_id = turn.lane.tenant_id, turn.lane.key
    setbacks = [
        Setback(event, reason, turn.next_attempt(event.attempts + 1))
        for event, reason in results.failed
    ]
    await settle_events(connection, tenant_id, results.settled)
    await set_back_events(connection, tenant_id, setbacks)
    counts = Counter(one.outcome for one in results.settled)
    counts["failed"] = sum(one.next_attempt_at is None for one in setbacks)
    counts["retried"] = len(setbacks) - counts["failed"]
    await add_counts(connection, tenant_id, store_id, +counts)
    if entity is not None:
        await log_batches(connection, tenant_id, store_id, _logs(entity, results))
    await _raise_for_dead(
        connection, turn, entity, [one for one in setbacks if one.next_attempt_at is None]
    )
    # Also those of what was written: an order that is oversold, a loop of two stores.
    return await has_due(connection, LaneKey(tenant_id, LaneKind.ALERT, tenant_id), turn.now)


def _logs(entity: Entity, results: Results) -> list[BatchLog]:
    """A row per action; orders tell new ones from changed ones. The first has the records."""
    counts: dict[str, Counter[str]] = {}
    errors: dict[str, str] = {}
    for one in results.settled:
        counts.setdefault(_action(entity, one.event), Counter())[one.outcome] += 1
    for event, reason in results.failed:
        action = _action(entity, event)
        counts.setdefault(action, Counter())["failed"] += 1
        errors.setdefault(action, reason)
    if counts:
        counts[min(counts)].update(_records(results.applied, counts.values()))
    return [BatchLog(action, +counts[action], errors.get(action)) for action in sorted(counts)]


def _records(applied: Applied, outcomes: Iterable[Counter[str]]) -> Counter[str]:
    """What reports sum up of a batch, besides what its outcomes say already."""
    told = sum(outcomes, Counter[str]())
    return Counter(
        seen=applied.created + applied.updated + applied.unchanged,
        created=applied.created,
        updated=applied.updated,
        unchanged=max(0, applied.unchanged - told["unchanged"]),
        deleted=max(0, applied.deleted - told["deleted"]),
    )


def _action(entity: Entity, event: InboxEvent) -> str:
    if entity is Entity.ORDERS and event.event_type == _STATUS_CHANGED:
        return "update_order_status"
    return _ACTIONS.get(entity, f"sync_{entity.value}")


async def _raise_for_dead(
    connection: AsyncConnection, turn: Turn, entity: Entity | None, dead: list[Setback]
) -> None:
    """One alert for each store and kind of record, however many events die."""
    if not dead:
        return
    store_id, first = turn.lane.key, dead[0]
    about = entity.value if entity is not None else "webhooks"
    more = f" ({len(dead)} events in this batch)" if len(dead) > 1 else ""
    await raise_alert(
        connection,
        NewAlert(
            tenant_id=turn.lane.tenant_id,
            store_id=store_id,
            kind=AlertKind.ROW_FAILED,
            subject=f"inbox/{store_id}/{about}",
            title=f"Webhooks of store {store_id} could not be worked off ({about})",
            message=f"Event {first.event.id} ({first.event.topic}): {first.reason}{more} "
            f"GET /api/stores/{store_id}/webhook-events?status=failed lists them all.",
            command=f"POST /api/stores/{store_id}/retry-failed-sync",
            details={"entity": about, "eventIds": [one.event.id for one in dead]},
        ),
    )
