"""The shop as an ASGI application: routing, credentials, headers, faults, journal."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import faults, wire
from sandbox.faults import Faults, Rule
from sandbox.journal import Entry, Journal
from sandbox.wire import App, Receive, Reply, Request, Scope, Send
from sandbox.woocommerce import about, control, lists, php, records
from sandbox.woocommerce.auth import RefusedError, authenticate, permit
from sandbox.woocommerce.changes import Churn, Hand
from sandbox.woocommerce.clock import http_date
from sandbox.woocommerce.errors import RestError, no_route
from sandbox.woocommerce.php import Document, Param
from sandbox.woocommerce.routes import Route, resolve
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.webhooks import Webhooks

_COMMON = (
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
    ),
)
_UNCACHED = (
    ("Expires", "Wed, 11 Jan 1984 05:00:00 GMT"),
    ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private"),
)
_REFUSALS = {
    "list": ("view", "Sorry, you cannot list resources."),
    "get": ("view", "Sorry, you cannot view this resource."),
    "create": ("create", "Sorry, you are not allowed to create resources."),
    "update": ("edit", "Sorry, you are not allowed to edit this resource."),
    "delete": ("delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("batch", "Sorry, you are not allowed to batch manipulate this resource."),
}


@dataclass(slots=True)
class Sandbox:
    """A shop and all that watches or disturbs it."""

    shop: Shop
    token: str = ""
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    churns: list[tuple[Churn, Hand]] = field(default_factory=list)
    webhooks: Webhooks = field(init=False)

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.shop)

    async def handle(self, request: Request, send: Send) -> tuple[int, int]:
        """Answer one request; returns status and body size, status 0 for a dropped connection."""
        if request.path.startswith("/_sandbox/"):
            reply = await control.answer(self, request)
            await wire.send_reply(send, reply)
            return reply.status, len(reply.body)
        params = php.parse_query(request.query)
        route = rest_route(request, params)
        rules = self.faults.striking(request, route or "/")
        await faults.wait_out(rules)
        reply = faults.answer_instead(rules) or self._answer(request, params, route, rules)
        self._finish(reply)
        faults.spoil(reply, rules)
        await faults.deliver(send, reply, rules)
        return 0 if faults.cuts(rules) else reply.status, len(reply.body)

    def _answer(
        self, request: Request, params: dict[str, Param], route: str | None, rules: list[Rule]
    ) -> Reply:
        if route is None:
            return Reply(404, b"<!DOCTYPE html>", [("Content-Type", "text/html; charset=UTF-8")])
        headers: list[tuple[str, str]] = []
        try:
            reply = self._rest(_stripped(request, rules), params, route, headers)
        except RestError as error:
            reply = Reply(error.status, php.dump(error.body()))
        except RefusedError as refused:
            body = php.dump(refused.error.body())
            reply = Reply(refused.error.status, body, list(refused.headers))
        found = {name for name, _ in reply.headers}
        if "Link" not in found:
            home = f"{self._base(request)}/wp-json/"
            headers.append(("Link", f'<{home}>; rel="https://api.w.org/"'))
        if ("Cache-Control", _UNCACHED[1][1]) not in headers:
            headers.append(("Vary", "Origin"))
        reply.headers = [*_COMMON, *headers, *reply.headers]
        return reply

    def _rest(
        self,
        request: Request,
        params: dict[str, Param],
        route: str,
        headers: list[tuple[str, str]],
    ) -> Reply:
        if route == "/":
            return Reply(200, about.index(self.shop))
        # Measured: OAuth over plain http does not work with `?rest_route=`.
        signed_here = request.scheme == "https" or "rest_route" not in params
        key = authenticate(self.shop, request, params) if signed_here else None
        if not route.startswith("/wc/v3"):
            raise no_route()
        if key is not None:
            headers += _UNCACHED
        found = resolve(
            route.removeprefix("/wc/v3"), request.method, flat_variations=self.shop.flat_variations
        )
        if key is None:
            raise _nobody(_action(found, request.method), request)
        permit(key, request.method)
        headers.append(("Allow", found.allow))
        return self._act(found, request, params)

    def _act(self, route: Route, request: Request, params: dict[str, Param]) -> Reply:
        shop, action = self.shop, _action(route, request.method)
        data = _body(request)
        if route.table == "webhooks":
            return self.webhooks.answer(route, action, data, params, self._url(request, route))
        if route.table == "notes":
            if action == "list":
                return Reply(200, about.notes(shop, route.parent))
            return Reply(201, php.dump(about.add_note(shop, route.parent, data)))
        match action:
            case "list":
                return self._list(route, request, params)
            case "get":
                return records.get(shop, route, params)
            case "create":
                return records.create(shop, route, data)
            case "update":
                return records.update(shop, route, data)
            case "delete":
                return records.delete(shop, route, params, data)
            case "batch":
                return records.batch(shop, route, data)
        return Reply(200, about.fixed(shop, route.action))

    def _list(self, route: Route, request: Request, params: dict[str, Param]) -> Reply:
        shown = {name: value for name, value in params.items() if name != "rest_route"}
        url = self._url(request, route)
        if route.parent and route.table == "variations":
            self.shop.row("products", route.parent)
        if route.parent and route.table == "refunds":
            self.shop.row("orders", route.parent)
        reply = lists.answer(self.shop, route.table, shown, url, parent=route.parent)
        for churn, hand in self.churns:
            if churn.entity == route.table:
                churn.after_page(hand, ids_only=params.get("_fields") == "id")
        return reply

    def _base(self, request: Request) -> str:
        return self.shop.https_url if request.scheme == "https" else self.shop.home_url

    def _url(self, request: Request, route: Route) -> str:
        return f"{self._base(request)}/wp-json/wc/v3/{route.path}"

    def _finish(self, reply: Reply) -> None:
        names = {name for name, _ in reply.headers}
        first = [("Server", "nginx/1.22.1"), ("Date", http_date(self.shop.clock()))]
        if "Content-Type" not in names:
            first.append(("Content-Type", "application/json; charset=UTF-8"))
        first += [("Connection", "keep-alive"), ("X-Powered-By", "PHP/8.2.35")]
        reply.headers = first + reply.headers


def create_app(shop: Shop, *, token: str = "", sandbox: Sandbox | None = None) -> App:
    """The ASGI application of a shop. `token` opens the control API below `/_sandbox/`; without
    one it stays shut."""
    box = sandbox or Sandbox(shop, token)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.time()
        box.journal.enter()
        status = size = 0
        request_path, query = scope["path"], scope["query_string"].decode("latin-1")
        try:
            request = await wire.read_request(scope, receive)
            status, size = await box.handle(request, send)
        except wire.TooLargeError:
            status = 413
            await wire.send_reply(send, Reply(413, b"Request Entity Too Large"))
        finally:
            ended = time.time()
            box.journal.leave(
                Entry(scope["method"], request_path, query, status, started, ended, size)
            )

    return app


def rest_route(request: Request, params: dict[str, Param]) -> str | None:
    """The REST route a request names, by path or by `?rest_route=`; None for any other page."""
    if request.path.startswith("/wp-json"):
        return "/" + request.path.removeprefix("/wp-json").strip("/")
    named = params.get("rest_route")
    return "/" + named.strip("/") if isinstance(named, str) else None


def _action(route: Route, method: str) -> str:
    match route.action:
        case "list":
            return "list" if method == "GET" else "create"
        case "item":
            return {"GET": "get", "DELETE": "delete"}.get(method, "update")
    return route.action


def _nobody(action: str, request: Request) -> RestError:
    if request.authorization_lost:
        message = "Consumer key is missing."
        return RestError("woocommerce_rest_authentication_error", message, 401)
    right, message = _REFUSALS.get(action, _REFUSALS["list"])
    return RestError(f"woocommerce_rest_cannot_{right}", message, 401)


def _stripped(request: Request, rules: list[Rule]) -> Request:
    rule = next((rule for rule in rules if rule.kind == "strip_authorization"), None)
    if rule is None:
        return request
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    lost = not rule.silent and "authorization" in request.headers
    return replace(request, headers=headers, authorization_lost=lost)


def _body(request: Request) -> Document:
    if not request.body:
        return {}
    try:
        data: Any = php.load(request.body)
    except ValueError as error:
        raise RestError("rest_invalid_json", "Invalid JSON body passed.", 400) from error
    return data if isinstance(data, dict) else {}
