"""One record that was asked for: what became of it, or why that cannot be told."""

import pytest

from activities.demand_models import DemandCounts, PullDemand
from activities.models import Counts
from api.temporal_demands import DemandFailedError, demand_workflow_id
from domain.entities import Entity
from tests.api.asking import ask
from tests.api.hub import Caller, Hub, connect
from tests.db.factories import product
from workflows.models import DemandResult

PRODUCTS, ORDERS = Entity.PRODUCTS, Entity.ORDERS
FAILURES = {
    "CredentialsError": 422,
    "RequestRejectedError": 422,
    "StoreUnreachableError": 502,
    "StoreUnavailableError": 502,
    "Cancelled": 409,
    "StoreGoneError": 409,
    "PushesPausedError": 409,
    "DatabaseError": 500,
}
OURS = {"Cancelled", "DatabaseError"}


@pytest.fixture
async def store_id(caller: Caller) -> int:
    return await connect(caller, provider="woocommerce")


def result(entity: Entity, **counts: int) -> DemandResult:
    """What a demand for one record did."""
    pulled = {entity: Counts(pages=1, **counts)}
    return DemandResult(run_id=1, counts=DemandCounts(pulled=pulled))


async def test_one_record_is_told_what_became_of_it(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    await hub.take_in(caller.tenant, store_id, PRODUCTS, product("4711"))
    ((record_id,),) = await hub.execute(caller.tenant, "select id from products")
    for outcome in ("created", "updated", "unchanged", "deleted", "rejected"):
        hub.gateway.demanded = result(PRODUCTS, **{outcome: 1})
        answer = await ask(caller, "products/4711", {"force": True})
        assert answer.status_code == 200, answer.text
        demand = hub.gateway.demands[-1]
        assert demand.pulls == (PullDemand(entity=PRODUCTS, external_ids=("4711",), force=True),)
        assert answer.json() == {
            "outcome": outcome,
            "externalId": "4711",
            "recordId": record_id,
            "reason": None,
            "workflowId": demand_workflow_id(demand),
        }


async def test_a_record_that_nobody_knows_is_not_there(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    hub.gateway.demanded = result(ORDERS)
    answer = await ask(caller, "orders/4711")
    assert answer.status_code == 404
    assert "4711" in answer.json()["detail"]


async def test_one_record_that_takes_longer_is_told_where_to_look(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    answer = await ask(caller, "products/4711")
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.json()["statusUrl"]
    assert hub.gateway.waits[-1][1] == 10


async def test_a_failure_is_told_as_the_stores_or_as_ours(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    for error_type, status in FAILURES.items():
        hub.gateway.demanded = DemandFailedError(error_type, "what happened")
        answer = await ask(caller, "products/4711")
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert ("what happened" in answer.json()["detail"]) is (error_type not in OURS)


async def test_a_store_that_is_gone_meanwhile_is_a_conflict(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    hub.gateway.demanded = DemandResult()
    assert (await ask(caller, "products/4711")).status_code == 409
