from collections.abc import Callable
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RouteMissingError,
    StoreError,
    StoreUnavailableError,
)
from providers._kit.protocols import StoreFacts
from providers.woocommerce.client import WooCommerceClient
from tests.providers.fake_store import FakeStore, json_answer, rest_error
from tests.providers.woocommerce.shops import KEY, SECRET, config, golden, route

HTTPS, HTTP = "https://shop.example", "http://127.0.0.1:8090"
INDEX = {
    "name": "Sandbox",
    "home": "http://127.0.0.1:8090",
    "url": "http://127.0.0.1:8090",
    "namespaces": ["wp/v2", "wc/v3"],
    "timezone_string": "Europe/Berlin",
    "gmt_offset": 1,
}
UNSEEN = rest_error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
FRONT_PAGE = httpx.Response(200, html="<!DOCTYPE html><html><body>Shop</body></html>")
Answer = Callable[[], httpx.Response]


def _error(message: str) -> httpx.Response:
    return rest_error(401, "woocommerce_rest_authentication_error", message)


def _way(request: httpx.Request) -> str:
    params = request.url.params
    if "authorization" in request.headers:
        return "basic"
    if "oauth_signature" in params:
        return "oauth"
    return "query" if "consumer_secret" in params else "none"


def _copy(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Shop:
    def __init__(self, *, accepts: set[str], index: Any = INDEX, **answers: httpx.Response) -> None:
        self.accepts = accepts
        self.index = index if isinstance(index, httpx.Response) else json_answer(index)
        self.answers = answers
        self.refusals: dict[str, httpx.Response] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        rest_route = request.url.params.get("rest_route")
        name = rest_route.removeprefix("/wc/v3/") if rest_route else route(request)
        if rest_route == "/" or request.url.path.endswith("/wp-json/"):
            return _copy(self.index)
        way = _way(request)
        if way not in self.accepts:
            return _copy(self.refusals.get(way, UNSEEN))
        if name in self.answers:
            return _copy(self.answers[name])
        if name == "system_status":
            return json_answer(golden("system_status"))
        return json_answer([])


async def _probe(shop: Shop, url: str = HTTPS) -> tuple[StoreFacts, FakeStore]:
    store = FakeStore(shop.answer)
    return await WooCommerceClient(config(url), None, store.session()).probe(), store


def _ways(store: FakeStore) -> list[str]:
    return [_way(it) for it in store.asked if route(it) == "products"]


async def test_shop_over_https() -> None:
    facts, store = await _probe(Shop(accepts={"basic"}))

    assert facts == StoreFacts(
        store_name="Sandbox",
        store_url=HTTPS,
        version="11.0.1",
        currency="EUR",
        timezone="Europe/Berlin",
        details={
            "api": "wp-json",
            "auth": "basic",
            "home_url": "http://127.0.0.1:8090",
            "signing_url": "",
            "flat_variations": True,
            "decimals": 2,
        },
    )
    assert "authorization" not in store.asked[0].headers
    assert _ways(store) == ["basic"]
    assert ("/wp-json/wc/v3/system_status", STATUS_PARAMS) in store.queries


STATUS_PARAMS = {
    "_fields": "environment.home_url,environment.version,"
    "settings.currency,settings.number_of_decimals"
}


async def test_shop_over_http_takes_oauth_only() -> None:
    facts, store = await _probe(Shop(accepts={"oauth"}), HTTP)

    assert (facts.details["auth"], facts.details["signing_url"]) == ("oauth", HTTP)
    assert _ways(store) == ["oauth"]
    asked = " ".join(str(request.url) for request in store.asked)
    assert SECRET not in asked


@pytest.mark.parametrize("unseen", [UNSEEN, _error("Consumer key is missing.")])
async def test_host_that_keeps_back_the_header_is_asked_by_signature(
    unseen: httpx.Response,
) -> None:
    shop = Shop(accepts={"oauth"})
    shop.refusals["basic"] = unseen

    facts, store = await _probe(shop)

    assert (facts.details["auth"], _ways(store)) == ("oauth", ["basic", "oauth"])
    assert facts.details["signing_url"] == "https://127.0.0.1:8090"


async def test_keys_go_into_the_query_only_when_nothing_else_is_left() -> None:
    shop = Shop(accepts={"query"})
    shop.refusals["oauth"] = _error("Invalid signature - provided signature does not match.")

    facts, store = await _probe(shop)

    assert facts.details["auth"] == "query"
    assert _ways(store) == ["basic", "oauth", "oauth", "oauth", "query"]
    assert KEY not in repr(facts)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("basic", "Consumer secret is invalid."),
        ("oauth", "Consumer key is invalid."),
        ("basic", "The API key provided does not have read permissions."),
    ],
)
async def test_refused_keys_are_not_tried_in_the_query(way: str, message: str) -> None:
    shop = Shop(accepts=set())
    shop.refusals[way] = _error(message)

    store = FakeStore(shop.answer)
    with pytest.raises(CredentialsError, match="does not accept the consumer key") as caught:
        await WooCommerceClient(config(), None, store.session()).probe()

    assert message in str(caught.value)
    assert "query" not in _ways(store)


