from dataclasses import dataclass, field
from typing import Any

import pytest

from activities.demand_models import PullDemand
from activities.demand_walks import MOST_REPAIRS, Leg, NamedWalk, SelectedWalk, WholeWalk
from domain.entities import Entity
from domain.pages import Page, Rejected
from domain.records import Record
from domain.selection import Selection
from tests.db.factories import order

ORDERS = Entity.ORDERS


@dataclass
class Lists:
    """A store whose orders are these ids, newest first; `before` may change them."""

    ids: list[int]
    tells_total: bool = True
    bad: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)
    vanishing: dict[int, list[int]] = field(default_factory=dict)

    async def fetch_selected(
        self, entity: Entity, selection: Selection, number: int
    ) -> Page[Record]:
        assert entity is ORDERS
        for gone in self.vanishing.pop(len(self.asked), []):
            self.ids.remove(gone)
        self.asked.append(number)
        size = selection.page_size
        return self._page(self.ids[(number - 1) * size : number * size], size)

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        return await self.fetch_selected(entity, Selection(page_size=10), number)

    async def fetch_by_ids(self, _entity: Entity, external_ids: Any) -> Page[Record]:
        return self._page([int(one) for one in external_ids], 10)

    def _page(self, ids: list[int], size: int) -> Page[Record]:
        return Page(
            records=tuple(order(str(one)) for one in ids if one not in self.bad),
            rejected=tuple(
                Rejected(str(one), place, "bad") for place, one in enumerate(ids) if one in self.bad
            ),
            total=len(self.ids) if self.tells_total else None,
            total_pages=-(-len(self.ids) // size) if self.tells_total else None,
            size=len(ids),
        )


def walk(lists: Lists, size: int, **asked: Any) -> SelectedWalk:
    demand = PullDemand(entity=ORDERS, page_size=size, **asked)
    return SelectedWalk(lists, demand, Selection(page_size=size))


async def walked(way: Any) -> tuple[list[Leg], list[int]]:
    """All steps, each begun from where the last one said, and the ids they read."""
    legs: list[Leg] = []
    while not legs or not legs[-1].is_done:
        legs.append(await way.step(legs[-1].resume if legs else ""))
        assert len(legs) < 200
    return legs, [int(one.external_id) for leg in legs for one in leg.page.records]


def newest(count: int) -> list[int]:
    return list(range(count, 0, -1))


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize(
    ("asked", "pages", "ids"),
    [
        ({}, [1, 2, 3], newest(25)),
        ({"first_page": 3}, [3], [5, 4, 3, 2, 1]),
        ({"first_page": 9}, [9], []),
        ({"limit": 10}, [1], newest(25)[:10]),
        ({"limit": 13}, [1, 2], newest(25)[:13]),
        ({"limit": 13, "first_page": 2}, [2, 3], newest(25)[10:23]),
        ({"limit": 100}, [1, 2, 3], newest(25)),
    ],
)
async def test_a_part_is_as_many_as_were_asked_for_from_where_it_starts(
    asked: dict[str, int], pages: list[int], ids: list[int], tells_total: bool
) -> None:
    lists = Lists(newest(25), tells_total=tells_total)
    legs, read = await walked(walk(lists, 10, **asked))
    assert (lists.asked, read) == (pages, ids)
    if tells_total:
        assert {leg.expected for leg in legs} == {len(ids)}


async def test_a_list_that_ends_with_a_full_page_ends_there() -> None:
    lists = Lists(newest(20))
    await walked(walk(lists, 10))
    assert lists.asked == [1, 2]
    silent = Lists(newest(20), tells_total=False)
    await walked(walk(silent, 10))
    assert silent.asked == [1, 2, 3]


async def test_the_limit_counts_what_cannot_be_understood_as_well() -> None:
    lists = Lists(newest(10), bad=frozenset({9, 3}))
    (leg,), read = await walked(walk(lists, 10, limit=4))
    assert lists.asked == [1]
    assert ([one.external_id for one in leg.page.rejected], read) == (["9"], [10, 8, 7])


@pytest.mark.parametrize("gone", [[40], [40, 39, 38, 37, 36], list(range(40, 24, -1))])
async def test_what_moves_to_pages_that_were_read_is_not_lost(gone: list[int]) -> None:
    lists = Lists(newest(40), vanishing={2: gone})
    _, read = await walked(walk(lists, 10))
    assert set(range(1, 41)) - set(gone) <= set(read)


async def test_a_list_that_shrinks_all_the_time_is_walked_to_an_end_all_the_same() -> None:
    lists = Lists(newest(150), vanishing={step: [150 - step] for step in range(1, 100)})
    legs, _ = await walked(walk(lists, 10))
    assert len(legs) <= MOST_REPAIRS * 2 + 15


async def test_named_records_come_a_few_at_a_time() -> None:
    lists = Lists([])
    way = NamedWalk(lists, ORDERS, tuple(map(str, newest(5))), 2)  # type: ignore[arg-type]
    legs, read = await walked(way)
    assert (len(legs), read) == (3, newest(5))
    assert {leg.expected for leg in legs} == {5}


@pytest.mark.parametrize(("count", "pages"), [(0, [1]), (10, [1]), (25, [1, 2, 3])])
async def test_a_whole_list_is_read_to_its_end(count: int, pages: list[int]) -> None:
    lists = Lists(newest(count))
    await walked(WholeWalk(lists, ORDERS))  # type: ignore[arg-type]
    assert lists.asked == pages
