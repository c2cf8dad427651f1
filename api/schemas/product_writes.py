"""Bodies that write products with their variants. In a PATCH, what is left out stays as it is."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from api.schemas.base import Body, example
from api.schemas.writing import (
    Barcode,
    Currency,
    LongText,
    MoneyText,
    Name,
    OpeningQuantity,
    OptionValues,
    PatchBody,
    PositiveId,
    ShortText,
    Sku,
    Slug,
    Tag,
    Weight,
)
from domain.money import parse_amount

ImageSource = Annotated[
    str,
    StringConstraints(max_length=2_000, pattern=r"^https?://[^\s\x00]+$"),
    Field(description="Where stores fetch the picture"),
]


class ImageBody(Body):
    """A picture."""

    src: ImageSource
    name: ShortText = ""
    alt: ShortText = ""


class OptionBody(Body):
    """An axis along which variants differ."""

    name: Name
    values: tuple[Name, ...] = Field(default=(), max_length=200)


def _check_prices(price: str | None, regular: str | None) -> None:
    if regular is None:
        return
    if price is None or parse_amount(regular) <= parse_amount(price):
        raise ValueError("compareAtPrice: has to be more than the price")


class CreateVariantBody(Body):
    """A variant to make. It tracks its stock when a quantity is given, or when told to."""

    title: ShortText = ""
    sku: Sku = ""
    barcode: Barcode = ""
    price: MoneyText | None = None
    compare_at_price: MoneyText | None = Field(
        default=None, description="The regular price, while it is higher"
    )
    option_values: OptionValues = Field(default_factory=dict)
    tracks_stock: bool | None = None
    in_stock: bool | None = None
    allows_backorder: bool = False
    weight: Weight | None = None
    is_active: bool = True
    quantity: OpeningQuantity | None = Field(default=None, description="Its opening stock")

    @model_validator(mode="after")
    def _agrees(self) -> "CreateVariantBody":
        _check_prices(self.price, self.compare_at_price)
        if self.quantity is not None and self.tracks_stock is False:
            raise ValueError("quantity: a variant that does not track its stock has none")
        return self


class ChangeVariantBody(PatchBody):
    """A variant of a product: with its id it is changed or removed, without one it is added."""

    nullable: ClassVar[frozenset[str]] = frozenset({"id", "price", "compare_at_price", "weight"})

    id: PositiveId | None = None
    remove: bool = False
    title: ShortText | None = None
    sku: Sku | None = None
    barcode: Barcode | None = None
    price: MoneyText | None = None
    compare_at_price: MoneyText | None = None
    option_values: OptionValues | None = None
    tracks_stock: bool | None = None
    in_stock: bool | None = None
    allows_backorder: bool | None = None
    weight: Weight | None = None
    is_active: bool | None = None
    quantity: OpeningQuantity | None = Field(
        default=None, description="Opens the stock of a variant that had none"
    )

    @model_validator(mode="after")
    def _agrees(self) -> "ChangeVariantBody":
        if self.remove and self.id is None:
            raise ValueError("remove: say which variant, by its id")
        if self.compare_at_price is not None and "price" in self.model_fields_set:
            _check_prices(self.price, self.compare_at_price)
        return self


ProductWord = Literal["active", "draft", "hidden"]
Categories = Annotated[tuple[PositiveId, ...], Field(max_length=100)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=100)]
Images = Annotated[tuple[ImageBody, ...], Field(max_length=100)]
Options = Annotated[tuple[OptionBody, ...], Field(max_length=10)]


class CreateProductBody(Body):
    """A product to make, with its variants."""

    model_config = Body.model_config | example(
        {
            "title": "Ceylon black tea",
            "status": "active",
            "currency": "LKR",
            "categoryIds": [3],
            "variants": [
                {
                    "sku": "TEA-100",
                    "price": "1250.00",
                    "optionValues": {"Size": "100 g"},
                    "quantity": "14",
                },
                {"sku": "TEA-1000", "price": "9900.00", "optionValues": {"Size": "1 kg"}},
            ],
        }
    )

    title: Name
    slug: Slug = ""
    status: ProductWord = "active"
    description: LongText = ""
    short_description: LongText = ""
    currency: Currency | None = Field(
        default=None, description="Left out: the one currency of your stores"
    )
    category_ids: Categories = ()
    tags: Tags = ()
    images: Images = ()
    options: Options = Field(default=(), description="Left out: taken from the variants")
    variants: list[CreateVariantBody] = Field(
        default_factory=lambda: [CreateVariantBody()], min_length=1, max_length=100
    )

    @model_validator(mode="after")
    def _agrees(self) -> "CreateProductBody":
        skus = [one.sku for one in self.variants if one.sku]
        if len(set(skus)) < len(skus):
            raise ValueError("variants: each SKU stands for one variant")
        known = {one.name for one in self.options}
        used = {name for one in self.variants for name in one.option_values}
        if self.options and used - known:
            raise ValueError(f"variants: optionValues name no option: {sorted(used - known)[:5]}")
        return self


class ChangeProductBody(PatchBody):
    """What to change of a product. Lists are set whole, variants one by one."""

    model_config = Body.model_config | example(
        {
            "title": "Ceylon black tea",
            "variants": [
                {"id": 55, "price": "1190.00", "compareAtPrice": "1250.00"},
                {"sku": "TEA-250", "price": "2900.00", "quantity": "20"},
                {"id": 56, "remove": True},
            ],
        }
    )

    title: Name | None = None
    slug: Slug | None = None
    status: ProductWord | None = None
    description: LongText | None = None
    short_description: LongText | None = None
    currency: Currency | None = None
    category_ids: Categories | None = None
    tags: Tags | None = None
    images: Images | None = None
    options: Options | None = None
    variants: Annotated[tuple[ChangeVariantBody, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _agrees(self) -> "ChangeProductBody":
        ids = [one.id for one in self.variants if one.id is not None]
        if len(set(ids)) < len(ids):
            raise ValueError("variants: name each id once")
        return self
