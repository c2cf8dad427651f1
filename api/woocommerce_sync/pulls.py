"""`/api/woocommerce-sync/sync/…`: what is pulled when somebody asks."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from activities.demand_models import PullDemand
from api.openapi_answers import ASKS_STORE
from api.params import EACH_ONCE, ExternalId
from api.schemas.woocommerce_sync import DemandAnswer
from api.schemas.woocommerce_sync_pulls import (
    BatchBody,
    CustomersPullBody,
    FullSyncBody,
    ItemBody,
    OrdersPullBody,
    ProductsPullBody,
    PullBody,
    PulledItemAnswer,
)
from api.woocommerce_sync import pull_demands
from api.woocommerce_sync.asking import Asking, Plan
from api.woocommerce_sync.pulled_items import shown_item
from db.stores import Store
from domain.entities import Entity

router = APIRouter(
    prefix="/api/woocommerce-sync", tags=["woocommerce-sync"], dependencies=[EACH_ONCE]
)

_TAKES_LONGER: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": DemandAnswer, "description": "It takes longer than 10 s, and goes on"},
    **ASKS_STORE,
}
WooId = Annotated[ExternalId, Path(description="The record's id in the WooCommerce store")]


@router.post("/sync/full", status_code=202, response_model=DemandAnswer, summary="Sync everything")
async def sync_full(asking: Asking, body: FullSyncBody | None = None) -> Response:
    """Everything from the store, to it, or both, as the store's directions allow."""
    asked = body or FullSyncBody()

    def plan(store: Store) -> dict[str, object]:
        return {
            "pulls": pull_demands.full_pulls(store, asked),
            "pushes": pull_demands.full_pushes(store, asked),
            "is_dry": asked.dry_run,
        }

    return await asking.start("full-sync", asked.store_id, plan)


@router.post(
    "/sync/batch", status_code=202, response_model=DemandAnswer, summary="Sync some entities"
)
async def sync_batch(asking: Asking, body: BatchBody | None = None) -> Response:
    """The newest customers, products and orders from the store, and stock to it."""
    asked = body or BatchBody()

    def plan(store: Store) -> dict[str, object]:
        return {
            "pulls": pull_demands.batch_pulls(store, asked),
            "pushes": pull_demands.batch_pushes(store, asked),
            "is_dry": asked.dry_run,
        }

    return await asking.start("batch-sync", asked.store_id, plan)


@router.post(
    "/sync/customers/pull",
    status_code=202,
    response_model=DemandAnswer,
    summary="Pull customers",
)
async def pull_customers(asking: Asking, body: CustomersPullBody | None = None) -> Response:
    """The newest customers of the store, or those of a later page."""
    asked = body or CustomersPullBody()
    demand = pull_demands.customers_pull(asked)
    return await asking.start("customers-pull", asked.store_id, _plan(demand, asked))


@router.post(
    "/sync/products/pull", status_code=202, response_model=DemandAnswer, summary="Pull products"
)
async def pull_products(asking: Asking, body: ProductsPullBody | None = None) -> Response:
    """The newest products of a status. Without `force` only what changed since the last sync."""
    asked = body or ProductsPullBody()
    demand = pull_demands.products_pull(asked)
    return await asking.start("products-pull", asked.store_id, _plan(demand, asked))


@router.post(
    "/sync/products/{wcProductId}",
    response_model=PulledItemAnswer,
    responses=_TAKES_LONGER,
    summary="Pull one product",
)
async def pull_product(
    asking: Asking,
    product_id: Annotated[WooId, Path(alias="wcProductId")],
    body: ItemBody | None = None,
) -> Response:
    """Read one product again; one that the store does not have any more is deleted."""
    return await _pull_one(asking, Entity.PRODUCTS, product_id, body or ItemBody())


@router.post(
    "/sync/orders/pull", status_code=202, response_model=DemandAnswer, summary="Pull orders"
)
async def pull_orders(asking: Asking, body: OrdersPullBody | None = None) -> Response:
    """The newest orders of a status. Without `force` only what changed since the last sync."""
    asked = body or OrdersPullBody()
    demand = pull_demands.orders_pull(asked)
    return await asking.start("orders-pull", asked.store_id, _plan(demand, asked))


@router.post(
    "/sync/orders/{wcOrderId}",
    response_model=PulledItemAnswer,
    responses=_TAKES_LONGER,
    summary="Pull one order",
)
async def pull_order(
    asking: Asking,
    order_id: Annotated[WooId, Path(alias="wcOrderId")],
    body: ItemBody | None = None,
) -> Response:
    """Read one order again; one that the store does not have any more is deleted."""
    return await _pull_one(asking, Entity.ORDERS, order_id, body or ItemBody())


def _plan(demand: PullDemand, asked: PullBody) -> Plan:
    def plan(store: Store) -> dict[str, object]:
        pull_demands.check_pull(store, demand.entity)
        return {"pulls": (demand,), "is_dry": asked.dry_run}

    return plan


async def _pull_one(asking: Asking, entity: Entity, number: int, asked: ItemBody) -> Response:
    demand = pull_demands.one_record(entity, str(number), force=asked.force)
    return await asking.run(
        f"{entity.value}-pull-one",
        asked.store_id,
        _plan(demand, asked),
        lambda args: shown_item(asking.services, args),
    )
