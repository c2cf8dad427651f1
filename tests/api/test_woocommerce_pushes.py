"""`/api/woocommerce-sync/sync/…/push`: what is asked for, and what is refused with a reason."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.demand_models import DemandCounts, PushCounts, PushDemand
from domain.entities import Entity
from tests.api.hub import Caller, Hub, connect
from tests.db.factories import customer, order, product, variant
from workflows.models import DemandInput, DemandResult

BASE = "/api/woocommerce-sync/sync"
CUSTOMERS, INVENTORY = f"{BASE}/customers/push", f"{BASE}/inventory/push"
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Shop:
    """A WooCommerce store with two customers, a guest and a product of two variants in stock."""

    hub: Hub
    caller: Caller
    store_id: int

    async def ids(self, table: str, where: str = "true") -> list[int]:
        found = await self.hub.execute(
            self.caller.tenant, f"select id from {table} where {where} order by id"
        )
        return [row[0] for row in found]

    async def change(self, statement: str, **params: Any) -> None:
        await self.hub.execute(self.caller.tenant, statement, **params)

    @property
    def demand(self) -> DemandInput:
        """The last one that was started."""
        return self.hub.gateway.demands[-1]

    async def directions(self, **ways: str) -> None:
        answer = await self.caller.patch(
            f"/api/stores/{self.store_id}", json={"settings": {"syncDirections": ways}}
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    store_id = await connect(caller, provider="woocommerce")
    take = hub.take_in
    await take(caller.tenant, store_id, Entity.CUSTOMERS, customer("1"))
    await take(caller.tenant, store_id, Entity.CUSTOMERS, customer("2", "bob@example.test"))
    await take(caller.tenant, store_id, Entity.ORDERS, order("9", email="guest@example.test"))
    sold = (variant("11", tracks_stock=True, sku="A"), variant("12", tracks_stock=True, sku="B"))
    await take(
        caller.tenant,
        store_id,
        Entity.PRODUCTS,
        product("10", *sold, stock={"11": 5, "12": 3}),
    )
    return Shop(hub, caller, store_id)


async def test_named_customers_are_sent_to_a_store_that_is_pulled_from(shop: Shop) -> None:
    """By default the customers of a store come in, and are not sent."""
    ids = await shop.ids("customers", "not is_guest")
    answer = await shop.caller.post(CUSTOMERS, json={"customerIds": ids})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert told["statusUrl"] == answer.headers["Location"] == f"/api/syncs/{told['workflowId']}"
    assert (told["storeId"], told["alreadyRunning"]) == (shop.store_id, False)
    assert shop.demand.pushes == (PushDemand(entity=Entity.CUSTOMERS, record_ids=tuple(ids)),)
    assert (shop.demand.pulls, shop.demand.is_dry) == ((), False)


@pytest.mark.parametrize(
    ("body", "demand"),
    [
        ({"syncAll": True}, {"all_records": True}),
        ({"syncAll": True, "force": True}, {"all_records": True, "force": True}),
        ({"syncModifiedSince": "2025-01-01T00:00:00Z"}, {"modified_since": SINCE}),
        (
            {"customerIds": [], "syncAll": False, "syncModifiedSince": "2025-01-01T00:00:00Z"},
            {"modified_since": SINCE},
        ),
    ],
)
async def test_every_way_to_name_them_reaches_the_demand(
    shop: Shop, body: dict[str, Any], demand: dict[str, Any]
) -> None:
    assert (await shop.caller.post(CUSTOMERS, json=body)).status_code == 202
    assert shop.demand.pushes == (PushDemand(entity=Entity.CUSTOMERS, **demand),)
    stock = {name.replace("customer", "product"): value for name, value in body.items()}
    assert (await shop.caller.post(INVENTORY, json=stock)).status_code == 202
    assert shop.demand.pushes == (PushDemand(entity=Entity.INVENTORY, **demand),)


async def test_a_dry_run_is_started_as_one(shop: Shop) -> None:
    await shop.caller.post(INVENTORY, json={"syncAll": True, "dryRun": True})
    assert shop.demand.is_dry is True


@pytest.mark.parametrize("path", [CUSTOMERS, INVENTORY])
@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"syncAll": False},
        {"syncAll": True, "syncModifiedSince": "2025-01-01T00:00:00Z"},
        {"syncModifiedSince": "2025-01-01T00:00:00"},
        {"everything": True},
    ],
)
async def test_what_is_not_said_in_one_way_is_refused(shop: Shop, path: str, body: Any) -> None:
    answer = await shop.caller.post(path, json=body)
    assert (answer.status_code, shop.hub.gateway.demands) == (422, [])
    assert answer.json()["errors"]


async def test_unknown_records_and_guests_are_refused_by_name(shop: Shop) -> None:
    (known, *_), [guest] = await shop.ids("customers"), await shop.ids("customers", "is_guest")
    unknown = await shop.caller.post(CUSTOMERS, json={"customerIds": [known, 4_000_000]})
    assert unknown.status_code == 422
    assert "no such records: 4000000" in unknown.json()["detail"]
    guests = await shop.caller.post(CUSTOMERS, json={"customerIds": [known, guest]})
    assert guests.status_code == 422
    assert f"cannot be sent: {guest}." in guests.json()["detail"]
    assert shop.hub.gateway.demands == []


async def test_products_of_another_store_are_refused_by_name(shop: Shop) -> None:
    other = await connect(shop.caller, "other")
    await shop.hub.take_in(shop.caller.tenant, other, Entity.PRODUCTS, product("77"))
    own, foreign = await shop.ids("products")
    answer = await shop.caller.post(INVENTORY, json={"productIds": [own, foreign]})
    assert answer.status_code == 422
    assert f"does not have these products: {foreign}." in answer.json()["detail"]
    single = await shop.caller.post(f"{INVENTORY}/{foreign}")
    assert (single.status_code, shop.hub.gateway.demands) == (422, [])


async def test_what_is_switched_off_says_what_to_change(shop: Shop) -> None:
    await shop.directions(customers="off", inventory="off")
    (own,) = await shop.ids("products")
    for path, body in (
        (CUSTOMERS, {"syncAll": True}),
        (INVENTORY, {"syncAll": True}),
        (f"{INVENTORY}/{own}", None),
    ):
        answer = await shop.caller.post(path, json=body)
        assert answer.status_code == 409
        assert "syncDirections" in answer.json()["detail"]
    assert shop.hub.gateway.demands == []


async def test_an_inactive_store_is_sent_nothing(shop: Shop) -> None:
    await shop.change("update stores set is_active = false where id = :id", id=shop.store_id)
    assert (await shop.caller.post(CUSTOMERS, json={"syncAll": True})).status_code == 409


async def test_too_many_ids_are_refused(shop: Shop) -> None:
    answer = await shop.caller.post(CUSTOMERS, json={"customerIds": list(range(1, 502))})
    assert (answer.status_code, shop.hub.gateway.demands) == (422, [])


async def test_the_same_key_starts_it_once(shop: Shop) -> None:
    sent = {"json": {"syncAll": True}, "headers": {"Idempotency-Key": "once"}}
    answers = [await shop.caller.post(CUSTOMERS, **sent) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(shop.hub.gateway.demands) == 1


async def test_one_product_shows_what_the_store_has_before_and_after(shop: Shop) -> None:
    (own,) = await shop.ids("products")
    first, second = await shop.ids("product_variants")
    sent = DemandCounts(pushed={Entity.INVENTORY: PushCounts(queued=2, sent=1, failed=1)})
    [(run_id,)] = await shop.hub.execute(
        shop.caller.tenant,
        "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status)"
        " values (:owner, :store, 'demand', 'demand/1', 'r', 'success') returning id",
        owner=shop.caller.tenant.id,
        store=shop.store_id,
    )
    shop.hub.gateway.demanded = DemandResult(run_id=run_id, counts=sent)
    start = shop.hub.gateway.start_demand

    async def push(args: DemandInput) -> Any:
        """What the lane does meanwhile: one number is written, the other is refused."""
        await shop.change(
            "update store_levels set agreed = 4 where variant_id = :variant", variant=first
        )
        await shop.change(
            "insert into pushes (tenant_id, store_id, entity, record_id, run_id, status,"
            " last_error) values (:owner, :store, 'inventory', :variant, :run, 'failed', 'no')",
            owner=shop.caller.tenant.id,
            store=shop.store_id,
            variant=second,
            run=run_id,
        )
        return await start(args)

    shop.hub.gateway.start_demand = push  # type: ignore[method-assign]
    answer = await shop.caller.post(f"{INVENTORY}/{own}", json={"force": True})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "storeId": shop.store_id,
        "productId": own,
        "variants": [
            {
                "variantId": first,
                "sku": "A",
                "externalId": "11",
                "before": "5",
                "after": "4",
                "outcome": "done",
                "reason": None,
            },
            {
                "variantId": second,
                "sku": "B",
                "externalId": "12",
                "before": "3",
                "after": "3",
                "outcome": "failed",
                "reason": "no",
            },
        ],
    }
    assert shop.demand.pushes == (
        PushDemand(entity=Entity.INVENTORY, record_ids=(own,), force=True),
    )


async def test_one_product_that_takes_longer_is_answered_where_to_look(shop: Shop) -> None:
    (own,) = await shop.ids("products")
    answer = await shop.caller.post(f"{INVENTORY}/{own}")
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.json()["statusUrl"]


async def test_a_dry_run_of_one_product_is_never_waited_for(shop: Shop) -> None:
    (own,) = await shop.ids("products")
    shop.hub.gateway.demanded = DemandResult(run_id=1)
    answer = await shop.caller.post(f"{INVENTORY}/{own}", json={"dryRun": True})
    assert (answer.status_code, shop.demand.is_dry) == (202, True)


async def test_an_unknown_product_is_not_found(shop: Shop) -> None:
    assert (await shop.caller.post(f"{INVENTORY}/4000000")).status_code == 404


async def test_another_tenant_reaches_none_of_it(hub: Hub, shop: Shop) -> None:
    (own,) = await shop.ids("products")
    ids = await shop.ids("customers", "not is_guest")
    stranger = await hub.new_caller()
    theirs = await connect(stranger, provider="woocommerce")
    for path, body in (
        (CUSTOMERS, {"syncAll": True}),
        (INVENTORY, {"syncAll": True}),
        (f"{INVENTORY}/{own}", {}),
    ):
        answer = await stranger.post(path, json={**body, "storeId": shop.store_id})
        assert answer.status_code == 404
    assert (await stranger.post(f"{INVENTORY}/{own}")).status_code == 404
    named = await stranger.post(CUSTOMERS, json={"customerIds": ids, "storeId": theirs})
    assert named.status_code == 422
    assert hub.gateway.demands == []


async def test_a_run_shows_what_became_of_its_pushes(shop: Shop) -> None:
    await shop.change(
        "with run as (insert into sync_runs (tenant_id, store_id, kind, workflow_id,"
        " workflow_run_id, status) values (:owner, :store, 'demand', :key, 'r', 'success')"
        " returning tenant_id, id)"
        " insert into run_pushes (tenant_id, run_id, entity, queued, sent, held, skipped,"
        " is_forced) select tenant_id, id, 'customers', 6, 4, 1, 2, false from run",
        owner=shop.caller.tenant.id,
        store=shop.store_id,
        key=f"demand/{shop.store_id}/0123456789abcdef",
    )
    answer = await shop.caller.get(f"/api/syncs/demand/{shop.store_id}/0123456789abcdef")
    assert answer.status_code == 200, answer.text
    assert answer.json()["pushed"] == {
        "customers": {
            "queued": 6,
            "sent": 4,
            "held": 1,
            "waiting": 0,
            "failed": 1,
            "passedOn": 0,
            "skipped": 2,
        }
    }
