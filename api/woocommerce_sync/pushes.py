"""`/api/woocommerce-sync/sync/…/push`: what is sent when somebody asks."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from activities.demand_models import PushDemand
from api import problems
from api.auth import SyncsWriter
from api.demanding import demand_input, run_demand, start_demand
from api.idempotency import Idempotent
from api.openapi_answers import ASKS_STORE
from api.problems import INVALID, ProblemError
from api.schemas.base import MAX_ID
from api.schemas.woocommerce_pushes import (
    ProductStockAnswer,
    PushCustomersBody,
    PushInventoryBody,
    PushProductStockBody,
    VariantStockAnswer,
)
from api.schemas.woocommerce_sync import DemandAnswer
from api.services import ApiServices, Services
from api.temporal import Started
from api.woocommerce_sync.asking import pick_active
from api.woocommerce_sync.push_checks import check_demand, check_direction, push_demand, why_not
from api.woocommerce_sync.stores import StoreIdQuery
from db.shown_stock import ShownStock, is_product_linked, load_shown_stock
from db.stores import Store
from domain.entities import Entity
from workflows.models import DemandResult

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])

ProductId = Annotated[
    int, Path(alias="productId", ge=1, le=MAX_ID, description="The hub's id of a product")
]


@router.post(
    "/sync/customers/push",
    status_code=202,
    response_model=DemandAnswer,
    summary="Send customers to WooCommerce",
)
async def push_customers(
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: PushCustomersBody | None = None,
    store_id: StoreIdQuery = None,
) -> Response:
    """Send customers of the hub, also to a store that is otherwise only pulled from.

    Those the store has are brought up to date, the others are created; guests have no account
    there and are never sent.
    """
    asked = body or PushCustomersBody()

    async def work() -> Response:
        demand = push_demand(
            Entity.CUSTOMERS,
            asked.customer_ids,
            asked.sync_modified_since,
            is_all=asked.sync_all,
            force=asked.force,
        )
        picked = await pick_active(services, principal, query=store_id, body=asked.store_id)
        store = await check_demand(services, principal.tenant_id, picked, demand)
        args = demand_input(
            services, principal, store, "customers-push", pushes=(demand,), is_dry=asked.dry_run
        )
        return await start_demand(services, principal, args)

    return await idempotency.run(principal, work)


@router.post(
    "/sync/inventory/push",
    status_code=202,
    response_model=DemandAnswer,
    summary="Send stock to WooCommerce",
)
async def push_inventory(
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: PushInventoryBody | None = None,
    store_id: StoreIdQuery = None,
) -> Response:
    """Send how many there are of products, also to a store that is otherwise only pulled from.

    The store's own numbers are read first, and what moved there is counted before they are
    written.
    """
    asked = body or PushInventoryBody()

    async def work() -> Response:
        demand = push_demand(
            Entity.INVENTORY,
            asked.product_ids,
            asked.sync_modified_since,
            is_all=asked.sync_all,
            force=asked.force,
        )
        picked = await pick_active(services, principal, query=store_id, body=asked.store_id)
        store = await check_demand(services, principal.tenant_id, picked, demand)
        args = demand_input(
            services, principal, store, "inventory-push", pushes=(demand,), is_dry=asked.dry_run
        )
        return await start_demand(services, principal, args)

    return await idempotency.run(principal, work)


@router.post(
    "/sync/inventory/push/{productId}",
    response_model=ProductStockAnswer,
    responses={202: {"model": DemandAnswer, "description": "It takes longer"}, **ASKS_STORE},
    summary="Send the stock of one product to WooCommerce",
)
async def push_product_stock(
    product_id: ProductId,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: PushProductStockBody | None = None,
    store_id: StoreIdQuery = None,
) -> Response:
    """Send how many there are of each variant of a product (the hub's id); show what came of it.

    A dry run answers 202: its diff is at the run.
    """
    asked = body or PushProductStockBody()

    async def work() -> Response:
        demand = PushDemand(entity=Entity.INVENTORY, record_ids=(product_id,), force=asked.force)
        picked = await pick_active(services, principal, query=store_id, body=asked.store_id)
        store = check_direction(picked, Entity.INVENTORY)
        before = await _shown(services, principal.tenant_id, store, product_id)
        args = demand_input(
            services,
            principal,
            store,
            "inventory-push-one",
            pushes=(demand,),
            is_dry=asked.dry_run,
        )
        if asked.dry_run:
            return await start_demand(services, principal, args)

        async def show(result: DemandResult, _started: Started) -> ProductStockAnswer:
            async with services.database.tenant(principal.tenant_id) as connection:
                after = await load_shown_stock(
                    connection, store.id, product_id, run_id=result.run_id
                )
            return _stock_view(store, product_id, before, after)

        return await run_demand(services, principal, args, show)

    return await idempotency.run(principal, work)


async def _shown(
    services: ApiServices, tenant_id: int, store: Store, product_id: int
) -> Sequence[ShownStock]:
    """What the store shows before. Raises ProblemError (404, 422): it cannot have it."""
    async with services.database.tenant(tenant_id) as connection:
        is_linked = await is_product_linked(connection, store.id, product_id)
        if is_linked is None:
            raise problems.not_found(f"product {product_id}", "/api/products")
        if not is_linked:
            raise ProblemError(INVALID, why_not(Entity.INVENTORY, store, str(product_id)))
        return await load_shown_stock(connection, store.id, product_id)


def _stock_view(
    store: Store, product_id: int, before: Sequence[ShownStock], after: Sequence[ShownStock]
) -> ProductStockAnswer:
    was = {one.variant_id: one.shown for one in before}
    return ProductStockAnswer(
        store_id=store.id,
        product_id=product_id,
        variants=[
            VariantStockAnswer(
                variant_id=one.variant_id,
                sku=one.sku,
                external_id=one.external_id,
                before=was.get(one.variant_id),
                after=one.shown,
                outcome=one.outcome.value,
                reason=one.reason,
            )
            for one in after
        ],
    )
