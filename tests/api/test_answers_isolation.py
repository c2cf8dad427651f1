"""What the hub keeps for a caller's next request is not kept for another's: answers and their
ETags, intents, logins, and the names of requests. And ids that bodies and queries name."""

from typing import Any

from api.app import describe_api
from domain.roles import Role
from tests.api.hub import Caller, Hub, connect, store_body
from tests.api.owned import fill_in, operations, stock
from tests.api.people import add_person

# The same for everybody.
NOBODYS = "GET /api/providers"
BY_WOOCOMMERCE = "/api/woocommerce-sync/"
# See test_record_writes_isolation.
WRITES = ("/api/categories", "/api/products", "/api/inventory/movements", "/api/invoices")
# What a query or a body may name, beside that.
NAMED = {
    ("GET /api/syncs", "storeId"),
    ("GET /api/alerts", "storeId"),
    ("GET /api/conflicts", "storeId"),
    ("GET /api/inventory/levels", "variantId"),
    ("GET /api/inventory/levels", "warehouseId"),
    ("GET /api/inventory/movements", "variantId"),
    ("GET /api/inventory/movements", "warehouseId"),
    ("GET /api/health", "organizationId"),
    ("POST /api/stores/{store_id}/retry-failed-sync", "pushIds"),
    ("POST /api/stores/{store_id}/retry-failed-sync", "webhookEventIds"),
    # A shop's own id of a record, asked of the shop.
    ("POST /api/stores/{store_id}/mapping/preview", "externalId"),
}


def names(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """The fields of a body that name something by its id."""
    if "$ref" in schema:
        schema = document[schema["$ref"].rpartition("/")[2]]
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("items", {})]
    fields = schema.get("properties", {})
    return {one for one in fields if one.endswith(("Id", "Ids"))}.union(
        *(names(document, one) for one in (*inner, *fields.values()) if one)
    )


def test_every_id_that_is_named_is_known() -> None:
    """A new one belongs into a list, and a test."""
    document = describe_api("1")["components"]["schemas"]
    named = set()
    for route, operation in operations().items():
        path = route.split()[1]
        if path.startswith((*WRITES, BY_WOOCOMMERCE)) and not route.startswith("GET"):
            continue
        fields = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        found = {one for one in fields if one.endswith(("Id", "Ids"))}
        for body in operation.get("requestBody", {}).get("content", {}).values():
            found |= names(document, body["schema"])
        if not path.startswith(BY_WOOCOMMERCE):
            named |= {(route, one) for one in found}
    assert named == NAMED


async def test_a_query_that_names_what_is_anothers_finds_nothing(hub: Hub, caller: Caller) -> None:
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    await connect(stranger)
    (level, *_) = (await caller.get("/api/inventory/levels")).json()["data"]
    values = {
        "storeId": ids["store_id"],
        "variantId": level["variantId"],
        "warehouseId": ids["warehouses"],
    }
    for route, name in sorted(NAMED):
        method, path = route.split()
        if method == "GET" and name in values:
            asked = {name: values[name]}
            own = await caller.get(path, params=asked)
            assert (path, own.status_code, bool(own.json()["data"])) == (path, 200, True)
            answer = await stranger.get(path, params=asked)
            assert answer.status_code == 404 or answer.json()["data"] == []
    health = {"detailed": "true", "organizationId": caller.tenant.public_id}
    assert (await caller.get("/api/health", params=health)).status_code == 200
    assert (await stranger.get("/api/health", params=health)).status_code == 404


async def test_pushes_and_events_of_another_are_not_tried_again(hub: Hub, caller: Caller) -> None:
    """Of a store of one's own they are none."""
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    theirs = await connect(stranger)
    await hub.execute(caller.tenant, "update pushes set status = 'failed'")
    pushes = [one for (one,) in await hub.execute(caller.tenant, "select id from pushes")]
    assert pushes
    before = await hub.execute(caller.tenant, "select p::text from pushes p order by id")
    hub.waker.woken.clear()
    for body in ({"pushIds": pushes}, {"webhookEventIds": [ids["webhook-events"]]}):
        answer = await stranger.post(f"/api/stores/{theirs}/retry-failed-sync", json=body)
        told = answer.json()
        assert (answer.status_code, told["pushes"], told["webhookEvents"]) == (200, 0, 0)
    assert await hub.execute(caller.tenant, "select p::text from pushes p order by id") == before
    events = await hub.execute(caller.tenant, "select status from webhook_events")
    assert events == [("failed",)]
    assert {tenant_id for tenant_id, _, _ in hub.waker.woken} == {stranger.tenant.id}
    own = await caller.post(f"/api/stores/{ids['store_id']}/retry-failed-sync")
    assert (own.json()["pushes"] > 0, own.json()["webhookEvents"]) == (True, 1)


