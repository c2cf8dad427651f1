"""`/api/woocommerce-sync`: nobody is shown, pulls, sends or tries anything of another's store."""

from dataclasses import dataclass
from typing import Any

import pytest

from activities.demand_models import DemandCounts
from activities.models import Counts
from domain.entities import Entity
from tests.api.hub import Caller, Hub, connect
from tests.api.owned import operations
from tests.api.reported_shop import Shop
from tests.api.test_conflicts import dispute
from tests.db.factories import customer, order, product
from workflows.models import DemandResult

BASE = "/api/woocommerce-sync"
MARK = "zx9owned"
EVENT = {"event": "product.updated", "data": {"id": 1001, "name": "Mine"}}
# What the routes that take a body are sent beside the store.
BODIES: dict[str, dict[str, Any]] = {
    "POST /webhook/test": EVENT,
    "POST /sync/full": {},
    "POST /sync/batch": {},
    "POST /sync/customers/pull": {},
    "POST /sync/customers/push": {"syncAll": True},
    "POST /sync/products/pull": {},
    "POST /sync/products/{wcProductId}": {},
    "POST /sync/orders/pull": {},
    "POST /sync/orders/{wcOrderId}": {},
    "POST /sync/inventory/push": {"syncAll": True},
    "POST /sync/inventory/push/{productId}": {},
}
READ = (
    *("GET /connection/test", "GET /status", "GET /analytics", "GET /history", "GET /conflicts"),
    "GET /export/{entity}",
)
EXPORTS = ("customers", "products", "orders", "inventory")


@dataclass
class Two:
    """The owner of things, and somebody else, each with a WooCommerce store."""

    hub: Hub
    owner: Caller
    stranger: Caller
    owned: Shop
    other: Shop

    async def ids(self, table: str) -> list[int]:
        return [one for (one,) in await self.owned.execute(f"select id from {table} order by id")]

    async def places(self, route: str) -> list[str]:
        """The paths of a route, with what is the owner's where it names something."""
        (stock,) = await self.ids("products where title = 'Cup'")
        path = (
            route.split()[1]
            .replace("{productId}", str(stock))
            .replace("{wcProductId}", "7001")
            .replace("{wcOrderId}", "7002")
        )
        return [f"{BASE}{path.replace('{entity}', one)}" for one in EXPORTS[: _many(route)]]


def _many(route: str) -> int:
    return len(EXPORTS) if "{entity}" in route else 1


@pytest.fixture
async def two(hub: Hub, caller: Caller) -> Two:
    stranger = await hub.new_caller()
    theirs = await connect(stranger, provider="woocommerce")
    store_id = await connect(caller, provider="woocommerce", name=MARK)
    await dispute(hub, caller, store_id)
    owned = Shop(hub, caller, store_id)
    await owned.execute("update stores set settings = '{}'")
    for entity, record in (
        (Entity.CUSTOMERS, customer("7003", f"{MARK}@example.test")),
        (Entity.PRODUCTS, product("7001", title="Cup", slug=MARK, stock={"7001": 5})),
        (Entity.ORDERS, order("7002", number=MARK)),
    ):
        await hub.take_in(caller.tenant, store_id, entity, record)
    run_id = await owned.run("failed")
    await owned.log("failed", {"seen": 3, "rejected": 3, "pages": 1}, run=run_id, error=MARK)
    await owned.asked(200, 500)
    await owned.event("done", "applied")
    hub.gateway.demands.clear()
    hub.gateway.checks.clear()
    return Two(hub, caller, stranger, owned, Shop(hub, stranger, theirs))


def test_every_route_is_asked() -> None:
    """A new route belongs into one of the two lists."""
    known = operations()
    asked = {one.replace(" ", f" {BASE}") for one in (*BODIES, *READ)}
    assert asked == {one for one in known if one.split()[1].startswith(f"{BASE}/")}
    for route in asked:
        named = {one["name"] for one in known[route].get("parameters", ())}
        assert "storeId" in named, route
        assert ("requestBody" in known[route]) == route.startswith("POST")


@pytest.mark.parametrize("place", ["query", "body"])
async def test_anothers_store_is_not_there(two: Two, place: str) -> None:
    store = {"storeId": two.owned.id}
    for route, body in {**BODIES, **dict.fromkeys(READ)}.items():
        if body is None and place == "body":
            continue
        method = route.split()[0]
        sent: dict[str, Any] = {"params": store} if place == "query" else {}
        if body is not None:
            sent["json"] = body if place == "query" else body | store
        for path in await two.places(route):
            # Kept by then, where answers are kept.
            own = await two.owner.send(method, path, **sent)
            assert (path, own.status_code in {200, 202}) == (path, True), own.text
            two.hub.gateway.demands.clear()
            two.hub.gateway.checks.clear()
            answer = await two.stranger.send(method, path, **sent)
            assert (path, answer.status_code, MARK in answer.text) == (path, 404, False)
            tag = {"If-None-Match": own.headers.get("ETag", "*")}
            again = await two.stranger.send(method, path, headers=tag, **sent)
            assert (path, again.status_code) == (path, 404)
            assert (two.hub.gateway.demands, two.hub.gateway.checks) == ([], [])


