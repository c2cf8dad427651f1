"""What `entrepot keys` does."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from db.audit import COMMAND_LINE, record_audit
from db.key_usage import UsedDay, list_used_days
from db.keys import (
    KeySummary,
    NewKey,
    create_key,
    find_key,
    list_keys,
    load_key,
    revoke_key,
    rotate_key,
)
from db.tenants import Tenant
from domain.ip_allow_list import read_network
from runtime.cli.administration import Databases, bounded, pick_tenant, with_databases
from runtime.cli.errors import CliError
from runtime.cli.screen import day, say, show_json, show_table

T = TypeVar("T")

_LONGEST_NAME: Final = 120
_LONGEST_TYPE: Final = 20
_COLUMNS: Final = ("tenant", "key", "name", "type", "permissions", "made", "used", "state")
_DAYS: Final = re.compile(r"([1-9][0-9]{0,3})d")
_UNKNOWN: Final = "there is no such key in force: `entrepot keys list` shows them"


def create(
    tenant: str, name: str, given: Mapping[str, Any], *, data_dir: Path | None, is_json: bool
) -> None:
    """Make a key and show it with its secret. Raises CommandError."""
    new = _new_key(name, given)

    async def work(databases: Databases) -> tuple[Tenant, str, str]:
        owner = pick_tenant(await databases.list_tenants(), tenant)
        async with databases.app.tenant(owner.id) as connection:
            key, secret = await create_key(connection, owner.id, new)
            made = await load_key(connection, key)
            await record_audit(
                connection,
                owner.id,
                COMMAND_LINE,
                "key.created",
                f"key/{made.id if made else ''}",
                name=new.name,
                permissions=list(new.permissions),
            )
        return owner, key, secret.get_secret_value()

    owner, key, secret = with_databases(data_dir, work)
    if is_json:
        show_json({"tenant": owner.name, "key": key, "secret": secret})
        return
    say(f"Made the key {new.name!r} of {owner.name}. The secret is shown only now.")
    _show_pair(key, secret)


def _new_key(name: str, given: Mapping[str, Any]) -> NewKey:
    try:
        return NewKey(
            name=bounded("the name", name, _LONGEST_NAME),
            type=bounded("the type", given["type"], _LONGEST_TYPE),
            permissions=_permissions(given["permissions"]),
            expires_at=None if given["expires"] is None else _moment(given["expires"]),
            ip_allow_list=tuple(map(read_network, given["networks"])),
            requests_per_minute=given["per_minute"],
        )
    except ValueError as error:
        raise CliError(str(error)) from None


def _permissions(text: str) -> tuple[str, ...]:
    """Raises ValueError."""
    told = tuple(filter(None, map(str.strip, text.split(","))))
    if not told:
        raise ValueError("a key without a permission opens nothing: --permissions takes some, or *")
    return told


def _moment(text: str) -> datetime:
    """A moment ahead. Raises ValueError."""
    now = datetime.now(UTC)
    if (days := _DAYS.fullmatch(text)) is not None:
        return now + timedelta(days=int(days[1]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--expires takes 2027-03-31, 2027-03-31T12:00 or 90d, not {text!r}"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise ValueError(f"--expires: {text} is in the past")
    return moment


def show_all(tenant: str | None, *, data_dir: Path | None, is_json: bool) -> None:
    """List the keys of one tenant or of all. Raises CommandError."""

    keys = with_databases(data_dir, lambda found: found.read_all(tenant, list_keys))
    if is_json:
        show_json([{"tenant": owner.name, **asdict(key)} for owner, key in keys])
        return
    rows = [
        (
            *(owner.name, key.key, key.name, key.type, ", ".join(key.permissions)),
            *(day(key.created_at), day(key.last_used_at), _state(key)),
        )
        for owner, key in keys
    ]
    show_table(_COLUMNS, rows)


def _state(key: KeySummary) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "in force"
    word = "until" if key.is_in_force(datetime.now(UTC)) else "expired"
    return f"{word} {day(key.expires_at)}"


def revoke(key: str, *, data_dir: Path | None) -> None:
    """Revoke a key by its public half. Raises CommandError."""

    async def work(connection: AsyncConnection, tenant_id: int, held: KeySummary) -> None:
        if not await revoke_key(connection, key):
            raise CliError(_UNKNOWN)
        await record_audit(
            connection, tenant_id, COMMAND_LINE, "key.revoked", f"key/{held.id}", name=held.name
        )

    _with_key(data_dir, key, work)
    say(f"Revoked {key}.")


def rotate(key: str, overlap_hours: float, *, data_dir: Path | None, is_json: bool) -> None:
    """Make a key in the place of another, and show it with its secret. Raises CommandError."""

    async def work(
        connection: AsyncConnection, tenant_id: int, held: KeySummary
    ) -> tuple[str, SecretStr, KeySummary | None]:
        now = datetime.now(UTC)
        made, secret = await rotate_key(
            connection,
            tenant_id,
            held,
            now=now,
            ends_at=now + timedelta(hours=overlap_hours),
            expires_at=held.expires_at,
        )
        new = await load_key(connection, made)
        await record_audit(
            connection,
            tenant_id,
            COMMAND_LINE,
            "key.rotated",
            f"key/{held.id}",
            newKeyId=new.id if new else None,
            overlapHours=overlap_hours,
        )
        return made, secret, await load_key(connection, key)

    made, secret, old = _with_key(data_dir, key, work)
    ends_at = old.expires_at if old else None
    if is_json:
        shown = {"key": made, "secret": secret.get_secret_value(), "oldKeyEndsAt": ends_at}
        show_json(shown)
        return
    say(f"The old key works until {day(ends_at)}. The secret of the new one is shown only now.")
    _show_pair(made, secret.get_secret_value())


def show_usage(key: str, days: int, *, data_dir: Path | None, is_json: bool) -> None:
    """Show the days on which a key was used. Raises CommandError."""
    since = datetime.now(UTC).date() - timedelta(days=days - 1)

    async def work(connection: AsyncConnection, _tenant_id: int, held: KeySummary) -> list[UsedDay]:
        return list(await list_used_days(connection, held.id, since=since))

    used = _with_key(data_dir, key, work)
    if is_json:
        show_json([asdict(one) for one in used])
        return
    columns = ("day", "requests", "refused", "failed")
    rows = [(one.day, one.requests, one.refused, one.failed) for one in used]
    show_table(columns, rows, numbers=columns[1:])


def _with_key(
    data_dir: Path | None,
    key: str,
    work: Callable[[AsyncConnection, int, KeySummary], Awaitable[T]],
) -> T:
    """Do `work` with a key and its tenant, the key locked. Raises CommandError."""

    async def doing(databases: Databases) -> T:
        async with databases.app.lookup() as connection:
            found = await find_key(connection, key)
        if found is None:
            raise CliError(_UNKNOWN)
        async with databases.app.tenant(found.tenant_id) as connection:
            held = await load_key(connection, key, for_update=True)
            if held is None:
                raise CliError(_UNKNOWN)
            return await work(connection, found.tenant_id, held)

    return with_databases(data_dir, doing)


def _show_pair(key: str, secret: str) -> None:
    say(f"X-API-Key:    {key}")
    say(f"X-API-Secret: {secret}")
