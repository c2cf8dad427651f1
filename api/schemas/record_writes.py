"""Bodies that write records in the hub. In a PATCH, what is left out stays as it is."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from api.schemas.base import Body, example
from api.schemas.sales import ADDRESS
from api.schemas.writing import (
    Barcode,
    Email,
    LongText,
    Name,
    PatchBody,
    PositiveId,
    ShortText,
    Slug,
)
from domain.statuses import OrderStatus

Position = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Address = Annotated[
    "AddressBody", Field(description="Of a stored address, the parts that are named are changed")
]


class CreateCategoryBody(Body):
    """A category to make."""

    model_config = Body.model_config | example({"name": "Tea", "parentId": None, "position": 1})

    name: Name
    slug: Slug = ""
    parent_id: PositiveId | None = None
    description: LongText = ""
    position: Position = 0


class ChangeCategoryBody(PatchBody):
    """What to change of a category."""

    model_config = Body.model_config | example({"name": "Fine tea"})
    nullable: ClassVar[frozenset[str]] = frozenset({"parent_id"})

    name: Name | None = None
    slug: Slug | None = None
    parent_id: PositiveId | None = Field(default=None, description="null: to the top")
    description: LongText | None = None
    position: Position | None = None


class AddressBody(Body):
    """A postal address with its person."""

    first_name: ShortText | None = None
    last_name: ShortText | None = None
    company: ShortText | None = None
    address_1: ShortText | None = None
    address_2: ShortText | None = None
    city: ShortText | None = None
    state: ShortText | None = None
    postcode: Barcode | None = None
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] | None = Field(
        default=None, description="ISO 3166-1 alpha-2"
    )
    email: Email | None = None
    phone: Barcode | None = None

    def parts(self) -> dict[str, str]:
        """What is named, by its name in records."""
        return {
            name: text
            for name in self.model_fields_set
            if (text := getattr(self, name)) is not None
        }


_CUSTOMER: dict[str, Any] = {
    "email": "nimal@example.com",
    "phone": "+94 11 234 5678",
    "firstName": "Nimal",
    "lastName": "Perera",
    "billing": ADDRESS,
}


class CreateCustomerBody(Body):
    """A customer to make; by e-mail, phone or name they have to be known."""

    model_config = Body.model_config | example(_CUSTOMER)

    email: Email = ""
    phone: Barcode = ""
    first_name: ShortText = ""
    last_name: ShortText = ""
    billing: AddressBody = AddressBody()
    shipping: AddressBody = AddressBody()

    @model_validator(mode="after")
    def _is_somebody(self) -> "CreateCustomerBody":
        if not (self.email or self.phone or self.first_name or self.last_name):
            raise ValueError("a customer has an e-mail address, a phone number or a name")
        return self


class ChangeCustomerBody(PatchBody):
    """What to change of a customer."""

    model_config = Body.model_config | example({"phone": "+94 77 123 4567"})

    email: Email | None = None
    phone: Barcode | None = None
    first_name: ShortText | None = None
    last_name: ShortText | None = None
    billing: Address | None = None
    shipping: Address | None = None


_WRITABLE: Final = [one.value for one in OrderStatus if one is not OrderStatus.UNKNOWN]


def _is_writable(status: OrderStatus) -> OrderStatus:
    if status is OrderStatus.UNKNOWN:
        raise ValueError("an order cannot be set to unknown")
    return status


class ChangeOrderBody(Body):
    """The status to give an order; all else of it is its store's."""

    model_config = Body.model_config | example({"status": "completed"})

    status: Annotated[
        OrderStatus,
        AfterValidator(_is_writable),
        WithJsonSchema({"type": "string", "enum": _WRITABLE}),
    ]
