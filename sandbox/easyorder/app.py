"""The store's API: key, rate limit, routes, envelopes, faults.

Source: EasyOrders API docs. Bodies of 401, 403 and 404 are not documented.
"""

import hmac
import json
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote

from sandbox import faults, wire
from sandbox.easyorder import control
from sandbox.easyorder.courier import Courier
from sandbox.easyorder.limits import RateLimit
from sandbox.easyorder.query import BadQueryError, Query
from sandbox.easyorder.seed import Row
from sandbox.easyorder.shop import MissingError, RefusedError, Store
from sandbox.faults import Faults
from sandbox.hosting import application
from sandbox.journal import Journal
from sandbox.wire import App, Reply, Request, Send

BASE = "/api/v1/external-apps"
_TABLES = ("products", "categories")
_PERMISSIONS = {"GET": "read", "POST": "create", "PATCH": "update", "DELETE": "delete"}


@dataclass(slots=True)
class Sandbox:
    """A store and all that watches or disturbs it. `permissions`: None allows everything."""

    store: Store
    api_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    permissions: frozenset[str] | None = None
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    limit: RateLimit = field(default_factory=RateLimit)
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.courier = Courier(self.store)

    async def handle(self, request: Request, send: Send) -> tuple[int, int]:
        """Answer one request; returns status and body size, status 0 for a dropped connection."""
        if request.path.startswith("/_sandbox/"):
            reply = await control.answer(self, request)
            await wire.send_reply(send, reply)
            return reply.status, len(reply.body)
        route = request.raw_path.removeprefix(BASE)
        rules = self.faults.striking(request, route)
        await faults.wait_out(rules)
        reply = faults.answer_instead(rules) or self._answer(request)
        reply.headers = [
            ("Date", formatdate(self.store.clock(), usegmt=True)),
            ("Content-Type", "application/json"),
            *reply.headers,
        ]
        faults.spoil(reply, rules)
        await faults.deliver(send, reply, rules)
        return 0 if faults.cuts(rules) else reply.status, len(reply.body)

    def _answer(self, request: Request) -> Reply:
        given = request.headers.get("api-key", "")
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            return _json({"message": "unauthorized"}, 401)
        how = self.store.behaviour
        if not self.limit.admits(self.store.clock(), how.requests_per_minute):
            return _json({"message": "too many requests"}, 429)
        if not how.is_active:
            return _json({"message": "Store not active or has over due"}, 400)
        if not request.raw_path.startswith(f"{BASE}/"):
            return Reply(404, b"")
        parts = [unquote(one) for one in request.raw_path.removeprefix(BASE).strip("/").split("/")]
        if not self._may(request.method, parts[0]):
            return _json({"message": "forbidden"}, 403)
        try:
            return self._route(request, parts)
        except MissingError:
            return _json({"message": "record not found"}, 404)
        except (RefusedError, BadQueryError, ValueError) as error:
            return _json({"message": str(error)}, 400)

    def _may(self, method: str, what: str) -> bool:
        needed = f"{what}:{_PERMISSIONS.get(method, '')}"
        return self.permissions is None or needed in self.permissions

    def _route(self, request: Request, parts: list[str]) -> Reply:
        if request.method == "GET":
            return self._read(request, parts)
        match request.method, parts:
            case "POST", [table] if table in _TABLES:
                return self._written(self.store.create(table, _body(request)), 201)
            case "PATCH", ["products", "sku", sku, "quantity"]:
                return self._set_by_sku(sku, _body(request))
            case "PATCH", ["products", "variants", code, variant_code, "quantity"]:
                return self._set_by_codes(code, variant_code, _body(request))
            case "PATCH", [table, record_id] if table in _TABLES:
                return self._written(self.store.update(table, record_id, _body(request)), 200)
            case "PATCH", ["orders", order_id, "status"]:
                return self._set_status(order_id, _body(request))
            case "DELETE", ["webhooks", "delete-by-url"]:
                url = parse_qs(request.query).get("url", [""])[0]
                return _json({"deleted": self.courier.remove(url)})
        return Reply(404, b"")

    def _read(self, request: Request, parts: list[str]) -> Reply:
        match parts:
            case [table] if table in _TABLES:
                return self._list(table, request.query)
            case [table, record_id] if table in _TABLES:
                return _json(self.store.get(table, record_id))
            case ["orders", "short", number]:
                return _json(self.store.by_short_id(number))
            case ["orders", order_id]:
                return _json(self.store.get("orders", order_id))
        # Orders cannot be listed: 404 with an empty body (observed).
        return Reply(404, b"")

    def _list(self, table: str, raw: str) -> Reply:
        how = self.store.behaviour
        query = Query.read(raw, max_limit=how.max_limit)
        if how.refuses_join and query.joins:
            raise BadQueryError("variants not found")
        rows = list(self.store.tables[table].values())
        known = self.store.columns(table)
        if not how.filters_updated_at:
            known -= {"updated_at"}
        shown = query.select(rows, columns=frozenset(known | {"id"}))
        if table == "products":
            shown = [query.shown(row) for row in shown]
        return _json({"data": shown} if how.envelope == "data" else shown)

    def _set_by_sku(self, sku: str, data: Row) -> Reply:
        for row in self.store.tables["products"].values():
            if row["sku"] == sku:
                return self._written(self.store.set_quantity(row, row, data.get("quantity")), 200)
        raise MissingError

    def _set_by_codes(self, code: str, variant_code: str, data: Row) -> Reply:
        for row in self.store.tables["products"].values():
            for variant in row["variants"]:
                if (row["taager_code"], variant["taager_code"]) == (code, variant_code):
                    number = data.get("quantity")
                    return self._written(self.store.set_quantity(row, variant, number), 200)
        raise MissingError

    def _set_status(self, order_id: str, data: Row) -> Reply:
        status = data.get("status")
        if not isinstance(status, str) or not status:
            raise RefusedError("status is required")
        return self._written(self.store.set_status(order_id, status, by_api=True), 200)

    def _written(self, row: Row, status: int) -> Reply:
        return _json(row, status) if self.store.behaviour.answers_writes else Reply(status, b"")


def create_app(box: Sandbox) -> App:
    """The ASGI application of a store."""
    return application(box.journal, box.handle)


def _body(request: Request) -> Row:
    try:
        data: Any = json.loads(request.body)
    except ValueError as error:
        raise RefusedError("invalid json") from error
    if not isinstance(data, dict):
        raise RefusedError("an object is expected")
    return data


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode())
