"""How many there are: reading and setting stock in a shop.

Source: WooCommerce REST API docs (v3). `stock_quantity` is absolute, and counts only where
`manage_stock` is on; a variation may leave the counting to its product (`manage_stock: "parent"`).
There is no compare-and-set: a sale between the reading and the writing is overwritten, which the
caller finds out from the order, and repairs.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

from domain.pushing import Outcome, StockPushed, StockShown, StockTarget
from providers.woocommerce.access import ShopAccess, join_ids
from providers.woocommerce.batches import Done, refused, send_batch
from providers.woocommerce.mapper import version_of_number
from providers.woocommerce.writing import store_number

_IN_FLIGHT: Final = 2
_PAGE_SIZE: Final = 100
_PRODUCTS: Final = "products"
_FIELDS: Final = ("_fields", "id,manage_stock,stock_quantity,date_modified_gmt")
_PARENT: Final = "parent"

Place = tuple[str, int]
"""Where a number is kept: the route of the list, and the id in it."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the shop shows of one variant, and where its number is kept."""

    holder: Place
    counted: bool
    quantity: Decimal | None
    version: datetime | None


class StockWriter:
    """Reads and sets the stock of one shop."""

    def __init__(self, access: ShopAccess) -> None:
        self._access = access

    async def read_stock(self, targets: Sequence[StockTarget]) -> dict[str, StockShown]:
        """What the shop shows, by variant id. What is gone is left out.

        Raises StoreError.
        """
        shown = await self._look(targets)
        return {
            number: StockShown(one.quantity if one.counted else None, one.version)
            for number, one in shown.items()
        }

    async def push_stock(self, targets: Sequence[StockTarget]) -> list[StockPushed]:
        """Set the numbers; one answer each, in their order. Raises StoreError.

        Variants that share their product's number get the lowest of theirs: rather too few are
        offered than too many.
        """
        shown = await self._look(targets)
        wanted: dict[Place, Decimal] = {}
        for target in targets:
            one = shown.get(target.variant_external_id)
            if one is not None and one.counted:
                number = _whole(target.available)
                wanted[one.holder] = min(number, wanted.get(one.holder, number))
        written = await self._write(wanted)
        return [_answer(target, shown, written) for target in targets]

    async def _write(self, wanted: Mapping[Place, Decimal]) -> dict[Place, Done]:
        by_route: defaultdict[str, list[int]] = defaultdict(list)
        for route, number in wanted:
            by_route[route].append(number)
        written: dict[Place, Done] = {}

        async def write(route: str) -> None:
            numbers = by_route[route]
            rows = [
                {"id": number, "stock_quantity": int(wanted[route, number])} for number in numbers
            ]
            _, dones = await send_batch(self._access, route, update=rows)
            pairs = zip(numbers, dones, strict=True)
            written.update({(route, number): done for number, done in pairs})

        await _each(list(by_route), write)
        return written

    async def _look(self, targets: Sequence[StockTarget]) -> dict[str, _Shown]:
        """What the shop shows of each variant; those that are gone are left out."""
        by_route: defaultdict[str, set[int]] = defaultdict(set)
        for target in targets:
            route, number = _place(target)
            by_route[route].add(number)
        rows: dict[Place, Mapping[str, Any]] = {}

        async def look(route: str) -> None:
            rows.update(await self._rows(route, sorted(by_route[route])))

        await _each(list(by_route), look)
        parents = {
            store_number(target.product_external_id)
            for target in targets
            if rows.get(_place(target), {}).get("manage_stock") == _PARENT
        }
        missing = sorted(parents - {number for route, number in rows if route == _PRODUCTS})
        if missing:
            rows.update(await self._rows(_PRODUCTS, missing))
        found = {}
        for target in targets:
            one = _shown(target, rows)
            if one is not None:
                found[target.variant_external_id] = one
        return found

    async def _rows(self, route: str, numbers: Sequence[int]) -> dict[Place, Mapping[str, Any]]:
        found: dict[Place, Mapping[str, Any]] = {}
        for start in range(0, len(numbers), _PAGE_SIZE):
            chunk = numbers[start : start + _PAGE_SIZE]
            params = (
                ("include", join_ids(chunk)),
                ("status", "any"),
                ("per_page", str(_PAGE_SIZE)),
                _FIELDS,
            )
            answer = await self._access.get_below(route, params)
            if answer is None:
                # The variations' product is gone.
                return found
            for row in self._access.rows(answer, route):
                if isinstance(row, dict) and row.get("id") in chunk:
                    found[route, row["id"]] = row
        return found


def _place(target: StockTarget) -> Place:
    """The row of a variant. The one variant of a simple product is the product itself."""
    number = store_number(target.variant_external_id)
    product = store_number(target.product_external_id)
    if number == product or not product:
        return _PRODUCTS, number
    return f"{_PRODUCTS}/{product}/variations", number


def _shown(target: StockTarget, rows: Mapping[Place, Mapping[str, Any]]) -> _Shown | None:
    place = _place(target)
    own = rows.get(place)
    if own is None:
        return None
    row = own
    if own.get("manage_stock") == _PARENT:
        place = _PRODUCTS, store_number(target.product_external_id)
        row = rows.get(place, {})
    return _Shown(
        place, row.get("manage_stock") is True, _quantity(row), version_of_number(own, row)
    )


def _answer(
    target: StockTarget, shown: Mapping[str, _Shown], written: Mapping[Place, Done]
) -> StockPushed:
    variant = target.variant_external_id
    one = shown.get(variant)
    if one is None:
        reason = "The shop has no such variant."
        return StockPushed(variant, Outcome.MISSING, reason=reason)
    if not one.counted:
        reason = (
            "The shop does not count this variant (its stock management is off): switch it on"
            " there, or let the hub track its stock."
        )
        return StockPushed(variant, Outcome.UNSUPPORTED, reason=reason)
    done = written[one.holder]
    details = {} if one.holder == _place(target) else {"counted_by": str(one.holder[1])}
    if done.refusal is not None:
        refusal = refused(variant, variant, done.refusal)
        return StockPushed(
            variant,
            refusal.outcome,
            one.quantity,
            reason=refusal.reason,
            details=details,
            version=one.version,
        )
    after = _quantity(done.row)
    if done.row.get("manage_stock") is not True or after is None:
        reason = "The shop stopped counting this variant meanwhile."
        return StockPushed(
            variant, Outcome.UNSUPPORTED, one.quantity, reason=reason, version=one.version
        )
    return StockPushed(
        variant,
        Outcome.DONE,
        one.quantity,
        after,
        details=details,
        version=version_of_number(done.row),
    )


def _quantity(row: Mapping[str, Any]) -> Decimal | None:
    raw = row.get("stock_quantity")
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        # An empty number is none to WooCommerce, which counts from there.
        return Decimal(0) if row.get("manage_stock") is True else None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        return None


def _whole(available: Decimal) -> Decimal:
    """WooCommerce counts whole pieces."""
    return available.to_integral_value(ROUND_FLOOR)


async def _each(routes: Sequence[str], work: Callable[[str], Any]) -> None:
    """Ask several routes, few at a time: a shop runs few PHP processes."""
    slots = asyncio.Semaphore(_IN_FLIGHT)

    async def one(route: str) -> None:
        async with slots:
            await work(route)

    try:
        async with asyncio.TaskGroup() as tasks:
            for route in routes:
                tasks.create_task(one(route))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
