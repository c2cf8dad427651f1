"""What `entrepot users` does."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.audit import COMMAND_LINE, record_audit
from db.logins import end_sessions_of
from db.passwords import LONGEST_PASSWORD, check_new_password, hash_password
from db.tenants import Tenant
from db.users import (
    Account,
    NewUser,
    User,
    create_user,
    find_account,
    list_users,
    set_active,
    set_password,
    set_role,
)
from domain.roles import Role
from runtime.cli.administration import Databases, pick_tenant, with_databases
from runtime.cli.errors import CliError
from runtime.cli.options import AskedPassword, AskedUser
from runtime.cli.screen import day, say, show_json, show_table

_COLUMNS = ("tenant", "id", "email", "name", "role", "added", "last login", "access")
_RANDOM_BYTES = 18  # 24 characters


def add(
    asked: AskedUser, password_from: AskedPassword, *, data_dir: Path | None, is_json: bool
) -> None:
    """Add a person; a generated password is shown only now. Raises CommandError."""
    try:
        new = NewUser(
            asked.email,
            asked.name if asked.name is not None else asked.email.partition("@")[0],
            _role(asked.role),
        )
    except ValueError as error:
        raise CliError(str(error)) from None
    password = _new_password(password_from)
    password_hash = hash_password(password)

    async def work(databases: Databases) -> tuple[Tenant, User]:
        owner = pick_tenant(await databases.list_tenants(), asked.tenant)
        async with databases.app.tenant(owner.id) as connection:
            user = await create_user(connection, owner.id, new, password_hash)
            told = {"email": user.email, "role": user.role}
            await _record(connection, owner.id, "user.created", user.id, **told)
        return owner, user

    owner, user = with_databases(data_dir, work)
    shown = password.get_secret_value() if password_from.generate else None
    if is_json:
        person = {"id": user.id, "email": user.email, "name": user.name, "role": user.role}
        show_json({"tenant": owner.name, **person, **({"password": shown} if shown else {})})
        return
    say(f"Added {user.email} to {owner.name} as {user.role}.")
    _show_password(shown)


def show_all(tenant: str | None, *, data_dir: Path | None, is_json: bool) -> None:
    """List the people of one tenant or of all. Raises CommandError."""

    people = with_databases(data_dir, lambda found: found.read_all(tenant, list_users))
    if is_json:
        show_json([{"tenant": owner.name, **asdict(user)} for owner, user in people])
        return
    rows = [
        (
            *(owner.name, user.id, user.email, user.name, user.role, day(user.created_at)),
            day(user.last_login_at) if user.last_login_at else "never",
            "yes" if user.is_active else "no",
        )
        for owner, user in people
    ]
    show_table(_COLUMNS, rows, numbers=("id",))


def set_access(email: str, *, is_active: bool, data_dir: Path | None) -> None:
    """Give or take a person's access. Raises CommandError."""

    async def work(connection: AsyncConnection, account: Account) -> str:
        if not await set_active(connection, account.id, is_active=is_active):
            return f"{account.email} {'has' if is_active else 'had no'} access already."
        if is_active:
            await _record(connection, account.tenant_id, "user.enabled", account.id)
            return f"{account.email} has access again."
        ended = await end_sessions_of(connection, account.id, datetime.now(UTC))
        await _record(connection, account.tenant_id, "user.disabled", account.id, sessions=ended)
        return f"{account.email} has no access any more. Logins ended: {ended}."

    say(_with_account(email, data_dir, work))


def replace_password(email: str, password_from: AskedPassword, *, data_dir: Path | None) -> None:
    """Replace a person's password, which ends their logins. Raises CommandError."""
    _with_account(email, data_dir, _nothing)
    password = _new_password(password_from)
    password_hash = hash_password(password)

    async def work(connection: AsyncConnection, account: Account) -> str:
        await set_password(connection, account.id, password_hash)
        ended = await end_sessions_of(connection, account.id, datetime.now(UTC))
        action = "user.password_replaced"
        await _record(connection, account.tenant_id, action, account.id, sessions=ended)
        return f"{account.email} has a new password. Logins ended: {ended}."

    say(_with_account(email, data_dir, work))
    _show_password(password.get_secret_value() if password_from.generate else None)


def give_role(email: str, role: str, *, data_dir: Path | None) -> None:
    """Give a person another role. Raises CommandError."""
    wanted = _role(role)

    async def work(connection: AsyncConnection, account: Account) -> str:
        if not await set_role(connection, account.id, wanted):
            return f"{account.email} is {wanted} already."
        tenant_id = account.tenant_id
        await _record(connection, tenant_id, "user.role_changed", account.id, role=wanted.value)
        return f"{account.email} is {wanted} now."

    say(_with_account(email, data_dir, work))


async def _nothing(_connection: AsyncConnection, _account: Account) -> str:
    return ""


def _with_account(
    email: str,
    data_dir: Path | None,
    work: Callable[[AsyncConnection, Account], Awaitable[str]],
) -> str:
    """Do `work` on the person with this address, in one transaction of their tenant."""

    async def doing(databases: Databases) -> str:
        async with databases.app.lookup() as connection:
            account = await find_account(connection, email)
        if account is None:
            raise CliError("nobody has that address: `entrepot users list` shows those there are")
        async with databases.app.tenant(account.tenant_id) as connection:
            return await work(connection, account)

    return with_databases(data_dir, doing)


async def _record(
    connection: AsyncConnection, tenant_id: int, action: str, user_id: int, **details: str | int
) -> None:
    await record_audit(connection, tenant_id, COMMAND_LINE, action, f"user/{user_id}", **details)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise CliError(f"there is no role {text!r}; there are {', '.join(Role)}") from None


def _new_password(asked: AskedPassword) -> SecretStr:
    if asked.generate and asked.from_stdin:
        raise CliError("give --generate or --password-stdin, not both")
    if asked.generate:
        return SecretStr(secrets.token_urlsafe(_RANDOM_BYTES))
    if asked.from_stdin:
        # One more than may be: what is too long is not cut short unseen.
        line = sys.stdin.readline(LONGEST_PASSWORD + 2)
        return _checked(SecretStr(line.rstrip("\r\n")))
    if not sys.stdin.isatty():
        raise CliError("give --password-stdin or --generate: there is nobody to ask")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return _checked(SecretStr(typed))


def _checked(password: SecretStr) -> SecretStr:
    try:
        return check_new_password(password)
    except ValueError as error:
        raise CliError(str(error)) from None


def _show_password(password: str | None) -> None:
    if password is not None:
        say("The password is shown only now:")
        say(password)
