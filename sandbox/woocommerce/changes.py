"""What people do to a shop while it is read: random, but the same for the same seed."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.woocommerce.php import Document
from sandbox.woocommerce.shop import Shop

ENTITIES = ("products", "variations", "orders", "customers", "categories", "tags")
_MOVES = ("processing", "completed", "on-hold", "cancelled", "awaiting-shipment")


class Hand:
    """Makes random changes over the whole range of ids."""

    def __init__(self, shop: Shop, seed: int = 1) -> None:
        self._shop = shop
        self._random = Random(seed)
        self._made = 0

    def pick(self, entity: str) -> int | None:
        """A live id; None where there is none."""
        ids = self._shop.tables[entity].ids()
        if entity == "customers":
            ids = [i for i in ids if i > 1]
        return ids[self._random.randrange(len(ids))] if ids else None

    def edit(self, entity: str, count: int) -> list[int]:
        """Edit up to `count` records; returns their ids (one may come twice)."""
        return self._each(entity, count, self._edit)

    def trash(self, entity: str, count: int) -> list[int]:
        """Move up to `count` records to the trash; returns their ids."""
        return self._each(entity, count, self._shop.trash)

    def delete(self, entity: str, count: int) -> list[int]:
        """Delete up to `count` records for good; returns their ids."""
        return self._each(entity, count, self._shop.delete)

    def create(self, entity: str, count: int, data: Document | None = None) -> list[int]:
        """Add `count` records; returns their ids."""
        made = []
        for _ in range(count):
            self._made += 1
            parent = self._variable() if entity == "variations" else 0
            document = self._fresh(entity) if data is None else dict(data)
            made.append(self._shop.create(entity, document, parent=parent).id)
        return made

    def _each(self, entity: str, count: int, act: Any) -> list[int]:
        touched = []
        for _ in range(count):
            record_id = self.pick(entity)
            if record_id is None:
                break
            act(entity, record_id)
            touched.append(record_id)
        return touched

    def _edit(self, entity: str, record_id: int) -> None:
        self._made += 1
        self._shop.edit(entity, record_id, self._change(entity, record_id))

    def _change(self, entity: str, record_id: int) -> Document:
        price = f"{self._random.randrange(100, 99_999) / 100:.2f}"
        match entity:
            case "products":
                kind = self._shop.tables["products"].rows[record_id].kind
                own = {} if kind in ("variable", "grouped") else {"regular_price": price}
                return {"name": f"Edited {self._made}", "sale_price": "", **own}
            case "variations":
                return {"regular_price": price, "sale_price": ""}
            case "orders":
                status = self._random.choice(_MOVES)
                return {"status": status, "customer_note": f"Edit {self._made}"}
            case "customers":
                return {"last_name": f"Edited {self._made}"}
        return {"description": f"Edited {self._made}"}

    def _fresh(self, entity: str) -> Document:
        number = self._made
        match entity:
            case "products":
                return {"name": f"New product {number}", "regular_price": "12.50"}
            case "variations":
                return {"regular_price": "9.90", "attributes": [{"id": 1, "option": "Red"}]}
            case "orders":
                product = self._simple()
                email = f"new{number}@example.test"
                billing = {"first_name": "New", "country": "DE", "email": email}
                line = {"product_id": product, "quantity": 1, "total": "20.00", "name": "New"}
                line["subtotal"] = "20.00"
                return {"billing": billing, "line_items": [line], "status": "pending"}
            case "customers":
                return {"email": f"made{number}-{self._random.getrandbits(40):x}@example.test"}
        return {"name": f"New {number}-{self._random.getrandbits(40):x}"}

    def _simple(self) -> int:
        rows = self._shop.tables["products"].rows
        for _ in range(20):
            record_id = self.pick("products")
            if record_id is not None and rows[record_id].kind == "simple":
                return record_id
        return 0

    def _variable(self) -> int:
        rows = self._shop.tables["products"].rows.values()
        return next((row.id for row in rows if row.kind == "variable" and not row.hidden), 0)


@dataclass(slots=True)
class Churn:
    """Changes made after every served page of one entity's list."""

    entity: str
    edits: int = 5
    additions: int = 1
    deletions: int = 1
    max_events: int = 0
    id_pages: bool = False
    seed: int = 1
    events: int = 0
    edited: int = 0
    added: int = 0
    deleted: int = 0

    def after_page(self, hand: Hand, *, ids_only: bool) -> None:
        """One page has been served."""
        if (ids_only and not self.id_pages) or (self.max_events and self.events >= self.max_events):
            return
        self.events += 1
        self.edited += len(hand.edit(self.entity, self.edits))
        self.added += len(hand.create(self.entity, self.additions))
        self.deleted += len(hand.delete(self.entity, self.deletions))
