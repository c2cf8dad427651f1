import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.config import ApiConfig
from tests.api.hub import Caller, Hub, connect

PATH = "/api/woocommerce-sync/connection/test"
SHOP = {"provider": "woocommerce"}


@pytest.fixture
async def default(hub: Hub, config: ApiConfig) -> Caller:
    """The default tenant's caller; requests without credentials ask the API with its store."""
    caller = await hub.new_caller()
    services = replace(
        hub.services,
        config=config.model_copy(
            update={
                "default_store_url": "https://default.shop.example",
                "default_tenant": caller.tenant.name,
            }
        ),
    )
    transport = httpx.ASGITransport(app=create_app(services), raise_app_exceptions=False)
    caller.http = httpx.AsyncClient(transport=transport, base_url="http://hub.internal")
    return caller


async def anonymous(caller: Caller, query: str = "") -> httpx.Response:
    return await caller.http.get(PATH + query)


async def test_without_credentials_it_is_the_default_store_and_nothing_else_is_told(
    hub: Hub, default: Caller
) -> None:
    await connect(default, "other", **SHOP)
    store_id = await connect(default, "default", **SHOP)
    hub.gateway.checks.clear()
    answer = await anonymous(default)
    assert (answer.status_code, answer.json()) == (200, {"connected": True})
    assert len(hub.gateway.checks) == 1
    assert hub.gateway.waits[-1][0] == store_id
    again = await default.http.get(PATH, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_store_that_says_no_is_not_connected(hub: Hub, default: Caller) -> None:
    await connect(default, "default", **SHOP)
    hub.gateway.refuse("CredentialsError", "the consumer key ck_… is revoked")
    answer = await anonymous(default)
    assert (answer.status_code, answer.json()) == (200, {"connected": False})


async def test_a_crowd_makes_one_request_to_the_shop(hub: Hub, default: Caller) -> None:
    await connect(default, "default", **SHOP)
    hub.gateway.checks.clear()
    answers = await asyncio.gather(*(anonymous(default, f"?x={n}") for n in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert len(hub.gateway.checks) == 1
    assert await hub.execute(default.tenant, "select from store_checks") == []


async def test_a_check_that_fails_on_our_side_is_no_verdict(hub: Hub, default: Caller) -> None:
    await connect(default, "default", **SHOP)
    hub.gateway.is_down = True
    assert (await anonymous(default)).status_code == 503


async def test_without_a_default_store_there_is_nothing_to_test(
    hub: Hub, caller: Caller, default: Caller
) -> None:
    assert (await anonymous(default)).status_code == 404
    await connect(caller, "default", **SHOP)
    answer = await hub.http.get(PATH)
    assert (answer.status_code, "WOOCOMMERCE_SITE_URL" in answer.json()["detail"]) == (404, True)
    assert (await anonymous(default)).status_code == 404


async def test_without_credentials_no_other_store_is_tested(hub: Hub, default: Caller) -> None:
    store_id = await connect(default, "default", **SHOP)
    other = await connect(default, "other", **SHOP)
    hub.gateway.checks.clear()
    for one in (store_id, other, 4_000_000):
        assert (await anonymous(default, f"?storeId={one}")).status_code == 401
    assert hub.gateway.checks == []


async def test_with_credentials_it_is_the_callers_own_store(hub: Hub, caller: Caller) -> None:
    assert (await caller.get(PATH)).status_code == 404
    first = await connect(caller, "one", **SHOP)
    assert (await caller.get(PATH)).json() == {"connected": True}
    await connect(caller, "two", **SHOP)
    several = await caller.get(PATH)
    assert (several.status_code, "storeId" in several.json()["detail"]) == (400, True)
    assert (await caller.get(PATH, params={"storeId": first})).json() == {"connected": True}
    stranger = await hub.new_caller()
    assert (await stranger.get(PATH, params={"storeId": first})).status_code == 404
    poor = await hub.new_caller(permissions=["records:read"], tenant=caller.tenant)
    assert (await poor.get(PATH, params={"storeId": first})).status_code == 403
    wrong = {"X-API-Key": "ek_wrong", "X-API-Secret": "wrong"}
    assert (await caller.http.get(PATH, headers=wrong)).status_code == 401


async def test_the_answer_is_kept_by_store_and_not_by_who_asks(hub: Hub, default: Caller) -> None:
    store_id = await connect(default, "default", **SHOP)
    hub.gateway.checks.clear()
    other = await hub.new_caller(tenant=default.tenant)
    other.http = default.http
    answers: list[Any] = [
        await anonymous(default),
        await default.get(PATH, params={"storeId": store_id}),
        await other.get(PATH),
    ]
    assert [one.json() for one in answers] == [{"connected": True}] * 3
    assert len(hub.gateway.checks) == 1
