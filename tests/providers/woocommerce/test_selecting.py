from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.entities import Entity
from domain.errors import RequestRejectedError
from domain.selection import Selection
from providers._kit.protocols import ReadsSelection
from providers._kit.sizing import SizesPages
from tests.providers.fake_store import json_answer, rest_error
from tests.providers.woocommerce.shops import client, order, product

MOMENT = datetime(2025, 1, 1, 2, 30, 0, 750_000, tzinfo=timezone(timedelta(hours=2, minutes=30)))
BEFORE = "2024-12-31T23:59:59"
"""The last second before `MOMENT`, in UTC: the shop leaves out the second that a bound names."""

NEWEST_FIRST = {"orderby": "id", "order": "desc", "per_page": "100", "page": "1"}
ANY = {"status": "any"}
GMT = {"dates_are_gmt": "true"}

CASES: list[tuple[Entity, Selection, dict[str, str]]] = [
    (Entity.CATEGORIES, Selection(), {}),
    (Entity.CUSTOMERS, Selection(), {"role": "all"}),
    (Entity.PRODUCTS, Selection(), ANY),
    (Entity.PRODUCTS, Selection(status="draft"), {"status": "draft"}),
    (Entity.PRODUCTS, Selection(after=MOMENT), {**ANY, "after": BEFORE, **GMT}),
    (Entity.ORDERS, Selection(modified_since=MOMENT), {**ANY, "modified_after": BEFORE, **GMT}),
    (
        Entity.ORDERS,
        Selection(status="processing", after=MOMENT, modified_since=MOMENT),
        {"status": "processing", "after": BEFORE, "modified_after": BEFORE, **GMT},
    ),
    (Entity.ORDERS, Selection(page_size=7), {**ANY, "per_page": "7"}),
    (Entity.ORDERS, Selection(page_size=101), {**ANY, "per_page": "100"}),
]


def orders(*numbers: int) -> Any:
    return lambda _request: json_answer([order(one) for one in numbers], total=12, pages=3)


@pytest.mark.parametrize(("entity", "selection", "asked"), CASES)
async def test_a_selection_is_a_query(
    entity: Entity, selection: Selection, asked: dict[str, str]
) -> None:
    reader, store = client(lambda _request: json_answer([], total=0, pages=0))
    await reader.fetch_selected(entity, selection, 1)
    [(_, query)] = store.queries
    assert query == {**NEWEST_FIRST, **asked}


async def test_a_page_tells_how_much_was_selected() -> None:
    reader, store = client(orders(9, 8, 7, 6))
    page = await reader.fetch_selected(Entity.ORDERS, Selection(page_size=4), 2)
    assert [one.external_id for one in page.records] == ["9", "8", "7", "6"]
    assert (page.total, page.total_pages, page.size) == (12, 3, 4)
    assert store.queries[0][1]["page"] == "2"


async def test_named_records_come_a_page_at_a_time_as_they_come_by_their_ids() -> None:
    reader, store = client(
        lambda request: json_answer(
            [product(4)] if request.url.params.get("status") == "any" else []
        )
    )
    wanted = Selection(external_ids=("1", "2", "3", "4", "5"), page_size=2)
    page = await reader.fetch_selected(Entity.PRODUCTS, wanted, 2)
    assert [one.external_id for one in page.records] == ["4"]
    assert page.tombstones == ("3",)
    assert [query["include"] for _, query in store.queries] == ["3,4", "3"]


@pytest.mark.parametrize("entity", [Entity.CATEGORIES, Entity.CUSTOMERS])
@pytest.mark.parametrize("name", ["status", "after", "modified_since"])
async def test_a_filter_that_a_list_does_not_have_is_refused_and_nothing_is_asked(
    entity: Entity, name: str
) -> None:
    reader, store = client(orders())
    named: dict[str, Any] = {name: "any" if name == "status" else MOMENT}
    selection = Selection(**named)
    with pytest.raises(ValueError, match=entity.value):
        await reader.fetch_selected(entity, selection, 1)
    assert store.asked == []


async def test_a_status_that_the_shop_does_not_know_is_its_refusal() -> None:
    reader, _ = client(lambda _request: rest_error(400, "rest_invalid_param", "status[0]"))
    with pytest.raises(RequestRejectedError):
        await reader.fetch_selected(Entity.ORDERS, Selection(status="nonsense"), 1)


async def test_pages_of_another_size_are_those_of_every_list() -> None:
    reader, store = client(orders(1, 2, 3))
    assert isinstance(reader, SizesPages)
    assert isinstance(reader, ReadsSelection)
    small = reader.with_page_size(5)
    listing = await small.fetch_listing(Entity.ORDERS)
    assert listing.total_pages == 3
    await small.fetch_page(Entity.ORDERS, 2)
    await small.fetch_ids(Entity.ORDERS, 3)
    since = datetime(2025, 1, 1, tzinfo=UTC).isoformat()
    await small.fetch_changes(Entity.ORDERS, since=since, cursor=None)
    sizes = [query["per_page"] for _, query in store.queries]
    assert sizes == ["1", "5", "5", "5"]
    await reader.fetch_page(Entity.ORDERS, 1)
    await reader.with_page_size(500).fetch_page(Entity.ORDERS, 1)
    assert [query["per_page"] for _, query in store.queries[-2:]] == ["100", "100"]
