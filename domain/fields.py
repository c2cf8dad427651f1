"""The fields of a record that stores share, by path. Pure.

A path is a field's name, or for a variant `variants.{external id}.{field}`. The path
`variants.{external id}` is the variant itself, where only one side has it. Values are JSON. What is
not here (a store's raw status, kind, currency, extra, when it was made; of an order everything but
its status) belongs to the store the record came from, and is never merged.
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.entities import Entity
from domain.records import Category, Customer, Order, Product, Record

Values = Mapping[str, Any]

RECORD_PATH: Final = "record"
"""Whether the record is there at all: the path of a deletion against an edit."""

MODELS: Final[Mapping[Entity, type[Record]]] = {
    Entity.CATEGORIES: Category,
    Entity.PRODUCTS: Product,
    Entity.CUSTOMERS: Customer,
    Entity.ORDERS: Order,
}

FIELD_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "texts": frozenset(("title", "name", "slug", "description", "short_description")),
    "price": frozenset(("price", "compare_at_price")),
    "media": frozenset(("images",)),
    "organisation": frozenset(("category_external_ids", "tags", "parent_external_id", "position")),
    "variants": frozenset(("options", "variants", "sku", "barcode", "option_values"))
    | frozenset(("tracks_stock", "in_stock", "allows_backorder", "weight")),
    "contact": frozenset(("email", "phone", "first_name", "last_name", "billing", "shipping")),
    "status": frozenset(("status", RECORD_PATH)),
}
"""Groups of fields that may have a conflict policy of their own, by the last part of a path."""

SHARED: Final[Mapping[Entity, tuple[str, ...]]] = {
    Entity.CATEGORIES: ("name", "slug", "parent_external_id", "description", "position"),
    Entity.PRODUCTS: (
        *("title", "slug", "status", "description", "short_description"),
        *("category_external_ids", "tags", "images", "options"),
    ),
    Entity.CUSTOMERS: ("email", "phone", "first_name", "last_name", "billing", "shipping"),
    Entity.ORDERS: ("status",),
}

SHARED_OF_VARIANTS: Final = (
    *("sku", "barcode", "price", "compare_at_price", "option_values"),
    *("tracks_stock", "in_stock", "allows_backorder", "weight"),
)

_VARIANT: Final = "variants."
_UNORDERED: Final = frozenset(("category_external_ids", "tags"))


def group_of(path: str) -> str:
    """The group of a path, one of `FIELD_GROUPS`."""
    last = field_of(path)
    return next(group for group, names in FIELD_GROUPS.items() if last in names)


def field_of(path: str) -> str:
    """The field's name at the end of a path; `variants` of one that is a variant itself."""
    key, name = variant_path(path)
    return path if key is None else (name or "variants")


def variant_path(path: str) -> tuple[str | None, str | None]:
    """The variant's external id and field of a path; (id, None) for the variant itself."""
    if not path.startswith(_VARIANT):
        return None, None
    rest = path[len(_VARIANT) :]
    key, _, name = rest.rpartition(".")
    return (key, name) if key and name in SHARED_OF_VARIANTS else (rest, None)


def flatten(entity: Entity, record: Record) -> dict[str, Any]:
    """A record's own shared fields, those of its variants left out."""
    dump = record.model_dump(mode="json")
    return {name: _comparable(name, dump[name]) for name in SHARED[entity]}


def flatten_variants(record: Record) -> dict[str, dict[str, Any]]:
    """The shared fields of a product's variants by their external id; those without are left out.

    Whether a variant is in stock counts only while its stock is not counted: else it follows.
    """
    if not isinstance(record, Product):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for variant in record.variants:
        if variant.external_id:
            dump = variant.model_dump(mode="json", include=set(SHARED_OF_VARIANTS))
            if variant.tracks_stock:
                dump["in_stock"] = None
            found[variant.external_id] = dump
    return found


def all_values(entity: Entity, record: Record) -> dict[str, Any]:
    """Every shared field of a record, its variants' included, by path."""
    values = flatten(entity, record)
    for key, fields in flatten_variants(record).items():
        values |= {f"{_VARIANT}{key}.{name}": value for name, value in fields.items()}
    return values


def paths_between(entity: Entity, one: Record, other: Record) -> dict[str, tuple[Any, Any]]:
    """The values of both, by path: variants field by field where both have them, else whole."""
    mine, theirs = flatten(entity, one), flatten(entity, other)
    pairs: dict[str, tuple[Any, Any]] = {name: (mine[name], theirs[name]) for name in mine}
    ours, yours = flatten_variants(one), flatten_variants(other)
    for key in {**ours, **yours}:
        left, right = ours.get(key), yours.get(key)
        if left is None or right is None:
            pairs[f"{_VARIANT}{key}"] = (left, right)
        else:
            pairs |= {
                f"{_VARIANT}{key}.{name}": (left[name], right[name]) for name in SHARED_OF_VARIANTS
            }
    return pairs


def value_at(entity: Entity, record: Record | None, path: str) -> Any:
    """The value at a path; None where the record has no such variant."""
    if record is None:
        return None
    key, name = variant_path(path)
    if key is None:
        return flatten(entity, record).get(path)
    fields = flatten_variants(record).get(key)
    return fields if fields is None or name is None else fields[name]


def replace(entity: Entity, record: Record, values: Values) -> Record:
    """The record with other values at these paths. A variant set to None goes.

    Raises:
        ValueError: a value does not fit its field (`pydantic.ValidationError`), or a path names a
            variant that is not there.
    """
    if not values:
        return record
    dump = record.model_dump()
    variants = list(dump["variants"]) if entity is Entity.PRODUCTS else []
    for path, value in values.items():
        key, name = variant_path(path)
        if key is not None and entity is Entity.PRODUCTS:
            variants = _with_variant(variants, key, name, value)
        elif path in SHARED[entity]:
            dump[path] = value
        else:
            raise ValueError(f"{path}: there is no such shared field")
    if entity is Entity.PRODUCTS:
        dump["variants"] = variants
    return MODELS[entity].model_validate(dump)


def _with_variant(
    variants: list[dict[str, Any]], key: str, name: str | None, value: Any
) -> list[dict[str, Any]]:
    """A list of variants after one of them, or one field of one, was set."""
    place = next((at for at, one in enumerate(variants) if one["external_id"] == key), None)
    if name is None:
        if value is None:
            return [one for one in variants if one["external_id"] != key]
        whole = {part: held for part, held in value.items() if held is not None}
        if place is None:
            return [*variants, {"external_id": key, **whole}]
        return [*variants[:place], {**variants[place], **whole}, *variants[place + 1 :]]
    if place is None:
        raise ValueError(f"variants.{key}: the product has no such variant")
    if name == "in_stock" and value is None:
        return variants
    return [*variants[:place], {**variants[place], name: value}, *variants[place + 1 :]]


def _comparable(name: str, value: Any) -> Any:
    if name in _UNORDERED:
        return sorted(value)
    if name == "images":
        return [{part: one[part] for part in ("src", "name", "alt")} for one in value]
    return value
