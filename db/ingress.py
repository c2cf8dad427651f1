"""What the webhook ingress asks and writes before a tenant is known.

All of it goes through functions of migration 0006, which take the tenant from the store's row and
never from the request.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed


@dataclass(frozen=True, slots=True)
class WebhookStore:
    """A store that webhooks may be for. `sealed` is None when it has no credentials."""

    tenant_id: int
    store_id: int
    provider: str
    is_active: bool
    sealed: Sealed | None = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A delivery to be kept.

    `iv` is that of the credentials it was found genuine with: it is new whenever they are sealed,
    so the event is only kept if they are still the store's.
    """

    tenant_id: int
    store_id: int
    iv: str
    event_type: str
    topic: str
    entity: str | None
    external_id: str | None
    route: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


StoreKey = tuple[int, int]
"""Tenant and store."""


async def find_store_by_code(connection: AsyncConnection, code: str) -> WebhookStore | None:
    """The store with this webhook code, deleted ones left out."""
    found = await _stores(connection, "select * from find_store_by_webhook_code(%s)", code)
    return found[0] if found else None


async def find_stores_by_source(
    connection: AsyncConnection, provider: str, source: str
) -> Sequence[WebhookStore]:
    """The stores at this address, whosever they are. Scheme and `www` do not matter."""
    statement = "select * from find_stores_by_webhook_source(%s, %s)"
    return await _stores(connection, statement, provider, source)


async def find_stores_by_organization(
    connection: AsyncConnection, provider: str, organization_id: str, source: str | None
) -> Sequence[WebhookStore]:
    """The stores of the tenant with this public id, those at the address first."""
    statement = "select * from find_stores_by_organization(%s, %s, %s)"
    return await _stores(connection, statement, provider, organization_id, source)


async def keep_events(connection: AsyncConnection, events: Sequence[NewEvent]) -> set[int]:
    """Keep deliveries, of any tenants, in their order.

    Returns:
        The places (0-based) of those that were kept. The others' stores were deleted, or have
        other credentials than those the delivery was found genuine with.
    """
    driver = await _driver(connection)
    columns: list[list[Any]] = [
        [one.tenant_id for one in events],
        [one.store_id for one in events],
        [one.iv for one in events],
        [one.event_type for one in events],
        [one.topic for one in events],
        [one.entity for one in events],
        [one.external_id for one in events],
        [one.route for one in events],
        [json.dumps(dict(one.headers)) for one in events],
        [one.body for one in events],
    ]
    kept = await driver.execute(_KEEP, columns, binary=True)
    return {int(row[0]) - 1 for row in await kept.fetchall()}


async def count_webhooks(
    connection: AsyncConnection, counts: Mapping[tuple[int, int, str], int]
) -> None:
    """Add to the stores' counters, by tenant, store and name."""
    driver = await _driver(connection)
    await driver.execute(
        "select count_webhooks(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[])",
        (
            [key[0] for key in counts],
            [key[1] for key in counts],
            [key[2] for key in counts],
            list(counts.values()),
        ),
    )


async def list_sleeping_inboxes(
    connection: AsyncConnection, stores: Iterable[StoreKey]
) -> Sequence[StoreKey]:
    """Those of the stores that are active and whose inbox lane is not awake."""
    driver = await _driver(connection)
    keys = list(stores)
    found = await driver.execute(
        "select * from list_sleeping_inboxes(%s::bigint[], %s::bigint[])",
        ([key[0] for key in keys], [key[1] for key in keys]),
    )
    return [(int(row[0]), int(row[1])) for row in await found.fetchall()]


_KEEP = """
select keep_webhook_events(%b::bigint[], %b::bigint[], %t::text[], %t::text[], %t::text[],
  %t::text[], %t::text[], %t::text[], %t::text[], %b::bytea[])
"""


async def _stores(
    connection: AsyncConnection, statement: str, *params: str | None
) -> list[WebhookStore]:
    if any("\0" in one for one in params if one is not None):
        return []  # no text of the database has it, so no store's code or address does
    driver = await _driver(connection)
    rows = await driver.execute(statement.encode(), params)
    return [
        WebhookStore(
            tenant_id=row[0],
            store_id=row[1],
            provider=row[2],
            is_active=row[3],
            sealed=None if row[4] is None else Sealed(*row[4:8]),
            settings=row[8],
        )
        for row in await rows.fetchall()
    ]


async def _driver(connection: AsyncConnection) -> Driver[Any]:
    raw = await connection.get_raw_connection()
    return cast("Driver[Any]", raw.driver_connection)
