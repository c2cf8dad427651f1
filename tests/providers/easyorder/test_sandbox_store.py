from decimal import Decimal

import pytest

from domain.entities import Entity
from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RateLimitedError,
    StoreSuspendedError,
)
from domain.pages import Page, Pulled
from domain.records import Product, Record
from providers.easyorder.client import EasyOrderClient
from sandbox.easyorder.seed import StoreSeed
from tests.providers.easyorder.stores import visiting

BIG = StoreSeed(products=130, categories=7)


async def read_all(client: EasyOrderClient, entity: Entity) -> list[Pulled[Record]]:
    listing = await client.fetch_listing(entity)
    found: list[Pulled[Record]] = []
    for number in range(1, listing.total_pages + 1):
        page = await client.fetch_page(entity, number)
        assert page.rejected == ()
        found += page.records
    assert len(found) == listing.total
    return found


@pytest.mark.parametrize("envelope", ["array", "data"])
@pytest.mark.parametrize("max_limit", [100, 30])
async def test_whole_catalogue_is_read_whatever_the_envelope_and_the_page(
    envelope: str, max_limit: int
) -> None:
    async with visiting(BIG, envelope=envelope, max_limit=max_limit) as visit:
        products = await read_all(visit.client(), Entity.PRODUCTS)
        categories = await read_all(visit.client(), Entity.CATEGORIES)

        assert [one.external_id for one in products] == [r["id"] for r in visit.rows("products")]
        assert len(categories) == 7
        assert not [one for one in visit.asked if one.startswith("GET /products/")]


async def test_length_of_a_list_costs_few_requests() -> None:
    async with visiting(StoreSeed(products=600, categories=0)) as visit:
        listing = await visit.client().fetch_listing(Entity.PRODUCTS)
        asked = len(visit.asked)
        empty = await visit.client().fetch_listing(Entity.CATEGORIES)

        assert (listing.total, listing.total_pages) == (600, 12)
        assert listing.newest_id == visit.rows("products")[-1]["id"]
        assert asked <= 8
        assert (empty.total, empty.newest_id, empty.total_pages) == (0, None, 0)


async def test_store_without_joins_is_read_product_by_product() -> None:
    async with visiting(refuses_join=True) as visit:
        products = await read_all(visit.client(), Entity.PRODUCTS)
        truth = visit.rows("products")

        assert len(products) == len(truth)
        variants = {
            one.external_id: len(one.record.variants)
            for one in products
            if isinstance(one.record, Product)
        }
        assert variants == {row["id"]: len(row["variants"]) or 1 for row in truth}


async def test_by_ids_tells_what_is_gone() -> None:
    async with visiting() as visit:
        kept, gone = visit.rows("products")[:2]
        visit.store.delete("products", gone["id"])

        page = await visit.client().fetch_by_ids(
            Entity.PRODUCTS, [kept["id"], gone["id"], "../orders"]
        )

        assert [one.external_id for one in page.records] == [kept["id"]]
        assert set(page.tombstones) == {gone["id"], "../orders"}


async def test_order_is_read_by_id_alone() -> None:
    async with visiting() as visit:
        order = visit.store.order({})

        page = await visit.client().fetch_by_ids(Entity.ORDERS, [order["id"], "0" * 8])

        assert [one.external_id for one in page.records] == [order["id"]]
        assert page.tombstones == ("0" * 8,)
        with pytest.raises(ValueError, match="not listed"):
            await visit.client().fetch_page(Entity.ORDERS, 1)


@pytest.mark.parametrize("filters", [True, False])
async def test_changes_are_found_with_and_without_the_filter(filters: bool) -> None:
    async with visiting(filters_updated_at=filters) as visit:
        client, since = visit.client(), "2026-11-18T00:00:00+00:00"
        changed = visit.rows("products")[3]
        visit.store.update("products", changed["id"], {"name": "Other"})

        seen: list[str] = []
        cursor: str | None = None
        for _ in range(10):
            step = await client.fetch_changes(Entity.PRODUCTS, since=since, cursor=cursor)
            seen += [one.external_id for one in step.page.records]
            cursor = step.cursor
            if cursor is None:
                break

        assert cursor is None
        assert changed["id"] in seen
        assert (set(seen) == {changed["id"]}) is filters


async def test_many_products_of_one_moment_are_all_found() -> None:
    async with visiting(StoreSeed(products=120, categories=0)) as visit:
        for row in visit.rows("products"):
            visit.store.update("products", row["id"], {"name": "Same moment"})
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(10):
            step = await visit.client().fetch_changes(
                Entity.PRODUCTS, since="2026-11-18T00:00:00+00:00", cursor=cursor
            )
            seen |= {one.external_id for one in step.page.records}
            cursor = step.cursor
            if cursor is None:
                break

        assert cursor is None
        assert seen == set(visit.store.tables["products"])


async def test_suspended_store_says_so_and_is_no_bad_request() -> None:
    async with visiting(is_active=False) as visit:
        with pytest.raises(StoreSuspendedError, match="connection suspended"):
            await visit.client().probe()


async def test_wrong_key_missing_permission_and_a_full_minute_are_told_apart() -> None:
    async with visiting(limited=True) as visit:
        with pytest.raises(CredentialsError):
            await visit.client(apiKey="eo_another_key").probe()
        visit.box.permissions = frozenset(("categories:read",))
        with pytest.raises(PermissionDeniedError):
            await visit.client().probe()
        visit.box.permissions = None
        for _ in range(39):
            await visit.client().probe()
        with pytest.raises(RateLimitedError) as caught:
            await visit.client().probe()
        assert caught.value.retry_after_s is not None
        assert 0 < caught.value.retry_after_s <= 60


async def test_probe_tells_what_was_entered() -> None:
    async with visiting() as visit:
        found = await visit.client(currency="sar", country="sa").probe()

        assert (found.currency, found.details["country"]) == ("SAR", "SA")
        assert found.store_name == "store.example/store/mine"
        assert visit.asked == ["GET /products"]


async def test_manifests_pace_never_meets_the_limit() -> None:
    async with visiting(BIG, limited=True, max_limit=20) as visit:
        client = visit.client()
        pace = 60 / 36

        for number in range(1, 120):
            visit.clock.now += pace
            await client.fetch_page(Entity.PRODUCTS, 1 + number % 7)

        assert visit.box.limit.refused == 0
        assert visit.box.limit.most <= 36


async def test_scan_finds_orders_after_the_last_known_number() -> None:
    async with visiting() as visit:
        first, second, third = (visit.store.order({}) for _ in range(3))
        visit.store.delete("orders", second["id"])

        off = await visit.client().scan_orders("0")
        on = await visit.client(orderScan=True).scan_orders(str(first["short_id"]))
        again = await visit.client(orderScan=True).scan_orders(on.cursor)
        unknown = await visit.client(orderScan=True).scan_orders(None)

        assert (off.page, off.cursor) == (Page(), "0")
        assert [one.external_id for one in on.page.records] == [third["id"]]
        assert on.cursor == str(third["short_id"])
        assert (again.page.records, again.cursor) == ((), on.cursor)
        assert (unknown.page, unknown.cursor) == (Page(), None)


async def test_prices_stay_exact() -> None:
    async with visiting() as visit:
        row = visit.store.update(
            "products", visit.simple()["id"], {"price": 175.1, "sale_price": 149.95}
        )

        page = await visit.client().fetch_by_ids(Entity.PRODUCTS, [row["id"]])

        product = page.records[0].record
        assert isinstance(product, Product)
        assert product.variants[0].price == Decimal("149.95")
        assert product.variants[0].compare_at_price == Decimal("175.1")