async def test_a_kept_answer_is_not_anothers(hub: Hub, caller: Caller) -> None:
    """Not even as a 304, which says that it is still the same, nor at the same revision."""
    ids = await stock(hub, caller)
    stranger = await hub.new_caller()
    ((seq, revision),) = await hub.execute(
        caller.tenant, "select seq, revision from tenant_counters"
    )
    await hub.execute(
        stranger.tenant,
        "insert into tenant_counters (tenant_id, seq, revision) values (:owner, :seq, :revision)"
        " on conflict (tenant_id) do update set seq = :seq, revision = :revision",
        owner=stranger.tenant.id,
        seq=seq,
        revision=revision,
    )
    kept = [
        route
        for route, operation in operations().items()
        if "304" in operation["responses"] and BY_WOOCOMMERCE not in route
    ]
    assert len(kept) == 10
    for route in kept:
        path = fill_in(route.split()[1], ids)
        own = await caller.get(path)
        tag = {"If-None-Match": own.headers["ETag"]}
        assert (route, (await caller.get(path, headers=tag)).status_code) == (route, 304)
        answer = await stranger.get(path, headers=tag)
        if route == NOBODYS:
            assert answer.status_code == 304
            continue
        assert (route, answer.status_code) == (route, 404 if "{" in route else 200)
        assert answer.headers.get("ETag") != own.headers["ETag"]
        assert "data" not in answer.json() or answer.json()["data"] == []
        anybody = await stranger.get(path, headers={"If-None-Match": "*"})
        assert (route, anybody.status_code) == (route, 404 if "{" in route else 304)


async def test_the_same_intent_of_two_is_done_for_both(hub: Hub, caller: Caller) -> None:
    """Where a path names something see test_isolation, of shops test_woocommerce_isolation."""
    stranger = await hub.new_caller()
    key = {"Idempotency-Key": "intent-1"}
    bodies: dict[str, Any] = {
        "/api/stores": store_body(),
        "/api/keys": {"name": "Till", "permissions": ["stores:read"]},
        "/api/categories": {"name": "Tea"},
        "/api/products": {"title": "Tea", "currency": "LKR", "variants": [{"quantity": 5}]},
        "/api/customers": {"email": "ann@example.test"},
        "/api/warehouses": {"name": "Barn", "code": "barn"},
    }
    made: dict[str, list[Any]] = {}
    for path, body in bodies.items():
        for one in (caller, stranger):
            answer = await one.post(path, json=body, headers=key)
            assert (path, answer.status_code) == (path, 201), answer.text
            assert "idempotency-replayed" not in answer.headers
            made.setdefault(path, []).append(answer.json()["id"])
    assert all(own != theirs for own, theirs in made.values())
    for one in (caller, stranger):
        (product,) = (await one.get("/api/products")).json()["data"]
        line = {"variantId": product["variants"][0]["id"], "quantity": 1}
        for path, body in (
            ("inventory/movements", {**line, "kind": "receipt"}),
            ("invoices", {"number": "1", "lines": [line]}),
        ):
            answer = await one.post(f"/api/{path}", json=body, headers=key)
            assert (path, answer.status_code) == (path, 201), answer.text
            assert "idempotency-replayed" not in answer.headers
    takes_keys = {
        route.split()[1]
        for route, operation in operations().items()
        if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
        if "{" not in route and BY_WOOCOMMERCE not in route
    }
    assert takes_keys == {*bodies, "/api/inventory/movements", "/api/invoices"}


async def test_a_login_is_of_its_own_tenant(hub: Hub) -> None:
    one, other = await add_person(hub, Role.OWNER), await add_person(hub, Role.OWNER)
    caller, stranger = await one.log_in(), await other.log_in()
    renewed = await other.refresh()
    assert renewed.json()["user"]["email"] == other.email
    # Two at once: who sends them is one thing, the other tenant's trail is another.
    both = await stranger.post(
        "/api/auth/logout", json={"refreshToken": one.tokens["refreshToken"]}
    )
    assert both.status_code == 204
    assert (await caller.get("/api/auth/me")).status_code == 401
    assert (await stranger.get("/api/auth/me")).status_code == 401
    for person in (one, other):
        trail = await person.audit()
        assert {entry[2] for entry in trail} == {person.id}
        assert [entry[0] for entry in trail] == ["login.succeeded", "logout"]
    stolen = await one.refresh()
    assert (stolen.status_code, other.email in stolen.text) == (401, False)


async def test_the_trail_under_one_request_id_is_ones_own(hub: Hub, caller: Caller) -> None:
    """Callers name their requests, and two may choose the same name."""
    stranger = await hub.new_caller()
    name = {"X-Request-Id": "the-same-name"}
    for one, title in ((caller, "Till"), (stranger, "Desk")):
        answer = await one.post(
            "/api/keys", json={"name": title, "permissions": ["stores:read"]}, headers=name
        )
        assert answer.headers["x-request-id"] == "the-same-name"
    for one, title in ((caller, "Till"), (stranger, "Desk")):
        (entry,) = (await one.get("/api/audit")).json()["data"]
        assert (entry["requestId"], entry["details"]["name"]) == ("the-same-name", title)
