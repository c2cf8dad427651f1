"""Bodies of warehouses, stock and invoices."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from api.schemas.base import Answer, Body, Quantity, UtcTime, example
from api.schemas.records import TIMES, page_example
from api.schemas.writing import CLEAN_WORD, PatchBody, PositiveId, ShortText, clean

WarehouseName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
    AfterValidator(clean),
    CLEAN_WORD,
]
WarehouseCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$"),
    Field(description="Short name, unique among your warehouses"),
]
Signed = Annotated[
    Decimal,
    Field(max_digits=16, decimal_places=4, description="Positive comes in, negative goes out"),
]
Taken = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=4)]
InvoiceNumber = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    AfterValidator(clean),
    CLEAN_WORD,
]
_MOVEMENT: dict[str, Any] = {
    "id": 901,
    "variantId": 55,
    "warehouseId": 1,
    "kind": "receipt",
    "quantity": "10",
    "balance": "14",
    "storeId": None,
    "orderId": None,
    "note": "delivery 12",
    "createdAt": "2026-11-21T09:30:05Z",
}


class WarehouseAnswer(Answer):
    """A place where stock is."""

    model_config = Answer.model_config | example(
        {
            "id": 2,
            "name": "Colombo",
            "code": "CMB",
            "isActive": True,
            "isDefault": False,
            **TIMES,
        }
    )

    id: int
    name: str
    code: str | None
    is_active: bool
    is_default: bool = Field(description="Stores that name no warehouse sell from this one")
    created_at: UtcTime
    updated_at: UtcTime


class WarehouseListAnswer(Answer):
    """A page of warehouses by id."""

    model_config = Answer.model_config | page_example(WarehouseAnswer)

    data: list[WarehouseAnswer]
    next_cursor: str | None


class CreateWarehouseBody(Body):
    """A warehouse to make."""

    model_config = Body.model_config | example({"name": "Colombo", "code": "CMB"})

    name: WarehouseName
    code: WarehouseCode | None = None
    is_default: bool = False


class ChangeWarehouseBody(PatchBody):
    """What to change of a warehouse."""

    model_config = Body.model_config | example({"isDefault": True})
    nullable: ClassVar[frozenset[str]] = frozenset({"code"})

    name: WarehouseName | None = None
    code: WarehouseCode | None = None
    is_active: bool | None = Field(
        default=None, description="Only an empty one that no store sells from is switched off"
    )
    is_default: bool | None = Field(default=None, description="true takes it from the other one")


class LevelAnswer(Answer):
    """What a warehouse has of a variant."""

    model_config = Answer.model_config | example(
        {
            "variantId": 55,
            "warehouseId": 1,
            "onHand": "14",
            "reserved": "2",
            "available": "12",
            "updatedAt": "2026-11-21T09:30:05Z",
        }
    )

    variant_id: int
    warehouse_id: int
    on_hand: Quantity
    reserved: Quantity = Field(description="Held by orders that are not sent yet")
    available: Quantity = Field(description="On hand, less what is reserved")
    updated_at: UtcTime


class LevelListAnswer(Answer):
    """A page of levels by variant and warehouse."""

    model_config = Answer.model_config | page_example(LevelAnswer)

    data: list[LevelAnswer]
    next_cursor: str | None


class MovementAnswer(Answer):
    """One entry of the ledger. The movements of a variant explain its level."""

    model_config = Answer.model_config | example(_MOVEMENT)

    id: int
    variant_id: int
    warehouse_id: int
    kind: str = Field(
        description=(
            "Of people: receipt, adjustment, damage, return, transfer, invoice. Of stores and "
            "orders: opening, correction (the store's number moved by itself), explained (the "
            "order that was the reason for it), shipment, return, withdrawal"
        )
    )
    quantity: Quantity
    balance: Quantity = Field(description="On hand afterwards")
    store_id: int | None
    order_id: int | None
    note: str
    created_at: UtcTime


class MovementListAnswer(Answer):
    """A page of movements, the newest first."""

    model_config = Answer.model_config | page_example(MovementAnswer)

    data: list[MovementAnswer]
    next_cursor: str | None


class MadeMovementsAnswer(Answer):
    """The movements that were made: one, or both sides of a transfer."""

    model_config = Answer.model_config | example({"data": [_MOVEMENT]})

    data: list[MovementAnswer]


class CreateMovementBody(Body):
    """Stock to move. It cannot go below what orders have reserved."""

    model_config = Body.model_config | example(
        {"variantId": 55, "quantity": "10", "kind": "receipt", "note": "delivery 12"}
    )

    variant_id: PositiveId
    warehouse_id: PositiveId | None = Field(default=None, description="Left out: the default one")
    to_warehouse_id: PositiveId | None = Field(default=None, description="Of a transfer")
    quantity: Signed
    kind: Literal["receipt", "adjustment", "damage", "return", "transfer"]
    note: ShortText = ""

    @model_validator(mode="after")
    def _agrees(self) -> "CreateMovementBody":
        if not self.quantity:
            raise ValueError("quantity: nothing would be moved")
        if self.kind in ("receipt", "return", "transfer") and self.quantity < 0:
            raise ValueError(f"quantity: a {self.kind} is positive")
        if self.kind == "damage" and self.quantity > 0:
            raise ValueError("quantity: a damage is negative")
        if (self.kind == "transfer") != (self.to_warehouse_id is not None):
            raise ValueError("toWarehouseId: a transfer has it, and nothing else")
        if self.to_warehouse_id is not None and self.to_warehouse_id == self.warehouse_id:
            raise ValueError("toWarehouseId: has to be another warehouse")
        return self


class InvoiceLineBody(Body):
    """How many of a variant."""

    variant_id: PositiveId
    quantity: Taken


class CreateInvoiceBody(Body):
    """An invoice written elsewhere; its lines leave the stock."""

    model_config = Body.model_config | example(
        {"number": "INV-2026-0042", "lines": [{"variantId": 55, "quantity": "2"}]}
    )

    number: InvoiceNumber
    lines: list[InvoiceLineBody] = Field(min_length=1, max_length=200)
    warehouse_id: PositiveId | None = Field(default=None, description="Left out: the default one")
    note: ShortText = ""

    @model_validator(mode="after")
    def _names_each_once(self) -> "CreateInvoiceBody":
        if len({one.variant_id for one in self.lines}) < len(self.lines):
            raise ValueError("lines: name each variant once")
        return self


class InvoiceLineAnswer(Answer):
    """How many of a variant."""

    variant_id: int
    quantity: Quantity


class InvoiceAnswer(Answer):
    """An invoice whose lines have left the stock."""

    model_config = Answer.model_config | example(
        {
            "id": 7,
            "number": "INV-2026-0042",
            "warehouseId": 1,
            "note": "",
            "lines": [{"variantId": 55, "quantity": "2"}],
            "createdAt": "2026-11-21T09:30:05Z",
        }
    )

    id: int
    number: str
    warehouse_id: int
    note: str
    lines: list[InvoiceLineAnswer]
    created_at: UtcTime


class InvoiceListAnswer(Answer):
    """A page of invoices by id."""

    model_config = Answer.model_config | page_example(InvoiceAnswer)

    data: list[InvoiceAnswer]
    next_cursor: str | None
