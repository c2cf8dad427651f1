import json
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RequestRejectedError,
    StoreError,
    StoreUnavailableError,
)
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Category, Product, Variant
from domain.statuses import ProductStatus
from tests.providers.fake_store import FakeStore, json_answer, rest_error
from tests.providers.woocommerce.shops import client, golden, route

ROW = golden("categories")[0]


def _items(count: int) -> list[Outgoing]:
    return [Outgoing(f"categories-{n}", None, Category(name=f"C {n}")) for n in range(count)]


def _bodies(store: FakeStore) -> list[dict[str, Any]]:
    return [json.loads(one.content) for one in store.asked if one.method == "POST"]


async def _push(answer: Any, *, external_id: str | None = None) -> Pushed:
    writer, _ = client(lambda _: json_answer(answer))
    base = Category(name="B") if external_id else None
    item = Outgoing("categories-1", external_id, Category(name="A"), base=base)
    (told,) = await writer.push(Entity.CATEGORIES, [item])
    return told


async def test_creates_and_updates_travel_together_and_are_answered_in_order() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        made = [{**ROW, "id": 100 + n} for n, _ in enumerate(sent["create"])]
        return json_answer({"create": made, "update": [{**ROW, "id": 7}]})

    writer, store = client(answer)
    known = Outgoing("categories-9", "7", Category(name="New"), base=Category(name="Old"))
    one, two = _items(2)
    told = await writer.push(Entity.CATEGORIES, [one, known, two])

    assert [(pushed.key, pushed.external_id) for pushed in told] == [
        ("categories-0", "100"),
        ("categories-9", "7"),
        ("categories-1", "101"),
    ]
    assert _bodies(store) == [
        {
            "create": [
                {"name": "C 0", "parent": 0, "menu_order": 0},
                {"name": "C 1", "parent": 0, "menu_order": 0},
            ],
            "update": [{"id": 7, "name": "New"}],
        }
    ]
    assert route(store.asked[0]) == "products/categories/batch"
    assert store.asked[0].headers["content-type"] == "application/json"


async def test_at_most_25_travel_at_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)["create"]
        return json_answer({"create": [{**ROW, "id": 1 + n} for n, _ in enumerate(sent)]})

    writer, store = client(answer)
    await writer.push(Entity.CATEGORIES, _items(60))

    assert [len(body["create"]) for body in _bodies(store)] == [25, 25, 10]


@pytest.mark.parametrize(
    "answer",
    [[], {}, {"create": []}, {"create": [ROW, ROW]}, {"create": {"0": ROW}}, {"update": [ROW]}],
)
async def test_an_answer_for_other_records_is_none(answer: Any) -> None:
    with pytest.raises(StoreUnavailableError):
        await _push(answer)


@pytest.mark.parametrize(
    ("error", "outcome", "is_permanent"),
    [
        ({"code": "rest_invalid_param", "message": "no"}, Outcome.REFUSED, True),
        ({"code": "term_exists", "data": {"status": 400}}, Outcome.REFUSED, False),
        ({"code": "db_insert_error", "data": {"status": 500}}, Outcome.REFUSED, False),
        ({"code": "x", "data": {"status": 503}}, Outcome.REFUSED, False),
        ({}, Outcome.REFUSED, True),
        ({"code": 5, "message": ["x"], "data": "y"}, Outcome.REFUSED, True),
    ],
)
async def test_a_refused_create_says_why_and_whether_it_may_pass(
    error: dict[str, Any], outcome: Outcome, is_permanent: bool
) -> None:
    told = await _push({"create": [{"id": 0, "error": error}]})

    assert (told.outcome, told.is_permanent, told.external_id) == (outcome, is_permanent, None)
    assert told.reason


async def test_what_is_in_use_by_another_is_for_a_person_on_an_update() -> None:
    error = {"code": "term_exists", "message": "<b>no</b>", "data": {"resource_id": 12}}
    told = await _push({"update": [{"id": 7, "error": error}]}, external_id="7")

    assert (told.outcome, told.is_permanent) == (Outcome.REFUSED, True)
    assert "12" in told.reason
    assert "<b>" not in told.reason


async def test_a_row_that_cannot_be_understood_was_written_all_the_same() -> None:
    told = await _push({"create": [{"id": 12, "slug": "x"}]})

    assert (told.outcome, told.is_permanent, told.external_id) == (Outcome.REFUSED, True, "12")
    assert "name" in told.reason


@pytest.mark.parametrize(
    ("write", "read", "error"),
    [
        (rest_error(401, "woocommerce_rest_authentication_error"), 200, PermissionDeniedError),
        (rest_error(401, "woocommerce_rest_authentication_error"), 401, CredentialsError),
        (rest_error(403, "woocommerce_rest_cannot_batch"), 200, PermissionDeniedError),
        (rest_error(413, "woocommerce_rest_request_entity_too_large"), 200, RequestRejectedError),
        (rest_error(503, "x"), 200, StoreUnavailableError),
    ],
)
async def test_a_batch_that_fails_as_a_whole_is_raised(
    write: httpx.Response, read: int, error: type[StoreError]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return write
        return json_answer([]) if read == 200 else rest_error(read, "x")

    writer, _ = client(answer)
    with pytest.raises(error) as raised:
        await writer.push(Entity.CATEGORIES, _items(1))
    assert type(raised.value) is error


async def test_what_is_sent_of_a_product_is_spelled_as_the_shop_does() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return json_answer([])
        return json_answer({"update": [{"id": 7}]})

    product = Product(
        title="Lamp",
        status=ProductStatus.ACTIVE,
        raw_status="publish",
        currency="EUR",
        category_external_ids=("12", "3"),
        variants=(Variant(external_id="7", in_stock=False),),
    )
    base = product.model_copy(
        update={
            "status": ProductStatus.DRAFT,
            "raw_status": "pending",
            "category_external_ids": ("3",),
            "variants": (Variant(external_id="7", in_stock=True, allows_backorder=True),),
        }
    )
    writer, store = client(answer)
    (told,) = await writer.push(Entity.PRODUCTS, [Outgoing("products-1", "7", product, base=base)])

    assert _bodies(store) == [
        {
            "update": [
                {
                    "id": 7,
                    "status": "publish",
                    "categories": [{"id": 3}, {"id": 12}],
                    "backorders": "no",
                    "stock_status": "outofstock",
                }
            ]
        }
    ]
    # Neither in the list nor in the trash afterwards.
    assert told.outcome is Outcome.MISSING
