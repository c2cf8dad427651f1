"""Finding what is in the store already, so that nothing is created twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.entities import Entity
from domain.errors import InvalidRecordError, RequestRejectedError
from domain.pages import Pulled
from domain.pushing import Wanted
from domain.records import Category, Product, Record
from providers.easyorder.access import ShopAccess
from providers.easyorder.lists import Lists, item_route
from providers.easyorder.reading import read_record
from providers.easyorder.wire import row_id

_OWN_KEY: Final = "taager_code"


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks records up by filters of the store's lists.

    Products: our own key, which we put into `taager_code`, then the SKU, then the slug. Categories:
    the slug. Whether `taager_code` can be filtered is not documented, so a refusal (400) of that
    alone finds nothing; any other is raised, as what is not found is created.
    """

    access: ShopAccess
    lists: Lists

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        """What is there, by `Wanted.key`. Raises StoreError."""
        found: dict[str, Pulled[Record]] = {}
        for one in wanted:
            record = await self._find_one(one)
            if record is not None:
                found[one.key] = record
        return found

    async def read(self, entity: Entity, external_id: str) -> Pulled[Record] | None:
        """One record as the store has it now; None: it is gone, or cannot be understood.

        Raises StoreError.
        """
        route = item_route(entity, external_id)
        is_listed = entity is not Entity.ORDERS
        find = self.access.find_listed if is_listed else self.access.find
        row = await find(route)
        return None if row is None else self._understood(entity, row)

    async def _find_one(self, wanted: Wanted) -> Pulled[Record] | None:
        for name, value in _ways(wanted):
            try:
                rows, _ = await self.lists.rows(
                    wanted.entity, (("filter", f"{name}||eq||{value}"),), is_tentative=True
                )
            except RequestRejectedError as error:
                if error.status != 400 or name != _OWN_KEY:
                    raise
                continue
            for row in rows:
                external_id = row_id(row)
                if external_id is None or not _is_named(row, name, value):
                    continue
                pulled = await self.read(wanted.entity, external_id)
                if pulled is not None and _is_it(pulled.record, wanted):
                    return pulled
        return None

    def _understood(self, entity: Entity, row: Any) -> Pulled[Record] | None:
        try:
            return read_record(self.access.config, entity, row, self.access.mapping)
        except InvalidRecordError:
            return None


def _ways(wanted: Wanted) -> Iterator[tuple[str, str]]:
    if wanted.entity is Entity.PRODUCTS:
        yield _OWN_KEY, wanted.key
        # The filter is for the product's own SKU: of several variants' codes it knows none.
        if len(wanted.skus) == 1 and wanted.skus[0]:
            yield "sku", wanted.skus[0]
    if wanted.entity in (Entity.PRODUCTS, Entity.CATEGORIES) and wanted.slug:
        yield "slug", wanted.slug


def _is_named(row: Mapping[str, Any], name: str, value: str) -> bool:
    """Whether the row is one of those asked for; a store that ignores a filter shows others.

    What the list leaves out is seen when the record is read by itself.
    """
    told = row.get(name)
    return told is None or str(told).strip() == value.strip()


def _is_it(record: Record, wanted: Wanted) -> bool:
    """Whether a record that a filter showed is really the one."""
    if isinstance(record, Product):
        skus = {variant.sku for variant in record.variants if variant.sku}
        return (
            record.extra.get("hub_ref") == wanted.key
            or bool(skus.intersection(wanted.skus))
            or (bool(wanted.slug) and record.slug == wanted.slug and not (skus and wanted.skus))
        )
    if isinstance(record, Category):
        is_named = record.slug == wanted.slug
        return is_named and record.parent_external_id == wanted.parent_external_id
    return False
