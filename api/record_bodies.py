"""From the bodies that write records to the columns of their rows."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.schemas.catalogue import ImageAnswer
from api.schemas.product_writes import (
    ChangeProductBody,
    ChangeVariantBody,
    CreateProductBody,
    CreateVariantBody,
    ImageBody,
    OptionBody,
)
from api.schemas.record_writes import AddressBody
from db.hub_writes import missing_ids
from db.hub_writes_variants import VariantWrite
from domain.entities import Entity
from domain.money import ZERO, parse_amount

_MONEY = ("price", "compare_at_price")


async def check_categories(
    connection: AsyncConnection, pointer: str, ids: Collection[int | None]
) -> None:
    """Refuse (422) categories that are not there."""
    wanted = {one for one in ids if one is not None}
    missing = await missing_ids(connection, Entity.CATEGORIES, wanted) if wanted else frozenset()
    if missing:
        raise problems.invalid(
            pointer, f"there is no category {min(missing)}; GET /api/categories lists them"
        )


def new_product(body: CreateProductBody, currency: str) -> dict[str, Any]:
    """The columns of a new product."""
    return {
        **body.model_dump(exclude={"variants", "images", "options", "currency"}),
        "category_ids": list(body.category_ids),
        "tags": list(body.tags),
        "images": [_image(one) for one in body.images],
        "options": _options(body),
        "currency": currency,
    }


def changed_product(body: ChangeProductBody, images: Sequence[ImageAnswer]) -> dict[str, Any]:
    """The columns that a product is changed in; a picture that stays keeps its outside id."""
    values = {name: value for name, value in body.named().items() if name != "variants"}
    values |= {name: list(values[name]) for name in ("category_ids", "tags") if name in values}
    if body.images is not None:
        known = {one.src: one.external_id for one in images if one.external_id}
        values["images"] = [_image(one, known) for one in body.images]
    if body.options is not None:
        values["options"] = [_option(one) for one in body.options]
    return values


def new_variant(body: CreateVariantBody) -> VariantWrite:
    """A variant to add."""
    return _complete(body.model_dump(exclude={"quantity"}), body.quantity)


def variant_write(body: ChangeVariantBody) -> VariantWrite:
    """A variant to change, remove or add."""
    values = {
        name: value
        for name, value in body.named().items()
        if name not in ("id", "remove", "quantity")
    }
    if body.id is None:
        added = CreateVariantBody().model_dump(exclude={"quantity"}) | values
        return _complete(added, body.quantity)
    return VariantWrite(_priced(values), body.id, body.quantity, body.remove)


def addresses(given: Mapping[str, AddressBody | None]) -> dict[str, dict[str, str]]:
    """The parts of addresses that are given."""
    return {name: address.parts() for name, address in given.items() if address is not None}


def _complete(values: dict[str, Any], quantity: Decimal | None) -> VariantWrite:
    """What a new variant leaves open follows from its stock."""
    tracks = quantity is not None if values["tracks_stock"] is None else values["tracks_stock"]
    there = not tracks or bool(quantity) or values["allows_backorder"]
    in_stock = there if values["in_stock"] is None else values["in_stock"]
    opening = (quantity or ZERO) if tracks else None
    return VariantWrite(
        {**_priced(values), "tracks_stock": tracks, "in_stock": in_stock}, quantity=opening
    )


def _priced(values: Mapping[str, Any]) -> dict[str, Any]:
    priced = {
        name: None if values[name] is None else parse_amount(values[name])
        for name in _MONEY
        if name in values
    }
    return {**values, **priced}


def _image(body: ImageBody, known: Mapping[str, str] | None = None) -> dict[str, str]:
    external_id = (known or {}).get(body.src, "")
    told = {"src": body.src, "external_id": external_id, "name": body.name, "alt": body.alt}
    return {name: value for name, value in told.items() if value}


def _option(body: OptionBody) -> dict[str, Any]:
    return {"name": body.name, "values": list(body.values)} if body.values else {"name": body.name}


def _options(body: CreateProductBody) -> list[dict[str, Any]]:
    """The options as given; left out, those that the variants name, in their order."""
    if body.options:
        return [_option(one) for one in body.options]
    found: dict[str, dict[str, None]] = {}
    for variant in body.variants:
        for name, value in variant.option_values.items():
            found.setdefault(name, {})[value] = None
    return [{"name": name, "values": list(values)} for name, values in found.items()]
