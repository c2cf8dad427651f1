"""One WooCommerce shop: everything the hub can ask of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import SecretStr

from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.pushing import Outgoing, Pushed, StockPushed, StockShown, StockTarget, Wanted
from domain.records import Product, Record
from providers._kit.answers import Answer
from providers._kit.protocols import Subscription
from providers.woocommerce import product_fields
from providers.woocommerce.finding import Finder
from providers.woocommerce.lists import ROUTES
from providers.woocommerce.plain_writes import PlainWriter
from providers.woocommerce.product_writes import ProductWriter
from providers.woocommerce.selecting import WooCommerceSelector
from providers.woocommerce.stock import StockWriter
from providers.woocommerce.subscriptions import WebhookSubscriptions


class WooCommerceClient(WooCommerceSelector):
    """Reads and writes one shop. Opens nothing by itself: the session is shared."""

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        """Bring records to the shop: one answer per item, in their order.

        Raises:
            ValueError: records of this kind are not written.
            StoreError: the shop is away or refuses the keys.
        """
        if entity is Entity.PRODUCTS:
            read_back = partial(self.fetch_by_ids, Entity.PRODUCTS)
            return await ProductWriter(self.known, read_back).push(items)
        if entity not in ROUTES:
            raise ValueError(f"{entity} are not written on their own")
        return await PlainWriter(self.known, ROUTES, self._read_answer).push(entity, items)

    def spared(self, record: Record, base: Record | None) -> frozenset[str]:
        """See `providers._kit.sparing.SparesFields`."""
        if isinstance(record, Product) and isinstance(base, Product):
            return product_fields.spared(record, base)
        return frozenset()

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        """Which of these are in the shop already, by our key. Raises StoreError."""
        return await Finder(self.known, self).find(wanted)

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        """What the shop shows, by variant id. Raises StoreError."""
        return await StockWriter(self.known).read_stock(targets)

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        """Set the numbers, one answer per target, in their order. Raises StoreError."""
        return await StockWriter(self.known).push_stock(targets)

    async def list_subscriptions(self) -> Sequence[Subscription]:
        """Every webhook the shop has. Raises StoreError."""
        return await WebhookSubscriptions(self.known).list_subscriptions()

    async def subscribe(self, topic: str, delivery_url: str, secret: SecretStr) -> Subscription:
        """Create a webhook. Raises StoreError."""
        return await WebhookSubscriptions(self.known).subscribe(topic, delivery_url, secret)

    async def activate(self, subscription: Subscription, secret: SecretStr) -> Subscription:
        """Switch a webhook on again, with this secret. Raises StoreError."""
        return await WebhookSubscriptions(self.known).activate(subscription, secret)

    async def unsubscribe(self, external_id: str) -> None:
        """Delete a webhook; it is no error that it is gone. Raises StoreError."""
        await WebhookSubscriptions(self.known).unsubscribe(external_id)

    async def _read_answer(self, entity: Entity, rows: Sequence[Any]) -> Page[Record]:
        return await self.read_rows(entity, rows, Answer(200, {}, b""))
