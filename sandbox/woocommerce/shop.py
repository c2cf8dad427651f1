"""A shop's whole state, and what people do in it: edit, create, trash, delete, restore."""

import gc
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from sandbox.woocommerce import (
    bad_records,
    customer_writes,
    order_writes,
    php,
    product_writes,
    stock_up,
    term_writes,
)
from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.errors import RestError, invalid_id
from sandbox.woocommerce.keys import ApiKey, KeyRing
from sandbox.woocommerce.people import People
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.refunds import seeded_refund
from sandbox.woocommerce.sales import Sales
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.table import Row, Table
from sandbox.woocommerce.variants import seeded_variation
from sandbox.woocommerce.writing import modified_stamps

# What each table's records are called in error codes (`woocommerce_rest_product_invalid_id`).
KINDS = {
    "products": "product",
    "variations": "product_variation",
    "orders": "shop_order",
    "refunds": "shop_order_refund",
    "customers": "user",
    "categories": "term",
    "tags": "term",
    "attributes": "attribute",
    "coupons": "shop_coupon",
    "taxes": "tax",
}
_TRASH_SUFFIX = "__trashed"
_TRASHABLE = frozenset({"products", "orders", "coupons"})
_WEBHOOK_RESOURCE = {
    "products": "product",
    "variations": "product",
    "orders": "order",
    "customers": "customer",
    "coupons": "coupon",
}
# Records rendered before the first request; more are rendered when first asked for.
PRERENDERED = 60_000

Listener: TypeAlias = Callable[[str, int, str], None]


