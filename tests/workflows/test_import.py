import pytest

from activities.models import Counts
from domain.entities import Entity
from tests.db.dumps import physical_dump
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from tests.workflows.truth import RIGHT, compare

pytestmark = pytest.mark.usefixtures("workers")


async def test_a_shop_is_imported_as_it_is_and_a_second_time_nothing_changes(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=120, orders=130, seed=3)
    first = await scene.import_store()
    from tests.workflows import truth
    held={r[0]:r[1:] for r in await scene.rows(truth._ORDERS)}
    for d in scene.shop.shop.truth("orders"):
        e=truth._order(d, scene.shop.shop)
        for a,b in zip(e, held[str(d["id"])]):
            if a!=b: print(d["id"],a,b)
    assert await compare(scene) == RIGHT
    x = await scene.store_row()
    print(x, first)
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        before = await physical_dump(connection)
    second = await scene.import_store()
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        assert await physical_dump(connection) == before
    print(second)
