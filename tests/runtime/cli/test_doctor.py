from uuid import uuid4

import psycopg
import pytest

from runtime.cli.__main__ import run
from runtime.embedded.postgres import EmbeddedPostgres
from workflows.task_queues import TaskQueue

Show = pytest.CaptureFixture[str]


def examine(capsys: Show) -> tuple[int, dict[str, str]]:
    """The exit code, and each line as mark and text by its name."""
    code = run(["doctor"])
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    return code, {line[2:20].strip(): f"{line[0]} {line[20:]}" for line in lines}


@pytest.mark.usefixtures("settings_env")
def test_a_whole_hub_is_healthy(capsys: Show, temporal_namespace: str) -> None:
    assert examine(capsys) == (
        0,
        {
            "database": "✓ answers",
            "migrations": "✓ up to date",
            "Temporal": f"✓ answers, namespace {temporal_namespace}",
            "search attributes": "✓ registered",
            "workers": "✓ none runs: start `entrepot worker`",
            "encryption key": "✓ set",
            "API keys": "✓ none yet: `entrepot tenants add NAME`, then `entrepot keys create`",
        },
    )


@pytest.mark.usefixtures("settings_env")
def test_a_process_that_only_serves_needs_no_owner(
    capsys: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENTREPOT_MIGRATION_DATABASE_URL")
    code, found = examine(capsys)
    assert code == 0
    assert found["API keys"] == "✓ not looked at: ENTREPOT_MIGRATION_DATABASE_URL is not set"


def test_whether_workers_run_is_told(capsys: Show, settings_env: dict[str, str]) -> None:
    row = (
        "insert into processes values (%s, 'worker', %s, now(), now(), 1, 1, 1, 1, 1, 1)"
        " on conflict (id) do update set queues = excluded.queues"
    )
    told = []
    with psycopg.connect(settings_env["ENTREPOT_DATABASE_URL"], autocommit=True) as connection:
        for queues in (["interactive", "events"], [queue.value for queue in TaskQueue]):
            connection.execute(row, ["one", queues])
            told.append(examine(capsys)[1]["workers"])
        connection.execute("delete from processes")
    assert told == [
        "✓ none serves pull,import: start one with ENTREPOT_WORKER_QUEUES=pull,import",
        "✓ 1 running, every task queue is served",
    ]


def test_the_replica_for_reports_is_looked_at_where_there_is_one(
    capsys: Show, monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> None:
    monkeypatch.setenv("ENTREPOT_REPORTS_DATABASE_URL", settings_env["ENTREPOT_DATABASE_URL"])
    code, found = examine(capsys)
    assert (code, found["reports database"]) == (0, "✓ answers")
    monkeypatch.setenv("ENTREPOT_REPORTS_DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/hub")
    code, found = examine(capsys)
    assert (code, found["database"]) == (1, "✓ answers")
    assert found["reports database"].startswith("✗ ")
    assert found["reports database"].endswith(": see ENTREPOT_REPORTS_DATABASE_URL")
    assert "hunter2" not in found["reports database"]


@pytest.mark.usefixtures("settings_env")
def test_what_is_away_is_named_with_what_to_do(
    capsys: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/hub")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.delenv("ENTREPOT_ENCRYPTION_KEY")
    code, found = examine(capsys)
    assert code == 1
    assert found["database"].startswith("✗ ")
    assert found["database"].endswith(": see ENTREPOT_DATABASE_URL and TEMPORAL_ADDRESS")
    assert "hunter2" not in found["database"]
    assert found["migrations"] == "✗ unknown without the database"
    assert found["Temporal"] == (
        "✗ no connection (connection refused): see ENTREPOT_DATABASE_URL and TEMPORAL_ADDRESS"
    )
    assert found["search attributes"] == "✗ unknown without Temporal"
    assert found["workers"] == "✗ unknown without the database"
    assert found["encryption key"].startswith("✗ ENTREPOT_ENCRYPTION_KEY is not set; ")
    assert found["API keys"] == "✗ unknown without the database"


@pytest.mark.usefixtures("settings_env")
def test_what_is_not_prepared_is_named_with_what_to_do(
    capsys: Show, monkeypatch: pytest.MonkeyPatch, postgres: EmbeddedPostgres
) -> None:
    name = f"test_{uuid4().hex[:16]}"
    postgres.create_database(name)
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", postgres.url("entrepot_app", name))
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "default")
    try:
        code, found = examine(capsys)
    finally:
        postgres.drop_database(name)
    assert code == 1
    assert found["database"] == "✓ answers"
    assert found["migrations"] == "✗ no migration has been applied: run `entrepot migrate`"
    assert found["Temporal"] == "✓ answers, namespace default"


@pytest.mark.usefixtures("settings_env")
def test_a_namespace_that_is_missing_is_named(
    capsys: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    code, found = examine(capsys)
    assert code == 1
    assert found["Temporal"].startswith("✗ not_found: ")
