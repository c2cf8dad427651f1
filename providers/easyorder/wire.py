"""The rows of the API, as far as they are read by name.

Source: EasyOrders API docs, samples of products, categories and orders. Their keys' case differs
between answers (`Variants`, `variants`), so all are brought into one form first. Empty values of
any type count as absent.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from domain.errors import InvalidRecordError
from domain.money import ZERO, parse_amount, trimmed
from providers._kit.wire_values import read_utc

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an id may be, as it stands in paths. They are UUIDs (docs, samples)."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FREE_FORM: Final = frozenset(("metadata",))


def with_plain_keys(value: Any) -> Any:
    """A JSON value whose keys are snake_case; what is free form keeps its own."""
    match value:
        case dict():
            named = ((_HUMP.sub("_", name).lower(), one) for name, one in value.items())
            return {
                name: one if name in _FREE_FORM else with_plain_keys(one) for name, one in named
            }
        case list():
            return [with_plain_keys(one) for one in value]
    return value


def row_id(row: Any) -> str | None:
    """The id a row names, if it is one."""
    found = row.get("id") if isinstance(row, dict) else None
    text = str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""
    return text if ID.fullmatch(text) else None


def describe(error: ValidationError) -> str:
    """What is wrong with a record, for people; names fields, repeats no values."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, one['loc'])) or 'row'}: {one['msg']}" for one in faults[:3]]
    return "; ".join(told)[:500]


def _text(raw: object) -> object:
    if raw is None:
        return ""
    return str(raw) if isinstance(raw, (int, Decimal)) and not isinstance(raw, bool) else raw


def _amount(raw: object) -> object:
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise InvalidRecordError("not an amount")
    return trimmed(parse_amount(str(raw).strip()))


def _listed(raw: object) -> object:
    return () if raw is None or raw == "" else raw


def _moment(raw: object) -> datetime | None:
    # The year one is how Go writes "never".
    if raw is None or not isinstance(raw, str) or raw.startswith("0001-"):
        return None
    return read_utc(raw, "time")


def _picture(raw: object) -> object:
    if isinstance(raw, dict):
        return raw.get("url") or raw.get("src") or ""
    return raw


Id = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
OptionalId = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")]
Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[Decimal | None, BeforeValidator(_amount)]
Flag = Annotated[bool, BeforeValidator(lambda raw: False if raw in (None, "") else raw)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Picture = Annotated[str, BeforeValidator(_picture)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def more(self) -> dict[str, Any]:
        """What is not read by name, without what is empty."""
        found = self.model_extra or {}
        return {name: found[name] for name in sorted(found) if found[name]}


class CategoryWire(_Wire):
    """A category. `children` repeat what has rows of its own."""

    id: Id
    name: Text
    slug: Text = ""
    thumb: Text = ""
    parent_id: OptionalId = ""
    position: Annotated[int, BeforeValidator(lambda raw: raw or 0)] = 0
    hidden: Flag = False
    show_in_header: Flag = False


class ReferenceWire(_Wire):
    """A record as another one names it."""

    id: Id


class PropWire(_Wire):
    """A value of a variation. Of a colour, `value` is a hexadecimal number."""

    name: Text = ""
    value: Text = ""

    @property
    def told(self) -> str:
        """The text by which variants name it."""
        return (self.value or self.name).strip()


class VariationWire(_Wire):
    """An axis along which variants differ."""

    name: Text
    type: Text = ""
    props: Annotated[tuple[PropWire, ...], BeforeValidator(_listed)] = ()


class VariationPropWire(_Wire):
    """Which value of which variation a variant has, both by their texts."""

    variation: Text = ""
    variation_prop: Text = ""


class VariantWire(_Wire):
    """A variant; its code is `taager_code`, it has no SKU (docs)."""

    id: OptionalId = ""
    price: Number = None
    sale_price: Number = None
    quantity: Number = None
    taager_code: Text = ""
    sku: Text = ""
    variation_props: Annotated[tuple[VariationPropWire, ...], BeforeValidator(_listed)] = ()


class ProductWire(_Wire):
    """A product."""

    id: Id
    name: Text
    price: Number = None
    sale_price: Number = None
    description: Text = ""
    slug: Text = ""
    sku: Text = ""
    thumb: Text = ""
    images: Annotated[tuple[Picture, ...], BeforeValidator(_listed)] = ()
    categories: Annotated[tuple[ReferenceWire, ...], BeforeValidator(_listed)] = ()
    quantity: Number = None
    track_stock: Flag = False
    disable_orders_for_no_stock: Flag = False
    hidden: Flag = False
    taager_code: Text = ""
    drop_shipping_provider: Text = ""
    is_free_shipping: Flag = False
    variations: Annotated[tuple[VariationWire, ...], BeforeValidator(_listed)] = ()
    variants: Annotated[tuple[VariantWire, ...], BeforeValidator(_listed)] = ()
    created_at: Moment = None
    updated_at: Moment = None


class SoldWire(_Wire):
    """A product as a position of an order repeats it."""

    name: Text = ""
    sku: Text = ""
    taager_code: Text = ""


class CartItemWire(_Wire):
    """A position of an order."""

    id: Id
    product_id: OptionalId = ""
    variant_id: OptionalId = ""
    price: Number = None
    quantity: Number = None
    product: SoldWire | None = None
    variant: VariantWire | None = None


class OrderWire(_Wire):
    """An order. It has no e-mail, currency, country, discount or tax (docs, sample)."""

    id: Id
    short_id: Text = ""
    store_id: Text = ""
    status: Annotated[Text, Field(min_length=1)]
    cost: Number = None
    shipping_cost: Number = None
    total_cost: Annotated[Decimal, BeforeValidator(_amount)]
    full_name: Text = ""
    phone: Text = ""
    government: Text = ""
    address: Text = ""
    payment_method: Text = ""
    created_at: Moment = None
    updated_at: Moment = None
    cart_items: Annotated[tuple[CartItemWire, ...], BeforeValidator(_listed)] = ()


def trees_flattened(rows: Sequence[Any]) -> list[Any]:
    """Category rows and the children nested in them, each once, parents first."""
    flat: dict[str, Any] = {}
    rest: list[Any] = []
    waiting: list[tuple[Any, str | None]] = [(row, None) for row in rows]
    while waiting:
        row, parent = waiting.pop(0)
        name = row_id(row)
        if name is None:
            if parent is None:
                rest.append(row)
            continue
        known = flat.setdefault(name, row)
        if parent is not None and not known.get("parent_id"):
            flat[name] = {**known, "parent_id": parent}
        children = row.get("children")
        if isinstance(children, list):
            waiting += [(child, name) for child in children]
    return [*flat.values(), *rest]


def quantity_of(number: Decimal | None) -> Decimal:
    """A quantity; none told is none there."""
    return ZERO if number is None else number
