"""Fetching the variations of a page of products.

WooCommerce has a flat route `/variations` since 10.3.0; older shops answer per product only
(`/products/{id}/variations`). What the flat route leaves out is asked per product, so a variation
is missing only if it is gone.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.errors import RouteMissingError
from providers.woocommerce.access import ShopAccess, header_number, join_ids
from providers.woocommerce.rows import ProductRow, VariationRow
from providers.woocommerce.wire import VARIATIONS, Row

PAGE_SIZE: Final = 100
# A shop runs few PHP processes, and several pages of products are fetched at once.
_IN_FLIGHT: Final = 2
_MOST_PAGES: Final = 100


@dataclass(slots=True)
class Variations:
    """Variations by their own id, and what is wrong with those that cannot be understood."""

    rows: dict[int, Row[VariationRow]] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)

    def of(self, product: ProductRow) -> list[Row[VariationRow]]:
        """The variations of a product, in its own order; those that are gone are left out."""
        wanted = dict.fromkeys(product.get("variations", ()))
        return [self.rows[number] for number in wanted if number in self.rows]

    def fault_of(self, product: ProductRow) -> str | None:
        """What is wrong with the product's variations, if anything is."""
        for number in product.get("variations", ()):
            if number in self.faults:
                return f"variation {number}: {self.faults[number]}"
        return None

    def add(self, rows: Sequence[object]) -> None:
        """Read the rows of an answer."""
        good, bad = VARIATIONS.read(rows)
        self.rows.update((row.wire["id"], row) for row in good)
        self.faults.update(
            (int(row.external_id), row.reason) for row in bad if row.external_id is not None
        )

    def lack(self, numbers: Iterable[int]) -> bool:
        """Whether any of these did not come."""
        return any(number not in self.rows and number not in self.faults for number in numbers)


async def fetch_variations(
    access: ShopAccess, products: Iterable[ProductRow], *, flat: bool
) -> Variations:
    """The variations that these products name. Raises StoreError."""
    wanted = {
        product["id"]: dict.fromkeys(product["variations"])
        for product in products
        if product.get("variations")
    }
    found = Variations()
    if flat and wanted:
        await _fetch_flat(access, wanted, found)
    slots = asyncio.Semaphore(_IN_FLIGHT)

    async def fetch(product: int) -> None:
        async with slots:
            await _fetch_of_product(access, product, found)

    try:
        async with asyncio.TaskGroup() as tasks:
            for product, numbers in wanted.items():
                if found.lack(numbers):
                    tasks.create_task(fetch(product))
    except ExceptionGroup as errors:
        # One failure is all a caller can act on; the group's others are of the same fetch.
        raise errors.exceptions[0] from None
    return found


async def _fetch_flat(
    access: ShopAccess, wanted: Mapping[int, Iterable[int]], found: Variations
) -> None:
    numbers = [number for group in wanted.values() for number in group]
    for start in range(0, len(numbers), PAGE_SIZE):
        chunk = numbers[start : start + PAGE_SIZE]
        try:
            answer = await access.get(
                "variations",
                (
                    ("include", join_ids(chunk)),
                    ("per_page", str(PAGE_SIZE)),
                    ("orderby", "id"),
                    ("order", "asc"),
                ),
            )
        except RouteMissingError:
            # The shop went back to a version before 10.3.
            return
        found.add(access.rows(answer, "variations"))


async def _fetch_of_product(access: ShopAccess, product: int, found: Variations) -> None:
    route = f"products/{product}/variations"
    for page in range(1, _MOST_PAGES + 1):
        try:
            answer = await access.get(
                route,
                (
                    ("orderby", "id"),
                    ("order", "asc"),
                    ("per_page", str(PAGE_SIZE)),
                    ("page", str(page)),
                ),
            )
        except RouteMissingError:
            # The product was deleted meanwhile.
            return
        rows = access.rows(answer, route)
        found.add(rows)
        pages = header_number(answer, "x-wp-totalpages")
        if len(rows) < PAGE_SIZE or page == pages:
            return
