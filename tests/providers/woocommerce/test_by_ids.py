from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.errors import StoreUnavailableError
from domain.pages import Page
from domain.records import Record
from tests.providers.fake_store import json_answer
from tests.providers.woocommerce.shops import client, golden, order, product


def _shop(*rows: dict[str, Any], trash: tuple[dict[str, Any], ...] = ()) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        wanted = {int(number) for number in request.url.params["include"].split(",")}
        shown = trash if request.url.params.get("status") == "trash" else rows
        return json_answer([row for row in shown if row["id"] in wanted])

    return answer


def _kinds(page: Page[Record]) -> dict[str, list[str | None]]:
    return {
        "records": [pulled.external_id for pulled in page.records],
        "tombstones": list(page.tombstones),
        "rejected": [rejected.external_id for rejected in page.rejected],
        "skipped": list(page.skipped),
    }


async def test_every_id_comes_back_once() -> None:
    reader, store = client(
        _shop(
            order(1),
            order(2, total="x"),
            order(3, status="checkout-draft"),
            trash=(order(4, status="trash"),),
        )
    )

    page = await reader.fetch_by_ids(Entity.ORDERS, ["1", "2", "3", "4", "5", "1", "x"])

    assert _kinds(page) == {
        "records": ["1"],
        "tombstones": ["4", "5", "x"],
        "rejected": ["2"],
        "skipped": ["3"],
    }
    common = {"orderby": "id", "order": "asc", "per_page": "100"}
    assert store.queries == [
        ("/wp-json/wc/v3/orders", {**common, "include": "1,2,3,4,5", "status": "any"}),
        ("/wp-json/wc/v3/orders", {**common, "include": "4,5", "status": "trash"}),
    ]


async def test_record_that_only_the_second_look_shows_alive_is_kept() -> None:
    reader, _ = client(_shop(trash=(product(4, status="publish"),)))

    page = await reader.fetch_by_ids(Entity.PRODUCTS, ["4"])

    assert _kinds(page)["records"] == ["4"]
    assert page.tombstones == ()


@pytest.mark.parametrize(
    ("entity", "name"), [(Entity.CUSTOMERS, "customers"), (Entity.CATEGORIES, "categories")]
)
async def test_what_has_no_trash_is_asked_for_once(entity: Entity, name: str) -> None:
    row = golden(name)[0]
    reader, store = client(_shop(row))

    page = await reader.fetch_by_ids(entity, [str(row["id"]), "999"])

    assert (len(store.asked), page.tombstones, len(page.records)) == (1, ("999",), 1)


async def test_answer_with_other_records_deletes_nothing() -> None:
    reader, _ = client(lambda _: json_answer([order(8), order(9)]))

    with pytest.raises(StoreUnavailableError, match="other records than those asked for"):
        await reader.fetch_by_ids(Entity.ORDERS, ["1", "2"])


async def test_at_most_a_page_of_ids() -> None:
    reader, store = client(_shop())

    with pytest.raises(ValueError, match="at most 100"):
        await reader.fetch_by_ids(Entity.ORDERS, [str(number) for number in range(101)])
    assert store.asked == []


async def test_no_ids_ask_nothing() -> None:
    reader, store = client(_shop())

    assert await reader.fetch_by_ids(Entity.ORDERS, []) == Page()
    assert store.asked == []
