"""A tenant with a store in a real database, and ways to look behind `apply`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from db.apply import Applied, apply
from db.session import Database
from db.staging import Origin
from db.tables.stores import STORES
from db.tenants import create_tenant, get_tenant
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.pushing import mark_of
from domain.records import Record

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Room:
    """One tenant and one of its stores."""

    database: Database
    tenant_id: int
    store_id: int

    @property
    def origin(self) -> Origin:
        return Origin(self.tenant_id, self.store_id)

    async def mark(self) -> str:
        """The tenant's part of our own keys."""
        async with self.database.tenant(self.tenant_id) as connection:
            return mark_of((await get_tenant(connection)).public_id)

    async def take(
        self, entity: Entity, *pulled: Pulled[Any], gone: Sequence[str] = (), careful: bool = False
    ) -> Applied:
        """Apply one page in a transaction of its own."""
        page: Page[Record] = Page(records=pulled, tombstones=tuple(gone))
        async with self.database.tenant(self.tenant_id) as connection:
            return await apply(connection, self.origin, entity, page, careful=careful)

    async def rows(self, statement: str, **params: Any) -> Rows:
        """SQL as the application within the tenant; `:store` is the store's id."""
        async with self.database.tenant(self.tenant_id) as connection:
            params = {"store": self.store_id, **params} if ":store" in statement else params
            result = await connection.execute(text(statement), params)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def record_id(self, entity: str, external_id: str) -> int:
        """The hub's id of a store's record."""
        found = await self.rows(
            "select record_id from links where store_id = :store and entity = :entity"
            " and external_id = :key",
            entity=entity,
            key=external_id,
        )
        return int(found[0][0])

    async def changes(self) -> Rows:
        """(seq, entity, external id, action) of all changes; inventory bears its variant's id."""
        return await self.rows(
            "select c.seq, c.entity, l.external_id, c.action from changes c"
            " left join links l on l.record_id = c.record_id"
            " and l.entity = replace(c.entity, 'inventory', 'variants') order by c.seq"
        )


async def new_room(database: Database, owner: Database) -> Room:
    """A new tenant with a store."""
    async with owner.lookup() as connection:
        tenant = await create_tenant(connection, f"Tenant {uuid4().hex}")
    return Room(database, tenant.id, await new_store(database, tenant.id))


async def new_store(database: Database, tenant_id: int, **values: Any) -> int:
    """A store without credentials; its id."""
    made = {
        "tenant_id": tenant_id,
        "name": "Shop",
        "code": uuid4().hex[:12],
        "webhook_code": uuid4().hex,
        "provider": "woocommerce",
        "store_url": "https://shop.example",
        **values,
    }
    async with database.tenant(tenant_id) as connection:
        created = await connection.execute(STORES.insert().values(**made).returning(STORES.c.id))
        return int(created.scalar_one())
