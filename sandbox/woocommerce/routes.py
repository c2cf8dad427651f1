"""Which handler a path and method mean, and what the route allows."""

from dataclasses import dataclass

from sandbox.woocommerce.errors import no_route

ITEM = "GET, POST, PUT, PATCH, DELETE"
COLLECTION = "GET, POST"
BATCH = "POST, PUT, PATCH"
READ = "GET"
_TABLES = {"products", "orders", "customers", "coupons", "taxes", "webhooks"}
_BELOW_PRODUCTS = {"categories", "tags", "attributes"}
_FIXED = {
    "orders/statuses": "statuses",
    "system_status": "system_status",
    "settings/general": "settings",
    "data/currencies/current": "currency",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A resolved path: `action` is `list`, `item`, `batch` or the name of a fixed answer."""

    table: str
    action: str
    allow: str
    path: str
    record_id: int = 0
    parent: int = 0


def resolve(path: str, method: str, *, flat_variations: bool) -> Route:
    """The route of a path below `/wc/v3`; raises `rest_no_route`."""
    route = _match(path.strip("/"), flat_variations)
    if route is None or method not in route.allow:
        raise no_route()
    return route


def _match(path: str, flat_variations: bool) -> Route | None:
    if path in _FIXED:
        return Route("", _FIXED[path], READ, path)
    parts = path.split("/")
    match parts:
        case ["variations"] if flat_variations:
            return Route("variations", "list", READ, path)
        case ["products", name, *rest] if name in _BELOW_PRODUCTS:
            return _below(name, f"products/{name}", rest)
        case ["products", parent, "variations", *rest] if parent.isdigit():
            return _below("variations", f"products/{parent}/variations", rest, int(parent))
        case ["orders", parent, "refunds", *rest] if parent.isdigit():
            route = _below("refunds", f"orders/{parent}/refunds", rest, int(parent))
            if route is not None and route.action == "item":
                return Route("refunds", "item", "GET, DELETE", path, route.record_id, int(parent))
            return None if route is None or route.action == "batch" else route
        case ["orders", parent, "notes"] if parent.isdigit():
            return Route("notes", "list", COLLECTION, path, parent=int(parent))
        case [name, *rest] if name in _TABLES:
            return _below(name, name, rest)
    return None


def _below(table: str, path: str, rest: list[str], parent: int = 0) -> Route | None:
    match rest:
        case []:
            return Route(table, "list", COLLECTION, path, parent=parent)
        case ["batch"]:
            return Route(table, "batch", BATCH, path, parent=parent)
        case [record_id] if record_id.isdigit():
            return Route(table, "item", ITEM, path, int(record_id), parent)
    return None