class Shop:
    """The state behind the API. One thread only: call it from the loop that serves it."""

    def __init__(
        self,
        seed: ShopSeed,
        *,
        home_url: str = "http://127.0.0.1:8090",
        flat_variations: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.seed = seed
        self.home_url = home_url
        self.https_url = home_url.replace("http:", "https:", 1)
        self.flat_variations = flat_variations
        self.clock = clock
        self.keys = KeyRing(seed.seed)
        self.listeners: list[Listener] = []
        self.notes: dict[int, list[Document]] = {}
        # Pictures that were fetched or sent back since the start, by id.
        self.attachments: dict[int, Document] = {}
        self._trashed_from: dict[tuple[str, int], str] = {}
        products, variations, product_ids, next_id = stock_up.product_rows(seed)
        coupons = stock_up.coupon_rows(next_id)
        orders, refunds, self._next_post = stock_up.order_rows(seed, next_id + len(coupons))
        categories, tags, attributes = stock_up.term_rows(seed)
        self.catalogue = Catalogue(seed, home_url, product_ids)
        self.people = People(seed, home_url)
        self.sales = Sales(self.catalogue, home_url)
        self.tables = {
            "products": Table("products", self.catalogue.product),
            "variations": Table("variations", partial(seeded_variation, self.catalogue)),
            "orders": Table("orders", self.sales.order),
            "refunds": Table("refunds", self._render_refund),
            "customers": Table("customers", self.people.customer),
            "categories": Table("categories", self.people.category),
            "tags": Table("tags", self.people.tag),
            "attributes": Table("attributes", self.people.attribute),
            "coupons": Table("coupons", self.people.coupon),
            "taxes": Table("taxes", self.people.tax),
        }
        self.tables["products"].load(products)
        self.tables["variations"].load(variations)
        self.tables["orders"].load(orders)
        self.tables["refunds"].load(refunds)
        self.tables["customers"].load(stock_up.customer_rows(seed))
        self.tables["categories"].load(categories)
        self.tables["tags"].load(tags)
        self.tables["attributes"].load(attributes)
        self.tables["coupons"].load(coupons)
        self.tables["taxes"].load(stock_up.tax_rows())
        self._next = {name: max(table.rows, default=0) + 1 for name, table in self.tables.items()}
        self.bad_ids = bad_records.plant(self)

    @property
    def key(self) -> ApiKey:
        """The seeded read and write key."""
        return self.keys.read_write

    def now(self) -> int:
        """The shop's clock, in whole seconds as its dates are."""
        return int(self.clock())

    def prerender(self, limit: int = PRERENDERED) -> None:
        """Render up to `limit` records, and take them out of the garbage collector's rounds."""
        gc.disable()
        for name in ("products", "orders", "variations", "customers", "categories"):
            table = self.tables[name]
            for row in table.rows.values():
                if limit <= 0:
                    break
                table.body(row)
                limit -= 1
            table.ids()
        gc.enable()
        gc.collect()
        gc.freeze()

    def next_id(self, name: str) -> int:
        """A fresh id: posts of all kinds share one sequence."""
        if name in ("products", "variations", "orders", "refunds", "coupons"):
            self._next_post += 1
            return self._next_post - 1
        self._next[name] += 1
        return self._next[name] - 1

    def row(self, name: str, record_id: int, *, status: int = 404) -> Row:
        """The row of an id; raises `RestError` with `status` for an unknown one."""
        row = self.tables[name].find(record_id)
        if row is None:
            raise invalid_id(KINDS[name], status)
        return row

    def document(self, name: str, record_id: int) -> Document:
        """The REST document of one record."""
        return self.tables[name].document(self.row(name, record_id))

    def create(self, name: str, data: Document, *, parent: int = 0) -> Row:
        """Add a record from what a client would POST."""
        match name:
            case "products":
                row = product_writes.create(self, data)
            case "variations":
                row = product_writes.create_variation(self, parent, data)
            case "orders":
                row = order_writes.create(self, data)
            case "customers":
                row = customer_writes.create(self, data)
            case _:
                row = term_writes.create(self, name, data)
        self.announce(name, row.id, "created")
        return row

    def edit(self, name: str, record_id: int, data: Document) -> Row:
        """Change the given fields of a record and move its modification date."""
        row = self.row(name, record_id, status=400)
        document = self.tables[name].document(row)
        match name:
            case "products" | "variations":
                product_writes.update(self, row, document, data)
            case "orders":
                order_writes.update(self, row, document, data)
            case "customers":
                customer_writes.update(self, row, document, data)
            case _:
                term_writes.update(self, name, row, document, data)
        self.announce(name, record_id, "updated")
        return row

    def trash(self, name: str, record_id: int) -> Document:
        """Move a record to the trash, a product's variations with it; returns it as it was."""
        row = self.row(name, record_id)
        kind = KINDS[name]
        if name not in _TRASHABLE:
            raise RestError(
                "woocommerce_rest_trash_not_supported",
                f"The {kind} does not support trashing.",
                501,
            )
        if row.status == "trash":
            raise RestError(
                "woocommerce_rest_already_trashed", f"The {kind} has already been deleted.", 410
            )
        before = self.tables[name].document(row)
        self._trashed_from[name, record_id] = row.status
        after = {**before, "status": "trash"}
        if name == "products":
            after["slug"] += _TRASH_SUFFIX
        self.save(name, row, after)
        for child in self.variations_of(row) if name == "products" else ():
            self.save("variations", child, self.tables["variations"].document(child), "trash")
        self.announce(name, record_id, "deleted")
        return before

    def restore(self, name: str, record_id: int, status: str = "") -> None:
        """Take a record out of the trash, into `status` or the one it had."""
        row = self.row(name, record_id)
        earlier = self._trashed_from.pop((name, record_id), "draft")
        document = self.tables[name].document(row) | {"status": status or earlier}
        if name == "products":
            document["slug"] = document["slug"].removesuffix(_TRASH_SUFFIX)
        self.save(name, row, document)
        for child in self.variations_of(row) if name == "products" else ():
            variation = self.tables["variations"].document(child)
            self.save("variations", child, variation, variation["status"])
        self.announce(name, record_id, "restored")

    def delete(self, name: str, record_id: int) -> Document:
        """Remove a record for good; returns it as it was. Of products and orders no webhook tells
        (measured)."""
        row = self.row(name, record_id)
        table = self.tables[name]
        before = table.document(row)
        table.delete(row)
        if name == "products":
            for child in self.variations_of(row):
                self.tables["variations"].delete(child)
        if name == "variations":
            product_writes.refresh_parent(self, row.parent)
        if name == "orders":
            for refund in list(self.tables["refunds"].children(record_id)):
                self.tables["refunds"].delete(self.tables["refunds"].rows[refund])
        if name == "customers":
            self.announce(name, record_id, "deleted")
        return before

    def save(self, name: str, row: Row, document: Document, status: str | None = None) -> None:
        """Store a changed document, stamping the modification date."""
        now = self.now()
        if "date_modified" in document:
            document.update(modified_stamps(now))
        shown = document.get("status", row.status) if status is None else status
        self.tables[name].rewrite(row, document, modified=now, status=shown)

    def variations_of(self, product: Row) -> list[Row]:
        """The variation rows of a product."""
        table = self.tables["variations"]
        return [table.rows[child] for child in table.children(product.id)]

    def announce(self, name: str, record_id: int, event: str) -> None:
        """Tell the listeners, which are the webhooks."""
        resource = _WEBHOOK_RESOURCE.get(name)
        if resource is not None:
            for listener in self.listeners:
                listener(resource, record_id, event)

    def truth(self, name: str) -> Iterator[Document]:
        """What a correct copy of this shop must hold: its live records as the REST API shows them.

        Records in the trash, checkout drafts (not yet orders) and planted bad records are left
        out; customers are those of every role.
        """
        for _, body in self.truth_bodies(name):
            document: Any = php.load(body)
            yield document

    def truth_bodies(self, name: str) -> Iterator[tuple[int, bytes]]:
        """(id, JSON) of `truth`, ascending by id."""
        table = self.tables[name]
        for record_id in table.ids():
            row = table.rows[record_id]
            if row.status != "checkout-draft" and (name, record_id) not in self.bad_ids:
                yield record_id, table.body(row)

    def _render_refund(self, row: Row) -> Document:
        order = self.tables["orders"].document(self.tables["orders"].rows[row.parent])
        return seeded_refund(self.home_url, row, order)
