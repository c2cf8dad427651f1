import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import errors

from db.migrate import alembic_config, current_and_head, upgrade
from runtime.embedded.postgres import EmbeddedPostgres
from tests.servers import TestDatabase


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database with nothing in it."""
    name = f"test_empty_{uuid4().hex[:12]}"
    postgres.create_database(name)
    urls = (postgres.url(role, name) for role in ("entrepot_owner", "entrepot_app", "postgres"))
    yield TestDatabase(name, *urls)
    postgres.drop_database(name)


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_an_empty_database_is_brought_to_the_newest_schema_and_again_is_nothing(
    empty: TestDatabase,
) -> None:
    assert current_and_head(empty.owner_url)[0] is None
    upgrade(empty.owner_url)
    current, head = current_and_head(empty.owner_url)
    before = rows(empty.owner_url, "select oid, relname::text from pg_class order by 1")
    upgrade(empty.owner_url)
    assert current == head is not None
    assert rows(empty.owner_url, "select oid, relname::text from pg_class order by 1") == before
    # What needs the look-ups' role works in a second database of the same server too.
    assert rows(empty.owner_url, "select create_tenant('first', 'org_1')") == [(1,)]
    assert rows(empty.app_url, "select * from find_key('none')") == []


def test_who_runs_while_the_look_up_of_keys_is_made_anew_goes_on(empty: TestDatabase) -> None:
    """What a driver has prepared lives as long as its connection."""
    command.upgrade(alembic_config(empty.owner_url), "0010")
    with psycopg.connect(empty.app_url, autocommit=True, prepare_threshold=1) as running:
        for _ in range(3):
            running.execute("select * from find_api_key(%s)", ("none",))
        command.upgrade(alembic_config(empty.owner_url), "0011")
        assert running.execute("select * from find_api_key(%s)", ("none",)).fetchall() == []


def test_the_migrations_make_what_the_tables_in_the_code_say(database: TestDatabase) -> None:
    command.check(alembic_config(database.owner_url))


def test_a_role_that_is_missing_is_made_with_the_password_of_its_url(
    empty: TestDatabase,
) -> None:
    app_url = empty.owner_url.replace("entrepot_owner@", "entrepot_guest:pa'ss%40word@")
    try:
        upgrade(empty.owner_url, app_url)
        assert rows(
            empty.superuser_url,
            "select rolcanlogin, rolsuper, rolbypassrls, rolpassword like 'SCRAM-SHA-256$%'"
            " from pg_authid where rolname = 'entrepot_guest'",
        ) == [(True, False, False, True)]
        assert rows(app_url, "select count(*) from orders") == [(0,)]
    finally:
        with psycopg.connect(empty.superuser_url, autocommit=True) as connection:
            connection.execute("drop owned by entrepot_guest")
            connection.execute("drop role entrepot_guest")


def test_the_months_to_come_have_partitions_and_a_net_below_them(database: TestDatabase) -> None:
    now = datetime.now(UTC)
    months = [divmod(now.year * 12 + now.month - 1 + step, 12) for step in range(3)]
    expected = sorted(
        f"{parent}_p_{suffix}"
        for parent in ("changes", "store_sync_logs", "webhook_events")
        for suffix in ["default", *(f"{year}_{month + 1:02d}" for year, month in months)]
    )
    partitions = (
        "select relname::text from pg_class where relispartition and relkind = 'r' order by 1"
    )
    assert rows(database.owner_url, partitions) == [(name,) for name in expected]


def test_partitions_that_are_missing_are_made_by_the_application(database: TestDatabase) -> None:
    last = rows(
        database.owner_url,
        "select max(relname)::text from pg_class where relname like 'changes\\_p\\_2%'"
        " and relkind = 'r'",
    )[0][0]
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(f"drop table {last}".encode())
    rows(database.app_url, "select ensure_partitions()")
    rows(database.app_url, "select ensure_partitions()")
    made = f"select relispartition from pg_class where relname = '{last}'"
    assert rows(database.owner_url, made) == [(True,)]


def test_rows_of_a_month_that_had_no_partition_do_not_stop_the_making_of_others(
    empty: TestDatabase,
) -> None:
    upgrade(empty.owner_url)
    with psycopg.connect(empty.owner_url, autocommit=True) as connection:
        months = (
            "select relname::text from pg_class where relname like '%\\_p\\_2%' and relkind = 'r'"
        )
        for (name,) in connection.execute(months.encode()).fetchall():
            connection.execute(f"drop table {name}".encode())
        connection.execute("select set_config('app.tenant', '7', false)")
        connection.execute(
            "insert into changes (tenant_id, seq, entity, record_id, action)"
            " values (7, 1, 'orders', 1, 'created')"
        )
        connection.execute("select ensure_partitions()")
        made = connection.execute(months.encode()).fetchall()
        kept = connection.execute("select tableoid::regclass::text from changes").fetchall()
    assert len(made) == 8
    assert f"changes_p_{datetime.now(UTC):%Y_%m}" not in {name for (name,) in made}
    assert kept == [("changes_p_default",)]


def test_a_change_of_today_is_kept_in_the_partition_of_its_month(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("select set_config('app.tenant', '7', false)")
        connection.execute(
            "insert into changes (tenant_id, seq, entity, record_id, action, created_at) values"
            " (7, 1, 'orders', 1, 'created', now()),"
            " (7, 2, 'orders', 1, 'created', '1999-01-01')"
        )
        found = connection.execute(
            "select seq, tableoid::regclass::text from changes order by seq"
        ).fetchall()
    assert found == [(1, f"changes_p_{datetime.now(UTC):%Y_%m}"), (2, "changes_p_default")]


def test_two_processes_that_migrate_at_once_do_not_meet(empty: TestDatabase) -> None:
    script = "import sys; from db.migrate import upgrade; upgrade(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", script, empty.owner_url]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    head = current_and_head(empty.owner_url)[1]
    assert rows(empty.app_url, "select version_num from alembic_version") == [(head,)]


def test_the_application_role_cannot_migrate(empty: TestDatabase) -> None:
    with pytest.raises(Exception, match="permission denied") as refused:
        upgrade(empty.app_url)
    assert isinstance(refused.value.__cause__, errors.InsufficientPrivilege)
