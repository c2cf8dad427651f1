"""Bodies of categories and products."""

from pydantic import Field

from api.schemas.base import Answer, Quantity, UtcTime, example
from api.schemas.records import REFERENCES, TIMES, RecordAnswer, page_example


class CategoryAnswer(RecordAnswer):
    """A node of the catalogue's tree."""

    model_config = Answer.model_config | example(
        {
            "id": 3,
            "name": "Tea",
            "slug": "tea",
            "parentId": None,
            "description": "",
            "position": 0,
            "extra": {},
            "externalReferences": REFERENCES,
            **TIMES,
        }
    )

    name: str
    slug: str
    parent_id: int | None
    description: str
    position: int


class CategoryListAnswer(Answer):
    """A page of categories by id."""

    model_config = Answer.model_config | page_example(CategoryAnswer)

    data: list[CategoryAnswer]
    next_cursor: str | None


class ImageAnswer(Answer):
    """A picture."""

    src: str
    external_id: str = ""
    name: str = ""
    alt: str = ""


class OptionAnswer(Answer):
    """An axis along which variants differ."""

    name: str
    values: tuple[str, ...] = ()


class VariantAnswer(RecordAnswer):
    """What is really sold. The stock is None where the shop does not count it."""

    position: int
    title: str
    sku: str
    barcode: str
    price: str | None
    compare_at_price: str | None
    currency: str
    option_values: dict[str, str]
    tracks_stock: bool
    in_stock: bool
    allows_backorder: bool
    on_hand: Quantity | None = Field(description="In all warehouses")
    available: Quantity | None = Field(description="On hand, less what is reserved")
    weight: Quantity | None
    is_active: bool


class SupplierAnswer(Answer):
    """The store that a product came from."""

    store_id: int
    provider: str = Field(description="The store's kind, such as `woocommerce`")


class ProductAnswer(RecordAnswer):
    """An item of the catalogue with its variants."""

    model_config = Answer.model_config | example(
        {
            "id": 40,
            "title": "Ceylon black tea",
            "slug": "ceylon-black-tea",
            "status": "active",
            "rawStatus": "publish",
            "kind": "simple",
            "description": "",
            "shortDescription": "",
            "currency": "LKR",
            "categoryIds": [3],
            "tags": ["tea"],
            "images": [
                {
                    "src": "https://shop.example.com/tea.jpg",
                    "externalId": "9",
                    "name": "",
                    "alt": "",
                }
            ],
            "options": [],
            "variants": [
                {
                    "id": 55,
                    "position": 1,
                    "title": "",
                    "sku": "TEA-1",
                    "barcode": "",
                    "price": "1250.00",
                    "compareAtPrice": None,
                    "currency": "LKR",
                    "optionValues": {},
                    "tracksStock": True,
                    "inStock": True,
                    "allowsBackorder": False,
                    "onHand": "14",
                    "available": "12",
                    "weight": "0.25",
                    "isActive": True,
                    "extra": {},
                    "externalReferences": REFERENCES,
                    **TIMES,
                }
            ],
            "listedAt": "2026-01-05T10:00:00Z",
            "supplier": {"storeId": 12, "provider": "woocommerce"},
            "extra": {},
            "externalReferences": REFERENCES,
            **TIMES,
        }
    )

    title: str
    slug: str
    status: str
    raw_status: str
    kind: str
    description: str
    short_description: str
    currency: str
    category_ids: list[int]
    tags: list[str]
    images: list[ImageAnswer]
    options: list[OptionAnswer]
    variants: list[VariantAnswer]
    listed_at: UtcTime | None = Field(description="When the shop made it")
    supplier: SupplierAnswer | None = Field(
        description="The store that it came from; null: it was made in the hub"
    )


class ProductListAnswer(Answer):
    """A page of products by id."""

    model_config = Answer.model_config | page_example(ProductAnswer)

    data: list[ProductAnswer]
    next_cursor: str | None
