"""What happened to stores, newest first, over all of them together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Store by store, so that each is found by an index however the tenant's others fill the log; the
# runs are looked up for what is shown alone.
_HISTORY: Final = """
select l.*, r.workflow_id, r.kind, coalesce(r.is_dry, false) as is_dry
from (
  select l.id, l.store_id, l.run_id, l.action, l.status, l.details, l.error_message, l.created_at,
    l.updated_at
  from unnest(cast(:stores as bigint[])) as s(id)
  cross join lateral (
    select * from store_sync_logs l
    where l.store_id = s.id {wanted}
      and (cast(:before_at as timestamptz) is null
           or (l.created_at, l.id) < (cast(:before_at as timestamptz), cast(:before_id as bigint)))
    order by l.created_at desc, l.id desc limit :limit) l
  order by l.created_at desc, l.id desc limit :limit) l
left join sync_runs r on r.tenant_id = :tenant and r.id = l.run_id
order by l.created_at desc, l.id desc
"""
_ALL: Final = text(_HISTORY.format(wanted=""))
_WITH_STATUS: Final = text(_HISTORY.format(wanted="and l.status = :status"))
_REJECTED: Final = text(
    _HISTORY.format(wanted="and log_count(read_log(l.details), 'rejected') > 0")
)


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which entries: of which stores; with which status of the log (None: any); with records that
    were set aside only; from which position (time, id) on."""

    store_ids: Sequence[int]
    status: str | None = None
    is_rejected_only: bool = False
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A line of a store's log with the run it belongs to, if it belongs to one."""

    id: int
    store_id: int
    run_id: int | None
    action: str
    status: str
    details: str | None
    error_message: str | None
    created_at: datetime
    updated_at: datetime
    workflow_id: str | None
    kind: str | None
    is_dry: bool

    def facts(self) -> Mapping[str, Any]:
        """What `details` says, where it says it in JSON."""
        try:
            found = json.loads(self.details or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


async def list_history(
    connection: AsyncConnection, tenant_id: int, wanted: HistoryFilter, *, limit: int
) -> Sequence[HistoryEntry]:
    """The newest entries of these stores."""
    statement = _ALL
    if wanted.is_rejected_only:
        statement = _REJECTED
    elif wanted.status is not None:
        statement = _WITH_STATUS
    at, last_id = wanted.before or (None, None)
    params = {
        "tenant": tenant_id,
        "stores": list(wanted.store_ids),
        "before_at": at,
        "before_id": last_id,
        "limit": limit,
    }
    if statement is _WITH_STATUS:
        params["status"] = wanted.status
    rows = await connection.execute(statement, params)
    return [HistoryEntry(**row) for row in rows.mappings()]
