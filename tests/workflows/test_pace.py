"""A store with an exact request limit is filled through the lane, and never asked too often."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities.budget import Budgets, Clock
from sandbox.easyorder.shop import Behaviour
from tests.workflows.two_stores import CURRENCY, PairApi, two_stores

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


async def test_creates_keep_to_the_limit_and_arrive_once(
    hasty: Hasty, workers: None, pair_api: PairApi
) -> None:
    strict = Behaviour(requests_per_minute=LIMIT)
    async with two_stores(pair_api, behaviour=strict, clock=hasty.ticks) as pair:
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
