"""Requests to stores, counted by hour, and what the last one found."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class CallCount:
    """Requests of one kind to one store, in the hour that begins at `hour`.

    Attributes:
        outcome: one of `activities.call_stats.OUTCOMES`.
        buckets: how long they took (`domain.latencies`).
    """

    store_id: int
    hour: datetime
    method: str
    outcome: str
    calls: int
    total_ms: int
    buckets: Sequence[int]


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What the last request to a store found. `message` is empty when it answered."""

    store_id: int
    is_connected: bool
    message: str
    latency_ms: int | None
    checked_at: datetime


# A store that is gone meanwhile, or never came to be, has nothing counted.
_COUNT: Final = text("""
insert into provider_calls as p
  (tenant_id, store_id, hour, method, outcome, calls, total_ms, buckets)
select :tenant, x.store_id, x.hour, x.method, x.outcome, x.calls, x.total_ms, x.buckets
from jsonb_to_recordset(cast(:counts as jsonb)) as x(
  store_id bigint, hour timestamptz, method text, outcome text, calls bigint, total_ms bigint,
  buckets bigint[])
join stores s on s.tenant_id = :tenant and s.id = x.store_id
order by x.store_id, x.hour, x.method, x.outcome
on conflict (tenant_id, store_id, hour, method, outcome) do update set
  calls = p.calls + excluded.calls,
  total_ms = p.total_ms + excluded.total_ms,
  buckets = (
    select array_agg(coalesce(u.had, 0) + coalesce(u.more, 0) order by u.place)
    from unnest(p.buckets, excluded.buckets) with ordinality as u(had, more, place))
""")

# Processes tell what they saw some seconds later, and not in order: the later one counts.
_SHOW: Final = text("""
insert into store_health as h
  (tenant_id, store_id, is_connected, message, latency_ms, checked_at, connected_at)
select :tenant, x.store_id, x.is_connected, x.message, x.latency_ms, x.checked_at,
  case when x.is_connected then x.checked_at end
from jsonb_to_recordset(cast(:found as jsonb)) as x(
  store_id bigint, is_connected boolean, message text, latency_ms int, checked_at timestamptz)
join stores s on s.tenant_id = :tenant and s.id = x.store_id
order by x.store_id
on conflict (tenant_id, store_id) do update set
  is_connected = excluded.is_connected, message = excluded.message,
  latency_ms = coalesce(excluded.latency_ms, h.latency_ms), checked_at = excluded.checked_at,
  connected_at = coalesce(excluded.connected_at, h.connected_at)
where h.checked_at <= excluded.checked_at
""")


async def add_calls(
    connection: AsyncConnection, tenant_id: int, counts: Sequence[CallCount]
) -> None:
    """Add to what was counted. Counts of stores that are not there are dropped."""
    if counts:
        await connection.execute(_COUNT, {"tenant": tenant_id, "counts": _json(counts)})


async def show_health(
    connection: AsyncConnection, tenant_id: int, found: Sequence[StoreHealth]
) -> None:
    """Show what requests found, one for each store, unless something newer is known."""
    if found:
        await connection.execute(_SHOW, {"tenant": tenant_id, "found": _json(found)})


def _json(rows: Sequence[CallCount] | Sequence[StoreHealth]) -> str:
    return json.dumps([asdict(one) for one in rows], default=datetime.isoformat)
