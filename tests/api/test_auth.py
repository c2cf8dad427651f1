from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from db.keys import ApiKey, NewKey, create_key, find_key, hash_secret, list_keys, revoke_key
from tests.api.hub import Caller, Hub

REFUSED = {
    "type": "urn:entrepot:problem:unauthenticated",
    "title": "The credentials are missing or not accepted",
    "status": 401,
    "detail": "Send a key in X-API-Key and its secret in X-API-Secret, or the accessToken of a "
    "login in Authorization: Bearer. A key that is wrong, revoked or expired is not accepted: make "
    "a new one with `entrepot keys create`.",
    "instance": "/api/stores",
}


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "ApiKey, Bearer"
    assert answer.json() == REFUSED


async def test_without_key_nothing_is_told(hub: Hub) -> None:
    assert_refused(await hub.http.get("/api/stores"))


@pytest.mark.parametrize("left_out", ["X-API-Key", "X-API-Secret"])
async def test_key_and_secret_are_both_needed(hub: Hub, caller: Caller, left_out: str) -> None:
    headers = {name: value for name, value in caller.headers.items() if name != left_out}
    assert_refused(await hub.http.get("/api/stores", headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Secret": "es_wrong"},
        {"X-API-Secret": "x" * 5_000},
        {"X-API-Secret": "é"},
        {"X-API-Key": "ek_unknown"},
        {"X-API-Key": "x" * 5_000},
        {"X-API-Key": "' or true --"},
    ],
)
async def test_a_wrong_key_or_secret_is_refused(caller: Caller, headers: dict[str, str]) -> None:
    sent = {**caller.headers, **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    assert_refused(await caller.http.get("/api/stores", headers=raw))


async def test_a_key_does_not_take_another_keys_secret(hub: Hub, caller: Caller) -> None:
    other = await hub.new_caller()
    answer = await caller.get(
        "/api/stores", headers={"X-API-Secret": other.headers["X-API-Secret"]}
    )
    assert_refused(answer)


async def test_a_revoked_key_stops_at_once(hub: Hub, caller: Caller) -> None:
    assert (await caller.get("/api/stores")).status_code == 200
    async with hub.database.tenant(caller.tenant.id) as connection:
        assert await revoke_key(connection, caller.headers["X-API-Key"]) is True
        assert await revoke_key(connection, caller.headers["X-API-Key"]) is False
    assert_refused(await caller.get("/api/stores"))


async def test_a_tenant_cannot_revoke_anothers_key(hub: Hub, caller: Caller) -> None:
    other = await hub.new_caller()
    async with hub.database.tenant(other.tenant.id) as connection:
        assert await revoke_key(connection, caller.headers["X-API-Key"]) is False
    assert (await caller.get("/api/stores")).status_code == 200


async def test_a_key_works_until_it_expires(hub: Hub, caller: Caller) -> None:
    for expires_in, status in ((3600, 200), (-1, 401)):
        expires_at = datetime.now(UTC) + timedelta(seconds=expires_in)
        async with hub.database.tenant(caller.tenant.id) as connection:
            key, secret = await create_key(
                connection, caller.tenant.id, NewKey(name="brief", expires_at=expires_at)
            )
        headers = {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}
        assert (await hub.http.get("/api/stores", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/api/stores", "stores:read"),
        ("GET", "/api/stores/1", "stores:read"),
        ("GET", "/api/providers", "stores:read"),
        ("POST", "/api/stores", "stores:write"),
        ("PATCH", "/api/stores/1", "stores:write"),
        ("DELETE", "/api/stores/1", "stores:write"),
        ("POST", "/api/stores/1/test-connection", "stores:write"),
        ("POST", "/api/stores/1/import", "syncs:write"),
        ("POST", "/api/syncs/import/1/cancel", "syncs:write"),
        ("GET", "/api/stores/1/sync-status", "syncs:read"),
        ("GET", "/api/stores/1/sync-logs", "syncs:read"),
        ("GET", "/api/syncs", "syncs:read"),
        ("GET", "/api/syncs/import/1", "syncs:read"),
        ("GET", "/api/categories", "records:read"),
        ("GET", "/api/categories/1", "records:read"),
        ("GET", "/api/products", "records:read"),
        ("GET", "/api/products/1", "records:read"),
        ("GET", "/api/customers", "records:read"),
        ("GET", "/api/customers/1", "records:read"),
        ("GET", "/api/orders", "records:read"),
        ("GET", "/api/orders/1", "records:read"),
    ],
)
async def test_each_route_needs_its_permission(
    hub: Hub, method: str, path: str, permission: str
) -> None:
    everything_else = {
        *("stores:read", "stores:write", "syncs:read", "syncs:write", "records:read"),
        *("shared_data", "product_management", "platform_management"),
        "core_transaction_1_export",
    } - {permission}
    body: dict[str, Any] = {"json": {}} if method in {"POST", "PATCH"} else {}
    lacking = await hub.new_caller(permissions=sorted(everything_else))
    refused = await lacking.send(method, path, **body)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:entrepot:problem:forbidden")
    assert repr(permission) in refused.json()["detail"]
    having = await hub.new_caller(permissions=[permission])
    assert (await having.send(method, path, **body)).status_code in {200, 404, 422}


def test_a_permission_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no permission 'stores:reed'; ") as refused:
        NewKey(name="x", permissions=("stores:reed",))
    _, _, usable = str(refused.value).partition("; there are ")
    assert usable.split(", ") == [
        *("*", "audit:read", "keys:read", "keys:write", "records:read", "records:write"),
        *("stores:read", "stores:write", "syncs:read", "syncs:write"),
    ]


async def test_only_a_digest_of_a_secret_is_kept(hub: Hub, caller: Caller) -> None:
    async with hub.database.lookup() as connection:
        found = await find_key(connection, caller.headers["X-API-Key"])
        unknown = await find_key(connection, "ek_unknown")
    assert unknown is None
    assert found == ApiKey(
        tenant_id=caller.tenant.id,
        id=found.id if found else 0,
        name="test",
        type="external",
        secret_hash=hash_secret(caller.headers["X-API-Secret"]),
        permissions=frozenset({"*"}),
        expires_at=None,
        revoked_at=None,
    )
    assert "secret_hash" not in repr(found)


async def test_keys_have_the_documented_form_and_are_listed_without_secret(
    hub: Hub, caller: Caller
) -> None:
    key, secret = caller.headers["X-API-Key"], caller.headers["X-API-Secret"]
    assert (key[:3], len(key) >= 27, secret[:3], len(secret) >= 43) == ("ek_", True, "es_", True)
    async with hub.database.tenant(caller.tenant.id) as connection:
        (listed,) = await list_keys(connection)
    assert (listed.key, listed.permissions, listed.revoked_at) == (key, ("*",), None)
    assert secret not in repr(listed)
