"""What a store's own rules may fill, and what may be put there. Pure.

Any name in a record's `extra`, which is the hub's alone and is sent to no store; and these fields:

- products: `title`, `slug`, `description`, `shortDescription`, `tags`: texts for people.
- variants: `sku`, `barcode`, `weight`. Plug-ins often keep the real code elsewhere. A SKU that two
  products have is no sign that they are one, so a careless rule joins nothing.
- customers: `firstName`, `lastName`, `phone`.
- orders: `number`, `customerNote`, `paymentTitle`. Plug-ins number orders their own way.
- categories: `name`, `description`.

Left out on purpose: a customer's `email` (by it customers of several stores are taken for one
person: a careless rule would show one person's orders as another's), a category's `slug` (by it
categories are recognised), status, prices, amounts, lines and what tracks stock (the ledger and
conflicts count on the store's own), references to other records, addresses and times.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError

from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.money import trimmed
from domain.records import Category, Customer, Order, Product, Record, Variant

EXTRA: Final = "extra"

_LINE: Final = 500
_CODE: Final = 100
_TEXT: Final = 100_000
_MOST_TAGS: Final = 100
_HEAVIEST: Final = Decimal(10) ** 12
_EXTRA_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,59}")
_LONGEST_EXTRA: Final = 20_000
_DEEPEST_EXTRA: Final = 10
_HUBS_OWN: Final = frozenset(("hub_ref",))


@dataclass(frozen=True, slots=True)
class Target:
    """A field that a rule fills.

    Attributes:
        field: the canonical field; of `extra` the name in it.
        empty: its value when it is cleared.
        read: makes its value of what an expression found. Raises InvalidRecordError.
        is_needed: whether it may not be cleared.
    """

    field: str
    read: Callable[[Any], Any]
    empty: Any = ""
    is_needed: bool = False
    is_extra: bool = False


def find_target(entity: Entity, name: str) -> Target:
    """The target of this name. Raises ValueError, which names those there are."""
    kind, _, rest = name.partition(".")
    if kind == EXTRA and _EXTRA_NAME.fullmatch(rest) and rest not in _HUBS_OWN:
        return Target(rest, _json, empty=None, is_extra=True)
    found = TARGETS.get(entity, {}).get(name)
    if found is None:
        names = ", ".join(sorted(TARGETS.get(entity, {})))
        raise ValueError(f"{entity.value} have no such target; there are {names} and extra.<name>")
    return found


def put(record: Record, values: Mapping[Target, Any]) -> Record:
    """The record with these values, each as its own model takes it.

    Raises:
        InvalidRecordError: the model refuses one.
    """
    update: dict[str, Any] = {}
    extra = dict(getattr(record, EXTRA))
    for target, value in values.items():
        if not target.is_extra:
            update[target.field] = _validated(type(record), target.field, value)
        elif value is None:
            extra.pop(target.field, None)
        else:
            extra[target.field] = value
    if extra != getattr(record, EXTRA):
        update[EXTRA] = extra
    return record.model_copy(update=update) if update else record


def _validated(model: type[Record], field: str, value: Any) -> Any:
    try:
        return _adapter(model, field).validate_python(value)
    except ValidationError:
        raise InvalidRecordError("the record's model refuses it") from None


@cache
def _adapter(model: type[Record], field: str) -> TypeAdapter[Any]:
    info = model.model_fields[field]
    kind: Any = info.annotation
    return TypeAdapter(Annotated[kind, *info.metadata] if info.metadata else kind)


def _text(found: Any, longest: int) -> str:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise InvalidRecordError("it is no text")
    text = found.strip() if isinstance(found, str) else str(found)
    if len(text) > longest:
        raise InvalidRecordError(f"it is longer than {longest} characters")
    return text


def _line(found: Any) -> str:
    return _text(found, _LINE)


def _named(found: Any) -> str:
    if not (text := _line(found)):
        raise InvalidRecordError("it is empty")
    return text


def _code(found: Any) -> str:
    return _text(found, _CODE)


def _long(found: Any) -> str:
    return _text(found, _TEXT)


def _tags(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise InvalidRecordError("it is no list of texts")
    tags = dict.fromkeys(tag for one in found if (tag := _text(one, _CODE)))
    if len(tags) > _MOST_TAGS:
        raise InvalidRecordError(f"it has more than {_MOST_TAGS} entries")
    return tuple(tags)


def _weight(found: Any) -> Decimal | None:
    text = _text(found, _CODE)
    if not text:
        return None
    try:
        weight = Decimal(text)
    except InvalidOperation:
        raise InvalidRecordError("it is no number") from None
    if not weight.is_finite() or not 0 <= weight < _HEAVIEST:
        raise InvalidRecordError("it is no weight")
    return trimmed(round(weight, 4))


def _json(found: Any) -> Any:
    """A JSON value that is not too large; whole numbers and texts as they are."""
    _check_depth(found, _DEEPEST_EXTRA, [_LONGEST_EXTRA])
    if len(json.dumps(found, ensure_ascii=False)) > _LONGEST_EXTRA:
        raise InvalidRecordError(f"it is larger than {_LONGEST_EXTRA} characters")
    return found


def _check_depth(value: Any, deepest: int, left: list[int]) -> None:
    left[0] -= 1
    if deepest < 0 or left[0] < 0:
        raise InvalidRecordError("it is nested too deeply, or too large")
    match value:
        case None | bool() | str() | int():
            return
        case float() if math.isfinite(value):
            return
        case dict():
            for one in value.values():
                _check_depth(one, deepest - 1, left)
        case list():
            for one in value:
                _check_depth(one, deepest - 1, left)
        case _:
            raise InvalidRecordError("it is no JSON value")


TARGETS: Final[Mapping[Entity, Mapping[str, Target]]] = {
    Entity.CATEGORIES: {
        "name": Target("name", _named, is_needed=True),
        "description": Target("description", _long),
    },
    Entity.PRODUCTS: {
        "title": Target("title", _named, is_needed=True),
        "slug": Target("slug", _line),
        "description": Target("description", _long),
        "shortDescription": Target("short_description", _long),
        "tags": Target("tags", _tags, empty=()),
    },
    Entity.VARIANTS: {
        "sku": Target("sku", _code),
        "barcode": Target("barcode", _code),
        "weight": Target("weight", _weight, empty=None),
    },
    Entity.CUSTOMERS: {
        "firstName": Target("first_name", _line),
        "lastName": Target("last_name", _line),
        "phone": Target("phone", _code),
    },
    Entity.ORDERS: {
        "number": Target("number", _named, is_needed=True),
        "customerNote": Target("customer_note", _long),
        "paymentTitle": Target("payment_title", _line),
    },
}

MODELS: Final[Mapping[Entity, type[Record]]] = {
    Entity.CATEGORIES: Category,
    Entity.PRODUCTS: Product,
    Entity.VARIANTS: Variant,
    Entity.CUSTOMERS: Customer,
    Entity.ORDERS: Order,
}
