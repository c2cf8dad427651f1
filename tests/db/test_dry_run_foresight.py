"""What a dry run foresees is what the real thing does, whatever the parties said before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.apply import apply
from db.dry_run import Foreseen, Trial, foresee
from db.session import Database
from db.staging import Origin
from db.tenants import create_tenant
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.sync_settings import ConflictPolicy, Direction
from tests.db.factories import product, variant
from tests.db.room import Room, new_store
from tests.db.two_way import edit, take, wanted

PRODUCTS = Entity.PRODUCTS

_STATE = """
select replace(v.sku, 'SKU-', '') as external_id, p.title, p.description, p.tags, p.status,
       v.price::float as price, v.sku, p.deleted_at is not null as is_gone
from products p join product_variants v on v.product_id = p.id
"""


async def state(room: Room) -> dict[str, dict[str, Any]]:
    async with room.database.tenant(room.tenant_id) as connection:
        rows = await connection.execute(text(_STATE))
        return {row["external_id"]: {} if row["is_gone"] else dict(row) for row in rows.mappings()}


def done(before: Mapping[str, dict[str, Any]], seen: Foreseen) -> dict[str, dict[str, Any]]:
    """The state once what was foreseen is done to it."""
    after = {key: dict(one) for key, one in before.items()}
    for one in seen.differences:
        if one.entity != "products" or one.external_id is None:
            continue
        if "isLinked" in one.fields:
            continue
        if one.action == "deleted":
            after[one.external_id] = {}
            continue
        held = after.setdefault(one.external_id, {})
        blank = {"description": "", "tags": [], "sku": "", "is_gone": False}
        held |= {"external_id": one.external_id, **blank} if not held else {}
        for path, change in one.fields.items():
            name = path.rpartition(".")[2] if path.startswith("variants.") else path
            kept = ("price", "sku") if name != path else ("title", "description", "tags", "status")
            if change.get("isHeld") or name not in kept:
                continue
            held[name] = float(change["to"]) if name == "price" else change["to"]
    return after


VALUES = {
    "title": st.sampled_from(["Tea", "Green tea"]),
    "description": st.sampled_from(["", "fine", "fine and fresh"]),
    "tags": st.sampled_from([[], ["a"], ["a", "b"]]),
    "price": st.sampled_from(["9", "11"]),
}
SAID = st.fixed_dictionaries({"key": st.sampled_from(["1", "2", "3"]), **VALUES})
EDITS = st.lists(st.sampled_from(["title", "description"]), max_size=2)
SCENES = st.fixed_dictionaries(
    {
        "first": st.lists(SAID, max_size=3, unique_by=lambda one: one["key"]),
        "edits": EDITS,
        "then": st.lists(SAID, min_size=1, max_size=3, unique_by=lambda one: one["key"]),
        "gone": st.lists(st.sampled_from(["1", "2", "3"]), max_size=1),
        "policy": st.sampled_from(list(ConflictPolicy)),
        "direction": st.sampled_from([Direction.PULL, Direction.BOTH, Direction.PUSH]),
        "force": st.booleans(),
        "has_other": st.booleans(),
    }
)


def told(one: Mapping[str, Any], version: int) -> Pulled[Any]:
    key = one["key"]
    sold = variant(f"{key}v", one["price"], sku=f"SKU-{key}")
    values = {name: one[name] for name in ("title", "description", "tags")}
    return product(key, sold, version=version, **values)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(scene=SCENES)
async def test_what_is_foreseen_is_what_happens(
    app: Database, owner: Database, scene: Mapping[str, Any]
) -> None:
    room = await _scene_room(app, owner, scene)
    await take(room, PRODUCTS, *(told(one, 1) for one in scene["first"]))
    for name in scene["edits"]:
        await edit(room, **{name: "Ours"})
    before, held = await state(room), await conflicts(room)
    page: Page[Any] = Page(
        records=tuple(told(one, 2) for one in scene["then"]), tombstones=tuple(scene["gone"])
    )
    origin = Origin(room.tenant_id, room.store_id, force=scene["force"])
    seen = await foresee(app, Trial(origin, PRODUCTS, page))
    async with app.tenant(room.tenant_id) as connection:
        actual = await apply(connection, origin, PRODUCTS, page)
    assert seen.applied == actual
    assert await state(room) == done(before, seen)
    new = [one for one in await conflicts(room) if one not in held]
    assert [one.action for one in seen.differences].count("conflict") == len(new)


async def conflicts(room: Room) -> list[tuple[Any, ...]]:
    return await room.rows("select record_id, fields from conflicts where status = 'open'")


async def _scene_room(app: Database, owner: Database, scene: Mapping[str, Any]) -> Room:
    async with owner.lookup() as connection:
        tenant = await create_tenant(connection, f"Tenant {uuid4().hex}")
    chosen = wanted(scene["policy"], products=scene["direction"])
    store_id = await new_store(app, tenant.id, settings=chosen)
    room = Room(app, tenant.id, store_id)
    if scene["has_other"]:
        other = replace(room, store_id=await new_store(app, tenant.id, settings=wanted()))
        every = {"title": "Tea", "description": "", "tags": [], "price": "9"}
        await take(other, PRODUCTS, told({"key": "2", **every}, 1))
    return room
