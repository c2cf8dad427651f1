"""What was synced, how quickly and with what errors: read from the sums by hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_SUMS: Final = "seen", "created", "updated", "unchanged", "deleted", "rejected", "sent", "failed"

_LOGS: Final = text(f"""
select store_id, action, direction, {", ".join(f"sum({name})::bigint as {name}" for name in _SUMS)},
  sum(pages)::bigint as pages
from sync_log_hours
where store_id = any(:stores) and hour >= :since
group by store_id, action, direction order by store_id, action, direction
""")  # noqa: S608 - constants

_RUNS: Final = text("""
select store_id, status, count(*) as runs,
  sum(extract(epoch from finished_at - started_at))::float8 as seconds
from sync_runs
where store_id = any(:stores) and started_at >= :since and not is_dry
group by store_id, status
""")

_CALLS: Final = text("""
select store_id, method, outcome, sum(calls)::bigint as calls, sum(total_ms)::bigint as total_ms
from provider_calls
where store_id = any(:stores) and hour >= :since
group by store_id, method, outcome order by store_id, method, outcome
""")

_LATENCIES: Final = text("""
select store_id, array_agg(calls order by place) as buckets
from (
  select p.store_id, b.place, sum(b.calls)::bigint as calls
  from provider_calls p cross join lateral unnest(p.buckets) with ordinality as b(calls, place)
  where p.store_id = any(:stores) and p.hour >= :since
  group by p.store_id, b.place) x
group by store_id
""")

_WEBHOOKS: Final = text("""
select store_id, status, outcome, bucket, sum(events)::bigint as events
from webhook_hours
where store_id = any(:stores) and hour >= :since
group by store_id, status, outcome, bucket
union all
select store_id, 'pending', '', 0, count(*)
from webhook_events
where store_id = any(:stores) and status = 'pending' and received_at >= :since
group by store_id
""")


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows by store, each as its statement has them."""

    logs: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]
    calls: Sequence[Mapping[str, Any]]
    latencies: Mapping[int, Sequence[int]]
    webhooks: Sequence[Mapping[str, Any]]


async def load_figures(
    connection: AsyncConnection, store_ids: Sequence[int], since: datetime
) -> Figures:
    """Everything since the full hour `since`. Dry runs are left out."""
    asked = {"stores": list(store_ids), "since": since}

    async def rows(statement: Any) -> Sequence[Mapping[str, Any]]:
        return [dict(row) for row in (await connection.execute(statement, asked)).mappings()]

    return Figures(
        logs=await rows(_LOGS),
        runs=await rows(_RUNS),
        calls=await rows(_CALLS),
        latencies={row["store_id"]: row["buckets"] for row in await rows(_LATENCIES)},
        webhooks=await rows(_WEBHOOKS),
    )
