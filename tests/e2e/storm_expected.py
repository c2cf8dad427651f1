"""What hub and shops have to come to, when it is known who changed what."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

HUB, FIRST, SECOND, ALL = range(4)

_TAKING = frozenset({"processing", "completed", "on-hold"})


@dataclass
class Sale:
    """An order of the shop `side`: who sets its status, and what it wants by SKU."""

    id: int
    side: int
    by: int
    lines: dict[str, int]
    status: str = "processing"

    def takes(self, sku: str) -> int:
        """How many of a product it has taken out of the stock."""
        return self.lines.get(sku, 0) if self.status in _TAKING else 0


@dataclass
class Expected:
    """Every product has one side that edits it, and one side (or `ALL`) that moves its stock.

    Attributes:
        openings: the stock that each SKU began with.
        content: title and price by SKU.
        moved: what was moved of a SKU's stock, sales aside.
        born: products that were made since, by the side that made them, or `ALL`.
        doubtful: SKUs that may be there or not: nobody knows whether they were made.
        receipts: what may have been booked or not: SKU and quantity by note.
        sales: orders by shop.
    """

    skus: tuple[str, ...]
    openings: dict[str, int]
    content: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved: Counter[str] = field(default_factory=Counter)
    born: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    receipts: dict[str, tuple[str, int]] = field(default_factory=dict)
    sales: dict[int, list[Sale]] = field(default_factory=lambda: {FIRST: [], SECOND: []})

    def edited_by(self, side: int) -> list[str]:
        """The SKUs whose title and price one side alone changes."""
        return [sku for place, sku in enumerate(self.skus) if place % 3 == side]

    def moved_by(self, side: int) -> list[str]:
        """The SKUs whose stock one side alone moves, or all do."""
        return [sku for place, sku in enumerate(self.skus) if place // 3 % 4 == side]

    def all_sales(self) -> Iterator[Sale]:
        """The orders of both shops."""
        yield from self.sales[FIRST]
        yield from self.sales[SECOND]

    def stock(self, sku: str) -> int:
        """What has to be left of it."""
        return (
            self.openings[sku] + self.moved[sku] - sum(sale.takes(sku) for sale in self.all_sales())
        )
