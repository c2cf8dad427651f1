"""Requests a minute: of keys, of addresses without a key, and never of signed webhooks."""

import asyncio

import httpx
import pytest

from api.config import ApiConfig
from tests.api.hub import Caller, Hub
from tests.api.people import add_person, client_at
from tests.api.shared_servers import SharedServer
from tests.api.test_cached_records import another_process


@pytest.fixture
def config(config: ApiConfig) -> ApiConfig:
    return config.model_copy(update={"requests_per_minute": 5})


async def statuses(caller: Caller, path: str, times: int) -> list[int]:
    return [(await caller.get(path)).status_code for _ in range(times)]


async def test_that_a_key_may_send_so_many_requests(hub: Hub, caller: Caller) -> None:
    assert await statuses(caller, "/api/providers", 5) == [200] * 5

    refused = await caller.get("/api/providers")

    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:entrepot:problem:too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert refused.headers["ratelimit-policy"] == '"key";q=5;w=60'
    assert refused.headers["ratelimit"].startswith('"key";r=0;t=')
    another = await hub.new_caller(tenant=caller.tenant)
    assert await statuses(another, "/api/providers", 1) == [200]


async def test_that_answers_tell_what_is_left(caller: Caller) -> None:
    told = [(await caller.get("/api/providers")).headers["ratelimit"] for _ in range(3)]
    assert [one.split(";")[1] for one in told] == ["r=4", "r=3", "r=2"]


async def test_that_a_key_has_its_own_limit(hub: Hub, caller: Caller) -> None:
    await hub.execute(caller.tenant, "update api_keys set requests_per_minute = 2")
    assert await statuses(caller, "/api/providers", 3) == [200, 200, 429]


async def test_that_a_request_which_fails_counts_too(caller: Caller) -> None:
    assert await statuses(caller, "/api/products/999999", 6) == [404] * 5 + [429]


async def test_that_at_once_no_more_get_through(caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.get("/api/providers") for _ in range(20)))
    assert sorted(one.status_code for one in answers) == [200] * 5 + [429] * 15


async def test_that_an_address_without_a_key_is_limited(hub: Hub, caller: Caller) -> None:
    answers = [await hub.http.get("/api/products") for _ in range(6)]

    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert answers[-1].headers["ratelimit-policy"] == '"address";q=5;w=60'
    # Who has a key is counted by that, wherever they are.
    assert await statuses(caller, "/api/providers", 1) == [200]


async def test_that_credentials_which_make_nobody_known_are_limited_by_address(
    hub: Hub, caller: Caller
) -> None:
    """None of these is a guess, which the throttle would see to: they cost us the look-up."""
    person = await add_person(hub)
    ended = await person.log_in()
    await ended.post("/api/auth/logout")
    elsewhere = await hub.new_caller()
    await hub.execute(elsewhere.tenant, "update api_keys set ip_allow_list = '{10.0.0.1}'")
    several: list[tuple[dict[str, str], int]] = [
        (ended.headers, 401),
        (elsewhere.headers, 403),
        ({"Authorization": "Basic YTpi"}, 401),
        ({"X-API-Key": "ek_half"}, 401),
        ({**caller.headers, **ended.headers}, 400),
    ]
    for number, (headers, refused) in enumerate(several):
        async with client_at(hub, f"203.0.113.{number}") as http:
            answers = [await http.get("/api/products", headers=headers) for _ in range(6)]
            assert [one.status_code for one in answers] == [refused] * 5 + [429]
            assert answers[-1].headers["ratelimit-policy"] == '"address";q=5;w=60'
            # Whoever is known comes through from there all the same.
            assert (await http.get("/api/auth/me", headers=caller.headers)).status_code == 200


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/refresh", "/docs", "/openapi.json"])
async def test_that_credentials_change_nothing_where_none_are_asked_for(
    hub: Hub, path: str
) -> None:
    sent = {"Authorization": "Basic YTpi", "X-API-Key": "anything"}
    answers = [await hub.http.get(path, headers=sent) for _ in range(6)]
    assert answers[-1].status_code == 429


@pytest.mark.parametrize(
    "path",
    [
        "/api/stores/webhooks/nobodyscode",
        "/api/webhooks/testshop/order.created",
        "/api/testshop-sync/webhook/order.created",
    ],
)
async def test_that_webhooks_are_never_limited(hub: Hub, path: str) -> None:
    answers = [await hub.http.post(path, json={}) for _ in range(12)]
    assert 429 not in {one.status_code for one in answers}
    assert not any("ratelimit" in one.headers for one in answers)


async def test_that_a_test_of_a_webhook_is_limited(hub: Hub) -> None:
    path = "/api/woocommerce-sync/webhook/test"
    answers = [await hub.http.post(path, json={}) for _ in range(6)]
    assert answers[-1].status_code == 429


async def test_that_health_is_not_limited(hub: Hub) -> None:
    answers = [await hub.http.get("/api/health") for _ in range(8)]
    assert 429 not in {one.status_code for one in answers}


async def test_that_two_processes_share_the_limit(
    hub: Hub, caller: Caller, shared_server: SharedServer
) -> None:
    url = shared_server.url
    async with another_process(hub, url) as one, another_process(hub, url) as other:

        async def ask(http: httpx.AsyncClient) -> int:
            return (await http.get("/api/providers", headers=caller.headers)).status_code

        assert [await ask(http) for http in (one, other, one, other, one)] == [200] * 5
        assert [await ask(http) for http in (one, other)] == [429, 429]
