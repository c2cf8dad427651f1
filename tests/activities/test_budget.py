import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.budget import BudgetedSession, Budgets, Clock
from db.session import Database
from db.tenants import create_tenant
from domain.errors import RateLimitedError
from providers._kit.answers import Answer
from providers._kit.protocols import Params, SignRequest
from tests.servers import TestDatabase

START = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
LIMIT = 40


class FakeTime:
    """Time that goes on when everybody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.seconds + seconds, next(self._numbers), woken))
        await woken.wait()

    def step(self) -> bool:
        """Let the next sleeper wake, at its time."""
        if not self._sleepers:
            return False
        self.seconds, _, woken = heapq.heappop(self._sleepers)
        woken.set()
        return True

    @property
    def asleep(self) -> int:
        return len(self._sleepers)

    @property
    def clock(self) -> Clock:
        return Clock(self.now, lambda: self.seconds, self.sleep)


class Shop:
    """Answers with what it is told to, and remembers when it was asked."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.asked: list[float] = []
        self.answers: list[tuple[int, dict[str, str]]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        auth: SignRequest | None = None,
        content: bytes | None = None,
    ) -> Answer:
        _ = method, url, params, auth, content
        self.asked.append(self.time.seconds)
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        return Answer(status, headers, b"{}", 0.0)


class Client:
    """One worker process, asking as often as it may."""

    def __init__(self, shop: Shop, database: Database, tenant_id: int, limit: float | None) -> None:
        self._time = shop.time
        budgets = Budgets(database, shop.time.clock)
        self.session = BudgetedSession(
            shop, budgets, tenant_id=tenant_id, store_id=1, requests_per_minute=limit
        )
        self.told: list[float] = []

    async def ask(self, times: int) -> None:
        for _ in range(times):
            while True:
                try:
                    await self.session.request("GET", "https://shop.example")
                    break
                except RateLimitedError as error:
                    wait_s = error.retry_after_s or 0.0
                    self.told.append(wait_s)
                    await self._time.sleep(wait_s)


@pytest.fixture
async def tenant(database: TestDatabase) -> int:
    owner = Database(database.owner_url, pool_size=1)
    async with owner.lookup() as connection:
        made = await create_tenant(connection, f"Tenant {uuid4().hex}")
    await owner.close()
    return made.id


@pytest.fixture
async def pool(database: TestDatabase) -> AsyncIterator[Database]:
    opened = Database(database.app_url, pool_size=8)
    yield opened
    await opened.close()


async def run(time: FakeTime, clients: list[Client], *, times: int) -> None:
    """Let everybody ask; time goes on once all who are not done sleep."""
    tasks = [asyncio.create_task(client.ask(times)) for client in clients]
    async with asyncio.timeout(30):
        while any(not task.done() for task in tasks):
            if time.asleep == sum(not task.done() for task in tasks):
                time.step()
            await asyncio.sleep(0.0005)
    for task in tasks:
        task.result()


async def test_no_window_of_a_minute_holds_more_than_the_limit(pool: Database, tenant: int) -> None:
    time = FakeTime()
    shop = Shop(time)
    clients = [Client(shop, pool, tenant, limit=36) for _ in range(8)]
    await run(time, clients, times=20)
    asked = sorted(shop.asked)
    assert len(asked) == 160
    fullest = max(sum(0 <= other - first <= 60 for other in asked) for first in asked)
    assert 36 <= fullest <= LIMIT
    assert asked[-1] == pytest.approx(159 * 60 / 36, rel=0.05)
    # Eight ask, and four slots are near enough: some were sent away, and told for how long.
    told = [wait for client in clients for wait in client.told]
    assert told
    assert min(told) > 5


async def test_everybody_waits_as_long_as_the_store_said(pool: Database, tenant: int) -> None:
    time = FakeTime()
    shop = Shop(time)
    shop.answers = [(429, {"retry-after": "4"})]
    first, second = (Client(shop, pool, tenant, limit=None) for _ in range(2))
    await run(time, [first], times=1)
    await run(time, [second], times=3)
    # Slower than before it complained, and at least as late as it asked.
    assert shop.asked[0] == 0
    assert shop.asked[1] == pytest.approx(4, abs=0.001)
    assert [b - a for a, b in itertools.pairwise(shop.asked[1:])] == pytest.approx([0.2, 0.2])


async def test_a_long_pause_is_handed_back(pool: Database, tenant: int) -> None:
    time = FakeTime()
    shop = Shop(time)
    shop.answers = [(503, {"retry-after": "120"})]
    client = Client(shop, pool, tenant, limit=None)
    await run(time, [client], times=1)
    with pytest.raises(RateLimitedError) as caught:
        await client.session.request("GET", "https://shop.example")
    assert caught.value.retry_after_s == pytest.approx(120)
    assert len(shop.asked) == 1
    time.seconds = 121
    await run(time, [client], times=2)
    # A store in maintenance did not say that we are too fast.
    assert shop.asked[1:] == [121, 121]


async def test_the_pace_recovers(pool: Database, tenant: int) -> None:
    time = FakeTime()
    shop = Shop(time)
    shop.answers = [(429, {"retry-after": "1"}), (429, {"retry-after": "1"})]
    client = Client(shop, pool, tenant, limit=60)
    await run(time, [client], times=4)
    assert [b - a for a, b in itertools.pairwise(shop.asked)] == pytest.approx([1, 2, 4])
    time.seconds += 300
    shop.asked.clear()
    await run(time, [client], times=3)
    assert [b - a for a, b in itertools.pairwise(shop.asked)] == pytest.approx([1, 1])


async def test_an_ordinary_failure_slows_nobody_down(pool: Database, tenant: int) -> None:
    time = FakeTime()
    shop = Shop(time)
    shop.answers = [(500, {}), (503, {}), (502, {"retry-after": "60"})]
    client = Client(shop, pool, tenant, limit=None)
    await run(time, [client], times=5)
    assert shop.asked == [0] * 5
    async with pool.tenant(tenant) as connection:
        rows = await connection.exec_driver_sql("select count(*) from store_budgets")
        assert rows.scalar_one() == 0
