"""Whether a store has been told all there is to tell. Pure."""

from collections.abc import Iterable

from domain.entities import Entity
from domain.fields import FIELD_GROUPS, flatten_variants, paths_between, variant_path
from domain.records import Product, Record


def says_same(entity: Entity, record: Record, base: Record, *, held: Iterable[str] = ()) -> bool:
    """Whether nothing of the record is left to be told to the store that has `base`.

    Args:
        held: paths that wait for a person and are told to nobody; a variant's covers its fields.
    """
    if isinstance(record, Product) and not all(one.external_id for one in record.variants):
        return False
    waiting = frozenset(held) | foreign_prices(record, base)
    return all(
        mine == theirs or _is_held(path, waiting)
        for path, (mine, theirs) in paths_between(entity, record, base).items()
    )


def foreign_prices(record: Record | None, base: Record | None) -> frozenset[str]:
    """The paths of prices that the store has in another currency: they are told to nobody."""
    if not isinstance(record, Product) or not isinstance(base, Product):
        return frozenset()
    if record.currency == base.currency:
        return frozenset()
    return frozenset(
        f"variants.{key}.{name}" for key in flatten_variants(record) for name in _PRICES
    )


def _is_held(path: str, held: frozenset[str]) -> bool:
    key, name = variant_path(path)
    return path in held or (name is not None and f"variants.{key}" in held)


_PRICES = FIELD_GROUPS["price"]
