"""Validating a list's query as WordPress does, and what is left of it for the paging links."""

from dataclasses import dataclass, field
from re import compile as pattern

from sandbox.woocommerce import clock
from sandbox.woocommerce.errors import RestError, invalid_param
from sandbox.woocommerce.php import Param

_POST_ORDER = ("date", "id", "include", "title", "slug", "modified")
_TERM_ORDER = ("id", "include", "name", "slug", "term_group", "description", "count")
ORDERBY = {
    "products": (*_POST_ORDER, "price", "popularity", "rating", "menu_order"),
    "variations": (*_POST_ORDER, "menu_order"),
    "orders": _POST_ORDER,
    "refunds": _POST_ORDER,
    "coupons": _POST_ORDER,
    "customers": ("id", "include", "name", "registered_date"),
    "categories": _TERM_ORDER,
    "tags": _TERM_ORDER,
    "attributes": _TERM_ORDER,
    "taxes": ("id", "order", "priority"),
    "webhooks": ("date", "id", "title"),
}
ROLES = (
    *("all", "administrator", "editor", "author", "contributor", "subscriber", "customer"),
    "shop_manager",
)
STATUSES = {
    "products": (
        *("any", "future", "trash", "auto-draft", "draft", "pending", "private", "publish"),
    ),
    "orders": (
        *("any", "trash", "auto-draft", "pending", "processing", "on-hold", "completed"),
        *("cancelled", "refunded", "failed", "awaiting-shipment", "checkout-draft"),
    ),
}
_DATES = ("after", "before", "modified_after", "modified_before")
_DATE = pattern(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$")
_TRUE = frozenset({"1", "true"})
_FALSE = frozenset({"0", "false", ""})
_MAX_PER_PAGE = 100


@dataclass(slots=True)
class ListQuery:
    """A validated list query. Bounds are epoch seconds; `link` is what paging links repeat."""

    page: int = 1
    per_page: int = 10
    offset: int | None = None
    orderby: str = "date"
    order: str = "desc"
    bounds: dict[str, int] = field(default_factory=dict)
    include: list[int] = field(default_factory=list)
    exclude: list[int] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    link: dict[str, Param] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """How many records come before the page."""
        return (self.page - 1) * self.per_page if self.offset is None else self.offset


def read(name: str, params: dict[str, Param]) -> ListQuery:
    """Validate the query of a list; raises `rest_invalid_param` for the first bad parameter."""
    query = ListQuery(link=dict(params))
    query.page = _integer(params, "page", 1, low=1)
    query.per_page = _integer(params, "per_page", 10, low=1, high=_MAX_PER_PAGE)
    if "offset" in params:
        query.offset = _integer(params, "offset", 0)
    ascending = name in ("customers", "categories", "tags", "attributes", "taxes")
    named = name in ("customers", "categories", "tags", "attributes")
    default = "name" if named else "id" if name == "taxes" else "date"
    query.orderby = _one_of(params, "orderby", default, ORDERBY[name])
    query.order = _one_of(params, "order", "asc" if ascending else "desc", ("asc", "desc"))
    _one_of(params, "context", "view", ("view", "edit"))
    if name not in ("customers", "categories", "tags"):
        _read_dates(query, params)
    for key, into in (("include", query.include), ("exclude", query.exclude)):
        if key in params:
            into.extend(_ids(params, key))
            query.link[key] = [str(item) for item in into]
    for key, value in params.items():
        if isinstance(value, str):
            query.filters[key] = value
        elif isinstance(value, list):
            query.filters[key] = ",".join(item for item in value if isinstance(item, str))
    if name == "customers":
        _one_of(params, "role", "customer", ROLES)
    if name in STATUSES and "status" in query.filters:
        _check_statuses(query.filters["status"], STATUSES[name])
    return query


def _check_statuses(sent: str, allowed: tuple[str, ...]) -> None:
    for n, status in enumerate(sent.split(",")):
        if status.removeprefix("wc-") not in allowed:
            listed = f"{', '.join(allowed[:-1])}, and {allowed[-1]}"
            message = f"status[{n}] is not one of {listed}."
            raise invalid_param("status", "rest_not_in_enum", message)


def _read_dates(query: ListQuery, params: dict[str, Param]) -> None:
    gmt = _boolean(query, params, "dates_are_gmt")
    for key in _DATES:
        value = params.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or not _DATE.match(value):
            raise invalid_param(key, "rest_invalid_date", "Invalid date.")
        # An offset or Z that is sent is not honoured: the column compared with decides.
        read_as = clock.epoch_of_gmt if gmt else clock.epoch_of_local
        try:
            query.bounds[key] = read_as(value)
        except ValueError as error:
            raise invalid_param(key, "rest_invalid_date", "Invalid date.") from error


def _boolean(query: ListQuery, params: dict[str, Param], key: str) -> bool:
    if key not in params:
        return False
    value = str(params[key]).lower()
    if value not in _TRUE | _FALSE:
        raise _wrong_type(key, "boolean")
    if value in _TRUE:
        query.link[key] = "1"
        return True
    del query.link[key]
    return False


def _integer(
    params: dict[str, Param], key: str, default: int, *, low: int | None = None, high: int = 0
) -> int:
    value = params.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or not value.lstrip("-").isdigit():
        raise _wrong_type(key, "integer")
    number = int(value)
    if high and low is not None and not low <= number <= high:
        message = f"{key} must be between {low} (inclusive) and {high} (inclusive)"
        raise invalid_param(key, "rest_out_of_bounds", message)
    if low is not None and number < low:
        message = f"{key} must be greater than or equal to {low}"
        raise invalid_param(key, "rest_out_of_bounds", message)
    return number


def _one_of(params: dict[str, Param], key: str, default: str, allowed: tuple[str, ...]) -> str:
    value = params.get(key, default)
    if value not in allowed:
        last = " and " if len(allowed) == 2 else ", and "
        message = f"{key} is not one of {', '.join(allowed[:-1])}{last}{allowed[-1]}."
        raise invalid_param(key, "rest_not_in_enum", message)
    return str(value)


def _ids(params: dict[str, Param], key: str) -> list[int]:
    value = params[key]
    parts = value.replace(" ", ",").split(",") if isinstance(value, str) else value
    found = []
    for n, part in enumerate(parts):
        if part == "":
            continue
        if not isinstance(part, str) or not part.isdigit():
            message = f"{key}[{n}] is not of type integer."
            data = {"param": f"{key}[{n}]"}
            raise invalid_param(key, "rest_invalid_type", message, data)
        found.append(int(part))
    return found


def _wrong_type(key: str, wanted: str) -> RestError:
    message = f"{key} is not of type {wanted}."
    return invalid_param(key, "rest_invalid_type", message, {"param": key})
