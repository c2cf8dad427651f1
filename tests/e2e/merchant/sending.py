"""The hub's own changes reach the shop: by themselves, and because somebody asks."""

from typing import Any, Final

from tests.e2e.merchant.witness import SYNC, Witness

SINCE: Final = "2025-01-01T00:00:00Z"
CUSTOMERS_PUSH: Final = {"customerIds": [], "syncAll": False, "syncModifiedSince": SINCE}
INVENTORY_PUSH: Final = {"productIds": [], "syncAll": False, "syncModifiedSince": SINCE}


async def send(one: Witness) -> None:
    """All of it."""
    await _change_customers(one)
    await _change_stock(one)
    await _disagree(one)


async def _change_customers(one: Witness) -> None:
    told = one.seen.answers["told"]["customer"]
    held = await one.hub_record("customers", told)
    path = f"/api/customers/{held['id']}"
    await one.ask("customer changed", "PATCH", path, json={"lastName": "Perera-Silva"})
    await one.action("customers push", "customers/push", CUSTOMERS_PUSH)
    one.seen.answers["shop customer"] = await one.truth("customers", told)
    await one.action("customers push ids", "customers/push", {"customerIds": [held["id"]]})
    await one.action("customers push all", "customers/push", {"syncAll": True})
    nothing = {"customerIds": [], "syncAll": False}
    await one.call("customers push none", "POST", f"{SYNC}/sync/customers/push", json=nothing)


async def _change_stock(one: Witness) -> None:
    told = one.seen.answers["told"]["product"]
    product = await one.hub_record("products", told)
    variant = product["variants"][0]["id"]
    before = await one.truth("products", told)
    one.seen.answers["stock before"] = before["stock_quantity"]
    await _move(one, variant, "5", "receipt")
    await one.until(
        "stock pushed by itself",
        lambda: one.truth("products", told),
        lambda found: found["stock_quantity"] == before["stock_quantity"] + 5,
    )
    await _move(one, variant, f"-{before['stock_quantity'] + 5}", "adjustment")
    await one.until(
        "out of stock",
        lambda: one.truth("products", told),
        lambda found: found["stock_status"] == "outofstock",
    )
    await _move(one, variant, "3", "receipt")
    path = f"{SYNC}/sync/inventory/push/{product['id']}"
    await one.ask("one product's stock", "POST", path)
    one.seen.answers["shop stock"] = await one.truth("products", told)
    await one.action("inventory push", "inventory/push", INVENTORY_PUSH)
    await one.action("inventory push ids", "inventory/push", {"productIds": [product["id"]]})
    await one.action("inventory push all", "inventory/push", {"syncAll": True})
    uncounted = next(
        one
        for one in one.seen.answers["shop products"]
        if one["type"] == "simple" and not one["manage_stock"] and one["status"] == "publish"
    )
    held = await one.hub_record("products", uncounted["id"])
    await one.ask("uncounted stock", "POST", f"{SYNC}/sync/inventory/push/{held['id']}")
    one.seen.answers["shop uncounted"] = await one.truth("products", uncounted["id"])
    shown = await one.get("/api/inventory/movements", variantId=variant, limit=50)
    one.seen.answers["movements"] = shown["data"]
    order = await one.hub_record("orders", one.seen.answers["told"]["order"])
    await one.ask(
        "order changed", "PATCH", f"/api/orders/{order['id']}", json={"status": "on_hold"}
    )
    await one.until(
        "shop order",
        lambda: one.truth("orders", one.seen.answers["told"]["order"]),
        lambda found: found["status"] == "on-hold",
    )


async def _move(one: Witness, variant: int, quantity: str, kind: str) -> None:
    body = {"variantId": variant, "quantity": quantity, "kind": kind}
    await one.ask(f"stock {kind}", "POST", "/api/inventory/movements", json=body)


async def _disagree(one: Witness) -> None:
    """Both sides change two products; one is decided as suggested, one by force."""
    manual = {"settings": {"conflictPolicy": "manual"}}
    await one.ask("manual", "PATCH", one.store_path, json=manual)
    counted = [one for one in one.seen.answers["shop products"] if one["type"] == "simple"]
    chosen = [one["id"] for one in counted if one["status"] == "publish"][:2]
    await one.ask("rest", "PATCH", f"{one.store_path}/deactivate")
    for external_id in chosen:
        held = await one.hub_record("products", external_id)
        body = {"title": f"Hub's {external_id}"}
        await one.ask("hub's title", "PATCH", f"/api/products/{held['id']}", json=body)
        name = {"name": f"Shop's {external_id}"}
        await one.shop.operate(op="edit", entity="products", ids=[external_id], data=name)
    await one.ask("wake", "PATCH", f"{one.store_path}/activate")
    found = await one.until("conflicts", lambda: _conflicts(one), lambda f: len(f["data"]) == 2)
    decided = found["data"][0]
    how = decided["howToResolve"]
    await one.ask("resolved", how["method"], how["url"], json=how["body"])
    one.seen.answers["decided"] = decided
    # So slow a shop shows how many of its answers are waited for at a time.
    await one.shop.set_faults({"kind": "slow", "delay_s": 0.1, "method": "GET"})
    await one.action("forced", "full", {"direction": "pull", "force": True, "batchSize": 10})
    one.seen.answers["shop stats"] = (await one.shop.control.get("stats")).json()
    await one.shop.set_faults()
    await one.until("no conflicts", lambda: _conflicts(one), lambda f: not f["data"])
    left = found["data"][1]
    one.seen.answers["forced product"] = await one.hub_record("products", int(left["externalId"]))
    one.seen.answers["forced wanted"] = f"Shop's {left['externalId']}"


async def _conflicts(one: Witness) -> Any:
    return await one.ask("conflicts", "GET", f"{SYNC}/conflicts")
