"""`/api/woocommerce-sync/sync/…/push`: what is sent when somebody asks."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from activities.demand_models import PushDemand
from api import problems
from api.demanding import run_demand, start_demand
from api.openapi_answers import ASKS_STORE
from api.params import EACH_ONCE, Id
from api.problems import INVALID, ProblemError
from api.schemas.woocommerce_pushes import (
    ProductStockAnswer,
    PushBody,
    PushCustomersBody,
    PushInventoryBody,
    PushProductStockBody,
    VariantStockAnswer,
)
from api.schemas.woocommerce_sync import DemandAnswer
from api.services import ApiServices
from api.temporal import Started
from api.woocommerce_sync.asking import Asking, AskingStore
from api.woocommerce_sync.push_checks import check_demand, check_direction, push_demand, why_not
from db.shown_stock import ShownStock, is_product_linked, load_shown_stock
from db.stores import Store
from domain.entities import Entity
from workflows.models import DemandResult

router = APIRouter(
    prefix="/api/woocommerce-sync", tags=["woocommerce-sync"], dependencies=[EACH_ONCE]
)

ProductId = Annotated[Id, Path(alias="productId", description="The hub's id of a product")]


@router.post(
    "/sync/customers/push",
    status_code=202,
    response_model=DemandAnswer,
    summary="Send customers to WooCommerce",
)
async def push_customers(asking: Asking, body: PushCustomersBody | None = None) -> Response:
    """Send customers of the hub, also to a store that is otherwise only pulled from.

    Those the store has are brought up to date, the others are created; guests have no account
    there and are never sent.
    """
    asked = body or PushCustomersBody()
    return await _push(asking, Entity.CUSTOMERS, asked.customer_ids, asked)


@router.post(
    "/sync/inventory/push",
    status_code=202,
    response_model=DemandAnswer,
    summary="Send stock to WooCommerce",
)
async def push_inventory(asking: Asking, body: PushInventoryBody | None = None) -> Response:
    """Send how many there are of products, also to a store that is otherwise only pulled from.

    The store's own numbers are read first, and what moved there is counted before they are
    written.
    """
    asked = body or PushInventoryBody()
    return await _push(asking, Entity.INVENTORY, asked.product_ids, asked)


@router.post(
    "/sync/inventory/push/{productId}",
    response_model=ProductStockAnswer,
    responses={202: {"model": DemandAnswer, "description": "It takes longer"}, **ASKS_STORE},
    summary="Send the stock of one product to WooCommerce",
)
async def push_product_stock(
    asking: Asking, product_id: ProductId, body: PushProductStockBody | None = None
) -> Response:
    """Send how many there are of each variant of a product (the hub's id); show what came of it.

    A dry run answers 202: its diff is at the run.
    """
    asked = body or PushProductStockBody()
    services, tenant_id = asking.services, asking.principal.tenant_id

    async def work() -> Response:
        demand = PushDemand(entity=Entity.INVENTORY, record_ids=(product_id,), force=asked.force)
        store = check_direction(await asking.pick(asked.store_id), Entity.INVENTORY)
        before = await _shown(services, tenant_id, store, product_id)
        args = asking.demand(store, "inventory-push-one", pushes=(demand,), is_dry=asked.dry_run)
        if asked.dry_run:
            return await start_demand(services, asking.principal, args)

        async def show(result: DemandResult, _started: Started) -> ProductStockAnswer:
            async with services.database.tenant(tenant_id) as connection:
                after = await load_shown_stock(
                    connection, store.id, product_id, run_id=result.run_id
                )
            return _stock_view(store, product_id, before, after)

        return await run_demand(services, asking.principal, args, show)

    return await asking.once(work)


async def _push(
    asking: AskingStore,
    entity: Entity,
    record_ids: Sequence[int],
    asked: PushBody,
) -> Response:
    async def work() -> Response:
        demand = push_demand(
            entity,
            record_ids,
            asked.sync_modified_since,
            is_all=asked.sync_all,
            force=asked.force,
        )
        picked = await asking.pick(asked.store_id)
        tenant_id = asking.principal.tenant_id
        store = await check_demand(asking.services, tenant_id, picked, demand)
        args = asking.demand(store, f"{entity.value}-push", pushes=(demand,), is_dry=asked.dry_run)
        return await start_demand(asking.services, asking.principal, args)

    return await asking.once(work)


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
