"""Entries of the audit trail that take more than a line. See `db.audit` for all others."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.services import ApiServices
from db.audit import Actor, record_audit
from db.stores import Store


async def record_started(
    services: ApiServices, tenant_id: int, actor: Actor, action: str, subject: str, **details: Any
) -> None:
    """Write down what `actor` started or stopped in Temporal, which no transaction of ours holds.

    After the fact: a process that is killed in between leaves what was done, which the runs and
    schedules show, without its entry here. Written before, it would tell of what was never done.
    """
    async with services.database.tenant(tenant_id) as connection:
        await record_audit(connection, tenant_id, actor, action, subject, **details)


async def record_store_change(
    connection: AsyncConnection,
    tenant_id: int,
    actor: Actor,
    store: Store,
    values: Mapping[str, Any],
    *,
    config: Iterable[str] = (),
) -> None:
    """Write down which fields of a store are changed; never what they were or are.

    Args:
        store: as it was.
        values: what is set, by column.
        config: the fields of the connection form that were sent.
    """
    fields = [
        name for name in ("name", "code") if name in values and values[name] != getattr(store, name)
    ]
    settings = values.get("settings", store.settings)
    names = sorted(settings.keys() | store.settings.keys())
    fields += [f"settings.{one}" for one in names if settings.get(one) != store.settings.get(one)]
    fields += [f"config.{one}" for one in sorted(config)]
    if fields:
        subject = f"store/{store.id}"
        await record_audit(connection, tenant_id, actor, "store.updated", subject, fields=fields)