async def test_without_naming_a_store_nothing_is_shown_of_anothers(two: Two) -> None:
    for route in READ:
        for path in await two.places(route):
            own = await two.owner.get(path)
            answer = await two.stranger.get(
                path, headers={"If-None-Match": own.headers.get("ETag", "x")}
            )
            assert (path, own.status_code) == (path, 200)
            if route == "GET /connection/test":  # the same two words, each of its own store
                assert (own.json(), answer.status_code) == ({"connected": True}, 304)
                continue
            assert (path, answer.status_code, MARK in answer.text) == (path, 200, False)
            assert answer.content != own.content


async def test_reports_and_exports_count_ones_own(two: Two) -> None:
    own, theirs = [
        {
            "history": (await one.get(f"{BASE}/history")).json()["data"],
            "conflicts": (await one.get(f"{BASE}/conflicts")).json()["data"],
            "stores": (await one.get(f"{BASE}/status")).json()["stores"],
            "total": (await one.get(f"{BASE}/analytics")).json()["total"],
            **{name: (await one.get(f"{BASE}/export/{name}")).json() for name in EXPORTS},
        }
        for one in (two.owner, two.stranger)
    ]
    assert all(own.values())
    assert [one["storeId"] for one in theirs.pop("stores")] == [two.other.id]
    total = theirs.pop("total")
    assert own["total"]["requests"] != total["requests"]
    assert (total["runs"]["total"], total["records"], total["errorClasses"]) == (0, {}, {})
    assert theirs == {name: [] for name in theirs}
    assert len(theirs) == 6


async def test_anothers_records_are_unknown_to_a_store_of_ones_own(two: Two) -> None:
    """And are answered as ids that nobody has."""
    (customer_id, *_), products = await two.ids("customers"), await two.ids("products")
    for path, field, known in (
        ("customers/push", "customerIds", customer_id),
        ("inventory/push", "productIds", products[-1]),
    ):
        own = await two.owner.post(f"{BASE}/sync/{path}", json={field: [known]})
        assert own.status_code == 202, own.text
        answers = [
            await two.stranger.post(f"{BASE}/sync/{path}", json={field: [one]})
            for one in (known, 10**12)
        ]
        assert [one.status_code for one in answers] == [422, 422]
        assert answers[0].text.replace(str(known), "?") == answers[1].text.replace(str(10**12), "?")
    for one in (products[-1], 10**12):
        answer = await two.stranger.post(f"{BASE}/sync/inventory/push/{one}")
        assert answer.status_code == 404
    assert {one.tenant_id for one in two.hub.gateway.demands} == {two.owner.tenant.id}


async def test_a_shops_ids_are_those_of_ones_own_shop(two: Two) -> None:
    """What another's shop has under an id is not what comes back."""
    for path, entity in (("products/7001", Entity.PRODUCTS), ("orders/7002", Entity.ORDERS)):
        two.hub.gateway.demanded = DemandResult(
            run_id=1, counts=DemandCounts(pulled={entity: Counts(pages=1)})
        )
        own = await two.owner.post(f"{BASE}/sync/{path}")
        assert (own.status_code, own.json()["recordId"] is None) == (200, False)
        answer = await two.stranger.post(f"{BASE}/sync/{path}")
        assert answer.status_code == 404
        demand = two.hub.gateway.demands[-1]
        assert (demand.tenant_id, demand.store_id) == (two.stranger.tenant.id, two.other.id)


async def test_an_event_on_trial_is_held_against_ones_own_records(two: Two) -> None:
    event = {"event": "product.updated", "data": {"id": 7001, "name": "Mine"}}
    own = (await two.owner.post(f"{BASE}/webhook/test", json=event)).json()
    theirs = (await two.stranger.post(f"{BASE}/webhook/test", json=event)).json()
    assert own["recordId"] is not None
    assert own["diff"]["title"]["from"] == "Cup"
    assert theirs["recordId"] is None
    assert theirs["diff"]["title"]["from"] is None


async def test_the_same_intent_of_two_is_done_for_both(two: Two) -> None:
    key = {"Idempotency-Key": "intent-1"}
    for route, body in BODIES.items():
        if "{" in route:
            continue
        (path,) = await two.places(route)
        answers = [
            await one.post(path, json=body, headers=key) for one in (two.owner, two.stranger)
        ]
        assert [one.status_code < 300 for one in answers] == [True, True], route
        told = [one.json()["storeId"] for one in answers]
        assert told == [two.owned.id, two.other.id]
        assert [one.headers.get("idempotency-replayed") for one in answers] == [None, None]
