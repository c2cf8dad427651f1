"""`/api/woocommerce-sync/sync`: what is asked for, and what is refused with a reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.demand_models import PullDemand, PushDemand
from api.temporal_demands import demand_workflow_id
from domain.entities import Entity
from tests.api.asking import ACTIONS, ask
from tests.api.hub import Caller, Hub, connect
from workflows.models import DemandInput

CATEGORIES, PRODUCTS, CUSTOMERS, ORDERS, INVENTORY = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
    Entity.INVENTORY,
)
JANUARY = datetime(2025, 1, 1, tzinfo=UTC)


def pull(entity: Entity, size: int, **more: Any) -> PullDemand:
    """A part of so many records, in pages of as many."""
    return PullDemand(entity=entity, page_size=min(size, 100), limit=size, **more)


@pytest.fixture
async def store_id(caller: Caller) -> int:
    return await connect(caller, provider="woocommerce")


ASKED: list[tuple[str, Any, list[PullDemand]]] = [
    ("customers/pull", None, [pull(CUSTOMERS, 100)]),
    ("customers/pull", {}, [pull(CUSTOMERS, 100)]),
    ("customers/pull", {"limit": 7, "page": 3}, [pull(CUSTOMERS, 7, first_page=3)]),
    ("customers/pull", {"limit": 100_000}, [pull(CUSTOMERS, 100_000)]),
    ("customers/pull", {"force": True}, [pull(CUSTOMERS, 100, force=True)]),
    ("products/pull", None, [pull(PRODUCTS, 100, status="publish")]),
    (
        "products/pull",
        {"status": "draft", "limit": 5},
        [pull(PRODUCTS, 5, status="draft")],
    ),
    ("products/pull", {"status": "all"}, [pull(PRODUCTS, 100, status="any")]),
    ("orders/pull", None, [pull(ORDERS, 100, status="any")]),
    (
        "orders/pull",
        {"status": "wc-on-hold", "after": "2025-01-01T02:00:00+02:00"},
        [pull(ORDERS, 100, status="wc-on-hold", after=JANUARY)],
    ),
    ("batch", {"customers": True}, [pull(CUSTOMERS, 50)]),
    (
        "batch",
        {"orders": True, "products": True, "limit": 300, "force": True},
        [pull(PRODUCTS, 300, force=True), pull(ORDERS, 300, force=True)],
    ),
    (
        "full",
        {"direction": "pull", "batchSize": 10, "force": True},
        [
            PullDemand(entity=one, page_size=10, force=True)
            for one in (CATEGORIES, PRODUCTS, CUSTOMERS, ORDERS)
        ],
    ),
]


async def test_what_is_asked_for_is_what_is_demanded(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    for path, body, pulls in ASKED:
        hub.gateway.running.clear()
        answer = await ask(caller, path, body)
        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert told["statusUrl"] == answer.headers["Location"] == f"/api/syncs/{told['workflowId']}"
        assert told["workflowId"].startswith(f"demand/{store_id}/")
        assert told["temporalUiUrl"].startswith("http://127.0.0.1:8233/")
        assert (told["storeId"], told["alreadyRunning"]) == (store_id, False)
        demand = hub.gateway.demands[-1]
        assert (list(demand.pulls), demand.pushes, demand.is_dry) == (pulls, (), False)


async def test_everything_goes_the_ways_that_the_store_allows(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    ways = {"categories": "off", "products": "push", "customers": "both", "inventory": "both"}
    changed = await caller.patch(
        f"/api/stores/{store_id}", json={"settings": {"syncDirections": ways}}
    )
    assert changed.status_code == 200, changed.text
    pulls = (CUSTOMERS, ORDERS)
    pushes = (PRODUCTS, CUSTOMERS, INVENTORY, ORDERS)
    for direction, expected in (
        (None, (pulls, pushes)),
        ("both", (pulls, pushes)),
        ("pull", (pulls, ())),
        ("push", ((), pushes)),
    ):
        hub.gateway.running.clear()
        body = {"force": True} | ({"direction": direction} if direction else {})
        assert (await ask(caller, "full", body)).status_code == 202
        demand = hub.gateway.demands[-1]
        assert (
            tuple(one.entity for one in demand.pulls),
            tuple(one.entity for one in demand.pushes),
        ) == expected
        assert all(one.all_records for one in demand.pushes)
        assert [one.entity for one in demand.pushes if not one.force] == list(expected[1][3:])


async def test_a_batch_sends_stock_and_pulls_the_rest(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    body = {"customers": True, "inventory": True, "limit": 9, "storeId": store_id}
    assert (await ask(caller, "batch", body)).status_code == 202
    (demand,) = hub.gateway.demands
    assert demand.pulls == (pull(CUSTOMERS, 9),)
    assert demand.pushes == (PushDemand(entity=INVENTORY, all_records=True, limit=9),)


async def test_a_batch_of_all_leaves_out_what_is_switched_off(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    ways = {"products": "off", "customers": "pull", "inventory": "off"}
    await caller.patch(f"/api/stores/{store_id}", json={"settings": {"syncDirections": ways}})
    assert (await ask(caller, "batch", {})).status_code == 202
    (demand,) = hub.gateway.demands
    assert ([one.entity for one in demand.pulls], demand.pushes) == ([CUSTOMERS, ORDERS], ())
    refused = await ask(caller, "batch", {"customers": True, "inventory": True})
    assert refused.status_code == 409
    assert "syncDirections.inventory" in refused.json()["detail"]


async def test_a_dry_run_is_another_demand(hub: Hub, caller: Caller, store_id: int) -> None:
    for path in ACTIONS:
        chosen = {"customers": True} if path == "batch" else {}
        for is_dry in (True, False):
            assert (await ask(caller, path, {"dryRun": is_dry, **chosen})).status_code == 202
        dry, real = hub.gateway.demands[-2:]
        assert (dry.is_dry, real.is_dry, dry.pulls) == (True, False, real.pulls)
        assert demand_workflow_id(dry) != demand_workflow_id(real)


WRONG: list[tuple[str, Any, str]] = [
    ("customers/pull", {"limit": 0}, "/limit"),
    ("customers/pull", {"limit": 100_001}, "/limit"),
    ("customers/pull", {"limit": "many"}, "/limit"),
    ("customers/pull", {"page": 0}, "/page"),
    ("customers/pull", {"page": 100_001}, "/page"),
    ("customers/pull", {"status": "publish"}, "/status"),
    ("products/pull", {"status": "on hold"}, "/status"),
    ("products/pull", {"status": "a" * 41}, "/status"),
    ("products/pull", {"page": 1}, "/page"),
    ("orders/pull", {"after": "2025-01-01T00:00:00"}, "/after"),
    ("orders/pull", {"after": "yesterday"}, "/after"),
    ("full", {"batchSize": 0}, "/batchSize"),
    ("full", {"batchSize": 101}, "/batchSize"),
    ("full", {"direction": "sideways"}, "/direction"),
    ("batch", {"customers": True, "limit": 0}, "/limit"),
    ("batch", {"customers": True, "storeId": 0}, "/storeId"),
    ("products/4711", {"limit": 1}, "/limit"),
]


async def test_wrong_input_is_refused_with_its_place(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    for path, body, pointer in WRONG:
        answer = await ask(caller, path, body)
        assert answer.status_code == 422, f"{path} {body}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    for path in ("products/0", "products/x", "products/1.0", "orders/-1", f"orders/{10**15}"):
        assert (await ask(caller, path)).status_code == 422
    for root in ("sync/products/4711", "sync/customers/pull", "export/orders", "status"):
        path = f"/api/woocommerce-sync/{root}?storeId={store_id}&storeId={store_id}"
        answer = await (caller.post(path) if root.startswith("sync") else caller.get(path))
        assert answer.status_code == 422, answer.text
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/query/storeId"]
    assert hub.gateway.demands == []


async def test_a_batch_that_names_nothing_is_one_of_everything(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    everything = [pull(PRODUCTS, 50), pull(CUSTOMERS, 50), pull(ORDERS, 50)]
    stock = PushDemand(entity=Entity.INVENTORY, all_records=True, limit=50)
    for body, pulls, pushes in (
        (None, everything, (stock,)),
        ({}, everything, (stock,)),
        ({"customers": False}, [pull(PRODUCTS, 50), pull(ORDERS, 50)], (stock,)),
        ({"customers": False, "orders": True}, [pull(ORDERS, 50)], ()),
        ({"inventory": False}, everything, ()),
    ):
        hub.gateway.running.clear()
        assert (await ask(caller, "batch", body)).status_code == 202
        demand = hub.gateway.demands[-1]
        assert (list(demand.pulls), demand.pushes) == (pulls, pushes), body


async def test_a_batch_of_nothing_is_refused(hub: Hub, caller: Caller, store_id: int) -> None:
    nothing = dict.fromkeys(("customers", "products", "orders", "inventory"), False)
    answer = await ask(caller, "batch", nothing)
    assert answer.status_code == 422
    assert "customers, products, orders and inventory" in answer.json()["detail"]
    assert hub.gateway.demands == []


async def test_times_that_no_shop_has_are_taken_as_the_first_and_the_last_there_are(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        assert (await ask(caller, "orders/pull", {"after": moment})).status_code == 202
    years = [one.after.year for demand in hub.gateway.demands for one in demand.pulls if one.after]
    assert years == [1970, 2999]


async def test_what_is_asked_is_the_id_whatever_the_ladder_is() -> None:
    base = DemandInput(tenant_id=1, store_id=2, provider="woocommerce", name="x")
    same = base.model_copy(update={"ladder_s": (0,), "in_flight": 1})
    other = base.model_copy(update={"pulls": (pull(ORDERS, 5),)})
    assert demand_workflow_id(base) == demand_workflow_id(same) != demand_workflow_id(other)
    assert demand_workflow_id(base).startswith("demand/2/")
