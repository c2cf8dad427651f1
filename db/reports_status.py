"""How stores stand now: one look at what the tables say, without asking any store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_STATEMENTS: Final[Mapping[str, str]] = {
    "health": """
        select store_id, is_connected, message, latency_ms, checked_at, connected_at
        from store_health where store_id = any(:stores)""",
    "budgets": """
        select store_id, next_slot_at, blocked_until, slowdown, updated_at
        from store_budgets where store_id = any(:stores)""",
    "inbox": """
        select store_id, count(*) as pending,
          min(greatest(received_at, next_attempt_at)) filter (where {due}) as oldest_at
        from webhook_events where store_id = any(:stores) and status = 'pending'
        group by store_id""",
    "pushes": """
        select store_id, count(*) filter (where status = 'pending') as pending,
          count(*) filter (where status = 'failed') as failed,
          min(greatest(updated_at, next_attempt_at)) filter (where status = 'pending' and {due})
            as oldest_at
        from pushes where store_id = any(:stores) group by store_id""",
    "lanes": """
        select key as store_id, kind, failures, next_attempt_at, last_error, paused_reason,
          drained_at
        from lanes where key = any(:stores) and kind in ('inbox', 'push') order by kind""",
    "conflicts": """
        select store_id, count(*) as open from conflicts
        where store_id = any(:stores) and status = 'open' group by store_id""",
    "alerts": """
        select store_id, count(*) as open from alerts
        where store_id = any(:stores) and status = 'open' group by store_id""",
    "cursors": """
        select store_id, entity, changed_since, updated_at
        from store_cursors where store_id = any(:stores) order by entity""",
    "schedules": """
        select store_id, kind, spec, paused
        from store_schedules where store_id = any(:stores) order by kind""",
}

_DUE: Final = "(next_attempt_at is null or next_attempt_at <= now())"


@dataclass(frozen=True, slots=True)
class StoreState:
    """What is known of one store; each part is a row as its statement has it, or rows.

    `*_oldest_at` is since when the oldest has been due: what waits for its next try is not.
    """

    health: Mapping[str, Any] | None
    budget: Mapping[str, Any] | None
    inbox_pending: int
    inbox_oldest_at: datetime | None
    pushes_pending: int
    pushes_failed: int
    pushes_oldest_at: datetime | None
    lanes: Sequence[Mapping[str, Any]]
    open_conflicts: int
    open_alerts: int
    cursors: Sequence[Mapping[str, Any]]
    schedules: Sequence[Mapping[str, Any]]


async def load_states(
    connection: AsyncConnection, store_ids: Sequence[int]
) -> Mapping[int, StoreState]:
    """How each of these stores stands."""
    found: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for name, statement in _STATEMENTS.items():
        rows = await connection.execute(
            text(statement.replace("{due}", _DUE)), {"stores": list(store_ids)}
        )
        by_store: dict[int, list[Mapping[str, Any]]] = {}
        for row in rows.mappings():
            by_store.setdefault(row["store_id"], []).append(dict(row))
        found[name] = by_store
    return {store_id: _state(store_id, found) for store_id in store_ids}


def _state(store_id: int, found: Mapping[str, Mapping[int, list[Mapping[str, Any]]]]) -> StoreState:
    def rows(name: str) -> list[Mapping[str, Any]]:
        return found[name].get(store_id, [])

    def only(name: str) -> Mapping[str, Any]:
        return next(iter(rows(name)), {})

    inbox, pushes = only("inbox"), only("pushes")
    return StoreState(
        health=only("health") or None,
        budget=only("budgets") or None,
        inbox_pending=inbox.get("pending", 0),
        inbox_oldest_at=inbox.get("oldest_at"),
        pushes_pending=pushes.get("pending", 0),
        pushes_failed=pushes.get("failed", 0),
        pushes_oldest_at=pushes.get("oldest_at"),
        lanes=rows("lanes"),
        open_conflicts=only("conflicts").get("open", 0),
        open_alerts=only("alerts").get("open", 0),
        cursors=rows("cursors"),
        schedules=rows("schedules"),
    )
