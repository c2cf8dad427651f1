"""Looking up what may be in a shop already: by SKU, our own key, slug or e-mail.

Source: WooCommerce REST API docs (v3): `sku` takes a comma-separated list and answers with
variations too; meta data cannot be asked for, so our own key is looked for among the newest rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Final

from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.pushing import Wanted
from domain.records import Category, Record
from providers._kit.protocols import Params, ReadsPages
from providers.woocommerce.access import ShopAccess, header_number
from providers.woocommerce.wire import row_id
from providers.woocommerce.writing import HUB_REF, find_meta

Found = dict[str, Pulled[Record]]

_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 50
_SKUS_AT_ONCE: Final = 40
# The shop's clock and ours may differ.
_CLOCK_MARGIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks up records in one shop. `reader` reads what was found."""

    access: ShopAccess
    reader: ReadsPages

    async def find(self, wanted: Sequence[Wanted]) -> Found:
        """Which of these the shop has, by our key; all of one entity. Raises StoreError."""
        if not wanted:
            return {}
        match wanted[0].entity:
            case Entity.PRODUCTS:
                return await self._products(wanted)
            case Entity.CATEGORIES:
                return await self._categories(wanted)
            case Entity.CUSTOMERS:
                return await self._customers(wanted)
        return {}

    async def _products(self, wanted: Sequence[Wanted]) -> Found:
        owners = await self._owners_of_skus(wanted)
        numbers: dict[str, str] = {}
        for one in wanted:
            # SKUs of two products are no sign which of them it is.
            holders = {owners[sku] for sku in one.skus if sku in owners}
            if len(holders) == 1:
                numbers[one.key] = holders.pop()
        left = [one for one in wanted if one.key not in numbers]
        if left:
            numbers |= await self._by_own_key("products", left, (("status", "any"),))
        return await self._read(Entity.PRODUCTS, numbers)

    async def _owners_of_skus(self, wanted: Sequence[Wanted]) -> dict[str, str]:
        """The product's id by SKU; of a variation its product's."""
        # A SKU with a comma cannot be asked for.
        skus = list(dict.fromkeys(sku for one in wanted for sku in one.skus if "," not in sku))
        owners: dict[str, str] = {}
        for start in range(0, len(skus), _SKUS_AT_ONCE):
            chunk = skus[start : start + _SKUS_AT_ONCE]
            params = (
                ("sku", ",".join(chunk)),
                ("status", "any"),
                ("_fields", "id,sku,type,parent_id"),
            )
            for row in await self._rows("products", params):
                is_variation = row.get("type") == "variation"
                number = row_id({"id": row.get("parent_id")} if is_variation else row)
                if number is not None and row.get("sku") in chunk:
                    owners.setdefault(row["sku"], number)
        return owners

    async def _by_own_key(
        self, route: str, wanted: Sequence[Wanted], params: Params
    ) -> dict[str, str]:
        """Ids by our own key: what was made since the first try, else among the newest page."""
        keys = {one.key for one in wanted}
        tries = [one.since for one in wanted if one.since is not None]
        newest = (("orderby", "id"), ("order", "desc"), ("_fields", "id,meta_data"), *params)
        pages = 1
        if tries:
            since = (min(tries) - _CLOCK_MARGIN).astimezone(UTC).replace(tzinfo=None)
            bound = since.isoformat(timespec="seconds")
            newest = (*newest, ("after", bound), ("dates_are_gmt", "true"))
            pages = _MOST_PAGES
        found: dict[str, str] = {}
        for row in await self._rows(route, newest, pages=pages):
            entry = find_meta(row.get("meta_data"), HUB_REF)
            key, number = (entry or {}).get("value"), row_id(row)
            if isinstance(key, str) and key in keys and number is not None:
                # A product that was duplicated in the shop bears its key too: the older one is it.
                found[key] = number
        return found

    async def _categories(self, wanted: Sequence[Wanted]) -> Found:
        slugs: dict[tuple[str, str | None], Pulled[Record]] = {}
        names: dict[tuple[str, str | None], Pulled[Record]] = {}
        for page in range(1, _MOST_PAGES + 1):
            rows = await self.reader.fetch_page(Entity.CATEGORIES, page)
            for pulled in rows.records:
                if isinstance(pulled.record, Category):
                    parent = pulled.record.parent_external_id
                    slugs.setdefault((pulled.record.slug, parent), pulled)
                    names.setdefault((pulled.record.name, parent), pulled)
            if rows.size < _PAGE_SIZE or page == rows.total_pages:
                break
        found: Found = {}
        for one in wanted:
            parent = one.parent_external_id or None
            there = slugs.get((one.slug, parent)) if one.slug else None
            if there is None:
                there = _same_name(one, names.get((one.name, parent)))
            if there is not None:
                found[one.key] = there
        return found

    async def _customers(self, wanted: Sequence[Wanted]) -> Found:
        numbers: dict[str, str] = {}
        for one in wanted:
            if not one.email:
                continue
            params = (("email", one.email), ("role", "all"), ("_fields", "id,email"))
            for row in await self._rows("customers", params):
                number = row_id(row)
                if number is not None and str(row.get("email", "")).lower() == one.email.lower():
                    numbers[one.key] = number
        return await self._read(Entity.CUSTOMERS, numbers)

    async def _read(self, entity: Entity, numbers: Mapping[str, str]) -> Found:
        ids = list(dict.fromkeys(numbers.values()))
        records: dict[str, Pulled[Record]] = {}
        for start in range(0, len(ids), _PAGE_SIZE):
            page: Page[Record] = await self.reader.fetch_by_ids(
                entity, ids[start : start + _PAGE_SIZE]
            )
            records |= {pulled.external_id: pulled for pulled in page.records}
        return {key: records[number] for key, number in numbers.items() if number in records}

    async def _rows(self, route: str, params: Params, *, pages: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, pages + 1):
            at = (("per_page", str(_PAGE_SIZE)), ("page", str(page)))
            answer = await self.access.get(route, (*params, *at))
            rows = self.access.rows(answer, route)
            found += [row for row in rows if isinstance(row, dict)]
            if len(rows) < _PAGE_SIZE or page == header_number(answer, "x-wp-totalpages"):
                break
        return found


def _same_name(wanted: Wanted, there: Pulled[Record] | None) -> Pulled[Record] | None:
    """A category of the same name and parent, unless its slug says that it is another one.

    A slug that was taken got a number when the category was made.
    """
    slug = there.record.slug if there is not None and isinstance(there.record, Category) else ""
    if wanted.slug and not re.fullmatch(rf"{re.escape(wanted.slug)}-[0-9]+", slug):
        return None
    return there
