"""Two stores of one tenant, and ways to have them and the hub disagree."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from db.apply import Applied, apply
from db.publishing import Touch, publish
from db.staging import Origin
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.records import Record
from domain.sync_settings import ConflictPolicy, Direction, StoreSettings, SyncDirections
from tests.db.factories import product, variant
from tests.db.room import Room, new_store

PRODUCTS = Entity.PRODUCTS


def wanted(policy: ConflictPolicy = ConflictPolicy.LATEST, **directions: Direction) -> Any:
    both = SyncDirections(customers=Direction.BOTH).model_copy(update=directions)
    settings = StoreSettings(sync_directions=both, conflict_policy=policy)
    return settings.model_dump(mode="json", by_alias=True)


async def second(
    room: Room, policy: ConflictPolicy = ConflictPolicy.LATEST, **directions: Any
) -> Room:
    """Another store of the tenant; the first one wants everything as well."""
    await room.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=StoreSettings.model_validate(wanted()).model_dump_json(by_alias=True),
    )
    values = wanted(policy, **directions)
    store_id = await new_store(room.database, room.tenant_id, settings=values)
    return replace(room, store_id=store_id)


async def take(room: Room, entity: Entity, *pulled: Pulled[Any], **options: Any) -> Applied:
    page: Page[Record] = Page(records=pulled)
    origin = Origin(room.tenant_id, room.store_id, force=options.pop("force", False))
    async with room.database.tenant(room.tenant_id) as connection:
        return await apply(connection, origin, entity, page, **options)


async def edit(room: Room, **values: Any) -> None:
    """Change the only product in the hub."""
    assigned = ", ".join(f"{name} = :{name}" for name in values)
    async with room.database.tenant(room.tenant_id) as connection:
        found = await connection.execute(
            text(f"update products set {assigned}, updated_at = now() returning id"), values
        )
        touches = [Touch(PRODUCTS, row.id, "updated") for row in found]
        await publish(connection, room.tenant_id, touches)


async def title(room: Room) -> str:
    return str((await room.rows("select title from products"))[0][0])


async def due(room: Room) -> list[Any]:
    return await room.rows("select store_id, entity, version from pushes order by 1, 2")


def tea(key: str, sku: str = "TEA", version: int | None = 0, **values: Any) -> Pulled[Any]:
    return product(key, variant(f"{key}v", sku=sku), version=version, **values)
