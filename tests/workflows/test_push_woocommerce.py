"""Pushes over HTTP, into a shop that is served in this process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.lanes import LaneRef
from activities.push import PushTake
from activities.stores import StoreOpener
from db.session import Database
from domain.entities import Entity
from domain.errors import StoreError
from domain.lanes import LaneKind
from domain.pages import Page, Pulled
from domain.records import Option, Record
from domain.sync_settings import ConflictPolicy, StoreSettings
from runtime.hub import Hub
from sandbox.woocommerce.seed import ShopSeed
from tests.activities.push_room import EVERYTHING, LADDER_S, FakeTurn, Lane
from tests.db.factories import category, customer, product, variant
from tests.db.room import Room, new_store
from tests.servers import TestDatabase
from tests.workflows.scene import Scene, served_store

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATEGORIES, PRODUCTS, CUSTOMERS = Entity.CATEGORIES, Entity.PRODUCTS, Entity.CUSTOMERS
DOUBT_S = 30


@dataclass
class Counter:
    """A shop, another store of the same tenant, and the shop's push lane."""

    scene: Scene
    home: Room
    away: Room
    lane: Lane

    @property
    def opener(self) -> StoreOpener:
        hub = self.scene.hub
        return StoreOpener(hub.database, hub.box, hub.registry, hub.session)

    async def drain(self, after_s: float = 0) -> int:
        """Take until nothing is due."""
        take = PushTake(self.scene.hub.database, self.opener, self.lane, doubt_s=DOUBT_S)
        total = 0
        ref = LaneRef(tenant_id=self.scene.tenant_id, kind=LaneKind.PUSH, key=self.scene.store_id)
        now = datetime.now(UTC) + timedelta(seconds=after_s)
        for _ in range(20):
            moved = await take(FakeTurn(ref, 1, now, LADDER_S, lambda: self.lane.is_lost))
            if not moved:
                return total
            total += moved
        raise AssertionError("rows are due again and again")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the shop has that was not seeded, oldest first."""
        held = self.scene.shop.shop
        return [
            held.document(table, row_id)
            for row_id in held.tables[table].ids()
            if held.tables[table].rows[row_id].status != "trash"
        ]

    async def pushes(self, columns: str = "entity, status, attempts") -> list[tuple[Any, ...]]:
        return await self.scene.rows(
            f"select {columns} from pushes where store_id = :store order by id"
        )

    async def take_in_what_the_shop_says(self, entity: Entity) -> Any:
        """As a webhook of everything would."""
        opened = await self.opener.open(self.scene.tenant_id, self.scene.store_id)
        page: Page[Record] = await opened.client.fetch_page(entity, 1)
        return await self.away.take(entity, *page.records)


@pytest_asyncio.fixture(loop_scope="module")
async def counter(
    hub: Hub, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[Counter]:
    owner = Database(database.owner_url, pool_size=1)
    async with AsyncExitStack() as stack:
        seed = ShopSeed(products=0, orders=3, customers=0, categories=0)
        scene = await stack.enter_async_context(served_store(hub, owner, temporal_client, seed))
        await scene.rows(
            "update stores set settings = cast(:settings as jsonb) where id = :store",
            settings=StoreSettings(sync_directions=EVERYTHING).model_dump_json(by_alias=True),
        )
        home_id = await new_store(hub.database, scene.tenant_id)
        home = Room(hub.database, scene.tenant_id, home_id)
        away = Room(hub.database, scene.tenant_id, scene.store_id)
        yield Counter(scene, home, away, Lane())
    await owner.close()


def tea(key: str = "1", **changes: Any) -> Pulled[Any]:
    """A product with two variants and a stock of its own."""
    return product(
        key,
        variant(f"{key}1", "10", sku=f"TEA{key}-S", option_values={"Size": "S"}, tracks_stock=True),
        variant(f"{key}2", "12", sku=f"TEA{key}-L", option_values={"Size": "L"}, tracks_stock=True),
        kind="variable",
        options=(Option(name="Size", values=("S", "L")),),
        stock={f"{key}1": 5, f"{key}2": 7},
        **changes,
    )


async def test_a_catalogue_is_created_and_its_echo_changes_nothing(counter: Counter) -> None:
    await counter.home.take(CATEGORIES, category("c", "Teas"))
    await counter.home.take(PRODUCTS, tea(category_external_ids=("c",)), product("2"))
    await counter.home.take(CUSTOMERS, customer("5", "ann@example.test", first_name="Ann"))
    await counter.drain()
    assert await counter.pushes("entity, status, last_error") == []
    [teas] = [row for row in counter.rows("categories") if row["name"] == "Teas"]
    made = {row["name"]: row for row in counter.rows("products")}
    assert made.keys() == {"Product 1", "Product 2"}
    assert [one["id"] for one in made["Product 1"]["categories"]] == [teas["id"]]
    stock = {
        row["sku"]: (row["regular_price"], row["stock_quantity"])
        for row in counter.rows("variations")
    }
    assert stock == {"TEA1-S": ("10", 5), "TEA1-L": ("12", 7)}
    assert [row["email"] for row in counter.rows("customers")] == ["ann@example.test"]
    changes = await counter.home.changes()
    for entity in (CATEGORIES, PRODUCTS, CUSTOMERS):
        applied = await counter.take_in_what_the_shop_says(entity)
        assert (applied.created, applied.updated, applied.deleted) == (0, 0, 0)
    assert await counter.home.changes() == changes
    assert await counter.home.rows("select from pushes") == []
    logs = await counter.scene.rows(
        "select action, status from store_sync_logs where store_id = :store order by id"
    )
    assert logs == [
        ("sync_categories", "success"),
        ("sync_products", "success"),
        ("sync_customers", "success"),
        ("update_inventory", "success"),
    ]


async def test_edits_are_one_update_of_what_changed(counter: Counter) -> None:
    await counter.home.take(PRODUCTS, tea())
    await counter.drain()
    for number in range(5):
        await counter.home.take(PRODUCTS, tea(version=1 + number, title=f"Tea {number}"))
    counter.scene.shop.journal.clear()
    await counter.drain()
    assert [row["name"] for row in counter.rows("products")] == ["Tea 4"]
    writes = [one for one in counter.scene.requests() if one["method"] != "GET"]
    assert [one["path"] for one in writes] == ["/wp-json/wc/v3/products/batch"]
    assert await counter.pushes() == []


async def test_what_nobody_has_told_yet_is_not_overwritten_where_a_person_decides(
    counter: Counter,
) -> None:
    await counter.home.take(PRODUCTS, product("1"), product("2"))
    await counter.drain()
    manual = StoreSettings(sync_directions=EVERYTHING, conflict_policy=ConflictPolicy.MANUAL)
    await counter.scene.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=manual.model_dump_json(by_alias=True),
    )
    first, second = (row["id"] for row in counter.rows("products"))
    counter.scene.shop.shop.edit("products", first, {"name": "By the shop"})
    counter.scene.shop.shop.edit("products", second, {"description": "By the shop"})
    for key in ("1", "2"):
        await counter.home.take(PRODUCTS, product(key, version=1, title="By the hub"))
    await counter.drain()
    assert [row["name"] for row in counter.rows("products")] == ["By the shop", "By the hub"]
    assert "By the shop" in counter.rows("products")[1]["description"]
    held = await counter.scene.rows("select fields -> 'title' from conflicts where status = 'open'")
    assert held == [({"base": "Product 1", "local": "By the hub", "remote": "By the shop"},)]


async def test_a_failing_item_inside_a_200_fails_alone(counter: Counter) -> None:
    await counter.home.take(
        PRODUCTS,
        product("1", variant("1", sku="TEA")),
        product("2", variant("2", sku="TEA")),
        product("3"),
    )
    await counter.drain()
    assert {row["name"] for row in counter.rows("products")} == {"Product 1", "Product 3"}
    [(status, error)] = await counter.pushes("status, last_error")
    assert (status, "product_invalid_sku" in error) == ("pending", True)
    # Looked up at the next try, it turns out to be ours already.
    await counter.drain(300)
    [(status, error)] = await counter.pushes("status, last_error")
    first, second = [await counter.home.record_id("products", key) for key in ("1", "2")]
    assert status == "failed"
    assert f"products {second} but is linked to products {first} here" in error
    assert len(counter.rows("products")) == 2


async def test_a_create_whose_answer_is_lost_is_not_made_again(counter: Counter) -> None:
    counter.scene.fail("drop", path="/wc/v3/products/batch", when="after", count=1)
    await counter.home.take(PRODUCTS, product("1"), tea("2"))
    with pytest.raises(StoreError):
        await counter.drain()
    assert len(counter.rows("products")) == 2
    assert await counter.drain() == 0
    await counter.drain(DOUBT_S + 1)
    await counter.drain(DOUBT_S + 1)
    assert sorted(row["name"] for row in counter.rows("products")) == ["Product 1", "Product 2"]
    assert {row["sku"] for row in counter.rows("variations")} == {"TEA2-S", "TEA2-L"}
    assert await counter.pushes() == []
    links = await counter.scene.rows(
        "select external_id from links where store_id = :store and entity = 'products'"
    )
    assert {int(key) for (key,) in links} == {row["id"] for row in counter.rows("products")}


async def test_what_the_shop_has_by_its_sku_is_updated(counter: Counter) -> None:
    theirs = counter.scene.shop.shop.create(
        "products", {"name": "Old tea", "sku": "TEA", "regular_price": "9", "type": "simple"}
    )
    await counter.home.take(PRODUCTS, product("1", variant("1", "10", sku="TEA"), title="Tea"))
    await counter.drain()
    assert [(row["id"], row["name"], row["regular_price"]) for row in counter.rows("products")] == [
        (theirs.id, "Tea", "10")
    ]
    assert await counter.pushes() == []


async def test_a_deleted_product_is_a_draft_and_does_not_come_back(counter: Counter) -> None:
    await counter.home.take(PRODUCTS, product("1"))
    await counter.drain()
    await counter.home.take(PRODUCTS, gone=["1"])
    await counter.drain()
    assert [row["status"] for row in counter.rows("products")] == ["draft"]
    await counter.take_in_what_the_shop_says(PRODUCTS)
    assert await counter.home.rows("select deleted_at is not null from products") == [(True,)]
    assert await counter.pushes() == []


async def test_a_category_cannot_be_unpublished_and_is_said_to_be_so(counter: Counter) -> None:
    await counter.home.take(CATEGORIES, category("c", "Teas"))
    await counter.drain()
    await counter.home.take(CATEGORIES, gone=["c"])
    await counter.drain()
    [(status, error)] = await counter.pushes("status, last_error")
    assert status == "unsupported"
    assert "WooCommerce" in error


async def test_an_orders_status_is_told_to_its_shop(counter: Counter) -> None:
    [first, *_] = counter.rows("orders")
    await counter.take_in_what_the_shop_says(Entity.ORDERS)
    await counter.home.rows(
        "update orders o set status = 'cancelled' from links l where l.record_id = o.id"
        " and l.entity = 'orders' and l.external_id = :key",
        key=str(first["id"]),
    )
    await counter.home.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id)"
        " select tenant_id, store_id, 'orders', id from orders where status = 'cancelled'"
    )
    await counter.drain()
    told = {row["id"]: row["status"] for row in counter.rows("orders")}
    assert told[first["id"]] == "cancelled"
    assert await counter.pushes() == []


async def test_stock_that_moved_in_the_shop_is_counted_first(counter: Counter) -> None:
    await counter.home.take(PRODUCTS, tea())
    await counter.drain()
    shop = counter.scene.shop.shop
    [small] = [row["id"] for row in counter.rows("variations") if row["sku"] == "TEA1-S"]
    shop.edit("variations", small, {"stock_quantity": 4})
    moved = tea(version=1)
    levels = tuple(
        one.model_copy(update={"available": Decimal(3)}) if one.variant_external_id == "11" else one
        for one in moved.levels
    )
    await counter.home.take(
        PRODUCTS, Pulled(moved.external_id, moved.record, moved.version, levels)
    )
    await counter.drain()
    assert shop.document("variations", small)["stock_quantity"] == 2
    levels_now = await counter.home.rows("select on_hand from inventory_levels order by variant_id")
    assert levels_now == [(2,), (7,)]


async def test_keys_that_only_read_fail_the_lane_and_keep_the_rows(counter: Counter) -> None:
    counter.scene.fail("error", path="/wc/v3/products/batch", status=403)
    await counter.home.take(PRODUCTS, product("1"))
    with pytest.raises(StoreError):
        await counter.drain()
    assert await counter.pushes() == [("products", "pending", 0)]
