"""The store's lists, whose length, envelope and largest page are not documented.

Source: EasyOrders API docs, "query parameters" (`filter`, `sort`, `limit`, `page`, `fields`,
`join`). A page with fewer rows than asked for is no end, as the store may give fewer than that;
only a page without rows is. What the store refuses (400) is left out and not asked for again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.entities import Entity
from domain.errors import RequestRejectedError, StoreUnavailableError
from domain.pages import IdsPage, Listing
from providers._kit.answers import Answer
from providers._kit.protocols import Params
from providers.easyorder.access import ShopAccess, segment, unwrap_rows
from providers.easyorder.manifest import PAGE_SIZE
from providers.easyorder.reading import PRODUCT_FIELDS, SEEN_FIELDS, is_whole
from providers.easyorder.wire import row_id, trees_flattened

_ROUTES: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "categories/",
    Entity.PRODUCTS: "products",
}
_JOIN: Final = ("join", "Variations.Props,Variants.VariationProps")
_FIELDS: Final = ("fields", ",".join(PRODUCT_FIELDS))
_FEW_FIELDS: Final = ("fields", ",".join(SEEN_FIELDS))
_IDS: Final = ("fields", "id")
_MOST_PAGES: Final = 1 << 16
_WITHOUT_JOIN: Final = 1
_PLAIN: Final = 2


def route_of(entity: Entity) -> str:
    """The list's route. Raises ValueError for what is not listed."""
    route = _ROUTES.get(entity)
    if route is None:
        raise ValueError(f"{entity} are not listed by this store")
    return route


def item_route(entity: Entity, external_id: str) -> str:
    """The route of one record."""
    base = "orders" if entity is Entity.ORDERS else route_of(entity).strip("/")
    return f"{base}/{segment(external_id)}"


