"""From which warehouse a store sells: checked when it is saved, and told to the store."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.services import ApiServices
from api.store_settings import held_settings
from db.initial_push import enqueue_inventory
from db.stores import Store
from db.warehouses import hold_warehouse
from domain.errors import NotFoundError
from domain.lanes import LaneKind
from domain.sync_settings import StoreSettings


async def check_stock_settings(
    connection: AsyncConnection, tenant_id: int, settings: Mapping[str, Any]
) -> None:
    """In the transaction that saves them: the warehouse named is there, and stays.

    Raises:
        ProblemError: 422, no active warehouse has the code.
    """
    code = held_settings(settings).stock_warehouse
    if code is None:
        return
    try:
        await hold_warehouse(connection, tenant_id, code)
    except NotFoundError:
        raise problems.invalid(
            "/settings/stockWarehouse",
            f"No active warehouse has the code {code!r}. GET /api/warehouses lists those there "
            "are; null is the default one.",
        ) from None


async def follow_stock_settings(
    connection: AsyncConnection, tenant_id: int, store: Store, values: Mapping[str, Any]
) -> None:
    """In the transaction that changes a store: check them, and make due what it shows from now on.

    Raises:
        ProblemError: 422, no active warehouse has the code.
    """
    if not changes_stock(store, values):
        return
    after = values["settings"]
    await check_stock_settings(connection, tenant_id, after)
    if held_settings(after).sync_directions.inventory.pushes:
        await enqueue_inventory(connection, tenant_id, store.id)


async def wake_for_stock(
    services: ApiServices, tenant_id: int, store: Store, values: Mapping[str, Any]
) -> None:
    """After the commit: have the store told."""
    if store.is_active and changes_stock(store, values):
        await services.waker.wake(tenant_id, LaneKind.PUSH, store.id)


def changes_stock(store: Store, values: Mapping[str, Any]) -> bool:
    """Whether a change makes the store sell from elsewhere, or show something else."""
    if "settings" not in values:
        return False
    before, after = held_settings(store.settings), held_settings(values["settings"])
    return _stock(before) != _stock(after)


def _stock(settings: StoreSettings) -> tuple[object, ...]:
    return settings.stock_warehouse, settings.stock_source
