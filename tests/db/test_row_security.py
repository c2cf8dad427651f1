import asyncio
from typing import Self

import psycopg
import pytest
from psycopg import errors, sql

import db.tables.lanes
import db.tables.people
import db.tables.processes
import db.tables.records
import db.tables.reports
import db.tables.stock
import db.tables.stores
import db.tables.sync
import db.tables.tenancy
import db.tables.upkeep  # noqa: F401  (each import registers its tables)
from db.session import Database
from db.tables.base import METADATA
from db.tables.tenancy import TENANTS
from tests.db.populated import populated_room

# No tenant's: which processes of the hub run, and what they use of their machines. Every tenant may
# be shown it, so row-level security has nothing to keep apart; `test_process_reports` sees to that.
OF_THE_HUB = {"processes"}
TENANT_TABLES = sorted(METADATA.tables.keys() - {TENANTS.name} - OF_THE_HUB)
# What the application role may add to and read, and no more.
ONLY_APPENDED = {"audit_log"}
CHANGED = sorted(set(TENANT_TABLES) - ONLY_APPENDED)
OTHERS_ROW = (
    "insert into {0} select (jsonb_populate_record(null::{0}, to_jsonb(t) || %s)).* from {0} t"
)


@pytest.fixture(scope="module")
def two_tenants(app_url: str, owner_url: str) -> tuple[int, int]:
    """Two tenants with rows everywhere, and the same external ids."""

    async def populate() -> tuple[int, int]:
        app, owner = Database(app_url), Database(owner_url)
        rooms = [await populated_room(app, owner) for _ in range(2)]
        await app.close()
        await owner.close()
        return rooms[0].tenant_id, rooms[1].tenant_id

    return asyncio.run(populate())


