"""A store with an exact request limit is filled through the lane, and never asked too often."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.budget import Budgets, Clock
from db.session import Database
from runtime.settings import Settings
from sandbox.easyorder.shop import Behaviour
from tests.servers import TestDatabase
from tests.workflows.two_stores import CURRENCY, hub_api, two_stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 40
CREATES = 20


class Hasty:
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.began = self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.ticks, self.sleep)

    def ticks(self) -> float:
        return self.at.timestamp()

    def passed_s(self) -> float:
        return (self.at - self.began).total_seconds()


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[Hasty]:
    time = Hasty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activities.stores.Budgets", lambda data: Budgets(data, time.clock))
        yield time


@pytest_asyncio.fixture(loop_scope="module")
async def api(
    settings: Settings, database: TestDatabase, temporal_client: Client, workers: None
) -> AsyncIterator[tuple[httpx.AsyncClient, Database, int]]:
    async with hub_api(settings, database, temporal_client) as held:
        yield held


async def test_creates_keep_to_the_limit_and_arrive_once(
    api: tuple[httpx.AsyncClient, Database, int], hasty: Hasty
) -> None:
    strict = Behaviour(requests_per_minute=LIMIT)
    async with two_stores(api, behaviour=strict, clock=hasty.ticks) as pair:
        for number in range(CREATES):
            sold = {"sku": f"SKU-{number}", "price": "5", "quantity": "3"}
            body = {"title": f"Item {number}", "currency": CURRENCY, "variants": [sold]}
            await pair.post("/api/products", body)
        await pair.settled()
        made = Counter(row["name"] for row in pair.easy_rows("products"))
        assert made == Counter(f"Item {number}" for number in range(CREATES))
        assert {row["quantity"] for row in pair.easy_rows("products")} == {3}
        assert pair.easy.limit.refused == 0
        assert 30 < pair.easy.limit.most <= LIMIT
        assert pair.easy_writes().count("POST products") == CREATES
        assert hasty.passed_s() > 2 * CREATES * 60 / LIMIT
        assert await pair.rows("select entity, status, last_error from pushes") == []
