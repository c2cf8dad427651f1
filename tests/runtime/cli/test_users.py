import io
from uuid import uuid4

import psycopg
import pytest
import typer
from pydantic import SecretStr

from db.passwords import matches
from runtime.cli.__main__ import run
from tests.runtime.cli.test_administration import Show, complaint, new_name, shown_json

PASSWORD = "four words in a row"


@pytest.fixture(autouse=True)
def _database(settings_env: dict[str, str]) -> None:
    """The commands find this module's servers in the environment."""


@pytest.fixture
def tenant(capsys: Show) -> str:
    name = new_name()
    shown_json(capsys, "tenants", "add", name)
    return name


def new_email() -> str:
    return f"ann.{uuid4().hex[:8]}@example.test"


def added(capsys: Show, tenant: str, email: str, role: str = "owner") -> str:
    """Add a person; the generated password."""
    asked = ("--tenant", tenant, "--email", email, "--role", role, "--generate")
    made = shown_json(capsys, "users", "add", *asked)
    return str(made["password"])


def stored_hash(app_url: str, email: str) -> str:
    with psycopg.connect(app_url) as connection:
        found = connection.execute("select password_hash from find_user(%s)", (email,)).fetchone()
    assert found is not None
    return str(found[0])


def said(capsys: Show, *arguments: str) -> str:
    assert run(arguments) == 0
    return capsys.readouterr().out


def test_a_person_is_added_with_a_password_that_is_shown_once(
    capsys: Show, tenant: str, app_url: str
) -> None:
    email = new_email()
    asked = ("--tenant", tenant, "--email", email, "--role", "owner", "--name", "Ann Perera")
    lines = said(capsys, "users", "add", *asked, "--generate").splitlines()
    assert lines[:2] == [f"Added {email} to {tenant} as owner.", "The password is shown only now:"]
    assert len(lines[2]) == 24
    assert matches(SecretStr(lines[2]), stored_hash(app_url, email))
    (listed,) = shown_json(capsys, "users", "list", "--tenant", tenant)
    assert {name: listed[name] for name in ("tenant", "email", "name", "role", "is_active")} == {
        "tenant": tenant,
        "email": email,
        "name": "Ann Perera",
        "role": "owner",
        "is_active": True,
    }
    table = said(capsys, "users", "list")
    assert (email in table, lines[2] in table, "argon2" in table) == (True, False, False)
    assert complaint(capsys, "users", "add", *asked, "--generate") == (
        2,
        f"entrepot: {email} belongs to somebody already\n",
    )


def test_a_password_comes_from_stdin(
    capsys: Show, tenant: str, app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    asked = ("--tenant", tenant, "--email", email, "--role", "viewer", "--password-stdin")
    assert said(capsys, "users", "add", *asked) == f"Added {email} to {tenant} as viewer.\n"
    assert matches(SecretStr(PASSWORD), stored_hash(app_url, email))


def test_a_password_is_asked_for_at_a_terminal(
    capsys: Show, tenant: str, app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_email()
    added(capsys, tenant, email)
    asked: list[dict[str, object]] = []

    def answer(_text: str, **options: object) -> str:
        asked.append(options)
        return PASSWORD

    monkeypatch.setattr(typer, "prompt", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    told = said(capsys, "users", "password", email)
    assert told == f"{email} has a new password. Logins ended: 0.\n"
    assert asked == [{"hide_input": True, "confirmation_prompt": True, "err": True}]
    assert matches(SecretStr(PASSWORD), stored_hash(app_url, email))


def test_access_and_roles_are_given_and_taken(capsys: Show, tenant: str) -> None:
    email = new_email()
    added(capsys, tenant, email)
    assert [
        said(capsys, "users", *told)
        for told in (
            ("role", email, "viewer"),
            ("role", email.upper(), "viewer"),
            ("disable", email),
            ("disable", email),
            ("enable", email),
            ("enable", email),
        )
    ] == [
        f"{email} is viewer now.\n",
        f"{email} is viewer already.\n",
        f"{email} has no access any more. Logins ended: 0.\n",
        f"{email} had no access already.\n",
        f"{email} has access again.\n",
        f"{email} has access already.\n",
    ]


def test_the_audit_trail_says_what_the_command_line_did(
    capsys: Show, tenant: str, app_url: str
) -> None:
    email = new_email()
    added(capsys, tenant, email, "operator")
    said(capsys, "users", "role", email, "owner")
    said(capsys, "users", "password", email, "--generate")
    said(capsys, "users", "disable", email)
    said(capsys, "users", "enable", email)
    (listed,) = shown_json(capsys, "users", "list", "--tenant", tenant)
    tenants = {one["name"]: one["id"] for one in shown_json(capsys, "tenants", "list")}
    assert audited(app_url, tenants[tenant]) == [
        ("cli", action, f"user/{listed['id']}", details)
        for action, details in (
            ("user.created", {"email": email, "role": "operator"}),
            ("user.role_changed", {"role": "owner"}),
            ("user.password_replaced", {"sessions": 0}),
            ("user.disabled", {"sessions": 0}),
            ("user.enabled", {}),
        )
    ]


def audited(app_url: str, tenant_id: int) -> list[tuple[object, ...]]:
    with psycopg.connect(app_url) as connection:
        connection.execute("select set_config('app.tenant', %s, true)", (str(tenant_id),))
        return connection.execute(
            "select actor_kind, action, subject, details from audit_log order by id"
        ).fetchall()


@pytest.mark.parametrize(
    ("arguments", "stdin", "problem"),
    [
        (("--email", "ann", "--role", "owner"), "", "an e-mail address like ann@example.com is"),
        (
            ("--email", "a@b.test", "--role", "boss"),
            "",
            "there is no role 'boss'; there are owner,",
        ),
        (
            ("--email", "a@b.test", "--role", "owner", "--name", " "),
            "",
            "the name must be 1 to 120",
        ),
        (("--email", "a@b.test", "--role", "owner"), "", "give --password-stdin or --generate: "),
        (
            ("--email", "a@b.test", "--role", "owner", "--password-stdin", "--generate"),
            "",
            "give --generate or --password-stdin, not both",
        ),
        (
            ("--email", "a@b.test", "--role", "owner", "--password-stdin"),
            "hunter2\n",
            "a password has 12 to 256 characters",
        ),
        (
            ("--email", "a@b.test", "--role", "owner", "--password-stdin"),
            "x" * 300,
            "a password has 12 to 256 characters",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: Show,
    tenant: str,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    stdin: str,
    problem: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    code, told = complaint(capsys, "users", "add", "--tenant", tenant, *arguments)
    assert (code, told.startswith(f"entrepot: {problem}")) == (2, True), told
    assert len(told.splitlines()) == 1
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "command", [("disable",), ("enable",), ("password", "--generate"), ("role",)]
)
def test_nobody_can_be_changed(capsys: Show, command: tuple[str, ...]) -> None:
    name, *options = command
    arguments = ("users", name, "nobody@example.test", *options)
    told = complaint(capsys, *arguments, *(["viewer"] if name == "role" else []))
    assert told == (
        2,
        "entrepot: nobody has that address: `entrepot users list` shows those there are\n",
    )