@dataclass(slots=True)
class Lists:
    """The lists of one store, with what was found out about them."""

    access: ShopAccess
    # How much is left out of what is asked, by what the store refused: see `_at_level`.
    _level: int = 0

    async def rows(
        self, entity: Entity, params: Params = (), *, page: int = 1, is_tentative: bool = False
    ) -> tuple[list[Any], Answer]:
        """The rows of one page, products as whole as the list can tell them.

        What is tentative (a filter that may be unknown) is not asked again for less than the whole.

        Raises StoreError.
        """
        asked: list[tuple[str, str]] = [("limit", str(PAGE_SIZE)), ("page", str(page))]
        if entity is Entity.PRODUCTS:
            asked += [_FIELDS, _JOIN]
        rows, answer = await self._ask(
            entity,
            (*asked, *self._sorted(params), *params),
            steps=self._level if is_tentative else _PLAIN,
        )
        return (trees_flattened(rows) if entity is Entity.CATEGORIES else rows), answer

    async def named(self, entity: Entity, ids: Sequence[str]) -> tuple[list[Any], Answer]:
        """Those of the ids that the list shows; none where it cannot be asked for ids.

        Raises StoreError.
        """
        params = (("filter", f"id||$in||{','.join(ids)}"),)
        try:
            rows, answer = await self.rows(entity, params, is_tentative=True)
        except RequestRejectedError as error:
            if error.status != 400:
                raise
            return [], Answer(200, {}, b"")
        return [row for row in rows if row_id(row) in ids], answer

    async def completed(self, entity: Entity, rows: Sequence[Any]) -> list[Any]:
        """The rows, those read by themselves that a list told in part. Raises StoreError."""
        if entity is not Entity.PRODUCTS or not self.access.config.complete_products:
            return list(rows)
        whole: list[Any] = []
        for row in rows:
            name = None if is_whole(row) else row_id(row)
            found = await self.access.find_listed(item_route(entity, name)) if name else None
            whole.append(row if found is None else found)
        return whole

    async def ids(self, entity: Entity, page: int) -> IdsPage:
        """The ids of one page. The totals are of what is known so far: a page more, until empty."""
        names, _ = await self._ids(entity, page)
        before = (page - 1) * PAGE_SIZE
        return IdsPage(names, before + len(names), page + 1 if names else page - 1)

    async def measure(self, entity: Entity) -> Listing:
        """How long a list is, by looking for its last page: about 2 log2(pages) requests.

        Raises StoreError.
        """
        first, answer = await self._ids(entity, 1)
        if not first:
            return Listing(0, None, 0, answer.clock)
        low, high, last = 1, 2, first
        while found := await self._later(entity, high, first):
            low, high, last = high, high * 2, found
            if high > _MOST_PAGES:
                raise StoreUnavailableError(f"{entity}: the store's list has no end.")
        while high - low > 1:
            middle = (low + high) // 2
            if found := await self._later(entity, middle, first):
                low, last = middle, found
            else:
                high = middle
        return Listing(
            total=(low - 1) * len(first) + len(last),
            newest_id=last[-1],
            total_pages=low,
            store_clock=answer.clock,
        )

    async def _later(self, entity: Entity, page: int, first: Sequence[str]) -> tuple[str, ...]:
        names, _ = await self._ids(entity, page)
        # A store that ignores `page` shows its first page for ever.
        return () if names and names[0] == first[0] else names

    async def _ids(self, entity: Entity, page: int) -> tuple[tuple[str, ...], Answer]:
        if entity is Entity.CATEGORIES:
            # Children may be nested, which the ids alone would not show.
            rows, answer = await self.rows(entity, page=page)
        else:
            asked = (("limit", str(PAGE_SIZE)), ("page", str(page)), _IDS)
            rows, answer = await self._ask(entity, (*asked, *self._sorted(())))
        found = (row_id(row) for row in rows)
        return tuple(name for name in found if name is not None), answer

    def _sorted(self, params: Params) -> Params:
        by = self.access.config.sort_by
        if not by or any(name == "sort" for name, _ in params):
            return ()
        return (("sort", f"{by},ASC"),)

    async def _ask(
        self, entity: Entity, params: Params, *, steps: int = _PLAIN
    ) -> tuple[list[Any], Answer]:
        """Ask; where the store refuses (400), up to `steps` times again for less."""
        for level in range(self._level, steps + 1):
            told = _at_level(params, level)
            if level > self._level and told == _at_level(params, level - 1):
                continue
            try:
                found = await self._get(entity, told)
            except RequestRejectedError as error:
                if error.status != 400 or not _differs_later(params, level, steps):
                    raise
            else:
                self._level = level
                return found
        raise AssertionError("the last attempt returns or raises")

    async def _get(self, entity: Entity, params: Params) -> tuple[list[Any], Answer]:
        route = route_of(entity)
        body, answer = await self.access.get(route, params)
        found = unwrap_rows(body)
        if found is None:
            raise StoreUnavailableError(
                f"{self.access.describe('GET', route)}: the store answered with something that is"
                " not a list."
            )
        rows, is_list = found
        pages = dict(params).get("page", "1")
        # One bare object has no second page.
        return (rows if is_list or pages == "1" else []), answer


def _at_level(params: Params, level: int) -> Params:
    """What is asked at a level: all, without the join, or only what clients are known to ask."""
    if level == 0:
        return params
    kept = tuple(pair for pair in params if pair[0] != "join")
    if level == _WITHOUT_JOIN:
        return kept
    plain = (_FEW_FIELDS if pair == _FIELDS else pair for pair in kept)
    # The order of a walk by time is the walk's: without it there is none.
    is_walk = ("sort", "updated_at,ASC") in params
    return tuple(pair for pair in plain if is_walk or pair[0] != "sort")


def _differs_later(params: Params, level: int, steps: int) -> bool:
    here = _at_level(params, level)
    return any(_at_level(params, later) != here for later in range(level + 1, steps + 1))
