"""What may be asked before a tenant is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb
from sqlalchemy import text

from db.crypto import Sealed
from db.keys import NewKey, create_key, find_key, hash_secret, revoke_key
from db.session import Database
from db.store_checks import StoreCheck, create_check
from db.tables.base import METADATA
from db.tenants import create_tenant, list_tenants
from domain.errors import ConflictError
from tests.db.populated import populated_room
from tests.db.room import Room, Rows, new_room, new_store


async def ask(database: Database, statement: str, **params: Any) -> Rows:
    async with database.lookup() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), params)]


def test_the_functions_that_run_as_somebody_else_are_known_and_closed(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "select p.proname::text, r.rolname::text, p.proconfig::text[],"
            " has_function_privilege('entrepot_app', p.oid, 'execute'),"
            " array(select grantee::regrole::text from aclexplode(p.proacl)"
            "   where grantee <> p.proowner order by 1)"
            " from pg_proc p join pg_roles r on r.oid = p.proowner"
            " where p.prosecdef and p.pronamespace = 'public'::regnamespace order by 1"
        ).fetchall()
    path = ["search_path=pg_catalog, public"]
    apps = [
        *("count_webhooks", "discard_expired_checks", "discard_expired_previews"),
        *("discard_run_diffs", "find_default_tenant"),
        *("find_api_key", "find_connect_token", "find_key"),
        *("find_login_session", "find_refresh_family", "find_refresh_token"),
        "find_store_by_webhook_code",
        *("find_stores_by_organization", "find_user"),
        *("find_stores_by_webhook_source", "keep_webhook_events", "list_overdue_lanes"),
        "list_sleeping_inboxes",
    ]
    assert rows == sorted(
        [
            *((name, "entrepot_lookup", path, True, ["entrepot_app"]) for name in apps),
            ("create_tenant", "entrepot_lookup", path, False, ["entrepot_owner"]),
            ("ensure_partitions", "entrepot_owner", path, True, ["entrepot_app"]),
            ("list_tenants", "entrepot_lookup", path, False, ["entrepot_owner"]),
        ]
    )


def test_the_role_they_run_as_cannot_log_in_and_sees_no_more_than_they_need(owner_url: str) -> None:
    tables = [table.name for table in METADATA.sorted_tables]
    with psycopg.connect(owner_url) as connection:
        role = connection.execute(
            "select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole from pg_roles"
            " where rolname = 'entrepot_lookup'"
        ).fetchone()
        granted = connection.execute(
            "select t, v from unnest(%s::text[]) t,"
            " unnest(array['select', 'insert', 'update', 'delete']) v"
            " where has_table_privilege('entrepot_lookup', t, v) order by 1, 2",
            (tables,),
        ).fetchall()
        columns = connection.execute(
            "select t, array_agg(a.attname::text order by a.attname::text)"
            " from unnest(%s::text[]) t"
            " join pg_attribute a on a.attrelid = t::regclass and a.attnum > 0"
            " where has_column_privilege('entrepot_lookup', t, a.attname, 'select')"
            " and not has_table_privilege('entrepot_lookup', t, 'select') group by 1",
            (tables,),
        ).fetchall()
    assert role == (False, False, False, False)
    assert granted == [
        ("api_keys", "select"),
        ("mapping_previews", "delete"),
        ("run_diffs", "delete"),
        ("store_checks", "delete"),
        ("store_checks", "select"),
        ("stores", "select"),
        ("tenants", "insert"),
        ("tenants", "select"),
        ("webhook_counters", "insert"),
        ("webhook_counters", "select"),
        ("webhook_counters", "update"),
        ("webhook_events", "insert"),
    ]
    assert dict(columns) == {
        "alert_messages": ["created_at", "next_attempt_at", "status", "tenant_id"],
        "connect_tokens": ["expires_at", "provider", "tenant_id", "token_hash"],
        "login_sessions": [
            *("expires_at", "family_hash", "id", "revoked_at", "tenant_id", "user_id"),
        ],
        "mapping_previews": ["expires_at"],
        "refresh_tokens": ["tenant_id", "token_hash"],
        "run_diffs": ["created_at", "id", "run_id", "tenant_id"],
        "signing_keys": [
            *("encrypted_data", "iv", "key_id", "kid", "tag", "tenant_id", "verifies_until"),
        ],
        "users": ["email", "id", "is_active", "password_hash", "role", "tenant_id"],
        "lanes": [
            *("awake", "drained_at", "key", "kind", "next_attempt_at", "paused_reason"),
            "tenant_id",
        ],
        "pushes": ["created_at", "id", "next_attempt_at", "status", "store_id", "tenant_id"],
        "webhook_events": [
            *("entity", "external_id", "id", "next_attempt_at", "received_at", "status"),
            *("store_id", "tenant_id"),
        ],
    }


def test_temporary_tables_of_the_caller_do_not_stand_in_for_ours(app_url: str) -> None:
    with psycopg.connect(app_url) as connection:
        connection.execute("create temporary table api_keys (like public.api_keys)")
        connection.execute(
            "insert into pg_temp.api_keys select (jsonb_populate_record(null::pg_temp.api_keys,"
            " %s)).*",
            (
                Jsonb(
                    {"tenant_id": 1, "id": 1, "name": "x", "type": "x", "key": "forged"}
                    | {"secret_hash": "", "permissions": [], "ip_allow_list": []}
                    | {"created_at": "2026-01-01"}
                ),
            ),
        )
        found = connection.execute("select * from find_key('forged')").fetchall()
    assert found == []


async def test_an_api_key_is_found_by_its_public_half_alone(app: Database, owner: Database) -> None:
    rooms = [await populated_room(app, owner) for _ in range(2)]
    made = []
    for room in rooms:
        async with app.tenant(room.tenant_id) as connection:
            new = NewKey(name="Till", type="internal", permissions=("records:read",))
            made.append(await create_key(connection, room.tenant_id, new))
    key, secret = made[1]
    async with app.lookup() as connection:
        found = await find_key(connection, key)
    assert found is not None
    assert (found.tenant_id, found.name, found.type) == (rooms[1].tenant_id, "Till", "internal")
    assert found.secret_hash == hash_secret(secret.get_secret_value())
    assert found.permissions == {"records:read"}
    assert found.expires_at is None
    assert found.revoked_at is None
    assert secret.get_secret_value() not in repr(found)


@pytest.mark.parametrize("key", ["", "%", "ek_", "' or true --"])
async def test_a_key_that_does_not_exist_gives_nothing(app: Database, room: Room, key: str) -> None:
    async with app.lookup() as connection:
        assert await find_key(connection, key) is None


async def test_a_revoked_key_is_found_as_revoked(app: Database, room: Room) -> None:
    async with app.tenant(room.tenant_id) as connection:
        key, _ = await create_key(connection, room.tenant_id, NewKey(name="Lost"))
        assert await revoke_key(connection, key)
        assert not await revoke_key(connection, key)
    async with app.lookup() as connection:
        found = await find_key(connection, key)
    assert found is not None
    assert found.revoked_at is not None


async def test_a_store_is_found_by_its_webhook_code(app: Database, room: Room) -> None:
    store_id = await new_store(app, room.tenant_id, webhook_code="code-of-one", is_active=False)
    found = await ask(
        app,
        "select tenant_id, store_id, provider, is_active"
        " from find_store_by_webhook_code('code-of-one')",
    )
    assert found == [(room.tenant_id, store_id, "woocommerce", False)]
    assert await ask(app, "select * from find_store_by_webhook_code('code-of-on%')") == []


async def test_a_deleted_store_is_not_found_by_its_webhook_code(app: Database, room: Room) -> None:
    deleted_at = datetime(2026, 1, 1, tzinfo=UTC)
    await new_store(app, room.tenant_id, webhook_code="code-of-gone", deleted_at=deleted_at)
    assert await ask(app, "select * from find_store_by_webhook_code('code-of-gone')") == []


async def test_expired_checks_of_all_tenants_are_discarded_and_only_those(
    app: Database, owner: Database
) -> None:
    now = datetime.now(UTC)
    rooms = [await new_room(app, owner) for _ in range(2)]
    for room in rooms:
        for minutes in (-5, 5):
            check = StoreCheck(room.store_id, "woocommerce", Sealed("00", "00", "00", "k"))
            expires_at = now + timedelta(minutes=minutes)
            async with app.tenant(room.tenant_id) as connection:
                await create_check(connection, room.tenant_id, check, expires_at=expires_at)
    assert await ask(app, "select discard_expired_checks(:now)", now=now) == [(2,)]
    assert await ask(app, "select discard_expired_checks(:now)", now=now) == [(0,)]
    for room in rooms:
        assert await room.rows("select expires_at > :now from store_checks", now=now) == [(True,)]


async def test_the_owner_makes_and_lists_tenants(app: Database, owner: Database) -> None:
    async with owner.lookup() as connection:
        made = await create_tenant(connection, "Ceylon Teas")
    async with owner.lookup() as connection:
        listed = await list_tenants(connection)
    assert listed[-1].id == made.id
    assert (listed[-1].public_id, listed[-1].name) == (made.public_id, "Ceylon Teas")
    async with app.tenant(made.id) as connection:
        rows = await connection.execute(text("select name, is_default from warehouses"))
        assert [tuple(row) for row in rows] == [("Main", True)]
        rows = await connection.execute(text("select seq from tenant_counters"))
        assert [tuple(row) for row in rows] == [(0,)]


async def test_a_name_that_is_taken_makes_no_tenant(owner: Database) -> None:
    async with owner.lookup() as connection:
        await create_tenant(connection, "Twice")
    with pytest.raises(ConflictError, match="'Twice' already"):
        async with owner.lookup() as connection:
            await create_tenant(connection, "Twice")
    async with owner.lookup() as connection:
        names = [tenant.name for tenant in await list_tenants(connection)]
    assert names.count("Twice") == 1


@pytest.mark.parametrize("statement", ["select create_tenant('x', 'y')", "select list_tenants()"])
def test_the_application_may_neither_make_nor_list_tenants(app_url: str, statement: str) -> None:
    with psycopg.connect(app_url) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "function",
    [
        *("find_api_key('x')", "find_key('x')"),
        "find_store_by_webhook_code('x')",
        "discard_expired_checks(now())",
        "ensure_partitions()",
        "list_overdue_lanes(now(), now(), 1)",
        "find_connect_token('')",
        "find_user('x')",
        "find_refresh_token('')",
        "find_login_session('x', 1)",
        *("find_default_tenant('x')", "discard_expired_previews(now())"),
        "discard_run_diffs(now(), 1)",
        "find_stores_by_webhook_source('x', 'y')",
        "find_stores_by_organization('x', 'y', 'z')",
        "list_sleeping_inboxes('{}', '{}')",
        "count_webhooks('{}', '{}', '{}', '{}')",
        "create_tenant('x', 'y')",
        "list_tenants()",
    ],
)
def test_a_role_without_a_grant_may_call_none_of_them(superuser: str, function: str) -> None:
    with psycopg.connect(superuser) as connection:
        connection.execute("create role stranger")
        connection.execute("set local role stranger")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(f"select {function}".encode())
        connection.rollback()
