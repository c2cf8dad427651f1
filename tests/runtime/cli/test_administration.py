import json
from typing import Any
from uuid import uuid4

import pytest

from runtime.cli.__main__ import run
from runtime.embedded.postgres import EmbeddedPostgres

Show = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _database(settings_env: dict[str, str]) -> None:
    """The commands find this module's servers in the environment."""


def shown_json(capsys: Show, *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: Show, *arguments: str) -> tuple[int, str]:
    code = run(arguments)
    shown = capsys.readouterr()
    assert shown.out == ""
    return code, shown.err


def new_name() -> str:
    return f"Tenant {uuid4().hex[:8]}"


def test_a_tenant_is_added_once(capsys: Show) -> None:
    name = new_name()
    added = shown_json(capsys, "tenants", "add", name)
    listed = {one["name"]: one["id"] for one in shown_json(capsys, "tenants", "list")}
    assert listed[name] == added["id"]
    assert complaint(capsys, "tenants", "add", name) == (
        2,
        f"entrepot: there is a tenant named {name!r} already\n",
    )


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "two\nlines"])
def test_a_tenant_needs_a_name(name: str, capsys: Show) -> None:
    assert complaint(capsys, "tenants", "add", name) == (
        2,
        "entrepot: the name must be 1 to 120 visible characters\n",
    )


def test_a_key_belongs_to_its_tenant_until_it_is_revoked(capsys: Show) -> None:
    ours, other = new_name(), new_name()
    tenant = shown_json(capsys, "tenants", "add", ours)
    run(["tenants", "add", other])
    capsys.readouterr()
    wanted = ("--name", "reports", "--type", "partner", "--permissions", "records:read,syncs:read")
    made = shown_json(capsys, "keys", "create", "--tenant", tenant["publicId"], *wanted)
    assert sorted(made) == ["key", "secret", "tenant"]

    (key,) = shown_json(capsys, "keys", "list", "--tenant", ours)
    assert {name: key[name] for name in ("tenant", "key", "name", "type", "permissions")} == {
        "tenant": ours,
        "key": made["key"],
        "name": "reports",
        "type": "partner",
        "permissions": ["records:read", "syncs:read"],
    }
    assert key["revoked_at"] is None
    assert shown_json(capsys, "keys", "list", "--tenant", other) == []

    assert run(["keys", "revoke", made["key"]]) == 0
    capsys.readouterr()
    (key,) = shown_json(capsys, "keys", "list", "--tenant", str(tenant["id"]))
    assert key["revoked_at"] is not None
    assert complaint(capsys, "keys", "revoke", made["key"]) == (
        2,
        "entrepot: there is no such key in force: `entrepot keys list` shows them\n",
    )


def test_a_secret_is_shown_once_in_plain_lines(capsys: Show) -> None:
    name = new_name()
    run(["tenants", "add", name])
    capsys.readouterr()
    assert run(["keys", "create", "--tenant", name, "--name", "shop floor"]) == 0
    said, key, secret = capsys.readouterr().out.splitlines()
    assert said == f"Made the key 'shop floor' of {name}. The secret is shown only now."
    assert key.startswith("X-API-Key:    ek_")
    assert secret.startswith("X-API-Secret: es_")
    assert run(["keys", "list", "--tenant", name]) == 0
    header, row = capsys.readouterr().out.splitlines()
    columns = ["tenant", "key", "name", "type", "permissions", "made", "used", "state"]
    assert header.split("\t") == columns
    assert row.split("\t")[:5] == [name, key.split()[1], "shop floor", "external", "*"]
    assert secret.split()[1] not in row


def test_a_key_is_not_made_for_nobody_or_for_nothing(capsys: Show) -> None:
    code, said = complaint(capsys, "keys", "create", "--tenant", "nobody", "--name", "x")
    assert code == 2
    assert said.startswith("entrepot: there is no tenant 'nobody'; there are: ")
    wanted = ("keys", "create", "--tenant", "x", "--name", "x", "--permissions", "all")
    code, said = complaint(capsys, *wanted)
    assert code == 2
    assert said.startswith("entrepot: there is no permission 'all'; there are *, ")


def test_the_application_role_may_not_administer(
    capsys: Show, monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> None:
    monkeypatch.setenv("ENTREPOT_MIGRATION_DATABASE_URL", settings_env["ENTREPOT_DATABASE_URL"])
    assert complaint(capsys, "tenants", "list") == (
        1,
        "entrepot: ENTREPOT_MIGRATION_DATABASE_URL must name the role that owns the tables\n",
    )


def test_a_database_without_schema_is_migrated_once(
    capsys: Show, monkeypatch: pytest.MonkeyPatch, postgres: EmbeddedPostgres
) -> None:
    name = f"test_{uuid4().hex[:16]}"
    postgres.create_database(name)
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", postgres.url("entrepot_app", name))
    monkeypatch.setenv("ENTREPOT_MIGRATION_DATABASE_URL", postgres.url("entrepot_owner", name))
    try:
        assert complaint(capsys, "tenants", "list") == (
            1,
            "entrepot: the database has no schema yet: run `entrepot migrate`\n",
        )
        said = []
        for _ in range(2):
            assert run(["migrate"]) == 0
            said.append(capsys.readouterr().out)
        head = said[1].split()[4]
        assert said == [
            f"The schema was at nothing and is at {head} now.\n",
            f"The schema is at {head} already.\n",
        ]
        assert run(["tenants", "list"]) == 0
    finally:
        postgres.drop_database(name)


def test_a_database_that_is_away_is_one_line(capsys: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "ENTREPOT_MIGRATION_DATABASE_URL", "postgresql://entrepot_owner:hunter2@127.0.0.1:1/hub"
    )
    for command in (["tenants", "list"], ["migrate"]):
        code, said = complaint(capsys, *command)
        assert code == 1
        assert len(said.splitlines()) == 1
        assert "hunter2" not in said
