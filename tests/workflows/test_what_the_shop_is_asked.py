"""Every parameter of every pull of `/api/woocommerce-sync` changes what the shop is asked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from db.session import Database
from domain.entities import Entity
from runtime.hub import Hub
from runtime.settings import Settings
from sandbox.woocommerce.seed import ShopSeed
from tests.servers import TestDatabase
from tests.workflows.asking import Asker, asking, only
from tests.workflows.scene import served_store
from tests.workflows.syncs import cursor_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = ShopSeed(products=12, orders=30, customers=108)
SIZES = ("per_page", "page")
FILTERS = (*SIZES, "status", "after", "modified_after")
CATEGORIES = "products/categories"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asker(
    hub: Hub, database: TestDatabase, temporal_client: Client, settings: Settings, workers: None
) -> AsyncIterator[Asker]:
    """One shop for all of it, which was imported."""
    owner = Database(database.owner_url, pool_size=1)
    async with (
        served_store(hub, owner, temporal_client, SHOP) as scene,
        asking(scene, settings) as held,
    ):
        await scene.import_store()
        yield held
    await owner.close()


def page(size: int, number: int = 1, **more: str) -> dict[str, str]:
    """The parameters of one page."""
    return {"per_page": str(size), "page": str(number), **more}


@dataclass(frozen=True)
class Case:
    """What is asked for, and what the shop is then asked on `route`, of these parameters."""

    path: str
    body: dict[str, Any]
    route: str
    asked: list[dict[str, str]]
    names: tuple[str, ...] = FILTERS
    untouched: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.path} {self.body}"


FORCED = {"force": True}
JANUARY = "2025-01-01T00:00:00Z"

CASES = [
    # customers: no filter but where to start and how many
    Case("customers/pull", {}, "customers", [page(100)]),
    Case("customers/pull", {"limit": 7}, "customers", [page(7)]),
    Case("customers/pull", {"limit": 7, "page": 3}, "customers", [page(7, 3)]),
    Case("customers/pull", {"limit": 103}, "customers", [page(100), page(100, 2)]),
    Case("customers/pull", {"limit": 103, "page": 2}, "customers", [page(100, 2)]),
    Case("customers/pull", {"limit": 7, **FORCED}, "customers", [page(7)]),
    Case("customers/pull", {"limit": 6, "dryRun": True}, "customers", [page(6)]),
    # products: changed since the last sync, unless the store is to win
    Case("products/pull", {}, "products", [page(100, status="publish", modified_after="cursor")]),
    Case(
        "products/pull",
        {"limit": 3},
        "products",
        [page(3, status="publish", modified_after="cursor")],
    ),
    Case("products/pull", {"limit": 20, **FORCED}, "products", [page(20, status="publish")]),
    Case(
        "products/pull",
        {"limit": 4, "status": "draft", **FORCED},
        "products",
        [page(4, status="draft")],
    ),
    Case(
        "products/pull",
        {"limit": 20, "status": "all", **FORCED},
        "products",
        [page(20, status="any")],
    ),
    Case(
        "products/pull",
        {"limit": 19, "dryRun": True, **FORCED},
        "products",
        [page(19, status="publish")],
    ),
    # orders
    Case("orders/pull", {}, "orders", [page(100, status="any", modified_after="cursor")]),
    Case("orders/pull", {"limit": 40, **FORCED}, "orders", [page(40, status="any")]),
    Case(
        "orders/pull", {"limit": 41, "status": "any", **FORCED}, "orders", [page(41, status="any")]
    ),
    Case(
        "orders/pull",
        {"limit": 30, "status": "processing", **FORCED},
        "orders",
        [page(30, status="processing")],
    ),
    Case(
        "orders/pull",
        {"limit": 30, "after": JANUARY, **FORCED},
        "orders",
        [page(30, status="any", after="2024-12-31T23:59:59")],
    ),
    Case(
        "orders/pull",
        {"limit": 5, "after": "2025-01-01T02:30:00+02:30"},
        "orders",
        [page(5, status="any", after="2024-12-31T23:59:59", modified_after="cursor")],
    ),
    Case(
        "orders/pull", {"limit": 42, "dryRun": True, **FORCED}, "orders", [page(42, status="any")]
    ),
    # batch: what is chosen, and nothing else
    Case(
        "batch",
        {"customers": True},
        "customers",
        [page(50)],
        untouched=("products", "orders"),
    ),
    Case(
        "batch",
        {"customers": True, "limit": 9},
        "customers",
        [page(9)],
        untouched=("products", "orders"),
    ),
    Case(
        "batch",
        {"products": True, "limit": 20, **FORCED},
        "products",
        [page(20)],
        (*SIZES, "modified_after"),
        untouched=("customers", "orders"),
    ),
    Case(
        "batch",
        {"products": True, "limit": 21},
        "products",
        [page(21, modified_after="cursor")],
        (*SIZES, "modified_after"),
        untouched=("customers", "orders"),
    ),
    Case(
        "batch",
        {"orders": True, "limit": 45, **FORCED},
        "orders",
        [page(45)],
        SIZES,
        untouched=("customers", "products"),
    ),
    Case(
        "batch",
        {"orders": True, "limit": 46, "dryRun": True, **FORCED},
        "orders",
        [page(46)],
        SIZES,
        untouched=("customers", "products"),
    ),
    # everything: `batchSize` is the page, `force` reads all of what a moment could be asked of
    Case(
        "full",
        {"direction": "pull"},
        "products",
        [{"per_page": "100", "modified_after": "cursor"}],
        (*SIZES, "modified_after"),
    ),
    Case(
        "full",
        {"direction": "pull", "batchSize": 60},
        "customers",
        [page(60), page(60, 2)],
        SIZES,
    ),
    Case(
        "full",
        {"direction": "pull", "batchSize": 9, **FORCED},
        "products",
        [page(9), page(9, 2)],
        (*SIZES, "modified_after"),
    ),
    Case(
        "full",
        {"direction": "pull", "batchSize": 50, "dryRun": True, **FORCED},
        "orders",
        [page(50)],
        SIZES,
    ),
    Case("full", {"direction": "push"}, "customers", []),
    Case("full", {"direction": "both"}, CATEGORIES, [page(100)], SIZES),
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_parameter_shows_in_the_shops_request_log(asker: Asker, case: Case) -> None:
    cursors = {
        entity.value: await cursor_of(asker.scene, entity)
        for entity in (Entity.PRODUCTS, Entity.ORDERS)
    }
    asker.asked()
    shown = await asker.demand(case.path, case.body)
    assert (shown["status"], shown["run"]["error"]) == ("success", None)
    log = asker.asked()
    lists = [one for one in log if one[2].get("_fields") != "id" and "include" not in one[2]]
    found = only(lists, case.route, *case.names)
    for one in found:
        if "modified_after" in one:
            assert one["modified_after"] < cursors[case.route].isoformat()
            one["modified_after"] = "cursor"
    assert found == case.asked
    assert all(method == "GET" for method, _, _ in log)
    assert not {path for _, path, _ in log} & set(case.untouched)


async def test_parts_come_newest_first_and_whole_lists_oldest_first(asker: Asker) -> None:
    await asker.demand("customers/pull", {"limit": 8})
    assert only(asker.asked(), "customers", "orderby", "order", "role") == [
        {"orderby": "id", "order": "desc", "role": "all"}
    ]
    await asker.demand("full", {"direction": "pull"})
    whole = only(asker.asked(), "customers", "order", "page")
    orders = {one["order"] for one in whole if "page" in one}
    assert orders == {"asc"}


async def test_times_are_told_as_utc(asker: Asker) -> None:
    await asker.demand("orders/pull", {"after": JANUARY, "limit": 11})
    assert only(asker.asked(), "orders", "dates_are_gmt") == [{"dates_are_gmt": "true"}]


@pytest.mark.parametrize(("path", "route"), [("products", "products"), ("orders", "orders")])
async def test_one_record_is_asked_for_by_its_id(asker: Asker, path: str, route: str) -> None:
    number = asker.scene.shop.shop.tables[route].ids()[0]
    asker.asked()
    answer = await asker.post(f"{path}/{number}")
    assert answer.status_code == 200
    assert only(asker.asked(), route, "include", "status") == [
        {"include": str(number), "status": "any"}
    ]


async def test_the_limit_bounds_what_is_taken_in_and_not_only_what_is_asked(asker: Asker) -> None:
    shown = await asker.demand("customers/pull", {"limit": 104})
    customers = shown["entities"]["customers"]
    assert (customers["seen"], customers["pages"], customers["total"]) == (104, 2, 104)


async def test_a_status_that_the_shop_does_not_know_is_told_and_is_no_failure_of_the_shop(
    asker: Asker,
) -> None:
    shown = await asker.demand("orders/pull", {"status": "nonsense"})
    assert shown["status"] == "failed"
    assert "status" in shown["run"]["error"]
    assert (await asker.scene.store_row())["sync_status"] == "success"
    assert await asker.scene.rows("select from alerts where status = 'open'") == []
