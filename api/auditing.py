"""What the audit trail says of a changed store. See `db.audit` for other entries."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from db.audit import Actor, record_audit
from db.stores import Store


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
