"""Telling which of a store's variants is which of ours, when a product meets its copy. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from domain.records import Variant

T = TypeVar("T")

Key = str | tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class HubVariant:
    """A variant as the hub has it; `external_id` is its id in the store, once it is linked."""

    id: int
    sku: str = ""
    option_values: Mapping[str, str] = field(default_factory=dict)
    external_id: str | None = None


def pair_variants(
    ours: Sequence[HubVariant], theirs: Sequence[Variant], *, in_order: bool = False
) -> tuple[tuple[int, str], ...]:
    """(our id, the store's id) of the variants that are the same.

    In this order: linked already; the same SKU; the same options; the only one on either side.
    What is true of two on one side says nothing, and pairs nobody.

    Args:
        in_order: whether the store answers with what it was just sent: as many as are left on
            either side are the same, one after the other.
    """
    pairs: list[tuple[int, str]] = []
    left, right = list(ours), list(theirs)
    keys: tuple[tuple[Callable[[HubVariant], Key], Callable[[Variant], Key]], ...] = (
        (lambda one: one.external_id, lambda one: one.external_id),
        (lambda one: one.sku, lambda one: one.sku),
        (lambda one: _options(one.option_values), lambda one: _options(one.option_values)),
    )
    for key_of_ours, key_of_theirs in keys:
        known, told = _single(left, key_of_ours), _single(right, key_of_theirs)
        for key in known.keys() & told.keys():
            pairs.append((known[key].id, told[key].external_id))
            left.remove(known[key])
            right.remove(told[key])
    if len(left) == len(right) and (in_order or len(ours) == len(theirs) == 1):
        pairs += [(one.id, other.external_id) for one, other in zip(left, right, strict=True)]
    return tuple(sorted(pairs))


def _single(variants: Sequence[T], key_of: Callable[[T], Key]) -> dict[Key, T]:
    found: dict[Key, list[T]] = {}
    for one in variants:
        if key := key_of(one):
            found.setdefault(key, []).append(one)
    return {key: held[0] for key, held in found.items() if len(held) == 1}


def _options(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.casefold(), value.casefold()) for name, value in values.items()))
