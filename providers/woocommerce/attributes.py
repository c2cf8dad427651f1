"""A product's attributes as they are sent: all of them, because the shop replaces the list. Pure.

Source: WooCommerce REST API docs (v3, products): an attribute with an id is one of the shop's own
and is known by the id; one with id 0 belongs to the product and is known by its name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.records import Option, Product, Variant
from providers._kit.wire_values import read_name


def attribute_rows(product: Product, current: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The attributes to send: the options variants differ by, and what else the product has.

    Args:
        current: the rows the shop has now; none for a new product.
    """
    known = {read_name(str(row.get("name", ""))): row for row in current}
    rows = [_option_row(option, known.get(option.name)) for option in _options(product)]
    named = {option.name for option in _options(product)}
    if current:
        rows += [dict(row) for name, row in known.items() if name not in named and not _varies(row)]
    else:
        rows += [row for row in _plain_rows(product.extra) if row["name"] not in named]
    return [{**row, "position": place} for place, row in enumerate(rows)]


def chosen_options(variant: Variant, current: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A variation's own choice among the product's attributes."""
    known = {read_name(str(row.get("name", ""))): row for row in current}
    return [
        {**_named(name, known.get(name)), "option": option}
        for name, option in variant.option_values.items()
    ]


def _options(product: Product) -> Sequence[Option]:
    """The product's options; where it names none, what its variants have."""
    if product.options:
        return product.options
    values: dict[str, dict[str, None]] = {}
    for variant in product.variants:
        for name, value in variant.option_values.items():
            values.setdefault(name, {})[value] = None
    return [Option(name=name, values=tuple(chosen)) for name, chosen in values.items()]


def _option_row(option: Option, current: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **_named(option.name, current),
        "visible": bool(current.get("visible", True)) if current else True,
        "variation": True,
        "options": list(option.values),
    }


def _named(name: str, current: Mapping[str, Any] | None) -> dict[str, Any]:
    number = current.get("id") if current else None
    return {"id": number} if isinstance(number, int) and number > 0 else {"name": name}


def _varies(row: Mapping[str, Any]) -> bool:
    return bool(row.get("variation"))


def _plain_rows(extra: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = extra.get("attributes")
    return [
        {
            "name": row["name"],
            "visible": True,
            "variation": False,
            "options": [str(one) for one in row.get("options") or ()],
        }
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and isinstance(row.get("name"), str)
    ]
