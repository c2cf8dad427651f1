"""Bringing products to a shop: the products in batches, then the variations of each.

Source: WooCommerce REST API docs (v3), and answers of 11.0.1. A batch holds few products when the
shop has to fetch pictures for them, because it does so while we wait. Nothing is deleted: what is
taken off sale becomes a draft, a variation of no use a private one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from domain.entities import Entity
from domain.pages import Page
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Product, Record
from providers.woocommerce import images
from providers.woocommerce.access import ShopAccess, join_ids
from providers.woocommerce.attributes import attribute_rows
from providers.woocommerce.batches import Refusal, refused, send_batch
from providers.woocommerce.product_fields import (
    UNPUBLISHED,
    new_product,
    new_variant,
    product_changes,
    sells_variants,
    spared,
    variant_changes,
)
from providers.woocommerce.read_back import answer_for, nothing_to_say
from providers.woocommerce.tags import resolve_tags
from providers.woocommerce.variation_writes import VariationPlan, plan_variations, send_variations
from providers.woocommerce.writing import HUB_REF, is_held, store_number

BATCH: Final = 25
BATCH_WITH_IMAGES: Final = 10
_IN_FLIGHT: Final = 2
_ROUTE: Final = "products"

ReadBack = Callable[[Sequence[str]], Awaitable[Page[Record]]]


@dataclass(slots=True)
class _Plan:
    """One product on its way.

    Attributes:
        body: the members to send.
        row: the product as the shop has it, as far as it is known.
        variations: what is to be done with its variations.
        was_sent: whether anything was written.
    """

    item: Outgoing
    external_id: str | None
    product: Product | None
    base: Product | None
    body: dict[str, Any] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    variations: VariationPlan | None = None
    made: frozenset[str] = frozenset()
    was_sent: bool = False
    end: Pushed | None = None
    trouble: Pushed | None = None

    @property
    def changes_attributes(self) -> bool:
        """Whether the options its variants differ by are to be sent."""
        if self.product is None or is_held(self.item.held, "options"):
            return False
        if self.item.external_id is None or self.base is None:
            return bool(self.product.options) or sells_variants(self.product)
        return self.product.options != self.base.options

    @property
    def changes_tags(self) -> bool:
        """Whether its tags are to be sent."""
        if self.product is None or is_held(self.item.held, "tags"):
            return False
        before = self.base.tags if self.base is not None else ()
        return sorted(self.product.tags) != sorted(before)

    @property
    def fetches(self) -> bool:
        """Whether the shop has to fetch pictures."""
        return images.fetches(self.body.get("images"))


class ProductWriter:
    """Writes products.

    Args:
        read_back: reads products by id, at most a page of them.
    """

    def __init__(self, access: ShopAccess, read_back: ReadBack) -> None:
        self._access = access
        self._read_back = read_back
        self._host = urlsplit(access.store_url).hostname or ""

    async def push(self, items: Sequence[Outgoing]) -> list[Pushed]:
        """Bring products to the shop; one answer each, in their order. Raises StoreError."""
        plans = [self._plan(item) for item in items]
        await self._add_lookups([plan for plan in plans if plan.end is None])
        due = [plan for plan in plans if plan.end is None and plan.body]
        heavy = [plan for plan in due if plan.fetches]
        light = [plan for plan in due if not plan.fetches]
        for start in range(0, len(light), BATCH):
            await self._send(light[start : start + BATCH])
        for start in range(0, len(heavy), BATCH_WITH_IMAGES):
            await self._send(heavy[start : start + BATCH_WITH_IMAGES])
        await self._remember_sources([plan for plan in heavy if plan.end is None])
        await self._send_variations([plan for plan in plans if plan.end is None])
        return await self._answers(plans)

    def _plan(self, item: Outgoing) -> _Plan:
        product = item.record if isinstance(item.record, Product) else None
        base = item.base if isinstance(item.base, Product) else None
        if item.is_forced and product is not None and base is not None:
            item = replace(item, held=item.held | spared(product, base))
        plan = _Plan(item, item.external_id, product, base)
        if product is None:
            if item.external_id is None:
                plan.end = nothing_to_say(item)
            elif base is None or base.raw_status != UNPUBLISHED:
                plan.body = {"status": UNPUBLISHED}
            return plan
        if item.external_id is None and product.kind == "grouped":
            reason = "A grouped product names other products of its own shop: make it by hand."
            plan.end = Pushed(item.key, Outcome.UNSUPPORTED, reason=reason)
            return plan
        plan.body = _members(item, product, base)
        if not is_held(item.held, "images"):
            current = base.images if base is not None else ()
            rows = images.image_rows(product.images, current, shop_host=self._host)
            if rows is not None:
                plan.body["images"] = rows
        if sells_variants(product):
            plan.variations = plan_variations(item, product, base)
        return plan

    async def _add_lookups(self, plans: Sequence[_Plan]) -> None:
        """What is known by id alone: the attributes a product has now, and tags."""
        asked = {
            store_number(plan.external_id): plan
            for plan in plans
            if plan.external_id is not None
            and (
                plan.changes_attributes
                or (plan.variations is not None and plan.variations.names_options)
            )
        }
        for row in await self._current(sorted(number for number in asked if number)):
            asked[row["id"]].row = row
        for plan in plans:
            if plan.changes_attributes and plan.product is not None:
                known = plan.row.get("attributes") or ()
                plan.body["attributes"] = attribute_rows(plan.product, known)
        tagged = [plan for plan in plans if plan.changes_tags and plan.product is not None]
        names = {name for plan in tagged if plan.product for name in plan.product.tags}
        ids = await resolve_tags(self._access, names)
        for plan in tagged:
            tags = plan.product.tags if plan.product is not None else ()
            plan.body["tags"] = [{"id": ids[name]} for name in tags if name in ids]

    async def _current(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        if not numbers:
            return []
        params = (
            ("include", join_ids(numbers)),
            ("status", "any"),
            ("per_page", "100"),
            ("_fields", "id,attributes"),
        )
        answer = await self._access.get(_ROUTE, params)
        rows = self._access.rows(answer, _ROUTE)
        return [row for row in rows if isinstance(row, dict) and row.get("id") in numbers]

    async def _send(self, plans: Sequence[_Plan]) -> None:
        if not plans:
            return
        creates = [plan for plan in plans if plan.external_id is None]
        updates = [plan for plan in plans if plan.external_id is not None]
        made, changed = await send_batch(
            self._access,
            _ROUTE,
            create=[plan.body for plan in creates],
            update=[{"id": store_number(plan.external_id), **plan.body} for plan in updates],
        )
        for plan, done in zip([*creates, *updates], [*made, *changed], strict=True):
            if done.refusal is not None:
                plan.end = await self._refused(plan, done.refusal)
                continue
            plan.row, plan.was_sent = done.row, True
            plan.external_id = str(done.row["id"])

    async def _refused(self, plan: _Plan, refusal: Refusal) -> Pushed:
        if plan.external_id is None and refusal.is_taken and refusal.holder is not None:
            params = (("include", refusal.holder), ("status", "trash"), ("_fields", "id"))
            answer = await self._access.get(_ROUTE, params)
            if self._access.rows(answer, _ROUTE):
                reason = (
                    f"{refusal.reason}. Product {refusal.holder} has it, and lies in the shop's"
                    " trash: restore it or delete it for good, then retry."
                )
                return Pushed(plan.item.key, Outcome.REFUSED, is_permanent=True, reason=reason)
        return refused(plan.item.key, plan.item.external_id, refusal)

    async def _remember_sources(self, plans: Sequence[_Plan]) -> None:
        """Keep in the shop which of its copies of pictures came from where."""
        for start in range(0, len(plans), BATCH):
            rows = [
                {
                    "id": store_number(plan.external_id),
                    "meta_data": [images.sources_entry(plan.body["images"], plan.row)],
                }
                for plan in plans[start : start + BATCH]
            ]
            await send_batch(self._access, _ROUTE, update=rows)

    async def _send_variations(self, plans: Sequence[_Plan]) -> None:
        slots = asyncio.Semaphore(_IN_FLIGHT)

        async def send(plan: _Plan, todo: VariationPlan) -> None:
            async with slots:
                attributes = plan.row.get("attributes") or ()
                product = plan.external_id or ""
                result = await send_variations(self._access, product, todo, attributes)
            plan.made = result.made
            plan.was_sent = plan.was_sent or result.wrote
            if result.refusals:
                plan.trouble = Pushed(
                    plan.item.key,
                    Outcome.REFUSED,
                    plan.external_id,
                    is_permanent=all(one.is_permanent for one in result.refusals),
                    reason="; ".join(one.reason for one in result.refusals)[:1_000],
                )

        try:
            async with asyncio.TaskGroup() as tasks:
                for plan in plans:
                    if plan.variations is not None and plan.variations.has_work:
                        tasks.create_task(send(plan, plan.variations))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _answers(self, plans: Sequence[_Plan]) -> list[Pushed]:
        written = [plan.external_id for plan in plans if plan.end is None and plan.was_sent]
        ids = [external_id for external_id in written if external_id is not None]
        page: Page[Record] = await self._read_back(ids) if ids else Page()
        return [_answer(plan, page) for plan in plans]


def _members(item: Outgoing, product: Product, base: Product | None) -> dict[str, Any]:
    is_simple = not sells_variants(product) and len(product.variants) == 1
    if item.external_id is None:
        body = new_product(product)
        if is_simple:
            body |= new_variant(product.variants[0])
        return {**body, "meta_data": [{"key": HUB_REF, "value": item.key}]}
    body = product_changes(product, base, item.held, is_forced=item.is_forced)
    if is_simple:
        variant = product.variants[0]
        before = base.variants[0] if base is not None and len(base.variants) == 1 else None
        body |= variant_changes(variant, before, item.held, product.extra, is_forced=item.is_forced)
    return body


def _answer(plan: _Plan, page: Page[Record]) -> Pushed:
    if plan.end is not None:
        return plan.end
    if plan.trouble is not None:
        return plan.trouble
    if not plan.was_sent or plan.external_id is None:
        return nothing_to_say(plan.item)
    return answer_for(Entity.PRODUCTS, plan.item, plan.external_id, page, plan.made)
