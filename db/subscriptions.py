"""Which webhooks a store has been given, as far as was last seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.lanes import WEBHOOK_SUBSCRIPTIONS

ACTIVE = "active"
MISSED = "missed"
"""It was off or gone when it was looked at; events went by."""

TOLD = "told"
"""As `MISSED`, and the look at `checked_at` has said so."""

OUTDATED = "outdated"
"""The store got another secret since: the shop has to be told."""

# What was outdated during a look stays so: the look may have told the secret of before.
_KEEP = text("""
insert into webhook_subscriptions as w
  (tenant_id, store_id, topic, external_id, status, checked_at)
values (:tenant, :store, :topic, :external_id, :status, :at)
on conflict (tenant_id, store_id, topic) do update
set external_id = excluded.external_id, checked_at = excluded.checked_at,
    status = case when w.status = 'outdated' and not :renewed then w.status
                  else excluded.status end
""")


@dataclass(frozen=True, slots=True)
class KeptSubscription:
    """A webhook in the shop. `checked_at` names the look that saw it, whichever try it was."""

    topic: str
    external_id: str
    status: str
    checked_at: datetime

    def is_untold(self, look: datetime) -> bool:
        """Whether the look still has to say that events were missed."""
        return self.status == MISSED or (self.status == TOLD and self.checked_at == look)


async def load_subscriptions(
    connection: AsyncConnection, store_id: int
) -> Mapping[str, KeptSubscription]:
    """The webhooks that were there at the last look, by topic."""
    columns = WEBHOOK_SUBSCRIPTIONS.c
    rows = await connection.execute(
        select(columns.topic, columns.external_id, columns.status, columns.checked_at).where(
            columns.store_id == store_id
        )
    )
    return {row.topic: KeptSubscription(*row) for row in rows}


async def keep_subscriptions(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    found: Sequence[KeptSubscription],
    *,
    renewed: bool = False,
) -> None:
    """Remember what was found or made. `renewed`: the shop was told the secret that it has now."""
    if found:
        await connection.execute(
            _KEEP,
            [
                {
                    "tenant": tenant_id,
                    "store": store_id,
                    "topic": one.topic,
                    "external_id": one.external_id,
                    "status": one.status,
                    "at": one.checked_at,
                    "renewed": renewed,
                }
                for one in sorted(found, key=lambda one: one.topic)
            ],
        )


async def outdate_subscriptions(connection: AsyncConnection, store_id: int) -> None:
    """The store may have another secret: the next look tells the shop, whoever starts it."""
    await connection.execute(
        update(WEBHOOK_SUBSCRIPTIONS)
        .where(WEBHOOK_SUBSCRIPTIONS.c.store_id == store_id)
        .values(status=OUTDATED)
    )


async def forget_subscriptions(connection: AsyncConnection, store_id: int) -> None:
    """The store has no webhooks of ours any more."""
    await connection.execute(
        delete(WEBHOOK_SUBSCRIPTIONS).where(WEBHOOK_SUBSCRIPTIONS.c.store_id == store_id)
    )
