"""The actions of `/api/woocommerce-sync/sync` that pull, and asking for them."""

from typing import Any

from tests.api.hub import Caller

BASE = "/api/woocommerce-sync/sync"
ACTIONS = (
    *("full", "batch", "customers/pull", "products/pull", "orders/pull"),
    *("products/4711", "orders/4711"),
)


async def ask(caller: Caller, path: str, body: Any = None, **more: Any) -> Any:
    """What is answered to an action; no body is sent for None."""
    return await caller.post(f"{BASE}/{path}", **({} if body is None else {"json": body}), **more)
