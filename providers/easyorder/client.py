"""One EasyOrders store: reading it, writing to it.

Source: EasyOrders API docs. Where they are silent, the module that does the work says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from domain.entities import Entity
from domain.errors import RequestRejectedError
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.pages import ChangesPage, IdsPage, Listing, Page, Pulled
from domain.pushing import Outgoing, Pushed, StockPushed, StockShown, StockTarget, Wanted
from domain.records import Record
from providers._kit.answers import Answer
from providers._kit.protocols import HttpSession, StoreFacts
from providers.easyorder.access import ShopAccess
from providers.easyorder.changes import ChangesCursor
from providers.easyorder.config import EasyOrderConfig, UpdatedAtFilter
from providers.easyorder.finding import Finder
from providers.easyorder.lists import Lists, item_route
from providers.easyorder.manifest import PAGE_SIZE
from providers.easyorder.order_scan import scan
from providers.easyorder.pushing import Pusher
from providers.easyorder.reading import read_rows
from providers.easyorder.stock import Stock
from providers.easyorder.wire import ID, row_id


class EasyOrderClient:
    """One store. Opens nothing by itself; every request goes through the shared session."""

    def __init__(
        self,
        config: EasyOrderConfig,
        session: HttpSession,
        mapping: FieldMapping = NO_MAPPING,
    ) -> None:
        self._config = config
        self._mapping = mapping
        self._access = ShopAccess(config, session, mapping)
        self._lists = Lists(self._access)

    async def probe(self) -> StoreFacts:
        """Reach the store with one cheap read.

        The store tells nothing of itself (no such route): name, currency and country are what was
        entered.

        Raises StoreError.
        """
        await self._access.get("products", (("limit", "1"),))
        parts = urlsplit(self._config.store_url)
        name = f"{parts.hostname or ''}{parts.path}".strip("/")
        return StoreFacts(
            store_name=name,
            store_url=self._config.store_url,
            currency=self._config.currency,
            details={"country": self._config.country},
        )

    async def fetch_listing(self, entity: Entity) -> Listing:
        """Length and newest id of a list, which takes a few requests. Raises StoreError."""
        return await self._lists.measure(entity)

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        """One page (1-based), oldest first. Raises StoreError."""
        rows, answer = await self._lists.rows(entity, page=number)
        return await self._read(entity, rows, answer)

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        """The ids of one page (1-based), oldest first. Raises StoreError."""
        return await self._lists.ids(entity, number)

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        """The named records. Orders can be read by id alone.

        What a list does not show is gone only when reading it by itself confirms it.

        Raises:
            ValueError: more than a page of ids, or a kind the store does not keep.
            StoreError: as ever.
        """
        asked = tuple(dict.fromkeys(external_ids))
        if len(asked) > PAGE_SIZE:
            raise ValueError(f"at most {PAGE_SIZE} ids at a time")
        wanted = [external_id for external_id in asked if ID.fullmatch(external_id)]
        gone = [external_id for external_id in asked if not ID.fullmatch(external_id)]
        rows: list[Any] = []
        answer = Answer(200, {}, b"")
        is_listed = entity is not Entity.ORDERS
        if is_listed and wanted:
            rows, answer = await self._lists.named(entity, wanted)
        shown = {row_id(row) for row in rows}
        for external_id in wanted:
            if external_id in shown:
                continue
            route = item_route(entity, external_id)
            find = self._access.find_listed if is_listed else self._access.find
            found = await find(route)
            if found is None:
                gone.append(external_id)
            else:
                rows.append(found)
        whole = await self._lists.completed(entity, rows)
        return read_rows(self._config, entity, whole, answer, gone=gone, mapping=self._mapping)

    async def fetch_changes(
        self, entity: Entity, *, since: str, cursor: str | None
    ) -> ChangesPage[Record]:
        """One step through the products that changed at or after `since`; see `changes`.

        Raises:
            ValueError: another entity, or `since` is no time.
            StoreError: as ever.
        """
        if entity is not Entity.PRODUCTS:
            raise ValueError(f"{entity} have no modification time to ask by")
        mode = self._config.updated_at_filter
        at = (
            ChangesCursor.parse(cursor)
            if cursor
            else ChangesCursor.start(since, filters=mode is not UpdatedAtFilter.OFF)
        )
        try:
            rows, answer = await self._lists.rows(entity, at.params(), page=at.page)
        except RequestRejectedError as error:
            if error.status != 400 or mode is UpdatedAtFilter.ON or at.since is None:
                raise
            return ChangesPage(Page(), str(at.everything()))
        if mode is UpdatedAtFilter.AUTO and at.is_ignored_by(rows):
            return ChangesPage(Page(store_clock=answer.clock), str(at.everything()))
        following = at.after(rows)
        page = await self._read(entity, rows, answer)
        return ChangesPage(page, str(following) if following else None)

    @property
    def scans_orders(self) -> bool:
        """Whether it is switched on in the connection."""
        return self._config.order_scan

    async def scan_orders(self, cursor: str | None) -> ChangesPage[Record]:
        """Orders after the highest number known, where that is switched on; see `order_scan`.

        Raises StoreError.
        """
        return await scan(self._access, cursor)

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        """Bring records to the store, one by one: it has no batches. Raises StoreError."""
        pusher = Pusher(self._access, Finder(self._access, self._lists))
        return [await pusher.push(entity, item) for item in items]

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        """Which of these are there already. Raises StoreError."""
        return await Finder(self._access, self._lists).find(wanted)

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        """What the store shows now, by variant id. Raises StoreError."""
        return await Stock(self._access, self._lists).read(targets)

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        """Set absolute numbers, and read them back. Raises StoreError."""
        return await Stock(self._access, self._lists).push(targets)

    async def _read(self, entity: Entity, rows: Sequence[Any], answer: Answer) -> Page[Record]:
        whole = await self._lists.completed(entity, rows)
        return read_rows(self._config, entity, whole, answer, mapping=self._mapping)
