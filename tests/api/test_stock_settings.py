"""From which warehouse a store sells: what is saved, what is refused, what follows from it."""

from dataclasses import dataclass
from typing import Any

import pytest

from domain.entities import Entity
from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub, connect, store_body
from tests.db.factories import product, variant


@dataclass
class Shop:
    """A WooCommerce store with a product in stock, and a second warehouse."""

    hub: Hub
    caller: Caller
    store_id: int
    colombo: int

    async def set(self, **settings: Any) -> Any:
        return await self.caller.patch(f"/api/stores/{self.store_id}", json={"settings": settings})

    async def warehouse(self, **values: Any) -> Any:
        return await self.caller.patch(f"/api/warehouses/{self.colombo}", json=values)

    async def due(self) -> list[Any]:
        return await self.hub.execute(
            self.caller.tenant, "select entity, status from pushes order by id"
        )


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    store_id = await connect(caller, provider="woocommerce")
    sold = variant("11", tracks_stock=True)
    await hub.take_in(
        caller.tenant, store_id, Entity.PRODUCTS, product("10", sold, stock={"11": 5})
    )
    made = await caller.post("/api/warehouses", json={"name": "Colombo", "code": "CMB"})
    hub.waker.woken.clear()
    return Shop(hub, caller, store_id, made.json()["id"])


async def test_a_store_shows_the_sum_and_sells_from_the_default_unless_told(shop: Shop) -> None:
    settings = (await shop.caller.get(f"/api/stores/{shop.store_id}")).json()["settings"]
    assert (settings["stockWarehouse"], settings["stockSource"]) == (None, "sum")
    assert await shop.due() == []


async def test_another_warehouse_makes_all_stock_due(shop: Shop) -> None:
    answer = await shop.set(stockWarehouse="CMB", stockSource="warehouse")
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"]["stockWarehouse"] == "CMB"
    assert await shop.due() == [("inventory", "pending")]
    assert (LaneKind.PUSH, shop.store_id) in [(kind, key) for _, kind, key in shop.hub.waker.woken]
    again = await shop.set(conflictPolicy="local")
    assert again.json()["settings"]["stockSource"] == "warehouse"
    assert len(await shop.due()) == 1


async def test_a_store_that_is_not_told_its_stock_has_nothing_due(shop: Shop) -> None:
    await shop.set(syncDirections={"inventory": "pull"})
    await shop.hub.execute(shop.caller.tenant, "delete from pushes")
    assert (await shop.set(stockWarehouse="CMB")).status_code == 200
    assert await shop.due() == []


async def test_an_unknown_or_inactive_warehouse_is_refused_by_name(shop: Shop) -> None:
    await shop.warehouse(isActive=False)
    for code in ("CMB", "NOWHERE"):
        answer = await shop.set(stockWarehouse=code)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/settings/stockWarehouse"
        assert code in answer.json()["detail"]
    assert (await shop.set(stockSource="both")).status_code == 422
    fresh = store_body("second", provider="woocommerce", settings={"stockWarehouse": "NOWHERE"})
    assert (await shop.caller.post("/api/stores", json=fresh)).status_code == 422


async def test_another_tenants_warehouse_is_unknown(hub: Hub, shop: Shop) -> None:
    stranger = await hub.new_caller()
    theirs = await connect(stranger, provider="woocommerce")
    answer = await stranger.patch(
        f"/api/stores/{theirs}", json={"settings": {"stockWarehouse": "CMB"}}
    )
    assert answer.status_code == 422


async def test_a_warehouse_in_use_is_neither_switched_off_nor_renamed(shop: Shop) -> None:
    await shop.set(stockWarehouse="CMB")
    for change in ({"isActive": False}, {"code": "KDY"}, {"code": None}):
        answer = await shop.warehouse(**change)
        assert answer.status_code == 409
        assert f"{shop.store_id} (Main shop)" in answer.json()["detail"]
    assert (await shop.warehouse(name="Colombo 7")).status_code == 200
    await shop.set(stockWarehouse=None)
    assert (await shop.warehouse(isActive=False)).status_code == 200