class Session:
    """A connection as one role, with a tenant or without."""

    def __init__(self, url: str, tenant_id: int | None = None) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        if tenant_id is not None:
            self._connection.execute(
                "select set_config('app.tenant', %s, false)", (str(tenant_id),)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def count(self, statement: str, *names: str, values: tuple[object, ...] = ()) -> int:
        """How many rows a statement returned or touched; `{0}` stands for the first name."""
        for place, name in enumerate(names):
            statement = statement.replace(f"{{{place}}}", sql.Identifier(name).as_string())
        return self._connection.execute(statement.encode(), values or None).rowcount


def test_every_table_is_under_forced_row_level_security(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "select c.relname, c.relrowsecurity and c.relforcerowsecurity,"
            " array(select polname::text from pg_policy where polrelid = c.oid"
            "       and 0 = any(polroles))"
            " from pg_class c where c.relnamespace = 'public'::regnamespace"
            " and c.relkind in ('r', 'p') and not c.relispartition order by 1"
        ).fetchall()
    protected = [row for row in rows if row[0] not in {"alembic_version", *OF_THE_HUB}]
    assert [row[0] for row in protected] == sorted([*TENANT_TABLES, "tenants"])
    assert {row[1:2] + tuple(row[2]) for row in protected} == {(True, "tenant_isolation")}


def test_policies_beyond_the_tenants_own_are_those_of_the_look_ups(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "select tablename::text, policyname::text, roles::text[] from pg_policies"
            " where policyname <> 'tenant_isolation' order by 1, 2"
        ).fetchall()
    assert rows == [
        (table, f"lookup_{verb}", ["entrepot_lookup"])
        for table, verb in (
            ("alert_messages", "select"),
            ("api_keys", "select"),
            ("connect_tokens", "select"),
            ("lanes", "select"),
            ("login_sessions", "select"),
            ("mapping_previews", "delete"),
            ("mapping_previews", "select"),
            ("pushes", "select"),
            ("refresh_tokens", "select"),
            ("run_diffs", "delete"),
            ("run_diffs", "select"),
            ("signing_keys", "select"),
            ("store_checks", "delete"),
            ("store_checks", "select"),
            ("stores", "select"),
            ("tenants", "insert"),
            ("tenants", "select"),
            ("users", "select"),
            ("webhook_counters", "insert"),
            ("webhook_counters", "select"),
            ("webhook_counters", "update"),
            ("webhook_events", "insert"),
            ("webhook_events", "select"),
        )
    ]


@pytest.mark.parametrize("table", CHANGED)
def test_without_a_tenant_no_row_is_seen_and_none_can_be_written(
    two_tenants: tuple[int, int], app_url: str, owner_url: str, table: str
) -> None:
    for url in (app_url, owner_url):
        with Session(url) as nobody:
            assert nobody.count("select from {0}", table) == 0
            assert nobody.count("delete from {0}", table) == 0
            assert nobody.count("update {0} set tenant_id = tenant_id", table) == 0
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                nobody.count(
                    "insert into {0} select (jsonb_populate_record(null::{0}, %s)).*",
                    table,
                    values=(f'{{"tenant_id": {two_tenants[0]}}}',),
                )


@pytest.mark.parametrize("table", CHANGED)
def test_a_tenant_neither_sees_nor_touches_the_rows_of_another(
    two_tenants: tuple[int, int], app_url: str, table: str
) -> None:
    ours, theirs = two_tenants
    with Session(app_url, ours) as us, Session(app_url, theirs) as them:
        before = them.count("select from {0}", table)
        assert before > 0
        assert us.count("select from {0}", table) > 0
        named = "where tenant_id = %s"
        assert us.count("select from {0} " + named, table, values=(theirs,)) == 0
        assert us.count("delete from {0} " + named, table, values=(theirs,)) == 0
        assert (
            us.count("update {0} set tenant_id = tenant_id " + named, table, values=(theirs,)) == 0
        )
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            us.count(OTHERS_ROW, table, values=(f'{{"tenant_id": {theirs}}}',))
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            us.count("update {0} set tenant_id = %s", table, values=(theirs,))
        assert them.count("select from {0}", table) == before


@pytest.mark.parametrize("table", sorted(ONLY_APPENDED))
def test_what_is_only_appended_to_is_a_tenants_own_and_nobody_changes_what_it_says(
    two_tenants: tuple[int, int], app_url: str, table: str
) -> None:
    ours, theirs = two_tenants
    with Session(app_url) as nobody, Session(app_url, ours) as us, Session(app_url, theirs) as them:
        before = them.count("select from {0}", table)
        assert (nobody.count("select from {0}", table), before > 0) == (0, True)
        assert us.count("select from {0}", table) > 0
        assert us.count("select from {0} where tenant_id = %s", table, values=(theirs,)) == 0
        others = f'{{"tenant_id": {theirs}}}'
        for session, statement, values in (
            (us, OTHERS_ROW, (others,)),
            (nobody, "insert into {0} select (jsonb_populate_record(null::{0}, %s)).*", (others,)),
        ):
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                session.count(statement, table, values=values)
        for statement in (
            "delete from {0}",
            "update {0} set tenant_id = tenant_id",
            "truncate {0}",
            "select from {0} for update",
            "merge into {0} using (select 1) on true when matched then delete",
        ):
            with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
                us.count(statement, table)
        assert them.count("select from {0}", table) == before


def test_a_tenant_sees_itself_alone_among_the_tenants(
    two_tenants: tuple[int, int], app_url: str
) -> None:
    with Session(app_url, two_tenants[0]) as us:
        assert us.count("select from tenants") == 1
        assert us.count("select from tenants where id = %s", values=(two_tenants[0],)) == 1
        with pytest.raises(errors.InsufficientPrivilege):
            us.count("insert into tenants (name, public_id) values ('x', 'y')")


@pytest.mark.parametrize("tenant", ["0", "-1", "999999999"])
def test_a_tenant_that_does_not_exist_sees_nothing(
    two_tenants: tuple[int, int], app_url: str, tenant: str
) -> None:
    with Session(app_url, int(tenant)) as nobody:
        assert [nobody.count("select from {0}", table) for table in TENANT_TABLES] == [0] * len(
            TENANT_TABLES
        )


@pytest.mark.parametrize(
    "statement",
    [
        "set row_security = off; select from orders",
        "set role entrepot_owner",
        "set role entrepot_lookup",
        "set session authorization postgres",
        "alter table orders disable row level security",
        "drop policy tenant_isolation on orders",
        "create policy mine on orders using (true)",
        "alter role entrepot_app bypassrls",
        "create role mine",
        "create table public.mine (id int)",
        "create function public.mine() returns int language sql as 'select 1'",
        "truncate orders",
        "drop table orders",
        "select from changes_p_default",
        "select from store_sync_logs_p_default",
        "select from webhook_events_p_default",
        "insert into changes_p_default select",
        "select create_tenant('x', 'y')",
        "select list_tenants()",
        "copy (select 1) to program 'true'",
        "select pg_read_file('postgresql.conf')",
    ],
)
def test_the_application_role_has_no_way_round(
    two_tenants: tuple[int, int], app_url: str, statement: str
) -> None:
    with Session(app_url, two_tenants[0]) as us, pytest.raises(errors.InsufficientPrivilege):
        us.count(statement)


def test_the_application_role_is_nothing_more_than_a_login(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
            " (select count(*) from pg_auth_members where member = r.oid)"
            " from pg_roles r where rolname = 'entrepot_app'"
        ).fetchone()
    assert row == (False, False, False, False, False, 0)


def test_copying_into_a_table_of_tenants_is_refused(
    two_tenants: tuple[int, int], app_url: str
) -> None:
    with (
        psycopg.connect(app_url) as connection,
        pytest.raises(errors.FeatureNotSupported, match="row-level security"),
        connection.cursor() as cursor,
        cursor.copy("copy orders from stdin"),
    ):
        pass


def test_copying_out_of_a_table_gives_a_tenants_own_rows(
    two_tenants: tuple[int, int], app_url: str
) -> None:
    def copied(tenant_id: int) -> set[str]:
        with psycopg.connect(app_url) as connection, connection.cursor() as cursor:
            cursor.execute("select set_config('app.tenant', %s, true)", (str(tenant_id),))
            with cursor.copy("copy links (tenant_id) to stdout") as copy:
                return {bytes(row).decode().strip() for row in copy}

    assert copied(two_tenants[0]) == {str(two_tenants[0])}
    assert copied(0) == set()


def test_the_statistics_of_the_planner_show_no_values(
    two_tenants: tuple[int, int], app_url: str, owner_url: str
) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("analyze links")
    with Session(app_url, two_tenants[0]) as us:
        assert us.count("select from pg_stats where schemaname = 'public'") == 0


def test_no_row_can_point_into_another_tenant(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "select c.conrelid::regclass::text, c.conname::text,"
            " array(select a.attname::text from unnest(c.conkey) k"
            "   join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k)"
            " from pg_constraint c join pg_class t on t.oid = c.conrelid"
            " where c.contype in ('p', 'f') and c.connamespace = 'public'::regnamespace"
            " and not t.relispartition and t.relname <> all(%s)",
            [["tenants", "alembic_version", *OF_THE_HUB]],
        ).fetchall()
    assert len(rows) > 40
    assert [row for row in rows if "tenant_id" not in row[2]] == []
