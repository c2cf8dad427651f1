"""Bringing one record to the store. After each write the record is read back: what the store
answers to a write is not documented.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from domain.entities import Entity
from domain.errors import (
    InvalidRecordError,
    RequestRejectedError,
    RouteMissingError,
    StoreUnavailableError,
)
from domain.fields import replace, value_at
from domain.pages import Pulled
from domain.pushing import Outcome, Outgoing, Pushed, Wanted
from domain.records import Category, Order, Product, Record
from providers.easyorder.access import ShopAccess, unwrap_record
from providers.easyorder.bodies import (
    category_body,
    changed_paths,
    changes_variants,
    is_simple,
    lacks_price,
    only_variant_body,
    product_body,
    variants_body,
)
from providers.easyorder.finding import Finder
from providers.easyorder.lists import item_route
from providers.easyorder.statuses import ORDER_STATUS, word_for
from providers.easyorder.wire import ProductWire, describe, row_id

RecordT = TypeVar("RecordT", bound=Record)

_NO_CREATION: Final = "EasyOrder has no way to create or delete orders by API."
_CONTENT: Final = frozenset((400, 409, 413, 422))


class _RefusedError(Exception):
    """What is to be sent cannot be, whatever the store says."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Writes to one store."""

    access: ShopAccess
    finder: Finder

    async def push(self, entity: Entity, item: Outgoing) -> Pushed:
        """Create, update, hide, or set an order's status.

        Raises:
            StoreError: the store is away, refuses the key, or is suspended.
        """
        ways: dict[Entity, Callable[[Outgoing], Awaitable[Pushed]]] = {
            Entity.PRODUCTS: self._push_product,
            Entity.CATEGORIES: self._push_category,
            Entity.ORDERS: self._push_order,
        }
        way = ways.get(entity)
        if way is None:
            return _unsupported(item, f"EasyOrder keeps no {entity.value}.")
        try:
            return await way(item)
        except RouteMissingError as error:
            if item.external_id is None:
                raise
            return Pushed(
                item.key, Outcome.MISSING, external_id=item.external_id, reason=str(error)
            )
        except RequestRejectedError as error:
            if error.status not in _CONTENT:
                raise
            return _refused(item, str(error))
        except (_RefusedError, ValueError) as error:
            return _refused(item, str(error))

    async def _push_category(self, item: Outgoing) -> Pushed:
        record = _expected(item, Category)
        if record is None:
            return await self._hide(Entity.CATEGORIES, item)
        changed = changed_paths(Entity.CATEGORIES, record, item.compared)
        body = category_body(record, changed, key=item.key)
        wanted = Wanted(
            item.key,
            Entity.CATEGORIES,
            slug=str(body.get("slug", record.slug)),
            parent_external_id=record.parent_external_id,
        )
        return await self._send(Entity.CATEGORIES, item, body, wanted)

    async def _push_product(self, item: Outgoing) -> Pushed:
        record = _expected(item, Product)
        if record is None:
            return await self._hide(Entity.PRODUCTS, item)
        changed = changed_paths(Entity.PRODUCTS, record, item.compared)
        body = product_body(record, changed, key=item.key)
        lost = ""
        if is_simple(record, item.external_id):
            body |= only_variant_body(record, changed)
        elif changes_variants(changed):
            if item.external_id is None or self.access.config.variants_on_update:
                now = await self._read_wire(item.external_id)
                body |= variants_body(record, now, key=item.key)
            else:
                lost = (
                    "Changes of variants are not sent: 'Send variants with updates' is switched"
                    " off in this store's connection."
                )
        if item.external_id is None:
            if lacks_price(record):
                raise _RefusedError("The store wants a price for everything that is sold.")
            body.setdefault("taager_code", item.key)
        wanted = Wanted(
            item.key,
            Entity.PRODUCTS,
            skus=tuple(one.sku for one in record.variants if one.sku),
            slug=str(body.get("slug", record.slug)),
        )
        pushed = await self._send(Entity.PRODUCTS, item, body, wanted)
        if lost and pushed.outcome is Outcome.DONE:
            return Pushed(
                item.key, Outcome.UNSUPPORTED, pushed.external_id, pushed.pulled, reason=lost
            )
        return pushed

    async def _push_order(self, item: Outgoing) -> Pushed:
        record = _expected(item, Order)
        if record is None or item.external_id is None:
            return _unsupported(item, _NO_CREATION)
        base = item.base
        if isinstance(base, Order) and base.status is record.status and not item.is_forced:
            return Pushed(item.key, Outcome.DONE, external_id=item.external_id)
        word = self._status_word(record, base)
        if word is None:
            return _unsupported(
                item, f"EasyOrder has no status for {record.status.value}: set it in the store."
            )
        route = item_route(Entity.ORDERS, item.external_id)
        await self.access.write("PATCH", f"{route}/status", {"status": word})
        return await self._read_back(Entity.ORDERS, item, item.external_id)

    def _status_word(self, order: Order, base: Record | None) -> str | None:
        """A word of the store that came with the record wins, unless it is the order's old one."""
        raw = order.raw_status
        is_old = isinstance(base, Order) and raw == base.raw_status
        if raw in ORDER_STATUS and not is_old:
            return raw
        return word_for(order.status, self.access.config.processing_word)

    async def _hide(self, entity: Entity, item: Outgoing) -> Pushed:
        """Take off sale: nothing can be deleted by API (docs: no such route)."""
        if item.external_id is None:
            return Pushed(item.key, Outcome.DONE)
        return await self._send(entity, item, {"hidden": True}, None)

    async def _send(
        self, entity: Entity, item: Outgoing, body: dict[str, Any], wanted: Wanted | None
    ) -> Pushed:
        if item.external_id is not None:
            if body:
                await self.access.write("PATCH", item_route(entity, item.external_id), body)
            return await self._read_back(entity, item, item.external_id)
        answered = await self.access.write("POST", entity.value, body)
        external_id = row_id(unwrap_record(answered))
        if external_id is not None:
            return await self._read_back(entity, item, external_id)
        found = await self.finder.find([wanted]) if wanted is not None else {}
        pulled = found.get(item.key)
        if pulled is None:
            # It may be there all the same: the next try looks for it first.
            raise StoreUnavailableError(
                f"{self.access.describe('POST', entity.value)}: the store took it, but tells no id"
                " for it, and it is not found."
            )
        return Pushed(item.key, Outcome.DONE, pulled.external_id, pulled)

    async def _read_back(self, entity: Entity, item: Outgoing, external_id: str) -> Pushed:
        pulled: Pulled[Record] | None = await self.finder.read(entity, external_id)
        if pulled is None:
            return Pushed(
                item.key,
                Outcome.MISSING,
                external_id=external_id,
                reason="The store has no such record any more.",
            )
        return Pushed(item.key, Outcome.DONE, external_id, pulled)

    async def _read_wire(self, external_id: str | None) -> ProductWire | None:
        if external_id is None:
            return None
        row = await self.access.find_listed(item_route(Entity.PRODUCTS, external_id))
        if row is None:
            raise RouteMissingError("The store has no such product any more.", status=404)
        try:
            return ProductWire.model_validate(row)
        except (ValidationError, InvalidRecordError) as error:
            told = describe(error) if isinstance(error, ValidationError) else str(error)
            raise _RefusedError(f"The store's own product cannot be understood: {told}") from None


def _expected(item: Outgoing, kind: type[RecordT]) -> RecordT | None:
    """The record to send, fields that wait for a person as they were; None takes it off sale."""
    record = item.record
    if record is None:
        return None
    for path in sorted(item.held) if item.base is not None else ():
        # A variant that only one side has cannot be put back: it is sent as it is.
        with suppress(ValueError):
            agreed = value_at(_ENTITY[kind], item.base, path)
            record = replace(_ENTITY[kind], record, {path: agreed})
    if not isinstance(record, kind):
        raise TypeError(f"{item.key} is no {kind.__name__}")
    return record


def _refused(item: Outgoing, reason: str) -> Pushed:
    return Pushed(
        item.key,
        Outcome.REFUSED,
        external_id=item.external_id,
        is_permanent=True,
        reason=reason,
    )


def _unsupported(item: Outgoing, reason: str) -> Pushed:
    return Pushed(item.key, Outcome.UNSUPPORTED, external_id=item.external_id, reason=reason)


_ENTITY: Final[dict[type[Record], Entity]] = {
    Category: Entity.CATEGORIES,
    Product: Entity.PRODUCTS,
    Order: Entity.ORDERS,
}
