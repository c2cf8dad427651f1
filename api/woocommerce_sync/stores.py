"""Which WooCommerce stores a request of `/api/woocommerce-sync` is about."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query

from api import problems
from api.connecting import get_store
from api.params import Id
from api.problems import BAD_REQUEST, NOT_FOUND, ProblemError
from api.services import ApiServices
from db.stores import Store, list_stores_of

PROVIDER: Final = "woocommerce"
DOCUMENT_TAG: Final = {
    "name": "woocommerce-sync",
    "description": "The sync API that merchants' tools call.",
}

StoreIdQuery = Annotated[
    Id | None,
    Query(
        alias="storeId",
        description="One of your WooCommerce stores; needed where there are several",
    ),
]


async def pick_store(services: ApiServices, tenant_id: int, store_id: int | None) -> Store:
    """The store that an action is about: the one named, or the tenant's only one.

    Raises:
        ProblemError: 404, there is none, or no such one; 400, there are several and none is named.
    """
    if store_id is not None:
        store = await get_store(services, tenant_id, store_id)
        if store.provider != PROVIDER:
            raise problems.not_found(f"WooCommerce store {store_id}", "/api/stores")
        return store
    stores = await woocommerce_stores(services, tenant_id)
    if not stores:
        raise ProblemError(
            NOT_FOUND, "There is no WooCommerce store yet. Connect one with POST /api/stores."
        )
    if len(stores) > 1:
        ids = ", ".join(str(store.id) for store in stores[:20])
        raise ProblemError(
            BAD_REQUEST,
            f"You have {len(stores)} WooCommerce stores: say which with storeId (one of {ids}).",
        )
    return stores[0]


async def woocommerce_stores(
    services: ApiServices, tenant_id: int, store_id: int | None = None
) -> Sequence[Store]:
    """All the tenant's WooCommerce stores, oldest first; with `store_id` that one alone.

    Raises:
        ProblemError: 404, `store_id` is none of them.
    """
    if store_id is not None:
        return [await pick_store(services, tenant_id, store_id)]
    async with services.database.tenant(tenant_id) as connection:
        return await list_stores_of(connection, PROVIDER)
