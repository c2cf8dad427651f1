"""Puts what is there into the requests that schemathesis makes up.

Made-up ids lead to 404, made-up cursors to 400, and a key for idempotency that came before to 422:
whatever lies behind would hardly be reached. Parts that are wrong on purpose stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation

from tests.api.fuzzing.planted import Planted, Two

_IN_BODIES: Final = {
    "storeId": "stores",
    "variantId": "variants",
    "warehouseId": "warehouses",
    "categoryIds": "categories",
    "customerIds": "customers",
    "productIds": "products",
}
_IN_PATHS: Final = {"store_id": "stores", "productId": "products"}
_STRANGERS_EACH, _MADE_UP_EACH = 7, 5
"""One of so many ids is the other tenant's, or stays as it is."""


@dataclass
class RealIds:
    """Changes each request before it is sent."""

    two: Two
    _turn: Iterator[int] = field(default_factory=count)

    def fill_in(self, case: Case[Any]) -> None:
        """Change a request that is about to be sent."""
        turn = next(self._turn)
        name_intent(case, turn)
        if turn % _MADE_UP_EACH == 0:
            return
        whose = self.two.strangers if turn % _STRANGERS_EACH == 0 else self.two.own
        if not _is_wrong(case, ParameterLocation.PATH):
            self._fill_path(case, whose, turn)
        if not _is_wrong(case, ParameterLocation.QUERY):
            self._fill_query(case, whose)
        if not _is_wrong(case, ParameterLocation.BODY) and isinstance(case.body, (dict, list)):
            self._fill_body(case.body, whose, turn)

    def _fill_path(self, case: Case[Any], whose: Planted, turn: int) -> None:
        named = case.path_parameters
        for name, kind in _IN_PATHS.items():
            if name in named:
                named[name] = _pick(whose.ids[kind], turn)
        listing = case.path.partition("/{record_id}")[0].rpartition("/")[2]
        if "record_id" in named:
            named["record_id"] = _pick(whose.ids[listing], turn)
        if "workflow_id" in named:
            named["workflow_id"] = _pick(whose.workflow_ids, turn)
        if "woocommerce" in case.path and "storeId" in (case.query or {}):
            case.query["storeId"] = whose.ids["stores"][-1]

    def _fill_query(self, case: Case[Any], whose: Planted) -> None:
        query = case.query or {}
        if query.get("storeId") is not None:
            query["storeId"] = whose.ids["stores"][-1]
        if query.get("cursor") is not None and case.path in whose.cursors:
            query["cursor"] = whose.cursors[case.path]

    def _fill_body(self, body: Any, whose: Planted, turn: int) -> None:
        if isinstance(body, list):
            for one in body:
                self._fill_body(one, whose, turn)
        elif isinstance(body, dict):
            for name, value in body.items():
                if name in _IN_BODIES and value:
                    ids = whose.ids[_IN_BODIES[name]]
                    one = ids[-1] if name == "storeId" else _pick(ids, turn)
                    body[name] = [one] if isinstance(value, list) else one
                else:
                    self._fill_body(value, whose, turn)


_KEY: Final = "Idempotency-Key"


def name_intent(case: Case[Any], turn: int) -> None:
    """Give the request a key for idempotency of its own, where it has one that is no mistake."""
    if not _is_wrong(case, ParameterLocation.HEADER) and _KEY in (case.headers or {}):
        case.headers[_KEY] = f"intent-{turn}"


def _is_wrong(case: Case[Any], location: ParameterLocation) -> bool:
    return case.meta is not None and case.meta.is_negative_at(location)


def _pick(values: list[Any], turn: int) -> Any:
    return values[turn % len(values)]
