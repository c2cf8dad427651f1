"""Bringing categories, customers and the status of orders to a shop.

Source: WooCommerce REST API docs (v3), and answers of 11.0.1. What cannot be done gently is not
done: categories and customers have no trash, so they are never deleted from here; a status alone
gives no money back, so `refunded` is never written.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.entities import Entity
from domain.pages import Page
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Address, Category, Customer, Order, Record
from domain.statuses import OrderStatus
from providers.woocommerce.access import ShopAccess
from providers.woocommerce.batches import Done, refused, send_batch
from providers.woocommerce.order_mapper import ORDER_STATUS
from providers.woocommerce.read_back import answer_for, nothing_to_say
from providers.woocommerce.writing import (
    HUB_REF,
    Field,
    changed_fields,
    is_held,
    new_fields,
    store_number,
)

BATCH: Final = 25
_PASSWORD_BYTES: Final = 24

_CATEGORY: Final[tuple[Field[Category], ...]] = (
    Field("name", "name", lambda category: category.name, keep_filled=True),
    Field("slug", "slug", lambda category: category.slug, keep_filled=True),
    Field(
        "parent", "parent_external_id", lambda category: store_number(category.parent_external_id)
    ),
    Field("description", "description", lambda category: category.description),
    Field("menu_order", "position", lambda category: category.position),
)
_CUSTOMER: Final[tuple[Field[Customer], ...]] = (
    Field("email", "email", lambda customer: customer.email, keep_filled=True),
    Field("first_name", "first_name", lambda customer: customer.first_name),
    Field("last_name", "last_name", lambda customer: customer.last_name),
)
_ORDER_WORD: Final[Mapping[OrderStatus, str]] = {
    **{status: word for word, status in ORDER_STATUS.items() if status is not OrderStatus.REFUNDED},
    # WooCommerce has no status of its own for it.
    OrderStatus.SHIPPED: "completed",
}
_UNPUBLISHABLE: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "WooCommerce can only delete a category for good: do that in the shop.",
    Entity.CUSTOMERS: "WooCommerce can only delete an account for good: do that in the shop.",
    Entity.ORDERS: "Orders are the shop's: they are deleted there.",
}


@dataclass(frozen=True, slots=True)
class PlainWriter:
    """Writes what is one row each.

    Args:
        routes: the list's route by entity.
        read: understands rows as the shop answered them.
    """

    access: ShopAccess
    routes: Mapping[Entity, str]
    read: Callable[[Entity, Sequence[Any]], Awaitable[Page[Record]]]

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> list[Pushed]:
        """Bring records to the shop; one answer each, in their order. Raises StoreError."""
        ends: dict[str, Pushed] = {}
        creates: list[tuple[Outgoing, dict[str, Any]]] = []
        updates: list[tuple[Outgoing, dict[str, Any]]] = []
        for item in items:
            body = _body(entity, item)
            if isinstance(body, Pushed):
                ends[item.key] = body
            elif item.external_id is None:
                creates.append((item, body))
            elif body:
                updates.append((item, {"id": store_number(item.external_id), **body}))
            else:
                ends[item.key] = nothing_to_say(item)
        route = self.routes[entity]
        for start in range(0, max(len(creates), len(updates)), BATCH):
            some, others = creates[start : start + BATCH], updates[start : start + BATCH]
            made, changed = await send_batch(
                self.access,
                route,
                create=[body for _, body in some],
                update=[body for _, body in others],
            )
            sent = [item for item, _ in (*some, *others)]
            ends |= await self._answers(entity, sent, [*made, *changed])
        return [ends[item.key] for item in items]

    async def _answers(
        self, entity: Entity, sent: Sequence[Outgoing], dones: Sequence[Done]
    ) -> dict[str, Pushed]:
        page = await self.read(entity, [done.row for done in dones if done.refusal is None])
        answers = {}
        for item, done in zip(sent, dones, strict=True):
            if done.refusal is not None:
                answers[item.key] = refused(item.key, item.external_id, done.refusal)
            else:
                number = str(done.row.get("id"))
                answers[item.key] = answer_for(entity, item, number, page, frozenset())
        return answers


def _body(entity: Entity, item: Outgoing) -> dict[str, Any] | Pushed:
    """What to send of an item, or why nothing is."""
    record, base = item.record, item.compared
    match record:
        case Category():
            return _changes(_CATEGORY, item, record, base if isinstance(base, Category) else None)
        case Customer():
            return _customer_body(item, record, base if isinstance(base, Customer) else None)
        case Order():
            return _order_body(item, record, item.base if isinstance(item.base, Order) else None)
        case _:
            return _unsupported(item, _UNPUBLISHABLE[entity])


def _changes(
    fields: Sequence[Field[Any]], item: Outgoing, record: Record, base: Record | None
) -> dict[str, Any]:
    if item.external_id is None:
        return new_fields(fields, record)
    return changed_fields(fields, record, base, item.held)


def _customer_body(
    item: Outgoing, record: Customer, base: Customer | None
) -> dict[str, Any] | Pushed:
    if record.is_guest:
        return _unsupported(item, "Guests have no account in the shop.")
    body = _changes(_CUSTOMER, item, record, base)
    for kind in ("billing", "shipping"):
        if changed := _address_changes(kind, item, record, base):
            body[kind] = changed
    if item.external_id is not None:
        return body
    if not record.email:
        return _unsupported(item, "WooCommerce makes no account without an e-mail address.")
    # The shop may be set to want one. Nobody knows it: the buyer asks the shop for a new one.
    body["password"] = secrets.token_urlsafe(_PASSWORD_BYTES)
    return {**body, "meta_data": [{"key": HUB_REF, "value": item.key}]}


def _address_changes(
    kind: str, item: Outgoing, record: Customer, base: Customer | None
) -> dict[str, str]:
    """The changed members of an address; the shop keeps the others."""
    now = _address(kind, record)
    before = _address(kind, base) if base is not None else {}
    return {
        name: value
        for name, value in now.items()
        if value != before.get(name, "" if item.external_id is None else None)
        and not is_held(item.held, f"{kind}.{name}")
        and not (name == "phone" and is_held(item.held, "phone"))
    }


def _address(kind: str, customer: Customer) -> dict[str, str]:
    """An address as the shop has it. The customer's phone is the billing address's there."""
    address: Address = customer.billing if kind == "billing" else customer.shipping
    members: dict[str, str] = address.model_dump()
    if kind == "shipping":
        del members["email"]
    elif customer.phone and customer.phone != customer.shipping.phone:
        members["phone"] = customer.phone
    return members


def _order_body(item: Outgoing, record: Order, base: Order | None) -> dict[str, Any] | Pushed:
    if item.external_id is None:
        return _unsupported(item, "Orders are made in the shop.")
    word = order_word(record, base)
    if base is not None and word == base.raw_status and not item.is_forced:
        return {}
    if is_held(item.held, "status"):
        return {}
    if not word:
        return _unsupported(
            item,
            f"WooCommerce has no status for {record.status.value}. If the shop has one of its own,"
            " name it in the store's orderStatusMap.",
        )
    if ORDER_STATUS.get(word) is OrderStatus.REFUNDED:
        return _unsupported(
            item,
            "A status alone gives no money back: refund the order in the shop.",
        )
    return {"status": word}


def order_word(record: Order, base: Order | None) -> str:
    """The shop's own word for an order's status; empty if it has none.

    `raw_status` counts if it is a word of the shop's own, or means the same; one left over from
    before the status was changed does not.
    """
    raw = record.raw_status.removeprefix("wc-")
    if base is not None and record.status is base.status:
        return raw or base.raw_status
    is_stale = base is not None and raw == base.raw_status
    if raw and not is_stale and ORDER_STATUS.get(raw, record.status) is record.status:
        return raw
    if record.status is OrderStatus.REFUNDED:
        return "refunded"
    return _ORDER_WORD.get(record.status, "")


def _unsupported(item: Outgoing, reason: str) -> Pushed:
    return Pushed(item.key, Outcome.UNSUPPORTED, item.external_id, reason=reason)
