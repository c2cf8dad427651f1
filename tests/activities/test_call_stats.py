from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.budget import BudgetedSession, Budgets
from activities.call_stats import MOST_KEYS, OUTCOMES, CallStats
from db.session import Database
from domain.errors import (
    AddressRefusedError,
    RequestRejectedError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from domain.latencies import percentile
from providers._kit.answers import Answer
from tests.db.room import Room, new_room, new_store
from tests.servers import TestDatabase

NOON = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
SHOP = "https://shop.example"


class Time:
    """A clock that stands still between requests; each takes `took_s`."""

    def __init__(self) -> None:
        self.at, self.took_s, self._ticks = NOON, 0.1, 0.0

    def now(self) -> datetime:
        return self.at

    def ticks(self) -> float:
        self._ticks += self.took_s
        return self._ticks


class Shop:
    """Answers, or fails, with what comes next."""

    def __init__(self) -> None:
        self.next: list[int | StoreError] = []

    async def request(self, method: str, url: str, **options: Any) -> Answer:
        _ = method, url, options
        one = self.next.pop(0) if self.next else 200
        if isinstance(one, StoreError):
            raise one
        return Answer(one, {}, b"{}", 0.0)


class Scene:
    """One store of a tenant, and the session that its client would have."""

    def __init__(self, room: Room) -> None:
        self.room, self.time, self.shop = room, Time(), Shop()
        self.stats = CallStats(now=self.time.now, ticks=self.time.ticks)

    async def ask(self, *answers: int | StoreError, store_id: int = 0, method: str = "GET") -> None:
        session = BudgetedSession(
            self.shop,
            Budgets(self.room.database),
            tenant_id=self.room.tenant_id,
            store_id=store_id or self.room.store_id,
            requests_per_minute=None,
            calls=self.stats,
        )
        self.shop.next = list(answers)
        for _ in answers:
            try:
                await session.request(method, SHOP)
            except StoreError:
                continue

    async def flush(self) -> None:
        await self.stats.flush(self.room.database)

    async def counted(self) -> dict[str, int]:
        rows = await self.room.rows(
            "select outcome, sum(calls)::int from provider_calls group by 1"
        )
        return dict(rows)

    async def health(self) -> list[tuple[Any, ...]]:
        return await self.room.rows(
            "select is_connected, message, latency_ms, checked_at, connected_at"
            " from store_health where store_id = :store"
        )


@pytest.fixture
async def scene(database: TestDatabase) -> AsyncIterator[Scene]:
    app, owner = Database(database.app_url, pool_size=2), Database(database.owner_url, pool_size=1)
    yield Scene(await new_room(app, owner))
    await app.close()
    await owner.close()


async def test_every_outcome_has_its_class(scene: Scene) -> None:
    await scene.ask(200, 201, 304, 401, 403, 404, 409, 400, 422, 429, 500, 503)
    await scene.ask(
        StoreUnreachableError("no answer in time", is_timeout=True),
        StoreUnreachableError("no connection"),
        StoreUnavailableError("larger than we read"),
        AddressRefusedError("10.0.0.1"),
        RequestRejectedError("redirects elsewhere"),
    )
    await scene.flush()
    counted = await scene.counted()
    assert counted == {
        **dict.fromkeys(OUTCOMES, 1),
        "ok": 3,
        "rejected": 3,
        "server_error": 2,
    }


async def test_counts_of_an_hour_add_up_and_keep_their_percentiles(scene: Scene) -> None:
    for took_s, times in ((0.05, 90), (2.0, 10)):
        scene.time.took_s = took_s
        await scene.ask(*[200] * times)
        await scene.flush()
    scene.time.at += timedelta(hours=1)
    await scene.ask(200, method="POST")
    await scene.flush()
    ((calls, total_ms, buckets),) = await scene.room.rows(
        "select calls, total_ms, buckets from provider_calls where method = 'GET'"
    )
    assert (calls, total_ms) == (100, 24_500)
    assert percentile(buckets, 0.5) == pytest.approx(50, rel=0.2)
    assert percentile(buckets, 0.95) == pytest.approx(2_000, rel=0.2)
    hours = await scene.room.rows("select hour, method from provider_calls order by hour")
    assert [(hour.astimezone(UTC).hour, method) for hour, method in hours] == [
        (12, "GET"),
        (13, "POST"),
    ]


async def test_the_store_shows_what_the_last_request_found(scene: Scene) -> None:
    await scene.ask(200)
    await scene.flush()
    assert await scene.health() == [(True, "", 100, NOON, NOON)]
    scene.time.at += timedelta(seconds=30)
    await scene.ask(StoreUnreachableError("secret.example: no connection"))
    await scene.flush()
    later = scene.time.at
    assert await scene.health() == [(False, "The store cannot be reached.", 100, later, NOON)]
    # What another process saw before does not replace it.
    scene.time.at -= timedelta(seconds=10)
    await scene.ask(200)
    await scene.flush()
    assert [row[0] for row in await scene.health()] == [False]
    # A record that is missing is an answer all the same.
    scene.time.at += timedelta(minutes=1)
    await scene.ask(404)
    await scene.flush()
    assert [row[:2] for row in await scene.health()] == [(True, "")]


async def test_a_store_that_is_gone_does_not_hold_up_the_others(scene: Scene) -> None:
    second = await new_store(scene.room.database, scene.room.tenant_id)
    await scene.ask(200, store_id=10**12)
    await scene.ask(200, store_id=second)
    await scene.flush()
    assert await scene.room.rows("select store_id from provider_calls") == [(second,)]


async def test_nothing_is_lost_while_the_database_is_away(
    scene: Scene, database: TestDatabase
) -> None:
    await scene.ask(200, 200)
    away = Database(database.app_url.replace("/test_", "/gone_"), pool_size=1)
    await scene.stats.flush(away)
    await away.close()
    await scene.ask(200, 500)
    await scene.flush()
    assert await scene.counted() == {"ok": 3, "server_error": 1}
    await scene.flush()
    assert await scene.counted() == {"ok": 3, "server_error": 1}


async def test_what_is_kept_in_memory_has_a_bound(scene: Scene) -> None:
    answer = Answer(200, {}, b"", 0.0)
    for store_id in range(MOST_KEYS + 50):
        scene.stats.answered(1, store_id, "GET", answer, 0.1)
    assert len(scene.stats._counts) == MOST_KEYS
    assert len(scene.stats._health) == MOST_KEYS
