"""Bringing the variations of one product to a shop.

Source: WooCommerce REST API docs (v3, product variations). A variation has no trash, so one that is
not wanted any more is made private, which takes it off sale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Product, Variant
from providers._kit.wire_values import read_name
from providers.woocommerce.access import ShopAccess, header_number
from providers.woocommerce.attributes import chosen_options
from providers.woocommerce.batches import Done, refused, send_batch
from providers.woocommerce.product_fields import new_variant, variant_changes
from providers.woocommerce.writing import is_held, store_number

_BATCH: Final = 50
_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class _Change:
    """One variation that the shop has, and what to change of it."""

    variant: Variant
    body: Mapping[str, Any]
    names_options: bool


@dataclass(frozen=True, slots=True)
class VariationPlan:
    """What is to be done with the variations of a product.

    Attributes:
        is_new: whether the product is created by the same push.
        hidden: the numbers of those that are taken off sale.
    """

    is_new: bool
    creates: tuple[Variant, ...] = ()
    changes: tuple[_Change, ...] = ()
    hidden: tuple[int, ...] = ()

    @property
    def has_work(self) -> bool:
        """Whether anything is to be sent."""
        return bool(self.creates or self.changes or self.hidden)

    @property
    def names_options(self) -> bool:
        """Whether the product's attributes must be known to spell a variation's choice."""
        return bool(self.creates) or any(one.names_options for one in self.changes)


@dataclass(slots=True)
class VariationResult:
    """What came of it.

    Attributes:
        made: the ids of variations that were created or found to be ours.
        refusals: what the shop did not take.
    """

    made: frozenset[str] = frozenset()
    refusals: list[Pushed] = field(default_factory=list)
    wrote: bool = False


def plan_variations(item: Outgoing, product: Product, base: Product | None) -> VariationPlan:
    """Sort a product's variants into what is new, changed and not wanted any more."""
    own = store_number(item.external_id)
    known = {one.external_id: one for one in base.variants} if base is not None else {}
    creates, changes = [], []
    kept = set()
    for variant in product.variants:
        number = store_number(variant.external_id)
        # The one variant of a simple product has the product's id, and is no variation.
        if not number or number == own:
            creates.append(variant)
            continue
        kept.add(variant.external_id)
        before = known.get(variant.external_id)
        body = variant_changes(variant, before, item.held, variant.extra, is_forced=item.is_forced)
        is_held_back = is_held(item.held, f"variants.{variant.external_id}.option_values")
        changed = before is None or dict(before.option_values) != dict(variant.option_values)
        if body or (changed and not is_held_back):
            changes.append(_Change(variant, body, changed and not is_held_back))
    hidden = tuple(
        store_number(one.external_id)
        for one in known.values()
        if one.is_active
        and one.external_id not in kept
        and store_number(one.external_id) not in (0, own)
        and not is_held(item.held, f"variants.{one.external_id}")
    )
    return VariationPlan(item.external_id is None, tuple(creates), tuple(changes), hidden)


async def send_variations(
    access: ShopAccess,
    product: str,
    plan: VariationPlan,
    attributes: Sequence[Mapping[str, Any]],
) -> VariationResult:
    """Create and update the variations of a product.

    Args:
        attributes: the product's attributes as the shop has them.

    Raises:
        StoreError: a batch as a whole did not go through.
    """
    route = f"products/{product}/variations"
    # A push that was cut off may have made some of them.
    there = [] if plan.is_new or not plan.creates else await _existing(access, route)
    creates: list[tuple[Variant, dict[str, Any]]] = []
    updates: list[tuple[Variant, dict[str, Any]]] = []
    for change in plan.changes:
        body = {"id": store_number(change.variant.external_id), **change.body}
        if change.names_options:
            body["attributes"] = chosen_options(change.variant, attributes)
        updates.append((change.variant, body))
    for variant in plan.creates:
        body = {**new_variant(variant), "attributes": chosen_options(variant, attributes)}
        number = _twin(variant, there)
        if number:
            updates.append((variant, {"id": number, **body}))
        else:
            creates.append((variant, body))
    updates += [(Variant(external_id=str(n)), {"id": n, "status": "private"}) for n in plan.hidden]
    return await _send(access, route, creates, updates)


async def _send(
    access: ShopAccess,
    route: str,
    creates: Sequence[tuple[Variant, dict[str, Any]]],
    updates: Sequence[tuple[Variant, dict[str, Any]]],
) -> VariationResult:
    result = VariationResult(wrote=True)
    made: set[str] = set()
    for start in range(0, max(len(creates), len(updates)), _BATCH):
        some, others = creates[start : start + _BATCH], updates[start : start + _BATCH]
        done, changed = await send_batch(
            access,
            route,
            create=[body for _, body in some],
            update=[body for _, body in others],
        )
        for (variant, _), one in zip([*some, *others], [*done, *changed], strict=True):
            if one.refusal is None:
                made.add(str(one.row.get("id")))
            else:
                result.refusals.append(_trouble(variant, one))
    ours = {variant.external_id for variant, _ in updates}
    result.made = frozenset(made - ours)
    return result


def _trouble(variant: Variant, done: Done) -> Pushed:
    name = f"variant {variant.sku or variant.title or variant.external_id or 'without SKU'}"
    if done.refusal is None:
        raise ValueError("nothing was refused")
    answer = refused("", variant.external_id or None, done.refusal)
    # The product is there: only this variation is gone, and the product's next reading shows it.
    is_permanent = answer.is_permanent and answer.outcome is not Outcome.MISSING
    return Pushed("", Outcome.REFUSED, is_permanent=is_permanent, reason=f"{name}: {answer.reason}")


async def _existing(access: ShopAccess, route: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for page in range(1, _MOST_PAGES + 1):
        params = (
            ("per_page", str(_PAGE_SIZE)),
            ("page", str(page)),
            ("orderby", "id"),
            ("order", "asc"),
            ("_fields", "id,sku,attributes"),
        )
        answer = await access.get_below(route, params)
        if answer is None:
            return found
        rows = access.rows(answer, route)
        found += [row for row in rows if isinstance(row, dict)]
        if len(rows) < _PAGE_SIZE or page == header_number(answer, "x-wp-totalpages"):
            break
    return found


def _twin(variant: Variant, there: Sequence[Mapping[str, Any]]) -> int:
    """The number of the variation that is this variant already; 0 if there is none."""
    for row in there:
        number = row.get("id")
        if not isinstance(number, int):
            continue
        if variant.sku and row.get("sku") == variant.sku:
            return number
        if not row.get("sku") and variant.option_values and _options(row) == variant.option_values:
            return number
    return 0


def _options(row: Mapping[str, Any]) -> dict[str, str]:
    rows = row.get("attributes")
    return {
        read_name(str(one.get("name", ""))): str(one.get("option", ""))
        for one in (rows if isinstance(rows, list) else ())
        if isinstance(one, dict)
    }
