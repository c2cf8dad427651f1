"""Reading a WooCommerce shop: pages, ids, single records, changes.

Source: WooCommerce REST API docs (v3); what the docs leave open was measured on 11.0.1. Pages go
by `X-WP-TotalPages`, never by `Link`, which repeats the credentials of the request.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from math import ceil
from typing import Any, Final, Self

from domain.entities import Entity
from domain.errors import RequestRejectedError, StoreUnavailableError
from domain.pages import ChangesPage, IdsPage, Listing, Page
from domain.records import Record
from providers._kit.answers import Answer
from providers._kit.protocols import HttpSession, Params, StoreFacts
from providers.woocommerce.access import ShopAccess, header_number, join_ids, open_access
from providers.woocommerce.changes import (
    ChangesCursor,
    Walk,
    ignores_bound,
    step_after,
)
from providers.woocommerce.config import WooCommerceConfig
from providers.woocommerce.manifest import MANIFEST, PAGE_SIZE
from providers.woocommerce.probe import probe_shop
from providers.woocommerce.reading import TRASH, RowReader
from providers.woocommerce.wire import row_id

ROUTES: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "products/categories",
    Entity.PRODUCTS: "products",
    Entity.CUSTOMERS: "customers",
    Entity.ORDERS: "orders",
}
# Without these a list leaves rows out: drafts and private products, and buyers who are no
# "customer" by role.
_WHOLE_LIST: Final[Mapping[Entity, Params]] = {
    Entity.CATEGORIES: (),
    Entity.PRODUCTS: (("status", "any"),),
    Entity.CUSTOMERS: (("role", "all"),),
    Entity.ORDERS: (("status", "any"),),
}
_HAS_TRASH: Final = frozenset((Entity.PRODUCTS, Entity.ORDERS))
_BY_ID: Final[Params] = (("orderby", "id"), ("order", "asc"))
_LARGEST_PAGE: Final[Params] = (("per_page", str(PAGE_SIZE)),)


class WooCommerceReader:
    """One shop. Opens nothing by itself; every request goes through the shared session."""

    def __init__(
        self, config: WooCommerceConfig, facts: StoreFacts | None, session: HttpSession
    ) -> None:
        self._config = config
        self._session = session
        self._page_size = PAGE_SIZE
        self._access: ShopAccess | None = None
        self._reader: RowReader | None = None
        if facts is not None:
            self._access, details = open_access(config, facts, session)
            self._reader = RowReader(
                self._access, facts.currency, details.flat_variations, facts.field_mapping
            )

    def with_page_size(self, size: int) -> Self:
        """The same shop, its lists read in pages of `size` records (at most 100)."""
        other = copy(self)
        other._page_size = min(size, PAGE_SIZE)  # noqa: SLF001 - its own
        return other

    @property
    def known(self) -> ShopAccess:
        """How the shop is reached. Raises ValueError before its first probe."""
        if self._access is None:
            raise ValueError("the store must be probed first")
        return self._access

    async def probe(self) -> StoreFacts:
        """Reach the shop, prove the keys, and find out how to call it. Raises StoreError."""
        return await probe_shop(self._config, self._session)

    async def fetch_listing(self, entity: Entity) -> Listing:
        """Length and newest id of a list. Raises StoreError."""
        answer, rows = await self._list(
            entity,
            (("per_page", "1"), ("orderby", "id"), ("order", "desc"), ("_fields", "id")),
        )
        total = self._count(answer, "x-wp-total", entity)
        return Listing(
            total=total,
            newest_id=row_id(rows[0]) if rows else None,
            total_pages=ceil(total / self._page_size),
            store_clock=answer.clock,
        )

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        """One page (1-based) by ascending id. Raises StoreError."""
        answer, rows = await self._list(entity, (*_BY_ID, *self._full_page, ("page", str(number))))
        return await self.read_rows(entity, rows, answer)

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        """The ids of one page (1-based) by ascending id. Raises StoreError."""
        answer, rows = await self._list(
            entity, (*_BY_ID, *self._full_page, ("page", str(number)), ("_fields", "id"))
        )
        ids = tuple(number for number in map(row_id, rows) if number is not None)
        return IdsPage(
            ids=ids,
            total=self._count(answer, "x-wp-total", entity),
            total_pages=self._count(answer, "x-wp-totalpages", entity),
        )

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        """The named records; what the shop shows neither in its list nor in its trash is gone.

        Raises:
            ValueError: more than a page of ids.
            StoreError: no answer, or one with other rows than those asked for.
        """
        asked = tuple(dict.fromkeys(external_ids))
        if len(asked) > PAGE_SIZE:
            raise ValueError(f"at most {PAGE_SIZE} ids at a time")
        wanted = [external_id for external_id in asked if _is_id(external_id)]
        rows: list[Any] = []
        answer = Answer(200, {}, b"")
        if wanted:
            answer, rows = await self._list_named(entity, wanted, ())
        seen = {row_id(row) for row in rows}
        missing = [external_id for external_id in wanted if external_id not in seen]
        if missing and entity in _HAS_TRASH:
            _, trashed = await self._list_named(entity, missing, (("status", TRASH),))
            rows = [*rows, *trashed]
            seen.update(row_id(row) for row in trashed)
        page = await self.read_rows(entity, rows, answer)
        gone = (external_id for external_id in asked if external_id not in seen)
        return Page(
            records=page.records,
            tombstones=(*page.tombstones, *gone),
            rejected=page.rejected,
            skipped=page.skipped,
            store_clock=page.store_clock,
            size=len(rows),
        )

    async def fetch_changes(
        self, entity: Entity, *, since: str, cursor: str | None
    ) -> ChangesPage[Record]:
        """One step through what changed at or after `since`; see `changes` for how.

        Raises:
            ValueError: the entity has no "modified since" filter, or `since` is no time.
            StoreError: as ever.
        """
        if entity not in MANIFEST.tracks_changes:
            raise ValueError(f"{entity} have no modification time to ask by")
        at = ChangesCursor.parse(cursor) if cursor else ChangesCursor.start(since)
        if at.walk is Walk.WITHIN and not at.page:
            at = await self._last_page_within(entity, at)
        if at.walk is Walk.AFTER:
            return await self._changes_after(entity, at)
        answer, rows = await self._list(entity, at.params(self._page_size))
        page = await self.read_rows(entity, rows, answer)
        following = at.next_page(has_more=self._has_more(rows, page.total_pages, at.page))
        return ChangesPage(page, str(following) if following else None)

    async def _changes_after(self, entity: Entity, at: ChangesCursor) -> ChangesPage[Record]:
        try:
            answer, rows = await self._list(entity, at.params(self._page_size))
        except RequestRejectedError as error:
            if error.status != 400:
                raise
            # Before WooCommerce 5.8.0 there is no order by modification.
            return ChangesPage(Page(), str(at.everything()))
        if ignores_bound(at, rows):
            return ChangesPage(Page(store_clock=answer.clock), str(at.everything()))
        has_more = self._has_more(rows, header_number(answer, "x-wp-totalpages"), 1)
        step = step_after(at, rows, has_more=has_more, clock=answer.clock)
        page = await self.read_rows(entity, step.rows, answer)
        return ChangesPage(page, str(step.cursor) if step.cursor else None)

    async def _last_page_within(self, entity: Entity, at: ChangesCursor) -> ChangesCursor:
        answer, _ = await self._list(entity, (*at.params(1)[:-1], ("_fields", "id")))
        total = self._count(answer, "x-wp-total", entity)
        return ChangesCursor(at.walk, at.second, max(1, ceil(total / self._page_size)))

    async def _list_named(
        self, entity: Entity, ids: Sequence[str], params: Params
    ) -> tuple[Answer, list[Any]]:
        numbers = [int(external_id) for external_id in ids]
        answer, rows = await self._list(
            entity, (*_BY_ID, *_LARGEST_PAGE, ("include", join_ids(numbers)), *params)
        )
        if any(number is not None and number not in ids for number in map(row_id, rows)):
            raise StoreUnavailableError(
                f"{self.known.describe(ROUTES[entity])}: the store answered with other records"
                " than those asked for. A cache may stand before its API."
            )
        return answer, rows

    async def _list(self, entity: Entity, params: Params) -> tuple[Answer, list[Any]]:
        route = _route(entity)
        given = {name for name, _ in params}
        whole = tuple(pair for pair in _WHOLE_LIST[entity] if pair[0] not in given)
        answer = await self.known.get(route, (*whole, *params))
        return answer, self.known.rows(answer, route)

    async def read_rows(self, entity: Entity, rows: Sequence[Any], answer: Answer) -> Page[Record]:
        """Understand the rows of an answer. Raises StoreError."""
        if self._reader is None:
            raise ValueError("the store must be probed first")
        return await self._reader.read(entity, rows, answer)

    @property
    def _full_page(self) -> Params:
        return (("per_page", str(self._page_size)),)

    def _has_more(self, rows: Sequence[Any], pages: int | None, page: int) -> bool:
        return bool(rows) and (len(rows) >= self._page_size if pages is None else page < pages)

    def _count(self, answer: Answer, header: str, entity: Entity) -> int:
        count = header_number(answer, header)
        if count is None:
            raise StoreUnavailableError(
                f"{self.known.describe(ROUTES[entity])}: the answer lacks {header}. Something"
                " before the shop (a proxy, a cache) takes it away."
            )
        return count


def _route(entity: Entity) -> str:
    route = ROUTES.get(entity)
    if route is None:
        raise ValueError(f"{entity} are not listed on their own")
    return route


def _is_id(external_id: str) -> bool:
    return external_id.isascii() and external_id.isdigit() and len(external_id) < 16
