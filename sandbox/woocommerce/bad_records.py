"""Records that no client can take, planted on demand for tests of rejection."""

from typing import TYPE_CHECKING

from sandbox.woocommerce import clock
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import HISTORY_START
from sandbox.woocommerce.table import Row

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop


def plant(shop: "Shop") -> set[tuple[str, int]]:
    """Add the seed's `bad_records` to products and orders; returns (table, id) of each."""
    planted: set[tuple[str, int]] = set()
    for n in range(shop.seed.bad_records):
        for name, spoil in (("products", _spoil_product), ("orders", _spoil_order)):
            template = next(iter(shop.tables[name].rows.values()), None)
            if template is None:
                continue
            row = Row(shop.next_id(name), HISTORY_START, HISTORY_START, kind=template.kind)
            row.status = "publish" if name == "products" else "completed"
            document = shop.tables[name].document(template)
            stamp = clock.gmt(HISTORY_START)
            document |= {"id": row.id, "status": row.status, "date_modified_gmt": stamp}
            if name == "products":
                document |= {"sku": "", "variations": [], "type": "simple"}
                row.kind = "simple"
            spoil(document, n)
            shop.tables[name].insert(row, document)
            planted.add((name, row.id))
    return planted


def _spoil_product(document: Document, n: int) -> None:
    if n % 3 == 0:
        document |= {"price": "not-a-number", "regular_price": "not-a-number"}
    else:
        _spoil_id(document, n)


def _spoil_order(document: Document, n: int) -> None:
    if n % 3 == 0:
        document["total"] = "not-a-number"
    else:
        _spoil_id(document, n)


def _spoil_id(document: Document, n: int) -> None:
    if n % 3 == 1:
        del document["id"]
    else:
        document["id"] = None
