"""What hub and shops have to come to, when it is known who changed what."""

from collections import Counter
from dataclasses import dataclass, field

from tests.e2e.two_way import OPENING

HUB, FIRST, SECOND, ALL = range(4)

_TAKING = frozenset({"processing", "completed", "on-hold"})


@dataclass
class Sale:
    """An order of the shop `side`: who sets its status, and what it takes."""

    id: int
    side: int
    by: int
    lines: dict[str, int]
    status: str = "processing"

    @property
    def taken(self) -> dict[str, int]:
        """What it has taken out of the shop's stock, by SKU."""
        return self.lines if self.status in _TAKING else {}


@dataclass
class Expected:
    """Every product has one side that edits it and one side, or all, that move its stock.

    Attributes:
        content: (title, price) by SKU.
        moved: what hub and shops moved of a SKU's stock, sales aside.
        born: products that were made during the storm, by the side that made them.
        doubtful: SKUs that may be there or not: nobody knows whether they were made.
        gone: SKUs that were deleted.
        receipts: notes of receipts that nobody knows about, with SKU and quantity.
        sales: orders by store.
    """

    skus: tuple[str, ...]
    content: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved: Counter[str] = field(default_factory=Counter)
    born: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    receipts: dict[str, tuple[str, int]] = field(default_factory=dict)
    sales: dict[int, dict[int, Sale]] = field(default_factory=lambda: {FIRST: {}, SECOND: {}})

    def edited_by(self, side: int) -> list[str]:
        """The SKUs whose title and price one side alone changes."""
        return [sku for place, sku in enumerate(self.skus) if place % 3 == side]

    def moved_by(self, side: int) -> list[str]:
        """The SKUs whose stock one side, or `ALL`, moves."""
        return [sku for place, sku in enumerate(self.skus) if place // 3 % 4 == side]

    def set_number(self, sku: str, side: int, number: int) -> None:
        """Somebody counted a shop's stock; only for what that shop alone moves."""
        self.moved[sku] += number - self.stock(sku)
        assert sku in self.moved_by(side)

    def stock(self, sku: str) -> int:
        """What has to be left of it."""
        taken = sum(
            sale.taken.get(sku, 0) for sales in self.sales.values() for sale in sales.values()
        )
        return OPENING + self.moved[sku] - taken
