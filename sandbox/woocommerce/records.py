"""Reading and writing single records and batches, over whichever table a route names."""

from typing import Any

from sandbox.wire import Reply
from sandbox.woocommerce import lists, order_writes, php
from sandbox.woocommerce.errors import RestError, invalid_id, missing_param
from sandbox.woocommerce.php import Document, Param
from sandbox.woocommerce.product_parts import as_edited
from sandbox.woocommerce.routes import Route
from sandbox.woocommerce.shop import KINDS, Shop
from sandbox.woocommerce.table import Row

_BATCH_LIMIT = 100
_TERMS = frozenset({"categories", "tags", "attributes"})
_REFUND_LOCATION = r"orders/(?P<order_id>[\d]+)/refunds"
_UNTRASHABLE = {
    "customers": "Customers do not support trashing.",
    "categories": "Terms do not support trashing.",
    "tags": "Terms do not support trashing.",
    "attributes": "Resource does not support trashing.",
    "taxes": "Taxes do not support trashing.",
    "refunds": "The shop_order_refund does not support trashing.",
}


def unknown(table: str, status: int) -> RestError:
    """The answer to an unknown id of a table."""
    if table == "customers":
        return RestError("woocommerce_rest_invalid_id", "Invalid resource ID.", status)
    if table in _TERMS:
        return RestError("woocommerce_rest_term_invalid", "Resource does not exist.", 404)
    return invalid_id(KINDS[table], status)


def get(shop: Shop, route: Route, params: dict[str, Param]) -> Reply:
    """One record."""
    table = shop.tables[route.table]
    row = table.find(route.record_id)
    if row is None or (route.parent and row.parent != route.parent):
        raise unknown(route.table, 404)
    filters = {name: value for name, value in params.items() if isinstance(value, str)}
    return Reply(200, lists.render(shop, table, [row], filters)[0])


def create(shop: Shop, route: Route, data: Document) -> Reply:
    """POST on a list: 201 and a `Location`. The one of refunds shows the route's own pattern
    (recorded)."""
    body = _create(shop, route, data)
    record_id = php.load(body)["id"]
    path = _REFUND_LOCATION if route.table == "refunds" else route.path
    location = f"{shop.home_url}/wp-json/wc/v3/{path}/{record_id}"
    return Reply(201, body, [("Location", location)])


def update(shop: Shop, route: Route, data: Document) -> Reply:
    """PUT, PATCH or POST on a record: only the sent members change."""
    return Reply(200, _update(shop, route, route.record_id, data))


def delete(shop: Shop, route: Route, params: dict[str, Param], data: Document) -> Reply:
    """DELETE: to the trash, or for good with `force`."""
    force = str(data.get("force", params.get("force", ""))).lower() in ("1", "true")
    return Reply(200, php.dump(_delete(shop, route, route.record_id, force=force)))


def batch(shop: Shop, route: Route, data: Document) -> Reply:
    """Up to 100 operations; what fails is reported in its place inside a 200."""
    sizes = sum(len(data.get(name) or []) for name in ("create", "update", "delete"))
    if sizes > _BATCH_LIMIT:
        raise RestError(
            "woocommerce_rest_request_entity_too_large",
            f"Unable to accept more than {_BATCH_LIMIT} items for this request.",
            413,
        )
    answer: dict[str, list[bytes]] = {}
    for item in data.get("create") or []:
        answer.setdefault("create", []).append(_try(0, lambda d=item: _create(shop, route, d)))
    for item in data.get("update") or []:
        number = int(item.get("id") or 0)
        one = _try(number, lambda d=item, n=number: _update(shop, route, n, d))
        answer.setdefault("update", []).append(one)
    for item in data.get("delete") or []:
        number = int(item if isinstance(item, int | str) else item.get("id") or 0)
        one = _try(number, lambda n=number: php.dump(_delete(shop, route, n, force=True)))
        answer.setdefault("delete", []).append(one)
    parts = [b'"%s":[%s]' % (name.encode(), b",".join(items)) for name, items in answer.items()]
    return Reply(200, b"{" + b",".join(parts) + b"}")


def _try(record_id: int, act: Any) -> bytes:
    try:
        done: bytes = act()
    except RestError as error:
        return php.dump({"id": record_id, "error": error.body()})
    return done


def _create(shop: Shop, route: Route, data: Document) -> bytes:
    if route.table == "refunds":
        if "amount" not in data:
            raise missing_param("amount")
        row = order_writes.refund(shop, route.parent, data)
    else:
        row = shop.create(route.table, data, parent=route.parent)
    return _written(shop, route, row, data)


def _update(shop: Shop, route: Route, record_id: int, data: Document) -> bytes:
    table = shop.tables[route.table]
    row = table.find(record_id)
    if row is None or (route.parent and row.parent != route.parent):
        raise unknown(route.table, 400)
    status = data.get("status")
    if (
        route.table in ("products", "orders")
        and row.status == "trash"
        and status
        not in (
            None,
            "trash",
        )
    ):
        shop.restore(route.table, record_id, str(status))
    return _written(shop, route, shop.edit(route.table, record_id, data), data)


def _written(shop: Shop, route: Route, row: Row, data: Document) -> bytes:
    body = shop.tables[route.table].body(row)
    if route.table != "products" or not {"description", "short_description"} & data.keys():
        return body
    return php.dump(as_edited(php.load(body), data))


def _delete(shop: Shop, route: Route, record_id: int, *, force: bool) -> Document:
    row = shop.tables[route.table].find(record_id)
    if row is None or (route.parent and row.parent != route.parent):
        raise unknown(route.table, 404)
    if not force and route.table in _UNTRASHABLE:
        message = _UNTRASHABLE[route.table]
        raise RestError("woocommerce_rest_trash_not_supported", message, 501)
    if route.table == "refunds":
        return order_writes.delete_refund(shop, route.parent, record_id)
    return shop.delete(route.table, record_id) if force else shop.trash(route.table, record_id)
