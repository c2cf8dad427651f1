"""The store: its rows, and what happens to them."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from sandbox.easyorder import seed as seeding
from sandbox.easyorder.seed import Row, StoreSeed, new_id

_CAIRO = timezone(timedelta(hours=2))
_RELATIONS = frozenset(("variations", "variants", "categories"))
_READ_ONLY = frozenset(("id", "created_at", "updated_at", "children"))

Listener = Callable[[str, Row], None]


class MissingError(Exception):
    """There is no such record."""


class RefusedError(Exception):
    """The store does not take what was sent."""


@dataclass(slots=True)
class Behaviour:
    """What the documentation leaves open, and how this store decides it.

    Attributes:
        envelope: `array`, or `data` for `{"data": […]}`.
        max_limit: the most rows of a page, whatever is asked.
        replaces_variants: an update's variants get new ids; else they are matched by id.
        answers_writes: whether a write is answered with the record, else with an empty body.
        filters_updated_at: whether `updated_at` is a column that lists know.
        refuses_join: 400 to every `join`.
        echoes_status: whether a status set by API sends the webhook too.
    """

    envelope: str = "array"
    max_limit: int = 100
    replaces_variants: bool = False
    answers_writes: bool = True
    filters_updated_at: bool = True
    refuses_join: bool = False
    echoes_status: bool = True
    is_active: bool = True
    requests_per_minute: int = 40


@dataclass(slots=True)
class Store:
    """One store, as its API shows it. `clock` is epoch seconds."""

    seed: StoreSeed = field(default_factory=StoreSeed)
    clock: Callable[[], float] = time.time
    behaviour: Behaviour = field(default_factory=Behaviour)
    tables: dict[str, dict[str, Row]] = field(init=False)
    listeners: list[Listener] = field(default_factory=list)
    random: Random = field(init=False)
    store_id: str = field(init=False)
    _last_number: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed.seed)
        self.store_id = new_id(self.random)
        self.tables = {"categories": {}, "products": {}, "orders": {}}
        parent: str | None = None
        for number in range(1, self.seed.categories + 1):
            row = seeding.category(self.random, number, parent if number % 2 == 0 else None)
            parent = row["id"]
            self._keep("categories", row, at=seeding.START + number)
        for number in range(1, self.seed.products + 1):
            row = seeding.product(self.random, number, list(self.tables["categories"]))
            self._keep("products", row, at=seeding.START + 60 * number)
        for _ in range(self.seed.orders):
            self.order({})

    def get(self, table: str, record_id: str) -> Row:
        """A row. Raises MissingError."""
        row = self.tables[table].get(record_id)
        if row is None:
            raise MissingError
        return row

    def columns(self, table: str) -> set[str]:
        """What lists know of a row, whether there is one or not."""
        if table == "categories":
            blank = seeding.category(Random(0), 0, None)
        else:
            blank = _blank_product("")
        held = {name for row in self.tables[table].values() for name in row}
        return (held | set(blank) | {"created_at", "updated_at"}) - _RELATIONS

    def create(self, table: str, data: Row) -> Row:
        """A new category or product. Raises RefusedError."""
        if not str(data.get("name") or "").strip():
            raise RefusedError("name is required")
        slug = data.get("slug") or f"{table}-{len(self.tables[table]) + 1}-{self.random.random()}"
        if any(row["slug"] == slug for row in self.tables[table].values()):
            raise RefusedError("slug already exists")
        template = (
            seeding.category(self.random, 0, None)
            if table == "categories"
            else _blank_product(new_id(self.random))
        )
        row = {**template, **_given(data), "slug": slug}
        if table == "products":
            if not isinstance(row.get("price"), (int, float)):
                raise RefusedError("price is required")
            self._number(row)
        return self._keep(table, row)

    def update(self, table: str, record_id: str, data: Row) -> Row:
        """Change a row by what is given. Raises MissingError."""
        row = self.get(table, record_id)
        given = _given(data)
        held = {one["id"]: one for one in row.get("variants", [])}
        row.update(copy.deepcopy(given))
        if table == "products":
            for one in row["variants"]:
                known = held.get(one.get("id", ""))
                if known is not None and not self.behaviour.replaces_variants:
                    one.update({**known, **one})
                elif "variants" in given:
                    one["id"] = new_id(self.random)
            self._number(row)
        row["updated_at"] = self._time()
        return row

    def set_quantity(self, row: Row, sold: Row, quantity: Any) -> Row:
        """Set an absolute number of a product or of one of its variants. Raises RefusedError."""
        if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
            raise RefusedError("quantity must be a number of at least 0")
        sold["quantity"] = quantity
        row["updated_at"] = self._time()
        return row

    def delete(self, table: str, record_id: str) -> None:
        """What a person does in the dashboard; there is no such route. Raises MissingError."""
        self.get(table, record_id)
        del self.tables[table][record_id]

    def order(self, data: Row) -> Row:
        """A buyer orders: stock that is tracked goes down. Raises MissingError."""
        lines = data.get("lines") or seeding.order_lines(
            self.random, list(self.tables["products"].values())
        )
        items = [self._cart_item(line) for line in lines]
        cost = round(sum(item["price"] * item["quantity"] for item in items), 2)
        shipping = data.get("shipping_cost", 50)
        self._last_number += 1
        given = {name: one for name, one in data.items() if name not in ("lines", "shipping_cost")}
        row = {
            "id": new_id(self.random),
            "short_id": self._last_number,
            "store_id": self.store_id,
            **seeding.buyer(self.random),
            "status": "pending",
            "cost": cost,
            "shipping_cost": shipping,
            "total_cost": round(cost + shipping, 2),
            "cart_items": items,
            **given,
        }
        self._keep("orders", row)
        self._tell("orders", row)
        return row

    def set_status(self, order_id: str, status: str, *, by_api: bool = False) -> Row:
        """Change an order's status. Raises MissingError."""
        row = self.get("orders", order_id)
        before, row["status"] = row["status"], status
        row["updated_at"] = self._time()
        if before != status and (not by_api or self.behaviour.echoes_status):
            change = {
                "event_type": "order-status-update",
                "order_id": order_id,
                "old_status": before,
                "new_status": status,
                "payment_ref_id": None,
            }
            self._tell("order_status", change)
        return row

    def by_short_id(self, number: str) -> Row:
        """An order by its short number. Raises MissingError."""
        for row in self.tables["orders"].values():
            if str(row["short_id"]) == number:
                return row
        raise MissingError

    def _cart_item(self, line: Row) -> Row:
        product = self.get("products", line["product_id"])
        variant = next(
            (one for one in product["variants"] if one["id"] == line.get("variant_id")), None
        )
        sold = variant or product
        if product["track_stock"]:
            sold["quantity"] = sold["quantity"] - line["quantity"]
            product["updated_at"] = self._time()
        item = {
            "id": new_id(self.random),
            "product_id": product["id"],
            "variant_id": variant["id"] if variant else None,
            "store_id": self.store_id,
            "price": sold["sale_price"] or sold["price"],
            "quantity": line["quantity"],
            "product": {name: product[name] for name in ("id", "name", "sku", "taager_code")},
        }
        return {**item, "variant": copy.deepcopy(variant)} if variant else item

    def _number(self, row: Row) -> None:
        for variation in row["variations"]:
            variation.setdefault("id", new_id(self.random))
            variation.setdefault("product_id", row["id"])
            for prop in variation.get("props", []):
                prop.setdefault("id", new_id(self.random))
        for variant in row["variants"]:
            variant.setdefault("id", new_id(self.random))
            variant.setdefault("quantity", 0)
            variant.setdefault("sale_price", 0)

    def _keep(self, table: str, row: Row, *, at: float | None = None) -> Row:
        row["created_at"] = row["updated_at"] = self._time(at)
        self.tables[table][row["id"]] = row
        return row

    def _tell(self, what: str, payload: Row) -> None:
        for listener in self.listeners:
            listener(what, copy.deepcopy(payload))

    def _time(self, at: float | None = None) -> str:
        moment = datetime.fromtimestamp(self.clock() if at is None else at, _CAIRO)
        return moment.isoformat(timespec="microseconds")


def _given(data: Row) -> Row:
    return {name: one for name, one in data.items() if name not in _READ_ONLY}


def _blank_product(product_id: str) -> Row:
    blank = seeding.product(Random(0), 1, [])
    empty = {name: type(value)() for name, value in blank.items() if name != "price"}
    return {**empty, "id": product_id}
