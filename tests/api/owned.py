"""A tenant with one of everything that has an id, and how the routes that name one are called."""

from functools import cache, partial
from typing import Any, Final

import httpx

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.app import describe_api
from db.mapping_previews import answer_preview
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Category, Customer, Order, Record
from domain.statuses import OrderStatus
from tests.api.hub import Caller, Hub
from tests.api.runs import begin, begin_dry
from tests.api.test_alerts import WEBHOOK, alarm
from tests.api.test_conflicts import dispute
from tests.api.test_record_writes import made
from tests.api.webhook_shop import new_shop

DIGEST: Final = "0123456789abcdef"
RECORDS: dict[Entity, Record] = {
    Entity.CATEGORIES: Category(name="Tea"),
    Entity.CUSTOMERS: Customer(email="n@example.com"),
    Entity.ORDERS: Order(number="1", status=OrderStatus.PENDING, currency="LKR", total=1),
}
RULE = {"entity": "products", "target": "extra.kind", "expression": "type"}
# What the routes that take a body are sent, by those who own what the path names and by others.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/stores/{store_id}": {"name": "Mine now"},
    "POST /api/stores/{store_id}/import": {"dryRun": False},
    "POST /api/stores/{store_id}/sync": {"kind": "reconcile"},
    "PUT /api/stores/{store_id}/mapping": {"rules": [RULE]},
    "POST /api/stores/{store_id}/mapping/preview": {"entity": "products", "rules": [RULE]},
    "PUT /api/stores/{store_id}/schedule": {"pull": {"interval": "PT15M"}},
    "POST /api/stores/{store_id}/schedule/trigger": {"kind": "pull"},
    "POST /api/stores/{store_id}/retry-failed-sync": {"pushIds": [1]},
    "PATCH /api/categories/{record_id}": {"name": "Mine now"},
    "PATCH /api/products/{record_id}": {"title": "Mine now"},
    "PATCH /api/customers/{record_id}": {"phone": "1"},
    "PATCH /api/orders/{record_id}": {"status": "cancelled"},
    "PATCH /api/warehouses/{record_id}": {"name": "Mine now"},
    "POST /api/conflicts/{record_id}/resolve": {"resolution": "local"},
    "PATCH /api/keys/{record_id}": {"name": "Mine now"},
    "POST /api/keys/{record_id}/rotate": {"overlapHours": 1},
}
# What ends the work of what it names: the owner's last requests, in this order.
LAST = (
    "POST /api/syncs/{workflow_id}/cancel",
    "PATCH /api/stores/{store_id}/deactivate",
    "DELETE /api/stores/{store_id}",
)
NAMED = ("warehouses", "invoices", "conflicts", "alerts")
# These name no record of a tenant by its own id: a provider, a kind of record, a store by the code
# that its webhooks carry, or (see test_woocommerce_isolation) what a WooCommerce store has.
WITHOUT_IDS = (
    *("{store_code}", "{provider}", "{entity}"),
    *("{productId}", "{wcProductId}", "{wcOrderId}"),
)


async def stock(hub: Hub, caller: Caller) -> dict[str, int]:
    """A store with one of everything that has an id; the ids to put into paths."""
    shop = await new_shop(hub, caller)
    hub.gateway.try_mapping = partial(found_a_record, hub)
    await dispute(hub, caller, shop.store_id)
    for entity, record in RECORDS.items():
        await hub.take_in(caller.tenant, shop.store_id, entity, Pulled("1", record))
    await alarm(hub, caller, shop.store_id)
    await shop.send()
    await hub.execute(caller.tenant, "update webhook_events set status = 'failed'")
    cup = await made(caller, "products", variants=[{"quantity": 5}])
    line = {"variantId": cup["variants"][0]["id"], "quantity": 1}
    for path, body in (
        (f"stores/{shop.store_id}/import", None),
        ("inventory/movements", {**line, "kind": "receipt"}),
        ("invoices", {"number": "1", "lines": [line]}),
    ):
        answer = await caller.post(f"/api/{path}", **({"json": body} if body else {}))
        assert answer.status_code in {201, 202}, answer.text
    channels = {"channels": [{"name": "On call", "config": WEBHOOK}]}
    assert (await caller.send("PUT", "/api/alert-channels", json=channels)).status_code == 200
    await begin(hub, caller, shop.store_id)
    await begin_dry(hub, caller, shop.store_id, digest=DIGEST)
    ids = {"store_id": shop.store_id}
    for listing in (*(entity.value for entity in RECORDS), "products", *NAMED):
        ids[listing] = (await caller.get(f"/api/{listing}")).json()["data"][0]["id"]
    ids["webhook-events"] = (await shop.events())[0]["id"]
    key = await caller.post("/api/keys", json={"name": "Till", "permissions": ["stores:read"]})
    ids["keys"] = key.json()["id"]
    return ids


async def found_a_record(hub: Hub, args: PreviewMappingInput) -> PreviewMappingResult:
    """A worker that tried a field mapping."""
    trace = {"external_id": "", "raw": {}, "before": {}, "after": {}, "errors": {}}
    found = {"external_id": "1", "record": trace, "variants": []}
    async with hub.database.tenant(args.tenant_id) as connection:
        await answer_preview(connection, args.preview_id, found)
    return PreviewMappingResult()


def fill_in(path: str, ids: dict[str, int]) -> str:
    """The path with ids; a record's is that of the listing before it."""
    listing = path.partition("/{record_id}")[0].rpartition("/")[2]
    return (
        path.replace("{store_id}", str(ids["store_id"]))
        .replace("{workflow_id}/diff", f"demand/{ids['store_id']}/{DIGEST}/diff")
        .replace("{workflow_id}", f"import/{ids['store_id']}")
        .replace("{record_id}", str(ids.get(listing)))
    )


@cache
def operations() -> dict[str, dict[str, Any]]:
    """What the description says, by `METHOD /path`."""
    paths: dict[str, dict[str, Any]] = describe_api("1")["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def routes() -> list[str]:
    """Every route that names something, in an order in which its owner may call all of them."""
    named = [
        route
        for route in operations()
        if "{" in route and not any(name in route for name in WITHOUT_IDS)
    ]
    order = {"GET": 0, "PUT": 1, "PATCH": 2, "POST": 3, "DELETE": 4}
    return sorted(
        named,
        key=lambda route: (
            LAST.index(route) if route in LAST else -1,
            order[route.split()[0]],
            route,
        ),
    )


async def call(
    caller: Caller, route: str, ids: dict[str, int], headers: dict[str, str] | None = None
) -> httpx.Response:
    """Call a route with the ids of the one who has them."""
    method, path = route.split()
    body = {"json": BODIES[route]} if route in BODIES else {}
    return await caller.send(method, fill_in(path, ids), headers=headers, **body)
