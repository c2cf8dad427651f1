from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.errors import StoreUnavailableError
from domain.pages import IdsPage, Listing
from providers.woocommerce.auth import AuthMethod
from tests.providers.fake_store import FakeStore, json_answer, rest_error
from tests.providers.woocommerce.shops import KEY, SECRET, client, golden, order, product, route

CLOCK = datetime(2026, 11, 21, 0, 57, 12, tzinfo=UTC)
ROUTES = {
    Entity.CATEGORIES: "/wp-json/wc/v3/products/categories",
    Entity.PRODUCTS: "/wp-json/wc/v3/products",
    Entity.CUSTOMERS: "/wp-json/wc/v3/customers",
    Entity.ORDERS: "/wp-json/wc/v3/orders",
}
WHOLE: Mapping[Entity, dict[str, str]] = {
    Entity.CATEGORIES: {},
    Entity.PRODUCTS: {"status": "any"},
    Entity.CUSTOMERS: {"role": "all"},
    Entity.ORDERS: {"status": "any"},
}
BY_ID = {"orderby": "id", "order": "asc", "per_page": "100"}


def _empty(_: httpx.Request) -> httpx.Response:
    return json_answer([], total=0, pages=0)


@pytest.mark.parametrize("entity", ROUTES)
async def test_pages_are_asked_by_ascending_id(entity: Entity) -> None:
    reader, store = client(_empty)

    page = await reader.fetch_page(entity, 7)

    assert store.queries == [(ROUTES[entity], {**WHOLE[entity], **BY_ID, "page": "7"})]
    assert (page.size, page.total, page.total_pages, page.store_clock) == (0, 0, 0, CLOCK)


@pytest.mark.parametrize("entity", ROUTES)
async def test_listing_is_one_cheap_request(entity: Entity) -> None:
    reader, store = client(lambda _: json_answer([{"id": 412}], total=301, pages=301))

    listing = await reader.fetch_listing(entity)

    assert listing == Listing(total=301, newest_id="412", total_pages=4)
    assert listing.store_clock == CLOCK
    assert store.queries == [
        (
            ROUTES[entity],
            {
                **WHOLE[entity],
                "per_page": "1",
                "orderby": "id",
                "order": "desc",
                "_fields": "id",
            },
        )
    ]


async def test_listing_of_nothing() -> None:
    reader, _ = client(_empty)

    assert await reader.fetch_listing(Entity.ORDERS) == Listing(0, None, 0)


@pytest.mark.parametrize("entity", ROUTES)
async def test_ids_alone_are_asked_for(entity: Entity) -> None:
    reader, store = client(lambda _: json_answer([{"id": 3}, {"id": 5}], total=102, pages=2))

    assert await reader.fetch_ids(entity, 2) == IdsPage(("3", "5"), 102, 2)
    assert store.queries == [
        (ROUTES[entity], {**WHOLE[entity], **BY_ID, "page": "2", "_fields": "id"})
    ]


async def test_variations_come_by_the_flat_route_in_hundreds() -> None:
    numbers = list(range(1000, 1150))

    def answer(request: httpx.Request) -> httpx.Response:
        if route(request) == "products":
            rows = [
                product(1, type="variable", variations=numbers[:90]),
                product(2),
                product(3, type="variable", variations=numbers[90:]),
            ]
            return json_answer(rows, total=3, pages=1)
        asked = request.url.params["include"].split(",")
        return json_answer([{**golden("variations")[0], "id": int(it)} for it in asked])

    reader, store = client(answer, flat_variations=True)
    page = await reader.fetch_page(Entity.PRODUCTS, 1)

    assert [len(getattr(it.record, "variants")) for it in page.records] == [90, 1, 60]  # noqa: B009
    assert store.queries[1:] == [
        (
            "/wp-json/wc/v3/variations",
            {**BY_ID, "include": ",".join(map(str, numbers[start : start + 100]))},
        )
        for start in (0, 100)
    ]


async def test_what_the_flat_route_leaves_out_is_asked_per_product() -> None:
    variation = golden("variations")[0]

    def answer(request: httpx.Request) -> httpx.Response:
        match route(request):
            case "products":
                return json_answer([product(1, type="variable", variations=[11, 12, 13])])
            case "variations":
                return json_answer([{**variation, "id": 11}])
            case _:
                return json_answer([{**variation, "id": 11}, {**variation, "id": 13}])

    reader, store = client(answer, flat_variations=True)
    page = await reader.fetch_page(Entity.PRODUCTS, 1)

    assert _variant_ids(page.records[0].record) == ["11", "13"]
    assert [path for path, _ in store.queries] == [
        "/wp-json/wc/v3/products",
        "/wp-json/wc/v3/variations",
        "/wp-json/wc/v3/products/1/variations",
    ]