async def test_message_in_another_language_keeps_the_keys_out_of_the_query() -> None:
    shop = Shop(accepts=set())
    shop.refusals["basic"] = _error("Verbraucherschlüssel fehlt.")

    store = FakeStore(shop.answer)
    with pytest.raises(CredentialsError):
        await WooCommerceClient(config(), None, store.session()).probe()
    assert _ways(store) == ["basic", "oauth", "oauth", "oauth"]


async def test_plain_permalinks_are_reached_by_rest_route_over_https() -> None:
    shop = Shop(accepts={"basic"})
    answer = shop.answer

    def plain(request: httpx.Request) -> httpx.Response:
        return answer(request) if "rest_route" in request.url.params else _copy(FRONT_PAGE)

    store = FakeStore(plain)
    facts = await WooCommerceClient(config(), None, store.session()).probe()

    assert facts.details["api"] == "rest_route"
    assert store.asked[1].url.params["rest_route"] == "/"


@pytest.mark.parametrize(
    ("url", "index"),
    [
        (HTTP, FRONT_PAGE),
        (HTTPS, FRONT_PAGE),
        (HTTP, rest_error(404, "rest_no_route")),
        (HTTPS, json_answer({**INDEX, "namespaces": ["wp/v2"]})),
        (HTTPS, json_answer([1])),
    ],
)
async def test_what_is_no_shop(url: str, index: httpx.Response) -> None:
    with pytest.raises(RouteMissingError, match="Is this the shop's home address"):
        await _probe(Shop(accepts={"basic", "oauth"}, index=index), url)


@pytest.mark.parametrize("status", [401, 403])
async def test_hidden_index_does_not_hide_the_shop(status: int) -> None:
    index = rest_error(status, "rest_not_logged_in")

    facts, _ = await _probe(Shop(accepts={"basic"}, index=index))

    assert (facts.store_name, facts.details["home_url"]) == ("", "http://127.0.0.1:8090")


@pytest.mark.parametrize("refusal", [(401, "cannot_view"), (403, "cannot_view"), (500, "x")])
async def test_currency_is_found_without_the_status(refusal: tuple[int, str]) -> None:
    shop = Shop(accepts={"basic"}, system_status=rest_error(*refusal))
    shop.answers["data/currencies/current"] = json_answer({"code": "LKR", "name": "Rupee"})

    facts, _ = await _probe(shop)

    assert (facts.currency, facts.version, facts.details["decimals"]) == ("LKR", "", 2)
    assert facts.details["home_url"] == "http://127.0.0.1:8090"


async def test_shop_without_a_currency_is_told() -> None:
    shop = Shop(accepts={"basic"}, system_status=json_answer({"settings": {"currency": "??"}}))
    shop.answers["data/currencies/current"] = json_answer([])

    with pytest.raises(StoreUnavailableError, match="which currency"):
        await _probe(shop)


async def test_shop_without_the_flat_route() -> None:
    shop = Shop(accepts={"basic"}, variations=rest_error(404, "rest_no_route"))

    facts, _ = await _probe(shop)

    assert facts.details["flat_variations"] is False


@pytest.mark.parametrize("name", ["orders", "customers", "products/categories"])
async def test_keys_that_may_not_read_everything_are_told_now(name: str) -> None:
    shop = Shop(
        accepts={"basic"}, **{name: rest_error(403, "woocommerce_rest_cannot_view", "Sorry")}
    )

    with pytest.raises(PermissionDeniedError, match=f"may not read {name}"):
        await _probe(shop)


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ({"timezone_string": "", "gmt_offset": 5.5}, "+05:30"),
        ({"timezone_string": "", "gmt_offset": "-3"}, "-03:00"),
        ({"timezone_string": None, "gmt_offset": None}, "+00:00"),
        ({"timezone_string": None, "gmt_offset": "x"}, ""),
    ],
)
async def test_time_zone_is_a_name_or_an_offset(zone: dict[str, Any], found: str) -> None:
    facts, _ = await _probe(Shop(accepts={"basic"}, index={**INDEX, **zone}))

    assert facts.timezone == found


@pytest.mark.parametrize(("status", "kind"), [(503, StoreUnavailableError), (429, StoreError)])
async def test_shop_that_cannot_serve_now_is_not_taken_for_wrong_keys(
    status: int, kind: type[StoreError]
) -> None:
    busy = httpx.Response(status, headers={"retry-after": "600"}, html="<html></html>")

    with pytest.raises(kind) as caught:
        await _probe(Shop(accepts={"basic"}, index=busy))
    assert caught.value.retryable
    assert caught.value.retry_after_s == 600


async def test_reading_before_a_probe_is_refused() -> None:
    store = FakeStore(Shop(accepts={"basic"}).answer)
    client = WooCommerceClient(config(), None, store.session())

    with pytest.raises(ValueError, match="probed first"):
        await client.fetch_page(Entity.ORDERS, 1)
    assert store.asked == []
