"""Setting how many there are, as absolute numbers.

Source: EasyOrders API docs: quantity by product SKU, or by the `taager_code`s of a product and its
variant. A product without a SKU takes the number with an update. The numbers before and after come
from one read of the products each, because what a write answers is not documented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from domain.entities import Entity
from domain.errors import InvalidRecordError, RequestRejectedError, RouteMissingError
from domain.pushing import Outcome, StockPushed, StockShown, StockTarget
from providers.easyorder.access import ShopAccess, segment
from providers.easyorder.lists import Lists, item_route
from providers.easyorder.mapper import stock_of
from providers.easyorder.wire import ID, ProductWire, row_id

_CONTENT: Final = frozenset((400, 409, 422))
_NO_CODE: Final = (
    "A variant's stock is set by codes: give the product and the variant a taager code (SKU) in "
    "the store."
)
_UNCOUNTED: Final = "The store does not count this product's stock: switch on 'track stock' there."
_FRACTION: Final = "The store counts whole pieces only."


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of one store."""

    access: ShopAccess
    lists: Lists

    async def read(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        """What the store shows by variant id; what is not there is not counted. Raises StoreError.

        Whether a change of stock advances `updated_at` is not documented: the numbers have no date.
        """
        products = await self._products(targets)
        return {key: StockShown(number) for key, number in _shown(products, targets).items()}

    async def push(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        """Set the numbers, one after the other, and read them back. Raises StoreError."""
        products = await self._products(targets)
        before = _shown(products, targets)
        results = [
            await self._set(target, products.get(target.product_external_id), before)
            for target in targets
        ]
        if not any(one.outcome is Outcome.DONE for one in results):
            return results
        after = _shown(await self._products(targets), targets)
        return [
            replace(one, after=after[one.variant_external_id])
            if one.outcome is Outcome.DONE
            else one
            for one in results
        ]

    async def _set(
        self, target: StockTarget, product: ProductWire | None, before: Mapping[str, Decimal | None]
    ) -> StockPushed:
        variant_id, known = target.variant_external_id, before[target.variant_external_id]
        if product is None or not _has(product, variant_id):
            return StockPushed(
                variant_id, Outcome.MISSING, reason="The store has no such variant any more."
            )
        if target.available != target.available.to_integral_value():
            return StockPushed(variant_id, Outcome.REFUSED, known, reason=_FRACTION)
        if not product.track_stock:
            return StockPushed(variant_id, Outcome.UNSUPPORTED, reason=_UNCOUNTED)
        route = self._route(target, product)
        if route is None:
            return StockPushed(variant_id, Outcome.UNSUPPORTED, known, reason=_NO_CODE)
        # "min 0" (docs).
        body = {"quantity": max(target.available, Decimal(0))}
        try:
            await self.access.write("PATCH", route, body)
        except RouteMissingError as error:
            return StockPushed(variant_id, Outcome.MISSING, known, reason=str(error))
        except RequestRejectedError as error:
            if error.status not in _CONTENT:
                raise
            return StockPushed(variant_id, Outcome.REFUSED, known, reason=str(error))
        return StockPushed(variant_id, Outcome.DONE, known)

    def _route(self, target: StockTarget, product: ProductWire) -> str | None:
        if target.variant_external_id == product.id:
            if _is_segment(product.sku):
                return f"products/sku/{segment(product.sku)}/quantity"
            return item_route(Entity.PRODUCTS, product.id)
        variant = next(one for one in product.variants if one.id == target.variant_external_id)
        if _is_segment(product.taager_code) and _is_segment(variant.taager_code):
            codes = f"{segment(product.taager_code)}/{segment(variant.taager_code)}"
            return f"products/variants/{codes}/quantity"
        code = variant.taager_code or variant.sku
        if self.access.config.variant_sku_addressable and _is_segment(code):
            return f"products/sku/{segment(code)}/quantity"
        return None

    async def _products(self, targets: Sequence[StockTarget]) -> dict[str, ProductWire]:
        ids = tuple(
            dict.fromkeys(
                one.product_external_id for one in targets if ID.fullmatch(one.product_external_id)
            )
        )
        rows, _ = await self.lists.named(Entity.PRODUCTS, ids) if ids else ([], None)
        found = {row_id(row): row for row in rows}
        products: dict[str, ProductWire] = {}
        for external_id in ids:
            row = found.get(external_id)
            if row is None or "variants" not in row or "taager_code" not in row:
                row = await self.access.find_listed(item_route(Entity.PRODUCTS, external_id))
            wire = _understood(row)
            if wire is not None:
                products[external_id] = wire
        return products


def _shown(
    products: Mapping[str, ProductWire], targets: Sequence[StockTarget]
) -> dict[str, Decimal | None]:
    return {
        one.variant_external_id: stock_of(product, one.variant_external_id)
        if (product := products.get(one.product_external_id)) is not None
        else None
        for one in targets
    }


def _has(product: ProductWire, variant_id: str) -> bool:
    return variant_id == product.id or any(one.id == variant_id for one in product.variants)


def _understood(row: Any) -> ProductWire | None:
    try:
        return ProductWire.model_validate(row)
    except (ValidationError, InvalidRecordError):
        return None


def _is_segment(text: str) -> bool:
    """Whether a code can stand in a path; a dot or two would be taken for a way up."""
    return bool(text.strip(". "))
