"""Answers about records over HTTP: kept, shared by processes, and never out of date."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api.app import create_app
from api.caching import AnswerCache
from api.config import ApiConfig
from api.limits import Limits
from tests.api.hub import Caller, Hub
from tests.api.samples import stock
from tests.api.shared_servers import SharedServer

PATHS = ("/api/categories", "/api/products", "/api/customers", "/api/orders")
KEPT = {"cache-control": "private, no-cache", "vary": "Authorization, X-API-Key, X-API-Secret"}


@asynccontextmanager
async def another_process(
    hub: Hub, url: str | None, **config: object
) -> AsyncIterator[httpx.AsyncClient]:
    """The API as another process over the same database would be, and the same server."""
    services = dataclasses.replace(
        hub.services,
        config=ApiConfig(**(hub.services.config.model_dump() | config)),
        limits=Limits(url),
        cache=AnswerCache(url, hub.services.secrets),
    )
    app = create_app(services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.internal") as http:
        yield http
    await app.state.ingress.close()
    await services.cache.close()
    await services.limits.close()


@pytest.mark.parametrize("path", PATHS)
async def test_that_who_has_the_answer_is_not_sent_it_again(
    hub: Hub, caller: Caller, path: str
) -> None:
    await stock(hub, caller)
    first = await caller.get(path)
    etag = first.headers["etag"]
    one = f"{path}/{first.json()['data'][0]['id']}"

    assert KEPT.items() <= dict(first.headers).items()
    for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = await caller.get(path, headers={"If-None-Match": condition})
        assert (again.status_code, again.content) == (304, b"")
        assert KEPT.items() | {"etag": etag}.items() <= dict(again.headers).items()
    assert (await caller.get(path, headers={"If-None-Match": '"x"'})).status_code == 200
    shown = await caller.get(one)
    again = await caller.get(one, headers={"If-None-Match": shown.headers["etag"]})
    assert (shown.status_code, again.status_code) == (200, 304)


async def test_that_a_kept_answer_is_the_same_bytes(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    first, second = [await caller.get("/api/products") for _ in range(2)]

    assert first.content == second.content
    assert first.json()["data"]


@pytest.mark.parametrize("is_shared", [False, True])
async def test_that_no_process_answers_with_what_was_before_a_write(
    hub: Hub, caller: Caller, shared_server: SharedServer, is_shared: bool
) -> None:
    await stock(hub, caller)
    url = shared_server.url if is_shared else None
    async with another_process(hub, url) as one, another_process(hub, url) as other:

        async def titles() -> set[str]:
            told = [
                await http.get("/api/products", headers=caller.headers) for http in (one, other)
            ]
            return {answer.json()["data"][0]["title"] for answer in told}

        before = await titles()
        for number in range(3):
            # Neither the feed nor a process is told of it.
            await hub.execute(
                caller.tenant, "update products set title = :title", title=f"Tea {number}"
            )
            assert await titles() == {f"Tea {number}"}
        assert len(before) == 1


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("update inventory_levels set reserved = reserved + 3", "available"),
        ("update links set deleted_at = now() where entity = 'products'", "externalReferences"),
        ("update product_variants set price = 7 where price is not null", "7.00"),
    ],
)
async def test_that_a_change_without_an_entry_in_the_feed_is_shown(
    hub: Hub, caller: Caller, statement: str, shown: str
) -> None:
    await stock(hub, caller)
    before = await caller.get("/api/products")
    assert (await caller.get("/api/products")).content == before.content

    await hub.execute(caller.tenant, statement)

    after = await caller.get("/api/products")
    assert after.content != before.content
    assert shown in after.text


async def test_that_a_shared_answer_is_found_by_another_process(
    hub: Hub, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock(hub, caller)
    with SharedServer() as server:
        async with (
            another_process(hub, server.url) as one,
            another_process(hub, server.url) as other,
        ):
            first = await one.get("/api/products", headers=caller.headers)

            async def fail(*_: object, **__: object) -> None:
                raise AssertionError("it was made again")

            monkeypatch.setattr("api.routers.records.read_page", fail)
            second = await other.get("/api/products", headers=caller.headers)
    assert (second.status_code, second.content) == (200, first.content)


async def test_that_tenants_and_callers_do_not_share(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    assert (await caller.get("/api/products")).json()["data"]

    stranger = await hub.new_caller()
    assert (await stranger.get("/api/products")).json()["data"] == []
    blind = await hub.new_caller(permissions=["stores:read"], tenant=caller.tenant)
    assert (await blind.get("/api/products")).status_code == 403


async def test_that_a_revoked_key_stops_at_the_next_request(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    assert (await caller.get("/api/products")).status_code == 200
    await hub.execute(caller.tenant, "update api_keys set revoked_at = now()")
    assert (await caller.get("/api/products")).status_code == 401


async def test_that_everything_answers_when_the_server_is_killed(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    with SharedServer() as server:
        async with another_process(hub, server.url) as http:
            before = await http.get("/api/products", headers=caller.headers)
            server.kill()
            after = [await http.get(path, headers=caller.headers) for path in (*PATHS, *PATHS)]

    assert before.status_code == 200
    assert [answer.status_code for answer in after] == [200] * 8
    assert after[1].content == before.content


async def test_that_all_other_answers_are_kept_by_nobody(caller: Caller) -> None:
    answer = await caller.get("/api/alerts")
    assert answer.headers.get_list("cache-control") == ["no-store"]
