"""A dry run of everything against a served shop: what it tells is what the real one does, it writes
its own bookkeeping alone, and the shop is only read."""

from typing import Any

import pytest

from activities.demand_models import PullDemand, PushDemand
from api.temporal_demands import TemporalDemandGateway
from domain.entities import IMPORT_ORDER, Entity
from domain.sync_settings import Direction, StoreSettings, SyncDirections
from tests.db.dumps import tenant_dump
from tests.db.factories import product
from tests.db.room import Room, new_store
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from workflows.models import DemandInput, DemandResult

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOOKKEEPING = {"sync_runs", "sync_run_entities", "sync_ranges", "run_diffs", "store_budgets"} | {
    "run_pushes"
}
"""What a dry run may write. The budget counts the requests to the store, and it makes some."""

EVERYTHING = tuple(PullDemand(entity=one, force=True) for one in IMPORT_ORDER)


async def demand(scene: Scene, **asked: Any) -> DemandResult:
    args = DemandInput.model_validate({**scene.input().model_dump(), "name": "test", **asked})
    gateway = TemporalDemandGateway(scene.client)
    result = await gateway.await_demand(await gateway.start_demand(args), timeout_s=60)
    assert result is not None
    return result


async def dump(scene: Scene) -> dict[str, Any]:
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        return await tenant_dump(connection)


async def told(scene: Scene, run_id: int | None, way: str = "pull") -> dict[tuple[str, str], Any]:
    rows = await scene.rows(
        "select entity, coalesce(external_id, key), action, fields from run_diffs"
        " where run_id = :run and way = :way",
        run=run_id,
        way=way,
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def written(scene: Scene) -> list[str]:
    return [one["method"] for one in scene.requests() if one["method"] not in {"GET", "HEAD"}]


async def test_a_dry_import_tells_what_the_import_does(open_store: OpenStore) -> None:
    scene = await open_store(products=30, orders=40, customers=12)
    before = await dump(scene)
    dry = await demand(scene, pulls=EVERYTHING, is_dry=True)
    after = await dump(scene)
    assert {name for name, rows in after.items() if rows != before[name]} <= BOOKKEEPING
    assert written(scene) == []
    foreseen = await told(scene, dry.run_id)
    real = await demand(scene, pulls=EVERYTHING)
    for entity in IMPORT_ORDER:
        expected, done = dry.counts.pulled[entity], real.counts.pulled[entity]
        assert (entity, expected.created, expected.rejected) == (
            entity,
            done.created,
            done.rejected,
        )
    made = await scene.rows(
        "select entity, external_id from links where store_id = :store and entity <> 'variants'"
    )
    created = {key for key, (action, _) in foreseen.items() if action == "created"}
    assert {key for key in created if key[0] != "inventory"} == {tuple(row) for row in made}
    titles = await scene.rows(
        "select l.external_id, p.title, (select array_agg(c.external_id order by c.external_id)"
        "   from links c where c.entity = 'categories' and c.record_id = any(p.category_ids))"
        " from products p join links l on l.entity = 'products' and l.record_id = p.id"
    )
    for key, title, categories in titles:
        fields = foreseen["products", key][1]
        assert fields["title"]["to"] == title
        shown = fields.get("category_external_ids", {"to": None})["to"]
        assert (key, shown and sorted(shown)) == (key, categories)


async def test_what_changed_in_the_shop_is_told_field_by_field(open_store: OpenStore) -> None:
    scene = await open_store(products=6, orders=3, customers=3)
    await demand(scene, pulls=EVERYTHING)
    names = await scene.rows("select external_id from links where entity = 'products' order by 1")
    key = names[0][0]
    [(title,)] = await scene.rows(
        "select title from products p join links l on l.record_id = p.id"
        " where l.entity = 'products' and l.external_id = :key",
        key=key,
    )
    await scene.rows("update products set title = title || ' (ours)'")
    await scene.rows("update links set differs = true where entity = 'products'")
    dry = await demand(scene, pulls=(PullDemand(entity=Entity.PRODUCTS, force=True),), is_dry=True)
    foreseen = await told(scene, dry.run_id)
    assert foreseen["products", key] == (
        "updated",
        {"title": {"from": f"{title} (ours)", "to": title}},
    )
    assert dry.counts.pulled[Entity.PRODUCTS].updated == len(names)
    assert await scene.rows("select count(*) from products where title like '%(ours)'") == [
        (len(names),)
    ]


async def test_what_the_shop_deleted_is_told_where_the_real_run_would_look_for_it(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=8, orders=3, customers=3)
    await demand(scene, pulls=EVERYTHING)
    shop = scene.shop.shop
    key = shop.tables["products"].ids()[0]
    shop.delete("products", key)
    before = await dump(scene)
    pulls = (PullDemand(entity=Entity.PRODUCTS, force=True),)
    dry = await demand(scene, pulls=pulls, is_dry=True)
    after = await dump(scene)
    assert {name for name, rows in after.items() if rows != before[name]} <= BOOKKEEPING
    assert written(scene) == []
    assert dry.counts.pulled[Entity.PRODUCTS].deleted == 1
    action, fields = (await told(scene, dry.run_id))["products", str(key)]
    assert (action, fields["title"]["to"]) == ("deleted", None)
    assert (await demand(scene, pulls=pulls)).counts.pulled[Entity.PRODUCTS].deleted == 1
    [(is_gone,)] = await scene.rows(
        "select p.deleted_at is not null from products p join links l on l.record_id = p.id"
        " where l.entity = 'products' and l.external_id = :key",
        key=str(key),
    )
    assert is_gone


async def test_a_dry_push_reads_the_shop_and_sends_nothing(open_store: OpenStore) -> None:
    scene = await open_store(products=3, orders=1, customers=1)
    home_id = await new_store(scene.hub.database, scene.tenant_id, code="home")
    home = Room(scene.hub.database, scene.tenant_id, home_id)
    both = SyncDirections(products=Direction.BOTH, inventory=Direction.BOTH)
    await scene.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=StoreSettings(sync_directions=both).model_dump_json(by_alias=True),
    )
    await home.take(Entity.PRODUCTS, product("1", title="New here"))
    before = await dump(scene)
    pushes = (PushDemand(entity=Entity.PRODUCTS, all_records=True),)
    dry = await demand(scene, pushes=pushes, is_dry=True)
    after = await dump(scene)
    assert {name for name, rows in after.items() if rows != before[name]} <= BOOKKEEPING
    assert written(scene) == []
    assert dry.counts.pushed[Entity.PRODUCTS].queued == 1
    [(action, fields)] = (await told(scene, dry.run_id, "push")).values()
    assert action == "create"
    assert fields["title"] == {"from": None, "to": "New here"}