async def test_older_shop_is_asked_per_product_page_by_page() -> None:
    numbers = list(range(1000, 1130))
    variation = golden("variations")[0]

    def answer(request: httpx.Request) -> httpx.Response:
        if route(request) == "products":
            return json_answer([product(1, type="variable", variations=numbers)])
        start = (int(request.url.params["page"]) - 1) * 100
        rows = [{**variation, "id": number} for number in numbers[start : start + 100]]
        return json_answer(rows, total=130, pages=2)

    reader, store = client(answer)
    page = await reader.fetch_page(Entity.PRODUCTS, 1)

    assert _variant_ids(page.records[0].record) == [str(number) for number in numbers]
    assert store.queries[1:] == [
        ("/wp-json/wc/v3/products/1/variations", {**BY_ID, "page": "1"}),
        ("/wp-json/wc/v3/products/1/variations", {**BY_ID, "page": "2"}),
    ]


async def test_product_deleted_while_its_variations_are_asked_for() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if route(request) == "products":
            return json_answer([product(1, type="variable", variations=[11])])
        return rest_error(404, "woocommerce_rest_product_invalid_id")

    reader, _ = client(answer)
    page = await reader.fetch_page(Entity.PRODUCTS, 1)

    assert _variant_ids(page.records[0].record) == []


def _variant_ids(record: Any) -> list[str]:
    return [variant.external_id for variant in record.variants]


@pytest.mark.parametrize("method", AuthMethod)
async def test_keys_travel_as_the_probe_found(method: AuthMethod) -> None:
    reader, store = client(_empty, auth=method.value, signing_url="https://shop.example")

    await reader.fetch_page(Entity.ORDERS, 1)

    [request] = store.asked
    extra = set(request.url.params) - {"status", "orderby", "order", "per_page", "page"}
    assert (extra, "authorization" in request.headers) == {
        AuthMethod.BASIC: (set(), True),
        AuthMethod.OAUTH: (
            {
                "oauth_consumer_key",
                "oauth_timestamp",
                "oauth_nonce",
                "oauth_signature_method",
                "oauth_signature",
            },
            False,
        ),
        AuthMethod.QUERY: ({"consumer_key", "consumer_secret"}, False),
    }[method]


async def test_shop_with_plain_permalinks_is_asked_by_rest_route() -> None:
    reader, store = client(_empty, api="rest_route")

    await reader.fetch_page(Entity.PRODUCTS, 1)

    assert store.queries == [
        ("/", {"rest_route": "/wc/v3/products", "status": "any", **BY_ID, "page": "1"})
    ]


@pytest.mark.parametrize("answer", [{"code": "x"}, None, 3, {"0": {"id": 1}}])
async def test_answer_that_is_no_list(answer: Any) -> None:
    reader, _ = client(lambda _: json_answer(answer))

    with pytest.raises(StoreUnavailableError, match="not a list"):
        await reader.fetch_page(Entity.ORDERS, 1)


async def test_missing_totals_are_told() -> None:
    reader, _ = client(lambda _: json_answer([{"id": 1}]))

    with pytest.raises(StoreUnavailableError, match="lacks x-wp-total"):
        await reader.fetch_listing(Entity.ORDERS)


async def test_link_header_is_never_followed() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        found = json_answer([order(1)], total=500, pages=5)
        found.headers["link"] = '<https://shop.example/x?page=2>; rel="next"'
        return found

    reader, store = client(answer)
    await reader.fetch_page(Entity.ORDERS, 1)

    assert len(store.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_errors_hold_no_secret(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return rest_error(status, "woocommerce_rest_cannot_view", f"No. {request.url}")

    store = FakeStore(answer)
    for method in AuthMethod:
        reader, _ = client(store._answer, auth=method.value)
        with pytest.raises(Exception, match=str(status)) as caught:
            await reader.fetch_page(Entity.ORDERS, 1)
        told = repr(caught.value) + str(caught.value)
        assert not any(secret in told for secret in (KEY, SECRET, "oauth_signature="))


async def test_variants_are_not_listed_on_their_own() -> None:
    reader, store = client(_empty)

    with pytest.raises(ValueError, match="not listed on their own"):
        await reader.fetch_page(Entity.VARIANTS, 1)
    assert store.asked == []
