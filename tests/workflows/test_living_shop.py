import pytest

from domain.entities import Entity
from tests.workflows.conftest import OpenStore
from tests.workflows.truth import RIGHT, Verdict, compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Entity.ORDERS


async def test_a_shop_that_is_edited_all_the_while_is_copied_as_it_is_in_the_end(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=20, orders=3_000, customers=50)
    scene.churn(ORDERS, events=40)
    result = await scene.import_store()
    churn, _ = scene.shop.churns[0]
    assert (churn.events, churn.edited, churn.added, churn.deleted) == (40, 200, 40, 40)
    assert await compare(scene) == RIGHT
    assert result.is_settled
    assert result.rounds > 1
    doubled = "select external_id from links group by entity, external_id having count(*) > 1"
    assert await scene.rows(doubled) == []


async def test_pages_alone_would_lose_records_of_such_a_shop(open_store: OpenStore) -> None:
    scene = await open_store(products=10, orders=1_200, customers=5)
    scene.churn(ORDERS, events=40)
    result = await scene.import_store(max_rounds=0)
    verdict = (await compare(scene))[ORDERS]
    assert len(verdict.missing) > 3
    assert len(verdict.extra) > 3
    assert len(verdict.stale) > 10
    assert verdict.doubled == ()
    assert not result.is_settled


async def test_a_list_that_moves_under_the_sweep_is_swept_again(open_store: OpenStore) -> None:
    scene = await open_store(products=10, orders=250, customers=5)
    scene.fail("churn", entity="orders", max_events=14, id_pages=True, seed=3)
    result = await scene.import_store()
    assert await compare(scene) == RIGHT
    assert (result.is_settled, result.rounds > 2) == (True, True)


async def test_a_shop_that_never_stops_changing_is_left_after_so_many_rounds(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=120, customers=5)
    scene.fail("churn", entity="orders", id_pages=True, seed=3)
    result = await scene.import_store(max_rounds=2)
    assert (result.is_settled, result.rounds) == (False, 2)
    assert (await scene.store_row())["sync_status"] == "success"
    verdicts = await compare(scene)
    assert {entity for entity, one in verdicts.items() if one != Verdict()} <= {ORDERS}


async def test_products_with_variations_survive_a_living_shop_too(open_store: OpenStore) -> None:
    scene = await open_store(products=250, orders=10, customers=5)
    scene.churn(Entity.PRODUCTS, events=8)
    scene.fail("churn", entity="categories", max_events=2, seed=2)
    scene.fail("churn", entity="customers", max_events=3, seed=2)
    await scene.import_store(pages_per_activity=1)
    assert await compare(scene) == RIGHT
