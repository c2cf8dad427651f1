"""The hub is set up by its environment, a person logs in, and the shop is pulled."""

import asyncio
import json
import os
import sys
from typing import Any, Final

from tests.e2e.merchant import curls
from tests.e2e.merchant.witness import SYNC, Witness
from tests.e2e.shop import ROOT

EMAIL: Final = "ann@example.com"
PASSWORD: Final = "four words in a row"
CUSTOMERS_PULL: Final = {"force": False, "limit": 100, "page": 1}
PRODUCTS_PULL: Final = {"force": False, "limit": 100, "status": "publish"}
ORDERS_PULL: Final = {
    "force": False,
    "limit": 100,
    "status": "all",
    "after": "2025-01-01T00:00:00Z",
}
BATCH: Final = {
    "customers": True,
    "products": True,
    "orders": True,
    "inventory": True,
    "force": False,
    "limit": 50,
}
FULL: Final = {"direction": "both", "force": False, "batchSize": 100}


async def arrive(one: Witness) -> None:
    """All of it."""
    await _find_the_default_store(one)
    await _log_in(one)
    await _pull_everything(one)
    await _pull_some(one)


async def _find_the_default_store(one: Witness) -> None:
    async def look() -> Any:
        await one.run_curl("connection", curls.CONNECTION)
        return one.seen.codes["connection"]

    await one.until("connected", look, lambda code: code == 200)
    await one.shop.control.delete("log")
    await one.run_curl("connection again", curls.CONNECTION)
    one.seen.asked["connection again"] = await one.shop_log()
    etag = one.seen.headers["connection again"]["etag"]
    await one.call(
        "connection unchanged",
        "GET",
        f"{SYNC}/connection/test",
        headers={"If-None-Match": etag, "Authorization": ""},
    )
    one.seen.answers["stores"] = await one.get("/api/stores")
    one.seen.texts["shop"] = one.shop.url
    one.store_id = one.seen.answers["stores"]["data"][0]["id"]


async def _log_in(one: Witness) -> None:
    """`entrepot users add`, then a login with what it made."""
    argv = ("-m", "runtime.cli", "users", "add", "--tenant", "Main", "--email", EMAIL)
    more = ("--role", "owner", "--password-stdin", "--data-dir", str(one.hub.data_dir))
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, *argv, *more),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said, _ = await made.communicate(f"{PASSWORD}\n".encode())
    assert made.returncode == 0, said.decode()
    for step, path in (
        ("status", "status"),
        ("analytics", "analytics"),
        ("conflicts", "conflicts"),
    ):
        one.token = "no-token"
        await one.call(f"{step} without a login", "GET", f"{SYNC}/{path}")
    body = {"email": EMAIL, "password": PASSWORD}
    one.token = (await one.ask("login", "POST", "/api/auth/login", json=body))["accessToken"]


async def _pull_everything(one: Witness) -> None:
    """The document's own first sync, and what is in the hub afterwards."""
    await one.shop.control.delete("log")
    started = await one.run_curl("full pull", curls.FULL_SYNC)
    await one.finished("full pull", started["statusUrl"])
    for name in ("customers", "products", "orders", "warehouses"):
        one.seen.answers[f"hub {name}"] = (await one.get(f"/api/{name}", limit=200))["data"]
    for name in ("levels", "movements"):
        shown = await one.get(f"/api/inventory/{name}", limit=200)
        one.seen.answers[f"hub {name}"] = shown["data"]
    for name in ("customers", "products", "orders"):
        answer = await one.shop.control.get("truth", params={"entity": name})
        lines = answer.raise_for_status().text.splitlines()
        one.seen.answers[f"shop {name}"] = [json.loads(line) for line in lines]


async def _pull_some(one: Witness) -> None:
    """Each pull with the document's body, and then with another value of each parameter."""
    await one.action("customers pull", "customers/pull", CUSTOMERS_PULL)
    await one.action("customers page", "customers/pull", {"limit": 5, "page": 2, "force": True})
    await one.action("products pull", "products/pull", PRODUCTS_PULL)
    await one.action("products draft", "products/pull", {"limit": 3, "status": "draft"})
    await one.action("products forced", "products/pull", {"limit": 2, "force": True})
    await one.action("orders pull", "orders/pull", ORDERS_PULL)
    await one.action("orders completed", "orders/pull", {"status": "completed", "force": True})
    await one.action("batch", "batch", BATCH)
    await one.action("batch of all", "batch")
    await one.action("batch of one", "batch", {"customers": True, "limit": 2})
    await one.action("full", "full", FULL)
    await one.action("full push", "full", {"direction": "push"})
    product = one.seen.answers["shop products"][0]["id"]
    order = one.seen.answers["shop orders"][0]["id"]
    await one.ask("one product", "POST", f"{SYNC}/sync/products/{product}")
    await one.ask("one order", "POST", f"{SYNC}/sync/orders/{order}")
    await one.call("no product", "POST", f"{SYNC}/sync/products/999999")
