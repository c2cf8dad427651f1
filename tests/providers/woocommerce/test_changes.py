import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entities import Entity
from providers.woocommerce.changes import ChangesCursor
from providers.woocommerce.client import WooCommerceClient
from tests.providers.fake_store import json_answer, rest_error
from tests.providers.woocommerce.shops import client, order

START = datetime.fromisoformat("2026-07-01T12:00:00")
SINCE = "2026-07-01T12:00:00Z"


@dataclass
class EditedShop:
    """Orders by modification second, listed as WooCommerce lists them; `clock` is its time."""

    modified: dict[int, datetime]
    clock: datetime = START + timedelta(days=1)
    knows_filter: bool = True
    orders_by_modified: bool = True
    between: Callable[["EditedShop"], None] = field(default=lambda _: None)
    listed: dict[int, datetime] = field(default_factory=dict)

    def answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        if params["orderby"] == "modified" and not self.orders_by_modified:
            return rest_error(400, "rest_invalid_param")
        rows = [number for number in self.modified if self._is_within(number, params)]
        rows.sort(key=lambda number: (self._key(number, params["orderby"]), number))
        size, page = int(params["per_page"]), int(params.get("page", "1"))
        shown = [
            order(number, date_modified_gmt=self.modified[number].isoformat())
            for number in rows[(page - 1) * size : page * size]
        ]
        found = json_answer(shown, total=len(rows), pages=-(-len(rows) // size))
        found.headers["date"] = self.clock.strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.listed = dict(self.modified)
        self.between(self)
        return found

    def _key(self, number: int, orderby: str) -> Any:
        return self.modified[number] if orderby == "modified" else number

    def _is_within(self, number: int, params: httpx.QueryParams) -> bool:
        if not self.knows_filter:
            return True
        after, before = params.get("modified_after"), params.get("modified_before")
        moment = self.modified[number]
        assert after is None or params["dates_are_gmt"] == "true"
        # Strict on both sides, in whole seconds: measured on 11.0.1.
        return (after is None or moment > datetime.fromisoformat(after)) and (
            before is None or moment < datetime.fromisoformat(before)
        )


async def _walk(reader: WooCommerceClient, *, since: str = SINCE) -> tuple[list[str], int]:
    cursor, steps, ids = None, 0, list[str]()
    while True:
        step = await reader.fetch_changes(Entity.ORDERS, since=since, cursor=cursor)
        ids += [pulled.external_id for pulled in step.page.records]
        steps += 1
        assert steps < 500, "the walk does not end"
        if step.cursor is None:
            return ids, steps
        cursor = step.cursor


def _seconds(*numbers: int) -> dict[int, datetime]:
    return {index + 1: START + timedelta(seconds=second) for index, second in enumerate(numbers)}


async def test_bound_is_asked_a_second_earlier_and_in_gmt() -> None:
    reader, store = client(EditedShop({}).answer)

    await reader.fetch_changes(Entity.PRODUCTS, since="2026-07-01T14:00:00.9+02:00", cursor=None)

    assert store.queries == [
        (
            "/wp-json/wc/v3/products",
            {
                "status": "any",
                "modified_after": "2026-07-01T11:59:59",
                "dates_are_gmt": "true",
                "orderby": "modified",
                "order": "asc",
                "per_page": "100",
            },
        )
    ]


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        ([], 0),
        ([-1], 0),
        ([0], 1),
        (list(range(250)), 250),
        ([0] * 100, 100),
        ([0] * 101, 101),
        ([0] * 350, 350),
        ([0] * 99 + [1] * 250 + [2] * 3, 352),
        ([5] * 100 + [6] * 100, 200),
        ([n // 60 for n in range(600)], 600),
    ],
)
async def test_each_change_comes_exactly_once(seconds: list[int], found: int) -> None:
    reader, _ = client(EditedShop(_seconds(*seconds)).answer)

    ids, _ = await _walk(reader)

    assert len(ids) == len(set(ids)) == found


@given(st.lists(st.integers(0, 6), max_size=420))
async def test_nothing_is_lost_or_doubled_however_the_seconds_fall(seconds: list[int]) -> None:
    reader, _ = client(EditedShop(_seconds(*seconds)).answer)

    ids, _ = await _walk(reader)

    assert sorted(map(int, ids)) == list(range(1, len(seconds) + 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("per_second", [1, 40, 260])
async def test_edits_between_steps_lose_nothing(seed: int, per_second: int) -> None:
    shop = EditedShop(_seconds(*(number // per_second for number in range(800))))
    chance = random.Random(seed)
    edited: set[int] = set()

    def edit(shop: EditedShop) -> None:
        shop.clock += timedelta(seconds=3)
        for _ in range(5 if len(edited) < 200 else 0):
            number = chance.choice(list(shop.modified))
            shop.modified[number] = shop.clock
            edited.add(number)
        if len(edited) < 200:
            shop.modified[len(shop.modified) + 1] = shop.clock

    shop.between = edit
    reader, _ = client(shop.answer)
    seen: dict[str, datetime] = {}
    cursor = None
    while True:
        step = await reader.fetch_changes(Entity.ORDERS, since=SINCE, cursor=cursor)
        for pulled in step.page.records:
            assert pulled.version is not None
            seen[pulled.external_id] = pulled.version
        cursor = step.cursor
        if cursor is None:
            break

    # What is edited after the last answer belongs to the next round, which begins before it.
    assert seen == {
        str(number): moment.replace(tzinfo=UTC) for number, moment in shop.listed.items()
    }
    assert len(edited) >= 40


async def test_second_that_still_gains_rows_is_left_to_the_next_round() -> None:
    shop = EditedShop(_seconds(*[0] * 150), clock=START)
    reader, _ = client(shop.answer)

    ids, steps = await _walk(reader)

    assert (len(ids), steps) == (100, 1)


@pytest.mark.parametrize(
    ("knows_filter", "orders_by_modified"), [(False, True), (False, False), (True, False)]
)
async def test_shop_without_the_filter_is_read_whole(
    knows_filter: bool, orders_by_modified: bool
) -> None:
    shop = EditedShop(
        _seconds(*range(-150, 100)),
        knows_filter=knows_filter,
        orders_by_modified=orders_by_modified,
    )
    reader, _ = client(shop.answer)

    ids, steps = await _walk(reader)

    assert (len(ids), len(set(ids)), steps) == (250, 250, 4)


async def test_cache_that_answers_the_same_for_ever_ends() -> None:
    rows = [order(n, date_modified_gmt="2026-07-01T12:00:01") for n in range(1, 101)]
    reader, store = client(lambda _: json_answer(rows, total=500, pages=5))

    await _walk(reader)

    assert len(store.asked) < 20


@pytest.mark.parametrize("entity", [Entity.CATEGORIES, Entity.CUSTOMERS])
async def test_what_has_no_modification_time_cannot_be_asked(entity: Entity) -> None:
    reader, store = client(EditedShop({}).answer)

    with pytest.raises(ValueError, match="no modification time"):
        await reader.fetch_changes(entity, since=SINCE, cursor=None)
    assert store.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "after/2026-07-01T12:00:00/0",
        "within/2026-07-01T12:00:00/3",
        "everything/2026-07-01T12:00:00/9",
    ],
)
def test_cursor_reads_back_as_written(text: str) -> None:
    assert str(ChangesCursor.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "after", "sideways/2026-07-01T12:00:00/0", "after/x/0", "a/b/c/d"]
)
def test_cursor_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        ChangesCursor.parse(text)
